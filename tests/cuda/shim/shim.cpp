/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A block's threads are run one after another. The first that comes to a barrier shows that there are some: then all are coroutines, which
 * wait for each other there, in turns that change direction. A shuffle is a barrier, too. Barriers that some threads miss end the program, and so does shared
 * memory beyond what the launch asked for; what a block finds there is no number.
 */
#undef _FORTIFY_SOURCE /* which has jumps to other stacks for errors */
#include "shim.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <vector>

#define STACK (128 << 10)
#define MAX_THREADS 1024
#define MAX_SHARED (48 << 10)
#define FENCE 256

Shim shim = { 1, 9, 0, (size_t) 1 << 30 };
dim3 gridDim, blockDim, blockIdx, threadIdx;
void *shim_shared;

[[noreturn]] static void
die (const char *what)
{
  fprintf (stderr, "CUDA shim: %s\n", what);
  abort ();
}

/* ---- contexts ----------------------------------------------------------------------------------- */

static thread_local std::vector<void *> contexts;

int
shim_get_current (void **context)
{
  *context = contexts.empty () ? nullptr : contexts.back ();
  return 0;
}

int
shim_push_current (void *context)
{
  contexts.push_back (context);
  return 0;
}

int
shim_pop_current (void **context)
{
  shim_get_current (context);
  if (contexts.empty ())
    die ("pops a context where there is none");
  contexts.pop_back ();
  return 0;
}

int
shim_depth (void)
{
  return (int) contexts.size ();
}

static void
need_context ()
{
  if (contexts.empty ())
    die ("no context is current");
}

/* Of all that is not one thread's own; held while the device works, too. */
static std::recursive_mutex lock;
typedef std::lock_guard<std::recursive_mutex> Locked;

/* ---- threads ------------------------------------------------------------------------------------ */

/* It is made once, and jumped to and from, which is faster by far than swapcontext: that asks the kernel for the mask of signals. */
struct Coroutine
{
  bool made;
  jmp_buf place;
  dim3 index;
  bool done, shuffles;                                /* waits for its warp, not for the block */
  unsigned n_shuffles;                                /* so far */
  alignas (16) unsigned char shuffled[2][SHIM_GIVEN]; /* by the last two: a thread may be one ahead of another */
};

static std::vector<Coroutine> coroutines (MAX_THREADS);
static jmp_buf scheduler;
static Coroutine *current;
static const std::function<void ()> *body;
static char *stacks;

static void
leave (bool shuffles)
{
  current->shuffles = shuffles;
  if (!_setjmp (current->place))
    _longjmp (scheduler, 1);
}

static void
trampoline ()
{
  for (;;) {
    (*body) ();
    current->done = true;
    leave (false);
  }
}

void
__syncthreads ()
{
  if (!current)
    die ("a barrier that the first thread of the block did not come to");
  leave (false);
}

void
shim_give (const void *mine, size_t bytes)
{
  if (!current)
    die ("a shuffle that the first thread of the block did not come to");
  if (blockDim.x * blockDim.y * blockDim.z % 32 || bytes > SHIM_GIVEN)
    die ("a shuffle of less than a warp, or of too much");
  memcpy (current->shuffled[current->n_shuffles++ % 2], mine, bytes);
  leave (true);
}

const void *
shim_given (unsigned lane)
{
  const size_t i = (size_t) (current - coroutines.data ());

  return coroutines[i / 32 * 32 + lane % 32].shuffled[(current->n_shuffles - 1) % 2];
}

float
__shfl_xor_sync (unsigned mask, float v, int lanes)
{
  if (mask != 0xffffffff || lanes < 0 || lanes > 31)
    die ("a shuffle of less than a warp");
  shim_give (&v, sizeof v);
  return *(const float *) shim_given ((unsigned) (current - coroutines.data ()) ^ (unsigned) lanes);
}

int
__any_sync (unsigned mask, int v)
{
  float sum = v ? 1 : 0;

  for (int lane = 16; lane; lane /= 2)
    sum += __shfl_xor_sync (mask, sum, lane);
  return sum > 0;
}

int
__all_sync (unsigned mask, int v)
{
  return !__any_sync (mask, !v);
}

