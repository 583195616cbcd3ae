/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi bench --task inpaint: what it costs to take an object out of a stream, and how that grows with the object.
 *
 * A session does its work in two places: a push looks for motion and follows what is known along it, a pull makes pixels.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <json-glib/json-glib.h>

#define WARM_UP 4
#define SPEED 2 /* pixels a frame of the object, to the left and down; the texture behind it moves the other way */

static const double other_sizes[] = { 1, 5, 20 }; /* per cent of the frame, beside the one asked for */

typedef struct
{
  double percent;    /* of the frame */
  double push, pull; /* seconds of all frames */
} Cost;

/* A rectangle of the frame's shape that goes through the frame and comes in again on the other side. */
static void
draw_object (const VfiFrameInfo *info, double percent, int frame, guint8 *mask)
{
  const double side = sqrt (percent / 100);
  const int w = MAX (1, (int) lrint (info->width * side)), h = MAX (1, (int) lrint (info->height * side));
  const int x0 = info->width * 3 / 4 - SPEED * frame, y0 = info->height / 8 + SPEED * frame;
  memset (mask, 0, (gsize) info->width * (gsize) info->height);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      const int px = ((x0 + x) % info->width + info->width) % info->width, py = (y0 + y) % info->height;
      mask[(gsize) py * info->width + px] = 255;
    }
}

/* Streams the clip with an object of this size; the first frames are not counted. */
static gboolean
measure (const ToolInpaintBench *b, VfiInpaint *session, const ToolClip *clip, VfiFrame *dst, Cost *cost, GError **error)
{
  const gsize size = (gsize) b->info.width * (gsize) b->info.height;
  g_autofree guint8 *data = g_malloc (size);
  const VfiMask mask = { b->info.width, b->info.height, data, b->info.width };
  vfi_inpaint_reset (session);
  for (int i = 0; i < clip->n; i++) {
    VfiFrame frame;
    VfiInpaintStatus status;
    gint64 time[3];
    tool_clip_frame (clip, i, &frame);
    draw_object (&b->info, cost->percent, i, data);
    time[0] = g_get_monotonic_time ();
    if (!vfi_inpaint_push (session, &frame, &mask, error))
      return FALSE;
    time[1] = g_get_monotonic_time ();
    while ((status = vfi_inpaint_pull (session, dst, error)) == VFI_INPAINT_DONE) {
    }
    if (status == VFI_INPAINT_FAILED)
      return FALSE;
    time[2] = g_get_monotonic_time ();
    if (i >= clip->n - b->frames) {
      cost->push += (double) (time[1] - time[0]) / G_USEC_PER_SEC;
      cost->pull += (double) (time[2] - time[1]) / G_USEC_PER_SEC;
    }
  }
  return TRUE;
}

static void
print_stage (const char *name, double seconds, double total, int frames)
{
  printf ("%-34s %8.2f %6.1f%%\n", name, seconds * 1e3 / frames, 100 * seconds / total);
}

static void
print_result (const ToolInpaintBench *b, const VfiInpaintInfo *info, const Cost *costs, guint n)
{
  const double total = costs[0].push + costs[0].pull;
  printf ("%s, %s, %s, %d thread%s; what no frame shows: %s; %dx%d %s, %d frames, lookahead %d\n", info->flow.model, info->flow.backend,
          info->flow.precision, info->flow.threads, info->flow.threads == 1 ? "" : "s", info->model, b->info.width, b->info.height,
          vfi_format_name (b->info.format), b->frames, b->lookahead);
  printf ("an object of %g %% of the frame: %.2f ms a frame, %.1f frames a second\n\n", costs[0].percent, total * 1e3 / b->frames,
          b->frames / total);
  printf ("%-34s %8s %7s\n", "stage", "ms", "share");
  print_stage ("masks, motion, tracing", costs[0].push, total, b->frames);
  print_stage ("drift, filling, painting", costs[0].pull, total, b->frames);
  printf ("\n%-34s %8s\n", "object", "ms");
  for (guint i = 1; i < n; i++)
    printf ("%4g %% of the frame %15s %8.2f\n", costs[i].percent, "", (costs[i].push + costs[i].pull) * 1e3 / b->frames);
  printf ("\nmemory   the session holds %.0f MB\n", (double) info->bytes * 1e-6);
}

static gboolean
write_json (const ToolInpaintBench *b, const VfiInpaintInfo *info, const Cost *costs, guint n, const char *path, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const struct
  {
    const char *name;
    double value;
  } figures[] = {
    { "width", b->info.width },
    { "height", b->info.height },
    { "frames", b->frames },
    { "lookahead", b->lookahead },
    { "object_percent", costs[0].percent },
    { "frame_ms", (costs[0].push + costs[0].pull) * 1e3 / b->frames },
    { "push_ms", costs[0].push * 1e3 / b->frames },
    { "pull_ms", costs[0].pull * 1e3 / b->frames },
    { "session_mb", (double) info->bytes * 1e-6 },
  };
  json_builder_begin_object (builder);
  for (guint i = 0; i < G_N_ELEMENTS (figures); i++) {
    json_builder_set_member_name (builder, figures[i].name);
    json_builder_add_double_value (builder, figures[i].value);
  }
  json_builder_set_member_name (builder, "by_object");
  json_builder_begin_array (builder);
  for (guint i = 1; i < n; i++) {
    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "object_percent");
    json_builder_add_double_value (builder, costs[i].percent);
    json_builder_set_member_name (builder, "frame_ms");
    json_builder_add_double_value (builder, (costs[i].push + costs[i].pull) * 1e3 / b->frames);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  JsonNode *root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  const gboolean good = json_generator_to_file (generator, path, error);
  json_node_unref (root);
  return good;
}

gboolean
tool_bench_inpaint (const ToolInpaintBench *b, GError **error)
{
  enum
  {
    N = 1 + G_N_ELEMENTS (other_sizes)
  };
  Cost costs[N] = { { b->percent } };
  const int n = WARM_UP + b->lookahead + b->frames;
  VfiInpaintInfo info;
  VfiFrame dst;
  for (int i = 1; i < N; i++)
    costs[i].percent = other_sizes[i - 1];

  g_autoptr (ToolClip) clip = b->file ? tool_clip_read (b->file, &b->info, n, error) : tool_clip_new (&b->info, n, error);
  g_autoptr (ToolClip) target = clip ? tool_clip_new (&b->info, 1, error) : NULL;
  if (!target)
    return FALSE;
  if (clip->n < n) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: has %d frames, and %d are wanted", b->file, clip->n, n);
    return FALSE;
  }
  VfiInpaint *session = vfi_inpaint_new (&b->info, &b->options, &(VfiInpaintOptions){ .lookahead = b->lookahead }, error);
  gboolean good = session != NULL;
  tool_clip_frame (target, 0, &dst);
  for (int i = 0; i < N && good; i++)
    good = measure (b, session, clip, &dst, &costs[i], error);
  if (good) {
    vfi_inpaint_get_info (session, &info);
    print_result (b, &info, costs, N);
    good = !b->json || write_json (b, &info, costs, N, b->json, error);
  }
  if (session)
    vfi_inpaint_free (session);
  return good;
}
