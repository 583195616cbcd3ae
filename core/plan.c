/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From a graph to something that runs: a kernel for each node, a place for each tensor.
 *
 * Nodes that come one after the other are a group if their kernels can take some rows at a time. Each thread takes a part of the picture through all of
 * them, a band of rows after the other, each node ahead by the rows that the later ones see around their own. What only they see is in the cache then, and of it
 * only a window of rows is ever there. Nobody waits for anybody: above and below its part a thread makes what it needs itself. So some rows of what others see,
 * too, are written by two threads, with the same bits.
 *
 * Where a backend runs nodes at the same time they are taken level by level: those that need nothing of each other are neighbours. Memory is shared only by what one
 * would have to wait for anyway: nobody waits for another's place.
 */
#include "plan.h"

#include <time.h>

#include "arena.h"
#include "waits.h"

/* Storage of one root tensor. */
typedef struct
{
  VfiTensor *root;
  gboolean external; /* an input or output: in a buffer of the caller's */
  VfiBlock block;    /* else: where in the arena */
  /* Of what only one group sees each thread has a window of some rows (0: there is all): from `ahead` above its band on, to `ahead` below it. What is from
   * `behind` above a band on is read again. */
  int rows, ahead, behind, planes;
  gsize row; /* bytes, in a plane if it is planar */
} Slot;

typedef struct
{
  const VfiNode *node;
  const VfiKernel *kernel;
  gpointer state;
  gboolean prepared;
  /* The result is item 0, the sources follow. */
  VfiView view[1 + VFI_MAX_SRC];
  int slot[1 + VFI_MAX_SRC];
  gsize offset[1 + VFI_MAX_SRC]; /* bytes into the slot */
  VfiBlock workspace;            /* of 0 bytes: the kernel needs none */
  int level;                     /* when it runs: its number, or, where steps run at the same time, one more than the last that it needs */
  int group, band, parts;        /* of a group's first step: how many steps it has, rows of a band, threads that share it */
  int ahead;                     /* rows that it is ahead of the group's band */
  double flop, bytes;
} Step;

typedef struct
{
  const char *name;
  gboolean output;
  int slot;
  VfiView view;
} Io;

/* The work of plans that run together, of which this one is the last, on one set of buffers, once it was seen twice. */
typedef struct
{
  void **buffers; /* of their io, one plan's after the other's */
  int n_buffers;
  int runs;
  gpointer work; /* the backend's; NULL: not recorded */
} Recording;

#define N_RECORDINGS 6 /* sessions swap the slots of two or three frames, and run a plan with others or alone */

struct _VfiPlan
{
  VfiGraph *graph;
  VfiBackend *backend;
  int n_steps, n_slots, n_io;
  Step *steps;
  Slot *slots;
  Io *io;
  void *arena;
  gsize arena_size;
  double flop;
  GArray *profile;
  double *seconds; /* for profile: of each thread, in each step of a group */
  void **buffers;  /* bound to the io */
  Recording recordings[N_RECORDINGS];
  VfiWaits *waits; /* NULL: steps run one after the other */
  int oldest;
};

static VfiView
view_of (VfiTensor *x)
{
  VfiTensor *root = vfi_tensor_root (x, NULL);

  return (VfiView){ .dtype = x->dtype, .h = x->h, .w = x->w, .c = x->c, .ld = x->planar ? 1 : root->c, .cd = x->planar ? x->h * x->w : 1 };
}

static gsize
tensor_bytes (const VfiTensor *x)
{
  return (gsize) x->h * x->w * x->c * vfi_dtype_size (x->dtype);
}

static int
weight_count (const VfiWeightSpec *spec)
{
  int n = 1;

  for (int i = 0; i < spec->rank; i++)
    n *= spec->shape[i];
  return n;
}

/* ---- layout ------------------------------------------------------------------------------------- */

/* The slot of x's root. */
static int
slot_find (VfiPlan *plan, GHashTable *slot_of, VfiTensor *x)
{
  VfiTensor *root = vfi_tensor_root (x, NULL);
  gpointer found;
  int i;

  if (g_hash_table_lookup_extended (slot_of, root, NULL, &found))
    i = GPOINTER_TO_INT (found);
  else {
    i = plan->n_slots++;
    plan->slots[i] = (Slot){ .root = root, .block = { .bytes = tensor_bytes (root), .first = G_MAXINT } };
    g_hash_table_insert (slot_of, root, GINT_TO_POINTER (i));
  }
  return i;
}

