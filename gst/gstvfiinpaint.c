/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiinpaint: see gstvfiinpaint.h. The mask source and the mask pad say what is to be removed from a frame, the queue removes it and says which
 * frame leaves when.
 */
#include "gstvfiinpaint.h"

#include "inpaintqueue.h"
#include "masksource.h"
#include "pace.h"
#include "picture.h"
#include "timeline.h"

GST_DEBUG_CATEGORY_STATIC (vfi_inpaint_debug);
#define GST_CAT_DEFAULT vfi_inpaint_debug

#define JUMP (1 * GST_SECOND) /* of time stamps, from which on what was seen before counts as another place */

struct _GstVfiInpaint
{
  GstVfiBase parent;

  /* Properties; they change only in READY, but for those below. */
  guint history, lookahead;
  double flow_scale;
  guint dilate; /* in PLAYING, too: object lock */
  double feather, scene_threshold;
  gboolean invert;
  GstVfiMaskSource source; /* and more properties */

  GstVfiMaskPad *pad; /* object lock */

  /* Streaming thread. */
  GstVfiInpaintQueue queue;
  GstSegment segment;
  GstClockTime newest, due; /* running time of the newest frame, and its end */
  GstClockTime spent;       /* on frames since one left */

  GstVfiPace pace;       /* object lock, as all below */
  gboolean asked;        /* for latency, and answered */
  GstClockTime patience; /* how long after its running time a frame waits for its mask: of pads that are requested */
  GstVfiInpaintTally tally;
};

G_DEFINE_FINAL_TYPE (GstVfiInpaint, gst_vfi_inpaint, GST_TYPE_VFI_BASE)
#define PARENT GST_BASE_TRANSFORM_CLASS (gst_vfi_inpaint_parent_class)

GST_VFI_ENUM ("GstVfiInpaintMaskSource", mask_source_type,
              { GST_VFI_FROM_AUTO, "The first there is: pad, mask-location, mask-rects, roi", "auto" },
              { GST_VFI_FROM_PAD, "The stream of masks at the pad \"mask\"", "pad" },
              { GST_VFI_FROM_LOCATION, "The picture of mask-location", "location" },
              { GST_VFI_FROM_RECTS, "The rectangles of mask-rects", "rects" },
              { GST_VFI_FROM_ALPHA, "What is transparent in the frame; opaque when it leaves", "alpha" },
              { GST_VFI_FROM_ROI, "GstVideoRegionOfInterestMeta on the frame, of roi-type", "roi" },
              { GST_VFI_FROM_ANALYTICS, "Objects of roi-type in GstAnalyticsRelationMeta (GStreamer 1.24)", "analytics" })

static guint
gst_vfi_inpaint_held (GstVfiBase *base)
{
  return GST_VFI_INPAINT (base)->lookahead + 1;
}

static GstVfiMaskPad *
mask_pad (GstVfiInpaint *self)
{
  return gst_vfi_mask_pad_of (GST_ELEMENT (self), &self->pad);
}

/* Lets no frame wait for its mask, or lets them wait again. */
static void
unlock (GstVfiInpaint *self, gboolean unlock)
{
  g_autoptr (GstVfiMaskPad) pad = mask_pad (self);
  if (pad)
    gst_vfi_mask_pad_unlock (pad, unlock);
}

/* ---- one frame leaves --------------------------------------------------------------------------- */

/* In one step, so that whoever asks meanwhile sees a frame counted everywhere or nowhere. */
static void
count (GstVfiInpaint *self, gboolean masked)
{
  GST_OBJECT_LOCK (self);
  self->tally.out++;
  if (masked)
    gst_vfi_inpaint_tally_add (&self->tally, self->queue.session, self->spent);
  GST_OBJECT_UNLOCK (self);
  if (masked)
    gst_vfi_pace_measure (&self->pace, GST_BASE_TRANSFORM (self), self->spent);
  self->spent = 0;
}

