/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What no frame shows, made up by a network.
 */
#pragma once

#include "membrane.h"
#include "network.h"
#include "trace.h"
#include "vfi.h"

#define VFI_FILL_SIZE 256 /* the network's picture, each way */

typedef struct
{
  VfiNetwork *network;
  float *in, *out; /* of the network */
  VfiMembrane membrane;
  float *weight; /* of what the network sees, for it */
  float *crop;   /* a part of the frame */
  gsize crop_size;
} VfiFill;

/* Takes the network. NULL: no memory, and the network is freed. */
VfiFill *vfi_fill_new (VfiNetwork *network, GError **error);
void vfi_fill_free (VfiFill *f);
gsize vfi_fill_bytes (const VfiFill *f);

/* TRUE if a frame has more than slivers without references. */
gboolean vfi_fill_wanted (const VfiRegion *region, const VfiTrace *trace);
/* Makes up what has no reference, from a frame whose holes are filled in somehow, and writes it to `made` (the surroundings too, where that
 * is); the references are to frame `number` from then on. */
gboolean vfi_fill_run (VfiFill *f, const VfiFrameInfo *info, const VfiRegion *region, VfiTrace *trace, const VfiFrame *frame,
                       const VfiFrame *made, guint32 number, GError **error);
