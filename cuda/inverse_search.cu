/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator inverse_search: eight lanes share a patch (search.h); a block smooths a square of patches, all rounds in shared memory; then another chooses for a square of pixels.
 */
#include "search.h"

#define SMOOTH 16                             /* patches a side of what a block smooths, */
#define PART (SMOOTH + 2 * VFI_SEARCH_ROUNDS) /* and of what it reads for that: a thread for each */
#define STEPS VFI_SEARCH_STEPS

#define TILE 16 /* pixels a side of what a block chooses for, */
#define AROUND 2
#define SEEN (TILE + 2 * AROUND)           /* and of what it looks at for that, */
#define CELLS (TILE / VFI_SEARCH_CELL + 2) /* in so many cells */

struct Search : Searched
{
  bool warped;
};

static __global__ void
__launch_bounds__ (THREADS) search (View state, Search s)
{
  const float *flow = static_cast<const float *> (state.data) + 2 * state.cd;
  VfiSearchFound start = { 0, 0, 0 };
  Patch p;

  place (s, &p);
  look (s, &p);
  if (!s.warped)
    start = { vfi_search_first (flow, state.ld, s.h, s.w, VFI_SEARCH_CELL * p.row, VFI_SEARCH_CELL * p.column),
              vfi_search_first (flow + state.cd, state.ld, s.h, s.w, VFI_SEARCH_CELL * p.row, VFI_SEARCH_CELL * p.column), 0 };
  start = step (s, &p, start, STEPS, 0);
  if (p.writes)
    s.found[0][p.i] = start;
}

static __global__ void
__launch_bounds__ (THREADS) again (Search s)
{
  Patch p;

  place (s, &p);
  look (s, &p);
  const VfiSearchFound found = step (s, &p, handed<true> (s, p, s.found[0], 1, 0, 0), STEPS, 0);
  if (p.writes)
    s.found[1][p.i] = found;
}

/* vfi_search_smooth in the middle of 3 x 3 patches, which have their weights in place of mean squares. */
static __device__ VfiSearchFound
smoothed (const VfiSearchFound *at)
{
  const VfiSearchFound here = *at;
  const float k = here.square;
  float u = 0, v = 0, sum = 0;

#pragma unroll
  for (int i = -1; i <= 1; i++)
#pragma unroll
    for (int j = -1; j <= 1; j++) {
      const VfiSearchFound near = at[i * PART + j];

      u += near.square * near.u;
      v += near.square * near.v;
      sum += near.square;
    }
  return { (k * here.u + VFI_SEARCH_LOOSE * u / sum) / (k + VFI_SEARCH_LOOSE),
           (k * here.v + VFI_SEARCH_LOOSE * v / sum) / (k + VFI_SEARCH_LOOSE), k };
}

/* found[1] to found[0], with weights in place of mean squares. Patches beyond the border are those at it. */
static __global__ void
__launch_bounds__ (PART *PART) smooth (Search s)
{
  const int y0 = blockIdx.y * SMOOTH - VFI_SEARCH_ROUNDS, x0 = blockIdx.x * SMOOTH - VFI_SEARCH_ROUNDS, i = threadIdx.x;
  /* inside the picture */
  const int y = clamped (y0 + i / PART, s.rows) - y0, x = clamped (x0 + i % PART, s.columns) - x0,
            inner = min (min (y, x), PART - 1 - max (y, x));
  SHARED (VfiSearchFound, part);
  VfiSearchFound *from = part, *to = part + PART * PART;

  from[i] = s.found[1][(y0 + y) * s.columns + x0 + x];
  from[i].square = 1 / (1 + from[i].square);
  __syncthreads ();
  for (int round = 1; round <= VFI_SEARCH_ROUNDS; round++) {
    if (inner >= round) /* of the part what the last round reached */
      to[i] = smoothed (from + y * PART + x);
    __syncthreads ();
    VfiSearchFound *swap = from;
    from = to, to = swap;
  }
  if (inner >= VFI_SEARCH_ROUNDS && y == i / PART && x == i % PART)
    s.found[0][(y0 + y) * s.columns + x0 + x] = from[i];
}

/* What a block has in shared memory: the flow of cells, what it and that of the state miss, and sums of that along rows. */
struct Shared
{
  float u[CELLS * CELLS], v[CELLS * CELLS], miss[2][SEEN * SEEN], sum[2][SEEN * TILE];
};

