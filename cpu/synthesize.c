/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * synthesize of core/frame.h, a piece of a row at a time: the state's rows are blended, brought to the plane's columns, and then
 * VFI_LANES pixels are sampled at once, 32 bits for each: up to four neighbouring samples, or a whole pixel. Planes of one shape share all but
 * the samples.
 */
#include <math.h>

#include "isa.h"

#define PIXELS 256          /* of a piece, at most */
#define CELLS (PIXELS + 64) /* of the state's grid that a piece needs, with room for whole vectors on either side */
#define FIRST 16            /* where the first of them stands in a row */

/* Planes of one shape. */
typedef struct
{
  const VfiPlaneLayout *layout;
  int n, w, h;
  float kx, ky; /* samples of the scaled picture per pixel */
  const guint8 *f0[3], *f1[3];
  guint8 *dst[3];
  int stride0[3], stride1[3], stride[3];
} Planes;

typedef struct
{
  const VfiView *state;
  float t, u, logit; /* t, 1 - t, log2 ((1 - t) / t) */
} Moment;

/* ---- the state, in columns of the plane --------------------------------------------------------- */

/* Lower neighbour of a clamped coordinate and the weight of the upper one: both in 0..n-1. */
static int
tap (float v, int n, int *upper, float *f)
{
  int i;

  v = fminf (fmaxf (v, 0), n - 1);
  i = (int) v;
  *upper = MIN (i + 1, n - 1);
  *f = v - i;
  return i;
}

/* Cells first to first + n - 1 of the state at row coordinate y, to cells[c][FIRST + i]; repeated beyond the grid by one. */
static void
load_cells (const VfiView *s, float y, int first, int n, float cells[5][CELLS])
{
  float f;
  int upper, lower = tap (y, s->h, &upper, &f);

  for (int c = 0; c < 5; c++) {
    float *to = cells[c] + FIRST;

    for (int x = 0; x < n; x += VFI_LANES) {
      const int lanes = MIN (n - x, VFI_LANES);
      const Vec a = vec_load_pixels (s, lower, first + x, c, lanes), b = vec_load_pixels (s, upper, first + x, c, lanes);
      *(Vec *) (to + x) = vec_fma (vec_set (f), b - a, a);
    }
    to[-1] = to[0];
    to[n] = to[n - 1];
  }
}

/* Twice the columns: pixel 2 i lies at cell i - 1/4, pixel 2 i + 1 at i + 1/4. From cell `cell`, n pixels. */
static void
twice (const float *cell, int n, float *to)
{
  for (int i = 0; 2 * i < n; i += VFI_LANES) {
    const Vec left = *(const Vec *) (cell + i - 1), middle = *(const Vec *) (cell + i), right = *(const Vec *) (cell + i + 1);
    const Vec even = vec_fma (vec_set (.75f), middle - left, left), odd = vec_fma (vec_set (.25f), right - middle, middle);
    const VecI iota = vec_iota (), low = (iota >> 1) + (iota & 1) * VFI_LANES;
    *(Vec *) (to + 2 * i) = __builtin_shuffle (even, odd, low);
    *(Vec *) (to + 2 * i + VFI_LANES) = __builtin_shuffle (even, odd, low + VFI_LANES / 2);
  }
}

/* Any other ratio: pixel x lies at cell ((x + 1/2) k - 1) / 2 of the grid, `first` the one at cell[0], w of them in a row. */
static void
any (const float *cell, int first, int w, int x0, int n, float k, float *to)
{
  for (int x = 0; x < n; x += VFI_LANES) {
    Vec v = ((VEC_TO_FLOAT (vec_iota () + (x0 + x)) + 0.5f) * k - 1) * 0.5f, a, b;
    VecI i;

    v = vec_min (vec_max (v, vec_set (0)), vec_set (w - 1));
    i = VEC_TO_INT (v);
    a = (Vec) vec_gather (cell - first, i, 4);
    b = (Vec) vec_gather (cell - first + 1, i, 4);
    *(Vec *) (to + x) = vec_fma (v - VEC_TO_FLOAT (i), b - a, a);
  }
}

