/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What has to wait for what, where steps can run at the same time.
 */
#pragma once

#include <glib.h>

/* Whether step `later` must not begin before step `earlier` has ended. */
typedef gboolean (*VfiHinders) (gconstpointer data, int earlier, int later);

/* Of each of n steps, in an order in which they can run, the earlier ones (GArray of int) that it waits for: all that hinder it, but for those that another
 * of them waits for anyway. The caller's. */
GPtrArray *vfi_waits_new (int n, VfiHinders hinders, gconstpointer data);
