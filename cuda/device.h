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

/* Eight channels. */
__device__ inline void
load (const unsigned short *from, float to[WIDE])
{
  const uint4 v = *(const uint4 *) from;
  const unsigned word[] = { v.x, v.y, v.z, v.w };

  for (int i = 0; i < WIDE; i++)
    to[i] = from_half ((unsigned short) (word[i / 2] >> i % 2 * 16));
}

__device__ inline void
load (const float *from, float to[WIDE])
{
  for (int i = 0; i < WIDE; i += 4) {
    const float4 v = *(const float4 *) (from + i);

    to[i] = v.x;
    to[i + 1] = v.y;
    to[i + 2] = v.z;
    to[i + 3] = v.w;
  }
}

__device__ inline void
store (const float from[WIDE], unsigned short *to)
{
  unsigned word[WIDE / 2];

  for (int i = 0; i < WIDE / 2; i++)
    word[i] = to_half (from[2 * i]) | (unsigned) to_half (from[2 * i + 1]) << 16;
  *(uint4 *) to = make_uint4 (word[0], word[1], word[2], word[3]);
}

__device__ inline void
store (const float from[WIDE], float *to)
{
  for (int i = 0; i < WIDE; i += 4)
    *(float4 *) (to + i) = make_float4 (from[i], from[i + 1], from[i + 2], from[i + 3]);
}

/* Of pixel p from c on, where v is wide (). */
__device__ inline void
load (const View &v, int p, int c, float to[WIDE])
{
  if (v.half)
    load (static_cast<const unsigned short *> (v.data) + p * v.ld + c, to);
  else
    load (static_cast<const float *> (v.data) + p * v.ld + c, to);
}

__device__ inline void
store (const float from[WIDE], const View &v, int p, int c)
{
  if (v.half)
    store (from, static_cast<unsigned short *> (v.data) + p * v.ld + c);
  else
    store (from, static_cast<float *> (v.data) + p * v.ld + c);
}

/* Adds weight times eight channels. */
template <typename T>
__device__ inline void
add (const T *from, float weight, float to[WIDE])
{
  float v[WIDE];

  load (from, v);
  for (int i = 0; i < WIDE; i++)
    to[i] += weight * v[i];
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

/* vfi_inside_part of core/sample.h: `within` is the source that says the part, or nothing: then it is all. */
__device__ inline float
inside (float y, float x, const View &within, int h, int w)
{
  const float *part = static_cast<const float *> (within.data);
  const float top = part ? part[0] * h : 0, left = part ? part[1] * w : 0, bottom = part ? part[2] * h : h, right = part ? part[3] * w : w;

  return clampf (1.5f - fmaxf (fmaxf (left - x, x - (right - 1)), fmaxf (top - y, y - (bottom - 1))), VFI_OUTSIDE, 1);
}

/* vfi_inside of core/sample.h */
__device__ inline float
inside (float y, float x, int h, int w)
{
  return clampf (1.5f - fmaxf (fmaxf (-x, x - (w - 1)), fmaxf (-y, y - (h - 1))), VFI_OUTSIDE, 1);
}

/* Channel c of v at the taps. */
__device__ inline float
bilinear (const View &v, const Tap &y, const Tap &x, int c)
{
  const float top = (1 - x.f) * get (v, y.i * v.w + x.i, c) + x.f * get (v, y.i * v.w + x.j, c);
  const float bottom = (1 - x.f) * get (v, y.j * v.w + x.i, c) + x.f * get (v, y.j * v.w + x.j, c);

  return (1 - y.f) * top + y.f * bottom;
}

/* vfi_act_apply of core/op.h */
__device__ inline float
activate (int act, float slope, float v)
{
  switch (act) {
    case VFI_RELU:
      return v > 0 ? v : 0;
    case VFI_LEAKY_RELU:
    case VFI_PRELU:
      return v > 0 ? v : v * slope;
    case VFI_SIGMOID:
      return 1 / (1 + expf (-v));
    case VFI_TANH:
      return tanhf (v);
    case VFI_ELU:
      return v > 0 ? v : expm1f (v);
    case VFI_HARDTANH:
      return clampf (v, -1, 1);
    default:
      return v;
  }
}

/* What a thread does of vfi_launch_elements () and vfi_launch_wide (): channel c of pixel p, or WIDE channels from c on. */
struct Element
{
  int p, c;
  bool valid;
};

__device__ inline Element
element (const View &v, int channels = 1)
{
  const int p = blockIdx.x * blockDim.y + threadIdx.y, c = (blockIdx.y * blockDim.x + threadIdx.x) * channels;

  return { p, c, p < v.h * v.w && c < v.c };
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

/* One thread for each of v's elements: those that lie side by side are neighbours. */
template <typename... Parameters, typename... Arguments>
void
vfi_launch_elements (VfiCuda *cuda, const VfiView &v, void (*kernel) (Parameters...), const Arguments &...arguments)
{
  const unsigned channels = v.cd == 1 ? MIN (v.c, 256) : 1, pixels = 256 / channels;

  vfi_launch (cuda, dim3 (blocks (static_cast<size_t> (v.h) * v.w, pixels), blocks (v.c, channels)), dim3 (channels, pixels), 0, kernel,
              arguments...);
}

/* One thread for each WIDE channels of v. */
template <typename... Parameters, typename... Arguments>
void
vfi_launch_wide (VfiCuda *cuda, VfiView v, void (*kernel) (Parameters...), const Arguments &...arguments)
{
  v.c /= WIDE;
  vfi_launch_elements (cuda, v, kernel, arguments...);
}
