/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The small operators of networks that see pictures: interleave, downsample, max_pool, crop, fill, mix, blend, affine, prelu,
 * divide, gate, resize_corners, warp_zeros, moments and normalize, exposure and expose.
 */
#include "device.h"
#include "exposure.h"

/* ---- interleave, downsample, fill --------------------------------------------------------------- */

static __global__ void
interleave (View src, View dst)
{
  const Element e = element (dst);
  const int y = e.p / dst.w, x = e.p % dst.w;

  if (e.valid)
    set (dst, e.p, e.c, get (src, (y + 1) / 2 * src.w + (x + 1) / 2, (2 * (y % 2) + x % 2) * dst.c + e.c));
}

static void
run_interleave (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, interleave, View (*src), View (*dst));
}

static __global__ void
downsample (View src, const float *gain, int k, View dst)
{
  const Element e = element (dst);
  const int p = (e.p / dst.w * k + k / 2) * src.w + e.p % dst.w * k + k / 2;

  if (e.valid)
    set (dst, e.p, e.c,
         gain[e.c] / 4 * (get (src, p - src.w - 1, e.c) + get (src, p - src.w, e.c) + get (src, p - 1, e.c) + get (src, p, e.c)));
}

static gpointer
prepare_downsample (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiDownsampleParams *p = (const VfiDownsampleParams *) node->params;

  return vfi_cuda_buffer_new ((VfiCuda *) b, p->gain, src->c * sizeof (float), error);
}

static void
run_downsample (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const float *gain = (const float *) ((const VfiCudaBuffer *) state)->data;

  vfi_launch_elements ((VfiCuda *) b, *dst, downsample, View (*src), gain, ((const VfiDownsampleParams *) node->params)->k, View (*dst));
}

static __global__ void
fill (View value, View dst)
{
  const Element e = element (dst);

  if (e.valid)
    set (dst, e.p, e.c, get (value, 0));
}

static void
run_fill (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, fill, View (*src), View (*dst));
}

/* ---- mix, blend --------------------------------------------------------------------------------- */

static __device__ float
polynomial (const float p[3], float t)
{
  return p[0] + t * (p[1] + t * p[2]);
}

static __global__ void
mix (VfiMixParams m, View a, View b, View time, View dst)
{
  const Element e = element (dst);
  const float t = time.data ? get (time, 0) : 0;

  if (e.valid)
    set (dst, e.p, e.c, polynomial (m.p, t) * get (a, e.p, e.c) + polynomial (m.q, t) * get (b, e.p, e.c));
}

static void
run_mix (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiMixParams *m = (const VfiMixParams *) node->params;

  vfi_launch_elements ((VfiCuda *) b, *dst, mix, *m, View (src[0]), View (src[1]), m->timed ? View (src[2]) : View (), View (*dst));
}

/* residual, time: without data where there are none. */
static __global__ void
blend (float gain, int tanh, View a, View b, View logit, View residual, View time, View dst)
{
  const Element e = element (dst);
  float t, bias = 0, m, v;

  if (!e.valid)
    return;
  if (time.data) { /* vfi_blend_logit of core/op.h */
    t = get (time, 0);
    bias = t < 1e-6f ? 14 : t > 1 - 1e-6f ? -14 : logf ((1 - t) / t);
  }
  m = tanh ? (1 + get (logit, e.p, 0)) / 2 : 1 / (1 + expf (-(gain * get (logit, e.p, 0) + bias)));
  v = get (b, e.p, e.c);
  v += m * (get (a, e.p, e.c) - v);
  set (dst, e.p, e.c, residual.data ? v + get (residual, e.p, e.c) : v);
}

static void
run_blend (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiBlendParams *p = (const VfiBlendParams *) node->params;
  const View residual = p->residual ? View (src[3]) : View (), time = p->timed ? View (src[3 + p->residual]) : View ();

  vfi_launch_elements ((VfiCuda *) b, *dst, blend, p->gain, (int) p->tanh, View (src[0]), View (src[1]), View (src[2]), residual, time,
                       View (*dst));
}

/* ---- affine, prelu, divide ---------------------------------------------------------------------- */

static __global__ void
affine (VfiAffineParams a, View src, View dst)
{
  const Element e = element (dst);

  if (e.valid)
    set (dst, e.p, e.c, a.gain * get (src, e.p, e.c) + a.bias[e.c]);
}

