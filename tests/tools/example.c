/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * between A.yuv B.yuv WIDTH HEIGHT > C.yuv: the frame halfway between two raw I420 frames.
 * cc between.c $(pkg-config --cflags --libs gst-vfi) -o between
 */
#include <stdio.h>
#include <stdlib.h>
#include <vfi.h>

static VfiFrame
i420 (guint8 *data, int w, int h)
{
  int cw = (w + 1) / 2, ch = (h + 1) / 2;
  return (VfiFrame){ .data = { data, data + w * h, data + w * h + cw * ch }, .stride = { w, cw, cw } };
}

int
main (int argc, char **argv)
{
  if (argc != 5) {
    fprintf (stderr, "usage: %s A.yuv B.yuv WIDTH HEIGHT > C.yuv\n", argv[0]);
    return 2;
  }
  int w = atoi (argv[3]), h = atoi (argv[4]);
  VfiFrameInfo info = { VFI_FORMAT_I420, w, h, VFI_RANGE_LIMITED };
  GError *error = NULL;
  VfiInterp *interp = vfi_interp_new (&info, &(VfiOptions){ .model = "auto" }, &error);
  gsize size = w * h + 2 * ((w + 1) / 2) * ((h + 1) / 2), bytes[2];
  char *file[2] = { NULL };
  int status = 1;

  if (interp && g_file_get_contents (argv[1], &file[0], &bytes[0], &error) && g_file_get_contents (argv[2], &file[1], &bytes[1], &error)) {
    if (bytes[0] == size && bytes[1] == size) {
      guint8 *made = g_malloc (size);
      VfiFrame a = i420 ((guint8 *) file[0], w, h), b = i420 ((guint8 *) file[1], w, h), c = i420 (made, w, h);
      if (vfi_interp_set_pair (interp, &a, &b, &error) && vfi_interp_at (interp, 0.5, &c, &error))
        status = fwrite (made, 1, size, stdout) != size;
      g_free (made);
    } else {
      fprintf (stderr, "a frame of this size has %zu bytes\n", size);
    }
  }
  if (error)
    fprintf (stderr, "%s\n", error->message);
  if (interp)
    vfi_interp_free (interp);
  g_free (file[0]);
  g_free (file[1]);
  return status;
}
