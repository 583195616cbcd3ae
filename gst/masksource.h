/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The mask source: which of all that may say what is to be removed does, and the mask that it has for a frame.
 */
#pragma once

#include "maskpad.h"

typedef enum
{
  GST_VFI_FROM_AUTO,
  GST_VFI_FROM_PAD,
  GST_VFI_FROM_LOCATION,
  GST_VFI_FROM_RECTS,
  GST_VFI_FROM_ALPHA,
  GST_VFI_FROM_ROI,
  GST_VFI_FROM_ANALYTICS,
} GstVfiMaskKind;

typedef struct
{
  /* Properties. */
  int kind;       /* GstVfiMaskKind; only in READY, as the next */
  char *location; /* of a file */
  char *rects;    /* object lock, as the next */
  char *type;     /* of detected regions; NULL or "": any */

  /* Streaming thread. */
  GstVfiMask *image;   /* of the file */
  GstVfiMask *drawn;   /* of the frame's size, with what the array holds drawn in it */
  GArray *drawn_rects; /* NULL: something else, or nothing */
  GArray *parsed;      /* what `parsed_text` says */
  char *parsed_text;
} GstVfiMaskSource;

/* Before the first frame: reads the file, checks the rectangles. */
gboolean gst_vfi_mask_source_open (GstVfiMaskSource *source, GstObject *lock, GError **error);
/* New caps. `pad`: there is a mask pad. */
gboolean gst_vfi_mask_source_setup (GstVfiMaskSource *source, const GstVideoInfo *info, gboolean pad, GError **error);
void gst_vfi_mask_source_close (GstVfiMaskSource *source);
void gst_vfi_mask_source_clear (GstVfiMaskSource *source); /* the strings, too */

/* What is to be removed from a frame that is shown at running time `time`; to be unreffed. *mask is NULL where there is nothing that says so. Automatic is
 * the pad if there is one, else the file, else the rectangles if they are set (also to none), else detected regions. Waits for a mask that comes through
 * the pad, with its patience. GST_FLOW_FLUSHING if that was unlocked, GST_FLOW_ERROR if there is no memory. */
GstFlowReturn gst_vfi_mask_source_find (GstVfiMaskSource *source, GstObject *lock, GstVfiMaskPad *pad, GstClockTime time, GstBuffer *buffer,
                                        const GstVideoFrame *frame, GstVfiMask **mask);
