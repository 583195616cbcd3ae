/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libcuda.so.1 for tests: as much of the driver as GStreamer's CUDA library loads, on the shim's device. Contexts, memory and what is lost are
 * those that the module built on the shim sees.
 */
#include <stdlib.h>
#include <string.h>

#include "shim/shim.h"

#define API __attribute__ ((visibility ("default")))

enum
{
  SUCCESS = 0,
  INVALID = 1,
  NO_MEMORY = 2,
  NO_DEVICE = 100,
  BAD_DEVICE = 101,
  LOST = 719,
  UNSUPPORTED = 801,
};

enum
{
  TEXTURE_ALIGNMENT = 14,
  CAPABILITY_MAJOR = 75,
  CAPABILITY_MINOR = 76,
};

enum
{
  ON_HOST = 1,
  ON_DEVICE = 2,
};

/* CUDA_MEMCPY2D. */
typedef struct
{
  size_t src_x, src_y;
  int src_type;
  const void *src_host;
  unsigned long long src_device;
  void *src_array;
  size_t src_pitch, dst_x, dst_y;
  int dst_type;
  void *dst_host;
  unsigned long long dst_device;
  void *dst_array;
  size_t dst_pitch, width, height;
} Copy2D;

#define DECLARE(name, ...)                                                                                                                 \
  API int name (__VA_ARGS__);                                                                                                              \
  int name (__VA_ARGS__)
#define UNUSED(name)                                                                                                                       \
  API int name (void);                                                                                                                     \
  int name (void)                                                                                                                          \
  {                                                                                                                                        \
    return UNSUPPORTED;                                                                                                                    \
  }

static int
result (cudaError_t status)
{
  return status == cudaSuccess ? SUCCESS : status == cudaErrorMemoryAllocation ? NO_MEMORY : LOST;
}

/* ---- devices ------------------------------------------------------------------------------------ */

DECLARE (cuInit, unsigned flags)
{
  return shim.devices ? SUCCESS : NO_DEVICE;
}

DECLARE (cuDriverGetVersion, int *version)
{
  *version = 13000;
  return SUCCESS;
}

DECLARE (cuDeviceGetCount, int *n)
{
  *n = shim.devices;
  return SUCCESS;
}

DECLARE (cuDeviceGet, int *device, int i)
{
  *device = i;
  return i >= 0 && i < shim.devices ? SUCCESS : BAD_DEVICE;
}

DECLARE (cuDeviceGetName, char *name, int size, int device)
{
  strncpy (name, "a shim", size);
  return SUCCESS;
}

DECLARE (cuDeviceGetAttribute, int *value, int attribute, int device)
{
  *value = attribute == CAPABILITY_MAJOR    ? shim.major
           : attribute == CAPABILITY_MINOR  ? shim.minor
           : attribute == TEXTURE_ALIGNMENT ? 512
                                            : 0;
  return SUCCESS;
}

DECLARE (cuDeviceCanAccessPeer, int *can, int device, int peer)
{
  *can = 0;
  return SUCCESS;
}

DECLARE (cuGetErrorName, int error, const char **text)
{
  *text = error == NO_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : error == LOST ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR_UNKNOWN";
  return SUCCESS;
}

DECLARE (cuGetErrorString, int error, const char **text)
{
  return cuGetErrorName (error, text);
}

/* ---- contexts ----------------------------------------------------------------------------------- */

DECLARE (cuCtxCreate_v2, void **context, unsigned flags, int device)
{
  *context = malloc (1);
  shim.contexts++;
  return shim_push_current (*context);
}

DECLARE (cuCtxDestroy_v2, void *context)
{
  free (context);
  shim.contexts--;
  return SUCCESS;
}

DECLARE (cuCtxPushCurrent_v2, void *context)
{
  return shim_push_current (context);
}

DECLARE (cuCtxPopCurrent_v2, void **context)
{
  void *popped;

  return shim_pop_current (context ? context : &popped);
}

DECLARE (cuCtxGetCurrent, void **context)
{
  return shim_get_current (context);
}

/* ---- memory ------------------------------------------------------------------------------------- */

DECLARE (cuMemAlloc_v2, unsigned long long *p, size_t bytes)
{
  return result (cudaMalloc ((void **) p, bytes));
}

/* Rows are padded by more than is usual, and not to a power of two. */
DECLARE (cuMemAllocPitch_v2, unsigned long long *p, size_t *pitch, size_t width, size_t height, unsigned element)
{
  *pitch = (width + 511) / 512 * 512 + 512;
  return result (cudaMalloc ((void **) p, *pitch * height));
}

