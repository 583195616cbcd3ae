/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Samples that had a layer refit it, each by how near it stays to it; all samples then go with the layer that is nearest, their own being
 * given some grace; and where enough are near none, the motion that most of them share begins a new one.
 */
#include "layers.h"

#include <math.h>
#include <string.h>

#define ROUNDS 8
#define NEAR 1.5f  /* pixels from a layer's motion that are still of it */
#define GRACE 2.0f /* pixels that they may be farther from the one they had than from another */
#define ALIKE 2.0f /* pixels that the motion of a layer to be may vary by */
#define FEW 8      /* samples that make no layer, */
#define PART 0.03f /* nor do these of all */
#define STIFF 0.1  /* how much a layer tends to change as a whole */
#define UNIT 64.0  /* pixels, of what STIFF means */
#define CANDIDATES 128

gboolean
vfi_plane_of (const double sums[6], const double rhs[3], double out[3])
{
  const double a = sums[0], b = sums[1], c = sums[2], d = sums[3], e = sums[4], f = sums[5];
  const double m0 = d * f - e * e, m1 = c * e - b * f, m2 = b * e - c * d, det = a * m0 + b * m1 + c * m2;

  if (!(det > 1e-6))
    return FALSE;
  out[0] = (m0 * rhs[0] + m1 * rhs[1] + m2 * rhs[2]) / det;
  out[1] = (m1 * rhs[0] + (a * f - c * c) * rhs[1] + (b * c - a * e) * rhs[2]) / det;
  out[2] = (m2 * rhs[0] + (b * c - a * e) * rhs[1] + (a * d - b * b) * rhs[2]) / det;
  return TRUE;
}

/* How far a motion is from a layer's, squared. */
static inline float
apart (const float m[6], float x, float y, float u, float v)
{
  float at[2];

  vfi_affine_at (m, x, y, at);
  return (at[0] - u) * (at[0] - u) + (at[1] - v) * (at[1] - v);
}

/* The layer nearest to a motion, at most `most` pixels off, `own` being given some grace; 0: none. */
static int
nearest (const VfiLayers layers, gboolean back, float x, float y, float u, float v, float most, int own)
{
  int best = 0;

  for (int k = 1; k <= VFI_LAYERS; k++) {
    float off;

    if (!layers[k].seen)
      continue;
    off = sqrtf (apart (back ? layers[k].back : layers[k].there, x, y, u, v)) - (k == own ? GRACE : 0);
    if (off < most) {
      most = off;
      best = k;
    }
  }
  return best;
}

int
vfi_layers_nearest (const VfiLayers layers, gboolean back, float x, float y, const float motion[2], float most)
{
  return nearest (layers, back, x, y, motion[0], motion[1], most, 0);
}

/* The way back of an affine motion. */
static gboolean
invert (VfiLayer *l)
{
  const double a = 1 + l->there[1], b = l->there[2], c = l->there[4], d = 1 + l->there[5], det = a * d - b * c;
  const double m[4] = { d / det, -b / det, -c / det, a / det };

  if (!(det > 0.1))
    return FALSE;
  l->back[0] = (float) -(m[0] * l->there[0] + m[1] * l->there[3]);
  l->back[1] = (float) (m[0] - 1);
  l->back[2] = (float) m[1];
  l->back[3] = (float) -(m[2] * l->there[0] + m[3] * l->there[3]);
  l->back[4] = (float) m[2];
  l->back[5] = (float) (m[3] - 1);
  return TRUE;
}

