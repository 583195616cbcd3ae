/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator scale, and what makes tensors fit for a convolution. Eight channels to a thread where they may be written at once; what is dense on both sides is
 * taken as if it had eight channels.
 */
#include "device.h"

/* Channels that src has not got are 0. */
static __device__ float
value (const View &src, const float *gain, int p, int c)
{
  return c < src.c ? (gain ? gain[c] : 1) * get (src, p, c) : 0;
}

static __global__ void
scale (View src, const float *gain, View dst)
{
  const Element e = element (dst);

  if (e.valid)
    set (dst, e.p, e.c, value (src, gain, e.p, e.c));
}

/* whole: src is wide, too, and without gain. */
static __global__ void
scale_wide (View src, int whole, const float *gain, View dst)
{
  const Element e = element (dst, WIDE);
  float v[WIDE];

  if (!e.valid)
    return;
  if (whole)
    load (src, e.p, e.c, v);
  else
    for (int i = 0; i < WIDE; i++)
      v[i] = value (src, gain, e.p, e.c + i);
  store (v, dst, e.p, e.c);
}

static void
launch (VfiCuda *cuda, VfiView src, const float *gain, VfiView dst)
{
  const int n = dst.h * dst.w * dst.c;

  if (!gain && src.ld == src.c && dst.ld == dst.c && src.c == dst.c && n % WIDE == 0 && src.cd == 1 && dst.cd == 1) {
    src.h = dst.h = 1;
    src.w = dst.w = n / WIDE;
    src.c = dst.c = src.ld = dst.ld = WIDE;
  }
  if (wide (&dst))
    vfi_launch_wide (cuda, dst, scale_wide, View (src), !gain && src.c >= dst.c && wide (&src), gain, View (dst));
  else
    vfi_launch_elements (cuda, dst, scale, View (src), gain, View (dst));
}

void
vfi_cuda_fit (VfiCuda *cuda, const VfiView *src, const VfiView *dst)
{
  launch (cuda, *src, NULL, *dst);
}

/* The gains on the device; NULL where all are 1. */
static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiScaleParams *p = (const VfiScaleParams *) node->params;

  return p->identity ? NULL : vfi_cuda_buffer_new ((VfiCuda *) b, p->gain, src->c * sizeof (float), error);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiCudaBuffer *gain = (const VfiCudaBuffer *) state;

  launch ((VfiCuda *) b, *src, gain ? (const float *) gain->data : NULL, *dst);
}

const VfiKernel vfi_cuda_scale = { &vfi_op_scale, vfi_cuda_supports, prepare, run, vfi_cuda_buffer_free };
