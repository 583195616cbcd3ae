/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * still: where two pictures of luma stand still: letters and logos before what moves, which searches that look at wider windows give to the background.
 *
 *   g      the lesser one of both pictures' |dx| + |dy|, central differences in luma a pixel, borders replicated
 *   d      | y0 - y1 |
 *   v      (mean of g d + DARK) / (mean of g^2 + FLAT) over WINDOW pixels to each side, borders replicated: how far it moves along the gradient, in pixels, what has
 *          much of it counting most
 *   e      | y0 (p) - y1 (p + flow (p)) |, bilinear, clamped to the border, times how much that is inside (vfi_inside)
 *   b      BETTER (1 - (mean of d + DIM) / (mean of e + DIM)), over the same window: what moves along its own edges, text that scrolls, looks still as well; but then the flow
 *          explains it no worse
 *   dst    (MOVING - v) / (MOVING - STILL) times b, each clamped to 0..1, or what is known to lie over the picture (overlay), if that is more: 1 is still
 */
#include "still.h"

#include <math.h>

#include "bilinear.h"
#include "op.h"
#include "sample.h"
#include "vfi.h"

static float
at (const VfiView *v, int y, int x)
{
  return vfi_view_get (v, CLAMP (y, 0, v->h - 1), CLAMP (x, 0, v->w - 1), 0);
}

static float
gradient (const VfiView *v, int y, int x)
{
  return (fabsf (at (v, y, x + 1) - at (v, y, x - 1)) + fabsf (at (v, y + 1, x) - at (v, y - 1, x))) / 2;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const int r = VFI_STILL_WINDOW, n = (2 * r + 1) * (2 * r + 1);
  const gsize pixels = (gsize) dst->h * dst->w;
  float *g = g_new (float, pixels), *d = g_new (float, pixels), *e = g_new (float, pixels);

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      const float py = y + vfi_view_get (&src[2], y, x, 1), px = x + vfi_view_get (&src[2], y, x, 0);

      g[y * dst->w + x] = fminf (gradient (&src[0], y, x), gradient (&src[1], y, x));
      d[y * dst->w + x] = fabsf (at (&src[0], y, x) - at (&src[1], y, x));
      e[y * dst->w + x] = vfi_inside (py, px, dst->h, dst->w) * fabsf (at (&src[0], y, x) - vfi_view_bilinear (&src[1], 0, py, px));
    }
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      double gd = 0, gg = 0, dd = 0, ee = 0;
      float v, b;

      for (int i = y - r; i <= y + r; i++)
        for (int k = x - r; k <= x + r; k++) {
          const int p = CLAMP (i, 0, dst->h - 1) * dst->w + CLAMP (k, 0, dst->w - 1);

          gd += (double) g[p] * d[p];
          gg += (double) g[p] * g[p];
          dd += d[p];
          ee += e[p];
        }
      v = (float) ((gd / n + VFI_STILL_DARK) / (gg / n + VFI_STILL_FLAT));
      b = (float) (VFI_STILL_BETTER * (1 - (dd / n + VFI_STILL_DIM) / (ee / n + VFI_STILL_DIM)));
      vfi_view_set (
          dst, y, x, 0,
          fmaxf (CLAMP ((VFI_STILL_MOVING - v) / (VFI_STILL_MOVING - VFI_STILL), 0, 1) * CLAMP (b, 0, 1), vfi_view_get (&src[3], y, x, 0)));
    }
  g_free (g);
  g_free (d);
  g_free (e);
}

const VfiOp vfi_op_still = { "still", .planar = 1 << 2 | 1 << 3, .reference = reference };

VfiTensor *
vfi_still (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *flow, VfiTensor *overlay)
{
  VfiTensor *src[] = { y0, y1, flow, overlay };

  if (!vfi_graph_ready (g, "still", src, 4))
    return vfi_graph_dummy (g);
  if (y0->c != 1 || y1->c != 1 || y1->h != y0->h || y1->w != y0->w || y0->dtype != VFI_F32 || y1->dtype != VFI_F32)
    return vfi_graph_fail (g, "still", VFI_ERROR_SHAPE, "the pictures are %d x %d x %d and %d x %d x %d, not equal, 1 channel, fp32", y0->h,
                           y0->w, y0->c, y1->h, y1->w, y1->c);
  if (flow->dtype != VFI_F32 || flow->h != y0->h || flow->w != y0->w || flow->c != 2)
    return vfi_graph_fail (g, "still", VFI_ERROR_SHAPE, "the flow is %d x %d x %d, not %d x %d x 2, fp32", flow->h, flow->w, flow->c, y0->h,
                           y0->w);
  if (overlay->dtype != VFI_F32 || overlay->h != y0->h || overlay->w != y0->w || overlay->c != 1)
    return vfi_graph_fail (g, "still", VFI_ERROR_SHAPE, "the overlay is %d x %d x %d, not %d x %d x 1, fp32", overlay->h, overlay->w,
                           overlay->c, y0->h, y0->w);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_still, "still", NULL, 0, src, 4, VFI_F32, y0->h, y0->w, 1));
}
