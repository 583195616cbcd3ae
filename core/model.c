/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The list of networks as applications see it, and which of them serves. Costs and sizes are read off the graphs themselves.
 */
#include "model.h"

#include "complete.h"
#include "fill.h"
#include "op.h"
#include "vfi.h"

/* Of the file, without the ending. */
static const char *
weights_name (const VfiModel *model)
{
  return model->weights ? model->weights : model->name;
}

char *
vfi_model_find_weights (const VfiModel *model)
{
  const char *path = g_getenv ("VFI_WEIGHTS_PATH");
  char *all = g_strdup_printf ("%s%s%s", path ? path : "", path ? G_SEARCHPATH_SEPARATOR_S : "", VFI_WEIGHTS_DIR);
  char **dirs = g_strsplit (all, G_SEARCHPATH_SEPARATOR_S, -1);
  char *base = g_strconcat (weights_name (model), ".safetensors", NULL), *found = NULL;

  for (char **dir = dirs; *dir && !found; dir++)
    if (**dir) {
      found = g_build_filename (*dir, base, NULL);
      if (!g_file_test (found, G_FILE_TEST_IS_REGULAR))
        g_clear_pointer (&found, g_free);
    }
  g_free (base);
  g_strfreev (dirs);
  g_free (all);
  return found;
}

/* Those for the task are told of where there is none of that name; NULL: all. */
static const VfiModel *
find (const char *name, const char *task, GError **error)
{
  GString *names;

  if (!name || !strcmp (name, "auto")) {
    for (const VfiModel *const *m = vfi_models; *m; m++) {
      char *weights = vfi_model_find_weights (*m);

      g_free (weights);
      if (weights)
        return *m;
    }
    return vfi_models[0];
  }
  for (const VfiModel *const *m = vfi_models; *m; m++)
    if (!strcmp ((*m)->name, name))
      return *m;
  names = g_string_new (NULL);
  for (const VfiModel *const *m = vfi_models; *m; m++)
    if (!task || !strcmp ((*m)->task, task))
      g_string_append_printf (names, ", %s", (*m)->name);
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "there is no model \"%s\"%s%s; there are: auto%s", name, task ? " for " : "",
               task ? task : "", names->str);
  g_string_free (names, TRUE);
  return NULL;
}

const VfiModel *
vfi_model_find (const char *name, GError **error)
{
  return find (name, NULL, error);
}

/* ---- graphs ------------------------------------------------------------------------------------- */

void
vfi_model_graphs (const VfiModel *model, VfiDType feature, int h, int w, double flow_scale, VfiGraph *graphs[VFI_MAX_GRAPHS + 1])
{
  void (*const parts[]) (VfiGraph *, const VfiModel *, int, int) = { model->frame, model->at, model->pair, model->bend };

  memset (graphs, 0, (VFI_MAX_GRAPHS + 1) * sizeof *graphs);
  for (int i = 0; i < VFI_MAX_GRAPHS && parts[i]; i++) {
    graphs[i] = vfi_graph_new (feature);
    graphs[i]->flow_scale = flow_scale;
    parts[i](graphs[i], model, h, w);
  }
}

void
vfi_graphs_free (VfiGraph *graphs[VFI_MAX_GRAPHS + 1])
{
  for (int i = 0; i < VFI_MAX_GRAPHS; i++)
    g_clear_pointer (&graphs[i], vfi_graph_free);
}

gboolean
vfi_graphs_check (VfiGraph *graphs[VFI_MAX_GRAPHS + 1], VfiWeights *weights, char ***unused, GError **error)
{
  for (int i = 0; graphs[i]; i++)
    if (graphs[i]->error) {
      g_propagate_error (error, g_error_copy (graphs[i]->error));
      return FALSE;
    }
  return vfi_weights_check (weights, graphs, unused, error);
}

/* ---- choice ------------------------------------------------------------------------------------- */

/* -1: they are not this network's; else how many of them it does not ask for. */
static int
left_over (const VfiModel *model, VfiWeights *weights)
{
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  char **unused = NULL;
  int n = -1;

  vfi_model_graphs (model, VFI_F32, model->multiple, model->multiple, 1, graphs);
  if (vfi_graphs_check (graphs, weights, &unused, NULL))
    n = unused ? (int) g_strv_length (unused) : 0;
  g_strfreev (unused);
  vfi_graphs_free (graphs);
  return n;
}

