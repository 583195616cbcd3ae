/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames in grey with pixels repeated around them, and patches in these: what operators that look for patches ask of them, of many patches of a row at a time. A
 * row of a patch is a vector; what is one number for each patch lies side by side. Of what differs along a flow the mean is not taken before the squares, but
 * from their sum: all that is asked of a flow is found on one way through a patch.
 */
#pragma once

#include "cpu.h"
#include "inverse_search.h"
#include "simd.h"

#define SEARCH_RUN 32 /* patches that are taken together */
#define SEARCH_ALIGNED __attribute__ ((aligned (64)))

/* Floats from one row to the next: the last vector of a row may reach beyond it. */
VFI_INLINE int
search_pitch (int w)
{
  return (w + 2 * VFI_SEARCH_PAD + 2 * VFI_LANES - 1) / VFI_LANES * VFI_LANES;
}

/* Row y, from -VFI_SEARCH_PAD on, of a frame in grey; `to` is pixel 0. */
static void
search_grey_row (const VfiView *src, int y, float *to)
{
  y = CLAMP (y, 0, src->h - 1);
  for (int x = 0; x < src->w; x += VFI_LANES)
    *(Vec *) (to + x) = VFI_SEARCH_GREY * vec_load_pixels (src, y, x, 0, MIN (src->w - x, VFI_LANES));
  for (int i = 1; i <= VFI_SEARCH_PAD; i++) {
    to[-i] = to[0];
    to[src->w - 1 + i] = to[src->w - 1];
  }
}

/* Where two frames are wanted in grey. */
typedef struct
{
  const VfiView *src;
  float *const *to;
  int pitch;
} SearchGrey;

static void
search_grey_rows (gpointer data, int i, int thread)
{
  const SearchGrey *g = data;

  for (int k = 0; k < 2; k++)
    search_grey_row (&g->src[k], i - VFI_SEARCH_PAD, g->to[k] + (gsize) i * g->pitch + VFI_SEARCH_PAD);
}

/* The first two sources in grey, for rows of patches so many pixels apart. */
static VfiSearchFrames
search_grey (VfiBackend *b, const VfiView *src, float *const to[2], int pitch, int down)
{
  const gsize origin = (gsize) VFI_SEARCH_PAD * pitch + VFI_SEARCH_PAD;

  vfi_cpu_each (b, src->h + 2 * VFI_SEARCH_PAD, 8, search_grey_rows, &(SearchGrey){ src, to, pitch });
  return (VfiSearchFrames){ to[0] + origin, to[1] + origin, src->h, src->w, pitch, down };
}

/* Patches, and numbers from a row of them to the next. */
typedef struct
{
  int rows, columns, pitch;
} SearchGrid;

/* What is known of patches: VfiSearchFound's numbers, each in a plane of its own. */
typedef struct
{
  float *u, *v, *square;
} SearchFound;

VFI_INLINE SearchGrid
search_grid (int h, int w, int down)
{
  const int columns = vfi_search_columns (w);

  return (SearchGrid){ vfi_search_patches (h, down), columns, (columns + SEARCH_RUN - 1) / SEARCH_RUN * SEARCH_RUN };
}

/* A row of a patch; a number of each of four patches. */
typedef float Row __attribute__ ((vector_size (4 * VFI_SEARCH_PATCH), aligned (4), may_alias));
typedef float Four __attribute__ ((vector_size (16), aligned (4), may_alias));

VFI_INLINE Row
row_fma (Row a, Row b, Row c)
{
#ifdef __FMA__
  return (Row) _mm256_fmadd_ps ((__m256) a, (__m256) b, (__m256) c);
#else
  return a * b + c;
#endif
}

VFI_INLINE Row
row_set (float f)
{
#ifdef __AVX2__
  return (Row) _mm256_set1_ps (f);
#else
  return (Row){ f, f, f, f, f, f, f, f };
#endif
}

VFI_INLINE Row
row_abs (Row v)
{
  typedef gint32 Bits __attribute__ ((vector_size (sizeof (Row))));

  return (Row) ((Bits) v & 0x7fffffff);
}

/* NaN gives b. */
VFI_INLINE Row
row_max (Row a, Row b)
{
#ifdef __AVX2__
  return (Row) _mm256_max_ps ((__m256) a, (__m256) b);
#else
  for (int i = 0; i < VFI_SEARCH_PATCH; i++)
    a[i] = a[i] > b[i] ? a[i] : b[i];
  return a;
#endif
}

