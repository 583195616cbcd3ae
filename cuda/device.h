/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the kernels share: views of either type on the device, and how a kernel is started.
 */
#pragma once

#include "cuda.h"

#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

/* The block's shared memory, as an array of `type`. */
#ifdef __CUDACC__
#define SHARED(type, name)                                                                                                                 \
  extern __shared__ float4 vfi_shared_memory[];                                                                                            \
  type *const name = (type *) vfi_shared_memory
#endif

/* A VfiView whose elements are fp32 or fp16. Element counts fit an int (core/graph.c). */
struct View
{
  void *data;
  int half, h, w, c, ld, cd;

  /* None: no data. */
  View () : data (NULL), half (0), h (0), w (0), c (0), ld (0), cd (0)
  {
  }

  View (const VfiView &v) : data (v.data), half (v.dtype == VFI_F16), h (v.h), w (v.w), c (v.c), ld (v.ld), cd (v.cd)
  {
  }
};

__device__ inline float
from_half (unsigned short bits)
{
#ifdef __CUDACC__
  return __half2float (__ushort_as_half (bits));
#else
  return vfi_f16_to_f32 (bits);
#endif
}

__device__ inline unsigned short
to_half (float v)
{
#ifdef __CUDACC__
  return __half_as_ushort (__float2half_rn (v));
#else
  return vfi_f32_to_f16 (v);
#endif
}

/* Element i of a buffer. */
__device__ inline float
get (const View &v, int i)
{
  return v.half ? from_half (static_cast<const unsigned short *> (v.data)[i]) : static_cast<const float *> (v.data)[i];
}

/* Channel c of pixel p. */
__device__ inline float
get (const View &v, int p, int c)
{
  return get (v, p * v.ld + c * v.cd);
}

__device__ inline void
set (const View &v, int p, int c, float f)
{
  const int i = p * v.ld + c * v.cd;

  if (v.half)
    static_cast<unsigned short *> (v.data)[i] = to_half (f);
  else
    static_cast<float *> (v.data)[i] = f;
}

__device__ inline float
clampf (float v, float low, float high)
{
  return fminf (fmaxf (v, low), high);
}

#define WIDE 8 /* channels: 16 bytes of fp16 */

/* Adds weight times eight channels. */
__device__ inline void
add (const unsigned short *from, float weight, float to[WIDE])
{
  const uint4 v = *(const uint4 *) from;
  const unsigned word[] = { v.x, v.y, v.z, v.w };

  for (int i = 0; i < WIDE; i++)
    to[i] += weight * from_half ((unsigned short) (word[i / 2] >> i % 2 * 16));
}

__device__ inline void
add (const float *from, float weight, float to[WIDE])
{
  for (int i = 0; i < WIDE; i += 4) {
    const float4 v = *(const float4 *) (from + i);

    to[i] += weight * v.x;
    to[i + 1] += weight * v.y;
    to[i + 2] += weight * v.z;
    to[i + 3] += weight * v.w;
  }
}

/* A coordinate, clamped to 0..n - 1 (NaN goes to 0): its lower neighbour, the upper one and the upper one's weight. */
struct Tap
{
  int i, j;
  float f;
};

__device__ inline Tap
tap (float v, int n)
{
  Tap a;

  v = clampf (v, 0, n - 1);
  a.i = static_cast<int> (v);
  a.j = a.i + 1 < n ? a.i + 1 : n - 1;
  a.f = v - a.i;
  return a;
}

/* Where pixel i of an enlargement of n pixels to 2 n, corners in place, comes from: vfi_corners of core/op.h. */
__device__ inline Tap
corner (int i, int n)
{
  return tap (static_cast<float> (i) * (n - 1) / (2 * n - 1), n);
}

__device__ inline int
clamped (int i, int n)
{
  return min (max (i, 0), n - 1);
}

/* Channel c of v at the taps. */
__device__ inline float
bilinear (const View &v, const Tap &y, const Tap &x, int c)
{
  const float top = (1 - x.f) * get (v, y.i * v.w + x.i, c) + x.f * get (v, y.i * v.w + x.j, c);
  const float bottom = (1 - x.f) * get (v, y.j * v.w + x.i, c) + x.f * get (v, y.j * v.w + x.j, c);

  return (1 - y.f) * top + y.f * bottom;
}

/* The element of a thread where there is one for each of `n` pixels times `c` channels: channels side by side where they lie so. */
struct Element
{
  int p, c;
  bool valid;
};

__device__ inline Element
element (const View &v)
{
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x, n = v.h * v.w;

  if (v.cd == 1)
    return { static_cast<int> (i / v.c), static_cast<int> (i % v.c), i < n * v.c };
  return { static_cast<int> (i % n), static_cast<int> (i / n), i < n * v.c };
}

/* ---- on the host -------------------------------------------------------------------------------- */

template <typename... Parameters, typename... Arguments>
void
vfi_launch (VfiCuda *cuda, dim3 grid, dim3 block, size_t shared, void (*kernel) (Parameters...), const Arguments &...arguments)
{
  cudaLaunchConfig_t config = {};

  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  config.stream = cuda->stream;
  vfi_cuda_note (cuda, cudaLaunchKernelEx (&config, kernel, arguments...), "a kernel does not start");
}

inline unsigned
blocks (size_t n, unsigned size)
{
  return static_cast<unsigned> ((n + size - 1) / size);
}

/* Whether channels may be read and written WIDE at a time. */
inline bool
wide (const VfiView *v)
{
  const gsize bytes = vfi_dtype_size (v->dtype);

  return View (*v).cd == 1 && v->c % WIDE == 0 && v->ld * bytes % 16 == 0 && (gsize) v->data % 16 == 0;
}

/* One thread for each element of v, as element () deals them out. */
template <typename... Parameters, typename... Arguments>
void
vfi_launch_elements (VfiCuda *cuda, const VfiView &v, void (*kernel) (Parameters...), const Arguments &...arguments)
{
  vfi_launch (cuda, blocks (static_cast<size_t> (v.h) * v.w * v.c, 256), 256, 0, kernel, arguments...);
}
