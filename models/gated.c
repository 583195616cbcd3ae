/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bricks of fill.c and complete.c: see gated.h.
 */
#include "gated.h"

#define SHARE 3 /* features to a gate */
#define SLOPE 0.2f

VfiTensor *
vfi_gated (VfiGraph *g, const char *name, VfiTensor *x, int channels, int stride, int dilation)
{
  int gates = channels / SHARE, reach = dilation ? dilation : 1;

  return vfi_gate (g, vfi_conv2d (g, name, x, channels + gates, 3, .stride = stride, .padding = reach, .dilation = reach), gates, SLOPE);
}

VfiTensor *
vfi_gated_chain (VfiGraph *g, VfiTensor *x, const int *dilations, int n)
{
  for (int i = 0; i < n; i++)
    x = vfi_mix (g, x, vfi_gated (g, vfi_numbered ("mid%d", i), x, vfi_channels (x), 1, dilations[i]));
  return x;
}

VfiTensor *
vfi_gated_finer (VfiGraph *g, const char *name, VfiTensor *x, VfiTensor *skip)
{
  return vfi_mix (g, vfi_pixel_shuffle (g, vfi_conv2d (g, name, x, 4 * vfi_channels (skip), 1), 2), skip);
}
