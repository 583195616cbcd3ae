/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Published networks, which see and give pictures, against their authors' code: the names of their weights both ways, what they compute, and the frame
 * that the authors' program writes. Stored results and lists come from tools/golden.py, which keeps every third pixel of every third row.
 */
#include <math.h>
#include <stdio.h>

#include "../generate.h"
#include "interp.h"
#include "model.h"
#include "run.h"

#define STRIDE 3
#define FRAME "frame/"

/* tools/published/common.py: picture, CONTRAST. */
static float *
picture (const VfiModel *m, int h, int w, int i)
{
  char *blocks = g_strdup_printf ("%s/%dx%d", m->name, h, w), *noise = g_strdup_printf ("%s/x%d", blocks, i);
  guint64 block = test_seed (blocks), fine = test_seed (noise);
  float *x = g_new (float, h *w * 3), contrast = strcmp (m->name, "superslomo-uvi") ? 1 : 0.125f;

  for (int j = 0; j < h * w * 3; j++) {
    int px = (j / 3 % w + 3 * i) / 8, py = (j / 3 / w + i) / 8;

    x[j] = (test_uniform (block, (py * w + px) * 3 + j % 3) * 0.375f + test_uniform (fine, j) * 0.125f) * contrast + 0.5f;
  }
  g_free (noise);
  g_free (blocks);
  return x;
}

/* What a result may be off by, in parts of its range: on average, and any number of it. */
typedef struct
{
  double average, worst;
} Off;

/* In fp32 what the project promises. In the 16-bit types, where weights and all that lies between layers are rounded, one and a half times the
 * average and twice the worst of what was measured on the plain backend over all stored results. Weights and pictures made from names are a hard
 * case: flows are long, pictures change from pixel to pixel, and sepconv-plus divides by what may be next to nothing. */
static const Off exact = { 1e-4, 1e-4 };
static const struct
{
  const char *model;
  Off bf16, fp16;
} bounds[] = {
  { "rife-4.0", { 0.015, 0.28 }, { 0.0027, 0.049 } },
  { "rife-4.25", { 0.0021, 0.03 }, { 0.00024, 0.0032 } },
  { "rife-4.6", { 0.003, 0.057 }, { 0.00036, 0.011 } },
  { "rife-*", { 0.0023, 0.041 }, { 0.0003, 0.0052 } }, /* the others: the worst of all of them */
  { "ifrnet-s", { 0.0017, 0.015 }, { 0.0002, 0.0016 } },
  { "ifrnet", { 0.0022, 0.018 }, { 0.00023, 0.0022 } },
  { "ifrnet-l", { 0.0016, 0.017 }, { 0.00021, 0.0023 } },
  { "superslomo", { 7.9e-05, 0.0015 }, { 6.9e-06, 0.00013 } },
  { "superslomo-uvi", { 0.0005, 0.009 }, { 7e-05, 0.0012 } },
  { "dvf", { 0.00092, 0.018 }, { 6.3e-05, 0.0015 } },
  { "sepconv", { 0.0017, 0.0073 }, { 0.00016, 0.00094 } },
  { "sepconv-plus", { 0.0021, 0.5 }, { 0.00031, 0.056 } },
  { NULL, { 0.003, 0.02 }, { 0.0005, 0.003 } }, /* one that is new */
};

static int
row_of (const VfiModel *m)
{
  int i = 0;

  while (bounds[i].model && !g_pattern_match_simple (bounds[i].model, m->name))
    i++;
  return i;
}

/* One of many that differ in nothing but numbers: a GPU's time is for the others. */
static gboolean
is_variant (const VfiModel *m)
{
  const char *row = bounds[row_of (m)].model;

  return row && strchr (row, '*');
}

static Off
bound_of (const VfiModel *m, VfiDType feature)
{
  const int i = row_of (m);

  return feature == VFI_F32 ? exact : feature == VFI_BF16 ? bounds[i].bf16 : bounds[i].fp16;
}

typedef struct
{
  const VfiModel *model;
  VfiBackendKind backend;
  VfiDType feature;
  Off bound;
} Output;

