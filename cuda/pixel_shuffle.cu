/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator pixel_shuffle.
 */
#include "device.h"

static __global__ void
shuffle (View src, int r, View dst)
{
  const Element e = element (dst);
  const int y = e.p / dst.w, x = e.p % dst.w;

  if (e.valid)
    set (dst, e.p, e.c, get (src, y / r * src.w + x / r, (e.c * r + y % r) * r + x % r));
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const int r = ((const VfiPixelShuffleParams *) node->params)->r;

  vfi_launch_elements ((VfiCuda *) b, *dst, shuffle, View (*src), r, View (*dst));
}

const VfiKernel vfi_cuda_pixel_shuffle = { &vfi_op_pixel_shuffle, vfi_cuda_supports, NULL, run, NULL };
