/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Products of matrices for convolutions on AVX2: a block of results at a time, whose sums and what they take fill the 16 registers. A block has three
 * vectors of columns, or, where one would be left, two.
 */
#pragma once

#include "op.h"
#include "simd.h"

#define ROWS 12                      /* whole blocks, whichever */
#define COLUMNS (2 * VFI_LANES)      /* of the smaller block, */
#define MOST_COLUMNS (3 * VFI_LANES) /* of the larger one */

/* Columns of n results, with those behind them that blocks fill: at least two vectors. */
VFI_INLINE int
whole_columns (int n)
{
  return MAX ((n + VFI_LANES - 1) / VFI_LANES, 2) * VFI_LANES;
}

/* Columns of the block that begins at column c of n, which are whole. */
VFI_INLINE int
block_columns (int c, int n)
{
  return n - c == 2 * VFI_LANES || n - c == 4 * VFI_LANES ? 2 * VFI_LANES : 3 * VFI_LANES;
}

/* Of a convolution's n results the bias, and what a negative one is to be multiplied by. */
VFI_INLINE void
set_results (const VfiConv2dParams *p, const float *const *weights, int n, float *bias, float *slopes)
{
  for (int o = 0; o < n; o++) {
    bias[o] = p->bias ? weights[1][o] : 0;
    slopes[o] = p->act == VFI_PRELU ? weights[2][o] : p->act == VFI_LEAKY_RELU ? p->slope : p->act == VFI_RELU ? 0 : 1;
  }
}

/* Negative numbers times their slopes. */
VFI_INLINE Vec
apply_slope (Vec v, Vec slope)
{
  return (Vec) _mm256_blendv_ps ((__m256) v, (__m256) (v * slope), (__m256) v);
}

/* Where the numbers of a row are: `lines` times `runs` times n that lie side by side. */
typedef struct
{
  int lines, runs, n;
  gsize line, run; /* floats from one to the next */
} Across;

/* sum (rows x vectors) = `first`, in every row, plus a (rows, `step` floats a row) w (across->lines runs n x vectors). Each of 1 or 2 `sets` of sums takes every other number:
 * sums that are half as large cost half as much when they are rounded. A set is 12 sums or, of two, 6. */
VFI_INLINE void
multiply (const float *a, gsize step, const Across *across, const float *w, const Vec first[3], Vec sum[6][3], const int rows,
          const int vectors, const int sets)
{
  Vec part[2][6][3];

#pragma GCC unroll 6
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 3
    for (int j = 0; j < vectors; j++) {
      part[0][i][j] = first[j];
      part[1][i][j] = vec_set (0);
    }
  for (int l = 0; l < across->lines; l++)
    for (int r = 0; r < across->runs; r++) {
      const float *from = a + l * across->line + r * across->run;

      for (int k = 0; k < across->n; k += sets, w += sets * vectors * VFI_LANES)
#pragma GCC unroll 2
        for (int set = 0; set < sets; set++) {
          Vec v[3];

#pragma GCC unroll 3
          for (int j = 0; j < vectors; j++) {
            v[j] = (Vec) _mm256_load_ps (w + (set * vectors + j) * VFI_LANES);
            if (rows == 2)
              __asm__("" : "+x"(v[j])); /* for two rows GCC would load it twice */
          }
#pragma GCC unroll 6
          for (int i = 0; i < rows; i++) {
            const Vec x = (Vec) _mm256_broadcast_ss (from + i * step + k + set);

#pragma GCC unroll 3
            for (int j = 0; j < vectors; j++)
              part[set][i][j] = vec_fma (x, v[j], part[set][i][j]);
          }
        }
    }
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 3
    for (int j = 0; j < vectors; j++) {
      sum[i][j] = part[0][i][j];
      if (sets == 2)
        sum[i][j] += part[1][i][j];
    }
}
