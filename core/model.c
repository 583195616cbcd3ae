/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The list of networks as applications see it. Costs and sizes are read off the graphs themselves.
 */
#include "model.h"

#include "op.h"
#include "vfi.h"

char *
vfi_model_find_weights (const VfiModel *model)
{
  const char *path = g_getenv ("VFI_WEIGHTS_PATH");
  char *all = g_strdup_printf ("%s%s%s", path ? path : "", path ? G_SEARCHPATH_SEPARATOR_S : "", VFI_WEIGHTS_DIR);
  char **dirs = g_strsplit (all, G_SEARCHPATH_SEPARATOR_S, -1);
  char *base = g_strconcat (model->name, ".safetensors", NULL), *found = NULL;

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

const VfiModel *
vfi_model_find (const char *name, GError **error)
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
    g_string_append_printf (names, ", %s", (*m)->name);
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "there is no model \"%s\"; there are: auto%s", name, names->str);
  g_string_free (names, TRUE);
  return NULL;
}

/* Adds the convolutions' arithmetic, and weights that were not seen, of one graph. */
static void
count_graph (const VfiModel *m, void (*build) (VfiGraph *, const VfiModel *, int, int), int h, int w, GHashTable *seen, double *flop,
             double *parameters)
{
  VfiGraph *g;

  if (!build)
    return;
  g = vfi_graph_new (VFI_F32);
  build (g, m, h, w);
  for (guint i = 0; i < g->nodes->len; i++) {
    const VfiNode *node = g->nodes->pdata[i];

    if (node->op == &vfi_op_conv2d || node->op == &vfi_op_sepconv) /* which has convolutions in it */
      *flop += node->op->flop (node);
    for (int j = 0; j < node->n_weights; j++) {
      double n = 1;

      for (int k = 0; k < node->weights[j].rank; k++)
        n *= node->weights[j].shape[k];
      if (g_hash_table_add (seen, g_strdup (node->weights[j].name)))
        *parameters += n;
    }
  }
  vfi_graph_free (g);
}

/* The GFLOP of a new frame and one t, for a frame of h x w with its padding; adds to *parameters. */
static double
count (const VfiModel *m, int h, int w, double *parameters)
{
  const int up = m->multiple - 1;
  GHashTable *seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  double flop = 0;

  h = (h + up) / m->multiple * m->multiple;
  w = (w + up) / m->multiple * m->multiple;
  count_graph (m, m->frame, h, w, seen, &flop, parameters);
  count_graph (m, m->pair, h, w, seen, &flop, parameters);
  count_graph (m, m->at, h, w, seen, &flop, parameters);
  g_hash_table_unref (seen);
  return flop * 1e-9;
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
    double parameters = 0, again = 0;

    list[i] =
        (VfiModelInfo){ m->name, m->task, m->summary, m->paper, m->any_t, .source = m->source, .weights = vfi_model_find_weights (m) };
    list[i].gflop_per_mp = count (m, 1024, 1024, &parameters) * 1e6 / 1024 / 1024;
    list[i].gflop_hd = count (m, 1080, 1920, &again);
    list[i].parameters = parameters;
  }
  return list;
}

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char *
vfi_model_weight_names (const char *model, GError **error)
{
  const VfiModel *m = vfi_model_find (model, error);
  GHashTable *seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GPtrArray *lines = g_ptr_array_new ();
  char *text;

  for (int i = 0; i < 3 && m; i++) {
    void (*build) (VfiGraph *, const VfiModel *, int, int) = i == 0 ? m->frame : i == 1 ? m->pair : m->at;
    VfiGraph *g = vfi_graph_new (VFI_F32);

    if (build)
      build (g, m, m->multiple * 4, m->multiple * 4);
    for (guint j = 0; j < g->nodes->len; j++) {
      const VfiNode *node = g->nodes->pdata[j];

      for (int k = 0; k < node->n_weights; k++) {
        GString *line = g_string_new (node->weights[k].name);

        for (int d = 0; d < node->weights[k].rank; d++)
          g_string_append_printf (line, " %d", node->weights[k].shape[d]);
        if (g_hash_table_add (seen, g_strdup (line->str)))
          g_ptr_array_add (lines, g_string_free (line, FALSE));
        else
          g_string_free (line, TRUE);
      }
    }
    vfi_graph_free (g);
  }
  g_ptr_array_sort (lines, compare_lines);
  g_ptr_array_add (lines, NULL);
  text = m ? g_strjoinv ("\n", (char **) lines->pdata) : NULL;
  for (guint i = 0; i + 1 < lines->len; i++)
    g_free (lines->pdata[i]);
  g_ptr_array_unref (lines);
  g_hash_table_unref (seen);
  return text;
}

void
vfi_model_list_free (VfiModelInfo *list)
{
  if (list)
    for (VfiModelInfo *m = list; m->name; m++)
      g_free (m->weights);
  g_free (list);
}
