/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * synthesize of core/frame.h, a piece of a row at a time: the state's rows are blended and its five channels separated, brought to
 * the plane's columns, and then VFI_LANES pixels are sampled at once, 32 bits for each: two neighbouring samples of one byte or two, or
 * a whole pixel. Planes of one shape share all but the samples.
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

/* VFI_LANES cells of five channels, blended from two rows, to five rows. */
VFI_INLINE void
separate (const float *p, const float *q, float f, float *const to[5])
{
#ifdef __AVX512F__
  const __m512i five = _mm512_mullo_epi32 ((__m512i) vec_iota (), _mm512_set1_epi32 (5));
  __m512 v[5];

#pragma GCC unroll 5
  for (int i = 0; i < 5; i++) {
    const Vec a = *(const Vec *) (p + 16 * i);
    v[i] = (__m512) vec_fma (vec_set (f), *(const Vec *) (q + 16 * i) - a, a);
  }
#pragma GCC unroll 5
  for (int c = 0; c < 5; c++) {
    const __m512i at = _mm512_add_epi32 (five, _mm512_set1_epi32 (c));
    const __mmask16 m2 = _mm512_cmpge_epi32_mask (at, _mm512_set1_epi32 (32)), m4 = _mm512_cmpge_epi32_mask (at, _mm512_set1_epi32 (64));
    const __m512 low = _mm512_permutex2var_ps (v[0], at, v[1]), high = _mm512_permutex2var_ps (v[2], at, v[3]);
    _mm512_storeu_ps (to[c], _mm512_mask_permutexvar_ps (_mm512_mask_blend_ps (m2, low, high), m4, at, v[4]));
  }
#else
  for (int i = 0; i < VFI_LANES; i++)
    for (int c = 0; c < 5; c++)
      to[c][i] = p[5 * i + c] + f * (q[5 * i + c] - p[5 * i + c]);
#endif
}

