/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pack and synthesize on the device against those of core/frame.c: every format, both ranges, sizes that nothing divides, planes with
 * padded rows between sentinels.
 */
#include <math.h>

#include "../core/frames.h"
#include "../generate.h"
#include "area.h"
#include "backend.h"
#include "scene.h"

VfiBackend *vfi_cuda_backend_new (int device, gpointer stream, GError **error);

static const int sizes[][2] = { { 32, 16 }, { 21, 17 } };
static const double flow_scales[] = { 1, 0.5, 0.37 };

static const VfiPicture pictures[] = { { VFI_RGB },
                                       { VFI_BGR, .centred = TRUE, .truncates = TRUE },
                                       { VFI_RGB, .centred = TRUE, .zeros = TRUE } };

static VfiBackend *backend;

static void *
to_device (const void *host, gsize bytes)
{
  GError *error = NULL;
  void *p = backend->klass->alloc (backend, bytes, &error);

  g_assert_no_error (error);
  backend->klass->upload (backend, p, host, bytes);
  return p;
}

/* The frame with its sentinels on the device. */
typedef struct
{
  TestFrame *host;
  VfiFrame frame;
  void *memory[4];
} DeviceFrame;

static DeviceFrame
device_frame (TestFrame *f)
{
  DeviceFrame d = { .host = f, .frame = { .memory = VFI_MEMORY_CUDA } };

  for (int i = 0; i < f->n_planes; i++) {
    d.memory[i] = to_device (f->memory[i], f->size[i]);
    d.frame.data[i] = (guint8 *) d.memory[i] + (f->frame.data[i] - f->memory[i]);
    d.frame.stride[i] = f->frame.stride[i];
  }
  return d;
}

/* Back to the host, and off the device. */
static void
device_frame_end (DeviceFrame *d)
{
  for (int i = 0; i < d->host->n_planes; i++) {
    backend->klass->download (backend, d->host->memory[i], d->memory[i], d->host->size[i]);
    backend->klass->dealloc (backend, d->memory[i]);
  }
  g_assert_true (test_frame_intact (d->host));
}

static void
check_pack (const VfiFrameInfo *info, double flow_scale, VfiDType type)
{
  g_autoptr (TestFrame) f = test_frame_new (info, 9);
  VfiView want = { .dtype = VFI_F32, .c = 6, .ld = 6, .cd = 1 }, got, x;
  DeviceFrame d;
  gsize bytes;
  double rounding = type == VFI_F16 ? 0x1p-11 : 2e-6;

  test_frame_random (f, vfi_format_name (info->format));
  vfi_frame_net_size (info, flow_scale, 32, &want.h, &want.w);
  want.h /= 2;
  want.w /= 2;
  got = want;
  got.dtype = type;
  got.ld = 7;
  want.data = g_new (float, (gsize) want.h *want.w * 6);
  vfi_frame_pack (info, &f->frame, flow_scale, &want);

  bytes = (gsize) got.h * got.w * got.ld * vfi_dtype_size (type);
  got.data = g_malloc (bytes);
  memset (got.data, 0xff, bytes);
  x = got;
  x.data = to_device (got.data, bytes);
  d = device_frame (f);
  backend->klass->begin (backend);
  backend->klass->pack (backend, info, &d.frame, flow_scale, &x);
  backend->klass->end (backend);
  device_frame_end (&d);
  backend->klass->download (backend, got.data, x.data, bytes);
  backend->klass->dealloc (backend, x.data);
  for (int i = 0; i < want.h; i++)
    for (int j = 0; j < want.w; j++) {
      for (int c = 0; c < 6; c++)
        g_assert_cmpfloat_with_epsilon (vfi_view_get (&got, i, j, c), vfi_view_get (&want, i, j, c), rounding);
      g_assert_true (isnan (vfi_view_get (&got, i, j, 6)));
    }
  g_free (got.data);
  g_free (want.data);
}

