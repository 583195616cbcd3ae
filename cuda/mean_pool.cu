/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator mean_pool.
 */
#include "device.h"

static __global__ void
pool (View src, int k, View dst)
{
  const Element e = element (dst);
  const int y = e.p / dst.w, x = e.p % dst.w;
  float sum = 0;

  if (!e.valid)
    return;
  for (int i = 0; i < k; i++)
    for (int j = 0; j < k; j++)
      for (int c = 0; c < src.c; c++)
        sum += get (src, (y * k + i) * src.w + x * k + j, c);
  set (dst, e.p, 0, sum / (k * k * src.c));
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, pool, View (*src), ((const VfiMeanPoolParams *) node->params)->k, View (*dst));
}

const VfiKernel vfi_cuda_mean_pool = { &vfi_op_mean_pool, vfi_cuda_supports, NULL, run, NULL };
