/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator resize. Planes are taken one by one. Rows are blended first; what is left is a blend of neighbouring pixels, where `scale` results share two of them.
 */
#include <math.h>
#include <stdlib.h>

#include "isa.h"

typedef struct
{
  float *weight;  /* for each phase: of the left, the middle and the right of three neighbouring pixels */
  gsize row_size; /* floats of a blended row, with a pixel repeated on either side; two for each thread */
  float *rows;
} State;

static void
release (gpointer state)
{
  State *s = state;

  g_free (s->weight);
  free (s->rows);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const int scale = ((const VfiResizeParams *) node->params)->scale;
  State *s = g_new0 (State, 1);

  s->weight = g_new (float, 3 * scale);
  for (int i = 0; i < scale; i++) {
    const float f = (i + 0.5f) / scale - 0.5f; /* from the middle pixel */
    s->weight[3 * i] = MAX (-f, 0);
    s->weight[3 * i + 1] = 1 - fabsf (f);
    s->weight[3 * i + 2] = MAX (f, 0);
  }
  s->row_size = ((gsize) (src->w + 2) * src->c + 2 * VFI_LANES + 63) / 64 * 64;
  s->rows = calloc (2 * s->row_size * b->threads, sizeof (float));
  if (s->rows)
    return s;
  release (s);
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for rows of %d x %d", src->w, src->c);
  return NULL;
}

/* Source rows around row y of the result, times gain, to `blended`, which begins one pixel left of the picture. */
VFI_INLINE void
blend_rows (const VfiView *x, const float *gain, const float weight[3], int y, float *blended, const VfiDType type)
{
  const int other = weight[0] > 0 ? MAX (y - 1, 0) : MIN (y + 1, x->h - 1);
  const float f = weight[0] + weight[2];
  const gsize p = (gsize) y * x->w * x->ld, q = (gsize) other * x->w * x->ld;
  const int c = x->c;

  for (int i = 0; i < x->w; i++)
    for (int k = 0; k < c; k += VFI_LANES) {
      const int n = MIN (c - k, VFI_LANES);
      const gsize at = (gsize) i * x->ld + k;
      Vec v = vec_fma (vec_set (weight[1]), vec_load (x->data, type, p + at, n), f * vec_load (x->data, type, q + at, n));
      vec_store (blended, VFI_F32, (gsize) (i + 1) * c + k, n, v * vec_load (gain, VFI_F32, k, n));
    }
  memcpy (blended, blended + c, sizeof (float) * c);
  memcpy (blended + (gsize) (x->w + 1) * c, blended + (gsize) x->w * c, sizeof (float) * c);
}

/* The same for one fp32 channel without gaps. */
VFI_INLINE void
blend_plane_rows (const VfiView *x, float gain, const float weight[3], int y, float *blended)
{
  const int other = weight[0] > 0 ? MAX (y - 1, 0) : MIN (y + 1, x->h - 1), w = x->w;
  const float near = gain * weight[1], far = gain * (weight[0] + weight[2]);

  for (int i = 0; i < w; i += VFI_LANES) {
    const int n = MIN (w - i, VFI_LANES);
    vec_store (blended, VFI_F32, i + 1, n,
               vec_fma (vec_set (near), vec_load (x->data, VFI_F32, (gsize) y * w + i, n),
                        far * vec_load (x->data, VFI_F32, (gsize) other * w + i, n)));
  }
  blended[0] = blended[1];
  blended[w + 1] = blended[w];
}

/* A channel's details of n <= VFI_LANES / 2 pixels, four floats each, `ld` apart: upper two in one row, lower two in the other. */
VFI_INLINE void
load_detail (const float *p, gsize ld, int n, Vec rows[2])
{
#if defined(__AVX512F__)
  if (n == VFI_LANES / 2) {
    __m512 even = _mm512_castps128_ps512 (_mm_loadu_ps (p)), odd = _mm512_castps128_ps512 (_mm_loadu_ps (p + ld));

    even = _mm512_insertf32x4 (even, _mm_loadu_ps (p + 2 * ld), 1);
    odd = _mm512_insertf32x4 (odd, _mm_loadu_ps (p + 3 * ld), 1);
    even = _mm512_insertf32x4 (even, _mm_loadu_ps (p + 4 * ld), 2);
    odd = _mm512_insertf32x4 (odd, _mm_loadu_ps (p + 5 * ld), 2);
    even = _mm512_insertf32x4 (even, _mm_loadu_ps (p + 6 * ld), 3);
    odd = _mm512_insertf32x4 (odd, _mm_loadu_ps (p + 7 * ld), 3);
    rows[0] = (Vec) _mm512_unpacklo_pd ((__m512d) even, (__m512d) odd);
    rows[1] = (Vec) _mm512_unpackhi_pd ((__m512d) even, (__m512d) odd);
    return;
  }
#elif defined(__AVX2__)
  if (n == VFI_LANES / 2) {
    const __m256 even = _mm256_insertf128_ps (_mm256_castps128_ps256 (_mm_loadu_ps (p)), _mm_loadu_ps (p + 2 * ld), 1);
    const __m256 odd = _mm256_insertf128_ps (_mm256_castps128_ps256 (_mm_loadu_ps (p + ld)), _mm_loadu_ps (p + 3 * ld), 1);

    rows[0] = (Vec) _mm256_unpacklo_pd ((__m256d) even, (__m256d) odd);
    rows[1] = (Vec) _mm256_unpackhi_pd ((__m256d) even, (__m256d) odd);
    return;
  }
#endif
  rows[0] = rows[1] = vec_set (0);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < 4; k++)
      rows[k / 2][2 * i + k % 2] = p[i * ld + k];
}

