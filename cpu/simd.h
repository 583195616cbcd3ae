/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Vectors for kernels that are compiled once for each instruction set: GCC's vector types, with intrinsics only where the compiler does
 * not find the instruction by itself (masks, gathers, bf16). VFI_LANES floats: 16 with AVX-512, 4 on aarch64 (NEON), else 8.
 */
#pragma once

#include <math.h>

#include "tensor.h"

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* "vfi_cpu_warp" becomes "vfi_cpu_warp_avx2". */
#define VFI_ISA_NAME(name) VFI_ISA_NAME_ (name, VFI_ISA)
#define VFI_ISA_NAME_(name, isa) VFI_ISA_NAME__ (name, isa)
#define VFI_ISA_NAME__(name, isa) name##_##isa

#if defined(__AVX512F__)
#define VFI_LANES 16
#elif defined(__aarch64__)
#define VFI_LANES 4
#else
#define VFI_LANES 8
#endif
/* Whether the machine multiplies and adds whole vectors at once: our own convolutions are for those. */
#if defined(__AVX2__) || defined(__aarch64__)
#define VFI_FUSED 1
#endif

#define VFI_INLINE static inline __attribute__ ((always_inline))

typedef float Vec __attribute__ ((vector_size (4 * VFI_LANES), aligned (4), may_alias));
typedef gint32 VecI __attribute__ ((vector_size (4 * VFI_LANES), aligned (4), may_alias));
typedef guint32 VecU __attribute__ ((vector_size (4 * VFI_LANES), aligned (4), may_alias));
typedef guint16 VecH __attribute__ ((vector_size (2 * VFI_LANES), aligned (2), may_alias));

#define VEC_TO_INT(v) __builtin_convertvector(v, VecI) /* towards zero */
#define VEC_TO_FLOAT(v) __builtin_convertvector(v, Vec)

VFI_INLINE Vec
vec_set (float f)
{
#if defined(__AVX512F__)
  return (Vec) _mm512_set1_ps (f);
#elif defined(__AVX2__)
  return (Vec) _mm256_set1_ps (f);
#elif defined(__aarch64__)
  return (Vec) vdupq_n_f32 (f);
#else
  return (Vec){ 0 } + f; /* is an addition: of -0 it makes 0 */
#endif
}

