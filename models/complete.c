/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi-complete-nano: the flow in a hole from the flow around it, this project's own; DFC-Net's part in "Deep Flow-Guided Video Inpainting".
 *
 * The twin of tools/train/completenet.py, which explains the idea: it sees a hole that was filled smoothly, and says what is wrong with that.
 */
#include "gated.h"

typedef struct
{
  int width[2]; /* features at full size and 1/2 */
  int dilations[4];
} Complete;

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const Complete *k = model->config;
  VfiTensor *x = vfi_scale (g, vfi_input (g, "flow", VFI_F32, h, w, 3), NULL, VFI_FEATURE), *e0;

  e0 = vfi_gated (g, "enc0", x, k->width[0], 0, 0);
  x = vfi_gated_chain (g, vfi_gated (g, "enc1", e0, k->width[1], 2, 0), k->dilations, G_N_ELEMENTS (k->dilations));
  x = vfi_gated (g, "dec0", vfi_gated_finer (g, "up0", x, e0), k->width[0], 0, 0);
  vfi_output (g, "result", vfi_conv2d (g, "head", x, 2, 3, .padding = 1, .dtype = VFI_F32));
}

static const Complete nano = { { 24, 48 }, { 1, 2, 4, 8 } };

const VfiModel vfi_model_complete_nano = {
  .name = "vfi-complete-nano",
  .task = "completion",
  .summary = "small: the flow in a hole",
  .paper = "this project",
  .multiple = 2,
  .config = &nano,
  .frame = frame,
};
