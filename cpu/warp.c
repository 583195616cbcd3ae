/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator warp: coordinates for VFI_LANES pixels at once, then the channels of each pixel.
 */
#include "isa.h"

/* The lower neighbour of clamped coordinates, in elements of a row of n, and the weight of the upper one. */
VFI_INLINE VecI
split (Vec v, int n, Vec *f)
{
  VecI i;

  v = vec_min (vec_max (v, vec_set (0)), vec_set (n - 1));
  i = vec_mini (VEC_TO_INT (v), (VecI){ 0 } + MAX (n - 2, 0));
  *f = v - VEC_TO_FLOAT (i);
  return i;
}

VFI_INLINE void
row (const VfiView *x, const VfiView *flow, float gain, const VfiView *dst, int y, const VfiDType type)
{
  const gsize right = x->w > 1 ? x->ld : 0, below = x->h > 1 ? (gsize) x->w * x->ld : 0;
  const VecI lane = vec_iota ();

  for (int x0 = 0; x0 < dst->w; x0 += VFI_LANES) {
    const int n = MIN (dst->w - x0, VFI_LANES);
    Vec fx, fy;
    VecI ix = split (VEC_TO_FLOAT (lane + x0) + gain * vec_load_pixels (flow, y, x0, 0, n), x->w, &fx);
    VecI iy = split ((float) y + gain * vec_load_pixels (flow, y, x0, 1, n), x->h, &fy);
    VecI pixel = iy * x->w + ix;
    Vec w11 = fx * fy, w10 = fy - w11, w01 = fx - w11, w00 = 1 - fx - w10;

    for (int k = 0; k < n; k++) {
      const gsize p = (gsize) pixel[k] * x->ld, q = ((gsize) y * dst->w + x0 + k) * dst->ld;
      int c = 0;

#if VFI_LANES == 8 /* with AVX-512 come caches that have it */
      /* What the row below this one is likely to see first: too far away for the machine to expect it. */
      for (gsize at = (p + 2 * below) * vfi_dtype_size (type), end = at + dst->c * vfi_dtype_size (type); at < end; at += 64)
        __builtin_prefetch ((const guint8 *) x->data + at, 0, 2);
#endif
      for (; c < dst->c; c += VFI_LANES) {
        const int m = MIN (dst->c - c, VFI_LANES);
        Vec a = vec_load (x->data, type, p + c, m), b = vec_load (x->data, type, p + right + c, m);
        Vec d = vec_load (x->data, type, p + below + c, m), e = vec_load (x->data, type, p + below + right + c, m);
        vec_store (dst->data, type, q + c, m,
                   vec_fma (vec_set (w00[k]), a, vec_set (w01[k]) * b) + vec_fma (vec_set (w10[k]), d, vec_set (w11[k]) * e));
      }
    }
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const VfiWarpParams *p = node->params;
  const float t = p->timed ? *(const float *) src[2].data : 0, gain = !p->timed ? 1 : p->side ? 1 - t : -t;

  for (int y = y0; y < y1; y++)
    if (dst->dtype == VFI_F32)
      row (&src[0], &src[1], gain, dst, y, VFI_F32);
    else
      row (&src[0], &src[1], gain, dst, y, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_warp) = { &vfi_op_warp, .rows = rows };
