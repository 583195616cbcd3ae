/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#include <math.h>
#include <time.h>

#include "../generate.h"
#include "model.h"

#define GUARD 256
#define FENCE 0xff /* NaN in every dtype */
#define BEHIND 256 /* bytes of it behind a workspace */

/* A tensor between fences; where it is strided, between other channels too, which are fences as well. */
typedef struct
{
  VfiView view; /* on the host */
  guint8 *host;
  gsize bytes, start; /* the view's data at host + start */
  void *memory;       /* the backend's */
} Fenced;

static Fenced
fenced_new (const VfiTensor *x, gboolean strided, gboolean planar)
{
  int before = strided ? 3 : 0, after = strided ? 2 : 0, size = vfi_dtype_size (x->dtype), all = before + x->c + after;
  Fenced f = { .view = { .dtype = x->dtype, .h = x->h, .w = x->w, .c = x->c, .ld = all, .cd = 1 } };

  if (planar) {
    f.view.ld = 1;
    f.view.cd = x->h * x->w;
  }
  f.start = GUARD + (gsize) before * f.view.cd * size;
  f.bytes = (gsize) x->h * x->w * all * size + 2 * GUARD;
  f.host = g_malloc (f.bytes);
  memset (f.host, FENCE, f.bytes);
  f.view.data = f.host + f.start;
  return f;
}

static void
fenced_set (Fenced *f, const float *values)
{
  for (int y = 0; y < f->view.h; y++)
    for (int x = 0; x < f->view.w; x++)
      for (int c = 0; c < f->view.c; c++)
        vfi_view_set (&f->view, y, x, c, *values++);
}

static VfiView
fenced_upload (Fenced *f, VfiBackend *b)
{
  VfiView v = f->view;
  GError *error = NULL;

  f->memory = b->klass->alloc (b, f->bytes, &error);
  g_assert_no_error (error);
  b->klass->upload (b, f->memory, f->host, f->bytes);
  v.data = (guint8 *) f->memory + f->start;
  return v;
}

static void
fenced_free (Fenced *f, VfiBackend *b)
{
  b->klass->dealloc (b, f->memory);
  g_free (f->host);
}

/* Whether all that is not the view's own is as it was made. */
static gboolean
fences_stand (const Fenced *f)
{
  int size = vfi_dtype_size (f->view.dtype);
  gsize pixels = (gsize) f->view.h * f->view.w, planes = f->view.ld == 1 ? f->view.c : 1; /* rows of pixels that follow one another */
  gsize own = (f->view.ld == 1 ? 1 : f->view.c) * (gsize) size, pitch = (gsize) f->view.ld * size, end = f->start + planes * pixels * pitch;

  for (gsize i = 0; i < f->bytes; i++)
    if ((i < f->start || i >= end || (i - f->start) % pitch >= own) && f->host[i] != FENCE)
      return FALSE;
  return TRUE;
}

static gboolean
is_time (const VfiNode *node, int i)
{
  const VfiTensor *x = node->src[i];

  return x->dtype == VFI_F32 && x->h == 1 && x->w == 1 && x->c == 1 &&
         ((node->op == &vfi_op_warp && i == 2) || (node->op == &vfi_op_shear && i == 1) || (node->op == &vfi_op_lucas_kanade && i == 2) ||
          ((node->op == &vfi_op_weigh || node->op == &vfi_op_evidence) && i == 2) || (node->op == &vfi_op_fill && i == 0) ||
          (node->op == &vfi_op_mix && i == 2) || (node->op == &vfi_op_curve && i == 3) || (node->op == &vfi_op_overlay && i == 3) ||
          (node->op == &vfi_op_blend && i >= 3));
}

