/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files and folders that subcommands read and write.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "tool.h"

gboolean
tool_check_paths (const char *in, const char *out, GError **error)
{
  GStatBuf a, b;
  g_autofree char *dir = g_path_get_dirname (out);
  if (g_stat (in, &a) != 0)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: %s", in, g_strerror (errno));
  else if (g_stat (out, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: input and output are the same file", out);
  else if (g_access (dir, W_OK) != 0)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_ACCES, "%s: cannot write there: %s", dir, g_strerror (errno));
  else
    return TRUE;
  return FALSE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

GPtrArray *
tool_folder_list (const char *dir, GError **error)
{
  g_autoptr (GDir) listing = g_dir_open (dir, 0, error);
  const char *name;
  if (!listing)
    return NULL;
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (listing)))
    if (*name != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

gboolean
tool_folder_make (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0777) == 0)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", path, g_strerror (errno));
  return FALSE;
}

char *
tool_folder_pattern (const char *dir, const char *names)
{
  g_auto (GStrv) parts = g_strsplit (dir, "%", -1);
  g_autofree char *escaped = g_strjoinv ("%%", parts);
  return g_build_filename (escaped, names, NULL);
}

char *
tool_page_folder (const char *page, GError **error)
{
  g_autofree char *stem = g_strndup (page, strlen (page) - (g_str_has_suffix (page, ".html") ? strlen (".html") : 0));
  g_autofree char *folder = g_strconcat (stem, "_files", NULL);
  return tool_folder_make (folder, error) ? g_steal_pointer (&folder) : NULL;
}

void
tool_csv_word (GString *s, const char *word)
{
  if (strpbrk (word, ",\"\n")) {
    g_auto (GStrv) parts = g_strsplit (word, "\"", -1);
    g_autofree char *doubled = g_strjoinv ("\"\"", parts);
    g_string_append_printf (s, "\"%s\",", doubled);
  } else {
    g_string_append_printf (s, "%s,", word);
  }
}
