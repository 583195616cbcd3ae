/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CUDA backend: the table, the device and its one stream. Built as libvfi-cuda.so, which core/backend.c opens at run time.
 */
#include "backend.h"

#include "cuda.h"
#include "cudnn_conv.h"

#define ENGINE_SECONDS 0.02 /* for measuring one */
#define MIN_CAPABILITY 75   /* what the kernels are built for: cuda/meson.build */

static VfiCudaDriver driver;

/* ---- around work -------------------------------------------------------------------------------- */

static gboolean
failed (VfiBackend *b, GError **error)
{
  VfiCuda *cuda = (VfiCuda *) b;

  if (!cuda->failure)
    return FALSE;
  g_propagate_error (error, cuda->failure);
  cuda->failure = NULL;
  return TRUE;
}

static void
begin (VfiBackend *b)
{
  VfiCuda *cuda = (VfiCuda *) b;

  vfi_cuda_push (cuda, &cuda->outer);
}

static void
leave (VfiBackend *b)
{
  VfiCuda *cuda = (VfiCuda *) b;

  vfi_cuda_frames_send (cuda);
  vfi_cuda_pop (cuda, cuda->outer);
}

static void
settle (VfiBackend *b)
{
  VfiCuda *cuda = (VfiCuda *) b;
  void *outer;

  vfi_cuda_push (cuda, &outer);
  vfi_cuda_frames_settle (cuda);
  vfi_cuda_pop (cuda, outer);
}

static void
end (VfiBackend *b)
{
  VfiCuda *cuda = (VfiCuda *) b;

  vfi_cuda_frames_send (cuda);
  vfi_cuda_frames_settle_all (cuda);
  vfi_cuda_pop (cuda, cuda->outer);
}

/* ---- memory ------------------------------------------------------------------------------------- */

static void *
alloc (VfiBackend *b, gsize bytes, GError **error)
{
  VfiCuda *cuda = (VfiCuda *) b;
  GError *e = NULL;
  void *outer, *p;

  vfi_cuda_push (cuda, &outer);
  p = vfi_cuda_alloc (bytes, &e);
  if (!p && g_error_matches (e, VFI_ERROR, VFI_ERROR_MEMORY) && vfi_cuda_frames_shrink (cuda)) {
    g_clear_error (&e);
    p = vfi_cuda_alloc (bytes, &e);
  }
  vfi_cuda_pop (cuda, outer);
  if (e)
    g_propagate_error (error, e);
  return p;
}

static void
dealloc (VfiBackend *b, void *p)
{
  VfiCuda *cuda = (VfiCuda *) b;
  void *outer;

  vfi_cuda_push (cuda, &outer);
  cudaFree (p);
  vfi_cuda_pop (cuda, outer);
}

static void
copy (VfiBackend *b, void *dst, const void *src, gsize bytes, enum cudaMemcpyKind kind, gboolean wait)
{
  VfiCuda *cuda = (VfiCuda *) b;
  void *outer;

  vfi_cuda_push (cuda, &outer);
  if (vfi_cuda_note (cuda, cudaMemcpyAsync (dst, src, bytes, kind, cuda->stream), "copying between host and device") && wait)
    vfi_cuda_note (cuda, cudaStreamSynchronize (cuda->stream), "copying between host and device");
  vfi_cuda_pop (cuda, outer);
}

/* Of a few bytes in pageable memory the driver takes a copy at once, so that a frame need not wait for its time t. */
static void
upload (VfiBackend *b, void *dst, const void *src, gsize bytes)
{
  copy (b, dst, src, bytes, cudaMemcpyHostToDevice, bytes > 64);
}

static void
download (VfiBackend *b, void *dst, const void *src, gsize bytes)
{
  copy (b, dst, src, bytes, cudaMemcpyDeviceToHost, TRUE);
}

/* ---- frames ------------------------------------------------------------------------------------- */

static void
pack (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x)
{
  VfiCuda *cuda = (VfiCuda *) b;
  VfiFrame f;

  if (vfi_cuda_frames_take (cuda, info, frame, TRUE, &f))
    vfi_cuda_pack (cuda, info, &f, flow_scale, x);
  vfi_cuda_frames_taken (cuda);
}

static void
area (VfiBackend *b, const VfiView *x, gboolean begins, const VfiView *bars, const VfiView *area)
{
  vfi_cuda_area ((VfiCuda *) b, x, begins, bars, area);
}

