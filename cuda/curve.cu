/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator curve: a thread for each pixel.
 */
#include "curve.h"

#include "device.h"

static __device__ void
flow_at (const View &flow, float y, float x, float v[2])
{
  const Tap ty = tap (y, flow.h), tx = tap (x, flow.w);

  for (int c = 0; c < 2; c++)
    v[c] = bilinear (flow, ty, tx, c);
}

static __global__ void
curve (View now, View before, View after, View time, View lasts, View dst)
{
  const int p = blockIdx.x * blockDim.x + threadIdx.x, y = p / dst.w, x = p % dst.w;
  const float t = get (time, 0), r0 = get (lasts, 0), r1 = get (lasts, 1), k = 1.f / VFI_BEND_GRID;
  float u[2], v[2], w[2], a[2][2] = { { 0, 0 }, { 0, 0 } };

  if (p >= dst.h * dst.w)
    return;
  vfi_curve_weights (t, r0, r1, w);
  flow_at (now, y, x, v);
  flow_at (now, y - k * t * v[1], x - k * t * v[0], u);
  if (w[0] > 0) {
    flow_at (before, y - k * (t + r0) * u[1], x - k * (t + r0) * u[0], v);
    flow_at (before, y - k * (t * u[1] + v[1]), x - k * (t * u[0] + v[0]), v);
    vfi_curve_change (v[0] / r0, v[1] / r0, u[0], u[1], r0, a[0]);
  }
  if (w[1] > 0) {
    flow_at (after, y + k * (1 - t) * u[1], x + k * (1 - t) * u[0], v);
    vfi_curve_change (u[0], u[1], v[0] / r1, v[1] / r1, r1, a[1]);
  }
  for (int c = 0; c < 2; c++)
    set (dst, p, c, w[0] * a[0][c] + w[1] * a[1][c]);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch ((VfiCuda *) b, blocks (dst->h * dst->w, 128), 128, 0, curve, View (src[0]), View (src[1]), View (src[2]), View (src[3]),
              View (src[4]), View (*dst));
}

const VfiKernel vfi_cuda_curve = { &vfi_op_curve, vfi_cuda_supports, NULL, run, NULL };
