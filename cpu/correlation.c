/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator correlation. Both sources are first turned to channels x pixels, so that a vector is a run of pixels and a sum over
 * channels needs no reduction; with q = p - d the products are a (q) b (q + 2 d), where one load of a serves all dx of a row, as it does
 * one-sided, where they are a (p) b (p + d).
 * bf16 travels as pairs of channels where the CPU multiplies such pairs. The picture is taken in strips, of which each thread turns the rows that
 * it needs: a row of each source stays in its first cache.
 */
#include <omp.h>
#include <stdlib.h>

#include "isa.h"

#ifdef __AVX512BF16__
#define PAIRS 1
#else
#define PAIRS 0
#endif

#define STRIP 112 /* pixels, at most: narrower ones have more margin, wider ones leave the first cache */
#define GROUP 9   /* dx whose sums are kept in registers together */

/* A turned row: `planes` (channels or pairs of them) of `pitch` words, the strip's first pixel at `margin`, zeros outside the picture. */
typedef struct
{
  int radius, planes, strip, margin, pitch;
  gboolean one_sided;
  int sum_pitch; /* of (2 radius + 1)^2 rows of sums, the strip's first pixel at 2 `radius` */
  /* For each thread: the sums, then a ring of 2 radius + 1 turned rows of each source; row y is at y mod (2 radius + 1). */
  gint32 *scratch;
  gsize sums_size, row_size, scratch_size;
} State;

static void
release (gpointer state)
{
  State *s = state;

  free (s->scratch);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);
  const int side = 2 * ((const VfiCorrelationParams *) node->params)->radius + 1;

  s->radius = side / 2;
  s->one_sided = ((const VfiCorrelationParams *) node->params)->one_sided;
  s->planes = PAIRS && src->dtype == VFI_BF16 ? (src->c + 1) / 2 : src->c;
  s->strip = (src->w + STRIP - 1) / STRIP; /* so many, alike */
  s->strip = ((src->w + s->strip - 1) / s->strip + VFI_LANES - 1) / VFI_LANES * VFI_LANES;
  s->margin = (3 * s->radius + 3 * VFI_LANES - 1) / VFI_LANES * VFI_LANES;
  s->pitch = s->strip + 2 * s->margin;
  s->sum_pitch = s->strip + 4 * s->radius + 2 * VFI_LANES;
  s->sums_size = ((gsize) side * side * s->sum_pitch + 63) / 64 * 64;
  s->row_size = (gsize) s->planes * s->pitch;
  s->scratch_size = (s->sums_size + 2 * side * s->row_size + 63) / 64 * 64;
  s->scratch = aligned_alloc (64, s->scratch_size * b->threads * 4);
  if (s->scratch) {
    memset (s->scratch, 0, s->scratch_size * b->threads * 4);
    return s;
  }
  release (s);
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for rows of %d x %d", src->w, src->c);
  return NULL;
}

/* Some planes of n pixels of x from element `first` on, to planes from `to` on. */
VFI_INLINE void
turn_planes (const State *s, const VfiView *x, gsize first, int c, const int planes, const int n, gint32 *to, const VfiDType type,
             const gboolean pairs)
{
  VecI m[VFI_LANES];

#pragma GCC unroll 16
  for (int k = 0; k < VFI_LANES; k++) {
    const gsize p = first + (gsize) (k < n ? k : 0) * x->ld;
#if PAIRS
    if (pairs) {
      const int halves = MIN (x->c - 2 * c, 2 * VFI_LANES);
      m[k] = (VecI) _mm512_maskz_loadu_epi16 (halves == 32 ? ~0u : (1u << halves) - 1, (const guint16 *) x->data + p + 2 * c);
      continue;
    }
#endif
    m[k] = (VecI) vec_load (x->data, type, p + c, planes);
  }
  vec_transpose (m);
#pragma GCC unroll 16
  for (int k = 0; k < VFI_LANES; k++)
    if (k < planes) {
      gint32 *line = to + (gsize) (c + k) * s->pitch;
      if (n == VFI_LANES)
        *(VecI *) line = m[k];
      else
        memcpy (line, &m[k], 4 * n);
    }
}

