/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Holes for scoring inpainting: which pixels of a frame are taken away. Each is a function of the frame's number (and a name), of nothing else.
 */
#pragma once

#include <glib.h>

typedef struct _ToolHole ToolHole;

/* A rectangle of a quarter of each side, in the middle or, if it moves, round a fixed path: at most 0.020 widths and 0.029 heights a frame. */
ToolHole *tool_hole_new_rectangle (int width, int height, gboolean moves);
/* Free-form strokes, thick as a brush, that drift across the frame; the name decides which. */
ToolHole *tool_hole_new_strokes (int width, int height, const char *name);
/* Masks of another sequence, there and back; borrows them. */
ToolHole *tool_hole_new_masks (int width, int height, guint8 *const *masks, int n);
void tool_hole_free (ToolHole *hole);

/* The mask of frame i, one byte a pixel: 255 in the hole, 0 elsewhere. */
void tool_hole_draw (const ToolHole *hole, int i, guint8 *mask);
