/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * exposure: by how much brightness changed from one picture to the next, as fades, flicker and cameras change it: all of it alike.
 *
 *   gain   (std of y0 + FLAT) / (std of y1 + FLAT), clamped to 1 / MOST .. MOST:  motion hardly changes either
 *   bias   mean of y0 - gain (mean of y1)
 *   r      (mean of | gain y1 + bias - y0 | + DIM) / (mean of | y1 - y0 | + DIM)
 *   k      (UNLIKE - r) / (UNLIKE - LIKE), clamped to 0..1:  0 where that explains little of the difference, which then is motion
 *          0 as well for pictures of less than PIXELS
 *   dst    1 + k (gain - 1), k bias:  what makes y1 as bright as y0 (expose)
 *
 * For small pictures, in which motion of things is small.
 */
#include "exposure.h"

#include <math.h>

#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const double n = (double) src->h * src->w;
  double mean[2] = { 0, 0 }, squares[2] = { 0, 0 }, std[2], left = 0, there = 0, gain, bias, r, k;

  for (int i = 0; i < 2; i++) {
    for (int y = 0; y < src->h; y++)
      for (int x = 0; x < src->w; x++) {
        const double v = vfi_view_get (&src[i], y, x, 0);

        mean[i] += v / n;
        squares[i] += v * v / n;
      }
    std[i] = sqrt (MAX (squares[i] - mean[i] * mean[i], 0)) + VFI_EXPOSURE_FLAT;
  }
  gain = CLAMP (std[0] / std[1], 1 / VFI_EXPOSURE_MOST, VFI_EXPOSURE_MOST);
  bias = mean[0] - gain * mean[1];
  for (int y = 0; y < src->h; y++)
    for (int x = 0; x < src->w; x++) {
      const double a = vfi_view_get (&src[0], y, x, 0), b = vfi_view_get (&src[1], y, x, 0);

      left += fabs (gain * b + bias - a) / n;
      there += fabs (b - a) / n;
    }
  r = (left + VFI_EXPOSURE_DIM) / (there + VFI_EXPOSURE_DIM);
  k = n < VFI_EXPOSURE_PIXELS ? 0 : CLAMP ((VFI_EXPOSURE_UNLIKE - r) / (VFI_EXPOSURE_UNLIKE - VFI_EXPOSURE_LIKE), 0, 1);
  vfi_view_set (dst, 0, 0, 0, (float) (1 + k * (gain - 1)));
  vfi_view_set (dst, 0, 0, 1, (float) (k * bias));
}

const VfiOp vfi_op_exposure = { "exposure", .reference = reference };

VfiTensor *
vfi_exposure (VfiGraph *g, VfiTensor *y0, VfiTensor *y1)
{
  VfiTensor *src[] = { y0, y1 };

  if (!vfi_graph_ready (g, "exposure", src, 2))
    return vfi_graph_dummy (g);
  if (y0->c != 1 || y1->c != 1 || y1->h != y0->h || y1->w != y0->w || y0->dtype != VFI_F32 || y1->dtype != VFI_F32)
    return vfi_graph_fail (g, "exposure", VFI_ERROR_SHAPE, "the pictures are %d x %d x %d and %d x %d x %d, not equal, 1 channel, fp32",
                           y0->h, y0->w, y0->c, y1->h, y1->w, y1->c);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_exposure, "exposure", NULL, 0, src, 2, VFI_F32, 1, 1, 2));
}
