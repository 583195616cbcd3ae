/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inpainting session: the protocol, what it must not touch, and that what was seen comes back.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "frames.h"

enum
{
  W = 150, /* no multiple of anything */
  H = 101,
};

/* A texture that lies dx to the left in this frame: hills of several sizes, no two places alike. */
typedef struct
{
  double dx, gain;
  double lift; /* of a hill of brightness in the middle */
} Scene;

static double
texture (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const Scene *s = data;
  const double u = x + s->dx;
  double v = 0.5 + 0.12 * sin (u * 0.11 + 2 * sin (y * 0.07)) + 0.1 * sin (y * 0.19 + u * 0.05) + 0.08 * sin (u * 0.43) * sin (y * 0.37) +
             0.05 * sin (u * 0.8 + y * 0.3);

  v += s->lift * exp (-((u - W / 2) * (u - W / 2) + (y - H / 2) * (y - H / 2)) / 128);
  if (plane || comp)
    v = 0.5 + (v - 0.5) * 0.3 + 0.03 * (plane + comp);
  return v * s->gain;
}

static TestFrame *
scene_frame (VfiFormat format, Scene scene)
{
  TestFrame *f = test_frame_new (&(VfiFrameInfo){ format, W, H, VFI_RANGE_FULL }, 7);
  test_frame_fill (f, texture, &scene);
  return f;
}

/* A white box in a black mask. */
static void
box (guint8 *mask, int x0, int y0, int w, int h)
{
  memset (mask, 0, W * H);
  for (int y = y0; y < y0 + h; y++)
    memset (mask + y * W + x0, 255, w);
}

static VfiMask
mask_of (const guint8 *data)
{
  return (VfiMask){ W, H, data, W };
}

/* What must go: every sample of the box at its extreme. */
static void
deface (TestFrame *f, const guint8 *mask)
{
  for (int p = 0; p < f->n_planes; p++)
    for (int y = 0; y < f->h[p]; y++)
      for (int x = 0; x < f->w[p]; x++)
        if (mask[MIN (y << f->layout[p].sub_y, H - 1) * W + MIN (x << f->layout[p].sub_x, W - 1)])
          for (int c = 0; c < f->layout[p].comps; c++)
            test_frame_set (f, p, y, x, c, c & 1 ? 0 : test_frame_max (f, p));
}

static VfiInpaint *
session (VfiFormat format, const VfiInpaintOptions *o)
{
  g_autoptr (GError) error = NULL;
  VfiInpaint *s = vfi_inpaint_new (&(VfiFrameInfo){ format, W, H, VFI_RANGE_FULL },
                                   &(VfiOptions){ .backend = VFI_BACKEND_CPU, .precision = VFI_PRECISION_FP32, .threads = 1 }, o, &error);
  g_assert_no_error (error);
  return s;
}

static void
push (VfiInpaint *s, TestFrame *f, const guint8 *mask)
{
  g_autoptr (GError) error = NULL;
  const VfiMask m = mask_of (mask);
  vfi_inpaint_push (s, &f->frame, mask ? &m : NULL, &error);
  g_assert_no_error (error);
}

static void
pull (VfiInpaint *s, TestFrame *f)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (vfi_inpaint_pull (s, &f->frame, &error), ==, VFI_INPAINT_DONE);
  g_assert_no_error (error);
  g_assert_true (test_frame_intact (f));
}

/* TRUE if every sample that covers no marked pixel is the same. */
static gboolean
same_outside (const TestFrame *a, const TestFrame *b, const guint8 *mask)
{
  for (int p = 0; p < a->n_planes; p++)
    for (int y = 0; y < a->h[p]; y++)
      for (int x = 0; x < a->w[p]; x++) {
        gboolean inside = FALSE;
        for (int v = y << a->layout[p].sub_y; v < MIN ((y + 1) << a->layout[p].sub_y, H); v++)
          for (int u = x << a->layout[p].sub_x; u < MIN ((x + 1) << a->layout[p].sub_x, W); u++)
            inside |= mask[v * W + u] != 0;
        for (int c = 0; c < a->layout[p].comps && !inside; c++)
          if (test_frame_get (a, p, y, x, c) != test_frame_get (b, p, y, x, c))
            return FALSE;
      }
  return TRUE;
}

