/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator inverse_search: patches and cells as core/inverse_search.h has them, a thread for each.
 */
#include "search.h"

#define THREADS 64 /* a patch's pixels are a kilobyte of its thread's */

/* Besides, what is found of each patch (twice, in turn), and what both flows miss at each pixel: in workspace. */
struct Search : Greys
{
  bool warped;
  float *miss[2];
  VfiSearchFound *found[2];
};

static __global__ void
search (View state, Search s)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x, row = i / s.columns, column = i % s.columns;
  const float *flow = static_cast<const float *> (state.data) + 2 * state.cd;
  const VfiSearchFrames f = frames (s);
  VfiSearchPatch p;

  if (i >= s.rows * s.columns)
    return;
  VfiSearchFound start = { 0, 0, 0 };
  if (!s.warped)
    start = { vfi_search_first (flow, state.ld, s.h, s.w, VFI_SEARCH_CELL * row, VFI_SEARCH_CELL * column),
              vfi_search_first (flow + state.cd, state.ld, s.h, s.w, VFI_SEARCH_CELL * row, VFI_SEARCH_CELL * column), 0 };
  vfi_search_patch (&f, row, column, &p);
  s.found[0][i] = vfi_search_steps (&f, &p, start, VFI_SEARCH_STEPS);
}

static __global__ void
again (Search s)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const VfiSearchFrames f = frames (s);
  VfiSearchPatch p;

  if (i < s.rows * s.columns)
    s.found[1][i] = vfi_search_again (&f, s.found[0], i / s.columns, i % s.columns, &p);
}

static __global__ void
smooth (Search s, int to)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x;

  if (i < s.rows * s.columns)
    s.found[to][i] = vfi_search_smooth (s.found[!to], s.rows, s.columns, i / s.columns, i % s.columns);
}

static __device__ VfiSearchFound
flow_at (const Search &s, int y, int x)
{
  return vfi_search_cell (s.found[1], s.columns, y / VFI_SEARCH_CELL, x / VFI_SEARCH_CELL);
}

static __global__ void
misses (View state, Search s)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x, y = i / s.w, x = i % s.w;
  const VfiSearchFrames f = frames (s);

  if (i < s.h * s.w) {
    const VfiSearchFound flow = flow_at (s, y, x);
    s.miss[0][i] = vfi_search_miss (&f, y, x, flow.u, flow.v);
    s.miss[1][i] = s.warped ? vfi_search_miss (&f, y, x, 0, 0) : vfi_search_miss (&f, y, x, get (state, i, 2), get (state, i, 3));
  }
}

static __global__ void
choose (View state, Search s, View dst)
{
  const int p = blockIdx.x * blockDim.x + threadIdx.x, y = p / s.w, x = p % s.w;
  float sum[2] = { 0, 0 };

  if (p >= s.h * s.w)
    return;
  for (int i = -2; i <= 2; i++)
    for (int k = -2; k <= 2; k++) {
      const int at = clamped (y + i, s.h) * s.w + clamped (x + k, s.w);
      sum[0] += s.miss[0][at];
      sum[1] += s.miss[1][at];
    }
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

  s->warped = ((const VfiInverseSearchParams *) node->params)->warped;
  s->h = dst->h, s->w = dst->w, s->pitch = dst->w + 2 * PAD;
  s->rows = vfi_search_cells (dst->h), s->columns = vfi_search_cells (dst->w);
  return s;
}

static gsize
miss_bytes (const Search &s)
{
  return (gsize) s.h * s.w * sizeof (float);
}

static gsize
workspace (gpointer state)
{
  const Search *s = (const Search *) state;

  return 2 * (greys_bytes (*s) + miss_bytes (*s) + found_bytes (*s));
}

static void
bind (gpointer state, void *memory)
{
  Search *s = (Search *) state;
  guint8 *at = (guint8 *) memory;

  for (int i = 0; i < 2; i++) {
    s->grey[i] = (float *) at, at += greys_bytes (*s);
    s->miss[i] = (float *) at, at += miss_bytes (*s);
    s->found[i] = (VfiSearchFound *) at, at += found_bytes (*s);
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const Search s = *(const Search *) kernel_state;
  const unsigned cells = blocks ((size_t) s.rows * s.columns, THREADS), pixels = blocks ((size_t) s.h * s.w, 256);
  const View state = src[2];
  VfiCuda *cuda = (VfiCuda *) b;

  vfi_launch (cuda, blocks ((size_t) (s.h + 2 * PAD) * s.pitch, 256), 256, 0, to_grey, View (src[0]), View (src[1]), Greys (s));
  vfi_launch (cuda, cells, THREADS, 0, search, state, s);
  vfi_launch (cuda, cells, THREADS, 0, again, s);
  for (int i = 0; i < VFI_SEARCH_ROUNDS; i++)
    vfi_launch (cuda, cells, THREADS, 0, smooth, s, i & 1);
  vfi_launch (cuda, pixels, 256, 0, misses, state, s);
  vfi_launch (cuda, pixels, 256, 0, choose, state, s, View (*dst));
}

const VfiKernel vfi_cuda_inverse_search = { &vfi_op_inverse_search, vfi_cuda_supports, prepare, run, g_free, workspace, bind };
