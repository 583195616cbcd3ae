/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which muxer and encoders make which kind of file. Quality is constant and high: a frame made with care is not to be
 * smeared by the encoder.
 */
#include <string.h>

#include "container.h"
#include "vfi.h"

#define UGLY "gstreamer1.0-plugins-ugly"
#define GOOD "gstreamer1.0-plugins-good"
#define BASE "gstreamer1.0-plugins-base"
#define BAD "gstreamer1.0-plugins-bad"
#define LIBAV "gstreamer1.0-libav"

static const ToolEncoder h264[] = {
  { "x264enc", "x264enc pass=qual quantizer=18 speed-preset=veryfast ! h264parse", UGLY },
  { "openh264enc", "openh264enc rate-control=quality bitrate=8000000 ! h264parse", BAD },
  { NULL },
};
/* No lag: at the end vp9enc of GStreamer 1.22 loses what libvpx has not given out in one go. */
static const ToolEncoder vpx[] = {
  { "vp9enc", "vp9enc end-usage=cq cq-level=20 target-bitrate=20000000 deadline=1 cpu-used=5 row-mt=true lag-in-frames=0", GOOD },
  { "vp8enc", "vp8enc end-usage=cq cq-level=10 target-bitrate=20000000 deadline=1 cpu-used=4", GOOD },
  { NULL },
};
static const ToolEncoder aac[] = {
  { "avenc_aac", "avenc_aac bitrate=192000 ! aacparse", LIBAV },
  { "voaacenc", "voaacenc bitrate=192000 ! aacparse", BAD },
  { NULL },
};
static const ToolEncoder opus[] = {
  { "opusenc", "opusenc bitrate=160000", BASE },
  { "vorbisenc", "vorbisenc quality=0.6", BASE },
  { NULL },
};

static const ToolEncoder png[] = { { "pngenc", "pngenc", GOOD }, { NULL } };

#define MPEG_AUDIO "audio/mpeg, mpegversion=(int)4; audio/mpeg, mpegversion=(int)1, layer=(int)3; audio/x-ac3"

static const ToolContainer containers[] = {
  { "mp4 m4v", { "mp4mux", "mp4mux", GOOD }, h264, aac, MPEG_AUDIO },
  { "mov",
    { "qtmux", "qtmux", GOOD },
    h264,
    aac,
    MPEG_AUDIO "; audio/x-raw, format=(string){ S16LE, S16BE, S24LE, S24BE, S32LE, S32BE }, layout=interleaved" },
  { "mkv",
    { "matroskamux", "matroskamux", GOOD },
    h264,
    opus,
    "audio/mpeg, mpegversion=(int)4; audio/mpeg, mpegversion=(int)1; audio/x-ac3; audio/x-vorbis; audio/x-opus; audio/x-flac; audio/x-raw, "
    "format=(string){ U8, S16LE, S24LE, S32LE, F32LE, F64LE }, layout=interleaved" },
  { "webm", { "webmmux", "webmmux", GOOD }, vpx, opus, "audio/x-vorbis; audio/x-opus" },
};

static const ToolContainer folder = { NULL, { "identity", "identity", BASE }, png, NULL, "", "%06d.png" };

static gboolean
has_word (const char *words, const char *word)
{
  g_auto (GStrv) list = g_strsplit (words, " ", -1);
  return g_strv_contains ((const char *const *) list, word);
}

const ToolContainer *
tool_container_find (const char *path, GError **error)
{
  const char *dot = strrchr (path, '.');
  g_autofree char *ending = g_ascii_strdown (dot && !strchr (dot, G_DIR_SEPARATOR) ? dot + 1 : "", -1);
  g_autoptr (GString) all = g_string_new (NULL);
  if (g_str_has_suffix (path, G_DIR_SEPARATOR_S) || g_file_test (path, G_FILE_TEST_IS_DIR))
    return &folder;
  for (guint i = 0; i < G_N_ELEMENTS (containers); i++) {
    if (*ending && has_word (containers[i].endings, ending))
      return &containers[i];
    g_string_append_printf (all, "%s%s", i ? " " : "", containers[i].endings);
  }
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: the ending says what is written; it can be one of: %s, or / for a folder of pictures",
               path, all->str);
  return NULL;
}

const ToolEncoder *
tool_encoder_find (const ToolEncoder *list, const char *what, GError **error)
{
  g_autoptr (GString) wanted = g_string_new (NULL);
  for (const ToolEncoder *e = list; e->factory; e++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (e->factory);
    if (factory)
      return e;
    g_string_append_printf (wanted, "%s%s (package %s)", e == list ? "" : " or ", e->factory, e->package);
  }
  g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "no %s: install %s", what, wanted->str);
  return NULL;
}

const char *
tool_audio_parser (const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  int version = 0;
  gst_structure_get_int (s, "mpegversion", &version);
  if (gst_structure_has_name (s, "audio/mpeg"))
    return version == 1 ? "mpegaudioparse" : "aacparse";
  if (gst_structure_has_name (s, "audio/x-ac3"))
    return "ac3parse";
  if (gst_structure_has_name (s, "audio/x-opus"))
    return "opusparse";
  if (gst_structure_has_name (s, "audio/x-flac"))
    return "flacparse";
  if (gst_structure_has_name (s, "audio/x-raw"))
    return "audioconvert";
  return "identity";
}
