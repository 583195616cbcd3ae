/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator pixel_shuffle. The r pixels that a source pixel gives to one row lie side by side: a permutation of its channels, worked out
 * once for each of the r rows.
 */
#include "isa.h"

/* For row i of r: index[i r c + k] is the source channel of element k of the r pixels of c channels. */
static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const int r = ((const VfiPixelShuffleParams *) node->params)->r, c = dst->c;
  gint32 *index = g_new0 (gint32, src->c + VFI_LANES);

  for (int i = 0; i < r; i++)
    for (int j = 0; j < r; j++)
      for (int k = 0; k < c; k++)
        index[(i * r + j) * c + k] = (k * r + i) * r + j;
  return index;
}

/* Row y of the result. Channels are permuted as floats, so that one path serves both types; `dense` elements at a time lie side by side in dst. */
VFI_INLINE void
row (const VfiView *src, const gint32 *index, int r, const VfiView *dst, int y, const VfiDType type)
{
  const int n = r * dst->c, dense = dst->ld == dst->c ? n : dst->c;
  const gsize first = (gsize) (y / r) * src->w;

  index += y % r * n;
  for (int x = 0; x < src->w; x++) {
    const gsize p = (first + x) * src->ld;
#ifdef __AVX512F__
    const Vec low = vec_load (src->data, type, p, MIN (src->c, VFI_LANES));
    const Vec high = src->c > VFI_LANES ? vec_load (src->data, type, p + VFI_LANES, MIN (src->c - VFI_LANES, VFI_LANES)) : low;
#endif

    for (int k = 0; k < n; k += dense)
      for (int j = 0; j < dense; j += VFI_LANES) {
        const int m = MIN (dense - j, VFI_LANES);
        const gsize q = ((gsize) y * dst->w + (gsize) x * r + k / dst->c) * dst->ld + j;
        VecI from = *(const VecI *) (index + k + j);
#ifdef __AVX512F__
        if (src->c <= 2 * VFI_LANES) {
          vec_store (dst->data, type, q, m, (Vec) __builtin_shuffle (low, high, from));
          continue;
        }
#endif
        if (type == VFI_F32)
          vec_store (dst->data, type, q, m, (Vec) vec_gather ((const float *) src->data + p, from, 4));
        else
          for (int l = 0; l < m; l++)
            ((guint16 *) dst->data)[q + l] = ((const guint16 *) src->data)[p + from[l]];
      }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const int r = ((const VfiPixelShuffleParams *) node->params)->r;

#pragma omp parallel for schedule(static)
  for (int y = 0; y < dst->h; y++)
    if (dst->dtype == VFI_F32)
      row (src, state, r, dst, y, VFI_F32);
    else
      row (src, state, r, dst, y, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_pixel_shuffle) = { &vfi_op_pixel_shuffle, NULL, prepare, run, g_free };
