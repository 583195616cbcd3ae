/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tween: see tween.h.
 */
#include "tween.h"

#define CHEAP_FLOW_SCALE 0.5 /* under load */
#define MIN_FLOW_SCALE 0.25

static void
count (GstVfiBase *base, guint64 *field)
{
  GST_OBJECT_LOCK (base);
  ++*field;
  GST_OBJECT_UNLOCK (base);
}

void
gst_vfi_tween_init (GstVfiTween *tween)
{
  gst_vfi_pace_init (&tween->pace);
}

void
gst_vfi_tween_start (GstVfiTween *tween, GstVfiBase *base)
{
  GST_OBJECT_LOCK (base);
  tween->in = tween->out = tween->synthesized = tween->repeated = tween->repaired = tween->skipped = tween->last = tween->total = 0;
  GST_OBJECT_UNLOCK (base);
  gst_vfi_pace_reset (&tween->pace, GST_BASE_TRANSFORM (base));
}

/* What the properties ask for, at a flow scale that there is memory for. */
static void
options_of (GstVfiTween *tween, GstVfiBase *base, VfiOptions *options)
{
  gst_vfi_base_options (base, options);
  GST_OBJECT_LOCK (base);
  options->flow_scale = MIN (tween->flow_scale, tween->reach);
  GST_OBJECT_UNLOCK (base);
}

/* Where a GPU's memory is short: a new session that needs less, if there is one. The error is the one that led here, and goes if it is done. */
static gboolean
shrink (GstVfiTween *tween, GstVfiBase *base, const VfiFrameInfo *info, GError **error)
{
  VfiOptions options;
  gboolean ok = FALSE;

  if (!gst_vfi_base_on_gpu (base))
    return FALSE;
  if (gst_vfi_tween_finish (tween, base) != GST_FLOW_OK) /* of the session that goes */
    return FALSE;
  options_of (tween, base, &options);
  while (!ok && options.flow_scale > MIN_FLOW_SCALE && g_error_matches (*error, VFI_ERROR, VFI_ERROR_MEMORY)) {
    options.flow_scale = tween->reach = MAX (MIN_FLOW_SCALE, options.flow_scale * CHEAP_FLOW_SCALE);
    gst_vfi_base_shrank (base, tween->reach, error);
    ok = gst_vfi_pair_reopen (&tween->pair, info, &options, error);
  }
  gst_vfi_options_clear (&options);
  return ok;
}

gboolean
gst_vfi_tween_setup (GstVfiTween *tween, GstVfiBase *base, const GstVideoInfo *info)
{
  const VfiFrameInfo frame = gst_vfi_frame_info (info);
  VfiOptions options;
  VfiInterpInfo used;
  GError *error = NULL;

  tween->reach = 1;
  options_of (tween, base, &options);
  if (!tween->pair.interp) /* nothing is measured yet */
    gst_vfi_pace_guess (&tween->pace, GST_BASE_TRANSFORM (base), gst_vfi_period (info) / 2);
  gboolean ok = gst_vfi_pair_setup (&tween->pair, &frame, &options, &error);
  if (!ok && tween->pair.interp && g_error_matches (error, VFI_ERROR, VFI_ERROR_MEMORY)) { /* not beside the session of before */
    g_clear_error (&error);
    ok = gst_vfi_pair_reopen (&tween->pair, &frame, &options, &error);
  }
  gst_vfi_options_clear (&options);
  if (!ok && !shrink (tween, base, &frame, &error))
    return gst_vfi_base_fail (base, error);
  vfi_interp_get_info (tween->pair.interp, &used);
  gst_vfi_base_announce (base, &used);
  return TRUE;
}

void
gst_vfi_tween_stats (const GstVfiTween *tween, GstStructure *s)
{
  gst_structure_set (s, "in", G_TYPE_UINT64, tween->in, "out", G_TYPE_UINT64, tween->out, "synthesized", G_TYPE_UINT64, tween->synthesized,
                     "repeated", G_TYPE_UINT64, tween->repeated, "repaired", G_TYPE_UINT64, tween->repaired, "skipped", G_TYPE_UINT64,
                     tween->skipped, "last-time", G_TYPE_UINT64, tween->last, "mean-time", G_TYPE_UINT64,
                     tween->total / MAX (tween->synthesized, 1), NULL);
}

