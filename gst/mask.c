/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Masks: see mask.h.
 */
#include "mask.h"

#define REMOVED 128                /* from here on a pixel counts as white */
#define PATIENCE (20 * GST_SECOND) /* for a file that a network folder may hold */

GstVfiMask *
gst_vfi_mask_new (int width, int height)
{
  guint8 *pixels = g_try_malloc0_n (height, width);
  if (!pixels)
    return NULL;
  GstVfiMask *m = g_atomic_rc_box_new0 (GstVfiMask);
  m->pixels = pixels;
  m->mask = (VfiMask){ width, height, pixels, width };
  m->black = TRUE;
  return m;
}

GstVfiMask *
gst_vfi_mask_ref (GstVfiMask *mask)
{
  return g_atomic_rc_box_acquire (mask);
}

static void
clear (gpointer data)
{
  g_free (((GstVfiMask *) data)->pixels);
}

void
gst_vfi_mask_unref (GstVfiMask *mask)
{
  g_atomic_rc_box_release_full (mask, clear);
}

gboolean
gst_vfi_mask_removes (const GstVfiMask *mask, gboolean invert)
{
  return invert ? mask->black : mask->white;
}

/* Looks at all pixels: what there is. */
static void
measure (GstVfiMask *mask)
{
  const gsize n = (gsize) mask->mask.width * mask->mask.height;
  guint8 any = 0, all = 0xff; /* the highest bit is what counts */
  for (gsize i = 0; i < n; i++) {
    any |= mask->pixels[i];
    all &= mask->pixels[i];
  }
  mask->white = any >= REMOVED;
  mask->black = all < REMOVED;
}

void
gst_vfi_mask_from_grey (GstVfiMask *mask, const GstVideoFrame *frame)
{
  for (int y = 0; y < mask->mask.height; y++)
    memcpy (mask->pixels + (gsize) y * mask->mask.width,
            (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, 0) + (gssize) y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0), mask->mask.width);
  measure (mask);
}

/* A row of the component of a pixel's opacity, of 8 bits, or of more in two bytes. */
typedef struct
{
  guint8 *first;
  int step; /* bytes */
  int depth;
} Opacity;

static Opacity
opacity_of_row (const GstVideoFrame *frame, int y)
{
  guint8 *all = GST_VIDEO_FRAME_COMP_DATA (frame, GST_VIDEO_COMP_A);

  return (Opacity){ all + (gssize) y * GST_VIDEO_FRAME_COMP_STRIDE (frame, GST_VIDEO_COMP_A),
                    GST_VIDEO_FRAME_COMP_PSTRIDE (frame, GST_VIDEO_COMP_A), GST_VIDEO_FRAME_COMP_DEPTH (frame, GST_VIDEO_COMP_A) };
}

void
gst_vfi_mask_from_alpha (GstVfiMask *mask, const GstVideoFrame *frame)
{
  for (int y = 0; y < mask->mask.height; y++) {
    const Opacity o = opacity_of_row (frame, y);
    guint8 *to = mask->pixels + (gsize) y * mask->mask.width;
    for (int x = 0; x < mask->mask.width; x++) {
      const guint8 *at = o.first + x * o.step;
      to[x] = 255 - (o.depth == 8 ? *at : MIN (GST_READ_UINT16_LE (at) >> (o.depth - 8), 255));
    }
  }
  measure (mask);
}

void
gst_vfi_mask_from_rects (GstVfiMask *mask, const GArray *rects)
{
  const int w = mask->mask.width, h = mask->mask.height;
  memset (mask->pixels, 0, (gsize) w * h);
  for (guint i = 0; i < rects->len; i++) {
    const VfiRect *r = &g_array_index (rects, VfiRect, i);
    const int left = MAX (r->x, 0), right = (int) MIN ((gint64) r->x + r->width, w), bottom = (int) MIN ((gint64) r->y + r->height, h);
    for (int y = MAX (r->y, 0); y < bottom && left < right; y++)
      memset (mask->pixels + (gsize) y * w + left, 255, right - left);
  }
  measure (mask);
}

void
gst_vfi_mask_make_opaque (const GstVfiMask *mask, gboolean invert, const GstVideoFrame *frame)
{
  for (int y = 0; y < mask->mask.height; y++) {
    const Opacity o = opacity_of_row (frame, y);
    const guint8 *m = mask->pixels + (gsize) y * mask->mask.width;
    for (int x = 0; x < mask->mask.width; x++)
      if ((m[x] >= REMOVED) == invert)
        continue;
      else if (o.depth == 8)
        o.first[x * o.step] = 255;
      else
        GST_WRITE_UINT16_LE (o.first + x * o.step, (1 << o.depth) - 1);
  }
}

/* ---- files -------------------------------------------------------------------------------------- */

static GstVfiMask *
from_picture (GstSample *sample)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  guint8 opaque = 255;
  if (!gst_video_info_from_caps (&info, gst_sample_get_caps (sample)) ||
      !gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ))
    return NULL;
  GstVfiMask *m = gst_vfi_mask_new (info.width, info.height);
  for (gboolean luma = FALSE; m; luma = TRUE) {
    for (int y = 0; y < info.height; y++) {
      const guint8 *p = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) + (gssize) y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);
      guint8 *to = m->pixels + (gsize) y * info.width;
      for (int x = 0; x < info.width; x++, p += 4) {
        opaque &= p[3];
        to[x] = luma ? (77 * p[0] + 150 * p[1] + 29 * p[2]) >> 8 : p[3]; /* BT.601 */
      }
    }
    if (luma || opaque < 255)
      break;
  }
  gst_video_frame_unmap (&frame);
  if (m)
    measure (m);
  return m;
}

GstVfiMask *
gst_vfi_mask_load (const char *path, GError **error)
{
  GstVfiMask *m = NULL;
  g_autoptr (GError) failed = NULL;
  GstElement *pipeline =
      gst_parse_launch_full ("filesrc name=file ! decodebin ! videoconvert ! video/x-raw,format=RGBA ! fakesink name=sink", NULL,
                             GST_PARSE_FLAG_FATAL_ERRORS, &failed);
  if (!pipeline) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, "mask-location: %s cannot be read: %s", path, failed->message);
    return NULL;
  }
  gst_object_ref_sink (pipeline);
  g_autoptr (GstElement) file = gst_bin_get_by_name (GST_BIN (pipeline), "file"), sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstSample) sample = NULL;
  g_object_set (file, "location", path, NULL);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, PATIENCE, GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &failed, NULL);
  else
    g_object_get (sink, "last-sample", &sample, NULL);
  if (sample)
    m = from_picture (sample);
  if (!m)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
                 "mask-location: %s cannot be read (%s). It must be a picture, white where something is to be removed.", path,
                 failed ? failed->message : "no picture comes of it");
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return m;
}
