/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The planner: where tensors lie, what a run computes, and how it fails. The backend here is the plain one with eyes: it notes where tensors lie,
 * hands out memory full of NaN, and can be told to fail.
 */
#include "plan.h"

#include <math.h>

#include "../generate.h"
#include "arena.h"
#include "model.h"
#include "waits.h"

typedef struct
{
  VfiBackend base;
  VfiBackend *plain;
  VfiBackendClass klass;
  int allocated, prepared; /* balances */
  int fail_prepare;        /* fails when it comes down to 0 */
  gboolean fail_alloc;
  GHashTable *where; /* root VfiTensor to guint8 * */
} Watcher;

static void
note (Watcher *b, VfiTensor *x, const VfiView *v)
{
  VfiTensor *root = vfi_tensor_root (x, NULL);
  guint8 *base = (guint8 *) v->data - vfi_tensor_start (x, v->cd) * vfi_dtype_size (x->dtype),
         *known = g_hash_table_lookup (b->where, root);

  g_assert_cmpint (v->ld, ==, x->planar ? 1 : root->c);
  g_assert_cmpint (v->cd, ==, x->planar ? root->h * root->w : 1);
  g_assert_true (!known || known == base);
  g_hash_table_insert (b->where, root, base);
}

static gpointer
watch_prepare (VfiBackend *backend, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst,
               GError **error)
{
  Watcher *b = (Watcher *) backend;
  gpointer *state;

  if (--b->fail_prepare == 0) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "told to fail");
    return NULL;
  }
  g_assert_null (dst->data);
  b->prepared++;
  state = g_new0 (gpointer, 3);
  state[0] = b;
  state[1] = vfi_reference_kernels[0]->prepare (b->plain, node, src, weights, dst, error);
  return state;
}

static gsize
watch_workspace (gpointer state)
{
  return 500;
}

static void
watch_bind (gpointer state, void *workspace)
{
  g_assert_cmpint ((guintptr) workspace % 64, ==, 0);
  ((gpointer *) state)[2] = workspace;
}

static void
watch_run (VfiBackend *backend, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  Watcher *b = (Watcher *) backend;

  note (b, node->dst, dst);
  for (int i = 0; i < node->n_src; i++)
    note (b, node->src[i], &src[i]);
  memset (((gpointer *) state)[2], 0xff, watch_workspace (state)); /* before anything is read, and after */
  vfi_reference_kernels[0]->run (b->plain, node, ((gpointer *) state)[1], src, dst);
  memset (((gpointer *) state)[2], 0xff, watch_workspace (state));
}

/* Rows y0 to y1 - 1 of v from those of `from`, both of the same shape. */
static void
copy_rows (const VfiView *from, const VfiView *v, int y0, int y1)
{
  for (int y = MAX (y0, 0); y < MIN (y1, v->h); y++)
    for (int i = 0; i < v->w * v->c; i++)
      vfi_view_set (v, y, i / v->c, i % v->c, vfi_view_get (from, y, i / v->c, i % v->c));
}

static VfiView
dense_nan (const VfiView *like)
{
  VfiView v = { .dtype = like->dtype, .h = like->h, .w = like->w, .c = like->c, .ld = like->c, .cd = 1 };
  gsize bytes = (gsize) v.h * v.w * v.c * vfi_dtype_size (v.dtype);

  v.data = memset (g_malloc (bytes), 0xff, bytes);
  return v;
}

/* Sees nothing but what the operator says that it needs. */
static void
watch_rows (VfiBackend *backend, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  Watcher *b = (Watcher *) backend;
  VfiView from[VFI_MAX_SRC], to = dense_nan (dst);

  g_assert_true (0 <= y0 && y0 < y1 && y1 <= dst->h && thread < backend->threads);
  for (int i = 0; i < node->n_src; i++) {
    int reach = src[i].h == dst->h && node->op->reach ? node->op->reach (node, i) : VFI_ALL_ROWS;

    from[i] = dense_nan (&src[i]);
    copy_rows (&src[i], &from[i], y0 - reach, y1 + reach);
  }
  vfi_reference_kernels[0]->run (b->plain, node, ((gpointer *) state)[1], from, &to);
  copy_rows (&to, dst, y0, y1);
  for (int i = 0; i < node->n_src; i++)
    g_free (from[i].data);
  g_free (to.data);
}

static void
take_rows (VfiKernel *k)
{
  k->rows = watch_rows;
  k->workspace = NULL;
  k->bind = NULL;
}

/* Threads that come one after the other, the last first. */
static void
watch_share (VfiBackend *b, void (*part) (gpointer data, int i, int n), gpointer data)
{
  for (int i = b->threads - 1; i >= 0; i--)
    part (data, i, b->threads);
}

static void
watch_release (gpointer p)
{
  gpointer *state = p;

  ((Watcher *) state[0])->prepared--;
  vfi_reference_kernels[0]->release (state[1]);
  g_free (state);
}

