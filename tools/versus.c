/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * FFmpeg's minterpolate as the yardstick: the same frames, in the same run, through the ffmpeg program.
 */
#include <string.h>

#include <glib/gstdio.h>

#include "clip.h"

/* Runs ffmpeg; its stdout, or NULL with an error that ends in what it said. */
static char *
run_ffmpeg (const char *const *arguments, GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_ptr_array_add (argv, (gpointer) "ffmpeg");
  g_ptr_array_add (argv, (gpointer) "-nostdin");
  g_ptr_array_add (argv, (gpointer) "-y");
  g_ptr_array_add (argv, (gpointer) "-loglevel");
  g_ptr_array_add (argv, (gpointer) "error");
  for (int i = 0; arguments[i]; i++)
    g_ptr_array_add (argv, (gpointer) arguments[i]);
  g_ptr_array_add (argv, NULL);

  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GError) local = NULL;
  int status;
  if (!g_spawn_sync (NULL, (char **) argv->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status, &local)) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s (the package ffmpeg has it)", local->message);
    return NULL;
  }
  if (!g_spawn_check_wait_status (status, NULL)) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "ffmpeg: %s", g_strstrip (err));
    return NULL;
  }
  return g_steal_pointer (&out);
}

static char *
temporary_file (GError **error)
{
  char *path = NULL;
  int fd = g_file_open_tmp ("vfi-XXXXXX.yuv", &path, error);
  if (fd >= 0)
    g_close (fd, NULL);
  return path;
}

gboolean
tool_minterpolate (const ToolClip *clip, double *seconds, int *synthesized, GError **error)
{
  g_autofree char *path = temporary_file (error);
  if (!path)
    return FALSE;
  g_autofree char *size = g_strdup_printf ("%dx%d", clip->info.width, clip->info.height);
  const char *arguments[] = { "-f",          "rawvideo", "-pixel_format", "yuv420p",
                              "-video_size", size,       "-framerate",    "30",
                              "-i",          path,       "-vf",           "minterpolate=fps=60:mi_mode=mci",
                              "-f",          "null",     "-progress",     "pipe:1",
                              "-",           NULL };
  g_autofree char *out = NULL;
  if (g_file_set_contents_full (path, (char *) clip->data, (gssize) (clip->frame_bytes * (gsize) clip->n), G_FILE_SET_CONTENTS_NONE, 0600,
                                error)) {
    gint64 start = g_get_monotonic_time ();
    out = run_ffmpeg (arguments, error);
    *seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  }
  g_unlink (path);
  if (!out)
    return FALSE;
  const char *last = g_strrstr (out, "frame=");
  *synthesized = last ? (int) g_ascii_strtoll (last + strlen ("frame="), NULL, 10) / 2 : 0; /* every other one is given */
  if (*synthesized == 0)
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "ffmpeg made no frames");
  return *synthesized > 0;
}

ToolClip *
tool_clip_read (const char *file, const VfiFrameInfo *info, int n, GError **error)
{
  g_autoptr (ToolClip) clip = tool_clip_new (info, n, error);
  g_autofree char *path = clip ? temporary_file (error) : NULL;
  if (!path)
    return NULL;
  g_autofree char *scale = g_strdup_printf ("scale=%d:%d,format=yuv420p", info->width, info->height), *frames = g_strdup_printf ("%d", n);
  const char *arguments[] = { "-i", file, "-vf", scale, "-frames:v", frames, "-f", "rawvideo", path, NULL };
  g_autofree char *out = run_ffmpeg (arguments, error), *data = NULL;
  gsize length;
  gboolean good = out && g_file_get_contents (path, &data, &length, error);
  g_unlink (path);
  if (!good)
    return NULL;
  clip->n = (int) MIN ((gsize) n, length / clip->frame_bytes);
  if (clip->n < 2) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: fewer than two frames", file);
    return NULL;
  }
  memcpy (clip->data, data, clip->frame_bytes * (gsize) clip->n);
  return g_steal_pointer (&clip);
}
