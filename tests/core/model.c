/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Models by name, their weights' place, what they cost; and which backend is opened.
 */
#include "model.h"

#include <glib/gstdio.h>

#include "backend.h"

static void
list (void)
{
  VfiModelInfo *all = vfi_model_list (), *nano = NULL, *base = NULL;
  int n = 0;

  for (VfiModelInfo *m = all; m->name; m++, n++) {
    g_assert_true (m->name == vfi_models[n]->name);
    g_assert_cmpstr (m->task, ==,
                     strstr (m->name, "flow")       ? "flow"
                     : strstr (m->name, "fill")     ? "inpainting"
                     : strstr (m->name, "complete") ? "completion"
                                                    : "interpolation");
    g_assert_true (m->summary && m->paper);
    g_assert_cmpfloat (m->gflop_per_mp, >, 0);
    if (strcmp (m->task, "inpainting") && strcmp (m->task, "completion")) /* which see a hole, not the frame */
      /* Padding adds to it; superslomo resizes frames to multiples of 32. */
      g_assert_cmpfloat (m->gflop, >=, m->gflop_per_mp * 1920 * (strcmp (m->name, "superslomo") ? 1080 : 1056) * 1e-6 * 0.99);
    else
      g_assert_cmpfloat (m->gflop, <, 100);
    nano = strcmp (m->name, "vfi-nano") ? nano : m;
    base = strcmp (m->name, "vfi-base") ? base : m;
  }
  g_assert_null (vfi_models[n]);
  g_assert_nonnull (nano);
  g_assert_nonnull (base);
  /* What they are made for: 6 GFLOP for 1280 x 720, 140 for 1920 x 1080. */
  g_assert_cmpfloat (nano->gflop_per_mp * 1280 * 720 * 1e-6, <, 6);
  g_assert_cmpfloat (base->gflop_per_mp * 1920 * 1088 * 1e-6, <, 140);
  g_assert_cmpfloat (nano->parameters, <, 1e6);
  g_assert_cmpfloat (nano->parameters, ==, base->parameters); /* the same ones */
  g_test_message ("vfi-nano %.2f GFLOP/MP, %.0f parameters; vfi-base %.2f, %.0f", nano->gflop_per_mp, nano->parameters, base->gflop_per_mp,
                  base->parameters);
  vfi_model_list_free (all);
  vfi_model_list_free (NULL);
}

static void
find (void)
{
  char *a = g_dir_make_tmp ("vfi-a-XXXXXX", NULL), *b = g_dir_make_tmp ("vfi-b-XXXXXX", NULL);
  char *path = g_strconcat (a, ":", b, NULL), *file = g_build_filename (b, "ifrnet-s.safetensors", NULL);
  char *old = g_strdup (g_getenv ("VFI_WEIGHTS_PATH")), *found;
  GError *error = NULL;
  const VfiModel *m;

  g_assert_null (vfi_model_find ("vfi-giant", &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_assert_true (g_str_has_prefix (error->message, "there is no model \"vfi-giant\"; there are: auto, vfi-nano, vfi-base, "));
  g_clear_error (&error);

  m = vfi_model_find ("ifrnet-s", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (m->name, ==, "ifrnet-s");
  g_setenv ("VFI_WEIGHTS_PATH", path, TRUE);
  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  found = vfi_model_find_weights (m);
  g_assert_cmpstr (found, ==, file);
  g_free (found);
  g_assert_true (vfi_model_find (NULL, NULL) == m); /* vfi-nano would be the first, but has no weights here */
  g_assert_true (vfi_model_find ("auto", NULL) == m);
  g_unlink (file);
  g_assert_null (vfi_model_find_weights (m));
  g_assert_true (vfi_model_find ("auto", NULL) == vfi_models[0]);

  if (old)
    g_setenv ("VFI_WEIGHTS_PATH", old, TRUE);
  else
    g_unsetenv ("VFI_WEIGHTS_PATH");
  g_rmdir (a);
  g_rmdir (b);
  g_free (a);
  g_free (b);
  g_free (path);
  g_free (file);
  g_free (old);
}

/* The network that weights are of, where the caller names none: vfi-flow-nano is a part of vfi-flow-base, vfi-base takes those of vfi-nano. */
static void
by_weights (void)
{
  GError *error = NULL;
  VfiBackend *b = vfi_backend_open (&(VfiOptions){ .backend = VFI_BACKEND_REFERENCE }, NULL, &error);

  g_assert_no_error (error);
  for (const VfiModel *const *m = vfi_models; *m; m++) {
    g_autofree char *file = vfi_model_find_weights (*m);
    const VfiModel *chosen;
    VfiWeights *weights;

    if (!file)
      continue;
    g_assert_true (vfi_model_choose ((*m)->task, &(VfiOptions){ .weights = file }, b, &chosen, &weights, &error));
    g_assert_no_error (error);
    g_assert_cmpstr (chosen->name, ==, (*m)->weights ? (*m)->weights : (*m)->name);
    vfi_weights_unref (weights);
  }
  vfi_backend_unref (b);
}

static void
backends (void)
{
  GError *error = NULL;
  char *reason = NULL;
  VfiBackend *b = vfi_backend_open (&(VfiOptions){ .backend = VFI_BACKEND_REFERENCE }, &reason, &error);

  g_assert_no_error (error);
  g_assert_null (reason);
  g_assert_cmpstr (b->klass->name, ==, "reference");
  g_assert_true (vfi_backend_ref (b) == b);
  vfi_backend_unref (b);
  vfi_backend_unref (b);

  b = vfi_backend_open (&(VfiOptions){ .backend = VFI_BACKEND_CPU, .threads = 1 }, &reason, &error);
  g_assert_no_error (error);
  g_assert_null (reason);
  g_assert_cmpstr (b->klass->name, ==, "cpu");
  vfi_backend_unref (b);

  g_assert_null (vfi_backend_open (&(VfiOptions){ .backend = 99 }, &reason, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);

  /* One of the two is there: with a reason if it is not CUDA, and asking for CUDA then fails with the same one. */
  b = vfi_backend_open (&(VfiOptions){ .backend = VFI_BACKEND_AUTO }, &reason, &error);
  g_assert_no_error (error);
  if (strcmp (b->klass->name, "cuda")) {
    g_assert_cmpstr (b->klass->name, ==, "cpu");
    g_assert_null (vfi_backend_open (&(VfiOptions){ .backend = VFI_BACKEND_CUDA }, NULL, &error));
    g_assert_error (error, VFI_ERROR, VFI_ERROR_BACKEND);
    g_assert_cmpstr (error->message, ==, reason);
    g_clear_error (&error);
    g_test_message ("%s", reason);
  } else
    g_assert_null (reason);
  vfi_backend_unref (b);
  g_free (reason);
}

static void
version (void)
{
  g_assert_cmpstr (vfi_version (), ==, VFI_VERSION);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/list", list);
  g_test_add_func ("/model/find", find);
  g_test_add_func ("/model/by-weights", by_weights);
  g_test_add_func ("/model/backends", backends);
  g_test_add_func ("/model/version", version);
  return g_test_run ();
}
