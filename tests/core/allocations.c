/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Nothing is allocated while a plan runs: not by the planner, not by a backend, on no thread. oneDNN itself keeps a map of its arguments, a few
 * dozen bytes at a time, for each primitive that it executes; that much, and no more, is left to it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "../generate.h"
#include "model.h"
#include "plan.h"

#define SMALL 144 /* the largest of oneDNN 3.7 */
#define SMALL_PER_CONV 12

static gint counting, count, small; /* atomic */

static void
tick (size_t size)
{
  if (g_atomic_int_get (&counting))
    g_atomic_int_inc (size > SMALL ? &count : &small);
}

#ifdef __SANITIZE_ADDRESS__

/* <sanitizer/allocator_interface.h>, which Debian's GCC does not ship */
extern int __sanitizer_install_malloc_and_free_hooks (void (*) (const volatile void *, size_t), void (*) (const volatile void *));

static void
on_malloc (const volatile void *p, size_t size)
{
  tick (size);
}

static void
on_free (const volatile void *p)
{
}

static void
watch (void)
{
  g_assert_cmpint (__sanitizer_install_malloc_and_free_hooks (on_malloc, on_free), >, 0);
}

#else

/* Stands in front of the C library's for the whole process. */
extern void *__libc_malloc (size_t), *__libc_calloc (size_t, size_t), *__libc_realloc (void *, size_t), *__libc_memalign (size_t, size_t);

__attribute__ ((visibility ("default"))) void *
malloc (size_t size)
{
  tick (size);
  return __libc_malloc (size);
}

__attribute__ ((visibility ("default"))) void *
calloc (size_t n, size_t size)
{
  tick (n * size);
  return __libc_calloc (n, size);
}

__attribute__ ((visibility ("default"))) void *
realloc (void *p, size_t size)
{
  tick (size);
  return __libc_realloc (p, size);
}

__attribute__ ((visibility ("default"))) void *
memalign (size_t align, size_t size)
{
  tick (size);
  return __libc_memalign (align, size);
}

__attribute__ ((visibility ("default"))) void *
aligned_alloc (size_t align, size_t size)
{
  return memalign (align, size);
}

__attribute__ ((visibility ("default"))) int
posix_memalign (void **p, size_t align, size_t size)
{
  *p = memalign (align, size);
  return *p ? 0 : ENOMEM;
}

static void
watch (void)
{
}

#endif

static void *
allocate (void *unused)
{
  void *volatile p = malloc (100), *volatile q = malloc (1000); /* a compiler may drop what it sees through */

  free (p);
  free (q);
  return NULL;
}

/* The counter sees what it must. */
static void
counter (void)
{
  GThread *thread;
  void *volatile p;

  g_atomic_int_set (&counting, 1);
  allocate (NULL);
  g_assert_cmpint (g_atomic_int_get (&small), ==, 1);
  g_assert_cmpint (g_atomic_int_get (&count), ==, 1);
  thread = g_thread_new ("other", allocate, NULL);
  g_thread_join (thread);
  g_assert_cmpint (g_atomic_int_get (&small), >=, 2);
  g_assert_cmpint (g_atomic_int_get (&count), >=, 2);
  g_atomic_int_set (&count, 0);
  p = aligned_alloc (64, 640);
  free (p);
  p = g_malloc0 (300);
  g_free (p);
  g_assert_cmpint (g_atomic_int_get (&count), ==, 2);
  g_atomic_int_set (&counting, 0);
}

static void
check (VfiDType feature)
{
  GError *error = NULL;
  VfiBackend *b = vfi_backend_open (&(VfiOptions){ .backend = VFI_BACKEND_CPU, .threads = 2 }, NULL, &error);
  const VfiModel *m = vfi_models[0];
  void (*const build[]) (VfiGraph *, const VfiModel *, int, int) = { m->frame, m->pair, m->at };

  g_assert_no_error (error);
  if (!b->klass->supports_precision (b, feature)) {
    g_test_skip ("this machine does not compute in this precision");
    vfi_backend_unref (b);
    return;
  }
  for (int i = 0; i < 3; i++) {
    VfiGraph *g = vfi_graph_new (feature);
    VfiWeights *weights;
    VfiPlan *plan;
    GPtrArray *buffers = g_ptr_array_new ();
    int convs = 0;

    build[i](g, m, 64, 96);
    weights = test_weights_for ((VfiGraph *[]){ g, NULL });
    plan = vfi_plan_new (g, b, weights, &error);
    g_assert_no_error (error);
    for (int j = 0; j < vfi_plan_n_io (plan); j++) {
      VfiView v;
      gsize bytes;
      void *p;

      vfi_plan_io (plan, vfi_plan_io_name (plan, j, NULL), &v);
      bytes = (gsize) v.h * v.w * v.c * vfi_dtype_size (v.dtype);
      p = b->klass->alloc (b, bytes, &error);
      g_assert_no_error (error);
      memset (p, 0, bytes);
      g_ptr_array_add (buffers, p);
      vfi_plan_bind (plan, j, p);
    }
    for (guint j = 0; j < g->nodes->len; j++)
      convs += ((VfiNode *) g->nodes->pdata[j])->op == &vfi_op_conv2d;
    for (int run = 0; run < 4; run++) {
      g_atomic_int_set (&count, 0);
      g_atomic_int_set (&small, 0);
      g_atomic_int_set (&counting, run > 0); /* the first one may start threads */
      b->klass->begin (b);
      for (int j = 0; j < vfi_plan_n_io (plan); j++)
        vfi_plan_bind (plan, j, buffers->pdata[j]);
      vfi_plan_run (plan);
      b->klass->end (b);
      g_atomic_int_set (&counting, 0);
      g_assert_cmpint (g_atomic_int_get (&count), ==, 0);
      g_assert_cmpint (g_atomic_int_get (&small), <=, SMALL_PER_CONV * convs);
    }
    for (guint j = 0; j < buffers->len; j++)
      b->klass->dealloc (b, buffers->pdata[j]);
    g_ptr_array_unref (buffers);
    vfi_plan_free (plan);
    vfi_weights_unref (weights);
  }
  vfi_backend_unref (b);
}

static void
cpu_fp32 (void)
{
  check (VFI_F32);
}

static void
cpu_bf16 (void)
{
  check (VFI_BF16);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  watch ();
  g_test_add_func ("/allocations/counter", counter);
  g_test_add_func ("/allocations/cpu-fp32", cpu_fp32);
  g_test_add_func ("/allocations/cpu-bf16", cpu_bf16);
  return g_test_run ();
}