/* The state for pixels x0 to x0 + n - 1 of row y: rows of channels, in `cells` itself where pixels and cells are the same. */
static void
state_row (const VfiView *s, const Planes *p, int y, int x0, int n, float cells[5][CELLS], float pixels[5][PIXELS], const float *rows[5])
{
  const float at = ((y + 0.5f) * p->ky - 1) / 2;
  const int first = CLAMP ((int) floorf (((x0 + 0.5f) * p->kx - 1) / 2) - 1, 0, s->w - 1);
  const int last = CLAMP ((int) floorf (((x0 + n - 0.5f) * p->kx - 1) / 2) + 2, first, s->w - 1);

  load_cells (s, at, first, last - first + 1, cells);
  for (int c = 0; c < 5; c++) {
    if (p->kx == 2) {
      rows[c] = cells[c] + FIRST + x0 - first;
      continue;
    }
    if (p->kx == 1)
      twice (cells[c] + FIRST + x0 / 2 - first, n, pixels[c]);
    else
      any (cells[c] + FIRST, first, s->w, x0, n, p->kx, pixels[c]);
    rows[c] = pixels[c];
  }
}

/* ---- where to sample ---------------------------------------------------------------------------- */

/* How a plane is sampled and what its pixels are; all constants where it is used. */
typedef struct
{
  int taps; /* each way: 2 bilinear, 4 cubic */
  int comps, sample_bytes, depth, shift;
} Kind;

#define BYTES(k) ((k).comps * (k).sample_bytes)
#define BEFORE(k) ((k).taps / 2 - 1)                            /* taps left of and above the place */
#define PER_WORD(k) (BYTES (k) <= 2 ? 4 / BYTES (k) : 1)        /* pixels in 32 bits */
#define WORDS(k) (((k).taps + PER_WORD (k) - 1) / PER_WORD (k)) /* for the taps of a row */
#define WORD_AT(k, i) ((i) *PER_WORD (k) * BYTES (k))           /* byte of word i from the first tap */
#define ROW_BYTES(k) (WORD_AT (k, WORDS (k) - 1) + 4)           /* from the first tap to the end of the last word */

typedef enum
{
  NEAR,  /* all lanes' taps lie in one window */
  FAR,   /* they lie inside the plane */
  BORDER /* some do not, or the last word would end beyond the row */
} Reach;

/* VFI_LANES pixels' places in a frame. */
typedef struct
{
  VecI ix, iy; /* lower integer, at most w - 2, h - 2 (0 where that is negative) */
  Vec fx, fy;  /* the rest */
  Reach reach;
  int left, top; /* NEAR: the window, and which bytes of it each lane begins with: see below */
  VecI bytes;
} Places;

/* A coordinate clamped to [0, n - 1), as its integer part and the rest. */
VFI_INLINE VecI
split (Vec v, float below, Vec *f)
{
  v = vec_min (vec_max (v, vec_set (0)), vec_set (below));
#ifdef __AVX512DQ__
  *f = (Vec) _mm512_reduce_ps ((__m512) v, _MM_FROUND_TO_ZERO);
  return VEC_TO_INT (v);
#else
  const VecI i = VEC_TO_INT (v);
  *f = v - VEC_TO_FLOAT (i);
  return i;
#endif
}

VFI_INLINE gboolean
any_lane (VecI mask)
{
#ifdef __AVX512F__
  return _mm512_movepi32_mask ((__m512i) mask) != 0;
#else
  int any = 0;
  for (int i = 0; i < VFI_LANES; i++)
    any |= mask[i];
  return any != 0;
#endif
}

#if defined(__AVX512VBMI__) && defined(__AVX512VNNI__)
#define WINDOWS
/* Where motion is smooth, the taps of all lanes lie in a window of taps + 1 rows, which is loaded once; the lanes are permuted out of it
 * in a fraction of the time of gathers. 64 bytes of each row, or 128 for pixels of three bytes or four. */
#define WINDOW(k) (BYTES (k) <= 2 ? 64 : 128)

