/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pack_picture and unpack_picture of core/frame.h: between frames and pictures in red, green and blue. The twin of core/picture.c.
 */
#include "device.h"

#define KR .2126f /* BT.709 */
#define KG .7152f
#define KB .0722f
#define CR 1.5748f
#define CB 1.8556f

/* A component of a plane. */
struct Part
{
  guint8 *data;                       /* of the first sample */
  int stride, step, wide, shift, top; /* bytes to the next row and sample; two bytes, shifted; the largest value */
  int h, w, sub_y, sub_x;
  float gain, bias;
};

struct Picture
{
  Part part[3];
  int n, rgb, h, w;       /* parts; the frame's size */
  int red, zeros, y0, x0; /* channel of red; what is around the frame, and where it begins */
  float levels;           /* that results are cut off to; 0: they are not */
};

static __device__ float
get (const Part &p, int y, int x)
{
  const guint8 *at = p.data + (gsize) y * p.stride + x * p.step;

  return p.wide ? *(const guint16 *) at >> p.shift : *at;
}

/* NaN becomes 0. */
static __device__ void
set (const Part &p, int y, int x, float v)
{
  const int n = (int) (clampf (v, 0, p.top) + 0.5f);
  guint8 *at = p.data + (gsize) y * p.stride + x * p.step;

  if (p.wide)
    *(guint16 *) at = (guint16) (n << p.shift);
  else
    *at = (guint8) n;
}

/* ---- to a picture ------------------------------------------------------------------------------- */

/* The other one of the two chroma rows (columns) that luma row (column) i lies between. */
static __device__ int
other (int i, int n)
{
  return min (max (i / 2 + (i % 2 ? 1 : -1), 0), n - 1);
}

static __device__ float
column (const Part &p, int y, int x)
{
  return p.sub_y ? 0.75f * get (p, y / 2, x) + 0.25f * get (p, other (y, p.h), x) : get (p, y, x);
}

/* At luma pixel (y, x). */
static __device__ float
value (const Part &p, int y, int x)
{
  const float v = p.sub_x ? 0.75f * column (p, y, x / 2) + 0.25f * column (p, y, other (x, p.w)) : column (p, y, x);

  return v * p.gain + p.bias;
}

static __global__ void
pack_picture (Picture k, View dst)
{
  const int p = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = p / dst.w - k.y0, col = p % dst.w - k.x0, y = min (max (row, 0), k.h - 1), x = min (max (col, 0), k.w - 1);
  float r = 0, g = 0, b = 0;

  if (p >= dst.h * dst.w)
    return;
  if (!k.zeros || (y == row && x == col)) {
    r = g = b = value (k.part[0], y, x);
    if (k.rgb) {
      g = value (k.part[1], y, x);
      b = value (k.part[2], y, x);
    } else if (k.n == 3) {
      const float luma = r;

      r = luma + CR * value (k.part[2], y, x);
      b = luma + CB * value (k.part[1], y, x);
      g = (luma - KR * r - KB * b) / KG;
    }
  }
  set (dst, p, k.red, r);
  set (dst, p, 1, g);
  set (dst, p, 2 - k.red, b);
}

/* ---- from a picture ----------------------------------------------------------------------------- */

static __device__ float
cut_off (float v, float levels)
{
  return levels ? floorf (v * levels + VFI_ALMOST) / levels : v;
}

/* Part i of the frame, at luma pixel (y, x). */
static __device__ float
part_of (const Picture &k, const View &rgb, int i, int y, int x)
{
  const int p = (y + k.y0) * rgb.w + x + k.x0;
  const float r = cut_off (get (rgb, p, k.red), k.levels), g = cut_off (get (rgb, p, 1), k.levels);
  const float b = cut_off (get (rgb, p, 2 - k.red), k.levels), luma = KR * r + KG * g + KB * b;

  if (k.rgb)
    return i == 0 ? r : i == 1 ? g : b;
  return i == 0 ? luma : i == 1 ? (b - luma) / CB : (r - luma) / CR;
}

/* A thread for each sample of part i. */
static __global__ void
unpack_part (Picture k, int i, View rgb)
{
  const Part &p = k.part[i];
  const int at = blockIdx.x * blockDim.x + threadIdx.x, y = at / p.w, x = at % p.w;
  float sum = 0;
  int n = 0;

  if (y >= p.h)
    return;
  for (int yy = y << p.sub_y; yy < min ((y + 1) << p.sub_y, k.h); yy++)
    for (int xx = x << p.sub_x; xx < min ((x + 1) << p.sub_x, k.w); xx++, n++)
      sum += part_of (k, rgb, i, yy, xx);
  set (p, y, x, (sum / n - p.bias) / p.gain);
}

/* Samples that are no part of the picture: alpha, and what is left of x. */
static __global__ void
blend_other (Part a, Part b, float t, Part dst)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x, y = i / dst.w, x = i % dst.w;

  if (y < dst.h)
    set (dst, y, x, get (a, y, x) + t * (get (b, y, x) - get (a, y, x)));
}

/* ---- on the host -------------------------------------------------------------------------------- */

static Part
component (const VfiFrameInfo *info, const VfiFrame *frame, int plane, int comp)
{
  const VfiPlaneLayout *l = &vfi_format_desc (info->format)->plane[plane];
  Part p = {};

  p.data = frame->data[plane] + comp * l->bytes;
  p.stride = frame->stride[plane];
  p.step = l->comps * l->bytes;
  p.wide = l->bytes == 2;
  p.shift = l->shift;
  p.top = (1 << l->depth) - 1;
  p.sub_y = l->sub_y;
  p.sub_x = l->sub_x;
  vfi_frame_info_plane_size (info, plane, &p.w, &p.h);
  return p;
}

static Picture
picture_of (const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  Picture k = {};

  k.n = f->n_parts;
  k.rgb = f->rgb;
  k.h = info->height;
  k.w = info->width;
  k.red = picture->order == VFI_BGR ? 2 : 0;
  k.zeros = picture->zeros;
  k.levels = picture->truncates ? (1 << f->plane[0].depth) - 1 : 0;
  k.y0 = picture->centred ? (x->h - info->height) / 2 : 0;
  k.x0 = picture->centred ? (x->w - info->width) / 2 : 0;
  for (int i = 0; i < k.n; i++) {
    k.part[i] = component (info, frame, f->part[i].plane, f->part[i].comp);
    vfi_format_scale (info, i, &k.part[i].gain, &k.part[i].bias);
  }
  return k;
}

void
vfi_cuda_pack_picture (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x)
{
  vfi_launch (cuda, blocks ((gsize) x->h * x->w, 256), 256, 0, pack_picture, picture_of (info, frame, picture, x), View (*x));
}

void
vfi_cuda_unpack_picture (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double t,
                         const VfiPicture *picture, const VfiView *x, const VfiFrame *dst)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const Picture k = picture_of (info, dst, picture, x);

  for (int i = 0; i < k.n; i++)
    vfi_launch (cuda, blocks ((gsize) k.part[i].h * k.part[i].w, 256), 256, 0, unpack_part, k, i, View (*x));
  for (int plane = 0; plane < f->n_planes; plane++)
    for (int c = 0; c < f->plane[plane].comps; c++)
      if (!vfi_format_is_part (f, plane, c))
        vfi_launch (cuda, blocks ((gsize) k.h * k.w, 256), 256, 0, blend_other, component (info, f0, plane, c),
                    component (info, f1, plane, c), (float) t, component (info, dst, plane, c));
}
