/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Formats and frames, for every format and both ranges. Matrices (BT.601, 709, 2020) do not enter anywhere: frames are made from a frame's own
 * samples, so what holds for samples holds for every matrix.
 */
#include <math.h>

#include "../generate.h"
#include "frames.h"

static const int sizes[][2] = { { 32, 16 }, { 21, 17 } };
static const double flow_scales[] = { 1, 0.5, 0.37 };
static const double times[] = { 0.5, 0.2, 0.9 };

#define EACH_INFO(info)                                                                                                                    \
  for (int format = 0; format < VFI_N_FORMATS; format++)                                                                                   \
    for (int range = 0; range < 2; range++)                                                                                                \
      for (guint size = 0; size < G_N_ELEMENTS (sizes); size++)                                                                            \
        for (VfiFrameInfo info = { format, sizes[size][0], sizes[size][1], range }, *once = &info; once; once = NULL)

/* ---- pictures ----------------------------------------------------------------------------------- */

typedef struct
{
  double at, dy, dx; /* value of component 0 of plane 0 at (0, 0), and what a luma pixel adds */
} Ramp;

/* Planes and components differ in level and share the slope, so that one taken for another is seen. */
static double
ramp (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const Ramp *r = data;
  return r->at + 0.03 * (plane + comp) + r->dy * y + r->dx * x;
}

static VfiView
state_new (const VfiFrameInfo *info, double flow_scale)
{
  VfiView s = { .dtype = VFI_F32, .c = 8, .ld = 1 };
  vfi_frame_net_size (info, flow_scale, 16, &s.h, &s.w);
  s.h /= 2;
  s.w /= 2;
  s.cd = s.h * s.w;
  s.data = g_new0 (float, (gsize) s.h *s.w * 8);
  return s;
}

/* Random velocities in +-speed, also of the second opinion, which weighs 0 to 1, and logits in +-logit. */
static void
state_random (VfiView *s, double speed, double logit)
{
  guint64 seed = test_seed ("state");
  for (int i = 0; i < s->h * s->w * 8; i++) {
    const float v = test_uniform (seed, i);
    const int c = i / s->cd;

    ((float *) s->data)[i] = (float) (c == 4 ? logit * v : c == 5 ? 0.5 + 0.5 * v : speed * v);
  }
}

static TestFrame *
synthesize (const TestFrame *a, const TestFrame *b, double flow_scale, double t, const VfiView *state, const VfiView *bend, int taps)
{
  TestFrame *d = test_frame_new (&a->info, 13);
  vfi_frame_synthesize (&a->info, &a->frame, &b->frame, flow_scale, t,
                        &(VfiSynthesis){ *state, bend ? *bend : (VfiView){ 0 }, .taps = taps }, &d->frame);
  g_assert_true (test_frame_intact (d));
  return d;
}

static const char *
words (const VfiFrameInfo *info)
{
  static char s[64];
  g_snprintf (s, sizeof s, "%s %dx%d %s", vfi_format_name (info->format), info->width, info->height, info->range ? "full" : "limited");
  return s;
}

/* ---- synthesize --------------------------------------------------------------------------------- */

/* Flat frames come back as they are, whatever the network says. */
static void
flat (gconstpointer data)
{
  const int taps = GPOINTER_TO_INT (data);

  static const double levels[] = { 0, 0.0627, 0.4, 0.9216, 1 };

  EACH_INFO (info)
  for (guint l = 0; l < G_N_ELEMENTS (levels); l++) {
    const Ramp r = { levels[l], 0, 0 };
    g_autoptr (TestFrame) f = test_frame_new (&info, 0);
    double scale = flow_scales[l % G_N_ELEMENTS (flow_scales)];
    VfiView s = state_new (&info, scale);

    test_frame_fill (f, ramp, &r);
    for (int wild = 0; wild < 3; wild++) {
      g_autoptr (TestFrame) d = NULL;
      state_random (&s, (double[]){ 0, 4, 1e4 }[wild], (double[]){ 0, 4, 100 }[wild]);
      d = synthesize (f, f, scale, times[wild], &s, NULL, taps);
      if (test_frame_worst (f, d, 0) != 0)
        g_error ("%s: level %g comes back changed by %d", words (&info), levels[l], test_frame_worst (f, d, 0));
    }
    g_free (s.data);
  }
}

