/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What tests know of the shim beyond CUDA itself.
 */
#pragma once

#include <stdbool.h>

#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct
{
  int devices, major, minor;
  size_t memory;       /* the device's bytes */
  int fail_launch;     /* the launch so many launches from now fails, and all that come after it; 0: none */
  int fail_allocation; /* the same of device memory */
  int late;            /* bit i: streams i, i + 3 ... of those made from now on do nothing before somebody waits for them */
  int streams;         /* made so far */
  size_t allocated;    /* bytes of device memory in use */
  int contexts;        /* that the driver has made and not destroyed */
  int allocations;     /* so far: of device and page-locked memory, streams and events */
  int launches;        /* so far: kernels, those of replayed graphs too */
  int replays;         /* so far: graphs */
  int copies;          /* so far */
  int waits;           /* so far: for the stream or an event */
} Shim;

extern Shim shim;

/* The driver's stack of contexts. */
int shim_get_current (void **context);
int shim_push_current (void *context);
int shim_pop_current (void **context);
int shim_depth (void);                   /* contexts pushed and not popped, by this thread */
int shim_captures (cudaStream_t stream); /* that began on it */
size_t shim_done (cudaStream_t stream);  /* works that are done, kernels and copies alike */
bool shim_lost (void);                   /* fail_launch has come true: nothing works any more */

/* Between these, the host may touch device memory, as libraries on the device do. */
void shim_open (void);
void shim_close (void);
/* Does work of the device's now, or records it where the stream is being captured. */
void shim_enqueue (cudaStream_t stream, void (*work) (void *data), void *data, void (*unref) (void *data));

#ifdef __cplusplus
}
#endif
