/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pairs.h"

#include <string.h>

#include <gst/video/video.h>

#include "tool.h"

#define COLUMNS 3
#define GAP 6
#define WIDTH 640 /* of a picture at most */
#define GAIN 4

typedef struct
{
  GstClockTime time; /* of the frame's buffer */
  ToolPicture *before, *after;
} Pair;

struct _ToolPairs
{
  guint rows;
  GstClockTime step, next; /* next: when the next pair is due */
  GArray *pairs;
};

static void
pair_clear (gpointer data)
{
  Pair *p = data;
  tool_picture_free (p->before);
  tool_picture_free (p->after);
}

ToolPairs *
tool_pairs_new (guint rows, GstClockTime duration)
{
  const gboolean known = GST_CLOCK_TIME_IS_VALID (duration) && duration > 0;
  ToolPairs p = { rows, known ? duration / rows : GST_SECOND };
  p.next = known ? p.step / 2 : 0;
  p.pairs = g_array_new (FALSE, TRUE, sizeof (Pair));
  g_array_set_clear_func (p.pairs, pair_clear);
  return g_memdup2 (&p, sizeof p);
}

void
tool_pairs_free (ToolPairs *p)
{
  if (p)
    g_array_unref (p->pairs);
  g_free (p);
}

/* NULL where it cannot be converted: then the sheet has a row less. */
static ToolPicture *
take (GstPad *pad, GstBuffer *buffer)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps (&info, caps))
    return NULL;
  const int width = MIN (info.width, WIDTH), height = MAX (1, (int) gst_util_uint64_scale_round (info.height, width, info.width));
  g_autoptr (GstCaps) wanted =
      gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT, width, "height", G_TYPE_INT, height, NULL);
  g_autoptr (GstSample) raw = gst_sample_new (buffer, caps, NULL, NULL);
  g_autoptr (GstSample) sample = gst_video_convert_sample (raw, wanted, 10 * GST_SECOND, NULL);
  return sample ? tool_picture_from_sample (sample) : NULL;
}

void
tool_pairs_on_frame (GstPad *pad, GstBuffer *buffer, gboolean out, gpointer data)
{
  ToolPairs *p = data;
  const GstClockTime time = GST_BUFFER_PTS (buffer);
  if (!GST_CLOCK_TIME_IS_VALID (time))
    return;
  if (out) {
    for (guint i = 0; i < p->pairs->len; i++) {
      Pair *pair = &g_array_index (p->pairs, Pair, i);
      if (!pair->after && pair->time == time)
        pair->after = take (pad, buffer);
    }
  } else if (time >= p->next && p->pairs->len < p->rows) {
    const Pair pair = { time, take (pad, buffer) };
    g_array_append_val (p->pairs, pair);
    p->next = MAX (p->next + p->step, time);
  }
}

/* One row; NULL if it is not whole. */
static ToolPicture *
row_of (const Pair *pair)
{
  const ToolPicture *a = pair->before, *b = pair->after;
  if (!a || !b || a->width != b->width || a->height != b->height)
    return NULL;
  g_autoptr (ToolPicture) difference = tool_picture_new (a->width, a->height);
  for (gsize i = 0; i < 3 * (gsize) a->width * (gsize) a->height; i++)
    difference->data[i] = (guint8) MIN (255, GAIN * ABS (a->data[i] - b->data[i]));
  ToolPicture *row = tool_picture_new (COLUMNS * (a->width + GAP) - GAP, a->height);
  memset (row->data, 0x20, 3 * (gsize) row->width * (gsize) row->height);
  tool_picture_paste (row, a, 0, 0);
  tool_picture_paste (row, b, a->width + GAP, 0);
  tool_picture_paste (row, difference, 2 * (a->width + GAP), 0);
  return row;
}

/* Those that are whole and of the first one's size; NULL with an error if there is none. */
static GPtrArray *
all_rows (const ToolPairs *p, GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) tool_picture_free);
  for (guint i = 0; i < p->pairs->len; i++) {
    ToolPicture *row = row_of (&g_array_index (p->pairs, Pair, i)), *first = rows->len ? rows->pdata[0] : row;
    if (row && row->width == first->width && row->height == first->height)
      g_ptr_array_add (rows, row);
    else
      tool_picture_free (row);
  }
  if (rows->len)
    return g_steal_pointer (&rows);
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "there was no frame to show");
  return NULL;
}

gboolean
tool_pairs_write_sheet (const ToolPairs *p, const char *path, GError **error)
{
  g_autoptr (GPtrArray) rows = all_rows (p, error);
  if (!rows)
    return FALSE;
  const ToolPicture *first = rows->pdata[0];
  g_autoptr (ToolPicture) sheet = tool_picture_new (first->width, (int) rows->len * (first->height + GAP) - GAP);
  memset (sheet->data, 0x20, 3 * (gsize) sheet->width * (gsize) sheet->height);
  for (guint i = 0; i < rows->len; i++)
    tool_picture_paste (sheet, rows->pdata[i], 0, (int) i * (first->height + GAP));
  return tool_picture_write_png (sheet, path, error);
}

gboolean
tool_pairs_write_page (const ToolPairs *p, const char *path, const char *title, const char *text, GError **error)
{
  g_autoptr (GPtrArray) rows = all_rows (p, error);
  g_autofree char *folder = rows ? tool_page_folder (path, error) : NULL;
  if (!folder)
    return FALSE;
  g_autofree char *base = g_path_get_basename (folder), *dir = g_uri_escape_string (base, NULL, FALSE);
  g_autofree char *head = g_markup_escape_text (title, -1), *line = g_markup_escape_text (text, -1);
  g_autoptr (GString) s = g_string_new (NULL);
  g_string_append_printf (s,
                          "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>%s</title>\n<style>\n"
                          "body { font: 15px/1.4 sans-serif; margin: 2em; background: #181818; color: #ddd } img { width: 100%% }\n"
                          "</style>\n<h1>%s</h1>\n<p>%s</p>\n<p>Before, after, %d times the difference.</p>\n",
                          head, head, line, GAIN);
  for (guint i = 0; i < rows->len; i++) {
    g_autofree char *file = g_strdup_printf ("%s/%02u.png", folder, i);
    if (!tool_picture_write_png (rows->pdata[i], file, error))
      return FALSE;
    g_string_append_printf (s, "<p><a href=\"%s/%02u.png\"><img loading=\"lazy\" src=\"%s/%02u.png\" alt=\"frame %u\"></a></p>\n", dir, i,
                            dir, i, i);
  }
  return g_file_set_contents (path, s->str, (gssize) s->len, error);
}
