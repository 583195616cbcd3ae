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
  int h, w, ic, oc;                             /* of the source; channels of the result */
  int kernel, stride, padding, after, dilation; /* as VfiConv2d has them */
  gboolean band;     /* a band of rows: h counts those above and below too, padding is to the left and right only */
  VfiDType src, dst; /* F32 to F32, or BF16 to BF16 or F32 */
  gboolean residual; /* of the result's shape and type */
  VfiAct act;        /* any but VFI_PRELU, for which oneDNN 2.6 has only its slow reference */
  float slope;
  gboolean blocked; /* src and dst as [(channels + 7) / 8][h][w][8], zeros where src has no channel; F32 without a residual */
} VfiDnnlConvDesc;

/* Chooses an implementation for as many threads as OpenMP gives the calling thread, and packs the weights: (oc, ic, kernel, kernel),
 * and bias (oc) or NULL, both fp32 and needed only during the call. VFI_ERROR_UNSUPPORTED or VFI_ERROR_MEMORY. */
VfiDnnlConv *vfi_dnnl_conv_new (const VfiDnnlConvDesc *desc, const float *weights, const float *bias, GError **error);
void vfi_dnnl_conv_free (VfiDnnlConv *conv);
/* One at a time for each conv. residual is ignored where desc.residual is FALSE; dst must not overlap the others. scratch: as many bytes as
 * vfi_dnnl_conv_scratch says, at a multiple of 64. */
void vfi_dnnl_conv_run (VfiDnnlConv *conv, const void *src, const void *residual, void *dst, void *scratch);
gsize vfi_dnnl_conv_scratch (const VfiDnnlConv *conv);

/* Whether this machine's oneDNN is a lot faster with .blocked than without: its kernels for AVX2 are, those for AVX-512 are not. */
gboolean vfi_dnnl_likes_blocks (void);

/* Whether it multiplies bf16 by tiles (AMX), many times as fast as fp32. */
gboolean vfi_dnnl_has_tiles (void);

/* "oneDNN 2.6.3", of the library that runs. Static. */
const char *vfi_dnnl_version (void);
