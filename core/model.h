/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Models by name, and where their weights lie.
 */
#pragma once

#include "build.h"

/* NULL or "auto": the first that has weights here, else the first. VFI_ERROR_ARG lists the names there are. */
const VfiModel *vfi_model_find (const char *name, GError **error);

/* NAME.safetensors in the directories of VFI_WEIGHTS_PATH (environment, ':' between them), else where weights are installed. NULL if it is in
 * none; g_free. */
char *vfi_model_find_weights (const VfiModel *model);
