/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * DeepFill v1: a picture with a hole, filled: coarsely, and then again by two branches that see that, one with dilated convolutions, the other one with
 * attention to what lies outside of the hole. It makes up what no frame shows in "Deep Flow-Guided Video Inpainting".
 *
 * J. Yu et al., "Generative Image Inpainting with Contextual Attention", CVPR 2018; the PyTorch version of R. Xu et al., CVPR 2019,
 * nbei/Deep-Flow-Guided-Video-Inpainting, branch v1.1.
 *
 * Details that bite:
 * - Pictures are blue first, in [-1, 1], 0 in the hole; a plane of ones comes with them, whose padding is 0: it tells the border.
 * - Convolutions of stride 2 are padded below and on the right only.
 * - Enlarging repeats pixels, here in the convolutions that follow (vfi_conv2d_nearest).
 * - The branch with attention has one ReLU where all else is ELU: what is compared is not negative.
 * - Attention is told what is masked by every 8th pixel of every 8th row.
 */
#include "build.h"

/* The last widths of the five convolutions after the first; the third halves again. */
typedef struct
{
  int width[4];
  VfiAct last;
} Down;

static const Down coarse = { { 64, 64, 128, 128 }, VFI_ELU }, dilated = { { 32, 64, 64, 128 }, VFI_ELU },
                  attentive = { { 32, 64, 128, 128 }, VFI_RELU };

#define FIRST 32
#define DEEP 128

static VfiTensor *
conv (VfiGraph *g, int i, VfiTensor *x, int channels)
{
  return vfi_conv2d (g, vfi_numbered ("%d.conv.0", i), x, channels, 3, .padding = 1, .act = VFI_ELU);
}

static VfiTensor *
halve (VfiGraph *g, int i, VfiTensor *x, int channels)
{
  return vfi_conv2d (g, vfi_numbered ("%d.conv.1", i), x, channels, 3, .stride = 2, .after = 1, .act = VFI_ELU);
}

static VfiTensor *
down (VfiGraph *g, const char *name, VfiTensor *x, const Down *d)
{
  vfi_push (g, "%s.out", name);
  x = vfi_conv2d (g, "0.conv.0", x, FIRST, 5, .padding = 2, .act = VFI_ELU);
  x = conv (g, 2, halve (g, 1, x, d->width[0]), d->width[1]);
  x = conv (g, 4, halve (g, 3, x, d->width[2]), d->width[3]);
  x = vfi_conv2d (g, "5.conv.0", x, DEEP, 3, .padding = 1, .act = d->last);
  vfi_pop (g);
  return x;
}

static VfiTensor *
around (VfiGraph *g, VfiTensor *x)
{
  vfi_push (g, "atrous.out");
  for (int i = 0; i < 4; i++)
    x = vfi_conv2d (g, vfi_numbered ("%d.conv.0", i), x, DEEP, 3, .padding = 2 << i, .dilation = 2 << i, .act = VFI_ELU);
  vfi_pop (g);
  return x;
}

static VfiTensor *
up (VfiGraph *g, VfiTensor *x)
{
  vfi_push (g, "up.out");
  x = conv (g, 1, conv (g, 0, x, DEEP), DEEP);
  x = conv (g, 4, vfi_conv2d_nearest (g, "3.conv.0", x, DEEP / 2, VFI_ELU), DEEP / 2);
  x = conv (g, 7, vfi_conv2d_nearest (g, "6.conv.0", x, DEEP / 4, VFI_ELU), DEEP / 8);
  x = vfi_conv2d (g, "8.conv.0", x, 3, 3, .padding = 1, .act = VFI_HARDTANH, .dtype = VFI_F32);
  vfi_pop (g);
  return x;
}

/* The one picture, and the other one in the hole. */
static VfiTensor *
with_hole (VfiGraph *g, VfiTensor *picture, VfiTensor *hole, VfiTensor *mask)
{
  return vfi_blend (g, picture, hole, vfi_affine (g, mask, -2, (const float[]){ 1 }, VFI_F32), .tanh = TRUE);
}

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  static const float lower[3] = { -1, -1, -1 }, half[3] = { 0.5f, 0.5f, 0.5f }, none[3] = { 0 }, one[1] = { 1 };
  VfiTensor *picture = vfi_input (g, "picture", VFI_F32, h, w, 4), *mask = vfi_slice (g, picture, 3, 1);
  VfiTensor *bgr = vfi_affine (g, vfi_slice (g, picture, 0, 3), 2, lower, VFI_F32), *ones = vfi_affine (g, mask, 0, one, VFI_F32), *x, *y;

  x = with_hole (g, bgr, vfi_affine (g, bgr, 0, none, VFI_F32), mask);
  vfi_push (g, "stage_1");
  x = up (g, around (g, down (g, "down", vfi_concat (g, x, ones, mask), &coarse)));
  vfi_pop (g);

  x = vfi_concat (g, with_hole (g, bgr, x, mask), ones, mask);
  vfi_push (g, "stage_2");
  y = vfi_contextual_attention (g, down (g, "down_attn_branch", x, &attentive), mask);
  vfi_push (g, "CAttn.out");
  y = conv (g, 1, conv (g, 0, y, DEEP), DEEP);
  vfi_pop (g);
  x = up (g, vfi_concat (g, around (g, down (g, "down_conv_branch", x, &dilated)), y));
  vfi_pop (g);
  vfi_output (g, "result", vfi_affine (g, with_hole (g, bgr, x, mask), 0.5f, half, VFI_F32));
}

const VfiModel vfi_model_deepfill = {
  .name = "deepfill",
  .task = "inpainting",
  .summary = "DeepFill v1",
  .paper = "J. Yu et al., Generative Image Inpainting with Contextual Attention, CVPR 2018",
  .source = "nbei/Deep-Flow-Guided-Video-Inpainting (imagenet_deepfill.pth), MIT",
  .picture = { VFI_BGR },
  .multiple = 8,
  .frame = frame,
};
