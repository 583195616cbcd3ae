/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The two libraries that are found at run time: the driver, which comes with the machine, and cuDNN, which may lie anywhere (a
 * distribution's folder, PyTorch's): the module loads without either and says what is missing. Tests put their own in place.
 */
#pragma once

#include <glib.h>

#include <cudnn.h>

/* Contexts, of the driver; 0 is success. */
typedef struct _VfiCudaDriver
{
  int (*get_current) (void **context);
  int (*push_current) (void *context);
  int (*pop_current) (void **context);
} VfiCudaDriver;

typedef struct
{
  size_t (*get_version) (void);
  const char *(*get_error_string) (cudnnStatus_t status);
  void (*get_last_error_string) (char *message, size_t size);
  cudnnStatus_t (*create) (cudnnHandle_t *handle);
  cudnnStatus_t (*destroy) (cudnnHandle_t handle);
  cudnnStatus_t (*set_stream) (cudnnHandle_t handle, cudaStream_t stream);
  cudnnStatus_t (*make) (cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *d);
  cudnnStatus_t (*unmake) (cudnnBackendDescriptor_t d);
  cudnnStatus_t (*finalize) (cudnnBackendDescriptor_t d);
  cudnnStatus_t (*set) (cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n,
                        const void *values);
  cudnnStatus_t (*get) (cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t room,
                        int64_t *n, void *values);
  cudnnStatus_t (*execute) (cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack);
} VfiCudnnApi;

/* Both stay loaded. FALSE with VFI_ERROR_BACKEND. */
gboolean vfi_cuda_load_driver (VfiCudaDriver *driver, GError **error);
gboolean vfi_cuda_load_cudnn (VfiCudnnApi *api, GError **error);
