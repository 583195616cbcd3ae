/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The interpolation session, with weights made from their names on the plain backend and on the CPU's, and with the shipped ones where they
 * are. Backends are watched, and made to fail, through a changed copy of their table.
 */
#include "interp.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "../generate.h"
#include "area.h"
#include "frames.h"
#include "model.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static const VfiFrameInfo small = { VFI_FORMAT_I420, 64, 48, VFI_RANGE_LIMITED };

/* ---- a watched backend -------------------------------------------------------------------------- */

static void (*real_free) (VfiBackend *);
static void *(*real_alloc) (VfiBackend *, gsize, GError **);
static void (*real_dealloc) (VfiBackend *, void *);
static void (*real_pack) (VfiBackend *, const VfiFrameInfo *, const VfiFrame *, double, const VfiView *);
static int allocs, live, packs, fail_at; /* fail_at: the alloc (from 1) that fails; 0: none */

static void *
count_alloc (VfiBackend *b, gsize bytes, GError **error)
{
  void *p;

  if (++allocs == fail_at) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory, as told");
    return NULL;
  }
  p = real_alloc (b, bytes, error);
  live += p != NULL;
  return p;
}

static void
count_dealloc (VfiBackend *b, void *p)
{
  live -= p != NULL;
  real_dealloc (b, p);
}

static void
count_pack (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x)
{
  packs++;
  real_pack (b, info, frame, flow_scale, x);
}

static void
free_class (VfiBackend *b)
{
  gpointer klass = (gpointer) b->klass;

  real_free (b);
  g_free (klass);
}

static VfiBackend *
backend_new (VfiBackendKind kind)
{
  GError *error = NULL;
  VfiBackend *b = vfi_backend_open (&(VfiOptions){ .backend = kind, .threads = 2 }, NULL, &error);
  VfiBackendClass *klass;

  g_assert_no_error (error);
  b->klass = klass = g_memdup2 (b->klass, sizeof *klass);
  real_free = klass->free;
  real_alloc = klass->alloc;
  real_dealloc = klass->dealloc;
  real_pack = klass->pack;
  klass->free = free_class;
  klass->alloc = count_alloc;
  klass->dealloc = count_dealloc;
  klass->pack = count_pack;
  allocs = live = packs = fail_at = 0;
  return b;
}

/* ---- sessions and frames ------------------------------------------------------------------------ */

/* Weights from names for a model; its own file, NULL if there is none, if `shipped`. */
static VfiWeights *
weights_new (const VfiModel *m, gboolean shipped)
{
  g_autofree char *path = shipped ? vfi_model_find_weights (m) : NULL;
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1] = { vfi_graph_new (VFI_F32), vfi_graph_new (VFI_F32) };
  GError *error = NULL;
  VfiWeights *w = NULL;

  m->frame (graphs[0], m, m->multiple, m->multiple);
  m->at (graphs[1], m, m->multiple, m->multiple);
  if (!shipped)
    w = test_weights_for (graphs);
  else if (path)
    w = vfi_weights_open (path, &error);
  g_assert_no_error (error);
  vfi_graph_free (graphs[0]);
  vfi_graph_free (graphs[1]);
  return w;
}

static VfiInterp *
session_on (VfiBackend *b, const VfiFrameInfo *info, double flow_scale, GError **error)
{
  const VfiModel *m = vfi_model_find ("vfi-nano", NULL);
  g_autoptr (VfiWeights) w = weights_new (m, FALSE);

  return vfi_interp_new_on (b, m, w, VFI_F32, info, flow_scale, error);
}

static VfiInterp *
session_new (VfiBackendKind kind, const VfiFrameInfo *info, double flow_scale)
{
  g_autoptr (VfiBackend) b = backend_new (kind);
  GError *error = NULL;
  VfiInterp *s = session_on (b, info, flow_scale, &error);

  g_assert_no_error (error);
  return s;
}

/* Frame i of a moving, textured picture. Every third one has stripes, by which each pixel changes before it could be taken for one that lies over the picture. */
static double
waves (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const int i = GPOINTER_TO_INT (data);
  const double stripes = i % 3 == 2 && plane == 0 ? (int) x / 8 % 2 * 0.5 - 0.25 : 0;

  return 0.5 + stripes + 0.1 * sin (0.31 * (x - 2.3 * i) + plane) * cos (0.23 * (y + 1.1 * i)) + 0.1 * sin (0.9 * x + 0.7 * y + comp);
}

static TestFrame *
picture (const VfiFrameInfo *info, int i)
{
  TestFrame *f = test_frame_new (info, i % 2 * 16);
  test_frame_fill (f, waves, GINT_TO_POINTER (i));
  return f;
}

static void
set_pair (VfiInterp *s, const TestFrame *a, const TestFrame *b)
{
  GError *error = NULL;
  vfi_interp_set_pair (s, &a->frame, &b->frame, &error);
  g_assert_no_error (error);
}

static TestFrame *
at (VfiInterp *s, const VfiFrameInfo *info, double t)
{
  TestFrame *d = test_frame_new (info, 24);
  GError *error = NULL;

  vfi_interp_at (s, t, &d->frame, &error);
  g_assert_no_error (error);
  g_assert_true (test_frame_intact (d));
  return d;
}

