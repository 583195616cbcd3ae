/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pair: two real pictures and what lies between them.
 *
 * It owns the session that synthesizes. The session recognises a frame by its address, so the pair keeps the pictures that the session
 * has seen last until it has seen others: no other frame can take their place in memory meanwhile.
 */
#pragma once

#include "picture.h"

typedef struct
{
  VfiInterp *interp; /* NULL: not set up */
  VfiFrameInfo info;
  GstVfiPicture *a, *b;         /* the pair, NULL if there is none */
  GstVfiPicture *old_a, *old_b; /* what the session has seen last */
  double flow_scale;
  double scene; /* scene score, negative: not known */
} GstVfiPair;

/* Makes the session fit: a new one where there is none. FALSE leaves the pair as it was. */
gboolean gst_vfi_pair_setup (GstVfiPair *pair, const VfiFrameInfo *info, const VfiOptions *options, GError **error);
/* A new session in place of the old one, which goes first: the pair stays. FALSE: there is none now. */
gboolean gst_vfi_pair_reopen (GstVfiPair *pair, const VfiFrameInfo *info, const VfiOptions *options, GError **error);
/* Lets go of the pictures. */
void gst_vfi_pair_clear (GstVfiPair *pair);
/* Of the session, too. */
void gst_vfi_pair_close (GstVfiPair *pair);

/* Makes a and b the pair; nothing happens if they are. */
void gst_vfi_pair_choose (GstVfiPair *pair, GstVfiPicture *a, GstVfiPicture *b);
/* vfi_frame_scene_score of the pair, worked out once. */
gboolean gst_vfi_pair_scene (GstVfiPair *pair, double *score, GError **error);
/* Writes the frame at t, with `start` from now on: vfi_interp_finish. flow_scale takes effect with the next pair. */
gboolean gst_vfi_pair_at (GstVfiPair *pair, double t, double flow_scale, gboolean start, VfiFrame *dst, GError **error);