/* What stands still comes back as it is where the velocity is 0; elsewhere it moves by no more than the slope says. */
static void
still_ramps (gconstpointer data)
{
  const int taps = GPOINTER_TO_INT (data);

  static const Ramp ramps[] = { { 0.1, 0, 0.008 }, { 0.1, 0.008, 0 }, { 0.1, 0.004, 0.006 }, { 0.8, -0.005, -0.007 } };

  EACH_INFO (info)
  for (guint i = 0; i < G_N_ELEMENTS (ramps); i++) {
    g_autoptr (TestFrame) f = test_frame_new (&info, 7), d = NULL, e = NULL;
    double scale = flow_scales[i % G_N_ELEMENTS (flow_scales)], t = times[i % G_N_ELEMENTS (times)], speed = 1.5, move;
    VfiView s = state_new (&info, scale);

    test_frame_fill (f, ramp, &ramps[i]);
    state_random (&s, 0, 8);
    d = synthesize (f, f, scale, t, &s, NULL, taps);
    g_assert_cmpint (test_frame_worst (f, d, 0), ==, 0);

    state_random (&s, speed, 3);
    e = synthesize (f, f, scale, t, &s, NULL, taps);
    /* of luma pixels, each way, at most; and the rounding of both */
    move = MAX (t, 1 - t) * speed * 2 * 1.03 / scale * (fabs (ramps[i].dx) + fabs (ramps[i].dy));
    g_assert_cmpint (test_frame_worst (f, e, 0), <=, (int) (move * test_frame_max (f, 0) + 1.5));
    g_assert_cmpint (test_frame_worst (f, e, 0), >, 0);
    g_free (s.data);
  }
}

/* A ramp that moves is met within 1 LSB at every t, if the velocity is right. */
static void
moving_ramp (gconstpointer data)
{
  const int taps = GPOINTER_TO_INT (data);

  EACH_INFO (info)
  for (guint k = 0; k < G_N_ELEMENTS (flow_scales); k++) {
    double vx = 5.3, vy = -2.6, bend_x = -1.2, bend_y = 1.7, t = times[k];
    double sx = (double) vfi_scaled_size (info.width, flow_scales[k]) / info.width;
    double sy = (double) vfi_scaled_size (info.height, flow_scales[k]) / info.height;
    const Ramp first = { 0.2, 0.006, 0.007 };
    Ramp last = first, middle = first;
    g_autoptr (TestFrame) a = test_frame_new (&info, 3), b = test_frame_new (&info, 0), m = test_frame_new (&info, 0), d = NULL;
    VfiView s = state_new (&info, flow_scales[k]), bend = state_new (&info, flow_scales[k]);

    last.at -= vy * first.dy + vx * first.dx;
    middle.at -= t * (vy * first.dy + vx * first.dx) - bend_y * first.dy - bend_x * first.dx;
    test_frame_fill (a, ramp, &first);
    test_frame_fill (b, ramp, &last);
    test_frame_fill (m, ramp, &middle);
    state_random (&s, 0, 2);
    for (int i = 0; i < s.h * s.w; i++)
      for (int c = 0; c < 8; c++)
        if (c != 4 && c != 5) /* all but the logit and the weight */
          ((float *) s.data)[c * s.cd + i] = (float) (c % 2 ? vy * sy / 2 : vx * sx / 2);
    bend = (VfiView){ bend.data, VFI_F32, MAX (s.h / VFI_BEND_GRID, 1), MAX (s.w / VFI_BEND_GRID, 1), 2, 2, 1 };
    for (int i = 0; i < bend.h * bend.w; i++) {
      ((float *) bend.data)[2 * i] = (float) (bend_x * sx / 2);
      ((float *) bend.data)[2 * i + 1] = (float) (bend_y * sy / 2);
    }
    d = synthesize (a, b, flow_scales[k], t, &s, &bend, taps);
    if (test_frame_worst (m, d, 8) > 1)
      g_error ("%s at flow-scale %g: a moving ramp is off by %d", words (&info), flow_scales[k], test_frame_worst (m, d, 8));
    g_free (bend.data);
    g_free (s.data);
  }
}

