/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate: the other half of a gated convolution (Yu et al., Free-Form Image Inpainting with Gated Convolution, ICCV 2019), whose one convolution
 * gives n features and then m gates, n a multiple of m. Features that are m apart share one, so that a row of gates meets a row of features.
 *
 *   dst (y, x, c) = leaky (src (y, x, c)) / (1 + exp (- src (y, x, n + c mod m))),  leaky (v) = v where v > 0, else slope v
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiGateParams *p = node->params;

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c,
                      vfi_act_apply (VFI_LEAKY_RELU, p->slope, vfi_view_get (src, y, x, c)) *
                          vfi_act_apply (VFI_SIGMOID, 0, vfi_view_get (src, y, x, dst->c + c % p->gates)));
}

const VfiOp vfi_op_gate = { "gate", .reference = reference };

VfiTensor *
vfi_gate (VfiGraph *g, VfiTensor *x, int gates, float slope)
{
  VfiGateParams p = { gates, slope };

  if (!vfi_graph_ready (g, "gate", &x, 1))
    return vfi_graph_dummy (g);
  if (gates < 1 || x->c <= gates || (x->c - gates) % gates)
    return vfi_graph_fail (g, "gate", VFI_ERROR_SHAPE, "%d channels are not %d gates and a multiple of them", x->c, gates);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_gate, "gate", &p, sizeof p, &x, 1, x->dtype, x->h, x->w, x->c - gates));
}
