/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiinterp: see gstvfiinterp.h. The timeline says what is shown when, the pair makes what lies between two frames, pace says
 * what to give up under load; rate and stretch are frame rates and slow motion as caps, events and queries have them.
 */
#include "gstvfiinterp.h"

#include "rate.h"
#include "stretch.h"
#include "tween.h"

GST_DEBUG_CATEGORY_STATIC (vfi_interp_debug);
#define GST_CAT_DEFAULT vfi_interp_debug

/* vfi_frame_difference up to which a frame repeats the one before: repeats that went through an encoder stay below it (x264 at crf 18 to 35,
 * MPEG-2), new frames of anything that moves do not. */
#define DUPLICATE 0.001

#define MAX_MADE 3 /* one that is late and what is behind it: a real frame, and one where no synthesized one follows */

typedef enum
{
  MODE_RATE,
  MODE_SLOWMO,
  MODE_REPAIR,
} Mode;

struct _GstVfiInterp
{
  GstVfiBase parent;

  /* Properties; they change only in READY. */
  int mode;          /* Mode */
  int multiplier[2]; /* numerator and denominator */
  int replace;       /* duplicates */
  guint max_gap, lookahead;
  GstVfiTween tween; /* and more properties */

  /* Streaming thread. */
  VfiTimeline *timeline;
  GstSegment segment; /* of the input */
  int in_num, in_den, out_num, out_den;
  GstBuffer *passing; /* reverse playback: the frame that goes through */
  GQueue made;        /* buffers and gap events that leave next, but not before tween.late is ready, where that is among them */
  gboolean draining;  /* nothing is late now */
};

G_DEFINE_TYPE (GstVfiInterp, gst_vfi_interp, GST_TYPE_VFI_BASE)
#define PARENT GST_BASE_TRANSFORM_CLASS (gst_vfi_interp_parent_class)

GST_VFI_ENUM ("GstVfiInterpMode", mode_type,
              { MODE_RATE, "Another frame rate: times multiplier, or what the caps downstream ask for", "rate" },
              { MODE_SLOWMO, "The same frame rate, multiplier times as long", "slowmo" },
              { MODE_REPAIR, "The same frame rate; missing, corrupted and (see duplicates) repeated frames are replaced", "repair" })
GST_VFI_ENUM ("GstVfiInterpSceneMode", scene_mode_type, { FALSE, "Repeat the nearest real frame", "repeat" },
              { TRUE, "Blend the two frames", "blend" })
GST_VFI_ENUM ("GstVfiInterpDuplicates", duplicates_type, { FALSE, "They are as real as others", "keep" },
              { TRUE, "Put synthesized frames in their place; waits for the next frame that differs", "replace" })
GST_VFI_ENUM ("GstVfiInterpQosMode", qos_mode_type, { FALSE, "Synthesize every frame, however late", "off" },
              { TRUE, "Cheaper synthesis, then repeats; never drops a real frame", "auto" })
GST_VFI_ENUM ("GstVfiInterpTrajectory", trajectory_type, { FALSE, "Straight from one frame to the next", "linear" },
              { TRUE, "Bent, as what moves gathers speed or turns: by the frame before, and by the one after if lookahead waits for it",
                "quadratic" })

static const int one[2] = { 1, 1 };

static const int *
stretch (GstVfiInterp *self)
{
  return self->mode == MODE_SLOWMO ? self->multiplier : one;
}

/* How many input frames may have to come until one that follows the last can be shown. */
static guint
waits (GstVfiInterp *self)
{
  return (self->mode == MODE_REPAIR || self->replace ? self->max_gap + 1 : 1) + self->lookahead;
}

static guint
gst_vfi_interp_held (GstVfiBase *base)
{
  /* And one that is shown, a pair and those around it, and those that the session has seen before. */
  return waits (GST_VFI_INTERP (base)) + 7 + (gst_vfi_base_carries (base) ? MAX_MADE - 1 : 0);
}

/* ---- caps --------------------------------------------------------------------------------------- */

static GstCaps *
gst_vfi_interp_transform_caps (GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  static const GstVfiRate rate[] = { GST_VFI_RATE_FREE, GST_VFI_RATE_STEADY, GST_VFI_RATE_SAME };
  return gst_vfi_base_strip (GST_VFI_BASE (trans), gst_vfi_rate_transform (rate[GST_VFI_INTERP (trans)->mode], direction, caps), filter);
}

