/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything in this API is a descriptor: made, given attributes, finalized. A small writer keeps the first failure, so that what builds
 * a graph reads like the graph.
 */
#include "cudnn_conv.h"

#include <stdbool.h>

#include "tensor.h"
#include "vfi.h"

#if CUDNN_VERSION < 90800 /* older headers have no devices that are described; an older library says so */
#define CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR ((cudnnBackendDescriptorType_t) 38)
#define CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION ((cudnnBackendAttributeName_t) 2702)
#define CUDNN_ATTR_ENGINEHEUR_DEVICEPROP ((cudnnBackendAttributeName_t) 204)
#define CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP ((cudnnBackendAttributeName_t) 407)
#endif

struct _VfiCudnn
{
  VfiCudnnApi api;
  cudnnHandle_t handle;
  cudnnBackendDescriptor_t device;                                                  /* instead of a handle */
  GPtrArray *convs;                                                                 /* of VfiCudnnConv that are in use */
  double (*time) (gpointer data, VfiCudnnConv *conv, const VfiCudnnConvDesc *desc); /* NULL: what comes first is taken */
  gpointer time_data;
  VfiCudaChoices *choices;
};

/* The tensors that have memory; also their unique ids. */
enum
{
  X = 1,
  W,
  BIAS,
  RESIDUAL,
  SLOPES,
  REST,
  Y,
  FIRST_VIRTUAL
};
#define N_TENSORS 7

#define N_PACKS 24 /* sets of pointers that are remembered: of all nodes that share an engine */
#define MAX_OPS 8
#define MAX_DESCRIPTORS 48
#define MAX_CONFIGS 32
#define MAX_TIMED 8 /* compiling one may take a second */

typedef struct
{
  VfiCudnnData data;
  cudnnBackendDescriptor_t descriptor;
} Pack;

struct _VfiCudnnConv
{
  VfiCudnn *cudnn;
  VfiCudnnConvDesc desc;
  int refs;
  cudnnBackendDescriptor_t all[MAX_DESCRIPTORS]; /* the graph's, in the order they were made */
  int n;
  cudnnBackendDescriptor_t plan;
  gsize workspace;
  int64_t engine;
  int64_t uids[N_TENSORS];
  int n_uids;
  Pack packs[N_PACKS];
  int next_pack;
};

/* ---- the writer --------------------------------------------------------------------------------- */

typedef struct
{
  VfiCudnnConv *conv;
  cudnnStatus_t status;
} Writer;

static cudnnBackendDescriptor_t
make (Writer *w, cudnnBackendDescriptorType_t type)
{
  cudnnBackendDescriptor_t d = NULL;

  if (w->status == CUDNN_STATUS_SUCCESS)
    w->status = w->conv->cudnn->api.make (type, &d);
  if (d)
    w->conv->all[w->conv->n++] = d;
  return d;
}

static void
set (Writer *w, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n,
     const void *values)
{
  if (w->status == CUDNN_STATUS_SUCCESS)
    w->status = w->conv->cudnn->api.set (d, name, type, n, values);
}

static void
set_int (Writer *w, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, int64_t value)
{
  set (w, d, name, CUDNN_TYPE_INT64, 1, &value);
}

