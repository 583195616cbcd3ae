/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rate: see rate.h.
 */
#include "rate.h"

#include "timeline.h"

GstCaps *
gst_vfi_rate_transform (GstVfiRate rate, GstPadDirection direction, GstCaps *caps)
{
  GstCaps *other = gst_caps_copy (caps);
  for (guint i = 0; rate != GST_VFI_RATE_SAME && i < gst_caps_get_size (other); i++) {
    GstStructure *s = gst_caps_get_structure (other, i);
    int num, den;
    gboolean fixed = gst_structure_get_fraction (s, "framerate", &num, &den) && num > 0;
    gst_structure_remove_field (s, "max-framerate");
    if (rate == GST_VFI_RATE_STEADY && fixed) {
      if (direction == GST_PAD_SRC) {
        GValue list = G_VALUE_INIT, variable = G_VALUE_INIT;
        g_value_init (&list, GST_TYPE_LIST);
        g_value_init (&variable, GST_TYPE_FRACTION);
        gst_value_set_fraction (&variable, 0, 1);
        gst_value_list_append_value (&list, gst_structure_get_value (s, "framerate"));
        gst_value_list_append_and_take_value (&list, &variable);
        gst_structure_take_value (s, "framerate", &list);
      }
    } else
      gst_structure_set (s, "framerate", GST_TYPE_FRACTION_RANGE, direction == GST_PAD_SRC ? 0 : 1, direction == GST_PAD_SRC ? 1 : G_MAXINT,
                         G_MAXINT, 1, NULL);
  }
  return other;
}

GstCaps *
gst_vfi_rate_fixate (GstCaps *caps, GstCaps *incaps, const int by[2])
{
  int in_num, in_den, num, den;
  if (!gst_structure_get_fraction (gst_caps_get_structure (incaps, 0), "framerate", &in_num, &in_den) || in_num == 0)
    in_num = VFI_VARIABLE_RATE, in_den = 1;
  if (!gst_util_fraction_multiply (in_num, in_den, by[0], by[1], &num, &den)) {
    num = in_num;
    den = in_den;
  }
  caps = gst_caps_make_writable (gst_caps_truncate (caps));
  GstStructure *s = gst_caps_get_structure (caps, 0);
  if (gst_structure_has_field (s, "framerate"))
    gst_structure_fixate_field_nearest_fraction (s, "framerate", num, den);
  return gst_caps_fixate (caps);
}
