/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi-fill-nano: a picture with a hole, filled; this project's own. What no frame of a video shows is made up by it (DeepFill's part in "Deep
 * Flow-Guided Video Inpainting").
 *
 * The twin of tools/train/fillnet.py, which explains the idea: gated convolutions choose, coarse to fine, between the smooth fill that is given
 * and straight ones along rows and columns, and add what is missing.
 */
#include "gated.h"

typedef struct
{
  int width[3]; /* features at 1/2, 1/4, 1/8 */
  int dilations[5];
} Fill;

#define ENOUGH 0.3f /* of a pixel at 1/4 must be known */

static const float less[3] = { -1, 0, 0 };

static VfiTensor *
quarter (VfiGraph *g, VfiTensor *x)
{
  return vfi_downsample (g, vfi_downsample (g, x, 2, NULL), 2, NULL);
}

/* The picture, 0 in the hole, and what is known of it, at 1/4. */
static VfiTensor *
known (VfiGraph *g, VfiTensor *picture, VfiTensor *mask)
{
  static const float opposite[4] = { 1, 1, 1, -1 }, one[4] = { 0, 0, 0, 1 }, none[4] = { 0 };
  VfiTensor *x = vfi_affine (g, vfi_scale (g, picture, opposite, VFI_F32), 1, one, VFI_F32);

  return quarter (g,
                  vfi_blend (g, x, vfi_affine (g, x, 0, none, VFI_F32), vfi_affine (g, mask, -2, (float[]){ 1 }, VFI_F32), .tanh = TRUE));
}

/* How x differs from y, as features. */
static VfiTensor *
beyond (VfiGraph *g, VfiTensor *x, VfiTensor *y)
{
  return vfi_scale (g, vfi_mix (g, x, y, .q = less), NULL, VFI_FEATURE);
}

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  static const float middle[3] = { -0.5f, -0.5f, -0.5f };
  const Fill *k = model->config;
  VfiTensor *picture = vfi_input (g, "picture", VFI_F32, h, w, 4), *rgb = vfi_slice (g, picture, 0, 3),
            *mask = vfi_slice (g, picture, 3, 1);
  VfiTensor *smooth = quarter (g, rgb), *own = known (g, picture, mask), *bridges = vfi_bridge (g, own, ENOUGH);
  VfiTensor *rows = vfi_slice (g, bridges, 0, 3), *columns = vfi_slice (g, bridges, 3, 3), *apart = vfi_slice (g, bridges, 6, 2), *e0, *e1,
            *x, *head, *coarse, *fine;

  x = vfi_concat (g, vfi_affine (g, rgb, 1, middle, VFI_FEATURE), vfi_scale (g, mask, NULL, VFI_FEATURE));
  e0 = vfi_gated (g, "enc0", x, k->width[0], 2, 0);
  e1 = vfi_gated (g, "enc1", e0, k->width[1], 2, 0);
  apart = vfi_scale (g, vfi_resize (g, vfi_downsample (g, apart, 2, NULL), .scale = 2), NULL, VFI_FEATURE);
  x = vfi_concat (g, e1, beyond (g, rows, smooth), beyond (g, columns, smooth), vfi_scale (g, vfi_slice (g, own, 3, 1), NULL, VFI_FEATURE),
                  apart);
  x = vfi_gated_chain (g, vfi_gated (g, "enc2", x, k->width[2], 2, 0), k->dilations, G_N_ELEMENTS (k->dilations));

  x = vfi_gated (g, "dec1", vfi_gated_finer (g, "up1", x, e1), k->width[1], 0, 0);
  head = vfi_conv2d (g, "coarse", vfi_concat (g, x, apart), 5, 1, .dtype = VFI_F32);
  coarse = vfi_blend (g, rows, vfi_blend (g, columns, smooth, vfi_slice (g, head, 1, 1)), vfi_slice (g, head, 0, 1),
                      .residual = vfi_slice (g, head, 2, 3));
  x = vfi_gated (g, "dec0", vfi_gated_finer (g, "up0", x, e0), k->width[0], 0, 0);
  fine = vfi_conv2d (g, "fine", x, 12, 3, .padding = 1, .dtype = VFI_F32);
  coarse = vfi_resize (g, vfi_mix (g, coarse, smooth, .q = less), .scale = 2);
  vfi_output (g, "result", vfi_mix (g, rgb, vfi_resize (g, coarse, .scale = 2, .detail = fine)));
}

static const Fill nano = { { 24, 48, 72 }, { 1, 2, 4, 8, 2 } };

const VfiModel vfi_model_fill_nano = {
  .name = "vfi-fill-nano",
  .task = "inpainting",
  .summary = "small: fills in what no frame shows",
  .paper = "this project",
  .picture = { VFI_RGB },
  .multiple = 8,
  .config = &nano,
  .frame = frame,
};
