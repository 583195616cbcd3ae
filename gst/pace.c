/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pace: see pace.h.
 */
#include "pace.h"

#include "gstvfibase.h"

#define GST_CAT_DEFAULT gst_vfi_debug

void
gst_vfi_pace_init (GstVfiPace *pace)
{
  *pace = (GstVfiPace){ .latency = GST_CLOCK_TIME_NONE, .earliest = GST_CLOCK_TIME_NONE, .proportion = 1 };
  vfi_load_init (&pace->load, 0);
}

void
gst_vfi_pace_guess (GstVfiPace *pace, GstBaseTransform *trans, GstClockTime synthesis)
{
  GST_OBJECT_LOCK (trans);
  vfi_load_init (&pace->load, synthesis);
  GST_OBJECT_UNLOCK (trans);
}

void
gst_vfi_pace_reset (GstVfiPace *pace, GstBaseTransform *trans)
{
  GST_OBJECT_LOCK (trans);
  pace->earliest = GST_CLOCK_TIME_NONE;
  pace->proportion = 1;
  GST_OBJECT_UNLOCK (trans);
}

void
gst_vfi_pace_event (GstVfiPace *pace, GstBaseTransform *trans, GstEvent *event)
{
  GST_OBJECT_LOCK (trans);
  if (GST_EVENT_TYPE (event) == GST_EVENT_LATENCY)
    gst_event_parse_latency (event, &pace->latency);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_QOS) {
    GstClockTimeDiff diff;
    GstClockTime time;
    gst_event_parse_qos (event, NULL, &pace->proportion, &diff, &time);
    /* Frames that come at the same pace will be as late again. */
    if (diff > 0)
      diff *= 2;
    pace->earliest = diff < 0 && (GstClockTime) -diff > time ? 0 : time + diff;
  }
  GST_OBJECT_UNLOCK (trans);
}

void
gst_vfi_pace_answer (GstVfiPace *pace, GstBaseTransform *trans, GstQuery *query, GstClockTime waits)
{
  gboolean live;
  GstClockTime min, max;
  gst_query_parse_latency (query, &live, &min, &max);
  GST_OBJECT_LOCK (trans);
  pace->live = live;
  waits += pace->load.announced;
  GST_OBJECT_UNLOCK (trans);
  GST_DEBUG_OBJECT (trans, "latency of our own: %" GST_TIME_FORMAT, GST_TIME_ARGS (waits));
  if (live)
    gst_query_set_latency (query, live, min + waits, GST_CLOCK_TIME_IS_VALID (max) ? max + waits : max);
}

/* How much too late a frame of this running time is, ns; negative is early. */
static gint64
lateness (GstVfiPace *pace, GstBaseTransform *trans, GstClockTime time)
{
  g_autoptr (GstClock) clock = NULL;
  gint64 late = G_MININT64;
  GST_OBJECT_LOCK (trans);
  if (GST_CLOCK_TIME_IS_VALID (pace->earliest))
    late = GST_CLOCK_DIFF (time, pace->earliest);
  if (pace->live && GST_CLOCK_TIME_IS_VALID (pace->latency) && GST_STATE (trans) == GST_STATE_PLAYING && GST_ELEMENT_CLOCK (trans))
    clock = gst_object_ref (GST_ELEMENT_CLOCK (trans));
  GstClockTime due = time + pace->latency + GST_ELEMENT_CAST (trans)->base_time;
  GST_OBJECT_UNLOCK (trans);
  return clock ? MAX (late, GST_CLOCK_DIFF (due, gst_clock_get_time (clock))) : late;
}

VfiLoadAction
gst_vfi_pace_decide (GstVfiPace *pace, GstBaseTransform *trans, GstClockTime pts, GstClockTime duration, GstClockTime input_period,
                     guint64 processed, guint64 dropped)
{
  GstClockTime time = gst_segment_to_running_time (&trans->segment, GST_FORMAT_TIME, pts);
  if (!GST_CLOCK_TIME_IS_VALID (time))
    return VFI_LOAD_SYNTHESIZE;
  gint64 late = lateness (pace, trans, time);

  GST_OBJECT_LOCK (trans);
  VfiLoadLevel before = pace->load.level;
  VfiLoadAction action = vfi_load_decide (&pace->load, late, input_period);
  VfiLoadLevel level = pace->load.level;
  double proportion = pace->proportion;
  gboolean live = pace->live;
  GST_OBJECT_UNLOCK (trans);

  if (level != before || action != VFI_LOAD_SYNTHESIZE) {
    static const int quality[] = { 1000000, 500000, 0 }; /* parts in a million */
    GST_DEBUG_OBJECT (trans, "%" GST_TIME_FORMAT " is %" GST_STIME_FORMAT " late: level %d, action %d", GST_TIME_ARGS (pts),
                      GST_STIME_ARGS (late), level, action);
    GstMessage *message = gst_message_new_qos (GST_OBJECT (trans), live, time,
                                               gst_segment_to_stream_time (&trans->segment, GST_FORMAT_TIME, pts), pts, duration);
    gst_message_set_qos_values (message, late, proportion, quality[action == VFI_LOAD_SYNTHESIZE ? MIN ((int) level, 1) : 2]);
    gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, processed, dropped);
    gst_element_post_message (GST_ELEMENT (trans), message);
  }
  return action;
}

void
gst_vfi_pace_measure (GstVfiPace *pace, GstBaseTransform *trans, GstClockTime time)
{
  GST_OBJECT_LOCK (trans);
  gboolean changed = vfi_load_measure (&pace->load, time) && pace->live;
  GstClockTime announced = pace->load.announced;
  GST_OBJECT_UNLOCK (trans);
  if (!changed)
    return;
  GST_DEBUG_OBJECT (trans, "synthesis takes %" GST_TIME_FORMAT " now", GST_TIME_ARGS (announced));
  gst_element_post_message (GST_ELEMENT (trans), gst_message_new_latency (GST_OBJECT (trans)));
}
