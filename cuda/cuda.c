/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What every file here works with: errors, the context, memory. See cuda.h.
 */
#include "cuda.h"

#include "load.h"
#include "vfi.h"

/* ---- errors ------------------------------------------------------------------------------------- */

gboolean
vfi_cuda_ok (cudaError_t status, const char *what, GError **error)
{
  if (status == cudaSuccess)
    return TRUE;
  cudaGetLastError (); /* does not come back with the next call, unless the device is lost */
  g_set_error (error, VFI_ERROR, status == cudaErrorMemoryAllocation ? VFI_ERROR_MEMORY : VFI_ERROR_BACKEND, "%s: %s", what,
               cudaGetErrorString (status));
  return FALSE;
}

void
vfi_cuda_fail (VfiCuda *cuda, GError *error)
{
  if (cuda->failure)
    g_error_free (error);
  else
    cuda->failure = error;
}

gboolean
vfi_cuda_note (VfiCuda *cuda, cudaError_t status, const char *what)
{
  GError *error = NULL;

  if (vfi_cuda_ok (status, what, &error))
    return TRUE;
  vfi_cuda_fail (cuda, error);
  return FALSE;
}

/* ---- context ------------------------------------------------------------------------------------ */

void
vfi_cuda_push (VfiCuda *cuda, void **outer)
{
  *outer = NULL;
  cuda->driver->get_current (outer);
  if (*outer != cuda->context)
    cuda->driver->push_current (cuda->context);
}

void
vfi_cuda_pop (VfiCuda *cuda, void *outer)
{
  void *popped;

  if (outer != cuda->context)
    cuda->driver->pop_current (&popped);
}

/* ---- memory ------------------------------------------------------------------------------------- */

static void *
checked (void *p, cudaError_t status, const char *kind, gsize bytes, GError **error)
{
  gsize unused = 0, total = 0;

  if (status == cudaSuccess)
    return p;
  cudaGetLastError ();
  if (status != cudaErrorMemoryAllocation) {
    vfi_cuda_ok (status, "no memory", error);
    return NULL;
  }
  cudaMemGetInfo (&unused, &total);
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY,
               "no %s memory for %" G_GSIZE_FORMAT " bytes: %" G_GSIZE_FORMAT " of the device's %" G_GSIZE_FORMAT " are free", kind, bytes,
               unused, total);
  return NULL;
}

void *
vfi_cuda_alloc (gsize bytes, GError **error)
{
  void *p = NULL;
  cudaError_t status = cudaMalloc (&p, MAX (bytes, 1));

  return checked (p, status, "device", bytes, error);
}

void *
vfi_cuda_alloc_host (gsize bytes, GError **error)
{
  void *p = NULL;
  cudaError_t status = cudaMallocHost (&p, MAX (bytes, 1));

  return checked (p, status, "page-locked", bytes, error);
}

VfiCudaBuffer *
vfi_cuda_buffer_new (VfiCuda *cuda, const void *src, gsize bytes, GError **error)
{
  VfiCudaBuffer *buffer = g_new0 (VfiCudaBuffer, 1);
  void *outer;
  gboolean ok;

  buffer->cuda = cuda;
  vfi_cuda_push (cuda, &outer);
  ok = (buffer->data = vfi_cuda_alloc (bytes, error)) &&
       vfi_cuda_ok (cudaMemcpy (buffer->data, src, bytes, cudaMemcpyHostToDevice), "copying to the device", error);
  vfi_cuda_pop (cuda, outer);
  if (ok)
    return buffer;
  vfi_cuda_buffer_free (buffer);
  return NULL;
}

void
vfi_cuda_buffer_free (gpointer p)
{
  VfiCudaBuffer *buffer = p;
  void *outer;

  if (!buffer)
    return;
  vfi_cuda_push (buffer->cuda, &outer);
  cudaFree (buffer->data);
  vfi_cuda_pop (buffer->cuda, outer);
  g_free (buffer);
}

/* ---- nodes -------------------------------------------------------------------------------------- */

gboolean
vfi_cuda_supports (VfiBackend *b, const VfiNode *node)
{
  gboolean good = node->dst->dtype != VFI_BF16;

  for (int i = 0; i < node->n_src; i++)
    good = good && node->src[i]->dtype != VFI_BF16;
  return good;
}
