/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator correlation. Both sources are first turned to channels x pixels, so that a vector is a run of pixels and a sum over
 * channels needs no reduction; with q = p - d the products are a (q) b (q + 2 d), where one load of a serves all dx of a row, as it does
 * one-sided, where they are a (p) b (p + d).
 * bf16 travels as pairs of channels where the CPU multiplies such pairs. Each thread turns the rows it needs, which stay in its cache.
 */
#include <omp.h>
#include <stdlib.h>

#include "isa.h"

#ifdef __AVX512BF16__
#define PAIRS 1
#else
#define PAIRS 0
#endif

#define GROUP 9 /* dx whose sums are kept in registers together */

/* A turned row: `planes` (channels or pairs of them) of `pitch` words, pixel 0 at `margin`, zeros around. */
typedef struct
{
  int radius, planes, margin, pitch;
  gboolean one_sided;
  int sum_pitch; /* of (2 radius + 1)^2 rows of sums, pixel 0 at `radius` */
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
  const int w = (src->w + VFI_LANES - 1) / VFI_LANES * VFI_LANES, side = 2 * ((const VfiCorrelationParams *) node->params)->radius + 1;

  s->radius = side / 2;
  s->one_sided = ((const VfiCorrelationParams *) node->params)->one_sided;
  s->planes = PAIRS && src->dtype == VFI_BF16 ? (src->c + 1) / 2 : src->c;
  s->margin = (2 * s->radius + VFI_LANES - 1) / VFI_LANES * VFI_LANES;
  s->pitch = w + 2 * s->margin;
  s->sum_pitch = w + 2 * s->radius;
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

/* Pixels x0 to x0 + n - 1 of row y of x, to planes. */
VFI_INLINE void
turn (const State *s, const VfiView *x, int y, int x0, const int n, gint32 *to, const VfiDType type, const gboolean pairs)
{
  const gsize first = ((gsize) y * x->w + x0) * x->ld;

  for (int c = 0; c < s->planes; c += VFI_LANES) {
    const int planes = MIN (s->planes - c, VFI_LANES);
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
        gint32 *line = to + (gsize) (c + k) * s->pitch + s->margin + x0;
        if (n == VFI_LANES)
          *(VecI *) line = m[k];
        else
          memcpy (line, &m[k], 4 * n);
      }
  }
}

VFI_INLINE void
turn_row (const State *s, const VfiView *x, int y, gint32 *to, const VfiDType type, const gboolean pairs)
{
  int x0 = 0;

  for (; x0 + VFI_LANES <= x->w; x0 += VFI_LANES)
    turn (s, x, y, x0, VFI_LANES, to, type, pairs);
  if (x0 < x->w)
    turn (s, x, y, x0, x->w - x0, to, type, pairs);
}

/* sums[k][q + k] = products of a (q) and b (q + 2 k), k < n, over a row; b and the sums are those of the first of the n dx. One-sided,
 * sums[k][q] = products of a (q) and b (q + k). */
