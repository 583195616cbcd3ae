/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator lucas_kanade, row by row: both frames as time t sees them; products, summed along the row; sums along columns and the
 * solution; the mean over 3x3. Each thread keeps the few rows that the next step needs in rings, which stay in its cache. A vector is a run of pixels.
 */
#include <omp.h>
#include <stdlib.h>

#include "isa.h"
#include "lucas_kanade.h"

/* Views are copied where they are used: what is written might be them, for all that the compiler knows, and they would be read again each time. */

#define PAD VFI_LANES /* around a row, so that neighbours are plain loads */

enum
{
  MID = 0,                  /* the mean of the warped frames: row y is at y mod RING */
  E = MID + 8,              /* their difference */
  PRODUCTS = E + 8,         /* five products, summed over the window's part of the row: a ring each */
  MOVED = PRODUCTS + 5 * 8, /* the four velocities after the step: a ring each */
  SCRATCH = MOVED + 4 * 8,
  N_ROWS = SCRATCH + 5,
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

#ifdef __AVX512F__
/* Where motion is smooth, all neighbours lie in a window of three rows of 32 samples: loads and permutations, a fraction of the time of
 * gathers. FALSE: they do not. */
VFI_INLINE gboolean
window (const VfiView *y, VecI ix, VecI iy, Vec corner[4])
{
  const int left = CLAMP (ix[0] - 8, 0, y->w - 32), top = MIN (MIN (iy[0], iy[VFI_LANES - 1]), y->h - 3);
  const __m512i x = _mm512_sub_epi32 ((__m512i) ix, _mm512_set1_epi32 (left)), right = _mm512_add_epi32 (x, _mm512_set1_epi32 (1));
  const __m512i down = _mm512_sub_epi32 ((__m512i) iy, _mm512_set1_epi32 (top));
  const __mmask16 second = _mm512_cmpgt_epi32_mask (down, _mm512_setzero_si512 ());
  const float *p = (const float *) y->data + (gsize) top * y->w + left;
  __m512 l[3], r[3];

  if (_mm512_cmpgt_epu32_mask (x, _mm512_set1_epi32 (30)) | _mm512_cmpgt_epu32_mask (down, _mm512_set1_epi32 (1)))
    return FALSE;
#pragma GCC unroll 3
  for (int i = 0; i < 3; i++) {
    const __m512 a = _mm512_loadu_ps (p + (gsize) i * y->w), b = _mm512_loadu_ps (p + (gsize) i * y->w + 16);
    l[i] = _mm512_permutex2var_ps (a, x, b);
    r[i] = _mm512_permutex2var_ps (a, right, b);
  }
  corner[0] = (Vec) _mm512_mask_blend_ps (second, l[0], l[1]);
  corner[1] = (Vec) _mm512_mask_blend_ps (second, r[0], r[1]);
  corner[2] = (Vec) _mm512_mask_blend_ps (second, l[1], l[2]);
  corner[3] = (Vec) _mm512_mask_blend_ps (second, r[1], r[2]);
  return TRUE;
}
#elif defined(__AVX2__)
/* The same in three rows of 16 samples: i of the two registers of a row. */
VFI_INLINE Vec
pick (Vec a, Vec b, VecI i)
{
  const __m256 low = _mm256_permutevar8x32_ps ((__m256) a, (__m256i) i), high = _mm256_permutevar8x32_ps ((__m256) b, (__m256i) i);

  return (Vec) _mm256_blendv_ps (low, high, (__m256) (i << 28));
}

VFI_INLINE gboolean
window (const VfiView *y, VecI ix, VecI iy, Vec corner[4])
{
  const int left = CLAMP (ix[0] - 4, 0, y->w - 16), top = MIN (MIN (iy[0], iy[VFI_LANES - 1]), y->h - 3);
  const VecI x = ix - left, down = iy - top;
  const __m256 second = (__m256) (down << 31);
  const float *p = (const float *) y->data + (gsize) top * y->w + left;
  Vec l[3], r[3];

  if (_mm256_movemask_ps ((__m256) (x | (14 - x) | down | (1 - down))))
    return FALSE;
#pragma GCC unroll 3
  for (int i = 0; i < 3; i++) {
    const Vec a = *(const Vec *) (p + (gsize) i * y->w), b = *(const Vec *) (p + (gsize) i * y->w + 8);
    l[i] = pick (a, b, x);
    r[i] = pick (a, b, x + 1);
  }
  corner[0] = (Vec) _mm256_blendv_ps ((__m256) l[0], (__m256) l[1], second);
  corner[1] = (Vec) _mm256_blendv_ps ((__m256) r[0], (__m256) r[1], second);
  corner[2] = (Vec) _mm256_blendv_ps ((__m256) l[1], (__m256) l[2], second);
  corner[3] = (Vec) _mm256_blendv_ps ((__m256) r[1], (__m256) r[2], second);
  return TRUE;
}
#endif

/* Where all lanes move alike, a lane's neighbours are the next lane's. FALSE: they do not. */
VFI_INLINE gboolean
alike (const VfiView *y, VecI ix, VecI iy, Vec corner[4])
{
  const float *p = (const float *) y->data + (gsize) iy[0] * y->w + ix[0];

  if (vec_any_negative ((ix != vec_iota () + ix[0]) | (iy != iy[0])))
    return FALSE;
  for (int i = 0; i < 4; i++)
    corner[i] = *(const Vec *) (p + i / 2 * y->w + i % 2);
  return TRUE;
}

VFI_INLINE void
gather (const VfiView *y, VecI ix, VecI iy, Vec corner[4])
{
  const gsize right = y->w > 1 ? y->ld : 0, below = y->h > 1 ? (gsize) y->w * y->ld : 0;
  const float *p = y->data;
  const VecI at = (iy * y->w + ix) * y->ld;

  for (int i = 0; i < 4; i++)
    corner[i] = (Vec) vec_gather (p + (i / 2 ? below : 0) + (i % 2 ? right : 0), at, 4);
}

/* y bilinearly at (x, row); dense: and large enough for what is not gathered. */
VFI_INLINE Vec
sample (const VfiView *y, Vec x, Vec row, gboolean dense)
{
  Vec fx, fy, k[4], top, bottom;
  const VecI ix = split (x, y->w, &fx), iy = split (row, y->h, &fy);

  if (!dense || !alike (y, ix, iy, k)) {
#ifdef __AVX2__
    if (!dense || !window (y, ix, iy, k))
#endif
      gather (y, ix, iy, k);
  }
  top = vec_fma (fx, k[1] - k[0], k[0]);
  bottom = vec_fma (fx, k[3] - k[2], k[2]);
  return vec_fma (fy, bottom - top, top);
}

/* Row y of both frames as time t sees them. */
static void
warp_row (const State *s, float *rows, const VfiView *src, const VfiView *old, float t, int y)
{
  const VfiView y0 = src[0], y1 = src[1], state = old ? *old : y0;
  float *mid = ring_row (s, rows, MID, y), *e = ring_row (s, rows, E, y);
  const int w = src->w;
  const gboolean dense0 = y0.ld == 1 && w >= 32 && y0.h >= 3, dense1 = y1.ld == 1 && dense0;

  for (int x0 = 0; x0 < w; x0 += VFI_LANES) {
    const int n = MIN (w - x0, VFI_LANES);
    const Vec x = VEC_TO_FLOAT (vec_iota () + x0), row = vec_set (y);
    Vec w0, w1;

    if (old) {
      w0 = sample (&y0, x - t * vec_load_pixels (&state, y, x0, 0, n), row - t * vec_load_pixels (&state, y, x0, 1, n), dense0);
      w1 = sample (&y1, x + (1 - t) * vec_load_pixels (&state, y, x0, 2, n), row + (1 - t) * vec_load_pixels (&state, y, x0, 3, n), dense1);
    } else {
      w0 = vec_load_pixels (&y0, y, x0, 0, n);
      w1 = vec_load_pixels (&y1, y, x0, 0, n);
    }
    *(Vec *) (mid + x0) = (w0 + w1) / 2;
    *(Vec *) (e + x0) = w1 - w0;
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
solve_row (const State *s, float *rows, const VfiView *old, const VfiView *new, int y)
{
  const VfiView state = old ? *old : *new, dst = *new;
  const gsize pitch = s->pitch;
  const int w = dst.w;
  const float *row[5];
  float weight[5];
  float *moved[4];

  for (int i = 0; i < 5; i++) {
    weight[i] = times (y, i - 2, dst.h) / 81.f;
    row[i] = ring_row (s, rows, PRODUCTS, CLAMP (y + i - 2, 0, dst.h - 1));
  }
  for (int k = 0; k < 4; k++)
    moved[k] = ring_row (s, rows, MOVED + k * RING, y);
  for (int x = 0; x < w; x += VFI_LANES) {
    const int lanes = MIN (w - x, VFI_LANES);
    Vec sum[5], a, b, c, p, q, m, scale, d[2];

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
    d[0] = vec_max (vec_min ((b * q - c * p) * scale, vec_set (VFI_LK_LIMIT)), vec_set (-VFI_LK_LIMIT));
    d[1] = vec_max (vec_min ((b * p - a * q) * scale, vec_set (VFI_LK_LIMIT)), vec_set (-VFI_LK_LIMIT));
    for (int k = 0; k < 4; k++)
      *(Vec *) (moved[k] + x) = d[k & 1] + (old ? vec_load_pixels (&state, y, x, k, lanes) : vec_set (0));
    for (int k = 5; k < dst.c; k++)
      vec_store_pixels (&dst, y, x, k, lanes, d[k - 5]);
  }
  /* Repeated to both sides: neighbours of the mean. */
  for (int k = 0; k < 4; k++) {
    moved[k][-1] = moved[k][0];
    moved[k][w] = moved[k][w - 1];
  }
}

/* The mean of 3x3 velocities; the rest as it is. */
static void
mean_row (const State *s, float *rows, const VfiView *old, const VfiView *new, int y)
{
  const VfiView state = old ? *old : *new, dst = *new;
  const int w = dst.w, above = MAX (y - 1, 0), below = MIN (y + 1, dst.h - 1);

  for (int k = 0; k < 4; k++) {
    const float *up = ring_row (s, rows, MOVED + k * RING, above), *mid = ring_row (s, rows, MOVED + k * RING, y);
    const float *down = ring_row (s, rows, MOVED + k * RING, below);
    float *sum = ring_row (s, rows, SCRATCH, 0);

    for (int x = -VFI_LANES; x < w + 1; x += VFI_LANES)
      *(Vec *) (sum + x) = *(const Vec *) (up + x) + *(const Vec *) (mid + x) + *(const Vec *) (down + x);
    for (int x = 0; x < w; x += VFI_LANES)
      vec_store_pixels (&dst, y, x, k, MIN (w - x, VFI_LANES),
                        (*(const Vec *) (sum + x - 1) + *(const Vec *) (sum + x) + *(const Vec *) (sum + x + 1)) * (1 / 9.f));
  }
  for (int x = 0; x < w; x += VFI_LANES) {
    const int n = MIN (w - x, VFI_LANES);
    vec_store_pixels (&dst, y, x, 4, n, old ? vec_load_pixels (&state, y, x, 4, n) : vec_set (0));
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
    /* The next rows to be made of each kind. */
    int solve = MAX (first - 1, 0), product = MAX (solve - 2, 0), warp = MAX (product - 1, 0);
    float *rows = s->data + (gsize) i * N_ROWS * s->pitch;

    for (int y = first; y < last; y++) {
      for (; solve <= MIN (y + 1, h - 1); solve++) {
        for (; product <= MIN (solve + 2, h - 1); product++) {
          for (; warp <= MIN (product + 1, h - 1); warp++)
            warp_row (s, rows, src, state, t, warp);
          product_row (s, rows, h, dst->w, product);
        }
        solve_row (s, rows, state, dst, solve);
      }
      mean_row (s, rows, state, dst, y);
    }
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_lucas_kanade) = { &vfi_op_lucas_kanade, NULL, prepare, run, release };
