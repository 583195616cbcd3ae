/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "generate.h"

#include <math.h>
#include <string.h>

#include "tensor.h"

guint64
test_seed (const char *name)
{
  guint64 h = 0xcbf29ce484222325; /* FNV-1a */

  for (; *name; name++)
    h = (h ^ (guint8) *name) * 0x100000001b3;
  return h;
}

static guint64
splitmix (guint64 seed, guint64 i)
{
  guint64 z = seed + (i + 1) * 0x9e3779b97f4a7c15;

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

float
test_uniform (guint64 seed, guint64 i)
{
  return (float) (splitmix (seed, i) >> 40) / (1 << 23) - 1;
}

float
test_coarse (guint64 seed, guint64 i)
{
  return (float) (splitmix (seed, i) >> 56) / (1 << 7) - 1;
}

static gsize
count (const VfiWeightSpec *spec)
{
  gsize n = 1;

  for (int i = 0; i < spec->rank; i++)
    n *= spec->shape[i];
  return n;
}

float *
test_weight (const VfiWeightSpec *spec)
{
  gsize n = count (spec);
  float *w = g_new (float, n), range = spec->rank < 2 ? 0.25f : (float) sqrt (3.0 * spec->shape[0] / n);
  guint64 seed = test_seed (spec->name);

  for (gsize i = 0; i < n; i++)
    w[i] = test_uniform (seed, i) * range + (g_str_has_suffix (spec->name, "running_var") ? 1 : 0);
  return w;
}

static GBytes *
weights_file (const VfiWeightSpec *specs, int n, VfiDType dtype)
{
  const char *type = dtype == VFI_F32 ? "F32" : dtype == VFI_BF16 ? "BF16" : "F16";
  GString *header = g_string_new ("{");
  GByteArray *file = g_byte_array_new ();
  gsize at = 0;
  guint64 length;

  for (int i = 0; i < n; i++) {
    gsize bytes = count (&specs[i]) * vfi_dtype_size (dtype);

    g_string_append_printf (header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "", specs[i].name, type);
    for (int j = 0; j < specs[i].rank; j++)
      g_string_append_printf (header, "%s%d", j ? "," : "", specs[i].shape[j]);
    g_string_append_printf (header, "],\"data_offsets\":[%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT "]}", at, at + bytes);
    at += bytes;
  }
  g_string_append_c (header, '}');
  length = GUINT64_TO_LE (header->len);
  g_byte_array_append (file, (guint8 *) &length, 8);
  g_byte_array_append (file, (guint8 *) header->str, header->len);
  g_string_free (header, TRUE);
  for (int i = 0; i < n; i++) {
    float *w = test_weight (&specs[i]);
    const gsize all = count (&specs[i]);

    for (gsize j = 0; dtype != VFI_F32 && j < all; j++)
      ((guint16 *) w)[j] = dtype == VFI_BF16 ? vfi_f32_to_bf16 (w[j]) : vfi_f32_to_f16 (w[j]);
    g_byte_array_append (file, (guint8 *) w, all * vfi_dtype_size (dtype));
    g_free (w);
  }
  return g_byte_array_free_to_bytes (file);
}

GBytes *
test_weights_file (const VfiWeightSpec *specs, int n)
{
  return weights_file (specs, n, VFI_F32);
}

static VfiWeights *
open_file (GBytes *file, const char *name)
{
  GError *error = NULL;
  VfiWeights *w = vfi_weights_new_from_bytes (file, name, &error);

  g_assert_no_error (error);
  g_bytes_unref (file);
  return w;
}

VfiWeights *
test_weights_for (VfiGraph *const *graphs)
{
  GArray *specs = g_array_new (FALSE, FALSE, sizeof (VfiWeightSpec));
  GHashTable *seen = g_hash_table_new (g_str_hash, g_str_equal);
  VfiWeights *w;

  for (; *graphs; graphs++)
    for (guint i = 0; i < (*graphs)->nodes->len; i++) {
      const VfiNode *node = (*graphs)->nodes->pdata[i];

      for (int j = 0; j < node->n_weights; j++)
        if (g_hash_table_add (seen, node->weights[j].name))
          g_array_append_val (specs, node->weights[j]);
    }
  w = open_file (test_weights_file ((VfiWeightSpec *) specs->data, specs->len), "generated");
  g_hash_table_unref (seen);
  g_array_unref (specs);
  return w;
}

VfiWeights *
test_weights_listed (const char *path, VfiDType dtype)
{
  GArray *specs = g_array_new (FALSE, TRUE, sizeof (VfiWeightSpec));
  GError *error = NULL;
  char *text, **lines;
  VfiWeights *w;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  for (char **line = lines; *line; line++) {
    char **words = g_strsplit (*line, " ", -1);
    VfiWeightSpec spec = { .name = g_strdup (words[0]), .rank = g_strv_length (words) - 1 };

    g_assert_cmpint (spec.rank, <=, 4);
    for (int i = 0; i < spec.rank; i++)
      spec.shape[i] = atoi (words[1 + i]);
    g_array_append_val (specs, spec);
    g_strfreev (words);
  }
  w = open_file (weights_file ((VfiWeightSpec *) specs->data, specs->len, dtype), path);
  for (guint i = 0; i < specs->len; i++)
    g_free (g_array_index (specs, VfiWeightSpec, i).name);
  g_array_unref (specs);
  g_strfreev (lines);
  g_free (text);
  return w;
}

float
test_texture (double x, double y)
{
  return (float) (0.5 + 0.15 * sin (x * 0.25 + y * 0.11) + 0.15 * sin (y * 0.21 - x * 0.13) + 0.1 * sin (x * 0.06) * cos (y * 0.07));
}

float
test_captioned (int i, double x, double y)
{
  static const int at[] = { TEST_BARS };
  const gboolean bars = x >= at[0] && x < at[0] + at[2] && y >= at[1] && y < at[1] + at[3];

  return bars ? ((int) x / 4 % 2 ? 0.1f : 0.9f) : test_texture (x + 5 * i, y - 2 * i);
}

float
test_pillarbox (int i, double x, double y)
{
  return x < TEST_BLACK || x >= 128 - TEST_BLACK ? 0 : test_texture (x + 9 * i, y);
}
