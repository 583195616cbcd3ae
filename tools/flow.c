/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi flow: a video file through vfiflow, into a video to look at or a folder of flow files.
 */
#include <string.h>

#include "tool.h"
#include "transcode.h"

static void
report (const ToolTranscode *t, double seconds)
{
  guint64 in = 0, pairs = 0;
  gst_structure_get (t->stats, "in", G_TYPE_UINT64, &in, "pairs", G_TYPE_UINT64, &pairs, NULL);
  fprintf (stderr, "%s: %" G_GUINT64_FORMAT " frames, %" G_GUINT64_FORMAT " pairs of them; %.1f s, %.1f pairs a second\n", t->out, in,
           pairs, seconds, (double) pairs / seconds);
}

int
tool_flow (int argc, char **argv)
{
  g_autofree char *output = NULL, *direction = NULL, *max_flow = NULL, *step = NULL, *encoder = NULL, *in_fps = NULL;
  gboolean png = FALSE, consistency = FALSE, quiet = FALSE;
  g_auto (ToolSession) session = { 0 };
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_STRING, &output, "what a video shows: color (default), arrows, magnitude, warp-error", "WORD" },
    { "max-flow", 0, 0, G_OPTION_ARG_STRING, &max_flow, "pixels at full strength (default: each frame's largest)", "PIXELS" },
    { "direction", 'd', 0, G_OPTION_ARG_STRING, &direction, "forward (default) or backward", "WORD" },
    { "step", 0, 0, G_OPTION_ARG_STRING, &step, "flow to the frame so many frames away (default: 1)", "N" },
    { "consistency", 0, 0, G_OPTION_ARG_NONE, &consistency, "check the way back; what does not agree is not valid in --png", NULL },
    { "png", 0, 0, G_OPTION_ARG_NONE, &png, "16-bit PNG as KITTI has it, instead of .flo", NULL },
    { "in-fps", 0, 0, G_OPTION_ARG_STRING, &in_fps, "IN is a folder of pictures: frames a second (default: 25)", "RATE" },
    { "encoder", 0, 0, G_OPTION_ARG_STRING, &encoder, "a GStreamer video encoder instead of the usual one", "DESCRIPTION" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "print errors only", NULL },
    { NULL },
  };
  if (!tool_parse (
          "IN OUT",
          "Optical flow of IN, any video GStreamer reads or a folder of pictures. OUT is a video (mp4, m4v, mov, mkv, webm) of its "
          "colours, or a folder,\nwhich is made, for a .flo file of each frame that has a next one.",
          entries, &session, gst_init_get_option_group (), &argc, &argv))
    return TOOL_USAGE;
  if (argc != 3)
    return tool_usage ("wanted: an input and an output, got %d argument%s", argc - 1, argc == 2 ? "" : "s");

  g_autoptr (GError) error = NULL;
  g_auto (ToolTranscode)
      t = { .element = "vfiflow", .in = argv[1], .in_fps = in_fps, .out = argv[2], .encoder = encoder, .drop_audio = TRUE, .quiet = quiet };
  g_autofree char *base = g_path_get_basename (argv[2]);
  const gboolean folder = g_str_has_suffix (argv[2], "/") || g_file_test (argv[2], G_FILE_TEST_IS_DIR) || !strchr (base, '.');
  g_autofree char *pattern = folder ? tool_folder_pattern (argv[2], png ? "%06d.png" : "%06d.flo") : NULL;
  tool_transcode_set (&t, "output", output ? output : folder ? "meta" : "color");
  tool_transcode_set (&t, "max-flow", max_flow);
  tool_transcode_set (&t, "direction", direction);
  tool_transcode_set (&t, "step", step);
  tool_transcode_set (&t, "consistency", consistency ? "true" : NULL);
  tool_transcode_set (&t, "flow-location", pattern);
  tool_transcode_set_session (&t, &session, "scale");

  int status = TOOL_FAILED;
  double seconds;
  if (png && !folder)
    return tool_usage ("--png is for a folder, and %s is none", argv[2]);
  if (!folder && !(t.container = tool_container_find (argv[2], &error)))
    status = TOOL_USAGE;
  else if (!g_file_test (argv[1], G_FILE_TEST_IS_REGULAR) && !g_file_test (argv[1], G_FILE_TEST_IS_DIR))
    g_set_error (&error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: is no file and no folder", argv[1]);
  else if ((!folder || tool_folder_make (argv[2], &error)) && tool_discover (argv[1], &t, &error) &&
           (status = tool_transcode (&t, &seconds, &error)) == TOOL_OK && !quiet)
    report (&t, seconds);
  if (error)
    tool_error ("%s", error->message);
  else if (status == TOOL_INTERRUPTED)
    tool_error ("interrupted");
  return status;
}
