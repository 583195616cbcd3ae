/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fields: see field.h.
 */
#include "field.h"

static GQuark
quark (void)
{
  return g_quark_from_static_string ("gst-vfi-field");
}

void
gst_vfi_field_install (GObjectClass *klass, const GstVfiField *fields, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_param_spec_set_qdata (fields[i].spec, quark (), GSIZE_TO_POINTER (fields[i].offset));
    g_object_class_install_property (klass, i + 1, fields[i].spec);
  }
}

static gpointer
field_of (GObject *object, GParamSpec *spec)
{
  return (char *) object + (gssize) GPOINTER_TO_SIZE (g_param_spec_get_qdata (spec, quark ()));
}

void
gst_vfi_field_set (GObject *object, const GValue *value, GParamSpec *spec)
{
  gpointer field = field_of (object, spec);
  if (G_VALUE_HOLDS_ENUM (value))
    *(int *) field = g_value_get_enum (value);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    *(gboolean *) field = g_value_get_boolean (value);
  else if (G_VALUE_HOLDS_INT (value))
    *(int *) field = g_value_get_int (value);
  else if (G_VALUE_HOLDS_UINT (value))
    *(guint *) field = g_value_get_uint (value);
  else if (G_VALUE_HOLDS_DOUBLE (value))
    *(double *) field = g_value_get_double (value);
  else if (G_VALUE_HOLDS_STRING (value)) {
    g_free (*(char **) field);
    *(char **) field = g_value_dup_string (value);
  } else if (GST_VALUE_HOLDS_FRACTION (value)) {
    ((int *) field)[0] = gst_value_get_fraction_numerator (value);
    ((int *) field)[1] = gst_value_get_fraction_denominator (value);
  } else
    g_assert_not_reached ();
}

void
gst_vfi_field_get (GObject *object, GValue *value, GParamSpec *spec)
{
  gconstpointer field = field_of (object, spec);
  if (G_VALUE_HOLDS_ENUM (value))
    g_value_set_enum (value, *(const int *) field);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, *(const gboolean *) field);
  else if (G_VALUE_HOLDS_INT (value))
    g_value_set_int (value, *(const int *) field);
  else if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, *(const guint *) field);
  else if (G_VALUE_HOLDS_DOUBLE (value))
    g_value_set_double (value, *(const double *) field);
  else if (G_VALUE_HOLDS_STRING (value))
    g_value_set_string (value, *(char *const *) field);
  else if (GST_VALUE_HOLDS_FRACTION (value))
    gst_value_set_fraction (value, ((const int *) field)[0], ((const int *) field)[1]);
  else
    g_assert_not_reached ();
}

void
gst_vfi_field_init (GObject *object)
{
  GObjectClass *klass = G_OBJECT_GET_CLASS (object);
  guint n;
  g_autofree GParamSpec **specs = g_object_class_list_properties (klass, &n);
  for (guint i = 0; i < n; i++)
    if (specs[i]->owner_type == G_OBJECT_CLASS_TYPE (klass) && specs[i]->flags & G_PARAM_WRITABLE)
      gst_vfi_field_set (object, g_param_spec_get_default_value (specs[i]), specs[i]);
}
