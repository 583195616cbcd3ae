/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator lucas_kanade in three passes over rows: both frames as time t sees them; products, summed along the row; sums along
 * columns and the solution. A vector is a run of pixels.
 */
#include <omp.h>
#include <stdlib.h>

#include "isa.h"
#include "lucas_kanade.h"

#define PAD VFI_LANES /* around a row, so that neighbours are plain loads */

/* Planes of h rows of `pitch` floats, pixel 0 at PAD: the mean of the warped frames, their difference, five sums of products; then
 * two rows of scratch for each thread. */
typedef struct
{
  int pitch, h;
  float *data;
} State;

enum
{
  MID,
  E,
  PRODUCTS,
  N_PLANES = PRODUCTS + 5
};

static void
release (gpointer state)
{
  State *s = state;

  free (s->data);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);
  gsize size;

  s->h = dst->h;
  s->pitch = (dst->w + VFI_LANES - 1) / VFI_LANES * VFI_LANES + 2 * PAD;
  size = ((gsize) N_PLANES * s->h + 2 * b->threads) * s->pitch * sizeof (float);
  s->data = aligned_alloc (64, (size + 63) & ~(gsize) 63);
  if (s->data) {
    memset (s->data, 0, size);
    return s;
  }
  release (s);
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for %" G_GSIZE_FORMAT " bytes", size);
  return NULL;
}

VFI_INLINE float *
plane_row (const State *s, int plane, int y)
{
  return s->data + ((gsize) plane * s->h + y) * s->pitch + PAD;
}

VFI_INLINE VecI
split (Vec v, int n, Vec *f)
{
  VecI i;

  v = vec_min (vec_max (v, vec_set (0)), vec_set (n - 1));
  i = vec_mini (VEC_TO_INT (v), (VecI){ 0 } + MAX (n - 2, 0));
  *f = v - VEC_TO_FLOAT (i);
  return i;
}

/* y bilinearly at (x + vx, row + vy). */
VFI_INLINE Vec
sample (const VfiView *y, Vec x, Vec row)
{
  const float *p = y->data;
  const gsize right = y->w > 1 ? y->ld : 0, below = y->h > 1 ? (gsize) y->w * y->ld : 0;
  Vec fx, fy;
  VecI ix = split (x, y->w, &fx), iy = split (row, y->h, &fy), at = (iy * y->w + ix) * y->ld;
  Vec a = (Vec) vec_gather (p, at, 4), b = (Vec) vec_gather (p + right, at, 4);
  Vec c = (Vec) vec_gather (p + below, at, 4), d = (Vec) vec_gather (p + below + right, at, 4);
  Vec top = a + fx * (b - a), bottom = c + fx * (d - c);

  return top + fy * (bottom - top);
}

static void
warp_row (const State *s, const VfiView *src, const VfiView *state, float t, int y)
{
  float *mid = plane_row (s, MID, y), *e = plane_row (s, E, y);
  const int w = src->w;

  for (int x0 = 0; x0 < w; x0 += VFI_LANES) {
    const VecI lane = vec_iota ();
    const Vec x = VEC_TO_FLOAT (lane + x0);
    Vec v[4] = { { 0 } }, w0, w1;

    if (state) {
      const VecI at = vec_mini (lane, (VecI){ 0 } + (w - x0 - 1)) * state->ld;
      const float *from = (const float *) state->data + ((gsize) y * w + x0) * state->ld;
      for (int k = 0; k < 4; k++)
        v[k] = (Vec) vec_gather (from + k, at, 4);
    }
    w0 = sample (&src[0], x - t * v[0], (float) y - t * v[1]);
    w1 = sample (&src[1], x + (1 - t) * v[2], (float) y + (1 - t) * v[3]);
    *(Vec *) (mid + x0) = (w0 + w1) / 2;
    *(Vec *) (e + x0) = w1 - w0;
  }
  mid[-1] = mid[0];
  mid[w] = mid[w - 1];
}

/* dst = src summed over three neighbours; src is 0 outside 0..w - 1. */
VFI_INLINE void
box_row (float *dst, const float *src, int w)
{
  for (int x = 0; x < w; x += VFI_LANES)
    *(Vec *) (dst + x) = *(const Vec *) (src + x - 1) + *(const Vec *) (src + x) + *(const Vec *) (src + x + 1);
  for (int x = w; x < w + VFI_LANES && x % VFI_LANES; x++)
    dst[x] = 0;
}

