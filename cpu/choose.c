/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator choose, in three passes over rows: both opinions and how much worse the second is; which is taken; the mean of it. A vector is a run of pixels.
 */
#include <omp.h>

#include "choose.h"
#include "isa.h"
#include "smooth.h"

#define WINDOW VFI_CHOOSE_WINDOW
#define SOFT VFI_CHOOSE_SOFT
#define PAD 32 /* around a row, so that neighbours are plain loads */
#define BLOCK 16
#define LINES 3

/* Planes of h rows of `pitch` floats, pixel 0 at PAD: the second opinion, how much worse it is, whether it is taken; then LINES rows for each thread. */
typedef struct
{
  int h, w, pitch, threads;
  float *second[2], *worse, *take, *lines;
} State;

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);

  s->h = dst->h, s->w = dst->w, s->threads = b->threads;
  s->pitch = (dst->w + 2 * PAD + VFI_LANES - 1) / VFI_LANES * VFI_LANES;
  return s;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;

  return (4 * (gsize) s->h + LINES * s->threads) * s->pitch * sizeof (float);
}

static void
bind (gpointer state, void *place)
{
  State *s = state;
  float **part[] = { &s->second[0], &s->second[1], &s->worse, &s->take, &s->lines };
  float *at = place;

  for (guint i = 0; i < G_N_ELEMENTS (part); i++, at += (gsize) s->h * s->pitch)
    *part[i] = at;
}

static float *
row_of (const State *s, float *plane, int y)
{
  return plane + (gsize) CLAMP (y, 0, s->h - 1) * s->pitch + PAD;
}

static void
repeat_border (float *row, int w, int n)
{
  for (int i = 1; i <= n; i++) {
    row[-i] = row[0];
    row[w - 1 + i] = row[w - 1];
  }
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
  const Vec e = plane_sample (&p->y0, x + back * v0x, y + back * v0y) - plane_sample (&p->y1, x + on * v1x, y + on * v1y);

  return vec_max (e, -e);
}

static void
opinions_row (const State *s, const Planes *p, const VfiView *old, const VfiView *other, int row)
{
  const VfiView state = *old, flow = *other;
  float *worse = row_of (s, s->worse, row);
  const Vec y = vec_set (row), back = vec_set (-p->t);

  for (int i = 0; i < s->w; i += VFI_LANES) {
    const int n = MIN (s->w - i, VFI_LANES);
    const Vec x = VEC_TO_FLOAT (vec_iota () + i);
    const Vec from_x = x + back * vec_load_pixels (&flow, row, i, 0, n), from_y = y + back * vec_load_pixels (&flow, row, i, 1, n);
    const Vec u = plane_sample (&p->flow[0], from_x, from_y), v = plane_sample (&p->flow[1], from_x, from_y);
    const Vec v0x = vec_load_pixels (&state, row, i, 0, n), v0y = vec_load_pixels (&state, row, i, 1, n);
    const Vec v1x = vec_load_pixels (&state, row, i, 2, n), v1y = vec_load_pixels (&state, row, i, 3, n);

    *(Vec *) (row_of (s, s->second[0], row) + i) = u;
    *(Vec *) (row_of (s, s->second[1], row) + i) = v;
    *(Vec *) (worse + i) = VFI_CHOOSE_DOUBT * differ (p, x, y, u, v, u, v) - differ (p, x, y, v0x, v0y, v1x, v1y);
  }
  repeat_border (worse, s->w, WINDOW);
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

/* Rows of a block: sums down the columns of the first one, and of the next ones by what comes and goes; so whatever thread it is. */
static void
take_block (const State *s, int first, float *line[LINES])
{
  for (int y = first; y < MIN (first + BLOCK, s->h); y++) {
    float *take = row_of (s, s->take, y);
    const float *come = row_of (s, s->worse, y + WINDOW), *gone = row_of (s, s->worse, y - WINDOW - 1);

    for (int x = 0; x < s->w; x += VFI_LANES) {
      Vec sum = vec_set (0);

      if (y == first)
        for (int i = y - WINDOW; i <= y + WINDOW; i++)
          sum += *(const Vec *) (row_of (s, s->worse, i) + x);
      else
        sum = *(const Vec *) (line[0] + x) + (*(const Vec *) (come + x) - *(const Vec *) (gone + x));
      *(Vec *) (line[0] + x) = sum;
    }
    repeat_border (line[0], s->w, WINDOW);
    window_row (line[0], take, line[1], line[2], s->w);
    for (int x = 0; x < s->w; x += VFI_LANES)
      *(Vec *) (take + x) = (Vec) ((*(const Vec *) (take + x) < 0) & (VecI) vec_set (1));
    repeat_border (take, s->w, SOFT);
  }
}

static void
mix_row (const State *s, const VfiView *old, const VfiView *new, int row, float *line)
{
  const VfiView state = *old, dst = *new; /* copies: what is written might be the views, for all that the compiler knows */
  const float *take[2 * SOFT + 1];

  for (int i = 0; i <= 2 * SOFT; i++)
    take[i] = row_of (s, s->take, row + i - SOFT);
  for (int x = -VFI_LANES; x < s->w + SOFT; x += VFI_LANES) {
    Vec sum = vec_set (0);

    for (int i = 0; i <= 2 * SOFT; i++)
      sum += *(const Vec *) (take[i] + x);
    *(Vec *) (line + x) = sum;
  }
  for (int x = 0; x < s->w; x += VFI_LANES) {
    const int n = MIN (s->w - x, VFI_LANES);
    Vec m = vec_set (0);

    for (int k = x - SOFT; k <= x + SOFT; k++)
      m += *(const Vec *) (line + k);
    m *= 1.f / ((2 * SOFT + 1) * (2 * SOFT + 1));
    for (int c = 0; c < 5; c++) {
      Vec v = vec_load_pixels (&state, row, x, c, n);

      if (c < 4)
        v += m * (*(const Vec *) (row_of (s, s->second[c % 2], row) + x) - v);
      vec_store_pixels (&dst, row, x, c, n, v);
    }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const State *s = kernel_state;
  const Planes p = {
    plane_of (&src[0], 0), plane_of (&src[1], 0), { plane_of (&src[4], 0), plane_of (&src[4], 1) }, *(const float *) src[2].data
  };

#pragma omp parallel
  {
    float *line[LINES];

    for (int i = 0; i < LINES; i++)
      line[i] = s->lines + ((gsize) omp_get_thread_num () * LINES + i) * s->pitch + PAD;

#pragma omp for
    for (int y = 0; y < s->h; y++)
      opinions_row (s, &p, &src[3], &src[4], y);
#pragma omp for
    for (int y = 0; y < s->h; y += BLOCK)
      take_block (s, y, line);
#pragma omp for
    for (int y = 0; y < s->h; y++)
      mix_row (s, &src[3], dst, y, line[0]);
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_choose) = { &vfi_op_choose, NULL, prepare, run, g_free, workspace, bind };
