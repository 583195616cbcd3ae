/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CUDA memory: see cudamemory.h.
 *
 * GStreamer's CUDA library grew from 1.22 to 1.26. Before 1.24 our work is done when a buffer leaves. From then on memory may belong to a stream:
 * whoever works with it enqueues there, or waits for that stream (gst_cuda_memory_sync) before and for his own work after. Our pools' memory belongs
 * to our stream, mapping it for writing marks it for others to wait for, and where all frames are of that stream the host waits for nothing.
 */
#include "cudamemory.h"

#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudacontext.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>
#if GST_CHECK_VERSION(1, 24, 0)
#include <gst/cuda/gstcudastream.h>
#endif

/* ---- caps --------------------------------------------------------------------------------------- */

/* Of libvfi's formats, those of which GStreamer 1.22's allocator of CUDA memory knows nothing: it aborts the process. */
static const char *const unknown[] = { "GRAY8", "Y444_10LE", "A420", "A444_10LE", NULL };

GstCaps *
gst_vfi_cuda_caps_add (GstCaps *caps)
{
  GstCaps *all = gst_caps_new_empty ();
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *s = gst_structure_copy (gst_caps_get_structure (caps, i));
    const GValue *formats = gst_structure_get_value (s, "format");
    GValue there = G_VALUE_INIT;
    g_value_init (&there, GST_TYPE_LIST);
    for (guint j = 0; j < gst_value_list_get_size (formats); j++) {
      const GValue *name = gst_value_list_get_value (formats, j);
      if (!g_strv_contains (unknown, g_value_get_string (name)))
        gst_value_list_append_value (&there, name);
    }
    gst_structure_take_value (s, "format", &there);
    gst_caps_append_structure_full (all, s, gst_caps_features_new (GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY, NULL));
  }
  gst_caps_append (all, caps);
  return all;
}

static gboolean
is_cuda (const GstCaps *caps, guint i)
{
  return gst_caps_features_contains (gst_caps_get_features (caps, i), GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY);
}

GstCaps *
gst_vfi_cuda_caps_remove (GstCaps *caps)
{
  caps = gst_caps_make_writable (caps);
  for (guint i = gst_caps_get_size (caps); i > 0; i--)
    if (is_cuda (caps, i - 1))
      gst_caps_remove_structure (caps, i - 1);
  return caps;
}

gboolean
gst_vfi_cuda_caps_has (const GstCaps *caps)
{
  return gst_caps_get_size (caps) > 0 && is_cuda (caps, 0);
}

/* ---- context ------------------------------------------------------------------------------------ */

gboolean
gst_vfi_cuda_open (GstElement *element, int device, GstVfiCuda *cuda)
{
  /* What it finds comes by set_context, into this very place. */
  if (!gst_cuda_load_library () || !gst_cuda_ensure_element_context (element, device, (GstCudaContext **) cuda))
    return FALSE;
  gst_cuda_memory_init_once ();
  return TRUE;
}

void
gst_vfi_cuda_close (GstVfiCuda *cuda)
{
  if (*cuda)
    gst_object_unref (g_steal_pointer (cuda));
}

void
gst_vfi_cuda_set_context (GstElement *element, GstContext *context, int device, GstVfiCuda *cuda)
{
  gst_cuda_handle_set_context (element, context, device, (GstCudaContext **) cuda);
}

gboolean
gst_vfi_cuda_query (GstElement *element, GstQuery *query, GstVfiCuda cuda)
{
  return GST_QUERY_TYPE (query) == GST_QUERY_CONTEXT && gst_cuda_handle_context_query (element, query, cuda);
}

void
gst_vfi_cuda_push (GstVfiCuda cuda)
{
  if (cuda)
    gst_cuda_context_push (cuda);
}

void
gst_vfi_cuda_pop (GstVfiCuda cuda)
{
  if (cuda)
    gst_cuda_context_pop (NULL);
}

GstVfiCuda
gst_vfi_cuda_of (GstBuffer *buffer)
{
  GstMemory *memory = gst_buffer_n_memory (buffer) ? gst_buffer_peek_memory (buffer, 0) : NULL;
  return gst_is_cuda_memory (memory) ? GST_CUDA_MEMORY_CAST (memory)->context : NULL;
}

gboolean
gst_vfi_cuda_differs (GstVfiCuda a, GstVfiCuda b)
{
  return a != b && gst_cuda_context_get_handle (a) != gst_cuda_context_get_handle (b);
}

GstVfiCuda
gst_vfi_cuda_ref (GstVfiCuda cuda)
{
  return cuda ? gst_object_ref (cuda) : NULL;
}

/* ---- streams ------------------------------------------------------------------------------------ */

#if GST_CHECK_VERSION(1, 24, 0)
GstVfiCudaStream
gst_vfi_cuda_stream_new (GstVfiCuda cuda)
{
  return gst_cuda_stream_new (cuda);
}

void
gst_vfi_cuda_stream_close (GstVfiCudaStream *stream)
{
  gst_clear_cuda_stream ((GstCudaStream **) stream);
}

gpointer
gst_vfi_cuda_stream_handle (GstVfiCudaStream stream)
{
  return stream ? gst_cuda_stream_get_handle (stream) : NULL;
}

gboolean
gst_vfi_cuda_ordered (GstBuffer *buffer, GstVfiCudaStream stream)
{
  GstMemory *memory = gst_buffer_n_memory (buffer) == 1 ? gst_buffer_peek_memory (buffer, 0) : NULL;
  return stream && gst_is_cuda_memory (memory) && gst_cuda_memory_get_stream (GST_CUDA_MEMORY_CAST (memory)) == stream;
}
#endif

/* ---- frames ------------------------------------------------------------------------------------- */

GstBufferPool *
gst_vfi_cuda_pool (GstVfiCuda cuda, GstVfiCudaStream stream, GstCaps *caps, guint min, guint max, guint *size)
{
  g_autoptr (GstBufferPool) pool = cuda ? gst_cuda_buffer_pool_new (cuda) : NULL;
  GstStructure *config;
  if (!pool)
    return NULL;
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, *size, min, max);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
#if GST_CHECK_VERSION(1, 24, 0)
  if (stream)
    gst_buffer_pool_config_set_cuda_stream (config, stream);
#endif
  if (!gst_buffer_pool_set_config (pool, config)) /* makes a frame, to see how it lies in memory */
    return NULL;
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_get_params (config, NULL, size, NULL, NULL);
  gst_structure_free (config);
  return g_steal_pointer (&pool);
}

gboolean
gst_vfi_cuda_map (GstVideoFrame *map, const GstVideoInfo *info, GstBuffer *buffer, int flags, GstVfiCudaStream stream)
{
  GstMemory *memory = gst_buffer_n_memory (buffer) == 1 ? gst_buffer_peek_memory (buffer, 0) : NULL;
  if (!gst_is_cuda_memory (memory))
    return FALSE;
  /* Rows are padded: the meta says how, and else the memory itself does. */
  if (!gst_buffer_get_video_meta (buffer))
    info = &GST_CUDA_MEMORY_CAST (memory)->info;
  if (!gst_video_frame_map (map, info, buffer, flags | GST_MAP_CUDA))
    return FALSE;
#if GST_CHECK_VERSION(1, 24, 0)
  if (!gst_vfi_cuda_ordered (buffer, stream))
    gst_cuda_memory_sync (GST_CUDA_MEMORY_CAST (memory));
#endif
  return TRUE;
}
