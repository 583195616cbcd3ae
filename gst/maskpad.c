/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The mask pad: see maskpad.h.
 */
#include "maskpad.h"

#include "gstvfibase.h"

#define GST_CAT_DEFAULT gst_vfi_debug

#define AHEAD 8                    /* masks that are taken before a frame has come that wants them */
#define ROUNDING (1 * GST_MSECOND) /* times that differ by less are the same: containers round them */
#define TO_GREY "videoconvert ! video/x-raw,format=GRAY8"

struct _GstVfiMaskPad
{
  GstPad parent;

  GMutex lock;
  GCond changed;
  GQueue masks;        /* of GstVfiMask, oldest first; at most one that begins before `wanted` */
  GstClockTime wanted; /* running time that the frames are at */
  GstClockTime known;  /* no mask will begin before this running time */
  gboolean eos, unlocked, retired, held;
  GstVfiMask *last;      /* that a frame has got */
  GstClockTime patience; /* how long after its running time a frame waits; GST_CLOCK_TIME_NONE: as long as it takes */

  /* The mask stream's thread. */
  GstVideoInfo info; /* of unknown format: no caps yet */
  GstSegment segment;
};

G_DEFINE_FINAL_TYPE (GstVfiMaskPad, gst_vfi_mask_pad, GST_TYPE_PAD)

gboolean
gst_vfi_running_span (const GstSegment *segment, GstClockTime pts, GstClockTime duration, GstClockTime *start, GstClockTime *end)
{
  const gboolean lasts = GST_CLOCK_TIME_IS_VALID (duration);
  guint64 from = pts, to = lasts ? pts + duration : pts;
  *start = *end = GST_CLOCK_TIME_NONE;
  if (segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (pts) ||
      !gst_segment_clip (segment, GST_FORMAT_TIME, from, to, &from, &to))
    return FALSE;
  const GstClockTime a = gst_segment_to_running_time (segment, GST_FORMAT_TIME, from),
                     b = gst_segment_to_running_time (segment, GST_FORMAT_TIME, to);
  *start = MIN (a, b);
  if (lasts)
    *end = MAX (a, b);
  return GST_CLOCK_TIME_IS_VALID (*start);
}

/* ---- frames ------------------------------------------------------------------------------------- */

/* Drops masks that another one has followed, at the time that is wanted. With the lock held. */
static void
drop_old (GstVfiMaskPad *pad)
{
  GstVfiMask *next;
  while ((next = g_queue_peek_nth (&pad->masks, 1)) && next->start <= pad->wanted)
    gst_vfi_mask_unref (g_queue_pop_head (&pad->masks));
  g_cond_broadcast (&pad->changed); /* there is room for more, perhaps */
}

/* How long until the pipeline's clock is at this running time; 0 if it is, or there is none. */
static GstClockTime
remaining (GstVfiMaskPad *pad, GstClockTime deadline)
{
  g_autoptr (GstElement) element = gst_pad_get_parent_element (GST_PAD (pad));
  g_autoptr (GstClock) clock = element ? gst_element_get_clock (element) : NULL;
  if (!clock)
    return 0;
  const GstClockTime now = gst_clock_get_time (clock), due = gst_element_get_base_time (element) + deadline;
  return due > now ? due - now : 0;
}

gboolean
gst_vfi_mask_pad_take (GstVfiMaskPad *pad, GstClockTime time, GstVfiMask **mask)
{
  GstVfiMask *m;
  g_mutex_lock (&pad->lock);
  if (!pad->held) {
    pad->wanted = time + ROUNDING;
    drop_old (pad);
  }
  while (!pad->unlocked && !pad->retired && !pad->held && !pad->eos && pad->known <= pad->wanted && gst_pad_is_linked (GST_PAD (pad))) {
    if (!GST_CLOCK_TIME_IS_VALID (pad->patience)) {
      g_cond_wait (&pad->changed, &pad->lock);
      continue;
    }
    const GstClockTime left = remaining (pad, time + pad->patience);
    if (left == 0) {
      GST_DEBUG_OBJECT (pad, "the mask of %" GST_TIME_FORMAT " is late: the last one is used", GST_TIME_ARGS (time));
      break;
    }
    g_cond_wait_until (&pad->changed, &pad->lock, g_get_monotonic_time () + MAX (left / GST_USECOND, 1));
  }
  const gboolean locked = !pad->unlocked;
  if (!pad->held) {
    drop_old (pad);
    m = g_queue_peek_head (&pad->masks);
    g_clear_pointer (&pad->last, gst_vfi_mask_unref);
    pad->last = m && m->start <= pad->wanted ? gst_vfi_mask_ref (m) : NULL;
  }
  *mask = locked && pad->last ? gst_vfi_mask_ref (pad->last) : NULL;
  g_mutex_unlock (&pad->lock);
  return locked;
}

