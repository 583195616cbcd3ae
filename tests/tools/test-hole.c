/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What 'vfi eval inpaint' is made of: holes, scores against direct computation, ways to fill whose results are known.
 */
#include <math.h>
#include <string.h>

#include <gst/gst.h>

#include "filler.h"
#include "hole.h"
#include "holescore.h"

#define W 64
#define H 48
#define N (W * H)

static ToolPicture *
noise (guint32 seed)
{
  ToolPicture *p = tool_picture_new (W, H);
  for (int i = 0; i < N * 3; i++) {
    seed = seed * 1664525u + 1013904223u;
    p->data[i] = (guint8) (seed >> 24);
  }
  return p;
}

static ToolPicture *
flat (int value)
{
  ToolPicture *p = tool_picture_new (W, H);
  memset (p->data, value, N * 3);
  return p;
}

static ToolPicture *
copy (const ToolPicture *p)
{
  ToolPicture *q = tool_picture_new (W, H);
  memcpy (q->data, p->data, N * 3);
  return q;
}

static void
fill_box (guint8 *mask, int x0, int y0, int x1, int y1)
{
  memset (mask, 0, N);
  for (int y = y0; y < y1; y++)
    memset (mask + y * W + x0, 255, (gsize) (x1 - x0));
}

/* ---- holes -------------------------------------------------------------------------------------- */

static void
test_rectangle (void)
{
  ToolHole *hole = tool_hole_new_rectangle (W, H, FALSE);
  guint8 mask[N], expected[N];
  fill_box (expected, 24, 18, 40, 30);
  for (int i = 0; i < 3; i++) {
    tool_hole_draw (hole, 7 * i, mask);
    g_assert_cmpmem (mask, N, expected, N);
  }
  tool_hole_free (hole);
}

static void
test_moving (void)
{
  enum
  {
    BIG_W = 432,
    BIG_H = 240
  };
  ToolHole *hole = tool_hole_new_rectangle (BIG_W, BIG_H, TRUE);
  g_autofree guint8 *mask = g_malloc (BIG_W * BIG_H);
  int before[2] = { 0 }, left = BIG_W, right = 0;
  for (int i = 0; i < 560; i++) {
    int area = 0, first = -1, at[2];
    tool_hole_draw (hole, i, mask);
    for (int k = 0; k < BIG_W * BIG_H; k++)
      if (mask[k]) {
        g_assert_cmpint (mask[k], ==, 255);
        first = first < 0 ? k : first;
        area++;
      }
    g_assert_cmpint (area, ==, BIG_W / 4 * (BIG_H / 4)); /* never cut off */
    at[0] = first % BIG_W;
    at[1] = first / BIG_W;
    if (i) {
      g_assert_cmpint (ABS (at[0] - before[0]), <=, 9); /* 0.020 x 432 */
      g_assert_cmpint (ABS (at[1] - before[1]), <=, 7); /* 0.029 x 240 */
    }
    left = MIN (left, at[0]);
    right = MAX (right, at[0] + BIG_W / 4);
    before[0] = at[0];
    before[1] = at[1];
  }
  g_assert_cmpint (left, ==, 54); /* half a width of centres */
  g_assert_cmpint (right, ==, 378);
  tool_hole_free (hole);
}

static int
count (const guint8 *mask)
{
  int n = 0;
  for (int i = 0; i < N; i++)
    n += mask[i] != 0;
  return n;
}

static void
test_strokes (void)
{
  ToolHole *a = tool_hole_new_strokes (W, H, "one"), *same = tool_hole_new_strokes (W, H, "one"), *b = tool_hole_new_strokes (W, H, "two");
  guint8 mask[N], other[N];
  int moved = 0, total = 0;
  for (int i = 0; i < 100; i++) {
    tool_hole_draw (a, i, mask);
    total += count (mask);
    tool_hole_draw (same, i, other);
    g_assert_cmpmem (mask, N, other, N);
    tool_hole_draw (b, i, other);
    g_assert_true (memcmp (mask, other, N) != 0);
    tool_hole_draw (a, i + 20, other);
    moved += memcmp (mask, other, N) != 0;
  }
  g_assert_cmpint (moved, ==, 100);
  g_assert_cmpint (total, >, 100 * N / 50);
  g_assert_cmpint (total, <, 100 * N / 4);
  tool_hole_free (a);
  tool_hole_free (same);
  tool_hole_free (b);
}

