/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The strokes follow "Free-form video inpainting" (Chang et al., 2019): crooked lines of round pens, here of one thickness each, that move as a
 * whole and turn back at the frame's edges.
 */
#include "hole.h"

#include <math.h>
#include <string.h>

#define PERIOD_X 80 /* frames of a round; the path closes after 560 */
#define PERIOD_Y 56
#define SWING 0.25 /* of the frame's side */

#define STROKES 4
#define POINTS 6

typedef struct
{
  double x[POINTS], y[POINTS]; /* around 0, 0 */
  double radius, start[2], speed[2];
} Stroke;

struct _ToolHole
{
  int width, height;
  gboolean moves;
  Stroke *strokes; /* NULL: not strokes */
  guint8 *const *masks;
  int n_masks;
};

ToolHole *
tool_hole_new_rectangle (int width, int height, gboolean moves)
{
  ToolHole hole = { width, height, moves };
  return g_memdup2 (&hole, sizeof hole);
}

ToolHole *
tool_hole_new_masks (int width, int height, guint8 *const *masks, int n)
{
  ToolHole hole = { width, height, .masks = masks, .n_masks = n };
  return g_memdup2 (&hole, sizeof hole);
}

ToolHole *
tool_hole_new_strokes (int width, int height, const char *name)
{
  ToolHole hole = { width, height, .strokes = g_new (Stroke, STROKES) };
  const double unit = height / 240.0;
  guint32 seed = 2166136261u; /* FNV-1a of the name */
  for (const char *c = name; *c; c++)
    seed = (seed ^ (guint8) *c) * 16777619u;
  GRand *r = g_rand_new_with_seed (seed);
  for (int k = 0; k < STROKES; k++) {
    Stroke *s = &hole.strokes[k];
    double angle = g_rand_double_range (r, 0, 2 * G_PI), x = 0, y = 0, mx = 0, my = 0;
    for (int i = 0; i < POINTS; i++) {
      s->x[i] = x;
      s->y[i] = y;
      mx += x / POINTS;
      my += y / POINTS;
      angle += g_rand_double_range (r, -1.2, 1.2);
      double length = g_rand_double_range (r, 12, 40) * unit;
      x += length * cos (angle);
      y += length * sin (angle);
    }
    for (int i = 0; i < POINTS; i++) {
      s->x[i] -= mx;
      s->y[i] -= my;
    }
    s->radius = g_rand_double_range (r, 4, 8) * unit;
    s->start[0] = g_rand_double_range (r, 0, width);
    s->start[1] = g_rand_double_range (r, 0, height);
    for (int c = 0; c < 2; c++)
      s->speed[c] = g_rand_double_range (r, -3, 3) * unit;
  }
  g_rand_free (r);
  return g_memdup2 (&hole, sizeof hole);
}

void
tool_hole_free (ToolHole *hole)
{
  if (hole)
    g_free (hole->strokes);
  g_free (hole);
}

/* To and fro between 0 and `limit`. */
static double
fold (double v, double limit)
{
  v = fmod (fabs (v), 2 * limit);
  return v > limit ? 2 * limit - v : v;
}

static double
distance_to_segment (double px, double py, double ax, double ay, double bx, double by)
{
  const double dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
  const double t = length > 0 ? CLAMP (((px - ax) * dx + (py - ay) * dy) / length, 0, 1) : 0;
  return hypot (px - ax - t * dx, py - ay - t * dy);
}

static void
draw_stroke (const ToolHole *hole, const Stroke *s, int frame, guint8 *mask)
{
  const double cx = fold (s->start[0] + frame * s->speed[0], hole->width), cy = fold (s->start[1] + frame * s->speed[1], hole->height);
  for (int i = 0; i + 1 < POINTS; i++) {
    const double ax = cx + s->x[i], ay = cy + s->y[i], bx = cx + s->x[i + 1], by = cy + s->y[i + 1];
    const int x0 = MAX (0, (int) floor (fmin (ax, bx) - s->radius)), x1 = MIN (hole->width - 1, (int) ceil (fmax (ax, bx) + s->radius));
    const int y0 = MAX (0, (int) floor (fmin (ay, by) - s->radius)), y1 = MIN (hole->height - 1, (int) ceil (fmax (ay, by) + s->radius));
    for (int y = y0; y <= y1; y++)
      for (int x = x0; x <= x1; x++)
        if (distance_to_segment (x, y, ax, ay, bx, by) <= s->radius)
          mask[(gsize) y * hole->width + x] = 255;
  }
}

void
tool_hole_draw (const ToolHole *hole, int i, guint8 *mask)
{
  const int w = hole->width, h = hole->height;
  if (hole->masks) {
    const int last = hole->n_masks - 1, there = last ? i % (2 * last) : 0;
    memcpy (mask, hole->masks[MIN (there, 2 * last - there)], (gsize) w * (gsize) h);
    return;
  }
  memset (mask, 0, (gsize) w * (gsize) h);
  if (hole->strokes) {
    for (int k = 0; k < STROKES; k++)
      draw_stroke (hole, &hole->strokes[k], i, mask);
    return;
  }
  const double cx = 0.5 + (hole->moves ? SWING * sin (2 * G_PI * i / PERIOD_X) : 0);
  const double cy = 0.5 + (hole->moves ? SWING * sin (2 * G_PI * i / PERIOD_Y) : 0);
  const int x0 = (int) lrint (cx * w - w / 8.0), y0 = (int) lrint (cy * h - h / 8.0);
  for (int y = MAX (0, y0); y < MIN (h, y0 + h / 4); y++)
    memset (mask + (gsize) y * w + x0, 255, (gsize) (w / 4));
}
