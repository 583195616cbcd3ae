/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What belongs to the library as a whole: its error domain and its version.
 */
#include "vfi.h"

GQuark
vfi_error_quark (void)
{
  return g_quark_from_static_string ("vfi-error-quark");
}

const char *
vfi_version (void)
{
  return VFI_VERSION;
}
