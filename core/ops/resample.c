/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resample: a picture at another size, as Pillow's Image.resize makes it of one of floats (mode F): rows first, then columns, each number of the
 * result a weighted mean of its neighbours. For a side of `from` pixels that becomes one of `to`, s = from / to and r = max (s, 1):
 *
 *   dst (i) = sum over j of k ((j + 1/2 - (i + 1/2) s) / r) src (j) / (sum of these weights),  j in 0..from - 1
 *
 * so that neighbours lie within the filter's radius times r, what is made smaller is filtered, and at the border the weights of those that there
 * are make up for the others. A side that keeps its size keeps its numbers.
 *   VFI_TRIANGLE: k (x) = max (1 - |x|, 0), radius 1: bilinear where it enlarges.
 *   VFI_LANCZOS: k (x) = sinc (x) sinc (x / 3), radius 3.
 */
#include <math.h>

#include "op.h"
#include "vfi.h"

#define MAX_CHANNELS 4

static double
sinc (double x)
{
  return x == 0 ? 1 : sin (G_PI * x) / (G_PI * x);
}

static double
filter_at (VfiFilter filter, double x)
{
  if (filter == VFI_TRIANGLE)
    return MAX (1 - fabs (x), 0);
  return fabs (x) < 3 ? sinc (x) * sinc (x / 3) : 0;
}

VfiTaps *
vfi_taps_new (VfiFilter filter, int from, int to)
{
  const double step = (double) from / to, stretch = MAX (step, 1), radius = stretch * (filter == VFI_TRIANGLE ? 1 : 3);
  const int n = from == to ? 1 : (int) MIN (2 * ceil (radius) + 1, from);
  VfiTaps *t = g_new0 (VfiTaps, 1);
  double *weight = g_new (double, n);

  t->n = n;
  t->first = g_new (int, to);
  t->weight = g_new (float, (gsize) to *n);
  for (int i = 0; i < to; i++) {
    const double centre = (i + 0.5) * step;
    const int low = (int) MAX (centre - radius + 0.5, 0), high = MIN ((int) (centre + radius + 0.5), from);
    const int first = from == to ? i : MIN (low, from - n);
    double sum = 0;

    for (int j = 0; j < n; j++) {
      const gboolean near = first + j >= low && first + j < high;

      weight[j] = from == to ? 1 : near ? filter_at (filter, (first + j + 0.5 - centre) / stretch) : 0;
      sum += weight[j];
    }
    t->first[i] = first;
    for (int j = 0; j < n; j++)
      t->weight[(gsize) i * n + j] = (float) (sum == 0 ? weight[j] : weight[j] / sum);
  }
  g_free (weight);
  return t;
}

void
vfi_taps_free (VfiTaps *t)
{
  if (!t)
    return;
  g_free (t->first);
  g_free (t->weight);
  g_free (t);
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiFilter filter = ((const VfiResampleParams *) node->params)->filter;
  VfiTaps *tx = vfi_taps_new (filter, src->w, dst->w), *ty = vfi_taps_new (filter, src->h, dst->h);
  VfiView wide = { g_new (float, (gsize) src->h * dst->w * dst->c), VFI_F32, src->h, dst->w, dst->c, dst->c, 1 };

  for (int y = 0; y < wide.h; y++)
    for (int x = 0; x < wide.w; x++)
      for (int c = 0; c < wide.c; c++) {
        float sum = 0;

        for (int j = 0; j < tx->n; j++)
          sum += tx->weight[(gsize) x * tx->n + j] * vfi_view_get (src, y, tx->first[x] + j, c);
        vfi_view_set (&wide, y, x, c, sum);
      }
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++) {
        float sum = 0;

        for (int j = 0; j < ty->n; j++)
          sum += ty->weight[(gsize) y * ty->n + j] * vfi_view_get (&wide, ty->first[y] + j, x, c);
        vfi_view_set (dst, y, x, c, sum);
      }
  g_free (wide.data);
  vfi_taps_free (tx);
  vfi_taps_free (ty);
}

const VfiOp vfi_op_resample = { "resample", .reference = reference };

VfiTensor *
vfi_resample (VfiGraph *g, VfiTensor *x, int h, int w, VfiFilter filter)
{
  const VfiResampleParams p = { filter };

  if (!vfi_graph_ready (g, "resample", &x, 1))
    return vfi_graph_dummy (g);
  if (x->dtype != VFI_F32 || x->c > MAX_CHANNELS)
    return vfi_graph_fail (g, "resample", VFI_ERROR_SHAPE, "the picture is %d x %d x %d, %s, not of at most %d channels, fp32", x->h, x->w,
                           x->c, vfi_dtype_name (x->dtype), MAX_CHANNELS);
  if (h == x->h && w == x->w)
    return x;
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_resample, "resample", &p, sizeof p, &x, 1, VFI_F32, h, w, x->c));
}
