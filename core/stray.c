/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Strays. The motion across a hole is one that most of what is around it agrees on (core/motion.c), small things and those that pass before the rest do
 * not count. There and back agree of these as well, so a shoe at the edge of a hole would be taken for the ground that goes behind it, and stay there. But where it
 * came from by its own motion is far more like it than where the ground did. Of what is alike all over, that is only told at its edge: what comes from there by the wrong
 * motion needs less.
 */
#include "stray.h"

#include <math.h>

#include "motion.h"

#define APART 2.f  /* pixels between both motions, at least */
#define LEAST 24.f /* mean difference along the motion of what is around the hole, of 8 bits, */
#define LESS 4.f   /* or this, where it leads to what strayed already, */
#define PART 0.35f /* and this part of it at most along the pixel's own motion, */
#define STILL 0.2f /* or of none */
#define REACH 1    /* pixels around it that are compared with it, and that go with it */
#define SIDE (2 * REACH + 1)

/* Mean difference between the square around (x, y) of b and where the flow leads in a; below 0: it leads to too little that is known. */
static float
difference (const VfiPyramidLevel *a, const VfiPyramidLevel *b, int x, int y, const float *flow)
{
  const float ax = x + flow[0], ay = y + flow[1];
  const int stride = vfi_pyramid_stride (a);
  float sum = 0, n = 0;

  if (!(ax >= 0 && ay >= 0 && ax <= a->w - 1 && ay <= a->h - 1))
    return -1;
  const int ix = (int) ax, iy = (int) ay;
  const float fx = ax - ix, fy = ay - iy;

  for (int j = -REACH; j <= REACH; j++)
    for (int i = -REACH; i <= REACH; i++) {
      const gssize from = (gssize) (iy + j) * stride + ix + i, to = (gssize) (y + j) * stride + x + i;
      const float *l = a->luma + from, *k = a->known + from;
      const float known = k[0] * k[1] * k[stride] * k[stride + 1] * b->known[to];
      const float v = (1 - fy) * ((1 - fx) * l[0] + fx * l[1]) + fy * ((1 - fx) * l[stride] + fx * l[stride + 1]);

      sum += known * fabsf (v - b->luma[to]);
      n += known;
    }
  return n > SIDE * SIDE / 2 ? sum / n : -1;
}

/* Where `back` leads to what strayed already in a. */
static gboolean
from_stray (const VfiRegion *region, const VfiShown *shown, guint32 number, float x, float y)
{
  return x >= 0 && y >= 0 && x <= region->width - 1 && y <= region->height - 1 && vfi_region_covered (region, x, y) <= VFI_MARK_BAND &&
         !vfi_shown_at (shown, number, x, y);
}

static gboolean
apart (const float *u, const float *v)
{
  const float dx = u[0] - v[0], dy = u[1] - v[1];

  return dx * dx + dy * dy >= APART * APART;
}

/* Whether pixel (x, y) differs by so much at most from where a motion leads. */
static gboolean
alike (const VfiPyramidLevel *a, const VfiPyramidLevel *b, int x, int y, const float *motion, float most)
{
  const float d = difference (a, b, x, y, motion);

  return d >= 0 && d <= most;
}

void
vfi_stray_hide (const VfiPyramid *a, const VfiRegion *region_a, const VfiPyramid *b, const VfiRegion *region_b, const float *own,
                const float *back, VfiShown *shown, guint32 number)
{
  static const float still[2] = { 0, 0 };
  const VfiPyramidLevel *la = &a->level[0], *lb = &b->level[0];
  const int w = region_b->width, h = region_b->height;

  for (int k = 0; k < region_b->n_boxes; k++) {
    const VfiBox *box = &region_b->box[k];

    for (int y = MAX (box->y0 - VFI_MOTION_AROUND, 0); y < MIN (box->y1 + VFI_MOTION_AROUND, h); y++)
      for (int x = MAX (box->x0 - VFI_MOTION_AROUND, 0); x < MIN (box->x1 + VFI_MOTION_AROUND, w); x++) {
        const gsize p = (gsize) y * w + x;
        const float *f = back + 2 * p, *mine = own + 2 * p;
        const gboolean moves = apart (mine, f), rests = apart (still, f);
        float along, least;

        if (region_b->mark[p] > VFI_MARK_BAND || !(moves || rests))
          continue;
        along = difference (la, lb, x, y, f);
        least = from_stray (region_a, shown, number - 1, x + f[0], y + f[1]) ? LESS : LEAST;
        if (along >= least &&
            ((moves && alike (la, lb, x, y, mine, PART * along)) || (rests && alike (la, lb, x, y, still, STILL * along))))
          vfi_shown_hide (shown, number,
                          &(VfiBox){ MAX (x - REACH, 0), MAX (y - REACH, 0), MIN (x + REACH + 1, w), MIN (y + REACH + 1, h), 0 });
      }
  }
}
