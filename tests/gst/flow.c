/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiflow: which frame leaves when with which flow, what the flow is, how it is drawn and written. With weights of zeros the network is
 * its searches and Lucas-Kanade steps, which follow a smooth pattern well.
 *
 *     gst-flow --picture FILE.ppm          writes the drawing test's pictures side by side, for README
 */
#include "support.h"

#include <math.h>

#include <glib/gstdio.h>

#include "gstvfiflowmeta.h"

#define FLOW "vfiflow backend=cpu precision=fp32 threads=1 "

/* ---- which frame leaves when -------------------------------------------------------------------- */

/* Input, times in ms at 20 frames a second: "0" a frame, with "d" discontinuous; "gap50+50", "eos", "flush", "segment100", "size48", "drain".
 * Output: behind each word what left for it: a time, "=" if it is the very buffer that came in, f and b for flow; "-" if there is none. */
typedef struct
{
  const char *name, *properties, *log;
} Case;

static const Case cases[] = {
  { "forward", "", "0> 50>0=f 100>50=f eos>100=-" },
  { "backward", "direction=backward", "0>0=- 50>50=b 100>100=b eos>" },
  { "both", "direction=both", "0> 50>0=f 100>50=fb eos>100=b" },
  { "forward-checked", "consistency=true", "0> 50>0=f eos>50=-" },
  { "backward-checked", "direction=backward consistency=true", "0>0=- 50>50=b eos>" },
  { "step", "direction=both step=2", "0> 50> 100>0=f 150>50=f 200>100=fb eos>150=b,200=b" },
  { "step-backward", "direction=backward step=2", "0>0=- 50>50=- 100>100=b 150>150=b" },
  { "one-frame", "direction=both", "0> eos>0=-" },
  { "no-frame", "", "eos>" },
  { "discont", "direction=both", "0> 50>0=f 100d>50=b 150>100=f eos>150=b" },
  { "missing", "direction=both", "0> 50>0=f 200>50=b 250>200=f eos>250=b" },
  { "jitter", "direction=both", "0> 55>0=f 110>55=fb" },
  { "back-in-time", "direction=both", "100> 150>100=f 50>150=b 100>50=f" },
  { "gap", "direction=both", "0> 50>0=f gap100+50>50=b 150> 200>150=f" },
  { "flush", "direction=both", "0> 50>0=f flush> 100> 150>100=f eos>150=b" },
  { "segment", "direction=both", "0> 50>0=f segment100>50=b 100> 150>100=f" },
  { "size", "direction=both", "0> 50>0=f size48>50=b 100> 150>100=f" },
  { "drain", "direction=both", "0> 50>0=f drain>50=b 100>" },
  { "drawn", "direction=both output=color", "0> 50>0f 100>50fb eos>100b" },
};

static void
append_left (Run *r, GHashTable *sent, GString *log)
{
  GstBuffer *b;
  for (gboolean more = FALSE; (b = gst_harness_try_pull (r->h)); more = TRUE) {
    const GstVfiFlowMeta *m = gst_buffer_get_vfi_flow_meta (b);
    g_assert_nonnull (m);
    g_assert_cmpuint (m->width, >, 0);
    g_assert_true (!m->forward == !m->forward_confidence && !m->backward == !m->backward_confidence);
    g_string_append_printf (log, "%s%d%s%s%s%s", more ? "," : "", (int) (GST_BUFFER_PTS (b) / MS),
                            g_hash_table_contains (sent, gst_buffer_peek_memory (b, 0)) ? "=" : "", m->forward ? "f" : "",
                            m->backward ? "b" : "", m->forward || m->backward ? "" : "-");
    gst_buffer_unref (b);
  }
}

