/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi bench: how fast a network runs here, stage by stage, held against what this machine can do.
 */
#include <string.h>
#include <sys/resource.h>

#include <json-glib/json-glib.h>

#include "bench.h"
#include "clip.h"
#include "tool.h"

#define WARM_UP 3
#define MAX_STAGES 64
#define MIN_FRAMES 8 /* in memory; they are used round and round */

typedef struct
{
  VfiFrameInfo info;
  VfiInterpInfo session;
  double create_ms, resize_ms, frame_ms, profiled_ms;
  double conv_flops, copy_bytes;
  int frames;
  VfiProfile stages[MAX_STAGES];
  int n_stages;
  double peak_mb;
  double ours[2], theirs[2]; /* synthesized frames a second, in the order ours, theirs, ours, theirs; 0: not asked for */
} Result;

/* What is measured: either of two kinds of session. */
typedef struct
{
  VfiInterp *interp;
  VfiFlow *flow;
  VfiFlowField field;
} Subject;

static gboolean
subject_new (Subject *s, gboolean flow, const VfiFrameInfo *info, const VfiOptions *options, GError **error)
{
  *s = (Subject){ 0 };
  if (!flow)
    return (s->interp = vfi_interp_new (info, options, error)) != NULL;
  s->flow = vfi_flow_new (info, options, error);
  if (!s->flow)
    return FALSE;
  const gsize pixels = (gsize) info->width * (gsize) info->height;
  s->field.flow = g_new (float, 3 * pixels);
  s->field.confidence = s->field.flow + 2 * pixels;
  return TRUE;
}

