/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Between frames and tensors: what the two conversions compute, and their plain C versions. Both backends implement exactly this.
 *
 * The scaled picture is sw x sh = vfi_scaled_size of the frame's w x h; one of its samples is w / sw by h / sh of the frame's.
 * The network's picture is the scaled one, padded right and bottom by replication to a multiple of the model's, H x W. Its grids are
 * H/2 x W/2 (input, state), H/4, H/8, H/16; sample i of a grid 2^k times coarser lies at (i + 1/2) 2^k - 1/2 of the finer one.
 *
 * pack: frame -> x (H/2, W/2, 6): the four luma samples of each 2x2 block (top left, top right, bottom left, bottom right) and
 * the two chroma samples (cb, cr), luma in [0,1] and chroma in [-1/2,1/2] by the frame's range and depth: sample x gain + bias of
 * vfi_format_scale, not clamped. Each is the area average, in its own plane, of the samples that it covers: for luma sample (i, j) of
 * the scaled picture the rectangle [j, j + 1) w / sw x [i, i + 1) h / sh, for chroma sample (i, j) of the grid
 * [2 j, 2 j + 2) w / sw / 2^sub_x x [2 i, 2 i + 2) h / sh / 2^sub_y, as far as it lies inside the plane (so at flow_scale 1, 4:2:0 is
 * taken as it is, 4:2:2 and 4:4:4 are averaged to 2x2). Padding replicates: luma from row sh - 1 and column sw - 1, chroma from row
 * (sh + 1) / 2 - 1 and column (sw + 1) / 2 - 1. GRAY8 has chroma 0; RGB goes through BT.709, full range, in which the averages of
 * r, g and b over the same rectangles (of 4:4:4) become
 *   y = .2126 r + .7152 g + .0722 b,  cb = (b - y) / 1.8556,  cr = (r - y) / 1.5748.
 * At last chroma is clamped to +-VFI_CHROMA_LIMIT: colours that footage hardly has are none that networks have learnt from, and on them (a green
 * screen) they see motion where there is none. Only what the network sees is clamped; frames are made of samples as they are.
 *
 * area: what of x is the picture, and not the bars of a letterbox or a pillarbox: (1, 1, 4; F32): the first row and column of its grid that are, and the first behind them that are not (top, left, bottom,
 * right). A bar is lines from one edge on whose luma is dark (VFI_BAR_DARK) and all alike (core/area.h), up to a line that is brighter in a quarter of it, and most of which differs; between them may be a few that are neither, which count as the bar's.
 * What is bright and moves before black has such lines as well: a bar counts only where VFI_BAR_FRAMES frames in a row had it in the same place, and a like one opposite. Then it is one until the picture is in it: subtitles do not end it. What is known from frame
 * to frame is in bars (1, 1, VFI_BARS; F32), for each size of x; where the stream begins what is there means nothing. In x bars become the nearest pixels of the picture: what is beyond is padding, and does not hold motion back.
 *
 * synthesize: of a motion (VfiSynthesis) taps, 4 or 6, and state (H/2, W/2, 5 + 3 n: v0x v0y v1x v1y logit, and n times q ux uy, F32, in pixels of its grid; q: what a further opinion on motion, u, weighs; n is 1 to
 * VFI_MAX_OPINIONS - 1), and bend, nothing or (H/16, W/16, 2; F32): how far from p, in pixels of the state's grid, is what is seen at p and does not move straight -> frame. For every plane, in its own samples:
 *   the state is interpolated bilinearly at the sample's centre, ((x + 1/2) 2^sub_x sw / w - 1) / 2 of the grid (and so for y), clamped
 *   to the grid; its velocities are scaled to the plane's pixels, by 2 w / sw / 2^sub_x (and so for y); bend likewise, from its own grid;
 *   w0 = f0 (p + b - t v0), w1 = f1 (p + b + (1 - t) v1), b = bend times the greater component of |(1 - t) v1 + t v0| over VFI_BEND_STILL pixels of the state's grid, at most 1: what stands still does not bend; places clamped to the plane, in fp32 coordinates; planes of the frame's full size are sampled with
 *   cubics, which keep fine texture: of 4x4 taps (Catmull-Rom's) or 6x6 (sharper, core/sample.h), replicated beyond the border; planes of subsampled chroma bilinearly,
 *   i0, i1 = 1.5 - VFI_EDGE, of planes that cubics sample - how many pixels the place in f0, f1 is outside of the outermost pixels' middles, clamped to VFI_OUTSIDE .. 1:  what one frame does not show is the other's,
 *   m = sigmoid (logit + log ((1 - t) / t)),  n = m i0 / (m i0 + (1 - m) i1),  first = n w0 + (1 - n) w1,  further = the same with u as v0 and as v1, of each,
 *   dst = floor (first + sum of q (further - first) + 1/2), clamped to 0..2^depth - 1; q is clamped to 0..1, all of them together are at most 1, and what one does not ask for need not be read.
 * Where both frames have an area, the pixels that are not in both are taken from the nearer frame; of the others all of this holds as if what both areas have in common were the plane, and its part of the state's grid the grid.
 * A pixel is where the cell of the state's grid is in which its middle lies.
 * Whatever the state holds, infinities and NaN included, nothing outside the planes is read or written. Padding bits below `shift`
 * are written as 0. All components of a plane (alpha, x) are treated alike. dst may not overlap f0 or f1.
 *
 * pack_picture: frame -> x (H, W, 3; F32): red, green and blue in [0,1] (VFI_BGR: the other way round) for networks that see pictures (core/build.h:
 * VfiPicture). Samples x gain + bias of vfi_format_scale; YUV goes through BT.709 in both directions, so that what the frame's own matrix is
 * does not matter to flat areas, and nothing is clamped, so that colours outside of the cube survive:
 *   r = y + 1.5748 cr,  b = y + 1.8556 cb,  g = (y - .2126 r - .0722 b) / .7152.
 * Chroma is interpolated bilinearly, sited between the luma samples that it covers. The frame lies top left, or in the middle (top and left
 * margins rounded down); around it are zeros, or its nearest pixels.
 * unpack_picture: the same backwards; a chroma sample is the mean over the luma samples that it covers. Rounded to nearest, clamped to
 * 0..2^depth - 1. Samples that are no part of the picture (alpha, x) are (1 - t) f0 + t f1.
 * Where the picture `truncates`, as programs do that turn floats into bytes, red, green and blue are cut off before that to levels of the frame,
 *   floor ((2^depth - 1) v + VFI_ALMOST) / (2^depth - 1),
 * so that frames in RGB get the samples that such a program writes, and others its colours. VFI_ALMOST is for what is a level but for the rounding of
 * floats, a few 1e-5 of one: a flat frame's 99.99999 is 100. Outside of the cube it is done likewise, and nothing is clamped.
 */
#pragma once

#include "format.h"
#include "tensor.h"

#define VFI_CHROMA_LIMIT 0.08f                /* tools/train/net.py: CHROMA_LIMIT */
#define VFI_ALMOST 0x1p-10f                   /* of a level */
#define VFI_OUTSIDE 0x1p-10f                  /* what counts of a frame outside of it: enough where both are */
#define VFI_EDGE(taps) ((taps) > 2 ? 2.f : 0) /* pixels of a frame's edge that may be no picture: dark rows and columns are common */
/* Of six taps (core/sample.h: vfi_sharp), for the middle pair of samples and the far one: what both have in common, and half of what they differ by. */
#define VFI_SHARP_E1 -0.6f
#define VFI_SHARP_E2 0.175f
#define VFI_SHARP_O1 -0.7f
#define VFI_SHARP_O2 0.22f
#define VFI_MAX_OPINIONS 6
#define VFI_BEND_GRID 8                          /* pixels of the state's grid for one of what bends */
#define VFI_BEND_STILL 0.5f                      /* pixels of the state's grid: what moves less bends less */
#define VFI_MAX_STATE (2 + 3 * VFI_MAX_OPINIONS) /* channels of a state */

/* What a network says of a frame between two others. */
typedef struct
{
  VfiView state, bend; /* bend without data: nothing bends */
  VfiView area[2];     /* of the first frame and the second; without data: all of it */
  int taps;
} VfiSynthesis;

/* core/picture.c; one row of x, and rows 2 i and 2 i + 1 of the frame: for backends that share rows among threads. */
void vfi_picture_pack_row (const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x, int row);
void vfi_picture_unpack_rows (const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double t, const VfiPicture *picture,
                              const VfiView *x, const VfiFrame *dst, int i);
void vfi_picture_pack (const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x);
void vfi_picture_unpack (const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double t, const VfiPicture *picture,
                         const VfiView *x, const VfiFrame *dst);

void vfi_frame_pack (const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x);
void vfi_frame_synthesize (const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
                           const VfiSynthesis *motion, const VfiFrame *dst);

/* core/area.c. */
void vfi_frame_area (const VfiView *x, gboolean begins, const VfiView *bars, const VfiView *area);
