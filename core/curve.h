/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How motion bends, of operator curve: its constants (net.py: CURVE_...) and what its implementations compute of one pixel.
 */
#pragma once

#include <math.h>

#include "hd.h"

#define VFI_CURVE_ALONE 0.7f  /* of what one neighbour says counts so much */
#define VFI_CURVE_STEADY 0.6f /* an acceleration that is such a part of the velocities counts half */
#define VFI_CURVE_SMALL 0.25f /* pixels of the state's grid, added to that */

/* An acceleration by the velocities v0, v1 of two intervals next to each other, of which the other one lasts `lasts` times as long: the derivative of a parabola, and less the more it changes. What is near, as frames before a hole
 * are, is believed the more: how fast things go at the hole's ends is known then. */
static VFI_HD inline void
vfi_curve_change (float v0x, float v0y, float v1x, float v1y, float lasts, float a[2])
{
  const float k = 2 / (1 + lasts), x = k * (v1x - v0x), y = k * (v1y - v0y);
  const float speed = sqrtf (v0x * v0x + v0y * v0y) + sqrtf (v1x * v1x + v1y * v1y);
  const float much = VFI_CURVE_STEADY * speed / lasts + VFI_CURVE_SMALL, gate = 1 / (1 + (x * x + y * y) / (much * much));

  a[0] = gate * x;
  a[1] = gate * y;
}

/* What the accelerations before and after weigh at time t, by how long they last; there is one where it lasts. */
static VFI_HD inline void
vfi_curve_weights (float t, float before, float after, float w[2])
{
  const float both = t * (1 - t) / 2, one = VFI_CURVE_ALONE * both, later = (t + before) / (1 + before + after);

  w[0] = !(before > 0) ? 0 : after > 0 ? both * (1 - later) : one;
  w[1] = !(after > 0) ? 0 : before > 0 ? both * later : one;
}
