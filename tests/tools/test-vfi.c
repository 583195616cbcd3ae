/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The vfi program as its users run it: words, errors, files. VFI_PROGRAM is its path.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <json-glib/json-glib.h>

#include "picture.h"

static char *folder; /* everything is written below it */

static char *
file (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

typedef struct
{
  int status;
  char *out, *err;
} Run;

static void
run_clear (Run *r)
{
  g_free (r->out);
  g_free (r->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

/* Runs vfi in `folder` with words separated by single spaces. */
static Run
vfi (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *line = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *all = g_strconcat (g_getenv ("VFI_PROGRAM"), *line ? " " : "", line, NULL);
  g_auto (GStrv) argv = g_strsplit (all, " ", -1);
  g_autoptr (GError) error = NULL;
  Run r;
  g_spawn_sync (folder, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &r.out, &r.err, &r.status, &error);
  g_assert_no_error (error);
  g_test_message ("vfi %s\n%s%s", line, r.out, r.err);
  r.status = WIFEXITED (r.status) ? WEXITSTATUS (r.status) : -1;
  return r;
}

static void
assert_contains (const char *text, const char *part)
{
  if (!strstr (text, part))
    g_error ("'%s' is not in: %s", part, text);
}

/* ---- words -------------------------------------------------------------------------------------- */

static void
test_words (void)
{
  g_auto (Run) help = vfi ("--help"), version = vfi ("--version"), none = vfi (""), about = vfi ("help interp");
  g_assert_cmpint (help.status, ==, 0);
  assert_contains (help.out, "interp");
  g_assert_cmpint (version.status, ==, 0);
  assert_contains (version.out, VFI_VERSION);
  g_assert_cmpint (none.status, ==, 2);
  g_assert_cmpint (about.status, ==, 0);
  assert_contains (about.out, "--slowmo");
}

static void
test_errors (void)
{
  static const struct
  {
    const char *line;
    int status;
    const char *says;
  } cases[] = {
    { "intrep a b", 2, "interp, flow, inpaint, eval, models, bench" },
    { "interp", 2, "got 0 arguments" },
    { "interp a.mp4", 2, "got 1 argument" },
    { "interp --nonsense a b", 2, "--nonsense" },
    { "interp nowhere.mp4 b.mp4", 1, "nowhere.mp4: No such file" },
    { "interp text.mp4 b.avi", 2, "mp4 m4v mov mkv webm" },
    { "interp text.mp4 nowhere/b.mp4", 1, "nowhere: cannot write there" },
    { "interp text.mp4 text.mp4", 1, "same file" },
    { "interp text.mp4 b.mp4", 1, "text.mp4: " },
    { "interp text.mp4 b.mp4 --fps 0", 2, "--fps: '0'" },
    { "interp text.mp4 b.mp4 --fps 60/x", 2, "--fps: '60/x'" },
    { "interp text.mp4 b.mp4 --fps 60 --slowmo 2", 2, "choose one" },
    { "eval", 2, "the task, which can be interp" },
    { "eval interp", 2, "one folder" },
    { "eval flow", 2, "one folder" },
    { "eval inpaint", 2, "one folder" },
    { "eval inpaint nowhere", 1, "nowhere" },
    { "eval inpaint empty", 1, "no folder NAME/frames" },
    { "eval inpaint flat --kinds moving,round", 2, "'round' is none of stationary, moving, object, random" },
    { "eval inpaint flat --methods magic", 2, "'magic' is none of ours, causal, last" },
    { "eval inpaint flat --size small", 2, "'small'" },
    { "eval inpaint flat --object --kinds moving", 2, "choose one" },
    { "eval inpaint walls --lookahead 100 --methods ours", 1, "lookahead" },
    { "eval flow nowhere", 1, "nowhere" },
    { "eval flow empty", 1, "no NAME-gt.flo" },
    { "eval flow empty --model vfi-nano", 1, "no NAME-gt.flo" },
    { "flow a.mp4", 2, "got 1 argument" },
    { "flow nowhere.mp4 b.mp4", 1, "nowhere.mp4: is no file" },
    { "flow text.mp4 b.avi", 2, "mp4 m4v mov mkv webm" },
    { "flow text.mp4 b.mp4 --png", 2, "--png is for a folder" },
    { "flow in.mp4 flow --model vfi-nano", 1, "vfi-nano is a network for interpolation, not for flow" },
    { "flow in.mp4 b.mp4 --output words", 1, "color, arrows, magnitude, warp-error" },
    { "inpaint a.mp4", 2, "got 1 argument" },
    { "inpaint in.mp4 b.mp4", 2, "one of --mask and --rects" },
    { "inpaint in.mp4 b.mp4 --mask text.mp4 --rects 1,1,9,9", 2, "one of --mask and --rects" },
    { "inpaint in.mp4 b.avi --rects 1,1,9,9", 2, "mp4 m4v mov mkv webm" },
    { "inpaint in.mp4 in.mp4 --rects 1,1,9,9", 1, "same file" },
    { "inpaint in.mp4 b.mp4 --mask nowhere.png", 1, "nowhere.png: is no file" },
    { "inpaint in.mp4 b.mp4 --mask text.mp4", 1, "text.mp4: " },
    { "inpaint in.mp4 b.mp4 --mask empty", 1, "no pictures in this folder" },
    { "inpaint in.mp4 b.mp4 --rects 1,1,9,9 --dilate 400", 1, "0 to 128" },
    { "eval interp nowhere", 1, "nowhere" },
    { "eval interp empty", 1, "no folder with three pictures" },
    { "eval interp flat --multiplier 1", 2, "--multiplier is 1" },
    { "eval interp flat --multiplier 3", 1, "more than 3 pictures" },
    { "eval interp flat --backend abacus", 2, "auto, cpu, cuda" },
    { "eval interp flat --model nobody", 1, "vfi-nano" },
    { "eval interp flat --weights text.mp4", 1, "text.mp4" },
    { "models x", 2, "'x'" },
    { "bench --size big", 2, "'big'" },
    { "bench --format XYZ", 2, "'XYZ'" },
    { "bench --precision half", 2, "auto, fp32, bf16, fp16" },
    { "bench --size 8x8", 1, "16" },
    { "bench --task paint", 2, "interp, flow, inpaint" },
    { "bench --task flow --vs-minterpolate", 2, "for interpolation" },
    { "bench --task inpaint --object 101", 2, "at most 100" },
    { "bench --task inpaint --vs-minterpolate", 2, "for interpolation" },
    { "bench --task inpaint --lookahead 65", 1, "lookahead" },
    { "sheet a", 2, "got 1 argument" },
    { "sheet nowhere.mp4 b.png", 1, "nowhere.mp4" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Run) r = vfi (cases[i].line);
    g_assert_cmpint (r.status, ==, cases[i].status);
    g_assert_cmpstr (r.out, ==, "");
    assert_contains (r.err, cases[i].says);
  }
}

static void
test_models (void)
{
  g_auto (Run) r = vfi ("models");
  g_assert_cmpint (r.status, ==, 0);
  assert_contains (r.out, "vfi-nano: interpolation");
  assert_contains (r.out, "vfi-nano.safetensors");
  /* All that there is to know of a published one. */
  assert_contains (r.out, "sepconv: interpolation, SepConv\n");
  assert_contains (r.out, "times       t = 1/2; others by halving\n");
  assert_contains (r.out, "parameters  21.675 million\n");
  assert_contains (r.out, "1753.5 GFLOP for a frame of 1920x1080"); /* the authors' code: 2 x (842 + 32.4) GMAC */
  assert_contains (r.out, "ICCV 2017\n");
  assert_contains (r.out, "checkpoint  of sniklaus/sepconv-slomo, academic use only\n");
  assert_contains (r.out, "convert     tools/convert.py CHECKPOINT sepconv.safetensors --model sepconv\n");
}

/* ---- eval --------------------------------------------------------------------------------------- */

/* A triplet of flat pictures. */
static void
make_triplet (const char *name, int first, int truth, int last)
{
  const int values[] = { first, truth, last };
  g_autofree char *dir = file (name);
  g_mkdir_with_parents (dir, 0700);
  for (int i = 0; i < 3; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (ToolPicture) p = tool_picture_new (40, 24);
    g_autofree char *path = g_strdup_printf ("%s/%d.png", dir, i);
    memset (p->data, values[i], 40 * 24 * 3);
    tool_picture_write_png (p, path, &error);
    g_assert_no_error (error);
  }
}

/* Of a flat grey against another: everything follows from the two values. */
static void
assert_flat_scores (const char *row, double truth, double made)
{
  double psnr, ssim, ie, a = truth / 255, b = made / 255;
  g_auto (GStrv) words = g_strsplit (row, ",", 5);
  g_assert_cmpint (g_strv_length (words), ==, 5);
  psnr = g_ascii_strtod (words[2], NULL);
  ssim = g_ascii_strtod (words[3], NULL);
  ie = g_ascii_strtod (words[4], NULL);
  g_assert_cmpfloat_with_epsilon (ie, fabs (truth - made), 1e-6);
  g_assert_cmpfloat_with_epsilon (ssim, (2 * a * b + 1e-4) / (a * a + b * b + 1e-4), 1e-8);
  if (truth == made)
    g_assert_true (isinf (psnr));
  else
    g_assert_cmpfloat_with_epsilon (psnr, -20 * log10 (fabs (a - b)), 1e-6);
}

/* What a network makes of two equal flat frames is known, whatever its weights. */
static void
test_eval (void)
{
  make_triplet ("flat/one/x", 100, 110, 100);
  make_triplet ("flat/one/y", 200, 200, 200);
  make_triplet ("flat/two, quoted/z", 30, 20, 30);
  g_auto (Run) r = vfi ("eval interp flat --baseline --csv flat.csv --html flat.html");
  g_assert_cmpint (r.status, ==, 0);
  assert_contains (r.out, "mean of 2");
  assert_contains (r.out, "mean of 3");
  assert_contains (r.out, "two-frame average");

  g_autofree char *csv = file ("flat.csv"), *text = NULL;
  g_assert_true (g_file_get_contents (csv, &text, NULL, NULL));
  g_auto (GStrv) rows = g_strsplit (text, "\n", -1);
  g_assert_cmpint (g_strv_length (rows), ==, 5); /* the last is empty */
  g_assert_cmpstr (rows[0], ==, "set,name,psnr,ssim,ie");
  g_assert_true (g_str_has_prefix (rows[1], "one,x,"));
  assert_flat_scores (rows[1], 110, 100);
  assert_flat_scores (rows[2], 200, 200);
  g_assert_true (g_str_has_prefix (rows[3], "\"two, quoted\",z,"));
  assert_flat_scores (strchr (rows[3], ' '), 20, 30 * 1.0);

  g_autofree char *html = file ("flat.html"), *page = NULL, *picture = file ("flat_files/0002-difference.png");
  g_assert_true (g_file_get_contents (html, &page, NULL, NULL));
  assert_contains (page, "flat_files/0002-difference.png");
  g_autoptr (ToolPicture) difference = tool_picture_read (picture, NULL);
  g_assert_nonnull (difference);
  g_assert_cmpint (difference->data[0], ==, 40); /* four times ten */
}

/* Every third of seven pictures is given, the four between are made. */
static void
test_eval_sequence (void)
{
  static const char *const names[] = { "1.png", "2.png", "4.png", "5.png" };
  g_autofree char *dir = file ("sequence/s"), *csv = file ("sequence.csv"), *text = NULL;
  g_assert_cmpint (g_mkdir_with_parents (dir, 0755), ==, 0);
  for (int i = 0; i < 7; i++) {
    g_autofree char *name = g_strdup_printf ("%d.png", i), *path = g_build_filename (dir, name, NULL);
    g_autoptr (ToolPicture) p = tool_picture_new (64, 48);
    memset (p->data, i % 3 ? 90 + i : 100, 64 * 48 * 3);
    g_assert_true (tool_picture_write_png (p, path, NULL));
  }
  g_auto (Run) r = vfi ("eval interp sequence --multiplier 3 --csv sequence.csv");
  g_assert_cmpint (r.status, ==, 0);
  g_assert_true (g_file_get_contents (csv, &text, NULL, NULL));
  g_auto (GStrv) rows = g_strsplit (text, "\n", -1);
  g_assert_cmpint (g_strv_length (rows), ==, 6);
  for (int i = 0; i < 4; i++) {
    g_autofree char *start = g_strdup_printf ("s,%s,", names[i]);
    g_assert_true (g_str_has_prefix (rows[1 + i], start));
    assert_flat_scores (rows[1 + i], 90 + names[i][0] - '0', 100);
  }
}

/* ---- what a file holds -------------------------------------------------------------------------- */

typedef struct
{
  int frames, audio_streams, width, height;
  const char *format;           /* static */
  gboolean turned;              /* it says that its frames are to be turned before they are seen */
  double last_frame, audio_end; /* seconds */
} Content;

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Content *c = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  gst_event_parse_segment (event, &segment);
  double start = (double) gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer)) / GST_SECOND;
  gst_event_unref (event);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  if (gst_structure_has_name (structure, "video/x-raw")) {
    g_autofree char *orientation = NULL;
    GstTagList *tags = NULL;
    GstEvent *tag;
    for (guint i = 0; (tag = gst_pad_get_sticky_event (pad, GST_EVENT_TAG, i)) && !orientation; i++) {
      gst_event_parse_tag (tag, &tags);
      gst_tag_list_get_string (tags, GST_TAG_IMAGE_ORIENTATION, &orientation);
      gst_event_unref (tag);
    }
    c->turned = orientation && !g_str_equal (orientation, "rotate-0");
    c->format = g_intern_string (gst_structure_get_string (structure, "format"));
    gst_structure_get (structure, "width", G_TYPE_INT, &c->width, "height", G_TYPE_INT, &c->height, NULL);
    c->frames++;
    c->last_frame = start;
  } else {
    c->audio_end = start + (double) GST_BUFFER_DURATION (buffer) / GST_SECOND;
  }
  return GST_PAD_PROBE_OK;
}