static void
set_descriptor (Writer *w, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t value)
{
  set (w, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static void
set_type (Writer *w, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnDataType_t type)
{
  set (w, d, name, CUDNN_TYPE_DATA_TYPE, 1, &type);
}

static cudnnBackendDescriptor_t
finalize (Writer *w, cudnnBackendDescriptor_t d)
{
  if (w->status == CUDNN_STATUS_SUCCESS)
    w->status = w->conv->cudnn->api.finalize (d);
  return d;
}

static void
set_error (const VfiCudnn *cudnn, cudnnStatus_t status, int code, const char *what, GError **error)
{
  char text[1024] = "";

  cudnn->api.get_last_error_string (text, sizeof text);
  g_set_error (error, VFI_ERROR, code, "cuDNN: %s: %s%s%s", what, cudnn->api.get_error_string (status), *text ? ": " : "", text);
}

/* ---- the graph ---------------------------------------------------------------------------------- */

static cudnnDataType_t
data_type (VfiDType t)
{
  return t == VFI_F16 ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT;
}

/* (n, c, h, w), channels side by side. */
static cudnnBackendDescriptor_t
tensor (Writer *w, int64_t uid, cudnnDataType_t type, int64_t n, int64_t c, int64_t height, int64_t width)
{
  cudnnBackendDescriptor_t d = make (w, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const int64_t sizes[] = { n, c, height, width }, strides[] = { height * width * c, 1, width * c, c };
  const bool is_virtual = uid >= FIRST_VIRTUAL;

  set_type (w, d, CUDNN_ATTR_TENSOR_DATA_TYPE, type);
  set (w, d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, sizes);
  set (w, d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides);
  set_int (w, d, CUDNN_ATTR_TENSOR_UNIQUE_ID, uid);
  set_int (w, d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 16);
  set (w, d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
  if (!is_virtual)
    w->conv->uids[w->conv->n_uids++] = uid;
  return finalize (w, d);
}

static cudnnBackendDescriptor_t
convolution (Writer *w, const VfiCudnnConvDesc *k, cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t weights, cudnnBackendDescriptor_t y)
{
  const int64_t stride[] = { k->stride, k->stride }, dilation[] = { k->dilation, k->dilation };
  const int64_t before[] = { k->padding, k->padding }, after[] = { k->padding + k->after, k->padding + k->after };
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  const float one = 1, zero = 0;
  cudnnBackendDescriptor_t d = make (w, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR), op;

  set_type (w, d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  set (w, d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
  set_int (w, d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2);
  set (w, d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, stride);
  set (w, d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, before);
  set (w, d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, after);
  set (w, d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilation);
  finalize (w, d);

  op = make (w, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  set_descriptor (w, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, d);
  set_descriptor (w, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
  set_descriptor (w, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, weights);
  set_descriptor (w, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
  set (w, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &one);
  set (w, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &zero);
  return finalize (w, op);
}

/* y = mode (x, b), or y = mode (x) where b is NULL. */
static cudnnBackendDescriptor_t
pointwise (Writer *w, cudnnPointwiseMode_t mode, double slope, cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t b,
           cudnnBackendDescriptor_t y)
{
  cudnnBackendDescriptor_t d = make (w, CUDNN_BACKEND_POINTWISE_DESCRIPTOR), op;

  set (w, d, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
  set_type (w, d, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  if (slope != 0)
    set (w, d, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, CUDNN_TYPE_DOUBLE, 1, &slope);
  finalize (w, d);

  op = make (w, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  set_descriptor (w, op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, d);
  set_descriptor (w, op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
  if (b)
    set_descriptor (w, op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
  set_descriptor (w, op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  return finalize (w, op);
}

/* A graph as it grows: a value of the result's shape after each operation, fp32 but for the last. */
typedef struct
{
  Writer w;
  const VfiCudnnConvDesc *k;
  int h, width;
  cudnnBackendDescriptor_t ops[MAX_OPS];
  int n, last; /* operations so far, and the last one's number */
} Builder;

static cudnnBackendDescriptor_t
value_of (Builder *b)
{
  const gboolean end = b->n == b->last;

  return tensor (&b->w, end ? Y : FIRST_VIRTUAL + b->n, end ? data_type (b->k->dst) : CUDNN_DATA_FLOAT, 1, b->k->k, b->h, b->width);
}

/* One number for each channel. */
static cudnnBackendDescriptor_t
channels (Builder *b, int64_t uid)
{
  return tensor (&b->w, uid, CUDNN_DATA_FLOAT, 1, b->k->k, 1, 1);
}

static cudnnBackendDescriptor_t
then (Builder *b, cudnnPointwiseMode_t mode, double slope, cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t with)
{
  cudnnBackendDescriptor_t y = value_of (b);

  b->ops[b->n++] = pointwise (&b->w, mode, slope, x, with, y);
  return y;
}

/* x slopes + relu (x) (1 - slopes) */
static void
prelu (Builder *b, cudnnBackendDescriptor_t x)
{
  cudnnBackendDescriptor_t line = then (b, CUDNN_POINTWISE_MUL, 0, x, channels (b, SLOPES));
  cudnnBackendDescriptor_t rest = then (b, CUDNN_POINTWISE_MUL, 0, then (b, CUDNN_POINTWISE_RELU_FWD, 0, x, NULL), channels (b, REST));

  then (b, CUDNN_POINTWISE_ADD, 0, line, rest);
}

static void
activation (Builder *b, cudnnBackendDescriptor_t x)
{
  switch (b->k->act) {
    case VFI_LINEAR:
      break;
    case VFI_RELU:
      then (b, CUDNN_POINTWISE_RELU_FWD, 0, x, NULL);
      break;
    case VFI_LEAKY_RELU:
      then (b, CUDNN_POINTWISE_RELU_FWD, b->k->slope, x, NULL);
      break;
    case VFI_SIGMOID:
      then (b, CUDNN_POINTWISE_SIGMOID_FWD, 0, x, NULL);
      break;
    case VFI_TANH:
      then (b, CUDNN_POINTWISE_TANH_FWD, 0, x, NULL);
      break;
    case VFI_ELU:
      then (b, CUDNN_POINTWISE_ELU_FWD, 0, x, NULL);
      break;
    case VFI_PRELU:
      prelu (b, x);
      break;
    case VFI_HARDTANH: /* vfi_cudnn_conv_new has refused it */
      break;
  }
}

/* The whole graph of a convolution; NULL, with *status, if cuDNN refused. */
static cudnnBackendDescriptor_t
build (VfiCudnnConv *conv, cudnnStatus_t *status)
{
  const VfiCudnnConvDesc *k = &conv->desc;
  const int reach = k->dilation * (k->kernel - 1) + 1, more = 2 * k->padding + k->after;
  Builder b = { .w = { conv, CUDNN_STATUS_SUCCESS },
                .k = k,
                .h = (k->h + more - reach) / k->stride + 1,
                .width = (k->w + more - reach) / k->stride + 1,
                .last = k->bias + k->residual + (k->act == VFI_PRELU ? 4 : k->act != VFI_LINEAR) };
  cudnnBackendDescriptor_t x = tensor (&b.w, X, data_type (k->src), 1, k->c, k->h, k->w);
  cudnnBackendDescriptor_t weights = tensor (&b.w, W, data_type (k->src), k->k, k->c, k->kernel, k->kernel), y = value_of (&b), graph;

  b.ops[b.n++] = convolution (&b.w, k, x, weights, y);
  if (k->bias)
    y = then (&b, CUDNN_POINTWISE_ADD, 0, y, channels (&b, BIAS));
  if (k->residual)
    y = then (&b, CUDNN_POINTWISE_ADD, 0, y, tensor (&b.w, RESIDUAL, data_type (k->dst), 1, k->k, b.h, b.width));
  activation (&b, y);

  graph = make (&b.w, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  set (&b.w, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, b.n, b.ops);
  if (conv->cudnn->handle)
    set (&b.w, graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &conv->cudnn->handle);
  finalize (&b.w, graph);
  *status = b.w.status;
  return *status ? NULL : graph;
}

/* ---- the engine --------------------------------------------------------------------------------- */

static gboolean
acceptable (VfiCudnnConv *conv, const VfiCudnnConvDesc *k, cudnnBackendDescriptor_t config, int64_t *number)
{
  const VfiCudnnApi *api = &conv->cudnn->api;
  cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  cudnnBackendDescriptor_t engine = NULL;
  gboolean good = TRUE;
  int64_t n = 0;

  if (api->make (CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine))
    return FALSE;
  good = !api->get (config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &engine) &&
         !api->get (engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, G_N_ELEMENTS (notes), &n, notes);
  for (int i = 0; good && i < n; i++)
    good = notes[i] != CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC && notes[i] != CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION &&
           (k->src == VFI_F16 || (notes[i] != CUDNN_NUMERICAL_NOTE_TENSOR_CORE && notes[i] != CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS));
  if (good)
    api->get (engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &n, number);
  api->unmake (engine);
  return good;
}

/* An execution plan of this configuration, NULL if the engine does not take it after all. */
static cudnnBackendDescriptor_t
plan_of (VfiCudnnConv *conv, cudnnBackendDescriptor_t config, gsize *workspace)
{
  VfiCudnn *cudnn = conv->cudnn;
  cudnnBackendDescriptor_t plan = NULL;
  int64_t bytes = 0, n;

  if (cudnn->api.make (CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan))
    return NULL;
  if (!cudnn->api.set (plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &config) &&
      !(cudnn->handle ? cudnn->api.set (plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &cudnn->handle)
                      : cudnn->api.set (plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &cudnn->device)) &&
      !cudnn->api.finalize (plan) && !cudnn->api.get (plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n, &bytes)) {
    *workspace = bytes;
    return plan;
  }
  cudnn->api.unmake (plan);
  return NULL;
}

/* An engine for a convolution. */
typedef struct
{
  cudnnBackendDescriptor_t plan;
  gsize workspace;
  int64_t number;
  int place; /* in the heuristics' list */
} Engine;

/* The first engines that the heuristics of this mode come to, from a place of their list on; how many: at most `most`. */
static int
find_engines (VfiCudnnConv *conv, const VfiCudnnConvDesc *k, cudnnBackendDescriptor_t graph, cudnnBackendHeurMode_t mode, int from,
              Engine *engines, int most)
{
  Writer w = { conv, CUDNN_STATUS_SUCCESS };
  const VfiCudnnApi *api = &conv->cudnn->api;
  cudnnBackendDescriptor_t heuristics = make (&w, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR), configs[MAX_CONFIGS] = { NULL };
  int64_t n = 0;
  int made = 0, found = 0;

  set_descriptor (&w, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  set (&w, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
  if (!conv->cudnn->handle)
    set_descriptor (&w, heuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, conv->cudnn->device);
  finalize (&w, heuristics);
  while (w.status == CUDNN_STATUS_SUCCESS && made < MAX_CONFIGS)
    if ((w.status = api->make (CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &configs[made])) == CUDNN_STATUS_SUCCESS)
      made++;
  if (w.status == CUDNN_STATUS_SUCCESS)
    w.status = api->get (heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, MAX_CONFIGS, &n, configs);
  for (int i = from; w.status == CUDNN_STATUS_SUCCESS && i < MIN (n, MAX_CONFIGS) && found < most; i++) {
    Engine *e = &engines[found];

    e->place = i;
    if (acceptable (conv, k, configs[i], &e->number) && (e->plan = plan_of (conv, configs[i], &e->workspace)))
      found++;
  }
  for (int i = 0; i < made; i++)
    api->unmake (configs[i]);
  return found;
}

/* The convolution as choices know it. */
static char *
name_of (const VfiCudnnConvDesc *k)
{
  char after[16] = "";

  if (k->after)
    g_snprintf (after, sizeof after, "+%d", k->after);
  return g_strdup_printf ("%dx%d-%d-%d-%dx%d-stride%d-pad%d%s-dilation%d%s%s-act%d-%.9g-%s-%s", k->h, k->w, k->c, k->k, k->kernel,
                          k->kernel, k->stride, k->padding, after, k->dilation, k->bias ? "-bias" : "", k->residual ? "-residual" : "",
                          (int) k->act, (double) k->slope, k->src == VFI_F16 ? "fp16" : "fp32", k->dst == VFI_F16 ? "fp16" : "fp32");
}

static void
use (VfiCudnnConv *conv, const Engine *e)
{
  conv->plan = e->plan;
  conv->workspace = e->workspace;
  conv->engine = e->number;
}

/* The fastest of several engines; -1 where there is no saying. */
static int
fastest (VfiCudnnConv *conv, const VfiCudnnConvDesc *k, const Engine *engines, int n)
{
  double best = -1;
  int which = 0;

  for (int i = 0; i < n; i++) {
    use (conv, &engines[i]);
    const double seconds = conv->cudnn->time (conv->cudnn->time_data, conv, k);

    if (seconds >= 0 && (best < 0 || seconds < best)) {
      best = seconds;
      which = i;
    }
  }
  return best < 0 ? -1 : which;
}

/* Gives the convolution an engine, if the heuristics of this mode have one. */
static void
choose (VfiCudnnConv *conv, const VfiCudnnConvDesc *k, cudnnBackendDescriptor_t graph, cudnnBackendHeurMode_t mode)
{
  VfiCudnn *cudnn = conv->cudnn;
  g_autofree char *name = cudnn->time ? name_of (k) : NULL;
  Engine engines[MAX_TIMED];
  int n, place, number, which = 0;

  if (name && vfi_cuda_choices_find (cudnn->choices, name, &place, &number) && find_engines (conv, k, graph, mode, place, engines, 1)) {
    if (engines[0].place == place && engines[0].number == number) {
      use (conv, &engines[0]);
      return;
    }
    cudnn->api.unmake (engines[0].plan);
  }
  n = find_engines (conv, k, graph, mode, 0, engines, name ? MAX_TIMED : 1);
  if (name && n > 0 && (which = n > 1 ? fastest (conv, k, engines, n) : 0) >= 0)
    vfi_cuda_choices_add (cudnn->choices, name, engines[which].place, (int) engines[which].number);
  which = MAX (which, 0);
  for (int i = 0; i < n; i++)
    if (i == which)
      use (conv, &engines[i]);
    else
      cudnn->api.unmake (engines[i].plan);
}

static gboolean
same (const VfiCudnnConvDesc *a, const VfiCudnnConvDesc *b)
{
  return a->h == b->h && a->w == b->w && a->c == b->c && a->k == b->k && a->kernel == b->kernel && a->stride == b->stride &&
         a->padding == b->padding && a->after == b->after && a->dilation == b->dilation && a->bias == b->bias &&
         a->residual == b->residual && a->act == b->act && a->slope == b->slope && a->src == b->src && a->dst == b->dst;
}

static void
conv_destroy (VfiCudnnConv *conv)
{
  for (int i = 0; i < N_PACKS; i++)
    if (conv->packs[i].descriptor)
      conv->cudnn->api.unmake (conv->packs[i].descriptor);
  if (conv->plan)
    conv->cudnn->api.unmake (conv->plan);
  while (conv->n > 0)
    conv->cudnn->api.unmake (conv->all[--conv->n]);
  g_free (conv);
}

VfiCudnnConv *
vfi_cudnn_conv_new (VfiCudnn *cudnn, const VfiCudnnConvDesc *k, GError **error)
{
  static const cudnnBackendHeurMode_t modes[] = { CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK };
  VfiCudnnConv *conv;
  cudnnStatus_t status;
  cudnnBackendDescriptor_t graph;

  if (k->act == VFI_HARDTANH) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "cuDNN has no activation that clamps on both sides");
    return NULL;
  }
  for (guint i = 0; i < cudnn->convs->len; i++) {
    conv = cudnn->convs->pdata[i];
    if (same (&conv->desc, k)) {
      conv->refs++;
      return conv;
    }
  }
  conv = g_new0 (VfiCudnnConv, 1);
  conv->cudnn = cudnn;
  conv->desc = *k;
  conv->refs = 1;
  graph = build (conv, &status);
  for (guint i = 0; graph && i < G_N_ELEMENTS (modes) && !conv->plan; i++)
    choose (conv, k, graph, modes[i]);
  if (conv->plan) {
    g_ptr_array_add (cudnn->convs, conv);
    return conv;
  }
  set_error (cudnn, status ? status : CUDNN_STATUS_NOT_SUPPORTED, VFI_ERROR_UNSUPPORTED, "no engine for this convolution", error);
  conv_destroy (conv);
  return NULL;
}

void
vfi_cudnn_conv_free (VfiCudnnConv *conv)
{
  if (conv && --conv->refs == 0) {
    g_ptr_array_remove_fast (conv->cudnn->convs, conv);
    conv_destroy (conv);
  }
}

gsize
vfi_cudnn_conv_workspace (const VfiCudnnConv *conv)
{
  return conv->workspace;
}

char *
vfi_cudnn_conv_engine (const VfiCudnnConv *conv)
{
  return g_strdup_printf ("engine %d, workspace of %" G_GSIZE_FORMAT " bytes", (int) conv->engine, conv->workspace);
}

/* ---- running ------------------------------------------------------------------------------------ */

/* The pack with these pointers, made in place of the oldest one if there is none. NULL with *status. */
static cudnnBackendDescriptor_t
pack_of (VfiCudnnConv *conv, const VfiCudnnData *data, cudnnStatus_t *status)
{
  const void *const by_uid[] = { [X] = data->x,           [W] = data->weights, [BIAS] = data->bias, [RESIDUAL] = data->residual,
                                 [SLOPES] = data->slopes, [REST] = data->rest, [Y] = data->y };
  const VfiCudnnApi *api = &conv->cudnn->api;
  const void *pointers[N_TENSORS];
  Pack *pack;

  for (int i = 0; i < N_PACKS; i++)
    if (conv->packs[i].descriptor && !memcmp (&conv->packs[i].data, data, sizeof *data))
      return conv->packs[i].descriptor;

  pack = &conv->packs[conv->next_pack];
  conv->next_pack = (conv->next_pack + 1) % N_PACKS;
  if (pack->descriptor)
    api->unmake (pack->descriptor);
  pack->descriptor = NULL;
  pack->data = *data;
  for (int i = 0; i < conv->n_uids; i++)
    pointers[i] = by_uid[conv->uids[i]];
  if ((*status = api->make (CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack->descriptor)))
    return NULL;
  if ((*status = api->set (pack->descriptor, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, conv->n_uids, conv->uids)) ||
      (*status = api->set (pack->descriptor, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, conv->n_uids, pointers)) ||
      (*status = api->set (pack->descriptor, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &data->workspace)) ||
      (*status = api->finalize (pack->descriptor))) {
    api->unmake (pack->descriptor);
    pack->descriptor = NULL;
  }
  return pack->descriptor;
}

gboolean
vfi_cudnn_conv_run (VfiCudnnConv *conv, const VfiCudnnData *data, GError **error)
{
  cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
  cudnnBackendDescriptor_t pack = pack_of (conv, data, &status);

  if (pack)
    status = conv->cudnn->api.execute (conv->cudnn->handle, conv->plan, pack);
  if (status)
    set_error (conv->cudnn, status, VFI_ERROR_BACKEND, "a convolution does not start", error);
  return !status;
}

/* ---- the library -------------------------------------------------------------------------------- */

static cudnnStatus_t
describe_device (VfiCudnn *cudnn, const char *json)
{
  cudnnStatus_t status = cudnn->api.make (CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &cudnn->device);

  if (!status)
    status = cudnn->api.set (cudnn->device, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, strlen (json), json);
  return status ? status : cudnn->api.finalize (cudnn->device);
}

VfiCudnn *
vfi_cudnn_new (cudaStream_t stream, const char *device_json, GError **error)
{
  VfiCudnn *cudnn = g_new0 (VfiCudnn, 1);
  cudnnStatus_t status;

  if (!vfi_cuda_load_cudnn (&cudnn->api, error)) {
    g_free (cudnn);
    return NULL;
  }
  cudnn->convs = g_ptr_array_new ();
  if (device_json)
    status = describe_device (cudnn, device_json);
  else if (!(status = cudnn->api.create (&cudnn->handle)))
    status = cudnn->api.set_stream (cudnn->handle, stream);
  if (!status)
    return cudnn;
  set_error (cudnn, status, VFI_ERROR_BACKEND, "it does not start", error);
  vfi_cudnn_free (cudnn);
  return NULL;
}

void
vfi_cudnn_set_timer (VfiCudnn *cudnn, double (*time) (gpointer data, VfiCudnnConv *conv, const VfiCudnnConvDesc *desc), gpointer data,
                     VfiCudaChoices *choices)
{
  cudnn->time = time;
  cudnn->time_data = data;
  cudnn->choices = choices;
}

gboolean
vfi_cudnn_set_stream (VfiCudnn *cudnn, cudaStream_t stream)
{
  return cudnn->api.set_stream (cudnn->handle, stream) == CUDNN_STATUS_SUCCESS;
}

void
vfi_cudnn_free (VfiCudnn *cudnn)
{
  if (!cudnn)
    return;
  if (cudnn->device)
    cudnn->api.unmake (cudnn->device);
  if (cudnn->handle)
    cudnn->api.destroy (cudnn->handle);
  g_ptr_array_unref (cudnn->convs);
  g_free (cudnn);
}

char *
vfi_cudnn_version (const VfiCudnn *cudnn)
{
  const int v = (int) cudnn->api.get_version ();

  return g_strdup_printf ("cuDNN %d.%d.%d", v / 10000, v / 100 % 100, v % 100);
}
