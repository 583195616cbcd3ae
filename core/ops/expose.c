/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * expose: a picture with another brightness, that of operator exposure.
 *
 *   dst = e0 src + e1
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const float gain = vfi_view_get (&src[1], 0, 0, 0), bias = vfi_view_get (&src[1], 0, 0, 1);

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c, gain * vfi_view_get (src, y, x, c) + bias);
}

const VfiOp vfi_op_expose = { "expose", .reference = reference };

VfiTensor *
vfi_expose (VfiGraph *g, VfiTensor *x, VfiTensor *exposure)
{
  VfiTensor *src[] = { x, exposure };

  if (!vfi_graph_ready (g, "expose", src, 2))
    return vfi_graph_dummy (g);
  if (x->dtype != VFI_F32)
    return vfi_graph_fail (g, "expose", VFI_ERROR_SHAPE, "the picture is not fp32");
  if (exposure->dtype != VFI_F32 || exposure->h != 1 || exposure->w != 1 || exposure->c != 2)
    return vfi_graph_fail (g, "expose", VFI_ERROR_SHAPE, "the exposure is not 1 x 1 x 2, fp32");
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_expose, "expose", NULL, 0, src, 2, VFI_F32, x->h, x->w, x->c));
}
