/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program.h"

#include <math.h>
#include <string.h>
#include <sys/wait.h>

#include <glib/gstdio.h>

#include "picture.h"

char *folder;

char *
file (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

void
run_clear (Run *r)
{
  g_free (r->out);
  g_free (r->err);
}

Run
vfi (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *line = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *all = g_strconcat (g_getenv ("VFI_PROGRAM"), *line ? " " : "", line, NULL);
  g_auto (GStrv) argv = g_strsplit (all, " ", -1);
  g_autoptr (GError) error = NULL;
  Run r;
  g_spawn_sync (folder, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &r.out, &r.err, &r.status, &error);
  g_assert_no_error (error);
  g_test_message ("vfi %s\n%s%s", line, r.out, r.err);
  r.status = WIFEXITED (r.status) ? WEXITSTATUS (r.status) : -1;
  return r;
}

void
assert_contains (const char *text, const char *part)
{
  if (!strstr (text, part))
    g_error ("'%s' is not in: %s", part, text);
}

char *
read_text (const char *name)
{
  g_autofree char *path = file (name);
  char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

/* ---- what a file holds -------------------------------------------------------------------------- */

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Content *c = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  gst_event_parse_segment (event, &segment);
  double start = (double) gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer)) / GST_SECOND;
  gst_event_unref (event);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  if (gst_structure_has_name (structure, "video/x-raw")) {
    g_autofree char *orientation = NULL;
    GstTagList *tags = NULL;
    GstEvent *tag;
    for (guint i = 0; (tag = gst_pad_get_sticky_event (pad, GST_EVENT_TAG, i)) && !orientation; i++) {
      gst_event_parse_tag (tag, &tags);
      gst_tag_list_get_string (tags, GST_TAG_IMAGE_ORIENTATION, &orientation);
      gst_event_unref (tag);
    }
    c->turned = orientation && !g_str_equal (orientation, "rotate-0");
    c->format = g_intern_string (gst_structure_get_string (structure, "format"));
    gst_structure_get (structure, "width", G_TYPE_INT, &c->width, "height", G_TYPE_INT, &c->height, NULL);
    c->frames++;
    c->last_frame = start;
  } else {
    c->audio_end = start + (double) GST_BUFFER_DURATION (buffer) / GST_SECOND;
  }
  return GST_PAD_PROBE_OK;
}

static void
on_pad (GstElement *source, GstPad *pad, gpointer data)
{
  Content *c = data;
  GstElement *bin = GST_ELEMENT (gst_element_get_parent (source)), *sink = gst_element_factory_make ("fakesink", NULL);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  c->audio_streams += gst_structure_has_name (gst_caps_get_structure (caps, 0), "audio/x-raw");
  gst_bin_add (GST_BIN (bin), sink);
  gst_element_sync_state_with_parent (sink);
  g_autoptr (GstPad) target = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (target, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, c, NULL);
  gst_pad_link (pad, target);
  gst_object_unref (bin);
}

static void
play (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;
    gst_message_parse_error (message, &error, NULL);
    g_assert_no_error (error);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

Content
look (const char *name)
{
  Content c = { 0 };
  g_autofree char *path = file (name), *uri = gst_filename_to_uri (path, NULL);
  GstElement *pipeline = gst_pipeline_new (NULL), *source = gst_element_factory_make ("uridecodebin", NULL);
  g_object_set (source, "uri", uri, NULL);
  g_signal_connect (source, "pad-added", G_CALLBACK (on_pad), &c);
  gst_bin_add (GST_BIN (pipeline), source);
  play (pipeline);
  return c;
}

void
play_line (const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  va_list args;
  va_start (args, format);
  g_autofree char *line = g_strdup_vprintf (format, args);
  va_end (args);
  GstElement *pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  play (pipeline);
}

/* ---- files that are made ------------------------------------------------------------------------ */

void
make_clip (const char *name, int frames, const char *filter)
{
  play_line ("videotestsrc pattern=ball num-buffers=%d ! video/x-raw, format=I420, width=96, "
             "height=64, framerate=10/1 %s ! h264parse ! queue ! mux. "
             "audiotestsrc num-buffers=%d samplesperbuffer=4410 ! audio/x-raw, rate=44100, channels=2 "
             "! audioconvert ! avenc_aac ! aacparse ! queue ! mux. "
             "mp4mux name=mux ! filesink location=%s/%s",
             frames, filter, frames, folder, name);
}

void
make_sequence (const char *name, gboolean masks, int under)
{
  enum
  {
    W = 96,
    H = 64
  };
  for (int i = 0; i < 5; i++) {
    g_autofree char *frames = g_strdup_printf ("%s/%s/frames", folder, name), *path = g_strdup_printf ("%s/%d.png", frames, i);
    g_autofree char *mask_dir = g_strdup_printf ("%s/%s/masks", folder, name), *mask_path = g_strdup_printf ("%s/%d.png", mask_dir, i);
    g_autoptr (ToolPicture) p = tool_picture_new (W, H), mask = tool_picture_new (W, H);
    g_mkdir_with_parents (frames, 0700);
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++) {
        const gboolean middle = x >= 36 && x < 60 && y >= 24 && y < 40;
        memset (p->data + 3 * (y * W + x), under && middle ? under : (int) (128 + 50 * sin (x * 0.2 + y * 0.1) + 50 * sin (y * 0.17)), 3);
        memset (mask->data + 3 * (y * W + x), x < 20 && y < 20 ? 255 : 0, 3);
      }
    g_assert_true (tool_picture_write_png (p, path, NULL));
    if (masks) {
      g_mkdir_with_parents (mask_dir, 0700);
      g_assert_true (tool_picture_write_png (mask, mask_path, NULL));
    }
  }
}

void
make_boxes (void)
{
  g_autoptr (ToolPicture) p = tool_picture_new (96, 64);
  g_autofree char *dir = file ("boxes/frames"), *black = file ("logo/black.png");
  g_mkdir_with_parents (dir, 0700);
  memset (p->data, 0, 96 * 64 * 3);
  g_assert_true (tool_picture_write_png (p, black, NULL));
  for (int y = 24; y < 40; y++)
    memset (p->data + 3 * (y * 96 + 36), 255, 3 * 24);
  for (int i = 0; i < 5; i++) {
    g_autofree char *path = g_strdup_printf ("%s/%d.png", dir, i);
    g_assert_true (tool_picture_write_png (p, path, NULL));
  }
}

/* ---- the folder --------------------------------------------------------------------------------- */

void
program_begin (int *argc, char ***argv)
{
  g_test_init (argc, argv, NULL);
  gst_init (argc, argv);
  folder = g_dir_make_tmp ("vfi-XXXXXX", NULL);
  g_autofree char *text = file ("text.mp4"), *empty = file ("empty");
  g_file_set_contents (text, "no video at all", -1, NULL);
  g_mkdir (empty, 0700);
  make_clip ("in.mp4", 20, "! x264enc");
}

static void
remove_all (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    remove_all (child);
  }
  g_remove (path);
}

int
program_end (void)
{
  int status = g_test_run ();
  remove_all (folder);
  g_free (folder);
  return status;
}
