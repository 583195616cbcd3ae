/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Motion that goes on: what was seen to move, when it went behind a mask, moves on there.
 */
#pragma once

#include "mask.h"

#define VFI_CARRY_UNIT 64          /* to a pixel */
#define VFI_CARRY_NONE G_MAXUINT16 /* an age: nothing is known */

/* How a pixel moves. */
typedef struct
{
  gint16 u, v; /* 1 / VFI_CARRY_UNIT pixels a frame */
  guint16 age; /* frames since it was seen */
} VfiCarried;

/* How the motion of a pixel that is seen has changed from one frame to the next, in pixels: it was u, v, and is u + du, v + dv. */
typedef struct
{
  float u, v, du, dv, weight;
} VfiChange;

/* {0} to begin with. */
typedef struct
{
  gsize size;             /* pixels */
  VfiCarried *now, *next; /* of the frame that is left, and of the one that is gone to */
} VfiCarry;

void vfi_carry_clear (VfiCarry *c);
/* Enough for frames of a size, of which nothing is known then. */
gboolean vfi_carry_reserve (VfiCarry *c, int width, int height);
gsize vfi_carry_bytes (const VfiCarry *c);
/* Forgets all. */
void vfi_carry_reset (VfiCarry *c);

/* What is seen at a pixel moves as it did; FALSE if that was not seen. Pixels. */
gboolean vfi_carry_seen (const VfiCarry *c, gsize pixel, float motion[2]);
/* Pushes what is known of the pixels of a window on, to where the next frame's region hides them. Motion changes as that of what moved alike does. */
void vfi_carry_push (VfiCarry *c, const VfiBox *window, const VfiChange *change, int n, const VfiRegion *next);
/* Mean motion of what is known of the pixels of a box, of the frame that is left or, if `next`, of the one that is gone to, in pixels, and what it
 * weighs: from 1, if it was seen just now, down to 0, if too little is known. */
float vfi_carry_mean (const VfiCarry *c, gboolean next, int width, const VfiBox *box, float motion[2]);
/* Takes down how what is seen in a window of frame b moves, of flow from a to b, and back. */
void vfi_carry_see (VfiCarry *c, const VfiBox *window, const VfiRegion *a, const VfiRegion *b, const float *there, const float *back);
/* On to the next frame. */
void vfi_carry_step (VfiCarry *c);
