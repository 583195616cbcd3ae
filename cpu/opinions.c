/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator opinions: a vector is a run of pixels.
 */
#include "frame.h"
#include "isa.h"

static void
opinions_row (const VfiView *src, float trust, const VfiView *to, int y)
{
  const VfiView state = src[0], evidence = src[1], flows = src[2], dst = *to;
  const int opinions = evidence.c;

  for (int x = 0; x < dst.w; x += VFI_LANES) {
    const int n = MIN (dst.w - x, VFI_LANES);
    Vec z[VFI_MAX_OPINIONS], most = vec_set (-INFINITY), sum = vec_set (0);

    for (int k = 0; k < opinions; k++) {
      z[k] = vec_load_pixels (&evidence, y, x, k, n);
      most = vec_max (z[k], most);
    }
    for (int k = 0; k < opinions; k++)
      sum += z[k] = vec_exp (vec_max (z[k] - most, vec_set (-87)));
    for (int c = 0; c < 5; c++)
      vec_store_pixels (&dst, y, x, c, n, (c < 4 ? 1 : trust) * vec_load_pixels (&state, y, x, c, n));
    for (int k = 1; k < opinions; k++) {
      vec_store_pixels (&dst, y, x, 3 * k + 2, n, z[k] / sum);
      for (int c = 0; c < 2; c++)
        vec_store_pixels (&dst, y, x, 3 * k + 3 + c, n, vec_load_pixels (&flows, y, x, 2 * k - 2 + c, n));
    }
  }
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  for (int y = y0; y < y1; y++)
    opinions_row (src, ((const VfiOpinions *) node->params)->trust, dst, y);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_opinions) = { &vfi_op_opinions, .rows = rows };
