/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ways to fill holes in a sequence, ours and those it is held against, behind one call.
 */
#pragma once

#include "picture.h"

typedef struct _ToolFiller ToolFiller;

typedef struct
{
  VfiOptions session;
  VfiInpaintOptions inpaint; /* `causal` has lookahead 0 whatever is said here */
} ToolFillerOptions;

/* word: ours, causal, last, telea or ns. The strings of the options are borrowed. */
ToolFiller *tool_filler_new (const char *word, const ToolFillerOptions *options, GError **error);
void tool_filler_free (ToolFiller *filler);

/* The words whose methods this build has, best known first; ends with NULL. */
const char *const *tool_filler_words (void);
const char *tool_filler_word (const ToolFiller *filler);
/* "ours, lookahead 10" */
const char *tool_filler_label (const ToolFiller *filler);
/* "vfi-flow-nano, cpu (oneDNN 2.6.3), bf16; ...", after a run; NULL where there is nothing to say. g_free. */
char *tool_filler_details (const ToolFiller *filler);

/* Fills n frames in order, as a stream from its beginning, into `made`, whose pictures are there already. All of one size. *seconds: for all. */
gboolean tool_filler_run (ToolFiller *filler, guint n, ToolPicture *const *frames, guint8 *const *masks, ToolPicture *const *made,
                          double *seconds, GError **error);
