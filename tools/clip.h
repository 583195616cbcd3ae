/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Raw frames in memory for measurements: a moving texture, or a file's first frames.
 */
#pragma once

#include "vfi.h"

typedef struct
{
  VfiFrameInfo info;
  int n;
  gsize frame_bytes; /* planes one after the other, rows without padding */
  guint8 *data;
} ToolClip;

/* A texture that moves (3, 1) pixels a frame. NULL with VFI_ERROR_MEMORY. */
ToolClip *tool_clip_new (const VfiFrameInfo *info, int n, GError **error);
void tool_clip_free (ToolClip *clip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolClip, tool_clip_free)

/* Frame i; borrows. */
void tool_clip_frame (const ToolClip *clip, int i, VfiFrame *frame);

/* versus.c: seconds that FFmpeg's minterpolate took to double the frame rate of the clip (I420) and how many frames it made between the
 * given ones. */
gboolean tool_minterpolate (const ToolClip *clip, double *seconds, int *synthesized, GError **error);
/* The first n frames of a file, scaled, as I420; read by the ffmpeg program. */
ToolClip *tool_clip_read (const char *path, const VfiFrameInfo *info, int n, GError **error);
