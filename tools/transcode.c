/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * uridecodebin ! (deinterlace) ! (videoflip) ! videoconvert ! an element of ours ! encoder ! muxer ! filesink, with sound (and masks) beside it. The file
 * grows under another name in the same folder and is renamed when it is whole.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gstdio.h>
#include <gst/pbutils/pbutils.h>
#include <gst/video/video.h>

#include "tool.h"
#include "transcode.h"

#define QUEUE "queue max-size-buffers=8 max-size-bytes=0 max-size-time=0"
#define OPEN_QUEUE "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0" /* for sound: bounded by the demuxer's interleaving */

typedef struct
{
  ToolTranscode *t;
  GMainLoop *loop;
  GstElement *pipeline, *video, *interp, *mux;
  const ToolEncoder *audio;
  gboolean video_linked;
  ToolProgress progress;
  gint64 position; /* of the input, nanoseconds; written by the streaming thread */
  int status;
  GError *error; /* the first */
} Job;

void
tool_transcode_clear (ToolTranscode *t)
{
  g_free (t->fps);
  g_free (t->mask);
  g_free (t->mask_location);
  tool_frames_clear (&t->frames);
  g_clear_pointer (&t->properties, g_ptr_array_unref);
  g_clear_pointer (&t->stats, gst_structure_free);
}

void
tool_transcode_set (ToolTranscode *t, const char *property, const char *value)
{
  if (!value)
    return;
  if (!t->properties)
    t->properties = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (t->properties, g_strdup (property));
  g_ptr_array_add (t->properties, g_strdup (value));
}

void
tool_transcode_set_session (ToolTranscode *t, const ToolSession *session, const char *flow_scale)
{
  g_autofree char *threads = session->threads ? g_strdup_printf ("%d", session->threads) : NULL;
  g_autofree char *scale = session->flow_scale != 0 ? g_strdup_printf ("%g", session->flow_scale) : NULL;
  const char *const pairs[][2] = { { "model", session->model },         { "weights", session->weights }, { "backend", session->backend },
                                   { "precision", session->precision }, { "threads", threads },          { flow_scale, scale } };
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    tool_transcode_set (t, pairs[i][0], pairs[i][1]);
}

/* The words an enum property takes, or its range, for a message. */
static char *
allowed_values (GParamSpec *spec)
{
  GString *s = g_string_new (NULL);
  if (G_IS_PARAM_SPEC_ENUM (spec)) {
    GEnumClass *e = G_PARAM_SPEC_ENUM (spec)->enum_class;
    for (guint i = 0; i < e->n_values; i++)
      g_string_append_printf (s, "%s%s", i ? ", " : "one of ", e->values[i].value_nick);
  } else if (G_IS_PARAM_SPEC_DOUBLE (spec)) {
    g_string_printf (s, "a number from %g to %g", G_PARAM_SPEC_DOUBLE (spec)->minimum, G_PARAM_SPEC_DOUBLE (spec)->maximum);
  } else if (G_IS_PARAM_SPEC_FLOAT (spec)) {
    g_string_printf (s, "a number from %g to %g", G_PARAM_SPEC_FLOAT (spec)->minimum, G_PARAM_SPEC_FLOAT (spec)->maximum);
  } else if (G_IS_PARAM_SPEC_INT (spec)) {
    g_string_printf (s, "a whole number from %d to %d", G_PARAM_SPEC_INT (spec)->minimum, G_PARAM_SPEC_INT (spec)->maximum);
  } else if (G_IS_PARAM_SPEC_UINT (spec)) {
    g_string_printf (s, "a whole number from %u to %u", G_PARAM_SPEC_UINT (spec)->minimum, G_PARAM_SPEC_UINT (spec)->maximum);
  } else if (GST_IS_PARAM_SPEC_FRACTION (spec)) {
    GstParamSpecFraction *f = GST_PARAM_SPEC_FRACTION (spec);
    g_string_printf (s, "a fraction from %d/%d to %d/%d", f->min_num, f->min_den, f->max_num, f->max_den);
  } else {
    g_string_printf (s, "a %s", g_type_name (spec->value_type));
  }
  return g_string_free (s, FALSE);
}

