/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The flow queue: see flowqueue.h.
 */
#include "flowqueue.h"

#define MIN_FLOW_SCALE 0.25

static void
entry_free (gpointer data)
{
  GstVfiFlowEntry *e = data;
  gst_vfi_picture_unref (e->picture);
  g_clear_pointer (&e->flow.data, g_bytes_unref);
  g_free (e);
}

void
gst_vfi_flow_queue_clear (GstVfiFlowQueue *queue)
{
  if (queue->session)
    vfi_flow_reset (queue->session); /* it knows frames by their addresses */
  g_queue_clear_full (&queue->entries, entry_free);
}

void
gst_vfi_flow_queue_close (GstVfiFlowQueue *queue)
{
  gst_vfi_flow_queue_clear (queue);
  g_clear_pointer (&queue->session, vfi_flow_free);
  g_clear_pointer (&queue->scratch, g_free);
}

gboolean
gst_vfi_flow_queue_setup (GstVfiFlowQueue *queue, const VfiFrameInfo *info, const VfiOptions *options, GstVfiBase *base, GError **error)
{
  gst_vfi_flow_queue_clear (queue);
  g_clear_pointer (&queue->scratch, g_free);
  queue->info = *info;
  queue->reach = 1;
  if (queue->session && vfi_flow_set_info (queue->session, info, NULL) &&
      vfi_flow_set_flow_scale (queue->session, options->flow_scale, NULL))
    return TRUE;
  /* Where memory is short, at a smaller size. */
  for (VfiOptions o = *options;;) {
    GError *e = NULL;
    g_clear_pointer (&queue->session, vfi_flow_free);
    if ((queue->session = vfi_flow_new (info, &o, &e)))
      return TRUE;
    if (o.flow_scale <= MIN_FLOW_SCALE || !g_error_matches (e, VFI_ERROR, VFI_ERROR_MEMORY)) {
      g_propagate_error (error, e);
      return FALSE;
    }
    o.flow_scale = queue->reach = MAX (MIN_FLOW_SCALE, o.flow_scale / 2);
    gst_vfi_base_shrank (base, queue->reach, &e);
  }
}

static gsize
pixels (const GstVfiFlowQueue *queue)
{
  return (gsize) queue->info.width * queue->info.height;
}

/* Room for the fields of an entry in the directions that are asked for. */
static gboolean
make_room (GstVfiFlowQueue *queue, GstVfiFlowEntry *e)
{
  const gsize n = pixels (queue), all = n * 3 * (queue->direction == GST_VFI_BOTH ? 2 : 1);
  float *data = e->flow.data ? NULL : g_try_new (float, all);
  if (!data)
    return e->flow.data != NULL;
  e->flow.data = g_bytes_new_take (data, all * sizeof (float));
  for (int i = 0; i < 2; i++)
    if (queue->direction & (i ? GST_VFI_BACKWARD : GST_VFI_FORWARD)) {
      e->field[i] = (VfiFlowField){ data, data + 2 * n };
      data += 3 * n;
    }
  return TRUE;
}

/* Flow between two entries, into both. */
static gboolean
work_out (GstVfiFlowQueue *queue, GstVfiFlowEntry *a, GstVfiFlowEntry *b, GError **error)
{
  const int w = queue->info.width, h = queue->info.height;
  const gboolean forward = (queue->direction & GST_VFI_FORWARD) != 0, backward = (queue->direction & GST_VFI_BACKWARD) != 0;
  gboolean room = (!forward || make_room (queue, a)) && (!backward || make_room (queue, b));

  if (queue->check && queue->direction != GST_VFI_BOTH && !queue->scratch)
    room = room && (queue->scratch = g_try_new (float, 2 * pixels (queue))) != NULL;
  if (!room) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "There is no memory for flow of %d x %d.", w, h);
    return FALSE;
  }
  VfiFlowField field[2] = { a->field[0], b->field[1] };
  for (int i = 0; i < 2; i++) {
    if (!field[i].flow)
      field[i].flow = queue->check ? queue->scratch : NULL;
    if (queue->check)
      field[i].confidence = NULL; /* from the check */
  }
  if (!vfi_flow_run (queue->session, &a->picture->frame, &b->picture->frame, field[0].flow ? &field[0] : NULL,
                     field[1].flow ? &field[1] : NULL, error))
    return FALSE;
  if (forward) {
    if (queue->check)
      vfi_flow_check (w, h, field[0].flow, field[1].flow, a->field[0].confidence);
    a->flow.forward = a->field[0].flow;
    a->flow.forward_confidence = a->field[0].confidence;
  }
  if (backward) {
    if (queue->check)
      vfi_flow_check (w, h, field[1].flow, field[0].flow, b->field[1].confidence);
    b->flow.backward = b->field[1].flow;
    b->flow.backward_confidence = b->field[1].confidence;
  }
  return TRUE;
}

gboolean
gst_vfi_flow_queue_push (GstVfiFlowQueue *queue, GstVfiPicture *picture, double flow_scale, gboolean *worked, GError **error)
{
  GstVfiFlowEntry *e = g_new0 (GstVfiFlowEntry, 1), *oldest;

  *e = (GstVfiFlowEntry){ .picture = picture,
                          .flow = { .width = queue->info.width, .height = queue->info.height, .step = queue->step },
                          .number = queue->number++ };
  while (g_queue_get_length (&queue->entries) > queue->step && (oldest = g_queue_peek_head (&queue->entries))->shown)
    entry_free (g_queue_pop_head (&queue->entries));
  g_queue_push_tail (&queue->entries, e);

  GstVfiFlowEntry *before = gst_vfi_flow_queue_partner (queue, e, TRUE);
  *worked = before != NULL;
  if (before && (!vfi_flow_set_flow_scale (queue->session, MIN (flow_scale, queue->reach), error) || !work_out (queue, before, e, error)))
    return FALSE;
  if (queue->direction == GST_VFI_BACKWARD)
    e->ready = TRUE;
  else if (before)
    before->ready = TRUE;
  return TRUE;
}

void
gst_vfi_flow_queue_end (GstVfiFlowQueue *queue)
{
  for (GList *l = queue->entries.head; l; l = l->next)
    ((GstVfiFlowEntry *) l->data)->ready = TRUE;
}

GstVfiFlowEntry *
gst_vfi_flow_queue_next (GstVfiFlowQueue *queue)
{
  for (GList *l = queue->entries.head; l; l = l->next) {
    GstVfiFlowEntry *e = l->data;
    if (!e->shown) {
      e->shown = e->ready;
      return e->ready ? e : NULL;
    }
  }
  return NULL;
}

GstVfiFlowEntry *
gst_vfi_flow_queue_partner (GstVfiFlowQueue *queue, const GstVfiFlowEntry *entry, gboolean backward)
{
  const guint64 wanted = backward ? entry->number - queue->step : entry->number + queue->step;
  for (GList *l = queue->entries.head; l; l = l->next)
    if (((GstVfiFlowEntry *) l->data)->number == wanted)
      return l->data;
  return NULL;
}
