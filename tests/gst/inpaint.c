/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiinpaint: where masks come from, what is refused and how, and that nothing else of a frame changes.
 */
#include <glib/gstdio.h>
#include <gst/app/gstappsrc.h>
#ifdef HAVE_ANALYTICS
#include <gst/analytics/analytics.h>
#endif
#include <vfi.h>

#include "inpaint.h"

/* ---- one thing at a time ------------------------------------------------------------------------ */

/* In READY malformed rectangles are an error when it starts; in PLAYING they are refused, and the old ones stay. */
static void
test_rects (void)
{
  static const char *const bad[] = { "10,10,50",         "10,10,50,",       "10,10,0,5", "10,10,5,-5",        "a,b,c,d",
                                     "1,2,3,4;;5,6,7,8", "1,2,3,4 5,6,7,8", "1.5,2,3,4", "99999999999,0,1,1", ";" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GstElement) e = gst_object_ref_sink (gst_element_factory_make ("vfiinpaint", NULL));
    g_autoptr (GstBus) bus = gst_bus_new ();
    gst_element_set_bus (e, bus);
    g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*mask-rects: * is no rectangle*");
    g_object_set (e, "mask-rects", bad[i], NULL);
    g_test_assert_expected_messages ();
    g_assert_cmpint (gst_element_set_state (e, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
    bus_expect_error (bus, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "mask-rects=\"16,16,120,48;600,330,32,24\""); /* an example */
    gst_element_set_state (e, GST_STATE_NULL);
    gst_element_set_bus (e, NULL);
  }
  g_autoptr (Run) r = run_new (INPAINT, "GRAY8", 32, 20, 1, NULL);
  g_assert_false (frame_is_masked (r, 0));
  g_object_set (r->h->element, "mask-rects", " 1, 2 ,3 , 4 ; 5,6,7,8; ", NULL);
  g_assert_true (frame_is_masked (r, 50));
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*\"1,2,3\" at character 1*");
  g_object_set (r->h->element, "mask-rects", "1,2,3", NULL);
  g_test_assert_expected_messages ();
  g_assert_true (frame_is_masked (r, 100));
  g_object_set (r->h->element, "mask-rects", "", NULL);
  g_assert_false (frame_is_masked (r, 150));
}

