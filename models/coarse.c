/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bricks of vfi.c and flow.c: see coarse.h.
 */
#include "coarse.h"

const float vfi_coarse_state_in[7] = { 0.125f, 0.125f, 0.125f, 0.125f, 1, 1, 1 };
const float vfi_coarse_twice[5] = { 2, 2, 2, 2, 1 };

#define ACT .act = VFI_LEAKY_RELU, .slope = 0.1f

void
vfi_coarse_encoder (VfiGraph *g, const VfiCoarse *k, VfiTensor *picture, char name)
{
  VfiTensor *x = vfi_cast (g, picture, VFI_FEATURE);

  vfi_push (g, "enc");
  for (int l = 0; l < 3; l++) {
    x = vfi_conv2d (g, vfi_numbered ("down%d", l), x, k->enc[l], 3, .stride = 2, .padding = 1, ACT);
    for (int i = 0; i < k->enc_convs[l]; i++)
      x = vfi_conv2d (g, vfi_numbered ("conv%d_%d", l, i), x, k->enc[l], 3, .padding = 1, ACT);
    if (k->dec[l])
      vfi_output (g, vfi_numbered ("%c%d", name, l), x);
  }
  vfi_pop (g);
}

VfiTensor *
vfi_coarse_frame (VfiGraph *g, int h, int w)
{
  VfiTensor *picture = vfi_input (g, "x", VFI_F32, h / 2, w / 2, 6);
  VfiTensor *y = vfi_mean_pool (g, vfi_slice (g, picture, 0, 4), 1); /* luma, at 1/2 ... 1/32 */

  vfi_output (g, "y0", y);
  for (int l = 1; l < 5; l++)
    vfi_output (g, vfi_numbered ("y%d", l), y = vfi_mean_pool (g, y, 2));
  return picture;
}

VfiTensor *
vfi_coarse_features (VfiGraph *g, const VfiCoarse *k, char name, int i, int l, int h, int w)
{
  return vfi_input (g, vfi_numbered ("%d.%c%d", i, name, l), VFI_FEATURE, h >> (l + 2), w >> (l + 2), k->enc[l]);
}

void
vfi_coarse_luma (VfiGraph *g, int h, int w, VfiTensor *y[2][5])
{
  for (int i = 0; i < 2; i++)
    for (int l = 0; l < 5; l++)
      y[i][l] = vfi_input (g, vfi_numbered ("%d.y%d", i, l), VFI_F32, h >> (l + 1), w >> (l + 1), 1);
}

VfiTensor *
vfi_coarse_expose (VfiGraph *g, VfiTensor *y[2][5])
{
  VfiTensor *exposure = vfi_exposure (g, y[0][4], y[1][4]);

  for (int l = 0; l < 5; l++)
    y[1][l] = vfi_expose (g, y[1][l], exposure);
  return exposure;
}

void
vfi_coarse_exposed (VfiGraph *g, VfiTensor *y[2][5])
{
  for (int l = 0; l < 5; l++)
    vfi_output (g, vfi_numbered ("exposed%d", l), y[1][l]);
}

void
vfi_coarse_luma_exposed (VfiGraph *g, int h, int w, VfiTensor *y[2][5])
{
  for (int l = 0; l < 5; l++) {
    y[0][l] = vfi_input (g, vfi_numbered ("0.y%d", l), VFI_F32, h >> (l + 1), w >> (l + 1), 1);
    y[1][l] = vfi_input (g, vfi_numbered ("exposed%d", l), VFI_F32, h >> (l + 1), w >> (l + 1), 1);
  }
}

VfiTensor *
vfi_coarse_start (VfiGraph *g, VfiTensor *time, VfiTensor *y0, VfiTensor *y1, VfiTensor *within)
{
  VfiTensor *state = vfi_lucas_kanade (g, y0, y1, time, NULL, within, FALSE);

  return vfi_coarse_finer (g, vfi_lucas_kanade (g, y0, y1, time, state, within, FALSE), NULL);
}

/* x, and what is seen of it on a grid half as fine. */
static VfiTensor *
with_context (VfiGraph *g, int n, VfiTensor *x)
{
  const int channels = vfi_channels (x);
  VfiTensor *z;

  vfi_push (g, "context");
  z = vfi_conv2d (g, "down", x, channels, 3, .stride = 2, .padding = 1, ACT);
  for (int i = 0; i < n; i++)
    z = vfi_conv2d (g, vfi_numbered ("conv%d", i), z, channels, 3, .padding = 1, .residual = z, ACT);
  z = vfi_pixel_shuffle (g, vfi_conv2d (g, "up", z, 4 * channels, 1), 2);
  vfi_pop (g);
  return vfi_mix (g, x, z);
}