static gboolean
is_flow (const VfiNode *node, int i)
{
  return ((node->op == &vfi_op_inverse_search || node->op == &vfi_op_dense_search) && i == 2) ||
         (node->op == &vfi_op_weigh && (i == 3 || i == 4)) || (node->op == &vfi_op_curve && i < 3) ||
         (node->op == &vfi_op_weighted_median && i < 2) || (node->op == &vfi_op_evidence && i == 3) ||
         ((node->op == &vfi_op_warp || node->op == &vfi_op_warp_zeros) && i == 1) || (node->op == &vfi_op_lucas_kanade && i == 3);
}

static gboolean
is_picture (const VfiNode *node, int i)
{
  return i < 2 &&
         (node->op == &vfi_op_inverse_search || node->op == &vfi_op_dense_search || node->op == &vfi_op_weigh ||
          node->op == &vfi_op_evidence || node->op == &vfi_op_still || node->op == &vfi_op_overlay || node->op == &vfi_op_exposure);
}

/* What a search can find: frame i of smooth waves that move by (1.5, -0.75); golden.py has the same. */
static float
wave (int i, int y, int x)
{
  const double px = x - 1.5 * i, py = y + 0.75 * i;

  return 0.5 + 0.2 * sin (0.55 * px + 0.2 * py) + 0.15 * sin (0.15 * px - 0.6 * py + 1) + 0.1 * sin (0.9 * px + 0.8 * py);
}

double
op_magnifies (const VfiOp *op)
{
  return op == &vfi_op_overlay ? 2 : 1;
}

float *
node_source (const VfiNode *node, int i, const char *name, float flow, float time)
{
  const VfiTensor *x = node->src[i];
  gsize n = (gsize) x->h * x->w * x->c;
  float *v = g_new (float, n);
  char *full = g_strdup_printf ("%s/src%d", name, i);
  guint64 seed = test_seed (full);

  for (gsize j = 0; j < n; j++)
    v[j] = is_picture (node, i) ? wave (i, j / x->w, j % x->w)
           : is_time (node, i)  ? time
           : is_flow (node, i)  ? (flow < 0 ? -flow * (0.5f + test_uniform (seed, j) / 8) : flow * test_uniform (seed, j))
                                : test_coarse (seed, j);
  for (gsize j = 0; node->op == &vfi_op_weigh && i == 4 && j < n; j++) /* on the left nearly how the waves move, so that both weigh */
    if (j / 2 % x->w < (gsize) x->w / 2)
      v[j] = (j % 2 ? -0.75f : 1.5f) + test_uniform (seed, j) / 8;
  for (gsize j = 0; node->op == &vfi_op_weigh && i == 5 && j < n; j++)
    v[j] = fabsf (v[j]) / 4;
  for (gsize j = 0; node->op == &vfi_op_still && i == 1 && j < n; j++) /* it moves to the right of the middle, and there is noise */
    v[j] = wave (j % x->w > (gsize) x->w / 2, j / x->w, j % x->w) + flow * test_coarse (seed, j);
  for (gsize j = 0; node->op == &vfi_op_still && i == 3 && j < n; j++)
    v[j] = fabsf (v[j]) / 4;
  for (gsize j = 0; node->op == &vfi_op_overlay && i == 1 && j < n;
       j++) /* it moves to the right of the middle, and some of it differs a little */
    v[j] = wave (j % x->w > (gsize) x->w / 2, j / x->w, j % x->w) + test_coarse (seed, j) / 16;
  for (gsize j = 0; node->op == &vfi_op_overlay && i == 2 && j < n; j++)
    v[j] = flow * test_uniform (seed, j);
  for (gsize j = 0; node->op == &vfi_op_overlay && i == 3 && j < n; j++)
    v[j] = strstr (name, "/first") ? 0 : 1;
  for (gsize j = 0; node->op == &vfi_op_overlay && i == 4 && j < n; j++)
    v[j] = strstr (name, "/first") ? NAN : 4 * fabsf (v[j]);
  for (gsize j = 0; node->op == &vfi_op_exposure && i == 1 && j < n; j++)
    v[j] = flow * v[j] + 0.0625f;
  for (gsize j = 0; node->op == &vfi_op_still && i == 2 && j < n; j++)
    v[j] = 20 * flow * test_uniform (seed, j);
  for (gsize j = 0; node->op == &vfi_op_weighted_median && i >= 2 && j < n; j++) /* pixels that are nearly alike */
    v[j] /= 64;
  for (gsize j = 0; node->op == &vfi_op_curve && (i == 1 || i == 2) && j < n; j++) /* it grows faster */
    v[j] *= i == 1 ? 0.375f : 2;
  if (strstr (name, "within") && x->h * x->w == 1 && x->c == 4) /* parts of the picture's sides; areas, of which they are */
    memcpy (v,
            node->op != &vfi_op_within ? (const float[]){ 0.2f, 0.15f, 0.9f, 0.7f }
            : i                        ? (const float[]){ 3, 4, 20, 30 }
                                       : (const float[]){ 2, 5, 18, 31 },
            n * sizeof *v);
  if (node->op == &vfi_op_curve && i == 4) {
    v[0] = strstr (name, "/before") || strstr (name, "/both") ? 0.75f : 0;
    v[1] = strstr (name, "/after") || strstr (name, "/both") ? 1.5f : 0;
  }
  for (gsize j = 0; node->op == &vfi_op_contextual_attention && j < n; j++) /* not so long that one place outweighs all others; a hole */
    v[j] = i == 0
               ? v[j] / 8
               : j / x->w >= (gsize) x->h / 3 && j / x->w < (gsize) x->h / 2 && j % x->w >= (gsize) x->w / 4 && j % x->w < (gsize) x->w / 2;
  if (node->op == &vfi_op_normalize && i)
    v[1] = v[0] * v[0] + fabsf (v[1]); /* moments that fit each other */
  g_free (full);
  return v;
}

