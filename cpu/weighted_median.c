/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator weighted_median: first planes with a border, then a run of pixels at a time, whose weights stay in the first cache.
 */
#include "weighted_median.h"
#include "isa.h"

#define PLACES VFI_MEDIAN_PLACES
#define SIDE (2 * VFI_MEDIAN_RADIUS + 1)
#define REACH (VFI_MEDIAN_RADIUS * VFI_MEDIAN_STEP)
#define PAD 32 /* at least REACH */

enum
{
  U, /* v1 */
  V,
  TRUST, /* 1 / (1 + | apart |^2) + DOUBT */
  LUMA,
  CHROMA, /* times CHROMA */
  N_PLANES = CHROMA + 2,
};

/* Rows of `pitch` floats, pixel 0 at PAD: h of each plane, one after the other. */
typedef struct
{
  int h, w, pitch;
  float *planes;
} State;

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *s = g_new0 (State, 1);

  s->h = dst->h, s->w = dst->w;
  s->pitch = (dst->w + 2 * PAD + 2 * VFI_LANES - 1) / VFI_LANES * VFI_LANES;
  return s;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;

  return (gsize) N_PLANES * s->h * s->pitch * sizeof (float);
}

static void
bind (gpointer state, void *place)
{
  ((State *) state)->planes = place;
}

static float *
row_of (const State *s, int plane, int y)
{
  return s->planes + ((gsize) plane * s->h + CLAMP (y, 0, s->h - 1)) * s->pitch + PAD;
}

/* A run, for the threads. */
typedef struct
{
  const State *s;
  const VfiView *src, *dst;
} Run;

static void
fill_row (gpointer data, int y, int thread)
{
  const Run *r = data;
  const VfiView *state = &r->src[0], *apart = &r->src[1], *luma = &r->src[2], *chroma = &r->src[3];
  const int w = r->s->w;
  float *row[N_PLANES];

  for (int i = 0; i < N_PLANES; i++)
    row[i] = row_of (r->s, i, y);
  for (int x = 0; x < w; x += VFI_LANES) {
    const int n = MIN (w - x, VFI_LANES);
    const Vec a = vec_load_pixels (apart, y, x, 0, n), b = vec_load_pixels (apart, y, x, 1, n);

    *(Vec *) (row[TRUST] + x) = 1 / (1 + a * a + b * b) + VFI_MEDIAN_DOUBT;
    *(Vec *) (row[LUMA] + x) = vec_load_pixels (luma, y, x, 0, n);
    for (int c = 0; c < 2; c++) {
      *(Vec *) (row[U + c] + x) = vec_load_pixels (state, y, x, 2 + c, n);
      *(Vec *) (row[CHROMA + c] + x) = VFI_MEDIAN_CHROMA * vec_load_pixels (chroma, y, x, c, n);
    }
  }
  for (int i = 0; i < N_PLANES; i++)
    for (int x = 1; x <= REACH; x++) {
      row[i][-x] = row[i][0];
      row[i][w - 1 + x] = row[i][w - 1];
    }
}

static void
median_row (gpointer data, int y, int thread)
{
  const Run *r = data;
  const State *s = r->s;
  const VfiView state = r->src[0], apart = r->src[1], dst = *r->dst;
  const float *row[N_PLANES][SIDE];

  for (int i = 0; i < N_PLANES; i++)
    for (int j = 0; j < SIDE; j++)
      row[i][j] = row_of (s, i, y + (j - VFI_MEDIAN_RADIUS) * VFI_MEDIAN_STEP) - REACH;
  for (int x = 0; x < s->w; x += VFI_LANES) {
    const int n = MIN (s->w - x, VFI_LANES);
    Vec w[PLACES], here[3], u = vec_set (0), v = u;

    for (int c = 0; c < 3; c++)
      here[c] = *(const Vec *) (row_of (s, LUMA + c, y) + x);
    for (int k = 0; k <= VFI_MEDIAN_ROUNDS; k++) {
      Vec sum = vec_set (0), su = sum, sv = sum;

      for (int i = 0; i < PLACES; i++) {
        const int j = i / SIDE, at = x + i % SIDE * VFI_MEDIAN_STEP;
        const Vec p = *(const Vec *) (row[U][j] + at), q = *(const Vec *) (row[V][j] + at);
        Vec g;

        if (k == 0) {
          Vec differ = vec_set (0);

          for (int c = 0; c < 3; c++) {
            const Vec d = *(const Vec *) (row[LUMA + c][j] + at) - here[c];
            differ = vec_fma (d, d, differ);
          }
          g = vec_exp (vec_max (differ * (-0.5f / (VFI_MEDIAN_ALIKE * VFI_MEDIAN_ALIKE)), vec_set (-87))) *
              *(const Vec *) (row[TRUST][j] + at);
          w[i] = g;
        } else {
          const Vec du = p - u, dv = q - v;
          g = w[i] * vec_rsqrt (vec_fma (du, du, vec_fma (dv, dv, vec_set (VFI_MEDIAN_NEAR * VFI_MEDIAN_NEAR))));
        }
        sum += g;
        su = vec_fma (g, p, su);
        sv = vec_fma (g, q, sv);
      }
      u = su / sum;
      v = sv / sum;
    }
    {
      const Vec a = vec_load_pixels (&apart, y, x, 0, n), b = vec_load_pixels (&apart, y, x, 1, n),
                logit = vec_load_pixels (&state, y, x, 4, n);
      const Vec open = 1 + vec_exp (vec_max (vec_min (-logit, vec_set (40)), vec_set (-87)));
      const Vec kept = 1 / (open * open * (1 + VFI_MEDIAN_KEPT * (a * a + b * b)));

      for (int c = 0; c < 2; c++)
        vec_store_pixels (&dst, y, x, c, n, vec_load_pixels (&state, y, x, c, n));
      vec_store_pixels (&dst, y, x, 2, n, vec_fma (kept, vec_load_pixels (&state, y, x, 2, n) - u, u));
      vec_store_pixels (&dst, y, x, 3, n, vec_fma (kept, vec_load_pixels (&state, y, x, 3, n) - v, v));
      vec_store_pixels (&dst, y, x, 4, n, logit);
    }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  Run r = { state, src, dst };

  vfi_cpu_each (b, dst->h, 8, fill_row, &r);
  vfi_cpu_each (b, dst->h, 4, median_row, &r);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_weighted_median) = { &vfi_op_weighted_median, NULL, prepare, run, g_free, workspace, bind };