/* Bars that come and go in a stream, on 16 and 32 bits. */
static void
areas (void)
{
  static const int bars[][4] = { { 0, 0, 0, 0 }, { 10, 0, 10, 0 }, { 0, 15, 0, 24 }, { 8, 16, 9, 24 }, { 0, 16, 9, 24 }, { 0, 0, 70, 0 } };
  enum
  {
    H = 40,
    W = 300,
    BYTES = H * W * 6 * 4,
    EACH = VFI_BAR_FRAMES + 1
  };

  for (int half = 0; half < 2; half++) {
    g_autofree void *memory = g_malloc (BYTES), *back = g_malloc (BYTES);
    VfiView x = { memory, half ? VFI_F16 : VFI_F32, H, W, 6, 6, 1 }, there = x;
    float want[4], got[4], known[VFI_BARS], unknown[VFI_BARS];
    VfiView area = { want, VFI_F32, 1, 1, 4, 4, 1 }, bars_here = { known, VFI_F32, 1, 1, VFI_BARS, VFI_BARS, 1 }, bars_there = bars_here,
            on_device = area;

    for (int i = 0; i < VFI_BARS; i++) /* it means nothing */
      known[i] = unknown[i] = i % 2 ? NAN : 9;
    bars_there.data = to_device (unknown, sizeof unknown);
    on_device.data = to_device (got, sizeof got);
    for (guint k = 0; k < EACH * G_N_ELEMENTS (bars); k++) {
      test_boxed (&x, bars[k / EACH], 0.02f, 0.01f);
      there.data = to_device (memory, vfi_view_bytes (&x));
      vfi_frame_area (&x, k == 0, &bars_here, &area);
      backend->klass->begin (backend);
      backend->klass->area (backend, &there, k == 0, &bars_there, &on_device);
      backend->klass->end (backend);
      backend->klass->download (backend, back, there.data, vfi_view_bytes (&x));
      backend->klass->download (backend, got, on_device.data, sizeof got);
      backend->klass->download (backend, unknown, bars_there.data, sizeof unknown);
      g_assert_cmpmem (got, sizeof got, want, sizeof want);
      g_assert_cmpmem (unknown, sizeof unknown, known, sizeof known);
      g_assert_cmpmem (back, vfi_view_bytes (&x), memory, vfi_view_bytes (&x));
      g_assert_true (k % EACH < VFI_BAR_FRAMES - 1 || k / EACH == 0 || k / EACH > 3 || want[0] + want[1] > 0);
      backend->klass->dealloc (backend, there.data);
    }
    backend->klass->dealloc (backend, on_device.data);
    backend->klass->dealloc (backend, bars_there.data);
  }
}

/* A state as a network gives it: planes. wild: with what no network should give. */
static void
state_fill (VfiView *s, gboolean wild)
{
  static const float broken[] = { INFINITY, -INFINITY, NAN, 1e38f, -1e38f, 3e9f, 0 };
  const guint64 seed = test_seed ("state");

  for (int i = 0; i < s->h * s->w * s->c; i++) {
    const float v = test_uniform (seed, i);
    const int c = i / s->cd;

    ((float *) s->data)[i] = wild                   ? broken[(i * 7 + i / 3) % G_N_ELEMENTS (broken)]
                             : c == 4               ? 3 * v
                             : c >= 5 && c % 3 == 2 ? MAX (v, 0) * 3 / (s->c - 5)
                                                    : 6 * v;
  }
}

static void
check_synthesize (const VfiFrameInfo *info, int opinions, int taps, double flow_scale, double t, gboolean wild, gboolean bends,
                  gboolean bars)
{
  g_autoptr (TestFrame) a = test_frame_new (info, 3), b = test_frame_new (info, 0), want = test_frame_new (info, 5),
                        got = test_frame_new (info, 5);
  VfiView state = { .dtype = VFI_F32, .c = 4 + 3 * opinions, .ld = 1 }, bend, s, there;
  DeviceFrame da, db, dg;
  gsize bytes;

  test_frame_random (a, "a");
  test_frame_random (b, "b");
  vfi_frame_net_size (info, flow_scale, 32, &state.h, &state.w);
  state.h /= 2;
  state.w /= 2;
  state.cd = state.h * state.w;
  bytes = (gsize) state.cd * state.c * sizeof (float);
  state.data = g_malloc (bytes);
  state_fill (&state, wild);
  state.c -= 2; /* the last two are how it bends */
  bend = (VfiView){ (float *) state.data + (gsize) state.cd * state.c, VFI_F32, state.h / VFI_BEND_GRID, state.w / VFI_BEND_GRID, 2, 2, 1 };
  /* of either frame: rows and columns of the state that hold the picture */
  float area[2][4] = { { 2, 5, state.h - 3, state.w - 4 }, { 1, 6, state.h - 3, state.w } };
  VfiSynthesis how = { state, bends ? bend : (VfiView){ 0 }, .taps = taps };
  for (int i = 0; i < 2 && bars; i++)
    how.area[i] = (VfiView){ area[i], VFI_F32, 1, 1, 4, 4, 1 };
  vfi_frame_synthesize (info, &a->frame, &b->frame, flow_scale, t, &how, &want->frame);

  s = state;
  s.data = to_device (state.data, bytes);
  there = bend;
  there.data = (float *) s.data + (gsize) s.cd * s.c;
  da = device_frame (a);
  db = device_frame (b);
  dg = device_frame (got);
  how.state = s;
  how.bend = bends ? there : (VfiView){ 0 };
  for (int i = 0; i < 2 && bars; i++)
    how.area[i].data = to_device (area[i], sizeof area[i]);
  backend->klass->begin (backend);
  backend->klass->synthesize (backend, info, &da.frame, &db.frame, flow_scale, t, &how, &dg.frame);
  backend->klass->end (backend);
  device_frame_end (&da);
  device_frame_end (&db);
  device_frame_end (&dg);
  backend->klass->dealloc (backend, s.data);
  for (int i = 0; i < 2 && bars; i++)
    backend->klass->dealloc (backend, how.area[i].data);
  /* Where a sum lies in the middle between two numbers, its last bit decides. */
  if (!wild)
    g_assert_cmpint (test_frame_worst (want, got, 0), <=, 1);
  g_free (state.data);
}

