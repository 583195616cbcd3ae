/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator still, in two passes over rows: what is summed, along the rows; then down the columns, and what follows. A vector is a run of pixels.
 */
#include "still.h"
#include "isa.h"
#include "rows.h"
#include "smooth.h"

#define WINDOW VFI_STILL_WINDOW
#define LINES 6 /* of a thread: luma of both, what is summed */
#define SUMS 4  /* of g d, g g, d, e */

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  return rows_new (SUMS, dst->h, dst->w, LINES, b->threads);
}

/* A run, for the threads. */
typedef struct
{
  const Rows *s;
  Plane moved; /* the second picture */
  const VfiView *src, *dst;
} Run;

static void
look_row (gpointer data, int y, int thread)
{
  const Run *r = data;
  const Rows *s = r->s;
  const VfiView src[2] = { r->src[0], r->src[1] }, flow = r->src[2];
  const Vec down = vec_set (y);
  const int above = MAX (y - 1, 0), below = MIN (y + 1, s->h - 1), w = s->w;
  float *line = rows_line (s, thread, 0), *luma[2] = { line, line + s->pitch };
  float *product[SUMS];

  for (int k = 0; k < SUMS; k++)
    product[k] = line + (2 + k) * s->pitch;

  for (int k = 0; k < 2; k++) {
    for (int x = 0; x < w; x += VFI_LANES)
      *(Vec *) (luma[k] + x) = vec_load_pixels (&src[k], y, x, 0, MIN (w - x, VFI_LANES));
    repeat_border (luma[k], w, WINDOW);
  }
  for (int x = 0; x < w; x += VFI_LANES) {
    const int n = MIN (w - x, VFI_LANES);
    const Vec here = *(const Vec *) (luma[0] + x), along_x = VEC_TO_FLOAT (vec_iota () + x) + vec_load_pixels (&flow, y, x, 0, n);
    const Vec d = vec_abs (here - *(const Vec *) (luma[1] + x));
    const Vec along_y = down + vec_load_pixels (&flow, y, x, 1, n);
    Vec g[2];

    for (int k = 0; k < 2; k++) {
      const Vec across = *(const Vec *) (luma[k] + x + 1) - *(const Vec *) (luma[k] + x - 1);
      const Vec under = vec_load_pixels (&src[k], below, x, 0, n) - vec_load_pixels (&src[k], above, x, 0, n);

      g[k] = 0.5f * (vec_abs (across) + vec_abs (under));
    }
    g[0] = vec_min (g[0], g[1]);
    *(Vec *) (product[0] + x) = g[0] * d;
    *(Vec *) (product[1] + x) = g[0] * g[0];
    *(Vec *) (product[2] + x) = d;
    *(Vec *) (product[3] + x) = vec_abs (here - plane_sample (&r->moved, along_x, along_y)) * plane_inside (&r->moved, along_x, along_y);
  }
  for (int k = 0; k < SUMS; k++) {
    float *to = rows_at (s, k, y);

    repeat_border (product[k], w, WINDOW);
    for (int x = 0; x < w; x += VFI_LANES) {
      Vec v = vec_set (0);

      for (int i = -WINDOW; i <= WINDOW; i++)
        v += *(const Vec *) (product[k] + x + i);
      *(Vec *) (to + x) = v;
    }
  }
}

static void
fit_row (gpointer data, int y, int thread)
{
  const Run *r = data;
  const Rows *s = r->s;
  const VfiView dst = *r->dst, overlay = r->src[3];
  const float part = 1.f / ((2 * WINDOW + 1) * (2 * WINDOW + 1));

  for (int x = 0; x < s->w; x += VFI_LANES) {
    const int n = MIN (s->w - x, VFI_LANES);
    Vec mean[SUMS], v, b;

    for (int k = 0; k < SUMS; k++) {
      mean[k] = vec_set (0);
      for (int i = y - WINDOW; i <= y + WINDOW; i++)
        mean[k] += *(const Vec *) (rows_at (s, k, i) + x);
      mean[k] *= part;
    }
    v = (VFI_STILL_MOVING - (mean[0] + VFI_STILL_DARK) / (mean[1] + VFI_STILL_FLAT)) * (1 / (VFI_STILL_MOVING - VFI_STILL));
    b = VFI_STILL_BETTER * (1 - (mean[2] + VFI_STILL_DIM) / (mean[3] + VFI_STILL_DIM));
    vec_store_pixels (&dst, y, x, 0, n, vec_max (vec_unit (v) * vec_unit (b), vec_load_pixels (&overlay, y, x, 0, n)));
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  Run r = { kernel_state, plane_of (&src[1], 0), src, dst };

  vfi_cpu_each (b, dst->h, 8, look_row, &r);
  vfi_cpu_each (b, dst->h, 8, fit_row, &r);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_still) = { &vfi_op_still, NULL, prepare, run, g_free, rows_workspace, rows_bind };
