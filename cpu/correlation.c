/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator correlation. Both sources are first turned to channels x pixels, so that a vector is a run of pixels and a sum over
 * channels needs no reduction; with q = p - d the products are a (q) b (q + 2 d), where one load of a serves all dx of a row.
 * bf16 travels as pairs of channels where the CPU multiplies such pairs.
 */
#include <omp.h>
#include <stdlib.h>

#include "cpu.h"
#include "simd.h"

#ifdef __AVX512BF16__
#define PAIRS 1
#else
#define PAIRS 0
#endif

#define GROUP 9 /* dx whose sums are kept in registers together */

/* Rows of `planes` x `pitch` words: channel (pair) planes of one picture row, pixel 0 at `margin`, zeros around. */
typedef struct
{
  int radius, planes, margin, pitch;
  gint32 *turned[2];
  float *sums; /* for each thread: (2 radius + 1)^2 rows of sum_pitch, pixel 0 at `radius` */
  int sum_pitch;
} State;

static gsize
sums_size (const State *s)
{
  const int side = 2 * s->radius + 1;
  return (gsize) side * side * s->sum_pitch + VFI_LANES * VFI_LANES;
}

static void
release (gpointer state)
{
  State *s = state;

  free (s->turned[0]);
  free (s->turned[1]);
  free (s->sums);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);
  const int w = (src->w + VFI_LANES - 1) / VFI_LANES * VFI_LANES;

  s->radius = ((const VfiCorrelationParams *) node->params)->radius;
  s->planes = PAIRS && src->dtype == VFI_BF16 ? (src->c + 1) / 2 : src->c;
  s->margin = (2 * s->radius + VFI_LANES - 1) / VFI_LANES * VFI_LANES;
  s->pitch = w + 2 * s->margin;
  s->sum_pitch = w + 2 * s->radius;
  s->turned[0] = calloc ((gsize) src->h * s->planes * s->pitch, 4);
  s->turned[1] = calloc ((gsize) src->h * s->planes * s->pitch, 4);
  s->sums = calloc (sums_size (s) * b->threads, sizeof (float));
  if (s->turned[0] && s->turned[1] && s->sums)
    return s;
  release (s);
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for %d x %d x %d twice", src->w, src->h, src->c);
  return NULL;
}

/* Row y of x to planes. */
VFI_INLINE void
turn (const State *s, const VfiView *x, gint32 *turned, int y, const VfiDType type, const gboolean pairs)
{
  gint32 *to = turned + (gsize) y * s->planes * s->pitch + s->margin;

  for (int x0 = 0; x0 < x->w; x0 += VFI_LANES)
    for (int c = 0; c < s->planes; c += VFI_LANES) {
      const int n = MIN (x->w - x0, VFI_LANES), planes = MIN (s->planes - c, VFI_LANES);
      VecI m[VFI_LANES];

#pragma GCC unroll 16
      for (int k = 0; k < VFI_LANES; k++) {
        const gsize p = ((gsize) y * x->w + MIN (x0 + k, x->w - 1)) * x->ld;
#if PAIRS
        if (pairs) {
          const int m16 = MIN (x->c - 2 * c, 2 * VFI_LANES);
          m[k] = (VecI) _mm512_maskz_loadu_epi16 (m16 == 32 ? ~0u : (1u << m16) - 1, (const guint16 *) x->data + p + 2 * c);
          continue;
        }
#endif
        m[k] = (VecI) vec_load (x->data, type, p + c, planes);
      }
      vec_transpose (m);
      for (int k = 0; k < planes; k++) {
        gint32 *line = to + (gsize) (c + k) * s->pitch + x0;
        if (n == VFI_LANES)
          *(VecI *) line = m[k];
        else
          memcpy (line, &m[k], 4 * n);
      }
    }
}

/* sums[k][q + k] += products of a (q) and b (q + 2 k), k < n, over a row; b and the sums are those of the first of the n dx. */
VFI_INLINE void
products (const State *s, const gint32 *a, const gint32 *b, int w, float *sums, const int n, const gboolean pairs)
{
  for (int q = 0; q < w; q += VFI_LANES) {
    Vec sum[GROUP] = { 0 };

    for (int c = 0; c < s->planes; c++) {
      const Vec from_a = *(const Vec *) (a + (gsize) c * s->pitch + q);
      const gint32 *from_b = b + (gsize) c * s->pitch + q;
#pragma GCC unroll 9
      for (int k = 0; k < n; k++)
#if PAIRS
        if (pairs)
          sum[k] = (Vec) _mm512_dpbf16_ps ((__m512) sum[k], (__m512bh) from_a, (__m512bh) * (const Vec *) (from_b + 2 * k));
        else
#endif
          sum[k] = vec_fma (from_a, *(const Vec *) (from_b + 2 * k), sum[k]);
    }
#pragma GCC unroll 9
    for (int k = 0; k < n; k++)
      *(Vec *) (sums + (gsize) k * s->sum_pitch + k + q) = sum[k];
  }
}