/* 0, 1, 2 ... */
VFI_INLINE VecI
vec_iota (void)
{
#if VFI_LANES == 16
  return (VecI){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
#elif VFI_LANES == 4
  return (VecI){ 0, 1, 2, 3 };
#else
  return (VecI){ 0, 1, 2, 3, 4, 5, 6, 7 };
#endif
}

VFI_INLINE VecI
vec_selecti (VecI mask, VecI a, VecI b)
{
  return (mask & a) | (~mask & b);
}

/* a b + c, rounded once where the machine can. Nothing else is contracted (-ffp-contract=off), so that coordinates are those of the references. */
VFI_INLINE Vec
vec_fma (Vec a, Vec b, Vec c)
{
#if defined(__AVX512F__)
  return (Vec) _mm512_fmadd_ps ((__m512) a, (__m512) b, (__m512) c);
#elif defined(__FMA__)
  return (Vec) _mm256_fmadd_ps ((__m256) a, (__m256) b, (__m256) c);
#elif defined(__aarch64__)
  return (Vec) vfmaq_f32 ((float32x4_t) c, (float32x4_t) a, (float32x4_t) b);
#else
  return a * b + c;
#endif
}

/* NaN gives b, as the fmaxf of the references does. */
VFI_INLINE Vec
vec_max (Vec a, Vec b)
{
#ifdef __AVX512F__
  return (Vec) _mm512_max_ps ((__m512) a, (__m512) b);
#elif defined(__AVX2__)
  return (Vec) _mm256_max_ps ((__m256) a, (__m256) b);
#else
  return (Vec) vec_selecti (a > b, (VecI) a, (VecI) b);
#endif
}

VFI_INLINE Vec
vec_abs (Vec v)
{
  return vec_max (v, -v);
}

VFI_INLINE Vec
vec_min (Vec a, Vec b)
{
#ifdef __AVX512F__
  return (Vec) _mm512_min_ps ((__m512) a, (__m512) b);
#elif defined(__AVX2__)
  return (Vec) _mm256_min_ps ((__m256) a, (__m256) b);
#else
  return (Vec) vec_selecti (a < b, (VecI) a, (VecI) b);
#endif
}

/* Clamped to 0..1; NaN gives 0. */
VFI_INLINE Vec
vec_unit (Vec v)
{
  return vec_min (vec_max (v, vec_set (0)), vec_set (1));
}

VFI_INLINE VecI
vec_mini (VecI a, VecI b)
{
#ifdef __AVX512F__
  return (VecI) _mm512_min_epi32 ((__m512i) a, (__m512i) b);
#elif defined(__AVX2__)
  return (VecI) _mm256_min_epi32 ((__m256i) a, (__m256i) b);
#else
  return vec_selecti (a < b, a, b);
#endif
}

/* Of finite numbers that an int holds. */
VFI_INLINE Vec
vec_floor (Vec v)
{
#if defined(__AVX512F__)
  return (Vec) _mm512_roundscale_ps ((__m512) v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#elif defined(__AVX2__)
  return (Vec) _mm256_floor_ps ((__m256) v);
#elif defined(__aarch64__)
  return (Vec) vrndmq_f32 ((float32x4_t) v);
#else
  const VecI i = VEC_TO_INT (v);
  return VEC_TO_FLOAT (i + (VEC_TO_FLOAT (i) > v));
#endif
}

/* Bit i: lane i is negative. */
VFI_INLINE guint
vec_negative (VecI v)
{
#if defined(__AVX512F__)
  return _mm512_movepi32_mask ((__m512i) v);
#elif defined(__AVX2__)
  return _mm256_movemask_ps ((__m256) v);
#else
  guint bits = 0;
  for (int i = 0; i < VFI_LANES; i++)
    bits |= (guint) (v[i] < 0) << i;
  return bits;
#endif
}

VFI_INLINE gboolean
vec_any_negative (VecI v)
{
  return vec_negative (v) != 0;
}

/* p[i] for each lane: 32 bits at p + scale i bytes. */
VFI_INLINE VecI
vec_gather (const void *p, VecI i, const int scale)
{
#if defined(__AVX512F__)
  return (VecI) _mm512_i32gather_epi32 ((__m512i) i, p, scale);
#elif defined(__AVX2__)
  return (VecI) _mm256_i32gather_epi32 (p, (__m256i) i, scale);
#else
  VecI v;
  for (int k = 0; k < VFI_LANES; k++) {
    gint32 x;
    memcpy (&x, (const guint8 *) p + (gssize) i[k] * scale, 4);
    v[k] = x;
  }
  return v;
#endif
}

/* exp, within 2 units in the last place: 2^n times a polynomial (Cephes' coefficients) of what is left, |r| <= ln 2 / 2. -87 <= v <= 87. */
VFI_INLINE Vec
vec_exp (Vec v)
{
  const Vec shift = vec_set (0x1.8p23f); /* in its sum with a number below 2^22 the last place is 1 */
  const Vec n = vec_fma (v, vec_set (1.44269504f), shift) - shift;
  const Vec r = vec_fma (n, vec_set (2.12194440e-4f), vec_fma (n, vec_set (-0.693359375f), v));
  Vec p = vec_fma (vec_set (1.9875691500e-4f), r, vec_set (1.3981999507e-3f));

  p = vec_fma (p, r, vec_set (8.3334519073e-3f));
  p = vec_fma (p, r, vec_set (4.1665795894e-2f));
  p = vec_fma (p, r, vec_set (1.6666665459e-1f));
  p = vec_fma (p, r, vec_set (0.5f));
  p = vec_fma (p * r, r, r) + 1;
  return p * (Vec) ((VEC_TO_INT (n) + 127) << 23);
}

/* 1 / sqrt of what is neither tiny nor huge, but for the last bits: the machine's estimate and a step of Newton. */
VFI_INLINE Vec
vec_rsqrt (Vec v)
{
#if defined(__AVX512F__)
  const Vec r = (Vec) _mm512_rsqrt14_ps ((__m512) v);
#elif defined(__AVX2__)
  const Vec r = (Vec) _mm256_rsqrt_ps ((__m256) v);
#elif defined(__aarch64__) /* eight bits, and a step more */
  const float32x4_t e = vrsqrteq_f32 ((float32x4_t) v);
  const Vec r = (Vec) vmulq_f32 (e, vrsqrtsq_f32 (vmulq_f32 ((float32x4_t) v, e), e));
#else
  Vec r;
  for (int i = 0; i < VFI_LANES; i++)
    r[i] = 1 / sqrtf (v[i]);
#endif
  return r * vec_fma (v * -0.5f * r, r, vec_set (1.5f));
}

/* Elements i to i + n - 1 of an array of dtype t; lanes n and up are 0. n <= VFI_LANES. */
VFI_INLINE Vec
vec_load (const void *data, const VfiDType t, gsize i, int n)
{
  const float *f = (const float *) data + i;
  const guint16 *h = (const guint16 *) data + i;

#ifdef __AVX512BW__
  const __mmask16 m = (__mmask16) ((1u << n) - 1);
  return t == VFI_F32 ? (Vec) _mm512_maskz_loadu_ps (m, f)
                      : (Vec) _mm512_slli_epi32 (_mm512_cvtepu16_epi32 (_mm256_maskz_loadu_epi16 (m, h)), 16);
#else
  if (t == VFI_F32) {
    Vec v = { 0 };
    if (n == VFI_LANES)
      return *(const Vec *) f;
#ifdef __AVX2__
    v = (Vec) _mm256_maskload_ps (f, (__m256i) (vec_iota () < n));
#else
    memcpy (&v, f, 4 * n);
#endif
    return v;
  } else {
    VecH v = { 0 };
    if (n == VFI_LANES)
      v = *(const VecH *) h;
    else
      memcpy (&v, h, 2 * n);
    return (Vec) (__builtin_convertvector(v, VecU) << 16);
  }
#endif
}

/* bf16, rounded to nearest even. */
VFI_INLINE VecH
vec_to_bf16 (Vec v)
{
#ifdef __AVX512BF16__
  return (VecH) _mm512_cvtneps_pbh ((__m512) v);
#else
  VecU u = (VecU) v, rounded = u + 0x7fff + ((u >> 16) & 1);
  return __builtin_convertvector((VecU) vec_selecti (v != v, (VecI) (u | 0x400000), (VecI) rounded) >> 16, VecH);
#endif
}

VFI_INLINE void
vec_store (void *data, const VfiDType t, gsize i, int n, Vec v)
{
  float *f = (float *) data + i;
  guint16 *h = (guint16 *) data + i;

#ifdef __AVX512BW__
  const __mmask16 m = (__mmask16) ((1u << n) - 1);

  /* Stores under masks of words are slow on some CPUs. */
  if (t == VFI_F32)
    _mm512_mask_storeu_ps (f, m, (__m512) v);
  else if (n == VFI_LANES)
    *(VecH *) h = vec_to_bf16 (v);
  else if (n == VFI_LANES / 2)
    _mm_storeu_si128 ((__m128i *) h, _mm256_castsi256_si128 ((__m256i) vec_to_bf16 (v)));
  else
    _mm256_mask_storeu_epi16 (h, m, (__m256i) vec_to_bf16 (v));
#else
  if (t == VFI_F32) {
    if (n == VFI_LANES)
      *(Vec *) f = v;
    else {
#ifdef __AVX2__ /* by halves: masked stores are slow on some machines */
      __m128 x = _mm256_castps256_ps128 ((__m256) v);
      if (n & 4) {
        _mm_storeu_ps (f, x);
        x = _mm256_extractf128_ps ((__m256) v, 1);
        f += 4;
      }
      if (n & 2) {
        _mm_storel_pi ((__m64 *) f, x);
        x = _mm_movehl_ps (x, x);
        f += 2;
      }
      if (n & 1)
        _mm_store_ss (f, x);
#else
      memcpy (f, &v, 4 * n);
#endif
    }
  } else {
    VecH b = vec_to_bf16 (v);
    if (n == VFI_LANES)
      *(VecH *) h = b;
    else
      memcpy (h, &b, 2 * n);
  }
#endif
}

/* Channel c of pixels x to x + n - 1 of row y, fp32; lanes n and up are anything. 1 <= n <= VFI_LANES. */
VFI_INLINE Vec
vec_load_pixels (const VfiView *v, int y, int x, int c, int n)
{
  const float *p = (const float *) v->data + ((gsize) y * v->w + x) * v->ld + (gsize) c * v->cd;

  return v->ld == 1 ? vec_load (p, VFI_F32, 0, n) : (Vec) vec_gather (p, vec_mini (vec_iota (), (VecI){ 0 } + (n - 1)) * v->ld, 4);
}

VFI_INLINE void
vec_store_pixels (const VfiView *v, int y, int x, int c, int n, Vec value)
{
  float *p = (float *) v->data + ((gsize) y * v->w + x) * v->ld + (gsize) c * v->cd;

  if (v->ld == 1)
    vec_store (p, VFI_F32, 0, n, value);
  else
    for (int i = 0; i < n; i++)
      p[(gsize) i * v->ld] = value[i];
}

/* Row i of the result is lane i of all rows. */
VFI_INLINE void
vec_transpose (VecI m[VFI_LANES])
{
  const VecI iota = vec_iota (), quad = iota & ~3;
  /* Lanes that one instruction of AVX2 takes from two vectors: by turns, and in twos by turns. */
  const VecI ones = quad + (iota >> 1 & 1) + (iota & 1) * VFI_LANES, twos = quad + (iota & 1) + (iota >> 1 & 1) * VFI_LANES;

#pragma GCC unroll 4
  for (int s = 4; s < VFI_LANES; s *= 2) {
    /* Exchanges bit s of the row number with bit s of the lane number. */
    const VecI odd = (iota & s) != 0;
    const VecI lower = vec_selecti (odd, iota - s + VFI_LANES, iota), upper = vec_selecti (odd, iota + VFI_LANES, iota + s);
#pragma GCC unroll 16
    for (int i = 0; i + s < VFI_LANES; i++)
      if (!(i & s)) {
        VecI a = m[i], b = m[i + s];
        m[i] = __builtin_shuffle (a, b, lower);
        m[i + s] = __builtin_shuffle (a, b, upper);
      }
  }
#pragma GCC unroll 4
  for (int i = 0; i < VFI_LANES; i += 4) {
    VecI a = __builtin_shuffle (m[i], m[i + 1], ones), b = __builtin_shuffle (m[i], m[i + 1], ones + 2);
    VecI c = __builtin_shuffle (m[i + 2], m[i + 3], ones), d = __builtin_shuffle (m[i + 2], m[i + 3], ones + 2);

    m[i] = __builtin_shuffle (a, c, twos);
    m[i + 1] = __builtin_shuffle (a, c, twos + 2);
    m[i + 2] = __builtin_shuffle (b, d, twos);
    m[i + 3] = __builtin_shuffle (b, d, twos + 2);
  }
}