static void
on_pad (GstElement *source, GstPad *pad, gpointer data)
{
  Content *c = data;
  GstElement *bin = GST_ELEMENT (gst_element_get_parent (source)), *sink = gst_element_factory_make ("fakesink", NULL);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  c->audio_streams += gst_structure_has_name (gst_caps_get_structure (caps, 0), "audio/x-raw");
  gst_bin_add (GST_BIN (bin), sink);
  gst_element_sync_state_with_parent (sink);
  g_autoptr (GstPad) target = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (target, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, c, NULL);
  gst_pad_link (pad, target);
  gst_object_unref (bin);
}

static void
play (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;
    gst_message_parse_error (message, &error, NULL);
    g_assert_no_error (error);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* What is in a file, by decoding it. */
static Content
look (const char *name)
{
  Content c = { 0 };
  g_autofree char *path = file (name), *uri = gst_filename_to_uri (path, NULL);
  GstElement *pipeline = gst_pipeline_new (NULL), *source = gst_element_factory_make ("uridecodebin", NULL);
  g_object_set (source, "uri", uri, NULL);
  g_signal_connect (source, "pad-added", G_CALLBACK (on_pad), &c);
  gst_bin_add (GST_BIN (pipeline), source);
  play (pipeline);
  return c;
}

/* 10 frames a second, 96x64; with sound of the same length. */
static void
make_clip (const char *name, int frames, const char *filter)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *description = g_strdup_printf ("videotestsrc pattern=ball num-buffers=%d ! video/x-raw, format=I420, width=96, "
                                                  "height=64, framerate=10/1 %s ! h264parse ! queue ! mux. "
                                                  "audiotestsrc num-buffers=%d samplesperbuffer=4410 ! audio/x-raw, rate=44100, channels=2 "
                                                  "! audioconvert ! avenc_aac ! aacparse ! queue ! mux. "
                                                  "mp4mux name=mux ! filesink location=%s/%s",
                                                  frames, filter, frames, folder, name);
  GstElement *pipeline = gst_parse_launch (description, &error);
  g_assert_no_error (error);
  play (pipeline);
}

