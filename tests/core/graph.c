/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The builder: shapes, weight names, where tensors lie, and the first error with its path.
 */
#include "op.h"
#include "vfi.h"

static void
shapes (void)
{
  VfiGraph *g = vfi_graph_new (VFI_BF16);
  VfiTensor *x = vfi_input (g, "x", VFI_FEATURE, 45, 80, 6), *y;
  const VfiConv2dParams *p;
  const VfiNode *node;

  vfi_push (g, "block%d", 3);
  vfi_push (g, "inner");
  y = vfi_conv2d (g, "0.conv", x, 24, 3, .stride = 2, .padding = 1, .act = VFI_LEAKY_RELU);
  vfi_pop (g);
  vfi_pop (g);
  g_assert_no_error (g->error);
  g_assert_cmpint (vfi_height (y), ==, 23);
  g_assert_cmpint (vfi_width (y), ==, 40);
  g_assert_cmpint (vfi_channels (y), ==, 24);
  g_assert_cmpint (y->dtype, ==, VFI_BF16);

  node = g->nodes->pdata[0];
  p = node->params;
  g_assert_cmpstr (node->path, ==, "block3.inner.0.conv");
  g_assert_cmpfloat (p->slope, ==, 0.01f);
  g_assert_cmpint (p->dilation, ==, 1);
  g_assert_cmpint (node->n_weights, ==, 2);
  g_assert_cmpstr (node->weights[0].name, ==, "block3.inner.0.conv.weight");
  g_assert_cmpint (node->weights[0].rank, ==, 4);
  g_assert_cmpmem (node->weights[0].shape, 16, ((int[]){ 24, 6, 3, 3 }), 16);
  g_assert_cmpstr (node->weights[1].name, ==, "block3.inner.0.conv.bias");
  g_assert_cmpint (node->weights[1].shape[0], ==, 24);
  vfi_graph_free (g);
}

static int
offset_in (VfiTensor *x, VfiTensor *root)
{
  int offset;

  g_assert_true (vfi_tensor_root (x, &offset) == root);
  return offset;
}

static const char *
op_of (VfiGraph *g, guint i)
{
  g_assert_cmpuint (i, <, g->nodes->len);
  return ((VfiNode *) g->nodes->pdata[i])->op->name;
}

/* Inputs of concat that were computed and that nobody holds on to lie in it from then on; and so do their slices. */
static void
concat_moves (void)
{
  VfiGraph *g = vfi_graph_new (VFI_F32);
  VfiTensor *x = vfi_input (g, "x", VFI_F32, 4, 4, 8);
  VfiTensor *a = vfi_conv2d (g, "a", x, 10, 1), *b = vfi_conv2d (g, "b", x, 4, 1);
  VfiTensor *part = vfi_slice (g, a, 3, 2), *half = vfi_slice (g, part, 1, 1);
  VfiTensor *y = vfi_concat (g, b, a), *z = vfi_concat (g, vfi_conv2d (g, "c", x, 2, 1), y);

  g_assert_no_error (g->error);
  g_assert_cmpuint (g->nodes->len, ==, 3);
  g_assert_cmpint (vfi_channels (z), ==, 16);
  g_assert_cmpint (offset_in (b, z), ==, 2);
  g_assert_cmpint (offset_in (a, z), ==, 6);
  g_assert_cmpint (offset_in (part, z), ==, 9);
  g_assert_cmpint (offset_in (half, z), ==, 10);
  vfi_graph_free (g);
}

