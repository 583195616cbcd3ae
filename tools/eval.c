/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi eval interp: the frame in the middle of every triplet, or those between every Nth of a sequence, made again and compared with the truth.
 */
#include "report.h"

#include <string.h>

#include <gst/gst.h>

#include "tool.h"

static void
case_free (gpointer data)
{
  ToolCase *c = data;
  g_free (c->set);
  g_free (c->name);
  for (int i = 0; i < 3; i++)
    g_free (c->files[i]);
  g_free (c);
}

static gboolean
is_picture (const char *name)
{
  static const char *const endings[] = { ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".ppm", ".webp" };
  g_autofree char *lower = g_ascii_strdown (name, -1);
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (lower, endings[i]))
      return TRUE;
  return FALSE;
}

static void
add_case (GPtrArray *cases, const char *set, const char *name, char *const *first, char *const *truth, char *const *last, double t)
{
  ToolCase *c = g_new0 (ToolCase, 1);

  c->set = g_strdup (set);
  c->name = g_strdup (name);
  c->files[0] = g_strdup (*first);
  c->files[1] = g_strdup (*truth);
  c->files[2] = g_strdup (*last);
  c->t = t;
  g_ptr_array_add (cases, c);
}

/* Adds dir if it holds three pictures, or, if multiplier is not 0, a sequence of more than `multiplier`; then every folder in it, in order. */
static gboolean
collect (GPtrArray *cases, const char *dir, int multiplier, GError **error)
{
  g_autoptr (GPtrArray) names = tool_folder_list (dir, error);
  if (!names)
    return FALSE;
  g_autoptr (GPtrArray) pictures = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) folders = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < names->len; i++) {
    char *path = g_build_filename (dir, names->pdata[i], NULL);
    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      g_ptr_array_add (folders, path);
    else if (is_picture (names->pdata[i]))
      g_ptr_array_add (pictures, path);
    else
      g_free (path);
  }

  g_autofree char *parent = g_path_get_dirname (dir);
  g_autofree char *set = g_path_get_basename (parent), *own = g_path_get_basename (dir);
  char **files = (char **) pictures->pdata;
  if (multiplier && pictures->len > (guint) multiplier) {
    for (guint first = 0; first + (guint) multiplier < pictures->len; first += (guint) multiplier)
      for (int k = 1; k < multiplier; k++) {
        char **truth = files + first + k;
        g_autofree char *name = g_path_get_basename (*truth);
        add_case (cases, own, name, files + first, truth, files + first + multiplier, (double) k / multiplier);
      }
  } else if (!multiplier && pictures->len == 3) {
    add_case (cases, set, own, files, files + 1, files + 2, 0.5);
  } else if (pictures->len && multiplier) {
    tool_error ("warning: %s: %u pictures, not more than %d: left out", dir, pictures->len, multiplier);
  } else if (pictures->len) {
    tool_error ("warning: %s: %u pictures, not three (first, truth, last): left out", dir, pictures->len);
  }
  for (guint i = 0; i < folders->len; i++)
    if (!collect (cases, folders->pdata[i], multiplier, error))
      return FALSE;
  return TRUE;
}

/* Makes *interp on the first call. */
static ToolPicture *
synthesize (VfiInterp **interp, const VfiOptions *options, const ToolPicture *first, const ToolPicture *last, double t, GError **error)
{
  VfiFrameInfo info;
  VfiFrame a, b, dst;
  g_autoptr (ToolPicture) made = tool_picture_new (first->width, first->height);
  tool_picture_frame (first, &info, &a);
  tool_picture_frame (last, &info, &b);
  tool_picture_frame (made, &info, &dst);
  if (!*interp) {
    if (!(*interp = vfi_interp_new (&info, options, error)))
      return NULL;
  } else if (!vfi_interp_set_info (*interp, &info, error)) {
    return NULL;
  }
  gboolean good = vfi_interp_set_pair (*interp, &a, &b, error) && vfi_interp_at (*interp, t, &dst, error);
  vfi_interp_reset (*interp); /* the pictures go away */
  return good ? g_steal_pointer (&made) : NULL;
}

static ToolPicture *
average (const ToolPicture *a, const ToolPicture *b)
{
  ToolPicture *p = tool_picture_new (a->width, a->height);
  for (gsize i = 0; i < (gsize) a->width * (gsize) a->height * 3; i++)
    p->data[i] = (guint8) ((a->data[i] + b->data[i] + 1) / 2);
  return p;
}

