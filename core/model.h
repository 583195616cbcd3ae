/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Models by name, where their weights lie, which one serves, and their graphs.
 */
#pragma once

#include "backend.h"
#include "weights.h"

/* NULL or "auto": the first that has weights here, else the first. VFI_ERROR_ARG lists the names there are. */
const VfiModel *vfi_model_find (const char *name, GError **error);

/* NAME.safetensors, of its own name or of the network whose weights it takes, in the directories of VFI_WEIGHTS_PATH (environment, ':' between them), else where weights are installed. NULL if it is in
 * none; g_free. */
char *vfi_model_find_weights (const VfiModel *model);

/* The network for a task that the options name, or the first that has weights, with its weights. */
gboolean vfi_model_choose (const char *task, const VfiOptions *options, const VfiBackend *backend, const VfiModel **model,
                           VfiWeights **weights, GError **error);

#define VFI_MAX_GRAPHS 4
/* The graphs of a model for one padded size, NULL-terminated: frame, at and, if there are such, pair and bend. */
void vfi_model_graphs (const VfiModel *model, VfiDType feature, int h, int w, double flow_scale, VfiGraph *graphs[VFI_MAX_GRAPHS + 1]);
/* Whether they are without an error and the weights are theirs: as vfi_weights_check. */
gboolean vfi_graphs_check (VfiGraph *graphs[VFI_MAX_GRAPHS + 1], VfiWeights *weights, char ***unused, GError **error);
/* Those that have not been taken (NULL). */
void vfi_graphs_free (VfiGraph *graphs[VFI_MAX_GRAPHS + 1]);
