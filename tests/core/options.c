/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From options to a session: which network, which weights, and what is wrong with them; and the machine's own rates.
 */
#include <glib/gstdio.h>

#include "../generate.h"
#include "interp.h"
#include "model.h"

static const VfiFrameInfo small = { VFI_FORMAT_I420, 64, 48, VFI_RANGE_LIMITED };

static void
refused (VfiOptions o, int code, const char *word)
{
  GError *error = NULL;

  o.backend = VFI_BACKEND_REFERENCE;
  g_assert_null (vfi_interp_new (&small, &o, &error));
  g_assert_error (error, VFI_ERROR, code);
  if (!strstr (error->message, word))
    g_error ("\"%s\" says nothing of %s", error->message, word);
  g_error_free (error);
}

static void
save_weights (const VfiModel *m, const char *path, gboolean extra)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  GArray *specs = g_array_new (FALSE, FALSE, sizeof (VfiWeightSpec));
  VfiWeightSpec more = { (char *) "teacher.weight", 1, { 3 } };
  g_autoptr (GBytes) file = NULL;
  GError *error = NULL;

  vfi_model_graphs (m, VFI_F32, m->multiple, m->multiple, 1, graphs);
  for (int i = 0; graphs[i]; i++)
    for (guint j = 0; j < graphs[i]->nodes->len; j++) {
      const VfiNode *node = g_ptr_array_index (graphs[i]->nodes, j);

      for (int k = 0; k < node->n_weights; k++)
        if (g_hash_table_add (names, node->weights[k].name))
          g_array_append_val (specs, node->weights[k]);
    }
  if (extra)
    g_array_append_val (specs, more);
  file = test_weights_file ((VfiWeightSpec *) specs->data, (int) specs->len);
  g_file_set_contents (path, g_bytes_get_data (file, NULL), (gssize) g_bytes_get_size (file), &error);
  g_assert_no_error (error);
  g_array_unref (specs);
  vfi_graphs_free (graphs);
}

static void
options (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vfi-XXXXXX", NULL), *other = g_build_filename (dir, "other", NULL);
  g_autofree char *own = g_build_filename (dir, "vfi-nano.safetensors", NULL), *bad = g_build_filename (dir, "bad", NULL);
  g_autofree char *nobodys = g_build_filename (dir, "nobodys", NULL);
  g_autofree char *old = g_strdup (g_getenv ("VFI_WEIGHTS_PATH"));
  VfiInterp *s;
  VfiInterpInfo info;
  GError *error = NULL;

  /* auto takes the network that the weights are of, and says which names it did not need */
  save_weights (vfi_model_find ("ifrnet-s", NULL), other, TRUE);
  s = vfi_interp_new (&small, &(VfiOptions){ .weights = other, .backend = VFI_BACKEND_REFERENCE, .flow_scale = 0.5 }, &error);
  g_assert_no_error (error);
  vfi_interp_get_info (s, &info);
  g_assert_cmpstr (info.model, ==, "ifrnet-s");
  g_assert_cmpstr (info.unused_weights, ==, "teacher.weight");
  g_assert_cmpstr (info.precision, ==, "fp32");
  g_assert_cmpstr (info.backend_reason, ==, "");
  g_assert_nonnull (strstr (info.backend, "reference"));
  g_assert_cmpuint (info.bytes, >, 4 * 1000 * 1000); /* its weights alone */
  vfi_interp_free (s);

  g_file_set_contents (bad, "not a weights file", -1, NULL);
  {
    g_autoptr (GBytes) file = test_weights_file (&(VfiWeightSpec){ (char *) "fc.weight", 1, { 3 } }, 1);
    g_file_set_contents (nobodys, g_bytes_get_data (file, NULL), (gssize) g_bytes_get_size (file), NULL);
  }
  g_setenv ("VFI_WEIGHTS_PATH", dir, TRUE);
  refused ((VfiOptions){ .model = "rife" }, VFI_ERROR_ARG, "vfi-nano, vfi-base");
  refused ((VfiOptions){ .model = "vfi-base" }, VFI_ERROR_WEIGHTS, "no vfi-nano.safetensors in");
  refused ((VfiOptions){ .model = "ifrnet-s" }, VFI_ERROR_WEIGHTS, dir);
  refused ((VfiOptions){ .weights = "/nowhere/x.safetensors" }, VFI_ERROR_WEIGHTS, "/nowhere/x.safetensors");
  refused ((VfiOptions){ .weights = bad }, VFI_ERROR_WEIGHTS, bad);
  refused ((VfiOptions){ .model = "vfi-nano", .weights = other }, VFI_ERROR_WEIGHTS, "the weights of ifrnet-s, not of vfi-nano");
  refused ((VfiOptions){ .model = "vfi-nano", .weights = nobodys }, VFI_ERROR_WEIGHTS, "enc.down0.weight");
  refused ((VfiOptions){ .weights = nobodys }, VFI_ERROR_WEIGHTS, "enc.down0.weight");
  save_weights (vfi_model_find ("vfi-fill-nano", NULL), other, FALSE);
  refused ((VfiOptions){ .weights = other }, VFI_ERROR_WEIGHTS,
           "the weights of vfi-fill-nano, a network for inpainting, not for interpolation");
  save_weights (vfi_model_find ("ifrnet-s", NULL), other, TRUE);
  refused ((VfiOptions){ .weights = other, .flow_scale = 2 }, VFI_ERROR_ARG, "flow-scale");
  refused ((VfiOptions){ .weights = other, .precision = 9 }, VFI_ERROR_ARG, "precision");
  g_assert_null (vfi_interp_new (&small, &(VfiOptions){ .backend = 9 }, NULL));

  /* a model's own file is found; options may be none at all */
  save_weights (vfi_model_find ("vfi-nano", NULL), own, FALSE);
  s = vfi_interp_new (&small, NULL, &error);
  g_assert_no_error (error);
  vfi_interp_get_info (s, &info);
  g_assert_cmpstr (info.model, ==, "vfi-nano");
  g_assert_cmpstr (info.unused_weights, ==, "");
  vfi_interp_free (s);

  if (old)
    g_setenv ("VFI_WEIGHTS_PATH", old, TRUE);
  g_unlink (own);
  g_unlink (other);
  g_unlink (bad);
  g_unlink (nobodys);
  g_rmdir (dir);
}

static void
rates (void)
{
  double flops = 0, bytes = 0;
  GError *error = NULL;

  g_assert_true (vfi_machine_rates (&(VfiOptions){ .backend = VFI_BACKEND_CPU }, 0.1, &flops, &bytes, &error));
  g_assert_no_error (error);
  g_assert_cmpfloat (flops, >, 1e8);
  g_assert_cmpfloat (bytes, >, 1e8);
  g_assert_false (vfi_machine_rates (&(VfiOptions){ .backend = VFI_BACKEND_REFERENCE }, 0.1, &flops, &bytes, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED);
  g_error_free (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/options/session", options);
  g_test_add_func ("/options/rates", rates);
  return g_test_run ();
}
