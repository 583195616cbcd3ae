/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator inverse_search: rows of patches, shared by threads, SEARCH_RUN of a row at a time (search.h); then rows of cells: what flows miss, a vector of pixels
 * at a time, of which each thread keeps the few rows that a choice needs.
 */
#include "isa.h"
#include "search.h"

#define PAD VFI_SEARCH_PAD
#define CELL VFI_SEARCH_CELL
#define RING 8 /* rows of what is missed: row y is at y mod RING */
#define LEAD 16

enum
{
  LINE = 0,                /* u and v of both flows */
  SUM = LINE + 4,          /* of what they miss */
  MISS = SUM + 2,          /* what they miss: a ring each */
  N_ROWS = MISS + 2 * RING /* of each thread */
};

typedef struct
{
  gboolean warped;
  int h, w, pitch;
  SearchGrid grid;
  gsize grey_size, plane_size, rows_size;
  /* In the workspace. */
  float *grey[2], *rows;
  SearchFound found[2]; /* a patch more on every side */
  float *trust;         /* 1 / (1 + square) */
} State;

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);

  s->warped = ((const VfiInverseSearchParams *) node->params)->warped;
  s->h = dst->h, s->w = dst->w;
  s->pitch = search_pitch (dst->w);
  s->grid = search_grid (dst->h, dst->w, CELL);
  s->grid.pitch += LEAD; /* for neighbours of the first and last patches */
  s->grey_size = ((gsize) (s->h + 2 * PAD) * s->pitch + 15) & ~(gsize) 15;
  s->plane_size = (gsize) (s->grid.rows + 2) * s->grid.pitch + 2 * LEAD;
  s->rows_size = ((gsize) N_ROWS * s->pitch + 15) & ~(gsize) 15;
  s->rows_size *= b->threads;
  return s;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;

  return (2 * s->grey_size + s->rows_size + 7 * s->plane_size) * sizeof (float);
}

static void
bind (gpointer state, void *place)
{
  State *s = state;
  float *at = place;

  for (int i = 0; i < 2; i++, at += s->grey_size)
    s->grey[i] = at;
  s->rows = at;
  at += s->rows_size + s->grid.pitch + LEAD;
  for (int i = 0; i < 2; i++, at += 3 * s->plane_size)
    s->found[i] = (SearchFound){ at, at + s->plane_size, at + 2 * s->plane_size };
  s->trust = at;
}

/* ---- patches ------------------------------------------------------------------------------------ */

/* The first look at a row, from the flow there was, or none. */
static void
start_row (const VfiSearchFrames *f, const State *s, const VfiView *state, int row)
{
  const float *flow = (const float *) state->data + 2 * state->cd;

  for (int first = 0; first < s->grid.columns; first += SEARCH_RUN) {
    float u[SEARCH_RUN] = { 0 }, v[SEARCH_RUN] = { 0 };

    for (int i = 0; i < SEARCH_RUN && !s->warped; i++) {
      const int x = CELL * MIN (first + i, s->grid.columns - 1);

      u[i] = vfi_search_first (flow, state->ld, s->h, s->w, CELL * row, x);
      v[i] = vfi_search_first (flow + state->cd, state->ld, s->h, s->w, CELL * row, x);
    }
    search_start (f, &s->grid, &s->found[0], row, first, u, v);
    search_steps (f, &s->grid, &s->found[0], row, first, VFI_SEARCH_STEPS, 0);
  }
}

/* The second one, at its neighbours' flows, too. */
static void
again_row (const VfiSearchFrames *f, const State *s, int row)
{
  for (int first = 0; first < s->grid.columns; first += SEARCH_RUN) {
    search_hand (f, &s->grid, &s->found[0], &s->found[1], row, first, 1, 0, 0);
    search_steps (f, &s->grid, &s->found[1], row, first, VFI_SEARCH_STEPS, 0);
  }
}

/* Patches around all others, like the nearest of these. */
static void
surround (const SearchGrid *grid, float *plane)
{
  for (int i = 0; i < grid->rows; i++) {
    float *p = plane + (gsize) i * grid->pitch;

    p[-1] = p[0];
    p[grid->columns] = p[grid->columns - 1];
  }
  memcpy (plane - grid->pitch - 1, plane - 1, (grid->columns + 2) * sizeof (float));
  memcpy (plane + (gsize) grid->rows * grid->pitch - 1, plane + (gsize) (grid->rows - 1) * grid->pitch - 1,
          (grid->columns + 2) * sizeof (float));
}

