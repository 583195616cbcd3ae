/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The builder: records nodes with concrete shapes, keeps the first error with the path of its layer, and decides where
 * tensors lie inside each other, so that slices cost nothing and most concatenations cost nothing either.
 */
#include "op.h"
#include "vfi.h"

static void
tensor_free (gpointer p)
{
  VfiTensor *x = p;

  g_free (x->io_name);
  g_free (x);
}

static void
node_free (gpointer p)
{
  VfiNode *node = p;

  for (int i = 0; i < node->n_weights; i++)
    g_free (node->weights[i].name);
  g_free (node->path);
  g_free (node->params);
  g_free (node);
}

VfiGraph *
vfi_graph_new (VfiDType feature)
{
  VfiGraph *g = g_new0 (VfiGraph, 1);

  g->feature = feature == VFI_FEATURE ? VFI_F32 : feature;
  g->flow_scale = 1;
  g->nodes = g_ptr_array_new_with_free_func (node_free);
  g->tensors = g_ptr_array_new_with_free_func (tensor_free);
  g->inputs = g_ptr_array_new ();
  g->outputs = g_ptr_array_new ();
  g->output_names = g_ptr_array_new_with_free_func (g_free);
  g->path = g_ptr_array_new_with_free_func (g_free);
  return g;
}

void
vfi_graph_free (VfiGraph *g)
{
  if (!g)
    return;
  g_ptr_array_unref (g->nodes);
  g_ptr_array_unref (g->tensors);
  g_ptr_array_unref (g->inputs);
  g_ptr_array_unref (g->outputs);
  g_ptr_array_unref (g->output_names);
  g_ptr_array_unref (g->path);
  g_clear_error (&g->error);
  g_free (g);
}

double
vfi_flow_scale (const VfiGraph *g)
{
  return g->flow_scale;
}

/* ---- names and errors --------------------------------------------------------------------------- */

static char *
full_path (VfiGraph *g, const char *name)
{
  GString *s = g_string_new (NULL);

  for (guint i = 0; i < g->path->len; i++)
    g_string_append_printf (s, "%s.", (const char *) g->path->pdata[i]);
  g_string_append (s, name);
  return g_string_free (s, FALSE);
}

void
vfi_push (VfiGraph *g, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (g->path, g_strdup_vprintf (format, args));
  va_end (args);
}

void
vfi_pop (VfiGraph *g)
{
  if (g->path->len)
    g_ptr_array_set_size (g->path, g->path->len - 1);
  else
    vfi_graph_fail (g, "vfi_pop", VFI_ERROR_ARG, "without a push");
}

const char *
vfi_numbered (const char *format, ...)
{
  static __thread char name[64];
  va_list args;

  va_start (args, format);
  g_vsnprintf (name, sizeof name, format, args);
  va_end (args);
  return name;
}

static VfiTensor *
tensor_new (VfiGraph *g, VfiDType dtype, int h, int w, int c)
{
  VfiTensor *x = g_new0 (VfiTensor, 1);

  x->graph = g;
  x->dtype = dtype == VFI_FEATURE ? g->feature : dtype;
  x->h = h;
  x->w = w;
  x->c = c;
  g_ptr_array_add (g->tensors, x);
  return x;
}

VfiTensor *
vfi_graph_dummy (VfiGraph *g)
{
  return tensor_new (g, VFI_FEATURE, 1, 1, 1);
}

VfiTensor *
vfi_graph_fail (VfiGraph *g, const char *name, int code, const char *format, ...)
{
  if (!g->error) {
    char *path = full_path (g, name), *text;
    va_list args;

    va_start (args, format);
    text = g_strdup_vprintf (format, args);
    va_end (args);
    g->error = g_error_new (VFI_ERROR, code, "%s: %s", path, text);
    g_free (text);
    g_free (path);
  }
  return vfi_graph_dummy (g);
}

gboolean
vfi_graph_ready (VfiGraph *g, const char *name, VfiTensor *const *src, int n_src)
{
  for (int i = 0; i < n_src && !g->error; i++)
    if (!src[i] || src[i]->graph != g)
      vfi_graph_fail (g, name, VFI_ERROR_ARG, "source %d is %s", i, src[i] ? "of another graph" : "NULL");
  return !g->error;
}

/* Shapes stay where element counts fit an int and byte counts are far from overflow. */
static gboolean
shape_ok (VfiGraph *g, const char *name, gint64 h, gint64 w, gint64 c)
{
  if (g->error)
    return FALSE;
  if (h < 1 || w < 1 || c < 1) {
    vfi_graph_fail (g, name, VFI_ERROR_SHAPE, "a tensor of %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " is empty", h,
                    w, c);
    return FALSE;
  }
  if (h > G_MAXINT / w || h * w > G_MAXINT / c) {
    vfi_graph_fail (g, name, VFI_ERROR_SHAPE, "a tensor of %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " is too large",
                    h, w, c);
    return FALSE;
  }
  return TRUE;
}

