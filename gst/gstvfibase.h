/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the elements share: where and with which network to compute, caps to frames, output buffers, errors, statistics.
 *
 * Both pads carry the same pictures but for the frame rate. A subclass makes its output in submit_input_buffer and
 * generate_output, and its transform function writes one synthesized frame.
 */
#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "field.h"
#include "vfi.h"

G_BEGIN_DECLS

/* What the files without an element of their own log to: "vfi". */
GST_DEBUG_CATEGORY_EXTERN (gst_vfi_debug);

#define GST_TYPE_VFI_BASE (gst_vfi_base_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstVfiBase, gst_vfi_base, GST, VFI_BASE, GstBaseTransform)

struct _GstVfiBaseClass
{
  GstBaseTransformClass parent_class;

  /* New caps, progressive and of a format that libvfi knows, on the streaming thread. */
  gboolean (*set_info) (GstVfiBase *base, const GstVideoInfo *in, const GstVideoInfo *out);
  /* Adds its fields. With the object lock held. */
  void (*stats) (GstVfiBase *base, GstStructure *s);
  /* How many input buffers may be held back at the same time. */
  guint (*held) (GstVfiBase *base);
  /* Both set by gst_vfi_base_class_set_on_device. Whether frames may lie in CUDA memory, as the properties are; and what frees the session, after
   * all frames that came have left, for it is to be made anew in another context. */
  gboolean (*on_device) (GstVfiBase *base);
  void (*close) (GstVfiBase *base);
};

/* The properties of a subclass, in its class_init. They are set and got under the object lock; those that may change only in READY
 * (GST_PARAM_MUTABLE_READY) change only there. */
void gst_vfi_base_install (GObjectClass *klass, const GstVfiField *fields, guint n);

/* GstVideoInfo of the caps that set_info last took, for the streaming thread. */
const GstVideoInfo *gst_vfi_base_info (GstVfiBase *base);
VfiFrameInfo gst_vfi_frame_info (const GstVideoInfo *info);
/* From one frame to the next, as caps say it; as those that set_info last took, for any thread without the object lock. */
GstClockTime gst_vfi_period (const GstVideoInfo *info);
GstClockTime gst_vfi_base_period (GstVfiBase *base);

/* For a class_init: frames may lie in CUDA memory. */
void gst_vfi_base_class_set_on_device (GstVfiBaseClass *klass, gboolean (*on_device) (GstVfiBase *base), void (*close) (GstVfiBase *base));
/* For transform_caps: without CUDA memory where it cannot be used, and of what `filter` (may be NULL) leaves. Takes caps. */
GstCaps *gst_vfi_base_strip (GstVfiBase *base, GstCaps *caps, GstCaps *filter);
/* Whether sessions compute on a GPU. */
gboolean gst_vfi_base_on_gpu (GstVfiBase *base);
/* Whether frames are in system memory then, so that they go to the GPU and come back, and there are as many of them as one wants. */
gboolean gst_vfi_base_carries (GstVfiBase *base);
/* Whether what is done with the buffer's memory comes in the order of the element's CUDA stream, so that nobody need wait: GStreamer 1.24 and later. */
gboolean gst_vfi_base_ordered (GstVfiBase *base, GstBuffer *buffer);
/* Between these the context that the element works in is current; around what may open a session, but in set_info, where it is. */
void gst_vfi_base_enter (GstVfiBase *base);
void gst_vfi_base_leave (GstVfiBase *base);
/* Where frames come from a context that is not the element's, the element goes there. An error has been posted. */
GstFlowReturn gst_vfi_base_adopt (GstVfiBase *base, GstBuffer *buffer);
/* Maps a frame of the current caps where it lies; gst_video_frame_unmap. */
gboolean gst_vfi_base_map (GstVfiBase *base, GstVideoFrame *map, GstBuffer *buffer, int flags, VfiFrame *frame);

/* The options that the properties ask for. The strings are copies of the caller's, to be freed with gst_vfi_options_clear. */
void gst_vfi_base_options (GstVfiBase *base, VfiOptions *options);
void gst_vfi_options_clear (VfiOptions *options);

/* Says what is in use, once, in the log and from then on in `stats`. */
void gst_vfi_base_announce (GstVfiBase *base, const VfiInterpInfo *info);

/* Posts a warning that motion is worked out at a smaller size because of the error, which is freed. */
void gst_vfi_base_shrank (GstVfiBase *base, double flow_scale, GError **error);
/* Posts the error as the element's, and frees it. FALSE, for `return`. */
gboolean gst_vfi_base_fail (GstVfiBase *base, GError *error);

/* Whether a meta belongs to its frame alone (captions, time codes), not to all that look like it. */
gboolean gst_vfi_meta_is_single (const GstMetaInfo *info);
/* Flags that say something of a frame's place in its stream or of its decoding, not of its looks. */
#define GST_VFI_FLAGS_SINGLE (GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC | GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_MARKER)

/* A new buffer, written by the transform function, with the metas and flags of `like` that a frame which only looks like it has. */
GstFlowReturn gst_vfi_base_synthesize (GstVfiBase *base, GstBuffer *like, GstBuffer **buffer);

/* Pushes all that generate_output has. */
GstFlowReturn gst_vfi_base_push_all (GstVfiBase *base);

G_END_DECLS
