/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The interpolation session below its options: what vfi_interp_new calls once it knows what to run where. Tests put in backends,
 * networks and weights of their own here.
 */
#pragma once

#include "backend.h"
#include "weights.h"

/* Takes references to backend and weights. `feature` must be supported by the backend. */
VfiInterp *vfi_interp_new_on (VfiBackend *backend, const VfiModel *model, VfiWeights *weights, VfiDType feature, const VfiFrameInfo *info,
                              double flow_scale, GError **error);
