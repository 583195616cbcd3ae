/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reading command lines: the options that every subcommand with a network takes, and errors in one voice.
 */
#include <stdarg.h>
#include <string.h>

#include "tool.h"

static void
print_error (const char *format, va_list args)
{
  g_autofree char *text = g_strdup_vprintf (format, args);
  fprintf (stderr, "%s: %s\n", g_get_prgname (), text);
}

void
tool_error (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  print_error (format, args);
  va_end (args);
}

int
tool_usage (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  print_error (format, args);
  va_end (args);
  fprintf (stderr, "'%s --help' explains\n", g_get_prgname ());
  return TOOL_USAGE;
}

/* Entries that fill `s`, which must outlive the context. */
static GOptionGroup *
session_group (ToolSession *s)
{
  const GOptionEntry entries[] = {
    { "model", 0, 0, G_OPTION_ARG_STRING, &s->model, "network: auto, or a name of 'vfi models'", "NAME" },
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &s->weights, "weights of the network (default: those it comes with)", "FILE" },
    { "backend", 0, 0, G_OPTION_ARG_STRING, &s->backend, "auto, cpu or cuda", "WORD" },
    { "precision", 0, 0, G_OPTION_ARG_STRING, &s->precision, "auto, fp32, bf16 or fp16", "WORD" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &s->threads, "threads of the CPU backend (default: all)", "N" },
    { "flow-scale", 0, 0, G_OPTION_ARG_DOUBLE, &s->flow_scale, "0.25 to 1: the size at which motion is worked out", "X" },
    { NULL },
  };
  GOptionGroup *group = g_option_group_new ("network", "Network:", "Network options", NULL, NULL);
  g_option_group_add_entries (group, entries);
  return group;
}

void
tool_session_clear (ToolSession *s)
{
  g_free (s->model);
  g_free (s->weights);
  g_free (s->backend);
  g_free (s->precision);
}

/* The index of `word` in the NULL-terminated `words`; 0 for NULL, -1 with *error if it is none of them. */
static int
choose (const char *option, const char *word, const char *const *words, GError **error)
{
  for (int i = 0; words[i]; i++)
    if (!word || strcmp (word, words[i]) == 0)
      return i;
  g_autofree char *all = g_strjoinv (", ", (char **) words);
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "--%s: '%s' is none of %s", option, word, all);
  return -1;
}

gboolean
tool_session_options (const ToolSession *s, VfiOptions *options, GError **error)
{
  static const char *const backends[] = { "auto", "cpu", "cuda", "reference", NULL };
  static const char *const precisions[] = { "auto", "fp32", "bf16", "fp16", NULL };
  int backend = choose ("backend", s->backend, backends, error);
  if (backend < 0)
    return FALSE;
  int precision = choose ("precision", s->precision, precisions, error);
  if (precision < 0)
    return FALSE;
  if (s->threads < 0 || s->flow_scale < 0) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "--%s cannot be negative", s->threads < 0 ? "threads" : "flow-scale");
    return FALSE;
  }
  *options = (VfiOptions){
    .model = s->model,
    .weights = s->weights,
    .backend = (VfiBackendKind) backend,
    .precision = (VfiPrecision) precision,
    .threads = s->threads,
    .flow_scale = s->flow_scale,
  };
  return TRUE;
}

gboolean
tool_parse (const char *arguments, const char *summary, const GOptionEntry *entries, ToolSession *session, GOptionGroup *gst, int *argc,
            char ***argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (arguments);
  g_autoptr (GError) error = NULL;
  g_option_context_set_summary (context, summary);
  g_option_context_add_main_entries (context, entries, NULL);
  if (session)
    g_option_context_add_group (context, session_group (session));
  if (gst)
    g_option_context_add_group (context, gst);
  if (g_option_context_parse (context, argc, argv, &error))
    return TRUE;
  tool_usage ("%s", error->message);
  return FALSE;
}

gboolean
tool_parse_size (const char *text, int *width, int *height)
{
  char rest;
  return sscanf (text, "%dx%d%c", width, height, &rest) == 2 && *width > 0 && *height > 0;
}

gboolean
tool_parse_rate (const char *option, const char *text, char **fraction, GError **error)
{
  char *end;
  double value = g_ascii_strtod (text, &end);
  gint64 n = 0, d = 1;
  if (*end == '/') {
    n = g_ascii_strtoll (text, NULL, 10);
    d = g_ascii_strtoll (end + 1, &end, 10);
  } else if (value > 0 && value < 100000) {
    gint64 film = (gint64) (value * 1.001 + 0.5);
    n = (gint64) (value * 1000 + 0.5);
    d = 1000;
    if (n % 1000 != 0 && ABS (film * 1000 / 1001.0 - value) < 0.005) {
      n = film * 1000;
      d = 1001;
    }
  }
  if (*end || end == text || n <= 0 || d <= 0 || n > G_MAXINT || d > G_MAXINT) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "--%s: '%s' is not a positive number or fraction such as 60 or 60000/1001", option, text);
    return FALSE;
  }
  *fraction = g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, n, d);
  return TRUE;
}
