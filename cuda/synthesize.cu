/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * synthesize of core/frame.h, a plane at a time: a thread for each pixel interpolates the state, samples both frames and blends.
 */
#include <math.h>

#include "area.h"
#include "device.h"

#define TILE_W 32 /* pixels of a block */
#define TILE_H 8
#define THREADS (TILE_W * TILE_H)
#define REACH 10 /* samples to each side that are read together with a pixel's taps, at most */

/* A plane of the two frames and of the result. */
struct Plane
{
  const guint8 *f0, *f1;
  guint8 *dst;
  unsigned stride0, stride1, stride;
  int h, w, comps, shift, top; /* top: the largest value */
  bool aligned;                /* words are where they may be read as such */
  float ky, kx;                /* samples of the scaled picture per pixel of the plane, */
  float gy, gx;                /* pixels of the plane per pixel of the state's grid */
};

struct Moment
{
  View state, bend;     /* bend: without data, there is none */
  const float *area[2]; /* NULL: all of both frames */
  float t, u, logit;    /* t, 1 - t, log ((1 - t) / t) */
};

static __device__ float
lerp (float a, float b, float f)
{
  return a + f * (b - a);
}

/* Rows and columns, the last ones included. */
struct Box
{
  int top, left, bottom, right;
};

/* A coordinate, clamped to first..last. */
static __device__ Tap
tap_between (float v, int first, int last)
{
  v = clampf (v, first, last);
  const int i = (int) v;

  return { i, min (i + 1, last), v - i };
}

static __device__ int
between (int i, int first, int last)
{
  return max (first, min (i, last));
}

/* vfi_inside_edge of core/sample.h, of a box */
static __device__ float
inside_box (const Box &box, float y, float x, float edge)
{
  return inside (y - box.top, x - box.left, box.bottom - box.top + 1, box.right - box.left + 1, edge);
}

/* Four neighbours on the state's grid, and how far the pixel is from the first one. */
struct Cell
{
  unsigned a, b, c, d;
  float y, x;
};

static __device__ Cell
cell (const View &s, const Box &within, float y, float x)
{
  const Tap i = tap_between (y, within.top, within.bottom), j = tap_between (x, within.left, within.right);
  const unsigned ld = s.ld, above = i.i * s.w, below = i.j * s.w;

  return { (above + j.i) * ld, (above + j.j) * ld, (below + j.i) * ld, (below + j.j) * ld, i.f, j.f };
}

