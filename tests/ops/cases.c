/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The table of operator cases: every option, odd sizes, single pixels, motion far beyond the border.
 */
#include "../generate.h"
#include "harness.h"

#define CONV(NAME, H, W, C, CHANNELS, KERNEL)                                                                                              \
  .name = "conv2d/" NAME, .op = &vfi_op_conv2d, .h = H, .w = W, .c = C, .channels = CHANNELS, .kernel = KERNEL
#define WARP(NAME, H, W, C) .name = "warp/" NAME, .op = &vfi_op_warp, .h = H, .w = W, .c = C
#define CORRELATION(NAME, H, W, C, R) .name = "correlation/" NAME, .op = &vfi_op_correlation, .h = H, .w = W, .c = C, .radius = R
#define SHEAR(NAME, H, W, R, T)                                                                                                            \
  .name = "shear/" NAME, .op = &vfi_op_shear, .h = H, .w = W, .c = (2 * R + 1) * (2 * R + 1), .radius = R, .time = T
#define RESIZE(NAME, H, W, C, S) .name = "resize/" NAME, .op = &vfi_op_resize, .h = H, .w = W, .c = C, .scale = S
#define SHUFFLE(NAME, H, W, C, R) .name = "pixel_shuffle/" NAME, .op = &vfi_op_pixel_shuffle, .h = H, .w = W, .c = C, .scale = R
#define POOL(NAME, H, W, C, K) .name = "mean_pool/" NAME, .op = &vfi_op_mean_pool, .h = H, .w = W, .c = C, .scale = K, .dst_f32 = TRUE
#define LUCAS_KANADE(NAME, H, W, T)                                                                                                        \
  .name = "lucas_kanade/" NAME, .op = &vfi_op_lucas_kanade, .h = H, .w = W, .c = 1, .time = T, .src_f32 = TRUE, .dst_f32 = TRUE
#define INVERSE_SEARCH(NAME, H, W, F)                                                                                                      \
  .name = "inverse_search/" NAME, .op = &vfi_op_inverse_search, .h = H, .w = W, .c = 1, .flow = F, .src_f32 = TRUE, .dst_f32 = TRUE
#define DENSE_SEARCH(NAME, H, W, FIRST, FAR, ROUNDS, STEPS)                                                                                \
  .name = "dense_search/" NAME, .op = &vfi_op_dense_search, .h = H, .w = W, .c = 1, .conv = { .stride = FIRST }, .radius = FAR,            \
  .scale = ROUNDS, .kernel = STEPS, .src_f32 = TRUE, .dst_f32 = TRUE
#define WEIGH(NAME, H, W, F, T)                                                                                                            \
  .name = "weigh/" NAME, .op = &vfi_op_weigh, .h = H, .w = W, .c = 1, .flow = F, .time = T, .src_f32 = TRUE, .dst_f32 = TRUE
#define STILL(NAME, H, W, NOISE)                                                                                                           \
  .name = "still/" NAME, .op = &vfi_op_still, .h = H, .w = W, .c = 1, .flow = NOISE, .src_f32 = TRUE, .dst_f32 = TRUE
/* Flow is on a grid K times as coarse; named "first" where nothing was before. */
#define OVERLAY(NAME, H, W, K, F)                                                                                                          \
  .name = "overlay/" NAME, .op = &vfi_op_overlay, .h = H, .w = W, .c = 1, .scale = K, .flow = F, .src_f32 = TRUE, .dst_f32 = TRUE
/* One picture of waves, and the next with this gain. */
#define EXPOSURE(NAME, H, W, GAIN)                                                                                                         \
  .name = "exposure/" NAME, .op = &vfi_op_exposure, .h = H, .w = W, .c = 1, .flow = GAIN, .src_f32 = TRUE, .dst_f32 = TRUE
#define EXPOSE(NAME, H, W, C) .name = "expose/" NAME, .op = &vfi_op_expose, .h = H, .w = W, .c = C, .src_f32 = TRUE, .dst_f32 = TRUE
/* Named for the pairs that there are beside the one between. */
#define CURVE(NAME, H, W, F, T)                                                                                                            \
  .name = "curve/" NAME, .op = &vfi_op_curve, .h = H, .w = W, .c = 2, .flow = F, .time = T, .src_f32 = TRUE, .dst_f32 = TRUE
#define WEIGHTED_MEDIAN(NAME, H, W, F)                                                                                                     \
  .name = "weighted_median/" NAME, .op = &vfi_op_weighted_median, .h = H, .w = W, .c = 5, .flow = F, .src_f32 = TRUE, .dst_f32 = TRUE
/* Of pictures of h x w; residual: along a state, else along a flow. */
#define EVIDENCE(NAME, H, W, F, T)                                                                                                         \
  .name = "evidence/" NAME, .op = &vfi_op_evidence, .h = H, .w = W, .c = 1, .flow = F, .time = T, .src_f32 = TRUE, .dst_f32 = TRUE
#define OPINIONS(NAME, H, W, N)                                                                                                            \
  .name = "opinions/" NAME, .op = &vfi_op_opinions, .h = H, .w = W, .c = 5, .radius = N, .src_f32 = TRUE, .dst_f32 = TRUE
