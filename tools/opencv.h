/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * OpenCV's methods as yardsticks: opencv.cpp, or where OpenCV is not there noopencv.c.
 */
#pragma once

#include "picture.h"

G_BEGIN_DECLS

/* "4.6.0", or NULL: then nothing else here may be called. */
const char *tool_opencv_version (void);

typedef enum
{
  TOOL_OPENCV_TELEA,
  TOOL_OPENCV_NAVIER_STOKES,
} ToolOpencvInpaint;

/* Fills where the mask (a byte a pixel) is not 0 from what is around it. FALSE: OpenCV failed. */
gboolean tool_opencv_inpaint (ToolOpencvInpaint method, const ToolPicture *src, const guint8 *mask, ToolPicture *dst, GError **error);

typedef enum
{
  TOOL_OPENCV_DIS_ULTRAFAST,
  TOOL_OPENCV_DIS_MEDIUM,
  TOOL_OPENCV_FARNEBACK,
} ToolOpencvFlow;
#define TOOL_N_OPENCV_FLOWS (TOOL_OPENCV_FARNEBACK + 1)

const char *tool_opencv_flow_name (ToolOpencvFlow method);
/* Flow of grey pictures from a to b: u, v of every pixel. */
gboolean tool_opencv_flow (ToolOpencvFlow method, const ToolPicture *a, const ToolPicture *b, float *flow, GError **error);

G_END_DECLS
