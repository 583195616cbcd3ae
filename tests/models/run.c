/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run.h"

#include "../generate.h"
#include "model.h"

/* Buffers by name: what plans hand to each other. */
typedef struct
{
  VfiBackend *b;
  GHashTable *buffers;
} Pool;

static void *
buffer (Pool *pool, const char *name, const VfiView *v)
{
  void *p = g_hash_table_lookup (pool->buffers, name);
  GError *error = NULL;

  if (!p) {
    p = pool->b->klass->alloc (pool->b, (gsize) v->h * v->w * v->c * vfi_dtype_size (v->dtype), &error);
    g_assert_no_error (error);
    g_hash_table_insert (pool->buffers, g_strdup (name), p);
  }
  return p;
}

static void
set (Pool *pool, const char *name, VfiPlan *plan, const char *io, const float *values)
{
  VfiView v;
  gsize n;
  guint8 *host;

  g_assert_true (vfi_plan_io (plan, io, &v));
  n = (gsize) v.h * v.w * v.c;
  v.data = host = g_malloc (n * vfi_dtype_size (v.dtype));
  for (gsize i = 0; i < n; i++)
    vfi_view_set (&v, i / v.c / v.w, i / v.c % v.w, i % v.c, values[i]);
  pool->b->klass->upload (pool->b, buffer (pool, name, &v), host, n * vfi_dtype_size (v.dtype));
  g_free (host);
}

/* Outputs of a plan that is run for one frame carry its prefix; and so does the input "x". */
static void
run (Pool *pool, VfiPlan *plan, const char *prefix)
{
  for (int i = 0; i < vfi_plan_n_io (plan); i++) {
    const char *io = vfi_plan_io_name (plan, i, NULL);
    char *name = g_strconcat (prefix, io, NULL);
    VfiView v;

    vfi_plan_io (plan, io, &v);
    vfi_plan_bind (plan, i, buffer (pool, name, &v));
    g_free (name);
  }
  pool->b->klass->begin (pool->b);
  vfi_plan_run (plan);
  pool->b->klass->end (pool->b);
}

void
model_graphs (const VfiModel *model, VfiDType feature, int h, int w, double flow_scale, VfiGraph *graphs[VFI_MAX_GRAPHS + 1])
{
  vfi_model_graphs (model, feature, h, w, flow_scale, graphs);
  for (int i = 0; graphs[i]; i++)
    g_assert_no_error (graphs[i]->error);
}

static char *
golden_path (const VfiModel *m, const char *suffix)
{
  g_autofree char *name = g_strconcat (m->name, suffix, NULL);

  return g_test_build_filename (G_TEST_DIST, "golden", name, NULL);
}

VfiWeights *
model_weights (const VfiModel *m, VfiDType dtype)
{
  g_autofree char *path = golden_path (m, ".weights");

  return test_weights_listed (path, dtype);
}

VfiWeights *
model_golden (const VfiModel *m)
{
  g_autofree char *path = golden_path (m, ".safetensors");
  GError *error = NULL;
  VfiWeights *w = vfi_weights_open (path, &error);

  g_assert_no_error (error);
  return w;
}

void
model_check_names (const VfiModel *m, VfiWeights *weights)
{
  g_auto (GStrv) unused = NULL;
  GError *error = NULL;
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];

  model_graphs (m, VFI_F32, 2 * m->multiple, m->multiple, 1, graphs);
  vfi_weights_check (weights, graphs, &unused, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (unused[0], ==, NULL);
  vfi_graphs_free (graphs);
}

void
model_names (gconstpointer model)
{
  g_autoptr (VfiWeights) w = model_weights (model, VFI_F32);

  model_check_names (model, w);
}

/* The last graph's result for pictures of 1 x 1 multiples: its width as a part of theirs, and its channels. */
static void
of_result (const VfiModel *model, int *grid, int *channels)
{
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  const VfiTensor *x;

  model_graphs (model, VFI_F32, model->multiple, model->multiple, 1, graphs);
  x = graphs[1]->outputs->pdata[0];
  *grid = model->multiple / x->w;
  *channels = x->c;
  vfi_graphs_free (graphs);
}

int
model_grid (const VfiModel *model)
{
  int grid, channels;

  of_result (model, &grid, &channels);
  return grid;
}

int
model_state (const VfiModel *model)
{
  int grid, channels;

  of_result (model, &grid, &channels);
  return channels;
}

/* A buffer's numbers, in the order of the pixels; the view is dense or planar. */
static float *
get (Pool *pool, const char *name, VfiView v)
{
  const gsize n = (gsize) v.h * v.w * v.c;
  float *made = g_new (float, n);

  v.data = g_new (float, n);
  pool->b->klass->download (pool->b, v.data, g_hash_table_lookup (pool->buffers, name), n * sizeof (float));
  for (gsize i = 0; i < n; i++)
    made[i] = vfi_view_get (&v, i / v.c / v.w, i / v.c % v.w, i % v.c);
  g_free (v.data);
  return made;
}

