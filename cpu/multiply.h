/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Products of matrices for convolutions on AVX2: six rows at a time, whose sums and what they take fill the 16 registers.
 */
#pragma once

#include "simd.h"

#define ROWS 6
#define COLUMNS (2 * VFI_LANES)

/* Negative numbers times their slopes. */
VFI_INLINE Vec
apply_slope (Vec v, Vec slope)
{
  return (Vec) _mm256_blendv_ps ((__m256) v, (__m256) (v * slope), (__m256) v);
}

/* to (ROWS x COLUMNS, `pitch` floats a row) = a (ROWS x n, `step` floats a row) w (n x COLUMNS). */
VFI_INLINE void
multiply (const float *a, gsize step, int n, const float *w, float *to, gsize pitch)
{
  __m256 sum[ROWS][2];

#pragma GCC unroll 6
  for (int i = 0; i < ROWS; i++)
    sum[i][0] = sum[i][1] = _mm256_setzero_ps ();
  for (int k = 0; k < n; k++, w += COLUMNS) {
    const __m256 w0 = _mm256_load_ps (w), w1 = _mm256_load_ps (w + VFI_LANES);

#pragma GCC unroll 6
    for (int i = 0; i < ROWS; i++) {
      const __m256 x = _mm256_broadcast_ss (a + i * step + k);

      sum[i][0] = _mm256_fmadd_ps (x, w0, sum[i][0]);
      sum[i][1] = _mm256_fmadd_ps (x, w1, sum[i][1]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < ROWS; i++) {
    _mm256_store_ps (to + i * pitch, sum[i][0]);
    _mm256_store_ps (to + i * pitch + VFI_LANES, sum[i][1]);
  }
}
