/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A row of a tensor enlarged to twice its size with its corners in place: for operators resize_corners and sepconv.
 */
#pragma once

#include "op.h"
#include "simd.h"

/* Row y of the result, to w pixels `step` apart, VFI_LANES channels of each, and `group` further on the next ones. Where that is more than VFI_LANES,
 * what lacks of the last ones is 0. */
VFI_INLINE void
corners_row (const VfiView *x, int y, void *to, gsize step, gsize group, const VfiDType type)
{
  int above, below;
  const float fy = vfi_corners (y, x->h, &above, &below);
  const gsize p = (gsize) above * x->w * x->ld, q = (gsize) below * x->w * x->ld;

  for (int ox = 0; ox < 2 * x->w; ox++) {
    int left, right;
    const float fx = vfi_corners (ox, x->w, &left, &right);
    const gsize l = (gsize) left * x->ld, r = (gsize) right * x->ld;

    for (int c = 0; c < x->c; c += VFI_LANES) {
      const int n = MIN (x->c - c, VFI_LANES);
      const Vec a = vec_load (x->data, type, p + l + c, n), b = vec_load (x->data, type, p + r + c, n);
      const Vec d = vec_load (x->data, type, q + l + c, n), e = vec_load (x->data, type, q + r + c, n);
      const Vec top = vec_fma (vec_set (fx), b, (1 - fx) * a), bottom = vec_fma (vec_set (fx), e, (1 - fx) * d);

      vec_store (to, type, ox * step + c / VFI_LANES * group, group > VFI_LANES ? VFI_LANES : n,
                 vec_fma (vec_set (fy), bottom, (1 - fy) * top));
    }
  }
}
