/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which backend serves: the CPU's and the plain one are part of libvfi, CUDA's is a module that is looked for at run time, so that one
 * build loads on any machine.
 */
#define _GNU_SOURCE
#include "backend.h"

#include <dlfcn.h>
#include <gmodule.h>

VfiBackend *
vfi_backend_ref (VfiBackend *b)
{
  g_atomic_int_inc (&b->refs);
  return b;
}

void
vfi_backend_unref (VfiBackend *b)
{
  if (b && g_atomic_int_dec_and_test (&b->refs))
    b->klass->free (b);
}

/* The module beside libvfi, else one on the library path. It stays loaded: drivers do not like to leave. */
static GModule *
open_cuda_module (GError **error)
{
  static const char name[] = "libvfi-cuda.so";
  GModule *module = NULL;
  Dl_info self;

  if (dladdr (&vfi_backend_open, &self) && self.dli_fname) {
    char *dir = g_path_get_dirname (self.dli_fname), *path = g_build_filename (dir, name, NULL);

    if (g_file_test (path, G_FILE_TEST_EXISTS))
      module = g_module_open (path, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
    g_free (path);
    g_free (dir);
  }
  if (!module)
    module = g_module_open (name, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
  if (module)
    g_module_make_resident (module);
  else
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND,
                 "the CUDA module does not load (%s): build it where nvcc is, with -Dcuda=enabled, or use the CPU", g_module_error ());
  return module;
}

static gpointer
cuda_symbol (const char *name, GError **error)
{
  GModule *module = open_cuda_module (error);
  gpointer symbol = NULL;

  if (module && !g_module_symbol (module, name, &symbol))
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "%s is no CUDA module of libvfi", g_module_name (module));
  return symbol;
}

static VfiBackend *
open_cuda (const VfiOptions *options, GError **error)
{
  VfiCudaBackendNew make = (VfiCudaBackendNew) cuda_symbol ("vfi_cuda_backend_new", error);

  return make ? make (options->cuda_device, options->cuda_stream, error) : NULL;
}

VfiBackend *
vfi_backend_open (const VfiOptions *options, char **reason, GError **error)
{
  VfiBackend *b;
  GError *e = NULL;

  if (reason)
    *reason = NULL;
  switch (options->backend) {
    case VFI_BACKEND_REFERENCE:
      return vfi_reference_backend_new ();
    case VFI_BACKEND_CPU:
      return vfi_cpu_backend_new (options->threads, error);
    case VFI_BACKEND_CUDA:
      return open_cuda (options, error);
    case VFI_BACKEND_AUTO:
      if ((b = open_cuda (options, &e)))
        return b;
      if (reason)
        *reason = g_strdup (e->message);
      g_error_free (e);
      return vfi_cpu_backend_new (options->threads, error);
  }
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "there is no backend %d", options->backend);
  return NULL;
}

gboolean
vfi_cuda_found (int device, GError **error)
{
  VfiCudaBackendCheck check = (VfiCudaBackendCheck) cuda_symbol ("vfi_cuda_backend_check", error);

  return check && check (device, error);
}

gboolean
vfi_cuda_available (const VfiOptions *options, GError **error)
{
  g_autoptr (VfiBackend) b = open_cuda (options, error);

  return b != NULL;
}

gboolean
vfi_cuda_memory (gsize *unused, gsize *total)
{
  VfiCudaBackendMemory ask = (VfiCudaBackendMemory) cuda_symbol ("vfi_cuda_backend_memory", NULL);

  return ask && ask (unused, total);
}
