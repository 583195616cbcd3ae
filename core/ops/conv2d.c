/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * conv2d: as torch.nn.Conv2d with zero padding and one group, then residual, then activation.
 *
 *   dst (y, x, o) = act (bias (o) + residual (y, x, o)
 *                        + sum over i j c of weight (o, c, i, j) src (y stride - padding + i dilation, x stride - padding + j dilation, c))
 *
 * with src 0 outside the picture.
 */
#include "op.h"
#include "vfi.h"

#define BLOCK 8 /* results at a time, so that a source is fetched less often */

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiConv2dParams *p = node->params;
  const VfiView *x = &src[0];
  int k = p->kernel, size = x->c * k * k;

  for (int oy = 0; oy < dst->h; oy++)
    for (int ox = 0; ox < dst->w; ox++)
      for (int first = 0; first < dst->c; first += BLOCK) {
        int n = MIN (BLOCK, dst->c - first);
        const float *weight = weights[0] + (gsize) first * size;
        float sum[BLOCK];

        for (int o = 0; o < n; o++)
          sum[o] = p->bias ? weights[1][first + o] : 0;
        for (int i = 0; i < k; i++)
          for (int j = 0; j < k; j++) {
            int iy = oy * p->stride - p->padding + i * p->dilation;
            int ix = ox * p->stride - p->padding + j * p->dilation;

            if (iy < 0 || iy >= x->h || ix < 0 || ix >= x->w)
              continue;
            for (int c = 0; c < x->c; c++) {
              float v = vfi_view_get (x, iy, ix, c);

              for (int o = 0; o < n; o++)
                sum[o] += weight[(gsize) o * size + (c * k + i) * k + j] * v;
            }
          }
        for (int o = 0; o < n; o++) {
          if (p->residual)
            sum[o] += vfi_view_get (&src[1], oy, ox, first + o);
          vfi_view_set (dst, oy, ox, first + o, vfi_act_apply (p->act, p->slope, sum[o]));
        }
      }
}

static double
flop (const VfiNode *node)
{
  const VfiConv2dParams *p = node->params;
  const VfiTensor *y = node->dst;

  return 2.0 * y->h * y->w * y->c * p->kernel * p->kernel * node->src[0]->c;
}

const VfiOp vfi_op_conv2d = { "conv2d", .reference = reference, .flop = flop };

VfiTensor *
vfi_conv2d_ (VfiGraph *g, const char *name, VfiTensor *x, int channels, int kernel, const VfiConv2d *o)
{
  VfiConv2dParams p = {
    .kernel = kernel,
    .stride = o->stride ? o->stride : 1,
    .padding = o->padding,
    .dilation = o->dilation ? o->dilation : 1,
    .bias = !o->no_bias,
    .residual = o->residual != NULL,
    .act = o->act,
    .slope = o->act == VFI_LEAKY_RELU && o->slope == 0 ? 0.01f : o->slope,
  };
  VfiTensor *src[] = { x, o->residual };
  gint64 reach = 1 + (gint64) p.dilation * (kernel - 1), h, w;
  VfiNode *node;

  if (!vfi_graph_ready (g, name, src, p.residual ? 2 : 1))
    return vfi_graph_dummy (g);
  if (channels < 1 || kernel < 1 || p.stride < 1 || p.padding < 0 || p.dilation < 1)
    return vfi_graph_fail (g, name, VFI_ERROR_ARG, "channels %d, kernel %d, stride %d, padding %d, dilation %d", channels, kernel, p.stride,
                           p.padding, p.dilation);
  h = ((gint64) x->h + 2 * (gint64) p.padding - reach) / p.stride + 1;
  w = ((gint64) x->w + 2 * (gint64) p.padding - reach) / p.stride + 1;
  if (x->h + 2 * (gint64) p.padding < reach || x->w + 2 * (gint64) p.padding < reach || h > G_MAXINT || w > G_MAXINT)
    return vfi_graph_fail (g, name, VFI_ERROR_SHAPE,
                           "a kernel that reaches over %" G_GINT64_FORMAT " pixels does not fit into %d x %d, padding %d", reach, x->h,
                           x->w, p.padding);
  if (p.residual && (o->residual->h != h || o->residual->w != w || o->residual->c != channels))
    return vfi_graph_fail (g, name, VFI_ERROR_SHAPE, "the residual is %d x %d x %d, the result %d x %d x %d", o->residual->h,
                           o->residual->w, o->residual->c, (int) h, (int) w, channels);
  node = vfi_graph_add (g, &vfi_op_conv2d, name, &p, sizeof p, src, p.residual ? 2 : 1, o->dtype, (int) h, (int) w, channels);
  if (node) {
    vfi_node_weight (node, "weight", 4, (int[]){ channels, x->c, kernel, kernel });
    if (p.bias)
      vfi_node_weight (node, "bias", 1, &channels);
  }
  return vfi_node_result (g, node);
}