/* A picture file of 16 x 16 pixels, the upper half `on` and the lower `off`; FALSE (and skipped) where GStreamer cannot make it. */
static gboolean
write_picture (const char *path, const char *encoder, const char *format, const guint8 *on, const guint8 *off)
{
  const int step = g_str_equal (format, "GRAY8") ? 1 : g_str_equal (format, "RGB") ? 3 : 4;
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (encoder);
  if (!factory) {
    g_autofree char *text = g_strdup_printf ("there is no element %s", encoder);
    g_test_skip (text);
    return FALSE;
  }
  g_autofree char *line = g_strdup_printf (
      "appsrc name=src format=time caps=video/x-raw,format=%s,width=16,height=16,framerate=1/1 ! %s ! filesink location=%s", format,
      encoder, path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL), src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstBuffer *b = gst_buffer_new_allocate (NULL, 256 * step, NULL);
  for (int i = 0; i < 256; i++)
    gst_buffer_fill (b, i * step, i < 128 ? on : off, step);
  GST_BUFFER_PTS (b) = 0;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_app_src_push_buffer (GST_APP_SRC (src), b);
  gst_app_src_end_of_stream (GST_APP_SRC (src));
  g_autoptr (GstMessage) m = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_true (m && GST_MESSAGE_TYPE (m) == GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return TRUE;
}

/* A picture of any kind and size, bright where something goes, or opaque where it has transparent parts. */
static void
test_location (void)
{
  static const struct
  {
    const char *encoder, *format;
    guint8 on[4], off[4];
    gboolean removes;
  } pictures[] = {
    { "pnmenc", "GRAY8", { 255 }, { 0 }, TRUE },
    { "pnmenc", "GRAY8", { 100 }, { 0 }, FALSE },
    { "jpegenc", "GRAY8", { 255 }, { 0 }, TRUE },
    { "pngenc", "GRAY8", { 128 }, { 0 }, TRUE },
    { "pngenc", "GRAY8", { 127 }, { 0 }, FALSE },
    { "pngenc", "RGB", { 128, 128, 128 }, { 0 }, TRUE },
    { "pngenc", "RGB", { 127, 127, 127 }, { 0 }, FALSE },
    { "pngenc", "RGB", { 0, 0, 255 }, { 0 }, FALSE }, /* blue is dark */
    { "pngenc", "RGBA", { 0, 0, 0, 255 }, { 0, 0, 0, 0 }, TRUE },
    { "pngenc", "RGBA", { 0, 0, 0, 255 }, { 0, 0, 0, 255 }, FALSE },
    { "pngenc", "RGBA", { 255, 255, 255, 255 }, { 0, 0, 0, 255 }, TRUE },
    { "pngenc", "RGBA", { 255, 255, 255, 0 }, { 255, 255, 255, 0 }, FALSE },
  };
  g_autofree char *dir = g_dir_make_tmp ("vfiinpaint-XXXXXX", NULL), *path = g_build_filename (dir, "a mask", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++) {
    g_autofree char *quoted = g_strdup_printf ("\"%s\"", path), *element = g_strdup_printf (INPAINT "dilate=0 mask-location=%s", quoted);
    if (!write_picture (quoted, pictures[i].encoder, pictures[i].format, pictures[i].on, pictures[i].off))
      continue;
    g_test_message ("%s of %s, %d", pictures[i].encoder, pictures[i].format, pictures[i].on[0]);
    g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
    g_assert_true (frame_is_masked (r, 0) == pictures[i].removes);
    g_assert_true (frame_is_masked (r, 50) == pictures[i].removes);
    g_assert_cmpuint (run_stat (r, "removed"), ==, pictures[i].removes ? 2 * 32 * 16 : 0); /* it lies over the whole frame */
    g_unlink (path);
  }
  g_rmdir (dir);
}

/* Starting fails, with an error. */
static void
expect_no_start (const char *properties, GQuark domain, int code, const char *text)
{
  g_autofree char *line = g_strdup_printf (INPAINT "%s", properties);
  g_autoptr (GstElement) e = gst_object_ref_sink (gst_parse_launch (line, NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (e, bus);
  g_assert_cmpint (gst_element_set_state (e, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  bus_expect_error (bus, domain, code, text);
  gst_element_set_state (e, GST_STATE_NULL);
  gst_element_set_bus (e, NULL);
}

static void
test_errors (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vfiinpaint-XXXXXX", NULL), *path = g_build_filename (dir, "mask.png", NULL),
                  *location = g_strdup_printf ("mask-location=%s", path);
  expect_no_start (location, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, path); /* not there */
  g_assert_true (g_file_set_contents (path, "This is no picture, but a text.\n", -1, NULL));
  expect_no_start (location, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, "It must be a picture");
  g_assert_true (g_file_set_contents (path, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0", 18, NULL)); /* the beginning of one */
  expect_no_start (location, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, path);
  g_unlink (path);
  g_rmdir (dir);
  expect_no_start ("mask-source=location", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "mask-location=FILE");
#ifndef HAVE_ANALYTICS
  expect_no_start ("mask-source=analytics", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "mask-source=roi");
#endif
  {
    g_autoptr (Run) r = run_new (INPAINT "mask-source=alpha", "I420", 32, 20, 1, NULL);
    run_expect_error (r, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "video/x-raw,format=RGBA");
    g_assert_cmpint (run_push (r, 1, 0, PERIOD, 0), ==, GST_FLOW_NOT_NEGOTIATED);
  }
  {
    g_autoptr (Run) r = run_new (INPAINT "mask-source=alpha", "RGBx", 32, 20, 1, NULL);
    run_expect_error (r, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "this video is RGBx");
  }
  {
    g_autoptr (Run) r = run_new (INPAINT "mask-source=pad", "I420", 32, 20, 1, NULL);
    run_expect_error (r, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "v.mask");
  }
  {
    g_autoptr (Run) r = run_new (INPAINT, NULL, 0, 0, 0, NULL);
    g_autoptr (GstCaps) caps =
        gst_caps_from_string ("video/x-raw,format=I420,width=32,height=32,framerate=20/1,interlace-mode=interleaved");
    gst_harness_push_event (r->h, gst_event_new_caps (caps));
    run_expect_error (r, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "deinterlace ! vfiinpaint");
  }
  {
    g_autoptr (Run) r = run_new (INPAINT "history=256 lookahead=64", "RGBA", 16384, 20, 1, NULL);
    run_expect_error (r, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "MiB: make them shorter");
  }
  static const struct
  {
    const char *caps, *text;
  } streams[] = {
    { "video/x-raw,format=I420,width=20,height=12,framerate=20/1",
      "is I420. Put in front of it: ... ! videoconvert ! video/x-raw,format=GRAY8 !" },
    { "image/png", "is image/png. Put in front of it: ... ! decodebin ! videoconvert ! video/x-raw,format=GRAY8 !" },
    { "audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1", "is audio/x-raw, and no video: link a stream of masks to it" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    g_autoptr (Run) r = run_new (INPAINT, "GRAY8", 32, 20, 1, NULL);
    g_autoptr (GstPad) mask = gst_element_request_pad_simple (r->h->element, "mask");
    g_autoptr (GstCaps) caps = gst_caps_from_string (streams[i].caps);
    gst_pad_send_event (mask, gst_event_new_stream_start ("masks"));
    gst_pad_send_event (mask, gst_event_new_caps (caps));
    run_expect_error (r, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, streams[i].text);
    gst_element_release_request_pad (r->h->element, mask);
  }
}

/* One pad, under its name; its caps. */
static void
test_pad (void)
{
  g_autoptr (Run) r = run_new (INPAINT, "GRAY8", 32, 20, 1, NULL);
  g_autoptr (GstPad) mask = gst_element_request_pad_simple (r->h->element, "mask");
  g_autoptr (GstCaps) caps = gst_pad_query_caps (mask, NULL);
  g_assert_cmpstr (GST_PAD_NAME (mask), ==, "mask");
  g_assert_cmpstr (gst_structure_get_string (gst_caps_get_structure (caps, 0), "format"), ==, "GRAY8");
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*has its mask pad already*");
  g_assert_null (gst_element_request_pad (r->h->element, GST_PAD_PAD_TEMPLATE (mask), NULL, NULL));
  g_test_assert_expected_messages ();
  gst_element_release_request_pad (r->h->element, mask);
  gst_object_unref (mask);
  mask = gst_element_request_pad_simple (r->h->element, "mask");
  g_assert_nonnull (mask);
  gst_element_release_request_pad (r->h->element, mask);
}

/* Detected regions, all or those of a type. */
static void
test_roi (void)
{
  static const struct
  {
    const char *properties, *types[2];
    gboolean removes;
  } cases_[] = {
    { "", { NULL }, FALSE },
    { "invert=true", { NULL }, FALSE },
    { "", { "face" }, TRUE },
    { "mask-source=roi mask-rects=1,1,4,4", { NULL }, FALSE },
    { "mask-source=roi roi-type=plate", { "face" }, FALSE },
    { "mask-source=roi roi-type=plate", { "face", "plate" }, TRUE },
    { "mask-source=rects", { "face" }, FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases_); i++) {
    g_autofree char *element = g_strdup_printf (INPAINT "%s", cases_[i].properties);
    g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
    GstBuffer *b = run_frame (r, 100, 0, PERIOD, 0);
    for (int k = 0; k < 2 && cases_[i].types[k]; k++)
      gst_buffer_add_video_region_of_interest_meta (b, cases_[i].types[k], 4 * k, 4, 8, 8);
    g_test_message ("%s", element);
    g_assert_true (is_masked (r, b) == cases_[i].removes);
    g_assert_false (frame_is_masked (r, 50)); /* they are of one frame */
  }
}

#ifdef HAVE_ANALYTICS
/* Detected objects as GStreamer has them from 1.24 on; only if asked for. */
static void
test_analytics (void)
{
  static const struct
  {
    const char *properties, *types[2];
    gboolean removes;
  } cases_[] = {
    { "", { "face" }, FALSE },
    { "mask-source=analytics", { NULL }, FALSE },
    { "mask-source=analytics", { "face" }, TRUE },
    { "mask-source=analytics roi-type=plate", { "face" }, FALSE },
    { "mask-source=analytics roi-type=plate", { "face", "plate" }, TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases_); i++) {
    g_autofree char *element = g_strdup_printf (INPAINT "dilate=0 %s", cases_[i].properties);
    g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
    GstBuffer *b = run_frame (r, 100, 0, PERIOD, 0);
    GstAnalyticsRelationMeta *meta = gst_buffer_add_analytics_relation_meta (b);
    for (int k = 0; k < 2 && cases_[i].types[k]; k++) {
      GstAnalyticsODMtd object;
      g_assert_true (
          gst_analytics_relation_meta_add_od_mtd (meta, g_quark_from_string (cases_[i].types[k]), 3 + k, 5, 6, 7, 0.9f, &object));
    }
    g_test_message ("%s", element);
    g_assert_true (is_masked (r, b) == cases_[i].removes);
    g_assert_cmpuint (run_stat (r, "removed"), ==, cases_[i].removes ? 6 * 7 : 0);
    g_assert_false (frame_is_masked (r, 50));
  }
}
#endif

/* ---- pixels, and what else belongs to a frame --------------------------------------------------- */

/* Noise, another one for each frame. */
static GstBuffer *
noise (const GstVideoInfo *info, guint32 seed, GstClockTime pts)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  GstBuffer *b = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  GstVideoFrame f;
  GstMapInfo map;
  gst_buffer_map (b, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = g_rand_int_range (rand, 0, 256);
  gst_buffer_unmap (b, &map);
  /* 10 bits are not 16. */
  g_assert_true (gst_video_frame_map (&f, info, b, GST_MAP_READWRITE));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&f) && GST_VIDEO_FRAME_COMP_DEPTH (&f, c) > 8; c++) {
    guint16 *plane = GST_VIDEO_FRAME_PLANE_DATA (&f, GST_VIDEO_FRAME_COMP_PLANE (&f, c));
    const int n = GST_VIDEO_FRAME_COMP_STRIDE (&f, c) / 2 * GST_VIDEO_FRAME_COMP_HEIGHT (&f, c);
    for (int i = 0; i < n; i++)
      plane[i] &= GST_VIDEO_FORMAT_INFO_SHIFT (f.info.finfo, c) ? 0xffc0 : 0x3ff;
  }
  gst_video_frame_unmap (&f);
  GST_BUFFER_PTS (b) = pts;
  GST_BUFFER_DURATION (b) = PERIOD;
  return b;
}

/* Number of bytes that differ where they must not: in planes' pixels that lie wholly outside of the square. */
static int
differ_outside (const GstVideoInfo *info, GstBuffer *a, GstBuffer *b, int left, int top, int right, int bottom, int *inside)
{
  GstVideoFrame fa, fb;
  int n = 0;
  *inside = 0;
  g_assert_true (gst_video_frame_map (&fa, info, a, GST_MAP_READ) && gst_video_frame_map (&fb, info, b, GST_MAP_READ));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&fa); c++) {
    const int sub_x = GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, c), sub_y = GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, c);
    const int step = GST_VIDEO_FRAME_COMP_PSTRIDE (&fa, c), bytes = GST_VIDEO_FRAME_COMP_DEPTH (&fa, c) > 8 ? 2 : 1;
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&fa, c); y++)
      for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&fa, c); x++) {
        const gboolean in = ((x + 1) << sub_x) > left && (x << sub_x) < right && ((y + 1) << sub_y) > top && (y << sub_y) < bottom;
        const int offset = y * GST_VIDEO_FRAME_COMP_STRIDE (&fa, c) + x * step;
        const int d = memcmp ((guint8 *) GST_VIDEO_FRAME_COMP_DATA (&fa, c) + offset,
                              (guint8 *) GST_VIDEO_FRAME_COMP_DATA (&fb, c) + offset, bytes) != 0;
        *(in ? inside : &n) += d;
      }
  }
  gst_video_frame_unmap (&fa);
  gst_video_frame_unmap (&fb);
  return n;
}

