/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator dense_search: rows of patches, shared by threads, a row of a patch in a vector; then cells of pixels, of which four patches know the flow. Of what
 * differs along a flow the mean is not taken before the squares but from their sum: all that is asked of a flow is found on one way through a patch.
 */
#include "isa.h"
#include "search.h"

#define PAD VFI_SEARCH_PAD
#define CELL VFI_SEARCH_CELL
#define ABREAST 2 /* patches */

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

/* As vfi_search_steps, of patches `column` to column + ABREAST - 1, the last one again where there are no more: one's sums wait for nothing of the others'. Those that are
 * content stay as they are. */
VFI_INLINE void
steps (const VfiSearchFrames *f, const State *s, int row, int column, VfiSearchFound here[ABREAST], int n)
{
  const float reach = VFI_SEARCH_PATCH * VFI_SEARCH_PATCH;
  VfiSearchFound there[ABREAST];
  Slope slope[ABREAST];
  float sum[ABREAST][4];
  gboolean content = TRUE;

  for (int k = 0; k < ABREAST; k++) {
    content = content && here[k].square < VFI_SEARCH_ENOUGH;
    there[k] = here[k];
  }
  if (content || !n)
    return;
  for (int k = 0; k < ABREAST; k++) {
    find_slope (f, row, MIN (column + k, s->columns - 1), &slope[k]);
    difference (f, row, MIN (column + k, s->columns - 1), here[k].u, here[k].v, &slope[k], sum[k]);
  }
  for (int i = 0; i < n; i++)
    for (int k = 0; k < ABREAST; k++) {
      there[k].u -= slope[k].xx * sum[k][2] + slope[k].xy * sum[k][3];
      there[k].v -= slope[k].xy * sum[k][2] + slope[k].yy * sum[k][3];
      difference (f, row, MIN (column + k, s->columns - 1), there[k].u, there[k].v, &slope[k], sum[k]);
    }
  for (int k = 0; k < ABREAST; k++) {
    const float du = there[k].u - here[k].u, dv = there[k].v - here[k].v;

    there[k].square = square_of (sum[k]);
    if (here[k].square >= VFI_SEARCH_ENOUGH && there[k].square + VFI_SEARCH_MARGIN < here[k].square && du * du + dv * dv <= reach)
      here[k] = there[k];
  }
}

