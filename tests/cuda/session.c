/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A whole session on the host shim: the same frames as on the plain backend, captured graphs, what is allocated and waited for, and what
 * fails how.
 */
#include <glib/gstdio.h>

#include "../../cuda/cuda.h"
#include "../core/frames.h"
#include "../generate.h"
#include "../models/run.h"
#include "area.h"
#include "fake_cudnn.h"
#include "interp.h"
#include "model.h"
#include "shim/shim.h"

VfiBackend *vfi_cuda_backend_new (int device, gpointer stream, GError **error);

static VfiWeights *
weights_of (const VfiModel *m)
{
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  VfiWeights *w;

  model_graphs (m, VFI_F32, 64, 64, 1, graphs);
  w = test_weights_for (graphs);
  for (int i = 0; graphs[i]; i++)
    vfi_graph_free (graphs[i]);
  return w;
}

static VfiInterp *
session_of (const char *model, VfiBackend *b, VfiDType feature, const VfiFrameInfo *info, GError **error)
{
  const VfiModel *m = vfi_model_find (model, NULL);
  g_autoptr (VfiWeights) w = weights_of (m);

  return vfi_interp_new_on (b, m, w, feature, info, 1, error);
}

static VfiInterp *
session_new (VfiBackend *b, VfiDType feature, const VfiFrameInfo *info, GError **error)
{
  return session_of ("vfi-nano", b, feature, info, error);
}

static VfiBackend *
cuda_new (void)
{
  GError *error = NULL;
  VfiBackend *b = vfi_cuda_backend_new (0, NULL, &error);

  g_assert_no_error (error);
  return b;
}

/* A smooth picture that moves with i. */
static double
texture (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const int i = GPOINTER_TO_INT (data);
  const int u = (int) (x + 2 * i) / 6, v = (int) (y + i) / 5;

  return 0.5 + 0.3 * test_uniform (test_seed ("texture"), u + 64 * v + 4096 * (plane + comp)) * (plane ? 0.3 : 1);
}

static TestFrame *
picture (const VfiFrameInfo *info, int i)
{
  TestFrame *f = test_frame_new (info, i);

  test_frame_fill (f, texture, GINT_TO_POINTER (i));
  return f;
}

/* The same less loud, for streams in which nothing lies over the picture: number 2 has stripes, by which each pixel changes before it could be taken for one that does. */
static double
striped (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const double v = texture (f, plane, comp, y, x, data), stripes = GPOINTER_TO_INT (data) == 2 ? (int) x / 8 % 2 * 0.6 - 0.3 : 0;

  return plane ? v : 0.5 + (v - 0.5) / 3 + stripes;
}

static TestFrame *
striped_picture (const VfiFrameInfo *info, int i)
{
  TestFrame *f = test_frame_new (info, i);

  test_frame_fill (f, striped, GINT_TO_POINTER (i));
  return f;
}

static void
make (VfiInterp *s, const TestFrame *a, const TestFrame *b, double t, TestFrame *d)
{
  GError *error = NULL;

  vfi_interp_set_pair (s, &a->frame, &b->frame, &error);
  g_assert_no_error (error);
  vfi_interp_at (s, t, &d->frame, &error);
  g_assert_no_error (error);
}

/* Nothing of a backend's stays when it goes. */
static void
nothing_left (void)
{
  g_assert_cmpuint (shim.allocated, ==, 0);
  g_assert_cmpint (fake_cudnn.descriptors, ==, 0);
  g_assert_cmpint (shim_depth (), ==, 0);
}

/* ---- frames ------------------------------------------------------------------------------------- */

static void
same_frames (gconstpointer data)
{
  const VfiFrameInfo info = { GPOINTER_TO_INT (data), 60, 40, VFI_RANGE_LIMITED };
  VfiBackend *c = cuda_new (), *r = vfi_reference_backend_new ();
  GError *error = NULL;
  VfiInterp *on_c = session_new (c, VFI_F32, &info, &error), *on_r = session_new (r, VFI_F32, &info, &error);

  g_assert_no_error (error);
  vfi_backend_unref (c);
  vfi_backend_unref (r);
  for (int i = 0; i < 4; i++) {
    g_autoptr (TestFrame) a = picture (&info, i), b = picture (&info, i + 1), got = test_frame_new (&info, 3),
                          want = test_frame_new (&info, 0);

    make (on_c, a, b, 0.25 + 0.1 * i, got);
    make (on_r, a, b, 0.25 + 0.1 * i, want);
    g_assert_true (test_frame_intact (got) && test_frame_intact (a) && test_frame_intact (b));
    g_assert_cmpint (test_frame_worst (got, want, 0), <=, 1);
  }
  vfi_interp_free (on_c);
  vfi_interp_free (on_r);
  nothing_left ();
}

