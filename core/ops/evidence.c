/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * evidence: how well a motion explains two pictures, on a grid half as fine as theirs.
 *
 *   v0, v1    the velocities of a state, or a flow as seen from time t, which is both; in pixels of the grid
 *   d         of the first of the four pixels of each pixel of the grid, p, | y0 (p - 2 t v0) - y1 (p + 2 (1 - t) v1) |: bilinear, clamped to the border, times how much both places are
 *             inside (vfi_inside): of what one picture does not show, nothing is known
 *   e         the mean of d over WINDOW pixels of the grid to each side, borders replicated
 *   dst       -STEEP ln (e + DARK): a logit
 */
#include "evidence.h"

#include <math.h>

#include "area.h"
#include "bilinear.h"
#include "op.h"
#include "sample.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiView *motion = &src[3];
  const float t = vfi_view_get (&src[2], 0, 0, 0), gain[2] = { -2 * t, 2 * (1 - t) };
  const int second = motion->c == 2 ? 0 : 2, side = 2 * VFI_EVIDENCE_WINDOW + 1;

  const float *part = vfi_part (node->n_src > 4 ? src[4].data : NULL);
  float *differ = g_new (float, (gsize) dst->h * dst->w);

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      float s[2], in = 1;

      for (int i = 0; i < 2; i++) {
        const int c = i ? second : 0;
        const float px = 2 * x + gain[i] * vfi_view_get (motion, y, x, c), py = 2 * y + gain[i] * vfi_view_get (motion, y, x, c + 1);

        s[i] = vfi_view_bilinear (&src[i], 0, py, px);
        in *= vfi_inside_part (py, px, part, src[i].h, src[i].w);
      }
      differ[y * dst->w + x] = in * fabsf (s[0] - s[1]);
    }
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      float sum = 0;

      for (int i = 0; i < side * side; i++)
        sum += differ[CLAMP (y + i / side - VFI_EVIDENCE_WINDOW, 0, dst->h - 1) * dst->w +
                      CLAMP (x + i % side - VFI_EVIDENCE_WINDOW, 0, dst->w - 1)];
      vfi_view_set (dst, y, x, 0, -VFI_EVIDENCE_STEEP * logf (sum / (side * side) + VFI_EVIDENCE_DARK));
    }
  g_free (differ);
}

const VfiOp vfi_op_evidence = { "evidence", .planar = 1 << 3, .reference = reference };

VfiTensor *
vfi_evidence (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *time, VfiTensor *motion, VfiTensor *within)
{
  VfiTensor *src[] = { y0, y1, time, motion, within };
  const int n = within ? 5 : 4;

  if (!vfi_graph_ready (g, "evidence", src, n))
    return vfi_graph_dummy (g);
  if (y0->c != 1 || y1->c != 1 || y1->h != y0->h || y1->w != y0->w || y0->dtype != VFI_F32 || y1->dtype != VFI_F32)
    return vfi_graph_fail (g, "evidence", VFI_ERROR_SHAPE, "the pictures are %d x %d x %d and %d x %d x %d, not equal, 1 channel, fp32",
                           y0->h, y0->w, y0->c, y1->h, y1->w, y1->c);
  if (time->dtype != VFI_F32 || time->h != 1 || time->w != 1 || time->c != 1)
    return vfi_graph_fail (g, "evidence", VFI_ERROR_SHAPE, "the time is not 1 x 1 x 1, fp32");
  if (motion->dtype != VFI_F32 || 2 * motion->h != y0->h || 2 * motion->w != y0->w || (motion->c != 2 && motion->c < 4))
    return vfi_graph_fail (g, "evidence", VFI_ERROR_SHAPE, "the motion is %d x %d x %d, not half of %d x %d x 2, or x 4 or more, fp32",
                           motion->h, motion->w, motion->c, y0->h, y0->w);
  if (within && !vfi_tensor_is_within (within))
    return vfi_graph_fail (g, "evidence", VFI_ERROR_SHAPE, "what is within is not 1 x 1 x 4, fp32");
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_evidence, "evidence", NULL, 0, src, n, VFI_F32, motion->h, motion->w, 1));
}
