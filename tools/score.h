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
