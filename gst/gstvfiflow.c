/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiflow: see gstvfiflow.h. The queue says which frame leaves with which flow; here it becomes a meta, a picture, a file.
 */
#include "gstvfiflow.h"

#include "flowdraw.h"
#include "flowfile.h"
#include "flowmeta.h"
#include "flowqueue.h"
#include "pace.h"
#include "timeline.h"

GST_DEBUG_CATEGORY_STATIC (vfi_flow_debug);
#define GST_CAT_DEFAULT vfi_flow_debug

typedef enum
{
  OUTPUT_META,
  OUTPUT_COLOR,
  OUTPUT_ARROWS,
  OUTPUT_MAGNITUDE,
  OUTPUT_WARP_ERROR,
} Output;

struct _GstVfiFlow
{
  GstVfiBase parent;

  /* Properties; they change only in READY, but for those below. */
  int direction; /* GstVfiDirection */
  int output;    /* Output */
  gboolean consistency;
  guint step;
  char *location;
  double scale, max_flow; /* in PLAYING, too: object lock */

  /* Streaming thread. */
  GstVfiFlowQueue queue;
  const GstVfiFlowEntry *drawn; /* by the transform function */
  GstSegment segment;
  GstClockTime newest; /* time stamp of the newest frame, and when the next is due */
  GstClockTime due;

  GstVfiPace pace;                                       /* object lock */
  guint64 in, out, worked, discontinuities, last, total; /* object lock */
};

G_DEFINE_TYPE (GstVfiFlow, gst_vfi_flow, GST_TYPE_VFI_BASE)
#define PARENT GST_BASE_TRANSFORM_CLASS (gst_vfi_flow_parent_class)

GST_VFI_ENUM ("GstVfiFlowDirection", direction_type, { GST_VFI_FORWARD, "To the next frame, which it waits for", "forward" },
              { GST_VFI_BACKWARD, "To the frame before; waits for nothing", "backward" }, { GST_VFI_BOTH, "Both", "both" })
GST_VFI_ENUM ("GstVfiFlowOutput", output_type, { OUTPUT_META, "The frames as they are, with flow as a meta", "meta" },
              { OUTPUT_COLOR, "Middlebury's colour wheel instead of the frames", "color" },
              { OUTPUT_ARROWS, "An arrow every 16 pixels on the darkened frames", "arrows" },
              { OUTPUT_MAGNITUDE, "How fast things move, in grey", "magnitude" },
              { OUTPUT_WARP_ERROR, "Four times the difference to the other frame as flow leads to it", "warp-error" })

/* How many frames have to come until one can leave. */
static guint
waits (GstVfiFlow *self)
{
  return self->direction == GST_VFI_BACKWARD ? 0 : self->step;
}

static guint
gst_vfi_flow_held (GstVfiBase *base)
{
  return GST_VFI_FLOW (base)->step + 2;
}

/* ---- one frame leaves --------------------------------------------------------------------------- */

/* What of an entry's flow is drawn and written: forward where both were asked for. */
static const float *
shown_flow (GstVfiFlow *self, const GstVfiFlowEntry *e)
{
  return self->direction == GST_VFI_BACKWARD ? e->flow.backward : e->flow.forward;
}

static gboolean
write_file (GstVfiFlow *self, const GstVfiFlowEntry *e)
{
  const float *sure = !self->consistency                    ? NULL
                      : self->direction == GST_VFI_BACKWARD ? e->flow.backward_confidence
                                                            : e->flow.forward_confidence;
  g_autoptr (GError) error = NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  g_autofree char *path = g_strdup_printf (self->location, (int) e->number); /* checked when it was set up */
#pragma GCC diagnostic pop
  if (gst_vfi_flow_write (path, e->flow.width, e->flow.height, shown_flow (self, e), sure, &error))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("%s", error->message), (NULL));
  return FALSE;
}

/* A frame as R, G, B, x; to be freed. NULL after an error of the element. */
static guint8 *
to_rgbx (GstVfiFlow *self, const GstVideoFrame *map, const GstVideoInfo *rgbx)
{
  guint8 *pixels = g_try_malloc (GST_VIDEO_INFO_SIZE (rgbx));
  GstVideoFrame to;
  g_autoptr (GstBuffer) buffer =
      pixels ? gst_buffer_new_wrapped_full (0, pixels, GST_VIDEO_INFO_SIZE (rgbx), 0, GST_VIDEO_INFO_SIZE (rgbx), NULL, NULL) : NULL;
  if (!buffer || !gst_video_frame_map (&to, rgbx, buffer, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("There is no memory for a picture."), (NULL));
    g_free (pixels);
    return NULL;
  }
  GstVideoConverter *converter = gst_video_converter_new (&map->info, rgbx, NULL);
  gst_video_converter_frame (converter, map, &to);
  gst_video_converter_free (converter);
  gst_video_frame_unmap (&to);
  return pixels;
}