#define INTERLEAVE(NAME, H, W, C) .name = "interleave/" NAME, .op = &vfi_op_interleave, .h = H, .w = W, .c = C
#define DOWNSAMPLE(NAME, H, W, C, K) .name = "downsample/" NAME, .op = &vfi_op_downsample, .h = H, .w = W, .c = C, .scale = K
#define FILL(NAME, H, W, T) .name = "fill/" NAME, .op = &vfi_op_fill, .h = H, .w = W, .c = 1, .time = T, .src_f32 = TRUE
#define MIX(NAME, H, W, C) .name = "mix/" NAME, .op = &vfi_op_mix, .h = H, .w = W, .c = C
#define BLEND(NAME, H, W, C) .name = "blend/" NAME, .op = &vfi_op_blend, .h = H, .w = W, .c = C, .src_f32 = TRUE, .dst_f32 = TRUE
#define MOMENTS(NAME, H, W, C) .name = "moments/" NAME, .op = &vfi_op_moments, .h = H, .w = W, .c = C, .dst_f32 = TRUE
#define NORMALIZE(NAME, H, W, C) .name = "normalize/" NAME, .op = &vfi_op_normalize, .h = H, .w = W, .c = C, .dst_f32 = TRUE
#define AFFINE(NAME, H, W, C) .name = "affine/" NAME, .op = &vfi_op_affine, .h = H, .w = W, .c = C
#define WARP_ZEROS(NAME, H, W, C) .name = "warp_zeros/" NAME, .op = &vfi_op_warp_zeros, .h = H, .w = W, .c = C
#define MAX_POOL(NAME, H, W, C) .name = "max_pool/" NAME, .op = &vfi_op_max_pool, .h = H, .w = W, .c = C
#define CROP(NAME, H, W, C) .name = "crop/" NAME, .op = &vfi_op_crop, .h = H, .w = W, .c = C
#define RESAMPLE(NAME, H, W, C, TO_H, TO_W)                                                                                                \
  .name = "resample/" NAME, .op = &vfi_op_resample, .h = H, .w = W, .c = C, .to_h = TO_H, .to_w = TO_W, .src_f32 = TRUE, .dst_f32 = TRUE
#define PRELU(NAME, H, W, C) .name = "prelu/" NAME, .op = &vfi_op_prelu, .h = H, .w = W, .c = C
#define CORNERS(NAME, H, W, C) .name = "resize_corners/" NAME, .op = &vfi_op_resize_corners, .h = H, .w = W, .c = C
#define SEPCONV(NAME, H, W, C, N)                                                                                                          \
  .name = "sepconv/" NAME, .op = &vfi_op_sepconv, .h = H, .w = W, .c = 3, .channels = C, .kernel = N, .dst_f32 = TRUE
#define DIVIDE(NAME, H, W, C) .name = "divide/" NAME, .op = &vfi_op_divide, .h = H, .w = W, .c = C, .src_f32 = TRUE, .dst_f32 = TRUE
#define BRIDGE(NAME, H, W, C) .name = "bridge/" NAME, .op = &vfi_op_bridge, .h = H, .w = W, .c = C, .src_f32 = TRUE, .dst_f32 = TRUE
#define ATTENTION(NAME, H, W, C, K)                                                                                                        \
  .name = "contextual_attention/" NAME, .op = &vfi_op_contextual_attention, .h = H, .w = W, .c = C, .scale = K
#define GATE(NAME, H, W, C, M) .name = "gate/" NAME, .op = &vfi_op_gate, .h = H, .w = W, .c = C, .radius = M
#define SCALE(NAME, H, W, C) .name = "scale/" NAME, .op = &vfi_op_scale, .h = H, .w = W, .c = C