/* A block for a rectangle of pixels: what both flows miss there and two pixels around it, and then which to take. */
static __global__ void
__launch_bounds__ (TILE *TILE) choose (View state, Search s, View dst)
{
  const int y0 = blockIdx.y * TILE - AROUND, x0 = blockIdx.x * TILE - AROUND, ty = threadIdx.x / TILE, tx = threadIdx.x % TILE;
  const int y = y0 + AROUND + ty, x = x0 + AROUND + tx, row0 = blockIdx.y * (TILE / VFI_SEARCH_CELL) - 1,
            column0 = blockIdx.x * (TILE / VFI_SEARCH_CELL) - 1;
  SHARED (Shared, shared);

  if (threadIdx.x < CELLS * CELLS) {
    const int row = clamped (row0 + threadIdx.x / CELLS, s.rows - 1), column = clamped (column0 + threadIdx.x % CELLS, s.columns - 1);
    const VfiSearchFound *at = s.found[0] + row * s.columns + column;
    const VfiSearchFound of[4] = { at[0], at[1], at[s.columns], at[s.columns + 1] }, *const each[4] = { &of[0], &of[1], &of[2], &of[3] };
    const float weight[4] = { of[0].square, of[1].square, of[2].square, of[3].square };
    const VfiSearchFound flow = vfi_search_mean (each, weight);

    shared->u[threadIdx.x] = flow.u;
    shared->v[threadIdx.x] = flow.v;
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < SEEN * SEEN; i += TILE * TILE) {
    const int at_y = clamped (y0 + i / SEEN, s.h), at_x = clamped (x0 + i % SEEN, s.w), p = at_y * s.w + at_x;
    const int cell = (at_y / VFI_SEARCH_CELL - row0) * CELLS + at_x / VFI_SEARCH_CELL - column0;

    shared->miss[0][i] = miss_at (s, at_y, at_x, shared->u[cell], shared->v[cell]);
    shared->miss[1][i] = s.warped ? miss_at (s, at_y, at_x, 0, 0) : miss_at (s, at_y, at_x, get (state, p, 2), get (state, p, 3));
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < 2 * SEEN * TILE; i += TILE * TILE) {
    const int which = i / (SEEN * TILE), at = i % (SEEN * TILE);
    const float *from = shared->miss[which] + at / TILE * SEEN + at % TILE;

    shared->sum[which][at] = from[0] + from[1] + from[2] + from[3] + from[4];
  }
  __syncthreads ();
  if (y >= s.h || x >= s.w)
    return;
  float sum[2] = { 0, 0 };
#pragma unroll
  for (int i = 0; i <= 2 * AROUND; i++)
    for (int which = 0; which < 2; which++)
      sum[which] += shared->sum[which][(ty + i) * TILE + tx];
  const int p = y * s.w + x, cell = (y / VFI_SEARCH_CELL - row0) * CELLS + x / VFI_SEARCH_CELL - column0;
  const float u = shared->u[cell], v = shared->v[cell];
  const bool kept = sum[1] < VFI_SEARCH_KEPT * sum[0] + (s.warped ? 25 * VFI_SEARCH_LEAST : 0);
  for (int c = 0; c < 5; c++) {
    const float was = get (state, p, c), found = c % 2 ? v : u;
    set (dst, p, c, kept || c == 4 ? was : s.warped ? was + found : c < 2 ? was : found);
  }
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  Search *s = g_new0 (Search, 1);

  *(Searched *) s = searched_of (*dst, VFI_SEARCH_CELL);
  s->warped = ((const VfiInverseSearchParams *) node->params)->warped;
  return s;
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  Search s = *(const Search *) kernel_state;
  const unsigned patches = blocks ((size_t) s.rows * s.columns, PATCHES);
  const View state = src[2];
  VfiCuda *cuda = (VfiCuda *) b;

  searched_frames (&s, src);
  vfi_launch (cuda, patches, THREADS, 0, search, state, s);
  vfi_launch (cuda, patches, THREADS, 0, again, s);
  vfi_launch (cuda, dim3 (blocks (s.columns, SMOOTH), blocks (s.rows, SMOOTH)), PART * PART, 2 * PART * PART * sizeof (VfiSearchFound),
              smooth, s);
  vfi_launch (cuda, dim3 (blocks (s.w, TILE), blocks (s.h, TILE)), TILE * TILE, sizeof (Shared), choose, state, s, View (*dst));
}

const VfiKernel vfi_cuda_inverse_search = { &vfi_op_inverse_search, vfi_cuda_supports, prepare, run, g_free,
                                            searched_workspace,     searched_bind };