/* ---- tensors ------------------------------------------------------------------------------------ */

int
vfi_height (const VfiTensor *x)
{
  return x->h;
}

int
vfi_width (const VfiTensor *x)
{
  return x->w;
}

int
vfi_channels (const VfiTensor *x)
{
  return x->c;
}

VfiTensor *
vfi_tensor_root (VfiTensor *x, int *offset)
{
  int o = 0;

  for (; x->parent; x = x->parent)
    o += x->offset;
  if (offset)
    *offset = o;
  return x;
}

gsize
vfi_tensor_start (const VfiTensor *x, int cd)
{
  gsize channels = 0, rows = 0;

  for (; x->parent; x = x->parent) {
    channels += x->offset;
    rows += x->row;
  }
  return channels * cd + rows * x->w * (x->planar ? 1 : x->c);
}

VfiTensor *
vfi_input (VfiGraph *g, const char *name, VfiDType dtype, int h, int w, int c)
{
  VfiTensor *x;

  if (!shape_ok (g, name, h, w, c))
    return vfi_graph_dummy (g);
  for (guint i = 0; i < g->inputs->len; i++)
    if (!strcmp (((VfiTensor *) g->inputs->pdata[i])->io_name, name))
      return vfi_graph_fail (g, name, VFI_ERROR_ARG, "there are two inputs of this name");
  x = tensor_new (g, dtype, h, w, c);
  x->io_name = g_strdup (name);
  g_ptr_array_add (g->inputs, x);
  return x;
}

VfiTensor *
vfi_input_planes (VfiGraph *g, const char *name, int h, int w, int c)
{
  VfiTensor *x = vfi_input (g, name, VFI_F32, h, w, c);

  if (x->io_name)
    x->planar = TRUE;
  return x;
}

void
vfi_output (VfiGraph *g, const char *name, VfiTensor *x)
{
  if (!vfi_graph_ready (g, name, &x, 1))
    return;
  for (guint i = 0; i < g->outputs->len; i++)
    if (!strcmp (g->output_names->pdata[i], name)) {
      vfi_graph_fail (g, name, VFI_ERROR_ARG, "there are two outputs of this name");
      return;
    }
  /* An output lies alone in a buffer of the caller's. */
  if (x->parent || x->io_name || g_ptr_array_find (g->outputs, x, NULL))
    x = vfi_scale (g, x, NULL, x->dtype);
  x->dense_used = TRUE;
  g_ptr_array_add (g->outputs, x);
  g_ptr_array_add (g->output_names, g_strdup (name));
}

VfiTensor *
vfi_slice (VfiGraph *g, VfiTensor *x, int first, int channels)
{
  VfiTensor *y;

  if (!vfi_graph_ready (g, "slice", &x, 1))
    return vfi_graph_dummy (g);
  if (first < 0 || channels < 1 || channels > x->c || first > x->c - channels)
    return vfi_graph_fail (g, "slice", VFI_ERROR_SHAPE, "%d channels from %d of a tensor that has %d", channels, first, x->c);
  y = tensor_new (g, x->dtype, x->h, x->w, channels);
  y->producer = x->producer;
  y->planar = x->planar;
  y->parent = x;
  y->offset = first;
  return y;
}

VfiTensor *
vfi_rows (VfiGraph *g, VfiTensor *x, int first, int rows)
{
  VfiTensor *y;

  if (!vfi_graph_ready (g, "rows", &x, 1))
    return vfi_graph_dummy (g);
  if (first < 0 || rows < 1 || rows > x->h || first > x->h - rows)
    return vfi_graph_fail (g, "rows", VFI_ERROR_SHAPE, "%d rows from %d of a tensor that has %d", rows, first, x->h);
  if (rows == x->h)
    return x;
  if (x->planar)
    x = vfi_scale (g, x, NULL, x->dtype);
  y = tensor_new (g, x->dtype, rows, x->w, x->c);
  y->producer = x->producer;
  y->parent = x;
  y->row = first;
  return y;
}

/* Whether x can live inside a tensor of the given type from now on: nobody holds it to its own dense storage. */
static gboolean
can_move (const VfiTensor *x, VfiDType dtype)
{
  return x->dtype == dtype && !x->planar && !x->io_name && !x->parent && !x->dense_used && !(x->producer && x->producer->op->dense);
}

