/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi, the command-line program: a table of subcommands.
 */
#include <locale.h>
#include <string.h>

#include "tool.h"

static const ToolCommand commands[] = {
  { "interp", "interpolate a video file: more frames a second, or slow motion", tool_interp },
  { "flow", "optical flow of a video file: a video of its colours, or .flo files", tool_flow },
  { "inpaint", "remove what a mask or rectangles cover from a video file", tool_inpaint },
  { "eval", "score a network on images with known truth", tool_eval },
  { "models", "list the networks, their weights and their cost", tool_models },
  { "bench", "measure speed, stage by stage, against this machine's own rates", tool_bench },
  { "sheet", "lay real and synthesized frames of a slow-motion video side by side", tool_sheet },
};

static void
print_help (void)
{
  printf ("vfi - video frames that the camera did not deliver\n\nUsage:\n  vfi COMMAND [OPTION...]\n\nCommands:\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    printf ("  %-8s %s\n", commands[i].name, commands[i].summary);
  printf ("\n'vfi COMMAND --help' explains a command. --version prints the version.\n"
          "Exit status: 0 done, 1 failed, 2 wrong use, 130 interrupted.\n");
}

static const ToolCommand *
find_command (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i].name, name) == 0)
      return &commands[i];
  return NULL;
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C"); /* a point is a point in tables, CSV and pipelines */
  g_set_prgname ("vfi");

  if (argc < 2) {
    print_help ();
    return TOOL_USAGE;
  }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0 || (strcmp (argv[1], "help") == 0 && argc == 2)) {
    print_help ();
    return TOOL_OK;
  }
  if (strcmp (argv[1], "--version") == 0) {
    printf ("vfi %s\n", vfi_version ());
    return TOOL_OK;
  }

  gboolean help = strcmp (argv[1], "help") == 0;
  const char *name = argv[help ? 2 : 1];
  const ToolCommand *command = find_command (name);
  if (!command) {
    g_autoptr (GString) names = g_string_new (NULL);
    for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
      g_string_append_printf (names, "%s%s", i ? ", " : "", commands[i].name);
    tool_error ("'%s' is not a command; commands are %s", name, names->str);
    return TOOL_USAGE;
  }
  g_autofree char *prgname = g_strconcat ("vfi ", name, NULL);
  g_set_prgname (prgname);
  if (help)
    return command->run (2, (char *[]){ argv[2], "--help", NULL });
  return command->run (argc - 1, argv + 1);
}
