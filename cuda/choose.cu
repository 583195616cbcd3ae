/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator choose: both opinions of each pixel and how much worse the second is; then a block answers for a rectangle of pixels, and keeps that, its sums down
 * columns and what is taken in shared memory, each with as wide a border as the next looks over.
 */
#include "choose.h"
#include "device.h"

#define WINDOW VFI_CHOOSE_WINDOW
#define SOFT VFI_CHOOSE_SOFT
#define TILE_W 32
#define TILE_H 16
#define TAKE_W (TILE_W + 2 * SOFT)
#define TAKE_H (TILE_H + 2 * SOFT)
#define WORSE_W (TAKE_W + 2 * WINDOW)
#define WORSE_H (TAKE_H + 2 * WINDOW)
#define THREADS 256

struct Shared
{
  float worse[WORSE_H * WORSE_W], column[TAKE_H * WORSE_W], take[TAKE_H * TAKE_W];
};

/* Planes, in the backend's scratch memory. */
struct Choose
{
  float *second[2], *worse;
};

static __device__ float
sample (const View &v, int c, float y, float x)
{
  return bilinear (v, tap (y, v.h), tap (x, v.w), c);
}

/* What the pictures differ by at pixel (y, x) along velocities. */
static __device__ float
differ (const View &y0, const View &y1, float t, int y, int x, float v0x, float v0y, float v1x, float v1y)
{
  return fabsf (sample (y0, 0, y - t * v0y, x - t * v0x) - sample (y1, 0, y + (1 - t) * v1y, x + (1 - t) * v1x));
}

static __global__ void
opinions (View y0, View y1, View time, View state, View flow, Choose s)
{
  const int p = blockIdx.x * blockDim.x + threadIdx.x, y = p / state.w, x = p % state.w;

  if (p >= state.h * state.w)
    return;
  const float t = get (time, 0), at_y = y - t * get (flow, p, 1), at_x = x - t * get (flow, p, 0);
  const float u = sample (flow, 0, at_y, at_x), v = sample (flow, 1, at_y, at_x);
  s.second[0][p] = u;
  s.second[1][p] = v;
  s.worse[p] = VFI_CHOOSE_DOUBT * differ (y0, y1, t, y, x, u, v, u, v) -
               differ (y0, y1, t, y, x, get (state, p, 0), get (state, p, 1), get (state, p, 2), get (state, p, 3));
}

static __global__ void
__launch_bounds__ (THREADS) choose (View state, Choose s, View dst)
{
  const int h = dst.h, w = dst.w, y0 = blockIdx.y * TILE_H, x0 = blockIdx.x * TILE_W;
  SHARED (Shared, shared);

  for (int i = threadIdx.x; i < WORSE_H * WORSE_W; i += THREADS)
    shared->worse[i] = s.worse[clamped (y0 - SOFT - WINDOW + i / WORSE_W, h) * w + clamped (x0 - SOFT - WINDOW + i % WORSE_W, w)];
  __syncthreads ();
  /* Beyond the border, what is taken is what is taken at the border, which lies in the tile, too. */
  for (int i = threadIdx.x; i < TAKE_H * WORSE_W; i += THREADS) {
    const float *from = shared->worse + (clamped (y0 - SOFT + i / WORSE_W, h) - y0 + SOFT) * WORSE_W + i % WORSE_W;
    float sum = 0;

#pragma unroll
    for (int k = 0; k < 2 * WINDOW + 1; k++)
      sum += from[k * WORSE_W];
    shared->column[i] = sum;
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < TAKE_H * TAKE_W; i += THREADS) {
    const float *from = shared->column + i / TAKE_W * WORSE_W + clamped (x0 - SOFT + i % TAKE_W, w) - x0 + SOFT;
    float sum = 0;

#pragma unroll
    for (int k = 0; k < 2 * WINDOW + 1; k++)
      sum += from[k];
    shared->take[i] = sum < 0;
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < TILE_H * TILE_W; i += THREADS) {
    const int ty = i / TILE_W, tx = i % TILE_W, p = (y0 + ty) * w + x0 + tx;
    float m = 0;

    if (y0 + ty >= h || x0 + tx >= w)
      continue;
#pragma unroll
    for (int k = 0; k < (2 * SOFT + 1) * (2 * SOFT + 1); k++)
      m += shared->take[(ty + k / (2 * SOFT + 1)) * TAKE_W + tx + k % (2 * SOFT + 1)];
    m /= (2 * SOFT + 1) * (2 * SOFT + 1);
    for (int c = 0; c < 5; c++) {
      const float v = get (state, p, c);

      set (dst, p, c, c < 4 ? v + m * (s.second[c % 2][p] - v) : v);
    }
  }
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const gsize pixels = (gsize) dst->h * dst->w;
  Choose *s = g_new0 (Choose, 1);
  VfiCuda *cuda = (VfiCuda *) b;
  void *outer = NULL;

  vfi_cuda_push (cuda, &outer);
  float *at = (float *) vfi_cuda_scratch (cuda, 3 * pixels * sizeof (float), error);
  vfi_cuda_pop (cuda, outer);
  if (!at) {
    g_free (s);
    return NULL;
  }
  *s = { { at, at + pixels }, at + 2 * pixels };
  return s;
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const Choose s = *(const Choose *) kernel_state;
  const View state = src[3];
  VfiCuda *cuda = (VfiCuda *) b;

  vfi_launch (cuda, blocks ((size_t) dst->h * dst->w, THREADS), THREADS, 0, opinions, View (src[0]), View (src[1]), View (src[2]), state,
              View (src[4]), s);
  vfi_launch (cuda, dim3 (blocks (dst->w, TILE_W), blocks (dst->h, TILE_H)), THREADS, sizeof (Shared), choose, state, s, View (*dst));
}

const VfiKernel vfi_cuda_choose = { &vfi_op_choose, vfi_cuda_supports, prepare, run, g_free };
