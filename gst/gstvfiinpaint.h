/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiinpaint: takes out of video what a mask covers.
 */
#pragma once

#include "gstvfibase.h"

G_BEGIN_DECLS

#define GST_TYPE_VFI_INPAINT (gst_vfi_inpaint_get_type ())
G_DECLARE_FINAL_TYPE (GstVfiInpaint, gst_vfi_inpaint, GST, VFI_INPAINT, GstVfiBase)

G_END_DECLS
