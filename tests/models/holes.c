/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The networks that fill holes, in pictures and in flow, against PyTorch: the names of their weights both ways, and what they compute, on every
 * backend here. Stored results and lists come from golden.py.
 */
#include <math.h>
#include <stdio.h>

#include "../generate.h"
#include "membrane.h"
#include "model.h"
#include "run.h"

typedef struct
{
  const VfiModel *model;
  VfiBackendKind backend;
  VfiDType feature;
  double tolerance; /* of pictures from 0 to 1; of flow in units of its deviation */
} Output;

static gboolean
of_pictures (const VfiModel *m)
{
  return !strcmp (m->task, "inpainting");
}

/* golden.py: with_hole. */
static float *
with_hole (const VfiModel *m, int h, int w)
{
  g_autofree char *name = g_strdup_printf ("%s/%dx%d", m->name, h, w);
  const guint64 seed = test_seed (name);
  const int n = of_pictures (m) ? 3 : 2;
  float *x = g_new (float, h *w *(n + 1));

  for (int i = 0; i < h * w; i++) {
    const int py = i / w, px = i % w;
    const gboolean hole = py >= h / 4 && py < h * 5 / 8 && px >= w / 3 && px < w * 3 / 4;

    for (int c = 0; c < n; c++) {
      const float v = test_uniform (seed, (gsize) (py / 8 * w + px / 8) * n + c);
      x[i * (n + 1) + c] = n == 2 ? v * 2 : hole ? 0.5f : v * 0.375f + 0.5f;
    }
    x[i * (n + 1) + n] = hole;
  }
  return x;
}

static void
output (gconstpointer data)
{
  const Output *o = data;
  const VfiModel *m = o->model;
  const int n = of_pictures (m) ? 3 : 2;
  GError *error = NULL;
  VfiBackend *b = vfi_backend_open (&(VfiOptions){ .backend = o->backend, .threads = 2 }, NULL, &error);
  g_auto (GStrv) sizes = NULL;
  VfiGraph *none = NULL;
  VfiWeights *weights = model_weights (m, VFI_F32), *golden = model_golden (m);

  g_assert_no_error (error);
  vfi_weights_check (golden, &none, &sizes, NULL);
  g_assert_cmpuint (g_strv_length (sizes), >=, 3);
  if (b->klass->supports_precision (b, o->feature))
    for (char **size = sizes; *size; size++) {
      g_autofree float *x = NULL, *want = NULL, *got = NULL;
      int h = 0, w = 0;
      double worst = 0, squares = 0;

      g_assert_cmpint (sscanf (*size, "%dx%d", &h, &w), ==, 2);
      want = vfi_weights_read (golden, &(VfiWeightSpec){ *size, 3, { h, w, n } }, &error);
      g_assert_no_error (error);
      x = with_hole (m, h, w);
      got = model_run_alone (m, b, weights, o->feature, h, w, x);
      for (int i = 0; i < h * w * n; i++) {
        g_assert_true (isfinite (got[i]));
        worst = fmax (worst, fabs (got[i] - (double) want[i]));
        squares += want[i] * (double) want[i] / (h * w * n);
      }
      g_test_message ("%s: off by %.3g of %.3g", *size, worst, sqrt (squares));
      g_assert_cmpfloat (squares, >, 1e-4);
      g_assert_cmpfloat (worst, <=, o->tolerance);
    }
  else
    g_test_skip ("this machine does not compute in this precision");
  vfi_weights_unref (golden);
  vfi_weights_unref (weights);
  vfi_backend_unref (b);
}

/* ---- shipped weights ---------------------------------------------------------------------------- */

#define SIDE 128
#define HOLE(i) ((i) / SIDE >= 40 && (i) / SIDE < 88 && (i) % SIDE >= 40 && (i) % SIDE < 88)

/* Stripes of one direction, or grey; a third of the way from colour to colour. */
static float
stripe (int i, int c, int direction)
{
  const int at = direction == 0 ? i / SIDE : i % SIDE;

  return direction == 2 ? 0.3f + 0.2f * c : (float) (0.5 + 0.3 * sin (at * G_PI / 16 + c * G_PI / 3));
}

