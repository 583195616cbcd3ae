/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator overlay: a thread for each pixel, twice, as the result may lie where what was before lies.
 */
#include "overlay.h"

#include "device.h"

#define THREADS 256

static __global__ void
count (View y0, View y1, View flow, View follows, View before, View dst)
{
  const int p = blockIdx.x * blockDim.x + threadIdx.x, y = p / dst.w, x = p % dst.w;

  if (p >= dst.h * dst.w)
    return;
  const float here = get (y1, p, 0);
  const float k = static_cast<float> (dst.w) / flow.w;
  const Tap ty = tap ((y + 0.5f) / k - 0.5f, flow.h), tx = tap ((x + 0.5f) / k - 0.5f, flow.w);
  const float u = bilinear (flow, ty, tx, 0), v = bilinear (flow, ty, tx, 1);
  const float moves = fabsf (bilinear (y0, tap (y - v, y0.h), tap (x - u, y0.w), 0) - here);

  set (dst, p, 0, vfi_overlay_count (get (follows, 0) > 0 ? get (before, p, 0) : 0, fabsf (get (y0, p, 0) - here), moves));
}

static __global__ void
prove (View dst)
{
  const int p = blockIdx.x * blockDim.x + threadIdx.x, y = p / dst.w, x = p % dst.w;
  float most = 0;

  if (p >= dst.h * dst.w)
    return;
  for (int i = -1; i <= 1; i++)
    for (int k = -1; k <= 1; k++)
      most = fmaxf (most, get (dst, clamped (y + i, dst.h) * dst.w + clamped (x + k, dst.w), 0));
  set (dst, p, 1, vfi_overlay_proven (most));
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const int n = blocks (dst->h * dst->w, THREADS);

  vfi_launch ((VfiCuda *) b, n, THREADS, 0, count, View (src[0]), View (src[1]), View (src[2]), View (src[3]), View (src[4]), View (*dst));
  vfi_launch ((VfiCuda *) b, n, THREADS, 0, prove, View (*dst));
}

const VfiKernel vfi_cuda_overlay = { &vfi_op_overlay, vfi_cuda_supports, NULL, run, NULL };
