/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator overlay, in two passes over rows: what is counted; then what is proven around each pixel. A vector is a run of pixels.
 */
#include "overlay.h"
#include "isa.h"
#include "rows.h"
#include "smooth.h"

#define LINES 3 /* of a thread: x and y of the flow; of the coarse flow, or what is proven in three rows */

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  return rows_new (0, dst->h, dst->w, LINES, b->threads);
}

/* Row y of a channel of a flow on a grid k times as coarse, bilinear. */
static void
flow_row (const VfiView *flow, int k, int c, int y, float *coarse, float *to)
{
  const float at = CLAMP ((y + 0.5f) / k - 0.5f, 0, flow->h - 1);
  const int above = (int) at, below = MIN (above + 1, flow->h - 1), n = flow->w;
  const float part = at - above;

  for (int x = 0; x < n; x++)
    coarse[x] = (1 - part) * vfi_view_get (flow, above, x, c) + part * vfi_view_get (flow, below, x, c);
  repeat_border (coarse, n, 1);
  for (int x = 0; x < n; x++, to += k)
    for (int i = 0; i < k; i += VFI_LANES) { /* what is too much is written over, or lies behind the row */
      const Vec place = (VEC_TO_FLOAT (vec_iota () + i) + 0.5f) * (1.f / k) - 0.5f;
      const Vec left = vec_max (-place, vec_set (0)), right = vec_max (place, vec_set (0));

      *(Vec *) (to + i) = left * coarse[x - 1] + (1 - left - right) * coarse[x] + right * coarse[x + 1];
    }
}

/* A run, for the threads. */
typedef struct
{
  const Rows *s;
  Plane y0;
  gboolean follows;
  const VfiView *src, *dst;
} Run;

static void
count_row (gpointer data, int y, int thread)
{
  const Run *r = data;
  const VfiView y0 = r->src[0], y1 = r->src[1], before = r->src[4], dst = *r->dst;
  float *line[LINES];

  for (int k = 0; k < LINES; k++)
    line[k] = rows_line (r->s, thread, k);
  for (int c = 0; c < 2; c++)
    flow_row (&r->src[2], dst.w / r->src[2].w, c, y, line[2], line[c]);
  for (int x = 0; x < dst.w; x += VFI_LANES) {
    const int n = MIN (dst.w - x, VFI_LANES);
    const Vec here = vec_load_pixels (&y1, y, x, 0, n), from_x = VEC_TO_FLOAT (vec_iota () + x) - *(const Vec *) (line[0] + x);
    const Vec stays = vec_abs (vec_load_pixels (&y0, y, x, 0, n) - here);
    const Vec moves = vec_abs (plane_sample (&r->y0, from_x, vec_set (y) - *(const Vec *) (line[1] + x)) - here);
    const Vec count = (moves - VFI_OVERLAY_AGAIN * stays - VFI_OVERLAY_LITTLE) * (1 / (VFI_OVERLAY_MUCH - VFI_OVERLAY_LITTLE));
    const Vec keeps = (VFI_OVERLAY_CHANGES - stays) * (1 / (VFI_OVERLAY_CHANGES - VFI_OVERLAY_STAYS));
    const Vec so_far = r->follows ? vec_load_pixels (&before, y, x, 0, n) : vec_set (0);

    vec_store_pixels (&dst, y, x, 0, n, vec_unit (keeps) * vec_min (so_far + vec_unit (count), vec_set (VFI_OVERLAY_MOST)));
  }
}

static void
prove_row (gpointer data, int y, int thread)
{
  const Run *r = data;
  const VfiView dst = *r->dst;
  const int above = MAX (y - 1, 0), below = MIN (y + 1, dst.h - 1);
  float *line = rows_line (r->s, thread, 2);

  for (int x = 0; x < dst.w; x += VFI_LANES) {
    const int n = MIN (dst.w - x, VFI_LANES);
    const Vec most = vec_max (vec_load_pixels (&dst, y, x, 0, n),
                              vec_max (vec_load_pixels (&dst, above, x, 0, n), vec_load_pixels (&dst, below, x, 0, n)));

    *(Vec *) (line + x) = vec_unit (most - VFI_OVERLAY_ENOUGH);
  }
  repeat_border (line, dst.w, 1);
  for (int x = 0; x < dst.w; x += VFI_LANES)
    vec_store_pixels (&dst, y, x, 1, MIN (dst.w - x, VFI_LANES),
                      vec_max (*(const Vec *) (line + x), vec_max (*(const Vec *) (line + x - 1), *(const Vec *) (line + x + 1))));
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  Run r = { kernel_state, plane_of (&src[0], 0), *(const float *) src[3].data > 0, src, dst };

  vfi_cpu_each (b, dst->h, 8, count_row, &r);
  vfi_cpu_each (b, dst->h, 8, prove_row, &r);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_overlay) = { &vfi_op_overlay, NULL, prepare, run, g_free, rows_workspace, rows_bind };
