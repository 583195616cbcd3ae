/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resize: bilinear enlargement by an integer s, as torch.nn.functional.interpolate with align_corners = False, times a gain per
 * channel, plus a pixel-shuffled detail: the step from one level of a coarse-to-fine estimate to the next.
 *
 *   dst (y, x, c) = gain (c) src (clamp ((y + 1/2) / s - 1/2), clamp ((x + 1/2) / s - 1/2), c)
 *                   + detail (y / s, x / s, c s^2 + (y mod s) s + x mod s)
 */
#include <math.h>

#include "op.h"
#include "vfi.h"

static void
split (int i, int scale, int n, int *lower, int *upper, float *f)
{
  float v = fminf (fmaxf ((i + 0.5f) / scale - 0.5f, 0), n - 1);

  *lower = (int) v;
  *upper = MIN (*lower + 1, n - 1);
  *f = v - *lower;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiResizeParams *p = node->params;
  const VfiView *x = &src[0];
  int s = p->scale;

  for (int oy = 0; oy < dst->h; oy++)
    for (int ox = 0; ox < dst->w; ox++) {
      int ix, iy, jx, jy;
      float fx, fy;

      split (oy, s, x->h, &iy, &jy, &fy);
      split (ox, s, x->w, &ix, &jx, &fx);
      for (int c = 0; c < dst->c; c++) {
        float top = (1 - fx) * vfi_view_get (x, iy, ix, c) + fx * vfi_view_get (x, iy, jx, c);
        float bottom = (1 - fx) * vfi_view_get (x, jy, ix, c) + fx * vfi_view_get (x, jy, jx, c);
        float v = p->gain[c] * ((1 - fy) * top + fy * bottom);

        if (p->detail)
          v += vfi_view_get (&src[1], oy / s, ox / s, (c * s + oy % s) * s + ox % s);
        vfi_view_set (dst, oy, ox, c, v);
      }
    }
}

const VfiOp vfi_op_resize = { "resize", .planar = 1, .reference = reference };

VfiTensor *
vfi_resize_ (VfiGraph *g, VfiTensor *x, const VfiResize *o)
{
  VfiTensor *src[] = { x, o->detail }, *y;
  int n = o->detail ? 2 : 1, s = o->scale ? o->scale : 2;
  gsize size;
  VfiResizeParams *p;

  if (!vfi_graph_ready (g, "resize", src, n))
    return vfi_graph_dummy (g);
  if (s < 1 || s > 64)
    return vfi_graph_fail (g, "resize", VFI_ERROR_ARG, "scale %d is not in 1..64", s);
  if (o->detail && (o->detail->h != x->h || o->detail->w != x->w || o->detail->c != (gint64) x->c * s * s))
    return vfi_graph_fail (g, "resize", VFI_ERROR_SHAPE, "the detail is %d x %d x %d, not %d x %d x %" G_GINT64_FORMAT, o->detail->h,
                           o->detail->w, o->detail->c, x->h, x->w, (gint64) x->c * s * s);
  if (x->h > G_MAXINT / s || x->w > G_MAXINT / s)
    return vfi_graph_fail (g, "resize", VFI_ERROR_SHAPE, "%d x %d is too large", x->h, x->w);
  size = sizeof *p + x->c * sizeof (float);
  p = g_malloc (size);
  p->scale = s;
  p->detail = o->detail != NULL;
  for (int c = 0; c < x->c; c++)
    p->gain[c] = o->gain ? o->gain[c] : 1;
  y = vfi_node_result (g, vfi_graph_add (g, &vfi_op_resize, "resize", p, size, src, n, x->dtype, x->h * s, x->w * s, x->c));
  y->planar = x->planar;
  g_free (p);
  return y;
}