static void
test_case (gconstpointer data)
{
  const Case *k = data;
  g_autofree char *element = g_strdup_printf (FLOW "%s", k->properties);
  g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
  g_autoptr (GHashTable) sent = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) gst_memory_unref, NULL);
  g_autoptr (GString) log = g_string_new ("");
  g_auto (GStrv) words = g_strsplit (k->log, " ", -1);
  for (char **w = words; *w; w++) {
    char *word = *w, *p = word, *end;
    *strchr (word, '>') = 0;
    while (g_ascii_isalpha (*p))
      p++;
    const GstClockTime x = g_ascii_strtoull (p, &end, 10) * MS;
    if (g_str_equal (word, "eos"))
      gst_harness_push_event (r->h, gst_event_new_eos ());
    else if (g_str_equal (word, "drain")) {
      g_autoptr (GstQuery) q = gst_query_new_drain ();
      gst_pad_peer_query (r->h->srcpad, q);
    } else if (g_str_equal (word, "flush") || g_str_has_prefix (word, "segment")) {
      GstSegment s;
      gst_segment_init (&s, GST_FORMAT_TIME);
      s.start = s.time = x;
      if (word[0] == 'f') {
        gst_harness_push_event (r->h, gst_event_new_flush_start ());
        gst_harness_push_event (r->h, gst_event_new_flush_stop (TRUE));
      }
      gst_harness_push_event (r->h, gst_event_new_segment (&s));
    } else if (g_str_has_prefix (word, "gap"))
      gst_harness_push_event (r->h, gst_event_new_gap (x, g_ascii_strtoull (end + 1, NULL, 10) * MS));
    else if (g_str_has_prefix (word, "size"))
      g_assert_true (run_caps (r, "GRAY8", x / MS, 20, 1));
    else {
      GstBuffer *b = run_frame (r, 100, x, 50 * MS, *end == 'd' ? GST_BUFFER_FLAG_DISCONT : 0);
      g_hash_table_add (sent, gst_memory_ref (gst_buffer_peek_memory (b, 0)));
      g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
    }
    g_string_append_printf (log, "%s%s>", log->len ? " " : "", word);
    append_left (r, sent, log);
  }
  g_assert_cmpstr (log->str, ==, k->log);
}

/* ---- what the flow is --------------------------------------------------------------------------- */

enum
{
  SIZE = 192,
};

/* Something to see: waves in all directions, 0 to 1. */
static double
pattern (double x, double y)
{
  return 0.5 + 0.12 * (sin (x * 0.31 + y * 0.12) + sin (y * 0.27 - x * 0.15) + sin (x * 0.11 - y * 0.23) + sin (x * 0.07 + y * 0.05));
}

/* The pattern turned by `angle` and `zoom` times as large round the middle, then moved. */
static GstBuffer *
pattern_frame (GstVideoFormat format, double angle, double zoom, double dx, double dy, GstClockTime pts)
{
  GstVideoInfo grey, info;
  gst_video_info_set_format (&grey, GST_VIDEO_FORMAT_GRAY8, SIZE, SIZE);
  GstBuffer *b = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&grey), NULL);
  GstMapInfo map;
  gst_buffer_map (b, &map, GST_MAP_WRITE);
  for (int y = 0; y < SIZE; y++)
    for (int x = 0; x < SIZE; x++) {
      const double cx = x - dx - (SIZE - 1) / 2.0, cy = y - dy - (SIZE - 1) / 2.0;
      map.data[y * GST_VIDEO_INFO_PLANE_STRIDE (&grey, 0) + x] =
          (guint8) (16.5 + 219 * pattern ((cos (angle) * cx + sin (angle) * cy) / zoom, (cos (angle) * cy - sin (angle) * cx) / zoom));
    }
  gst_buffer_unmap (b, &map);
  if (format != GST_VIDEO_FORMAT_GRAY8) {
    gst_video_info_set_format (&info, format, SIZE, SIZE);
    GstBuffer *to = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
    GstVideoFrame in, out;
    gst_video_frame_map (&in, &grey, b, GST_MAP_READ);
    gst_video_frame_map (&out, &info, to, GST_MAP_WRITE);
    GstVideoConverter *c = gst_video_converter_new (&grey, &info, NULL);
    gst_video_converter_frame (c, &in, &out);
    gst_video_converter_free (c);
    gst_video_frame_unmap (&out);
    gst_video_frame_unmap (&in);
    gst_buffer_unref (b);
    b = to;
  }
  GST_BUFFER_PTS (b) = pts;
  GST_BUFFER_DURATION (b) = 50 * MS;
  return b;
}

