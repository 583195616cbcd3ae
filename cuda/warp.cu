/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator warp. Eight channels to a thread where tensors are aligned for it: 16 bytes of fp16 at a time; all of them where they are few, of a flow both at once.
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

/* Two numbers that lie side by side, at the taps. */
static __global__ void
warp_pairs (View src, View flow, View time, int side, View dst)
{
  const int p = blockIdx.x * blockDim.x + threadIdx.x;
  const float2 *from = static_cast<const float2 *> (src.data);
  Tap y, x;

  if (p >= dst.h * dst.w)
    return;
  source (flow, time, side, p, &y, &x);
  const int ld = src.ld / 2;
  const float2 a = from[(y.i * src.w + x.i) * ld], b = from[(y.i * src.w + x.j) * ld], c = from[(y.j * src.w + x.i) * ld],
               d = from[(y.j * src.w + x.j) * ld];
  static_cast<float2 *> (dst.data)[p * (dst.ld / 2)] =
      make_float2 ((1 - y.f) * ((1 - x.f) * a.x + x.f * b.x) + y.f * ((1 - x.f) * c.x + x.f * d.x),
                   (1 - y.f) * ((1 - x.f) * a.y + x.f * b.y) + y.f * ((1 - x.f) * c.y + x.f * d.y));
}

static bool
pairs (const VfiView *v)
{
  return v->dtype == VFI_F32 && v->c == 2 && v->cd == 1 && v->ld % 2 == 0 && (gsize) v->data % sizeof (float2) == 0;
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
  if (pairs (&src[0]) && pairs (dst))
    vfi_launch (cuda, blocks ((size_t) dst->h * dst->w, 256), 256, 0, warp_pairs, x, flow, time, p->side, y);
  else if (!wide (&src[0]) || !wide (dst))
    vfi_launch_elements (cuda, each, warp, x, flow, time, p->side, View (each), y);
  else if (x.half)
    vfi_launch_wide (cuda, *dst, warp_wide<unsigned short>, x, flow, time, p->side, y);
  else
    vfi_launch_wide (cuda, *dst, warp_wide<float>, x, flow, time, p->side, y);
}

const VfiKernel vfi_cuda_warp = { &vfi_op_warp, vfi_cuda_supports, NULL, run, NULL };
