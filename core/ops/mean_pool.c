/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mean_pool: the picture itself on a coarser grid, for what needs brightness rather than features.
 *
 *   dst (y, x) = mean over c, i < k, j < k of src (k y + i, k x + j, c),   fp32
 *
 * Rows and columns that fill no whole k x k block are left out, as in torch.nn.functional.avg_pool2d.
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiMeanPoolParams *p = node->params;
  int k = p->k;

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      float sum = 0;

      for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
          for (int c = 0; c < src->c; c++)
            sum += vfi_view_get (src, y * k + i, x * k + j, c);
      vfi_view_set (dst, y, x, 0, sum / (k * k * src->c));
    }
}

const VfiOp vfi_op_mean_pool = { "mean_pool", .reference = reference };

VfiTensor *
vfi_mean_pool (VfiGraph *g, VfiTensor *x, int k)
{
  VfiMeanPoolParams p = { k };

  if (!vfi_graph_ready (g, "mean_pool", &x, 1))
    return vfi_graph_dummy (g);
  if (k < 1 || k > MIN (x->h, x->w))
    return vfi_graph_fail (g, "mean_pool", VFI_ERROR_ARG, "k = %d is not in 1..%d", k, MIN (x->h, x->w));
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_mean_pool, "mean_pool", &p, sizeof p, &x, 1, VFI_F32, x->h / k, x->w / k, 1));
}
