/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator correlation. Both sources are first turned to channels x pixels, so that a vector is a run of pixels and a sum over
 * channels needs no reduction; with q = p - d the products are a (q) b (q + 2 d), where one load of a serves all dx of a row, as it does
 * one-sided, where they are a (p) b (p + d). A load of b serves ROWS rows, of which one sees it dy below itself, the next dy - 1.
 * bf16 travels as pairs of channels with AVX-512, and becomes single precision to be multiplied: where products of pairs were measured, they take four times as
 * long as one in single precision. The picture is taken in strips, of which each thread turns the rows that it needs: those around ROWS rows stay in its second
 * cache.
 */
#include <stdlib.h>

#include "isa.h"

#ifdef __AVX512BF16__
#define PAIRS 1
#else
#define PAIRS 0
#endif

/* STRIP_WORDS of a turned row without margins, at most: with less there is more margin, more leaves the second cache. */
#if VFI_LANES == 16
#define STRIP_WORDS 10240
#define ROWS 4  /* that see a row of b together, */
#define GROUP 5 /* and dx: their sums are kept in registers */
#else
#define STRIP_WORDS 5120
#define ROWS 2
#define GROUP 6
#endif

/* A turned row: `planes` (channels or pairs of them) of `pitch` words, the strip's first pixel at `margin`, zeros outside the picture. */
typedef struct
{
  int radius, planes, strip, margin, pitch;
  gboolean one_sided;
  int window;    /* rows that ROWS see around them */
  int sum_pitch; /* of (2 radius + 1)^2 rows of sums, the strip's first pixel at 2 `radius` */
  /* For each thread: the sums of ROWS rows, then a ring of `window` turned rows of each source; row y is at y mod `window`. */
  gint32 *scratch;
  gsize sums_size, row_size, scratch_size;
} State;

static int
round_up (int n, int step)
{
  return (n + step - 1) / step * step;
}

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
  const VfiCorrelationParams *p = node->params;
  const int side = 2 * p->radius + 1;
  State *s = g_new0 (State, 1);
  int strips;

  s->radius = p->radius;
  s->one_sided = p->one_sided;
  s->planes = PAIRS && src->dtype == VFI_BF16 ? (src->c + 1) / 2 : src->c;
  strips = ((gsize) src->w * s->planes + STRIP_WORDS - 1) / STRIP_WORDS;
  s->strip = round_up ((src->w + strips - 1) / strips, VFI_LANES);
  s->margin = round_up ((p->one_sided ? 1 : 3) * p->radius, VFI_LANES);
  /* An odd number of cache lines, so that planes take different places in a cache. */
  s->pitch = round_up (s->strip + 2 * s->margin, 16) | 16;
  s->window = side + ROWS - 1;
  s->sum_pitch = s->strip + 4 * p->radius + VFI_LANES;
  s->sums_size = round_up (side * side * s->sum_pitch, 16);
  s->row_size = (gsize) s->planes * s->pitch;
  s->scratch_size = ROWS * s->sums_size + 2 * s->window * s->row_size + 16; /* the last vector may end behind the last row */
  s->scratch = aligned_alloc (64, s->scratch_size * b->threads * sizeof (gint32));
  if (s->scratch) {
    memset (s->scratch, 0, s->scratch_size * b->threads * sizeof (gint32));
    return s;
  }
  release (s);
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for rows of %d x %d", src->w, src->c);
  return NULL;
}