static void *
watch_alloc (VfiBackend *backend, gsize bytes, GError **error)
{
  Watcher *b = (Watcher *) backend;
  void *p;

  if (b->fail_alloc) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "cannot allocate %" G_GSIZE_FORMAT " bytes", bytes);
    return NULL;
  }
  p = b->plain->klass->alloc (b->plain, bytes, error);
  memset (p, 0xff, bytes);
  b->allocated++;
  return p;
}

static void
watch_dealloc (VfiBackend *backend, void *p)
{
  Watcher *b = (Watcher *) backend;

  b->plain->klass->dealloc (b->plain, p);
  b->allocated--;
}

static void
watch_free (VfiBackend *backend)
{
  Watcher *b = (Watcher *) backend;

  g_assert_cmpint (b->allocated, ==, 0);
  g_assert_cmpint (b->prepared, ==, 0);
  for (const VfiKernel *const *k = b->klass.kernels; *k; k++)
    g_free ((gpointer) *k);
  g_free ((gpointer) b->klass.kernels);
  g_hash_table_unref (b->where);
  vfi_backend_unref (b->plain);
  g_free (b);
}

/* Without the kernel of `lacking`, if that is not NULL. With bands some kernels take rows, and groups the fewest at a time. */
static Watcher *
watcher_new (const VfiOp *lacking, gboolean bands)
{
  Watcher *b = g_new0 (Watcher, 1);
  GPtrArray *kernels = g_ptr_array_new ();

  for (const VfiKernel *const *k = vfi_reference_kernels; *k; k++)
    if ((*k)->op != lacking) {
      VfiKernel *mine = g_new (VfiKernel, 1);

      *mine = (VfiKernel){ (*k)->op, NULL, watch_prepare, watch_run, watch_release, watch_workspace, watch_bind };
      if (bands && g_test_rand_int_range (0, 4))
        take_rows (mine);
      g_ptr_array_add (kernels, mine);
    }
  g_ptr_array_add (kernels, NULL);
  b->plain = vfi_reference_backend_new ();
  b->klass = *b->plain->klass;
  b->klass.name = "watcher";
  b->klass.kernels = (const VfiKernel *const *) g_ptr_array_free (kernels, FALSE);
  b->klass.free = watch_free;
  b->klass.alloc = watch_alloc;
  b->klass.dealloc = watch_dealloc;
  b->klass.band_bytes = bands;
  b->klass.share = watch_share;
  b->base = (VfiBackend){ .klass = &b->klass, .refs = 1, .threads = bands ? g_test_rand_int_range (1, 4) : 1 };
  b->where = g_hash_table_new (NULL, NULL);
  return b;
}

/* ---- the arena ---------------------------------------------------------------------------------- */

#define MOST_BLOCKS 60

static gboolean
drawn_apart (gconstpointer data, int i, int j)
{
  return ((const guint8 *) data)[MAX (i, j) * MOST_BLOCKS + MIN (i, j)];
}

/* Whatever never lives at the same time as what. */
static void
arena_apart (void)
{
  for (int round = 0; round < 100; round++) {
    const int n = g_test_rand_int_range (0, MOST_BLOCKS + 1);
    VfiBlock blocks[MOST_BLOCKS] = { { 0 } };
    guint8 of[MOST_BLOCKS * MOST_BLOCKS];
    gsize size;

    for (int i = 0; i < n; i++)
      blocks[i].bytes = 1 + g_test_rand_int_range (0, 1 << g_test_rand_int_range (0, 16));
    for (int i = 0; i < MOST_BLOCKS * MOST_BLOCKS; i++)
      of[i] = g_test_rand_int_range (0, 4) > 0;
    size = vfi_arena_place (blocks, n, drawn_apart, of);
    for (int i = 0; i < n; i++) {
      g_assert_cmpuint (blocks[i].offset + blocks[i].bytes, <=, size);
      for (int j = 0; j < i; j++)
        g_assert_true (drawn_apart (of, i, j) || blocks[i].offset + blocks[i].bytes <= blocks[j].offset ||
                       blocks[j].offset + blocks[j].bytes <= blocks[i].offset);
    }
  }
}

static void
arena (void)
{
  for (int round = 0; round < 300; round++) {
    VfiBlock blocks[MOST_BLOCKS];
    int n = g_test_rand_int_range (0, MOST_BLOCKS + 1), steps = g_test_rand_int_range (1, 40);
    gsize size, sum = 0, most = 0;

    for (int i = 0; i < n; i++) {
      blocks[i].first = g_test_rand_int_range (0, steps);
      blocks[i].last = g_test_rand_int_range (blocks[i].first, MIN (steps, blocks[i].first + 8));
      blocks[i].bytes = 1 + g_test_rand_int_range (0, 1 << g_test_rand_int_range (0, 16));
      sum += (blocks[i].bytes + VFI_ARENA_ALIGN - 1) / VFI_ARENA_ALIGN * VFI_ARENA_ALIGN;
    }
    size = vfi_arena_place (blocks, n, NULL, NULL);
    for (int i = 0; i < n; i++) {
      g_assert_cmpuint (blocks[i].offset % VFI_ARENA_ALIGN, ==, 0);
      g_assert_cmpuint (blocks[i].offset + blocks[i].bytes, <=, size);
      for (int j = 0; j < i; j++)
        g_assert_true (blocks[i].last < blocks[j].first || blocks[j].last < blocks[i].first ||
                       blocks[i].offset + blocks[i].bytes <= blocks[j].offset || blocks[j].offset + blocks[j].bytes <= blocks[i].offset);
    }
    for (int t = 0; t < steps; t++) {
      gsize live = 0;

      for (int i = 0; i < n; i++)
        live += blocks[i].first <= t && t <= blocks[i].last ? blocks[i].bytes : 0;
      most = MAX (most, live);
    }
    g_assert_cmpuint (size, >=, most);
    g_assert_cmpuint (size, <=, sum);
  }
}

