/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A membrane over weighted values, by cascadic multigrid (Bornemann and Deuflhard, The Cascadic Multigrid Method for Elliptic Problems, 1996):
 * the problem is halved until it is a few pixels, solved there, and each finer grid starts from the coarser one's solution and
 * relaxes it. In two dimensions the smoothness term has the same stencil on every grid, and weights add up.
 */
#include "membrane.h"

#include <string.h>

#define MAX_LEVELS 16
#define SWEEPS 8
#define COARSEST_SWEEPS 24
#define OMEGA 1.5f /* over-relaxation */

typedef struct
{
  int w, h;
  float *v, *data, *weight, *sum;
  const float *source; /* NULL: there are no steps; else, but on the finest grid, sum */
} Level;

/* The grids below one of w x h; returns how many there are, and what they take. */
static int
layout (Level *level, float *base, int w, int h, int channels, gboolean steps, gsize *floats)
{
  gsize at = 0;
  int n = 0;

  for (;; n++) {
    const gsize size = (gsize) w * h;
    level[n] = (Level){ .w = w, .h = h };
    level[n].data = base + at;
    at += size * channels;
    if (n) {
      level[n].v = base + at;
      at += size * channels;
      level[n].weight = base + at;
      at += size;
      if (steps) {
        level[n].source = level[n].sum = base + at;
        at += size * channels;
      }
    }
    if ((w == 1 && h == 1) || n == MAX_LEVELS - 1)
      break;
    w = (w + 1) / 2;
    h = (h + 1) / 2;
  }
  *floats = at;
  return n + 1;
}

void
vfi_membrane_clear (VfiMembrane *m)
{
  g_free (m->memory);
  *m = (VfiMembrane){ 0 };
}

gboolean
vfi_membrane_reserve (VfiMembrane *m, gsize pixels, int channels)
{
  /* Halving rounds up: 2 (w + h) pixels more than a third, and thin boxes shrink by a half only. */
  const gsize floats = pixels * channels + (pixels + 64) * (3 * channels + 1) + 1024;
  float *memory;

  if (m->size >= floats)
    return TRUE;
  if (!(memory = g_try_realloc_n (m->memory, floats, sizeof *memory)))
    return FALSE;
  m->memory = memory;
  m->size = floats;
  return TRUE;
}

static void
coarsen (const Level *fine, const float *fine_weight, Level *coarse, int channels)
{
  for (int y = 0; y < coarse->h; y++)
    for (int x = 0; x < coarse->w; x++) {
      const gsize at = (gsize) y * coarse->w + x;
      float sum = 0, data[4] = { 0 };

      for (int v = 2 * y; v < MIN (2 * y + 2, fine->h); v++)
        for (int u = 2 * x; u < MIN (2 * x + 2, fine->w); u++) {
          const gsize i = (gsize) v * fine->w + u;
          const float k = fine_weight[i];
          if (k > 0) {
            sum += k;
            for (int c = 0; c < channels; c++)
              data[c] += k * fine->data[i * channels + c];
          }
        }
      for (int c = 0; c < channels; c++)
        coarse->data[at * channels + c] = sum > 0 ? data[c] / sum : 0;
      coarse->weight[at] = MIN (sum, VFI_MEMBRANE_FIXED);
    }
}

/* Sums of the coarser grid from the finer one's: what refine interpolates, transposed, so that where in its cells a step lies makes no difference. */
static void
coarsen_steps (const Level *fine, Level *coarse, int channels)
{
  memset (coarse->sum, 0, (gsize) coarse->w * coarse->h * channels * sizeof (float));
  for (int y = 0; y < fine->h; y++)
    for (int x = 0; x < fine->w; x++) {
      const int y0 = y / 2, y1 = CLAMP (y0 + (y & 1 ? 1 : -1), 0, coarse->h - 1);
      const int x0 = x / 2, x1 = CLAMP (x0 + (x & 1 ? 1 : -1), 0, coarse->w - 1);

      for (int c = 0; c < channels; c++) {
        const float part = fine->source[((gsize) y * fine->w + x) * channels + c] / 16;
        float *near = coarse->sum + (gsize) y0 * coarse->w * channels + c, *far = coarse->sum + (gsize) y1 * coarse->w * channels + c;

        if (part == 0)
          continue;
        near[x0 * channels] += 9 * part;
        near[x1 * channels] += 3 * part;
        far[x0 * channels] += 3 * part;
        far[x1 * channels] += part;
      }
    }
}

