/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inpainting queue: see inpaintqueue.h.
 */
#include "inpaintqueue.h"

static void
entry_free (gpointer data)
{
  GstVfiInpaintEntry *e = data;
  gst_buffer_unref (e->buffer);
  g_clear_pointer (&e->mask, gst_vfi_mask_unref);
  g_free (e);
}

gboolean
gst_vfi_inpaint_queue_setup (GstVfiInpaintQueue *queue, const VfiFrameInfo *info, const VfiOptions *options, GError **error)
{
  if (queue->session ? !vfi_inpaint_set_info (queue->session, info, error)
                     : !(queue->session = vfi_inpaint_new (info, options, &queue->options, error)))
    return FALSE;
  queue->info = *info;
  return TRUE;
}

gboolean
gst_vfi_inpaint_queue_set_options (GstVfiInpaintQueue *queue, const VfiInpaintOptions *options, GError **error)
{
  VfiInpaintOptions *o = &queue->options;
  if (!queue->session) {
    *o = *options;
    return TRUE;
  }
  if (options->dilate == o->dilate && options->feather == o->feather && options->invert == o->invert &&
      options->scene_threshold == o->scene_threshold)
    return TRUE;
  o->dilate = options->dilate;
  o->feather = options->feather;
  o->invert = options->invert;
  o->scene_threshold = options->scene_threshold;
  return vfi_inpaint_set_options (queue->session, o, error);
}

gboolean
gst_vfi_inpaint_queue_push (GstVfiInpaintQueue *queue, GstBuffer *buffer, const VfiFrame *frame, GstVfiMask *mask, GError **error)
{
  queue->ended = FALSE;
  if (!vfi_inpaint_push (queue->session, frame, mask ? &mask->mask : NULL, error))
    return FALSE;
  GstVfiInpaintEntry *e = g_new0 (GstVfiInpaintEntry, 1);
  e->buffer = gst_buffer_ref (buffer);
  e->mask = mask ? gst_vfi_mask_ref (mask) : NULL;
  g_queue_push_tail (&queue->waiting, e);
  return TRUE;
}

void
gst_vfi_inpaint_queue_end (GstVfiInpaintQueue *queue)
{
  if (queue->session)
    vfi_inpaint_flush (queue->session);
  queue->ended = TRUE;
}

const GstVfiInpaintEntry *
gst_vfi_inpaint_queue_next (GstVfiInpaintQueue *queue)
{
  return queue->waiting.length > (queue->ended ? 0 : (guint) queue->options.lookahead) ? g_queue_peek_head (&queue->waiting) : NULL;
}

gboolean
gst_vfi_inpaint_queue_pull (GstVfiInpaintQueue *queue, VfiFrame *dst, GError **error)
{
  const VfiInpaintStatus status = vfi_inpaint_pull (queue->session, dst, error);
  if (status == VFI_INPAINT_MORE)
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "The inpainting session has lost a frame.");
  return status == VFI_INPAINT_DONE;
}

void
gst_vfi_inpaint_queue_pop (GstVfiInpaintQueue *queue)
{
  entry_free (g_queue_pop_head (&queue->waiting));
}

void
gst_vfi_inpaint_queue_clear (GstVfiInpaintQueue *queue)
{
  if (queue->session)
    vfi_inpaint_reset (queue->session);
  g_queue_clear_full (&queue->waiting, entry_free);
}

void
gst_vfi_inpaint_queue_close (GstVfiInpaintQueue *queue)
{
  gst_vfi_inpaint_queue_clear (queue);
  g_clear_pointer (&queue->session, vfi_inpaint_free);
}

void
gst_vfi_inpaint_tally_add (GstVfiInpaintTally *tally, const VfiInpaint *session, GstClockTime time)
{
  VfiInpaintInfo info;
  vfi_inpaint_get_info (session, &info);
  tally->masked++;
  tally->removed += info.removed;
  tally->past += info.past;
  tally->future += info.future;
  tally->spatial += info.spatial;
  tally->last = time;
  tally->total += time;
}

void
gst_vfi_inpaint_tally_tell (const GstVfiInpaintTally *t, GstStructure *s)
{
  gst_structure_set (s, "fill-model", G_TYPE_STRING, t->model, "in", G_TYPE_UINT64, t->in, "out", G_TYPE_UINT64, t->out, "masked",
                     G_TYPE_UINT64, t->masked, "removed", G_TYPE_UINT64, t->removed, "past", G_TYPE_UINT64, t->past, "future",
                     G_TYPE_UINT64, t->future, "spatial", G_TYPE_UINT64, t->spatial, "last-time", G_TYPE_UINT64, t->last, "mean-time",
                     G_TYPE_UINT64, t->total / MAX (t->masked, 1), NULL);
}