VFI_INLINE gboolean
find_window (Places *p, int w, int h, const Kind k)
{
  const int room = (WINDOW (k) - ROW_BYTES (k)) / BYTES (k); /* places beyond the leftmost one */
  const int last = (w * BYTES (k) - WINDOW (k)) / BYTES (k); /* of the window's left */
  const int left = MIN (MAX (p->ix[0] - BEFORE (k) - (room - VFI_LANES) / 2, 0), last);
  const int top = MIN (MIN (p->iy[0], p->iy[VFI_LANES - 1]) - BEFORE (k), h - k.taps - 1);
  const __m512i x = _mm512_sub_epi32 ((__m512i) p->ix, _mm512_set1_epi32 (left + BEFORE (k)));
  const __m512i y = _mm512_sub_epi32 ((__m512i) p->iy, _mm512_set1_epi32 (top + BEFORE (k)));
  __m512i first = _mm512_mullo_epi32 (x, _mm512_set1_epi32 (BYTES (k)));

  if (w * BYTES (k) < WINDOW (k) || top < 0 ||
      (_mm512_cmpgt_epu32_mask (x, _mm512_set1_epi32 (room)) | _mm512_cmpgt_epu32_mask (y, _mm512_set1_epi32 (1))))
    return FALSE;
  /* A lane's bytes are numbered in its first row and the one below it, or, where two registers are one row, in that: two taps of 16 bits,
   * of which bytes leave the upper half empty. */
  if (WINDOW (k) == 64)
    first = _mm512_add_epi32 (first, _mm512_slli_epi32 (y, 6));
  first = _mm512_shuffle_epi8 (first, _mm512_set4_epi32 (0x0c0c0c0c, 0x08080808, 0x04040404, 0));
  p->bytes = (VecI) _mm512_add_epi8 (first, _mm512_set1_epi32 (BYTES (k) * 0x01010000 + (k.sample_bytes == 2 ? 0x01000100 : 0)));
  p->top = top;
  p->left = left;
  return TRUE;
}
#endif

VFI_INLINE void
place (Places *p, Vec x, Vec y, int w, int h, const Kind k)
{
  VecI outside;

  /* Just below the last pixel, so that there always is a right neighbour. */
  p->ix = split (x, (w - 1) * (1 - 0x1p-24f), &p->fx);
  p->iy = split (y, (h - 1) * (1 - 0x1p-24f), &p->fy);
  outside = (p->ix < BEFORE (k)) | (p->iy < BEFORE (k)) | (p->iy > h - k.taps + BEFORE (k)) |
            ((p->ix - BEFORE (k)) * BYTES (k) > w * BYTES (k) - ROW_BYTES (k));
  p->reach = any_lane (outside) ? BORDER : FAR;
#ifdef WINDOWS
  if (p->reach == FAR && find_window (p, w, h, k))
    p->reach = NEAR;
#endif
}

/* ---- samples ------------------------------------------------------------------------------------ */

/* Weights of the taps at a place f beyond the one before it. */
VFI_INLINE void
weights (Vec f, const Kind k, Vec w[4])
{
  if (k.taps == 2) {
    w[0] = 1 - f;
    w[1] = f;
    return;
  }
  w[0] = vec_fma (vec_fma (f, vec_set (-0.5f), vec_set (1)), f, vec_set (-0.5f)) * f;
  w[1] = vec_fma (vec_fma (f, vec_set (1.5f), vec_set (-2.5f)), f * f, vec_set (1));
  w[2] = vec_fma (vec_fma (f, vec_set (-1.5f), vec_set (2)), f, vec_set (0.5f)) * f;
  w[3] = vec_fma (f, vec_set (0.5f), vec_set (-0.5f)) * (f * f);
}

/* Component c of tap i of a row, out of the row's words. */
VFI_INLINE Vec
component (const VecI word[4], const int i, const int c, const Kind k)
{
  const int first = i % PER_WORD (k) * 8 * BYTES (k) + 8 * c * k.sample_bytes + k.shift;

  return VEC_TO_FLOAT ((VecI) ((VecU) word[i / PER_WORD (k)] >> first) & ((1 << k.depth) - 1));
}

/* Adds a row of taps. */
VFI_INLINE void
add_row (const VecI word[4], const Vec wx[4], Vec wy, const Kind k, Vec to[4])
{
#pragma GCC unroll 4
  for (int c = 0; c < k.comps; c++) {
    Vec sum = wx[0] * component (word, 0, c, k);
#pragma GCC unroll 4
    for (int i = 1; i < k.taps; i++)
      sum = vec_fma (wx[i], component (word, i, c, k), sum);
    to[c] = vec_fma (wy, sum, to[c]);
  }
}

#ifdef WINDOWS
#define ONE 16384 /* weights along rows are 16-bit integers, products of two taps are summed by one instruction */