/* As vfi_search_smooth, of all patches, so many times that they are where they were. So few they are that threads would only wait for one another. */
static void
smooth (const State *s)
{
  const SearchGrid *grid = &s->grid;

  for (int i = 0; i < grid->rows; i++)
    for (int k = 0; k < grid->columns; k += VFI_LANES) {
      const gsize at = (gsize) i * grid->pitch + k;

      *(Vec *) (s->trust + at) = 1 / (1 + *(const Vec *) (s->found[1].square + at));
    }
  surround (grid, s->trust);
  for (int n = 0; n < VFI_SEARCH_ROUNDS; n++) {
    const SearchFound *from = &s->found[!(n & 1)], *to = &s->found[n & 1];

    surround (grid, from->u);
    surround (grid, from->v);
    for (int i = 0; i < grid->rows; i++)
      for (int k = 0; k < grid->columns; k += VFI_LANES) {
        const gsize here = (gsize) i * grid->pitch + k;
        const Vec trust = *(const Vec *) (s->trust + here);
        Vec u = vec_set (0), v = vec_set (0), sum = vec_set (0), loose, scale;

#pragma GCC unroll 3
        for (int y = -1; y <= 1; y++)
#pragma GCC unroll 3
          for (int x = -1; x <= 1; x++) {
            const gsize at = here + y * (gssize) grid->pitch + x;
            const Vec weight = *(const Vec *) (s->trust + at);

            u = vec_fma (weight, *(const Vec *) (from->u + at), u);
            v = vec_fma (weight, *(const Vec *) (from->v + at), v);
            sum += weight;
          }
        loose = VFI_SEARCH_LOOSE / sum;
        scale = 1 / (trust + VFI_SEARCH_LOOSE);
        *(Vec *) (to->u + here) = vec_fma (loose, u, trust * *(const Vec *) (from->u + here)) * scale;
        *(Vec *) (to->v + here) = vec_fma (loose, v, trust * *(const Vec *) (from->v + here)) * scale;
      }
  }
}

/* ---- pixels ------------------------------------------------------------------------------------- */

/* What flows u, v miss along row y, and two pixels on either side, repeated. */
static void
miss_row (const VfiSearchFrames *f, int y, const float *u, const float *v, float *to)
{
  const float *a = f->a + (gsize) y * f->pitch;

  for (int x = 0; x < f->w; x += VFI_LANES) {
    const Vec at_y = vec_min (vec_max (*(const Vec *) (v + x) + vec_set (y), vec_set (0)), vec_set (f->h - 1));
    const Vec at_x = vec_min (vec_max (VEC_TO_FLOAT (vec_iota () + x) + *(const Vec *) (u + x), vec_set (0)), vec_set (f->w - 1));
    const VecI iy = VEC_TO_INT (at_y), ix = VEC_TO_INT (at_x), at = iy * f->pitch + ix;
    const Vec fy = at_y - VEC_TO_FLOAT (iy), fx = at_x - VEC_TO_FLOAT (ix);
    const Vec b00 = (Vec) vec_gather (f->b, at, 4), b01 = (Vec) vec_gather (f->b + 1, at, 4);
    const Vec b10 = (Vec) vec_gather (f->b + f->pitch, at, 4), b11 = (Vec) vec_gather (f->b + f->pitch + 1, at, 4);
    const Vec top = (1 - fx) * b00 + fx * b01, bottom = (1 - fx) * b10 + fx * b11;
    const Vec e = (1 - fy) * top + fy * bottom - *(const Vec *) (a + x);

    *(Vec *) (to + x) = vec_abs (e);
  }
  for (int i = 1; i <= 2; i++) {
    to[-i] = to[0];
    to[f->w - 1 + i] = to[f->w - 1];
  }
}

/* u and v of the pixels in a row of cells, as vfi_search_cell; none in what its last vector has besides. */
static void
cell_row (const State *s, int row, float *line[2])
{
  const SearchFound *found = &s->found[1];
  const int cells = s->grid.columns - 1;

  for (int k = 0; k < cells; k += VFI_LANES) {
    float cell[2][VFI_LANES];
    Vec u = vec_set (0), v = vec_set (0), sum = vec_set (0);

#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      const gsize at = (gsize) (row + i / 2) * s->grid.pitch + k + i % 2;
      const Vec weight = *(const Vec *) (s->trust + at);

      u = vec_fma (weight, *(const Vec *) (found->u + at), u);
      v = vec_fma (weight, *(const Vec *) (found->v + at), v);
      sum += weight;
    }
    sum = 1 / sum;
    *(Vec *) cell[0] = u * sum;
    *(Vec *) cell[1] = v * sum;
    for (int i = 0; i < MIN (cells - k, VFI_LANES); i++)
      for (int c = 0; c < 2; c++)
        *(Four *) (line[c] + CELL * (k + i)) = (Four){ cell[c][i], cell[c][i], cell[c][i], cell[c][i] };
  }
  for (int x = CELL * cells; x % VFI_LANES; x++)
    line[0][x] = line[1][x] = 0;
}

