/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator conv2d for AVX2, AVX-512 and NEON, in fp32 inside: pixels x what they see by what they see x channels, straight from where the pixels lie, slices as well; and some rows of
 * a picture as well as all. What a pixel sees of a row lies side by side. Pixels at the border see a copy with zeros around it.
 */
#include <stdlib.h>

#include "isa.h"

#ifdef VFI_FUSED

#include "multiply.h"

#define PIXELS 48 /* that a thread takes through the same weights: both stay in its caches */
#define FEW 512   /* pixels, below which rows are short, and oneDNN's AVX-512 faster in fp32 */
#define MOST 2304 /* numbers that a pixel sees, above which weights do not */
/* Channels, below which what lies side by side is short, and oneDNN faster; but for bf16, of which it is a copy, and where oneDNN has nothing but its slow reference. */
#define LEAST (VFI_LANES == 4 ? 1 : 16)

typedef struct
{
  int kernel, stride, padding, dilation, in, out; /* channels; `out` up to whole blocks */
  gboolean elu;
  int threads;
  float *weights;       /* of a block of results after the other: [kernel][kernel][in][columns] */
  float *bias, *slopes; /* of `out`; a negative result times its slope */
  gsize size;           /* floats of a copy of what PIXELS pixels see */
  float *copies;        /* in the workspace: one for each thread */
} State;

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  const VfiConv2dParams *p = node->params;
  const VfiTensor *x = node->src[0], *y = node->dst;

  if (x->dtype == VFI_F32 && VFI_LANES == 16 && y->h * y->w < FEW)
    return FALSE;
  return multiplies (node) && x->c >= (x->dtype == VFI_BF16 ? 4 : LEAST) && p->kernel * p->kernel * x->c <= MOST && y->c >= LEAST;
}

static void
release (gpointer state)
{
  State *s = state;

  free (s->weights);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiConv2dParams *p = node->params;
  const int squares = p->kernel * p->kernel, seen = squares * src->c, out = whole_columns (dst->c);
  const gsize size = ((gsize) out * (seen + 2) * sizeof (float) + 63) & ~(gsize) 63;
  State *s = g_new0 (State, 1);

  *s = (State){ p->kernel, p->stride, p->padding, p->dilation, src->c, out, p->act == VFI_ELU, b->threads };
  s->size = ((gsize) p->kernel * ((PIXELS - 1) * p->stride + p->dilation * (p->kernel - 1) + 1) * src->c + 15) & ~(gsize) 15;
  if (!(s->weights = aligned_alloc (64, size))) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for the weights of %d to %d channels", src->c, dst->c);
    release (s);
    return NULL;
  }
  memset (s->weights, 0, size);
  s->bias = s->weights + (gsize) out * seen;
  s->slopes = s->bias + out;
  for (int first = 0, columns; first < out; first += columns) {
    columns = block_columns (first, out);
    for (int o = first; o < MIN (first + columns, dst->c); o++)
      for (int c = 0; c < src->c; c++)
        for (int k = 0; k < squares; k++)
          s->weights[(gsize) first * seen + (k * src->c + c) * columns + o - first] = weights[0][((gsize) o * src->c + c) * squares + k];
  }
  set_results (p, weights, dst->c, s->bias, s->slopes);
  return s;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;
  return s->threads * s->size * sizeof (float);
}

static void
bind (gpointer state, void *place)
{
  ((State *) state)->copies = place;
}

/* Where results go, and what belongs to them. */
typedef struct
{
  const VfiView *residual, *dst; /* residual: NULL if there is none */
  gsize at;                      /* the first pixel */
  int n;                         /* of them */
  gboolean elu;
} Result;

/* lanes results from c on of pixel `at`, to which the residual and the activation belong. */
VFI_INLINE void
finish (const Result *r, const VfiDType type, gsize at, int c, Vec v, Vec slope, int lanes)
{
  if (r->residual)
    v += vec_load (r->residual->data, type, at * r->residual->ld + c, lanes);
  vec_store (r->dst->data, type, at * r->dst->ld + c, lanes, activate (v, slope, r->elu));
}

/* Results o to o + vectors VFI_LANES - 1 of all pixels. */
VFI_INLINE void
block (const float *from, gsize step, const Across *across, const float *weights, const float *bias, const float *slopes, const Result *r,
       int o, const VfiDType type, const int vectors)
{
  const int channels = r->dst->c - o, rows = BLOCK_ROWS (vectors, 1);
  Vec first[MOST_VECTORS], slope[MOST_VECTORS];

  for (int j = 0; j < vectors; j++) {
    first[j] = *(const Vec *) (bias + o + j * VFI_LANES);
    slope[j] = *(const Vec *) (slopes + o + j * VFI_LANES);
  }
  for (int p = 0; p < r->n; p += rows) {
    Vec sum[MOST_ROWS][MOST_VECTORS];

    multiply (from + p * step, step, across, weights, first, sum, rows, vectors, 1);
    if (p + rows <= r->n && channels >= vectors * VFI_LANES) {
#pragma GCC unroll 8
      for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++)
          finish (r, type, r->at + p + i, o + j * VFI_LANES, sum[i][j], slope[j], VFI_LANES);
    } else {
      Vec some[MOST_ROWS][MOST_VECTORS]; /* a copy: what is picked by a variable cannot stay in registers */

#pragma GCC unroll 8
      for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++)
          some[i][j] = sum[i][j];
      for (int i = 0; i < MIN (rows, r->n - p); i++)
        for (int j = 0; j * VFI_LANES < MIN (channels, vectors * VFI_LANES); j++)
          finish (r, type, r->at + p + i, o + j * VFI_LANES, some[i][j], slope[j], MIN (channels - j * VFI_LANES, VFI_LANES));
    }
  }
}