/* Writes the next frame, from which something is removed. */
static GstFlowReturn
gst_vfi_inpaint_transform (GstBaseTransform *trans, GstBuffer *in, GstBuffer *out)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (trans);
  const GstVfiInpaintEntry *e = gst_vfi_inpaint_queue_next (&self->queue);
  GstVideoFrame map;
  VfiFrame dst;
  GError *error = NULL;

  if (!gst_vfi_base_map (GST_VFI_BASE (self), &map, out, GST_MAP_READWRITE, &dst)) {
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("An output buffer cannot be written to."), (NULL));
    return GST_FLOW_ERROR;
  }
  const gint64 start = g_get_monotonic_time ();
  const gboolean ok = gst_vfi_inpaint_queue_pull (&self->queue, &dst, &error);
  if (ok && self->source.kind == GST_VFI_FROM_ALPHA)
    gst_vfi_mask_make_opaque (e->mask, self->queue.options.invert, &map);
  self->spent += (g_get_monotonic_time () - start) * GST_USECOND;
  gst_video_frame_unmap (&map);
  if (!ok) {
    gst_vfi_base_fail (GST_VFI_BASE (self), error);
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_vfi_inpaint_generate_output (GstBaseTransform *trans, GstBuffer **out)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (trans);
  const GstVfiInpaintEntry *e = gst_vfi_inpaint_queue_next (&self->queue);
  GError *error = NULL;

  *out = NULL;
  if (!e)
    return GST_FLOW_OK;
  if (e->mask) {
    const GstFlowReturn ret = gst_vfi_base_synthesize (GST_VFI_BASE (self), e->buffer, out);
    if (ret != GST_FLOW_OK)
      return ret;
    GST_BUFFER_FLAG_SET (*out, GST_BUFFER_FLAGS (e->buffer) & (GST_VFI_FLAGS_SINGLE | GST_BUFFER_FLAG_CORRUPTED));
  } else if (gst_vfi_inpaint_queue_pull (&self->queue, NULL, &error)) {
    *out = gst_buffer_ref (e->buffer);
  } else {
    gst_vfi_base_fail (GST_VFI_BASE (self), error);
    return GST_FLOW_ERROR;
  }
  count (self, e->mask != NULL);
  gst_vfi_inpaint_queue_pop (&self->queue);
  return GST_FLOW_OK;
}

/* ---- frames come -------------------------------------------------------------------------------- */

/* Lets all frames leave that came. */
static GstFlowReturn
drain (GstVfiInpaint *self)
{
  gst_vfi_inpaint_queue_end (&self->queue);
  const GstFlowReturn ret = gst_vfi_base_push_all (GST_VFI_BASE (self));
  if (ret != GST_FLOW_OK)
    gst_vfi_inpaint_queue_clear (&self->queue);
  return ret;
}

/* What comes has nothing to do with what came. */
static GstFlowReturn
begin_anew (GstVfiInpaint *self)
{
  const GstFlowReturn ret = drain (self);
  gst_vfi_inpaint_queue_clear (&self->queue);
  self->newest = self->due = GST_CLOCK_TIME_NONE;
  return ret;
}

static gboolean
update_options (GstVfiInpaint *self, GError **error)
{
  GST_OBJECT_LOCK (self);
  const VfiInpaintOptions now = { .history = self->history,
                                  .lookahead = self->lookahead,
                                  .dilate = self->dilate,
                                  .feather = self->feather,
                                  .invert = self->invert,
                                  .scene_threshold = MAX (self->scene_threshold, 1e-9) }; /* 0 would be the default */
  GST_OBJECT_UNLOCK (self);
  return gst_vfi_inpaint_queue_set_options (&self->queue, &now, error);
}

/* Sinks are asked for latency when they have got a frame, but the first one may wait for its mask before. */
static void
ask_first (GstVfiInpaint *self)
{
  GST_OBJECT_LOCK (self);
  const gboolean asked = self->asked;
  GST_OBJECT_UNLOCK (self);
  if (asked)
    return;
  g_autoptr (GstQuery) latency = gst_query_new_latency ();
  gst_pad_query (GST_BASE_TRANSFORM_SRC_PAD (self), latency);
}