/* Row y of what flow i misses. */
VFI_INLINE float *
ring_row (const State *s, float *rows, int i, int y)
{
  return rows + (gsize) (MISS + i * RING + y % RING) * s->pitch;
}

/* u and v of the state along row y. */
static void
state_row (const State *s, const VfiView *state, int y, float *line[2])
{
  for (int x = 0; x < s->w; x += VFI_LANES)
    for (int c = 0; c < 2; c++)
      *(Vec *) (line[c] + x) = s->warped ? vec_set (0) : vec_load_pixels (state, y, x, 2 + c, MIN (s->w - x, VFI_LANES));
}

static void
choose_row (const State *s, const VfiView *old, const VfiView *new, int y, float *rows, float *line[2], float *sum[2])
{
  const VfiView state = *old, dst = *new; /* copies: what is written might be the views, for all that the compiler knows */

  for (int i = 0; i < 2; i++)
    for (int x = -VFI_LANES; x < s->w + 2; x += VFI_LANES) {
      Vec v = vec_set (0);
      for (int k = -2; k <= 2; k++)
        v += *(const Vec *) (ring_row (s, rows, i, CLAMP (y + k, 0, s->h - 1)) + x);
      *(Vec *) (sum[i] + x) = v;
    }
  for (int x = 0; x < s->w; x += VFI_LANES) {
    const int n = MIN (s->w - x, VFI_LANES);
    Vec m[2];

    for (int i = 0; i < 2; i++) {
      const float *p = sum[i] + x;
      m[i] = *(const Vec *) (p - 2) + *(const Vec *) (p - 1) + *(const Vec *) p + *(const Vec *) (p + 1) + *(const Vec *) (p + 2);
    }
    const VecI kept = m[1] < VFI_SEARCH_KEPT * m[0] + (s->warped ? 25 * VFI_SEARCH_LEAST : 0);
    for (int c = 0; c < 5; c++) {
      const Vec was = vec_load_pixels (&state, y, x, c, n);
      const gboolean same = c == 4 || (c < 2 && !s->warped);
      Vec found = *(const Vec *) (line[c % 2] + x);
      if (s->warped)
        found += was;
      vec_store_pixels (&dst, y, x, c, n, same ? was : (Vec) vec_selecti (kept, (VecI) was, (VecI) found));
    }
  }
}

/* A run, for the threads. */
typedef struct
{
  const State *s;
  const VfiView *src, *dst;
  VfiSearchFrames f;
} Run;

static void
start (gpointer data, int i, int thread)
{
  const Run *r = data;
  start_row (&r->f, r->s, &r->src[2], i);
}

static void
again (gpointer data, int i, int thread)
{
  const Run *r = data;
  again_row (&r->f, r->s, i);
}

/* Thread i's part of the rows, of n. */
static void
choose (gpointer data, int i, int n)
{
  const Run *r = data;
  const State *s = r->s;
  const int rows = s->grid.rows - 1, end = rows * (i + 1) / n;
  float *room = s->rows + (gsize) i * N_ROWS * s->pitch + PAD, *line[SUM + 2];
  int missed = -1; /* the last row whose misses are in the rings */

  for (int k = 0; k < SUM + 2; k++)
    line[k] = room + (gsize) k * s->pitch;
  for (int row = rows * i / n; row < end; row++) {
    const int y0 = row * CELL, y1 = y0 + CELL;

    for (int y = MAX (missed < 0 ? y0 - 2 : missed + 1, 0); y < MIN (y1 + 2, s->h); missed = y++) {
      if (y % CELL == 0 || missed < 0)
        cell_row (s, y / CELL, line);
      state_row (s, &r->src[2], y, line + 2);
      for (int k = 0; k < 2; k++)
        miss_row (&r->f, y, line[2 * k], line[2 * k + 1], ring_row (s, room, k, y));
    }
    cell_row (s, row, line);
    for (int y = y0; y < y1; y++)
      choose_row (s, &r->src[2], r->dst, y, room, line, line + SUM);
    if (y1 < s->h)
      cell_row (s, row + 1, line);
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const State *s = kernel_state;
  Run r = { s, src, dst, search_grey (b, src, s->grey, s->pitch, CELL) };

  vfi_cpu_each (b, s->grid.rows, 1, start, &r);
  vfi_cpu_each (b, s->grid.rows, 1, again, &r);
  smooth (s);
  b->klass->share (b, choose, &r);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_inverse_search) = { &vfi_op_inverse_search, NULL, prepare, run, g_free, workspace, bind };