/* The part of the samples that are not the same. */
static double
different (const TestFrame *a, const TestFrame *b)
{
  int n = 0, all = 0;

  for (int i = 0; i < a->n_planes; i++)
    for (int y = 0; y < a->h[i]; y++)
      for (int x = 0; x < a->w[i]; x++)
        for (int c = 0; c < a->layout[i].comps; c++, all++)
          n += test_frame_get (a, i, y, x, c) != test_frame_get (b, i, y, x, c);
  return (double) n / all;
}

static void
check_picture (const VfiFrameInfo *info, const VfiPicture *picture, double t)
{
  g_autoptr (TestFrame) a = test_frame_new (info, 3), b = test_frame_new (info, 0), want = test_frame_new (info, 5),
                        got = test_frame_new (info, 5);
  const int h = info->height + 11, w = info->width + 7, n = h * w * 3;
  g_autofree float *mine = g_new (float, n), *theirs = g_new (float, n);
  VfiView x = { mine, VFI_F32, h, w, 3, 3, 1 }, y = x;
  DeviceFrame da, db, dg;

  test_frame_random (a, "a");
  test_frame_random (b, "b");
  vfi_picture_pack (info, &a->frame, picture, &x);
  memset (theirs, 0xff, n * sizeof *theirs);
  y.data = to_device (theirs, n * sizeof *theirs);
  da = device_frame (a);
  db = device_frame (b);
  dg = device_frame (got);
  backend->klass->begin (backend);
  backend->klass->pack_picture (backend, info, &da.frame, picture, &y);
  backend->klass->end (backend);
  backend->klass->download (backend, theirs, y.data, n * sizeof *theirs);
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (mine[i], theirs[i], 2e-6);

  for (int i = 0; i < n; i++)
    mine[i] *= 0.77f; /* off the levels */
  vfi_picture_unpack (info, &a->frame, &b->frame, t, picture, &x, &want->frame);
  backend->klass->upload (backend, y.data, mine, n * sizeof *mine);
  backend->klass->begin (backend);
  backend->klass->unpack_picture (backend, info, &da.frame, &db.frame, t, picture, &y, &dg.frame);
  backend->klass->end (backend);
  device_frame_end (&da);
  device_frame_end (&db);
  device_frame_end (&dg);
  backend->klass->dealloc (backend, y.data);
  g_assert_cmpint (test_frame_worst (want, got, 0), <=, 1);
  g_assert_cmpfloat (different (want, got), <, 0.01); /* rounded and cut off half of them are not the same */
}

