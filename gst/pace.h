/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pace: how an element that synthesizes keeps up with the pipeline's clock, and what it says of that: latency and QoS.
 *
 * A frame counts as late where downstream said that it has no more use for frames of its time, and in a live pipeline also where
 * its time plus the pipeline's latency has passed.
 */
#pragma once

#include <gst/base/gstbasetransform.h>

#include "load.h"

typedef struct
{
  /* Under the element's object lock. */
  VfiLoad load;
  gboolean live;
  GstClockTime latency;  /* of the whole pipeline */
  GstClockTime earliest; /* running time before which downstream has no use for frames */
  double proportion;
} GstVfiPace;

void gst_vfi_pace_init (GstVfiPace *pace);
/* Forgets what was measured. `synthesis`: a guess of how long one frame will take. */
void gst_vfi_pace_guess (GstVfiPace *pace, GstBaseTransform *trans, GstClockTime synthesis);
/* After a flush. */
void gst_vfi_pace_reset (GstVfiPace *pace, GstBaseTransform *trans);
/* Notes a QOS or LATENCY event that comes from downstream. */
void gst_vfi_pace_event (GstVfiPace *pace, GstBaseTransform *trans, GstEvent *event);
/* Adds `waits` and the time of synthesis to an answered LATENCY query. */
void gst_vfi_pace_answer (GstVfiPace *pace, GstBaseTransform *trans, GstQuery *query, GstClockTime waits);

/* What to do for the synthesized frame of these times; what is given up is counted by the caller and said in a QOS message. */
VfiLoadAction gst_vfi_pace_decide (GstVfiPace *pace, GstBaseTransform *trans, GstClockTime pts, GstClockTime duration,
                                   GstClockTime input_period, guint64 processed, guint64 dropped);
/* One frame took this long to synthesize. */
void gst_vfi_pace_measure (GstVfiPace *pace, GstBaseTransform *trans, GstClockTime time);
