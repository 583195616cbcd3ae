/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Planes of floats whose rows have room around them, so that neighbours are plain loads, and lines of the same kind for each thread: the workspace of kernels that sum over
 * windows.
 */
#pragma once

#include "cpu.h"
#include "simd.h"

#define ROWS_PAD 32

typedef struct
{
  int planes, h, w, pitch, lines, threads; /* lines of each thread; floats from one row to the next */
  float *place;
} Rows;

/* A kernel's state, with rows_workspace and rows_bind. */
static gpointer
rows_new (int planes, int h, int w, int lines, int threads)
{
  Rows *r = g_new0 (Rows, 1);

  *r = (Rows){ planes, h, w, (w + 2 * ROWS_PAD + 2 * VFI_LANES - 1) / VFI_LANES * VFI_LANES, lines, threads, NULL };
  return r;
}

static gsize
rows_workspace (gpointer state)
{
  const Rows *r = state;

  return ((gsize) r->planes * r->h + r->lines * r->threads) * r->pitch * sizeof (float);
}

static void
rows_bind (gpointer state, void *place)
{
  ((Rows *) state)->place = place;
}

/* Pixel 0 of a row of plane k; beyond the border rows repeat. */
VFI_INLINE float *
rows_at (const Rows *r, int k, int y)
{
  return r->place + ((gsize) k * r->h + CLAMP (y, 0, r->h - 1)) * r->pitch + ROWS_PAD;
}

VFI_INLINE float *
rows_line (const Rows *r, int thread, int k)
{
  return r->place + ((gsize) r->planes * r->h + thread * r->lines + k) * r->pitch + ROWS_PAD;
}

/* Of w numbers the first and the last again, n times, before and behind them. */
VFI_INLINE void
repeat_border (float *row, int w, int n)
{
  for (int i = 1; i <= n; i++) {
    row[-i] = row[0];
    row[w - 1 + i] = row[w - 1];
  }
}
