/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resize_corners: bilinear enlargement to twice the size, as torch.nn.functional.interpolate with align_corners = True: first and last pixels
 * stay where they are.
 *
 *   dst (y, x, c) = src (y (h - 1) / (2 h - 1), x (w - 1) / (2 w - 1), c)
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  for (int oy = 0; oy < dst->h; oy++)
    for (int ox = 0; ox < dst->w; ox++) {
      int iy, ix, jy, jx;
      float fy = vfi_corners (oy, src->h, &iy, &jy), fx = vfi_corners (ox, src->w, &ix, &jx);

      for (int c = 0; c < dst->c; c++) {
        float top = (1 - fx) * vfi_view_get (src, iy, ix, c) + fx * vfi_view_get (src, iy, jx, c);
        float bottom = (1 - fx) * vfi_view_get (src, jy, ix, c) + fx * vfi_view_get (src, jy, jx, c);

        vfi_view_set (dst, oy, ox, c, (1 - fy) * top + fy * bottom);
      }
    }
}

const VfiOp vfi_op_resize_corners = { "resize_corners", .reference = reference };

VfiTensor *
vfi_resize_corners (VfiGraph *g, VfiTensor *x)
{
  if (!vfi_graph_ready (g, "resize_corners", &x, 1))
    return vfi_graph_dummy (g);
  if (x->h > G_MAXINT / 2 || x->w > G_MAXINT / 2)
    return vfi_graph_fail (g, "resize_corners", VFI_ERROR_SHAPE, "%d x %d is too large", x->h, x->w);
  return vfi_node_result (g,
                          vfi_graph_add (g, &vfi_op_resize_corners, "resize_corners", NULL, 0, &x, 1, x->dtype, 2 * x->h, 2 * x->w, x->c));
}
