/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What moves as one: affine motions that together say how everything around a hole moves (Wang and Adelson, Representing Moving Images with Layers,
 * 1994), and go on from frame to frame.
 */
#pragma once

#include <glib.h>

#define VFI_LAYERS 15 /* numbered from 1; 0 is none */

/* What is seen to move: place and motion in pixels. */
typedef struct
{
  float x, y, u, v, weight;
  int layer;      /* that it moved with before; then, that it moves with */
  gboolean known; /* how it moved before: */
  float was[2];
} VfiSample;

/* A motion: u is m[0] + m[1] x + m[2] y, v is m[3] + m[4] x + m[5] y. */
typedef struct
{
  float there[6], back[6]; /* from places in the frame before, and from places in the one that is gone to */
  gboolean seen;           /* in the window that was looked at last */
  int idle;                /* windows since it was */
} VfiLayer;

/* {0} to begin with; [0] is not used. */
typedef VfiLayer VfiLayers[VFI_LAYERS + 1];

/* Least squares of a + b x + c y; `sums` is the upper triangle of the normal equations. FALSE: there is no one answer. */
gboolean vfi_plane_of (const double sums[6], const double rhs[3], double out[3]);

static inline void
vfi_affine_at (const float m[6], float x, float y, float motion[2])
{
  motion[0] = m[0] + m[1] * x + m[2] * y;
  motion[1] = m[3] + m[4] * x + m[5] * y;
}

/* Fits layers to samples: those that they had before, and new ones where enough move otherwise. */
void vfi_layers_fit (VfiLayers layers, VfiSample *sample, int n);

/* The layer that moves most like what goes from x, y by `motion` (back: of the way back), if it is at most so many pixels off; else 0. */
int vfi_layers_nearest (const VfiLayers layers, gboolean back, float x, float y, const float motion[2], float most);
