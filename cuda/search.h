/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the operators that look for patches share: both frames in grey, pixels repeated around them.
 */
#pragma once

#include "device.h"
#include "inverse_search.h"

#define PAD VFI_SEARCH_PAD

/* In workspace. */
struct Greys
{
  int h, w, pitch, rows, columns;
  float *grey[2];
};

static gsize
greys_bytes (const Greys &s)
{
  return (gsize) (s.h + 2 * PAD) * s.pitch * sizeof (float);
}

static gsize
found_bytes (const Greys &s)
{
  return (gsize) s.rows * s.columns * sizeof (VfiSearchFound);
}

static __device__ VfiSearchFrames
frames (const Greys &s)
{
  const int origin = PAD * s.pitch + PAD;

  return { s.grey[0] + origin, s.grey[1] + origin, s.h, s.w, s.pitch };
}

static __global__ void
to_grey (View y0, View y1, Greys s)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x, n = (s.h + 2 * PAD) * s.pitch;

  if (i < n) {
    const int p = clamped (i / s.pitch - PAD, s.h) * s.w + clamped (i % s.pitch - PAD, s.w);
    s.grey[0][i] = VFI_SEARCH_GREY * get (y0, p, 0);
    s.grey[1][i] = VFI_SEARCH_GREY * get (y1, p, 0);
  }
}
