/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames on the CPU against core/frame.c: every format, with the kernels of each instruction set of this machine, motion that is still,
 * smooth, or different everywhere, so that every way of sampling is taken.
 *
 *   ops-frames --bench FORMAT 1280 720 [avx512|avx2|base]     times both conversions
 */
#include "../core/frames.h"
#include "../../cpu/cpu.h"
#include "../generate.h"

#include <math.h>

static const int sizes[][2] = { { 150, 90 }, { 70, 51 }, { 21, 17 } };
static const double flow_scales[] = { 1, 0.5 };

/* Velocities of up to `speed`, and further opinions that weigh something in half of the places: the same nearly everywhere, or each its own. */
static void
state_fill (VfiView *s, double speed, gboolean smooth)
{
  const guint64 seed = test_seed ("state");

  const int n = (s->c - 5) / 3;

  for (int c = 0; c < s->c; c++)
    for (int y = 0; y < s->h; y++)
      for (int x = 0; x < s->w; x++) {
        double v = smooth ? sin (0.11 * x + c) * cos (0.07 * y - c) : test_uniform (seed, (c * s->h + y) * s->w + x);

        vfi_view_set (s, y, x, c, (float) (c == 4 ? 3 * v : c >= 5 && c % 3 == 2 ? MAX (v, 0) / n : speed * v));
      }
}

static void
check (VfiBackend *b, const VfiFrameInfo *info, int opinions, int taps, double flow_scale, double t, double speed, gboolean smooth,
       gboolean bends, gboolean bars)
{
  g_autoptr (TestFrame) f0 = test_frame_new (info, 3), f1 = test_frame_new (info, 0), want = test_frame_new (info, 5),
                        got = test_frame_new (info, 5);
  VfiView s = { .dtype = VFI_F32, .c = 4 + 3 * opinions, .ld = 1 }, bend;

  test_frame_random (f0, "a");
  test_frame_random (f1, "b");
  vfi_frame_net_size (info, flow_scale, 32, &s.h, &s.w);
  s.h /= 2;
  s.w /= 2;
  s.cd = s.h * s.w;
  s.data = g_new (float, (gsize) s.cd *s.c);
  state_fill (&s, speed, smooth);
  s.c -= 2; /* the last two are how it bends */
  bend = (VfiView){ (float *) s.data + (gsize) s.cd * s.c, VFI_F32, s.h / VFI_BEND_GRID, s.w / VFI_BEND_GRID, 2, 2, 1 };
  /* of either frame: rows and columns of the state that hold the picture */
  float area[2][4] = { { 2, 5, s.h - 3, s.w - 4 }, { 1, 6, s.h - 3, s.w } };
  VfiSynthesis how = { s, bends ? bend : (VfiView){ 0 }, .taps = taps };
  for (int i = 0; i < 2 && bars; i++)
    how.area[i] = (VfiView){ area[i], VFI_F32, 1, 1, 4, 4, 1 };
  vfi_frame_synthesize (info, &f0->frame, &f1->frame, flow_scale, t, &how, &want->frame);
  b->klass->begin (b);
  b->klass->synthesize (b, info, &f0->frame, &f1->frame, flow_scale, t, &how, &got->frame);
  b->klass->end (b);
  g_assert_true (test_frame_intact (got));
  /* Where a sum lies in the middle between two numbers, its last bit decides. */
  if (test_frame_worst (want, got, 0) > 1)
    g_test_fail_printf ("%s %dx%d, %d opinions, %d taps, flow-scale %g, %s velocities of %g%s%s: off by %d", vfi_format_name (info->format),
                        info->width, info->height, opinions, taps, flow_scale, smooth ? "smooth" : "random", speed, bends ? ", bent" : "",
                        bars ? ", with bars" : "", test_frame_worst (want, got, 0));
  g_free (s.data);
}

static void
synthesize (gconstpointer isa)
{
  static const double speeds[] = { 0, 0.4, 3, 20 };
  GError *error = NULL;
  VfiBackend *b = vfi_cpu_backend_new_isa (2, isa, &error);

  if (!b) {
    g_assert_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED);
    g_test_skip (error->message);
    g_error_free (error);
    return;
  }
  for (int format = 0; format < VFI_N_FORMATS; format++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
      for (guint k = 0; k < G_N_ELEMENTS (flow_scales); k++)
        for (guint j = SANITIZED; j < G_N_ELEMENTS (speeds); j += 1 + SANITIZED)
          for (int smooth = 0; smooth < 2; smooth++)
            for (int n = 2; n <= (i == 1 ? VFI_MAX_OPINIONS : 2); n += VFI_MAX_OPINIONS - 2)
              check (b, &(VfiFrameInfo){ format, sizes[i][0], sizes[i][1], VFI_RANGE_LIMITED }, n, (i + j + smooth) % 2 ? 6 : 4,
                     flow_scales[k], 0.3, speeds[j], smooth, (i + k + smooth) % 2, (j + k + smooth + format) % 3 == 0);
  vfi_backend_unref (b);
}

