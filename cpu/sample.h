/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Samples of a plane of 8 or 16 bits at VFI_LANES places, bilinear or by Catmull-Rom's cubics: for synthesize. Places and weights are fixed point,
 * sums of products are 32-bit integers.
 *
 * Where motion is smooth, the taps of all lanes lie in a window of a few rows: one load and a permutation for each pair of taps
 * instead of gathers. Some lanes may begin a row lower than the others: they get their weights a row lower. At the plane's border the window is
 * a copy with the border's pixels repeated.
 */
#pragma once

#include "simd.h"

#define PLACE_BITS 15 /* places have 32 bits: sides of up to 65535 pixels, more than frames may have */
#define ONE_PIXEL (1 << PLACE_BITS)
#define WEIGHT_BITS 14
#define ONE (1 << WEIGHT_BITS)

/* How a plane is sampled and what its pixels are; all constants where it is used. */
typedef struct
{
  int taps; /* each way: 2 bilinear, 4 cubic */
  int comps, sample_bytes, depth, shift;
} Kind;

#define BYTES(k) ((k).comps * (k).sample_bytes)
#define BEFORE(k) ((k).taps / 2 - 1) /* taps left of and above the place */
/* Sums of a row lose these bits, so that they have 16 with their sign: cubics overshoot by a quarter. */
#define ROW_BITS(k) ((k).depth)
#define UNIT(k) (1.f / ((gint64) 1 << (2 * WEIGHT_BITS - ROW_BITS (k)))) /* what 1 in a result is worth */
/* Rounds, and makes up for what rows lose at the mean. */
#define HALF(k) (0.5f + 0.5f / (1 << (WEIGHT_BITS - ROW_BITS (k))))

typedef gint16 VecS __attribute__ ((vector_size (4 * VFI_LANES), aligned (4), may_alias));
typedef guint8 VecB __attribute__ ((vector_size (4 * VFI_LANES), aligned (4), may_alias));

/* ---- instructions ------------------------------------------------------------------------------- */

#if defined(__AVX512VBMI__) && defined(__AVX512VNNI__)
#define WINDOWS
#define I(name) _mm512_##name
typedef __m512i Int;
#elif defined(__AVX2__)
#define WINDOWS
#define I(name) _mm256_##name
typedef __m256i Int;
#endif

/* To the nearest integer. */
VFI_INLINE VecI
vec_round (Vec v)
{
#ifdef __AVX512F__
  return (VecI) _mm512_cvtps_epi32 ((__m512) v);
#elif defined(__AVX2__)
  return (VecI) _mm256_cvtps_epi32 ((__m256) v);
#else
  return VEC_TO_INT (v + 0.5f); /* none is negative */
#endif
}

/* Products of 16-bit numbers: lane by lane, those of the upper and the lower half are summed. */
VFI_INLINE VecI
multiply_pairs (VecI a, VecI b, VecI sum)
{
#if defined(__AVX512VNNI__)
  return (VecI) _mm512_dpwssd_epi32 ((__m512i) sum, (__m512i) a, (__m512i) b);
#elif defined(__AVX2__)
  return sum + (VecI) _mm256_madd_epi16 ((__m256i) a, (__m256i) b);
#else
  return sum + (a >> 16) * (b >> 16) + (a << 16 >> 16) * (b << 16 >> 16);
#endif
}

/* ---- places ------------------------------------------------------------------------------------- */

typedef enum
{
  NEAR,   /* the taps of all lanes lie in a window inside the plane */
  BORDER, /* in a window that hangs over */
  FAR     /* they do not */
} Reach;

typedef struct
{
  VecI x, y; /* clamped to the plane */
  Reach reach;
  gboolean uneven;  /* some lanes begin a row below the top */
  int left[2], top; /* of the window's pixels; AVX2 has one window for each half of the lanes of pixels of two bytes */
} Place;

