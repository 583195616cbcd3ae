/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Super SloMo: flow between the two pictures, once for the pair; for each time flows to both are approximated from it, refined, and used to
 * warp and blend.
 *
 * H. Jiang et al., "Super SloMo: High Quality Estimation of Multiple Intermediate Frames for Video Interpolation", CVPR 2018. In two
 * implementations that differ in more than names: avinashpaliwal/Super-SloMo, and that of NVIDIA/unsupervised-video-interpolation.
 *
 * Details that bite, avinashpaliwal:
 * - Pictures are 0..1 less a mean of each colour.
 * - The last layers have a LeakyReLU too, so flows lean to one side: the weights know.
 * - Coordinates are normalised by the size, not by the size less one, under what was then align_corners = True: samples lie at (n - 1) / n of
 *   where they should, and the weights were trained with that. Outside of the (mean-free) picture there is 0.
 * - Input of the second network: I0 I1 F01 F10 Ft1 Ft0 g(I1, Ft1) g(I0, Ft0).
 * - Frames are not padded: they are resized, to the multiple of 32 below each side, with Pillow's Lanczos filter, and results back to the frame's size
 *   bilinearly, which blurs them. Sides that are multiples stay as they are. The original resizes bytes, and so rounds and clamps them before the
 *   network and after it; here nothing is in between, so that colours outside of the cube and frames of 10 bits survive. Sides below 32, for which
 *   it has no size, become 32.
 * NVIDIA:
 * - Pictures are 0..255 less a mean of their own; coordinates are exact; padding (to 64, right and bottom) is black before the mean is taken off.
 * - Skips are concatenated before the decoder's next enlargement, skip first; the bottleneck of the flow network goes into the second.
 * - flow-scale is the first network's: flow and bottleneck are enlarged to the size of the picture.
 * Both: red comes first; the weights of the two pictures are (1 - t) V and t (1 - V), over their sum; results are cut off to bytes, not rounded: with
 * avinashpaliwal's before they are resized, here after that. NVIDIA's wraps around what is outside of a byte's range; here it is clamped.
 */
#include "build.h"

#define ACT .act = VFI_LEAKY_RELU, .slope = 0.1f

static const int channels[] = { 32, 64, 128, 256, 512, 512 };

/* Ft0 = -t (1 - t) F01 + t^2 F10, Ft1 = (1 - t)^2 F01 - t (1 - t) F10. */
static const float minus_t_1_t[] = { 0, -1, 1 }, t_t[] = { 0, 0, 1 }, u_u[] = { 1, -2, 1 };

static VfiTensor *
conv (VfiGraph *g, const char *name, VfiTensor *x, int c, int kernel, VfiDType dtype)
{
  return vfi_conv2d (g, name, x, c, kernel, .padding = kernel / 2, ACT, .dtype = dtype);
}

static int
kernel_of (int level)
{
  return level == 0 ? 7 : level == 1 ? 5 : 3;
}

static VfiTensor *
picture (VfiGraph *g, int i, int h, int w)
{
  return vfi_input (g, vfi_numbered ("%d.rgb", i), VFI_F32, h, w, 3);
}

/* The pictures warped by `flows`, blended. */
static VfiTensor *
result (VfiGraph *g, VfiTensor *const x[2], VfiTensor *const flows[2], VfiTensor *visibility, VfiTensor *t, gboolean shrink)
{
  return vfi_blend (g, vfi_warp_zeros (g, x[0], flows[0], shrink), vfi_warp_zeros (g, x[1], flows[1], shrink), visibility, .time = t);
}

/* ---- avinashpaliwal ----------------------------------------------------------------------------- */

static const float mean_a[] = { 0.429f, 0.431f, 0.397f }, minus_mean_a[] = { -0.429f, -0.431f, -0.397f };

/* The size at which the network works. */
static int
resized (int side)
{
  return MAX (side / 32 * 32, 32);
}

static void
frame_a (VfiGraph *g, const VfiModel *model, int h, int w)
{
  VfiTensor *x = vfi_resample (g, vfi_input (g, "picture", VFI_F32, h, w, 3), resized (h), resized (w), VFI_LANCZOS);

  vfi_output (g, "rgb", vfi_affine (g, x, 1, minus_mean_a, VFI_F32));
}

