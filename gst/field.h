/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fields: properties that are a field of a struct, so that a table of offsets is all that an element writes of them.
 *
 * The property's type is the field's: an enum or flag is an int, a uint a guint, a double a double, a string a char * of its own, a
 * fraction two ints, numerator first.
 */
#pragma once

#include <gst/gst.h>

void gst_vfi_field_set (gpointer field, const GValue *value);
void gst_vfi_field_get (gconstpointer field, GValue *value);

/* Registers an enum type for a property. */
#define GST_VFI_ENUM(Name, function, ...)                                                                                                  \
  static GType function (void)                                                                                                             \
  {                                                                                                                                        \
    static const GEnumValue values[] = { __VA_ARGS__, { 0, NULL, NULL } };                                                                 \
    static gsize type;                                                                                                                     \
    if (g_once_init_enter (&type))                                                                                                         \
      g_once_init_leave (&type, g_enum_register_static (Name, values));                                                                    \
    return type;                                                                                                                           \
  }
