/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs networks from their graphs, without frames around them.
 */
#pragma once

#include "backend.h"
#include "model.h"
#include "plan.h"

/* x0, x1: h/2 x w/2 x 6, or pictures of h x w x 3. Returns the state, h/grid x w/grid x model_state, or the result, h x w x 3; g_free. */
float *model_run (const VfiModel *model, VfiBackend *b, VfiWeights *weights, VfiDType feature, int h, int w, double flow_scale,
                  const float *x0, const float *x1, float t);

/* What bends at time t: h/16 x w/16 x 2; g_free. course: of the pair, the one before and the one after, h/16 x w/16 x 2 each; lasts: of these two. */
float *model_bend (const VfiModel *model, VfiBackend *b, int h, int w, const float *const course[3], float t, const float lasts[2]);

/* Pixels of the picture for one of the state. */
int model_grid (const VfiModel *model);
/* Channels of the state. */
int model_state (const VfiModel *model);

/* A network that fills holes. x: h x w x 4 (inpainting) or 3 (completion). Returns h x w x 3 or 2; g_free. */
float *model_run_alone (const VfiModel *model, VfiBackend *b, VfiWeights *weights, VfiDType feature, int h, int w, const float *x);

/* What is stored of a network: weights made from the names in its list (golden/NAME.weights), and results (golden/NAME.safetensors). */
VfiWeights *model_weights (const VfiModel *model, VfiDType dtype);
VfiWeights *model_golden (const VfiModel *model);
/* A graph that does not use all weights, or wants others, is not the network that they are of. */
void model_check_names (const VfiModel *model, VfiWeights *weights);
/* A test of it: the graph has the names of its list. */
void model_names (gconstpointer model);

/* The three graphs (NULL-terminated; the second may be absent) for a picture of h x w. */
void model_graphs (const VfiModel *model, VfiDType feature, int h, int w, double flow_scale, VfiGraph *graphs[VFI_MAX_GRAPHS + 1]);
