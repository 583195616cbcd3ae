/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bridge: what a picture with a hole would be if things went on straight across it, along its rows and along its columns; for networks that fill
 * holes (models/fill.c). src is (h, w, n + 1): sums, and of how much; a pixel is known where that is more than p.enough.
 *
 *   v (y, x, c) = src (y, x, c) / src (y, x, n) where known; else, with a and b the nearest known pixels before and after it in its row,
 *                 v (a) + (x - a) / (b - a) (v (b) - v (a)), or the only one of them
 *   dst (y, x, 0 ... n - 1) = v, and n ... 2 n - 1 the same along the column; where one has no known pixel the other, where neither has one 0
 *   dst (y, x, 2 n) = by how much the row's ends differ: the mean over channels of |v (b) - v (a)|; 0 where known, 1 where there are not two
 *   dst (y, x, 2 n + 1) the same of the column
 */
#include <math.h>

#include "op.h"
#include "vfi.h"

typedef struct
{
  const VfiView *src;
  float enough;
} Seen;

static gboolean
known (const Seen *s, int y, int x)
{
  return vfi_view_get (s->src, y, x, s->src->c - 1) > s->enough;
}

static float
value (const Seen *s, int y, int x, int c)
{
  return vfi_view_get (s->src, y, x, c) / vfi_view_get (s->src, y, x, s->src->c - 1);
}

/* The known pixels nearest to (y, x) in its row or column; FALSE: there is none. Of one only, both are it. */
static gboolean
ends (const Seen *s, int y, int x, gboolean row, int *a, int *b)
{
  const int n = row ? s->src->w : s->src->h;

  *a = *b = row ? x : y;
  while (*a >= 0 && !known (s, row ? y : *a, row ? *a : x))
    --*a;
  while (*b < n && !known (s, row ? y : *b, row ? *b : x))
    ++*b;
  if (*a < 0 && *b == n)
    return FALSE;
  *a = *a < 0 ? *b : *a;
  *b = *b == n ? *a : *b;
  return TRUE;
}

static gboolean
across (const Seen *s, int y, int x, int c, gboolean row, float *v)
{
  int a, b;
  float va, vb;

  if (!ends (s, y, x, row, &a, &b))
    return FALSE;
  va = value (s, row ? y : a, row ? a : x, c);
  vb = value (s, row ? y : b, row ? b : x, c);
  *v = a == b ? va : va + (float) ((row ? x : y) - a) / (b - a) * (vb - va);
  return TRUE;
}

static float
apart (const Seen *s, int y, int x, gboolean row)
{
  const int n = s->src->c - 1;
  float sum = 0;
  int a, b;

  if (known (s, y, x))
    return 0;
  if (!ends (s, y, x, row, &a, &b) || a == b)
    return 1;
  for (int c = 0; c < n; c++)
    sum += fabsf (value (s, row ? y : b, row ? b : x, c) - value (s, row ? y : a, row ? a : x, c));
  return sum / n;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const Seen s = { src, ((const VfiBridgeParams *) node->params)->enough };
  const int n = src->c - 1;

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      for (int c = 0; c < 2 * n; c++) {
        const gboolean row = c < n;
        float v = 0;

        if (!across (&s, y, x, c % n, row, &v))
          across (&s, y, x, c % n, !row, &v);
        vfi_view_set (dst, y, x, c, v);
      }
      vfi_view_set (dst, y, x, 2 * n, apart (&s, y, x, TRUE));
      vfi_view_set (dst, y, x, 2 * n + 1, apart (&s, y, x, FALSE));
    }
}

const VfiOp vfi_op_bridge = { "bridge", .reference = reference };

VfiTensor *
vfi_bridge (VfiGraph *g, VfiTensor *x, float enough)
{
  VfiBridgeParams p = { enough };

  if (!vfi_graph_ready (g, "bridge", &x, 1))
    return vfi_graph_dummy (g);
  if (x->c < 2 || x->dtype != VFI_F32 || !(enough > 0))
    return vfi_graph_fail (g, "bridge", VFI_ERROR_SHAPE, "%d channels of %s, enough %g: not fp32 sums and of how much", x->c,
                           vfi_dtype_name (x->dtype), enough);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_bridge, "bridge", &p, sizeof p, &x, 1, VFI_F32, x->h, x->w, 2 * x->c));
}
