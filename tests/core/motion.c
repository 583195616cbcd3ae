/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Motion across a hole, from a texture whose motion is known; what a network adds to it; and references that are off, brought back.
 */
#include <math.h>
#include <string.h>

#include "build.h"
#include "drift.h"
#include "frames.h"
#include "layers.h"
#include "motion.h"

enum
{
  W = 150,
  H = 101,
};

/* How far the texture lies to the left and up. */
typedef struct
{
  double u, v;
} Shift;

static double
texture (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const Shift *s = data;
  const double u = x + s->u, v = y + s->v;
  return 0.5 + 0.12 * sin (u * 0.11 + 2 * sin (v * 0.07)) + 0.1 * sin (v * 0.19 + u * 0.05) + 0.08 * sin (u * 0.43) * sin (v * 0.37) +
         0.05 * sin (u * 0.8 + v * 0.3);
}

static TestFrame *
frame (Shift s)
{
  TestFrame *f = test_frame_new (&(VfiFrameInfo){ VFI_FORMAT_Y444, W, H, VFI_RANGE_FULL }, 0);
  test_frame_fill (f, texture, &s);
  return f;
}

static void
hide (VfiRegion *r, int x0, int y0, int w, int h, TestFrame *f)
{
  static guint8 mask[W * H];
  VfiMarker *marker = vfi_marker_new (W, H);

  memset (mask, 0, sizeof mask);
  for (int y = y0; y < y0 + h; y++)
    for (int x = x0; x < x0 + w; x++) {
      mask[y * W + x] = 255;
      test_frame_set (f, 0, y, x, 0, (x ^ y) & 8 ? 255 : 0); /* an object with a texture and a motion of its own */
    }
  g_assert_true (vfi_region_init (r, W, H));
  vfi_region_set (r, marker, &(VfiMask){ W, H, mask, W }, FALSE, 0, 0);
  vfi_marker_free (marker);
}

/* Whatever the network says, and whatever lies in the holes. */
static void
across (void)
{
  static const Shift shifts[] = { { 0, 0 }, { 2.3, -1.4 }, { 7.6, 3.2 } };
  static float there[2 * W * H], back[2 * W * H];

  for (guint k = 0; k < G_N_ELEMENTS (shifts); k++) {
    g_autoptr (TestFrame) a = frame ((Shift){ 0, 0 });
    g_autoptr (TestFrame) b = frame (shifts[k]); /* its pixel p is at p + shift in a */
    VfiRegion ra, rb;
    VfiPyramid pa, pb;
    VfiMotion m = { 0 };
    double worst = 0, square = 0;
    int n = 0;

    hide (&ra, 60, 40, 30, 24, a);
    hide (&rb, 66, 38, 30, 24, b);
    for (int i = 0; i < 2 * W * H; i++)
      there[i] = back[i] = (float) (i % 7) - 3;
    g_assert_true (vfi_pyramid_init (&pa, W, H) && vfi_pyramid_init (&pb, W, H) && vfi_motion_reserve (&m, W, H));
    vfi_pyramid_set (&pa, &a->info, &a->frame, &ra);
    vfi_pyramid_set (&pb, &b->info, &b->frame, &rb);
    g_assert_true (vfi_motion_refine (&m, &pa, &ra, &pb, &rb, 0, NULL, there, back, NULL, NULL, NULL));
    for (int y = 36; y < 66; y++)
      for (int x = 58; x < 98; x++) {
        const int i = y * W + x;
        const double off[] = { hypot (back[2 * i] - shifts[k].u, back[2 * i + 1] - shifts[k].v),
                               hypot (there[2 * i] + shifts[k].u, there[2 * i + 1] + shifts[k].v) };
        for (int way = 0; way < 2; way++) {
          worst = fmax (worst, off[way]);
          square += off[way] * off[way];
          n++;
        }
      }
    g_test_message ("(%g, %g): %.3f pixels off, at worst %.3f", shifts[k].u, shifts[k].v, sqrt (square / n), worst);
    g_assert_cmpfloat (sqrt (square / n), <=, k ? 0.08 : 0);
    g_assert_cmpfloat (worst, <=, k ? 0.3 : 0);
    vfi_motion_clear (&m);
    vfi_pyramid_clear (&pa);
    vfi_pyramid_clear (&pb);
    vfi_region_clear (&ra);
    vfi_region_clear (&rb);
  }
}

/* ---- a network for the hole --------------------------------------------------------------------- */

