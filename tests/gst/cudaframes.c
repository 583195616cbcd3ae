/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cudaframes.h"

int wide = 96, high = 64;

char *weights;
GstCudaContext *context;

/* ---- frames ------------------------------------------------------------------------------------- */

GstCaps *
caps_of (const char *format, gboolean on_device, int fps)
{
  g_autofree char *text = g_strdup_printf ("video/x-raw%s,format=%s,width=%d,height=%d,framerate=%d/1",
                                           on_device ? "(memory:CUDAMemory)" : "", format, wide, high, fps);

  return gst_caps_from_string (text);
}

/* Tiles that move two pixels to the right from frame to frame; of another scene: others. */
static guint8
texture (int i, int scene, int x, int y)
{
  const guint u = (guint) (x + 960 - 2 * i) / (scene ? 11 : 7), v = (guint) (y + 70) / (scene ? 9 : 6);
  guint32 n = (u * 2654435761u) ^ (v * 2246822519u) ^ (guint) scene * 3266489917u;

  n = (n ^ n >> 15) * 2246822519u;
  return (guint8) (40 + (n >> 16) % 160);
}

void
fill (GstBuffer *b, const GstVideoInfo *info, int i, int scene)
{
  GstVideoFrame map;

  g_assert_true (gst_video_frame_map (&map, info, b, GST_MAP_WRITE));
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (&map); p++) {
    const VfiFrameInfo f = { vfi_format_from_name (GST_VIDEO_INFO_NAME (info)), wide, high, VFI_RANGE_LIMITED };
    VfiPlaneLayout layout[4];
    int w, h;

    vfi_format_planes (f.format, layout);
    vfi_frame_info_plane_size (&f, p, &w, &h);
    for (int y = 0; y < h; y++)
      for (int x = 0; x < w * layout[p].comps; x++) {
        guint8 *row = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&map, p) + (gsize) y * GST_VIDEO_FRAME_PLANE_STRIDE (&map, p);
        const int v = texture (i, scene, (x / layout[p].comps) << layout[p].sub_x, y << layout[p].sub_y) + 5 * (x % layout[p].comps);

        if (layout[p].bytes == 1)
          row[x] = (guint8) v;
        else
          ((guint16 *) row)[x] = (guint16) (v * 4 << layout[p].shift);
      }
  }
  gst_video_frame_unmap (&map);
}

GstBuffer *
frame_in (GstCudaContext *where, const char *format, int i, int scene)
{
  g_autoptr (GstCaps) caps = caps_of (format, where != NULL, 25);
  GstVideoInfo info;
  GstBuffer *b;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  if (where) {
    g_autoptr (GstBufferPool) pool = gst_cuda_buffer_pool_new (where);
    GstStructure *config = gst_buffer_pool_get_config (pool);

    gst_buffer_pool_config_set_params (config, caps, GST_VIDEO_INFO_SIZE (&info), 0, 0);
    g_assert_true (gst_buffer_pool_set_config (pool, config));
    gst_buffer_pool_set_active (pool, TRUE);
    g_assert_cmpint (gst_buffer_pool_acquire_buffer (pool, &b, NULL), ==, GST_FLOW_OK);
    gst_buffer_pool_set_active (pool, FALSE);
  } else
    b = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  fill (b, &info, i, scene);
  if (where) { /* goes to the device now, not when it is first used there */
    GstMapInfo map;

    g_assert_true (gst_buffer_map (b, &map, GST_MAP_READ | GST_MAP_CUDA));
    gst_buffer_unmap (b, &map);
  }
  GST_BUFFER_PTS (b) = i * 40 * MS;
  GST_BUFFER_DURATION (b) = 40 * MS;
  return b;
}

/* ---- harness ------------------------------------------------------------------------------------ */

GstHarness *
harness (const char *launch, GstCudaContext *given, GstBus **bus)
{
  GError *error = NULL;
  g_autofree char *line = g_strdup_printf ("%s weights=%s", launch, weights);
  GstElement *e = gst_parse_launch (line, &error);
  GstHarness *h;

  g_assert_no_error (error);
  gst_object_ref_sink (e);
  *bus = gst_bus_new ();
  gst_element_set_bus (e, *bus);
  if (given) {
    GstContext *shared = gst_context_new_cuda_context (given);

    gst_element_set_context (e, shared);
    gst_context_unref (shared);
  }
  h = gst_harness_new_with_element (e, "sink", "src");
  gst_object_unref (e);
  return h;
}

void
finish (GstHarness *h, GstBus *bus)
{
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_assert_cmpint (shim_depth (), ==, 0);
}