/* Gaps are used, the smallest that does. */
static void
arena_fits (void)
{
  VfiBlock chain[10], gaps[] = { { 1000, 0, 9 }, { 700, 0, 4 }, { 690, 0, 9 }, { 300, 0, 4 }, { 299, 0, 9 }, { 290, 5, 9 }, { 600, 5, 9 } };
  gsize size;

  for (int i = 0; i < 10; i++)
    chain[i] = (VfiBlock){ 640, i, i + 1 };
  g_assert_cmpuint (vfi_arena_place (chain, 10, NULL, NULL), ==, 2 * 640);
  size = vfi_arena_place (gaps, 5, NULL, NULL);
  g_assert_cmpuint (vfi_arena_place (gaps, 7, NULL, NULL), ==, size);
  g_assert_cmpuint (gaps[5].offset, ==, gaps[3].offset);
  g_assert_cmpuint (gaps[6].offset, ==, gaps[1].offset);

  chain[0] = chain[1] = (VfiBlock){ G_MAXSIZE / 2, 0, 0 };
  g_assert_cmpuint (vfi_arena_place (chain, 2, NULL, NULL), ==, G_MAXSIZE);
}

/* ---- random graphs ------------------------------------------------------------------------------ */

static VfiTensor *
pick (GPtrArray *pool)
{
  return pool->pdata[g_test_rand_int_range (0, pool->len)];
}

#define H 14 /* rows, of 5 pixels, of all tensors of the pool: any number of channels, any type */

static VfiGraph *
random_graph (int nodes)
{
  VfiGraph *g = vfi_graph_new (g_test_rand_bit () ? VFI_F32 : VFI_BF16);
  GPtrArray *pool = g_ptr_array_new ();
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1);

  g_ptr_array_add (pool, vfi_input (g, "a", VFI_FEATURE, H, 5, 8));
  g_ptr_array_add (pool, vfi_input (g, "b", VFI_F32, H, 5, 3));
  for (int i = 0; i < nodes; i++) {
    VfiTensor *x = pick (pool), *y = NULL;
    char name[16];

    g_snprintf (name, sizeof name, "n%d", i);
    switch (g_test_rand_int_range (0, 10)) {
      case 0:
        y = vfi_conv2d (g, name, x, g_test_rand_int_range (1, 12), 3, .padding = 1, .act = VFI_TANH);
        break;
      case 1:
        y = vfi_conv2d (g, name, x, vfi_channels (x), 1, .residual = x, .act = VFI_TANH);
        break;
      case 2:
        y = vfi_warp (g, x, vfi_conv2d (g, name, pick (pool), 2, 1, .dtype = VFI_F32), .time = t, .side = g_test_rand_bit ());
        break;
      case 3:
        y = vfi_slice (g, x, g_test_rand_int_range (0, vfi_channels (x)), 1);
        break;
      case 4:
        y = vfi_concat (g, x, pick (pool), pick (pool));
        if (vfi_channels (y) > 60)
          y = vfi_slice (g, y, 7, 20);
        break;
      case 5:
        y = vfi_shear (g, vfi_correlation (g, x, x, 1), t);
        break;
      case 6: {
        VfiTensor *big = vfi_resize (g, vfi_slice (g, x, 0, 1), .scale = 3);

        y = vfi_conv2d (g, name, big, 2, 3, .stride = 3, .padding = 1);
        break;
      }
      case 7:
        y = vfi_scale (g, x, NULL, g_test_rand_bit () ? VFI_F32 : VFI_FEATURE);
        break;
      case 8: /* planar */
        y = vfi_mean_pool (g, x, 1);
        y = vfi_lucas_kanade (g, y, vfi_mean_pool (g, pick (pool), 1), t, NULL, NULL, FALSE);
        if (g_test_rand_bit ())
          y = vfi_lucas_kanade (g, vfi_mean_pool (g, x, 1), vfi_slice (g, y, 4, 1), t, y, NULL, TRUE);
        break;
      case 9: { /* other rows above, and what was below on top of them */
        int n = g_test_rand_int_range (1, H), c = vfi_channels (x);
        g_autofree char *other = g_strconcat (name, "u", NULL);
        VfiTensor *upper = vfi_rows (g, x, H - n, n), *lower = vfi_conv2d (g, name, vfi_rows (g, pick (pool), 0, H - n), c, 1);

        y = vfi_stack (
            g, (VfiTensor *[]){ g_test_rand_bit () ? vfi_conv2d (g, other, upper, c, 3, .padding = 1, .act = VFI_TANH) : upper, lower }, 2);
        break;
      }
    }
    g_ptr_array_add (pool, y);
    if (g_test_rand_int_range (0, 6) == 0)
      vfi_output (g, name, y);
  }
  vfi_output (g, "last", pool->pdata[pool->len - 1]);
  vfi_output (g, "any", pick (pool));
  g_ptr_array_unref (pool);
  g_assert_no_error (g->error);
  return g;
}

