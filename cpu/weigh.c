/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator weigh, in two passes over rows: both opinions, and what the pictures differ by along them; then sums of that, and what follows. A vector is a run of pixels.
 */
#include "weigh.h"
#include "area.h"
#include "isa.h"
#include "rows.h"
#include "smooth.h"

#define WINDOW VFI_WEIGH_WINDOW
#define BLOCK 8
#define LINES 6 /* of a thread: of each opinion sums down columns, and of the window; parts of these */

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  return rows_new (2, (dst->h + 1) / 2, dst->w, LINES, b->threads);
}

/* What is sampled, at time t. */
typedef struct
{
  Plane y0, y1, flow[2];
  float t;
} Planes;

/* How much the pictures differ at pixels (x, y) along velocities. */
VFI_INLINE Vec
differ (const Planes *p, Vec x, Vec y, Vec v0x, Vec v0y, Vec v1x, Vec v1y)
{
  const Vec back = vec_set (-p->t), on = vec_set (1 - p->t);
  const Vec x0 = x + back * v0x, y0 = y + back * v0y, x1 = x + on * v1x, y1 = y + on * v1y;

  return vec_abs (plane_sample (&p->y0, x0, y0) - plane_sample (&p->y1, x1, y1)) * plane_inside (&p->y0, x0, y0) *
         plane_inside (&p->y1, x1, y1);
}

static void
opinions_row (const Rows *s, const Planes *p, const VfiView *old, const VfiView *other, const VfiView *new, int row)
{
  const VfiView state = *old, flow = *other, dst = *new; /* copies: what is written might be the views, for all that the compiler knows */
  float *line[2] = { rows_at (s, 0, row / 2), rows_at (s, 1, row / 2) };
  const Vec y = vec_set (row), back = vec_set (-p->t);

  for (int i = 0; i < s->w; i += VFI_LANES) {
    const int n = MIN (s->w - i, VFI_LANES);
    const Vec x = VEC_TO_FLOAT (vec_iota () + i);
    const Vec from_x = x + back * vec_load_pixels (&flow, row, i, 0, n), from_y = y + back * vec_load_pixels (&flow, row, i, 1, n);
    const Vec u = plane_sample (&p->flow[0], from_x, from_y), v = plane_sample (&p->flow[1], from_x, from_y);

    vec_store_pixels (&dst, row, i, 6, n, u);
    vec_store_pixels (&dst, row, i, 7, n, v);
    if (row % 2 == 0) {
      Vec first[4];

      for (int c = 0; c < 4; c++)
        first[c] = vec_load_pixels (&state, row, i, c, n);
      *(Vec *) (line[0] + i) = differ (p, x, y, first[0], first[1], first[2], first[3]);
      *(Vec *) (line[1] + i) = differ (p, x, y, u, v, u, v);
    }
  }
  if (row % 2 == 0)
    for (int k = 0; k < 2; k++)
      repeat_border (line[k], s->w, WINDOW);
}

/* Along a row of w, to[x] = from[x - WINDOW] + ... + from[x + WINDOW]; of `from` as much around it is repeated. */
static void
window_row (const float *from, float *to, float *four, float *sixteen, int w)
{
  G_STATIC_ASSERT (2 * WINDOW + 1 == 16 + 4 + 1);
  const int begin = -WINDOW, end = w + WINDOW;

  for (int x = begin; x < end; x += VFI_LANES)
    *(Vec *) (four + x) =
        (*(const Vec *) (from + x) + *(const Vec *) (from + x + 1)) + (*(const Vec *) (from + x + 2) + *(const Vec *) (from + x + 3));
  for (int x = begin; x < w; x += VFI_LANES)
    *(Vec *) (sixteen + x) =
        (*(const Vec *) (four + x) + *(const Vec *) (four + x + 4)) + (*(const Vec *) (four + x + 8) + *(const Vec *) (four + x + 12));
  for (int x = 0; x < w; x += VFI_LANES)
    *(Vec *) (to + x) =
        *(const Vec *) (sixteen + x - WINDOW) + *(const Vec *) (four + x + 16 - WINDOW) + *(const Vec *) (from + x + 20 - WINDOW);
}

