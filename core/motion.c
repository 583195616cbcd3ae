/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Motion across a hole is carried from what is seen around it, so it is only as good as the flow there. A network's flow is good nowhere near a
 * hole: whatever the hole is filled with, it sees an object. Here, patches of known pixels only are matched in the frames' own
 * luma, by inverse search (Kroeger et al., Fast Optical Flow using Dense Inverse Search, 2016): from coarse to fine, from the network's
 * flow, the coarser grid's and the neighbours', whichever fits best, then Lucas-Kanade steps on differences from the patch's mean, so that
 * exposure does not count. Where patches have little texture, do not fit, or do not lead back, they weigh little in the membrane that makes
 * one field of them, through the hole as well.
 */
#include "motion.h"

#include <math.h>
#include <string.h>

#include "field.h"

#define PAD VFI_PYRAMID_PAD
#define PATCH 8
#define CELL 4       /* patches are this far apart, on each level */
#define STEPS 5      /* of Lucas-Kanade */
#define NOISE 4.f    /* squared difference that counts as none */
#define LEAST 32     /* known pixels of a patch */
#define ROUNDS 6     /* of fitting an affine motion */
#define STILL 0.06   /* pixels that the window moves where the camera stands still, */
#define SLIGHT 0.3f  /* and that parts of it seem to move */
#define FAR 2.0      /* pixels from it that count half */
#define OTHER 0.2    /* what counts for least */
#define SAMPLES 1024 /* of what is seen to move, at most */
#define SAME 1.0f    /* pixels up to which motion that goes on is no other than that around the hole */
#define NEAR 1.5f    /* pixels from a layer's motion that are still of it */
#define SURE 5.0f    /* times what it weighs alone, what moves with a layer */

/* ---- one patch ---------------------------------------------------------------------------------- */

typedef struct
{
  float u, v;
  float error;  /* mean squared difference; below 0: nothing is known */
  float weight; /* in the membrane */
  float alone;  /* what that was before it was held to the others' */
} Match;

typedef struct
{
  float value[PATCH * PATCH], gx[PATCH * PATCH], gy[PATCH * PATCH], known[PATCH * PATCH];
  float count;
} Patch;

static void
patch_of (Patch *p, const VfiPyramidLevel *l, int x0, int y0)
{
  const int stride = vfi_pyramid_stride (l);

  p->count = 0;
  for (int y = 0; y < PATCH; y++) {
    const float *row = l->luma + (gssize) (y0 + y) * stride + x0, *known = l->known + (gssize) (y0 + y) * stride + x0;
    for (int x = 0; x < PATCH; x++) {
      const int i = y * PATCH + x;
      p->value[i] = row[x];
      p->gx[i] = (row[x + 1] - row[x - 1]) / 2;
      p->gy[i] = (row[x + stride] - row[x - stride]) / 2;
      p->known[i] = known[x];
      p->count += known[x];
    }
  }
}

/* The sums of one Lucas-Kanade step at a displacement, all of differences from weighted means. */
typedef struct
{
  float n, rr, xx, xy, yy, xr, yr;
} Sums;

static gboolean
sums (const Patch *p, const VfiPyramidLevel *l, int x0, int y0, float u, float v, Sums *out)
{
  const float x = x0 + u, y = y0 + v;
  if (!(x >= -PAD + 1 && y >= -PAD + 1 && x <= l->w + PAD - PATCH - 2 && y <= l->h + PAD - PATCH - 2))
    return FALSE;
  const int ix = (int) floorf (x), iy = (int) floorf (y), stride = vfi_pyramid_stride (l);
  const float wx = x - ix, wy = y - iy, w00 = (1 - wx) * (1 - wy), w01 = wx * (1 - wy), w10 = (1 - wx) * wy, w11 = wx * wy;
  float k[PATCH] = { 0 }, r[PATCH] = { 0 }, rr[PATCH] = { 0 }, gx[PATCH] = { 0 }, gy[PATCH] = { 0 }, xx[PATCH] = { 0 }, xy[PATCH] = { 0 },
        yy[PATCH] = { 0 }, xr[PATCH] = { 0 }, yr[PATCH] = { 0 };
  float n = 0, sr = 0, sx = 0, sy = 0;

  for (int j = 0; j < PATCH; j++) {
    const float *top = l->luma + (gssize) (iy + j) * stride + ix, *bottom = top + stride;
    const float *known = l->known + (gssize) (iy + j + (wy > 0.5f)) * stride + ix + (wx > 0.5f);
    for (int i = 0; i < PATCH; i++) {
      const int q = j * PATCH + i;
      const float w = p->known[q] * known[i];
      const float d = w00 * top[i] + w01 * top[i + 1] + w10 * bottom[i] + w11 * bottom[i + 1] - p->value[q];
      k[i] += w;
      r[i] += w * d;
      rr[i] += w * d * d;
      gx[i] += w * p->gx[q];
      gy[i] += w * p->gy[q];
      xx[i] += w * p->gx[q] * p->gx[q];
      xy[i] += w * p->gx[q] * p->gy[q];
      yy[i] += w * p->gy[q] * p->gy[q];
      xr[i] += w * p->gx[q] * d;
      yr[i] += w * p->gy[q] * d;
    }
  }
  *out = (Sums){ 0 };
  for (int i = 0; i < PATCH; i++) {
    n += k[i];
    sr += r[i];
    sx += gx[i];
    sy += gy[i];
    out->rr += rr[i];
    out->xx += xx[i];
    out->xy += xy[i];
    out->yy += yy[i];
    out->xr += xr[i];
    out->yr += yr[i];
  }
  if (n < LEAST)
    return FALSE;
  out->n = n;
  out->rr = MAX (out->rr - sr * sr / n, 0);
  out->xx -= sx * sx / n;
  out->xy -= sx * sy / n;
  out->yy -= sy * sy / n;
  out->xr -= sx * sr / n;
  out->yr -= sy * sr / n;
  return TRUE;
}