/* Three masks, there and back: 0 1 2 1 0 1 ... */
static void
test_masks (void)
{
  static const int order[] = { 0, 1, 2, 1, 0, 1, 2 };
  guint8 data[3][N], mask[N], *masks[] = { data[0], data[1], data[2] };
  for (int i = 0; i < 3; i++)
    fill_box (data[i], i, i, 10 + i, 10);
  ToolHole *hole = tool_hole_new_masks (W, H, masks, 3), *one = tool_hole_new_masks (W, H, masks, 1);
  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    tool_hole_draw (hole, (int) i, mask);
    g_assert_cmpmem (mask, N, data[order[i]], N);
    tool_hole_draw (one, (int) i, mask);
    g_assert_cmpmem (mask, N, data[0], N);
  }
  tool_hole_free (hole);
  tool_hole_free (one);
}

/* ---- scores ------------------------------------------------------------------------------------- */

/* Noise in the hole, the truth elsewhere, held against the whole map. */
static void
test_against_direct (void)
{
  g_autoptr (ToolPicture) truth = noise (1), other = noise (2), made = copy (truth);
  guint8 mask[N];
  g_autofree double *map = g_new (double, N);
  double squares = 0, ssim = 0, ssim_hole = 0, n = 0;
  fill_box (mask, 3, 20, 19, 48);
  for (int i = 0; i < N; i++)
    if (mask[i]) {
      memcpy (made->data + 3 * i, other->data + 3 * i, 3);
      for (int c = 0; c < 3; c++)
        squares += pow (truth->data[3 * i + c] - made->data[3 * i + c], 2);
      n++;
    }
  tool_ssim_map (truth, made, &(ToolBox){ 0, 0, W, H }, map);
  for (int i = 0; i < N; i++) {
    ssim += map[i] / N;
    ssim_hole += mask[i] ? map[i] / n : 0;
  }
  ToolHoleMeter meter = { 0 };
  tool_hole_meter_add (&meter, truth, made, mask);
  const ToolHoleScore s = tool_hole_meter_read (&meter);
  const ToolScore whole = tool_score (truth, made);
  g_assert_cmpfloat_with_epsilon (s.psnr_hole, 10 * log10 (255 * 255 / (squares / (3 * n))), 1e-9);
  g_assert_cmpfloat_with_epsilon (s.psnr, whole.psnr, 1e-9);
  g_assert_cmpfloat_with_epsilon (s.ssim, whole.ssim, 1e-9);
  g_assert_cmpfloat_with_epsilon (s.ssim, ssim, 1e-9);
  g_assert_cmpfloat_with_epsilon (s.ssim_hole, ssim_hole, 1e-9);
  g_assert_true (isnan (s.ewarp) && isnan (s.change));
}

/* Means are over frames; a frame without a hole counts for the frame's scores only; equal pictures are 100 dB. */
static void
test_means (void)
{
  g_autoptr (ToolPicture) truth = flat (100), ten = flat (110), one = flat (101);
  guint8 mask[N], none[N] = { 0 };
  ToolHoleMeter meter = { 0 };
  const double ten_db = 20 * log10 (25.5), one_db = 20 * log10 (255);
  fill_box (mask, 0, 0, 8, 8);
  tool_hole_meter_add (&meter, truth, ten, mask);
  tool_hole_meter_add (&meter, truth, one, mask);
  tool_hole_meter_add (&meter, truth, truth, none);
  const ToolHoleScore s = tool_hole_meter_read (&meter);
  g_assert_cmpfloat_with_epsilon (s.psnr_hole, (ten_db + one_db) / 2, 1e-9);
  g_assert_cmpfloat_with_epsilon (s.psnr, (ten_db + one_db + TOOL_PSNR_MAX) / 3, 1e-9);

  const ToolHoleScore both[] = { s, { NAN, 0.5, 2 * s.psnr, 1, NAN, NAN, NAN, NAN, NAN } };
  const ToolHoleScore mean = tool_hole_score_mean (both, 2);
  g_assert_cmpfloat_with_epsilon (mean.psnr_hole, s.psnr_hole, 1e-9);
  g_assert_cmpfloat_with_epsilon (mean.ssim_hole, (s.ssim_hole + 0.5) / 2, 1e-9);
  g_assert_cmpfloat_with_epsilon (mean.psnr, 1.5 * s.psnr, 1e-9);
  g_assert_true (isnan (mean.ewarp));
}

