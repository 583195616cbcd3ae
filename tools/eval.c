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
  for (guint i = 0; i < G_N_ELEMENTS (c->files); i++)
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
add_case (GPtrArray *cases, const char *set, const char *name, char *const *first, char *const *truth, char *const *last, const char *next,
          double t)
{
  ToolCase *c = g_new0 (ToolCase, 1);

  c->set = g_strdup (set);
  c->name = g_strdup (name);
  c->files[0] = g_strdup (*first);
  c->files[1] = g_strdup (*truth);
  c->files[2] = g_strdup (*last);
  c->files[3] = g_strdup (next);
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
        const guint next = first + 2 * (guint) multiplier;

        add_case (cases, own, name, files + first, truth, files + first + multiplier, next < pictures->len ? files[next] : NULL,
                  (double) k / multiplier);
      }
  } else if (!multiplier && pictures->len == 3) {
    add_case (cases, set, own, files, files + 1, files + 2, NULL, 0.5);
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

enum
{
  BEFORE,
  FIRST,
  LAST,
  AFTER,
  SEEN
};

/* A session and the pictures that it has seen last: of a pair, and around it, each by the file it is from. What was read once serves the next case. */
typedef struct
{
  const VfiOptions *options;
  gboolean linear, lookahead;
  VfiInterp *interp;
  ToolPicture *picture[SEEN];
  const char *file[SEEN];
} Stream;

static void
stream_clear (Stream *s)
{
  if (s->interp)
    vfi_interp_free (s->interp);
  for (int i = 0; i < SEEN; i++)
    g_clear_pointer (&s->picture[i], tool_picture_free);
}

/* Makes the case's pictures the session's pair. */
static gboolean
stream_seek (Stream *s, const ToolCase *c, GError **error)
{
  const gboolean follows = s->file[LAST] && !strcmp (c->files[0], s->file[LAST]);
  const char *want[SEEN] = { follows && !s->linear ? s->file[FIRST] : NULL, c->files[0], c->files[2],
                             s->lookahead && !s->linear ? c->files[3] : NULL };
  ToolPicture *had[SEEN], *have[SEEN] = { NULL };
  VfiFrameInfo info;
  VfiFrame frame[SEEN];
  gboolean good = TRUE;

  if (s->file[FIRST] && !strcmp (want[FIRST], s->file[FIRST]) && !strcmp (want[LAST], s->file[LAST]))
    return TRUE;
  for (int i = 0; i < SEEN && good; i++) {
    for (int j = 0; j < SEEN && !have[i]; j++)
      if (want[i] && s->picture[j] && !strcmp (want[i], s->file[j]))
        have[i] = g_steal_pointer (&s->picture[j]);
    if (want[i] && !have[i])
      good = (have[i] = tool_picture_read (want[i], error)) != NULL;
    if (good && i > FIRST && have[i] && (have[i]->width != have[FIRST]->width || have[i]->height != have[FIRST]->height)) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s/%s: its pictures differ in size", c->set, c->name);
      good = FALSE;
    }
  }
  for (int i = 0; i < SEEN; i++) {
    had[i] = s->picture[i]; /* the session has seen them: they stay until it has seen others */
    s->picture[i] = have[i];
    s->file[i] = have[i] ? want[i] : NULL;
    if (have[i])
      tool_picture_frame (have[i], &info, &frame[i]);
  }
  if (good)
    good = s->interp ? vfi_interp_set_info (s->interp, &info, error) : (s->interp = vfi_interp_new (&info, s->options, error)) != NULL;
  if (good && !follows) /* another sequence */
    vfi_interp_reset (s->interp);
  good = good && vfi_interp_set_pair (s->interp, &frame[FIRST], &frame[LAST], error) &&
         vfi_interp_set_neighbours (s->interp, have[BEFORE] ? &frame[BEFORE] : NULL, 1, have[AFTER] ? &frame[AFTER] : NULL, 1, error);
  for (int i = 0; i < SEEN; i++)
    if (had[i])
      tool_picture_free (had[i]);
  return good;
}

