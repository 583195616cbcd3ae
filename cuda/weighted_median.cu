/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator weighted_median: a thread for each pixel, which keeps its weights.
 */
#include "device.h"
#include "weighted_median.h"

#define PLACES VFI_MEDIAN_PLACES
#define TILE_W 32
#define TILE_H 4
#define SIDE (2 * VFI_MEDIAN_RADIUS + 1)

static __device__ float
square (float v)
{
  return v * v;
}

static __device__ int
place (int at, int i, int n)
{
  return min (max (at + (i - VFI_MEDIAN_RADIUS) * VFI_MEDIAN_STEP, 0), n - 1);
}

static __global__ void
weighted_median (View state, View apart, View luma, View chroma, View dst)
{
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y, p = y * state.w + x;
  float w[PLACES], u = 0, v = 0;

  if (x >= state.w || y >= state.h)
    return;
  const float here = get (luma, p, 0), c0 = get (chroma, p, 0), c1 = get (chroma, p, 1);
  for (int n = 0; n <= VFI_MEDIAN_ROUNDS; n++) {
    float sum = 0, su = 0, sv = 0;

    for (int i = 0; i < PLACES; i++) {
      const int q = place (y, i / SIDE, state.h) * state.w + place (x, i % SIDE, state.w);
      const float a = get (state, q, 2), b = get (state, q, 3);
      float g;

      if (n == 0) {
        const float differ = square (get (luma, q, 0) - here) +
                             VFI_MEDIAN_CHROMA * VFI_MEDIAN_CHROMA * (square (get (chroma, q, 0) - c0) + square (get (chroma, q, 1) - c1));
        const float far = square (get (apart, q, 0)) + square (get (apart, q, 1));

        g = w[i] = expf (differ / (-2 * VFI_MEDIAN_ALIKE * VFI_MEDIAN_ALIKE)) * (1 / (1 + far) + VFI_MEDIAN_DOUBT);
      } else {
        g = w[i] / sqrtf (square (a - u) + square (b - v) + VFI_MEDIAN_NEAR * VFI_MEDIAN_NEAR);
      }
      sum += g;
      su += g * a;
      sv += g * b;
    }
    u = su / sum;
    v = sv / sum;
  }
  const float open = 1 + expf (-get (state, p, 4));
  const float kept = 1 / (open * open * (1 + VFI_MEDIAN_KEPT * (square (get (apart, p, 0)) + square (get (apart, p, 1)))));
  set (dst, p, 0, get (state, p, 0));
  set (dst, p, 1, get (state, p, 1));
  set (dst, p, 2, u + kept * (get (state, p, 2) - u));
  set (dst, p, 3, v + kept * (get (state, p, 3) - v));
  set (dst, p, 4, get (state, p, 4));
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const dim3 block (TILE_W, TILE_H), grid (blocks (dst->w, TILE_W), blocks (dst->h, TILE_H));

  vfi_launch ((VfiCuda *) b, grid, block, 0, weighted_median, View (src[0]), View (src[1]), View (src[2]), View (src[3]), View (*dst));
}

const VfiKernel vfi_cuda_weighted_median = { &vfi_op_weighted_median, vfi_cuda_supports, NULL, run, NULL };
