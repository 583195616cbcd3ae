/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plugin: which elements there are.
 */
#include "gstvfiflow.h"
#include "gstvfiinpaint.h"
#include "gstvfiinterp.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return gst_element_register (plugin, "vfiinterp", GST_RANK_NONE, GST_TYPE_VFI_INTERP) &&
         gst_element_register (plugin, "vfiflow", GST_RANK_NONE, GST_TYPE_VFI_FLOW) &&
         gst_element_register (plugin, "vfiinpaint", GST_RANK_NONE, GST_TYPE_VFI_INPAINT);
}

#define PACKAGE "gst-vfi"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, vfi, "Synthesis of video frames", plugin_init, VFI_VERSION, "LGPL", PACKAGE,
                   PACKAGE)