static gboolean
try_at (const Patch *p, const VfiPyramidLevel *l, int x0, int y0, float u, float v, Match *best)
{
  Sums s;

  if (!sums (p, l, x0, y0, u, v, &s))
    return FALSE;
  if (best->error < 0 || s.rr / s.n < best->error)
    *best = (Match){ u, v, s.rr / s.n, 0 };
  return TRUE;
}

/* Lucas-Kanade from the best place so far. */
static void
descend (const Patch *p, const VfiPyramidLevel *l, int x0, int y0, Match *best)
{
  Match at = *best;
  Sums s;

  for (int i = 0; i <= STEPS; i++) {
    float det, du, dv, xx, yy;

    if (!sums (p, l, x0, y0, at.u, at.v, &s) || fabsf (at.u - best->u) > PATCH || fabsf (at.v - best->v) > PATCH)
      break;
    at.error = s.rr / s.n;
    if (at.error <= best->error) {
      const float trace = s.xx + s.yy, root = sqrtf ((s.xx - s.yy) * (s.xx - s.yy) + 4 * s.xy * s.xy);
      at.weight = MAX (trace - root, 0) / 2 / s.n / (NOISE + at.error);
      *best = at;
    }
    xx = s.xx + 0.5f * s.n; /* flat patches stay where they are */
    yy = s.yy + 0.5f * s.n;
    det = xx * yy - s.xy * s.xy;
    du = -(yy * s.xr - s.xy * s.yr) / det;
    dv = -(xx * s.yr - s.xy * s.xr) / det;
    at.u += du;
    at.v += dv;
    if (du * du + dv * dv < 1e-4f)
      break;
  }
}

/* ---- one window --------------------------------------------------------------------------------- */

/* A grid of matches: node (i, j) is the patch around the middle of the cell of CELL pixels at x0 + CELL i, y0 + CELL j. */
typedef struct
{
  int x0, y0, w, h;
  Match *match;
} Grid;

static Grid
grid_of (const VfiBox *window, int level, Match *memory)
{
  const int x0 = window->x0 >> level, y0 = window->y0 >> level;
  return (Grid){ x0, y0, (((window->x1 + (1 << level) - 1) >> level) - x0 + CELL - 1) / CELL,
                 (((window->y1 + (1 << level) - 1) >> level) - y0 + CELL - 1) / CELL, memory };
}

static const Match *
node (const Grid *g, float x, float y)
{
  const int i = CLAMP ((int) ((x - g->x0) / CELL), 0, g->w - 1), j = CLAMP ((int) ((y - g->y0) / CELL), 0, g->h - 1);
  return &g->match[j * g->w + i];
}

