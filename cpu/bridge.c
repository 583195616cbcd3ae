/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bridge: a line at a time, from one known pixel to the next. Its pictures are small; nothing here is worth vectors.
 */
#include <math.h>

#include "isa.h"

/* A row or column of n pixels, from + i step and to + i stride; by how much its ends differ goes to apart + i stride. FALSE: nothing of it is known. */
static gboolean
bridge_line (const float *from, gsize step, int n, int channels, float enough, float *to, float *apart, gsize stride)
{
  int last = -1;

  for (int i = 0; i < n; i++) {
    const float *p = from + i * step, count = p[channels];

    if (!(count > enough))
      continue;
    for (int c = 0; c < channels; c++)
      to[i * stride + c] = p[c] / count;
    apart[i * stride] = 0;
    if (last < i - 1) {
      const float *b = to + i * stride, *a = last < 0 ? b : to + last * stride;
      float differ = 0;
      for (int c = 0; c < channels; c++)
        differ += fabsf (b[c] - a[c]);
      differ = last < 0 ? 1 : differ / channels;
      for (int k = last + 1; k < i; k++) {
        const float f = last < 0 ? 0 : (float) (k - last) / (i - last);
        for (int c = 0; c < channels; c++)
          to[k * stride + c] = a[c] + f * (b[c] - a[c]);
        apart[k * stride] = differ;
      }
    }
    last = i;
  }
  for (int k = last + 1; k < n; k++) {
    if (last >= 0)
      memcpy (to + k * stride, to + last * stride, channels * sizeof (float));
    apart[k * stride] = 1;
  }
  return last >= 0;
}

/* Which rows and then which columns have known pixels. */
static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  return g_new (gboolean, src->h + src->w);
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const float enough = ((const VfiBridgeParams *) node->params)->enough, *from = src->data;
  const int n = src->c - 1, h = src->h, w = src->w;
  const gsize ld = src->ld, to_ld = dst->ld;
  gboolean *have = state;
  float *to = dst->data;

#pragma omp parallel
  {
#pragma omp for schedule(static) nowait
    for (int y = 0; y < h; y++)
      have[y] = bridge_line (from + y * w * ld, ld, w, n, enough, to + y * w * to_ld, to + y * w * to_ld + 2 * n, to_ld);
#pragma omp for schedule(static)
    for (int x = 0; x < w; x++)
      have[h + x] = bridge_line (from + x * ld, w * ld, h, n, enough, to + x * to_ld + n, to + x * to_ld + 2 * n + 1, w * to_ld);
#pragma omp for schedule(static)
    for (int y = 0; y < h; y++)
      for (int x = 0; x < w; x++) {
        float *row = to + ((gsize) y * w + x) * to_ld, *column = row + n;

        if (!have[y] && !have[h + x])
          memset (row, 0, 2 * n * sizeof (float));
        else if (!have[y])
          memcpy (row, column, n * sizeof (float));
        else if (!have[h + x])
          memcpy (column, row, n * sizeof (float));
      }
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_bridge) = { &vfi_op_bridge, NULL, prepare, run, g_free };
