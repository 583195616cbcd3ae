/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator resample. Each thread has a part of the height. Of the rows that a row of the result is made of it keeps, in a ring, what becomes of them
 * along the row, pixels as four floats, so that no channel is a special case: a row of the picture is worked on once, but where two parts meet.
 */
#include "isa.h"

typedef float Pixel __attribute__ ((vector_size (16), may_alias)); /* channels that there are not: 0 */

typedef struct
{
  VfiTaps *x, *y;
  gsize line, row; /* pixels of a row of the picture; and of one of the result, a multiple of VFI_LANES */
  int threads;
  Pixel *rows; /* in the workspace; for each thread y->n of the result and one of the picture */
} State;

static void
release (gpointer state)
{
  State *s = state;

  vfi_taps_free (s->x);
  vfi_taps_free (s->y);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiFilter filter = ((const VfiResampleParams *) node->params)->filter;
  State *s = g_new0 (State, 1);

  s->x = vfi_taps_new (filter, src->w, dst->w);
  s->y = vfi_taps_new (filter, src->h, dst->h);
  s->line = (src->w + VFI_LANES - 1) / VFI_LANES * VFI_LANES;
  s->row = (dst->w + VFI_LANES - 1) / VFI_LANES * VFI_LANES;
  s->threads = b->threads;
  return s;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;
  return s->threads * (s->y->n * s->row + s->line) * sizeof (Pixel);
}

static void
bind (gpointer state, void *place)
{
  ((State *) state)->rows = place;
}

/* Row y of the picture. */
VFI_INLINE void
load (const VfiView *v, int y, Pixel *to, const int channels)
{
  const float *p = (const float *) v->data + (gsize) y * v->w * v->ld;

  for (int x = 0; x < v->w; x++, p += v->ld) {
    Pixel pixel = { 0 };

    for (int c = 0; c < channels; c++)
      pixel[c] = p[c];
    to[x] = pixel;
  }
}

static void
load_any (const VfiView *v, int y, Pixel *to)
{
  if (v->c == 3)
    load (v, y, to, 3);
  else
    load (v, y, to, v->c);
}

/* What becomes of row y along the row. */
static void
along (const State *s, const VfiView *src, int y, int w, Pixel *line, Pixel *to)
{
  const int n = s->x->n;

  if (src->w == w) {
    load_any (src, y, to);
    return;
  }
  load_any (src, y, line);
  for (int x = 0; x < w; x++) {
    const float *weight = s->x->weight + (gsize) x * n;
    const Pixel *p = line + s->x->first[x];
    Pixel sum = { 0 };

    for (int j = 0; j < n; j++)
      sum += weight[j] * p[j];
    to[x] = sum;
  }
}

/* A row of the result, of the n rows of the ring from `start` on. */
static void
across (const State *s, const Pixel *ring, const float *weight, int start, const VfiView *dst, int y)
{
  const int n = s->y->n, c = dst->c;
  float *to = (float *) dst->data + (gsize) y * dst->w * dst->ld;

  for (int x = 0; x < dst->w; x += VFI_LANES / 4) {
    Vec sum = { 0 };
    float made[VFI_LANES];

    for (int j = 0; j < n; j++) {
      const int k = start + j < n ? start + j : start + j - n;

      sum = vec_fma (vec_set (weight[j]), *(const Vec *) (ring + k * s->row + x), sum);
    }
    vec_store (made, VFI_F32, 0, VFI_LANES, sum);
    for (int i = 0; i < MIN (dst->w - x, VFI_LANES / 4); i++)
      for (int k = 0; k < c; k++)
        to[(gsize) (x + i) * dst->ld + k] = made[4 * i + k];
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const State *s = state;
  const int n = s->y->n;
  Pixel *ring = s->rows + (gsize) thread * (n * s->row + s->line);
  int next = 0; /* of the picture's rows */

  for (int y = y0; y < y1; y++) {
    const int first = s->y->first[y];

    for (next = MAX (next, first); next < first + n; next++)
      along (s, src, next, dst->w, ring + n * s->row, ring + next % n * s->row);
    across (s, ring, s->y->weight + (gsize) y * n, first % n, dst, y);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_resample) = { &vfi_op_resample, NULL, prepare, NULL, release, workspace, bind, rows };