static GstCaps *
gst_vfi_interp_fixate_caps (GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps, GstCaps *othercaps)
{
  GstVfiInterp *self = GST_VFI_INTERP (trans);
  return gst_vfi_rate_fixate (othercaps, caps, self->mode == MODE_RATE ? self->multiplier : one);
}

static void
configure_timeline (GstVfiInterp *self)
{
  const int *by = stretch (self);
  vfi_timeline_configure (self->timeline,
                          &(VfiTimelineConfig){ self->mode == MODE_REPAIR, self->in_num, self->in_den, self->out_num, self->out_den, by[0],
                                                by[1], self->segment.start, self->max_gap, self->lookahead });
}

static GstFlowReturn drain (GstVfiInterp *self);

static gboolean
gst_vfi_interp_set_info (GstVfiBase *base, const GstVideoInfo *in, const GstVideoInfo *out)
{
  GstVfiInterp *self = GST_VFI_INTERP (base);
  drain (self);
  self->in_num = GST_VIDEO_INFO_FPS_N (in);
  self->in_den = GST_VIDEO_INFO_FPS_D (in);
  self->out_num = GST_VIDEO_INFO_FPS_N (out);
  self->out_den = GST_VIDEO_INFO_FPS_D (out);
  configure_timeline (self);
  if (!gst_vfi_tween_setup (&self->tween, base, in))
    return FALSE;
  gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
  return TRUE;
}

/* ---- frames ------------------------------------------------------------------------------------- */

static GstFlowReturn
gst_vfi_interp_transform (GstBaseTransform *trans, GstBuffer *in, GstBuffer *out)
{
  return gst_vfi_tween_write (&GST_VFI_INTERP (trans)->tween, GST_VFI_BASE (trans), out);
}

static void
forget (GstVfiInterp *self)
{
  vfi_timeline_clear (self->timeline);
  gst_vfi_tween_clear (&self->tween);
  g_queue_clear_full (&self->made, (GDestroyNotify) gst_mini_object_unref);
  gst_clear_buffer (&self->passing);
}

/* Makes what is shown at a moment. */
static GstFlowReturn
make (GstVfiInterp *self, const VfiMoment *m)
{
  GstVfiBase *base = GST_VFI_BASE (self);
  GstFlowReturn ret = GST_FLOW_OK;
  GstBuffer *buffer = NULL;

  GST_TRACE_OBJECT (self, "%" GST_TIME_FORMAT " for %" GST_TIME_FORMAT ": kind %d, t %f", GST_TIME_ARGS (m->pts),
                    GST_TIME_ARGS (m->duration), m->kind, m->t);
  if (m->kind == VFI_MOMENT_HOLE)
    g_queue_push_tail (&self->made, gst_event_new_gap (m->pts, m->duration));
  else
    ret = gst_vfi_tween_make (&self->tween, base, m, &buffer);
  if (buffer) {
    gst_vfi_tween_stamp (&self->tween, base, buffer, m->pts, m->duration);
    g_queue_push_tail (&self->made, buffer);
  }
  return ret;
}

static GstFlowReturn
gst_vfi_interp_generate_output (GstBaseTransform *trans, GstBuffer **out)
{
  GstVfiInterp *self = GST_VFI_INTERP (trans);
  GstFlowReturn ret = GST_FLOW_OK;
  VfiMoment m;

  *out = g_steal_pointer (&self->passing);
  while (ret == GST_FLOW_OK && !*out) {
    gpointer next = g_queue_peek_head (&self->made);

    if (next && next != self->tween.late) {
      g_queue_pop_head (&self->made);
      if (GST_IS_EVENT (next))
        gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (trans), next);
      else
        *out = next;
    } else if (self->made.length < MAX_MADE && vfi_timeline_pull (self->timeline, &m))
      ret = make (self, &m);
    else if (self->made.length == MAX_MADE || (next && self->draining))
      ret = gst_vfi_tween_finish (&self->tween, GST_VFI_BASE (self));
    else
      break;
  }
  if (ret == GST_FLOW_ERROR)
    forget (self);
  return ret;
}

