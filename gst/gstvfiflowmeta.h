/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GstVfiFlowMeta: dense optical flow on a buffer, as vfiflow attaches it.
 *
 * This header is all that an application needs to read it; there is no library to link to:
 *
 *     #include <gst/vfi/gstvfiflowmeta.h>              pkg-config --cflags --libs gst-vfi-flow
 *
 *     GstVfiFlowMeta *m = gst_buffer_get_vfi_flow_meta (buffer);
 *     if (m && m->forward)
 *       u = m->forward[2 * (y * m->width + x)], v = m->forward[2 * (y * m->width + x) + 1];
 *
 * What is seen at pixel (x, y) of this buffer is seen at (x + u, y + v) of the buffer `step` frames after it (forward) or before it
 * (backward); u and v are in pixels, rows follow each other without gaps. A direction that was not asked for, or that has no other frame
 * to go to (the first frame of a stream and the first after a seek, a gap or a change of caps has no backward flow, the last before one no
 * forward flow), is NULL: never zeros. A buffer passes such a meta on to its copies as long as the picture keeps its size.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GstMeta meta;

  guint width, height;             /* of the frame, and of every field */
  guint step;                      /* how many frames away the other frame is */
  const float *forward, *backward; /* u, v, u, v ...: 2 width height floats; or NULL */
  /* width height floats, 0 to 1: how sure it is that what is seen at a pixel is seen in the other frame. NULL with its flow. */
  const float *forward_confidence, *backward_confidence;

  /*< private >*/
  GBytes *data; /* where the fields lie; copies of the meta share it */
} GstVfiFlowMeta;

/* The flow of a buffer, NULL if it has none. It lives as long as the buffer. */
static inline GstVfiFlowMeta *
gst_buffer_get_vfi_flow_meta (GstBuffer *buffer)
{
  GType api = g_type_from_name ("GstVfiFlowMetaAPI"); /* not there: no vfiflow in this process yet */
  return api ? (GstVfiFlowMeta *) gst_buffer_get_meta (buffer, api) : NULL;
}

G_END_DECLS
