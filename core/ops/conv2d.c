/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * conv2d: as torch.nn.Conv2d with zero padding and one group, then residual, then activation.
 *
 *   dst (y, x, o) = act (bias (o) + residual (y, x, o)
 *                        + sum over i j c of weight (o, c, i, j) src (y stride - padding + i dilation, x stride - padding + j dilation, c))
 *
 * with src 0 outside the picture, which is padded below and on the right by `after` more. Weights of a normalisation, a gain or a transposed convolution are folded into weight and bias.
 */
#include <math.h>

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
        double sum[BLOCK]; /* kernels are held to it: what differs is their rounding alone */

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
                sum[o] += (double) weight[(gsize) o * size + (c * k + i) * k + j] * v;
            }
          }
        for (int o = 0; o < n; o++) {
          if (p->residual)
            sum[o] += vfi_view_get (&src[1], oy, ox, first + o);
          vfi_view_set (dst, oy, ox, first + o, vfi_act_apply (p->act, p->act == VFI_PRELU ? weights[2][first + o] : p->slope, sum[o]));
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

#define NORM_EPSILON 1e-5 /* PyTorch's default */

/* (ic, oc, 4, 4) to (4 oc, ic, 2, 2), one phase (i, j) of the result after the other: result pixel 2 y + i sees source rows y + i - 1 and y + i, through kernel rows 3 - i and 1 - i. */
static float *
fold_transposed (const float *w, int ic, int oc)
{
  float *folded = g_new (float, (gsize) ic *oc * 16);

  for (int o = 0; o < oc; o++)
    for (int c = 0; c < ic; c++)
      for (int k = 0; k < 16; k++) { /* i and j of the result, row and column of the kernel */
        int i = k >> 3, j = k >> 2 & 1, y = k >> 1 & 1, x = k & 1;

        folded[(((gsize) ((i * 2 + j) * oc + o) * ic + c) * 2 + y) * 2 + x] =
            w[(((gsize) c * oc + o) * 4 + 3 - i - 2 * y) * 4 + 3 - j - 2 * x];
      }
  return folded;
}

/* (oc, ic, 3, 3) to (4 oc, ic, 2, 2), phases as above: row 2 y + i of what is twice as large by repeating rows is row y of the source, so that some taps of the kernel meet the same pixel. */
static float *
fold_nearest (const float *w, int ic, int oc)
{
  float *folded = g_new0 (float, (gsize) ic *oc * 16);

  for (int phase = 0; phase < 4; phase++)
    for (int o = 0; o < oc; o++)
      for (int c = 0; c < ic; c++)
        for (int k = 0; k < 9; k++) {
          int y = (k / 3 + 1 - phase / 2) / 2, x = (k % 3 + 1 - phase % 2) / 2;

          folded[(((gsize) (phase * oc + o) * ic + c) * 2 + y) * 2 + x] += w[((gsize) o * ic + c) * 9 + k];
        }
  return folded;
}

/* Each of n rows of numbers, its first ones to its end. */
static void
turn (float *w, int n, int row, int first)
{
  float *turned = g_new (float, row);

  for (int i = 0; i < n; i++, w += row) {
    memcpy (turned, w + first, (row - first) * sizeof *w);
    memcpy (turned + row - first, w, first * sizeof *w);
    memcpy (w, turned, row * sizeof *w);
  }
  g_free (turned);
}

/* (oc, ic / groups, area) to (oc, ic, area): the others are not seen. */
static float *
whole (const float *w, int groups, int oc, int ic, int area)
{
  const gsize part = (gsize) ic / groups * area;
  float *all = g_new0 (float, (gsize) oc *ic *area);

  for (int o = 0; o < oc; o++)
    memcpy (all + (gsize) o * ic * area + o / (oc / groups) * part, w + o * part, part * sizeof *w);
  return all;
}

/* n numbers, `times` times. */
static float *
repeat (float *from, int n, int times)
{
  float *to = g_new (float, (gsize) n *times);

  for (int i = 0; i < n * times; i++)
    to[i] = from[i % n];
  g_free (from);
  return to;
}

static void
fold (const VfiNode *node, float **weights)
{
  const VfiConv2dParams *p = node->params;
  float *file[VFI_MAX_WEIGHTS], **next = file, *weight, *bias, *slopes;
  int oc = node->dst->c, size = node->src[0]->c * p->kernel * p->kernel;

  memcpy (file, weights, sizeof file);
  memset (weights, 0, sizeof file);
  weight = *next++;
  bias = p->no_file_bias ? NULL : *next++;
  if (p->phases) {
    float *folded = (p->phases == VFI_TRANSPOSED ? fold_transposed : fold_nearest) (weight, node->src[0]->c, oc / 4);

    g_free (weight);
    weight = folded;
    bias = repeat (bias, oc / 4, 4);
  }
  if (p->groups > 1) {
    float *all = whole (weight, p->groups, oc, node->src[0]->c, p->kernel * p->kernel);

    g_free (weight);
    weight = all;
  }
  if (p->first)
    turn (weight, oc, size, p->first * p->kernel * p->kernel);
  if (p->bias && !bias)
    bias = g_new0 (float, oc);
  if (p->norm || p->gain) {
    float **extra = next;

    next += p->norm ? 4 : 1;
    for (int o = 0; o < oc; o++) {
      float gain = p->norm ? (float) (extra[0][o] / sqrt (extra[3][o] + NORM_EPSILON)) : extra[0][o];

      bias[o] = p->norm ? (bias[o] - extra[2][o]) * gain + extra[1][o] : bias[o] * gain;
      for (int i = 0; i < size; i++)
        weight[(gsize) o * size + i] *= gain;
    }
    for (float **w = extra; w < next; w++)
      g_free (*w);
  }
  slopes = p->slopes ? *next : NULL;
  weights[0] = weight;
  weights[1] = bias;
  weights[2] = p->slopes == 1 ? repeat (slopes, 1, oc) : slopes;
}

static int
reach (const VfiNode *node, int i)
{
  const VfiConv2dParams *p = node->params;

  return i == 1 ? 0 : p->stride == 1 ? MAX (p->padding, p->dilation * (p->kernel - 1) - p->padding) : VFI_ALL_ROWS;
}

const VfiOp vfi_op_conv2d = { "conv2d", .reference = reference, .flop = flop, .fold = fold, .reach = reach };

static void
add_weights (VfiGraph *g, VfiNode *node, const VfiConv2dParams *p, const VfiConv2d *o)
{
  int channels = node->dst->c, c = node->src[0]->c;

  if (p->phases) {
    vfi_node_weight (node, "weight", 4, p->phases == VFI_TRANSPOSED ? (int[]){ c, channels / 4, 4, 4 } : (int[]){ channels / 4, c, 3, 3 });
    vfi_node_weight (node, "bias", 1, (int[]){ channels / 4 });
  } else {
    vfi_node_weight (node, "weight", 4, (int[]){ channels, c / p->groups, p->kernel, p->kernel });
    if (!p->no_file_bias)
      vfi_node_weight (node, "bias", 1, &channels);
  }
  if (o->norm) {
    static const char *const parts[] = { "weight", "bias", "running_mean", "running_var" };

    for (int i = 0; i < 4; i++) {
      char *name = g_strdup_printf ("%s.%s", o->norm, parts[i]);

      vfi_node_weight_beside (g, node, name, 1, &channels);
      g_free (name);
    }
  }
  if (o->gain)
    vfi_node_weight_beside (g, node, o->gain, 4, (int[]){ 1, channels, 1, 1 });
  if (p->slopes)
    vfi_node_weight_beside (g, node, o->slopes, 1, &p->slopes);
  memset (node->folded, 0, sizeof node->folded);
  node->folded[0] = (gsize) channels * c * p->kernel * p->kernel;
  node->folded[1] = p->bias ? channels : 0;
  node->folded[2] = p->slopes ? channels : 0;
}

static VfiTensor *
add (VfiGraph *g, const char *name, VfiTensor *x, int channels, int kernel, VfiPhases phases, const VfiConv2d *o)
{
  VfiConv2dParams p = {
    .kernel = kernel,
    .stride = o->stride ? o->stride : 1,
    .padding = o->padding,
    .after = o->after,
    .dilation = o->dilation ? o->dilation : 1,
    .bias = !o->no_bias || o->norm || o->gain,
    .no_file_bias = o->no_bias,
    .gain = o->gain != NULL,
    .norm = o->norm != NULL,
    .phases = phases,
    .slopes = o->act != VFI_PRELU ? 0
              : o->one_slope      ? 1
                                  : channels,
    .first = o->first,
    .groups = o->groups ? o->groups : 1,
    .residual = o->residual != NULL,
    .act = o->act,
    .slope = o->act == VFI_LEAKY_RELU && o->slope == 0 ? 0.01f : o->slope,
  };
  VfiTensor *src[] = { x, o->residual };
  gint64 reach = 1 + (gint64) p.dilation * (kernel - 1), more = 2 * (gint64) p.padding + p.after, h, w;
  VfiNode *node;

  if (!vfi_graph_ready (g, name, src, p.residual ? 2 : 1))
    return vfi_graph_dummy (g);
  if (channels < 1 || kernel < 1 || p.stride < 1 || p.padding < 0 || p.after < 0 || p.dilation < 1)
    return vfi_graph_fail (g, name, VFI_ERROR_ARG, "channels %d, kernel %d, stride %d, padding %d, dilation %d", channels, kernel, p.stride,
                           p.padding, p.dilation);
  if (o->first < 0 || o->first > x->c)
    return vfi_graph_fail (g, name, VFI_ERROR_ARG, "the last %d of %d channels", o->first, x->c);
  if (p.groups < 1 || x->c % p.groups || channels % p.groups)
    return vfi_graph_fail (g, name, VFI_ERROR_ARG, "%d groups of %d to %d channels", p.groups, x->c, channels);
  if (o->norm && o->gain)
    return vfi_graph_fail (g, name, VFI_ERROR_ARG, "a norm and a gain");
  if ((o->act == VFI_PRELU) != (o->slopes != NULL))
    return vfi_graph_fail (g, name, VFI_ERROR_ARG, "slopes are of VFI_PRELU, and it needs them");
  h = (x->h + more - reach) / p.stride + 1;
  w = (x->w + more - reach) / p.stride + 1;
  if (x->h + more < reach || x->w + more < reach || h > G_MAXINT || w > G_MAXINT)
    return vfi_graph_fail (g, name, VFI_ERROR_SHAPE,
                           "a kernel that reaches over %" G_GINT64_FORMAT " pixels does not fit into %d x %d, padding %d", reach, x->h,
                           x->w, p.padding);
  if (p.residual && (o->residual->h != h || o->residual->w != w || o->residual->c != channels))
    return vfi_graph_fail (g, name, VFI_ERROR_SHAPE, "the residual is %d x %d x %d, the result %d x %d x %d", o->residual->h,
                           o->residual->w, o->residual->c, (int) h, (int) w, channels);
  node = vfi_graph_add (g, &vfi_op_conv2d, name, &p, sizeof p, src, p.residual ? 2 : 1, o->dtype, (int) h, (int) w, channels);
  if (node)
    add_weights (g, node, &p, o);
  return vfi_node_result (g, node);
}

VfiTensor *
vfi_conv2d_ (VfiGraph *g, const char *name, VfiTensor *x, int channels, int kernel, const VfiConv2d *o)
{
  return add (g, name, x, channels, kernel, VFI_NO_PHASES, o);
}

VfiTensor *
vfi_conv_transpose2d (VfiGraph *g, const char *name, VfiTensor *x, int channels, VfiDType dtype)
{
  return vfi_interleave (g, add (g, name, x, 4 * channels, 2, VFI_TRANSPOSED, &(VfiConv2d){ .padding = 1, .dtype = dtype }));
}

VfiTensor *
vfi_conv2d_nearest (VfiGraph *g, const char *name, VfiTensor *x, int channels, VfiAct act)
{
  return vfi_interleave (g, add (g, name, x, 4 * channels, 2, VFI_NEAREST, &(VfiConv2d){ .padding = 1, .act = act }));
}