/* Outside of the grown and feathered mask every format comes out as it went in, byte for byte. */
static void
test_format (gconstpointer data)
{
  static const int sizes[][2] = { { 48, 40 }, { 37, 41 } };
  const int format = GPOINTER_TO_INT (data);
  for (guint k = 0; k < G_N_ELEMENTS (sizes); k++) {
    g_autofree char *text =
        g_strdup_printf ("video/x-raw,format=%s,width=%d,height=%d,framerate=20/1", vfi_format_name (format), sizes[k][0], sizes[k][1]);
    g_autoptr (Run) r = run_new (INPAINT "mask-rects=14,12,8,8 dilate=2 feather=3", NULL, 0, 0, 0, NULL);
    g_autoptr (GstCaps) caps = gst_caps_from_string (text);
    GstVideoInfo info;
    g_assert_true (gst_video_info_from_caps (&info, caps));
    gst_harness_set_src_caps (r->h, g_steal_pointer (&caps));
    for (int i = 0; i < 3; i++) {
      g_autoptr (GstBuffer) in = noise (&info, i, i * PERIOD), copy = gst_buffer_copy_deep (in);
      int inside;
      g_assert_cmpint (gst_harness_push (r->h, gst_buffer_ref (in)), ==, GST_FLOW_OK);
      g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
      g_assert_cmpint (differ_outside (&info, out, copy, 14 - 5, 12 - 5, 22 + 5, 20 + 5, &inside), ==, 0);
      g_assert_cmpint (differ_outside (&info, in, copy, 0, 0, 0, 0, &inside), ==, 0); /* what came in is not written to */
    }
    g_assert_cmpuint (run_stat (r, "masked"), ==, 3);
  }
}

