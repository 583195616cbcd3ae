/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A picture: a real frame that came in, mapped for reading for as long as somebody needs its pixels. Its buffer goes out again
 * without a copy, and nobody writes to memory that is mapped here.
 */
#pragma once

#include "gstvfibase.h"

typedef struct
{
  GstBuffer *buffer;
  GstVideoFrame map;
  VfiFrame frame; /* the planes of the map */
} GstVfiPicture;

/* Takes the buffer, in every case. NULL if it cannot be mapped as a frame of the element's caps. */
GstVfiPicture *gst_vfi_picture_new (GstBuffer *buffer, GstVfiBase *base);
GstVfiPicture *gst_vfi_picture_ref (GstVfiPicture *p);
void gst_vfi_picture_unref (GstVfiPicture *p);

/* The picture to be pushed, for the first time or `again`: the very buffer that came in, if nobody else holds it, else one that shares its
 * memory. Shown again it is without what belongs to one frame only. */
GstBuffer *gst_vfi_picture_show (GstVfiPicture *p, gboolean again);