void
node_weights (const VfiNode *node, float **weights)
{
  for (int i = 0; i < node->n_weights; i++) {
    const VfiWeightSpec *spec = &node->weights[i];
    guint64 seed = test_seed (spec->name);
    gsize n = 1;

    for (int j = 0; j < spec->rank; j++)
      n *= spec->shape[j];
    weights[i] = g_new (float, n);
    for (gsize j = 0; j < n; j++)
      weights[i][j] = test_coarse (seed, j) * ldexpf (1, spec->rank < 2 ? -2 : -ilogb (sqrt (n / spec->shape[0]))) +
                      (g_str_has_suffix (spec->name, "running_var") ? 1 : 0);
  }
  vfi_node_fold (node, weights);
}

static const VfiKernel *
find_kernel (VfiBackend *b, const VfiNode *node)
{
  for (const VfiKernel *const *k = b->klass->kernels; *k; k++)
    if ((*k)->op == node->op && (!(*k)->supports || (*k)->supports (b, node)))
      return *k;
  return NULL;
}

/* What rounding v to a dtype may cost. */
static double
rounding (VfiDType t, double v)
{
  return t == VFI_BF16 ? 0x1p-8 * fabs (v) : t == VFI_F16 ? MAX (0x1p-11 * fabs (v), 0x1p-25) : 0;
}

/* Slopes may be applied to a result that was rounded already. */
static gboolean
slopes_follow (const VfiNode *node)
{
  return node->op == &vfi_op_conv2d && ((const VfiConv2dParams *) node->params)->act == VFI_PRELU;
}

static double
compare (const VfiView *got, const VfiView *want, const char *name, double tolerance, int roundings)
{
  double sum = 0, rms, worst = 0;

  for (gsize i = 0, n = (gsize) want->h * want->w * want->c; i < n; i++)
    sum += ((const float *) want->data)[i] * (double) ((const float *) want->data)[i] / n;
  rms = sqrt (sum);
  for (int y = 0; y < got->h; y++)
    for (int x = 0; x < got->w; x++)
      for (int c = 0; c < got->c; c++) {
        double a = vfi_view_get (got, y, x, c), b = vfi_view_get (want, y, x, c), d = fabs (a - b);

        if (!(d <= tolerance * rms + roundings * rounding (got->dtype, b))) {
          g_test_fail_printf ("%s: (y %d, x %d, c %d) is %.9g, must be %.9g; root mean square %.4g", name, y, x, c, a, b, rms);
          return INFINITY;
        }
        worst = MAX (worst, d);
      }
  return got->dtype == VFI_F32 && rms > 0 ? worst / rms : 0;
}

