/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Containers that vfi writes, chosen by a file's ending, and what fits into them. A folder holds pictures.
 */
#pragma once

#include <gst/gst.h>

typedef struct
{
  const char *factory;
  const char *description; /* for gst_parse_bin_from_description, from raw to what the muxer takes */
  const char *package;     /* of Debian */
} ToolEncoder;

typedef struct
{
  const char *endings; /* "mp4 m4v" */
  ToolEncoder muxer;
  const ToolEncoder *video, *audio; /* best first, ended by a NULL factory */
  const char *audio_kept;           /* caps of audio that is copied: encoded, or PCM that was PCM in the input */
  const char *pictures;             /* names of files in a folder, for printf, instead of one file: no audio */
} ToolContainer;

/* By its ending, or that of pictures for what is a folder or ends like one. NULL with an error that lists the endings. */
const ToolContainer *tool_container_find (const char *path, GError **error);
/* The first that is installed, else NULL with an error that names the packages. */
const ToolEncoder *tool_encoder_find (const ToolEncoder *list, const char *what, GError **error);
/* A parser for audio that is copied, "audioconvert" for PCM, "identity" where none is needed. */
const char *tool_audio_parser (const GstCaps *caps);
