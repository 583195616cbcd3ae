/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_cudnn.h"

#include <math.h>

#include "../../cuda/load.h"
#include "shim/shim.h"
#include "tensor.h"
#include "vfi.h"

FakeCudnn fake_cudnn = { .present = TRUE, .engines = 1 };

typedef struct
{
  cudnnBackendAttributeName_t name;
  cudnnBackendAttributeType_t type;
  gint64 n;
  guint8 *values;
} Attribute;

typedef struct
{
  cudnnBackendDescriptorType_t type;
  gboolean final;
  GArray *attributes;
  int index; /* of engines and their configurations */
  gpointer graph;
} Descriptor;

static struct
{
  cudaStream_t stream;
} handle;

static gsize
type_size (cudnnBackendAttributeType_t t)
{
  switch (t) {
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR:
      return 1;
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
      return 8;
    default:
      return 4;
  }
}

static const Attribute *
find (const Descriptor *d, cudnnBackendAttributeName_t name)
{
  for (guint i = 0; i < d->attributes->len; i++) {
    const Attribute *a = &g_array_index (d->attributes, Attribute, i);

    if (a->name == name)
      return a;
  }
  return NULL;
}

/* The value of an attribute that must be there, with this type and count. */
static gconstpointer
value (const Descriptor *d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, gint64 n)
{
  const Attribute *a = find (d, name);

  if (!a)
    g_error ("descriptor of type %d has no attribute %d", d->type, name);
  g_assert_cmpint (a->type, ==, type);
  g_assert_cmpint (a->n, ==, n);
  return a->values;
}

static Descriptor *
child (const Descriptor *d, cudnnBackendAttributeName_t name)
{
  Descriptor *c = *(Descriptor *const *) value (d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1);

  g_assert_true (c->final);
  return c;
}

static const gint64 *
ints (const Descriptor *d, cudnnBackendAttributeName_t name, gint64 n)
{
  return value (d, name, CUDNN_TYPE_INT64, n);
}

/* ---- tensors ------------------------------------------------------------------------------------ */

typedef struct
{
  const gint64 *size, *stride; /* n c h w */
  gint64 uid;
  gboolean is_virtual;
  cudnnDataType_t type;
  guint8 *data;
} Tensor;