/* A picture that moves by (3, -2): along the flow nothing differs, until something is changed in the hole. */
static void
test_warp (void)
{
  g_autoptr (ToolPicture) before = noise (5), made = noise (6);
  static float flow[2 * N];
  static guint8 valid[N], mask[N], none[N];
  const ToolBackFlow back = { flow, valid };
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      const int sx = x - 3, sy = y + 2, i = y * W + x;
      flow[2 * i] = -3;
      flow[2 * i + 1] = 2;
      valid[i] = y >= 10; /* what is hidden there does not count */
      if (valid[i] && sx >= 0 && sy < H)
        memcpy (made->data + 3 * i, before->data + 3 * (sy * W + sx), 3);
    }
  ToolHoleMeter meter = { 0 };
  fill_box (mask, 10, 12, 20, 20);
  tool_hole_meter_add_warp (&meter, before, made, none, mask, &back);
  ToolHoleScore s = tool_hole_meter_read (&meter);
  g_assert_cmpfloat (s.ewarp, ==, 0);
  g_assert_cmpfloat (s.ewarp_hole, ==, 0);

  for (int i = 0; i < N; i++)
    for (int c = 0; c < 3 && mask[i]; c++)
      made->data[3 * i + c] =
          (guint8) (made->data[3 * i + c] < 128 ? made->data[3 * i + c] + 51 : made->data[3 * i + c] - 51); /* a fifth */
  meter = (ToolHoleMeter){ 0 };
  tool_hole_meter_add_warp (&meter, before, made, none, mask, &back);
  s = tool_hole_meter_read (&meter);
  g_assert_cmpfloat_with_epsilon (s.ewarp_hole, 100 * 0.04, 1e-9);
  g_assert_cmpfloat_with_epsilon (s.ewarp, 100 * 0.04 * 80 / ((W - 3) * (H - 10 - 2)), 1e-9);

  /* where the hole was counts, too */
  meter = (ToolHoleMeter){ 0 };
  tool_hole_meter_add_warp (&meter, before, made, mask, none, &back);
  s = tool_hole_meter_read (&meter);
  g_assert_cmpfloat_with_epsilon (s.ewarp_hole, 100 * 0.04 * (7 * 8 - 7 * 2) / 80,
                                  1e-9); /* of 80 pixels shifted by (3, -2), 7 x 6 are changed ones */
}

/* Halfway between pixels: the mean of both. */
static void
test_warp_between (void)
{
  g_autoptr (ToolPicture) before = flat (0), made = flat (50);
  static float flow[2 * N];
  static guint8 valid[N], none[N];
  for (int i = 0; i < N; i++) {
    memset (before->data + 3 * i, i % W % 2 ? 100 : 0, 3);
    flow[2 * i] = 0.5;
    valid[i] = 1;
  }
  ToolHoleMeter meter = { 0 };
  tool_hole_meter_add_warp (&meter, before, made, none, none, &(ToolBackFlow){ flow, valid });
  const ToolHoleScore s = tool_hole_meter_read (&meter);
  g_assert_cmpfloat_with_epsilon (s.ewarp, 0, 1e-9);
  g_assert_true (isnan (s.ewarp_hole));
}

static void
test_change (void)
{
  g_autoptr (ToolPicture) before = flat (100), made = flat (102);
  guint8 mask[N], earlier[N];
  fill_box (mask, 20, 20, 30, 30);
  fill_box (earlier, 20, 20, 28, 30);
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      const int i = y * W + x;
      if (mask[i])
        memset (made->data + 3 * i, earlier[i] ? 107 : 200, 3); /* what has just been covered does not count */
      else if (x >= 30 + TOOL_BAND || y < 20 - TOOL_BAND)
        memset (made->data + 3 * i, 0, 3); /* nor what is far away */
    }
  ToolHoleMeter meter = { 0 };
  tool_hole_meter_add_change (&meter, before, made, earlier, mask);
  const ToolHoleScore s = tool_hole_meter_read (&meter);
  g_assert_cmpfloat_with_epsilon (s.change, 7, 1e-9);
  g_assert_cmpfloat_with_epsilon (s.band, 2, 1e-9);
}

/* ---- fillers ------------------------------------------------------------------------------------ */

#define FRAMES 6

typedef struct
{
  ToolPicture *frames[FRAMES], *made[FRAMES];
  guint8 data[FRAMES][N], *masks[FRAMES];
} Scene;

static void
scene_clear (Scene *s)
{
  for (int i = 0; i < FRAMES; i++) {
    tool_picture_free (s->frames[i]);
    tool_picture_free (s->made[i]);
  }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scene, scene_clear)

/* One picture, over which a box of 10 x 10 moves to the right, 5 pixels a frame. */
static void
make_scene (Scene *s, const ToolPicture *picture, int under)
{
  for (int i = 0; i < FRAMES; i++) {
    s->frames[i] = copy (picture);
    s->made[i] = flat (1);
    s->masks[i] = s->data[i];
    fill_box (s->data[i], 5 + 5 * i, 20, 15 + 5 * i, 30);
    for (int k = 0; k < N; k++)
      if (s->data[i][k])
        memset (s->frames[i]->data + 3 * k, under, 3);
  }
}

