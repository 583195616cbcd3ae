/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pictures in red, green and blue: frames to them and back in every format; and sessions of networks that see them: halving for those that only
 * make the middle.
 */
#include <math.h>

#include "frames.h"
#include "interp.h"

static const VfiPicture ways[] = {
  { VFI_RGB },
  { VFI_BGR, .zeros = TRUE },
  { VFI_RGB, .centred = TRUE },
  { VFI_BGR, .zeros = TRUE, .centred = TRUE },
  { VFI_RGB, .truncates = TRUE },
  { VFI_BGR, .centred = TRUE, .truncates = TRUE },
};

/* ---- there and back ----------------------------------------------------------------------------- */

static double
ramp (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  return *(const double *) data + 0.002 * (x + 2 * y) * (plane + comp ? 0.5 : 1);
}

static double
worst_trip (const VfiFrameInfo *info, double start, const VfiPicture *way, int margin)
{
  g_autoptr (TestFrame) from = test_frame_new (info, 5), to = test_frame_new (info, 0);
  int h = info->height + 7, w = info->width + 5;
  VfiView x = { g_new (float, h *w * 3), VFI_F32, h, w, 3, 3, 1 };
  int worst;

  test_frame_fill (from, ramp, &start);
  for (int i = 0; i < h * w * 3; i++)
    ((float *) x.data)[i] = NAN;
  vfi_picture_pack (info, &from->frame, way, &x);
  for (int i = 0; i < h * w * 3; i++)
    g_assert_true (isfinite (((float *) x.data)[i]));
  if (way->zeros)
    g_assert_cmpfloat (vfi_view_get (&x, h - 1, w - 1, 1), ==, 0);
  else
    g_assert_cmpfloat (vfi_view_get (&x, h - 1, w - 1, 1), ==,
                       vfi_view_get (&x, (way->centred ? 3 : 0) + info->height - 1, (way->centred ? 2 : 0) + info->width - 1, 1));
  vfi_picture_unpack (info, &from->frame, &from->frame, 0.5, way, &x, &to->frame);
  g_assert_true (test_frame_intact (to));
  worst = test_frame_worst (from, to, margin);
  g_free (x.data);
  return worst;
}

/* Flat areas and ramps survive in every format, whatever their colour; at the borders too, but for chroma that leans on one side only. */
static void
there_and_back (void)
{
  for (int format = 0; format < VFI_N_FORMATS; format++)
    for (int range = 0; range < 2; range++)
      for (guint way = 0; way < G_N_ELEMENTS (ways); way++)
        for (double start = 0; start <= 0.8; start += 0.2) {
          const VfiFrameInfo info = { format, 37, 22, range };

          g_assert_cmpint (worst_trip (&info, start, &ways[way], 2), <=, 1);
        }
}

/* Red is red, and first; or last. */
static void
colours (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_I420, 16, 16, VFI_RANGE_LIMITED };
  g_autoptr (TestFrame) f = test_frame_new (&info, 0);
  float x[16 * 16 * 3];
  const VfiView v = { x, VFI_F32, 16, 16, 3, 3, 1 };

  for (int i = 0; i < 256; i++) {
    test_frame_set (f, 0, i / 16, i % 16, 0, 63); /* BT.709: 255 0 0 */
    test_frame_set (f, 1, i / 32, i % 16 / 2, 0, 102);
    test_frame_set (f, 2, i / 32, i % 16 / 2, 0, 240);
  }
  for (int bgr = 0; bgr < 2; bgr++) {
    vfi_picture_pack (&info, &f->frame, &ways[bgr], &v);
    for (int c = 0; c < 3; c++)
      g_assert_cmpfloat (fabs (x[100 * 3 + c] - (c == 2 * bgr)), <, 0.01);
  }
}

/* What is no part of the picture is blended. */
static void
alpha (void)
{
  static const struct
  {
    VfiFormat format;
    int plane, comp;
  } cases[] = { { VFI_FORMAT_RGBA, 0, 3 }, { VFI_FORMAT_BGRX, 0, 3 }, { VFI_FORMAT_A420, 3, 0 } };
  float x[16 * 16 * 3] = { 0 };
  const VfiView v = { x, VFI_F32, 16, 16, 3, 3, 1 };

  for (guint k = 0; k < G_N_ELEMENTS (cases); k++) {
    const VfiFrameInfo info = { cases[k].format, 16, 16, VFI_RANGE_FULL };
    g_autoptr (TestFrame) a = test_frame_new (&info, 0), b = test_frame_new (&info, 0), d = test_frame_new (&info, 0);

    for (int i = 0; i < 256; i++) {
      test_frame_set (a, cases[k].plane, i / 16, i % 16, cases[k].comp, 100);
      test_frame_set (b, cases[k].plane, i / 16, i % 16, cases[k].comp, 200);
    }
    vfi_picture_unpack (&info, &a->frame, &b->frame, 0.25, &ways[0], &v, &d->frame);
    for (int i = 0; i < 256; i++)
      g_assert_cmpint (test_frame_get (d, cases[k].plane, i / 16, i % 16, cases[k].comp), ==, 125);
  }
}

