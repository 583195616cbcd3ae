/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bricks of networks that fill holes (fill.c, complete.c): the twins of those in tools/train/gated.py.
 */
#pragma once

#include "build.h"

/* A gated 3 x 3 convolution to `channels` features, a multiple of 3. dilation 0 is 1; stride 0 is 1. */
VfiTensor *vfi_gated (VfiGraph *g, const char *name, VfiTensor *x, int channels, int stride, int dilation);
/* n of them, "mid0" and so on, each added to what it sees. */
VfiTensor *vfi_gated_chain (VfiGraph *g, VfiTensor *x, const int *dilations, int n);
/* x at twice the size through the convolution NAME, plus `skip`, which has that size. */
VfiTensor *vfi_gated_finer (VfiGraph *g, const char *name, VfiTensor *x, VfiTensor *skip);
