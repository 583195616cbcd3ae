/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi eval flow: flow between two pictures, compared with what is known to be true.
 */
#include <math.h>
#include <string.h>

#include <gst/gst.h>

#include "opencv.h"
#include "picture.h"
#include "tool.h"

#define UNKNOWN 1e9f /* flow that is larger is not known: Middlebury's convention */

typedef struct
{
  double epe, off[3], fl; /* end-point error; parts of the pixels more than 1, 3, 5 off; more than 3 and 5 % off */
} Score;

typedef struct
{
  char *set, *name, *first, *second, *truth;
  Score score, opencv[TOOL_N_OPENCV_FLOWS];
  double ms, opencv_ms[TOOL_N_OPENCV_FLOWS];
} Case;

static void
case_free (gpointer data)
{
  Case *c = data;
  g_free (c->set);
  g_free (c->name);
  g_free (c->first);
  g_free (c->second);
  g_free (c->truth);
  g_free (c);
}

/* DIR/NAME-imgI.ANYTHING, NULL if there is none. */
static char *
picture_of (const char *dir, const GPtrArray *names, const char *name, int i)
{
  g_autofree char *start = g_strdup_printf ("%s-img%d.", name, i);
  for (guint k = 0; k < names->len; k++)
    if (g_str_has_prefix (names->pdata[k], start))
      return g_build_filename (dir, names->pdata[k], NULL);
  return NULL;
}

/* Adds what lies in dir and below, in order. */
static gboolean
collect (GPtrArray *cases, const char *dir, GError **error)
{
  g_autoptr (GPtrArray) names = tool_folder_list (dir, error);
  if (!names)
    return FALSE;
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename (dir, names->pdata[i], NULL);
    if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
      if (!collect (cases, path, error))
        return FALSE;
    } else if (g_str_has_suffix (path, "-gt.flo")) {
      g_autofree char *name = g_strndup (names->pdata[i], strlen (names->pdata[i]) - strlen ("-gt.flo"));
      Case c = { .first = picture_of (dir, names, name, 0), .second = picture_of (dir, names, name, 1) };
      if (c.first && c.second) {
        c.set = g_path_get_basename (dir);
        c.name = g_steal_pointer (&name);
        c.truth = g_steal_pointer (&path);
        g_ptr_array_add (cases, g_memdup2 (&c, sizeof c));
      } else {
        tool_error ("warning: %s: without %s-img0 and %s-img1: left out", path, name, name);
        g_free (c.first);
        g_free (c.second);
      }
    }
  }
  return TRUE;
}

/* Flow of a .flo file, which must be of the given size; g_free. */
static float *
read_flo (const char *path, int width, int height, GError **error)
{
  g_autofree char *bytes = NULL;
  gsize size;
  if (!g_file_get_contents (path, &bytes, &size, error))
    return NULL;
  const gsize n = 2 * (gsize) width * height;
  guint32 head[2] = { 0 };
  if (size >= 12)
    memcpy (head, bytes + 4, 8);
  if (size < 12 || memcmp (bytes, "PIEH", 4) != 0 || GUINT32_FROM_LE (head[0]) != (guint32) width ||
      GUINT32_FROM_LE (head[1]) != (guint32) height || size != 12 + 4 * n) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: is not a .flo file of %d x %d", path, width, height);
    return NULL;
  }
  float *flow = g_new (float, n);
  for (gsize i = 0; i < n; i++) {
    guint32 bits;
    memcpy (&bits, bytes + 12 + 4 * i, 4);
    bits = GUINT32_FROM_LE (bits);
    memcpy (&flow[i], &bits, 4);
  }
  return flow;
}

static gboolean
known (const float *truth, gsize i)
{
  return fabsf (truth[2 * i]) < UNKNOWN && fabsf (truth[2 * i + 1]) < UNKNOWN;
}

