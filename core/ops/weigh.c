/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * weigh: a state, and a second opinion on motion with what it weighs.
 *
 *   first     the velocities v0, v1 of a state, seen from time t
 *   second    flow (p - t flow (p)): a flow from the first picture to the second, as time t sees it; both velocities are that
 *   e (v)     | y0 (p - t v0) - y1 (p + (1 - t) v1) |, times how much both places are inside (vfi_inside)    all of these bilinear, clamped to the border
 *   a, b      means of e (first) and e (second) in even rows over WINDOW pixels to each side, borders replicated
 *   q         1/2 + SLOPE (a - b) / (a + b + DARK), clamped to 0..1; the next row has the same
 *   m         q k, k = 2 - 2 d / NEAR clamped to 0..1, d the greatest difference of a component of first and second: near each other they become one
 *   dst       v0x v0y v1x v1y: (first + m (second - first)) (1 - still); logit; q - m; second x, y, times (1 - still)
 */
#include "weigh.h"

#include <math.h>

#include "area.h"
#include "bilinear.h"
#include "op.h"
#include "sample.h"
#include "vfi.h"

/* Over some of h x w samples. */
static float
mean (const float *v, int h, int w, int y, int x)
{
  const int r = VFI_WEIGH_WINDOW / 2, c = VFI_WEIGH_WINDOW;
  double sum = 0;

  for (int i = y - r; i <= y + r; i++)
    for (int k = x - c; k <= x + c; k++)
      sum += v[(gsize) CLAMP (i, 0, h - 1) * w + CLAMP (k, 0, w - 1)];
  return (float) (sum / ((2 * r + 1) * (2 * c + 1)));
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiView *y0 = &src[0], *y1 = &src[1], *state = &src[3], *flow = &src[4];
  const float t = vfi_view_get (&src[2], 0, 0, 0);
  const int h = (dst->h + 1) / 2, w = dst->w;
  const float *part = vfi_part (node->n_src > 6 ? src[6].data : NULL);
  float *e[2] = { g_new (float, (gsize) h *w), g_new (float, (gsize) h *w) };

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      const float u = vfi_view_get (flow, y, x, 0), v = vfi_view_get (flow, y, x, 1);

      for (int c = 0; c < 5; c++)
        vfi_view_set (dst, y, x, c, vfi_view_get (state, y, x, c));
      for (int c = 0; c < 2; c++)
        vfi_view_set (dst, y, x, 6 + c, vfi_view_bilinear (flow, c, y - t * v, x - t * u));
      for (int k = 0; k < 2 && y % 2 == 0; k++) {
        const float v0x = vfi_view_get (dst, y, x, k ? 6 : 0), v0y = vfi_view_get (dst, y, x, k ? 7 : 1);
        const float v1x = vfi_view_get (dst, y, x, k ? 6 : 2), v1y = vfi_view_get (dst, y, x, k ? 7 : 3);

        e[k][(gsize) y / 2 * w + x] =
            vfi_inside_part (y - t * v0y, x - t * v0x, part, y0->h, y0->w) *
            vfi_inside_part (y + (1 - t) * v1y, x + (1 - t) * v1x, part, y1->h, y1->w) *
            fabsf (vfi_view_bilinear (y0, 0, y - t * v0y, x - t * v0x) - vfi_view_bilinear (y1, 0, y + (1 - t) * v1y, x + (1 - t) * v1x));
      }
    }
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      const float a = mean (e[0], h, w, y / 2, x), b = mean (e[1], h, w, y / 2, x);
      const float q = CLAMP (0.5f + VFI_WEIGH_SLOPE * (a - b) / (a + b + VFI_WEIGH_DARK), 0, 1);
      const float moves = 1 - vfi_view_get (&src[5], y, x, 0);
      float further[4], d = 0, m;

      for (int c = 0; c < 4; c++) {
        further[c] = vfi_view_get (dst, y, x, 6 + c % 2) - vfi_view_get (state, y, x, c);
        d = fmaxf (d, fabsf (further[c]));
      }
      m = q * CLAMP (2 - 2 / VFI_WEIGH_NEAR * d, 0, 1);
      for (int c = 0; c < 4; c++)
        vfi_view_set (dst, y, x, c, moves * (vfi_view_get (state, y, x, c) + m * further[c]));
      vfi_view_set (dst, y, x, 5, q - m);
      for (int c = 6; c < 8; c++)
        vfi_view_set (dst, y, x, c, moves * vfi_view_get (dst, y, x, c));
    }
  g_free (e[0]);
  g_free (e[1]);
}

const VfiOp vfi_op_weigh = { "weigh", .planar = 1 << 3 | 1 << 4, .reference = reference };

VfiTensor *
vfi_weigh (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *time, VfiTensor *state, VfiTensor *flow, VfiTensor *still,
           VfiTensor *within)
{
  VfiTensor *src[] = { y0, y1, time, state, flow, still, within }, *y;
  const int n = within ? 7 : 6;

  if (!vfi_graph_ready (g, "weigh", src, n))
    return vfi_graph_dummy (g);
  if (y0->c != 1 || y1->c != 1 || y1->h != y0->h || y1->w != y0->w || y0->dtype != VFI_F32 || y1->dtype != VFI_F32)
    return vfi_graph_fail (g, "weigh", VFI_ERROR_SHAPE, "the pictures are %d x %d x %d and %d x %d x %d, not equal, 1 channel, fp32", y0->h,
                           y0->w, y0->c, y1->h, y1->w, y1->c);
  if (time->dtype != VFI_F32 || time->h != 1 || time->w != 1 || time->c != 1)
    return vfi_graph_fail (g, "weigh", VFI_ERROR_SHAPE, "the time is not 1 x 1 x 1, fp32");
  if (state->dtype != VFI_F32 || state->h != y0->h || state->w != y0->w || state->c != 5)
    return vfi_graph_fail (g, "weigh", VFI_ERROR_SHAPE, "the state is %d x %d x %d, not %d x %d x 5, fp32", state->h, state->w, state->c,
                           y0->h, y0->w);
  if (flow->dtype != VFI_F32 || flow->h != y0->h || flow->w != y0->w || flow->c != 2)
    return vfi_graph_fail (g, "weigh", VFI_ERROR_SHAPE, "the flow is %d x %d x %d, not %d x %d x 2, fp32", flow->h, flow->w, flow->c, y0->h,
                           y0->w);
  if (still->dtype != VFI_F32 || still->h != y0->h || still->w != y0->w || still->c != 1)
    return vfi_graph_fail (g, "weigh", VFI_ERROR_SHAPE, "what is still is %d x %d x %d, not %d x %d x 1, fp32", still->h, still->w,
                           still->c, y0->h, y0->w);
  if (within && !vfi_tensor_is_within (within))
    return vfi_graph_fail (g, "weigh", VFI_ERROR_SHAPE, "what is within is not 1 x 1 x 4, fp32");
  y = vfi_node_result (g, vfi_graph_add (g, &vfi_op_weigh, "weigh", NULL, 0, src, n, VFI_F32, y0->h, y0->w, 8));
  y->planar = TRUE;
  return y;
}
