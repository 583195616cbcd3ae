/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Flow files: see flowfile.h. Numbers in .flo are little-endian, as its readers take them to be; in PNG they are big-endian.
 */
#include "flowfile.h"

#include <math.h>
#include <string.h>

#include <gio/gio.h>

gboolean
gst_vfi_flow_pattern_check (const char *pattern, GError **error)
{
  int n = 0;
  gboolean good = TRUE;
  for (const char *p = pattern; *p; p++)
    if (*p == '%' && *++p != '%') {
      while (g_ascii_isdigit (*p))
        p++;
      good &= *p == 'd';
      n++;
      if (!*p)
        break;
    }
  if (good && n == 1 && (g_str_has_suffix (pattern, ".flo") || g_str_has_suffix (pattern, ".png")))
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "\"%s\" is not a pattern such as flow-%%05d.flo or flow-%%05d.png", pattern);
  return FALSE;
}

static void
put_u32 (guint8 *to, guint32 v, gboolean big)
{
  for (int i = 0; i < 4; i++)
    to[big ? 3 - i : i] = (guint8) (v >> 8 * i);
}

static guint8 *
flo (int width, int height, const float *flow, gsize *size)
{
  const gsize n = 2 * (gsize) width * height;
  guint8 *out = g_try_malloc (*size = 12 + 4 * n);
  if (!out)
    return NULL;
  memcpy (out, "PIEH", 4);
  put_u32 (out + 4, width, FALSE);
  put_u32 (out + 8, height, FALSE);
  for (gsize i = 0; i < n; i++) {
    guint32 bits;
    memcpy (&bits, &flow[i], 4);
    put_u32 (out + 12 + 4 * i, bits, FALSE);
  }
  return out;
}

/* ---- PNG ---------------------------------------------------------------------------------------- */

static guint32
crc32 (const guint8 *data, gsize n)
{
  guint32 crc = 0xffffffff;
  for (gsize i = 0; i < n; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
  }
  return ~crc;
}

static void
chunk (GByteArray *png, const char *type, const guint8 *data, gsize n)
{
  guint8 word[4];
  const guint at = png->len + 4;
  put_u32 (word, (guint32) n, TRUE);
  g_byte_array_append (png, word, 4);
  g_byte_array_append (png, (const guint8 *) type, 4);
  if (n)
    g_byte_array_append (png, data, (guint) n);
  put_u32 (word, crc32 (png->data + at, n + 4), TRUE);
  g_byte_array_append (png, word, 4);
}

static guint8 *
deflate (const guint8 *raw, gsize n, gsize *size, GError **error)
{
  g_autoptr (GZlibCompressor) z = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 6);
  const gsize room = n + n / 1000 + 1024;
  guint8 *out = g_try_malloc (room);
  gsize read = 0;
  GConverterResult result = G_CONVERTER_CONVERTED;
  *size = 0;
  while (out && result != G_CONVERTER_FINISHED) {
    gsize in, made;
    result =
        g_converter_convert (G_CONVERTER (z), raw + read, n - read, out + *size, room - *size, G_CONVERTER_INPUT_AT_END, &in, &made, error);
    if (result == G_CONVERTER_ERROR) {
      g_free (out);
      return NULL;
    }
    read += in;
    *size += made;
  }
  return out;
}

static void
put_u16 (guint8 *to, float v)
{
  const guint16 u = (guint16) v;
  to[0] = u >> 8;
  to[1] = (guint8) u;
}

/* Red and green are 64 u + 2^15 and 64 v + 2^15, blue is 1 where that is valid; else all are 0. */
static guint8 *
kitti (int width, int height, const float *flow, const float *confidence, gsize *size, GError **error)
{
  const gsize stride = 1 + 6 * (gsize) width;
  g_autofree guint8 *raw = g_try_malloc0 (stride * height);
  guint8 head[13] = { [8] = 16, [9] = 2 }; /* 16 bit, RGB */
  gsize n;

  for (int y = 0; raw && y < height; y++) /* each row begins with its filter: none */
    for (int x = 0; x < width; x++) {
      const gsize i = (gsize) y * width + x;
      const float u = roundf (flow[2 * i] * 64 + 32768), v = roundf (flow[2 * i + 1] * 64 + 32768);
      guint8 *to = raw + y * stride + 1 + 6 * x;
      if (u >= 0 && u <= 65535 && v >= 0 && v <= 65535 && (!confidence || confidence[i] > 0)) {
        put_u16 (to, u);
        put_u16 (to + 2, v);
        to[5] = 1;
      }
    }
  g_autofree guint8 *packed = raw ? deflate (raw, stride * height, &n, error) : NULL;
  if (!packed)
    return NULL;
  put_u32 (head, width, TRUE);
  put_u32 (head + 4, height, TRUE);
  GByteArray *png = g_byte_array_new ();
  g_byte_array_append (png, (const guint8 *) "\x89PNG\r\n\x1a\n", 8);
  chunk (png, "IHDR", head, sizeof head);
  chunk (png, "IDAT", packed, n);
  chunk (png, "IEND", NULL, 0);
  *size = png->len;
  return g_byte_array_free (png, FALSE);
}

gboolean
gst_vfi_flow_write (const char *path, int width, int height, const float *flow, const float *confidence, GError **error)
{
  gsize size = 0;
  g_autoptr (GError) local = NULL;
  g_autofree guint8 *bytes =
      g_str_has_suffix (path, ".png") ? kitti (width, height, flow, confidence, &size, &local) : flo (width, height, flow, &size);
  if (bytes)
    return g_file_set_contents (path, (const char *) bytes, size, error);
  if (local)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "no memory for %s", path);
  return FALSE;
}
