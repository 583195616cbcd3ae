/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an operator is: a name, the plain C reference, and what it costs. core/ops/NAME.c defines one and its builder
 * function; backends look operators up by pointer.
 */
#pragma once

#include "graph.h"
#include "tensor.h"
#include "vfi.h"

#define VFI_ALL_ROWS (1 << 24) /* more than a picture has */

struct _VfiOp
{
  const char *name; /* "conv2d" */
  gboolean dense;   /* sources and result must have ld == c */
  guint planar;     /* bit i: source i may be planar; others are copied first */
  /* fp32 arithmetic on host views of any dtype. Sources first, in the order of node->src; weights as in the file, fp32. */
  void (*reference) (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst);
  double (*flop) (const VfiNode *node); /* NULL: arithmetic is not the point */
  /* How many rows above and below its own a row of the result may see of source i, whose rows are as many; VFI_ALL_ROWS: it may see any. NULL:
   * so of each source. */
  int (*reach) (const VfiNode *node, int i);
  /* Weights as in the file, in the order they were declared, become in place what kernels get; NULL: they are the same. */
  void (*fold) (const VfiNode *node, float **weights);
};

extern VFI_API const VfiOp vfi_op_conv2d, vfi_op_warp, vfi_op_correlation, vfi_op_shear, vfi_op_resize, vfi_op_pixel_shuffle, vfi_op_scale,
    vfi_op_mean_pool, vfi_op_lucas_kanade, vfi_op_inverse_search, vfi_op_dense_search, vfi_op_weigh, vfi_op_interleave, vfi_op_downsample,
    vfi_op_fill, vfi_op_mix, vfi_op_blend, vfi_op_moments, vfi_op_normalize, vfi_op_affine, vfi_op_warp_zeros, vfi_op_max_pool, vfi_op_crop,
    vfi_op_resample, vfi_op_prelu, vfi_op_resize_corners, vfi_op_sepconv, vfi_op_divide, vfi_op_gate, vfi_op_bridge, vfi_op_weighted_median,
    vfi_op_evidence, vfi_op_opinions, vfi_op_still, vfi_op_overlay, vfi_op_exposure, vfi_op_expose, vfi_op_curve, vfi_op_within,
    vfi_op_contextual_attention;

/* Rows y0 to y1 - 1 of operator curve. */
void vfi_curve_rows (const VfiView *src, const VfiView *dst, int y0, int y1);

/* Parameters of each operator, as node->params. */
typedef enum
{
  VFI_NO_PHASES,
  VFI_TRANSPOSED, /* four phases of a transposed convolution, */
  VFI_NEAREST,    /* or of one of what was enlarged by repeating pixels */
} VfiPhases;

typedef struct
{
  int kernel, stride, padding, after, dilation;
  gboolean bias, residual; /* residual: src[1] */
  VfiAct act;
  float slope;
  /* How the file's weights differ from those of the kernels. */
  gboolean no_file_bias, gain, norm;
  VfiPhases phases;
  int slopes, first, groups;
} VfiConv2dParams; /* weights of kernels: weight (oc, ic, k, k), bias (oc) or NULL, for VFI_PRELU: slopes (oc) */

typedef struct
{
  gboolean timed; /* src: x, flow[, time] */
  int side;
} VfiWarpParams;

typedef struct
{
  int radius; /* src: a, b; for shear: cost, time */
  gboolean one_sided;
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
  gboolean state; /* src: y0, y1, time[, state][, within] */
  gboolean step;  /* the result has two more channels */
} VfiLucasKanadeParams;

typedef struct
{
  int h, w;
} VfiWithinParams;

typedef struct
{
  gboolean warped;
} VfiInverseSearchParams;

typedef struct
{
  gboolean coarse; /* src: y0, y1[, coarser flow] */
  int first, far, rounds, steps;
  int step;   /* between rows of patches, and between the pixels that are asked for: 1 or 2 */
  float gain; /* their flow times this */
} VfiDenseSearchParams;

