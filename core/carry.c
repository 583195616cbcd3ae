/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A hole is completed with the motion of what is around it, as if all in it moved as that does. What went behind the mask as something of its
 * own, a player behind a logo, was seen before, and how it moved. Each pixel that is seen around a hole has a velocity; pixels are pushed along
 * it from frame to frame, for as long as they stay behind the mask. A camera that pans and shakes changes all motion: theirs changes as that of
 * what is still seen and moved alike. Where several come to lie on one place, that counts which was seen last: nearest in time wins, as for colours.
 */
#include "carry.h"

#include <math.h>
#include <string.h>

#include "field.h"

#define OLDEST 16  /* frames that motion goes on for */
#define HALF 8.0f  /* frames after which it counts half */
#define APART 2.0f /* pixels that the way there and back may be apart where motion is taken to be seen */
#define ALIKE 1.0f /* pixels a frame by which motions differ that are alike by a quarter */
#define DOUBT 0.1f /* how many that are alike count as much as that nothing has changed */
#define CELL 4     /* pixels of so large a square are taken to change alike */

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

gboolean
vfi_carry_seen (const VfiCarry *c, gsize pixel, float motion[2])
{
  const VfiCarried *p = &c->now[pixel];

  motion[0] = (float) p->u / VFI_CARRY_UNIT;
  motion[1] = (float) p->v / VFI_CARRY_UNIT;
  return p->age == 0;
}

static gint16
fixed (float pixels)
{
  return (gint16) CLAMP (lrintf (pixels * VFI_CARRY_UNIT), G_MININT16, G_MAXINT16);
}

/* How motion u, v changes. */
static void
change_of (const VfiChange *change, int n, float u, float v, float *du, float *dv)
{
  float sum = DOUBT, x = 0, y = 0;

  for (int i = 0; i < n; i++) {
    const VfiChange *c = &change[i];
    const float far = ((c->u - u) * (c->u - u) + (c->v - v) * (c->v - v)) / (ALIKE * ALIKE), k = c->weight / ((1 + far) * (1 + far));

    sum += k;
    x += k * c->du;
    y += k * c->dv;
  }
  *du = x / sum;
  *dv = y / sum;
}

void
vfi_carry_push (VfiCarry *c, const VfiBox *window, const VfiChange *change, int n, const VfiRegion *next)
{
  const int w = next->width, h = next->height;

  for (int cy = window->y0; cy < window->y1; cy += CELL)
    for (int cx = window->x0; cx < window->x1; cx += CELL) {
      gboolean known = FALSE;
      float du, dv;

      for (int y = cy; y < MIN (cy + CELL, window->y1); y++)
        for (int x = cx; x < MIN (cx + CELL, window->x1); x++) {
          VfiCarried *q = &c->now[(gsize) y * w + x], *p;
          float u, v;
          int px, py;

          if (q->age >= OLDEST)
            continue;
          u = (float) q->u / VFI_CARRY_UNIT;
          v = (float) q->v / VFI_CARRY_UNIT;
          if (!known)
            change_of (change, n, u, v, &du, &dv);
          known = TRUE;
          u += du;
          v += dv;
          q->u = fixed (u);
          q->v = fixed (v);
          px = (int) floorf (x + u + 0.5f);
          py = (int) floorf (y + v + 0.5f);
          if (px < 0 || py < 0 || px >= w || py >= h || next->mark[(gsize) py * w + px] == VFI_MARK_CLEAR)
            continue;
          p = &c->next[(gsize) py * w + px];
          if (p->age > q->age + 1)
            *p = (VfiCarried){ q->u, q->v, (guint16) (q->age + 1) };
        }
    }
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

void
vfi_carry_see (VfiCarry *c, const VfiBox *window, const VfiRegion *a, const VfiRegion *b, const float *there, const float *back)
{
  const int w = b->width, h = b->height;

  for (int y = window->y0; y < window->y1; y++)
    for (int x = window->x0; x < window->x1; x++) {
      const gsize i = (gsize) y * w + x;
      const float *f = back + 2 * i, qx = x + f[0], qy = y + f[1];
      float o[2], u, v;

      if (b->mark[i] != VFI_MARK_CLEAR || !(qx >= 0 && qy >= 0 && qx <= w - 1 && qy <= h - 1) ||
          vfi_region_covered (a, qx, qy) != VFI_MARK_CLEAR)
        continue;
      vfi_field_at (there, w, h, qx, qy, o);
      u = f[0] + o[0];
      v = f[1] + o[1];
      if (u * u + v * v <= APART * APART)
        c->next[i] = (VfiCarried){ fixed (-f[0]), fixed (-f[1]), 0 };
    }
}

void
vfi_carry_step (VfiCarry *c)
{
  VfiCarried *left = c->now;

  c->now = c->next;
  c->next = left;
  memset (left, 0xff, c->size * sizeof *left);
}
