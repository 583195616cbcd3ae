/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Samples of a plane of 8 or 16 bits at PLACES places of a row at once, bilinear or by the cubics of core/sample.h: for synthesize. All of it is 16-bit
 * integers: samples are signed fractions (their middle is 0), and of the product with a weight the upper 16 bits are kept, rounded.
 *
 * Where motion is smooth, the taps of all places lie in a window of a few rows: one load and a permutation for each tap
 * instead of gathers. Some places may begin a row lower than the others: they get their weights a row lower. Elsewhere, and at the plane's
 * border, where taps are moved inside, there is one window after the other, each for the places that it happens to serve; what is left
 * after a few of them is gathered.
 */
#pragma once

#include "frame.h"
#include "simd.h"

#define PLACES (2 * VFI_LANES)
#define ONE_PIXEL 0x10000               /* places, from the pixel's own one: sides of up to 32767 pixels, more than frames may have */
#define WORTH (VFI_LANES == 16 ? 2 : 1) /* gathers take as long as so many windows */
#define WEIGHT_BITS 14                  /* weights are -2 to 2 */
#define ONE (1 << WEIGHT_BITS)

/* How a plane is sampled and what its pixels are; all constants where it is used. */
typedef struct
{
  int taps; /* each way: 2 bilinear, 4 or 6 cubic */
  int comps, sample_bytes, depth, shift;
} Kind;

#define BYTES(k) ((k).comps * (k).sample_bytes)
#define BEFORE(k) ((k).taps / 2 - 1) /* taps left of and above the place */
/* Samples have 16 bits; those of a row lose one of them, and those of all rows another: so much is left for what four taps overshoot by (a quarter each way), and one bit less for six
 * (three fifths). */
#define LEFT_BITS(k) ((k).taps == 6 ? 13 : 14)
#define RESULT_BITS(k) (LEFT_BITS (k) - (k).depth) /* of a result, behind the point */

typedef gint16 VecS __attribute__ ((vector_size (4 * VFI_LANES), aligned (4), may_alias));
typedef guint16 VecSU __attribute__ ((vector_size (4 * VFI_LANES), aligned (4), may_alias));
typedef guint8 VecB __attribute__ ((vector_size (4 * VFI_LANES), aligned (4), may_alias));

/* ---- instructions ------------------------------------------------------------------------------- */

#if defined(__AVX512VBMI__)
#define WINDOWS
#define I(name) _mm512_##name
typedef __m512i Int;
#elif defined(__AVX2__)
#define WINDOWS
#define I(name) _mm256_##name
typedef __m256i Int;
#endif

/* To the nearest integer; what has none becomes -2^31. */
VFI_INLINE VecI
vec_round (Vec v)
{
#ifdef __AVX512F__
  return (VecI) _mm512_cvtps_epi32 ((__m512) v);
#elif defined(__AVX2__)
  return (VecI) _mm256_cvtps_epi32 ((__m256) v);
#elif defined(__aarch64__)
  return (VecI) vcvtnq_s32_f32 ((float32x4_t) v);
#else
  return VEC_TO_INT (v); /* is near enough: 2^-16 of a pixel */
#endif
}

