/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator scale: copies between types and places.
 */
#include "isa.h"

VFI_INLINE void
row (const VfiView *src, const float *gain, const VfiView *dst, int y, const VfiDType from, const VfiDType to)
{
  const gsize first = (gsize) y * src->w;

  for (int x = 0; x < src->w; x++)
    for (int c = 0; c < src->c; c += VFI_LANES) {
      const int n = MIN (src->c - c, VFI_LANES);
      vec_store (dst->data, to, (first + x) * dst->ld + c, n,
                 vec_load (src->data, from, (first + x) * src->ld + c, n) * vec_load (gain, VFI_F32, c, n));
    }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiScaleParams *p = node->params;
  const VfiDType from = src->dtype, to = dst->dtype;
  const gsize size = vfi_dtype_size (to);

#pragma omp parallel for schedule(static)
  for (int y = 0; y < dst->h; y++)
    if (from == to && p->identity)
      for (int x = 0; x < dst->w; x++) {
        const gsize i = (gsize) y * dst->w + x;
        memcpy ((guint8 *) dst->data + i * dst->ld * size, (const guint8 *) src->data + i * src->ld * size, dst->c * size);
      }
    else if (from == VFI_F32)
      if (to == VFI_F32)
        row (src, p->gain, dst, y, VFI_F32, VFI_F32);
      else
        row (src, p->gain, dst, y, VFI_F32, VFI_BF16);
    else if (to == VFI_F32)
      row (src, p->gain, dst, y, VFI_BF16, VFI_F32);
    else
      row (src, p->gain, dst, y, VFI_BF16, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_scale) = { &vfi_op_scale, .run = run };
