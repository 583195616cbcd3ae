/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The flow in a hole, completed by a network.
 */
#pragma once

#include "network.h"

#define VFI_COMPLETE_SIZE 64 /* the network's grid, each way */

typedef struct
{
  VfiNetwork *network;
  float *in, *out; /* of the network */
} VfiComplete;

/* Takes the network. NULL: no memory, and the network is freed. */
VfiComplete *vfi_complete_new (VfiNetwork *network, GError **error);
void vfi_complete_free (VfiComplete *c);
gsize vfi_complete_bytes (const VfiComplete *c);

/* Improves a field of w x h (2 channels, pixels) that was filled smoothly where weight (w x h) is 0. */
gboolean vfi_complete_run (VfiComplete *c, float *field, const float *weight, int w, int h, GError **error);