/* ---- to levels ---------------------------------------------------------------------------------- */

/* Numbers on both sides of the cube's, none of them within rounding of where a level ends; levels that lack a little; and levels. */
static double
in_levels (int i)
{
  const int level = i * 29 % 1200 - 80;

  return level + (const double[]){ 0, 0.25, 0.625, 0.9375, -0x1p-12, 0x1p-12 }[(i + i / 7) % 6];
}

/* A picture that is cut off is that of a picture of whole levels which is not; in RGB these are the samples themselves. */
static void
cut_off (void)
{
  for (int format = 0; format < VFI_N_FORMATS; format++)
    for (int range = 0; range < 2; range++) {
      const VfiFrameInfo info = { format, 37, 22, range };
      const VfiFormatDesc *f = vfi_format_desc (format);
      g_autoptr (TestFrame) from = test_frame_new (&info, 5), want = test_frame_new (&info, 5), got = test_frame_new (&info, 5),
                            rounded = test_frame_new (&info, 5);
      const int n = info.width * info.height * 3, top = test_frame_max (want, 0);
      g_autofree float *given = g_new (float, n), *whole = g_new (float, n);
      const VfiView x = { given, VFI_F32, info.height, info.width, 3, 3, 1 };
      VfiView y = x;

      y.data = whole;
      for (int i = 0; i < n; i++) {
        const double v = in_levels (i), nearest = floor (v + 0.5);

        given[i] = (float) (v / top);
        whole[i] = (float) (fabs (v - nearest) < 0.001 ? nearest : floor (v)) / top;
      }
      vfi_picture_unpack (&info, &from->frame, &from->frame, 0.5, &ways[0], &y, &want->frame);
      vfi_picture_unpack (&info, &from->frame, &from->frame, 0.5, &ways[4], &x, &got->frame);
      vfi_picture_unpack (&info, &from->frame, &from->frame, 0.5, &ways[0], &x, &rounded->frame);
      g_assert_cmpint (test_frame_worst (want, got, 0), ==, 0);
      g_assert_cmpint (test_frame_worst (want, rounded, 0), >, 0);
      for (int i = 0; f->rgb && i < n; i++) {
        const double v = in_levels (i), nearest = floor (v + 0.5);
        const int y = i / 3 / info.width, px = i / 3 % info.width, comp = f->part[i % 3].comp;

        g_assert_cmpint (test_frame_get (got, 0, y, px, comp), ==, CLAMP (fabs (v - nearest) < 0.001 ? nearest : floor (v), 0, top));
        g_assert_cmpint (test_frame_get (rounded, 0, y, px, comp), ==, CLAMP (nearest, 0, top));
      }
    }
}

/* What no network should give harms nothing. */
static void
broken (void)
{
  static const float numbers[] = { NAN, INFINITY, -INFINITY, 1e38f, -1e38f };

  for (int format = 0; format < VFI_N_FORMATS; format++)
    for (int way = 0; way < 5; way += 4) {
      const VfiFrameInfo info = { format, 16, 16, VFI_RANGE_LIMITED };
      g_autoptr (TestFrame) from = test_frame_new (&info, 5), to = test_frame_new (&info, 5);
      float x[16 * 16 * 3];

      for (guint i = 0; i < G_N_ELEMENTS (x); i++)
        x[i] = numbers[i * 7 % 5];
      vfi_picture_unpack (&info, &from->frame, &from->frame, 0.5, &ways[way], &(VfiView){ x, VFI_F32, 16, 16, 3, 3, 1 }, &to->frame);
      g_assert_true (test_frame_intact (to));
    }
}

/* ---- halving ------------------------------------------------------------------------------------ */

static const float half[] = { 0.5f, 0, 0 };

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  vfi_output (g, "rgb", vfi_input (g, "picture", VFI_F32, h, w, 3));
}

static void
middle (VfiGraph *g, const VfiModel *model, int h, int w)
{
  vfi_output (g, "result",
              vfi_mix (g, vfi_input (g, "0.rgb", VFI_F32, h, w, 3), vfi_input (g, "1.rgb", VFI_F32, h, w, 3), .p = half, .q = half));
}

