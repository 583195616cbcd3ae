/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Networks on the CUDA backend against the plain one, with generated weights: on a device our own, on the host shim the small ones. Published ones on a
 * device: tests/models/pictures.c.
 */
#include <math.h>

#include "../generate.h"
#include "../models/run.h"
#include "model.h"

VfiBackend *vfi_cuda_backend_new (int device, gpointer stream, GError **error);

#define H 32
#define W 64

typedef struct
{
  const VfiModel *model;
  VfiDType feature;
} Case;

static VfiBackend *cuda, *plain;

/* Blocks of 8 x 8 that move by (3, 1). */
static float *
picture (int h, int w, int c, int i)
{
  const guint64 seed = test_seed ("blocks"), noise = test_seed (i ? "noise1" : "noise0");
  float *x = g_new (float, h *w *c);

  for (int j = 0; j < h * w * c; j++) {
    const int u = j / c % w + 3 * i, v = j / c / w + i;

    if (c == 6 && j % c < 4) /* luma in blocks of 2 x 2: what searches and Lucas-Kanade steps find in noise hangs on the last bit */
      x[j] = test_texture (2 * u + j % c % 2, 2 * v + j % c / 2);
    else
      x[j] = 0.5f + test_uniform (seed, (v / 8 * w + u / 8) * c + j % c) * 0.375f + test_uniform (noise, j) * 0.0625f;
  }
  return x;
}

/* A network that fills holes: values, and then the mask. */
static void
check_alone (gconstpointer data)
{
  const Case *k = data;
  const int in = strcmp (k->model->task, "inpainting") ? 3 : 4, n = H * W * (in - 1);
  g_autofree float *x = picture (H, W, in, 0), *got = NULL, *want = NULL;
  const double tolerance = k->feature == VFI_F32 ? 2e-6 : 0.001; /* of the range, and of the flow's deviation */
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  VfiWeights *weights;
  double worst = 0;

  for (int i = 0; i < H * W; i++) {
    const gboolean hole = i / W > H / 4 && i / W < H / 2 && i % W > W / 3 && i % W < W / 2;

    for (int c = 0; hole && in == 4 && c < 3; c++)
      x[i * in + c] = 0.5f;
    x[i * in + in - 1] = hole;
  }
  model_graphs (k->model, VFI_F32, H, W, 1, graphs);
  weights = test_weights_for (graphs);
  vfi_graph_free (graphs[0]);
  want = model_run_alone (k->model, plain, weights, VFI_F32, H, W, x);
  got = model_run_alone (k->model, cuda, weights, k->feature, H, W, x);
  for (int i = 0; i < n; i++) {
    g_assert_true (isfinite (got[i]));
    worst = fmax (worst, fabs (got[i] - (double) want[i]));
  }
  g_test_message ("off by %.2g", worst);
  g_assert_cmpfloat (worst, <=, tolerance);
  vfi_weights_unref (weights);
}

static void
check (gconstpointer data)
{
  const Case *k = data;
  const gboolean pictures = k->model->picture.order != VFI_NATIVE;
  const int h = pictures ? H : H / 2, w = pictures ? W : W / 2, c = pictures ? 3 : 6, grid = model_grid (k->model);
  const int n = pictures ? h * w * 3 : (H / grid) * (W / grid) * model_state (k->model);
  g_autofree float *x0 = picture (h, w, c, 0), *x1 = picture (h, w, c, 1), *got = NULL, *want = NULL;
  /* In pixels, or parts of the range: fp32 but for another order of summation, fp16 by what features lose. */
  const double tolerance = k->feature == VFI_F32 ? (pictures ? 5e-6 : 5e-5) : pictures ? 0.002 : 0.01;
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  VfiWeights *weights;
  double worst = 0, largest = 0;

  model_graphs (k->model, VFI_F32, H, W, 1, graphs);
  weights = test_weights_for (graphs);
  for (int i = 0; graphs[i]; i++)
    vfi_graph_free (graphs[i]);
  want = model_run (k->model, plain, weights, VFI_F32, H, W, 1, x0, x1, 0.4f);
  got = model_run (k->model, cuda, weights, k->feature, H, W, 1, x0, x1, 0.4f);
  for (int i = 0; i < n; i++) {
    g_assert_true (isfinite (got[i]));
    worst = fmax (worst, fabs (got[i] - (double) want[i]));
    largest = fmax (largest, fabs (want[i]));
  }
  g_test_message ("off by %.2g of %.2g", worst, largest);
  g_assert_cmpfloat (worst, <=, tolerance * fmax (1, 0.1 * largest)); /* of long motion, a part of it */
  vfi_weights_unref (weights);
}

int
main (int argc, char **argv)
{
#ifdef SHIM
  const char *const tested[] = { "vfi-nano", "vfi-base", "vfi-flow-nano", "vfi-flow-base", "ifrnet-s", NULL };
#else
  const char *const tested[] = { "vfi-nano", "vfi-base", "vfi-flow-nano", "vfi-flow-base", NULL };
#endif
  GError *error = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a device is dear: what one network misses does not keep the others from being looked at */
  if (!(cuda = vfi_cuda_backend_new (0, NULL, &error))) {
    g_print ("1..0 # SKIP %s\n", error->message);
    return 0;
  }
  plain = vfi_reference_backend_new ();
  for (const VfiModel *const *m = vfi_models; *m; m++)
    for (int i = 0; i < 2; i++) {
      const Case k = { *m, i ? VFI_F16 : VFI_F32 };
      g_autofree char *name = g_strdup_printf ("/models/cuda/%s/%s", (*m)->name, vfi_dtype_name (k.feature));

      if ((*m)->at && !g_strv_contains (tested, (*m)->name))
        continue;
      g_test_add_data_func_full (name, g_memdup2 (&k, sizeof k), (*m)->at ? check : check_alone, g_free);
    }
  result = g_test_run ();
  vfi_backend_unref (cuda);
  vfi_backend_unref (plain);
  return result;
}
