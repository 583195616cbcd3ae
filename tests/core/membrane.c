/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The membrane against the same equations solved to the end, and what is known of it without solving anything.
 */
#include <math.h>
#include <string.h>

#include "../generate.h"
#include "membrane.h"

enum
{
  W = 45,
  H = 38,
};

/* The exact solution, by Gauss-Seidel in double precision until nothing moves. */
static void
direct (const float *data, const float *weight, double *v)
{
  for (int i = 0; i < W * H; i++)
    v[i] = weight[i] > 0 ? data[i] : 0;
  for (int round = 0; round < 20000; round++) {
    double moved = 0;
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++) {
        const int i = y * W + x;
        double sum = weight[i] > 0 ? (double) weight[i] * data[i] : 0, n = weight[i], next;
        if (weight[i] >= VFI_MEMBRANE_FIXED)
          continue;
        if (x > 0)
          sum += v[i - 1], n++;
        if (x < W - 1)
          sum += v[i + 1], n++;
        if (y > 0)
          sum += v[i - W], n++;
        if (y < H - 1)
          sum += v[i + W], n++;
        next = sum / n;
        moved = fmax (moved, fabs (next - v[i]));
        v[i] = next;
      }
    if (moved < 1e-7)
      break;
  }
}

/* A hole with a crooked border, in values of 0 to 1 that change along it; with `soft`, values that count for little. */
static void
make (float *data, float *weight, gboolean soft)
{
  const guint64 seed = test_seed ("membrane");

  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      const double a = atan2 (y - H / 2., x - W / 2.), r = hypot (x - W / 2., y - H / 2.);
      const int i = y * W + x;
      data[i] = (float) (0.5 + 0.3 * sin (2 * a) + 0.2 * (x + y) / (W + H) + (soft ? 0.1 * test_uniform (seed, i) : 0));
      weight[i] = r < 13 + 3 * sin (5 * a) ? 0 : soft ? 0.5f : VFI_MEMBRANE_FIXED;
    }
}

static void
solves (gconstpointer soft)
{
  static float data[W * H], weight[W * H], v[W * H], four[4 * W * H];
  static double exact[W * H];
  VfiMembrane m = { 0 };
  double worst = 0, square = 0;

  make (data, weight, soft != NULL);
  direct (data, weight, exact);
  memcpy (v, data, sizeof v);
  g_assert_true (vfi_membrane_reserve (&m, W * H, 4));
  vfi_membrane_solve (&m, v, weight, W, H, 1);
  for (int i = 0; i < W * H; i++) {
    worst = fmax (worst, fabs (v[i] - exact[i]));
    square += (v[i] - exact[i]) * (v[i] - exact[i]);
  }
  g_test_message ("worst %g, root mean square %g", worst, sqrt (square / (W * H)));
  g_assert_cmpfloat (worst, <, 0.01);
  g_assert_cmpfloat (sqrt (square / (W * H)), <, 0.002);
  for (int i = 0; i < 4 * W * H; i++)
    four[i] = data[i / 4] * (i % 4 + 1);
  vfi_membrane_solve (&m, four, weight, W, H, 4);
  for (int i = 0; i < 4 * W * H; i++)
    g_assert_cmpfloat (fabs (four[i] - v[i / 4] * (i % 4 + 1)), <, 1e-4);
  vfi_membrane_clear (&m);
}

