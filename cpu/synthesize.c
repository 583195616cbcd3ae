/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * synthesize of core/frame.h, a piece of a row at a time: the state's rows are blended and its five channels separated, brought to
 * the plane's columns, and then VFI_LANES pixels are sampled at once, by gathers of 32 bits that hold two neighbouring samples of
 * one byte or two, or a whole pixel. Planes of one shape share all but the samples.
 */
#include <math.h>

#include "isa.h"

#define PIXELS 256          /* of a piece, at most */
#define CELLS (PIXELS + 64) /* of the state's grid that a piece needs, with room for whole vectors on either side */
#define FIRST 16            /* where the first of them stands in a row */

/* A plane's pixels in memory: what a gather at a pixel and its right neighbour holds. */
typedef struct
{
  int bytes;      /* from pixel to pixel */
  int second;     /* bytes from the pixel to the gather for its neighbour; 0: one gather serves both */
  int a[4], b[4]; /* per component: the bit where its sample begins, in the pixel's and in the neighbour's gather */
  int mask;
  float top; /* 2^depth - 1 */
} Pixel;

/* Planes of one shape. */
typedef struct
{
  Pixel pixel;
  int n, comps, w, h;
  float kx, ky; /* samples of the scaled picture per pixel */
  const guint8 *f0[3], *f1[3];
  guint8 *dst[3];
  int stride0[3], stride1[3], stride[3];
} Planes;

typedef struct
{
  const VfiView *state;
  float t, u, logit;
} Moment;

/* ---- the state, in columns of the plane --------------------------------------------------------- */

/* Lower neighbour of a clamped coordinate and the weight of the upper one: both in 0..n-1. */
static int
tap (float v, int n, int *upper, float *f)
{
  int i;

  v = fminf (fmaxf (v, 0), n - 1);
  i = (int) v;
  *upper = MIN (i + 1, n - 1);
  *f = v - i;
  return i;
}

/* Cells of five channels to five rows, VFI_LANES of them. */
VFI_INLINE void
separate (const float *from, float *const to[5])
{
#ifdef __AVX512F__
  const __m512i five = _mm512_mullo_epi32 ((__m512i) vec_iota (), _mm512_set1_epi32 (5));
  const __m512 v0 = _mm512_loadu_ps (from), v1 = _mm512_loadu_ps (from + 16), v2 = _mm512_loadu_ps (from + 32);
  const __m512 v3 = _mm512_loadu_ps (from + 48), v4 = _mm512_loadu_ps (from + 64);

#pragma GCC unroll 5
  for (int c = 0; c < 5; c++) {
    const __m512i at = _mm512_add_epi32 (five, _mm512_set1_epi32 (c));
    const __mmask16 m2 = _mm512_cmpge_epi32_mask (at, _mm512_set1_epi32 (32)), m4 = _mm512_cmpge_epi32_mask (at, _mm512_set1_epi32 (64));
    __m512 v = _mm512_mask_blend_ps (m2, _mm512_permutex2var_ps (v0, at, v1), _mm512_permutex2var_ps (v2, at, v3));
    _mm512_storeu_ps (to[c], _mm512_mask_permutexvar_ps (v, m4, at, v4));
  }
#else
  for (int c = 0; c < 5; c++)
    for (int i = 0; i < VFI_LANES; i++)
      to[c][i] = from[5 * i + c];
#endif
}

/* Cells first to first + n - 1 of the state at row coordinate y, to cells[c][FIRST + i]; repeated beyond the grid by one. */
static void
load_cells (const VfiView *s, float y, int first, int n, float cells[5][CELLS])
{
  float blended[5 * (CELLS + VFI_LANES)], f;
  int upper, lower = tap (y, s->h, &upper, &f);
  const float *p = (const float *) s->data + ((gsize) lower * s->w + first) * s->ld;
  const float *q = (const float *) s->data + ((gsize) upper * s->w + first) * s->ld;

  if (s->ld == 5) /* as it is for a tensor of its own */
    for (int k = 0; k < 5 * n; k++)
      blended[k] = p[k] + f * (q[k] - p[k]);
  else
    for (int k = 0; k < 5 * n; k++)
      blended[k] = p[k / 5 * s->ld + k % 5] + f * (q[k / 5 * s->ld + k % 5] - p[k / 5 * s->ld + k % 5]);
  for (int x = 5 * n; x < 5 * (n + VFI_LANES); x++)
    blended[x] = 0;
  for (int x = 0; x < n; x += VFI_LANES) {
    float *const to[] = { &cells[0][FIRST + x], &cells[1][FIRST + x], &cells[2][FIRST + x], &cells[3][FIRST + x], &cells[4][FIRST + x] };
    separate (blended + 5 * x, to);
  }
  for (int c = 0; c < 5; c++) {
    cells[c][FIRST - 1] = cells[c][FIRST];
    cells[c][FIRST + n] = cells[c][FIRST + n - 1];
  }
}

