/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Convolutions of few channels in fp16, by tensor cores, with bias, residual and activation: small layers, for which cuDNN's engines are not made
 * (tests/bench/README.md has figures), and which it compiles for every size anew.
 *
 * A block answers for 64 pixels and all channels of the result. What it sees of the source lies in shared memory, once, and is multiplied as it lies: rows of the left factor
 * are pixels, its columns channels of one tap, eight at a time (a chunk), so that the next tap is another offset. Weights are put in the order in which
 * lanes hold the right factor when they are loaded, and come straight from the cache. Eight warps: two halves of the pixels, of the channels, and of the sum.
 */
#include "device.h"
#include "op.h"

#define PIXELS 64
#define THREADS 256
#define MAX_TILES 7               /* of 8 channels to a warp, which has half of the result's */
#define AHEAD(N) (N <= 5 ? 3 : 2) /* steps whose weights are under way */
#define PITCH(N) (16 * (N) + 8)   /* of sums: so that lanes of a warp write to banks of their own */
#define MAX_SHARED (48 << 10)
#define MOST 1.5e9 /* multiplications: of more, cuDNN's engines should be better; an estimate, not yet measured */

struct Conv
{
  View src, residual, dst;
  const uint2 *weights;
  const float *bias, *slopes;
  float slope;
  int act, kernel, stride, padding, dilation;
  int whole, fours;               /* src is read 16 bytes at a time, dst written four channels at a time */
  int shift;                      /* 2^shift times 8 pixels are a row of the block's */
  int rows, columns, half;        /* of src that the block sees; with stride 2 even columns lie before odd ones, `half` of each */
  int chunks, pitch;              /* of a pixel; in shared memory, odd: rows of a factor lie in banks of their own */
  int steps;                      /* of two chunks */
  int next_x, next_y, next_chunk; /* what is THREADS chunks further on */
};

/* ---- tensor cores ------------------------------------------------------------------------------- */

/* Four 8x8 matrices of fp16: lane i gives where row i % 8 of matrix i / 8 begins, and gets two numbers of each. */
__device__ inline void
load_matrices (const uint4 *row, unsigned to[4])
{
#ifdef __CUDACC__
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"((unsigned) __cvta_generic_to_shared (row))
               : "memory");
#else
  const unsigned lane = threadIdx.x % 32;

  shim_give (&row, sizeof row);
  for (unsigned i = 0; i < 4; i++)
    to[i] = ((const unsigned *) *(const uint4 *const *) shim_given (8 * i + lane / 4))[lane % 4];
#endif
}

/* sum += a b of 16x16 and 16x8 numbers. Lane 4 i + j has columns 2 j, 2 j + 1 and those 8 further on of rows i (a[0], a[2]) and i + 8 (a[1], a[3]), the same rows of
 * column i of b, and of the sum columns 2 j, 2 j + 1 of rows i and i + 8. */
__device__ inline void
multiply_add (const unsigned a[4], uint2 b, float sum[4])
{
#ifdef __CUDACC__
#if __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.x), "r"(b.y));
#else
  asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(b.x));
  asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[2]), "r"(a[3]), "r"(b.y));
#endif
#else
  const unsigned words[] = { a[0], a[1], a[2], a[3], b.x, b.y }, lane = threadIdx.x % 32;
  float mine[12];

  for (int i = 0; i < 12; i++)
    mine[i] = from_half ((unsigned short) (words[i / 2] >> i % 2 * 16));
  shim_give (mine, sizeof mine);
  for (unsigned k = 0; k < 4; k++) /* pairs of columns of a, and those 8 further on */
    for (unsigned i = 0; i < 2; i++) {
      const float *rows = (const float *) shim_given (lane / 4 * 4 + k),
                  *column = (const float *) shim_given ((lane % 4 * 2 + i) * 4 + k) + 8;

      for (unsigned row = 0; row < 2; row++)
        for (unsigned j = 0; j < 4; j++)
          sum[2 * row + i] += rows[j / 2 * 4 + row * 2 + j % 2] * column[j];
    }
#endif
}

/* 16 bytes to shared memory, 0 where there is nothing; all have come after copies_end. */
__device__ inline void
copy (uint4 *to, const void *from, bool there)
{
#if defined __CUDACC__ && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"((unsigned) __cvta_generic_to_shared (to)), "l"(from),
               "r"(there ? 16 : 0)
               : "memory");
