/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * crop: the first h rows and w columns: dst (y, x, c) = src (y, x, c). What enlarging an odd size that was halved makes too much.
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c, vfi_view_get (src, y, x, c));
}

const VfiOp vfi_op_crop = { "crop", .reference = reference };

VfiTensor *
vfi_crop (VfiGraph *g, VfiTensor *x, int h, int w)
{
  if (!vfi_graph_ready (g, "crop", &x, 1))
    return vfi_graph_dummy (g);
  if (h == x->h && w == x->w)
    return x;
  if (h < 1 || w < 1 || h > x->h || w > x->w)
    return vfi_graph_fail (g, "crop", VFI_ERROR_SHAPE, "%d x %d are not in %d x %d", h, w, x->h, x->w);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_crop, "crop", NULL, 0, &x, 1, x->dtype, h, w, x->c));
}
