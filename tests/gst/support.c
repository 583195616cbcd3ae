/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support.h"

#include <vfi.h>

void
run_init (int *argc, char ***argv)
{
  GError *error = NULL;
  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  GstPlugin *plugin = gst_plugin_load_file (g_getenv ("VFI_PLUGIN"), &error);
  g_assert_no_error (error);
  gst_object_unref (plugin);
  /* Names libvfi, so that it is loaded with the program and not with the plugin: LeakSanitizer of GCC 12 crashes on the thread-local storage
   * that OpenMP's threads get of libraries loaded later. */
  g_test_message ("libvfi %s", vfi_version ());
}

static void
append_ms (GString *s, GstClockTime ns)
{
  if (!GST_CLOCK_TIME_IS_VALID (ns))
    g_string_append_c (s, '?');
  else if (ns % MS)
    g_string_append_printf (s, "%d.%06d", (int) (ns / MS), (int) (ns % MS));
  else
    g_string_append_printf (s, "%d", (int) (ns / MS));
}

static void
log_buffer (Run *r, GstBuffer *b)
{
  GstMapInfo map;
  append_ms (r->log, GST_BUFFER_PTS (b));
  g_string_append_c (r->log, '+');
  append_ms (r->log, GST_BUFFER_DURATION (b));
  gst_buffer_map (b, &map, GST_MAP_READ);
  gpointer from = g_hash_table_lookup (r->memories, map.memory);
  char how = from == b ? '=' : from ? '~' : ':';
  g_string_append_printf (r->log, "%c%d%s ", how, map.data[0], GST_BUFFER_IS_DISCONT (b) ? "!" : "");
  gst_buffer_unmap (b, &map);
}

static void
log_event (Run *r, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_GAP: {
      GstClockTime pts, duration;
      gst_event_parse_gap (event, &pts, &duration);
      g_string_append (r->log, "gap");
      append_ms (r->log, pts);
      g_string_append_c (r->log, '+');
      append_ms (r->log, duration);
      g_string_append_c (r->log, ' ');
      break;
    }
    case GST_EVENT_SEGMENT: {
      const GstSegment *s;
      gst_event_parse_segment (event, &s);
      g_string_append (r->log, "segment");
      append_ms (r->log, s->start);
      g_string_append_c (r->log, '-');
      append_ms (r->log, s->stop);
      g_string_append_printf (r->log, "*%g ", s->rate);
      break;
    }
    case GST_EVENT_CAPS: {
      GstCaps *caps;
      GstVideoInfo info;
      gst_event_parse_caps (event, &caps);
      g_assert_true (gst_video_info_from_caps (&info, caps));
      g_string_append_printf (r->log, "caps%d@%d/%d ", info.width, info.fps_n, info.fps_d);
      break;
    }
    case GST_EVENT_FLUSH_STOP:
      g_string_append (r->log, "flush ");
      break;
    case GST_EVENT_EOS:
      g_string_append (r->log, "eos ");
      break;
    default:
      break;
  }
}

static GstPadProbeReturn
probe (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    log_buffer (data, GST_PAD_PROBE_INFO_BUFFER (info));
  else
    log_event (data, GST_PAD_PROBE_INFO_EVENT (info));
  return GST_PAD_PROBE_OK;
}

gboolean
run_caps (Run *r, const char *format, int size, int num, int den)
{
  g_free (r->caps);
  r->caps = g_strdup_printf ("video/x-raw,format=%s,width=%d,height=%d", format, size, size);
  r->rate[0] = num;
  r->rate[1] = den;
  g_autofree char *caps = g_strdup_printf ("%s,framerate=%d/%d", r->caps, num, den);
  g_autoptr (GstCaps) c = gst_caps_from_string (caps);
  return gst_harness_push_event (r->h, gst_event_new_caps (c));
}

Run *
run_new (const char *element, const char *format, int size, int num, int den, const char *outcaps)
{
  Run *r = g_new0 (Run, 1);
  GError *error = NULL;
  GstElement *e = gst_parse_launch (element, &error);
  g_assert_no_error (error);
  r->h = gst_harness_new_with_element (gst_object_ref_sink (e), "sink", "src");
  gst_object_unref (e);
  r->log = g_string_new ("");
  /* Memories are kept, for an address means something only while what was there is. */
  r->memories = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) gst_memory_unref, NULL);
  r->bus = gst_bus_new ();
  gst_element_set_bus (r->h->element, r->bus);
  if (outcaps)
    gst_harness_set_sink_caps_str (r->h, outcaps);
  gst_pad_add_probe (r->h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH, probe,
                     r, NULL);
  gst_harness_play (r->h);
  if (format && run_caps (r, format, size, num, den)) {
    GstSegment segment;
    gst_segment_init (&segment, GST_FORMAT_TIME);
    g_assert_true (gst_harness_push_event (r->h, gst_event_new_segment (&segment)));
    g_string_truncate (r->log, 0);
  }
  return r;
}

void
run_free (Run *r)
{
  gst_element_set_bus (r->h->element, NULL);
  gst_object_unref (r->bus);
  gst_harness_teardown (r->h);
  g_hash_table_unref (r->memories);
  g_string_free (r->log, TRUE);
  g_free (r->caps);
  g_free (r);
}

GstBuffer *
run_frame (Run *r, int value, GstClockTime pts, GstClockTime duration, guint flags)
{
  GstVideoInfo info;
  g_autoptr (GstCaps) caps = gst_caps_from_string (r->caps);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  GstBuffer *b = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  gst_buffer_memset (b, 0, value, -1);
  GST_BUFFER_PTS (b) = pts;
  GST_BUFFER_DURATION (b) = duration;
  GST_BUFFER_FLAG_SET (b, flags);
  return b;
}

GstFlowReturn
run_push (Run *r, int value, GstClockTime pts, GstClockTime duration, guint flags)
{
  GstBuffer *b = run_frame (r, value, pts, duration, flags);
  g_hash_table_insert (r->memories, gst_memory_ref (gst_buffer_peek_memory (b, 0)), b);
  return gst_harness_push (r->h, b);
}

char *
run_log (Run *r)
{
  GstBuffer *b;
  while ((b = gst_harness_try_pull (r->h)))
    gst_buffer_unref (b);
  char *log = g_strdup (g_strchomp (r->log->str));
  g_string_truncate (r->log, 0);
  return log;
}

void
bus_expect_error (GstBus *bus, GQuark domain, int code, const char *text)
{
  g_autoptr (GstMessage) m = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_assert_nonnull (m);
  gst_message_parse_error (m, &error, NULL);
  g_test_message ("%s", error->message);
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, text));
}

void
run_expect_error (Run *r, GQuark domain, int code, const char *text)
{
  bus_expect_error (r->bus, domain, code, text);
}

guint64
run_stat (Run *r, const char *name)
{
  GstStructure *s;
  guint64 value;
  g_object_get (r->h->element, "stats", &s, NULL);
  g_assert_true (gst_structure_get_uint64 (s, name, &value));
  gst_structure_free (s);
  return value;
}

/* ---- pipelines ---------------------------------------------------------------------------------- */

void
pipeline_play (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) m = gst_bus_timed_pop_filtered (bus, 90 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (m);
  if (GST_MESSAGE_TYPE (m) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;
    gst_message_parse_error (m, &error, NULL);
    g_assert_no_error (error);
  }
}

GstElement *
pipeline_parse (const char *line)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  return pipeline;
}
