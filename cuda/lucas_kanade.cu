/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator lucas_kanade, whole: a block answers for a rectangle of pixels and keeps what lies between the pictures and the mean step in
 * shared memory, each stage with as wide a border as the next ones look over. Windows are summed down columns, a few rows to a thread, and
 * then along rows.
 */
#include "device.h"
#include "lucas_kanade.h"

#define TILE_W 32
#define TILE_H 16
#define STEP_W (TILE_W + 2) /* the mean looks 1 pixel away, */
#define STEP_H (TILE_H + 2)
#define SUMS_W (STEP_W + 4)   /* the windows 2, */
#define WARPED_W (SUMS_W + 2) /* and differences 1 */
#define WARPED_H (STEP_H + 4 + 2)
#define THREADS 320
#define ROUNDS (WARPED_W * WARPED_H / THREADS) /* without a rest */
#define RUN 3                                  /* rows; STEP_H without a rest */

struct Shared
{
  float sum[WARPED_H * WARPED_W], e[WARPED_H * WARPED_W]; /* w0 + w1; w1 - w0, as far as both are inside */
  float column[5][STEP_H * SUMS_W];                       /* gx gx, gx gy, gy gy, gx e, gy e */
  float4 v[STEP_H * STEP_W];                              /* v + d */
  float d[2][STEP_H * STEP_W];
};

struct Step
{
  View y0, y1, time, state, within, dst;
};

/* Channel c of pixel p; all tensors are fp32. */
static __device__ float &
number (const View &v, int p, int c)
{
  return static_cast<float *> (v.data)[p * v.ld + c * v.cd];
}

static __device__ float
sample (const View &v, float y, float x)
{
  const Tap ty = tap (y, v.h), tx = tap (x, v.w);
  const float top = (1 - tx.f) * number (v, ty.i * v.w + tx.i, 0) + tx.f * number (v, ty.i * v.w + tx.j, 0);
  const float bottom = (1 - tx.f) * number (v, ty.j * v.w + tx.i, 0) + tx.f * number (v, ty.j * v.w + tx.j, 0);

  return (1 - ty.f) * top + ty.f * bottom;
}

template <bool STATE>
static __device__ float
velocity (const View &state, int p, int c)
{
  return STATE ? number (state, p, c) : 0;
}

static __device__ int
inside (int i, int n)
{
  return i >= 0 && i < n;
}

/* How often the pixels i - 2 to i + 2, i inside, on an axis of n pixels are in two boxes of three, where 0 is outside. */
static __device__ void
window (int i, int n, float weight[5])
{
  const float before = inside (i - 1, n), after = inside (i + 1, n);

  weight[0] = before;
  weight[1] = before + 1;
  weight[2] = before + 1 + after;
  weight[3] = 1 + after;
  weight[4] = after;
}

/* Windows down column x of the tile's sums, RUN rows from `first` on. */
static __device__ void
sum_columns (Shared *s, int h, int w, int y0, int x0, int first, int x)
{
  float sum[RUN][5] = { { 0 } }, weight[RUN][5];

  for (int i = 0; i < RUN; i++)
    window (y0 - 1 + first + i, h, weight[i]);
#pragma unroll
  for (int row = 0; row < RUN + 4; row++) {
    const int at = (first + row + 1) * WARPED_W + x + 1;
    const float here = inside (y0 - 3 + first + row, h) && inside (x0 - 3 + x, w) ? 0.25f : 0;
    const float gx = here * (s->sum[at + 1] - s->sum[at - 1]), gy = here * (s->sum[at + WARPED_W] - s->sum[at - WARPED_W]), e = s->e[at];
    const float product[5] = { gx * gx, gx * gy, gy * gy, gx * e, gy * e };

#pragma unroll
    for (int i = 0; i < RUN; i++)
      if (row >= i && row <= i + 4)
        for (int k = 0; k < 5; k++)
          sum[i][k] += weight[i][row - i] * product[k];
  }
#pragma unroll
  for (int i = 0; i < RUN; i++)
    for (int k = 0; k < 5; k++)
      s->column[k][(first + i) * SUMS_W + x] = sum[i][k];
}

/* The motion that is left at pixel x of a row of w, whose window begins at `at` of the columns' sums. */
static __device__ void
solve (const Shared *s, int w, int x, int at, float *dx, float *dy)
{
  float weight[5], sum[5] = { 0 };

  window (x, w, weight);
  for (int k = 0; k < 5; k++) {
    for (int j = 0; j < 5; j++)
      sum[k] += weight[j] * s->column[k][at + j];
    sum[k] *= 1 / 81.f;
  }

  const float m = VFI_LK_RIDGE * (sum[0] + sum[2]) + VFI_LK_FLOOR, a = sum[0] + m, b = sum[1], c = sum[2] + m, p = sum[3], q = sum[4];
  const float gain = 1 / (a * c - b * b);
  *dx = clampf ((b * q - c * p) * gain, -VFI_LK_LIMIT, VFI_LK_LIMIT);
  *dy = clampf ((b * p - a * q) * gain, -VFI_LK_LIMIT, VFI_LK_LIMIT);
}

