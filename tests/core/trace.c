/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tracing along flows that are exactly known: where a reference points is where the pixel was, however many steps away.
 */
#include <math.h>
#include <string.h>

#include "trace.h"

enum
{
  W = 96,
  H = 80,
  N = 24,
};

/* One frame's step back: q = centre + scale rotation (p - centre) + (u, v). */
typedef struct
{
  double angle, scale, u, v;
} Step;

static void
back_of (const Step *s, double x, double y, double *bx, double *by)
{
  const double dx = x - W / 2., dy = y - H / 2., c = s->scale * cos (s->angle), d = s->scale * sin (s->angle);
  *bx = W / 2. + c * dx - d * dy + s->u;
  *by = H / 2. + d * dx + c * dy + s->v;
}

static void
there_of (const Step *s, double x, double y, double *tx, double *ty)
{
  const double dx = x - W / 2. - s->u, dy = y - H / 2. - s->v, c = cos (s->angle) / s->scale, d = -sin (s->angle) / s->scale;
  *tx = W / 2. + c * dx - d * dy;
  *ty = H / 2. + d * dx + c * dy;
}

static void
fields (const Step *s, float *there, float *back)
{
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      double qx, qy;
      back_of (s, x, y, &qx, &qy);
      back[2 * (y * W + x)] = (float) (qx - x);
      back[2 * (y * W + x) + 1] = (float) (qy - y);
      there_of (s, x, y, &qx, &qy);
      there[2 * (y * W + x)] = (float) (qx - x);
      there[2 * (y * W + x) + 1] = (float) (qy - y);
    }
}

static void
box (VfiRegion *r, int x0, int y0, int w, int h)
{
  static guint8 mask[W * H];
  VfiMarker *marker = vfi_marker_new (W, H);

  memset (mask, 0, sizeof mask);
  for (int y = y0; y < y0 + h; y++)
    memset (mask + y * W + x0, 255, w);
  vfi_region_set (r, marker, &(VfiMask){ W, H, mask, W }, FALSE, 0, 0);
  vfi_marker_free (marker);
}

#define EACH_MARKED(r, i, x, y)                                                                                                            \
  for (int k_ = 0; k_ < (r)->n_boxes; k_++)                                                                                                \
    for (int y = (r)->box[k_].y0; y < (r)->box[k_].y1; y++)                                                                                \
      for (int x = (r)->box[k_].x0; x < (r)->box[k_].x1; x++)                                                                              \
        for (gssize i = vfi_region_index (r, x, y); i >= 0 && (r)->mark[y * W + x]; i = -1)

/* N frames under a hole that stays; a pixel that refers to a frame k back must refer to where it was there, to `within` pixels. */
static void
past (const Step *step, double within, double least_seen)
{
  static float there[2 * W * H], back[2 * W * H];
  VfiRegion region[2] = { { 0 } };
  VfiShown shown;
  VfiTrace trace[2] = { { 0 } };
  int seen = 0, all = 0, oldest = 0;
  double worst = 0;

  fields (step, there, back);
  g_assert_true (vfi_shown_init (&shown, W, H, N));
  for (int i = 0; i < 2; i++) {
    g_assert_true (vfi_region_init (&region[i], W, H));
    box (&region[i], 30, 24, 30, 30);
    g_assert_true (vfi_trace_reserve (&trace[i], region[i].area));
  }
  for (guint32 t = 0; t < N; t++) {
    VfiTrace *now = &trace[t & 1], *before = &trace[1 - (t & 1)];
    vfi_trace_begin (now, &region[t & 1], t);
    vfi_shown_set (&shown, t, &region[t & 1]);
    if (t) {
      vfi_trace_link (now, &region[t & 1], back, there);
      vfi_trace_past (now, &region[t & 1], before, &region[1 - (t & 1)], &shown, 0);
    }
    vfi_trace_choose (now, &region[t & 1]);
  }
  EACH_MARKED (&region[(N - 1) & 1], i, x, y)
  {
    const VfiRef *ref = &trace[(N - 1) & 1].past[i];
    double qx = x, qy = y;
    all++;
    if (ref->kind != VFI_REF_SEEN)
      continue;
    seen++;
    oldest = MAX (oldest, N - 1 - (int) ref->frame);
    for (int k = 0; k < N - 1 - (int) ref->frame; k++)
      back_of (step, qx, qy, &qx, &qy);
    g_assert_true (vfi_shown_at (&shown, ref->frame, ref->x, ref->y));
    worst = fmax (worst, hypot (ref->x - qx, ref->y - qy));
  }
  g_test_message ("%d of %d seen, up to %d frames back, at worst %g pixels off", seen, all, oldest, worst);
  g_assert_cmpfloat (worst, <, within);
  g_assert_cmpint (seen, >=, least_seen * all);
  g_assert_cmpint (oldest, >=, 10);
  vfi_shown_clear (&shown);
  for (int i = 0; i < 2; i++) {
    vfi_trace_clear (&trace[i]);
    vfi_region_clear (&region[i]);
  }
}

