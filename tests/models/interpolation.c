/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every network of pairs, for interpolation and for flow, against PyTorch: the names of its weights both ways, and what it computes, on every backend here.
 * Stored results and lists come from golden.py.
 */
#include <math.h>

#include "../generate.h"
#include "model.h"
#include "run.h"

static const struct
{
  int h, w;
  float t;
} runs[] = { { 64, 96, 0.5f }, { 32, 128, 0.25f }, { 64, 32, 0.9f }, { 32, 32, 0.4f } }; /* golden.py: RUNS */

/* Flow is seen from the first frame. */
static float
time_of (const VfiModel *m, float t)
{
  return strcmp (m->task, "flow") ? t : 0;
}

/* Luma is a texture that moves, chroma blocks of 8 x 8 that move, and noise. golden.py: picture. */
static float *
picture (const VfiModel *m, int h, int w, int i)
{
  char *blocks = g_strdup_printf ("%s/%dx%d", m->name, h, w), *noise = g_strdup_printf ("%s/x%d", blocks, i);
  float *x = g_new (float, h / 2 * w / 2 * 6);

  for (int j = 0; j < h / 2 * w / 2 * 6; j++) {
    const int px = j / 6 % (w / 2), py = j / 6 / (w / 2), c = j % 6;

    if (c < 4)
      x[j] = test_texture (2 * px + c % 2 + 3 * i, 2 * py + c / 2 + i);
    else
      x[j] = test_uniform (test_seed (blocks), ((py + i) / 8 * (w / 2) + (px + 3 * i) / 8) * 6 + c) * 0.375f +
             test_uniform (test_seed (noise), j) * 0.125f;
  }
  g_free (noise);
  g_free (blocks);
  return x;
}

typedef struct
{
  const VfiModel *model;
  VfiBackendKind backend;
  VfiDType feature;
  double tolerance;  /* of the state, in pixels, */
  gboolean relative; /* or as a part of the largest */
} Output;

static void
output (gconstpointer data)
{
  const Output *o = data;
  const VfiModel *m = o->model;
  const int grid = model_grid (m), channels = model_state (m);
  GError *error = NULL;
  VfiBackend *b = vfi_backend_open (&(VfiOptions){ .backend = o->backend, .threads = 2 }, NULL, &error);
  VfiWeights *weights = model_weights (m, VFI_F32), *golden = model_golden (m);

  g_assert_no_error (error);
  if (b->klass->supports_precision (b, o->feature))
    for (guint i = 0; i < G_N_ELEMENTS (runs); i++) {
      int h = runs[i].h, w = runs[i].w;
      char name[32];
      const int gh = h / grid, gw = w / grid;
      VfiWeightSpec spec = { name, 3, { gh, gw, channels } };
      float *x0 = picture (m, h, w, 0), *x1 = picture (m, h, w, 1), *want, *got;
      double worst = 0, largest = 0;

      g_snprintf (name, sizeof name, "%dx%d/t=%g", h, w, time_of (m, runs[i].t));
      want = vfi_weights_read (golden, &spec, &error);
      g_assert_no_error (error);
      got = model_run (m, b, weights, o->feature, h, w, 1, x0, x1, time_of (m, runs[i].t));
      for (int j = 0; j < gh * gw * channels; j++) {
        g_assert_true (isfinite (got[j]));
        worst = fmax (worst, fabs (got[j] - (double) want[j]));
        largest = fmax (largest, fabs (want[j]));
      }
      g_test_message ("%s: off by %.3g of %.3g", name, worst, largest);
      g_assert_cmpfloat (worst, <=, o->tolerance * (o->relative ? largest : 1));
      g_free (got);
      g_free (want);
      g_free (x1);
      g_free (x0);
    }
  else
    g_test_skip ("this machine does not compute in this precision");
  vfi_weights_unref (golden);
  vfi_weights_unref (weights);
  vfi_backend_unref (b);
}

/* ---- motion that bends ------------------------------------------------------------------------- */

static void
bend (gconstpointer data)
{
  const Output *o = data;
  static const float lasts[][2] = { { 1, 1 }, { 0.5f, 0 }, { 0, 2 }, { 0, 0 } }; /* golden.py: LASTS, of each run */
  static const float fast[] = { 6, 2.25f, 12 };
  GError *error = NULL;
  VfiBackend *b = vfi_backend_open (&(VfiOptions){ .backend = o->backend, .threads = 2 }, NULL, &error);
  VfiWeights *golden = model_golden (o->model);

  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++) {
    const int h = runs[i].h, w = runs[i].w, n = h / 16 * (w / 16) * 2;
    g_autofree float *want = NULL, *got = NULL;
    float *course[3];
    char name[32];
    VfiWeightSpec spec = { name, 3, { h / 16, w / 16, 2 } };
    double worst = 0;

    g_snprintf (name, sizeof name, "%dx%d/bend", h, w);
    want = vfi_weights_read (golden, &spec, &error);
    g_assert_no_error (error);
    for (int k = 0; k < 3; k++) {
      g_autofree char *seed = g_strdup_printf ("%s%d", name, k);

      course[k] = g_new (float, n);
      for (int j = 0; j < n; j++)
        course[k][j] = fast[k] + test_uniform (test_seed (seed), j);
    }
    got = model_bend (o->model, b, h, w, (const float *const *) course, runs[i].t, lasts[i]);
    for (int j = 0; j < n; j++) {
      g_assert_true (isfinite (got[j]));
      worst = fmax (worst, fabs (got[j] - (double) want[j]));
    }
    g_test_message ("%s: off by %.3g", name, worst);
    g_assert_cmpfloat (worst, <=, 2e-6);
    for (int k = 0; k < 3; k++)
      g_free (course[k]);
  }
  vfi_weights_unref (golden);
  vfi_backend_unref (b);
}

