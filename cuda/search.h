/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the operators that look for patches share, of which core/inverse_search.h has the arithmetic of one thread: frames, beyond whose border pixels repeat, and patches. Here eight
 * lanes of a warp share a patch, a column each; sums over it run down the columns and then between lanes, in the order that is there. A warp whose patches are all content looks no
 * further.
 */
#pragma once

#include <utility>

#include "device.h"
#include "inverse_search.h"

#define SIDE VFI_SEARCH_PATCH
#define THREADS 128
#define PATCHES (THREADS / SIDE) /* of a block */
#define WARP 0xffffffff

/* Luma of a frame; floats from one pixel to the next, and from one row to the next. */
struct Luma
{
  const float *data;
  int ld, pitch;
};

/* Both frames; patches, and pixels from one row of them to the next; what is found of each, in workspace, twice, in turn. */
struct Searched
{
  int h, w, rows, columns, down;
  Luma frame[2];
  VfiSearchFound *found[2];
};

static Searched
searched_of (const VfiView &v, int down)
{
  return { v.h, v.w, vfi_search_patches (v.h, down), vfi_search_columns (v.w), down, {}, {} };
}

/* Of a kernel whose state is Searched, or begins with it. */
static gsize
searched_workspace (gpointer state)
{
  const Searched &s = *(const Searched *) state;

  return 2 * (gsize) s.rows * s.columns * sizeof (VfiSearchFound);
}

static void
searched_bind (gpointer state, void *memory)
{
  Searched *s = (Searched *) state;

  s->found[0] = (VfiSearchFound *) memory;
  s->found[1] = s->found[0] + (gsize) s->rows * s->columns;
}

static void
searched_frames (Searched *s, const VfiView *src)
{
  for (int i = 0; i < 2; i++)
    s->frame[i] = { (const float *) src[i].data, src[i].ld, src[i].w * src[i].ld };
}

/* Luma in 256ths, rounded now: what is the same stays the same, however it is summed up. */
static __device__ float
grey (float luma)
{
#ifdef __CUDACC__
  return __fmul_rn (VFI_SEARCH_GREY, luma);
#else
  return VFI_SEARCH_GREY * luma;
#endif
}

