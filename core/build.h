/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The builder: how a network is described, once, for every backend.
 *
 * What models/ may include, and all it needs. Shapes are worked out at once, tensors are handles owned by the graph. The first
 * error is kept with the path of its layer; after it every call is a no-op that returns a valid dummy handle, so a model
 * has no error checks. Options are compound literals with PyTorch's names and defaults (0 means the default):
 *
 *     x = vfi_conv2d (g, "conv1", x, 64, 3, .stride = 2, .padding = 1, .act = VFI_RELU);
 *
 * Layout is NHWC. `flow` is in pixels of its own grid, x then y.
 */
#pragma once

#include <glib.h>

typedef struct _VfiGraph VfiGraph;
typedef struct _VfiTensor VfiTensor;

typedef enum
{
  VFI_FEATURE, /* the plan's precision: fp32, bf16 or fp16; the default */
  VFI_F32,     /* flows, coordinates, masks, sums */
  VFI_BF16,
  VFI_F16,
} VfiDType;

typedef enum
{
  VFI_LINEAR,
  VFI_RELU,
  VFI_LEAKY_RELU, /* .slope, default 0.01 */
  VFI_SIGMOID,
  VFI_TANH,
  VFI_PRELU,    /* .slopes */
  VFI_ELU,      /* v where it is positive, else exp (v) - 1 */
  VFI_HARDTANH, /* clamped to -1..1 */
} VfiAct;

