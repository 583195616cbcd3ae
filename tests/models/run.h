/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs an interpolation network from its three graphs, without frames around it.
 */
#pragma once

#include "backend.h"
#include "plan.h"

/* x0, x1: h/2 x w/2 x 6, or pictures of h x w x 3. Returns the state, h/grid x w/grid x 5, or the result, h x w x 3; g_free. */
float *model_run (const VfiModel *model, VfiBackend *b, VfiWeights *weights, VfiDType feature, int h, int w, double flow_scale,
                  const float *x0, const float *x1, float t);

/* Pixels of the picture for one of the state. */
int model_grid (const VfiModel *model);

/* The three graphs (NULL-terminated; the second may be absent) for a picture of h x w. */
void model_graphs (const VfiModel *model, VfiDType feature, int h, int w, double flow_scale, VfiGraph *graphs[4]);
