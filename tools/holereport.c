/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An evaluation of inpainting as a table on stdout, as CSV, and as a page of contact sheets.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "holeeval.h"
#include "tool.h"

#define FIELD(name) offsetof (ToolHoleScore, name)

typedef struct
{
  const char *head, *csv;
  gsize offset; /* in a ToolHoleScore; FLICKER: a quotient of two */
  int digits;
} Column;

#define FLICKER ((gsize) -1)

static const Column compared[] = {
  { "hole PSNR", "psnr_hole", FIELD (psnr_hole), 2 },
  { "SSIM", "ssim_hole", FIELD (ssim_hole), 4 },
  { "frame PSNR", "psnr", FIELD (psnr), 2 },
  { "SSIM", "ssim", FIELD (ssim), 4 },
  { "Ewarp", "ewarp", FIELD (ewarp), 4 },
  { "in hole", "ewarp_hole", FIELD (ewarp_hole), 4 },
  { "ms/frame", "ms", FIELD (ms), 1 },
  { NULL },
};
static const Column removed[] = {
  { "Ewarp", "ewarp", FIELD (ewarp), 4 },
  { "in hole", "ewarp_hole", FIELD (ewarp_hole), 4 },
  { "change", "change", FIELD (change), 2 },
  { "around", "band", FIELD (band), 2 },
  { "flicker", "flicker", FLICKER, 2 },
  { "ms/frame", "ms", FIELD (ms), 1 },
  { NULL },
};

static const Column *
columns_of (const ToolHoleEval *e)
{
  return e->removed ? removed : compared;
}

ToolHoleScore *
tool_hole_eval_at (const ToolHoleEval *e, guint kind, guint sequence, guint method)
{
  return &e->scores[(kind * e->sequences->len + sequence) * e->labels->len + method];
}

static double
value_of (const Column *c, const ToolHoleScore *s)
{
  double v;
  if (c->offset == FLICKER)
    return s->change / s->band;
  memcpy (&v, (const char *) s + c->offset, sizeof v);
  return v;
}

/* Over the sequences. */
static ToolHoleScore
mean_of (const ToolHoleEval *e, guint kind, guint method)
{
  g_autofree ToolHoleScore *all = g_new (ToolHoleScore, e->sequences->len);
  for (guint i = 0; i < e->sequences->len; i++)
    all[i] = *tool_hole_eval_at (e, kind, i, method);
  return tool_hole_score_mean (all, e->sequences->len);
}

static void
print_value (double v, int digits, int width)
{
  if (isfinite (v))
    printf (" %*.*f", width, digits, v);
  else
    printf (" %*s", width, "-");
}

static void
print_row (const Column *columns, const char *label, const ToolHoleScore *s)
{
  printf ("  %-26s", label);
  for (const Column *c = columns; c->head; c++)
    print_value (value_of (c, s), c->digits, MAX (7, (int) strlen (c->head)));
  printf ("\n");
}

static void
print_kind (const ToolHoleEval *e, guint kind)
{
  const Column *columns = columns_of (e);
  printf ("\n%-28s", (char *) e->kinds->pdata[kind]);
  for (const Column *c = columns; c->head; c++)
    printf (" %*s", MAX (7, (int) strlen (c->head)), c->head);
  printf ("\n");
  for (guint m = 0; m < e->labels->len; m++) {
    const ToolHoleScore mean = mean_of (e, kind, m);
    print_row (columns, e->labels->pdata[m], &mean);
  }
}

/* One figure of each sequence, a column a method. */
static void
print_sequences (const ToolHoleEval *e, guint kind, const Column *c)
{
  const guint methods = e->words->len - !e->removed;
  printf ("  %-26s", c->head);
  for (guint m = 0; m < methods; m++)
    printf (" %7s", (char *) e->words->pdata[m]);
  printf ("\n");
  for (guint i = 0; i < e->sequences->len; i++) {
    printf ("    %-24s", (char *) e->sequences->pdata[i]);
    for (guint m = 0; m < methods; m++)
      print_value (value_of (c, tool_hole_eval_at (e, kind, i, m)), c->digits, 7);
    printf ("\n");
  }
}