/* The mask of a frame, NULL if nothing is to be removed from it; waits for it where it comes as a stream. */
static GstFlowReturn
find_mask (GstVfiInpaint *self, GstBuffer *in, const GstVideoFrame *frame, GstVfiMask **mask)
{
  g_autoptr (GstVfiMaskPad) pad = mask_pad (self);
  const GstClockTime time = GST_CLOCK_TIME_IS_VALID (self->newest) ? self->newest : 0;
  if (pad)
    ask_first (self);
  const GstFlowReturn ret = gst_vfi_mask_source_find (&self->source, GST_OBJECT (self), pad, time, in, frame, mask);
  if (ret == GST_FLOW_ERROR)
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("There is no memory for a mask."), (NULL));
  if (ret == GST_FLOW_OK && *mask && !gst_vfi_mask_removes (*mask, self->queue.options.invert))
    g_clear_pointer (mask, gst_vfi_mask_unref);
  return ret;
}

/* Notes when a frame is shown, and begins anew if that is elsewhere than where the one before was. */
static GstFlowReturn
place (GstVfiInpaint *self, GstBuffer *in)
{
  const GstClockTime newest = self->newest, due = self->due;
  GstClockTime start, end;
  GstFlowReturn ret = GST_FLOW_OK;
  if (!gst_vfi_running_span (&self->segment, GST_BUFFER_PTS (in),
                             GST_BUFFER_DURATION_IS_VALID (in) ? GST_BUFFER_DURATION (in) : gst_vfi_base_period (GST_VFI_BASE (self)),
                             &start, &end))
    return ret; /* nothing is known of it */
  if (GST_CLOCK_TIME_IS_VALID (newest) && (start < newest || start > due + JUMP)) {
    GST_DEBUG_OBJECT (self, "from %" GST_TIME_FORMAT " to %" GST_TIME_FORMAT ": all is forgotten", GST_TIME_ARGS (newest),
                      GST_TIME_ARGS (start));
    ret = begin_anew (self);
  }
  self->newest = start;
  self->due = end;
  return ret;
}

static GstFlowReturn
gst_vfi_inpaint_submit_input_buffer (GstBaseTransform *trans, gboolean discont, GstBuffer *in)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (trans);
  g_autoptr (GstBuffer) owned = in;
  g_autoptr (GstVfiMask) mask = NULL;
  GstFlowReturn ret;
  GError *error = NULL;
  GstVideoFrame map;
  VfiFrame frame;

  if (!gst_base_transform_reconfigure (trans) || !self->queue.session)
    return GST_PAD_IS_FLUSHING (GST_BASE_TRANSFORM_SRC_PAD (trans)) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  if ((ret = place (self, in)) != GST_FLOW_OK)
    return ret;
  if (!gst_vfi_base_map (GST_VFI_BASE (self), &map, in, GST_MAP_READ | GST_VIDEO_FRAME_MAP_FLAG_NO_REF, &frame)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("An input buffer is no frame of its caps."), (NULL));
    return GST_FLOW_ERROR;
  }
  gboolean ok = update_options (self, &error);
  if (ok && (ret = find_mask (self, in, &map, &mask)) == GST_FLOW_OK) {
    const gint64 start = g_get_monotonic_time ();
    ok = gst_vfi_inpaint_queue_push (&self->queue, in, &frame, mask, &error);
    self->spent += (g_get_monotonic_time () - start) * GST_USECOND;
  }
  gst_video_frame_unmap (&map);
  if (!ok) {
    gst_vfi_base_fail (GST_VFI_BASE (self), error);
    return GST_FLOW_ERROR;
  }
  GST_OBJECT_LOCK (self);
  self->tally.in += ret == GST_FLOW_OK;
  GST_OBJECT_UNLOCK (self);
  return ret;
}

/* ---- caps, events, queries ---------------------------------------------------------------------- */

