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

/* A run, for the threads. */
typedef struct
{
  const float *from;
  float *to, enough;
  gboolean *have;
  int n, h, w;
  gsize ld, to_ld;
} Run;

static void
row (gpointer data, int y, int thread)
{
  const Run *r = data;
  float *to = r->to + y * r->w * r->to_ld;

  r->have[y] = bridge_line (r->from + y * r->w * r->ld, r->ld, r->w, r->n, r->enough, to, to + 2 * r->n, r->to_ld);
}

static void
column (gpointer data, int x, int thread)
{
  const Run *r = data;
  float *to = r->to + x * r->to_ld;

  r->have[r->h + x] = bridge_line (r->from + x * r->ld, r->w * r->ld, r->h, r->n, r->enough, to + r->n, to + 2 * r->n + 1, r->w * r->to_ld);
}

/* Where one of the two found nothing it is given what the other one has. */
static void
lend (gpointer data, int y, int thread)
{
  const Run *r = data;
  const int n = r->n;

  for (int x = 0; x < r->w; x++) {
    float *row = r->to + ((gsize) y * r->w + x) * r->to_ld, *column = row + n;

    if (!r->have[y] && !r->have[r->h + x])
      memset (row, 0, 2 * n * sizeof (float));
    else if (!r->have[y])
      memcpy (row, column, n * sizeof (float));
    else if (!r->have[r->h + x])
      memcpy (column, row, n * sizeof (float));
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  Run r = { src->data, dst->data, ((const VfiBridgeParams *) node->params)->enough, state, src->c - 1, src->h, src->w, src->ld, dst->ld };

  vfi_cpu_each (b, r.h, 4, row, &r);
  vfi_cpu_each (b, r.w, 16, column, &r);
  vfi_cpu_each (b, r.h, 4, lend, &r);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_bridge) = { &vfi_op_bridge, NULL, prepare, run, g_free };
