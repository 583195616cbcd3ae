/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * weighted_median: the flow v1 of a state becomes the median of what flow there is round it, of what looks alike and can be trusted (Sun, Roth and Black, Secrets of
 * Optical Flow Estimation, CVPR 2010, who take it for each component; this one is of both together: Weiszfeld's iteration).
 *
 *   places    p + STEP (i, j), i and j from -RADIUS to RADIUS, clamped to the border
 *   w (q)     exp (- (| y (q) - y (p) |^2 + CHROMA^2 | c (q) - c (p) |^2) / (2 ALIKE^2)) (1 / (1 + | apart (q) |^2) + DOUBT)
 *   u         the mean of v1 (q) weighted by w (q); then ROUNDS times that weighted by w (q) / sqrt (| v1 (q) - u |^2 + NEAR^2)
 *   k         1 / (1 + exp (- logit))^2 / (1 + KEPT | apart |^2), of p itself: what is sure stays, as a median takes the slopes from what is smooth
 *   dst       v0, u + k (v1 - u), logit
 */
#include "weighted_median.h"

#include <math.h>

#include "op.h"
#include "vfi.h"

#define PLACES VFI_MEDIAN_PLACES
#define SIDE (2 * VFI_MEDIAN_RADIUS + 1)

static double
square (double v)
{
  return v * v;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiView *state = &src[0], *apart = &src[1], *luma = &src[2], *chroma = &src[3];

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      const double open = 1 + exp (-vfi_view_get (state, y, x, 4));
      const double k =
          1 / (open * open * (1 + VFI_MEDIAN_KEPT * (square (vfi_view_get (apart, y, x, 0)) + square (vfi_view_get (apart, y, x, 1)))));
      double w[PLACES], v[PLACES][2], u[2] = { 0, 0 };

      for (int i = 0; i < PLACES; i++) {
        const int qy = CLAMP (y + (i / SIDE - VFI_MEDIAN_RADIUS) * VFI_MEDIAN_STEP, 0, dst->h - 1);
        const int qx = CLAMP (x + (i % SIDE - VFI_MEDIAN_RADIUS) * VFI_MEDIAN_STEP, 0, dst->w - 1);
        double differ = square (vfi_view_get (luma, qy, qx, 0) - vfi_view_get (luma, y, x, 0)), far = 0;

        for (int c = 0; c < 2; c++) {
          differ += square (VFI_MEDIAN_CHROMA * (vfi_view_get (chroma, qy, qx, c) - vfi_view_get (chroma, y, x, c)));
          far += square (vfi_view_get (apart, qy, qx, c));
          v[i][c] = vfi_view_get (state, qy, qx, 2 + c);
        }
        w[i] = exp (differ / (-2 * VFI_MEDIAN_ALIKE * VFI_MEDIAN_ALIKE)) * (1 / (1 + far) + VFI_MEDIAN_DOUBT);
      }
      for (int n = 0; n <= VFI_MEDIAN_ROUNDS; n++) {
        double sum = 0, s[2] = { 0, 0 };

        for (int i = 0; i < PLACES; i++) {
          const double r = n ? sqrt (square (v[i][0] - u[0]) + square (v[i][1] - u[1]) + VFI_MEDIAN_NEAR * VFI_MEDIAN_NEAR) : 1;

          sum += w[i] / r;
          for (int c = 0; c < 2; c++)
            s[c] += w[i] / r * v[i][c];
        }
        for (int c = 0; c < 2; c++)
          u[c] = s[c] / sum;
      }
      for (int c = 0; c < 5; c++) {
        const float old = vfi_view_get (state, y, x, c);

        vfi_view_set (dst, y, x, c, c == 2 || c == 3 ? (float) (u[c - 2] + k * (old - u[c - 2])) : old);
      }
    }
}

static int
reach (const VfiNode *node, int i)
{
  return VFI_MEDIAN_RADIUS * VFI_MEDIAN_STEP;
}

static double
flop (const VfiNode *node)
{
  return (double) node->dst->h * node->dst->w * PLACES * (30 + 12 * VFI_MEDIAN_ROUNDS);
}

const VfiOp vfi_op_weighted_median = { "weighted_median", .planar = 1, .reference = reference, .reach = reach, .flop = flop };

VfiTensor *
vfi_weighted_median (VfiGraph *g, VfiTensor *state, VfiTensor *apart, VfiTensor *luma, VfiTensor *chroma)
{
  VfiTensor *src[] = { state, apart, luma, chroma }, *y;
  static const int channels[] = { 5, 2, 1, 2 };

  if (!vfi_graph_ready (g, "weighted_median", src, 4))
    return vfi_graph_dummy (g);
  for (int i = 0; i < 4; i++)
    if (src[i]->dtype != VFI_F32 || src[i]->h != state->h || src[i]->w != state->w || src[i]->c != channels[i])
      return vfi_graph_fail (g, "weighted_median", VFI_ERROR_SHAPE, "source %d is %d x %d x %d, not %d x %d x %d, fp32", i, src[i]->h,
                             src[i]->w, src[i]->c, state->h, state->w, channels[i]);
  y = vfi_node_result (g, vfi_graph_add (g, &vfi_op_weighted_median, "weighted_median", NULL, 0, src, 4, VFI_F32, state->h, state->w, 5));
  y->planar = TRUE;
  return y;
}
