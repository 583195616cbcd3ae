/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator conv2d where oneDNN is a lot faster on channels in blocks of 8 than on pixels (vfi_dnnl_likes_blocks: its kernels for AVX2 are, by up
 * to 2.5 times where there are many channels). Rows are brought into that layout a band at a time, convolved, and written back with residual
 * and slopes, all in the cache: so a slice costs no copy of its own, and what is held besides the tensors depends on the width only.
 */
#include "dnnl.h"
#include "isa.h"

#if VFI_LANES == 8

#define BAND_BYTES (1 << 21) /* of both layouts: some bands fit the last cache, and weights, read once for each, cost little */
#define FEW_ROWS 8           /* so that threads find something to share out */

typedef struct
{
  VfiDnnlConv *conv;
  int rows, in_rows, blocks, in_blocks; /* of 8 channels */
  gsize in_bytes, out_bytes;
  float *in, *out, *scratch; /* in the workspace */
  float *slopes;             /* NULL: oneDNN applies the activation */
} State;

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  const VfiConv2dParams *p = node->params;
  const VfiTensor *x = node->src[0], *y = node->dst;

  if (p->after || (p->residual && (!vfi_act_is_slope (p->act) || node->src[1]->dtype != VFI_F32)))
    return FALSE;
  return x->dtype == VFI_F32 && y->dtype == VFI_F32 && p->dilation == 1 && x->c >= 16 && p->kernel * p->kernel * y->c >= 100 &&
         vfi_dnnl_likes_blocks ();
}

static void
release (gpointer state)
{
  State *s = state;

  vfi_dnnl_conv_free (s->conv);
  g_free (s->slopes);
  g_free (s);
}

/* Negative values times these, for every channel of every block. */
static float *
slopes (const VfiConv2dParams *p, int channels, int blocks, const float *each)
{
  float *to = g_new0 (float, blocks * 8);

  for (int c = 0; c < channels; c++)
    to[c] = p->act == VFI_PRELU ? each[c] : p->act == VFI_LEAKY_RELU ? p->slope : p->act == VFI_RELU ? 0 : 1;
  return to;
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiConv2dParams *p = node->params;
  const gboolean ours = p->residual || p->act == VFI_PRELU;
  State *s = g_new0 (State, 1);
  int bands;

  s->in_blocks = (src->c + 7) / 8;
  s->blocks = (dst->c + 7) / 8;
  s->rows = BAND_BYTES / 32 / (s->in_blocks * src->w * p->stride + s->blocks * dst->w);
  s->rows = MIN (MAX (s->rows, FEW_ROWS), dst->h);
  bands = (dst->h + s->rows - 1) / s->rows;
  s->rows = (dst->h + bands - 1) / bands;
  s->in_rows = (s->rows - 1) * p->stride + p->kernel;
  b->klass->begin (b); /* oneDNN decides by the number of threads */
  s->conv = vfi_dnnl_conv_new (
      &(VfiDnnlConvDesc){
          .h = s->in_rows,
          .w = src->w,
          .ic = src->c,
          .oc = dst->c,
          .kernel = p->kernel,
          .stride = p->stride,
          .padding = p->padding,
          .band = TRUE,
          .dilation = 1,
          .src = VFI_F32,
          .dst = VFI_F32,
          .act = ours ? VFI_LINEAR : p->act,
          .slope = p->slope,
          .blocked = TRUE,
      },
      weights[0], p->bias ? weights[1] : NULL, error);
  b->klass->end (b);
  if (ours)
    s->slopes = slopes (p, dst->c, s->blocks, weights[2]);
  s->in_bytes = ((gsize) s->in_blocks * s->in_rows * src->w * 32 + 63) & ~(gsize) 63;
  s->out_bytes = ((gsize) s->blocks * s->rows * dst->w * 32 + 63) & ~(gsize) 63;
  if (s->conv)
    return s;
  release (s);
  return NULL;
}

static gsize
workspace (gpointer state)
{
  State *s = state;
  return s->in_bytes + s->out_bytes + vfi_dnnl_conv_scratch (s->conv);
}

static void
bind (gpointer state, void *place)
{
  State *s = state;

  s->in = place;
  s->out = s->in + s->in_bytes / sizeof (float);
  s->scratch = s->out + s->out_bytes / sizeof (float);
}

/* Row y of x, zeros outside, into row i of the band. */
static void
load_row (const State *s, const VfiView *x, int y, int i)
{
  const gsize plane = (gsize) s->in_rows * x->w * 8;
  float *to = s->in + (gsize) i * x->w * 8;

  for (int g = 0; g < s->in_blocks && (y < 0 || y >= x->h); g++)
    memset (to + g * plane, 0, x->w * 8 * sizeof (float));
  if (y < 0 || y >= x->h)
    return;
  for (int x0 = 0; x0 < x->w; x0 += 8) { /* whole cache lines of either side */
    const float *from = (const float *) x->data + ((gsize) y * x->w + x0) * x->ld;
    const int n = MIN (x->w - x0, 8);

    for (int g = 0; g < s->in_blocks; g++) {
      const int m = MIN (x->c - g * 8, 8);

      for (int k = 0; k < n; k++)
        vec_store (to, VFI_F32, g * plane + (x0 + k) * 8, 8, vec_load (from, VFI_F32, (gsize) k * x->ld + g * 8, m));
    }
  }
}

/* Row i of the band with what belongs after the convolution, as row y of dst. */
static void
store_row (const State *s, const VfiView *residual, const VfiView *dst, int y, int i)
{
  const gsize plane = (gsize) s->rows * dst->w * 8;
  const float *from = s->out + (gsize) i * dst->w * 8;

  for (int x0 = 0; x0 < dst->w; x0 += 8) {
    const gsize first = (gsize) y * dst->w + x0;
    const int n = MIN (dst->w - x0, 8);

    for (int g = 0; g < s->blocks; g++) {
      const int m = MIN (dst->c - g * 8, 8);
      const Vec slope = s->slopes ? *(const Vec *) (s->slopes + g * 8) : vec_set (1);

      for (int k = 0; k < n; k++) {
        Vec v = *(const Vec *) (from + g * plane + (x0 + k) * 8);

        if (residual)
          v += vec_load (residual->data, VFI_F32, (first + k) * residual->ld + g * 8, m);
        if (s->slopes)
          v = (Vec) vec_selecti (v > 0, (VecI) v, (VecI) (v * slope));
        vec_store (dst->data, VFI_F32, (first + k) * dst->ld + g * 8, m, v);
      }
    }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiConv2dParams *p = node->params;
  const State *s = state;

  for (int y0 = 0; y0 < dst->h; y0 += s->rows) {
#pragma omp parallel for schedule(static)
    for (int i = 0; i < s->in_rows; i++)
      load_row (s, src, y0 * p->stride - p->padding + i, i);
    vfi_dnnl_conv_run (s->conv, s->in, NULL, s->out, s->scratch);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < MIN (s->rows, dst->h - y0); i++)
      store_row (s, p->residual ? &src[1] : NULL, dst, y0 + i, i);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_conv2d_bands) = { &vfi_op_conv2d, supports, prepare, run, release, workspace, bind };

#endif
