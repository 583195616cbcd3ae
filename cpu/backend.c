/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CPU backend: the table, threads and memory. Threads are OpenMP's, the same pool that Debian's oneDNN uses.
 */
#define _GNU_SOURCE
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpu.h"
#include "dnnl.h"

typedef struct
{
  VfiBackend base;
  VfiBackendClass klass; /* the common one, with what one instruction set has */
  VfiCpuPool *pool;
  const VfiKernel *kernels[]; /* of the instruction set, then the references */
} CpuBackend;

#define HUGE_PAGE ((gsize) 2 << 20)

static void
backend_free (VfiBackend *b)
{
  vfi_cpu_pool_free (((CpuBackend *) b)->pool);
  g_free (b->description);
  g_free (b);
}

static gboolean
has_bf16 (void)
{
#ifdef __x86_64__
  return __builtin_cpu_supports ("avx512bf16");
#else
  return FALSE;
#endif
}

static gboolean
supports_precision (VfiBackend *b, VfiDType feature)
{
  return feature == VFI_F32 || (feature == VFI_BF16 && has_bf16 ());
}

static VfiDType
best_precision (VfiBackend *b)
{
  return has_bf16 () ? VFI_BF16 : VFI_F32;
}

static void *
alloc (VfiBackend *b, gsize bytes, GError **error)
{
  gboolean huge = bytes >= 2 * HUGE_PAGE;
  gsize align = huge ? HUGE_PAGE : 64;
  void *p = bytes > G_MAXSIZE - align ? NULL : aligned_alloc (align, MAX ((bytes + align - 1) & ~(align - 1), align));

  if (!p)
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for %" G_GSIZE_FORMAT " bytes", bytes);
  else if (huge)
    madvise (p, bytes, MADV_HUGEPAGE);
  return p;
}

static void
dealloc (VfiBackend *b, void *p)
{
  free (p);
}

static void
copy (VfiBackend *b, void *dst, const void *src, gsize bytes)
{
  memcpy (dst, src, bytes);
}

static void
begin (VfiBackend *b)
{
  omp_set_dynamic (0); /* no fewer */
  omp_set_num_threads (b->threads);
}

static void
end (VfiBackend *b)
{
}

static void
share (VfiBackend *b, void (*part) (gpointer data, int i, int n), gpointer data)
{
  vfi_cpu_pool_share (((CpuBackend *) b)->pool, part, data);
}

/* The best rate of a 3x3 convolution, n channels to n, over `seconds`, in the layout that oneDNN likes best. */
static double
conv_rate (int h, int w, int n, VfiDType type, double seconds, GError **error)
{
  const VfiDnnlConvDesc desc = {
    .h = h,
    .w = w,
    .ic = n,
    .oc = n,
    .kernel = 3,
    .stride = 1,
    .padding = 1,
    .dilation = 1,
    .src = type,
    .dst = type,
    .act = VFI_RELU,
    .blocked = type == VFI_F32 && vfi_dnnl_likes_blocks (), /* n is a multiple of 8 */
  };
  const gsize size = (gsize) h * w * n * vfi_dtype_size (type);
  g_autofree float *weights = g_new0 (float, (gsize) n *n * 9);
  g_autofree float *bias = g_new0 (float, n);
  VfiDnnlConv *conv = vfi_dnnl_conv_new (&desc, weights, bias, error);
  void *src = aligned_alloc (64, size), *dst = aligned_alloc (64, size), *scratch = NULL;
  gint64 start = g_get_monotonic_time (), best = G_MAXINT64, before, after = start;

  if (conv)
    scratch = aligned_alloc (64, (vfi_dnnl_conv_scratch (conv) + 64) & ~(gsize) 63);
  if (conv && src && dst && scratch) {
    memset (src, 0, size);
    memset (dst, 0, size);
    do {
      before = g_get_monotonic_time ();
      for (int i = 0; i < 4; i++)
        vfi_dnnl_conv_run (conv, src, NULL, dst, scratch);
      after = g_get_monotonic_time ();
      best = MIN (best, after - before);
    } while (after - start < seconds * 1e6);
  } else if (conv)
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for %" G_GSIZE_FORMAT " bytes", 2 * size);
  vfi_dnnl_conv_free (conv);
  free (src);
  free (dst);
  free (scratch);
  return 4 * 2.0 * 9 * n * n * h * w / (best * 1e-6);
}