/* A workspace full of NaN, with a fence behind it; NULL where the kernel needs none. */
static guint8 *
workspace_new (VfiBackend *b, const VfiKernel *kernel, gpointer state, gsize *bytes)
{
  g_autofree guint8 *full = NULL;
  guint8 *p;

  *bytes = kernel->workspace ? kernel->workspace (state) : 0;
  if (!*bytes)
    return NULL;
  full = g_malloc (*bytes + BEHIND);
  memset (full, FENCE, *bytes + BEHIND);
  p = b->klass->alloc (b, *bytes + BEHIND, NULL);
  g_assert_nonnull (p);
  b->klass->upload (b, p, full, *bytes + BEHIND);
  kernel->bind (state, p);
  return p;
}

static gboolean
workspace_free (VfiBackend *b, guint8 *p, gsize bytes)
{
  guint8 behind[BEHIND];
  gboolean stands = TRUE;

  if (!p)
    return TRUE;
  b->klass->download (b, behind, p + bytes, BEHIND);
  for (int i = 0; i < BEHIND; i++)
    stands = stands && behind[i] == FENCE;
  b->klass->dealloc (b, p);
  return stands;
}

typedef struct
{
  const VfiKernel *kernel;
  VfiBackend *b;
  const VfiNode *node;
  gpointer state;
  const VfiView *src, *dst;
} Run;

/* Thread i's part of the rows, and of these a third at first, which is no whole vector or tile. */
static void
run_part (gpointer data, int i, int n)
{
  const Run *r = data;
  const int from = r->dst->h * i / n, to = r->dst->h * (i + 1) / n, third = from + (to - from + 2) / 3;

  if (from < third)
    r->kernel->rows (r->b, r->node, r->state, i, r->src, r->dst, from, third);
  if (third < to)
    r->kernel->rows (r->b, r->node, r->state, i, r->src, r->dst, third, to);
}

static void
run (const VfiKernel *kernel, VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  if (kernel->rows)
    b->klass->share (b, run_part, &(Run){ kernel, b, node, state, src, dst });
  else
    kernel->run (b, node, state, src, dst);
}

