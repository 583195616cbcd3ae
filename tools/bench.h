/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tasks of 'vfi bench' beside interpolation.
 */
#pragma once

#include "clip.h"

typedef struct
{
  VfiFrameInfo info;
  VfiOptions options;
  int frames, lookahead;
  double percent;          /* of the frame: the object's area */
  const char *file, *json; /* a video instead of a texture; where figures are written, too. May be NULL */
} ToolInpaintBench;

/* Measures and prints. */
gboolean tool_bench_inpaint (const ToolInpaintBench *b, GError **error);
