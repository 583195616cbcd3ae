/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * opinions: a state, and n further opinions on motion with what they weigh, by the evidence for each.
 *
 *   state     v0x v0y v1x v1y logit, the first opinion
 *   evidence  n + 1 logits (core/ops/evidence.c), the first one the state's
 *   flows     x and y of the n further ones
 *   dst       the state, its logit times `trust`; then of each further opinion its part of the softmax of the evidence, x, y
 */
#include <math.h>

#include "frame.h"
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiView *state = &src[0], *evidence = &src[1], *flows = &src[2];
  const float trust = ((const VfiOpinions *) node->params)->trust;
  const int n = evidence->c;

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      float z[VFI_MAX_OPINIONS], most = -INFINITY, sum = 0;

      for (int k = 0; k < n; k++) {
        z[k] = vfi_view_get (evidence, y, x, k);
        most = fmaxf (most, z[k]);
      }
      for (int k = 0; k < n; k++)
        sum += z[k] = expf (z[k] - most);
      for (int c = 0; c < 5; c++)
        vfi_view_set (dst, y, x, c, (c < 4 ? 1 : trust) * vfi_view_get (state, y, x, c));
      for (int k = 1; k < n; k++) {
        vfi_view_set (dst, y, x, 3 * k + 2, z[k] / sum);
        for (int c = 0; c < 2; c++)
          vfi_view_set (dst, y, x, 3 * k + 3 + c, vfi_view_get (flows, y, x, 2 * k - 2 + c));
      }
    }
}

const VfiOp vfi_op_opinions = { "opinions", .planar = 1, .reference = reference };

VfiTensor *
vfi_opinions_ (VfiGraph *g, VfiTensor *state, VfiTensor *evidence, VfiTensor *flows, const VfiOpinions *o)
{
  VfiTensor *src[] = { state, evidence, flows }, *y;
  const int n = evidence->c;

  if (!vfi_graph_ready (g, "opinions", src, 3))
    return vfi_graph_dummy (g);
  for (int i = 0; i < 3; i++)
    if (src[i]->dtype != VFI_F32 || src[i]->h != state->h || src[i]->w != state->w)
      return vfi_graph_fail (g, "opinions", VFI_ERROR_SHAPE, "source %d is %d x %d, not %d x %d, fp32", i, src[i]->h, src[i]->w, state->h,
                             state->w);
  if (state->c != 5 || n < 2 || n > VFI_MAX_OPINIONS || flows->c != 2 * n - 2)
    return vfi_graph_fail (g, "opinions", VFI_ERROR_SHAPE,
                           "the state has %d channels, the evidence %d, the flows %d, not 5, n and 2 n - 2, n from 2 to %d", state->c, n,
                           flows->c, VFI_MAX_OPINIONS);
  y = vfi_node_result (g, vfi_graph_add (g, &vfi_op_opinions, "opinions", o, sizeof *o, src, 3, VFI_F32, state->h, state->w, 3 * n + 2));
  y->planar = TRUE;
  return y;
}
