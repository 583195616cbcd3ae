/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bridge: each pixel looks for the known ones nearest to it. Its pictures are small.
 */
#include "device.h"

/* A row or column: n pixels that are `step` apart and begin at `first`. */
struct Line
{
  int first, step, n;
};

/* The known pixels nearest to pixel `at` of a line; false: there is none. Of one only, both are it. */
static __device__ bool
ends (const View &src, const Line &l, int at, float enough, int *a, int *b)
{
  const int count = src.c - 1;

  *a = *b = at;
  while (*a >= 0 && !(get (src, l.first + *a * l.step, count) > enough))
    --*a;
  while (*b < l.n && !(get (src, l.first + *b * l.step, count) > enough))
    ++*b;
  if (*a < 0 && *b == l.n)
    return false;
  *a = *a < 0 ? *b : *a;
  *b = *b == l.n ? *a : *b;
  return true;
}

static __device__ float
value (const View &src, const Line &l, int i, int c)
{
  const int p = l.first + i * l.step;

  return get (src, p, c) / get (src, p, src.c - 1);
}

static __device__ bool
across (const View &src, const Line &l, int at, int c, float enough, float *v)
{
  int a, b;

  if (!ends (src, l, at, enough, &a, &b))
    return false;
  const float va = value (src, l, a, c), vb = value (src, l, b, c);
  *v = a < b ? va + (float) (at - a) / (b - a) * (vb - va) : va;
  return true;
}

static __device__ float
apart (const View &src, const Line &l, int at, float enough)
{
  float sum = 0;
  int a, b;

  if (!ends (src, l, at, enough, &a, &b))
    return 1;
  if (a == b)
    return a == at ? 0 : 1;
  for (int c = 0; c < src.c - 1; c++)
    sum += fabsf (value (src, l, b, c) - value (src, l, a, c));
  return sum / (src.c - 1);
}

static __global__ void
bridge (View src, float enough, View dst)
{
  const Element e = element (dst);

  if (!e.valid)
    return;
  const int n = src.c - 1, y = e.p / dst.w, x = e.p % dst.w;
  const bool row = e.c < 2 * n ? e.c < n : e.c == 2 * n;
  const Line rows = { y * src.w, 1, src.w }, columns = { x, src.w, src.h };
  float v = 0;
  if (e.c >= 2 * n)
    v = apart (src, row ? rows : columns, row ? x : y, enough);
  else if (!across (src, row ? rows : columns, row ? x : y, e.c % n, enough, &v))
    across (src, row ? columns : rows, row ? y : x, e.c % n, enough, &v);
  set (dst, e.p, e.c, v);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, bridge, View (*src), ((const VfiBridgeParams *) node->params)->enough, View (*dst));
}

const VfiKernel vfi_cuda_bridge = { &vfi_op_bridge, vfi_cuda_supports, NULL, run, NULL };
