/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where what a mask covers was seen: for each pixel a reference to a place in a frame, handed on from frame to frame.
 *
 * A reference is a position, never a colour: colours are sampled once, where the chain ends, so that nothing gets blurred on the way.
 */
#pragma once

#include "mask.h"

typedef enum
{
  VFI_REF_NONE,
  VFI_REF_MADE, /* to what was made up in a frame */
  VFI_REF_KEPT, /* to a frame's copy of what an older or a later one shows */
  VFI_REF_SEEN, /* to what a frame shows */
} VfiRefKind;

static inline gboolean
vfi_ref_real (guint32 kind)
{
  return kind >= VFI_REF_KEPT;
}

typedef struct
{
  float x, y;     /* in the frame it refers to */
  float cost;     /* how far forward and backward flows were apart on the way, in pixels, summed */
  float slope[4]; /* where a neighbour's would be: dx / dx, dx / dy, dy / dx, dy / dy */
  guint32 frame;  /* number of the frame; they count from 0; differences are signed, the oldest may lie before 0 */
  guint32 kind;
  float doubt; /* how far what it gives seems off: mean square of the difference to what is seen around it, over the variance of that */
} VfiRef;

#define VFI_WRONG 0.12f /* doubt from which on what was seen may be something else */

static inline gboolean
vfi_ref_trusted (const VfiRef *ref)
{
  return vfi_ref_real (ref->kind) && ref->doubt <= VFI_WRONG;
}

#define VFI_NO_SLOPE                                                                                                                       \
  {                                                                                                                                        \
    1, 0, 0, 1                                                                                                                             \
  }

/* What references are to: frames by their numbers. */
typedef struct
{
  gpointer data;
  const VfiFrame *(*frame) (gpointer data, guint32 number);
  const VfiRegion *(*region) (gpointer data, guint32 number); /* NULL if nothing of the frame is still to be filled in */
} VfiSources;

/* One step of a pixel: where it lies in the neighbouring frame. */
typedef struct
{
  float x, y;
  float apart; /* of the two flows; below 0: not to be followed */
} VfiStep;

/* Of one frame, a value for each pixel of its region's boxes (vfi_region_index). */
typedef struct
{
  guint32 number;  /* of the frame */
  gsize size;      /* pixels that there is memory for */
  gboolean linked; /* `back` leads to the frame before */
  guint32 reach;   /* `ahead` has been followed up to this frame */
  VfiStep *back;
  VfiRef *past, *ahead, *chosen;
} VfiTrace;

void vfi_trace_clear (VfiTrace *t);
gboolean vfi_trace_reserve (VfiTrace *t, gsize pixels);
/* Begins a frame: no references, not linked. */
void vfi_trace_begin (VfiTrace *t, const VfiRegion *region, guint32 number);

/* The step back of each pixel. `back` leads from this frame to the one before, `there` the other way; both are whole fields of the
 * frame's size that make sense in the holes too. */
void vfi_trace_link (VfiTrace *t, const VfiRegion *region, const float *back, const float *there);

/* References into the past: what the frame before shows, else its own references. Sources older than `oldest` are given up for the
 * frame before, which has been completed. `chosen` of the frame before must be there. `shown` knows of all frames from `oldest` on. */
void vfi_trace_past (VfiTrace *t, const VfiRegion *region, const VfiTrace *before, const VfiRegion *region_before, const VfiShown *shown,
                     guint32 oldest);

/* Follows what is not yet found one frame further, into frame `number`, whose neighbour before it is the one that was reached last. */
void vfi_trace_ahead (VfiTrace *t, const VfiRegion *region, guint32 number, const VfiRegion *region_there, const float *there,
                      const float *back);

/* Of past and future the nearer in time, unless more speaks against it; what was seen rather than what was made up. What seems to be wrong, and what
 * was made up and does not fit any more, is not chosen, but stays in `past` and `ahead`: frames to come may find it right. */
void vfi_trace_choose (VfiTrace *t, const VfiRegion *region);
