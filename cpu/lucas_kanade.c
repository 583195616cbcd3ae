/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator lucas_kanade, row by row: both frames as time t sees them; products, summed along the row; sums along columns and the
 * solution. Each thread keeps the few rows that the next step needs in rings, which stay in its cache. A vector is a run of pixels.
 */
#include <omp.h>
#include <stdlib.h>

#include "isa.h"
#include "lucas_kanade.h"

#define PAD VFI_LANES /* around a row, so that neighbours are plain loads */

enum
{
  MID = 0,          /* the mean of the warped frames: row y is at y mod RING */
  E = MID + 8,      /* their difference */
  PRODUCTS = E + 8, /* five sums of products along the row, a ring each */
  SCRATCH = PRODUCTS + 5 * 8,
  N_ROWS = SCRATCH + 2,
  RING = 8
};

/* N_ROWS rows of `pitch` floats for each thread, pixel 0 at PAD. */
typedef struct
{
  int pitch;
  float *data;
} State;

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

  s->pitch = (dst->w + VFI_LANES - 1) / VFI_LANES * VFI_LANES + 2 * PAD;
  size = (gsize) N_ROWS * b->threads * s->pitch * sizeof (float);
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

VFI_INLINE VecI
split (Vec v, int n, Vec *f)
{
  VecI i;

  v = vec_min (vec_max (v, vec_set (0)), vec_set (n - 1));
  i = vec_mini (VEC_TO_INT (v), (VecI){ 0 } + MAX (n - 2, 0));
  *f = v - VEC_TO_FLOAT (i);
  return i;
}

/* Both neighbours on a row, p[at] and p[at + 1], for each lane. */
VFI_INLINE void
pairs (const float *p, VecI at, Vec *left, Vec *right)
{
#ifdef __AVX512F__
  const __m512i low = _mm512_i32gather_epi64 (_mm512_castsi512_si256 ((__m512i) at), p, 4);
  const __m512i high = _mm512_i32gather_epi64 (_mm512_extracti64x4_epi64 ((__m512i) at, 1), p, 4);
  const __m512i even = _mm512_slli_epi32 (_mm512_loadu_si512 (&(VecI){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }), 1);

  *left = (Vec) _mm512_permutex2var_epi32 (low, even, high);
  *right = (Vec) _mm512_permutex2var_epi32 (low, _mm512_add_epi32 (even, _mm512_set1_epi32 (1)), high);
#else
  *left = (Vec) vec_gather (p, at, 4);
  *right = (Vec) vec_gather (p + 1, at, 4);
#endif
}

/* y bilinearly at (x, row). */
VFI_INLINE Vec
sample (const VfiView *y, Vec x, Vec row)
{
  const float *p = y->data;
  const gsize below = y->h > 1 ? (gsize) y->w * y->ld : 0;
  Vec fx, fy, a, b, c, d, top, bottom;
  VecI ix = split (x, y->w, &fx), iy = split (row, y->h, &fy), at = (iy * y->w + ix) * y->ld;

  if (y->ld == 1 && y->w > 1) {
    pairs (p, at, &a, &b);
    pairs (p + below, at, &c, &d);
  } else {
    const gsize right = y->w > 1 ? y->ld : 0;

    a = (Vec) vec_gather (p, at, 4);
    b = (Vec) vec_gather (p + right, at, 4);
    c = (Vec) vec_gather (p + below, at, 4);
    d = (Vec) vec_gather (p + below + right, at, 4);
  }
  top = a + fx * (b - a);
  bottom = c + fx * (d - c);
  return top + fy * (bottom - top);
}

static void
warp_row (const State *s, float *rows, const VfiView *src, const VfiView *state, float t, int y)
{
  float *mid = ring_row (s, rows, MID, y), *e = ring_row (s, rows, E, y);
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
product_row (const State *s, float *rows, int h, int w, int y)
{
  const float *mid = ring_row (s, rows, MID, y), *e = ring_row (s, rows, E, y);
  const float *up = ring_row (s, rows, MID, MAX (y - 1, 0)), *down = ring_row (s, rows, MID, MIN (y + 1, h - 1));
  float *one = ring_row (s, rows, SCRATCH, 0), *two = one + s->pitch;

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
    box_row (ring_row (s, rows, PRODUCTS + k * RING, y), two, w);
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
solve_row (const State *s, float *rows, const VfiView *state, const VfiView *dst, int y)
{
  const int w = dst->w;
  float *to = (float *) dst->data + (gsize) y * w * dst->ld;
  float weight[5];

  for (int i = 0; i < 5; i++)
    weight[i] = window (y, i - 2, dst->h) / 81.f;
  for (int x0 = 0; x0 < w; x0 += VFI_LANES) {
    const int n = MIN (w - x0, VFI_LANES);
    Vec sum[5], a, b, c, p, q, m, det, d[2];

    for (int k = 0; k < 5; k++) {
      sum[k] = vec_set (0);
      for (int i = 0; i < 5; i++)
        if (weight[i] > 0)
          sum[k] += weight[i] * *(const Vec *) (ring_row (s, rows, PRODUCTS + k * RING, y + i - 2) + x0);
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
    const int n = omp_get_num_threads (), i = omp_get_thread_num (), h = dst->h;
    const int first = (gint64) h * i / n, last = (gint64) h * (i + 1) / n;
    int product = MAX (first - 2, 0), warp = MAX (product - 1, 0); /* the next ones to be made */
    float *rows = s->data + (gsize) i * N_ROWS * s->pitch;

    for (int y = first; y < last; y++) {
      for (; product <= MIN (y + 2, h - 1); product++) {
        for (; warp <= MIN (product + 1, h - 1); warp++)
          warp_row (s, rows, src, state, t, warp);
        product_row (s, rows, h, dst->w, product);
      }
      solve_row (s, rows, state, dst, y);
    }
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_lucas_kanade) = { &vfi_op_lucas_kanade, NULL, prepare, run, release };