static void
clear (Pool *pool)
{
  GHashTableIter iter;
  gpointer p;

  g_hash_table_iter_init (&iter, pool->buffers);
  while (g_hash_table_iter_next (&iter, NULL, &p))
    pool->b->klass->dealloc (pool->b, p);
  g_hash_table_unref (pool->buffers);
}

float *
model_run_alone (const VfiModel *model, VfiBackend *b, VfiWeights *weights, VfiDType feature, int h, int w, const float *x)
{
  Pool pool = { b, g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  const char *in = strcmp (model->task, "inpainting") ? "flow" : "picture";
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  GError *error = NULL;
  VfiPlan *plan;
  VfiView v;
  float *made;

  model_graphs (model, feature, h, w, 1, graphs);
  g_assert_null (graphs[1]);
  plan = vfi_plan_new (graphs[0], b, weights, &error);
  g_assert_no_error (error);
  set (&pool, in, plan, in, x);
  run (&pool, plan, "");
  g_assert_true (vfi_plan_io (plan, "result", &v));
  g_assert_true (v.dtype == VFI_F32 && v.h == h && v.w == w && v.c == (*in == 'p' ? 3 : 2) && v.ld == v.c && v.cd == 1);
  made = get (&pool, "result", v);
  clear (&pool);
  vfi_plan_free (plan);
  return made;
}

float *
model_run (const VfiModel *model, VfiBackend *b, VfiWeights *weights, VfiDType feature, int h, int w, double flow_scale, const float *x0,
           const float *x1, float t)
{
  Pool pool = { b, g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  VfiPlan *plans[VFI_MAX_GRAPHS] = { NULL };
  GError *error = NULL;
  const char *in = model->picture.order ? "picture" : "x", *out = model->picture.order ? "result" : "state";
  VfiView v;
  float *made;

  model_graphs (model, feature, h, w, flow_scale, graphs);
  for (int i = 0; graphs[i]; i++) {
    plans[i] = vfi_plan_new (graphs[i], b, weights, &error);
    g_assert_no_error (error);
  }
  set (&pool, model->picture.order ? "0.picture" : "0.x", plans[0], in, x0);
  set (&pool, model->picture.order ? "1.picture" : "1.x", plans[0], in, x1);
  if (vfi_plan_io (plans[1], "t", &v))
    set (&pool, "t", plans[1], "t", &t);
  if (plans[2] && vfi_plan_io (plans[2], "follows", &v)) /* it is the first of its stream */
    set (&pool, "follows", plans[2], "follows", &(float){ 0 });
  for (int i = 0; i < 2 && plans[2]; i++)
    if (vfi_plan_io (plans[2], i ? "1.area" : "0.area", &v)) /* all of it is the picture */
      set (&pool, i ? "1.area" : "0.area", plans[2], i ? "1.area" : "0.area", (const float[]){ 0, 0, h / 2, w / 2 });
  run (&pool, plans[0], "0.");
  run (&pool, plans[0], "1.");
  if (plans[2])
    run (&pool, plans[2], "");
  run (&pool, plans[1], "");

  g_assert_true (vfi_plan_io (plans[1], out, &v));
  if (model->picture.order)
    g_assert_true (v.dtype == VFI_F32 && v.h == h && v.w == w && v.c == 3 && v.ld == 3 && v.cd == 1);
  else
    g_assert_true (v.dtype == VFI_F32 && v.h == h / model_grid (model) && v.w == w / model_grid (model) && v.c == model_state (model) &&
                   v.ld == 1 && v.cd == v.h * v.w);
  made = get (&pool, out, v);
  clear (&pool);
  for (int i = 0; i < VFI_MAX_GRAPHS; i++)
    vfi_plan_free (plans[i]);
  return made;
}

float *
model_bend (const VfiModel *model, VfiBackend *b, int h, int w, const float *const course[3], float t, const float lasts[2])
{
  static const char *const names[] = { "course", "before.course", "after.course" };
  Pool pool = { b, g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  GError *error = NULL;
  VfiPlan *plan;
  VfiView v;
  float *made;

  model_graphs (model, VFI_F32, h, w, 1, graphs);
  plan = vfi_plan_new (g_steal_pointer (&graphs[VFI_MAX_GRAPHS - 1]), b, NULL, &error);
  vfi_graphs_free (graphs);
  g_assert_no_error (error);
  for (int i = 0; i < 3; i++)
    set (&pool, names[i], plan, names[i], course[i]);
  set (&pool, "t", plan, "t", &t);
  set (&pool, "lasts", plan, "lasts", lasts);
  run (&pool, plan, "");
  g_assert_true (vfi_plan_io (plan, "bend", &v));
  g_assert_true (v.dtype == VFI_F32 && v.h == h / 16 && v.w == w / 16 && v.c == 2);
  made = get (&pool, "bend", v);
  clear (&pool);
  vfi_plan_free (plan);
  return made;
}