/* The sums of four rows. */
VFI_INLINE Four
row_sums (const Row r[4])
{
#ifdef __AVX2__
  const __m256 pairs = _mm256_hadd_ps (_mm256_hadd_ps ((__m256) r[0], (__m256) r[1]), _mm256_hadd_ps ((__m256) r[2], (__m256) r[3]));

  return (Four) _mm_add_ps (_mm256_castps256_ps128 (pairs), _mm256_extractf128_ps (pairs, 1));
#else
  Four sum;

  for (int i = 0; i < 4; i++)
    sum[i] = ((r[i][0] + r[i][4]) + (r[i][2] + r[i][6])) + ((r[i][1] + r[i][5]) + (r[i][3] + r[i][7]));
  return sum;
#endif
}

/* Where VFI_LANES flows of patches of a row lead: the first pixels of both frames, and how far between pixels. */
typedef struct
{
  gint32 a[VFI_LANES], b[VFI_LANES];
  float x[VFI_LANES], y[VFI_LANES];
} SEARCH_ALIGNED SearchPlaces;

VFI_INLINE void
search_places (const VfiSearchFrames *f, int row, const gint32 *column, Vec u, Vec v, SearchPlaces *p)
{
  const int y = row * f->down - VFI_SEARCH_CELL;
  const VecI x = (*(const VecI *) column - 1) * VFI_SEARCH_CELL;
  const Vec dy = vec_min (vec_max (v, vec_set (-VFI_SEARCH_PATCH - y)), vec_set (f->h - y)), far = VEC_TO_FLOAT (x);
  const Vec dx = vec_min (vec_max (u, vec_set (-VFI_SEARCH_PATCH) - far), vec_set (f->w) - far);
  const Vec fy = vec_floor (dy), fx = vec_floor (dx);

  *(VecI *) p->a = x + y * f->pitch;
  *(VecI *) p->b = (VEC_TO_INT (fy) + y) * f->pitch + x + VEC_TO_INT (fx);
  *(Vec *) p->x = dx - fx;
  *(Vec *) p->y = dy - fy;
}

/* On the way through patches at ABREAST places, whose sums wait for nothing of the others'. */
#define ABREAST 2

typedef struct
{
  const float *a, *b;
  Row x, y, above;
} SearchWay;

/* Between two pixels of each pair side by side. */
VFI_INLINE Row
search_between (const float *b, Row x)
{
  const Row left = *(const volatile Row *) b; /* GCC would load it twice */

  return row_fma (x, *(const Row *) (b + 1) - left, left);
}

VFI_INLINE void
search_set_out (const VfiSearchFrames *f, const SearchPlaces *p, int i, SearchWay way[ABREAST])
{
#pragma GCC unroll 2
  for (int k = 0; k < ABREAST; k++) {
    way[k].a = f->a + p->a[i + k];
    way[k].b = f->b + p->b[i + k];
    way[k].x = row_set (p->x[i + k]);
    way[k].y = row_set (p->y[i + k]);
    way[k].above = search_between (way[k].b, way[k].x);
  }
}

/* What differs in the next row, between frames. */
VFI_INLINE Row
search_difference (const VfiSearchFrames *f, SearchWay *way)
{
  Row below, e;

  way->b += f->pitch;
  below = search_between (way->b, way->x);
  e = row_fma (way->y, below - way->above, way->above - *(const Row *) way->a);
  way->a += f->pitch;
  way->above = below;
  return e;
}

/* The mean squares of what differs, less its mean, at n places; and at some more, so that they are a multiple of four. */
VFI_INLINE void
search_squares_at (const VfiSearchFrames *f, const SearchPlaces *p, int n, float *square)
{
  const float pixels = VFI_SEARCH_PATCH * VFI_SEARCH_PATCH;

  for (int i = 0; i < n; i += 4) {
    Row sum[4] = { 0 }, squares[4] = { 0 };
    Four s;

#pragma GCC unroll 2
    for (int k = 0; k < 4; k += ABREAST) {
      SearchWay way[ABREAST];

      search_set_out (f, p, i + k, way);
#pragma GCC unroll 8
      for (int y = 0; y < VFI_SEARCH_PATCH; y++)
#pragma GCC unroll 2
        for (int j = 0; j < ABREAST; j++) {
          const Row e = search_difference (f, &way[j]);

          sum[k + j] += e;
          squares[k + j] = row_fma (e, e, squares[k + j]);
        }
    }
    s = row_sums (sum);
    *(Four *) (square + i) = (row_sums (squares) - s * s / pixels) / pixels;
  }
}

