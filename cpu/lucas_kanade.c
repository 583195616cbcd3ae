/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator lucas_kanade, row by row: both frames as time t sees them; products, summed along the row; sums along columns and the
 * solution; the mean over 3x3. Each thread keeps the few rows that the next step needs in rings, which stay in its cache. A vector is a run of pixels.
 */
#include <stdlib.h>

#include "area.h"
#include "isa.h"
#include "lucas_kanade.h"
#include "smooth.h"

#define PAD VFI_LANES /* around a row, so that neighbours are plain loads */

enum
{
  MID = 0,                 /* the mean of the warped frames: row y is at y mod RING */
  E = MID + 8,             /* their difference */
  PRODUCTS = E + 8,        /* five products, summed over the window's part of the row: a ring each */
  STEP = PRODUCTS + 5 * 8, /* two components of the step: a ring each */
  SCRATCH = STEP + 2 * 8,
  N_ROWS = SCRATCH + 5,
  RING = 8
};

/* How far a thread is: the next rows of each kind. */
typedef struct
{
  int warp, product, solve, mean;
} Progress;

/* N_ROWS rows of `pitch` floats for each thread, pixel 0 at PAD. */
typedef struct
{
  int pitch;
  float *data;
  Progress *progress; /* of each thread */
} State;

static void
release (gpointer state)
{
  State *s = state;

  free (s->data);
  g_free (s->progress);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);
  gsize size;

  s->pitch = (dst->w + VFI_LANES - 1) / VFI_LANES * VFI_LANES + 2 * PAD;
  size = (gsize) N_ROWS * b->threads * s->pitch * sizeof (float);
  s->progress = g_new0 (Progress, b->threads);
  s->data = aligned_alloc (64, (size + 63) & ~(gsize) 63);
  if (s->data) {
    memset (s->data, 0, size);
    return s;
  }
  release (s);
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for %" G_GSIZE_FORMAT " bytes", size);
  return NULL;
}

/* Row y of the ring that starts at `first`; `rows` are the thread's. */
VFI_INLINE float *
ring_row (const State *s, float *rows, int first, int y)
{
  return rows + (gsize) (first + y % RING) * s->pitch + PAD;
}

/* A copy of a view: what is written might be the view, for all that the compiler knows, and it would be read again each time. */
VFI_INLINE VfiView
as (const VfiView *v, const gboolean planar)
{
  VfiView copy = *v;

  if (planar)
    copy.ld = 1;
  return copy;
}

/* Pixels x to x + n - 1 of row y of both frames as time t sees them: their mean, and their difference as far as both are inside. */
VFI_INLINE void
warp_run (const Plane frame[2], const VfiView *state, float t, int y, int x, const int n, float *mid, float *e)
{
  const Vec column = VEC_TO_FLOAT (vec_iota () + x), row = vec_set (y), back = vec_set (-t), on = vec_set (1 - t);
  const Vec x0 = column + back * vec_load_pixels (state, y, x, 0, n), y0 = row + back * vec_load_pixels (state, y, x, 1, n);
  const Vec x1 = column + on * vec_load_pixels (state, y, x, 2, n), y1 = row + on * vec_load_pixels (state, y, x, 3, n);
  const Vec w0 = plane_sample (&frame[0], x0, y0), w1 = plane_sample (&frame[1], x1, y1);

  *(Vec *) (mid + x) = (w0 + w1) / 2;
  *(Vec *) (e + x) = (w1 - w0) * plane_inside (&frame[0], x0, y0) * plane_inside (&frame[1], x1, y1);
}

VFI_INLINE void
warp_row (const State *s, float *rows, const Plane frame[2], const VfiView *old, float t, int y, const gboolean planar)
{
  float *mid = ring_row (s, rows, MID, y), *e = ring_row (s, rows, E, y);
  const int w = frame->v.w;
  int x = 0;

  if (old) {
    const VfiView state = as (old, planar);

    for (; x + VFI_LANES <= w; x += VFI_LANES)
      warp_run (frame, &state, t, y, x, VFI_LANES, mid, e);
    if (x < w)
      warp_run (frame, &state, t, y, x, w - x, mid, e);
  } else
    for (; x < w; x += VFI_LANES) {
      const Vec column = VEC_TO_FLOAT (vec_iota () + x), row = vec_set (y);
      const Vec w0 = vec_load_pixels (&frame[0].v, y, x, 0, MIN (w - x, VFI_LANES));
      const Vec w1 = vec_load_pixels (&frame[1].v, y, x, 0, MIN (w - x, VFI_LANES));

      *(Vec *) (mid + x) = (w0 + w1) / 2;
      *(Vec *) (e + x) = (w1 - w0) * plane_inside (&frame[0], column, row) * plane_inside (&frame[1], column, row);
    }
  mid[-1] = mid[0];
  mid[w] = mid[w - 1];
}

