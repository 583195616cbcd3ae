/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Planes of floats between their samples, at a run of places that lie about as far apart as the pixels do: quickly where motion is smooth.
 */
#pragma once

#include "simd.h"

/* One channel of a tensor, with what is asked of its size for each vector. */
typedef struct
{
  VfiView v;
  gboolean dense; /* and not too small */
  Vec last_x, last_y;
  Vec left, top; /* where the last window begins */
} Plane;

VFI_INLINE Plane
plane_of (const VfiView *v, int c)
{
  VfiView channel = *v;

  channel.data = (float *) v->data + (gsize) c * v->cd;
  return (Plane){ .v = channel,
                  .dense = v->ld == 1 && v->w >= VFI_LANES + 2 && v->h >= 3,
                  .last_x = vec_set (v->w - 1),
                  .last_y = vec_set (v->h - 1),
                  .left = vec_set (v->w - VFI_LANES - 2),
                  .top = vec_set (v->h - 3) };
}

/* Weights of samples 0, 1, 2 for a place from 0 to 2. */
VFI_INLINE void
plane_hats (Vec place, Vec weight[3])
{
  weight[0] = vec_max (1 - place, vec_set (0));
  weight[2] = vec_max (place - 1, vec_set (0));
  weight[1] = 1 - weight[0] - weight[2];
}

/* A plane bilinearly at (x, y), which lie in it, where each lane's neighbours are among three rows of the same three samples from the lane on: where
 * motion is smooth. FALSE: they are not. */
VFI_INLINE gboolean
plane_window (const Plane *f, Vec x, Vec y, Vec *value)
{
  const VecI first = { 0 }, last = first + (VFI_LANES - 1);
  const Vec from = x - VEC_TO_FLOAT (vec_iota ());
  const VecI left =
      VEC_TO_INT (vec_min (vec_max (vec_min (__builtin_shuffle (from, first), __builtin_shuffle (from, last)), vec_set (0)), f->left));
  const VecI top = VEC_TO_INT (vec_min (vec_min (__builtin_shuffle (y, first), __builtin_shuffle (y, last)), f->top));
  const Vec fx = from - VEC_TO_FLOAT (left), fy = y - VEC_TO_FLOAT (top);
  const float *p = (const float *) f->v.data + (gsize) top[0] * f->v.w + left[0];
  Vec wx[3], wy[3], rows[3];

  if (vec_any_negative ((VecI) fx | (VecI) (2 - fx) | (VecI) fy | (VecI) (2 - fy)))
    return FALSE;
  plane_hats (fx, wx);
  plane_hats (fy, wy);
#pragma GCC unroll 3
  for (int i = 0; i < 3; i++, p += f->v.w)
    rows[i] = vec_fma (wx[2], *(const Vec *) (p + 2), vec_fma (wx[1], *(const Vec *) (p + 1), wx[0] * *(const Vec *) p));
  *value = vec_fma (wy[2], rows[2], vec_fma (wy[1], rows[1], wy[0] * rows[0]));
  return TRUE;
}

static __attribute__ ((noinline)) Vec
plane_gather (const Plane *f, Vec x, Vec y)
{
  const VfiView *v = &f->v;
  const gsize right = v->w > 1 ? v->ld : 0, below = v->h > 1 ? (gsize) v->w * v->ld : 0;
  const VecI ix = vec_mini (VEC_TO_INT (x), (VecI){ 0 } + MAX (v->w - 2, 0));
  const VecI iy = vec_mini (VEC_TO_INT (y), (VecI){ 0 } + MAX (v->h - 2, 0)), at = (iy * v->w + ix) * v->ld;
  const Vec fx = x - VEC_TO_FLOAT (ix), fy = y - VEC_TO_FLOAT (iy);
  const float *p = v->data;
  Vec k[4], upper, lower;

  for (int i = 0; i < 4; i++)
    k[i] = (Vec) vec_gather (p + (i / 2 ? below : 0) + (i % 2 ? right : 0), at, 4);
  upper = vec_fma (fx, k[1] - k[0], k[0]);
  lower = vec_fma (fx, k[3] - k[2], k[2]);
  return vec_fma (fy, lower - upper, upper);
}

/* A plane bilinearly at (x, y), clamped to the border. */
VFI_INLINE Vec
plane_sample (const Plane *f, Vec x, Vec y)
{
  Vec value;

  x = vec_min (vec_max (x, vec_set (0)), f->last_x);
  y = vec_min (vec_max (y, vec_set (0)), f->last_y);
  if (!f->dense || !plane_window (f, x, y, &value))
    value = plane_gather (f, x, y);
  return value;
}
