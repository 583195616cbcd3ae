/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One graph, planned once for one size; what goes in and comes out lies on the host.
 */
#include "network.h"

#include <string.h>

#include "interp.h"
#include "model.h"
#include "plan.h"

struct _VfiNetwork
{
  VfiBackend *backend;
  const VfiModel *model;
  VfiPlan *plan;
  VfiView io[2]; /* input, output */
};

static gsize
view_bytes (const VfiView *v)
{
  return (gsize) v->h * v->w * v->c * sizeof (float);
}

gboolean
vfi_network_exists (const char *task)
{
  for (int i = 0; vfi_models[i]; i++)
    if (strcmp (vfi_models[i]->task, task) == 0) {
      g_autofree char *path = vfi_model_find_weights (vfi_models[i]);
      if (path)
        return TRUE;
    }
  return FALSE;
}

VfiNetwork *
vfi_network_new (const char *task, const VfiOptions *options, VfiBackend *backend, int h, int w, GError **error)
{
  g_autoptr (VfiWeights) weights = NULL;
  const VfiModel *model;
  VfiDType feature;

  if (!vfi_model_choose (task, options, backend, &model, &weights, error) ||
      !vfi_precision_choose (options->precision, backend, &feature, error))
    return NULL;
  return vfi_network_new_on (backend, model, weights, feature, h, w, error);
}

VfiNetwork *
vfi_network_new_on (VfiBackend *backend, const VfiModel *model, VfiWeights *weights, VfiDType feature, int h, int w, GError **error)
{
  g_autoptr (VfiNetwork) n = g_new0 (VfiNetwork, 1);
  VfiGraph *graph = vfi_graph_new (feature);

  n->backend = vfi_backend_ref (backend);
  n->model = model;
  model->frame (graph, model, h, w);
  if (!(n->plan = vfi_plan_new (graph, backend, weights, error)))
    return NULL;
  for (int i = 0; i < vfi_plan_n_io (n->plan); i++) {
    gboolean output;
    const char *name = vfi_plan_io_name (n->plan, i, &output);
    VfiView *v = &n->io[output];

    if (v->data) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_SHAPE, "%s has more than one input or output", model->name);
      return NULL;
    }
    vfi_plan_io (n->plan, name, v);
    if (!(v->data = backend->klass->alloc (backend, view_bytes (v), error)))
      return NULL;
    vfi_plan_bind (n->plan, i, v->data);
  }
  return g_steal_pointer (&n);
}

void
vfi_network_free (VfiNetwork *n)
{
  if (!n)
    return;
  g_clear_pointer (&n->plan, vfi_plan_free);
  for (int i = 0; i < 2; i++)
    if (n->io[i].data)
      n->backend->klass->dealloc (n->backend, n->io[i].data);
  vfi_backend_unref (n->backend);
  g_free (n);
}

const char *
vfi_network_name (const VfiNetwork *n)
{
  return n->model->name;
}

const VfiPicture *
vfi_network_picture (const VfiNetwork *n)
{
  return &n->model->picture;
}

gsize
vfi_network_bytes (const VfiNetwork *n)
{
  return vfi_plan_arena_size (n->plan) + view_bytes (&n->io[0]) + view_bytes (&n->io[1]);
}

gboolean
vfi_network_run (VfiNetwork *n, const float *in, float *out, GError **error)
{
  const VfiBackendClass *klass = n->backend->klass;

  klass->begin (n->backend);
  klass->upload (n->backend, n->io[0].data, in, view_bytes (&n->io[0]));
  vfi_plan_run (n->plan);
  klass->download (n->backend, out, n->io[1].data, view_bytes (&n->io[1]));
  klass->end (n->backend);
  return !(klass->failed && klass->failed (n->backend, error));
}
