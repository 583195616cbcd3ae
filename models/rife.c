/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RIFE 4.x: intermediate flow estimated directly, from coarse to fine, and two warped pictures blended.
 *
 * Z. Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022; the 4.x networks of hzwer/Practical-RIFE
 * differ from the paper's and come with its weights. 4.26 is 4.25 with other weights.
 *
 * Details that bite:
 * - Every block sees the full pictures, warped by what is known so far and then reduced (bilinear, no antialiasing) by its own scale; its flow
 *   is enlarged and multiplied by that scale. flow-scale makes all scales coarser; pictures stay as they are.
 * - Flow is from the new frame to either neighbour, in pixels of the picture, and adds up from block to block. So does the mask in 4.6; from 4.7
 *   on the last block's counts alone.
 * - From 4.21 on a block hands 8 features to the next, enlarged like the mask. The sixth channel of 4.6's blocks is never used.
 * - The transposed convolution is followed by a pixel shuffle: 4 times the size, twice the resolution of what went in.
 * - Red comes first, in [0, 1]. Padding is zeros, right and bottom, to a multiple of the coarsest block's scale times 4, over flow-scale: so
 *   HolyWu/vs-rife does. Practical-RIFE's own program for videos goes on to a multiple of 128, whatever the network, that for pictures to one of 64.
 * - vs-rife clamps pictures to [0, 1]; here what is outside survives. Practical-RIFE's programs cut results off to bytes, not rounded.
 */
#include "build.h"

#define MAX_BLOCKS 5
#define CONVS 8 /* residual ones in a block */

typedef struct
{
  int n_blocks, channels[MAX_BLOCKS], scale[MAX_BLOCKS]; /* scales at flow-scale 1 */
  int head;                                              /* channels that the encoder ends in; 0: there is no encoder */
  int out, carried;                                      /* channels of a block's answer; features among them for the next */
  gboolean mask_adds;
} Config;

#define ACT .act = VFI_LEAKY_RELU, .slope = 0.2f

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const Config *k = model->config;
  VfiTensor *picture = vfi_input (g, "picture", VFI_F32, h, w, 3), *x;

  vfi_output (g, "rgb", picture);
  if (!k->head)
    return;
  vfi_push (g, "encode");
  x = vfi_conv2d (g, "cnn0", vfi_scale (g, picture, NULL, VFI_FEATURE), 16, 3, .stride = 2, .padding = 1, ACT);
  x = vfi_conv2d (g, "cnn1", x, 16, 3, .padding = 1, ACT);
  x = vfi_conv2d (g, "cnn2", x, 16, 3, .padding = 1, ACT);
  vfi_output (g, "f", vfi_conv_transpose2d (g, "cnn3", x, k->head, VFI_FEATURE));
  vfi_pop (g);
}

/* x to 1 / scale of its size, times gain. */
static VfiTensor *
reduce (VfiGraph *g, VfiTensor *x, int scale, float gain)
{
  float gains[16];

  if (scale == 1)
    return x;
  for (int c = 0; c < vfi_channels (x); c++)
    gains[c] = gain;
  return vfi_downsample (g, x, scale, gains);
}

