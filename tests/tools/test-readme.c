/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What README.md says that a program can check: the table of properties, the example, the pipelines. README names the file.
 */
#include <string.h>
#include <sys/wait.h>

#include <glib/gstdio.h>
#include <gst/gst.h>

static char *readme;

static char *
default_text (GParamSpec *spec)
{
  const GValue *value = g_param_spec_get_default_value (spec);
  if (G_IS_PARAM_SPEC_ENUM (spec))
    return g_strdup (g_enum_get_value (G_PARAM_SPEC_ENUM (spec)->enum_class, g_value_get_enum (value))->value_nick);
  if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    return g_strdup (g_value_get_boolean (value) ? "true" : "false");
  if (G_IS_PARAM_SPEC_STRING (spec))
    return g_strdup (g_value_get_string (value) ? g_value_get_string (value) : "");
  if (G_IS_PARAM_SPEC_DOUBLE (spec))
    return g_strdup_printf ("%g", g_value_get_double (value));
  if (GST_IS_PARAM_SPEC_FRACTION (spec))
    return g_strdup_printf ("%d/%d", gst_value_get_fraction_numerator (value), gst_value_get_fraction_denominator (value));
  if (G_VALUE_HOLDS_BOXED (value))
    return g_strdup ("");
  return g_strdup_value_contents (value);
}

/* The rows of the table under a heading: "| `name` | default | ...". */
static GHashTable *
table_rows (const char *heading)
{
  GHashTable *rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  const char *start = strstr (readme, heading);
  g_assert_nonnull (start);
  const char *end = strstr (start + strlen (heading), "\n##");
  g_autofree char *section = end ? g_strndup (start, (gsize) (end - start)) : g_strdup (start);
  g_auto (GStrv) lines = g_strsplit (section, "\n", -1);
  for (int i = 0; lines[i]; i++)
    if (g_str_has_prefix (lines[i], "| `")) {
      g_auto (GStrv) cells = g_strsplit (lines[i], "|", 4);
      g_strstrip (cells[1]);
      g_strstrip (cells[2]);
      g_strdelimit (cells[1], "`", ' ');
      g_strdelimit (cells[2], "`", ' ');
      g_hash_table_insert (rows, g_strdup (g_strstrip (cells[1])), g_strdup (g_strstrip (cells[2])));
    }
  return rows;
}

static void
test_properties (gconstpointer name)
{
  g_autofree char *heading = g_strdup_printf ("### %s\n", (const char *) name);
  g_autoptr (GHashTable) rows = table_rows (heading);
  g_autoptr (GstElement) element = gst_element_factory_make (name, NULL);
  g_assert_nonnull (element);
  gst_object_ref_sink (element);
  guint n, own = 0;
  g_autofree GParamSpec **specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    if (!g_str_has_prefix (g_type_name (specs[i]->owner_type), "GstVfi"))
      continue;
    own++;
    g_test_message ("%s", specs[i]->name);
    g_autofree char *expected = default_text (specs[i]);
    g_assert_cmpstr (g_hash_table_lookup (rows, specs[i]->name), ==, expected);
  }
  g_assert_cmpuint (own, >, 0);
  g_assert_cmpuint (own, ==, g_hash_table_size (rows));
}

/* The program in README.md is the one that is built and run in these tests, without its licence line. */
/* All formats that the element takes are told of. */
static void
test_formats (void)
{
  g_autoptr (GstElement) element = gst_element_factory_make ("vfiinterp", NULL);
  g_autoptr (GstCaps) caps = gst_pad_template_get_caps (gst_element_get_pad_template (element, "sink"));
  const GValue *formats = gst_structure_get_value (gst_caps_get_structure (caps, gst_caps_get_size (caps) - 1), "format");
  const char *start = strstr (readme, "One sink pad, one source pad: ");
  g_assert_nonnull (start);
  g_autofree char *sentence = g_strndup (start, (gsize) (strchr (start, ';') - start));
  g_auto (GStrv) words = g_strsplit_set (sentence, " ,\n", -1);
  g_assert_cmpuint (gst_value_list_get_size (formats), >, 10);
  for (guint i = 0; i < gst_value_list_get_size (formats); i++)
    if (!g_strv_contains ((const char *const *) words, g_value_get_string (gst_value_list_get_value (formats, i))))
      g_error ("README.md does not name the format %s", g_value_get_string (gst_value_list_get_value (formats, i)));
}

