/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Deep Voxel Flow: one flow, symmetric about the middle of the pair, and one mask.
 *
 * Z. Liu et al., "Video Frame Synthesis using Deep Voxel Flow", ICCV 2017; the PyTorch version, lxx1991/pytorch-voxel-flow.
 *
 * Details that bite:
 * - Pictures are blue first, in [-1, 1].
 * - Flow is half of a tanh in units of half the picture: what a pixel can move by grows with the size. It was trained at 256 x 256.
 * - Its coordinates are from before align_corners was an option: corners are -1 and 1. Border pixels are repeated.
 * - Only the middle is known; other times are reached by halving.
 * - The original has no rule for sizes that are no multiple of 8: here they are padded by their nearest pixels, right and bottom.
 * - Nor does the PyTorch version write pictures. The first authors' program (liuziwei7/voxel-flow) cuts off to bytes, without clamping; here the frame's
 *   own range clamps.
 */
#include "build.h"

static VfiTensor *
conv (VfiGraph *g, const char *name, VfiTensor *x, int channels, int kernel)
{
  g_autofree char *norm = g_strconcat (name, "_bn", NULL);
  return vfi_conv2d (g, name, x, channels, kernel, .padding = kernel / 2, .no_bias = TRUE, .norm = norm, .act = VFI_RELU);
}

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  vfi_output (g, "bgr", vfi_affine (g, vfi_input (g, "picture", VFI_F32, h, w, 3), 2, (const float[]){ -1, -1, -1 }, VFI_F32));
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const float there[] = { 0.25f * (w - 1), 0.25f * (h - 1) }, back[] = { -there[0], -there[1] };
  VfiTensor *a = vfi_input (g, "0.bgr", VFI_F32, h, w, 3), *b = vfi_input (g, "1.bgr", VFI_F32, h, w, 3), *x, *skip[3], *flow;

  x = skip[0] = conv (g, "conv1", vfi_concat (g, a, b), 64, 5);
  x = skip[1] = conv (g, "conv2", vfi_max_pool (g, x), 128, 5);
  x = skip[2] = conv (g, "conv3", vfi_max_pool (g, x), 256, 3);
  x = conv (g, "bottleneck", vfi_max_pool (g, x), 256, 3);
  x = conv (g, "deconv1", vfi_concat (g, vfi_resize (g, x, .scale = 2), skip[2]), 256, 3);
  x = conv (g, "deconv2", vfi_concat (g, vfi_resize (g, x, .scale = 2), skip[1]), 128, 5);
  x = conv (g, "deconv3", vfi_concat (g, vfi_resize (g, x, .scale = 2), skip[0]), 64, 5);
  x = vfi_conv2d (g, "conv4", x, 3, 5, .padding = 2, .act = VFI_TANH, .dtype = VFI_F32);

  flow = vfi_slice (g, x, 0, 2);
  a = vfi_warp (g, a, vfi_scale (g, flow, back, VFI_F32));
  b = vfi_warp (g, b, vfi_scale (g, flow, there, VFI_F32));
  x = vfi_blend (g, a, b, vfi_slice (g, x, 2, 1), .tanh = TRUE);
  vfi_output (g, "result", vfi_affine (g, x, 0.5f, (const float[]){ 0.5f, 0.5f, 0.5f }, VFI_F32));
}

const VfiModel vfi_model_dvf = {
  .name = "dvf",
  .task = "interpolation",
  .summary = "Deep Voxel Flow",
  .paper = "Z. Liu et al., Video Frame Synthesis using Deep Voxel Flow, ICCV 2017",
  .source = "lxx1991/pytorch-voxel-flow, non-commercial research: see liuziwei7/voxel-flow",
  .picture = { VFI_BGR, .truncates = TRUE },
  .multiple = 8,
  .frame = frame,
  .at = at,
};
