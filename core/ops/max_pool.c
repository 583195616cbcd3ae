/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * max_pool: the largest of 2 x 2 pixels, as torch.nn.MaxPool2d (2): what is left of odd sizes is dropped.
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++) {
        float a = vfi_view_get (src, 2 * y, 2 * x, c), b = vfi_view_get (src, 2 * y, 2 * x + 1, c);
        float d = vfi_view_get (src, 2 * y + 1, 2 * x, c), e = vfi_view_get (src, 2 * y + 1, 2 * x + 1, c);

        vfi_view_set (dst, y, x, c, MAX (MAX (a, b), MAX (d, e)));
      }
}

const VfiOp vfi_op_max_pool = { "max_pool", .reference = reference };

VfiTensor *
vfi_max_pool (VfiGraph *g, VfiTensor *x)
{
  if (!vfi_graph_ready (g, "max_pool", &x, 1))
    return vfi_graph_dummy (g);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_max_pool, "max_pool", NULL, 0, &x, 1, x->dtype, x->h / 2, x->w / 2, x->c));
}
