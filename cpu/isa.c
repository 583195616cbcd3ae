/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the backend has for one instruction set. Compiled once for each.
 */
#include "isa.h"

/* Half of it is what the second cache has to hold: most is read as well as written. Where there is AVX-512 caches are larger and features half as
 * large: bands gain nothing there. */
#define BAND_BYTES (VFI_LANES == 16 ? 0 : 5 << 20)

static const VfiKernel *const kernels[] = {
#ifdef VFI_FUSED
  &VFI_ISA_NAME (vfi_cpu_conv2d_winograd),
  &VFI_ISA_NAME (vfi_cpu_conv2d_pixels),
#endif
#if VFI_LANES == 8
  &VFI_ISA_NAME (vfi_cpu_conv2d_bands),
#endif
  &vfi_cpu_conv2d,
  &VFI_ISA_NAME (vfi_cpu_affine),
  &VFI_ISA_NAME (vfi_cpu_blend),
  &VFI_ISA_NAME (vfi_cpu_bridge),
  &VFI_ISA_NAME (vfi_cpu_contextual_attention),
  &VFI_ISA_NAME (vfi_cpu_correlation),
  &VFI_ISA_NAME (vfi_cpu_divide),
  &VFI_ISA_NAME (vfi_cpu_downsample),
  &VFI_ISA_NAME (vfi_cpu_expose),
  &VFI_ISA_NAME (vfi_cpu_fill),
  &VFI_ISA_NAME (vfi_cpu_gate),
  &VFI_ISA_NAME (vfi_cpu_interleave),
  &VFI_ISA_NAME (vfi_cpu_lucas_kanade),
  &VFI_ISA_NAME (vfi_cpu_inverse_search),
  &VFI_ISA_NAME (vfi_cpu_dense_search),
  &VFI_ISA_NAME (vfi_cpu_max_pool),
  &VFI_ISA_NAME (vfi_cpu_crop),
  &VFI_ISA_NAME (vfi_cpu_mean_pool),
  &VFI_ISA_NAME (vfi_cpu_mix),
  &VFI_ISA_NAME (vfi_cpu_moments),
  &VFI_ISA_NAME (vfi_cpu_normalize),
  &VFI_ISA_NAME (vfi_cpu_pixel_shuffle),
  &VFI_ISA_NAME (vfi_cpu_prelu),
  &VFI_ISA_NAME (vfi_cpu_resample),
  &VFI_ISA_NAME (vfi_cpu_resize),
  &VFI_ISA_NAME (vfi_cpu_resize_corners),
  &VFI_ISA_NAME (vfi_cpu_scale),
  &VFI_ISA_NAME (vfi_cpu_sepconv),
  &VFI_ISA_NAME (vfi_cpu_shear),
  &VFI_ISA_NAME (vfi_cpu_still),
  &VFI_ISA_NAME (vfi_cpu_curve),
  &VFI_ISA_NAME (vfi_cpu_overlay),
  &VFI_ISA_NAME (vfi_cpu_warp),
  &VFI_ISA_NAME (vfi_cpu_warp_zeros),
  &VFI_ISA_NAME (vfi_cpu_weigh),
  &VFI_ISA_NAME (vfi_cpu_weighted_median),
  &VFI_ISA_NAME (vfi_cpu_evidence),
  &VFI_ISA_NAME (vfi_cpu_opinions),
  NULL,
};

const VfiCpuIsa VFI_ISA_NAME (vfi_cpu_isa) = {
  G_STRINGIFY (VFI_ISA), kernels, BAND_BYTES, VFI_ISA_NAME (vfi_cpu_pack), VFI_ISA_NAME (vfi_cpu_synthesize),
};
