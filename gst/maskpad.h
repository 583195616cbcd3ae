/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The mask pad: a sink pad that takes a stream of masks, GRAY8, and knows which of them holds at a running time.
 *
 * A mask holds from its time until the next one's, whatever its duration says; so does the last one after the stream's end, and through its gaps.
 * Before the first there is none. Masks may come sooner than the frames they belong to, up to a few, then their stream waits; or
 * later, then the frame does: until it is known which mask holds, that is until one has come that ends after the frame's time or
 * begins after it, or a gap, the stream's end, or the pad's.
 */
#pragma once

#include "mask.h"

#define GST_TYPE_VFI_MASK_PAD (gst_vfi_mask_pad_get_type ())
G_DECLARE_FINAL_TYPE (GstVfiMaskPad, gst_vfi_mask_pad, GST, VFI_MASK_PAD, GstPad)

GstPadTemplate *gst_vfi_mask_pad_template (void);

/* What an element does that has one such pad, in `slot` under its object lock: a reference or NULL; the request and the release. */
GstVfiMaskPad *gst_vfi_mask_pad_of (GstElement *element, GstVfiMaskPad **slot);
GstPad *gst_vfi_mask_pad_request (GstElement *element, GstPadTemplate *template, GstClockTime patience, GstVfiMaskPad **slot);
void gst_vfi_mask_pad_release (GstElement *element, GstPad *pad, GstVfiMaskPad **slot);

/* The mask that holds at this running time, to be unreffed, or NULL. Times never go back but after unlocking. Waits until it is known, but not
 * longer than to when the pipeline's clock is its patience past that running time; an answer may change that meanwhile. FALSE: unlocked meanwhile. */
gboolean gst_vfi_mask_pad_take (GstVfiMaskPad *pad, GstClockTime time, GstVfiMask **mask);
/* Masks up to this running time are not wanted, but for the last; GST_CLOCK_TIME_NONE: none is, ever. */
void gst_vfi_mask_pad_advance (GstVfiMaskPad *pad, GstClockTime time);
/* Ends a wait, and makes the next ones end at once, until it is locked again. */
void gst_vfi_mask_pad_unlock (GstVfiMaskPad *pad, gboolean unlock);
/* While held, frames get the last mask again and wait for none: between the masks' flush and their own, theirs are not those that come. */
void gst_vfi_mask_pad_hold (GstVfiMaskPad *pad, gboolean hold);
/* Adds to an answered LATENCY query of the frames: where they or the masks are live, frames wait for the later of the two, and `grace` longer for a mask
 * that is late itself. Returns, and tells the pad, its patience: how long after its running time a frame waits; GST_CLOCK_TIME_NONE: as long as it takes.
 * Without a pad (NULL) nothing is added, but one may be requested, with that patience, before latency is asked for again. */
GstClockTime gst_vfi_mask_pad_answer (GstVfiMaskPad *pad, GstQuery *query, GstClockTime grace);

/* The part of a span of stream that lies in the segment, in running time, also where it is played backwards. FALSE: none. A duration may be
 * GST_CLOCK_TIME_NONE, and then the end is. */
gboolean gst_vfi_running_span (const GstSegment *segment, GstClockTime pts, GstClockTime duration, GstClockTime *start, GstClockTime *end);
