/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator conv2d of 3x3 by Winograd's minimal filtering, F(2x4, 3x3), for AVX2 and AVX-512, where multiplying is what takes the time. It is in fp32 inside,
 * whatever features are. With the matrices below a tile of 2 x 4 results is
 *
 *   A^T (sum over channels of (G g H^T) * (B^T d C)) D,   * by elements, d the 4 x 6 pixels that it sees, g a kernel:
 *
 * 24 multiplications for each pair of channels in place of 72, and they are 24 products of matrices, tiles x channels by channels x channels.
 *
 *   down                                              across: polynomials at 0, a, -a, b, -b and infinity; rows of -a and -b are those of a and b, with -a and -b
 *
 *         1  0 -1  0        1   0   0                       aabb   0   -aa-bb    0     1   0            (1  0  0) / aabb
 *   B^T = 0  1  1  0   G = 1/2 1/2 1/2                       0   -abb   -bb      a     1   0            (1  a aa) / (2 aa (aa - bb))
 *         0 -1  1  0       1/2 -1/2 1/2               C^T =  0   -aab   -aa      b     1   0       H =  (1  b bb) / (2 bb (bb - aa))
 *         0  1  0 -1        0   0   1                        0    aabb    0    -aa-bb  0   1             0  0  1
 *
 *         1  1  1  0                                        1  1   1   1   1   0
 *   A^T = 0  1 -1 -1                                        0  a  -a   b  -b   0
 *                                                     D^T = 0  aa  aa  bb  bb  0
 *                                                           0 aaa -aaa bbb -bbb 1
 *
 * With a = 5/8 and b = 13/8 all that rounds about as much as summing 9 products does; with 1 and 2, or four results down as well, it would round several times as much.
 * Each thread takes some tiles through all three steps, in the cache.
 *
 * S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016; on points,
 * B. Barabasz and others, Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks, 2020.
 */
#include "isa.h"

#ifdef VFI_FUSED

#include "multiply.h"

#define TILES 48                                         /* that a thread takes at once: they stay in its caches */
#define OUT_PITCH (TILES * MOST_COLUMNS + 2 * VFI_LANES) /* as State's pitch, of results */
#define LEAST 24                                         /* channels, below which there is little to gain */
#define SUM 64                                           /* channels, at most, that are summed up at once: with more, rounding would show */
#define SETS (VFI_LANES == 16 ? 2 : 1) /* of sums, of half as many each: side by side or, where registers are few, one after the other */
#define FEW 512                        /* pixels: for fewer, weights that are 8/3 as large cost more than it is worth */

enum
{
  DOWN = 2, /* results of a tile */
  ACROSS = 4,
  SEEN_DOWN = DOWN + 2,
  SEEN_ACROSS = ACROSS + 2,
  PRODUCTS = SEEN_DOWN * SEEN_ACROSS
};

#define A 0.625f
#define B 1.625f
#define AA (A * A)
#define BB (B * B)
#define NORM_A (2 * AA * (AA - BB))
#define NORM_B (2 * BB * (BB - AA))

typedef struct
{
  int in, out;          /* channels, up to whole vectors and to whole blocks */
  int depth;            /* channels that are multiplied: an even number */
  gsize pitch;          /* floats from one of the matrices to the next; no power of two, or they would meet in the cache */
  float *weights;       /* of a block of results after the other: [PRODUCTS][depth][columns] */
  float *bias, *slopes; /* of `out`; a negative result times its slope */
  float *space;         /* in the workspace, for each thread: what is multiplied, and results */
  int threads;
} State;