void
gst_vfi_tween_took (GstVfiTween *tween, GstVfiBase *base)
{
  count (base, &tween->in);
}

void
gst_vfi_tween_stamp (GstVfiTween *tween, GstVfiBase *base, GstBuffer *buffer, GstClockTime pts, GstClockTime duration)
{
  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  if (GST_CLOCK_TIME_IS_VALID (duration))
    GST_BUFFER_DURATION (buffer) = duration;
  GST_BUFFER_OFFSET (buffer) = tween->out;
  GST_BUFFER_OFFSET_END (buffer) = tween->out + 1;
  count (base, &tween->out);
}

/* Whether there is a cut between a picture of the pair (pair.h) and the next one. FALSE after an error of the element. */
static gboolean
is_cut (GstVfiTween *tween, GstVfiBase *base, int first, double threshold, gboolean *cut)
{
  GError *error = NULL;
  double score;
  gst_vfi_base_enter (base);
  const gboolean ok = gst_vfi_pair_scene (&tween->pair, first, &score, &error);
  gst_vfi_base_leave (base);
  *cut = ok && score > threshold;
  return ok || gst_vfi_base_fail (base, error);
}

/* Motion does not go on across a cut. FALSE after an error of the element. */
static gboolean
look_around (GstVfiTween *tween, GstVfiBase *base, double threshold)
{
  static const int first[] = { GST_VFI_BEFORE, GST_VFI_B }, around[] = { GST_VFI_BEFORE, GST_VFI_AFTER };
  for (int i = 0; i < 2; i++) {
    gboolean cut = FALSE;
    if (tween->pair.at[around[i]] && threshold < 1 && !is_cut (tween, base, first[i], threshold, &cut))
      return FALSE;
    if (cut)
      gst_vfi_pair_forget (&tween->pair, around[i]);
  }
  return TRUE;
}

static GstFlowReturn
between (GstVfiTween *tween, GstVfiBase *base, const VfiMoment *m, GstBuffer **out)
{
  GST_OBJECT_LOCK (base);
  const gboolean qos = tween->qos, blend = tween->blend, quadratic = tween->quadratic;
  const double threshold = tween->scene_threshold;
  const guint64 done = tween->out, skipped = tween->skipped;
  GST_OBJECT_UNLOCK (base);

  VfiLoadAction action = VFI_LOAD_SYNTHESIZE;
  if (qos)
    action = gst_vfi_pace_decide (&tween->pace, GST_BASE_TRANSFORM (base), m->pts, m->duration, gst_vfi_base_period (base), done, skipped);
  if (action == VFI_LOAD_SKIP) {
    count (base, &tween->skipped);
    return GST_FLOW_OK;
  }
  if (!tween->pair.interp) /* memory ran out, and the error has been posted */
    return GST_FLOW_ERROR;
  gst_vfi_pair_choose (&tween->pair, m);
  for (int i = 0; i < GST_VFI_SEEN && !quadratic; i += GST_VFI_AFTER)
    gst_vfi_pair_forget (&tween->pair, i);
  tween->t = m->t;
  tween->cut = FALSE;
  if (action == VFI_LOAD_SYNTHESIZE && threshold < 1 && !is_cut (tween, base, GST_VFI_A, threshold, &tween->cut))
    return GST_FLOW_ERROR;
  if (action == VFI_LOAD_REPEAT || (tween->cut && !blend)) {
    count (base, &tween->repeated);
    *out = gst_vfi_picture_show (m->t < 0.5 ? m->a : m->b, TRUE);
    return GST_FLOW_OK;
  }
  if (!tween->cut && !look_around (tween, base, threshold))
    return GST_FLOW_ERROR;
  GstFlowReturn ret = gst_vfi_base_synthesize (base, tween->pair.at[GST_VFI_A]->buffer, out);
  if (ret == GST_FLOW_OK && !tween->cut && m->repairs)
    count (base, &tween->repaired);
  return ret;
}

GstFlowReturn
gst_vfi_tween_make (GstVfiTween *tween, GstVfiBase *base, const VfiMoment *m, GstBuffer **out)
{
  if (m->kind == VFI_MOMENT_BETWEEN)
    return between (tween, base, m, out);
  if (m->kind == VFI_MOMENT_REPEAT)
    count (base, &tween->repeated);
  *out = gst_vfi_picture_show (m->a, m->kind == VFI_MOMENT_REPEAT);
  return GST_FLOW_OK;
}

