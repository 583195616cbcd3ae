/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The vfi program as its users run it: words, errors, scores and times.
 */
#include <math.h>
#include <string.h>

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "picture.h"
#include "program.h"

/* ---- words --------------------------------------------------------------------------------------- */

static void
test_words (void)
{
  g_auto (Run) help = vfi ("--help"), version = vfi ("--version"), none = vfi ("%s", ""), about = vfi ("help interp");
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
    { "interp empty b.mp4", 1, "empty: no pictures in this folder (png, jpg, bmp, tif, webp)" },
    { "interp in.mp4 b.mp4 --in-fps 5", 1, "in.mp4: --in-fps is for a folder of pictures" },
    { "interp empty b.mp4 --in-fps x", 1, "--in-fps: 'x' is not a positive number" },
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

/* ---- eval ---------------------------------------------------------------------------------------- */

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

/* ---- bench --------------------------------------------------------------------------------------- */

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

int
main (int argc, char **argv)
{
  program_begin (&argc, &argv);
  make_triplet ("flat/one/x", 100, 110, 100);
  make_sequence ("walls/marked", TRUE, 0);
  make_sequence ("walls/plain", FALSE, 0);
  make_sequence ("under/a/same", FALSE, 10);
  make_sequence ("under/b/same", FALSE, 250);

  g_test_add_func ("/vfi/words", test_words);
  g_test_add_func ("/vfi/errors", test_errors);
  g_test_add_func ("/vfi/models", test_models);
  g_test_add_func ("/vfi/eval", test_eval);
  g_test_add_func ("/vfi/eval-sequence", test_eval_sequence);
  g_test_add_func ("/vfi/eval-flow", test_eval_flow);
  g_test_add_func ("/vfi/eval-inpaint", test_eval_inpaint);
  g_test_add_func ("/vfi/eval-inpaint/under-the-hole", test_eval_inpaint_under);
  g_test_add_func ("/vfi/eval-inpaint/object", test_eval_inpaint_object);
  g_test_add_func ("/vfi/bench", test_bench);
  g_test_add_func ("/vfi/bench/flow", test_bench_flow);
  g_test_add_func ("/vfi/bench/inpaint", test_bench_inpaint);
  g_test_add_func ("/vfi/bench/versus-minterpolate", test_versus);
  return program_end ();
}
