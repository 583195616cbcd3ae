/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "load.h"

#include <dlfcn.h>

#include "vfi.h"

typedef struct
{
  const char *name;
  void *function;
} Symbol;

static gboolean
load (const char *library, const char *advice, const Symbol *symbols, int n, GError **error)
{
  void *handle = dlopen (library, RTLD_NOW | RTLD_GLOBAL);

  if (!handle) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "%s: %s", advice, dlerror ());
    return FALSE;
  }
  for (int i = 0; i < n; i++) {
    void *found = dlsym (handle, symbols[i].name);

    if (!found) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "%s has no %s: it is too old", library, symbols[i].name);
      return FALSE;
    }
    *(void **) symbols[i].function = found;
  }
  return TRUE;
}

gboolean
vfi_cuda_load_driver (VfiCudaDriver *d, GError **error)
{
  const Symbol symbols[] = {
    { "cuCtxGetCurrent", &d->get_current },
    { "cuCtxPushCurrent_v2", &d->push_current },
    { "cuCtxPopCurrent_v2", &d->pop_current },
  };

  return load ("libcuda.so.1", "there is no NVIDIA driver", symbols, G_N_ELEMENTS (symbols), error);
}

gboolean
vfi_cuda_load_cudnn (VfiCudnnApi *api, GError **error)
{
  const Symbol symbols[] = {
    { "cudnnGetVersion", &api->get_version },
    { "cudnnGetErrorString", &api->get_error_string },
    { "cudnnGetLastErrorString", &api->get_last_error_string },
    { "cudnnCreate", &api->create },
    { "cudnnDestroy", &api->destroy },
    { "cudnnSetStream", &api->set_stream },
    { "cudnnBackendCreateDescriptor", &api->make },
    { "cudnnBackendDestroyDescriptor", &api->unmake },
    { "cudnnBackendFinalize", &api->finalize },
    { "cudnnBackendSetAttribute", &api->set },
    { "cudnnBackendGetAttribute", &api->get },
    { "cudnnBackendExecute", &api->execute },
  };

  return load ("libcudnn.so.9", "cuDNN 9 is not found (install it, or put its folder into LD_LIBRARY_PATH)", symbols,
               G_N_ELEMENTS (symbols), error);
}