/* Writes the pixels of the entry that is drawn. */
static GstFlowReturn
gst_vfi_flow_transform (GstBaseTransform *trans, GstBuffer *in, GstBuffer *out)
{
  GstVfiFlow *self = GST_VFI_FLOW (trans);
  const GstVfiFlowEntry *e = self->drawn, *other = NULL;
  const GstVideoInfo *info = gst_vfi_base_info (GST_VFI_BASE (self));
  const int w = GST_VIDEO_INFO_WIDTH (info), h = GST_VIDEO_INFO_HEIGHT (info);
  const float *flow = shown_flow (self, e);
  GstVideoInfo rgbx;
  GstVideoFrame from, to;
  g_autofree guint8 *there = NULL;

  gst_video_info_set_format (&rgbx, GST_VIDEO_FORMAT_RGBx, w, h);
  rgbx.fps_n = info->fps_n; /* a converter insists */
  rgbx.fps_d = info->fps_d;
  const int stride = GST_VIDEO_INFO_PLANE_STRIDE (&rgbx, 0);
  g_autofree guint8 *here = to_rgbx (self, &e->picture->map, &rgbx);
  if (flow && self->output == OUTPUT_WARP_ERROR) {
    other = gst_vfi_flow_queue_partner (&self->queue, e, self->direction == GST_VFI_BACKWARD);
    there = here ? to_rgbx (self, &other->picture->map, &rgbx) : NULL;
  }
  if (!here || (other && !there))
    return GST_FLOW_ERROR;

  GST_OBJECT_LOCK (self);
  float reach = (float) self->max_flow;
  GST_OBJECT_UNLOCK (self);
  if (flow && reach == 0)
    reach = gst_vfi_flow_reach (w, h, flow);
  if (!flow && self->output != OUTPUT_ARROWS)
    memset (here, 0, GST_VIDEO_INFO_SIZE (&rgbx)); /* black: there is none */
  else if (flow && self->output == OUTPUT_COLOR)
    gst_vfi_flow_draw_colour (w, h, flow, reach, here, stride);
  else if (flow && self->output == OUTPUT_MAGNITUDE)
    gst_vfi_flow_draw_magnitude (w, h, flow, reach, here, stride);
  else if (flow && self->output == OUTPUT_ARROWS)
    gst_vfi_flow_draw_arrows (w, h, flow, reach, here, stride);
  else if (flow)
    gst_vfi_flow_draw_error (w, h, flow, here, there, here, stride);

  g_autoptr (GstBuffer) drawn =
      gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, here, GST_VIDEO_INFO_SIZE (&rgbx), 0, GST_VIDEO_INFO_SIZE (&rgbx), NULL, NULL);
  if (!gst_video_frame_map (&from, &rgbx, drawn, GST_MAP_READ))
    return GST_FLOW_ERROR;
  if (!gst_video_frame_map (&to, info, out, GST_MAP_WRITE)) {
    gst_video_frame_unmap (&from);
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("An output buffer cannot be written to."), (NULL));
    return GST_FLOW_ERROR;
  }
  GstVideoConverter *converter = gst_video_converter_new (&rgbx, info, NULL);
  gst_video_converter_frame (converter, &from, &to);
  gst_video_converter_free (converter);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  return GST_FLOW_OK;
}

static GstFlowReturn
leave (GstVfiFlow *self, GstVfiFlowEntry *e, GstBuffer **out)
{
  GstBuffer *in = e->picture->buffer;
  GstFlowReturn ret = GST_FLOW_OK;

  if (self->location && *self->location && shown_flow (self, e) && !write_file (self, e))
    return GST_FLOW_ERROR;
  if (self->output != OUTPUT_META) {
    self->drawn = e;
    ret = gst_vfi_base_synthesize (GST_VFI_BASE (self), in, out);
    self->drawn = NULL;
    if (ret != GST_FLOW_OK)
      return ret;
    GST_BUFFER_FLAG_SET (*out, GST_BUFFER_FLAGS (in) & GST_VFI_FLAGS_SINGLE);
    gst_vfi_flow_meta_add (*out, &e->flow);
  } else if (gst_buffer_is_writable (in)) {
    gst_vfi_flow_meta_add (in, &e->flow);
    *out = gst_vfi_picture_show (e->picture, FALSE);
  } else {
    *out = gst_vfi_picture_show (e->picture, FALSE);
    gst_vfi_flow_meta_add (*out, &e->flow);
  }
  GST_OBJECT_LOCK (self);
  self->out++;
  GST_OBJECT_UNLOCK (self);
  return ret;
}

