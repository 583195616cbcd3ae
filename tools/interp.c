/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi interp: a video file through vfiinterp into a new file.
 *
 * Looks at the input first (tools/discover.c), so that what can fail fails before any work is done; tools/transcode.c does the work.
 */
#include <gst/gst.h>

#include "tool.h"
#include "transcode.h"

typedef struct
{
  char *fps, *multiplier, *slowmo, *scene_threshold, *scene_mode, *duplicates, *max_gap, *trajectory, *lookahead, *encoder, *in_fps;
  gboolean repair, no_audio, quiet;
} Options;

/* How the element is set: names and values of its properties, for tool_transcode. */
static gboolean
element_properties (const Options *o, const ToolSession *s, ToolTranscode *t, GError **error)
{
  const char *given = o->slowmo ? "slowmo" : "multiplier";
  int ways = !!o->slowmo + !!o->fps + !!o->multiplier + o->repair;
  if (ways > 1) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "choose one of --multiplier, --fps, --slowmo and --repair");
    return FALSE;
  }
  const char *factor = o->slowmo ? o->slowmo : o->multiplier ? o->multiplier : "2";
  g_autofree char *multiplier = NULL;
  if (!tool_parse_rate (given, factor, &multiplier, error) || (o->fps && !tool_parse_rate ("fps", o->fps, &t->fps, error)))
    return FALSE;
  t->slowmo = o->slowmo != NULL;
  const char *pairs[][2] = {
    { "mode", o->slowmo   ? "slowmo"
              : o->repair ? "repair"
                          : "rate" },
    { "multiplier", o->fps || o->repair ? NULL : multiplier },
    { "scene-threshold", o->scene_threshold },
    { "scene-mode", o->scene_mode },
    { "duplicates", o->duplicates },
    { "max-gap", o->max_gap },
    { "trajectory", o->trajectory },
    { "lookahead", o->lookahead ? o->lookahead : "1" }, /* a file does not wait */
  };
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    tool_transcode_set (t, pairs[i][0], pairs[i][1]);
  tool_transcode_set_session (t, s, "flow-scale");
  return TRUE;
}

static void
report (const ToolTranscode *t, double seconds, const char *out)
{
  guint64 in = 0, made = 0, synthesized = 0, repeated = 0;
  gst_structure_get (t->stats, "in", G_TYPE_UINT64, &in, "out", G_TYPE_UINT64, &made, "synthesized", G_TYPE_UINT64, &synthesized,
                     "repeated", G_TYPE_UINT64, &repeated, NULL);
  double played = t->fps_out > 0 ? (double) made / t->fps_out : 0;
  fprintf (stderr, "%s: %" G_GUINT64_FORMAT " frames in", out, in);
  if (t->fps_in > 0)
    fprintf (stderr, " at %.6g a second", t->fps_in);
  fprintf (stderr, ", %" G_GUINT64_FORMAT " out", made);
  if (t->fps_out > 0)
    fprintf (stderr, " at %.6g a second", t->fps_out);
  fprintf (stderr, " (%" G_GUINT64_FORMAT " synthesized, %" G_GUINT64_FORMAT " repeated)\n", synthesized, repeated);
  fprintf (stderr, "%.1f s, %.1f frames a second", seconds, (double) made / seconds);
  if (played > 0)
    fprintf (stderr, ": %.2f times real time", played / seconds);
  fprintf (stderr, "\n");
  tool_transcode_tell (t);
}

int
tool_interp (int argc, char **argv)
{
  Options o = { 0 };
  g_auto (ToolSession) session = { 0 };
  const GOptionEntry entries[] = {
    { "multiplier", 'm', 0, G_OPTION_ARG_STRING, &o.multiplier, "frames for each frame of the input (default: 2)", "N" },
    { "fps", 'r', 0, G_OPTION_ARG_STRING, &o.fps, "frames a second of the output: 60, 59.94, 60000/1001", "RATE" },
    { "slowmo", 's', 0, G_OPTION_ARG_STRING, &o.slowmo, "keep the frame rate, stretch time", "N" },
    { "repair", 0, 0, G_OPTION_ARG_NONE, &o.repair, "keep rate and time, replace missing and damaged frames", NULL },
    { "scene-threshold", 0, 0, G_OPTION_ARG_STRING, &o.scene_threshold, "0 to 1: above it two frames are different scenes", "X" },
    { "scene-mode", 0, 0, G_OPTION_ARG_STRING, &o.scene_mode, "across a cut: repeat or blend", "WORD" },
    { "duplicates", 0, 0, G_OPTION_ARG_STRING, &o.duplicates, "keep or replace repeated frames", "WORD" },
    { "max-gap", 0, 0, G_OPTION_ARG_STRING, &o.max_gap, "longest gap that is filled", "N" },
    { "trajectory", 0, 0, G_OPTION_ARG_STRING, &o.trajectory, "how things move between frames: linear or quadratic (default)", "WORD" },
    { "lookahead", 0, 0, G_OPTION_ARG_STRING, &o.lookahead, "frames after two that it may see: 0 or 1 (default)", "N" },
    { "in-fps", 0, 0, G_OPTION_ARG_STRING, &o.in_fps, "IN is a folder of pictures: frames a second (default: 25)", "RATE" },
    { "encoder", 0, 0, G_OPTION_ARG_STRING, &o.encoder, "a GStreamer video encoder instead of the usual one", "DESCRIPTION" },
    { "no-audio", 0, 0, G_OPTION_ARG_NONE, &o.no_audio, "leave sound out", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &o.quiet, "print errors only", NULL },
    { NULL },
  };
  if (!tool_parse (
          "IN OUT",
          "Interpolates IN, any video GStreamer reads or a folder of pictures, into OUT: mp4, m4v, mov, mkv or webm by its ending,\n"
          "or pictures if it is a folder (out/).\n"
          "Sound is kept where time is; it is copied if OUT can hold it as it is. OUT appears when it is whole.",
          entries, &session, gst_init_get_option_group (), &argc, &argv))
    return TOOL_USAGE;
  if (argc != 3)
    return tool_usage ("wanted: an input and an output, got %d argument%s", argc - 1, argc == 2 ? "" : "s");

  g_autoptr (GError) error = NULL;
  g_auto (ToolTranscode) t = { .element = "vfiinterp",
                               .in = argv[1],
                               .in_fps = o.in_fps,
                               .out = argv[2],
                               .encoder = o.encoder,
                               .drop_audio = o.no_audio,
                               .quiet = o.quiet };
  int status = TOOL_FAILED;
  if (!element_properties (&o, &session, &t, &error) || !(t.container = tool_container_find (argv[2], &error)))
    status = TOOL_USAGE;
  else if (tool_transcode_open (&t, &error)) {
    double seconds;
    status = tool_transcode (&t, &seconds, &error);
    if (status == TOOL_OK && !o.quiet)
      report (&t, seconds, argv[2]);
  }
  if (error)
    tool_error ("%s", error->message);
  else if (status == TOOL_INTERRUPTED)
    tool_error ("interrupted; %s was not written", argv[2]);
  g_free (o.fps);
  g_free (o.trajectory);
  g_free (o.lookahead);
  g_free (o.multiplier);
  g_free (o.slowmo);
  g_free (o.scene_threshold);
  g_free (o.scene_mode);
  g_free (o.duplicates);
  g_free (o.max_gap);
  g_free (o.encoder);
  g_free (o.in_fps);
  return status;
}
