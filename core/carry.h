/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Motion that goes on: what was seen to move, when it went behind a mask, moves on there.
 */
#pragma once

#include "layers.h"
#include "mask.h"

#define VFI_CARRY_UNIT 64         /* to a pixel */
#define VFI_CARRY_NONE G_MAXUINT8 /* an age: nothing is known */

/* How a pixel moves. */
typedef struct
{
  gint16 u, v;  /* 1 / VFI_CARRY_UNIT pixels a frame */
  guint8 age;   /* frames since it was seen */
  guint8 layer; /* that it moves with; 0: it moves on its own */
} VfiCarried;

/* {0} to begin with. */
typedef struct
{
  gsize size;             /* pixels */
  VfiCarried *now, *next; /* of the frame that is left, and of the one that is gone to */
  VfiLayers layers;
} VfiCarry;

void vfi_carry_clear (VfiCarry *c);
/* Enough for frames of a size, of which nothing is known then. */
gboolean vfi_carry_reserve (VfiCarry *c, int width, int height);
gsize vfi_carry_bytes (const VfiCarry *c);
/* Forgets all. */
void vfi_carry_reset (VfiCarry *c);

/* How what a sample is of moved before, and with what, as far as that was seen. */
void vfi_carry_seen (const VfiCarry *c, gsize pixel, VfiSample *sample);
/* From samples of what is seen around a hole to the layers that move there now; and pushes what is known of the pixels of a window on with them, to
 * where the next frame's region hides them. What moves on its own changes its motion as what moved alike does. */
void vfi_carry_push (VfiCarry *c, const VfiBox *window, VfiSample *sample, int n, const VfiRegion *next);
/* Mean motion of what is known of the pixels of a box, of the frame that is left or, if `next`, of the one that is gone to, in pixels, and what it
 * weighs: from 1, if it was seen just now, down to 0, if too little is known. */
float vfi_carry_mean (const VfiCarry *c, gboolean next, int width, const VfiBox *box, float motion[2]);
/* Takes down how what is seen in a window of frame b moves, of flow from a to b, and back; and what moves with a layer, moves as that does from now
 * on in `there`, and behind the mask of b in `back`. */
void vfi_carry_see (VfiCarry *c, const VfiBox *window, const VfiRegion *a, const VfiRegion *b, float *there, float *back);
/* On to the next frame. */
void vfi_carry_step (VfiCarry *c);
