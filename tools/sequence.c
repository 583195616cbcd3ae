/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sequence.h"

#include <string.h>

#include "tool.h"

#define BLACK 64 /* of 255, in the brightest colour: palettes of label pictures start at 64 or 128 */

static void
sequence_free (gpointer data)
{
  ToolSequence *s = data;
  g_free (s->name);
  g_ptr_array_unref (s->frame_files);
  g_ptr_array_unref (s->mask_files);
  g_clear_pointer (&s->frames, g_ptr_array_unref);
  g_clear_pointer (&s->masks, g_ptr_array_unref);
  g_free (s);
}

/* Paths of what lies in dir, folders or files, in order; empty if there is no such folder. */
static GPtrArray *
list (const char *dir, gboolean folders)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) names = tool_folder_list (dir, NULL);
  for (guint i = 0; names && i < names->len; i++) {
    char *path = g_build_filename (dir, names->pdata[i], NULL);
    if (g_file_test (path, G_FILE_TEST_IS_DIR) == folders)
      g_ptr_array_add (paths, path);
    else
      g_free (path);
  }
  return paths;
}

static void
collect (GPtrArray *sequences, const char *dir)
{
  g_autofree char *frames = g_build_filename (dir, "frames", NULL), *masks = g_build_filename (dir, "masks", NULL);
  if (g_file_test (frames, G_FILE_TEST_IS_DIR)) {
    ToolSequence s = { g_path_get_basename (dir), list (frames, FALSE), list (masks, FALSE) };
    if (s.frame_files->len == 0)
      tool_error ("warning: %s: no pictures in it: left out", frames);
    g_ptr_array_add (sequences, g_memdup2 (&s, sizeof s));
    if (s.frame_files->len == 0)
      g_ptr_array_remove_index (sequences, sequences->len - 1);
    return;
  }
  g_autoptr (GPtrArray) folders = list (dir, TRUE);
  for (guint i = 0; i < folders->len; i++)
    collect (sequences, folders->pdata[i]);
}

GPtrArray *
tool_sequences_find (const char *dir, GError **error)
{
  g_autoptr (GDir) there = g_dir_open (dir, 0, error);
  if (!there)
    return NULL;
  g_autofree char *path = g_canonicalize_filename (dir, NULL);
  g_autoptr (GPtrArray) sequences = g_ptr_array_new_with_free_func (sequence_free);
  collect (sequences, path);
  if (sequences->len == 0) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: no folder NAME/frames with pictures in it", dir);
    return NULL;
  }
  return g_steal_pointer (&sequences);
}

gboolean
tool_sequence_read_frames (ToolSequence *s, int width, int height, int limit, GError **error)
{
  if (!s->frames)
    s->frames = g_ptr_array_new_with_free_func ((GDestroyNotify) tool_picture_free);
  const guint n = limit ? MIN ((guint) limit, s->frame_files->len) : s->frame_files->len;
  while (s->frames->len < n) {
    ToolPicture *p = tool_picture_read_scaled (s->frame_files->pdata[s->frames->len], width, height, FALSE, error);
    if (!p)
      return FALSE;
    g_ptr_array_add (s->frames, p);
  }
  return TRUE;
}

gboolean
tool_sequence_read_masks (ToolSequence *s, int width, int height, GError **error)
{
  const gsize n = (gsize) width * (gsize) height;
  guint64 marked = 0;
  if (s->masks)
    return TRUE;
  g_autoptr (GPtrArray) masks = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < s->mask_files->len; i++) {
    g_autoptr (ToolPicture) p = tool_picture_read_scaled (s->mask_files->pdata[i], width, height, TRUE, error);
    if (!p)
      return FALSE;
    guint8 *mask = g_malloc (n);
    for (gsize k = 0; k < n; k++) {
      const guint8 *c = p->data + 3 * k;
      mask[k] = c[0] >= BLACK || c[1] >= BLACK || c[2] >= BLACK ? 255 : 0;
      marked += mask[k] != 0;
    }
    g_ptr_array_add (masks, mask);
  }
  if (marked * 2 > (guint64) masks->len * n) {
    tool_error ("warning: %s: its masks mark more than half of the pictures: taken the other way round", s->name);
    for (guint i = 0; i < masks->len; i++)
      for (gsize k = 0; k < n; k++)
        ((guint8 *) masks->pdata[i])[k] ^= 255;
  }
  s->masks = g_steal_pointer (&masks);
  return TRUE;
}

void
tool_sequence_forget_frames (ToolSequence *s)
{
  g_clear_pointer (&s->frames, g_ptr_array_unref);
}