/* Shows all that came, up to the end of the last frame. */
static GstFlowReturn
drain (GstVfiInterp *self)
{
  vfi_timeline_end (self->timeline, self->segment.stop);
  self->draining = TRUE;
  GstFlowReturn ret = gst_vfi_base_push_all (GST_VFI_BASE (self));
  self->draining = FALSE;
  forget (self);
  return ret;
}

/* Whether a frame repeats the one before, into *kind. FALSE after an error of the element. */
static gboolean
is_duplicate (GstVfiInterp *self, GstVfiPicture *before, GstVfiPicture *picture, VfiInputKind *kind)
{
  GstVfiBase *base = GST_VFI_BASE (self);
  GError *error = NULL;
  double difference;
  gst_vfi_base_enter (base);
  const gboolean ok = vfi_interp_difference (self->tween.pair.interp, &before->frame, &picture->frame, &difference, &error);
  gst_vfi_base_leave (base);
  if (ok && difference <= DUPLICATE)
    *kind = VFI_INPUT_DUPLICATE;
  return ok || gst_vfi_base_fail (base, error);
}

static GstFlowReturn
gst_vfi_interp_submit_input_buffer (GstBaseTransform *trans, gboolean discont, GstBuffer *in)
{
  GstVfiInterp *self = GST_VFI_INTERP (trans);
  GstVfiBase *base = GST_VFI_BASE (trans);
  const int *by = stretch (self);
  GstFlowReturn ret = GST_FLOW_OK;

  if (!gst_base_transform_reconfigure (trans) || !self->tween.pair.interp) {
    gst_buffer_unref (in);
    return GST_PAD_IS_FLUSHING (GST_BASE_TRANSFORM_SRC_PAD (trans)) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  }
  if ((ret = gst_vfi_base_adopt (base, in)) != GST_FLOW_OK) {
    gst_buffer_unref (in);
    return ret;
  }
  gst_vfi_tween_took (&self->tween, base);
  const GstClockTime newest = vfi_timeline_newest (self->timeline);
  GstClockTime pts = GST_BUFFER_PTS (in);
  if (!GST_CLOCK_TIME_IS_VALID (pts))
    pts = GST_CLOCK_TIME_IS_VALID (newest) ? vfi_timeline_due (self->timeline) : self->segment.start;
  if (self->segment.rate < 0) {
    const GstClockTime end =
        pts + (GST_BUFFER_DURATION_IS_VALID (in) ? GST_BUFFER_DURATION (in) : gst_vfi_base_period (GST_VFI_BASE (self)));
    const GstClockTime from = vfi_stretch (pts, self->segment.start, by[0], by[1]);
    self->passing = gst_buffer_make_writable (in);
    gst_vfi_tween_stamp (&self->tween, base, self->passing, from, vfi_stretch (end, self->segment.start, by[0], by[1]) - from);
    return ret;
  }
  if (GST_CLOCK_TIME_IS_VALID (newest) && pts <= newest)
    ret = drain (self);

  const guint64 duration = GST_BUFFER_DURATION (in);
  VfiInputKind kind = GST_BUFFER_FLAG_IS_SET (in, GST_BUFFER_FLAG_CORRUPTED) ? VFI_INPUT_DAMAGED : VFI_INPUT_GOOD;
  GstVfiPicture *picture = gst_vfi_picture_new (in, base), *reference = vfi_timeline_reference (self->timeline);
  if (!picture) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("An input buffer is no frame of its caps."), (NULL));
    return GST_FLOW_ERROR;
  }
  if (kind == VFI_INPUT_GOOD && self->replace && reference && !is_duplicate (self, reference, picture, &kind)) {
    gst_vfi_picture_unref (picture);
    return GST_FLOW_ERROR;
  }
  vfi_timeline_push (self->timeline, picture, pts, duration, kind);
  return ret;
}

/* ---- events and queries ------------------------------------------------------------------------- */

