/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CUDA runtime as far as cuda/ uses it, on the host: "device" memory is memory that only kernels and copies may touch, streams run at
 * once, and kernels run block by block, thread by thread, between barriers. See shim.cpp.
 */
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum
{
  cudaSuccess,
  cudaErrorInvalidValue,
  cudaErrorMemoryAllocation,
  cudaErrorNoDevice = 100,
  cudaErrorUnknown = 999,
} cudaError_t;

enum cudaMemcpyKind
{
  cudaMemcpyHostToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice,
};

#define cudaEventDisableTiming 2
#define cudaStreamNonBlocking 1

typedef struct ShimStream *cudaStream_t;
typedef struct ShimEvent *cudaEvent_t;
typedef struct ShimGraph *cudaGraph_t;
typedef struct ShimGraphExec *cudaGraphExec_t;
typedef struct ShimNode *cudaGraphNode_t;

typedef enum
{
  cudaStreamCaptureModeGlobal,
  cudaStreamCaptureModeThreadLocal,
  cudaStreamCaptureModeRelaxed,
} cudaStreamCaptureMode;

typedef enum cudaStreamCaptureStatus
{
  cudaStreamCaptureStatusNone,
  cudaStreamCaptureStatusActive,
} cudaStreamCaptureStatus;

enum cudaGraphNodeType
{
  cudaGraphNodeTypeKernel,
};

typedef struct
{
  int unused;
} cudaGraphEdgeData;

typedef enum
{
  cudaKernelNodeAttributePriority,
} cudaKernelNodeAttrID;

typedef union
{
  int priority;
} cudaKernelNodeAttrValue;

#define cudaGraphInstantiateFlagUseNodePriority 8
#define CUDART_VERSION 13000
#define cudaStreamSetCaptureDependencies 1

struct cudaDeviceProp
{
  char name[256];
  int major, minor;
};

