/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operators downsample and max_pool: four pixels, all channels of them at once; crop.
 */
#include "isa.h"

VFI_INLINE void
row (const VfiView *src, const VfiDownsampleParams *p, const VfiView *dst, int y, const VfiDType type)
{
  const gsize line = (gsize) src->w * src->ld, first = ((gsize) (y * p->k + p->k / 2 - 1) * src->w + p->k / 2 - 1) * src->ld;

  for (int x = 0; x < dst->w; x++)
    for (int c = 0; c < dst->c; c += VFI_LANES) {
      const int n = MIN (dst->c - c, VFI_LANES);
      const gsize at = first + (gsize) x * p->k * src->ld + c;
      const Vec above = vec_load (src->data, type, at, n) + vec_load (src->data, type, at + src->ld, n);
      const Vec below = vec_load (src->data, type, at + line, n) + vec_load (src->data, type, at + line + src->ld, n);

      vec_store (dst->data, type, ((gsize) y * dst->w + x) * dst->ld + c, n, .25f * vec_load (p->gain, VFI_F32, c, n) * (above + below));
    }
}

/* Of planes, in fp32. */
static void
planes (const VfiView *src, const VfiDownsampleParams *p, const VfiView *dst, int y)
{
  const gsize first = (gsize) (y * p->k + p->k / 2 - 1) * src->w + p->k / 2 - 1;

  for (int c = 0; c < dst->c; c++) {
    const float *above = (const float *) src->data + (gsize) c * src->cd + first, *below = above + src->w;
    float *to = (float *) dst->data + (gsize) y * dst->w * dst->ld + c;

    for (int x = 0; x < dst->w; x++, above += p->k, below += p->k)
      to[(gsize) x * dst->ld] = .25f * p->gain[c] * (above[0] + above[1] + (below[0] + below[1]));
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  for (int y = y0; y < y1; y++)
    if (src->cd > 1)
      planes (src, node->params, dst, y);
    else if (dst->dtype == VFI_F32)
      row (src, node->params, dst, y, VFI_F32);
    else
      row (src, node->params, dst, y, VFI_BF16);
}

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  return !node->src[0]->planar || node->src[0]->dtype == VFI_F32;
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_downsample) = { &vfi_op_downsample, supports, .rows = rows };

VFI_INLINE void
max_row (const VfiView *src, const VfiView *dst, int y, const VfiDType type)
{
  const gsize line = (gsize) src->w * src->ld;

  for (int x = 0; x < dst->w; x++)
    for (int c = 0; c < dst->c; c += VFI_LANES) {
      const int n = MIN (dst->c - c, VFI_LANES);
      const gsize at = ((gsize) 2 * y * src->w + 2 * x) * src->ld + c;
      const Vec above = vec_max (vec_load (src->data, type, at, n), vec_load (src->data, type, at + src->ld, n));
      const Vec below = vec_max (vec_load (src->data, type, at + line, n), vec_load (src->data, type, at + line + src->ld, n));

      vec_store (dst->data, type, ((gsize) y * dst->w + x) * dst->ld + c, n, vec_max (above, below));
    }
}

static void
max_rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  for (int y = y0; y < y1; y++)
    if (dst->dtype == VFI_F32)
      max_row (src, dst, y, VFI_F32);
    else
      max_row (src, dst, y, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_max_pool) = { &vfi_op_max_pool, .rows = max_rows };

static void
crop_rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const gsize size = vfi_dtype_size (dst->dtype);

  for (int y = y0; y < y1; y++) {
    const guint8 *from = (const guint8 *) src->data + (gsize) y * src->w * src->ld * size;
    guint8 *to = (guint8 *) dst->data + (gsize) y * dst->w * dst->ld * size;

    for (int x = 0; x < dst->w; x++)
      memcpy (to + x * dst->ld * size, from + x * src->ld * size, dst->c * size);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_crop) = { &vfi_op_crop, .rows = crop_rows };