#else
  *to = there ? *(const uint4 *) from : make_uint4 (0, 0, 0, 0);
#endif
}

__device__ inline void
copies_end ()
{
#if defined __CUDACC__ && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
  __syncthreads ();
}

/* ---- the kernel --------------------------------------------------------------------------------- */

/* Where column x of what the block sees lies in its row. */
__device__ inline int
column (const Conv &k, int x)
{
  return k.stride == 2 ? x % 2 * k.half + x / 2 : x;
}

/* A chunk of pixel (y, x) of the source. */
__device__ inline void
load_chunk (const Conv &k, int y, int x, int chunk, uint4 *to)
{
  const unsigned short *data = static_cast<const unsigned short *> (k.src.data);
  const bool there = y >= 0 && y < k.src.h && x >= 0 && x < k.src.w;
  const int at = (y * k.src.w + x) * k.src.ld + 8 * chunk;
  unsigned word[4] = { 0 };

  if (k.whole) {
    copy (to, data + (there ? at : 0), there);
    return;
  }
  for (int i = 0; i < 8; i++)
    if (there && 8 * chunk + i < k.src.c)
      word[i / 2] |= (unsigned) data[at + i] << i % 2 * 16;
  *to = make_uint4 (word[0], word[1], word[2], word[3]);
}

/* What the block at (y0, x0) sees. */
__device__ inline void
load_source (const Conv &k, int y0, int x0, uint4 *tile)
{
  int chunk = threadIdx.x % k.chunks, x = threadIdx.x / k.chunks % k.columns, y = threadIdx.x / k.chunks / k.columns;

  while (y < k.rows) {
    load_chunk (k, y0 + y, x0 + x, chunk, tile + (y * k.stride * k.half + column (k, x)) * k.pitch + chunk);
    chunk += k.next_chunk;
    x += k.next_x;
    y += k.next_y;
    if (chunk >= k.chunks) {
      chunk -= k.chunks;
      x++;
    }
    if (x >= k.columns) {
      x -= k.columns;
      y++;
    }
  }
}

/* Where each chunk of a sum lies, from the one of the first tap's on. */
__device__ inline void
find_chunks (const Conv &k, int *offsets)
{
  for (int i = threadIdx.x; i < 2 * k.steps; i += THREADS) {
    const int last = k.kernel * k.kernel * k.chunks - 1, j = min (i, last); /* a step's second may be none: its weights are 0 */
    const int tap = j / k.chunks, y = tap / k.kernel * k.dilation, x = tap % k.kernel * k.dilation;

    offsets[i] = (y * k.stride * k.half + column (k, x)) * k.pitch + j % k.chunks;
  }
}

/* Channels c to c + 3, as far as there are such, of pixel p of the result. */
__device__ inline void
finish (const Conv &k, const float *sums, int p, int c)
{
  float v[4];

  for (int i = 0; i < 4 && c + i < k.dst.c; i++) {
    v[i] = sums[i] + (k.bias ? __ldg (k.bias + c + i) : 0) + (k.residual.data ? get (k.residual, p, c + i) : 0);
    v[i] = activate (k.act, k.slopes ? __ldg (k.slopes + c + i) : k.slope, v[i]);
    if (!k.fours)
      set (k.dst, p, c + i, v[i]);
  }
  if (k.fours && k.dst.half)
    ((uint2 *) k.dst.data)[(p * k.dst.ld + c) / 4] =
        make_uint2 (to_half (v[0]) | (unsigned) to_half (v[1]) << 16, to_half (v[2]) | (unsigned) to_half (v[3]) << 16);
  else if (k.fours)
    ((float4 *) k.dst.data)[(p * k.dst.ld + c) / 4] = make_float4 (v[0], v[1], v[2], v[3]);
}

/* A step's. */
template <int N>
__device__ inline void
load_weights (const uint2 *from, uint2 to[N])
{
#pragma unroll
  for (int i = 0; i < N; i++)
    to[i] = __ldg (from + i * 32);
}

