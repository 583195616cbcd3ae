/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Planes of floats between their samples, at a run of places that lie about as far apart as the pixels do: quickly where motion is smooth.
 */
#pragma once

#include "frame.h"
#include "simd.h"

/* The least width of a plane that windows are looked at in; rows of one, at most. */
#ifdef __AVX512F__
#define PLANE_WINDOW (2 * VFI_LANES)
#define PLANE_ROWS 8
#else
#define PLANE_WINDOW (VFI_LANES + 2)
#endif

/* One channel of a tensor, with what is asked of its size for each vector. */
typedef struct
{
  VfiView v;
  gboolean dense; /* and not too small */
  Vec last_x, last_y;
  Vec part[4]; /* what is inside: from where on, y and x, and to where */
#ifndef __AVX512F__
  Vec left, top; /* where the last window begins */
#endif
} Plane;

VFI_INLINE Plane
plane_of (const VfiView *v, int c)
{
  VfiView channel = *v;

  channel.data = (float *) v->data + (gsize) c * v->cd;
  return (Plane){ .v = channel,
                  .dense = v->ld == 1 && v->w >= PLANE_WINDOW && v->h >= 3,
                  .last_x = vec_set (v->w - 1),
                  .last_y = vec_set (v->h - 1),
                  .part = { vec_set (0), vec_set (0), vec_set (v->h - 1), vec_set (v->w - 1) },
#ifndef __AVX512F__
                  .left = vec_set (v->w - VFI_LANES - 2),
                  .top = vec_set (v->h - 3)
#endif
  };
}

/* Of a picture of which a part counts: core/sample.h: vfi_inside_part. */
VFI_INLINE Plane
plane_of_part (const VfiView *v, const float part[4])
{
  Plane p = plane_of (v, 0);

  for (int i = 0; i < 4; i++)
    p.part[i] = vec_set (part[i] * (i % 2 ? v->w : v->h) - (i >= 2));
  return p;
}

#ifdef __AVX512F__

/* A row of a window at places between samples i and i + 1. */
VFI_INLINE Vec
plane_row (const float *p, VecI i, Vec x)
{
  const __m512 a = _mm512_loadu_ps (p), b = _mm512_loadu_ps (p + VFI_LANES);
  const Vec left = (Vec) _mm512_permutex2var_ps (a, (__m512i) i, b), right = (Vec) _mm512_permutex2var_ps (a, (__m512i) (i + 1), b);

  return vec_fma (x, right - left, left);
}

/* A plane bilinearly at (x, y), which lie in it, where all lanes' neighbours are in a window of two vectors' width and a few rows: where motion is not chaos. FALSE:
 * they are not. The numbers are those of plane_gather. */
VFI_INLINE gboolean
plane_window (const Plane *f, Vec x, Vec y, Vec *value)
{
  const int w = f->v.w, h = f->v.h;
  const VecI ix = vec_mini (VEC_TO_INT (x), (VecI){ 0 } + (w - 2)), iy = vec_mini (VEC_TO_INT (y), (VecI){ 0 } + (h - 2));
  const int left = CLAMP (MIN (ix[0], ix[VFI_LANES - 1] - (VFI_LANES - 1)) - VFI_LANES / 2 + 1, 0, w - PLANE_WINDOW);
  const int top = MIN (MIN (iy[0], iy[VFI_LANES - 1]), h - 3);
  const Vec fx = x - VEC_TO_FLOAT (ix), fy = y - VEC_TO_FLOAT (iy);
  const VecI at = ix - left, down = iy - top;
  const float *p = (const float *) f->v.data + left;
  Vec upper, lower;

  if (_mm512_cmpgt_epu32_mask ((__m512i) at, _mm512_set1_epi32 (PLANE_WINDOW - 2)))
    return FALSE;
  if (!_mm512_cmpgt_epu32_mask ((__m512i) down, _mm512_set1_epi32 (1))) {
    const __mmask16 second = _mm512_test_epi32_mask ((__m512i) down, (__m512i) down);
    Vec row[3];

    p += (gsize) top * w;
#pragma GCC unroll 3
    for (int i = 0; i < 3; i++, p += w)
      row[i] = plane_row (p, at, fx);
    upper = (Vec) _mm512_mask_mov_ps ((__m512) row[0], second, (__m512) row[1]);
    lower = (Vec) _mm512_mask_mov_ps ((__m512) row[1], second, (__m512) row[2]);
  } else {
    const int first = _mm512_reduce_min_epi32 ((__m512i) iy), last = _mm512_reduce_max_epi32 ((__m512i) iy);

    if (last - first > PLANE_ROWS - 2)
      return FALSE;
    p += (gsize) first * w;
    upper = lower = plane_row (p, at, fx);
    for (int i = first + 1; i <= last + 1; i++) {
      const __m512i here = _mm512_set1_epi32 (i);
      const Vec row = plane_row (p += w, at, fx);

      upper = (Vec) _mm512_mask_mov_ps ((__m512) upper, _mm512_cmpeq_epi32_mask ((__m512i) iy, here), (__m512) row);
      lower = (Vec) _mm512_mask_mov_ps ((__m512) lower, _mm512_cmpeq_epi32_mask ((__m512i) (iy + 1), here), (__m512) row);
    }
  }
  *value = vec_fma (fy, lower - upper, upper);
  return TRUE;
}

