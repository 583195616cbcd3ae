/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * References made into pixels.
 */
#pragma once

#include "membrane.h"
#include "trace.h"
#include "vfi.h"

/* Memory for painting, kept between calls; {0} to begin with. */
typedef struct
{
  VfiMembrane membrane;
  gsize size;
  float *value, *change, *rest, *step, *known; /* one piece of memory, with */
  guint8 *state;
} VfiPainter;

void vfi_painter_clear (VfiPainter *p);
gboolean vfi_painter_reserve (VfiPainter *p, const VfiRegion *region);
gsize vfi_painter_bytes (const VfiPainter *p);

/* Fills the region of `frame` in: with what `trace` chose, matched to its surroundings; smoothly where there is nothing, or (trace NULL)
 * everywhere. `shown`, if it is not NULL, is a copy of the frame before that: it gets the fill blended in by the marks. Samples that are no part of
 * the picture (alpha) stay. What it needs must be reserved. */
void vfi_paint (VfiPainter *p, const VfiFrameInfo *info, const VfiRegion *region, const VfiTrace *trace, const VfiSources *sources,
                const VfiFrame *frame, const VfiFrame *shown);
