/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Still pictures in memory: RGB, 8 bit, rows without padding; read and written through GStreamer.
 */
#pragma once

#include "vfi.h"

typedef struct
{
  int width, height;
  guint8 *data; /* height rows of 3 width bytes */
} ToolPicture;

ToolPicture *tool_picture_new (int width, int height);
void tool_picture_free (ToolPicture *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolPicture, tool_picture_free)

/* The first frame of any file GStreamer reads. */
ToolPicture *tool_picture_read (const char *path, GError **error);
gboolean tool_picture_write_png (const ToolPicture *p, const char *path, GError **error);

/* For libvfi; borrows the pixels. */
void tool_picture_frame (const ToolPicture *p, VfiFrameInfo *info, VfiFrame *frame);
