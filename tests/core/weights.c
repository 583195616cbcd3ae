/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The safetensors reader: what it reads, what it refuses and how it says so, and thousands of damaged files.
 */
#include "weights.h"

#include <glib/gstdio.h>
#include <math.h>

#include "../generate.h"
#include "fuzz_weights.h"
#include "tensor.h"

static GBytes *
file (const char *header, gsize data)
{
  GByteArray *a = g_byte_array_new ();
  guint64 n = GUINT64_TO_LE (strlen (header));

  g_byte_array_append (a, (guint8 *) &n, 8);
  g_byte_array_append (a, (guint8 *) header, strlen (header));
  g_byte_array_set_size (a, 8 + strlen (header) + data);
  memset (a->data + 8 + strlen (header), 0, data);
  return g_byte_array_free_to_bytes (a);
}

#define T(NAME, REST) "\"" NAME "\":{" REST "}"
#define F32_2x3 "\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]"

static const struct
{
  const char *header;
  gsize data;
  const char *message;
} refused[] = {
  { "", 0, "a header of 0 bytes is not between 2 and 16777216" },
  { "[]", 0, "the header is not a JSON object" },
  { "  ", 0, "the header is not a JSON object" },
  { "{\"a\":", 0, "the header is not JSON: " },
  { "{\"a\xff\":1}", 0, "the header is not UTF-8 text" },
  { "{\"a\\u0000\":1}", 0, "a zero character in a name of the header" },
  { "{\"a\":[[[[[", 0, "the header is nested too deeply at byte 15" },
  { "{\"a\":null}", 0, "unexpected 'n' in the header at byte 13" },
  { "{\"a\":-1}", 0, "unexpected '-' in the header at byte 13" },
  { "{\"a\":1.5}", 0, "unexpected '.' in the header at byte 14" },
  { "{'a':1}", 0, "unexpected ''' in the header at byte 9" },
  { "{\"a\":/*x*/1}", 0, "unexpected '/' in the header at byte 13" },
  { "{\"a\":1}", 0, "\"a\" is not an object" },
  { "{\"a\":[1]}", 0, "\"a\" is not an object" },
  { "{" T ("a", "\"shape\":[],\"data_offsets\":[0,0]") "}", 0, "\"a\" has no dtype" },
  { "{" T ("a", "\"dtype\":7,\"shape\":[],\"data_offsets\":[0,0]") "}", 0, "\"a\" has no dtype" },
  { "{" T ("a", "\"dtype\":\"F31\",\"shape\":[],\"data_offsets\":[0,0]") "}", 0, "\"a\" has the unknown dtype \"F31\"" },
  { "{" T ("a", "\"dtype\":\"F32\",\"data_offsets\":[0,4]") "}", 4, "the shape of \"a\" is not a list of at most 8 sizes" },
  { "{" T ("a", "\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]") "}", 4, "the shape of \"a\" is not a list of at most 8 sizes" },
  { "{" T ("a", "\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]") "}", 4,
    "the shape of \"a\" is not a list of at most 8 sizes" },
  { "{" T ("a", "\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]") "}", 4,
    "the shape of \"a\" is not a list of at most 8 sizes" },
  { "{" T ("a", "\"dtype\":\"F32\",\"shape\":[18446744073709551615],\"data_offsets\":[0,4]") "}", 4,
    "the shape of \"a\" " }, /* by JSON-GLib */
  { "{" T ("a", "\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]") "}", 4, "the shape of \"a\" overflows" },
  { "{" T ("a", "\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]") "}", 0, "the shape of \"a\" overflows" },
  { "{" T ("a", "\"dtype\":\"F32\",\"shape\":[2]") "}", 4, "the data_offsets of \"a\" are not two positions" },
  { "{" T ("a", "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]") "}", 4, "the data_offsets of \"a\" are not two positions" },
  { "{" T ("a", "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]") "}", 8, "\"a\" lies at 8 to 0 of 8 bytes of data" },
  { "{" T ("a", F32_2x3) "}", 23, "\"a\" lies at 0 to 24 of 23 bytes of data" },
  { "{" T ("a", F32_2x3) "}", 25, "its tensors overlap, or leave bytes of its data unused" },
  { "{" T ("a", "\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,24]") "}", 24, "the shape of \"a\" needs 12 bytes, it has 24" },
  { "{" T ("a", F32_2x3) "," T ("b", F32_2x3) "}", 24, "its tensors overlap, or leave bytes of its data unused" },
  { "{" T ("a", F32_2x3) "," T ("a", F32_2x3) "}", 24, "\"a\" is there twice" },
  { "{" T ("a", F32_2x3 ",\"dtype\":\"I32\"") "}", 24, "\"dtype\" is there twice" },
};

