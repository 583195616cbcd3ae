/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What 'vfi eval inpaint' has found out, for its table, its CSV and its page.
 */
#pragma once

#include "holescore.h"

typedef struct
{
  char *title;
  gboolean removed;          /* real objects removed: no truth */
  GPtrArray *kinds;          /* of char *: "stationary" ... */
  GPtrArray *sequences;      /* of char *, names */
  GPtrArray *words, *labels; /* of char *: of the methods; the last, "truth", is there unless `removed` */
  GPtrArray *sheets;         /* of char *: names of pictures in the page's folder, NULL where there is none; kind by kind */
  ToolHoleScore *scores;     /* [kind][sequence][method]; all NAN where nothing was done */
} ToolHoleEval;

ToolHoleScore *tool_hole_eval_at (const ToolHoleEval *e, guint kind, guint sequence, guint method);

/* ---- holereport.c ------------------------------------------------------------------------------- */

void tool_hole_report_text (const ToolHoleEval *e);
/* A row for each kind, sequence and method; empty fields where there is no figure. */
gboolean tool_hole_report_csv (const ToolHoleEval *e, const char *path, GError **error);
/* columns: what the sheets' pictures are, from left to right; folder: their folder's name, beside the page. */
gboolean tool_hole_report_page (const ToolHoleEval *e, const char *path, const char *folder, const char *columns, GError **error);