/* Twice the gradients of patches, less their means. */
typedef struct
{
  Row x[VFI_SEARCH_PATCH], y[VFI_SEARCH_PATCH];
} SEARCH_ALIGNED SearchSlope;

/* Of four patches, and the sums of their products. */
VFI_INLINE void
search_slopes (const VfiSearchFrames *f, const gint32 at[4], SearchSlope slope[4], float *to_xx, float *to_xy, float *to_yy)
{
  const float pixels = VFI_SEARCH_PATCH * VFI_SEARCH_PATCH;
  const gsize pitch = f->pitch;
  Row x[4], y[4], xx[4], xy[4], yy[4];
  float mean[2][4];

#pragma GCC unroll 4
  for (int k = 0; k < 4; k++) {
    const float *a = f->a + at[k];
    Row row[VFI_SEARCH_PATCH + 2];

    x[k] = row_set (0);
#pragma GCC unroll 10
    for (int i = 0; i < VFI_SEARCH_PATCH + 2; i++)
      row[i] = *(const Row *) (a + (i - 1) * (gssize) pitch);
#pragma GCC unroll 8
    for (int i = 0; i < VFI_SEARCH_PATCH; i++) {
      const Row gx = *(const Row *) (a + i * pitch + 1) - *(const Row *) (a + i * pitch - 1);

      slope[k].x[i] = gx;
      slope[k].y[i] = row[i + 2] - row[i];
      x[k] += gx;
    }
    y[k] = (row[9] - row[1]) + (row[8] - row[0]); /* what is between adds to nothing */
  }
  *(Four *) mean[0] = row_sums (x) / pixels;
  *(Four *) mean[1] = row_sums (y) / pixels;
#pragma GCC unroll 4
  for (int k = 0; k < 4; k++) {
    const Row mean_x = row_set (mean[0][k]), mean_y = row_set (mean[1][k]);

    xx[k] = xy[k] = yy[k] = row_set (0);
#pragma GCC unroll 8
    for (int i = 0; i < VFI_SEARCH_PATCH; i++) {
      const Row gx = slope[k].x[i] - mean_x, gy = slope[k].y[i] - mean_y;

      xx[k] = row_fma (gx, gx, xx[k]);
      xy[k] = row_fma (gx, gy, xy[k]);
      yy[k] = row_fma (gy, gy, yy[k]);
      slope[k].x[i] = gx;
      slope[k].y[i] = gy;
    }
  }
  *(Four *) to_xx = row_sums (xx);
  *(Four *) to_xy = row_sums (xy);
  *(Four *) to_yy = row_sums (yy);
}

/* Sums of what differs times twice the gradients. */
VFI_INLINE void
search_products (const VfiSearchFrames *f, const SearchPlaces *p, const SearchSlope *slope, int n, float *to_x, float *to_y)
{
  for (int i = 0; i < n; i += 4) {
    Row by_x[4] = { 0 }, by_y[4] = { 0 };

#pragma GCC unroll 2
    for (int k = 0; k < 4; k += ABREAST) {
      SearchWay way[ABREAST];

      search_set_out (f, p, i + k, way);
#pragma GCC unroll 8
      for (int y = 0; y < VFI_SEARCH_PATCH; y++)
#pragma GCC unroll 2
        for (int j = 0; j < ABREAST; j++) {
          const SearchSlope *g = &slope[i + k + j];
          const Row e = search_difference (f, &way[j]);

          by_x[k + j] = row_fma (g->x[y], e, by_x[k + j]);
          by_y[k + j] = row_fma (g->y[y], e, by_y[k + j]);
        }
    }
    *(Four *) (to_x + i) = row_sums (by_x);
    *(Four *) (to_y + i) = row_sums (by_y);
  }
}

/* Patches of a row, flows of these, and how well they fit. */
typedef struct
{
  int n;
  gint32 column[4 * SEARCH_RUN + VFI_LANES];
  float u[4 * SEARCH_RUN + VFI_LANES], v[4 * SEARCH_RUN + VFI_LANES], square[4 * SEARCH_RUN + VFI_LANES];
} SEARCH_ALIGNED SearchList;

