/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator resize: a thread for each number of the result, or, where it is planar, for each pixel.
 */
#include "device.h"

/* each: as dst, with the channels that are taken by threads of their own. detail: without data where there is none. */
static __global__ void
resize (View src, View detail, const float *gain, int s, View each, View dst)
{
  const Element e = element (each);
  const int y = e.p / dst.w, x = e.p % dst.w, from = y / s * src.w + x / s, first = y % s * s + x % s;
  const Tap ty = tap ((y + 0.5f) / s - 0.5f, src.h), tx = tap ((x + 0.5f) / s - 0.5f, src.w);

  for (int c = e.c; e.valid && c < dst.c; c += each.c) {
    float v = gain[c] * bilinear (src, ty, tx, c);

    if (detail.data)
      v += get (detail, from, c * s * s + first);
    set (dst, e.p, c, v);
  }
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiResizeParams *p = (const VfiResizeParams *) node->params;

  return vfi_cuda_buffer_new ((VfiCuda *) b, p->gain, src->c * sizeof (float), error);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiResizeParams *p = (const VfiResizeParams *) node->params;
  const float *gain = (const float *) ((const VfiCudaBuffer *) state)->data;
  VfiView each = *dst;

  if (dst->cd != 1)
    each.c = 1;
  vfi_launch_elements ((VfiCuda *) b, each, resize, View (src[0]), p->detail ? View (src[1]) : View (), gain, p->scale, View (each),
                       View (*dst));
}

const VfiKernel vfi_cuda_resize = { &vfi_op_resize, vfi_cuda_supports, prepare, run, vfi_cuda_buffer_free };
