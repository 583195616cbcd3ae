/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * divide: all channels but the last by the last, where that is not next to nothing.
 *
 *   dst (y, x, c) = src (y, x, c) / (|n| < 0.01 ? 1 : n),  n = src (y, x, C)
 */
#include <math.h>

#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      float n = vfi_view_get (src, y, x, dst->c);

      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c, vfi_view_get (src, y, x, c) / (fabsf (n) < 0.01f ? 1 : n));
    }
}

const VfiOp vfi_op_divide = { "divide", .reference = reference };

VfiTensor *
vfi_divide (VfiGraph *g, VfiTensor *x)
{
  if (!vfi_graph_ready (g, "divide", &x, 1))
    return vfi_graph_dummy (g);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_divide, "divide", NULL, 0, &x, 1, x->dtype, x->h, x->w, x->c - 1));
}