#ifdef WINDOWS
#ifdef __AVX512F__
#define PARTS(k) 1
#define WINDOW(k) (BYTES (k) <= 2 ? 64 : 128) /* bytes of a row in all */
#define WINDOWED(k) TRUE
#else
#define PARTS(k) (BYTES (k) == 2 ? 2 : 1)
#define WINDOW(k) (16 * PARTS (k))
#define WINDOWED(k) (BYTES (k) <= 2) /* else 4 lanes' taps may be more than 16 bytes */
#endif
#define PART(k) (WINDOW (k) / PARTS (k))
#define ROOM(k) (PART (k) / BYTES (k) - (k).taps) /* places beyond the leftmost one of a part */
#define SLACK(k) ((ROOM (k) - (VFI_LANES / PARTS (k) - 1)) / 2)

/* For each lane: left of its part of the window. */
VFI_INLINE VecI
lefts (const Place *p, const Kind k)
{
  const VecI left = (VecI){ 0 } + p->left[0], right = (VecI){ 0 } + p->left[PARTS (k) - 1];

  return vec_selecti (vec_iota () < VFI_LANES / 2, left, right);
}

/* Whether a window has all; it hangs over only if `outside`. */
VFI_INLINE gboolean
find_window (Place *p, int w, int h, gboolean outside, const Kind k)
{
  const VecI ix = p->x >> PLACE_BITS, iy = p->y >> PLACE_BITS;
  VecI x, y;

  p->top = MIN (iy[0], iy[VFI_LANES - 1]) - BEFORE (k);
  for (int i = 0; i < PARTS (k); i++) {
    p->left[i] = ix[i * VFI_LANES / 2] - BEFORE (k) - SLACK (k);
    if (!outside)
      p->left[i] = MIN (MAX (p->left[i], 0), w - (PART (k) + BYTES (k) - 1) / BYTES (k)); /* what is read ends within the row */
  }
  x = ix - BEFORE (k) - lefts (p, k);
  y = iy - BEFORE (k) - p->top;
  if (vec_any_negative (x | (ROOM (k) - x) | y | (1 - y)))
    return FALSE;
  p->uneven = vec_any_negative (-y);
  return outside || (p->left[0] >= 0 && p->top >= 0 && p->top + k.taps + p->uneven <= h);
}
#endif

/* x and y in ONE_PIXEL parts of a pixel; whatever they are, places are in the plane. */
VFI_INLINE Place
place (Vec x, Vec y, int w, int h, const Kind k)
{
  Place p = { .reach = FAR };

#ifdef WINDOWS
  if (WINDOWED (k)) {
    p.x = vec_round (x); /* what has no integer becomes -2^31 */
    p.y = vec_round (y);
    p.reach = NEAR;
    if (find_window (&p, w, h, FALSE, k))
      return p;
  }
#endif
  p.x = vec_round (vec_min (vec_max (x, vec_set (0)), vec_set ((w - 1) * (float) ONE_PIXEL)));
  p.y = vec_round (vec_min (vec_max (y, vec_set (0)), vec_set ((h - 1) * (float) ONE_PIXEL)));
#ifdef WINDOWS
  p.reach = BORDER;
  if (WINDOWED (k) && find_window (&p, w, h, TRUE, k))
    return p;
#endif
  p.reach = FAR;
  return p;
}

/* ---- weights ------------------------------------------------------------------------------------ */

/* Pairs of taps: the first in the lower half. y has a third for lanes that begin a row below. */
typedef struct
{
  VecI x[2], y[3];
} Weights;

