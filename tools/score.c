/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * PSNR, IE and SSIM (Wang, Bovik, Sheikh, Simoncelli: Image quality assessment, 2004) in the form that papers on frame
 * interpolation report: MATLAB's ssim() given an RGB picture filters it as a volume, an 11 x 11 x 11 Gaussian of sigma 1.5 over rows,
 * columns and the three colours, with the border repeated. The filter is separable; along the colours it is a 3 x 3 matrix.
 */
#include "score.h"

#include <math.h>
#include <string.h>

#define RADIUS TOOL_SSIM_RADIUS
#define TAPS (2 * RADIUS + 1)
#define SIGMA 1.5
#define C1 (0.01 * 0.01)
#define C2 (0.03 * 0.03)

enum
{
  X,
  Y,
  XX,
  YY,
  XY,
  N_MOMENTS
};

static void
gaussian (double g[TAPS])
{
  double sum = 0;
  for (int i = 0; i < TAPS; i++)
    sum += g[i] = exp (-(i - RADIUS) * (i - RADIUS) / (2 * SIGMA * SIGMA));
  for (int i = 0; i < TAPS; i++)
    g[i] /= sum;
}

/* Row y of the five moments, filtered over rows: n samples of each from sample x0 on, the border repeated. */
static void
filter_rows (const ToolPicture *a, const ToolPicture *b, int y, int x0, int n, const double g[TAPS], double *const rows[N_MOMENTS])
{
  for (int m = 0; m < N_MOMENTS; m++)
    memset (rows[m], 0, sizeof (double) * 3 * (gsize) n);
  for (int k = 0; k < TAPS; k++) {
    gsize line = (gsize) CLAMP (y + k - RADIUS, 0, a->height - 1) * (gsize) a->width;
    for (int i = 0; i < n; i++) {
      gsize pixel = (line + (gsize) CLAMP (x0 + i, 0, a->width - 1)) * 3;
      const guint8 *pa = a->data + pixel, *pb = b->data + pixel;
      for (int c = 0; c < 3; c++) {
        double x = pa[c] / 255.0, z = pb[c] / 255.0;
        rows[X][3 * i + c] += g[k] * x;
        rows[Y][3 * i + c] += g[k] * z;
        rows[XX][3 * i + c] += g[k] * x * x;
        rows[YY][3 * i + c] += g[k] * z * z;
        rows[XY][3 * i + c] += g[k] * x * z;
      }
    }
  }
}

/* dst, n pixels of three colours, is row, n + 2 RADIUS of them, filtered over columns. */
static void
filter_columns (const double *row, int n, const double g[TAPS], double *dst)
{
  for (int i = 0; i < n * 3; i++) {
    double sum = 0;
    for (int k = 0; k < TAPS; k++)
      sum += g[k] * row[i + k * 3];
    dst[i] = sum;
  }
}

void
tool_ssim_map (const ToolPicture *a, const ToolPicture *b, const ToolBox *box, double *map)
{
  double g[TAPS], colours[3][3] = { 0 };
  gaussian (g);
  for (int c = 0; c < 3; c++)
    for (int k = 0; k < TAPS; k++)
      colours[c][CLAMP (c + k - RADIUS, 0, 2)] += g[k];

  const int n = box->x1 - box->x0, wide = n + 2 * RADIUS;
  g_autofree double *memory = g_new (double, N_MOMENTS * 3 * (gsize) (wide + n));
  double *rows[N_MOMENTS], *moments[N_MOMENTS];
  for (int m = 0; m < N_MOMENTS; m++) {
    rows[m] = memory + (gsize) m * 3 * (gsize) wide;
    moments[m] = memory + N_MOMENTS * 3 * (gsize) wide + (gsize) m * 3 * (gsize) n;
  }

  for (int y = box->y0; y < box->y1; y++) {
    filter_rows (a, b, y, box->x0 - RADIUS, wide, g, rows);
    for (int m = 0; m < N_MOMENTS; m++)
      filter_columns (rows[m], n, g, moments[m]);
    for (int i = 0; i < n * 3; i += 3) {
      double sum = 0;
      for (int c = 0; c < 3; c++) {
        double v[N_MOMENTS];
        for (int m = 0; m < N_MOMENTS; m++)
          v[m] = colours[c][0] * moments[m][i] + colours[c][1] * moments[m][i + 1] + colours[c][2] * moments[m][i + 2];
        double xx = v[XX] - v[X] * v[X], yy = v[YY] - v[Y] * v[Y], xy = v[XY] - v[X] * v[Y];
        sum += (2 * v[X] * v[Y] + C1) * (2 * xy + C2) / ((v[X] * v[X] + v[Y] * v[Y] + C1) * (xx + yy + C2));
      }
      *map++ = sum / 3;
    }
  }
}

static double
ssim (const ToolPicture *a, const ToolPicture *b)
{
  const gsize n = (gsize) a->width * (gsize) a->height;
  g_autofree double *map = g_new (double, n);
  double sum = 0;
  tool_ssim_map (a, b, &(ToolBox){ 0, 0, a->width, a->height }, map);
  for (gsize i = 0; i < n; i++)
    sum += map[i];
  return sum / (double) n;
}

ToolScore
tool_score (const ToolPicture *truth, const ToolPicture *picture)
{
  gsize n = (gsize) truth->width * (gsize) truth->height * 3;
  guint64 squares = 0;
  for (gsize i = 0; i < n; i++) {
    int d = truth->data[i] - picture->data[i];
    squares += (guint64) (d * d);
  }
  double mse = (double) squares / (double) n;
  return (ToolScore){ -10 * log10 (mse / (255.0 * 255.0)), ssim (truth, picture), sqrt (mse) };
}
