/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator lucas_kanade, whole: a block answers for a square of pixels and keeps what lies between the pictures and the mean step in
 * shared memory, each stage with as wide a border as the next ones look over.
 */
#include "device.h"
#include "lucas_kanade.h"

#define TILE 16
#define STEP (TILE + 2)       /* the mean looks 1 pixel away, */
#define GRADIENT (STEP + 4)   /* the sums 2, */
#define WARPED (GRADIENT + 2) /* and differences 1 */

struct Shared
{
  float sum[WARPED * WARPED], e[WARPED * WARPED]; /* w0 + w1, w1 - w0 */
  float gx[GRADIENT * GRADIENT], gy[GRADIENT * GRADIENT];
  float d[2][STEP * STEP];
  float v[4][STEP * STEP]; /* v + d */
};

struct Step
{
  View y0, y1, time, state; /* state: without data where there is none */
  View dst;
};

static __device__ float
sample (const View &v, float y, float x)
{
  return bilinear (v, tap (y, v.h), tap (x, v.w), 0);
}

static __device__ float
velocity (const View &state, int p, int c)
{
  return state.data ? get (state, p, c) : 0;
}

static __device__ int
inside (int i, int n)
{
  return i >= 0 && i < n;
}

static __device__ int
clampi (int i, int n)
{
  return min (max (i, 0), n - 1);
}

/* Weight of the pixel s away from i on an axis of n pixels in two boxes of three, 0 outside. */
static __device__ float
window (int i, int s, int n)
{
  int count = 0;

  for (int j = max (-1, s - 1); j <= min (1, s + 1); j++)
    count += inside (i + j, n);
  return inside (i + s, n) ? count / 9.f : 0;
}

/* The motion that is left at pixel (y, x), which is pixel `at` of the gradients. */
static __device__ void
solve (const Shared *s, int h, int w, int y, int x, int at, float *dx, float *dy)
{
  float a = 0, b = 0, c = 0, p = 0, q = 0, m, det;

  for (int i = -2; i <= 2; i++) {
    const float row = window (y, i, h);

    for (int j = -2; j <= 2; j++) {
      const float weight = row * window (x, j, w);
      const int g = at + i * GRADIENT + j, centre = (g / GRADIENT + 1) * WARPED + g % GRADIENT + 1;
      const float gx = s->gx[g], gy = s->gy[g], e = s->e[centre];

      a += weight * gx * gx;
      b += weight * gx * gy;
      c += weight * gy * gy;
      p += weight * gx * e;
      q += weight * gy * e;
    }
  }
  m = VFI_LK_RIDGE * (a + c) + VFI_LK_FLOOR;
  a += m;
  c += m;
  det = a * c - b * b;
  *dx = clampf ((b * q - c * p) / det, -VFI_LK_LIMIT, VFI_LK_LIMIT);
  *dy = clampf ((b * p - a * q) / det, -VFI_LK_LIMIT, VFI_LK_LIMIT);
}

static __global__ void
lucas_kanade (Step k)
{
  const int h = k.dst.h, w = k.dst.w, y0 = blockIdx.y * TILE, x0 = blockIdx.x * TILE, n = TILE * TILE;
  const float t = get (k.time, 0);
  SHARED (Shared, s);

  for (int i = threadIdx.x; i < WARPED * WARPED; i += n) {
    const int y = clampi (y0 - 4 + i / WARPED, h), x = clampi (x0 - 4 + i % WARPED, w), p = y * w + x;
    const float a = sample (k.y0, y - t * velocity (k.state, p, 1), x - t * velocity (k.state, p, 0));
    const float b = sample (k.y1, y + (1 - t) * velocity (k.state, p, 3), x + (1 - t) * velocity (k.state, p, 2));

    s->sum[i] = a + b;
    s->e[i] = b - a;
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < GRADIENT * GRADIENT; i += n) {
    const int at = (i / GRADIENT + 1) * WARPED + i % GRADIENT + 1;

    s->gx[i] = (s->sum[at + 1] - s->sum[at - 1]) / 4;
    s->gy[i] = (s->sum[at + WARPED] - s->sum[at - WARPED]) / 4;
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < STEP * STEP; i += n) {
    const int y = y0 - 1 + i / STEP, x = x0 - 1 + i % STEP;

    if (inside (y, h) && inside (x, w)) {
      float d[2];

      solve (s, h, w, y, x, (i / STEP + 2) * GRADIENT + i % STEP + 2, &d[0], &d[1]);
      for (int c = 0; c < 2; c++)
        s->d[c][i] = d[c];
      for (int c = 0; c < 4; c++)
        s->v[c][i] = velocity (k.state, y * w + x, c) + d[c % 2];
    }
  }
  __syncthreads ();

  const int ty = threadIdx.x / TILE, tx = threadIdx.x % TILE, y = y0 + ty, x = x0 + tx;
  if (y >= h || x >= w)
    return;
  for (int c = 0; c < 4; c++) {
    float sum = 0;

    for (int i = -1; i <= 1; i++)
      for (int j = -1; j <= 1; j++)
        sum += s->v[c][(clampi (y + i, h) - y0 + 1) * STEP + clampi (x + j, w) - x0 + 1];
    set (k.dst, y * w + x, c, sum / 9);
  }
  set (k.dst, y * w + x, 4, velocity (k.state, y * w + x, 4));
  for (int c = 5; c < k.dst.c; c++)
    set (k.dst, y * w + x, c, s->d[c - 5][(ty + 1) * STEP + tx + 1]);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const Step k = { src[0], src[1], src[2], ((const VfiLucasKanadeParams *) node->params)->state ? View (src[3]) : View (), *dst };

  vfi_launch ((VfiCuda *) b, dim3 (blocks (dst->w, TILE), blocks (dst->h, TILE)), TILE * TILE, sizeof (Shared), lucas_kanade, k);
}

const VfiKernel vfi_cuda_lucas_kanade = { &vfi_op_lucas_kanade, vfi_cuda_supports, NULL, run, NULL };
