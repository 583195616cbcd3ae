/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator conv2d by cuDNN, or by conv2d_mma.cu. cuDNN's fast engines want dense tensors with channels in units of 16 bytes. Weights are padded to that when they are
 * loaded; a source of fewer channels (only a network's first one has such, six), or a slice of a wider tensor, is copied on its way.
 */
#include "cuda.h"
#include "cudnn_conv.h"

typedef struct
{
  VfiCuda *cuda;
  VfiCudnnConv *conv; /* NULL: by conv2d_mma.cu, which takes views as they are */
  gboolean fused;     /* bias, residual and activation happen in conv */
  VfiCudaBuffer *weights, *bias;
  VfiCudaBuffer *slopes;      /* of VFI_PRELU, followed by what they lack to 1 */
  gsize rest;                 /* where that begins */
  VfiView src, residual, sum; /* where conv reads and writes if not in the views themselves; 0 channels: in the views */
  void *workspace;
} State;

static void
release (gpointer p)
{
  State *s = p;

  vfi_cudnn_conv_free (s->conv);
  vfi_cuda_buffer_free (s->weights);
  vfi_cuda_buffer_free (s->bias);
  vfi_cuda_buffer_free (s->slopes);
  g_free (s);
}

static int
padded (int channels, VfiDType type)
{
  const int unit = 16 / vfi_dtype_size (type);

  return (channels + unit - 1) / unit * unit;
}

/* (k, c, kernel, kernel) in fp32 to (k, kernel, kernel, c') of the source's type, 0 in channels that the network has not got. */
static VfiCudaBuffer *
load_weights (VfiCuda *cuda, const VfiCudnnConvDesc *d, int c, const float *weights, GError **error)
{
  const int area = d->kernel * d->kernel;
  VfiView to = { .dtype = d->src, .h = d->k, .w = area, .c = d->c, .ld = d->c, .cd = 1 };
  const gsize bytes = (gsize) d->k * area * d->c * vfi_dtype_size (d->src);
  VfiCudaBuffer *buffer;

  to.data = g_malloc0 (bytes);
  for (int o = 0; o < d->k; o++)
    for (int p = 0; p < area; p++)
      for (int i = 0; i < c; i++)
        vfi_view_set (&to, o, p, i, weights[((gsize) o * c + i) * area + p]);
  buffer = vfi_cuda_buffer_new (cuda, to.data, bytes, error);
  g_free (to.data);
  return buffer;
}

static gboolean
load_slopes (State *s, int n, const float *slopes, GError **error)
{
  float *both;

  s->rest = (n * sizeof (float) + 255) & ~(gsize) 255;
  both = g_malloc0 (2 * s->rest);
  for (int i = 0; i < n; i++) {
    both[i] = slopes[i];
    both[s->rest / sizeof (float) + i] = 1 - slopes[i];
  }
  s->slopes = vfi_cuda_buffer_new (s->cuda, both, 2 * s->rest, error);
  g_free (both);
  return s->slopes != NULL;
}

/* A dense tensor as large as v, with c channels. */
static VfiView
dense (const VfiView *v, VfiDType type, int c)
{
  return (VfiView){ .dtype = type, .h = v->h, .w = v->w, .c = c, .ld = c, .cd = 1 };
}

static gsize
round_up (gsize bytes)
{
  return (bytes + 255) & ~(gsize) 255;
}

static gsize
bytes_of (const VfiView *v)
{
  return round_up ((gsize) v->h * v->w * v->c * vfi_dtype_size (v->dtype));
}

/* One engine for everything; where there is none, the convolution alone, in its source's type or in fp32. */
static VfiCudnnConv *
choose (VfiCuda *cuda, VfiCudnnConvDesc *d, gboolean *fused, GError **error)
{
  VfiCudnnConv *conv = vfi_cudnn_conv_new (cuda->cudnn, d, NULL);

  *fused = conv != NULL;
  if (conv)
    return conv;
  d->bias = d->residual = FALSE;
  d->act = VFI_LINEAR;
  d->slope = 0;
  d->dst = VFI_F32;
  if ((conv = vfi_cudnn_conv_new (cuda->cudnn, d, NULL)))
    return conv;
  d->dst = d->src;
  return vfi_cudnn_conv_new (cuda->cudnn, d, error);
}

/* What cuDNN can neither read nor write where it lies. */
static void
copy_views (State *s, const VfiCudnnConvDesc *d, const VfiView *src, const VfiView *dst)
{
  if (src->c != d->c || src->ld != src->c)
    s->src = dense (src, src->dtype, d->c);
  if (d->residual && (src[1].ld != src[1].c || src[1].dtype != d->dst))
    s->residual = dense (&src[1], d->dst, src[1].c);
  if (!s->fused || dst->ld != dst->c)
    s->sum = dense (dst, d->dst, dst->c);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiConv2dParams *p = node->params;
  VfiCudnnConvDesc d = {
    .h = src->h,
    .w = src->w,
    .c = padded (src->c, src->dtype),
    .k = dst->c,
    .kernel = p->kernel,
    .stride = p->stride,
    .padding = p->padding,
    .after = p->after,
    .dilation = p->dilation,
    .bias = p->bias,
    .residual = p->residual,
    .act = p->act,
    .slope = p->act == VFI_LEAKY_RELU ? p->slope : 0,
    .src = src->dtype,
    .dst = dst->dtype,
  };
  VfiCuda *cuda = (VfiCuda *) b;
  State *s = g_new0 (State, 1);
  void *outer;

  s->cuda = cuda;
  vfi_cuda_push (cuda, &outer);
  if (cuda->mma && vfi_cuda_mma_takes (p, src, dst))
    s->weights = vfi_cuda_mma_load (cuda, p, src->c, dst->c, weights[0], error);
  else if ((s->conv = choose (cuda, &d, &s->fused, error)))
    s->weights = load_weights (cuda, &d, src->c, weights[0], error);
  if (!s->weights || (p->bias && !(s->bias = vfi_cuda_buffer_new (cuda, weights[1], dst->c * sizeof (float), error))) ||
      (p->act == VFI_PRELU && !load_slopes (s, dst->c, weights[2], error)))
    goto fail;

  if (s->conv)
    copy_views (s, &d, src, dst);
  vfi_cuda_pop (cuda, outer);
  return s;

fail:
  vfi_cuda_pop (cuda, outer);
  release (s);
  return NULL;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;
  const gsize bytes = s->conv ? vfi_cudnn_conv_workspace (s->conv) : 0;

  /* cuDNN's begins at a multiple of 256 bytes, too */
  return bytes_of (&s->src) + bytes_of (&s->residual) + bytes_of (&s->sum) + (bytes ? bytes + 192 : 0);
}

static void
bind (gpointer state, void *memory)
{
  State *s = state;
  guint8 *p = memory;

  s->src.data = p;
  s->residual.data = p += bytes_of (&s->src);
  s->sum.data = p += bytes_of (&s->residual);
  s->workspace = (void *) round_up ((guintptr) p + bytes_of (&s->sum));
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiConv2dParams *p = node->params;
  const State *s = state;
  VfiCuda *cuda = s->cuda;
  const VfiView *x = s->src.c ? &s->src : src, *y = s->sum.c ? &s->sum : dst;
  const VfiView *residual = !p->residual ? NULL : s->residual.c ? &s->residual : &src[1];
  const float *bias = s->bias ? s->bias->data : NULL, *slopes = s->slopes ? s->slopes->data : NULL;
  VfiCudnnData data = { .x = x->data, .weights = s->weights->data, .y = y->data, .workspace = s->workspace };
  GError *error = NULL;

  if (!s->conv) {
    vfi_cuda_mma (cuda, p, src, residual, s->weights->data, bias, slopes, dst);
    return;
  }
  if (s->src.c)
    vfi_cuda_fit (cuda, src, x);
  if (s->residual.c)
    vfi_cuda_fit (cuda, &src[1], residual);
  if (s->fused) {
    data.bias = bias;
    data.residual = residual ? residual->data : NULL;
    data.slopes = slopes;
    data.rest = slopes ? (const guint8 *) slopes + s->rest : NULL;
  }
  if (!vfi_cudnn_conv_run (s->conv, &data, &error))
    vfi_cuda_fail (cuda, error);
  if (!s->fused)
    vfi_cuda_epilogue (cuda, y, bias, residual, p->act, p->slope, slopes, dst);
  else if (s->sum.c)
    vfi_cuda_fit (cuda, y, dst);
}

const VfiKernel vfi_cuda_conv2d = { &vfi_op_conv2d, vfi_cuda_supports, prepare, run, release, workspace, bind };