/* PSNR of the first plane in the mask, dB. */
static double
likeness (const TestFrame *a, const TestFrame *b, const guint8 *mask)
{
  double sum = 0, most = test_frame_max (a, 0);
  int n = 0;
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++)
      if (mask[y * W + x]) {
        const double d = test_frame_get (a, 0, y, x, 0) - test_frame_get (b, 0, y, x, 0);
        sum += d * d;
        n++;
      }
  return 10 * log10 (most * most / fmax (sum / n, 1e-3));
}

/* ---- tests -------------------------------------------------------------------------------------- */

/* In every format: a box moves over a panning scene; outside every byte stays, inside comes what was there. */
static void
formats (void)
{
  for (int format = 0; format < VFI_N_FORMATS; format++) {
    static guint8 mask[W * H];
    VfiInpaint *s = session (format, &(VfiInpaintOptions){ .history = 8 });
    double worst = 1000;

    for (int i = 0; i < 6; i++) {
      g_autoptr (TestFrame) truth = scene_frame (format, (Scene){ 2.5 * i, 1 });
      g_autoptr (TestFrame) f = scene_frame (format, (Scene){ 2.5 * i, 1 });
      g_autoptr (TestFrame) out = test_frame_new (&f->info, 3);

      box (mask, 30 + 14 * i, 40, 12, 20);
      deface (f, mask);
      push (s, f, mask);
      pull (s, out);
      g_assert_true (same_outside (f, out, mask));
      if (f->layout[0].comps == 4) /* alpha is not painted over */
        g_assert_cmpint (test_frame_get (out, 0, 50, 34 + 14 * i, 3), ==, test_frame_get (f, 0, 50, 34 + 14 * i, 3));
      if (i)
        worst = MIN (worst, likeness (truth, out, mask));
    }
    g_test_message ("%s: %.1f dB", vfi_format_name (format), worst);
    g_assert_cmpfloat (worst, >, 48);
    vfi_inpaint_free (s);
  }
}

static void
protocol (void)
{
  static guint8 mask[W * H];
  VfiInpaint *s = session (VFI_FORMAT_I420, &(VfiInpaintOptions){ .lookahead = 2, .history = 4 });
  g_autoptr (GError) error = NULL;
  g_autoptr (TestFrame) out = scene_frame (VFI_FORMAT_I420, (Scene){ 0, 1 });
  TestFrame *f[6];

  box (mask, 50, 40, 20, 20);
  for (int i = 0; i < 6; i++)
    f[i] = scene_frame (VFI_FORMAT_I420, (Scene){ 3 * i, 1 });
  g_assert_cmpint (vfi_inpaint_pull (s, &out->frame, &error), ==, VFI_INPAINT_MORE);
  for (int i = 0; i < 3; i++) {
    g_assert_cmpint (vfi_inpaint_pull (s, &out->frame, &error), ==, VFI_INPAINT_MORE);
    push (s, f[i], mask);
  }
  g_assert_false (vfi_inpaint_push (s, &f[3]->frame, NULL, &error)); /* three are waiting */
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);
  pull (s, out);
  g_assert_true (same_outside (out, f[0], mask));
  g_assert_cmpint (vfi_inpaint_pull (s, &out->frame, &error), ==, VFI_INPAINT_MORE);
  vfi_inpaint_flush (s);
  for (int i = 1; i < 3; i++) {
    pull (s, out);
    g_assert_true (same_outside (out, f[i], mask));
  }
  g_assert_cmpint (vfi_inpaint_pull (s, &out->frame, &error), ==, VFI_INPAINT_MORE);
  push (s, f[3], mask); /* goes on */
  g_assert_cmpint (vfi_inpaint_pull (s, &out->frame, &error), ==, VFI_INPAINT_MORE);
  vfi_inpaint_reset (s);
  vfi_inpaint_flush (s);
  g_assert_cmpint (vfi_inpaint_pull (s, &out->frame, &error), ==, VFI_INPAINT_MORE);
  push (s, f[4], NULL);
  vfi_inpaint_flush (s);
  pull (s, out);
  g_assert_true (vfi_frame_equal (&out->info, &out->frame, &f[4]->frame));
  g_assert_no_error (error);
  for (int i = 0; i < 6; i++)
    test_frame_free (f[i]);
  vfi_inpaint_free (s);
}

