/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The safetensors format: 8 bytes of header length (little endian), a JSON header, one buffer.
 *
 *   { "NAME": { "dtype": "F32", "shape": [64, 3, 3, 3], "data_offsets": [0, 6912] }, ..., "__metadata__": { "KEY": "TEXT" } }
 *
 * Offsets count from the end of the header; the tensors must tile the buffer without holes or overlaps. The format itself has no more
 * JSON than strings, unsigned integers, and two levels of nesting: anything else is refused before the JSON parser sees it.
 */
#include "weights.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tensor.h"

#define MAX_HEADER (16 << 20)
#define MAX_DEPTH 3 /* the object, a tensor in it, its shape */
#define MAX_RANK 8

static const struct
{
  const char *name;
  int bytes;
} dtypes[] = {
  { "F32", 4 }, { "F16", 2 }, { "BF16", 2 }, /* the ones that can be read */
  { "F64", 8 }, { "I64", 8 }, { "U64", 8 },  { "I32", 4 },     { "U32", 4 },     { "I16", 2 },
  { "U16", 2 }, { "I8", 1 },  { "U8", 1 },   { "F8_E4M3", 1 }, { "F8_E5M2", 1 }, { "BOOL", 1 },
};
enum
{
  F32,
  F16,
  BF16
};

typedef struct
{
  int dtype; /* index into dtypes */
  int rank;
  gint64 shape[MAX_RANK];
  gsize begin, bytes; /* in the file */
} Entry;

struct _VfiWeights
{
  gint refs;
  char *name;
  GBytes *bytes;
  gboolean mapped;     /* bytes are a file */
  GHashTable *entries; /* char * to Entry * */
};

static gboolean damaged (const VfiWeights *w, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
damaged (const VfiWeights *w, GError **error, const char *format, ...)
{
  va_list args;
  char *text;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS, "%s is no usable safetensors file: %s", w->name, text);
  g_free (text);
  return FALSE;
}

/* ---- the header --------------------------------------------------------------------------------- */

/* A cheap look at the text that leaves no room for surprises in the parser: no deep nesting, comments, fractions, odd literals. */
static gboolean
header_text_ok (const VfiWeights *w, const char *s, gsize n, GError **error)
{
  gboolean in_string = FALSE;
  int depth = 0;

  if (!g_utf8_validate (s, n, NULL))
    return damaged (w, error, "the header is not UTF-8 text");
  for (gsize i = 0; i < n; i++) {
    char c = s[i];

    if (in_string) {
      if (c == '\\') {
        if (i + 5 < n && !strncmp (s + i, "\\u0000", 6))
          return damaged (w, error, "a zero character in a name of the header");
        i++;
      } else if (c == '"')
        in_string = FALSE;
      continue;
    }
    if (c == '"')
      in_string = TRUE;
    else if (c == '{' || c == '[') {
      if (++depth > MAX_DEPTH)
        return damaged (w, error, "the header is nested too deeply at byte %" G_GSIZE_FORMAT, i + 8);
    } else if (c == '}' || c == ']')
      depth--;
    else if (!g_ascii_isdigit (c) && !strchr (" \t\r\n:,", c))
      return damaged (w, error, "unexpected '%c' in the header at byte %" G_GSIZE_FORMAT, g_ascii_isprint (c) ? c : '?', i + 8);
  }
  return TRUE;
}

/* Every member that is parsed, so that duplicates can be told: JSON objects keep only the last. */
typedef struct
{
  GHashTable *seen;
  char *duplicate;
} Members;

static void
on_member (JsonParser *parser, JsonObject *object, const char *name, gpointer data)
{
  Members *m = data;
  char *key = g_strdup_printf ("%p %s", (gpointer) object, name);

  if (!g_hash_table_add (m->seen, key) && !m->duplicate)
    m->duplicate = g_strdup (name);
}

