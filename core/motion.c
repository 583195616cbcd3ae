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

#define PAD 16
#define PATCH 8
#define CELL 4    /* patches are this far apart, on each level */
#define MARGIN 28 /* pixels around the boxes */
#define STEPS 5   /* of Lucas-Kanade */
#define NOISE 4.f /* squared difference that counts as none */
#define LEAST 20  /* known pixels of a patch */
#define MAX_WINDOWS 64

/* ---- pyramids ----------------------------------------------------------------------------------- */

static inline int
stride_of (const VfiPyramidLevel *l)
{
  return l->w + 2 * PAD;
}

static gsize
level_floats (int w, int h)
{
  return (gsize) (w + 2 * PAD) * (h + 2 * PAD);
}

static gsize
pyramid_layout (VfiPyramid *p, int w, int h)
{
  gsize at = 0;

  for (p->n = 0; p->n < VFI_PYRAMID_LEVELS && (p->n == 0 || MIN (w, h) >= 2 * PATCH); p->n++) {
    VfiPyramidLevel *l = &p->level[p->n];
    const gsize first = (gsize) PAD * (w + 2 * PAD) + PAD;
    *l = (VfiPyramidLevel){ w, h, NULL, NULL };
    if (p->memory) {
      l->luma = p->memory + at + first;
      l->known = p->memory + at + level_floats (w, h) + first;
    }
    at += 2 * level_floats (w, h);
    w = (w + 1) / 2;
    h = (h + 1) / 2;
  }
  return at;
}

gsize
vfi_pyramid_bytes (int width, int height)
{
  VfiPyramid p = { 0 };
  return pyramid_layout (&p, width, height) * sizeof (float);
}

gboolean
vfi_pyramid_init (VfiPyramid *p, int width, int height)
{
  const gsize bytes = vfi_pyramid_bytes (width, height);

  *p = (VfiPyramid){ 0 };
  if (!(p->memory = g_try_malloc0 (bytes)))
    return FALSE;
  pyramid_layout (p, width, height);
  return TRUE;
}

void
vfi_pyramid_clear (VfiPyramid *p)
{
  g_free (p->memory);
  *p = (VfiPyramid){ 0 };
}

/* The border repeats the nearest pixel, and is not known (as memory begins). */
static void
pad (const VfiPyramidLevel *l)
{
  const int stride = stride_of (l);

  for (int y = 0; y < l->h; y++) {
    float *row = l->luma + (gsize) y * stride;
    for (int x = 1; x <= PAD; x++) {
      row[-x] = row[0];
      row[l->w - 1 + x] = row[l->w - 1];
    }
  }
  for (int y = 1; y <= PAD; y++) {
    memcpy (l->luma - PAD - (gssize) y * stride, l->luma - PAD, stride * sizeof (float));
    memcpy (l->luma - PAD + (gssize) (l->h - 1 + y) * stride, l->luma - PAD + (gssize) (l->h - 1) * stride, stride * sizeof (float));
  }
}

void
vfi_pyramid_set (VfiPyramid *p, const VfiFrameInfo *info, const VfiFrame *frame, const VfiRegion *region)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const VfiPlaneLayout *l = &f->plane[0];
  const int part = f->rgb ? f->part[1].comp : 0, stride = stride_of (&p->level[0]);

  for (int y = 0; y < info->height; y++) {
    const guint8 *src = frame->data[0] + (gsize) y * frame->stride[0], *mark = region->mark + (gsize) y * region->width;
    float *luma = p->level[0].luma + (gsize) y * stride, *known = p->level[0].known + (gsize) y * stride;

    if (l->bytes == 1)
      for (int x = 0; x < info->width; x++)
        luma[x] = src[x * l->comps + part];
    else
      for (int x = 0; x < info->width; x++)
        luma[x] = (float) (((const guint16 *) src)[x * l->comps + part] >> l->shift) / (1 << (l->depth - 8));
    for (int x = 0; x < info->width; x++)
      known[x] = mark[x] < VFI_MARK_FILL;
  }
  pad (&p->level[0]);
  for (int i = 1; i < p->n; i++) {
    const VfiPyramidLevel *fine = &p->level[i - 1], *coarse = &p->level[i];
    const int fs = stride_of (fine), cs = stride_of (coarse);

    for (int y = 0; y < coarse->h; y++) {
      const float *top = fine->luma + (gsize) 2 * y * fs, *bottom = top + fs;
      const float *kt = fine->known + (gsize) 2 * y * fs, *kb = 2 * y + 1 < fine->h ? kt + fs : kt;
      float *luma = coarse->luma + (gsize) y * cs, *known = coarse->known + (gsize) y * cs;

      for (int x = 0; x < coarse->w; x++) {
        const int u = 2 * x, v = u + 1 < fine->w ? u + 1 : u;
        luma[x] = (top[u] + top[u + 1] + bottom[u] + bottom[u + 1]) / 4;
        known[x] = kt[u] * kt[v] * kb[u] * kb[v];
      }
    }
    pad (coarse);
  }
}

/* ---- one patch ---------------------------------------------------------------------------------- */

typedef struct
{
  float u, v;
  float error;  /* mean squared difference; below 0: nothing is known */
  float weight; /* in the membrane */
} Match;

typedef struct
{
  float value[PATCH * PATCH], gx[PATCH * PATCH], gy[PATCH * PATCH], known[PATCH * PATCH];
  float count;
} Patch;