static void
concat_copies (void)
{
  VfiGraph *g = vfi_graph_new (VFI_BF16);
  VfiTensor *x = vfi_input (g, "x", VFI_FEATURE, 4, 4, 8);
  VfiTensor *a = vfi_conv2d (g, "a", x, 4, 1), *b = vfi_conv2d (g, "b", x, 4, 1), *f = vfi_conv2d (g, "f", x, 4, 1, .dtype = VFI_F32);
  VfiTensor *y;

  vfi_output (g, "b", b);
  /* moved; again; an input; a slice; another type; an output */
  y = vfi_concat (g, a, a, x, vfi_slice (g, x, 2, 3), f, b);
  g_assert_no_error (g->error);
  g_assert_cmpint (vfi_channels (y), ==, 4 + 4 + 8 + 3 + 4 + 4);
  g_assert_cmpuint (g->nodes->len, ==, 3 + 5);
  for (int i = 3; i < 8; i++) {
    const VfiNode *node = g->nodes->pdata[i];

    g_assert_cmpstr (op_of (g, i), ==, "scale");
    g_assert_true (vfi_tensor_root (node->dst, NULL) == y);
  }
  g_assert_cmpint (offset_in (a, y), ==, 0);
  g_assert_true (vfi_tensor_root (b, NULL) == b);
  vfi_graph_free (g);
}

/* An output is always alone in its buffer. */
static void
outputs (void)
{
  VfiGraph *g = vfi_graph_new (VFI_F32);
  VfiTensor *x = vfi_input (g, "x", VFI_F32, 4, 4, 8), *a = vfi_conv2d (g, "a", x, 4, 1), *y = vfi_concat (g, a, x);

  vfi_output (g, "input", x);
  vfi_output (g, "slice", vfi_slice (g, y, 0, 3));
  vfi_output (g, "member", a);
  vfi_output (g, "whole", y);
  vfi_output (g, "whole again", y);
  g_assert_no_error (g->error);
  g_assert_cmpuint (g->nodes->len, ==, 2 + 4);
  for (guint i = 0; i < g->outputs->len; i++) {
    VfiTensor *o = g->outputs->pdata[i];

    g_assert_null (o->parent);
    g_assert_null (o->io_name);
    for (guint j = 0; j < i; j++)
      g_assert_true (g->outputs->pdata[j] != o);
  }
  g_assert_true (g->outputs->pdata[3] == y);
  vfi_graph_free (g);
}

/* What would not change a tensor is no node. */
static void
nothing_to_do (void)
{
  VfiGraph *g = vfi_graph_new (VFI_F32);
  VfiTensor *x = vfi_input (g, "x", VFI_F32, 64, 32, 3);

  g_assert_true (vfi_resample (g, x, 64, 32, VFI_LANCZOS) == x);
  g_assert_true (vfi_crop (g, x, 64, 32) == x);
  g_assert_cmpuint (g->nodes->len, ==, 0);
  g_assert_true (vfi_resample (g, x, 63, 32, VFI_LANCZOS) != x);
  g_assert_cmpuint (g->nodes->len, ==, 1);
  vfi_graph_free (g);
}

/* An operator that needs its tensors dense. */
static const VfiOp dense_op = { "dense", .dense = TRUE };

static void
dense (void)
{
  VfiGraph *g = vfi_graph_new (VFI_F32);
  VfiTensor *x = vfi_input (g, "x", VFI_F32, 4, 4, 8), *a = vfi_conv2d (g, "a", x, 4, 1), *src[] = { a, vfi_slice (g, x, 0, 4) }, *y;
  const VfiNode *node = vfi_graph_add (g, &dense_op, "d", NULL, 0, src, 2, VFI_F32, 4, 4, 4);

  g_assert_cmpuint (g->nodes->len, ==, 3);
  g_assert_true (node->src[0] == a);
  g_assert_true (node->src[1] != src[1] && !node->src[1]->parent);
  y = vfi_concat (g, a, node->dst);
  g_assert_true (vfi_tensor_root (a, NULL) == a);
  g_assert_true (vfi_tensor_root (node->dst, NULL) == node->dst);
  g_assert_cmpuint (g->nodes->len, ==, 5);
  g_assert_cmpint (vfi_channels (y), ==, 8);
  vfi_graph_free (g);
}