/* ---- flow --------------------------------------------------------------------------------------- */

/* Writes two pictures of waves, the second moved by (dx, dy), and what is true of them. */
static void
make_pair (const char *name, int dx, int dy)
{
  enum
  {
    W = 128,
    H = 96
  };
  g_autofree char *dir = file ("waves"), *truth = g_strdup_printf ("%s/%s-gt.flo", dir, name);
  g_autoptr (GByteArray) flo = g_byte_array_new ();
  const gint32 size[] = { GINT32_TO_LE (W), GINT32_TO_LE (H) };
  const float flow[] = { dx, dy };
  g_mkdir_with_parents (dir, 0700);
  for (int i = 0; i < 2; i++) {
    g_autoptr (ToolPicture) p = tool_picture_new (W, H);
    g_autofree char *path = g_strdup_printf ("%s/%s-img%d.png", dir, name, i);
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++) {
        const int u = x - i * dx, v = y - i * dy;
        memset (p->data + 3 * (y * W + x), (int) (128 + 40 * sin (u * 0.21 + v * 0.08) + 40 * sin (v * 0.18 - u * 0.09)), 3);
      }
    g_assert_true (tool_picture_write_png (p, path, NULL));
  }
  g_byte_array_append (flo, (const guint8 *) "PIEH", 4);
  g_byte_array_append (flo, (const guint8 *) size, 8);
  for (int i = 0; i < W * H; i++)
    g_byte_array_append (flo, (const guint8 *) flow, 8);
  g_assert_true (g_file_set_contents (truth, (const char *) flo->data, flo->len, NULL));
}

static void
test_eval_flow (void)
{
  make_pair ("moves", 3, -2);
  make_pair ("stands, still", 0, 0);
  g_auto (Run) r = vfi ("eval flow waves --csv waves.csv --html waves.html");
  g_assert_cmpint (r.status, ==, 0);
  g_autofree char *csv = file ("waves.csv"), *html = file ("waves.html"), *picture = file ("waves_files/waves-moves-error.png"),
                  *text = NULL;
  g_assert_true (g_file_get_contents (csv, &text, NULL, NULL));
  g_auto (GStrv) rows = g_strsplit (text, "\n", -1);
  const guint methods = strstr (text, "Farneback") ? 4 : 1;        /* ours and, where it is there, OpenCV's */
  g_assert_cmpint (g_strv_length (rows), ==, 1 + 2 * methods + 1); /* the last is empty */
  g_assert_cmpstr (rows[0], ==, "set,name,epe,over1,over3,over5,fl,method,ms");
  for (guint i = 0; i < 2 * methods; i++) {
    const gboolean moves = i < methods;
    const char *begin = moves ? "waves,moves," : "waves,\"stands, still\",";
    g_assert_true (g_str_has_prefix (rows[1 + i], begin));
    g_assert_cmpfloat (g_ascii_strtod (rows[1 + i] + strlen (begin), NULL), <, moves ? 1 : 0.1);
  }
  if (methods > 1)
    assert_contains (r.out, "mean, DIS medium");
  g_assert_true (g_file_test (html, G_FILE_TEST_EXISTS) && g_file_test (picture, G_FILE_TEST_EXISTS));
}