static float
input_value (const char *name, gsize i)
{
  return strcmp (name, "t") ? test_uniform (test_seed (name), i) : 0.3f;
}

static void
fill (VfiView *v, const char *name)
{
  for (int i = 0; i < v->h * v->w * v->c; i++)
    vfi_view_set (v, i / v->c / v->w, i / v->c % v->w, i % v->c, input_value (name, i));
}

static VfiView
view_in (GHashTable *storage, VfiTensor *x)
{
  VfiTensor *root = vfi_tensor_root (x, NULL);
  guint8 *base = g_hash_table_lookup (storage, root);
  int cd = x->planar ? x->h * x->w : 1;

  if (!base) {
    base = g_malloc0 ((gsize) root->h * root->w * root->c * vfi_dtype_size (root->dtype));
    g_hash_table_insert (storage, root, base);
  }
  return (VfiView){ base + vfi_tensor_start (x, cd) * vfi_dtype_size (x->dtype), x->dtype, x->h, x->w, x->c, x->planar ? 1 : root->c, cd };
}

/* Runs a graph the simple way: every tensor has memory of its own. Returns it, by root tensor. */
static GHashTable *
interpret (VfiGraph *g, VfiWeights *weights)
{
  GHashTable *storage = g_hash_table_new_full (NULL, NULL, NULL, g_free);

  for (guint i = 0; i < g->inputs->len; i++) {
    VfiView v = view_in (storage, g->inputs->pdata[i]);

    fill (&v, ((VfiTensor *) g->inputs->pdata[i])->io_name);
  }
  for (guint i = 0; i < g->nodes->len; i++) {
    const VfiNode *node = g->nodes->pdata[i];
    VfiView src[VFI_MAX_SRC], dst = view_in (storage, node->dst);
    float *w[VFI_MAX_WEIGHTS] = { NULL };

    for (int j = 0; j < node->n_weights; j++)
      w[j] = vfi_weights_read (weights, &node->weights[j], NULL);
    for (int j = 0; j < node->n_src; j++)
      src[j] = view_in (storage, node->src[j]);
    node->op->reference (node, src, (const float *const *) w, &dst);
    for (int j = 0; j < VFI_MAX_WEIGHTS; j++)
      g_free (w[j]);
  }
  return storage;
}

static void
use (GHashTable *lives, VfiTensor *x, int now)
{
  VfiTensor *root = vfi_tensor_root (x, NULL);
  int *life = g_hash_table_lookup (lives, root);

  if (!life) {
    life = g_new (int, 2);
    life[0] = now;
    g_hash_table_insert (lives, root, life);
  }
  life[1] = now;
}

/* No two tensors that live at the same time share a byte. */
static void
check_overlap (VfiGraph *g, Watcher *b)
{
  GHashTable *lives = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  GHashTableIter i, j;
  gpointer x, y, p, q;

  for (guint n = 0; n < g->nodes->len; n++) {
    const VfiNode *node = g->nodes->pdata[n];

    use (lives, node->dst, n);
    for (int s = 0; s < node->n_src; s++)
      use (lives, node->src[s], n);
  }
  g_hash_table_iter_init (&i, b->where);
  while (g_hash_table_iter_next (&i, &x, &p)) {
    g_hash_table_iter_init (&j, b->where);
    while (g_hash_table_iter_next (&j, &y, &q)) {
      const int *a = g_hash_table_lookup (lives, x), *c = g_hash_table_lookup (lives, y);
      const VfiTensor *r = x, *s = y;

      if (x == y || a[1] < c[0] || c[1] < a[0])
        continue;
      g_assert_true ((guint8 *) p + (gsize) r->h * r->w * r->c * vfi_dtype_size (r->dtype) <= (guint8 *) q ||
                     (guint8 *) q + (gsize) s->h * s->w * s->c * vfi_dtype_size (s->dtype) <= (guint8 *) p);
    }
  }
  g_hash_table_unref (lives);
}