/* ---- errors ------------------------------------------------------------------------------------- */

typedef struct
{
  VfiGraph *g;
  VfiTensor *x, *f, *flow, *t; /* 5 x 7 x 8; the same, F32; 5 x 7 x 2, F32; 1 x 1 x 1, F32 */
} Inputs;

#define WRONG(NAME, CALL)                                                                                                                  \
  static void wrong_##NAME (const Inputs *i)                                                                                               \
  {                                                                                                                                        \
    VfiGraph *g = i->g;                                                                                                                    \
    VfiTensor *x = i->x, *f = i->f, *flow = i->flow, *t = i->t;                                                                            \
    (void) x, (void) f, (void) flow, (void) t;                                                                                             \
    CALL;                                                                                                                                  \
  }

WRONG (conv_null, vfi_conv2d (g, "c", NULL, 8, 3))
WRONG (conv_kernel, vfi_conv2d (g, "c", x, 8, 0))
WRONG (conv_channels, vfi_conv2d (g, "c", x, 0, 3))
WRONG (conv_stride, vfi_conv2d (g, "c", x, 8, 3, .stride = -1))
WRONG (conv_padding, vfi_conv2d (g, "c", x, 8, 3, .padding = -1))
WRONG (conv_too_large, vfi_conv2d (g, "c", x, 8, 6))
WRONG (conv_far, vfi_conv2d (g, "c", x, 8, 3, .dilation = G_MAXINT))
WRONG (conv_huge, vfi_conv2d (g, "c", x, 8, 3, .padding = G_MAXINT / 4))
WRONG (conv_residual, vfi_conv2d (g, "c", x, 9, 1, .residual = x))
WRONG (warp_flow, vfi_warp (g, x, x))
WRONG (warp_flow_type, vfi_warp (g, f, vfi_scale (g, flow, NULL, VFI_FEATURE)))
WRONG (warp_time, vfi_warp (g, x, flow, .time = flow))
WRONG (warp_side, vfi_warp (g, x, flow, .time = t, .side = 2))
WRONG (correlation_radius, vfi_correlation (g, x, x, -1))
WRONG (correlation_shape, vfi_correlation (g, x, vfi_slice (g, x, 0, 3), 1))
WRONG (correlation_type, vfi_correlation (g, x, f, 1))
WRONG (shear_channels, vfi_shear (g, x, t))
WRONG (shear_time, vfi_shear (g, vfi_correlation (g, x, x, 1), flow))
WRONG (resize_scale, vfi_resize (g, x, .scale = -2))
WRONG (resize_detail, vfi_resize (g, x, .detail = x))
WRONG (shuffle_factor, vfi_pixel_shuffle (g, x, 0))
WRONG (shuffle_channels, vfi_pixel_shuffle (g, x, 3))
WRONG (pool_factor, vfi_mean_pool (g, x, 6))
WRONG (lucas_picture, vfi_lucas_kanade (g, vfi_slice (g, f, 0, 1), x, t, NULL, NULL, FALSE))
WRONG (lucas_time, vfi_lucas_kanade (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), flow, NULL, NULL, FALSE))
WRONG (lucas_state, vfi_lucas_kanade (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), t, f, NULL, FALSE))
WRONG (lucas_within, vfi_lucas_kanade (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), t, NULL, f, FALSE))
WRONG (search_picture, vfi_inverse_search (g, vfi_slice (g, f, 0, 1), x, f))
WRONG (search_side, vfi_inverse_search (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), f))
WRONG (search_state, vfi_inverse_search (g, vfi_input (g, "a", VFI_F32, 4, 8, 1), vfi_input (g, "b", VFI_F32, 4, 8, 1), f))
WRONG (dense_picture, vfi_dense_search (g, vfi_slice (g, f, 0, 1), x, NULL, .far = 1, .steps = 1))
WRONG (dense_type, vfi_dense_search (g, vfi_slice (g, x, 0, 1), vfi_slice (g, x, 1, 1), NULL, .far = 1, .steps = 1))
WRONG (dense_coarse, vfi_dense_search (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), flow, .far = 1, .steps = 1))
WRONG (dense_channels,
       vfi_dense_search (g, vfi_input (g, "a", VFI_F32, 10, 14, 1), vfi_input (g, "b", VFI_F32, 10, 14, 1), f, .far = 1, .steps = 1))
