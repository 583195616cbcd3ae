/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator shear.
 */
#include "device.h"

static __device__ float
get_or_zero (const View &v, int y, int x, int c)
{
  return y >= 0 && y < v.h && x >= 0 && x < v.w ? get (v, y * v.w + x, c) : 0;
}

static __global__ void
shear (View cost, View time, int radius, View dst)
{
  const Element e = element (dst);
  const int side = 2 * radius + 1;
  const float s = 1 - 2 * get (time, 0), dy = s * (e.c / side - radius), dx = s * (e.c % side - radius);
  const float fy = dy - floorf (dy), fx = dx - floorf (dx);
  const int y = e.p / dst.w + (int) floorf (dy), x = e.p % dst.w + (int) floorf (dx);

  if (!e.valid)
    return;
  const float top = (1 - fx) * get_or_zero (cost, y, x, e.c) + fx * get_or_zero (cost, y, x + 1, e.c);
  const float bottom = (1 - fx) * get_or_zero (cost, y + 1, x, e.c) + fx * get_or_zero (cost, y + 1, x + 1, e.c);
  set (dst, e.p, e.c, (1 - fy) * top + fy * bottom);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const int radius = ((const VfiCorrelationParams *) node->params)->radius;

  vfi_launch_elements ((VfiCuda *) b, *dst, shear, View (src[0]), View (src[1]), radius, View (*dst));
}

const VfiKernel vfi_cuda_shear = { &vfi_op_shear, vfi_cuda_supports, NULL, run, NULL };