/* Pixels x0 to x0 + n - 1 of row y of x, to planes from `to` on. */
VFI_INLINE void
turn (const State *s, const VfiView *x, int y, int x0, const int n, gint32 *to, const VfiDType type, const gboolean pairs)
{
  const gsize first = ((gsize) y * x->w + x0) * x->ld;
  int c = 0;

  for (; c + VFI_LANES <= s->planes; c += VFI_LANES)
    turn_planes (s, x, first, c, VFI_LANES, n, to, type, pairs);
  if (c < s->planes)
    turn_planes (s, x, first, c, s->planes - c, n, to, type, pairs);
}

/* What the strip from pixel p0 on needs of row y. */
VFI_INLINE void
turn_row (const State *s, const VfiView *x, int y, int p0, gint32 *to, const VfiDType type, const gboolean pairs)
{
  const int first = MAX (p0 - 3 * s->radius, 0), end = MIN (p0 + s->strip + 3 * s->radius, x->w);
  gint32 *origin = to + s->margin - p0;
  int x0 = first;

  /* Whole vectors, as long as the picture has them. */
  for (; x0 < end && x0 + VFI_LANES <= x->w; x0 += VFI_LANES)
    turn (s, x, y, x0, VFI_LANES, origin + x0, type, pairs);
  if (x0 < end)
    turn (s, x, y, x0, end - x0, origin + x0, type, pairs);
  if (first == 0 || end == x->w)
    for (int c = 0; c < s->planes; c++) {
      gint32 *line = to + (gsize) c * s->pitch;

      if (first == 0)
        memset (line, 0, sizeof (gint32) * (s->margin - p0));
      if (end == x->w)
        memset (line + s->margin - p0 + end, 0, sizeof (gint32) * (s->pitch - (s->margin - p0 + end)));
    }
}

/* sum plus products of a and VFI_LANES words at b: single precision, or pairs of bf16. */
VFI_INLINE Vec
add_products (Vec sum, Vec a, const gint32 *b, const gboolean pairs)
{
#if PAIRS
  if (pairs)
    return (Vec) _mm512_dpbf16_ps ((__m512) sum, (__m512bh) a, (__m512bh) * (const Vec *) b);
#endif
  return vec_fma (a, *(const Vec *) b, sum);
}

/* sums[k][q + k] = products of a (q) and b (q + 2 k), k < n, over a row; b and the sums are those of the first of the n dx. One-sided,
 * sums[k][q] = products of a (q) and b (q + k). Two vectors at a time where the sums of one are too few to hide how long a product takes.
 * Sums have names because GCC keeps arrays of them in memory. */