/* Mean and largest distance of a field from what is true (angle, zoom, shift), `margin` pixels inside. */
static double
apart (const float *flow, double angle, double zoom, double dx, double dy, int margin, double *largest)
{
  double sum = 0;
  int n = 0;
  *largest = 0;
  for (int y = margin; y < SIZE - margin; y++)
    for (int x = margin; x < SIZE - margin; x++, n++) {
      const double cx = x - (SIZE - 1) / 2.0, cy = y - (SIZE - 1) / 2.0;
      const double u = zoom * (cos (angle) * cx - sin (angle) * cy) + dx - cx, v = zoom * (cos (angle) * cy + sin (angle) * cx) + dy - cy;
      const double e = hypot (flow[2 * (y * SIZE + x)] - u, flow[2 * (y * SIZE + x) + 1] - v);
      sum += e;
      *largest = MAX (*largest, e);
    }
  return sum / n;
}

/* Two frames in, their buffers out. */
static void
two (Run *r, GstVideoFormat format, double angle, double zoom, double dx, double dy, GstBuffer *out[2])
{
  gst_harness_push (r->h, pattern_frame (format, 0, 1, 0, 0, 0));
  gst_harness_push (r->h, pattern_frame (format, angle, zoom, dx, dy, 50 * MS));
  gst_harness_push_event (r->h, gst_event_new_eos ());
  for (int i = 0; i < 2; i++)
    g_assert_nonnull ((out[i] = gst_harness_try_pull (r->h)));
}

static void
test_motion (gconstpointer format)
{
  g_autoptr (Run) r = run_new (FLOW "direction=both", format, SIZE, 20, 1, NULL);
  GstBuffer *b[2];
  double largest;
  two (r, gst_video_format_from_string (format), 0, 1, 3, -2, b);
  const GstVfiFlowMeta *first = gst_buffer_get_vfi_flow_meta (b[0]), *second = gst_buffer_get_vfi_flow_meta (b[1]);
  const double there = apart (first->forward, 0, 1, 3, -2, 12, &largest), back = apart (second->backward, 0, 1, -3, 2, 12, &largest);
  g_test_message ("off by %.3f and %.3f pixels", there, back);
  g_assert_cmpfloat (there, <, 0.25);
  g_assert_cmpfloat (back, <, 0.25);
  gst_buffer_unref (b[0]);
  gst_buffer_unref (b[1]);
}

/* At a smaller scale it is worked out coarser, and is in the frame's pixels all the same. */
static void
test_scale (void)
{
  g_autoptr (Run) r = run_new (FLOW "scale=0.5", "GRAY8", SIZE, 20, 1, NULL);
  double largest;
  gst_harness_push (r->h, pattern_frame (GST_VIDEO_FORMAT_GRAY8, 0, 2, 0, 0, 0));
  gst_harness_push (r->h, pattern_frame (GST_VIDEO_FORMAT_GRAY8, 0, 2, 3, -2, 50 * MS));
  g_autoptr (GstBuffer) b = gst_harness_pull (r->h);
  const double off = apart (gst_buffer_get_vfi_flow_meta (b)->forward, 0, 1, 3, -2, 24, &largest);
  g_test_message ("off by %.3f pixels", off);
  g_assert_cmpfloat (off, <, 0.3);
}

/* Inside, the ways there and back agree; what moves out of the picture is not seen again. */
static void
test_consistency (void)
{
  g_autoptr (Run) r = run_new (FLOW "consistency=true", "GRAY8", SIZE, 20, 1, NULL);
  gst_harness_push (r->h, pattern_frame (GST_VIDEO_FORMAT_GRAY8, 0, 2, 0, 0, 0));
  gst_harness_push (r->h, pattern_frame (GST_VIDEO_FORMAT_GRAY8, 0, 2, 5, 0, 50 * MS));
  g_autoptr (GstBuffer) b = gst_harness_pull (r->h);
  const float *sure = gst_buffer_get_vfi_flow_meta (b)->forward_confidence;
  double inside = 0, outside = 0;
  for (int y = 16; y < SIZE - 16; y++) {
    for (int x = 16; x < SIZE - 16; x++)
      inside += sure[y * SIZE + x] / (SIZE - 32) / (SIZE - 32);
    for (int x = SIZE - 4; x < SIZE; x++)
      outside += sure[y * SIZE + x] / (SIZE - 32) / 4;
  }
  g_test_message ("inside %.3f, where it moves out %.3f", inside, outside);
  g_assert_cmpfloat (inside, >, 0.85);
  g_assert_cmpfloat (outside, <, 0.1);
}

