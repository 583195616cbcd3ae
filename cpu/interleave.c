/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator interleave: the channels of one phase lie side by side, so a result pixel is one copy.
 */
#include "isa.h"

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const gsize size = vfi_dtype_size (dst->dtype), line = dst->c * size;

  for (int y = y0; y < y1; y++) {
    const guint8 *from = (const guint8 *) src->data + ((gsize) ((y + 1) / 2) * src->w * src->ld + 2 * (y % 2) * dst->c) * size;
    guint8 *to = (guint8 *) dst->data + (gsize) y * dst->w * dst->ld * size;

    for (int x = 0; x < dst->w; x++)
      memcpy (to + x * dst->ld * size, from + ((x + 1) / 2 * (gsize) src->ld + x % 2 * dst->c) * size, line);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_interleave) = { &vfi_op_interleave, .rows = rows };
