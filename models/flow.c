/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi-flow-nano and vfi-flow-base: dense optical flow, coarse to fine, this project's own.
 *
 * The twin of tools/train/flownet.py, which explains the idea: the bricks of interpolation seen from the first frame. Time is 0, v1 of the
 * state is the flow, its logit says whether what is seen here is seen in the second frame, v0 is the network's to use. vfi-flow-base is
 * vfi-flow-nano both ways, and a second network that corrects the way there by the way back; then, of what looks alike round a pixel, the median.
 */
#include "flow.h"

/* Luma "y" on the frame's own grid, and features. */
static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const VfiFlow *k = model->config;
  VfiTensor *x = vfi_coarse_frame (g, h, w);

  vfi_output (g, "y", vfi_pixel_shuffle (g, vfi_slice (g, x, 0, 4), 2));
  vfi_coarse_encoder (g, k->coarse, x, 'g');
  if (k->refine) {
    vfi_output (g, "chroma", vfi_slice (g, x, 4, 2));
    vfi_push (g, "refine");
    vfi_coarse_encoder (g, k->refine, x, 'r');
    vfi_pop (g);
  }
}

/* What is known of both frames. */
typedef struct
{
  VfiTensor *f[2][3], *r[2][3]; /* features at 1/4 ... 1/16, those for the correction, */
  VfiTensor *(*y)[5];           /* luma at 1/2 ... 1/32, of each frame, */
  VfiTensor *chroma[2];         /* chroma at 1/2 */
  VfiTensor *within;            /* or NULL */
} Seen;

