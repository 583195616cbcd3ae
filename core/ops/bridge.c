/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bridge: what a picture with a hole would be if things went on straight across it, along its rows and along its columns; for networks that fill
 * holes (models/fill.c). src is (h, w, n + 1): sums, and of how much; a pixel is known where that is more than p.enough.
 *
 *   v (y, x, c) = src (y, x, c) / src (y, x, n) where known; else, with a and b the nearest known pixels before and after it in its row,
 *                 v (a) + (x - a) / (b - a) (v (b) - v (a)), or the only one of them
 *   dst (y, x, 0 ... n - 1) = v, and n ... 2 n - 1 the same along the column; where one has no known pixel the other, where neither has one 0
 */
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

/* Pixel (y, x) from its row (dx 1, dy 0) or its column. */
static gboolean
across (const Seen *s, int y, int x, int c, int dy, int dx, float *v)
{
  int at = dx ? x : y, n = dx ? s->src->w : s->src->h, a = at, b = at;

  while (a >= 0 && !known (s, dx ? y : a, dx ? a : x))
    a--;
  while (b < n && !known (s, dx ? y : b, dx ? b : x))
    b++;
  if (a < 0 && b == n)
    return FALSE;
  if (a < 0 || b == n || a == b) {
    const int only = a < 0 ? b : a;
    *v = value (s, dx ? y : only, dx ? only : x, c);
  } else {
    const float va = value (s, dx ? y : a, dx ? a : x, c), vb = value (s, dx ? y : b, dx ? b : x, c);
    *v = va + (float) (at - a) / (b - a) * (vb - va);
  }
  return TRUE;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const Seen s = { src, ((const VfiBridgeParams *) node->params)->enough };
  const int n = src->c - 1;

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < 2 * n; c++) {
        const int row = c < n;
        float v = 0;

        if (!across (&s, y, x, c % n, !row, row, &v))
          across (&s, y, x, c % n, row, !row, &v);
        vfi_view_set (dst, y, x, c, v);
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
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_bridge, "bridge", &p, sizeof p, &x, 1, VFI_F32, x->h, x->w, 2 * (x->c - 1)));
}
