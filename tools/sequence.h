/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sequences of pictures with masks, NAME/frames and NAME/masks, as data sets for inpainting have them.
 */
#pragma once

#include "picture.h"

typedef struct
{
  char *name;
  GPtrArray *frame_files, *mask_files; /* of char *, in order */
  /* read on demand; all of one size */
  GPtrArray *frames; /* of ToolPicture */
  GPtrArray *masks;  /* of guint8 *: one byte a pixel, 255 in the object, 0 elsewhere */
} ToolSequence;

/* All in dir and below, by name. NULL with an error if there is none. */
GPtrArray *tool_sequences_find (const char *dir, GError **error);

/* Read and scale what was not read yet, at most `limit` of them (0: all). Masks: whatever is not (nearly) black is the object, unless that is more
 * than half of all there is: then it is the other way round, and a warning says so. */
gboolean tool_sequence_read_frames (ToolSequence *s, int width, int height, int limit, GError **error);
gboolean tool_sequence_read_masks (ToolSequence *s, int width, int height, GError **error);
/* Frees the frames. */
void tool_sequence_forget_frames (ToolSequence *s);
