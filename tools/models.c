/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi models: what networks there are, where their weights lie, and what they cost.
 */
#include <glib/gstdio.h>

#include "tool.h"

static void
list_weights (const VfiModelInfo *list)
{
  for (const VfiModelInfo *m = list; m->name; m++) {
    g_autofree char *text = vfi_model_weight_names (m->name, NULL);
    g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
    for (char **line = lines; *line; line++)
      printf ("%s %s\n", m->name, *line);
  }
}

int
tool_models (int argc, char **argv)
{
  gboolean weights = FALSE;
  const GOptionEntry entries[] = {
    { "weights", 0, 0, G_OPTION_ARG_NONE, &weights, "Names and shapes of the weights instead: lines of MODEL NAME SIZE SIZE ...", NULL },
    { NULL },
  };
  if (!tool_parse (NULL, "Lists the networks this build knows, in order of preference.", entries, NULL, NULL, &argc, &argv))
    return TOOL_USAGE;
  if (argc > 1)
    return tool_usage ("'%s' is too much: this command takes no arguments", argv[1]);

  VfiModelInfo *list = vfi_model_list ();
  if (weights) {
    list_weights (list);
    vfi_model_list_free (list);
    return TOOL_OK;
  }
  for (const VfiModelInfo *m = list; m->name; m++) {
    printf ("%s%s: %s, %s\n", m == list ? "" : "\n", m->name, m->task, m->summary);
    if (strcmp (m->task, "interpolation") == 0)
      printf ("  times       %s\n", m->any_t ? "any t between two frames" : "t = 1/2; others by halving");
    printf ("  parameters  %.3f million\n", m->parameters * 1e-6);
    if (strcmp (m->task, "inpainting") == 0 || strcmp (m->task, "completion") == 0)
      printf ("  cost        %.3g GFLOP for a hole of any size\n", m->gflop);
    else
      printf ("  cost        %.1f GFLOP for a frame of 1920x1080, its padding included; %.2f per megapixel\n", m->gflop, m->gflop_per_mp);
    GStatBuf st;
    if (m->weights && g_stat (m->weights, &st) == 0)
      printf ("  weights     %s (%.2f MB)\n", m->weights, (double) st.st_size * 1e-6);
    else
      printf ("  weights     none installed; give a file with --weights, or the element's property\n");
    printf ("  paper       %s\n", m->paper);
    if (m->source) {
      printf ("  checkpoint  of %s\n", m->source);
      printf ("  convert     tools/convert.py CHECKPOINT %s.safetensors --model %s\n", m->name, m->name);
    }
  }
  vfi_model_list_free (list);
  return TOOL_OK;
}