static GstFlowReturn
gst_vfi_flow_generate_output (GstBaseTransform *trans, GstBuffer **out)
{
  GstVfiFlow *self = GST_VFI_FLOW (trans);
  GstVfiFlowEntry *e = gst_vfi_flow_queue_next (&self->queue);
  *out = NULL;
  return e ? leave (self, e, out) : GST_FLOW_OK;
}

/* ---- frames come -------------------------------------------------------------------------------- */

/* Lets all frames leave that came, and forgets them: what comes has to do with none of them. */
static GstFlowReturn
drain (GstVfiFlow *self)
{
  gst_vfi_flow_queue_end (&self->queue);
  const GstFlowReturn ret = gst_vfi_base_push_all (GST_VFI_BASE (self));
  gst_vfi_flow_queue_clear (&self->queue);
  self->newest = self->due = GST_CLOCK_TIME_NONE;
  return ret;
}

/* Whether a frame does not follow the one before: frames are missing between them, or it belongs elsewhere. */
static gboolean
breaks (GstVfiFlow *self, GstBuffer *in)
{
  const GstClockTime pts = GST_BUFFER_PTS (in);
  const char *why = g_queue_is_empty (&self->queue.entries)                         ? NULL
                    : GST_BUFFER_IS_DISCONT (in)                                    ? "it says so"
                    : !GST_CLOCK_TIME_IS_VALID (pts)                                ? NULL
                    : GST_CLOCK_TIME_IS_VALID (self->newest) && pts <= self->newest ? "it lies before the last one"
                    : GST_CLOCK_TIME_IS_VALID (self->due) && pts > self->due + gst_vfi_base_period (GST_VFI_BASE (self)) / 2
                        ? "frames are missing"
                        : NULL;
  if (why)
    GST_DEBUG_OBJECT (self, "discontinuity at %" GST_TIME_FORMAT ": %s", GST_TIME_ARGS (pts), why);
  return why != NULL;
}

static GstFlowReturn
gst_vfi_flow_submit_input_buffer (GstBaseTransform *trans, gboolean discont, GstBuffer *in)
{
  GstVfiFlow *self = GST_VFI_FLOW (trans);
  GstFlowReturn ret = GST_FLOW_OK;
  GError *error = NULL;
  gboolean worked;

  if (!gst_base_transform_reconfigure (trans) || !self->queue.session) {
    gst_buffer_unref (in);
    return GST_PAD_IS_FLUSHING (GST_BASE_TRANSFORM_SRC_PAD (trans)) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  }
  if ((ret = gst_vfi_base_adopt (GST_VFI_BASE (trans), in)) != GST_FLOW_OK) {
    gst_buffer_unref (in);
    return ret;
  }
  const gboolean broken = breaks (self, in);
  if (broken && (ret = drain (self)) != GST_FLOW_OK) {
    gst_buffer_unref (in);
    return ret;
  }
  self->newest = GST_BUFFER_PTS (in);
  self->due = !GST_CLOCK_TIME_IS_VALID (self->newest) || GST_VIDEO_INFO_FPS_N (gst_vfi_base_info (GST_VFI_BASE (self))) == 0
                  ? GST_CLOCK_TIME_NONE
                  : self->newest + gst_vfi_base_period (GST_VFI_BASE (self));
  GstVfiPicture *picture = gst_vfi_picture_new (in, GST_VFI_BASE (self));
  if (!picture) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("An input buffer is no frame of its caps."), (NULL));
    return GST_FLOW_ERROR;
  }
  GST_OBJECT_LOCK (self);
  const double scale = self->scale;
  GST_OBJECT_UNLOCK (self);
  const gint64 start = g_get_monotonic_time ();
  gst_vfi_base_enter (GST_VFI_BASE (self));
  const gboolean ok = gst_vfi_flow_queue_push (&self->queue, picture, scale, &worked, &error);
  gst_vfi_base_leave (GST_VFI_BASE (self));
  if (!ok) {
    gst_vfi_base_fail (GST_VFI_BASE (self), error);
    return GST_FLOW_ERROR;
  }
  const GstClockTime time = (g_get_monotonic_time () - start) * GST_USECOND;
  GST_OBJECT_LOCK (self);
  self->in++;
  self->discontinuities += broken;
  if (worked) {
    self->worked++;
    self->last = time;
    self->total += time;
  }
  GST_OBJECT_UNLOCK (self);
  if (worked)
    gst_vfi_pace_measure (&self->pace, trans, time);
  return ret;
}