void
tool_hole_report_text (const ToolHoleEval *e)
{
  printf ("%s\n", e->title);
  for (guint k = 0; k < e->kinds->len; k++) {
    print_kind (e, k);
    for (const Column *c = columns_of (e); c->head; c++)
      if (c->offset == FIELD (psnr_hole) || c->offset == FLICKER)
        print_sequences (e, k, c);
  }
}

gboolean
tool_hole_report_csv (const ToolHoleEval *e, const char *path, GError **error)
{
  g_autoptr (GString) s = g_string_new ("kind,sequence,method");
  for (const Column *c = columns_of (e); c->head; c++)
    g_string_append_printf (s, ",%s", c->csv);
  g_string_append_c (s, '\n');
  for (guint k = 0; k < e->kinds->len; k++)
    for (guint i = 0; i < e->sequences->len; i++)
      for (guint m = 0; m < e->words->len; m++) {
        tool_csv_word (s, e->kinds->pdata[k]);
        tool_csv_word (s, e->sequences->pdata[i]);
        g_string_append (s, e->words->pdata[m]);
        for (const Column *c = columns_of (e); c->head; c++) {
          const double v = value_of (c, tool_hole_eval_at (e, k, i, m));
          g_string_append_printf (s, isfinite (v) ? ",%.6f" : ",", v);
        }
        g_string_append_c (s, '\n');
      }
  return g_file_set_contents (path, s->str, (gssize) s->len, error);
}

static void
append_table (GString *s, const ToolHoleEval *e, guint kind)
{
  g_string_append_printf (s, "<h2>%s</h2>\n<table><tr><th>mean over the sequences", (char *) e->kinds->pdata[kind]);
  for (const Column *c = columns_of (e); c->head; c++)
    g_string_append_printf (s, "<th>%s", c->head);
  for (guint m = 0; m < e->labels->len; m++) {
    const ToolHoleScore mean = mean_of (e, kind, m);
    g_string_append_printf (s, "\n<tr><td>%s", (char *) e->labels->pdata[m]);
    for (const Column *c = columns_of (e); c->head; c++) {
      const double v = value_of (c, &mean);
      if (isfinite (v))
        g_string_append_printf (s, "<td>%.*f", c->digits, v);
      else
        g_string_append (s, "<td>");
    }
  }
  g_string_append (s, "\n</table>\n");
}

gboolean
tool_hole_report_page (const ToolHoleEval *e, const char *path, const char *folder, const char *columns, GError **error)
{
  g_autofree char *title = g_markup_escape_text (e->title, -1), *dir = g_uri_escape_string (folder, NULL, FALSE);
  g_autofree char *what = g_markup_escape_text (columns, -1);
  g_autoptr (GString) s = g_string_new (NULL);
  g_string_append_printf (s,
                          "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>vfi eval inpaint</title>\n<style>\n"
                          "body { font: 15px/1.4 sans-serif; margin: 2em; background: #181818; color: #ddd }\n"
                          "table { border-collapse: collapse } td, th { padding: .1em 1em .1em 0; text-align: left }\n"
                          "img { width: 100%% }\n</style>\n<h1>%s</h1>\n<p>Pictures, from left to right: %s.</p>\n",
                          title, what);
  for (guint k = 0; k < e->kinds->len; k++) {
    append_table (s, e, k);
    for (guint i = 0; i < e->sequences->len; i++) {
      const char *sheet = e->sheets->pdata[k * e->sequences->len + i];
      g_autofree char *name = g_markup_escape_text (e->sequences->pdata[i], -1);
      g_autofree char *file = sheet ? g_uri_escape_string (sheet, NULL, FALSE) : NULL;
      if (sheet)
        g_string_append_printf (s, "<h3>%s</h3>\n<a href=\"%s/%s\"><img loading=\"lazy\" src=\"%s/%s\" alt=\"%s\"></a>\n", name, dir, file,
                                dir, file, name);
    }
  }
  return g_file_set_contents (path, s->str, (gssize) s->len, error);
}