static void
run_filler (const char *word, Scene *s)
{
  g_autoptr (GError) error = NULL;
  ToolFillerOptions options = { .inpaint.lookahead = 3, .session = { .backend = VFI_BACKEND_CPU, .threads = 1 } };
  double seconds = -1;
  ToolFiller *f = tool_filler_new (word, &options, &error);
  g_assert_no_error (error);
  g_assert_true (tool_filler_run (f, FRAMES, s->frames, s->masks, s->made, &seconds, &error));
  g_assert_no_error (error);
  g_assert_cmpfloat (seconds, >=, 0);
  tool_filler_free (f);
}

static void
test_last_seen (void)
{
  g_autoptr (ToolPicture) picture = noise (9);
  g_auto (Scene) s = { 0 };
  int mean[3] = { 0 };
  make_scene (&s, picture, 255);
  run_filler ("last", &s);
  for (int k = 0; k < N; k++)
    for (int c = 0; c < 3 && !s.data[0][k]; c++)
      mean[c] += picture->data[3 * k + c];
  for (int i = 0; i < FRAMES; i++)
    for (int k = 0; k < N; k++)
      for (int c = 0; c < 3; c++) {
        if (i == 0 && s.data[0][k]) /* not seen yet */
          g_assert_cmpint (s.made[0]->data[3 * k + c], ==, (mean[c] + (N - 100) / 2) / (N - 100));
        else if (i > 1 || !s.data[0][k]) /* by then all has been seen */
          g_assert_cmpint (s.made[i]->data[3 * k + c], ==, picture->data[3 * k + c]);
      }
}

/* Frames come back whole and in order, and outside of the holes as they were. */
static void
test_session (gconstpointer word)
{
  g_auto (Scene) s = { 0 };
  g_autoptr (ToolPicture) picture = flat (90);
  make_scene (&s, picture, 200);
  for (int i = 0; i < FRAMES; i++)
    memset (s.frames[i]->data, 10 * i, 30); /* tells them apart */
  run_filler (word, &s);
  for (int i = 0; i < FRAMES; i++)
    for (int k = 0; k < N; k++)
      if (!s.data[i][k])
        g_assert_cmpmem (s.made[i]->data + 3 * k, 3, s.frames[i]->data + 3 * k, 3);
}

static void
test_opencv (gconstpointer word)
{
  g_auto (Scene) s = { 0 };
  g_autoptr (ToolPicture) picture = flat (90);
  if (!g_strv_contains (tool_filler_words (), word)) {
    g_test_skip ("built without OpenCV");
    return;
  }
  make_scene (&s, picture, 255);
  fill_box (s.data[0], 0, 0, 10, 10); /* its first row and column are never filled without some care */
  for (int k = 0; k < N; k++)
    if (s.data[0][k])
      memset (s.frames[0]->data + 3 * k, 255, 3);
    else
      memset (s.frames[0]->data + 3 * k, 90, 3);
  run_filler (word, &s);
  for (int i = 0; i < FRAMES; i++)
    for (int k = 0; k < N * 3; k++)
      g_assert_cmpint (ABS (s.made[i]->data[k] - 90), <=, 2); /* Telea rounds as it goes */
}

static void
test_words (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (tool_filler_new ("first", &(ToolFillerOptions){ 0 }, &error));
  g_assert_nonnull (strstr (error->message, "ours, causal, last"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/hole/rectangle", test_rectangle);
  g_test_add_func ("/hole/moving", test_moving);
  g_test_add_func ("/hole/strokes", test_strokes);
  g_test_add_func ("/hole/masks", test_masks);
  g_test_add_func ("/holescore/against-direct", test_against_direct);
  g_test_add_func ("/holescore/means", test_means);
  g_test_add_func ("/holescore/warp", test_warp);
  g_test_add_func ("/holescore/warp-between", test_warp_between);
  g_test_add_func ("/holescore/change", test_change);
  g_test_add_func ("/filler/last-seen", test_last_seen);
  g_test_add_data_func ("/filler/session/ours", "ours", test_session);
  g_test_add_data_func ("/filler/session/causal", "causal", test_session);
  g_test_add_data_func ("/filler/opencv/telea", "telea", test_opencv);
  g_test_add_data_func ("/filler/opencv/navier-stokes", "ns", test_opencv);
  g_test_add_func ("/filler/words", test_words);
  return g_test_run ();
}
