/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A hole is completed with the motion of what is around it, as if all in it moved as that does. What went behind the mask as something of its
 * own, a car behind a logo, was seen before, and how it moved. Most of it goes on being seen beside the mask: a layer, which each pixel moves with
 * whose motion was near its, for as long as it stays hidden. What moves as no layer does, an arm, has a velocity of its own, which changes as that
 * of what is still seen and moved alike. Where several come to lie on one place, that counts which was seen last: nearest in time wins, as for colours.
 */
#include "carry.h"

#include <math.h>
#include <string.h>

#include "field.h"

#define OLDEST 16   /* frames that motion of its own goes on for */
#define HALF 8.0f   /* frames after which it counts half */
#define APART 2.0f  /* pixels that the way there and back may be apart where it is taken to be seen */
#define NEAR 2.5f   /* pixels from a layer's motion that are still of it */
#define ALIKE 1.0f  /* pixels a frame by which motions differ that are alike by a quarter */
#define DOUBT 0.1f  /* how many that are alike count as much as that nothing has changed */
#define CHANGES 256 /* that are looked at */
#define CELL 4      /* pixels of so large a square are taken to change alike */
#define AROUND 4    /* pixels to each side of one whose neighbours are asked */
#define JOIN 0.4f   /* how many of them make it one of theirs, */
#define ALONE 0.3f  /* and with how few like it, it is nothing */

void
vfi_carry_clear (VfiCarry *c)
{
  g_free (c->now);
  g_free (c->next);
  *c = (VfiCarry){ 0 };
}

void
vfi_carry_reset (VfiCarry *c)
{
  if (!c->size)
    return;
  memset (c->now, 0xff, c->size * sizeof *c->now); /* VFI_CARRY_NONE */
  memset (c->next, 0xff, c->size * sizeof *c->next);
  memset (c->layers, 0, sizeof c->layers);
}

gboolean
vfi_carry_reserve (VfiCarry *c, int width, int height)
{
  const gsize size = (gsize) width * height;

  if (c->size == size)
    return TRUE;
  vfi_carry_clear (c);
  c->now = g_try_new (VfiCarried, size);
  c->next = g_try_new (VfiCarried, size);
  if (!c->now || !c->next) {
    vfi_carry_clear (c);
    return FALSE;
  }
  c->size = size;
  vfi_carry_reset (c);
  return TRUE;
}

gsize
vfi_carry_bytes (const VfiCarry *c)
{
  return 2 * c->size * sizeof (VfiCarried);
}

void
vfi_carry_seen (const VfiCarry *c, gsize pixel, VfiSample *sample)
{
  const VfiCarried *p = &c->now[pixel];

  sample->known = p->age == 0;
  sample->layer = p->age == 0 ? p->layer : 0;
  sample->was[0] = (float) p->u / VFI_CARRY_UNIT;
  sample->was[1] = (float) p->v / VFI_CARRY_UNIT;
}

static gint16
fixed (float pixels)
{
  return (gint16) CLAMP (lrintf (pixels * VFI_CARRY_UNIT), G_MININT16, G_MAXINT16);
}

static VfiCarried
carried (const float motion[2], int age, int layer)
{
  return (VfiCarried){ fixed (motion[0]), fixed (motion[1]), (guint8) MIN (age, VFI_CARRY_NONE - 1), (guint8) layer };
}

/* How motion u, v changes. */
static void
change_of (const VfiSample *sample, int n, float u, float v, float change[2])
{
  float sum = DOUBT, x = 0, y = 0;

  for (int i = 0; i < n; i += (n + CHANGES - 1) / CHANGES) {
    const VfiSample *s = &sample[i];
    const float du = s->was[0] - u, dv = s->was[1] - v, far = (du * du + dv * dv) / (ALIKE * ALIKE);
    const float k = s->known ? s->weight / ((1 + far) * (1 + far)) : 0;

    sum += k;
    x += k * (s->u - s->was[0]);
    y += k * (s->v - s->was[1]);
  }
  change[0] = x / sum;
  change[1] = y / sum;
}

