/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator conv2d of 1x1 in fp32 for AVX2: pixels x channels by channels x channels, straight from where the pixels lie, slices as well; and some rows of
 * a picture as well as all.
 */
#include <stdlib.h>

#include "isa.h"

#if defined(__AVX2__) && VFI_LANES == 8

#include "multiply.h"

#define PIXELS (8 * ROWS) /* that a thread takes through the same weights: both stay in its first cache */
#define MOST 256          /* channels, above which weights do not */

typedef struct
{
  int in, out;          /* channels */
  float *weights;       /* [out / COLUMNS][in][COLUMNS] */
  float *bias, *slopes; /* of `out`; a negative result times its slope */
} State;

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  const VfiConv2dParams *p = node->params;
  const VfiTensor *x = node->src[0], *y = node->dst;

  if (p->kernel != 1 || p->stride != 1 || p->padding != 0 || p->act == VFI_SIGMOID || p->act == VFI_TANH)
    return FALSE;
  return x->dtype == VFI_F32 && y->dtype == VFI_F32 && (!p->residual || node->src[1]->dtype == VFI_F32) && x->c <= MOST &&
         y->c % COLUMNS == 0;
}

static void
release (gpointer state)
{
  State *s = state;

  free (s->weights);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiConv2dParams *p = node->params;
  State *s = g_new0 (State, 1);

  s->in = src->c;
  s->out = dst->c;
  if (!(s->weights = aligned_alloc (64, (gsize) s->out * (s->in + 2) * sizeof (float)))) { /* out is a multiple of 16 */
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for the weights of %d to %d channels", s->in, s->out);
    release (s);
    return NULL;
  }
  s->bias = s->weights + (gsize) s->out * s->in;
  s->slopes = s->bias + s->out;
  for (int o = 0; o < s->out; o++) {
    for (int c = 0; c < s->in; c++)
      s->weights[((gsize) o / COLUMNS * s->in + c) * COLUMNS + o % COLUMNS] = weights[0][(gsize) o * s->in + c];
    s->bias[o] = p->bias ? weights[1][o] : 0;
    s->slopes[o] = p->act == VFI_PRELU ? weights[2][o] : p->act == VFI_LEAKY_RELU ? p->slope : p->act == VFI_RELU ? 0 : 1;
  }
  return s;
}

/* What belongs after the convolution, for COLUMNS results from o on of n pixels from pixel `at` on. */
VFI_INLINE void
finish (const State *s, const float *from, const VfiView *residual, const VfiView *dst, gsize at, int n, int o)
{
#pragma GCC unroll 2
  for (int c = o; c < o + COLUMNS; c += VFI_LANES) {
    const Vec bias = *(const Vec *) (s->bias + c), slope = *(const Vec *) (s->slopes + c);

    for (int i = 0; i < n; i++) {
      Vec v = *(const Vec *) (from + i * COLUMNS + c - o) + bias;

      if (residual)
        v += vec_load (residual->data, VFI_F32, (at + i) * residual->ld + c, VFI_LANES);
      vec_store (dst->data, VFI_F32, (at + i) * dst->ld + c, VFI_LANES, apply_slope (v, slope));
    }
  }
}

/* n <= PIXELS pixels from pixel `at` on. */
static void
some_pixels (const State *s, const VfiView *x, const VfiView *residual, const VfiView *dst, gsize at, int n)
{
  const float *from = (const float *) x->data + at * x->ld;
  _Alignas(32) float last[ROWS * MOST], sums[ROWS * COLUMNS];
  const int whole = n / ROWS * ROWS;

  for (int i = 0; i < ROWS && whole < n; i++)
    memcpy (last + i * s->in, from + (gsize) MIN (whole + i, n - 1) * x->ld, s->in * sizeof (float));
  for (int o = 0; o < s->out; o += COLUMNS)
    for (int i = 0; i < n; i += ROWS) {
      const float *w = s->weights + (gsize) o * s->in;

      if (i < whole)
        multiply (from + (gsize) i * x->ld, x->ld, s->in, w, sums, COLUMNS);
      else
        multiply (last, s->in, s->in, w, sums, COLUMNS);
      finish (s, sums, residual, dst, at + i, MIN (n - i, ROWS), o);
    }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const gboolean residual = ((const VfiConv2dParams *) node->params)->residual;
  const gsize end = (gsize) y1 * dst->w;

  for (gsize at = (gsize) y0 * dst->w; at < end; at += PIXELS)
    some_pixels (state, src, residual ? &src[1] : NULL, dst, at, MIN (end - at, PIXELS));
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_conv2d_pixels) = { &vfi_op_conv2d, supports, prepare, NULL, release, .rows = rows };

#endif
