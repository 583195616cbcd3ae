/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A frame's area (core/frame.h): a block for each edge looks at one line after the other until it knows; then a thread for each pixel fills those of bars.
 */
#include "area.h"
#include "device.h"

#define THREADS 256
#define LUMA 4 /* channels */

/* Sample j of line i from one edge. */
static __device__ float
luma_at (const View &x, int side, int i, int j)
{
  const bool rows = side == VFI_TOP || side == VFI_BOTTOM;
  const int line = side == VFI_TOP || side == VFI_LEFT ? i : (rows ? x.h : x.w) - 1 - i;
  const int row = rows ? line : j / LUMA, column = rows ? j / LUMA : line;

  return get (x, row * x.w + column, j % LUMA);
}

static __global__ void
__launch_bounds__ (THREADS) find (View x, int begins, float *bars)
{
  const int side = blockIdx.x, thread = threadIdx.x, before = vfi_bar_before (bars, begins, side);
  const bool rows = side == VFI_TOP || side == VFI_BOTTOM;
  const int lines = (int) (VFI_BAR_MOST * (rows ? x.h : x.w)), samples = LUMA * (rows ? x.w : x.h);
  const float level = luma_at (x, side, 0, 0);
  VfiBar bar = { 0, 0 };
  SHARED (int, count); /* of each thread: what is unlike, and what is bright */

  for (int i = 0; i < lines && level <= VFI_BAR_DARK; i++) {
    int unlike = 0, bright = 0;

    for (int j = thread; j < samples; j += THREADS) {
      const float more = luma_at (x, side, i, j) - level;

      unlike += !(fabsf (more) <= VFI_BAR_ALIKE);
      bright += more > VFI_BAR_BRIGHT;
    }
    count[thread] = unlike;
    count[THREADS + thread] = bright;
    __syncthreads ();
    for (int n = THREADS / 2; n; n /= 2) {
      if (thread < n) {
        count[thread] += count[thread + n];
        count[THREADS + thread] += count[THREADS + thread + n];
      }
      __syncthreads ();
    }
    unlike = count[0];
    bright = count[THREADS];
    __syncthreads ();
    if (!vfi_bar_line (&bar, before, i, samples, unlike, bright))
      break;
  }
  if (thread == 0)
    bars[VFI_BARS_FOUND + side] = (float) bar.bar;
}

static __global__ void
next (int h, int w, int begins, float *bars, float *area)
{
  vfi_bars_next (bars, begins, h, w, area);
}

static __global__ void
__launch_bounds__ (THREADS) fill (View x, const float *area)
{
  const int p = blockIdx.x * THREADS + threadIdx.x, row = p / x.w, column = p % x.w;
  const int y = max ((int) area[VFI_TOP], min (row, (int) area[VFI_BOTTOM] - 1));
  const int from = max ((int) area[VFI_LEFT], min (column, (int) area[VFI_RIGHT] - 1));

  if (row < x.h && (y != row || from != column))
    for (int c = 0; c < x.c; c++)
      set (x, p, c, get (x, y * x.w + from, c));
}

void
vfi_cuda_area (VfiCuda *cuda, const VfiView *x, gboolean begins, const VfiView *bars, const VfiView *area)
{
  float *known = (float *) bars->data, *to = (float *) area->data;

  vfi_launch (cuda, VFI_SIDES, THREADS, 2 * THREADS * sizeof (int), find, View (*x), begins, known);
  vfi_launch (cuda, 1, 1, 0, next, x->h, x->w, begins, known, to);
  vfi_launch (cuda, blocks ((gsize) x->h * x->w, THREADS), THREADS, 0, fill, View (*x), (const float *) to);
}

/* Operator within. */
static __global__ void
within (View area0, View area1, int h, int w, View dst)
{
  set (dst, 0, threadIdx.x, vfi_within_side (get (area0, 0, threadIdx.x), get (area1, 0, threadIdx.x), threadIdx.x, h, w));
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiWithinParams *p = (const VfiWithinParams *) node->params;

  vfi_launch ((VfiCuda *) b, 1, VFI_SIDES, 0, within, View (src[0]), View (src[1]), p->h, p->w, View (*dst));
}

const VfiKernel vfi_cuda_within = { &vfi_op_within, vfi_cuda_supports, NULL, run, NULL };