static void
random_graphs (gconstpointer data)
{
  const gboolean bands = GPOINTER_TO_INT (data);
  gsize arenas = 0, all = 0;

  for (int round = 0; round < 120; round++) {
    VfiGraph *g = random_graph (g_test_rand_int_range (1, 25));
    VfiWeights *weights = test_weights_for ((VfiGraph *[]){ g, NULL });
    GHashTable *want = interpret (g, weights);
    Watcher *b = watcher_new (NULL, bands);
    GError *error = NULL;
    VfiPlan *plan = vfi_plan_new (g, &b->base, weights, &error);
    GPtrArray *buffers = g_ptr_array_new_with_free_func (g_free);
    GHashTableIter iter;
    gpointer root;

    g_assert_no_error (error);
    vfi_weights_unref (weights); /* not needed any more */
    for (int i = 0; i < vfi_plan_n_io (plan); i++) {
      gboolean output;
      const char *name = vfi_plan_io_name (plan, i, &output);
      VfiView v;

      g_assert_true (vfi_plan_io (plan, name, &v));
      g_assert_true (v.ld == (v.cd == 1 ? v.c : 1));
      v.data = g_malloc ((gsize) v.h * v.w * v.c * vfi_dtype_size (v.dtype));
      g_ptr_array_add (buffers, v.data);
      if (!output)
        fill (&v, name);
      vfi_plan_bind (plan, i, v.data);
    }
    for (int run = 0; run < 2; run++) {
      vfi_plan_run (plan);
      for (guint i = 0; i < g->outputs->len; i++) {
        const VfiTensor *x = g->outputs->pdata[i];
        gsize bytes = (gsize) x->h * x->w * x->c * vfi_dtype_size (x->dtype);

        g_assert_cmpmem (buffers->pdata[g->inputs->len + i], bytes, g_hash_table_lookup (want, x), bytes);
      }
    }
    check_overlap (g, b); /* of tensors that are not seen in parts */
    g_hash_table_iter_init (&iter, b->where);
    while (g_hash_table_iter_next (&iter, &root, NULL))
      all += (gsize) ((VfiTensor *) root)->h * ((VfiTensor *) root)->w * ((VfiTensor *) root)->c *
             vfi_dtype_size (((VfiTensor *) root)->dtype);
    arenas += vfi_plan_arena_size (plan);
    vfi_plan_free (plan);
    vfi_backend_unref (&b->base);
    g_ptr_array_unref (buffers);
    g_hash_table_unref (want);
  }
  if (bands)
    return;
  g_test_message ("arenas hold %.0f %% of what their tensors add up to", 100.0 * arenas / all);
  g_assert_cmpuint (arenas, <, all);
}

/* A plan of what a model does at a time, run on values by name; its results one after the other. */
static GByteArray *
run_model (const VfiModel *m, VfiBackend *b, VfiDType feature, gsize *arena)
{
  VfiGraph *g = vfi_graph_new (feature);
  GPtrArray *buffers = g_ptr_array_new_with_free_func (g_free);
  GByteArray *results = g_byte_array_new ();
  GError *error = NULL;
  VfiWeights *weights;
  VfiPlan *plan;

  m->at (g, m, 96, 160);
  weights = test_weights_for ((VfiGraph *[]){ g, NULL });
  plan = vfi_plan_new (g, b, weights, &error);
  g_assert_no_error (error);
  for (int i = 0; i < vfi_plan_n_io (plan); i++) {
    gboolean output;
    const char *name = vfi_plan_io_name (plan, i, &output);
    VfiView v;

    vfi_plan_io (plan, name, &v);
    v.data = g_malloc ((gsize) v.h * v.w * v.c * vfi_dtype_size (v.dtype));
    g_ptr_array_add (buffers, v.data);
    fill (&v, name);
    vfi_plan_bind (plan, i, v.data);
  }
  b->klass->begin (b);
  vfi_plan_run (plan);
  vfi_plan_run (plan);
  b->klass->end (b);
  for (int i = 0; i < vfi_plan_n_io (plan); i++) {
    gboolean output;
    VfiView v;

    vfi_plan_io (plan, vfi_plan_io_name (plan, i, &output), &v);
    if (output)
      g_byte_array_append (results, buffers->pdata[i], v.h * v.w * v.c * vfi_dtype_size (v.dtype));
  }
  *arena = vfi_plan_arena_size (plan);
  vfi_plan_free (plan);
  vfi_weights_unref (weights);
  g_ptr_array_unref (buffers);
  return results;
}

/* Real kernels, in bands of the fewest rows and in one go: the same bits, and less memory. */
static void
bands (void)
{
  static const char *const names[] = { "vfi-nano", "vfi-flow-nano" };
  VfiBackend *b = vfi_cpu_backend_new (2, NULL);
  const VfiBackendClass *klass = b->klass;
  VfiBackendClass changed = *klass;

  b->klass = &changed;
  for (int i = 0; i < 4; i++) {
    const VfiModel *m = vfi_model_find (names[i / 2], NULL);
    const VfiDType feature = i % 2 ? VFI_BF16 : VFI_F32;
    gsize arena[2];
    GByteArray *got[2];

    if (!klass->supports_precision (b, feature))
      continue;
    for (int j = 0; j < 2; j++) {
      changed.band_bytes = j;
      got[j] = run_model (m, b, feature, &arena[j]);
    }
    g_assert_cmpmem (got[1]->data, got[1]->len, got[0]->data, got[0]->len);
    g_test_message ("%s, %s: %" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT " in bands", m->name, vfi_dtype_name (feature), arena[0],
                    arena[1]);
    g_byte_array_unref (got[0]);
    g_byte_array_unref (got[1]);
  }
  b->klass = klass;
  vfi_backend_unref (b);
}

