/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files through the vfi program: vfi interp, flow, inpaint and sheet.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <glib/gstdio.h>

#include "picture.h"
#include "program.h"

/* ---- flow ---------------------------------------------------------------------------------------- */

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

/* ---- inpaint ------------------------------------------------------------------------------------- */

/* Pictures FOLDER/0.png ... as a video of 10 frames a second. */
static void
make_video (const char *pictures, const char *name)
{
  play_line ("multifilesrc location=%s/%s/%%d.png caps=image/png,framerate=10/1 ! pngdec ! videoconvert "
             "! video/x-raw, format=I420 ! x264enc pass=qual quantizer=5 ! h264parse ! mp4mux ! "
             "filesink location=%s/%s",
             folder, pictures, folder, name);
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

/* ---- interp -------------------------------------------------------------------------------------- */

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
  play_line ("videotestsrc num-buffers=5 ! video/x-raw, format=I420, width=96, height=64, framerate=10/1 ! "
             "x264enc ! h264parse ! queue ! qtmux name=mux ! filesink location=%s/raw.mov "
             "audiotestsrc num-buffers=5 samplesperbuffer=4410 ! "
             "audio/x-raw, format=S24LE, rate=44100, channels=2 ! queue ! mux.",
             folder);
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

/* Folders of pictures, in and out: real frames are what they were. */
static void
test_folders (void)
{
  g_autofree char *shots = file ("shots"), *first = file ("shots/00.png"), *kept = file ("made/000000.png");
  g_autofree char *a = NULL, *b = NULL;
  gsize n_a, n_b;

  g_assert_cmpint (g_mkdir (shots, 0700), ==, 0);
  play_line ("videotestsrc num-buffers=4 pattern=ball ! video/x-raw, format=RGB, width=96, height=64 ! pngenc ! multifilesink "
             "location=%s/%%02d.png",
             shots);
  {
    g_auto (Run) r = vfi ("interp shots made/ --in-fps 10");
    g_assert_cmpint (r.status, ==, 0);
    assert_contains (r.err, "4 frames in at 10 a second, 8 out at 20 a second");
  }
  g_assert_cmpint (count_files ("made"), ==, 8);
  g_assert_true (g_file_get_contents (first, &a, &n_a, NULL));
  g_assert_true (g_file_get_contents (kept, &b, &n_b, NULL));
  g_assert_cmpmem (a, n_a, b, n_b);
  {
    g_auto (Run) r = vfi ("interp made film.mp4"), i = vfi ("inpaint shots clean/ --rects 8,8,16,16"), f = vfi ("flow shots flows/");
    g_assert_cmpint (r.status, ==, 0);
    g_assert_cmpint (i.status, ==, 0);
    g_assert_cmpint (f.status, ==, 0);
  }
  Content c = look ("film.mp4");
  g_assert_cmpint (c.frames, ==, 16);
  g_assert_cmpfloat_with_epsilon (c.last_frame, 15 / 50., 0.001);
  g_assert_cmpint (count_files ("clean"), ==, 4);
  g_assert_cmpint (count_files ("flows"), ==, 3);
}

/* What does not come along is said. */
static void
test_subtitles (void)
{
  g_autofree char *srt = file ("titles.srt"), *mkv = file ("titles.mkv"), *in = file ("in.mp4");
  g_assert_true (g_file_set_contents (srt, "1\n00:00:00,100 --> 00:00:00,500\nhello\n\n", -1, NULL));
  play_line ("matroskamux name=mux ! filesink location=%s  filesrc location=%s ! qtdemux name=d  d.video_0 ! queue ! "
             "mux.  filesrc location=%s ! subparse ! text/x-raw,format=utf8 ! queue ! mux.",
             mkv, in, srt);
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
  play_line ("videotestsrc num-buffers=3 ! video/x-raw, format=I420, width=8, height=8, framerate=10/1 ! avenc_ffv1 ! matroskamux ! "
             "filesink location=%s/tiny.mkv",
             folder);
  g_auto (Run) tiny = vfi ("interp tiny.mkv no5.mp4");
  g_assert_cmpint (tiny.status, ==, 1);
  assert_contains (tiny.err, "with --encoder");
  assert_nothing_left ("no5");
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

int
main (int argc, char **argv)
{
  program_begin (&argc, &argv);
  make_sequence ("logo", FALSE, 255);
  make_boxes ();
  make_clip ("long.mp4", 1500, "! x264enc speed-preset=ultrafast");

  g_test_add_func ("/vfi/flow", test_flow);
  g_test_add_func ("/vfi/inpaint", test_inpaint);
  g_test_add_func ("/vfi/inpaint/containers", test_inpaint_containers);
  g_test_add_func ("/vfi/interp/containers", test_containers);
  g_test_add_func ("/vfi/interp/rates", test_rates);
  g_test_add_func ("/vfi/interp/prores", test_prores);
  g_test_add_func ("/vfi/interp/pcm", test_pcm);
  g_test_add_func ("/vfi/interp/subtitles", test_subtitles);
  g_test_add_func ("/vfi/folders", test_folders);
  g_test_add_func ("/vfi/interp/interlaced", test_interlaced);
  g_test_add_func ("/vfi/turned", test_turned);
  g_test_add_func ("/vfi/interp/failures", test_failures);
  g_test_add_func ("/vfi/interp/interrupt", test_interrupt);
  g_test_add_func ("/vfi/sheet", test_sheet);
  return program_end ();
}