/* Bytes read plus written per second by copies that no cache holds. */
static double
copy_rate (double seconds, GError **error)
{
  const gsize size = (gsize) 128 << 20, part = (gsize) 1 << 20;
  guint8 *src = aligned_alloc (4096, size), *dst = aligned_alloc (4096, size);
  gint64 start, best = G_MAXINT64, before, after;

  if (src && dst) {
#pragma omp parallel for schedule(static)
    for (gsize i = 0; i < size; i += part) {
      memset (src + i, 1, part);
      memset (dst + i, 0, part);
    }
    start = g_get_monotonic_time ();
    do {
      before = g_get_monotonic_time ();
#pragma omp parallel for schedule(static)
      for (gsize i = 0; i < size; i += part)
        memcpy (dst + i, src + i, part);
      after = g_get_monotonic_time ();
      best = MIN (best, after - before);
    } while (after - start < seconds * 1e6);
  } else
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for %" G_GSIZE_FORMAT " bytes", 2 * size);
  free (src);
  free (dst);
  return 2.0 * size / (best * 1e-6);
}

static gboolean
rates (VfiBackend *b, VfiDType feature, double seconds, double *flops, double *copy_bytes, GError **error)
{
  static const int shapes[][3] = { { 90, 160, 48 }, { 90, 160, 64 }, { 45, 80, 128 }, { 180, 320, 32 } };
  const int n = G_N_ELEMENTS (shapes);
  GError *first = NULL;

  *flops = 0;
  begin (b);
  for (int i = 0; i < n && !first; i++)
    *flops = MAX (*flops, conv_rate (shapes[i][0], shapes[i][1], shapes[i][2], feature, seconds / (n + 1), &first));
  if (!first)
    *copy_bytes = copy_rate (seconds / (n + 1), &first);
  end (b);
  if (!first)
    return TRUE;
  g_propagate_error (error, first);
  return FALSE;
}

/* What pack_picture and unpack_picture are given, for the threads. */
typedef struct
{
  const VfiFrameInfo *info;
  const VfiFrame *f0, *f1, *dst;
  double t;
  const VfiPicture *picture;
  const VfiView *x;
} Job;

static void
pack_row (gpointer data, int row, int thread)
{
  const Job *j = data;
  vfi_picture_pack_row (j->info, j->f0, j->picture, j->x, row);
}

static void
pack_picture (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x)
{
  vfi_cpu_each (b, x->h, 4, pack_row, &(Job){ info, frame, .picture = picture, .x = x });
}

static void
unpack_rows (gpointer data, int i, int thread)
{
  const Job *j = data;
  vfi_picture_unpack_rows (j->info, j->f0, j->f1, j->t, j->picture, j->x, j->dst, i);
}

static void
unpack_picture (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double t, const VfiPicture *picture,
                const VfiView *x, const VfiFrame *dst)
{
  vfi_cpu_each (b, (info->height + 1) / 2, 4, unpack_rows, &(Job){ info, f0, f1, dst, t, picture, x });
}

static void
area (VfiBackend *b, const VfiView *x, gboolean begins, const VfiView *bars, const VfiView *area)
{
  vfi_frame_area (x, begins, bars, area);
}

static const VfiBackendClass common = {
  .area = area,
  .name = "cpu",
  .memory = VFI_MEMORY_HOST,
  .free = backend_free,
  .supports_precision = supports_precision,
  .best_precision = best_precision,
  .alloc = alloc,
  .dealloc = dealloc,
  .upload = copy,
  .download = copy,
  .begin = begin,
  .end = end,
  .share = share,
  .pack_picture = pack_picture,
  .unpack_picture = unpack_picture,
  .rates = rates,
};

