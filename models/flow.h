/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The parts of flow.c that another network may be made of.
 */
#pragma once

#include "coarse.h"

typedef struct
{
  const VfiCoarse *coarse, *refine; /* coarse: without a decoder at any level nothing is learnt; refine: NULL where nothing is corrected */
} VfiFlow;

/* The states at 1/2 of both frames, as the first network sees them, each the way to the other one, from their luma (vfi_coarse_luma) and what else `frame` gives. `zero`: F32 1x1x1. within: as for vfi_lucas_kanade. */
void vfi_flow_both (VfiGraph *g, const VfiFlow *k, VfiTensor *zero, VfiTensor *y[2][5], VfiTensor *within, VfiTensor *state[2]);
