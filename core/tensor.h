/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a kernel sees of a tensor: a pointer, a shape, and the distances between pixels and channels.
 */
#pragma once

#include <string.h>

#include "build.h"

/* Element (y, x, c) lies at data[(y w + x) ld + c cd]. Interleaved (NHWC), as most are: cd = 1, and ld > c where the tensor is a slice of a
 * wider one. Planar (NCHW): ld = 1 and cd = h w. */
typedef struct
{
  void *data;
  VfiDType dtype; /* never VFI_FEATURE */
  int h, w, c;
  int ld, cd;
} VfiView;

static inline int
vfi_dtype_size (VfiDType t)
{
  return t == VFI_F32 ? 4 : 2;
}

static inline gsize
vfi_view_bytes (const VfiView *v)
{
  return (gsize) v->h * v->w * v->c * vfi_dtype_size (v->dtype);
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

static inline float
vfi_f16_to_f32 (guint16 v)
{
  guint32 u = (v & 0x7fff) << 13, sign = (guint32) (v & 0x8000) << 16;
  float f;
  if (u >= 0x0f800000)
    u += 0x70000000; /* infinity, NaN */
  else if (u >= 0x00800000)
    u += 0x38000000;
  else { /* subnormal: units of 2^-24 */
    f = (v & 0x3ff) * 0x1p-24f;
    memcpy (&u, &f, 4);
  }
  u |= sign;
  memcpy (&f, &u, 4);
  return f;
}

/* Round to nearest even; NaN stays NaN. */
static inline guint16
vfi_f32_to_f16 (float f)
{
  guint32 u, sign;
  memcpy (&u, &f, 4);
  sign = u >> 16 & 0x8000;
  u &= 0x7fffffff;
  if (u > 0x7f800000)
    return (guint16) (sign | 0x7e00);
  if (u >= 0x477ff000)
    return (guint16) (sign | 0x7c00);
  if (u < 0x38800000) { /* subnormal: the last place of a sum with 1/2 is 2^-24 */
    float sum;
    memcpy (&sum, &u, 4);
    sum += 0.5f;
    memcpy (&u, &sum, 4);
    return (guint16) (sign | (u - 0x3f000000));
  }
  return (guint16) (sign | ((u - 0x38000000 + 0xfff + (u >> 13 & 1)) >> 13));
}

/* Element access for references. */
static inline float
vfi_view_get (const VfiView *v, int y, int x, int c)
{
  gsize i = ((gsize) y * v->w + x) * v->ld + (gsize) c * v->cd;
  if (v->dtype == VFI_F32)
    return ((const float *) v->data)[i];
  return v->dtype == VFI_BF16 ? vfi_bf16_to_f32 (((const guint16 *) v->data)[i]) : vfi_f16_to_f32 (((const guint16 *) v->data)[i]);
}

static inline void
vfi_view_set (const VfiView *v, int y, int x, int c, float f)
{
  gsize i = ((gsize) y * v->w + x) * v->ld + (gsize) c * v->cd;
  if (v->dtype == VFI_F32)
    ((float *) v->data)[i] = f;
  else
    ((guint16 *) v->data)[i] = v->dtype == VFI_BF16 ? vfi_f32_to_bf16 (f) : vfi_f32_to_f16 (f);
}
