/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CUDA kernels against the plain C references: every case of tests/ops in fp32 and fp16, on the host shim, or on a device.
 */
#include "../ops/harness.h"

/* As a part of the root mean square. On a device, fused multiply-adds and cuDNN's own order of summation. */
#ifdef SHIM
#include "fake_cudnn.h"
#define TOLERANCE 2e-6
#else
#define TOLERANCE 1e-4
#endif

VfiBackend *vfi_cuda_backend_new (int device, gpointer stream, GError **error);

typedef struct
{
  VfiDType feature;
  const OpCase *op;
  int engines; /* 0: all; 1: no fusion; 2: nor mixed types; 3: our own kernels where they take it */
} Case;

static VfiBackend *backend, *mma; /* the second with our own kernels for small convolutions */
static double worst;

static void
check (gconstpointer data)
{
  const Case *k = data;
  double tolerance = TOLERANCE, difference;

#ifdef SHIM
  fake_cudnn.no_fusion = k->engines == 1 || k->engines == 2;
  fake_cudnn.no_mixed = k->engines == 2;
  /* The sum is rounded once more before bias and residual are added. */
  if (k->engines == 2 && k->feature == VFI_F16)
    tolerance = 5e-3;
  if (k->engines == 3)
    fake_cudnn.graphs = g_string_new (NULL);
#endif
  difference = op_case_check (k->op, k->engines == 3 ? mma : backend, k->feature, tolerance);
  if (tolerance == TOLERANCE)
    worst = MAX (worst, difference);
#ifdef SHIM
  if (k->engines == 3) { /* they take all cases but a few */
    g_assert_true (fake_cudnn.graphs->len == 0 || k->op->conv.stride > 2 || k->op->channels > 112 || k->op->c > 500);
    g_string_free (fake_cudnn.graphs, TRUE);
    fake_cudnn.graphs = NULL;
  }
  fake_cudnn.no_fusion = fake_cudnn.no_mixed = FALSE;
#endif
}

int
main (int argc, char **argv)
{
  static const VfiDType features[] = { VFI_F32, VFI_F16 };
  GError *error = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  g_setenv ("VFI_MMA", "0", TRUE);
  if (!(backend = vfi_cuda_backend_new (0, NULL, &error))) {
    g_print ("1..0 # SKIP %s\n", error->message);
    return 0;
  }
  g_setenv ("VFI_MMA", "1", TRUE);
  mma = vfi_cuda_backend_new (0, NULL, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 2; i++)
    for (const OpCase *op = op_cases; op->name; op++)
      for (int engines = 0; engines < 4; engines++) {
        Case k = { features[i], op, engines };
        const char *type = vfi_dtype_name (k.feature);
        char *name = engines == 3 ? g_strdup_printf ("/ops/cuda/%s/conv2d-mma/%s", type, strchr (op->name, '/') + 1)
                                  : g_strdup_printf ("/ops/cuda/%s/%s%s", type, op->name,
                                                     (const char *[]){ "", "/no-fusion", "/no-mixed-types" }[engines]);

#ifndef SHIM
        if (engines == 1 || engines == 2)
          continue;
#endif
        if (!engines || (op->op == &vfi_op_conv2d && (engines < 3 || k.feature == VFI_F16)))
          g_test_add_data_func_full (name, g_memdup2 (&k, sizeof k), check, g_free);
        g_free (name);
      }
  result = g_test_run ();
  g_print ("# largest difference in fp32: %.2g of the root mean square, on %s\n", worst, backend->description);
  vfi_backend_unref (backend);
  vfi_backend_unref (mma);
  return result;
}