gboolean
tool_set_property (GstElement *element, const char *name, const char *text, GError **error)
{
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), name);
  if (!spec) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "this %s has no property '%s'",
                 GST_OBJECT_NAME (gst_element_get_factory (element)), name);
    return FALSE;
  }
  g_auto (GValue) value = G_VALUE_INIT;
  g_value_init (&value, spec->value_type);
  gboolean good = spec->value_type == G_TYPE_STRING;
  if (good)
    g_value_set_string (&value, text);
  else
    good = gst_value_deserialize (&value, text) && !g_param_value_validate (spec, &value);
  if (!good) {
    g_autofree char *allowed = allowed_values (spec);
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: '%s' is not %s", name, text, allowed);
    return FALSE;
  }
  g_object_set_property (G_OBJECT (element), name, &value);
  return TRUE;
}

/* From any thread: ends the run with an error. */
static void
fail (Job *job, GError *error)
{
  gst_element_post_message (job->pipeline, gst_message_new_error (GST_OBJECT (job->pipeline), error, NULL));
  g_error_free (error);
}

static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  ToolTranscode *t = ((Job *) data)->t;
  t->on_frame (pad, GST_PAD_PROBE_INFO_BUFFER (info), GST_PAD_IS_SRC (pad), t->on_frame_data);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_input_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Job *job = data;
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  if (!event)
    return GST_PAD_PROBE_OK;
  gst_event_parse_segment (event, &segment);
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  __atomic_store_n (&job->position, (gint64) gst_segment_to_stream_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer)),
                    __ATOMIC_RELAXED);
  gst_event_unref (event);
  return GST_PAD_PROBE_OK;
}

