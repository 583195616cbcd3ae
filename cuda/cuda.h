/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Inside the CUDA module: the backend that every file here shares. Kernels are in the .cu files, plain C++ that starts them through
 * vfi_launch (device.h), so that tests/cuda can compile the same files against a host shim.
 */
#pragma once

/* nvcc of CUDA 12 has this as a macro, and GLib asks the compiler for the attribute of that name. */
#pragma push_macro("__noinline__")
#undef __noinline__
#include <glib.h>
#pragma pop_macro("__noinline__")

#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "backend.h"

typedef struct _VfiCudnn VfiCudnn;
typedef struct _VfiCudaFrames VfiCudaFrames;

/* Of each part of a graph the nodes that whoever waits for the part waits for: those from the part's start on. */
typedef struct
{
  GArray *nodes, *starts; /* cudaGraphNode_t, int */
  gboolean good;
} VfiCudaParts;

typedef struct
{
  VfiBackend base;
  int device;
  void *context;       /* a CUcontext: the one that was current when the backend was made, else the device's primary one */
  void *outer;         /* what was current at begin */
  cudaStream_t stream; /* all work, in order; frames in system memory come and go on two others */
  cudaStream_t own;    /* the same, unless the caller gave one: that is his to enqueue on, too, so graphs are captured here */
  cudaStream_t live;   /* what `stream` is when nothing is captured */
  const struct _VfiCudaDriver *driver;
  VfiCudnn *cudnn;
  gboolean mma;                    /* small convolutions by conv2d_mma.cu */
  struct _VfiCudaChoices *choices; /* NULL: engines are not timed */
  VfiCudaFrames *frames;           /* system-memory frames on their way */
  VfiCudaParts parts;              /* of the graph that is captured */
  void *sums;                      /* of luma */
  gsize sums_size;
  GError *failure; /* the first of what run entries could not report */
} VfiCuda;

/* ---- cuda.c: what every file here works with --------------------------------------------------- */

/* FALSE with VFI_ERROR_BACKEND if a call of the CUDA runtime failed; `what` begins the message. */
gboolean vfi_cuda_ok (cudaError_t status, const char *what, GError **error);
/* The same where nothing can be returned: kept for klass->failed. vfi_cuda_fail takes the error. */
gboolean vfi_cuda_note (VfiCuda *cuda, cudaError_t status, const char *what);
void vfi_cuda_fail (VfiCuda *cuda, GError *error);

/* Device memory (page-locked host memory); NULL with VFI_ERROR_MEMORY that names the bytes needed and free. The context must be current. */
void *vfi_cuda_alloc (gsize bytes, GError **error);
void *vfi_cuda_alloc_host (gsize bytes, GError **error);
/* What a node keeps on the device. */
typedef struct
{
  VfiCuda *cuda;
  void *data;
} VfiCudaBuffer;
/* A copy of host memory; NULL with an error. */
VfiCudaBuffer *vfi_cuda_buffer_new (VfiCuda *cuda, const void *src, gsize bytes, GError **error);
void vfi_cuda_buffer_free (gpointer buffer);

/* Between vfi_cuda_push and vfi_cuda_pop the backend's context is current. */
void vfi_cuda_push (VfiCuda *cuda, void **outer);
void vfi_cuda_pop (VfiCuda *cuda, void *outer);

/* TRUE if all tensors of a node are fp32 or fp16: what the kernels here read and write. */
gboolean vfi_cuda_supports (VfiBackend *b, const VfiNode *node);

/* ---- a file each, or pointwise.cu: operators ---------------------------------------------------- */

extern const VfiKernel vfi_cuda_blend, vfi_cuda_conv2d, vfi_cuda_correlation, vfi_cuda_downsample, vfi_cuda_fill, vfi_cuda_interleave,
    vfi_cuda_inverse_search, vfi_cuda_lucas_kanade, vfi_cuda_mean_pool, vfi_cuda_mix, vfi_cuda_moments, vfi_cuda_normalize,
    vfi_cuda_exposure, vfi_cuda_expose, vfi_cuda_pixel_shuffle, vfi_cuda_resize, vfi_cuda_scale, vfi_cuda_shear, vfi_cuda_warp,
    vfi_cuda_affine, vfi_cuda_divide, vfi_cuda_max_pool, vfi_cuda_crop, vfi_cuda_resample, vfi_cuda_prelu, vfi_cuda_resize_corners,
    vfi_cuda_sepconv, vfi_cuda_warp_zeros, vfi_cuda_gate, vfi_cuda_bridge, vfi_cuda_weigh, vfi_cuda_dense_search, vfi_cuda_weighted_median,
    vfi_cuda_evidence, vfi_cuda_opinions, vfi_cuda_still, vfi_cuda_curve, vfi_cuda_overlay, vfi_cuda_within, vfi_cuda_contextual_attention;