/* What a session that knows nothing else makes of a pair. */
static TestFrame *
fresh (VfiBackendKind kind, const TestFrame *a, const TestFrame *b, double flow_scale, double t)
{
  VfiInterp *s = session_new (kind, &a->info, flow_scale);
  TestFrame *d;

  set_pair (s, a, b);
  d = at (s, &a->info, t);
  vfi_interp_free (s);
  return d;
}

static void
assert_same (const TestFrame *got, TestFrame *want)
{
  g_assert_true (vfi_frame_equal (&want->info, &got->frame, &want->frame));
  test_frame_free (want);
}

#define KIND(data) ((VfiBackendKind) GPOINTER_TO_INT (data))

/* ---- what comes out ----------------------------------------------------------------------------- */

typedef struct
{
  double at, dy, dx;
} Ramp;

static double
ramp (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const Ramp *r = data;
  return r->at + 0.03 * (plane + comp) + r->dy * y + r->dx * x;
}

static void
come_back (VfiInterp *s, const VfiFrameInfo *info, const Ramp *r)
{
  g_autoptr (TestFrame) a = test_frame_new (info, 0), b = test_frame_new (info, 0);
  GError *error = NULL;

  vfi_interp_set_info (s, info, &error);
  g_assert_no_error (error);
  test_frame_fill (a, ramp, r);
  test_frame_fill (b, ramp, r);
  set_pair (s, a, b);
  for (int i = 1; i < 4; i++) {
    g_autoptr (TestFrame) d = at (s, info, i / 4.);
    if (test_frame_worst (a, d, 0) > 1)
      g_error ("%s, range %d: %g%+g y%+g x comes back changed by %d at t = %g", vfi_format_name (info->format), info->range, r->at, r->dy,
               r->dx, test_frame_worst (a, d, 0), i / 4.);
  }
}

/* Flat frames come back in every format, whatever the weights. */
static void
flat (gconstpointer kind)
{
  VfiInterp *s = session_new (KIND (kind), &small, 1);

  for (int format = 0; format < VFI_N_FORMATS; format++)
    for (int range = 0; range < 2; range++)
      for (int level = 0; level <= 2; level++)
        come_back (s, &(VfiFrameInfo){ format, 50, 37, range }, &(Ramp){ level / 2., 0, 0 });
  vfi_interp_free (s);
}

/* Flat frames and ramps come back in every format with the weights that users have. */
static void
shipped (void)
{
  static const Ramp ramps[] = { { 0.0627, 0, 0 },  { 0.5, 0, 0 },           { 0.9, 0, 0 },        { 0.1, 0, 0.003 },
                                { 0.1, 0.004, 0 }, { 0.9, -0.002, -0.002 }, { 0.1, 0.002, 0.001 } };
  const VfiModel *m = vfi_model_find ("vfi-nano", NULL);
  g_autoptr (VfiWeights) w = weights_new (m, TRUE);
  const VfiFrameInfo start = { VFI_FORMAT_I420, 200, 120, VFI_RANGE_LIMITED };
  VfiInterp *s;
  GError *error = NULL;

  if (!w) {
    g_test_skip ("vfi-nano has no weights here");
    return;
  }
  s = vfi_interp_new (&start, &(VfiOptions){ .model = "vfi-nano", .backend = VFI_BACKEND_CPU }, &error);
  g_assert_no_error (error);
  for (int format = 0; format < VFI_N_FORMATS; format++)
    for (int range = 0; range < 2; range++)
      for (guint i = 0; i < G_N_ELEMENTS (ramps); i++)
        come_back (s, &(VfiFrameInfo){ format, 200, 120, range }, &ramps[i]);
  vfi_interp_free (s);
}

/* ---- what is kept ------------------------------------------------------------------------------- */

/* A stream with cached features gives what fresh sessions give, bit for bit, in any order of t, and packs each frame once. */
static void
stream (gconstpointer kind)
{
  static const double times[] = { 0.7, 0.2, 0.7 };
  VfiInterp *s = session_new (KIND (kind), &small, 1);
  TestFrame *f[5];

  for (int i = 0; i < 5; i++)
    f[i] = picture (&small, i);
  for (int i = 0; i < 4; i++) {
    set_pair (s, f[i], f[i + 1]);
    for (int k = 0; k < 3; k++) {
      g_autoptr (TestFrame) d = at (s, &small, times[k]);
      int before = packs;
      assert_same (d, fresh (KIND (kind), f[i], f[i + 1], 1, times[k]));
      packs = before;
    }
    g_assert_cmpint (packs, ==, i + 2);
  }

  /* the same pair again, backwards, and a frame with itself */
  set_pair (s, f[4], f[3]);
  for (int k = 0; k < 2; k++) {
    g_autoptr (TestFrame) d = at (s, &small, times[k]);
    assert_same (d, fresh (KIND (kind), f[4], f[3], 1, times[k]));
  }
  set_pair (s, f[3], f[3]);
  {
    g_autoptr (TestFrame) d = at (s, &small, 0.5);
    assert_same (d, fresh (KIND (kind), f[3], f[3], 1, 0.5));
  }
  vfi_interp_free (s);

  /* frames are only read */
  for (int i = 0; i < 5; i++) {
    assert_same (f[i], picture (&small, i));
    test_frame_free (f[i]);
  }
}

/* ---- what is around a pair ---------------------------------------------------------------------- */

