/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An evaluation as a table on stdout, as CSV, and as a page to look at.
 */
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "tool.h"

#define DIFFERENCE_GAIN 4

/* Over cases first..first + n - 1; of the averages of both frames if asked for. */
static ToolScore
mean_of (const ToolEval *e, guint first, guint n, gboolean average)
{
  ToolScore mean = { 0 };
  for (guint i = first; i < first + n; i++) {
    const ToolCase *c = e->cases->pdata[i];
    const ToolScore *s = average ? &c->average : &c->score;
    mean.psnr += s->psnr / n;
    mean.ssim += s->ssim / n;
    mean.ie += s->ie / n;
  }
  return mean;
}

/* How many cases from `first` on are of one set. */
static guint
set_size (const ToolEval *e, guint first)
{
  guint n = 1;
  while (first + n < e->cases->len &&
         strcmp (((ToolCase *) e->cases->pdata[first])->set, ((ToolCase *) e->cases->pdata[first + n])->set) == 0)
    n++;
  return n;
}

static void
print_row (const char *name, const ToolScore *s)
{
  printf ("  %-32s %7.3f  %7.4f  %7.3f\n", name, s->psnr, s->ssim, s->ie);
}

static void
print_means (const ToolEval *e, guint first, guint n)
{
  g_autofree char *label = g_strdup_printf ("mean of %u", n);
  ToolScore mean = mean_of (e, first, n, FALSE), average = mean_of (e, first, n, TRUE);
  print_row (label, &mean);
  if (e->baseline)
    print_row ("mean of the two-frame average", &average);
}

void
tool_report_text (const ToolEval *e)
{
  printf ("%s\n  %-32s %7s  %7s  %7s\n", e->title, "", "PSNR", "SSIM", "IE");
  for (guint i = 0; i < e->cases->len;) {
    guint n = set_size (e, i);
    printf ("%s\n", ((ToolCase *) e->cases->pdata[i])->set);
    for (guint k = i; k < i + n; k++)
      print_row (((ToolCase *) e->cases->pdata[k])->name, &((ToolCase *) e->cases->pdata[k])->score);
    print_means (e, i, n);
    i += n;
    if (i == e->cases->len && n < i) {
      printf ("all sets\n");
      print_means (e, 0, i);
    }
  }
}

gboolean
tool_report_csv (const ToolEval *e, const char *path, GError **error)
{
  g_autoptr (GString) s = g_string_new ("set,name,psnr,ssim,ie\n");
  for (guint i = 0; i < e->cases->len; i++) {
    const ToolCase *c = e->cases->pdata[i];
    tool_csv_word (s, c->set);
    tool_csv_word (s, c->name);
    g_string_append_printf (s, "%.6f,%.8f,%.6f\n", c->score.psnr, c->score.ssim, c->score.ie);
  }
  return g_file_set_contents (path, s->str, (gssize) s->len, error);
}

/* ---- the page ----------------------------------------------------------------------------------- */

struct _ToolPage
{
  char *path, *folder, *folder_name;
};

static const char *const kinds[] = { "truth", "made", "difference" };

ToolPage *
tool_page_new (const char *path, GError **error)
{
  g_autoptr (ToolPage) page = g_new0 (ToolPage, 1);
  if (!(page->folder = tool_page_folder (path, error)))
    return NULL;
  page->path = g_strdup (path);
  page->folder_name = g_path_get_basename (page->folder);
  return g_steal_pointer (&page);
}

void
tool_page_free (ToolPage *page)
{
  if (page) {
    g_free (page->path);
    g_free (page->folder);
    g_free (page->folder_name);
  }
  g_free (page);
}

gboolean
tool_page_add (ToolPage *page, guint i, const ToolPicture *truth, const ToolPicture *made, GError **error)
{
  g_autoptr (ToolPicture) difference = tool_picture_new (truth->width, truth->height);
  for (gsize k = 0; k < (gsize) truth->width * (gsize) truth->height * 3; k++)
    difference->data[k] = (guint8) MIN (255, DIFFERENCE_GAIN * ABS (truth->data[k] - made->data[k]));
  const ToolPicture *pictures[] = { truth, made, difference };
  for (int k = 0; k < 3; k++) {
    g_autofree char *path = g_strdup_printf ("%s/%04u-%s.png", page->folder, i, kinds[k]);
    if (!tool_picture_write_png (pictures[k], path, error))
      return FALSE;
  }
  return TRUE;
}

static void
append_scores (GString *s, const char *name, const ToolScore *score)
{
  g_autofree char *escaped = g_markup_escape_text (name, -1);
  g_string_append_printf (s, "<tr><td>%s<td>%.3f<td>%.4f<td>%.3f\n", escaped, score->psnr, score->ssim, score->ie);
}

gboolean
tool_page_write (ToolPage *page, const ToolEval *e, GError **error)
{
  g_autofree char *title = g_markup_escape_text (e->title, -1);
  g_autofree char *folder = g_uri_escape_string (page->folder_name, NULL, FALSE);
  g_autoptr (GString) s = g_string_new (NULL);
  g_string_append_printf (s,
                          "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>%s</title>\n<style>\n"
                          "body { font: 15px/1.4 sans-serif; margin: 2em; background: #181818; color: #ddd }\n"
                          "table { border-collapse: collapse } td, th { padding: .1em 1em .1em 0; text-align: left }\n"
                          ".row { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px } .row img { width: 100%% }\n"
                          "</style>\n<h1>%s</h1>\n<table><tr><th>mean over<th>PSNR<th>SSIM<th>IE\n",
                          title, title);
  for (guint i = 0, n; i < e->cases->len; i += n) {
    n = set_size (e, i);
    g_autofree char *name = g_strdup_printf ("%s (%u)", ((ToolCase *) e->cases->pdata[i])->set, n);
    ToolScore mean = mean_of (e, i, n, FALSE), average = mean_of (e, i, n, TRUE);
    append_scores (s, name, &mean);
    if (e->baseline)
      append_scores (s, "… the two frames averaged", &average);
  }
  g_string_append_printf (s, "</table>\n<p>Pictures: the truth, what was made, %d times the difference.</p>\n", DIFFERENCE_GAIN);
  for (guint i = 0; i < e->cases->len; i++) {
    const ToolCase *c = e->cases->pdata[i];
    g_autofree char *set = g_markup_escape_text (c->set, -1), *name = g_markup_escape_text (c->name, -1);
    g_string_append_printf (s, "<h3>%s / %s: %.3f dB, SSIM %.4f, IE %.3f</h3>\n<div class=\"row\">", set, name, c->score.psnr,
                            c->score.ssim, c->score.ie);
    for (int k = 0; k < 3; k++)
      g_string_append_printf (s, "<a href=\"%s/%04u-%s.png\"><img loading=\"lazy\" src=\"%s/%04u-%s.png\" alt=\"%s\"></a>", folder, i,
                              kinds[k], folder, i, kinds[k], kinds[k]);
    g_string_append (s, "</div>\n");
  }
  return g_file_set_contents (page->path, s->str, (gssize) s->len, error);
}