/* Weights of taps 0 and 1, 2 and 3; their sum is exact. */
VFI_INLINE void
weigh_pairs (const Vec w[4], const Kind k, __m512i pair[2])
{
  const __m512i low = _mm512_set1_epi32 (0xffff), one = _mm512_set1_epi32 (ONE);
  const __m512i w0 = _mm512_cvtps_epi32 ((__m512) (w[0] * ONE));
  __m512i w1 = _mm512_sub_epi32 (one, w0);

  if (k.taps == 4) {
    const __m512i w2 = _mm512_cvtps_epi32 ((__m512) (w[2] * ONE)), w3 = _mm512_cvtps_epi32 ((__m512) (w[3] * ONE));
    w1 = _mm512_sub_epi32 (w1, _mm512_add_epi32 (w2, w3));
    pair[1] = _mm512_or_si512 (_mm512_and_si512 (w2, low), _mm512_slli_epi32 (w3, 16));
  }
  pair[0] = _mm512_or_si512 (_mm512_and_si512 (w0, low), _mm512_slli_epi32 (w1, 16));
}

/* Two neighbouring taps of one component: bytes `at` of two registers. */
VFI_INLINE __m512i
load_pair (__m512i a, __m512i at, __m512i b, const Kind k)
{
  __m512i v;

  if (k.sample_bytes == 1)
    return _mm512_maskz_permutex2var_epi8 (0x5555555555555555, a, at, b);
  v = _mm512_permutex2var_epi8 (a, at, b);
  return k.shift ? _mm512_srli_epi16 (v, k.shift) : v;
}

/* The sum of a row's taps, times ONE. */
VFI_INLINE Vec
sum_row (const __m512i pair[2], const __m512i weight[2], const Kind k)
{
  __m512i sum = _mm512_dpwssd_epi32 (_mm512_setzero_si512 (), pair[0], weight[0]);

  if (k.taps == 4)
    sum = _mm512_dpwssd_epi32 (sum, pair[1], weight[1]);
  return (Vec) _mm512_cvtepi32_ps (sum);
}

VFI_INLINE void
sample_near (const guint8 *data, int stride, const Places *t, const Vec wx[4], const Vec wy[4], const Kind k, Vec to[4])
{
  const guint8 *p = data + (gssize) t->top * stride + t->left * BYTES (k);
  const __mmask16 second = _mm512_cmpgt_epi32_mask ((__m512i) t->iy, _mm512_set1_epi32 (t->top + BEFORE (k)));
  __m512i weight[2], upper[4][2];

  weigh_pairs (wx, k, weight);
  if (WINDOW (k) == 64) {
    __m512i row = _mm512_loadu_si512 (p);

#pragma GCC unroll 4
    for (int j = 0; j < k.taps; j++) {
      const __m512i below = _mm512_loadu_si512 (p + (gssize) (j + 1) * stride);
#pragma GCC unroll 4
      for (int c = 0; c < k.comps; c++) {
        __m512i pair[2];
#pragma GCC unroll 2
        for (int i = 0; i < k.taps / 2; i++)
          pair[i] =
              load_pair (row, _mm512_add_epi8 ((__m512i) t->bytes, _mm512_set1_epi8 (c * k.sample_bytes + 2 * i * BYTES (k))), below, k);
        to[c] = vec_fma (wy[j], sum_row (pair, weight, k), to[c]);
      }
      row = below;
    }
  } else
#pragma GCC unroll 5
    for (int j = 0; j <= k.taps; j++) {
      const __m512i a = _mm512_loadu_si512 (p + (gssize) j * stride), b = _mm512_loadu_si512 (p + (gssize) j * stride + 64);
#pragma GCC unroll 4
      for (int c = 0; c < k.comps; c++) {
        __m512i lower[2], pair[2];
#pragma GCC unroll 2
        for (int i = 0; i < k.taps / 2; i++) {
          lower[i] = load_pair (a, _mm512_add_epi8 ((__m512i) t->bytes, _mm512_set1_epi8 (c * k.sample_bytes + 2 * i * BYTES (k))), b, k);
          if (j)
            pair[i] = _mm512_mask_blend_epi32 (second, upper[c][i], lower[i]);
          upper[c][i] = lower[i];
        }
        if (j)
          to[c] = vec_fma (wy[j - 1], sum_row (pair, weight, k), to[c]);
      }
    }
  for (int c = 0; c < k.comps; c++)
    to[c] *= 1.f / ONE;
}
#endif

VFI_INLINE void
sample_far (const guint8 *data, int stride, const Places *t, const Vec wx[4], const Vec wy[4], const Kind k, Vec to[4])
{
  const VecI at = (t->iy - BEFORE (k)) * stride + (t->ix - BEFORE (k)) * BYTES (k);

  for (int j = 0; j < k.taps; j++) {
    VecI word[4];
    for (int i = 0; i < WORDS (k); i++)
      word[i] = vec_gather (data + (gsize) j * stride + WORD_AT (k, i), at, 1);
    add_row (word, wx, wy[j], k, to);
  }
}