WRONG (dense_half, vfi_dense_search (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), NULL, .far = 1, .half = 1))
WRONG (dense_far, vfi_dense_search (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), NULL, .rounds = 1, .steps = 1))
WRONG (dense_rounds, vfi_dense_search (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), NULL, .far = 1, .rounds = -1, .steps = 1))
WRONG (dense_first, vfi_dense_search (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), NULL, .first = -1, .far = 1, .steps = 1))
WRONG (dense_steps, vfi_dense_search (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), NULL, .far = 1, .rounds = 1, .steps = -1))
WRONG (weigh_picture, vfi_weigh (g, vfi_slice (g, f, 0, 1), x, t, vfi_slice (g, f, 0, 5), flow, vfi_slice (g, f, 0, 1), NULL))
WRONG (weigh_time,
       vfi_weigh (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), flow, vfi_slice (g, f, 0, 5), flow, vfi_slice (g, f, 0, 1), NULL))
WRONG (weigh_state, vfi_weigh (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), t, f, flow, vfi_slice (g, f, 0, 1), NULL))
WRONG (weigh_flow, vfi_weigh (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), t, vfi_slice (g, f, 0, 5), vfi_slice (g, f, 0, 3),
                              vfi_slice (g, f, 0, 1), NULL))
WRONG (weigh_still,
       vfi_weigh (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), t, vfi_slice (g, f, 0, 5), vfi_slice (g, f, 0, 2), f, NULL))
WRONG (weigh_within,
       vfi_weigh (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), t, vfi_slice (g, f, 0, 5), flow, vfi_slice (g, f, 0, 1), t))
WRONG (within_area, vfi_within (g, t, vfi_input (g, "a", VFI_F32, 1, 1, 4), 8, 8))
WRONG (within_size, vfi_within (g, vfi_input (g, "a", VFI_F32, 1, 1, 4), vfi_input (g, "b", VFI_F32, 1, 1, 4), 0, 8))
WRONG (overlay_picture, vfi_overlay (g, vfi_slice (g, f, 0, 1), x, vfi_slice (g, f, 0, 2), t, vfi_slice (g, f, 0, 2)))
WRONG (overlay_flow, vfi_overlay (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), vfi_rows (g, vfi_slice (g, f, 0, 2), 0, 3), t,
                                  vfi_slice (g, f, 0, 2)))
