/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator evidence: a thread for each pixel looks along the motion, into workspace; then a block answers for a rectangle of pixels, and keeps what they differ by and its sums
 * down columns in shared memory, with as wide a border as the window needs.
 */
#include "device.h"
#include "evidence.h"

#define WINDOW VFI_EVIDENCE_WINDOW
#define SIDE (2 * WINDOW + 1)
#define TILE_W 32
#define TILE_H 8
#define PART_W (TILE_W + 2 * WINDOW)
#define PART_H (TILE_H + 2 * WINDOW)
#define THREADS 256

struct Shared
{
  float differ[PART_H * PART_W], column[TILE_H * PART_W];
};

/* bilinear () of a picture, which is fp32. */
static __device__ float
sample (const View &v, float at_y, float at_x)
{
  const Tap y = tap (at_y, v.h), x = tap (at_x, v.w);
  const unsigned above = y.i * v.w * v.ld, below = y.j * v.w * v.ld, left = x.i * v.ld, right = x.j * v.ld;
  const float *data = static_cast<const float *> (v.data);
  const float top = (1 - x.f) * data[above + left] + x.f * data[above + right];
  const float bottom = (1 - x.f) * data[below + left] + x.f * data[below + right];

  return (1 - y.f) * top + y.f * bottom;
}

static __global__ void
look (View y0, View y1, View time, View motion, View within, float *differ)
{
  const int p = blockIdx.x * blockDim.x + threadIdx.x, y = 2 * (p / motion.w), x = 2 * (p % motion.w), second = motion.c == 2 ? 0 : 2;

  if (p >= motion.h * motion.w)
    return;
  const float t = get (time, 0), back = -2 * t, on = 2 * (1 - t);
  const float v0x = back * get (motion, p, 0), v0y = back * get (motion, p, 1);
  const float v1x = on * get (motion, p, second), v1y = on * get (motion, p, second + 1);
  differ[p] = inside (y + v0y, x + v0x, within, y0.h, y0.w) * inside (y + v1y, x + v1x, within, y1.h, y1.w) *
              fabsf (sample (y0, y + v0y, x + v0x) - sample (y1, y + v1y, x + v1x));
}

static __global__ void
__launch_bounds__ (THREADS) fit (const float *differ, View dst)
{
  const int y0 = blockIdx.y * TILE_H, x0 = blockIdx.x * TILE_W;
  SHARED (Shared, shared);

  for (int i = threadIdx.x; i < PART_H * PART_W; i += THREADS)
    shared->differ[i] = differ[clamped (y0 - WINDOW + i / PART_W, dst.h) * dst.w + clamped (x0 - WINDOW + i % PART_W, dst.w)];
  __syncthreads ();
  for (int i = threadIdx.x; i < TILE_H * PART_W; i += THREADS) {
    float sum = 0;

#pragma unroll
    for (int j = 0; j < SIDE; j++)
      sum += shared->differ[i + j * PART_W];
    shared->column[i] = sum;
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < TILE_H * TILE_W; i += THREADS) {
    const int ty = i / TILE_W, tx = i % TILE_W, y = y0 + ty, x = x0 + tx;
    float sum = 0;

    if (x >= dst.w || y >= dst.h)
      continue;
#pragma unroll
    for (int j = 0; j < SIDE; j++)
      sum += shared->column[ty * PART_W + tx + j];
    set (dst, y * dst.w + x, 0, -VFI_EVIDENCE_STEEP * logf (sum / (SIDE * SIDE) + VFI_EVIDENCE_DARK));
  }
}

struct State
{
  gsize pixels;
  float *differ;
};

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);

  s->pixels = (gsize) dst->h * dst->w;
  return s;
}

static gsize
workspace (gpointer state)
{
  return ((const State *) state)->pixels * sizeof (float);
}

static void
bind (gpointer state, void *memory)
{
  ((State *) state)->differ = (float *) memory;
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  VfiCuda *cuda = (VfiCuda *) b;
  float *differ = ((const State *) state)->differ;

  vfi_launch (cuda, blocks ((size_t) dst->h * dst->w, THREADS), THREADS, 0, look, View (src[0]), View (src[1]), View (src[2]),
              View (src[3]), node->n_src > 4 ? View (src[4]) : View (), differ);
  vfi_launch (cuda, dim3 (blocks (dst->w, TILE_W), blocks (dst->h, TILE_H)), THREADS, sizeof (Shared), fit, (const float *) differ,
              View (*dst));
}

const VfiKernel vfi_cuda_evidence = { &vfi_op_evidence, vfi_cuda_supports, prepare, run, g_free, workspace, bind };