/* Matches patches of a level of a in b. */
static void
search (const Grid *g, const Grid *coarser, const VfiPyramid *a, const VfiPyramid *b, int level, const float *field)
{
  const VfiPyramidLevel *la = &a->level[level], *lb = &b->level[level];
  const int w = a->level[0].w, h = a->level[0].h;
  Patch p;

  for (int j = 0; j < g->h; j++)
    for (int i = 0; i < g->w; i++) {
      const int cx = g->x0 + CELL * i + CELL / 2, cy = g->y0 + CELL * j + CELL / 2, x0 = cx - PATCH / 2, y0 = cy - PATCH / 2;
      const float *f = field + 2 * ((gsize) MIN (cy << level, h - 1) * w + MIN (cx << level, w - 1));
      Match *m = &g->match[j * g->w + i];
      const Match *c;
      gboolean hidden = FALSE;

      *m = (Match){ 0, 0, -1, 0 };
      if (x0 + PATCH >= la->w + PAD || y0 + PATCH >= la->h + PAD)
        continue;
      patch_of (&p, la, x0, y0);
      if (p.count < LEAST)
        continue;
      try_at (&p, lb, x0, y0, 0, 0, m); /* first: what stands still stands exactly still */
      if (isfinite (f[0]) && isfinite (f[1]))
        try_at (&p, lb, x0, y0, f[0] / (1 << level), f[1] / (1 << level), m);
      /* Where what is known already leads into a hole, or out of the frame, whatever fits elsewhere fits by chance. */
      if (coarser && (c = node (coarser, cx / 2.f, cy / 2.f))->error >= 0)
        hidden = !try_at (&p, lb, x0, y0, 2 * c->u, 2 * c->v, m);
      if (i && m[-1].error >= 0)
        hidden |= !try_at (&p, lb, x0, y0, m[-1].u, m[-1].v, m);
      if (j && m[-g->w].error >= 0)
        hidden |= !try_at (&p, lb, x0, y0, m[-g->w].u, m[-g->w].v, m);
      if (hidden)
        m->error = -1;
      if (m->error >= 0)
        descend (&p, lb, x0, y0, m);
    }
}

/* Where the way there and the way back lead to different places, matches count for less. */
static void
agree (const Grid *g, const Grid *other)
{
  for (int j = 0; j < g->h; j++)
    for (int i = 0; i < g->w; i++) {
      Match *m = &g->match[j * g->w + i];
      const Match *o;
      float du, dv;

      if (m->error < 0)
        continue;
      o = node (other, g->x0 + CELL * (i + 0.5f) + m->u, g->y0 + CELL * (j + 0.5f) + m->v);
      if (o->error < 0)
        continue;
      du = m->u + o->u;
      dv = m->v + o->v;
      m->weight *= 1 / (1 + 4 * (du * du + dv * dv));
    }
}

/* What lies behind a hole mostly moves as one with most of what is around it, and the camera; what moves otherwise is often what the mask has
 * left of an object: its shadow, its edge. An affine motion is fitted to the matches, those far from it counting less each round
 * (Cauchy's weights), and what stays far from it counts less in the end, though not for nothing: it may be another surface. TRUE if it is no
 * motion at all, as far as one can tell. */
static gboolean
settle (const Grid *g, float scale)
{
  double u[3] = { 0 }, v[3] = { 0 };

  for (int round = 0; round <= ROUNDS; round++) {
    double normal[6] = { 0 }, ru[3] = { 0 }, rv[3] = { 0 };

    for (int j = 0; j < g->h; j++)
      for (int i = 0; i < g->w; i++) {
        Match *m = &g->match[j * g->w + i];
        const double x = (double) i / g->w - 0.5, y = (double) j / g->h - 0.5;
        const double du = m->u - (u[0] + u[1] * x + u[2] * y), dv = m->v - (v[0] + v[1] * x + v[2] * y);
        const double near = round ? 1 / (1 + (du * du + dv * dv) / (FAR * FAR)) : 1;
        double k;

        if (m->error < 0)
          continue;
        if (round == ROUNDS) {
          m->alone = m->weight;
          m->weight *= (float) MAX (near, OTHER);
          continue;
        }
        k = MIN (m->weight, 1) * near;
        normal[0] += k;
        normal[1] += k * x;
        normal[2] += k * y;
        normal[3] += k * x * x;
        normal[4] += k * x * y;
        normal[5] += k * y * y;
        for (int c = 0; c < 3; c++) {
          ru[c] += k * m->u * (c == 0 ? 1 : c == 1 ? x : y);
          rv[c] += k * m->v * (c == 0 ? 1 : c == 1 ? x : y);
        }
      }
    if (round < ROUNDS && (!vfi_plane_of (normal, ru, u) || !vfi_plane_of (normal, rv, v)))
      return FALSE;
  }
  return MAX (fabs (u[0]) + (fabs (u[1]) + fabs (u[2])) / 2, fabs (v[0]) + (fabs (v[1]) + fabs (v[2])) / 2) * scale < STILL;
}