/* A block's answer at full size: flow (4), mask, carried features; F32. */
static VfiTensor *
block (VfiGraph *g, const Config *k, int i, VfiTensor *x, int scale)
{
  const float gain[16] = { scale, scale, scale, scale, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

  vfi_push (g, "block%d", i);
  x = vfi_conv2d (g, "conv0.0.0", x, k->channels[i] / 2, 3, .stride = 2, .padding = 1, ACT);
  x = vfi_conv2d (g, "conv0.1.0", x, k->channels[i], 3, .stride = 2, .padding = 1, ACT);
  for (int j = 0; j < CONVS; j++) {
    vfi_push (g, "convblock.%d", j);
    x = vfi_conv2d (g, "conv", x, k->channels[i], 3, .padding = 1, .gain = "beta", .residual = x, ACT);
    vfi_pop (g);
  }
  x = vfi_pixel_shuffle (g, vfi_conv_transpose2d (g, "lastconv.0", x, 4 * k->out, VFI_F32), 2);
  vfi_pop (g);
  x = vfi_slice (g, x, 0, 5 + (i + 1 < k->n_blocks ? k->carried : 0));
  return scale == 1 ? x : vfi_resize (g, x, .scale = scale, .gain = gain);
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const Config *k = model->config;
  const int coarser = (int) (1 / vfi_flow_scale (g));
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1), *picture[2], *features[2], *warped[2], *flow = NULL, *mask = NULL, *carried = NULL;

  for (int i = 0; i < 2; i++) {
    warped[i] = picture[i] = vfi_input (g, vfi_numbered ("%d.rgb", i), VFI_F32, h, w, 3);
    if (k->head)
      features[i] = vfi_input (g, vfi_numbered ("%d.f", i), VFI_FEATURE, h, w, k->head);
  }
  for (int i = 0; i < k->n_blocks; i++) {
    int s = k->scale[i] * coarser, n = 0;
    VfiTensor *x[10] = { NULL }, *out, *next;

    for (int j = 0; j < 2; j++)
      x[n++] = reduce (g, warped[j], s, 1);
    for (int j = 0; j < 2 && k->head; j++)
      x[n++] = reduce (g, flow ? vfi_warp (g, features[j], vfi_slice (g, flow, 2 * j, 2)) : features[j], s, 1);
    x[n++] = vfi_fill (g, t, h / s, w / s);
    if (flow) {
      x[n++] = reduce (g, mask, s, 1);
      if (carried)
        x[n++] = reduce (g, carried, s, 1);
      x[n++] = reduce (g, flow, s, 1.0f / s);
    }
    out = block (g, k, i, vfi_concat_ (g, VFI_FEATURE, x), s);

    next = vfi_slice (g, out, 0, 4);
    flow = flow ? vfi_mix (g, flow, next) : next;
    next = vfi_slice (g, out, 4, 1);
    mask = mask && k->mask_adds ? vfi_mix (g, mask, next) : next;
    carried = k->carried && i + 1 < k->n_blocks ? vfi_slice (g, out, 5, k->carried) : NULL;
    for (int j = 0; j < 2; j++)
      warped[j] = vfi_warp (g, picture[j], vfi_slice (g, flow, 2 * j, 2));
  }
  vfi_output (g, "result", vfi_blend (g, warped[0], warped[1], mask));
}

static const Config v4_6 = {
  .n_blocks = 4,
  .channels = { 192, 128, 96, 64 },
  .scale = { 8, 4, 2, 1 },
  .out = 6,
  .mask_adds = TRUE,
};
static const Config v4_25 = {
  .n_blocks = 5,
  .channels = { 192, 128, 96, 64, 32 },
  .scale = { 16, 8, 4, 2, 1 },
  .head = 4,
  .out = 13,
  .carried = 8,
};

#define MODEL(NAME, SUMMARY, MULTIPLE, CONFIG)                                                                                             \
  {                                                                                                                                        \
    .name = NAME, .task = "interpolation", .summary = SUMMARY,                                                                             \
    .paper = "Z. Huang et al., Real-Time Intermediate Flow Estimation for Video Frame Interpolation, ECCV 2022",                           \
    .source = "hzwer/Practical-RIFE, MIT", .any_t = TRUE, .any_scale = TRUE, .picture = { VFI_RGB, .zeros = TRUE, .truncates = TRUE },     \
    .multiple = MULTIPLE, .config = &CONFIG, .frame = frame, .at = at                                                                      \
  }

const VfiModel vfi_model_rife_4_6 = MODEL ("rife-4.6", "RIFE 4.6", 32, v4_6);
const VfiModel vfi_model_rife_4_25 = MODEL ("rife-4.25", "RIFE 4.25 and 4.26", 64, v4_25);