static double
flat (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  return *(const double *) data;
}

static void
halving (void)
{
  static const VfiModel model = {
    .name = "middle", .task = "interpolation", .picture = { VFI_RGB }, .multiple = 16, .frame = frame, .at = middle
  };
  static const double asked[] = { 0.5, 0.25, 0.75, 0.125, 0.875, 0.4, 0.01, 0.99, 0.625, 0.375, 0.5 };
  const VfiFrameInfo info = { VFI_FORMAT_RGB, 20, 18, VFI_RANGE_FULL };
  const double dark = 0, bright = 160 / 255.;
  g_autoptr (TestFrame) a = test_frame_new (&info, 0), b = test_frame_new (&info, 0), d = test_frame_new (&info, 0);
  VfiBackend *backend = vfi_reference_backend_new ();
  GError *error = NULL;
  VfiInterp *interp = vfi_interp_new_on (backend, &model, NULL, VFI_F32, &info, 1, &error);
  VfiProfile lines[8];
  int mixes = 0;

  g_assert_no_error (error);
  test_frame_fill (a, flat, &dark);
  test_frame_fill (b, flat, &bright);
  for (int turn = 0; turn < 2; turn++) { /* the second time the pair the other way round */
    g_assert_true (vfi_interp_set_pair (interp, turn ? &b->frame : &a->frame, turn ? &a->frame : &b->frame, &error));
    for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
      int step = CLAMP ((int) (asked[i] * 8 + 0.5), 1, 7);

      g_assert_true (vfi_interp_at (interp, asked[i], &d->frame, &error));
      g_assert_cmpint (test_frame_get (d, 0, 9, 9, 1), ==, turn ? 160 - 20 * step : 20 * step);
    }
  }

  /* What was made is used again: 1/4, 1/2, 3/4 are three runs. */
  g_assert_true (vfi_interp_set_pair (interp, &a->frame, &b->frame, &error));
  vfi_interp_set_profile (interp, TRUE);
  for (int i = 1; i < 4; i++)
    g_assert_true (vfi_interp_at (interp, i / 4., &d->frame, &error));
  for (int i = vfi_interp_get_profile (interp, lines, 8) - 1; i >= 0; i--)
    mixes += strcmp (lines[i].name, "mix") ? 0 : lines[i].calls;
  g_assert_cmpint (mixes, ==, 3);
  vfi_interp_free (interp);
  vfi_backend_unref (backend);
}

/* Of a network that truncates frames are cut off, and pictures between which there are others are not: a quarter and a half of 11 are
 * 2 and 5, and what is between these 4, for it is 4.125. */
static void
halving_cuts_off (void)
{
  static const VfiModel model = {
    .name = "middle", .task = "interpolation", .picture = { VFI_RGB, .truncates = TRUE }, .multiple = 1, .frame = frame, .at = middle
  };
  static const struct
  {
    double t;
    int want;
  } asked[] = { { 0.5, 5 }, { 0.25, 2 }, { 0.75, 8 }, { 0.375, 4 }, { 0.625, 6 }, { 0.875, 9 } };
  const VfiFrameInfo info = { VFI_FORMAT_RGB, 19, 17, VFI_RANGE_FULL };
  const double dark = 0, bright = 11 / 255.;
  g_autoptr (TestFrame) a = test_frame_new (&info, 0), b = test_frame_new (&info, 0), d = test_frame_new (&info, 0);
  VfiBackend *backend = vfi_reference_backend_new ();
  GError *error = NULL;
  VfiInterp *interp = vfi_interp_new_on (backend, &model, NULL, VFI_F32, &info, 1, &error);

  g_assert_no_error (error);
  test_frame_fill (a, flat, &dark);
  test_frame_fill (b, flat, &bright);
  g_assert_true (vfi_interp_set_pair (interp, &a->frame, &b->frame, &error));
  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    g_assert_true (vfi_interp_at (interp, asked[i].t, &d->frame, &error));
    g_assert_cmpint (test_frame_get (d, 0, 16, 18, 1), ==, asked[i].want);
  }
  vfi_interp_free (interp);
  vfi_backend_unref (backend);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/picture/there-and-back", there_and_back);
  g_test_add_func ("/picture/colours", colours);
  g_test_add_func ("/picture/alpha", alpha);
  g_test_add_func ("/picture/cut-off", cut_off);
  g_test_add_func ("/picture/broken", broken);
  g_test_add_func ("/picture/halving", halving);
  g_test_add_func ("/picture/halving-cuts-off", halving_cuts_off);
  return g_test_run ();
}
