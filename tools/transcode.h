/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file through an element of ours into another: the pipeline under 'vfi interp', 'vfi flow' and 'vfi inpaint'.
 */
#pragma once

#include "container.h"
#include "frames.h"
#include "tool.h"

typedef struct _ToolTranscode ToolTranscode;

struct _ToolTranscode
{
  /* what to do */
  const char *element;            /* "vfiinterp" */
  const char *in, *out;           /* in: a file, or a folder of pictures */
  const char *in_fps;             /* of a folder, as tool_parse_rate takes it; NULL: 25 */
  const ToolContainer *container; /* NULL: no file, but what the element writes */
  const char *encoder;            /* NULL: the container's best */
  char *fps;                      /* fraction, or NULL; owned */
  gboolean slowmo, drop_audio, interlaced, quiet;
  GPtrArray *properties; /* name, value, ...: of the element, by tool_transcode_set; owned */
  char *mask;            /* elements that make what the element's mask pad takes, the last one called `last`; owned, may be NULL */
  char *mask_location;   /* `location` of the element `masks` in it; owned, may be NULL */
  /* Called for every frame that goes into the element and comes out of it, in the streaming thread; may be NULL. */
  void (*on_frame) (GstPad *pad, GstBuffer *buffer, gboolean out, gpointer data);
  gpointer on_frame_data;
  /* the input, by tool_discover */
  GstClockTime duration; /* may be unknown */
  guint n_audio, n_text; /* streams of sound, of subtitles */
  gboolean is_pcm;       /* its sound: all of it */
  int rate_n, rate_d;    /* frames a second; 0/1 if variable */
  gboolean turned;       /* frames are to be turned or mirrored before they are seen */
  gboolean is_picture;
  ToolFrames frames; /* of a folder; owned */
  /* what was done */
  GstStructure *stats;    /* of the element; owned */
  double fps_in, fps_out; /* 0 if variable */
  int n_encoded;          /* audio streams that could not be copied */
};

void tool_transcode_clear (ToolTranscode *t);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolTranscode, tool_transcode_clear)

/* How the element is to be set, in words; NULL leaves a property at its default. */
void tool_transcode_set (ToolTranscode *t, const char *property, const char *value);
/* The same for what chooses and tunes its network, whose flow scale is the property of that name. */
void tool_transcode_set_session (ToolTranscode *t, const ToolSession *session, const char *flow_scale);

/* What can fail fails before any work is done: makes `out` if it is a folder, looks whether it can be written, and at `in`. */
gboolean tool_transcode_open (ToolTranscode *t, GError **error);
/* Runs until the end, an error (set) or Ctrl-C. The output is whole or not there. Returns an exit code; *seconds: how long it took. */
int tool_transcode (ToolTranscode *t, double *seconds, GError **error);

/* To stderr: what became of all but the frames. */
void tool_transcode_tell (const ToolTranscode *t);

/* Looks at the input, so that what can fail fails before any work is done: fills in what `t` has of it. */
gboolean tool_discover (const char *path, ToolTranscode *t, GError **error);

/* Sets a property from text. FALSE with an error that says what is allowed. */
gboolean tool_set_property (GstElement *element, const char *name, const char *value, GError **error);
