/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator dense_search: rows of patches, shared by threads, a row of a patch in a vector; then cells of pixels, of which four patches know the flow. Of what
 * differs along a flow the mean is not taken before the squares but from their sum: all that is asked of a flow is found on one way through a patch.
 */
#include "isa.h"
#include "search.h"

#define PAD VFI_SEARCH_PAD
#define CELL VFI_SEARCH_CELL

enum
{
  GREY,
  FOUND = GREY + 2,
  N_PARTS = FOUND + 2
};

typedef struct
{
  int h, w, pitch, rows, columns;
  gsize bytes[N_PARTS];
  /* In the workspace. */
  float *grey[2];
  VfiSearchFound *found[2];
} State;

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);

  s->h = dst->h, s->w = dst->w, s->pitch = search_pitch (dst->w);
  s->rows = vfi_search_cells (dst->h), s->columns = vfi_search_cells (dst->w);
  for (int i = 0; i < 2; i++) {
    s->bytes[GREY + i] = (gsize) (s->h + 2 * PAD) * s->pitch * sizeof (float);
    s->bytes[FOUND + i] = (gsize) s->rows * s->columns * sizeof (VfiSearchFound);
  }
  for (int i = 0; i < N_PARTS; i++)
    s->bytes[i] = (s->bytes[i] + 63) & ~(gsize) 63;
  return s;
}

static gsize
workspace (gpointer state)
{
  gsize sum = 0;

  for (int i = 0; i < N_PARTS; i++)
    sum += ((State *) state)->bytes[i];
  return sum;
}

static void
bind (gpointer state, void *place)
{
  State *s = state;
  guint8 *at = place;

  for (int i = 0; i < 2; at += s->bytes[GREY + i++])
    s->grey[i] = (float *) at;
  for (int i = 0; i < 2; at += s->bytes[FOUND + i++])
    s->found[i] = (VfiSearchFound *) at;
}

/* ---- patches ------------------------------------------------------------------------------------ */

/* A row of a patch. */
typedef float Row __attribute__ ((vector_size (4 * VFI_SEARCH_PATCH), aligned (4), may_alias));

/* Gradient g of a patch less its mean, and (sum g g' + RIDGE I)^-1. */
typedef struct
{
  Row x[VFI_SEARCH_PATCH], y[VFI_SEARCH_PATCH];
  float xx, xy, yy;
} Slope;

VFI_INLINE Row
row_fma (Row a, Row b, Row c)
{
#ifdef __FMA__
  return (Row) _mm256_fmadd_ps ((__m256) a, (__m256) b, (__m256) c);
#else
  return a * b + c;
#endif
}

/* The sums of four rows. */
VFI_INLINE void
row_sums (Row a, Row b, Row c, Row d, float to[4])
{
#ifdef __AVX2__
  const __m256 pairs = _mm256_hadd_ps (_mm256_hadd_ps ((__m256) a, (__m256) b), _mm256_hadd_ps ((__m256) c, (__m256) d));

  _mm_storeu_ps (to, _mm_add_ps (_mm256_castps256_ps128 (pairs), _mm256_extractf128_ps (pairs, 1)));
#else
  for (int i = 0; i < 4; i++) {
    const Row v = i == 0 ? a : i == 1 ? b : i == 2 ? c : d;

    to[i] = ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
  }
#endif
}

/* e, what differs between patch (row, column) and where a flow leads: its sum, that of its squares, and those of its products with the gradient, unless that is NULL. */
VFI_INLINE void
difference (const VfiSearchFrames *f, int row, int column, float u, float v, const Slope *slope, float sum[4])
{
  const int y = (row - 1) * CELL, x = (column - 1) * CELL;
  const float dy = vfi_search_clamp (v, -VFI_SEARCH_PATCH - y, f->h - y), dx = vfi_search_clamp (u, -VFI_SEARCH_PATCH - x, f->w - x);
  const int iy = (int) floorf (dy), ix = (int) floorf (dx);
  const Row fy = (Row){ 0 } + (dy - iy), fx = (Row){ 0 } + (dx - ix);
  const float *a = f->a + (gssize) y * f->pitch + x, *b = f->b + (gssize) (y + iy) * f->pitch + x + ix;
  Row above = row_fma (fx, *(const Row *) (b + 1) - *(const Row *) b, *(const Row *) b);
  Row s[2] = { 0 }, squares[2] = { 0 }, by_x = { 0 }, by_y = { 0 };

#pragma GCC unroll 8
  for (int i = 0; i < VFI_SEARCH_PATCH; i++, a += f->pitch) {
    Row below, e;

    b += f->pitch;
    below = row_fma (fx, *(const Row *) (b + 1) - *(const Row *) b, *(const Row *) b);
    e = row_fma (fy, below - above, above) - *(const Row *) a;
    s[i % 2] += e;
    squares[i % 2] = row_fma (e, e, squares[i % 2]);
    if (slope) {
      by_x = row_fma (slope->x[i], e, by_x);
      by_y = row_fma (slope->y[i], e, by_y);
    }
    above = below;
  }
  row_sums (s[0] + s[1], squares[0] + squares[1], by_x, by_y, sum);
}

