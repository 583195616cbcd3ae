/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How good an inpainted sequence is: against the truth, and in itself from frame to frame.
 */
#pragma once

#include "score.h"

#define TOOL_PSNR_MAX 100.0 /* dB; equal pictures count as this */
#define TOOL_BAND 16        /* pixels around the hole that flicker is held against */

/* Means over the frames where there is something to measure; NAN where there was none. RGB in [0,1]. */
typedef struct
{
  double psnr_hole, ssim_hole; /* in the hole; of its pixels' SSIM as in score.h */
  double psnr, ssim;           /* of whole frames */
  double ewarp, ewarp_hole;    /* mean squared difference of a frame and the one before it, warped along the flow, times 100; whole, and
                                   where the hole is or was */
  double change, band;         /* mean absolute difference of a frame and the one before it, 0 to 255: in both frames' holes, around them */
  double ms;                   /* a frame; not filled in here */
} ToolHoleScore;

typedef struct
{
  ToolHoleScore sum;
  int n[8]; /* frames in each of the sums */
} ToolHoleMeter;

/* Flow from frame t to the frame before. valid: 1 where the way back agrees (not hidden there), else 0. */
typedef struct
{
  float *flow;
  guint8 *valid;
} ToolBackFlow;

/* masks: one byte a pixel, 0 outside of the hole. */
void tool_hole_meter_add (ToolHoleMeter *m, const ToolPicture *truth, const ToolPicture *made, const guint8 *mask);
void tool_hole_meter_add_warp (ToolHoleMeter *m, const ToolPicture *before, const ToolPicture *made, const guint8 *mask_before,
                               const guint8 *mask, const ToolBackFlow *flow);
void tool_hole_meter_add_change (ToolHoleMeter *m, const ToolPicture *before, const ToolPicture *made, const guint8 *mask_before,
                                 const guint8 *mask);
ToolHoleScore tool_hole_meter_read (const ToolHoleMeter *m);
/* Mean of n scores, each field over those that have it. */
ToolHoleScore tool_hole_score_mean (const ToolHoleScore *scores, guint n);