/* Pushes a frame of a texture whose box is defaced, and pulls what becomes of it; the frame as it was. */
static TestFrame *
remove_from (VfiInpaint *s, const guint8 *mask, TestPicture picture, gconstpointer data, TestFrame *out)
{
  TestFrame *truth = test_frame_new (&out->info, 7);
  g_autoptr (TestFrame) in = test_frame_new (&out->info, 7);

  test_frame_fill (truth, picture, data);
  test_frame_fill (in, picture, data);
  deface (in, mask);
  push (s, in, mask);
  pull (s, out);
  return truth;
}

/* The scene stands still, but a square with a texture of its own moves to the right before it; its left edge is at x. */
static double
passing_texture (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const double left = *(const double *) data, u = x - left;
  const Scene scene = { 0, 1, 0 };

  if (u < 0 || u >= 40 || y < 32 || y >= 68)
    return texture (f, plane, comp, y, x, &scene);
  return plane || comp ? 0.4 : 0.5 + 0.2 * sin (u * 0.9) * sin (y * 0.7) + 0.2 * sin (u * 0.35 + y * 0.2);
}

/* What goes behind the mask moves on there, past what stands still around it. */
static void
passing (void)
{
  static guint8 mask[W * H], square[W * H];
  VfiInpaint *s = session (VFI_FORMAT_I420, NULL);
  g_autoptr (TestFrame) out = scene_frame (VFI_FORMAT_I420, (Scene){ 0, 1 });
  double worst = 100;

  box (mask, 56, 14, 60, 72);
  for (int i = 0; i < 12; i++) {
    const double left = 6 + 3.5 * i;
    g_autoptr (TestFrame) truth = remove_from (s, mask, passing_texture, &left, out);

    if (left + 36 < 60)
      continue;
    box (square, 56, 36, (int) left + 36 - 56, 28);
    worst = MIN (worst, likeness (truth, out, square));
  }
  g_test_message ("behind the mask: %.1f dB", worst);
  g_assert_cmpfloat (worst, >, 32.5); /* 16 if it does not move on */
  vfi_inpaint_free (s);
}

/* The scene moves to the right, but a small bright square stands still before it, at the edge of where the mask is. */
static double
stray_texture (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const Scene scene = { -5.0 * *(const int *) data, 1, 0 };

  if (x < 40 || x >= 52 || y < 44 || y >= 56)
    return texture (f, plane, comp, y, x, &scene);
  return plane || comp ? 0.5 : 0.9 + 0.05 * sin (x * 0.9) * sin (y * 0.7);
}

/* Nothing of it goes behind the mask with the scene. */
static void
stray (void)
{
  static guint8 mask[W * H], hidden[W * H];
  VfiInpaint *s = session (VFI_FORMAT_I420, NULL);
  g_autoptr (TestFrame) out = scene_frame (VFI_FORMAT_I420, (Scene){ 0, 1 });
  double worst = 100;

  box (mask, 58, 24, 60, 54);
  box (hidden, 60, 40, 40, 20);
  for (int i = 0; i < 16; i++) {
    g_autoptr (TestFrame) truth = remove_from (s, mask, stray_texture, &i, out);

    if (i >= 12)
      worst = MIN (worst, likeness (truth, out, hidden));
  }
  g_test_message ("behind the mask: %.1f dB", worst);
  g_assert_cmpfloat (worst, >, 24.8); /* 10 if it does */
  vfi_inpaint_free (s);
}

/* A board that turns, shrinks and comes back. */
typedef struct
{
  double x, y, angle, size; /* of its middle */
} Board;