/* Two boxes of three along a row of w, 0 outside each time: 1 2 3 2 1, but that the first box has nothing at -1 and w. */
VFI_INLINE void
window_row (float *to, float *p, int w)
{
  p[-2] = p[-1] = p[w] = p[w + 1] = 0;
  for (int x = 0; x < w; x += VFI_LANES) {
    const float *q = p + x;
    const Vec one = *(const Vec *) (q - 2) + *(const Vec *) (q + 2), two = *(const Vec *) (q - 1) + *(const Vec *) (q + 1);
    *(Vec *) (to + x) = vec_fma (vec_set (3), *(const Vec *) q, vec_fma (vec_set (2), two, one));
  }
  to[0] -= p[0];
  to[w - 1] -= p[w - 1];
}

static void
product_row (const State *s, float *rows, int h, int w, int y)
{
  const float *mid = ring_row (s, rows, MID, y), *e = ring_row (s, rows, E, y);
  const float *up = ring_row (s, rows, MID, MAX (y - 1, 0)), *down = ring_row (s, rows, MID, MIN (y + 1, h - 1));
  float *p = ring_row (s, rows, SCRATCH, 0);

  for (int x = 0; x < w; x += VFI_LANES) {
    const Vec gx = (*(const Vec *) (mid + x + 1) - *(const Vec *) (mid + x - 1)) / 2;
    const Vec gy = (*(const Vec *) (down + x) - *(const Vec *) (up + x)) / 2, d = *(const Vec *) (e + x);

    *(Vec *) (p + x) = gx * gx;
    *(Vec *) (p + s->pitch + x) = gx * gy;
    *(Vec *) (p + 2 * s->pitch + x) = gy * gy;
    *(Vec *) (p + 3 * s->pitch + x) = gx * d;
    *(Vec *) (p + 4 * s->pitch + x) = gy * d;
  }
  for (int k = 0; k < 5; k++)
    window_row (ring_row (s, rows, PRODUCTS + k * RING, y), p + k * s->pitch, w);
}

/* How often row y + i counts for row y: as in window_row. */
static int
times (int y, int i, int h)
{
  return y + i < 0 || y + i >= h ? 0 : 3 - ABS (i) - (i == 0 && y == 0) - (i == 0 && y == h - 1);
}

static void
solve_row (const State *s, float *rows, int h, int w, int y)
{
  const gsize pitch = s->pitch;
  const float *row[5];
  float weight[5];
  float *step[2] = { ring_row (s, rows, STEP, y), ring_row (s, rows, STEP + RING, y) };

  for (int i = 0; i < 5; i++) {
    weight[i] = times (y, i - 2, h) / 81.f;
    row[i] = ring_row (s, rows, PRODUCTS, CLAMP (y + i - 2, 0, h - 1));
  }
  for (int x = 0; x < w; x += VFI_LANES) {
    Vec sum[5], a, b, c, p, q, m, scale;

    for (int k = 0; k < 5; k++) {
      const gsize ring = k * RING * pitch + x;

      sum[k] = weight[0] * *(const Vec *) (row[0] + ring);
#pragma GCC unroll 4
      for (int i = 1; i < 5; i++)
        sum[k] = vec_fma (vec_set (weight[i]), *(const Vec *) (row[i] + ring), sum[k]);
    }
    a = sum[0], b = sum[1], c = sum[2], p = sum[3], q = sum[4];
    m = VFI_LK_RIDGE * (a + c) + VFI_LK_FLOOR;
    a += m;
    c += m;
    scale = 1 / (a * c - b * b);
    *(Vec *) (step[0] + x) = vec_max (vec_min ((b * q - c * p) * scale, vec_set (VFI_LK_LIMIT)), vec_set (-VFI_LK_LIMIT));
    *(Vec *) (step[1] + x) = vec_max (vec_min ((b * p - a * q) * scale, vec_set (VFI_LK_LIMIT)), vec_set (-VFI_LK_LIMIT));
  }
}

/* Pixels x to x + n - 1 of a channel: those of `line` added up, on top of what they move by. */
VFI_INLINE void
sum_run (const VfiView *state, const int line[3], const float *step, int x, const int n, int k, float *sum)
{
  Vec v = *(const Vec *) (step + x);

  for (int i = 0; i < 3; i++)
    v += vec_load_pixels (state, line[i], x, k, n);
  *(Vec *) (sum + x) = v;
}