/* All of its kernels take rows. */
static Watcher *
rows_watcher_new (gsize band_bytes)
{
  Watcher *b = watcher_new (NULL, FALSE);

  for (const VfiKernel *const *k = b->klass.kernels; *k; k++)
    take_rows ((VfiKernel *) *k);
  b->klass.band_bytes = band_bytes;
  b->base.threads = 2;
  return b;
}

/* Rows that lie elsewhere in a stack than the maker's own rows of that number. */
static void
stacked (void)
{
  Watcher *b = rows_watcher_new (1);
  VfiGraph *g = vfi_graph_new (VFI_F32);
  VfiTensor *x = vfi_input (g, "x", VFI_F32, 24, 1, 1), *parts[2];
  float values[24], result[12];
  VfiPlan *plan;

  for (int i = 0; i < 2; i++)
    parts[i] = vfi_scale (g, vfi_rows (g, x, 12 * i, 12), NULL, VFI_F32);
  vfi_output (g, "y", vfi_scale (g, vfi_rows (g, vfi_stack (g, parts, 2), 6, 12), NULL, VFI_F32));
  plan = vfi_plan_new (g, &b->base, NULL, NULL);
  for (int i = 0; i < 24; i++)
    values[i] = i;
  vfi_plan_bind (plan, 0, values);
  vfi_plan_bind (plan, 1, result);
  vfi_plan_run (plan);
  g_assert_cmpmem (result, sizeof result, values + 6, sizeof result);
  vfi_plan_free (plan);
  vfi_backend_unref (&b->base);
}

/* What only a group sees is not there as a whole. */
static void
windows (void)
{
  gsize arena[2];

  for (int i = 0; i < 2; i++) {
    Watcher *b = rows_watcher_new (i);
    VfiGraph *g = vfi_graph_new (VFI_F32);
    VfiTensor *x = vfi_input (g, "x", VFI_F32, 64, 4, 16);
    VfiPlan *plan;

    x = vfi_scale (g, vfi_scale (g, x, NULL, VFI_F32), NULL, VFI_F32);
    vfi_output (g, "y", vfi_correlation (g, x, vfi_scale (g, x, NULL, VFI_F32), 2));
    plan = vfi_plan_new (g, &b->base, NULL, NULL);
    arena[i] = vfi_plan_arena_size (plan);
    vfi_plan_free (plan);
    vfi_backend_unref (&b->base);
  }
  g_assert_cmpuint (arena[0], >=, 2 * 64 * 4 * 16 * 4);
  /* Of each thread bands of 4 rows, 2 above and 2 below, where correlation looks. */
  g_assert_cmpuint (arena[1], ==, 3 * 2 * (2 + 4 + 2) * 4 * 16 * 4);
}

/* ---- failure ------------------------------------------------------------------------------------ */

static VfiGraph *
small_graph (void)
{
  VfiGraph *g = vfi_graph_new (VFI_F32);
  VfiTensor *x = vfi_input (g, "x", VFI_F32, 4, 4, 3);

  vfi_push (g, "net");
  x = vfi_conv2d (g, "a", x, 5, 3, .padding = 1);
  x = vfi_warp (g, x, vfi_conv2d (g, "b", x, 2, 1));
  vfi_output (g, "y", vfi_conv2d (g, "c", x, 1, 1));
  vfi_pop (g);
  return g;
}

static VfiWeights *
small_weights (void)
{
  VfiGraph *g = small_graph ();
  VfiWeights *w = test_weights_for ((VfiGraph *[]){ g, NULL });

  vfi_graph_free (g);
  return w;
}

/* Making the plan fails as said, and leaves nothing behind: the watcher's balances are checked when it goes. */
static void
check_fails (VfiGraph *g, Watcher *b, VfiWeights *w, int code, const char *message)
{
  GError *error = NULL;

  g_assert_null (vfi_plan_new (g, &b->base, w, &error));
  g_assert_error (error, VFI_ERROR, code);
  g_assert_cmpstr (error->message, ==, message);
  g_error_free (error);
  vfi_backend_unref (&b->base);
}

static void
failures (void)
{
  VfiWeights *w = small_weights ();
  VfiGraph *broken = small_graph ();
  Watcher *b;

  vfi_conv2d (broken, "late", vfi_input (broken, "z", VFI_F32, 2, 2, 2), 1, 3);
  check_fails (broken, watcher_new (NULL, FALSE), w, VFI_ERROR_SHAPE,
               "late: a kernel that reaches over 3 pixels does not fit into 2 x 2, padding 0");
  check_fails (small_graph (), watcher_new (&vfi_op_warp, FALSE), w, VFI_ERROR_UNSUPPORTED,
               "net.warp: backend watcher has no kernel for warp to 4 x 4 x 5, fp32");
  for (int i = 1; i <= 4; i++) {
    static const char *const paths[] = { "net.a", "net.b", "net.warp", "net.c" };
    char *message = g_strconcat (paths[i - 1], ": told to fail", NULL);

    b = watcher_new (NULL, FALSE);
    b->fail_prepare = i;
    check_fails (small_graph (), b, w, VFI_ERROR_BACKEND, message);
    g_free (message);
  }
  b = watcher_new (NULL, FALSE);
  b->fail_alloc = TRUE;
  check_fails (small_graph (), b, w, VFI_ERROR_MEMORY, "cannot allocate 1280 bytes");
  check_fails (small_graph (), watcher_new (NULL, FALSE), NULL, VFI_ERROR_WEIGHTS,
               "no weights: missing net.a.weight, net.a.bias, net.b.weight, net.b.bias, net.c.weight, net.c.bias");
  vfi_weights_unref (w);
}