/* For scale 2, rows y0 to y1 - 1 out of two blended rows, for 2 y and 2 y + 1: result 2 i lies a quarter left of pixel i, 2 i + 1 a quarter right of it. */
VFI_INLINE void
plane_rows_of_2 (const VfiView *detail, const float *const blended[2], const VfiView *dst, int y, int y0, int y1)
{
  const VecI iota = vec_iota (), low = (iota >> 1) + (iota & 1) * VFI_LANES;
  const float *d = detail ? (const float *) detail->data + (gsize) y * detail->w * detail->ld : NULL;
  const int w = dst->w / 2;

  for (int x = 0; x < w; x += VFI_LANES) {
    Vec even[2], odd[2];

    for (int i = 0; i < 2; i++) {
      const float *p = blended[i] + x;
      const Vec left = *(const Vec *) p, middle = *(const Vec *) (p + 1), right = *(const Vec *) (p + 2);

      even[i] = vec_fma (vec_set (.25f), left - middle, middle);
      odd[i] = vec_fma (vec_set (.25f), right - middle, middle);
    }
    for (int half = 0; half < 2; half++) {
      const int at = x + half * VFI_LANES / 2, n = MIN (w - at, VFI_LANES / 2);
      Vec details[2] = { 0 };

      if (n <= 0)
        break;
      if (d)
        load_detail (d + (gsize) at * detail->ld, detail->ld, n, details);
      for (int i = y0 - 2 * y; i < y1 - 2 * y; i++) {
        Vec v = (Vec) __builtin_shuffle (even[i], odd[i], low + half * VFI_LANES / 2);

        if (d)
          v += details[i];
        vec_store (dst->data, VFI_F32, (gsize) (2 * y + i) * dst->w + 2 * at, 2 * n, v);
      }
    }
  }
}

VFI_INLINE void
row (const VfiView *detail, const float *weight, int scale, const float *blended, const VfiView *dst, int y, const VfiDType type)
{
  const int c = dst->c;
  const gsize first = (gsize) (y / scale) * (dst->w / scale);

  for (int x = 0; x < dst->w / scale; x++)
    for (int j = 0; j < scale; j++) {
      const float *p = blended + (gsize) x * c, *w = weight + 3 * j;
      const gsize q = ((gsize) y * dst->w + x * scale + j) * dst->ld;
      const gsize d = detail ? (first + x) * detail->ld + y % scale * scale + j : 0;

      for (int k = 0; k < c; k++) {
        float v = w[0] * p[k] + w[1] * p[c + k] + w[2] * p[2 * c + k];

        if (type == VFI_F32)
          ((float *) dst->data)[q + k] = detail ? v + ((const float *) detail->data)[d + (gsize) k * scale * scale] : v;
        else {
          v = detail ? v + vfi_bf16_to_f32 (((const guint16 *) detail->data)[d + (gsize) k * scale * scale]) : v;
          ((guint16 *) dst->data)[q + k] = vfi_f32_to_bf16 (v);
        }
      }
    }
}

/* Rows y0 to y1 - 1 of the channels in the views, all of which row y of the source is in the middle of. */
VFI_INLINE void
any_rows (const State *s, const VfiResizeParams *p, const VfiView *x, const VfiView *detail, const float *gain, const VfiView *dst, int y,
          int y0, int y1, float *blended, const VfiDType type)
{
  if (type == VFI_F32 && p->scale == 2 && x->ld == 1 && dst->ld == 1) {
    float *const both[] = { blended, blended + s->row_size };

    for (int i = 0; i < 2; i++)
      blend_plane_rows (x, *gain, s->weight + 3 * i, y, both[i]);
    plane_rows_of_2 (detail, (const float *const *) both, dst, y, y0, y1);
  } else
    for (int i = y0; i < y1; i++) {
      blend_rows (x, gain, s->weight + 3 * (i % p->scale), y, blended, type);
      row (detail, s->weight, p->scale, blended, dst, i, type);
    }
}

/* `channels` of a view from channel c on. */
static VfiView
part (const VfiView *v, int c, int channels)
{
  VfiView w = *v;

  w.data = (guint8 *) v->data + (gsize) c * v->cd * vfi_dtype_size (v->dtype);
  w.c = channels;
  return w;
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const VfiResizeParams *p = node->params;
  const State *s = state;
  /* Planes are so many pictures of one channel. */
  const int step = src->cd > 1 || dst->cd > 1 ? 1 : dst->c, area = p->scale * p->scale;
  float *blended = s->rows + 2 * s->row_size * thread;

  for (int y = y0 / p->scale, from = y0, to; from < y1; y++, from = to) {
    to = MIN ((y + 1) * p->scale, y1);
    for (int c = 0; c < dst->c; c += step) {
      const VfiView x = part (src, c, step), d = part (dst, c, step);
      VfiView all, *detail = NULL;

      if (p->detail) {
        all = part (&src[1], c * area, step * area);
        detail = &all;
      }
      if (dst->dtype == VFI_F32)
        any_rows (s, p, &x, detail, p->gain + c, &d, y, from, to, blended, VFI_F32);
      else
        any_rows (s, p, &x, detail, p->gain + c, &d, y, from, to, blended, VFI_BF16);
    }
  }
}

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  const VfiResizeParams *p = node->params;
  return !p->detail || node->src[1]->dtype == node->dst->dtype;
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_resize) = { &vfi_op_resize, supports, prepare, NULL, release, .rows = rows };
