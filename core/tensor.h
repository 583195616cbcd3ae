/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a kernel sees of a tensor: a pointer, a shape, and the distance between pixels.
 */
#pragma once

#include <string.h>

#include "build.h"

/* NHWC with n = 1: element (y, x, c) lies at data[(y w + x) ld + c]; ld > c where the tensor is a slice of a wider one. */
typedef struct
{
  void *data;
  VfiDType dtype; /* never VFI_FEATURE */
  int h, w, c;
  int ld;
} VfiView;

static inline int
vfi_dtype_size (VfiDType t)
{
  return t == VFI_F32 ? 4 : 2;
}

static inline float
vfi_bf16_to_f32 (guint16 v)
{
  guint32 u = (guint32) v << 16;
  float f;
  memcpy (&f, &u, 4);
  return f;
}

static inline const char *
vfi_dtype_name (VfiDType t)
{
  return t == VFI_F32 ? "fp32" : t == VFI_BF16 ? "bf16" : t == VFI_F16 ? "fp16" : "feature";
}

/* Round to nearest even; NaN stays NaN. */
static inline guint16
vfi_f32_to_bf16 (float f)
{
  guint32 u;
  memcpy (&u, &f, 4);
  if ((u & 0x7fffffff) > 0x7f800000)
    return (guint16) ((u >> 16) | 0x40);
  return (guint16) ((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

/* Element access for references, in any host dtype. */
static inline float
vfi_view_get (const VfiView *v, int y, int x, int c)
{
  gsize i = ((gsize) y * v->w + x) * v->ld + c;
  return v->dtype == VFI_F32 ? ((const float *) v->data)[i] : vfi_bf16_to_f32 (((const guint16 *) v->data)[i]);
}

static inline void
vfi_view_set (const VfiView *v, int y, int x, int c, float f)
{
  gsize i = ((gsize) y * v->w + x) * v->ld + c;
  if (v->dtype == VFI_F32)
    ((float *) v->data)[i] = f;
  else
    ((guint16 *) v->data)[i] = vfi_f32_to_bf16 (f);
}
