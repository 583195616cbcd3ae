/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tween: makes buffers of the timeline's moments. It decides how the frame between two others comes about: by synthesis, across
 * a cut as a repeat or a blend, under load as a repeat or not at all.
 */
#pragma once

#include "gstvfibase.h"
#include "pace.h"
#include "pair.h"
#include "timeline.h"

typedef struct
{
  /* Settings; the element's object lock. */
  double flow_scale, scene_threshold;
  gboolean blend, qos, quadratic; /* ints, as properties are */

  /* Streaming thread. */
  GstVfiPair pair;
  double t, reach; /* reach: the flow scale that there is memory for */
  gboolean cut;
  /* On a GPU, with frames in system memory, the last one that was made is still on its way while the next is begun, but in live pipelines, where it
   * would come a frame later. */
  GstBuffer *late; /* not ready: belongs to the element; NULL: there is none */
  GstVideoFrame late_map;
  GstClockTime late_time;

  /* Object lock. */
  GstVfiPace pace;
  guint64 in, out, synthesized, repeated, repaired, skipped, last, total;
} GstVfiTween;

void gst_vfi_tween_init (GstVfiTween *tween);
/* Forgets what was done and measured. */
void gst_vfi_tween_start (GstVfiTween *tween, GstVfiBase *base);
/* Fits the session to the frames. FALSE after an error of the element. */
gboolean gst_vfi_tween_setup (GstVfiTween *tween, GstVfiBase *base, const GstVideoInfo *info);
void gst_vfi_tween_stats (const GstVfiTween *tween, GstStructure *s);

/* The moment's buffer (its frames are GstVfiPicture); NULL where it is skipped. */
GstFlowReturn gst_vfi_tween_make (GstVfiTween *tween, GstVfiBase *base, const VfiMoment *m, GstBuffer **out);
/* Times and number for the next buffer to leave. */
void gst_vfi_tween_stamp (GstVfiTween *tween, GstVfiBase *base, GstBuffer *buffer, GstClockTime pts, GstClockTime duration);
/* For the transform function of the element: writes the pixels of the moment that is being made. It may be `late` then; the one that was, is ready. */
GstFlowReturn gst_vfi_tween_write (GstVfiTween *tween, GstVfiBase *base, GstBuffer *out);
/* Makes `late` ready. */
GstFlowReturn gst_vfi_tween_finish (GstVfiTween *tween, GstVfiBase *base);
/* Lets go of the frames; what is late never becomes ready. */
void gst_vfi_tween_clear (GstVfiTween *tween);
/* Counts a frame that comes in. */
void gst_vfi_tween_took (GstVfiTween *tween, GstVfiBase *base);
