/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Products of matrices for convolutions on AVX2, AVX-512 and NEON: a block of results at a time, whose sums and what they take fill the 16 or 32 registers. A
 * block has as many vectors of columns as there can be, or fewer so that none is left with one only.
 */
#pragma once

#include "dnnl.h"
#include "op.h"
#include "simd.h"

#if VFI_LANES == 16
#define SUMS 24 /* vectors of a block */
#define MOST_VECTORS 4
#define ROWS 24      /* whole blocks, whichever */
#elif VFI_LANES == 4 /* GCC takes a register for each row's number, too */
#define SUMS 18
#define MOST_VECTORS 4
#define ROWS 24
#else
#define SUMS 12
#define MOST_VECTORS 3
#define ROWS 12
#endif
#define MOST_ROWS 8 /* for more there are no registers that point to them */
#define BLOCK_ROWS(vectors, sets) MIN (SUMS / (vectors) / (sets), MOST_ROWS)
#define MOST_COLUMNS (MOST_VECTORS * VFI_LANES)

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
  const int left = n - c;
  return left <= MOST_COLUMNS ? left : left == MOST_COLUMNS + VFI_LANES ? MOST_COLUMNS - VFI_LANES : MOST_COLUMNS;
}

/* Whether a convolution's types and activation are such as these kernels take. bf16 is left to tiles (AMX), where there are. */
static gboolean
multiplies (const VfiNode *node)
{
  const VfiConv2dParams *p = node->params;
  const VfiDType x = node->src[0]->dtype, y = node->dst->dtype;

  if (p->after || !(vfi_act_is_slope (p->act) || p->act == VFI_ELU) || (x == VFI_BF16 && (VFI_LANES == 8 || vfi_dnnl_has_tiles ())))
    return FALSE;
  return (y == x || y == VFI_F32) && (!p->residual || node->src[1]->dtype == y);
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

static __attribute__ ((noinline)) Vec
elu (Vec v)
{
  return vec_max (v, vec_set (0)) + (vec_exp (vec_max (vec_min (v, vec_set (0)), vec_set (-87))) - 1);
}

/* Negative numbers times their slopes, or by ELU. */
VFI_INLINE Vec
activate (Vec v, Vec slope, gboolean by_elu)
{
  if (by_elu)
    return elu (v);
#if VFI_LANES == 16
  return (Vec) _mm512_mask_mul_ps ((__m512) v, _mm512_movepi32_mask ((__m512i) v), (__m512) v, (__m512) slope);
#elif VFI_LANES == 4
  return (Vec) vec_selecti ((VecI) v >> 31, (VecI) (v * slope), (VecI) v);
#else
  return (Vec) _mm256_blendv_ps ((__m256) v, (__m256) (v * slope), (__m256) v);
#endif
}

/* Where the numbers of a row are: `lines` times `runs` times n that lie side by side. */
typedef struct
{
  int lines, runs, n;
  gsize line, run; /* floats from one to the next */
} Across;

/* sum (rows x vectors) = `first`, in every row, plus a (rows, `step` floats a row) w (across->lines runs n x vectors). Each of 1 or 2 `sets` of sums takes every other number:
 * sums that are half as large cost half as much when they are rounded. rows = BLOCK_ROWS (vectors, sets). */
VFI_INLINE void
multiply (const float *a, gsize step, const Across *across, const float *w, const Vec first[MOST_VECTORS], Vec sum[MOST_ROWS][MOST_VECTORS],
          const int rows, const int vectors, const int sets)
{
  Vec part[2][MOST_ROWS][MOST_VECTORS];

#pragma GCC unroll 8
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
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
          Vec v[MOST_VECTORS];

#pragma GCC unroll 4
          for (int j = 0; j < vectors; j++)
            v[j] = *(const Vec *) (w + (set * vectors + j) * VFI_LANES);
#pragma GCC unroll 8
          for (int i = 0; i < rows; i++) {
            const Vec x = vec_set (from[i * step + k + set]);

#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++)
              part[set][i][j] = vec_fma (x, v[j], part[set][i][j]);
          }
        }
    }
#pragma GCC unroll 8
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) {
      sum[i][j] = part[0][i][j];
      if (sets == 2)
        sum[i][j] += part[1][i][j];
    }
}
