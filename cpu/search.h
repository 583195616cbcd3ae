/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames in grey with pixels repeated around them, for operators that look for patches.
 */
#pragma once

#include "inverse_search.h"
#include "simd.h"

/* Floats from one row to the next: the last vector of a row may reach beyond it. */
VFI_INLINE int
search_pitch (int w)
{
  return (w + 2 * VFI_SEARCH_PAD + 2 * VFI_LANES - 1) / VFI_LANES * VFI_LANES;
}

/* Row y, from -VFI_SEARCH_PAD on, of a frame in grey; `to` is pixel 0. */
static void
search_grey_row (const VfiView *src, int y, float *to)
{
  y = CLAMP (y, 0, src->h - 1);
  for (int x = 0; x < src->w; x += VFI_LANES)
    *(Vec *) (to + x) = VFI_SEARCH_GREY * vec_load_pixels (src, y, x, 0, MIN (src->w - x, VFI_LANES));
  for (int i = 1; i <= VFI_SEARCH_PAD; i++) {
    to[-i] = to[0];
    to[src->w - 1 + i] = to[src->w - 1];
  }
}