/* What moves on its own goes where it goes. */
static void
push_own (VfiCarry *c, const VfiBox *window, const VfiSample *sample, int n, const VfiRegion *next)
{
  const int w = next->width, h = next->height;

  for (int cy = window->y0; cy < window->y1; cy += CELL)
    for (int cx = window->x0; cx < window->x1; cx += CELL) {
      gboolean known = FALSE;
      float change[2];

      for (int y = cy; y < MIN (cy + CELL, window->y1); y++)
        for (int x = cx; x < MIN (cx + CELL, window->x1); x++) {
          VfiCarried *q = &c->now[(gsize) y * w + x], *p;
          float motion[2] = { (float) q->u / VFI_CARRY_UNIT, (float) q->v / VFI_CARRY_UNIT };
          int px, py;

          if (q->age >= OLDEST || c->layers[q->layer].seen)
            continue;
          if (!known)
            change_of (sample, n, motion[0], motion[1], change);
          known = TRUE;
          motion[0] += change[0];
          motion[1] += change[1];
          *q = carried (motion, q->age, q->layer);
          px = (int) floorf (x + motion[0] + 0.5f);
          py = (int) floorf (y + motion[1] + 0.5f);
          if (px < 0 || py < 0 || px >= w || py >= h || next->mark[(gsize) py * w + px] == VFI_MARK_CLEAR)
            continue;
          p = &c->next[(gsize) py * w + px];
          if (p->age > q->age + 1)
            *p = carried (motion, q->age + 1, q->layer);
        }
    }
}

/* For each layer, each hidden pixel asks where it came from. */
static void
pull_layers (VfiCarry *c, const VfiBox *window, const VfiRegion *next)
{
  const int w = next->width, h = next->height;

  for (int y = window->y0; y < window->y1; y++)
    for (int x = window->x0; x < window->x1; x++) {
      VfiCarried *p = &c->next[(gsize) y * w + x], *q = &c->now[(gsize) y * w + x];
      float motion[2];

      if (q->age != VFI_CARRY_NONE && c->layers[q->layer].seen) {
        vfi_affine_at (c->layers[q->layer].there, x, y, motion);
        *q = carried (motion, q->age, q->layer);
      }
      for (int k = 1; k <= VFI_LAYERS && next->mark[(gsize) y * w + x] != VFI_MARK_CLEAR; k++) {
        int qx, qy;

        if (!c->layers[k].seen)
          continue;
        vfi_affine_at (c->layers[k].back, x, y, motion);
        qx = (int) floorf (x + motion[0] + 0.5f);
        qy = (int) floorf (y + motion[1] + 0.5f);
        if (qx < 0 || qy < 0 || qx >= w || qy >= h)
          continue;
        q = &c->now[(gsize) qy * w + qx];
        if (q->layer == k && q->age != VFI_CARRY_NONE && q->age + 1 < p->age)
          *p = carried ((float[]){ -motion[0], -motion[1] }, q->age + 1, k);
      }
    }
}

void
vfi_carry_push (VfiCarry *c, const VfiBox *window, VfiSample *sample, int n, const VfiRegion *next)
{
  vfi_layers_fit (c->layers, sample, n);
  push_own (c, window, sample, n, next);
  pull_layers (c, window, next);
}

float
vfi_carry_mean (const VfiCarry *c, gboolean next, int width, const VfiBox *box, float motion[2])
{
  const VfiCarried *pixels = next ? c->next : c->now;
  float u = 0, v = 0, sum = 0;
  int n = 0;

  for (int y = box->y0; y < box->y1; y++)
    for (int x = box->x0; x < box->x1; x++) {
      const VfiCarried *p = &pixels[(gsize) y * width + x];
      const float k = 1 / (1 + p->age / HALF);

      if (p->age == VFI_CARRY_NONE)
        continue;
      u += k * p->u;
      v += k * p->v;
      sum += k;
      n++;
    }
  if (2 * n < (box->x1 - box->x0) * (box->y1 - box->y0))
    return 0;
  motion[0] = u / sum / VFI_CARRY_UNIT;
  motion[1] = v / sum / VFI_CARRY_UNIT;
  return sum / n;
}

/* What is around a pixel: how many of them move with each layer, and how old they are together. */
typedef struct
{
  int all, count[VFI_LAYERS + 1], age[VFI_LAYERS + 1];
} Around;

static void
count (Around *a, const VfiCarried *p, int sign)
{
  a->all += sign;
  if (p->age == VFI_CARRY_NONE)
    return;
  a->count[p->layer] += sign;
  a->age[p->layer] += sign * p->age;
}

/* Layers are of one piece: behind the mask, a pixel goes with most of its neighbours, and what is alone there is given up. `now` is of no use any
 * more, and holds what was. */
