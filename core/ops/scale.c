/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scale: a copy, to another type or place, with a gain per channel.
 *
 *   dst (y, x, c) = gain (c) src (y, x, c)
 */
#include "op.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiScaleParams *p = node->params;

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c, p->gain[c] * vfi_view_get (src, y, x, c));
}

static int
reach (const VfiNode *node, int i)
{
  return 0;
}

const VfiOp vfi_op_scale = { "scale", .planar = 1, .reference = reference, .reach = reach };

VfiTensor *
vfi_scale (VfiGraph *g, VfiTensor *x, const float *gain, VfiDType dtype)
{
  gsize size;
  VfiScaleParams *p;
  VfiTensor *y;

  if (!vfi_graph_ready (g, "scale", &x, 1))
    return vfi_graph_dummy (g);
  size = sizeof *p + x->c * sizeof (float);
  p = g_malloc (size);
  p->identity = TRUE;
  for (int c = 0; c < x->c; c++) {
    p->gain[c] = gain ? gain[c] : 1;
    p->identity &= p->gain[c] == 1;
  }
  y = vfi_node_result (g, vfi_graph_add (g, &vfi_op_scale, "scale", p, size, &x, 1, dtype, x->h, x->w, x->c));
  g_free (p);
  return y;
}

VfiTensor *
vfi_cast (VfiGraph *g, VfiTensor *x, VfiDType dtype)
{
  return x->dtype == (dtype == VFI_FEATURE ? g->feature : dtype) ? x : vfi_scale (g, x, NULL, dtype);
}
