/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An interpolation network of one size: see net.h.
 */
#include "net.h"

#include "area.h"

/* A tensor that passes between plans. What there is of it once for each slot has one, and is bound by the slot of */
typedef enum
{
  OF_ALL, /* nothing: there is one */
  OF_FRAME,
  OF_PAIR,
  OF_RESULT, /* the frame that it becomes */
} Kind;

typedef struct
{
  char *name;
  VfiView view; /* without data */
  Kind kind;
  int n; /* slots */
  void *data[VFI_NET_SLOTS];
} Buffer;

void
vfi_net_free (VfiNet *net)
{
  if (!net)
    return;
  g_clear_pointer (&net->frame, vfi_plan_free);
  g_clear_pointer (&net->pair, vfi_plan_free);
  g_clear_pointer (&net->at, vfi_plan_free);
  g_clear_pointer (&net->bend, vfi_plan_free);
  for (guint i = 0; i < net->buffers->len; i++) {
    Buffer *b = &g_array_index (net->buffers, Buffer, i);
    for (int s = 0; s < VFI_NET_SLOTS; s++)
      if (b->data[s])
        net->backend->klass->dealloc (net->backend, b->data[s]);
    g_free (b->name);
  }
  g_array_unref (net->buffers);
  g_free (net);
}

/* Inputs that the session fills. */
static gboolean
is_own (const char *name)
{
  static const char *const own[] = { "x", "picture", "t", "follows", "lasts", NULL };

  return g_strv_contains (own, name);
}

/* What a plan is given as it left it. */
static gboolean
is_kept (const char *name)
{
  return g_str_has_prefix (name, "kept.");
}

static gboolean
is_prefixed (const char *name)
{
  return (name[0] == '0' || name[0] == '1') && name[1] == '.';
}

static const char *const neighbour[2] = { "before.", "after." };

/* The buffer for an input or output of a plan, NULL if there is none. "1.f0" is buffer "f0" of the second frame: then *of is 1; "before.flow" is "flow" of the pair before: *of is -1. */
static Buffer *
find (VfiNet *net, const char *name, int *of)
{
  Kind kind = OF_ALL;

  *of = 0;
  if (is_prefixed (name)) {
    kind = OF_FRAME;
    *of = name[0] - '0';
    name += 2;
  }
  for (int i = 0; i < 2; i++)
    if (g_str_has_prefix (name, neighbour[i])) {
      kind = OF_PAIR;
      *of = 2 * i - 1;
      name += strlen (neighbour[i]);
    }
  for (guint i = 0; i < net->buffers->len; i++) {
    Buffer *b = &g_array_index (net->buffers, Buffer, i);
    if ((b->kind == kind || kind == OF_ALL) && strcmp (b->name, name) == 0)
      return b;
  }
  return NULL;
}

/* Makes sure that a buffer has n slots. */
static gboolean
reserve (VfiNet *net, Buffer *b, int n, GError **error)
{
  for (; b->n < n; b->n++) {
    if (!(b->data[b->n] = net->backend->klass->alloc (net->backend, vfi_view_bytes (&b->view), error)))
      return FALSE;
    net->bytes += vfi_view_bytes (&b->view);
  }
  return TRUE;
}

/* Makes buffers for the outputs of a plan, for inputs that the session fills, and for what is kept; checks that its other inputs are there. Outputs are of this kind, or the
 * frame's where their names say so ("0.motion", "1.motion"), of which the first makes the buffer for both. */
static gboolean
add_buffers (VfiNet *net, VfiPlan *plan, Kind kind, GError **error)
{
  for (int i = 0; i < vfi_plan_n_io (plan); i++) {
    gboolean output;
    const char *name = vfi_plan_io_name (plan, i, &output);
    VfiView view;
    int frame;
    const Buffer *have = find (net, name, &frame);
    const gboolean prefixed = is_prefixed (name), kept = is_kept (name);

    vfi_plan_io (plan, name, &view);
    if (have && output && (prefixed || kept))
      continue;
    if (output || (!have && (kept || is_own (name)))) {
      Buffer b = { .name = g_strdup (prefixed ? name + 2 : name),
                   .view = view,
                   .kind = !output || kept                ? OF_ALL
                           : prefixed                     ? OF_FRAME
                           : strcmp (name, "result") == 0 ? OF_RESULT
                                                          : kind };
      g_array_append_val (net->buffers, b);
      if (!reserve (net, &g_array_index (net->buffers, Buffer, net->buffers->len - 1),
                    b.kind == OF_FRAME || b.kind == OF_RESULT ? net->n_slots : 1, error))
        return FALSE;
    } else if (!have || have->view.dtype != view.dtype || have->view.h != view.h || have->view.w != view.w || have->view.c != view.c ||
               have->view.ld != view.ld) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_SHAPE, "the network's input \"%s\" is not what its other parts give", name);
      return FALSE;
    }
  }
  net->bytes += vfi_plan_arena_size (plan);
  return TRUE;
}