static void
subject_clear (Subject *s)
{
  g_clear_pointer (&s->interp, vfi_interp_free);
  g_clear_pointer (&s->flow, vfi_flow_free);
  g_clear_pointer (&s->field.flow, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Subject, subject_clear)

static gboolean
subject_set_info (Subject *s, const VfiFrameInfo *info, GError **error)
{
  return s->flow ? vfi_flow_set_info (s->flow, info, error) : vfi_interp_set_info (s->interp, info, error);
}

static void
subject_profile (Subject *s, gboolean enable)
{
  if (s->flow)
    vfi_flow_set_profile (s->flow, enable);
  else
    vfi_interp_set_profile (s->interp, enable);
}

static gboolean
is_convolution (const VfiProfile *p)
{
  return g_str_has_prefix (p->name, "conv");
}

static double
seconds_since (gint64 start)
{
  return (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
}

/* Synthesizes the middle of n successive pairs, as a stream that is not live does: into two frames by turns, each pair knowing the one before; or works out their flow, forward.
 * Returns the seconds it took, or a negative number. */
static double
stream (Subject *s, const ToolClip *clip, int n, const ToolClip *target, GError **error)
{
  VfiInterp *interp = s->interp;
  if (s->flow)
    vfi_flow_reset (s->flow);
  else
    vfi_interp_reset (interp);
  gint64 start = g_get_monotonic_time ();
  for (int i = 0; i < n; i++) {
    VfiFrame before, a, b, dst;
    tool_clip_frame (clip, (i + clip->n - 1) % clip->n, &before);
    tool_clip_frame (clip, i % clip->n, &a);
    tool_clip_frame (clip, (i + 1) % clip->n, &b);
    tool_clip_frame (target, i % 2, &dst);
    if (s->flow) {
      if (!vfi_flow_run (s->flow, &a, &b, &s->field, NULL, error))
        return -1;
      continue;
    }
    if (!vfi_interp_set_pair (interp, &a, &b, error) || !vfi_interp_set_neighbours (interp, i ? &before : NULL, 1, NULL, 0, error) ||
        !vfi_interp_start (interp, 0.5, &dst, error) || (i > 0 && !vfi_interp_finish (interp, error)))
      return -1;
  }
  return s->flow || vfi_interp_finish (interp, error) ? seconds_since (start) : -1;
}

static int
by_seconds (gconstpointer a, gconstpointer b)
{
  double d = ((const VfiProfile *) b)->seconds - ((const VfiProfile *) a)->seconds;
  return d > 0 ? 1 : d < 0 ? -1 : 0;
}

/* Time of a new plan: to another size and back. */
static gboolean
measure_resize (Subject *s, Result *r, GError **error)
{
  VfiFrameInfo other = r->info;
  other.width = MAX (16, other.width / 2);
  if (!subject_set_info (s, &other, error))
    return FALSE;
  gint64 start = g_get_monotonic_time ();
  gboolean good = subject_set_info (s, &r->info, error);
  r->resize_ms = seconds_since (start) * 1e3;
  return good;
}

static gboolean
measure (Subject *s, const ToolClip *clip, const VfiOptions *options, gboolean versus, Result *r, GError **error)
{
  g_autoptr (ToolClip) target = tool_clip_new (&r->info, 2, error);
  if (!target)
    return FALSE;

  double seconds;
  if (stream (s, clip, WARM_UP, target, error) < 0 || (seconds = stream (s, clip, r->frames, target, error)) < 0)
    return FALSE;
  r->frame_ms = seconds * 1e3 / r->frames;

  subject_profile (s, TRUE);
  if ((seconds = stream (s, clip, r->frames, target, error)) < 0)
    return FALSE;
  r->profiled_ms = seconds * 1e3 / r->frames;
  r->n_stages = MIN (MAX_STAGES, s->flow ? vfi_flow_get_profile (s->flow, r->stages, MAX_STAGES)
                                         : vfi_interp_get_profile (s->interp, r->stages, MAX_STAGES));
  subject_profile (s, FALSE);
  qsort (r->stages, (gsize) r->n_stages, sizeof r->stages[0], by_seconds);

  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  r->peak_mb = (double) usage.ru_maxrss * 1024e-6 - (double) (clip->frame_bytes * (gsize) clip->n) * 1e-6;
  if (!measure_resize (s, r, error)) /* for a moment there are two plans: after the peak */
    return FALSE;

  for (int i = 0; versus && i < 2; i++) {
    int n;
    if ((seconds = stream (s, clip, clip->n - 1, target, error)) < 0)
      return FALSE;
    r->ours[i] = (clip->n - 1) / seconds;
    if (!tool_minterpolate (clip, &seconds, &n, error))
      return FALSE;
    r->theirs[i] = n / seconds;
  }
  return vfi_machine_rates (options, 1.0, &r->conv_flops, &r->copy_bytes, error);
}

static void
print_result (const Result *r)
{
  printf ("%s, %s, %s, %d thread%s; %dx%d %s, %d frames\n", r->session.model, r->session.backend, r->session.precision, r->session.threads,
          r->session.threads == 1 ? "" : "s", r->info.width, r->info.height, vfi_format_name (r->info.format), r->frames);
  printf ("%.2f ms a frame, %.1f frames a second\n\n", r->frame_ms, 1e3 / r->frame_ms);
  printf ("%-16s %8s %8s %6s  %9s %7s  %8s %7s\n", "stage", "calls", "ms", "share", "GFLOP/s", "of best", "GB/s", "of copy");

  /* All that is not a convolution counts, what lies between the stages and the clock itself included. */
  const double total = r->profiled_ms * 1e-3 * r->frames;
  double rest = total, conv = 0, conv_flop = 0;
  for (int i = 0; i < r->n_stages; i++) {
    rest -= r->stages[i].seconds;
    if (is_convolution (&r->stages[i])) {
      conv += r->stages[i].seconds;
      conv_flop += r->stages[i].flop;
    }
  }
  for (int i = 0; i < r->n_stages; i++) {
    const VfiProfile *p = &r->stages[i];
    printf ("%-16s %8.1f %8.3f %5.1f%%", p->name, (double) p->calls / r->frames, p->seconds * 1e3 / r->frames, 100 * p->seconds / total);
    if (p->flop > 0)
      printf ("  %9.1f %6.1f%%", p->flop / p->seconds * 1e-9, 100 * p->flop / p->seconds / r->conv_flops);
    else
      printf ("  %9s %7s", "", "");
    printf ("  %8.2f %6.1f%%\n", p->bytes / p->seconds * 1e-9, 100 * p->bytes / p->seconds / r->copy_bytes);
  }
  printf ("%-16s %8s %8.3f %5.1f%%\n", "between stages", "", rest * 1e3 / r->frames, 100 * rest / total);
  printf ("%-16s %8s %8.3f\n\n", "all", "", r->profiled_ms);
  if (conv > 0)
    printf ("convolutions     %.2f GFLOP a frame at %.1f GFLOP/s, %.0f%% of this machine's best; all else takes %.0f%% of the time\n",
            conv_flop * 1e-9 / r->frames, conv_flop / conv * 1e-9, 100 * conv_flop / conv / r->conv_flops, 100 * (1 - conv / total));
  printf ("this machine     %.1f GFLOP/s in convolutions of this precision, %.2f GB/s copied (read and written)\n", r->conv_flops * 1e-9,
          r->copy_bytes * 1e-9);
  printf ("a new session    %.1f ms; a new size in it %.1f ms\n", r->create_ms, r->resize_ms);
  printf ("memory           %.0f MB resident at the peak without the test's own frames; the session holds %.0f MB\n", r->peak_mb,
          (double) r->session.bytes * 1e-6);
  if (r->theirs[0] > 0) {
    printf ("\nsynthesized frames a second, one after the other in this run:\n");
    for (int i = 0; i < 2; i++)
      printf ("  vfi %.1f, FFmpeg minterpolate (mi_mode=mci) %.2f\n", r->ours[i], r->theirs[i]);
    printf ("  ratio %.1f\n", (r->ours[0] + r->ours[1]) / (r->theirs[0] + r->theirs[1]));
  }
}

static void
add_double (JsonBuilder *b, const char *name, double value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_double_value (b, value);
}

static void
add_string (JsonBuilder *b, const char *name, const char *value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_string_value (b, value);
}

static gboolean
write_json (const Result *r, const char *path, GError **error)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();
  json_builder_begin_object (b);
  add_string (b, "model", r->session.model);
  add_string (b, "backend", r->session.backend);
  add_string (b, "precision", r->session.precision);
  add_string (b, "format", vfi_format_name (r->info.format));
  add_double (b, "width", r->info.width);
  add_double (b, "height", r->info.height);
  add_double (b, "threads", r->session.threads);
  add_double (b, "frames", r->frames);
  add_double (b, "frame_ms", r->frame_ms);
  add_double (b, "frames_per_second", 1e3 / r->frame_ms);
  add_double (b, "profiled_frame_ms", r->profiled_ms);
  add_double (b, "create_ms", r->create_ms);
  add_double (b, "resize_ms", r->resize_ms);
  add_double (b, "peak_mb", r->peak_mb);
  add_double (b, "session_mb", (double) r->session.bytes * 1e-6);
  add_double (b, "machine_conv_gflops", r->conv_flops * 1e-9);
  add_double (b, "machine_copy_gbytes", r->copy_bytes * 1e-9);
  json_builder_set_member_name (b, "stages");
  json_builder_begin_array (b);
  for (int i = 0; i < r->n_stages; i++) {
    const VfiProfile *p = &r->stages[i];
    json_builder_begin_object (b);
    add_string (b, "name", p->name);
    add_double (b, "calls_per_frame", (double) p->calls / r->frames);
    add_double (b, "ms_per_frame", p->seconds * 1e3 / r->frames);
    add_double (b, "gflop_per_frame", p->flop * 1e-9 / r->frames);
    add_double (b, "mbytes_per_frame", p->bytes * 1e-6 / r->frames);
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
  if (r->theirs[0] > 0) {
    add_double (b, "versus_vfi", (r->ours[0] + r->ours[1]) / 2);
    add_double (b, "versus_minterpolate", (r->theirs[0] + r->theirs[1]) / 2);
  }
  json_builder_end_object (b);
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  JsonNode *root = json_builder_get_root (b);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  gboolean good = json_generator_to_file (generator, path, error);
  json_node_unref (root);
  return good;
}

int
tool_bench (int argc, char **argv)
{
  g_autofree char *task = NULL, *size = NULL, *format = NULL, *json = NULL, *file = NULL;
  gboolean versus = FALSE;
  g_auto (ToolSession) session = { 0 };
  Result r = { .frames = 60 };
  ToolInpaintBench inpaint = { .percent = 5 };
  const GOptionEntry entries[] = {
    { "task", 0, 0, G_OPTION_ARG_STRING, &task, "interp (default), flow or inpaint", "WORD" },
    { "size", 0, 0, G_OPTION_ARG_STRING, &size, "of the frames (default: 1280x720; flow: 640x480; inpaint: 640x360)", "WxH" },
    { "format", 0, 0, G_OPTION_ARG_STRING, &format, "pixel format, as GStreamer names it (default: I420)", "NAME" },
    { "frames", 0, 0, G_OPTION_ARG_INT, &r.frames, "synthesized (flow: pairs) in a measurement (default: 60)", "N" },
    { "clip", 0, 0, G_OPTION_ARG_FILENAME, &file, "frames of this video (needs ffmpeg) instead of a moving texture", "FILE" },
    { "vs-minterpolate", 0, 0, G_OPTION_ARG_NONE, &versus, "compare with FFmpeg's minterpolate, by turns, on the same frames", NULL },
    { "object", 0, 0, G_OPTION_ARG_DOUBLE, &inpaint.percent, "inpaint: the object's size, in per cent of the frame (default: 5)", "X" },
    { "lookahead", 0, 0, G_OPTION_ARG_INT, &inpaint.lookahead, "inpaint: frames that are waited for (default: 0)", "N" },
    { "json", 0, 0, G_OPTION_ARG_FILENAME, &json, "write the figures there, too", "FILE" },
    { NULL },
  };
  if (!tool_parse (NULL,
                   "Synthesizes the middle of successive frames, as 'vfiinterp' does when it doubles a frame rate; or, with\n"
                   "--task flow, works out their flow forward, as 'vfiflow' does; or, with --task inpaint, takes an object that\n"
                   "moves out of each frame, as 'vfiinpaint' does.",
                   entries, &session, NULL, &argc, &argv))
    return TOOL_USAGE;
  if (argc > 1)
    return tool_usage ("'%s' is too much: this command takes options only", argv[1]);

  g_autoptr (GError) error = NULL;
  VfiOptions options;
  int f = vfi_format_from_name (format ? format : "I420");
  const gboolean inpainting = g_strcmp0 (task, "inpaint") == 0, flow = g_strcmp0 (task, "flow") == 0;
  if (!tool_session_options (&session, &options, &error))
    return tool_usage ("%s", error->message);
  if (task && !inpainting && !flow && strcmp (task, "interp") != 0)
    return tool_usage ("--task: '%s' is none of interp, flow, inpaint", task);
  if (!tool_parse_size (size ? size : inpainting ? "640x360" : flow ? "640x480" : "1280x720", &r.info.width, &r.info.height))
    return tool_usage ("--size: '%s' is not a size such as 1280x720", size);
  if (f < 0)
    return tool_usage ("--format: '%s' is not a format of vfiinterp ('gst-inspect-1.0 vfiinterp' lists them)", format);
  if (r.frames < 1)
    return tool_usage ("--frames: at least one");
  if ((versus || file) && f != VFI_FORMAT_I420)
    return tool_usage ("--vs-minterpolate and --clip work on I420");
  if (versus && (inpainting || flow))
    return tool_usage ("--vs-minterpolate is for interpolation");
  r.info.format = (VfiFormat) f;

  if (inpainting) {
    if (inpaint.percent <= 0 || inpaint.percent > 100)
      return tool_usage ("--object: more than 0 and at most 100 per cent");
    inpaint = (ToolInpaintBench){ r.info, options, r.frames, inpaint.lookahead, inpaint.percent, file, json };
    if (!tool_bench_inpaint (&inpaint, &error))
      tool_error ("%s", error->message);
    return error ? TOOL_FAILED : TOOL_OK;
  }

  int n = versus ? MAX (r.frames + 1, MIN_FRAMES) : MIN_FRAMES;
  gint64 start = g_get_monotonic_time ();
  g_auto (Subject) s = { 0 };
  gboolean good = subject_new (&s, flow, &r.info, &options, &error);
  r.create_ms = seconds_since (start) * 1e3;
  g_autoptr (ToolClip) clip = !good ? NULL : file ? tool_clip_read (file, &r.info, n, &error) : tool_clip_new (&r.info, n, &error);
  good = clip && measure (&s, clip, &options, versus, &r, &error);
  if (good) {
    if (flow)
      vfi_flow_get_info (s.flow, &r.session);
    else
      vfi_interp_get_info (s.interp, &r.session);
    print_result (&r);
    good = !json || write_json (&r, json, &error);
  }
  if (!good)
    tool_error ("%s", error->message);
  return good ? TOOL_OK : TOOL_FAILED;
}
