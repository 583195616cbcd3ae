/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator opinions: a thread for each pixel.
 */
#include "device.h"
#include "frame.h"

#define THREADS 256

static __global__ void
opinions (View state, View evidence, View flows, float trust, View dst)
{
  const int p = blockIdx.x * blockDim.x + threadIdx.x, n = evidence.c;
  float z[VFI_MAX_OPINIONS], most = -INFINITY, sum = 0;

  if (p >= dst.h * dst.w)
    return;
#pragma unroll
  for (int k = 0; k < VFI_MAX_OPINIONS; k++)
    if (k < n) {
      z[k] = get (evidence, p, k);
      most = fmaxf (most, z[k]);
    }
#pragma unroll
  for (int k = 0; k < VFI_MAX_OPINIONS; k++)
    if (k < n)
      sum += z[k] = expf (z[k] - most);
  for (int c = 0; c < 4; c++)
    set (dst, p, c, get (state, p, c));
  set (dst, p, 4, trust * get (state, p, 4));
#pragma unroll
  for (int k = 1; k < VFI_MAX_OPINIONS; k++)
    if (k < n) {
      set (dst, p, 3 * k + 2, z[k] / sum);
      set (dst, p, 3 * k + 3, get (flows, p, 2 * k - 2));
      set (dst, p, 3 * k + 4, get (flows, p, 2 * k - 1));
    }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  vfi_launch ((VfiCuda *) b, blocks ((size_t) dst->h * dst->w, THREADS), THREADS, 0, opinions, View (src[0]), View (src[1]), View (src[2]),
              ((const VfiOpinions *) node->params)->trust, View (*dst));
}

const VfiKernel vfi_cuda_opinions = { &vfi_op_opinions, vfi_cuda_supports, NULL, run, NULL };