/* Sums of luma over the cells of grids that divide nothing. */
static void
check_sums (const VfiFrameInfo *info)
{
  static const int grids[][2] = { { 1, 2 }, { 5, 3 }, { 16, 8 } };
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const VfiPlaneLayout *l = &f->plane[0];
  const int parts = f->rgb ? 3 : 1;
  g_autoptr (TestFrame) a = test_frame_new (info, 3);
  DeviceFrame d;

  test_frame_random (a, "a");
  d = device_frame (a);
  for (guint i = 0; i < G_N_ELEMENTS (grids); i++) {
    const int w = grids[i][0], h = grids[i][1];
    guint64 got[16 * 8 * 3 + 1], want[16 * 8 * 3] = { 0 };

    memset (got, 0xff, sizeof got);
    for (int y = 0; y < info->height; y++)
      for (int x = 0; x < info->width; x++) {
        int row = 0, column = 0;

        while ((row + 1) * info->height / h <= y)
          row++;
        while ((column + 1) * info->width / w <= x)
          column++;
        for (int k = 0; k < parts; k++) {
          const guint8 *p = a->frame.data[0] + (gsize) y * a->frame.stride[0] + (gsize) (x * l->comps + f->part[k].comp) * l->bytes;

          want[(row * w + column) * parts + k] += l->bytes == 1 ? *p : *(const guint16 *) p >> l->shift;
        }
      }
    backend->klass->begin (backend);
    backend->klass->luma_sums (backend, info, &d.frame, w, h, got);
    backend->klass->end (backend);
    for (int k = 0; k < w * h * parts; k++)
      g_assert_cmpuint (got[k], ==, want[k]);
    g_assert_cmpuint (got[w * h * parts], ==, G_MAXUINT64);
  }
  device_frame_end (&d);
}

/* No decision depends on where frames lie. */
static void
compare (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, 100, 50, VFI_RANGE_LIMITED };
  g_autoptr (TestFrame) a = test_frame_new (&info, 3), b = test_frame_new (&info, 0);
  DeviceFrame da, db;

  test_frame_random (a, "a");
  test_frame_random (b, "b");
  da = device_frame (a);
  db = device_frame (b);
  for (int score = 0; score < 2; score++) {
    g_autofree guint64 *sums = g_new0 (guint64, 2 * VFI_SCENE_SUMS);
    int w, h;

    vfi_scene_grid (&info, score, &w, &h);
    backend->klass->begin (backend);
    backend->klass->luma_sums (backend, &info, &da.frame, w, h, sums);
    backend->klass->luma_sums (backend, &info, &db.frame, w, h, sums + VFI_SCENE_SUMS);
    backend->klass->end (backend);
    if (score)
      g_assert_cmpfloat (vfi_scene_score (&info, sums, sums + VFI_SCENE_SUMS), ==, vfi_frame_scene_score (&info, &a->frame, &b->frame));
    else
      g_assert_cmpfloat (vfi_scene_difference (&info, sums, sums + VFI_SCENE_SUMS), ==, vfi_frame_difference (&info, &a->frame, &b->frame));
  }
  device_frame_end (&da);
  device_frame_end (&db);
}

static void
check (gconstpointer data)
{
  const int format = GPOINTER_TO_INT (data);
  GError *error = NULL;

  for (int range = 0; range < 2; range++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      check_sums (&(VfiFrameInfo){ format, sizes[i][0], sizes[i][1], range });
      for (guint k = 0; k < G_N_ELEMENTS (flow_scales); k++) {
        const VfiFrameInfo info = { format, sizes[i][0], sizes[i][1], range };

        check_pack (&info, flow_scales[k], VFI_F32);
        check_pack (&info, flow_scales[k], VFI_F16);
        for (int taps = 4; taps <= 6; taps += 2) {
          check_synthesize (&info, k % 2 ? VFI_MAX_OPINIONS : 2, taps, flow_scales[k], (const double[]){ 0.5, 0.2, 0.9 }[k], FALSE, k != 1,
                            (taps + k + i + range) % 2);
          check_synthesize (&info, k % 2 ? VFI_MAX_OPINIONS : 2, taps, flow_scales[k], 0.3, TRUE, k != 2, (taps + k + i + range) % 2);
        }
        check_picture (&info, &pictures[k], 0.3);
      }
    }
  g_assert_false (backend->klass->failed (backend, &error));
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  if (!(backend = vfi_cuda_backend_new (0, NULL, &error))) {
    g_print ("1..0 # SKIP %s\n", error->message);
    return 0;
  }
  g_test_add_func ("/frames/cuda/areas", areas);
  for (int format = 0; format < VFI_N_FORMATS; format++) {
    g_autofree char *name = g_strdup_printf ("/frames/cuda/%s", vfi_format_name (format));

    g_test_add_data_func (name, GINT_TO_POINTER (format), check);
  }
  g_test_add_func ("/frames/cuda/compare", compare);
  result = g_test_run ();
  vfi_backend_unref (backend);
  return result;
}