/* More memory than there is: an error that says how much, from the real allocator. */
static void
out_of_memory (void)
{
  VfiBackend *b = vfi_reference_backend_new ();
  GError *error = NULL;

  g_assert_null (b->klass->alloc (b, G_MAXSSIZE - 100, &error));
  g_assert_error (error, VFI_ERROR, VFI_ERROR_MEMORY);
  g_assert_nonnull (strstr (error->message, "9223372036854775707 bytes"));
  g_error_free (error);
  vfi_backend_unref (b);
}

/* ---- the rest ----------------------------------------------------------------------------------- */

static void
profile (void)
{
  VfiBackend *b = vfi_reference_backend_new ();
  VfiWeights *w = small_weights ();
  VfiPlan *plan = vfi_plan_new (small_graph (), b, w, NULL);
  GArray *lines = g_array_new (FALSE, FALSE, sizeof (VfiProfile));
  float x[4 * 4 * 3] = { 0 }, y[4 * 4];
  const VfiProfile *conv, *warp;
  VfiView v;

  g_assert_false (vfi_plan_io (plan, "z", &v));
  vfi_plan_bind (plan, 0, x);
  vfi_plan_bind (plan, 1, y);
  vfi_plan_run (plan);
  vfi_plan_set_profile (plan, lines);
  vfi_plan_run (plan);
  vfi_plan_run (plan);
  vfi_plan_set_profile (plan, NULL);
  vfi_plan_run (plan);
  g_assert_cmpuint (lines->len, ==, 2);
  conv = &g_array_index (lines, VfiProfile, 0);
  warp = &g_array_index (lines, VfiProfile, 1);
  g_assert_cmpstr (conv->name, ==, "conv2d");
  g_assert_cmpint (conv->calls, ==, 6);
  g_assert_cmpfloat (conv->flop, ==, 2 * vfi_plan_flop (plan));
  g_assert_cmpfloat (vfi_plan_flop (plan), ==, 2 * 16 * (3 * 5 * 9 + 5 * 2 + 5 * 1));
  g_assert_cmpfloat (conv->bytes, ==, 2 * 4 * (16 * (3 + 5) + 5 * 27 + 5 + 16 * (5 + 2) + 12 + 16 * (5 + 1) + 6));
  g_assert_cmpfloat (conv->seconds, >, 0);
  g_assert_cmpstr (warp->name, ==, "warp");
  g_assert_cmpint (warp->calls, ==, 2);
  g_assert_cmpfloat (warp->bytes, ==, 2 * 4 * 16 * (5 + 2 + 5));
  g_array_unref (lines);
  vfi_plan_free (plan);
  vfi_weights_unref (w);
  vfi_backend_unref (b);
}

/* Nothing but io: no arena, no weights. */
static void
no_arena (void)
{
  VfiBackend *b = vfi_reference_backend_new ();
  VfiGraph *g = vfi_graph_new (VFI_F32);
  float x[] = { 1, 2, 3, 4 }, y[4];
  VfiPlan *plan;

  vfi_output (g, "y", vfi_input (g, "x", VFI_F32, 2, 2, 1));
  plan = vfi_plan_new (g, b, NULL, NULL);
  g_assert_nonnull (plan);
  g_assert_cmpuint (vfi_plan_arena_size (plan), ==, 0);
  vfi_plan_bind (plan, 0, x);
  vfi_plan_bind (plan, 1, y);
  vfi_plan_run (plan);
  g_assert_cmpmem (x, sizeof x, y, sizeof y);
  vfi_plan_free (plan);
  vfi_backend_unref (b);
}

#define N_WAITS 40

static gboolean
hindered (gconstpointer data, int earlier, int later)
{
  return ((const guint8 *) data)[later * N_WAITS + earlier];
}