static void
set_neighbours (VfiInterp *s, const TestFrame *before, double before_lasts, const TestFrame *after, double after_lasts)
{
  GError *error = NULL;
  vfi_interp_set_neighbours (s, before ? &before->frame : NULL, before_lasts, after ? &after->frame : NULL, after_lasts, &error);
  g_assert_no_error (error);
}

/* As fresh, knowing what is around. */
static TestFrame *
fresh_around (VfiBackendKind kind, TestFrame *const f[4], double before_lasts, double after_lasts, double t)
{
  VfiInterp *s = session_new (kind, &f[1]->info, 1);
  TestFrame *d;

  set_pair (s, f[1], f[2]);
  set_neighbours (s, f[0], before_lasts, f[3], after_lasts);
  d = at (s, &f[1]->info, t);
  vfi_interp_free (s);
  return d;
}

/* A stream in which each pair knows the frames before and after gives what fresh sessions give that see all four at once, bit for bit, and packs each frame once. Without them, and between
 * frames that go straight on, it is what pairs alone give. */
static void
around (gconstpointer kind)
{
  static const double times[] = { 0.7, 0.2 };

  for (int sides = KIND (kind) == VFI_BACKEND_REFERENCE ? 3 : 0; sides < 4; sides++) { /* the plain one takes long */
    VfiInterp *s = session_new (KIND (kind), &small, 1);
    TestFrame *f[8];
    int packed = packs;

    for (int i = 0; i < 8; i++)
      f[i] = picture (&small, i * i / 2);
    for (int i = 1; i < 6; i++) {
      TestFrame *seen[4] = { sides & 1 && i > 1 ? f[i - 1] : NULL, f[i], f[i + 1], sides & 2 && i != 3 ? f[i + 2] : NULL };

      set_pair (s, f[i], f[i + 1]);
      set_neighbours (s, seen[0], 1, seen[3], 1);
      for (int k = 0; k < 2; k++) {
        g_autoptr (TestFrame) d = at (s, &small, times[k]), straight = NULL;
        const int before = packs;

        assert_same (d, fresh_around (KIND (kind), seen, 1, 1, times[k]));
        straight = fresh (KIND (kind), f[i], f[i + 1], 1, times[k]);
        g_assert_true (vfi_frame_equal (&small, &d->frame, &straight->frame) == !(seen[0] || seen[3]));
        packed += packs - before;
      }
    }
    g_assert_cmpint (packs - packed, ==, sides & 2 ? 7 : 6);
    /* other neighbours than the stream's, at other times, and told later */
    set_pair (s, f[3], f[4]);
    test_frame_free (at (s, &small, 0.5));
    set_neighbours (s, f[0], 2, NULL, 0);
    {
      g_autoptr (TestFrame) d = at (s, &small, 0.5);
      TestFrame *seen[4] = { f[0], f[3], f[4], NULL };
      assert_same (d, fresh_around (KIND (kind), seen, 2, 0, 0.5));
    }
    vfi_interp_reset (s);
    set_pair (s, f[2], f[3]);
    {
      g_autoptr (TestFrame) d = at (s, &small, 0.5);
      assert_same (d, fresh (KIND (kind), f[2], f[3], 1, 0.5));
    }
    vfi_interp_free (s);
    for (int i = 0; i < 8; i++) {
      assert_same (f[i], picture (&small, i * i / 2)); /* frames are only read */
      test_frame_free (f[i]);
    }
  }
}

/* A texture that falls sideways: its way grows with the square of i, halves of a frame's time. */
static double
falling (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const double i = GPOINTER_TO_INT (data) / 2., to = 0.5 * i * i;

  return test_texture (x - 1.5 * to, y + to);
}

/* What gathers speed is met by what is around the pair, also where the pairs last differently; straight on it is missed. */
static void
gathers_speed (void)
{
  static const VfiFrameInfo info = { VFI_FORMAT_GRAY8, 160, 128, VFI_RANGE_FULL };
  /* halves of a frame's time: before, the pair, and after */
  static const int cases[][4] = { { 2, 4, 6, 8 }, { 2, 4, 8, 10 }, { 1, 4, 6, 7 } };
  g_autoptr (VfiWeights) w = weights_new (vfi_model_find ("vfi-nano", NULL), TRUE);

  if (!w) {
    g_test_skip ("vfi-nano has no weights here");
    return;
  }
  for (guint k = 0; k < G_N_ELEMENTS (cases); k++) {
    const int *c = cases[k];
    const double pair = c[2] - c[1];
    TestFrame *f[4];
    int worst[4];
    g_autoptr (TestFrame) truth = test_frame_new (&info, 0);

    for (int i = 0; i < 4; i++)
      test_frame_fill (f[i] = test_frame_new (&info, 0), falling, GINT_TO_POINTER (c[i]));
    test_frame_fill (truth, falling, GINT_TO_POINTER ((c[1] + c[2]) / 2));
    for (int sides = 0; sides < 4; sides++) {
      GError *error = NULL;
      VfiInterp *s = vfi_interp_new (&info, &(VfiOptions){ .model = "vfi-nano", .backend = VFI_BACKEND_CPU }, &error);
      g_autoptr (TestFrame) d = NULL;

      g_assert_no_error (error);
      set_pair (s, f[1], f[2]);
      set_neighbours (s, sides & 1 ? f[0] : NULL, (c[1] - c[0]) / pair, sides & 2 ? f[3] : NULL, (c[3] - c[2]) / pair);
      d = at (s, &info, 0.5);
      worst[sides] = test_frame_worst (truth, d, 32);
      vfi_interp_free (s);
    }
    g_test_message ("off by %d; with the frame before %d, after %d, both %d", worst[0], worst[1], worst[2], worst[3]);
    g_assert_cmpint (worst[1], <, worst[0] * 3 / 4);
    g_assert_cmpint (worst[2], <, worst[0] * 3 / 4);
    g_assert_cmpint (worst[3], <, worst[0] / 2);
    for (int i = 0; i < 4; i++)
      test_frame_free (f[i]);
  }
}

