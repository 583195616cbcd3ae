/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warp_zeros: backward warping, as torch.nn.functional.grid_sample with bilinear mode, zero padding and align_corners = True.
 *
 *   dst (p, c) = src (k (p + gain flow (p)), c), bilinear, 0 outside
 *
 * k = (n - 1) / n in a direction of n pixels with `shrink`, else 1. Coordinates are fp32 whatever the features are.
 */
#include <math.h>

#include "op.h"
#include "vfi.h"

static float
get (const VfiView *x, int iy, int ix, int c)
{
  return iy < 0 || iy >= x->h || ix < 0 || ix >= x->w ? 0 : vfi_view_get (x, iy, ix, c);
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiWarpZerosParams *p = node->params;
  const VfiView *x = &src[0], *flow = &src[1];
  float kx = p->shrink ? (x->w - 1) / (float) x->w : 1, ky = p->shrink ? (x->h - 1) / (float) x->h : 1;

  for (int oy = 0; oy < dst->h; oy++)
    for (int ox = 0; ox < dst->w; ox++) {
      float sx = fminf (fmaxf ((ox + vfi_view_get (flow, oy, ox, 0)) * kx, -1), x->w);
      float sy = fminf (fmaxf ((oy + vfi_view_get (flow, oy, ox, 1)) * ky, -1), x->h);
      int ix = (int) floorf (sx), iy = (int) floorf (sy);
      float fx = sx - ix, fy = sy - iy;

      for (int c = 0; c < dst->c; c++) {
        float top = (1 - fx) * get (x, iy, ix, c) + fx * get (x, iy, ix + 1, c);
        float bottom = (1 - fx) * get (x, iy + 1, ix, c) + fx * get (x, iy + 1, ix + 1, c);

        vfi_view_set (dst, oy, ox, c, (1 - fy) * top + fy * bottom);
      }
    }
}

const VfiOp vfi_op_warp_zeros = { "warp_zeros", .reference = reference };

VfiTensor *
vfi_warp_zeros (VfiGraph *g, VfiTensor *x, VfiTensor *flow, gboolean shrink)
{
  VfiTensor *src[] = { x, flow };

  if (!vfi_graph_ready (g, "warp_zeros", src, 2))
    return vfi_graph_dummy (g);
  if (flow->dtype != VFI_F32 || flow->h != x->h || flow->w != x->w || flow->c != 2)
    return vfi_graph_fail (g, "warp_zeros", VFI_ERROR_SHAPE, "the flow is %d x %d x %d, %s, not %d x %d x 2, fp32", flow->h, flow->w,
                           flow->c, vfi_dtype_name (flow->dtype), x->h, x->w);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_warp_zeros, "warp_zeros", &(VfiWarpZerosParams){ shrink },
                                            sizeof (VfiWarpZerosParams), src, 2, x->dtype, x->h, x->w, x->c));
}
