/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What around holes does not move as what goes behind them does.
 */
#pragma once

#include "pyramid.h"

/* Of the pixels around the region of frame b, whose number is `number`, that do not move as `back` has it (from b to the frame a before: what goes behind holes there), but
 * as `own`, as a flow network says, or not at all, b shows nothing for frames to come. */
void vfi_stray_hide (const VfiPyramid *a, const VfiRegion *region_a, const VfiPyramid *b, const VfiRegion *region_b, const float *own,
                     const float *back, VfiShown *shown, guint32 number);
