/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The backend table: all that core knows of a machine. cpu/ and the cuda module fill one in; core/reference.c is the
 * plain one. Core calls down only through this.
 */
#pragma once

#include "frame.h"
#include "op.h"
#include "vfi.h"

typedef struct _VfiBackend VfiBackend;
typedef struct _VfiBackendClass VfiBackendClass;

/* How a backend runs one operator. Lists are tried in order; the first that supports the node is taken. */
typedef struct
{
  const VfiOp *op;
  gboolean (*supports) (VfiBackend *b, const VfiNode *node); /* NULL: always */
  /* May allocate, pack and tune. Views carry shapes, dtypes and ld, but no data yet. Weights as in the file, fp32, valid only during the call.
   * Returns the kernel's state (NULL is a valid state if *error is not set). */
  gpointer (*prepare) (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst,
                       GError **error);
  /* Only computes (or enqueues): allocates nothing, cannot fail. */
  void (*run) (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst);
  void (*release) (gpointer state); /* NULL: nothing to release */
  /* Memory that run needs only while it runs: how many bytes, and, before the first run, where (64-byte aligned). Both or neither. It lies
   * between the tensors, where these leave room. Kernels that take rows share it out among threads. */
  gsize (*workspace) (gpointer state);
  void (*bind) (gpointer state, void *workspace);
  /* In place of run: rows y0 to y1 - 1 of the result only, by one thread, of sources of which there is yet what op->reach says that these need. Threads
   * are at other rows, or the same, at the same time; `thread` numbers them, below b->threads. In a run its rows follow one another, from where they
   * always begin; y0 is even, and y1 even or the last row's, but in tests. */
  void (*rows) (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1);
} VfiKernel;

struct _VfiBackendClass
{
  const char *name;
  VfiMemory memory;
  const VfiKernel *const *kernels; /* NULL-terminated */

  void (*free) (VfiBackend *b);
  gboolean (*supports_precision) (VfiBackend *b, VfiDType feature);
  VfiDType (*best_precision) (VfiBackend *b);
  /* Plans take nodes that come one after the other, and whose kernels can, through bands of rows, for each thread of about so many bytes, all that
   * the nodes read and write added up: what one writes is in the cache when the next reads it. 0: each node through the whole picture. */
  gsize band_bytes;
  /* Calls part for each i below n, at the same time, each by a thread. NULL where no kernel takes rows. */
  void (*share) (VfiBackend *b, void (*part) (gpointer data, int i, int n), gpointer data);

  /* Buffers for arenas, inputs and outputs; 64-byte aligned (256 on devices). NULL with VFI_ERROR_MEMORY. */
  void *(*alloc) (VfiBackend *b, gsize bytes, GError **error);
  void (*dealloc) (VfiBackend *b, void *p);
  /* Between host and buffer; waits. */
  void (*upload) (VfiBackend *b, void *dst, const void *src, gsize bytes);
  void (*download) (VfiBackend *b, void *dst, const void *src, gsize bytes);

  /* Called around every run of plans and frame functions by one session: sets threads, pushes contexts; end waits for results. */
  void (*begin) (VfiBackend *b);
  void (*end) (VfiBackend *b);
  /* Both NULL where work is done when it is called. leave in place of end lets the work go on; settle waits for the oldest that was left so. Of work
   * with frames on the host few are under way at a time: leave may settle older ones, as end settles all. */
  void (*leave) (VfiBackend *b);
  void (*settle) (VfiBackend *b);
  /* NULL where work cannot fail. TRUE, with the error, if something did since the last call: a device that is lost, or out of memory. */
  gboolean (*failed) (VfiBackend *b, GError **error);

  /* All NULL where starting work costs nothing. What run entries enqueue between record_begin and record_end is kept instead of done; replay
   * enqueues it, in one go, as often as one likes, on the same buffers. record_end gives NULL if that was not to be. */
  gboolean (*record_begin) (VfiBackend *b);
  /* Begins another part of it, which waits for n earlier ones, by their numbers, and for these only. */
  void (*record_part) (VfiBackend *b, const int *after, int n);
  gpointer (*record_end) (VfiBackend *b);
  void (*replay) (VfiBackend *b, gpointer recording);
  void (*record_free) (VfiBackend *b, gpointer recording);

  /* Frames to tensors and back: contracts in core/frame.h. Frames lie in klass->memory, or on the host. */
  void (*pack) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x);
  void (*area) (VfiBackend *b, const VfiView *x, gboolean begins, const VfiView *bars, const VfiView *area);
  void (*synthesize) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
                      const VfiSynthesis *motion, const VfiFrame *dst);
  /* NULL: the backend has none yet, and does not run networks that see pictures. */
  void (*pack_picture) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x);
  void (*unpack_picture) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double t,
                          const VfiPicture *picture, const VfiView *x, const VfiFrame *dst);

  /* Of a frame in device memory: sums of luma over the cells of a grid (core/scene.h), which are on the host after `end`. NULL where frames
   * lie on the host only. */
  void (*luma_sums) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, int w, int h, guint64 *sums);

  /* The rates of vfi_machine_rates. */
  gboolean (*rates) (VfiBackend *b, VfiDType feature, double seconds, double *flops, double *copy_bytes, GError **error);
};

struct _VfiBackend
{
  const VfiBackendClass *klass;
  gint refs;
  char *description; /* "cpu (oneDNN 2.6.3)" */
  int threads;
};

VfiBackend *vfi_backend_ref (VfiBackend *b);
void vfi_backend_unref (VfiBackend *b);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VfiBackend, vfi_backend_unref)

/* Opens what the options ask for. AUTO: CUDA if its module and a device are there, else the CPU; *reason (may be NULL; owned by the
 * caller, g_free) then says why not CUDA, and is NULL otherwise. */
VfiBackend *vfi_backend_open (const VfiOptions *options, char **reason, GError **error);

VfiBackend *vfi_reference_backend_new (void);                  /* core/reference.c */
extern const VfiKernel *const vfi_reference_kernels[];         /* its kernels, NULL-terminated: the last resort of others on the host */
VfiBackend *vfi_cpu_backend_new (int threads, GError **error); /* cpu/backend.c; threads 0: all the process may use */
/* The cuda module (libvfi-cuda.so) exports this under the name "vfi_cuda_backend_new". */
typedef VfiBackend *(*VfiCudaBackendNew) (int device, gpointer stream, GError **error);
/* This as "vfi_cuda_backend_check": vfi_cuda_found. */
typedef gboolean (*VfiCudaBackendCheck) (int device, GError **error);
/* And this as "vfi_cuda_backend_memory": vfi_cuda_memory. */
typedef gboolean (*VfiCudaBackendMemory) (gsize *unused, gsize *total);
