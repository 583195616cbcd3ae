/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The mask source: see masksource.h.
 */
#include "masksource.h"

#ifdef HAVE_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

gboolean
gst_vfi_mask_source_open (GstVfiMaskSource *source, GstObject *lock, GError **error)
{
  const gboolean automatic = source->kind == GST_VFI_FROM_AUTO, file = source->location && *source->location;
  gst_vfi_mask_source_close (source);
#ifndef HAVE_ANALYTICS
  if (source->kind == GST_VFI_FROM_ANALYTICS) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                 "mask-source=analytics needs GStreamer 1.24 or later, and this plugin was built without it. Detectors that attach "
                 "GstVideoRegionOfInterestMeta work with mask-source=roi.");
    return FALSE;
  }
#endif
  if (source->kind == GST_VFI_FROM_LOCATION && !file) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "mask-source=location needs a picture: mask-location=FILE");
    return FALSE;
  }
  GST_OBJECT_LOCK (lock);
  g_autoptr (GArray) rects = vfi_rects_parse (source->rects, error);
  GST_OBJECT_UNLOCK (lock);
  if (!rects)
    return FALSE;
  if (file && (automatic || source->kind == GST_VFI_FROM_LOCATION))
    return (source->image = gst_vfi_mask_load (source->location, error)) != NULL;
  return TRUE;
}

gboolean
gst_vfi_mask_source_setup (GstVfiMaskSource *source, const GstVideoInfo *info, gboolean pad, GError **error)
{
  g_clear_pointer (&source->drawn, gst_vfi_mask_unref);
  g_clear_pointer (&source->drawn_rects, g_array_unref);
  if (source->kind == GST_VFI_FROM_ALPHA && !GST_VIDEO_INFO_HAS_ALPHA (info)) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG,
                 "mask-source=alpha needs a format with alpha, RGBA, BGRA, A420 or A444_10LE, but this video is %s. Put in front: ... ! "
                 "videoconvert ! "
                 "video/x-raw,format=RGBA ! ...",
                 GST_VIDEO_INFO_NAME (info));
    return FALSE;
  }
  if (source->kind == GST_VFI_FROM_PAD && !pad) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG,
                 "mask-source=pad needs a stream of masks, linked to the pad \"mask\": vfiinpaint name=v  ... ! videoconvert ! "
                 "video/x-raw,format=GRAY8 ! v.mask");
    return FALSE;
  }
  return TRUE;
}

void
gst_vfi_mask_source_close (GstVfiMaskSource *source)
{
  g_clear_pointer (&source->image, gst_vfi_mask_unref);
  g_clear_pointer (&source->drawn, gst_vfi_mask_unref);
  g_clear_pointer (&source->drawn_rects, g_array_unref);
  g_clear_pointer (&source->parsed, g_array_unref);
  g_clear_pointer (&source->parsed_text, g_free);
}

void
gst_vfi_mask_source_clear (GstVfiMaskSource *source)
{
  gst_vfi_mask_source_close (source);
  g_free (source->location);
  g_free (source->rects);
  g_free (source->type);
}

/* ---- rectangles --------------------------------------------------------------------------------- */

/* The property as an array. */
static const GArray *
property_rects (GstVfiMaskSource *source, GstObject *lock)
{
  GST_OBJECT_LOCK (lock);
  if (!source->parsed || g_strcmp0 (source->parsed_text, source->rects) != 0) {
    /* What is set has been checked. */
    g_clear_pointer (&source->parsed, g_array_unref);
    source->parsed = vfi_rects_parse (source->rects, NULL);
    g_free (source->parsed_text);
    source->parsed_text = g_strdup (source->rects);
  }
  GST_OBJECT_UNLOCK (lock);
  return source->parsed;
}

static GArray *
roi_rects (GstBuffer *buffer, GQuark type)
{
  GArray *rects = g_array_new (FALSE, FALSE, sizeof (VfiRect));
  gpointer state = NULL;
  GstMeta *meta;
  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    const GstVideoRegionOfInterestMeta *roi = (GstVideoRegionOfInterestMeta *) meta;
    const VfiRect r = { MIN (roi->x, G_MAXINT / 4), MIN (roi->y, G_MAXINT / 4), MIN (roi->w, G_MAXINT / 4), MIN (roi->h, G_MAXINT / 4) };
    if (!type || roi->roi_type == type)
      g_array_append_val (rects, r);
  }
  return rects;
}

