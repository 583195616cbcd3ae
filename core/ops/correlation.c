/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * correlation: local cost volume. For d = (dx, dy) in [-r, r]^2, channel (dy + r) (2 r + 1) + dx + r is
 *
 *   dst (p, d) = mean over c of a (p - d, c) b (p + d, c),  0 where either lies outside:
 *
 * the evidence that what is at p in the middle of the pair moves by 2 d. One-sided it is, of a (p, c) b (p + d, c), the evidence that what
 * is at p in the first frame moves by d.
 */
#include "op.h"
#include "vfi.h"

static gboolean
inside (const VfiView *v, int y, int x)
{
  return y >= 0 && y < v->h && x >= 0 && x < v->w;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiCorrelationParams *p = node->params;
  const VfiView *a = &src[0], *b = &src[1];

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      const int of_a = p->one_sided ? 0 : -1;
      int channel = 0;

      for (int dy = -p->radius; dy <= p->radius; dy++)
        for (int dx = -p->radius; dx <= p->radius; dx++) {
          float sum = 0;

          if (inside (a, y + of_a * dy, x + of_a * dx) && inside (b, y + dy, x + dx))
            for (int c = 0; c < a->c; c++)
              sum += vfi_view_get (a, y + of_a * dy, x + of_a * dx, c) * vfi_view_get (b, y + dy, x + dx, c);
          vfi_view_set (dst, y, x, channel++, sum / a->c);
        }
    }
}

static double
flop (const VfiNode *node)
{
  const VfiTensor *y = node->dst;

  return 2.0 * y->h * y->w * y->c * node->src[0]->c;
}

static int
reach (const VfiNode *node, int i)
{
  return ((const VfiCorrelationParams *) node->params)->radius;
}

const VfiOp vfi_op_correlation = { "correlation", .reference = reference, .flop = flop, .reach = reach };

VfiTensor *
vfi_correlation_ (VfiGraph *g, VfiTensor *a, VfiTensor *b, int radius, const VfiCorrelation *o)
{
  VfiCorrelationParams p = { radius, o->one_sided };
  VfiTensor *src[] = { a, b };
  int side = 2 * radius + 1;

  if (!vfi_graph_ready (g, "correlation", src, 2))
    return vfi_graph_dummy (g);
  if (radius < 0 || radius > 64)
    return vfi_graph_fail (g, "correlation", VFI_ERROR_ARG, "radius %d is not in 0..64", radius);
  if (a->h != b->h || a->w != b->w || a->c != b->c || a->dtype != b->dtype)
    return vfi_graph_fail (g, "correlation", VFI_ERROR_SHAPE, "sources of %d x %d x %d, %s, and %d x %d x %d, %s", a->h, a->w, a->c,
                           vfi_dtype_name (a->dtype), b->h, b->w, b->c, vfi_dtype_name (b->dtype));
  return vfi_node_result (
      g, vfi_graph_add (g, &vfi_op_correlation, "correlation", &p, sizeof p, src, 2, VFI_FEATURE, a->h, a->w, side * side));
}
