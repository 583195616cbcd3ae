/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pixel_shuffle: channels become pixels, as torch.nn.PixelShuffle.
 *
 *   dst (y, x, c) = src (y / r, x / r, c r^2 + (y mod r) r + x mod r)
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  int r = ((const VfiPixelShuffleParams *) node->params)->r;

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c, vfi_view_get (src, y / r, x / r, (c * r + y % r) * r + x % r));
}

const VfiOp vfi_op_pixel_shuffle = { "pixel_shuffle", .reference = reference };

VfiTensor *
vfi_pixel_shuffle (VfiGraph *g, VfiTensor *x, int r)
{
  VfiPixelShuffleParams p = { r };

  if (!vfi_graph_ready (g, "pixel_shuffle", &x, 1))
    return vfi_graph_dummy (g);
  if (r < 1 || r > 64)
    return vfi_graph_fail (g, "pixel_shuffle", VFI_ERROR_ARG, "r %d is not in 1..64", r);
  if (x->c % (r * r))
    return vfi_graph_fail (g, "pixel_shuffle", VFI_ERROR_SHAPE, "%d channels do not make blocks of %d x %d", x->c, r, r);
  if (x->h > G_MAXINT / r || x->w > G_MAXINT / r)
    return vfi_graph_fail (g, "pixel_shuffle", VFI_ERROR_SHAPE, "%d x %d is too large", x->h, x->w);
  return vfi_node_result (
      g, vfi_graph_add (g, &vfi_op_pixel_shuffle, "pixel_shuffle", &p, sizeof p, &x, 1, x->dtype, x->h * r, x->w * r, x->c / (r * r)));
}