GstHarness *
playing (const char *launch, const char *format, gboolean on_device, GstBus **bus)
{
  GstHarness *h = harness (launch, context, bus);

  gst_harness_set_src_caps (h, caps_of (format, on_device, 25));
  return h;
}

void
no_error (GstBus *bus)
{
  g_autoptr (GstMessage) m = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  if (m)
    gst_message_parse_error (m, &error, NULL);
  g_assert_no_error (error);
}

gboolean
on_device (GstBuffer *b, GstCudaContext *where)
{
  GstMemory *m = gst_buffer_peek_memory (b, 0);

  return gst_buffer_n_memory (b) == 1 && gst_is_cuda_memory (m) &&
         gst_cuda_context_get_handle (GST_CUDA_MEMORY_CAST (m)->context) == gst_cuda_context_get_handle (where);
}

/* ---- what is expected --------------------------------------------------------------------------- */

/* The planes of a mapped frame. */
static VfiFrame
planes (const GstVideoFrame *map)
{
  VfiFrame f = { VFI_MEMORY_HOST };

  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (map); i++) {
    f.data[i] = GST_VIDEO_FRAME_PLANE_DATA (map, i);
    f.stride[i] = GST_VIDEO_FRAME_PLANE_STRIDE (map, i);
  }
  return f;
}

int
worst (const char *format, GstBuffer *a, GstBuffer *b)
{
  g_autoptr (GstCaps) caps = caps_of (format, FALSE, 25);
  VfiPlaneLayout layout[4];
  GstVideoInfo info;
  GstVideoFrame x, y;
  int most = 0;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (gst_video_frame_map (&x, &info, a, GST_MAP_READ) && gst_video_frame_map (&y, &info, b, GST_MAP_READ));
  const VfiFrameInfo f = { vfi_format_from_name (format), wide, high, VFI_RANGE_LIMITED };
  for (int p = 0; p < vfi_format_planes (f.format, layout); p++) {
    int w, h;

    vfi_frame_info_plane_size (&f, p, &w, &h);
    for (int i = 0; i < h; i++)
      for (int j = 0; j < w * layout[p].comps; j++) {
        const guint8 *r = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&x, p) + (gsize) i * GST_VIDEO_FRAME_PLANE_STRIDE (&x, p);
        const guint8 *s = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&y, p) + (gsize) i * GST_VIDEO_FRAME_PLANE_STRIDE (&y, p);

        most = MAX (most, layout[p].bytes == 1 ? ABS (r[j] - s[j])
                                               : ABS (((const guint16 *) r)[j] - ((const guint16 *) s)[j]) >> layout[p].shift);
      }
  }
  gst_video_frame_unmap (&x);
  gst_video_frame_unmap (&y);
  return most;
}

GstBuffer *
wanted_at (const char *format, int i, double t, double flow_scale, int first)
{
  const gboolean blend = flow_scale == 0;
  const VfiFrameInfo f = { vfi_format_from_name (format), wide, high, VFI_RANGE_LIMITED };
  const VfiOptions options = { .model = "vfi-nano", .weights = weights, .backend = VFI_BACKEND_REFERENCE, .flow_scale = flow_scale };
  g_autoptr (GstBuffer) a = frame_in (NULL, format, i, 0), b = frame_in (NULL, format, i + 1, blend),
                        c = frame_in (NULL, format, MAX (i - 1, first), 0);
  g_autoptr (GstCaps) caps = caps_of (format, FALSE, 25);
  GstBuffer *d = frame_in (NULL, format, 0, 0);
  GstVideoInfo info;
  GstVideoFrame map[4];
  GError *error = NULL;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (gst_video_frame_map (&map[0], &info, a, GST_MAP_READ) && gst_video_frame_map (&map[1], &info, b, GST_MAP_READ) &&
                 gst_video_frame_map (&map[2], &info, d, GST_MAP_WRITE) && gst_video_frame_map (&map[3], &info, c, GST_MAP_READ));
  const VfiFrame x = planes (&map[0]), y = planes (&map[1]), before = planes (&map[3]);
  VfiFrame z = planes (&map[2]);
  if (blend)
    vfi_frame_blend (&f, &x, &y, t, &z);
  else {
    VfiInterp *session = vfi_interp_new (&f, &options, &error);

    g_assert_no_error (error);
    g_assert_true (vfi_interp_set_pair (session, &x, &y, &error) &&
                   vfi_interp_set_neighbours (session, i > first ? &before : NULL, 1, NULL, 0, &error) &&
                   vfi_interp_at (session, t, &z, &error));
    vfi_interp_free (session);
  }
  for (int k = 0; k < 4; k++)
    gst_video_frame_unmap (&map[k]);
  return d;
}

GstBuffer *
wanted (const char *format, int i, double t)
{
  return wanted_at (format, i, t, 1, 0);
}