/* Of two vectors of places, by the part of a pixel that they are beyond the one before. */
VFI_INLINE void
weigh_axis (VecI a, VecI b, const Kind k, VecI to_a[2], VecI to_b[2])
{
#ifdef WINDOWS
  /* The order of packing is undone by that of unpacking. */
  const Int f = I (packs_epi32) ((Int) (a & (ONE_PIXEL - 1)), (Int) (b & (ONE_PIXEL - 1)));
  VecS w0, w1, w2, w3;

  if (k.taps == 2) {
    w1 = (VecS) f >> (PLACE_BITS - WEIGHT_BITS);
    w0 = ONE - w1;
  } else {
    /* All in 2^-15, but the weights. */
    const Int f2 = I (mulhrs_epi16) (f, f);
    const VecS f3 = (VecS) I (mulhrs_epi16) (f2, f), d = (VecS) f2 - f3;

    w0 = ((VecS) f2 - (VecS) f + d) >> 2;
    w3 = -d >> 2;
    w2 = ((VecS) f >> 1) + w0 - (w3 + w3); /* places are where the taps' centre lies */
    w1 = ONE - w0 - w2 - w3;
    to_a[1] = (VecI) I (unpacklo_epi16) ((Int) w2, (Int) w3);
    to_b[1] = (VecI) I (unpackhi_epi16) ((Int) w2, (Int) w3);
  }
  to_a[0] = (VecI) I (unpacklo_epi16) ((Int) w0, (Int) w1);
  to_b[0] = (VecI) I (unpackhi_epi16) ((Int) w0, (Int) w1);
#else
  for (int i = 0; i < 2; i++) {
    const VecI f = (i ? b : a) & (ONE_PIXEL - 1);
    VecI *to = i ? to_b : to_a;

    if (k.taps == 2)
      to[0] = (ONE - (f >> 1)) | f >> 1 << 16;
    else {
      const VecI f2 = (f * f + ONE) >> 15, f3 = (f2 * f + ONE) >> 15, d = f2 - f3;
      const VecI w0 = (f2 - f + d) >> 2, w3 = -d >> 2, w2 = (f >> 1) + w0 - (w3 + w3);

      to[0] = (w0 & 0xffff) | (ONE - w0 - w2 - w3) << 16;
      to[1] = (w2 & 0xffff) | w3 << 16;
    }
  }
#endif
}

/* For two vectors of places. */
VFI_INLINE void
weigh (const Place places[2], const Kind k, Weights w[2])
{
  weigh_axis (places[0].x, places[1].x, k, w[0].x, w[1].x);
  weigh_axis (places[0].y, places[1].y, k, w[0].y, w[1].y);
  for (int i = 0; i < 2; i++)
    if (places[i].reach != FAR && places[i].uneven) {
      const VecI below = (places[i].y >> PLACE_BITS) > places[i].top + BEFORE (k);
      const VecI first = w[i].y[0], last = k.taps == 4 ? w[i].y[1] : first;

      w[i].y[0] = vec_selecti (below, first << 16, first);
      if (k.taps == 4)
        w[i].y[1] = vec_selecti (below, (VecI) ((VecU) first >> 16) | last << 16, last);
      w[i].y[k.taps / 2] = below & (VecI) ((VecU) last >> 16);
    }
}

/* ---- samples ------------------------------------------------------------------------------------ */

/* Two rows' sums of taps, as a pair. */
VFI_INLINE VecI
pair_rows (VecI upper, VecI lower, const Kind k)
{
  const VecI low = (VecI) ((VecU) upper >> ROW_BITS (k)), high = lower << (16 - ROW_BITS (k));
#if defined(__AVX2__) && !defined(__AVX512F__)
  return (VecI) _mm256_blend_epi16 ((__m256i) low, (__m256i) high, 0xaa);
#else
  return (low & 0xffff) | (high & (gint32) 0xffff0000);
#endif
}

#ifdef WINDOWS
/* Bytes of the window that each lane's first pair of taps takes. */
VFI_INLINE VecI
first_bytes (const Place *p, const Kind k)
{
  const VecI first = ((p->x >> PLACE_BITS) - (lefts (p, k) + BEFORE (k))) * BYTES (k);
#ifdef __AVX512F__
  const Int bytes = _mm512_shuffle_epi8 ((__m512i) first, _mm512_set4_epi32 (0x0c0c0c0c, 0x08080808, 0x04040404, 0));
  const int lower = 0; /* upper halves of samples of one byte are masked */
#else
  const Int bytes = _mm256_shuffle_epi8 ((__m256i) first,
                                         _mm256_set_epi32 (0x0c0c0c0c, 0x08080808, 0x04040404, 0, 0x0c0c0c0c, 0x08080808, 0x04040404, 0));
  const int lower = 0x80008000; /* these bytes become 0 */
#endif

  return (VecI) I (add_epi8) (
      bytes, I (set1_epi32) (BYTES (k) * 0x10000 * (k.sample_bytes == 2 ? 0x101 : 1) + (k.sample_bytes == 2 ? 0x01000100 : lower)));
}

typedef struct
{
#ifdef __AVX512F__
  Int a, b;
#else
  Int a;
#endif
} WindowRow;

