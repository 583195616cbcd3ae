/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The constants of operator choose, shared by its implementations (net.py: WINDOW, DOUBT, SOFT).
 */
#pragma once

#define VFI_CHOOSE_WINDOW 10  /* pixels to each side: what is small and fast is lost in a small one, as behind it the background fits too */
#define VFI_CHOOSE_DOUBT 1.1f /* the flow must be better by that much */
#define VFI_CHOOSE_SOFT 2     /* pixels to each side */
