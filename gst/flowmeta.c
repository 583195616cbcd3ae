/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GstVfiFlowMeta: see gstvfiflowmeta.h and flowmeta.h.
 */
#include "flowmeta.h"

#include <gst/video/video.h>

static gboolean
meta_init (GstMeta *meta, gpointer params, GstBuffer *buffer)
{
  memset ((char *) meta + sizeof (GstMeta), 0, sizeof (GstVfiFlowMeta) - sizeof (GstMeta));
  return TRUE;
}

static void
meta_free (GstMeta *meta, GstBuffer *buffer)
{
  g_clear_pointer (&((GstVfiFlowMeta *) meta)->data, g_bytes_unref);
}

static gboolean
meta_transform (GstBuffer *to, GstMeta *meta, GstBuffer *from, GQuark type, gpointer data)
{
  if (!GST_META_TRANSFORM_IS_COPY (type) || ((GstMetaTransformCopy *) data)->region)
    return FALSE; /* scaled or cut, flow is not that of the picture any more */
  return gst_vfi_flow_meta_add (to, (const GstVfiFlowMeta *) meta) != NULL;
}

static GType
api_type (void)
{
  static gsize type;
  if (g_once_init_enter (&type)) {
    static const gchar *tags[] = { GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };
    g_once_init_leave (&type, gst_meta_api_type_register ("GstVfiFlowMetaAPI", tags));
  }
  return type;
}

const GstMetaInfo *
gst_vfi_flow_meta_get_info (void)
{
  static gsize info;
  if (g_once_init_enter (&info))
    g_once_init_leave (
        &info, (gsize) gst_meta_register (api_type (), "GstVfiFlowMeta", sizeof (GstVfiFlowMeta), meta_init, meta_free, meta_transform));
  return (const GstMetaInfo *) info;
}

GstVfiFlowMeta *
gst_vfi_flow_meta_add (GstBuffer *buffer, const GstVfiFlowMeta *like)
{
  GstVfiFlowMeta *m = (GstVfiFlowMeta *) gst_buffer_add_meta (buffer, gst_vfi_flow_meta_get_info (), NULL);
  if (m) {
    const GstMeta meta = m->meta;
    *m = *like;
    m->meta = meta;
    if (m->data)
      g_bytes_ref (m->data);
  }
  return m;
}