static void
run_affine (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, affine, *(const VfiAffineParams *) node->params, View (*src), View (*dst));
}

static __global__ void
prelu (View src, const float *slope, View dst)
{
  const Element e = element (dst);

  if (e.valid) {
    const float v = get (src, e.p, e.c);

    set (dst, e.p, e.c, v > 0 ? v : v * *slope);
  }
}

static gpointer
prepare_prelu (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  return vfi_cuda_buffer_new ((VfiCuda *) b, weights[0], sizeof (float), error);
}

static void
run_prelu (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const float *slope = (const float *) ((const VfiCudaBuffer *) state)->data;

  vfi_launch_elements ((VfiCuda *) b, *dst, prelu, View (*src), slope, View (*dst));
}

static __global__ void
divide (View src, View dst)
{
  const Element e = element (dst);

  if (e.valid) {
    const float n = get (src, e.p, dst.c);

    set (dst, e.p, e.c, get (src, e.p, e.c) / (fabsf (n) < 0.01f ? 1 : n));
  }
}

static void
run_divide (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, divide, View (*src), View (*dst));
}

static __global__ void
gate (View src, int gates, float slope, View dst)
{
  const Element e = element (dst);

  if (e.valid) {
    const float v = get (src, e.p, e.c);

    set (dst, e.p, e.c, (v > 0 ? v : v * slope) / (1 + expf (-get (src, e.p, dst.c + e.c % gates))));
  }
}

static void
run_gate (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiGateParams *p = (const VfiGateParams *) node->params;

  vfi_launch_elements ((VfiCuda *) b, *dst, gate, View (*src), p->gates, p->slope, View (*dst));
}

/* ---- max_pool, crop, resize_corners, warp_zeros ------------------------------------------------- */

static __global__ void
max_pool (View src, View dst)
{
  const Element e = element (dst);
  const int p = e.p / dst.w * 2 * src.w + e.p % dst.w * 2;

  if (e.valid)
    set (dst, e.p, e.c,
         fmaxf (fmaxf (get (src, p, e.c), get (src, p + 1, e.c)), fmaxf (get (src, p + src.w, e.c), get (src, p + src.w + 1, e.c))));
}

static void
run_max_pool (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, max_pool, View (*src), View (*dst));
}

static __global__ void
crop (View src, View dst)
{
  const Element e = element (dst);

  if (e.valid)
    set (dst, e.p, e.c, get (src, e.p / dst.w * src.w + e.p % dst.w, e.c));
}

static void
run_crop (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, crop, View (*src), View (*dst));
}

static __global__ void
resize_corners (View src, View dst)
{
  const Element e = element (dst);

  if (e.valid)
    set (dst, e.p, e.c, bilinear (src, corner (e.p / dst.w, src.h), corner (e.p % dst.w, src.w), e.c));
}

static void
run_resize_corners (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, resize_corners, View (*src), View (*dst));
}

static __device__ float
get_inside (const View &v, int y, int x, int c)
{
  return y < 0 || y >= v.h || x < 0 || x >= v.w ? 0 : get (v, y * v.w + x, c);
}

static __global__ void
warp_zeros (View src, View flow, int shrink, View dst)
{
  const Element e = element (dst);

  if (!e.valid)
    return;
  const float kx = shrink ? (src.w - 1) / (float) src.w : 1, ky = shrink ? (src.h - 1) / (float) src.h : 1;
  const float x = clampf ((e.p % dst.w + get (flow, e.p, 0)) * kx, -1, src.w);
  const float y = clampf ((e.p / dst.w + get (flow, e.p, 1)) * ky, -1, src.h);
  const int ix = (int) floorf (x), iy = (int) floorf (y);
  const float fx = x - ix, fy = y - iy;
  const float top = (1 - fx) * get_inside (src, iy, ix, e.c) + fx * get_inside (src, iy, ix + 1, e.c);
  const float bottom = (1 - fx) * get_inside (src, iy + 1, ix, e.c) + fx * get_inside (src, iy + 1, ix + 1, e.c);
  set (dst, e.p, e.c, (1 - fy) * top + fy * bottom);
}

static void
run_warp_zeros (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const int shrink = ((const VfiWarpZerosParams *) node->params)->shrink;

  vfi_launch_elements ((VfiCuda *) b, *dst, warp_zeros, View (src[0]), View (src[1]), shrink, View (*dst));
}

