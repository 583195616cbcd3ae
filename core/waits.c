/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "waits.h"

static void
free_array (gpointer array)
{
  g_array_unref (array);
}

VfiWaits *
vfi_waits_new (int n, VfiHinders hinders, gconstpointer data)
{
  VfiWaits *w = g_new (VfiWaits, 1);

  *w = (VfiWaits){ g_ptr_array_new_with_free_func (free_array), n, g_malloc0 ((gsize) n * n + 1) };
  for (int t = 0; t < n; t++) {
    GArray *after = g_array_new (FALSE, FALSE, sizeof (int));

    for (int s = t - 1; s >= 0; s--)
      if (!vfi_waits_done (w, s, t) && hinders (data, s, t)) {
        g_array_append_val (after, s);
        w->done[(gsize) t * n + s] = 1;
        for (int r = 0; r < s; r++)
          w->done[(gsize) t * n + r] |= vfi_waits_done (w, r, s);
      }
    g_ptr_array_add (w->after, after);
  }
  return w;
}

void
vfi_waits_free (VfiWaits *w)
{
  if (!w)
    return;
  g_ptr_array_unref (w->after);
  g_free (w->done);
  g_free (w);
}
