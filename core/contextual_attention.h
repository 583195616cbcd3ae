/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Constants of operator contextual_attention, and how its places follow one another.
 */
#pragma once

#include "hd.h"

#define VFI_ATTENTION_SCALE 10.f
#define VFI_ATTENTION_LEAST 1e-4f
#define VFI_ATTENTION_PLACES 16384 /* at most: their square is kept twice */

/* The place d behind i of h x w, numbered row by row, where they are counted row by row or, if `columns`, column by column; -1: there is none. */
static VFI_HD inline int
vfi_attention_next (int i, int d, int h, int w, int columns)
{
  const int k = (columns ? i % w * h + i / w : i) + d;

  return k < 0 || k >= h * w ? -1 : columns ? k % h * w + k / h : k;
}
