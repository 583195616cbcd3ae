/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Progress of long work: a bar that redraws itself on a terminal, few plain lines in a log.
 */
#include <unistd.h>

#include "tool.h"

#define BAR_CELLS 30

void
tool_progress_start (ToolProgress *p)
{
  *p = (ToolProgress){ .start = g_get_monotonic_time (), .tty = isatty (STDERR_FILENO) };
}

void
tool_progress_update (ToolProgress *p, double fraction, const char *detail)
{
  gint64 now = g_get_monotonic_time ();
  gint64 interval = p->tty ? G_USEC_PER_SEC / 10 : fraction < 0 ? 10 * G_USEC_PER_SEC : 0;
  fraction = MIN (fraction, 1);
  int tenth = (int) (fraction * 10);
  if (now - p->shown < interval || (!p->tty && fraction >= 0 && tenth <= p->tenth))
    return;
  p->shown = now;
  p->tenth = tenth;

  g_autoptr (GString) line = g_string_new (NULL);
  if (fraction >= 0) {
    if (p->tty) {
      g_string_append_c (line, '[');
      for (int i = 0; i < BAR_CELLS; i++)
        g_string_append_c (line, i < fraction * BAR_CELLS ? '#' : '.');
      g_string_append (line, "] ");
    }
    g_string_append_printf (line, "%3.0f%%", fraction * 100);
    double elapsed = (double) (now - p->start) / G_USEC_PER_SEC;
    if (elapsed > 1 && fraction > 0.005 && fraction < 1) {
      int left = (int) (elapsed * (1 - fraction) / fraction + 0.5);
      if (left >= 3600)
        g_string_append_printf (line, "  %d:%02d:%02d left", left / 3600, left / 60 % 60, left % 60);
      else
        g_string_append_printf (line, "  %d:%02d left", left / 60, left % 60);
    }
  }
  if (detail)
    g_string_append_printf (line, "%s%s", line->len ? "  " : "", detail);
  fprintf (stderr, p->tty ? "\r%s\033[K" : "%s\n", line->str);
}

double
tool_progress_end (ToolProgress *p)
{
  if (p->tty)
    fputs ("\r\033[K", stderr);
  return (double) (g_get_monotonic_time () - p->start) / G_USEC_PER_SEC;
}
