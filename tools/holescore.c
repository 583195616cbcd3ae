/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * PSNR and SSIM as in score.c. Warping error after "Learning blind video temporal consistency" (Lai et al., 2018): what does not follow the flow
 * of the true frames, where that can be followed.
 */
#include "holescore.h"

#include <math.h>
#include <string.h>

enum
{
  PSNR_HOLE,
  SSIM_HOLE,
  PSNR,
  SSIM,
  EWARP,
  EWARP_HOLE,
  CHANGE,
  BAND,
  FIELDS
};

G_STATIC_ASSERT (sizeof (ToolHoleScore) >= FIELDS * sizeof (double) && FIELDS == G_N_ELEMENTS (((ToolHoleMeter *) 0)->n));

static void
add (ToolHoleMeter *m, int field, double value)
{
  ((double *) &m->sum)[field] += value;
  m->n[field]++;
}

static double
psnr (double squares, double n)
{
  return squares > 0 ? fmin (-10 * log10 (squares / n / (255.0 * 255.0)), TOOL_PSNR_MAX) : TOOL_PSNR_MAX;
}

void
tool_hole_meter_add (ToolHoleMeter *m, const ToolPicture *truth, const ToolPicture *made, const guint8 *mask)
{
  const int w = truth->width, h = truth->height;
  const double all = (double) w * h;
  ToolBox box = { w, h, 0, 0 }; /* of what differs, and of the hole */
  guint64 squares = 0, squares_hole = 0, n_hole = 0;
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      const gsize i = (gsize) y * w + x;
      guint64 d2 = 0;
      for (int c = 0; c < 3; c++) {
        const int d = truth->data[3 * i + c] - made->data[3 * i + c];
        d2 += (guint64) (d * d);
      }
      squares += d2;
      if (mask[i]) {
        squares_hole += d2;
        n_hole++;
      }
      if (d2 || mask[i])
        box = (ToolBox){ MIN (box.x0, x), MIN (box.y0, y), MAX (box.x1, x + 1), MAX (box.y1, y + 1) };
    }

  double sum = all, sum_hole = 0; /* of SSIM, which is 1 where nothing in reach differs */
  if (box.x1 > box.x0) {
    const int r = TOOL_SSIM_RADIUS;
    box = (ToolBox){ MAX (0, box.x0 - r), MAX (0, box.y0 - r), MIN (w, box.x1 + r), MIN (h, box.y1 + r) };
    g_autofree double *map = g_new (double, (gsize) (box.x1 - box.x0) * (gsize) (box.y1 - box.y0));
    const double *at = map;
    tool_ssim_map (truth, made, &box, map);
    for (int y = box.y0; y < box.y1; y++)
      for (int x = box.x0; x < box.x1; x++, at++) {
        sum += *at - 1;
        if (mask[(gsize) y * w + x])
          sum_hole += *at;
      }
  }
  add (m, PSNR, psnr ((double) squares, 3 * all));
  add (m, SSIM, sum / all);
  if (n_hole) {
    add (m, PSNR_HOLE, psnr ((double) squares_hole, 3.0 * (double) n_hole));
    add (m, SSIM_HOLE, sum_hole / (double) n_hole);
  }
}

void
tool_hole_meter_add_warp (ToolHoleMeter *m, const ToolPicture *before, const ToolPicture *made, const guint8 *mask_before,
                          const guint8 *mask, const ToolBackFlow *flow)
{
  const int w = made->width, h = made->height;
  double squares = 0, squares_hole = 0;
  gsize n = 0, n_hole = 0;
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      const gsize i = (gsize) y * w + x;
      const float px = x + flow->flow[2 * i], py = y + flow->flow[2 * i + 1];
      if (!flow->valid[i] || !(px >= 0 && py >= 0 && px <= w - 1 && py <= h - 1))
        continue;
      const int ix = (int) px, iy = (int) py, right = ix + 1 < w ? 3 : 0;
      const double wx = px - ix, wy = py - iy;
      const guint8 *top = before->data + 3 * ((gsize) iy * w + ix), *bottom = iy + 1 < h ? top + 3 * (gsize) w : top;
      double d2 = 0;
      for (int c = 0; c < 3; c++) {
        const double v = (1 - wy) * ((1 - wx) * top[c] + wx * top[right + c]) + wy * ((1 - wx) * bottom[c] + wx * bottom[right + c]);
        d2 += (v - made->data[3 * i + c]) * (v - made->data[3 * i + c]);
      }
      squares += d2;
      n++;
      if (mask[i] || mask_before[(gsize) (py + 0.5f) * w + (gsize) (px + 0.5f)]) {
        squares_hole += d2;
        n_hole++;
      }
    }
  if (n)
    add (m, EWARP, 100 * squares / (3.0 * (double) n) / (255.0 * 255.0));
  if (n_hole)
    add (m, EWARP_HOLE, 100 * squares_hole / (3.0 * (double) n_hole) / (255.0 * 255.0));
}

/* near: 1 where a pixel of the mask is not further than TOOL_BAND away in x and in y. */
static void
grow (const guint8 *mask, int w, int h, guint8 *near)
{
  g_autofree guint8 *rows = g_malloc0 ((gsize) w * (gsize) h);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      if (mask[(gsize) y * w + x])
        memset (rows + (gsize) y * w + MAX (0, x - TOOL_BAND), 1, (gsize) (MIN (w, x + TOOL_BAND + 1) - MAX (0, x - TOOL_BAND)));
  memset (near, 0, (gsize) w * (gsize) h);
  for (int y = 0; y < h; y++)
    for (int k = MAX (0, y - TOOL_BAND); k < MIN (h, y + TOOL_BAND + 1); k++)
      for (int x = 0; x < w; x++)
        near[(gsize) y * w + x] |= rows[(gsize) k * w + x];
}

void
tool_hole_meter_add_change (ToolHoleMeter *m, const ToolPicture *before, const ToolPicture *made, const guint8 *mask_before,
                            const guint8 *mask)
{
  const gsize n = (gsize) made->width * (gsize) made->height;
  g_autofree guint8 *near = g_malloc (n);
  guint64 change = 0, n_change = 0, band = 0, n_band = 0;
  grow (mask, made->width, made->height, near);
  for (gsize i = 0; i < n; i++) {
    guint64 d = 0;
    for (int c = 0; c < 3; c++)
      d += (guint64) ABS (made->data[3 * i + c] - before->data[3 * i + c]);
    if (mask[i] && mask_before[i]) {
      change += d;
      n_change++;
    } else if (near[i] && !mask[i] && !mask_before[i]) {
      band += d;
      n_band++;
    }
  }
  if (n_change && n_band) {
    add (m, CHANGE, (double) change / (3.0 * (double) n_change));
    add (m, BAND, (double) band / (3.0 * (double) n_band));
  }
}

ToolHoleScore
tool_hole_meter_read (const ToolHoleMeter *m)
{
  ToolHoleScore s = m->sum;
  for (int k = 0; k < FIELDS; k++)
    ((double *) &s)[k] = m->n[k] ? ((double *) &s)[k] / m->n[k] : NAN;
  return s;
}

ToolHoleScore
tool_hole_score_mean (const ToolHoleScore *scores, guint n)
{
  ToolHoleScore mean;
  for (guint k = 0; k < sizeof mean / sizeof (double); k++) {
    double sum = 0;
    guint count = 0;
    for (guint i = 0; i < n; i++) {
      const double v = ((const double *) &scores[i])[k];
      sum += isnan (v) ? 0 : v;
      count += !isnan (v);
    }
    ((double *) &mean)[k] = count ? sum / count : NAN;
  }
  return mean;
}
