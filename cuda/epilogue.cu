/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What follows a convolution where cuDNN does not add and activate itself.
 */
#include "device.h"

/* residual: without data where there is none. */
static __global__ void
epilogue (View src, const float *bias, View residual, int act, float slope, const float *slopes, View dst)
{
  const Element e = element (dst);
  float v;

  if (!e.valid)
    return;
  v = get (src, e.p, e.c);
  if (bias)
    v += bias[e.c];
  if (residual.data)
    v += get (residual, e.p, e.c);
  set (dst, e.p, e.c, activate (act, slopes ? slopes[e.c] : slope, v));
}

void
vfi_cuda_epilogue (VfiCuda *cuda, const VfiView *src, const float *bias, const VfiView *residual, VfiAct act, float slope,
                   const float *slopes, const VfiView *dst)
{

  vfi_launch_elements (cuda, *dst, epilogue, View (*src), bias, residual ? View (*residual) : View (), (int) act, slope, slopes,
                       View (*dst));
}