/* ---- moments, normalize ------------------------------------------------------------------------- */

#define PARTS 128   /* sums that are made on the way, */
#define THREADS 256 /* of as many threads' */

/* Adds up what all threads of the block have; the first one knows. */
static __device__ void
add_up (double *shared, double *sum, double *squares)
{
  const int i = threadIdx.x;

  shared[i] = *sum;
  shared[THREADS + i] = *squares;
  for (int n = THREADS / 2; n > 0; n /= 2) {
    __syncthreads ();
    if (i < n) {
      shared[i] += shared[i + n];
      shared[THREADS + i] += shared[THREADS + i + n];
    }
  }
  *sum = shared[0];
  *squares = shared[THREADS];
}

static __global__ void
moments_of_parts (View src, double *parts)
{
  SHARED (double, shared);
  const int n = src.h * src.w * src.c;
  double sum = 0, squares = 0;

  for (int i = blockIdx.x * THREADS + threadIdx.x; i < n; i += PARTS * THREADS) {
    const double v = get (src, i / src.c, i % src.c);

    sum += v;
    squares += v * v;
  }
  add_up (shared, &sum, &squares);
  if (threadIdx.x == 0) {
    parts[2 * blockIdx.x] = sum;
    parts[2 * blockIdx.x + 1] = squares;
  }
}

static __global__ void
moments (View src, const double *parts, View dst)
{
  SHARED (double, shared);
  const int i = threadIdx.x;
  const double n = (double) src.h * src.w * src.c;
  double sum = i < PARTS ? parts[2 * i] : 0, squares = i < PARTS ? parts[2 * i + 1] : 0;

  add_up (shared, &sum, &squares);
  if (i == 0) {
    set (dst, 0, 0, (float) (sum / n));
    set (dst, 0, 1, (float) (squares / n));
  }
}

static gpointer
prepare_moments (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const double none[2 * PARTS] = { 0 };

  return vfi_cuda_buffer_new ((VfiCuda *) b, none, sizeof none, error);
}

static void
run_moments (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const size_t shared = 2 * THREADS * sizeof (double);
  double *parts = (double *) ((const VfiCudaBuffer *) state)->data;
  VfiCuda *cuda = (VfiCuda *) b;

  vfi_launch (cuda, PARTS, THREADS, shared, moments_of_parts, View (*src), parts);
  vfi_launch (cuda, 1, THREADS, shared, moments, View (*src), parts, View (*dst));
}

/* vfi_normalize_by of core/op.h */
static __global__ void
normalize (View src, View m0, View m1, int unit, View dst)
{
  const Element e = element (dst);

  if (!e.valid)
    return;
  const double mean = (get (m0, 0, 0) + (double) get (m1, 0, 0)) / 2;
  const double variance = (get (m0, 0, 1) + (double) get (m1, 0, 1)) / 2 - mean * mean;
  const float gain = unit ? (float) (1 / (sqrt (variance > 0 ? variance : 0) + 1e-7)) : 1;
  set (dst, e.p, e.c, (get (src, e.p, e.c) - (float) mean) * gain);
}

static void
run_normalize (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const int unit = ((const VfiNormalizeParams *) node->params)->unit;

  vfi_launch_elements ((VfiCuda *) b, *dst, normalize, View (src[0]), View (src[1]), View (src[2]), unit, View (*dst));
}

/* ---- exposure, expose --------------------------------------------------------------------------- */