static double
captioned (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  return test_captioned (GPOINTER_TO_INT (data), x, y);
}

/* What stays while the picture behind it moves is known to lie over it in the fifth pair, and is between frames what it is in them, also after a pair that was left out; until
 * the session is told to forget. */
static void
caption (gconstpointer kind)
{
  static const VfiFrameInfo info = { VFI_FORMAT_GRAY8, 128, 96, VFI_RANGE_FULL };
  VfiInterp *s = session_new (KIND (kind), &info, 1);
  TestFrame *f[8];
  int torn = 0;

  for (int i = 0; i < 8; i++)
    test_frame_fill (f[i] = test_frame_new (&info, 0), captioned, GINT_TO_POINTER (i));
  for (int i = 0; i < 7; i++) {
    g_autoptr (TestFrame) d = NULL, alone = NULL;

    if (i == 3)
      continue;
    set_pair (s, f[i], f[i + 1]);
    d = at (s, &info, 0.5);
    alone = fresh (KIND (kind), f[i], f[i + 1], 1, 0.5);
    if (i == 0)
      g_assert_true (vfi_frame_equal (&info, &d->frame, &alone->frame));
    if (i < 5)
      continue;
    g_assert_cmpint (test_frame_worst_in (d, f[i], TEST_BARS), <=, 1);
    torn = MAX (torn, test_frame_worst_in (alone, f[i], TEST_BARS));
  }
  g_assert_cmpint (torn, >, 20); /* this texture and these weights do tear what lies over it */
  vfi_interp_reset (s);
  set_pair (s, f[4], f[5]);
  {
    g_autoptr (TestFrame) d = at (s, &info, 0.5);
    assert_same (d, fresh (KIND (kind), f[4], f[5], 1, 0.5));
  }
  vfi_interp_free (s);
  for (int i = 0; i < 8; i++)
    test_frame_free (f[i]);
}

static double
pillarbox_of (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  return test_pillarbox (GPOINTER_TO_INT (data), x, y);
}

/* Bars stay as they are, and nothing of them is seen in the picture that moves beside them, once they are known. */
static void
pillarbox (gconstpointer kind)
{
  static const VfiFrameInfo info = { VFI_FORMAT_GRAY8, 128, 96, VFI_RANGE_FULL };
  VfiInterp *s = session_new (KIND (kind), &info, 1);
  TestFrame *f[9];

  for (int i = 0; i < 9; i++)
    test_frame_fill (f[i] = test_frame_new (&info, 0), pillarbox_of, GINT_TO_POINTER (i));
  for (int i = 0; i < 8; i++) {
    g_autoptr (TestFrame) d = NULL;

    if (i == 5) /* a pair that is left out */
      continue;
    set_pair (s, f[i], f[i + 1]);
    d = at (s, &info, 0.5);
    if (i + 2 < VFI_BAR_FRAMES) /* not known yet */
      continue;
    for (int y = 0; y < info.height; y++)
      for (int x = 0; x < info.width; x++)
        if (x < TEST_BLACK || x >= info.width - TEST_BLACK)
          g_assert_cmpint (test_frame_get (d, 0, y, x, 0), ==, 0);
        else
          g_assert_cmpint (test_frame_get (d, 0, y, x, 0), >, 15); /* of 25 and more */
  }
  vfi_interp_free (s);
  for (int i = 0; i < 9; i++)
    test_frame_free (f[i]);
}

