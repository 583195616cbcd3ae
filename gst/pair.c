/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pairs: see pair.h.
 */
#include "pair.h"

static void
keep (GstVfiPicture **slot, GstVfiPicture *p)
{
  GstVfiPicture *before = *slot;
  *slot = p ? gst_vfi_picture_ref (p) : NULL;
  if (before)
    gst_vfi_picture_unref (before);
}

void
gst_vfi_pair_clear (GstVfiPair *pair)
{
  if (pair->interp)
    vfi_interp_reset (pair->interp);
  for (int i = 0; i < GST_VFI_SEEN; i++) {
    keep (&pair->at[i], NULL);
    keep (&pair->old[i], NULL);
  }
}

void
gst_vfi_pair_close (GstVfiPair *pair)
{
  gst_vfi_pair_clear (pair);
  g_clear_pointer (&pair->interp, vfi_interp_free);
}

gboolean
gst_vfi_pair_reopen (GstVfiPair *pair, const VfiFrameInfo *info, const VfiOptions *options, GError **error)
{
  g_clear_pointer (&pair->interp, vfi_interp_free);
  for (int i = 0; i < GST_VFI_SEEN; i++)
    keep (&pair->old[i], NULL);
  pair->info = *info;
  pair->flow_scale = options->flow_scale;
  return (pair->interp = vfi_interp_new (info, options, error)) != NULL;
}

gboolean
gst_vfi_pair_setup (GstVfiPair *pair, const VfiFrameInfo *info, const VfiOptions *options, GError **error)
{
  gst_vfi_pair_clear (pair);
  if (pair->interp) {
    if (!vfi_interp_set_info (pair->interp, info, error))
      return FALSE;
  } else if (!gst_vfi_pair_reopen (pair, info, options, error))
    return FALSE;
  pair->info = *info;
  return TRUE;
}

void
gst_vfi_pair_choose (GstVfiPair *pair, const VfiMoment *m)
{
  GstVfiPicture *want[GST_VFI_SEEN] = { m->before, m->a, m->b, m->after };
  double known[GST_VFI_SEEN] = { -1, -1, -1, -1 };

  if (pair->at[GST_VFI_A] == m->a && pair->at[GST_VFI_B] == m->b)
    return;
  for (int i = 0; i < GST_VFI_AFTER; i++)
    for (int j = 0; j < GST_VFI_AFTER; j++)
      if (want[i] && want[i] == pair->at[j] && want[i + 1] && want[i + 1] == pair->at[j + 1])
        known[i] = pair->scene[j];
  for (int i = 0; i < GST_VFI_SEEN; i++) {
    keep (&pair->at[i], want[i]);
    pair->scene[i] = known[i];
  }
  pair->lasts[GST_VFI_BEFORE] = m->before_lasts;
  pair->lasts[GST_VFI_AFTER] = m->after_lasts;
}

gboolean
gst_vfi_pair_scene (GstVfiPair *pair, int first, double *score, GError **error)
{
  if (pair->scene[first] < 0 &&
      !vfi_interp_scene_score (pair->interp, &pair->at[first]->frame, &pair->at[first + 1]->frame, &pair->scene[first], error)) {
    pair->scene[first] = -1;
    return FALSE;
  }
  *score = pair->scene[first];
  return TRUE;
}

void
gst_vfi_pair_forget (GstVfiPair *pair, int around)
{
  keep (&pair->at[around], NULL);
}

static const VfiFrame *
frame_of (const GstVfiPicture *p)
{
  return p ? &p->frame : NULL;
}

gboolean
gst_vfi_pair_at (GstVfiPair *pair, double t, double flow_scale, gboolean spare, gboolean start, VfiFrame *dst, GError **error)
{
  if (pair->old[GST_VFI_A] != pair->at[GST_VFI_A] || pair->old[GST_VFI_B] != pair->at[GST_VFI_B]) {
    const gboolean known =
        pair->flow_scale == flow_scale && pair->old[GST_VFI_A] == pair->at[GST_VFI_BEFORE] && pair->old[GST_VFI_B] == pair->at[GST_VFI_A];
    if (pair->flow_scale != flow_scale) {
      if (!vfi_interp_set_flow_scale (pair->interp, flow_scale, error))
        return FALSE;
      pair->flow_scale = flow_scale;
    }
    if (!vfi_interp_set_pair (pair->interp, &pair->at[GST_VFI_A]->frame, &pair->at[GST_VFI_B]->frame, error) ||
        !vfi_interp_set_neighbours (pair->interp, known || spare ? frame_of (pair->at[GST_VFI_BEFORE]) : NULL, pair->lasts[GST_VFI_BEFORE],
                                    frame_of (pair->at[GST_VFI_AFTER]), pair->lasts[GST_VFI_AFTER], error))
      return FALSE;
    for (int i = 0; i < GST_VFI_SEEN; i++)
      keep (&pair->old[i], pair->at[i]);
  }
  return (start ? vfi_interp_start : vfi_interp_at) (pair->interp, t, dst, error);
}