enum
{
  SIZE = 64,
  OBJECT = 12, /* wide and high */
  AT = 20,
};

/* Something bright before a flat ground, and the mask of it: by rectangle, region or stream, the last at half the size. */
static void
test_removal (gconstpointer how)
{
  g_autofree char *element = g_strdup_printf (INPAINT "dilate=2 %s", (const char *) how);
  g_autoptr (Run) r = run_new (element, "GRAY8", SIZE, 20, 1, NULL);
  GstHarness *masks = g_str_equal (how, "mask-source=auto")
                          ? mask_harness (r->h->element, "video/x-raw,format=GRAY8,width=32,height=32,framerate=20/1")
                          : NULL;
  GstMapInfo map;
  for (int i = 0; i < 3; i++) {
    GstBuffer *b = run_frame (r, 100, i * PERIOD, PERIOD, 0), *m = gst_buffer_new_allocate (NULL, SIZE * SIZE / 4, NULL);
    gst_buffer_memset (m, 0, 0, -1);
    for (int y = AT; y < AT + OBJECT; y++) {
      gst_buffer_memset (b, y * SIZE + AT + 2 * i, 230, OBJECT); /* it moves */
      gst_buffer_memset (m, y / 2 * (SIZE / 2) + AT / 2 + i, 255, OBJECT / 2);
    }
    gst_buffer_add_video_region_of_interest_meta (b, "thing", AT + 2 * i, AT, OBJECT, OBJECT);
    GST_BUFFER_PTS (m) = i * PERIOD;
    if (masks)
      gst_harness_push (masks, m);
    else
      gst_buffer_unref (m);
    g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
    g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
    gst_buffer_map (out, &map, GST_MAP_READ);
    for (int k = 0; k < SIZE * SIZE; k++)
      g_assert_cmpint (ABS (map.data[k] - 100), <=, 1);
    gst_buffer_unmap (out, &map);
  }
  const guint64 removed = run_stat (r, "removed");
  if (!g_str_has_prefix (how, "mask-rects")) /* round corners, perhaps */
    g_assert_cmpuint (removed, <=, 3 * (OBJECT + 4) * (OBJECT + 4));
  g_assert_cmpuint (removed, >=, 3 * OBJECT * OBJECT);
  g_assert_cmpuint (run_stat (r, "past") + run_stat (r, "future") + run_stat (r, "spatial"), ==, removed);
  if (masks)
    gst_harness_teardown (masks);
}