/* Twice the columns: pixel 2 i lies at cell i - 1/4, pixel 2 i + 1 at i + 1/4. From cell `cell`, n pixels. */
static void
twice (const float *cell, int n, float *to)
{
  for (int i = 0; 2 * i < n; i += VFI_LANES) {
    const Vec left = *(const Vec *) (cell + i - 1), middle = *(const Vec *) (cell + i), right = *(const Vec *) (cell + i + 1);
    const Vec even = vec_fma (vec_set (.75f), middle - left, left), odd = vec_fma (vec_set (.25f), right - middle, middle);
    const VecI iota = vec_iota (), low = (iota >> 1) + (iota & 1) * VFI_LANES;
    *(Vec *) (to + 2 * i) = __builtin_shuffle (even, odd, low);
    *(Vec *) (to + 2 * i + VFI_LANES) = __builtin_shuffle (even, odd, low + VFI_LANES / 2);
  }
}

/* Any other ratio: pixel x lies at cell ((x + 1/2) k - 1) / 2 of the grid, `first` the one at cell[0], w of them in a row. */
static void
any (const float *cell, int first, int w, int x0, int n, float k, float *to)
{
  for (int x = 0; x < n; x += VFI_LANES) {
    Vec v = ((VEC_TO_FLOAT (vec_iota () + (x0 + x)) + 0.5f) * k - 1) * 0.5f, a, b;
    VecI i;

    v = vec_min (vec_max (v, vec_set (0)), vec_set (w - 1));
    i = VEC_TO_INT (v);
    a = (Vec) vec_gather (cell - first, i, 4);
    b = (Vec) vec_gather (cell - first + 1, i, 4);
    *(Vec *) (to + x) = vec_fma (v - VEC_TO_FLOAT (i), b - a, a);
  }
}

/* The state for pixels x0 to x0 + n - 1 of row y: rows of channels, in `cells` itself where pixels and cells are the same. */
static void
state_row (const VfiView *s, const Planes *p, int y, int x0, int n, float cells[5][CELLS], float pixels[5][PIXELS], const float *rows[5])
{
  const float at = ((y + 0.5f) * p->ky - 1) / 2;
  const int first = CLAMP ((int) floorf (((x0 + 0.5f) * p->kx - 1) / 2) - 1, 0, s->w - 1);
  const int last = CLAMP ((int) floorf (((x0 + n - 0.5f) * p->kx - 1) / 2) + 2, first, s->w - 1);

  load_cells (s, at, first, last - first + 1, cells);
  for (int c = 0; c < 5; c++) {
    if (p->kx == 2) {
      rows[c] = cells[c] + FIRST + x0 - first;
      continue;
    }
    if (p->kx == 1)
      twice (cells[c] + FIRST + x0 / 2 - first, n, pixels[c]);
    else
      any (cells[c] + FIRST, first, s->w, x0, n, p->kx, pixels[c]);
    rows[c] = pixels[c];
  }
}

/* ---- samples ------------------------------------------------------------------------------------ */

/* e^v for |v| <= 87: 2^n times a polynomial in the rest, to about 2e-7. */
VFI_INLINE Vec
vec_exp (Vec v)
{
  const Vec magic = vec_set (12582912); /* 1.5 2^23: rounds to an integer */
  const Vec shifted = vec_fma (v, vec_set (1.44269504f), magic), n = shifted - magic;
  const Vec r = vec_fma (n, vec_set (-1.42860677e-6f), vec_fma (n, vec_set (-0.693145752f), v));
  Vec p = vec_set (1.3888889e-3f);

  p = vec_fma (p, r, vec_set (8.3333333e-3f));
  p = vec_fma (p, r, vec_set (4.1666668e-2f));
  p = vec_fma (p, r, vec_set (1.6666667e-1f));
  p = vec_fma (p, r, vec_set (0.5f));
  p = vec_fma (p, r, vec_set (1));
  p = vec_fma (p, r, vec_set (1));
  return (Vec) ((VecI) p + ((VecI) shifted << 23));
}

VFI_INLINE Vec
sigmoid (Vec v)
{
  v = vec_min (vec_max (v, vec_set (-80)), vec_set (80));
  return 1 / (1 + vec_exp (-v));
}

