/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator resize_corners.
 */
#include "corners.h"
#include "isa.h"

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const gsize line = (gsize) dst->w * dst->ld * vfi_dtype_size (dst->dtype);

  for (int y = y0; y < y1; y++)
    if (dst->dtype == VFI_F32)
      corners_row (src, y, (guint8 *) dst->data + y * line, dst->ld, VFI_LANES, VFI_F32);
    else
      corners_row (src, y, (guint8 *) dst->data + y * line, dst->ld, VFI_LANES, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_resize_corners) = { &vfi_op_resize_corners, .rows = rows };
