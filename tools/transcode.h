/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file through vfiinterp or vfiflow into another: the pipeline under 'vfi interp' and 'vfi flow'.
 */
#pragma once

#include "container.h"

typedef struct
{
  /* what to do */
  const char *element; /* "vfiinterp" */
  const char *in, *out;
  const ToolContainer *container; /* NULL: no file, but what the element writes */
  const char *encoder;            /* NULL: the container's best */
  char *fps;                      /* fraction, or NULL; owned */
  gboolean slowmo, drop_audio, interlaced, quiet;
  double stretch;        /* of time, 1 unless slow motion */
  GPtrArray *properties; /* name, value, ...: of the element; owned */
  GstClockTime duration; /* of the input, may be unknown */
  guint n_audio;         /* streams in the input */
  /* what was done */
  GstStructure *stats;    /* of the element; owned */
  double fps_in, fps_out; /* 0 if variable */
  int n_encoded;          /* audio streams that could not be copied */
} ToolTranscode;

void tool_transcode_clear (ToolTranscode *t);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolTranscode, tool_transcode_clear)

/* Runs until the end, an error (set) or Ctrl-C. The output is whole or not there. Returns an exit code; *seconds: how long it took. */
int tool_transcode (ToolTranscode *t, double *seconds, GError **error);

/* Looks at the input, so that what can fail fails before any work is done: fills in interlaced, duration and n_audio. */
gboolean tool_discover (const char *path, ToolTranscode *t, GError **error);

/* Sets a property from text. FALSE with an error that says what is allowed. */
gboolean tool_set_property (GstElement *element, const char *name, const char *value, GError **error);
