/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which engine was the fastest for a convolution, kept in a file of the user's from one process to the next: one file for each kind of device
 * (gst-vfi/NAME.engines in the user's cache folder), a section for each set of versions, a line for each convolution.
 *
 * A file that cannot be read is written anew. Files are replaced as a whole, so that processes may do so at the same time: what one of them
 * loses is measured again.
 */
#pragma once

#include <glib.h>

typedef struct _VfiCudaChoices VfiCudaChoices;

/* `versions`: all that must be the same for a choice to hold, but for the device. */
VfiCudaChoices *vfi_cuda_choices_new (const char *device, const char *versions);
void vfi_cuda_choices_free (VfiCudaChoices *choices);
/* Of a convolution (any text): the place in cuDNN's list and the number of the engine there. FALSE: it is not known. */
gboolean vfi_cuda_choices_find (const VfiCudaChoices *choices, const char *what, int *place, int *engine);
/* Takes it down, and writes the file. */
void vfi_cuda_choices_add (VfiCudaChoices *choices, const char *what, int place, int engine);