/* An array of at most `max` unsigned integers; -1 if it is anything else. */
static int
read_integers (JsonNode *node, gint64 *out, int max)
{
  JsonArray *array;
  int n;

  if (!node || !JSON_NODE_HOLDS_ARRAY (node))
    return -1;
  array = json_node_get_array (node);
  n = json_array_get_length (array);
  if (n > max)
    return -1;
  for (int i = 0; i < n; i++) {
    JsonNode *item = json_array_get_element (array, i);

    if (!JSON_NODE_HOLDS_VALUE (item) || json_node_get_value_type (item) != G_TYPE_INT64 || (out[i] = json_node_get_int (item)) < 0)
      return -1;
  }
  return n;
}

static gboolean
add_entry (VfiWeights *w, const char *name, JsonNode *node, gsize data, gsize size, GError **error)
{
  JsonObject *object;
  JsonNode *type;
  Entry e = { .dtype = -1 };
  gint64 span[2];
  guint64 bytes;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return damaged (w, error, "\"%s\" is not an object", name);
  object = json_node_get_object (node);
  type = json_object_get_member (object, "dtype");
  if (!type || !JSON_NODE_HOLDS_VALUE (type) || json_node_get_value_type (type) != G_TYPE_STRING)
    return damaged (w, error, "\"%s\" has no dtype", name);
  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++)
    if (!strcmp (dtypes[i].name, json_node_get_string (type)))
      e.dtype = i;
  if (e.dtype < 0)
    return damaged (w, error, "\"%s\" has the unknown dtype \"%s\"", name, json_node_get_string (type));
  if ((e.rank = read_integers (json_object_get_member (object, "shape"), e.shape, MAX_RANK)) < 0)
    return damaged (w, error, "the shape of \"%s\" is not a list of at most %d sizes", name, MAX_RANK);
  if (read_integers (json_object_get_member (object, "data_offsets"), span, 2) != 2)
    return damaged (w, error, "the data_offsets of \"%s\" are not two positions", name);
  if (span[0] > span[1] || (guint64) span[1] > size)
    return damaged (w, error, "\"%s\" lies at %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " of %" G_GSIZE_FORMAT " bytes of data", name,
                    span[0], span[1], size);
  bytes = dtypes[e.dtype].bytes;
  for (int i = 0; i < e.rank; i++)
    if (!g_uint64_checked_mul (&bytes, bytes, e.shape[i]))
      return damaged (w, error, "the shape of \"%s\" overflows", name);
  if (bytes != (guint64) (span[1] - span[0]))
    return damaged (w, error, "the shape of \"%s\" needs %" G_GUINT64_FORMAT " bytes, it has %" G_GINT64_FORMAT, name, bytes,
                    span[1] - span[0]);
  e.begin = data + span[0];
  e.bytes = bytes;
  g_hash_table_insert (w->entries, g_strdup (name), g_memdup2 (&e, sizeof e));
  return TRUE;
}

static int
by_begin (gconstpointer a, gconstpointer b)
{
  const Entry *x = *(Entry *const *) a, *y = *(Entry *const *) b;

  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return x->bytes < y->bytes ? -1 : x->bytes > y->bytes; /* empty ones first */
}

static gboolean
tiles (const VfiWeights *w, gsize from, gsize to, GError **error)
{
  GPtrArray *all = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer e;
  gsize at = from;
  gboolean ok = TRUE;

  g_hash_table_iter_init (&iter, w->entries);
  while (g_hash_table_iter_next (&iter, NULL, &e))
    g_ptr_array_add (all, e);
  g_ptr_array_sort (all, by_begin);
  for (guint i = 0; i < all->len && ok; i++) {
    const Entry *entry = all->pdata[i];

    ok = entry->begin == at;
    at = entry->begin + entry->bytes;
  }
  g_ptr_array_unref (all);
  if (!ok || at != to)
    return damaged (w, error, "its tensors overlap, or leave bytes of its data unused");
  return TRUE;
}

