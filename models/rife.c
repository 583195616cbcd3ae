/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RIFE 4.x: intermediate flow estimated directly, from coarse to fine, and two warped pictures blended.
 *
 * Z. Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022; the 4.x networks of hzwer/Practical-RIFE
 * differ from the paper's and come with its weights. Versions that are alike but for their weights are one network here.
 *
 * Details that bite:
 * - Every block sees the full pictures, warped by what is known so far and then reduced (bilinear, no antialiasing) by its own scale; its flow
 *   is enlarged and multiplied by that scale. flow-scale makes all scales coarser; pictures stay as they are. (4.0 and 4.1 do that themselves where
 *   both flows of their second block exceed 32 pixels, and begin again; a graph does not.)
 * - Flow is from the new frame to either neighbour, in pixels of the picture, and adds up from block to block. So does the mask up to 4.6; from 4.7
 *   on the last block's counts alone.
 * - From 4.21 on a block hands 8 features to the next, enlarged like the mask; not 4.24. The sixth channel of 4.6's to 4.20's blocks is never used.
 * - From 4.5 on the transposed convolution is followed by a pixel shuffle: 4 times the size, twice the resolution of what went in. Before, twice the size is
 *   all, and enlarged by as much more.
 * - Red comes first, in [0, 1]. Padding is zeros, right and bottom, to a multiple of the coarsest block's scale times 4, over flow-scale: so
 *   HolyWu/vs-rife does. Practical-RIFE's own program for videos goes on to a multiple of 128, whatever the network, that for pictures to one of 64.
 * - vs-rife clamps pictures to [0, 1]; here what is outside survives. Practical-RIFE's programs cut results off to bytes, not rounded.
 */
#include "build.h"

#define MAX_BLOCKS 5
#define CONVS 8 /* in the middle of a block */

typedef enum
{
  SUMMED,   /* PReLU, what goes in added to what comes out */
  PLAIN,    /* leaky ReLU */
  RESIDUAL, /* leaky ReLU, every convolution with a residual and a gain for each channel; and a pixel shuffle at the end */
} Middle;

typedef struct
{
  int channels[MAX_BLOCKS], scale[MAX_BLOCKS]; /* of each block, until one has none; scales at flow-scale 1 */
  Middle middle;
  int groups;                 /* of the convolutions in the middle */
  const char *const *encoder; /* names of its layers, the last one a transposed convolution; NULL: there is none */
  int width, head;            /* its channels, and those that it ends in */
  int out, carried;           /* channels of a block's answer; features among them for the next */
  gboolean mask_adds;
} Config;

#define ACT .act = VFI_LEAKY_RELU, .slope = 0.2f

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const Config *k = model->config;
  VfiTensor *picture = vfi_input (g, "picture", VFI_F32, h, w, 3), *x;

  vfi_output (g, "rgb", picture);
  if (!k->encoder)
    return;
  vfi_push (g, "encode");
  x = vfi_scale (g, picture, NULL, VFI_FEATURE);
  if (k->encoder[2])
    for (int i = 0; i < 3; i++)
      x = vfi_conv2d (g, k->encoder[i], x, k->width, 3, .stride = i ? 1 : 2, .padding = 1, ACT);
  else /* one convolution, without an activation */
    x = vfi_conv2d (g, k->encoder[0], x, k->width, 3, .stride = 2, .padding = 1);
  vfi_output (g, "f", vfi_conv_transpose2d (g, k->encoder[k->encoder[2] ? 3 : 1], x, k->head, VFI_FEATURE));
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

/* A convolution and PReLU or leaky ReLU, as torch.nn.Sequential numbers them. */
static VfiTensor *
conv (VfiGraph *g, const Config *k, VfiTensor *x, int channels, int stride)
{
  return k->middle == SUMMED ? vfi_conv2d (g, "0", x, channels, 3, .stride = stride, .padding = 1, .act = VFI_PRELU, .slopes = "1.weight")
                             : vfi_conv2d (g, "0", x, channels, 3, .stride = stride, .padding = 1, ACT);
}

