/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator conv2d by oneDNN. Its fast implementations want dense tensors: a slice is copied to or from a dense one in the workspace. What oneDNN has no fast way to do,
 * or no right one, follows the convolution here.
 */
#include "cpu.h"
#include "dnnl.h"

typedef struct
{
  VfiDnnlConv *conv;
  gsize bytes[3];           /* for src, residual and dst: 0 where the view itself is dense */
  void *dense[3], *scratch; /* in the workspace */
  float *slopes;            /* VFI_PRELU */
  gboolean ours;            /* residual and activation follow */
} State;

/* Elsewhere than on x86 oneDNN 2.6.3 adds the wrong pixels' residual where channels lie side by side. */
#ifdef __x86_64__
#define ADDS_RIGHT TRUE
#else
#define ADDS_RIGHT FALSE
#endif

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  const VfiConv2dParams *p = node->params;
  VfiDType src = node->src[0]->dtype, dst = node->dst->dtype;

  return b->klass->supports_precision (b, src) && (dst == src || (src == VFI_BF16 && dst == VFI_F32)) &&
         (!p->residual || node->src[1]->dtype == dst);
}

static void
release (gpointer state)
{
  State *s = state;

  vfi_dnnl_conv_free (s->conv);
  g_free (s->slopes);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiConv2dParams *p = node->params;
  const VfiView *views[] = { &src[0], p->residual ? &src[1] : NULL, dst };
  const gboolean ours = p->act == VFI_PRELU || (p->residual && !ADDS_RIGHT);
  const VfiDnnlConvDesc desc = {
    .h = src->h,
    .w = src->w,
    .ic = src->c,
    .oc = dst->c,
    .kernel = p->kernel,
    .stride = p->stride,
    .padding = p->padding,
    .after = p->after,
    .dilation = p->dilation,
    .src = src->dtype,
    .dst = dst->dtype,
    .residual = p->residual && ADDS_RIGHT,
    .act = ours ? VFI_LINEAR : p->act,
    .slope = p->slope,
  };
  State *s = g_new0 (State, 1);

  b->klass->begin (b); /* oneDNN decides by the number of threads */
  s->conv = vfi_dnnl_conv_new (&desc, weights[0], p->bias ? weights[1] : NULL, error);
  b->klass->end (b);
  for (int i = 0; i < 3; i++)
    if (views[i] && views[i]->ld != views[i]->c)
      s->bytes[i] = ((gsize) views[i]->h * views[i]->w * views[i]->c * vfi_dtype_size (views[i]->dtype) + 63) & ~(gsize) 63;
  if (p->act == VFI_PRELU)
    s->slopes = g_memdup2 (weights[2], dst->c * sizeof (float));
  s->ours = ours;
  if (s->conv)
    return s;
  release (s);
  return NULL;
}

static gsize
workspace (gpointer state)
{
  State *s = state;
  return s->bytes[0] + s->bytes[1] + s->bytes[2] + vfi_dnnl_conv_scratch (s->conv);
}

static void
bind (gpointer state, void *place)
{
  State *s = state;
  guint8 *at = place;

  for (int i = 0; i < 3; i++) {
    s->dense[i] = s->bytes[i] ? at : NULL;
    at += s->bytes[i];
  }
  s->scratch = at;
}

/* Between a slice and a dense buffer of the same shape. */
static void
copy (const VfiView *slice, guint8 *dense, gboolean to_dense)
{
  const gsize size = vfi_dtype_size (slice->dtype), line = slice->c * size, step = slice->ld * size;

#pragma omp parallel for schedule(static)
  for (int y = 0; y < slice->h; y++)
    for (int x = 0; x < slice->w; x++) {
      gsize i = (gsize) y * slice->w + x;
      guint8 *in_slice = (guint8 *) slice->data + i * step, *in_dense = dense + i * line;

      memcpy (to_dense ? in_dense : in_slice, to_dense ? in_slice : in_dense, line);
    }
}

/* A residual, if oneDNN has not added it, and a slope for each channel below 0 or another activation: in place, on dense pixels. */
static void
finish (const VfiConv2dParams *p, const State *s, const VfiView *dst, const void *residual, void *data)
{
  const gsize line = (gsize) dst->w * dst->c;

#pragma omp parallel for schedule(static)
  for (int y = 0; y < dst->h; y++)
    for (gsize i = y * line; i < (y + 1) * line; i += dst->c)
      if (dst->dtype == VFI_F32) {
        float *to = (float *) data + i;

        for (int c = 0; residual && c < dst->c; c++)
          to[c] += ((const float *) residual)[i + c];
        for (int c = 0; s->slopes && c < dst->c; c++)
          to[c] = MAX (to[c], 0) + s->slopes[c] * MIN (to[c], 0);
        for (int c = 0; !s->slopes && c < dst->c; c++)
          to[c] = vfi_act_apply (p->act, p->slope, to[c]);
      } else { /* bf16, on x86: slopes it is */
        guint16 *to = (guint16 *) data + i;

        for (int c = 0; c < dst->c; c++)
          if (to[c] & 0x8000)
            to[c] = vfi_f32_to_bf16 (s->slopes[c] * vfi_bf16_to_f32 (to[c]));
      }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiConv2dParams *p = node->params;
  State *s = state;

  void *data = s->dense[2] ? s->dense[2] : dst->data;
  const void *residual;

  for (int i = 0; i <= p->residual; i++)
    if (s->dense[i])
      copy (&src[i], s->dense[i], TRUE);
  residual = !p->residual ? NULL : s->dense[1] ? s->dense[1] : src[1].data;
  vfi_dnnl_conv_run (s->conv, s->dense[0] ? s->dense[0] : src->data, residual, data, s->scratch);
  if (s->ours)
    finish (p, s, dst, ADDS_RIGHT ? NULL : residual, data);
  if (s->dense[2])
    copy (dst, s->dense[2], FALSE);
}

const VfiKernel vfi_cpu_conv2d = { &vfi_op_conv2d, supports, prepare, run, release, workspace, bind };
