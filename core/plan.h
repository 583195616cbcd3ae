/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plan: a graph made ready to run on one backend, with one weights set: kernels chosen, lifetimes worked out, one arena.
 * Running it allocates nothing.
 */
#pragma once

#include "backend.h"
#include "weights.h"

typedef struct _VfiPlan VfiPlan;

/* Fails with the graph's own first error, missing or misshapen weights, a node no kernel of the backend supports, or memory.
 * Takes ownership of `graph` in every case; refs the backend; needs `weights` (NULL if the graph has none) only during the call. */
VfiPlan *vfi_plan_new (VfiGraph *graph, VfiBackend *backend, VfiWeights *weights, GError **error);
void vfi_plan_free (VfiPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VfiPlan, vfi_plan_free)

/* Inputs and outputs live in the caller's buffers. The view of one, without gaps, by name, data NULL; FALSE if there is none. */
gboolean vfi_plan_io (const VfiPlan *plan, const char *name, VfiView *view);
int vfi_plan_n_io (const VfiPlan *plan);
const char *vfi_plan_io_name (const VfiPlan *plan, int i, gboolean *is_output);
/* Sets the buffer (backend memory) of input or output i; stays set. */
void vfi_plan_bind (VfiPlan *plan, int i, void *buffer);
/* All io must be bound. Between klass->begin and klass->end. */
void vfi_plan_run (VfiPlan *plan);
/* The same of n plans of a backend, one after the other; what does not wait for each other runs at the same time, where the backend can. */
void vfi_plans_run (VfiPlan *const *plans, int n);

gsize vfi_plan_arena_size (const VfiPlan *plan);
double vfi_plan_flop (const VfiPlan *plan);

/* Every node adds to the line of its op in this array (of VfiProfile; borrowed). NULL disables. */
void vfi_plan_set_profile (VfiPlan *plan, GArray *lines);
/* Adds one call to the line of this name, which is made if it is not there. */
void vfi_profile_add (GArray *lines, const char *name, double seconds, double flop, double bytes);