void
gst_vfi_mask_pad_advance (GstVfiMaskPad *pad, GstClockTime time)
{
  g_mutex_lock (&pad->lock);
  pad->wanted = GST_CLOCK_TIME_IS_VALID (time) ? time + ROUNDING : GST_CLOCK_TIME_NONE;
  drop_old (pad);
  g_mutex_unlock (&pad->lock);
}

void
gst_vfi_mask_pad_unlock (GstVfiMaskPad *pad, gboolean unlock)
{
  g_mutex_lock (&pad->lock);
  pad->unlocked = unlock;
  pad->wanted = 0;
  g_cond_broadcast (&pad->changed);
  g_mutex_unlock (&pad->lock);
}

void
gst_vfi_mask_pad_hold (GstVfiMaskPad *pad, gboolean hold)
{
  g_mutex_lock (&pad->lock);
  pad->held = hold;
  if (hold)
    pad->wanted = 0;
  g_cond_broadcast (&pad->changed);
  g_mutex_unlock (&pad->lock);
}

/* ---- masks -------------------------------------------------------------------------------------- */

/* Forgets the stream. With the lock held. */
static void
forget (GstVfiMaskPad *pad)
{
  g_queue_clear_full (&pad->masks, (GDestroyNotify) gst_vfi_mask_unref);
  pad->known = 0;
  pad->eos = FALSE;
  gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
}

static void
fail (GstVfiMaskPad *pad, GQuark domain, int code, char *text)
{
  g_autoptr (GstElement) element = gst_pad_get_parent_element (GST_PAD (pad));
  if (element)
    gst_element_message_full (element, GST_MESSAGE_ERROR, domain, code, text, NULL, __FILE__, G_STRFUNC, __LINE__);
  else
    g_free (text);
}

static GstVfiMask *
to_mask (GstVfiMaskPad *pad, GstBuffer *buffer)
{
  GstVideoFrame frame;
  if (!gst_video_frame_map (&frame, &pad->info, buffer, GST_MAP_READ)) {
    fail (pad, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, g_strdup ("A mask is no picture of its caps."));
    return NULL;
  }
  GstVfiMask *m = gst_vfi_mask_new (pad->info.width, pad->info.height);
  if (m)
    gst_vfi_mask_from_grey (m, &frame);
  else
    fail (pad, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, g_strdup ("There is no memory for a mask."));
  gst_video_frame_unmap (&frame);
  return m;
}

/* How many masks the frames are not yet at. With the lock held. */
static guint
ahead (GstVfiMaskPad *pad)
{
  const GstVfiMask *first = g_queue_peek_head (&pad->masks);
  return pad->masks.length - (first && first->start <= pad->wanted);
}

