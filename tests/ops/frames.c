/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames on the CPU against core/frame.c: every format, with the kernels of each instruction set of this machine, motion that is still,
 * smooth, or different everywhere, so that every way of sampling is taken.
 */
#include "../core/frames.h"
#include "../../cpu/cpu.h"
#include "../generate.h"

#include <math.h>

static const int sizes[][2] = { { 200, 120 }, { 70, 51 }, { 21, 17 } };
static const double flow_scales[] = { 1, 0.5 };

/* Velocities of up to `speed`: the same nearly everywhere, or each its own. */
static void
state_fill (VfiView *s, double speed, gboolean smooth)
{
  const guint64 seed = test_seed ("state");

  for (int c = 0; c < 5; c++)
    for (int y = 0; y < s->h; y++)
      for (int x = 0; x < s->w; x++) {
        double v = smooth ? sin (0.11 * x + c) * cos (0.07 * y - c) : test_uniform (seed, (c * s->h + y) * s->w + x);

        vfi_view_set (s, y, x, c, (float) (v * (c < 4 ? speed : 3)));
      }
}

static void
check (VfiBackend *b, const VfiFrameInfo *info, double flow_scale, double t, double speed, gboolean smooth)
{
  g_autoptr (TestFrame) f0 = test_frame_new (info, 3), f1 = test_frame_new (info, 0), want = test_frame_new (info, 5),
                        got = test_frame_new (info, 5);
  VfiView s = { .dtype = VFI_F32, .c = 5, .ld = 1 };

  test_frame_random (f0, "a");
  test_frame_random (f1, "b");
  vfi_frame_net_size (info, flow_scale, 32, &s.h, &s.w);
  s.h /= 2;
  s.w /= 2;
  s.cd = s.h * s.w;
  s.data = g_new (float, (gsize) s.cd * 5);
  state_fill (&s, speed, smooth);
  vfi_frame_synthesize (info, &f0->frame, &f1->frame, flow_scale, t, &s, &want->frame);
  b->klass->begin (b);
  b->klass->synthesize (b, info, &f0->frame, &f1->frame, flow_scale, t, &s, &got->frame);
  b->klass->end (b);
  g_assert_true (test_frame_intact (got));
  /* Where a sum lies in the middle between two numbers, its last bit decides. */
  if (test_frame_worst (want, got, 0) > 1)
    g_test_fail_printf ("%s %dx%d, flow-scale %g, %s velocities of %g: off by %d", vfi_format_name (info->format), info->width,
                        info->height, flow_scale, smooth ? "smooth" : "random", speed, test_frame_worst (want, got, 0));
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
        for (guint j = 0; j < G_N_ELEMENTS (speeds); j++)
          for (int smooth = 0; smooth < 2; smooth++)
            check (b, &(VfiFrameInfo){ format, sizes[i][0], sizes[i][1], VFI_RANGE_LIMITED }, flow_scales[k], 0.3, speeds[j], smooth);
  vfi_backend_unref (b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/frames/cpu/avx512/synthesize", "avx512", synthesize);
  g_test_add_data_func ("/frames/cpu/avx2/synthesize", "avx2", synthesize);
  g_test_add_data_func ("/frames/cpu/base/synthesize", "base", synthesize);
  return g_test_run ();
}