static double
board_texture (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const Board *b = data;
  const Scene scene = { 0, 1, 0 };
  const double c = cos (b->angle) / b->size, s = sin (b->angle) / b->size, u = c * (x - b->x) + s * (y - b->y),
               v = c * (y - b->y) - s * (x - b->x);

  if (fabs (u) >= 22 || fabs (v) >= 34)
    return texture (f, plane, comp, y, x, &scene);
  return plane || comp ? 0.4 : 0.5 + 0.2 * sin (u * 0.9) * sin (v * 0.7) + 0.2 * sin (u * 0.35 + v * 0.2);
}

/* What goes behind the mask and is still seen beside it moves there as it does beside it, for as long as it takes. */
static void
parting (void)
{
  static guint8 mask[W * H], hidden[W * H];
  VfiInpaint *s = session (VFI_FORMAT_I420, NULL);
  g_autoptr (TestFrame) out = scene_frame (VFI_FORMAT_I420, (Scene){ 0, 1 });
  double worst = 100;

  box (mask, 60, 44, 70, 50);
  for (int i = 0; i < 30; i++) {
    const Board b = { 34 + 40 * sin (i * 0.09), 46, 0.012 * i, 1 - 0.006 * i };
    g_autoptr (TestFrame) truth = remove_from (s, mask, board_texture, &b, out);

    if (i < 12)
      continue;
    box (hidden, 62, 46, MAX ((int) (b.x + 16 - 62), 1), 24);
    worst = MIN (worst, likeness (truth, out, hidden));
  }
  g_test_message ("behind the mask: %.1f dB", worst);
  g_assert_cmpfloat (worst, >, 19.3); /* 13 if what it moves as is not known from what is seen of it */
  vfi_inpaint_free (s);
}

/* Nothing moves and nothing behind the box was ever seen: what is made up stays as it is to the last bit, long after the history. */
static void
still (void)
{
  static guint8 mask[W * H];
  VfiInpaint *s = session (VFI_FORMAT_NV12, &(VfiInpaintOptions){ .history = 4, .dilate = 2, .feather = 3 });
  g_autoptr (TestFrame) f = scene_frame (VFI_FORMAT_NV12, (Scene){ 0, 1 });
  g_autoptr (TestFrame) first = test_frame_new (&f->info, 0);
  g_autoptr (TestFrame) out = test_frame_new (&f->info, 0);
  VfiInpaintInfo info;
  gsize bytes = 0;

  box (mask, 50, 40, 25, 20);
  deface (f, mask);
  for (int i = 0; i < 20; i++) {
    push (s, f, mask);
    pull (s, i ? out : first);
    if (i)
      g_assert_true (vfi_frame_equal (&f->info, &first->frame, &out->frame));
    vfi_inpaint_get_info (s, &info);
    g_assert_cmpuint (info.spatial, ==, info.removed);
    if (i == 1)
      bytes = info.bytes;
    if (i > 1)
      g_assert_cmpuint (info.bytes, ==, bytes);
  }
  vfi_inpaint_free (s);
}

/* It slowly gets darker before a camera that stands still, and in one place nothing stays as it was. */
static double
restless_texture (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const int i = *(const int *) data;
  double v = 0.5 + 0.06 * sin (x * 0.8 + y * 0.3) * sin (y * 0.7 - x * 0.2);

  if (fabs (x - W / 2) < 14 && fabs (y - 20) < 8)
    v += 0.2 * sin (43758.5 * sin (x * 12.9898 + y * 78.233 + i * 37.719)); /* noise */
  return (plane || comp ? 0.5 : v) * (1 - 0.0025 * i);
}

/* Behind the mask, of which that place is at the edge, nothing is ever seen. What is made up anew there in each frame, as it does not fit any more,
 * beside what was made up before, gets darker as all does, and no more. */
