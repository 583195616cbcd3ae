/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi sheet: rows of real frame, synthesized frame, next real frame out of a slow-motion video, to judge by eye.
 */
#include <string.h>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "picture.h"
#include "tool.h"

#define COLUMNS 3
#define GAP 6
#define MAX_ROWS 32

typedef struct
{
  int multiplier, rows, width;
  int wanted[MAX_ROWS * COLUMNS]; /* frame numbers, ascending */
  int n_wanted, n_taken, n_frames;
  int crop[4]; /* width, height, x, y; all 0: the whole picture */
  GstElement *label, *cropper;
  ToolPicture *sheet;
} Sheet;

/* Which frames: rows spread evenly over `total` frames. */
static void
choose_frames (Sheet *s, int total)
{
  int pairs = MAX (1, (total - 1) / s->multiplier);
  int rows = MIN (s->rows, pairs);
  for (int r = 0; r < rows; r++) {
    int first = (int) ((r + 0.5) * pairs / rows) * s->multiplier;
    s->wanted[s->n_wanted++] = first;
    s->wanted[s->n_wanted++] = first + s->multiplier / 2;
    s->wanted[s->n_wanted++] = first + s->multiplier;
  }
}

/* Before conversion and labelling: lets through what the sheet shows. A frame may be shown twice, as the end of a row and the start of the next. */
static GstPadProbeReturn
on_decoded (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Sheet *s = data;
  if (s->n_frames == 0) {
    GstVideoInfo video;
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
    gint64 duration = 0;
    gst_pad_peer_query_duration (pad, GST_FORMAT_TIME, &duration);
    gst_video_info_from_caps (&video, caps);
    if (duration <= 0)
      gst_pad_query_duration (pad, GST_FORMAT_TIME, &duration);
    if (s->crop[0])
      g_object_set (s->cropper, "left", s->crop[2], "top", s->crop[3], "right", MAX (0, video.width - s->crop[2] - s->crop[0]), "bottom",
                    MAX (0, video.height - s->crop[3] - s->crop[1]), NULL);
    guint64 total = gst_util_uint64_scale_round ((guint64) MAX (duration, 0), (guint64) video.fps_n, (guint64) video.fps_d * GST_SECOND);
    choose_frames (s, (int) total);
  }
  int i = s->n_frames++;
  if (s->n_taken == s->n_wanted || s->wanted[s->n_taken] != i)
    return GST_PAD_PROBE_DROP;
  int part = i % s->multiplier, of = s->multiplier;
  if (part && of % part == 0) {
    of /= part;
    part = 1;
  }
  g_autofree char *text = part ? g_strdup_printf ("synthesized, t = %d/%d", part, of) : g_strdup ("real");
  g_object_set (s->label, "text", text, NULL);
  return GST_PAD_PROBE_OK;
}

static void
on_picture (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Sheet *s = data;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!gst_video_info_from_caps (&info, caps) || !gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ))
    return;
  if (!s->sheet) {
    int rows = s->n_wanted / COLUMNS;
    s->sheet = tool_picture_new (COLUMNS * (info.width + GAP) + GAP, rows * (info.height + GAP) + GAP);
    memset (s->sheet->data, 0x20, (gsize) s->sheet->width * (gsize) s->sheet->height * 3);
  }
  do {
    int row = s->n_taken / COLUMNS, column = s->n_taken % COLUMNS;
    guint8 *dst = s->sheet->data +
                  ((gsize) (GAP + row * (info.height + GAP)) * (gsize) s->sheet->width + (gsize) (GAP + column * (info.width + GAP))) * 3;
    const guint8 *src = GST_VIDEO_FRAME_PLANE_DATA (&frame, 0);
    for (int y = 0; y < info.height; y++)
      memcpy (dst + (gsize) y * (gsize) s->sheet->width * 3, src + (gsize) y * (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
              (gsize) info.width * 3);
    s->n_taken++;
  } while (s->n_taken < s->n_wanted && s->wanted[s->n_taken] == s->n_frames - 1);
  gst_video_frame_unmap (&frame);
}