static gboolean
parse_header (VfiWeights *w, const char *text, gsize length, gsize size, GError **error)
{
  JsonParser *parser = json_parser_new ();
  Members members = { .seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  GError *e = NULL;
  JsonNode *root;
  gboolean ok = TRUE;

  g_signal_connect (parser, "object-member", G_CALLBACK (on_member), &members);
  if (!json_parser_load_from_data (parser, text, length, &e)) {
    ok = damaged (w, error, "the header is not JSON: %s", e->message);
    g_error_free (e);
  } else if (members.duplicate)
    ok = damaged (w, error, "\"%s\" is there twice", members.duplicate);
  else if (!(root = json_parser_get_root (parser)) || !JSON_NODE_HOLDS_OBJECT (root))
    ok = damaged (w, error, "the header is not a JSON object");
  else {
    GList *names = json_object_get_members (json_node_get_object (root));

    for (GList *l = names; l && ok; l = l->next)
      if (strcmp (l->data, "__metadata__"))
        ok = add_entry (w, l->data, json_object_get_member (json_node_get_object (root), l->data), 8 + length, size, error);
    g_list_free (names);
    ok = ok && tiles (w, 8 + length, 8 + length + size, error);
  }
  g_hash_table_unref (members.seen);
  g_free (members.duplicate);
  g_object_unref (parser);
  return ok;
}

VfiWeights *
vfi_weights_new_from_bytes (GBytes *bytes, const char *name, GError **error)
{
  VfiWeights *w = g_new0 (VfiWeights, 1);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  guint64 length = 0;
  gboolean ok;

  w->refs = 1;
  w->name = g_strdup (name);
  w->bytes = g_bytes_ref (bytes);
  w->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (size >= 8) {
    memcpy (&length, data, 8);
    length = GUINT64_FROM_LE (length);
  }
  if (size < 8)
    ok = damaged (w, error, "it has only %" G_GSIZE_FORMAT " bytes", size);
  else if (length > size - 8)
    ok = damaged (w, error, "it has only %" G_GSIZE_FORMAT " bytes, but a header of %" G_GUINT64_FORMAT, size, length);
  else if (length < 2 || length > MAX_HEADER)
    ok = damaged (w, error, "a header of %" G_GUINT64_FORMAT " bytes is not between 2 and %d", length, MAX_HEADER);
  else
    ok = header_text_ok (w, data + 8, length, error) && parse_header (w, data + 8, length, size - 8 - length, error);
  if (!ok) {
    vfi_weights_unref (w);
    return NULL;
  }
  return w;
}

VfiWeights *
vfi_weights_open (const char *path, GError **error)
{
  GError *e = NULL;
  GMappedFile *file;
  GBytes *bytes;
  VfiWeights *w;

  if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS, "cannot open the weights: %s is a folder, wanted is a .safetensors file", path);
    return NULL;
  }
  if (!(file = g_mapped_file_new (path, FALSE, &e))) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS, "cannot open the weights: %s", e->message);
    g_error_free (e);
    return NULL;
  }
  bytes = g_mapped_file_get_bytes (file);
  w = vfi_weights_new_from_bytes (bytes, path, error);
  if (w)
    w->mapped = TRUE;
  g_bytes_unref (bytes);
  g_mapped_file_unref (file);
  return w;
}

VfiWeights *
vfi_weights_ref (VfiWeights *w)
{
  g_atomic_int_inc (&w->refs);
  return w;
}

void
vfi_weights_unref (VfiWeights *w)
{
  if (!w || !g_atomic_int_dec_and_test (&w->refs))
    return;
  g_hash_table_unref (w->entries);
  g_bytes_unref (w->bytes);
  g_free (w->name);
  g_free (w);
}

const char *
vfi_weights_name (const VfiWeights *w)
{
  return w->name;
}

/* ---- what networks ask for ---------------------------------------------------------------------- */

static void
append_shape (GString *s, int rank, const gint64 *wide, const int *narrow)
{
  for (int i = 0; i < rank; i++)
    g_string_append_printf (s, "%s%" G_GINT64_FORMAT, i ? " x " : "", wide ? wide[i] : narrow[i]);
  if (!rank)
    g_string_append (s, "a scalar");
}

static gboolean
fits (const Entry *e, const VfiWeightSpec *spec)
{
  gboolean same = e->rank == spec->rank;

  for (int i = 0; i < spec->rank && same; i++)
    same = e->shape[i] == spec->shape[i];
  return same && e->dtype <= BF16;
}

