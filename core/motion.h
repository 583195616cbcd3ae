/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Motion around and across holes.
 */
#pragma once

#include "carry.h"
#include "complete.h"
#include "membrane.h"
#include "pyramid.h"

#define VFI_MOTION_AROUND 28 /* pixels around the boxes: what is looked at there */

/* Memory for the search, kept between calls; {0} to begin with. */
typedef struct
{
  VfiMembrane membrane;
  gsize size;
  void *memory;
} VfiMotion;

void vfi_motion_clear (VfiMotion *m);
/* Enough for frames of a size. */
gboolean vfi_motion_reserve (VfiMotion *m, int width, int height);
gsize vfi_motion_bytes (const VfiMotion *m);

/* Around the regions of two frames, replaces `there` (from a to b) and `back` (whole fields of the frame's size, as a flow network says, which
 * the search begins with) by a smooth motion that the known pixels agree on, carried across the holes: smoothly, or as `complete` (NULL: none) has it.
 * `carry`: what is of one of its layers moves as that does; afterwards it is of b. `on` (there, back), which begins as they do and may be they: the
 * same, but what went behind a mask moves on in it as `carry` knows. Without `carry` (NULL), there is no `on`.
 * `finest`: the level at which the search ends; 0 is the frame itself. FALSE only if the network fails. */
gboolean vfi_motion_refine (VfiMotion *m, const VfiPyramid *a, const VfiRegion *region_a, const VfiPyramid *b, const VfiRegion *region_b,
                            int finest, VfiComplete *complete, float *there, float *back, VfiCarry *carry, float *const on[2],
                            GError **error);