VFI_INLINE void
mean_run (const float *sum, const VfiView *dst, int y, int x, const int n, int k)
{
  const float *p = sum + x;

  vec_store_pixels (dst, y, x, k, n, (*(const Vec *) (p - 1) + *(const Vec *) p + *(const Vec *) (p + 1)) * (1 / 9.f));
}

/* The mean of 3x3 velocities after the step; the rest of the state as it is, and the step if it is asked for. */
VFI_INLINE void
mean_row (const State *s, float *rows, const VfiView *old, const VfiView *new, int y, const gboolean planar)
{
  const VfiView dst = as (new, planar), state = as (old ? old : new, planar);
  const int w = dst.w, line[3] = { MAX (y - 1, 0), y, MIN (y + 1, dst.h - 1) };
  float *step[2] = { ring_row (s, rows, SCRATCH, 0), ring_row (s, rows, SCRATCH, 1) }, *sum = ring_row (s, rows, SCRATCH, 2);
  int x;

  for (int k = 0; k < 2; k++) {
    const float *up = ring_row (s, rows, STEP + k * RING, line[0]), *mid = ring_row (s, rows, STEP + k * RING, y);
    const float *down = ring_row (s, rows, STEP + k * RING, line[2]);

    for (x = 0; x < w; x += VFI_LANES)
      *(Vec *) (step[k] + x) = *(const Vec *) (up + x) + *(const Vec *) (mid + x) + *(const Vec *) (down + x);
    for (x = 0; x < w && dst.c > 5; x += VFI_LANES)
      vec_store_pixels (&dst, y, x, 5 + k, MIN (w - x, VFI_LANES), *(const Vec *) (mid + x));
  }
  for (int k = 0; k < 4; k++) {
    float *p = old ? sum : step[k % 2];

    for (x = 0; x + VFI_LANES <= w && old; x += VFI_LANES)
      sum_run (&state, line, step[k % 2], x, VFI_LANES, k, p);
    if (x < w && old)
      sum_run (&state, line, step[k % 2], x, w - x, k, p);
    p[-1] = p[0]; /* the border, replicated */
    p[w] = p[w - 1];
    for (x = 0; x + VFI_LANES <= w; x += VFI_LANES)
      mean_run (p, &dst, y, x, VFI_LANES, k);
    if (x < w)
      mean_run (p, &dst, y, x, w - x, k);
  }
  for (x = 0; x < w; x += VFI_LANES) {
    const int n = MIN (w - x, VFI_LANES);
    vec_store_pixels (&dst, y, x, 4, n, old ? vec_load_pixels (&state, y, x, 4, n) : vec_set (0));
  }
}

/* From the row where the thread is to row `end` - 1. */
VFI_INLINE void
some_rows (const State *s, float *rows, Progress *at, const VfiView *src, const VfiView *state, const float part[4], const VfiView *dst,
           int end, const gboolean planar)
{
  const Plane frame[2] = { plane_of_part (&src[0], part), plane_of_part (&src[1], part) };
  const float t = *(const float *) src[2].data;
  const int h = dst->h;

  for (; at->mean < end; at->mean++) {
    for (; at->solve <= MIN (at->mean + 1, h - 1); at->solve++) {
      for (; at->product <= MIN (at->solve + 2, h - 1); at->product++) {
        for (; at->warp <= MIN (at->product + 1, h - 1); at->warp++)
          warp_row (s, rows, frame, state, t, at->warp, planar);
        product_row (s, rows, h, dst->w, at->product);
      }
      solve_row (s, rows, h, dst->w, at->solve);
    }
    mean_row (s, rows, state, dst, at->mean, planar);
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer kernel_state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const State *s = kernel_state;
  const VfiView *state = ((const VfiLucasKanadeParams *) node->params)->state ? &src[3] : NULL;
  const float *part = vfi_part (node->n_src > 3 + (state != NULL) ? src[3 + (state != NULL)].data : NULL);
  float *mine = s->data + (gsize) thread * N_ROWS * s->pitch;
  Progress *at = &s->progress[thread];

  if (y0 != at->mean) /* does not go on where it was */
    *at = (Progress){ .warp = MAX (y0 - 4, 0), .product = MAX (y0 - 3, 0), .solve = MAX (y0 - 1, 0), .mean = y0 };
  if (dst->ld == 1 && (!state || state->ld == 1))
    some_rows (s, mine, at, src, state, part, dst, y1, TRUE);
  else
    some_rows (s, mine, at, src, state, part, dst, y1, FALSE);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_lucas_kanade) = { &vfi_op_lucas_kanade, NULL, prepare, NULL, release, .rows = rows };