static __device__ float
state_at (const View &s, const Cell &at, int c)
{
  const float *plane = static_cast<const float *> (s.data) + c * s.cd;

  return lerp (lerp (plane[at.a], plane[at.b], at.x), lerp (plane[at.c], plane[at.d], at.x), at.y);
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

/* Samples of one byte are weighted by integers. */
#define ONE 16384
#define ROUND 12582912.f /* 1.5 2^23: added to a number it leaves its integer part, from 0x4b400000 on */

__device__ inline int
dot (unsigned weights, unsigned samples, bool high, int sum)
{
#ifdef __CUDACC__
  int to;

  if (high)
    asm("dp2a.hi.s32.u32 %0, %1, %2, %3;" : "=r"(to) : "r"(weights), "r"(samples), "r"(sum));
  else
    asm("dp2a.lo.s32.u32 %0, %1, %2, %3;" : "=r"(to) : "r"(weights), "r"(samples), "r"(sum));
  return to;
#else
  for (int i = 0; i < 2; i++)
    sum += (gint16) (weights >> 16 * i) * (int) (samples >> (8 * i + 16 * high) & 255);
  return sum;
#endif
}

/* Weights times ONE, two in a word. The one left of the middle is what is missing of ONE, whatever rounding does: what is flat stays flat. */
template <int TAPS>
static __device__ void
whole (const float w[TAPS], unsigned pairs[TAPS / 2])
{
  constexpr int middle = (TAPS / 2 - 1) / 2; /* its pair */
  constexpr bool upper = (TAPS / 2 - 1) % 2;
  int missing = ONE;

  for (int i = 0; i < TAPS / 2; i++) {
    pairs[i] = __byte_perm (__float_as_uint (w[2 * i] * ONE + ROUND), __float_as_uint (w[2 * i + 1] * ONE + ROUND), 0x5410);
    if (i == middle)
      pairs[i] &= upper ? 0xffff : 0xffff0000;
    missing -= dot (pairs[i], 0x0101, false, 0);
  }
  pairs[middle] |= upper ? (unsigned) missing << 16 : missing & 0xffff;
}

/* The weighted sum of TAPS samples that lie side by side: the first one at byte `shift` / 8 of the word `at`. */
template <int TAPS>
static __device__ float
line_of (const guint8 *at, unsigned shift, const unsigned pairs[TAPS / 2])
{
  const unsigned *word = (const unsigned *) at;
  const unsigned a = __ldg (word), b = __ldg (word + 1), v = __funnelshift_r (a, b, shift);
  int sum = dot (pairs[1], v, true, dot (pairs[0], v, false, 0));

  if constexpr (TAPS == 6)
    sum = dot (pairs[TAPS / 2 - 1], __funnelshift_r (b, __ldg (word + 2), shift), false, sum);
  return sum;
}

/* Of samples of two bytes, read as words, times 2^-149: bits below 2^24 are a float of as many 2^-149, and as such need no conversion. */
template <int TAPS>
static __device__ float
line_of (const Plane &p, const guint8 *at, const float w[TAPS])
{
  const unsigned *word = (const unsigned *) ((gsize) at & ~(gsize) 3);
  float line = 0;

  for (int i = 0; i < TAPS; i += 2) {
    const unsigned v = __funnelshift_r (__ldg (word + i / 2), __ldg (word + i / 2 + 1), (unsigned) (gsize) at * 8);

    for (int j = 0; j < 2; j++)
      line += w[i + j] * __uint_as_float (__byte_perm (v, 0, 0x4410 + 0x22 * j) >> p.shift);
  }
  return line;
}

/* COMPS: as many components at most. */
template <typename T, int TAPS, int COMPS>
static __device__ float
sample (const Plane &p, const Box &box, const guint8 *data, unsigned stride, const Tap &y, const Tap &x, int c)
{
  if constexpr (TAPS > 2) {
    constexpr int before = TAPS / 2 - 1;
    float wx[TAPS], wy[TAPS], sum = 0;

    weigh<TAPS> (x.f, wx);
    weigh<TAPS> (y.f, wy);
    const bool words = COMPS == 1 && x.i >= max (REACH, box.left + before) && x.i <= min (p.w - REACH, box.right - TAPS / 2) &&
                       y.i >= box.top + before && y.i + TAPS / 2 <= box.bottom;
    if constexpr (sizeof (T) == 1) {
      unsigned pairs[TAPS / 2];

      whole<TAPS> (wx, pairs);
      if (words && p.aligned) {
        const unsigned first = x.i - before;
        const guint8 *at = data + ((y.i - before) * stride + (first & ~3u));

        for (int i = 0; i < TAPS; i++, at += stride)
          sum += wy[i] * line_of<TAPS> (at, first * 8, pairs);
      } else
        for (int i = 0; i < TAPS; i++) {
          const guint8 *row = data + (gsize) (unsigned) between (y.i + i - before, box.top, box.bottom) * stride;
          int line = 0;

          for (int j = 0; j < TAPS; j++)
            line += (gint16) (pairs[j / 2] >> j % 2 * 16) * row[between (x.i + j - before, box.left, box.right) * p.comps + c];
          sum += wy[i] * line;
        }
      return sum * (1.f / ONE);
    } else {
      if (words) {
        const guint8 *at = data + ((y.i - before) * (gsize) stride + (x.i - before) * sizeof (T));

        for (int j = 0; j < TAPS; j++)
          wx[j] *= 0x1p126f;
        for (int i = 0; i < TAPS; i++, at += stride)
          sum += wy[i] * line_of<TAPS> (p, at, wx);
        return sum * 0x1p23f;
      }
      for (int i = 0; i < TAPS; i++) {
        const guint8 *row = data + (gsize) (unsigned) between (y.i + i - before, box.top, box.bottom) * stride;
        float line = 0;

        for (int j = 0; j < TAPS; j++)
          line += wx[j] * load<T> (p, row, between (x.i + j - before, box.left, box.right) * p.comps + c);
        sum += wy[i] * line;
      }
      return sum;
    }
  }
  const int i = x.i * p.comps + c, j = x.j * p.comps + c;
  const guint8 *a = data + (gsize) y.i * stride, *b = data + (gsize) y.j * stride;
  return lerp (lerp (load<T> (p, a, i), load<T> (p, a, j), x.f), lerp (load<T> (p, b, i), load<T> (p, b, j), x.f), y.f);
}

/* Where a pixel lies in both frames, and how much each counts there. */
struct Along
{
  Tap y0, x0, y1, x1;
  float in0, in1;
};

template <int TAPS>
static __device__ Along
along (const Plane &p, const Box &box, const Moment &m, int y, int x, float bend_y, float bend_x, float v0x, float v0y, float v1x,
       float v1y)
{
  const float moves = fminf (fmaxf (fabsf (m.u * v1x + m.t * v0x), fabsf (m.u * v1y + m.t * v0y)) * (1 / VFI_BEND_STILL), 1);
  const float from_y = y + moves * bend_y * p.gy, from_x = x + moves * bend_x * p.gx;
  const float y0 = from_y - m.t * v0y * p.gy, x0 = from_x - m.t * v0x * p.gx, y1 = from_y + m.u * v1y * p.gy,
              x1 = from_x + m.u * v1x * p.gx;

  return { tap_between (y0, box.top, box.bottom), tap_between (x0, box.left, box.right),     tap_between (y1, box.top, box.bottom),
           tap_between (x1, box.left, box.right), inside_box (box, y0, x0, VFI_EDGE (TAPS)), inside_box (box, y1, x1, VFI_EDGE (TAPS)) };
}

template <typename T, int TAPS, int COMPS>
static __device__ float
made (const Plane &p, const Box &box, const Along &a, float w, int c)
{
  const float w0 = w * a.in0, w1 = (1 - w) * a.in1;

  return lerp (sample<T, TAPS, COMPS> (p, box, p.f1, p.stride1, a.y1, a.x1, c),
               sample<T, TAPS, COMPS> (p, box, p.f0, p.stride0, a.y0, a.x0, c), w0 / (w0 + w1));
}

template <typename T, int TAPS, int COMPS>
static __global__ void
__launch_bounds__ (THREADS, 4) synthesize (Plane p, Moment m)
{
  const int x = blockIdx.x * TILE_W + threadIdx.x, y = blockIdx.y * TILE_H + threadIdx.y;
  float s[5], w, v[COMPS] = { 0 }, sum[COMPS] = { 0 }; /* of each component: along the first motion; in all */

  if (x >= p.w || y >= p.h)
    return;
  Box cells = { 0, 0, m.state.h - 1, m.state.w - 1 }, box = { 0, 0, p.h - 1, p.w - 1 };
  if (m.area[0]) {
    float side[VFI_SIDES];

    for (int i = 0; i < VFI_SIDES; i++)
      side[i] = vfi_area_side (m.area[0][i], m.area[1][i], i);
    const float top = side[VFI_TOP], left = side[VFI_LEFT], bottom = side[VFI_BOTTOM], right = side[VFI_RIGHT];

    cells = { (int) top, (int) left, (int) bottom - 1, (int) right - 1 };
    box = { vfi_area_line (top, p.ky, p.h), vfi_area_line (left, p.kx, p.w), vfi_area_line (bottom, p.ky, p.h) - 1,
            vfi_area_line (right, p.kx, p.w) - 1 };
    if (y < box.top || y > box.bottom || x < box.left || x > box.right) {
      const bool nearer = m.t < 0.5f; /* the first one */
      const guint8 *from = (nearer ? p.f0 : p.f1) + (gsize) y * (nearer ? p.stride0 : p.stride1);

      for (int c = 0; c < p.comps; c++)
        ((T *) (p.dst + (gsize) y * p.stride))[x * p.comps + c] = ((const T *) from)[x * p.comps + c];
      return;
    }
  }
  const Cell at = cell (m.state, cells, ((y + 0.5f) * p.ky - 1) / 2, ((x + 0.5f) * p.kx - 1) / 2);
  float bend_x = 0, bend_y = 0;
  if (m.bend.data) {
    const float k = 0.5f / VFI_BEND_GRID;
    const Cell there = cell (m.bend, { 0, 0, m.bend.h - 1, m.bend.w - 1 }, (y + 0.5f) * p.ky * k - 0.5f, (x + 0.5f) * p.kx * k - 0.5f);

    bend_x = state_at (m.bend, there, 0);
    bend_y = state_at (m.bend, there, 1);
  }
  for (int c = 0; c < 5; c++)
    s[c] = state_at (m.state, at, c);
  w = 1 / (1 + expf (-(s[4] + m.logit)));
#pragma unroll 1
  for (int k = 2; k < m.state.c; k += 3) {
    const bool first = k == 2;
    const float q = first ? 1 : clampf (state_at (m.state, at, k), 0, 1);

    if (q > 0) {
      if (!first) {
        s[0] = s[2] = state_at (m.state, at, k + 1);
        s[1] = s[3] = state_at (m.state, at, k + 2);
      }
      const Along a = along<TAPS> (p, box, m, y, x, bend_y, bend_x, s[0], s[1], s[2], s[3]);

#pragma unroll
      for (int c = 0; c < COMPS; c++)
        if (COMPS == 1 || c < p.comps) {
          const float here = made<T, TAPS, COMPS> (p, box, a, w, c);

          sum[c] += q * (here - v[c]);
          if (first)
            v[c] = here;
        }
    }
  }
  guint8 *row = p.dst + (gsize) y * p.stride;
#pragma unroll
  for (int c = 0; c < COMPS; c++)
    if (COMPS == 1 || c < p.comps) {
      const int n = (int) floorf (clampf (sum[c], 0, p.top) + 0.5f);

      ((T *) row)[x * p.comps + c] = (T) (n << (sizeof (T) == 1 ? 0 : p.shift));
    }
}

#define OF(T, TAPS)                                                                                                                        \
  {                                                                                                                                        \
    synthesize<T, TAPS, 1>, synthesize<T, TAPS, 4>                                                                                         \
  }

void
vfi_cuda_synthesize (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
                     const VfiSynthesis *motion, const VfiFrame *dst)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const float sx = (float) vfi_scaled_size (info->width, flow_scale) / info->width;
  const float sy = (float) vfi_scaled_size (info->height, flow_scale) / info->height;
  /* of samples of one and of two bytes, by half of the taps, for one component and for more */
  static void (*const kernels[2][3][2]) (Plane, Moment) = { { OF (guint8, 2), OF (guint8, 4), OF (guint8, 6) },
                                                            { OF (guint16, 2), OF (guint16, 4), OF (guint16, 6) } };
  const Moment m = { motion->state, motion->bend,    { (const float *) motion->area[0].data, (const float *) motion->area[1].data },
                     (float) t,     (float) (1 - t), (float) log ((1 - t) / t) };

  for (int i = 0; i < f->n_planes; i++) {
    const VfiPlaneLayout *l = &f->plane[i];
    Plane p = { f0->data[i], f1->data[i], dst->data[i], (unsigned) f0->stride[i], (unsigned) f1->stride[i], (unsigned) dst->stride[i] };

    vfi_frame_info_plane_size (info, i, &p.w, &p.h);
    p.comps = l->comps;
    p.aligned = ((gsize) p.f0 | (gsize) p.f1 | p.stride0 | p.stride1) % 4 == 0;
    p.shift = l->shift;
    p.top = (1 << l->depth) - 1;
    p.ky = sy * (1 << l->sub_y);
    p.kx = sx * (1 << l->sub_x);
    p.gy = 2 / p.ky;
    p.gx = 2 / p.kx;
    vfi_launch (cuda, dim3 (blocks (p.w, TILE_W), blocks (p.h, TILE_H)), dim3 (TILE_W, TILE_H), 0,
                kernels[l->bytes == 2][l->sub_x || l->sub_y ? 0 : motion->taps / 2 - 1][l->comps > 1], p, m);
  }
}
