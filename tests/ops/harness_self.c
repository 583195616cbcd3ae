/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The harness sees what it is there to see: kernels that are wrong in one way each must fail it.
 */
#include "harness.h"

typedef enum
{
  RIGHT,
  WRITES_PAST_CHANNELS,
  WRITES_BEFORE,
  WRITES_AFTER,
  LEAVES_ONE_OUT,
  NOT_A_NUMBER,
  SLIGHTLY_OFF,
  WRITES_SOURCE,
  WRITES_PAST_WORKSPACE,
  NO_KERNEL,
  CANNOT_PREPARE,
  N_FAULTS
} Fault;

static const char *const names[] = { "right",        "past-channels", "before",         "after",     "leaves-one-out", "not-a-number",
                                     "slightly-off", "writes-source", "past-workspace", "no-kernel", "cannot-prepare" };
static Fault fault;
static guint8 *space;
#define SPACE 64

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  if (fault == CANNOT_PREPARE)
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "told to fail");
  return fault == CANNOT_PREPARE ? NULL : vfi_reference_kernels[0]->prepare (b, node, src, weights, dst, error);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  float *y = dst->data, last = y[((gsize) dst->h * dst->w - 1) * dst->ld + dst->c - 1];

  vfi_reference_kernels[0]->run (b, node, state, src, dst);
  switch (fault) {
    case WRITES_PAST_CHANNELS:
      if (dst->ld > dst->c)
        y[dst->c] = 0;
      break;
    case WRITES_BEFORE:
      y[-1] = 0;
      break;
    case WRITES_AFTER:
      y[(gsize) dst->h * dst->w * dst->ld] = 0;
      break;
    case LEAVES_ONE_OUT:
      vfi_view_set (dst, dst->h - 1, dst->w - 1, dst->c - 1, last);
      break;
    case NOT_A_NUMBER:
      vfi_view_set (dst, 0, 0, 0, __builtin_nanf (""));
      break;
    case SLIGHTLY_OFF:
      vfi_view_set (dst, 1, 1, 1, vfi_view_get (dst, 1, 1, 1) + 1e-5f);
      break;
    case WRITES_SOURCE:
      vfi_view_set (&src[0], 1, 1, 1, vfi_view_get (&src[0], 1, 1, 1) + 0.25f);
      break;
    case WRITES_PAST_WORKSPACE:
      space[SPACE] = 0;
      break;
    default:
      break;
  }
}

static gsize
workspace (gpointer state)
{
  return SPACE;
}

static void
bind (gpointer state, void *place)
{
  space = place;
}

static void
release (gpointer state)
{
  vfi_reference_kernels[0]->release (state);
}

static void
check (gconstpointer data)
{
  static const VfiKernel kernel = { &vfi_op_conv2d, NULL, prepare, run, release, workspace, bind };
  static const VfiKernel *const kernels[] = { &kernel, NULL }, *const no_kernels[] = { NULL };
  OpCase k = { "conv2d/self", &vfi_op_conv2d, 5, 6, 7, .channels = 8, .kernel = 3, .conv = { .padding = 1 } };
  VfiBackend *b;
  VfiBackendClass klass;

  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 0, 0);
    if (GPOINTER_TO_INT (data) == RIGHT)
      g_test_trap_assert_passed ();
    else
      g_test_trap_assert_failed ();
    return;
  }
  fault = GPOINTER_TO_INT (data);
  b = vfi_reference_backend_new ();
  klass = *b->klass;
  klass.kernels = fault == NO_KERNEL ? no_kernels : kernels;
  b->klass = &klass;
  op_case_check (&k, b, VFI_F32, 1e-6);
  vfi_backend_unref (b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (int i = 0; i < N_FAULTS; i++) {
    char *name = g_strconcat ("/harness/", names[i], NULL);

    g_test_add_data_func (name, GINT_TO_POINTER (i), check);
    g_free (name);
  }
  return g_test_run ();
}
