/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Luma of frames (of RGB, green) at several sizes, and what of it is known.
 */
#pragma once

#include "mask.h"
#include "vfi.h"

#define VFI_PYRAMID_LEVELS 4
#define VFI_PYRAMID_PAD 16 /* pixels around each level: the nearest one's luma, not known */

/* Luma of a frame (0 to 255) and what of it is known (1, in holes 0), halved again and again. */
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

static inline int
vfi_pyramid_stride (const VfiPyramidLevel *l)
{
  return l->w + 2 * VFI_PYRAMID_PAD;
}

gsize vfi_pyramid_bytes (int width, int height);
gboolean vfi_pyramid_init (VfiPyramid *p, int width, int height);
void vfi_pyramid_clear (VfiPyramid *p);
void vfi_pyramid_set (VfiPyramid *p, const VfiFrameInfo *info, const VfiFrame *frame, const VfiRegion *region);
