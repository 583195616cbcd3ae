/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * curve: where things are at time t that do not move straight, by the flow of the pairs of frames before and after (Xu et al., Quadratic Video Interpolation, 2019: with one of
 * them a parabola; with both the acceleration changes evenly).
 *
 * Flows are in pixels of the state's grid, given on one GRID times as coarse; r0, r1: how long the pairs before and after last, in times of the pair between; 0: there is none.
 *
 *   u     now (p - t now (p)): what t sees of the motion
 *   b     before (p - t u - before (p - (t + r0) u)) / r0: as fast it was
 *   n     after (p + (1 - t) u) / r1: as fast it will be
 *   a0    2 (u - b) / (1 + r0),  a1 = 2 (n - u) / (1 + r1)
 *   each a times 1 / (1 + (|a| / (STEADY (sum of both speeds) / r + SMALL))^2): what is lost, or hidden, seems to turn sharply
 *   l     (t + r0) / (1 + r0 + r1): 1/3 to 2/3 where all pairs last alike, 0 to 1 (Hermite's cubic) where those around are short
 *   dst   t (1 - t) / 2 ((1 - l) a0 + l a1), or of one alone ALONE t (1 - t) / 2 a: at p is seen what would be at p + dst if all moved straight (core/frame.h: synthesize)
 */
#include "curve.h"

#include "bilinear.h"
#include "frame.h"
#include "op.h"
#include "vfi.h"

static void
flow_at (const VfiView *flow, float y, float x, float v[2])
{
  for (int c = 0; c < 2; c++)
    v[c] = vfi_view_bilinear (flow, c, y, x);
}

void
vfi_curve_rows (const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const float t = vfi_view_get (&src[3], 0, 0, 0), r0 = vfi_view_get (&src[4], 0, 0, 0), r1 = vfi_view_get (&src[4], 0, 0, 1);
  const float k = 1.f / VFI_BEND_GRID;
  float w[2];

  vfi_curve_weights (t, r0, r1, w);
  for (int y = y0; y < y1; y++)
    for (int x = 0; x < dst->w; x++) {
      float u[2], v[2], a[2][2] = { { 0 } };

      flow_at (&src[0], y, x, v);
      flow_at (&src[0], y - k * t * v[1], x - k * t * v[0], u);
      if (w[0] > 0) {
        flow_at (&src[1], y - k * (t + r0) * u[1], x - k * (t + r0) * u[0], v);
        flow_at (&src[1], y - k * (t * u[1] + v[1]), x - k * (t * u[0] + v[0]), v);
        vfi_curve_change (v[0] / r0, v[1] / r0, u[0], u[1], r0, a[0]);
      }
      if (w[1] > 0) {
        flow_at (&src[2], y + k * (1 - t) * u[1], x + k * (1 - t) * u[0], v);
        vfi_curve_change (u[0], u[1], v[0] / r1, v[1] / r1, r1, a[1]);
      }
      for (int c = 0; c < 2; c++)
        vfi_view_set (dst, y, x, c, w[0] * a[0][c] + w[1] * a[1][c]);
    }
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  vfi_curve_rows (src, dst, 0, dst->h);
}

const VfiOp vfi_op_curve = { "curve", .reference = reference };

VfiTensor *
vfi_curve (VfiGraph *g, VfiTensor *now, VfiTensor *before, VfiTensor *after, VfiTensor *time, VfiTensor *lasts)
{
  VfiTensor *src[] = { now, before, after, time, lasts };

  if (!vfi_graph_ready (g, "curve", src, 5))
    return vfi_graph_dummy (g);
  if (time->dtype != VFI_F32 || time->h != 1 || time->w != 1 || time->c != 1)
    return vfi_graph_fail (g, "curve", VFI_ERROR_SHAPE, "the time is not 1 x 1 x 1, fp32");
  if (lasts->dtype != VFI_F32 || lasts->h != 1 || lasts->w != 1 || lasts->c != 2)
    return vfi_graph_fail (g, "curve", VFI_ERROR_SHAPE, "what says how long pairs last is not 1 x 1 x 2, fp32");
  for (int i = 0; i < 3; i++)
    if (src[i]->dtype != VFI_F32 || src[i]->c != 2 || src[i]->h != now->h || src[i]->w != now->w)
      return vfi_graph_fail (g, "curve", VFI_ERROR_SHAPE, "a flow is %d x %d x %d, not %d x %d x 2, fp32", src[i]->h, src[i]->w, src[i]->c,
                             now->h, now->w);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_curve, "curve", NULL, 0, src, 5, VFI_F32, now->h, now->w, 2));
}