/* Pixels from (y, x0) on, h rows that are `apart`, of w, zeros outside of the picture. */
static void
copy (const VfiView *x, int y, int x0, int h, int apart, int w, float *to)
{
  const int left = CLAMP (-x0, 0, w), right = CLAMP (x->w - x0, left, w);
  const gsize c = x->c;

  for (int i = y; i < y + h * apart; i += apart, to += w * c) {
    const gboolean outside = i < 0 || i >= x->h, dense = x->ld == x->c;
    const gsize n = dense ? (right - left) * c : c; /* that lie side by side */

    memset (to, 0, (outside ? w : left) * c * sizeof (float));
    if (outside)
      continue;
    for (int j = left; j < right; j += dense ? right - left : 1) {
      const gsize from = ((gsize) i * x->w + x0 + j) * x->ld;

      if (x->dtype == VFI_F32)
        memcpy (to + j * c, (const float *) x->data + from, n * sizeof (float));
      else
        for (gsize k = 0; k < n; k += VFI_LANES)
          vec_store (to, VFI_F32, j * c + k, MIN (n - k, VFI_LANES), vec_load (x->data, VFI_BF16, from + k, MIN (n - k, VFI_LANES)));
    }
    memset (to + right * c, 0, (w - right) * c * sizeof (float));
  }
}

/* n <= PIXELS pixels from (y, x0) on. */
VFI_INLINE void
some_pixels (const State *s, const VfiView *x, const VfiView *residual, const VfiView *dst, float *room, int y, int x0, int n,
             const VfiDType type)
{
  const int whole = (n + ROWS - 1) / ROWS * ROWS, k = s->kernel, top = y * s->stride - s->padding, left = x0 * s->stride - s->padding;
  const int reach = s->dilation * (k - 1) + 1, w = (whole - 1) * s->stride + reach;
  const float *from = (const float *) x->data + ((gssize) top * x->w + left) * x->ld;
  Across across = { k, k, s->in, (gsize) s->dilation * x->w * x->ld, (gsize) s->dilation * x->ld };
  const Result r = { residual, dst, (gsize) y * dst->w + x0, n, s->elu };
  gsize step = (gsize) s->stride * x->ld;

  if (x->dtype != VFI_F32 || top < 0 || top + reach > x->h || left < 0 || left + w > x->w) {
    copy (x, top, left, k, s->dilation, w, room);
    from = room;
    across.line = (gsize) w * s->in;
    across.run = (gsize) s->dilation * s->in;
    step = (gsize) s->stride * s->in;
  }
  if (across.run == (gsize) s->in) { /* without gaps */
    across.runs = 1;
    across.n = k * s->in;
  }
  for (int o = 0, columns; o < s->out; o += columns) {
    const float *weights = s->weights + (gsize) o * k * k * s->in;

    columns = block_columns (o, s->out);
    if (columns == 2 * VFI_LANES)
      block (from, step, &across, weights, s->bias, s->slopes, &r, o, type, 2);
    else if (columns == 3 * VFI_LANES)
      block (from, step, &across, weights, s->bias, s->slopes, &r, o, type, 3);
#if MOST_VECTORS == 4
    else
      block (from, step, &across, weights, s->bias, s->slopes, &r, o, type, 4);
#endif
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const State s = *(const State *) state; /* copies: for all that the compiler knows, what is written might be the state, and views */
  const gboolean residual = ((const VfiConv2dParams *) node->params)->residual;
  VfiView x = src[0], of = src[residual], y = *dst;
  int first = 0;

  if (s.kernel == 1 && s.stride == 1 && !s.padding) { /* one row of all pixels */
    first = y0 * y.w;
    x.w = y.w = y1 * y.w;
    x.h = 1;
    y0 = 0, y1 = 1;
  }
  for (int i = y0; i < y1; i++)
    for (int at = first, n; at < y.w; at += n) {
      n = MIN (y.w - at, at < s.padding ? ROWS : PIXELS); /* few of those at the border */
      if (y.dtype == VFI_F32)
        some_pixels (&s, &x, residual ? &of : NULL, &y, s.copies + thread * s.size, i, at, n, VFI_F32);
      else
        some_pixels (&s, &x, residual ? &of : NULL, &y, s.copies + thread * s.size, i, at, n, VFI_BF16);
    }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_conv2d_pixels) = { &vfi_op_conv2d, supports, prepare, NULL, release, workspace, bind, rows };

#endif
