/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * downsample: bilinear reduction by an even factor k, as torch.nn.functional.interpolate with align_corners = False (no antialiasing), times
 * a gain per channel. Its centres lie between four pixels, so it is their mean; for k = 2 it is average pooling.
 *
 *   dst (y, x, c) = gain (c) / 4 sum over i, j in k / 2 - 1, k / 2 of src (y k + i, x k + j, c)
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiDownsampleParams *p = node->params;

  for (int oy = 0; oy < dst->h; oy++)
    for (int ox = 0; ox < dst->w; ox++) {
      int y = oy * p->k + p->k / 2, x = ox * p->k + p->k / 2;

      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, oy, ox, c,
                      p->gain[c] / 4 *
                          (vfi_view_get (src, y - 1, x - 1, c) + vfi_view_get (src, y - 1, x, c) + vfi_view_get (src, y, x - 1, c) +
                           vfi_view_get (src, y, x, c)));
    }
}

const VfiOp vfi_op_downsample = { "downsample", .planar = 1, .reference = reference };

VfiTensor *
vfi_downsample (VfiGraph *g, VfiTensor *x, int k, const float *gain)
{
  VfiDownsampleParams *p;
  VfiTensor *y;
  gsize size;

  if (!vfi_graph_ready (g, "downsample", &x, 1))
    return vfi_graph_dummy (g);
  if (k < 2 || k % 2)
    return vfi_graph_fail (g, "downsample", VFI_ERROR_ARG, "k = %d is not even", k);
  size = sizeof *p + x->c * sizeof (float);
  p = g_malloc (size);
  p->k = k;
  for (int c = 0; c < x->c; c++)
    p->gain[c] = gain ? gain[c] : 1;
  y = vfi_node_result (g, vfi_graph_add (g, &vfi_op_downsample, "downsample", p, size, &x, 1, x->dtype, x->h / k, x->w / k, x->c));
  g_free (p);
  return y;
}
