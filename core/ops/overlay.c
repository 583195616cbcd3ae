/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * overlay: what lies over the picture and stays while the picture behind it moves, captions and logos: by how often a pixel did not change that should have, in the pairs of frames so far.
 *
 *   F      the flow at p, given on a coarser grid, bilinear (as resize): where the bulk of the picture moves, which is not what letters do
 *   s      | y0 (p) - y1 (p) |: what it changes by
 *   m      | y0 (p - F) - y1 (p) |, bilinear, clamped to the border: what it would change by if it stayed and the rest moved
 *   dst 0  vfi_overlay_count (before 0, s, m): one more, at most, if s is small and m is not; less or none if s is not small. before counts if follows > 0
 *   dst 1  the greatest of 3 x 3 pixels' vfi_overlay_proven (dst 0): 1 is proven
 *
 * The result may lie where before lies: a stream's memory, of one picture.
 */
#include "overlay.h"

#include "bilinear.h"
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiView *y0 = &src[0], *y1 = &src[1], *flow = &src[2], *before = &src[4];
  const float grid = (float) dst->h / flow->h;
  const gboolean follows = vfi_view_get (&src[3], 0, 0, 0) > 0;

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      const float down = (y + 0.5f) / grid - 0.5f, across = (x + 0.5f) / grid - 0.5f;
      const float from_x = x - vfi_view_bilinear (flow, 0, down, across), from_y = y - vfi_view_bilinear (flow, 1, down, across);
      const float here = vfi_view_get (y1, y, x, 0);

      vfi_view_set (dst, y, x, 0,
                    vfi_overlay_count (follows ? vfi_view_get (before, y, x, 0) : 0, fabsf (vfi_view_get (y0, y, x, 0) - here),
                                       fabsf (vfi_view_bilinear (y0, 0, from_y, from_x) - here)));
    }
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      float most = 0;

      for (int i = MAX (y - 1, 0); i <= MIN (y + 1, dst->h - 1); i++)
        for (int k = MAX (x - 1, 0); k <= MIN (x + 1, dst->w - 1); k++)
          most = MAX (most, vfi_overlay_proven (vfi_view_get (dst, i, k, 0))); /* fmaxf here: GCC 12 fails for aarch64 */
      vfi_view_set (dst, y, x, 1, most);
    }
}

const VfiOp vfi_op_overlay = { "overlay", .planar = 1 << 4, .reference = reference };

VfiTensor *
vfi_overlay (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *flow, VfiTensor *follows, VfiTensor *before)
{
  VfiTensor *src[] = { y0, y1, flow, follows, before }, *y;
  int k;

  if (!vfi_graph_ready (g, "overlay", src, 5))
    return vfi_graph_dummy (g);
  if (y0->c != 1 || y1->c != 1 || y1->h != y0->h || y1->w != y0->w || y0->dtype != VFI_F32 || y1->dtype != VFI_F32)
    return vfi_graph_fail (g, "overlay", VFI_ERROR_SHAPE, "the pictures are %d x %d x %d and %d x %d x %d, not equal, 1 channel, fp32",
                           y0->h, y0->w, y0->c, y1->h, y1->w, y1->c);
  k = MAX (y0->h / flow->h, 1);
  if (flow->dtype != VFI_F32 || flow->c != 2 || k * flow->h != y0->h || k * flow->w != y0->w)
    return vfi_graph_fail (g, "overlay", VFI_ERROR_SHAPE, "the flow is %d x %d x %d, not %d x %d by a whole number, times 2, fp32", flow->h,
                           flow->w, flow->c, y0->h, y0->w);
  if (follows->dtype != VFI_F32 || follows->h != 1 || follows->w != 1 || follows->c != 1)
    return vfi_graph_fail (g, "overlay", VFI_ERROR_SHAPE, "what says whether it follows is not 1 x 1 x 1, fp32");
  if (before->dtype != VFI_F32 || before->h != y0->h || before->w != y0->w || before->c != 2)
    return vfi_graph_fail (g, "overlay", VFI_ERROR_SHAPE, "what was before is %d x %d x %d, not %d x %d x 2, fp32", before->h, before->w,
                           before->c, y0->h, y0->w);
  y = vfi_node_result (g, vfi_graph_add (g, &vfi_op_overlay, "overlay", NULL, 0, src, 5, VFI_F32, y0->h, y0->w, 2));
  y->planar = TRUE;
  return y;
}