template <int N>
static __global__ void
__launch_bounds__ (THREADS, N <= 5 ? 2 : 1) convolve (Conv k)
{
  SHARED (uint4, shared);
  int *const offsets = (int *) shared;
  uint4 *const tile = shared + (k.steps + 1) / 2;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int lower = warp % 2, right = warp / 2 % 2, late = warp / 4; /* its half of the pixels, of the channels, of the sum */
  const int x0 = blockIdx.x * 8 << k.shift, y0 = blockIdx.y * 8 >> k.shift;
  const int n = late ? k.steps / 2 : (k.steps + 1) / 2, first = late ? (k.steps + 1) / 2 : 0;
  const uint2 *weights = k.weights + ((first * 2 + right) * N) * 32 + lane;
  const int *chunk = offsets + 2 * first + lane / 16; /* of a step, whose columns this lane's rows begin with */
  const uint4 *from[2];
  float sum[2][N][4] = {};
  uint2 b[AHEAD (N)][N];

  weights -= 2 * N * 32;
#pragma unroll
  for (int i = 0; i < AHEAD (N); i++)
    if (i < n)
      load_weights<N> (weights += 2 * N * 32, b[i]);
  load_source (k, y0 * k.stride - k.padding, x0 * k.stride - k.padding, tile);
  find_chunks (k, offsets);
  copies_end ();

  for (int m = 0; m < 2; m++) {
    const int group = lower * 4 + m * 2 + lane % 16 / 8; /* of 8 pixels side by side */
    const int y = group >> k.shift, x = (group & ((1 << k.shift) - 1)) * 8 + lane % 8;

    from[m] = tile + (y * k.stride * k.stride * k.half + x) * k.pitch;
  }
  for (int step = 0; step < n; step += AHEAD (N))
#pragma unroll
    for (int i = 0; i < AHEAD (N); i++)
      if (step + i < n) {
        const int offset = *chunk;
        unsigned a[2][4];

        chunk += 2;
        load_matrices (from[0] + offset, a[0]);
        load_matrices (from[1] + offset, a[1]);
#pragma unroll
        for (int j = 0; j < N; j++) {
          multiply_add (a[0], b[i][j], sum[0][j]);
          multiply_add (a[1], b[i][j], sum[1][j]);
        }
        if (step + i + AHEAD (N) < n)
          load_weights<N> (weights += 2 * N * 32, b[i]);
      }

  /* The halves of the sum come together in shared memory: pixels, of which each has all channels side by side. */
  float *const sums = (float *) shared, *const mine = sums + (lower * 32 + lane / 4) * PITCH (N) + right * N * 8 + lane % 4 * 2;

  for (int half = 1; half >= 0; half--) {
    __syncthreads ();
    if (late == half)
#pragma unroll
      for (int m = 0; m < 4; m++) /* 8 pixels further on */
#pragma unroll
        for (int j = 0; j < N; j++) {
          float2 *const to = (float2 *) (mine + m * 8 * PITCH (N) + j * 8);
          const float2 before = half ? make_float2 (0, 0) : *to;

          *to = make_float2 (before.x + sum[m / 2][j][m % 2 * 2], before.y + sum[m / 2][j][m % 2 * 2 + 1]);
        }
  }
  __syncthreads ();

  const int fours = (k.dst.c + 3) / 4, next_pixel = THREADS / fours, next = THREADS % fours;
  int pixel = threadIdx.x / fours, i = threadIdx.x % fours;

  while (pixel < PIXELS) {
    const int y = y0 + (pixel >> (3 + k.shift)), x = x0 + (pixel & ((8 << k.shift) - 1));

    if (y < k.dst.h && x < k.dst.w)
      finish (k, sums + pixel * PITCH (N) + 4 * i, y * k.dst.w + x, 4 * i);
    pixel += next_pixel;
    i += next;
    if (i >= fours) {
      i -= fours;
      pixel++;
    }
  }
}

/* ---- on the host -------------------------------------------------------------------------------- */

static int
tiles_of (int channels)
{
  return (channels + 15) / 16;
}

static int
chunks_of (int channels)
{
  return (channels + 7) / 8;
}

static int
steps_of (const VfiConv2dParams *p, int channels)
{
  return (p->kernel * p->kernel * chunks_of (channels) + 1) / 2;
}

