/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How far a picture is from the truth.
 */
#pragma once

#include "picture.h"

typedef struct
{
  double psnr; /* dB, -10 log10 of the mean squared difference of RGB in [0,1]; infinite for equal pictures */
  double ssim; /* MATLAB's ssim of the height x width x 3 array taken as one volume */
  double ie;   /* interpolation error: root of the mean squared difference of RGB in 0..255 */
} ToolScore;

/* Both of the same size. */
ToolScore tool_score (const ToolPicture *truth, const ToolPicture *picture);

#define TOOL_SSIM_RADIUS 5 /* how far SSIM looks */

typedef struct
{
  int x0, y0, x1, y1; /* x1 and y1 are the first outside */
} ToolBox;

/* SSIM at each pixel of the box, mean of the three colours, row after row. */
void tool_ssim_map (const ToolPicture *a, const ToolPicture *b, const ToolBox *box, double *map);
