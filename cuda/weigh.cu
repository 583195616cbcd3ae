/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator weigh: the second opinion of each pixel, and what the pictures differ by along both; then a block answers for a rectangle of pixels, and keeps that and its
 * sums down columns in shared memory, with as wide a border as the next looks over.
 */
#include "device.h"
#include "weigh.h"

#define WINDOW VFI_WEIGH_WINDOW
#define ROWS (WINDOW / 2) /* every second counts */
#define TILE_W 32
#define TILE_H 8 /* pairs of rows */
#define PART_W (TILE_W + 2 * WINDOW)
#define PART_H (TILE_H + 2 * ROWS)
#define THREADS 256

/* Of both opinions, one after the other. */
struct Shared
{
  float differ[2 * PART_H * PART_W], column[2 * TILE_H * PART_W];
};

/* Planes of every second row, in workspace. */
struct Weigh
{
  float *differ[2];
};

static __device__ float
sample (const View &v, int c, float y, float x)
{
  return bilinear (v, tap (y, v.h), tap (x, v.w), c);
}

/* What the pictures differ by at pixel (y, x) along velocities. */
static __device__ float
differ (const View &y0, const View &y1, const View &within, float t, int y, int x, float v0x, float v0y, float v1x, float v1y)
{
  const float ay = y - t * v0y, ax = x - t * v0x, by = y + (1 - t) * v1y, bx = x + (1 - t) * v1x;

  return inside (ay, ax, within, y0.h, y0.w) * inside (by, bx, within, y1.h, y1.w) *
         fabsf (sample (y0, 0, ay, ax) - sample (y1, 0, by, bx));
}

static __global__ void
opinions (View y0, View y1, View time, View state, View flow, View within, View dst, Weigh s)
{
  const int p = blockIdx.x * blockDim.x + threadIdx.x, y = p / state.w, x = p % state.w;

  if (p >= state.h * state.w)
    return;
  const float t = get (time, 0), at_y = y - t * get (flow, p, 1), at_x = x - t * get (flow, p, 0);
  const float u = sample (flow, 0, at_y, at_x), v = sample (flow, 1, at_y, at_x);
  set (dst, p, 6, u);
  set (dst, p, 7, v);
  if (y % 2)
    return;
  const int i = y / 2 * state.w + x;
  s.differ[0][i] = differ (y0, y1, within, t, y, x, get (state, p, 0), get (state, p, 1), get (state, p, 2), get (state, p, 3));
  s.differ[1][i] = differ (y0, y1, within, t, y, x, u, v, u, v);
}

static __global__ void
__launch_bounds__ (THREADS) weigh (View state, View still, Weigh s, View dst)
{
  const int rows = (dst.h + 1) / 2, w = dst.w, y0 = blockIdx.y * TILE_H, x0 = blockIdx.x * TILE_W;
  SHARED (Shared, shared);

  for (int i = threadIdx.x; i < 2 * PART_H * PART_W; i += THREADS) {
    const int k = i / (PART_H * PART_W), y = i / PART_W % PART_H, x = i % PART_W;

    shared->differ[i] = s.differ[k][clamped (y0 - ROWS + y, rows) * w + clamped (x0 - WINDOW + x, w)];
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < 2 * TILE_H * PART_W; i += THREADS) {
    const float *from = shared->differ + i / (TILE_H * PART_W) * PART_H * PART_W + i % (TILE_H * PART_W);
    float sum = 0;

#pragma unroll
    for (int j = 0; j < 2 * ROWS + 1; j++)
      sum += from[j * PART_W];
    shared->column[i] = sum;
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < TILE_H * TILE_W; i += THREADS) {
    const int ty = i / TILE_W, tx = i % TILE_W, x = x0 + tx;
    float sum[2];

    if (x >= w)
      continue;
    for (int k = 0; k < 2; k++) {
      const float *from = shared->column + (k * TILE_H + ty) * PART_W + tx;

      sum[k] = 0;
#pragma unroll
      for (int j = 0; j < 2 * WINDOW + 1; j++)
        sum[k] += from[j];
      sum[k] /= (2 * ROWS + 1) * (2 * WINDOW + 1);
    }
    const float q = clampf (0.5f + VFI_WEIGH_SLOPE * (sum[0] - sum[1]) / (sum[0] + sum[1] + VFI_WEIGH_DARK), 0, 1);
    for (int y = 2 * (y0 + ty); y < min (2 * (y0 + ty) + 2, dst.h); y++) {
      const int p = y * w + x;
      const float moves = 1 - get (still, p, 0), second[2] = { get (dst, p, 6), get (dst, p, 7) };
      float first[4], further[4], d = 0;

      for (int c = 0; c < 4; c++) {
        first[c] = get (state, p, c);
        further[c] = second[c % 2] - first[c];
        d = fmaxf (d, fabsf (further[c]));
      }
      const float m = q * clampf (2 - 2 / VFI_WEIGH_NEAR * d, 0, 1);
      for (int c = 0; c < 4; c++)
        set (dst, p, c, moves * (first[c] + m * further[c]));
      set (dst, p, 4, get (state, p, 4));
      set (dst, p, 5, q - m);
      for (int c = 0; c < 2; c++)
        set (dst, p, 6 + c, moves * second[c]);
    }
  }
}

struct State
{
  gsize pixels;
  Weigh weigh;
};

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);

  s->pixels = (gsize) (dst->h + 1) / 2 * dst->w;
  return s;
}

static gsize
workspace (gpointer state)
{
  return 2 * ((const State *) state)->pixels * sizeof (float);
}

static void
bind (gpointer state, void *memory)
{
  State *s = (State *) state;
  float *at = (float *) memory;

  s->weigh = { { at, at + s->pixels } };
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const Weigh s = ((const State *) kernel_state)->weigh;
  const View state = src[3];
  VfiCuda *cuda = (VfiCuda *) b;

  vfi_launch (cuda, blocks ((size_t) dst->h * dst->w, THREADS), THREADS, 0, opinions, View (src[0]), View (src[1]), View (src[2]), state,
              View (src[4]), node->n_src > 6 ? View (src[6]) : View (), View (*dst), s);
  vfi_launch (cuda, dim3 (blocks (dst->w, TILE_W), blocks ((dst->h + 1) / 2, TILE_H)), THREADS, sizeof (Shared), weigh, state,
              View (src[5]), s, View (*dst));
}

const VfiKernel vfi_cuda_weigh = { &vfi_op_weigh, vfi_cuda_supports, prepare, run, g_free, workspace, bind };
