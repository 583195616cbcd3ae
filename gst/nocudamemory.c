/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CUDA memory where GStreamer's CUDA library or the toolkit's headers were not there: see cudamemory.h. There is none.
 */
#include "cudamemory.h"

GstCaps *
gst_vfi_cuda_caps_add (GstCaps *caps)
{
  return caps;
}

GstCaps *
gst_vfi_cuda_caps_remove (GstCaps *caps)
{
  return caps;
}

gboolean
gst_vfi_cuda_caps_has (const GstCaps *caps)
{
  return FALSE;
}

gboolean
gst_vfi_cuda_open (GstElement *element, int device, GstVfiCuda *cuda)
{
  return FALSE;
}

void
gst_vfi_cuda_close (GstVfiCuda *cuda)
{
}

void
gst_vfi_cuda_set_context (GstElement *element, GstContext *context, int device, GstVfiCuda *cuda)
{
}

gboolean
gst_vfi_cuda_query (GstElement *element, GstQuery *query, GstVfiCuda cuda)
{
  return FALSE;
}

void
gst_vfi_cuda_push (GstVfiCuda cuda)
{
}

void
gst_vfi_cuda_pop (GstVfiCuda cuda)
{
}

GstBufferPool *
gst_vfi_cuda_pool (GstVfiCuda cuda, GstVfiCudaStream stream, GstCaps *caps, guint min, guint max, guint *size)
{
  return NULL;
}

GstVfiCuda
gst_vfi_cuda_of (GstBuffer *buffer)
{
  return NULL;
}

gboolean
gst_vfi_cuda_differs (GstVfiCuda a, GstVfiCuda b)
{
  return FALSE;
}

GstVfiCuda
gst_vfi_cuda_ref (GstVfiCuda cuda)
{
  return NULL;
}

gboolean
gst_vfi_cuda_map (GstVideoFrame *map, const GstVideoInfo *info, GstBuffer *buffer, int flags, GstVfiCudaStream stream)
{
  return FALSE;
}