/* The mean square of e less its mean. */
VFI_INLINE float
square_of (const float sum[4])
{
  const float n = VFI_SEARCH_PATCH * VFI_SEARCH_PATCH;

  return (sum[1] - sum[0] * sum[0] / n) / n;
}

VFI_INLINE void
find_slope (const VfiSearchFrames *f, int row, int column, Slope *slope)
{
  const float *a = f->a + (gssize) (row - 1) * CELL * f->pitch + (column - 1) * CELL, n = VFI_SEARCH_PATCH * VFI_SEARCH_PATCH;
  Row x = { 0 }, y = { 0 }, xx = { 0 }, xy = { 0 }, yy = { 0 };
  float sum[4], det;

#pragma GCC unroll 8
  for (int i = 0; i < VFI_SEARCH_PATCH; i++, a += f->pitch) {
    slope->x[i] = (*(const Row *) (a + 1) - *(const Row *) (a - 1)) * 0.5f;
    slope->y[i] = (*(const Row *) (a + f->pitch) - *(const Row *) (a - f->pitch)) * 0.5f;
    x += slope->x[i];
    y += slope->y[i];
  }
  row_sums (x, y, x, y, sum);
  x = (Row){ 0 } + sum[0] / n;
  y = (Row){ 0 } + sum[1] / n;
#pragma GCC unroll 8
  for (int i = 0; i < VFI_SEARCH_PATCH; i++) {
    const Row gx = slope->x[i] - x, gy = slope->y[i] - y;

    xx = row_fma (gx, gx, xx);
    xy = row_fma (gx, gy, xy);
    yy = row_fma (gy, gy, yy);
    slope->x[i] = gx;
    slope->y[i] = gy;
  }
  row_sums (xx, xy, yy, yy, sum);
  sum[0] += VFI_SEARCH_RIDGE;
  sum[2] += VFI_SEARCH_RIDGE;
  det = sum[0] * sum[2] - sum[1] * sum[1];
  slope->xx = sum[2] / det;
  slope->xy = -sum[1] / det;
  slope->yy = sum[0] / det;
}

/* As vfi_search_steps. */
VFI_INLINE VfiSearchFound
steps (const VfiSearchFrames *f, int row, int column, VfiSearchFound here, int n)
{
  const float reach = VFI_SEARCH_PATCH * VFI_SEARCH_PATCH;
  VfiSearchFound there = here;
  Slope slope;
  float sum[4], du, dv;

  if (!n) {
    difference (f, row, column, here.u, here.v, NULL, sum);
    here.square = square_of (sum);
    return here;
  }
  find_slope (f, row, column, &slope);
  difference (f, row, column, here.u, here.v, &slope, sum);
  here.square = square_of (sum);
  for (int i = 0; i < n; i++) {
    there.u -= slope.xx * sum[2] + slope.xy * sum[3];
    there.v -= slope.xy * sum[2] + slope.yy * sum[3];
    difference (f, row, column, there.u, there.v, &slope, sum);
  }
  there.square = square_of (sum);
  du = there.u - here.u, dv = there.v - here.v;
  return there.square + VFI_SEARCH_MARGIN < here.square && du * du + dv * dv <= reach ? there : here;
}

/* As vfi_search_handed. */
VFI_INLINE VfiSearchFound
handed (const VfiSearchFrames *f, const State *s, const VfiSearchFound *found, int row, int column, int away)
{
  const VfiSearchFound *at = found + row * s->columns + column;
  const VfiSearchFound *near[4] = { column + away < s->columns ? at + away : at, row + away < s->rows ? at + away * s->columns : at,
                                    column >= away ? at - away : at, row >= away ? at - away * s->columns : at };
  VfiSearchFound here = *at;

  for (int i = 0; i < 4; i++) {
    const float du = near[i]->u - at->u, dv = near[i]->v - at->v;

    if (du * du + dv * dv >= VFI_SEARCH_APART * VFI_SEARCH_APART) { /* rare where motion is smooth */
      VfiSearchFound there = *near[i];
      float sum[4];

      difference (f, row, column, there.u, there.v, NULL, sum);
      there.square = square_of (sum);
      if (there.square + VFI_SEARCH_MARGIN < here.square)
        here = there;
    }
  }
  return here;
}

