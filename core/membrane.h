/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The smoothest field that goes through what is known of it.
 */
#pragma once

#include <glib.h>

/* Memory for the solver, kept between calls; {0} to begin with. */
typedef struct
{
  gsize size;
  float *memory;
} VfiMembrane;

#define VFI_MEMBRANE_FIXED 1e6f /* a weight from which on a value stays exactly as it is */

void vfi_membrane_clear (VfiMembrane *m);
/* Enough memory for fields of so many pixels and channels (1 to 4). FALSE: there is none. */
gboolean vfi_membrane_reserve (VfiMembrane *m, gsize pixels, int channels);

/* v (h w channels, interleaved) holds values where weight (h w) is above 0, and is overwritten with the field that makes
 *   sum over neighbours (v_i - v_j)^2 + sum over pixels weight_i (v_i - value_i)^2
 * least: harmonic where there is no weight, with nothing said about the border of the box. Where no weight is above 0 at all, v is set to 0.
 * What it needs must be reserved. */
void vfi_membrane_solve (VfiMembrane *m, float *v, const float *weight, int w, int h, int channels);

/* The same at half the resolution, for a quarter of the time. */
void vfi_membrane_solve_roughly (VfiMembrane *m, float *v, const float *weight, int w, int h, int channels);

/* The same with steps between neighbours: sum over neighbours (v_i - v_j - step_ij)^2 + ..., where they are given (h w channels) as
 *   step_i = sum over neighbours j of step_ij
 * and step_ji = -step_ij, so that they are 0 in all. */
void vfi_membrane_solve_steps (VfiMembrane *m, float *v, const float *weight, const float *step, int w, int h, int channels);
