/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hostile weight files. Used by the test with damage of its own making; with clang, also the entry of a libFuzzer program:
 *
 *   CC=clang meson setup build-fuzz && ninja -C build-fuzz tests/core/fuzz-weights && build-fuzz/tests/core/fuzz-weights CORPUS
 */
#include "fuzz_weights.h"

#include <string.h>

#include "weights.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

gboolean
fuzz_weights (const guint8 *data, gsize size)
{
  GBytes *bytes = g_bytes_new_static (data, size);
  GError *error = NULL;
  VfiWeights *w = vfi_weights_new_from_bytes (bytes, "fuzz", &error);
  VfiGraph *none = NULL;
  char **names;

  g_assert_true (!w == !!error);
  if (w) {
    g_assert_true (vfi_weights_check (w, &none, &names, NULL));
    for (char **name = names; *name; name++)
      /* Shapes of the seed file, and a few more. */
      for (int i = 0; i < 5; i++) {
        static const VfiWeightSpec specs[] = {
          { NULL, 4, { 4, 3, 3, 3 } }, { NULL, 1, { 4 } }, { NULL, 2, { 2, 4 } }, { NULL, 0 }, { NULL, 1, { 0 } }
        };
        VfiWeightSpec spec = specs[i];
        volatile float sum = 0;
        float *v;

        spec.name = *name;
        v = vfi_weights_read (w, &spec, NULL);
        for (int j = 0; v && i < 3 && j < (i == 0 ? 108 : i == 1 ? 4 : 8); j++)
          sum = sum + v[j];
        g_free (v);
      }
    g_strfreev (names);
    vfi_weights_unref (w);
  } else
    g_error_free (error);
  g_bytes_unref (bytes);
  return w != NULL;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  fuzz_weights (data, size);
  return 0;
}
