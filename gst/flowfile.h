/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Flow files: Middlebury's .flo, and the 16-bit PNG of KITTI.
 */
#pragma once

#include <glib.h>

/* Whether a printf pattern has exactly one integer (%d, %05d) in it, %% aside, and ends with .flo or .png; else an error that says so. */
gboolean gst_vfi_flow_pattern_check (const char *pattern, GError **error);
/* Writes width x height of u, v in the format of the name's ending. In a PNG, which holds -512 to 512 in steps of 1/64, a pixel is valid where
 * its flow fits and confidence (may be NULL) is not 0. */
gboolean gst_vfi_flow_write (const char *path, int width, int height, const float *flow, const float *confidence, GError **error);