static VfiTensor *
unet_a (VfiGraph *g, const char *name, VfiTensor *x, int c)
{
  VfiTensor *skip[5];

  vfi_push (g, "%s", name);
  for (int l = 0; l < 6; l++) {
    if (l) {
      skip[l - 1] = x;
      x = vfi_downsample (g, x, 2, NULL);
      vfi_push (g, "down%d", l);
    }
    x = conv (g, "conv1", x, channels[l], kernel_of (l), VFI_FEATURE);
    x = conv (g, "conv2", x, channels[l], kernel_of (l), VFI_FEATURE);
    if (l)
      vfi_pop (g);
  }
  for (int l = 4; l >= 0; l--) {
    vfi_push (g, "up%d", 5 - l);
    x = conv (g, "conv1", vfi_resize (g, x, .scale = 2), channels[l], 3, VFI_FEATURE);
    x = conv (g, "conv2", vfi_concat (g, x, skip[l]), channels[l], 3, VFI_FEATURE);
    vfi_pop (g);
  }
  x = conv (g, "conv3", x, c, 3, VFI_F32);
  vfi_pop (g);
  return x;
}

static void
pair_a (VfiGraph *g, const VfiModel *model, int h, int w)
{
  VfiTensor *x[] = { picture (g, 0, resized (h), resized (w)), picture (g, 1, resized (h), resized (w)) };

  vfi_output (g, "flow", unet_a (g, "state_dictFC", vfi_concat (g, x[0], x[1]), 4));
}

static void
at_a (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const int height = resized (h), width = resized (w);
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1), *x[] = { picture (g, 0, height, width), picture (g, 1, height, width) };
  VfiTensor *flow = vfi_input (g, "flow", VFI_F32, height, width, 4), *f01 = vfi_slice (g, flow, 0, 2), *f10 = vfi_slice (g, flow, 2, 2);
  VfiTensor *to[] = { vfi_mix (g, f01, f10, .p = minus_t_1_t, .q = t_t, .time = t),
                      vfi_mix (g, f01, f10, .p = u_u, .q = minus_t_1_t, .time = t) };
  VfiTensor *out = unet_a (
      g, "state_dictAT",
      vfi_concat (g, x[0], x[1], flow, to[1], to[0], vfi_warp_zeros (g, x[1], to[1], TRUE), vfi_warp_zeros (g, x[0], to[0], TRUE)), 5);

  for (int i = 0; i < 2; i++)
    to[i] = vfi_mix (g, vfi_slice (g, out, 2 * i, 2), to[i]);
  out = vfi_affine (g, result (g, x, to, vfi_slice (g, out, 4, 1), t, TRUE), 1, mean_a, VFI_F32);
  vfi_output (g, "result", vfi_resample (g, out, h, w, VFI_TRIANGLE));
}

/* ---- NVIDIA ------------------------------------------------------------------------------------- */

static const float mean_n[] = { 109.93f / 255, 109.167f / 255, 101.455f / 255 }, minus_mean_n[] = { -109.93f, -109.167f, -101.455f };

static void
frame_n (VfiGraph *g, const VfiModel *model, int h, int w)
{
  vfi_output (g, "rgb", vfi_affine (g, vfi_input (g, "picture", VFI_F32, h, w, 3), 255, minus_mean_n, VFI_F32));
}

/* Two convolutions, layers a and b of a torch.nn.Sequential with LeakyReLU after each. */
static VfiTensor *
twice (VfiGraph *g, const char *name, const char *a, const char *b, VfiTensor *x, int c, int kernel)
{
  vfi_push (g, "%s", name);
  x = conv (g, b, conv (g, a, x, c, kernel, VFI_FEATURE), c, kernel, VFI_FEATURE);
  vfi_pop (g);
  return x;
}

/* What the output layers see; *bottleneck (in: NULL or to go in; out: this network's). */
static VfiTensor *
unet_n (VfiGraph *g, const char *name, VfiTensor *x, VfiTensor **bottleneck)
{
  VfiTensor *skip[5];
  g_autofree char *encoder = g_strconcat (name, "_encoder_layer%d", NULL), *decoder = g_strconcat (name, "_decoder_layer%d", NULL);
  g_autofree char *middle = g_strconcat (name, "_bottleneck", NULL), *refine = g_strconcat (name, "_refine_layer.0", NULL);

  for (int l = 0; l < 5; l++) {
    skip[l] = twice (g, vfi_numbered (encoder, l + 1), "0", "2", x, channels[l], kernel_of (l));
    x = vfi_downsample (g, skip[l], 2, NULL);
  }
  x = twice (g, middle, "0", "2", x, channels[5], 3);
  if (*bottleneck)
    x = vfi_concat (g, *bottleneck, x);
  *bottleneck = x;
  for (int l = 4; l >= 0; l--)
    x = vfi_concat (g, skip[l], twice (g, vfi_numbered (decoder, l + 1), "1", "3", vfi_resize (g, x, .scale = 2), channels[l], 3));
  return conv (g, refine, x, 32, 3, VFI_FEATURE);
}

