/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi-nano: frame interpolation at any time t, coarse to fine, this project's own.
 *
 * The twin of tools/train/net.py, which explains the idea: the network sees both frames through t (warps and a sheared cost volume)
 * and answers with velocities v0, v1 and an occlusion logit; the frame itself is made from the native planes, along these and along a second opinion. Luma of the second
 * frame is made as bright as the first's before, where all of it became brighter or darker.
 */
#include "coarse.h"

/* What depends on both frames, but not on t: the coarsest cost volume, and a second opinion on motion, that no network has a part in. */
static void
pair (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const VfiCoarse *k = model->config;
  VfiTensor *y[2][5], *flow, *course;

  vfi_output (g, "cost", vfi_coarse_cost (g, k, h, w));
  vfi_coarse_luma (g, h, w, y);
  vfi_coarse_expose (g, y);
  vfi_coarse_exposed (g, y);
  vfi_coarse_within (g, h, w);
  flow = vfi_coarse_search (g, y[0], y[1], 0);
  vfi_output (g, "flow", flow);
  course = vfi_coarse_course (g, flow);
  vfi_output (g, "still", vfi_still (g, y[0][0], y[1][0], flow, vfi_coarse_overlay (g, y[0][0], y[1][0], course)));
}

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  vfi_coarse_encoder (g, model->config, vfi_coarse_frame (g, h, w), 'f');
}

/* The head of level l, seen from time t, from what a step of Lucas-Kanade has moved and the head of the coarser level, if there is one. */
static VfiTensor *
decoded (VfiGraph *g, const VfiCoarse *k, int h, int w, VfiTensor *t, int l, VfiTensor *moved, VfiTensor *head)
{
  const int r = k->radius[l];
  VfiTensor *f0 = vfi_coarse_features (g, k, 'f', 0, l, h, w), *f1 = vfi_coarse_features (g, k, 'f', 1, l, h, w);
  VfiTensor *v = vfi_scale (g, moved, vfi_coarse_state_in, VFI_FEATURE), *cost, *x;

  if (head) {
    f0 = vfi_warp (g, f0, vfi_slice (g, moved, 0, 2), .time = t, .side = 0);
    f1 = vfi_warp (g, f1, vfi_slice (g, moved, 2, 2), .time = t, .side = 1);
    cost = vfi_correlation (g, f0, f1, r);
    x = vfi_concat (g, f0, f1, v, vfi_coarse_handed (g, k, l, head), cost);
  } else {
    cost = vfi_shear (g, vfi_input (g, "cost", VFI_FEATURE, h >> (l + 2), w >> (l + 2), (2 * r + 1) * (2 * r + 1)), t);
    x = vfi_concat (g, f0, f1, v, cost);
  }
  vfi_push (g, "dec%d", l);
  head = vfi_coarse_decoder (g, k, l, x, vfi_channels (cost));
  vfi_pop (g);
  return head;
}

VfiTensor *
vfi_coarse_velocities (VfiGraph *g, const VfiCoarse *k, VfiTensor *t, VfiTensor *y[2][5], VfiTensor *within)
{
  const int h = 2 * vfi_height (y[0][0]), w = 2 * vfi_width (y[0][0]);
  VfiTensor *state = vfi_coarse_start (g, t, y[0][4], y[1][4], within), *head = NULL;

  for (int l = 2; l >= 0; l--) {
    VfiTensor *moved;

    if (l == 2) /* far motion needs two steps here */
      state = vfi_lucas_kanade (g, y[0][l + 1], y[1][l + 1], t, state, within, FALSE);
    moved = vfi_lucas_kanade (g, y[0][l + 1], y[1][l + 1], t, state, within, k->dec[l] != 0);
    head = k->dec[l] ? decoded (g, k, h, w, t, l, moved, head) : NULL;
    state = vfi_coarse_finer (g, vfi_slice (g, moved, 0, 5), head);
    if (l == 2) { /* motion that is lost here is lost for good */
      VfiTensor *w0 = vfi_warp (g, y[0][l], vfi_slice (g, state, 0, 2), .time = t, .side = 0);
      VfiTensor *w1 = vfi_warp (g, y[1][l], vfi_slice (g, state, 2, 2), .time = t, .side = 1);
      state = vfi_inverse_search (g, w0, w1, state, .warped = TRUE);
    }
  }
  return vfi_lucas_kanade (g, y[0][0], y[1][0], t, state, within, FALSE);
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1), *within = vfi_input (g, "within", VFI_F32, 1, 1, 4), *y[2][5], *state;

  vfi_coarse_luma_exposed (g, h, w, y);
  state = vfi_coarse_velocities (g, model->config, t, y, within);
  vfi_output (g, "state",
              vfi_weigh (g, y[0][0], y[1][0], t, state, vfi_input_planes (g, "flow", h / 2, w / 2, 2),
                         vfi_input (g, "still", VFI_F32, h / 2, w / 2, 1), within));
}

const VfiCoarse vfi_coarse_nano = {
  .enc = { 24, 40, 64 },
  .enc_convs = { 0, 1, 1 },
  .dec = { 0, 48, 64 }, /* one at 1/4 was worth 0.06 dB on DAVIS for a quarter of the time */
  .dec_convs = { 0, 2, 3 },
  .feat = { 0, 16 },
  .radius = { 0, 3, 4 },
};

const VfiModel vfi_model_nano = {
  .name = "vfi-nano",
  .task = "interpolation",
  .summary = "small: for CPUs in real time",
  .paper = "this project",
  .any_t = TRUE,
  .taps = 4,
  .multiple = 32,
  .config = &vfi_coarse_nano,
  .frame = frame,
  .pair = pair,
  .at = at,
  .bend = vfi_coarse_bend,
};
