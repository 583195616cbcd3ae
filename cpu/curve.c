/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator curve: rows of the plain one for each thread. Its grid is small.
 */
#include "isa.h"

static void
curve (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  vfi_curve_rows (src, dst, y0, y1);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_curve) = { &vfi_op_curve, .rows = curve };
