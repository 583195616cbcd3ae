/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The picture within a frame: what is left of it by the bars of a letterbox or a pillarbox. What a frame's area is says core/frame.h; here are the parts that C and CUDA share.
 */
#pragma once

#include <math.h>

#include "hd.h"

#define VFI_BAR_DARK 0.06f   /* luma of a bar, at most */
#define VFI_BAR_ALIKE 0.03f  /* by how much a bar's luma may differ */
#define VFI_BAR_BRIGHT 0.05f /* how much brighter than the bar is what is no bar, */
#define VFI_BAR_PART 0.25f   /* in so much of a line, */
#define VFI_BAR_MIXED 0.625f /* of which so much differs at all: where two rows of pixels make a line, one may be the bar's */
#define VFI_BAR_SOFT 4  /* lines between a bar and the picture that are neither: edges that are soft, and what coding leaves beside them */
#define VFI_BAR_LOOSE 1 /* lines of a bar that is trusted which the picture may be in: coding moves edges */
#define VFI_BAR_MOST 0.45f /* of all lines, at each edge */
#define VFI_BAR_FRAMES 4   /* in a row must have both bars of a pair where they are, */
#define VFI_BAR_APART 2    /* which differ by so many lines, */
#define VFI_BAR_PADDED 16  /* but for the grid's padding right and bottom */

enum
{
  VFI_TOP,
  VFI_LEFT,
  VFI_BOTTOM,
  VFI_RIGHT,
  VFI_SIDES
};

/* What is known of bars from frame to frame: lines of each side's, in the last one; of rows and of columns, how many frames had them so, up to VFI_BAR_FRAMES; and room to work. */
enum
{
  VFI_BARS_AGE = VFI_SIDES,
  VFI_BARS_FOUND = VFI_BARS_AGE + VFI_SIDES / 2,
  VFI_BARS = VFI_BARS_FOUND + VFI_SIDES
};

/* What is known of a bar, from the edge on. */
typedef struct
{
  int flat; /* lines that are the bar's own */
  int bar;  /* lines in all; 0: none, or not known yet */
} VfiBar;

/* Lines of a side's bar that is trusted; 0: of none. */
static inline VFI_HD int
vfi_bar_before (const float *bars, int begins, int side)
{
  return !begins && bars[VFI_BARS_AGE + side % 2] >= VFI_BAR_FRAMES ? (int) bars[side] : 0;
}

/* Line i, counted from the edge, of `samples` samples: so many are unlike the bar's first, and so many much brighter. A bar that is trusted has `before` lines: until the picture is in it, whatever else is (subtitles),
 * it has them still. FALSE: more need not be looked at. */
static inline VFI_HD int
vfi_bar_line (VfiBar *b, int before, int i, int samples, int unlike, int bright)
{
  if (bright >= VFI_BAR_PART * samples && unlike >= VFI_BAR_MIXED * samples) { /* the picture */
    b->bar = b->flat && i - b->flat <= VFI_BAR_SOFT ? i : 0;
    return 0;
  }
  b->flat += !unlike && b->flat == i;
  if (before > 0 && i + 1 + VFI_BAR_LOOSE >= before) {
    b->bar = before;
    return 0;
  }
  return before > 0 || i - b->flat < VFI_BAR_SOFT;
}

/* Takes what was found in a frame, on a grid of h x w, into what is known; and the frame's area by that. */
static inline VFI_HD void
vfi_bars_next (float *bars, int begins, int h, int w, float *area)
{
  const float *found = bars + VFI_BARS_FOUND;

  for (int near = 0; near < VFI_BOTTOM; near++) {
    const int far = near + VFI_BOTTOM;
    const float more = found[far] - found[near];
    const int alike = found[near] > 0 && found[far] > 0 && more >= -VFI_BAR_APART && more <= VFI_BAR_APART + VFI_BAR_PADDED;
    const int same = !begins && bars[near] == found[near] && bars[far] == found[far];
    const float age = !alike ? 0 : same ? fminf (bars[VFI_BARS_AGE + near] + 1, VFI_BAR_FRAMES) : 1;

    bars[near] = found[near];
    bars[far] = found[far];
    bars[VFI_BARS_AGE + near] = age;
    area[near] = age >= VFI_BAR_FRAMES ? found[near] : 0;
    area[far] = (float) (near == VFI_TOP ? h : w) - (age >= VFI_BAR_FRAMES ? found[far] : 0);
  }
}

/* A side of what both frames' areas have in common: what is a bar in either is no picture between them. */
static inline VFI_HD float
vfi_area_side (float area0, float area1, int side)
{
  return side < VFI_BOTTOM ? fmaxf (area0, area1) : fminf (area0, area1);
}

/* The same, where areas are in pixels of a grid of h x w, as a part of it. */
static inline VFI_HD float
vfi_within_side (float area0, float area1, int side, int h, int w)
{
  return vfi_area_side (area0, area1, side) / (side % 2 ? w : h);
}

/* Those parts, or, of what has none, all. */
static inline const float *
vfi_part (const void *within)
{
  static const float all[VFI_SIDES] = { 0, 0, 1, 1 };

  return within ? (const float *) within : all;
}

/* The first of a plane's n lines that lies in this cell of the state's grid or behind it, where k samples of the scaled picture are one line. */
static inline VFI_HD int
vfi_area_line (float cell, float k, int n)
{
  return (int) fminf (fmaxf (ceilf (2 * cell / k - 0.5f), 0), (float) n);
}
