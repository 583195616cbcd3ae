/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The parts of operators inverse_search and dense_search (ops/ says what they do), one patch or pixel each, written once for all backends. Sums
 * run over the columns of a patch side by side, so that a compiler makes vectors of them.
 */
#pragma once

#include <math.h>

#include "hd.h"

#define VFI_SEARCH_PATCH 8 /* pixels a side */
#define VFI_SEARCH_CELL 4  /* pixels between patches, of a row and most often from row to row */
#define VFI_SEARCH_STEPS 5
#define VFI_SEARCH_ROUNDS 4
#define VFI_SEARCH_GREY 255.f
#define VFI_SEARCH_RIDGE 0.064f
#define VFI_SEARCH_MARGIN 0.05f
#define VFI_SEARCH_ENOUGH 9.f
#define VFI_SEARCH_APART 0.25f /* pixels */
#define VFI_SEARCH_LOOSE 0.3f
#define VFI_SEARCH_KEPT 0.9f
#define VFI_SEARCH_LEAST 1.f
#define VFI_SEARCH_PAD 12 /* pixels around the frames in grey, repeated */

/* Frames in grey: a[y * pitch + x] and b, from -PAD to h or w + PAD - 1; and how many pixels it is from one row of patches to the next. */
typedef struct
{
  const float *a, *b;
  int h, w, pitch, down;
} VfiSearchFrames;

/* What is known of a patch: the flow, and the mean square of what differs along it. */
typedef struct
{
  float u, v, square;
} VfiSearchFound;

/* A patch of the first frame, its gradient less the mean of that, and what differs at the place last looked at. */
typedef struct
{
  float look[64], gx[64], gy[64], e[64];
  float xx, xy, yy;
  int y, x; /* of the first pixel */
} VfiSearchPatch;

/* Eight columns side by side. */
#if defined(_OPENMP) && !defined(__CUDACC__)
#define VFI_SEARCH_COLUMNS _Pragma ("omp simd") for (int k = 0; k < 8; k++)
#else
#define VFI_SEARCH_COLUMNS for (int k = 0; k < 8; k++)
#endif

/* Patches so many pixels apart; the first begins CELL pixels before the frame. */
static VFI_HD inline int
vfi_search_patches (int pixels, int apart)
{
  return (pixels + apart - 1) / apart + 1;
}

static VFI_HD inline int
vfi_search_columns (int w)
{
  return vfi_search_patches (w, VFI_SEARCH_CELL);
}

/* NaN becomes the least. */
static VFI_HD inline float
vfi_search_clamp (float v, float least, float most)
{
  v = v > least ? v : least;
  return v < most ? v : most;
}

