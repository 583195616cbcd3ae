/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CPU backend against the plain C references: every case, in each precision, with the kernels of each instruction set of this machine.
 *
 *   ops-cpu --bench vfi-nano 1280 720 [avx512|avx2|base [fp32|bf16 [REGEX]]]     times each node of a network's graphs, or those whose path matches
 */
#include <omp.h>
#include <time.h>

#include "../../cpu/cpu.h"
#include "harness.h"
#include "model.h"

/* As a part of the root mean square: other orders of summation and interpolation. */
#define TOLERANCE 2e-6

typedef struct
{
  const char *isa;
  VfiDType feature;
  int threads;
  const OpCase *op;
} Case;

static double worst;

static void
check (gconstpointer data)
{
  const Case *k = data;
  GError *error = NULL;
  VfiBackend *b = vfi_cpu_backend_new_isa (k->threads, k->isa, &error);

  if (!b) {
    g_assert_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED);
    g_test_skip (error->message);
    g_error_free (error);
    return;
  }
  if (b->klass->supports_precision (b, k->feature))
    worst = MAX (worst, op_case_check (k->op, b, k->feature, TOLERANCE));
  else
    g_test_skip ("this machine does not compute in this precision");
  vfi_backend_unref (b);
}

/* Threads that wait for another sleep: ten times 10 ms of waiting cost next to nothing, where spinning takes 3 ms and more of each for each thread. */
static void
waiting (void)
{
  g_autoptr (GError) error = NULL;
  VfiBackend *b;
  clock_t start = 0;

#ifdef __clang__
  g_test_skip ("made for GCC's libgomp");
  return;
#endif
  if (g_getenv ("OMP_WAIT_POLICY") || g_getenv ("GOMP_SPINCOUNT")) {
    g_test_skip ("the environment says how threads wait");
    return;
  }
  b = vfi_cpu_backend_new_isa (0, NULL, &error);
  g_assert_no_error (error);
  b->klass->begin (b);
  for (int i = 0; i < 11; i++) {
    if (i == 1) /* the first time threads are started */
      start = clock ();
#pragma omp parallel
    if (omp_get_thread_num () == 0)
      g_usleep (10000);
  }
  b->klass->end (b);
  g_assert_cmpfloat ((double) (clock () - start) / CLOCKS_PER_SEC, <, 0.01);
  vfi_backend_unref (b);
}

static void
part (gpointer data, int i, int n)
{
  g_assert_cmpint (i, <, n);
  __atomic_add_fetch ((int *) data, 1, __ATOMIC_RELAXED);
  if (i == 0)
    g_usleep (10000);
}

static void
count (gpointer data, int i, int thread)
{
  g_assert_cmpint (thread, <, 3);
  __atomic_add_fetch ((int *) data + i, 1, __ATOMIC_RELAXED);
}

/* The same of threads of our own, which look out before they sleep; each of them has its part, and each number its call. */
static void
sharing (void)
{
  g_autoptr (GError) error = NULL;
  VfiBackend *b = vfi_cpu_backend_new_isa (3, NULL, &error);
  int parts = 0, calls[1000] = { 0 };
  clock_t start = 0;

  g_assert_no_error (error);
  for (int i = 0; i < 11; i++) {
    if (i == 1)
      start = clock ();
    b->klass->share (b, part, &parts);
  }
  g_assert_cmpfloat ((double) (clock () - start) / CLOCKS_PER_SEC, <, 0.01);
  g_assert_cmpint (parts, ==, 33);
  for (int step = 1; step < 10; step++)
    for (int n = 0; n < 1000; n += 37) {
      memset (calls, 0, sizeof calls);
      vfi_cpu_each (b, n, step, count, calls);
      for (int i = 0; i < 1000; i++)
        g_assert_cmpint (calls[i], ==, i < n);
    }
  vfi_backend_unref (b);
}

static int
bench (int argc, char **argv)
{
  GError *error = NULL;
  const VfiModel *m = argc > 2 ? vfi_model_find (argv[2], &error) : NULL;
  VfiBackend *b = m ? vfi_cpu_backend_new_isa (0, argc > 5 ? argv[5] : NULL, &error) : NULL;
  int w = argc > 4 ? atoi (argv[3]) : 1280, h = argc > 4 ? atoi (argv[4]) : 720;

  if (!b) {
    g_printerr ("%s\n", error ? error->message : "--bench MODEL [WIDTH HEIGHT [ISA [fp32|bf16 [REGEX]]]]");
    return 1;
  }
  h = (h + m->multiple - 1) / m->multiple * m->multiple;
  w = (w + m->multiple - 1) / m->multiple * m->multiple;
  bench_model (m->name, b, argc > 6 ? (strcmp (argv[6], "bf16") ? VFI_F32 : VFI_BF16) : b->klass->best_precision (b), h, w,
               argc > 7 ? argv[7] : NULL);
  vfi_backend_unref (b);
  return 0;
}

int
main (int argc, char **argv)
{
  static const char *const isas[] = { "avx512", "avx2", "base" };
  static const VfiDType features[] = { VFI_F32, VFI_BF16 };
  int result;

  if (argc > 1 && !strcmp (argv[1], "--bench"))
    return bench (argc, argv);
  g_test_init (&argc, &argv, NULL);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 2; j++)
      for (const OpCase *op = op_cases; op->name; op++) {
        Case k = { isas[i], features[j], 1 + (op - op_cases) % 3, op }; /* one to three threads */
        char *name = g_strdup_printf ("/ops/cpu/%s/%s/%s", k.isa, vfi_dtype_name (k.feature), op->name);

        g_test_add_data_func_full (name, g_memdup2 (&k, sizeof k), check, g_free);
        g_free (name);
      }
  g_test_add_func ("/ops/cpu/waiting", waiting);
  g_test_add_func ("/ops/cpu/sharing", sharing);
  result = g_test_run ();
  g_print ("# largest difference in fp32: %.2g of the root mean square\n", worst);
  return result;
}
