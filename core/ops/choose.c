/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * choose: of two opinions on motion, for each pixel the one along which both pictures are more alike around it.
 *
 *   first     the velocities v0, v1 of a state, seen from time t
 *   second    flow (p - t flow (p)): a flow from the first picture to the second, as time t sees it; both velocities are that
 *   e (v)     | y0 (p - t v0) - y1 (p + (1 - t) v1) |                       all of these bilinear, clamped to the border
 *   take      1 where the sum over 21 x 21 pixels of DOUBT e (second) - e (first) is below 0, else 0
 *   dst       (1 - m) first + m second, m the mean of `take` over 5 x 5 pixels; the logit is the state's. Borders are replicated.
 *
 * A comparison of nearly equal numbers may end either way; results are continuous but for that.
 */
#include "choose.h"
#include "bilinear.h"
#include "op.h"
#include "vfi.h"

/* Mean over the pixels up to r to each side. */
static float
mean (const float *v, int h, int w, int y, int x, int r)
{
  float sum = 0;

  for (int i = y - r; i <= y + r; i++)
    for (int k = x - r; k <= x + r; k++)
      sum += v[(gsize) CLAMP (i, 0, h - 1) * w + CLAMP (k, 0, w - 1)];
  return sum / ((2 * r + 1) * (2 * r + 1));
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiView *y0 = &src[0], *y1 = &src[1], *state = &src[3], *flow = &src[4];
  const float t = vfi_view_get (&src[2], 0, 0, 0);
  const int h = dst->h, w = dst->w;
  float *second = g_new (float, 2 * (gsize) h * w), *worse = g_new (float, (gsize) h *w), *take = g_new (float, (gsize) h *w);

  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      const gsize i = (gsize) y * w + x;
      const float u = vfi_view_get (flow, y, x, 0), v = vfi_view_get (flow, y, x, 1);
      float e[2];

      for (int c = 0; c < 2; c++)
        second[2 * i + c] = vfi_view_bilinear (flow, c, y - t * v, x - t * u);
      for (int k = 0; k < 2; k++) {
        const float v0x = k ? second[2 * i] : vfi_view_get (state, y, x, 0), v0y = k ? second[2 * i + 1] : vfi_view_get (state, y, x, 1);
        const float v1x = k ? second[2 * i] : vfi_view_get (state, y, x, 2), v1y = k ? second[2 * i + 1] : vfi_view_get (state, y, x, 3);

        e[k] =
            fabsf (vfi_view_bilinear (y0, 0, y - t * v0y, x - t * v0x) - vfi_view_bilinear (y1, 0, y + (1 - t) * v1y, x + (1 - t) * v1x));
      }
      worse[i] = VFI_CHOOSE_DOUBT * e[1] - e[0];
    }
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      take[(gsize) y * w + x] = mean (worse, h, w, y, x, VFI_CHOOSE_WINDOW) < 0;
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      const float m = mean (take, h, w, y, x, VFI_CHOOSE_SOFT);

      for (int c = 0; c < 5; c++) {
        const float v = vfi_view_get (state, y, x, c);

        vfi_view_set (dst, y, x, c, c < 4 ? v + m * (second[2 * ((gsize) y * w + x) + c % 2] - v) : v);
      }
    }
  g_free (second);
  g_free (worse);
  g_free (take);
}

const VfiOp vfi_op_choose = { "choose", .planar = 1 << 3 | 1 << 4, .reference = reference };

VfiTensor *
vfi_choose (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *time, VfiTensor *state, VfiTensor *flow)
{
  VfiTensor *src[] = { y0, y1, time, state, flow }, *y;

  if (!vfi_graph_ready (g, "choose", src, 5))
    return vfi_graph_dummy (g);
  if (y0->c != 1 || y1->c != 1 || y1->h != y0->h || y1->w != y0->w || y0->dtype != VFI_F32 || y1->dtype != VFI_F32)
    return vfi_graph_fail (g, "choose", VFI_ERROR_SHAPE, "the pictures are %d x %d x %d and %d x %d x %d, not equal, 1 channel, fp32",
                           y0->h, y0->w, y0->c, y1->h, y1->w, y1->c);
  if (time->dtype != VFI_F32 || time->h != 1 || time->w != 1 || time->c != 1)
    return vfi_graph_fail (g, "choose", VFI_ERROR_SHAPE, "the time is not 1 x 1 x 1, fp32");
  if (state->dtype != VFI_F32 || state->h != y0->h || state->w != y0->w || state->c != 5)
    return vfi_graph_fail (g, "choose", VFI_ERROR_SHAPE, "the state is %d x %d x %d, not %d x %d x 5, fp32", state->h, state->w, state->c,
                           y0->h, y0->w);
  if (flow->dtype != VFI_F32 || flow->h != y0->h || flow->w != y0->w || flow->c != 2)
    return vfi_graph_fail (g, "choose", VFI_ERROR_SHAPE, "the flow is %d x %d x %d, not %d x %d x 2, fp32", flow->h, flow->w, flow->c,
                           y0->h, y0->w);
  y = vfi_node_result (g, vfi_graph_add (g, &vfi_op_choose, "choose", NULL, 0, src, 5, VFI_F32, y0->h, y0->w, 5));
  y->planar = TRUE;
  return y;
}