static VFI_HD inline float
vfi_search_sum (const float v[8])
{
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

static VFI_HD inline void
vfi_search_centre (float v[64])
{
  float sum[8] = { 0 }, mean;

  for (int i = 0; i < 64; i += 8)
    VFI_SEARCH_COLUMNS sum[k] += v[i + k];
  mean = vfi_search_sum (sum) / 64;
  for (int i = 0; i < 64; i += 8)
    VFI_SEARCH_COLUMNS v[i + k] -= mean;
}

static VFI_HD inline float
vfi_search_product (const float a[64], const float b[64])
{
  float sum[8] = { 0 };

  for (int i = 0; i < 64; i += 8)
    VFI_SEARCH_COLUMNS sum[k] += a[i + k] * b[i + k];
  return vfi_search_sum (sum);
}

/* Patch (row, column), without its gradient: enough to compare flows. */
static VFI_HD inline void
vfi_search_look (const VfiSearchFrames *f, int row, int column, VfiSearchPatch *p)
{
  p->y = row * f->down - VFI_SEARCH_CELL;
  p->x = (column - 1) * VFI_SEARCH_CELL;
  for (int i = 0; i < 8; i++) {
    const float *a = f->a + (p->y + i) * f->pitch + p->x;

    VFI_SEARCH_COLUMNS p->look[8 * i + k] = a[k];
  }
}

/* Its gradient. */
static VFI_HD inline void
vfi_search_slope (const VfiSearchFrames *f, VfiSearchPatch *p)
{
  for (int i = 0; i < 8; i++) {
    const float *a = f->a + (p->y + i) * f->pitch + p->x;

    VFI_SEARCH_COLUMNS
    {
      p->gx[8 * i + k] = (a[k + 1] - a[k - 1]) / 2;
      p->gy[8 * i + k] = (a[k + f->pitch] - a[k - f->pitch]) / 2;
    }
  }
  vfi_search_centre (p->gx);
  vfi_search_centre (p->gy);
  p->xx = vfi_search_product (p->gx, p->gx) + VFI_SEARCH_RIDGE;
  p->xy = vfi_search_product (p->gx, p->gy);
  p->yy = vfi_search_product (p->gy, p->gy) + VFI_SEARCH_RIDGE;
}

static VFI_HD inline void
vfi_search_patch (const VfiSearchFrames *f, int row, int column, VfiSearchPatch *p)
{
  vfi_search_look (f, row, column, p);
  vfi_search_slope (f, p);
}

/* What differs along a flow, into p->e. Beyond the border all pixels are the same, so places are brought near it; NaN too. */
static VFI_HD inline void
vfi_search_difference (const VfiSearchFrames *f, VfiSearchPatch *p, float u, float v)
{
  const float dy = vfi_search_clamp (v, -VFI_SEARCH_PATCH - p->y, f->h - p->y);
  const float dx = vfi_search_clamp (u, -VFI_SEARCH_PATCH - p->x, f->w - p->x);
  const int iy = (int) floorf (dy), ix = (int) floorf (dx);
  const float fy = dy - iy, fx = dx - ix, *b = f->b + (p->y + iy) * f->pitch + p->x + ix;
  float above[8];

  VFI_SEARCH_COLUMNS above[k] = (1 - fx) * b[k] + fx * b[k + 1];
  for (int i = 0; i < 8; i++) {
    b += f->pitch;
    VFI_SEARCH_COLUMNS
    {
      const float below = (1 - fx) * b[k] + fx * b[k + 1];
      p->e[8 * i + k] = (1 - fy) * above[k] + fy * below - p->look[8 * i + k];
      above[k] = below;
    }
  }
}

/* The mean square of p->e less its mean, which p->e loses. */
static VFI_HD inline float
vfi_search_square (VfiSearchPatch *p)
{
  vfi_search_centre (p->e);
  return vfi_search_product (p->e, p->e) / 64;
}

/* n Lucas-Kanade steps from what was found; kept if they lead to less, and not too far away. */
static VFI_HD inline VfiSearchFound
vfi_search_steps (const VfiSearchFrames *f, VfiSearchPatch *p, VfiSearchFound here, int n)
{
  const float det = p->xx * p->yy - p->xy * p->xy;
  VfiSearchFound there = here;
  float du, dv;

  vfi_search_difference (f, p, here.u, here.v);
  here.square = vfi_search_square (p);
  for (int i = 0; i < n; i++) { /* e has its mean, which matters nothing to the products: gx and gy have none */
    const float gx = vfi_search_product (p->gx, p->e), gy = vfi_search_product (p->gy, p->e);
    there.u += (p->xy * gy - p->yy * gx) / det;
    there.v += (p->xy * gx - p->xx * gy) / det;
    vfi_search_difference (f, p, there.u, there.v);
  }
  there.square = vfi_search_square (p);
  du = there.u - here.u, dv = there.v - here.v;
  return there.square + VFI_SEARCH_MARGIN < here.square && du * du + dv * dv <= VFI_SEARCH_PATCH * VFI_SEARCH_PATCH ? there : here;
}

/* The mean of one component of a flow in the 2x2 pixels around the corner between pixels (y - 1, x - 1) and (y, x); `pixel` floats from one to the next. */
static VFI_HD inline float
vfi_search_first (const float *flow, int pixel, int h, int w, int y, int x)
{
  const int top = (y ? (y <= h ? y - 1 : h - 1) : 0) * w, low = (y < h ? y : h - 1) * w;
  const int left = x ? (x <= w ? x - 1 : w - 1) : 0, right = x < w ? x : w - 1;

  return (flow[(top + left) * pixel] + flow[(top + right) * pixel] + flow[(low + left) * pixel] + flow[(low + right) * pixel]) / 4;
}

/* A neighbour's flow, if that is better. */
static VFI_HD inline VfiSearchFound
vfi_search_better (const VfiSearchFrames *f, VfiSearchPatch *p, VfiSearchFound here, float u, float v)
{
  vfi_search_difference (f, p, u, v);
  const VfiSearchFound there = { u, v, vfi_search_square (p) };

  return there.square + VFI_SEARCH_MARGIN < here.square ? there : here;
}

/* The best of what was found for a patch (row, column) that has been looked at, and for the four that are so many patches away: right, below, left, above; but not
 * of those that lie within so many pixels of this one's. found: all patches, row after row. */
static VFI_HD inline VfiSearchFound
vfi_search_handed (const VfiSearchFrames *f, const VfiSearchFound *found, int row, int column, int away, float apart, VfiSearchPatch *p)
{
  const int rows = vfi_search_patches (f->h, f->down), columns = vfi_search_columns (f->w);
  const VfiSearchFound *at = found + row * columns + column,
                       *near[4] = { column + away < columns ? at + away : at, row + away < rows ? at + away * columns : at,
                                    column >= away ? at - away : at, row >= away ? at - away * columns : at };
  VfiSearchFound here = *at;

  for (int i = 0; i < 4; i++) {
    const float du = near[i]->u - at->u, dv = near[i]->v - at->v;

    if (du * du + dv * dv >= apart * apart)
      here = vfi_search_better (f, p, here, near[i]->u, near[i]->v);
  }
  return here;
}

/* The second look at patch (row, column): at its neighbours' flows of the first one. */
static VFI_HD inline VfiSearchFound
vfi_search_again (const VfiSearchFrames *f, const VfiSearchFound *found, int row, int column, VfiSearchPatch *p)
{
  vfi_search_patch (f, row, column, p);
  return vfi_search_steps (f, p, vfi_search_handed (f, found, row, column, 1, 0, p), VFI_SEARCH_STEPS);
}

/* A patch's flow and its neighbours': the less it fits, the more of theirs. `square` stays. */
static VFI_HD inline VfiSearchFound
vfi_search_smooth (const VfiSearchFound *found, int rows, int columns, int row, int column)
{
  VfiSearchFound here = found[row * columns + column];
  const float k = 1 / (1 + here.square);
  float u = 0, v = 0, sum = 0;

  for (int i = row - 1; i <= row + 1; i++)
    for (int j = column - 1; j <= column + 1; j++) {
      const VfiSearchFound *near = found + (i < 0 ? 0 : i < rows ? i : rows - 1) * columns + (j < 0 ? 0 : j < columns ? j : columns - 1);
      const float weight = 1 / (1 + near->square);
      u += weight * near->u;
      v += weight * near->v;
      sum += weight;
    }
  here.u = (k * here.u + VFI_SEARCH_LOOSE * u / sum) / (k + VFI_SEARCH_LOOSE);
  here.v = (k * here.v + VFI_SEARCH_LOOSE * v / sum) / (k + VFI_SEARCH_LOOSE);
  return here;
}

/* The mean of what four patches have found: u, v. */
static VFI_HD inline VfiSearchFound
vfi_search_mean (const VfiSearchFound *const of[4], const float weight[4])
{
  VfiSearchFound mean = { 0, 0, 0 };
  float sum = 0;

  for (int i = 0; i < 4; i++) {
    mean.u += weight[i] * of[i]->u;
    mean.v += weight[i] * of[i]->v;
    sum += weight[i];
  }
  mean.u /= sum;
  mean.v /= sum;
  return mean;
}

/* The flow of all pixels of the cell between patches (row, column), the next in the row, and the two below: u, v. */
static VFI_HD inline VfiSearchFound
vfi_search_cell (const VfiSearchFound *found, int columns, int row, int column)
{
  const VfiSearchFound *at = found + row * columns + column, *of[4] = { at, at + 1, at + columns, at + columns + 1 };
  float weight[4];

  for (int i = 0; i < 4; i++)
    weight[i] = 1 / (1 + of[i]->square);
  return vfi_search_mean (of, weight);
}

/* What differs between pixel (y, x) of the first frame and where a flow leads. Where between pixels that is, the flow alone says, the same for all pixels. */
static VFI_HD inline float
vfi_search_miss (const VfiSearchFrames *f, int y, int x, float u, float v)
{
  const float dy = vfi_search_clamp (v, -1 - y, f->h - y), dx = vfi_search_clamp (u, -1 - x, f->w - x);
  const int iy = (int) floorf (dy), ix = (int) floorf (dx);
  const float fy = dy - iy, fx = dx - ix, *b = f->b + (y + iy) * f->pitch + x + ix;
  const float top = (1 - fx) * b[0] + fx * b[1], bottom = (1 - fx) * b[f->pitch] + fx * b[f->pitch + 1];

  return fabsf ((1 - fy) * top + fy * bottom - f->a[y * f->pitch + x]);
}

/* Of dense_search: the flow of a pixel, of which its four patches have found theirs; the less a patch misses there, the more it counts. */
static VFI_HD inline VfiSearchFound
vfi_search_between (const VfiSearchFrames *f, const VfiSearchFound *const of[4], int y, int x)
{
  float weight[4];

  for (int i = 0; i < 4; i++) {
    const float miss = vfi_search_miss (f, y, x, of[i]->u, of[i]->v);
    weight[i] = 1 / (miss > 1 ? miss : 1);
  }
  return vfi_search_mean (of, weight);
}

static VFI_HD inline VfiSearchFound
vfi_search_pixel (const VfiSearchFrames *f, const VfiSearchFound *found, int y, int x)
{
  const int columns = vfi_search_columns (f->w);
  const VfiSearchFound *at = found + y / f->down * columns + x / VFI_SEARCH_CELL, *of[4] = { at, at + 1, at + columns, at + columns + 1 };

  return vfi_search_between (f, of, y, x);
}
