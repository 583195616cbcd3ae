/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator conv2d of 3x3 in fp32 by Winograd's minimal filtering, F(2x2, 3x3), for AVX2, where multiplying is what takes the time. With the
 * matrices below a tile of 2 x 2 results is
 *
 *   A^T (sum over channels of (G g G^T) * (B^T d B)) A,   * by elements, d the 4 x 4 pixels that it sees, g a kernel:
 *
 * 16 multiplications for each pair of channels in place of 36, and they are 16 products of matrices, tiles x channels by channels x channels.
 *
 *         1  0 -1  0            1   0   0
 *   B^T = 0  1  1  0       G = 1/2 1/2 1/2       A^T = 1  1  1  0
 *         0 -1  1  0           1/2 -1/2 1/2            0  1 -1 -1
 *         0  1  0 -1            0   0   1
 *
 * Only additions and halves: it rounds about as much as summing 9 products does. Each thread takes some tiles through all three steps, in the cache.
 *
 * S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016.
 */
#include <omp.h>

#include "isa.h"

#if defined(__AVX2__) && VFI_LANES == 8

#include "multiply.h"

#define CACHE (3 << 17) /* bytes of what a thread multiplies and of its results: they stay in its second cache */
#define LEAST 24        /* channels, below which there is little to gain */
#define FEW 512         /* pixels: for fewer, weights that are 16/9 as large cost more than it is worth */

typedef struct
{
  int in, out;            /* channels, up to whole vectors and to whole COLUMNS */
  int tiles;              /* that a thread takes at once */
  gsize pitch, out_pitch; /* floats from one of the 16 matrices to the next; no power of two, or they would meet in the cache */
  float *weights;         /* [out / COLUMNS][16][in][COLUMNS] */
  float *bias, *slopes;   /* of `out`; a negative result times its slope */
  float *space;           /* in the workspace, for each thread: what is multiplied, and results */
  int threads;
} State;

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  const VfiConv2dParams *p = node->params;
  const VfiTensor *x = node->src[0], *y = node->dst;

  if (p->kernel != 3 || p->stride != 1 || p->dilation != 1 || p->act == VFI_SIGMOID || p->act == VFI_TANH)
    return FALSE;
  return x->dtype == VFI_F32 && y->dtype == VFI_F32 && (!p->residual || node->src[1]->dtype == VFI_F32) && x->c >= LEAST && y->c >= LEAST &&
         y->h * y->w >= FEW;
}

static void
release (gpointer state)
{
  State *s = state;

  free (s->weights);
  free (s->bias);
  free (s->slopes);
  g_free (s);
}

/* The four elements of G v: v is three numbers, each COLUMNS times. */
VFI_INLINE void
spread (const double v[3][COLUMNS], double to[4][COLUMNS])
{
  for (int o = 0; o < COLUMNS; o++) {
    const double outer = (v[0][o] + v[2][o]) / 2;

    to[0][o] = v[0][o];
    to[1][o] = outer + v[1][o] / 2;
    to[2][o] = outer - v[1][o] / 2;
    to[3][o] = v[2][o];
  }
}

/* G g G^T of one channel's kernels for `n` results, `step` numbers from one result's to the next's; element i at to + i pitch. */
static void
transform (const float *kernels, gsize step, int n, float *to, gsize pitch)
{
  double g[3][3][COLUMNS] = { { { 0 } } }, t[3][4][COLUMNS], u[4][COLUMNS];

  for (int o = 0; o < n; o++)
    for (int i = 0; i < 9; i++)
      g[i % 3][i / 3][o] = kernels[o * step + i];
  for (int x = 0; x < 3; x++)
    spread (g[x], t[x]);
  for (int i = 0; i < 4; i++) {
    double row[3][COLUMNS];

    for (int x = 0; x < 3; x++)
      memcpy (row[x], t[x][i], sizeof row[x]);
    spread (row, u);
    for (int j = 0; j < 4; j++)
      for (int o = 0; o < COLUMNS; o++)
        to[(4 * i + j) * pitch + o] = (float) u[j][o];
  }
}

static void *
floats (gsize n)
{
  const gsize bytes = (n * sizeof (float) + 63) & ~(gsize) 63;
  void *p = aligned_alloc (64, bytes);

  return p ? memset (p, 0, bytes) : NULL;
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const VfiConv2dParams *p = node->params;
  State *s = g_new0 (State, 1);

  s->threads = b->threads;
  s->in = (src->c + VFI_LANES - 1) / VFI_LANES * VFI_LANES;
  s->out = (dst->c + COLUMNS - 1) / COLUMNS * COLUMNS;
  s->tiles = CLAMP (CACHE / 64 / (s->in + s->out) / ROWS, 4, 32) * ROWS;
  s->pitch = (gsize) s->tiles * s->in + VFI_LANES * 2;
  s->out_pitch = (gsize) s->tiles * s->out + VFI_LANES * 2;
  s->weights = floats ((gsize) 16 * s->in * s->out);
  s->bias = floats (s->out);
  s->slopes = floats (s->out);
  if (!s->weights || !s->bias || !s->slopes) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for the weights of %d to %d channels", src->c, dst->c);
    release (s);
    return NULL;
  }
  b->klass->begin (b);