static void
unseen (void)
{
  static guint8 mask[W * H];
  VfiInpaint *s = session (VFI_FORMAT_I420, NULL);
  g_autoptr (TestFrame) out = scene_frame (VFI_FORMAT_I420, (Scene){ 0, 1 });
  double worst = 0;

  box (mask, 35, 30, 80, 56);
  for (int i = 0; i < 40; i++) {
    g_autoptr (TestFrame) truth = remove_from (s, mask, restless_texture, &i, out);

    for (int y = 50; y < 80; y++)
      for (int x = 41; x < 109; x++)
        worst = fmax (worst, fabs (test_frame_get (out, 0, y, x, 0) - 127.5 * (1 - 0.0025 * i)));
  }
  g_test_message ("%.1f from the mean", worst);
  g_assert_cmpfloat (worst, <, 9.5); /* what is around it is up to 15 from it; 25 if all of it gets what some of it lacks */
  vfi_inpaint_free (s);
}

/* Masks that cover everything, nothing, come in other sizes; the smallest frames; bad ones. */
static void
masks (void)
{
  static guint8 mask[W * H];
  const VfiFrameInfo small = { VFI_FORMAT_I420, 16, 17, VFI_RANGE_LIMITED };
  VfiInpaint *s = session (VFI_FORMAT_I420, &(VfiInpaintOptions){ 0 });
  g_autoptr (GError) error = NULL;
  g_autoptr (TestFrame) f = scene_frame (VFI_FORMAT_I420, (Scene){ 0, 1 });
  g_autoptr (TestFrame) out = test_frame_new (&f->info, 0);
  g_autoptr (TestFrame) tiny = test_frame_new (&small, 0);
  g_autoptr (TestFrame) tiny_out = test_frame_new (&small, 0);
  static const guint8 corner[6] = { 255, 0, 0, 0, 0, 0 };
  VfiInpaintInfo info;

  memset (mask, 255, sizeof mask);
  push (s, f, mask); /* nothing is known: grey */
  pull (s, out);
  for (int p = 0; p < 3; p++)
    g_assert_cmpint (test_frame_get (out, p, 10, 10, 0), ==, 128);
  push (s, f, NULL);
  pull (s, out);
  g_assert_true (vfi_frame_equal (&f->info, &f->frame, &out->frame));
  push (s, f, mask); /* the frame before shows everything */
  pull (s, out);
  vfi_inpaint_get_info (s, &info);
  g_assert_cmpuint (info.removed, ==, W * H);
  g_assert_cmpuint (info.past, ==, W * H);
  g_assert_true (vfi_frame_equal (&f->info, &f->frame, &out->frame));

  vfi_inpaint_reset (s);
  g_assert_true (vfi_inpaint_push (s, &f->frame, &(VfiMask){ 3, 2, corner, 3 }, &error)); /* a sixth of the frame */
  g_assert_no_error (error);
  pull (s, out);
  vfi_inpaint_get_info (s, &info);
  g_assert_cmpuint (info.removed, ==, 50 * 50);

  g_assert_false (vfi_inpaint_push (s, &f->frame, &(VfiMask){ 3, 2, NULL, 3 }, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);
  g_assert_false (vfi_inpaint_push (s, &f->frame, &(VfiMask){ 3, 2, corner, 2 }, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);

  g_assert_true (vfi_inpaint_set_info (s, &small, &error));
  g_assert_no_error (error);
  for (int i = 0; i < 3; i++) {
    test_frame_random (tiny, "tiny");
    g_assert_true (vfi_inpaint_push (s, &tiny->frame, &(VfiMask){ 3, 2, corner, 3 }, &error));
    g_assert_cmpint (vfi_inpaint_pull (s, &tiny_out->frame, &error), ==, VFI_INPAINT_DONE);
    g_assert_no_error (error);
    g_assert_true (test_frame_intact (tiny_out));
  }
  vfi_inpaint_free (s);
}

static void
errors (void)
{
  const VfiFrameInfo huge = { VFI_FORMAT_RGBA, 16384, 16384, VFI_RANGE_FULL };
  static const VfiInpaintOptions bad[] = { { .history = -1 }, { .history = 257 }, { .lookahead = 65 },     { .dilate = 129 },
                                           { .feather = -1 }, { .feather = 65 },  { .scene_threshold = 2 } };
  g_autoptr (GError) error = NULL;

  g_assert_null (vfi_inpaint_new (&huge, NULL, &(VfiInpaintOptions){ .history = 256 }, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
  g_assert_nonnull (strstr (error->message, "MiB"));
  g_clear_error (&error);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_assert_null (vfi_inpaint_new (&(VfiFrameInfo){ VFI_FORMAT_I420, W, H, VFI_RANGE_FULL }, NULL, &bad[i], &error));
    g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
    g_clear_error (&error);
  }
}

/* What no frame shows is filled in by the network that is named. */
static void
models (void)
{
  static const struct
  {
    const char *asked, *used;
  } cases[] = {
    { NULL, "vfi-fill-nano" }, { "auto", "vfi-fill-nano" }, { "smooth", "smooth" }, { "vfi-flow-nano", NULL }, { "smoth", NULL }
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const VfiOptions options = { .model = cases[i].asked, .backend = VFI_BACKEND_CPU, .threads = 1 };
    g_autoptr (GError) error = NULL;
    VfiInpaint *s = vfi_inpaint_new (&(VfiFrameInfo){ VFI_FORMAT_I420, W, H, VFI_RANGE_FULL }, &options, NULL, &error);
    VfiInpaintInfo info;

    if (cases[i].used) {
      g_assert_no_error (error);
      vfi_inpaint_get_info (s, &info);
      g_assert_cmpstr (info.model, ==, cases[i].used);
    } else {
      g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
    }
    vfi_inpaint_free (s);
  }
}

/* The picture gets darker from frame to frame; what comes from older ones is made as dark. */
static void
exposure (void)
{
  static guint8 mask[W * H];
  VfiInpaint *s = session (VFI_FORMAT_NV12, &(VfiInpaintOptions){ 0 });
  double worst = 1000;

  for (int i = 0; i < 9; i++) {
    const Scene scene = { 2.5 * i, 1 - 0.02 * i };
    g_autoptr (TestFrame) truth = scene_frame (VFI_FORMAT_NV12, scene);
    g_autoptr (TestFrame) f = scene_frame (VFI_FORMAT_NV12, scene);
    g_autoptr (TestFrame) out = test_frame_new (&f->info, 0);

    box (mask, 16 + 10 * i, 36, 26, 30); /* each place is hidden for two to three frames */
    deface (f, mask);
    push (s, f, mask);
    pull (s, out);
    if (i > 2)
      worst = MIN (worst, likeness (truth, out, mask));
  }
  g_test_message ("%.1f dB", worst);
  g_assert_cmpfloat (worst, >, 40); /* left as it was, three frames old, it would be 31 at the very best */
  vfi_inpaint_free (s);
}

/* Of a hole, an earlier frame shows the left part and a later one the right part, and they do not agree: there is no edge where they meet. */
static void
seam (void)
{
  static guint8 mask[W * H];
  VfiInpaint *s = session (VFI_FORMAT_NV12, &(VfiInpaintOptions){ .lookahead = 1 });
  g_autoptr (TestFrame) plain = scene_frame (VFI_FORMAT_NV12, (Scene){ 0, 1 });
  g_autoptr (TestFrame) out = test_frame_new (&plain->info, 0);
  VfiInpaintInfo info;
  double worst = 0;

  for (int i = 0; i < 3; i++) {
    g_autoptr (TestFrame) f = scene_frame (VFI_FORMAT_NV12, (Scene){ 0, 1, i ? 0 : 0.2 });
    box (mask, W / 2 + (i ? -20 : 5), H / 2 - 20, i == 1 ? 40 : 15, 40);
    deface (f, mask);
    push (s, f, mask);
    if (i)
      pull (s, out);
  }
  vfi_inpaint_get_info (s, &info);
  g_assert_cmpuint (info.past, >, 40 * 15);
  g_assert_cmpuint (info.future, >, 40 * 10);
  for (int y = H / 2 - 20; y < H / 2 + 20; y++)
    for (int x = W / 2 - 20; x < W / 2 + 20; x++)
      worst = fmax (worst, abs (test_frame_get (out, 0, y, x, 0) - test_frame_get (out, 0, y, x - 1, 0) -
                                test_frame_get (plain, 0, y, x, 0) + test_frame_get (plain, 0, y, x - 1, 0)));
  g_test_message ("at worst a step of %g", worst);
  g_assert_cmpfloat (worst, <=, 8); /* of 46 between the two; the hill itself rises by 4 */
  vfi_inpaint_free (s);
}

/* At a cut, frames on the near side are completed with what that side has, and nothing of it comes over. */
static void
cut (void)
{
  static guint8 mask[W * H], none[W * H];
  VfiInpaint *s = session (VFI_FORMAT_I420, &(VfiInpaintOptions){ .lookahead = 3 });
  g_autoptr (TestFrame) out = scene_frame (VFI_FORMAT_I420, (Scene){ 0, 1 });
  VfiInpaintInfo info;

  for (int i = 0; i < 8; i++) {
    g_autoptr (TestFrame) f = scene_frame (VFI_FORMAT_I420, (Scene){ 0, 1 });
    if (i >= 4)
      test_frame_random (f, "another scene");
    box (mask, 50, 40, 20, 20);
    push (s, f, i == 1 || i == 2 ? none : mask); /* hidden in 0, 3, and from the cut on */
    if (i < 3)
      continue;
    pull (s, out);
    vfi_inpaint_get_info (s, &info);
    switch (i - 3) {
      case 0: /* seen in 1 */
        g_assert_cmpuint (info.future, ==, info.removed);
        break;
      case 3: /* in 2, while all that follows is another scene */
        g_assert_cmpuint (info.past, ==, info.removed);
        break;
      case 4:
        g_assert_cmpuint (info.spatial, ==, info.removed);
        break;
    }
    g_assert_true (same_outside (out, f, mask) || i - 3 < 4);
  }
  vfi_inpaint_free (s);
}

/* Masks that come, go and move, for 500 frames: what is held stays within what the first hundred needed. */
static void
bounded (void)
{
  static guint8 mask[W * H];
  VfiInpaint *s = session (VFI_FORMAT_GRAY8, &(VfiInpaintOptions){ .history = 5, .lookahead = 2 });
  gsize bytes = 0;
  VfiInpaintInfo info;

  for (int i = 0; i < (SANITIZED ? 130 : 500); i++) {
    g_autoptr (TestFrame) f = scene_frame (VFI_FORMAT_GRAY8, (Scene){ 0.7 * i, 1 });
    box (mask, 10 + i * 7 % 90, 10 + i * 3 % 50, 30, 26);
    push (s, f, i % 10 < 4 ? mask : NULL);
    if (i >= 2)
      pull (s, f);
    vfi_inpaint_get_info (s, &info);
    if (i == 100)
      bytes = info.bytes;
    if (i > 100)
      g_assert_cmpuint (info.bytes, ==, bytes);
  }
  vfi_inpaint_free (s);
}

#if !SANITIZED
/* Little memory more than there is in use. */
static struct rlimit
tighten (gsize more)
{
  g_autofree char *statm = NULL;
  struct rlimit before, tight;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL));
  g_assert_cmpint (getrlimit (RLIMIT_AS, &before), ==, 0);
  tight = before;
  tight.rlim_cur = strtoull (statm, NULL, 10) * sysconf (_SC_PAGESIZE) + more;
  g_assert_cmpint (setrlimit (RLIMIT_AS, &tight), ==, 0);
  return before;
}

/* Where there is no memory for another size, the old one stays. */
static void
no_memory (void)
{
  const VfiFrameInfo large = { VFI_FORMAT_I420, 3840, 2160, VFI_RANGE_FULL };
  VfiInpaint *s = session (VFI_FORMAT_I420, &(VfiInpaintOptions){ .history = 8 });
  g_autoptr (TestFrame) f = scene_frame (VFI_FORMAT_I420, (Scene){ 0, 1 });
  g_autoptr (TestFrame) out = test_frame_new (&f->info, 0);
  g_autoptr (GError) error = NULL;
  static guint8 mask[W * H];

  const struct rlimit before = tighten (32 << 20);
  g_assert_false (vfi_inpaint_set_info (s, &large, &error));
  g_assert_cmpint (setrlimit (RLIMIT_AS, &before), ==, 0);
  g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
  box (mask, 50, 40, 20, 20);
  push (s, f, NULL);
  pull (s, out);
  push (s, f, mask);
  pull (s, out);
  g_assert_true (vfi_frame_equal (&f->info, &f->frame, &out->frame)); /* seen in the first */
  vfi_inpaint_free (s);
}

/* Where there is no memory for what a mask covers, the frames that wait can still be had. */
static void
large_mask (gconstpointer megabytes)
{
  enum
  {
    SIDE = 1024
  };
  g_autofree guint8 *pixels = g_malloc0 (SIDE * SIDE), *made = g_malloc0 (SIDE * SIDE), *marks = g_malloc0 (SIDE * SIDE);
  const VfiFrame f = { .data = { pixels }, .stride = { SIDE } };
  const VfiMask mask = { SIDE, SIDE, marks, SIDE };
  VfiFrame out = { .data = { made }, .stride = { SIDE } };
  g_autoptr (GError) error = NULL;
  VfiInpaint *s = vfi_inpaint_new (&(VfiFrameInfo){ VFI_FORMAT_GRAY8, SIDE, SIDE, VFI_RANGE_FULL },
                                   &(VfiOptions){ .backend = VFI_BACKEND_CPU, .precision = VFI_PRECISION_FP32, .threads = 1 },
                                   &(VfiInpaintOptions){ .history = 1, .lookahead = 1 }, &error);

  g_assert_no_error (error);
  memset (pixels, 100, SIDE * SIDE);
  memset (pixels + 100 * SIDE + 100, 255, 30);
  memset (marks + 100 * SIDE + 100, 255, 30);
  g_assert_true (vfi_inpaint_push (s, &f, &mask, &error));
  memset (marks, 255, SIDE * SIDE);
  const struct rlimit before = tighten (GPOINTER_TO_SIZE (megabytes) << 20);
  g_assert_false (vfi_inpaint_push (s, &f, &mask, &error));
  g_assert_cmpint (setrlimit (RLIMIT_AS, &before), ==, 0);
  g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
  g_clear_error (&error);
  vfi_inpaint_flush (s);
  g_assert_cmpint (vfi_inpaint_pull (s, &out, &error), ==, VFI_INPAINT_DONE);
  g_assert_no_error (error);
  for (int i = 0; i < SIDE * SIDE; i++)
    g_assert_cmpint (ABS (made[i] - 100), <=, 1);
  vfi_inpaint_free (s);
}
#endif

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inpaint/formats", formats);
  g_test_add_func ("/inpaint/protocol", protocol);
  g_test_add_func ("/inpaint/passing", passing);
  g_test_add_func ("/inpaint/stray", stray);
  g_test_add_func ("/inpaint/parting", parting);
  g_test_add_func ("/inpaint/still", still);
  g_test_add_func ("/inpaint/unseen", unseen);
  g_test_add_func ("/inpaint/masks", masks);
  g_test_add_func ("/inpaint/errors", errors);
  g_test_add_func ("/inpaint/models", models);
  g_test_add_func ("/inpaint/exposure", exposure);
  g_test_add_func ("/inpaint/seam", seam);
  g_test_add_func ("/inpaint/cut", cut);
  g_test_add_func ("/inpaint/bounded", bounded);
#if !SANITIZED
  g_test_add_func ("/inpaint/no-memory", no_memory);
  for (gsize mb = 8; mb < 120; mb += 16) { /* each of what a mask takes fails at one of these */
    g_autofree char *name = g_strdup_printf ("/inpaint/large-mask/%d", (int) mb);
    g_test_add_data_func (name, GSIZE_TO_POINTER (mb), large_mask);
  }
#endif
  return g_test_run ();
}