/* Some planes of n pixels of x from element `first` on, to planes from `to` on; zeros behind them. */
VFI_INLINE void
turn_planes (const State *s, const VfiView *x, gsize first, int c, const int planes, const int n, gint32 *to, const VfiDType type,
             const gboolean pairs)
{
  const gsize pitch = s->pitch, ld = x->ld;
  VecI m[VFI_LANES];

#pragma GCC unroll 16
  for (int k = 0; k < VFI_LANES; k++) {
    const gsize p = first + k * ld;
    if (k >= n) {
      m[k] = (VecI){ 0 };
      continue;
    }
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
    if (k < planes)
      *(VecI *) (to + (c + k) * pitch) = m[k];
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
  for (int x0 = p0 - s->margin; x0 < p0 + s->strip + s->margin; x0 += VFI_LANES, to += VFI_LANES)
    if (x0 >= 0 && x0 + VFI_LANES <= x->w)
      turn (s, x, y, x0, VFI_LANES, to, type, pairs);
    else if (x0 >= 0 && x0 < x->w)
      turn (s, x, y, x0, x->w - x0, to, type, pairs);
    else
      for (int c = 0; c < s->planes; c++)
        *(VecI *) (to + (gsize) c * s->pitch) = (VecI){ 0 };
}

/* What VFI_LANES words are: a channel, or two of bf16, of which products in single precision are the faster ones. */
typedef struct
{
  Vec one, two;
} Words;

VFI_INLINE Words
words (VecI w, const gboolean pairs)
{
  if (pairs)
    return (Words){ (Vec) (w << 16), (Vec) (w & (gint32) 0xffff0000) };
  return (Words){ (Vec) w, (Vec) w };
}

/* For VFI_LANES pixels q at a[i] and b, and each i < rows: sums[i][k] = products of a[i] (q) and b (q + 2 k), k < n, for pixels k further on.
 * One-sided, sums[i][k] = products of a[i] (q) and b (q + k). */
VFI_INLINE void
products (const State *s, const gint32 *const a[ROWS], const gint32 *b, float *const sums[ROWS], const int rows, const int n,
          const gboolean pairs, const gboolean one_sided)
{
  const int step = one_sided ? 1 : 2;
  const gsize pitch = s->pitch, next = s->sum_pitch + (one_sided ? 0 : 1), end = s->planes * pitch;
  Vec sum[ROWS][GROUP];

#pragma GCC unroll 4
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 6
    for (int k = 0; k < n; k++)
      sum[i][k] = vec_set (0);
  for (gsize at = 0; at < end; at += pitch) {
    Words x[ROWS];

#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
      x[i] = words (*(const VecI *) (a[i] + at), pairs);
#pragma GCC unroll 6
    for (int k = 0; k < n; k++) {
      const Words z = words (*(const volatile VecI *) (b + at + step * k), pairs); /* GCC would load it twice */

#pragma GCC unroll 4
      for (int i = 0; i < rows; i++) {
        sum[i][k] = vec_fma (x[i].one, z.one, sum[i][k]);
        if (pairs)
          sum[i][k] = vec_fma (x[i].two, z.two, sum[i][k]);
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 6
    for (int k = 0; k < n; k++)
      *(Vec *) (sums[i] + k * next) = sum[i][k];
}

/* Products of a row of b with some of a, for a strip of `pixels` and all dx. */
VFI_INLINE void
row_products (const State *s, const gint32 *const a[ROWS], const gint32 *b, float *const sums[ROWS], const int rows, int pixels,
              const gboolean pairs, const gboolean one_sided)
{
  const int r = s->radius, side = 2 * r + 1, groups = (side + GROUP - 1) / GROUP, group = (side + groups - 1) / groups;
  const int beside = one_sided ? 0 : r; /* pixels q beside the strip's */

  for (int q = -beside; q < pixels + beside; q += VFI_LANES)
    for (int k = 0; k < side; k += group) {
      const gsize at = (gsize) k * s->sum_pitch + 2 * r + q + (one_sided ? 0 : k - r);
      const gint32 *from_a[ROWS], *from_b = b + q + (one_sided ? 1 : 2) * (k - r);
      float *to[ROWS];

      for (int i = 0; i < rows; i++) {
        from_a[i] = a[i] + q;
        to[i] = sums[i] + at;
      }
      switch (MIN (side - k, group)) {
#define CASE(N)                                                                                                                            \
  case N:                                                                                                                                  \
    products (s, from_a, from_b, to, rows, N, pairs, one_sided);                                                                           \
    break
        CASE (1);
        CASE (2);
        CASE (3);
        CASE (4);
        CASE (5);
#if GROUP > 5
        CASE (6);
#endif
#undef CASE
      }
    }
}

/* Sums of rows y to y + n - 1 (ROWS, or fewer), for a strip of `pixels` and all displacements. */
VFI_INLINE void
row_sums (const State *s, const VfiView *x, int y, int n, int pixels, const gint32 *const ring[2], float *sums, const gboolean pairs,
          const gboolean one_sided)
{
  const int r = s->radius, side = 2 * r + 1;

  for (int of_b = y - r; of_b < y + n + r; of_b++) {
    const gint32 *a[ROWS], *b = ring[1] + (of_b + s->window) % s->window * s->row_size + s->margin;
    float *to[ROWS];
    int seen = 0; /* by so many of the rows */

    for (int i = 0; i < n; i++) {
      const int dy = of_b - (y + i), of_a = one_sided ? y + i : y + i - dy;
      float *sum = sums + i * s->sums_size + (dy + r) * side * s->sum_pitch;

      if (ABS (dy) > r)
        continue;
      if (of_a < 0 || of_a >= x->h || of_b < 0 || of_b >= x->h)
        memset (sum, 0, sizeof (float) * side * s->sum_pitch);
      else {
        a[seen] = ring[0] + of_a % s->window * s->row_size + s->margin;
        to[seen++] = sum;
      }
    }
    switch (seen) {
#define CASE(N)                                                                                                                            \
  case N:                                                                                                                                  \
    row_products (s, a, b, to, N, pixels, pairs, one_sided);                                                                               \
    break
      CASE (1);
      CASE (2);
#if ROWS > 2
      CASE (3);
      CASE (4);
#endif
#undef CASE
    }
  }
}

/* Functions of their own: compilers take far longer for one that has them all. */
typedef void (*RowSums) (const State *s, const VfiView *x, int y, int n, int pixels, const gint32 *const ring[2], float *sums);
#define ROW_SUMS(NAME, OF_PAIRS, ONE_SIDED)                                                                                                \
  static __attribute__ ((noinline)) void NAME (const State *s, const VfiView *x, int y, int n, int pixels, const gint32 *const ring[2],    \
                                               float *sums)                                                                                \
  {                                                                                                                                        \
    row_sums (s, x, y, n, pixels, ring, sums, OF_PAIRS, ONE_SIDED);                                                                        \
  }
ROW_SUMS (symmetric, FALSE, FALSE)
ROW_SUMS (one_sided, FALSE, TRUE)
#if PAIRS
ROW_SUMS (symmetric_pairs, TRUE, FALSE)
ROW_SUMS (one_sided_pairs, TRUE, TRUE)
#else
#define symmetric_pairs symmetric
#define one_sided_pairs one_sided
#endif

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
  const RowSums sum_rows = pairs ? s->one_sided ? one_sided_pairs : symmetric_pairs : s->one_sided ? one_sided : symmetric;
  float *sums = (float *) scratch;
  gint32 *ring[] = { scratch + ROWS * s->sums_size, scratch + ROWS * s->sums_size + s->window * s->row_size };

  for (int p0 = 0; p0 < dst->w; p0 += s->strip) {
    const int p1 = MIN (p0 + s->strip, dst->w);
    int turned = MAX (y0 - s->radius, 0);

    for (int y = y0; y < y1; y += ROWS) {
      const int n = MIN (y1 - y, ROWS);

      for (; turned < MIN (y + n + s->radius, src->h); turned++)
        for (int i = 0; i < 2; i++)
          turn_row (s, &src[i], turned, p0, ring[i] + turned % s->window * s->row_size, type, pairs);
      sum_rows (s, src, y, n, p1 - p0, (const gint32 *const *) ring, sums);
      for (int i = 0; i < n; i++)
        if (dst->dtype == VFI_F32)
          store_row (s, sums + i * s->sums_size, dst, y + i, p0, p1, 1.0f / src->c, VFI_F32);
        else
          store_row (s, sums + i * s->sums_size, dst, y + i, p0, p1, 1.0f / src->c, VFI_BF16);
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
