/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Greedy by size, best fit: large blocks first, each into the smallest gap that is free for its whole lifetime. Compare
 * Pisarchyk and Lee, "Efficient memory management for deep neural net inference" (2020), where this order comes out best.
 */
#include "arena.h"

static int
by_size (gconstpointer a, gconstpointer b)
{
  const VfiBlock *x = *(VfiBlock *const *) a, *y = *(VfiBlock *const *) b;

  if (x->bytes != y->bytes)
    return x->bytes < y->bytes ? 1 : -1;
  return x->first - y->first;
}

gsize
vfi_arena_place (VfiBlock *blocks, int n, VfiApart apart, gconstpointer data)
{
  VfiBlock **order = g_new (VfiBlock *, n), **placed = g_new (VfiBlock *, n); /* placed: by offset */
  gsize total = 0;

  for (int i = 0; i < n; i++) {
    blocks[i].bytes = MAX (blocks[i].bytes, 1);
    order[i] = &blocks[i];
  }
  if (n)
    qsort (order, n, sizeof *order, by_size);
  for (int i = 0; i < n && total != G_MAXSIZE; i++) {
    VfiBlock *b = order[i];
    gsize best = G_MAXSIZE, best_gap = G_MAXSIZE, end = 0; /* end of what was seen that lives with b */
    int at = i;

    for (int j = 0; j < i; j++) {
      const VfiBlock *o = placed[j];

      if (apart ? apart (data, b - blocks, o - blocks) : o->last < b->first || b->last < o->first)
        continue;
      if (o->offset >= end && o->offset - end >= b->bytes && o->offset - end < best_gap) {
        best = end;
        best_gap = o->offset - end;
      }
      end = MAX (end, (o->offset + o->bytes + VFI_ARENA_ALIGN - 1) / VFI_ARENA_ALIGN * VFI_ARENA_ALIGN);
    }
    b->offset = best != G_MAXSIZE ? best : end;
    while (at > 0 && placed[at - 1]->offset > b->offset) {
      placed[at] = placed[at - 1];
      at--;
    }
    placed[at] = b;
    total = b->offset > G_MAXSSIZE || b->bytes > G_MAXSSIZE - b->offset ? G_MAXSIZE : MAX (total, b->offset + b->bytes);
  }
  g_free (order);
  g_free (placed);
  return total;
}
