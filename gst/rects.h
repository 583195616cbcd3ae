/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rectangles, as text has them: "x,y,w,h;x,y,w,h" in pixels. Knows no GStreamer.
 */
#pragma once

#include <glib.h>

typedef struct
{
  int x, y, width, height; /* may lie outside of the picture, in part or wholly */
} VfiRect;

/* An array of VfiRect; NULL and "" are none. Blanks do not matter, nor a semicolon at the end. NULL, and an error with an example, if it reads
 * otherwise. */
GArray *vfi_rects_parse (const char *text, GError **error);
gboolean vfi_rects_equal (const GArray *a, const GArray *b);