/* The lower neighbour of a clamped coordinate, at most n - 2, and the weight of the upper one. */
VFI_INLINE VecI
split (Vec v, int n, Vec *f)
{
  VecI i;

  v = vec_min (vec_max (v, vec_set (0)), vec_set (n - 1));
  i = vec_mini (VEC_TO_INT (v), (VecI){ 0 } + (n - 2));
  *f = v - VEC_TO_FLOAT (i);
  return i;
}

VFI_INLINE Vec
sample_at (VecI word, int bit, int mask)
{
  return VEC_TO_FLOAT ((VecI) ((VecU) word >> bit) & mask);
}

/* Gathers at a row: of the pixels at `at` and of their right neighbours. `limit` is the last byte offset at which 32 bits can be read. */
VFI_INLINE void
gather_row (const guint8 *row, VecI at, int limit, const int bytes, const int second, VecI word[2])
{
  if (bytes == 1) {
    /* Near the end of the plane, further left, and shifted. */
    const VecI from = vec_mini (at, (VecI){ 0 } + limit);
    word[0] = word[1] = (VecI) ((VecU) vec_gather (row, from, 1) >> (VecU) ((at - from) << 3));
  } else {
    word[0] = vec_gather (row, at, 1);
    word[1] = second ? vec_gather (row + second, at, 1) : word[0];
  }
}

/* Where a frame is sampled, and how. */
typedef struct
{
  VecI iy, ix;
  Vec fy, fx;
} Taps;

VFI_INLINE void
sample (const Pixel *p, const guint8 *data, int stride, int h, int w, const Taps *t, const int comps, const int bytes, const int second,
        Vec to[4])
{
  const VecI at = t->iy * stride + t->ix * bytes;
  const int limit = (h - 1) * stride + w * bytes - 4;
  VecI top[2], bottom[2];

  gather_row (data, at, limit, bytes, second, top);
  gather_row (data, at + stride, limit, bytes, second, bottom);
  for (int c = 0; c < comps; c++) {
    const Vec a = sample_at (top[0], p->a[c], p->mask), b = sample_at (top[1], p->b[c], p->mask);
    const Vec d = sample_at (bottom[0], p->a[c], p->mask), e = sample_at (bottom[1], p->b[c], p->mask);
    const Vec upper = vec_fma (t->fx, b - a, a), lower = vec_fma (t->fx, e - d, d);
    to[c] = vec_fma (t->fy, lower - upper, upper);
  }
}

/* The low `bytes` bytes of the first n lanes. */
VFI_INLINE void
store_pixels (guint8 *to, VecI words, int n, const int bytes)
{
  typedef guint8 VecB __attribute__ ((vector_size (VFI_LANES), aligned (1), may_alias));

  if (n == VFI_LANES && bytes == 1)
    *(VecB *) to = __builtin_convertvector((VecU) words, VecB);
  else if (n == VFI_LANES && bytes == 2)
    *(VecH *) to = __builtin_convertvector((VecU) words, VecH);
  else if (n == VFI_LANES && bytes == 4)
    memcpy (to, &words, sizeof words);
  else
    for (int i = 0; i < n; i++) {
      const guint32 word = words[i];
      memcpy (to + i * bytes, &word, bytes);
    }
}

/* Pixels x0 to x0 + n - 1 of row y; the state's channels begin at x0. */
VFI_INLINE void
pixels (const Planes *p, const Moment *m, int y, int x0, int n, const float *const rows[5], const int comps, const int bytes,
        const int second)
{
  const float a0x = -m->t * 2 / p->kx, a0y = -m->t * 2 / p->ky, a1x = m->u * 2 / p->kx, a1y = m->u * 2 / p->ky;

  for (int x = 0; x < n; x += VFI_LANES) {
    const Vec at = VEC_TO_FLOAT (vec_iota () + (x0 + x));
    const Vec w = sigmoid (*(const Vec *) (rows[4] + x) + m->logit);
    Taps t0, t1;

    t0.ix = split (at + a0x * *(const Vec *) (rows[0] + x), p->w, &t0.fx);
    t0.iy = split ((float) y + a0y * *(const Vec *) (rows[1] + x), p->h, &t0.fy);
    t1.ix = split (at + a1x * *(const Vec *) (rows[2] + x), p->w, &t1.fx);
    t1.iy = split ((float) y + a1y * *(const Vec *) (rows[3] + x), p->h, &t1.fy);
    for (int i = 0; i < p->n; i++) {
      Vec s0[4], s1[4];
      VecI words = { 0 };

      sample (&p->pixel, p->f0[i], p->stride0[i], p->h, p->w, &t0, comps, bytes, second, s0);
      sample (&p->pixel, p->f1[i], p->stride1[i], p->h, p->w, &t1, comps, bytes, second, s1);
      for (int c = 0; c < comps; c++) {
        const Vec v = vec_min (vec_max (vec_fma (w, s0[c] - s1[c], s1[c]), vec_set (0)), vec_set (p->pixel.top));
        words |= VEC_TO_INT (v + 0.5f) << p->pixel.a[c];
      }
      store_pixels (p->dst[i] + (gsize) y * p->stride[i] + (gsize) (x0 + x) * bytes, words, MIN (n - x, VFI_LANES), bytes);
    }
  }
}