static GstFlowReturn
chain (GstPad *parent_pad, GstObject *parent, GstBuffer *buffer)
{
  GstVfiMaskPad *pad = GST_VFI_MASK_PAD (parent_pad);
  g_autoptr (GstBuffer) owned = buffer;
  const int num = pad->info.fps_n, den = pad->info.fps_d;
  GstClockTime start, end, duration = GST_BUFFER_DURATION (buffer);

  if (GST_VIDEO_INFO_FORMAT (&pad->info) == GST_VIDEO_FORMAT_UNKNOWN)
    return GST_FLOW_NOT_NEGOTIATED;
  if (!GST_CLOCK_TIME_IS_VALID (duration) && num > 0)
    duration = gst_util_uint64_scale_int (GST_SECOND, den, num);
  const gboolean timed = GST_BUFFER_PTS_IS_VALID (buffer);
  if (!gst_vfi_running_span (&pad->segment, GST_BUFFER_PTS (buffer), duration, &start, &end) && timed)
    return GST_FLOW_OK; /* outside of the segment */
  GstVfiMask *m = to_mask (pad, buffer);
  if (!m)
    return GST_FLOW_ERROR;

  g_mutex_lock (&pad->lock);
  const GstVfiMask *last = g_queue_peek_tail (&pad->masks);
  m->start = timed ? start : pad->known; /* follows the one before */
  m->end = end;
  if (last && last->start > m->start) {
    GST_DEBUG_OBJECT (pad, "masks go back in time: those before are forgotten");
    g_queue_clear_full (&pad->masks, (GDestroyNotify) gst_vfi_mask_unref);
    pad->known = 0;
  }
  while (!GST_PAD_IS_FLUSHING (pad) && ahead (pad) >= AHEAD)
    g_cond_wait (&pad->changed, &pad->lock);
  const gboolean flushing = GST_PAD_IS_FLUSHING (pad);
  if (flushing)
    gst_vfi_mask_unref (m);
  else {
    GST_LOG_OBJECT (pad, "%" GST_TIME_FORMAT " to %" GST_TIME_FORMAT, GST_TIME_ARGS (m->start), GST_TIME_ARGS (m->end));
    g_queue_push_tail (&pad->masks, m);
    pad->known = MAX (pad->known, GST_CLOCK_TIME_IS_VALID (m->end) ? m->end : m->start + ROUNDING + 1);
    drop_old (pad);
  }
  g_mutex_unlock (&pad->lock);
  return flushing ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

/* ---- events and queries ------------------------------------------------------------------------- */

static gboolean
take_caps (GstVfiMaskPad *pad, GstEvent *event)
{
  GstCaps *caps;
  GstVideoInfo info;
  gst_event_parse_caps (event, &caps);
  if (gst_video_info_from_caps (&info, caps) && GST_VIDEO_INFO_FORMAT (&info) == GST_VIDEO_FORMAT_GRAY8) {
    pad->info = info;
    return TRUE;
  }
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const char *name = gst_structure_get_name (s), *format = gst_structure_get_string (s, "format");
  const gboolean raw = g_str_equal (name, "video/x-raw"), coded = g_str_has_prefix (name, "video/") || g_str_has_prefix (name, "image/");
  gst_video_info_init (&pad->info);
  fail (pad, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
        g_strdup_printf ("Masks must be GRAY8, but what comes to the pad \"mask\" is %s%s", raw && format ? format : name,
                         raw     ? ". Put in front of it: ... ! " TO_GREY " ! ..."
                         : coded ? ". Put in front of it: ... ! decodebin ! " TO_GREY " ! ..."
                                 : ", and no video: link a stream of masks to it."));
  return FALSE;
}

static void
take_segment (GstVfiMaskPad *pad, GstEvent *event)
{
  gst_event_copy_segment (event, &pad->segment);
  g_mutex_lock (&pad->lock);
  pad->eos = FALSE;
  if (pad->segment.format == GST_FORMAT_TIME)
    pad->known = MAX (pad->known, pad->segment.base);
  g_cond_broadcast (&pad->changed);
  g_mutex_unlock (&pad->lock);
}

static void
take_gap (GstVfiMaskPad *pad, GstEvent *event)
{
  GstClockTime pts, duration, start, end;
  gst_event_parse_gap (event, &pts, &duration);
  if (!gst_vfi_running_span (&pad->segment, pts, duration, &start, &end))
    return;
  g_mutex_lock (&pad->lock);
  pad->known = MAX (pad->known, GST_CLOCK_TIME_IS_VALID (end) ? end : start);
  g_cond_broadcast (&pad->changed);
  g_mutex_unlock (&pad->lock);
}

static gboolean
take_event (GstPad *parent_pad, GstObject *parent, GstEvent *event)
{
  GstVfiMaskPad *pad = GST_VFI_MASK_PAD (parent_pad);
  gboolean ok = TRUE;
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      ok = take_caps (pad, event);
      break;
    case GST_EVENT_SEGMENT:
      take_segment (pad, event);
      break;
    case GST_EVENT_GAP:
      take_gap (pad, event);
      break;
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_EOS:
      g_mutex_lock (&pad->lock);
      pad->eos = GST_EVENT_TYPE (event) != GST_EVENT_STREAM_START;
      g_cond_broadcast (&pad->changed);
      g_mutex_unlock (&pad->lock);
      break;
    case GST_EVENT_FLUSH_START: /* the pad flushes already */
      g_mutex_lock (&pad->lock);
      g_cond_broadcast (&pad->changed);
      g_mutex_unlock (&pad->lock);
      break;
    case GST_EVENT_FLUSH_STOP:
      g_mutex_lock (&pad->lock);
      forget (pad);
      g_mutex_unlock (&pad->lock);
      break;
    default: /* not for anybody downstream */
      break;
  }
  gst_event_unref (event);
  return ok;
}

