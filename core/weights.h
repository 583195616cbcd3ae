/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Weights: a safetensors file, memory-mapped. Every offset and size is checked before use; the file may be hostile.
 */
#pragma once

#include "graph.h"
#include "vfi.h"

typedef struct _VfiWeights VfiWeights;

/* Both fail with VFI_ERROR_WEIGHTS, saying what is wrong with which file. */
VfiWeights *vfi_weights_open (const char *path, GError **error);
/* `name` is for messages. */
VfiWeights *vfi_weights_new_from_bytes (GBytes *bytes, const char *name, GError **error);
VfiWeights *vfi_weights_ref (VfiWeights *w);
void vfi_weights_unref (VfiWeights *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VfiWeights, vfi_weights_unref)

const char *vfi_weights_name (const VfiWeights *w); /* path, for messages */
/* FALSE with ONE error that lists every missing and misshapen weight of all the graphs (NULL-terminated); w may be NULL if they have
 * none. Names in the file that no graph asks for are returned, sorted, in *unused (may be NULL; free with g_strfreev). */
gboolean vfi_weights_check (VfiWeights *w, VfiGraph *const *graphs, char ***unused, GError **error);
/* A copy in fp32 (from F32, F16 or BF16 in the file), in file order; g_free. NULL if it is missing or misshapen,
 * or with VFI_ERROR_MEMORY. */
float *vfi_weights_read (VfiWeights *w, const VfiWeightSpec *spec, GError **error);
