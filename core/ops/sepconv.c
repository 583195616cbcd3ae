/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sepconv: a picture under kernels of its own for every pixel, each an outer product of a column and a row of N numbers, which a 3 x 3
 * convolution each makes of features:
 *
 *   V = conv (v), H = conv (h), where with `corners` v and h are first enlarged to twice the size as by resize_corners,
 *   dst (y, x, c) = sum over i, j of V (y, x, i) H (y, x, j) picture (y + i - N/2, x + j - N/2, c), coordinates clamped,
 *
 * and with `sum` one channel more: (sum of V) (sum of H), what a picture of ones would give. The convolutions belong to the operator so that
 * kernels, 2 N numbers for every pixel, need never be there for more than a few rows at once.
 */
#include "op.h"
#include "vfi.h"

/* The features at the size of the picture. */
static float *
features (const VfiView *x, gboolean corners, int h, int w)
{
  float *f = g_new (float, (gsize) h *w * x->c);

  for (int y = 0; y < h; y++)
    for (int ox = 0; ox < w; ox++)
      for (int c = 0; c < x->c; c++) {
        float *to = &f[((gsize) y * w + ox) * x->c + c];
        int iy, ix, jy, jx;
        float fy, fx;

        if (!corners) {
          *to = vfi_view_get (x, y, ox, c);
          continue;
        }
        fy = vfi_corners (y, x->h, &iy, &jy);
        fx = vfi_corners (ox, x->w, &ix, &jx);
        *to = (1 - fy) * ((1 - fx) * vfi_view_get (x, iy, ix, c) + fx * vfi_view_get (x, iy, jx, c)) +
              fy * ((1 - fx) * vfi_view_get (x, jy, ix, c) + fx * vfi_view_get (x, jy, jx, c));
      }
  return f;
}

/* The N numbers at pixel (y, x). */
static void
kernel (const float *f, int h, int w, int c, const float *weight, const float *bias, int n, int y, int x, float *k)
{
  for (int o = 0; o < n; o++) {
    double sum = bias[o];

    for (int i = 0; i < 9; i++) {
      int py = y + i / 3 - 1, px = x + i % 3 - 1;

      if (py >= 0 && py < h && px >= 0 && px < w)
        for (int q = 0; q < c; q++)
          sum += weight[((gsize) o * c + q) * 9 + i] * f[((gsize) py * w + px) * c + q];
    }
    k[o] = (float) sum;
  }
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiSepconvParams *p = node->params;
  const int n = p->taps, h = dst->h, w = dst->w;
  float *fv = features (&src[1], p->corners, h, w), *fh = features (&src[2], p->corners, h, w), *v = g_new (float, 2 * n), *k = v + n;

  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      double sum_v = 0, sum_h = 0;

      kernel (fv, h, w, src[1].c, weights[0], weights[1], n, y, x, v);
      kernel (fh, h, w, src[2].c, weights[2], weights[3], n, y, x, k);
      for (int c = 0; c < src->c; c++) {
        double sum = 0;

        for (int i = 0; i < n; i++) {
          double row = 0;

          for (int j = 0; j < n; j++)
            row += k[j] * vfi_view_get (src, CLAMP (y + i - n / 2, 0, h - 1), CLAMP (x + j - n / 2, 0, w - 1), c);
          sum += v[i] * row;
        }
        vfi_view_set (dst, y, x, c, (float) sum);
      }
      for (int i = 0; i < n; i++) {
        sum_v += v[i];
        sum_h += k[i];
      }
      if (p->sum)
        vfi_view_set (dst, y, x, src->c, (float) (sum_v * sum_h));
    }
  g_free (fv);
  g_free (fh);
  g_free (v);
}

static double
flop (const VfiNode *node)
{
  const VfiSepconvParams *p = node->params;
  const VfiTensor *y = node->dst;

  return 2.0 * y->h * y->w * p->taps * (9.0 * (node->src[1]->c + node->src[2]->c) + (p->taps + 1) * node->src[0]->c);
}

const VfiOp vfi_op_sepconv = { "sepconv", .reference = reference, .flop = flop };

VfiTensor *
vfi_sepconv_ (VfiGraph *g, VfiTensor *picture, VfiTensor *v, VfiTensor *h, int taps, const VfiSepconv *o)
{
  VfiSepconvParams p = { .taps = taps, .corners = o->corners, .sum = o->sum };
  VfiTensor *src[] = { picture, v, h };
  const char *const names[] = { o->vertical, o->horizontal };
  VfiNode *node;

  if (!vfi_graph_ready (g, "sepconv", src, 3))
    return vfi_graph_dummy (g);
  if (taps < 1 || taps % 2 == 0 || taps > VFI_SEPCONV_MAX || !names[0] || !names[1])
    return vfi_graph_fail (g, "sepconv", VFI_ERROR_ARG, "%d taps, not an odd number up to %d; or a convolution without a name", taps,
                           VFI_SEPCONV_MAX);
  for (int i = 1; i < 3; i++)
    if (src[i]->h << p.corners != picture->h || src[i]->w << p.corners != picture->w || picture->dtype != VFI_F32 || picture->c > 4)
      return vfi_graph_fail (g, "sepconv", VFI_ERROR_SHAPE, "features of %d x %d do not fit a picture of %d x %d x %d", src[i]->h,
                             src[i]->w, picture->h, picture->w, picture->c);
  node = vfi_graph_add (g, &vfi_op_sepconv, names[0], &p, sizeof p, src, 3, VFI_F32, picture->h, picture->w, picture->c + p.sum);
  for (int i = 0; i < 2 && node; i++) {
    char *weight = g_strconcat (names[i], ".weight", NULL), *bias = g_strconcat (names[i], ".bias", NULL);

    vfi_node_weight_beside (g, node, weight, 4, (int[]){ taps, src[1 + i]->c, 3, 3 });
    vfi_node_weight_beside (g, node, bias, 1, &taps);
    g_free (weight);
    g_free (bias);
  }
  return vfi_node_result (g, node);
}