static gboolean
gst_vfi_inpaint_set_info (GstVfiBase *base, const GstVideoInfo *in, const GstVideoInfo *out)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (base);
  const VfiFrameInfo frame = gst_vfi_frame_info (in);
  g_autoptr (GstVfiMaskPad) pad = mask_pad (self);
  const gboolean first = !self->queue.session, same = !first && memcmp (&frame, &self->queue.info, sizeof frame) == 0;
  VfiOptions options;
  VfiInpaintInfo used;
  GError *error = NULL;

  /* Caps of another rate, or the same ones because somebody downstream has asked, are no reason to forget. */
  if (!same) {
    begin_anew (self);
    /* Once it runs, the pad may come and go. */
    if (!gst_vfi_mask_source_setup (&self->source, in, pad || !first, &error) || !update_options (self, &error))
      return gst_vfi_base_fail (base, error);
    gst_vfi_base_options (base, &options);
    options.flow_scale = self->flow_scale;
    const gboolean ok = gst_vfi_inpaint_queue_setup (&self->queue, &frame, &options, &error);
    gst_vfi_options_clear (&options);
    if (!ok)
      return gst_vfi_base_fail (base, error);
    vfi_inpaint_get_info (self->queue.session, &used);
    gst_vfi_base_announce (base, &used.flow);
    GST_OBJECT_LOCK (self);
    g_free (self->tally.model);
    self->tally.model = g_strdup (used.model);
    GST_OBJECT_UNLOCK (self);
  }
  if (first) /* nothing is measured yet */
    gst_vfi_pace_guess (&self->pace, GST_BASE_TRANSFORM (self), gst_vfi_period (in) / 2);
  gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
  return TRUE;
}

static gboolean
gst_vfi_inpaint_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (trans);
  g_autoptr (GstVfiMaskPad) pad = mask_pad (self);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_GAP:
    case GST_EVENT_EOS:
      drain (self);
      if (GST_EVENT_TYPE (event) == GST_EVENT_GAP && pad) {
        GstClockTime pts, duration, start, end;
        gst_event_parse_gap (event, &pts, &duration);
        if (gst_vfi_running_span (&self->segment, pts, duration, &start, &end)) /* masks of where there are no frames shall not wait */
          gst_vfi_mask_pad_advance (pad, GST_CLOCK_TIME_IS_VALID (end) ? end : start);
      }
      if (GST_EVENT_TYPE (event) != GST_EVENT_EOS)
        break;
      if (pad)
        gst_vfi_mask_pad_advance (pad, GST_CLOCK_TIME_NONE); /* the rest of the masks shall not wait */
      g_object_notify (G_OBJECT (self), "stats");            /* gst-launch-1.0 -v prints it */
      break;
    case GST_EVENT_SEGMENT: {
      const GstSegment *segment;
      gst_event_parse_segment (event, &segment);
      if (!gst_segment_is_equal (segment, &self->segment)) {
        begin_anew (self);
        self->segment = *segment;
      }
      break;
    }
    case GST_EVENT_FLUSH_START:
      unlock (self, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_vfi_inpaint_queue_clear (&self->queue);
      self->newest = self->due = GST_CLOCK_TIME_NONE;
      gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
      gst_vfi_pace_reset (&self->pace, trans);
      unlock (self, FALSE);
      break;
    default:
      break;
  }
  return PARENT->sink_event (trans, event);
}

static gboolean
gst_vfi_inpaint_src_event (GstBaseTransform *trans, GstEvent *event)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (trans);
  g_autoptr (GstVfiMaskPad) pad = mask_pad (self);
  gst_vfi_pace_event (&self->pace, trans, event);
  const gboolean seek = GST_EVENT_TYPE (event) == GST_EVENT_SEEK;
  if (!pad || (!seek && GST_EVENT_TYPE (event) != GST_EVENT_LATENCY))
    return PARENT->src_event (trans, event);
  /* Masks keep step with frames. */
  if (seek)
    gst_vfi_mask_pad_hold (pad, TRUE);
  gst_pad_push_event (GST_PAD (pad), gst_event_ref (event));
  const gboolean ok = PARENT->src_event (trans, event);
  if (seek)
    gst_vfi_mask_pad_hold (pad, FALSE);
  return ok;
}

static gboolean
gst_vfi_inpaint_query (GstBaseTransform *trans, GstPadDirection direction, GstQuery *query)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (trans);
  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN)
    drain (self);
  if (!PARENT->query (trans, direction, query))
    return FALSE;
  if (direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    g_autoptr (GstVfiMaskPad) pad = mask_pad (self);
    const GstClockTime patience = gst_vfi_mask_pad_answer (pad, query, gst_vfi_base_period (GST_VFI_BASE (self)) / 2);
    GST_OBJECT_LOCK (self);
    self->asked = TRUE;
    self->patience = patience;
    GST_OBJECT_UNLOCK (self);
    gst_vfi_pace_answer (&self->pace, trans, query, self->lookahead * gst_vfi_base_period (GST_VFI_BASE (self)));
  }
  return TRUE;
}