static VfiTensor *
enlarge (VfiGraph *g, VfiTensor *x, int scale, float gain)
{
  const float gains[] = { gain, gain };
  return scale == 1 ? x : vfi_resize (g, x, .scale = scale, .gain = vfi_channels (x) == 2 ? gains : NULL);
}

static void
pair_n (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const int s = (int) (1 / vfi_flow_scale (g));
  VfiTensor *x[] = { picture (g, 0, h, w), picture (g, 1, h, w) }, *bottleneck = NULL, *motion;

  for (int i = 0; i < 2 && s > 1; i++)
    x[i] = vfi_downsample (g, x[i], s, NULL);
  motion = unet_n (g, "flow_pred", vfi_concat (g, x[0], x[1]), &bottleneck);
  vfi_output (g, "uvf", enlarge (g, vfi_conv2d (g, "forward_flow_conv", motion, 2, 1, .dtype = VFI_F32), s, s));
  vfi_output (g, "uvb", enlarge (g, vfi_conv2d (g, "backward_flow_conv", motion, 2, 1, .dtype = VFI_F32), s, s));
  vfi_output (g, "bottleneck", enlarge (g, bottleneck, s, 1));
}

static void
at_n (VfiGraph *g, const VfiModel *model, int h, int w)
{
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1), *x[] = { picture (g, 0, h, w), picture (g, 1, h, w) };
  VfiTensor *uvf = vfi_input (g, "uvf", VFI_F32, h, w, 2), *uvb = vfi_input (g, "uvb", VFI_F32, h, w, 2);
  VfiTensor *bottleneck = vfi_input (g, "bottleneck", VFI_FEATURE, h / 32, w / 32, channels[5]);
  VfiTensor *to[] = { vfi_mix (g, uvf, uvb, .p = minus_t_1_t, .q = t_t, .time = t),
                      vfi_mix (g, uvf, uvb, .p = u_u, .q = minus_t_1_t, .time = t) };
  VfiTensor *motion =
      unet_n (g, "flow_interp",
              vfi_concat (g, x[0], x[1], vfi_warp_zeros (g, x[0], to[0], FALSE), to[0], vfi_warp_zeros (g, x[1], to[1], FALSE), to[1]),
              &bottleneck);

  to[0] = vfi_mix (g, to[0], vfi_conv2d (g, "flow_interp_backward_out_layer", motion, 2, 1, .dtype = VFI_F32));
  to[1] = vfi_mix (g, to[1], vfi_conv2d (g, "flow_interp_forward_out_layer", motion, 2, 1, .dtype = VFI_F32));
  vfi_output (g, "result",
              vfi_affine (g, result (g, x, to, vfi_conv2d (g, "flow_interp_vis_layer", motion, 1, 1, .dtype = VFI_F32), t, FALSE),
                          1.0f / 255, mean_n, VFI_F32));
}

#define PAPER "H. Jiang et al., Super SloMo: High Quality Estimation of Multiple Intermediate Frames for Video Interpolation, CVPR 2018"

const VfiModel vfi_model_superslomo = {
  .name = "superslomo",
  .task = "interpolation",
  .summary = "Super SloMo, as trained by avinashpaliwal",
  .paper = PAPER,
  .source = "avinashpaliwal/Super-SloMo, MIT",
  .any_t = TRUE,
  .picture = { VFI_RGB, .truncates = TRUE },
  .multiple = 1,
  .frame = frame_a,
  .pair = pair_a,
  .at = at_a,
};
const VfiModel vfi_model_superslomo_uvi = {
  .name = "superslomo-uvi",
  .task = "interpolation",
  .summary = "Super SloMo, as trained by NVIDIA for unsupervised video interpolation",
  .paper = "F. Reda et al., Unsupervised Video Interpolation Using Cycle Consistency, ICCV 2019; the network is of " PAPER,
  .source = "NVIDIA/unsupervised-video-interpolation, NVIDIA Source Code License: research and evaluation only",
  .any_t = TRUE,
  .any_scale = TRUE,
  .picture = { VFI_RGB, .zeros = TRUE, .truncates = TRUE },
  .multiple = 64,
  .frame = frame_n,
  .pair = pair_n,
  .at = at_n,
};