/* In a stream, from the fourth frame on: graphs only, nothing allocated, one wait for each frame beside those for pinned memory; and the
 * same bits as the first, plain, runs. */
static void
stream (gconstpointer model)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, 64, 32, VFI_RANGE_LIMITED };
  VfiBackend *c = cuda_new ();
  GError *error = NULL;
  VfiInterp *s = session_of (model, c, VFI_F16, &info, &error);
  g_autoptr (TestFrame) d = test_frame_new (&info, 0);
  TestFrame *f[3] = { striped_picture (&info, 0), striped_picture (&info, 1), striped_picture (&info, 2) }, *first[3];
  int allocations = 0, packs = 0;

  g_assert_no_error (error);
  for (int i = 0; i < 12; i++) {
    const int waits = shim.waits, replays = shim.replays;

    make (s, f[i % 3], f[(i + 1) % 3], 0.5, d);
    if (i < 3) {
      first[i] = test_frame_new (&info, 0);
      for (int p = 0; p < d->n_planes; p++)
        memcpy (first[i]->memory[p], d->memory[p], d->size[p]);
    } else
      g_assert_true (vfi_frame_equal (&info, &d->frame, &first[i % 3]->frame));
    if (i == 6) {
      allocations = shim.allocations;
      packs = fake_cudnn.packs;
    }
    if (i > 6) {
      g_assert_cmpint (shim.allocations, ==, allocations);
      g_assert_cmpint (fake_cudnn.packs, ==, packs);
      g_assert_cmpint (shim.replays - replays, ==, 1); /* one frame, the pair, one t */
      g_assert_cmpint (shim.waits - waits, ==, 5);     /* for the copy of a frame before, and for the bands of this one */
    }
  }
  for (int i = 0; i < 3; i++) {
    test_frame_free (f[i]);
    test_frame_free (first[i]);
  }
  vfi_interp_free (s);
  vfi_backend_unref (c);
  nothing_left ();
}

/* With VFI_GRAPH_DOT what waits for what is written down. */
static void
drawn (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, 64, 32, VFI_RANGE_LIMITED };
  g_autofree char *folder = g_dir_make_tmp ("vfi-XXXXXX", NULL);
  int written = 0;
  VfiBackend *c = cuda_new ();
  GError *error = NULL;
  VfiInterp *s = session_new (c, VFI_F16, &info, &error);
  g_autoptr (TestFrame) d = test_frame_new (&info, 0);
  g_autoptr (TestFrame) a = picture (&info, 0), b = picture (&info, 1);

  g_assert_no_error (error);
  g_setenv ("VFI_GRAPH_DOT", folder, TRUE);
  for (int i = 0; i < 6; i++)
    make (s, i % 2 ? a : b, i % 2 ? b : a, 0.5, d);
  g_unsetenv ("VFI_GRAPH_DOT");
  for (;; written++) {
    g_autofree char *path = g_strdup_printf ("%s/%d.dot", folder, written), *text = NULL;

    if (!g_file_get_contents (path, &text, NULL, NULL))
      break;
    g_assert_nonnull (strstr (text, " -> "));
    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_assert_cmpint (written, >, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  vfi_interp_free (s);
  vfi_backend_unref (c);
  nothing_left ();
}

/* Equal convolutions share an engine. */
static void
shared_engines (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_GRAY8, 64, 64, VFI_RANGE_FULL };
  VfiBackend *c = cuda_new ();
  const int before = fake_cudnn.compiled;
  GError *error = NULL;
  VfiInterp *s = session_new (c, VFI_F16, &info, &error);
  int convolutions = 0;
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];

  g_assert_no_error (error);
  model_graphs (vfi_model_find ("vfi-nano", NULL), VFI_F16, 64, 64, 1, graphs);
  for (int i = 0; graphs[i]; i++) {
    for (guint j = 0; j < graphs[i]->nodes->len; j++)
      convolutions += ((VfiNode *) graphs[i]->nodes->pdata[j])->op == &vfi_op_conv2d;
    vfi_graph_free (graphs[i]);
  }
  g_assert_cmpint (fake_cudnn.compiled - before, <, convolutions);
  vfi_interp_free (s);
  vfi_backend_unref (c);
  nothing_left ();
}

