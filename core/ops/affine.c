/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * affine: a copy to another type, with a gain and a bias for each channel: how a network wants its pictures.
 *
 *   dst (y, x, c) = gain (c) src (y, x, c) + bias (c)
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiAffineParams *p = node->params;

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c, p->gain * vfi_view_get (src, y, x, c) + p->bias[c]);
}

const VfiOp vfi_op_affine = { "affine", .reference = reference };

VfiTensor *
vfi_affine (VfiGraph *g, VfiTensor *x, float gain, const float *bias, VfiDType dtype)
{
  VfiAffineParams p = { .gain = gain };

  if (!vfi_graph_ready (g, "affine", &x, 1))
    return vfi_graph_dummy (g);
  if (x->c > (int) G_N_ELEMENTS (p.bias))
    return vfi_graph_fail (g, "affine", VFI_ERROR_SHAPE, "%d channels, not at most %d", x->c, (int) G_N_ELEMENTS (p.bias));
  memcpy (p.bias, bias, x->c * sizeof *bias);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_affine, "affine", &p, sizeof p, &x, 1, dtype, x->h, x->w, x->c));
}
