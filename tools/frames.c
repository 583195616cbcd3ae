/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Folders of pictures. Their names are brought into an order that multifilesrc knows, by links.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "frames.h"

static const char *
picture_caps (const char *path)
{
  static const struct
  {
    const char *endings, *caps;
  } kinds[] = { { ".png", "image/png" },
                { ".jpg .jpeg", "image/jpeg" },
                { ".bmp", "image/bmp" },
                { ".tif .tiff", "image/tiff" },
                { ".webp", "image/webp" } };
  const char *dot = strrchr (path, '.');
  g_autofree char *ending = dot ? g_ascii_strdown (dot, -1) : NULL;
  for (guint i = 0; ending && i < G_N_ELEMENTS (kinds); i++) {
    g_auto (GStrv) words = g_strsplit (kinds[i].endings, " ", -1);
    if (g_strv_contains ((const char *const *) words, ending))
      return kinds[i].caps;
  }
  return NULL;
}

gboolean
tool_frames_open (ToolFrames *f, const char *dir, GError **error)
{
  g_autoptr (GPtrArray) names = tool_folder_list (dir, error);
  if (!names)
    return FALSE;
  for (guint i = names->len; i-- > 0;)
    if (!picture_caps (names->pdata[i]))
      g_ptr_array_remove_index (names, i);
  if (names->len)
    f->caps = picture_caps (names->pdata[0]);
  for (guint i = 0; i < names->len; i++)
    if (picture_caps (names->pdata[i]) != f->caps) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: pictures of more than one kind: %s and %s", dir, (char *) names->pdata[0],
                   (char *) names->pdata[i]);
      return FALSE;
    }
  if (!f->caps) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: no pictures in this folder (png, jpg, bmp, tif, webp)", dir);
    return FALSE;
  }
  if (!(f->links = g_dir_make_tmp ("vfi-frames-XXXXXX", error)))
    return FALSE;
  f->location = g_build_filename (f->links, "%08u", NULL);
  for (; f->n < names->len; f->n++) {
    g_autofree char *link = g_strdup_printf ("%s/%08u", f->links, f->n), *file = g_build_filename (dir, names->pdata[f->n], NULL);
    g_autofree char *target = g_canonicalize_filename (file, NULL);
    if (symlink (target, link) != 0) {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", link, g_strerror (errno));
      return FALSE;
    }
  }
  return TRUE;
}

void
tool_frames_clear (ToolFrames *f)
{
  g_autoptr (GDir) dir = f->links ? g_dir_open (f->links, 0, NULL) : NULL;
  const char *name;
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (f->links, name, NULL);
    g_unlink (path);
  }
  if (f->links)
    g_rmdir (f->links);
  g_free (f->links);
  g_free (f->location);
}