static gboolean
supports (VfiBackend *b, const VfiNode *node)
{
  const VfiConv2dParams *p = node->params;
  const VfiTensor *x = node->src[0], *y = node->dst;

  return p->kernel == 3 && p->stride == 1 && p->dilation == 1 && multiplies (node) && x->c >= LEAST && y->c >= LEAST && y->h * y->w >= FEW;
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

/* G g H^T of one channel's kernels for n <= VFI_LANES results, `step` numbers from one result's to the next's; element i at to + i pitch. */
static void
transform (const float *kernels, gsize step, int n, float *to, gsize pitch)
{
  typedef double Wide __attribute__ ((vector_size (8 * VFI_LANES)));
  static const double h[SEEN_ACROSS][3] = {
    { 1. / (AA * BB), 0, 0 },
    { 1. / NORM_A, 1. * A / NORM_A, 1. * AA / NORM_A },
    { 1. / NORM_A, -1. * A / NORM_A, 1. * AA / NORM_A },
    { 1. / NORM_B, 1. * B / NORM_B, 1. * BB / NORM_B },
    { 1. / NORM_B, -1. * B / NORM_B, 1. * BB / NORM_B },
    { 0, 0, 1 },
  };
  Wide g[9] = { { 0 } };

  for (int o = 0; o < n; o++)
    for (int i = 0; i < 9; i++)
      g[i][o] = kernels[o * step + i];
  for (int j = 0; j < SEEN_ACROSS; j++) {
    Wide row[3], outer;

    for (int i = 0; i < 3; i++)
      row[i] = h[j][0] * g[3 * i] + h[j][1] * g[3 * i + 1] + h[j][2] * g[3 * i + 2];
    outer = (row[0] + row[2]) / 2;
    *(Vec *) (to + j * pitch) = __builtin_convertvector(row[0], Vec);
    *(Vec *) (to + (SEEN_ACROSS + j) * pitch) = __builtin_convertvector(outer + row[1] / 2, Vec);
    *(Vec *) (to + (2 * SEEN_ACROSS + j) * pitch) = __builtin_convertvector(outer - row[1] / 2, Vec);
    *(Vec *) (to + (3 * SEEN_ACROSS + j) * pitch) = __builtin_convertvector(row[2], Vec);
  }
}

/* What transform_channel is given: [out][in][3][3]. */
typedef struct
{
  const State *s;
  const float *weights;
  int in, out;
} Kernels;

static void
transform_channel (gpointer data, int c, int thread)
{
  const Kernels *k = data;
  const State *s = k->s;

  for (int o = 0, columns; o < s->out; o += columns) {
    float *to = s->weights + ((gsize) o * PRODUCTS * s->depth + c * (columns = block_columns (o, s->out)));

    for (int i = 0; i < columns && o + i < k->out; i += VFI_LANES)
      transform (k->weights + ((gsize) (o + i) * k->in + c) * 9, (gsize) k->in * 9, MIN (k->out - o - i, VFI_LANES), to + i,
                 (gsize) s->depth * columns);
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
  s->out = whole_columns (dst->c);
  s->depth = (src->c + 1) & ~1;
  s->pitch = (gsize) TILES * s->in + VFI_LANES * 2;
  s->weights = floats ((gsize) PRODUCTS * s->depth * s->out);
  s->bias = floats (s->out);
  s->slopes = floats (s->out);
  if (!s->weights || !s->bias || !s->slopes) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for the weights of %d to %d channels", src->c, dst->c);
    release (s);
    return NULL;
  }
  vfi_cpu_each (b, src->c, 1, transform_channel, &(Kernels){ s, weights[0], src->c, dst->c });
  set_results (p, weights, dst->c, s->bias, s->slopes);
  return s;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;
  return s->threads * PRODUCTS * (s->pitch + OUT_PITCH) * sizeof (float);
}

static void
bind (gpointer state, void *place)
{
  ((State *) state)->space = place;
}

/* The source, of which there are rows y0 to y1 - 1; outside of them, and of the picture, are zeros. */
typedef struct
{
  const void *data;
  VfiDType type;
  int w, c, y0, y1;
  gsize ld;
} Source;

/* B^T d C of the pixels from (y0, x0) on, for the n channels from c on; `within`: none is outside. */
VFI_INLINE void
take (const Source *s, const VfiDType type, int y0, int x0, float *to, gsize pitch, int c, const int n, const gboolean within)
{
  const gsize line = (gsize) s->w * s->ld, ld = s->ld, size = vfi_dtype_size (type);
  const guint8 *from = (const guint8 *) s->data + (((gssize) y0 * s->w + x0) * (gssize) s->ld + c) * (gssize) size;
  Vec d[SEEN_DOWN][SEEN_ACROSS];

#pragma GCC unroll 4
  for (int i = 0; i < SEEN_DOWN; i++)
#pragma GCC unroll 6
    for (int j = 0; j < SEEN_ACROSS; j++)
      d[i][j] = within || (y0 + i >= s->y0 && y0 + i < s->y1 && x0 + j >= 0 && x0 + j < s->w)
                    ? vec_load (from + (i * line + j * ld) * size, type, 0, n)
                    : vec_set (0);
#pragma GCC unroll 6
  for (int j = 0; j < SEEN_ACROSS; j++) {
    const Vec one = d[1][j], two = d[2][j];

    d[0][j] -= two;
    d[1][j] = one + two;
    d[2][j] = two - one;
    d[3][j] = one - d[3][j];
  }
#pragma GCC unroll 4
  for (int i = 0; i < SEEN_DOWN; i++) {
    float *row = to + SEEN_ACROSS * i * pitch + c;
    Vec even, odd;

    *(Vec *) row = vec_fma (vec_set (AA * BB), d[i][0], vec_fma (vec_set (-AA - BB), d[i][2], d[i][4]));
    even = vec_fma (vec_set (-BB), d[i][2], d[i][4]);
    odd = vec_fma (vec_set (-BB), d[i][1], d[i][3]);
    *(Vec *) (row + pitch) = vec_fma (vec_set (A), odd, even);
    *(Vec *) (row + 2 * pitch) = vec_fma (vec_set (-A), odd, even);
    even = vec_fma (vec_set (-AA), d[i][2], d[i][4]);
    odd = vec_fma (vec_set (-AA), d[i][1], d[i][3]);
    *(Vec *) (row + 3 * pitch) = vec_fma (vec_set (B), odd, even);
    *(Vec *) (row + 4 * pitch) = vec_fma (vec_set (-B), odd, even);
    *(Vec *) (row + 5 * pitch) = vec_fma (vec_set (AA * BB), d[i][1], vec_fma (vec_set (-AA - BB), d[i][3], d[i][5]));
  }
}

VFI_INLINE void
take_tile_of (const Source *s, const VfiDType type, int y, int x, float *to, gsize pitch)
{
  const gboolean within = y >= s->y0 && y + SEEN_DOWN <= s->y1 && x >= 0 && x + SEEN_ACROSS <= s->w;
  int c = 0;

  for (; within && c + VFI_LANES <= s->c; c += VFI_LANES)
    take (s, type, y, x, to, pitch, c, VFI_LANES, TRUE);
  for (; c < s->c; c += VFI_LANES)
    take (s, type, y, x, to, pitch, c, MIN (s->c - c, VFI_LANES), FALSE);
}

static __attribute__ ((noinline)) void
take_tile (const Source *s, int y, int x, float *to, gsize pitch)
{
  if (s->type == VFI_F32)
    take_tile_of (s, VFI_F32, y, x, to, pitch);
  else
    take_tile_of (s, VFI_BF16, y, x, to, pitch);
}

/* The result, of which rows y0 to y1 - 1 are asked for, and what belongs to it. */
typedef struct
{
  void *data;
  VfiDType type;        /* of the residual, too */
  const void *residual; /* NULL if there is none */
  const float *bias, *slopes;
  int w, c, y0, y1;
  gsize ld, residual_ld;
  gboolean elu;
} Result;

/* A^T m D. */
VFI_INLINE void
results (const float *m, Vec to[DOWN][ACROSS])
{
  Vec t[DOWN][SEEN_ACROSS];

#pragma GCC unroll 6
  for (int j = 0; j < SEEN_ACROSS; j++, m += OUT_PITCH) {
    const Vec one = *(const Vec *) (m + SEEN_ACROSS * OUT_PITCH), two = *(const Vec *) (m + 2 * SEEN_ACROSS * OUT_PITCH);

    t[0][j] = *(const Vec *) m + one + two;
    t[1][j] = one - two - *(const Vec *) (m + 3 * SEEN_ACROSS * OUT_PITCH);
  }
#pragma GCC unroll 2
  for (int i = 0; i < DOWN; i++) {
    const Vec a = t[i][1] + t[i][2], b = t[i][3] + t[i][4], odd_a = t[i][1] - t[i][2], odd_b = t[i][3] - t[i][4];

    to[i][0] = t[i][0] + a + b;
    to[i][1] = vec_fma (vec_set (A), odd_a, B * odd_b);
    to[i][2] = vec_fma (vec_set (AA), a, BB * b);
    to[i][3] = vec_fma (vec_set (A * AA), odd_a, vec_fma (vec_set (B * BB), odd_b, t[i][5]));
  }
}

/* The tile from pixel (y, x) on, channels c to `end` - 1, with what belongs after the convolution. */
VFI_INLINE void
give_tile_of (const Result *r, const VfiDType type, const float *from, int y, int x, int c, int end)
{
  const gboolean within = y >= r->y0 && y + DOWN <= r->y1 && x + ACROSS <= r->w;
  const gsize first = (gsize) y * r->w + x, ld = r->ld, line = r->w * ld, residual_ld = r->residual_ld, residual_line = r->w * residual_ld;
  const gsize size = vfi_dtype_size (type);
  const guint8 *residual = r->residual ? (const guint8 *) r->residual + first * residual_ld * size : NULL;
  guint8 *to = (guint8 *) r->data + first * ld * size;

  for (; c < end; c += VFI_LANES, from += VFI_LANES) {
    const Vec bias = *(const Vec *) (r->bias + c), slope = *(const Vec *) (r->slopes + c);
    const int n = MIN (end - c, VFI_LANES);
    Vec v[DOWN][ACROSS];

    results (from, v);
#pragma GCC unroll 2
    for (int i = 0; i < DOWN; i++)
#pragma GCC unroll 4
      for (int j = 0; j < ACROSS; j++)
        v[i][j] += bias;
    if (within && n == VFI_LANES) {
#pragma GCC unroll 2
      for (int i = 0; i < DOWN; i++)
#pragma GCC unroll 4
        for (int j = 0; j < ACROSS; j++) {
          if (residual)
            v[i][j] += vec_load (residual, type, i * residual_line + j * residual_ld + c, VFI_LANES);
          vec_store (to, type, i * line + j * ld + c, VFI_LANES, activate (v[i][j], slope, r->elu));
        }
    } else {
      Vec some[DOWN][ACROSS]; /* a copy: what is picked by a variable cannot stay in registers */

#pragma GCC unroll 2
      for (int i = 0; i < DOWN; i++)
#pragma GCC unroll 4
        for (int j = 0; j < ACROSS; j++)
          some[i][j] = v[i][j];
      for (int i = MAX (r->y0 - y, 0); i < MIN (r->y1 - y, DOWN); i++)
        for (int j = 0; j < MIN (r->w - x, ACROSS); j++) {
          if (residual)
            some[i][j] += vec_load (residual, type, i * residual_line + j * residual_ld + c, n);
          vec_store (to, type, i * line + j * ld + c, n, activate (some[i][j], slope, r->elu));
        }
    }
  }
}

static __attribute__ ((noinline)) void
give_tile (const Result *r, const float *from, int y, int x, int c, int end)
{
  if (r->type == VFI_F32)
    give_tile_of (r, VFI_F32, from, y, x, c, end);
  else
    give_tile_of (r, VFI_BF16, from, y, x, c, end);
}

/* to (tiles x columns) = a (tiles x n, `in` floats a row) w (n x columns). */
VFI_INLINE void
block (const float *a, int in, int n, int tiles, const float *w, float *to, const int vectors)
{
  const Vec zero[MOST_VECTORS] = { { 0 } };
  const int rows = BLOCK_ROWS (vectors, SETS), most = SETS == 2 ? 2 * SUM : MIN ((n + 1) / 2, SUM);

  for (int t = 0; t < tiles; t += rows, a += rows * in, to += rows * vectors * VFI_LANES)
    for (int k = 0; k < n; k += most) {
      Vec sum[MOST_ROWS][MOST_VECTORS];

      multiply (a + k, in, &(Across){ 1, 1, MIN (n - k, most) }, w + k * vectors * VFI_LANES, zero, sum, rows, vectors, SETS);
#pragma GCC unroll 6
      for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) {
          Vec *at = (Vec *) (to + (i * vectors + j) * VFI_LANES);

          if (k)
            sum[i][j] += *at;
          *at = sum[i][j];
        }
    }
}

