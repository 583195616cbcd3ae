/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bridge: each pixel looks for the known ones nearest to it. Its pictures are small.
 */
#include "device.h"

/* Channel c of pixel `at` of a line of n pixels that are `step` apart and begin at `first`. */
static __device__ bool
across (const View &src, int first, int step, int at, int n, int c, float enough, float *v)
{
  const int count = src.c - 1;
  int a = at, b = at;

  while (a >= 0 && !(get (src, first + a * step, count) > enough))
    a--;
  while (b < n && !(get (src, first + b * step, count) > enough))
    b++;
  if (a < 0 && b == n)
    return false;
  const int pa = first + (a < 0 ? b : a) * step, pb = first + (b == n ? a : b) * step;
  const float va = get (src, pa, c) / get (src, pa, count), vb = get (src, pb, c) / get (src, pb, count);
  *v = a < b ? va + (float) (at - a) / (b - a) * (vb - va) : va;
  return true;
}

static __global__ void
bridge (View src, float enough, View dst)
{
  const Element e = element (dst);

  if (!e.valid)
    return;
  const int n = src.c - 1, y = e.p / dst.w, x = e.p % dst.w, c = e.c % n;
  float v = 0;
  for (int turn = 0; turn < 2; turn++)
    if ((e.c < n) == (turn == 0) ? across (src, y * src.w, 1, x, src.w, c, enough, &v) : across (src, x, src.w, y, src.h, c, enough, &v))
      break;
  set (dst, e.p, e.c, v);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, bridge, View (*src), ((const VfiBridgeParams *) node->params)->enough, View (*dst));
}

const VfiKernel vfi_cuda_bridge = { &vfi_op_bridge, vfi_cuda_supports, NULL, run, NULL };
