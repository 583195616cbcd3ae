/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator sepconv, BAND rows at a time: kernels of the band's pixels go to workspace, and from there over the picture.
 */
#include "device.h"

#define BAND 16

struct Convolution
{
  const float *weight, *bias; /* (taps, c, 3, 3), (taps) */
};

/* Number o of the kernel of every pixel of the band. */
static __global__ void
kernels_of_band (View f, Convolution conv, int taps, int corners, int y0, int rows, int h, int w, float *to)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x, p = i / taps, o = i % taps;

  if (p >= rows * w)
    return;
  float sum = conv.bias[o];
  for (int k = 0; k < 9; k++) {
    const int y = y0 + p / w + k / 3 - 1, x = p % w + k % 3 - 1;

    if (y < 0 || y >= h || x < 0 || x >= w)
      continue;
    const Tap ty = corners ? corner (y, f.h) : tap (y, f.h), tx = corners ? corner (x, f.w) : tap (x, f.w);
    float part = 0;
    for (int c = 0; c < f.c; c++)
      part += conv.weight[(o * f.c + c) * 9 + k] * (corners ? bilinear (f, ty, tx, c) : get (f, y * f.w + x, c));
    sum += part;
  }
  to[i] = sum;
}

static __global__ void
filter_band (View picture, const float *v, const float *u, int taps, int y0, int rows, View dst)
{
  const int i = blockIdx.x * blockDim.x + threadIdx.x, p = i / dst.c, c = i % dst.c;

  if (p >= rows * dst.w)
    return;
  const int y = y0 + p / dst.w, x = p % dst.w;
  float sum = 0, sum_v = 0, sum_u = 0;
  v += p * taps;
  u += p * taps;
  if (c == picture.c) {
    for (int k = 0; k < taps; k++) {
      sum_v += v[k];
      sum_u += u[k];
    }
    sum = sum_v * sum_u;
  } else
    for (int k = 0; k < taps; k++) {
      const int line = min (max (y + k - taps / 2, 0), picture.h - 1) * picture.w;
      float row = 0;

      for (int j = 0; j < taps; j++)
        row += u[j] * get (picture, line + min (max (x + j - taps / 2, 0), picture.w - 1), c);
      sum += v[k] * row;
    }
  set (dst, y * dst.w + x, c, sum);
}

/* The four weights one after the other, and where kernels go. */
struct State
{
  VfiCudaBuffer *weights[4];
  gsize size; /* of kernels of a band */
  float *kernels;
};

static void
release (gpointer state)
{
  State *s = (State *) state;

  for (int i = 0; i < 4; i++)
    if (s->weights[i])
      vfi_cuda_buffer_free (s->weights[i]);
  g_free (s);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const int taps = ((const VfiSepconvParams *) node->params)->taps;
  VfiCuda *cuda = (VfiCuda *) b;
  State *s = g_new0 (State, 1);
  gboolean ok = TRUE;

  s->size = (gsize) BAND * dst->w * taps;
  for (int i = 0; i < 4 && ok; i++)
    ok = (s->weights[i] = vfi_cuda_buffer_new (cuda, weights[i], node->folded[i] * sizeof (float), error)) != NULL;
  if (ok)
    return s;
  release (s);
  return NULL;
}

static gsize
workspace (gpointer state)
{
  return 2 * ((const State *) state)->size * sizeof (float);
}

static void
bind (gpointer state, void *memory)
{
  ((State *) state)->kernels = (float *) memory;
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiSepconvParams *p = (const VfiSepconvParams *) node->params;
  const State *s = (const State *) state;
  const int taps = p->taps;
  VfiCuda *cuda = (VfiCuda *) b;

  for (int y0 = 0; y0 < dst->h; y0 += BAND) {
    const int rows = MIN (BAND, dst->h - y0);

    for (int i = 0; i < 2; i++) {
      const Convolution conv = { (const float *) s->weights[2 * i]->data, (const float *) s->weights[2 * i + 1]->data };

      vfi_launch (cuda, blocks ((size_t) rows * dst->w * taps, 256), 256, 0, kernels_of_band, View (src[1 + i]), conv, taps,
                  (int) p->corners, y0, rows, dst->h, dst->w, s->kernels + i * s->size);
    }
    vfi_launch (cuda, blocks ((size_t) rows * dst->w * dst->c, 256), 256, 0, filter_band, View (src[0]), (const float *) s->kernels,
                (const float *) s->kernels + s->size, taps, y0, rows, View (*dst));
  }
}

const VfiKernel vfi_cuda_sepconv = { &vfi_op_sepconv, vfi_cuda_supports, prepare, run, release, workspace, bind };
