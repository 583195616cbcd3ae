/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator dense_search: patches as core/inverse_search.h has them, row after row, shared by threads; then cells of pixels, of which four patches know the flow.
 */
#include "isa.h"
#include "search.h"

#define PAD VFI_SEARCH_PAD
#define CELL VFI_SEARCH_CELL

enum
{
  GREY,
  FOUND = GREY + 2,
  N_PARTS = FOUND + 2
};

typedef struct
{
  int h, w, pitch, rows, columns;
  gsize bytes[N_PARTS];
  /* In the workspace. */
  float *grey[2];
  VfiSearchFound *found[2];
} State;

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);

  s->h = dst->h, s->w = dst->w, s->pitch = search_pitch (dst->w);
  s->rows = vfi_search_cells (dst->h), s->columns = vfi_search_cells (dst->w);
  for (int i = 0; i < 2; i++) {
    s->bytes[GREY + i] = (gsize) (s->h + 2 * PAD) * s->pitch * sizeof (float);
    s->bytes[FOUND + i] = (gsize) s->rows * s->columns * sizeof (VfiSearchFound);
  }
  for (int i = 0; i < N_PARTS; i++)
    s->bytes[i] = (s->bytes[i] + 63) & ~(gsize) 63;
  return s;
}

static gsize
workspace (gpointer state)
{
  gsize sum = 0;

  for (int i = 0; i < N_PARTS; i++)
    sum += ((State *) state)->bytes[i];
  return sum;
}

static void
bind (gpointer state, void *place)
{
  State *s = state;
  guint8 *at = place;

  for (int i = 0; i < 2; at += s->bytes[GREY + i++])
    s->grey[i] = (float *) at;
  for (int i = 0; i < 2; at += s->bytes[FOUND + i++])
    s->found[i] = (VfiSearchFound *) at;
}

/* Pixels side by side in a cell. */
typedef float Run __attribute__ ((vector_size (4 * CELL), aligned (4), may_alias));
typedef gint32 RunI __attribute__ ((vector_size (4 * CELL)));

/* The flow of a cell's pixels from that of the four patches around: along each, all of them lie alike between the pixels of the second frame. */
VFI_INLINE void
spread (const VfiSearchFrames *f, const VfiSearchFound *at, int columns, int y, int x, const VfiView *dst)
{
  const VfiSearchFound *of[4] = { at, at + 1, at + columns, at + columns + 1 };
  const int h = MIN (CELL, dst->h - y), w = MIN (CELL, dst->w - x);
  Run u[CELL] = { 0 }, v[CELL] = { 0 }, sum[CELL] = { 0 };

  for (int i = 0; i < 4; i++) {
    const float dy = vfi_search_clamp (of[i]->v, -CELL - y, f->h - y), dx = vfi_search_clamp (of[i]->u, -CELL - x, f->w - x);
    const int iy = (int) floorf (dy), ix = (int) floorf (dx);
    const float fy = dy - iy, fx = dx - ix, *a = f->a + (gssize) y * f->pitch + x, *b = f->b + (gssize) (y + iy) * f->pitch + x + ix;
    Run above = (1 - fx) * *(const Run *) b + fx * *(const Run *) (b + 1);

    for (int k = 0; k < CELL; k++) {
      const Run *next = (const Run *) (b + (k + 1) * f->pitch), *right = (const Run *) (b + (k + 1) * f->pitch + 1);
      const Run below = (1 - fx) * *next + fx * *right, e = (1 - fy) * above + fy * below - *(const Run *) (a + k * f->pitch);
      const RunI miss = (RunI) e & 0x7fffffff, more = miss > (RunI) ((Run){ 0 } + 1);
      const Run weight = 1 / (Run) ((miss & more) | ((RunI) ((Run){ 0 } + 1) & ~more));

      u[k] += weight * of[i]->u;
      v[k] += weight * of[i]->v;
      sum[k] += weight;
      above = below;
    }
  }
  for (int k = 0; k < h; k++) {
    const Run p = u[k] / sum[k], q = v[k] / sum[k];
    float *to = (float *) dst->data + ((gsize) (y + k) * dst->w + x) * dst->ld;

    for (int i = 0; i < w; i++, to += dst->ld) {
      to[0] = p[i];
      to[dst->cd] = q[i];
    }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const VfiDenseSearchParams o = *(const VfiDenseSearchParams *) node->params;
  const State *s = kernel_state;
  const VfiView *coarse = &src[2], result = *dst;
  const gsize origin = (gsize) PAD * s->pitch + PAD;
  const VfiSearchFrames f = { s->grey[0] + origin, s->grey[1] + origin, s->h, s->w, s->pitch };

#pragma omp parallel
  {
    VfiSearchFound *found = s->found[0], *next = s->found[1];
    VfiSearchPatch p;

#pragma omp for
    for (int y = -PAD; y < s->h + PAD; y++)
      for (int i = 0; i < 2; i++)
        search_grey_row (&src[i], y, s->grey[i] + origin + (gssize) y * s->pitch);
#pragma omp for schedule(dynamic)
    for (int i = 0; i < s->rows; i++)
      for (int k = 0; k < s->columns; k++) {
        VfiSearchFound start = { 0, 0, 0 };

        if (o.coarse) {
          start.u = 2 * vfi_search_first (coarse->data, coarse->ld, coarse->h, coarse->w, 2 * i, 2 * k);
          start.v = 2 * vfi_search_first ((const float *) coarse->data + coarse->cd, coarse->ld, coarse->h, coarse->w, 2 * i, 2 * k);
        }
        vfi_search_patch (&f, i, k, &p);
        found[i * s->columns + k] = vfi_search_steps (&f, &p, start, o.steps);
      }
    for (int round = 0; round < o.rounds; round++)
      for (int d = o.far; d; d /= 2) {
        VfiSearchFound *swap = found;

#pragma omp for schedule(dynamic)
        for (int i = 0; i < s->rows; i++)
          for (int k = 0; k < s->columns; k++) {
            VfiSearchFound here;

            vfi_search_look (&f, i, k, &p);
            here = vfi_search_handed (&f, found, i, k, d, &p);
            if (d == 1) {
              vfi_search_slope (&f, &p);
              here = vfi_search_steps (&f, &p, here, o.steps);
            }
            next[i * s->columns + k] = here;
          }
        found = next;
        next = swap;
      }
#pragma omp for
    for (int i = 0; i < s->rows - 1; i++)
      for (int k = 0; k < s->columns - 1; k++)
        spread (&f, found + i * s->columns + k, s->columns, CELL * i, CELL * k, &result);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_dense_search) = { &vfi_op_dense_search, NULL, prepare, run, g_free, workspace, bind };
