/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For functions that C and CUDA kernels share.
 */
#pragma once

#ifdef __CUDACC__
#define VFI_HD __host__ __device__
#else
#define VFI_HD
#endif
