/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A network that is one graph with one input and one output, of one size.
 */
#pragma once

#include "backend.h"
#include "weights.h"

typedef struct _VfiNetwork VfiNetwork;

/* TRUE if some network for the task has weights here. */
gboolean vfi_network_exists (const char *task);
/* The network for a task that the options name, or the first that has weights, made ready for h x w. */
VfiNetwork *vfi_network_new (const char *task, const VfiOptions *options, VfiBackend *backend, int h, int w, GError **error);
VfiNetwork *vfi_network_new_on (VfiBackend *backend, const VfiModel *model, VfiWeights *weights, VfiDType feature, int h, int w,
                                GError **error);
void vfi_network_free (VfiNetwork *n);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VfiNetwork, vfi_network_free)

const char *vfi_network_name (const VfiNetwork *n);
/* How it wants its picture. */
const VfiPicture *vfi_network_picture (const VfiNetwork *n);
gsize vfi_network_bytes (const VfiNetwork *n);

/* Runs on floats on the host, interleaved: h w channels each. */
gboolean vfi_network_run (VfiNetwork *n, const float *in, float *out, GError **error);