/* Towards t = 0 and 1 the frame becomes the first and the last. */
static void
limits (gconstpointer data)
{
  const int taps = GPOINTER_TO_INT (data);

  EACH_INFO (info)
  {
    g_autoptr (TestFrame) a = test_frame_new (&info, 0), b = test_frame_new (&info, 5), d = NULL, e = NULL;
    VfiView s = state_new (&info, 1);

    test_frame_random (a, "a");
    test_frame_random (b, "b");
    state_random (&s, 8, 3);
    d = synthesize (a, b, 1, 1e-6, &s, NULL, taps);
    e = synthesize (a, b, 1, 1 - 1e-6, &s, NULL, taps);
    g_assert_cmpint (test_frame_worst (a, d, 0), ==, 0);
    g_assert_cmpint (test_frame_worst (b, e, 0), ==, 0);
    g_free (s.data);
  }
}

/* Nothing wraps at the ends of the range, and no state, however broken, reads or writes outside the planes. */
static void
extremes (gconstpointer data)
{
  const int taps = GPOINTER_TO_INT (data);

  static const float broken[] = { INFINITY, -INFINITY, NAN, 1e38f, -1e38f, 3e9f, 0 };

  EACH_INFO (info)
  {
    g_autoptr (TestFrame) a = test_frame_new (&info, 0), b = test_frame_new (&info, 0), d = NULL;
    VfiView s = state_new (&info, 1);

    for (int i = 0; i < a->n_planes; i++)
      for (int y = 0; y < a->h[i]; y++)
        for (int x = 0; x < a->w[i]; x++)
          for (int c = 0; c < a->layout[i].comps; c++) {
            test_frame_set (a, i, y, x, c, x < a->w[i] / 2 ? test_frame_max (a, i) : 0);
            test_frame_set (b, i, y, x, c, x < a->w[i] / 2 ? test_frame_max (a, i) : 0);
          }
    state_random (&s, 1, 3);
    d = synthesize (a, b, 1, 0.3, &s, NULL, taps);
    /* two pixels of velocity at most on either side of the edge, and one of interpolation */
    for (int i = 0; i < d->n_planes; i++)
      for (int y = 0; y < d->h[i]; y++)
        for (int x = 0; x < d->w[i]; x++)
          for (int c = 0; c < d->layout[i].comps; c++) {
            int v = test_frame_get (d, i, y, x, c);
            g_assert_cmpint (v, >=, 0);
            g_assert_cmpint (v, <=, test_frame_max (d, i));
            if (ABS (2 * x + 1 - d->w[i] / 2 * 2) > 8)
              g_assert_cmpint (v, ==, test_frame_get (a, i, y, x, c));
            if (d->layout[i].shift) {
              const guint8 *p = d->frame.data[i] + (gsize) y * d->frame.stride[i] + (x * d->layout[i].comps + c) * 2;
              g_assert_cmpint (p[0] & 63, ==, 0);
            }
          }
    for (int i = 0; i < s.h * s.w * 8; i++)
      ((float *) s.data)[i] = broken[(i * 7 + i / 3) % G_N_ELEMENTS (broken)];
    test_frame_free (synthesize (a, b, 1, 0.3, &s, NULL, taps));
    g_free (s.data);
  }
}

/* ---- pack --------------------------------------------------------------------------------------- */