static dim3
thread_index (unsigned i)
{
  return dim3 (i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y);
}

static void
make (Coroutine *c)
{
  ucontext_t context;

  if (!stacks)
    stacks = (char *) mmap (nullptr, (size_t) STACK * MAX_THREADS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  c->made = true;
  getcontext (&context);
  context.uc_stack.ss_sp = stacks + (size_t) STACK * (size_t) (c - coroutines.data ());
  context.uc_stack.ss_size = STACK;
  context.uc_link = nullptr;
  makecontext (&context, trampoline, 0);
  setcontext (&context);
}

/* Runs a thread to its next barrier, or its end. */
static void
resume (Coroutine *c)
{
  current = c;
  threadIdx = c->index;
  if (!_setjmp (scheduler)) {
    if (c->made)
      _longjmp (c->place, 1);
    make (c);
  }
  current = nullptr;
}

static void
start (unsigned i)
{
  Coroutine *c = &coroutines[i];

  c->index = thread_index (i);
  c->done = false;
  c->n_shuffles = 0;
  resume (c);
}

/* Threads of a warp that wait for each other go on, until they all come to a barrier or their ends. */
static void
run_warp (unsigned first, unsigned n)
{
  for (bool backwards = true, waits = true; waits; backwards = !backwards) {
    waits = coroutines[first].shuffles;
    for (unsigned i = 0; i < n; i++)
      if (coroutines[first + i].shuffles != waits)
        die ("a shuffle that some threads of the warp did not come to");
    for (unsigned i = 0; i < n && waits; i++)
      resume (&coroutines[first + (backwards ? n - 1 - i : i)]);
  }
}

static void
run_block (unsigned n)
{
  unsigned done;
  bool backwards = false;

  start (0);
  if (coroutines[0].done) {
    for (unsigned i = 1; i < n; i++) {
      threadIdx = thread_index (i);
      (*body) ();
    }
    return;
  }
  for (unsigned i = 1; i < n; i++)
    start (i);
  do {
    for (unsigned i = 0; i < n; i += 32)
      run_warp (i, n - i < 32 ? n - i : 32);
    done = 0;
    for (unsigned i = 0; i < n; i++)
      done += coroutines[i].done;
    if (done != 0 && done != n)
      die ("a barrier that some threads of the block did not come to");
    backwards = !backwards;
    for (unsigned i = 0; i < n && done == 0; i++)
      resume (&coroutines[backwards ? n - 1 - i : i]);
  } while (done == 0);
}

static void
run_grid (const cudaLaunchConfig_t &config, const std::function<void ()> &thread)
{
  static std::unique_ptr<unsigned char[]> memory (new unsigned char[MAX_SHARED + FENCE + 16]);
  const size_t shared = config.dynamicSmemBytes;

  shim.launches++;
  shim_open ();
  body = &thread;
  gridDim = config.gridDim;
  blockDim = config.blockDim;
  shim_shared = (void *) (((uintptr_t) memory.get () + 15) & ~(uintptr_t) 15);
  for (unsigned z = 0; z < gridDim.z; z++)
    for (unsigned y = 0; y < gridDim.y; y++)
      for (unsigned x = 0; x < gridDim.x; x++) {
        blockIdx = dim3 (x, y, z);
        memset (shim_shared, 0xff, shared + FENCE);
        run_block (blockDim.x * blockDim.y * blockDim.z);
        for (size_t i = 0; i < FENCE; i++)
          if (((unsigned char *) shim_shared)[shared + i] != 0xff)
            die ("writes beyond the shared memory that was asked for");
      }
  shim_close ();
}

/* ---- streams and graphs ------------------------------------------------------------------------- */

struct ShimNode
{
  std::function<void ()> work;
  std::vector<ShimNode *> after;
  int priority;
};

/* Nodes in the order in which they were captured. */
struct ShimGraph
{
  std::vector<std::shared_ptr<ShimNode>> nodes;
  std::vector<ShimNode *> last; /* what the next one waits for */
};

/* A device may take nodes in any order that what they wait for leaves open: here as far from that of their capture as it goes. */
struct ShimGraphExec
{
  std::vector<std::shared_ptr<ShimNode>> nodes;

  explicit ShimGraphExec (const ShimGraph *graph)
  {
    std::vector<std::shared_ptr<ShimNode>> left = graph->nodes;
    std::set<ShimNode *> done;

    while (!left.empty ()) {
      auto ready = std::find_if (left.rbegin (), left.rend (), [&] (const std::shared_ptr<ShimNode> &node) {
        return std::all_of (node->after.begin (), node->after.end (), [&] (ShimNode *n) { return done.count (n); });
      });

      if (ready == left.rend ())
        die ("nodes of a graph wait for each other");
      done.insert (ready->get ());
      nodes.push_back (*ready);
      left.erase (std::next (ready).base ());
    }
  }
};

struct ShimStream
{
  ShimGraph *capture;
  void *context;
  bool late; /* does nothing before somebody waits for it */
  std::deque<std::function<void ()>> queue;
  size_t enqueued, done;
  int captures;
};

/* The end of the first `enqueued` works of a stream. */
struct ShimEvent
{
  ShimStream *stream;
  size_t enqueued;
};

static std::vector<ShimStream *> streams;

static void
run_to (ShimStream *stream, size_t n)
{
  Locked locked (lock);

  while (stream->done < n) {
    std::function<void ()> work = std::move (stream->queue.front ());

    stream->queue.pop_front ();
    stream->done++;
    work ();
  }
}

static void
run_all ()
{
  Locked locked (lock);

  for (ShimStream *stream : streams)
    run_to (stream, stream->enqueued);
}

static void
enqueue (cudaStream_t stream, std::function<void ()> work)
{
  Locked locked (lock);

  if (!stream) {
    work ();
    return;
  }
  if (stream->context != contexts.back ())
    die ("the stream is of another context than the current one");
  if (stream->capture) {
    ShimGraph *graph = stream->capture;

    graph->nodes.push_back (std::make_shared<ShimNode> (ShimNode{ std::move (work), graph->last, 0 }));
    graph->last = { graph->nodes.back ().get () };
    return;
  }
  stream->queue.push_back (std::move (work));
  stream->enqueued++;
  if (!stream->late)
    run_to (stream, stream->enqueued);
}

void
shim_enqueue (cudaStream_t stream, void (*work) (void *data), void *data, void (*unref) (void *data))
{
  std::shared_ptr<void> held (data, unref);

  enqueue (stream, [=] {
    shim_open ();
    work (held.get ());
    shim_close ();
  });
}

int
shim_captures (cudaStream_t stream)
{
  return stream->captures;
}

size_t
shim_done (cudaStream_t stream)
{
  return stream->done;
}

bool
shim_lost (void)
{
  return shim.fail_launch == 1;
}

cudaError_t
shim_launch (const cudaLaunchConfig_t *config, std::function<void ()> thread)
{
  const dim3 b = config->blockDim, g = config->gridDim;
  const unsigned n = b.x * b.y * b.z;
  const cudaLaunchConfig_t copy = *config;

  need_context ();
  if (shim.fail_launch && (shim_lost () || --shim.fail_launch == 1))
    return cudaErrorUnknown;
  if (n < 1 || n > MAX_THREADS || g.x < 1 || g.y < 1 || g.y > 65535 || g.z < 1 || g.z > 65535 || config->dynamicSmemBytes > MAX_SHARED)
    return cudaErrorInvalidValue;
  enqueue (config->stream, [=] { run_grid (copy, thread); });
  return cudaSuccess;
}

cudaError_t
cudaStreamCreateWithFlags (cudaStream_t *stream, unsigned)
{
  Locked locked (lock);

  need_context ();
  shim.allocations++;
  *stream = new ShimStream ();
  (*stream)->context = contexts.back ();
  (*stream)->late = shim.late >> shim.streams++ % 3 & 1;
  streams.push_back (*stream);
  return cudaSuccess;
}

cudaError_t
cudaStreamDestroy (cudaStream_t stream)
{
  Locked locked (lock);

  run_to (stream, stream->enqueued);
  for (size_t i = 0; i < streams.size (); i++)
    if (streams[i] == stream)
      streams.erase (streams.begin () + (long) i);
  delete stream;
  return cudaSuccess;
}

cudaError_t
cudaStreamSynchronize (cudaStream_t stream)
{
  need_context ();
  if (stream->capture)
    die ("waits for a stream while it is captured");
  shim.waits++;
  run_to (stream, stream->enqueued);
  return shim_lost () ? cudaErrorUnknown : cudaSuccess;
}

cudaError_t
cudaStreamWaitEvent (cudaStream_t stream, cudaEvent_t event, unsigned)
{
  ShimStream *other = event->stream;
  const size_t n = event->enqueued;

  need_context ();
  if (stream->capture)
    die ("waits for an event while it is captured");
  if (other)
    enqueue (stream, [=] { run_to (other, n); });
  return cudaSuccess;
}

cudaError_t
cudaStreamBeginCapture (cudaStream_t stream, cudaStreamCaptureMode)
{
  stream->capture = new ShimGraph ();
  stream->captures++;
  return cudaSuccess;
}

cudaError_t
cudaStreamEndCapture (cudaStream_t stream, cudaGraph_t *graph)
{
  *graph = stream->capture;
  stream->capture = nullptr;
  return cudaSuccess;
}

cudaError_t
cudaStreamGetCaptureInfo (cudaStream_t stream, cudaStreamCaptureStatus *status, unsigned long long *, cudaGraph_t *,
                          const cudaGraphNode_t **nodes, const void **, size_t *n)
{
  *status = stream->capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  *nodes = stream->capture ? stream->capture->last.data () : nullptr;
  *n = stream->capture ? stream->capture->last.size () : 0;
  return cudaSuccess;
}

cudaError_t
cudaStreamUpdateCaptureDependencies (cudaStream_t stream, cudaGraphNode_t *nodes, const void *, size_t n, unsigned flags)
{
  if (!stream->capture || flags != cudaStreamSetCaptureDependencies)
    return cudaErrorInvalidValue;
  stream->capture->last.assign (nodes, nodes + n);
  return cudaSuccess;
}

cudaError_t
cudaDeviceGetStreamPriorityRange (int *least, int *greatest)
{
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

cudaError_t
cudaGraphGetNodes (cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *n)
{
  for (size_t i = 0; nodes && i < graph->nodes.size (); i++)
    nodes[i] = graph->nodes[i].get ();
  *n = graph->nodes.size ();
  return cudaSuccess;
}

cudaError_t
cudaGraphGetEdges (cudaGraph_t graph, cudaGraphNode_t *from, cudaGraphNode_t *to, cudaGraphEdgeData *, size_t *n)
{
  *n = 0;
  for (const auto &node : graph->nodes)
    for (ShimNode *first : node->after) {
      if (from) {
        from[*n] = first;
        to[*n] = node.get ();
      }
      ++*n;
    }
  return cudaSuccess;
}

cudaError_t
cudaGraphNodeGetType (cudaGraphNode_t, cudaGraphNodeType *type)
{
  *type = cudaGraphNodeTypeKernel;
  return cudaSuccess;
}

cudaError_t
cudaGraphKernelNodeSetAttribute (cudaGraphNode_t node, cudaKernelNodeAttrID, const cudaKernelNodeAttrValue *value)
{
  if (value->priority > 0 || value->priority < -5)
    return cudaErrorInvalidValue;
  node->priority = value->priority;
  return cudaSuccess;
}

cudaError_t
cudaGraphDebugDotPrint (cudaGraph_t graph, const char *path, unsigned)
{
  FILE *file = fopen (path, "w");

  if (!file)
    return cudaErrorUnknown;
  fprintf (file, "digraph dot {\n");
  for (size_t i = 0; i < graph->nodes.size (); i++)
    for (size_t k = 0; k < i; k++)
      for (const ShimNode *first : graph->nodes[i]->after)
        if (first == graph->nodes[k].get ())
          fprintf (file, "\"graph_1_node_%zu\" -> \"graph_1_node_%zu\";\n", k, i);
  fprintf (file, "}\n");
  fclose (file);
  return cudaSuccess;
}

cudaError_t
cudaGraphInstantiateWithFlags (cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags)
{
  bool alike = true;

  for (const auto &node : graph->nodes) {
    alike = alike && node->priority == graph->nodes[0]->priority;
    for (const ShimNode *first : node->after)
      if (first->priority > node->priority) /* the greatest is the least number */
        die ("a node has a lower priority than one that waits for it");
  }
  if (!(flags & cudaGraphInstantiateFlagUseNodePriority) || (alike && graph->nodes.size () > 20))
    die ("priorities are not used");
  shim.allocations++;
  *exec = new ShimGraphExec (graph);
  return cudaSuccess;
}

cudaError_t
cudaGraphLaunch (cudaGraphExec_t exec, cudaStream_t stream)
{
  need_context ();
  if (shim.fail_launch)
    shim.fail_launch = shim.fail_launch > (int) exec->nodes.size () ? shim.fail_launch - (int) exec->nodes.size () : 1;
  if (shim_lost ())
    return cudaErrorUnknown;
  shim.replays++;
  for (const auto &node : exec->nodes)
    enqueue (stream, node->work);
  return cudaSuccess;
}

cudaError_t
cudaGraphDestroy (cudaGraph_t graph)
{
  delete graph;
  return cudaSuccess;
}

cudaError_t
cudaGraphExecDestroy (cudaGraphExec_t exec)
{
  run_all ();
  delete exec;
  return cudaSuccess;
}

cudaError_t
cudaEventCreateWithFlags (cudaEvent_t *event, unsigned)
{
  shim.allocations++;
  *event = new ShimEvent ();
  return cudaSuccess;
}

cudaError_t
cudaEventDestroy (cudaEvent_t event)
{
  delete event;
  return cudaSuccess;
}

cudaError_t
cudaEventRecord (cudaEvent_t event, cudaStream_t stream)
{
  event->stream = stream;
  event->enqueued = stream->enqueued;
  return cudaSuccess;
}

cudaError_t
cudaEventSynchronize (cudaEvent_t event)
{
  shim.waits++;
  if (event->stream)
    run_to (event->stream, event->enqueued);
  return shim_lost () ? cudaErrorUnknown : cudaSuccess;
}

/* ---- memory ------------------------------------------------------------------------------------- */

struct Block
{
  char *p;
  size_t bytes;
  void *context;
};

static std::vector<Block> device, pinned;
static int opened;

/* Memory of the current context; work that was put off is of that which is waited in. */
static void
protect (int protection)
{
  for (const Block &b : device)
    if (protection == PROT_NONE || contexts.empty () || b.context == contexts.back ())
      mprotect (b.p, b.bytes, protection);
}

void
shim_open (void)
{
  lock.lock ();
  if (opened++ == 0)
    protect (PROT_READ | PROT_WRITE);
}

void
shim_close (void)
{
  if (--opened == 0)
    protect (PROT_NONE);
  lock.unlock ();
}

cudaError_t
cudaMalloc (void **p, size_t bytes)
{
  need_context ();
  Locked locked (lock);
  const size_t page = (size_t) sysconf (_SC_PAGESIZE), size = (bytes + page - 1) / page * page;

  if (shim_lost ())
    return cudaErrorUnknown;
  if (shim.fail_allocation && (shim.fail_allocation == 1 || --shim.fail_allocation == 1))
    return cudaErrorMemoryAllocation;
  if (size > shim.memory - shim.allocated)
    return cudaErrorMemoryAllocation;
  *p = mmap (nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (*p == MAP_FAILED)
    return cudaErrorMemoryAllocation;
  device.push_back ({ (char *) *p, size, contexts.back () });
  shim.allocated += size;
  shim.allocations++;
  shim_open ();
  if (opened > 1)
    mprotect (*p, size, PROT_READ | PROT_WRITE);
  memset (*p, 0xff, size);
  shim_close ();
  return cudaSuccess;
}

cudaError_t
cudaFree (void *p)
{
  if (!p)
    return cudaSuccess;
  need_context ();
  Locked locked (lock);
  run_all ();
  for (size_t i = 0; i < device.size (); i++)
    if (device[i].p == p) {
      munmap (p, device[i].bytes);
      shim.allocated -= device[i].bytes;
      device.erase (device.begin () + (long) i);
      return cudaSuccess;
    }
  die ("frees what is no device memory");
}

/* Whether all of these bytes are in one of the blocks; some of them: an error. */
static bool
inside (const std::vector<Block> &blocks, const void *p, size_t bytes)
{
  const char *from = (const char *) p, *to = from + bytes;

  for (const Block &b : blocks)
    if (from < b.p + b.bytes && to > b.p) {
      if (from < b.p || to > b.p + b.bytes)
        die ("copies beyond the memory of an allocation");
      return true;
    }
  return false;
}

cudaError_t
cudaMemcpyAsync (void *dst, const void *src, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream)
{
  need_context ();
  Locked locked (lock);

  if (shim_lost ())
    return cudaErrorUnknown;
  if (inside (device, dst, bytes) != (kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice) ||
      inside (device, src, bytes) != (kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice))
    die ("a copy of another kind than it says");
  shim.copies++;
  if (stream && !stream->capture && kind == cudaMemcpyHostToDevice && !inside (pinned, src, bytes)) {
    /* As the driver does: pageable memory is read before the call returns. */
    std::vector<char> staged ((const char *) src, (const char *) src + bytes);

    enqueue (stream, [=] {
      shim_open ();
      memcpy (dst, staged.data (), bytes);
      shim_close ();
    });
    return cudaSuccess;
  }
  enqueue (stream, [=] {
    shim_open ();
    memcpy (dst, src, bytes);
    shim_close ();
  });
  /* And it has been written. */
  if (stream && !stream->capture && kind == cudaMemcpyDeviceToHost && !inside (pinned, dst, bytes))
    run_to (stream, stream->enqueued);
  return cudaSuccess;
}

cudaError_t
cudaMemcpy (void *dst, const void *src, size_t bytes, enum cudaMemcpyKind kind)
{
  return cudaMemcpyAsync (dst, src, bytes, kind, nullptr);
}

cudaError_t
cudaMemset (void *p, int value, size_t bytes)
{
  shim_open ();
  memset (p, value, bytes);
  shim_close ();
  return cudaSuccess;
}

cudaError_t
cudaMemsetAsync (void *p, int value, size_t bytes, cudaStream_t stream)
{
  need_context ();
  enqueue (stream, [=] { cudaMemset (p, value, bytes); });
  return cudaSuccess;
}

cudaError_t
cudaMallocHost (void **p, size_t bytes)
{
  need_context ();
  Locked locked (lock);
  shim.allocations++;
  *p = malloc (bytes);
  memset (*p, 0xff, bytes);
  pinned.push_back ({ (char *) *p, bytes, contexts.back () });
  return cudaSuccess;
}

cudaError_t
cudaFreeHost (void *p)
{
  Locked locked (lock);

  run_all ();
  for (size_t i = 0; i < pinned.size (); i++)
    if (pinned[i].p == p)
      pinned.erase (pinned.begin () + (long) i);
  free (p);
  return cudaSuccess;
}

cudaError_t
cudaMemGetInfo (size_t *unused, size_t *total)
{
  *unused = shim.memory - shim.allocated;
  *total = shim.memory;
  return cudaSuccess;
}

/* ---- the device --------------------------------------------------------------------------------- */

const char *
cudaGetErrorString (cudaError_t status)
{
  switch (status) {
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    default:
      return "unknown error";
  }
}

cudaError_t
cudaGetLastError (void)
{
  return cudaSuccess;
}

cudaError_t
cudaGetDeviceCount (int *n)
{
  *n = shim.devices;
  return shim.devices ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t
cudaDriverGetVersion (int *version)
{
  *version = 13000;
  return cudaSuccess;
}

cudaError_t
cudaGetDevice (int *n)
{
  *n = 0;
  return cudaSuccess;
}

cudaError_t
cudaSetDevice (int)
{
  if (contexts.empty ())
    shim_push_current (&shim);
  return cudaSuccess;
}

cudaError_t
cudaGetDeviceProperties (struct cudaDeviceProp *p, int)
{
  memset (p, 0, sizeof *p);
  strcpy (p->name, "a shim");
  p->major = shim.major;
  p->minor = shim.minor;
  return cudaSuccess;
}