/* Pairs that nothing is asked of cost nothing; what is asked later is right. A reset forgets. */
static void
skipped_pairs (void)
{
  VfiInterp *s = session_new (VFI_BACKEND_REFERENCE, &small, 1);
  g_autoptr (TestFrame) f0 = picture (&small, 0), f1 = picture (&small, 1), f2 = picture (&small, 2), d = NULL, e = NULL;
  GError *error = NULL;

  set_pair (s, f0, f1);
  set_pair (s, f1, f2);
  g_assert_cmpint (packs, ==, 0);
  d = at (s, &small, 0.3);
  g_assert_cmpint (packs, ==, 2);
  assert_same (d, fresh (VFI_BACKEND_REFERENCE, f1, f2, 1, 0.3));

  /* after a reset, other pixels may lie at the same place */
  vfi_interp_reset (s);
  g_assert_false (vfi_interp_at (s, 0.5, &d->frame, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);
  test_frame_fill (f2, waves, GINT_TO_POINTER (7));
  set_pair (s, f2, f0);
  e = at (s, &small, 0.3);
  assert_same (e, fresh (VFI_BACKEND_REFERENCE, f2, f0, 1, 0.3));
  vfi_interp_free (s);
}

/* Sizes down to the smallest, and any change of size and format in mid-stream. */
static void
sizes (gconstpointer kind)
{
  static const VfiFrameInfo infos[] = { { VFI_FORMAT_I420, 16, 16, VFI_RANGE_LIMITED },
                                        { VFI_FORMAT_I420, 17, 16, VFI_RANGE_FULL },
                                        { VFI_FORMAT_NV12, 33, 47, VFI_RANGE_LIMITED },
                                        { VFI_FORMAT_P010_10LE, 33, 47, 0 },
                                        { VFI_FORMAT_RGBA, 16, 100, 0 },
                                        { VFI_FORMAT_Y42B, 95, 19, VFI_RANGE_FULL },
                                        { VFI_FORMAT_GRAY8, 31, 31, 0 },
                                        { VFI_FORMAT_I420, 16, 16, VFI_RANGE_LIMITED } };
  VfiInterp *s = session_new (KIND (kind), &small, 1);
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (infos); i++) {
    g_autoptr (TestFrame) a = picture (&infos[i], 1), b = picture (&infos[i], 2), d = NULL;

    vfi_interp_set_info (s, &infos[i], &error);
    g_assert_no_error (error);
    g_assert_false (vfi_interp_at (s, 0.5, &a->frame, NULL));
    set_pair (s, a, b);
    d = at (s, &infos[i], 0.4);
    assert_same (d, fresh (KIND (kind), a, b, 1, 0.4));
  }
  vfi_interp_free (s);
}

/* flow-scale may change between any two frames; what was planned once is kept, and there is an end to what is kept. */
static void
flow_scales (gconstpointer kind)
{
  static const double scales[] = { 0.5, 0.25, 1, 0.5, 0.25, 0.26, 1, 0.25 };
  const VfiFrameInfo info = { VFI_FORMAT_I420, 133, 97, VFI_RANGE_LIMITED };
  g_autoptr (VfiBackend) b = backend_new (KIND (kind));
  GError *error = NULL;
  VfiInterp *s = session_on (b, &info, 1, &error);
  g_autoptr (TestFrame) f0 = picture (&info, 0), f1 = picture (&info, 1);
  int per_net = live, known = 0;

  g_assert_no_error (error);
  set_pair (s, f0, f1);
  for (guint i = 0; i < G_N_ELEMENTS (scales); i++) {
    VfiInterpInfo before, after;

    vfi_interp_get_info (s, &before);
    allocs = 0;
    vfi_interp_set_flow_scale (s, scales[i], &error);
    g_assert_no_error (error);
    vfi_interp_get_info (s, &after);
    known += allocs > 0;
    if (i >= 2) {
      g_assert_cmpint (allocs, ==, 0);
      g_assert_cmpuint (after.bytes, ==, before.bytes);
    } else
      g_assert_cmpuint (after.bytes, >, before.bytes);
    g_test_message ("flow-scale %g: %" G_GSIZE_FORMAT " KiB", scales[i], after.bytes >> 10);
    {
      g_autoptr (TestFrame) d = at (s, &info, 0.6);
      VfiInterp *other = session_on (b, &info, scales[i], &error);
      g_autoptr (TestFrame) want = NULL;

      g_assert_no_error (error);
      set_pair (other, f0, f1);
      want = at (other, &info, 0.6);
      g_assert_true (vfi_frame_equal (&info, &d->frame, &want->frame));
      vfi_interp_free (other);
    }
  }
  g_assert_cmpint (known, ==, 2);
  vfi_interp_set_flow_scale (s, 0.75, &error);
  vfi_interp_set_flow_scale (s, 0.6, &error);
  g_assert_no_error (error);
  g_assert_cmpint (live, ==, 3 * per_net);
  vfi_interp_free (s);
  g_assert_cmpint (live, ==, 0);
}

/* Results do not depend on how many threads there are, in any precision of the CPU. */
static void
threads (void)
{
  static const VfiFrameInfo infos[] = { { VFI_FORMAT_I420, 64, 48, VFI_RANGE_LIMITED },
                                        { VFI_FORMAT_NV12, 333, 187, VFI_RANGE_FULL },
                                        { VFI_FORMAT_RGB, 640, 360, VFI_RANGE_FULL } };
  static const VfiDType dtypes[] = { VFI_F32, VFI_BF16 };
  const VfiModel *m = vfi_model_find ("vfi-nano", NULL);
  g_autoptr (VfiWeights) w = weights_new (m, FALSE);
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (infos); i++) {
    g_autoptr (TestFrame) a = picture (&infos[i], 0), b = picture (&infos[i], 1);

    for (guint k = 0; k < G_N_ELEMENTS (dtypes); k++) {
      g_autoptr (TestFrame) want = NULL;

      for (int n = 1; n <= 3; n++) {
        g_autoptr (VfiBackend) backend = vfi_backend_open (&(VfiOptions){ .backend = VFI_BACKEND_CPU, .threads = n }, NULL, &error);
        g_autoptr (TestFrame) got = NULL;
        VfiInterp *s;

        g_assert_no_error (error);
        if (!backend->klass->supports_precision (backend, dtypes[k]))
          continue;
        s = vfi_interp_new_on (backend, m, w, dtypes[k], &infos[i], 1, &error);
        g_assert_no_error (error);
        set_pair (s, a, b);
        got = at (s, &infos[i], 0.3);
        if (!want)
          want = g_steal_pointer (&got);
        else if (!vfi_frame_equal (&infos[i], &got->frame, &want->frame))
          g_error ("%d x %d, precision %d: %d threads make another frame than one, by up to %d", infos[i].width, infos[i].height, dtypes[k],
                   n, test_frame_worst (got, want, 0));
        vfi_interp_free (s);
      }
    }
  }
}

