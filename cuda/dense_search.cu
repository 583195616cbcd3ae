/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator dense_search, of which core/inverse_search.h has the arithmetic of one thread. Here eight lanes of a warp share a patch, a column each; sums over
 * it run down the columns and then between lanes, in the order that is there.
 */
#include <utility>

#include "search.h"

#define SIDE VFI_SEARCH_PATCH
#define THREADS 128
#define PATCHES (THREADS / SIDE)

/* Besides, what is found of each patch, twice, in turn: in workspace. */
struct Search : Greys
{
  VfiSearchFound *found[2];
};

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
      v[k] += __shfl_xor_sync (0xffffffff, v[k], lane);
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
look (const Search &s, const VfiSearchFrames &f, Patch *p)
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

/* vfi_search_steps, of a patch that is not content; its square is found if it is, too. */
static __device__ VfiSearchFound
step (const VfiSearchFrames &f, const Patch &p, VfiSearchFound here, int n)
{
  const float det = p.xx * p.yy - p.xy * p.xy;
  VfiSearchFound there = here;
  float e[1][SIDE], square[1];

  difference (f, p, here.u, here.v, e[0]);
  squares (e, square);
  here.square = square[0];
  for (int i = 0; i < n; i++) {
    float g[2] = { product (p.gx, e[0]), product (p.gy, e[0]) };

    sum_lanes (g);
    there.u += (p.xy * g[1] - p.yy * g[0]) / det;
    there.v += (p.xy * g[0] - p.xx * g[1]) / det;
    difference (f, p, there.u, there.v, e[0]);
  }
  squares (e, square);
  there.square = square[0];
  const float du = there.u - here.u, dv = there.v - here.v;
  return here.square >= VFI_SEARCH_ENOUGH && there.square + VFI_SEARCH_MARGIN < here.square && du * du + dv * dv <= SIDE * SIDE ? there
                                                                                                                                : here;
}

static __global__ void
__launch_bounds__ (THREADS) search (View coarse, int steps, Search s, VfiSearchFound *to)
{
  const float *flow = static_cast<const float *> (coarse.data);
  const VfiSearchFrames f = frames (s);
  VfiSearchFound found = { 0, 0, 0 };
  Patch p;

  look (s, f, &p);
  slope (f, &p);
  if (flow) {
    found.u = 2 * vfi_search_first (flow, coarse.ld, coarse.h, coarse.w, 2 * p.row, 2 * p.column);
    found.v = 2 * vfi_search_first (flow + coarse.cd, coarse.ld, coarse.h, coarse.w, 2 * p.row, 2 * p.column);
  }
  found = step (f, p, found, steps);
  if (p.writes)
    to[p.i] = found;
}

/* vfi_search_handed; all four neighbours' flows are looked along at once. */
static __device__ VfiSearchFound
handed (const Search &s, const VfiSearchFrames &f, const Patch &p, const VfiSearchFound *found, int away)
{
  const VfiSearchFound *at = found + p.i,
                       *near[4] = { p.column + away < s.columns ? at + away : at, p.row + away < s.rows ? at + away * s.columns : at,
                                    p.column >= away ? at - away : at, p.row >= away ? at - away * s.columns : at };
  VfiSearchFound here = *at;
  float u[4], v[4], e[4][SIDE], square[4];

#pragma unroll
  for (int i = 0; i < 4; i++) {
    u[i] = near[i]->u;
    v[i] = near[i]->v;
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
    difference (f, p, u[i], v[i], e[i]);
  squares (e, square);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const float du = u[i] - at->u, dv = v[i] - at->v;

    if (at->square >= VFI_SEARCH_ENOUGH && du * du + dv * dv >= VFI_SEARCH_APART * VFI_SEARCH_APART &&
        square[i] + VFI_SEARCH_MARGIN < here.square)
      here = { u[i], v[i], square[i] };
  }
  return here;
}

static __global__ void
__launch_bounds__ (THREADS) hand_on (int away, int steps, Search s, const VfiSearchFound *from, VfiSearchFound *to)
{
  const VfiSearchFrames f = frames (s);
  Patch p;

  look (s, f, &p);
  VfiSearchFound found = handed (s, f, p, from, away);
  if (away == 1) {
    slope (f, &p);
    found = step (f, p, found, steps);
  }
  if (p.writes)
    to[p.i] = found;
}

static __global__ void
spread (Search s, const VfiSearchFound *found, View dst)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const VfiSearchFrames f = frames (s);

  if (i < s.h * s.w) {
    const VfiSearchFound flow = vfi_search_pixel (&f, found, i / s.w, i % s.w);
    set (dst, i, 0, flow.u);
    set (dst, i, 1, flow.v);
  }
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  Search *s = g_new0 (Search, 1);

  s->h = dst->h, s->w = dst->w, s->pitch = dst->w + 2 * PAD;
  s->rows = vfi_search_cells (dst->h), s->columns = vfi_search_cells (dst->w);
  return s;
}

static gsize
workspace (gpointer state)
{
  const Search *s = (const Search *) state;

  return 2 * (greys_bytes (*s) + found_bytes (*s));
}

static void
bind (gpointer state, void *memory)
{
  Search *s = (Search *) state;
  guint8 *at = (guint8 *) memory;

  for (int i = 0; i < 2; i++) {
    s->grey[i] = (float *) at, at += greys_bytes (*s);
    s->found[i] = (VfiSearchFound *) at, at += found_bytes (*s);
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const VfiDenseSearchParams *o = (const VfiDenseSearchParams *) node->params;
  const Search s = *(const Search *) kernel_state;
  const unsigned patches = blocks ((size_t) s.rows * s.columns, PATCHES);
  VfiCuda *cuda = (VfiCuda *) b;
  VfiSearchFound *found = s.found[0], *next = s.found[1];

  vfi_launch (cuda, blocks ((size_t) (s.h + 2 * PAD) * s.pitch, 256), 256, 0, to_grey, View (src[0]), View (src[1]), Greys (s));
  vfi_launch (cuda, patches, THREADS, 0, search, o->coarse ? View (src[2]) : View (), o->first, s, found);
  for (int round = 0; round < o->rounds; round++)
    for (int away = o->far; away; away /= 2) {
      vfi_launch (cuda, patches, THREADS, 0, hand_on, away, o->steps, s, found, next);
      std::swap (found, next);
    }
  vfi_launch (cuda, blocks ((size_t) s.h * s.w, 256), 256, 0, spread, s, found, View (*dst));
}

const VfiKernel vfi_cuda_dense_search = { &vfi_op_dense_search, vfi_cuda_supports, prepare, run, g_free, workspace, bind };
