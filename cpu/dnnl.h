/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Convolutions by oneDNN: the only door to it. dnnl.c is the one file that names dnnl_*, for its 2.x and 3.x C API alike.
 */
#pragma once

#include "build.h"

typedef struct _VfiDnnlConv VfiDnnlConv;

/* act (conv (src) + bias + residual), NHWC, n = 1, everything dense. */
typedef struct
{
  int h, w, ic, oc; /* of the source; channels of the result */
  int kernel, stride, padding, dilation;
  VfiDType src, dst; /* F32 to F32, or BF16 to BF16 or F32 */
  gboolean residual; /* of the result's shape and type */
  VfiAct act;        /* any but VFI_PRELU, for which oneDNN 2.6 has only its slow reference */
  float slope;
  gboolean any_layout; /* src and dst in whatever layout oneDNN likes best, their contents meaningless: for benchmarks only */
} VfiDnnlConvDesc;

/* Chooses an implementation for as many threads as OpenMP gives the calling thread, and packs the weights: (oc, ic, kernel, kernel),
 * and bias (oc) or NULL, both fp32 and needed only during the call. VFI_ERROR_UNSUPPORTED or VFI_ERROR_MEMORY. */
VfiDnnlConv *vfi_dnnl_conv_new (const VfiDnnlConvDesc *desc, const float *weights, const float *bias, GError **error);
void vfi_dnnl_conv_free (VfiDnnlConv *conv);
/* One at a time for each conv. residual is ignored where desc.residual is FALSE; dst must not overlap the others. */
void vfi_dnnl_conv_run (VfiDnnlConv *conv, const void *src, const void *residual, void *dst);

/* Bytes held: packed weights and scratch memory. */
gsize vfi_dnnl_conv_size (const VfiDnnlConv *conv);
/* oneDNN's name of the implementation chosen: "brgconv:avx512_core_bf16". */
const char *vfi_dnnl_conv_impl (const VfiDnnlConv *conv);
/* Bytes of src and dst; more than the dense size only with any_layout. */
void vfi_dnnl_conv_io_size (const VfiDnnlConv *conv, gsize *src, gsize *dst);

/* "oneDNN 2.6.3", of the library that runs. Static. */
const char *vfi_dnnl_version (void);
