/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator inverse_search: eight lanes share a patch (search.h); a block smooths a square of patches, all rounds in shared memory; then another chooses for a square of pixels.
 */
#include "search.h"

#define SMOOTH 16                             /* patches a side of what a block smooths, */
#define PART (SMOOTH + 2 * VFI_SEARCH_ROUNDS) /* and of what it reads for that */
#define STEPS VFI_SEARCH_STEPS

#define TILE 16 /* pixels a side of what a block chooses for, */
#define AROUND 2
#define SEEN (TILE + 2 * AROUND) /* and of what it looks at for that */

struct Search : Greys
{
  bool warped;
};

static __global__ void
__launch_bounds__ (THREADS) search (View state, Search s)
{
  const float *flow = static_cast<const float *> (state.data) + 2 * state.cd;
  const VfiSearchFrames f = frames (s);
  VfiSearchFound start = { 0, 0, 0 };
  Patch p;

  look (s, f, &p);
  if (!s.warped)
    start = { vfi_search_first (flow, state.ld, s.h, s.w, VFI_SEARCH_CELL * p.row, VFI_SEARCH_CELL * p.column),
              vfi_search_first (flow + state.cd, state.ld, s.h, s.w, VFI_SEARCH_CELL * p.row, VFI_SEARCH_CELL * p.column), 0 };
  start = step (f, &p, start, STEPS, 0);
  if (p.writes)
    s.found[0][p.i] = start;
}

static __global__ void
__launch_bounds__ (THREADS) again (Search s)
{
  const VfiSearchFrames f = frames (s);
  Patch p;

  look (s, f, &p);
  const VfiSearchFound found = step (f, &p, handed (s, f, p, s.found[0], 1, 0, 0), STEPS, 0);
  if (p.writes)
    s.found[1][p.i] = found;
}

/* found[1] to found[0]. Patches beyond the border are those at it. */
static __global__ void
__launch_bounds__ (SMOOTH *SMOOTH) smooth (Search s)
{
  const int y0 = blockIdx.y * SMOOTH - VFI_SEARCH_ROUNDS, x0 = blockIdx.x * SMOOTH - VFI_SEARCH_ROUNDS;
  SHARED (VfiSearchFound, part);
  VfiSearchFound *from = part, *to = part + PART * PART;

  for (int i = threadIdx.x; i < PART * PART; i += SMOOTH * SMOOTH)
    from[i] = s.found[1][clamped (y0 + i / PART, s.rows) * s.columns + clamped (x0 + i % PART, s.columns)];
  __syncthreads ();
  for (int round = 1; round <= VFI_SEARCH_ROUNDS; round++) {
    for (int i = threadIdx.x; i < PART * PART; i += SMOOTH * SMOOTH) {
      /* inside the picture, and of the part what the last round reached */
      const int y = clamped (y0 + i / PART, s.rows) - y0, x = clamped (x0 + i % PART, s.columns) - x0;

      if (min (min (y, x), PART - 1 - max (y, x)) >= round)
        to[i] = vfi_search_smooth (from, PART, PART, y, x);
    }
    __syncthreads ();
    VfiSearchFound *swap = from;
    from = to, to = swap;
  }
  const int y = threadIdx.x / SMOOTH + VFI_SEARCH_ROUNDS, x = threadIdx.x % SMOOTH + VFI_SEARCH_ROUNDS;
  if (y0 + y < s.rows && x0 + x < s.columns)
    s.found[0][(y0 + y) * s.columns + x0 + x] = from[y * PART + x];
}

static __device__ VfiSearchFound
flow_at (const Search &s, int y, int x)
{
  return vfi_search_cell (s.found[0], s.columns, y / VFI_SEARCH_CELL, x / VFI_SEARCH_CELL);
}

/* A block for a rectangle of pixels: what both flows miss there and two pixels around it, and then which to take. */
static __global__ void
__launch_bounds__ (TILE *TILE) choose (View state, Search s, View dst)
{
  const int y0 = blockIdx.y * TILE - AROUND, x0 = blockIdx.x * TILE - AROUND, y = y0 + AROUND + threadIdx.x / TILE,
            x = x0 + AROUND + threadIdx.x % TILE;
  const VfiSearchFrames f = frames (s);
  SHARED (float, miss);
  float sum[2] = { 0, 0 };

  for (int i = threadIdx.x; i < SEEN * SEEN; i += TILE * TILE) {
    const int at_y = clamped (y0 + i / SEEN, s.h), at_x = clamped (x0 + i % SEEN, s.w), p = at_y * s.w + at_x;
    const VfiSearchFound flow = flow_at (s, at_y, at_x);

    miss[i] = vfi_search_miss (&f, at_y, at_x, flow.u, flow.v);
    miss[SEEN * SEEN + i] =
        s.warped ? vfi_search_miss (&f, at_y, at_x, 0, 0) : vfi_search_miss (&f, at_y, at_x, get (state, p, 2), get (state, p, 3));
  }
  __syncthreads ();
  if (y >= s.h || x >= s.w)
    return;
  for (int i = 0; i <= 2 * AROUND; i++)
    for (int k = 0; k <= 2 * AROUND; k++) {
      const int at = (threadIdx.x / TILE + i) * SEEN + threadIdx.x % TILE + k;

      sum[0] += miss[at];
      sum[1] += miss[SEEN * SEEN + at];
    }
  const int p = y * s.w + x;
  const VfiSearchFound flow = flow_at (s, y, x);
  const bool kept = sum[1] < VFI_SEARCH_KEPT * sum[0] + (s.warped ? 25 * VFI_SEARCH_LEAST : 0);
  for (int c = 0; c < 5; c++) {
    const float was = get (state, p, c), found = c % 2 ? flow.v : flow.u;
    set (dst, p, c, kept || c == 4 ? was : s.warped ? was + found : c < 2 ? was : found);
  }
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  Search *s = g_new0 (Search, 1);

  *(Greys *) s = greys_of (*dst);
  s->warped = ((const VfiInverseSearchParams *) node->params)->warped;
  return s;
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const Search s = *(const Search *) kernel_state;
  const unsigned patches = blocks ((size_t) s.rows * s.columns, PATCHES);
  const View state = src[2];
  VfiCuda *cuda = (VfiCuda *) b;

  greys_fill (cuda, &src[0], &src[1], s);
  vfi_launch (cuda, patches, THREADS, 0, search, state, s);
  vfi_launch (cuda, patches, THREADS, 0, again, s);
  vfi_launch (cuda, dim3 (blocks (s.columns, SMOOTH), blocks (s.rows, SMOOTH)), SMOOTH * SMOOTH, 2 * PART * PART * sizeof (VfiSearchFound),
              smooth, s);
  vfi_launch (cuda, dim3 (blocks (s.w, TILE), blocks (s.h, TILE)), TILE * TILE, 2 * SEEN * SEEN * sizeof (float), choose, state, s,
              View (*dst));
}

const VfiKernel vfi_cuda_inverse_search = { &vfi_op_inverse_search, vfi_cuda_supports, prepare, run, g_free, greys_workspace, greys_bind };