/* ---- inpaint ------------------------------------------------------------------------------------ */

/* A picture of waves that stands still, five times, with a mask in the corner; `under` is painted over the middle, where the stationary hole is. */
static void
make_sequence (const char *name, gboolean masks, int under)
{
  enum
  {
    W = 96,
    H = 64
  };
  for (int i = 0; i < 5; i++) {
    g_autofree char *frames = g_strdup_printf ("%s/%s/frames", folder, name), *path = g_strdup_printf ("%s/%d.png", frames, i);
    g_autofree char *mask_dir = g_strdup_printf ("%s/%s/masks", folder, name), *mask_path = g_strdup_printf ("%s/%d.png", mask_dir, i);
    g_autoptr (ToolPicture) p = tool_picture_new (W, H), mask = tool_picture_new (W, H);
    g_mkdir_with_parents (frames, 0700);
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++) {
        const gboolean middle = x >= 36 && x < 60 && y >= 24 && y < 40;
        memset (p->data + 3 * (y * W + x), under && middle ? under : (int) (128 + 50 * sin (x * 0.2 + y * 0.1) + 50 * sin (y * 0.17)), 3);
        memset (mask->data + 3 * (y * W + x), x < 20 && y < 20 ? 255 : 0, 3);
      }
    g_assert_true (tool_picture_write_png (p, path, NULL));
    if (masks) {
      g_mkdir_with_parents (mask_dir, 0700);
      g_assert_true (tool_picture_write_png (mask, mask_path, NULL));
    }
  }
}

/* Masks of what make_sequence paints over: boxes/frames; and one of nothing. */
static void
make_boxes (void)
{
  g_autoptr (ToolPicture) p = tool_picture_new (96, 64);
  g_autofree char *dir = file ("boxes/frames"), *black = file ("logo/black.png");
  g_mkdir_with_parents (dir, 0700);
  memset (p->data, 0, 96 * 64 * 3);
  g_assert_true (tool_picture_write_png (p, black, NULL));
  for (int y = 24; y < 40; y++)
    memset (p->data + 3 * (y * 96 + 36), 255, 3 * 24);
  for (int i = 0; i < 5; i++) {
    g_autofree char *path = g_strdup_printf ("%s/%d.png", dir, i);
    g_assert_true (tool_picture_write_png (p, path, NULL));
  }
}

/* The field of a CSV row whose first fields are `row`; -1 where it is empty. */
static double
csv_field (const char *text, const char *row, int field)
{
  const char *at = strstr (text, row);
  g_assert_nonnull (at);
  g_autofree char *line = g_strndup (at, strcspn (at, "\n"));
  g_auto (GStrv) words = g_strsplit (line, ",", -1);
  g_assert_cmpint (g_strv_length (words), >, field);
  return *words[field] ? g_ascii_strtod (words[field], NULL) : -1;
}

