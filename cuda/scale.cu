/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator scale.
 */
#include "device.h"

static __global__ void
scale (View src, const float *gain, View dst)
{
  const Element e = element (dst);

  if (e.valid)
    set (dst, e.p, e.c, (gain ? gain[e.c] : 1) * get (src, e.p, e.c));
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

  vfi_launch_elements ((VfiCuda *) b, *dst, scale, View (*src), gain ? (const float *) gain->data : NULL, View (*dst));
}

const VfiKernel vfi_cuda_scale = { &vfi_op_scale, vfi_cuda_supports, prepare, run, vfi_cuda_buffer_free };