/* 0, 1, 2 ... */
VFI_INLINE VecS
shorts_iota (void)
{
#if VFI_LANES == 16
  return (VecS){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31 };
#elif VFI_LANES == 4
  return (VecS){ 0, 1, 2, 3, 4, 5, 6, 7 };
#else
  return (VecS){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
#endif
}

/* By words: of halves of one, GCC makes three instructions. */
VFI_INLINE VecS
shorts_set (int i)
{
  return (VecS) ((VecU){ 0 } + (guint16) i * 0x10001u);
}

VFI_INLINE VecS
shorts_select (VecS mask, VecS a, VecS b)
{
  return (mask & a) | (~mask & b);
}

VFI_INLINE VecS
shorts_min (VecS a, VecS b)
{
#ifdef WINDOWS
  return (VecS) I (min_epi16) ((Int) a, (Int) b);
#else
  return shorts_select (a < b, a, b);
#endif
}

VFI_INLINE VecS
shorts_max (VecS a, VecS b)
{
#ifdef WINDOWS
  return (VecS) I (max_epi16) ((Int) a, (Int) b);
#else
  return shorts_select (a > b, a, b);
#endif
}

/* 2^-15 a b, rounded. */
VFI_INLINE VecS
multiply (VecS a, VecS b)
{
#ifdef WINDOWS
  return (VecS) I (mulhrs_epi16) ((Int) a, (Int) b);
#elif defined(__aarch64__)
  return (VecS) vqrdmulhq_s16 ((int16x8_t) a, (int16x8_t) b);
#else
  typedef gint32 Wide __attribute__ ((vector_size (8 * VFI_LANES)));

  return __builtin_convertvector((__builtin_convertvector(a, Wide) * __builtin_convertvector(b, Wide) + 0x4000) >> 15, VecS);
#endif
}

#ifdef WINDOWS
VFI_INLINE gboolean
shorts_any (VecS v)
{
#ifdef __AVX512F__
  return _mm512_test_epi16_mask ((Int) v, (Int) v) != 0;
#else
  return !_mm256_testz_si256 ((Int) v, (Int) v);
#endif
}

/* SHORT_BITS bits of each. */
VFI_INLINE guint32
shorts_bits (VecS mask)
{
#ifdef __AVX512F__
  return _mm512_movepi16_mask ((Int) mask);
#else
  return _mm256_movemask_epi8 ((Int) mask);
#endif
}
#define SHORT_BITS (VFI_LANES == 16 ? 1 : 2)
#endif

/* The lower halves of even and of odd places' words, in order. */
VFI_INLINE VecS
lower_halves (const VecI words[2])
{
#if defined(__AVX2__) && !defined(__AVX512F__)
  return (VecS) _mm256_blend_epi16 ((__m256i) words[0], (__m256i) (words[1] << 16), 0xaa);
#else
  return (VecS) ((words[0] & 0xffff) | words[1] << 16);
#endif
}

VFI_INLINE VecS
upper_halves (const VecI words[2])
{
#if defined(__AVX2__) && !defined(__AVX512F__)
  return (VecS) _mm256_blend_epi16 ((__m256i) (words[0] >> 16), (__m256i) words[1], 0xaa);
#else
  return (VecS) ((VecI) ((VecU) words[0] >> 16) | (words[1] & (gint32) 0xffff0000));
#endif
}

/* Even and odd places' of it. */
VFI_INLINE void
halves (VecS v, VecI to[2])
{
  to[0] = (VecI) v << 16 >> 16;
  to[1] = (VecI) v >> 16;
}

/* ---- places ------------------------------------------------------------------------------------- */

typedef enum
{
  NEAR,    /* the taps of all places lie in a window inside the plane */
  PATCHES, /* in a few windows, or beyond the border */
  FAR      /* they do not */
} Reach;

/* A window of taps + 2 rows, where each part begins; outside of the plane its border is repeated. */
typedef struct
{
  int left[2], top[2];
  VecS y; /* from the top; 3: not here */
} Patch;

typedef struct
{
  VecS x, y;           /* of the first tap: in the plane; if NEAR, x in the window less IN_WINDOW (k), and y from the top */
  VecS left, top;      /* of the part's window, if NEAR */
  VecS part_x, part_y; /* of a pixel that the place is beyond the taps' middle, 2^-15 */
  Reach reach;
  gboolean uneven; /* some places begin a row below the top */
  int patches;
  Patch patch[WORTH];
  Vec inside[2]; /* unless NEAR, of even and odd places: how much they count: vfi_inside */
} __attribute__ ((aligned (64))) Place;

#ifdef WINDOWS
#ifdef __AVX512F__
#define PARTS(k) (BYTES (k) <= 2 ? 1 : 2)
#define WINDOWED(k) TRUE
#else
#define PARTS(k) 2                   /* bytes are permuted within the halves of a vector */
#define WINDOWED(k) (BYTES (k) <= 2) /* else a part's taps would be in three vectors or more */
#endif
#define VECTORS(k) (BYTES (k) == 1 ? 1 : 2)                   /* of a row of a part's window */
#define WINDOW(k) (VECTORS (k) * (VFI_LANES == 16 ? 64 : 16)) /* bytes of it */
#define ROOM(k) (WINDOW (k) / BYTES (k) - (k).taps)           /* places beyond the leftmost one */
#define SIZE(k) (PLACES / PARTS (k))                          /* of a part */
/* Where the first taps are in a window where motion is the same everywhere: in the middle of it. */
#define IN_WINDOW(k) (shorts_iota () % (gint16) SIZE (k) + (gint16) ((ROOM (k) - SIZE (k) + 1) / 2))

/* Place i of its part, for each place. */
VFI_INLINE VecS
of_part (VecS v, const int i, const Kind k)
{
  return __builtin_shuffle (v, shorts_iota () / (gint16) SIZE (k) * (gint16) SIZE (k) + (gint16) i);
}

/* 0 where v is 0 to n. */
VFI_INLINE VecS
beyond (VecS v, VecS n)
{
  return (VecS) I (subs_epu16) ((Int) v, (Int) n);
}

/* First taps in windows instead of the plane; whether these have all taps and lie inside the plane. */
VFI_INLINE gboolean
find_windows (Place *p, int w, int h, const Kind k)
{
  /* Whole windows are read. */
  const int last_left = w - (WINDOW (k) + BYTES (k) - 1) / BYTES (k), last_top = h - k.taps - 1;
  const VecS moved = p->x - shorts_iota (), middle = of_part (moved, SIZE (k) / 2, k);
  const VecS left = middle + (shorts_iota () - IN_WINDOW (k)), top = shorts_min (of_part (p->y, 0, k), of_part (p->y, SIZE (k) - 1, k));
  VecS outside;

  if (last_left < 0 || last_top < 0)
    return FALSE;
  p->x = moved - middle;
  p->y -= top;
  outside = beyond (p->x + IN_WINDOW (k), shorts_set (ROOM (k))) | (VecS) ((VecSU) p->y >> 1);
  outside |= beyond (left, shorts_set (last_left)) | beyond (top, shorts_set (last_top));
  p->left = left;
  p->top = top;
  p->uneven = shorts_any (p->y);
  return !shorts_any (outside);
}

/* v[i] in part i. */
VFI_INLINE VecS
parts_set (const int v[2], const Kind k)
{
  if (PARTS (k) == 1)
    return shorts_set (v[0]);
#ifdef __AVX512F__
  return (VecS) _mm512_inserti64x4 (_mm512_castsi256_si512 (_mm256_set1_epi16 (v[0])), _mm256_set1_epi16 (v[1]), 1);
#else
  return (VecS) _mm256_set_m128i (_mm_set1_epi16 (v[1]), _mm_set1_epi16 (v[0]));
#endif
}

/* Windows around the first place, of each part, that is in none yet. Whether gathers would take longer. */
VFI_INLINE gboolean
find_patches (Place *p, int w, const Kind k)
{
  const int last_left = w - WINDOW (k) / BYTES (k);
  guint32 bits = shorts_bits (shorts_set (-1));
  VecS todo = shorts_set (-1);

  if (last_left < 0)
    return FALSE;
  if (WORTH == 1) { /* most often there is none */
    const VecS top = shorts_min (of_part (p->y, 0, k), of_part (p->y, SIZE (k) - 1, k));

    if (shorts_any (beyond (p->y - top, shorts_set (2))))
      return FALSE;
  }
  for (p->patches = 0; bits; p->patches++) {
    Patch *a = &p->patch[p->patches];
    int first[2], last[2];
    guint32 begins[3];
    VecS x, y, fit;

    for (int i = 0; i < PARTS (k); i++) {
      const guint32 part = bits >> (SIZE (k) * SHORT_BITS * i);
      const int lead = __builtin_ctz (part | 1u << (SIZE (k) * SHORT_BITS - 1)) / SHORT_BITS;

      a->left[i] = CLAMP (p->x[i * SIZE (k) + lead] - lead - (ROOM (k) - SIZE (k) + 1) / 2, 0, last_left);
      a->top[i] = p->y[i * SIZE (k) + lead] - 2;
      first[i] = a->left[i] == 0 ? -BEFORE (k) : 0;
      last[i] = (a->left[i] == last_left ? WINDOW (k) / BYTES (k) - 1 - BEFORE (k) : ROOM (k)) - first[i];
    }
    x = p->x - parts_set (a->left, k);
    y = p->y - parts_set (a->top, k);
    fit = todo & (beyond (x - parts_set (first, k), parts_set (last, k)) == 0);
    for (int i = 0; i < 3; i++)
      begins[i] = shorts_bits (fit & (beyond (y - (gint16) i, shorts_set (2)) == 0));
    for (int i = 0; i < PARTS (k); i++) {
      const guint32 part = ((1ull << SIZE (k) * SHORT_BITS) - 1) << (SIZE (k) * SHORT_BITS * i);
      const int n0 = __builtin_popcount (begins[0] & part), n1 = __builtin_popcount (begins[1] & part);
      const int n2 = __builtin_popcount (begins[2] & part);

      a->top[i] += n1 >= MAX (n0, n2) ? 1 : n0 >= n2 ? 0 : 2;
    }
    y = p->y - parts_set (a->top, k);
    fit &= beyond (y, shorts_set (2)) == 0;
    a->y = shorts_select (fit, y, shorts_set (3));
    todo &= ~fit;
    bits = shorts_bits (todo);
    if (PLACES - __builtin_popcount (bits) / SHORT_BITS < (p->patches + 1) * PLACES / WORTH)
      return FALSE;
  }
  return TRUE;
}
#endif

/* What pixels x0 to x0 + PLACES - 1 of row y0 have added to them, in ONE_PIXEL parts of a pixel, even and odd ones. */
VFI_INLINE void
set_place (Place *p, const Vec x[2], const Vec y[2], int x0, int y0, const Kind k)
{
  const VecI ix[2] = { vec_round (x[0]), vec_round (x[1]) }, iy[2] = { vec_round (y[0]), vec_round (y[1]) };

  p->x = upper_halves (ix) + (shorts_iota () + shorts_set (x0 - BEFORE (k)));
  p->y = upper_halves (iy) + shorts_set (y0 - BEFORE (k));
  p->part_x = (VecS) ((VecSU) lower_halves (ix) >> 1);
  p->part_y = (VecS) ((VecSU) lower_halves (iy) >> 1);
}

/* Where there is no window inside the plane: places are clamped to the plane. */
VFI_INLINE void
place_at_border (Place *p, const Vec x[2], const Vec y[2], int x0, int y0, int w, int h, const Kind k)
{
  Vec inside_x[2], inside_y[2];

  for (int i = 0; i < 2; i++) {
    const VecI left = -(vec_iota () * 2 + (x0 + i)) * ONE_PIXEL;

    inside_x[i] = vec_min (vec_max (x[i], VEC_TO_FLOAT (left)), VEC_TO_FLOAT (left + (w - 1) * ONE_PIXEL));
    inside_y[i] = vec_min (vec_max (y[i], vec_set (-y0 * ONE_PIXEL)), vec_set ((h - 1 - y0) * ONE_PIXEL));
    p->inside[i] = vec_min (
        vec_max (1.5f - vec_max (vec_abs (x[i] - inside_x[i]), vec_abs (y[i] - inside_y[i])) * (1.f / ONE_PIXEL), vec_set (VFI_OUTSIDE)),
        vec_set (1));
  }
  set_place (p, inside_x, inside_y, x0, y0, k);
  p->reach = FAR;
#ifdef WINDOWS
  if (WINDOWED (k) && find_patches (p, w, k))
    p->reach = PATCHES;
#endif
  p->uneven = FALSE;
}

/* As set_place; whatever is added, taps are in the plane or repeat its border. */
VFI_INLINE void
place (Place *p, const Vec x[2], const Vec y[2], int x0, int y0, int w, int h, const Kind k)
{
#ifdef WINDOWS
  if (WINDOWED (k)) {
    set_place (p, x, y, x0, y0, k);
    p->reach = NEAR;
    if (find_windows (p, w, h, k))
      return;
  }
#endif
  place_at_border (p, x, y, x0, y0, w, h, k);
}

/* ---- weights ------------------------------------------------------------------------------------ */

typedef struct
{
  VecS x[6], y[7]; /* of taps; y has one more for places that begin a row below */
} __attribute__ ((aligned (64))) Weights;

/* Of a place f 2^-15 of a pixel beyond the taps' middle. */
VFI_INLINE void
weigh_axis (VecS f, const Kind k, VecS *to)
{
  if (k.taps == 2) {
    to[1] = f >> 1;
    to[0] = shorts_set (ONE) - to[1];
  } else if (k.taps == 4) {
    /* Halves of f, its square and its cube; places are where the taps' centre lies. */
    const VecS f1 = f >> 2, f2 = multiply (f, f1), f3 = multiply (f, f2);

    to[3] = f3 - f2;
    to[0] = f2 - f1 - to[3];
    to[2] = f2 + f1 - (to[3] + to[3] + to[3]);
    to[1] = shorts_set (ONE) - (f2 - f1) - to[2];
  } else {
    /* core/sample.h: vfi_sharp */
    const VecS g = f - 0x4000, h = 0x2000 - multiply (g, g), gh = multiply (g, h);
    const VecS e1 = multiply (h, shorts_set (VFI_SHARP_E1 * ONE)), o1 = multiply (gh, shorts_set (VFI_SHARP_O1 * ONE));
    const VecS e2 = multiply (h, shorts_set (VFI_SHARP_E2 * ONE)), o2 = multiply (gh, shorts_set (VFI_SHARP_O2 * ONE));

    to[0] = e2 - o2;
    to[1] = e1 - o1;
    to[3] = ONE / 2 - e1 - e2 + ((g + gh) >> 1);
    to[4] = e1 + o1;
    to[5] = e2 + o2;
    to[2] = ONE - to[0] - to[1] - to[3] - to[4] - to[5];
  }
}

VFI_INLINE void
weigh (const Place *p, const Kind k, Weights *w)
{
  weigh_axis (p->part_x, k, w->x);
  weigh_axis (p->part_y, k, w->y);
#pragma GCC unroll 6
  for (int j = 0; j < k.taps; j++)
    w->y[j] >>= 14 - LEFT_BITS (k);
  if (p->uneven) {
    const VecS below = -p->y;

    w->y[k.taps] = below & w->y[k.taps - 1];
#pragma GCC unroll 6
    for (int j = k.taps - 1; j > 0; j--)
      w->y[j] = shorts_select (below, w->y[j - 1], w->y[j]);
    w->y[0] = ~below & w->y[0];
  }
}

/* ---- samples ------------------------------------------------------------------------------------ */

#ifdef WINDOWS
/* Bytes of its window that the tap at column x of it takes; of samples of one byte they become the upper ones. */
VFI_INLINE VecS
tap_bytes (VecS x, const Kind k)
{
  const gint16 scale = BYTES (k) * (k.sample_bytes == 1 ? 0x100 : 0x101);

  return x * scale + (gint16) (k.sample_bytes == 1 ? 0x90 : 0x100); /* 0x80 and more take none */
}

/* A row of the windows. */
typedef struct
{
#ifdef __AVX512F__
  Int v[2][2]; /* of a part */
#else
  Int v[2];
#endif
} Row;

VFI_INLINE Int
signed_fractions (Int v, const Kind k)
{
  if (k.sample_bytes == 2)
    v = I (slli_epi16) (v, 16 - k.depth - k.shift);
  return v ^ (Int) shorts_set (k.sample_bytes == 1 ? 0x8080 : 0x8000);
}

VFI_INLINE Row
load_row (const guint8 *const p[2], gssize offset, const Kind k)
{
  Row r;

  for (int i = 0; i < VECTORS (k); i++) {
#ifdef __AVX512F__
    for (int j = 0; j < PARTS (k); j++)
      r.v[j][i] = signed_fractions (_mm512_loadu_si512 (p[j] + offset + 64 * i), k);
#else
    r.v[i] = signed_fractions (_mm256_loadu2_m128i ((const __m128i *) (p[1] + offset) + i, (const __m128i *) (p[0] + offset) + i), k);
#endif
  }
  return r;
}

VFI_INLINE VecS
take (const Row *r, VecB bytes, const Kind k)
{
#ifdef __AVX512F__
  const __mmask64 all = k.sample_bytes == 1 ? 0xaaaaaaaaaaaaaaaa : ~0ull;
  VecS v = { 0 };

  for (int j = 0; j < PARTS (k); j++) {
    const __mmask64 mask = PARTS (k) == 1 ? all : j ? all << 32 : all >> 32;

    v |= (VecS) (VECTORS (k) == 1 ? _mm512_maskz_permutexvar_epi8 (mask, (Int) bytes, r->v[j][0])
                                  : _mm512_maskz_permutex2var_epi8 (mask, r->v[j][0], (Int) bytes, r->v[j][1]));
  }
  return v;
#else
  if (VECTORS (k) == 1)
    return (VecS) _mm256_shuffle_epi8 (r->v[0], (Int) bytes);
  return (VecS) (_mm256_shuffle_epi8 (r->v[0], _mm256_adds_epu8 ((Int) bytes, _mm256_set1_epi8 (0x70))) |
                 _mm256_shuffle_epi8 (r->v[1], (Int) (bytes - 16)));
#endif
}

/* Of a row, all components. */
VFI_INLINE void
add_row (const Row *r, const VecS bytes[6], const VecS x[6], VecS y, const Kind k, VecS to[4])
{
#pragma GCC unroll 4
  for (int c = 0; c < k.comps; c++) {
    VecS sum = { 0 };

#pragma GCC unroll 6
    for (int i = 0; i < k.taps; i++)
      sum += multiply (take (r, (VecB) (bytes[i] + shorts_set (0x101 * c * k.sample_bytes)), k), x[i]);
    to[c] += multiply (sum, y);
  }
}

VFI_INLINE void
sample_windows (const guint8 *data, gssize stride, const Place *t, const Weights *weights, const Kind k, VecS to[4])
{
  const guint8 *p[2];
  VecS bytes[6];

  for (int i = 0; i < PARTS (k); i++)
    p[i] = data + (gssize) t->top[i * SIZE (k)] * stride + (gssize) t->left[i * SIZE (k)] * BYTES (k);
#pragma GCC unroll 6
  for (int i = 0; i < k.taps; i++)
    bytes[i] = tap_bytes (t->x + (IN_WINDOW (k) + (gint16) i), k);
#pragma GCC unroll 1
  for (int j = 0; j <= k.taps; j++) {
    Row r;

    if (j == k.taps && !t->uneven)
      break;
    r = load_row (p, j * stride, k);
    add_row (&r, bytes, weights->x, weights->y[j], k, to);
  }
}

VFI_INLINE void
sample_patches (const guint8 *data, gssize stride, int h, int w, const Place *t, const Weights *weights, const Kind k, VecS to[4])
{
  for (const Patch *a = t->patch; a < t->patch + t->patches; a++) {
    const VecS left = parts_set (a->left, k), x = t->x - left, last = shorts_set (w - 1) - left;
    VecS bytes[6];

#pragma GCC unroll 6
    for (int i = 0; i < k.taps; i++)
      bytes[i] = tap_bytes (shorts_min (shorts_max (x + (gint16) i, -left), last), k);
#pragma GCC unroll 1
    for (int j = 0; j < k.taps + 2; j++) {
      guint8 copy[2][128] __attribute__ ((aligned (64)));
      const guint8 *p[2];
      VecS y = shorts_set (0);
      Row r;

      for (int i = 0; i < PARTS (k); i++) {
        p[i] = data + CLAMP (a->top[i] + j, 0, h - 1) * stride + (gssize) a->left[i] * BYTES (k);
        if (WINDOW (k) % BYTES (k)) /* the last one may end beyond what there is */
          p[i] = memcpy (copy[i], p[i], WINDOW (k) / BYTES (k) * BYTES (k));
      }
#pragma GCC unroll 3
      for (int i = 0; i < 3; i++)
        if (j >= i && j - i < k.taps)
          y |= (a->y == (gint16) i) & weights->y[j - i];
      r = load_row (p, 0, k);
      add_row (&r, bytes, weights->x, y, k, to);
    }
  }
}
#endif

/* Each place by itself: words of 32 bits, of up to four neighbouring samples, are gathered where all of them are inside the plane. */
#define PER_WORD(k) (BYTES (k) <= 2 ? 4 / BYTES (k) : 1)        /* pixels in 32 bits */
#define WORDS(k) (((k).taps + PER_WORD (k) - 1) / PER_WORD (k)) /* for the taps of a row */
#define WORD_AT(k, i) ((i) *PER_WORD (k) * BYTES (k))           /* byte of word i from the first tap */
#define ROW_BYTES(k) (WORD_AT (k, WORDS (k) - 1) + 4)           /* from the first tap to the end of the last word */

/* Component c of tap i of a row, out of the row's words for even and odd places. */
VFI_INLINE VecS
component (VecI word[6][2], const int i, const int c, const Kind k)
{
  const int first = i % PER_WORD (k) * 8 * BYTES (k) + 8 * c * k.sample_bytes + k.shift; /* bit of the word */
  const VecS half = first < 16 ? lower_halves (word[i / PER_WORD (k)]) : upper_halves (word[i / PER_WORD (k)]);

  return (VecS) ((VecSU) half >> first % 16) << (16 - k.depth) ^ shorts_set (0x8000);
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
sample_far (const guint8 *data, int stride, int h, int w, const Place *t, const Weights *weights, const Kind k, VecS to[4])
{
  VecI x[2], y[2], at[2];
  gboolean inside[2];

  halves (t->x, x);
  halves (t->y, y);
  for (int odd = 0; odd < 2; odd++) {
    at[odd] = y[odd] * stride + x[odd] * BYTES (k);
    inside[odd] = !vec_any_negative (x[odd] | y[odd] | (h - k.taps - y[odd]) | (w * BYTES (k) - ROW_BYTES (k) - x[odd] * BYTES (k)));
  }
#pragma GCC unroll 1
  for (int j = 0; j < k.taps; j++) {
    VecI word[6][2];

    for (int odd = 0; odd < 2; odd++)
      for (int i = 0; i < WORDS (k); i++)
        word[i][odd] = inside[odd] ? vec_gather (data + (gsize) j * stride + WORD_AT (k, i), at[odd], 1)
                                   : border_words (data, stride, h, w, y[odd] + j, x[odd] + i * PER_WORD (k), PER_WORD (k), BYTES (k));
#pragma GCC unroll 4
    for (int c = 0; c < k.comps; c++) {
      VecS sum = { 0 };

#pragma GCC unroll 6
      for (int i = 0; i < k.taps; i++)
        sum += multiply (component (word, i, c, k), weights->x[i]);
      to[c] += multiply (sum, weights->y[j]);
    }
  }
}

/* All components at PLACES places, 2^RESULT_BITS (k) of a sample's steps from the middle of its values. */
VFI_INLINE void
sample (const guint8 *data, int stride, int h, int w, const Place *t, const Weights *weights, const Kind k, VecS to[4])
{
  for (int c = 0; c < k.comps; c++)
    to[c] = (VecS){ 0 };
#ifdef WINDOWS
  if (WINDOWED (k) && t->reach == NEAR) {
    sample_windows (data, stride, t, weights, k, to);
    return;
  }
  if (WINDOWED (k) && t->reach == PATCHES) {
    sample_patches (data, stride, h, w, t, weights, k, to);
    return;
  }
#endif
  sample_far (data, stride, h, w, t, weights, k, to);
}