static void
pan (void)
{
  past (&(Step){ 0, 1, 1.37, -0.61 }, 3e-4, 0.9);
}

static void
turn (void)
{
  past (&(Step){ 0.02, 1.01, 1.1, 0.45 }, 3e-4, 0.8);
}

/* Sources older than the history are given up for the frame before. */
static void
history (void)
{
  static float flow[2 * W * H];
  VfiRegion region = { 0 }, empty = { 0 };
  VfiShown shown;
  VfiTrace trace[2] = { { 0 } };

  g_assert_true (vfi_region_init (&region, W, H) && vfi_region_init (&empty, W, H) && vfi_shown_init (&shown, W, H, N));
  box (&region, 30, 24, 30, 30);
  for (int i = 0; i < 2; i++)
    g_assert_true (vfi_trace_reserve (&trace[i], region.area));
  vfi_trace_begin (&trace[0], &empty, 0);
  vfi_shown_set (&shown, 0, &empty);
  for (guint32 t = 1; t < 8; t++) {
    VfiTrace *now = &trace[t & 1];
    vfi_trace_begin (now, &region, t);
    vfi_shown_set (&shown, t, &region);
    vfi_trace_link (now, &region, flow, flow);
    vfi_trace_past (now, &region, &trace[1 - (t & 1)], t == 1 ? &empty : &region, &shown, t - 4);
    vfi_trace_choose (now, &region);
    EACH_MARKED (&region, i, x, y)
    {
      g_assert_cmpint (now->chosen[i].kind, ==, t < 5 ? VFI_REF_SEEN : VFI_REF_KEPT);
      g_assert_cmpint (now->chosen[i].frame, ==, t < 5 ? 0 : 4);
      g_assert_cmpfloat (now->chosen[i].x, ==, x);
      g_assert_cmpfloat (now->chosen[i].y, ==, y);
    }
  }
  for (int i = 0; i < 2; i++)
    vfi_trace_clear (&trace[i]);
  vfi_shown_clear (&shown);
  vfi_region_clear (&region);
  vfi_region_clear (&empty);
}

/* Into the future: found in the first frame that shows a pixel, where it is there; nearer ones win. */
static void
ahead (void)
{
  static float there[2 * W * H], back[2 * W * H];
  const Step step = { 0, 1, 2.3137, 0.4211 };
  VfiRegion region = { 0 };
  VfiTrace trace = { 0 };
  int found = 0;

  fields (&step, there, back);
  g_assert_true (vfi_region_init (&region, W, H));
  box (&region, 30, 24, 30, 30);
  g_assert_true (vfi_trace_reserve (&trace, region.area));
  vfi_trace_begin (&trace, &region, 100);
  for (guint32 t = 101; t < 110; t++)
    vfi_trace_ahead (&trace, &region, t, &region, there, back);
  vfi_trace_ahead (&trace, &region, 112, &region, there, back); /* not the next: nothing is known of the way there */
  vfi_trace_choose (&trace, &region);
  EACH_MARKED (&region, i, x, y)
  {
    const VfiRef *ref = &trace.chosen[i];
    double qx = x, qy = y;
    int k = 0;
    do {
      there_of (&step, qx, qy, &qx, &qy);
      k++;
    } while (vfi_region_covered (&region, (float) qx, (float) qy) > VFI_MARK_BAND && k < 20);
    g_assert_cmpint (ref->kind, ==, k < 10 ? VFI_REF_SEEN : VFI_REF_NONE);
    if (k >= 10)
      continue;
    g_assert_cmpint (ref->frame, ==, 100 + k);
    g_assert_cmpfloat (hypot (ref->x - qx, ref->y - qy), <, 3e-4);
    found++;
  }
  g_assert_cmpint (found, >, 500);
  vfi_trace_clear (&trace);
  vfi_region_clear (&region);
}

/* Of two that are as good, the nearer; not one that flows disagree about, or that does not fit what is around it. In the hole, nothing that does not
 * fit at all; in the band around it it stays: that is where it is seen. */
