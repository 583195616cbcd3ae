/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The constants of operator evidence, shared by its implementations (basenet.py: WINDOW, DARK, STEEP).
 */
#pragma once

#define VFI_EVIDENCE_WINDOW 5    /* pixels of the result to each side */
#define VFI_EVIDENCE_DARK 0.008f /* differences that count for little */
#define VFI_EVIDENCE_STEEP 3
