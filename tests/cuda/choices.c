/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Engines that are chosen by time: which one, when it is measured again, and the file that choices are kept in.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../cuda/cudnn_conv.h"
#include "../ops/harness.h"
#include "fake_cudnn.h"

#define FIRST 2 /* the place of the first engine that works */
#define MACHINE "a machine"
#define MACHINE_FILE "a-machine.engines"

VfiBackend *vfi_cuda_backend_new (int device, gpointer stream, GError **error);

static const VfiCudnnConvDesc desc = {
  .h = 8, .w = 12, .c = 16, .k = 16, .kernel = 3, .stride = 1, .padding = 1, .dilation = 1, .src = VFI_F16, .dst = VFI_F16
};

static char *path; /* of the file */

/* ---- a machine of which the test says how fast it is ------------------------------------------- */

typedef struct
{
  double seconds[3]; /* of the engines that work */
  int calls;
} Clock;

static double
tell (gpointer data, VfiCudnnConv *conv, const VfiCudnnConvDesc *k)
{
  g_autofree char *engine = vfi_cudnn_conv_engine (conv);
  Clock *clock = data;
  int number;

  g_assert_cmpint (sscanf (engine, "engine %d", &number), ==, 1);
  clock->calls++;
  return clock->seconds[number - FIRST - fake_cudnn.numbers];
}

/* The place of the engine that a convolution gets in a process of its own. */
static int
chosen (const char *versions, const VfiCudnnConvDesc *k, Clock *clock)
{
  GError *error = NULL;
  VfiCudnn *cudnn = vfi_cudnn_new (NULL, NULL, &error);
  VfiCudaChoices *choices = vfi_cuda_choices_new (MACHINE, versions);
  g_autofree char *engine = NULL;
  VfiCudnnConv *conv;
  int number;

  g_assert_no_error (error);
  clock->calls = 0;
  vfi_cudnn_set_timer (cudnn, tell, clock, choices);
  conv = vfi_cudnn_conv_new (cudnn, k, &error);
  g_assert_no_error (error);
  engine = vfi_cudnn_conv_engine (conv);
  sscanf (engine, "engine %d", &number);
  vfi_cudnn_conv_free (conv);
  vfi_cudnn_free (cudnn);
  vfi_cuda_choices_free (choices);
  g_assert_cmpint (fake_cudnn.descriptors, ==, 0);
  return number - fake_cudnn.numbers;
}

static void
fresh (void)
{
  g_remove (path);
  fake_cudnn.engines = 3;
  fake_cudnn.numbers = 0;
}

/* ---- which, and when ---------------------------------------------------------------------------- */

static void
fastest (void)
{
  for (int i = 0; i < 3; i++) {
    Clock clock = { { 3, 3, 3 } };

    fresh ();
    clock.seconds[i] = 1;
    g_assert_cmpint (chosen ("v1", &desc, &clock), ==, FIRST + i);
    g_assert_cmpint (clock.calls, ==, 3);
  }
}

/* What is known is not measured, nor are other engines planned. */
static void
remembered (void)
{
  Clock clock = { { 3, 1, 2 } }, other = { { 1, 2, 3 } };
  int compiled;

  fresh ();
  g_assert_cmpint (chosen ("v1", &desc, &clock), ==, FIRST + 1);
  compiled = fake_cudnn.compiled;
  g_assert_cmpint (chosen ("v1", &desc, &other), ==, FIRST + 1);
  g_assert_cmpint (other.calls, ==, 0);
  g_assert_cmpint (fake_cudnn.compiled - compiled, ==, 1);
}

/* A choice is one convolution's, and holds for the versions that it was made with. */
static void
measured_again (void)
{
  VfiCudnnConvDesc others[15];
  Clock clock = { { 3, 1, 2 } }, other = { { 3, 2, 1 } };
  int n = 0;

  fresh ();
  chosen ("v1", &desc, &clock);
  g_assert_cmpint (chosen ("v2", &desc, &other), ==, FIRST + 2);
  g_assert_cmpint (chosen ("v1", &desc, &other), ==, FIRST + 1); /* still known */
  g_assert_cmpint (other.calls, ==, 0);

#define BUT(field, value) others[n] = desc, others[n++].field = value
  BUT (h, 9), BUT (w, 13), BUT (c, 24), BUT (k, 24), BUT (kernel, 1), BUT (stride, 2), BUT (padding, 0), BUT (after, 1), BUT (dilation, 2),
      BUT (bias, TRUE);
  BUT (residual, TRUE), BUT (act, VFI_RELU), BUT (act, VFI_TANH), BUT (dst, VFI_F32), BUT (slope, 0.1f);
  others[n - 1].act = VFI_LEAKY_RELU;
  g_assert_cmpint (n, ==, G_N_ELEMENTS (others));
  for (int i = 0; i < n; i++) {
    g_assert_cmpint (chosen ("v1", &others[i], &other), ==, FIRST + 2);
    g_assert_cmpint (other.calls, ==, 3);
  }

  /* The list has changed: another engine is in that place, or none. */
  fake_cudnn.numbers = 100;
  g_assert_cmpint (chosen ("v1", &desc, &other), ==, FIRST + 2);
  g_assert_cmpint (other.calls, ==, 3);
  g_assert_cmpint (chosen ("v1", &desc, &other), ==, FIRST + 2);
  g_assert_cmpint (other.calls, ==, 0);
  fake_cudnn.engines = 2;
  g_assert_cmpint (chosen ("v1", &desc, &clock), ==, FIRST + 1);
  g_assert_cmpint (clock.calls, ==, 2);
}

