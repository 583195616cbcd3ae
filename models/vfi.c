/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi-nano and vfi-base: frame interpolation at any time t, coarse to fine, this project's own.
 *
 * The twin of tools/train/net.py, which explains the idea: the network sees both frames through t (warps and a sheared cost volume)
 * and answers with velocities v0, v1 and an occlusion logit; the frame itself is made from the native planes, along these and along a second opinion.
 */
#include "coarse.h"

/* What depends on both frames, but not on t: the coarsest cost volume, and a second opinion on motion, that no network has a part in. */
static void
pair (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const VfiCoarse *k = model->config;
  VfiTensor *flow = NULL, *y[2][5];

  vfi_output (g, "cost",
              vfi_correlation (g, vfi_coarse_features (g, k, 'f', 0, 2, h, w), vfi_coarse_features (g, k, 'f', 1, 2, h, w), k->radius[2]));
  vfi_coarse_luma (g, h, w, y);
  for (int l = 4; l > 0; l--)
    flow = vfi_dense_search (g, y[0][l], y[1][l], flow, .first = 4, .far = 4, .rounds = l > 1 ? 2 : 1, .steps = 4);
  vfi_output (g, "flow", vfi_dense_search (g, y[0][0], y[1][0], flow, .first = 0, .far = 2, .rounds = 1, .steps = 1));
}

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  vfi_coarse_frame (g, model->config, h, w);
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const VfiCoarse *k = model->config;
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1);
  VfiTensor *y[2][5], *state, *head = NULL;

  vfi_coarse_luma (g, h, w, y);
  state = vfi_coarse_start (g, t, y[0][4], y[1][4]);
  for (int l = 2; l >= 0; l--) {
    int hl = h >> (l + 2), wl = w >> (l + 2), r = k->radius[l];
    VfiTensor *f0 = vfi_coarse_features (g, k, 'f', 0, l, h, w);
    VfiTensor *f1 = vfi_coarse_features (g, k, 'f', 1, l, h, w);
    VfiTensor *moved, *v, *cost, *x;

    if (!head) /* far motion needs two steps here */
      state = vfi_lucas_kanade (g, y[0][l + 1], y[1][l + 1], t, state, FALSE);
    moved = vfi_lucas_kanade (g, y[0][l + 1], y[1][l + 1], t, state, TRUE);
    v = vfi_scale (g, moved, vfi_coarse_state_in, VFI_FEATURE);

    if (!head) {
      cost = vfi_shear (g, vfi_input (g, "cost", VFI_FEATURE, hl, wl, (2 * r + 1) * (2 * r + 1)), t);
      x = vfi_concat (g, f0, f1, v, cost);
    } else {
      VfiTensor *w0 = vfi_warp (g, f0, vfi_slice (g, moved, 0, 2), .time = t, .side = 0);
      VfiTensor *w1 = vfi_warp (g, f1, vfi_slice (g, moved, 2, 2), .time = t, .side = 1);
      VfiTensor *feat = vfi_coarse_handed (g, k, l, head);
      cost = vfi_correlation (g, w0, w1, r);
      x = vfi_concat (g, w0, w1, v, feat, cost);
    }
    state = vfi_slice (g, moved, 0, 5);

    vfi_push (g, "dec%d", l);
    head = vfi_coarse_decoder (g, k, l, x, vfi_channels (cost));
    vfi_pop (g);
    state = vfi_coarse_finer (g, vfi_slice (g, moved, 0, 5), head);
    if (l == 2) { /* motion that is lost here is lost for good */
      VfiTensor *w0 = vfi_warp (g, y[0][l], vfi_slice (g, state, 0, 2), .time = t, .side = 0);
      VfiTensor *w1 = vfi_warp (g, y[1][l], vfi_slice (g, state, 2, 2), .time = t, .side = 1);
      state = vfi_inverse_search (g, w0, w1, state, .warped = TRUE);
    }
  }
  state = vfi_lucas_kanade (g, y[0][0], y[1][0], t, state, FALSE);
  vfi_output (g, "state", vfi_weigh (g, y[0][0], y[1][0], t, state, vfi_input_planes (g, "flow", h / 2, w / 2, 2)));
}

static const VfiCoarse nano = {
  .enc = { 24, 40, 64 },
  .enc_convs = { 0, 1, 1 },
  .dec = { 32, 48, 64 },
  .dec_convs = { 1, 2, 3 },
  .feat = { 8, 16 },
  .radius = { 1, 3, 4 },
};
static const VfiCoarse base = {
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
