/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiinterp: frames between frames. Changes the frame rate, makes slow motion, or replaces lost and damaged frames.
 */
#pragma once

#include "gstvfibase.h"

G_BEGIN_DECLS

#define GST_TYPE_VFI_INTERP (gst_vfi_interp_get_type ())
G_DECLARE_FINAL_TYPE (GstVfiInterp, gst_vfi_interp, GST, VFI_INTERP, GstVfiBase)

G_END_DECLS