/* The network that weights are of, for a task (NULL: any); NULL: none. One may be a part of another: the one that leaves least over. */
static const VfiModel *
owner_of (VfiWeights *weights, const char *task)
{
  const VfiModel *owner = NULL;
  int least = G_MAXINT;

  for (int i = 0; vfi_models[i]; i++) {
    const int n = task && strcmp (vfi_models[i]->task, task) != 0 ? -1 : left_over (vfi_models[i], weights);

    if (n >= 0 && n < least) {
      owner = vfi_models[i];
      least = n;
    }
  }
  return owner;
}

/* auto is the network of this table, `large` on CUDA and `small` elsewhere; where only another for the task has weights, that; where the caller
 * gives weights, the network that they are of. */
gboolean
vfi_model_choose (const char *task, const VfiOptions *o, const VfiBackend *backend, const VfiModel **model, VfiWeights **weights,
                  GError **error)
{
  static const struct
  {
    const char *task, *small, *large, *training;
  } own[] = {
    { "interpolation", "vfi-nano", "vfi-nano", "train" }, /* vfi-base is for who asks for it, until it is known to keep up with a stream */
    { "flow", "vfi-flow-nano", "vfi-flow-base", "flowtrain" },
    { "inpainting", "vfi-fill-nano", "vfi-fill-nano", "filltrain" },
    { "completion", "vfi-complete-nano", "vfi-complete-nano", "completetrain" },
  };
  gboolean automatic = !o->model || strcmp (o->model, "auto") == 0;
  const char *preferred = NULL, *training = NULL;
  g_autofree char *path = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (own); i++)
    if (strcmp (task, own[i].task) == 0) {
      preferred = backend->klass->memory == VFI_MEMORY_CUDA ? own[i].large : own[i].small;
      training = own[i].training;
    }
  if (!preferred) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "this build has no network for %s", task);
    return FALSE;
  }
  if (!(*model = find (automatic ? preferred : o->model, task, error)))
    return FALSE;
  if (strcmp ((*model)->task, task) != 0) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s is a network for %s, not for %s", (*model)->name, (*model)->task, task);
    return FALSE;
  }

  if (o->weights && *o->weights) {
    const VfiModel *owner;

    if (!(*weights = vfi_weights_open (o->weights, error)))
      return FALSE;
    if (automatic && (owner = owner_of (*weights, task)))
      *model = owner;
    else if (left_over (*model, *weights) < 0 && (owner = owner_of (*weights, NULL))) {
      if (strcmp (owner->task, task) == 0)
        g_set_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS, "%s has the weights of %s, not of %s: ask for that model, or for auto",
                     o->weights, owner->name, (*model)->name);
      else
        g_set_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS, "%s has the weights of %s, a network for %s, not for %s", o->weights, owner->name,
                     owner->task, task);
      g_clear_pointer (weights, vfi_weights_unref);
      return FALSE;
    }
    return TRUE;
  }

  path = vfi_model_find_weights (*model);
  for (int i = 0; automatic && !path && vfi_models[i]; i++)
    if (strcmp (vfi_models[i]->task, task) == 0 && (path = vfi_model_find_weights (vfi_models[i])))
      *model = vfi_models[i];
  if (!path) {
    const char *env = g_getenv ("VFI_WEIGHTS_PATH"), *source = (*model)->source;
    g_autofree char *how = source ? g_strdup_printf ("make it with tools/convert.py from the checkpoint of %s", source)
                                  : g_strdup_printf ("train it with tools/train/%s.py", training);
    g_set_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS,
                 "there are no weights for %s: no %s.safetensors in " VFI_WEIGHTS_DIR " nor in VFI_WEIGHTS_PATH (%s); put the file there, "
                 "%s, or give weights=FILE",
                 (*model)->name, weights_name (*model), env ? env : "which is not set", how);
    return FALSE;
  }
  return (*weights = vfi_weights_open (path, error)) != NULL;
}

/* ---- the list ----------------------------------------------------------------------------------- */