static gboolean
answer_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS: {
      GstCaps *filter;
      g_autoptr (GstCaps) caps = gst_pad_get_pad_template_caps (pad);
      gst_query_parse_caps (query, &filter);
      if (filter) {
        g_autoptr (GstCaps) all = g_steal_pointer (&caps);
        caps = gst_caps_intersect_full (filter, all, GST_CAPS_INTERSECT_FIRST);
      }
      gst_query_set_caps_result (query, caps);
      return TRUE;
    }
    case GST_QUERY_ACCEPT_CAPS: /* others come with the caps, and are refused with an error that says what to do */
      gst_query_set_accept_caps_result (query, TRUE);
      return TRUE;
    case GST_QUERY_ALLOCATION:
      gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
      return TRUE;
    case GST_QUERY_DRAIN: /* masks are copied */
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/* Of the answer to a LATENCY query: see gst_vfi_mask_pad_answer. */
static GstClockTime
wait_for_later (GstVfiMaskPad *pad, GstQuery *query, GstClockTime grace)
{
  g_autoptr (GstQuery) masks = gst_query_new_latency ();
  GstClockTime min, max, mask_min, mask_max;
  gboolean live, mask_live;

  gst_query_parse_latency (query, &live, &min, &max);
  if (!pad || !gst_pad_peer_query (GST_PAD (pad), masks))
    return live ? min + grace : GST_CLOCK_TIME_NONE;
  gst_query_parse_latency (masks, &mask_live, &mask_min, &mask_max);
  if (mask_live) {
    min = live ? MAX (min, mask_min) : mask_min;
    max = live ? MIN (max, mask_max) : mask_max; /* none is the largest number */
    live = TRUE;
  }
  if (!live)
    return GST_CLOCK_TIME_NONE;
  min += grace;
  if (min > max)
    GST_WARNING_OBJECT (pad, "frames and masks cannot wait for each other: put a queue in front of each pad");
  gst_query_set_latency (query, live, min, max);
  return min;
}

static void
set_patience (GstVfiMaskPad *pad, GstClockTime patience)
{
  g_mutex_lock (&pad->lock);
  pad->patience = patience;
  g_cond_broadcast (&pad->changed);
  g_mutex_unlock (&pad->lock);
}

GstClockTime
gst_vfi_mask_pad_answer (GstVfiMaskPad *pad, GstQuery *query, GstClockTime grace)
{
  const GstClockTime patience = wait_for_later (pad, query, grace);
  if (pad)
    set_patience (pad, patience);
  return patience;
}

/* ---- object ------------------------------------------------------------------------------------- */

static gboolean
activate_mode (GstPad *parent_pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstVfiMaskPad *pad = GST_VFI_MASK_PAD (parent_pad);
  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  g_mutex_lock (&pad->lock);
  if (active) {
    forget (pad);
    pad->unlocked = FALSE;
    pad->wanted = 0;
    pad->patience = GST_CLOCK_TIME_NONE;
  }
  g_cond_broadcast (&pad->changed);
  g_mutex_unlock (&pad->lock);
  return TRUE;
}

static void
gst_vfi_mask_pad_unlinked (GstPad *parent_pad, GstPad *peer)
{
  GstVfiMaskPad *pad = GST_VFI_MASK_PAD (parent_pad);
  g_mutex_lock (&pad->lock);
  g_cond_broadcast (&pad->changed);
  g_mutex_unlock (&pad->lock);
}

