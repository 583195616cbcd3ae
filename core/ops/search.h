/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the references of inverse_search and dense_search share.
 */
#pragma once

#include "inverse_search.h"
#include "tensor.h"

/* A frame in grey with pixels repeated around it; g_free. */
static inline float *
vfi_search_grey (const VfiView *y, int pitch)
{
  const int pad = VFI_SEARCH_PAD;
  float *to = g_new (float, (gsize) (y->h + 2 * pad) * pitch);

  for (int i = 0; i < y->h + 2 * pad; i++)
    for (int k = 0; k < pitch; k++)
      to[(gsize) i * pitch + k] = VFI_SEARCH_GREY * vfi_view_get (y, CLAMP (i - pad, 0, y->h - 1), CLAMP (k - pad, 0, y->w - 1), 0);
  return to;
}
