/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Load: what to give up when synthesis does not keep up, and how long it takes. Pure C.
 *
 * First synthesis becomes cheaper; if that does not do, frames that would be late are repeats, and where even a repeat would come
 * more than an input period late, nothing. Real frames are not asked about. What was given up comes back after a while in
 * time; each time that proves too early, the while gets longer.
 */
#pragma once

#include <glib.h>

typedef enum
{
  VFI_LOAD_FULL,
  VFI_LOAD_CHEAP, /* cheaper synthesis */
  VFI_LOAD_SPARE, /* and repeats */
} VfiLoadLevel;

typedef enum
{
  VFI_LOAD_SYNTHESIZE,
  VFI_LOAD_REPEAT,
  VFI_LOAD_SKIP,
} VfiLoadAction;

typedef struct
{
  VfiLoadLevel level;
  guint late, fine, patience; /* successive frames; fine ones that it takes to go up a level */
  guint samples, next_fall;
  guint64 synthesis; /* smoothed time of one frame, ns */
  guint64 announced; /* what the pipeline was told it takes, ns */
} VfiLoad;

/* Nothing is known but a guess of how long a frame will take. */
void vfi_load_init (VfiLoad *load, guint64 synthesis);
/* What to do for a frame that is `late` ns too late (negative: early), where an input frame lasts `period` ns. */
VfiLoadAction vfi_load_decide (VfiLoad *load, gint64 late, guint64 period);
/* A frame took this long. TRUE if `announced` had to change: it is at least the time synthesis takes, and after a while at most about three times. */
gboolean vfi_load_measure (VfiLoad *load, guint64 ns);