/* Tap by tap, none outside the plane. */
VFI_INLINE void
sample_border (const guint8 *data, int stride, int h, int w, const Places *t, const Vec wx[4], const Vec wy[4], const Kind k, Vec to[4])
{
  for (int lane = 0; lane < VFI_LANES; lane++)
    for (int j = 0; j < k.taps; j++) {
      const guint8 *row = data + (gssize) CLAMP (t->iy[lane] + j - BEFORE (k), 0, h - 1) * stride;

      for (int i = 0; i < k.taps; i++) {
        const guint8 *p = row + (gsize) CLAMP (t->ix[lane] + i - BEFORE (k), 0, w - 1) * BYTES (k);

        for (int c = 0; c < k.comps; c++) {
          int v = p[c * k.sample_bytes];
          if (k.sample_bytes == 2)
            v = (v | p[c * 2 + 1] << 8) >> k.shift;
          to[c][lane] += wx[i][lane] * wy[j][lane] * v;
        }
      }
    }
}

/* All components of VFI_LANES pixels. */
VFI_INLINE void
sample (const guint8 *data, int stride, int h, int w, const Places *t, const Kind k, Vec to[4])
{
  Vec wx[4], wy[4];

  weights (t->fx, k, wx);
  weights (t->fy, k, wy);
  for (int c = 0; c < k.comps; c++)
    to[c] = vec_set (0);
#ifdef WINDOWS
  if (t->reach == NEAR)
    sample_near (data, stride, t, wx, wy, k, to);
  else
#endif
      if (t->reach == BORDER)
    sample_border (data, stride, h, w, t, wx, wy, k, to);
  else
    sample_far (data, stride, t, wx, wy, k, to);
}

/* ---- pixels ------------------------------------------------------------------------------------- */

/* 1 / (1 + 2^-v), to about 2e-7. */
VFI_INLINE Vec
sigmoid2 (Vec v)
{
  const Vec magic = vec_set (12582912); /* 1.5 2^23: rounds to an integer */
  Vec p = vec_set (1.3333558e-3f), shifted, f;

  v = vec_min (vec_max (-v, vec_set (-120)), vec_set (120));
  shifted = v + magic;
  f = v - (shifted - magic);
  p = vec_fma (p, f, vec_set (9.6181291e-3f));
  p = vec_fma (p, f, vec_set (5.5504109e-2f));
  p = vec_fma (p, f, vec_set (2.4022651e-1f));
  p = vec_fma (p, f, vec_set (6.9314718e-1f));
  p = vec_fma (p, f, vec_set (1));
  return 1 / (1 + (Vec) ((VecI) p + ((VecI) shifted << 23)));
}

/* The low `bytes` bytes of the first n lanes. */
VFI_INLINE void
store_pixels (guint8 *to, VecI words, int n, const int bytes)
{
  n = MIN (n, VFI_LANES);
  if (bytes == 3)
    for (int i = 0; i < n; i++) {
      const guint32 word = words[i];
      memcpy (to + i * 3, &word, 3);
    }
  else
    vec_store_low (to, words, n, bytes);
}