#else

/* Weights of samples 0, 1, 2 for a place from 0 to 2. */
VFI_INLINE void
plane_hats (Vec place, Vec weight[3])
{
  weight[0] = vec_max (1 - place, vec_set (0));
  weight[2] = vec_max (place - 1, vec_set (0));
  weight[1] = 1 - weight[0] - weight[2];
}

/* A plane bilinearly at (x, y), which lie in it, where each lane's neighbours are among three rows of the same three samples from the lane on: where
 * motion is smooth. FALSE: they are not. */
VFI_INLINE gboolean
plane_window (const Plane *f, Vec x, Vec y, Vec *value)
{
  const VecI first = { 0 }, last = first + (VFI_LANES - 1);
  const Vec from = x - VEC_TO_FLOAT (vec_iota ());
  const VecI left =
      VEC_TO_INT (vec_min (vec_max (vec_min (__builtin_shuffle (from, first), __builtin_shuffle (from, last)), vec_set (0)), f->left));
  const VecI top = VEC_TO_INT (vec_min (vec_min (__builtin_shuffle (y, first), __builtin_shuffle (y, last)), f->top));
  const Vec fx = from - VEC_TO_FLOAT (left), fy = y - VEC_TO_FLOAT (top);
  const float *p = (const float *) f->v.data + (gsize) top[0] * f->v.w + left[0];
  Vec wx[3], wy[3], rows[3];

  if (vec_any_negative ((VecI) fx | (VecI) (2 - fx) | (VecI) fy | (VecI) (2 - fy)))
    return FALSE;
  plane_hats (fx, wx);
  plane_hats (fy, wy);
#pragma GCC unroll 3
  for (int i = 0; i < 3; i++, p += f->v.w)
    rows[i] = vec_fma (wx[2], *(const Vec *) (p + 2), vec_fma (wx[1], *(const Vec *) (p + 1), wx[0] * *(const Vec *) p));
  *value = vec_fma (wy[2], rows[2], vec_fma (wy[1], rows[1], wy[0] * rows[0]));
  return TRUE;
}

#endif

static __attribute__ ((noinline)) Vec
plane_gather (const Plane *f, Vec x, Vec y)
{
  const VfiView *v = &f->v;
  const gsize right = v->w > 1 ? v->ld : 0, below = v->h > 1 ? (gsize) v->w * v->ld : 0;
  const VecI ix = vec_mini (VEC_TO_INT (x), (VecI){ 0 } + MAX (v->w - 2, 0));
  const VecI iy = vec_mini (VEC_TO_INT (y), (VecI){ 0 } + MAX (v->h - 2, 0)), at = (iy * v->w + ix) * v->ld;
  const Vec fx = x - VEC_TO_FLOAT (ix), fy = y - VEC_TO_FLOAT (iy);
  const float *p = v->data;
  Vec k[4], upper, lower;

  for (int i = 0; i < 4; i++)
    k[i] = (Vec) vec_gather (p + (i / 2 ? below : 0) + (i % 2 ? right : 0), at, 4);
  upper = vec_fma (fx, k[1] - k[0], k[0]);
  lower = vec_fma (fx, k[3] - k[2], k[2]);
  return vec_fma (fy, lower - upper, upper);
}

/* A plane bilinearly at (x, y), clamped to the border. */
VFI_INLINE Vec
plane_sample (const Plane *f, Vec x, Vec y)
{
  Vec value;

  x = vec_min (vec_max (x, vec_set (0)), f->last_x);
  y = vec_min (vec_max (y, vec_set (0)), f->last_y);
  if (!f->dense || !plane_window (f, x, y, &value))
    value = plane_gather (f, x, y);
  return value;
}

/* How much counts what is sampled there: vfi_inside, vfi_inside_part. */
VFI_INLINE Vec
plane_inside (const Plane *f, Vec x, Vec y)
{
  const Vec outside = vec_max (vec_max (f->part[1] - x, x - f->part[3]), vec_max (f->part[0] - y, y - f->part[2]));

  return vec_min (vec_max (1.5f - outside, vec_set (VFI_OUTSIDE)), vec_set (1));
}