static char *
read_text (const char *name)
{
  g_autofree char *path = file (name);
  char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static void
test_eval_inpaint (void)
{
  g_auto (Run) r = vfi ("eval inpaint walls --size 96x64 --methods last,causal --csv walls.csv --html walls.html --save saved");
  g_assert_cmpint (r.status, ==, 0);
  g_autofree char *csv = read_text ("walls.csv"), *page = read_text ("walls.html"), *sheet = file ("walls_files/object-plain.png");
  g_assert_true (g_str_has_prefix (csv, "kind,sequence,method,psnr_hole,ssim_hole,psnr,ssim,ewarp,ewarp_hole,ms\n"));
  /* Nothing moves: what the memory holds is exact. The moving hole covers its own first place in part until it is 3 frames away. */
  g_assert_cmpfloat (csv_field (csv, "moving,marked,last,", 3), >, csv_field (csv, "stationary,marked,last,", 3));
  g_assert_cmpfloat (csv_field (csv, "object,marked,last,", 3), >, 0);
  g_assert_cmpfloat (csv_field (csv, "stationary,marked,last,", 8), <, 0.02); /* the same all the time */
  g_assert_cmpfloat (csv_field (csv, "moving,marked,last,", 8), >, 0.5);
  g_assert_cmpfloat (csv_field (csv, "stationary,marked,truth,", 7), <, 1e-3);
  g_assert_cmpfloat (csv_field (csv, "stationary,marked,truth,", 3), ==, -1);
  /* The frame's error is the hole's, spread over the frame; one of 16 pixels is hole. */
  g_assert_cmpfloat_with_epsilon (csv_field (csv, "stationary,plain,last,", 5) - csv_field (csv, "stationary,plain,last,", 3),
                                  10 * log10 (16), 1e-5);
  assert_contains (page, "walls_files/object-plain.png");
  g_autoptr (ToolPicture) p = tool_picture_read (sheet, NULL);
  g_assert_nonnull (p);
  g_assert_cmpint (p->width, ==, 5 * (96 + 4) - 4); /* with hole, truth, two methods, difference */
  g_assert_cmpint (p->height, ==, 4 * (64 + 4) - 4);
  g_autofree char *frame = file ("saved/random/marked/causal/00004.png");
  g_assert_true (g_file_test (frame, G_FILE_TEST_EXISTS));
}

/* What is under the hole is gone before a method sees the frame. */
static void
test_eval_inpaint_under (void)
{
  const char *const methods[] = { "ours", "causal" };
  g_auto (Run) a = vfi ("eval inpaint under/a --size 96x64 --kinds stationary --methods ours,causal --save under-a");
  g_auto (Run) b = vfi ("eval inpaint under/b --size 96x64 --kinds stationary --methods ours,causal --save under-b");
  g_assert_cmpint (a.status, ==, 0);
  g_assert_cmpint (b.status, ==, 0);
  for (guint m = 0; m < G_N_ELEMENTS (methods); m++)
    for (int i = 0; i < 5; i++) {
      g_autofree char *first = g_strdup_printf ("%s/under-a/stationary/same/%s/%05d.png", folder, methods[m], i);
      g_autofree char *second = g_strdup_printf ("%s/under-b/stationary/same/%s/%05d.png", folder, methods[m], i);
      g_autoptr (ToolPicture) p = tool_picture_read (first, NULL), q = tool_picture_read (second, NULL);
      g_assert_true (p && q);
      g_assert_cmpmem (p->data, 96 * 64 * 3, q->data, 96 * 64 * 3);
    }
}

/* Objects without truth: steadiness only. */
static void
test_eval_inpaint_object (void)
{
  g_auto (Run) r = vfi ("eval inpaint walls --size 96x64 --object --methods last --frames 4 --csv removed.csv --html removed.html");
  g_assert_cmpint (r.status, ==, 0);
  assert_contains (r.err, "plain: has no masks");
  g_autofree char *csv = read_text ("removed.csv"), *sheet = file ("removed_files/removed-marked.png");
  g_assert_true (g_str_has_prefix (csv, "kind,sequence,method,ewarp,ewarp_hole,change,band,flicker,ms\n"));
  g_assert_cmpfloat (csv_field (csv, "removed,marked,last,", 5), ==, 0); /* nothing moves */
  g_assert_cmpfloat (csv_field (csv, "removed,plain,last,", 5), ==, -1);
  g_assert_true (g_file_test (sheet, G_FILE_TEST_EXISTS));
}

/* ---- flow of files ------------------------------------------------------------------------------ */

static int
count_files (const char *name)
{
  g_autofree char *path = file (name);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  int n = 0;
  g_assert_nonnull (dir);
  while (g_dir_read_name (dir))
    n++;
  return n;
}

static void
test_flow (void)
{
  g_auto (Run) video = vfi ("flow in.mp4 colours.mp4"), flo = vfi ("flow in.mp4 flo"), png = vfi ("flow in.mp4 png/ --png --consistency");
  g_assert_cmpint (video.status, ==, 0);
  g_assert_cmpint (flo.status, ==, 0);
  g_assert_cmpint (png.status, ==, 0);
  assert_contains (flo.err, "flo: 20 frames, 19 pairs of them");
  g_assert_cmpint (look ("colours.mp4").frames, ==, 20);
  g_assert_cmpint (look ("colours.mp4").audio_streams, ==, 0);
  g_assert_cmpint (count_files ("flo"), ==, 19);
  g_assert_cmpint (count_files ("png"), ==, 19);
}

/* Neither the output nor anything that was to become it. */
static void
assert_nothing_left (const char *name)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *entry;
  while ((entry = g_dir_read_name (dir)))
    g_assert_null (strstr (entry, name));
}

/* ---- inpaint of files --------------------------------------------------------------------------- */

/* Pictures FOLDER/0.png ... as a video of 10 frames a second. */
static void
make_video (const char *pictures, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *description =
      g_strdup_printf ("multifilesrc location=%s/%s/%%d.png caps=image/png,framerate=10/1 ! pngdec ! videoconvert "
                       "! video/x-raw, format=I420 ! x264enc pass=qual quantizer=5 ! h264parse ! mp4mux ! "
                       "filesink location=%s/%s",
                       folder, pictures, folder, name);
  GstElement *pipeline = gst_parse_launch (description, &error);
  g_assert_no_error (error);
  play (pipeline);
}

/* A sheet shows what went into the element and what came out. In each row the white box is gone and all else as it was; with `kept` the box is
 * as it was and the rest is not. */
static void
assert_sheet (const char *sheet, int rows, gboolean kept)
{
  g_autofree char *path = file (sheet);
  g_autoptr (ToolPicture) p = tool_picture_read (path, NULL);
  g_assert_nonnull (p);
  g_assert_cmpint (p->width, ==, 3 * (96 + 6) - 6);
  g_assert_cmpint (p->height, ==, rows * (64 + 6) - 6);
  for (int row = 0; row < rows; row++) {
    int changed = 0;
    for (int y = 0; y < 64; y++)
      for (int x = 0; x < 96; x++) {
        const guint8 *before = p->data + 3 * ((row * (64 + 6) + y) * p->width + x), *after = before + 3 * (96 + 6),
                     *difference = after + 3 * (96 + 6);
        const gboolean box = x >= 36 && x < 60 && y >= 24 && y < 40, far = x < 30 || x >= 66 || y < 18 || y >= 46;
        const gboolean inside = x >= 42 && x < 54 && y >= 30 && y < 34; /* away from the edge, which --dilate moves */
        if (box)
          g_assert_cmpint (before[1], >, 240);
        if (box && !kept)
          g_assert_cmpint (after[1], <, 240); /* the waves' highest is 228 */
        for (int c = 0; c < 3 && (kept ? inside : far); c++)
          g_assert_cmpint (difference[c], ==, 0);
        changed += far && (difference[0] || difference[1] || difference[2]);
      }
    g_assert_true ((changed > 1000) == kept);
  }
}

static void
test_inpaint (void)
{
  static const char *const masks[] = { "--rects 36,24,24,16", "--mask boxes/frames/0.png", "--mask boxes/frames", "--mask boxes.mp4" };
  make_video ("logo/frames", "logo.mp4");
  make_video ("boxes/frames", "boxes.mp4");
  for (guint i = 0; i < G_N_ELEMENTS (masks); i++) {
    g_auto (Run) r = vfi ("inpaint logo.mp4 clean%u.mp4 %s --dilate 3 --feather 0 --lookahead %u --sheet clean%u.png", i, masks[i], i, i);
    g_autofree char *sheet = g_strdup_printf ("clean%u.png", i), *out = g_strdup_printf ("clean%u.mp4", i);
    g_assert_cmpint (r.status, ==, 0);
    assert_contains (r.err, "5 frames, something removed from 5");
    assert_sheet (sheet, 5, FALSE);
    g_assert_cmpint (look (out).frames, ==, 5);
  }
  g_auto (Run) inverted =
      vfi ("inpaint logo.mp4 inverted.mp4 --mask boxes/frames --invert --dilate 3 --feather 0 --sheet inverted.png --quiet");
  g_assert_cmpint (inverted.status, ==, 0);
  g_assert_cmpstr (inverted.err, ==, "");
  assert_sheet ("inverted.png", 5, TRUE);
  g_auto (Run) nothing = vfi ("inpaint logo.mp4 nothing.mp4 --mask logo/black.png");
  g_assert_cmpint (nothing.status, ==, 0);
  assert_contains (nothing.err, "the mask covers nothing");
}