const OpCase op_cases[] = {
  { CONV ("1x1", 5, 7, 16, 32, 1) },
  { CONV ("1x1-odd", 9, 5, 70, 28, 1), .conv = { .act = VFI_LEAKY_RELU, .slope = 0.1f } },
  { CONV ("1x1-f32", 6, 5, 28, 52, 1), .dst_f32 = TRUE },
  { CONV ("1x1-residual", 7, 9, 21, 48, 1), .conv = { .act = VFI_PRELU, .slopes = "slopes" }, .residual = TRUE },
  { CONV ("1x1-few-pixels", 2, 2, 256, 16, 1), .conv = { .act = VFI_RELU, .no_bias = TRUE } },
  { CONV ("1x1-deep", 3, 5, 257, 16, 1), .conv = { .act = VFI_LEAKY_RELU } },
  { CONV ("3x3", 8, 12, 16, 16, 3), .conv = { .padding = 1, .act = VFI_RELU } },
  { CONV ("3x3-odd", 7, 9, 5, 19, 3), .conv = { .padding = 1, .act = VFI_LEAKY_RELU } },
  { CONV ("3x3-wide", 3, 41, 24, 28, 3), .conv = { .padding = 1, .act = VFI_LEAKY_RELU, .slope = 0.1f } },
  { CONV ("3x3-deep", 6, 7, 64, 64, 3), .conv = { .padding = 1 } },
  { CONV ("3x3-no-padding", 6, 5, 4, 6, 3) },
  { CONV ("3x3-one-pixel", 1, 1, 12, 9, 3), .conv = { .padding = 1 } },
  { CONV ("3x3-row", 1, 11, 6, 8, 3), .conv = { .padding = 1 } },
  { CONV ("3x3-column", 11, 1, 6, 8, 3), .conv = { .padding = 1 } },
  { CONV ("3x3-one-channel", 6, 6, 1, 1, 3), .conv = { .padding = 1 } },
  { CONV ("3x3-wide-padding", 4, 5, 3, 4, 3), .conv = { .padding = 3 } },
  { CONV ("stride-2", 10, 14, 6, 24, 3), .conv = { .stride = 2, .padding = 1, .act = VFI_LEAKY_RELU, .slope = 0.1f } },
  { CONV ("stride-2-odd", 11, 13, 24, 40, 3), .conv = { .stride = 2, .padding = 1, .act = VFI_LEAKY_RELU, .slope = 0.1f } },
  { CONV ("wide", 3, 75, 17, 21, 3), .conv = { .padding = 1, .act = VFI_LEAKY_RELU, .slope = 0.1f }, .residual = TRUE },
  { CONV ("stride-3", 8, 10, 5, 7, 5), .conv = { .stride = 3, .padding = 2 } },
  { CONV ("dilation-2", 9, 8, 8, 8, 3), .conv = { .padding = 2, .dilation = 2 } },
  { CONV ("dilation-3-stride-2", 11, 12, 4, 5, 3), .conv = { .stride = 2, .padding = 3, .dilation = 3 } },
  { CONV ("kernel-2", 6, 7, 3, 4, 2) },
  { CONV ("kernel-7", 12, 9, 3, 16, 7), .conv = { .stride = 2, .padding = 3 } },
  { CONV ("kernel-over-all", 2, 3, 4, 4, 5), .conv = { .padding = 2 } },
  { CONV ("no-bias", 5, 5, 8, 8, 3), .conv = { .padding = 1, .no_bias = TRUE } },
  { CONV ("sigmoid", 5, 6, 8, 3, 3), .conv = { .padding = 1, .act = VFI_SIGMOID } },
  { CONV ("elu", 7, 21, 16, 24, 3), .conv = { .padding = 2, .dilation = 2, .act = VFI_ELU } },
  { CONV ("elu-residual", 7, 21, 16, 24, 3), .conv = { .padding = 1, .act = VFI_ELU }, .residual = TRUE },
  { CONV ("hardtanh", 7, 10, 16, 3, 3), .conv = { .padding = 1, .act = VFI_HARDTANH }, .dst_f32 = TRUE },
  { CONV ("after", 8, 14, 16, 32, 3), .conv = { .stride = 2, .after = 1, .act = VFI_ELU } },
  { CONV ("after-odd", 7, 13, 9, 5, 4), .conv = { .padding = 1, .after = 2 } },
  { CONV ("tanh", 5, 6, 8, 3, 1), .conv = { .act = VFI_TANH }, .dst_f32 = TRUE },
  { CONV ("residual", 7, 6, 28, 28, 3), .conv = { .padding = 1, .act = VFI_LEAKY_RELU, .slope = 0.1f }, .residual = TRUE },
  { CONV ("residual-odd", 5, 9, 7, 11, 3), .conv = { .padding = 1, .no_bias = TRUE, .act = VFI_RELU }, .residual = TRUE },
  { CONV ("residual-stride-2", 6, 8, 8, 16, 3), .conv = { .stride = 2, .padding = 1 }, .residual = TRUE },
  { WARP ("small", 13, 17, 24), .flow = 2.5f },
  { WARP ("still", 5, 6, 8), .flow = 0 },
  { WARP ("far", 9, 8, 16), .flow = 40 },
  { WARP ("beyond", 6, 7, 4), .flow = 1e9f },
  { WARP ("side-0", 7, 12, 40), .flow = 5, .timed = TRUE, .side = 0, .time = 0.3f },
  { WARP ("side-1", 7, 12, 40), .flow = 5, .timed = TRUE, .side = 1, .time = 0.3f },
  { WARP ("side-1-at-1", 5, 4, 3), .flow = 3, .timed = TRUE, .side = 1, .time = 1 },
  { WARP ("one-pixel", 1, 1, 8), .flow = 3 },
  { WARP ("row", 1, 9, 5), .flow = 3 },
  { WARP ("column", 9, 1, 5), .flow = 3 },
  { WARP ("one-channel", 6, 5, 1), .flow = 2 },
  { WARP ("one-channel-wide", 4, 21, 1), .flow = 3 },
  { WARP ("f32", 6, 7, 5), .flow = 3, .src_f32 = TRUE },
  { CORRELATION ("radius-0", 4, 5, 8, 0) },
  { CORRELATION ("radius-1", 7, 9, 24, 1) },
  { CORRELATION ("radius-3", 8, 9, 40, 3) },
  { CORRELATION ("radius-4", 9, 10, 16, 4) },
  { CORRELATION ("odd-channels", 5, 4, 7, 2) },
  { CORRELATION ("one-channel", 5, 4, 1, 1) },
  { CORRELATION ("smaller-than-radius", 2, 3, 8, 4) },
  { CORRELATION ("one-pixel", 1, 1, 4, 2) },
  { CORRELATION ("one-sided", 9, 11, 40, 3), .one_sided = TRUE },
  { CORRELATION ("one-sided-radius-1", 7, 19, 24, 1), .one_sided = TRUE },
  { CORRELATION ("one-sided-radius-4", 6, 17, 64, 4), .one_sided = TRUE },
  { CORRELATION ("one-sided-radius-6", 10, 7, 5, 6), .one_sided = TRUE },
  { CORRELATION ("strips", 4, 237, 49, 1) },
  { CORRELATION ("one-sided-strips", 3, 130, 90, 2), .one_sided = TRUE },
  { CORRELATION ("many-squares", 1, 4230, 8, 1) },
  { SHEAR ("middle", 7, 6, 2, 0.5f) },
  { SHEAR ("early", 9, 11, 4, 0.3f) },
  { SHEAR ("late", 8, 5, 3, 0.875f) },
  { SHEAR ("start", 6, 7, 1, 0) },
  { SHEAR ("end", 6, 7, 2, 1) },
  { SHEAR ("smaller-than-radius", 2, 1, 4, 0.1f) },
  { RESIZE ("plain", 5, 7, 8, 2) },
  { RESIZE ("one-pixel", 1, 1, 3, 2) },
  { RESIZE ("row", 1, 6, 3, 2) },
  { RESIZE ("scale-3", 4, 3, 5, 3) },
  { RESIZE ("scale-4", 3, 4, 2, 4) },
  { RESIZE ("gain", 4, 6, 5, 2), .gain = TRUE, .src_f32 = TRUE },
  { RESIZE ("detail", 5, 9, 5, 2), .gain = TRUE, .detail = TRUE, .src_f32 = TRUE },
  { RESIZE ("detail-scale-3", 3, 4, 4, 3), .detail = TRUE },
  { CONV ("groups", 7, 9, 32, 24, 3), .conv = { .padding = 1, .groups = 2, .act = VFI_RELU } },
  { CONV ("groups-gain", 5, 6, 12, 18, 1), .conv = { .groups = 3, .no_bias = TRUE }, .fold = 1 },
  { CONV ("prelu", 5, 7, 12, 21, 3), .conv = { .padding = 1, .act = VFI_PRELU, .slopes = "slopes" } },
  { CONV ("prelu-residual", 6, 5, 16, 16, 3), .conv = { .padding = 1, .act = VFI_PRELU, .slopes = "slopes" }, .residual = TRUE },
  { CONV ("bands", 9, 32, 2048, 12, 3), .conv = { .padding = 1, .act = VFI_PRELU, .slopes = "slopes" }, .residual = TRUE },
  { CONV ("tiles", 17, 31, 24, 24, 3), .conv = { .padding = 1, .act = VFI_LEAKY_RELU, .slope = 0.1f } },
  { CONV ("tiles-odd", 23, 23, 27, 25, 3), .conv = { .padding = 1, .act = VFI_PRELU, .slopes = "slopes" }, .residual = TRUE },
  { CONV ("tiles-no-padding", 21, 30, 32, 24, 3), .conv = { .no_bias = TRUE, .act = VFI_RELU } },
  { CONV ("tiles-deep", 1, 512, 600, 24, 3), .conv = { .padding = 1 }, .residual = TRUE },
  { CONV ("tiles-wide-padding", 14, 33, 33, 24, 3), .conv = { .padding = 2 } },
  { CONV ("channels-80", 9, 17, 40, 80, 3), .conv = { .padding = 1, .act = VFI_LEAKY_RELU, .slope = 0.1f } },
  { CONV ("channels-84", 6, 11, 24, 84, 3), .conv = { .stride = 2, .padding = 1 } },
  { CONV ("channels-100", 5, 14, 80, 100, 1), .dst_f32 = TRUE },
  { CONV ("prelu-one", 4, 6, 8, 9, 1), .conv = { .act = VFI_PRELU, .slopes = "slopes", .one_slope = TRUE, .no_bias = TRUE } },
  { CONV ("gain", 6, 5, 8, 8, 3), .conv = { .padding = 1, .act = VFI_LEAKY_RELU, .slope = 0.2f }, .residual = TRUE, .fold = 1 },
  { CONV ("norm", 6, 5, 8, 12, 3), .conv = { .padding = 1, .act = VFI_RELU, .no_bias = TRUE }, .fold = 2 },
  { CONV ("first", 4, 7, 11, 8, 3), .conv = { .padding = 1, .first = 3 } },
  { CONV ("norm-bias", 6, 5, 8, 12, 3), .conv = { .padding = 1 }, .fold = 2 },
  { INTERLEAVE ("wide", 6, 8, 76) },
  { INTERLEAVE ("odd", 4, 3, 20) },
  { INTERLEAVE ("smallest", 2, 2, 4) },
  { DOWNSAMPLE ("by-2", 6, 10, 24, 2) },
  { DOWNSAMPLE ("by-2-odd", 7, 5, 3, 2) },
  { DOWNSAMPLE ("by-8", 17, 24, 5, 8), .gain = TRUE },
  { DOWNSAMPLE ("by-4-f32", 8, 9, 4, 4), .gain = TRUE, .src_f32 = TRUE },
  { FILL ("late", 5, 7, 0.8f) },
  { MIX ("sum", 5, 6, 4), .src_f32 = TRUE },
  { MIX ("polynomials", 4, 7, 20), .timed = TRUE, .time = 0.3f },
  { BLEND ("plain", 6, 7, 3) },
  { BLEND ("gain", 5, 21, 3), .conv = { .slope = 2 } },
  { BLEND ("tanh", 3, 5, 3), .detail = TRUE },
  { BLEND ("residual", 3, 5, 3), .residual = TRUE },
  { BLEND ("timed", 4, 9, 3), .timed = TRUE, .time = 0.7f },
  { BLEND ("all", 4, 9, 3), .residual = TRUE, .timed = TRUE, .time = 0.2f },
  { MOMENTS ("picture", 9, 12, 3) },
  { MOMENTS ("one-pixel", 1, 1, 1) },
  { NORMALIZE ("mean", 5, 7, 3) },
  { NORMALIZE ("deviation", 4, 9, 3), .detail = TRUE },
  { AFFINE ("picture", 5, 7, 3), .src_f32 = TRUE },
  { AFFINE ("back", 4, 6, 3), .src_f32 = TRUE, .dst_f32 = TRUE },
  { WARP_ZEROS ("small", 13, 17, 3), .flow = 2.5f, .src_f32 = TRUE },
  { WARP_ZEROS ("far", 9, 8, 3), .flow = 40, .src_f32 = TRUE },
  { WARP_ZEROS ("beyond", 6, 7, 3), .flow = 1e9f, .src_f32 = TRUE },
  { WARP_ZEROS ("shrink", 11, 21, 3), .flow = 4, .detail = TRUE, .src_f32 = TRUE },
  { WARP_ZEROS ("features", 6, 9, 20), .flow = 3 },
  { MAX_POOL ("even", 6, 8, 24) },
  { MAX_POOL ("odd", 5, 7, 3) },
  { CROP ("both", 6, 8, 24) },
  { CROP ("thin", 2, 9, 3) },
  { RESAMPLE ("smaller", 37, 51, 3, 32, 32), .detail = TRUE },
  { RESAMPLE ("larger", 32, 32, 3, 45, 63) },
  { RESAMPLE ("rows", 33, 12, 3, 32, 12), .detail = TRUE },
  { RESAMPLE ("columns", 11, 33, 4, 11, 32), .detail = TRUE },
  { RESAMPLE ("columns-back", 11, 32, 1, 11, 33) },
  { RESAMPLE ("both-ways", 63, 5, 2, 9, 32), .detail = TRUE },
  { RESAMPLE ("averages", 40, 61, 3, 7, 9) },
  { RESAMPLE ("few", 2, 3, 3, 32, 33), .detail = TRUE },
  { RESAMPLE ("one-pixel", 1, 1, 3, 4, 5), .detail = TRUE },
  { RESAMPLE ("to-one-pixel", 9, 7, 3, 1, 1) },
  { PRELU ("features", 5, 7, 20) },
  { CORNERS ("features", 5, 7, 20) },
  { CORNERS ("one-pixel", 1, 1, 3) },
  { CORNERS ("row", 1, 6, 51) },
  { SEPCONV ("51", 35, 21, 16, 51) },
  { SEPCONV ("corners", 18, 40, 19, 21), .detail = TRUE, .src_f32 = TRUE },
  { SEPCONV ("sum", 5, 6, 8, 5), .residual = TRUE },
  { DIVIDE ("picture", 5, 7, 4) },
  { BRIDGE ("picture", 12, 17, 4) },
  { BRIDGE ("row", 1, 23, 3) },
  { BRIDGE ("column", 9, 1, 2) },
  { BRIDGE ("few", 3, 2, 4) },
  { BRIDGE ("one-pixel", 1, 1, 4) },
  { EVIDENCE ("flow", 34, 62, 3, 0.5f) },
  { EVIDENCE ("state", 34, 102, -6, 0.25f), .residual = TRUE },
  { EVIDENCE ("far", 50, 70, 30, 0.7f), .residual = TRUE },
  { EVIDENCE ("first", 24, 32, 4, 0) },
  { EVIDENCE ("last", 24, 34, 4, 1), .residual = TRUE },
  { EVIDENCE ("one-pixel", 2, 2, 2, 0.5f) },
  { OPINIONS ("two", 9, 21, 2), .time = -0.5f },
  { OPINIONS ("five", 7, 40, 5) },
  { OPINIONS ("one-pixel", 1, 1, 3) },
  { WEIGHTED_MEDIAN ("odd", 33, 61, 3) },
  { WEIGHTED_MEDIAN ("larger-than-window", 70, 80, 6) },
  { WEIGHTED_MEDIAN ("one-pixel", 1, 1, 3) },
  { ATTENTION ("features", 12, 20, 24, 4) },
  { ATTENTION ("one-to-one", 8, 6, 5, 1) },
  { ATTENTION ("f32", 14, 22, 9, 2), .src_f32 = TRUE },
  { ATTENTION ("row", 2, 12, 8, 2) },
  { ATTENTION ("one-place", 2, 2, 3, 8) },
  { GATE ("one-to-three", 5, 7, 32, 8), .conv = { .slope = 0.2f } },
  { GATE ("one-to-one", 3, 4, 40, 20), .conv = { .slope = 0.1f } },
  { GATE ("one-for-all", 4, 5, 6, 1) },
  { GATE ("wide", 2, 3, 96, 24), .conv = { .slope = 0.2f } },
  { GATE ("f32", 6, 5, 44, 11), .conv = { .slope = 0.2f }, .src_f32 = TRUE },
  { SHUFFLE ("state", 5, 6, 20, 2), .src_f32 = TRUE },
  { SHUFFLE ("features", 4, 7, 32, 2) },
  { SHUFFLE ("twelve", 3, 5, 48, 2) },
  { SHUFFLE ("by-3", 3, 2, 27, 3) },
  { SHUFFLE ("one-pixel", 1, 1, 4, 2) },
  { SCALE ("gain", 5, 7, 5), .gain = TRUE, .src_f32 = TRUE },
  { SCALE ("to-f32", 4, 5, 17), .dst_f32 = TRUE },
  { SCALE ("copy", 5, 3, 24) },
  { SCALE ("copy-f32", 3, 7, 2), .src_f32 = TRUE, .dst_f32 = TRUE },
  { SCALE ("one-pixel", 1, 1, 1) },
  { SCALE ("state", 3, 37, 7), .gain = TRUE, .src_f32 = TRUE },
  { SCALE ("state-to-f32", 3, 37, 7), .gain = TRUE, .src_f32 = TRUE, .dst_f32 = TRUE },
  { POOL ("luma", 6, 10, 4, 2) },
  { POOL ("again", 6, 8, 1, 2), .src_f32 = TRUE },
  { POOL ("rest", 7, 11, 3, 3) },
  { POOL ("channels", 5, 37, 4, 1) },
  { POOL ("channels-f32", 5, 37, 4, 1), .src_f32 = TRUE },
  { INVERSE_SEARCH ("small", 8, 12, 1) },
  { INVERSE_SEARCH ("wide", 24, 68, 3) },
  { INVERSE_SEARCH ("far", 40, 36, 30) },
  { INVERSE_SEARCH ("least", 4, 4, 1) },
  { INVERSE_SEARCH ("warped", 24, 68, 3), .residual = TRUE },
  { INVERSE_SEARCH ("warped-small", 8, 12, 1), .residual = TRUE },
  { DENSE_SEARCH ("small", 8, 12, 6, 1, 1, 8) },
  { DENSE_SEARCH ("odd", 15, 24, 0, 2, 1, 3) },
  { DENSE_SEARCH ("wide", 24, 68, 5, 4, 2, 6) },
  { DENSE_SEARCH ("coarse", 24, 68, 1, 4, 2, 6), .residual = TRUE, .flow = 3 },
  { DENSE_SEARCH ("coarse-far", 40, 36, 5, 2, 2, 8), .residual = TRUE, .flow = -30 },
  { DENSE_SEARCH ("coarse-once", 26, 18, 2, 3, 0, 1), .residual = TRUE, .flow = 1 },
  { DENSE_SEARCH ("half", 38, 150, 3, 2, 1, 3), .conv.slope = 0.5f },
  { DENSE_SEARCH ("half-coarse", 34, 68, 0, 2, 1, 1), .residual = TRUE, .flow = 3, .conv.slope = -0.5f },
  { DENSE_SEARCH ("half-least", 2, 2, 0, 1, 1, 1), .conv.slope = 2 },
  { DENSE_SEARCH ("row", 1, 21, 2, 2, 1, 2) },
  { DENSE_SEARCH ("column", 19, 1, 2, 2, 1, 2) },
  { DENSE_SEARCH ("least", 4, 4, 1, 1, 1, 1) },
  { DENSE_SEARCH ("least-coarse", 2, 2, 3, 4, 1, 3), .residual = TRUE, .flow = 2 },
  { DENSE_SEARCH ("one-pixel", 1, 1, 1, 1, 1, 3) },
  { DENSE_SEARCH ("away", 2, 2, 2, 1, 1, 2), .residual = TRUE, .flow = 1e6f }, /* left and up */
  { WEIGH ("small", 8, 12, 2, 0.5f) },
  { WEIGH ("wide", 33, 50, 3, 0.5f) },
  { WEIGH ("first", 33, 50, 4, 0) },
  { WEIGH ("last", 24, 41, 4, 1) },
  { WEIGH ("early", 27, 31, 30, 0.3f) },
  { WEIGH ("tall", 61, 26, -10, 0.75f) },
  { WEIGH ("row", 1, 27, 3, 0.5f) },
  { WEIGH ("column", 23, 1, 3, 0.25f) },
  { WEIGH ("one-pixel", 1, 1, 1, 0.5f) },
  { STILL ("small", 8, 12, 0.1f) },
  { STILL ("wide", 33, 50, 0.08f) },
  { STILL ("tall", 61, 26, 0.06f) },
  { STILL ("row", 1, 27, 0.05f) },
  { STILL ("column", 23, 1, 0.05f) },
  { STILL ("one-pixel", 1, 1, 0.1f) },
  { OVERLAY ("small", 16, 32, 8, 4) },
  { OVERLAY ("first", 16, 48, 16, 6) },
  { OVERLAY ("odd", 21, 27, 3, 3) },
  { OVERLAY ("far", 18, 50, 2, 60) },
  { OVERLAY ("row", 1, 27, 1, 3) },
  { OVERLAY ("column", 23, 1, 1, 3) },
  { OVERLAY ("one-pixel", 1, 1, 1, 2) },
  { EXPOSURE ("darker", 23, 40, 0.6f) },
  { EXPOSURE ("a-little-darker", 17, 21, 0.8f) },
  { EXPOSURE ("motion", 9, 12, 1) },
  { EXPOSURE ("much-brighter", 8, 10, 6) },
  { EXPOSURE ("few", 5, 7, 0.6f) },
  { EXPOSURE ("black", 8, 10, 0) },
  { EXPOSURE ("one-pixel", 1, 1, 0.5f) },
  { EXPOSE ("luma", 9, 21, 1) },
  { EXPOSE ("colours", 5, 6, 3) },
  { CURVE ("both", 12, 15, -20, 0.5f) },
  { CURVE ("both-fast", 9, 15, -60, 0.25f) },
  { CURVE ("before", 12, 15, -30, 0.5f) },
  { CURVE ("before-slow", 7, 14, -2, 0.875f) },
  { CURVE ("after", 15, 9, -8, 0.3f) },
  { CURVE ("neither", 4, 6, -3, 0.5f) },
  { CURVE ("both-one-pixel", 1, 1, 3, 0.5f) },
  { LUCAS_KANADE ("start", 12, 21, 0.5f) },
  { LUCAS_KANADE ("moved", 13, 35, 0.5f), .residual = TRUE, .flow = 3 },
  { LUCAS_KANADE ("alike", 7, 45, 0.5f), .residual = TRUE, .flow = -3, .detail = TRUE },
  { LUCAS_KANADE ("first", 9, 40, 0), .residual = TRUE, .flow = 3 },
  { LUCAS_KANADE ("late", 9, 16, 0.8f), .residual = TRUE, .flow = 20, .detail = TRUE },
  { LUCAS_KANADE ("tall", 37, 34, 0.3f) },
  { LUCAS_KANADE ("row", 1, 7, 0.5f), .residual = TRUE, .flow = 1 },
  { LUCAS_KANADE ("within", 21, 34, 0.4f), .residual = TRUE, .flow = 6 },
  { LUCAS_KANADE ("within-start", 13, 21, 0.5f) },
  { EVIDENCE ("within", 34, 62, 5, 0.4f) },
  { WEIGH ("within", 33, 50, 4, 0.6f) },
  { .name = "within/both", .op = &vfi_op_within, .h = 1, .w = 1, .c = 4, .to_h = 24, .to_w = 40, .src_f32 = TRUE, .dst_f32 = TRUE },
  { LUCAS_KANADE ("one-pixel", 1, 1, 0.25f) },
  { NULL },
};

