/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operators that take every pixel by itself: fill, mix, blend, affine, expose, prelu, divide, normalize, and the sums of moments. Memory is what they wait for.
 */
#include <math.h>

#include "isa.h"

/* ---- fill --------------------------------------------------------------------------------------- */

static void
fill (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const float v = *(const float *) src->data;

  for (int y = y0; y < y1; y++)
    for (int x = 0; x < dst->w; x++)
      vfi_view_set (dst, y, x, 0, v);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_fill) = { &vfi_op_fill, .rows = fill };

/* ---- mix ---------------------------------------------------------------------------------------- */

/* Pixels without gaps are one row of numbers; else each pixel is. */
VFI_INLINE void
mix_row (const VfiView *src, float p, float q, const VfiView *dst, int y, const VfiDType type)
{
  const gboolean dense = src[0].ld == dst->c && src[1].ld == dst->c && dst->ld == dst->c;
  const int n = dense ? dst->w * dst->c : dst->c;
  const gsize first = (gsize) y * dst->w;

  for (int x = 0; x < (dense ? 1 : dst->w); x++)
    for (int i = 0; i < n; i += VFI_LANES) {
      const int m = MIN (n - i, VFI_LANES);
      const Vec a = vec_load (src[0].data, type, (first + x) * src[0].ld + i, m),
                d = vec_load (src[1].data, type, (first + x) * src[1].ld + i, m);

      vec_store (dst->data, type, (first + x) * dst->ld + i, m, vec_fma (vec_set (p), a, q * d));
    }
}

static void
mix (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const VfiMixParams *o = node->params;
  const float t = o->timed ? *(const float *) src[2].data : 0, p = vfi_mix_gain (o->p, t), q = vfi_mix_gain (o->q, t);

  for (int y = y0; y < y1; y++)
    if (dst->dtype == VFI_F32)
      mix_row (src, p, q, dst, y, VFI_F32);
    else
      mix_row (src, p, q, dst, y, VFI_BF16);
}

static gboolean
mix_supports (VfiBackend *b, const VfiNode *node)
{
  return node->src[1]->dtype == node->dst->dtype;
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_mix) = { &vfi_op_mix, mix_supports, .rows = mix };

/* ---- blend -------------------------------------------------------------------------------------- */

static void
blend (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const VfiBlendParams *p = node->params;
  const float bias = p->timed ? vfi_blend_logit (*(const float *) src[3 + p->residual].data) : 0;

  for (int y = y0; y < y1; y++) {
    const gsize first = (gsize) y * dst->w;
    const float *a = (const float *) src[0].data + first * src[0].ld, *d = (const float *) src[1].data + first * src[1].ld;
    const float *logit = (const float *) src[2].data + first * src[2].ld;
    const float *residual = p->residual ? (const float *) src[3].data + first * src[3].ld : NULL;
    float *to = (float *) dst->data + first * dst->ld;

    for (int x = 0; x < dst->w; x++) {
      const float l = logit[(gsize) x * src[2].ld], m = p->tanh ? (1 + l) / 2 : 1 / (1 + expf (-(p->gain * l + bias)));

      for (int c = 0; c < dst->c; c++) {
        const float v = d[(gsize) x * src[1].ld + c];
        to[(gsize) x * dst->ld + c] = v + m * (a[(gsize) x * src[0].ld + c] - v) + (residual ? residual[(gsize) x * src[3].ld + c] : 0);
      }
    }
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_blend) = { &vfi_op_blend, .rows = blend };

/* ---- moments and normalize ---------------------------------------------------------------------- */

/* Rows are summed one by one and their sums in order, so that the number of threads makes no difference. */
static gpointer
moments_prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  return g_new (double, 2 * src->h);
}

typedef struct
{
  const VfiView *src;
  double *rows;
} Moments;

static void
moments_row (gpointer data, int y, int thread)
{
  const Moments *m = data;
  const VfiView *src = m->src;
  const float *p = (const float *) src->data + (gsize) y * src->w * src->ld;
  double s = 0, q = 0;

  for (int x = 0; x < src->w; x++)
    for (int c = 0; c < src->c; c++) {
      const double v = p[(gsize) x * src->ld + c];
      s += v;
      q += v * v;
    }
  m->rows[2 * y] = s;
  m->rows[2 * y + 1] = q;
}