static double
check_layout (const VfiNode *node, VfiBackend *b, const VfiKernel *kernel, float *const *weights, const char *name, gboolean strided,
              guint planar, float flow, float time, double tolerance)
{
  Fenced src[VFI_MAX_SRC], dst = fenced_new (node->dst, strided, node->dst->planar || (planar && node->op == &vfi_op_resize));
  VfiView host[VFI_MAX_SRC], view[VFI_MAX_SRC], result, without_data;
  VfiView want = { .dtype = VFI_F32, .h = dst.view.h, .w = dst.view.w, .c = dst.view.c, .ld = dst.view.c, .cd = 1 };
  const char *layout = planar ? "planar" : strided ? "strided" : "dense";
  GError *error = NULL;
  gpointer state;
  guint8 *space;
  gsize bytes;
  double worst = INFINITY;

  for (int i = 0; i < node->n_src; i++) {
    float *values = node_source (node, i, name, flow, time);

    src[i] = fenced_new (node->src[i], strided && !is_time (node, i), planar >> i & 1);
    fenced_set (&src[i], values);
    host[i] = src[i].view;
    view[i] = fenced_upload (&src[i], b);
    g_free (values);
  }
  want.data = g_new (float, (gsize) want.h *want.w *want.c);
  node->op->reference (node, host, (const float *const *) weights, &want);

  result = fenced_upload (&dst, b);
  for (int i = 0; i < node->n_src; i++)
    host[i].data = NULL;
  without_data = result;
  without_data.data = NULL;
  state = kernel->prepare ? kernel->prepare (b, node, host, (const float *const *) weights, &without_data, &error) : NULL;
  if (error) {
    g_test_fail_printf ("%s: %s", name, error->message);
    g_error_free (error);
  } else {
    space = workspace_new (b, kernel, state, &bytes);
    b->klass->begin (b);
    run (kernel, b, node, state, view, &result);
    b->klass->end (b);
    if (!workspace_free (b, space, bytes))
      g_test_fail_printf ("%s (%s): writes behind its workspace", name, layout);
    b->klass->download (b, dst.host, dst.memory, dst.bytes);
    if (!fences_stand (&dst))
      g_test_fail_printf ("%s (%s): writes outside of its result", name, layout);
    worst = compare (&dst.view, &want, name, tolerance, slopes_follow (node) ? 2 : 1);
    for (int i = 0; i < node->n_src; i++) {
      guint8 *now = g_malloc (src[i].bytes);

      b->klass->download (b, now, src[i].memory, src[i].bytes);
      if (memcmp (now, src[i].host, src[i].bytes))
        g_test_fail_printf ("%s (%s): writes into source %d", name, layout, i);
      g_free (now);
    }
    if (kernel->release)
      kernel->release (state);
  }
  for (int i = 0; i < node->n_src; i++)
    fenced_free (&src[i], b);
  fenced_free (&dst, b);
  g_free (want.data);
  return worst;
}

/* The sources that are tried as planes too: a resized plane is one. */
static guint
planar_sources (const VfiNode *node)
{
  guint planar = node->op->planar & ((1u << node->n_src) - 1);

  return node->src[0]->dtype == VFI_F32 || planar != 1 ? planar : 0;
}

double
node_check (const VfiNode *node, VfiBackend *b, const char *name, float flow, float time, double tolerance)
{
  const VfiKernel *kernel = find_kernel (b, node);
  float *weights[VFI_MAX_WEIGHTS] = { NULL };
  double worst;

  if (!kernel) {
    g_test_fail_printf ("%s: backend %s has no kernel", name, b->klass->name);
    return INFINITY;
  }
  node_weights (node, weights);
  for (gsize i = 0; node->src[0]->dtype != VFI_F32 && i < node->folded[0]; i++)
    weights[0][i] = vfi_bf16_to_f32 (vfi_f32_to_bf16 (weights[0][i])); /* what was folded is not exact */
  /* What it sums are products of what two convolutions give, each as far off as both together. */
  if (node->op == &vfi_op_sepconv && node->src[0]->dtype == VFI_F32)
    tolerance *= 2;
  /* Of brightness in 256ths, rounding is magnified where a patch has little gradient, and where patches that disagree are weighted by what they miss: the reference itself
   * is as far from PyTorch in double precision. */
  if (node->op == &vfi_op_dense_search)
    tolerance *= 2;
  /* A part by which two sums differ is multiplied by ten (VFI_STILL_BETTER): 2.1e-6 was seen. */
  if (node->op == &vfi_op_still)
    tolerance *= 2;
  tolerance *= op_magnifies (node->op);
  worst = check_layout (node, b, kernel, weights, name, FALSE, 0, flow, time, tolerance);
  if (!node->op->dense)
    worst = MAX (worst, check_layout (node, b, kernel, weights, name, TRUE, 0, flow, time, tolerance));
  if (node->op->planar && planar_sources (node))
    worst = MAX (worst, check_layout (node, b, kernel, weights, name, TRUE, planar_sources (node), flow, time, tolerance));
  for (int i = 0; i < VFI_MAX_WEIGHTS; i++)
    g_free (weights[i]);
  return worst;
}

