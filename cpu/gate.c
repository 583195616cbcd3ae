/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate: each pixel's gates are worked out once and then meet its features, a row as long as the gates at a time.
 */
#include "isa.h"

VFI_INLINE Vec
vec_sigmoid (Vec v)
{
  return 1 / (1 + vec_exp (vec_max (vec_min (-v, vec_set (87)), vec_set (-87))));
}

VFI_INLINE void
gate_row (const VfiView *src, const VfiGateParams *p, const VfiView *dst, int y, const VfiDType type)
{
  for (int x = 0; x < dst->w; x++) {
    const gsize pixel = (gsize) y * dst->w + x, from = pixel * src->ld, to = pixel * dst->ld;

    for (int m = 0; m < p->gates; m += VFI_LANES) {
      const int n = MIN (p->gates - m, VFI_LANES);
      const Vec open = vec_sigmoid (vec_load (src->data, type, from + dst->c + m, n));

      for (int c = m; c < dst->c; c += p->gates) {
        const Vec v = vec_load (src->data, type, from + c, n);

        vec_store (dst->data, type, to + c, n, (Vec) vec_selecti (v > 0, (VecI) v, (VecI) (v * p->slope)) * open);
      }
    }
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  for (int y = y0; y < y1; y++)
    if (dst->dtype == VFI_F32)
      gate_row (src, node->params, dst, y, VFI_F32);
    else
      gate_row (src, node->params, dst, y, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_gate) = { &vfi_op_gate, .rows = rows };