static void
synthesize (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
            const VfiSynthesis *motion, const VfiFrame *dst)
{
  VfiCuda *cuda = (VfiCuda *) b;
  VfiFrame a, c, d;

  if (vfi_cuda_frames_take (cuda, info, f0, FALSE, &a) && vfi_cuda_frames_take (cuda, info, f1, FALSE, &c) &&
      vfi_cuda_frames_give (cuda, info, dst, &d))
    vfi_cuda_synthesize (cuda, info, &a, &c, flow_scale, t, motion, &d);
  vfi_cuda_frames_taken (cuda);
}

static void
pack_picture (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x)
{
  VfiCuda *cuda = (VfiCuda *) b;
  VfiFrame f;

  if (vfi_cuda_frames_take (cuda, info, frame, TRUE, &f))
    vfi_cuda_pack_picture (cuda, info, &f, picture, x);
  vfi_cuda_frames_taken (cuda);
}

static void
unpack_picture (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double t, const VfiPicture *picture,
                const VfiView *x, const VfiFrame *dst)
{
  VfiCuda *cuda = (VfiCuda *) b;
  VfiFrame a, c, d;

  if (vfi_cuda_frames_take (cuda, info, f0, FALSE, &a) && vfi_cuda_frames_take (cuda, info, f1, FALSE, &c) &&
      vfi_cuda_frames_give (cuda, info, dst, &d))
    vfi_cuda_unpack_picture (cuda, info, &a, &c, t, picture, x, &d);
  vfi_cuda_frames_taken (cuda);
}

static void
luma_sums (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, int w, int h, guint64 *sums)
{
  VfiCuda *cuda = (VfiCuda *) b;
  const gsize bytes = (gsize) w * h * (vfi_format_desc (info->format)->rgb ? 3 : 1) * sizeof *sums;
  GError *error = NULL;
  VfiFrame f;

  if (bytes > cuda->sums_size) {
    cudaFree (cuda->sums);
    cuda->sums = vfi_cuda_alloc (bytes, &error);
    cuda->sums_size = cuda->sums ? bytes : 0;
  }
  if (error)
    vfi_cuda_fail (cuda, error);
  if (error || !vfi_cuda_frames_take (cuda, info, frame, TRUE, &f))
    return;
  vfi_cuda_luma_sums (cuda, info, &f, w, h, cuda->sums);
  vfi_cuda_frames_taken (cuda);
  vfi_cuda_note (cuda, cudaMemcpyAsync (sums, cuda->sums, bytes, cudaMemcpyDeviceToHost, cuda->stream), "copying between host and device");
}

/* ---- rates -------------------------------------------------------------------------------------- */

/* Calls `work` for about `seconds`, ten times between waits; the best time of one, in seconds. */
static double
best_time (VfiCuda *cuda, double seconds, gboolean (*work) (VfiCuda *cuda, gpointer data, GError **error), gpointer data, GError **error)
{
  gint64 start = g_get_monotonic_time (), best = G_MAXINT64, before, after = start;

  do {
    before = g_get_monotonic_time ();
    for (int i = 0; i < 10; i++)
      if (!work (cuda, data, error))
        return 0;
    if (!vfi_cuda_ok (cudaStreamSynchronize (cuda->stream), "measuring", error))
      return 0;
    after = g_get_monotonic_time ();
    best = MIN (best, after - before);
  } while (after - start < seconds * 1e6);
  return MAX (best, 1) * 1e-7;
}

typedef struct
{
  VfiCudnnConv *conv;
  VfiCudnnData data;
  guint8 *memory;
  gsize bytes;
} Load;

static gboolean
work_conv (VfiCuda *cuda, gpointer data, GError **error)
{
  const Load *l = data;

  return vfi_cudnn_conv_run (l->conv, &l->data, error);
}

static gboolean
work_copy (VfiCuda *cuda, gpointer data, GError **error)
{
  const Load *l = data;

  return vfi_cuda_ok (cudaMemcpyAsync (l->memory + l->bytes / 2, l->memory, l->bytes / 2, cudaMemcpyDeviceToDevice, cuda->stream),
                      "copying", error);
}

