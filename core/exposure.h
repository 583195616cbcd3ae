/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The constants of operator exposure, shared by its implementations (net.py: EXPOSURE_...).
 */
#pragma once

#define VFI_EXPOSURE_FLAT 1e-3f  /* luma, added to standard deviations */
#define VFI_EXPOSURE_MOST 4.f    /* times as bright, at most */
#define VFI_EXPOSURE_DIM 1e-3f   /* luma, differences that count for little */
#define VFI_EXPOSURE_LIKE 0.6f   /* what is left of the difference: so little, and brightness has changed; */
#define VFI_EXPOSURE_UNLIKE 0.8f /* so much, and it is motion */
#define VFI_EXPOSURE_PIXELS 40   /* of fewer, two numbers explain anything */