/* The root of the mean square error in the hole. */
static double
wrong (const float *x, int ld, int direction)
{
  double sum = 0;
  int n = 0;

  for (int i = 0; i < SIDE * SIDE; i++)
    for (int c = 0; HOLE (i) && c < 3; c++, n++)
      sum += pow (x[i * ld + c] - (double) stripe (i, c, direction), 2);
  return sqrt (sum / n);
}

/* Weights that ship fit their network, which goes on with what goes on, and leaves alone what is right. */
static void
shipped (gconstpointer data)
{
  const VfiModel *m = data;
  g_autofree char *path = vfi_model_find_weights (m);
  g_autofree float *smooth = g_new (float, SIDE *SIDE * 3), *weight = g_new (float, SIDE *SIDE), *x = g_new (float, SIDE *SIDE * 4);
  GError *error = NULL;
  VfiMembrane membrane = { 0 };
  VfiWeights *weights;
  VfiBackend *b;

  if (!path) {
    g_test_skip ("none ship");
    return;
  }
  weights = vfi_weights_open (path, &error);
  g_assert_no_error (error);
  model_check_names (m, weights);
  b = vfi_backend_open (&(VfiOptions){ .backend = VFI_BACKEND_CPU, .threads = 2 }, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (vfi_membrane_reserve (&membrane, SIDE * SIDE, 3));
  for (int direction = 0; direction < 3; direction++) {
    g_autofree float *made = NULL;
    double before, after;

    for (int i = 0; i < SIDE * SIDE; i++) {
      weight[i] = HOLE (i) ? 0 : VFI_MEMBRANE_FIXED;
      for (int c = 0; c < 3; c++)
        smooth[i * 3 + c] = HOLE (i) ? 0 : stripe (i, c, direction);
    }
    vfi_membrane_solve (&membrane, smooth, weight, SIDE, SIDE, 3);
    for (int i = 0; i < SIDE * SIDE; i++) {
      memcpy (x + i * 4, smooth + i * 3, 3 * sizeof *x);
      x[i * 4 + 3] = HOLE (i);
    }
    made = model_run_alone (m, b, weights, VFI_F32, SIDE, SIDE, x);
    before = wrong (smooth, 3, direction);
    after = wrong (made, 3, direction);
    g_test_message ("direction %d: off by %.4f, smooth %.4f", direction, after, before);
    if (direction < 2)
      g_assert_cmpfloat (after, <, 0.5 * before);
    else
      g_assert_cmpfloat (after, <, 0.02);
  }
  vfi_membrane_clear (&membrane);
  vfi_backend_unref (b);
  vfi_weights_unref (weights);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    VfiBackendKind backend;
    VfiDType feature;
    const char *name;
    double tolerance;
  } on[] = {
    { VFI_BACKEND_REFERENCE, VFI_F32, "reference/fp32", 2e-6 },
    { VFI_BACKEND_REFERENCE, VFI_BF16, "reference/bf16", 0.005 },
    { VFI_BACKEND_CPU, VFI_F32, "cpu/fp32", 2e-6 },
    { VFI_BACKEND_CPU, VFI_BF16, "cpu/bf16", 0.01 },
  };

  g_test_init (&argc, &argv, NULL);
  for (const VfiModel *const *m = vfi_models; *m; m++) {
    char *name;

    if ((*m)->at)
      continue; /* interpolation.c, pictures.c */
    name = g_strdup_printf ("/models/%s/names", (*m)->name);
    g_test_add_data_func (name, *m, model_names);
    g_free (name);
    if (of_pictures (*m)) {
      name = g_strdup_printf ("/models/%s/shipped", (*m)->name);
      g_test_add_data_func (name, *m, shipped);
      g_free (name);
    }
    for (guint i = 0; i < G_N_ELEMENTS (on); i++) {
      Output o = { *m, on[i].backend, on[i].feature, on[i].tolerance };

      name = g_strdup_printf ("/models/%s/%s", (*m)->name, on[i].name);
      g_test_add_data_func_full (name, g_memdup2 (&o, sizeof o), output, g_free);
      g_free (name);
    }
  }
  return g_test_run ();
}