typedef struct
{
  int r;
} VfiPixelShuffleParams;

typedef struct
{
  gboolean identity; /* all gains are 1 */
  float gain[];      /* channels */
} VfiScaleParams;

typedef struct
{
  int k;
  float gain[]; /* channels */
} VfiDownsampleParams;

typedef struct
{
  gboolean timed; /* src: a, b[, time] */
  float p[3], q[3];
} VfiMixParams;

typedef struct
{
  float gain;
  gboolean tanh, residual, timed; /* src: a, b, logit[, residual][, time] */
} VfiBlendParams;

typedef struct
{
  gboolean unit; /* src: x, m0, m1 */
} VfiNormalizeParams;

typedef struct
{
  float gain, bias[8];
} VfiAffineParams;

typedef struct
{
  gboolean shrink; /* src: x, flow */
} VfiWarpZerosParams;

typedef struct
{
  int gates;
  float slope;
} VfiGateParams;

typedef struct
{
  float enough;
} VfiBridgeParams;

typedef struct
{
  VfiFilter filter;
} VfiResampleParams;

/* One side of resample: result i is the sum of weight[i n + j] times pixel first[i] + j, j < n, all of which there are. first does not decrease. */
typedef struct
{
  int n;
  int *first;
  float *weight;
} VfiTaps;
VFI_API VfiTaps *vfi_taps_new (VfiFilter filter, int from, int to);
VFI_API void vfi_taps_free (VfiTaps *taps);

#define VFI_SEPCONV_MAX 51

typedef struct
{
  int taps;
  gboolean corners, sum; /* src: picture, v, h; weights: weight and bias of either convolution */
} VfiSepconvParams;

/* Where resize_corners samples: pixel i of 2 n lies between *lower and *upper; returns the weight of the latter. */
static inline float
vfi_corners (int i, int n, int *lower, int *upper)
{
  float v = (float) i * (n - 1) / (2 * n - 1);

  *lower = (int) v;
  *upper = *lower + 1 < n ? *lower + 1 : n - 1;
  return v - *lower;
}

/* A polynomial of mix at t. */
static inline float
vfi_mix_gain (const float p[3], float t)
{
  return p[0] + t * (p[1] + t * p[2]);
}

/* log ((1 - t) / t), finite for t in [0, 1]. */
static inline float
vfi_blend_logit (float t)
{
  return t < 1e-6f ? 14 : t > 1 - 1e-6f ? -14 : __builtin_logf ((1 - t) / t);
}

/* What normalize subtracts and then multiplies by. */
static inline void
vfi_normalize_by (const float m0[2], const float m1[2], gboolean unit, float *mean, float *gain)
{
  double m = (m0[0] + (double) m1[0]) / 2, v = (m0[1] + (double) m1[1]) / 2 - m * m;

  *mean = (float) m;
  *gain = unit ? (float) (1 / (__builtin_sqrt (v > 0 ? v : 0) + 1e-7)) : 1;
}

/* Whether an activation multiplies what is negative, and that is all. */
static inline gboolean
vfi_act_is_slope (VfiAct act)
{
  return act == VFI_LINEAR || act == VFI_RELU || act == VFI_LEAKY_RELU || act == VFI_PRELU;
}

static inline float
vfi_act_apply (VfiAct act, float slope, float v)
{
  switch (act) {
    case VFI_RELU:
      return v > 0 ? v : 0;
    case VFI_LEAKY_RELU:
    case VFI_PRELU:
      return v > 0 ? v : v * slope;
    case VFI_SIGMOID:
      return 1 / (1 + __builtin_expf (-v));
    case VFI_TANH:
      return __builtin_tanhf (v);
    case VFI_ELU:
      return v > 0 ? v : __builtin_expm1f (v);
    case VFI_HARDTANH:
      return v < -1 ? -1 : v > 1 ? 1 : v;
    default:
      return v;
  }
}