/* ---- record.c: captured graphs ----------------------------------------------------------------- */

/* Of VfiBackendClass. */
gboolean vfi_cuda_record_begin (VfiBackend *b);
void vfi_cuda_record_part (VfiBackend *b, const int *after, int n);
gpointer vfi_cuda_record_end (VfiBackend *b);
void vfi_cuda_replay (VfiBackend *b, gpointer recording);
void vfi_cuda_record_free (VfiBackend *b, gpointer recording);

/* ---- frames.c: frames in system memory --------------------------------------------------------- */

/* With the context current. */
VfiCudaFrames *vfi_cuda_frames_new (GError **error);
void vfi_cuda_frames_free (VfiCudaFrames *frames);
/* The frame on the device, for work that is enqueued next: itself if it lies there; else its copy, made anew where `fresh` says that the pixels may
 * have changed. FALSE: kept in cuda->failure. */
gboolean vfi_cuda_frames_take (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, gboolean fresh, VfiFrame *on_device);
/* What reads the frames that were taken has been enqueued. */
void vfi_cuda_frames_taken (VfiCuda *cuda);
/* Where to write what shall become `frame`, one for each vfi_cuda_frames_send. */
gboolean vfi_cuda_frames_give (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, VfiFrame *on_device);
/* After all work has been enqueued: the way back is, too. The work and its frame are under way then, if it has not failed. */
void vfi_cuda_frames_send (VfiCuda *cuda);
/* Waits for the oldest that is under way, and fills the frame in system memory with what comes, as it comes. */
void vfi_cuda_frames_settle (VfiCuda *cuda);
void vfi_cuda_frames_settle_all (VfiCuda *cuda);
/* Gives back the memory that several frames at the same time take, from now on. FALSE: it has been given back. */
gboolean vfi_cuda_frames_shrink (VfiCuda *cuda);

/* ---- area.cu, pack.cu, synthesize.cu, picture.cu: frames on the device ---------------------------------- */

void vfi_cuda_pack (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x);
void vfi_cuda_area (VfiCuda *cuda, const VfiView *x, gboolean begins, const VfiView *bars, const VfiView *area);
void vfi_cuda_synthesize (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
                          const VfiSynthesis *motion, const VfiFrame *dst);

void vfi_cuda_pack_picture (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x);
void vfi_cuda_unpack_picture (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double t,
                              const VfiPicture *picture, const VfiView *x, const VfiFrame *dst);

/* ---- luma.cu: comparing frames on the device ---------------------------------------------------- */

/* The sums of core/scene.h, to device memory. */
void vfi_cuda_luma_sums (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, int w, int h, guint64 *sums);

/* ---- conv2d_mma.cu: convolutions of few channels ------------------------------------------------ */

/* Whether they are for this one. */
gboolean vfi_cuda_mma_takes (const VfiConv2dParams *p, const VfiView *src, const VfiView *dst);
/* Weights as in op.h, from c to `channels`, as they want them; NULL with an error. */
VfiCudaBuffer *vfi_cuda_mma_load (VfiCuda *cuda, const VfiConv2dParams *p, int c, int channels, const float *weights, GError **error);
/* residual, bias and slopes may be NULL; these and weights lie on the device. */
void vfi_cuda_mma (VfiCuda *cuda, const VfiConv2dParams *p, const VfiView *src, const VfiView *residual, const void *weights,
                   const float *bias, const float *slopes, const VfiView *dst);

/* ---- scale.cu, epilogue.cu: around a convolution ------------------------------------------------ */

/* src to dst, with dst's type; channels of dst that src has not got become 0, those of src that dst has not got are left out. */
void vfi_cuda_fit (VfiCuda *cuda, const VfiView *src, const VfiView *dst);
/* dst = act (src + bias + residual); bias and the slopes of VFI_PRELU: fp32, on the device; bias and residual may be NULL. */
void vfi_cuda_epilogue (VfiCuda *cuda, const VfiView *src, const float *bias, const VfiView *residual, VfiAct act, float slope,
                        const float *slopes, const VfiView *dst);

#ifdef __cplusplus
}
#endif