/* ---- caps, events, queries ---------------------------------------------------------------------- */

static gboolean
gst_vfi_flow_set_info (GstVfiBase *base, const GstVideoInfo *in, const GstVideoInfo *out)
{
  GstVfiFlow *self = GST_VFI_FLOW (base);
  const VfiFrameInfo frame = gst_vfi_frame_info (in);
  const gboolean first = !self->queue.session;
  VfiOptions options;
  VfiInterpInfo used;
  GError *error = NULL;

  if (self->location && *self->location && !gst_vfi_flow_pattern_check (self->location, &error)) {
    GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS, ("flow-location: %s", error->message), (NULL));
    g_error_free (error);
    return FALSE;
  }
  drain (self);
  self->queue.direction = self->direction;
  self->queue.check = self->consistency;
  self->queue.step = self->step;
  gst_vfi_base_options (base, &options);
  GST_OBJECT_LOCK (self);
  options.flow_scale = self->scale;
  GST_OBJECT_UNLOCK (self);
  const gboolean ok = gst_vfi_flow_queue_setup (&self->queue, &frame, &options, base, &error);
  gst_vfi_options_clear (&options);
  if (!ok)
    return gst_vfi_base_fail (base, error);
  vfi_flow_get_info (self->queue.session, &used);
  gst_vfi_base_announce (base, &used);
  if (first) /* nothing is measured yet */
    gst_vfi_pace_guess (&self->pace, GST_BASE_TRANSFORM (self), gst_vfi_period (in) / 2);
  gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
  return TRUE;
}

static gboolean
gst_vfi_flow_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstVfiFlow *self = GST_VFI_FLOW (trans);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_GAP:
    case GST_EVENT_EOS:
      drain (self);
      if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
        g_object_notify (G_OBJECT (self), "stats"); /* gst-launch-1.0 -v prints it */
      break;
    case GST_EVENT_SEGMENT: {
      const GstSegment *segment;
      gst_event_parse_segment (event, &segment);
      if (!gst_segment_is_equal (segment, &self->segment)) {
        drain (self);
        self->segment = *segment;
      }
      break;
    }
    case GST_EVENT_FLUSH_STOP:
      gst_vfi_flow_queue_clear (&self->queue);
      gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
      gst_vfi_pace_reset (&self->pace, trans);
      break;
    default:
      break;
  }
  return PARENT->sink_event (trans, event);
}

static gboolean
gst_vfi_flow_src_event (GstBaseTransform *trans, GstEvent *event)
{
  gst_vfi_pace_event (&GST_VFI_FLOW (trans)->pace, trans, event);
  return PARENT->src_event (trans, event);
}

static gboolean
gst_vfi_flow_query (GstBaseTransform *trans, GstPadDirection direction, GstQuery *query)
{
  GstVfiFlow *self = GST_VFI_FLOW (trans);
  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN)
    drain (self);
  if (!PARENT->query (trans, direction, query))
    return FALSE;
  if (direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    gst_vfi_pace_answer (&self->pace, trans, query, waits (self) * gst_vfi_base_period (GST_VFI_BASE (self)));
  return TRUE;
}

/* ---- object ------------------------------------------------------------------------------------- */

static gboolean
gst_vfi_flow_start (GstBaseTransform *trans)
{
  GstVfiFlow *self = GST_VFI_FLOW (trans);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->newest = self->due = GST_CLOCK_TIME_NONE;
  self->queue.number = 0;
  GST_OBJECT_LOCK (self);
  self->in = self->out = self->worked = self->discontinuities = self->last = self->total = 0;
  GST_OBJECT_UNLOCK (self);
  return PARENT->start (trans);
}