VFI_INLINE void
products (const State *s, const gint32 *a, const gint32 *b, int w, float *sums, const int n, const gboolean pairs, const gboolean one_sided)
{
  const int step = one_sided ? 1 : 2, shift = one_sided ? 0 : 1, vectors = n <= 4 ? 2 : 1;
  const gsize pitch = s->pitch;

  for (int q = 0; q < w; q += vectors * VFI_LANES) {
    const Vec none = vec_set (0);
    Vec s0 = none, s1 = none, s2 = none, s3 = none, s4 = none, s5 = none, s6 = none, s7 = none, s8 = none;
    Vec t0 = none, t1 = none, t2 = none, t3 = none;
    const gint32 *from_a = a + q, *from_b = b + q;

    for (int c = 0; c < s->planes; c++, from_a += pitch, from_b += pitch) {
      const Vec first = *(const Vec *) from_a, second = vectors == 2 ? *(const Vec *) (from_a + VFI_LANES) : first;

#define ADD(K)                                                                                                                             \
  if (n > K)                                                                                                                               \
  s##K = add_products (s##K, first, from_b + step * K, pairs)
#define ADD_SECOND(K)                                                                                                                      \
  if (vectors == 2 && n > K)                                                                                                               \
  t##K = add_products (t##K, second, from_b + VFI_LANES + step * K, pairs)
      ADD (0);
      ADD (1);
      ADD (2);
      ADD (3);
      ADD (4);
      ADD (5);
      ADD (6);
      ADD (7);
      ADD (8);
      ADD_SECOND (0);
      ADD_SECOND (1);
      ADD_SECOND (2);
      ADD_SECOND (3);
#undef ADD
#undef ADD_SECOND
    }
#define STORE(SUM, K, AT)                                                                                                                  \
  if (n > K)                                                                                                                               \
  *(Vec *) (sums + (gsize) K * s->sum_pitch + shift * K + q + AT) = SUM
    STORE (s0, 0, 0);
    STORE (s1, 1, 0);
    STORE (s2, 2, 0);
    STORE (s3, 3, 0);
    STORE (s4, 4, 0);
    STORE (s5, 5, 0);
    STORE (s6, 6, 0);
    STORE (s7, 7, 0);
    STORE (s8, 8, 0);
    if (vectors == 2) {
      STORE (t0, 0, VFI_LANES);
      STORE (t1, 1, VFI_LANES);
      STORE (t2, 2, VFI_LANES);
      STORE (t3, 3, VFI_LANES);
    }
#undef STORE
  }
}

VFI_INLINE void
products_n (const State *s, const gint32 *a, const gint32 *b, int w, float *sums, int n, const gboolean pairs, const gboolean one_sided)
{
  switch (n) {
    case 9:
      products (s, a, b, w, sums, 9, pairs, one_sided);
      break;
    case 7:
      products (s, a, b, w, sums, 7, pairs, one_sided);
      break;
    case 5:
      products (s, a, b, w, sums, 5, pairs, one_sided);
      break;
    case 3:
      products (s, a, b, w, sums, 3, pairs, one_sided);
      break;
    default:
      for (int k = 0; k < n; k++)
        products (s, a, b + (one_sided ? k : 2 * k), w, sums + (gsize) k * s->sum_pitch + (one_sided ? 0 : k), 1, pairs, one_sided);
  }
}

/* Sums of row y, pixels p0 to p1 - 1, for all displacements. */
VFI_INLINE void
row_sums (const State *s, const VfiView *x, int y, int p0, int p1, const gint32 *const ring[2], float *sums, const gboolean pairs)
{
  const int r = s->radius, side = 2 * r + 1;
  const int q0 = s->one_sided ? p0 : MAX (p0 - r, 0), q1 = s->one_sided ? p1 : MIN (p1 + r, x->w);

  for (int dy = -r; dy <= r; dy++) {
    float *to = sums + (gsize) (dy + r) * side * s->sum_pitch;
    const int of_a = s->one_sided ? y : y - dy;

    if (of_a < 0 || of_a >= x->h || y + dy < 0 || y + dy >= x->h) {
      memset (to, 0, sizeof (float) * side * s->sum_pitch);
      continue;
    }
    /* What no q reaches lies outside. */
    if (q0 == 0 || q1 == x->w)
      for (int k = 0; k < side; k++) {
        if (q0 == 0)
          memset (to + (gsize) k * s->sum_pitch, 0, sizeof (float) * 3 * r);
        if (q1 == x->w)
          memset (to + (gsize) k * s->sum_pitch + x->w - p0 + r, 0, sizeof (float) * r);
      }
    for (int k = 0; k < side; k += GROUP) {
      const gint32 *a = ring[0] + of_a % side * s->row_size + s->margin + q0 - p0;
      const gint32 *b = ring[1] + (y + dy) % side * s->row_size + s->margin + q0 - p0;
      float *row = to + (gsize) k * s->sum_pitch + q0 - p0;

      if (s->one_sided)
        products_n (s, a, b + k - r, q1 - q0, row + 2 * r, MIN (side - k, GROUP), pairs, TRUE);
      else
        products_n (s, a, b + 2 * (k - r), q1 - q0, row + k + r, MIN (side - k, GROUP), pairs, FALSE);
    }
  }
}

