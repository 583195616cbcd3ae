/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Scene score and difference on pictures whose history is known: the score stays below what the elements take for a cut through pans, zooms,
 * fades, flashes, noise and things that cross the picture, and exceeds it between pictures that have nothing to do with each other.
 */
#include <math.h>
#include <time.h>

#include "../generate.h"
#include "frames.h"

#define CUT 0.72 /* vfi.h */

static const VfiFrameInfo sd = { VFI_FORMAT_I420, 320, 180, VFI_RANGE_LIMITED };

/* A picture of its own for each seed, smooth and rough, looked at through a camera. */
typedef struct
{
  int seed;
  double y, x, zoom;   /* of the middle, in widths; 0 is 1 */
  double gain, offset; /* of the samples, of 1; gain 0 is 1 */
  double noise;
  double thing; /* where a wide thing stands before the picture; 0: nowhere */
} View;

static double
lattice (int seed, int octave, int y, int x)
{
  return test_uniform (test_seed ("lattice") + (guint64) seed * 1000 + octave, ((guint64) (y + 4096) << 20) + (guint64) (x + 4096));
}

/* Sum of octaves of values on lattices, bilinear between: about 0 +- 1. */
static double
clouds (int seed, double y, double x)
{
  double sum = 0, weight = 0.6, scale = 3;

  for (int octave = 0; octave < 6; octave++, weight *= 0.7, scale *= 2) {
    double v = y * scale, u = x * scale, fy = v - floor (v), fx = u - floor (u);
    int i = (int) floor (v), j = (int) floor (u);
    sum += weight * ((1 - fy) * ((1 - fx) * lattice (seed, octave, i, j) + fx * lattice (seed, octave, i, j + 1)) +
                     fy * ((1 - fx) * lattice (seed, octave, i + 1, j) + fx * lattice (seed, octave, i + 1, j + 1)));
  }
  return sum;
}

static double
through (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const View *v = data;
  double w = f->info.width, zoom = v->zoom ? v->zoom : 1, value;
  double py = (y - f->info.height / 2.) / w, px = x / w - 0.5;

  if (plane || comp == 3)
    return 0.5;
  if (v->thing && fabs (px - v->thing) < 0.15)
    value = 0.2 + 0.2 * clouds (v->seed + 500, py, px - v->thing);
  else
    value = 0.5 + 0.35 * clouds (v->seed, py / zoom + v->y, px / zoom + v->x);
  if (v->noise)
    value += v->noise * test_uniform (test_seed ("noise") + v->seed, (guint64) (y * 8192 + x + fabs (v->x) * 1e7));
  return CLAMP (value, 0, 1) * (v->gain ? v->gain : 1) + v->offset;
}

static double
score (const VfiFrameInfo *info, View a, View b)
{
  g_autoptr (TestFrame) p = test_frame_new (info, 5), q = test_frame_new (info, 0);
  double s, back;

  test_frame_fill (p, through, &a);
  test_frame_fill (q, through, &b);
  s = vfi_frame_scene_score (info, &p->frame, &q->frame);
  back = vfi_frame_scene_score (info, &q->frame, &p->frame);
  g_assert_cmpfloat (fabs (s - back), <=, 1e-6);
  g_assert_cmpfloat (s, >=, 0);
  g_assert_cmpfloat (s, <=, 1);
  return s;
}