VFI_INLINE WindowRow
load_row (const guint8 *p, const gssize part[2], const Kind k)
{
  WindowRow r;
#ifdef __AVX512F__
  r.a = _mm512_loadu_si512 (p + part[0]);
  r.b = WINDOW (k) == 64 ? r.a : _mm512_loadu_si512 (p + part[0] + 64);
#else
  if (PARTS (k) == 1)
    r.a = _mm256_broadcastsi128_si256 (_mm_loadu_si128 ((const __m128i *) (p + part[0])));
  else
    r.a = _mm256_inserti128_si256 (_mm256_castsi128_si256 (_mm_loadu_si128 ((const __m128i *) (p + part[0]))),
                                   _mm_loadu_si128 ((const __m128i *) (p + part[1])), 1);
#endif
  return r;
}

VFI_INLINE VecI
take (WindowRow r, VecI bytes, const Kind k)
{
  Int v;
#ifdef __AVX512F__
  const __mmask64 lower = 0x5555555555555555;

  if (WINDOW (k) == 64)
    v = k.sample_bytes == 1 ? _mm512_maskz_permutexvar_epi8 (lower, (__m512i) bytes, r.a) : _mm512_permutexvar_epi8 ((__m512i) bytes, r.a);
  else
    v = k.sample_bytes == 1 ? _mm512_maskz_permutex2var_epi8 (lower, r.a, (__m512i) bytes, r.b)
                            : _mm512_permutex2var_epi8 (r.a, (__m512i) bytes, r.b);
#else
  v = _mm256_shuffle_epi8 (r.a, (__m256i) bytes);
#endif
  return (VecI) (k.shift ? I (srli_epi16) (v, k.shift) : v);
}

/* `rows` rows of the window from p on. */
VFI_INLINE void
sample_window (const guint8 *p, gssize stride, const gssize part[2], int rows, const Place *t, const Weights *w, const Kind k, VecI to[4])
{
  const VecI first = first_bytes (t, k);
  VecI upper[4] = { 0 };

#pragma GCC unroll 5
  for (int j = 0; j <= k.taps; j++) {
    WindowRow r;

    if (j == k.taps && rows == k.taps)
      break;
    r = load_row (p + j * stride, part, k);
#pragma GCC unroll 4
    for (int c = 0; c < k.comps; c++) {
      VecI sum = { 0 };

#pragma GCC unroll 2
      for (int i = 0; i < k.taps / 2; i++)
        sum = multiply_pairs (take (r, (VecI) ((VecB) first + (guint8) (c * k.sample_bytes + 2 * i * BYTES (k))), k), w->x[i], sum);
      if (j == k.taps)
        to[c] = multiply_pairs ((VecI) ((VecU) sum >> ROW_BITS (k)), w->y[j / 2], to[c]);
      else if (j % 2)
        to[c] = multiply_pairs (pair_rows (upper[c], sum, k), w->y[j / 2], to[c]);
      else
        upper[c] = sum;
    }
  }
}

/* The window's rows of a plane, pixels outside it as those at its border; parts of PART (k) bytes one after the other. */
static void
copy_window (const guint8 *data, int stride, int h, int w, const Place *t, int rows, const Kind k, guint8 *to)
{
  const int n = PART (k) / BYTES (k), bytes = BYTES (k);

  for (int j = 0; j < rows; j++) {
    const guint8 *row = data + (gssize) CLAMP (t->top + j, 0, h - 1) * stride;

    for (int i = 0; i < PARTS (k); i++, to += PART (k)) {
      const int before = CLAMP (-t->left[i], 0, n), after = CLAMP (w - t->left[i], 0, n);

      for (int x = 0; x < before; x++)
        memcpy (to + x * bytes, row, bytes);
      if (after > before)
        memcpy (to + before * bytes, row + (gssize) (t->left[i] + before) * bytes, (after - before) * bytes);
      for (int x = after; x < n; x++)
        memcpy (to + x * bytes, row + (gssize) (w - 1) * bytes, bytes);
    }
  }
}
#endif

