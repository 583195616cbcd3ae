/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What interpolation sessions make, with weights made from their names on the plain backend and on the CPU's, and with the shipped ones where they
 * are, and what they refuse.
 */
#include <math.h>

#include "../generate.h"
#include "area.h"
#include "sessions.h"

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
      for (int level = 0; level <= 2; level += SANITIZED ? 2 : 1)
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
      for (guint i = 0; i < G_N_ELEMENTS (ramps); i += SANITIZED ? 6 : 1)
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
      int before = watched.packs;
      assert_same (d, fresh (KIND (kind), f[i], f[i + 1], 1, times[k]));
      watched.packs = before;
    }
    g_assert_cmpint (watched.packs, ==, i + 2);
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
    int packed = watched.packs;

    for (int i = 0; i < 8; i++)
      f[i] = picture (&small, i * i / 2);
    for (int i = 1; i < 6; i++) {
      TestFrame *seen[4] = { sides & 1 && i > 1 ? f[i - 1] : NULL, f[i], f[i + 1], sides & 2 && i != 3 ? f[i + 2] : NULL };

      set_pair (s, f[i], f[i + 1]);
      set_neighbours (s, seen[0], 1, seen[3], 1);
      for (int k = 0; k < 2; k++) {
        g_autoptr (TestFrame) d = at (s, &small, times[k]), straight = NULL;
        const int before = watched.packs;

        assert_same (d, fresh_around (KIND (kind), seen, 1, 1, times[k]));
        straight = fresh (KIND (kind), f[i], f[i + 1], 1, times[k]);
        g_assert_true (vfi_frame_equal (&small, &d->frame, &straight->frame) == !(seen[0] || seen[3]));
        packed += watched.packs - before;
      }
    }
    g_assert_cmpint (watched.packs - packed, ==, sides & 2 ? 7 : 6);
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

/* One that swings, and turns after nine halves. */
static double
swinging (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const double to = 5 * sin (G_PI * GPOINTER_TO_INT (data) / 18);

  return test_texture (x - 1.5 * to, y + to);
}

/* What gathers speed is met by what is around the pair, also where the pairs last differently, and what turns in a hole between frames that lie closer; straight on it is missed. */
static void
gathers_speed (void)
{
  static const VfiFrameInfo info = { VFI_FORMAT_GRAY8, 160, 128, VFI_RANGE_FULL };
  static const struct
  {
    TestPicture picture;
    int at[4]; /* halves of a frame's time: before, the pair, and after */
  } cases[] = { { falling, { 2, 4, 6, 8 } }, { falling, { 2, 4, 8, 10 } }, { falling, { 1, 4, 6, 7 } }, { swinging, { -2, 0, 14, 16 } } };
  g_autoptr (VfiWeights) w = weights_new (vfi_model_find ("vfi-nano", NULL), TRUE);

  if (!w) {
    g_test_skip ("vfi-nano has no weights here");
    return;
  }
  for (guint k = 0; k < G_N_ELEMENTS (cases); k++) {
    const int *c = cases[k].at;
    const double pair = c[2] - c[1];
    TestFrame *f[4];
    int worst[4];
    g_autoptr (TestFrame) truth = test_frame_new (&info, 0);

    for (int i = 0; i < 4; i++)
      test_frame_fill (f[i] = test_frame_new (&info, 0), cases[k].picture, GINT_TO_POINTER (c[i]));
    test_frame_fill (truth, cases[k].picture, GINT_TO_POINTER ((c[1] + c[2]) / 2));
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
  g_assert_cmpint (watched.packs, ==, 0);
  d = at (s, &small, 0.3);
  g_assert_cmpint (watched.packs, ==, 2);
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
  g_test_init (&argc, &argv, NULL);
  test_on_both ("flat", flat);
  test_on_both ("around", around);
  test_on_both ("stream", stream);
  test_on_both ("sizes", sizes);
  test_on_both ("two-parts", two_parts);
  test_on_both ("caption", caption);
  test_on_both ("pillarbox", pillarbox);
  g_test_add_func ("/interp/shipped-weights", shipped);
  g_test_add_func ("/interp/gathers-speed", gathers_speed);
  g_test_add_func ("/interp/skipped-pairs", skipped_pairs);
  g_test_add_func ("/interp/threads", threads);
  g_test_add_func ("/interp/arguments", arguments);
  return g_test_run ();
}