/* ---- shipped weights ---------------------------------------------------------------------------- */

/* As the network sees it: the four luma samples of each 2 x 2 block, no chroma. */
static float *
textured (int h, int w, double dx, double dy)
{
  float *x = g_new0 (float, h / 2 * w / 2 * 6);

  for (int i = 0; i < h / 2 * w / 2; i++)
    for (int c = 0; c < 4; c++)
      x[i * 6 + c] = test_texture (i % (w / 2) * 2 + c % 2 - dx, i / (w / 2) * 2 + c / 2 - dy);
  return x;
}

/* Weights that ship fit their network, and have learnt to see a picture move. */
static void
shipped (gconstpointer data)
{
  enum
  {
    H = 96,
    W = 128
  };
  const VfiModel *m = data;
  const int grid = model_grid (m), channels = model_state (m), gh = H / grid, gw = W / grid;
  char *path = vfi_model_find_weights (m);
  GError *error = NULL;
  VfiBackend *b;
  VfiWeights *weights;
  float *x0, *x1, *state;
  double mean[5] = { 0 };

  if (!path) {
    g_test_skip ("none ship");
    return;
  }
  weights = vfi_weights_open (path, &error);
  g_assert_no_error (error);
  model_check_names (m, weights);

  b = vfi_backend_open (&(VfiOptions){ .backend = VFI_BACKEND_CPU, .threads = 2 }, NULL, &error);
  g_assert_no_error (error);
  x0 = textured (H, W, 0, 0);
  x1 = textured (H, W, 6, -4);
  state = model_run (m, b, weights, VFI_F32, H, W, 1, x0, x1, time_of (m, 0.5f));
  for (int y = 8; y < gh - 8; y++)
    for (int x = 8; x < gw - 8; x++)
      for (int c = 0; c < 5; c++)
        mean[c] += state[(y * gw + x) * channels + c] / ((gh - 16) * (gw - 16)) * grid / 2;
  g_test_message ("moves by 3 -2, seen: %.2f %.2f and %.2f %.2f", mean[0], mean[1], mean[2], mean[3]);
  for (int c = strcmp (m->task, "flow") ? 0 : 2; c < 4; c++)
    g_assert_cmpfloat (fabs (mean[c] - (c % 2 ? -2 : 3)), <, 0.5);
  g_free (state);
  g_free (x1);
  g_free (x0);
  vfi_backend_unref (b);
  vfi_weights_unref (weights);
  g_free (path);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    VfiBackendKind backend;
    VfiDType feature;
    const char *name;
    /* In pixels of the state's grid; of flow, and of flow that a second network corrects, as a part of the largest. In bf16 they were 0.006 at worst, of velocities up to
     * 3.5, 0.003 and 0.0071. */
    double tolerance, flow, corrected;
  } on[] = {
    { VFI_BACKEND_REFERENCE, VFI_F32, "reference/fp32", 1.5e-5, 5e-6, 5e-6 },
    { VFI_BACKEND_CPU, VFI_F32, "cpu/fp32", 1.5e-5, 5e-6, 5e-6 },
    { VFI_BACKEND_REFERENCE, VFI_BF16, "reference/bf16", 0.015, 0.006, 0.014 },
    { VFI_BACKEND_CPU, VFI_BF16, "cpu/bf16", 0.015, 0.006, 0.014 },
  };

  g_test_init (&argc, &argv, NULL);
  for (const VfiModel *const *m = vfi_models; *m; m++) {
    char *name;

    if ((strcmp ((*m)->task, "interpolation") && strcmp ((*m)->task, "flow")) || (*m)->picture.order)
      continue; /* pictures.c */
    name = g_strdup_printf ("/models/%s/names", (*m)->name);
    g_test_add_data_func (name, *m, model_names);
    g_free (name);
    name = g_strdup_printf ("/models/%s/shipped", (*m)->name);
    g_test_add_data_func (name, *m, shipped);
    g_free (name);
    for (guint i = 0; i < G_N_ELEMENTS (on); i++) {
      const gboolean flow = !strcmp ((*m)->task, "flow");
      const gboolean corrected = !strcmp ((*m)->name, "vfi-flow-base");
      const double tolerance = corrected ? on[i].corrected : flow ? on[i].flow : on[i].tolerance;
      Output o = { *m, on[i].backend, on[i].feature, tolerance, flow };

      if ((*m)->bend && on[i].feature == VFI_F32) {
        name = g_strdup_printf ("/models/%s/bend/%s", (*m)->name, on[i].name);
        g_test_add_data_func_full (name, g_memdup2 (&o, sizeof o), bend, g_free);
        g_free (name);
      }
      name = g_strdup_printf ("/models/%s/%s", (*m)->name, on[i].name);
      g_test_add_data_func_full (name, g_memdup2 (&o, sizeof o), output, g_free);
      g_free (name);
    }
  }
  return g_test_run ();
}
