/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pair: two real pictures and what lies between them; and the ones around, by which motion may bend.
 *
 * It owns the session that synthesizes. The session recognises a frame by its address, so the pair keeps the pictures that the session
 * has seen last until it has seen others: no other frame can take their place in memory meanwhile.
 */
#pragma once

#include "picture.h"
#include "timeline.h"

enum
{
  GST_VFI_BEFORE,
  GST_VFI_A,
  GST_VFI_B,
  GST_VFI_AFTER,
  GST_VFI_SEEN
};

typedef struct
{
  VfiInterp *interp; /* NULL: not set up */
  VfiFrameInfo info;
  GstVfiPicture *at[GST_VFI_SEEN];  /* NULL if there is none */
  double lasts[GST_VFI_SEEN];       /* how far those around are from the pair, in times of its own */
  GstVfiPicture *old[GST_VFI_SEEN]; /* what the session has seen last */
  double flow_scale;
  double scene[GST_VFI_SEEN]; /* scene score of a picture and the next one, negative: not known */
} GstVfiPair;

/* Makes the session fit: a new one where there is none. FALSE leaves the pair as it was. */
gboolean gst_vfi_pair_setup (GstVfiPair *pair, const VfiFrameInfo *info, const VfiOptions *options, GError **error);
/* A new session in place of the old one, which goes first: the pair stays. FALSE: there is none now. */
gboolean gst_vfi_pair_reopen (GstVfiPair *pair, const VfiFrameInfo *info, const VfiOptions *options, GError **error);
/* Lets go of the pictures. */
void gst_vfi_pair_clear (GstVfiPair *pair);
/* Of the session, too. */
void gst_vfi_pair_close (GstVfiPair *pair);

/* Makes what lies between two frames the pair; nothing happens if it is. */
void gst_vfi_pair_choose (GstVfiPair *pair, const VfiMoment *m);
/* vfi_frame_scene_score of a picture, GST_VFI_BEFORE to GST_VFI_B, and the next one, which must be there; worked out once. */
gboolean gst_vfi_pair_scene (GstVfiPair *pair, int first, double *score, GError **error);
/* There is nothing to know of what is around. Before the first gst_vfi_pair_at. */
void gst_vfi_pair_forget (GstVfiPair *pair, int around);
/* Writes the frame at t, with `start` from now on: vfi_interp_finish. flow_scale takes effect with the next pair. Without `spare` time, a pair before that nothing was made of is not looked at. */
gboolean gst_vfi_pair_at (GstVfiPair *pair, double t, double flow_scale, gboolean spare, gboolean start, VfiFrame *dst, GError **error);