static void
moments (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const double *rows = state, n = (double) src->h * src->w * src->c;
  double sum = 0, squares = 0;

  vfi_cpu_each (b, src->h, 4, moments_row, &(Moments){ src, state });
  for (int y = 0; y < src->h; y++) {
    sum += rows[2 * y];
    squares += rows[2 * y + 1];
  }
  ((float *) dst->data)[0] = (float) (sum / n);
  ((float *) dst->data)[1] = (float) (squares / n);
}

static gboolean
source_is_f32 (VfiBackend *b, const VfiNode *node)
{
  return node->src[0]->dtype == VFI_F32;
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_moments) = { &vfi_op_moments, source_is_f32, moments_prepare, moments, g_free };

static void
normalize (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  float mean, gain;

  vfi_normalize_by (src[1].data, src[2].data, ((const VfiNormalizeParams *) node->params)->unit, &mean, &gain);
  for (int y = y0; y < y1; y++) {
    const float *from = (const float *) src->data + (gsize) y * src->w * src->ld;
    float *to = (float *) dst->data + (gsize) y * dst->w * dst->ld;

    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        to[(gsize) x * dst->ld + c] = (from[(gsize) x * src->ld + c] - mean) * gain;
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_normalize) = { &vfi_op_normalize, source_is_f32, .rows = normalize };

/* ---- affine ------------------------------------------------------------------------------------- */

static void
affine (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const VfiAffineParams *p = node->params;

  for (int y = y0; y < y1; y++)
    for (int x = 0; x < dst->w; x++) {
      const float *from = (const float *) src->data + ((gsize) y * src->w + x) * src->ld;

      for (int c = 0; c < dst->c; c++) {
        const float v = p->gain * from[c] + p->bias[c];
        const gsize at = ((gsize) y * dst->w + x) * dst->ld + c;

        if (dst->dtype == VFI_F32)
          ((float *) dst->data)[at] = v;
        else
          ((guint16 *) dst->data)[at] = vfi_f32_to_bf16 (v);
      }
    }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_affine) = { &vfi_op_affine, source_is_f32, .rows = affine };

/* ---- expose ------------------------------------------------------------------------------------- */

static void
expose (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const Vec gain = vec_set (((const float *) src[1].data)[0]), bias = vec_set (((const float *) src[1].data)[1]);
  const gboolean dense = src->ld == dst->c && dst->ld == dst->c; /* one row of numbers */
  const int n = dense ? dst->w * dst->c : dst->c;

  for (int y = y0; y < y1; y++)
    for (int x = 0; x < (dense ? 1 : dst->w); x++) {
      const gsize p = (gsize) y * dst->w + x;

      for (int i = 0; i < n; i += VFI_LANES) {
        const int m = MIN (n - i, VFI_LANES);

        vec_store (dst->data, VFI_F32, p * dst->ld + i, m, vec_fma (gain, vec_load (src->data, VFI_F32, p * src->ld + i, m), bias));
      }
    }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_expose) = { &vfi_op_expose, .rows = expose };

/* ---- prelu and divide --------------------------------------------------------------------------- */

static gpointer
prelu_prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  return g_memdup2 (weights[0], sizeof (float));
}

VFI_INLINE void
prelu_row (const VfiView *src, float slope, const VfiView *dst, int y, const VfiDType type)
{
  for (int x = 0; x < dst->w; x++)
    for (int c = 0; c < dst->c; c += VFI_LANES) {
      const int n = MIN (dst->c - c, VFI_LANES);
      const gsize p = (gsize) y * dst->w + x;
      const Vec v = vec_load (src->data, type, p * src->ld + c, n);

      vec_store (dst->data, type, p * dst->ld + c, n, (Vec) vec_selecti (v > 0, (VecI) v, (VecI) (v * slope)));
    }
}

static void
prelu (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const float slope = *(const float *) state;

  for (int y = y0; y < y1; y++)
    if (dst->dtype == VFI_F32)
      prelu_row (src, slope, dst, y, VFI_F32);
    else
      prelu_row (src, slope, dst, y, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_prelu) = { &vfi_op_prelu, .prepare = prelu_prepare, .release = g_free, .rows = prelu };

static void
divide (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  for (int y = y0; y < y1; y++)
    for (int x = 0; x < dst->w; x++) {
      const float *from = (const float *) src->data + ((gsize) y * src->w + x) * src->ld;
      float *to = (float *) dst->data + ((gsize) y * dst->w + x) * dst->ld;

      for (int c = 0; c < dst->c; c++)
        to[c] = from[c] / (fabsf (from[dst->c]) < 0.01f ? 1 : from[dst->c]);
    }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_divide) = { &vfi_op_divide, source_is_f32, .rows = divide };