static gboolean
gst_vfi_interp_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstVfiInterp *self = GST_VFI_INTERP (trans);
  const gboolean pending = GST_CLOCK_TIME_IS_VALID (vfi_timeline_newest (self->timeline));

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_EOS:
      drain (self);
      if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
        g_object_notify (G_OBJECT (self), "stats"); /* gst-launch-1.0 -v prints it */
      break;
    case GST_EVENT_FLUSH_STOP:
      forget (self);
      gst_segment_init (&self->segment, GST_FORMAT_TIME);
      configure_timeline (self);
      gst_vfi_pace_reset (&self->tween.pace, trans);
      break;
    case GST_EVENT_SEGMENT: {
      const GstSegment *segment;
      gst_event_parse_segment (event, &segment);
      if (segment->format != GST_FORMAT_TIME) {
        GST_ELEMENT_ERROR (self, STREAM, FORMAT,
                           ("Time stamps are needed, but this stream counts in %s.", gst_format_get_name (segment->format)), (NULL));
        gst_event_unref (event);
        return FALSE;
      }
      if (!gst_segment_is_equal (segment, &self->segment)) {
        drain (self);
        self->segment = *segment;
        configure_timeline (self);
        if (segment->rate < 0)
          GST_WARNING_OBJECT (self, "playing backwards: real frames pass through, none are synthesized");
      }
      break;
    }
    case GST_EVENT_GAP:
      if (pending) {
        GstClockTime time, duration;
        gst_event_parse_gap (event, &time, &duration);
        vfi_timeline_gap (self->timeline, time + (GST_CLOCK_TIME_IS_VALID (duration) ? duration : 0));
        gst_event_unref (event);
        return gst_vfi_base_push_all (GST_VFI_BASE (self)) == GST_FLOW_OK;
      }
      break;
    default:
      break;
  }
  return PARENT->sink_event (trans, gst_vfi_stretch_downstream (event, &self->segment, stretch (self)));
}

static gboolean
gst_vfi_interp_src_event (GstBaseTransform *trans, GstEvent *event)
{
  GstVfiInterp *self = GST_VFI_INTERP (trans);
  gst_vfi_pace_event (&self->tween.pace, trans, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS) {
    GST_OBJECT_LOCK (self);
    /* Upstream would drop real frames: not before everything else is given up. */
    const gboolean keep = self->tween.qos && self->tween.pace.load.level != VFI_LOAD_SPARE;
    GST_OBJECT_UNLOCK (self);
    if (keep) {
      gst_event_unref (event);
      return TRUE;
    }
  }
  return PARENT->src_event (trans, gst_vfi_stretch_upstream (event, stretch (self)));
}

static gboolean
gst_vfi_interp_query (GstBaseTransform *trans, GstPadDirection direction, GstQuery *query)
{
  GstVfiInterp *self = GST_VFI_INTERP (trans);
  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN)
    drain (self);
  if (!PARENT->query (trans, direction, query))
    return FALSE;
  if (direction == GST_PAD_SRC) {
    gst_vfi_stretch_answer (query, stretch (self));
    if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
      gst_vfi_pace_answer (&self->tween.pace, trans, query, waits (self) * gst_vfi_base_period (GST_VFI_BASE (self)));
  }
  return TRUE;
}

/* ---- object ------------------------------------------------------------------------------------- */

static gboolean
gst_vfi_interp_start (GstBaseTransform *trans)
{
  GstVfiInterp *self = GST_VFI_INTERP (trans);
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  gst_vfi_tween_start (&self->tween, GST_VFI_BASE (self));
  return PARENT->start (trans);
}

static gboolean
gst_vfi_interp_stop (GstBaseTransform *trans)
{
  GstVfiInterp *self = GST_VFI_INTERP (trans);
  forget (self);
  gst_vfi_pair_close (&self->tween.pair);
  return PARENT->stop (trans);
}

static gboolean
gst_vfi_interp_on_device (GstVfiBase *base)
{
  return TRUE;
}

static void
gst_vfi_interp_close (GstVfiBase *base)
{
  drain (GST_VFI_INTERP (base));
  gst_vfi_pair_close (&GST_VFI_INTERP (base)->tween.pair);
}

static void
gst_vfi_interp_stats (GstVfiBase *base, GstStructure *s)
{
  gst_vfi_tween_stats (&GST_VFI_INTERP (base)->tween, s);
}

static void
gst_vfi_interp_finalize (GObject *object)
{
  vfi_timeline_free (GST_VFI_INTERP (object)->timeline);
  G_OBJECT_CLASS (gst_vfi_interp_parent_class)->finalize (object);
}