static void
same_scene (void)
{
  static const struct
  {
    const char *what;
    double most; /* what it is, and a little */
    View a, b;
  } cases[] = {
    { "nothing", 0, { 0 }, { 0 } },
    { "noise", 0.15, { .noise = 0.05 }, { .noise = 0.05, .x = 1e-5 } },
    { "slow pan", 0.33, { 0 }, { .x = 0.01 } },
    { "pan", 0.42, { 0 }, { .x = 0.05, .y = 0.01 } },
    { "fast pan", 0.35, { 0 }, { .x = -0.11 } },
    { "tilt", 0.22, { 0 }, { .y = 0.06 } },
    { "zoom in", 0.32, { 0 }, { .zoom = 1.06 } },
    { "zoom out", 0.33, { 0 }, { .zoom = 0.94 } },
    { "fade to black", 0.15, { .gain = 0.8 }, { .gain = 0.7 } },
    { "end of a fade", 0.35, { .gain = 0.1 }, { .gain = 0.05 } },
    { "flash", 0.02, { .gain = 0.7 }, { .gain = 0.7, .offset = 0.3 } },
    { "pan in a fade", 0.39, { .gain = 0.6 }, { .gain = 0.5, .x = 0.03 } },
    { "something comes in", 0.63, { 0 }, { .thing = 0.4 } },
    { "something crosses", 0.57, { .thing = -0.1 }, { .thing = 0.05 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    double worst = 0;
    for (int seed = 1; seed <= 6; seed++) {
      View a = cases[i].a, b = cases[i].b;
      a.seed = b.seed = seed;
      worst = fmax (worst, score (&sd, a, b));
    }
    g_test_message ("%s: %.3f", cases[i].what, worst);
    g_assert_cmpfloat (worst, <=, cases[i].most);
    g_assert_cmpfloat (worst, <, CUT);
  }
}

static void
cuts (void)
{
  double least = 1, sum = 0;

  for (int i = 0; i < 60; i++) {
    /* of unlike and of like brightness and contrast */
    double s = score (&sd, (View){ .seed = 2 * i, .gain = 1 - 0.01 * i }, (View){ .seed = 2 * i + 1, .zoom = 1 + 0.01 * i });
    least = fmin (least, s);
    sum += s;
  }
  g_test_message ("least %.3f, mean %.3f", least, sum / 60);
  g_assert_cmpfloat (least, >, CUT);
  g_assert_cmpfloat (score (&sd, (View){ .seed = 1 }, (View){ .gain = 1e-9, .offset = 0.0627 }), >, CUT);
}

/* Formats and sizes say about the same. */
static void
formats (void)
{
  static const int sizes[][2] = { { 97, 251 }, { 201, 107 } };
  const View a = { .seed = 3 }, b = { .seed = 3, .x = 0.03 }, c = { .seed = 4 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    VfiFrameInfo info = { VFI_FORMAT_GRAY8, sizes[i][0], sizes[i][1], VFI_RANGE_FULL };
    double pan = score (&info, a, b), cut = score (&info, a, c);

    g_assert_cmpfloat (pan, <, 0.5);
    g_assert_cmpfloat (cut, >, CUT);
    for (int format = 0; format < VFI_N_FORMATS; format++) {
      const VfiFormatDesc *d = vfi_format_desc (format);
      VfiFrameInfo other = { format, sizes[i][0], sizes[i][1], (format + i) % 2 };
      /* RGB: the picture is in r, g and b; limited: NOISE is a little less; 10 bit: rounding */
      g_assert_cmpfloat (fabs (score (&other, a, b) - pan), <, d->rgb ? 1e-3 : 0.015);
      g_assert_cmpfloat (fabs (score (&other, a, c) - cut), <, d->rgb ? 1e-3 : 0.015);
    }
  }
}

/* Any size and content is within bounds; the smallest frames have blocks too. */
static void
small (void)
{
  static const int sizes[][2] = { { 16, 16 }, { 17, 31 }, { 16, 300 }, { 47, 49 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    VfiFrameInfo info = { VFI_FORMAT_NV12, sizes[i][0], sizes[i][1], VFI_RANGE_LIMITED };
    g_autoptr (TestFrame) p = test_frame_new (&info, 0), q = test_frame_new (&info, 0);
    double s;

    g_assert_cmpfloat (vfi_frame_scene_score (&info, &p->frame, &q->frame), ==, 0);
    g_assert_cmpfloat (vfi_frame_difference (&info, &p->frame, &q->frame), ==, 0);
    test_frame_random (p, "p");
    test_frame_random (q, "q");
    s = vfi_frame_scene_score (&info, &p->frame, &q->frame);
    g_assert_cmpfloat (s, >, 0.3);
    g_assert_cmpfloat (s, <=, 1);
    g_assert_cmpfloat (vfi_frame_scene_score (&info, &p->frame, &p->frame), ==, 0);
  }
}

static double
flat (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  return plane || comp == 3 ? 0.5 : *(const double *) data;
}

/* The difference is that of luma, by range and depth. */
static void
difference (void)
{
  for (int format = 0; format < VFI_N_FORMATS; format++)
    for (int range = 0; range < 2; range++) {
      VfiFrameInfo info = { format, 150, 83, range };
      gboolean full = range == VFI_RANGE_FULL || vfi_format_desc (format)->rgb;
      double lo = 0.3, hi = 0.4, depth, want;
      g_autoptr (TestFrame) p = test_frame_new (&info, 3), q = test_frame_new (&info, 0);

      test_frame_fill (p, flat, &lo);
      test_frame_fill (q, flat, &hi);
      depth = test_frame_max (p, 0);
      want = (floor (hi * depth + 0.5) - floor (lo * depth + 0.5)) / (full ? depth : 219 * (depth + 1) / 256);
      g_assert_cmpfloat (fabs (vfi_frame_difference (&info, &p->frame, &q->frame) - want), <, 1e-6);
      g_assert_cmpfloat (fabs (vfi_frame_difference (&info, &q->frame, &p->frame) - want), <, 1e-6);
      g_assert_cmpfloat (vfi_frame_difference (&info, &p->frame, &p->frame), ==, 0);
    }
}

/* Noise of an encoder's size is a repeat; half a pixel of motion is not. */
static void
repeats (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_I420, 640, 360, VFI_RANGE_LIMITED };
  g_autoptr (TestFrame) p = test_frame_new (&info, 0), q = test_frame_new (&info, 0);
  View v = { .seed = 5, .noise = 0.006 };
  double d;

  test_frame_fill (p, through, &v);
  v.x = 1e-6; /* other noise */
  test_frame_fill (q, through, &v);
  d = vfi_frame_difference (&info, &p->frame, &q->frame);
  g_test_message ("noise %.5f", d);
  g_assert_cmpfloat (d, <, 0.001);
  g_assert_cmpfloat (d, >, 0);
  v.x = 0.5 / info.width;
  test_frame_fill (q, through, &v);
  d = vfi_frame_difference (&info, &p->frame, &q->frame);
  g_test_message ("half a pixel %.5f", d);
  g_assert_cmpfloat (d, >, 0.001);
}

/* What both cost on a frame of 1280 x 720. */
static void
cost (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_I420, 1280, 720, VFI_RANGE_LIMITED };
  g_autoptr (TestFrame) p = test_frame_new (&info, 0), q = test_frame_new (&info, 0);

  test_frame_random (p, "p");
  test_frame_random (q, "q");
  for (int k = 0; k < 2; k++) {
    double best = G_MAXDOUBLE;
    for (int i = 0; i < 10; i++) {
      struct timespec t0, t1;
      clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t0);
      if (k)
        vfi_frame_difference (&info, &p->frame, &q->frame);
      else
        vfi_frame_scene_score (&info, &p->frame, &q->frame);
      clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t1);
      best = fmin (best, (t1.tv_sec - t0.tv_sec) * 1e3 + (t1.tv_nsec - t0.tv_nsec) * 1e-6);
    }
    g_test_message ("%s: %.2f ms", k ? "difference" : "scene score", best);
#if !SANITIZED
    g_assert_cmpfloat (best, <, 2);
#endif
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scene/same-scene", same_scene);
  g_test_add_func ("/scene/cuts", cuts);
  g_test_add_func ("/scene/formats", formats);
  g_test_add_func ("/scene/small", small);
  g_test_add_func ("/scene/difference", difference);
  g_test_add_func ("/scene/repeats", repeats);
  g_test_add_func ("/scene/cost", cost);
  return g_test_run ();
}
