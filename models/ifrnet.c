/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * IFRNet: flows, a mask and features of the frame to be made, refined together from 1/8 to full size.
 *
 * L. Kong et al., "IFRNet: Intermediate Feature Refine Network for Efficient Frame Interpolation", CVPR 2022; ltkong218/IFRNet.
 *
 * Details that bite:
 * - The mean of both pictures, padding included, over all channels together, is taken off before the encoder: so the encoder runs once for
 *   each pair, not for each frame. (Warping with clamped coordinates commutes with the mean: the result is made of the pictures as they are.)
 * - Flows are in pixels of their grid and doubled from grid to grid; the new ones are added, the mask and the residual come from the last.
 * - The side channels of a residual block are convolved alone and written back among the others.
 * - Red comes first, in [0, 1]. Padding is by nearest pixels, on all sides, right and bottom the one more: so the authors' benchmark pads, to a
 *   multiple of 20, for it lets motion be worked out at 0.8 of the size; at full size the network needs one of 16.
 * - The original clamps its result to [0, 1] and cuts it off to bytes. Here the frame's own range clamps.
 * - Checkpoints that were trained on Vimeo90K have only seen t = 1/2; those trained on GoPro serve any t.
 */
#include "build.h"

typedef struct
{
  int enc[4]; /* channels at 1/2, 1/4, 1/8, 1/16 */
  int kernel; /* of the first convolution */
  int side;
} Config;

static const float twice[] = { 2, 2, 2, 2 };

/* Convolution and slopes, layers 0 and 1 of a torch.nn.Sequential. */
static VfiTensor *
conv (VfiGraph *g, const char *name, VfiTensor *x, int channels, int kernel, int stride)
{
  vfi_push (g, "%s", name);
  x = vfi_conv2d (g, "0", x, channels, kernel, .stride = stride, .padding = kernel / 2, .act = VFI_PRELU, .slopes = "1.weight");
  vfi_pop (g);
  return x;
}

/* ---- frame and pair ----------------------------------------------------------------------------- */

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  VfiTensor *x = vfi_input (g, "picture", VFI_F32, h, w, 3);

  vfi_output (g, "rgb", x);
  vfi_output (g, "moments", vfi_moments (g, x));
}

static void
pair (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const Config *k = model->config;
  VfiTensor *m0 = vfi_input (g, "0.moments", VFI_F32, 1, 1, 2), *m1 = vfi_input (g, "1.moments", VFI_F32, 1, 1, 2);

  for (int i = 0; i < 2; i++) {
    VfiTensor *x = vfi_normalize (g, vfi_input (g, vfi_numbered ("%d.rgb", i), VFI_F32, h, w, 3), m0, m1, FALSE);

    x = vfi_scale (g, x, NULL, VFI_FEATURE);
    for (int l = 0; l < 4; l++) {
      vfi_push (g, "encoder.pyramid%d", l + 1);
      x = conv (g, "0", x, k->enc[l], l ? 3 : k->kernel, 2);
      x = conv (g, "1", x, k->enc[l], 3, 1);
      vfi_pop (g);
      vfi_output (g, vfi_numbered (i ? "b%d" : "a%d", l), x);
    }
  }
}

/* ---- at ----------------------------------------------------------------------------------------- */

/* The last `side` channels once more through a convolution of their own. */
static VfiTensor *
aside (VfiGraph *g, const char *name, VfiTensor *x, int side)
{
  int c = vfi_channels (x);
  return vfi_concat (g, vfi_slice (g, x, 0, c - side), conv (g, name, vfi_slice (g, x, c - side, side), side, 3, 1));
}

static VfiTensor *
decoder (VfiGraph *g, int l, VfiTensor *x, int width, int side, int channels)
{
  VfiTensor *y;

  vfi_push (g, "decoder%d.convblock", l + 1);
  x = conv (g, "0", x, width, 3, 1);
  vfi_push (g, "1");
  y = aside (g, "conv2", conv (g, "conv1", x, width, 3, 1), side);
  y = aside (g, "conv4", conv (g, "conv3", y, width, 3, 1), side);
  x = vfi_conv2d (g, "conv5", y, width, 3, .padding = 1, .residual = x, .act = VFI_PRELU, .slopes = "prelu.weight");
  vfi_pop (g);
  x = vfi_conv_transpose2d (g, "2", x, channels, VFI_F32);
  vfi_pop (g);
  return x;
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const Config *k = model->config;
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1), *flow = NULL, *out = NULL, *a, *b;

  for (int l = 3; l >= 0; l--) {
    int c = k->enc[l], hl = h >> (l + 1), wl = w >> (l + 1);
    VfiTensor *x;

    a = vfi_input (g, vfi_numbered ("a%d", l), VFI_FEATURE, hl, wl, c);
    b = vfi_input (g, vfi_numbered ("b%d", l), VFI_FEATURE, hl, wl, c);
    if (!out)
      x = vfi_concat (g, a, b, vfi_fill (g, t, hl, wl));
    else
      x = vfi_concat (g, vfi_slice (g, out, 4, c), vfi_warp (g, a, vfi_slice (g, flow, 0, 2)), vfi_warp (g, b, vfi_slice (g, flow, 2, 2)),
                      flow);
    x = decoder (g, l, x, l == 3 ? 2 * c : 3 * c, k->side, l ? 4 + k->enc[l - 1] : 8);
    flow = out ? vfi_mix (g, vfi_slice (g, x, 0, 4), vfi_resize (g, flow, .scale = 2, .gain = twice)) : vfi_slice (g, x, 0, 4);
    out = x;
  }
  a = vfi_warp (g, vfi_input (g, "0.rgb", VFI_F32, h, w, 3), vfi_slice (g, flow, 0, 2));
  b = vfi_warp (g, vfi_input (g, "1.rgb", VFI_F32, h, w, 3), vfi_slice (g, flow, 2, 2));
  vfi_output (g, "result", vfi_blend (g, a, b, vfi_slice (g, out, 4, 1), .residual = vfi_slice (g, out, 5, 3)));
}

static const Config s = { .enc = { 24, 36, 54, 72 }, .kernel = 3, .side = 24 };
static const Config m = { .enc = { 32, 48, 72, 96 }, .kernel = 3, .side = 32 };
static const Config l = { .enc = { 64, 96, 144, 192 }, .kernel = 7, .side = 64 };

#define MODEL(NAME, SUMMARY, CONFIG)                                                                                                       \
  {                                                                                                                                        \
    .name = NAME, .task = "interpolation", .summary = SUMMARY,                                                                             \
    .paper = "L. Kong et al., IFRNet: Intermediate Feature Refine Network for Efficient Frame Interpolation, CVPR 2022",                   \
    .source = "ltkong218/IFRNet, MIT", .any_t = TRUE, .picture = { VFI_RGB, .centred = TRUE, .truncates = TRUE }, .multiple = 16,          \
    .config = &CONFIG, .frame = frame, .pair = pair, .at = at                                                                              \
  }

const VfiModel vfi_model_ifrnet_s = MODEL ("ifrnet-s", "IFRNet, small", s);
const VfiModel vfi_model_ifrnet = MODEL ("ifrnet", "IFRNet, as in the paper", m);
const VfiModel vfi_model_ifrnet_l = MODEL ("ifrnet-l", "IFRNet, large", l);
