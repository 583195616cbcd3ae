/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator warp. Eight channels to a thread where tensors are aligned for it: 16 bytes of fp16 at a time; all of them where they are few.
 */
#include "device.h"

#define FEW 6 /* channels, and fewer */

/* Where pixel p comes from; gain as in the operator. */
static __device__ void
source (const View &flow, const View &time, int side, int p, Tap *y, Tap *x)
{
  const float t = time.data ? get (time, 0) : 0, gain = !time.data ? 1 : side ? 1 - t : -t;

  *x = tap (p % flow.w + gain * get (flow, p, 0), flow.w);
  *y = tap (p / flow.w + gain * get (flow, p, 1), flow.h);
}

/* each: as dst, with the channels that are taken by threads of their own. */
static __global__ void
warp (View src, View flow, View time, int side, View each, View dst)
{
  const Element e = element (each);
  Tap y, x;

  if (!e.valid)
    return;
  source (flow, time, side, e.p, &y, &x);
  for (int c = e.c; c < dst.c; c += each.c)
    set (dst, e.p, c, bilinear (src, y, x, c));
}

template <typename T>
static __global__ void
warp_wide (View src, View flow, View time, int side, View dst)
{
  const Element e = element (dst, WIDE);
  const T *from = (const T *) src.data + e.c;
  float sum[WIDE] = { 0 };
  Tap y, x;

  if (!e.valid)
    return;
  source (flow, time, side, e.p, &y, &x);
  add (from + (y.i * src.w + x.i) * src.ld, (1 - y.f) * (1 - x.f), sum);
  add (from + (y.i * src.w + x.j) * src.ld, (1 - y.f) * x.f, sum);
  add (from + (y.j * src.w + x.i) * src.ld, y.f * (1 - x.f), sum);
  add (from + (y.j * src.w + x.j) * src.ld, y.f * x.f, sum);
  store (sum, (T *) dst.data + e.p * dst.ld + e.c);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiWarpParams *p = (const VfiWarpParams *) node->params;
  const View x = src[0], flow = src[1], time = p->timed ? View (src[2]) : View (), y = *dst;
  VfiCuda *cuda = (VfiCuda *) b;
  VfiView each = *dst;

  if (dst->c <= FEW)
    each.c = 1;
  if (!wide (&src[0]) || !wide (dst))
    vfi_launch_elements (cuda, each, warp, x, flow, time, p->side, View (each), y);
  else if (x.half)
    vfi_launch_wide (cuda, *dst, warp_wide<unsigned short>, x, flow, time, p->side, y);
  else
    vfi_launch_wide (cuda, *dst, warp_wide<float>, x, flow, time, p->side, y);
}

const VfiKernel vfi_cuda_warp = { &vfi_op_warp, vfi_cuda_supports, NULL, run, NULL };