static void
patch_of (Patch *p, const VfiPyramidLevel *l, int x0, int y0)
{
  const int stride = stride_of (l);

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
  const int ix = (int) floorf (x), iy = (int) floorf (y), stride = stride_of (l);
  const float wx = x - ix, wy = y - iy, w00 = (1 - wx) * (1 - wy), w01 = wx * (1 - wy), w10 = (1 - wx) * wy, w11 = wx * wy;
  float k[PATCH] = { 0 }, r[PATCH] = { 0 }, rr[PATCH] = { 0 }, gx[PATCH] = { 0 }, gy[PATCH] = { 0 }, xx[PATCH] = { 0 }, xy[PATCH] = { 0 },
        yy[PATCH] = { 0 }, xr[PATCH] = { 0 }, yr[PATCH] = { 0 };
  float n = 0, sr = 0, sx = 0, sy = 0;

  if (!(x >= -PAD + 1 && y >= -PAD + 1 && x <= l->w + PAD - PATCH - 2 && y <= l->h + PAD - PATCH - 2))
    return FALSE;
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

static void
try_at (const Patch *p, const VfiPyramidLevel *l, int x0, int y0, float u, float v, Match *best)
{
  Sums s;
  if (sums (p, l, x0, y0, u, v, &s) && (best->error < 0 || s.rr / s.n < best->error))
    *best = (Match){ u, v, s.rr / s.n, 0 };
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

      *m = (Match){ 0, 0, -1, 0 };
      if (x0 + PATCH >= la->w + PAD || y0 + PATCH >= la->h + PAD)
        continue;
      patch_of (&p, la, x0, y0);
      if (p.count < LEAST)
        continue;
      if (coarser) {
        const Match *c = node (coarser, cx / 2.f, cy / 2.f);
        if (c->error >= 0)
          try_at (&p, lb, x0, y0, 2 * c->u, 2 * c->v, m);
      } else {
        try_at (&p, lb, x0, y0, 0, 0, m);
      }
      if (isfinite (f[0]) && isfinite (f[1]))
        try_at (&p, lb, x0, y0, f[0] / (1 << level), f[1] / (1 << level), m);
      if (i && m[-1].error >= 0)
        try_at (&p, lb, x0, y0, m[-1].u, m[-1].v, m);
      if (j && m[-g->w].error >= 0)
        try_at (&p, lb, x0, y0, m[-g->w].u, m[-g->w].v, m);
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

/* One field of the matches, written over the window. */
static void
spread (VfiMembrane *membrane, const Grid *g, float *value, float *weight, int level, const VfiBox *window, float *field, int width)
{
  const int n = g->w * g->h;
  const float cell = (float) (CELL << level);

  for (int i = 0; i < n; i++) {
    value[2 * i] = g->match[i].u * (1 << level);
    value[2 * i + 1] = g->match[i].v * (1 << level);
    weight[i] = g->match[i].error >= 0 ? g->match[i].weight : 0;
  }
  vfi_membrane_solve (membrane, value, weight, g->w, g->h, 2);
  for (int y = window->y0; y < window->y1; y++) {
    const float v = CLAMP ((y - (g->y0 << level) + 0.5f) / cell - 0.5f, 0, g->h - 1);
    const int j = (int) v, j1 = MIN (j + 1, g->h - 1);

    for (int x = window->x0; x < window->x1; x++) {
      const float u = CLAMP ((x - (g->x0 << level) + 0.5f) / cell - 0.5f, 0, g->w - 1);
      const int i = (int) u, i1 = MIN (i + 1, g->w - 1);
      float *out = field + 2 * ((gsize) y * width + x);

      for (int c = 0; c < 2; c++) {
        const float a = value[2 * (j * g->w + i) + c], b = value[2 * (j * g->w + i1) + c];
        const float d = value[2 * (j1 * g->w + i) + c], e = value[2 * (j1 * g->w + i1) + c];
        out[c] = (1 - (v - j)) * (a + (u - i) * (b - a)) + (v - j) * (d + (u - i) * (e - d));
      }
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

  if (m->size >= size)
    return TRUE;
  g_free (m->memory);
  m->memory = g_try_malloc (size * (4 * sizeof (Match) + 3 * sizeof (float)));
  m->size = m->memory && vfi_membrane_reserve (&m->membrane, size, 2) ? size : 0;
  return m->size == size;
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
    window[n++] = (VfiBox){ MAX (box->x0 - MARGIN, 0), MAX (box->y0 - MARGIN, 0), MIN (box->x1 + MARGIN, a->width),
                            MIN (box->y1 + MARGIN, a->height), 0 };
  }
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++)
      if (window[i].x0 < window[j].x1 && window[j].x0 < window[i].x1 && window[i].y0 < window[j].y1 && window[j].y0 < window[i].y1) {
        window[i] = (VfiBox){ MIN (window[i].x0, window[j].x0), MIN (window[i].y0, window[j].y0), MAX (window[i].x1, window[j].x1),
                              MAX (window[i].y1, window[j].y1), 0 };
        window[j] = window[--n];
        i = -1;
        break;
      }
  return n;
}

void
vfi_motion_refine (VfiMotion *m, const VfiPyramid *a, const VfiRegion *region_a, const VfiPyramid *b, const VfiRegion *region_b, int finest,
                   float *there, float *back)
{
  VfiBox window[MAX_WINDOWS];
  const int n = windows (region_a, region_b, window);
  Match *memory = m->memory;
  float *value = (float *) (memory + 4 * m->size);

  finest = MIN (finest, a->n - 1);

  for (int k = 0; k < n; k++) {
    Grid g[2] = { 0 }, coarser[2];

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
      spread (&m->membrane, &g[way], value, value + 2 * m->size, finest, &window[k], way ? back : there, region_a->width);
  }
}