/* Pictures are core/picture.c's, with rows shared among threads. */
static void
pictures (void)
{
  static const VfiPicture ways[] = { { VFI_RGB },
                                     { VFI_BGR, .zeros = TRUE, .truncates = TRUE },
                                     { VFI_RGB, .centred = TRUE, .truncates = TRUE } };
  GError *error = NULL;
  VfiBackend *b = vfi_cpu_backend_new (3, &error);

  g_assert_no_error (error);
  for (int format = 0; format < VFI_N_FORMATS; format++)
    for (guint way = 0; way < G_N_ELEMENTS (ways); way++) {
      const VfiFrameInfo info = { format, 71, 51, VFI_RANGE_LIMITED };
      const int h = info.height + 5, w = info.width + 3, n = h * w * 3;
      g_autoptr (TestFrame) f0 = test_frame_new (&info, 3), f1 = test_frame_new (&info, 0), want = test_frame_new (&info, 5),
                            got = test_frame_new (&info, 5);
      g_autofree float *mine = g_new (float, n), *theirs = g_new (float, n);
      const VfiView x = { mine, VFI_F32, h, w, 3, 3, 1 }, y = { theirs, VFI_F32, h, w, 3, 3, 1 };

      test_frame_random (f0, "a");
      test_frame_random (f1, "b");
      vfi_picture_pack (&info, &f0->frame, &ways[way], &x);
      b->klass->begin (b);
      b->klass->pack_picture (b, &info, &f0->frame, &ways[way], &y);
      b->klass->end (b);
      g_assert_cmpmem (mine, n * sizeof *mine, theirs, n * sizeof *theirs);
      for (int i = 0; i < n; i++)
        mine[i] *= 0.77f; /* off the levels */
      vfi_picture_unpack (&info, &f0->frame, &f1->frame, 0.3, &ways[way], &x, &want->frame);
      b->klass->begin (b);
      b->klass->unpack_picture (b, &info, &f0->frame, &f1->frame, 0.3, &ways[way], &x, &got->frame);
      b->klass->end (b);
      g_assert_true (test_frame_intact (got));
      g_assert_cmpint (test_frame_worst (want, got, 0), ==, 0);
    }
  vfi_backend_unref (b);
}

/* Microseconds of the best of many runs: of packing (state NULL), or of synthesis. */
static gint64
best_time (VfiBackend *b, const TestFrame *f0, const TestFrame *f1, const VfiView *x, const VfiView *state, int taps, TestFrame *dst)
{
  gint64 best = G_MAXINT64;

  for (int i = 0; i < 60; i++) {
    const gint64 start = g_get_monotonic_time ();

    b->klass->begin (b);
    if (state)
      b->klass->synthesize (b, &f0->info, &f0->frame, &f1->frame, 1, 0.5, &(VfiSynthesis){ *state, .taps = taps }, &dst->frame);
    else
      b->klass->pack (b, &f0->info, &f0->frame, 1, x);
    b->klass->end (b);
    best = MIN (best, g_get_monotonic_time () - start);
  }
  return best;
}

static int
bench (int argc, char **argv)
{
  static const double speeds[] = { 0, 0.4, 3, 20 };
  VfiFrameInfo info = { 0, argc > 4 ? atoi (argv[3]) : 1280, argc > 4 ? atoi (argv[4]) : 720, VFI_RANGE_LIMITED };
  GError *error = NULL;
  VfiBackend *b = vfi_cpu_backend_new_isa (0, argc > 5 ? argv[5] : NULL, &error);
  VfiView s = { .dtype = VFI_F32, .c = 8, .ld = 1 }, x = { .dtype = b ? b->klass->best_precision (b) : VFI_F32, .c = 6, .ld = 6, .cd = 1 };

  while (info.format < VFI_N_FORMATS && argc > 2 && strcmp (argv[2], vfi_format_name (info.format)))
    info.format++;
  if (!b || info.format == VFI_N_FORMATS) {
    g_printerr ("%s\n", error ? error->message : "--bench FORMAT [WIDTH HEIGHT [ISA]]");
    return 1;
  }
  g_autoptr (TestFrame) f0 = test_frame_new (&info, 0), f1 = test_frame_new (&info, 0), dst = test_frame_new (&info, 0);

  test_frame_random (f0, "a");
  test_frame_random (f1, "b");
  vfi_frame_net_size (&info, 1, 32, &s.h, &s.w);
  x.h = s.h /= 2;
  x.w = s.w /= 2;
  s.cd = s.h * s.w;
  s.data = g_new (float, (gsize) s.cd * 8);
  x.data = g_new (float, (gsize) s.cd * 6);
  g_print ("# %s %d x %d on %s, %d threads\n", vfi_format_name (info.format), info.width, info.height, b->description, b->threads);
  g_print ("# pack                        %7.3f ms\n", best_time (b, f0, f1, &x, NULL, 0, dst) * 1e-3);
  for (int smooth = 1; smooth >= 0; smooth--)
    for (guint i = 0; i < G_N_ELEMENTS (speeds); i++) {
      state_fill (&s, speeds[i], smooth);
      g_print ("# synthesize, %s %4g    %7.3f ms, sharply %7.3f\n", smooth ? "smooth" : "random", speeds[i],
               best_time (b, f0, f1, NULL, &s, 4, dst) * 1e-3, best_time (b, f0, f1, NULL, &s, 6, dst) * 1e-3);
    }
  g_free (s.data);
  g_free (x.data);
  vfi_backend_unref (b);
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc > 1 && !strcmp (argv[1], "--bench"))
    return bench (argc, argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/frames/cpu/avx512/synthesize", "avx512", synthesize);
  g_test_add_data_func ("/frames/cpu/avx2/synthesize", "avx2", synthesize);
  g_test_add_data_func ("/frames/cpu/base/synthesize", "base", synthesize);
  g_test_add_func ("/frames/cpu/pictures", pictures);
  return g_test_run ();
}
