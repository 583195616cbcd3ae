/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sessions.h"

#include <math.h>

#include "../generate.h"

const VfiFrameInfo small = { VFI_FORMAT_I420, 64, 48, VFI_RANGE_LIMITED };

/* ---- a watched backend -------------------------------------------------------------------------- */

static void (*real_free) (VfiBackend *);
static void *(*real_alloc) (VfiBackend *, gsize, GError **);
static void (*real_dealloc) (VfiBackend *, void *);
static void (*real_pack) (VfiBackend *, const VfiFrameInfo *, const VfiFrame *, double, const VfiView *);
struct Watched watched;

static void *
count_alloc (VfiBackend *b, gsize bytes, GError **error)
{
  void *p;

  if (++watched.allocs == watched.fail_at) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory, as told");
    return NULL;
  }
  p = real_alloc (b, bytes, error);
  watched.live += p != NULL;
  return p;
}

static void
count_dealloc (VfiBackend *b, void *p)
{
  watched.live -= p != NULL;
  real_dealloc (b, p);
}

static void
count_pack (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x)
{
  watched.packs++;
  real_pack (b, info, frame, flow_scale, x);
}

static void
free_class (VfiBackend *b)
{
  gpointer klass = (gpointer) b->klass;

  real_free (b);
  g_free (klass);
}

VfiBackend *
watched_backend (VfiBackendKind kind)
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
  watched = (struct Watched){ 0 };
  return b;
}

/* ---- sessions and frames ------------------------------------------------------------------------ */

VfiWeights *
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

VfiInterp *
session_on (VfiBackend *b, const VfiFrameInfo *info, double flow_scale, GError **error)
{
  const VfiModel *m = vfi_model_find ("vfi-nano", NULL);
  g_autoptr (VfiWeights) w = weights_new (m, FALSE);

  return vfi_interp_new_on (b, m, w, VFI_F32, info, flow_scale, error);
}

VfiInterp *
session_new (VfiBackendKind kind, const VfiFrameInfo *info, double flow_scale)
{
  g_autoptr (VfiBackend) b = watched_backend (kind);
  GError *error = NULL;
  VfiInterp *s = session_on (b, info, flow_scale, &error);

  g_assert_no_error (error);
  return s;
}

double
waves (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data)
{
  const int i = GPOINTER_TO_INT (data);
  const double stripes = i % 3 == 2 && plane == 0 ? (int) x / 8 % 2 * 0.5 - 0.25 : 0;

  return 0.5 + stripes + 0.1 * sin (0.31 * (x - 2.3 * i) + plane) * cos (0.23 * (y + 1.1 * i)) + 0.1 * sin (0.9 * x + 0.7 * y + comp);
}

TestFrame *
picture (const VfiFrameInfo *info, int i)
{
  TestFrame *f = test_frame_new (info, i % 2 * 16);
  test_frame_fill (f, waves, GINT_TO_POINTER (i));
  return f;
}

void
set_pair (VfiInterp *s, const TestFrame *a, const TestFrame *b)
{
  GError *error = NULL;
  vfi_interp_set_pair (s, &a->frame, &b->frame, &error);
  g_assert_no_error (error);
}

TestFrame *
at (VfiInterp *s, const VfiFrameInfo *info, double t)
{
  TestFrame *d = test_frame_new (info, 24);
  GError *error = NULL;

  vfi_interp_at (s, t, &d->frame, &error);
  g_assert_no_error (error);
  g_assert_true (test_frame_intact (d));
  return d;
}

TestFrame *
fresh (VfiBackendKind kind, const TestFrame *a, const TestFrame *b, double flow_scale, double t)
{
  VfiInterp *s = session_new (kind, &a->info, flow_scale);
  TestFrame *d;

  set_pair (s, a, b);
  d = at (s, &a->info, t);
  vfi_interp_free (s);
  return d;
}

void
assert_same (const TestFrame *got, TestFrame *want)
{
  g_assert_true (vfi_frame_equal (&want->info, &got->frame, &want->frame));
  test_frame_free (want);
}

void
test_on_both (const char *name, GTestDataFunc run)
{
  g_autofree char *r = g_strdup_printf ("/interp/reference/%s", name), *c = g_strdup_printf ("/interp/cpu/%s", name);

  g_test_add_data_func (r, GINT_TO_POINTER (VFI_BACKEND_REFERENCE), run);
  g_test_add_data_func (c, GINT_TO_POINTER (VFI_BACKEND_CPU), run);
}
