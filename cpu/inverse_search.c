/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator inverse_search: patches and cells as core/inverse_search.h has them, row after row, shared by threads; what flows miss, a vector of
 * pixels at a time.
 */
#include <omp.h>

#include "isa.h"
#include "search.h"

#define PAD VFI_SEARCH_PAD
#define LINES 6 /* of each thread: u and v of both flows, sums of what they miss */

enum
{
  GREY,
  MISS = GREY + 2,
  FOUND = MISS + 2,
  LINE = FOUND + 2, /* LINES of each thread */
  N_PARTS
};

typedef struct
{
  gboolean warped;
  int h, w, pitch, rows, columns;
  gsize bytes[N_PARTS];
  /* In the workspace. */
  float *grey[2], *miss[2], *lines;
  VfiSearchFound *found[2];
} State;

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);

  s->warped = ((const VfiInverseSearchParams *) node->params)->warped;
  s->h = dst->h, s->w = dst->w;
  s->pitch = search_pitch (dst->w);
  s->rows = vfi_search_cells (dst->h), s->columns = vfi_search_cells (dst->w);
  for (int i = 0; i < 2; i++) {
    s->bytes[GREY + i] = (gsize) (s->h + 2 * PAD) * s->pitch * sizeof (float);
    s->bytes[MISS + i] = (gsize) s->h * s->pitch * sizeof (float);
    s->bytes[FOUND + i] = (gsize) s->rows * s->columns * sizeof (VfiSearchFound);
  }
  s->bytes[LINE] = (gsize) LINES * b->threads * s->pitch * sizeof (float);
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
  gpointer part[N_PARTS];
  guint8 *at = place;

  for (int i = 0; i < N_PARTS; at += s->bytes[i++])
    part[i] = at;
  for (int i = 0; i < 2; i++) {
    s->grey[i] = part[GREY + i];
    s->miss[i] = part[MISS + i];
    s->found[i] = part[FOUND + i];
  }
  s->lines = part[LINE];
}

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

    *(Vec *) (to + x) = vec_max (e, -e);
  }
  for (int i = 1; i <= 2; i++) {
    to[-i] = to[0];
    to[f->w - 1 + i] = to[f->w - 1];
  }
}

/* u and v of the pixels in a row of cells; none in what its last vector has besides. */
static void
cell_row (const State *s, int row, float *line[2])
{
  for (int k = 0; k < s->columns - 1; k++) {
    const VfiSearchFound u = vfi_search_cell (s->found[1], s->columns, row, k);
    for (int i = 0; i < VFI_SEARCH_CELL; i++) {
      line[0][VFI_SEARCH_CELL * k + i] = u.u;
      line[1][VFI_SEARCH_CELL * k + i] = u.v;
    }
  }
  for (int x = VFI_SEARCH_CELL * (s->columns - 1); x % VFI_LANES; x++)
    line[0][x] = line[1][x] = 0;
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
choose_row (const State *s, const VfiView *old, const VfiView *new, int y, float *line[2], float *sum[2])
{
  const VfiView state = *old, dst = *new; /* copies: what is written might be the views, for all that the compiler knows */

  for (int i = 0; i < 2; i++)
    for (int x = -VFI_LANES; x < s->w + 2; x += VFI_LANES) {
      Vec v = vec_set (0);
      for (int k = -2; k <= 2; k++)
        v += *(const Vec *) (s->miss[i] + PAD + (gsize) CLAMP (y + k, 0, s->h - 1) * s->pitch + x);
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

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const State *s = kernel_state;
  const VfiView *state = &src[2];
  const float *flow = (const float *) state->data + 2 * state->cd;
  const gsize origin = (gsize) PAD * s->pitch + PAD;
  const VfiSearchFrames f = { s->grey[0] + origin, s->grey[1] + origin, s->h, s->w, s->pitch };

#pragma omp parallel
  {
    float *line[LINES];
    VfiSearchPatch p;

    for (int i = 0; i < LINES; i++)
      line[i] = s->lines + ((gsize) omp_get_thread_num () * LINES + i) * s->pitch + PAD;
#pragma omp for
    for (int y = -PAD; y < s->h + PAD; y++)
      for (int i = 0; i < 2; i++)
        search_grey_row (&src[i], y, s->grey[i] + origin + (gssize) y * s->pitch);
#pragma omp for schedule(dynamic)
    for (int i = 0; i < s->rows; i++)
      for (int k = 0; k < s->columns; k++) {
        const float u = s->warped ? 0 : vfi_search_first (flow, state->ld, s->h, s->w, VFI_SEARCH_CELL * i, VFI_SEARCH_CELL * k);
        const float v =
            s->warped ? 0 : vfi_search_first (flow + state->cd, state->ld, s->h, s->w, VFI_SEARCH_CELL * i, VFI_SEARCH_CELL * k);

        vfi_search_patch (&f, i, k, &p);
        s->found[0][i * s->columns + k] = vfi_search_steps (&f, &p, (VfiSearchFound){ u, v, 0 }, VFI_SEARCH_STEPS);
      }
#pragma omp for schedule(dynamic)
    for (int i = 0; i < s->rows; i++)
      for (int k = 0; k < s->columns; k++)
        s->found[1][i * s->columns + k] = vfi_search_again (&f, s->found[0], i, k, &p);
    for (int n = 0; n < VFI_SEARCH_ROUNDS; n++) {
#pragma omp for
      for (int i = 0; i < s->rows; i++)
        for (int k = 0; k < s->columns; k++)
          s->found[n & 1][i * s->columns + k] = vfi_search_smooth (s->found[!(n & 1)], s->rows, s->columns, i, k);
    }
#pragma omp for
    for (int i = 0; i < s->rows - 1; i++) {
      cell_row (s, i, line);
      for (int y = i * VFI_SEARCH_CELL; y < (i + 1) * VFI_SEARCH_CELL; y++) {
        state_row (s, state, y, line + 2);
        for (int k = 0; k < 2; k++)
          miss_row (&f, y, line[2 * k], line[2 * k + 1], s->miss[k] + PAD + (gsize) y * s->pitch);
      }
    }
#pragma omp for
    for (int i = 0; i < s->rows - 1; i++) {
      cell_row (s, i, line);
      for (int y = i * VFI_SEARCH_CELL; y < (i + 1) * VFI_SEARCH_CELL; y++)
        choose_row (s, state, dst, y, line, line + 4);
    }
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_inverse_search) = { &vfi_op_inverse_search, NULL, prepare, run, g_free, workspace, bind };