static void
products (const float *a, int in, int n, int tiles, const float *w, float *to, int columns)
{
  if (columns == 2 * VFI_LANES)
    block (a, in, n, tiles, w, to, 2);
  else if (columns == 3 * VFI_LANES)
    block (a, in, n, tiles, w, to, 3);
#if MOST_VECTORS == 4
  else
    block (a, in, n, tiles, w, to, 4);
#endif
}

static void
rows (VfiBackend *b, const VfiNode *node, gpointer state, int thread, const VfiView *src, const VfiView *dst, int y0, int y1)
{
  const VfiConv2dParams *p = node->params;
  const State s = *(const State *) state; /* copies: for all that the compiler knows, what is written might be the state, and views */
  const Source x = { src->data, src->dtype, src->w, src->c, MAX (y0 - p->padding, 0), MIN (y1 + 2 - p->padding, src->h), src->ld };
  const Result y = { dst->data, dst->dtype, p->residual ? src[1].data : NULL, s.bias,           s.slopes, dst->w, dst->c, y0,
                     y1,        dst->ld,    p->residual ? src[1].ld : 0,      p->act == VFI_ELU };
  const int across = (dst->w + ACROSS - 1) / ACROSS, end = (y1 + DOWN - 1) / DOWN * across, channels = dst->c, padding = p->padding;
  float *in = s.space + PRODUCTS * (s.pitch + OUT_PITCH) * thread, *out = in + PRODUCTS * s.pitch;

  for (int first = y0 / DOWN * across; first < end; first += TILES) {
    const int n = MIN (end - first, TILES), whole = (n + ROWS - 1) / ROWS * ROWS;

    for (int i = 0; i < n; i++)
      take_tile (&x, (first + i) / across * DOWN - padding, (first + i) % across * ACROSS - padding, in + (gsize) i * s.in, s.pitch);
    for (int m = 0; m < PRODUCTS; m++)
      memset (in + m * s.pitch + (gsize) n * s.in, 0, (gsize) (whole - n) * s.in * sizeof (float));
    for (int o = 0, columns; o < s.out; o += columns) {
      columns = block_columns (o, s.out);
      for (int m = 0; m < PRODUCTS; m++)
        products (in + m * s.pitch, s.in, s.depth, n, s.weights + (gsize) (o * PRODUCTS + m * columns) * s.depth, out + m * OUT_PITCH,
                  columns);
      for (int i = 0; i < n; i++)
        give_tile (&y, out + i * columns, (first + i) / across * DOWN, (first + i) % across * ACROSS, o, MIN (o + columns, channels));
    }
  }
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_conv2d_winograd) = { &vfi_op_conv2d, supports, prepare, NULL, release, workspace, bind, rows };

#endif
