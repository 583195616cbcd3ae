/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What files compiled once for each instruction set give to isa.c.
 */
#pragma once

#include "cpu.h"
#include "simd.h"

extern const VfiKernel VFI_ISA_NAME (vfi_cpu_correlation), VFI_ISA_NAME (vfi_cpu_lucas_kanade), VFI_ISA_NAME (vfi_cpu_mean_pool),
    VFI_ISA_NAME (vfi_cpu_pixel_shuffle), VFI_ISA_NAME (vfi_cpu_resize), VFI_ISA_NAME (vfi_cpu_scale), VFI_ISA_NAME (vfi_cpu_shear),
    VFI_ISA_NAME (vfi_cpu_warp), VFI_ISA_NAME (vfi_cpu_interleave), VFI_ISA_NAME (vfi_cpu_downsample), VFI_ISA_NAME (vfi_cpu_fill),
    VFI_ISA_NAME (vfi_cpu_mix), VFI_ISA_NAME (vfi_cpu_blend), VFI_ISA_NAME (vfi_cpu_moments), VFI_ISA_NAME (vfi_cpu_normalize),
    VFI_ISA_NAME (vfi_cpu_expose), VFI_ISA_NAME (vfi_cpu_affine), VFI_ISA_NAME (vfi_cpu_max_pool), VFI_ISA_NAME (vfi_cpu_crop),
    VFI_ISA_NAME (vfi_cpu_warp_zeros), VFI_ISA_NAME (vfi_cpu_prelu), VFI_ISA_NAME (vfi_cpu_divide), VFI_ISA_NAME (vfi_cpu_resize_corners),
    VFI_ISA_NAME (vfi_cpu_sepconv), VFI_ISA_NAME (vfi_cpu_conv2d_bands), VFI_ISA_NAME (vfi_cpu_conv2d_winograd),
    VFI_ISA_NAME (vfi_cpu_gate), VFI_ISA_NAME (vfi_cpu_bridge), VFI_ISA_NAME (vfi_cpu_inverse_search), VFI_ISA_NAME (vfi_cpu_dense_search),
    VFI_ISA_NAME (vfi_cpu_weigh), VFI_ISA_NAME (vfi_cpu_resample), VFI_ISA_NAME (vfi_cpu_conv2d_pixels),
    VFI_ISA_NAME (vfi_cpu_weighted_median), VFI_ISA_NAME (vfi_cpu_evidence), VFI_ISA_NAME (vfi_cpu_opinions), VFI_ISA_NAME (vfi_cpu_still),
    VFI_ISA_NAME (vfi_cpu_curve), VFI_ISA_NAME (vfi_cpu_overlay), VFI_ISA_NAME (vfi_cpu_contextual_attention);

void VFI_ISA_NAME (vfi_cpu_pack) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x);
void VFI_ISA_NAME (vfi_cpu_synthesize) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale,
                                        double t, const VfiSynthesis *motion, const VfiFrame *dst);