/* The head of level l, seen from frame i, from what a step of Lucas-Kanade has moved and the head of the coarser level, if there is one. */
static VfiTensor *
decoded (VfiGraph *g, const VfiCoarse *k, const Seen *seen, int i, int l, VfiTensor *moved, VfiTensor *head)
{
  VfiTensor *f0 = seen->f[i][l], *f1 = seen->f[1 - i][l], *x;
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

/* The state at 1/2, from frame i to the other one. */
static VfiTensor *
motion (VfiGraph *g, const VfiCoarse *k, const Seen *seen, int i, VfiTensor *t)
{
  VfiTensor *const *y0 = seen->y[i], *const *y1 = seen->y[1 - i], *state, *head = NULL;

  state = vfi_coarse_start (g, t, y0[4], y1[4], seen->within);

  for (int l = 2; l >= 0; l--) {
    VfiTensor *moved = vfi_lucas_kanade (g, y0[l + 1], y1[l + 1], t, state, seen->within, k->dec[l] != 0);

    head = k->dec[l] ? decoded (g, k, seen, i, l, moved, head) : NULL;
    state = vfi_inverse_search (g, y0[l], y1[l], vfi_coarse_finer (g, vfi_slice (g, moved, 0, 5), head));
  }
  return vfi_lucas_kanade (g, y0[0], y1[0], t, state, seen->within, FALSE);
}

/* The state of frame i, corrected from 1/16 on: there is a cost volume round what it says, and the other one's seen along it, which says otherwise where
 * either is wrong or nothing is seen. */
static VfiTensor *
refined (VfiGraph *g, const VfiCoarse *k, const Seen *seen, int i, VfiTensor *here, VfiTensor *there)
{
  static const float coarser[5] = { 0.5f, 0.5f, 0.5f, 0.5f, 1 }, minus[3] = { -1, 0, 0 };
  VfiTensor *s[2][4] = { { here }, { there } }, *change = NULL, *head = NULL;

  for (int j = 0; j < 2; j++)
    for (int l = 0; l < 3; l++)
      s[j][l + 1] = vfi_downsample (g, s[j][l], 2, coarser);
  vfi_push (g, "refine");
  for (int l = 2; l >= 0; l--) {
    VfiTensor *now = change ? vfi_mix (g, s[0][l + 1], change) : s[0][l + 1], *flow = vfi_slice (g, now, 2, 2);
    VfiTensor *f0 = seen->r[i][l], *f1 = vfi_warp (g, seen->r[1 - i][l], flow);
    VfiTensor *back = vfi_warp (g, s[1][l + 1], flow), *apart = vfi_mix (g, vfi_slice (g, back, 2, 2), flow);
    VfiTensor *brighter = vfi_mix (g, vfi_warp (g, seen->y[1 - i][l + 1], flow), seen->y[i][l + 1], .q = minus);
    VfiTensor *all[9] = { f0, f1, vfi_slice (g, now, 2, 3), apart, vfi_slice (g, back, 4, 1), brighter }, *cost = NULL, *x;

    if (head)
      all[6] = vfi_coarse_handed (g, k, l, head);
    if (k->radius[l]) /* first in the file */
      all[head ? 7 : 6] = cost = vfi_correlation (g, f0, f1, k->radius[l], .one_sided = TRUE);
    x = vfi_concat_ (g, VFI_FEATURE, all);
    vfi_push (g, "dec%d", l);
    head = vfi_coarse_decoder (g, k, l, x, cost ? vfi_channels (cost) : 0);
    vfi_pop (g);
    change = change ? vfi_coarse_finer (g, change, head) : vfi_pixel_shuffle (g, vfi_slice (g, head, 0, 20), 2);
  }
  vfi_pop (g);
  return vfi_mix (g, here, change);
}

/* The same, and then of what looks alike the median. */
static VfiTensor *
settled (VfiGraph *g, const VfiFlow *k, const Seen *seen, int i, VfiTensor *here, VfiTensor *there)
{
  VfiTensor *state = refined (g, k->refine, seen, i, here, there), *flow = vfi_slice (g, state, 2, 2);

  return vfi_weighted_median (g, state, vfi_mix (g, vfi_warp (g, vfi_slice (g, there, 2, 2), flow), flow), seen->y[i][0], seen->chroma[i]);
}

/* What `frame` gives of both frames. */
static void
see (VfiGraph *g, const VfiFlow *k, VfiTensor *y[2][5], VfiTensor *within, Seen *seen)
{
  const int h = 2 * vfi_height (y[0][0]), w = 2 * vfi_width (y[0][0]);

  seen->y = y;
  seen->within = within;
  for (int i = 0; i < 2; i++) {
    seen->chroma[i] = k->refine ? vfi_input (g, vfi_numbered ("%d.chroma", i), VFI_F32, h / 2, w / 2, 2) : NULL;
    for (int l = 0; l < 3; l++) {
      seen->f[i][l] = k->coarse->dec[l] ? vfi_coarse_features (g, k->coarse, 'g', i, l, h, w) : NULL;
      seen->r[i][l] = k->refine ? vfi_coarse_features (g, k->refine, 'r', i, l, h, w) : NULL;
    }
  }
}

void
vfi_flow_both (VfiGraph *g, const VfiFlow *k, VfiTensor *zero, VfiTensor *y[2][5], VfiTensor *within, VfiTensor *state[2])
{
  Seen seen;

  see (g, k, y, within, &seen);
  for (int i = 0; i < 2; i++)
    state[i] = motion (g, k->coarse, &seen, i, zero);
}

/* vfi-flow-base: the first network's states of both frames, each the other way. */
static void
pair (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const VfiFlow *k = model->config;
  VfiTensor *y[2][5], *state[2];

  vfi_coarse_luma (g, h, w, y);
  vfi_coarse_expose (g, y);
  vfi_flow_both (g, k, vfi_input (g, "t", VFI_F32, 1, 1, 1), y, NULL, state);
  for (int i = 0; i < 2; i++)
    vfi_output (g, vfi_numbered ("%d.motion", i), state[i]);
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  const VfiFlow *k = model->config;
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1);
  VfiTensor *y0 = vfi_input (g, "0.y", VFI_F32, h, w, 1), *y1 = vfi_input (g, "1.y", VFI_F32, h, w, 1);
  VfiTensor *state, *y[2][5];
  Seen seen;

  vfi_coarse_luma (g, h, w, y);
  y1 = vfi_expose (g, y1, vfi_coarse_expose (g, y));
  see (g, k, y, NULL, &seen);
  if (k->refine)
    state = settled (g, k, &seen, 0, vfi_input_planes (g, "0.motion", h / 2, w / 2, 5), vfi_input_planes (g, "1.motion", h / 2, w / 2, 5));
  else
    state = motion (g, k->coarse, &seen, 0, t);
  state = vfi_lucas_kanade (g, y0, y1, t, vfi_coarse_finer (g, state, NULL), NULL, FALSE);
  vfi_output (g, "state", vfi_lucas_kanade (g, y0, y1, t, state, NULL, FALSE));
}

static const VfiCoarse search = {
  .enc = { 24, 40, 64 },
  .enc_convs = { 0, 1, 1 },
  .dec = { 0, 64, 80 }, /* the search alone is as good at 1/4 */
  .dec_convs = { 0, 3, 4 },
  .feat = { 0, 20 },
  .radius = { 0, 3, 4 },
};
static const VfiCoarse correction = {
  .enc = { 24, 40, 64 },
  .enc_convs = { 0, 1, 1 },
  .dec = { 40, 96, 128 },
  .dec_convs = { 2, 3, 3 },
  .context = 2,
  .feat = { 24, 32 },
  .radius = { 0, 4, 8 }, /* what is small and fast, the first one misses */
};
static const VfiFlow nano = { .coarse = &search };
static const VfiFlow base = { .coarse = &search, .refine = &correction };

#define MODEL(NAME, SUMMARY, CONFIG, PAIR)                                                                                                 \
  {                                                                                                                                        \
    .name = NAME, .task = "flow", .summary = SUMMARY, .paper = "this project", .any_t = TRUE, .multiple = 32, .config = &CONFIG,           \
    .frame = frame, .pair = PAIR, .at = at                                                                                                 \
  }

const VfiModel vfi_model_flow_nano = MODEL ("vfi-flow-nano", "small: for CPUs in real time", nano, NULL);
const VfiModel vfi_model_flow_base = MODEL ("vfi-flow-base", "large: for GPUs, more exact", base, pair);