static void
row (const Planes *p, const Moment *m, int y)
{
  for (int x0 = 0; x0 < p->w; x0 += PIXELS) {
    float cells[5][CELLS], columns[5][PIXELS];
    const float *rows[5];
    const int n = MIN (PIXELS, p->w - x0);

    state_row (m->state, p, y, x0, n, cells, columns, rows);
    switch (p->comps * 100 + p->pixel.bytes * 10 + p->pixel.second) {
      case 110:
        pixels (p, m, y, x0, n, rows, 1, 1, 0);
        break;
      case 120:
        pixels (p, m, y, x0, n, rows, 1, 2, 0);
        break;
      case 220:
        pixels (p, m, y, x0, n, rows, 2, 2, 0);
        break;
      case 244:
        pixels (p, m, y, x0, n, rows, 2, 4, 4);
        break;
      case 332:
        pixels (p, m, y, x0, n, rows, 3, 3, 2);
        break;
      case 444:
        pixels (p, m, y, x0, n, rows, 4, 4, 4);
    }
  }
}

/* ---- planes ------------------------------------------------------------------------------------- */

static Pixel
pixel_of (const VfiPlaneLayout *l)
{
  Pixel p = { .bytes = l->comps * l->bytes, .mask = (1 << l->depth) - 1, .top = (1 << l->depth) - 1 };

  /* Two pixels fit into 32 bits, or one does; three bytes are read so that nothing beyond the neighbour is touched. */
  p.second = p.bytes <= 2 ? 0 : p.bytes == 3 ? 2 : 4;
  for (int c = 0; c < l->comps; c++) {
    p.a[c] = 8 * c * l->bytes + l->shift;
    p.b[c] = p.a[c] + (p.bytes <= 2 ? 8 * p.bytes : p.bytes == 3 ? 8 : 0);
  }
  return p;
}

void
VFI_ISA_NAME (vfi_cpu_synthesize) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale,
                                   double t, const VfiView *state, const VfiFrame *dst)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const float sx = (float) vfi_scaled_size (info->width, flow_scale) / info->width;
  const float sy = (float) vfi_scaled_size (info->height, flow_scale) / info->height;
  const Moment m = { state, (float) t, (float) (1 - t), (float) log ((1 - t) / t) };
  Planes all[4];
  int n = 0;

  for (int i = 0; i < f->n_planes; i++) {
    const VfiPlaneLayout *l = &f->plane[i];
    Planes *p;

    if (i == 0 || memcmp (l, &f->plane[i - 1], sizeof *l)) {
      p = &all[n++];
      *p = (Planes){ .pixel = pixel_of (l), .comps = l->comps, .kx = sx * (1 << l->sub_x), .ky = sy * (1 << l->sub_y) };
      vfi_frame_info_plane_size (info, i, &p->w, &p->h);
    }
    p = &all[n - 1];
    p->f0[p->n] = f0->data[i];
    p->f1[p->n] = f1->data[i];
    p->dst[p->n] = dst->data[i];
    p->stride0[p->n] = f0->stride[i];
    p->stride1[p->n] = f1->stride[i];
    p->stride[p->n++] = dst->stride[i];
    /* Gathers have 32-bit offsets. */
    if ((gint64) MAX (f0->stride[i], f1->stride[i]) * p->h > G_MAXINT) {
      vfi_frame_synthesize (info, f0, f1, flow_scale, t, state, dst);
      return;
    }
  }
#pragma omp parallel num_threads(b->threads)
  for (const Planes *p = all; p < all + n; p++) {
#pragma omp for schedule(dynamic, 8) nowait
    for (int y = 0; y < p->h; y++)
      row (p, &m, y);
  }
}
