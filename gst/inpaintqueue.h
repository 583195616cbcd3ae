/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inpainting queue: the session that takes things out of frames, and the frames that wait in it with what they need to leave.
 */
#pragma once

#include "mask.h"

/* A frame that waits to leave. */
typedef struct
{
  GstBuffer *buffer;
  GstVfiMask *mask; /* NULL: it leaves as it is */
} GstVfiInpaintEntry;

typedef struct
{
  VfiInpaint *session; /* NULL: not set up */
  VfiInpaintOptions options;
  VfiFrameInfo info;
  GQueue waiting; /* of GstVfiInpaintEntry, oldest first */
  gboolean ended; /* no frame follows those that wait */
} GstVfiInpaintQueue;

/* What was done so far. */
typedef struct
{
  char *model; /* for what no frame shows */
  guint64 in, out, masked;
  guint64 removed, past, future, spatial; /* pixels */
  guint64 last, total;                    /* ns, of frames with a mask */
} GstVfiInpaintTally;

/* The frame with a mask that the session has given last took this long. */
void gst_vfi_inpaint_tally_add (GstVfiInpaintTally *tally, const VfiInpaint *session, GstClockTime time);
void gst_vfi_inpaint_tally_tell (const GstVfiInpaintTally *tally, GstStructure *s);

/* New frames, of another size or format, or options that change only here: nothing may wait. What was remembered is forgotten. */
gboolean gst_vfi_inpaint_queue_setup (GstVfiInpaintQueue *queue, const VfiFrameInfo *info, const VfiOptions *options, GError **error);
/* From the next frame on: dilate, feather, invert, scene_threshold; all, if there is no session yet. */
gboolean gst_vfi_inpaint_queue_set_options (GstVfiInpaintQueue *queue, const VfiInpaintOptions *options, GError **error);
/* Refs the buffer, whose planes `frame` is, and the mask. NULL: nothing is to be removed from it. */
gboolean gst_vfi_inpaint_queue_push (GstVfiInpaintQueue *queue, GstBuffer *buffer, const VfiFrame *frame, GstVfiMask *mask, GError **error);
/* No frame follows for now: all may leave, until the next one is pushed. */
void gst_vfi_inpaint_queue_end (GstVfiInpaintQueue *queue);
/* The next frame that may leave, NULL if there is none. It stays the queue's, and has to be pulled. */
const GstVfiInpaintEntry *gst_vfi_inpaint_queue_next (GstVfiInpaintQueue *queue);
/* Writes that frame. NULL: its own buffer will do. */
gboolean gst_vfi_inpaint_queue_pull (GstVfiInpaintQueue *queue, VfiFrame *dst, GError **error);
/* Drops the frame that was pulled. */
void gst_vfi_inpaint_queue_pop (GstVfiInpaintQueue *queue);
/* Forgets the frames. */
void gst_vfi_inpaint_queue_clear (GstVfiInpaintQueue *queue);
/* The session, too. */
void gst_vfi_inpaint_queue_close (GstVfiInpaintQueue *queue);
