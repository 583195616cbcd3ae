/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The constants of operator weigh, shared by its implementations (net.py: WINDOW, SLOPE, DARK, NEAR).
 */
#pragma once

#define VFI_WEIGH_WINDOW 10 /* pixels to each side: what is small and fast is lost in a small one, as behind it the background fits too */
#define VFI_WEIGH_SLOPE 1.5f
#define VFI_WEIGH_DARK 0.016f /* differences that count for little */
#define VFI_WEIGH_NEAR 2.f    /* pixels */