#pragma omp parallel for schedule(static)
  for (int o = 0; o < dst->c; o += COLUMNS)
    for (int c = 0; c < src->c; c++)
      transform (weights[0] + ((gsize) o * src->c + c) * 9, (gsize) src->c * 9, MIN (dst->c - o, COLUMNS),
                 s->weights + ((gsize) o * 16 * s->in + c * COLUMNS), (gsize) s->in * COLUMNS);
  b->klass->end (b);
  for (int o = 0; o < dst->c; o++) {
    s->bias[o] = p->bias ? weights[1][o] : 0;
    s->slopes[o] = p->act == VFI_PRELU ? weights[2][o] : p->act == VFI_LEAKY_RELU ? p->slope : p->act == VFI_RELU ? 0 : 1;
  }
  return s;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;
  return s->threads * 16 * (s->pitch + s->out_pitch) * sizeof (float);
}

static void
bind (gpointer state, void *place)
{
  ((State *) state)->space = place;
}

/* B^T d B of the 4 x 4 pixels from (y0, x0) on, for the n channels from c on; `within`: none lies outside of the picture, where there are zeros. */
VFI_INLINE void
take (const State *s, const VfiView *x, int y0, int x0, float *to, int c, const int n, const gboolean within)
{
  Vec t[4][4];

#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    Vec d[4];

#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
      if (within || (y0 + i >= 0 && y0 + i < x->h && x0 + j >= 0 && x0 + j < x->w))
        d[i] = vec_load (x->data, VFI_F32, ((gsize) (y0 + i) * x->w + x0 + j) * x->ld + c, n);
      else
        d[i] = (Vec){ 0 };
    t[0][j] = d[0] - d[2];
    t[1][j] = d[1] + d[2];
    t[2][j] = d[2] - d[1];
    t[3][j] = d[1] - d[3];
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    float *row = to + 4 * i * s->pitch + c;

    *(Vec *) row = t[i][0] - t[i][2];
    *(Vec *) (row + s->pitch) = t[i][1] + t[i][2];
    *(Vec *) (row + 2 * s->pitch) = t[i][2] - t[i][1];
    *(Vec *) (row + 3 * s->pitch) = t[i][1] - t[i][3];
  }
}

static void
take_tile (const State *s, const VfiView *x, int y, int x0, float *to)
{
  const gboolean within = y >= 0 && y + 4 <= x->h && x0 >= 0 && x0 + 4 <= x->w;
  int c = 0;

  for (; within && c + VFI_LANES <= x->c; c += VFI_LANES)
    take (s, x, y, x0, to, c, VFI_LANES, TRUE);
  for (; c < x->c; c += VFI_LANES)
    take (s, x, y, x0, to, c, MIN (x->c - c, VFI_LANES), FALSE);
}

/* A^T m A, and what belongs after the convolution, to the 2 x 2 pixels from (y, x) on. */
static void
give_tile (const State *s, const float *from, const VfiView *residual, const VfiView *dst, int y, int x)
{
  for (int c = 0; c < dst->c; c += VFI_LANES) {
    const int n = MIN (dst->c - c, VFI_LANES);
    const Vec bias = *(const Vec *) (s->bias + c), slope = *(const Vec *) (s->slopes + c);
    Vec t[2][4];

#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      Vec m[4];

#pragma GCC unroll 4
      for (int i = 0; i < 4; i++)
        m[i] = *(const Vec *) (from + (4 * i + j) * s->out_pitch + c);
      t[0][j] = m[0] + m[1] + m[2];
      t[1][j] = m[1] - m[2] - m[3];
    }
    for (int i = 0; i < 2 && y + i < dst->h; i++)
      for (int j = 0; j < 2 && x + j < dst->w; j++) {
        const gsize at = (gsize) (y + i) * dst->w + x + j;
        Vec v = (j ? t[i][1] - t[i][2] - t[i][3] : t[i][0] + t[i][1] + t[i][2]) + bias;

        if (residual)
          v += vec_load (residual->data, VFI_F32, at * residual->ld + c, n);
        vec_store (dst->data, VFI_F32, at * dst->ld + c, n, apply_slope (v, slope));
      }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  const VfiConv2dParams *p = node->params;
  const State *s = state;
  const int across = (dst->w + 1) / 2, all = across * ((dst->h + 1) / 2), parts = (all + s->tiles - 1) / s->tiles;

#pragma omp parallel num_threads(s->threads)
  {
    float *in = s->space + 16 * (s->pitch + s->out_pitch) * omp_get_thread_num (), *out = in + 16 * s->pitch;

#pragma omp for schedule(dynamic)
    for (int part = 0; part < parts; part++) {
      const int first = part * s->tiles, n = MIN (all - first, s->tiles), whole = (n + ROWS - 1) / ROWS * ROWS;

      for (int i = 0; i < n; i++)
        take_tile (s, src, (first + i) / across * 2 - p->padding, (first + i) % across * 2 - p->padding, in + (gsize) i * s->in);
      for (int m = 0; m < 16; m++)
        memset (in + m * s->pitch + (gsize) n * s->in, 0, (gsize) (whole - n) * s->in * sizeof (float));
      for (int c = 0; c < s->out; c += COLUMNS)
        for (int m = 0; m < 16; m++)
          for (int i = 0; i < n; i += ROWS)
            multiply (in + m * s->pitch + (gsize) i * s->in, s->in, s->in, s->weights + ((gsize) c / COLUMNS * 16 + m) * s->in * COLUMNS,
                      out + m * s->out_pitch + (gsize) i * s->out + c, s->out);
      for (int i = 0; i < n; i++)
        give_tile (s, out + (gsize) i * s->out, p->residual ? &src[1] : NULL, dst, (first + i) / across * 2, (first + i) % across * 2);
    }
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_conv2d_winograd) = { &vfi_op_conv2d, supports, prepare, run, release, workspace, bind };

#endif
