/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pictures of one kind in a folder, one for each frame, in the order of their names, as multifilesrc reads them.
 */
#pragma once

#include "tool.h"

typedef struct
{
  char *links, *location; /* a folder of our own, of links to the pictures; what it is for multifilesrc */
  const char *caps;       /* "image/png" */
  guint n;
} ToolFrames;

/* FALSE with an error if there are none, or of more than one kind. tool_frames_clear in any case. */
gboolean tool_frames_open (ToolFrames *f, const char *dir, GError **error);
void tool_frames_clear (ToolFrames *f);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolFrames, tool_frames_clear)