double
op_case_check (const OpCase *k, VfiBackend *b, VfiDType feature, double tolerance)
{
  VfiGraph *g = op_case_graph (k, feature);
  double worst;

  g_assert_no_error (g->error);
  g_assert_cmpint (g->nodes->len, ==, 1);
  worst = node_check (g->nodes->pdata[0], b, k->name, k->flow, k->time, tolerance);
  vfi_graph_free (g);
  return worst;
}

/* ---- bench -------------------------------------------------------------------------------------- */

static double
now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Seconds of one run: the best of runs that fill about 50 ms. */
static double
bench_node (const VfiNode *node, VfiBackend *b)
{
  const VfiKernel *kernel = find_kernel (b, node);
  Fenced item[1 + VFI_MAX_SRC];
  VfiView view[1 + VFI_MAX_SRC];
  float *weights[VFI_MAX_WEIGHTS] = { NULL };
  GError *error = NULL;
  gpointer state = NULL;
  guint8 *space;
  gsize bytes;
  double total = 0, best = G_MAXDOUBLE;

  g_assert_nonnull (kernel);
  node_weights (node, weights);
  for (int i = 0; i <= node->n_src; i++) {
    VfiTensor *x = i ? node->src[i - 1] : node->dst;

    item[i] = fenced_new (x, vfi_tensor_root (x, NULL) != x, x->planar);
    if (i) {
      float *values = node_source (node, i - 1, node->path, 4, 0.5f);

      fenced_set (&item[i], values);
      g_free (values);
    }
    view[i] = fenced_upload (&item[i], b);
  }
  if (kernel->prepare)
    state = kernel->prepare (b, node, &view[1], (const float *const *) weights, &view[0], &error);
  g_assert_no_error (error);
  space = workspace_new (b, kernel, state, &bytes);
  for (int n = 0; total < 0.05 || n < 5; n++) {
    double t = now ();

    b->klass->begin (b);
    run (kernel, b, node, state, &view[1], &view[0]);
    b->klass->end (b);
    t = now () - t;
    total += t;
    best = MIN (best, t);
  }
  workspace_free (b, space, bytes);
  if (kernel->release)
    kernel->release (state);
  for (int i = 0; i <= node->n_src; i++)
    fenced_free (&item[i], b);
  for (int i = 0; i < VFI_MAX_WEIGHTS; i++)
    g_free (weights[i]);
  return best;
}

void
bench_model (const char *model, VfiBackend *b, VfiDType feature, int h, int w, const char *only)
{
  GError *error = NULL;
  const VfiModel *m = vfi_model_find (model, &error);
  double total = 0;

  g_assert_no_error (error);
  for (int i = 0; i < 3; i++) {
    void (*build) (VfiGraph *, const VfiModel *, int, int) = i == 0 ? m->frame : i == 1 ? m->pair : m->at;
    VfiGraph *g = vfi_graph_new (feature);

    if (build)
      build (g, m, h, w);
    g_assert_no_error (g->error);
    for (guint j = 0; j < g->nodes->len; j++) {
      const VfiNode *node = g->nodes->pdata[j];
      const VfiTensor *y = node->dst;
      double t, bytes = (double) y->h * y->w * y->c * vfi_dtype_size (y->dtype);

      if (only && !g_regex_match_simple (only, node->path, 0, 0))
        continue;
      t = bench_node (node, b);
      for (int k = 0; k < node->n_src; k++)
        bytes += (double) node->src[k]->h * node->src[k]->w * node->src[k]->c * vfi_dtype_size (node->src[k]->dtype);
      g_print ("# %-16s %-14s %4d x %4d x %3d %8.3f ms %8.1f GFLOP/s %6.2f GB/s\n", node->path, node->op->name, y->h, y->w, y->c, t * 1e3,
               node->op->flop ? node->op->flop (node) / t * 1e-9 : 0, bytes / t * 1e-9);
      total += t;
    }
    vfi_graph_free (g);
  }
  g_print ("# %s %d x %d on %s, %s: %.3f ms\n", m->name, w, h, b->description, vfi_dtype_name (feature), total * 1e3);
}
