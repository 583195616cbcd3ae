/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When each kernel of a program began and ended, by CUPTI, which the driver loads into any program:
 *
 *   CUDA_INJECTION64_PATH=.../libvfi-trace.so VFI_TRACE=FILE PROGRAM
 *
 * writes a line for each: nanoseconds of begin and end, the node of the graph that it belongs to (0: none), its name. tools/graph_chain.py reads it.
 */
#include <stdio.h>
#include <stdlib.h>

#include <cupti.h>

#if CUPTI_API_VERSION >= 130000
typedef CUpti_ActivityKernel10 Kernel;
#else
typedef CUpti_ActivityKernel9 Kernel;
#endif
#define ROOM (8 << 20)

int InitializeInjection (void);

static FILE *file;

static void CUPTIAPI
lend (uint8_t **buffer, size_t *size, size_t *records)
{
  *buffer = malloc (ROOM);
  *size = *buffer ? ROOM : 0;
  *records = 0; /* as many as fit */
}

static void CUPTIAPI
take (CUcontext context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid)
{
  CUpti_Activity *r = NULL;

  while (cuptiActivityGetNextRecord (buffer, valid, &r) == CUPTI_SUCCESS)
    if (r->kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) {
      const Kernel *k = (const Kernel *) r;

      fprintf (file, "%llu %llu %llu %s\n", (unsigned long long) k->start, (unsigned long long) k->end, (unsigned long long) k->graphNodeId,
               k->name);
    }
  free (buffer);
}

static void
end (void)
{
  cuptiActivityFlushAll (CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
  fclose (file);
}

__attribute__ ((visibility ("default"))) int
InitializeInjection (void)
{
  const char *path = getenv ("VFI_TRACE");

  if (!path || !(file = fopen (path, "w"))) {
    fprintf (stderr, "libvfi-trace: VFI_TRACE must name a file that can be written\n");
    return 0;
  }
  if (cuptiActivityRegisterCallbacks (lend, take) != CUPTI_SUCCESS ||
      cuptiActivityEnable (CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) != CUPTI_SUCCESS)
    fprintf (stderr, "libvfi-trace: CUPTI does not trace here\n");
  atexit (end);
  return 1;
}
