/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator mean_pool: what the networks ask for (the mean of four luma samples, halving) in vectors, the rest plainly.
 */
#include "isa.h"

VFI_INLINE float
get (const VfiView *v, gsize i, const VfiDType type)
{
  return type == VFI_F32 ? ((const float *) v->data)[i] : vfi_bf16_to_f32 (((const guint16 *) v->data)[i]);
}

#ifdef __AVX512F__
/* For VFI_LANES pixels of three words each: word `first` of each pixel. */
VFI_INLINE VecU
every_third (const guint16 *p, int first)
{
  const VecI at = vec_iota () * 3 + first, zero = { 0 };
  const VecI a = *(const VecI *) p, b = *(const VecI *) (p + 2 * VFI_LANES), c = *(const VecI *) (p + 4 * VFI_LANES);
  const VecI low = __builtin_shuffle (a, b, at), high = __builtin_shuffle (c, zero, at - 2 * VFI_LANES);

  return (VecU) vec_selecti (at < 2 * VFI_LANES, low, high);
}
#endif

/* Four bf16 channels of each pixel, two at a time. */
VFI_INLINE void
four (const VfiView *src, const VfiView *dst, int y)
{
  const guint16 *from = (const guint16 *) src->data + (gsize) y * src->w * src->ld;
  float *to = (float *) dst->data + (gsize) y * dst->w;

  for (int x = 0; x < dst->w; x += VFI_LANES) {
    const int n = MIN (dst->w - x, VFI_LANES);
    const guint16 *p = from + (gsize) x * src->ld;
    VecU a, b;
    Vec sum;

#ifdef __AVX512F__
    /* The last pixel's words may be the last ones that are there. */
    if (src->ld == 6 && x + VFI_LANES < dst->w) {
      a = every_third (p, 0);
      b = every_third (p, 1);
    } else
#endif
    {
      const VecI at = vec_mini (vec_iota (), (VecI){ 0 } + (n - 1)) * src->ld;
      a = (VecU) vec_gather (p, at, 2);
      b = (VecU) vec_gather (p + 2, at, 2);
    }
    sum = ((Vec) (a << 16) + (Vec) (a & 0xffff0000)) + ((Vec) (b << 16) + (Vec) (b & 0xffff0000));
    vec_store (to, VFI_F32, x, n, sum * 0.25f);
  }
}

/* The same in fp32. */
VFI_INLINE void
four_floats (const VfiView *src, const VfiView *dst, int y)
{
  const float *p = (const float *) src->data + (gsize) y * src->w * src->ld;
  float *to = (float *) dst->data + (gsize) y * dst->w;
  int x = 0;

#ifdef __AVX2__
  for (; x + 8 <= dst->w; x += 8) {
    __m256 v[4];

    for (int i = 0; i < 4; i++) {
      const float *q = p + (gsize) (x + i) * src->ld;
      v[i] = _mm256_insertf128_ps (_mm256_castps128_ps256 (_mm_loadu_ps (q)), _mm_loadu_ps (q + 4 * src->ld), 1);
    }
    v[0] = _mm256_hadd_ps (_mm256_hadd_ps (v[0], v[1]), _mm256_hadd_ps (v[2], v[3]));
    _mm256_storeu_ps (to + x, _mm256_mul_ps (v[0], _mm256_set1_ps (0.25f)));
  }
#endif
  for (; x < dst->w; x++) {
    const float *q = p + (gsize) x * src->ld;
    to[x] = ((q[0] + q[1]) + (q[2] + q[3])) * 0.25f;
  }
}

/* 2 x 2 pixels of one fp32 channel. */
VFI_INLINE void
halve (const VfiView *src, const VfiView *dst, int y)
{
  const float *up = (const float *) src->data + (gsize) 2 * y * src->w, *down = up + src->w;
  const VecI even = vec_iota () * 2, odd = even + 1;
  float *to = (float *) dst->data + (gsize) y * dst->w;

  for (int x = 0; x < dst->w; x += VFI_LANES) {
    const int n = MIN (dst->w - x, VFI_LANES), m = 2 * n;
    Vec sum = { 0 };

    for (int i = 0; i < 2; i++) {
      const float *p = (i ? down : up) + 2 * x;
      const Vec a = vec_load (p, VFI_F32, 0, MIN (m, VFI_LANES));
      const Vec b = vec_load (p, VFI_F32, VFI_LANES, MAX (m - VFI_LANES, 0));
      sum += __builtin_shuffle (a, b, even) + __builtin_shuffle (a, b, odd);
    }
    vec_store (to, VFI_F32, x, n, sum * 0.25f);
  }
}

VFI_INLINE void
row (const VfiView *src, const VfiView *dst, int y, int k, const VfiDType type)
{
  const float scale = 1.f / (k * k * src->c);
  float *to = (float *) dst->data + (gsize) y * dst->w * dst->ld;

  for (int x = 0; x < dst->w; x++) {
    float sum = 0;

    for (int i = 0; i < k; i++)
      for (int j = 0; j < k; j++) {
        const gsize p = ((gsize) (y * k + i) * src->w + x * k + j) * src->ld;

        for (int c = 0; c < src->c; c++)
          sum += get (src, p + c, type);
      }
    to[(gsize) x * dst->ld] = sum * scale;
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const int k = ((const VfiMeanPoolParams *) node->params)->k;

  for (int y = y0; y < y1; y++)
    if (dst->ld == 1 && src->dtype == VFI_F32 && k == 2 && src->c == 1 && src->ld == 1)
      halve (src, dst, y);
    else if (dst->ld == 1 && src->dtype == VFI_BF16 && k == 1 && src->c == 4)
      four (src, dst, y);
    else if (dst->ld == 1 && src->dtype == VFI_F32 && k == 1 && src->c == 4)
      four_floats (src, dst, y);
    else if (src->dtype == VFI_F32)
      row (src, dst, y, k, VFI_F32);
    else
      row (src, dst, y, k, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_mean_pool) = { &vfi_op_mean_pool, .rows = rows };