/* Luma, cb, cr or r, g, b of a format, by words of its own. */
static double
part_at (const TestFrame *f, int part, int y, int x, int *w, int *h)
{
  int plane = 0, comp = 0;

  switch (f->info.format) {
    case VFI_FORMAT_I420:
    case VFI_FORMAT_Y42B:
    case VFI_FORMAT_Y444:
    case VFI_FORMAT_I420_10LE:
    case VFI_FORMAT_I422_10LE:
    case VFI_FORMAT_Y444_10LE:
    case VFI_FORMAT_A420:
    case VFI_FORMAT_A444_10LE:
      plane = part;
      break;
    case VFI_FORMAT_YV12:
      plane = (3 - part) % 3;
      break;
    case VFI_FORMAT_NV12:
    case VFI_FORMAT_P010_10LE:
      plane = part > 0;
      comp = part == 2;
      break;
    case VFI_FORMAT_RGB:
    case VFI_FORMAT_RGBA:
    case VFI_FORMAT_RGBX:
      comp = part;
      break;
    case VFI_FORMAT_BGR:
    case VFI_FORMAT_BGRA:
    case VFI_FORMAT_BGRX:
      comp = 2 - part;
      break;
    case VFI_FORMAT_GRAY8:
      break;
  }
  *w = f->w[plane];
  *h = f->h[plane];
  return y < *h && x < *w ? test_frame_get (f, plane, y, x, comp) : 0;
}

/* Length of [a0, a1) within [i, i + 1). */
static double
overlap (int i, double a0, double a1)
{
  return fmax (0, fmin (i + 1, a1) - fmax (i, a0));
}

/* Mean of a part over a rectangle given in luma samples. */
static double
mean_over (const TestFrame *f, int part, double y0, double y1, double x0, double x1)
{
  double sum = 0, area = 0, ky, kx;
  int w, h;

  part_at (f, part, 0, 0, &w, &h);
  ky = h < f->info.height ? 2 : 1;
  kx = w < f->info.width ? 2 : 1;
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      double a = overlap (y, y0 / ky, y1 / ky) * overlap (x, x0 / kx, x1 / kx);
      sum += a * part_at (f, part, y, x, &w, &h);
      area += a;
    }
  return sum / area;
}

/* y, cb, cr as the network takes them. */
static void
yuv_over (const TestFrame *f, double y0, double y1, double x0, double x1, double yuv[3])
{
  gboolean rgb = f->info.format >= VFI_FORMAT_RGB && f->info.format <= VFI_FORMAT_BGRX;
  gboolean full = f->info.range == VFI_RANGE_FULL;
  double one = f->layout[0].depth == 10 ? 4 : 1, v[3];

  for (int i = 0; i < 3; i++)
    v[i] = f->info.format == VFI_FORMAT_GRAY8 && i ? 128 : mean_over (f, i, y0, y1, x0, x1) / one;
  if (rgb) {
    yuv[0] = (.2126 * v[0] + .7152 * v[1] + .0722 * v[2]) / 255;
    yuv[1] = (v[2] / 255 - yuv[0]) / (2 * (1 - .0722));
    yuv[2] = (v[0] / 255 - yuv[0]) / (2 * (1 - .2126));
  } else {
    double top = one == 4 ? 1023 / 4. : 255;
    yuv[0] = full ? v[0] / top : (v[0] - 16) / 219;
    yuv[1] = (v[1] - 128) / (full ? top : 224);
    yuv[2] = (v[2] - 128) / (full ? top : 224);
  }
}