/* A block's answer at full size: flow (4), mask, carried features; F32. */
static VfiTensor *
block (VfiGraph *g, const Config *k, int i, VfiTensor *x, int scale)
{
  const int channels = k->channels[i], larger = k->middle == RESIDUAL ? scale : 2 * scale;
  const float gain[16] = { larger, larger, larger, larger, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
  VfiTensor *first;

  vfi_push (g, "block%d", i);
  for (int j = 0; j < 2; j++) {
    vfi_push (g, "conv0.%d", j);
    x = conv (g, k, x, j ? channels : channels / 2, 2);
    vfi_pop (g);
  }
  first = x;
  for (int j = 0; j < CONVS; j++) {
    vfi_push (g, "convblock.%d", j);
    x = k->middle == RESIDUAL
            ? vfi_conv2d (g, "conv", x, channels, 3, .padding = 1, .groups = k->groups, .gain = "beta", .residual = x, ACT)
            : conv (g, k, x, channels, 1);
    vfi_pop (g);
  }
  if (k->middle == SUMMED)
    x = vfi_mix (g, x, first);
  x = k->middle == RESIDUAL ? vfi_pixel_shuffle (g, vfi_conv_transpose2d (g, "lastconv.0", x, 4 * k->out, VFI_F32), 2)
                            : vfi_conv_transpose2d (g, "lastconv", x, k->out, VFI_F32);
  vfi_pop (g);
  x = vfi_slice (g, x, 0, 5 + (i + 1 < MAX_BLOCKS && k->channels[i + 1] ? k->carried : 0));
  return larger == 1 ? x : vfi_resize (g, x, .scale = larger, .gain = gain);
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const Config *k = model->config;
  const int coarser = (int) (1 / vfi_flow_scale (g));
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1), *picture[2], *features[2], *warped[2], *flow = NULL, *mask = NULL, *carried = NULL;

  for (int i = 0; i < 2; i++) {
    warped[i] = picture[i] = vfi_input (g, vfi_numbered ("%d.rgb", i), VFI_F32, h, w, 3);
    if (k->encoder)
      features[i] = vfi_input (g, vfi_numbered ("%d.f", i), VFI_FEATURE, h, w, k->head);
  }
  for (int i = 0; i < MAX_BLOCKS && k->channels[i]; i++) {
    int s = k->scale[i] * coarser, n = 0;
    VfiTensor *x[10] = { NULL }, *out, *next;

    for (int j = 0; j < 2; j++)
      x[n++] = reduce (g, warped[j], s, 1);
    for (int j = 0; j < 2 && k->encoder; j++)
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
    carried = vfi_channels (out) > 5 ? vfi_slice (g, out, 5, k->carried) : NULL;
    for (int j = 0; j < 2; j++)
      warped[j] = vfi_warp (g, picture[j], vfi_slice (g, flow, 2 * j, 2));
  }
  vfi_output (g, "result", vfi_blend (g, warped[0], warped[1], mask));
}

static const char *const simple[] = { "0", "1", NULL }, *const numbered[] = { "0", "2", "4", "6" },
                         *const named[] = { "cnn0", "cnn1", "cnn2", "cnn3" };

#define COARSE                                                                                                                             \
  {                                                                                                                                        \
    8, 4, 2, 1                                                                                                                             \
  }
#define COARSER                                                                                                                            \
  {                                                                                                                                        \
    16, 8, 4, 2, 1                                                                                                                         \
  }
#define COARSEST                                                                                                                           \
  {                                                                                                                                        \
    32, 16, 8, 4, 1                                                                                                                        \
  }