static void
add_io (VfiPlan *plan, GHashTable *slot_of, VfiTensor *x, const char *name, gboolean output)
{
  int slot = slot_find (plan, slot_of, x);

  plan->slots[slot].external = TRUE;
  plan->io[plan->n_io++] = (Io){ .name = name, .output = output, .slot = slot, .view = view_of (x) };
}

static void
add_step (VfiPlan *plan, GHashTable *slot_of, Step *s, const VfiNode *node)
{
  s->node = node;
  for (int i = 0; i <= node->n_src; i++) {
    VfiTensor *x = i ? node->src[i - 1] : node->dst;

    s->view[i] = view_of (x);
    s->slot[i] = slot_find (plan, slot_of, x);
    s->offset[i] = vfi_tensor_start (x, s->view[i].cd) * vfi_dtype_size (x->dtype);
    s->bytes += tensor_bytes (x);
  }
  for (int i = 0; i < node->n_weights; i++)
    s->bytes += 4.0 * weight_count (&node->weights[i]);
  s->flop = node->op->flop ? node->op->flop (node) : 0;
  plan->flop += s->flop;
}

static void
slot_set_base (VfiPlan *plan, int slot, guint8 *base)
{
  for (Step *s = plan->steps; s < plan->steps + plan->n_steps; s++)
    for (int i = 0; i <= s->node->n_src; i++)
      if (s->slot[i] == slot)
        s->view[i].data = base + s->offset[i];
}

/* Whether item i of step s and item j of step t, of the same tensor, have channels in common. */
static gboolean
meet (const Step *s, int i, const Step *t, int j)
{
  const gsize size = vfi_dtype_size (s->view[i].dtype);

  return s->offset[i] < t->offset[j] + t->view[j].c * t->view[j].cd * size &&
         t->offset[j] < s->offset[i] + s->view[i].c * s->view[i].cd * size;
}

/* One of two steps writes what the other writes or reads. */
static gboolean
hinders (gconstpointer data, int earlier, int later)
{
  const VfiPlan *plan = data;
  const Step *s = &plan->steps[earlier], *t = &plan->steps[later];

  for (int i = 0; i <= s->node->n_src; i++)
    for (int j = 0; j <= (i ? 0 : t->node->n_src); j++)
      if (s->slot[i] == t->slot[j] && meet (s, i, t, j))
        return TRUE;
  return FALSE;
}

static int
by_level (gconstpointer a, gconstpointer b, gpointer data)
{
  return ((const Step *) a)->level - ((const Step *) b)->level;
}

/* Levels, the steps by these, and how long tensors live. */
static void
order (VfiPlan *plan)
{
  const gboolean together = plan->backend->klass->replay != NULL;

  for (int n = 0; n < plan->n_steps; n++) {
    Step *t = &plan->steps[n];

    t->level = together ? 0 : n;
    for (const Step *s = plan->steps; s < t && together; s++)
      for (int i = 1; i <= t->node->n_src; i++)
        if (s->slot[0] == t->slot[i] && meet (s, 0, t, i))
          t->level = MAX (t->level, s->level + 1);
  }
  g_qsort_with_data (plan->steps, plan->n_steps, sizeof *plan->steps, by_level, NULL);
  if (together) {
    plan->waits = vfi_waits_new (plan->n_steps, hinders, plan);
    return;
  }
  for (const Step *s = plan->steps; s < plan->steps + plan->n_steps; s++)
    for (int i = 0; i <= s->node->n_src; i++) {
      VfiBlock *block = &plan->slots[s->slot[i]].block;

      block->first = MIN (block->first, s->level);
      block->last = MAX (block->last, s->level);
    }
}