/* Copies of a buffer share its flow, parts of it have none. */
static void
test_copies (void)
{
  g_autoptr (Run) r = run_new (FLOW, "GRAY8", SIZE, 20, 1, NULL);
  GstBuffer *b[2];
  two (r, GST_VIDEO_FORMAT_GRAY8, 0, 1, 1, 0, b);
  g_autoptr (GstBuffer) copy = gst_buffer_copy (b[0]);
  g_autoptr (GstBuffer) part = gst_buffer_copy_region (b[0], GST_BUFFER_COPY_ALL, 0, SIZE);
  const float *flow = gst_buffer_get_vfi_flow_meta (b[0])->forward;
  gst_buffer_unref (b[0]);
  gst_buffer_unref (b[1]);
  g_assert_nonnull (gst_buffer_get_vfi_flow_meta (copy));
  g_assert_true (gst_buffer_get_vfi_flow_meta (copy)->forward == flow);
  g_assert_cmpfloat (fabs (flow[SIZE * SIZE] - 1), <, 0.3);
  g_assert_null (gst_buffer_get_vfi_flow_meta (part));
  g_assert_true (
      gst_meta_api_type_has_tag (g_type_from_name ("GstVfiFlowMetaAPI"), g_quark_from_static_string (GST_META_TAG_VIDEO_SIZE_STR)));
}

/* A frame that somebody else holds too is not written to. */
static void
test_shared (void)
{
  g_autoptr (Run) r = run_new (FLOW "direction=backward", "GRAY8", 32, 20, 1, NULL);
  g_autoptr (GstBuffer) mine = run_frame (r, 7, 0, 50 * MS, 0);
  gst_harness_push (r->h, gst_buffer_ref (mine));
  g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
  g_assert_null (gst_buffer_get_vfi_flow_meta (mine));
  g_assert_nonnull (gst_buffer_get_vfi_flow_meta (out));
  g_assert_true (gst_buffer_peek_memory (out, 0) == gst_buffer_peek_memory (mine, 0));
}

/* ---- drawing ------------------------------------------------------------------------------------ */

/* Hue of a pixel, 0 to 1, on the wheel where right is red (0), down yellow, left cyan to blue, up violet; -1 without colour. */
static double
hue (const guint8 *p)
{
  const int most = MAX (p[0], MAX (p[1], p[2])), least = MIN (p[0], MIN (p[1], p[2]));
  const double d = most - least;
  if (d < 20)
    return -1;
  const double h = most == p[0] ? (p[1] - p[2]) / d : most == p[1] ? 2 + (p[2] - p[0]) / d : 4 + (p[0] - p[1]) / d;
  return h < 0 ? h / 6 + 1 : h / 6;
}

static GstBuffer *
drawing (double angle, double zoom, double reach)
{
  g_autofree char *element = g_strdup_printf (FLOW "output=color max-flow=%g", reach);
  g_autoptr (Run) r = run_new (element, "RGB", SIZE, 20, 1, NULL);
  GstBuffer *b[2];
  two (r, GST_VIDEO_FORMAT_RGB, angle, zoom, 0, 0, b);
  GstMapInfo map;
  gst_buffer_map (b[1], &map, GST_MAP_READ);
  for (gsize i = 0; i < map.size; i++)
    g_assert_cmpint (map.data[i], ==, 0); /* the last frame has no flow: black */
  gst_buffer_unmap (b[1], &map);
  gst_buffer_unref (b[1]);
  return b[0];
}

