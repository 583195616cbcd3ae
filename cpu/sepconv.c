/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator sepconv, BAND rows at a time: features are enlarged, oneDNN makes kernels of them, and the picture's rows around the band, as planes
 * with their border repeated, are filtered for VFI_LANES pixels at once. So what is held depends on the width only.
 */
#include <stdlib.h>

#include "corners.h"
#include "dnnl.h"
#include "isa.h"

#define BAND 16

typedef struct
{
  VfiDnnlConv *conv[2];
  int w, channels, pitch; /* floats of a row of a plane */
  void *features;         /* BAND + 2 rows */
  float *kernels[2];      /* BAND + 2 rows of w pixels of `taps` numbers */
  float *planes;          /* `channels` of BAND + taps - 1 rows */
} State;

static void
release (gpointer state)
{
  State *s = state;

  for (int i = 0; i < 2; i++) {
    vfi_dnnl_conv_free (s->conv[i]);
    free (s->kernels[i]);
  }
  free (s->features);
  free (s->planes);
  g_free (s);
}

static void *
buffer (gsize bytes)
{
  return aligned_alloc (64, (bytes + 127) & ~(gsize) 63);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const int taps = ((const VfiSepconvParams *) node->params)->taps, most = MAX (src[1].c, src[2].c);
  State *s = g_new0 (State, 1);
  gsize size;

  *s = (State){ .w = dst->w, .channels = src->c, .pitch = dst->w + taps + 2 * VFI_LANES };
  b->klass->begin (b);
  for (int i = 0; i < 2; i++) {
    const VfiDnnlConvDesc desc = {
      .h = BAND + 2,
      .w = dst->w,
      .ic = src[1 + i].c,
      .oc = taps,
      .kernel = 3,
      .stride = 1,
      .padding = 1,
      .dilation = 1,
      .src = src[1].dtype,
      .dst = VFI_F32,
    };

    s->conv[i] = i && !s->conv[0] ? NULL : vfi_dnnl_conv_new (&desc, weights[2 * i], weights[2 * i + 1], error);
    s->kernels[i] = buffer (size = (gsize) (BAND + 2) * dst->w * taps * sizeof (float));
  }
  b->klass->end (b);
  s->features = buffer ((gsize) (BAND + 2) * dst->w * most * vfi_dtype_size (src[1].dtype));
  s->planes = buffer ((gsize) s->channels * (BAND + taps - 1) * s->pitch * sizeof (float));
  if (s->conv[1] && s->kernels[0] && s->kernels[1] && s->features && s->planes)
    return s;
  if (s->conv[1])
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for kernels of %" G_GSIZE_FORMAT " bytes", 2 * size);
  release (s);
  return NULL;
}

/* Rows y0 - 1 to y0 + BAND of the features; outside of the picture there are zeros. */
static void
load_features (const State *s, const VfiView *x, gboolean corners, int y0, int h)
{
  const gsize size = vfi_dtype_size (x->dtype), line = (gsize) s->w * x->c * size;

#pragma omp parallel for schedule(static)
  for (int i = 0; i < BAND + 2; i++) {
    const int y = y0 - 1 + i;
    guint8 *to = (guint8 *) s->features + i * line;

    if (y < 0 || y >= h)
      memset (to, 0, line);
    else if (!corners)
      for (int k = 0; k < s->w; k++)
        memcpy (to + k * x->c * size, (const guint8 *) x->data + ((gsize) y * x->w + k) * x->ld * size, x->c * size);
    else if (x->dtype == VFI_F32)
      corners_row (x, y, to, x->c, VFI_F32);
    else
      corners_row (x, y, to, x->c, VFI_BF16);
  }
}

/* Rows y0 - taps / 2 and on, all clamped into the picture. */
static void
load_planes (const State *s, const VfiView *x, int taps, int y0)
{
  const int rows = BAND + taps - 1;

#pragma omp parallel for schedule(static)
  for (int i = 0; i < rows; i++) {
    const float *from = (const float *) x->data + (gsize) CLAMP (y0 - taps / 2 + i, 0, x->h - 1) * x->w * x->ld;

    for (int c = 0; c < x->c; c++) {
      float *to = s->planes + ((gsize) c * rows + i) * s->pitch;

      for (int k = 0; k < s->pitch; k++)
        to[k] = from[(gsize) CLAMP (k - taps / 2, 0, x->w - 1) * x->ld + c];
    }
  }
}

/* The numbers of n pixels from k on, number i of all of them side by side. */
VFI_INLINE void
transpose_kernels (const float *k, int taps, int n, Vec *to)
{
  for (int i = 0; i < taps; i += VFI_LANES) {
    VecI m[VFI_LANES];

    for (int j = 0; j < VFI_LANES; j++)
      m[j] = j < n ? (VecI) vec_load (k + (gsize) j * taps, VFI_F32, i, MIN (taps - i, VFI_LANES)) : (VecI){ 0 };
    vec_transpose (m);
    for (int j = 0; j < VFI_LANES; j++)
      to[i + j] = (Vec) m[j];
  }
}

/* Row y, which is row i of the band. */
VFI_INLINE void
filter_row (const State *s, const VfiSepconvParams *p, const VfiView *dst, int y, int i, const int channels)
{
  const int taps = p->taps, rows = BAND + taps - 1;
  Vec v[VFI_SEPCONV_MAX + VFI_LANES], h[VFI_SEPCONV_MAX + VFI_LANES];

  for (int x = 0; x < s->w; x += VFI_LANES) {
    const int n = MIN (s->w - x, VFI_LANES);
    const gsize at = ((gsize) (i + 1) * s->w + x) * taps;
    Vec sum[4] = { { 0 } };

    transpose_kernels (s->kernels[0] + at, taps, n, v);
    transpose_kernels (s->kernels[1] + at, taps, n, h);
    for (int k = 0; k < taps; k++) {
      const float *line = s->planes + (gsize) (i + k) * s->pitch + x;
      Vec row[4] = { { 0 } };

      for (int j = 0; j < taps; j++)
        for (int c = 0; c < channels; c++)
          row[c] = vec_fma (h[j], *(const Vec *) (line + (gsize) c * rows * s->pitch + j), row[c]);
      for (int c = 0; c < channels; c++)
        sum[c] = vec_fma (v[k], row[c], sum[c]);
    }
    if (p->sum) {
      Vec sum_v = { 0 }, sum_h = { 0 };

      for (int k = 0; k < taps; k++) {
        sum_v += v[k];
        sum_h += h[k];
      }
      sum[channels] = sum_v * sum_h;
    }
    for (int c = 0; c < dst->c; c++)
      vec_store_pixels (dst, y, x, c, n, sum[c]);
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiSepconvParams *p = node->params;
  State *s = state;

  for (int y0 = 0; y0 < dst->h; y0 += BAND) {
    for (int i = 0; i < 2; i++) {
      load_features (s, &src[1 + i], p->corners, y0, dst->h);
      vfi_dnnl_conv_run (s->conv[i], s->features, NULL, s->kernels[i]);
    }
    load_planes (s, &src[0], p->taps, y0);
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < MIN (BAND, dst->h - y0); i++)
      filter_row (s, p, dst, y0 + i, i, 3);
  }
}

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  return node->src[0]->c == 3 && node->src[1]->dtype == node->src[2]->dtype && b->klass->supports_precision (b, node->src[1]->dtype);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_sepconv) = { &vfi_op_sepconv, supports, prepare, run, release };
