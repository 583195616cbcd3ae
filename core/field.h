/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fields of two interleaved channels, such as flow, between their samples.
 */
#pragma once

#include <glib.h>

/* Bilinear, of a field of w x h, at a position inside of it: 0 <= x <= w - 1, 0 <= y <= h - 1. */
static inline void
vfi_field_at (const float *field, int w, int h, float x, float y, float out[2])
{
  const int ix = (int) x, iy = (int) y;
  const float wx = x - ix, wy = y - iy;
  const float *top = field + 2 * ((gsize) iy * w + ix), *bottom = iy + 1 < h ? top + 2 * (gsize) w : top;
  const int right = ix + 1 < w ? 2 : 0;

  for (int c = 0; c < 2; c++)
    out[c] = (1 - wy) * (top[c] + wx * (top[right + c] - top[c])) + wy * (bottom[c] + wx * (bottom[right + c] - bottom[c]));
}
