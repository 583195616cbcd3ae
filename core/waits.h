/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What has to wait for what, where steps can run at the same time.
 */
#pragma once

#include <glib.h>

/* Whether step `later` must not begin before step `earlier` has ended. */
typedef gboolean (*VfiHinders) (gconstpointer data, int earlier, int later);

typedef struct
{
  GPtrArray *after; /* GArray of int, of each step: the earlier ones that it waits for */
  int n;
  guint8 *done; /* n x n, of a row's step: whether a step has ended when it begins */
} VfiWaits;

/* Of n steps, in an order in which they can run. A step waits for all that hinder it, but for those that another of them waits for anyway. */
VfiWaits *vfi_waits_new (int n, VfiHinders hinders, gconstpointer data);
void vfi_waits_free (VfiWaits *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VfiWaits, vfi_waits_free)

static inline gboolean
vfi_waits_done (const VfiWaits *w, int earlier, int later)
{
  return w->done[(gsize) later * w->n + earlier];
}
