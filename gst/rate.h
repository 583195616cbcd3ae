/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rate: what the frame rates of the two pads have to do with each other, in caps.
 *
 * 0/1 is a variable rate, which only an input may have, but where rates are kept as they are.
 */
#pragma once

#include <gst/gst.h>

typedef enum
{
  GST_VFI_RATE_FREE,   /* any to any */
  GST_VFI_RATE_STEADY, /* the same, any where the input's is variable */
  GST_VFI_RATE_SAME,
} GstVfiRate;

/* The caps that the other pad can have where the pad of `direction` has `caps`. */
GstCaps *gst_vfi_rate_transform (GstVfiRate rate, GstPadDirection direction, GstCaps *caps);
/* Takes caps of the source pad and fixates them, as close to by[0] / by[1] times the input's frame rate as they allow. */
GstCaps *gst_vfi_rate_fixate (GstCaps *caps, GstCaps *incaps, const int by[2]);