const char *cudaGetErrorString (cudaError_t status);
cudaError_t cudaGetLastError (void);
cudaError_t cudaGetDeviceCount (int *n);
cudaError_t cudaGetDevice (int *device);
cudaError_t cudaSetDevice (int device);
cudaError_t cudaGetDeviceProperties (struct cudaDeviceProp *p, int device);
cudaError_t cudaDriverGetVersion (int *version);
cudaError_t cudaMemGetInfo (size_t *unused, size_t *total);
cudaError_t cudaMalloc (void **p, size_t bytes);
cudaError_t cudaFree (void *p);
cudaError_t cudaMallocHost (void **p, size_t bytes);
cudaError_t cudaFreeHost (void *p);
cudaError_t cudaMemset (void *p, int value, size_t bytes);
cudaError_t cudaMemsetAsync (void *p, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaMemcpy (void *dst, const void *src, size_t bytes, enum cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync (void *dst, const void *src, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags (cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamDestroy (cudaStream_t stream);
cudaError_t cudaStreamSynchronize (cudaStream_t stream);
cudaError_t cudaStreamBeginCapture (cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture (cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaStreamGetCaptureInfo (cudaStream_t stream, cudaStreamCaptureStatus *status, unsigned long long *id, cudaGraph_t *graph,
                                      const cudaGraphNode_t **nodes, const void **edges, size_t *n);
cudaError_t cudaStreamUpdateCaptureDependencies (cudaStream_t stream, cudaGraphNode_t *nodes, const void *edges, size_t n, unsigned flags);
cudaError_t cudaDeviceGetStreamPriorityRange (int *least, int *greatest);
cudaError_t cudaGraphGetNodes (cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *n);
cudaError_t cudaGraphGetEdges (cudaGraph_t graph, cudaGraphNode_t *from, cudaGraphNode_t *to, cudaGraphEdgeData *data, size_t *n);
cudaError_t cudaGraphNodeGetType (cudaGraphNode_t node, enum cudaGraphNodeType *type);
cudaError_t cudaGraphKernelNodeSetAttribute (cudaGraphNode_t node, cudaKernelNodeAttrID which, const cudaKernelNodeAttrValue *value);
cudaError_t cudaGraphDebugDotPrint (cudaGraph_t graph, const char *path, unsigned flags);
cudaError_t cudaGraphInstantiateWithFlags (cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphLaunch (cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphDestroy (cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy (cudaGraphExec_t exec);
cudaError_t cudaEventCreateWithFlags (cudaEvent_t *event, unsigned flags);
cudaError_t cudaEventDestroy (cudaEvent_t event);
cudaError_t cudaEventRecord (cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize (cudaEvent_t event);
cudaError_t cudaStreamWaitEvent (cudaStream_t stream, cudaEvent_t event, unsigned flags);

#ifdef __cplusplus
}

#include <functional>

#define __global__
#define __device__
#define __launch_bounds__(...)

struct dim3
{
  unsigned x, y, z;

  dim3 (unsigned x = 1, unsigned y = 1, unsigned z = 1) : x (x), y (y), z (z)
  {
  }
};

struct alignas (8) float2
{
  float x, y;
};

struct alignas (16) float4
{
  float x, y, z, w;
};

struct alignas (8) uint2
{
  unsigned x, y;
};

struct alignas (16) uint4
{
  unsigned x, y, z, w;
};

static inline float2
make_float2 (float x, float y)
{
  return { x, y };
}

static inline float4
make_float4 (float x, float y, float z, float w)
{
  return { x, y, z, w };
}

static inline uint2
make_uint2 (unsigned x, unsigned y)
{
  return { x, y };
}

static inline uint4
make_uint4 (unsigned x, unsigned y, unsigned z, unsigned w)
{
  return { x, y, z, w };
}

static inline int
min (int a, int b)
{
  return a < b ? a : b;
}

static inline int
max (int a, int b)
{
  return a > b ? a : b;
}

template <typename To, typename From>
static inline To
same_bits (From from)
{
  union
  {
    From from;
    To to;
  } v = { from };

  return v.to;
}

static inline float
__uint_as_float (unsigned bits)
{
  return same_bits<float> (bits);
}

static inline unsigned
__float_as_uint (float f)
{
  return same_bits<unsigned> (f);
}

/* The lower word of both, shifted right by what is below 32 of a number. */
static inline unsigned
__funnelshift_r (unsigned low, unsigned high, unsigned bits)
{
  return (unsigned) (((uint64_t) high << 32 | low) >> bits % 32);
}

/* Four bytes of two words', a digit of `which` for each. */
static inline unsigned
__byte_perm (unsigned low, unsigned high, unsigned which)
{
  const uint64_t all = (uint64_t) high << 32 | low;
  unsigned v = 0;

  for (int i = 0; i < 4; i++)
    v |= (unsigned) (all >> (which >> 4 * i & 7) * 8 & 255) << 8 * i;
  return v;
}

template <typename T>
static inline T
__ldg (const T *p)
{
  return *p;
}

/* Threads run one after another. */
static inline unsigned long long
atomicAdd (unsigned long long *p, unsigned long long v)
{
  const unsigned long long before = *p;

  *p += v;
  return before;
}

extern dim3 gridDim, blockDim, blockIdx, threadIdx;

void __syncthreads ();
/* Waits for the whole block: all of its threads must come to it. */
float __shfl_xor_sync (unsigned mask, float v, int lanes);
int __any_sync (unsigned mask, int v);
int __all_sync (unsigned mask, int v);

/* What tensor cores are to their warp: after all of its lanes have given some bytes, each sees those of any lane, until it gives once more. */
#define SHIM_GIVEN 64
void shim_give (const void *mine, size_t bytes);
const void *shim_given (unsigned lane);

/* The block's dynamic shared memory. */
extern void *shim_shared;
#define SHARED(type, name) type *const name = (type *) shim_shared

struct cudaLaunchConfig_t
{
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
};

cudaError_t shim_launch (const cudaLaunchConfig_t *config, std::function<void ()> thread);

template <typename... Parameters, typename... Arguments>
cudaError_t
cudaLaunchKernelEx (const cudaLaunchConfig_t *config, void (*kernel) (Parameters...), const Arguments &...arguments)
{
  return shim_launch (config, [=] { kernel (arguments...); });
}
#endif
