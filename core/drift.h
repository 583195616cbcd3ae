/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How far references have drifted, and back again.
 */
#pragma once

#include "membrane.h"
#include "trace.h"
#include "vfi.h"

/* Memory, kept between calls; {0} to begin with. */
typedef struct
{
  VfiMembrane membrane;
  gsize size;
  void *memory;
} VfiDrift;

void vfi_drift_clear (VfiDrift *d);
gboolean vfi_drift_reserve (VfiDrift *d, const VfiRegion *region);
gsize vfi_drift_bytes (const VfiDrift *d);

/* Moves references of a frame's region, past and ahead, to where the pixels around the hole say that they belong, and says how far off what they give
 * remains to be. What it needs must be reserved. */
void vfi_drift_correct (VfiDrift *d, const VfiFrameInfo *info, const VfiRegion *region, VfiTrace *trace, const VfiSources *sources,
                        const VfiFrame *frame);