/* Seconds of one run of a convolution, measured in about `seconds`; 0 with an error. */
static double
conv_time (VfiCuda *cuda, VfiCudnnConv *conv, const VfiCudnnConvDesc *k, double seconds, GError **error)
{
  const int reach = k->dilation * (k->kernel - 1) + 1, more = 2 * k->padding + k->after;
  const gsize x = (gsize) k->h * k->w * k->c * vfi_dtype_size (k->src),
              y = (gsize) ((k->h + more - reach) / k->stride + 1) * ((k->w + more - reach) / k->stride + 1) * k->k *
                  vfi_dtype_size (k->dst),
              weights = (gsize) k->kernel * k->kernel * k->c * k->k * vfi_dtype_size (k->src), channels = k->k * sizeof (float);
  const gsize sizes[] = { x, weights, channels, y, channels, channels, y, vfi_cudnn_conv_workspace (conv) };
  Load l = { .conv = conv };
  gsize at[G_N_ELEMENTS (sizes)];
  double time = 0;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    at[i] = l.bytes;
    l.bytes += (sizes[i] + 255) & ~(gsize) 255;
  }
  if ((l.memory = vfi_cuda_alloc (l.bytes, error)) && vfi_cuda_ok (cudaMemset (l.memory, 0, l.bytes), "measuring", error)) {
    l.data = (VfiCudnnData){ l.memory + at[0], l.memory + at[1], l.memory + at[2], l.memory + at[3],
                             l.memory + at[4], l.memory + at[5], l.memory + at[6], l.memory + at[7] };
    time = best_time (cuda, seconds, work_conv, &l, error);
  }
  cudaFree (l.memory);
  return time;
}

/* Of a convolution with one of the engines that it may get: vfi_cudnn_set_timer. */
static double
engine_time (gpointer cuda, VfiCudnnConv *conv, const VfiCudnnConvDesc *k)
{
  const double seconds = conv_time (cuda, conv, k, ENGINE_SECONDS, NULL);

  return seconds > 0 ? seconds : -1;
}

/* Seconds of a 3x3 convolution of n channels; 0 with an error. */
static double
plain_conv_time (VfiCuda *cuda, int h, int w, int n, VfiDType type, double seconds, GError **error)
{
  const VfiCudnnConvDesc desc = {
    .h = h, .w = w, .c = n, .k = n, .kernel = 3, .stride = 1, .padding = 1, .dilation = 1, .src = type, .dst = type
  };
  VfiCudnnConv *conv = vfi_cudnn_conv_new (cuda->cudnn, &desc, error);
  const double time = conv ? conv_time (cuda, conv, &desc, seconds, error) : 0;

  vfi_cudnn_conv_free (conv);
  return time;
}

static gboolean
rates (VfiBackend *b, VfiDType feature, double seconds, double *flops, double *copy_bytes, GError **error)
{
  static const int shapes[][3] = { { 270, 480, 64 }, { 270, 480, 128 }, { 136, 240, 256 } };
  const int n = G_N_ELEMENTS (shapes);
  VfiCuda *cuda = (VfiCuda *) b;
  Load l = { .bytes = (gsize) 512 << 20 };
  double time = 1;
  void *outer;

  *flops = *copy_bytes = 0;
  vfi_cuda_push (cuda, &outer);
  for (int i = 0; i < n && time > 0; i++) {
    const double work = 2.0 * 9 * shapes[i][2] * shapes[i][2] * shapes[i][0] * shapes[i][1];

    if ((time = plain_conv_time (cuda, shapes[i][0], shapes[i][1], shapes[i][2], feature, seconds / (n + 1), error)) > 0)
      *flops = MAX (*flops, work / time);
  }
  if (time > 0 && (time = (l.memory = vfi_cuda_alloc (l.bytes, error)) ? best_time (cuda, seconds / (n + 1), work_copy, &l, error) : 0) > 0)
    *copy_bytes = l.bytes / time;
  cudaFree (l.memory);
  vfi_cuda_pop (cuda, outer);
  return time > 0;
}

/* ---- the table ---------------------------------------------------------------------------------- */

static gboolean
supports_precision (VfiBackend *b, VfiDType feature)
{
  return feature == VFI_F32 || feature == VFI_F16;
}

static VfiDType
best_precision (VfiBackend *b)
{
  return VFI_F16;
}

