/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The constants of operator lucas_kanade, shared by its implementations (net.py: LK_FLOOR, LK_RIDGE, LK_LIMIT).
 */
#pragma once

#define VFI_LK_FLOOR 1e-4f /* brightness in [0,1], squared */
#define VFI_LK_RIDGE 0.05f
#define VFI_LK_LIMIT 1.0f /* pixels */
