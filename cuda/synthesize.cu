/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * synthesize of core/frame.h, a plane at a time: a thread for each pixel interpolates the state, samples both frames and blends.
 */
#include <math.h>

#include "device.h"

#define THREADS 256

/* A plane of the two frames and of the result. */
struct Plane
{
  const guint8 *f0, *f1;
  guint8 *dst;
  int stride0, stride1, stride;
  int h, w, comps, wide, shift, top; /* wide: two bytes to a sample; top: the largest value */
  float ky, kx;                      /* samples of the scaled picture per pixel of the plane */
};

struct Moment
{
  View state;
  float t, u, logit; /* t, 1 - t, log ((1 - t) / t) */
};

static __device__ float
lerp (float a, float b, float f)
{
  return a + f * (b - a);
}

static __device__ float
state_at (const View &s, const Tap &y, const Tap &x, int c)
{
  return lerp (lerp (get (s, y.i * s.w + x.i, c), get (s, y.i * s.w + x.j, c), x.f),
               lerp (get (s, y.j * s.w + x.i, c), get (s, y.j * s.w + x.j, c), x.f), y.f);
}

static __device__ float
load (const Plane &p, const guint8 *row, int x, int c)
{
  const int i = x * p.comps + c;

  return p.wide ? ((const guint16 *) row)[i] >> p.shift : row[i];
}

/* Weights of the pixels i - 1 to i + 2. */
static __device__ void
cubic (float f, float w[4])
{
  w[0] = ((-0.5f * f + 1) * f - 0.5f) * f;
  w[1] = (1.5f * f - 2.5f) * f * f + 1;
  w[2] = ((-1.5f * f + 2) * f + 0.5f) * f;
  w[3] = (0.5f * f - 0.5f) * f * f;
}

template <bool CUBIC>
static __device__ float
sample (const Plane &p, const guint8 *data, int stride, const Tap &y, const Tap &x, int c)
{
  if (CUBIC) {
    float wx[4], wy[4], sum = 0;

    cubic (x.f, wx);
    cubic (y.f, wy);
    for (int i = 0; i < 4; i++) {
      const guint8 *row = data + (gsize) min (max (y.i + i - 1, 0), p.h - 1) * stride;
      float line = 0;

      for (int j = 0; j < 4; j++)
        line += wx[j] * load (p, row, min (max (x.i + j - 1, 0), p.w - 1), c);
      sum += wy[i] * line;
    }
    return sum;
  }
  const guint8 *a = data + (gsize) y.i * stride, *b = data + (gsize) y.j * stride;
  return lerp (lerp (load (p, a, x.i, c), load (p, a, x.j, c), x.f), lerp (load (p, b, x.i, c), load (p, b, x.j, c), x.f), y.f);
}

template <bool CUBIC>
static __global__ void
__launch_bounds__ (THREADS, 4) synthesize (Plane p, Moment m)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x, y = i / p.w, x = i % p.w;
  float s[5], w;

  if (y >= p.h)
    return;
  const Tap sy = tap (((y + 0.5f) * p.ky - 1) / 2, m.state.h), sx = tap (((x + 0.5f) * p.kx - 1) / 2, m.state.w);
  for (int c = 0; c < 5; c++)
    s[c] = state_at (m.state, sy, sx, c);
  const Tap x0 = tap (x - m.t * s[0] * 2 / p.kx, p.w), y0 = tap (y - m.t * s[1] * 2 / p.ky, p.h);
  const Tap x1 = tap (x + m.u * s[2] * 2 / p.kx, p.w), y1 = tap (y + m.u * s[3] * 2 / p.ky, p.h);
  w = 1 / (1 + expf (-(s[4] + m.logit)));
  guint8 *row = p.dst + (gsize) y * p.stride;
  for (int c = 0; c < p.comps; c++) {
    const float v = lerp (sample<CUBIC> (p, p.f1, p.stride1, y1, x1, c), sample<CUBIC> (p, p.f0, p.stride0, y0, x0, c), w);
    const int n = (int) floorf (clampf (v, 0, p.top) + 0.5f);

    if (p.wide)
      ((guint16 *) row)[x * p.comps + c] = (guint16) (n << p.shift);
    else
      row[x * p.comps + c] = (guint8) n;
  }
}

void
vfi_cuda_synthesize (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
                     const VfiView *state, const VfiFrame *dst)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const float sx = (float) vfi_scaled_size (info->width, flow_scale) / info->width;
  const float sy = (float) vfi_scaled_size (info->height, flow_scale) / info->height;
  const Moment m = { *state, (float) t, (float) (1 - t), (float) log ((1 - t) / t) };

  for (int i = 0; i < f->n_planes; i++) {
    const VfiPlaneLayout *l = &f->plane[i];
    Plane p = { f0->data[i], f1->data[i], dst->data[i], f0->stride[i], f1->stride[i], dst->stride[i] };

    vfi_frame_info_plane_size (info, i, &p.w, &p.h);
    p.comps = l->comps;
    p.wide = l->bytes == 2;
    p.shift = l->shift;
    p.top = (1 << l->depth) - 1;
    p.ky = sy * (1 << l->sub_y);
    p.kx = sx * (1 << l->sub_x);
    vfi_launch (cuda, blocks ((gsize) p.h * p.w, THREADS), THREADS, 0, l->sub_x || l->sub_y ? synthesize<false> : synthesize<true>, p, m);
  }
}
