/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The interpolation session below its options: what vfi_interp_new calls once it knows what to run where. Tests put in backends,
 * networks and weights of their own here.
 */
#pragma once

#include "backend.h"
#include "weights.h"

/* As vfi_interp_new, with a network for another task. */
VfiInterp *vfi_interp_new_for (const char *task, const VfiFrameInfo *info, const VfiOptions *options, GError **error);
/* Works out what the network says of the pair at time t, 0 <= t <= 1; swapped, with the second frame as the first: a view in backend memory,
 * valid until the session is next called. */
gboolean vfi_interp_motion (VfiInterp *interp, double t, gboolean swapped, VfiView *state, GError **error);
/* What the frames of the session are, and its backend. Borrowed. */
const VfiFrameInfo *vfi_interp_frame_info (const VfiInterp *interp);
double vfi_interp_flow_scale (const VfiInterp *interp);
VfiBackend *vfi_interp_backend (const VfiInterp *interp);
/* Where lines of the profile are added (plan.h); NULL while there is none. Borrowed. */
GArray *vfi_interp_profile (const VfiInterp *interp);
/* TRUE if the session can use the frame, else an error that begins with its name. */
gboolean vfi_interp_check_frame (VfiInterp *interp, const VfiFrame *frame, const char *name, GError **error);

/* Takes references to backend and weights. `feature` must be supported by the backend. */
VfiInterp *vfi_interp_new_on (VfiBackend *backend, const VfiModel *model, VfiWeights *weights, VfiDType feature, const VfiFrameInfo *info,
                              double flow_scale, GError **error);

/* The precision that the options name, or the backend's best. */
gboolean vfi_precision_choose (VfiPrecision precision, VfiBackend *backend, VfiDType *feature, GError **error);
/* Borrowed. */
VfiBackend *vfi_flow_backend (const VfiFlow *flow);