/* Colours 64 pixels right of, below, left of and above the middle: on the wheel red is right, yellow down, blue-green left, violet up. */
static void
test_colours (void)
{
  static const struct
  {
    const char *name;
    double angle, zoom;
    double right, below, left, above; /* hues */
  } turns[] = {
    /* The wheel's hues of the four directions, of motion 0, 90, 180, 270 degrees clockwise from the right: */
    { "zooms in", 0, 1.04, 0.0, 0.155, 0.52, 0.74 },
    { "turns clockwise", 0.04, 1, 0.155, 0.52, 0.74, 0.0 },
    { "turns back", -0.04, 1, 0.74, 0.0, 0.155, 0.52 },
    { "zooms out", 0, 1 / 1.04, 0.52, 0.74, 0.0, 0.155 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (turns); i++) {
    g_autoptr (GstBuffer) b = drawing (turns[i].angle, turns[i].zoom, 4);
    const double want[] = { turns[i].right, turns[i].below, turns[i].left, turns[i].above };
    static const int at[4][2] = { { 64, 0 }, { 0, 64 }, { -64, 0 }, { 0, -64 } };
    GstMapInfo map;
    gst_buffer_map (b, &map, GST_MAP_READ);
    for (int k = 0; k < 4; k++) {
      const double h = hue (map.data + (SIZE / 2 + at[k][1]) * GST_ROUND_UP_4 (3 * SIZE) + (SIZE / 2 + at[k][0]) * 3);
      const double off = fabs (h - want[k]), round = MIN (off, 1 - off);
      g_test_message ("%s, place %d: hue %.3f, wanted %.3f", turns[i].name, k, h, want[k]);
      g_assert_cmpfloat (h, >=, 0);
      g_assert_cmpfloat (round, <, 0.05);
    }
    gst_buffer_unmap (b, &map);
  }
}

static double
mean_of (GstBuffer *b)
{
  GstMapInfo map;
  double sum = 0;
  gst_buffer_map (b, &map, GST_MAP_READ);
  for (gsize i = 0; i < map.size; i++)
    sum += map.data[i];
  sum /= map.size;
  gst_buffer_unmap (b, &map);
  return sum;
}

/* Following the flow hardly anything differs; magnitude is grey in proportion; arrows leave the darkened picture. */
static void
test_outputs (void)
{
  static const struct
  {
    const char *output;
    double least, most; /* mean of the picture's bytes: of the frame it is 126 */
  } outputs[] = { { "warp-error", 0, 8 }, { "magnitude max-flow=7.2", 120, 135 }, { "arrows", 55, 75 } };
  for (guint i = 0; i < G_N_ELEMENTS (outputs); i++) {
    g_autofree char *element = g_strdup_printf (FLOW "output=%s", outputs[i].output);
    g_autoptr (Run) r = run_new (element, "RGB", SIZE, 20, 1, NULL);
    GstBuffer *b[2];
    two (r, GST_VIDEO_FORMAT_RGB, 0, 1, 3, -2, b); /* 3.6 pixels: half of 7.2 */
    g_test_message ("%s: %.1f", outputs[i].output, mean_of (b[0]));
    g_assert_cmpfloat (mean_of (b[0]), >=, outputs[i].least);
    g_assert_cmpfloat (mean_of (b[0]), <=, outputs[i].most);
    gst_buffer_unref (b[0]);
    gst_buffer_unref (b[1]);
  }
}

/* Whatever the frames are. */
static void
test_drawn_formats (void)
{
  static const char *const formats[] = { "I420", "YV12",      "NV12", "Y42B", "Y444", "I420_10LE", "I422_10LE", "Y444_10LE", "P010_10LE",
                                         "A420", "A444_10LE", "RGB",  "BGR",  "RGBA", "BGRA",      "RGBx",      "BGRx",      "GRAY8" };
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (Run) r = run_new (FLOW "output=magnitude max-flow=7.2", formats[i], SIZE, 20, 1, NULL);
    GstVideoInfo info, rgb;
    GstVideoFrame in, out;
    GstBuffer *b[2];
    two (r, gst_video_format_from_string (formats[i]), 0, 1, 3, -2, b);
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (r->h->sinkpad);
    gst_video_info_from_caps (&info, caps);
    gst_video_info_set_format (&rgb, GST_VIDEO_FORMAT_RGB, SIZE, SIZE);
    rgb.fps_n = info.fps_n;
    rgb.fps_d = info.fps_d;
    g_autoptr (GstBuffer) shown = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&rgb), NULL);
    g_assert_true (gst_video_frame_map (&in, &info, b[0], GST_MAP_READ) && gst_video_frame_map (&out, &rgb, shown, GST_MAP_WRITE));
    GstVideoConverter *c = gst_video_converter_new (&info, &rgb, NULL);
    gst_video_converter_frame (c, &in, &out);
    gst_video_converter_free (c);
    gst_video_frame_unmap (&in);
    gst_video_frame_unmap (&out);
    g_test_message ("%s: %.1f", formats[i], mean_of (shown));
    g_assert_cmpfloat (fabs (mean_of (shown) - 127), <, 8);
    gst_buffer_unref (b[0]);
    gst_buffer_unref (b[1]);
  }
}

