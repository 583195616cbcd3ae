/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define G_LOG_DOMAIN "vfi"
#include "choices.h"

struct _VfiCudaChoices
{
  char *folder, *path, *versions;
  GKeyFile *file;
  gboolean complained; /* of the file, once */
};

/* With what other processes have written meanwhile. */
static void
load (VfiCudaChoices *choices)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&choices->file, g_key_file_unref);
  choices->file = g_key_file_new ();
  if (g_key_file_load_from_file (choices->file, choices->path, G_KEY_FILE_NONE, &error) ||
      g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return;
  if (!choices->complained)
    g_warning ("%s is of no use (%s): engines are timed anew", choices->path, error->message);
  choices->complained = TRUE;
  g_key_file_unref (choices->file);
  choices->file = g_key_file_new ();
}

VfiCudaChoices *
vfi_cuda_choices_new (const char *device, const char *versions)
{
  VfiCudaChoices *choices = g_new0 (VfiCudaChoices, 1);
  g_autofree char *name = g_strconcat (device, ".engines", NULL);

  g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".-", '-');
  choices->folder = g_build_filename (g_get_user_cache_dir (), "gst-vfi", NULL);
  choices->path = g_build_filename (choices->folder, name, NULL);
  choices->versions = g_strdup (versions);
  load (choices);
  return choices;
}

void
vfi_cuda_choices_free (VfiCudaChoices *choices)
{
  if (!choices)
    return;
  g_key_file_unref (choices->file);
  g_free (choices->folder);
  g_free (choices->path);
  g_free (choices->versions);
  g_free (choices);
}

gboolean
vfi_cuda_choices_find (const VfiCudaChoices *choices, const char *what, int *place, int *engine)
{
  gsize n = 0;
  g_autofree int *values = g_key_file_get_integer_list (choices->file, choices->versions, what, &n, NULL);

  if (!values || n != 2 || values[0] < 0)
    return FALSE;
  *place = values[0];
  *engine = values[1];
  return TRUE;
}

void
vfi_cuda_choices_add (VfiCudaChoices *choices, const char *what, int place, int engine)
{
  g_autoptr (GError) error = NULL;

  load (choices);
  g_key_file_set_integer_list (choices->file, choices->versions, what, (int[]){ place, engine }, 2);
  g_mkdir_with_parents (choices->folder, 0700);
  if (g_key_file_save_to_file (choices->file, choices->path, &error) || choices->complained)
    return;
  g_warning ("%s cannot be written (%s): engines will be timed again", choices->path, error->message);
  choices->complained = TRUE;
}
