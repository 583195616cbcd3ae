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
  int h, w, comps, shift, top; /* top: the largest value */
  float ky, kx;                /* samples of the scaled picture per pixel of the plane, */
  float gy, gx;                /* pixels of the plane per pixel of the state's grid */
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
  const float *plane = static_cast<const float *> (s.data) + c * s.cd, *a = plane + y.i * s.w * s.ld, *b = plane + y.j * s.w * s.ld;

  return lerp (lerp (a[x.i * s.ld], a[x.j * s.ld], x.f), lerp (b[x.i * s.ld], b[x.j * s.ld], x.f), y.f);
}

/* T: of a sample. */
template <typename T>
static __device__ float
load (const Plane &p, const guint8 *row, int i)
{
  const T v = ((const T *) row)[i];

  return sizeof (T) == 1 ? v : v >> p.shift;
}

/* Weights of the pixels i - 1 to i + 2, or i - 2 to i + 3: core/sample.h. */
template <int TAPS>
static __device__ void
weigh (float f, float w[TAPS])
{
  if (TAPS == 4) {
    w[0] = ((-0.5f * f + 1) * f - 0.5f) * f;
    w[1] = (1.5f * f - 2.5f) * f * f + 1;
    w[2] = ((-1.5f * f + 2) * f + 0.5f) * f;
    w[3] = (0.5f * f - 0.5f) * f * f;
  } else {
    const float h = f * (1 - f), g = f - 0.5f, e1 = VFI_SHARP_E1 * h, e2 = VFI_SHARP_E2 * h, o1 = VFI_SHARP_O1 * g * h,
                o2 = VFI_SHARP_O2 * g * h;

    w[0] = e2 - o2;
    w[1] = e1 - o1;
    w[2] = 0.5f - e1 - e2 - (g + g * h);
    w[3] = 0.5f - e1 - e2 + (g + g * h);
    w[TAPS - 2] = e1 + o1;
    w[TAPS - 1] = e2 + o2;
  }
}

template <typename T, int TAPS>
static __device__ float
sample (const Plane &p, const guint8 *data, int stride, const Tap &y, const Tap &x, int c)
{
  if (TAPS > 2) {
    constexpr int before = TAPS / 2 - 1;
    const bool inner = p.comps == 1 && x.i >= before && x.i + TAPS / 2 < p.w; /* side by side, in reach of one address */
    float wx[TAPS], wy[TAPS], sum = 0;

    weigh<TAPS> (x.f, wx);
    weigh<TAPS> (y.f, wy);
    for (int i = 0; i < TAPS; i++) {
      const guint8 *row = data + (gsize) min (max (y.i + i - before, 0), p.h - 1) * stride,
                   *first = row + (x.i - before) * (int) sizeof (T);
      float line = 0;

      if (inner)
        for (int j = 0; j < TAPS; j++)
          line += wx[j] * load<T> (p, first, j);
      else
        for (int j = 0; j < TAPS; j++)
          line += wx[j] * load<T> (p, row, min (max (x.i + j - before, 0), p.w - 1) * p.comps + c);
      sum += wy[i] * line;
    }
    return sum;
  }
  const int i = x.i * p.comps + c, j = x.j * p.comps + c;
  const guint8 *a = data + (gsize) y.i * stride, *b = data + (gsize) y.j * stride;
  return lerp (lerp (load<T> (p, a, i), load<T> (p, a, j), x.f), lerp (load<T> (p, b, i), load<T> (p, b, j), x.f), y.f);
}

/* Where a pixel lies in both frames. */
struct Along
{
  Tap y0, x0, y1, x1;
};

static __device__ Along
along (const Plane &p, const Moment &m, int y, int x, float v0x, float v0y, float v1x, float v1y)
{
  return { tap (y - m.t * v0y * p.gy, p.h), tap (x - m.t * v0x * p.gx, p.w), tap (y + m.u * v1y * p.gy, p.h),
           tap (x + m.u * v1x * p.gx, p.w) };
}

template <typename T, int TAPS>
static __device__ float
made (const Plane &p, const Along &a, float w, int c)
{
  return lerp (sample<T, TAPS> (p, p.f1, p.stride1, a.y1, a.x1, c), sample<T, TAPS> (p, p.f0, p.stride0, a.y0, a.x0, c), w);
}

template <typename T, int TAPS>
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
  w = 1 / (1 + expf (-(s[4] + m.logit)));
  const Along first = along (p, m, y, x, s[0], s[1], s[2], s[3]);
  guint8 *row = p.dst + (gsize) y * p.stride;
  float v[4], sum[4]; /* of each component */
#pragma unroll
  for (int c = 0; c < 4; c++)
    if (c < p.comps)
      sum[c] = v[c] = made<T, TAPS> (p, first, w, c);
  for (int k = 5; k < m.state.c; k += 3) {
    const float q = clampf (state_at (m.state, sy, sx, k), 0, 1);

    if (q > 0) {
      const float ux = state_at (m.state, sy, sx, k + 1), uy = state_at (m.state, sy, sx, k + 2);
      const Along further = along (p, m, y, x, ux, uy, ux, uy);

#pragma unroll
      for (int c = 0; c < 4; c++)
        if (c < p.comps)
          sum[c] += q * (made<T, TAPS> (p, further, w, c) - v[c]);
    }
  }
#pragma unroll
  for (int c = 0; c < 4; c++)
    if (c < p.comps) {
      const int n = (int) floorf (clampf (sum[c], 0, p.top) + 0.5f);

      ((T *) row)[x * p.comps + c] = (T) (n << (sizeof (T) == 1 ? 0 : p.shift));
    }
}

void
vfi_cuda_synthesize (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
                     const VfiView *state, int taps, const VfiFrame *dst)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const float sx = (float) vfi_scaled_size (info->width, flow_scale) / info->width;
  const float sy = (float) vfi_scaled_size (info->height, flow_scale) / info->height;
  /* of samples of one and of two bytes, by half of the taps */
  static void (*const kernels[2][3]) (Plane, Moment) = { { synthesize<guint8, 2>, synthesize<guint8, 4>, synthesize<guint8, 6> },
                                                         { synthesize<guint16, 2>, synthesize<guint16, 4>, synthesize<guint16, 6> } };
  const Moment m = { *state, (float) t, (float) (1 - t), (float) log ((1 - t) / t) };

  for (int i = 0; i < f->n_planes; i++) {
    const VfiPlaneLayout *l = &f->plane[i];
    Plane p = { f0->data[i], f1->data[i], dst->data[i], f0->stride[i], f1->stride[i], dst->stride[i] };

    vfi_frame_info_plane_size (info, i, &p.w, &p.h);
    p.comps = l->comps;
    p.shift = l->shift;
    p.top = (1 << l->depth) - 1;
    p.ky = sy * (1 << l->sub_y);
    p.kx = sx * (1 << l->sub_x);
    p.gy = 2 / p.ky;
    p.gx = 2 / p.kx;
    vfi_launch (cuda, blocks ((gsize) p.h * p.w, THREADS), THREADS, 0, kernels[l->bytes == 2][l->sub_x || l->sub_y ? 0 : taps / 2 - 1], p,
                m);
  }
}