/* Whatever belongs to a frame stays with it: it is the same one. */
static gboolean
gst_vfi_inpaint_transform_meta (GstBaseTransform *trans, GstBuffer *out, GstMeta *meta, GstBuffer *in)
{
  return TRUE;
}

/* ---- the mask pad, states ----------------------------------------------------------------------- */

static GstPad *
gst_vfi_inpaint_request_new_pad (GstElement *element, GstPadTemplate *template, const char *name, const GstCaps *caps)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (element);
  GST_OBJECT_LOCK (self);
  const GstClockTime patience = self->patience;
  GST_OBJECT_UNLOCK (self);
  return gst_vfi_mask_pad_request (element, template, patience, &self->pad);
}

static void
gst_vfi_inpaint_release_pad (GstElement *element, GstPad *pad)
{
  gst_vfi_mask_pad_release (element, pad, &GST_VFI_INPAINT (element)->pad);
}

static GstStateChangeReturn
gst_vfi_inpaint_change_state (GstElement *element, GstStateChange change)
{
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY)
    unlock (GST_VFI_INPAINT (element), TRUE); /* the sink pad cannot be closed while a frame waits */
  return GST_ELEMENT_CLASS (gst_vfi_inpaint_parent_class)->change_state (element, change);
}

/* ---- object ------------------------------------------------------------------------------------- */

static gboolean
gst_vfi_inpaint_start (GstBaseTransform *trans)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (trans);
  GError *error = NULL;
  if (!gst_vfi_mask_source_open (&self->source, GST_OBJECT (self), &error))
    return gst_vfi_base_fail (GST_VFI_BASE (self), error);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->newest = self->due = GST_CLOCK_TIME_NONE;
  self->spent = 0;
  GST_OBJECT_LOCK (self);
  self->asked = FALSE;
  self->patience = GST_CLOCK_TIME_NONE;
  self->tally = (GstVfiInpaintTally){ .model = self->tally.model };
  GST_OBJECT_UNLOCK (self);
  gst_vfi_pace_reset (&self->pace, trans);
  return PARENT->start (trans);
}

static gboolean
gst_vfi_inpaint_stop (GstBaseTransform *trans)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (trans);
  gst_vfi_inpaint_queue_close (&self->queue);
  gst_vfi_mask_source_close (&self->source);
  return PARENT->stop (trans);
}

static void
gst_vfi_inpaint_stats (GstVfiBase *base, GstStructure *s)
{
  gst_vfi_inpaint_tally_tell (&GST_VFI_INPAINT (base)->tally, s);
}

/* Rectangles that cannot be read are no reason to end a stream that runs. */
static void
gst_vfi_inpaint_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  if (g_str_equal (spec->name, "mask-rects")) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GArray) rects = vfi_rects_parse (g_value_get_string (value), &error);
    if (!rects) {
      g_warning ("%s: %s", GST_OBJECT_NAME (object), error->message);
      if (MAX (GST_STATE (object), GST_STATE_NEXT (object)) > GST_STATE_READY) /* what is there has been checked */
        return;
    }
  }
  G_OBJECT_CLASS (gst_vfi_inpaint_parent_class)->set_property (object, id, value, spec);
}

static void
gst_vfi_inpaint_finalize (GObject *object)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (object);
  gst_vfi_mask_source_clear (&self->source);
  g_free (self->tally.model);
  G_OBJECT_CLASS (gst_vfi_inpaint_parent_class)->finalize (object);
}

static void
gst_vfi_inpaint_dispose (GObject *object)
{
  GstVfiInpaint *self = GST_VFI_INPAINT (object);
  gst_clear_object (&self->pad);
  G_OBJECT_CLASS (gst_vfi_inpaint_parent_class)->dispose (object);
}

static void
gst_vfi_inpaint_init (GstVfiInpaint *self)
{
  gst_vfi_pace_init (&self->pace);
  gst_vfi_field_init (G_OBJECT (self));
}