/* One block: the pictures are small. */
static __global__ void
exposure (View y0, View y1, View dst)
{
  SHARED (double, shared);
  const int pixels = y0.h * y0.w;
  const double n = pixels;
  double mean[2], std[2], left = 0, there = 0;

  for (int k = 0; k < 2; k++) {
    double sum = 0, squares = 0;

    for (int i = threadIdx.x; i < pixels; i += THREADS) {
      const double v = get (k ? y1 : y0, i, 0);

      sum += v;
      squares += v * v;
    }
    add_up (shared, &sum, &squares);
    __syncthreads ();
    mean[k] = shared[0] / n;
    const double variance = shared[THREADS] / n - mean[k] * mean[k];
    std[k] = sqrt (variance > 0 ? variance : 0) + VFI_EXPOSURE_FLAT;
    __syncthreads ();
  }
  const double ratio = std[0] / std[1], least = 1 / VFI_EXPOSURE_MOST;
  const double gain = ratio < least ? least : ratio > VFI_EXPOSURE_MOST ? VFI_EXPOSURE_MOST : ratio, bias = mean[0] - gain * mean[1];
  for (int i = threadIdx.x; i < pixels; i += THREADS) {
    const double a = get (y0, i, 0), b = get (y1, i, 0);

    left += fabs (gain * b + bias - a);
    there += fabs (b - a);
  }
  add_up (shared, &left, &there);
  if (threadIdx.x == 0) {
    const float r = (float) ((left / n + VFI_EXPOSURE_DIM) / (there / n + VFI_EXPOSURE_DIM));
    const float k = pixels < VFI_EXPOSURE_PIXELS ? 0 : clampf ((VFI_EXPOSURE_UNLIKE - r) / (VFI_EXPOSURE_UNLIKE - VFI_EXPOSURE_LIKE), 0, 1);

    set (dst, 0, 0, (float) (1 + k * (gain - 1)));
    set (dst, 0, 1, (float) (k * bias));
  }
}

static void
run_exposure (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch ((VfiCuda *) b, 1, THREADS, 2 * THREADS * sizeof (double), exposure, View (src[0]), View (src[1]), View (*dst));
}

static __global__ void
expose (View src, View exposure, View dst)
{
  const Element e = element (dst);

  if (e.valid)
    set (dst, e.p, e.c, get (exposure, 0, 0) * get (src, e.p, e.c) + get (exposure, 0, 1));
}

static void
run_expose (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  vfi_launch_elements ((VfiCuda *) b, *dst, expose, View (src[0]), View (src[1]), View (*dst));
}

const VfiKernel vfi_cuda_exposure = { &vfi_op_exposure, vfi_cuda_supports, NULL, run_exposure, NULL };
const VfiKernel vfi_cuda_expose = { &vfi_op_expose, vfi_cuda_supports, NULL, run_expose, NULL };
const VfiKernel vfi_cuda_affine = { &vfi_op_affine, vfi_cuda_supports, NULL, run_affine, NULL };
const VfiKernel vfi_cuda_prelu = { &vfi_op_prelu, vfi_cuda_supports, prepare_prelu, run_prelu, vfi_cuda_buffer_free };
const VfiKernel vfi_cuda_divide = { &vfi_op_divide, vfi_cuda_supports, NULL, run_divide, NULL };
const VfiKernel vfi_cuda_gate = { &vfi_op_gate, vfi_cuda_supports, NULL, run_gate, NULL };
const VfiKernel vfi_cuda_crop = { &vfi_op_crop, vfi_cuda_supports, NULL, run_crop, NULL };
const VfiKernel vfi_cuda_max_pool = { &vfi_op_max_pool, vfi_cuda_supports, NULL, run_max_pool, NULL };
const VfiKernel vfi_cuda_resize_corners = { &vfi_op_resize_corners, vfi_cuda_supports, NULL, run_resize_corners, NULL };
const VfiKernel vfi_cuda_warp_zeros = { &vfi_op_warp_zeros, vfi_cuda_supports, NULL, run_warp_zeros, NULL };
const VfiKernel vfi_cuda_interleave = { &vfi_op_interleave, vfi_cuda_supports, NULL, run_interleave, NULL };
const VfiKernel vfi_cuda_downsample = { &vfi_op_downsample, vfi_cuda_supports, prepare_downsample, run_downsample, vfi_cuda_buffer_free };
const VfiKernel vfi_cuda_fill = { &vfi_op_fill, vfi_cuda_supports, NULL, run_fill, NULL };
const VfiKernel vfi_cuda_mix = { &vfi_op_mix, vfi_cuda_supports, NULL, run_mix, NULL };
const VfiKernel vfi_cuda_blend = { &vfi_op_blend, vfi_cuda_supports, NULL, run_blend, NULL };
const VfiKernel vfi_cuda_moments = { &vfi_op_moments, vfi_cuda_supports, prepare_moments, run_moments, vfi_cuda_buffer_free };
const VfiKernel vfi_cuda_normalize = { &vfi_op_normalize, vfi_cuda_supports, NULL, run_normalize, NULL };