/* The kernel's parameters but for what they point to; *shared: bytes. */
static Conv
describe (const VfiConv2dParams *p, const VfiView *src, const VfiView *dst, size_t *shared)
{
  const bool plain = p->kernel == 1 && p->stride == 1 && p->padding == 0 && p->after == 0;
  const int reach = p->dilation * (p->kernel - 1);
  Conv k = {};

  k.src = View (*src);
  k.dst = View (*dst);
  k.act = p->act;
  k.slope = p->slope;
  k.kernel = p->kernel;
  k.stride = p->stride;
  k.padding = p->padding;
  k.dilation = p->dilation;
  if (plain) { /* no pixel sees another: all of them are one row */
    k.src.w *= k.src.h;
    k.dst.w *= k.dst.h;
    k.src.h = k.dst.h = 1;
    k.shift = 3;
  } else /* 8x8 or 16x4, whichever takes fewer blocks */
    k.shift = blocks (dst->w, 16) * blocks (dst->h, 4) < blocks (dst->w, 8) * blocks (dst->h, 8);
  k.rows = ((8 >> k.shift) - 1) * k.stride + reach + 1;
  k.columns = ((8 << k.shift) - 1) * k.stride + reach + 1;
  k.half = (k.columns + k.stride - 1) / k.stride;
  k.chunks = chunks_of (src->c);
  k.pitch = k.chunks | 1;
  k.steps = steps_of (p, src->c);
  k.next_chunk = THREADS % k.chunks;
  k.next_x = THREADS / k.chunks % k.columns;
  k.next_y = THREADS / k.chunks / k.columns;
  *shared = 16 * ((k.steps + 1) / 2 + (size_t) k.rows * k.stride * k.half * k.pitch);
  *shared = MAX (*shared, PIXELS * PITCH (tiles_of (dst->c)) * sizeof (float));
  return k;
}

gboolean
vfi_cuda_mma_takes (const VfiConv2dParams *p, const VfiView *src, const VfiView *dst)
{
  const double products = (double) dst->h * dst->w * dst->c * src->c * p->kernel * p->kernel;
  size_t shared;

  if (src->dtype != VFI_F16 || View (*src).cd != 1 || p->stride > 2 || tiles_of (dst->c) > MAX_TILES || products > MOST)
    return FALSE;
  describe (p, src, dst, &shared);
  return shared <= MAX_SHARED;
}

VfiCudaBuffer *
vfi_cuda_mma_load (VfiCuda *cuda, const VfiConv2dParams *p, int c, int channels, const float *weights, GError **error)
{
  const int area = p->kernel * p->kernel, chunks = chunks_of (c), tiles = tiles_of (channels), steps = steps_of (p, c);
  const gsize n = (gsize) steps * 2 * tiles * 32 * 4; /* numbers */
  guint16 *to = g_new0 (guint16, n);
  VfiCudaBuffer *buffer;

  for (gsize i = 0; i < n; i++) {
    const int lane = i / 4 % 32, tile = i / 128 % (2 * tiles), step = i / 128 / (2 * tiles);
    const int chunk = 2 * step + i / 2 % 2, tap = chunk / chunks, from = chunk % chunks * 8 + lane % 4 * 2 + i % 2,
              out = tile * 8 + lane / 4;

    if (tap < area && from < c && out < channels)
      to[i] = vfi_f32_to_f16 (weights[((gsize) out * c + from) * area + tap]);
  }
  buffer = vfi_cuda_buffer_new (cuda, to, n * sizeof *to, error);
  g_free (to);
  return buffer;
}

void
vfi_cuda_mma (VfiCuda *cuda, const VfiConv2dParams *p, const VfiView *src, const VfiView *residual, const void *weights, const float *bias,
              const float *slopes, const VfiView *dst)
{
  static void (*const kernels[]) (Conv) = { convolve<1>, convolve<2>, convolve<3>, convolve<4>, convolve<5>, convolve<6>, convolve<7> };
  size_t shared;
  Conv k = describe (p, src, dst, &shared);

  k.weights = static_cast<const uint2 *> (weights);
  k.bias = bias;
  k.slopes = slopes;
  if (residual)
    k.residual = View (*residual);
  k.whole = wide (src);
  k.fours = k.dst.cd == 1 && dst->c % 4 == 0 && dst->ld % 4 == 0 && (gsize) dst->data % (4 * vfi_dtype_size (dst->dtype)) == 0;
  vfi_launch (cuda, dim3 (blocks (k.dst.w, 8 << k.shift), blocks (k.dst.h, 8 >> k.shift)), dim3 (THREADS), shared,
              kernels[tiles_of (dst->c) - 1], k);
}
