/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator dense_search: eight lanes share a patch (search.h); then a thread for the four pixels of a cell's row.
 */
#include "search.h"

#define MANY 1000 /* blocks, which fill a GPU */

static __global__ void
__launch_bounds__ (THREADS) search (View coarse, int steps, Searched s)
{
  const float *flow = static_cast<const float *> (coarse.data);
  VfiSearchFound found = { 0, 0, 0 };
  Patch p;

  place (s, &p);
  look (s, &p);
  if (flow) {
    const int row = s.down / 2 * p.row;

    found.u = 2 * vfi_search_first (flow, coarse.ld, coarse.h, coarse.w, row, 2 * p.column);
    found.v = 2 * vfi_search_first (flow + coarse.cd, coarse.ld, coarse.h, coarse.w, row, 2 * p.column);
  }
  found = step (s, &p, found, steps, VFI_SEARCH_ENOUGH);
  if (p.writes)
    s.found[0][p.i] = found;
}

template <bool AT_ONCE>
static __global__ void
__launch_bounds__ (THREADS) hand_on (int away, int steps, Searched s, const VfiSearchFound *from, VfiSearchFound *to)
{
  Patch p;

  place (s, &p);
  VfiSearchFound found = from[p.i];
  if (__any_sync (WARP, found.square >= VFI_SEARCH_ENOUGH)) {
    look (s, &p);
    found = handed<AT_ONCE> (s, p, from, away, VFI_SEARCH_ENOUGH, VFI_SEARCH_APART);
    if (away == 1 && __any_sync (WARP, found.square >= VFI_SEARCH_ENOUGH))
      found = step (s, &p, found, steps, VFI_SEARCH_ENOUGH);
  }
  if (p.writes)
    to[p.i] = found;
}

/* vfi_search_pixel, of the pixels of a row of a cell, which have the same four patches; STEP from one to the next. */
template <int STEP>
static __global__ void
spread (Searched s, const VfiSearchFound *found, float gain, View dst)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x, cells = s.columns - 1, y = i / cells * STEP, x = i % cells * VFI_SEARCH_CELL;

  if (y >= s.h)
    return;
  const VfiSearchFound *at = found + y / s.down * s.columns + x / VFI_SEARCH_CELL;
  const VfiSearchFound of[4] = { at[0], at[1], at[s.columns], at[s.columns + 1] }, *const each[4] = { &of[0], &of[1], &of[2], &of[3] };

#pragma unroll
  for (int k = 0; k < VFI_SEARCH_CELL; k += STEP)
    if (x + k < s.w) {
      const int to = y / STEP * dst.w + (x + k) / STEP;
      float weight[4];

#pragma unroll
      for (int j = 0; j < 4; j++)
        weight[j] = 1 / fmaxf (miss_at (s, y, x + k, of[j].u, of[j].v), 1);
      const VfiSearchFound flow = vfi_search_mean (each, weight);
      set (dst, to, 0, gain * flow.u);
      set (dst, to, 1, gain * flow.v);
    }
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const Searched s = searched_of (*src, ((const VfiDenseSearchParams *) node->params)->step * VFI_SEARCH_CELL);

  return g_memdup2 (&s, sizeof s);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const VfiDenseSearchParams *o = (const VfiDenseSearchParams *) node->params;
  Searched s = *(const Searched *) kernel_state;
  const unsigned patches = blocks ((size_t) s.rows * s.columns, PATCHES);
  VfiCuda *cuda = (VfiCuda *) b;
  const bool few = patches < MANY;
  VfiSearchFound *found = s.found[0], *next = s.found[1];

  searched_frames (&s, src);
  vfi_launch (cuda, patches, THREADS, 0, search, o->coarse ? View (src[2]) : View (), o->first, s);
  for (int round = 0; round < o->rounds; round++)
    for (int away = o->far; away; away /= 2) {
      vfi_launch (cuda, patches, THREADS, 0, few ? hand_on<true> : hand_on<false>, away, o->steps, s, found, next);
      std::swap (found, next);
    }
  vfi_launch (cuda, blocks ((size_t) dst->h * (s.columns - 1), 256), 256, 0, o->step == 1 ? spread<1> : spread<2>, s, found, o->gain,
              View (*dst));
}

const VfiKernel vfi_cuda_dense_search = {
  &vfi_op_dense_search, vfi_cuda_supports, prepare, run, g_free, searched_workspace, searched_bind
};