/* ---- failure ------------------------------------------------------------------------------------ */

/* Whichever allocation fails: nothing is lost but the attempt. */
static void
no_memory (void)
{
  const VfiFrameInfo large = { VFI_FORMAT_NV12, 90, 70, VFI_RANGE_FULL };
  g_autoptr (VfiBackend) b = backend_new (VFI_BACKEND_REFERENCE);
  g_autoptr (TestFrame) f0 = picture (&small, 0), f1 = picture (&small, 1), want = fresh (VFI_BACKEND_REFERENCE, f0, f1, 1, 0.5);
  GError *error = NULL;
  VfiInterp *s = NULL;
  int n;

  live = 0;
  for (n = 0; !s; n++) {
    g_assert_cmpint (live, ==, 0);
    g_clear_error (&error);
    allocs = 0;
    fail_at = n + 1;
    s = session_on (b, &small, 1, &error);
    if (!s)
      g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
  }
  g_assert_no_error (error);
  g_assert_cmpint (n, >, 10);
  g_assert_cmpint (live, ==, n - 1);

  set_pair (s, f0, f1);
  for (int k = 1; k < n; k++) {
    g_autoptr (TestFrame) d = NULL;

    allocs = 0;
    fail_at = k;
    g_assert_false (k % 2 ? vfi_interp_set_info (s, &large, &error) : vfi_interp_set_flow_scale (s, 0.5, &error));
    g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
    g_assert_nonnull (strstr (error->message, k % 2 ? "90 x 70" : "64 x 48"));
    g_clear_error (&error);
    g_assert_cmpint (live, ==, n - 1);
    d = at (s, &small, 0.5);
    g_assert_true (vfi_frame_equal (&small, &d->frame, &want->frame));
  }
  fail_at = 0;
  vfi_interp_set_info (s, &large, &error);
  g_assert_no_error (error);
  vfi_interp_free (s);
  g_assert_cmpint (live, ==, 0);
}

static void
refused_at (VfiInterp *s, double t, const VfiFrame *dst, int code, const char *word)
{
  GError *error = NULL;
  VfiFrame d = *dst;

  g_assert_false (vfi_interp_at (s, t, &d, &error));
  g_assert_error (error, VFI_ERROR, code);
  g_assert_nonnull (strstr (error->message, word));
  g_error_free (error);
}