template <bool STATE>
static __global__ void
__launch_bounds__ (THREADS) lucas_kanade (Step k)
{
  const int h = k.dst.h, w = k.dst.w, y0 = blockIdx.y * TILE_H, x0 = blockIdx.x * TILE_W;
  const float t = number (k.time, 0, 0);
  float a[ROUNDS], b[ROUNDS], in[ROUNDS]; /* so that all loads are under way at once */
  SHARED (Shared, s);

#pragma unroll
  for (int r = 0; r < ROUNDS; r++) {
    const int i = r * THREADS + threadIdx.x;
    const int y = clamped (y0 - 4 + i / WARPED_W, h), x = clamped (x0 - 4 + i % WARPED_W, w), p = y * w + x;

    const float ay = y - t * velocity<STATE> (k.state, p, 1), ax = x - t * velocity<STATE> (k.state, p, 0);
    const float by = y + (1 - t) * velocity<STATE> (k.state, p, 3), bx = x + (1 - t) * velocity<STATE> (k.state, p, 2);

    a[r] = sample (k.y0, ay, ax);
    b[r] = sample (k.y1, by, bx);
    in[r] = inside (ay, ax, k.within, h, w) * inside (by, bx, k.within, h, w);
  }
#pragma unroll
  for (int r = 0; r < ROUNDS; r++) {
    s->sum[r * THREADS + threadIdx.x] = a[r] + b[r];
    s->e[r * THREADS + threadIdx.x] = in[r] * (b[r] - a[r]);
  }
  __syncthreads ();
  if (threadIdx.x < STEP_H / RUN * SUMS_W)
    sum_columns (s, h, w, y0, x0, threadIdx.x / SUMS_W * RUN, threadIdx.x % SUMS_W);
  __syncthreads ();
  for (int i = threadIdx.x; i < STEP_H * STEP_W; i += THREADS) {
    const int y = y0 - 1 + i / STEP_W, x = x0 - 1 + i % STEP_W, p = y * w + x;

    if (inside (y, h) && inside (x, w)) {
      float dx, dy;

      solve (s, w, x, i / STEP_W * SUMS_W + i % STEP_W, &dx, &dy);
      s->d[0][i] = dx;
      s->d[1][i] = dy;
      s->v[i] = make_float4 (velocity<STATE> (k.state, p, 0) + dx, velocity<STATE> (k.state, p, 1) + dy,
                             velocity<STATE> (k.state, p, 2) + dx, velocity<STATE> (k.state, p, 3) + dy);
    }
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < TILE_H * TILE_W; i += THREADS) {
    const int y = y0 + i / TILE_W, x = x0 + i % TILE_W, p = y * w + x;
    float mean[4] = { 0 };

    if (y >= h || x >= w)
      continue;
    for (int dy = -1; dy <= 1; dy++)
      for (int dx = -1; dx <= 1; dx++) {
        const float4 v = s->v[(clamped (y + dy, h) - y0 + 1) * STEP_W + clamped (x + dx, w) - x0 + 1];

        mean[0] += v.x;
        mean[1] += v.y;
        mean[2] += v.z;
        mean[3] += v.w;
      }
    for (int c = 0; c < 4; c++)
      number (k.dst, p, c) = mean[c] * (1 / 9.f);
    number (k.dst, p, 4) = velocity<STATE> (k.state, p, 4);
    for (int c = 0; c < 2 && k.dst.c == 7; c++)
      number (k.dst, p, 5 + c) = s->d[c][(i / TILE_W + 1) * STEP_W + i % TILE_W + 1];
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const gboolean has_state = ((const VfiLucasKanadeParams *) node->params)->state;
  const Step k = {
    src[0], src[1], src[2], has_state ? View (src[3]) : View (), node->n_src > 3 + has_state ? View (src[3 + has_state]) : View (), *dst
  };
  const dim3 grid (blocks (dst->w, TILE_W), blocks (dst->h, TILE_H));

  vfi_launch ((VfiCuda *) b, grid, THREADS, sizeof (Shared), has_state ? lucas_kanade<true> : lucas_kanade<false>, k);
}

const VfiKernel vfi_cuda_lucas_kanade = { &vfi_op_lucas_kanade, vfi_cuda_supports, NULL, run, NULL };