static void
product_row (const State *s, int w, int y, float *one, float *two)
{
  const float *mid = plane_row (s, MID, y), *e = plane_row (s, E, y);
  const float *up = plane_row (s, MID, MAX (y - 1, 0)), *down = plane_row (s, MID, MIN (y + 1, s->h - 1));

  for (int k = 0; k < 5; k++) {
    for (int x = 0; x < w; x += VFI_LANES) {
      Vec gx = (*(const Vec *) (mid + x + 1) - *(const Vec *) (mid + x - 1)) / 2;
      Vec gy = (*(const Vec *) (down + x) - *(const Vec *) (up + x)) / 2;
      Vec other = k < 2 ? gx : k == 2 ? gy : *(const Vec *) (e + x);

      *(Vec *) (one + x) = (k == 1 || k == 2 || k == 4 ? gy : gx) * other;
    }
    for (int x = w; x % VFI_LANES; x++)
      one[x] = 0;
    box_row (two, one, w);
    box_row (plane_row (s, PRODUCTS + k, y), two, w);
  }
}

/* How often row y + i counts for row y: two boxes of three, 0 outside. */
static int
window (int y, int i, int h)
{
  int n = 0;

  for (int j = -1; j <= 1; j++)
    n += y + j >= 0 && y + j < h && ABS (i - j) <= 1 && y + i >= 0 && y + i < h;
  return n;
}

static void
solve_row (const State *s, const VfiView *state, const VfiView *dst, int y)
{
  const int w = dst->w;
  float *to = (float *) dst->data + (gsize) y * w * dst->ld;
  float weight[5];

  for (int i = 0; i < 5; i++)
    weight[i] = window (y, i - 2, s->h) / 81.f;
  for (int x0 = 0; x0 < w; x0 += VFI_LANES) {
    const int n = MIN (w - x0, VFI_LANES);
    Vec sum[5], a, b, c, p, q, m, det, d[2];

    for (int k = 0; k < 5; k++) {
      sum[k] = vec_set (0);
      for (int i = 0; i < 5; i++)
        if (weight[i] > 0)
          sum[k] += weight[i] * *(const Vec *) (plane_row (s, PRODUCTS + k, y + i - 2) + x0);
    }
    a = sum[0], b = sum[1], c = sum[2], p = sum[3], q = sum[4];
    m = VFI_LK_RIDGE * (a + c) + VFI_LK_FLOOR;
    a += m;
    c += m;
    det = a * c - b * b;
    d[0] = vec_max (vec_min ((b * q - c * p) / det, vec_set (VFI_LK_LIMIT)), vec_set (-VFI_LK_LIMIT));
    d[1] = vec_max (vec_min ((b * p - a * q) / det, vec_set (VFI_LK_LIMIT)), vec_set (-VFI_LK_LIMIT));
    for (int k = 0; k < n; k++, to += dst->ld) {
      const float *v = state ? (const float *) state->data + ((gsize) y * w + x0 + k) * state->ld : (const float[5]){ 0 };

      for (int j = 0; j < 4; j++)
        to[j] = v[j] + d[j & 1][k];
      to[4] = v[4];
      if (dst->c > 5) {
        to[5] = d[0][k];
        to[6] = d[1][k];
      }
    }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const State *s = kernel_state;
  const VfiView *state = ((const VfiLucasKanadeParams *) node->params)->state ? &src[3] : NULL;
  const float t = *(const float *) src[2].data;

#pragma omp parallel
  {
    float *scratch = plane_row (s, N_PLANES, 2 * omp_get_thread_num ());

#pragma omp for schedule(static)
    for (int y = 0; y < dst->h; y++)
      warp_row (s, src, state, t, y);
#pragma omp for schedule(static)
    for (int y = 0; y < dst->h; y++)
      product_row (s, dst->w, y, scratch, scratch + s->pitch);
#pragma omp for schedule(static)
    for (int y = 0; y < dst->h; y++)
      solve_row (s, state, dst, y);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_lucas_kanade) = { &vfi_op_lucas_kanade, NULL, prepare, run, release };
