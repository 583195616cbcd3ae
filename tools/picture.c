/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture.h"

#include <string.h>

#include <gst/gst.h>
#include <gst/video/video.h>

ToolPicture *
tool_picture_new (int width, int height)
{
  ToolPicture *p = g_new (ToolPicture, 1);
  *p = (ToolPicture){ width, height, g_malloc ((gsize) width * height * 3) };
  return p;
}

void
tool_picture_free (ToolPicture *p)
{
  if (p)
    g_free (p->data);
  g_free (p);
}

void
tool_picture_frame (const ToolPicture *p, VfiFrameInfo *info, VfiFrame *frame)
{
  *info = (VfiFrameInfo){ VFI_FORMAT_RGB, p->width, p->height, VFI_RANGE_FULL };
  *frame = (VfiFrame){ VFI_MEMORY_HOST, { p->data }, { p->width * 3 } };
}

void
tool_picture_paste (ToolPicture *p, const ToolPicture *src, int x, int y)
{
  for (int row = 0; row < src->height; row++)
    memcpy (p->data + ((gsize) (y + row) * p->width + x) * 3, src->data + (gsize) row * src->width * 3, (gsize) src->width * 3);
}

ToolPicture *
tool_picture_from_sample (GstSample *sample)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!gst_video_info_from_caps (&info, gst_sample_get_caps (sample)) ||
      !gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ))
    return NULL;
  ToolPicture *p = tool_picture_new (info.width, info.height);
  const guint8 *src = GST_VIDEO_FRAME_PLANE_DATA (&frame, 0);
  for (int y = 0; y < info.height; y++)
    memcpy (p->data + (gsize) y * info.width * 3, src + (gsize) y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0), (gsize) info.width * 3);
  gst_video_frame_unmap (&frame);
  return p;
}

static ToolPicture *
read_picture (const char *path, const char *scale, GError **error)
{
  g_autofree char *description = g_strdup_printf ("filesrc name=src ! decodebin ! videoconvert ! video/x-raw, format=RGB ! %s "
                                                  "fakesink name=sink sync=false enable-last-sample=true",
                                                  scale);
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, error);
  if (!pipeline)
    return NULL;
  gst_object_ref_sink (pipeline);
  g_autoptr (GstElement) src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (src, "location", path, NULL);

  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  ToolPicture *p = NULL;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *local;
    gst_message_parse_error (message, &local, NULL);
    g_propagate_prefixed_error (error, local, "%s: ", path);
  } else {
    GstSample *sample = NULL;
    g_object_get (sink, "last-sample", &sample, NULL);
    p = sample ? tool_picture_from_sample (sample) : NULL;
    if (sample)
      gst_sample_unref (sample);
    if (!p)
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: no picture in this file", path);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return p;
}

ToolPicture *
tool_picture_read (const char *path, GError **error)
{
  return read_picture (path, "", error);
}

ToolPicture *
tool_picture_read_scaled (const char *path, int width, int height, gboolean nearest, GError **error)
{
  g_autofree char *scale = g_strdup_printf ("videoscale add-borders=false method=%s ! video/x-raw, format=RGB, width=%d, height=%d !",
                                            nearest ? "nearest-neighbour" : "bilinear2", width, height);
  return read_picture (path, scale, error);
}

gboolean
tool_picture_write_png (const ToolPicture *p, const char *path, GError **error)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, p->width, p->height);
  info.fps_n = 1;
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  GstVideoFrame frame;
  gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE);
  for (int y = 0; y < p->height; y++)
    memcpy ((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) + (gsize) y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
            p->data + (gsize) y * p->width * 3, (gsize) p->width * 3);
  gst_video_frame_unmap (&frame);

  g_autoptr (GstCaps) caps = gst_video_info_to_caps (&info);
  g_autoptr (GstCaps) png = gst_caps_new_empty_simple ("image/png");
  g_autoptr (GstSample) raw = gst_sample_new (buffer, caps, NULL, NULL);
  g_autoptr (GstSample) coded = gst_video_convert_sample (raw, png, 60 * GST_SECOND, error);
  if (!coded)
    return FALSE;
  GstMapInfo map;
  gst_buffer_map (gst_sample_get_buffer (coded), &map, GST_MAP_READ);
  gboolean good = g_file_set_contents (path, (const char *) map.data, (gssize) map.size, error);
  gst_buffer_unmap (gst_sample_get_buffer (coded), &map);
  return good;
}