static void
test_inpaint_containers (void)
{
  static const char *const names[] = { "inpaint.mp4", "inpaint.mkv", "inpaint.webm" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_auto (Run) r = vfi ("inpaint in.mp4 %s --rects 8,8,24,16 --html %s.html", names[i], names[i]);
    g_assert_cmpint (r.status, ==, 0);
    assert_contains (r.err, i == 2 ? "audio: re-encoded" : "audio: copied");
    const Content out = look (names[i]);
    g_assert_cmpint (out.frames, ==, 20);
    g_assert_cmpint (out.audio_streams, ==, 1);
    g_assert_cmpfloat_with_epsilon (out.last_frame, 1.9, 0.001);
    g_autofree char *page = g_strdup_printf ("%s.html", names[i]), *text = read_text (page);
    g_autofree char *picture = g_strdup_printf ("%s/%s_files/05.png", folder, names[i]);
    assert_contains (text, "_files/05.png");
    g_assert_true (g_file_test (picture, G_FILE_TEST_EXISTS));
  }
  g_auto (Run) rects = vfi ("inpaint in.mp4 norects.mp4 --rects 1,2,three");
  g_assert_cmpint (rects.status, ==, 1);
  assert_contains (rects.err, "mask-rects");
  assert_nothing_left ("norects");
}

/* ---- interp ------------------------------------------------------------------------------------- */

static void
test_containers (void)
{
  static const char *const names[] = { "rate.mp4", "rate.mkv", "rate.webm", "rate.mov" };
  Content in = look ("in.mp4");
  g_assert_cmpint (in.frames, ==, 20);
  g_assert_cmpint (in.audio_streams, ==, 1);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_auto (Run) r = vfi ("interp in.mp4 %s", names[i]);
    g_assert_cmpint (r.status, ==, 0);
    assert_contains (r.err, "20 frames in at 10 a second, 40 out at 20 a second");
    assert_contains (r.err, g_str_has_suffix (names[i], "webm") ? "audio: re-encoded" : "audio: copied");
    Content out = look (names[i]);
    g_assert_cmpint (out.frames, ==, 40);
    g_assert_cmpfloat_with_epsilon (out.last_frame, 1.95, 0.001); /* Matroska counts milliseconds */
    g_assert_cmpint (out.audio_streams, ==, 1);
    g_assert_cmpfloat_with_epsilon (out.audio_end, in.audio_end, 1024.0 / 44100); /* an AAC frame */
  }
}

/* QuickTime holds what editors work with. */
static void
test_prores (void)
{
  g_autoptr (GstElementFactory) encoder = gst_element_factory_find ("avenc_prores_ks");
  if (!encoder) {
    g_test_skip ("there is no element avenc_prores_ks");
    return;
  }
  g_auto (Run) there = vfi ("interp in.mp4 prores.mov --encoder avenc_prores_ks"),
               back = vfi ("interp prores.mov again.mov --encoder avenc_prores_ks --fps 10");
  g_assert_cmpint (there.status, ==, 0);
  g_assert_cmpint (back.status, ==, 0);
  const Content made = look ("prores.mov"), again = look ("again.mov");
  g_assert_cmpint (made.frames, ==, 40);
  g_assert_cmpstr (made.format, ==, "I422_10LE");
  g_assert_cmpint (again.frames, ==, 20);
  g_assert_cmpstr (again.format, ==, "I422_10LE");
}

/* Sound that was not encoded is not, where the file can hold it. */
static void
test_pcm (void)
{
  static const char *const names[] = { "pcm.mov", "pcm.mkv", "pcm.mp4" };
  g_autoptr (GError) error = NULL;
  g_autofree char *line = g_strdup_printf ("videotestsrc num-buffers=5 ! video/x-raw, format=I420, width=96, height=64, framerate=10/1 ! "
                                           "x264enc ! h264parse ! queue ! qtmux name=mux ! filesink location=%s/raw.mov "
                                           "audiotestsrc num-buffers=5 samplesperbuffer=4410 ! "
                                           "audio/x-raw, format=S24LE, rate=44100, channels=2 ! queue ! mux.",
                                           folder);
  GstElement *pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  play (pipeline);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_auto (Run) r = vfi ("interp raw.mov %s", names[i]);
    g_assert_cmpint (r.status, ==, 0);
    assert_contains (r.err, i < 2 ? "audio: copied" : "audio: re-encoded");
    const Content out = look (names[i]);
    g_assert_cmpint (out.frames, ==, 10);
    g_assert_cmpint (out.audio_streams, ==, 1);
    g_assert_cmpfloat_with_epsilon (out.audio_end, 0.5, i < 2 ? 0.001 : 2 * 1024.0 / 44100);
  }
}

/* What does not come along is said. */
static void
test_subtitles (void)
{
  g_autofree char *srt = file ("titles.srt"), *mkv = file ("titles.mkv"), *in = file ("in.mp4");
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (srt, "1\n00:00:00,100 --> 00:00:00,500\nhello\n\n", -1, NULL));
  g_autofree char *line =
      g_strdup_printf ("matroskamux name=mux ! filesink location=%s  filesrc location=%s ! qtdemux name=d  d.video_0 ! queue ! "
                       "mux.  filesrc location=%s ! subparse ! text/x-raw,format=utf8 ! queue ! mux.",
                       mkv, in, srt);
  GstElement *pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  play (pipeline);
  g_auto (Run) r = vfi ("interp titles.mkv titles.mp4");
  g_assert_cmpint (r.status, ==, 0);
  assert_contains (r.err, "subtitles: left out");
}