static void
lay_out (VfiPlan *plan)
{
  VfiGraph *g = plan->graph;
  GHashTable *slot_of = g_hash_table_new (NULL, NULL);

  plan->n_steps = g->nodes->len;
  plan->steps = g_new0 (Step, plan->n_steps);
  plan->slots = g_new0 (Slot, g->tensors->len);
  plan->io = g_new0 (Io, g->inputs->len + g->outputs->len);
  plan->buffers = g_new0 (void *, g->inputs->len + g->outputs->len);
  plan->seconds = g_new0 (double, plan->n_steps * plan->backend->threads);
  for (int i = 0; i < plan->n_steps; i++)
    add_step (plan, slot_of, &plan->steps[i], g->nodes->pdata[i]);
  for (guint i = 0; i < g->inputs->len; i++)
    add_io (plan, slot_of, g->inputs->pdata[i], ((VfiTensor *) g->inputs->pdata[i])->io_name, FALSE);
  for (guint i = 0; i < g->outputs->len; i++)
    add_io (plan, slot_of, g->outputs->pdata[i], g->output_names->pdata[i], TRUE);
  g_hash_table_unref (slot_of);
  order (plan);
}

/* ---- bands -------------------------------------------------------------------------------------- */

#define LEAST_ROWS 4                 /* of a band */
#define TWO_ROWS(n) (((n) + 1) & ~1) /* kernels may take two at once: bands, and what is ahead of them, are even */
#define SMALL 32                     /* this part of a band: with less, other threads are not worth waking */

/* How many rows around its own step t needs of what step s writes; -1: s writes nothing that t reads. */
static int
reach (const VfiPlan *plan, const Step *s, const Step *t)
{
  const int h = t->view[0].h;
  int most = -1;

  for (int i = 1; i <= t->node->n_src; i++)
    if (t->slot[i] == s->slot[0]) {
      const gboolean alike = t->node->op->reach && t->view[i].h == h && plan->slots[t->slot[i]].root->h == h;
      most = MAX (most, alike ? t->node->op->reach (t->node, i - 1) : VFI_ALL_ROWS);
    }
  return most;
}

/* The end of the group that begins with `first`: steps that can be taken through bands of rows together. What threads make twice for one of them is less than
 * half of their parts. */
static Step *
group_end (VfiPlan *plan, Step *first)
{
  const int h = first->view[0].h, most = h / (4 * plan->backend->threads);
  Step *t = first + 1;

  if (plan->backend->klass->band_bytes && first->kernel->rows)
    for (; t < plan->steps + plan->n_steps && t->kernel->rows && t->view[0].h == h; t++)
      for (Step *s = first; s < t; s++)
        if (reach (plan, s, t) > most)
          return t;
  return t;
}

/* What lives while a step of the group does lives as long as the group. */
static void
widen (VfiBlock *b, int first, int last)
{
  if (b->first >= first && b->first <= last)
    b->first = first;
  if (b->last >= first && b->last <= last)
    b->last = last;
}

/* Makes windows of the slots that only the group of steps a to b sees. */
static void
make_windows (VfiPlan *plan, int a, int b)
{
  for (int n = 0; n < plan->n_slots; n++) {
    Slot *slot = &plan->slots[n];
    const int h = slot->root->h, parts = plan->steps[a].parts;
    int rows;

    if (slot->external || slot->block.first < a || slot->block.last > b || h != plan->steps[a].view[0].h)
      continue;
    for (const Step *s = plan->steps + a; s <= plan->steps + b; s++)
      if (s->slot[0] == n)
        slot->ahead = MAX (slot->ahead, s->ahead);
    slot->behind = -slot->ahead;
    for (const Step *s = plan->steps + a; s <= plan->steps + b; s++)
      for (const Step *t = s + 1; t <= plan->steps + b; t++)
        if (s->slot[0] == n && reach (plan, s, t) >= 0)
          slot->behind = MAX (slot->behind, reach (plan, s, t) - t->ahead);
    rows = plan->steps[a].band + 2 * slot->ahead;
    if (rows * parts < h) {
      slot->rows = rows;
      slot->planes = slot->root->planar ? slot->root->c : 1;
      slot->row = slot->block.bytes / h / slot->planes;
      slot->block.bytes = slot->planes * rows * slot->row * parts;
    }
  }
}

