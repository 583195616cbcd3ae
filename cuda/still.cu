/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator still. A block answers for a rectangle of pixels: what is summed goes to shared memory, with as wide a border as the sums look over, then its sums down columns.
 */
#include "device.h"
#include "still.h"

#define WINDOW VFI_STILL_WINDOW
#define SIDE (2 * WINDOW + 1)
#define TILE_W 32
#define TILE_H 16
#define PART_W (TILE_W + 2 * WINDOW)
#define PART_H (TILE_H + 2 * WINDOW)
#define THREADS 256
#define SUMS 4 /* of g d, g g, d, e */

/* Of all sums, one after the other. */
struct Shared
{
  float product[SUMS][PART_H * PART_W], column[SUMS][TILE_H * PART_W];
};

/* |dx| + |dy| at pixel (y, x). */
static __device__ float
gradient (const View &v, int y, int x)
{
  const int up = clamped (y - 1, v.h) * v.w + x, down = clamped (y + 1, v.h) * v.w + x;
  const int left = y * v.w + clamped (x - 1, v.w), right = y * v.w + clamped (x + 1, v.w);

  return 0.5f * (fabsf (get (v, right, 0) - get (v, left, 0)) + fabsf (get (v, down, 0) - get (v, up, 0)));
}

static __global__ void
__launch_bounds__ (THREADS) still (View y0, View y1, View flow, View overlay, View dst)
{
  const int top = blockIdx.y * TILE_H, first = blockIdx.x * TILE_W;
  SHARED (Shared, shared);

  for (int i = threadIdx.x; i < PART_H * PART_W; i += THREADS) {
    const int y = clamped (top - WINDOW + i / PART_W, dst.h), x = clamped (first - WINDOW + i % PART_W, dst.w), p = y * dst.w + x;
    const float g = fminf (gradient (y0, y, x), gradient (y1, y, x));

    const float here = get (y0, p, 0), d = fabsf (here - get (y1, p, 0));

    shared->product[0][i] = g * d;
    shared->product[1][i] = g * g;
    shared->product[2][i] = d;
    const float to_y = y + get (flow, p, 1), to_x = x + get (flow, p, 0);
    shared->product[3][i] = inside (to_y, to_x, y1.h, y1.w) * fabsf (here - bilinear (y1, tap (to_y, y1.h), tap (to_x, y1.w), 0));
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < SUMS * TILE_H * PART_W; i += THREADS) {
    const int k = i / (TILE_H * PART_W), at = i % (TILE_H * PART_W);
    float sum = 0;

#pragma unroll
    for (int j = 0; j < SIDE; j++)
      sum += shared->product[k][at + j * PART_W];
    shared->column[k][at] = sum;
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < TILE_H * TILE_W; i += THREADS) {
    const int y = top + i / TILE_W, x = first + i % TILE_W, at = i / TILE_W * PART_W + i % TILE_W;
    float mean[SUMS];

    if (y >= dst.h || x >= dst.w)
      continue;
    for (int k = 0; k < SUMS; k++) {
      mean[k] = 0;
#pragma unroll
      for (int j = 0; j < SIDE; j++)
        mean[k] += shared->column[k][at + j];
      mean[k] /= SIDE * SIDE;
    }
    const float v = (mean[0] + VFI_STILL_DARK) / (mean[1] + VFI_STILL_FLAT);
    const float b = VFI_STILL_BETTER * (1 - (mean[2] + VFI_STILL_DIM) / (mean[3] + VFI_STILL_DIM));
    const int p = y * dst.w + x;

    set (dst, p, 0, fmaxf (clampf ((VFI_STILL_MOVING - v) / (VFI_STILL_MOVING - VFI_STILL), 0, 1) * clampf (b, 0, 1), get (overlay, p, 0)));
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch ((VfiCuda *) b, dim3 (blocks (dst->w, TILE_W), blocks (dst->h, TILE_H)), THREADS, sizeof (Shared), still, View (src[0]),
              View (src[1]), View (src[2]), View (src[3]), View (*dst));
}

const VfiKernel vfi_cuda_still = { &vfi_op_still, vfi_cuda_supports, NULL, run, NULL };
