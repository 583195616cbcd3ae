/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * contextual_attention: what lies in a hole made of patches from outside of it, by how much they look alike. J. Yu et al., "Generative Image
 * Inpainting with Contextual Attention", CVPR 2018, as nbei/Deep-Flow-Guided-Video-Inpainting has it.
 *
 * Places i, j are every second pixel of every second row of src, h / 2 x w / 2 of them; P (i) are the 3 x 3 places around one, all their channels.
 *
 *   s (i, j)     P (i) . P (j) / max (|P (j)|, 1e-4)
 *   f (i, j)     sum of s (i + d, j + d), d = -1, 0, 1, with places numbered row by row: neighbours look alike, too
 *   g (i, j)     sum of f (i + d, j + d) with places numbered column by column. In either sum what has no number is 0; rows (columns) follow one another.
 *   m (j)        1 where the mask is 0 at all 3 x 3 places around, else 0
 *   a (i, j)     m (j) softmax over j (10 m (j) g (i, j))
 *   dst          a quarter of the sum over i, j of a (i, j) times the 4 x 4 pixels of src from (2 y (j) - 1, 2 x (j) - 1) on, laid over those from
 *                (2 y (i) - 1, 2 x (i) - 1) on
 *
 * What is outside of the picture is 0, in src and mask.
 */
#include "contextual_attention.h"

#include <math.h>

#include "op.h"
#include "vfi.h"

/* Channel c of src where there is a pixel. */
static double
at (const VfiView *src, int y, int x, int c)
{
  return y >= 0 && y < src->h && x >= 0 && x < src->w ? vfi_view_get (src, y, x, c) : 0;
}

static double
product (const VfiView *src, int w, int i, int j)
{
  double sum = 0;

  for (int dy = -1; dy <= 1; dy++)
    for (int dx = -1; dx <= 1; dx++)
      for (int c = 0; c < src->c; c++)
        sum += at (src, 2 * (i / w + dy), 2 * (i % w + dx), c) * at (src, 2 * (j / w + dy), 2 * (j % w + dx), c);
  return sum;
}

/* to (i, j) = sum of from (i + d, j + d), where places are numbered along rows of w or, if `columns`, along columns of h. */
static void
along_diagonals (const double *from, int h, int w, gboolean columns, double *to)
{
  const int n = h * w;

  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      double sum = 0;

      for (int d = -1; d <= 1; d++) {
        const int a = vfi_attention_next (i, d, h, w, columns), b = vfi_attention_next (j, d, h, w, columns);
        if (a >= 0 && b >= 0)
          sum += from[(gsize) a * n + b];
      }
      to[(gsize) i * n + j] = sum;
    }
}

/* Whether nothing at the 3 x 3 places around one is masked. */
static gboolean
is_open (const VfiView *mask, int h, int w, int j)
{
  const int k = mask->h / h;

  for (int y = MAX (j / w - 1, 0); y <= MIN (j / w + 1, h - 1); y++)
    for (int x = MAX (j % w - 1, 0); x <= MIN (j % w + 1, w - 1); x++)
      if (vfi_view_get (mask, y * k, x * k, 0) != 0)
        return FALSE;
  return TRUE;
}

static void
weigh (double *a, const gboolean *open, int n)
{
  double most = -INFINITY, sum = 0;

  for (int j = 0; j < n; j++)
    most = fmax (most, a[j] = open[j] ? VFI_ATTENTION_SCALE * a[j] : 0);
  for (int j = 0; j < n; j++)
    sum += a[j] = exp (a[j] - most);
  for (int j = 0; j < n; j++)
    a[j] = open[j] ? a[j] / sum : 0;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const int h = src->h / 2, w = src->w / 2, n = h * w;
  g_autofree double *s = g_new (double, (gsize) n *n), *f = g_new (double, (gsize) n *n);
  g_autofree gboolean *open = g_new (gboolean, n);

  for (int j = 0; j < n; j++) {
    const double length = fmax (sqrt (product (src, w, j, j)), VFI_ATTENTION_LEAST);

    open[j] = is_open (&src[1], h, w, j);
    for (int i = 0; i < n; i++)
      s[(gsize) i * n + j] = product (src, w, i, j) / length;
  }
  along_diagonals (s, h, w, FALSE, f);
  along_diagonals (f, h, w, TRUE, s);
  for (int i = 0; i < n; i++)
    weigh (s + (gsize) i * n, open, n);

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++) {
        double sum = 0;

        for (int k = 0; k < 4; k++) { /* the places whose 4 x 4 pixels this is one of */
          const int iy = (y + 1) / 2 - k / 2, ix = (x + 1) / 2 - k % 2, oy = y - 2 * iy, ox = x - 2 * ix;

          if (iy >= 0 && iy < h && ix >= 0 && ix < w)
            for (int j = 0; j < n; j++)
              sum += s[(gsize) (iy * w + ix) * n + j] * at (src, 2 * (j / w) + oy, 2 * (j % w) + ox, c);
        }
        vfi_view_set (dst, y, x, c, (float) (sum / 4));
      }
}

static double
flop (const VfiNode *node)
{
  const double n = node->dst->h / 2 * (node->dst->w / 2);

  return 2 * n * n * node->dst->c * (9 + 16);
}

const VfiOp vfi_op_contextual_attention = { "contextual_attention", .reference = reference, .flop = flop };

VfiTensor *
vfi_contextual_attention (VfiGraph *g, VfiTensor *x, VfiTensor *mask)
{
  static const char name[] = "contextual_attention";
  VfiTensor *src[] = { x, mask };

  if (!vfi_graph_ready (g, name, src, 2))
    return vfi_graph_dummy (g);
  if (x->h % 2 || x->w % 2)
    return vfi_graph_fail (g, name, VFI_ERROR_SHAPE, "sides of %d x %d are not even", x->h, x->w);
  if ((gint64) (x->h / 2) * (x->w / 2) > VFI_ATTENTION_PLACES)
    return vfi_graph_fail (g, name, VFI_ERROR_SHAPE, "%d x %d: more than %d places", x->h, x->w, VFI_ATTENTION_PLACES);
  if (mask->dtype != VFI_F32 || mask->c != 1 || mask->h % (x->h / 2) || mask->w % (x->w / 2) ||
      mask->h / (x->h / 2) != mask->w / (x->w / 2))
    return vfi_graph_fail (g, name, VFI_ERROR_SHAPE, "the mask is %d x %d x %d, not %d x %d by a whole number, times 1, fp32", mask->h,
                           mask->w, mask->c, x->h / 2, x->w / 2);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_contextual_attention, name, NULL, 0, src, 2, x->dtype, x->h, x->w, x->c));
}