static void
append_misfit (GString *s, const Entry *e, const VfiWeightSpec *spec)
{
  g_string_append_printf (s, "%s%s (%s, ", s->len ? ", " : "", spec->name, dtypes[e->dtype].name);
  append_shape (s, e->rank, e->shape, NULL);
  g_string_append (s, e->dtype <= BF16 ? " instead of " : ", must be F32, F16 or BF16, ");
  append_shape (s, spec->rank, NULL, spec->shape);
  g_string_append_c (s, ')');
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static char **
names_not_in (VfiWeights *w, GHashTable *asked)
{
  GPtrArray *names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer name;

  if (w) {
    g_hash_table_iter_init (&iter, w->entries);
    while (g_hash_table_iter_next (&iter, &name, NULL))
      if (!g_hash_table_contains (asked, name))
        g_ptr_array_add (names, g_strdup (name));
  }
  g_ptr_array_sort (names, by_name);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

gboolean
vfi_weights_check (VfiWeights *w, VfiGraph *const *graphs, char ***unused, GError **error)
{
  GHashTable *asked = g_hash_table_new (g_str_hash, g_str_equal);
  GString *missing = g_string_new (NULL), *misshapen = g_string_new (NULL);
  gboolean ok;

  for (; *graphs; graphs++)
    for (guint i = 0; i < (*graphs)->nodes->len; i++) {
      const VfiNode *node = (*graphs)->nodes->pdata[i];

      for (int j = 0; j < node->n_weights; j++) {
        const VfiWeightSpec *spec = &node->weights[j];
        const Entry *e = w ? g_hash_table_lookup (w->entries, spec->name) : NULL;

        if (e && !fits (e, spec))
          append_misfit (misshapen, e, spec);
        else if (!e && !g_hash_table_contains (asked, spec->name))
          g_string_append_printf (missing, "%s%s", missing->len ? ", " : "", spec->name);
        g_hash_table_add (asked, spec->name);
      }
    }
  ok = !missing->len && !misshapen->len;
  if (!ok)
    g_set_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS, "%s%s:%s%s%s%s%s", w ? w->name : "no weights", w ? " does not fit this network" : "",
                 missing->len ? " missing " : "", missing->str, missing->len && misshapen->len ? ";" : "",
                 misshapen->len ? " misshapen " : "", misshapen->str);
  if (unused)
    *unused = names_not_in (w, asked);
  g_string_free (missing, TRUE);
  g_string_free (misshapen, TRUE);
  g_hash_table_unref (asked);
  return ok;
}

/* Weights are read once for each plan, which keeps what it makes of them: until the next one the file's pages need not be resident. */
static void
let_go (const VfiWeights *w, const guint8 *from, gsize bytes)
{
  const gsize part = (guintptr) from % (gsize) sysconf (_SC_PAGESIZE);

  if (w->mapped)
    madvise ((void *) (from - part), bytes + part, MADV_DONTNEED);
}

float *
vfi_weights_read (VfiWeights *w, const VfiWeightSpec *spec, GError **error)
{
  const Entry *e = g_hash_table_lookup (w->entries, spec->name);
  const guint8 *src;
  float *dst;
  gsize n;

  if (!e || !fits (e, spec)) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_WEIGHTS, "%s: weight %s is %s", w->name, spec->name, e ? "misshapen" : "missing");
    return NULL;
  }
  src = (const guint8 *) g_bytes_get_data (w->bytes, NULL) + e->begin;
  n = e->bytes / dtypes[e->dtype].bytes;
  if (!(dst = g_try_new (float, MAX (n, 1)))) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "cannot allocate %" G_GSIZE_FORMAT " bytes for weight %s", n * sizeof (float),
                 spec->name);
    return NULL;
  }
  for (gsize i = 0; i < n; i++) {
    guint32 u32;
    guint16 u16;

    if (e->dtype == F32) {
      memcpy (&u32, src + 4 * i, 4);
      u32 = GUINT32_FROM_LE (u32);
      memcpy (&dst[i], &u32, 4);
    } else {
      memcpy (&u16, src + 2 * i, 2);
      u16 = GUINT16_FROM_LE (u16);
      dst[i] = e->dtype == F16 ? vfi_f16_to_f32 (u16) : vfi_bf16_to_f32 (u16);
    }
  }
  let_go (w, src, e->bytes);
  return dst;
}
