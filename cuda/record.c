/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plan's work as a CUDA graph: captured once, started in one go. Parts of it that do not wait for each other run at the same time: a small picture's kernels
 * leave most of a GPU to others.
 */
#include "cuda.h"
#include "cudnn_conv.h"

#if CUDART_VERSION >= 13000
#define capture_nodes(stream, status, nodes, n) cudaStreamGetCaptureInfo (stream, status, NULL, NULL, nodes, NULL, n)
#define capture_after(stream, nodes, n) cudaStreamUpdateCaptureDependencies (stream, nodes, NULL, n, cudaStreamSetCaptureDependencies)
#else
#define capture_nodes(stream, status, nodes, n) cudaStreamGetCaptureInfo_v2 (stream, status, NULL, NULL, nodes, n)
#define capture_after(stream, nodes, n) cudaStreamUpdateCaptureDependencies (stream, nodes, n, cudaStreamSetCaptureDependencies)
#endif

static void
leave (VfiCuda *cuda)
{
  cuda->stream = cuda->live;
  if (!vfi_cudnn_set_stream (cuda->cudnn, cuda->stream))
    vfi_cuda_fail (cuda, g_error_new_literal (VFI_ERROR, VFI_ERROR_BACKEND, "cuDNN does not go back to its stream"));
}

gboolean
vfi_cuda_record_begin (VfiBackend *b)
{
  VfiCuda *cuda = (VfiCuda *) b;

  cuda->live = cuda->stream;
  cuda->stream = cuda->own;
  g_array_set_size (cuda->parts.nodes, 0);
  g_array_set_size (cuda->parts.starts, 0);
  cuda->parts.good = TRUE;
  if (vfi_cudnn_set_stream (cuda->cudnn, cuda->own) && cudaStreamBeginCapture (cuda->own, cudaStreamCaptureModeThreadLocal) == cudaSuccess)
    return TRUE;
  leave (cuda);
  return FALSE;
}

/* The nodes with which what was captured so far of the last part ends. */
static gboolean
note_end (VfiCuda *cuda)
{
  enum cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  const cudaGraphNode_t *nodes = NULL;
  size_t n = 0;

  if (capture_nodes (cuda->own, &status, &nodes, &n) != cudaSuccess || status != cudaStreamCaptureStatusActive)
    return FALSE;
  g_array_append_vals (cuda->parts.nodes, nodes, n);
  return TRUE;
}

void
vfi_cuda_record_part (VfiBackend *b, const int *after, int n)
{
  VfiCuda *cuda = (VfiCuda *) b;
  VfiCudaParts *p = &cuda->parts;
  const int part = p->starts->len;
  g_autoptr (GArray) nodes = g_array_new (FALSE, FALSE, sizeof (cudaGraphNode_t));
  int end;

  if (part > 0)
    p->good = p->good && note_end (cuda);
  end = p->nodes->len;
  g_array_append_val (p->starts, end);
  for (int i = 0; i < n; i++) {
    const int *start = &g_array_index (p->starts, int, after[i]);

    g_array_append_vals (nodes, &g_array_index (p->nodes, cudaGraphNode_t, start[0]), start[1] - start[0]);
  }
  p->good = p->good && capture_after (cuda->own, (cudaGraphNode_t *) nodes->data, nodes->len) == cudaSuccess;
}

gpointer
vfi_cuda_record_end (VfiBackend *b)
{
  VfiCuda *cuda = (VfiCuda *) b;
  cudaGraph_t graph = NULL;
  cudaGraphExec_t exec = NULL;

  if (cudaStreamEndCapture (cuda->own, &graph) == cudaSuccess && graph && cuda->parts.good)
    cudaGraphInstantiateWithFlags (&exec, graph, 0);
  if (graph)
    cudaGraphDestroy (graph);
  cudaGetLastError (); /* what cannot be captured is run plainly */
  leave (cuda);
  return exec;
}

void
vfi_cuda_replay (VfiBackend *b, gpointer recording)
{
  VfiCuda *cuda = (VfiCuda *) b;

  vfi_cuda_note (cuda, cudaGraphLaunch (recording, cuda->stream), "a captured graph does not start");
}

void
vfi_cuda_record_free (VfiBackend *b, gpointer recording)
{
  void *outer;

  vfi_cuda_push ((VfiCuda *) b, &outer);
  cudaGraphExecDestroy (recording);
  vfi_cuda_pop ((VfiCuda *) b, outer);
}
