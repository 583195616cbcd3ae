/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Scores against figures computed apart from ours (score_reference.py), and pictures through files.
 */
#include <math.h>

#include <glib/gstdio.h>
#include <gst/gst.h>

#include "score.h"

static ToolPicture *
noise (guint32 seed, int w, int h)
{
  ToolPicture *p = tool_picture_new (w, h);
  for (int i = 0; i < w * h * 3; i++) {
    seed = seed * 1664525u + 1013904223u;
    p->data[i] = (guint8) (seed >> 24);
  }
  return p;
}

static ToolPicture *
gradient (int w, int h)
{
  ToolPicture *p = tool_picture_new (w, h);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      for (int c = 0; c < 3; c++)
        p->data[(y * w + x) * 3 + c] = (guint8) (3 * x + 5 * y + 40 * c);
  return p;
}

static void
check (const ToolPicture *a, const ToolPicture *b, double psnr, double ssim, double ie)
{
  ToolScore s = tool_score (a, b);
  g_assert_cmpfloat_with_epsilon (s.psnr, psnr, 1e-9);
  g_assert_cmpfloat_with_epsilon (s.ssim, ssim, 1e-9);
  g_assert_cmpfloat_with_epsilon (s.ie, ie, 1e-9);
}

static void
test_noise (void)
{
  g_autoptr (ToolPicture) a = noise (1, 37, 29), b = noise (2, 37, 29);
  check (a, b, 7.6763999675, 0.0056615199, 105.3707768848);
}

static void
test_gradient (void)
{
  g_autoptr (ToolPicture) a = gradient (64, 48), b = gradient (64, 48), n = noise (3, 64, 48);
  for (int i = 0; i < 64 * 48 * 3; i++)
    b->data[i] = (guint8) (a->data[i] * 7 / 8 + n->data[i] / 8);
  check (a, b, 25.7782926678, 0.9623413467, 13.1106899503);
}

static void
test_small (void)
{
  g_autoptr (ToolPicture) a = gradient (4, 3), b = noise (4, 4, 3);
  check (a, b, 7.7677979416, -0.0791127353, 104.2678175555);
}

static void
test_equal (void)
{
  g_autoptr (ToolPicture) a = noise (5, 20, 20);
  ToolScore s = tool_score (a, a);
  g_assert_true (isinf (s.psnr) && s.psnr > 0);
  g_assert_cmpfloat_with_epsilon (s.ssim, 1, 1e-12);
  g_assert_cmpfloat (s.ie, ==, 0);
}

static void
test_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("vfi-XXXXXX", NULL), *path = g_build_filename (dir, "a b.png", NULL);
  g_autoptr (ToolPicture) a = noise (6, 33, 17); /* rows that are padded in a GstBuffer */
  g_assert_true (tool_picture_write_png (a, path, &error));
  g_autoptr (ToolPicture) b = tool_picture_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (b->width, ==, 33);
  g_assert_cmpint (b->height, ==, 17);
  g_assert_cmpmem (a->data, 33 * 17 * 3, b->data, 33 * 17 * 3);

  g_assert_true (g_file_set_contents (path, "no picture", -1, NULL));
  g_assert_null (tool_picture_read (path, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, path));
  g_unlink (path);
  g_rmdir (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/score/noise", test_noise);
  g_test_add_func ("/score/gradient", test_gradient);
  g_test_add_func ("/score/smaller-than-the-window", test_small);
  g_test_add_func ("/score/equal", test_equal);
  g_test_add_func ("/picture/file", test_file);
  return g_test_run ();
}
