/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the backend has for one instruction set. Compiled once for each.
 */
#include "cpu.h"
#include "simd.h"

extern const VfiKernel VFI_ISA_NAME (vfi_cpu_correlation), VFI_ISA_NAME (vfi_cpu_pixel_shuffle), VFI_ISA_NAME (vfi_cpu_resize),
    VFI_ISA_NAME (vfi_cpu_scale), VFI_ISA_NAME (vfi_cpu_shear), VFI_ISA_NAME (vfi_cpu_warp);

static const VfiKernel *const kernels[] = {
  &vfi_cpu_conv2d,
  &VFI_ISA_NAME (vfi_cpu_correlation),
  &VFI_ISA_NAME (vfi_cpu_pixel_shuffle),
  &VFI_ISA_NAME (vfi_cpu_resize),
  &VFI_ISA_NAME (vfi_cpu_scale),
  &VFI_ISA_NAME (vfi_cpu_shear),
  &VFI_ISA_NAME (vfi_cpu_warp),
  NULL,
};

static void
pack (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x)
{
  vfi_frame_pack (info, frame, flow_scale, x);
}

static void
synthesize (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
            const VfiView *state, const VfiFrame *dst)
{
  vfi_frame_synthesize (info, f0, f1, flow_scale, t, state, dst);
}

const VfiCpuIsa VFI_ISA_NAME (vfi_cpu_isa) = { G_STRINGIFY (VFI_ISA), kernels, pack, synthesize };