static void
test_rates (void)
{
  g_auto (Run) fps = vfi ("interp in.mp4 fps.mp4 --fps 25 --no-audio");
  g_assert_cmpint (fps.status, ==, 0);
  Content out = look ("fps.mp4");
  g_assert_cmpint (out.frames, ==, 50);
  g_assert_cmpint (out.audio_streams, ==, 0);

  g_auto (Run) ntsc = vfi ("interp in.mp4 ntsc.mp4 --fps 59.94 -q");
  g_assert_cmpstr (ntsc.err, ==, "");
  out = look ("ntsc.mp4");
  g_assert_cmpint (out.frames, ==, 120); /* 2 s of 60000/1001 */
  g_assert_cmpfloat_with_epsilon (out.last_frame, 119 * 1001 / 60000.0, 1e-4);

  g_auto (Run) slow = vfi ("interp in.mp4 slow.mp4 --slowmo 4");
  g_assert_cmpint (slow.status, ==, 0);
  assert_contains (slow.err, "audio: left out");
  out = look ("slow.mp4");
  g_assert_cmpint (out.frames, ==, 80);
  g_assert_cmpfloat_with_epsilon (out.last_frame, 7.9, 1e-4);
  g_assert_cmpint (out.audio_streams, ==, 0);
}

static void
test_interlaced (void)
{
  static const char *const orders[] = { "true", "false" };
  for (guint i = 0; i < G_N_ELEMENTS (orders); i++) { /* top or bottom field first */
    g_autofree char *filter = g_strdup_printf ("! interlace field-pattern=1:1 top-field-first=%s ! x264enc interlaced=true", orders[i]);
    make_clip ("interlaced.mp4", 40, filter);
    g_auto (Run) r = vfi ("interp interlaced.mp4 progressive.mp4");
    g_assert_cmpint (r.status, ==, 0);
    assert_contains (r.err, "20 frames in at 5 a second, 40 out at 10 a second");
    assert_contains (r.err, "deinterlaced");
    Content out = look ("progressive.mp4");
    g_assert_cmpint (out.frames, ==, 40);
    g_assert_cmpfloat_with_epsilon (out.last_frame, 3.9, 1e-4);
  }
}

/* A quarter turn, as cameras that are held upright write it, into the matrix of each track (ISO/IEC 14496-12, 8.3.2) of the clip. */
static void
turn_clip (const char *name)
{
  static const guint8 quarter[16] = { [5] = 1, [12] = 0xff, [13] = 0xff }; /* 0 1 (u) -1, 16.16 */
  g_autofree char *path = file (name), *data = NULL;
  gsize size;
  int tracks = 0;
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  for (gsize i = 0; i + 60 < size; i++)
    if (memcmp (data + i, "tkhd", 4) == 0) {
      memcpy (data + i + 44, quarter, sizeof quarter);
      memset (data + i + 60, 0, 4);
      tracks++;
    }
  g_assert_cmpint (tracks, ==, 2);
  g_assert_true (g_file_set_contents (path, data, (gssize) size, NULL));
}

static void
test_turned (void)
{
  static const char *const lines[] = { "interp turned.mp4 %s", "inpaint turned.mp4 %s --rects 8,8,16,24", "flow turned.mp4 %s" };
  make_clip ("turned.mp4", 5, "! x264enc");
  turn_clip ("turned.mp4");
  g_assert_true (look ("turned.mp4").turned);
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_auto (Run) r = vfi (lines[i], "upright.mp4");
    g_assert_cmpint (r.status, ==, 0);
    const Content out = look ("upright.mp4");
    g_assert_cmpint (out.width, ==, 64);
    g_assert_cmpint (out.height, ==, 96);
    g_assert_false (out.turned);
  }
}

static void
test_failures (void)
{
  g_auto (Run) weights = vfi ("interp in.mp4 no1.mp4 --weights text.mp4");
  g_assert_cmpint (weights.status, ==, 1);
  assert_contains (weights.err, "text.mp4");
  assert_nothing_left ("no1");
  g_auto (Run) word = vfi ("interp in.mp4 no2.mp4 --scene-mode fade");
  g_assert_cmpint (word.status, ==, 1);
  assert_contains (word.err, "repeat");
  assert_nothing_left ("no2");
  g_auto (Run) encoder = vfi ("interp in.mp4 no3.mp4 --encoder=nosuchenc");
  g_assert_cmpint (encoder.status, ==, 1);
  assert_contains (encoder.err, "nosuchenc");
  assert_nothing_left ("no3");
  g_auto (Run) range = vfi ("interp in.mp4 no4.mp4 --flow-scale 7");
  g_assert_cmpint (range.status, ==, 1);
  assert_contains (range.err, "0.25 to 1");
}

/* Ctrl-C while it works: the old file stays as it was. */
static void
test_interrupt (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *out = file ("int.mp4");
  g_assert_true (g_file_set_contents (out, "before", -1, NULL));
  char *argv[] = { (char *) g_getenv ("VFI_PROGRAM"), (char *) "interp", (char *) "long.mp4", (char *) "int.mp4", NULL };
  GPid pid;
  g_spawn_async (folder, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  g_autofree char *part = g_strdup_printf ("%s/.int.mp4.%d.part", folder, (int) pid);
  for (int i = 0; i < 6000 && !g_file_test (part, G_FILE_TEST_EXISTS); i++)
    g_usleep (10000);
  g_assert_true (g_file_test (part, G_FILE_TEST_EXISTS));
  kill (pid, SIGINT);
  int status;
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR) {
  }
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 130);
  g_assert_false (g_file_test (part, G_FILE_TEST_EXISTS));
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (out, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "before");
}

static void
test_sheet (void)
{
  g_auto (Run) slow = vfi ("interp in.mp4 sheet.mp4 --slowmo 4 -q");
  g_assert_cmpint (slow.status, ==, 0);
  g_auto (Run) r = vfi ("sheet sheet.mp4 sheet.png --rows 2 --width 96");
  g_assert_cmpint (r.status, ==, 0);
  assert_contains (r.out, "80 frames");
  g_autofree char *path = file ("sheet.png");
  g_autoptr (ToolPicture) p = tool_picture_read (path, NULL);
  g_assert_nonnull (p);
  g_assert_cmpint (p->width, ==, 3 * (96 + 6) + 6);
  g_assert_cmpint (p->height, ==, 2 * (64 + 6) + 6);
}