/* ---- what fails --------------------------------------------------------------------------------- */

static void
refused (int code, const char *word)
{
  GError *error = NULL;

  g_assert_null (vfi_cuda_backend_new (0, NULL, &error));
  g_assert_error (error, VFI_ERROR, code);
  g_assert_nonnull (strstr (error->message, word));
  g_clear_error (&error);
  nothing_left ();
}

static void
no_backend (void)
{
  shim.devices = 0;
  refused (VFI_ERROR_BACKEND, "no CUDA-capable device");
  shim.devices = 1;
  shim.major = 6;
  shim.minor = 1;
  refused (VFI_ERROR_BACKEND, "capability 6.1");
  shim.major = 9;
  shim.minor = 0;
  fake_cudnn.present = FALSE;
  refused (VFI_ERROR_BACKEND, "cuDNN");
  fake_cudnn.present = TRUE;
}

/* Where a pair knows what is around it, the stream is replayed, too, in which slots go round, and gives what a session does that sees all four frames at once. */
static void
around (gconstpointer model)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, 64, 32, VFI_RANGE_LIMITED };
  static const double times[] = { 0.5, 0.25 };
  VfiBackend *c = cuda_new ();
  GError *error = NULL;
  g_autoptr (TestFrame) d = test_frame_new (&info, 0);
  TestFrame *f[4] = { striped_picture (&info, 0), striped_picture (&info, 1), striped_picture (&info, 3), striped_picture (&info, 2) },
            *want[4][2];

  for (int ahead = strcmp (model, "vfi-base") == 0; ahead < 2; ahead++) { /* the large one takes long */
    VfiInterp *s;
    int allocations = 0;

    for (int i = 0; i < 4; i++) {
      s = session_of (model, c, VFI_F16, &info, &error);
      g_assert_no_error (error);
      vfi_interp_set_pair (s, &f[i]->frame, &f[(i + 1) % 4]->frame, &error);
      vfi_interp_set_neighbours (s, &f[(i + 3) % 4]->frame, 1, ahead ? &f[(i + 2) % 4]->frame : NULL, 1, &error);
      for (int k = 0; k < 2; k++) {
        want[i][k] = test_frame_new (&info, 0);
        vfi_interp_at (s, times[k], &want[i][k]->frame, &error);
        g_assert_no_error (error);
      }
      vfi_interp_free (s);
    }
    s = session_of (model, c, VFI_F16, &info, &error);
    g_assert_no_error (error);
    for (int i = 0; i < 11; i++) {
      vfi_interp_set_pair (s, &f[i % 4]->frame, &f[(i + 1) % 4]->frame, &error);
      vfi_interp_set_neighbours (s, &f[(i + 3) % 4]->frame, 1, ahead ? &f[(i + 2) % 4]->frame : NULL, 1, &error);
      for (int k = 0; k < 2; k++) {
        const int replays = shim.replays;

        vfi_interp_at (s, times[k], &d->frame, &error);
        g_assert_no_error (error);
        g_assert_true (vfi_frame_equal (&info, &d->frame, &want[i % 4][k]->frame));
        if (i >= 7)
          g_assert_cmpint (shim.replays - replays, ==, 1);
      }
      if (i == 7)
        allocations = shim.allocations;
      if (i > 7)
        g_assert_cmpint (shim.allocations, ==, allocations);
    }
    vfi_interp_free (s);
    for (int i = 0; i < 4; i++)
      for (int k = 0; k < 2; k++)
        test_frame_free (want[i][k]);
  }
  for (int i = 0; i < 4; i++)
    test_frame_free (f[i]);
  vfi_backend_unref (c);
  nothing_left ();
}

static double
captioned (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  return plane ? 0.5 : test_captioned (GPOINTER_TO_INT (data), x, y);
}

