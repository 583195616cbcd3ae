/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator contextual_attention, by two products of matrices, in tiles: of what is round each place with itself, and of weights with the pixels round each place.
 */
#include "contextual_attention.h"
#include "device.h"

#define TILE 16
#define THREADS 256 /* of a row of weights */

/* Places, the channels of each, and what there is of them. */
struct Places
{
  int h, w, n, c;
  float *round, *pixels, *made; /* n x 9 c: what is round each place; n x 16 c, twice: pixels round each place, and what to lay there */
  float *s, *f;                 /* n x n: likeness, and weights later; likeness with that of neighbours */
  float *length, *open;         /* n */
};

static __device__ float
pixel (const View &v, int y, int x, int c)
{
  return y < 0 || y >= v.h || x < 0 || x >= v.w ? 0 : get (v, y * v.w + x, c);
}

/* Number k of 25 c of each place: of the 3 x 3 places round it, or of 4 x 4 pixels. */
static __global__ void
gather (View src, Places p)
{
  const int t = blockIdx.x * blockDim.x + threadIdx.x, i = t / (25 * p.c), k = t % (25 * p.c), y = i / p.w, x = i % p.w;

  if (i >= p.n)
    return;
  if (k < 9 * p.c) {
    const int at = k / p.c;
    p.round[i * 9 * p.c + k] = pixel (src, 2 * (y + at / 3 - 1), 2 * (x + at % 3 - 1), k % p.c);
  } else {
    const int at = k / p.c - 9;
    p.pixels[i * 16 * p.c + k - 9 * p.c] = pixel (src, 2 * y + at / 4 - 1, 2 * x + at % 4 - 1, k % p.c);
  }
}

static __global__ void
look_round (View mask, Places p)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x, step = mask.h / p.h;
  float sum = 0;
  bool open = true;

  if (i >= p.n)
    return;
  for (int k = 0; k < 9 * p.c; k++)
    sum += p.round[i * 9 * p.c + k] * p.round[i * 9 * p.c + k];
  for (int k = 0; k < 9; k++)
    open = open && pixel (mask, (i / p.w + k / 3 - 1) * step, (i % p.w + k % 3 - 1) * step, 0) == 0;
  p.length[i] = fmaxf (sqrtf (sum), VFI_ATTENTION_LEAST);
  p.open[i] = open;
}

/* to (i, j) = sum over m < k of a (i, m) b (m, j), whose neighbours in a column are `down` apart, in a row `right`; i < rows, j < columns. */
static __global__ void
multiply (const float *a, const float *b, int down, int right, int rows, int k, int columns, float *to)
{
  SHARED (float, tile_a);
  float *const tile_b = tile_a + TILE * TILE;
  const int y = threadIdx.x / TILE, x = threadIdx.x % TILE, i = blockIdx.y * TILE + y, j = blockIdx.x * TILE + x;
  float sum = 0;

  for (int first = 0; first < k; first += TILE) {
    tile_a[y * TILE + x] = i < rows && first + x < k ? a[i * k + first + x] : 0;
    tile_b[y * TILE + x] = j < columns && first + y < k ? b[(first + y) * down + j * right] : 0;
    __syncthreads ();
    for (int m = 0; m < TILE; m++)
      sum += tile_a[y * TILE + m] * tile_b[m * TILE + x];
    __syncthreads ();
  }
  if (i < rows && j < columns)
    to[i * columns + j] = sum;
}

static __global__ void
along_rows (Places p)
{
  const int t = blockIdx.x * blockDim.x + threadIdx.x, i = t / p.n, j = t % p.n;
  float sum = 0;

  if (i >= p.n)
    return;
  for (int d = -1; d <= 1; d++) {
    const int a = vfi_attention_next (i, d, p.h, p.w, 0), b = vfi_attention_next (j, d, p.h, p.w, 0);
    if (a >= 0 && b >= 0)
      sum += p.s[a * p.n + b] / p.length[b];
  }
  p.f[t] = sum;
}

/* The sum of what all threads of the block have, or the greatest of it. */
static __device__ float
together (float *shared, float v, bool greatest)
{
  const int t = threadIdx.x;

  __syncthreads ();
  shared[t] = v;
  for (int n = THREADS / 2; n > 0; n /= 2) {
    __syncthreads ();
    if (t < n)
      shared[t] = greatest ? fmaxf (shared[t], shared[t + n]) : shared[t] + shared[t + n];
  }
  __syncthreads ();
  return shared[0];
}

