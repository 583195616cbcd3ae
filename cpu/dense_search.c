/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator dense_search: rows of patches, shared by threads, SEARCH_RUN of a row at a time (search.h); of these first what is to be looked at is listed, then it is
 * looked at in one go. Then cells of pixels, of which four patches know the flow.
 */
#include "isa.h"
#include "search.h"

#define PAD VFI_SEARCH_PAD
#define CELL VFI_SEARCH_CELL
#define TILE 64 /* pixels of a row */

typedef struct
{
  int h, w, pitch, down; /* down: pixels from one row of patches to the next */
  SearchGrid grid;
  int lead; /* floats before a plane of what is found, and behind it, that are read with its borders */
  gsize grey_size, plane_size;
  /* In the workspace. */
  float *grey[2];
  SearchFound found[2];
} State;

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiDenseSearchParams *o = node->params;
  State *s = g_new0 (State, 1);

  s->h = src->h, s->w = src->w, s->pitch = search_pitch (src->w);
  s->down = o->step * CELL;
  s->grid = search_grid (src->h, src->w, s->down);
  s->lead = (MIN (o->far, s->grid.columns) + 15) & ~15;
  s->grey_size = ((gsize) (s->h + 2 * PAD) * s->pitch + 15) & ~(gsize) 15;
  s->plane_size = (gsize) s->grid.rows * s->grid.pitch + 2 * s->lead;
  return s;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;

  return (2 * s->grey_size + 6 * s->plane_size) * sizeof (float);
}

static void
bind (gpointer state, void *place)
{
  State *s = state;
  float *at = place;

  for (int i = 0; i < 2; i++, at += s->grey_size)
    s->grey[i] = at;
  at += s->lead;
  for (int i = 0; i < 2; i++, at += 3 * s->plane_size)
    s->found[i] = (SearchFound){ at, at + s->plane_size, at + 2 * s->plane_size };
}

/* ---- patches ------------------------------------------------------------------------------------ */

/* One component of the coarser flow in the middle of SEARCH_RUN patches of a row, as vfi_search_first has it, times 2; y is their middle there. */
static void
coarse_row (const VfiView *coarse, int channel, int y, int first, int columns, float to[SEARCH_RUN])
{
  const int h = coarse->h, w = coarse->w, inner = coarse->ld == 1 ? MIN (first + SEARCH_RUN, (w + 1) / 2) : 0;
  const float *flow = (const float *) coarse->data + (gsize) channel * coarse->cd;
  const float *top = flow + (gssize) CLAMP (y - 1, 0, h - 1) * w, *low = flow + (gssize) MIN (y, h - 1) * w;

  for (int k = MAX (first, 1); k < inner; k++)
    to[k - first] = (top[2 * k - 1] + top[2 * k] + low[2 * k - 1] + low[2 * k]) * 0.5f;
  for (int k = first; k < first + SEARCH_RUN; k++)
    if (k == 0 || k >= inner)
      to[k - first] = 2 * vfi_search_first (flow, coarse->ld, h, w, y, 2 * MIN (k, columns - 1));
}

/* The first look at a row. */
static void
start_row (const VfiSearchFrames *f, const State *s, const VfiView *coarse, const SearchFound *found, int row, int n)
{
  for (int first = 0; first < s->grid.columns; first += SEARCH_RUN) {
    float u[SEARCH_RUN] = { 0 }, v[SEARCH_RUN] = { 0 };

    if (coarse) {
      coarse_row (coarse, 0, row * s->down / 2, first, s->grid.columns, u);
      coarse_row (coarse, 1, row * s->down / 2, first, s->grid.columns, v);
    }
    search_start (f, &s->grid, found, row, first, u, v);
    search_steps (f, &s->grid, found, row, first, n, VFI_SEARCH_ENOUGH);
  }
}

/* As vfi_search_handed, of a row; then n steps. */
static void
hand_row (const VfiSearchFrames *f, const State *s, const SearchFound *found, const SearchFound *next, int row, int away, int n)
{
  for (int first = 0; first < s->grid.columns; first += SEARCH_RUN) {
    search_hand (f, &s->grid, found, next, row, first, away, VFI_SEARCH_APART, VFI_SEARCH_ENOUGH);
    search_steps (f, &s->grid, next, row, first, n, VFI_SEARCH_ENOUGH);
  }
}

/* ---- pixels ------------------------------------------------------------------------------------- */

/* What the four patches around the cells of a tile know of the pixels that are asked for: above and below, of each those in even columns, then in odd ones, which lie side by
 * side; a cell more on either side. */
typedef struct
{
  float u[4][TILE + 4 * CELL], v[4][TILE + 4 * CELL];
  float miss[4][CELL][TILE + 4 * CELL]; /* 1 or what differs, if that is more */
} SEARCH_ALIGNED Tile;

/* Every `step`th element. */
VFI_INLINE void
row_store (Row v, float *to, const int step)
{
  typedef float Half __attribute__ ((vector_size (sizeof (Row) / 2), aligned (4), may_alias));

  if (step == 1)
    *(Row *) to = v;
  else
    *(Half *) to = __builtin_shufflevector (v, v, 0, 2, 4, 6);
}