static void
choice (void)
{
  static const struct
  {
    VfiRef past, ahead;
    guint32 frame, kind;
  } cases[] = {
    { { .frame = 8, .kind = VFI_REF_SEEN }, { .frame = 11, .kind = VFI_REF_SEEN }, 11, VFI_REF_SEEN },
    { { .frame = 9, .kind = VFI_REF_SEEN }, { .frame = 11, .kind = VFI_REF_SEEN }, 9, VFI_REF_SEEN },
    { { .frame = 9, .kind = VFI_REF_SEEN, .cost = 2 }, { .frame = 12, .kind = VFI_REF_SEEN }, 12, VFI_REF_SEEN },
    { { .frame = 8, .kind = VFI_REF_SEEN }, { .frame = 11, .kind = VFI_REF_SEEN, .doubt = 0.05f }, 8, VFI_REF_SEEN },
    { { .frame = 9, .kind = VFI_REF_SEEN, .doubt = 0.05f }, { 0 }, 9, VFI_REF_SEEN },
    { { .frame = 9, .kind = VFI_REF_MADE }, { .frame = 15, .kind = VFI_REF_SEEN, .doubt = 0.05f, .cost = 3 }, 15, VFI_REF_SEEN },
    { { .frame = 9, .kind = VFI_REF_MADE }, { .frame = 15, .kind = VFI_REF_SEEN, .doubt = 0.6f }, 9, VFI_REF_MADE },
    { { .frame = 9, .kind = VFI_REF_SEEN, .doubt = 0.6f }, { .frame = 15, .kind = VFI_REF_SEEN }, 15, VFI_REF_SEEN },
    { { .frame = 9, .kind = VFI_REF_KEPT, .doubt = 0.6f }, { 0 }, 0, VFI_REF_NONE },
    { { .frame = 9, .kind = VFI_REF_MADE, .doubt = 0.02f }, { 0 }, 9, VFI_REF_MADE },
    { { .frame = 9, .kind = VFI_REF_MADE, .doubt = 0.2f }, { 0 }, 0, VFI_REF_NONE },
  };
  VfiRegion region = { 0 };
  VfiTrace trace = { 0 };

  g_assert_true (vfi_region_init (&region, W, H));
  box (&region, 30, 24, 30, 30);
  g_assert_true (vfi_trace_reserve (&trace, region.area));
  for (guint k = 0; k < G_N_ELEMENTS (cases); k++) {
    vfi_trace_begin (&trace, &region, 10);
    EACH_MARKED (&region, i, x, y)
    {
      trace.past[i] = cases[k].past;
      trace.ahead[i] = cases[k].ahead;
    }
    vfi_trace_choose (&trace, &region);
    EACH_MARKED (&region, i, x, y)
    {
      const gboolean hidden = region.mark[y * W + x] >= VFI_MARK_FILL;

      g_assert_cmpint (trace.chosen[i].kind != VFI_REF_NONE, ==, !hidden || cases[k].kind != VFI_REF_NONE);
      if (hidden && cases[k].kind != VFI_REF_NONE) {
        g_assert_cmpint (trace.chosen[i].frame, ==, cases[k].frame);
        g_assert_cmpint (trace.chosen[i].kind, ==, cases[k].kind);
      }
      g_assert_cmpint (trace.past[i].kind, ==, cases[k].past.kind); /* frames to come may find it right */
      g_assert_cmpint (trace.ahead[i].kind, ==, cases[k].ahead.kind);
    }
  }
  vfi_trace_clear (&trace);
  vfi_region_clear (&region);
}

/* Where the two flows contradict each other, or lead out of the frame, or to what the frame does not show, nothing is followed. */
static void
contradiction (void)
{
  static float there[2 * W * H], back[2 * W * H];
  VfiRegion region = { 0 }, empty = { 0 };
  VfiShown shown;
  VfiTrace trace = { 0 }, before = { 0 };

  g_assert_true (vfi_region_init (&region, W, H) && vfi_region_init (&empty, W, H) && vfi_shown_init (&shown, W, H, N));
  box (&region, 0, 24, 30, 30);
  g_assert_true (vfi_trace_reserve (&trace, region.area));
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      back[2 * (y * W + x)] = -10;
      there[2 * (y * W + x)] = y < 40 ? 10 : -10;
    }
  vfi_shown_set (&shown, 0, &empty);
  vfi_shown_hide (&shown, 0, &(VfiBox){ 5, 30, 10, 35, 0 });
  vfi_trace_begin (&trace, &region, 1);
  vfi_trace_link (&trace, &region, back, there);
  vfi_trace_past (&trace, &region, &before, &empty, &shown, 0);
  EACH_MARKED (&region, i, x, y)
  g_assert_cmpint (trace.past[i].kind, ==, x >= 10 && y < 40 && !(x >= 15 && x < 20 && y >= 30 && y < 35) ? VFI_REF_SEEN : VFI_REF_NONE);
  vfi_trace_clear (&trace);
  vfi_shown_clear (&shown);
  vfi_region_clear (&region);
  vfi_region_clear (&empty);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trace/pan", pan);
  g_test_add_func ("/trace/turn", turn);
  g_test_add_func ("/trace/history", history);
  g_test_add_func ("/trace/ahead", ahead);
  g_test_add_func ("/trace/choice", choice);
  g_test_add_func ("/trace/contradiction", contradiction);
  return g_test_run ();
}
