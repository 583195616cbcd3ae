/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Places blocks with known lifetimes in one buffer, so that blocks that never live at the same time share its bytes.
 */
#pragma once

#include <glib.h>

#define VFI_ARENA_ALIGN 64

typedef struct
{
  gsize bytes;
  int first, last; /* alive from step `first` to step `last`, both included; where steps run one after the other */
  gsize offset;    /* the result, a multiple of VFI_ARENA_ALIGN */
} VfiBlock;

/* Whether blocks i and j never live at the same time. */
typedef gboolean (*VfiApart) (gconstpointer data, int i, int j);

/* Sets all offsets; `apart` NULL: as first and last say. Returns the size of the buffer, G_MAXSIZE if it does not fit the address space. */
gsize vfi_arena_place (VfiBlock *blocks, int n, VfiApart apart, gconstpointer data);
