/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stretch: see stretch.h.
 */
#include "stretch.h"

#include "timeline.h"

/* A duration; negative ones (offsets) keep their sign, -1 is unknown. */
static gint64
longer (gint64 time, int num, int den)
{
  if (time == -1)
    return -1;
  return time < 0 ? -(gint64) vfi_stretch (-time, 0, num, den) : (gint64) vfi_stretch (time, 0, num, den);
}

/* The other way, to the nearest nanosecond, so that a position that came from `longer` comes back. */
static gint64
shorter (gint64 time, int num, int den)
{
  if (time == -1)
    return -1;
  return time < 0 ? -(gint64) gst_util_uint64_scale_int_round (-time, den, num) : (gint64) gst_util_uint64_scale_int_round (time, den, num);
}

void
gst_vfi_stretch_segment (GstSegment *s, int num, int den)
{
  s->stop = vfi_stretch (s->stop, s->start, num, den);
  s->position = vfi_stretch (s->position, s->start, num, den);
  s->base = longer (s->base, num, den);
  s->offset = longer (s->offset, num, den);
  s->time = longer (s->time, num, den);
  s->duration = longer (s->duration, num, den);
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
gst_vfi_stretch_downstream (GstEvent *event, const GstSegment *segment, int num, int den)
{
  if (num == den)
    return event;
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEGMENT: {
      GstSegment s;
      gst_event_copy_segment (event, &s);
      gst_vfi_stretch_segment (&s, num, den);
      return replace (event, gst_event_new_segment (&s));
    }
    case GST_EVENT_GAP: {
      GstClockTime time, duration;
      gst_event_parse_gap (event, &time, &duration);
      return replace (event, gst_event_new_gap (vfi_stretch (time, segment->start, num, den), longer (duration, num, den)));
    }
    case GST_EVENT_SEGMENT_DONE: {
      GstFormat format;
      gint64 position;
      gst_event_parse_segment_done (event, &format, &position);
      if (format == GST_FORMAT_TIME && position != -1)
        position = vfi_stretch (position, segment->start, num, den);
      return replace (event, gst_event_new_segment_done (format, position));
    }
    default:
      return event;
  }
}

GstEvent *
gst_vfi_stretch_upstream (GstEvent *event, int num, int den)
{
  if (num == den)
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
      event = replace (
          event, gst_event_new_seek (rate, format, flags, start_type, shorter (start, num, den), stop_type, shorter (stop, num, den)));
      gst_event_set_seek_trickmode_interval (event, shorter (interval, num, den));
      return event;
    }
    case GST_EVENT_QOS: {
      GstQOSType type;
      double proportion;
      GstClockTimeDiff diff;
      GstClockTime time;
      gst_event_parse_qos (event, &type, &proportion, &diff, &time);
      return replace (event, gst_event_new_qos (type, proportion, shorter (diff, num, den), shorter (time, num, den)));
    }
    default:
      return event;
  }
}

void
gst_vfi_stretch_answer (GstQuery *query, int num, int den)
{
  GstFormat format;
  gint64 start, end;
  gboolean seekable;
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_DURATION:
      gst_query_parse_duration (query, &format, &end);
      if (format == GST_FORMAT_TIME)
        gst_query_set_duration (query, format, longer (end, num, den));
      break;
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking (query, &format, &seekable, &start, &end);
      if (format == GST_FORMAT_TIME)
        gst_query_set_seeking (query, format, seekable, longer (start, num, den), longer (end, num, den));
      break;
    default:
      break;
  }
}