/* Refits a layer to the samples of a number: what it adds to the motion it has, those far off counting less (Cauchy's weights). */
static gboolean
refit (VfiLayer *layer, const VfiSample *sample, int n, int number)
{
  float was[6];

  memcpy (was, layer->there, sizeof was);
  for (int round = 0; round < ROUNDS; round++) {
    const float scale = MAX (4.f - round, 1); /* what is off by more pixels counts for less than half */
    double sum = 0, cx = 0, cy = 0, normal[6] = { 1, 0, 0, STIFF, 0, STIFF }, rhs[2][3] = { { 0 } }, add[3];

    for (int pass = 0; pass < 2; pass++) {
      for (int i = 0; i < n; i++) {
        const VfiSample *s = &sample[i];
        float at[2];
        double k, x, y;

        if (s->layer != number)
          continue;
        k = s->weight / (1 + apart (layer->there, s->x, s->y, s->u, s->v) / (scale * scale));
        if (pass == 0) {
          sum += k;
          cx += k * s->x;
          cy += k * s->y;
          continue;
        }
        k /= sum;
        x = (s->x - cx) / UNIT;
        y = (s->y - cy) / UNIT;
        vfi_affine_at (was, s->x, s->y, at);
        normal[3] += k * x * x;
        normal[4] += k * x * y;
        normal[5] += k * y * y;
        for (int c = 0; c < 2; c++) {
          const double d = k * ((c ? s->v : s->u) - at[c]);
          rhs[c][0] += d;
          rhs[c][1] += d * x;
          rhs[c][2] += d * y;
        }
      }
      if (!(sum > 1e-6))
        return FALSE;
      if (pass == 0) {
        cx /= sum;
        cy /= sum;
      }
    }
    for (int c = 0; c < 2; c++) {
      float *m = layer->there + 3 * c;

      if (!vfi_plane_of (normal, rhs[c], add))
        return FALSE;
      m[1] = (float) (was[3 * c + 1] + add[1] / UNIT);
      m[2] = (float) (was[3 * c + 2] + add[2] / UNIT);
      m[0] = (float) (was[3 * c] + add[0] - (add[1] * cx + add[2] * cy) / UNIT);
    }
  }
  return invert (layer);
}

/* Each sample goes with the nearest layer. How many go with `number`. */
static int
assign (const VfiLayers layers, VfiSample *sample, int n, int number)
{
  int count = 0;

  for (int i = 0; i < n; i++) {
    VfiSample *s = &sample[i];

    s->layer = nearest (layers, FALSE, s->x, s->y, s->u, s->v, NEAR, s->layer);
    count += s->layer == number;
  }
  return count;
}

/* Of the samples without a layer, the one whose motion most share; -1 if they are too few. */
static int
most_alike (const VfiSample *sample, int n)
{
  float all = 0, most = 0;
  int best = -1, left = 0, nth = 0;

  for (int i = 0; i < n; i++) {
    all += sample[i].weight;
    left += !sample[i].layer;
  }
  for (int c = 0; c < n; c++) {
    float sum = 0;

    if (sample[c].layer || nth++ % MAX (left / CANDIDATES, 1))
      continue;
    for (int i = 0; i < n; i++) {
      const float du = sample[i].u - sample[c].u, dv = sample[i].v - sample[c].v;

      if (!sample[i].layer && du * du + dv * dv < ALIKE * ALIKE)
        sum += sample[i].weight;
    }
    if (sum > most) {
      most = sum;
      best = c;
    }
  }
  return most < PART * all ? -1 : best;
}

/* A layer that may be given up: the one not seen for longest. 0: all are seen. */
static int
spare (const VfiLayers layers)
{
  int best = 0;

  for (int k = VFI_LAYERS; k; k--)
    if (!layers[k].seen && (!best || layers[k].idle > layers[best].idle))
      best = k;
  return best;
}

void
vfi_layers_fit (VfiLayers layers, VfiSample *sample, int n)
{
  int count[VFI_LAYERS + 1] = { 0 }, k, at;

  for (int i = 0; i < n; i++)
    count[sample[i].layer]++;
  for (k = 1; k <= VFI_LAYERS; k++) {
    layers[k].seen = count[k] >= FEW && refit (&layers[k], sample, n, k);
    layers[k].idle = layers[k].seen ? 0 : layers[k].idle + 1;
  }
  assign (layers, sample, n, 0);
  while ((at = most_alike (sample, n)) >= 0 && (k = spare (layers))) {
    layers[k] = (VfiLayer){ .there = { sample[at].u, 0, 0, sample[at].v, 0, 0 }, .seen = TRUE };
    if (!refit (&layers[k], sample, n, 0) || assign (layers, sample, n, k) < FEW || !refit (&layers[k], sample, n, k)) {
      layers[k].seen = FALSE;
      assign (layers, sample, n, 0);
      break;
    }
    assign (layers, sample, n, 0);
  }
}
