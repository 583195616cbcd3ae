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
  keep (&pair->a, NULL);
  keep (&pair->b, NULL);
  keep (&pair->old_a, NULL);
  keep (&pair->old_b, NULL);
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
  keep (&pair->old_a, NULL);
  keep (&pair->old_b, NULL);
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
gst_vfi_pair_choose (GstVfiPair *pair, GstVfiPicture *a, GstVfiPicture *b)
{
  if (pair->a == a && pair->b == b)
    return;
  keep (&pair->a, a);
  keep (&pair->b, b);
  pair->scene = -1;
}

gboolean
gst_vfi_pair_scene (GstVfiPair *pair, double *score, GError **error)
{
  if (pair->scene < 0 && !vfi_interp_scene_score (pair->interp, &pair->a->frame, &pair->b->frame, &pair->scene, error)) {
    pair->scene = -1;
    return FALSE;
  }
  *score = pair->scene;
  return TRUE;
}

gboolean
gst_vfi_pair_at (GstVfiPair *pair, double t, double flow_scale, gboolean start, VfiFrame *dst, GError **error)
{
  if (pair->old_a != pair->a || pair->old_b != pair->b) {
    if (pair->flow_scale != flow_scale) {
      if (!vfi_interp_set_flow_scale (pair->interp, flow_scale, error))
        return FALSE;
      pair->flow_scale = flow_scale;
    }
    if (!vfi_interp_set_pair (pair->interp, &pair->a->frame, &pair->b->frame, error))
      return FALSE;
    keep (&pair->old_a, pair->a);
    keep (&pair->old_b, pair->b);
  }
  return (start ? vfi_interp_start : vfi_interp_at) (pair->interp, t, dst, error);
}
