/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What interpolation sessions cost: allocations and what happens where one fails, memory that must not grow, new sizes, the profile.
 */
#include <malloc.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "sessions.h"

/* Whichever allocation fails: nothing is lost but the attempt. */
static void
no_memory (void)
{
  const VfiFrameInfo large = { VFI_FORMAT_NV12, 90, 70, VFI_RANGE_FULL };
  g_autoptr (VfiBackend) b = watched_backend (VFI_BACKEND_REFERENCE);
  g_autoptr (TestFrame) f0 = picture (&small, 0), f1 = picture (&small, 1), want = fresh (VFI_BACKEND_REFERENCE, f0, f1, 1, 0.5);
  GError *error = NULL;
  VfiInterp *s = NULL;
  int n;

  watched.live = 0;
  for (n = 0; !s; n++) {
    g_assert_cmpint (watched.live, ==, 0);
    g_clear_error (&error);
    watched.allocs = 0;
    watched.fail_at = n + 1;
    s = session_on (b, &small, 1, &error);
    if (!s)
      g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
  }
  g_assert_no_error (error);
  g_assert_cmpint (n, >, 10);
  g_assert_cmpint (watched.live, ==, n - 1);

  set_pair (s, f0, f1);
  for (int k = 1; k < n; k++) {
    g_autoptr (TestFrame) d = NULL;

    watched.allocs = 0;
    watched.fail_at = k;
    g_assert_false (k % 2 ? vfi_interp_set_info (s, &large, &error) : vfi_interp_set_flow_scale (s, 0.5, &error));
    g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
    g_assert_nonnull (strstr (error->message, k % 2 ? "90 x 70" : "64 x 48"));
    g_clear_error (&error);
    g_assert_cmpint (watched.live, ==, n - 1);
    d = at (s, &small, 0.5);
    g_assert_true (vfi_frame_equal (&small, &d->frame, &want->frame));
  }
  watched.fail_at = 0;
  vfi_interp_set_info (s, &large, &error);
  g_assert_no_error (error);
  vfi_interp_free (s);
  g_assert_cmpint (watched.live, ==, 0);
}

/* flow-scale may change between any two frames; what was planned once is kept, and there is an end to what is kept. */
static void
flow_scales (gconstpointer kind)
{
  static const double scales[] = { 0.5, 0.25, 1, 0.5, 0.25, 0.26, 1, 0.25 };
  const VfiFrameInfo info = { VFI_FORMAT_I420, 133, 97, VFI_RANGE_LIMITED };
  g_autoptr (VfiBackend) b = watched_backend (KIND (kind));
  GError *error = NULL;
  VfiInterp *s = session_on (b, &info, 1, &error);
  g_autoptr (TestFrame) f0 = picture (&info, 0), f1 = picture (&info, 1);
  int per_net = watched.live, known = 0;

  g_assert_no_error (error);
  set_pair (s, f0, f1);
  for (guint i = 0; i < G_N_ELEMENTS (scales); i++) {
    VfiInterpInfo before, after;

    vfi_interp_get_info (s, &before);
    watched.allocs = 0;
    vfi_interp_set_flow_scale (s, scales[i], &error);
    g_assert_no_error (error);
    vfi_interp_get_info (s, &after);
    known += watched.allocs > 0;
    if (i >= 2) {
      g_assert_cmpint (watched.allocs, ==, 0);
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
  g_assert_cmpint (watched.live, ==, 3 * per_net);
  vfi_interp_free (s);
  g_assert_cmpint (watched.live, ==, 0);
}

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
growth (void)
{
  VfiInterp *s = session_new (VFI_BACKEND_CPU, &small, 1);
  g_autoptr (TestFrame) d = test_frame_new (&small, 0);
  TestFrame *f[3] = { picture (&small, 0), picture (&small, 1), picture (&small, 2) };
  gssize heap = 0, pages = 0, heap_growth = G_MAXSSIZE, resident_growth = G_MAXSSIZE;
  GError *error = NULL;

  for (int i = 0; i <= 310; i++) {
    if (i % 100 == 10) {
      gssize h = (gssize) mallinfo2 ().uordblks, r = (gssize) resident ();
      if (i == 10)
        watched.allocs = 0;
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
  g_assert_cmpint (watched.allocs, ==, 0);
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
  g_autoptr (VfiBackend) b = watched_backend (VFI_BACKEND_CPU);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  test_on_both ("flow-scales", flow_scales);
  test_on_both ("profile", profile);
  g_test_add_func ("/interp/no-memory", no_memory);
  g_test_add_func ("/interp/growth", growth);
  g_test_add_func ("/interp/hd-stream", hd_stream);
  g_test_add_func ("/interp/new-sizes", new_sizes);
  return g_test_run ();
}
