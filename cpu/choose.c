/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator choose, in three passes over rows: both opinions and how much worse the second is; which is taken; the mean of it. A vector is a run of pixels.
 */
#include <omp.h>

#include "choose.h"
#include "isa.h"

#define WINDOW VFI_CHOOSE_WINDOW
#define SOFT VFI_CHOOSE_SOFT
#define PAD 16 /* around a row, so that neighbours are plain loads */

/* Planes of h rows of `pitch` floats, pixel 0 at PAD: the second opinion, how much worse it is, whether it is taken; then a row for each thread. */
typedef struct
{
  int h, w, pitch, threads;
  float *second[2], *worse, *take, *lines;
} State;

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);

  s->h = dst->h, s->w = dst->w, s->threads = b->threads;
  s->pitch = (dst->w + 2 * PAD + 2 * VFI_LANES - 1) / VFI_LANES * VFI_LANES;
  return s;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;

  return (4 * (gsize) s->h + s->threads) * s->pitch * sizeof (float);
}

static void
bind (gpointer state, void *place)
{
  State *s = state;
  float **part[] = { &s->second[0], &s->second[1], &s->worse, &s->take, &s->lines };
  float *at = place;

  for (guint i = 0; i < G_N_ELEMENTS (part); i++, at += (gsize) s->h * s->pitch)
    *part[i] = at;
}

static float *
row_of (const State *s, float *plane, int y)
{
  return plane + (gsize) CLAMP (y, 0, s->h - 1) * s->pitch + PAD;
}

static void
repeat_border (float *row, int w, int n)
{
  for (int i = 1; i <= n; i++) {
    row[-i] = row[0];
    row[w - 1 + i] = row[w - 1];
  }
}

/* Where to sample: the first of four pixels, and how far the place is from it. */
typedef struct
{
  VecI ix, iy;
  Vec fx, fy;
} Place;

VFI_INLINE Place
place_of (const State *s, Vec x, Vec y)
{
  Place p;

  x = vec_min (vec_max (x, vec_set (0)), vec_set (s->w - 1));
  y = vec_min (vec_max (y, vec_set (0)), vec_set (s->h - 1));
  p.ix = vec_mini (VEC_TO_INT (x), (VecI){ 0 } + MAX (s->w - 2, 0)); /* the neighbours are in the picture, too */
  p.iy = vec_mini (VEC_TO_INT (y), (VecI){ 0 } + MAX (s->h - 2, 0));
  p.fx = x - VEC_TO_FLOAT (p.ix);
  p.fy = y - VEC_TO_FLOAT (p.iy);
  return p;
}

VFI_INLINE Vec
sample (const VfiView *v, const int c, const Place *p)
{
  const float *data = (const float *) v->data + (gsize) c * v->cd;
  const int right = v->w > 1 ? v->ld : 0, below = v->h > 1 ? v->w * v->ld : 0;
  const VecI at = (p->iy * v->w + p->ix) * v->ld;
  const Vec a = (Vec) vec_gather (data, at, 4), b = (Vec) vec_gather (data + right, at, 4);
  const Vec c0 = (Vec) vec_gather (data + below, at, 4), d = (Vec) vec_gather (data + below + right, at, 4);
  const Vec top = (1 - p->fx) * a + p->fx * b, bottom = (1 - p->fx) * c0 + p->fx * d;

  return (1 - p->fy) * top + p->fy * bottom;
}

/* How much the pictures differ at pixels (x, y) along velocities. */
VFI_INLINE Vec
differ (const State *s, const VfiView *y0, const VfiView *y1, float t, Vec x, Vec y, Vec v0x, Vec v0y, Vec v1x, Vec v1y)
{
  const Place p0 = place_of (s, x - t * v0x, y - t * v0y), p1 = place_of (s, x + (1 - t) * v1x, y + (1 - t) * v1y);
  const Vec e = sample (y0, 0, &p0) - sample (y1, 0, &p1);

  return vec_max (e, -e);
}

