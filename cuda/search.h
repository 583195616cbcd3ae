/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the operators that look for patches share, of which core/inverse_search.h has the arithmetic of one thread: both frames in grey, pixels repeated around
 * them, and patches. Here eight lanes of a warp share a patch, a column each; sums over it run down the columns and then between lanes, in the order that is
 * there. A warp whose patches are all content looks no further.
 */
#pragma once

#include <utility>

#include "device.h"
#include "inverse_search.h"

#define PAD VFI_SEARCH_PAD
#define SIDE VFI_SEARCH_PATCH
#define THREADS 128
#define PATCHES (THREADS / SIDE) /* of a block */
#define WARP 0xffffffff

/* In workspace; what is found of each patch twice, in turn. */
struct Greys
{
  int h, w, pitch, rows, columns;
  float *grey[2];
  VfiSearchFound *found[2];
};

static Greys
greys_of (const VfiView &v)
{
  return { v.h, v.w, v.w + 2 * PAD, vfi_search_cells (v.h), vfi_search_cells (v.w), { NULL, NULL }, { NULL, NULL } };
}

/* Of a kernel whose state is Greys, or begins with them. */
static gsize
greys_workspace (gpointer state)
{
  const Greys &s = *(const Greys *) state;

  return 2 * ((gsize) (s.h + 2 * PAD) * s.pitch * sizeof (float) + (gsize) s.rows * s.columns * sizeof (VfiSearchFound));
}

static void
greys_bind (gpointer state, void *memory)
{
  Greys *s = (Greys *) state;
  float *grey = (float *) memory;
  const gsize pixels = (gsize) (s->h + 2 * PAD) * s->pitch, patches = (gsize) s->rows * s->columns;
  VfiSearchFound *found = (VfiSearchFound *) (grey + 2 * pixels);

  for (int i = 0; i < 2; i++) {
    s->grey[i] = grey + i * pixels;
    s->found[i] = found + i * patches;
  }
}

static __device__ VfiSearchFrames
frames (const Greys &s)
{
  const int origin = PAD * s.pitch + PAD;

  return { s.grey[0] + origin, s.grey[1] + origin, s.h, s.w, s.pitch };
}

/* A block of threads for each part of a row. */
static __global__ void
to_grey (View y0, View y1, Greys s)
{
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;

  if (x < s.pitch) {
    const int from = clamped (y - PAD, s.h) * s.w + clamped (x - PAD, s.w), to = y * s.pitch + x;
    s.grey[0][to] = VFI_SEARCH_GREY * get (y0, from, 0);
    s.grey[1][to] = VFI_SEARCH_GREY * get (y1, from, 0);
  }
}

static void
greys_fill (VfiCuda *cuda, const VfiView *y0, const VfiView *y1, const Greys &s)
{
  vfi_launch (cuda, dim3 (blocks (s.pitch, 256), s.h + 2 * PAD), 256, 0, to_grey, View (*y0), View (*y1), s);
}

/* ---- patches ------------------------------------------------------------------------------------ */

/* A lane's column of a patch of the first frame, and of its gradient less the patch's mean; what all lanes know of it. */
struct Patch
{
  float look[SIDE], gx[SIDE], gy[SIDE];
  float xx, xy, yy;
  int i, row, column; /* the last one where there are no more */
  int y, x, lane;     /* of the first pixel */
  bool writes;
};

/* Sums over the lanes of a patch: all of them get the same. */
template <int N>
static __device__ void
sum_lanes (float (&v)[N])
{
#pragma unroll
  for (int lane = SIDE / 2; lane; lane /= 2)
#pragma unroll
    for (int k = 0; k < N; k++)
      v[k] += __shfl_xor_sync (WARP, v[k], lane);
}

/* N patches' worth of columns lose their means. */
template <int N>
static __device__ void
centre (float (&v)[N][SIDE])
{
  float sum[N] = { 0 };

#pragma unroll
  for (int k = 0; k < N; k++)
#pragma unroll
    for (int i = 0; i < SIDE; i++)
      sum[k] += v[k][i];
  sum_lanes (sum);
#pragma unroll
  for (int k = 0; k < N; k++)
#pragma unroll
    for (int i = 0; i < SIDE; i++)
      v[k][i] -= sum[k] / (SIDE * SIDE);
}

/* A lane's part. */
static __device__ float
product (const float (&a)[SIDE], const float (&b)[SIDE])
{
  float sum = 0;

#pragma unroll
  for (int i = 0; i < SIDE; i++)
    sum += a[i] * b[i];
  return sum;
}

/* The thread's patch, without its gradient. */
static __device__ void
look (const Greys &s, const VfiSearchFrames &f, Patch *p)
{
  const int i = blockIdx.x * PATCHES + threadIdx.x / SIDE;

  p->i = min (i, s.rows * s.columns - 1);
  p->row = p->i / s.columns;
  p->column = p->i % s.columns;
  p->y = (p->row - 1) * VFI_SEARCH_CELL;
  p->x = (p->column - 1) * VFI_SEARCH_CELL;
  p->lane = threadIdx.x % SIDE;
  p->writes = i == p->i && p->lane == 0;
#pragma unroll
  for (int k = 0; k < SIDE; k++)
    p->look[k] = f.a[(p->y + k) * f.pitch + p->x + p->lane];
}

