/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fields: properties that are a field of the instance, so that a list of them is all that an element writes.
 *
 * The property's type is the field's: an enum or int is an int, a boolean a gboolean, a uint a guint, a double a double, a string a char * of its own, a
 * fraction two ints, numerator first.
 */
#pragma once

#include <gst/gst.h>

typedef struct
{
  gssize offset; /* from the instance */
  GParamSpec *spec;
} GstVfiField;

/* Installs properties of a class whose set_property and get_property call those below. */
void gst_vfi_field_install (GObjectClass *klass, const GstVfiField *fields, guint n);
/* Sets those of the class being initialized to their defaults: for its instance_init. Construct properties would do it too, but not where a
 * value out of range is given to gst-launch-1.0: they would stay 0. */
void gst_vfi_field_init (GObject *object);
void gst_vfi_field_set (GObject *object, const GValue *value, GParamSpec *spec);
void gst_vfi_field_get (GObject *object, GValue *value, GParamSpec *spec);

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