/* What is known of the stream passes from replay to replay: what lies over the picture stays. */
static void
caption (gconstpointer model)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, 128, 96, VFI_RANGE_FULL };
  VfiBackend *c = cuda_new ();
  GError *error = NULL;
  VfiInterp *s = session_of (model, c, VFI_F16, &info, &error);
  TestFrame *f[8];

  g_assert_no_error (error);
  vfi_backend_unref (c);
  for (int i = 0; i < 8; i++)
    test_frame_fill (f[i] = test_frame_new (&info, 0), captioned, GINT_TO_POINTER (i));
  for (int i = 0; i < 7; i++) {
    g_autoptr (TestFrame) got = test_frame_new (&info, 0);
    const int replays = shim.replays;

    make (s, f[i], f[i + 1], 0.5, got);
    if (i == 6)
      g_assert_cmpint (shim.replays - replays, ==, 1);
    if (i == 0)
      g_assert_cmpint (test_frame_worst_in (got, f[i], TEST_BARS), >, 20); /* what is not known yet is torn */
    if (i >= 5)
      g_assert_cmpint (test_frame_worst_in (got, f[i], TEST_BARS), <=, 1);
  }
  vfi_interp_free (s);
  for (int i = 0; i < 8; i++)
    test_frame_free (f[i]);
  nothing_left ();
}

static double
pillarbox_of (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  return plane ? 0.5 : test_pillarbox (GPOINTER_TO_INT (data), x, y);
}

/* Bars of frames on the device stay as they are, and nothing of them is seen beside them once they are known, in replays as well. */
static void
pillarbox (gconstpointer model)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, 128, 96, VFI_RANGE_FULL };
  VfiBackend *c = cuda_new ();
  GError *error = NULL;
  VfiInterp *s = session_of (model, c, VFI_F16, &info, &error);
  TestFrame *f[8];

  g_assert_no_error (error);
  vfi_backend_unref (c);
  for (int i = 0; i < 8; i++)
    test_frame_fill (f[i] = test_frame_new (&info, 0), pillarbox_of, GINT_TO_POINTER (i));
  for (int i = 0; i < 7; i++) {
    g_autoptr (TestFrame) got = test_frame_new (&info, 0);

    make (s, f[i], f[i + 1], 0.5, got);
    if (i + 2 < VFI_BAR_FRAMES)
      continue;
    for (int y = 0; y < info.height; y++)
      for (int x = 0; x < info.width; x++)
        if (x < TEST_BLACK || x >= info.width - TEST_BLACK)
          g_assert_cmpint (test_frame_get (got, 0, y, x, 0), ==, 0);
        else
          g_assert_cmpint (test_frame_get (got, 0, y, x, 0), >, 15); /* of 25 and more */
  }
  vfi_interp_free (s);
  for (int i = 0; i < 8; i++)
    test_frame_free (f[i]);
  nothing_left ();
}

/* What was started and not finished is done when the pair is forgotten: the next finish is the next start's. */
static void
forgotten (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, 64, 32, VFI_RANGE_LIMITED };
  TestFrame *f[2] = { picture (&info, 0), picture (&info, 1) }, *d[4];
  GError *error = NULL;
  VfiBackend *c = cuda_new ();
  VfiInterp *s = session_new (c, VFI_F16, &info, &error);

  g_assert_no_error (error);
  for (int i = 0; i < 4; i++)
    d[i] = test_frame_new (&info, 0);
  shim.late = 1 | 4;
  for (int i = 0; i < 4; i++) {
    if (i >= 2)
      vfi_interp_reset (s);
    vfi_interp_set_pair (s, &f[0]->frame, &f[1]->frame, &error);
    vfi_interp_start (s, 0.5, &d[i]->frame, &error);
    if (i == 3)
      vfi_interp_finish (s, &error);
    g_assert_no_error (error);
  }
  for (int i = 1; i < 4; i++)
    g_assert_true (vfi_frame_equal (&info, &d[0]->frame, &d[i]->frame));
  g_assert_false (vfi_frame_equal (&info, &f[0]->frame, &d[0]->frame));
  shim.late = 0;
  vfi_interp_free (s);
  vfi_backend_unref (c);
  for (int i = 0; i < 4; i++)
    test_frame_free (d[i]);
  for (int i = 0; i < 2; i++)
    test_frame_free (f[i]);
  nothing_left ();
}

/* Whatever does not fit, the error names the bytes, and what there was is given back. */
static void
no_memory (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_I420, 64, 64, VFI_RANGE_LIMITED };
  const gsize all = shim.memory;
  int failures = 0;

  for (gsize memory = 1 << 16;; memory += 3 << 17) {
    VfiBackend *c = cuda_new ();
    GError *error = NULL;
    VfiInterp *s;

    shim.memory = memory;
    s = session_new (c, VFI_F16, &info, &error);
    shim.memory = all;
    if (s) {
      vfi_interp_free (s);
      vfi_backend_unref (c);
      break;
    }
    failures++;
    g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
    g_assert_nonnull (strstr (error->message, "are free"));
    g_clear_error (&error);
    vfi_backend_unref (c);
    nothing_left ();
  }
  g_assert_cmpint (failures, >, 2);
}