/* Where nothing can be measured the heuristics' first engine serves, and is not taken down; one that fails is not chosen; where there is only one,
 * nothing is measured. */
static void
no_saying (void)
{
  Clock never = { { -1, -1, -1 } }, some = { { -1, 2, -1 } };

  fresh ();
  g_assert_cmpint (chosen ("v1", &desc, &never), ==, FIRST);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (chosen ("v1", &desc, &some), ==, FIRST + 1);
  fresh ();
  fake_cudnn.engines = 1;
  g_assert_cmpint (chosen ("v1", &desc, &some), ==, FIRST);
  g_assert_cmpint (some.calls, ==, 0);
  fake_cudnn.engines = 3; /* what was the only one is not asked about again */
  g_assert_cmpint (chosen ("v1", &desc, &some), ==, FIRST);
  g_assert_cmpint (some.calls, ==, 0);
}

/* ---- the file ----------------------------------------------------------------------------------- */

/* A file that is none: a warning, and it is written anew. */
static void
damaged (void)
{
  static const char *const texts[] = { "\xff\xfe\x01rubbish", "no section = here\n", "[half a section", "[v1]\nno value\n" };
  Clock clock = { { 3, 1, 2 } }, other = { { 1, 2, 3 } };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    fresh ();
    g_assert_true (g_file_set_contents (path, texts[i], -1, NULL));
    g_test_expect_message ("vfi", G_LOG_LEVEL_WARNING, "*" MACHINE_FILE " is of no use*");
    g_assert_cmpint (chosen ("v1", &desc, &clock), ==, FIRST + 1);
    g_test_assert_expected_messages ();
    g_assert_cmpint (chosen ("v1", &desc, &other), ==, FIRST + 1);
    g_assert_cmpint (other.calls, ==, 0);
  }
}