/* The dotted prefix of weight names: push "block1" then conv "0.conv" asks for "block1.0.conv.weight". */
void vfi_push (VfiGraph *g, const char *format, ...) G_GNUC_PRINTF (2, 3);
void vfi_pop (VfiGraph *g);
/* "conv%d" filled in, for a call below; valid until the thread's next one of these. */
const char *vfi_numbered (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* The size at which motion is worked out, 0.25 to 1: for networks that see pictures (VFI_RGB); h and w are the whole picture's all the same. */
double vfi_flow_scale (const VfiGraph *g);

VfiTensor *vfi_input (VfiGraph *g, const char *name, VfiDType dtype, int h, int w, int c);
/* One that another graph's output is whose channels lie apart: a flow, a state. F32. */
VfiTensor *vfi_input_planes (VfiGraph *g, const char *name, int h, int w, int c);
void vfi_output (VfiGraph *g, const char *name, VfiTensor *x);

int vfi_height (const VfiTensor *x);
int vfi_width (const VfiTensor *x);
int vfi_channels (const VfiTensor *x);

/* ---- layers: one core/ops/NAME.c each ----------------------------------------------------------- */

/* act (conv (x) + bias + residual). Weights NAME.weight (channels, in, kernel, kernel) and NAME.bias. Other weights lie beside NAME under
 * names of their own; what is linear among them is folded when the plan is made and costs nothing. */
typedef struct
{
  int stride, padding, dilation; /* defaults 1, 0, 1 */
  int after;                     /* rows below and columns on the right that are padded besides */
  gboolean no_bias;
  const char *norm;    /* a torch.nn.BatchNorm2d in evaluation, on conv (x) + bias: its .weight, .bias, .running_mean, .running_var */
  const char *gain;    /* a weight (1, channels, 1, 1) that conv (x) + bias is multiplied by */
  VfiTensor *residual; /* the shape of the result, added before the activation */
  VfiAct act;
  float slope;
  int groups; /* default 1; more: the file's weight is (channels, in / groups, kernel, kernel), as torch.nn.Conv2d has it. Made whole when the plan is made, with zeros */
  int first;  /* so many last channels of x are the first ones of the file's weight */
  const char *slopes; /* VFI_PRELU: the weight with a slope for each channel, */
  gboolean one_slope; /* or one for all */
  VfiDType dtype;     /* of the result */
} VfiConv2d;
VfiTensor *vfi_conv2d_ (VfiGraph *g, const char *name, VfiTensor *x, int channels, int kernel, const VfiConv2d *o);
#define vfi_conv2d(g, name, x, channels, kernel, ...) vfi_conv2d_ (g, name, x, channels, kernel, &(VfiConv2d){ __VA_ARGS__ })

/* torch.nn.ConvTranspose2d with kernel 4, stride 2, padding 1: twice the size. Weights NAME.weight (in, channels, 4, 4) and NAME.bias. A
 * convolution of its own kind and an interleave. */
VfiTensor *vfi_conv_transpose2d (VfiGraph *g, const char *name, VfiTensor *x, int channels, VfiDType dtype);

/* torch.nn.Upsample (scale_factor = 2, nearest), and of that Conv2d with kernel 3 and padding 1: twice the size. Weights NAME.weight (channels, in, 3, 3) and
 * NAME.bias. A convolution of its own kind and an interleave: 4 taps in place of 9. */
VfiTensor *vfi_conv2d_nearest (VfiGraph *g, const char *name, VfiTensor *x, int channels, VfiAct act);

/* (h + 1, w + 1, 4 c) -> (2 h, 2 w, c): the four phases of either; see core/ops/interleave.c. */
VfiTensor *vfi_interleave (VfiGraph *g, VfiTensor *x);

/* x sampled (bilinear, coordinates clamped to the border) at p + gain flow (p). flow: F32, 2 channels, same size as x.
 * gain is 1 without `time`; with it (F32, 1x1x1: t) it is -t for side 0 and 1 - t for side 1, so that flow is a velocity. */
typedef struct
{
  VfiTensor *time;
  int side;
} VfiWarp;
VfiTensor *vfi_warp_ (VfiGraph *g, VfiTensor *x, VfiTensor *flow, const VfiWarp *o);
#define vfi_warp(g, x, flow, ...) vfi_warp_ (g, x, flow, &(VfiWarp){ __VA_ARGS__ })

/* Local cost volume, (2 radius + 1)^2 channels: the mean over channels of a (p - d) b (p + d), 0 outside the picture; one_sided:
 * of a (p) b (p + d). Channel (dy + radius) (2 radius + 1) + dx + radius. */
typedef struct
{
  gboolean one_sided;
} VfiCorrelation;
VfiTensor *vfi_correlation_ (VfiGraph *g, VfiTensor *a, VfiTensor *b, int radius, const VfiCorrelation *o);
#define vfi_correlation(g, a, b, radius, ...) vfi_correlation_ (g, a, b, radius, &(VfiCorrelation){ __VA_ARGS__ })

/* A symmetric cost volume of vfi_correlation seen from time t: channel d sampled (bilinear, 0 outside) at p + (1 - 2 t) d. */
VfiTensor *vfi_shear (VfiGraph *g, VfiTensor *cost, VfiTensor *time);

/* Bilinear, align_corners = False, to `scale` (integer, default 2) times the size; channel c is then multiplied by gain[c]
 * (all 1 if gain is NULL) and `detail` is added: a tensor of scale^2 times the channels at the size of x, pixel-shuffled. */
typedef struct
{
  int scale;
  const float *gain; /* channels of x; copied */
  VfiTensor *detail;
} VfiResize;
VfiTensor *vfi_resize_ (VfiGraph *g, VfiTensor *x, const VfiResize *o);
#define vfi_resize(g, x, ...) vfi_resize_ (g, x, &(VfiResize){ __VA_ARGS__ })

/* Mean over k x k pixels and all channels: (h, w, c) -> (h / k, w / k, 1), F32. */
VfiTensor *vfi_mean_pool (VfiGraph *g, VfiTensor *x, int k);

/* One Lucas-Kanade step in closed form on pictures y0, y1 (F32, 1 channel), seen from time t. state (F32, 5 channels: v0x v0y v1x v1y
 * logit, pixels per pair interval) is where it starts; NULL is zero. With d the step, at most 1 pixel, the result is v0 + d,
 * v1 + d, logit: 5 channels, F32; with `step`, 7: also d. within (vfi_within), or NULL: what is outside of it is outside of the pictures. */
VfiTensor *vfi_lucas_kanade (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *time, VfiTensor *state, VfiTensor *within,
                             gboolean step);

/* The flow v1 of a state (as above, at t = 0), looked for anew with patches of pictures y0, y1 (F32, 1 channel, sides multiples of 4), where that explains
 * them better; the rest as it is: 5 channels, F32. With `warped` (any t) the pictures have been sampled along v0 and v1: what is left between them is looked for,
 * from zero on, and added to both. */
typedef struct
{
  gboolean warped;
} VfiInverseSearch;
VfiTensor *vfi_inverse_search_ (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *state, const VfiInverseSearch *o);
#define vfi_inverse_search(g, y0, y1, state, ...) vfi_inverse_search_ (g, y0, y1, state, &(VfiInverseSearch){ __VA_ARGS__ })

/* The flow from picture y0 to picture y1 (F32, 1 channel), looked for with patches, starting from that on a grid half as fine (F32, 2 channels), or from nothing
 * (NULL): 2 channels, F32, pixels. What is found in `first` steps of Lucas-Kanade is handed on `rounds` times to patches that lie `far` patches away, then half as
 * far and so on, and `steps` are taken from there. `half`, unless 0: of every second row of patches only, and the flow of every second pixel in both directions, times
 * that; sides must be even then. */
typedef struct
{
  int first, far, rounds, steps;
  float half;
} VfiDenseSearch;
VfiTensor *vfi_dense_search_ (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *coarse, const VfiDenseSearch *o);
#define vfi_dense_search(g, y0, y1, coarse, ...) vfi_dense_search_ (g, y0, y1, coarse, &(VfiDenseSearch){ __VA_ARGS__ })

/* A state (as above) seen from time t and, of a second opinion on motion, a flow from y0 to y1 (F32, 2 channels), the velocity that t sees and its weight, by how much more alike the
 * pictures y0, y1 (F32, 1 channel) are along it. 8 channels, F32: v0x v0y v1x v1y logit, weight x y. Velocities that are nearly the same become one; both become none by
 * as much as `still` says (vfi_still). within as for vfi_lucas_kanade. */
VfiTensor *vfi_weigh (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *time, VfiTensor *state, VfiTensor *flow, VfiTensor *still,
                      VfiTensor *within);

/* What lies over the picture and stays while it moves, captions and logos, by all pairs of pictures of a stream so far: planar, 2 channels, F32: how often a pixel of y0, y1 (F32, 1 channel) did not change that
 * should have by the flow from y0 to y1 (F32, 2 channels, on a grid a whole number of times as coarse); and what that proves, 0 to 1. before: what this gave for the pair before, if follows (F32, 1x1x1) is not 0; both may be one place. */
VfiTensor *vfi_overlay (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *flow, VfiTensor *follows, VfiTensor *before);

/* Where pictures y0, y1 (F32, 1 channel) stand still, and a flow from y0 to y1 (F32, 2 channels) says worse: 1 there, 0 where they do not, 1 channel, F32; or overlay (F32, 1 channel), where that is more. */
VfiTensor *vfi_still (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *flow, VfiTensor *overlay);

/* Where things are at time t that do not move straight (core/ops/curve.c): how far from there they would seem, 2 channels, F32, on the grid of the flows. now, before, after (F32, 2 channels, of one size): the
 * pair's flow and those of the pairs before and after; lasts (F32, 1x1x2): how long these two last, in times of the pair; 0: there is none. */
VfiTensor *vfi_curve (VfiGraph *g, VfiTensor *now, VfiTensor *before, VfiTensor *after, VfiTensor *time, VfiTensor *lasts);

/* A state (as above, at t = 0) whose flow v1, where it is not sure, becomes the median of that round it, of what looks alike in luma (1 channel) and chroma (2) and is not far `apart`
 * (2 channels: the flow, and the flow back as it is seen along it, added). All F32; 5 channels. */
VfiTensor *vfi_weighted_median (VfiGraph *g, VfiTensor *state, VfiTensor *apart, VfiTensor *luma, VfiTensor *chroma);

/* How well a motion on a grid half as fine (F32: a flow seen from time t, 2 channels, or the first four of a state) explains pictures y0, y1 (F32, 1 channel): a logit, 1 channel,
 * F32. within as for vfi_lucas_kanade. */
VfiTensor *vfi_evidence (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *time, VfiTensor *motion, VfiTensor *within);

/* What the areas of both frames have in common ("0.area", "1.area" of `pair`: F32, 1x1x4, on a grid of h x w): 1x1x4, F32: top, left, bottom, right as parts of the picture's sides. */
VfiTensor *vfi_within (VfiGraph *g, VfiTensor *area0, VfiTensor *area1, int h, int w);

/* A state (5 channels) with n further opinions on motion, flows seen from its time (x and y of each), weighted by the evidence for all n + 1 (logits). All F32; 5 + 3 n channels:
 * v0x v0y v1x v1y, logit times `trust`, and of each further one weight x y. */
typedef struct
{
  float trust;
} VfiOpinions;
VfiTensor *vfi_opinions_ (VfiGraph *g, VfiTensor *state, VfiTensor *evidence, VfiTensor *flows, const VfiOpinions *o);
#define vfi_opinions(g, state, evidence, flows, ...) vfi_opinions_ (g, state, evidence, flows, &(VfiOpinions){ __VA_ARGS__ })

/* (h, w, c r^2) -> (h r, w r, c); channel c r^2 + i r + j goes to row i, column j, as torch.nn.PixelShuffle. */
VfiTensor *vfi_pixel_shuffle (VfiGraph *g, VfiTensor *x, int r);

/* The mean of the four pixels in the middle of each k x k, k even: bilinear reduction with align_corners = False, and for k = 2 average
 * pooling. (h, w, c) -> (h / k, w / k, c); channel c is then multiplied by gain[c] (all 1 if gain is NULL). */
VfiTensor *vfi_downsample (VfiGraph *g, VfiTensor *x, int k, const float *gain);

/* h x w x 1, VFI_FEATURE, of the one number of `value` (F32, 1x1x1: t). */
VfiTensor *vfi_fill (VfiGraph *g, VfiTensor *value, int h, int w);

/* p (t) a + q (t) b, tensors of one shape, to the type of a. p and q are polynomials: p[0] + p[1] t + p[2] t^2; NULL is 1. time (F32, 1x1x1)
 * may be NULL: 0. */
typedef struct
{
  VfiTensor *time;
  const float *p, *q; /* 3 each; copied */
} VfiMix;
VfiTensor *vfi_mix_ (VfiGraph *g, VfiTensor *a, VfiTensor *b, const VfiMix *o);
#define vfi_mix(g, a, b, ...) vfi_mix_ (g, a, b, &(VfiMix){ __VA_ARGS__ })

/* Pictures a and b by how likely each is: m a + (1 - m) b + residual, m = sigmoid (gain logit (, 1 channel) [+ log ((1 - t) / t)]). All F32. */
typedef struct
{
  float gain;          /* default 1 */
  gboolean tanh;       /* instead m = (1 + logit) / 2: what is given is a tanh */
  VfiTensor *time;     /* F32 1x1x1, or NULL: without the term in t */
  VfiTensor *residual; /* or NULL */
} VfiBlend;
VfiTensor *vfi_blend_ (VfiGraph *g, VfiTensor *a, VfiTensor *b, VfiTensor *logit, const VfiBlend *o);
#define vfi_blend(g, a, b, logit, ...) vfi_blend_ (g, a, b, logit, &(VfiBlend){ __VA_ARGS__ })

/* Over all pixels and channels: (h, w, c) -> (1, 1, 2), F32: the mean, and the mean of the squares. */
VfiTensor *vfi_moments (VfiGraph *g, VfiTensor *x);

/* x less the mean that pictures of moments m0 and m1 have together; with `unit`, then divided by their standard deviation + 1e-7. F32. */
VfiTensor *vfi_normalize (VfiGraph *g, VfiTensor *x, VfiTensor *m0, VfiTensor *m1, gboolean unit);

/* By what y1 becomes as bright as y0 (both F32, 1 channel, small), if all of it became brighter or darker: gain and bias, (1, 1, 2), F32; 1 and 0 where it did not. */
VfiTensor *vfi_exposure (VfiGraph *g, VfiTensor *y0, VfiTensor *y1);

/* x, F32, times the gain of an exposure, plus its bias. */
VfiTensor *vfi_expose (VfiGraph *g, VfiTensor *x, VfiTensor *exposure);

/* x (at most 8 channels) times gain, plus bias[c]. */
VfiTensor *vfi_affine (VfiGraph *g, VfiTensor *x, float gain, const float *bias, VfiDType dtype);

/* x sampled (bilinear, 0 outside) at k (p + flow (p)); k = 1, or with `shrink` (size - 1) / size. flow as for vfi_warp. */
VfiTensor *vfi_warp_zeros (VfiGraph *g, VfiTensor *x, VfiTensor *flow, gboolean shrink);

/* The largest of each 2 x 2 pixels. */
VfiTensor *vfi_max_pool (VfiGraph *g, VfiTensor *x);

/* The first h rows and w columns; x itself if it has no more. */
VfiTensor *vfi_crop (VfiGraph *g, VfiTensor *x, int h, int w);

/* x (F32, at most 4 channels) at another size, as Pillow resizes pictures of floats: see core/ops/resample.c; x itself if it has that size. */
typedef enum
{
  VFI_TRIANGLE, /* bilinear where it enlarges; of as many more pixels where it reduces */
  VFI_LANCZOS,
} VfiFilter;
VfiTensor *vfi_resample (VfiGraph *g, VfiTensor *x, int h, int w, VfiFilter filter);

/* v where it is positive, else v times the one slope of weight NAME.weight. */
VfiTensor *vfi_prelu (VfiGraph *g, const char *name, VfiTensor *x);

/* Bilinear, align_corners = True, to twice the size. */
VfiTensor *vfi_resize_corners (VfiGraph *g, VfiTensor *x);

/* A picture (F32) filtered for each pixel with a column and a row of `taps` numbers that 3 x 3 convolutions, by their names, make of features v
 * and h: see core/ops/sepconv.c. F32; with `sum`, a channel more. */
typedef struct
{
  const char *vertical, *horizontal; /* with weights .weight (taps, in, 3, 3) and .bias */
  gboolean corners;                  /* v and h have half the picture's size */
  gboolean sum;
} VfiSepconv;
VfiTensor *vfi_sepconv_ (VfiGraph *g, VfiTensor *picture, VfiTensor *v, VfiTensor *h, int taps, const VfiSepconv *o);
#define vfi_sepconv(g, picture, v, h, taps, ...) vfi_sepconv_ (g, picture, v, h, taps, &(VfiSepconv){ __VA_ARGS__ })

/* All channels but the last divided by the last, or by 1 where it is less than 0.01 from 0. */
VfiTensor *vfi_divide (VfiGraph *g, VfiTensor *x);

/* Features, and after them `gates` gates, each of features that are `gates` apart: leaky ReLU (of `slope`) of the former times sigmoid of the
 * latter. (h, w, n + gates) -> (h, w, n): what follows the convolution of a gated one. */
VfiTensor *vfi_gate (VfiGraph *g, VfiTensor *x, int gates, float slope);

/* x: n sums, and of how much (F32); known is what is of more than `enough`. (h, w, n + 1) -> (h, w, 2 n + 2), F32: their quotients, which are linear
 * between the nearest known pixels where a pixel is not known, along rows, and then along columns; and by how much these two differ, in either. */
VfiTensor *vfi_bridge (VfiGraph *g, VfiTensor *x, float enough);

/* Features, those in the mask made of those outside of it that look like them: contextual attention (core/ops/contextual_attention.c). x: even sides; mask: F32, 1 channel,
 * sides multiples of half those of x; what is not 0 is masked. */
VfiTensor *vfi_contextual_attention (VfiGraph *g, VfiTensor *x, VfiTensor *mask);

/* Copies, converts to dtype, and multiplies channel c by gain[c] (NULL: 1). */
VfiTensor *vfi_scale (VfiGraph *g, VfiTensor *x, const float *gain, VfiDType dtype);
/* x in another type; x itself, where it is of that type. */
VfiTensor *vfi_cast (VfiGraph *g, VfiTensor *x, VfiDType dtype);

/* Channels first..first + channels - 1 of x. Costs nothing: a view. */
VfiTensor *vfi_slice (VfiGraph *g, VfiTensor *x, int first, int channels);

/* Rows first..first + rows - 1 of x. Costs nothing: a view. */
VfiTensor *vfi_rows (VfiGraph *g, VfiTensor *x, int first, int rows);

/* Rows of all n inputs one after the other, in the type of the first. Inputs are produced in place where possible, else copied. */
VfiTensor *vfi_stack (VfiGraph *g, VfiTensor **xs, int n);

/* Channels of all inputs one after the other, VFI_FEATURE or another type. Inputs are produced in place where possible, else copied. */
VfiTensor *vfi_concat_ (VfiGraph *g, VfiDType dtype, VfiTensor **xs);
#define vfi_concat(g, ...) vfi_concat_ (g, VFI_FEATURE, (VfiTensor *[]){ __VA_ARGS__, NULL })

/* ---- what a model file exports ------------------------------------------------------------------ */

/* What a network sees and gives. */
typedef enum
{
  VFI_NATIVE, /* samples of the frame's own planes, and motion by which the new frame is made from those planes */
  VFI_RGB,    /* a picture, and a picture */
  VFI_BGR,
} VfiOrder;

/* How a frame becomes a network's picture: see core/frame.h. */
typedef struct
{
  VfiOrder order;
  gboolean zeros;     /* padding is 0, not the nearest pixel */
  gboolean centred;   /* it lies on all sides, not only right and bottom */
  gboolean truncates; /* results are cut off to the levels of the frame, not rounded */
} VfiPicture;

/* An interpolation network is up to four static graphs; h, w are the padded frame's, multiples of `multiple`.
 *   frame: run once for each new frame.  input "x": VFI_FEATURE h/2 w/2 6 (see core/frame.h: pack). Outputs: any names.
 *   pair:  run once for each pair.       inputs "0.NAME", "1.NAME": outputs of frame for both, and "0.area", "1.area" (F32 1 1 4; core/frame.h: area).  Outputs: any names; where all begin with "0." or "1.",
 *          they are of the one frame or the other, and serve the pair the other way round. "kept.NAME", an input and an output in one place, is what is known of a stream: it comes as the pair before left it,
 *          where input "follows" (F32 1 1 1) is 1; where that is 0 the stream begins and what comes means nothing. May be NULL.
 *   at:    run for each t.               inputs: those of pair, outputs of pair, "t" (F32 1 1 1).
 *          output "state": F32 h/2 w/2 5 + 3 n: v0x v0y v1x v1y logit, and n times q ux uy (see core/frame.h: synthesize).
 *   bend:  run for each t where the pair before or the one after is known. inputs: outputs of pair, also those of the pair before and the one after ("before.NAME", "after.NAME"), "t", and "lasts" (F32 1 1 2:
 *          how long these two last, in times of the pair; 0: it is not known, and what was given for it means nothing). output "bend": F32 h/16 w/16 2 (see core/frame.h: synthesize). NULL: motion is straight.
 * Where picture.order is VFI_RGB or VFI_BGR, the input of frame is "picture", F32 h w 3, instead of "x"; the output of at is "result", likewise,
 * instead of "state"; and h, w are multiples of multiple / vfi_flow_scale. Where any_t is FALSE there is no "t": the result is the middle.
 * A flow network's state is h w 5, without a second: t, which `pair` may take too, is 0, v1 of the state is the flow from frame 0 to frame 1 in pixels, on the grid
 * of frame 0, and sigmoid (logit) the confidence that what is seen there is seen in frame 1.
 * A network that fills holes is `frame` alone, run once for each:
 *   inpainting: input "picture", F32 h w 4: r, g, b (or b, g, r) in [0, 1] whose hole was filled smoothly (harmonic), and the mask, 1 in the hole. Output
 *               "result", F32 h w 3: the picture as a whole, not clamped.
 *   completion: input "flow", F32 h w 3: x and y of flow whose hole was filled smoothly, less their mean over the known pixels, divided by the
 *               deviation from it (the root of the mean square of its length) + 0.5 pixels; and the mask. Output "result", F32 h w 2: what to
 *               add in the hole, in the same units. */
typedef struct _VfiModel VfiModel;
struct _VfiModel
{
  const char *name;
  const char *task; /* "interpolation", "flow", "inpainting" or "completion" */
  const char *summary, *paper;
  const char *weights; /* the network whose weights it takes; NULL: it has its own */
  const char *source;  /* whose checkpoint its weights are converted from, and their licence; NULL: they ship with this project */
  gboolean any_t;
  gboolean any_scale; /* of pictures: the graphs heed vfi_flow_scale */
  VfiPicture picture;
  int taps; /* of states, 4 or 6: how finely frames are sampled (core/frame.h: synthesize) */
  int multiple;
  gconstpointer config; /* the model file's own */
  void (*frame) (VfiGraph *g, const VfiModel *model, int h, int w);
  void (*pair) (VfiGraph *g, const VfiModel *model, int h, int w);
  void (*at) (VfiGraph *g, const VfiModel *model, int h, int w);
  void (*bend) (VfiGraph *g, const VfiModel *model, int h, int w);
};

/* models/list.c.in: NULL-terminated, in order of preference. */
extern const VfiModel *const vfi_models[];
