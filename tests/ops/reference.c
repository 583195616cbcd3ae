/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plain C references against what PyTorch computed for the same cases (golden/ops.safetensors), and the plain backend against them.
 * With --list: the cases, for golden.py.
 */
#include <math.h>

#include "harness.h"
#include "weights.h"

/* What the references and PyTorch differ by, as a part of the root mean square: another order of summation, and for samplers
 * grid_sample's normalised coordinates. */
#define TOLERANCE 8e-6

static VfiWeights *golden;

static void
against_pytorch (gconstpointer data)
{
  const OpCase *k = data;
  VfiGraph *g = op_case_graph (k, VFI_F32);
  const VfiNode *node = g->nodes->pdata[0];
  const VfiTensor *y = node->dst;
  VfiWeightSpec spec = { (char *) k->name, 3, { y->h, y->w, y->c } };
  GError *error = NULL;
  float *want = vfi_weights_read (golden, &spec, &error), *weights[VFI_MAX_WEIGHTS] = { NULL };
  VfiView src[VFI_MAX_SRC], dst = { .dtype = VFI_F32, .h = y->h, .w = y->w, .c = y->c, .ld = y->c, .cd = 1 };
  gsize n = (gsize) y->h * y->w * y->c;
  double sum = 0, worst = 0;

  g_assert_no_error (error);
  for (int i = 0; i < node->n_src; i++) {
    const VfiTensor *x = node->src[i];

    src[i] = (VfiView){ node_source (node, i, k->name, k->flow, k->time), VFI_F32, x->h, x->w, x->c, x->c, 1 };
  }
  node_weights (node, weights);
  dst.data = g_new (float, n);
  node->op->reference (node, src, (const float *const *) weights, &dst);
  for (gsize i = 0; i < n; i++) {
    sum += want[i] * (double) want[i] / n;
    worst = fmax (worst, fabs (((float *) dst.data)[i] - (double) want[i]));
  }
  g_test_message ("%.3g of %.3g", worst, sqrt (sum));
  g_assert_cmpfloat (worst, <=, TOLERANCE * op_magnifies (k->op) * sqrt (sum));
  for (int i = 0; i < VFI_MAX_WEIGHTS; i++)
    g_free (weights[i]);
  for (int i = 0; i < node->n_src; i++)
    g_free (src[i].data);
  g_free (dst.data);
  g_free (want);
  vfi_graph_free (g);
}

/* Nothing is stored that is not a case any more. */
static void
no_others (void)
{
  VfiGraph *none = NULL;
  char **names;
  guint n = 0;

  while (op_cases[n].name)
    n++;
  vfi_weights_check (golden, &none, &names, NULL);
  g_assert_cmpuint (g_strv_length (names), ==, n);
  g_strfreev (names);
}

static void
plain_backend (gconstpointer data)
{
  VfiBackend *b = vfi_reference_backend_new ();
  static const VfiDType all[] = { VFI_F32, VFI_BF16, VFI_F16 };

  for (int i = 0; i < 3; i++)
    op_case_check (data, b, all[i], 0);
  vfi_backend_unref (b);
}

static void
list (void)
{
  for (const OpCase *k = op_cases; k->name; k++)
    g_print ("%s op=%s h=%d w=%d c=%d channels=%d kernel=%d stride=%d padding=%d after=%d dilation=%d no_bias=%d groups=%d act=%d slope=%g "
             "one_slope=%d "
             "first=%d fold=%d residual=%d flow=%g "
             "timed=%d side=%d time=%.9g radius=%d one_sided=%d scale=%d to_h=%d to_w=%d detail=%d gain=%d\n",
             k->name, k->op->name, k->h, k->w, k->c, k->channels, k->kernel, k->conv.stride, k->conv.padding, k->conv.after,
             k->conv.dilation, k->conv.no_bias, k->conv.groups, k->conv.act, k->conv.slope, k->conv.one_slope, k->conv.first, k->fold,
             k->residual, k->flow, k->timed, k->side, k->time, k->radius, k->one_sided, k->scale, k->to_h, k->to_w, k->detail, k->gain);
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  char *path;
  int result;

  if (argc > 1 && !strcmp (argv[1], "--list")) {
    list ();
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  path = g_test_build_filename (G_TEST_DIST, "golden", "ops.safetensors", NULL);
  golden = vfi_weights_open (path, &error);
  g_assert_no_error (error);
  g_free (path);
  g_test_add_func ("/ops/pytorch/no-others", no_others);
  for (const OpCase *k = op_cases; k->name; k++) {
    char *name = g_strconcat ("/ops/pytorch/", k->name, NULL);

    g_test_add_data_func (name, k, against_pytorch);
    g_free (name);
    name = g_strconcat ("/ops/plain/", k->name, NULL);
    g_test_add_data_func (name, k, plain_backend);
    g_free (name);
  }
  result = g_test_run ();
  vfi_weights_unref (golden);
  return result;
}
