/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator correlation. A block answers for a rectangle of pixels; what it needs of both sources, with a border as wide as the radius,
 * passes through shared memory in vectors of 16 bytes, a few channels at a time, 0 outside the picture. A thread has RUN pixels of a column, one below
 * the other, and their sums of one dx: what it reads serves several of them.
 */
#include "device.h"

#define VECTORS 4 /* of each pixel at a time */
#define RUN 4

/* The rectangle, the window and the block. */
template <int R> struct Shape
{
  static constexpr int h = R < 4 ? 8 : 4, w = R < 3 ? 16 : 8, side = 2 * R + 1, sums = side * side;
  static constexpr int pitch = w + 2 * R, area = pitch * (h + 2 * R), threads = w * (h / RUN) * side;
  /* Vectors from plane to plane: those of two pixels side by side, in all planes, lie in banks of their own. */
  static constexpr int plane = (area + 5) / 8 * 8 + 2;
};

/* The numbers of a vector. */
static __device__ void
unpack (const uint4 &v, float to[WIDE], const unsigned short *)
{
  const unsigned word[] = { v.x, v.y, v.z, v.w };

  for (int i = 0; i < WIDE; i++)
    to[i] = from_half ((unsigned short) (word[i / 2] >> i % 2 * 16));
}

static __device__ void
unpack (const uint4 &v, float to[WIDE / 2], const float *)
{
  *(float4 *) to = *(const float4 *) &v;
}

/* What lies at vector i of a tile at (y0, x0) of v from channel c on, and where; none where there is no pixel or channel. */
template <typename T, int R>
static __device__ const T *
vector_at (const View &v, int i, int y0, int x0, int *c)
{
  typedef Shape<R> S;
  const int p = i / VECTORS, y = y0 - R + p / S::pitch, x = x0 - R + p % S::pitch;

  *c += i % VECTORS * (int) (sizeof (uint4) / sizeof (T));
  return y >= 0 && y < v.h && x >= 0 && x < v.w && *c < v.c ? static_cast<const T *> (v.data) + (y * v.w + x) * v.ld + *c * v.cd : NULL;
}

/* What the tile at (y0, x0), border and all, has of v from channel c on; whole: v is wide (). */
template <typename T, int R>
static __device__ void
load (const View &v, bool whole, int y0, int x0, int c, uint4 *tile)
{
  typedef Shape<R> S;
  const int rounds = (VECTORS * S::area + S::threads - 1) / S::threads;

  if (whole) {
    uint4 vector[rounds]; /* so that all loads are under way at once */

#pragma unroll
    for (int r = 0; r < rounds; r++) {
      int channel = c;
      const T *from = vector_at<T, R> (v, r * S::threads + threadIdx.x, y0, x0, &channel);

      vector[r] = from ? *(const uint4 *) from : make_uint4 (0, 0, 0, 0);
    }
#pragma unroll
    for (int r = 0; r < rounds; r++) {
      const int i = r * S::threads + threadIdx.x;

      if (i < VECTORS * S::area)
        tile[i % VECTORS * S::plane + i / VECTORS] = vector[r];
    }
    return;
  }
  for (int i = threadIdx.x; i < VECTORS * S::area; i += S::threads) {
    T *to = (T *) &tile[i % VECTORS * S::plane + i / VECTORS];
    int channel = c;
    const T *from = vector_at<T, R> (v, i, y0, x0, &channel);

    for (unsigned k = 0; k < sizeof *tile / sizeof (T); k++)
      to[k] = from && channel + (int) k < v.c ? from[k * v.cd] : (T) 0;
  }
}

