/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For tests of elements with frames in CUDA memory: frames there and in system memory, elements that get them, and what the plain backend makes of them.
 */
#pragma once

#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudautils.h>

#include <vfi.h>

#include "support.h"

#ifdef SHIM
#include "../cuda/shim/shim.h"
#else
#define shim_depth() 0
#endif

/* fp16 on a device differs from the plain backend's fp32 by more than rounding. */
#define INTERP "vfiinterp model=vfi-nano precision=fp32 qos-mode=off "

/* Of frames. */
extern int wide, high;
/* A file; and the context that is given to elements. */
extern char *weights;
extern GstCudaContext *context;

GstCaps *caps_of (const char *format, gboolean on_device, int fps);
void fill (GstBuffer *b, const GstVideoInfo *info, int i, int scene);
GstBuffer *frame_in (GstCudaContext *where, const char *format, int i, int scene);
/* An element in PLAYING, with a context that was given to it before, or NULL. */
GstHarness *harness (const char *launch, GstCudaContext *given, GstBus **bus);
void finish (GstHarness *h, GstBus *bus);
GstHarness *playing (const char *launch, const char *format, gboolean on_device, GstBus **bus);
void no_error (GstBus *bus);
gboolean on_device (GstBuffer *b, GstCudaContext *where);
/* The largest difference of two buffers' samples. */
int worst (const char *format, GstBuffer *a, GstBuffer *b);
/* What the plain backend makes of frames i and i + 1 of a stream that begins with frame `first`; flow_scale 0: without a network, of different scenes. */
GstBuffer *wanted_at (const char *format, int i, double t, double flow_scale, int first);
/* At flow scale 1, of a stream that begins with frame 0. */
GstBuffer *wanted (const char *format, int i, double t);
