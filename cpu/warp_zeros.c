/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator warp_zeros: coordinates and weights for VFI_LANES pixels at once, weights of neighbours outside set to 0; then the channels of each
 * pixel. Pictures have few channels, so these are taken one by one.
 */
#include "isa.h"

/* The lower neighbour, brought inside, and the weights of both, 0 where they are outside. */
VFI_INLINE VecI
split (Vec v, int n, Vec *low, Vec *high)
{
  VecI i;

  v = vec_min (vec_max (v, vec_set (-1)), vec_set (n));
  i = VEC_TO_INT (v + 1) - 1; /* floor */
  *high = v - VEC_TO_FLOAT (i);
  *low = 1 - *high;
  *low = (Vec) ((VecI) *low & ((i >= 0) & (i < n)));
  *high = (Vec) ((VecI) *high & (i < n - 1));
  return i;
}

static void
row (const VfiView *x, const VfiView *flow, float kx, float ky, const VfiView *dst, int y)
{
  const float *from = x->data;
  const VecI lane = vec_iota ();

  for (int x0 = 0; x0 < dst->w; x0 += VFI_LANES) {
    const int n = MIN (dst->w - x0, VFI_LANES);
    Vec left, right, above, below;
    const VecI ix = split ((VEC_TO_FLOAT (lane + x0) + vec_load_pixels (flow, y, x0, 0, n)) * kx, x->w, &left, &right);
    const VecI iy = split (((float) y + vec_load_pixels (flow, y, x0, 1, n)) * ky, x->h, &above, &below);

    for (int k = 0; k < n; k++) {
      const int x1 = CLAMP (ix[k], 0, x->w - 1), x2 = CLAMP (ix[k] + 1, 0, x->w - 1), y1 = CLAMP (iy[k], 0, x->h - 1);
      const float *p = from + (gsize) y1 * x->w * x->ld, *q = from + (gsize) CLAMP (iy[k] + 1, 0, x->h - 1) * x->w * x->ld;
      float *to = (float *) dst->data + ((gsize) y * dst->w + x0 + k) * dst->ld;

      for (int c = 0; c < dst->c; c++)
        to[c] = above[k] * (left[k] * p[(gsize) x1 * x->ld + c] + right[k] * p[(gsize) x2 * x->ld + c]) +
                below[k] * (left[k] * q[(gsize) x1 * x->ld + c] + right[k] * q[(gsize) x2 * x->ld + c]);
    }
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const gboolean shrink = ((const VfiWarpZerosParams *) node->params)->shrink;
  const float kx = shrink ? (src->w - 1) / (float) src->w : 1, ky = shrink ? (src->h - 1) / (float) src->h : 1;

  for (int y = y0; y < y1; y++)
    row (&src[0], &src[1], kx, ky, dst, y);
}

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  return node->src[0]->dtype == VFI_F32;
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_warp_zeros) = { &vfi_op_warp_zeros, supports, .rows = rows };