/* Row y of what is to be made, from the sums of both. */
static void
mix_row (const Rows *s, const float *const sum[2], const VfiView *old, const VfiView *where, const VfiView *new, int y)
{
  const VfiView state = *old, still = *where, dst = *new;
  const Vec dark = vec_set (VFI_WEIGH_DARK * (WINDOW / 2 * 2 + 1) * (2 * WINDOW + 1));

  for (int x = 0; x < s->w; x += VFI_LANES) {
    const int n = MIN (s->w - x, VFI_LANES);
    const Vec a = *(const Vec *) (sum[0] + x), b = *(const Vec *) (sum[1] + x);
    const Vec q = vec_unit (0.5f + VFI_WEIGH_SLOPE * (a - b) / (a + b + dark));
    const Vec moves = 1 - vec_load_pixels (&still, y, x, 0, n);
    Vec first[4], second[2], further[4], d = vec_set (0), m;

    for (int c = 0; c < 2; c++)
      second[c] = vec_load_pixels (&dst, y, x, 6 + c, n);
    for (int c = 0; c < 4; c++) {
      first[c] = vec_load_pixels (&state, y, x, c, n);
      further[c] = second[c % 2] - first[c];
      d = vec_max (d, vec_abs (further[c]));
    }
    m = q * vec_unit (2 - 2 / VFI_WEIGH_NEAR * d);
    for (int c = 0; c < 4; c++)
      vec_store_pixels (&dst, y, x, c, n, moves * vec_fma (m, further[c], first[c]));
    vec_store_pixels (&dst, y, x, 4, n, vec_load_pixels (&state, y, x, 4, n));
    vec_store_pixels (&dst, y, x, 5, n, q - m);
    for (int c = 0; c < 2; c++)
      vec_store_pixels (&dst, y, x, 6 + c, n, moves * second[c]);
  }
}

/* Pairs of rows of a block: sums down the columns of the first, and of the next ones by what comes and goes; so whatever thread it is. */
static void
weigh_block (const Rows *s, int first, const VfiView *state, const VfiView *still, const VfiView *dst, float *line[LINES])
{
  const int r = WINDOW / 2;

  for (int y = first; y < MIN (first + BLOCK, s->h); y++) {
    const float *sum[2] = { line[2], line[3] };

    for (int k = 0; k < 2; k++) {
      const float *come = rows_at (s, k, y + r), *gone = rows_at (s, k, y - r - 1);

      for (int x = 0; x < s->w; x += VFI_LANES) {
        Vec v = vec_set (0);

        if (y == first)
          for (int i = y - r; i <= y + r; i++)
            v += *(const Vec *) (rows_at (s, k, i) + x);
        else
          v = *(const Vec *) (line[k] + x) + (*(const Vec *) (come + x) - *(const Vec *) (gone + x));
        *(Vec *) (line[k] + x) = v;
      }
      repeat_border (line[k], s->w, WINDOW);
      window_row (line[k], line[2 + k], line[4], line[5], s->w);
    }
    for (int i = 2 * y; i < MIN (2 * y + 2, dst->h); i++)
      mix_row (s, sum, state, still, dst, i);
  }
}

/* A run, for the threads. */
typedef struct
{
  const Rows *s;
  const Planes *planes;
  const VfiView *src, *dst;
} Run;

static void
opinions (gpointer data, int y, int thread)
{
  const Run *r = data;
  opinions_row (r->s, r->planes, &r->src[3], &r->src[4], r->dst, y);
}

static void
block (gpointer data, int i, int thread)
{
  const Run *r = data;
  const Rows *s = r->s;
  float *line[LINES];

  for (int k = 0; k < LINES; k++)
    line[k] = rows_line (s, thread, k);
  weigh_block (s, i * BLOCK, &r->src[3], &r->src[5], r->dst, line);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const Rows *s = kernel_state;
  const float *part = vfi_part (node->n_src > 6 ? src[6].data : NULL);
  const Planes p = { plane_of_part (&src[0], part),
                     plane_of_part (&src[1], part),
                     { plane_of (&src[4], 0), plane_of (&src[4], 1) },
                     *(const float *) src[2].data };
  Run r = { s, &p, src, dst };

  vfi_cpu_each (b, dst->h, 8, opinions, &r);
  vfi_cpu_each (b, (s->h + BLOCK - 1) / BLOCK, 1, block, &r);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_weigh) = { &vfi_op_weigh, NULL, prepare, run, g_free, rows_workspace, rows_bind };
