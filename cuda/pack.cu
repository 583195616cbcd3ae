/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pack of core/frame.h: a thread for each pixel of the network's input; a block writes what its threads have made as it lies, side by side.
 */
#include "device.h"

/* A part of the picture (luma, cb, cr; or r, g, b): where its samples lie, and what they mean. */
struct Part
{
  const guint8 *data; /* of the first one */
  int stride, step;   /* bytes to the next row and the next sample */
  int wide, shift;    /* two bytes, shifted left */
  int h, w, sub_y, sub_x;
  float gain, bias;
};

#define THREADS 256
#define CHANNELS 6

struct Packer
{
  Part part[3];
  int n, rgb, sh, sw;
  double sy, sx; /* luma samples per sample of the scaled picture */
};

static __device__ float
sample (const Part &p, int y, int x)
{
  const guint8 *at = p.data + (gsize) y * p.stride + x * p.step;

  return p.wide ? *(const guint16 *) at >> p.shift : *at;
}

static __device__ double
overlap (int i, double from, double to)
{
  return (i + 1 < to ? i + 1 : to) - (i > from ? i : from);
}

/* Mean over the rectangle of `size` samples of the scaled picture from (y, x), where that has another size than the frame. */
static __device__ float
mean_scaled (const Packer &k, const Part &p, int y, int x, int size)
{
  const double ky = k.sy / (1 << p.sub_y), kx = k.sx / (1 << p.sub_x);
  const double y0 = y * ky, y1 = (y + size) * ky, x0 = x * kx, x1 = (x + size) * kx;
  float sum = 0, area = 0;

  for (int i = (int) y0; i < y1 && i < p.h; i++)
    for (int j = (int) x0; j < x1 && j < p.w; j++) {
      const float a = (float) (overlap (i, y0, y1) * overlap (j, x0, x1));

      sum += a * sample (p, i, j);
      area += a;
    }
  return sum / area;
}

/* The same where it has not: whole samples only. Of one there is no mean. */
static __device__ float
mean_whole (const Part &p, int y, int x, int size)
{
  const int y0 = y >> p.sub_y, x0 = x >> p.sub_x;
  const int y1 = min (p.h, y0 + max (size >> p.sub_y, 1)), x1 = min (p.w, x0 + max (size >> p.sub_x, 1));
  float sum = 0;

  if (size == 1)
    return sample (p, y0, x0);
#pragma unroll 1
  for (int i = y0; i < y1; i++)
#pragma unroll 1
    for (int j = x0; j < x1; j++)
      sum += sample (p, i, j);
  return sum / ((y1 - y0) * (x1 - x0));
}

/* WHOLE: it has the frame's size. */
template <bool WHOLE>
static __device__ float
value (const Packer &k, int part, int y, int x, int size)
{
  const Part &p = k.part[part];

  return (WHOLE ? mean_whole (p, y, x, size) : mean_scaled (k, p, y, x, size)) * p.gain + p.bias;
}

template <bool WHOLE>
static __device__ float
luma (const Packer &k, int y, int x, int size)
{
  float v = value<WHOLE> (k, 0, y, x, size);

  if (k.rgb)
    v = .2126f * v + .7152f * value<WHOLE> (k, 1, y, x, size) + .0722f * value<WHOLE> (k, 2, y, x, size);
  return v;
}

template <bool WHOLE>
static __global__ void
__launch_bounds__ (THREADS) pack (Packer k, View dst)
{
  const int first = blockIdx.x * THREADS, end = dst.h * dst.w, p = first + threadIdx.x, i = p / dst.w, j = p % dst.w;
  const int y = 2 * min (i, (k.sh + 1) / 2 - 1), x = 2 * min (j, (k.sw + 1) / 2 - 1);
  float cb = 0, cr = 0;
  SHARED (float, block);
  float *made = block + CHANNELS * threadIdx.x;

  if (p < end) {
    for (int q = 0; q < 4; q++)
      made[q] = luma<WHOLE> (k, min (2 * i + q / 2, k.sh - 1), min (2 * j + q % 2, k.sw - 1), 1);
    if (k.rgb) {
      const float v = luma<WHOLE> (k, y, x, 2);

      cb = (value<WHOLE> (k, 2, y, x, 2) - v) / 1.8556f;
      cr = (value<WHOLE> (k, 0, y, x, 2) - v) / 1.5748f;
    } else if (k.n == 3) {
      cb = value<WHOLE> (k, 1, y, x, 2);
      cr = value<WHOLE> (k, 2, y, x, 2);
    }
    made[4] = clampf (cb, -VFI_CHROMA_LIMIT, VFI_CHROMA_LIMIT);
    made[5] = clampf (cr, -VFI_CHROMA_LIMIT, VFI_CHROMA_LIMIT);
  }
  __syncthreads ();
  for (int n = threadIdx.x; n < CHANNELS * min (THREADS, end - first); n += THREADS)
    set (dst, first + n / CHANNELS, n % CHANNELS, block[n]);
}

void
vfi_cuda_pack (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  Packer k = {};

  k.n = f->n_parts;
  k.rgb = f->rgb;
  k.sh = vfi_scaled_size (info->height, flow_scale);
  k.sw = vfi_scaled_size (info->width, flow_scale);
  k.sy = (double) info->height / k.sh;
  k.sx = (double) info->width / k.sw;
  for (int i = 0; i < k.n; i++) {
    const int plane = f->part[i].plane;
    const VfiPlaneLayout *l = &f->plane[plane];
    Part *p = &k.part[i];

    p->data = frame->data[plane] + f->part[i].comp * l->bytes;
    p->stride = frame->stride[plane];
    p->step = l->comps * l->bytes;
    p->wide = l->bytes == 2;
    p->shift = l->shift;
    p->sub_y = l->sub_y;
    p->sub_x = l->sub_x;
    vfi_frame_info_plane_size (info, plane, &p->w, &p->h);
    vfi_format_scale (info, i, &p->gain, &p->bias);
  }
  vfi_launch (cuda, blocks ((gsize) x->h * x->w, THREADS), THREADS, CHANNELS * THREADS * sizeof (float),
              k.sy == 1 && k.sx == 1 ? pack<true> : pack<false>, k, View (*x));
}