/* Bytes to the sample of a pixel. */
static gsize
sample_at (const GstVideoInfo *info, int comp, int y, int x)
{
  return GST_VIDEO_INFO_COMP_OFFSET (info, comp) + (gsize) y * GST_VIDEO_INFO_COMP_STRIDE (info, comp) +
         (gsize) x * GST_VIDEO_INFO_COMP_PSTRIDE (info, comp);
}

/* Values are of 8 bits, whatever depth the format has. */
static void
put_sample (GstBuffer *b, const GstVideoInfo *info, int comp, int y, int x, int value)
{
  const guint16 wide = GUINT16_TO_LE (value << (GST_VIDEO_INFO_COMP_DEPTH (info, comp) - 8));
  const guint8 byte = (guint8) value;
  const gboolean two = GST_VIDEO_INFO_COMP_DEPTH (info, comp) > 8;
  gst_buffer_fill (b, sample_at (info, comp, y, x), two ? (gconstpointer) &wide : &byte, two ? 2 : 1);
}

static int
get_sample (const guint8 *data, const GstVideoInfo *info, int comp, int y, int x)
{
  const int depth = GST_VIDEO_INFO_COMP_DEPTH (info, comp);
  const guint8 *at = data + sample_at (info, comp, y, x);
  return depth > 8 ? GST_READ_UINT16_LE (at) >> (depth - 8) : *at;
}