static GArray *
analytics_rects (GstBuffer *buffer, GQuark type)
{
  GArray *rects = g_array_new (FALSE, FALSE, sizeof (VfiRect));
#ifdef HAVE_ANALYTICS
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (buffer);
  gpointer state = NULL;
  GstAnalyticsMtd mtd;
  VfiRect r;
  float confidence;
  while (meta && gst_analytics_relation_meta_iterate (meta, &state, gst_analytics_od_mtd_get_mtd_type (), &mtd))
    if ((!type || gst_analytics_od_mtd_get_obj_type (&mtd) == type) &&
        gst_analytics_od_mtd_get_location (&mtd, &r.x, &r.y, &r.width, &r.height, &confidence))
      g_array_append_val (rects, r);
#endif
  return rects;
}

/* The rectangles drawn, anew if they are not what is drawn already. The array stays the caller's, and is not changed. */
static GstVfiMask *
draw (GstVfiMaskSource *source, const GArray *rects, const GstVideoFrame *frame)
{
  if (source->drawn && source->drawn_rects && vfi_rects_equal (source->drawn_rects, rects))
    return gst_vfi_mask_ref (source->drawn);
  g_clear_pointer (&source->drawn, gst_vfi_mask_unref); /* a frame that waits may have it */
  g_clear_pointer (&source->drawn_rects, g_array_unref);
  if (!(source->drawn = gst_vfi_mask_new (frame->info.width, frame->info.height)))
    return NULL;
  gst_vfi_mask_from_rects (source->drawn, rects);
  source->drawn_rects = g_array_copy ((GArray *) rects);
  return gst_vfi_mask_ref (source->drawn);
}

/* ---- which mask --------------------------------------------------------------------------------- */

static GstVfiMaskKind
choose (GstVfiMaskSource *source, GstObject *lock, GstVfiMaskPad *pad)
{
  if (source->kind != GST_VFI_FROM_AUTO)
    return source->kind;
  if (pad)
    return GST_VFI_FROM_PAD;
  if (source->image)
    return GST_VFI_FROM_LOCATION;
  GST_OBJECT_LOCK (lock);
  const gboolean rects = source->rects != NULL;
  GST_OBJECT_UNLOCK (lock);
  return rects ? GST_VFI_FROM_RECTS : GST_VFI_FROM_ROI;
}

static GstFlowReturn
find_rects (GstVfiMaskSource *source, GstObject *lock, GstVfiMaskKind kind, GstBuffer *buffer, const GstVideoFrame *frame,
            GstVfiMask **mask)
{
  GST_OBJECT_LOCK (lock);
  const GQuark type = source->type && *source->type ? g_quark_from_string (source->type) : 0;
  GST_OBJECT_UNLOCK (lock);
  g_autoptr (GArray) found = kind == GST_VFI_FROM_ROI         ? roi_rects (buffer, type)
                             : kind == GST_VFI_FROM_ANALYTICS ? analytics_rects (buffer, type)
                                                              : NULL;
  const GArray *rects = found ? found : property_rects (source, lock);
  /* None: whether inverted or not, nothing is removed. */
  return rects->len == 0 || (*mask = draw (source, rects, frame)) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

GstFlowReturn
gst_vfi_mask_source_find (GstVfiMaskSource *source, GstObject *lock, GstVfiMaskPad *pad, GstClockTime time, GstBuffer *buffer,
                          const GstVideoFrame *frame, GstVfiMask **mask)
{
  const GstVfiMaskKind kind = choose (source, lock, pad);
  *mask = NULL;
  if (pad && kind != GST_VFI_FROM_PAD)
    gst_vfi_mask_pad_advance (pad, time);
  switch (kind) {
    case GST_VFI_FROM_PAD:
      return !pad || gst_vfi_mask_pad_take (pad, time, mask) ? GST_FLOW_OK : GST_FLOW_FLUSHING;
    case GST_VFI_FROM_LOCATION:
      *mask = gst_vfi_mask_ref (source->image);
      return GST_FLOW_OK;
    case GST_VFI_FROM_ALPHA:
      if (!(*mask = gst_vfi_mask_new (frame->info.width, frame->info.height)))
        return GST_FLOW_ERROR;
      gst_vfi_mask_from_alpha (*mask, frame);
      return GST_FLOW_OK;
    default:
      return find_rects (source, lock, kind, buffer, frame, mask);
  }
}