static void
refuses (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    GBytes *bytes = file (refused[i].header, refused[i].data);
    GError *error = NULL;
    char *message = g_strdup_printf ("f is no usable safetensors file: %s", refused[i].message);

    g_assert_null (vfi_weights_new_from_bytes (bytes, "f", &error));
    g_assert_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS);
    g_test_message ("%s", error->message);
    g_assert_true (g_str_has_prefix (error->message, message));
    g_error_free (error);
    g_free (message);
    g_bytes_unref (bytes);
  }
}

static void
refuses_lengths (void)
{
  guint64 lengths[] = { 0, 1, 2, G_MAXUINT64, G_MAXUINT64 - 7, G_MAXINT64, 17 << 20 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    for (gsize size = 0; size <= 10; size++) {
      guint8 data[16] = { 0 };
      guint64 n = GUINT64_TO_LE (lengths[i]);
      GBytes *bytes;
      GError *error = NULL;

      memcpy (data, &n, 8);
      bytes = g_bytes_new (data, size);
      g_assert_null (vfi_weights_new_from_bytes (bytes, "f", &error));
      g_assert_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS);
      g_error_free (error);
      g_bytes_unref (bytes);
    }
}

/* A header that would break a recursive parser's stack. */
static void
refuses_depth (void)
{
  char *header = g_malloc (8 << 20);
  GBytes *bytes;
  GError *error = NULL;

  memset (header, '[', 8 << 20);
  header[(8 << 20) - 1] = 0;
  bytes = file (header, 0);
  g_assert_null (vfi_weights_new_from_bytes (bytes, "f", &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS);
  g_error_free (error);
  g_bytes_unref (bytes);
  g_free (header);
}

static void
no_file (void)
{
  GError *error = NULL;

  g_assert_null (vfi_weights_open ("/nowhere/at-all.safetensors", &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS);
  g_assert_true (g_str_has_prefix (error->message, "cannot open the weights: "));
  g_assert_nonnull (strstr (error->message, "/nowhere/at-all.safetensors"));
  g_clear_error (&error);
  g_assert_null (vfi_weights_open ("/", &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS);
  g_assert_nonnull (strstr (error->message, "/ is a folder"));
  g_error_free (error);
}

/* All three types, a scalar, an empty one, metadata, padding, escapes, data that is not aligned; through a real file. */
static void
reads (void)
{
  const char *header =
      "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[8,14]},"
      "\"a\\u00e9\\\"\":{\"data_offsets\":[0,8],\"dtype\":\"F32\",\"shape\":[2,1]}, \"c\" : "
      "{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[14,16]},\"e\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[8,8]}} ";
  const float a[] = { 1.25f, -3e-30f };
  const guint16 b[] = { GUINT16_TO_LE (0x3c00), GUINT16_TO_LE (0x8001), GUINT16_TO_LE (0xfbff) }, c = GUINT16_TO_LE (0xc049);
  char *path = g_build_filename (g_get_tmp_dir (), "vfi-weights-XXXXXX", NULL);
  GByteArray *bytes = g_byte_array_new ();
  GError *error = NULL;
  guint64 n = GUINT64_TO_LE (strlen (header));
  VfiWeights *w;
  float *v;
  int fd = g_mkstemp (path);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_byte_array_append (bytes, (guint8 *) &n, 8);
  g_byte_array_append (bytes, (guint8 *) header, strlen (header));
  g_byte_array_append (bytes, (guint8 *) a, 8);
  g_byte_array_append (bytes, (guint8 *) b, 6);
  g_byte_array_append (bytes, (guint8 *) &c, 2);
  g_assert_true (g_file_set_contents (path, (char *) bytes->data, bytes->len, NULL));
  w = vfi_weights_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vfi_weights_name (w), ==, path);

  v = vfi_weights_read (w, &(VfiWeightSpec){ "aé\"", 2, { 2, 1 } }, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (v, 8, a, 8);
  g_free (v);
  v = vfi_weights_read (w, &(VfiWeightSpec){ "b", 1, { 3 } }, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (v[0], ==, 1);
  g_assert_cmpfloat (v[1], ==, -0x1p-24f);
  g_assert_cmpfloat (v[2], ==, -65504);
  g_free (v);
  v = vfi_weights_read (w, &(VfiWeightSpec){ "c", 0 }, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (*v, ==, -3.140625f);
  g_free (v);
  v = vfi_weights_read (w, &(VfiWeightSpec){ "e", 2, { 0, 7 } }, &error);
  g_assert_no_error (error);
  g_free (v);
  g_assert_null (vfi_weights_read (w, &(VfiWeightSpec){ "b", 1, { 2 } }, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS);
  g_clear_error (&error);
  g_assert_null (vfi_weights_read (w, &(VfiWeightSpec){ "__metadata__", 0 }, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS);
  g_clear_error (&error);

  vfi_weights_unref (w);
  g_byte_array_unref (bytes);
  g_unlink (path);
  g_free (path);
}

/* One error names everything that is wrong; what nobody asks for is told too. */
static void
checks (void)
{
  static const VfiWeightSpec have[] = {
    { "a.weight", 4, { 4, 3, 1, 1 } }, { "a.bias", 1, { 5 } }, { "b.weight", 2, { 2, 4 } }, { "z", 0 }, { "extra", 1, { 1 } },
  };
  GBytes *bytes = test_weights_file (have, G_N_ELEMENTS (have));
  VfiWeights *w = vfi_weights_new_from_bytes (bytes, "f", NULL), *good;
  VfiGraph *g = vfi_graph_new (VFI_F32), *h = vfi_graph_new (VFI_F32), *both[] = { g, h, NULL };
  char **unused;
  GError *error = NULL;

  vfi_conv2d (h, "b", vfi_conv2d (g, "a", vfi_input (g, "x", VFI_F32, 2, 2, 3), 4, 1), 2, 1); /* of another graph: an error there */
  vfi_graph_free (h);
  h = both[1] = vfi_graph_new (VFI_F32);
  vfi_conv2d (h, "c", vfi_conv2d (h, "b", vfi_input (h, "y", VFI_F32, 2, 2, 4), 2, 1), 2, 1, .no_bias = TRUE);
  vfi_conv2d (h, "c", vfi_input (h, "z", VFI_F32, 2, 2, 2), 2, 1, .no_bias = TRUE); /* the same weight: named once */

  g_assert_false (vfi_weights_check (w, both, &unused, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS);
  g_assert_cmpstr (error->message, ==,
                   "f does not fit this network: missing b.bias, c.weight; misshapen a.bias (F32, 5 instead of 4), "
                   "b.weight (F32, 2 x 4 instead of 2 x 4 x 1 x 1)");
  g_assert_cmpstr (unused[0], ==, "extra");
  g_assert_cmpstr (unused[1], ==, "z");
  g_assert_null (unused[2]);
  g_clear_error (&error);
  g_strfreev (unused);
  g_assert_false (vfi_weights_check (NULL, both, NULL, &error));
  g_assert_cmpstr (error->message, ==, "no weights: missing a.weight, a.bias, b.weight, b.bias, c.weight");
  g_clear_error (&error);

  good = test_weights_for (both);
  g_assert_true (vfi_weights_check (good, both, &unused, &error));
  g_assert_null (unused[0]);
  g_strfreev (unused);
  vfi_weights_unref (good);
  vfi_weights_unref (w);
  g_bytes_unref (bytes);
  vfi_graph_free (g);
  vfi_graph_free (h);

  bytes = file ("{" T ("a.weight", "\"dtype\":\"I32\",\"shape\":[1,1,1,1],\"data_offsets\":[0,4]") "}", 4);
  w = vfi_weights_new_from_bytes (bytes, "f", NULL);
  g = vfi_graph_new (VFI_F32);
  vfi_conv2d (g, "a", vfi_input (g, "x", VFI_F32, 1, 1, 1), 1, 1, .no_bias = TRUE);
  g_assert_false (vfi_weights_check (w, (VfiGraph *[]){ g, NULL }, NULL, &error));
  g_assert_cmpstr (error->message, ==,
                   "f does not fit this network: misshapen a.weight (I32, 1 x 1 x 1 x 1, must be F32, F16 or BF16, 1 x 1 x 1 x 1)");
  g_clear_error (&error);
  vfi_graph_free (g);
  vfi_weights_unref (w);
  g_bytes_unref (bytes);
}

/* ---- conversions -------------------------------------------------------------------------------- */

static void
half (void)
{
  for (guint32 i = 0; i < 0x10000; i++) {
    float f = vfi_f16_to_f32 (i), b = vfi_bf16_to_f32 (i);

    if ((i & 0x7fff) > 0x7c00)
      g_assert_true (isnan (f) && isnan (vfi_f16_to_f32 (vfi_f32_to_f16 (f))));
    else
      g_assert_cmpuint (vfi_f32_to_f16 (f), ==, i);
    if ((i & 0x7fff) > 0x7f80)
      g_assert_true (isnan (b) && isnan (vfi_bf16_to_f32 (vfi_f32_to_bf16 (b))));
    else
      g_assert_cmpuint (vfi_f32_to_bf16 (b), ==, i);
    /* Between two neighbours: ties to even. */
    if ((i & 0x7fff) < 0x7bff) {
      float middle = (f + vfi_f16_to_f32 (i + 1)) / 2;

      g_assert_cmpuint (vfi_f32_to_f16 (middle), ==, (i + 1) & ~1u);
      g_assert_cmpuint (vfi_f32_to_f16 (nextafterf (middle, f)), ==, i);
      g_assert_cmpuint (vfi_f32_to_f16 (nextafterf (middle, 2 * middle - f)), ==, i + 1);
    }
  }
  g_assert_cmpfloat (vfi_f16_to_f32 (0x3555), ==, 0.333251953125f);
  g_assert_cmpfloat (vfi_f16_to_f32 (vfi_f32_to_f16 (1e6f)), ==, INFINITY);
  g_assert_cmpuint (vfi_f32_to_f16 (65519.99f), ==, 0x7bff);
  g_assert_cmpuint (vfi_f32_to_f16 (65520), ==, 0x7c00);
  g_assert_cmpuint (vfi_f32_to_bf16 (0x1.01p0f), ==, 0x3f80);
  g_assert_cmpuint (vfi_f32_to_bf16 (0x1.03p0f), ==, 0x3f82);
}

/* ---- damage ------------------------------------------------------------------------------------- */

static GBytes *
seed_file (void)
{
  static const VfiWeightSpec specs[] = { { "enc.down0.weight", 4, { 4, 3, 3, 3 } },
                                         { "enc.down0.bias", 1, { 4 } },
                                         { "head", 2, { 2, 4 } } };

  return test_weights_file (specs, G_N_ELEMENTS (specs));
}

static void
truncated (void)
{
  GBytes *bytes = seed_file ();
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  g_assert_cmpint (fuzz_weights (data, size), ==, 1);
  for (gsize n = 0; n < size; n++) {
    guint8 *copy = g_memdup2 (data, n); /* so that a reader beyond the end is seen */

    g_assert_cmpint (fuzz_weights (copy, n), ==, 0);
    g_free (copy);
  }
  g_bytes_unref (bytes);
}

/* Damage upon damage: the files that still open are damaged further, up to ten times. */
static void
damaged (void)
{
  GBytes *bytes = seed_file ();
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gsize header = 8 + data[0] + 256 * data[1];
  static const char digits[] = "0123456789{}[]\",:\\ ";
  int opened = 0, refused_count = 0;

  for (int round = 0; round < 8000; round++) {
    guint8 *copy = g_memdup2 (data, size);
    int times = g_test_rand_int_range (1, 11), at;

    while (times--)
      switch (g_test_rand_int_range (0, 4)) {
        case 0:
          copy[g_test_rand_int_range (0, header)] ^= 1 << g_test_rand_int_range (0, 8);
          break;
        case 1:
          at = g_test_rand_int_range (8, header);
          copy[at] = digits[g_test_rand_int_range (0, sizeof digits - 1)];
          break;
        case 2: /* one digit for another: still JSON */
          at = g_test_rand_int_range (8, header);
          if (g_ascii_isdigit (copy[at]))
            copy[at] = '0' + g_test_rand_int_range (0, 10);
          break;
        case 3: { /* a stretch of it again, elsewhere */
          int n = g_test_rand_int_range (1, 40), from = g_test_rand_int_range (8, header - n), to = g_test_rand_int_range (8, header - n);

          memmove (copy + to, copy + from, n);
          break;
        }
      }
    if (fuzz_weights (copy, size))
      opened++;
    else
      refused_count++;
    g_free (copy);
  }
  g_test_message ("%d opened, %d refused", opened, refused_count);
  g_assert_cmpint (opened, >, 50);
  g_assert_cmpint (refused_count, >, 4000);
  g_bytes_unref (bytes);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/weights/reads", reads);
  g_test_add_func ("/weights/checks", checks);
  g_test_add_func ("/weights/refuses", refuses);
  g_test_add_func ("/weights/refuses-lengths", refuses_lengths);
  g_test_add_func ("/weights/refuses-depth", refuses_depth);
  g_test_add_func ("/weights/no-file", no_file);
  g_test_add_func ("/weights/half", half);
  g_test_add_func ("/weights/truncated", truncated);
  g_test_add_func ("/weights/damaged", damaged);
  return g_test_run ();
}
