/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The constants of operator still, shared by its implementations (net.py: STILL_WINDOW, STILL, MOVING, STILL_DARK, FLAT, BETTER, DIM).
 */
#pragma once

#define VFI_STILL_WINDOW 3 /* pixels to each side */
#define VFI_STILL 0.3f     /* pixels along the gradient: what moves less stands still */
#define VFI_STILL_MOVING 0.5f
#define VFI_STILL_DARK 1e-4f /* luma^2: so much may differ by chance, which counts where there is little to see */
#define VFI_STILL_FLAT 1e-6f
#define VFI_STILL_BETTER 10.f /* so many times the part by which no motion explains more than the flow does */
#define VFI_STILL_DIM 0.001f  /* luma, differences that count for little */