static void
arguments (void)
{
  VfiInterp *s = session_new (VFI_BACKEND_REFERENCE, &small, 1);
  g_autoptr (TestFrame) f0 = picture (&small, 0), f1 = picture (&small, 1), d = picture (&small, 2);
  VfiFrame cuda = d->frame, narrow = d->frame;
  GError *error = NULL;

  cuda.memory = VFI_MEMORY_CUDA;
  narrow.stride[2]--;
  narrow.stride[2] -= 16;
  refused_at (s, 0.5, &d->frame, VFI_ERROR_ARG, "no pair");
  g_assert_false (vfi_interp_set_pair (s, &f0->frame, &cuda, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "second frame lies in CUDA memory"));
  g_clear_error (&error);
  refused_at (s, 0.5, &d->frame, VFI_ERROR_ARG, "no pair");
  g_assert_false (vfi_interp_set_neighbours (s, &f0->frame, 1, NULL, 0, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);

  set_pair (s, f0, f1);
  refused_at (s, 0, &d->frame, VFI_ERROR_ARG, "between 0 and 1");
  refused_at (s, 1, &d->frame, VFI_ERROR_ARG, "between 0 and 1");
  refused_at (s, -0.5, &d->frame, VFI_ERROR_ARG, "between 0 and 1");
  refused_at (s, NAN, &d->frame, VFI_ERROR_ARG, "between 0 and 1");
  refused_at (s, 0.5, &cuda, VFI_ERROR_UNSUPPORTED, "destination lies in CUDA memory");
  refused_at (s, 0.5, &narrow, VFI_ERROR_ARG, "stride");
  refused_at (s, 0.5, &f0->frame, VFI_ERROR_ARG, "one of the frames");
  refused_at (s, 0.5, &f1->frame, VFI_ERROR_ARG, "one of the frames");

  g_assert_false (vfi_interp_set_neighbours (s, &f0->frame, 0, NULL, 0, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);
  g_assert_false (vfi_interp_set_neighbours (s, NULL, 0, &f0->frame, NAN, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);
  g_assert_false (vfi_interp_set_neighbours (s, NULL, 0, &cuda, 1, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_false (vfi_interp_set_flow_scale (s, 0.2, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);
  g_assert_false (vfi_interp_set_flow_scale (s, NAN, &error));
  g_clear_error (&error);
  g_assert_false (vfi_interp_set_info (s, &(VfiFrameInfo){ VFI_FORMAT_I420, 8, 8, 0 }, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);

  /* none of this did harm */
  {
    g_autoptr (TestFrame) e = at (s, &small, 0.5);
    assert_same (e, fresh (VFI_BACKEND_REFERENCE, f0, f1, 1, 0.5));
  }
  vfi_interp_free (s);
}

/* ---- costs -------------------------------------------------------------------------------------- */

static const VfiProfile *
line (const VfiProfile *p, int n, const char *name)
{
  for (int i = 0; i < n; i++)
    if (strcmp (p[i].name, name) == 0)
      return &p[i];
  g_error ("no line for %s", name);
}

static void
profile (gconstpointer kind)
{
  VfiInterp *s = session_new (KIND (kind), &small, 1);
  g_autoptr (TestFrame) f0 = picture (&small, 0), f1 = picture (&small, 1), f2 = picture (&small, 2);
  VfiProfile p[32];
  VfiModelInfo *list;
  double want = 0;
  int n;

  g_assert_cmpint (vfi_interp_get_profile (s, NULL, 0), ==, 0);
  set_pair (s, f0, f1);
  test_frame_free (at (s, &small, 0.5));
  g_assert_cmpint (vfi_interp_get_profile (s, NULL, 0), ==, 0);

  vfi_interp_set_profile (s, TRUE);
  set_pair (s, f1, f2);
  test_frame_free (at (s, &small, 0.5));
  test_frame_free (at (s, &small, 0.2));
  n = vfi_interp_get_profile (s, p, 32);
  g_assert_cmpint (n, >, 5);
  g_assert_cmpint (n, <=, 32);
  g_assert_cmpint (line (p, n, "pack")->calls, ==, 1);
  g_assert_cmpfloat (line (p, n, "pack")->bytes, ==, 64 * 48 * 3 / 2 + 64 * 64 / 4 * 6 * 4);
  g_assert_cmpint (line (p, n, "synthesize")->calls, ==, 2);
  g_assert_cmpfloat (line (p, n, "synthesize")->bytes, ==, 2 * (3 * 64 * 48 * 3 / 2 + 64 * 64 / 4 * 8 * 4));
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat (p[i].seconds, >, 0);

  /* convolutions of one new frame and two t */
  list = vfi_model_list ();
  for (const VfiModelInfo *m = list; m->name; m++)
    if (strcmp (m->name, "vfi-nano") == 0)
      want = m->gflop_per_mp * 1e3 * 64 * 64;
  vfi_model_list_free (list);
  g_assert_cmpfloat (line (p, n, "conv2d")->flop, >, want);
  g_assert_cmpfloat (line (p, n, "conv2d")->flop, <, 2 * want);

  vfi_interp_set_profile (s, FALSE);
  test_frame_free (at (s, &small, 0.3));
  g_assert_cmpint (vfi_interp_get_profile (s, p, 32), ==, n);
  g_assert_cmpint (line (p, n, "synthesize")->calls, ==, 2);
  vfi_interp_set_profile (s, TRUE);
  g_assert_cmpint (vfi_interp_get_profile (s, NULL, 0), ==, 0);
  vfi_interp_free (s);
}

static gsize
resident (void)
{
  g_autofree char *text = NULL;
  long pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*d %ld", &pages);
  return (gsize) pages * (gsize) sysconf (_SC_PAGESIZE);
}

/* Neither the backend nor the heap grows while frames go by: a leak would grow in every window of 100 frames, a thread's cache does not. */
static void
growth (gconstpointer kind)
{
  VfiInterp *s = session_new (KIND (kind), &small, 1);
  g_autoptr (TestFrame) d = test_frame_new (&small, 0);
  TestFrame *f[3] = { picture (&small, 0), picture (&small, 1), picture (&small, 2) };
  gssize heap = 0, pages = 0, heap_growth = G_MAXSSIZE, resident_growth = G_MAXSSIZE;
  GError *error = NULL;

  for (int i = 0; i <= 310; i++) {
    if (i % 100 == 10) {
      gssize h = (gssize) mallinfo2 ().uordblks, r = (gssize) resident ();
      if (i == 10)
        allocs = 0;
      else {
        heap_growth = MIN (heap_growth, h - heap);
        resident_growth = MIN (resident_growth, r - pages);
      }
      heap = h;
      pages = r;
    }
    set_pair (s, f[i % 3], f[(i + 1) % 3]);
    vfi_interp_at (s, 0.25 + 0.5 * (i % 2), &d->frame, &error);
    g_assert_no_error (error);
  }
  g_assert_cmpint (allocs, ==, 0);
  if (!SANITIZED) {
    g_assert_cmpint (heap_growth, <=, 0);
    g_assert_cmpint (resident_growth, <=, 0);
  }
  vfi_interp_free (s);
  for (int i = 0; i < 3; i++)
    test_frame_free (f[i]);
}

/* A stream at 1080p as users have it: what is resident stays below what the README promises, and does not grow. VFI_TEST_FRAMES: how many
 * frames instead of 40; 2000 take minutes. */
static void
hd_stream (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_I420, 1920, 1080, VFI_RANGE_LIMITED };
  const char *wanted = g_getenv ("VFI_TEST_FRAMES");
  const int frames = wanted ? MAX (atoi (wanted), 12) : SANITIZED ? 2 : 40;
  const VfiModel *m = vfi_model_find ("vfi-nano", NULL);
  g_autoptr (VfiWeights) w = weights_new (m, FALSE);
  g_autoptr (VfiBackend) b = backend_new (VFI_BACKEND_CPU);
  GError *error = NULL;
  VfiInterp *s = vfi_interp_new_on (b, m, w, b->klass->best_precision (b), &info, 1, &error);
  g_autoptr (TestFrame) d = test_frame_new (&info, 0);
  TestFrame *f[3] = { picture (&info, 0), picture (&info, 1), picture (&info, 2) };
  VfiInterpInfo told;
  gssize start = 0, now;

  g_assert_no_error (error);
  for (int i = 0; i < frames; i++) {
    set_pair (s, f[i % 3], f[(i + 1) % 3]);
    vfi_interp_at (s, 0.5, &d->frame, &error);
    g_assert_no_error (error);
    if (i == 10)
      start = (gssize) resident ();
  }
  now = (gssize) resident ();
  vfi_interp_get_info (s, &told);
  g_test_message ("%d frames: %.1f MB resident, %.0f of them tensors and weights; %+.3f MB since frame 10", frames, now / 1e6,
                  told.bytes / 1e6, (now - start) / 1e6);
  if (!SANITIZED) {
    g_assert_cmpfloat (now / 1e6, <, 700);
    g_assert_cmpint (now - start, <=, 1 << 20);
  }
  vfi_interp_free (s);
  for (int i = 0; i < 3; i++)
    test_frame_free (f[i]);
}

/* Of this thread: what a plan costs does not depend on who else is at work. */
static double
cpu_seconds (void)
{
  struct timespec ts;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ts);
  return ts.tv_sec + 1e-9 * ts.tv_nsec;
}

/* A new size is ready before anyone sees a stall. */
static void
new_sizes (void)
{
  static const int sizes[][2] = { { 1920, 1080 }, { 1280, 720 }, { 854, 480 } };
  const VfiFrameInfo first = { VFI_FORMAT_I420, 640, 360, VFI_RANGE_LIMITED };
  VfiInterp *s = session_new (VFI_BACKEND_CPU, &first, 1);
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    VfiFrameInfo info = { VFI_FORMAT_I420, sizes[i][0], sizes[i][1], VFI_RANGE_LIMITED };
    double start = cpu_seconds (), taken;

    vfi_interp_set_info (s, &info, &error);
    taken = cpu_seconds () - start;
    g_assert_no_error (error);
    g_test_message ("%d x %d planned in %.1f ms", info.width, info.height, taken * 1e3);
    if (!SANITIZED)
      g_assert_cmpfloat (taken, <, 0.2);
  }
  vfi_interp_free (s);
}

/* In two parts it is the same frame, several at a time as well; what cannot be begun is said at once, and where nothing was, there is nothing to wait
 * for. */
static void
two_parts (gconstpointer kind)
{
  VfiInterp *s = session_new (KIND (kind), &small, 1);
  g_autoptr (TestFrame) a = picture (&small, 0), b = picture (&small, 1), c = picture (&small, 2);
  TestFrame *d[2] = { test_frame_new (&small, 24), test_frame_new (&small, 0) };
  GError *error = NULL;

  g_assert_true (vfi_interp_finish (s, &error));
  g_assert_false (vfi_interp_start (s, 0.5, &d[0]->frame, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);
  set_pair (s, a, b);
  g_assert_true (vfi_interp_start (s, 0.3, &d[0]->frame, &error));
  g_assert_false (vfi_interp_start (s, 1, &d[1]->frame, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_ARG);
  g_clear_error (&error);
  set_pair (s, b, c);
  g_assert_true (vfi_interp_start (s, 0.6, &d[1]->frame, &error));
  g_assert_true (vfi_interp_finish (s, &error) && vfi_interp_finish (s, &error));
  g_assert_no_error (error);
  assert_same (d[0], fresh (KIND (kind), a, b, 1, 0.3));
  assert_same (d[1], fresh (KIND (kind), b, c, 1, 0.6));
  test_frame_free (d[0]);
  test_frame_free (d[1]);
  vfi_interp_free (s);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*run) (gconstpointer kind);
  } both[] = { { "flat", flat },           { "around", around },           { "stream", stream },
               { "sizes", sizes },         { "flow-scales", flow_scales }, { "profile", profile },
               { "two-parts", two_parts }, { "caption", caption },         { "pillarbox", pillarbox } };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (both); i++) {
    g_autofree char *r = g_strdup_printf ("/interp/reference/%s", both[i].name), *c = g_strdup_printf ("/interp/cpu/%s", both[i].name);
    g_test_add_data_func (r, GINT_TO_POINTER (VFI_BACKEND_REFERENCE), both[i].run);
    g_test_add_data_func (c, GINT_TO_POINTER (VFI_BACKEND_CPU), both[i].run);
  }
  g_test_add_func ("/interp/shipped-weights", shipped);
  g_test_add_func ("/interp/gathers-speed", gathers_speed);
  g_test_add_func ("/interp/skipped-pairs", skipped_pairs);
  g_test_add_func ("/interp/threads", threads);
  g_test_add_func ("/interp/no-memory", no_memory);
  g_test_add_func ("/interp/arguments", arguments);
  g_test_add_data_func ("/interp/growth", GINT_TO_POINTER (VFI_BACKEND_CPU), growth);
  g_test_add_func ("/interp/hd-stream", hd_stream);
  g_test_add_func ("/interp/new-sizes", new_sizes);
  return g_test_run ();
}