/* ---- bench -------------------------------------------------------------------------------------- */

static void
test_bench (void)
{
  g_auto (Run) r = vfi ("bench --size 96x64 --frames 3 --json bench.json");
  g_assert_cmpint (r.status, ==, 0);
  assert_contains (r.out, "conv2d");
  assert_contains (r.out, "this machine");
  g_autofree char *path = file ("bench.json");
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_assert_true (json_parser_load_from_file (parser, path, NULL));
  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  g_assert_cmpfloat (json_object_get_double_member (root, "width"), ==, 96);
  g_assert_cmpfloat (json_object_get_double_member (root, "machine_conv_gflops"), >, 0);
  g_assert_cmpfloat (json_object_get_double_member (root, "machine_copy_gbytes"), >, 0);
  JsonArray *stages = json_object_get_array_member (root, "stages");
  double total = 0;
  for (guint i = 0; i < json_array_get_length (stages); i++)
    total += json_object_get_double_member (json_array_get_object_element (stages, i), "ms_per_frame");
  g_assert_cmpfloat (total, >, 0);
}

static void
test_bench_flow (void)
{
  g_auto (Run) r = vfi ("bench --task flow --size 96x64 --frames 3 --json flow.json");
  g_assert_cmpint (r.status, ==, 0);
  assert_contains (r.out, "vfi-flow-nano");
  assert_contains (r.out, "\ninverse_search ");
  assert_contains (r.out, "\nfield ");
  g_autofree char *path = file ("flow.json");
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_assert_true (json_parser_load_from_file (parser, path, NULL));
  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  JsonArray *stages = json_object_get_array_member (root, "stages");
  for (guint i = 0; i < json_array_get_length (stages); i++) {
    JsonObject *stage = json_array_get_object_element (stages, i);
    g_assert_cmpstr (json_object_get_string_member (stage, "name"), !=, "synthesize");
    if (strcmp (json_object_get_string_member (stage, "name"), "field") == 0)
      g_assert_cmpfloat (json_object_get_double_member (stage, "calls_per_frame"), ==, 1); /* one direction */
  }
}

static void
test_bench_inpaint (void)
{
  g_auto (Run) r = vfi ("bench --task inpaint --size 96x64 --frames 3 --lookahead 1 --object 8 --json inpaint.json");
  g_assert_cmpint (r.status, ==, 0);
  assert_contains (r.out, "an object of 8 % of the frame");
  g_autofree char *path = file ("inpaint.json");
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_assert_true (json_parser_load_from_file (parser, path, NULL));
  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  const double push = json_object_get_double_member (root, "push_ms"), pull = json_object_get_double_member (root, "pull_ms");
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (root, "frame_ms"), push + pull, 1e-6);
  g_assert_cmpfloat (push, >, 0);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "by_object")), ==, 3);
}

static void
test_versus (void)
{
  g_autofree char *ffmpeg = g_find_program_in_path ("ffmpeg");
  if (!ffmpeg) {
    g_test_skip ("there is no ffmpeg program");
    return;
  }
  g_auto (Run) r = vfi ("bench --size 96x64 --frames 20 --vs-minterpolate");
  g_assert_cmpint (r.status, ==, 0);
  assert_contains (r.out, "ratio");
  g_auto (Run) clip = vfi ("bench --size 96x64 --frames 5 --clip in.mp4");
  g_assert_cmpint (clip.status, ==, 0);
}

static void
remove_all (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    remove_all (child);
  }
  g_remove (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  folder = g_dir_make_tmp ("vfi-XXXXXX", NULL);
  g_autofree char *text = file ("text.mp4"), *empty = file ("empty");
  g_file_set_contents (text, "no video at all", -1, NULL);
  g_mkdir (empty, 0700);
  make_triplet ("flat/one/x", 100, 110, 100);
  make_sequence ("walls/marked", TRUE, 0);
  make_sequence ("walls/plain", FALSE, 0);
  make_sequence ("under/a/same", FALSE, 10);
  make_sequence ("under/b/same", FALSE, 250);
  make_sequence ("logo", FALSE, 255);
  make_boxes ();
  make_clip ("in.mp4", 20, "! x264enc");
  make_clip ("long.mp4", 1500, "! x264enc speed-preset=ultrafast");

  g_test_add_func ("/vfi/words", test_words);
  g_test_add_func ("/vfi/errors", test_errors);
  g_test_add_func ("/vfi/models", test_models);
  g_test_add_func ("/vfi/eval", test_eval);
  g_test_add_func ("/vfi/eval-sequence", test_eval_sequence);
  g_test_add_func ("/vfi/eval-flow", test_eval_flow);
  g_test_add_func ("/vfi/eval-inpaint", test_eval_inpaint);
  g_test_add_func ("/vfi/eval-inpaint/under-the-hole", test_eval_inpaint_under);
  g_test_add_func ("/vfi/eval-inpaint/object", test_eval_inpaint_object);
  g_test_add_func ("/vfi/flow", test_flow);
  g_test_add_func ("/vfi/inpaint", test_inpaint);
  g_test_add_func ("/vfi/inpaint/containers", test_inpaint_containers);
  g_test_add_func ("/vfi/interp/containers", test_containers);
  g_test_add_func ("/vfi/interp/rates", test_rates);
  g_test_add_func ("/vfi/interp/prores", test_prores);
  g_test_add_func ("/vfi/interp/pcm", test_pcm);
  g_test_add_func ("/vfi/interp/subtitles", test_subtitles);
  g_test_add_func ("/vfi/interp/interlaced", test_interlaced);
  g_test_add_func ("/vfi/turned", test_turned);
  g_test_add_func ("/vfi/interp/failures", test_failures);
  g_test_add_func ("/vfi/interp/interrupt", test_interrupt);
  g_test_add_func ("/vfi/sheet", test_sheet);
  g_test_add_func ("/vfi/bench", test_bench);
  g_test_add_func ("/vfi/bench/flow", test_bench_flow);
  g_test_add_func ("/vfi/bench/inpaint", test_bench_inpaint);
  g_test_add_func ("/vfi/bench/versus-minterpolate", test_versus);
  int status = g_test_run ();
  remove_all (folder);
  g_free (folder);
  return status;
}
