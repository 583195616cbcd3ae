/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi inpaint: a video file through vfiinpaint. The mask is a picture (the element reads it), rectangles, or a stream: a video, or pictures in a
 * folder, one for each frame.
 */
#include "frames.h"
#include "pairs.h"
#include "tool.h"
#include "transcode.h"

#define ROWS 6 /* of the sheet */
#define TO_MASK "videoconvert ! video/x-raw, format=GRAY8 ! queue name=last max-size-buffers=4 max-size-bytes=0 max-size-time=0"

typedef struct
{
  char *mask, *rects, *dilate, *feather, *history, *lookahead, *scene_threshold, *encoder, *html, *sheet, *in_fps;
  gboolean invert, no_audio, quiet;
  ToolFrames frames; /* masks */
} Options;

static void
options_clear (Options *o)
{
  char *all[] = { o->mask,    o->rects, o->dilate, o->feather, o->history, o->lookahead, o->scene_threshold,
                  o->encoder, o->html,  o->sheet,  o->in_fps };
  tool_frames_clear (&o->frames);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_free (all[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* ---- masks -------------------------------------------------------------------------------------- */

/* Pictures, one for each frame. */
static gboolean
masks_of_folder (Options *o, ToolTranscode *t, GError **error)
{
  if (!tool_frames_open (&o->frames, o->mask, error))
    return FALSE;
  if (t->rate_n <= 0) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                 "%s has no constant frame rate, and pictures in a folder have no times: give the masks as a video", t->in);
    return FALSE;
  }
  t->mask = g_strdup_printf ("multifilesrc name=masks caps=\"%s, framerate=(fraction)%d/%d\" ! decodebin ! " TO_MASK, o->frames.caps,
                             t->rate_n, t->rate_d);
  t->mask_location = g_strdup (o->frames.location);
  return TRUE;
}

/* What --mask names. */
static gboolean
find_masks (Options *o, ToolTranscode *t, GError **error)
{
  g_auto (ToolTranscode) mask = { 0 };
  if (!o->mask)
    return TRUE;
  if (g_file_test (o->mask, G_FILE_TEST_IS_DIR))
    return masks_of_folder (o, t, error);
  if (!g_file_test (o->mask, G_FILE_TEST_IS_REGULAR)) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: is no file and no folder", o->mask);
    return FALSE;
  }
  if (!tool_discover (o->mask, &mask, error))
    return FALSE;
  if (mask.is_picture) {
    tool_transcode_set (t, "mask-location", o->mask);
    return TRUE;
  }
  g_autofree char *uri = gst_filename_to_uri (o->mask, error);
  if (uri)
    t->mask = g_strdup_printf ("uridecodebin uri=\"%s\" ! " TO_MASK, uri);
  return uri != NULL;
}

/* ---- the command -------------------------------------------------------------------------------- */

/* A line of what was done. */
static char *
summary (const ToolTranscode *t, double seconds)
{
  guint64 in = 0, masked = 0, removed = 0, past = 0, future = 0, spatial = 0;
  gst_structure_get (t->stats, "in", G_TYPE_UINT64, &in, "masked", G_TYPE_UINT64, &masked, "removed", G_TYPE_UINT64, &removed, "past",
                     G_TYPE_UINT64, &past, "future", G_TYPE_UINT64, &future, "spatial", G_TYPE_UINT64, &spatial, NULL);
  const double n = removed ? (double) removed / 100 : 1;
  g_autofree char *from = removed ? g_strdup_printf ("; its pixels were seen earlier (%.0f %%), later (%.0f %%) or made up (%.0f %%)",
                                                     (double) past / n, (double) future / n, (double) spatial / n)
                                  : g_strdup ("");
  return g_strdup_printf ("%" G_GUINT64_FORMAT " frames, something removed from %" G_GUINT64_FORMAT "%s; %.1f s, %.1f frames a second", in,
                          masked, from, seconds, (double) in / seconds);
}

static gboolean
report (const Options *o, const ToolTranscode *t, const ToolPairs *pairs, double seconds, GError **error)
{
  g_autofree char *line = summary (t, seconds);
  guint64 masked = 0;
  gst_structure_get (t->stats, "masked", G_TYPE_UINT64, &masked, NULL);
  if (!o->quiet) {
    fprintf (stderr, "%s: %s\n", t->out, line);
    tool_transcode_tell (t);
  }
  if (!masked)
    tool_error ("warning: the mask covers nothing: what is white (128 and more) is removed; --invert turns it round");
  return (!o->sheet || tool_pairs_write_sheet (pairs, o->sheet, error)) &&
         (!o->html || tool_pairs_write_page (pairs, o->html, t->out, line, error));
}

