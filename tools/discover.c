/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an input is.
 */
#include <string.h>

#include <gst/pbutils/pbutils.h>

#include "transcode.h"

/* Whether frames are to be turned or mirrored before they are seen, as those of a camera that was held upright. */
static gboolean
is_turned (GstDiscovererStreamInfo *info)
{
  const GstTagList *tags = gst_discoverer_stream_info_get_tags (info);
  g_autofree char *orientation = NULL;

  return tags && gst_tag_list_get_string (tags, GST_TAG_IMAGE_ORIENTATION, &orientation) && strcmp (orientation, "rotate-0") != 0;
}

static gboolean
is_pcm (GstDiscovererStreamInfo *info)
{
  g_autoptr (GstCaps) caps = gst_discoverer_stream_info_get_caps (info);

  return caps && gst_caps_get_size (caps) > 0 && gst_structure_has_name (gst_caps_get_structure (caps, 0), "audio/x-raw");
}

static gboolean
discover_folder (const char *path, ToolTranscode *t, GError **error)
{
  g_autofree char *rate = NULL;
  GValue fraction = G_VALUE_INIT;

  if (!tool_parse_rate ("in-fps", t->in_fps ? t->in_fps : "25", &rate, error) || !tool_frames_open (&t->frames, path, error))
    return FALSE;
  g_value_init (&fraction, GST_TYPE_FRACTION);
  gst_value_deserialize (&fraction, rate);
  t->rate_n = gst_value_get_fraction_numerator (&fraction);
  t->rate_d = gst_value_get_fraction_denominator (&fraction);
  t->duration = gst_util_uint64_scale (t->frames.n, GST_SECOND * t->rate_d, t->rate_n);
  return TRUE;
}

gboolean
tool_discover (const char *path, ToolTranscode *t, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return discover_folder (path, t, error);
  if (t->in_fps) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: --in-fps is for a folder of pictures, and this is none", path);
    return FALSE;
  }
  g_autofree char *uri = gst_filename_to_uri (path, error);
  if (!uri)
    return FALSE;
  g_autoptr (GstDiscoverer) discoverer = gst_discoverer_new (60 * GST_SECOND, error);
  if (!discoverer)
    return FALSE;
  g_autoptr (GError) local = NULL;
  g_autoptr (GstDiscovererInfo) info = gst_discoverer_discover_uri (discoverer, uri, &local);
  GList *video = info ? gst_discoverer_info_get_video_streams (info) : NULL;
  GList *audio = info ? gst_discoverer_info_get_audio_streams (info) : NULL;
  GList *text = info ? gst_discoverer_info_get_subtitle_streams (info) : NULL;
  gboolean missing = info && gst_discoverer_info_get_result (info) == GST_DISCOVERER_MISSING_PLUGINS;

  if (video) {
    GstDiscovererVideoInfo *v = video->data;
    t->interlaced = gst_discoverer_video_info_is_interlaced (v);
    t->turned = is_turned (video->data);
    t->duration = gst_discoverer_info_get_duration (info);
    t->n_audio = g_list_length (audio);
    t->is_pcm = TRUE;
    for (GList *l = audio; l; l = l->next)
      t->is_pcm &= is_pcm (l->data);
    t->n_text = g_list_length (text);
    t->rate_n = (int) gst_discoverer_video_info_get_framerate_num (v);
    t->rate_d = (int) gst_discoverer_video_info_get_framerate_denom (v);
    t->is_picture = gst_discoverer_video_info_is_image (v);
  }
  if (missing) {
    const char **details = gst_discoverer_info_get_missing_elements_installer_details (info);
    g_autoptr (GString) what = g_string_new (NULL);
    for (int i = 0; details && details[i]; i++) {
      g_auto (GStrv) words = g_strsplit (details[i], "|", 5); /* gstreamer|1.0|program|description|caps */
      g_string_append_printf (what, "%s%s", i ? ", " : "", g_strv_length (words) > 3 ? words[3] : details[i]);
    }
    g_set_error (
        error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
        "%s: GStreamer lacks %s; the packages gstreamer1.0-libav, -plugins-good, -plugins-bad and -plugins-ugly hold most decoders", path,
        what->str);
  } else if (local) {
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "%s: ", path);
  } else if (!video) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: no video in this file", path);
  }
  gboolean good = video && !missing && !(error && *error);
  gst_discoverer_stream_info_list_free (video);
  gst_discoverer_stream_info_list_free (audio);
  gst_discoverer_stream_info_list_free (text);
  return good;
}
