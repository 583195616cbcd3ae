/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The flow session: what it reuses is what it would compute, there and back are each other's mirror; the check of both ways; colours.
 */
#include <math.h>
#include <string.h>

#include "vfi.h"

enum
{
  W = 70, /* no multiple of anything */
  H = 50,
};

/* Waves that move with i. */
static VfiFrame
frame (guint8 *pixels, int i)
{
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++)
      pixels[y * W + x] = (guint8) (128 + 50 * sin ((x - 2 * i) * 0.3 + y * 0.1) + 40 * sin ((y + i) * 0.25));
  return (VfiFrame){ .data = { pixels }, .stride = { W } };
}

static void
session (gconstpointer model)
{
  static guint8 pixels[3][W * H];
  static float flow[4][2 * W * H], sure[2][W * H];
  const VfiFrame f[] = { frame (pixels[0], 0), frame (pixels[1], 1), frame (pixels[2], 2) };
  const VfiFrameInfo info = { VFI_FORMAT_GRAY8, W, H, VFI_RANGE_FULL };
  g_autoptr (GError) error = NULL;
  VfiFlow *a = vfi_flow_new (
      &info, &(VfiOptions){ .model = model, .backend = VFI_BACKEND_CPU, .precision = VFI_PRECISION_FP32, .threads = 1 }, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 2; i++) /* in a stream */
    g_assert_true (vfi_flow_run (a, &f[i], &f[i + 1], &(VfiFlowField){ flow[0], sure[0] }, &(VfiFlowField){ flow[1], NULL }, NULL));
  vfi_flow_reset (a);
  g_assert_true (vfi_flow_run (a, &f[2], &f[1], &(VfiFlowField){ flow[2], NULL }, NULL, NULL));
  g_assert_true (vfi_flow_run (a, &f[1], &f[2], &(VfiFlowField){ flow[3], sure[1] }, NULL, NULL));
  g_assert_cmpmem (flow[0], sizeof flow[0], flow[3], sizeof flow[3]);
  g_assert_cmpmem (sure[0], sizeof sure[0], sure[1], sizeof sure[1]);
  g_assert_cmpmem (flow[1], sizeof flow[1], flow[2], sizeof flow[2]);
  for (int i = 0; i < W * H; i++)
    g_assert_true (isfinite (flow[0][2 * i]) && sure[0][i] >= 0 && sure[0][i] <= 1);
  vfi_flow_free (a);
}

/* A flow of 3 to the right, and ways back that are right, a little and far off. */
static void
check (void)
{
  static float there[2 * W * H], back[2 * W * H], sure[W * H];
  static const struct
  {
    float back;
    float least, most;
  } ways[] = { { -3, 1, 1 }, { -3.3f, 0.5f, 0.95f }, { -1, 0, 0 }, { 3, 0, 0 } };
  for (guint k = 0; k < G_N_ELEMENTS (ways); k++) {
    for (int i = 0; i < W * H; i++) {
      there[2 * i] = 3;
      back[2 * i] = ways[k].back;
    }
    vfi_flow_check (W, H, there, back, sure);
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++) {
        g_assert_cmpfloat (sure[y * W + x], >=, x + 3 <= W - 1 ? ways[k].least : 0); /* beyond the border nothing is seen */
        g_assert_cmpfloat (sure[y * W + x], <=, x + 3 <= W - 1 ? ways[k].most : 0);
      }
  }
}

static void
colours (void)
{
  static const struct
  {
    float u, v;
    guint8 rgb[3];
  } known[] = { { 0, 0, { 255, 255, 255 } }, { 1, 0, { 255, 0, 0 } }, { 2, 0, { 191, 0, 0 } } };
  guint8 rgb[3];
  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    vfi_flow_colour (known[i].u, known[i].v, rgb);
    for (int c = 0; c < 3; c++)
      g_assert_cmpint (ABS (rgb[c] - known[i].rgb[c]), <=, 1);
  }
  vfi_flow_colour (0, 1, rgb); /* down: yellow */
  g_assert_true (rgb[0] > 200 && rgb[1] > 150 && rgb[2] < 20);
  vfi_flow_colour (-1, 0, rgb); /* left: blue-green */
  g_assert_true (rgb[0] < 20 && rgb[1] > 150 && rgb[2] > 200);
  vfi_flow_colour (0, -1, rgb); /* up: violet */
  g_assert_true (rgb[0] > 80 && rgb[1] < 20 && rgb[2] > 200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/flow/session/nano", "vfi-flow-nano", session);
  g_test_add_data_func ("/flow/session/base", "vfi-flow-base", session);
  g_test_add_func ("/flow/check", check);
  g_test_add_func ("/flow/colours", colours);
  return g_test_run ();
}
