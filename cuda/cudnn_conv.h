/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Convolutions by cuDNN 9, through its graph ("backend") API: convolution, bias, residual and activation as one graph where there is an
 * engine for it, else the convolution alone.
 */
#pragma once

#include "choices.h"
#include "load.h"
#include "op.h"

typedef struct _VfiCudnn VfiCudnn;
typedef struct _VfiCudnnConv VfiCudnnConv;

/* A handle for one stream of the current context. device_json (NULL: what is there): a device described instead of present, on which
 * nothing runs, but graphs are checked and engines found (cuDNN 9.8 and later). */
VfiCudnn *vfi_cudnn_new (cudaStream_t stream, const char *device_json, GError **error);
void vfi_cudnn_free (VfiCudnn *cudnn);
gboolean vfi_cudnn_set_stream (VfiCudnn *cudnn, cudaStream_t stream);
/* "cuDNN 9.19.0" */
char *vfi_cudnn_version (const VfiCudnn *cudnn);

/* All tensors are dense NHWC, 16-byte aligned; weights as (k, kernel, kernel, c) of src's type; bias and, for VFI_PRELU, slopes and what they
 * lack to 1: k values of fp32 each. */
typedef struct
{
  int h, w, c, k;
  int kernel, stride, padding, after, dilation; /* as VfiConv2d has them */
  gboolean bias, residual;                      /* residual: of dst's type */
  VfiAct act;                                   /* VFI_HARDTANH is not supported */
  float slope;
  VfiDType src, dst; /* VFI_F32 or VFI_F16; sums are fp32 */
} VfiCudnnConvDesc;

/* From now on engines are chosen by time, if there is more than one: `time` gives the seconds of one run, negative if it cannot tell. What it comes to is
 * kept in `choices`, and taken from there. */
void vfi_cudnn_set_timer (VfiCudnn *cudnn, double (*time) (gpointer data, VfiCudnnConv *conv, const VfiCudnnConvDesc *desc), gpointer data,
                          VfiCudaChoices *choices);

/* Chooses an engine by cuDNN's heuristics or by time, deterministic ones only, and for fp32 none that rounds its inputs. Engines may be
 * compiled here, which takes a second: equal descriptions share one. VFI_ERROR_UNSUPPORTED if there is none. */
VfiCudnnConv *vfi_cudnn_conv_new (VfiCudnn *cudnn, const VfiCudnnConvDesc *desc, GError **error);
void vfi_cudnn_conv_free (VfiCudnnConv *conv);
gsize vfi_cudnn_conv_workspace (const VfiCudnnConv *conv);
/* "engine 34, workspace of 0 bytes"; g_free */
char *vfi_cudnn_conv_engine (const VfiCudnnConv *conv);
/* Where everything lies; NULL: what the description has not got. */
typedef struct
{
  const void *x, *weights, *bias, *residual, *slopes, *rest;
  void *y, *workspace;
} VfiCudnnData;

/* Enqueues. FALSE if cuDNN refused. Allocates only the first time that it sees a set of pointers. */
gboolean vfi_cudnn_conv_run (VfiCudnnConv *conv, const VfiCudnnData *data, GError **error);