/* ---- files, errors, latency --------------------------------------------------------------------- */

static void
test_files (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vfiflow-XXXXXX", NULL);
  g_autofree char *element = g_strdup_printf (FLOW "flow-location=%s/f%%02d.flo", dir);
  g_autofree char *first = g_build_filename (dir, "f00.flo", NULL), *second = g_build_filename (dir, "f01.flo", NULL), *bytes = NULL;
  g_autoptr (Run) r = run_new (element, "GRAY8", SIZE, 20, 1, NULL);
  GstBuffer *b[2];
  gsize size;
  two (r, GST_VIDEO_FORMAT_GRAY8, 0, 1, 2, 1, b);
  g_assert_true (g_file_get_contents (first, &bytes, &size, NULL));
  g_assert_cmpuint (size, ==, 12 + SIZE * SIZE * 8);
  g_assert_cmpmem (bytes, 4, "PIEH", 4);
  g_assert_cmpint (GINT32_FROM_LE (*(gint32 *) (bytes + 4)), ==, SIZE);
  g_assert_cmpint (GINT32_FROM_LE (*(gint32 *) (bytes + 8)), ==, SIZE);
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  g_assert_cmpmem (bytes + 12, size - 12, gst_buffer_get_vfi_flow_meta (b[0])->forward, size - 12);
#endif
  g_assert_false (g_file_test (second, G_FILE_TEST_EXISTS)); /* the last frame has none */
  gst_buffer_unref (b[0]);
  gst_buffer_unref (b[1]);
  g_unlink (first);
  g_rmdir (dir);
}

static void
test_errors (void)
{
  static const char *const patterns[] = { "flow.flo", "flow-%s.flo", "flow-%d.txt", "%d-%d.flo", "flow-%d.flo%", "%n%d.flo" };
  for (guint i = 0; i < G_N_ELEMENTS (patterns); i++) {
    g_autofree char *element = g_strdup_printf (FLOW "flow-location=%s", patterns[i]);
    g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
    run_expect_error (r, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, patterns[i]);
  }
  {
    g_autoptr (Run) r = run_new (FLOW "direction=forward flow-location=/nonexistent/%d.flo", "GRAY8", 32, 20, 1, NULL);
    run_push (r, 1, 0, 50 * MS, 0);
    g_assert_cmpint (run_push (r, 1, 50 * MS, 50 * MS, 0), ==, GST_FLOW_ERROR);
    run_expect_error (r, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE, "/nonexistent/0.flo");
  }
  {
    g_autoptr (Run) r = run_new (FLOW "model=vfi-nano", "GRAY8", 32, 20, 1, NULL);
    run_expect_error (r, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "vfi-nano is a network for interpolation, not for flow");
  }
  {
    g_autoptr (Run) r = run_new ("vfiinterp backend=cpu model=vfi-flow-nano", "GRAY8", 32, 20, 1, NULL);
    run_expect_error (r, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "vfi-flow-nano is a network for flow, not for interpolation");
  }
}

