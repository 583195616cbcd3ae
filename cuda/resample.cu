/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator resample: a thread for each number of the result, which sums rows and then columns.
 */
#include "device.h"

/* VfiTaps on the device. */
struct Taps
{
  const int *first;
  const float *weight;
  int n;
};

struct State
{
  VfiCudaBuffer *buffer[4];
  Taps y, x;
};

static __global__ void
resample (View src, Taps ty, Taps tx, View dst)
{
  const Element e = element (dst);
  const int y = e.p / dst.w, x = e.p % dst.w;
  float sum = 0;

  if (!e.valid)
    return;
  for (int i = 0; i < ty.n; i++) {
    const int at = (ty.first[y] + i) * src.w + tx.first[x];
    float row = 0;

    for (int j = 0; j < tx.n; j++)
      row += tx.weight[x * tx.n + j] * get (src, at + j, e.c);
    sum += ty.weight[y * ty.n + i] * row;
  }
  set (dst, e.p, e.c, sum);
}

static void
release (gpointer state)
{
  State *s = (State *) state;

  for (int i = 0; i < 4; i++)
    if (s->buffer[i])
      vfi_cuda_buffer_free (s->buffer[i]);
  g_free (s);
}

/* One side, in two of the buffers. */
static gboolean
side (VfiBackend *b, VfiFilter filter, int from, int to, VfiCudaBuffer *buffer[2], Taps *taps, GError **error)
{
  VfiTaps *t = vfi_taps_new (filter, from, to);

  if ((buffer[0] = vfi_cuda_buffer_new ((VfiCuda *) b, t->first, to * sizeof *t->first, error)) &&
      (buffer[1] = vfi_cuda_buffer_new ((VfiCuda *) b, t->weight, (gsize) to * t->n * sizeof *t->weight, error)))
    *taps = { (const int *) buffer[0]->data, (const float *) buffer[1]->data, t->n };
  vfi_taps_free (t);
  return buffer[1] != NULL;
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiFilter filter = ((const VfiResampleParams *) node->params)->filter;
  State *s = g_new0 (State, 1);

  if (side (b, filter, src->h, dst->h, s->buffer, &s->y, error) && side (b, filter, src->w, dst->w, s->buffer + 2, &s->x, error))
    return s;
  release (s);
  return NULL;
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const State *s = (const State *) state;

  vfi_launch_elements ((VfiCuda *) b, *dst, resample, View (*src), s->y, s->x, View (*dst));
}

const VfiKernel vfi_cuda_resample = { &vfi_op_resample, vfi_cuda_supports, prepare, run, release };
