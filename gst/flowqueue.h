/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The flow queue: the last frames of a stream, what flow they have, and which of them may leave.
 *
 * A frame has a partner `step` frames before it and one `step` frames after it, as far as the stream goes. When a frame comes in, flow
 * between it and the one before is worked out, both ways if both are asked for. A frame leaves when it has what it can have.
 */
#pragma once

#include "gstvfiflowmeta.h"
#include "picture.h"

typedef enum
{
  GST_VFI_FORWARD = 1,
  GST_VFI_BACKWARD = 2,
  GST_VFI_BOTH = 3,
} GstVfiDirection;

typedef struct
{
  GstVfiPicture *picture;
  GstVfiFlowMeta flow;   /* without its head */
  VfiFlowField field[2]; /* forward, backward: where its flow goes, in flow.data */
  guint64 number;        /* of the frame in the stream */
  gboolean ready, shown;
} GstVfiFlowEntry;

typedef struct
{
  /* Set before anything is pushed, and then only when it is empty. */
  GstVfiDirection direction;
  gboolean check; /* confidence from the way back */
  guint step;

  VfiFlow *session; /* NULL: not set up */
  VfiFrameInfo info;
  GQueue entries; /* of GstVfiFlowEntry, oldest first */
  double reach;   /* the flow scale that there is memory for */
  float *scratch; /* the other direction, where only the check wants it */
  guint64 number; /* of the next frame */
} GstVfiFlowQueue;

/* Makes the session fit; options->flow_scale is set. */
gboolean gst_vfi_flow_queue_setup (GstVfiFlowQueue *queue, const VfiFrameInfo *info, const VfiOptions *options, GstVfiBase *base,
                                   GError **error);
/* Takes the picture. *worked: whether flow was worked out. */
gboolean gst_vfi_flow_queue_push (GstVfiFlowQueue *queue, GstVfiPicture *picture, double flow_scale, gboolean *worked, GError **error);
/* No frame will come that has to do with those that came: all may leave. */
void gst_vfi_flow_queue_end (GstVfiFlowQueue *queue);
/* The next frame that may leave, NULL if there is none; it stays the queue's, and until the next push its partners do. */
GstVfiFlowEntry *gst_vfi_flow_queue_next (GstVfiFlowQueue *queue);
/* The frame that the forward or backward flow of an entry leads to. */
GstVfiFlowEntry *gst_vfi_flow_queue_partner (GstVfiFlowQueue *queue, const GstVfiFlowEntry *entry, gboolean backward);
/* Forgets the frames. */
void gst_vfi_flow_queue_clear (GstVfiFlowQueue *queue);
/* The session, too. */
void gst_vfi_flow_queue_close (GstVfiFlowQueue *queue);
