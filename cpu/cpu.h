/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Inside the CPU backend. Every kernel file but conv2d.c is compiled once for each instruction set (see meson.build) and then
 * exports its names with the set's name behind them; isa.c gathers them in one table for each.
 */
#pragma once

#include "backend.h"

typedef struct
{
  const char *name; /* "avx512", "avx2", "base" */
  const VfiKernel *const *kernels;
  gsize band_bytes; /* core/backend.h */
  void (*pack) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x);
  void (*synthesize) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
                      const VfiSynthesis *motion, const VfiFrame *dst);
} VfiCpuIsa;

extern const VfiCpuIsa vfi_cpu_isa_avx512, vfi_cpu_isa_avx2, vfi_cpu_isa_base;

extern const VfiKernel vfi_cpu_conv2d;

/* pool.c: n threads, the one that calls included. One share at a time; part runs once in each thread, i below n. */
typedef struct _VfiCpuPool VfiCpuPool;
VfiCpuPool *vfi_cpu_pool_new (int n);
void vfi_cpu_pool_free (VfiCpuPool *p);
void vfi_cpu_pool_share (VfiCpuPool *p, void (*part) (gpointer data, int i, int n), gpointer data);

/* Calls `each` for every i below n, `step` of them at a time to a thread that has nothing to do. For kernels. */
void vfi_cpu_each (VfiBackend *b, int n, int step, void (*each) (gpointer data, int i, int thread), gpointer data);

/* As vfi_cpu_backend_new, with the instruction set given (NULL: the best); VFI_ERROR_UNSUPPORTED if the machine has not got it. For tests. */
VfiBackend *vfi_cpu_backend_new_isa (int threads, const char *isa, GError **error);
