/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiflow: dense optical flow between the frames of a stream, as a meta (gstvfiflowmeta.h), as pictures, or into files.
 */
#pragma once

#include "gstvfibase.h"

G_BEGIN_DECLS

#define GST_TYPE_VFI_FLOW (gst_vfi_flow_get_type ())
G_DECLARE_FINAL_TYPE (GstVfiFlow, gst_vfi_flow, GST, VFI_FLOW, GstVfiBase)

G_END_DECLS