WRONG (overlay_follows, vfi_overlay (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), vfi_slice (g, f, 0, 2), f, vfi_slice (g, f, 0, 2)))
WRONG (overlay_before, vfi_overlay (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), vfi_slice (g, f, 0, 2), t, vfi_slice (g, f, 0, 3)))
WRONG (still_picture, vfi_still (g, vfi_slice (g, f, 0, 1), x, vfi_slice (g, f, 0, 2), vfi_slice (g, f, 0, 1)))
WRONG (still_flow, vfi_still (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), vfi_slice (g, f, 0, 3), vfi_slice (g, f, 0, 1)))
WRONG (still_overlay, vfi_still (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1), vfi_slice (g, f, 0, 2), f))
WRONG (exposure_picture, vfi_exposure (g, vfi_slice (g, f, 0, 1), x))
WRONG (expose_picture, vfi_expose (g, x, vfi_exposure (g, vfi_slice (g, f, 0, 1), vfi_slice (g, f, 1, 1))))
WRONG (expose_exposure, vfi_expose (g, f, f))
WRONG (crop_size, vfi_crop (g, x, 5, 8))
WRONG (resample_type, vfi_resample (g, vfi_slice (g, x, 0, 3), 3, 3, VFI_LANCZOS))
WRONG (resample_channels, vfi_resample (g, f, 3, 3, VFI_LANCZOS))
WRONG (resample_size, vfi_resample (g, flow, 0, 3, VFI_TRIANGLE))
WRONG (scale_null, vfi_scale (g, NULL, NULL, VFI_F32))
WRONG (slice_first, vfi_slice (g, x, -1, 2))
WRONG (slice_end, vfi_slice (g, x, 7, 2))
WRONG (slice_overflow, vfi_slice (g, x, G_MAXINT, 2))
WRONG (concat_size, vfi_concat (g, x, t))
WRONG (concat_empty, vfi_concat_ (g, VFI_FEATURE, &(VfiTensor *){ NULL }))
WRONG (input_empty, vfi_input (g, "e", VFI_F32, 0, 1, 1))
WRONG (input_huge, vfi_input (g, "e", VFI_F32, 1 << 15, 1 << 15, 2))
WRONG (input_twice, vfi_input (g, "x", VFI_F32, 1, 1, 1))
WRONG (output_twice, vfi_output (g, "o", x); vfi_output (g, "o", f))
WRONG (pop, vfi_pop (g); vfi_pop (g))

