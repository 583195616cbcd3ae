/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an operator is: a name, the plain C reference, and what it costs. core/ops/NAME.c defines one and its builder
 * function; backends look operators up by pointer.
 */
#pragma once

#include "graph.h"
#include "tensor.h"

struct _VfiOp
{
  const char *name; /* "conv2d" */
  gboolean dense;   /* sources and result must have ld == c */
  guint planar;     /* bit i: source i may be planar; others are copied first */
  /* fp32 arithmetic on host views of any dtype. Sources first, in the order of node->src; weights as in the file, fp32. */
  void (*reference) (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst);
  double (*flop) (const VfiNode *node); /* NULL: arithmetic is not the point */
};

extern const VfiOp vfi_op_conv2d, vfi_op_warp, vfi_op_correlation, vfi_op_shear, vfi_op_resize, vfi_op_pixel_shuffle, vfi_op_scale,
    vfi_op_mean_pool, vfi_op_lucas_kanade;

/* Parameters of each operator, as node->params. */
typedef struct
{
  int kernel, stride, padding, dilation;
  gboolean bias, residual; /* residual: src[1] */
  VfiAct act;
  float slope;
} VfiConv2dParams; /* weights: weight (oc, ic, k, k), bias (oc) */

typedef struct
{
  gboolean timed; /* src: x, flow[, time] */
  int side;
} VfiWarpParams;

typedef struct
{
  int radius; /* src: a, b; for shear: cost, time */
} VfiCorrelationParams;

typedef struct
{
  int scale;
  gboolean detail; /* src: x[, detail] */
  float gain[];    /* channels of x */
} VfiResizeParams;

typedef struct
{
  int k;
} VfiMeanPoolParams;

typedef struct
{
  gboolean state; /* src: y0, y1, time[, state] */
  gboolean step;  /* the result has two more channels */
} VfiLucasKanadeParams;

typedef struct
{
  int r;
} VfiPixelShuffleParams;

typedef struct
{
  gboolean identity; /* all gains are 1 */
  float gain[];      /* channels */
} VfiScaleParams;

static inline float
vfi_act_apply (VfiAct act, float slope, float v)
{
  switch (act) {
    case VFI_RELU:
      return v > 0 ? v : 0;
    case VFI_LEAKY_RELU:
      return v > 0 ? v : v * slope;
    case VFI_SIGMOID:
      return 1 / (1 + __builtin_expf (-v));
    case VFI_TANH:
      return __builtin_tanhf (v);
    default:
      return v;
  }
}