/* The instruction sets that this machine has, best first, NULL-terminated. */
static void
machine_isas (const VfiCpuIsa *isas[4])
{
  int n = 0;
#ifdef __x86_64__
  /* That of BF16 is not asked for: what there is of it runs on features of that type only (supports_precision). */
  if (__builtin_cpu_supports ("avx512vl") && __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512dq") &&
      __builtin_cpu_supports ("avx512vbmi") && __builtin_cpu_supports ("avx512vnni"))
    isas[n++] = &vfi_cpu_isa_avx512;
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    isas[n++] = &vfi_cpu_isa_avx2;
#endif
  isas[n++] = &vfi_cpu_isa_base;
  isas[n] = NULL;
}

static int
allowed_cpus (void)
{
  cpu_set_t set;

  if (sched_getaffinity (0, sizeof set, &set) == 0)
    return MAX (CPU_COUNT (&set), 1);
  return g_get_num_processors (); /* EINVAL: more CPUs than cpu_set_t holds */
}

/* Two threads that do nothing, for ever. */
static gpointer
idle (gpointer data)
{
  sigset_t all;

  sigfillset (&all);
  pthread_sigmask (SIG_BLOCK, &all, NULL); /* others are to take them */
#pragma omp parallel num_threads(2)
  pthread_sigmask (SIG_BLOCK, &all, NULL);
  for (;;)
    pause ();
  return NULL;
}

/* At the end of a parallel region threads of libgomp spin for milliseconds before they sleep, unless libgomp has more of them than there are CPUs.
 * In a pipeline others want these CPUs, a decoder and an encoder first of all, and work that waits for one that spins takes several times
 * as long. So there are more. (The environment says how to wait, too, but is read before a library can set it.) */
static void
wait_asleep (void)
{
  static gsize once;

  if (!g_once_init_enter (&once))
    return;
  if (!g_getenv ("OMP_WAIT_POLICY") && !g_getenv ("GOMP_SPINCOUNT"))
    g_thread_unref (g_thread_new ("vfi-idle", idle, NULL));
  g_once_init_leave (&once, 1);
}

VfiBackend *
vfi_cpu_backend_new_isa (int threads, const char *isa, GError **error)
{
  const VfiCpuIsa *isas[4], **i = isas;
  int fast = 0, plain = 0;
  CpuBackend *cpu;

  machine_isas (isas);
  while (*i && isa && strcmp (isa, (*i)->name))
    i++;
  if (!*i) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "this CPU has no %s", isa);
    return NULL;
  }
  if (threads < 0 || threads > 1024) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "threads = %d is not in 0..1024", threads);
    return NULL;
  }
  while ((*i)->kernels[fast])
    fast++;
  while (vfi_reference_kernels[plain])
    plain++;
  cpu = g_malloc0 (sizeof *cpu + (fast + plain + 1) * sizeof *cpu->kernels);
  memcpy (cpu->kernels, (*i)->kernels, fast * sizeof *cpu->kernels);
  memcpy (cpu->kernels + fast, vfi_reference_kernels, plain * sizeof *cpu->kernels);
  cpu->klass = common;
  cpu->klass.kernels = cpu->kernels;
  cpu->klass.band_bytes = (*i)->band_bytes;
  cpu->klass.pack = (*i)->pack;
  cpu->klass.synthesize = (*i)->synthesize;
  cpu->base.klass = &cpu->klass;
  cpu->base.refs = 1;
  cpu->base.description = g_strdup_printf ("cpu (%s)", vfi_dnnl_version ());
  cpu->base.threads = threads ? threads : allowed_cpus ();
  cpu->pool = vfi_cpu_pool_new (cpu->base.threads);
  if (cpu->base.threads > 1)
    wait_asleep ();
  return &cpu->base;
}

VfiBackend *
vfi_cpu_backend_new (int threads, GError **error)
{
  return vfi_cpu_backend_new_isa (threads, NULL, error);
}