static gboolean
on_tick (gpointer data)
{
  Job *job = data;
  GstClockTime position = (GstClockTime) __atomic_load_n (&job->position, __ATOMIC_RELAXED);
  gboolean known = GST_CLOCK_TIME_IS_VALID (job->t->duration) && job->t->duration > 0;
  g_autofree char *detail = NULL;
  if (!known && GST_CLOCK_TIME_IS_VALID (position))
    detail = g_strdup_printf ("%.1f s of the input done", (double) position / GST_SECOND);
  if (GST_CLOCK_TIME_IS_VALID (position))
    tool_progress_update (&job->progress, known ? (double) position / (double) job->t->duration : -1, detail);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_signal (gpointer data)
{
  Job *job = data;
  job->status = TOOL_INTERRUPTED;
  g_main_loop_quit (job->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Job *job = data;
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_EOS:
      job->status = TOOL_OK;
      g_main_loop_quit (job->loop);
      break;
    case GST_MESSAGE_ERROR: {
      GError *error;
      g_autofree char *debug = NULL;
      gst_message_parse_error (message, &error, &debug);
      if (job->error) {
        g_error_free (error);
      } else {
        /* a bare "Internal data stream error" has its reason in the last line for developers */
        const char *reason = debug ? strstr (debug, "streaming stopped, reason ") : NULL;
        g_propagate_prefixed_error (&job->error, error, "%s: ", GST_OBJECT_NAME (message->src));
        if (reason) {
          const char *hint =
              strstr (reason, "not-negotiated")
                  ? ": it may be that the encoder takes no frames of this size or format; scale them, or name another one with --encoder"
                  : "";
          g_autofree char *text = g_strdup_printf ("%s (%s)%s", job->error->message, reason, hint);
          g_free (g_steal_pointer (&job->error->message));
          job->error->message = g_steal_pointer (&text);
        }
      }
      job->status = TOOL_FAILED;
      g_main_loop_quit (job->loop);
      break;
    }
    default:
      if (gst_is_missing_plugin_message (message)) {
        g_autofree char *what = gst_missing_plugin_message_get_description (message);
        tool_error ("warning: GStreamer lacks %s; that stream is left out", what);
      }
  }
  return G_SOURCE_CONTINUE;
}

/* Adds a chain to the running pipeline and links pad ! chain (! mux). */
static void
attach (Job *job, GstPad *pad, GstElement *chain, gboolean to_mux)
{
  gst_bin_add (GST_BIN (job->pipeline), chain);
  g_autoptr (GstPad) sink = gst_element_get_static_pad (chain, "sink");
  if ((to_mux && !gst_element_link (chain, job->mux)) || !gst_element_sync_state_with_parent (chain) ||
      gst_pad_link (pad, sink) != GST_PAD_LINK_OK)
    fail (job, g_error_new (VFI_ERROR, VFI_ERROR_UNSUPPORTED, "cannot link %s into the output", GST_OBJECT_NAME (pad)));
}

static void
on_pad_added (GstElement *source, GstPad *pad, gpointer data)
{
  Job *job = data;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const char *name = caps ? gst_structure_get_name (gst_caps_get_structure (caps, 0)) : "";

  if (strcmp (name, "video/x-raw") == 0 && !job->video_linked) {
    job->video_linked = TRUE;
    g_autoptr (GstElement) fields = gst_bin_get_by_name (GST_BIN (job->video), "fields");
    const char *order = gst_structure_get_string (gst_caps_get_structure (caps, 0), "field-order");
    if (fields && g_strcmp0 (order, "bottom-field-first") == 0)
      gst_util_set_object_arg (G_OBJECT (fields), "fields", "bottom");
    g_autoptr (GstPad) sink = gst_element_get_static_pad (job->video, "sink");
    if (gst_pad_link (pad, sink) != GST_PAD_LINK_OK)
      fail (job, g_error_new (VFI_ERROR, VFI_ERROR_UNSUPPORTED, "cannot link the video"));
    return;
  }
  if (!job->audio || !g_str_has_prefix (name, "audio/")) {
    GstElement *sink = gst_element_factory_make ("fakesink", NULL);
    g_object_set (sink, "async", FALSE, NULL);
    attach (job, pad, sink, FALSE);
    return;
  }
  g_autofree char *description = NULL;
  g_autoptr (GstCaps) kept = gst_caps_from_string (job->t->container->audio_kept);
  if (strcmp (name, "audio/x-raw") == 0 && !(job->t->is_pcm && gst_caps_can_intersect (caps, kept))) {
    job->t->n_encoded++;
    description = g_strdup_printf ("queue ! audioconvert ! audioresample ! %s ! " OPEN_QUEUE, job->audio->description);
  } else {
    description = g_strdup_printf ("%s ! " OPEN_QUEUE, tool_audio_parser (caps));
  }
  GError *error = NULL;
  GstElement *chain = gst_parse_bin_from_description (description, TRUE, &error);
  if (!chain)
    fail (job, error);
  else
    attach (job, pad, chain, TRUE);
}

/* The chain of masks, and a way for it to the element, which is inside a bin. */
static gboolean
link_mask (Job *job, GError **error)
{
  /* Without the parser's ghost pads: it takes what a decoder is to be linked to later for a way in. */
  GstElement *chain = gst_parse_bin_from_description (job->t->mask, FALSE, error);
  if (!chain)
    return FALSE;
  gst_bin_add (GST_BIN (job->pipeline), chain);
  if (job->t->mask_location) {
    g_autoptr (GstElement) masks = gst_bin_get_by_name (GST_BIN (chain), "masks");
    g_object_set (masks, "location", job->t->mask_location, NULL);
  }
  g_autoptr (GstElement) last = gst_bin_get_by_name (GST_BIN (chain), "last");
  g_autoptr (GstPad) from = gst_element_get_static_pad (last, "src"), to = gst_element_request_pad_simple (job->interp, "mask");
  GstPad *src = gst_ghost_pad_new ("src", from), *sink = to ? gst_ghost_pad_new ("mask", to) : NULL;
  if (gst_element_add_pad (chain, src) && sink && gst_element_add_pad (job->video, sink) && gst_pad_link (src, sink) == GST_PAD_LINK_OK)
    return TRUE;
  g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s does not take these masks", job->t->element);
  return FALSE;
}

static gboolean
build (Job *job, const char *part, GError **error)
{
  ToolTranscode *t = job->t;
  const ToolContainer *c = t->container;
  const ToolEncoder muxers[] = { c ? c->muxer : (ToolEncoder){ NULL }, { NULL } };
  const ToolEncoder *encoder = t->encoder || !c ? NULL : tool_encoder_find (c->video, "video encoder", error);
  if (c && (!(t->encoder || encoder) || !tool_encoder_find (muxers, "muxer", error)))
    return FALSE;
  if (c && c->audio && t->n_audio && !t->drop_audio && !t->slowmo && !(job->audio = tool_encoder_find (c->audio, "audio encoder", error))) {
    g_prefix_error (error, "(--no-audio does without) ");
    return FALSE;
  }
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (t->element);
  if (!factory) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND,
                 "GStreamer does not find %s: run inside 'meson devenv -C build', or install, or set GST_PLUGIN_PATH to the folder "
                 "of libgstvfi.so",
                 t->element);
    return FALSE;
  }

  g_autofree char *description = g_strdup_printf (
      QUEUE " ! %s %s videoconvert n-threads=%u ! %s name=%s ! capsfilter name=rate ! " QUEUE " ! videoconvert n-threads=%u ! %s",
      t->interlaced ? "deinterlace name=fields method=greedyh fields=top !" : "", t->turned ? "videoflip video-direction=auto !" : "",
      g_get_num_processors (), t->element, t->element, g_get_num_processors (),
      !c        ? "identity"
      : encoder ? encoder->description
                : t->encoder);
  job->video = gst_parse_bin_from_description (description, TRUE, error);
  if (!job->video)
    return FALSE;
  /* Of fields, the first of a frame: with the other one deinterlace of GStreamer 1.22 gives two frames the same time. */
  GstElement *source = gst_element_factory_make (t->frames.n ? "decodebin" : "uridecodebin", NULL);
  GstElement *sink = gst_element_factory_make (!c ? "fakesink" : c->pictures ? "multifilesink" : "filesink", NULL);
  job->mux = gst_element_factory_make (c ? c->muxer.factory : "identity", NULL);
  gst_bin_add_many (GST_BIN (job->pipeline), source, job->video, job->mux, sink, NULL);
  job->interp = gst_bin_get_by_name (GST_BIN (job->video), t->element);

  g_autofree char *wanted = g_strconcat ("video/x-raw; audio/x-raw; ", job->audio ? c->audio_kept : "", NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (wanted);
  g_object_set (source, "caps", caps, NULL);
  if (t->frames.n) {
    GstElement *pictures = gst_element_factory_make ("multifilesrc", NULL);
    g_autoptr (GstCaps) kind = gst_caps_new_simple (t->frames.caps, "framerate", GST_TYPE_FRACTION, t->rate_n, t->rate_d, NULL);
    g_object_set (pictures, "location", t->frames.location, "caps", kind, NULL);
    gst_bin_add (GST_BIN (job->pipeline), pictures);
    gst_element_link (pictures, source);
  } else {
    g_autofree char *uri = gst_filename_to_uri (t->in, NULL);
    g_object_set (source, "uri", uri, NULL);
  }
  g_signal_connect (source, "pad-added", G_CALLBACK (on_pad_added), job);
  if (c)
    g_object_set (sink, "location", part, NULL);

  if (t->mask && !link_mask (job, error))
    return FALSE;
  for (guint i = 0; t->properties && i < t->properties->len; i += 2)
    if (!tool_set_property (job->interp, t->properties->pdata[i], t->properties->pdata[i + 1], error))
      return FALSE;
  if (t->fps) {
    g_autofree char *text = g_strdup_printf ("video/x-raw, framerate=(fraction)%s", t->fps);
    g_autoptr (GstCaps) rate = gst_caps_from_string (text);
    g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (job->video), "rate");
    g_object_set (filter, "caps", rate, NULL);
  }
  if (!gst_element_link_many (job->video, job->mux, sink, NULL)) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s does not take what %s makes", GST_OBJECT_NAME (job->mux),
                 encoder      ? encoder->factory
                 : t->encoder ? t->encoder
                              : t->element);
    return FALSE;
  }
  g_autoptr (GstPad) pad = gst_element_get_static_pad (job->interp, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_input_frame, job, NULL);
  if (t->on_frame) {
    g_autoptr (GstPad) src = gst_element_get_static_pad (job->interp, "src");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_frame, job, NULL);
    gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER, on_frame, job, NULL);
  }
  return TRUE;
}