/* A linear field is harmonic: it comes back. Fixed values stay, bit for bit. Boxes of any shape. */
static void
linear (void)
{
  static const int sizes[][2] = { { 1, 1 }, { 1, 9 }, { 9, 1 }, { 2, 2 }, { 17, 64 }, { 100, 3 } };
  VfiMembrane m = { 0 };

  for (guint k = 0; k < G_N_ELEMENTS (sizes); k++) {
    const int w = sizes[k][0], h = sizes[k][1];
    g_autofree float *v = g_new (float, w *h), *weight = g_new (float, w *h);

    for (int i = 0; i < w * h; i++) {
      const int x = i % w, y = i / w;
      const gboolean border = x == 0 || y == 0 || x == w - 1 || y == h - 1;
      v[i] = border ? 0.01f * x - 0.02f * y : 1e9f;
      weight[i] = border ? VFI_MEMBRANE_FIXED : 0;
    }
    g_assert_true (vfi_membrane_reserve (&m, w * h, 1));
    vfi_membrane_solve (&m, v, weight, w, h, 1);
    for (int i = 0; i < w * h; i++)
      if (weight[i] > 0)
        g_assert_cmpfloat (v[i], ==, 0.01f * (i % w) - 0.02f * (i / w));
      else
        g_assert_cmpfloat (fabs (v[i] - (0.01 * (i % w) - 0.02 * (i / w))), <, 0.01);
  }
  vfi_membrane_clear (&m);
}

/* A step all along a crooked line, and values that have it too: what goes through them is what goes through the values without it, and the step. */
static void
steps (void)
{
  static float data[W * H], weight[W * H], plain[W * H], v[W * H], step[W * H];
  VfiMembrane m = { 0 };
  double worst = 0, square = 0;

  make (data, weight, FALSE);
  memcpy (plain, data, sizeof plain);
  g_assert_true (vfi_membrane_reserve (&m, W * H, 1));
  vfi_membrane_solve (&m, plain, weight, W, H, 1);
#define BEYOND(x, y) ((x) > W / 2 + 5 * sin ((y) *0.3))
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      const int i = y * W + x;
      v[i] = data[i] + BEYOND (x, y);
      step[i] = 0;
      for (int k = 0; k < 4; k++) {
        const int u = x + (k == 0) - (k == 1), w = y + (k == 2) - (k == 3);
        if (u >= 0 && w >= 0 && u < W && w < H)
          step[i] += BEYOND (x, y) - BEYOND (u, w);
      }
    }
  vfi_membrane_solve_steps (&m, v, weight, step, W, H, 1);
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      const double off = v[y * W + x] - plain[y * W + x] - BEYOND (x, y);
      worst = fmax (worst, fabs (off));
      square += off * off;
    }
  g_test_message ("worst %g, root mean square %g", worst, sqrt (square / (W * H)));
  g_assert_cmpfloat (worst, <, 0.1);
  g_assert_cmpfloat (sqrt (square / (W * H)), <, 0.015);
  vfi_membrane_clear (&m);
}

static void
roughly (void)
{
  static float data[W * H], weight[W * H], v[W * H];
  static double exact[W * H];
  VfiMembrane m = { 0 };
  double worst = 0;

  make (data, weight, FALSE);
  direct (data, weight, exact);
  memcpy (v, data, sizeof v);
  g_assert_true (vfi_membrane_reserve (&m, W * H, 1));
  vfi_membrane_solve_roughly (&m, v, weight, W, H, 1);
  for (int i = 0; i < W * H; i++) {
    if (weight[i] > 0)
      g_assert_cmpfloat (v[i], ==, data[i]);
    worst = fmax (worst, fabs (v[i] - exact[i]));
  }
  g_test_message ("worst %g", worst);
  g_assert_cmpfloat (worst, <, 0.06);
  vfi_membrane_clear (&m);
}

static void
nothing_known (void)
{
  float v[12] = { 1, 2, 3, NAN }, weight[12] = { 0 };
  VfiMembrane m = { 0 };

  g_assert_true (vfi_membrane_reserve (&m, 12, 1));
  vfi_membrane_solve (&m, v, weight, 4, 3, 1);
  for (int i = 0; i < 12; i++)
    g_assert_cmpfloat (v[i], ==, 0);
  vfi_membrane_clear (&m);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/membrane/fixed", NULL, solves);
  g_test_add_data_func ("/membrane/soft", "soft", solves);
  g_test_add_func ("/membrane/linear", linear);
  g_test_add_func ("/membrane/steps", steps);
  g_test_add_func ("/membrane/roughly", roughly);
  g_test_add_func ("/membrane/nothing-known", nothing_known);
  return g_test_run ();
}
