/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator mean_pool: one result at a time; it is small and reads its source once.
 */
#include "isa.h"

VFI_INLINE float
get (const VfiView *v, gsize i, const VfiDType type)
{
  return type == VFI_F32 ? ((const float *) v->data)[i] : vfi_bf16_to_f32 (((const guint16 *) v->data)[i]);
}

VFI_INLINE void
row (const VfiView *src, const VfiView *dst, int y, int k, int channels, const VfiDType type)
{
  const float scale = 1.f / (k * k * channels);
  float *to = (float *) dst->data + (gsize) y * dst->w * dst->ld;

  for (int x = 0; x < dst->w; x++) {
    float sum = 0;

    for (int i = 0; i < k; i++)
      for (int j = 0; j < k; j++) {
        const gsize p = ((gsize) (y * k + i) * src->w + x * k + j) * src->ld;

        for (int c = 0; c < channels; c++)
          sum += get (src, p + c, type);
      }
    to[(gsize) x * dst->ld] = sum * scale;
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const int k = ((const VfiMeanPoolParams *) node->params)->k;

#pragma omp parallel for schedule(static)
  for (int y = 0; y < dst->h; y++)
    if (src->dtype == VFI_F32 && k == 2 && src->c == 1)
      row (src, dst, y, 2, 1, VFI_F32);
    else if (src->dtype == VFI_F32)
      row (src, dst, y, k, src->c, VFI_F32);
    else if (k == 2 && src->c == 4)
      row (src, dst, y, 2, 4, VFI_BF16);
    else
      row (src, dst, y, k, src->c, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_mean_pool) = { &vfi_op_mean_pool, .run = run };