int
tool_inpaint (int argc, char **argv)
{
  g_auto (Options) o = { 0 };
  g_auto (ToolSession) session = { 0 };
  const GOptionEntry entries[] = {
    { "mask", 'm', 0, G_OPTION_ARG_FILENAME, &o.mask, "picture, video, or folder of a picture for each frame; white is removed", "PATH" },
    { "rects", 'r', 0, G_OPTION_ARG_STRING, &o.rects, "rectangles instead, in pixels", "X,Y,W,H;..." },
    { "invert", 0, 0, G_OPTION_ARG_NONE, &o.invert, "what is white is kept", NULL },
    { "dilate", 0, 0, G_OPTION_ARG_STRING, &o.dilate, "pixels by which the mask grows (default: 4)", "N" },
    { "feather", 0, 0, G_OPTION_ARG_STRING, &o.feather, "width of the soft edge outside of it (default: 2)", "X" },
    { "history", 0, 0, G_OPTION_ARG_STRING, &o.history, "frames that are remembered (default: 32)", "N" },
    { "lookahead", 0, 0, G_OPTION_ARG_STRING, &o.lookahead, "frames that are waited for (default: 10)", "N" },
    { "scene-threshold", 0, 0, G_OPTION_ARG_STRING, &o.scene_threshold, "0 to 1: above it two frames are different scenes", "X" },
    { "html", 0, 0, G_OPTION_ARG_FILENAME, &o.html, "write a page of frames before and after, with pictures beside it", "FILE" },
    { "sheet", 0, 0, G_OPTION_ARG_FILENAME, &o.sheet, "the same as one picture", "FILE.png" },
    { "in-fps", 0, 0, G_OPTION_ARG_STRING, &o.in_fps, "IN is a folder of pictures: frames a second (default: 25)", "RATE" },
    { "encoder", 0, 0, G_OPTION_ARG_STRING, &o.encoder, "a GStreamer video encoder instead of the usual one", "DESCRIPTION" },
    { "no-audio", 0, 0, G_OPTION_ARG_NONE, &o.no_audio, "leave sound out", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &o.quiet, "print errors only", NULL },
    { NULL },
  };
  if (!tool_parse (
          "IN OUT",
          "Takes what a mask or rectangles cover out of IN, any video GStreamer reads or a folder of pictures, and shows what is "
          "behind it.\n"
          "OUT is mp4, m4v, mov, mkv or webm by its ending, or a folder (out/) for pictures; sound is kept. OUT appears when it is whole.",
          entries, &session, gst_init_get_option_group (), &argc, &argv))
    return TOOL_USAGE;
  if (argc != 3)
    return tool_usage ("wanted: an input and an output, got %d argument%s", argc - 1, argc == 2 ? "" : "s");
  if (!o.mask == !o.rects)
    return tool_usage ("wanted: what to remove, one of --mask and --rects");

  g_autoptr (GError) error = NULL;
  g_autoptr (ToolPairs) pairs = NULL;
  g_auto (ToolTranscode) t = { .element = "vfiinpaint",
                               .in = argv[1],
                               .in_fps = o.in_fps,
                               .out = argv[2],
                               .encoder = o.encoder,
                               .drop_audio = o.no_audio,
                               .quiet = o.quiet };
  tool_transcode_set (&t, "mask-rects", o.rects);
  tool_transcode_set (&t, "invert", o.invert ? "true" : NULL);
  tool_transcode_set (&t, "dilate", o.dilate);
  tool_transcode_set (&t, "feather", o.feather);
  tool_transcode_set (&t, "history", o.history);
  tool_transcode_set (&t, "lookahead", o.lookahead ? o.lookahead : "10"); /* a file is in no hurry */
  tool_transcode_set (&t, "scene-threshold", o.scene_threshold);
  tool_transcode_set_session (&t, &session, "flow-scale");

  int status = TOOL_FAILED;
  double seconds;
  if (!(t.container = tool_container_find (argv[2], &error)))
    status = TOOL_USAGE;
  else if (tool_transcode_open (&t, &error) && find_masks (&o, &t, &error)) {
    if (o.html || o.sheet) {
      pairs = tool_pairs_new (ROWS, t.duration);
      t.on_frame = tool_pairs_on_frame;
      t.on_frame_data = pairs;
    }
    status = tool_transcode (&t, &seconds, &error);
    if (status == TOOL_OK && !report (&o, &t, pairs, seconds, &error))
      status = TOOL_FAILED;
  }
  if (error)
    tool_error ("%s", error->message);
  else if (status == TOOL_INTERRUPTED)
    tool_error ("interrupted; %s was not written", argv[2]);
  return status;
}