/* Source i of cases that are named for it. */
static VfiTensor *
within (VfiGraph *g, const OpCase *k, int i)
{
  g_autofree char *name = g_strdup_printf ("src%d", i);

  return strstr (k->name, "/within") ? vfi_input (g, name, VFI_F32, 1, 1, 4) : NULL;
}

static VfiTensor *
add_op (VfiGraph *g, const OpCase *k, const float *gain)
{
  VfiDType src = k->src_f32 ? VFI_F32 : VFI_FEATURE, dst = k->dst_f32 ? VFI_F32 : VFI_FEATURE;
  VfiTensor *x = k->op == &vfi_op_sepconv ? vfi_input (g, "src0", VFI_F32, k->h, k->w, 3)
                 : k->op == &vfi_op_fill  ? vfi_input (g, "src0", VFI_F32, 1, 1, 1)
                                          : vfi_input (g, "src0", src, k->h, k->w, k->c);

  if (k->op == &vfi_op_conv2d) {
    VfiConv2d o = k->conv;

    o.dtype = dst;
    o.gain = k->fold == 1 ? "gain" : NULL;
    o.norm = k->fold == 2 ? "norm" : NULL;
    if (k->residual) { /* has the result's shape */
      VfiGraph *probe = vfi_graph_new (VFI_F32);
      VfiTensor *y = vfi_conv2d_ (probe, "probe", vfi_input (probe, "x", VFI_F32, k->h, k->w, k->c), k->channels, k->kernel, &o);

      o.residual = vfi_input (g, "src1", src, vfi_height (y), vfi_width (y), vfi_channels (y));
      vfi_graph_free (probe);
    }
    return vfi_conv2d_ (g, k->name, x, k->channels, k->kernel, &o);
  }
  if (k->op == &vfi_op_warp) {
    VfiTensor *flow = vfi_input (g, "src1", VFI_F32, k->h, k->w, 2);

    return vfi_warp (g, x, flow, .time = k->timed ? vfi_input (g, "src2", VFI_F32, 1, 1, 1) : NULL, .side = k->side);
  }
  if (k->op == &vfi_op_correlation)
    return vfi_correlation (g, x, vfi_input (g, "src1", src, k->h, k->w, k->c), k->radius, .one_sided = k->one_sided);
  if (k->op == &vfi_op_shear)
    return vfi_shear (g, x, vfi_input (g, "src1", VFI_F32, 1, 1, 1));
  if (k->op == &vfi_op_resize)
    return vfi_resize (g, x, .scale = k->scale, .gain = gain,
                       .detail = k->detail ? vfi_input (g, "src1", src, k->h, k->w, k->c * k->scale * k->scale) : NULL);
  if (k->op == &vfi_op_interleave)
    return vfi_interleave (g, x);
  if (k->op == &vfi_op_downsample)
    return vfi_downsample (g, x, k->scale, gain);
  if (k->op == &vfi_op_fill)
    return vfi_fill (g, x, k->h, k->w);
  if (k->op == &vfi_op_mix) {
    static const float p[] = { -0.25f, 1.5f, 0.5f }, q[] = { 1, 0, -0.75f }; /* golden.py: P, Q */
    VfiTensor *b = vfi_input (g, "src1", src, k->h, k->w, k->c);

    return vfi_mix (g, x, b, .p = p, .q = q, .time = k->timed ? vfi_input (g, "src2", VFI_F32, 1, 1, 1) : NULL);
  }
  if (k->op == &vfi_op_blend) {
    VfiTensor *b = vfi_input (g, "src1", src, k->h, k->w, k->c), *logit = vfi_input (g, "src2", src, k->h, k->w, 1);
    VfiTensor *residual = k->residual ? vfi_input (g, "src3", src, k->h, k->w, k->c) : NULL;

    return vfi_blend (g, x, b, logit, .gain = k->conv.slope, .tanh = k->detail, .residual = residual,
                      .time = k->timed ? vfi_input (g, k->residual ? "src4" : "src3", VFI_F32, 1, 1, 1) : NULL);
  }
  if (k->op == &vfi_op_affine)
    return vfi_affine (g, x, 2.5f, (float[]){ -0.5f, 0.25f, 3 }, dst);
  if (k->op == &vfi_op_warp_zeros)
    return vfi_warp_zeros (g, x, vfi_input (g, "src1", VFI_F32, k->h, k->w, 2), k->detail);
  if (k->op == &vfi_op_crop)
    return vfi_crop (g, x, k->h - 1, k->w - 1);
  if (k->op == &vfi_op_resample)
    return vfi_resample (g, x, k->to_h, k->to_w, k->detail ? VFI_LANCZOS : VFI_TRIANGLE);
  if (k->op == &vfi_op_max_pool)
    return vfi_max_pool (g, x);
  if (k->op == &vfi_op_prelu)
    return vfi_prelu (g, k->name, x);
  if (k->op == &vfi_op_resize_corners)
    return vfi_resize_corners (g, x);
  if (k->op == &vfi_op_sepconv) {
    int s = k->detail ? 2 : 1;
    VfiTensor *v = vfi_input (g, "src1", src, k->h / s, k->w / s, k->channels),
              *h = vfi_input (g, "src2", src, k->h / s, k->w / s, k->channels);

    return vfi_sepconv (g, x, v, h, k->kernel, .vertical = "vertical", .horizontal = "horizontal", .corners = k->detail,
                        .sum = k->residual);
  }
  if (k->op == &vfi_op_divide)
    return vfi_divide (g, x);
  if (k->op == &vfi_op_bridge)
    return vfi_bridge (g, x, 0.3f);
  if (k->op == &vfi_op_contextual_attention) {
    const int s = k->scale;

    return vfi_contextual_attention (g, x, vfi_input (g, "src1", VFI_F32, k->h / 2 * s, k->w / 2 * s, 1));
  }
  if (k->op == &vfi_op_gate)
    return vfi_gate (g, x, k->radius, k->conv.slope);
  if (k->op == &vfi_op_moments)
    return vfi_moments (g, x);
  if (k->op == &vfi_op_normalize)
    return vfi_normalize (g, x, vfi_input (g, "src1", VFI_F32, 1, 1, 2), vfi_input (g, "src2", VFI_F32, 1, 1, 2), k->detail);
  if (k->op == &vfi_op_pixel_shuffle)
    return vfi_pixel_shuffle (g, x, k->scale);
  if (k->op == &vfi_op_scale)
    return vfi_scale (g, x, gain, dst);
  if (k->op == &vfi_op_mean_pool)
    return vfi_mean_pool (g, x, k->scale);
  if (k->op == &vfi_op_inverse_search)
    return vfi_inverse_search (g, x, vfi_input (g, "src1", VFI_F32, k->h, k->w, 1), vfi_input (g, "src2", VFI_F32, k->h, k->w, 5),
                               .warped = k->residual);
  if (k->op == &vfi_op_dense_search)
    return vfi_dense_search (g, x, vfi_input (g, "src1", VFI_F32, k->h, k->w, 1),
                             k->residual ? vfi_input (g, "src2", VFI_F32, k->h / 2, k->w / 2, 2) : NULL, .first = k->conv.stride,
                             .far = k->radius, .rounds = k->scale, .steps = k->kernel, .half = k->conv.slope);
  if (k->op == &vfi_op_weighted_median)
    return vfi_weighted_median (g, x, vfi_input (g, "src1", VFI_F32, k->h, k->w, 2), vfi_input (g, "src2", VFI_F32, k->h, k->w, 1),
                                vfi_input (g, "src3", VFI_F32, k->h, k->w, 2));
  if (k->op == &vfi_op_evidence) {
    VfiTensor *y1 = vfi_input (g, "src1", VFI_F32, k->h, k->w, 1), *time = vfi_input (g, "src2", VFI_F32, 1, 1, 1);

    return vfi_evidence (g, x, y1, time, vfi_input (g, "src3", VFI_F32, k->h / 2, k->w / 2, k->residual ? 5 : 2), within (g, k, 4));
  }
  if (k->op == &vfi_op_opinions) {
    VfiTensor *evidence = vfi_input (g, "src1", VFI_F32, k->h, k->w, k->radius);

    return vfi_opinions (g, x, evidence, vfi_input (g, "src2", VFI_F32, k->h, k->w, 2 * k->radius - 2), .trust = 1 + k->time);
  }
  if (k->op == &vfi_op_weigh) {
    VfiTensor *y1 = vfi_input (g, "src1", VFI_F32, k->h, k->w, 1), *time = vfi_input (g, "src2", VFI_F32, 1, 1, 1);
    VfiTensor *state = vfi_input (g, "src3", VFI_F32, k->h, k->w, 5);

    return vfi_weigh (g, x, y1, time, state, vfi_input (g, "src4", VFI_F32, k->h, k->w, 2), vfi_input (g, "src5", VFI_F32, k->h, k->w, 1),
                      within (g, k, 6));
  }
  if (k->op == &vfi_op_curve) {
    VfiTensor *before = vfi_input (g, "src1", VFI_F32, k->h, k->w, 2), *after = vfi_input (g, "src2", VFI_F32, k->h, k->w, 2);
    VfiTensor *time = vfi_input (g, "src3", VFI_F32, 1, 1, 1);

    return vfi_curve (g, x, before, after, time, vfi_input (g, "src4", VFI_F32, 1, 1, 2));
  }
  if (k->op == &vfi_op_within)
    return vfi_within (g, x, vfi_input (g, "src1", VFI_F32, 1, 1, 4), k->to_h, k->to_w);
  if (k->op == &vfi_op_still)
    return vfi_still (g, x, vfi_input (g, "src1", VFI_F32, k->h, k->w, 1), vfi_input (g, "src2", VFI_F32, k->h, k->w, 2),
                      vfi_input (g, "src3", VFI_F32, k->h, k->w, 1));
  if (k->op == &vfi_op_overlay) {
    VfiTensor *y1 = vfi_input (g, "src1", VFI_F32, k->h, k->w, 1),
              *flow = vfi_input (g, "src2", VFI_F32, k->h / k->scale, k->w / k->scale, 2);
    VfiTensor *follows = vfi_input (g, "src3", VFI_F32, 1, 1, 1);

    return vfi_overlay (g, x, y1, flow, follows, vfi_input (g, "src4", VFI_F32, k->h, k->w, 2));
  }
  if (k->op == &vfi_op_exposure)
    return vfi_exposure (g, x, vfi_input (g, "src1", VFI_F32, k->h, k->w, 1));
  if (k->op == &vfi_op_expose)
    return vfi_expose (g, x, vfi_input (g, "src1", VFI_F32, 1, 1, 2));
  if (k->op == &vfi_op_lucas_kanade) {
    VfiTensor *y1 = vfi_input (g, "src1", VFI_F32, k->h, k->w, 1), *time = vfi_input (g, "src2", VFI_F32, 1, 1, 1);

    return vfi_lucas_kanade (g, x, y1, time, k->residual ? vfi_input (g, "src3", VFI_F32, k->h, k->w, 5) : NULL,
                             within (g, k, 3 + k->residual), !k->detail);
  }
  g_assert_not_reached ();
}

VfiGraph *
op_case_graph (const OpCase *k, VfiDType feature)
{
  VfiGraph *g = vfi_graph_new (feature);
  float *gain = k->gain ? g_new (float, k->c) : NULL;
  char *name = g_strconcat (k->name, "/gain", NULL);

  for (int c = 0; gain && c < k->c; c++)
    gain[c] = test_coarse (test_seed (name), c);
  vfi_output (g, "dst", add_op (g, k, gain));
  g_free (name);
  g_free (gain);
  return g;
}