/* As vfi_search_handed. */
VFI_INLINE VfiSearchFound
handed (const VfiSearchFrames *f, const State *s, const VfiSearchFound *found, int row, int column, int away)
{
  const VfiSearchFound *at = found + row * s->columns + column;
  const VfiSearchFound *near[4] = { column + away < s->columns ? at + away : at, row + away < s->rows ? at + away * s->columns : at,
                                    column >= away ? at - away : at, row >= away ? at - away * s->columns : at };
  VfiSearchFound here = *at;

  if (here.square < VFI_SEARCH_ENOUGH)
    return here;
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

/* Pixels side by side in a cell, which is half of a patch. */
typedef float Half __attribute__ ((vector_size (4 * CELL), aligned (4), may_alias));

/* What one patch knows of CELL rows from row y on: weights, added to those that are there, and flow times weight likewise. All its pixels lie alike between those of the
 * second frame. */
VFI_INLINE void
weigh (const VfiSearchFrames *f, const VfiSearchFound *of, int y, int x, Row sum[CELL], Row u[CELL], Row v[CELL])
{
  typedef gint32 RowI __attribute__ ((vector_size (4 * VFI_SEARCH_PATCH)));
  const float dy = vfi_search_clamp (of->v, -VFI_SEARCH_PATCH - y, f->h - y),
              dx = vfi_search_clamp (of->u, -VFI_SEARCH_PATCH - x, f->w - x);
  const int iy = (int) floorf (dy), ix = (int) floorf (dx);
  const float fy = dy - iy, fx = dx - ix, *a = f->a + (gssize) y * f->pitch + x, *b = f->b + (gssize) (y + iy) * f->pitch + x + ix;
  const RowI one = (RowI) ((Row){ 0 } + 1);
  Row above = (1 - fx) * *(const Row *) b + fx * *(const Row *) (b + 1);

#pragma GCC unroll 4
  for (int k = 0; k < CELL; k++) {
    const Row *next = (const Row *) (b + (k + 1) * f->pitch), *right = (const Row *) (b + (k + 1) * f->pitch + 1);
    const Row below = (1 - fx) * *next + fx * *right, e = (1 - fy) * above + fy * below - *(const Row *) (a + k * f->pitch);
    const RowI miss = (RowI) e & 0x7fffffff, more = miss > one;
    const Row weight = 1 / (Row) ((miss & more) | (one & ~more));

    sum[k] += weight;
    u[k] += weight * of->u;
    v[k] += weight * of->v;
    above = below;
  }
}

/* The flow of a row of cells from that of the patches above and below: each reaches over two cells. */
static void
spread_row (const State *s, const VfiSearchFrames *f, const VfiSearchFound *found, int row, const VfiView *dst)
{
  const int y = row * CELL, h = MIN (CELL, dst->h - y);
  Half left[3][CELL];

  for (int column = 0; column < s->columns; column++) {
    const VfiSearchFound *at = found + row * s->columns + column;
    const int x = (column - 1) * CELL, w = MIN (CELL, dst->w - x);
    Row part[3][CELL] = { 0 };

    weigh (f, at, y, x, part[0], part[1], part[2]);
    weigh (f, at + s->columns, y, x, part[0], part[1], part[2]);
    for (int k = 0; k < h && column; k++) {
      const Half sum = left[0][k] + ((const Half *) &part[0][k])[0];
      const Half u = (left[1][k] + ((const Half *) &part[1][k])[0]) / sum, v = (left[2][k] + ((const Half *) &part[2][k])[0]) / sum;
      float *to = (float *) dst->data + ((gsize) (y + k) * dst->w + x) * dst->ld;

      for (int i = 0; i < w; i++, to += dst->ld) {
        to[0] = u[i];
        to[dst->cd] = v[i];
      }
    }
    for (int i = 0; i < 3; i++)
      for (int k = 0; k < CELL; k++)
        left[i][k] = ((const Half *) &part[i][k])[1];
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
      for (int k = 0; k < s->columns; k += ABREAST) {
        VfiSearchFound start[ABREAST] = { 0 };

        for (int c = 0; c < ABREAST; c++) {
          const int column = MIN (k + c, s->columns - 1);
          float sum[4];

          if (o.coarse) {
            start[c].u = 2 * vfi_search_first (coarse->data, coarse->ld, coarse->h, coarse->w, 2 * i, 2 * column);
            start[c].v =
                2 * vfi_search_first ((const float *) coarse->data + coarse->cd, coarse->ld, coarse->h, coarse->w, 2 * i, 2 * column);
          }
          difference (&f, i, column, start[c].u, start[c].v, NULL, sum);
          start[c].square = square_of (sum);
        }
        steps (&f, s, i, k, start, o.first);
        for (int c = 0; c < MIN (ABREAST, s->columns - k); c++)
          found[i * s->columns + k + c] = start[c];
      }
    for (int round = 0; round < o.rounds; round++)
      for (int d = o.far; d; d /= 2) {
        VfiSearchFound *swap = found;

#pragma omp for schedule(dynamic)
        for (int i = 0; i < s->rows; i++)
          for (int k = 0; k < s->columns; k += ABREAST) {
            VfiSearchFound here[ABREAST];

            for (int c = 0; c < ABREAST; c++)
              here[c] = handed (&f, s, found, i, MIN (k + c, s->columns - 1), d);
            if (d == 1)
              steps (&f, s, i, k, here, o.steps);
            for (int c = 0; c < MIN (ABREAST, s->columns - k); c++)
              next[i * s->columns + k + c] = here[c];
          }
        found = next;
        next = swap;
      }
#pragma omp for
    for (int i = 0; i < s->rows - 1; i++)
      spread_row (s, &f, found, i, &result);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_dense_search) = { &vfi_op_dense_search, NULL, prepare, run, g_free, workspace, bind };
