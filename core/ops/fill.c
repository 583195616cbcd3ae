/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fill: one number for all pixels: how a network is told the time.
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  float v = vfi_view_get (src, 0, 0, 0);

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      vfi_view_set (dst, y, x, 0, v);
}

const VfiOp vfi_op_fill = { "fill", .reference = reference };

VfiTensor *
vfi_fill (VfiGraph *g, VfiTensor *value, int h, int w)
{
  if (!vfi_graph_ready (g, "fill", &value, 1))
    return vfi_graph_dummy (g);
  if (value->dtype != VFI_F32 || value->h != 1 || value->w != 1 || value->c != 1)
    return vfi_graph_fail (g, "fill", VFI_ERROR_SHAPE, "the value is not 1 x 1 x 1, fp32");
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_fill, "fill", NULL, 0, &value, 1, VFI_FEATURE, h, w, 1));
}