/* All that hinders a step has ended when what it waits for has, and nothing is waited for that another of them waits for anyway. */
static void
waits (void)
{
  guint8 direct[N_WAITS * N_WAITS], ended[N_WAITS * N_WAITS] = { 0 };
  g_autoptr (VfiWaits) of = NULL;

  for (int i = 0; i < N_WAITS * N_WAITS; i++)
    direct[i] = g_test_rand_int_range (0, 8) == 0;
  of = vfi_waits_new (N_WAITS, hindered, direct);
  g_assert_cmpuint (of->after->len, ==, N_WAITS);
  for (int t = 0; t < N_WAITS; t++) {
    const GArray *after = of->after->pdata[t];
    guint8 *row = ended + t * N_WAITS;

    for (guint i = 0; i < after->len; i++) {
      const int s = g_array_index (after, int, i);

      g_assert_true (s < t && direct[t * N_WAITS + s]);
      for (int r = 0; r < s; r++)
        row[r] |= ended[s * N_WAITS + r];
    }
    for (guint i = 0; i < after->len; i++) {
      guint8 *waited = &row[g_array_index (after, int, i)];

      g_assert_false (*waited);
      *waited = TRUE;
    }
    for (int s = 0; s < t; s++) {
      g_assert_true (!direct[t * N_WAITS + s] || row[s]);
      g_assert_cmpint (vfi_waits_done (of, s, t), ==, row[s]);
    }
  }
}

/* A backend that takes down what waits for what. */
typedef struct
{
  VfiBackend base;
  VfiBackendClass klass;
  VfiBackend *plain;
  GArray *waited; /* of the parts, each one's bits: those it waits for, and those these wait for */
} Recorder;

static gboolean
recorder_begin (VfiBackend *b)
{
  g_array_set_size (((Recorder *) b)->waited, 0);
  return TRUE;
}

static void
recorder_part (VfiBackend *b, const int *after, int n)
{
  GArray *waited = ((Recorder *) b)->waited;
  guint64 bits = 0;

  for (int i = 0; i < n; i++)
    bits |= 1ull << after[i] | g_array_index (waited, guint64, after[i]);
  g_array_append_val (waited, bits);
}

static gpointer
recorder_end (VfiBackend *b)
{
  return NULL;
}

static void
recorder_replay (VfiBackend *b, gpointer recording)
{
}

static void
recorder_free (VfiBackend *b)
{
  vfi_backend_unref (((Recorder *) b)->plain);
  g_array_unref (((Recorder *) b)->waited);
}

#define LINKS 8

/* Two chains that have nothing to do with each other do not wait for each other, though each by itself takes room twice in turn. */
static void
chains (void)
{
  static const float gain[] = { 2 };
  Recorder r = { .plain = vfi_reference_backend_new (), .waited = g_array_new (FALSE, FALSE, sizeof (guint64)) };
  VfiGraph *g = vfi_graph_new (VFI_F32);
  VfiTensor *x[2] = { vfi_input (g, "x", VFI_F32, 8, 8, 1) };
  float in[64] = { 1, 2 }, out[2][64];
  VfiPlan *plan;

  r.klass = *r.plain->klass;
  r.klass.free = recorder_free;
  r.klass.record_begin = recorder_begin;
  r.klass.record_part = recorder_part;
  r.klass.record_end = recorder_end;
  r.klass.replay = recorder_replay;
  r.base = (VfiBackend){ .klass = &r.klass, .refs = 1, .threads = 1 };
  x[1] = x[0];
  for (int i = 0; i < LINKS; i++)
    for (int k = 0; k < 2; k++)
      x[k] = vfi_scale (g, x[k], gain, VFI_F32);
  vfi_output (g, "a", x[0]);
  vfi_output (g, "b", x[1]);
  plan = vfi_plan_new (g, &r.base, NULL, NULL);
  g_assert_nonnull (plan);
  g_assert_cmpuint (vfi_plan_arena_size (plan), ==, 4 * sizeof in);
  vfi_plan_bind (plan, 0, in);
  vfi_plan_bind (plan, 1, out[0]);
  vfi_plan_bind (plan, 2, out[1]);
  vfi_plan_run (plan);
  vfi_plan_run (plan);
  g_assert_cmpuint (r.waited->len, ==, 2 * LINKS);
  for (guint t = 0; t < r.waited->len; t++) /* one of either chain in turn */
    g_assert_cmpuint (g_array_index (r.waited, guint64, t), ==, 0x5555555555555555ull << t % 2 & ((1ull << t) - 1));
  for (int k = 0; k < 2; k++)
    g_assert_true (out[k][0] == 1 << LINKS && out[k][1] == 2 << LINKS);
  vfi_plan_free (plan);
  vfi_backend_unref (&r.base);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/arena", arena);
  g_test_add_func ("/plan/arena-fits", arena_fits);
  g_test_add_func ("/plan/arena-apart", arena_apart);
  g_test_add_data_func ("/plan/random-graphs", GINT_TO_POINTER (FALSE), random_graphs);
  g_test_add_data_func ("/plan/random-graphs-in-bands", GINT_TO_POINTER (TRUE), random_graphs);
  g_test_add_func ("/plan/waits", waits);
  g_test_add_func ("/plan/chains", chains);
  g_test_add_func ("/plan/bands", bands);
  g_test_add_func ("/plan/stacked", stacked);
  g_test_add_func ("/plan/windows", windows);
  g_test_add_func ("/plan/failures", failures);
  g_test_add_func ("/plan/out-of-memory", out_of_memory);
  g_test_add_func ("/plan/profile", profile);
  g_test_add_func ("/plan/no-arena", no_arena);
  return g_test_run ();
}