/* How what is seen moves. */
static int
samples_of (const Grid *g, int level, const VfiCarry *carry, int width, int height, VfiSample *sample)
{
  const int all = g->w * g->h, each = (all + SAMPLES - 1) / SAMPLES;
  int n = 0;

  for (int i = 0; i < all; i += each) {
    const Match *m = &g->match[i];
    const int x = (g->x0 + CELL * (i % g->w) + CELL / 2) << level, y = (g->y0 + CELL * (i / g->w) + CELL / 2) << level;

    if (m->error < 0 || x >= width || y >= height)
      continue;
    sample[n] = (VfiSample){ x, y, m->u * (1 << level), m->v * (1 << level), MIN (m->weight, 1), 0, FALSE, { 0 } };
    vfi_carry_seen (carry, (gsize) y * width + x, &sample[n++]);
  }
  return n;
}

/* Matches that are of a layer move as it does, and weigh much, as it is no chance then. */
static void
snap (const Grid *g, int level, const VfiCarry *carry, int way)
{
  const float cell = (float) (CELL << level), unit = (float) (1 << level);

  for (int j = 0; j < g->h; j++)
    for (int i = 0; i < g->w; i++) {
      Match *m = &g->match[j * g->w + i];
      const float x = (g->x0 + CELL * i) * unit + (cell - 1) / 2, y = (g->y0 + CELL * j) * unit + (cell - 1) / 2;
      float motion[2] = { m->u * unit, m->v * unit };
      int k;

      if (m->error < 0 || !(k = vfi_layers_nearest (carry->layers, way, x, y, motion, NEAR)))
        continue;
      vfi_affine_at (way ? carry->layers[k].back : carry->layers[k].there, x, y, motion);
      *m = (Match){ motion[0] / unit, motion[1] / unit, m->error, SURE * m->alone, m->alone };
    }
}

/* Where nothing matches: how it moved when it was seen, if that is another motion than `field` (of the nodes, in pixels) has. FALSE if there is no
 * such place. */
static gboolean
remember (const Grid *g, int level, const VfiCarry *carry, int way, int width, int height, const float *field)
{
  const float sign = way ? -1 : 1, scale = sign / (1 << level);
  gboolean any = FALSE;

  for (int j = 0; j < g->h; j++)
    for (int i = 0; i < g->w; i++) {
      Match *m = &g->match[j * g->w + i];
      const int x = (g->x0 + CELL * i) << level, y = (g->y0 + CELL * j) << level;
      const VfiBox box = { x, y, MIN (x + (CELL << level), width), MIN (y + (CELL << level), height), 0 };
      const float *f = field + 2 * (j * g->w + i);
      float motion[2], weight, du, dv;

      if (m->error >= 0 || x >= width || y >= height || !((weight = vfi_carry_mean (carry, way, width, &box, motion)) > 0))
        continue;
      du = sign * motion[0] - f[0];
      dv = sign * motion[1] - f[1];
      if (du * du + dv * dv < SAME * SAME)
        continue;
      *m = (Match){ scale * motion[0], scale * motion[1], 0, weight, weight };
      any = TRUE;
    }
  return any;
}

/* One motion of the matches, in pixels at the nodes. Where the camera stands still, what moves by a fraction of a pixel only seems to: it is noise, and
 * would make the fill crawl. */
static gboolean
spread (VfiMembrane *membrane, VfiComplete *complete, const Grid *g, float *value, float *weight, int level, gboolean still, GError **error)
{
  const int n = g->w * g->h;

  for (int i = 0; i < n; i++) {
    value[2 * i] = g->match[i].u * (1 << level);
    value[2 * i + 1] = g->match[i].v * (1 << level);
    weight[i] = g->match[i].error >= 0 ? g->match[i].weight : 0;
  }
  vfi_membrane_solve (membrane, value, weight, g->w, g->h, 2);
  if (complete && !still && !vfi_complete_run (complete, value, weight, g->w, g->h, error))
    return FALSE;
  for (int i = 0; i < n && still; i++)
    if (value[2 * i] * value[2 * i] + value[2 * i + 1] * value[2 * i + 1] < SLIGHT * SLIGHT)
      value[2 * i] = value[2 * i + 1] = 0;
  return TRUE;
}

