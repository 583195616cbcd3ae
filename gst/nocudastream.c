/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Streams of CUDA memory where GStreamer has none, before 1.24 or without its CUDA library: see cudamemory.h.
 */
#include "cudamemory.h"

GstVfiCudaStream
gst_vfi_cuda_stream_new (GstVfiCuda cuda)
{
  return NULL;
}

void
gst_vfi_cuda_stream_close (GstVfiCudaStream *stream)
{
}

gpointer
gst_vfi_cuda_stream_handle (GstVfiCudaStream stream)
{
  return NULL;
}

gboolean
gst_vfi_cuda_ordered (GstBuffer *buffer, GstVfiCudaStream stream)
{
  return FALSE;
}
