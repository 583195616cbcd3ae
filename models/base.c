/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi-base: frame interpolation at any time t from six opinions on motion, this project's own.
 *
 * The twin of tools/train/basenet.py, which explains the idea: vfi-nano's velocities; the flow that patches find, and that of Lucas-Kanade steps and patches, each there and
 * back and looked for anew on the frame's own grid; and no motion. A frame is made along each, and all are mixed by how well each explains the two given ones.
 */
#include "flow.h"

#define TRUST 0.5f   /* basenet.py */
#define STILL 4.f    /* that logit more for no motion where the frames stand still */
#define OVERLAY 16.f /* and that, where something is proven to lie over them */
#define FLOWS 4      /* by patches there, and back; by steps and patches there, and back */

static const VfiCoarse levels = { .dec = { 0 } };
static const VfiFlow unlearnt = { .coarse = &levels };

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  VfiTensor *x = vfi_coarse_frame (g, h, w);

  vfi_coarse_encoder (g, &vfi_coarse_nano, x, 'f');
  vfi_output (g, "y", vfi_pixel_shuffle (g, vfi_slice (g, x, 0, 4), 2));
}

/* What depends on both frames, but not on t: the coarsest cost volume, and the flows, as velocities: the way back with its sign turned. */
static void
pair (VfiGraph *g, const VfiModel *model, int h, int w)
{
  static const float none[3] = { 0, 0, 0 }, logit[2][3] = { { STILL, 0, 0 }, { OVERLAY, 0, 0 } };
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1), *exposure, *whole[2], *y[2][5], *state[2];

  vfi_coarse_luma (g, h, w, y);
  exposure = vfi_coarse_expose (g, y);
  vfi_coarse_exposed (g, y);
  whole[0] = vfi_input (g, "0.y", VFI_F32, h, w, 1);
  whole[1] = vfi_expose (g, vfi_input (g, "1.y", VFI_F32, h, w, 1), exposure);
  vfi_output (g, "exposed", whole[1]);
  vfi_output (g, "cost", vfi_coarse_cost (g, &vfi_coarse_nano, h, w));
  /* flow is seen from time 0 */
  vfi_flow_both (g, &unlearnt, vfi_mix (g, t, t, .p = none, .q = none), y, vfi_coarse_within (g, h, w), state);
  for (int i = 0; i < 2; i++) {
    VfiTensor *flow[2] = { vfi_coarse_search (g, y[i], y[1 - i], i), vfi_slice (g, state[i], 2, 2) };

    if (i == 0) {
      VfiTensor *overlay = vfi_coarse_overlay (g, y[0][0], y[1][0], vfi_coarse_course (g, flow[0]));

      vfi_output (g, "still", vfi_mix (g, vfi_still (g, y[0][0], y[1][0], flow[0], overlay), overlay, .p = logit[0], .q = logit[1]));
    } else /* the way back is not looked for at 1/2 */
      flow[0] = vfi_resize (g, flow[0], .gain = vfi_coarse_twice);

    for (int j = 0; j < 2; j++)
      vfi_output (
          g, vfi_numbered ("flow%d", 2 * j + i),
          vfi_dense_search (g, whole[i], whole[1 - i], flow[j], .first = 0, .far = 2, .rounds = 1, .steps = 1, .half = i ? -0.5f : 0.5f));
  }
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  static const float none[3] = { 0, 0, 0 };
  VfiTensor *t = vfi_input (g, "t", VFI_F32, 1, 1, 1), *within = vfi_input (g, "within", VFI_F32, 1, 1, 4);
  VfiTensor *whole[2], *y[2][5], *state, *seen[FLOWS + 2] = { NULL }, *evidence[FLOWS + 3] = { NULL };

  whole[0] = vfi_input (g, "0.y", VFI_F32, h, w, 1);
  whole[1] = vfi_input (g, "exposed", VFI_F32, h, w, 1);
  vfi_coarse_luma_exposed (g, h, w, y);
  state = vfi_coarse_velocities (g, &vfi_coarse_nano, t, y, within);
  evidence[0] = vfi_evidence (g, whole[0], whole[1], t, state, within);
  for (int k = 0; k < FLOWS; k++) { /* k odd: of the second frame */
    VfiTensor *v = vfi_input (g, vfi_numbered ("flow%d", k), VFI_F32, h / 2, w / 2, 2);

    seen[k] = vfi_warp (g, v, v, .time = t, .side = k % 2);
    evidence[k + 1] = vfi_evidence (g, whole[0], whole[1], t, seen[k], within);
  }
  seen[FLOWS] = vfi_mix (g, seen[0], seen[0], .p = none, .q = none);
  evidence[FLOWS + 1] =
      vfi_mix (g, vfi_evidence (g, whole[0], whole[1], t, seen[FLOWS], within), vfi_input (g, "still", VFI_F32, h / 2, w / 2, 1));
  vfi_output (g, "state", vfi_opinions (g, state, vfi_concat_ (g, VFI_F32, evidence), vfi_concat_ (g, VFI_F32, seen), .trust = TRUST));
}

const VfiModel vfi_model_base = {
  .name = "vfi-base",
  .task = "interpolation",
  .summary = "large: for GPUs, and where time is no matter",
  .paper = "this project",
  .weights = "vfi-nano",
  .any_t = TRUE,
  .taps = 6,
  .multiple = 32,
  .frame = frame,
  .pair = pair,
  .at = at,
  .bend = vfi_coarse_bend,
};
