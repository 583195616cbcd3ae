/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A mask: what is to be removed from a frame, with pixels of its own. White is removed, whatever its size it lies over the whole frame.
 */
#pragma once

#include <gst/video/video.h>

#include "rects.h"
#include "vfi.h"

typedef struct
{
  VfiMask mask;            /* of the pixels below */
  guint8 *pixels;          /* row by row, without padding */
  gboolean white, black;   /* whether there are any such pixels */
  GstClockTime start, end; /* of a stream's: its running time; end may be GST_CLOCK_TIME_NONE */
} GstVfiMask;

/* Black; NULL if there is no memory. References may be taken and given back in any thread. */
GstVfiMask *gst_vfi_mask_new (int width, int height);
GstVfiMask *gst_vfi_mask_ref (GstVfiMask *mask);
void gst_vfi_mask_unref (GstVfiMask *mask);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVfiMask, gst_vfi_mask_unref)

/* Whether anything is to be removed. */
gboolean gst_vfi_mask_removes (const GstVfiMask *mask, gboolean invert);

/* Each writes all pixels. The frame has the mask's size. */
void gst_vfi_mask_from_grey (GstVfiMask *mask, const GstVideoFrame *frame);
void gst_vfi_mask_from_alpha (GstVfiMask *mask, const GstVideoFrame *frame); /* what is transparent is white */
void gst_vfi_mask_from_rects (GstVfiMask *mask, const GArray *rects);        /* of VfiRect: white */

/* From a file with a picture (or the first of a video) that GStreamer decodes: what is opaque where it has transparent parts, else what is bright.
 * An error is one of GST_RESOURCE_ERROR and names the file. */
GstVfiMask *gst_vfi_mask_load (const char *path, GError **error);

/* Makes an RGBA or BGRA frame opaque where the mask, of its size, removes. */
void gst_vfi_mask_make_opaque (const GstVfiMask *mask, gboolean invert, const GstVideoFrame *frame);
