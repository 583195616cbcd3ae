/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * interleave: puts the four phases of a transposed convolution (kernel 4, stride 2, padding 1) together, or of a convolution (kernel 3, padding 1) of
 * what is twice as large by repeating pixels.
 *
 *   dst (2 y + i, 2 x + j, c) = src (y + i, x + j, (2 i + j) C + c),  i, j in 0, 1
 *
 * A result pixel of phase (i, j) depends on 2 x 2 source pixels only, so all phases are one 2 x 2 convolution with padding 1 to 4 C channels
 * (conv2d.c: fold_transposed, fold_nearest): no tap is wasted on the zeros that a transposed convolution is defined by, or on the same pixel again.
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c, vfi_view_get (src, (y + 1) / 2, (x + 1) / 2, (2 * (y % 2) + x % 2) * dst->c + c));
}

const VfiOp vfi_op_interleave = { "interleave", .reference = reference };

VfiTensor *
vfi_interleave (VfiGraph *g, VfiTensor *x)
{
  if (!vfi_graph_ready (g, "interleave", &x, 1))
    return vfi_graph_dummy (g);
  if (x->h < 2 || x->w < 2 || x->c % 4 || x->h > G_MAXINT / 2 || x->w > G_MAXINT / 2)
    return vfi_graph_fail (g, "interleave", VFI_ERROR_SHAPE, "%d x %d x %d is not (h + 1) x (w + 1) x 4 c", x->h, x->w, x->c);
  return vfi_node_result (
      g, vfi_graph_add (g, &vfi_op_interleave, "interleave", NULL, 0, &x, 1, x->dtype, 2 * (x->h - 1), 2 * (x->w - 1), x->c / 4));
}
