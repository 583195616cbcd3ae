/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator resize. Rows are blended first; what is left is a blend of neighbouring pixels, where `scale` results share two of them.
 */
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "isa.h"

typedef struct
{
  float *weight;  /* for each phase: of the left, the middle and the right of three neighbouring pixels */
  gsize row_size; /* floats of a blended row, with a pixel repeated on either side; for each thread */
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
  s->rows = calloc (s->row_size * b->threads, sizeof (float));
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

#ifdef __AVX512F__
/* For scale 2 and few channels: both results of a pixel in one vector, its three neighbours in another. */
VFI_INLINE void
row_of_few (const VfiView *detail, const float *weight, int parity, const float *blended, const VfiView *dst, int y, const VfiDType type)
{
  const int c = dst->c;
  const gsize first = (gsize) (y / 2) * (dst->w / 2);
  VecI side, middle, at;
  Vec far, near;

  for (int k = 0; k < VFI_LANES; k++) {
    const int j = k < 2 * c ? k / c : 0, channel = k < 2 * c ? k % c : 0;
    side[k] = (j ? 2 * c : 0) + channel;
    middle[k] = c + channel;
    at[k] = (channel * 2 + parity) * 2 + j;
    far[k] = weight[3 * j] + weight[3 * j + 2];
    near[k] = weight[3 * j + 1];
  }
  for (int x = 0; x < dst->w / 2; x++) {
    const Vec three = vec_load (blended, VFI_F32, (gsize) x * c, VFI_LANES);
    Vec v = vec_fma (near, __builtin_shuffle (three, middle), far * __builtin_shuffle (three, side));

    if (detail) {
      const gsize p = (first + x) * detail->ld;
      const int n = 4 * c - VFI_LANES;
      Vec low = vec_load (detail->data, type, p, MIN (4 * c, VFI_LANES));
      v += __builtin_shuffle (low, n > 0 ? vec_load (detail->data, type, p + VFI_LANES, n) : low, at);
    }
    vec_store (dst->data, type, ((gsize) y * dst->w + 2 * x) * c, 2 * c, v);
  }
}
#endif

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

VFI_INLINE void
any_row (const State *s, const VfiResizeParams *p, const VfiView *src, const VfiView *dst, int y, float *blended, const VfiDType type)
{
  const int i = y % p->scale;
  const VfiView *detail = p->detail ? &src[1] : NULL;

  blend_rows (src, p->gain, s->weight + 3 * i, y / p->scale, blended, type);
#ifdef __AVX512F__
  if (p->scale == 2 && dst->ld == dst->c && 3 * dst->c <= VFI_LANES)
    row_of_few (detail, s->weight, i, blended, dst, y, type);
  else
#endif
    row (detail, s->weight, p->scale, blended, dst, y, type);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const State *s = state;

#pragma omp parallel for schedule(static) num_threads(b->threads)
  for (int y = 0; y < dst->h; y++) {
    float *blended = s->rows + s->row_size * omp_get_thread_num ();

    if (dst->dtype == VFI_F32)
      any_row (s, node->params, src, dst, y, blended, VFI_F32);
    else
      any_row (s, node->params, src, dst, y, blended, VFI_BF16);
  }
}

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  const VfiResizeParams *p = node->params;
  return !p->detail || node->src[1]->dtype == node->dst->dtype;
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_resize) = { &vfi_op_resize, supports, prepare, run, release };
