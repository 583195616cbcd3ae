/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator pixel_shuffle: a thread for each channel of the result at each pixel of the source, which writes a square of pixels.
 */
#include "device.h"

/* each: as the source, with the channels of the result. */
static __global__ void
shuffle (View src, View each, int r, View dst)
{
  const Element e = element (each);
  const int y = e.p / src.w * r, x = e.p % src.w * r;

  for (int i = 0; i < r && e.valid; i++)
    for (int j = 0; j < r; j++)
      set (dst, (y + i) * dst.w + x + j, e.c, get (src, e.p, (e.c * r + i) * r + j));
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const int r = ((const VfiPixelShuffleParams *) node->params)->r;
  VfiView each = *src;

  each.c = dst->c;
  vfi_launch_elements ((VfiCuda *) b, each, shuffle, View (*src), View (each), r, View (*dst));
}

const VfiKernel vfi_cuda_pixel_shuffle = { &vfi_op_pixel_shuffle, vfi_cuda_supports, NULL, run, NULL };