/* What one patch knows of the cell's rows from row y on, to pixel `to` of the tile. */
VFI_INLINE void
patch_knows (const VfiSearchFrames *f, int y, int x, float u, float v, Tile *t, int which, int to, const int step)
{
  const float dy = vfi_search_clamp (v, -VFI_SEARCH_PATCH - y, f->h - y), dx = vfi_search_clamp (u, -VFI_SEARCH_PATCH - x, f->w - x);
  const int iy = (int) floorf (dy), ix = (int) floorf (dx);
  const Row fy = row_set (dy - iy), fx = row_set (dx - ix);
  const float *a = f->a + (gssize) y * f->pitch + x, *b = f->b + (gssize) (y + iy) * f->pitch + x + ix;
  Row above = search_between (b, fx);

  row_store (row_set (u), t->u[which] + to, step);
  row_store (row_set (v), t->v[which] + to, step);
#pragma GCC unroll 4
  for (int k = 0; k < CELL * step; k += step, a += step * f->pitch) {
    Row below, e;

    if (k && step > 1)
      above = search_between (b += f->pitch, fx);
    below = search_between (b += f->pitch, fx);
    e = row_fma (fy, below - above, above - *(const Row *) a);
    row_store (row_max (row_abs (e), row_set (1)), t->miss[which][k / step] + to, step);
    above = below;
  }
}

/* The flow of a row of cells from that of the patches above and below: each reaches over two cells. */
VFI_INLINE void
spread_row (const State *s, const VfiSearchFrames *f, const SearchFound *found, int row, const VfiView *dst, const float gain,
            const int step)
{
  const VfiView flow = *dst;                            /* a copy: what is written might be the view, for all that the compiler knows */
  const int y = row * CELL, h = MIN (CELL, flow.h - y); /* of the result */
  Tile t;

  for (int x0 = 0; x0 < flow.w; x0 += TILE / step) {
    const int first = x0 * step / CELL, last = MIN (first + TILE / CELL + 1, s->grid.columns);

    for (int i = first; i < last; i++)
      for (int k = 0; k < 2; k++) {
        const gsize at = (gsize) (row + k) * s->grid.pitch + i;

        patch_knows (f, y * step, (i - 1) * CELL, found->u[at], found->v[at], &t, 2 * k + i % 2, (i - first) * CELL / step, step);
      }
    for (int x = 0; x < MIN (TILE / step, flow.w - x0); x += VFI_LANES) {
      const int n = MIN (flow.w - x0 - x, VFI_LANES);
      Vec u[4], v[4];

#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        u[i] = *(const Vec *) (t.u[i] + CELL / step + x);
        v[i] = *(const Vec *) (t.v[i] + CELL / step + x);
      }
      for (int k = 0; k < h; k++) {
        Vec m[4], above, below, sum;

#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
          m[i] = *(const Vec *) (t.miss[i][k] + CELL / step + x);
        /* Weights 1 / m, all times the product of all m: one division. */
        above = m[0] * m[1];
        below = m[2] * m[3];
        sum = gain / vec_fma (m[0] + m[1], below, (m[2] + m[3]) * above);
        above *= sum;
        below *= sum;
        vec_store_pixels (&flow, y + k, x0 + x, 0, n,
                          vec_fma (vec_fma (u[0], m[1], u[1] * m[0]), below, vec_fma (u[2], m[3], u[3] * m[2]) * above));
        vec_store_pixels (&flow, y + k, x0 + x, 1, n,
                          vec_fma (vec_fma (v[0], m[1], v[1] * m[0]), below, vec_fma (v[2], m[3], v[3] * m[2]) * above));
      }
    }
  }
}

/* A run, for the threads. */
typedef struct
{
  const State *s;
  const VfiDenseSearchParams *o;
  const VfiView *coarse, *dst;
  VfiSearchFrames f;
  const SearchFound *found, *next;
  int d;
} Run;

static void
start (gpointer data, int i, int thread)
{
  const Run *r = data;
  start_row (&r->f, r->s, r->coarse, r->found, i, r->o->first);
}

static void
hand (gpointer data, int i, int thread)
{
  const Run *r = data;
  hand_row (&r->f, r->s, r->found, r->next, i, r->d, r->d == 1 ? r->o->steps : 0);
}

static void
spread (gpointer data, int i, int thread)
{
  const Run *r = data;

  if (r->o->step == 1)
    spread_row (r->s, &r->f, r->found, i, r->dst, 1, 1);
  else
    spread_row (r->s, &r->f, r->found, i, r->dst, r->o->gain, 2);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const VfiDenseSearchParams *o = node->params;
  const State *s = kernel_state;
  Run r = { s, o, o->coarse ? &src[2] : NULL, dst, search_grey (b, src, s->grey, s->pitch, s->down), &s->found[0], &s->found[1] };

  vfi_cpu_each (b, s->grid.rows, 1, start, &r);
  for (int round = 0; round < o->rounds; round++)
    for (r.d = o->far; r.d; r.d /= 2) {
      const SearchFound *swap = r.found;

      vfi_cpu_each (b, s->grid.rows, 1, hand, &r);
      r.found = r.next;
      r.next = swap;
    }
  vfi_cpu_each (b, s->grid.rows - 1, 1, spread, &r);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_dense_search) = { &vfi_op_dense_search, NULL, prepare, run, g_free, workspace, bind };
