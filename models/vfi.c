/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi-nano and vfi-base: frame interpolation at any time t, coarse to fine, this project's own.
 *
 * The twin of tools/train/net.py, which explains the idea: the network sees both frames through t (warps and a sheared cost volume)
 * and answers with velocities v0, v1 and an occlusion logit; the frame itself is made from the native planes.
 */
#include "build.h"

typedef struct
{
  int enc[3], enc_convs[3]; /* at 1/4, 1/8, 1/16 */
  int dec[3], dec_convs[3];
  int feat[3]; /* handed to level l from the coarser one */
  int radius[3];
} Config;

static const float state_in[] = { 0.125f, 0.125f, 0.125f, 0.125f, 1, 1, 1 }; /* net.py: STATE_IN */
static const float twice[] = { 2, 2, 2, 2, 1 };                              /* velocities in pixels of a grid twice as fine */

#define ACT .act = VFI_LEAKY_RELU, .slope = 0.1f

static const char *
numbered (const char *format, int a, int b)
{
  static __thread char s[32];
  g_snprintf (s, sizeof s, format, a, b);
  return s;
}

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const Config *k = model->config;
  VfiTensor *x = vfi_input (g, "x", VFI_FEATURE, h / 2, w / 2, 6);
  VfiTensor *y = vfi_mean_pool (g, vfi_slice (g, x, 0, 4), 1); /* luma, at 1/2 ... 1/32 */

  vfi_push (g, "enc");
  vfi_output (g, "y0", y);
  for (int l = 0; l < 3; l++) {
    x = vfi_conv2d (g, numbered ("down%d", l, 0), x, k->enc[l], 3, .stride = 2, .padding = 1, ACT);
    for (int i = 0; i < k->enc_convs[l]; i++)
      x = vfi_conv2d (g, numbered ("conv%d_%d", l, i), x, k->enc[l], 3, .padding = 1, ACT);
    vfi_output (g, numbered ("f%d", l, 0), x);
    y = vfi_mean_pool (g, y, 2);
    vfi_output (g, numbered ("y%d", l + 1, 0), y);
  }
  vfi_output (g, "y4", vfi_mean_pool (g, y, 2));
  vfi_pop (g);
}

/* What depends on both frames, but not on t. */
static void
pair (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const Config *k = model->config;
  VfiTensor *f0 = vfi_input (g, "0.f2", VFI_FEATURE, h / 16, w / 16, k->enc[2]);
  VfiTensor *f1 = vfi_input (g, "1.f2", VFI_FEATURE, h / 16, w / 16, k->enc[2]);

  vfi_output (g, "cost", vfi_correlation (g, f0, f1, k->radius[2]));
}

/* Evidence x at level l -> head: 5 channels of state and feat[l - 1] of features, for the grid twice as fine. */
static VfiTensor *
decoder (VfiGraph *g, const Config *k, int l, VfiTensor *x)
{
  x = vfi_conv2d (g, "reduce", x, k->dec[l], 1, ACT);
  for (int i = 0; i < k->dec_convs[l]; i++)
    x = vfi_conv2d (g, numbered ("conv%d", i, 0), x, k->dec[l], 3, .padding = 1, .residual = x, ACT);
  return vfi_conv2d (g, "head", x, 4 * (5 + (l ? k->feat[l - 1] : 0)), 1, .dtype = VFI_F32);
}

/* Luma of frame i at 1/2^(level + 1). */
static VfiTensor *
luma (VfiGraph *g, int i, int level, int h, int w)
{
  return vfi_input (g, numbered ("%d.y%d", i, level), VFI_F32, h >> (level + 1), w >> (level + 1), 1);
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const Config *k = model->config;
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1);
  VfiTensor *y0 = luma (g, 0, 4, h, w), *y1 = luma (g, 1, 4, h, w);
  VfiTensor *state = vfi_lucas_kanade (g, y0, y1, t, NULL, FALSE), *head = NULL;

  state = vfi_resize (g, vfi_lucas_kanade (g, y0, y1, t, state, FALSE), .scale = 2, .gain = twice);

  for (int l = 2; l >= 0; l--) {
    int hl = h >> (l + 2), wl = w >> (l + 2), r = k->radius[l];
    VfiTensor *f0 = vfi_input (g, numbered ("0.f%d", l, 0), VFI_FEATURE, hl, wl, k->enc[l]);
    VfiTensor *f1 = vfi_input (g, numbered ("1.f%d", l, 0), VFI_FEATURE, hl, wl, k->enc[l]);
    VfiTensor *moved = vfi_lucas_kanade (g, luma (g, 0, l + 1, h, w), luma (g, 1, l + 1, h, w), t, state, TRUE);
    VfiTensor *v = vfi_scale (g, moved, state_in, VFI_FEATURE), *x;

    if (!head) {
      VfiTensor *cost = vfi_input (g, "cost", VFI_FEATURE, hl, wl, (2 * r + 1) * (2 * r + 1));
      x = vfi_concat (g, vfi_shear (g, cost, t), f0, f1, v);
    } else {
      VfiTensor *w0 = vfi_warp (g, f0, vfi_slice (g, moved, 0, 2), .time = t, .side = 0);
      VfiTensor *w1 = vfi_warp (g, f1, vfi_slice (g, moved, 2, 2), .time = t, .side = 1);
      VfiTensor *feat = vfi_pixel_shuffle (g, vfi_slice (g, head, 20, 4 * k->feat[l]), 2);
      x = vfi_concat (g, vfi_correlation (g, w0, w1, r), w0, w1, v, feat);
    }
    state = vfi_slice (g, moved, 0, 5);

    vfi_push (g, "dec%d", l);
    head = decoder (g, k, l, x);
    vfi_pop (g);
    state = vfi_resize (g, vfi_slice (g, moved, 0, 5), .scale = 2, .gain = twice, .detail = vfi_slice (g, head, 0, 20));
  }
  vfi_output (g, "state", vfi_lucas_kanade (g, luma (g, 0, 0, h, w), luma (g, 1, 0, h, w), t, state, FALSE));
}

static const Config nano = {
  .enc = { 24, 40, 64 },
  .enc_convs = { 0, 1, 1 },
  .dec = { 32, 48, 64 },
  .dec_convs = { 1, 2, 3 },
  .feat = { 8, 16 },
  .radius = { 1, 3, 4 },
};
static const Config base = {
  .enc = { 32, 64, 112 },
  .enc_convs = { 1, 2, 3 },
  .dec = { 72, 112, 144 },
  .dec_convs = { 4, 5, 6 },
  .feat = { 24, 32 },
  .radius = { 2, 3, 4 },
};

#define MODEL(NAME, SUMMARY, CONFIG)                                                                                                       \
  {                                                                                                                                        \
    .name = NAME, .task = "interpolation", .summary = SUMMARY, .paper = "this project", .any_t = TRUE, .multiple = 32, .config = &CONFIG,  \
    .frame = frame, .pair = pair, .at = at                                                                                                 \
  }

const VfiModel vfi_model_nano = MODEL ("vfi-nano", "small: for CPUs in real time", nano);
const VfiModel vfi_model_base = MODEL ("vfi-base", "large: for GPUs", base);
