/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A tensor between its pixels, for references.
 */
#pragma once

#include <math.h>

#include "tensor.h"

/* Channel c, bilinear, at (x, y), clamped to the border. */
static inline float
vfi_view_bilinear (const VfiView *v, int c, float y, float x)
{
  int ix, iy, jx, jy;
  float fx, fy, top, bottom;

  x = fminf (fmaxf (x, 0), v->w - 1);
  y = fminf (fmaxf (y, 0), v->h - 1);
  ix = x;
  iy = y;
  fx = x - ix;
  fy = y - iy;
  jx = MIN (ix + 1, v->w - 1);
  jy = MIN (iy + 1, v->h - 1);
  top = (1 - fx) * vfi_view_get (v, iy, ix, c) + fx * vfi_view_get (v, iy, jx, c);
  bottom = (1 - fx) * vfi_view_get (v, jy, ix, c) + fx * vfi_view_get (v, jy, jx, c);
  return (1 - fy) * top + fy * bottom;
}
