/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Still pictures in memory: RGB, 8 bit, rows without padding; read and written through GStreamer.
 */
#pragma once

#include <gst/gst.h>

#include "vfi.h"

typedef struct
{
  int width, height;
  guint8 *data; /* height rows of 3 width bytes */
} ToolPicture;

ToolPicture *tool_picture_new (int width, int height);
void tool_picture_free (ToolPicture *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolPicture, tool_picture_free)

/* Of RGB; NULL if it is not. */
ToolPicture *tool_picture_from_sample (GstSample *sample);
/* The first frame of any file GStreamer reads. */
ToolPicture *tool_picture_read (const char *path, GError **error);
/* The same, scaled: with averaging, or, if `nearest`, without (masks). */
ToolPicture *tool_picture_read_scaled (const char *path, int width, int height, gboolean nearest, GError **error);
gboolean tool_picture_write_png (const ToolPicture *p, const char *path, GError **error);

/* Copies src into p, its corner to (x, y); all of it must fit. */
void tool_picture_paste (ToolPicture *p, const ToolPicture *src, int x, int y);

/* For libvfi; borrows the pixels. */
void tool_picture_frame (const ToolPicture *p, VfiFrameInfo *info, VfiFrame *frame);