static void
opinions_row (const State *s, const VfiView *src, float t, int row)
{
  const VfiView y0 = src[0], y1 = src[1], state = src[3], flow = src[4];
  float *worse = row_of (s, s->worse, row);
  const Vec y = vec_set (row);

  for (int i = 0; i < s->w; i += VFI_LANES) {
    const int n = MIN (s->w - i, VFI_LANES);
    const Vec x = vec_min (VEC_TO_FLOAT (vec_iota () + i), vec_set (s->w - 1));
    const Vec u = vec_load_pixels (&flow, row, i, 0, n), v = vec_load_pixels (&flow, row, i, 1, n);
    const Place p = place_of (s, x - t * u, y - t * v);
    const Vec second[2] = { sample (&flow, 0, &p), sample (&flow, 1, &p) };
    const Vec v0x = vec_load_pixels (&state, row, i, 0, n), v0y = vec_load_pixels (&state, row, i, 1, n);
    const Vec v1x = vec_load_pixels (&state, row, i, 2, n), v1y = vec_load_pixels (&state, row, i, 3, n);

    for (int c = 0; c < 2; c++)
      *(Vec *) (row_of (s, s->second[c], row) + i) = second[c];
    *(Vec *) (worse + i) = VFI_CHOOSE_DOUBT * differ (s, &y0, &y1, t, x, y, second[0], second[1], second[0], second[1]) -
                           differ (s, &y0, &y1, t, x, y, v0x, v0y, v1x, v1y);
  }
  repeat_border (worse, s->w, WINDOW);
}

static void
take_row (const State *s, int row, float *line)
{
  float *take = row_of (s, s->take, row);

  for (int x = 0; x < s->w; x += VFI_LANES) {
    Vec sum = vec_set (0);

    for (int i = row - WINDOW; i <= row + WINDOW; i++)
      sum += *(const Vec *) (row_of (s, s->worse, i) + x);
    *(Vec *) (line + x) = sum;
  }
  repeat_border (line, s->w, WINDOW);
  for (int x = 0; x < s->w; x += VFI_LANES) {
    Vec sum = vec_set (0);

    for (int k = x - WINDOW; k <= x + WINDOW; k++)
      sum += *(const Vec *) (line + k);
    *(Vec *) (take + x) = (Vec) ((sum < 0) & (VecI) vec_set (1));
  }
  repeat_border (take, s->w, SOFT);
}

static void
mix_row (const State *s, const VfiView *old, const VfiView *new, int row)
{
  const VfiView state = *old, dst = *new; /* copies: what is written might be the views, for all that the compiler knows */

  for (int x = 0; x < s->w; x += VFI_LANES) {
    const int n = MIN (s->w - x, VFI_LANES);
    Vec m = vec_set (0);

    for (int i = row - SOFT; i <= row + SOFT; i++)
      for (int k = x - SOFT; k <= x + SOFT; k++)
        m += *(const Vec *) (row_of (s, s->take, i) + k);
    m *= 1.f / ((2 * SOFT + 1) * (2 * SOFT + 1));
    for (int c = 0; c < 5; c++) {
      Vec v = vec_load_pixels (&state, row, x, c, n);

      if (c < 4)
        v += m * (*(const Vec *) (row_of (s, s->second[c % 2], row) + x) - v);
      vec_store_pixels (&dst, row, x, c, n, v);
    }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const State *s = kernel_state;
  const float t = *(const float *) src[2].data;

#pragma omp parallel
  {
    float *line = s->lines + (gsize) omp_get_thread_num () * s->pitch + PAD;

#pragma omp for
    for (int y = 0; y < s->h; y++)
      opinions_row (s, src, t, y);
#pragma omp for
    for (int y = 0; y < s->h; y++)
      take_row (s, y, line);
#pragma omp for
    for (int y = 0; y < s->h; y++)
      mix_row (s, &src[3], dst, y);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_choose) = { &vfi_op_choose, NULL, prepare, run, g_free, workspace, bind };