/* What is transparent is filled, and opaque when it leaves; what is half transparent elsewhere stays so. */
static void
test_alpha (gconstpointer format)
{
  g_autoptr (Run) r = run_new (INPAINT "mask-source=alpha dilate=0 feather=0", format, 32, 20, 1, NULL);
  GstVideoInfo info;
  GstMapInfo map;
  gst_video_info_set_format (&info, gst_video_format_from_string (format), 32, 32);
  for (int i = 0; i < 3; i++) {
    const gboolean none = i == 0, invert = i == 2; /* nothing is transparent in the first frame */
    GstBuffer *b = run_frame (r, 200, i * PERIOD, PERIOD, 0);
    g_object_set (r->h->element, "invert", invert, NULL);
    for (int y = 0; y < 32; y++)
      for (int x = 0; x < 32; x++) {
        const gboolean hole = !none && x >= 8 && x < 16 && y >= 8 && y < 16;
        for (int c = 0; c < 4; c++)
          if (!GST_VIDEO_FORMAT_INFO_W_SUB (info.finfo, c))
            put_sample (b, &info, c, y, x, !hole ? 200 : c < 3 || x < 12 ? 0 : 127);
      }
    g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
    g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
    g_assert_cmpuint (run_stat (r, "masked"), ==, i);
    gst_buffer_map (out, &map, GST_MAP_READ);
    for (int y = 0; y < 32 && !none; y++)
      for (int x = 0; x < 32; x++) {
        const gboolean hole = x >= 8 && x < 16 && y >= 8 && y < 16;
        g_assert_cmpint (get_sample (map.data, &info, 3, y, x), ==, hole != invert ? 255 : invert ? (x < 12 ? 0 : 127) : 200);
        if (!invert)
          g_assert_cmpint (get_sample (map.data, &info, 0, y, x), ==, 200);
      }
    gst_buffer_unmap (out, &map);
  }
}

/* Times, flags and metas of a frame from which something is removed are those that came. */
static void
test_kept (void)
{
  const guint flags = GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC | GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_CORRUPTED;
  static const guint8 caption[] = { 0x14, 0x20 };
  g_autoptr (Run) r = run_new (INPAINT "mask-rects=4,4,9,9", "GRAY8", 32, 20, 1, NULL);
  GstBuffer *b = run_frame (r, 100, 50 * MS, 33 * MS, flags);
  GST_BUFFER_DTS (b) = 20 * MS;
  GST_BUFFER_OFFSET (b) = 7;
  GST_BUFFER_OFFSET_END (b) = 8;
  gst_buffer_add_video_caption_meta (b, GST_VIDEO_CAPTION_TYPE_CEA608_RAW, caption, sizeof caption);
  gst_buffer_add_video_region_of_interest_meta (b, "face", 1, 2, 3, 4);
  g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
  g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
  g_assert_cmpuint (run_stat (r, "masked"), ==, 1);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, 50 * MS);
  g_assert_cmpuint (GST_BUFFER_DTS (out), ==, 20 * MS);
  g_assert_cmpuint (GST_BUFFER_DURATION (out), ==, 33 * MS);
  g_assert_cmpuint (GST_BUFFER_OFFSET (out), ==, 7);
  g_assert_cmpuint (GST_BUFFER_OFFSET_END (out), ==, 8);
  g_assert_cmpuint (GST_BUFFER_FLAGS (out) & flags, ==, flags);
  const GstVideoRegionOfInterestMeta *roi =
      (GstVideoRegionOfInterestMeta *) gst_buffer_get_meta (out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
  g_assert_true (roi && roi->x == 1 && roi->y == 2 && roi->w == 3 && roi->h == 4);
  g_assert_nonnull (gst_buffer_get_video_caption_meta (out));
}