VFI_INLINE void
products (const State *s, const gint32 *a, const gint32 *b, int w, float *sums, const int n, const gboolean pairs, const gboolean one_sided)
{
  const int step = one_sided ? 1 : 2, shift = one_sided ? 0 : 1;

  for (int q = 0; q < w; q += VFI_LANES) {
    Vec sum[GROUP] = { 0 };

    for (int c = 0; c < s->planes; c++) {
      const Vec from_a = *(const Vec *) (a + (gsize) c * s->pitch + q);
      const gint32 *from_b = b + (gsize) c * s->pitch + q;
#pragma GCC unroll 9
      for (int k = 0; k < n; k++)
#if PAIRS
        if (pairs)
          sum[k] = (Vec) _mm512_dpbf16_ps ((__m512) sum[k], (__m512bh) from_a, (__m512bh) * (const Vec *) (from_b + step * k));
        else
#endif
          sum[k] = vec_fma (from_a, *(const Vec *) (from_b + step * k), sum[k]);
    }
#pragma GCC unroll 9
    for (int k = 0; k < n; k++)
      *(Vec *) (sums + (gsize) k * s->sum_pitch + shift * k + q) = sum[k];
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

/* Sums of row y for all displacements. */
VFI_INLINE void
row_sums (const State *s, const VfiView *x, int y, const gint32 *const ring[2], float *sums, const gboolean pairs)
{
  const int r = s->radius, side = 2 * r + 1;

  for (int dy = -r; dy <= r; dy++) {
    float *to = sums + (gsize) (dy + r) * side * s->sum_pitch;

    const int of_a = s->one_sided ? y : y - dy;

    if (of_a < 0 || of_a >= x->h || y + dy < 0 || y + dy >= x->h) {
      memset (to, 0, sizeof (float) * side * s->sum_pitch);
      continue;
    }
    /* What no q reaches lies outside. */
    for (int k = 0; k < side; k++) {
      memset (to + (gsize) k * s->sum_pitch, 0, sizeof (float) * 2 * r);
      memset (to + (gsize) k * s->sum_pitch + x->w, 0, sizeof (float) * 2 * r);
    }
    for (int k = 0; k < side; k += GROUP) {
      const gint32 *a = ring[0] + of_a % side * s->row_size + s->margin, *b = ring[1] + (y + dy) % side * s->row_size + s->margin;
      float *row = to + (gsize) k * s->sum_pitch;

      if (s->one_sided)
        products_n (s, a, b + k - r, x->w, row + r, MIN (side - k, GROUP), pairs, TRUE);
      else
        products_n (s, a, b + 2 * (k - r), x->w, row + k, MIN (side - k, GROUP), pairs, FALSE);
    }
  }
}

/* The sums of pixels x0 to x0 + n - 1 of row y, over the number of channels, to dst. */
VFI_INLINE void
store (const State *s, const float *sums, float gain, const VfiView *dst, int y, int x0, const int n, const VfiDType type)
{
  for (int d = 0; d < dst->c; d += VFI_LANES) {
    const int channels = MIN (dst->c - d, VFI_LANES);
    const gsize first = ((gsize) y * dst->w + x0) * dst->ld + d;
    VecI m[VFI_LANES];

#pragma GCC unroll 16
    for (int k = 0; k < VFI_LANES; k++)
      m[k] = (VecI) (gain * *(const Vec *) (sums + (gsize) MIN (d + k, dst->c - 1) * s->sum_pitch + s->radius + x0));
    vec_transpose (m);
#pragma GCC unroll 16
    for (int k = 0; k < VFI_LANES; k++)
      if (k < n)
        vec_store (dst->data, type, first + (gsize) k * dst->ld, channels, (Vec) m[k]);
  }
}

VFI_INLINE void
store_row (const State *s, const float *sums, const VfiView *dst, int y, float gain, const VfiDType type)
{
  int x0 = 0;

  for (; x0 + VFI_LANES <= dst->w; x0 += VFI_LANES)
    store (s, sums, gain, dst, y, x0, VFI_LANES, type);
  if (x0 < dst->w)
    store (s, sums, gain, dst, y, x0, dst->w - x0, type);
}

/* Rows y0 to y1 - 1. */
VFI_INLINE void
rows (const State *s, const VfiView *src, const VfiView *dst, int y0, int y1, gint32 *scratch, const VfiDType type)
{
  const gboolean pairs = PAIRS && type == VFI_BF16;
  const int side = 2 * s->radius + 1;
  float *sums = (float *) scratch;
  gint32 *ring[] = { scratch + s->sums_size, scratch + s->sums_size + side * s->row_size };
  int turned = MAX (y0 - s->radius, 0);

  for (int y = y0; y < y1; y++) {
    for (; turned <= MIN (y + s->radius, src->h - 1); turned++)
      for (int i = 0; i < 2; i++)
        turn_row (s, &src[i], turned, ring[i] + turned % side * s->row_size, type, pairs);
    row_sums (s, src, y, (const gint32 *const *) ring, sums, pairs);
    if (dst->dtype == VFI_F32)
      store_row (s, sums, dst, y, 1.0f / src->c, VFI_F32);
    else
      store_row (s, sums, dst, y, 1.0f / src->c, VFI_BF16);
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const State *s = state;

#pragma omp parallel num_threads(b->threads)
  {
    const int i = omp_get_thread_num (), n = omp_get_num_threads ();
    const int y0 = (gint64) dst->h * i / n, y1 = (gint64) dst->h * (i + 1) / n;

    if (src->dtype == VFI_F32)
      rows (s, src, dst, y0, y1, s->scratch + s->scratch_size * i, VFI_F32);
    else
      rows (s, src, dst, y0, y1, s->scratch + s->scratch_size * i, VFI_BF16);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_correlation) = { &vfi_op_correlation, NULL, prepare, run, release };