/* Along columns, and what that weighs: a block for each row. */
static __global__ void
weigh (Places p)
{
  SHARED (float, shared);
  const int i = blockIdx.x;
  float *const row = p.s + (size_t) i * p.n;
  float most = -INFINITY, all = 0;

  for (int j = threadIdx.x; j < p.n; j += THREADS) {
    float sum = 0;

    for (int d = -1; d <= 1; d++) {
      const int a = vfi_attention_next (i, d, p.h, p.w, 1), b = vfi_attention_next (j, d, p.h, p.w, 1);
      if (a >= 0 && b >= 0)
        sum += p.f[a * p.n + b];
    }
    row[j] = VFI_ATTENTION_SCALE * p.open[j] * sum;
    most = fmaxf (most, row[j]);
  }
  most = together (shared, most, true);
  for (int j = threadIdx.x; j < p.n; j += THREADS)
    all += row[j] = expf (row[j] - most);
  all = together (shared, all, false);
  for (int j = threadIdx.x; j < p.n; j += THREADS)
    row[j] *= p.open[j] / all;
}

static __global__ void
lay (Places p, View dst)
{
  const Element e = element (dst);
  const int y = e.p / dst.w, x = e.p % dst.w;
  float sum = 0;

  if (!e.valid)
    return;
  for (int k = 0; k < 4; k++) {
    const int iy = (y + 1) / 2 - k / 2, ix = (x + 1) / 2 - k % 2;
    if (iy >= 0 && iy < p.h && ix >= 0 && ix < p.w)
      sum += p.made[((iy * p.w + ix) * 16 + (y - 2 * iy + 1) * 4 + x - 2 * ix + 1) * p.c + e.c];
  }
  set (dst, e.p, e.c, sum / 4);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  Places *p = g_new0 (Places, 1);

  p->h = dst->h / 2;
  p->w = dst->w / 2;
  p->n = p->h * p->w;
  p->c = dst->c;
  return p;
}

static gsize
workspace (gpointer state)
{
  const Places *p = (const Places *) state;
  const gsize n = p->n;

  return (n * p->c * (9 + 16 + 16) + 2 * n * n + 2 * n) * sizeof (float);
}

static void
bind (gpointer state, void *memory)
{
  Places *p = (Places *) state;
  const gsize n = p->n;

  p->round = (float *) memory;
  p->pixels = p->round + 9 * n * p->c;
  p->made = p->pixels + 16 * n * p->c;
  p->s = p->made + 16 * n * p->c;
  p->f = p->s + n * n;
  p->length = p->f + n * n;
  p->open = p->length + n;
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const Places p = *(const Places *) state;
  const int n = p.n, around = 9 * p.c, wide = 16 * p.c, tiles = 2 * TILE * TILE * sizeof (float);
  VfiCuda *cuda = (VfiCuda *) b;

  vfi_launch (cuda, blocks ((size_t) n * 25 * p.c, 256), 256, 0, gather, View (*src), p);
  vfi_launch (cuda, blocks (n, 64), 64, 0, look_round, View (src[1]), p);
  vfi_launch (cuda, dim3 (blocks (n, TILE), blocks (n, TILE)), TILE * TILE, tiles, multiply, (const float *) p.round,
              (const float *) p.round, 1, around, n, around, n, p.s);
  vfi_launch (cuda, blocks ((size_t) n * n, 256), 256, 0, along_rows, p);
  vfi_launch (cuda, n, THREADS, THREADS * sizeof (float), weigh, p);
  vfi_launch (cuda, dim3 (blocks (wide, TILE), blocks (n, TILE)), TILE * TILE, tiles, multiply, (const float *) p.s,
              (const float *) p.pixels, wide, 1, n, n, wide, p.made);
  vfi_launch_elements (cuda, *dst, lay, p, View (*dst));
}

const VfiKernel vfi_cuda_contextual_attention = {
  &vfi_op_contextual_attention, vfi_cuda_supports, prepare, run, g_free, workspace, bind,
};
