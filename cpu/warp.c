/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator warp: coordinates for VFI_LANES pixels at once, then the channels of each pixel, or, where there is but one, that of all of them.
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

/* Of a pixel and its neighbours to the right and below, by their weights. */
VFI_INLINE Vec
mean (Vec a, Vec b, Vec d, Vec e, Vec w00, Vec w01, Vec w10, Vec w11)
{
  return vec_fma (w00, a, w01 * b) + vec_fma (w10, d, w11 * e);
}

/* m channels of a pixel, from element p on, to element q on. */
VFI_INLINE void
pixel_mean (const void *from, gsize p, gsize right, gsize below, void *to, gsize q, const int m, float w00, float w01, float w10, float w11,
            const VfiDType type)
{
  Vec a = vec_load (from, type, p, m), b = vec_load (from, type, p + right, m);
  Vec d = vec_load (from, type, p + below, m), e = vec_load (from, type, p + below + right, m);

  vec_store (to, type, q, m, mean (a, b, d, e, vec_set (w00), vec_set (w01), vec_set (w10), vec_set (w11)));
}

VFI_INLINE void
row (const VfiView *x, const VfiView *flow, float gain, const VfiView *dst, int y, const VfiDType type)
{
  const gsize right = x->w > 1 ? x->ld : 0, below = x->h > 1 ? (gsize) x->w * x->ld : 0;
  /* Not in views, which what is stored might be, for all that GCC knows. */
  const int channels = dst->c, from_ld = x->ld, to_ld = dst->ld;
  const void *from = x->data;
  void *to = dst->data;
  const VecI lane = vec_iota ();

  for (int x0 = 0; x0 < dst->w; x0 += VFI_LANES) {
    const int n = MIN (dst->w - x0, VFI_LANES);
    Vec fx, fy;
    VecI ix = split (VEC_TO_FLOAT (lane + x0) + gain * vec_load_pixels (flow, y, x0, 0, n), x->w, &fx);
    VecI iy = split ((float) y + gain * vec_load_pixels (flow, y, x0, 1, n), x->h, &fy);
    VecI pixel = iy * x->w + ix;
    Vec w11 = fx * fy, w10 = fy - w11, w01 = fx - w11, w00 = 1 - fx - w10;

    if (channels == 1 && from_ld == 1 && type == VFI_F32) {
      const float *at = from;
      Vec a = (Vec) vec_gather (at, pixel, 4), b = (Vec) vec_gather (at + right, pixel, 4);
      Vec d = (Vec) vec_gather (at + below, pixel, 4), e = (Vec) vec_gather (at + below + right, pixel, 4);

      vec_store_pixels (dst, y, x0, 0, n, mean (a, b, d, e, w00, w01, w10, w11));
      continue;
    }
    for (int k = 0; k < n; k++) {
      const gsize p = (gsize) pixel[k] * from_ld, q = ((gsize) y * dst->w + x0 + k) * to_ld;
      int c = 0;
      const gsize size = vfi_dtype_size (type), bytes = channels * size;
      /* What the row below this one is likely to see first, too far away for the machine to expect it; and where the next vector's pixel goes, which may
       * be some way off, too, in a wider tensor. */
      for (gsize i = 0; i < bytes; i += 64)
        __builtin_prefetch ((const guint8 *) from + (p + 2 * below) * size + i, 0, 2);
      for (gsize i = 0; i < bytes; i += 64)
        __builtin_prefetch ((const guint8 *) to + (q + VFI_LANES * to_ld) * size + i, 1, 3);
      for (; c + VFI_LANES <= channels; c += VFI_LANES)
        pixel_mean (from, p + c, right, below, to, q + c, VFI_LANES, w00[k], w01[k], w10[k], w11[k], type);
      if (c < channels)
        pixel_mean (from, p + c, right, below, to, q + c, channels - c, w00[k], w01[k], w10[k], w11[k], type);
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