static void
make_groups (VfiPlan *plan)
{
  for (Step *first = plan->steps, *end; first < plan->steps + plan->n_steps; first = end) {
    const int a = first - plan->steps, h = first->view[0].h;
    const double bytes = plan->backend->klass->band_bytes;
    double row = 0; /* bytes */
    int b;

    end = group_end (plan, first);
    b = end - 1 - plan->steps;
    for (Step *t = end - 1; t >= first; t--) {
      row += t->bytes / h;
      for (Step *s = first; s < t; s++)
        if (reach (plan, s, t) >= 0)
          s->ahead = MAX (s->ahead, TWO_ROWS (t->ahead + reach (plan, s, t)));
    }
    first->group = end - first;
    first->band = a == b ? h : TWO_ROWS (MAX ((int) (bytes / row), LEAST_ROWS));
    first->parts = row * h < bytes / SMALL ? 1 : plan->backend->threads;
    for (int i = 0; i < plan->n_slots; i++)
      widen (&plan->slots[i].block, a, b);
    for (Step *s = first; s < end; s++)
      widen (&s->workspace, a, b);
    make_windows (plan, a, b);
  }
}

/* For apart: of each block the steps that see it. */
typedef struct
{
  const VfiWaits *waits;
  GPtrArray *steps; /* GArray of int */
} Seen;

static gboolean
all_before (const Seen *seen, int i, int j)
{
  const GArray *a = seen->steps->pdata[i], *b = seen->steps->pdata[j];

  for (guint k = 0; k < a->len; k++)
    for (guint l = 0; l < b->len; l++)
      if (!vfi_waits_done (seen->waits, g_array_index (a, int, k), g_array_index (b, int, l)))
        return FALSE;
  return TRUE;
}

static gboolean
apart (gconstpointer data, int i, int j)
{
  return all_before (data, i, j) || all_before (data, j, i);
}

/* Of the steps that see slot n. */
static GArray *
steps_with (const VfiPlan *plan, int n)
{
  GArray *steps = g_array_new (FALSE, FALSE, sizeof (int));

  for (int k = 0; k < plan->n_steps; k++)
    for (int i = 0; i <= plan->steps[k].node->n_src; i++)
      if (plan->steps[k].slot[i] == n) {
        g_array_append_val (steps, k);
        break;
      }
  return steps;
}

static gboolean
place (VfiPlan *plan, GError **error)
{
  VfiBlock *blocks = g_new (VfiBlock, plan->n_slots + plan->n_steps);
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  int n = 0;

  for (int i = 0; i < plan->n_slots; i++)
    if (!plan->slots[i].external) {
      blocks[n++] = plan->slots[i].block;
      g_ptr_array_add (steps, steps_with (plan, i));
    }
  for (int i = 0; i < plan->n_steps; i++)
    if (plan->steps[i].workspace.bytes) {
      blocks[n++] = plan->steps[i].workspace;
      g_ptr_array_add (steps, g_array_append_val (g_array_new (FALSE, FALSE, sizeof (int)), i));
    }
  plan->arena_size = vfi_arena_place (blocks, n, plan->waits ? apart : NULL, &(Seen){ plan->waits, steps });
  n = 0;
  for (int i = 0; i < plan->n_slots; i++)
    if (!plan->slots[i].external)
      plan->slots[i].block = blocks[n++];
  for (int i = 0; i < plan->n_steps; i++)
    if (plan->steps[i].workspace.bytes)
      plan->steps[i].workspace = blocks[n++];
  g_free (blocks);
  if (plan->arena_size == 0)
    return TRUE;
  if (!(plan->arena = plan->backend->klass->alloc (plan->backend, plan->arena_size, error)))
    return FALSE;
  for (int i = 0; i < plan->n_slots; i++)
    if (!plan->slots[i].external)
      slot_set_base (plan, i, (guint8 *) plan->arena + plan->slots[i].block.offset);
  for (Step *s = plan->steps; s < plan->steps + plan->n_steps; s++)
    if (s->workspace.bytes)
      s->kernel->bind (s->state, (guint8 *) plan->arena + s->workspace.offset);
  return TRUE;
}

/* Of steps of two plans: one writes what the other writes or reads, in a buffer that both were given. */
static gboolean
hinders_across (const VfiPlan *p, const Step *s, const VfiPlan *q, const Step *t)
{
  for (int i = 0; i <= s->node->n_src; i++)
    for (int j = 0; j <= (i ? 0 : t->node->n_src); j++)
      if (p->slots[s->slot[i]].external && q->slots[t->slot[j]].external &&
          (guint8 *) s->view[i].data - s->offset[i] == (guint8 *) t->view[j].data - t->offset[j] && meet (s, i, t, j))
        return TRUE;
  return FALSE;
}

/* ---- kernels ------------------------------------------------------------------------------------ */

