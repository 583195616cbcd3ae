/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stretch: see stretch.h.
 */
#include "stretch.h"

#include "timeline.h"

/* A duration; negative ones (offsets) keep their sign, -1 is unknown. */
static gint64
longer (gint64 time, const int by[2])
{
  if (time == -1)
    return -1;
  return time < 0 ? -(gint64) vfi_stretch (-time, 0, by[0], by[1]) : (gint64) vfi_stretch (time, 0, by[0], by[1]);
}

/* The other way, to the nearest nanosecond, so that a position that came from `longer` comes back. */
static gint64
shorter (gint64 time, const int by[2])
{
  if (time == -1)
    return -1;
  return time < 0 ? -(gint64) gst_util_uint64_scale_int_round (-time, by[1], by[0])
                  : (gint64) gst_util_uint64_scale_int_round (time, by[1], by[0]);
}

void
gst_vfi_stretch_segment (GstSegment *s, const int by[2])
{
  s->stop = vfi_stretch (s->stop, s->start, by[0], by[1]);
  s->position = vfi_stretch (s->position, s->start, by[0], by[1]);
  s->base = longer (s->base, by);
  s->offset = longer (s->offset, by);
  s->time = longer (s->time, by);
  s->duration = longer (s->duration, by);
}

static GstEvent *
replace (GstEvent *event, GstEvent *by)
{
  gst_event_set_seqnum (by, gst_event_get_seqnum (event));
  gst_event_set_running_time_offset (by, gst_event_get_running_time_offset (event));
  gst_event_unref (event);
  return by;
}

GstEvent *
gst_vfi_stretch_downstream (GstEvent *event, const GstSegment *segment, const int by[2])
{
  if (by[0] == by[1])
    return event;
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEGMENT: {
      GstSegment s;
      gst_event_copy_segment (event, &s);
      gst_vfi_stretch_segment (&s, by);
      return replace (event, gst_event_new_segment (&s));
    }
    case GST_EVENT_GAP: {
      GstClockTime time, duration;
      gst_event_parse_gap (event, &time, &duration);
      return replace (event, gst_event_new_gap (vfi_stretch (time, segment->start, by[0], by[1]), longer (duration, by)));
    }
    case GST_EVENT_SEGMENT_DONE: {
      GstFormat format;
      gint64 position;
      gst_event_parse_segment_done (event, &format, &position);
      if (format == GST_FORMAT_TIME && position != -1)
        position = vfi_stretch (position, segment->start, by[0], by[1]);
      return replace (event, gst_event_new_segment_done (format, position));
    }
    default:
      return event;
  }
}

GstEvent *
gst_vfi_stretch_upstream (GstEvent *event, const int by[2])
{
  if (by[0] == by[1])
    return event;
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEEK: {
      double rate;
      GstFormat format;
      GstSeekFlags flags;
      GstSeekType start_type, stop_type;
      gint64 start, stop;
      GstClockTime interval;
      gst_event_parse_seek (event, &rate, &format, &flags, &start_type, &start, &stop_type, &stop);
      gst_event_parse_seek_trickmode_interval (event, &interval);
      if (format != GST_FORMAT_TIME)
        return event;
      event = replace (event, gst_event_new_seek (rate, format, flags, start_type, shorter (start, by), stop_type, shorter (stop, by)));
      gst_event_set_seek_trickmode_interval (event, shorter (interval, by));
      return event;
    }
    case GST_EVENT_QOS: {
      GstQOSType type;
      double proportion;
      GstClockTimeDiff diff;
      GstClockTime time;
      gst_event_parse_qos (event, &type, &proportion, &diff, &time);
      return replace (event, gst_event_new_qos (type, proportion, shorter (diff, by), shorter (time, by)));
    }
    default:
      return event;
  }
}

void
gst_vfi_stretch_answer (GstQuery *query, const int by[2])
{
  GstFormat format;
  gint64 start, end;
  gboolean seekable;
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_DURATION:
      gst_query_parse_duration (query, &format, &end);
      if (format == GST_FORMAT_TIME)
        gst_query_set_duration (query, format, longer (end, by));
      break;
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking (query, &format, &seekable, &start, &end);
      if (format == GST_FORMAT_TIME)
        gst_query_set_seeking (query, format, seekable, longer (start, by), longer (end, by));
      break;
    default:
      break;
  }
}