static double
pad_rate (GstElement *element, const char *name)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, name);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  int n = 0, d = 1;
  if (caps)
    gst_structure_get_fraction (gst_caps_get_structure (caps, 0), "framerate", &n, &d);
  return (double) n / d;
}

static void
run (Job *job)
{
  ToolTranscode *t = job->t;
  g_autoptr (GstBus) bus = gst_element_get_bus (job->pipeline);
  guint sources[] = {
    gst_bus_add_watch (bus, on_message, job),
    g_unix_signal_add (SIGINT, on_signal, job),
    g_unix_signal_add (SIGTERM, on_signal, job),
    t->quiet ? 0 : g_timeout_add (100, on_tick, job),
  };
  gst_element_set_state (job->pipeline, GST_STATE_PLAYING); /* a failure comes as a message */
  g_main_loop_run (job->loop);
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    if (sources[i])
      g_source_remove (sources[i]);
  t->fps_in = pad_rate (job->interp, "sink");
  t->fps_out = pad_rate (job->interp, "src");
  g_object_get (job->interp, "stats", &t->stats, NULL);
}

gboolean
tool_transcode_open (ToolTranscode *t, GError **error)
{
  return (!t->container->pictures || tool_folder_make (t->out, error)) && tool_check_paths (t->in, t->out, error) &&
         tool_discover (t->in, t, error);
}

