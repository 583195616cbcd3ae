/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * within: what the areas of both frames (core/frame.h) have in common, in parts of the picture's sides, so that it is one for every grid: top, left, bottom, right.
 */
#include <math.h>

#include "area.h"
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiWithinParams *p = node->params;

  for (int i = 0; i < VFI_SIDES; i++)
    vfi_view_set (dst, 0, 0, i, vfi_within_side (vfi_view_get (&src[0], 0, 0, i), vfi_view_get (&src[1], 0, 0, i), i, p->h, p->w));
}

const VfiOp vfi_op_within = { "within", .reference = reference };

VfiTensor *
vfi_within (VfiGraph *g, VfiTensor *area0, VfiTensor *area1, int h, int w)
{
  const VfiWithinParams p = { h, w };
  VfiTensor *src[] = { area0, area1 };

  if (!vfi_graph_ready (g, "within", src, 2))
    return vfi_graph_dummy (g);
  for (int i = 0; i < 2; i++)
    if (!vfi_tensor_is_within (src[i]))
      return vfi_graph_fail (g, "within", VFI_ERROR_SHAPE, "area %d is %d x %d x %d, not 1 x 1 x 4, fp32", i, src[i]->h, src[i]->w,
                             src[i]->c);
  if (h < 1 || w < 1)
    return vfi_graph_fail (g, "within", VFI_ERROR_SHAPE, "of %d x %d pixels", h, w);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_within, "within", &p, sizeof p, src, 2, VFI_F32, 1, 1, 4));
}