/* Pixels x0 to x0 + n - 1 of row y; the state's channels begin at x0. */
VFI_INLINE void
pixels (const Planes *p, const Moment *m, int y, int x0, int n, const float *const rows[5], const Kind k)
{
  const float a0x = -m->t * 2 / p->kx, a0y = -m->t * 2 / p->ky, a1x = m->u * 2 / p->kx, a1y = m->u * 2 / p->ky;
  Places p0[PIXELS / VFI_LANES], p1[PIXELS / VFI_LANES];
  Vec weight[PIXELS / VFI_LANES];

  /* In two loops: what to load follows from a long chain of arithmetic. */
  for (int x = 0, i = 0; x < n; x += VFI_LANES, i++) {
    const Vec at = VEC_TO_FLOAT (vec_iota () + (x0 + x)), line = vec_set (y);

    place (&p0[i], vec_fma (vec_set (a0x), *(const Vec *) (rows[0] + x), at), vec_fma (vec_set (a0y), *(const Vec *) (rows[1] + x), line),
           p->w, p->h, k);
    place (&p1[i], vec_fma (vec_set (a1x), *(const Vec *) (rows[2] + x), at), vec_fma (vec_set (a1y), *(const Vec *) (rows[3] + x), line),
           p->w, p->h, k);
    weight[i] = sigmoid2 (vec_fma (vec_set (1.44269504f), *(const Vec *) (rows[4] + x), vec_set (m->logit)));
  }
  for (int q = 0; q < p->n; q++) {
    guint8 *to = p->dst[q] + (gsize) y * p->stride[q] + (gsize) x0 * BYTES (k);

    for (int x = 0, i = 0; x < n; x += VFI_LANES, i++) {
      Vec s0[4], s1[4];
      VecI words = { 0 };

      sample (p->f0[q], p->stride0[q], p->h, p->w, &p0[i], k, s0);
      sample (p->f1[q], p->stride1[q], p->h, p->w, &p1[i], k, s1);
#pragma GCC unroll 4
      for (int c = 0; c < k.comps; c++) {
        const Vec v = vec_fma (weight[i], s0[c] - s1[c], s1[c] + 0.5f);
        words |= VEC_TO_INT (vec_min (vec_max (v, vec_set (0)), vec_set ((1 << k.depth) - 1))) << (8 * c * k.sample_bytes + k.shift);
      }
      store_pixels (to + (gsize) x * BYTES (k), words, n - x, BYTES (k));
    }
  }
}

static void
row (const Planes *p, const Moment *m, int y)
{
  const VfiPlaneLayout *l = p->layout;
  const int taps = l->sub_x || l->sub_y ? 2 : 4;

  for (int x0 = 0; x0 < p->w; x0 += PIXELS) {
    float cells[5][CELLS], columns[5][PIXELS];
    const float *rows[5];
    const int n = MIN (PIXELS, p->w - x0);

    state_row (m->state, p, y, x0, n, cells, columns, rows);
#define CASE(TAPS, COMPS, BYTES, DEPTH, SHIFT)                                                                                             \
  if (taps == TAPS && l->comps == COMPS && l->depth == DEPTH && l->shift == SHIFT)                                                         \
  pixels (p, m, y, x0, n, rows, (Kind){ TAPS, COMPS, BYTES, DEPTH, SHIFT })
    CASE (4, 1, 1, 8, 0);
    CASE (2, 1, 1, 8, 0);
    CASE (4, 1, 2, 10, 0);
    CASE (2, 1, 2, 10, 0);
    CASE (4, 1, 2, 10, 6);
    CASE (2, 2, 1, 8, 0);
    CASE (2, 2, 2, 10, 6);
    CASE (4, 3, 1, 8, 0);
    CASE (4, 4, 1, 8, 0);
#undef CASE
  }
}

void
VFI_ISA_NAME (vfi_cpu_synthesize) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale,
                                   double t, const VfiView *state, const VfiFrame *dst)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const float sx = (float) vfi_scaled_size (info->width, flow_scale) / info->width;
  const float sy = (float) vfi_scaled_size (info->height, flow_scale) / info->height;
  const Moment m = { state, (float) t, (float) (1 - t), (float) log2 ((1 - t) / t) };
  Planes all[4];
  int n = 0;

  for (int i = 0; i < f->n_planes; i++) {
    const VfiPlaneLayout *l = &f->plane[i];
    Planes *p;

    if (i == 0 || memcmp (l, &f->plane[i - 1], sizeof *l)) {
      p = &all[n++];
      *p = (Planes){ .layout = l, .kx = sx * (1 << l->sub_x), .ky = sy * (1 << l->sub_y) };
      vfi_frame_info_plane_size (info, i, &p->w, &p->h);
    }
    p = &all[n - 1];
    p->f0[p->n] = f0->data[i];
    p->f1[p->n] = f1->data[i];
    p->dst[p->n] = dst->data[i];
    p->stride0[p->n] = f0->stride[i];
    p->stride1[p->n] = f1->stride[i];
    p->stride[p->n++] = dst->stride[i];
    /* Gathers have 32-bit offsets. */
    if ((gint64) MAX (f0->stride[i], f1->stride[i]) * p->h > G_MAXINT) {
      vfi_frame_synthesize (info, f0, f1, flow_scale, t, state, dst);
      return;
    }
  }
#pragma omp parallel num_threads(b->threads)
  for (const Planes *p = all; p < all + n; p++) {
#pragma omp for schedule(dynamic, 8) nowait
    for (int y = 0; y < p->h; y++)
      row (p, &m, y);
  }
}
