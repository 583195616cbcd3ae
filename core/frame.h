/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Between frames and tensors: what the two conversions compute, and their plain C versions. Both backends implement exactly this.
 *
 * The network's picture: the frame, scaled by flow_scale, padded right and bottom by replication to a multiple of the model's,
 * H x W. Its grids are H/2 x W/2 (input, state), H/4, H/8, H/16; sample i of a grid 2^k times coarser lies at
 * (i + 1/2) 2^k - 1/2 of the finer one.
 *
 * pack: frame -> x (H/2, W/2, 6): the four luma samples of each 2x2 block (top left, top right, bottom left, bottom right) and
 * the two chroma samples, luma in [0,1] and chroma in [-1/2,1/2] by the frame's range and depth. Formats with more chroma are averaged
 * to 2x2, with less are repeated; GRAY8 has chroma 0; RGB goes through BT.709, full range:
 *   y = .2126 r + .7152 g + .0722 b,  cb = (b - y) / 1.8556,  cr = (r - y) / 1.5748.
 * With flow_scale < 1 each sample is the area average of the frame's samples that it covers.
 *
 * synthesize: state (H/2, W/2, 5: v0x v0y v1x v1y logit, in pixels of its grid) -> frame. For every plane, in its own samples:
 *   the state is interpolated bilinearly (clamped) at the sample's centre and its velocities scaled to the plane's pixels,
 *   w0 = f0 (p - t v0), w1 = f1 (p + (1 - t) v1), bilinear, clamped to the plane's border, in fp32 coordinates,
 *   m = sigmoid (logit + log ((1 - t) / t)),  dst = round (m w0 + (1 - m) w1).
 * Padding bits below `shift` are written as 0. All components of a plane (alpha, x) are treated alike.
 */
#pragma once

#include "tensor.h"
#include "vfi.h"

/* TRUE if info is usable, else an error that says what to change. */
gboolean vfi_frame_info_check (const VfiFrameInfo *info, GError **error);
/* The padded picture H x W for a frame. */
void vfi_frame_net_size (const VfiFrameInfo *info, double flow_scale, int multiple, int *h, int *w);

/* Size of the scaled picture before padding: max (1, round (size flow_scale)). */
static inline int
vfi_scaled_size (int size, double flow_scale)
{
  int s = (int) (size * flow_scale + 0.5);
  return s < 1 ? 1 : s;
}

void vfi_frame_pack (const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x);
void vfi_frame_synthesize (const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t, const VfiView *state,
                           const VfiFrame *dst);