static const VfiKernel *
choose_kernel (VfiBackend *b, const VfiNode *node, GError **error)
{
  const VfiTensor *y = node->dst;

  for (const VfiKernel *const *k = b->klass->kernels; *k; k++)
    if ((*k)->op == node->op && (!(*k)->supports || (*k)->supports (b, node)))
      return *k;
  g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s: backend %s has no kernel for %s to %d x %d x %d, %s", node->path,
               b->klass->name, node->op->name, y->h, y->w, y->c, vfi_dtype_name (y->dtype));
  return NULL;
}

static gboolean
prepare (VfiPlan *plan, Step *s, VfiWeights *weights, GError **error)
{
  VfiBackend *b = plan->backend;
  float *data[VFI_MAX_WEIGHTS] = { NULL };
  GError *e = NULL;

  if (!(s->kernel = choose_kernel (b, s->node, error)))
    return FALSE;
  for (int i = 0; i < s->node->n_weights && !e; i++)
    data[i] = vfi_weights_read (weights, &s->node->weights[i], &e);
  if (!e)
    vfi_node_fold (s->node, data);
  if (!e && s->kernel->prepare)
    s->state = s->kernel->prepare (b, s->node, &s->view[1], (const float *const *) data, &s->view[0], &e);
  s->prepared = !e;
  if (!e && s->kernel->workspace)
    s->workspace = (VfiBlock){ .bytes = s->kernel->workspace (s->state), .first = s->level, .last = s->level };
  for (int i = 0; i < VFI_MAX_WEIGHTS; i++)
    g_free (data[i]);
  if (e)
    g_propagate_prefixed_error (error, e, "%s: ", s->node->path);
  return s->prepared;
}

/* ---- the plan ----------------------------------------------------------------------------------- */

VfiPlan *
vfi_plan_new (VfiGraph *graph, VfiBackend *backend, VfiWeights *weights, GError **error)
{
  VfiPlan *plan = g_new0 (VfiPlan, 1);

  plan->graph = graph;
  plan->backend = vfi_backend_ref (backend);
  if (graph->error) {
    g_propagate_error (error, g_error_copy (graph->error));
    goto fail;
  }
  if (!vfi_weights_check (weights, (VfiGraph *[]){ graph, NULL }, NULL, error))
    goto fail;
  lay_out (plan);
  for (int i = 0; i < plan->n_steps; i++)
    if (!prepare (plan, &plan->steps[i], weights, error))
      goto fail;
  make_groups (plan);
  if (!place (plan, error))
    goto fail;
  return plan;

fail:
  vfi_plan_free (plan);
  return NULL;
}

void
vfi_plan_free (VfiPlan *plan)
{
  if (!plan)
    return;
  for (int i = 0; i < plan->n_steps; i++)
    if (plan->steps[i].prepared && plan->steps[i].kernel->release)
      plan->steps[i].kernel->release (plan->steps[i].state);
  for (int i = 0; i < N_RECORDINGS; i++) {
    if (plan->recordings[i].work)
      plan->backend->klass->record_free (plan->backend, plan->recordings[i].work);
    g_free (plan->recordings[i].buffers);
  }
  if (plan->arena)
    plan->backend->klass->dealloc (plan->backend, plan->arena);
  vfi_waits_free (plan->waits);
  vfi_backend_unref (plan->backend);
  vfi_graph_free (plan->graph);
  g_free (plan->steps);
  g_free (plan->slots);
  g_free (plan->io);
  g_free (plan->buffers);
  g_free (plan->seconds);
  g_free (plan);
}

gboolean
vfi_plan_io (const VfiPlan *plan, const char *name, VfiView *view)
{
  for (int i = 0; i < plan->n_io; i++)
    if (!strcmp (plan->io[i].name, name)) {
      *view = plan->io[i].view;
      return TRUE;
    }
  return FALSE;
}

int
vfi_plan_n_io (const VfiPlan *plan)
{
  return plan->n_io;
}

const char *
vfi_plan_io_name (const VfiPlan *plan, int i, gboolean *is_output)
{
  if (is_output)
    *is_output = plan->io[i].output;
  return plan->io[i].name;
}

void
vfi_plan_bind (VfiPlan *plan, int i, void *buffer)
{
  plan->buffers[i] = buffer;
  slot_set_base (plan, plan->io[i].slot, buffer);
}