/* vfi_search_miss. */
static __device__ float
miss_at (const Searched &s, int y, int x, float u, float v)
{
  const Luma a = s.frame[0], b = s.frame[1];
  const float dy = vfi_search_clamp (v, -1 - y, s.h - y), dx = vfi_search_clamp (u, -1 - x, s.w - x);
  const int iy = (int) floorf (dy), ix = (int) floorf (dx);
  const float fy = dy - iy, fx = dx - ix;
  const float *above = b.data + clamped (y + iy, s.h) * b.pitch, *below = b.data + clamped (y + iy + 1, s.h) * b.pitch;
  const int left = clamped (x + ix, s.w) * b.ld, right = clamped (x + ix + 1, s.w) * b.ld;
  const float top = (1 - fx) * above[left] + fx * above[right], bottom = (1 - fx) * below[left] + fx * below[right];

  return VFI_SEARCH_GREY * fabsf ((1 - fy) * top + fy * bottom - a.data[y * a.pitch + x * a.ld]);
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

/* Which is the thread's patch. */
static __device__ void
place (const Searched &s, Patch *p)
{
  const int i = blockIdx.x * PATCHES + threadIdx.x / SIDE;

  p->i = min (i, s.rows * s.columns - 1);
  p->row = p->i / s.columns;
  p->column = p->i % s.columns;
  p->y = p->row * s.down - VFI_SEARCH_CELL;
  p->x = (p->column - 1) * VFI_SEARCH_CELL;
  p->lane = threadIdx.x % SIDE;
  p->writes = i == p->i && p->lane == 0;
}

/* It, without its gradient. */
static __device__ void
look (const Searched &s, Patch *p)
{
  const Luma a = s.frame[0];
  const float *column = a.data + clamped (p->x + p->lane, s.w) * a.ld;

#pragma unroll
  for (int k = 0; k < SIDE; k++)
    p->look[k] = grey (column[clamped (p->y + k, s.h) * a.pitch]);
}

static __device__ void
slope (const Searched &s, Patch *p)
{
  const Luma a = s.frame[0];
  const int x = p->x + p->lane, column = clamped (x, s.w) * a.ld, left = clamped (x - 1, s.w) * a.ld, right = clamped (x + 1, s.w) * a.ld;
  const float before = grey (a.data[clamped (p->y - 1, s.h) * a.pitch + column]);
  const float after = grey (a.data[clamped (p->y + SIDE, s.h) * a.pitch + column]);
  float v[2][SIDE];

#pragma unroll
  for (int k = 0; k < SIDE; k++) {
    const float *row = a.data + clamped (p->y + k, s.h) * a.pitch;

    v[0][k] = VFI_SEARCH_GREY / 2 * (row[right] - row[left]);
    v[1][k] = ((k < SIDE - 1 ? p->look[k < SIDE - 1 ? k + 1 : 0] : after) - (k ? p->look[k ? k - 1 : 0] : before)) / 2;
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

/* vfi_search_difference: `row (i)` is row i of the second frame, of which columns left and right are wanted. */
template <typename Row>
static __device__ void
differ (const Patch &p, float fy, float fx, int left, int right, Row row, float (&e)[SIDE])
{
  const float one = VFI_SEARCH_GREY * (1 - fx), other = VFI_SEARCH_GREY * fx;
  float above = one * row (0)[left] + other * row (0)[right];

#pragma unroll
  for (int i = 0; i < SIDE; i++) {
    const float below = one * row (i + 1)[left] + other * row (i + 1)[right];

    e[i] = (1 - fy) * above + fy * below - p.look[i];
    above = below;
  }
}

static __device__ void
difference (const Searched &s, const Patch &p, float u, float v, float (&e)[SIDE])
{
  const Luma b = s.frame[1];
  const float dy = vfi_search_clamp (v, -SIDE - p.y, s.h - p.y), dx = vfi_search_clamp (u, -SIDE - p.x, s.w - p.x);
  const int iy = (int) floorf (dy), ix = (int) floorf (dx), y = p.y + iy, x = p.x + ix + p.lane;

  if (__all_sync (WARP, y >= 0 && y + SIDE < s.h && x >= 0 && x + 1 < s.w)) {
    const float *from = b.data + y * b.pitch;
    const int pitch = b.pitch;

    differ (
        p, dy - iy, dx - ix, x * b.ld, (x + 1) * b.ld, [=] (int i) { return from + i * pitch; }, e);
  } else {
    const int h = s.h;

    differ (
        p, dy - iy, dx - ix, clamped (x, s.w) * b.ld, clamped (x + 1, s.w) * b.ld,
        [=] (int i) { return b.data + clamped (y + i, h) * b.pitch; }, e);
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
step (const Searched &s, Patch *p, VfiSearchFound here, int n, float enough)
{
  float e[1][SIDE], square[1];

  difference (s, *p, here.u, here.v, e[0]);
  squares (e, square);
  here.square = square[0];
  if (n == 0 || !__any_sync (WARP, here.square >= enough))
    return here;

  slope (s, p);
  const float det = p->xx * p->yy - p->xy * p->xy;
  VfiSearchFound there = here;

  for (int i = 0; i < n; i++) {
    float g[2] = { product (p->gx, e[0]), product (p->gy, e[0]) };

    sum_lanes (g);
    there.u += (p->xy * g[1] - p->yy * g[0]) / det;
    there.v += (p->xy * g[0] - p->xx * g[1]) / det;
    difference (s, *p, there.u, there.v, e[0]);
  }
  squares (e, square);
  there.square = square[0];
  const float du = there.u - here.u, dv = there.v - here.v;
  return here.square >= enough && there.square + VFI_SEARCH_MARGIN < here.square && du * du + dv * dv <= SIDE * SIDE ? there : here;
}

/* vfi_search_handed, to a patch that misses `enough`. AT_ONCE: all four neighbours' flows are looked along at once, which is soon done; or one after the other, where anybody in the
 * warp wants it, which takes less of many. */
template <bool AT_ONCE>
static __device__ VfiSearchFound
handed (const Searched &s, const Patch &p, const VfiSearchFound *found, int away, float enough, float apart)
{
  const VfiSearchFound *at = found + p.i,
                       *near[4] = { p.column + away < s.columns ? at + away : at, p.row + away < s.rows ? at + away * s.columns : at,
                                    p.column >= away ? at - away : at, p.row >= away ? at - away * s.columns : at };
  const VfiSearchFound was = *at;
  VfiSearchFound here = was;
  float u[4], v[4], square[4];
  bool other[4], any = false;

#pragma unroll
  for (int i = 0; i < 4; i++) {
    u[i] = near[i]->u;
    v[i] = near[i]->v;
    const float du = u[i] - was.u, dv = v[i] - was.v;
    other[i] = was.square >= enough && du * du + dv * dv >= apart * apart;
    any = any || other[i];
  }
  if (AT_ONCE) {
    float e[4][SIDE];

    if (!__any_sync (WARP, any))
      return here;
#pragma unroll
    for (int i = 0; i < 4; i++)
      difference (s, p, u[i], v[i], e[i]);
    squares (e, square);
  } else {
#pragma unroll
    for (int i = 0; i < 4; i++)
      if (__any_sync (WARP, other[i])) {
        float e[1][SIDE], one[1];

        difference (s, p, u[i], v[i], e[0]);
        squares (e, one);
        square[i] = one[0];
      }
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
    if (other[i] && square[i] + VFI_SEARCH_MARGIN < here.square)
      here = { u[i], v[i], square[i] };
  return here;
}