int
tool_transcode (ToolTranscode *t, double *seconds, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (t->out);
  g_autofree char *base = g_path_get_basename (t->out);
  const gboolean whole = t->container && !t->container->pictures; /* a file, which appears when it is done */
  g_autofree char *part = t->container && !whole ? tool_folder_pattern (t->out, t->container->pictures)
                                                 : g_strdup_printf ("%s/.%s.%d.part", dir, base, (int) getpid ());
  Job job = { .t = t, .loop = g_main_loop_new (NULL, FALSE), .pipeline = gst_pipeline_new (NULL), .position = -1, .status = TOOL_FAILED };
  tool_progress_start (&job.progress);

  if (build (&job, part, &job.error))
    run (&job);
  gst_element_set_state (job.pipeline, GST_STATE_NULL);
  *seconds = tool_progress_end (&job.progress);
  if (job.status == TOOL_OK && whole && g_rename (part, t->out) != 0) {
    job.error = g_error_new (G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", t->out, g_strerror (errno));
    job.status = TOOL_FAILED;
  }
  if (job.status != TOOL_OK && whole)
    g_unlink (part);

  g_clear_object (&job.interp);
  gst_object_unref (job.pipeline);
  g_main_loop_unref (job.loop);
  if (job.error)
    g_propagate_error (error, job.error);
  return job.status;
}

void
tool_transcode_tell (const ToolTranscode *t)
{
  if (t->n_audio)
    fprintf (stderr, "audio: %s\n",
             t->slowmo                              ? "left out, slow motion has none"
             : t->container && !t->container->audio ? "left out, pictures have none"
             : t->drop_audio                        ? "left out, as asked"
             : t->n_encoded                         ? "re-encoded"
                                                    : "copied");
  if (t->n_text)
    fprintf (stderr, "subtitles: left out\n");
  if (t->interlaced)
    fprintf (stderr, "the input is interlaced: it was deinterlaced first, one frame for two fields\n");
}
