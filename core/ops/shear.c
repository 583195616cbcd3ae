/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * shear: a cost volume of op correlation, seen from time t. With channel d = (dx, dy) in [-r, r]^2 as there,
 *
 *   dst (p, d) = cost (p + (1 - 2 t) d, d), bilinear, 0 outside the picture (each neighbour by itself).
 */
#include <math.h>

#include "op.h"
#include "vfi.h"

static float
get_or_zero (const VfiView *v, int y, int x, int c)
{
  return y >= 0 && y < v->h && x >= 0 && x < v->w ? vfi_view_get (v, y, x, c) : 0;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiCorrelationParams *p = node->params;
  const VfiView *cost = &src[0];
  float s = 1 - 2 * vfi_view_get (&src[1], 0, 0, 0);
  int c = 0;

  for (int dy = -p->radius; dy <= p->radius; dy++)
    for (int dx = -p->radius; dx <= p->radius; dx++, c++) {
      /* One displacement for the whole channel. */
      int ix = (int) floorf (s * dx), iy = (int) floorf (s * dy);
      float fx = s * dx - ix, fy = s * dy - iy;

      for (int y = 0; y < dst->h; y++)
        for (int x = 0; x < dst->w; x++) {
          float top = (1 - fx) * get_or_zero (cost, y + iy, x + ix, c) + fx * get_or_zero (cost, y + iy, x + ix + 1, c);
          float bottom = (1 - fx) * get_or_zero (cost, y + iy + 1, x + ix, c) + fx * get_or_zero (cost, y + iy + 1, x + ix + 1, c);

          vfi_view_set (dst, y, x, c, (1 - fy) * top + fy * bottom);
        }
    }
}

const VfiOp vfi_op_shear = { "shear", .reference = reference };

VfiTensor *
vfi_shear (VfiGraph *g, VfiTensor *cost, VfiTensor *time)
{
  VfiCorrelationParams p = { 0 };
  VfiTensor *src[] = { cost, time };

  if (!vfi_graph_ready (g, "shear", src, 2))
    return vfi_graph_dummy (g);
  while ((2 * p.radius + 1) * (2 * p.radius + 1) < cost->c && p.radius < 64)
    p.radius++;
  if ((2 * p.radius + 1) * (2 * p.radius + 1) != cost->c)
    return vfi_graph_fail (g, "shear", VFI_ERROR_SHAPE, "%d channels are no cost volume: not (2 r + 1)^2", cost->c);
  if (time->dtype != VFI_F32 || time->h != 1 || time->w != 1 || time->c != 1)
    return vfi_graph_fail (g, "shear", VFI_ERROR_SHAPE, "the time is not 1 x 1 x 1, fp32");
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_shear, "shear", &p, sizeof p, src, 2, cost->dtype, cost->h, cost->w, cost->c));
}
