/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Allocation: whose buffers are written to, in system memory or in CUDA memory.
 */
#pragma once

#include "cudamemory.h"

typedef struct
{
  gboolean any_strides; /* downstream takes GstVideoMeta */
  gboolean limited;     /* downstream's pool has no more than so many: whoever holds one and waits for another may wait for ever */
  guint keeps;          /* buffers that downstream keeps */
} GstVfiAllocation;

/* Puts into the answer of downstream's where synthesized frames go: its pool if it has one, of CUDA memory one of our own. Before the parent's. */
gboolean gst_vfi_allocation_decide (GstVfiAllocation *a, GstQuery *query, GstVfiCuda cuda, GstVfiCudaStream stream);
/* Tells upstream what to use: real frames go through as they are, so that may be what downstream can take. `held`: how many are held back at the
 * same time. After the parent's. */
gboolean gst_vfi_allocation_propose (const GstVfiAllocation *a, GstQuery *query, GstVfiCuda cuda, GstVfiCudaStream stream, guint held);
