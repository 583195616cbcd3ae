/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate: each pixel's gates are worked out once and then meet its features, a row as long as the gates at a time.
 */
#include "isa.h"

/* exp, within 2 units in the last place: 2^n times a polynomial (Cephes' coefficients) of what is left, |r| <= ln 2 / 2. -87 <= v <= 87. */
VFI_INLINE Vec
vec_exp (Vec v)
{
  const Vec shift = vec_set (0x1.8p23f); /* in its sum with a number below 2^22 the last place is 1 */
  const Vec n = vec_fma (v, vec_set (1.44269504f), shift) - shift;
  const Vec r = vec_fma (n, vec_set (2.12194440e-4f), vec_fma (n, vec_set (-0.693359375f), v));
  Vec p = vec_fma (vec_set (1.9875691500e-4f), r, vec_set (1.3981999507e-3f));

  p = vec_fma (p, r, vec_set (8.3334519073e-3f));
  p = vec_fma (p, r, vec_set (4.1665795894e-2f));
  p = vec_fma (p, r, vec_set (1.6666665459e-1f));
  p = vec_fma (p, r, vec_set (0.5f));
  p = vec_fma (p * r, r, r) + 1;
  return p * (Vec) ((VEC_TO_INT (n) + 127) << 23);
}

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
