/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * normalize: a picture less the mean that it and its partner have together, and perhaps in units of their standard deviation.
 *
 *   dst = (src - mean) / (std + 1e-7),  mean = (m0[0] + m1[0]) / 2,  std^2 = (m0[1] + m1[1]) / 2 - mean^2
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  float mean, gain;

  vfi_normalize_by (src[1].data, src[2].data, ((const VfiNormalizeParams *) node->params)->unit, &mean, &gain);
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c, (vfi_view_get (src, y, x, c) - mean) * gain);
}

const VfiOp vfi_op_normalize = { "normalize", .reference = reference };

VfiTensor *
vfi_normalize (VfiGraph *g, VfiTensor *x, VfiTensor *m0, VfiTensor *m1, gboolean unit)
{
  VfiTensor *src[] = { x, m0, m1 };

  if (!vfi_graph_ready (g, "normalize", src, 3))
    return vfi_graph_dummy (g);
  for (int i = 1; i < 3; i++)
    if (src[i]->dtype != VFI_F32 || src[i]->h != 1 || src[i]->w != 1 || src[i]->c != 2)
      return vfi_graph_fail (g, "normalize", VFI_ERROR_SHAPE, "moments are not 1 x 1 x 2, fp32");
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_normalize, "normalize", &(VfiNormalizeParams){ unit }, sizeof (VfiNormalizeParams),
                                            src, 3, VFI_F32, x->h, x->w, x->c));
}