VFI_INLINE void
products_n (const State *s, const gint32 *a, const gint32 *b, int w, float *sums, int n, const gboolean pairs)
{
  switch (n) {
    case 9:
      products (s, a, b, w, sums, 9, pairs);
      break;
    case 7:
      products (s, a, b, w, sums, 7, pairs);
      break;
    case 5:
      products (s, a, b, w, sums, 5, pairs);
      break;
    case 3:
      products (s, a, b, w, sums, 3, pairs);
      break;
    default:
      for (int k = 0; k < n; k++)
        products (s, a, b + 2 * k, w, sums + (gsize) k * s->sum_pitch + k, 1, pairs);
  }
}

/* Sums of row y for all displacements. */
VFI_INLINE void
row_sums (const State *s, const VfiView *x, int y, float *sums, const gboolean pairs)
{
  const int r = s->radius, side = 2 * r + 1;

  for (int dy = -r; dy <= r; dy++) {
    const gint32 *a = s->turned[0] + (gsize) (y - dy) * s->planes * s->pitch + s->margin;
    const gint32 *b = s->turned[1] + (gsize) (y + dy) * s->planes * s->pitch + s->margin;
    float *to = sums + (gsize) (dy + r) * side * s->sum_pitch;

    if (y - dy < 0 || y - dy >= x->h || y + dy < 0 || y + dy >= x->h) {
      memset (to, 0, sizeof (float) * side * s->sum_pitch);
      continue;
    }
    /* What no q reaches lies outside. */
    for (int k = 0; k < side; k++) {
      memset (to + (gsize) k * s->sum_pitch, 0, sizeof (float) * 2 * r);
      memset (to + (gsize) k * s->sum_pitch + x->w, 0, sizeof (float) * 2 * r);
    }
    for (int k = 0; k < side; k += GROUP)
      products_n (s, a, b + 2 * (k - r), x->w, to + (gsize) k * s->sum_pitch + k, MIN (side - k, GROUP), pairs);
  }
}

/* The sums of row y, over the number of channels, to dst. */
VFI_INLINE void
store (const State *s, const float *sums, float gain, const VfiView *dst, int y, const VfiDType type)
{
  for (int x0 = 0; x0 < dst->w; x0 += VFI_LANES)
    for (int d = 0; d < dst->c; d += VFI_LANES) {
      const int pixels = MIN (dst->w - x0, VFI_LANES), n = MIN (dst->c - d, VFI_LANES);
      VecI m[VFI_LANES];

#pragma GCC unroll 16
      for (int k = 0; k < VFI_LANES; k++)
        m[k] = (VecI) (gain * *(const Vec *) (sums + (gsize) MIN (d + k, dst->c - 1) * s->sum_pitch + s->radius + x0));
      vec_transpose (m);
      for (int k = 0; k < pixels; k++)
        vec_store (dst->data, type, ((gsize) y * dst->w + x0 + k) * dst->ld + d, n, (Vec) m[k]);
    }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const State *s = state;
  const gboolean pairs = PAIRS && src->dtype == VFI_BF16;
  const float gain = 1.0f / src->c;

#pragma omp parallel num_threads(b->threads)
  {
    float *sums = s->sums + sums_size (s) * omp_get_thread_num ();

#pragma omp for schedule(static)
    for (int y = 0; y < 2 * src->h; y++) {
      const VfiView *x = &src[y >= src->h];
      gint32 *turned = s->turned[y >= src->h];
      const int line = y % src->h;

      if (pairs)
        turn (s, x, turned, line, VFI_BF16, TRUE);
      else if (x->dtype == VFI_BF16)
        turn (s, x, turned, line, VFI_BF16, FALSE);
      else
        turn (s, x, turned, line, VFI_F32, FALSE);
    }
#pragma omp for schedule(static)
    for (int y = 0; y < dst->h; y++) {
      if (pairs)
        row_sums (s, src, y, sums, TRUE);
      else
        row_sums (s, src, y, sums, FALSE);
      if (dst->dtype == VFI_F32)
        store (s, sums, gain, dst, y, VFI_F32);
      else
        store (s, sums, gain, dst, y, VFI_BF16);
    }
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_correlation) = { &vfi_op_correlation, NULL, prepare, run, release };