/* One stored result: "HxW/t=T", or with "/scale=S". */
static void
compare (const Output *o, VfiBackend *b, VfiWeights *weights, VfiWeights *golden, const char *name)
{
  int h, w;
  float t, scale = 1;
  GError *error = NULL;
  float *x0, *x1, *want, *got;
  double worst = 0, sum = 0, low = 0, high = 1;
  int n;

  g_assert_cmpint (sscanf (name, "%dx%d/t=%f/scale=%f", &h, &w, &t, &scale), >=, 3);
  VfiWeightSpec spec = { (char *) name, 3, { (h + STRIDE - 1) / STRIDE, (w + STRIDE - 1) / STRIDE, 3 } };
  x0 = picture (o->model, h, w, 0);
  x1 = picture (o->model, h, w, 1);
  want = vfi_weights_read (golden, &spec, &error);
  g_assert_no_error (error);
  got = model_run (o->model, b, weights, o->feature, h, w, scale, x0, x1, t);
  n = spec.shape[0] * spec.shape[1] * 3;
  for (int j = 0; j < n; j++) {
    low = MIN (low, want[j]);
    high = MAX (high, want[j]);
  }
  for (int j = 0; j < n; j++) {
    int y = j / 3 / spec.shape[1] * STRIDE, x = j / 3 % spec.shape[1] * STRIDE;
    float v = got[(y * w + x) * 3 + j % 3];
    double off = fabs (CLAMP (v, low, high) - (double) want[j]) / (high - low); /* some originals clamp, ours leaves that to the frame */

    g_assert_true (isfinite (v));
    worst = fmax (worst, off);
    sum += off / n;
  }
  g_test_message ("%s: off by %.3g, on average %.3g", name, worst, sum);
  g_assert_cmpfloat (sum, <=, o->bound.average);
  g_assert_cmpfloat (worst, <=, o->bound.worst);
  g_free (got);
  g_free (want);
  g_free (x1);
  g_free (x0);
}

/* "frame/HxW/t=T": of frames in RGB a session makes the bytes of the authors' program, but for rounding where a level ends: padding, its side and its
 * multiple, or resizing; the order of channels; the side that t is nearer to; whether what is between two levels is cut off. */
static void
whole_frame (gconstpointer data)
{
  const VfiModel *m = data;
  GError *error = NULL;
  g_autoptr (VfiBackend) b = vfi_backend_open (&(VfiOptions){ .backend = VFI_BACKEND_CPU, .threads = 2 }, NULL, &error);
  g_autoptr (VfiWeights) weights = model_weights (m, VFI_F32), golden = model_golden (m);
  VfiGraph *none = NULL;
  char **names, *name = NULL;
  VfiInterp *interp;
  VfiFrame frame[3] = { 0 };
  float t, *want;
  int h, w, n, same = 0;

  g_assert_no_error (error);
  vfi_weights_check (golden, &none, &names, NULL);
  for (int i = 0; names[i]; i++)
    if (g_str_has_prefix (names[i], FRAME))
      name = names[i];
  g_assert_nonnull (name);
  g_assert_cmpint (sscanf (name + strlen (FRAME), "%dx%d/t=%f", &h, &w, &t), ==, 3);
  VfiWeightSpec spec = { name, 3, { (h + STRIDE - 1) / STRIDE, (w + STRIDE - 1) / STRIDE, 3 } };
  want = vfi_weights_read (golden, &spec, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 3; i++) {
    g_autofree float *x = picture (m, h, w, i);

    frame[i] = (VfiFrame){ .data = { g_malloc (h * w * 3) }, .stride = { w * 3 } };
    for (int j = 0; j < h * w * 3; j++)
      frame[i].data[0][j] = (guint8) (x[j] * 255. + 0.5);
  }
  interp = vfi_interp_new_on (b, m, weights, VFI_F32, &(VfiFrameInfo){ VFI_FORMAT_RGB, w, h, VFI_RANGE_FULL }, 1, &error);
  g_assert_no_error (error);
  g_assert_true (vfi_interp_set_pair (interp, &frame[0], &frame[1], &error));
  g_assert_true (vfi_interp_at (interp, t, &frame[2], &error));
  n = spec.shape[0] * spec.shape[1] * 3;
  for (int j = 0; j < n; j++) {
    const int y = j / 3 / spec.shape[1] * STRIDE, x = j / 3 % spec.shape[1] * STRIDE, got = frame[2].data[0][(y * w + x) * 3 + j % 3];

    g_assert_cmpint (ABS (got - (int) want[j]), <=, 1);
    same += got == (int) want[j];
  }
  g_test_message ("%s: %d of %d numbers are the same", name, same, n);
  g_assert_cmpint (same, >=, n * 99 / 100);
  vfi_interp_free (interp);
  for (int i = 0; i < 3; i++)
    g_free (frame[i].data[0]);
  g_free (want);
  g_strfreev (names);
}