static void
took (GstVfiTween *tween, GstVfiBase *base, GstClockTime time)
{
  GST_OBJECT_LOCK (base);
  tween->synthesized++;
  tween->last = time;
  tween->total += time;
  GST_OBJECT_UNLOCK (base);
  gst_vfi_pace_measure (&tween->pace, GST_BASE_TRANSFORM (base), time);
}

GstFlowReturn
gst_vfi_tween_finish (GstVfiTween *tween, GstVfiBase *base)
{
  const gint64 start = g_get_monotonic_time ();
  GError *error = NULL;

  if (!tween->late)
    return GST_FLOW_OK;
  const gboolean ok = vfi_interp_finish (tween->pair.interp, &error);
  gst_video_frame_unmap (&tween->late_map);
  tween->late = NULL;
  if (!ok) {
    gst_vfi_base_fail (base, error);
    return GST_FLOW_ERROR;
  }
  took (tween, base, tween->late_time + (g_get_monotonic_time () - start) * GST_USECOND);
  return GST_FLOW_OK;
}

void
gst_vfi_tween_clear (GstVfiTween *tween)
{
  gst_vfi_pair_clear (&tween->pair); /* what is late is done then */
  if (tween->late)
    gst_video_frame_unmap (&tween->late_map);
  tween->late = NULL;
}

GstFlowReturn
gst_vfi_tween_write (GstVfiTween *tween, GstVfiBase *base, GstBuffer *out)
{
  GstVfiPair *pair = &tween->pair;
  const GstVfiPicture *a = pair->at[GST_VFI_A], *b = pair->at[GST_VFI_B];
  GstVideoFrame map;
  VfiFrame dst;
  GError *error = NULL;

  /* Without a reference of the map's own, so that what is late stays writable. */
  if (!gst_vfi_base_map (base, &map, out, GST_MAP_WRITE | GST_VIDEO_FRAME_MAP_FLAG_NO_REF, &dst)) {
    GST_ELEMENT_ERROR (base, RESOURCE, WRITE, ("An output buffer cannot be written to."), (NULL));
    return GST_FLOW_ERROR;
  }
  GST_OBJECT_LOCK (base);
  double flow_scale = tween->flow_scale;
  const gboolean spare = tween->pace.load.level == VFI_LOAD_FULL;
  if (!spare)
    flow_scale = MAX (MIN_FLOW_SCALE, flow_scale * CHEAP_FLOW_SCALE);
  flow_scale = MIN (flow_scale, tween->reach);
  const gboolean late = gst_vfi_base_carries (base) && !tween->pace.live && !tween->cut;
  /* Whoever takes the frame comes later on the same stream, or waits for it. Where time presses it must be known how long a frame takes. */
  const gboolean ordered = !tween->pace.live && gst_vfi_base_ordered (base, out) && gst_vfi_base_ordered (base, a->buffer) &&
                           gst_vfi_base_ordered (base, b->buffer);
  GST_OBJECT_UNLOCK (base);

  const gint64 start = g_get_monotonic_time ();
  gboolean ok;
  gst_vfi_base_enter (base);
  if (tween->cut)
    ok = vfi_interp_blend (pair->interp, &a->frame, &b->frame, tween->t, &dst, &error);
  else
    ok =
        gst_vfi_pair_at (pair, tween->t, flow_scale, spare, late || ordered, &dst, &error) ||
        (shrink (tween, base, &pair->info, &error) && gst_vfi_pair_at (pair, tween->t, tween->reach, spare, late || ordered, &dst, &error));
  gst_vfi_base_leave (base);
  const GstClockTime time = (g_get_monotonic_time () - start) * GST_USECOND;
  if (!ok) {
    gst_video_frame_unmap (&map);
    gst_vfi_base_fail (base, error);
    return GST_FLOW_ERROR;
  }
  const GstFlowReturn ret = gst_vfi_tween_finish (tween, base);
  if (late && ret == GST_FLOW_OK) {
    tween->late = out;
    tween->late_map = map;
    tween->late_time = time;
    return ret;
  }
  if (late)
    vfi_interp_finish (pair->interp, NULL);
  gst_video_frame_unmap (&map);
  if (tween->cut)
    count (base, &tween->repeated);
  else if (ret == GST_FLOW_OK)
    took (tween, base, time);
  return ret;
}
