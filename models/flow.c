/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi-flow-nano and vfi-flow-base: dense optical flow, coarse to fine, this project's own.
 *
 * The twin of tools/train/flownet.py, which explains the idea: the bricks of interpolation seen from the first frame. Time is 0, v1 of the
 * state is the flow, its logit says whether what is seen here is seen in the second frame, v0 is the network's to use.
 */
#include "coarse.h"

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  VfiTensor *x = vfi_coarse_frame (g, model, h, w);

  vfi_output (g, "y", vfi_pixel_shuffle (g, vfi_slice (g, x, 0, 4), 2));
}

/* The head of level l, from what a step of Lucas-Kanade has moved and the head of the coarser level, if there is one. */
static VfiTensor *
decoded (VfiGraph *g, const VfiCoarse *k, int l, int h, int w, VfiTensor *moved, VfiTensor *head)
{
  VfiTensor *f0 = vfi_coarse_features (g, k, 0, l, h, w), *f1 = vfi_coarse_features (g, k, 1, l, h, w), *x;
  VfiTensor *v = vfi_scale (g, moved, vfi_coarse_state_in, VFI_FEATURE);

  if (head) {
    f1 = vfi_warp (g, f1, vfi_slice (g, moved, 2, 2));
    x = vfi_concat (g, vfi_correlation (g, f0, f1, k->radius[l], .one_sided = TRUE), f0, f1, v, vfi_coarse_handed (g, k, l, head));
  } else {
    x = vfi_concat (g, vfi_correlation (g, f0, f1, k->radius[l], .one_sided = TRUE), f0, f1, v);
  }
  vfi_push (g, "dec%d", l);
  head = vfi_coarse_decoder (g, k, l, x, 0);
  vfi_pop (g);
  return head;
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const VfiCoarse *k = model->config;
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1);
  VfiTensor *y[2][5], *state = vfi_coarse_start (g, t, h, w, y), *head = NULL;

  for (int l = 2; l >= 0; l--) {
    VfiTensor *moved = vfi_lucas_kanade (g, y[0][l + 1], y[1][l + 1], t, state, k->dec[l] != 0);

    head = k->dec[l] ? decoded (g, k, l, h, w, moved, head) : NULL;
    state = vfi_inverse_search (g, y[0][l], y[1][l], vfi_coarse_finer (g, vfi_slice (g, moved, 0, 5), head));
  }
  state = vfi_lucas_kanade (g, y[0][0], y[1][0], t, state, FALSE);
  state = vfi_coarse_finer (g, state, NULL);
  y[0][0] = vfi_input (g, "0.y", VFI_F32, h, w, 1), y[1][0] = vfi_input (g, "1.y", VFI_F32, h, w, 1);
  state = vfi_lucas_kanade (g, y[0][0], y[1][0], t, state, FALSE);
  vfi_output (g, "state", vfi_lucas_kanade (g, y[0][0], y[1][0], t, state, FALSE));
}

static const VfiCoarse nano = {
  .enc = { 24, 40, 64 },
  .enc_convs = { 0, 1, 1 },
  .dec = { 0, 64, 80 }, /* the search alone is as good at 1/4 */
  .dec_convs = { 0, 3, 4 },
  .feat = { 0, 20 },
  .radius = { 0, 3, 4 },
};
static const VfiCoarse base = {
  .enc = { 32, 64, 112 },
  .enc_convs = { 1, 2, 3 },
  .dec = { 96, 128, 160 },
  .dec_convs = { 5, 6, 8 },
  .feat = { 32, 48 },
  .radius = { 3, 4, 6 },
};

#define MODEL(NAME, SUMMARY, CONFIG)                                                                                                       \
  {                                                                                                                                        \
    .name = NAME, .task = "flow", .summary = SUMMARY, .paper = "this project", .any_t = TRUE, .multiple = 32, .config = &CONFIG,           \
    .frame = frame, .at = at                                                                                                               \
  }

const VfiModel vfi_model_flow_nano = MODEL ("vfi-flow-nano", "small: for CPUs in real time", nano);
const VfiModel vfi_model_flow_base = MODEL ("vfi-flow-base", "large: for GPUs", base);