/* Waits for what was enqueued. */
static void
settle (VfiBackend *b)
{
  b->klass->end (b);
  b->klass->begin (b);
}

static double
now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/* A plane of a thread's window. */
static guint8 *
window_of (const VfiPlan *plan, const Slot *slot, int thread, int plane)
{
  return (guint8 *) plan->arena + slot->block.offset + slot->row * slot->rows * (thread * slot->planes + plane);
}

/* Rows y0 to y1 - 1 of a step, by a thread whose band begins at row y. */
static void
run_rows (VfiPlan *plan, const Step *s, int thread, int y, int y0, int y1)
{
  const double start = plan->profile ? now () : 0;
  VfiView view[1 + VFI_MAX_SRC];

  for (int i = 0; i <= s->node->n_src; i++) {
    const Slot *slot = &plan->slots[s->slot[i]];

    view[i] = s->view[i];
    if (slot->rows && slot->root->planar) {
      view[i].cd = slot->rows * view[i].w;
      view[i].data = window_of (plan, slot, thread, s->offset[i] / slot->row / view[i].h) - (gssize) slot->row * (y - slot->ahead);
    } else if (slot->rows)
      view[i].data = window_of (plan, slot, thread, 0) + s->offset[i] - (gssize) slot->row * (y - slot->ahead);
  }
  s->kernel->rows (plan->backend, s->node, s->state, thread, &view[1], &view[0], y0, y1);
  if (plan->profile)
    plan->seconds[thread * plan->n_steps + (s - plan->steps)] += now () - start;
}

/* The windows of a thread move down by a band. */
static void
move_windows (VfiPlan *plan, const Step *step, int thread)
{
  const int a = step - plan->steps, b = a + step->group - 1;

  for (const Slot *slot = plan->slots; slot < plan->slots + plan->n_slots; slot++)
    for (int k = 0; slot->rows && slot->block.first >= a && slot->block.last <= b && k < slot->planes; k++) {
      guint8 *first = window_of (plan, slot, thread, k) + slot->row * (slot->ahead - slot->behind);

      memmove (first, first + slot->row * step->band, slot->row * (slot->ahead + slot->behind));
    }
}

typedef struct
{
  VfiPlan *plan;
  const Step *first;
} Group;

/* Thread i's part of a group, of n. */
static void
run_part (gpointer data, int i, int n)
{
  const Group *g = data;
  const Step *first = g->first;
  const int h = first->view[0].h, from = TWO_ROWS ((gint64) h * i / n), to = MIN (TWO_ROWS ((gint64) h * (i + 1) / n), h);

  for (int y = from; y < to; y += first->band) {
    if (y > from)
      move_windows (g->plan, first, i);
    for (const Step *s = first; s < first + first->group; s++) {
      const int y0 = y == from ? MAX (y - s->ahead, 0) : MIN (y + s->ahead, h), y1 = MIN (MIN (y + first->band, to) + s->ahead, h);

      if (y0 < y1)
        run_rows (g->plan, s, i, y, y0, y1);
    }
  }
}

/* Adds what a group took, shared out as its threads were busy, to the profile. */
static void
add_times (VfiPlan *plan, const Step *first, double seconds)
{
  double of[first->group], sum = 0;

  for (int k = 0; k < first->group; k++) {
    double *t = plan->seconds + (first - plan->steps) + k;

    of[k] = first->kernel->rows ? 0 : 1;
    for (int i = 0; i < plan->backend->threads; i++, t += plan->n_steps) {
      of[k] += *t;
      *t = 0;
    }
    sum += of[k];
  }
  for (int k = 0; k < first->group; k++)
    vfi_profile_add (plan->profile, first[k].node->op->name, seconds * of[k] / sum, first[k].flop, first[k].bytes);
}

static void
run_step (const VfiPlan *plan, const Step *s)
{
  s->kernel->run (plan->backend, s->node, s->state, &s->view[1], &s->view[0]);
}

static void
run_steps (VfiPlan *plan)
{
  VfiBackend *b = plan->backend;

  for (const Step *s = plan->steps; s < plan->steps + plan->n_steps; s += s->group) {
    Group g = { plan, s };
    double start = 0;

    if (plan->profile) {
      settle (b);
      start = now ();
    }
    if (!s->kernel->rows)
      run_step (plan, s);
    else if (s->parts == 1)
      run_part (&g, 0, 1);
    else
      b->klass->share (b, run_part, &g);
    if (plan->profile) {
      settle (b);
      add_times (plan, s, now () - start);
    }
  }
}

