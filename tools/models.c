/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi models: what networks there are, where their weights lie, and what they cost.
 */
#include <glib/gstdio.h>

#include "tool.h"

int
tool_models (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (context, "Lists the networks this build knows, in order of preference.");
  if (!tool_parse (context, &argc, &argv))
    return TOOL_USAGE;
  if (argc > 1)
    return tool_usage ("'%s' is too much: this command takes no arguments", argv[1]);

  VfiModelInfo *list = vfi_model_list ();
  for (const VfiModelInfo *m = list; m->name; m++) {
    printf ("%s%s: %s, %s\n", m == list ? "" : "\n", m->name, m->task, m->summary);
    printf ("  times       %s\n", m->any_t ? "any t between two frames" : "t = 1/2; others by halving");
    printf ("  parameters  %.3f million\n", m->parameters * 1e-6);
    printf ("  cost        %.2f GFLOP per megapixel (%.1f for 1280x720, %.1f for 1920x1080)\n", m->gflop_per_mp,
            m->gflop_per_mp * 1280 * 720 * 1e-6, m->gflop_per_mp * 1920 * 1080 * 1e-6);
    GStatBuf st;
    if (m->weights && g_stat (m->weights, &st) == 0)
      printf ("  weights     %s (%.2f MB)\n", m->weights, (double) st.st_size * 1e-6);
    else
      printf ("  weights     none installed; give a file with --weights, or the element's property\n");
    printf ("  paper       %s\n", m->paper);
  }
  vfi_model_list_free (list);
  return TOOL_OK;
}