static void
test_example (void)
{
  g_autofree char *source = NULL;
  g_assert_true (g_file_get_contents (g_getenv ("EXAMPLE"), &source, NULL, NULL));
  const char *body = strstr (source, "#include");
  g_autofree char *block = g_strconcat ("```c\n", body, "```\n", NULL);
  g_assert_nonnull (strstr (readme, block));
}

/* It is run on two flat frames. */
static void
test_example_runs (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("vfi-XXXXXX", NULL), *a = g_build_filename (dir, "a.yuv", NULL), *out = NULL;
  char frame[33 * 17 + 2 * 17 * 9]; /* odd sizes, too */
  memset (frame, 77, sizeof frame);
  g_assert_true (g_file_set_contents (a, frame, sizeof frame, NULL));
  char *argv[] = { (char *) g_getenv ("EXAMPLE_PROGRAM"), a, a, (char *) "33", (char *) "17", NULL };
  int status, pipe;
  GPid pid;
  g_assert_true (g_spawn_async_with_pipes (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL, &pipe, NULL, &error));
  g_autoptr (GIOChannel) channel = g_io_channel_unix_new (pipe);
  gsize length;
  g_io_channel_set_encoding (channel, NULL, NULL);
  g_assert_cmpint (g_io_channel_read_to_end (channel, &out, &length, &error), ==, G_IO_STATUS_NORMAL);
  waitpid (pid, &status, 0);
  g_assert_true (g_spawn_check_wait_status (status, &error));
  g_assert_cmpmem (out, length, frame, sizeof frame);
  g_remove (a);
  g_rmdir (dir);
}

/* Every gst-launch-1.0 line: its elements are there and take these properties. */
static void
test_pipelines (void)
{
  int n = 0;
  g_auto (GStrv) lines = g_strsplit (readme, "\n", -1);
  g_autoptr (GString) line = g_string_new (NULL);
  for (int i = 0; lines[i]; i++) {
    gboolean more = g_str_has_suffix (lines[i], "\\");
    if (more)
      lines[i][strlen (lines[i]) - 1] = ' ';
    g_string_append (line, lines[i]);
    if (more)
      continue;
    if (g_str_has_prefix (line->str, "gst-launch-1.0 ")) {
      g_autoptr (GError) error = NULL;
      g_auto (GStrv) argv = NULL;
      g_assert_true (g_shell_parse_argv (line->str, NULL, &argv, &error));
      int first = 1;
      while (argv[first] && argv[first][0] == '-')
        first++;
      g_test_message ("%s", line->str);
      g_autoptr (GstElement) pipeline = gst_parse_launchv ((const char **) argv + first, &error);
      g_assert_no_error (error);
      gst_object_ref_sink (pipeline);
      n++;
    }
    g_string_truncate (line, 0);
  }
  g_assert_cmpint (n, >=, 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  if (!g_file_get_contents (g_getenv ("README"), &readme, NULL, NULL))
    g_error ("README does not name a file");
  g_test_add_data_func ("/readme/properties/vfiinterp", "vfiinterp", test_properties);
  g_test_add_data_func ("/readme/properties/vfiflow", "vfiflow", test_properties);
  g_test_add_data_func ("/readme/properties/vfiinpaint", "vfiinpaint", test_properties);
  g_test_add_func ("/readme/formats", test_formats);
  g_test_add_func ("/readme/example", test_example);
  g_test_add_func ("/readme/example/runs", test_example_runs);
  g_test_add_func ("/readme/pipelines", test_pipelines);
  int status = g_test_run ();
  g_free (readme);
  return status;
}