static void
gst_vfi_interp_init (GstVfiInterp *self)
{
  self->timeline = vfi_timeline_new ((GDestroyNotify) gst_vfi_picture_unref);
  gst_vfi_tween_init (&self->tween);
  gst_vfi_field_init (G_OBJECT (self));
}

static void
gst_vfi_interp_class_init (GstVfiInterpClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstVfiBaseClass *base_class = GST_VFI_BASE_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS, ready = flags | GST_PARAM_MUTABLE_READY,
                    playing = flags | GST_PARAM_MUTABLE_PLAYING;

  GST_DEBUG_CATEGORY_INIT (vfi_interp_debug, "vfiinterp", 0, "frame interpolation");
  object_class->finalize = gst_vfi_interp_finalize;

#define FIELD(name) offsetof (GstVfiInterp, name)
  const GstVfiField fields[] = {
    { FIELD (mode), g_param_spec_enum ("mode", "Mode", "What for", mode_type (), MODE_RATE, ready) },
    { FIELD (multiplier), gst_param_spec_fraction ("multiplier", "Multiplier",
                                                   "How much faster in frames a second (mode=rate, where downstream is free), "
                                                   "or how much slower in motion (mode=slowmo)",
                                                   1, 100, 100, 1, 2, 1, ready) },
    { FIELD (tween.flow_scale),
      g_param_spec_double ("flow-scale", "Flow scale",
                           "The size at which motion is worked out: less is faster, and good enough for large pictures", 0.25, 1, 1,
                           playing) },
    { FIELD (tween.scene_threshold),
      g_param_spec_double ("scene-threshold", "Scene threshold", "How different two frames must be to count as a cut; 1: there are no cuts",
                           0, 1, 0.72, playing) },
    { FIELD (tween.blend),
      g_param_spec_enum ("scene-mode", "Scene mode", "What to show between two scenes", scene_mode_type (), FALSE, playing) },
    { FIELD (tween.quadratic),
      g_param_spec_enum ("trajectory", "Trajectory", "How things move between two frames (of this project's own networks)",
                         trajectory_type (), TRUE, playing) },
    { FIELD (lookahead),
      g_param_spec_uint (
          "lookahead", "Look-ahead",
          "Frames after a pair that are waited for, so that motion goes on smoothly through both; the latency grows by as much", 0, 1, 0,
          ready) },
    { FIELD (replace), g_param_spec_enum ("duplicates", "Duplicates", "What to do with frames that repeat the one before",
                                          duplicates_type (), FALSE, ready) },
    { FIELD (max_gap),
      g_param_spec_uint ("max-gap", "Maximum gap",
                         "How many missing, corrupted or repeated frames in a row are bridged by synthesis, counted at the "
                         "input's frame rate (30 a second if variable). Beyond that corrupted ones become repeats and "
                         "missing ones a gap",
                         0, 1000, 4, ready) },
    { FIELD (tween.qos),
      g_param_spec_enum ("qos-mode", "QoS mode", "What to do when synthesis does not keep up", qos_mode_type (), TRUE, playing) },
  };
  gst_vfi_base_install (object_class, fields, G_N_ELEMENTS (fields));

  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "Frame interpolation", "Filter/Effect/Video",
                                         "Frames between frames: frame rate conversion, slow motion, repair of lost frames", "gst-vfi");

  trans_class->start = gst_vfi_interp_start;
  trans_class->stop = gst_vfi_interp_stop;
  trans_class->transform_caps = gst_vfi_interp_transform_caps;
  trans_class->fixate_caps = gst_vfi_interp_fixate_caps;
  trans_class->transform = gst_vfi_interp_transform;
  trans_class->submit_input_buffer = gst_vfi_interp_submit_input_buffer;
  trans_class->generate_output = gst_vfi_interp_generate_output;
  trans_class->sink_event = gst_vfi_interp_sink_event;
  trans_class->src_event = gst_vfi_interp_src_event;
  trans_class->query = gst_vfi_interp_query;
  base_class->set_info = gst_vfi_interp_set_info;
  base_class->stats = gst_vfi_interp_stats;
  base_class->held = gst_vfi_interp_held;
  gst_vfi_base_class_set_on_device (base_class, gst_vfi_interp_on_device, gst_vfi_interp_close);
}