/* The sums of pixels x0 to x0 + n - 1 of row y, over the number of channels, to dst. */
VFI_INLINE void
store (const State *s, const float *sums, float gain, const VfiView *dst, int y, int p0, int x0, const int n, const VfiDType type)
{
  int channels;

  for (int d = 0; d < dst->c; d += channels) {
    const gsize first = ((gsize) y * dst->w + x0) * dst->ld + d;
    const float *from = sums + (gsize) d * s->sum_pitch + 2 * s->radius + x0 - p0;
    VecI m[VFI_LANES];

    /* An odd square is one more than a multiple of 8: the last channel goes alone. */
    channels = MIN (dst->c - d, VFI_LANES);
    channels -= channels > 1 && channels % 8 == 1;
    if (channels == 1) {
      const Vec v = gain * *(const Vec *) from;
      const VecH half = vec_to_bf16 (v);

      for (int k = 0; k < n; k++)
        if (type == VFI_F32)
          ((float *) dst->data)[first + (gsize) k * dst->ld] = v[k];
        else
          ((guint16 *) dst->data)[first + (gsize) k * dst->ld] = half[k];
      continue;
    }
#pragma GCC unroll 16
    for (int k = 0; k < VFI_LANES; k++)
      m[k] = (VecI) (gain * *(const Vec *) (from + (gsize) MIN (k, channels - 1) * s->sum_pitch));
    vec_transpose (m);
#pragma GCC unroll 16
    for (int k = 0; k < VFI_LANES; k++)
      if (k < n)
        vec_store (dst->data, type, first + (gsize) k * dst->ld, channels, (Vec) m[k]);
  }
}

VFI_INLINE void
store_row (const State *s, const float *sums, const VfiView *dst, int y, int p0, int p1, float gain, const VfiDType type)
{
  int x0 = p0;

  for (; x0 + VFI_LANES <= p1; x0 += VFI_LANES)
    store (s, sums, gain, dst, y, p0, x0, VFI_LANES, type);
  if (x0 < p1)
    store (s, sums, gain, dst, y, p0, x0, p1 - x0, type);
}

/* Rows y0 to y1 - 1. */
VFI_INLINE void
some_rows (const State *s, const VfiView *src, const VfiView *dst, int y0, int y1, gint32 *scratch, const VfiDType type)
{
  const gboolean pairs = PAIRS && type == VFI_BF16;
  const int side = 2 * s->radius + 1;
  float *sums = (float *) scratch;
  gint32 *ring[] = { scratch + s->sums_size, scratch + s->sums_size + side * s->row_size };

  for (int p0 = 0; p0 < dst->w; p0 += s->strip) {
    const int p1 = MIN (p0 + s->strip, dst->w);
    int turned = MAX (y0 - s->radius, 0);

    for (int y = y0; y < y1; y++) {
      for (; turned <= MIN (y + s->radius, src->h - 1); turned++)
        for (int i = 0; i < 2; i++)
          turn_row (s, &src[i], turned, p0, ring[i] + turned % side * s->row_size, type, pairs);
      row_sums (s, src, y, p0, p1, (const gint32 *const *) ring, sums, pairs);
      if (dst->dtype == VFI_F32)
        store_row (s, sums, dst, y, p0, p1, 1.0f / src->c, VFI_F32);
      else
        store_row (s, sums, dst, y, p0, p1, 1.0f / src->c, VFI_BF16);
    }
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const State *s = state;

  if (src->dtype == VFI_F32)
    some_rows (s, src, dst, y0, y1, s->scratch + s->scratch_size * thread, VFI_F32);
  else
    some_rows (s, src, dst, y0, y1, s->scratch + s->scratch_size * thread, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_correlation) = { &vfi_op_correlation, NULL, prepare, NULL, release, .rows = rows };
