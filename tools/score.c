/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * PSNR, IE and SSIM (Wang, Bovik, Sheikh, Simoncelli: Image quality assessment, 2004) in the form that papers on frame
 * interpolation report: MATLAB's ssim() given an RGB picture filters it as a volume, an 11 x 11 x 11 Gaussian of sigma 1.5 over rows,
 * columns and the three colours, with the border repeated. The filter is separable; along the colours it is a 3 x 3 matrix.
 */
#include "score.h"

#include <math.h>
#include <string.h>

#define RADIUS 5
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

/* Row y of the five moments, filtered over rows: rows[m], each n samples long. */
static void
filter_rows (const ToolPicture *a, const ToolPicture *b, int y, const double g[TAPS], double *const rows[N_MOMENTS])
{
  int n = a->width * 3;
  for (int m = 0; m < N_MOMENTS; m++)
    memset (rows[m], 0, sizeof (double) * (gsize) n);
  for (int k = 0; k < TAPS; k++) {
    gsize line = (gsize) CLAMP (y + k - RADIUS, 0, a->height - 1) * (gsize) n;
    const guint8 *pa = a->data + line, *pb = b->data + line;
    for (int i = 0; i < n; i++) {
      double x = pa[i] / 255.0, z = pb[i] / 255.0;
      rows[X][i] += g[k] * x;
      rows[Y][i] += g[k] * z;
      rows[XX][i] += g[k] * x * x;
      rows[YY][i] += g[k] * z * z;
      rows[XY][i] += g[k] * x * z;
    }
  }
}

/* dst = row filtered over columns, three colours interleaved; padded: room for width + 2 RADIUS pixels. */
static void
filter_columns (const double *row, int width, const double g[TAPS], double *padded, double *dst)
{
  memcpy (padded + RADIUS * 3, row, sizeof (double) * 3 * (gsize) width);
  for (int i = 0; i < RADIUS; i++) {
    memcpy (padded + i * 3, row, sizeof (double) * 3);
    memcpy (padded + (RADIUS + width + i) * 3, row + (width - 1) * 3, sizeof (double) * 3);
  }
  for (int i = 0; i < width * 3; i++) {
    double sum = 0;
    for (int k = 0; k < TAPS; k++)
      sum += g[k] * padded[i + k * 3];
    dst[i] = sum;
  }
}

static double
ssim (const ToolPicture *a, const ToolPicture *b)
{
  double g[TAPS], colours[3][3] = { 0 };
  gaussian (g);
  for (int c = 0; c < 3; c++)
    for (int k = 0; k < TAPS; k++)
      colours[c][CLAMP (c + k - RADIUS, 0, 2)] += g[k];

  gsize n = (gsize) a->width * 3;
  g_autofree double *memory = g_new (double, (2 * N_MOMENTS + 1) * n + 2 * RADIUS * 3);
  double *rows[N_MOMENTS], *moments[N_MOMENTS], *padded = memory + 2 * N_MOMENTS * n;
  for (int m = 0; m < N_MOMENTS; m++) {
    rows[m] = memory + (gsize) m * n;
    moments[m] = memory + (gsize) (N_MOMENTS + m) * n;
  }

  double sum = 0;
  for (int y = 0; y < a->height; y++) {
    filter_rows (a, b, y, g, rows);
    for (int m = 0; m < N_MOMENTS; m++)
      filter_columns (rows[m], a->width, g, padded, moments[m]);
    for (int i = 0; i < a->width * 3; i += 3)
      for (int c = 0; c < 3; c++) {
        double v[N_MOMENTS];
        for (int m = 0; m < N_MOMENTS; m++)
          v[m] = colours[c][0] * moments[m][i] + colours[c][1] * moments[m][i + 1] + colours[c][2] * moments[m][i + 2];
        double xx = v[XX] - v[X] * v[X], yy = v[YY] - v[Y] * v[Y], xy = v[XY] - v[X] * v[Y];
        sum += (2 * v[X] * v[Y] + C1) * (2 * xy + C2) / ((v[X] * v[X] + v[Y] * v[Y] + C1) * (xx + yy + C2));
      }
  }
  return sum / ((double) n * a->height);
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
