/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * blend: two warped pictures become one.
 *
 *   dst (p, c) = m a (p, c) + (1 - m) b (p, c) + residual (p, c),  m = sigmoid (gain logit (p) + log ((1 - t) / t))
 *
 * or m = (1 + logit) / 2 of a logit that is a tanh. The term in t is that of visibilities v and 1 - v that are weighted with 1 - t and t: (1 - t) v / ((1 - t) v + t (1 - v)).
 */
#include "op.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiBlendParams *p = node->params;
  float bias = p->timed ? vfi_blend_logit (vfi_view_get (&src[3 + p->residual], 0, 0, 0)) : 0;

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      float logit = vfi_view_get (&src[2], y, x, 0);
      float m = p->tanh ? (1 + logit) / 2 : vfi_act_apply (VFI_SIGMOID, 0, p->gain * logit + bias);

      for (int c = 0; c < dst->c; c++) {
        float a = vfi_view_get (&src[0], y, x, c), b = vfi_view_get (&src[1], y, x, c);

        vfi_view_set (dst, y, x, c, b + m * (a - b) + (p->residual ? vfi_view_get (&src[3], y, x, c) : 0));
      }
    }
}

const VfiOp vfi_op_blend = { "blend", .reference = reference };

static gboolean
shaped (const VfiTensor *x, int h, int w, int c)
{
  return x->dtype == VFI_F32 && x->h == h && x->w == w && x->c == c;
}

VfiTensor *
vfi_blend_ (VfiGraph *g, VfiTensor *a, VfiTensor *b, VfiTensor *logit, const VfiBlend *o)
{
  VfiBlendParams p = { .gain = o->gain == 0 ? 1 : o->gain, .tanh = o->tanh, .residual = o->residual != NULL, .timed = o->time != NULL };
  VfiTensor *src[] = { a, b, logit, o->residual, o->time };
  int n = 3 + p.residual + p.timed;

  if (!p.residual)
    src[3] = o->time;
  if (!vfi_graph_ready (g, "blend", src, n))
    return vfi_graph_dummy (g);
  if (!shaped (a, a->h, a->w, a->c) || !shaped (b, a->h, a->w, a->c) || !shaped (logit, a->h, a->w, 1) ||
      (p.residual && !shaped (o->residual, a->h, a->w, a->c)) || (p.timed && !shaped (o->time, 1, 1, 1)))
    return vfi_graph_fail (g, "blend", VFI_ERROR_SHAPE, "a source has not the shape of the first, %d x %d x %d, fp32", a->h, a->w, a->c);
  return vfi_node_result (g, vfi_graph_add (g, &vfi_op_blend, "blend", &p, sizeof p, src, n, VFI_F32, a->h, a->w, a->c));
}