/* As parts that wait for each other only. */
static void
record_steps (VfiPlan *const *plans, int n)
{
  g_autoptr (GArray) after = g_array_new (FALSE, FALSE, sizeof (int));
  const VfiBackendClass *klass = plans[0]->backend->klass;

  for (int k = 0, first = 0; k < n; first += plans[k++]->n_steps)
    for (const Step *t = plans[k]->steps; t < plans[k]->steps + plans[k]->n_steps; t++) {
      const GArray *own = plans[k]->waits->after->pdata[t - plans[k]->steps];

      g_array_set_size (after, 0);
      for (guint i = 0; i < own->len; i++) {
        const int part = first + g_array_index (own, int, i);

        g_array_append_val (after, part);
      }
      for (int p = 0, part = 0; p < k; p++)
        for (const Step *s = plans[p]->steps; s < plans[p]->steps + plans[p]->n_steps; s++, part++)
          if (hinders_across (plans[p], s, plans[k], t))
            g_array_append_val (after, part);
      klass->record_part (plans[0]->backend, (const int *) after->data, after->len);
      run_step (plans[k], t);
    }
}

/* The recording for the buffers that are bound, in place of the last one's oldest if there is none. */
static Recording *
recording_of (VfiPlan *const *plans, int n)
{
  VfiPlan *last = plans[n - 1];
  int n_buffers = 0;
  Recording *r;

  for (int k = 0; k < n; k++)
    n_buffers += plans[k]->n_io;
  for (r = last->recordings; r < last->recordings + N_RECORDINGS; r++) {
    gboolean same = r->n_buffers == n_buffers;

    for (int k = 0, at = 0; k < n && same; at += plans[k++]->n_io)
      same = !memcmp (r->buffers + at, plans[k]->buffers, plans[k]->n_io * sizeof *r->buffers);
    if (same)
      return r;
  }
  r = &last->recordings[last->oldest];
  last->oldest = (last->oldest + 1) % N_RECORDINGS;
  if (r->work)
    last->backend->klass->record_free (last->backend, r->work);
  *r = (Recording){ .buffers = g_renew (void *, r->buffers, n_buffers), .n_buffers = n_buffers };
  for (int k = 0, at = 0; k < n; at += plans[k++]->n_io)
    memcpy (r->buffers + at, plans[k]->buffers, plans[k]->n_io * sizeof *r->buffers);
  return r;
}

void
vfi_plans_run (VfiPlan *const *plans, int n)
{
  VfiBackend *b = plans[0]->backend;
  Recording *r = b->klass->replay && !plans[0]->profile ? recording_of (plans, n) : NULL;

  if (r && r->runs == 1 && b->klass->record_begin (b)) {
    record_steps (plans, n);
    r->work = b->klass->record_end (b);
  }
  if (r)
    r->runs = MIN (r->runs + 1, 2);
  if (r && r->work)
    b->klass->replay (b, r->work);
  else
    for (int k = 0; k < n; k++)
      run_steps (plans[k]);
}

void
vfi_plan_run (VfiPlan *plan)
{
  vfi_plans_run (&plan, 1);
}

gsize
vfi_plan_arena_size (const VfiPlan *plan)
{
  return plan->arena_size;
}

double
vfi_plan_flop (const VfiPlan *plan)
{
  return plan->flop;
}

void
vfi_plan_set_profile (VfiPlan *plan, GArray *lines)
{
  plan->profile = lines;
}

void
vfi_profile_add (GArray *lines, const char *name, double seconds, double flop, double bytes)
{
  VfiProfile *line = NULL;

  for (guint i = 0; i < lines->len && !line; i++)
    if (!strcmp (g_array_index (lines, VfiProfile, i).name, name))
      line = &g_array_index (lines, VfiProfile, i);
  if (!line) {
    VfiProfile fresh = { .calls = 0 };

    g_strlcpy (fresh.name, name, sizeof fresh.name);
    g_array_append_val (lines, fresh);
    line = &g_array_index (lines, VfiProfile, lines->len - 1);
  }
  line->calls++;
  line->seconds += seconds;
  line->flop += flop;
  line->bytes += bytes;
}