static Tensor
tensor_of (const Descriptor *d)
{
  g_assert_cmpint (d->type, ==, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  g_assert_cmpint (*ints (d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 1), ==, 16);
  return (Tensor){ .size = ints (d, CUDNN_ATTR_TENSOR_DIMENSIONS, 4),
                   .stride = ints (d, CUDNN_ATTR_TENSOR_STRIDES, 4),
                   .uid = *ints (d, CUDNN_ATTR_TENSOR_UNIQUE_ID, 1),
                   .is_virtual = *(const guint8 *) value (d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1),
                   .type = *(const cudnnDataType_t *) value (d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1) };
}

static gsize
at (const Tensor *t, gint64 n, gint64 c, gint64 y, gint64 x)
{
  return (n % t->size[0]) * t->stride[0] + (c % t->size[1]) * t->stride[1] + (y % t->size[2]) * t->stride[2] +
         (x % t->size[3]) * t->stride[3];
}

static float
get (const Tensor *t, gint64 n, gint64 c, gint64 y, gint64 x)
{
  gsize i = at (t, n, c, y, x);

  return t->type == CUDNN_DATA_HALF ? vfi_f16_to_f32 (((guint16 *) t->data)[i]) : ((float *) t->data)[i];
}

static void
set (const Tensor *t, gint64 n, gint64 c, gint64 y, gint64 x, float f)
{
  gsize i = at (t, n, c, y, x);

  if (t->type == CUDNN_DATA_HALF)
    ((guint16 *) t->data)[i] = vfi_f32_to_f16 (f);
  else
    ((float *) t->data)[i] = f;
}

/* ---- the machine -------------------------------------------------------------------------------- */

typedef struct
{
  GHashTable *virtuals; /* uid to memory */
  const Attribute *uids, *pointers;
} Machine;

static Tensor
bind (Machine *m, const Descriptor *d)
{
  Tensor t = tensor_of (d);

  if (t.is_virtual) {
    t.data = g_hash_table_lookup (m->virtuals, GINT_TO_POINTER (t.uid));
    if (!t.data) {
      g_assert_cmpint (t.type, ==, CUDNN_DATA_FLOAT);
      t.data = g_malloc0 (4 * t.size[0] * t.size[1] * t.size[2] * t.size[3]);
      g_hash_table_insert (m->virtuals, GINT_TO_POINTER (t.uid), t.data);
    }
    return t;
  }
  for (gint64 i = 0; i < m->uids->n; i++)
    if (((const gint64 *) m->uids->values)[i] == t.uid)
      t.data = ((guint8 **) m->pointers->values)[i];
  g_assert_nonnull (t.data);
  g_assert_cmpuint ((gsize) t.data % 16, ==, 0);
  return t;
}

/* All numbers of a tensor, channels last; g_free. */
static float *
floats (const Tensor *t)
{
  float *f = g_new (float, t->size[0] * t->size[1] * t->size[2] * t->size[3]), *to = f;

  for (gint64 n = 0; n < t->size[0]; n++)
    for (gint64 y = 0; y < t->size[2]; y++)
      for (gint64 x = 0; x < t->size[3]; x++)
        for (gint64 c = 0; c < t->size[1]; c++)
          *to++ = get (t, n, c, y, x);
  return f;
}

static void
convolve (Machine *m, const Descriptor *op)
{
  const Descriptor *k = child (op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
  const gint64 *stride = ints (k, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 2), *dilation = ints (k, CUDNN_ATTR_CONVOLUTION_DILATIONS, 2);
  const gint64 *before = ints (k, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 2), *after = ints (k, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 2);
  const Tensor x = bind (m, child (op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X));
  const Tensor w = bind (m, child (op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W));
  const Tensor y = bind (m, child (op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));

  g_autofree float *pixels = NULL, *weights = NULL;

  g_assert_cmpint (*(const cudnnDataType_t *) value (k, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1), ==, CUDNN_DATA_FLOAT);
  g_assert_cmpint (*(const int *) value (k, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1), ==, CUDNN_CROSS_CORRELATION);
  g_assert_cmpint (*ints (k, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 1), ==, 2);
  g_assert_cmpfloat (*(const float *) value (op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1), ==, 1);
  g_assert_cmpfloat (*(const float *) value (op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1), ==, 0);
  g_assert_cmpint (w.size[1], ==, x.size[1]);
  g_assert_cmpint (w.size[0], ==, y.size[1]);
  for (int i = 0; i < 2; i++)
    g_assert_cmpint (y.size[2 + i], ==, (x.size[2 + i] + before[i] + after[i] - (dilation[i] * (w.size[2 + i] - 1) + 1)) / stride[i] + 1);

  pixels = floats (&x);
  weights = floats (&w);
  for (gint64 oy = 0; oy < y.size[2]; oy++)
    for (gint64 ox = 0; ox < y.size[3]; ox++)
      for (gint64 o = 0; o < y.size[1]; o++) {
        float sum = 0;

        for (gint64 i = 0; i < w.size[2]; i++)
          for (gint64 j = 0; j < w.size[3]; j++) {
            const gint64 iy = oy * stride[0] - before[0] + i * dilation[0], ix = ox * stride[1] - before[1] + j * dilation[1];
            const float *a = pixels + (iy * x.size[3] + ix) * x.size[1], *b = weights + ((o * w.size[2] + i) * w.size[3] + j) * x.size[1];

            if (iy >= 0 && iy < x.size[2] && ix >= 0 && ix < x.size[3])
              for (gint64 c = 0; c < x.size[1]; c++)
                sum += a[c] * b[c];
          }
        set (&y, 0, o, oy, ox, sum);
      }
}

static float
apply (int mode, double slope, float a, float b)
{
  switch (mode) {
    case CUDNN_POINTWISE_ADD:
      return a + b;
    case CUDNN_POINTWISE_MUL:
      return a * b;
    case CUDNN_POINTWISE_RELU_FWD:
      return a > 0 ? a : a * (float) slope;
    case CUDNN_POINTWISE_SIGMOID_FWD:
      return 1 / (1 + expf (-a));
    case CUDNN_POINTWISE_TANH_FWD:
      return tanhf (a);
    case CUDNN_POINTWISE_ELU_FWD:
      return a > 0 ? a : expm1f (a);
  }
  g_error ("pointwise mode %d is not known", mode);
}

static void
pointwise (Machine *m, const Descriptor *op)
{
  const Descriptor *k = child (op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
  const int mode = *(const int *) value (k, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1);
  const Attribute *slope = find (k, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE);
  const gboolean two = mode == CUDNN_POINTWISE_ADD || mode == CUDNN_POINTWISE_MUL;
  const Tensor x = bind (m, child (op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
  const Tensor b = two ? bind (m, child (op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC)) : x;
  const Tensor y = bind (m, child (op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC));

  g_assert_cmpint (*(const cudnnDataType_t *) value (k, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1), ==, CUDNN_DATA_FLOAT);
  g_assert_true (!slope || slope->type == CUDNN_TYPE_DOUBLE);
  for (gint64 c = 0; c < y.size[1]; c++)
    for (gint64 i = 0; i < y.size[2]; i++)
      for (gint64 j = 0; j < y.size[3]; j++)
        set (&y, 0, c, i, j, apply (mode, slope ? *(const double *) slope->values : 0, get (&x, 0, c, i, j), get (&b, 0, c, i, j)));
}

static const Attribute *
ops_of (const Descriptor *graph)
{
  const Attribute *ops = find (graph, CUDNN_ATTR_OPERATIONGRAPH_OPS);

  g_assert_true (ops && ops->type == CUDNN_TYPE_BACKEND_DESCRIPTOR);
  return ops;
}

typedef struct
{
  const Descriptor *graph, *pack;
} Work;

static void
work (gpointer data)
{
  const Descriptor *graph = ((Work *) data)->graph, *pack = ((Work *) data)->pack;
  const Attribute *ops = ops_of (graph), *uids = find (pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  Machine m = { g_hash_table_new_full (NULL, NULL, NULL, g_free), uids, find (pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS) };
  guint8 *workspace = *(guint8 *const *) value (pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1);

  g_assert_cmpint (m.uids->n, ==, m.pointers->n);
  memset (workspace, 0xff, 1000); /* is nobody else's */
  for (gint64 i = 0; i < ops->n; i++) {
    const Descriptor *op = ((Descriptor **) ops->values)[i];

    if (op->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
      convolve (&m, op);
    else
      pointwise (&m, op);
  }
  g_hash_table_unref (m.virtuals);
}

/* ---- in words ----------------------------------------------------------------------------------- */

static void
describe_tensor (GString *s, const char *name, const Descriptor *d)
{
  const Tensor t = tensor_of (d);

  if (t.is_virtual)
    return;
  g_string_append_printf (s, " %s %s %dx%dx%dx%d/%d,%d,%d", name, t.type == CUDNN_DATA_HALF ? "f16" : "f32", (int) t.size[0],
                          (int) t.size[1], (int) t.size[2], (int) t.size[3], (int) t.stride[1], (int) t.stride[2], (int) t.stride[3]);
}

static void
describe (GString *s, const Descriptor *graph)
{
  static const char *const modes[] = { "relu", "tanh", "sigmoid", "elu" };
  const Attribute *ops = ops_of (graph);

  for (gint64 i = 0; i < ops->n; i++) {
    const Descriptor *op = ((Descriptor **) ops->values)[i];

    if (op->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR) {
      const Descriptor *k = child (op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);

      g_string_append_printf (s, "conv stride %d padding %d dilation %d", (int) *ints (k, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 2),
                              (int) *ints (k, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 2),
                              (int) *ints (k, CUDNN_ATTR_CONVOLUTION_DILATIONS, 2));
      if (*ints (k, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 2) != *ints (k, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 2))
        g_string_append_printf (s, " and %d after", (int) *ints (k, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 2));
      describe_tensor (s, "x", child (op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X));
      describe_tensor (s, "w", child (op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W));
      describe_tensor (s, "y", child (op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));
    } else {
      const Descriptor *k = child (op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
      const int mode = *(const int *) value (k, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1);
      const Attribute *slope = find (k, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE);

      const gboolean two = mode == CUDNN_POINTWISE_ADD || mode == CUDNN_POINTWISE_MUL;

      g_string_append_printf (s, "; %s", !two ? modes[mode - CUDNN_POINTWISE_RELU_FWD] : mode == CUDNN_POINTWISE_ADD ? "add" : "mul");
      if (slope)
        g_string_append_printf (s, " %g", *(const double *) slope->values);
      if (two)
        describe_tensor (s, "b", child (op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC));
      describe_tensor (s, "y", child (op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
    }
  }
  g_string_append_c (s, '\n');
}

/* ---- the API ------------------------------------------------------------------------------------ */

static cudnnStatus_t
make (cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *out)
{
  Descriptor *d = g_new0 (Descriptor, 1);

  fake_cudnn.descriptors++;
  fake_cudnn.packs += type == CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR;
  d->type = type;
  d->attributes = g_array_new (FALSE, FALSE, sizeof (Attribute));
  *out = d;
  return CUDNN_STATUS_SUCCESS;
}

static void
clear (gpointer a)
{
  g_free (((Attribute *) a)->values);
}

static cudnnStatus_t
unmake (cudnnBackendDescriptor_t p)
{
  Descriptor *d = p;

  fake_cudnn.descriptors--;
  g_array_set_clear_func (d->attributes, clear);
  g_array_unref (d->attributes);
  g_free (d);
  return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t
set_attribute (cudnnBackendDescriptor_t p, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n,
               const void *values)
{
  Descriptor *d = p;
  Attribute a = { name, type, n, g_memdup2 (values, n * type_size (type)) };

  g_assert_false (d->final);
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
    for (gint64 i = 0; i < n; i++)
      g_assert_true (((Descriptor *const *) values)[i]->final);
  g_array_append_val (d->attributes, a);
  return CUDNN_STATUS_SUCCESS;
}

/* Configurations that the heuristics give: one that is not deterministic, one that fails when it is planned, and those that work. */
enum
{
  RANDOM,
  BROKEN,
  GOOD
};

static gboolean
has_engine (const Descriptor *graph)
{
  const Attribute *ops = ops_of (graph);
  const Descriptor *conv = *(Descriptor **) ops->values;
  const Tensor x = tensor_of (child (conv, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X));
  const Tensor y = tensor_of (child (conv, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));

  return !(fake_cudnn.no_fusion && ops->n > 1) && !(fake_cudnn.no_mixed && !y.is_virtual && x.type != y.type);
}

static cudnnStatus_t
finalize (cudnnBackendDescriptor_t p)
{
  Descriptor *d = p;

  g_assert_false (d->final);
  if (d->type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
    const Descriptor *config = child (d, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);

    value (d, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1);
    if (config->index < GOOD)
      return CUDNN_STATUS_NOT_SUPPORTED;
    d->graph = config->graph;
    fake_cudnn.compiled++;
    if (fake_cudnn.graphs)
      describe (fake_cudnn.graphs, d->graph);
  }
  if (d->type == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)
    value (d, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1);
  if (d->type == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR) {
    d->graph = child (d, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
    if (!has_engine (d->graph))
      return CUDNN_STATUS_NOT_SUPPORTED;
  }
  d->final = TRUE;
  return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t
get_attribute (cudnnBackendDescriptor_t p, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t room, int64_t *n,
               void *values)
{
  Descriptor *d = p, **out = values;

  g_assert_true (d->final);
  switch (name) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS:
      *n = GOOD + fake_cudnn.engines;
      g_assert_cmpint (room, >=, *n);
      for (int i = 0; i < *n; i++) {
        g_assert_cmpint (out[i]->type, ==, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        out[i]->index = i;
        out[i]->graph = d->graph;
        out[i]->final = TRUE;
      }
      break;
    case CUDNN_ATTR_ENGINECFG_ENGINE:
      g_assert_cmpint (out[0]->type, ==, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
      out[0]->index = d->index;
      out[0]->final = TRUE;
      *n = 1;
      break;
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
      *n = d->index == RANDOM;
      if (*n)
        *(cudnnBackendNumericalNote_t *) values = CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
      break;
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX:
      *(int64_t *) values = d->index + fake_cudnn.numbers;
      *n = 1;
      break;
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
      *(int64_t *) values = 1000;
      *n = 1;
      break;
    default:
      g_error ("attribute %d is not known", name);
  }
  return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t
execute (cudnnHandle_t h, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack)
{
  Work w = { ((Descriptor *) plan)->graph, pack };

  g_assert_true ((gpointer) h == &handle && ((Descriptor *) plan)->final && w.pack->final);
  shim_enqueue (handle.stream, work, g_memdup2 (&w, sizeof w), g_free);
  return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t
create (cudnnHandle_t *h)
{
  *h = (cudnnHandle_t) &handle;
  return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t
destroy (cudnnHandle_t h)
{
  return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t
set_stream (cudnnHandle_t h, cudaStream_t stream)
{
  handle.stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

static size_t
get_version (void)
{
  return 90000;
}

static const char *
get_error_string (cudnnStatus_t status)
{
  return "CUDNN_STATUS_NOT_SUPPORTED";
}

static void
get_last_error_string (char *message, size_t size)
{
  g_strlcpy (message, "", size);
}

gboolean
vfi_cuda_load_cudnn (VfiCudnnApi *api, GError **error)
{
  if (!fake_cudnn.present) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "cuDNN is not found");
    return FALSE;
  }
  *api = (VfiCudnnApi){ get_version, get_error_string, get_last_error_string, create,        destroy, set_stream, make,
                        unmake,      finalize,         set_attribute,         get_attribute, execute };
  return TRUE;
}

/* ---- the driver --------------------------------------------------------------------------------- */

gboolean
vfi_cuda_load_driver (VfiCudaDriver *d, GError **error)
{
  *d = (VfiCudaDriver){ shim_get_current, shim_push_current, shim_pop_current };
  return TRUE;
}