/* Adds what it sees: in the hole, flow is once more as far from the mean of what is known. */
static void
twice (VfiGraph *g, const VfiModel *model, int h, int w)
{
  static const float one[] = { 1, 1 };

  vfi_output (g, "result", vfi_scale (g, vfi_slice (g, vfi_input (g, "flow", VFI_F32, h, w, 3), 0, 2), one, VFI_F32));
}

/* A field that is a slope in x with a hole, which is anything in one corner, of a grid of any size. */
static void
completed (void)
{
  static const VfiModel model = { .name = "twice", .task = "completion", .multiple = 2, .frame = twice };
  static const struct
  {
    int w, h;
    float off; /* pixels; grids of another size are sampled between */
  } grids[] = { { VFI_COMPLETE_SIZE, VFI_COMPLETE_SIZE, 0 }, { 2 * VFI_COMPLETE_SIZE, 37, 0.002f }, { 21, 15, 0.004f } };
  g_autoptr (GError) error = NULL;
  VfiBackend *backend = vfi_reference_backend_new ();
  VfiComplete *c =
      vfi_complete_new (vfi_network_new_on (backend, &model, NULL, VFI_F32, VFI_COMPLETE_SIZE, VFI_COMPLETE_SIZE, &error), &error);

  g_assert_no_error (error);
  for (guint k = 0; k < G_N_ELEMENTS (grids); k++) {
    const int w = grids[k].w, h = grids[k].h;
    g_autofree float *field = g_new (float, 2 * w * h), *weight = g_new (float, w *h);
    double mean = 0;
    int known = 0;

    for (int i = 0; i < w * h; i++) {
      const int x = i % w, y = i / w;
      field[2 * i] = 10.f * x / w;
      field[2 * i + 1] = -3;
      weight[i] = x >= w / 3 && x < w / 2 && y >= h / 3 && y < h / 2 ? 0 : 0.5f;
      if (weight[i] > 0) {
        mean += field[2 * i];
        known++;
      }
    }
    mean /= known;
    g_assert_true (vfi_complete_run (c, field, weight, w, h, &error));
    g_assert_no_error (error);
    for (int i = 0; i < w * h; i++) {
      const double was = 10.f * (i % w) / w, off = weight[i] > 0 ? 0 : grids[k].off;
      g_assert_cmpfloat (fabs (field[2 * i] - (weight[i] > 0 ? was : 2 * was - mean)), <=, off + 1e-6);
      g_assert_cmpfloat (fabs (field[2 * i + 1] + 3), <=, 1e-5);
    }
    /* Nothing is known, or all: as it was. */
    for (int all = 0; all < 2; all++) {
      for (int i = 0; i < w * h; i++) {
        weight[i] = (float) all;
        field[2 * i] = (float) i;
      }
      g_assert_true (vfi_complete_run (c, field, weight, w, h, &error));
      for (int i = 0; i < w * h; i++)
        g_assert_cmpfloat (field[2 * i], ==, i);
    }
  }
  vfi_complete_free (c);
  vfi_backend_unref (backend);
}

/* ---- drift -------------------------------------------------------------------------------------- */

static const VfiFrame *
frame_of (gpointer data, guint32 number)
{
  return data;
}

static const VfiRegion *
region_of (gpointer data, guint32 number)
{
  return NULL;
}

/* References, past and ahead, that are off by most of a pixel, in a frame that is darker than theirs. */
static void
drift (void)
{
  const Shift shift = { 3.3, -1.2 };
  g_autoptr (TestFrame) source = frame (shift);
  g_autoptr (TestFrame) f = frame ((Shift){ 0, 0 }); /* its pixel p is at p - shift in the source */
  const VfiSources sources = { &source->frame, frame_of, region_of };
  g_autofree VfiRef *refs = NULL, *ahead = NULL;
  VfiRegion r;
  VfiDrift d = { 0 };
  double worst = 0;

  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++)
      test_frame_set (f, 0, y, x, 0, test_frame_get (f, 0, y, x, 0) - 12);
  hide (&r, 60, 40, 30, 24, f);
  refs = g_new0 (VfiRef, r.area);
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      const gssize i = vfi_region_index (&r, x, y);
      if (i >= 0 && r.mark[y * W + x])
        refs[i] = (VfiRef){ (float) (x - shift.u + 0.6), (float) (y - shift.v - 0.4), 0, VFI_NO_SLOPE, 1, VFI_REF_SEEN };
    }
  g_assert_true (vfi_drift_reserve (&d, &r));
  ahead = g_memdup2 (refs, r.area * sizeof *refs);
  vfi_drift_correct (&d, &f->info, &r, &(VfiTrace){ .number = 1, .reach = 2, .linked = TRUE, .past = refs, .ahead = ahead }, &sources,
                     &f->frame);
  g_assert_cmpmem (ahead, r.area * sizeof *ahead, refs, r.area * sizeof *refs);
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      const gssize i = vfi_region_index (&r, x, y);
      if (i >= 0 && refs[i].kind)
        worst = fmax (worst, hypot (refs[i].x - (x - shift.u), refs[i].y - (y - shift.v)));
    }
  g_test_message ("at worst %.3f pixels off", worst);
  g_assert_cmpfloat (worst, <, 0.08);
  vfi_drift_clear (&d);
  vfi_region_clear (&r);
}

