/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filler.h"

#include <string.h>

#include "opencv.h"

typedef gboolean (*Run) (ToolFiller *filler, guint n, ToolPicture *const *frames, guint8 *const *masks, ToolPicture *const *made,
                         GError **error);

struct _ToolFiller
{
  const char *word;
  char *label;
  Run run;
  ToolFillerOptions options;
  VfiInpaint *session; /* made on the first run */
};

static gboolean
run_session (ToolFiller *f, guint n, ToolPicture *const *frames, guint8 *const *masks, ToolPicture *const *made, GError **error)
{
  VfiFrameInfo info;
  VfiFrame frame;
  guint pulled = 0;
  vfi_inpaint_reset (f->session);
  for (guint i = 0; i <= n; i++) {
    VfiInpaintStatus status = VFI_INPAINT_MORE;
    if (i < n) {
      const VfiMask mask = { frames[i]->width, frames[i]->height, masks[i], frames[i]->width };
      tool_picture_frame (frames[i], &info, &frame);
      if (!vfi_inpaint_push (f->session, &frame, &mask, error))
        return FALSE;
    } else {
      vfi_inpaint_flush (f->session);
    }
    while (pulled < n) {
      tool_picture_frame (made[pulled], &info, &frame);
      if ((status = vfi_inpaint_pull (f->session, &frame, error)) != VFI_INPAINT_DONE)
        break;
      pulled++;
    }
    if (status == VFI_INPAINT_FAILED)
      return FALSE;
  }
  if (pulled < n)
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "the session kept %u of %u frames after the end", n - pulled, n);
  return pulled == n;
}

/* Each pixel of a hole has the colour that it last had outside of one; before there is one, the mean of what is known. */
static gboolean
run_last_seen (ToolFiller *f, guint n, ToolPicture *const *frames, guint8 *const *masks, ToolPicture *const *made, GError **error)
{
  const gsize size = (gsize) frames[0]->width * (gsize) frames[0]->height;
  g_autofree guint8 *colour = g_malloc (3 * size), *seen = g_malloc0 (size);
  for (guint i = 0; i < n; i++) {
    guint64 sum[3] = { 0 }, count = 0;
    memcpy (made[i]->data, frames[i]->data, 3 * size);
    for (gsize k = 0; k < size; k++)
      if (!masks[i][k]) {
        memcpy (colour + 3 * k, frames[i]->data + 3 * k, 3);
        seen[k] = 1;
        count++;
        for (int c = 0; c < 3; c++)
          sum[c] += frames[i]->data[3 * k + c];
      }
    for (gsize k = 0; k < size; k++)
      for (int c = 0; c < 3 && masks[i][k]; c++)
        made[i]->data[3 * k + c] = seen[k] ? colour[3 * k + c] : (guint8) (count ? (sum[c] + count / 2) / count : 128);
  }
  return TRUE;
}

static gboolean
run_opencv (ToolFiller *f, guint n, ToolPicture *const *frames, guint8 *const *masks, ToolPicture *const *made, GError **error)
{
  const ToolOpencvInpaint method = strcmp (f->word, "ns") == 0 ? TOOL_OPENCV_NAVIER_STOKES : TOOL_OPENCV_TELEA;
  for (guint i = 0; i < n; i++)
    if (!tool_opencv_inpaint (method, frames[i], masks[i], made[i], error))
      return FALSE;
  return TRUE;
}

const char *const *
tool_filler_words (void)
{
  static const char *const all[] = { "ours", "causal", "last", "telea", "ns", NULL };
  static const char *const own[] = { "ours", "causal", "last", NULL };
  return tool_opencv_version () ? all : own;
}

ToolFiller *
tool_filler_new (const char *word, const ToolFillerOptions *options, GError **error)
{
  ToolFiller f = { .options = *options };
  const char *const *words = tool_filler_words ();
  for (int i = 0; words[i]; i++)
    if (strcmp (words[i], word) == 0)
      f.word = words[i];
  if (!f.word) {
    g_autofree char *all = g_strjoinv (", ", (char **) words);
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "'%s' is no method of this build: %s", word, all);
    return NULL;
  }
  if (strcmp (word, "causal") == 0)
    f.options.inpaint.lookahead = 0;
  if (strcmp (word, "last") == 0) {
    f.run = run_last_seen;
    f.label = g_strdup ("last seen pixel");
  } else if (strcmp (word, "telea") == 0 || strcmp (word, "ns") == 0) {
    f.run = run_opencv;
    f.label = g_strdup_printf ("%s (OpenCV %s)", strcmp (word, "ns") == 0 ? "Navier-Stokes" : "Telea", tool_opencv_version ());
  } else {
    f.run = run_session;
    f.label = f.options.inpaint.lookahead ? g_strdup_printf ("ours, lookahead %d", f.options.inpaint.lookahead) : g_strdup ("ours, causal");
  }
  return g_memdup2 (&f, sizeof f);
}

void
tool_filler_free (ToolFiller *f)
{
  if (!f)
    return;
  if (f->session)
    vfi_inpaint_free (f->session);
  g_free (f->label);
  g_free (f);
}

const char *
tool_filler_word (const ToolFiller *f)
{
  return f->word;
}

const char *
tool_filler_label (const ToolFiller *f)
{
  return f->label;
}

char *
tool_filler_details (const ToolFiller *f)
{
  VfiInpaintInfo info;
  if (!f->session)
    return NULL;
  vfi_inpaint_get_info (f->session, &info);
  return g_strdup_printf ("flow %s; what no frame shows %s; %s, %s", info.flow.model ? info.flow.model : "none",
                          info.model && *info.model ? info.model : "none", info.flow.backend ? info.flow.backend : "none",
                          info.flow.precision ? info.flow.precision : "none");
}

gboolean
tool_filler_run (ToolFiller *f, guint n, ToolPicture *const *frames, guint8 *const *masks, ToolPicture *const *made, double *seconds,
                 GError **error)
{
  if (f->run == run_session) { /* outside of the time: plans are made once in the life of a stream */
    VfiFrameInfo info;
    VfiFrame frame;
    tool_picture_frame (frames[0], &info, &frame);
    if (f->session ? !vfi_inpaint_set_info (f->session, &info, error)
                   : !(f->session = vfi_inpaint_new (&info, &f->options.session, &f->options.inpaint, error)))
      return FALSE;
  }
  const gint64 start = g_get_monotonic_time ();
  const gboolean good = f->run (f, n, frames, masks, made, error);
  *seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  return good;
}