static void
on_pad_added (GstElement *decoder, GstPad *pad, gpointer data)
{
  GstElement *first = data;
  g_autoptr (GstPad) sink = gst_element_get_static_pad (first, "sink");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  if (!gst_pad_is_linked (sink) && caps && gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-raw"))
    gst_pad_link (pad, sink);
}

/* Decodes the whole file: the frames are counted, too. */
static gboolean
run (Sheet *s, const char *path, GError **error)
{
  g_autofree char *description =
      g_strdup_printf ("filesrc name=src ! decodebin name=decoder videocrop name=in ! videoconvert ! videoscale ! "
                       "video/x-raw, format=RGB, width=%d, pixel-aspect-ratio=1/1 ! "
                       "textoverlay name=label valignment=top halignment=left shaded-background=true font-desc=\"Sans 14\" ! "
                       "fakesink name=sink sync=false signal-handoffs=true",
                       s->width);
  g_autoptr (GstElementFactory) overlay = gst_element_factory_find ("textoverlay");
  if (!overlay) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "GStreamer lacks textoverlay: install the package gstreamer1.0-x");
    return FALSE;
  }
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, error);
  if (!pipeline)
    return FALSE;
  gst_object_ref_sink (pipeline);
  g_autoptr (GstElement) src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  g_autoptr (GstElement) decoder = gst_bin_get_by_name (GST_BIN (pipeline), "decoder");
  g_autoptr (GstElement) in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstElement) label = gst_bin_get_by_name (GST_BIN (pipeline), "label");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (in, "sink");
  s->label = label;
  s->cropper = in;
  g_object_set (src, "location", path, NULL);
  g_signal_connect (decoder, "pad-added", G_CALLBACK (on_pad_added), in);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_picture), s);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_decoded, s, NULL);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *local;
    gst_message_parse_error (message, &local, NULL);
    g_propagate_prefixed_error (error, local, "%s: ", path);
    return FALSE;
  }
  if (!s->sheet) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: fewer than two real frames", path);
    return FALSE;
  }
  return TRUE;
}

int
tool_sheet (int argc, char **argv)
{
  Sheet s = { .multiplier = 4, .rows = 4, .width = 480 };
  g_autofree char *crop = NULL;
  const GOptionEntry entries[] = {
    { "multiplier", 'm', 0, G_OPTION_ARG_INT, &s.multiplier, "every Nth frame is real (default: 4)", "N" },
    { "rows", 0, 0, G_OPTION_ARG_INT, &s.rows, "rows, spread evenly over the video (default: 4)", "N" },
    { "crop", 0, 0, G_OPTION_ARG_STRING, &crop, "show this part only", "WxH+X+Y" },
    { "width", 0, 0, G_OPTION_ARG_INT, &s.width, "of one picture (default: 480)", "PIXELS" },
    { NULL },
  };
  if (!tool_parse ("VIDEO OUT.png", "Rows of a real frame, the synthesized frame halfway, and the next real frame.", entries, NULL,
                   gst_init_get_option_group (), &argc, &argv))
    return TOOL_USAGE;
  if (argc != 3)
    return tool_usage ("wanted: a video and a PNG, got %d argument%s", argc - 1, argc == 2 ? "" : "s");
  if (s.multiplier < 2 || s.rows < 1 || s.rows > MAX_ROWS || s.width < 16 || s.width > 4096)
    return tool_usage ("--multiplier is at least 2, --rows 1 to %d, --width 16 to 4096", MAX_ROWS);

  char rest;
  if (crop && (sscanf (crop, "%dx%d+%d+%d%c", &s.crop[0], &s.crop[1], &s.crop[2], &s.crop[3], &rest) != 4 || s.crop[0] < 1 ||
               s.crop[1] < 1 || s.crop[2] < 0 || s.crop[3] < 0))
    return tool_usage ("--crop: '%s' is not a part of a picture such as 320x240+100+50", crop);

  g_autoptr (GError) error = NULL;
  if (run (&s, argv[1], &error) && tool_picture_write_png (s.sheet, argv[2], &error))
    printf ("%s: %d frames; %s shows %d rows\n", argv[1], s.n_frames, argv[2], s.n_wanted / COLUMNS);
  tool_picture_free (s.sheet);
  if (error)
    tool_error ("%s", error->message);
  return error ? TOOL_FAILED : TOOL_OK;
}