template <typename T, int R, bool ONE_SIDED>
static __global__ void
__launch_bounds__ (Shape<R>::threads, 4) correlate_tile (View a, View b, bool whole, View dst)
{
  typedef Shape<R> S;
  const int step = ONE_SIDED ? 1 : 2, rows = RUN + 2 * R, numbers = sizeof (uint4) / sizeof (T);
  const int y0 = blockIdx.y * S::h, x0 = blockIdx.x * S::w;
  const int tx = threadIdx.x % S::w, ty = threadIdx.x / S::w % (S::h / RUN) * RUN, dx = threadIdx.x / (S::w * (S::h / RUN)) - R;
  SHARED (uint4, tile_a); /* VECTORS planes of pixels */
  uint4 *const tile_b = tile_a + VECTORS * S::plane, *const column = tile_a + ty * S::pitch + tx + R;
  const uint4 *const column_a = column - (ONE_SIDED ? 0 : dx), *const column_b = column + VECTORS * S::plane + dx;
  float sum[RUN][S::side] = { { 0 } };

  for (int first = 0; first < a.c; first += VECTORS * numbers) {
    __syncthreads ();
    load<T, R> (a, whole, y0, x0, first, tile_a);
    load<T, R> (b, whole, y0, x0, first, tile_b);
    __syncthreads ();
    for (int q = 0; q < VECTORS && first + q * numbers < a.c; q++)
    /* Rows i of a and j of b meet half-way between, if there is a row; one-sided, at row i. */
#pragma unroll
      for (int parity = 0; parity < step; parity++) {
        float va[rows][numbers], vb[numbers];

#pragma unroll
        for (int i = parity; i < rows; i += step)
          unpack (column_a[q * S::plane + i * S::pitch], va[i], (const T *) NULL);
#pragma unroll
        for (int j = parity; j < rows; j += step) {
          unpack (column_b[q * S::plane + j * S::pitch], vb, (const T *) NULL);
#pragma unroll
          for (int i = parity; i < rows; i += step) {
            const int row = (ONE_SIDED ? i : (i + j) / 2) - R, dy = (j - i) / step;

            if (row >= 0 && row < RUN && dy >= -R && dy <= R)
              for (int k = 0; k < numbers; k++)
                sum[row][dy + R] += va[i][k] * vb[k];
          }
        }
      }
  }

  /* Through shared memory into the order of channels. */
  float *const sums = (float *) tile_a;
  __syncthreads ();
#pragma unroll
  for (int i = 0; i < RUN; i++)
#pragma unroll
    for (int d = 0; d < S::side; d++)
      sums[((ty + i) * S::w + tx) * S::sums + d * S::side + dx + R] = sum[i][d];
  __syncthreads ();
  const float gain = 1.f / a.c;
  for (unsigned i = threadIdx.x; i < S::h * S::w * S::sums; i += S::threads) {
    const int p = i / S::sums, y = y0 + p / S::w, x = x0 + p % S::w;

    if (y < dst.h && x < dst.w)
      set (dst, y * dst.w + x, i % S::sums, sums[i] * gain);
  }
}

/* Channel c of pixel (y, x), 0 where there is none. */
static __device__ float
get_or_zero (const View &v, int y, int x, int c)
{
  return y >= 0 && y < v.h && x >= 0 && x < v.w ? get (v, y * v.w + x, c) : 0;
}

/* Any radius: a thread for each sum. */
static __global__ void
correlate (View a, View b, int radius, int of_a, View dst)
{
  const Element e = element (dst);
  const int side = 2 * radius + 1, dy = e.c / side - radius, dx = e.c % side - radius, y = e.p / dst.w, x = e.p % dst.w;
  float sum = 0;

  if (!e.valid)
    return;
  for (int c = 0; c < a.c; c++)
    sum += get_or_zero (a, y + of_a * dy, x + of_a * dx, c) * get_or_zero (b, y + dy, x + dx, c);
  set (dst, e.p, e.c, sum / a.c);
}

template <typename T, int R>
static void
run_tiles (VfiCuda *cuda, gboolean one_sided, const VfiView *src, const VfiView *dst)
{
  typedef Shape<R> S;
  const dim3 grid (blocks (dst->w, S::w), blocks (dst->h, S::h));

  vfi_launch (cuda, grid, S::threads, 2 * VECTORS * S::plane * sizeof (uint4),
              one_sided ? correlate_tile<T, R, true> : correlate_tile<T, R, false>, View (src[0]), View (src[1]),
              wide (&src[0]) && wide (&src[1]), View (*dst));
}

template <int R>
static void
run_radius (VfiCuda *cuda, gboolean one_sided, const VfiView *src, const VfiView *dst)
{
  if (src->dtype == VFI_F16)
    run_tiles<unsigned short, R> (cuda, one_sided, src, dst);
  else
    run_tiles<float, R> (cuda, one_sided, src, dst);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiCorrelationParams *p = (const VfiCorrelationParams *) node->params;
  VfiCuda *cuda = (VfiCuda *) b;

  switch (p->radius) {
    case 1:
      run_radius<1> (cuda, p->one_sided, src, dst);
      break;
    case 2:
      run_radius<2> (cuda, p->one_sided, src, dst);
      break;
    case 3:
      run_radius<3> (cuda, p->one_sided, src, dst);
      break;
    case 4:
      run_radius<4> (cuda, p->one_sided, src, dst);
      break;
    default:
      vfi_launch_elements (cuda, *dst, correlate, View (src[0]), View (src[1]), p->radius, p->one_sided ? 0 : -1, View (*dst));
  }
}

const VfiKernel vfi_cuda_correlation = { &vfi_op_correlation, vfi_cuda_supports, NULL, run, NULL };
