/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * prelu: v where it is positive, else v times one learned slope. Most such activations belong to a convolution; this is for those before one.
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c, vfi_act_apply (VFI_PRELU, weights[0][0], vfi_view_get (src, y, x, c)));
}

const VfiOp vfi_op_prelu = { "prelu", .reference = reference };

VfiTensor *
vfi_prelu (VfiGraph *g, const char *name, VfiTensor *x)
{
  VfiNode *node;

  if (!vfi_graph_ready (g, name, &x, 1))
    return vfi_graph_dummy (g);
  node = vfi_graph_add (g, &vfi_op_prelu, name, NULL, 0, &x, 1, x->dtype, x->h, x->w, x->c);
  if (node)
    vfi_node_weight (node, "weight", 1, (int[]){ 1 });
  return vfi_node_result (g, node);
}