/* No room for frames in system memory: the frame fails, and the session lives. */
static void
no_memory_for_frames (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_I420, 64, 64, VFI_RANGE_LIMITED };
  g_autoptr (TestFrame) a = picture (&info, 0), b = picture (&info, 1), d = test_frame_new (&info, 0);
  VfiBackend *c = cuda_new ();
  GError *error = NULL;
  VfiInterp *s = session_new (c, VFI_F16, &info, &error);
  const gsize all = shim.memory;

  g_assert_no_error (error);
  vfi_interp_set_pair (s, &a->frame, &b->frame, &error);
  shim.memory = shim.allocated;
  g_assert_false (vfi_interp_at (s, 0.5, &d->frame, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
  g_clear_error (&error);
  shim.memory = all;
  g_assert_true (vfi_interp_at (s, 0.5, &d->frame, &error));
  g_assert_no_error (error);
  vfi_interp_free (s);
  vfi_backend_unref (c);
  nothing_left ();
}

static void
lost_device (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_I420, 64, 64, VFI_RANGE_LIMITED };
  g_autoptr (TestFrame) a = picture (&info, 0), b = picture (&info, 1), d = test_frame_new (&info, 0);
  VfiBackend *c = cuda_new ();
  GError *error = NULL;
  VfiInterp *s = session_new (c, VFI_F16, &info, &error);

  make (s, a, b, 0.5, d);
  shim.fail_launch = 5;
  vfi_interp_reset (s);
  vfi_interp_set_pair (s, &a->frame, &b->frame, &error);
  g_assert_no_error (error);
  g_assert_false (vfi_interp_at (s, 0.5, &d->frame, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_BACKEND);
  g_clear_error (&error);
  shim.fail_launch = 0;
  vfi_interp_free (s);
  vfi_backend_unref (c);
  nothing_left ();
}

/* An application's context is used, and left as it was. */
static void
foreign_context (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_I420, 64, 64, VFI_RANGE_LIMITED };
  g_autoptr (TestFrame) a = picture (&info, 0), b = picture (&info, 1), d = test_frame_new (&info, 0);
  int context;
  void *mine = &context, *popped;
  VfiBackend *c;
  GError *error = NULL;
  VfiInterp *s;

  shim_push_current (mine);
  c = cuda_new ();
  shim_pop_current (&popped);
  g_assert_true (popped == mine);
  s = session_new (c, VFI_F16, &info, &error);
  g_assert_no_error (error);
  make (s, a, b, 0.5, d);
  g_assert_cmpint (shim_depth (), ==, 0);
  shim_push_current (&popped);
  make (s, b, a, 0.5, d);
  shim_get_current (&popped);
  g_assert_true (popped == &popped);
  vfi_interp_free (s);
  vfi_backend_unref (c);
  g_assert_cmpint (shim_depth (), ==, 1);
  shim_pop_current (&popped);
  nothing_left ();
}

static gsize
plane_bytes (const TestFrame *f, int plane)
{
  return (gsize) (f->h[plane] - 1) * f->frame.stride[plane] + vfi_frame_info_row_bytes (&f->info, plane);
}

/* On a stream of the caller's, from and to frames on the device: nothing waits; what the caller enqueues behind it sees the frames; captures are made
 * elsewhere, for others may use the stream meanwhile; and it stays. */