static const Config v4_0 = { { 192, 128, 96, 64 }, COARSE, SUMMED, .out = 5, .mask_adds = TRUE };
static const Config v4_2 = { { 192, 128, 96, 64 }, COARSE, PLAIN, .out = 5, .mask_adds = TRUE };
static const Config v4_5 = { { 192, 128, 96, 64 }, COARSE, RESIDUAL, .out = 5, .mask_adds = TRUE };
static const Config v4_6 = { { 192, 128, 96, 64 }, COARSE, RESIDUAL, .out = 6, .mask_adds = TRUE };
static const Config v4_7 = { { 192, 128, 96, 64 }, COARSE, RESIDUAL, 1, simple, 16, 4, .out = 6 };
static const Config v4_10 = { { 192, 128, 96, 64 }, COARSE, RESIDUAL, 1, numbered, 32, 8, .out = 6 };
static const Config v4_12_lite = { { 128, 96, 64, 48 }, COARSE, RESIDUAL, 1, numbered, 32, 4, .out = 6 };
static const Config v4_13 = { { 192, 128, 96, 64 }, COARSE, RESIDUAL, 1, named, 32, 8, .out = 6 };
static const Config v4_14_lite = { { 192, 128, 96, 64 }, COARSE, RESIDUAL, 2, named, 32, 8, .out = 6 };
static const Config v4_15_lite = { { 128, 96, 64, 48 }, COARSE, RESIDUAL, 1, named, 16, 4, .out = 6 };
static const Config v4_20 = { { 384, 192, 96, 48 }, COARSE, RESIDUAL, 1, named, 32, 8, .out = 6 };
static const Config v4_21 = { { 256, 192, 96, 48 }, COARSE, RESIDUAL, 1, named, 32, 8, .out = 13, .carried = 8 };
static const Config v4_22_lite = { { 192, 128, 64, 32 }, COARSE, RESIDUAL, 1, named, 16, 4, .out = 13, .carried = 8 };
static const Config v4_25 = { { 192, 128, 96, 64, 32 }, COARSER, RESIDUAL, 1, named, 16, 4, .out = 13, .carried = 8 };
static const Config v4_25_lite = { { 192, 128, 96, 64, 24 }, COARSEST, RESIDUAL, 1, named, 16, 4, .out = 13, .carried = 8 };
static const Config v4_25_heavy = { { 384, 256, 192, 128, 64 }, COARSER, RESIDUAL, 1, named, 16, 4, .out = 13, .carried = 8 };
static const Config v4_26_heavy = { { 192, 128, 96, 64, 32 }, COARSER, RESIDUAL, 1, named, 16, 16, .out = 13, .carried = 8 };

#define MODEL(NAME, VERSIONS, MULTIPLE, CONFIG)                                                                                            \
  {                                                                                                                                        \
    .name = "rife-" NAME, .task = "interpolation", .summary = "RIFE " VERSIONS,                                                            \
    .paper = "Z. Huang et al., Real-Time Intermediate Flow Estimation for Video Frame Interpolation, ECCV 2022",                           \
    .source = "hzwer/Practical-RIFE, MIT", .any_t = TRUE, .any_scale = TRUE, .picture = { VFI_RGB, .zeros = TRUE, .truncates = TRUE },     \
    .multiple = MULTIPLE, .config = &CONFIG, .frame = frame, .at = at                                                                      \
  }

const VfiModel vfi_model_rife_4_0 = MODEL ("4.0", "4.0 and 4.1", 32, v4_0);
const VfiModel vfi_model_rife_4_2 = MODEL ("4.2", "4.2 to 4.4", 32, v4_2);
const VfiModel vfi_model_rife_4_5 = MODEL ("4.5", "4.5", 32, v4_5);
const VfiModel vfi_model_rife_4_6 = MODEL ("4.6", "4.6", 32, v4_6);
const VfiModel vfi_model_rife_4_7 = MODEL ("4.7", "4.7 to 4.9", 32, v4_7);
const VfiModel vfi_model_rife_4_10 = MODEL ("4.10", "4.10 to 4.12", 32, v4_10);
const VfiModel vfi_model_rife_4_12_lite = MODEL ("4.12.lite", "4.12.lite and 4.13.lite", 32, v4_12_lite);
const VfiModel vfi_model_rife_4_13 = MODEL ("4.13", "4.13 to 4.19, and 4.24", 32, v4_13);
const VfiModel vfi_model_rife_4_14_lite = MODEL ("4.14.lite", "4.14.lite", 32, v4_14_lite);
const VfiModel vfi_model_rife_4_15_lite = MODEL ("4.15.lite", "4.15.lite to 4.17.lite", 32, v4_15_lite);
const VfiModel vfi_model_rife_4_20 = MODEL ("4.20", "4.20", 32, v4_20);
const VfiModel vfi_model_rife_4_21 = MODEL ("4.21", "4.21 to 4.23", 32, v4_21);
const VfiModel vfi_model_rife_4_22_lite = MODEL ("4.22.lite", "4.22.lite", 32, v4_22_lite);
const VfiModel vfi_model_rife_4_25 = MODEL ("4.25", "4.25 and 4.26", 64, v4_25);
const VfiModel vfi_model_rife_4_25_lite = MODEL ("4.25.lite", "4.25.lite", 128, v4_25_lite);
const VfiModel vfi_model_rife_4_25_heavy = MODEL ("4.25.heavy", "4.25.heavy", 64, v4_25_heavy);
const VfiModel vfi_model_rife_4_26_heavy = MODEL ("4.26.heavy", "4.26.heavy", 64, v4_26_heavy);
