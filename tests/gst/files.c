/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiinterp between real decoders and encoders, in pipelines as users write them.
 */
#include "support.h"

#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>

#define CLIP "/usr/share/doc/opencv-doc/examples/data/vtest.avi" /* Debian: opencv-doc */
#define FRAMES 12

static gboolean
have (const char *const *elements)
{
  for (; *elements; elements++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (*elements);
    if (!factory) {
      g_autofree char *text = g_strdup_printf ("there is no element %s", *elements);
      g_test_skip (text);
      return FALSE;
    }
  }
  return TRUE;
}

/* Number of frames, end of the last one and largest deviation of a time stamp from a grid, of all that a decoder gives for a file. */
static int
decode (const char *path, int num, int den, GstClockTime *end, GstClockTime *worst)
{
  g_autofree char *line = g_strdup_printf ("filesrc location=%s ! decodebin ! appsink name=sink sync=false", path);
  g_autoptr (GstElement) pipeline = pipeline_parse (line), sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample;
  int n = 0;
  *worst = 0;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (; (sample = gst_app_sink_pull_sample (GST_APP_SINK (sink))); n++) {
    GstBuffer *b = gst_sample_get_buffer (sample);
    GstClockTime pts = gst_segment_to_stream_time (gst_sample_get_segment (sample), GST_FORMAT_TIME, GST_BUFFER_PTS (b));
    GstClockTime wanted = gst_util_uint64_scale (n, den * GST_SECOND, num);
    *worst = MAX (*worst, MAX (pts, wanted) - MIN (pts, wanted));
    *end = pts + GST_BUFFER_DURATION (b);
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return n;
}

/* A real clip, decoded, changed, encoded, decoded again: as many frames as there must be, at their times. */
static void
test_clip (gconstpointer data)
{
  static const struct
  {
    const char *properties;
    int num, den, frames; /* what comes out of FRAMES at 10 a second */
  } cases[] = { { "", 20, 1, 2 * FRAMES },
                { "multiplier=5/2", 25, 1, 5 * FRAMES / 2 },
                { "mode=slowmo multiplier=3", 10, 1, 3 * FRAMES },
                { "mode=repair", 10, 1, FRAMES } };
  static const char *const elements[] = { "avidemux", "avdec_mpeg4", "x264enc", "matroskamux", "matroskademux", "avdec_h264", NULL };
  const guint i = GPOINTER_TO_UINT (data);
  GstClockTime end = 0, worst;
  if (!g_file_test (CLIP, G_FILE_TEST_EXISTS)) {
    g_test_skip (CLIP " is not there: install opencv-doc");
    return;
  }
  if (!have (elements))
    return;
  g_autofree char *dir = g_dir_make_tmp ("vfi-XXXXXX", NULL), *path = g_build_filename (dir, "out.mkv", NULL);
  g_autofree char *line = g_strdup_printf (
      "filesrc location=" CLIP " ! avidemux ! identity eos-after=%d ! decodebin ! videoscale ! video/x-raw,width=192,height=144 ! "
      "vfiinterp name=vfi threads=1 %s ! x264enc speed-preset=ultrafast tune=zerolatency ! matroskamux ! filesink location=%s",
      FRAMES + 1, cases[i].properties, path);
  GstElement *pipeline = pipeline_parse (line);
  g_autoptr (GstElement) vfi = gst_bin_get_by_name (GST_BIN (pipeline), "vfi");
  pipeline_play (pipeline);
  g_autoptr (GstStructure) stats = NULL;
  guint64 in, out, skipped;
  g_object_get (vfi, "stats", &stats, NULL);
  gst_structure_get (stats, "in", G_TYPE_UINT64, &in, "out", G_TYPE_UINT64, &out, "skipped", G_TYPE_UINT64, &skipped, NULL);
  g_assert_cmpuint (in, ==, FRAMES);
  g_assert_cmpuint (out, ==, cases[i].frames);
  g_assert_cmpuint (skipped, ==, 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);

  g_assert_cmpint (decode (path, cases[i].num, cases[i].den, &end, &worst), ==, cases[i].frames);
  g_assert_cmpuint (worst, <=, MS); /* Matroska counts in milliseconds */
  const GstClockTime wanted = gst_util_uint64_scale (cases[i].frames, cases[i].den * GST_SECOND, cases[i].num);
  g_assert_cmpuint (MAX (end, wanted) - MIN (end, wanted), <=, MS);
  g_unlink (path);
  g_rmdir (dir);
}

/* Seeks, flushing and accurate, in a pipeline that plays: slow motion's own time. */
static void
test_seek (void)
{
  g_autoptr (GstElement) pipeline =
      pipeline_parse ("videotestsrc num-buffers=100 pattern=ball ! video/x-raw,format=I420,width=64,height=48,framerate=20/1 ! "
                      "vfiinterp name=vfi mode=slowmo multiplier=4 backend=cpu threads=1 ! appsink name=sink sync=false max-buffers=2");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  g_assert_cmpint (gst_element_get_state (pipeline, NULL, NULL, 60 * GST_SECOND), ==, GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (int i = 0; i < 5; i++) {
    /* 4 seconds of slow motion are 1 second of the source. */
    const gint64 start = (4 - i) * 800 * MS, stop = start + 1000 * MS;
    g_assert_true (gst_element_seek (pipeline, 1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET, start,
                                     GST_SEEK_TYPE_SET, stop));
    GstClockTime at = start;
    GstSample *sample;
    while (at < (GstClockTime) stop && (sample = gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 30 * GST_SECOND))) {
      GstBuffer *b = gst_sample_get_buffer (sample);
      const GstClockTime time = gst_segment_to_stream_time (gst_sample_get_segment (sample), GST_FORMAT_TIME, GST_BUFFER_PTS (b));
      g_assert_cmpuint (time, ==, at);
      at += GST_BUFFER_DURATION (b);
      gst_sample_unref (sample);
    }
    g_assert_cmpuint (at, ==, stop);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* Broadcast rates: every time stamp to the nanosecond, and the end. timeline.c does the same for ten minutes. */
static void
test_rates (gconstpointer data)
{
  static const struct
  {
    const char *in, *out;
    int num, den, frames; /* out of 240 */
  } rates[] = { { "24000/1001", "60000/1001", 60000, 1001, 600 },
                { "25/1", "50/1", 50, 1, 480 },
                { "30/1", "60/1", 60, 1, 480 },
                { "50/1", "30/1", 30, 1, 144 },
                { "24/1", "25/1", 25, 1, 250 },
                { "30000/1001", "24000/1001", 24000, 1001, 192 } };
  const guint i = GPOINTER_TO_UINT (data);
  g_autofree char *line = g_strdup_printf ("videotestsrc num-buffers=240 ! video/x-raw,format=GRAY8,width=16,height=16,framerate=%s ! "
                                           "vfiinterp backend=cpu threads=1 ! video/x-raw,framerate=%s ! appsink name=sink sync=false",
                                           rates[i].in, rates[i].out);
  g_autoptr (GstElement) pipeline = pipeline_parse (line), sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample;
  guint64 k = 0;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (; (sample = gst_app_sink_pull_sample (GST_APP_SINK (sink))); k++) {
    GstBuffer *b = gst_sample_get_buffer (sample);
    g_assert_cmpuint (GST_BUFFER_PTS (b), ==, gst_util_uint64_scale (k, rates[i].den * GST_SECOND, rates[i].num));
    g_assert_cmpuint (GST_BUFFER_PTS (b) + GST_BUFFER_DURATION (b), ==,
                      gst_util_uint64_scale (k + 1, rates[i].den * GST_SECOND, rates[i].num));
    gst_sample_unref (sample);
  }
  g_assert_cmpuint (k, ==, rates[i].frames);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* A stream that loses frames comes out whole. */
static void
test_lossy (void)
{
  g_autoptr (GstElement) pipeline = pipeline_parse (
      "videotestsrc num-buffers=60 pattern=ball ! video/x-raw,format=I420,width=64,height=48,framerate=20/1 ! "
      "identity drop-probability=0.2 ! vfiinterp name=vfi mode=repair max-gap=20 backend=cpu threads=1 ! appsink name=sink sync=false");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink"), vfi = gst_bin_get_by_name (GST_BIN (pipeline), "vfi");
  GstSample *sample;
  GstClockTime at = GST_CLOCK_TIME_NONE;
  guint64 n = 0, in, out, repaired;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (; (sample = gst_app_sink_pull_sample (GST_APP_SINK (sink))); n++) {
    GstBuffer *b = gst_sample_get_buffer (sample);
    g_assert_true (n == 0 || GST_BUFFER_PTS (b) == at);
    at = GST_BUFFER_PTS (b) + GST_BUFFER_DURATION (b);
    gst_sample_unref (sample);
  }
  g_autoptr (GstStructure) stats = NULL;
  g_object_get (vfi, "stats", &stats, NULL);
  gst_structure_get (stats, "in", G_TYPE_UINT64, &in, "out", G_TYPE_UINT64, &out, "repaired", G_TYPE_UINT64, &repaired, NULL);
  g_assert_cmpuint (out, ==, n);
  g_assert_cmpuint (in + repaired, ==, n);
  g_assert_cmpuint (repaired, >, 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* Up, down and up again through all states, and several at once. */
static void
test_many (void)
{
  g_autoptr (GstElement) pipeline = pipeline_parse (
      "videotestsrc num-buffers=30 ! video/x-raw,width=64,height=48,framerate=20/1 ! tee name=t "
      "t. ! queue ! vfiinterp backend=cpu threads=1 ! fakesink t. ! queue ! vfiinterp mode=slowmo backend=cpu threads=1 ! fakesink "
      "t. ! queue ! vfiinterp backend=cpu threads=1 ! vfiinterp mode=repair backend=cpu threads=1 ! fakesink");
  for (int i = 0; i < 3; i++) {
    pipeline_play (pipeline);
    gst_element_set_state (pipeline, i == 1 ? GST_STATE_NULL : GST_STATE_READY);
  }
  /* In the midst of it. */
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_usleep (50000);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  run_init (&argc, &argv);
  g_test_add_data_func ("/vfiinterp/clip/rate", GUINT_TO_POINTER (0), test_clip);
  g_test_add_data_func ("/vfiinterp/clip/rate-5/2", GUINT_TO_POINTER (1), test_clip);
  g_test_add_data_func ("/vfiinterp/clip/slowmo", GUINT_TO_POINTER (2), test_clip);
  g_test_add_data_func ("/vfiinterp/clip/repair", GUINT_TO_POINTER (3), test_clip);
  g_test_add_data_func ("/vfiinterp/rates/23.98-59.94", GUINT_TO_POINTER (0), test_rates);
  g_test_add_data_func ("/vfiinterp/rates/25-50", GUINT_TO_POINTER (1), test_rates);
  g_test_add_data_func ("/vfiinterp/rates/30-60", GUINT_TO_POINTER (2), test_rates);
  g_test_add_data_func ("/vfiinterp/rates/50-30", GUINT_TO_POINTER (3), test_rates);
  g_test_add_data_func ("/vfiinterp/rates/24-25", GUINT_TO_POINTER (4), test_rates);
  g_test_add_data_func ("/vfiinterp/rates/29.97-23.98", GUINT_TO_POINTER (5), test_rates);
  g_test_add_func ("/vfiinterp/pipeline/seek", test_seek);
  g_test_add_func ("/vfiinterp/pipeline/lossy", test_lossy);
  g_test_add_func ("/vfiinterp/pipeline/many", test_many);
  return g_test_run ();
}
