/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Some frames of a video before and after an element, side by side: a contact sheet, or a page.
 */
#pragma once

#include <gst/gst.h>

#include "picture.h"

typedef struct _ToolPairs ToolPairs;

/* Spread evenly over `duration`, or, where that is unknown, a second and more apart. */
ToolPairs *tool_pairs_new (guint rows, GstClockTime duration);
void tool_pairs_free (ToolPairs *pairs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolPairs, tool_pairs_free)

/* For ToolTranscode's on_frame; data is the ToolPairs. Frames keep their times through the element. */
void tool_pairs_on_frame (GstPad *pad, GstBuffer *buffer, gboolean out, gpointer data);

/* A row for each pair: before, after, four times the difference. FALSE with an error, also if no pair was whole. */
gboolean tool_pairs_write_sheet (const ToolPairs *pairs, const char *path, GError **error);
/* The same as a page, with its pictures in a folder beside it and a line of text. */
gboolean tool_pairs_write_page (const ToolPairs *pairs, const char *path, const char *title, const char *text, GError **error);
