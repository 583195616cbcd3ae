/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warp: backward warping, as torch.nn.functional.grid_sample with bilinear mode and border padding.
 *
 *   dst (p, c) = src (clamp (p + gain flow (p)), c), bilinear,
 *
 * gain = 1, or with time t: -t for side 0, 1 - t for side 1. Coordinates are fp32 whatever the features are.
 */
#include <math.h>

#include "op.h"
#include "vfi.h"

/* Splits a coordinate, clamped to [0, n - 1] (NaN goes to 0), into its lower neighbour and the weight of the upper one. */
static void
split (float v, int n, int *i, float *f)
{
  v = fminf (fmaxf (v, 0), n - 1);
  *i = MIN ((int) v, MAX (n - 2, 0));
  *f = v - *i;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiWarpParams *p = node->params;
  const VfiView *x = &src[0], *flow = &src[1];
  float t = p->timed ? vfi_view_get (&src[2], 0, 0, 0) : 0;
  float gain = !p->timed ? 1 : p->side ? 1 - t : -t;

  for (int oy = 0; oy < dst->h; oy++)
    for (int ox = 0; ox < dst->w; ox++) {
      int ix, iy, jx, jy;
      float fx, fy;

      split (ox + gain * vfi_view_get (flow, oy, ox, 0), x->w, &ix, &fx);
      split (oy + gain * vfi_view_get (flow, oy, ox, 1), x->h, &iy, &fy);
      jx = MIN (ix + 1, x->w - 1);
      jy = MIN (iy + 1, x->h - 1);
      for (int c = 0; c < dst->c; c++) {
        float top = (1 - fx) * vfi_view_get (x, iy, ix, c) + fx * vfi_view_get (x, iy, jx, c);
        float bottom = (1 - fx) * vfi_view_get (x, jy, ix, c) + fx * vfi_view_get (x, jy, jx, c);

        vfi_view_set (dst, oy, ox, c, (1 - fy) * top + fy * bottom);
      }
    }
}

static int
reach (const VfiNode *node, int i)
{
  return i == 1 ? 0 : VFI_ALL_ROWS;
}

const VfiOp vfi_op_warp = { "warp", .planar = 1 << 1, .reference = reference, .reach = reach };

VfiTensor *
vfi_warp_ (VfiGraph *g, VfiTensor *x, VfiTensor *flow, const VfiWarp *o)
{
  VfiWarpParams p = { .timed = o->time != NULL, .side = o->side };
  VfiTensor *src[] = { x, flow, o->time };
  int n = p.timed ? 3 : 2;

  if (!vfi_graph_ready (g, "warp", src, n))
    return vfi_graph_dummy (g);
  if (flow->dtype != VFI_F32 || flow->h != x->h || flow->w != x->w || flow->c != 2)
    return vfi_graph_fail (g, "warp", VFI_ERROR_SHAPE, "the flow is %d x %d x %d, %s, not %d x %d x 2, fp32", flow->h, flow->w, flow->c,
                           vfi_dtype_name (flow->dtype), x->h, x->w);
  if (p.timed && (o->time->dtype != VFI_F32 || o->time->h != 1 || o->time->w != 1 || o->time->c != 1))
    return vfi_graph_fail (g, "warp", VFI_ERROR_SHAPE, "the time is not 1 x 1 x 1, fp32");
  if (p.side != 0 && p.side != 1)
    return vfi_graph_fail (g, "warp", VFI_ERROR_ARG, "side %d is neither 0 nor 1", p.side);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_warp, "warp", &p, sizeof p, src, n, x->dtype, x->h, x->w, x->c));
}