static int
area (const char *run)
{
  int h, w;

  if (g_str_has_prefix (run, FRAME))
    return G_MAXINT;
  g_assert_cmpint (sscanf (run, "%dx%d", &h, &w), ==, 2);
  return h * w;
}

static int
smallest (char **runs)
{
  int n = G_MAXINT;

  for (; *runs; runs++)
    n = MIN (n, area (*runs));
  return n;
}

static void
output (gconstpointer data)
{
  const Output *o = data;
  GError *error = NULL;
  g_autoptr (VfiBackend) b = vfi_backend_open (&(VfiOptions){ .backend = o->backend, .threads = 2 }, NULL, &error);
  g_autoptr (VfiWeights) weights = model_weights (o->model, o->feature), golden = model_golden (o->model);
  g_auto (GStrv) runs = NULL;
  VfiGraph *none = NULL;

  if (error && o->backend == VFI_BACKEND_CUDA) {
    g_test_skip (error->message);
    g_error_free (error);
    return;
  }
  g_assert_no_error (error);
  vfi_weights_check (golden, &none, &runs, NULL);
  g_assert_nonnull (runs[0]);
  if (b->klass->supports_precision (b, o->feature))
    for (char **name = runs; *name; name++) {
      if (area (*name) == smallest (runs) ||
          (o->backend == VFI_BACKEND_CPU && area (*name) < G_MAXINT)) /* others are slow to run, or to prepare */
        compare (o, b, weights, golden, *name);
    }
  else
    g_test_skip ("this machine does not compute in this precision");
}

static gboolean
pairs_of_pictures (const VfiModel *m)
{
  return m->picture.order && !strcmp (m->task, "interpolation");
}

int
main (int argc, char **argv)
{
  static const struct
  {
    VfiBackendKind backend;
    VfiDType feature;
    const char *name;
  } on[] = {
    { VFI_BACKEND_REFERENCE, VFI_F32, "reference/fp32" },
    { VFI_BACKEND_REFERENCE, VFI_BF16, "reference/bf16" },
    { VFI_BACKEND_REFERENCE, VFI_F16, "reference/fp16" },
    { VFI_BACKEND_CPU, VFI_F32, "cpu/fp32" },
    { VFI_BACKEND_CPU, VFI_BF16, "cpu/bf16" },
    { VFI_BACKEND_CUDA, VFI_F32, "cuda/fp32" },
    { VFI_BACKEND_CUDA, VFI_F16, "cuda/fp16" },
  };

  g_test_init (&argc, &argv, NULL);
  for (const VfiModel *const *m = vfi_models; *m; m++) {
    char *name = g_strdup_printf ("/models/%s/names", (*m)->name);

    if (pairs_of_pictures (*m))
      g_test_add_data_func (name, *m, model_names);
    g_free (name);
    name = g_strdup_printf ("/models/%s/frame", (*m)->name);
    if (pairs_of_pictures (*m))
      g_test_add_data_func (name, *m, whole_frame);
    g_free (name);
    for (guint i = 0; i < G_N_ELEMENTS (on) && pairs_of_pictures (*m); i++) {
      if (on[i].backend == VFI_BACKEND_CUDA && is_variant (*m))
        continue;
      Output o = { *m, on[i].backend, on[i].feature, bound_of (*m, on[i].feature) };

      name = g_strdup_printf ("/models/%s/%s", on[i].name, (*m)->name);
      g_test_add_data_func_full (name, g_memdup2 (&o, sizeof o), output, g_free);
      g_free (name);
    }
  }
  /* sepconv-plus by parts of the height, as a picture of more than a megapixel. */
  static const struct
  {
    int pixels;
  } few = { 1500 };
  VfiModel parts = *vfi_model_find ("sepconv-plus", NULL);
  Output o = { &parts, VFI_BACKEND_CPU, VFI_F32, exact };

  parts.config = &few;
  g_test_add_data_func ("/models/cpu/fp32/sepconv-plus/parts", &o, output);
  return g_test_run ();
}