static void
gather (VfiCarry *c, const VfiBox *window, const VfiRegion *next)
{
  const int w = next->width;

  for (int y = window->y0; y < window->y1; y++)
    memcpy (&c->now[(gsize) y * w + window->x0], &c->next[(gsize) y * w + window->x0], (window->x1 - window->x0) * sizeof *c->now);
  for (int y = window->y0; y < window->y1; y++) {
    const int y0 = MAX (y - AROUND, window->y0), y1 = MIN (y + AROUND + 1, window->y1);
    Around a = { 0 };

    for (int x = window->x0 - AROUND; x < window->x1; x++) {
      VfiCarried *p;
      int most = 1;

      for (int j = y0; j < y1; j++) {
        if (x + AROUND < window->x1)
          count (&a, &c->now[(gsize) j * w + x + AROUND], 1);
        if (x - AROUND - 1 >= window->x0)
          count (&a, &c->now[(gsize) j * w + x - AROUND - 1], -1);
      }
      if (x < window->x0 || next->mark[(gsize) y * w + x] == VFI_MARK_CLEAR)
        continue;
      p = &c->next[(gsize) y * w + x];
      for (int k = 2; k <= VFI_LAYERS; k++)
        if (a.count[k] > a.count[most])
          most = k;
      if (c->layers[most].seen && a.count[most] >= JOIN * a.all) {
        if (p->age == VFI_CARRY_NONE || p->layer != most) {
          float motion[2];

          vfi_affine_at (c->layers[most].back, x, y, motion);
          *p = carried ((float[]){ -motion[0], -motion[1] }, a.age[most] / a.count[most], most);
        }
      } else if (p->age != VFI_CARRY_NONE && a.count[p->layer] < ALONE * a.all)
        *p = (VfiCarried){ 0, 0, VFI_CARRY_NONE, 0 };
    }
  }
}

/* Pixels that are seen go with the layer that they move most like, or on their own. */
static void
see (VfiCarry *c, const VfiBox *window, const VfiRegion *a, const VfiRegion *b, const float *there, const float *back)
{
  const int w = b->width, h = b->height;

  for (int y = window->y0; y < window->y1; y++)
    for (int x = window->x0; x < window->x1; x++) {
      const gsize i = (gsize) y * w + x;
      const float *f = back + 2 * i, qx = x + f[0], qy = y + f[1];
      float o[2], u, v;
      int layer;

      if (b->mark[i] != VFI_MARK_CLEAR || !(qx >= 0 && qy >= 0 && qx <= w - 1 && qy <= h - 1) ||
          vfi_region_covered (a, qx, qy) != VFI_MARK_CLEAR)
        continue;
      layer = vfi_layers_nearest (c->layers, TRUE, x, y, f, NEAR);
      vfi_field_at (there, w, h, qx, qy, o);
      u = f[0] + o[0];
      v = f[1] + o[1];
      if (layer || u * u + v * v <= APART * APART)
        c->next[i] = carried ((float[]){ -f[0], -f[1] }, 0, layer);
    }
}

/* What moves with a layer moves as that does: in the frame that is left; in the one that is gone to, where `mask` hides it. */
static void
write_layers (const VfiCarry *c, gboolean next, const VfiBox *window, int w, const VfiRegion *mask, float *field)
{
  for (int y = window->y0; y < window->y1; y++)
    for (int x = window->x0; x < window->x1; x++) {
      const gsize i = (gsize) y * w + x;
      const VfiCarried *p = next ? &c->next[i] : &c->now[i];

      if (p->age != VFI_CARRY_NONE && c->layers[p->layer].seen && (!mask || mask->mark[i] != VFI_MARK_CLEAR))
        vfi_affine_at (next ? c->layers[p->layer].back : c->layers[p->layer].there, x, y, field + 2 * i);
    }
}

void
vfi_carry_see (VfiCarry *c, const VfiBox *window, const VfiRegion *a, const VfiRegion *b, float *there, float *back)
{
  see (c, window, a, b, there, back);
  write_layers (c, FALSE, window, a->width, NULL, there);
  gather (c, window, b);
  write_layers (c, TRUE, window, b->width, b, back);
}

void
vfi_carry_step (VfiCarry *c)
{
  VfiCarried *left = c->now;

  c->now = c->next;
  c->next = left;
  memset (left, 0xff, c->size * sizeof *left);
}