VFI_INLINE void
search_append (SearchList *l, VecI which, VecI column, Vec u, Vec v)
{
  const guint bits = vec_negative (which);

#ifdef __AVX512F__
  *(VecI *) (l->column + l->n) = (VecI) _mm512_maskz_compress_epi32 (bits, (__m512i) column);
  *(Vec *) (l->u + l->n) = (Vec) _mm512_maskz_compress_ps (bits, (__m512) u);
  *(Vec *) (l->v + l->n) = (Vec) _mm512_maskz_compress_ps (bits, (__m512) v);
  l->n += __builtin_popcount (bits);
#else
  for (guint left = bits; left; left &= left - 1, l->n++) {
    const int i = __builtin_ctz (left);

    l->column[l->n] = column[i];
    l->u[l->n] = u[i];
    l->v[l->n] = v[i];
  }
#endif
}

/* How well they fit. */
static void
search_squares (const VfiSearchFrames *f, int row, SearchList *l)
{
  SearchPlaces p;

  for (int i = l->n; i % 4; i++) {
    l->column[i] = l->column[l->n - 1];
    l->u[i] = l->u[l->n - 1];
    l->v[i] = l->v[l->n - 1];
  }
  for (int i = 0; i < l->n; i += VFI_LANES) {
    search_places (f, row, l->column + i, *(const Vec *) (l->u + i), *(const Vec *) (l->v + i), &p);
    search_squares_at (f, &p, MIN (l->n - i, VFI_LANES), l->square + i);
  }
}

/* `steps` steps of n <= VFI_LANES patches of a row from where they are, whose squares are known; arrays of VFI_LANES. */
static void
search_some_steps (const VfiSearchFrames *f, int row, gint32 *column, float *u, float *v, float *square, int n, int steps)
{
  SearchSlope slope[VFI_LANES];
  SearchPlaces p;
  float sum[3][VFI_LANES] SEARCH_ALIGNED;
  Vec xx, xy, yy, scale, to_u, to_v, du, dv, there;
  VecI better;

  for (int i = n; i < VFI_LANES; i++) {
    column[i] = column[n - 1];
    u[i] = u[n - 1];
    v[i] = v[n - 1];
  }
  to_u = *(const Vec *) u;
  to_v = *(const Vec *) v;
  search_places (f, row, column, to_u, to_v, &p);
  for (int i = 0; i < n; i += 4)
    search_slopes (f, p.a + i, slope + i, sum[0] + i, sum[1] + i, sum[2] + i);
  xx = 0.25f * *(const Vec *) sum[0] + VFI_SEARCH_RIDGE;
  xy = 0.25f * *(const Vec *) sum[1];
  yy = 0.25f * *(const Vec *) sum[2] + VFI_SEARCH_RIDGE;
  scale = 0.5f / (xx * yy - xy * xy);
  for (int i = 0; i < steps; i++) {
    search_products (f, &p, slope, n, sum[0], sum[1]);
    to_u += (xy * *(const Vec *) sum[1] - yy * *(const Vec *) sum[0]) * scale;
    to_v += (xy * *(const Vec *) sum[0] - xx * *(const Vec *) sum[1]) * scale;
    search_places (f, row, column, to_u, to_v, &p);
  }
  search_squares_at (f, &p, n, sum[0]);
  there = *(const Vec *) sum[0];
  du = to_u - *(const Vec *) u;
  dv = to_v - *(const Vec *) v;
  better = (there + VFI_SEARCH_MARGIN < *(const Vec *) square) & (du * du + dv * dv <= VFI_SEARCH_PATCH * VFI_SEARCH_PATCH);
  *(Vec *) u = (Vec) vec_selecti (better, (VecI) to_u, *(const VecI *) u);
  *(Vec *) v = (Vec) vec_selecti (better, (VecI) to_v, *(const VecI *) v);
  *(Vec *) square = (Vec) vec_selecti (better, (VecI) there, *(const VecI *) square);
}

/* As vfi_search_steps, of SEARCH_RUN patches of a row from `first` on, or as many as there are, but of those whose square is below `enough`. */
VFI_INLINE void
search_steps (const VfiSearchFrames *f, const SearchGrid *grid, const SearchFound *found, int row, int first, int steps, const float enough)
{
  const gsize at = (gsize) row * grid->pitch;
  SearchList l;

  l.n = 0;
  for (int k = first; k < first + SEARCH_RUN && steps; k += VFI_LANES) {
    const VecI column = vec_iota () + k, content = *(const Vec *) (found->square + at + k) < enough;

    search_append (&l, (column < grid->columns) & ~content, column, *(const Vec *) (found->u + at + k), *(const Vec *) (found->v + at + k));
  }
  for (int i = 0; i < l.n; i++)
    l.square[i] = found->square[at + l.column[i]];
  for (int i = 0; i < l.n; i += VFI_LANES)
    search_some_steps (f, row, l.column + i, l.u + i, l.v + i, l.square + i, MIN (l.n - i, VFI_LANES), steps);
  for (int i = 0; i < l.n; i++) {
    found->u[at + l.column[i]] = l.u[i];
    found->v[at + l.column[i]] = l.v[i];
    found->square[at + l.column[i]] = l.square[i];
  }
}