static void
backend_free (VfiBackend *b)
{
  VfiCuda *cuda = (VfiCuda *) b;
  void *outer = NULL;

  if (cuda->context)
    vfi_cuda_push (cuda, &outer);
  vfi_cudnn_free (cuda->cudnn);
  vfi_cuda_choices_free (cuda->choices);
  if (cuda->frames)
    vfi_cuda_frames_free (cuda->frames);
  cudaFree (cuda->sums);
  if (cuda->own)
    cudaStreamDestroy (cuda->own);
  if (cuda->context)
    vfi_cuda_pop (cuda, outer);
  g_array_unref (cuda->parts.nodes);
  g_array_unref (cuda->parts.starts);
  g_clear_error (&cuda->failure);
  g_free (b->description);
  g_free (cuda);
}

static const VfiKernel *const kernels[] = {
  &vfi_cuda_affine,
  &vfi_cuda_blend,
  &vfi_cuda_bridge,
  &vfi_cuda_contextual_attention,
  &vfi_cuda_conv2d,
  &vfi_cuda_correlation,
  &vfi_cuda_dense_search,
  &vfi_cuda_divide,
  &vfi_cuda_downsample,
  &vfi_cuda_fill,
  &vfi_cuda_interleave,
  &vfi_cuda_inverse_search,
  &vfi_cuda_lucas_kanade,
  &vfi_cuda_max_pool,
  &vfi_cuda_crop,
  &vfi_cuda_resample,
  &vfi_cuda_mean_pool,
  &vfi_cuda_mix,
  &vfi_cuda_moments,
  &vfi_cuda_normalize,
  &vfi_cuda_pixel_shuffle,
  &vfi_cuda_prelu,
  &vfi_cuda_resize,
  &vfi_cuda_resize_corners,
  &vfi_cuda_scale,
  &vfi_cuda_sepconv,
  &vfi_cuda_shear,
  &vfi_cuda_still,
  &vfi_cuda_curve,
  &vfi_cuda_within,
  &vfi_cuda_overlay,
  &vfi_cuda_warp,
  &vfi_cuda_warp_zeros,
  &vfi_cuda_weigh,
  &vfi_cuda_weighted_median,
  &vfi_cuda_evidence,
  &vfi_cuda_opinions,
  &vfi_cuda_gate,
  &vfi_cuda_exposure,
  &vfi_cuda_expose,
  NULL,
};

static const VfiBackendClass klass = {
  .name = "cuda",
  .memory = VFI_MEMORY_CUDA,
  .kernels = kernels,
  .free = backend_free,
  .supports_precision = supports_precision,
  .best_precision = best_precision,
  .alloc = alloc,
  .dealloc = dealloc,
  .upload = upload,
  .download = download,
  .begin = begin,
  .end = end,
  .leave = leave,
  .settle = settle,
  .failed = failed,
  .record_begin = vfi_cuda_record_begin,
  .record_part = vfi_cuda_record_part,
  .record_end = vfi_cuda_record_end,
  .replay = vfi_cuda_replay,
  .record_free = vfi_cuda_record_free,
  .pack = pack,
  .area = area,
  .synthesize = synthesize,
  .pack_picture = pack_picture,
  .unpack_picture = unpack_picture,
  .luma_sums = luma_sums,
  .rates = rates,
};

/* ---- the device --------------------------------------------------------------------------------- */

static gboolean
check_device (int device, struct cudaDeviceProp *properties, GError **error)
{
  int n = 0;

  if (!vfi_cuda_ok (cudaGetDeviceCount (&n), "there is no CUDA device", error))
    return FALSE;
  if (device < 0 || device >= n) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "there is no CUDA device %d: devices are 0 to %d", device, n - 1);
    return FALSE;
  }
  if (!vfi_cuda_ok (cudaGetDeviceProperties (properties, device), "the device's properties", error))
    return FALSE;
  if (properties->major * 10 + properties->minor < MIN_CAPABILITY) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "CUDA device %d (%s) has compute capability %d.%d: at least %d.%d is needed", device,
                 properties->name, properties->major, properties->minor, MIN_CAPABILITY / 10, MIN_CAPABILITY % 10);
    return FALSE;
  }
  return TRUE;
}

/* The device's primary context, made now if need be. None is current before and after. */
static gboolean
primary_context (VfiCuda *cuda, GError **error)
{
  void *popped;

  if (!vfi_cuda_ok (cudaSetDevice (cuda->device), "the device does not start", error) ||
      !vfi_cuda_ok (cudaFree (NULL), "the device does not start", error))
    return FALSE;
  driver.get_current (&cuda->context);
  driver.pop_current (&popped);
  return TRUE;
}