static __device__ void
slope (const VfiSearchFrames &f, Patch *p)
{
  const float *a = f.a + p->y * f.pitch + p->x + p->lane;
  float v[2][SIDE];

#pragma unroll
  for (int k = 0; k < SIDE; k++) {
    v[0][k] = (a[k * f.pitch + 1] - a[k * f.pitch - 1]) / 2;
    v[1][k] = (a[(k + 1) * f.pitch] - a[(k - 1) * f.pitch]) / 2;
  }
  centre (v);
#pragma unroll
  for (int k = 0; k < SIDE; k++) {
    p->gx[k] = v[0][k];
    p->gy[k] = v[1][k];
  }
  float sum[3] = { product (p->gx, p->gx), product (p->gx, p->gy), product (p->gy, p->gy) };
  sum_lanes (sum);
  p->xx = sum[0] + VFI_SEARCH_RIDGE;
  p->xy = sum[1];
  p->yy = sum[2] + VFI_SEARCH_RIDGE;
}

/* vfi_search_difference. */
static __device__ void
difference (const VfiSearchFrames &f, const Patch &p, float u, float v, float (&e)[SIDE])
{
  const float dy = vfi_search_clamp (v, -SIDE - p.y, f.h - p.y), dx = vfi_search_clamp (u, -SIDE - p.x, f.w - p.x);
  const int iy = (int) floorf (dy), ix = (int) floorf (dx);
  const float fy = dy - iy, fx = dx - ix, *b = f.b + (p.y + iy) * f.pitch + p.x + ix + p.lane;
  float above = (1 - fx) * b[0] + fx * b[1];

#pragma unroll
  for (int i = 0; i < SIDE; i++) {
    b += f.pitch;
    const float below = (1 - fx) * b[0] + fx * b[1];
    e[i] = (1 - fy) * above + fy * below - p.look[i];
    above = below;
  }
}

/* Mean squares of columns less their means, which they lose. */
template <int N>
static __device__ void
squares (float (&e)[N][SIDE], float (&square)[N])
{
  centre (e);
#pragma unroll
  for (int k = 0; k < N; k++)
    square[k] = product (e[k], e[k]);
  sum_lanes (square);
#pragma unroll
  for (int k = 0; k < N; k++)
    square[k] /= SIDE * SIDE;
}

/* vfi_search_steps, of a patch that misses `enough`. */
static __device__ VfiSearchFound
step (const VfiSearchFrames &f, Patch *p, VfiSearchFound here, int n, float enough)
{
  float e[1][SIDE], square[1];

  difference (f, *p, here.u, here.v, e[0]);
  squares (e, square);
  here.square = square[0];
  if (n == 0 || !__any_sync (WARP, here.square >= enough))
    return here;

  slope (f, p);
  const float det = p->xx * p->yy - p->xy * p->xy;
  VfiSearchFound there = here;

  for (int i = 0; i < n; i++) {
    float g[2] = { product (p->gx, e[0]), product (p->gy, e[0]) };

    sum_lanes (g);
    there.u += (p->xy * g[1] - p->yy * g[0]) / det;
    there.v += (p->xy * g[0] - p->xx * g[1]) / det;
    difference (f, *p, there.u, there.v, e[0]);
  }
  squares (e, square);
  there.square = square[0];
  const float du = there.u - here.u, dv = there.v - here.v;
  return here.square >= enough && there.square + VFI_SEARCH_MARGIN < here.square && du * du + dv * dv <= SIDE * SIDE ? there : here;
}

/* vfi_search_handed, to a patch that misses `enough`; all four neighbours' flows are looked along at once. */
static __device__ VfiSearchFound
handed (const Greys &s, const VfiSearchFrames &f, const Patch &p, const VfiSearchFound *found, int away, float enough, float apart)
{
  const VfiSearchFound *at = found + p.i,
                       *near[4] = { p.column + away < s.columns ? at + away : at, p.row + away < s.rows ? at + away * s.columns : at,
                                    p.column >= away ? at - away : at, p.row >= away ? at - away * s.columns : at };
  const VfiSearchFound was = *at;
  VfiSearchFound here = was;
  float u[4], v[4], e[4][SIDE], square[4];
  bool other[4], any = false;

#pragma unroll
  for (int i = 0; i < 4; i++) {
    u[i] = near[i]->u;
    v[i] = near[i]->v;
    const float du = u[i] - was.u, dv = v[i] - was.v;
    other[i] = was.square >= enough && du * du + dv * dv >= apart * apart;
    any = any || other[i];
  }
  if (!__any_sync (WARP, any))
    return here;
#pragma unroll
  for (int i = 0; i < 4; i++)
    difference (f, p, u[i], v[i], e[i]);
  squares (e, square);
#pragma unroll
  for (int i = 0; i < 4; i++)
    if (other[i] && square[i] + VFI_SEARCH_MARGIN < here.square)
      here = { u[i], v[i], square[i] };
  return here;
}
