/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mix: a sum of two tensors whose gains are polynomials of the time.
 *
 *   dst (y, x, c) = (p0 + p1 t + p2 t^2) a (y, x, c) + (q0 + q1 t + q2 t^2) b (y, x, c)
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiMixParams *m = node->params;
  float t = m->timed ? vfi_view_get (&src[2], 0, 0, 0) : 0, p = vfi_mix_gain (m->p, t), q = vfi_mix_gain (m->q, t);

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++)
      for (int c = 0; c < dst->c; c++)
        vfi_view_set (dst, y, x, c, p * vfi_view_get (&src[0], y, x, c) + q * vfi_view_get (&src[1], y, x, c));
}

const VfiOp vfi_op_mix = { "mix", .reference = reference };

VfiTensor *
vfi_mix_ (VfiGraph *g, VfiTensor *a, VfiTensor *b, const VfiMix *o)
{
  VfiMixParams p = { .timed = o->time != NULL, .p = { 1 }, .q = { 1 } };
  VfiTensor *src[] = { a, b, o->time };

  if (!vfi_graph_ready (g, "mix", src, p.timed ? 3 : 2))
    return vfi_graph_dummy (g);
  if (a->h != b->h || a->w != b->w || a->c != b->c)
    return vfi_graph_fail (g, "mix", VFI_ERROR_SHAPE, "%d x %d x %d and %d x %d x %d", a->h, a->w, a->c, b->h, b->w, b->c);
  if (p.timed && (o->time->dtype != VFI_F32 || o->time->h != 1 || o->time->w != 1 || o->time->c != 1))
    return vfi_graph_fail (g, "mix", VFI_ERROR_SHAPE, "the time is not 1 x 1 x 1, fp32");
  if (o->p)
    memcpy (p.p, o->p, sizeof p.p);
  if (o->q)
    memcpy (p.q, o->q, sizeof p.q);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_mix, "mix", &p, sizeof p, src, p.timed ? 3 : 2, a->dtype, a->h, a->w, a->c));
}
