/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Flow to look at: see flowdraw.h.
 */
#include "flowdraw.h"

#include <math.h>
#include <string.h>

#include "vfi.h"

float
gst_vfi_flow_reach (int width, int height, const float *flow)
{
  float most = 1;
  for (gsize i = 0; i < (gsize) width * height; i++) {
    const float square = flow[2 * i] * flow[2 * i] + flow[2 * i + 1] * flow[2 * i + 1];
    most = square > most ? square : most;
  }
  return sqrtf (most);
}

/* ---- colour, grey -------------------------------------------------------------------------------- */

void
gst_vfi_flow_draw_colour (int width, int height, const float *flow, float reach, guint8 *rgbx, int stride)
{
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      const float *f = flow + 2 * ((gsize) y * width + x);
      vfi_flow_colour (f[0] / reach, f[1] / reach, rgbx + (gsize) y * stride + 4 * x);
    }
}

void
gst_vfi_flow_draw_magnitude (int width, int height, const float *flow, float reach, guint8 *rgbx, int stride)
{
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      const float *f = flow + 2 * ((gsize) y * width + x);
      const float v = fminf (hypotf (f[0], f[1]) / reach, 1) * 255 + 0.5f;
      memset (rgbx + (gsize) y * stride + 4 * x, (int) v, 3);
    }
}

/* ---- arrows ------------------------------------------------------------------------------------- */

#define CELL 16

static void
line (int width, int height, float x0, float y0, float x1, float y1, const guint8 rgb[3], guint8 *rgbx, int stride)
{
  const float longest = fminf (fmaxf (fabsf (x1 - x0), fabsf (y1 - y0)), (float) (width + height));
  const int n = (int) ceilf (longest) + 1;
  for (int i = 0; i <= n; i++) {
    const float x = x0 + (x1 - x0) * i / n, y = y0 + (y1 - y0) * i / n;
    if (x >= 0 && x <= width - 1 && y >= 0 && y <= height - 1)
      memcpy (rgbx + (gsize) (y + 0.5f) * stride + 4 * (int) (x + 0.5f), rgb, 3);
  }
}

void
gst_vfi_flow_draw_arrows (int width, int height, const float *flow, float reach, guint8 *rgbx, int stride)
{
  for (int y = 0; y < height; y++)
    for (int x = 0; x < 4 * width; x++)
      rgbx[(gsize) y * stride + x] /= 2;
  for (int y = CELL / 2; y < height; y += CELL)
    for (int x = CELL / 2; x < width; x += CELL) {
      const float *f = flow + 2 * ((gsize) y * width + x);
      const float tip_x = x + f[0], tip_y = y + f[1];
      guint8 rgb[3];
      vfi_flow_colour (f[0] / reach, f[1] / reach, rgb);
      line (width, height, x, y, tip_x, tip_y, rgb, rgbx, stride);
      for (int side = -1; side <= 1; side += 2) /* a quarter of the arrow goes back on both sides of its tip */
        line (width, height, tip_x, tip_y, tip_x - (f[0] + side * f[1] / 2) / 4, tip_y - (f[1] - side * f[0] / 2) / 4, rgb, rgbx, stride);
    }
}

/* ---- error -------------------------------------------------------------------------------------- */

void
gst_vfi_flow_draw_error (int width, int height, const float *flow, const guint8 *here, const guint8 *there, guint8 *dst, int stride)
{
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      const float *f = flow + 2 * ((gsize) y * width + x);
      const float px = x + f[0], py = y + f[1];
      const gsize at = (gsize) y * stride + 4 * x;
      const gboolean inside = px >= 0 && px <= width - 1 && py >= 0 && py <= height - 1;
      for (int c = 0; c < 3; c++) {
        float error = 0;
        if (inside) {
          const int ix = MIN ((int) px, MAX (width - 2, 0)), iy = MIN ((int) py, MAX (height - 2, 0));
          const float wx = px - ix, wy = py - iy;
          const guint8 *p = there + (gsize) iy * stride + 4 * ix + c;
          const int right = width > 1 ? 4 : 0, down = height > 1 ? stride : 0;
          error = fabsf ((1 - wy) * ((1 - wx) * p[0] + wx * p[right]) + wy * ((1 - wx) * p[down] + wx * p[down + right]) - here[at + c]);
        }
        dst[at + c] = (guint8) fminf (4 * error, 255);
      }
    }
}
