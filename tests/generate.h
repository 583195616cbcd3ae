/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbers from names: inputs and weights of tests, the same here and in golden.py.
 */
#pragma once

#include "weights.h"

guint64 test_seed (const char *name);
/* Item i of a sequence, in [-1, 1): in steps of 2^-23, or coarse (2^-7: exact in every dtype). */
float test_uniform (guint64 seed, guint64 i);
float test_coarse (guint64 seed, guint64 i);

/* A weight by its name: uniform with variance 1 / fan in (rank 1: +-1/4; running_var: about 1). g_free. */
float *test_weight (const VfiWeightSpec *spec);

/* A safetensors file in memory with these weights, or with all that the graphs (NULL-terminated) ask for. */
GBytes *test_weights_file (const VfiWeightSpec *specs, int n);
VfiWeights *test_weights_for (VfiGraph *const *graphs);
/* With all that a list from golden.py names: lines of NAME SIZE SIZE ...; rounded to this type. */
VfiWeights *test_weights_listed (const char *path, VfiDType dtype);

/* A smooth texture, as luma of the picture at (x, y): golden.py has the same. */
float test_texture (double x, double y);
/* The same in frame i of a stream, (-5, 2) pixels on from frame to frame, and over it bars that stay, in the middle of a picture of 128 x 96: TEST_BARS. */
float test_captioned (int i, double x, double y);
/* The same on, (-9, 0) pixels from frame to frame, but black in the first and last TEST_BLACK columns of a picture of 128. */
float test_pillarbox (int i, double x, double y);
#define TEST_BLACK 22
#define TEST_BARS 48, 40, 32, 16 /* x, y, width, height */
