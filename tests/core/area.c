/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What of a frame is the picture, and what a letterbox's or a pillarbox's bars.
 */
#include "area.h"

#include "frame.h"
#include "frames.h"

#define H 40
#define W 60
#define PIXELS (H * W * 6)

static float memory[PIXELS];
static const VfiView x = { memory, VFI_F32, H, W, 6, 6, 1 };

/* The area of a frame that begins a stream or follows. What is filled in is the test's. */
static void
area_of (gboolean begins, float to[4])
{
  static float known[VFI_BARS];
  const VfiView bars = { known, VFI_F32, 1, 1, VFI_BARS, VFI_BARS, 1 }, area = { to, VFI_F32, 1, 1, 4, 4, 1 };

  if (begins)
    for (int i = 0; i < VFI_BARS; i++)
      known[i] = i % 2 ? NAN : 1e9f;
  vfi_frame_area (&x, begins, &bars, &area);
}

static void
is (const float area[4], int top, int left, int bottom, int right)
{
  if (area[0] != top || area[1] != left || area[2] != bottom || area[3] != right)
    g_test_fail_printf ("rows %g to %g, columns %g to %g instead of %d to %d, %d to %d", area[0], area[2], area[1], area[3], top, bottom,
                        left, right);
}

/* Bars at edges, in samples of luma, and what is found, in pixels of x. */
static void
drawn (void)
{
  static const struct
  {
    int bars[4];
    float dark, noise;
    int area[4];
  } cases[] = {
    { { 0, 0, 0, 0 }, 0, 0, { 0, 0, H, W } },
    { { 10, 0, 10, 0 }, 0, 0, { 5, 0, H - 5, W } },
    { { 0, 16, 0, 24 }, 0, 0, { 0, 8, H, W - 12 } },
    { { 8, 16, 4, 24 }, 0, 0, { 4, 8, H - 2, W - 12 } },
    { { 11, 0, 13, 0 }, 0, 0, { 6, 0, H - 7, W } }, /* where a pixel holds both, it counts as the bar's */
    { { 6, 7, 10, 7 }, 0, 0, { 3, 4, H - 5, W - 4 } },
    { { 10, 0, 50, 0 }, 0, 0, { 0, 0, H, W } }, /* they are not alike, and this is more than padding */
    { { 0, 16, 0, 8 }, 0, 0, { 0, 0, H, W } },
    { { 0, 7, 0, 0 }, 0, 0, { 0, 0, H, W } },            /* nothing is opposite */
    { { 10, 0, 10, 0 }, -0.07f, 0, { 5, 0, H - 5, W } }, /* blacker than black */
    { { 10, 0, 10, 0 }, 0.03f, 0.014f, { 5, 0, H - 5, W } },
    { { 10, 0, 10, 0 }, 0.03f, 0.06f, { 0, 0, H, W } }, /* it is not flat */
    { { 10, 0, 10, 0 }, 0.2f, 0, { 0, 0, H, W } },      /* nor is it dark */
    { { 60, 0, 0, 0 }, 0, 0, { 0, 0, H, W } },          /* most of the frame is */
    { { 80, 0, 0, 0 }, 0, 0, { 0, 0, H, W } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree float *given = NULL;
    const int *a = cases[i].area;
    float area[4];

    for (int frame = 0; frame < VFI_BAR_FRAMES; frame++) {
      test_boxed (&x, cases[i].bars, cases[i].dark, cases[i].noise);
      g_free (given);
      given = g_memdup2 (memory, sizeof memory);
      area_of (frame == 0, area);
      if (frame < VFI_BAR_FRAMES - 1) { /* not known yet, nor is anything filled */
        is (area, 0, 0, H, W);
        g_assert_cmpmem (memory, sizeof memory, given, sizeof memory);
      }
    }
    is (area, a[0], a[1], a[2], a[3]);
    for (int y = 0; y < H; y++)
      for (int j = 0; j < W; j++)
        for (int c = 0; c < 6; c++)
          g_assert_cmpfloat (memory[(y * W + j) * 6 + c], ==, given[(CLAMP (y, a[0], a[2] - 1) * W + CLAMP (j, a[1], a[3] - 1)) * 6 + c]);
  }
}

/* The same bars in so many frames as make them known. */
static void
learn (const int bars[4], float area[4])
{
  for (int i = 0; i < VFI_BAR_FRAMES; i++) {
    test_boxed (&x, bars, 0, 0);
    area_of (i == 0, area);
  }
}

/* A dark picture between bars of ten samples. */
static void
night (void)
{
  for (int i = 0; i < PIXELS; i++)
    memory[i] = i / 6 / W < 5 || i / 6 / W >= H - 5 ? 0 : 0.01f * (i % 3);
}

/* Of a picture that is dark as well nobody knows where it begins, unless it was seen before. */
static void
remembered (void)
{
  const int bars[4] = { 10, 0, 10, 0 };
  float area[4];

  for (int i = 0; i < 2 * VFI_BAR_FRAMES; i++) {
    night ();
    area_of (i == 0, area);
    is (area, 0, 0, H, W);
  }
  learn (bars, area);
  is (area, 5, 0, H - 5, W);
  night ();
  area_of (FALSE, area);
  is (area, 5, 0, H - 5, W);
  night ();
  for (int j = 10; j < 30; j++) /* letters in the upper one */
    memory[(2 * W + j) * 6] = 0.9f;
  area_of (FALSE, area);
  is (area, 5, 0, H - 5, W);
  for (int i = 0; i < VFI_BAR_FRAMES; i++) { /* the picture in it; it takes as long to come back */
    test_boxed (&x, (const int[4]){ 0, 0, 10, 0 }, 0, 0);
    area_of (FALSE, area);
    is (area, 0, 0, H, W);
  }
  for (int i = 0; i < VFI_BAR_FRAMES; i++) {
    test_boxed (&x, bars, 0, 0);
    area_of (FALSE, area);
    is (area, i < VFI_BAR_FRAMES - 1 ? 0 : 5, 0, i < VFI_BAR_FRAMES - 1 ? H : H - 5, W);
  }
  learn ((const int[4]){ 0, 16, 0, 16 }, area); /* another stream */
  is (area, 0, 8, H, W - 8);
}

/* Something bright that moves down before black: never where it was, and out of what it left when it rested in the middle. */
static void
moving (void)
{
  float area[4];

  for (int i = 0; i < 20; i++) {
    test_boxed (&x, (const int[4]){ 4 + 2 * i, 0, 44 - 2 * i, 0 }, 0, 0);
    area_of (i == 0, area);
    is (area, 0, 0, H, W);
  }
  learn ((const int[4]){ 24, 0, 24, 0 }, area);
  is (area, 12, 0, H - 12, W);
  for (int i = 1; i < 6; i++) {
    test_boxed (&x, (const int[4]){ 24 + 2 * i, 0, 24 - 2 * i, 0 }, 0, 0);
    area_of (FALSE, area);
    if (i > VFI_BAR_LOOSE)
      is (area, 0, 0, H, W);
  }
}

/* Letters on black are no picture beside a bar; nor is one that has letters in it before it is known. */
static void
letters (void)
{
  const int bars[4] = { 30, 0, 30, 0 };
  float area[4];

  for (int k = 0; k < 2 * VFI_BAR_FRAMES; k++) {
    for (int i = 0; i < PIXELS; i++)
      memory[i] = (i / 6 / W == 12 || i / 6 / W == H - 12) && i / 6 % W > 20 && i / 6 % W < 32 ? 0.9f : 0;
    area_of (k == 0, area);
    is (area, 0, 0, H, W);
  }
  for (int k = 0; k < 2 * VFI_BAR_FRAMES; k++) {
    test_boxed (&x, bars, 0, 0);
    for (int j = 20; j < 32; j++)
      memory[((H - 9) * W + j) * 6] = 0.9f;
    area_of (k == 0, area);
    is (area, 0, 0, H, W);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/area/drawn", drawn);
  g_test_add_func ("/area/remembered", remembered);
  g_test_add_func ("/area/moving", moving);
  g_test_add_func ("/area/letters", letters);
  return g_test_run ();
}
