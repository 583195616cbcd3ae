/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The one C++ file: OpenCV has no C interface to these any more. Its exceptions end here.
 */
#include "opencv.h"

#include <opencv2/imgproc.hpp>
#include <opencv2/photo.hpp>
#include <opencv2/video/tracking.hpp>

#define PAD 1    /* pixels around the frame: its first row and column are never filled (OpenCV 4.6), and are to be none of ours */
#define RADIUS 5 /* pixels around that Telea and Navier-Stokes look at; on real frames 3 and 10 score 0.2 dB less and more at most */

static cv::Mat
matrix (const ToolPicture *p)
{
  return cv::Mat (p->height, p->width, CV_8UC3, p->data);
}

static gboolean
failed (const cv::Exception &e, GError **error)
{
  g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "OpenCV: %s", e.what ());
  return FALSE;
}

const char *
tool_opencv_version (void)
{
  return CV_VERSION;
}

gboolean
tool_opencv_inpaint (ToolOpencvInpaint method, const ToolPicture *src, const guint8 *mask, ToolPicture *dst, GError **error)
{
  try {
    cv::Mat hole (src->height, src->width, CV_8UC1, const_cast<guint8 *> (mask)), wide, wide_hole, out;
    cv::copyMakeBorder (matrix (src), wide, PAD, PAD, PAD, PAD, cv::BORDER_REPLICATE);
    cv::copyMakeBorder (hole, wide_hole, PAD, PAD, PAD, PAD, cv::BORDER_REPLICATE);
    wide.setTo (cv::mean (wide, wide_hole == 0), wide_hole); /* some of what is there shines through, as Telea takes gradients */
    cv::inpaint (wide, wide_hole, out, RADIUS, method == TOOL_OPENCV_TELEA ? cv::INPAINT_TELEA : cv::INPAINT_NS);
    out (cv::Rect (PAD, PAD, src->width, src->height)).copyTo (matrix (dst));
  } catch (const cv::Exception &e) {
    return failed (e, error);
  }
  return TRUE;
}

const char *
tool_opencv_flow_name (ToolOpencvFlow method)
{
  static const char *const names[] = { "DIS ultrafast", "DIS medium", "Farneback" };
  return names[method];
}

gboolean
tool_opencv_flow (ToolOpencvFlow method, const ToolPicture *a, const ToolPicture *b, float *flow, GError **error)
{
  try {
    cv::Mat first, second, out; /* out is empty: DIS would start from what is in it */
    cv::cvtColor (matrix (a), first, cv::COLOR_RGB2GRAY);
    cv::cvtColor (matrix (b), second, cv::COLOR_RGB2GRAY);
    if (method == TOOL_OPENCV_FARNEBACK) /* as tools/train/flowevaluate.py */
      cv::calcOpticalFlowFarneback (first, second, out, 0.5, 5, 15, 3, 5, 1.1, 0);
    else
      cv::DISOpticalFlow::create (method == TOOL_OPENCV_DIS_MEDIUM ? cv::DISOpticalFlow::PRESET_MEDIUM
                                                                   : cv::DISOpticalFlow::PRESET_ULTRAFAST)
          ->calc (first, second, out);
    out.copyTo (cv::Mat (a->height, a->width, CV_32FC2, flow));
  } catch (const cv::Exception &e) {
    return failed (e, error);
  }
  return TRUE;
}
