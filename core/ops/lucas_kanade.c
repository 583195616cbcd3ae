/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lucas_kanade: one step of Lucas and Kanade's method (1981) in closed form, on two pictures that were warped to a common time.
 *
 * With g the gradient of their mean m = (a + b) / 2 by central differences (border replicated) and e = b - a, the motion d that explains e
 * in a window solves a 2 x 2 system:
 *
 *   (S [g g'] + (floor + ridge trace S [g g']) I) d = -S [g e],   each component of d clamped to +-limit
 *
 * where S is the mean over 3 x 3 pixels, twice, each time with 0 outside the picture: a weight of n (dy) n (dx) / 81 for a neighbour within two
 * pixels, n being the number of pixels inside the picture that are next to, or are, both. The result has seven channels:
 *
 *   dst = v0 + d, v1 + d, logit, d      where the state is v0, v1, logit (0 without one)
 */
#include <math.h>

#include "op.h"
#include "vfi.h"

/* How many pixels of 0..n - 1 are within 1 of both p and s, which are at most 2 apart. */
static int
common (int p, int s, int n)
{
  return MIN (MIN (p, s) + 1, n - 1) - MAX (MAX (p, s) - 1, 0) + 1;
}

static float
mean (const VfiView *src, int y, int x)
{
  return (vfi_view_get (&src[0], y, x, 0) + vfi_view_get (&src[1], y, x, 0)) / 2;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiLucasKanadeParams *p = node->params;
  int h = dst->h, w = dst->w;

  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      float xx = 0, xy = 0, yy = 0, xe = 0, ye = 0, det, dx, dy;

      for (int i = MAX (y - 2, 0); i <= MIN (y + 2, h - 1); i++)
        for (int j = MAX (x - 2, 0); j <= MIN (x + 2, w - 1); j++) {
          float weight = common (y, i, h) * common (x, j, w) / 81.0f;
          float gx = (mean (src, i, MIN (j + 1, w - 1)) - mean (src, i, MAX (j - 1, 0))) / 2;
          float gy = (mean (src, MIN (i + 1, h - 1), j) - mean (src, MAX (i - 1, 0), j)) / 2;
          float e = vfi_view_get (&src[1], i, j, 0) - vfi_view_get (&src[0], i, j, 0);

          xx += weight * gx * gx;
          xy += weight * gx * gy;
          yy += weight * gy * gy;
          xe += weight * gx * e;
          ye += weight * gy * e;
        }
      det = p->ridge * (xx + yy) + p->floor;
      xx += det;
      yy += det;
      det = xx * yy - xy * xy;
      dx = fminf (fmaxf ((xy * ye - yy * xe) / det, -p->limit), p->limit);
      dy = fminf (fmaxf ((xy * xe - xx * ye) / det, -p->limit), p->limit);
      for (int c = 0; c < 7; c++) {
        float v = p->state && c < 5 ? vfi_view_get (&src[2], y, x, c) : 0;

        vfi_view_set (dst, y, x, c, c == 4 ? v : v + (c == 0 || c == 2 || c == 5 ? dx : dy));
      }
    }
}

const VfiOp vfi_op_lucas_kanade = { "lucas_kanade", .reference = reference };

VfiTensor *
vfi_lucas_kanade_ (VfiGraph *g, VfiTensor *a, VfiTensor *b, const VfiLucasKanade *o)
{
  VfiLucasKanadeParams p = { .floor = o->floor, .ridge = o->ridge, .limit = o->limit, .state = o->state != NULL };
  VfiTensor *src[] = { a, b, o->state };
  int n = p.state ? 3 : 2;

  if (!vfi_graph_ready (g, "lucas_kanade", src, n))
    return vfi_graph_dummy (g);
  if (!(p.floor > 0 && p.ridge >= 0 && p.limit > 0))
    return vfi_graph_fail (g, "lucas_kanade", VFI_ERROR_ARG, "floor %g, ridge %g, limit %g", p.floor, p.ridge, p.limit);
  for (int i = 0; i < n; i++)
    if (src[i]->dtype != VFI_F32 || src[i]->h != a->h || src[i]->w != a->w || src[i]->c != (i == 2 ? 5 : 1))
      return vfi_graph_fail (g, "lucas_kanade", VFI_ERROR_SHAPE, "source %d is %d x %d x %d, %s, not %d x %d x %d, fp32", i, src[i]->h,
                             src[i]->w, src[i]->c, vfi_dtype_name (src[i]->dtype), a->h, a->w, i == 2 ? 5 : 1);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_lucas_kanade, "lucas_kanade", &p, sizeof p, src, n, VFI_F32, a->h, a->w, 7));
}
