/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CUDA memory in GStreamer: caps with the feature memory:CUDAMemory, the context that elements of a pipeline share, pools and maps.
 *
 * The only file of the elements that names CUDA is cudamemory.c; where GStreamer's CUDA library or the toolkit's headers are missing, nocudamemory.c
 * stands in its place: there is no context then, and no caps with it. A GstVfiCuda is a GstCudaContext with a reference, a GstVfiCudaStream a
 * GstCudaStream with one; before GStreamer 1.24 there are none.
 */
#pragma once

#include <gst/video/video.h>

typedef gpointer GstVfiCuda, GstVfiCudaStream;

/* Structures for CUDA memory in front of those for system memory, for the formats that GStreamer has there. Takes caps. */
GstCaps *gst_vfi_cuda_caps_add (GstCaps *caps);
/* Without structures for CUDA memory. Takes caps. */
GstCaps *gst_vfi_cuda_caps_remove (GstCaps *caps);
gboolean gst_vfi_cuda_caps_has (const GstCaps *caps);

/* The context of a GPU (-1: that of the pipeline's, else the first) from neighbours, the application, or a new one that they are told of. FALSE: there is
 * no driver, or no such GPU. */
gboolean gst_vfi_cuda_open (GstElement *element, int device, GstVfiCuda *cuda);
void gst_vfi_cuda_close (GstVfiCuda *cuda);
/* For GstElementClass.set_context, before the parent's. */
void gst_vfi_cuda_set_context (GstElement *element, GstContext *context, int device, GstVfiCuda *cuda);
/* TRUE if it was a query for the context, which is answered now. */
gboolean gst_vfi_cuda_query (GstElement *element, GstQuery *query, GstVfiCuda cuda);

/* Between these the context is the thread's current one. They do nothing without one. */
void gst_vfi_cuda_push (GstVfiCuda cuda);
void gst_vfi_cuda_pop (GstVfiCuda cuda);

/* A stream of the context; NULL: there are none. */
GstVfiCudaStream gst_vfi_cuda_stream_new (GstVfiCuda cuda);
void gst_vfi_cuda_stream_close (GstVfiCudaStream *stream);
gpointer gst_vfi_cuda_stream_handle (GstVfiCudaStream stream); /* the CUstream; NULL of NULL */

/* A pool of frames in CUDA memory that belong to a stream (may be NULL), configured but for its activation; *size becomes the bytes of a frame there.
 * NULL: there is no memory, or no context. */
GstBufferPool *gst_vfi_cuda_pool (GstVfiCuda cuda, GstVfiCudaStream stream, GstCaps *caps, guint min, guint max, guint *size);

/* The context that a buffer's memory belongs to, without a reference; NULL if it is not CUDA's. */
GstVfiCuda gst_vfi_cuda_of (GstBuffer *buffer);
/* TRUE if these are contexts of their own. */
gboolean gst_vfi_cuda_differs (GstVfiCuda a, GstVfiCuda b);
GstVfiCuda gst_vfi_cuda_ref (GstVfiCuda cuda); /* NULL of NULL */

/* Whether a buffer's memory belongs to that stream: what is enqueued there comes after what others did with the memory, and before what they will do. */
gboolean gst_vfi_cuda_ordered (GstBuffer *buffer, GstVfiCudaStream stream);
/* gst_video_frame_map on the device: pointers are the GPU's, what others enqueued there is done, or comes first on this stream (may be NULL). FALSE: this
 * is no CUDA memory, or it cannot be mapped. */
gboolean gst_vfi_cuda_map (GstVideoFrame *map, const GstVideoInfo *info, GstBuffer *buffer, int flags, GstVfiCudaStream stream);