static gboolean
evaluate (ToolEval *e, const VfiOptions *options, ToolPage *page, GError **error)
{
  VfiInterp *interp = NULL;
  gboolean good = TRUE;
  ToolProgress progress;
  tool_progress_start (&progress);
  for (guint i = 0; i < e->cases->len && good; i++) {
    ToolCase *c = e->cases->pdata[i];
    tool_progress_update (&progress, (double) i / e->cases->len, c->name);
    g_autoptr (ToolPicture) first = tool_picture_read (c->files[0], error);
    g_autoptr (ToolPicture) truth = first ? tool_picture_read (c->files[1], error) : NULL;
    g_autoptr (ToolPicture) last = truth ? tool_picture_read (c->files[2], error) : NULL;
    if (last &&
        (last->width != first->width || last->height != first->height || truth->width != first->width || truth->height != first->height)) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s/%s: its pictures differ in size", c->set, c->name);
      good = FALSE;
      break;
    }
    g_autoptr (ToolPicture) made = last ? synthesize (&interp, options, first, last, c->t, error) : NULL;
    good = made && (!page || tool_page_add (page, i, truth, made, error));
    if (good) {
      g_autoptr (ToolPicture) mean = average (first, last);
      c->score = tool_score (truth, made);
      c->average = tool_score (truth, mean);
    }
  }
  tool_progress_end (&progress);
  if (good) {
    VfiInterpInfo info;
    vfi_interp_get_info (interp, &info);
    e->title = g_strdup_printf ("%s, %s, %s", info.model, info.backend, info.precision);
  }
  if (interp)
    vfi_interp_free (interp);
  return good;
}

int
tool_eval (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "flow") == 0)
    return tool_eval_flow (argc - 1, argv + 1);
  if (argc > 1 && strcmp (argv[1], "inpaint") == 0)
    return tool_eval_inpaint (argc - 1, argv + 1);

  g_autofree char *csv = NULL, *html = NULL;
  g_auto (ToolSession) session = { 0 };
  ToolEval e = { 0 };
  int multiplier = 0;
  const GOptionEntry entries[] = {
    { "multiplier", 0, 0, G_OPTION_ARG_INT, &multiplier, "DIR holds sequences: give every Nth picture, score those between", "N" },
    { "csv", 0, 0, G_OPTION_ARG_FILENAME, &csv, "write set,name,psnr,ssim,ie", "FILE" },
    { "html", 0, 0, G_OPTION_ARG_FILENAME, &html, "write a page with pictures, which go into a folder beside it", "FILE" },
    { "baseline", 0, 0, G_OPTION_ARG_NONE, &e.baseline, "show what the mean of both frames scores, too", NULL },
    { NULL },
  };
  if (!tool_parse (
          "interp|flow|inpaint DIR",
          "Scores frame interpolation (the others: vfi eval flow --help, vfi eval inpaint --help). DIR is a folder of three pictures "
          "(first, truth, last, by name), or holds such folders,\nor sets of them; with --multiplier, folders of longer sequences. Means "
          "are over the pictures of a set.",
          entries, &session, gst_init_get_option_group (), &argc, &argv))
    return TOOL_USAGE;
  if (argc < 2 || strcmp (argv[1], "interp") != 0)
    return tool_usage ("wanted: the task, which can be interp, flow or inpaint, and a folder");
  if (argc != 3)
    return tool_usage ("wanted: one folder, got %d", argc - 2);

  if (multiplier && (multiplier < 2 || multiplier > 64))
    return tool_usage ("--multiplier is %d, not 2 to 64", multiplier);

  g_autoptr (GError) error = NULL;
  VfiOptions options;
  if (!tool_session_options (&session, &options, &error))
    return tool_usage ("%s", error->message);

  e.cases = g_ptr_array_new_with_free_func (case_free);
  g_autofree char *dir = g_canonicalize_filename (argv[2], NULL);
  g_autoptr (ToolPage) page = NULL;
  if (collect (e.cases, dir, multiplier, &error) && e.cases->len == 0)
    g_set_error (&error, VFI_ERROR, VFI_ERROR_ARG,
                 multiplier ? "%s: no folder with more than %d pictures in it" : "%s: no folder with three pictures in it", argv[2],
                 multiplier);
  if (!error && html)
    page = tool_page_new (html, &error);
  if (!error && evaluate (&e, &options, page, &error)) {
    tool_report_text (&e);
    if ((!csv || tool_report_csv (&e, csv, &error)) && page)
      tool_page_write (page, &e, &error);
  }
  g_free (e.title);
  g_ptr_array_unref (e.cases);
  if (error)
    tool_error ("%s", error->message);
  return error ? TOOL_FAILED : TOOL_OK;
}