/* Values that are none, or of engines that are not there: measured, and written over. */
static void
bad_values (void)
{
  static const char *const values[] = { "",     "x",       "3",    "3;",           "3;3;3",
                                        "-1;2", "3;three", "99;3", "2000000000;3", "99999999999999999999;3",
                                        "0;0",  "1;1" };
  Clock clock = { { 3, 1, 2 } };
  g_autofree char *good = NULL;
  gsize length;

  fresh ();
  chosen ("v1", &desc, &clock);
  g_assert_true (g_file_get_contents (path, &good, &length, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autoptr (GKeyFile) file = g_key_file_new ();
    g_autofree char *now = NULL;
    g_auto (GStrv) keys = NULL;

    g_assert_true (g_key_file_load_from_data (file, good, length, G_KEY_FILE_NONE, NULL));
    keys = g_key_file_get_keys (file, "v1", NULL, NULL);
    g_assert_cmpuint (g_strv_length (keys), ==, 1);
    g_key_file_set_value (file, "v1", keys[0], values[i]);
    g_assert_true (g_key_file_save_to_file (file, path, NULL));
    g_assert_cmpint (chosen ("v1", &desc, &clock), ==, FIRST + 1);
    g_assert_cmpint (clock.calls, ==, 3);
    g_assert_true (g_file_get_contents (path, &now, NULL, NULL));
    g_assert_cmpstr (now, ==, good);
  }
}

/* Where a folder lies in the file's place, and where there can be no folder: a warning, once, and the choice serves. */
static void
not_writable (void)
{
  g_autofree char *folder = g_path_get_dirname (path);
  Clock clock = { { 3, 1, 2 } };

  fresh ();
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_test_expect_message ("vfi", G_LOG_LEVEL_WARNING, "*" MACHINE_FILE " is of no use*");
  g_assert_cmpint (chosen ("v1", &desc, &clock), ==, FIRST + 1);
  g_test_assert_expected_messages ();
  g_assert_cmpint (g_rmdir (path), ==, 0);

  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_assert_cmpint (symlink ("nowhere/at/all", folder), ==, 0);
  g_test_expect_message ("vfi", G_LOG_LEVEL_WARNING, "*" MACHINE_FILE " cannot be written*");
  g_assert_cmpint (chosen ("v1", &desc, &clock), ==, FIRST + 1);
  g_test_assert_expected_messages ();
  g_assert_cmpint (g_remove (folder), ==, 0);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
}

#define N_PROCESSES 4
#define N_EACH 40

/* Processes that write at the same time: whenever it is read, the file is whole. */
static void
processes (void)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GDir) dir = NULL;
  g_auto (GStrv) keys = NULL;
  GError *error = NULL;

  fresh ();
  for (int p = 0; p < N_PROCESSES; p++)
    if (fork () == 0) {
      for (int i = 0; i < N_EACH; i++) {
        VfiCudaChoices *choices = vfi_cuda_choices_new (MACHINE, "v1"); /* a warning would end the process */
        g_autofree char *what = g_strdup_printf ("%d-%d", p, i);
        int place, engine;

        vfi_cuda_choices_add (choices, what, p, i);
        if (!vfi_cuda_choices_find (choices, what, &place, &engine) || place != p || engine != i)
          _exit (1);
        vfi_cuda_choices_free (choices);
      }
      _exit (0);
    }
  for (int p = 0; p < N_PROCESSES; p++) {
    int status;

    wait (&status);
    g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  }
  g_assert_true (g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &error));
  keys = g_key_file_get_keys (file, "v1", NULL, NULL);
  g_assert_cmpuint (g_strv_length (keys), >=, N_EACH / 2);
  dir = g_dir_open (folder, 0, NULL);
  for (int i = 0; i < 2; i++) {
    const char *name = g_dir_read_name (dir);

    g_assert_cmpstr (name, ==, i ? NULL : MACHINE_FILE); /* nothing half written is left */
  }
}

/* ---- the backend -------------------------------------------------------------------------------- */

/* With the variable set, on the device: results are the same, and known the next time. */
static void
backend (void)
{
  g_autofree char *folder = g_path_get_dirname (path), *own = g_build_filename (folder, "a-shim.engines", NULL);
  g_autofree char *text = NULL;
  const OpCase *op = op_cases;
  int compiled[3];

  fresh ();
  while (op->name && strcmp (op->name, "conv2d/residual"))
    op++;
  for (int i = 0; i < 3; i++) {
    const int before = fake_cudnn.compiled;
    GError *error = NULL;
    VfiBackend *b;

    g_setenv ("VFI_TIME_ENGINES", i ? "1" : "0", TRUE);
    b = vfi_cuda_backend_new (0, NULL, &error);
    g_assert_no_error (error);
    op_case_check (op, b, VFI_F16, 1e-2);
    vfi_backend_unref (b);
    compiled[i] = fake_cudnn.compiled - before;
    g_assert_cmpint (g_file_test (own, G_FILE_TEST_EXISTS), ==, i > 0);
  }
  g_assert_cmpint (compiled[1], >, compiled[0]);
  g_assert_cmpint (compiled[2], ==, compiled[0]);
  g_assert_true (g_file_get_contents (own, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "[compute capability 9.0, cuDNN 9.0.0, driver 13000]"));
  g_unsetenv ("VFI_TIME_ENGINES");
  g_remove (own);
}

int
main (int argc, char **argv)
{
  g_autofree char *cache = g_dir_make_tmp ("vfi-choices-XXXXXX", NULL), *folder = g_build_filename (cache, "gst-vfi", NULL);
  int result;

  g_setenv ("XDG_CACHE_HOME", cache, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_setenv ("VFI_MMA", "0", TRUE); /* all of them are cuDNN's */
  path = g_build_filename (folder, MACHINE_FILE, NULL);
  g_mkdir (folder, 0700);
  g_test_add_func ("/cuda/choices/fastest", fastest);
  g_test_add_func ("/cuda/choices/remembered", remembered);
  g_test_add_func ("/cuda/choices/measured-again", measured_again);
  g_test_add_func ("/cuda/choices/no-saying", no_saying);
  g_test_add_func ("/cuda/choices/damaged", damaged);
  g_test_add_func ("/cuda/choices/bad-values", bad_values);
  g_test_add_func ("/cuda/choices/not-writable", not_writable);
  g_test_add_func ("/cuda/choices/processes", processes);
  g_test_add_func ("/cuda/choices/backend", backend);
  result = g_test_run ();
  g_remove (path);
  g_rmdir (folder);
  g_rmdir (cache);
  g_free (path);
  return result;
}