static GstClockTime
latency (const char *properties)
{
  g_autofree char *element = g_strdup_printf (FLOW "%s", properties);
  g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
  gst_harness_set_upstream_latency (r->h, 10 * MS);
  return gst_harness_query_latency (r->h);
}

/* Forward flow waits for as many frames as there are to the other one, backward flow for none. */
static void
test_latency (void)
{
  const GstClockTime backward = latency ("direction=backward"), forward = latency ("direction=forward"),
                     both = latency ("direction=both step=3");
  g_assert_cmpuint (backward, >=, 10 * MS);
  g_assert_cmpuint (backward, <, 60 * MS);
  g_assert_cmpuint (forward - backward, ==, 50 * MS);
  g_assert_cmpuint (both - backward, ==, 150 * MS);
}

static void
test_stats (void)
{
  g_autoptr (Run) r = run_new (FLOW, "GRAY8", 32, 20, 1, NULL);
  for (int i = 0; i < 4; i++)
    run_push (r, 1, i * 50 * MS, 50 * MS, i == 2 ? GST_BUFFER_FLAG_DISCONT : 0);
  gst_harness_push_event (r->h, gst_event_new_eos ());
  g_assert_cmpuint (run_stat (r, "in"), ==, 4);
  g_assert_cmpuint (run_stat (r, "out"), ==, 4);
  g_assert_cmpuint (run_stat (r, "pairs"), ==, 2);
  g_assert_cmpuint (run_stat (r, "discontinuities"), ==, 1);
}

/* The pattern, and its colours as it turns clockwise, comes nearer, and turns back while it comes nearer. */
static int
write_picture (const char *path)
{
  FILE *f = fopen (path, "wb");
  if (!f)
    return 1;
  GstBuffer *b[] = { pattern_frame (GST_VIDEO_FORMAT_RGB, 0, 1, 0, 0, 0), drawing (0.04, 1, 6), drawing (0, 1.04, 6),
                     drawing (-0.03, 1.03, 6) };
  GstMapInfo map[G_N_ELEMENTS (b)];
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    gst_buffer_map (b[i], &map[i], GST_MAP_READ);
  fprintf (f, "P6 %d %d 255\n", (int) (SIZE * G_N_ELEMENTS (b)), SIZE);
  for (int y = 0; y < SIZE; y++)
    for (guint i = 0; i < G_N_ELEMENTS (b); i++)
      fwrite (map[i].data + y * GST_ROUND_UP_4 (3 * SIZE), 3, SIZE, f);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++) {
    gst_buffer_unmap (b[i], &map[i]);
    gst_buffer_unref (b[i]);
  }
  return fclose (f);
}

int
main (int argc, char **argv)
{
  static const char *const formats[] = { "GRAY8", "I420", "RGB", "P010_10LE" };
  const char *picture = argc == 3 && g_str_equal (argv[1], "--picture") ? argv[2] : NULL;

  argc = picture ? 1 : argc;
  run_init (&argc, &argv);
  if (picture)
    return write_picture (picture);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *name = g_strconcat ("/flow/", cases[i].name, NULL);
    g_test_add_data_func (name, &cases[i], test_case);
  }
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *name = g_strconcat ("/flow/motion/", formats[i], NULL);
    g_test_add_data_func (name, formats[i], test_motion);
  }
  g_test_add_func ("/flow/scale", test_scale);
  g_test_add_func ("/flow/consistency", test_consistency);
  g_test_add_func ("/flow/copies", test_copies);
  g_test_add_func ("/flow/shared", test_shared);
  g_test_add_func ("/flow/colours", test_colours);
  g_test_add_func ("/flow/outputs", test_outputs);
  g_test_add_func ("/flow/drawn-formats", test_drawn_formats);
  g_test_add_func ("/flow/files", test_files);
  g_test_add_func ("/flow/errors", test_errors);
  g_test_add_func ("/flow/latency", test_latency);
  g_test_add_func ("/flow/stats", test_stats);
  return g_test_run ();
}
