/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The side of GstVfiFlowMeta that the plugin keeps to itself: how it is registered and attached.
 */
#pragma once

#include "gstvfiflowmeta.h"

const GstMetaInfo *gst_vfi_flow_meta_get_info (void);
/* Attaches a copy of `like` (but for its head), which shares its data. The buffer is writable. */
GstVfiFlowMeta *gst_vfi_flow_meta_add (GstBuffer *buffer, const GstVfiFlowMeta *like);
