/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Motion around and across holes.
 */
#pragma once

#include "frame.h"
#include "mask.h"
#include "membrane.h"

#define VFI_PYRAMID_LEVELS 4

/* Luma of a frame (0 to 255) and what of it is known (1, in holes 0), halved again and again. Each level is padded. */
typedef struct
{
  int w, h;
  float *luma, *known; /* of pixel (0, 0); rows are vfi_pyramid_stride apart */
} VfiPyramidLevel;

typedef struct
{
  int n;
  VfiPyramidLevel level[VFI_PYRAMID_LEVELS];
  float *memory;
} VfiPyramid;

gsize vfi_pyramid_bytes (int width, int height);
gboolean vfi_pyramid_init (VfiPyramid *p, int width, int height);
void vfi_pyramid_clear (VfiPyramid *p);
void vfi_pyramid_set (VfiPyramid *p, const VfiFrameInfo *info, const VfiFrame *frame, const VfiRegion *region);

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
 * the search begins with) by a smooth motion that the known pixels agree on, carried across the holes. `finest`: the level at which the search ends; 0 is the frame itself. */
void vfi_motion_refine (VfiMotion *m, const VfiPyramid *a, const VfiRegion *region_a, const VfiPyramid *b, const VfiRegion *region_b,
                        int finest, float *there, float *back);