/* ---- pixels ------------------------------------------------------------------------------------- */

/* Pixels side by side in a cell. */
typedef float Run __attribute__ ((vector_size (4 * CELL), aligned (4), may_alias));
typedef gint32 RunI __attribute__ ((vector_size (4 * CELL)));

/* The flow of a cell's pixels from that of the four patches around: along each, all of them lie alike between the pixels of the second frame. */
VFI_INLINE void
spread (const VfiSearchFrames *f, const VfiSearchFound *at, int columns, int y, int x, const VfiView *dst)
{
  const VfiSearchFound *of[4] = { at, at + 1, at + columns, at + columns + 1 };
  const int h = MIN (CELL, dst->h - y), w = MIN (CELL, dst->w - x);
  Run u[CELL] = { 0 }, v[CELL] = { 0 }, sum[CELL] = { 0 };

  for (int i = 0; i < 4; i++) {
    const float dy = vfi_search_clamp (of[i]->v, -CELL - y, f->h - y), dx = vfi_search_clamp (of[i]->u, -CELL - x, f->w - x);
    const int iy = (int) floorf (dy), ix = (int) floorf (dx);
    const float fy = dy - iy, fx = dx - ix, *a = f->a + (gssize) y * f->pitch + x, *b = f->b + (gssize) (y + iy) * f->pitch + x + ix;
    Run above = (1 - fx) * *(const Run *) b + fx * *(const Run *) (b + 1);

    for (int k = 0; k < CELL; k++) {
      const Run *next = (const Run *) (b + (k + 1) * f->pitch), *right = (const Run *) (b + (k + 1) * f->pitch + 1);
      const Run below = (1 - fx) * *next + fx * *right, e = (1 - fy) * above + fy * below - *(const Run *) (a + k * f->pitch);
      const RunI miss = (RunI) e & 0x7fffffff, more = miss > (RunI) ((Run){ 0 } + 1);
      const Run weight = 1 / (Run) ((miss & more) | ((RunI) ((Run){ 0 } + 1) & ~more));

      u[k] += weight * of[i]->u;
      v[k] += weight * of[i]->v;
      sum[k] += weight;
      above = below;
    }
  }
  for (int k = 0; k < h; k++) {
    const Run p = u[k] / sum[k], q = v[k] / sum[k];
    float *to = (float *) dst->data + ((gsize) (y + k) * dst->w + x) * dst->ld;

    for (int i = 0; i < w; i++, to += dst->ld) {
      to[0] = p[i];
      to[dst->cd] = q[i];
    }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const VfiDenseSearchParams o = *(const VfiDenseSearchParams *) node->params;
  const State *s = kernel_state;
  const VfiView *coarse = &src[2], result = *dst;
  const gsize origin = (gsize) PAD * s->pitch + PAD;
  const VfiSearchFrames f = { s->grey[0] + origin, s->grey[1] + origin, s->h, s->w, s->pitch };

#pragma omp parallel
  {
    VfiSearchFound *found = s->found[0], *next = s->found[1];

#pragma omp for
    for (int y = -PAD; y < s->h + PAD; y++)
      for (int i = 0; i < 2; i++)
        search_grey_row (&src[i], y, s->grey[i] + origin + (gssize) y * s->pitch);
#pragma omp for schedule(dynamic)
    for (int i = 0; i < s->rows; i++)
      for (int k = 0; k < s->columns; k++) {
        VfiSearchFound start = { 0, 0, 0 };

        if (o.coarse) {
          start.u = 2 * vfi_search_first (coarse->data, coarse->ld, coarse->h, coarse->w, 2 * i, 2 * k);
          start.v = 2 * vfi_search_first ((const float *) coarse->data + coarse->cd, coarse->ld, coarse->h, coarse->w, 2 * i, 2 * k);
        }
        found[i * s->columns + k] = steps (&f, i, k, start, o.first);
      }
    for (int round = 0; round < o.rounds; round++)
      for (int d = o.far; d; d /= 2) {
        VfiSearchFound *swap = found;

#pragma omp for schedule(dynamic)
        for (int i = 0; i < s->rows; i++)
          for (int k = 0; k < s->columns; k++) {
            const VfiSearchFound here = handed (&f, s, found, i, k, d);

            next[i * s->columns + k] = d == 1 ? steps (&f, i, k, here, o.steps) : here;
          }
        found = next;
        next = swap;
      }
#pragma omp for
    for (int i = 0; i < s->rows - 1; i++)
      for (int k = 0; k < s->columns - 1; k++)
        spread (&f, found + i * s->columns + k, s->columns, CELL * i, CELL * k, &result);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_dense_search) = { &vfi_op_dense_search, NULL, prepare, run, g_free, workspace, bind };