/* So many floats that the session fills. */
static gboolean
add_floats (VfiNet *net, const char *name, int n, Kind kind, GError **error)
{
  const Buffer b = { .name = g_strdup (name), .view = { .dtype = VFI_F32, .h = 1, .w = 1, .c = n, .ld = n, .cd = 1 }, .kind = kind };

  g_array_append_val (net->buffers, b);
  return reserve (net, &g_array_index (net->buffers, Buffer, net->buffers->len - 1), kind == OF_FRAME ? net->n_slots : 1, error);
}

/* What the weights of the graphs take as the network's own copy. */
static gsize
weight_bytes (VfiGraph *const *graphs, VfiDType feature)
{
  gsize n = 0;
  for (int i = 0; graphs[i]; i++)
    for (guint j = 0; j < graphs[i]->nodes->len; j++) {
      const VfiNode *node = g_ptr_array_index (graphs[i]->nodes, j);
      for (int k = 0; k < node->n_weights; k++) {
        gsize size = 1;
        for (int d = 0; d < node->weights[k].rank; d++)
          size *= node->weights[k].shape[d];
        n += size;
      }
    }
  return n * vfi_dtype_size (feature);
}

gboolean
vfi_net_add_ring (VfiNet *net, int ring, GError **error)
{
  for (int i = 0; net->bend && i < vfi_plan_n_io (net->bend); i++) {
    int of;
    Buffer *b = find (net, vfi_plan_io_name (net->bend, i, NULL), &of);

    if (of && !reserve (net, b, ring, error))
      return FALSE;
  }
  for (guint i = 0; ring == VFI_NET_RING && i < net->buffers->len; i++) {
    Buffer *b = &g_array_index (net->buffers, Buffer, i);

    if ((b->kind == OF_FRAME || b->kind == OF_PAIR) && !reserve (net, b, ring, error))
      return FALSE;
  }
  return TRUE;
}

VfiNet *
vfi_net_new (VfiBackend *backend, const VfiModel *model, VfiWeights *weights, VfiDType feature, int h, int w, double flow_scale, int ring,
             GError **error)
{
  g_autoptr (VfiNet) net = g_new0 (VfiNet, 1);
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];

  *net = (VfiNet){ .backend = backend,
                   .h = h,
                   .w = w,
                   .n_slots = model->any_t ? 2 : VFI_NET_SLOTS,
                   .flow_scale = flow_scale,
                   .buffers = g_array_new (FALSE, TRUE, sizeof (Buffer)) };
  vfi_model_graphs (model, feature, h, w, flow_scale, graphs);
  net->bytes = weight_bytes (graphs, feature);
  if (!vfi_graphs_check (graphs, weights, NULL, error)) {
    vfi_graphs_free (graphs);
    return NULL;
  }
  if ((model->taps && (!add_floats (net, "area", VFI_SIDES, OF_FRAME, error) || !add_floats (net, "bars", VFI_BARS, OF_ALL, error))) ||
      !(net->frame = vfi_plan_new (g_steal_pointer (&graphs[0]), backend, weights, error)) ||
      !add_buffers (net, net->frame, OF_FRAME, error) ||
      (graphs[2] && (!(net->pair = vfi_plan_new (g_steal_pointer (&graphs[2]), backend, weights, error)) ||
                     !add_buffers (net, net->pair, OF_PAIR, error))) ||
      !(net->at = vfi_plan_new (g_steal_pointer (&graphs[1]), backend, weights, error)) || !add_buffers (net, net->at, OF_ALL, error) ||
      (graphs[3] && (!(net->bend = vfi_plan_new (g_steal_pointer (&graphs[3]), backend, weights, error)) ||
                     !add_buffers (net, net->bend, OF_ALL, error))) ||
      !vfi_net_add_ring (net, ring, error)) {
    vfi_graphs_free (graphs);
    return NULL;
  }
  net->mirrored = net->pair != NULL;
  for (int i = 0; net->pair && i < vfi_plan_n_io (net->pair); i++) {
    gboolean output;
    const char *name = vfi_plan_io_name (net->pair, i, &output);
    net->mirrored &= !output || is_prefixed (name);
  }
  return g_steal_pointer (&net);
}

void
vfi_net_bind (VfiNet *net, VfiPlan *plan, const int slot[2], int result)
{
  for (int i = 0; i < vfi_plan_n_io (plan); i++) {
    gboolean output;
    int of;
    const Buffer *b = find (net, vfi_plan_io_name (plan, i, &output), &of);
    const int bound[] = {
      [OF_ALL] = 0, [OF_FRAME] = slot[of > 0], [OF_PAIR] = b->n > 1 ? (slot[0] + of + b->n) % b->n : 0, [OF_RESULT] = result
    };
    vfi_plan_bind (plan, i, b->data[bound[b->kind]]);
  }
}

VfiView
vfi_net_view (VfiNet *net, const char *name, int slot)
{
  int frame;
  const Buffer *b = find (net, name, &frame);
  VfiView v = b ? b->view : (VfiView){ 0 };
  v.data = b ? b->data[slot] : NULL;
  return v;
}

void
vfi_net_set_profile (VfiNet *net, GArray *lines)
{
  VfiPlan *plans[] = { net->frame, net->pair, net->at, net->bend };
  for (guint i = 0; i < G_N_ELEMENTS (plans); i++)
    if (plans[i])
      vfi_plan_set_profile (plans[i], lines);
}
