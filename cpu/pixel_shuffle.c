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

typedef double Pair __attribute__ ((aligned (4), may_alias));
typedef double Pairs __attribute__ ((vector_size (16)));
typedef float Four __attribute__ ((vector_size (16), aligned (4), may_alias));
typedef gint32 Index __attribute__ ((vector_size (16)));

/* Row y of the result for r = 2 and a multiple of four channels in fp32: of each four neighbours two belong to the row. */
VFI_INLINE void
row_of_2 (const VfiView *src, const VfiView *dst, int y)
{
  const float *p = (const float *) src->data + (gsize) (y / 2) * src->w * src->ld + y % 2 * 2;
  float *q = (float *) dst->data + (gsize) y * dst->w * dst->ld;

  for (int x = 0; x < src->w; x++, p += src->ld, q += 2 * dst->ld) {
    /* Some ahead: pixels of a wide tensor are too far apart for the machine to expect it. */
    __builtin_prefetch (q + 16 * dst->ld, 1, 3);
    __builtin_prefetch (q + 17 * dst->ld, 1, 3);
    for (int c = 0; c < dst->c; c += 4) {
      const float *from = p + 4 * c;
      const Four a = (Four) (Pairs){ *(const Pair *) from, *(const Pair *) (from + 4) };
      const Four b = (Four) (Pairs){ *(const Pair *) (from + 8), *(const Pair *) (from + 12) };

      *(Four *) (q + c) = __builtin_shuffle (a, b, (Index){ 0, 2, 4, 6 });
      *(Four *) (q + dst->ld + c) = __builtin_shuffle (a, b, (Index){ 1, 3, 5, 7 });
    }
  }
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
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const int r = ((const VfiPixelShuffleParams *) node->params)->r;

  for (int y = y0; y < y1; y++)
    if (dst->dtype == VFI_F32 && r == 2 && dst->c % 4 == 0)
      row_of_2 (src, dst, y);
    else if (dst->dtype == VFI_F32)
      row (src, state, r, dst, y, VFI_F32);
    else
      row (src, state, r, dst, y, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_pixel_shuffle) = { &vfi_op_pixel_shuffle, NULL, prepare, NULL, g_free, .rows = rows };
