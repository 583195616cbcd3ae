/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "waits.h"

static void
free_array (gpointer array)
{
  g_array_unref (array);
}

GPtrArray *
vfi_waits_new (int n, VfiHinders hinders, gconstpointer data)
{
  GPtrArray *waits = g_ptr_array_new_with_free_func (free_array);
  g_autofree guint8 *done = g_malloc0 ((gsize) n * n + 1); /* of a row's step: those that have ended when it begins */

  for (int t = 0; t < n; t++) {
    GArray *after = g_array_new (FALSE, FALSE, sizeof (int));

    for (int s = t - 1; s >= 0; s--)
      if (!done[(gsize) t * n + s] && hinders (data, s, t)) {
        g_array_append_val (after, s);
        done[(gsize) t * n + s] = 1;
        for (int r = 0; r < s; r++)
          done[(gsize) t * n + r] |= done[(gsize) s * n + r];
      }
    g_ptr_array_add (waits, after);
  }
  return waits;
}