static gboolean
gst_vfi_flow_stop (GstBaseTransform *trans)
{
  gst_vfi_flow_queue_close (&GST_VFI_FLOW (trans)->queue);
  return PARENT->stop (trans);
}

/* What is drawn is drawn on the host. */
static gboolean
gst_vfi_flow_on_device (GstVfiBase *base)
{
  return GST_VFI_FLOW (base)->output == OUTPUT_META;
}

static void
gst_vfi_flow_close (GstVfiBase *base)
{
  drain (GST_VFI_FLOW (base));
  gst_vfi_flow_queue_close (&GST_VFI_FLOW (base)->queue);
}

static void
gst_vfi_flow_stats (GstVfiBase *base, GstStructure *s)
{
  GstVfiFlow *self = GST_VFI_FLOW (base);
  gst_structure_set (s, "in", G_TYPE_UINT64, self->in, "out", G_TYPE_UINT64, self->out, "pairs", G_TYPE_UINT64, self->worked,
                     "discontinuities", G_TYPE_UINT64, self->discontinuities, "last-time", G_TYPE_UINT64, self->last, "mean-time",
                     G_TYPE_UINT64, self->total / MAX (self->worked, 1), NULL);
}

static void
gst_vfi_flow_finalize (GObject *object)
{
  g_free (GST_VFI_FLOW (object)->location);
  G_OBJECT_CLASS (gst_vfi_flow_parent_class)->finalize (object);
}

static void
gst_vfi_flow_init (GstVfiFlow *self)
{
  gst_vfi_pace_init (&self->pace);
  gst_vfi_field_init (G_OBJECT (self));
}

static void
gst_vfi_flow_class_init (GstVfiFlowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstVfiBaseClass *base_class = GST_VFI_BASE_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS, ready = flags | GST_PARAM_MUTABLE_READY,
                    playing = flags | GST_PARAM_MUTABLE_PLAYING;

  GST_DEBUG_CATEGORY_INIT (vfi_flow_debug, "vfiflow", 0, "optical flow");
  object_class->finalize = gst_vfi_flow_finalize;

#define FIELD(name) offsetof (GstVfiFlow, name)
  const GstVfiField fields[] = {
    { FIELD (direction), g_param_spec_enum ("direction", "Direction", "Flow to which frame", direction_type (), GST_VFI_FORWARD, ready) },
    { FIELD (output), g_param_spec_enum ("output", "Output", "What leaves; the meta is always there", output_type (), OUTPUT_META, ready) },
    { FIELD (location),
      g_param_spec_string (
          "flow-location", "Flow location",
          "Where to write flow, a pattern for the number of the frame: flow-%05d.flo (Middlebury) or flow-%05d.png (KITTI, "
          "16 bit); forward where both directions are asked for",
          NULL, ready) },
    { FIELD (consistency),
      g_param_spec_boolean ("consistency", "Consistency",
                            "Confidence is where the way there and the way back agree; costs the other direction", FALSE, ready) },
    { FIELD (step), g_param_spec_uint ("step", "Step", "Flow to the frame so many frames away", 1, 32, 1, ready) },
    { FIELD (scale),
      g_param_spec_double ("scale", "Scale", "The size at which motion is worked out: less is faster", 0.25, 1, 1, playing) },
    { FIELD (max_flow), g_param_spec_double ("max-flow", "Maximum flow", "Pixels that are drawn at full strength; 0: each frame's largest",
                                             0, 100000, 0, playing) },
  };
  gst_vfi_base_install (object_class, fields, G_N_ELEMENTS (fields));

  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "Optical flow", "Filter/Analyzer/Video",
                                         "Dense optical flow between frames: as a meta, as pictures, into files", "gst-vfi");

  trans_class->start = gst_vfi_flow_start;
  trans_class->stop = gst_vfi_flow_stop;
  trans_class->transform = gst_vfi_flow_transform;
  trans_class->submit_input_buffer = gst_vfi_flow_submit_input_buffer;
  trans_class->generate_output = gst_vfi_flow_generate_output;
  trans_class->sink_event = gst_vfi_flow_sink_event;
  trans_class->src_event = gst_vfi_flow_src_event;
  trans_class->query = gst_vfi_flow_query;
  base_class->set_info = gst_vfi_flow_set_info;
  base_class->stats = gst_vfi_flow_stats;
  base_class->held = gst_vfi_flow_held;
  gst_vfi_base_class_set_on_device (base_class, gst_vfi_flow_on_device, gst_vfi_flow_close);
}
