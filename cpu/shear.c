/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator shear: all channels of a dy share the vertical shift, all of a dx the horizontal one, so rows are blended first, into a
 * buffer with zeros around, then columns.
 */
#include <math.h>
#include <stdlib.h>

#include "isa.h"

typedef struct
{
  int margin;     /* pixels of zeros on either side of a blended row: radius + 1 */
  gsize row_size; /* floats of one, for each thread */
  float *rows;
} State;

static void
release (gpointer state)
{
  State *s = state;

  free (s->rows);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);

  s->margin = ((const VfiCorrelationParams *) node->params)->radius + 1;
  s->row_size = ((gsize) (src->w + 2 * s->margin) * src->c + 63) / 64 * 64;
  s->rows = calloc (s->row_size * b->threads, sizeof (float));
  if (s->rows)
    return s;
  release (s);
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for rows of %d x %d", src->w, src->c);
  return NULL;
}

VFI_INLINE void
add_row (const VfiView *cost, int y, float weight, int first, int n, float *to, const VfiDType type)
{
  if (y < 0 || y >= cost->h || weight == 0)
    return;
  for (int x = 0; x < cost->w; x++)
    for (int c = first; c < first + n; c += VFI_LANES) {
      const int m = MIN (first + n - c, VFI_LANES);
      float *p = to + (gsize) x * cost->c + c;
      const Vec v = vec_load (cost->data, type, ((gsize) y * cost->w + x) * cost->ld + c, m);
      vec_store (p, VFI_F32, 0, m, vec_fma (vec_set (weight), v, vec_load (p, VFI_F32, 0, m)));
    }
}

VFI_INLINE void
row (const State *s, const VfiView *cost, int radius, float shift, float *blended, const VfiView *dst, int y, const VfiDType type)
{
  const int side = 2 * radius + 1, n = dst->c;
  float *inner = blended + (gsize) s->margin * n;

  memset (inner, 0, sizeof (float) * n * cost->w);
  for (int dy = -radius; dy <= radius; dy++) {
    const int iy = (int) floorf (shift * dy), first = (dy + radius) * side;
    const float f = shift * dy - iy;

    add_row (cost, y + iy, 1 - f, first, side, inner, type);
    add_row (cost, y + iy + 1, f, first, side, inner, type);
  }
  for (int dx = -radius; dx <= radius; dx++) {
    const int ix = (int) floorf (shift * dx);
    const float f = shift * dx - ix;

    for (int x = 0; x < dst->w; x++)
      for (int c = dx + radius; c < n; c += side) {
        const float *p = inner + (gssize) (x + ix) * n + c, v = (1 - f) * p[0] + f * p[n];
        const gsize q = ((gsize) y * dst->w + x) * dst->ld + c;

        if (type == VFI_F32)
          ((float *) dst->data)[q] = v;
        else
          ((guint16 *) dst->data)[q] = vfi_f32_to_bf16 (v);
      }
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const State *s = state;
  const int radius = ((const VfiCorrelationParams *) node->params)->radius;
  const float shift = 1 - 2 * *(const float *) src[1].data;
  const gsize size = vfi_dtype_size (dst->dtype);
  float *blended = s->rows + s->row_size * thread;

  for (int y = y0; y < y1; y++)
    if (shift == 0)
      for (int x = 0; x < dst->w; x++) {
        const gsize i = (gsize) y * dst->w + x;
        memcpy ((guint8 *) dst->data + i * dst->ld * size, (const guint8 *) src->data + i * src->ld * size, dst->c * size);
      }
    else if (dst->dtype == VFI_F32)
      row (s, src, radius, shift, blended, dst, y, VFI_F32);
    else
      row (s, src, radius, shift, blended, dst, y, VFI_BF16);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_shear) = { &vfi_op_shear, .prepare = prepare, .release = release, .rows = rows };
