/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs one operator on any backend and holds the result against its plain C reference, in buffers fenced with sentinels.
 *
 * A backend's test is three lines: for all of op_cases, for each precision that the backend supports, op_case_check ().
 */
#pragma once

#include "backend.h"

/* One row of the table: an operator, its options and the shape of its first source. What an operator has no use for stays 0. */
typedef struct
{
  const char *name; /* "conv2d/stride-2" */
  const VfiOp *op;
  int h, w, c;
  gboolean src_f32, dst_f32; /* sources or result are VFI_F32 whatever the features are */

  int channels;      /* conv2d; sepconv: of features */
  int kernel;        /* dense_search: steps */
  VfiConv2d conv;    /* without tensors; dense_search: stride: first, slope: half */
  gboolean residual; /* conv2d, blend; lucas_kanade: a state; inverse_search: warped; dense_search: a coarser flow; sepconv: the sum */

  float flow; /* warp, searches, weigh: largest displacement; lucas_kanade: below 0: of all pixels nearly alike, to the right and down */
  gboolean timed; /* warp, mix, blend */
  int side;
  float time; /* warp, shear, mix, blend, fill, lucas_kanade, weigh */

  int radius;         /* correlation and shear; dense_search: far */
  gboolean one_sided; /* correlation */
  int scale; /* resize, downsample, pixel_shuffle and mean_pool; dense_search: rounds; contextual_attention: pixels of the mask for a place */
  int to_h, to_w;  /* resample */
  gboolean detail; /* resize; normalize: in units of the deviation; warp_zeros: shrink; blend: tanh; sepconv: corners; resample: Lanczos */
  gboolean gain;   /* resize, downsample and scale: a gain per channel */
  int fold;        /* conv2d: 1 with a gain, 2 with a norm */
} OpCase;

extern const OpCase op_cases[]; /* cases.c; ends with a NULL name */

/* A graph of one node, whose sources are its inputs, in their order. */
VfiGraph *op_case_graph (const OpCase *k, VfiDType feature);

/* How much more than others an operator makes of rounding: overlay multiplies differences of luma by up to 33 (VFI_OVERLAY_CHANGES less VFI_OVERLAY_STAYS). */
double op_magnifies (const VfiOp *op);
/* Host values of source i of a case's or any other node: exact in every dtype but for flows and times; g_free. */
float *node_source (const VfiNode *node, int i, const char *name, float flow, float time);
/* The weights that kernels of the node get, made by the names of those in the file, exact in every dtype but for what is folded; g_free each. */
void node_weights (const VfiNode *node, float **weights);

/* Runs the node on the backend, with dense tensors and again with tensors that are slices of wider ones, and fails the test
 * - if it has no kernel, or the kernel fails,
 * - if a byte outside of the result is written, or a source changes,
 * - if an element of the result is not written or not a number,
 * - if it differs from the reference by more than `tolerance` of the result's root mean square, plus what rounding to its dtype costs.
 * Returns the largest difference, as a part of the root mean square, that was seen in fp32 results (else 0). */
double node_check (const VfiNode *node, VfiBackend *b, const char *name, float flow, float time, double tolerance);
double op_case_check (const OpCase *k, VfiBackend *b, VfiDType feature, double tolerance);

/* Prints the time of each node of a model's graphs on a backend, for a padded picture of h x w. */
void bench_model (const char *model, VfiBackend *b, VfiDType feature, int h, int w, const char *only);