static const struct
{
  void (*call) (const Inputs *);
  int code;
  const char *message;
} wrong[] = {
  { wrong_conv_null, VFI_ERROR_ARG, "net.c: source 0 is NULL" },
  { wrong_conv_kernel, VFI_ERROR_ARG, "net.c: channels 8, kernel 0, stride 1, padding 0, dilation 1" },
  { wrong_conv_channels, VFI_ERROR_ARG, "net.c: channels 0, kernel 3, stride 1, padding 0, dilation 1" },
  { wrong_conv_stride, VFI_ERROR_ARG, "net.c: channels 8, kernel 3, stride -1, padding 0, dilation 1" },
  { wrong_conv_padding, VFI_ERROR_ARG, "net.c: channels 8, kernel 3, stride 1, padding -1, dilation 1" },
  { wrong_conv_too_large, VFI_ERROR_SHAPE, "net.c: a kernel that reaches over 6 pixels does not fit into 5 x 7, padding 0" },
  { wrong_conv_far, VFI_ERROR_SHAPE, "net.c: a kernel that reaches over 4294967295 pixels does not fit into 5 x 7, padding 0" },
  { wrong_conv_huge, VFI_ERROR_SHAPE, "net.c: a tensor of 1073741825 x 1073741827 x 8 is too large" },
  { wrong_conv_residual, VFI_ERROR_SHAPE, "net.c: the residual is 5 x 7 x 8, the result 5 x 7 x 9" },
  { wrong_warp_flow, VFI_ERROR_SHAPE, "net.warp: the flow is 5 x 7 x 8, bf16, not 5 x 7 x 2, fp32" },
  { wrong_warp_flow_type, VFI_ERROR_SHAPE, "net.warp: the flow is 5 x 7 x 2, bf16, not 5 x 7 x 2, fp32" },
  { wrong_warp_time, VFI_ERROR_SHAPE, "net.warp: the time is not 1 x 1 x 1, fp32" },
  { wrong_warp_side, VFI_ERROR_ARG, "net.warp: side 2 is neither 0 nor 1" },
  { wrong_correlation_radius, VFI_ERROR_ARG, "net.correlation: radius -1 is not in 0..64" },
  { wrong_correlation_shape, VFI_ERROR_SHAPE, "net.correlation: sources of 5 x 7 x 8, bf16, and 5 x 7 x 3, bf16" },
  { wrong_correlation_type, VFI_ERROR_SHAPE, "net.correlation: sources of 5 x 7 x 8, bf16, and 5 x 7 x 8, fp32" },
  { wrong_shear_channels, VFI_ERROR_SHAPE, "net.shear: 8 channels are no cost volume: not (2 r + 1)^2" },
  { wrong_shear_time, VFI_ERROR_SHAPE, "net.shear: the time is not 1 x 1 x 1, fp32" },
  { wrong_resize_scale, VFI_ERROR_ARG, "net.resize: scale -2 is not in 1..64" },
  { wrong_resize_detail, VFI_ERROR_SHAPE, "net.resize: the detail is 5 x 7 x 8, not 5 x 7 x 32" },
  { wrong_shuffle_factor, VFI_ERROR_ARG, "net.pixel_shuffle: r 0 is not in 1..64" },
  { wrong_shuffle_channels, VFI_ERROR_SHAPE, "net.pixel_shuffle: 8 channels do not make blocks of 3 x 3" },
  { wrong_pool_factor, VFI_ERROR_ARG, "net.mean_pool: k = 6 is not in 1..5" },
  { wrong_lucas_picture, VFI_ERROR_SHAPE, "net.lucas_kanade: the pictures are 5 x 7 x 1 and 5 x 7 x 8, not equal, 1 channel, fp32" },
  { wrong_lucas_time, VFI_ERROR_SHAPE, "net.lucas_kanade: the time is not 1 x 1 x 1, fp32" },
  { wrong_lucas_state, VFI_ERROR_SHAPE, "net.lucas_kanade: the state is 5 x 7 x 8, not 5 x 7 x 5, fp32" },
  { wrong_lucas_within, VFI_ERROR_SHAPE, "net.lucas_kanade: what is within is not 1 x 1 x 4, fp32" },
  { wrong_search_picture, VFI_ERROR_SHAPE, "net.inverse_search: the pictures are 5 x 7 x 1 and 5 x 7 x 8, not equal, 1 channel, fp32" },
  { wrong_search_side, VFI_ERROR_SHAPE, "net.inverse_search: the pictures are 5 x 7, not multiples of 4" },
  { wrong_search_state, VFI_ERROR_SHAPE, "net.inverse_search: the state is 5 x 7 x 8, not 4 x 8 x 5, fp32" },
  { wrong_dense_picture, VFI_ERROR_SHAPE, "net.dense_search: the pictures are 5 x 7 x 1 and 5 x 7 x 8, not equal, 1 channel, fp32" },
  { wrong_dense_type, VFI_ERROR_SHAPE, "net.dense_search: the pictures are 5 x 7 x 1 and 5 x 7 x 1, not equal, 1 channel, fp32" },
  { wrong_dense_coarse, VFI_ERROR_SHAPE, "net.dense_search: the coarser flow is 5 x 7 x 2, not half of 5 x 7 x 2, fp32" },
  { wrong_dense_channels, VFI_ERROR_SHAPE, "net.dense_search: the coarser flow is 5 x 7 x 8, not half of 10 x 14 x 2, fp32" },
  { wrong_dense_half, VFI_ERROR_SHAPE, "net.dense_search: half of 5 x 7: must be even" },
  { wrong_dense_far, VFI_ERROR_ARG, "net.dense_search: 0 first steps, 0 patches away, 1 rounds, 1 steps: must be 0, 1, 0, 0 or more" },
  { wrong_dense_rounds, VFI_ERROR_ARG, "net.dense_search: 0 first steps, 1 patches away, -1 rounds, 1 steps: must be 0, 1, 0, 0 or more" },
  { wrong_dense_first, VFI_ERROR_ARG, "net.dense_search: -1 first steps, 1 patches away, 0 rounds, 1 steps: must be 0, 1, 0, 0 or more" },
  { wrong_dense_steps, VFI_ERROR_ARG, "net.dense_search: 0 first steps, 1 patches away, 1 rounds, -1 steps: must be 0, 1, 0, 0 or more" },
  { wrong_weigh_picture, VFI_ERROR_SHAPE, "net.weigh: the pictures are 5 x 7 x 1 and 5 x 7 x 8, not equal, 1 channel, fp32" },
  { wrong_weigh_time, VFI_ERROR_SHAPE, "net.weigh: the time is not 1 x 1 x 1, fp32" },
  { wrong_weigh_state, VFI_ERROR_SHAPE, "net.weigh: the state is 5 x 7 x 8, not 5 x 7 x 5, fp32" },
  { wrong_weigh_flow, VFI_ERROR_SHAPE, "net.weigh: the flow is 5 x 7 x 3, not 5 x 7 x 2, fp32" },
  { wrong_weigh_still, VFI_ERROR_SHAPE, "net.weigh: what is still is 5 x 7 x 8, not 5 x 7 x 1, fp32" },
  { wrong_weigh_within, VFI_ERROR_SHAPE, "net.weigh: what is within is not 1 x 1 x 4, fp32" },
  { wrong_within_area, VFI_ERROR_SHAPE, "net.within: area 0 is 1 x 1 x 1, not 1 x 1 x 4, fp32" },
  { wrong_within_size, VFI_ERROR_SHAPE, "net.within: of 0 x 8 pixels" },
  { wrong_overlay_picture, VFI_ERROR_SHAPE, "net.overlay: the pictures are 5 x 7 x 1 and 5 x 7 x 8, not equal, 1 channel, fp32" },
  { wrong_overlay_flow, VFI_ERROR_SHAPE, "net.overlay: the flow is 3 x 7 x 2, not 5 x 7 by a whole number, times 2, fp32" },
  { wrong_overlay_follows, VFI_ERROR_SHAPE, "net.overlay: what says whether it follows is not 1 x 1 x 1, fp32" },
  { wrong_overlay_before, VFI_ERROR_SHAPE, "net.overlay: what was before is 5 x 7 x 3, not 5 x 7 x 2, fp32" },
  { wrong_still_overlay, VFI_ERROR_SHAPE, "net.still: the overlay is 5 x 7 x 8, not 5 x 7 x 1, fp32" },
  { wrong_still_picture, VFI_ERROR_SHAPE, "net.still: the pictures are 5 x 7 x 1 and 5 x 7 x 8, not equal, 1 channel, fp32" },
  { wrong_exposure_picture, VFI_ERROR_SHAPE, "net.exposure: the pictures are 5 x 7 x 1 and 5 x 7 x 8, not equal, 1 channel, fp32" },
  { wrong_expose_picture, VFI_ERROR_SHAPE, "net.expose: the picture is not fp32" },
  { wrong_expose_exposure, VFI_ERROR_SHAPE, "net.expose: the exposure is not 1 x 1 x 2, fp32" },
  { wrong_still_flow, VFI_ERROR_SHAPE, "net.still: the flow is 5 x 7 x 3, not 5 x 7 x 2, fp32" },
  { wrong_crop_size, VFI_ERROR_SHAPE, "net.crop: 5 x 8 are not in 5 x 7" },
  { wrong_resample_type, VFI_ERROR_SHAPE, "net.resample: the picture is 5 x 7 x 3, bf16, not of at most 4 channels, fp32" },
  { wrong_resample_channels, VFI_ERROR_SHAPE, "net.resample: the picture is 5 x 7 x 8, fp32, not of at most 4 channels, fp32" },
  { wrong_resample_size, VFI_ERROR_SHAPE, "net.resample: a tensor of 0 x 3 x 2 is empty" },
  { wrong_scale_null, VFI_ERROR_ARG, "net.scale: source 0 is NULL" },
  { wrong_slice_first, VFI_ERROR_SHAPE, "net.slice: 2 channels from -1 of a tensor that has 8" },
  { wrong_slice_end, VFI_ERROR_SHAPE, "net.slice: 2 channels from 7 of a tensor that has 8" },
  { wrong_slice_overflow, VFI_ERROR_SHAPE, "net.slice: 2 channels from 2147483647 of a tensor that has 8" },
  { wrong_concat_size, VFI_ERROR_SHAPE, "net.concat: source 0 is 5 x 7 but source 1 is 1 x 1" },
  { wrong_concat_empty, VFI_ERROR_ARG, "net.concat: nothing to put together" },
  { wrong_input_empty, VFI_ERROR_SHAPE, "net.e: a tensor of 0 x 1 x 1 is empty" },
  { wrong_input_huge, VFI_ERROR_SHAPE, "net.e: a tensor of 32768 x 32768 x 2 is too large" },
  { wrong_input_twice, VFI_ERROR_ARG, "net.x: there are two inputs of this name" },
  { wrong_output_twice, VFI_ERROR_ARG, "net.o: there are two outputs of this name" },
  { wrong_pop, VFI_ERROR_ARG, "vfi_pop: without a push" },
};

