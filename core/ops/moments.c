/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * moments: the mean of all numbers of a tensor, and that of their squares; two of them tell what two pictures have together.
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  double sum = 0, squares = 0, n = (double) src->h * src->w * src->c;

  for (int y = 0; y < src->h; y++)
    for (int x = 0; x < src->w; x++)
      for (int c = 0; c < src->c; c++) {
        double v = vfi_view_get (src, y, x, c);

        sum += v;
        squares += v * v;
      }
  vfi_view_set (dst, 0, 0, 0, (float) (sum / n));
  vfi_view_set (dst, 0, 0, 1, (float) (squares / n));
}

const VfiOp vfi_op_moments = { "moments", .reference = reference };

VfiTensor *
vfi_moments (VfiGraph *g, VfiTensor *x)
{
  if (!vfi_graph_ready (g, "moments", &x, 1))
    return vfi_graph_dummy (g);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_moments, "moments", NULL, 0, &x, 1, VFI_F32, 1, 1, 2));
}