static void
gst_vfi_inpaint_class_init (GstVfiInpaintClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstVfiBaseClass *base_class = GST_VFI_BASE_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS, ready = flags | GST_PARAM_MUTABLE_READY,
                    playing = flags | GST_PARAM_MUTABLE_PLAYING;

  GST_DEBUG_CATEGORY_INIT (vfi_inpaint_debug, "vfiinpaint", 0, "object removal");

#define FIELD(name) offsetof (GstVfiInpaint, name)
  const GstVfiField fields[] = {
    { FIELD (source.kind), g_param_spec_enum ("mask-source", "Mask source", "What says which pixels are to be removed", mask_source_type (),
                                              GST_VFI_FROM_AUTO, ready) },
    { FIELD (source.location),
      g_param_spec_string ("mask-location", "Mask location",
                           "A picture of any size that is laid over the frame: what is bright is removed, or, where it has transparent "
                           "parts, what is opaque",
                           NULL, ready) },
    { FIELD (source.rects),
      g_param_spec_string ("mask-rects", "Mask rectangles", "Rectangles that are removed, in pixels: \"x,y,width,height;x,y,width,height\"",
                           NULL, playing) },
    { FIELD (source.type), g_param_spec_string ("roi-type", "ROI type",
                                                "Which detected regions are removed: their type (\"face\"); unset: all", NULL, playing) },
    { FIELD (invert), g_param_spec_boolean ("invert", "Invert", "What the mask covers is kept, and the rest removed", FALSE, playing) },
    { FIELD (dilate), g_param_spec_uint ("dilate", "Dilate", "Pixels by which the mask grows", 0, 128, 4, playing) },
    { FIELD (feather),
      g_param_spec_double ("feather", "Feather", "Width in pixels of the soft edge outside of the grown mask", 0, 64, 2, playing) },
    { FIELD (history), g_param_spec_uint ("history", "History", "Frames that are remembered: memory grows with it", 1, 256, 32, ready) },
    { FIELD (lookahead),
      g_param_spec_uint ("lookahead", "Look-ahead",
                         "Frames that are waited for, to see what they uncover; each adds its time to the latency", 0, 64, 0, ready) },
    { FIELD (scene_threshold),
      g_param_spec_double ("scene-threshold", "Scene threshold",
                           "How different two frames must be to count as a cut, behind which nothing is remembered; 1: there are no cuts",
                           0, 1, 0.72, playing) },
    { FIELD (flow_scale),
      g_param_spec_double ("flow-scale", "Flow scale", "The size at which motion is worked out: less is faster", 0.25, 1, 1, ready) },
  };
  gst_vfi_base_install (object_class, fields, G_N_ELEMENTS (fields));
  object_class->set_property = gst_vfi_inpaint_set_property;
  object_class->dispose = gst_vfi_inpaint_dispose;
  object_class->finalize = gst_vfi_inpaint_finalize;

  gst_element_class_set_static_metadata (element_class, "Object removal", "Filter/Effect/Video",
                                         "Takes out of the picture what a mask covers, and shows what is behind it", "gst-vfi");
  gst_element_class_add_pad_template (element_class, gst_vfi_mask_pad_template ());

  element_class->request_new_pad = gst_vfi_inpaint_request_new_pad;
  element_class->release_pad = gst_vfi_inpaint_release_pad;
  element_class->change_state = gst_vfi_inpaint_change_state;
  trans_class->start = gst_vfi_inpaint_start;
  trans_class->stop = gst_vfi_inpaint_stop;
  trans_class->transform = gst_vfi_inpaint_transform;
  trans_class->transform_meta = gst_vfi_inpaint_transform_meta;
  trans_class->submit_input_buffer = gst_vfi_inpaint_submit_input_buffer;
  trans_class->generate_output = gst_vfi_inpaint_generate_output;
  trans_class->sink_event = gst_vfi_inpaint_sink_event;
  trans_class->src_event = gst_vfi_inpaint_src_event;
  trans_class->query = gst_vfi_inpaint_query;
  base_class->set_info = gst_vfi_inpaint_set_info;
  base_class->stats = gst_vfi_inpaint_stats;
  base_class->held = gst_vfi_inpaint_held;
}
