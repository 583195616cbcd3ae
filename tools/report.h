/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What 'vfi eval interp' has found out, for its table, its CSV and its page.
 */
#pragma once

#include "score.h"

typedef struct
{
  char *set, *name;
  char *files[4];           /* first, truth, last; and the one that follows in a sequence, or NULL */
  double t;                 /* when the truth was: 1/2 in the middle */
  ToolScore score, average; /* of the network; of the mean of both frames */
} ToolCase;

typedef struct
{
  GPtrArray *cases;  /* of ToolCase; cases of one set lie together */
  char *title;       /* "vfi-nano, cpu (oneDNN 2.6.3), bf16" */
  gboolean baseline; /* show averages too */
} ToolEval;

void tool_report_text (const ToolEval *e);
/* Columns set,name,psnr,ssim,ie. */
gboolean tool_report_csv (const ToolEval *e, const char *path, GError **error);

/* The page's pictures lie in a folder beside it. NULL if that cannot be made. */
typedef struct _ToolPage ToolPage;
ToolPage *tool_page_new (const char *path, GError **error);
/* Writes the pictures of case i. */
gboolean tool_page_add (ToolPage *page, guint i, const ToolPicture *truth, const ToolPicture *made, GError **error);
gboolean tool_page_write (ToolPage *page, const ToolEval *e, GError **error);
void tool_page_free (ToolPage *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolPage, tool_page_free)
