/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Single samples of a frame's planes, for code that looks at few of them or is written to be read.
 */
#pragma once

#include <math.h>
#include <string.h>

#include "frame.h"

typedef struct
{
  const VfiPlaneLayout *l;
  int w, h, stride;
  guint8 *data;
} VfiPlane;

static inline VfiPlane
vfi_plane_of (const VfiFrameInfo *info, const VfiFrame *frame, int i)
{
  VfiPlane p = { .l = &vfi_format_desc (info->format)->plane[i], .stride = frame->stride[i], .data = frame->data[i] };
  vfi_frame_info_plane_size (info, i, &p.w, &p.h);
  return p;
}

static inline int
vfi_plane_get (const VfiPlane *p, int y, int x, int c)
{
  const guint8 *row = p->data + (gsize) y * p->stride;
  const int i = x * p->l->comps + c;
  return p->l->bytes == 1 ? row[i] : ((const guint16 *) row)[i] >> p->l->shift;
}

/* Rounded, and brought into what the plane holds; NaN becomes 0. */
static inline void
vfi_plane_set (const VfiPlane *p, int y, int x, int c, float v)
{
  guint8 *row = p->data + (gsize) y * p->stride;
  const int i = x * p->l->comps + c;
  const int n = (int) floorf (fminf (fmaxf (v, 0), (1 << p->l->depth) - 1) + 0.5f);
  if (p->l->bytes == 1)
    row[i] = (guint8) n;
  else
    ((guint16 *) row)[i] = (guint16) (n << p->l->shift);
}

/* Catmull-Rom's weights of the samples i - 1 to i + 2. */
static inline void
vfi_cubic (float f, float w[4])
{
  w[0] = ((-0.5f * f + 1) * f - 0.5f) * f;
  w[1] = (1.5f * f - 2.5f) * f * f + 1;
  w[2] = ((-1.5f * f + 2) * f + 0.5f) * f;
  w[3] = (0.5f * f - 0.5f) * f * f;
}

/* Of the samples i - 2 to i + 3: cubics in f that are nearly a sinc in Kaiser's window of six samples (beta 3), and exact on ramps. e and o: what the two samples of a pair,
 * the nearest first, have in common, and half of what they differ by. */
static inline void
vfi_sharp (float f, float w[6])
{
  const float h = f * (1 - f), g = f - 0.5f;
  const float e1 = VFI_SHARP_E1 * h, e2 = VFI_SHARP_E2 * h, e0 = 0.5f - e1 - e2;
  const float o0 = g + g * h, o1 = VFI_SHARP_O1 * g * h, o2 = VFI_SHARP_O2 * g * h;

  w[0] = e2 - o2;
  w[1] = e1 - o1;
  w[2] = e0 - o0;
  w[3] = e0 + o0;
  w[4] = e1 + o1;
  w[5] = e2 + o2;
}

/* Components first to last at a position, which is brought into the plane: cubic in planes of full size, bilinear in subsampled ones. */
static inline void
vfi_plane_sample (const VfiPlane *p, float y, float x, int first, int last, float *out)
{
  float wx[4], wy[4];
  int ix, iy;

  x = fminf (fmaxf (x, 0), p->w - 1);
  y = fminf (fmaxf (y, 0), p->h - 1);
  ix = (int) x;
  iy = (int) y;
  if (!p->l->sub_x && !p->l->sub_y) {
    vfi_cubic (x - ix, wx);
    vfi_cubic (y - iy, wy);
  } else {
    memcpy (wx, (float[]){ 0, 1 - (x - ix), x - ix, 0 }, sizeof wx);
    memcpy (wy, (float[]){ 0, 1 - (y - iy), y - iy, 0 }, sizeof wy);
  }
  for (int c = first; c <= last; c++)
    out[c - first] = 0;
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++)
      if (wx[j] * wy[i] != 0)
        for (int c = first; c <= last; c++)
          out[c - first] += wx[j] * wy[i] * vfi_plane_get (p, CLAMP (iy + i - 1, 0, p->h - 1), CLAMP (ix + j - 1, 0, p->w - 1), c);
}

/* As below, but outside of a part of the plane: top, left, bottom, right of it, as parts of its sides. */
static inline float
vfi_inside_part (float y, float x, const float part[4], int h, int w)
{
  const float outside = fmaxf (fmaxf (part[1] * w - x, x - (part[3] * w - 1)), fmaxf (part[0] * h - y, y - (part[2] * h - 1)));
  return fminf (fmaxf (1.5f - outside, VFI_OUTSIDE), 1);
}

/* How much counts what is read at (x, y) of a plane of h x w: 1, less by as many pixels as that is outside of it, or of what is `edge` pixels inside of that; VFI_OUTSIDE at least (NaN too). Half of
 * a pixel is as far as the outermost ones reach. */
static inline float
vfi_inside_edge (float y, float x, int h, int w, float edge)
{
  const float outside = fmaxf (fmaxf (-x, x - (w - 1)), fmaxf (-y, y - (h - 1)));
  return fminf (fmaxf (1.5f - edge - outside, VFI_OUTSIDE), 1);
}

static inline float
vfi_inside (float y, float x, int h, int w)
{
  return vfi_inside_edge (y, x, h, w, 0);
}