/* Each lane by itself: words of 32 bits, of up to four neighbouring samples, are gathered where all of them are inside the plane. */
#define PER_WORD(k) (BYTES (k) <= 2 ? 4 / BYTES (k) : 1)        /* pixels in 32 bits */
#define WORDS(k) (((k).taps + PER_WORD (k) - 1) / PER_WORD (k)) /* for the taps of a row */
#define WORD_AT(k, i) ((i) *PER_WORD (k) * BYTES (k))           /* byte of word i from the first tap */
#define ROW_BYTES(k) (WORD_AT (k, WORDS (k) - 1) + 4)           /* from the first tap to the end of the last word */

/* Component c of tap i of a row, out of the row's words. */
VFI_INLINE VecI
component (const VecI word[4], const int i, const int c, const Kind k)
{
  const int first = i % PER_WORD (k) * 8 * BYTES (k) + 8 * c * k.sample_bytes + k.shift;

  return (VecI) ((VecU) word[i / PER_WORD (k)] >> first) & ((1 << k.depth) - 1);
}

/* For each lane: `pixels` of `bytes` bytes each from column x of row y on, those outside the plane as at its border. */
static __attribute__ ((noinline)) VecI
border_words (const guint8 *data, int stride, int h, int w, VecI y, VecI x, int pixels, int bytes)
{
  guint32 words[VFI_LANES] = { 0 };

  for (int lane = 0; lane < VFI_LANES; lane++)
    for (int i = 0; i < pixels; i++)
      memcpy ((guint8 *) &words[lane] + i * bytes,
              data + (gssize) CLAMP (y[lane], 0, h - 1) * stride + (gssize) CLAMP (x[lane] + i, 0, w - 1) * bytes, bytes);
  return *(const VecI *) words;
}

VFI_INLINE void
sample_far (const guint8 *data, int stride, int h, int w, const Place *t, const Weights *weights, const Kind k, VecI to[4])
{
  const VecI ix = (t->x >> PLACE_BITS) - BEFORE (k), iy = (t->y >> PLACE_BITS) - BEFORE (k), at = iy * stride + ix * BYTES (k);
  const gboolean inside = !vec_any_negative (ix | iy | (h - k.taps - iy) | (w * BYTES (k) - ROW_BYTES (k) - ix * BYTES (k)));
  VecI upper[4] = { 0 };

#pragma GCC unroll 4
  for (int j = 0; j < k.taps; j++) {
    VecI word[4] = { 0 };

    for (int i = 0; i < WORDS (k); i++)
      word[i] = inside ? vec_gather (data + (gsize) j * stride + WORD_AT (k, i), at, 1)
                       : border_words (data, stride, h, w, iy + j, ix + i * PER_WORD (k), PER_WORD (k), BYTES (k));
#pragma GCC unroll 4
    for (int c = 0; c < k.comps; c++) {
      VecI sum = { 0 };

#pragma GCC unroll 2
      for (int i = 0; i < k.taps; i += 2)
        sum = multiply_pairs (component (word, i, c, k) | component (word, i + 1, c, k) << 16, weights->x[i / 2], sum);
      if (j % 2)
        to[c] = multiply_pairs (pair_rows (upper[c], sum, k), weights->y[j / 2], to[c]);
      else
        upper[c] = sum;
    }
  }
}

/* All components at VFI_LANES places, in UNIT (k). */
VFI_INLINE void
sample (const guint8 *data, int stride, int h, int w, const Place *t, const Weights *weights, const Kind k, VecI to[4])
{
  for (int c = 0; c < k.comps; c++)
    to[c] = (VecI){ 0 };
#ifdef WINDOWS
  if (WINDOWED (k) && t->reach != FAR) {
    const int rows = k.taps + t->uneven;
    guint8 copy[5 * 128];
    const guint8 *p = data + (gssize) t->top * stride;
    gssize row = stride, part[2] = { (gssize) t->left[0] * BYTES (k), (gssize) t->left[PARTS (k) - 1] * BYTES (k) };

    if (t->reach == BORDER) {
      copy_window (data, stride, h, w, t, rows, k, copy);
      p = copy;
      row = WINDOW (k);
      part[0] = 0;
      part[1] = PART (k);
    }
    sample_window (p, row, part, rows, t, weights, k, to);
  } else
#endif
    sample_far (data, stride, h, w, t, weights, k, to);
}
