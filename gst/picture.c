/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pictures: see picture.h.
 */
#include "picture.h"

GstVfiPicture *
gst_vfi_picture_new (GstBuffer *buffer, GstVfiBase *base)
{
  GstVfiPicture *p = g_rc_box_new0 (GstVfiPicture);
  p->buffer = buffer;
  /* Without a reference of the map's own, so that the buffer stays writable and its times can be set without a copy. */
  if (!gst_vfi_base_map (base, &p->map, buffer, GST_MAP_READ | GST_VIDEO_FRAME_MAP_FLAG_NO_REF, &p->frame)) {
    gst_buffer_unref (buffer);
    g_rc_box_release (p);
    return NULL;
  }
  return p;
}

GstVfiPicture *
gst_vfi_picture_ref (GstVfiPicture *p)
{
  return g_rc_box_acquire (p);
}

static void
clear (gpointer data)
{
  GstVfiPicture *p = data;
  gst_video_frame_unmap (&p->map);
  gst_buffer_unref (p->buffer);
}

void
gst_vfi_picture_unref (GstVfiPicture *p)
{
  g_rc_box_release_full (p, clear);
}

static gboolean
remove_single (GstBuffer *buffer, GstMeta **meta, gpointer data)
{
  if (gst_vfi_meta_is_single ((*meta)->info))
    *meta = NULL;
  return TRUE;
}

GstBuffer *
gst_vfi_picture_show (GstVfiPicture *p, gboolean again)
{
  if (!again && gst_buffer_is_writable (p->buffer))
    return gst_buffer_ref (p->buffer);
  GstBuffer *b = gst_buffer_copy (p->buffer);
  /* The memory may belong to a pool that takes it back with the buffer. */
  gst_buffer_add_parent_buffer_meta (b, p->buffer);
  if (again) {
    gst_buffer_foreach_meta (b, remove_single, NULL);
    GST_BUFFER_FLAG_UNSET (b, GST_VFI_FLAGS_SINGLE);
  }
  return b;
}