/* Cells first to first + n - 1 of the state at row coordinate y, to cells[c][FIRST + i]; repeated beyond the grid by one. */
static void
load_cells (const VfiView *s, float y, int first, int n, float cells[5][CELLS])
{
  float f;
  int upper, lower = tap (y, s->h, &upper, &f);
  const float *p = (const float *) s->data + ((gsize) lower * s->w + first) * s->ld;
  const float *q = (const float *) s->data + ((gsize) upper * s->w + first) * s->ld;
  float rest[2][5 * VFI_LANES];

  for (int x = 0; x < n; x += VFI_LANES) {
    float *const to[] = { &cells[0][FIRST + x], &cells[1][FIRST + x], &cells[2][FIRST + x], &cells[3][FIRST + x], &cells[4][FIRST + x] };

    if (s->ld == 5 && x + VFI_LANES <= n) /* dense, as it is for a tensor of its own */
      separate (p + 5 * x, q + 5 * x, f, to);
    else {
      for (int i = 0; i < VFI_LANES; i++) {
        const gsize at = (gsize) MIN (x + i, n - 1) * s->ld;
        memcpy (&rest[0][5 * i], p + at, 5 * sizeof (float));
        memcpy (&rest[1][5 * i], q + at, 5 * sizeof (float));
      }
      separate (rest[0], rest[1], f, to);
    }
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

/* Where a frame is sampled. */
typedef struct
{
  VecI iy, ix;
  Vec fy, fx;
} Taps;

/* The 32 bits at the upper left pixel, its right neighbour, the lower left one and its right neighbour. */
typedef struct
{
  VecI word[4];
} Corners;

#ifdef __AVX512VBMI__
#define WINDOW 1

/* Where motion is smooth, all lanes lie in a window of two rows, and of the three rows below them: it is loaded, and the lanes permuted
 * out of it, in a fraction of the time of gathers. FALSE if they do not. One or two bytes to a pixel: 64 bytes of a row; else 128. */
VFI_INLINE gboolean
window (const guint8 *data, int stride, int h, int w, const Taps *t, const int bytes, const int second, Corners *to)
{
  const int row = bytes <= 2 ? 64 : 128, room = row / bytes; /* whole pixels; the last one only as a neighbour */
  const int last = w - (row + bytes - 1) / bytes;            /* negative where rows are shorter than a window, which CLAMP would not keep */
  const int left = MIN (MAX (t->ix[0] - (room - VFI_LANES) / 2, 0), last);
  const int top = MIN (_mm512_reduce_min_epi32 ((__m512i) t->iy), h - 3);
  const __m512i x = _mm512_sub_epi32 ((__m512i) t->ix, _mm512_set1_epi32 (left));
  const __m512i y = _mm512_sub_epi32 ((__m512i) t->iy, _mm512_set1_epi32 (top));
  const guint8 *p = data + (gssize) top * stride + left * bytes;
  __m512i at, r[3][2];

  if (left < 0 || (_mm512_cmpgt_epu32_mask (x, _mm512_set1_epi32 (room - 2)) | _mm512_cmpgt_epu32_mask (y, _mm512_set1_epi32 (1))))
    return FALSE;
  /* Numbers of four bytes in a row for each lane. */
  at = _mm512_mullo_epi32 (x, _mm512_set1_epi32 (bytes * 0x01010101));
  at = _mm512_add_epi32 (at, _mm512_set1_epi32 (0x03020100));
  for (int i = 0; i < 3; i++) {
    r[i][0] = _mm512_loadu_si512 (p + (gsize) i * stride);
    if (row == 128)
      r[i][1] = _mm512_loadu_si512 (p + (gsize) i * stride + 64);
  }
  if (row == 64) {
    at = _mm512_add_epi8 (at, _mm512_mullo_epi32 (y, _mm512_set1_epi32 (0x40404040)));
    to->word[0] = to->word[1] = (VecI) _mm512_permutex2var_epi8 (r[0][0], at, r[1][0]);
    to->word[2] = to->word[3] = (VecI) _mm512_permutex2var_epi8 (r[1][0], at, r[2][0]);
  } else {
    const __mmask16 low = _mm512_test_epi32_mask (y, y);

    for (int i = 0; i < 2; i++) {
      const __m512i n = i ? _mm512_add_epi32 (at, _mm512_set1_epi32 (second * 0x01010101)) : at;
      const __m512i a = _mm512_permutex2var_epi8 (r[0][0], n, r[0][1]), b = _mm512_permutex2var_epi8 (r[1][0], n, r[1][1]);
      const __m512i c = _mm512_permutex2var_epi8 (r[2][0], n, r[2][1]);
      to->word[i] = (VecI) _mm512_mask_blend_epi32 (low, a, b);
      to->word[2 + i] = (VecI) _mm512_mask_blend_epi32 (low, b, c);
    }
  }
  return TRUE;
}
#else
#define WINDOW 0
#endif

/* Whatever the motion. */
VFI_INLINE void
gather (const guint8 *data, int stride, int h, int w, const Taps *t, const int bytes, const int second, Corners *to)
{
  const VecI at = t->iy * stride + t->ix * bytes;

  for (int i = 0; i < 2; i++)
    if (bytes == 1) {
      /* At the end of the plane, from further left, and shifted. */
      const VecI there = at + i * stride, from = vec_mini (there, (VecI){ 0 } + ((h - 1) * stride + w - 4));
      to->word[2 * i] = to->word[2 * i + 1] = (VecI) ((VecU) vec_gather (data, from, 1) >> (VecU) ((there - from) << 3));
    } else {
      to->word[2 * i] = vec_gather (data + (gsize) i * stride, at, 1);
      to->word[2 * i + 1] = second ? vec_gather (data + (gsize) i * stride + second, at, 1) : to->word[2 * i];
    }
}

VFI_INLINE void
sample (const Pixel *p, const guint8 *data, int stride, int h, int w, const Taps *t, const int comps, const int bytes, const int second,
        Vec to[4])
{
  Corners k;

#if WINDOW
  if (!window (data, stride, h, w, t, bytes, second, &k))
#endif
    gather (data, stride, h, w, t, bytes, second, &k);
  for (int c = 0; c < comps; c++) {
    const Vec a = sample_at (k.word[0], p->a[c], p->mask), b = sample_at (k.word[1], p->b[c], p->mask);
    const Vec d = sample_at (k.word[2], p->a[c], p->mask), e = sample_at (k.word[3], p->b[c], p->mask);
    const Vec upper = vec_fma (t->fx, b - a, a), lower = vec_fma (t->fx, e - d, d);
    to[c] = vec_fma (t->fy, lower - upper, upper);
  }
}

/* The low `bytes` bytes of the first n lanes. */
VFI_INLINE void
store_pixels (guint8 *to, VecI words, int n, const int bytes)
{
  n = MIN (n, VFI_LANES);
  if (bytes == 3)
    for (int i = 0; i < n; i++) {
      const guint32 word = words[i];
      memcpy (to + i * 3, &word, 3);
    }
  else
    vec_store_low (to, words, n, bytes);
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
      store_pixels (p->dst[i] + (gsize) y * p->stride[i] + (gsize) (x0 + x) * bytes, words, n - x, bytes);
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