static void
test_stats (void)
{
  g_autoptr (Run) r = run_new (INPAINT "lookahead=1", "GRAY8", 32, 20, 1, NULL);
  for (int i = 0; i < 4; i++) {
    g_object_set (r->h->element, "mask-rects", i % 2 ? "2,2,4,4" : "", NULL);
    run_push (r, 1, i * PERIOD, PERIOD, 0);
  }
  g_assert_cmpuint (run_stat (r, "in"), ==, 4);
  g_assert_cmpuint (run_stat (r, "out"), ==, 3);
  g_assert_cmpuint (run_stat (r, "masked"), ==, 1);
  gst_harness_push_event (r->h, gst_event_new_eos ());
  g_assert_cmpuint (run_stat (r, "out"), ==, 4);
  g_assert_cmpuint (run_stat (r, "masked"), ==, 2);
  g_assert_cmpuint (run_stat (r, "past") + run_stat (r, "future") + run_stat (r, "spatial"), ==, run_stat (r, "removed"));
}

/* Options that change while frames come hold from the next frame on. */
static void
test_options (void)
{
  g_autoptr (Run) r = run_new (INPAINT "mask-rects=10,10,8,8 dilate=0 lookahead=1", "GRAY8", 32, 20, 1, NULL);
  run_push (r, 100, 0, PERIOD, 0);
  g_object_set (r->h->element, "dilate", 2, NULL);
  run_push (r, 100, PERIOD, PERIOD, 0);
  g_assert_cmpuint (run_stat (r, "removed"), ==, 8 * 8); /* of the first, which came before */
  g_object_set (r->h->element, "dilate", 0, "invert", TRUE, NULL);
  run_push (r, 100, 2 * PERIOD, PERIOD, 0);
  const guint64 second = run_stat (r, "removed") - 8 * 8;
  g_assert_cmpuint (second, >, 8 * 8 + 4 * 2 * 8 - 1); /* a frame of two pixels, but for the corners */
  g_assert_cmpuint (second, <=, 12 * 12);
  gst_harness_push_event (r->h, gst_event_new_eos ());
  g_assert_cmpuint (run_stat (r, "removed"), ==, 8 * 8 + second + 32 * 32 - 8 * 8);
}

int
main (int argc, char **argv)
{
  run_init (&argc, &argv);
  g_test_add_func ("/inpaint/rectangles", test_rects);
  g_test_add_func ("/inpaint/location", test_location);
  g_test_add_func ("/inpaint/errors", test_errors);
  g_test_add_func ("/inpaint/one-pad", test_pad);
  g_test_add_func ("/inpaint/roi", test_roi);
#ifdef HAVE_ANALYTICS
  g_test_add_func ("/inpaint/analytics", test_analytics);
#endif
  for (int i = 0; i < VFI_N_FORMATS; i++) {
    g_autofree char *name = g_strconcat ("/inpaint/format/", vfi_format_name (i), NULL);
    g_test_add_data_func (name, GINT_TO_POINTER (i), test_format);
  }
  g_test_add_data_func ("/inpaint/removal/rects", "mask-rects=20,20,16,12", test_removal);
  g_test_add_data_func ("/inpaint/removal/roi", "mask-source=roi roi-type=thing", test_removal);
  g_test_add_data_func ("/inpaint/removal/pad", "mask-source=auto", test_removal);
  g_test_add_data_func ("/inpaint/alpha/RGBA", "RGBA", test_alpha);
  g_test_add_data_func ("/inpaint/alpha/BGRA", "BGRA", test_alpha);
  g_test_add_data_func ("/inpaint/alpha/A420", "A420", test_alpha);
  g_test_add_data_func ("/inpaint/alpha/A444_10LE", "A444_10LE", test_alpha);
  g_test_add_func ("/inpaint/kept", test_kept);
  g_test_add_func ("/inpaint/stats", test_stats);
  g_test_add_func ("/inpaint/options", test_options);
  return g_test_run ();
}
