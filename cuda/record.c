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
#define graph_edges(graph, from, to, data, n) cudaGraphGetEdges (graph, from, to, data, n)
typedef cudaGraphEdgeData EdgeData;
#else
#define capture_nodes(stream, status, nodes, n) cudaStreamGetCaptureInfo_v2 (stream, status, NULL, NULL, nodes, n)
#define capture_after(stream, nodes, n) cudaStreamUpdateCaptureDependencies (stream, nodes, n, cudaStreamSetCaptureDependencies)
#define graph_edges(graph, from, to, data, n) cudaGraphGetEdges (graph, from, to, n)
typedef int EdgeData;
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

/* Kernels that have the longest way to go, in kernels, come first where there is no room for all that might run: a chain of small ones is not to wait, each of
 * them, for the blocks of large ones. Where that cannot be set all are alike. */
static void
set_priorities (cudaGraph_t graph)
{
  g_autofree cudaGraphNode_t *nodes = NULL, *from = NULL, *to = NULL;
  g_autofree EdgeData *edges = NULL;
  g_autoptr (GHashTable) way = g_hash_table_new (NULL, NULL); /* of a node: how many kernels come after it, one after the other */
  size_t n_nodes = 0, n_edges = 0;
  int least = 0, greatest = 0, longest = 1;
  gboolean changed = TRUE;

  if (cudaDeviceGetStreamPriorityRange (&least, &greatest) != cudaSuccess || cudaGraphGetNodes (graph, NULL, &n_nodes) != cudaSuccess ||
      graph_edges (graph, NULL, NULL, NULL, &n_edges) != cudaSuccess)
    return;
  nodes = g_new (cudaGraphNode_t, n_nodes);
  from = g_new (cudaGraphNode_t, n_edges);
  to = g_new (cudaGraphNode_t, n_edges);
  edges = g_new (EdgeData, n_edges);
  if (cudaGraphGetNodes (graph, nodes, &n_nodes) != cudaSuccess || graph_edges (graph, from, to, edges, &n_edges) != cudaSuccess)
    return;
  while (changed) {
    changed = FALSE;
    for (size_t i = n_edges; i-- > 0;) {
      const int far = GPOINTER_TO_INT (g_hash_table_lookup (way, to[i])) + 1;

      if (far > GPOINTER_TO_INT (g_hash_table_lookup (way, from[i]))) {
        g_hash_table_insert (way, from[i], GINT_TO_POINTER (far));
        longest = MAX (longest, far);
        changed = TRUE;
      }
    }
  }
  for (size_t i = 0; i < n_nodes; i++) {
    const int far = GPOINTER_TO_INT (g_hash_table_lookup (way, nodes[i]));
    cudaKernelNodeAttrValue value = { .priority = least + (greatest - least) * far / longest };
    enum cudaGraphNodeType type;

    if (cudaGraphNodeGetType (nodes[i], &type) == cudaSuccess && type == cudaGraphNodeTypeKernel)
      cudaGraphKernelNodeSetAttribute (nodes[i], cudaKernelNodeAttributePriority, &value);
  }
}

/* With VFI_GRAPH_DOT in the environment, a folder: what waits for what, as 0.dot, 1.dot ... */
static void
draw (cudaGraph_t graph)
{
  static int n;
  const char *folder = g_getenv ("VFI_GRAPH_DOT");
  g_autofree char *path = folder ? g_strdup_printf ("%s/%d.dot", folder, g_atomic_int_add (&n, 1)) : NULL;

  if (path && cudaGraphDebugDotPrint (graph, path, 0) != cudaSuccess)
    g_warning ("VFI_GRAPH_DOT: cannot write %s", path);
}

gpointer
vfi_cuda_record_end (VfiBackend *b)
{
  VfiCuda *cuda = (VfiCuda *) b;
  cudaGraph_t graph = NULL;
  cudaGraphExec_t exec = NULL;

  if (cudaStreamEndCapture (cuda->own, &graph) == cudaSuccess && graph && cuda->parts.good) {
    draw (graph);
    set_priorities (graph);
    cudaGraphInstantiateWithFlags (&exec, graph, cudaGraphInstantiateFlagUseNodePriority);
  }
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