static void
foreign_stream (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, 64, 32, VFI_RANGE_LIMITED };
  const VfiModel *m = vfi_model_find ("vfi-nano", NULL);
  g_autoptr (VfiWeights) w = weights_of (m);
  TestFrame *f[4], *want[4], *got[4];
  VfiFrame on_device[4], made[4];
  VfiBackend *c = cuda_new ();
  GError *error = NULL;
  cudaStream_t stream;
  void *context, *popped;
  VfiInterp *s = session_new (c, VFI_F16, &info, &error);
  int waits;

  for (int i = 0; i < 4; i++)
    f[i] = picture (&info, i);
  for (int i = 0; i < 4; i++) {
    want[i] = test_frame_new (&info, 0);
    got[i] = test_frame_new (&info, i); /* rows as those of f */
    make (s, f[i], f[(i + 1) % 4], 0.3, want[i]);
  }
  vfi_interp_free (s);
  context = ((VfiCuda *) c)->context;
  vfi_backend_unref (c);

  shim_push_current (context);
  shim.streams = 0;
  shim.late = 1;
  g_assert_cmpint (cudaStreamCreateWithFlags (&stream, 0), ==, cudaSuccess);
  shim.late = 0;
  c = vfi_cuda_backend_new (0, stream, &error);
  g_assert_no_error (error);
  s = vfi_interp_new_on (c, m, w, VFI_F16, &info, 1, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < 2; k++) {
      VfiFrame *d = k ? &made[i] : &on_device[i];

      *d = f[i]->frame;
      d->memory = VFI_MEMORY_CUDA;
      for (int p = 0; p < f[i]->n_planes; p++) {
        const gsize bytes = plane_bytes (f[i], p);

        cudaMalloc ((void **) &d->data[p], bytes);
        if (!k) /* not before all that is on the stream */
          cudaMemcpyAsync (d->data[p], f[i]->frame.data[p], bytes, cudaMemcpyHostToDevice, stream);
      }
    }
  waits = shim.waits;
  for (int i = 0; i < 4; i++) {
    vfi_interp_set_pair (s, &on_device[i], &on_device[(i + 1) % 4], &error);
    vfi_interp_start (s, 0.3, &made[i], &error);
    g_assert_no_error (error);
  }
  g_assert_cmpint (shim.waits, ==, waits);
  g_assert_cmpint (shim_captures (stream), ==, 0);
  g_assert_cmpint (shim_captures (((VfiCuda *) c)->own), >, 0);
  for (int i = 0; i < 4; i++) {
    for (int p = 0; p < f[i]->n_planes; p++)
      cudaMemcpyAsync (got[i]->frame.data[p], made[i].data[p], plane_bytes (f[i], p), cudaMemcpyDeviceToHost, stream);
    g_assert_true (vfi_frame_equal (&info, &want[i]->frame, &got[i]->frame));
  }
  vfi_interp_free (s);
  vfi_backend_unref (c);
  g_assert_cmpint (cudaStreamSynchronize (stream), ==, cudaSuccess);
  cudaStreamDestroy (stream);
  for (int i = 0; i < 4; i++) {
    for (int p = 0; p < f[i]->n_planes; p++) {
      cudaFree (on_device[i].data[p]);
      cudaFree (made[i].data[p]);
    }
    test_frame_free (f[i]);
    test_frame_free (want[i]);
    test_frame_free (got[i]);
  }
  shim_pop_current (&popped);
  nothing_left ();
}

/* ---- what is enqueued in which order ------------------------------------------------------------ */

#define N_STREAM 6

/* The frames in the middle of successive ones, each frame in memory of its own, which is overwritten as soon as that is allowed; `ahead`
 * more than one under way. */
static void
make_stream (VfiInterp *s, const VfiFrameInfo *info, int ahead, TestFrame *made[N_STREAM])
{
  TestFrame *f[3] = { picture (info, 0), picture (info, 1), test_frame_new (info, 0) };
  GError *error = NULL;

  vfi_interp_reset (s);
  for (int i = 0; i < N_STREAM; i++) {
    made[i] = test_frame_new (info, 3);
    vfi_interp_set_pair (s, &f[i % 3]->frame, &f[(i + 1) % 3]->frame, &error);
    g_assert_no_error (error);
    vfi_interp_start (s, 0.3, &made[i]->frame, &error);
    g_assert_no_error (error);
    if (i >= ahead) {
      vfi_interp_finish (s, &error);
      g_assert_no_error (error);
    }
    test_frame_fill (f[(i + 2) % 3], texture, GINT_TO_POINTER (i + 2));
    test_frame_fill (f[i % 3], texture, GINT_TO_POINTER (77)); /* it has been seen for the last time */
  }
  for (int i = 0; i < ahead; i++) {
    vfi_interp_finish (s, &error);
    g_assert_no_error (error);
  }
  for (int i = 0; i < N_STREAM; i++)
    g_assert_true (test_frame_intact (made[i]));
  for (int i = 0; i < 3; i++)
    test_frame_free (f[i]);
}

static void
same_stream (TestFrame *const want[N_STREAM], TestFrame *made[N_STREAM])
{
  for (int i = 0; i < N_STREAM; i++) {
    g_assert_true (vfi_frame_equal (&want[i]->info, &want[i]->frame, &made[i]->frame));
    test_frame_free (made[i]);
  }
}