/* From the nodes to all pixels of the window. */
static void
write_field (const Grid *g, const float *value, int level, const VfiBox *window, float *field, int width)
{
  const float cell = (float) (CELL << level);

  for (int y = window->y0; y < window->y1; y++) {
    const float v = CLAMP ((y - (g->y0 << level) + 0.5f) / cell - 0.5f, 0, g->h - 1);

    for (int x = window->x0; x < window->x1; x++) {
      const float u = CLAMP ((x - (g->x0 << level) + 0.5f) / cell - 0.5f, 0, g->w - 1);

      vfi_field_at (value, g->w, g->h, u, v, field + 2 * ((gsize) y * width + x));
    }
  }
}

static gsize
nodes_of (int w, int h)
{
  return (gsize) (w / CELL + 2) * (h / CELL + 2);
}

void
vfi_motion_clear (VfiMotion *m)
{
  vfi_membrane_clear (&m->membrane);
  g_free (m->memory);
  *m = (VfiMotion){ 0 };
}

gboolean
vfi_motion_reserve (VfiMotion *m, int width, int height)
{
  const gsize size = nodes_of (width, height);
  void *memory;

  if (m->size >= size)
    return TRUE;
  if (!vfi_membrane_reserve (&m->membrane, size, 2) ||
      !(memory = g_try_realloc_n (m->memory, size, 4 * sizeof (Match) + 3 * sizeof (float))))
    return FALSE;
  m->memory = memory;
  m->size = size;
  return TRUE;
}

gsize
vfi_motion_bytes (const VfiMotion *m)
{
  return m->size * (4 * sizeof (Match) + 3 * sizeof (float)) + m->membrane.size * sizeof (float);
}

/* The boxes of both regions with what is around them; those that overlap become one. */
static int
windows (const VfiRegion *a, const VfiRegion *b, VfiBox *window)
{
  int n = 0;

  for (int k = 0; k < a->n_boxes + b->n_boxes; k++) {
    const VfiBox *box = k < a->n_boxes ? &a->box[k] : &b->box[k - a->n_boxes];
    window[n++] = (VfiBox){ MAX (box->x0 - VFI_MOTION_AROUND, 0), MAX (box->y0 - VFI_MOTION_AROUND, 0),
                            MIN (box->x1 + VFI_MOTION_AROUND, a->width), MIN (box->y1 + VFI_MOTION_AROUND, a->height), 0 };
  }
  return vfi_boxes_merge (window, n);
}

gboolean
vfi_motion_refine (VfiMotion *m, const VfiPyramid *a, const VfiRegion *region_a, const VfiPyramid *b, const VfiRegion *region_b, int finest,
                   VfiComplete *complete, float *there, float *back, VfiCarry *carry, float *const on[2], GError **error)
{
  const int width = region_a->width, height = region_a->height;
  VfiBox window[2 * VFI_MAX_BOXES];
  const int n = windows (region_a, region_b, window);
  Match *memory = m->memory;
  float *value = (float *) (memory + 4 * m->size), *weight = value + 2 * m->size;

  finest = MIN (finest, a->n - 1);

  for (int k = 0; k < n; k++) {
    Grid g[2] = { 0 }, coarser[2];
    gboolean still[2];

    for (int level = a->n - 1; level >= finest; level--) {
      for (int way = 0; way < 2; way++) {
        coarser[way] = g[way];
        g[way] = grid_of (&window[k], level, memory + (2 * way + level % 2) * m->size);
        search (&g[way], level < a->n - 1 ? &coarser[way] : NULL, way ? b : a, way ? a : b, level, way ? back : there);
      }
    }
    agree (&g[0], &g[1]);
    agree (&g[1], &g[0]);
    for (int way = 0; way < 2; way++)
      still[way] = settle (&g[way], (float) (1 << finest));
    if (carry) {
      VfiSample sample[SAMPLES];
      vfi_carry_push (carry, &window[k], sample, samples_of (&g[0], finest, carry, width, height, sample), region_b);
    }
    for (int way = 0; way < 2; way++) {
      float *field = way ? back : there, *moved = carry ? on[way] : field;

      if (carry)
        snap (&g[way], finest, carry, way);
      if (!spread (&m->membrane, complete, &g[way], value, weight, finest, still[way], error))
        return FALSE;
      if (moved != field)
        write_field (&g[way], value, finest, &window[k], field, width);
      if (carry && remember (&g[way], finest, carry, way, width, height, value) &&
          !spread (&m->membrane, complete, &g[way], value, weight, finest, still[way], error))
        return FALSE;
      write_field (&g[way], value, finest, &window[k], moved, width);
    }
    if (carry)
      vfi_carry_see (carry, &window[k], region_a, region_b, on[0], on[1]);
  }
  if (carry)
    vfi_carry_step (carry);
  return TRUE;
}