/* The same patches' first flows, and how well they fit. */
static void
search_start (const VfiSearchFrames *f, const SearchGrid *grid, const SearchFound *found, int row, int first, const float u[SEARCH_RUN],
              const float v[SEARCH_RUN])
{
  const gsize at = (gsize) row * grid->pitch + first;
  SearchList l = { .n = MIN (SEARCH_RUN, grid->columns - first) };

  for (int i = 0; i < SEARCH_RUN; i++) {
    l.column[i] = first + i;
    l.u[i] = u[i];
    l.v[i] = v[i];
  }
  search_squares (f, row, &l);
  memcpy (found->u + at, l.u, SEARCH_RUN * sizeof (float));
  memcpy (found->v + at, l.v, SEARCH_RUN * sizeof (float));
  memcpy (found->square + at, l.square, SEARCH_RUN * sizeof (float));
}

/* What neighbours so far away have found and is worth a look. */
VFI_INLINE void
search_list (const SearchGrid *grid, const SearchFound *found, int row, int first, int away, const float apart, const float enough,
             SearchList *l)
{
  const gsize at = (gsize) row * grid->pitch;
  const gboolean low = row + away < grid->rows, high = row >= away;
  const gssize aside = MIN (away, grid->columns);
  const gssize from[4] = { aside, low ? (gssize) away * grid->pitch : 0, -aside, high ? -(gssize) away * grid->pitch : 0 };

  for (int k = first; k < first + SEARCH_RUN && k < grid->columns; k += VFI_LANES) {
    const VecI column = vec_iota () + k, seen = column < grid->columns, none = { 0 };
    const VecI there[4] = { column < grid->columns - away, low ? seen : none, column >= away, high ? seen : none };
    const float *here_u = found->u + at + k, *here_v = found->v + at + k;
    const Vec u = *(const Vec *) here_u, v = *(const Vec *) here_v;
    const VecI open = seen & ~(*(const Vec *) (found->square + at + k) < enough);
    Vec to_u[4], to_v[4];
    VecI which[4];

#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      Vec du, dv;

      to_u[i] = *(const Vec *) (here_u + from[i]);
      to_v[i] = *(const Vec *) (here_v + from[i]);
      du = to_u[i] - u;
      dv = to_v[i] - v;
      which[i] = open & there[i] & (du * du + dv * dv >= apart * apart);
      if (apart == 0)
        which[i] &= (du != 0) | (dv != 0);
      for (int j = 0; j < i; j++) /* is no better the second time */
        which[i] &= ~(which[j] & (to_u[j] == to_u[i]) & (to_v[j] == to_v[i]));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
      search_append (l, which[i], column, to_u[i], to_v[i]);
  }
}

/* As vfi_search_handed, of SEARCH_RUN patches of a row, but of those whose square is below `enough`. What is read of planes begins `away` numbers before them, and
 * ends as many behind them. */
VFI_INLINE void
search_hand (const VfiSearchFrames *f, const SearchGrid *grid, const SearchFound *found, const SearchFound *next, int row, int first,
             int away, const float apart, const float enough)
{
  const gsize at = (gsize) row * grid->pitch;
  SearchList l;

  l.n = 0;
  search_list (grid, found, row, first, away, apart, enough, &l);
  search_squares (f, row, &l);
  memcpy (next->u + at + first, found->u + at + first, SEARCH_RUN * sizeof (float));
  memcpy (next->v + at + first, found->v + at + first, SEARCH_RUN * sizeof (float));
  memcpy (next->square + at + first, found->square + at + first, SEARCH_RUN * sizeof (float));
  for (int i = 0; i < l.n; i++) {
    const gsize here = at + l.column[i];
    const gboolean better = l.square[i] + VFI_SEARCH_MARGIN < next->square[here];

    next->u[here] = better ? l.u[i] : next->u[here];
    next->v[here] = better ? l.v[i] : next->v[here];
    next->square[here] = better ? l.square[i] : next->square[here];
  }
}
