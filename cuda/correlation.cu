/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator correlation. A block answers for a square of pixels; what it needs of both sources, with a border as wide as the radius,
 * passes through shared memory a few channels at a time, 0 outside the picture.
 */
#include "device.h"

#define TILE 16
#define CHANNELS 8 /* at a time: two float4 */

static __device__ float
dot (const float4 &a, const float4 &b)
{
  return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}

/* Channel c of pixel (y, x), 0 where there is none. */
static __device__ float
get_or_zero (const View &v, int y, int x, int c)
{
  return y >= 0 && y < v.h && x >= 0 && x < v.w && c < v.c ? get (v, y * v.w + x, c) : 0;
}

template <int R, bool ONE_SIDED>
static __global__ void
__launch_bounds__ (TILE *TILE, 2) correlate_tile (View a, View b, View dst)
{
  const int side = TILE + 2 * R, area = side * side, n = 2 * R + 1;
  const int y0 = blockIdx.y * TILE, x0 = blockIdx.x * TILE, ty = threadIdx.x / TILE, tx = threadIdx.x % TILE;
  const int here = (ty + R) * side + tx + R;
  SHARED (float4, tile_a); /* CHANNELS / 4 planes of area pixels */
  float4 *tile_b = tile_a + CHANNELS / 4 * area;
  float sum[n * n];

  for (int d = 0; d < n * n; d++)
    sum[d] = 0;
  for (int first = 0; first < a.c; first += CHANNELS) {
    __syncthreads ();
    for (int i = threadIdx.x; i < area * CHANNELS; i += TILE * TILE) {
      const int c = i % CHANNELS, p = i / CHANNELS, y = y0 - R + p / side, x = x0 - R + p % side;
      const int at = (c / 4 * area + p) * 4 + c % 4;

      ((float *) tile_a)[at] = get_or_zero (a, y, x, first + c);
      ((float *) tile_b)[at] = get_or_zero (b, y, x, first + c);
    }
    __syncthreads ();
    for (int q = 0; q < CHANNELS / 4; q++)
#pragma unroll
      for (int d = 0; d < n * n; d++) {
        const int step = (d / n - R) * side + d % n - R;

        sum[d] += dot (tile_a[q * area + here - (ONE_SIDED ? 0 : step)], tile_b[q * area + here + step]);
      }
  }
  if (y0 + ty < dst.h && x0 + tx < dst.w)
#pragma unroll
    for (int d = 0; d < n * n; d++)
      set (dst, (y0 + ty) * dst.w + x0 + tx, d, sum[d] / a.c);
}

/* Any radius: a thread for each sum. */
static __global__ void
correlate (View a, View b, int radius, int of_a, View dst)
{
  const Element e = element (dst);
  const int side = 2 * radius + 1, dy = e.c / side - radius, dx = e.c % side - radius, y = e.p / dst.w, x = e.p % dst.w;
  float sum = 0;

  if (!e.valid)
    return;
  for (int c = 0; c < a.c; c++)
    sum += get_or_zero (a, y + of_a * dy, x + of_a * dx, c) * get_or_zero (b, y + dy, x + dx, c);
  set (dst, e.p, e.c, sum / a.c);
}

template <int R>
static void
run_tiles (VfiCuda *cuda, gboolean one_sided, const VfiView *src, const VfiView *dst)
{
  const size_t shared = sizeof (float) * 2 * CHANNELS * (TILE + 2 * R) * (TILE + 2 * R);
  const dim3 grid (blocks (dst->w, TILE), blocks (dst->h, TILE));

  vfi_launch (cuda, grid, TILE * TILE, shared, one_sided ? correlate_tile<R, true> : correlate_tile<R, false>, View (src[0]), View (src[1]),
              View (*dst));
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiCorrelationParams *p = (const VfiCorrelationParams *) node->params;
  VfiCuda *cuda = (VfiCuda *) b;

  switch (p->radius) {
    case 1:
      run_tiles<1> (cuda, p->one_sided, src, dst);
      break;
    case 2:
      run_tiles<2> (cuda, p->one_sided, src, dst);
      break;
    case 3:
      run_tiles<3> (cuda, p->one_sided, src, dst);
      break;
    case 4:
      run_tiles<4> (cuda, p->one_sided, src, dst);
      break;
    default:
      vfi_launch_elements (cuda, *dst, correlate, View (src[0]), View (src[1]), p->radius, p->one_sided ? 0 : -1, View (*dst));
  }
}

const VfiKernel vfi_cuda_correlation = { &vfi_op_correlation, vfi_cuda_supports, NULL, run, NULL };