static void
pack (void)
{
  double worst = 0;

  EACH_INFO (info)
  for (guint k = 0; k < G_N_ELEMENTS (flow_scales); k++) {
    g_autoptr (TestFrame) f = test_frame_new (&info, 9);
    int sw = vfi_scaled_size (info.width, flow_scales[k]), sh = vfi_scaled_size (info.height, flow_scales[k]);
    double fy = (double) info.height / sh, fx = (double) info.width / sw;
    VfiView x = { .dtype = VFI_F32, .c = 6, .ld = 7, .cd = 1 };

    test_frame_random (f, words (&info));
    vfi_frame_net_size (&info, flow_scales[k], 16, &x.h, &x.w);
    g_assert_cmpint (x.h % 16, ==, 0);
    g_assert_cmpint (x.h, >=, sh);
    g_assert_cmpint (x.h, <, sh + 16);
    x.h /= 2;
    x.w /= 2;
    x.data = g_new0 (float, (gsize) x.h *x.w *x.ld);
    vfi_frame_pack (&info, &f->frame, flow_scales[k], &x);
    for (int i = 0; i < x.h; i++)
      for (int j = 0; j < x.w; j++) {
        int r = MIN (i, (sh - 1) / 2), q = MIN (j, (sw - 1) / 2);
        double yuv[3];

        for (int p = 0; p < 4; p++) {
          int y = MIN (2 * i + (p > 1), sh - 1), z = MIN (2 * j + (p & 1), sw - 1);
          yuv_over (f, y * fy, (y + 1) * fy, z * fx, (z + 1) * fx, yuv);
          worst = fmax (worst, fabs (vfi_view_get (&x, i, j, p) - yuv[0]));
        }
        yuv_over (f, 2 * r * fy, (2 * r + 2) * fy, 2 * q * fx, (2 * q + 2) * fx, yuv);
        for (int p = 1; p < 3; p++)
          worst = fmax (worst, fabs (vfi_view_get (&x, i, j, 3 + p) - fmin (fmax (yuv[p], -0.08), 0.08)));
        g_assert_cmpfloat (vfi_view_get (&x, i, j, 6), ==, 0);
      }
    g_free (x.data);
  }
  g_test_message ("worst %.2g", worst);
  g_assert_cmpfloat (worst, <, 2e-7);
}

/* ---- formats and frames ------------------------------------------------------------------------- */

static void
formats (void)
{
  VfiFrameInfo odd = { VFI_FORMAT_I420, 37, 23, VFI_RANGE_LIMITED };
  VfiPlaneLayout l[4];
  int w, h;

  for (int i = 0; i < VFI_N_FORMATS; i++) {
    int n = vfi_format_planes (i, l);
    g_assert_cmpint (vfi_format_from_name (vfi_format_name (i)), ==, i);
    g_assert_cmpint (n, >=, 1);
    for (int p = 0; p < n; p++)
      g_assert_cmpint (l[p].depth + l[p].shift, ==,
                       g_str_has_suffix (vfi_format_name (i), "_10LE") && l[p].shift == 0 ? 10 : 8 * l[p].bytes);
  }
  g_assert_cmpint (vfi_format_from_name ("I422"), ==, -1);
  g_assert_cmpint (vfi_format_from_name (NULL), ==, -1);
  g_assert_cmpint (vfi_format_planes (VFI_N_FORMATS, l), ==, 0);
  vfi_frame_info_plane_size (&odd, 0, &w, &h);
  g_assert_cmpint (w * 1000 + h, ==, 37023);
  vfi_frame_info_plane_size (&odd, 2, &w, &h);
  g_assert_cmpint (w * 1000 + h, ==, 19012);
  odd.format = VFI_FORMAT_Y42B;
  vfi_frame_info_plane_size (&odd, 1, &w, &h);
  g_assert_cmpint (w * 1000 + h, ==, 19023);
}

