/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every format, range and matrix: a synthesized frame of a flat or ramp input equals it within one step, with weights of zeros
 * and, where they are there, with those that ship.
 */
#include "support.h"

#include "vfi.h"

#define PERIOD (40 * MS)

typedef enum
{
  FLAT,
  RAMP_X,
  RAMP_Y,
  N_PATTERNS,
} Pattern;

/* Sample (x, y) of component c, of `depth` bits, in the range that the format may have. */
static int
sample (Pattern pattern, int c, int x, int y, int w, int h, int depth)
{
  const int low = 16 << (depth - 8), high = 235 << (depth - 8);
  if (pattern == FLAT)
    return low + (high - low) * (3 * c + 2) / 13;
  return pattern == RAMP_X ? low + (high - low) * x / (w - 1) : high - (high - low) * y / (h - 1);
}

/* Writes the pattern, or holds the frame against it and returns the largest difference. */
static int
pattern_frame (GstBuffer *b, const GstVideoInfo *info, Pattern pattern, gboolean write)
{
  GstVideoFrame f;
  int worst = 0;
  g_assert_true (gst_video_frame_map (&f, info, b, write ? GST_MAP_WRITE : GST_MAP_READ));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&f); c++) {
    const int w = GST_VIDEO_FRAME_COMP_WIDTH (&f, c), h = GST_VIDEO_FRAME_COMP_HEIGHT (&f, c), depth = GST_VIDEO_FRAME_COMP_DEPTH (&f, c);
    const int shift = GST_VIDEO_FORMAT_INFO_SHIFT (f.info.finfo, c), step = GST_VIDEO_FRAME_COMP_PSTRIDE (&f, c);
    for (int y = 0; y < h; y++)
      for (int x = 0; x < w; x++) {
        /* GStreamer 1.22 has the V of P010 one byte behind its U. */
        guint8 *p = (guint8 *) GST_VIDEO_FRAME_COMP_DATA (&f, c) + (depth > 8 && GST_VIDEO_FRAME_COMP_POFFSET (&f, c) == 1) +
                    y * GST_VIDEO_FRAME_COMP_STRIDE (&f, c) + x * step;
        const int v = sample (pattern, c, x, y, w, h, depth);
        if (write && depth > 8)
          GST_WRITE_UINT16_LE (p, v << shift);
        else if (write)
          *p = v;
        else
          worst = MAX (worst, ABS ((depth > 8 ? GST_READ_UINT16_LE (p) >> shift : *p) - v));
      }
  }
  gst_video_frame_unmap (&f);
  return worst;
}

static void
check_format (const char *weights, int format, const char *colorimetry, int width, int height)
{
  g_autofree char *element = g_strdup_printf ("vfiinterp multiplier=4 backend=cpu threads=1 %s", weights);
  g_autofree char *text = g_strdup_printf ("video/x-raw,format=%s,width=%d,height=%d,framerate=25/1%s%s", vfi_format_name (format), width,
                                           height, *colorimetry ? ",colorimetry=" : "", colorimetry);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  GstVideoInfo info;
  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_autoptr (Run) r = run_new (element, NULL, 0, 0, 0, NULL);
  gst_harness_set_src_caps (r->h, g_steal_pointer (&caps));
  GstClockTime pts = 0;
  for (Pattern pattern = 0; pattern < N_PATTERNS; pattern++) {
    for (int i = 0; i < 2; i++, pts += PERIOD) {
      GstBuffer *b = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
      pattern_frame (b, &info, pattern, TRUE);
      GST_BUFFER_PTS (b) = pts;
      GST_BUFFER_DURATION (b) = PERIOD;
      g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
    }
    /* Nothing between two patterns. */
    gst_harness_push_event (r->h, gst_event_new_flush_start ());
    GstBuffer *b;
    int n = 0;
    while ((b = gst_harness_try_pull (r->h))) {
      const int worst = pattern_frame (b, &info, pattern, FALSE);
      if (worst > (n % 4 ? 1 : 0))
        g_test_message ("%s: pattern %d, frame %d: %d", text, pattern, n, worst);
      g_assert_cmpint (worst, <=, n % 4 ? 1 : 0);
      n++;
      gst_buffer_unref (b);
    }
    g_assert_cmpint (n, ==, 5);
    gst_harness_push_event (r->h, gst_event_new_flush_stop (TRUE));
    GstSegment segment;
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (r->h, gst_event_new_segment (&segment));
  }
}

static void
test_format (gconstpointer data)
{
  static const char *const yuv[] = { "bt601", "bt709", "bt2020", "1:4:0:0", "1:3:5:1", "1:6:0:7" }; /* the last ones are full range */
  const int format = GPOINTER_TO_INT (data);
  const gboolean rgb = GST_VIDEO_FORMAT_INFO_IS_RGB (gst_video_format_get_info (gst_video_format_from_string (vfi_format_name (format))));
  g_autofree char *shipped = g_build_filename (g_getenv ("VFI_SHIPPED_WEIGHTS"), "vfi-nano.safetensors", NULL);
  g_autofree char *weights = g_strdup_printf ("weights=%s", shipped);
  for (guint i = 0; i < (rgb ? 1 : G_N_ELEMENTS (yuv)); i++) {
    check_format ("", format, rgb ? "" : yuv[i], 64, 48);
    check_format ("", format, rgb ? "" : yuv[i], 37, 21);
  }
  if (!g_file_test (shipped, G_FILE_TEST_EXISTS)) {
    g_test_skip ("no shipped weights of vfi-nano: tried with zeros only");
    return;
  }
  check_format (weights, format, "", 160, 96);
  check_format (weights, format, "", 161, 95);
}

int
main (int argc, char **argv)
{
  run_init (&argc, &argv);
  for (int i = 0; i < VFI_N_FORMATS; i++) {
    g_autofree char *path = g_strconcat ("/vfiinterp/format/", vfi_format_name (i), NULL);
    g_test_add_data_func (path, GINT_TO_POINTER (i), test_format);
  }
  return g_test_run ();
}
