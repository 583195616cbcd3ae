/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every interpolation network against PyTorch: the names of its weights both ways, and what it computes, on every backend here.
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
} runs[] = { { 64, 96, 0.5f }, { 48, 80, 0.25f }, { 32, 16, 0.9f }, { 16, 16, 0.4f } }; /* golden.py: RUNS */

static char *
golden_path (const VfiModel *m, const char *suffix)
{
  char *name = g_strconcat (m->name, suffix, NULL), *path = g_test_build_filename (G_TEST_DIST, "golden", name, NULL);

  g_free (name);
  return path;
}

static VfiWeights *
generated (const VfiModel *m)
{
  char *path = golden_path (m, ".weights");
  VfiWeights *w = test_weights_listed (path);

  g_free (path);
  return w;
}

static void
names (gconstpointer data)
{
  const VfiModel *m = data;
  VfiWeights *w = generated (m);
  VfiGraph *graphs[4];
  char **unused;
  GError *error = NULL;

  model_graphs (m, VFI_F32, 64, 64, graphs);
  vfi_weights_check (w, graphs, &unused, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (unused[0], ==, NULL);
  g_strfreev (unused);
  for (int i = 0; graphs[i]; i++)
    vfi_graph_free (graphs[i]);
  vfi_weights_unref (w);
}

static float *
picture (const VfiModel *m, int h, int w, int i)
{
  char *name = g_strdup_printf ("%s/%dx%d/x%d", m->name, h, w, i);
  float *x = g_new (float, h / 2 * w / 2 * 6);

  for (int j = 0; j < h / 2 * w / 2 * 6; j++)
    x[j] = test_uniform (test_seed (name), j) * 0.5f;
  g_free (name);
  return x;
}

typedef struct
{
  const VfiModel *model;
  VfiBackendKind backend;
  VfiDType feature;
  double tolerance; /* of the state, in pixels */
} Output;

static void
output (gconstpointer data)
{
  const Output *o = data;
  const VfiModel *m = o->model;
  GError *error = NULL;
  VfiBackend *b = vfi_backend_open (&(VfiOptions){ .backend = o->backend, .threads = 2 }, NULL, &error);
  char *path = golden_path (m, ".safetensors");
  VfiWeights *weights = generated (m), *golden;

  g_assert_no_error (error);
  golden = vfi_weights_open (path, &error);
  g_assert_no_error (error);
  if (b->klass->supports_precision (b, o->feature))
    for (guint i = 0; i < G_N_ELEMENTS (runs); i++) {
      int h = runs[i].h, w = runs[i].w;
      char name[32];
      VfiWeightSpec spec = { name, 3, { h / 2, w / 2, 5 } };
      float *x0 = picture (m, h, w, 0), *x1 = picture (m, h, w, 1), *want, *got;
      double worst = 0, largest = 0;

      g_snprintf (name, sizeof name, "%dx%d/t=%g", h, w, runs[i].t);
      want = vfi_weights_read (golden, &spec, &error);
      g_assert_no_error (error);
      got = model_run (m, b, weights, o->feature, h, w, x0, x1, runs[i].t);
      for (int j = 0; j < h / 2 * w / 2 * 5; j++) {
        g_assert_true (isfinite (got[j]));
        worst = fmax (worst, fabs (got[j] - (double) want[j]));
        largest = fmax (largest, fabs (want[j]));
      }
      g_test_message ("%s: off by %.3g of %.3g", name, worst, largest);
      g_assert_cmpfloat (worst, <=, o->tolerance);
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
    double tolerance;
  } on[] = {
    { VFI_BACKEND_REFERENCE, VFI_F32, "reference/fp32", 2e-5 },
    { VFI_BACKEND_CPU, VFI_F32, "cpu/fp32", 2e-5 },
    { VFI_BACKEND_CPU, VFI_BF16, "cpu/bf16", 0.1 },
  };

  g_test_init (&argc, &argv, NULL);
  for (const VfiModel *const *m = vfi_models; *m; m++) {
    char *name = g_strdup_printf ("/models/%s/names", (*m)->name);

    if (strcmp ((*m)->task, "interpolation"))
      continue;
    g_test_add_data_func (name, *m, names);
    g_free (name);
    for (guint i = 0; i < G_N_ELEMENTS (on); i++) {
      Output o = { *m, on[i].backend, on[i].feature, on[i].tolerance };

      name = g_strdup_printf ("/models/%s/%s", (*m)->name, on[i].name);
      g_test_add_data_func_full (name, g_memdup2 (&o, sizeof o), output, g_free);
      g_free (name);
    }
  }
  return g_test_run ();
}
