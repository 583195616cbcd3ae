/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pixel formats, and what follows from them: which sample is luma, rows, sizes, which frames are as they must be.
 */
#pragma once

#include "vfi.h"

/* A format: its planes, and where the parts that the network sees lie: luma, cb, cr; or r, g, b. */
typedef struct
{
  const char *name;
  gboolean rgb;
  int n_planes;
  VfiPlaneLayout plane[4];
  int n_parts; /* 1 for GRAY8 */
  struct
  {
    gint8 plane, comp;
  } part[3];
} VfiFormatDesc;

VFI_API const VfiFormatDesc *vfi_format_desc (VfiFormat format); /* NULL if it is none of ours */

/* Whether a component of a plane is one of the parts. What is none (alpha, x) has the frame's size. */
static inline gboolean
vfi_format_is_part (const VfiFormatDesc *f, int plane, int comp)
{
  for (int i = 0; i < f->n_parts; i++)
    if (f->part[i].plane == plane && f->part[i].comp == comp)
      return TRUE;
  return FALSE;
}

/* A sample v of a part (after the shift) is v gain + bias for the network. */
VFI_API void vfi_format_scale (const VfiFrameInfo *info, int part, float *gain, float *bias);
/* Bytes of the pixels of one row of a plane. */
VFI_API gsize vfi_frame_info_row_bytes (const VfiFrameInfo *info, int plane);

/* TRUE if info is usable, else an error that says what to change. */
gboolean vfi_frame_info_check (const VfiFrameInfo *info, GError **error);
/* TRUE if the frame has all planes, with strides and alignment that fit info, else VFI_ERROR_ARG; `name` begins the message. */
gboolean vfi_frame_check (const VfiFrameInfo *info, const VfiFrame *frame, const char *name, GError **error);

/* Size of the scaled picture before padding: max (1, round (size flow_scale)). */
static inline int
vfi_scaled_size (int size, double flow_scale)
{
  int s = (int) (size * flow_scale + 0.5);
  return s < 1 ? 1 : s;
}

/* The padded picture H x W for a frame. */
void vfi_frame_net_size (const VfiFrameInfo *info, double flow_scale, int multiple, int *h, int *w);