VfiTensor *
vfi_coarse_decoder (VfiGraph *g, const VfiCoarse *k, int l, VfiTensor *x, int first)
{
  x = vfi_conv2d (g, "reduce", x, k->dec[l], 1, .first = first, ACT);
  if (l == 2 && k->context)
    x = with_context (g, k->context, x);
  for (int i = 0; i < k->dec_convs[l]; i++)
    x = vfi_conv2d (g, vfi_numbered ("conv%d", i), x, k->dec[l], 3, .padding = 1, .residual = x, ACT);
  return vfi_conv2d (g, "head", x, 4 * (5 + (l ? k->feat[l - 1] : 0)), 1, .dtype = VFI_F32);
}

VfiTensor *
vfi_coarse_finer (VfiGraph *g, VfiTensor *state, VfiTensor *head)
{
  return vfi_resize (g, state, .scale = 2, .gain = vfi_coarse_twice, .detail = head ? vfi_slice (g, head, 0, 20) : NULL);
}

VfiTensor *
vfi_coarse_handed (VfiGraph *g, const VfiCoarse *k, int l, VfiTensor *head)
{
  return vfi_pixel_shuffle (g, vfi_slice (g, head, 20, 4 * k->feat[l]), 2);
}

VfiTensor *
vfi_coarse_cost (VfiGraph *g, const VfiCoarse *k, int h, int w)
{
  return vfi_correlation (g, vfi_coarse_features (g, k, 'f', 0, 2, h, w), vfi_coarse_features (g, k, 'f', 1, 2, h, w), k->radius[2]);
}

VfiTensor *
vfi_coarse_search (VfiGraph *g, VfiTensor *const y0[5], VfiTensor *const y1[5], int finest)
{
  VfiTensor *flow = NULL;

  for (int l = 4; l > finest; l--)
    flow = vfi_dense_search (g, y0[l], y1[l], flow, .first = 4, .far = 4, .rounds = l > 1 ? 2 : 1, .steps = 4);
  return vfi_dense_search (g, y0[finest], y1[finest], flow, .first = 0, .far = 2, .rounds = 1, .steps = 1);
}

VfiTensor *
vfi_coarse_within (VfiGraph *g, int h, int w)
{
  VfiTensor *within = vfi_within (g, vfi_input (g, "0.area", VFI_F32, 1, 1, 4), vfi_input (g, "1.area", VFI_F32, 1, 1, 4), h / 2, w / 2);

  vfi_output (g, "within", within);
  return within;
}

#define GRID 8 /* core/frame.h: VFI_BEND_GRID */

VfiTensor *
vfi_coarse_course (VfiGraph *g, VfiTensor *flow)
{
  VfiTensor *course = vfi_downsample (g, flow, GRID, NULL);

  vfi_output (g, "course", course);
  return course;
}

VfiTensor *
vfi_coarse_overlay (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *course)
{
  VfiTensor *kept = vfi_input_planes (g, "kept.overlay", vfi_height (y0), vfi_width (y0), 2);
  VfiTensor *bulk = vfi_downsample (g, course, 2, NULL); /* the bulk of the picture's, in which letters hardly count */
  VfiTensor *overlay = vfi_overlay (g, y0, y1, bulk, vfi_input (g, "follows", VFI_F32, 1, 1, 1), kept);

  vfi_output (g, "kept.overlay", overlay);
  return vfi_slice (g, overlay, 1, 1);
}

void
vfi_coarse_bend (VfiGraph *g, const VfiModel *model, int h, int w)
{
  static const char *const names[] = { "course", "before.course", "after.course" };
  VfiTensor *course[3];

  for (int i = 0; i < 3; i++)
    course[i] = vfi_input (g, names[i], VFI_F32, h / (2 * GRID), w / (2 * GRID), 2);
  vfi_output (
      g, "bend",
      vfi_curve (g, course[0], course[1], course[2], vfi_input (g, "t", VFI_F32, 1, 1, 1), vfi_input (g, "lasts", VFI_F32, 1, 1, 2)));
}
