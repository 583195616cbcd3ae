/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What lies over a picture that moves, of operator overlay: its constants (net.py: OVERLAY_...) and what its implementations compute of one pixel.
 */
#pragma once

#include <math.h>

#include "hd.h"

#define VFI_OVERLAY_STAYS 0.03f /* luma: what differs by less stays; by CHANGES, it does not */
#define VFI_OVERLAY_CHANGES 0.06f
#define VFI_OVERLAY_LITTLE 0.03f /* luma: by so much more than it does a pixel should differ to count, by MUCH to count one */
#define VFI_OVERLAY_MUCH 0.08f
#define VFI_OVERLAY_AGAIN 2.f  /* times what it differs by is taken off first */
#define VFI_OVERLAY_ENOUGH 3.f /* counts that prove nothing yet; one more proves it */
#define VFI_OVERLAY_MOST 6.f   /* counts that are remembered */

/* How often a pixel has stayed that should have changed, after a pair in which it differs by `stays` and what moves there would have it differ by `moves`. */
static VFI_HD inline float
vfi_overlay_count (float before, float stays, float moves)
{
  const float count = (moves - VFI_OVERLAY_AGAIN * stays - VFI_OVERLAY_LITTLE) / (VFI_OVERLAY_MUCH - VFI_OVERLAY_LITTLE);
  const float keeps = (VFI_OVERLAY_CHANGES - stays) / (VFI_OVERLAY_CHANGES - VFI_OVERLAY_STAYS);

  return fminf (fmaxf (keeps, 0), 1) * fminf (before + fminf (fmaxf (count, 0), 1), VFI_OVERLAY_MOST);
}

/* Whether that many say that it lies over the picture, 0 to 1. */
static VFI_HD inline float
vfi_overlay_proven (float count)
{
  return fminf (fmaxf (count - VFI_OVERLAY_ENOUGH, 0), 1);
}
