/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bricks of vfi.c and flow.c: an encoder of three levels, and what each level of the way from coarse to fine consists of. The
 * twins of those in tools/train/net.py.
 */
#pragma once

#include "build.h"

/* Finest level (1/4) first. */
typedef struct
{
  int enc[3], enc_convs[3]; /* at 1/4, 1/8, 1/16 */
  int dec[3], dec_convs[3]; /* a width of 0: none */
  int context;              /* 3x3 convolutions at 1/32 beside the decoder at 1/16, each added to what it began with; 0: nothing there */
  int feat[2];              /* handed to level l from the coarser one */
  int radius[3];
} VfiCoarse;

extern const float vfi_coarse_state_in[7]; /* net.py: STATE_IN */
extern const float vfi_coarse_twice[5];    /* velocities in pixels of a grid twice as fine */

extern const VfiCoarse vfi_coarse_nano; /* that of vfi-nano */

/* For VfiModel.frame: luma y0 ... y4 at 1/2 ... 1/32, as outputs. Returns the input, in fp32 whatever the features are: 8 bits of a bf16 are too few for
 * steps and patches on the frame's own grid. */
VfiTensor *vfi_coarse_frame (VfiGraph *g, int h, int w);
/* Features at 1/4, 1/8, 1/16 of what vfi_coarse_frame returned, as outputs where there is a decoder: the name, of one letter, and the level 0 ... 2. */
void vfi_coarse_encoder (VfiGraph *g, const VfiCoarse *k, VfiTensor *picture, char name);
/* Features of this name of frame i at level l, as an input. */
VfiTensor *vfi_coarse_features (VfiGraph *g, const VfiCoarse *k, char name, int i, int l, int h, int w);
/* Luma of both frames at 1/2 ... 1/32, as inputs, to y. */
void vfi_coarse_luma (VfiGraph *g, int h, int w, VfiTensor *y[2][5]);
/* Makes luma of the second frame as bright as that of the first, where all of it became brighter or darker; returns the exposure. */
VfiTensor *vfi_coarse_expose (VfiGraph *g, VfiTensor *y[2][5]);
/* What that made, for `at`: as outputs of `pair`, and as its inputs. */
void vfi_coarse_exposed (VfiGraph *g, VfiTensor *y[2][5]);
void vfi_coarse_luma_exposed (VfiGraph *g, int h, int w, VfiTensor *y[2][5]);
/* The state at 1/16 after two Lucas-Kanade steps on luma at 1/32. */
VfiTensor *vfi_coarse_start (VfiGraph *g, VfiTensor *time, VfiTensor *y0, VfiTensor *y1, VfiTensor *within);
/* Evidence x at level l -> head: 5 channels of state and feat[l - 1] of features, for the grid twice as fine. The last `first` channels of x are
 * the first ones in the file: what begins a tensor is aligned. */
VfiTensor *vfi_coarse_decoder (VfiGraph *g, const VfiCoarse *k, int l, VfiTensor *x, int first);
/* The state on the grid twice as fine, by the head. */
VfiTensor *vfi_coarse_finer (VfiGraph *g, VfiTensor *state, VfiTensor *head);
/* The features in the head of the coarser level, on the grid of level l. */
VfiTensor *vfi_coarse_handed (VfiGraph *g, const VfiCoarse *k, int l, VfiTensor *head);
/* The coarsest cost volume of both frames' features "f". */
VfiTensor *vfi_coarse_cost (VfiGraph *g, const VfiCoarse *k, int h, int w);
/* The state at 1/2 that the network of vfi.c sees from time t, without a second opinion. within: of vfi_coarse_within. */
VfiTensor *vfi_coarse_velocities (VfiGraph *g, const VfiCoarse *k, VfiTensor *time, VfiTensor *y[2][5], VfiTensor *within);
/* For VfiModel.pair: what of both frames is the picture, as output "within" (an input of `at`: F32, 1x1x4). */
VfiTensor *vfi_coarse_within (VfiGraph *g, int h, int w);
/* The flow from one frame to another that no network has a part in, of luma at 1/2 ... 1/32, on the finest of these grids that is looked at (0: at 1/2). */
VfiTensor *vfi_coarse_search (VfiGraph *g, VfiTensor *const y0[5], VfiTensor *const y1[5], int finest);
/* For VfiModel.pair: a flow at 1/2, as motion is compared with that of other pairs (net.py: course). */
VfiTensor *vfi_coarse_course (VfiGraph *g, VfiTensor *flow);
/* For VfiModel.pair: how far it is proven, of luma at 1/2, that it lies over the picture, by all of the stream so far (net.py: overlay). */
VfiTensor *vfi_coarse_overlay (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *course);
/* For VfiModel.bend. */
void vfi_coarse_bend (VfiGraph *g, const VfiModel *model, int h, int w);
