/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In place of opencv.cpp in a build without OpenCV.
 */
#include "opencv.h"

const char *
tool_opencv_version (void)
{
  return NULL;
}

static gboolean
missing (GError **error)
{
  g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "this build has no OpenCV: install g++ and libopencv-dev, and set it up anew");
  return FALSE;
}

gboolean
tool_opencv_inpaint (ToolOpencvInpaint method, const ToolPicture *src, const guint8 *mask, ToolPicture *dst, GError **error)
{
  return missing (error);
}

const char *
tool_opencv_flow_name (ToolOpencvFlow method)
{
  return "";
}

gboolean
tool_opencv_flow (ToolOpencvFlow method, const ToolPicture *a, const ToolPicture *b, float *flow, GError **error)
{
  return missing (error);
}