static Score
score (const float *flow, const float *truth, gsize n)
{
  static const double limits[] = { 1, 3, 5 };
  Score s = { 0 };
  gsize count = 0;
  for (gsize i = 0; i < n; i++)
    if (known (truth, i)) {
      const double e = hypot (flow[2 * i] - truth[2 * i], flow[2 * i + 1] - truth[2 * i + 1]);
      s.epe += e;
      for (int k = 0; k < 3; k++)
        s.off[k] += e > limits[k];
      s.fl += e > 3 && e > 0.05 * hypot (truth[2 * i], truth[2 * i + 1]);
      count++;
    }
  count = MAX (count, 1);
  return (Score){ s.epe / count, { s.off[0] / count, s.off[1] / count, s.off[2] / count }, s.fl / count };
}

/* ---- the page ----------------------------------------------------------------------------------- */

static float
reach_of (const float *truth, gsize n)
{
  float reach = 1;
  for (gsize i = 0; i < n; i++)
    if (known (truth, i))
      reach = MAX (reach, hypotf (truth[2 * i], truth[2 * i + 1]));
  return reach;
}

/* NAME-truth.png, NAME-flow.png, NAME-error.png (white: 10 pixels) in the folder. */
static gboolean
write_pictures (const char *folder, const Case *c, int width, int height, const float *flow, const float *truth, GError **error)
{
  static const char *const kinds[] = { "truth", "flow", "error" };
  const gsize n = (gsize) width * height;
  const float reach = reach_of (truth, n);
  for (int k = 0; k < 3; k++) {
    g_autoptr (ToolPicture) p = tool_picture_new (width, height);
    const float *f = k ? flow : truth;
    g_autofree char *path = g_strdup_printf ("%s/%s-%s-%s.png", folder, c->set, c->name, kinds[k]);
    for (gsize i = 0; i < n; i++)
      if (k < 2)
        vfi_flow_colour (f[2 * i] / reach, f[2 * i + 1] / reach, p->data + 3 * i);
      else
        memset (p->data + 3 * i,
                known (truth, i) ? (int) MIN (25.5 * hypot (flow[2 * i] - truth[2 * i], flow[2 * i + 1] - truth[2 * i + 1]), 255) : 0, 3);
    if (!tool_picture_write_png (p, path, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_page (const char *html, const char *folder, const char *title, const GPtrArray *cases, GError **error)
{
  g_autoptr (GString) s =
      g_string_new ("<!DOCTYPE html><meta charset=\"utf-8\"><title>vfi eval flow</title>\n"
                    "<style>body{font:14px sans-serif}td,th{padding:2px 8px;text-align:left}img{width:320px}</style>\n");
  g_autofree char *base = g_path_get_basename (folder), *escaped = g_markup_escape_text (title, -1);
  g_string_append_printf (s, "<h1>%s</h1><table><tr><th>pair<th>EPE<th>Fl<th>truth<th>flow<th>error (white: 10 pixels)\n", escaped);
  for (guint i = 0; i < cases->len; i++) {
    const Case *c = cases->pdata[i];
    g_autofree char *name = g_markup_printf_escaped ("%s/%s", c->set, c->name), *file = g_strdup_printf ("%s-%s", c->set, c->name);
    g_autofree char *uri = g_uri_escape_string (file, NULL, TRUE), *dir = g_uri_escape_string (base, NULL, TRUE);
    g_string_append_printf (s, "<tr><td>%s<td>%.3f<td>%.1f %%", name, c->score.epe, 100 * c->score.fl);
    for (const char *const *k = (const char *const[]){ "truth", "flow", "error", NULL }; *k; k++)
      g_string_append_printf (s, "<td><img loading=\"lazy\" src=\"%s/%s-%s.png\" alt=\"%s\">", dir, uri, *k, *k);
    g_string_append_c (s, '\n');
  }
  g_string_append (s, "</table>\n");
  return g_file_set_contents (html, s->str, (gssize) s->len, error);
}

/* ---- the table ---------------------------------------------------------------------------------- */

static gboolean
same_set (const GPtrArray *cases, guint a, guint b)
{
  return b < cases->len && strcmp (((Case *) cases->pdata[a])->set, ((Case *) cases->pdata[b])->set) == 0;
}

static void
print_row (const char *set, const char *name, const Score *s, double ms)
{
  printf ("%-20s %-20s %8.3f %7.2f %7.2f %7.2f %7.2f %7.1f\n", set, name, s->epe, 100 * s->off[0], 100 * s->off[1], 100 * s->off[2],
          100 * s->fl, ms);
}

/* Of cases first to end - 1: ours, or, for method >= 0, OpenCV's. */
static void
print_mean (const GPtrArray *cases, guint first, guint end, int method, const char *name)
{
  Score mean = { 0 };
  double ms = 0;
  const double n = end - first;
  for (guint i = first; i < end; i++) {
    const Case *c = cases->pdata[i];
    const Score *s = method < 0 ? &c->score : &c->opencv[method];
    mean.epe += s->epe / n;
    mean.fl += s->fl / n;
    for (int k = 0; k < 3; k++)
      mean.off[k] += s->off[k] / n;
    ms += (method < 0 ? c->ms : c->opencv_ms[method]) / n;
  }
  print_row (((Case *) cases->pdata[first])->set, name, &mean, ms);
}

static void
print_table (const char *title, const GPtrArray *cases)
{
  printf ("%s\n%-20s %-20s %8s %7s %7s %7s %7s %7s\n", title, "set", "pair", "EPE", ">1px %", ">3px %", ">5px %", "Fl %", "ms");
  for (guint first = 0, end; first < cases->len; first = end) {
    for (end = first; same_set (cases, first, end); end++) {
      const Case *c = cases->pdata[end];
      print_row (c->set, c->name, &c->score, c->ms);
    }
    print_mean (cases, first, end, -1, "mean");
    for (int m = 0; m < TOOL_N_OPENCV_FLOWS && tool_opencv_version (); m++) {
      g_autofree char *name = g_strdup_printf ("mean, %s", tool_opencv_flow_name ((ToolOpencvFlow) m));
      print_mean (cases, first, end, m, name);
    }
  }
}

static void
append_row (GString *s, const Case *c, const char *method, const Score *score, double ms)
{
  tool_csv_word (s, c->set);
  tool_csv_word (s, c->name);
  g_string_append_printf (s, "%.6f,%.6f,%.6f,%.6f,%.6f,", score->epe, score->off[0], score->off[1], score->off[2], score->fl);
  tool_csv_word (s, method);
  g_string_append_printf (s, "%.3f\n", ms);
}

static gboolean
write_csv (const char *path, const GPtrArray *cases, GError **error)
{
  g_autoptr (GString) s = g_string_new ("set,name,epe,over1,over3,over5,fl,method,ms\n");
  for (guint i = 0; i < cases->len; i++) {
    const Case *c = cases->pdata[i];
    append_row (s, c, "vfi", &c->score, c->ms);
    for (int m = 0; m < TOOL_N_OPENCV_FLOWS && tool_opencv_version (); m++)
      append_row (s, c, tool_opencv_flow_name ((ToolOpencvFlow) m), &c->opencv[m], c->opencv_ms[m]);
  }
  return g_file_set_contents (path, s->str, (gssize) s->len, error);
}

/* ---- running ------------------------------------------------------------------------------------ */

static double
milliseconds_since (gint64 start)
{
  return (double) (g_get_monotonic_time () - start) * 1e3 / G_USEC_PER_SEC;
}

/* Makes *flow on the first call. */
static gboolean
evaluate (VfiFlow **flow, const VfiOptions *options, Case *c, const char *folder, GError **error)
{
  g_autoptr (ToolPicture) first = tool_picture_read (c->first, error);
  g_autoptr (ToolPicture) second = first ? tool_picture_read (c->second, error) : NULL;
  if (!second)
    return FALSE;
  if (second->width != first->width || second->height != first->height) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s/%s: its pictures differ in size", c->set, c->name);
    return FALSE;
  }
  const gsize n = (gsize) first->width * first->height;
  g_autofree float *truth = read_flo (c->truth, first->width, first->height, error);
  g_autofree float *made = truth ? g_new (float, 2 * n) : NULL;
  VfiFrameInfo info;
  VfiFrame a, b;
  tool_picture_frame (first, &info, &a);
  tool_picture_frame (second, &info, &b);
  if (!truth || (*flow ? !vfi_flow_set_info (*flow, &info, error) : !(*flow = vfi_flow_new (&info, options, error))))
    return FALSE;
  gint64 start = g_get_monotonic_time ();
  const gboolean good = vfi_flow_run (*flow, &a, &b, &(VfiFlowField){ made, NULL }, NULL, error);
  c->ms = milliseconds_since (start);
  vfi_flow_reset (*flow); /* the pictures go away */
  if (!good)
    return FALSE;
  c->score = score (made, truth, n);
  g_autofree float *theirs = g_new (float, 2 * n);
  for (int m = 0; m < TOOL_N_OPENCV_FLOWS && tool_opencv_version (); m++) {
    start = g_get_monotonic_time ();
    if (!tool_opencv_flow ((ToolOpencvFlow) m, first, second, theirs, error))
      return FALSE;
    c->opencv_ms[m] = milliseconds_since (start);
    c->opencv[m] = score (theirs, truth, n);
  }
  return !folder || write_pictures (folder, c, first->width, first->height, made, truth, error);
}

int
tool_eval_flow (int argc, char **argv)
{
  g_autofree char *csv = NULL, *html = NULL;
  g_auto (ToolSession) session = { 0 };
  const GOptionEntry entries[] = {
    { "csv", 0, 0, G_OPTION_ARG_FILENAME, &csv, "write set,name,epe,over1,over3,over5,fl (parts of 1),method,ms", "FILE" },
    { "html", 0, 0, G_OPTION_ARG_FILENAME, &html, "write a page with pictures, which go into a folder beside it", "FILE" },
    { NULL },
  };
  if (!tool_parse ("DIR",
                   "Scores optical flow. DIR holds, at any depth, NAME-gt.flo (Middlebury's format) beside two pictures "
                   "NAME-img0 and NAME-img1.\nEPE is the mean end-point error in pixels, Fl the part of the pixels that "
                   "are more than 3 pixels and 5 % off. The time is that of one pair by itself.\nIn a build with OpenCV, means of its DIS "
                   "and Farneback stand below.",
                   entries, &session, gst_init_get_option_group (), &argc, &argv))
    return TOOL_USAGE;
  if (argc != 2)
    return tool_usage ("wanted: one folder, got %d", argc - 1);

  g_autoptr (GError) error = NULL;
  VfiOptions options;
  if (!tool_session_options (&session, &options, &error))
    return tool_usage ("%s", error->message);
  g_autoptr (GPtrArray) cases = g_ptr_array_new_with_free_func (case_free);
  g_autofree char *dir = g_canonicalize_filename (argv[1], NULL), *folder = NULL;
  if (collect (cases, dir, &error) && cases->len == 0)
    g_set_error (&error, VFI_ERROR, VFI_ERROR_ARG, "%s: no NAME-gt.flo with two pictures beside it", argv[1]);
  if (!error && html)
    folder = tool_page_folder (html, &error);

  VfiFlow *flow = NULL;
  ToolProgress progress;
  tool_progress_start (&progress);
  for (guint i = 0; i < cases->len && !error; i++) {
    Case *c = cases->pdata[i];
    tool_progress_update (&progress, (double) i / cases->len, c->name);
    evaluate (&flow, &options, c, folder, &error);
  }
  tool_progress_end (&progress);
  if (!error) {
    VfiInterpInfo info;
    vfi_flow_get_info (flow, &info);
    g_autofree char *title = g_strdup_printf ("%s, %s, %s", info.model, info.backend, info.precision);
    print_table (title, cases);
    if ((!csv || write_csv (csv, cases, &error)) && html)
      write_page (html, folder, title, cases, &error);
  }
  if (flow)
    vfi_flow_free (flow);
  if (error)
    tool_error ("%s", error->message);
  return error ? TOOL_FAILED : TOOL_OK;
}
