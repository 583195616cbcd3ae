/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Difference and scene score from sums of luma over a grid of cells: a backend sums where its frames lie, the rest is here (scene.c).
 *
 * The grid is w x h; cell (i, j) has rows i H / h to (i + 1) H / h - 1 and columns j W / w to (j + 1) W / w - 1 of the frame's H x W (divisions
 * round down). Sums lie row by row: of luma; of RGB three to a cell, of red, green and blue. Samples are those after the format's shift.
 */
#pragma once

#include "vfi.h"

#define VFI_SCENE_SUMS (64 * 64 * 3) /* as many as there can be */

/* The grid of the scene score, or else of the difference. */
void vfi_scene_grid (const VfiFrameInfo *info, gboolean score, int *w, int *h);
/* What vfi_frame_difference and vfi_frame_scene_score say of two frames with these sums. */
double vfi_scene_difference (const VfiFrameInfo *info, const guint64 *a, const guint64 *b);
double vfi_scene_score (const VfiFrameInfo *info, const guint64 *a, const guint64 *b);