/* Three motions of which the last comes later, and one sample in eight that moves as none of them. */
static void
layers (void)
{
  static const float motions[3][6] = { { 2, 0.004f, 0, -1, 0, 0.004f }, { -4, -0.02f, 0.01f, 1, -0.01f, -0.02f }, { 6, 0, 0, 6, 0, 0 } };
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  VfiLayers l = { 0 };
  VfiSample sample[400];
  int number[3] = { 0 }, last[400] = { 0 };
  double worst = 0;

  for (int time = 0; time < 6; time++) {
    const int most = time < 3 ? 2 : 3;
    int right = 0, all = 0;

    for (int i = 0; i < 400; i++) {
      const int of = i % most;
      float m[2];
      VfiSample *s = &sample[i];

      *s = (VfiSample){ .x = (float) g_rand_double_range (rand, 0, 160) + (of == 1 ? 80 : 0),
                        .y = (float) g_rand_double_range (rand, 0, 120),
                        .weight = 1 };
      vfi_affine_at (motions[of], s->x, s->y, m);
      s->u = m[0] * (1 - 0.1f * time) + (float) g_rand_double_range (rand, -0.3, 0.3);
      s->v = m[1] * (1 - 0.1f * time) + (float) g_rand_double_range (rand, -0.3, 0.3);
      if (i % 8 == 7)
        s->u += (float) g_rand_double_range (rand, 8, 40);
      s->layer = last[i];
    }
    vfi_layers_fit (l, sample, 400);
    for (int of = 0; of < most; of++) {
      const VfiSample *s = &sample[of];
      const VfiLayer *layer = &l[s->layer];

      if (!number[of])
        number[of] = s->layer;
      g_assert_cmpint (s->layer, >, 0);
      g_assert_cmpint (s->layer, ==, number[of]); /* it stays the same one */
      g_assert_true (layer->seen);
      for (int corner = 0; corner < 4; corner++) {
        const float x = corner & 1 ? 200 : 40, y = corner & 2 ? 100 : 20;
        float truth[2], m[2], back[2];

        vfi_affine_at (motions[of], x, y, truth);
        vfi_affine_at (layer->there, x, y, m);
        worst = MAX (worst, hypot (m[0] - truth[0] * (1 - 0.1f * time), m[1] - truth[1] * (1 - 0.1f * time)));
        vfi_affine_at (layer->back, x + m[0], y + m[1], back);
        g_assert_cmpfloat (hypot (m[0] + back[0], m[1] + back[1]), <, 1e-4);
        g_assert_cmpint (vfi_layers_nearest (l, FALSE, x, y, m, 1), ==, s->layer);
        g_assert_cmpint (vfi_layers_nearest (l, TRUE, x + m[0], y + m[1], back, 1), ==, s->layer);
      }
    }
    g_assert_cmpint (number[0], !=, number[1]);
    g_assert_cmpint (number[2], !=, number[0]);
    for (int i = 0; i < 400; i++) {
      last[i] = sample[i].layer;
      all += i % 8 != 7;
      right += i % 8 != 7 && sample[i].layer == number[i % most];
    }
    g_assert_cmpint (right, ==, all);
    for (int i = 0; i < 400 && time == 2; i++) /* from now on there are three */
      last[i] = i % 3 < 2 ? number[i % 3] : 0;
  }
  g_test_message ("at worst %.3f pixels off", worst);
  g_assert_cmpfloat (worst, <, 0.16);
  vfi_layers_fit (l, sample, 0);
  g_assert_cmpint (vfi_layers_nearest (l, FALSE, 0, 0, (float[]){ 2, -1 }, 100), ==, 0); /* nothing is seen */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/motion/across", across);
  g_test_add_func ("/motion/completed", completed);
  g_test_add_func ("/motion/drift", drift);
  g_test_add_func ("/motion/layers", layers);
  return g_test_run ();
}