/* Everything after an error is harmless and leaves nothing behind. */
static void
use_everything (VfiGraph *g, VfiTensor *x)
{
  VfiTensor *y = vfi_conv2d (g, "late", x, 4, 99, .residual = x), *z;

  z = vfi_concat (g, vfi_warp (g, y, x), vfi_correlation (g, x, y, 1000), vfi_shear (g, y, x), vfi_resize (g, y),
                  vfi_pixel_shuffle (g, y, 9), vfi_slice (g, y, 5, 5));
  vfi_output (g, "late", vfi_scale (g, z, NULL, VFI_F16));
  g_assert_nonnull (z);
  g_assert_cmpint (vfi_height (z) * vfi_width (z) * vfi_channels (z), ==, 1);
}

static void
errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    VfiGraph *g = vfi_graph_new (VFI_BF16);
    Inputs in = { g };
    guint nodes, outputs;

    in.x = vfi_input (g, "x", VFI_FEATURE, 5, 7, 8);
    in.f = vfi_input (g, "f", VFI_F32, 5, 7, 8);
    in.flow = vfi_input (g, "flow", VFI_F32, 5, 7, 2);
    in.t = vfi_input (g, "t", VFI_F32, 1, 1, 1);
    vfi_push (g, "net");
    wrong[i].call (&in);
    g_assert_error (g->error, VFI_ERROR, wrong[i].code);
    g_assert_cmpstr (g->error->message, ==, wrong[i].message);
    nodes = g->nodes->len;
    outputs = g->outputs->len;
    use_everything (g, in.x);
    vfi_push (g, "later");
    vfi_conv2d (g, "c", NULL, 0, 0);
    g_assert_cmpstr (g->error->message, ==, wrong[i].message);
    g_assert_cmpuint (g->nodes->len, ==, nodes);
    g_assert_cmpuint (g->outputs->len, ==, outputs);
    vfi_graph_free (g);
  }
}

/* A tensor of another graph is told apart. */
static void
other_graph (void)
{
  VfiGraph *a = vfi_graph_new (VFI_F32), *b = vfi_graph_new (VFI_F32);

  vfi_scale (a, vfi_input (b, "x", VFI_F32, 1, 1, 1), NULL, VFI_F32);
  g_assert_error (a->error, VFI_ERROR, VFI_ERROR_ARG);
  g_assert_cmpstr (a->error->message, ==, "scale: source 0 is of another graph");
  g_assert_no_error (b->error);
  vfi_graph_free (a);
  vfi_graph_free (b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/shapes", shapes);
  g_test_add_func ("/graph/concat-moves", concat_moves);
  g_test_add_func ("/graph/concat-copies", concat_copies);
  g_test_add_func ("/graph/outputs", outputs);
  g_test_add_func ("/graph/nothing-to-do", nothing_to_do);
  g_test_add_func ("/graph/dense", dense);
  g_test_add_func ("/graph/errors", errors);
  g_test_add_func ("/graph/other-graph", other_graph);
  return g_test_run ();
}
