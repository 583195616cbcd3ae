/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator sepconv, BAND rows at a time: features are enlarged, oneDNN makes kernels of them, and the picture's rows around the band, as planes
 * with their border repeated, are filtered for VFI_LANES pixels at once. So what is held depends on the width only.
 */
#include "corners.h"
#include "dnnl.h"
#include "isa.h"

#define BAND 16

typedef struct
{
  VfiDnnlConv *conv[2];
  int w, channels, pitch; /* floats of a row of a plane */
  gboolean blocked;       /* features and kernels are in blocks of 8: see dnnl.h */
  gsize bytes[4];
  /* In the workspace. */
  void *features;    /* BAND + 2 rows */
  float *kernels[2]; /* BAND rows of w pixels of `taps` numbers */
  float *planes;     /* `channels` of BAND + taps - 1 rows */
  void *scratch;
} State;

static void
release (gpointer state)
{
  State *s = state;

  for (int i = 0; i < 2; i++)
    vfi_dnnl_conv_free (s->conv[i]);
  g_free (s);
}

static int
in_blocks (const State *s, int channels)
{
  return s->blocked ? (channels + 7) & ~7 : channels;
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const int taps = ((const VfiSepconvParams *) node->params)->taps, most = MAX (src[1].c, src[2].c);
  State *s = g_new0 (State, 1);

  *s = (State){ .w = dst->w, .channels = src->c, .pitch = dst->w + taps + 2 * VFI_LANES };
  s->blocked = VFI_LANES == 8 && src[1].dtype == VFI_F32 && most >= 16 && vfi_dnnl_likes_blocks ();
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
      .band = TRUE,
      .dilation = 1,
      .src = src[1].dtype,
      .dst = VFI_F32,
      .blocked = s->blocked,
    };

    s->conv[i] = i && !s->conv[0] ? NULL : vfi_dnnl_conv_new (&desc, weights[2 * i], weights[2 * i + 1], error);
  }
  b->klass->end (b);
  if (!s->conv[1]) {
    release (s);
    return NULL;
  }
  s->bytes[0] = (gsize) (BAND + 2) * dst->w * in_blocks (s, most) * vfi_dtype_size (src[1].dtype);
  s->bytes[1] = (gsize) BAND * dst->w * in_blocks (s, taps) * sizeof (float);
  s->bytes[2] = (gsize) s->channels * (BAND + taps - 1) * s->pitch * sizeof (float);
  for (int i = 0; i < 3; i++)
    s->bytes[i] = (s->bytes[i] + 127) & ~(gsize) 63; /* vectors are read beyond the last pixel */
  s->bytes[3] = MAX (vfi_dnnl_conv_scratch (s->conv[0]), vfi_dnnl_conv_scratch (s->conv[1]));
  return s;
}

static gsize
workspace (gpointer state)
{
  State *s = state;
  return s->bytes[0] + 2 * s->bytes[1] + s->bytes[2] + s->bytes[3];
}

static void
bind (gpointer state, void *place)
{
  State *s = state;
  guint8 *at = place;

  s->features = at;
  s->kernels[0] = (float *) (at += s->bytes[0]);
  s->kernels[1] = (float *) (at += s->bytes[1]);
  s->planes = (float *) (at += s->bytes[1]);
  s->scratch = at + s->bytes[2];
}