/* Whichever of computing, uploads and downloads does nothing before it is waited for, and however many frames are under way, the bits are those of a
 * device that does all at once, one frame after the other: nothing is read, and no memory used again, before it is time. */
static void
late (gconstpointer data)
{
  static const int which[] = { 0, 1, 2, 4, 7 };
  const VfiFrameInfo info = { GPOINTER_TO_INT (data), 61, 43, VFI_RANGE_LIMITED };
  TestFrame *want[N_STREAM], *made[N_STREAM];

  for (int ahead = 0; ahead <= 3; ahead += 3)
    for (guint i = 0; i < G_N_ELEMENTS (which); i += info.format == VFI_FORMAT_NV12 ? 1 : 4) {
      const gboolean first = ahead == 0 && i == 0;
      GError *error = NULL;
      VfiBackend *c;
      VfiInterp *s;

      shim.streams = 0;
      shim.late = which[i];
      c = cuda_new ();
      s = session_new (c, VFI_F16, &info, &error);
      g_assert_no_error (error);
      make_stream (s, &info, ahead, first ? want : made);
      if (!first)
        same_stream (want, made);
      vfi_interp_free (s);
      vfi_backend_unref (c);
      shim.late = 0;
      nothing_left ();
    }
  for (int i = 1; i < N_STREAM; i++)
    g_assert_false (vfi_frame_equal (&info, &want[i]->frame, &want[0]->frame));
  for (int i = 0; i < N_STREAM; i++)
    test_frame_free (want[i]);
}

/* While a frame is computed the next one's upload and the one before's download are done, and nothing waits for it. */
static void
overlap (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, 64, 32, VFI_RANGE_LIMITED };
  TestFrame *f[N_STREAM + 1], *d[N_STREAM];
  GError *error = NULL;
  cudaStream_t stream;
  VfiBackend *c;
  VfiInterp *s;

  shim.streams = 0;
  shim.late = 1 | 4; /* computing, and downloads, which wait for it */
  c = cuda_new ();
  stream = ((VfiCuda *) c)->stream;
  s = session_new (c, VFI_F16, &info, &error);
  g_assert_no_error (error);
  for (int i = 0; i <= N_STREAM; i++)
    f[i] = picture (&info, i);
  for (int i = 0; i < N_STREAM; i++) {
    const gsize before = shim_done (stream);
    gsize after;

    d[i] = test_frame_new (&info, 0);
    vfi_interp_set_pair (s, &f[i]->frame, &f[i + 1]->frame, &error);
    vfi_interp_start (s, 0.5, &d[i]->frame, &error);
    g_assert_no_error (error);
    if (i >= 3) {                                        /* all that is allocated and captured is */
      g_assert_cmpuint (shim_done (stream), ==, before); /* the frame before is still being computed */
      vfi_interp_finish (s, &error);
      after = shim_done (stream);
      g_assert_cmpuint (after, >, before);
      vfi_interp_finish (s, &error);
      g_assert_cmpuint (shim_done (stream), >, after); /* this one was, while that one went back */
      vfi_interp_start (s, 0.25, &d[i]->frame, &error);
    } else if (i >= 1)
      vfi_interp_finish (s, &error);
    g_assert_no_error (error);
  }
  vfi_interp_free (s); /* with work under way */
  vfi_backend_unref (c);
  shim.late = 0;
  for (int i = 0; i < N_STREAM; i++)
    test_frame_free (d[i]);
  for (int i = 0; i <= N_STREAM; i++)
    test_frame_free (f[i]);
  nothing_left ();
}

/* Where there is no memory for several frames at the same time, one comes after the other, and none is lost. */
static void
few_frames (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_I420, 64, 64, VFI_RANGE_LIMITED };
  const gsize all = shim.memory;
  TestFrame *want[N_STREAM], *made[N_STREAM];
  gsize one = 0;

  for (int n = 5; n >= 3; n--) { /* a pair, what comes, what is made, what goes */
    shim.streams = 0;
    shim.late = n < 5 ? 1 : 0; /* computing */
    VfiBackend *c = cuda_new ();
    GError *error = NULL;
    VfiInterp *s = session_new (c, VFI_F16, &info, &error);
    const gsize session = shim.allocated;

    g_assert_no_error (error);
    if (n == 5) {
      make_stream (s, &info, 0, want);
      g_assert_cmpuint (shim.allocated, >, session);
    } else
      shim.memory = session + n * one;
    make_stream (s, &info, 1, made);
    same_stream (want, made);
    if (n == 5)
      one = (shim.allocated - session) / 5;
    g_assert_cmpuint (shim.allocated - session, ==, (n == 5 ? 5 : 3) * one);
    shim.memory = all;
    shim.late = 0;
    vfi_interp_free (s);
    vfi_backend_unref (c);
    nothing_left ();
  }
  for (int i = 0; i < N_STREAM; i++)
    test_frame_free (want[i]);
}