VfiTensor *
vfi_concat_ (VfiGraph *g, VfiDType dtype, VfiTensor **xs)
{
  VfiTensor *y;
  gint64 channels = 0;
  int n = 0, offset = 0;

  for (; xs[n]; n++)
    ;
  if (!vfi_graph_ready (g, "concat", xs, n))
    return vfi_graph_dummy (g);
  if (n == 0)
    return vfi_graph_fail (g, "concat", VFI_ERROR_ARG, "nothing to put together");
  for (int i = 0; i < n; i++) {
    if (xs[i]->h != xs[0]->h || xs[i]->w != xs[0]->w)
      return vfi_graph_fail (g, "concat", VFI_ERROR_SHAPE, "source 0 is %d x %d but source %d is %d x %d", xs[0]->h, xs[0]->w, i, xs[i]->h,
                             xs[i]->w);
    channels += xs[i]->c;
  }
  if (!shape_ok (g, "concat", xs[0]->h, xs[0]->w, channels))
    return vfi_graph_dummy (g);
  y = tensor_new (g, dtype, xs[0]->h, xs[0]->w, (int) channels);
  for (int i = 0; i < n; i++) {
    VfiTensor *x = can_move (xs[i], y->dtype) ? xs[i] : vfi_scale (g, xs[i], NULL, y->dtype);

    x->parent = y;
    x->offset = offset;
    offset += x->c;
  }
  return y;
}

VfiTensor *
vfi_stack (VfiGraph *g, VfiTensor **xs, int n)
{
  VfiTensor *y;
  gint64 rows = 0;

  if (!vfi_graph_ready (g, "stack", xs, n))
    return vfi_graph_dummy (g);
  if (n < 1)
    return vfi_graph_fail (g, "stack", VFI_ERROR_ARG, "nothing to put together");
  for (int i = 0; i < n; i++) {
    if (xs[i]->w != xs[0]->w || xs[i]->c != xs[0]->c)
      return vfi_graph_fail (g, "stack", VFI_ERROR_SHAPE, "source 0 has rows of %d x %d but source %d of %d x %d", xs[0]->w, xs[0]->c, i,
                             xs[i]->w, xs[i]->c);
    rows += xs[i]->h;
  }
  if (!shape_ok (g, "stack", rows, xs[0]->w, xs[0]->c))
    return vfi_graph_dummy (g);
  y = tensor_new (g, xs[0]->dtype, (int) rows, xs[0]->w, xs[0]->c);
  rows = 0;
  for (int i = 0; i < n; i++) {
    VfiTensor *x = can_move (xs[i], y->dtype) ? xs[i] : vfi_scale (g, xs[i], NULL, y->dtype);

    x->parent = y;
    x->row = (int) rows;
    rows += x->h;
  }
  return y;
}

/* ---- nodes -------------------------------------------------------------------------------------- */

VfiNode *
vfi_graph_add (VfiGraph *g, const VfiOp *op, const char *name, gconstpointer params, gsize params_size, VfiTensor **src, int n_src,
               VfiDType dtype, int h, int w, int c)
{
  VfiTensor *from[VFI_MAX_SRC];
  VfiNode *node;

  if (!shape_ok (g, name, h, w, c))
    return NULL;
  if (n_src > VFI_MAX_SRC) {
    vfi_graph_fail (g, name, VFI_ERROR_ARG, "%d sources: there is room for %d", n_src, VFI_MAX_SRC);
    return NULL;
  }
  for (int i = 0; i < n_src; i++) {
    from[i] =
        (op->dense && src[i]->parent) || (src[i]->planar && !(op->planar >> i & 1)) ? vfi_scale (g, src[i], NULL, src[i]->dtype) : src[i];
    from[i]->dense_used |= op->dense;
  }
  node = g_new0 (VfiNode, 1);
  node->op = op;
  node->path = full_path (g, name);
  node->params = g_malloc (params_size);
  if (params_size)
    memcpy (node->params, params, params_size);
  memcpy (node->src, from, n_src * sizeof *from);
  node->n_src = n_src;
  node->dst = tensor_new (g, dtype, h, w, c);
  node->dst->producer = node;
  g_ptr_array_add (g->nodes, node);
  return node;
}

VfiTensor *
vfi_node_result (VfiGraph *g, VfiNode *node)
{
  return node ? node->dst : vfi_graph_dummy (g);
}

static void
add_weight (VfiNode *node, char *name, int rank, const int *shape)
{
  VfiWeightSpec *spec = &node->weights[node->n_weights];
  gsize n = 1;

  spec->name = name;
  spec->rank = rank;
  memcpy (spec->shape, shape, rank * sizeof *shape);
  for (int i = 0; i < rank; i++)
    n *= shape[i];
  node->folded[node->n_weights++] = n;
}

void
vfi_node_weight (VfiNode *node, const char *suffix, int rank, const int *shape)
{
  add_weight (node, g_strdup_printf ("%s.%s", node->path, suffix), rank, shape);
}

void
vfi_node_weight_beside (VfiGraph *g, VfiNode *node, const char *name, int rank, const int *shape)
{
  add_weight (node, full_path (g, name), rank, shape);
}

void
vfi_node_fold (const VfiNode *node, float **weights)
{
  if (node->op->fold)
    node->op->fold (node, weights);
}