/* v of the finer grid from the coarser one's, bilinear between the centres of its cells. */
static void
refine (const Level *coarse, const Level *fine, const float *weight, int channels)
{
  for (int y = 0; y < fine->h; y++) {
    const int y0 = y / 2, y1 = CLAMP (y0 + (y & 1 ? 1 : -1), 0, coarse->h - 1);
    const float *near = coarse->v + (gsize) y0 * coarse->w * channels, *far = coarse->v + (gsize) y1 * coarse->w * channels;

    for (int x = 0; x < fine->w; x++) {
      const int x0 = x / 2, x1 = CLAMP (x0 + (x & 1 ? 1 : -1), 0, coarse->w - 1);
      const gsize i = (gsize) y * fine->w + x;

      if (weight[i] >= VFI_MEMBRANE_FIXED)
        memcpy (fine->v + i * channels, fine->data + i * channels, channels * sizeof (float));
      else
        for (int c = 0; c < channels; c++)
          fine->v[i * channels + c] =
              (9 * near[x0 * channels + c] + 3 * (near[x1 * channels + c] + far[x0 * channels + c]) + far[x1 * channels + c]) / 16;
    }
  }
}

/* One sweep of successive over-relaxation; every other one runs backwards. The compiler makes one for each number of channels. Each pixel waits for the
 * one before it, so that one is added last. */
static inline __attribute__ ((always_inline)) void
sweep (const Level *l, const float *weight, const float *source, const int channels, gboolean backwards)
{
  const int w = l->w, h = l->h, first = backwards ? w - 1 : 0, step = backwards ? -1 : 1;

  for (int j = 0; j < h; j++) {
    const int y = backwards ? h - 1 - j : j;
    const gsize row = (gsize) y * w;
    const gboolean up = y > 0, down = y < h - 1;

    for (int k = 0, x = first; k < w; k++, x += step) {
      const float data = weight[row + x];
      const gboolean before = k > 0, after = k < w - 1;
      float *v = l->v + (row + x) * channels, scale;

      if (data >= VFI_MEMBRANE_FIXED)
        continue;
      scale = OMEGA / (up + down + before + after + data);
      for (int c = 0; c < channels; c++) {
        float sum = source ? source[(row + x) * channels + c] : 0;

        if (data > 0)
          sum += data * l->data[(row + x) * channels + c];
        if (up)
          sum += v[c - (gssize) w * channels];
        if (down)
          sum += v[c + (gssize) w * channels];
        if (after)
          sum += v[c + step * channels];
        v[c] = scale * sum + (1 - OMEGA) * v[c] + (before ? scale * v[c - step * channels] : 0);
      }
    }
  }
}

static void
relax (const Level *l, const float *weight, int channels, int sweeps)
{
  if (l->w == 1 && l->h == 1) { /* no neighbours */
    memcpy (l->v, l->data, channels * sizeof (float));
    return;
  }
#define SWEEP(n) l->source ? sweep (l, weight, l->source, n, i & 1) : sweep (l, weight, NULL, n, i & 1)
  for (int i = 0; i < sweeps; i++)
    switch (channels) {
      case 1:
        SWEEP (1);
        break;
      case 2:
        SWEEP (2);
        break;
      case 3:
        SWEEP (3);
        break;
      default:
        SWEEP (4);
    }
#undef SWEEP
}

static void
solve (VfiMembrane *m, float *v, const float *weight, const float *source, int w, int h, int channels, int sweeps)
{
  Level level[MAX_LEVELS];
  gsize floats;
  const int n = layout (level, m->memory, w, h, channels, source != NULL, &floats);

  g_return_if_fail (floats <= m->size);
  level[0].v = v;
  level[0].source = source;
  memcpy (level[0].data, v, (gsize) w * h * channels * sizeof (float));
  for (int i = 1; i < n; i++)
    coarsen (&level[i - 1], i > 1 ? level[i - 1].weight : weight, &level[i], channels);
  for (int i = 1; i < n && source; i++)
    coarsen_steps (&level[i - 1], &level[i], channels);
  if (!source && level[n - 1].weight && !(level[n - 1].weight[0] > 0)) {
    memset (v, 0, (gsize) w * h * channels * sizeof (float));
    return;
  }
  relax (&level[n - 1], n > 1 ? level[n - 1].weight : weight, channels, COARSEST_SWEEPS);
  for (int i = n - 2; i >= 0; i--) {
    const float *k = i ? level[i].weight : weight;
    refine (&level[i + 1], &level[i], k, channels);
    relax (&level[i], k, channels, i > 2 ? COARSEST_SWEEPS : i > 0 ? SWEEPS : sweeps);
  }
}

void
vfi_membrane_solve (VfiMembrane *m, float *v, const float *weight, int w, int h, int channels)
{
  solve (m, v, weight, NULL, w, h, channels, SWEEPS);
}

void
vfi_membrane_solve_roughly (VfiMembrane *m, float *v, const float *weight, int w, int h, int channels)
{
  solve (m, v, weight, NULL, w, h, channels, 0);
}

void
vfi_membrane_solve_steps (VfiMembrane *m, float *v, const float *weight, const float *step, int w, int h, int channels)
{
  solve (m, v, weight, step, w, h, channels, SWEEPS);
}