/* Where something else needs the memory that several frames at the same time take, it gets that; what is under way is not lost. */
static void
fewer_frames (void)
{
  const VfiFrameInfo info = { VFI_FORMAT_I420, 64, 64, VFI_RANGE_LIMITED };
  const gsize all = shim.memory;
  g_autoptr (TestFrame) a = picture (&info, 0), b = picture (&info, 1), d = test_frame_new (&info, 0);
  TestFrame *want[N_STREAM], *made[N_STREAM];
  VfiBackend *c = cuda_new ();
  GError *error = NULL;
  VfiInterp *s = session_new (c, VFI_F16, &info, &error);
  const gsize session = shim.allocated;
  void *p;

  g_assert_no_error (error);
  make_stream (s, &info, 1, want);
  shim.memory = shim.allocated;
  vfi_interp_reset (s);
  vfi_interp_set_pair (s, &a->frame, &b->frame, &error);
  vfi_interp_start (s, 0.3, &d->frame, &error);
  g_assert_no_error (error);
  g_assert_nonnull (p = c->klass->alloc (c, (shim.allocated - session) / 5 * 2, &error));
  g_assert_null (c->klass->alloc (c, 1, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
  g_clear_error (&error);
  vfi_interp_finish (s, &error);
  g_assert_no_error (error);
  g_assert_true (vfi_frame_equal (&info, &want[0]->frame, &d->frame));
  make_stream (s, &info, 1, made);
  same_stream (want, made);
  c->klass->dealloc (c, p);
  shim.memory = all;
  vfi_interp_free (s);
  vfi_backend_unref (c);
  nothing_left ();
  for (int i = 0; i < N_STREAM; i++)
    test_frame_free (want[i]);
}

int
main (int argc, char **argv)
{
  static const VfiFormat formats[] = { VFI_FORMAT_NV12, VFI_FORMAT_P010_10LE, VFI_FORMAT_RGBA, VFI_FORMAT_A444_10LE };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *name = g_strdup_printf ("/cuda/session/%s", vfi_format_name (formats[i]));

    g_test_add_data_func (name, GINT_TO_POINTER (formats[i]), same_frames);
  }
  g_test_add_data_func ("/cuda/session/stream/vfi-nano", "vfi-nano", stream);
  g_test_add_data_func ("/cuda/session/stream/vfi-base", "vfi-base", stream);
  g_test_add_data_func ("/cuda/session/around/vfi-nano", "vfi-nano", around);
  g_test_add_data_func ("/cuda/session/around/vfi-base", "vfi-base", around);
  g_test_add_data_func ("/cuda/session/caption/vfi-nano", "vfi-nano", caption);
  g_test_add_data_func ("/cuda/session/caption/vfi-base", "vfi-base", caption);
  g_test_add_data_func ("/cuda/session/pillarbox/vfi-nano", "vfi-nano", pillarbox);
  g_test_add_data_func ("/cuda/session/pillarbox/vfi-base", "vfi-base", pillarbox);
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *name = g_strdup_printf ("/cuda/session/late/%s", vfi_format_name (formats[i]));

    g_test_add_data_func (name, GINT_TO_POINTER (formats[i]), late);
  }
  g_test_add_func ("/cuda/session/drawn", drawn);
  g_test_add_func ("/cuda/session/overlap", overlap);
  g_test_add_func ("/cuda/session/few-frames", few_frames);
  g_test_add_func ("/cuda/session/fewer-frames", fewer_frames);
  g_test_add_func ("/cuda/session/shared-engines", shared_engines);
  g_test_add_func ("/cuda/session/no-backend", no_backend);
  g_test_add_func ("/cuda/session/forgotten", forgotten);
  g_test_add_func ("/cuda/session/no-memory", no_memory);
  g_test_add_func ("/cuda/session/no-memory-for-frames", no_memory_for_frames);
  g_test_add_func ("/cuda/session/lost-device", lost_device);
  g_test_add_func ("/cuda/session/foreign-context", foreign_context);
  g_test_add_func ("/cuda/session/foreign-stream", foreign_stream);
  return g_test_run ();
}
