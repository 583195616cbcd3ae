/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator correlation. A block answers for a square of pixels; what it needs of both sources, with a border as wide as the radius,
 * passes through shared memory a few channels at a time, 0 outside the picture. Small pictures are cut into small squares, so that there are blocks
 * for the whole device.
 */
#include "device.h"

#define CHANNELS WIDE /* at a time: two float4 */
#define FEW_BLOCKS 264

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

/* Eight channels of pixel (y, x) from c on; vectors: v is wide (). */
static __device__ void
eight (const View &v, bool vectors, int y, int x, int c, float4 *low, float4 *high)
{
  float to[CHANNELS] = { 0 };

  if (!vectors)
    for (int i = 0; i < CHANNELS; i++)
      to[i] = get_or_zero (v, y, x, c + i);
  else if (y >= 0 && y < v.h && x >= 0 && x < v.w) {
    if (v.half)
      add (static_cast<const unsigned short *> (v.data) + (y * v.w + x) * v.ld + c, 1, to);
    else
      add (static_cast<const float *> (v.data) + (y * v.w + x) * v.ld + c, 1, to);
  }
  *low = make_float4 (to[0], to[1], to[2], to[3]);
  *high = make_float4 (to[4], to[5], to[6], to[7]);
}

template <int R, bool ONE_SIDED, int TILE>
static __global__ void
__launch_bounds__ (TILE *TILE, 2) correlate_tile (View a, View b, bool vectors, View dst)
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
    for (int p = threadIdx.x; p < area; p += TILE * TILE) {
      const int y = y0 - R + p / side, x = x0 - R + p % side;

      eight (a, vectors, y, x, first, &tile_a[p], &tile_a[area + p]);
      eight (b, vectors, y, x, first, &tile_b[p], &tile_b[area + p]);
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

template <int R, int TILE>
static void
run_squares (VfiCuda *cuda, gboolean one_sided, const VfiView *src, const VfiView *dst)
{
  const size_t shared = sizeof (float) * 2 * CHANNELS * (TILE + 2 * R) * (TILE + 2 * R);
  const dim3 grid (blocks (dst->w, TILE), blocks (dst->h, TILE));

  vfi_launch (cuda, grid, TILE * TILE, shared, one_sided ? correlate_tile<R, true, TILE> : correlate_tile<R, false, TILE>, View (src[0]),
              View (src[1]), wide (&src[0]) && wide (&src[1]), View (*dst));
}

template <int R>
static void
run_tiles (VfiCuda *cuda, gboolean one_sided, const VfiView *src, const VfiView *dst)
{
  if (blocks (dst->w, 16) * blocks (dst->h, 16) < FEW_BLOCKS)
    run_squares<R, 8> (cuda, one_sided, src, dst);
  else
    run_squares<R, 16> (cuda, one_sided, src, dst);
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
