/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator scale: copies between types and places.
 */
#include "isa.h"

/* Pixels of a wide tensor are too far apart for the machine to expect where the next ones go: n of them, some ahead of pixel `first`. */
VFI_INLINE void
prefetch_pixels (const VfiView *dst, gsize first, int n, const gsize size)
{
  const guint8 *p = (const guint8 *) dst->data + (first + 2 * VFI_LANES) * dst->ld * size;

  if (dst->ld * size > 64)
    for (int i = 0; i < n; i++, p += dst->ld * size) {
      __builtin_prefetch (p, 1, 3);
      __builtin_prefetch (p + dst->c * size - 1, 1, 3);
    }
}

VFI_INLINE void
row (const VfiView *src, const float *gain, const VfiView *dst, int y, const VfiDType from, const VfiDType to)
{
  const gsize first = (gsize) y * src->w;

  if (src->ld == src->c && dst->ld == src->c && !gain) { /* pixels without gaps are one row of numbers */
    const int all = src->w * src->c;

    for (int i = 0; i < all; i += VFI_LANES) {
      const int n = MIN (all - i, VFI_LANES);
      vec_store (dst->data, to, first * dst->ld + i, n, vec_load (src->data, from, first * src->ld + i, n));
    }
    return;
  }
  for (int x = 0; x < src->w; x++)
    for (int c = 0; c < src->c; c += VFI_LANES) {
      const int n = MIN (src->c - c, VFI_LANES);
      vec_store (dst->data, to, (first + x) * dst->ld + c, n,
                 vec_load (src->data, from, (first + x) * src->ld + c, n) * (gain ? vec_load (gain, VFI_F32, c, n) : vec_set (1)));
    }
}

/* From planes, VFI_LANES pixels at once: as rows of pixels, their channels are a transposition away. `all` is the number of channels. */
VFI_INLINE void
row_of_planes (const VfiView *src, const float *gain, const VfiView *dst, int y, const int all, const VfiDType to)
{
  for (int c0 = 0; c0 < all; c0 += VFI_LANES)
    for (int x = 0; x < src->w; x += VFI_LANES) {
      const int channels = MIN (all - c0, VFI_LANES), n = MIN (src->w - x, VFI_LANES);
      const gsize first = ((gsize) y * dst->w + x) * dst->ld + c0;
      VecI m[VFI_LANES];

      prefetch_pixels (dst, (gsize) y * dst->w + x, n, vfi_dtype_size (to));
      for (int c = 0; c < VFI_LANES; c++)
        m[c] = c < channels ? (VecI) (gain[c0 + c] * vec_load_pixels (src, y, x, c0 + c, n)) : (VecI){ 0 };
      vec_transpose (m);
      for (int i = 0; i < n; i++)
        vec_store (dst->data, to, first + (gsize) i * dst->ld, channels, (Vec) m[i]);
    }
}

/* A few planes (at most eight) to bf16: two channels are one word. */
VFI_INLINE void
row_of_few_planes (const VfiView *src, const float *gain, const VfiView *dst, int y, const int channels)
{
  for (int x = 0; x < src->w; x += VFI_LANES) {
    const int n = MIN (src->w - x, VFI_LANES);
    guint16 *p = (guint16 *) dst->data + ((gsize) y * dst->w + x) * dst->ld;
    VecU words[4] = { 0 };

    prefetch_pixels (dst, (gsize) y * dst->w + x, n, sizeof *p);
#pragma GCC unroll 8
    for (int c = 0; c < channels; c++)
      words[c / 2] |= __builtin_convertvector(vec_to_bf16 (gain[c] * vec_load_pixels (src, y, x, c, n)), VecU) << c % 2 * 16;
    for (int i = 0; i < n; i++, p += dst->ld)
#pragma GCC unroll 4
      for (int c = 0; c < channels; c += 2) {
        const guint32 word = ((const guint32 *) &words[c / 2])[i];
        memcpy (p + c, &word, c + 1 < channels ? 4 : 2);
      }
  }
}

/* Seven channels, motion as evidence, are what this project's networks ask for all the time. */
VFI_INLINE void
planes (const VfiView *src, const float *gain, const VfiView *dst, int y)
{
  if (dst->dtype == VFI_F32 && src->c == 7)
    row_of_planes (src, gain, dst, y, 7, VFI_F32);
  else if (dst->dtype == VFI_F32)
    row_of_planes (src, gain, dst, y, src->c, VFI_F32);
  else if (src->c == 7)
    row_of_few_planes (src, gain, dst, y, 7);
  else
    row_of_planes (src, gain, dst, y, src->c, VFI_BF16);
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const VfiScaleParams *p = node->params;
  const VfiDType from = src->dtype, to = dst->dtype;
  const gsize size = vfi_dtype_size (to);
  const float *gain = p->identity ? NULL : p->gain;

  for (int y = y0; y < y1; y++)
    if (src->cd > 1)
      planes (src, p->gain, dst, y);
    else if (from == to && p->identity)
      for (int x = 0; x < dst->w; x++) {
        const gsize i = (gsize) y * dst->w + x;
        memcpy ((guint8 *) dst->data + i * dst->ld * size, (const guint8 *) src->data + i * src->ld * size, dst->c * size);
      }
    else if (from == VFI_F32)
      if (to == VFI_F32)
        row (src, gain, dst, y, VFI_F32, VFI_F32);
      else
        row (src, gain, dst, y, VFI_F32, VFI_BF16);
    else if (to == VFI_F32)
      row (src, gain, dst, y, VFI_BF16, VFI_F32);
    else
      row (src, gain, dst, y, VFI_BF16, VFI_BF16);
}

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  return !node->src[0]->planar || node->src[0]->dtype == VFI_F32;
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_scale) = { &vfi_op_scale, supports, .rows = rows };
