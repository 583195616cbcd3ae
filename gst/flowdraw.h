/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Flow to look at. Pictures are 8-bit R, G, B, x with rows of `stride` bytes; flow is u, v of every pixel.
 */
#pragma once

#include <glib.h>

/* The largest magnitude, at least 1: what is drawn at full strength where none is set. */
float gst_vfi_flow_reach (int width, int height, const float *flow);

/* vfi_flow_colour of every pixel, as a part of `reach`. */
void gst_vfi_flow_draw_colour (int width, int height, const float *flow, float reach, guint8 *rgbx, int stride);
/* Grey, white at `reach`. */
void gst_vfi_flow_draw_magnitude (int width, int height, const float *flow, float reach, guint8 *rgbx, int stride);
/* The picture, darkened, with an arrow for each square of 16 x 16 pixels: as long as the flow, and coloured by it. */
void gst_vfi_flow_draw_arrows (int width, int height, const float *flow, float reach, guint8 *rgbx, int stride);
/* Four times the difference between a picture and the other one as flow leads to it, in dst, which may be `here`. What flow leads out of the
 * picture is black. */
void gst_vfi_flow_draw_error (int width, int height, const float *flow, const guint8 *here, const guint8 *there, guint8 *dst, int stride);