/* Rows y0 - 1 to y0 + BAND of the features; outside of the picture there are zeros. */
static void
load_features (const State *s, const VfiView *x, gboolean corners, int y0, int h)
{
  const gsize size = vfi_dtype_size (x->dtype), step = s->blocked ? 8 : x->c, line = s->w * step * size;
  const gsize group = s->blocked ? (BAND + 2) * s->w * 8 : VFI_LANES;

#pragma omp parallel for schedule(static)
  for (int i = 0; i < BAND + 2; i++) {
    const int y = y0 - 1 + i;
    guint8 *to = (guint8 *) s->features + i * line;
    const guint8 *from = (const guint8 *) x->data + (gsize) y * x->w * x->ld * size;

    if (y < 0 || y >= h)
      for (int c = 0; c < x->c; c += step)
        memset (to + (gsize) c / 8 * group * size, 0, line);
    else if (corners && x->dtype == VFI_F32)
      corners_row (x, y, to, step, group, VFI_F32);
    else if (corners)
      corners_row (x, y, to, step, group, VFI_BF16);
    else if (!s->blocked)
      for (int k = 0; k < s->w; k++)
        memcpy (to + k * step * size, from + (gsize) k * x->ld * size, x->c * size);
    else
      for (int k = 0; k < s->w; k++)
        for (int c = 0; c < x->c; c += 8)
          vec_store (to, VFI_F32, k * 8 + c / 8 * group, VFI_LANES,
                     vec_load (from, VFI_F32, (gsize) k * x->ld + c, MIN (x->c - c, VFI_LANES)));
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

/* The numbers of n pixels, of which the first's are at k, number i of all of them side by side. */
VFI_INLINE void
transpose_kernels (const float *k, gsize step, gsize group, int taps, int n, Vec *to)
{
  for (int i = 0; i < taps; i += VFI_LANES, k += group) {
    VecI m[VFI_LANES];

    for (int j = 0; j < VFI_LANES; j++)
      m[j] = j < n ? (VecI) vec_load (k, VFI_F32, j * step, MIN (taps - i, VFI_LANES)) : (VecI){ 0 };
    vec_transpose (m);
    for (int j = 0; j < VFI_LANES; j++)
      to[i + j] = (Vec) m[j];
  }
}

/* Adds n rows of the picture, from `line` on in each plane, under the kernels to the sums. n sums at once keep the machine's multipliers busy. */
VFI_INLINE void
filter_rows (const float *line, gsize pitch, gsize plane, const Vec *v, const Vec *h, int taps, Vec sum[3], const int n)
{
  Vec row[4][3] = { { { 0 } } };

  for (int j = 0; j < taps; j++) {
    const Vec hj = h[j];
#pragma GCC unroll 4
    for (int k = 0; k < n; k++)
#pragma GCC unroll 3
      for (int c = 0; c < 3; c++)
        row[k][c] = vec_fma (hj, *(const Vec *) (line + c * plane + k * pitch + j), row[k][c]);
  }
#pragma GCC unroll 4
  for (int k = 0; k < n; k++)
    for (int c = 0; c < 3; c++)
      sum[c] = vec_fma (v[k], row[k][c], sum[c]);
}

/* Row y, which is row i of the band. */
static void
filter_row (const State *s, const VfiSepconvParams *p, const VfiView *dst, int y, int i)
{
  const int taps = p->taps;
  const gsize plane = (gsize) (BAND + taps - 1) * s->pitch, step = s->blocked ? 8 : taps;
  const gsize group = s->blocked ? BAND * s->w * 8 : VFI_LANES;
  Vec v[VFI_SEPCONV_MAX + VFI_LANES], h[VFI_SEPCONV_MAX + VFI_LANES];

  for (int x = 0; x < s->w; x += VFI_LANES) {
    const int n = MIN (s->w - x, VFI_LANES);
    const gsize at = ((gsize) i * s->w + x) * step;
    const float *line = s->planes + (gsize) i * s->pitch + x;
    Vec sum[4] = { { 0 } };
    int k = 0;

    transpose_kernels (s->kernels[0] + at, step, group, taps, n, v);
    transpose_kernels (s->kernels[1] + at, step, group, taps, n, h);
    for (; k + 4 <= taps; k += 4)
      filter_rows (line + k * s->pitch, s->pitch, plane, v + k, h, taps, sum, 4);
    for (; k < taps; k++)
      filter_rows (line + k * s->pitch, s->pitch, plane, v + k, h, taps, sum, 1);
    if (p->sum) {
      Vec sum_v = { 0 }, sum_h = { 0 };

      for (k = 0; k < taps; k++) {
        sum_v += v[k];
        sum_h += h[k];
      }
      sum[3] = sum_v * sum_h;
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
      vfi_dnnl_conv_run (s->conv[i], s->features, NULL, s->kernels[i], s->scratch);
    }
    load_planes (s, &src[0], p->taps, y0);
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < MIN (BAND, dst->h - y0); i++)
      filter_row (s, p, dst, y0 + i, i);
  }
}

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  return node->src[0]->c == 3 && node->src[1]->dtype == node->src[2]->dtype && b->klass->supports_precision (b, node->src[1]->dtype);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_sepconv) = { &vfi_op_sepconv, supports, prepare, run, release, workspace, bind };
