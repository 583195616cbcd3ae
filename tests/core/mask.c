/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Marks against the distance to every pixel of the mask; boxes that hold them all.
 */
#include <math.h>
#include <string.h>

#include "../generate.h"
#include "mask.h"

enum
{
  W = 131,
  H = 94,
};

/* What a mark must be, the slow way. */
static guint8
mark_at (const guint8 *mask, int x, int y, int dilate, double feather)
{
  double d = 1e9;
  for (int v = 0; v < H; v++)
    for (int u = 0; u < W; u++)
      if (mask[v * W + u] >= 128)
        d = fmin (d, hypot (u - x, v - y));
  d -= dilate;
  if (d <= 0)
    return VFI_MARK_HOLE;
  if (feather > 0 && d < feather + 1)
    return (guint8) CLAMP (VFI_MARK_FILL - 1 + (1 - d / (feather + 1)) * (VFI_MARK_HOLE - VFI_MARK_FILL + 1) + 0.5, VFI_MARK_FILL,
                           VFI_MARK_HOLE - 1);
  return d - feather <= 2 ? VFI_MARK_BRINK : d - feather <= 5 ? VFI_MARK_BAND : VFI_MARK_CLEAR;
}

static void
marks (void)
{
  static const struct
  {
    int dilate;
    double feather;
  } cases[] = { { 0, 0 }, { 3, 0 }, { 0, 4 }, { 7, 2.5 }, { 40, 20 } };
  static guint8 mask[W * H];
  const guint64 seed = test_seed ("mask");
  VfiMarker *marker = vfi_marker_new (W, H);
  VfiRegion r;

  for (int i = 0; i < 6; i++) { /* two of them touch */
    const int x = (int) ((test_uniform (seed, 2 * i) + 1) / 2 * W), y = (int) ((test_uniform (seed, 2 * i + 1) + 1) / 2 * H);
    for (int v = y; v < MIN (y + 3 + i, H); v++)
      for (int u = x; u < MIN (x + 9 - i, W); u++)
        mask[v * W + u] = (u + v) % 3 ? 255 : 128;
  }
  g_assert_true (vfi_region_init (&r, W, H));
  for (guint k = 0; k < G_N_ELEMENTS (cases); k++) {
    gsize hole = 0, area = 0;
    vfi_region_set (&r, marker, &(VfiMask){ W, H, mask, W }, FALSE, cases[k].dilate, cases[k].feather);
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++) {
        const guint8 want = mark_at (mask, x, y, cases[k].dilate, cases[k].feather);
        g_assert_cmpint (r.mark[y * W + x], ==, want);
        g_assert_true (want == VFI_MARK_CLEAR || vfi_region_index (&r, x, y) >= 0);
        hole += want == VFI_MARK_HOLE;
        area += vfi_region_index (&r, x, y) >= 0;
      }
    g_assert_cmpuint (r.hole, ==, hole);
    g_assert_cmpuint (r.area, ==, area); /* disjoint */
    for (int i = 0; i < r.n_boxes; i++)
      g_assert_true (r.box[i].x0 % 2 == 0 && r.box[i].y0 % 2 == 0 && (r.box[i].x1 % 2 == 0 || r.box[i].x1 == W) &&
                     (r.box[i].y1 % 2 == 0 || r.box[i].y1 == H));
  }
  vfi_region_set (&r, marker, NULL, FALSE, 3, 3); /* nothing is left of what was */
  g_assert_cmpint (r.n_boxes, ==, 0);
  for (int i = 0; i < W * H; i++)
    g_assert_cmpint (r.mark[i], ==, VFI_MARK_CLEAR);
  vfi_region_clear (&r);
  vfi_marker_free (marker);
}

/* Far more specks than boxes: all are held. Inverted masks, masks of other sizes. */
static void
boxes (void)
{
  static guint8 mask[400 * 300], corner[4] = { 0, 255, 255, 255 };
  VfiMarker *marker = vfi_marker_new (400, 300);
  VfiRegion r;

  g_assert_true (vfi_region_init (&r, 400, 300));
  for (int y = 4; y < 300; y += 40)
    for (int x = 6; x < 400; x += 40)
      mask[y * 400 + x] = 200;
  vfi_region_set (&r, marker, &(VfiMask){ 400, 300, mask, 400 }, FALSE, 0, 0);
  g_assert_cmpint (r.n_boxes, <=, VFI_MAX_BOXES);
  g_assert_cmpuint (r.hole, ==, 80);
  for (int i = 0; i < 400 * 300; i++)
    g_assert_true (!mask[i] || vfi_region_index (&r, i % 400, i / 400) >= 0);
  vfi_region_set (&r, marker, &(VfiMask){ 2, 2, corner, 2 }, TRUE, 0, 0);
  g_assert_cmpuint (r.hole, ==, 200 * 150);
  g_assert_cmpint (r.mark[149 * 400 + 199], ==, VFI_MARK_HOLE);
  g_assert_cmpint (r.mark[149 * 400 + 200], ==, VFI_MARK_BRINK);
  vfi_region_clear (&r);
  vfi_marker_free (marker);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mask/marks", marks);
  g_test_add_func ("/mask/boxes", boxes);
  return g_test_run ();
}