/* A switch in the environment. */
static gboolean
asked (const char *variable, gboolean otherwise)
{
  const char *value = g_getenv (variable);

  return value && *value ? strcmp (value, "0") != 0 : otherwise;
}

/* With VFI_TIME_ENGINES in the environment, cuDNN's engines are chosen by time. */
static void
time_engines (VfiCuda *cuda, const struct cudaDeviceProp *properties, const char *cudnn)
{
  g_autofree char *versions = NULL;
  int driver_version = 0;

  if (!asked ("VFI_TIME_ENGINES", FALSE))
    return;
  cudaDriverGetVersion (&driver_version);
  versions = g_strdup_printf ("compute capability %d.%d, %s, driver %d", properties->major, properties->minor, cudnn, driver_version);
  cuda->choices = vfi_cuda_choices_new (properties->name, versions);
  vfi_cudnn_set_timer (cuda->cudnn, engine_time, cuda, cuda->choices);
}

static gboolean
start (VfiCuda *cuda, GError **error)
{
  g_autofree char *version = NULL;
  struct cudaDeviceProp properties;
  void *outer;
  gboolean ok;

  if (!vfi_cuda_load_driver (&driver, error))
    return FALSE;
  cuda->driver = &driver;
  driver.get_current (&cuda->context);
  if (cuda->context && !vfi_cuda_ok (cudaGetDevice (&cuda->device), "the current CUDA context", error))
    return FALSE;
  if (!check_device (cuda->device, &properties, error) || (!cuda->context && !primary_context (cuda, error)))
    return FALSE;
  vfi_cuda_push (cuda, &outer);
  ok = vfi_cuda_ok (cudaStreamCreateWithFlags (&cuda->own, cudaStreamNonBlocking), "the device does not start", error) &&
       (cuda->frames = vfi_cuda_frames_new (error));
  if (!cuda->stream)
    cuda->stream = cuda->own;
  ok = ok && (cuda->cudnn = vfi_cudnn_new (cuda->stream, NULL, error));
  vfi_cuda_pop (cuda, outer);
  if (!ok)
    return FALSE;
  version = vfi_cudnn_version (cuda->cudnn);
  time_engines (cuda, &properties, version);
  cuda->mma = asked ("VFI_MMA", TRUE);
  cuda->base.description = g_strdup_printf ("cuda (%s, %s)", properties.name, version);
  return TRUE;
}

/* VfiCudaBackendCheck, VfiCudaBackendMemory and VfiCudaBackendNew of core/backend.h. */
VFI_API gboolean vfi_cuda_backend_check (int device, GError **error);

gboolean
vfi_cuda_backend_check (int device, GError **error)
{
  struct cudaDeviceProp properties;
  VfiCudnnApi api;
  gboolean found = FALSE;
  int n = 0;

  if (!vfi_cuda_load_driver (&driver, error) || !vfi_cuda_load_cudnn (&api, error) ||
      !vfi_cuda_ok (cudaGetDeviceCount (&n), "there is no CUDA device", error))
    return FALSE;
  for (int i = 0; i < n && device < 0 && !found; i++)
    found = check_device (i, &properties, NULL);
  return found || check_device (MAX (device, 0), &properties, error);
}

VFI_API gboolean vfi_cuda_backend_memory (gsize *unused, gsize *total);

gboolean
vfi_cuda_backend_memory (gsize *unused, gsize *total)
{
  return vfi_cuda_ok (cudaMemGetInfo (unused, total), "", NULL);
}

VFI_API VfiBackend *vfi_cuda_backend_new (int device, gpointer stream, GError **error);

VfiBackend *
vfi_cuda_backend_new (int device, gpointer stream, GError **error)
{
  VfiCuda *cuda = g_new0 (VfiCuda, 1);

  cuda->base.klass = &klass;
  cuda->base.refs = 1;
  cuda->base.threads = 1;
  cuda->device = device;
  cuda->stream = stream;
  cuda->parts = (VfiCudaParts){ g_array_new (FALSE, FALSE, sizeof (cudaGraphNode_t)), g_array_new (FALSE, FALSE, sizeof (int)), FALSE };
  if (start (cuda, error))
    return &cuda->base;
  backend_free (&cuda->base);
  return NULL;
}
