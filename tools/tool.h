/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the subcommands of vfi share: exit codes, the command table, options of a session, progress.
 */
#pragma once

#include <stdio.h>

#include <glib.h>

#include "vfi.h"

enum
{
  TOOL_OK = 0,
  TOOL_FAILED = 1,
  TOOL_USAGE = 2,
  TOOL_INTERRUPTED = 130,
};

typedef struct
{
  const char *name, *summary;
  int (*run) (int argc, char **argv); /* argv[0] is the subcommand's name; returns an exit code */
} ToolCommand;

int tool_interp (int argc, char **argv);
int tool_eval (int argc, char **argv);
int tool_eval_flow (int argc, char **argv);
int tool_eval_inpaint (int argc, char **argv);
int tool_flow (int argc, char **argv);
int tool_inpaint (int argc, char **argv);
int tool_models (int argc, char **argv);
int tool_bench (int argc, char **argv);
int tool_sheet (int argc, char **argv);

/* ---- options.c ---------------------------------------------------------------------------------- */

/* "vfi interp: ..." on stderr, with a newline. */
void tool_error (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* The same, and where to read on. Returns TOOL_USAGE. */
int tool_usage (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* The options that choose and tune a network, as given; NULL and 0 where they were not. */
typedef struct
{
  char *model, *weights, *backend, *precision;
  int threads;
  double flow_scale;
} ToolSession;

void tool_session_clear (ToolSession *session);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolSession, tool_session_clear)
/* For libvfi; borrows the strings. FALSE with VFI_ERROR_ARG for a word that is none of the choices. */
gboolean tool_session_options (const ToolSession *session, VfiOptions *options, GError **error);

/* Parses and removes a subcommand's options: its own, its network's into `session`, GStreamer's (gst_init_get_option_group), both of which may be NULL.
 * On failure says what and returns FALSE (exit with TOOL_USAGE). --help exits. */
gboolean tool_parse (const char *arguments, const char *summary, const GOptionEntry *entries, ToolSession *session, GOptionGroup *gst,
                     int *argc, char ***argv);

/* "1280x720"; FALSE if it is not a size. */
gboolean tool_parse_size (const char *text, int *width, int *height);
/* "60", "60000/1001", "59.94" (the usual rates of 1000/1001 are meant exactly) of --option, as a fraction; g_free. */
gboolean tool_parse_rate (const char *option, const char *text, char **fraction, GError **error);

/* ---- files.c ------------------------------------------------------------------------------------ */

/* FALSE with an error if `in` is no file or folder, or `out` cannot be written beside it. */
gboolean tool_check_paths (const char *in, const char *out, GError **error);

/* Names (char *) of what a folder holds, in order, without hidden ones. NULL with an error if it cannot be read. */
GPtrArray *tool_folder_list (const char *dir, GError **error);
/* With those above it; there may be one already. */
gboolean tool_folder_make (const char *path, GError **error);
/* Files in a folder, whose own name is not for printf, by a pattern that is ("%06d.png"); g_free. */
char *tool_folder_pattern (const char *dir, const char *names);
/* Makes the folder of a page's pictures: page.html has page_files beside it. g_free; NULL if it cannot be made. */
char *tool_page_folder (const char *page, GError **error);
/* One field, quoted where it must be, and the comma after it. */
void tool_csv_word (GString *s, const char *word);

/* ---- progress.c --------------------------------------------------------------------------------- */

/* A bar with an estimate on a terminal, a line every tenth elsewhere; on stderr. */
typedef struct
{
  gint64 start, shown; /* monotonic microseconds */
  int tenth;
  gboolean tty;
} ToolProgress;

void tool_progress_start (ToolProgress *p);
/* fraction 0 to 1, or negative if the whole is unknown; detail: a few words, may be NULL. Cheap: draws ten times a second at most. */
void tool_progress_update (ToolProgress *p, double fraction, const char *detail);
/* Clears the bar. Returns the seconds since the start. */
double tool_progress_end (ToolProgress *p);