static void
refuse_info (VfiFrameInfo info, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (vfi_frame_info_check (&info, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_assert_nonnull (strstr (error->message, word));
}

static void
refuse_frame (const TestFrame *f, VfiFrame frame, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (vfi_frame_check (&f->info, &frame, "it", &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_assert_nonnull (strstr (error->message, word));
}

static void
checks (void)
{
  VfiFrameInfo info = { VFI_FORMAT_P010_10LE, 16, 16384, VFI_RANGE_FULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (TestFrame) f = NULL;
  VfiFrame bad;

  g_assert_true (vfi_frame_info_check (&info, &error));
  refuse_info ((VfiFrameInfo){ VFI_N_FORMATS, 64, 64, 0 }, "convert to one of I420, ");
  refuse_info ((VfiFrameInfo){ -1, 64, 64, 0 }, "format");
  refuse_info ((VfiFrameInfo){ 0, 15, 64, 0 }, "scale it");
  refuse_info ((VfiFrameInfo){ 0, 64, 16385, 0 }, "scale it");
  refuse_info ((VfiFrameInfo){ 0, -64, -64, 0 }, "scale it");
  refuse_info ((VfiFrameInfo){ 0, 64, 64, 2 }, "range");

  info.height = 18;
  f = test_frame_new (&info, 2);
  g_assert_true (vfi_frame_check (&info, &f->frame, "it", &error));
  bad = f->frame;
  bad.data[1] = NULL;
  refuse_frame (f, bad, "plane 1 has no data");
  bad = f->frame;
  bad.stride[1] = 31;
  refuse_frame (f, bad, "stride of 31");
  bad.stride[1] = -34;
  refuse_frame (f, bad, "stride of -34");
  bad = f->frame;
  bad.stride[0] = 35;
  refuse_frame (f, bad, "multiple of 2");
}

static void
blend_and_equal (void)
{
  EACH_INFO (info)
  {
    g_autoptr (TestFrame) a = test_frame_new (&info, 4), b = test_frame_new (&info, 0), c = test_frame_new (&info, 20);
    double t = times[info.range];
    int last = a->n_planes - 1, y = a->h[last] - 1, x = a->w[last] - 1, comp = a->layout[last].comps - 1, v;

    test_frame_random (a, "a");
    test_frame_random (b, "a");
    g_assert_true (vfi_frame_equal (&info, &a->frame, &b->frame));
    v = test_frame_get (b, last, y, x, comp);
    test_frame_set (b, last, y, x, comp, v ^ 1);
    g_assert_false (vfi_frame_equal (&info, &a->frame, &b->frame));

    test_frame_random (b, "b");
    vfi_frame_blend (&info, &a->frame, &b->frame, t, &c->frame);
    g_assert_true (test_frame_intact (c));
    for (int i = 0; i < a->n_planes; i++)
      for (int k = 0; k < a->h[i]; k++)
        for (int j = 0; j < a->w[i]; j++) {
          double want = (1 - t) * test_frame_get (a, i, k, j, 0) + t * test_frame_get (b, i, k, j, 0);
          /* half a step is rounding; a tie may go either way in fp32 */
          g_assert_cmpfloat (fabs (test_frame_get (c, i, k, j, 0) - want), <=, 0.5001);
        }
    vfi_frame_blend (&info, &a->frame, &b->frame, 0, &c->frame);
    g_assert_true (vfi_frame_equal (&info, &a->frame, &c->frame));
    vfi_frame_blend (&info, &a->frame, &b->frame, 1, &c->frame);
    g_assert_true (vfi_frame_equal (&info, &b->frame, &c->frame));
  }
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    GTestDataFunc run; /* of the taps */
  } frames[] = {
    { "flat", flat }, { "still-ramps", still_ramps }, { "moving-ramp", moving_ramp }, { "limits", limits }, { "extremes", extremes }
  };

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/formats", formats);
  g_test_add_func ("/frame/checks", checks);
  g_test_add_func ("/frame/blend-and-equal", blend_and_equal);
  g_test_add_func ("/frame/pack", pack);
  for (int taps = 4; taps <= 6; taps += 2)
    for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
      g_autofree char *path = g_strdup_printf ("/frame/synthesize/%d/%s", taps, frames[i].name);

      g_test_add_data_func (path, GINT_TO_POINTER (taps), frames[i].run);
    }
  return g_test_run ();
}
