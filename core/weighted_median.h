/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The constants of operator weighted_median, shared by its implementations (flownet.py: the same names).
 */
#pragma once

#define VFI_MEDIAN_RADIUS 4 /* places to each side */
#define VFI_MEDIAN_STEP 7   /* pixels from one to the next */
#define VFI_MEDIAN_ALIKE 0.04f
#define VFI_MEDIAN_CHROMA 1.5f
#define VFI_MEDIAN_DOUBT 0.02f
#define VFI_MEDIAN_NEAR 0.25f /* pixels */
#define VFI_MEDIAN_ROUNDS 4
#define VFI_MEDIAN_KEPT 4 /* 1 / (pixels apart, with which half of it is kept)^2 */
#define VFI_MEDIAN_PLACES ((2 * VFI_MEDIAN_RADIUS + 1) * (2 * VFI_MEDIAN_RADIUS + 1))