/* All weights of graphs, each name once: VfiWeightSpec, the graphs'. */
static GPtrArray *
weights_of (VfiGraph *graphs[VFI_MAX_GRAPHS + 1])
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *weights = g_ptr_array_new ();

  for (int i = 0; graphs[i]; i++)
    for (guint j = 0; j < graphs[i]->nodes->len; j++) {
      VfiNode *node = graphs[i]->nodes->pdata[j];

      for (int k = 0; k < node->n_weights; k++)
        if (g_hash_table_add (names, node->weights[k].name))
          g_ptr_array_add (weights, &node->weights[k]);
    }
  return weights;
}

static double
parameters_of (VfiGraph *graphs[VFI_MAX_GRAPHS + 1])
{
  g_autoptr (GPtrArray) weights = weights_of (graphs);
  double sum = 0;

  for (guint i = 0; i < weights->len; i++) {
    const VfiWeightSpec *spec = weights->pdata[i];
    double n = 1;

    for (int d = 0; d < spec->rank; d++)
      n *= spec->shape[d];
    sum += n;
  }
  return sum;
}

/* The GFLOP that convolutions take of a new frame and one t, for a frame of h x w with its padding; *parameters may be NULL. */
static double
count (const VfiModel *m, int h, int w, double *parameters)
{
  const int up = m->multiple - 1;
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  double flop = 0;

  vfi_model_graphs (m, VFI_F32, (h + up) / m->multiple * m->multiple, (w + up) / m->multiple * m->multiple, 1, graphs);
  for (int i = 0; graphs[i]; i++)
    for (guint j = 0; j < graphs[i]->nodes->len; j++) {
      const VfiNode *node = graphs[i]->nodes->pdata[j];

      if (node->op == &vfi_op_conv2d || node->op == &vfi_op_sepconv ||
          node->op == &vfi_op_contextual_attention) /* which have convolutions in them */
        flop += node->op->flop (node);
    }
  if (parameters)
    *parameters = parameters_of (graphs);
  vfi_graphs_free (graphs);
  return flop * 1e-9;
}

/* What a network that fills holes sees, each way, whatever the frame's size; 0: it fills none. */
static int
hole_side (const VfiModel *m)
{
  return strcmp (m->task, "inpainting") == 0 ? VFI_FILL_SIZE : strcmp (m->task, "completion") == 0 ? VFI_COMPLETE_SIZE : 0;
}

VfiModelInfo *
vfi_model_list (void)
{
  VfiModelInfo *list;
  int n = 0;

  while (vfi_models[n])
    n++;
  list = g_new0 (VfiModelInfo, n + 1);
  for (int i = 0; i < n; i++) {
    const VfiModel *m = vfi_models[i];

    list[i] =
        (VfiModelInfo){ m->name, m->task, m->summary, m->paper, m->any_t, .source = m->source, .weights = vfi_model_find_weights (m) };
    const int side = hole_side (m), h = side ? side : 1080, w = side ? side : 1920, square = side ? side : 1024;
    list[i].gflop_per_mp = count (m, square, square, &list[i].parameters) * 1e6 / square / square;
    list[i].gflop = count (m, h, w, NULL);
  }
  return list;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(const VfiWeightSpec *const *) a)->name, (*(const VfiWeightSpec *const *) b)->name);
}

char *
vfi_model_weight_names (const char *model, GError **error)
{
  const VfiModel *m = vfi_model_find (model, error);
  g_autoptr (GPtrArray) weights = NULL;
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  GString *text;

  if (!m)
    return NULL;
  vfi_model_graphs (m, VFI_F32, m->multiple * 4, m->multiple * 4, 1, graphs);
  weights = weights_of (graphs);
  g_ptr_array_sort (weights, by_name);
  text = g_string_new (NULL);
  for (guint i = 0; i < weights->len; i++) {
    const VfiWeightSpec *spec = weights->pdata[i];

    g_string_append_printf (text, "%s%s", i ? "\n" : "", spec->name);
    for (int d = 0; d < spec->rank; d++)
      g_string_append_printf (text, " %d", spec->shape[d]);
  }
  vfi_graphs_free (graphs);
  return g_string_free (text, FALSE);
}

void
vfi_model_list_free (VfiModelInfo *list)
{
  if (list)
    for (VfiModelInfo *m = list; m->name; m++)
      g_free (m->weights);
  g_free (list);
}