static void
gst_vfi_mask_pad_finalize (GObject *object)
{
  GstVfiMaskPad *pad = GST_VFI_MASK_PAD (object);
  forget (pad);
  g_clear_pointer (&pad->last, gst_vfi_mask_unref);
  g_mutex_clear (&pad->lock);
  g_cond_clear (&pad->changed);
  G_OBJECT_CLASS (gst_vfi_mask_pad_parent_class)->finalize (object);
}

/* A pad takes functions only once it has its direction. */
static void
gst_vfi_mask_pad_constructed (GObject *object)
{
  G_OBJECT_CLASS (gst_vfi_mask_pad_parent_class)->constructed (object);
  gst_pad_set_chain_function (GST_PAD (object), chain);
  gst_pad_set_event_function (GST_PAD (object), take_event);
  gst_pad_set_query_function (GST_PAD (object), answer_query);
  gst_pad_set_activatemode_function (GST_PAD (object), activate_mode);
}

static void
gst_vfi_mask_pad_init (GstVfiMaskPad *pad)
{
  g_mutex_init (&pad->lock);
  g_cond_init (&pad->changed);
  gst_video_info_init (&pad->info);
  gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
}

static void
gst_vfi_mask_pad_class_init (GstVfiMaskPadClass *klass)
{
  G_OBJECT_CLASS (klass)->constructed = gst_vfi_mask_pad_constructed;
  G_OBJECT_CLASS (klass)->finalize = gst_vfi_mask_pad_finalize;
  GST_PAD_CLASS (klass)->unlinked = gst_vfi_mask_pad_unlinked;
  gst_type_mark_as_plugin_api (GST_TYPE_VFI_MASK_PAD, 0);
}

GstPadTemplate *
gst_vfi_mask_pad_template (void)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (GST_VIDEO_CAPS_MAKE ("GRAY8"));
  return gst_pad_template_new_with_gtype ("mask", GST_PAD_SINK, GST_PAD_REQUEST, caps, GST_TYPE_VFI_MASK_PAD);
}

/* ---- of an element ------------------------------------------------------------------------------ */

GstVfiMaskPad *
gst_vfi_mask_pad_of (GstElement *element, GstVfiMaskPad **slot)
{
  GST_OBJECT_LOCK (element);
  GstVfiMaskPad *pad = *slot ? gst_object_ref (*slot) : NULL;
  GST_OBJECT_UNLOCK (element);
  return pad;
}

GstPad *
gst_vfi_mask_pad_request (GstElement *element, GstPadTemplate *template, GstClockTime patience, GstVfiMaskPad **slot)
{
  GstVfiMaskPad *pad = NULL;
  GST_OBJECT_LOCK (element);
  if (!*slot)
    pad = *slot =
        gst_object_ref_sink (g_object_new (GST_TYPE_VFI_MASK_PAD, "name", "mask", "direction", GST_PAD_SINK, "template", template, NULL));
  const gboolean runs = MAX (GST_STATE (element), GST_STATE_NEXT (element)) > GST_STATE_READY;
  GST_OBJECT_UNLOCK (element);
  if (!pad) {
    g_warning ("%s has its mask pad already", GST_OBJECT_NAME (element));
    return NULL;
  }
  if (runs) {
    gst_pad_set_active (GST_PAD (pad), TRUE);
    set_patience (pad, patience);
  }
  gst_element_add_pad (element, GST_PAD (pad));
  gst_element_post_message (element, gst_message_new_latency (GST_OBJECT (element)));
  return GST_PAD (pad);
}

void
gst_vfi_mask_pad_release (GstElement *element, GstPad *pad, GstVfiMaskPad **slot)
{
  GstVfiMaskPad *ours = NULL;
  GST_OBJECT_LOCK (element);
  if (GST_PAD (*slot) == pad)
    ours = g_steal_pointer (slot);
  GST_OBJECT_UNLOCK (element);
  if (!ours)
    return;
  g_mutex_lock (&ours->lock);
  ours->retired = TRUE; /* no more masks will come for a frame that still waits */
  g_cond_broadcast (&ours->changed);
  g_mutex_unlock (&ours->lock);
  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (element, pad);
  gst_object_unref (ours);
  gst_element_post_message (element, gst_message_new_latency (GST_OBJECT (element)));
}