static ToolPicture *
synthesize (Stream *s, double t, GError **error)
{
  VfiFrameInfo info;
  VfiFrame dst;
  g_autoptr (ToolPicture) made = tool_picture_new (s->picture[FIRST]->width, s->picture[FIRST]->height);

  tool_picture_frame (made, &info, &dst);
  return vfi_interp_at (s->interp, t, &dst, error) ? g_steal_pointer (&made) : NULL;
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
evaluate (ToolEval *e, Stream *s, ToolPage *page, GError **error)
{
  gboolean good = TRUE;
  ToolProgress progress;
  tool_progress_start (&progress);
  for (guint i = 0; i < e->cases->len && good; i++) {
    ToolCase *c = e->cases->pdata[i];
    tool_progress_update (&progress, (double) i / e->cases->len, c->name);
    g_autoptr (ToolPicture) truth = stream_seek (s, c, error) ? tool_picture_read (c->files[1], error) : NULL;
    good = truth != NULL;
    if (good && (truth->width != s->picture[FIRST]->width || truth->height != s->picture[FIRST]->height)) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s/%s: its pictures differ in size", c->set, c->name);
      good = FALSE;
    }
    g_autoptr (ToolPicture) made = good ? synthesize (s, c->t, error) : NULL;
    good = made && (!page || tool_page_add (page, i, truth, made, error));
    if (good) {
      g_autoptr (ToolPicture) mean = average (s->picture[FIRST], s->picture[LAST]);
      c->score = tool_score (truth, made);
      c->average = tool_score (truth, mean);
    }
  }
  tool_progress_end (&progress);
  if (good) {
    VfiInterpInfo info;
    vfi_interp_get_info (s->interp, &info);
    e->title = g_strdup_printf ("%s, %s, %s", info.model, info.backend, info.precision);
  }
  return good;
}

int
tool_eval (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "flow") == 0)
    return tool_eval_flow (argc - 1, argv + 1);
  if (argc > 1 && strcmp (argv[1], "inpaint") == 0)
    return tool_eval_inpaint (argc - 1, argv + 1);

  g_autofree char *csv = NULL, *html = NULL, *trajectory = NULL;
  int lookahead = 0;
  g_auto (ToolSession) session = { 0 };
  ToolEval e = { 0 };
  int multiplier = 0;
  const GOptionEntry entries[] = {
    { "multiplier", 0, 0, G_OPTION_ARG_INT, &multiplier, "DIR holds sequences: give every Nth picture, score those between", "N" },
    { "trajectory", 0, 0, G_OPTION_ARG_STRING, &trajectory, "of sequences: linear or quadratic (default)", "HOW" },
    { "lookahead", 0, 0, G_OPTION_ARG_INT, &lookahead, "of sequences: frames after a pair that it may see: 0 (default) or 1", "N" },
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
  if (lookahead < 0 || lookahead > 1)
    return tool_usage ("--lookahead is %d, not 0 or 1", lookahead);
  if (trajectory && strcmp (trajectory, "linear") && strcmp (trajectory, "quadratic"))
    return tool_usage ("--trajectory is %s, not linear or quadratic", trajectory);

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
  Stream stream = { .options = &options, .linear = !g_strcmp0 (trajectory, "linear"), .lookahead = lookahead };
  if (!error && evaluate (&e, &stream, page, &error)) {
    tool_report_text (&e);
    if ((!csv || tool_report_csv (&e, csv, &error)) && page)
      tool_page_write (page, &e, &error);
  }
  stream_clear (&stream);
  g_free (e.title);
  g_ptr_array_unref (e.cases);
  if (error)
    tool_error ("%s", error->message);
  return error ? TOOL_FAILED : TOOL_OK;
}