DECLARE (cuMemFree_v2, unsigned long long p)
{
  return result (cudaFree ((void *) (size_t) p));
}

DECLARE (cuMemAllocHost_v2, void **p, size_t bytes)
{
  return result (cudaMallocHost (p, bytes));
}

DECLARE (cuMemFreeHost, void *p)
{
  return result (cudaFreeHost (p));
}

static int
copy_2d (const Copy2D *c, cudaStream_t stream)
{
  const int from = c->src_type == ON_DEVICE, to = c->dst_type == ON_DEVICE;
  const char *src = from ? (const char *) (size_t) c->src_device : c->src_host;
  char *dst = to ? (char *) (size_t) c->dst_device : c->dst_host;
  const enum cudaMemcpyKind kind = from ? to ? cudaMemcpyDeviceToDevice : cudaMemcpyDeviceToHost
                                   : to ? cudaMemcpyHostToDevice
                                        : cudaMemcpyHostToHost;

  if (c->src_x || c->src_y || c->dst_x || c->dst_y)
    return INVALID;
  for (size_t y = 0; y < c->height; y++) {
    const cudaError_t status = cudaMemcpyAsync (dst + y * c->dst_pitch, src + y * c->src_pitch, c->width, kind, stream);

    if (status != cudaSuccess)
      return result (status);
  }
  return SUCCESS;
}

DECLARE (cuMemcpy2D_v2, const Copy2D *c)
{
  return copy_2d (c, NULL);
}

DECLARE (cuMemcpy2DAsync_v2, const Copy2D *c, void *stream)
{
  return copy_2d (c, stream);
}

/* ---- streams: GStreamer 1.24 and later ---------------------------------------------------------- */

DECLARE (cuStreamCreate, void **stream, unsigned flags)
{
  return result (cudaStreamCreateWithFlags ((cudaStream_t *) stream, flags));
}

DECLARE (cuStreamDestroy_v2, void *stream)
{
  return result (cudaStreamDestroy (stream));
}

DECLARE (cuStreamSynchronize, void *stream)
{
  return stream ? result (cudaStreamSynchronize (stream)) : SUCCESS;
}

/* ---- what nobody calls -------------------------------------------------------------------------- */

UNUSED (cuCtxEnablePeerAccess)
UNUSED (cuCtxDisablePeerAccess)
UNUSED (cuGraphicsMapResources)
UNUSED (cuGraphicsUnmapResources)
UNUSED (cuGraphicsResourceSetMapFlags_v2)
UNUSED (cuGraphicsSubResourceGetMappedArray)
UNUSED (cuGraphicsResourceGetMappedPointer_v2)
UNUSED (cuGraphicsUnregisterResource)
UNUSED (cuModuleLoadData)
UNUSED (cuModuleUnload)
UNUSED (cuModuleGetFunction)
UNUSED (cuTexObjectCreate)
UNUSED (cuTexObjectDestroy)
UNUSED (cuLaunchKernel)
UNUSED (cuGraphicsGLRegisterImage)
UNUSED (cuGraphicsGLRegisterBuffer)
UNUSED (cuGLGetDevices_v2)
UNUSED (cuStreamDestroy)
UNUSED (cuCtxSynchronize)
UNUSED (cuCtxGetLimit)
UNUSED (cuCtxSetLimit)
UNUSED (cuMemcpyDtoD_v2)
UNUSED (cuMemcpyDtoDAsync_v2)
UNUSED (cuMemcpyDtoH_v2)
UNUSED (cuMemcpyDtoHAsync_v2)
UNUSED (cuMemcpyHtoD_v2)
UNUSED (cuMemcpyHtoDAsync_v2)
UNUSED (cuMemsetD2D8_v2)
UNUSED (cuMemsetD2D8Async)
UNUSED (cuMemsetD2D16_v2)
UNUSED (cuMemsetD2D16Async)
UNUSED (cuMemsetD2D32_v2)
UNUSED (cuMemsetD2D32Async)
UNUSED (cuDeviceGetUuid)
UNUSED (cuEventCreate)
UNUSED (cuEventDestroy_v2)
UNUSED (cuEventRecord)
UNUSED (cuEventSynchronize)
UNUSED (cuIpcGetEventHandle)
UNUSED (cuIpcOpenEventHandle)
UNUSED (cuIpcGetMemHandle)
UNUSED (cuIpcOpenMemHandle)
UNUSED (cuIpcCloseMemHandle)
