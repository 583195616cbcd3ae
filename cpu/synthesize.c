/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * synthesize of core/frame.h, a piece of a row at a time: the state's rows are blended, brought to the plane's columns, and then
 * VFI_LANES pixels are sampled at once (sample.h). Planes of one shape share all but the samples.
 */
#include <math.h>

#include "isa.h"
#include "sample.h"

#define PIXELS 256          /* of a piece, at most */
#define CELLS (PIXELS + 64) /* of the state's grid that a piece needs, with room for whole vectors on either side */
#define FIRST 16            /* where the first of them stands in a row */

/* Planes of one shape. */
typedef struct
{
  const VfiPlaneLayout *layout;
  int n, w, h;
  float kx, ky; /* samples of the scaled picture per pixel */
  const guint8 *source[2][3];
  int source_stride[2][3];
  guint8 *dst[3];
  int stride[3];
} Planes;

typedef struct
{
  const VfiView *state;
  float t, u, logit; /* t, 1 - t, log2 ((1 - t) / t) */
} Moment;

/* ---- the state, in columns of the plane --------------------------------------------------------- */

/* Lower neighbour of a clamped coordinate and the weight of the upper one: both in 0..n-1. */
static int
tap (float v, int n, int *upper, float *f)
{
  int i;

  v = fminf (fmaxf (v, 0), n - 1);
  i = (int) v;
  *upper = MIN (i + 1, n - 1);
  *f = v - i;
  return i;
}

/* Cells first to first + n - 1 of the state at row coordinate y, to cells[c][FIRST + i]; repeated beyond the grid by one. */
static void
load_cells (const VfiView *state, float y, int first, int n, float cells[5][CELLS])
{
  const VfiView s = *state; /* a copy: for all that the compiler knows, what is written might be the view */
  float f;
  int upper, lower = tap (y, s.h, &upper, &f);

  for (int c = 0; c < 5; c++) {
    float *to = cells[c] + FIRST;

    for (int x = 0; x < n; x += VFI_LANES) {
      const int lanes = MIN (n - x, VFI_LANES);
      const Vec a = vec_load_pixels (&s, lower, first + x, c, lanes), b = vec_load_pixels (&s, upper, first + x, c, lanes);
      *(Vec *) (to + x) = vec_fma (vec_set (f), b - a, a);
    }
    to[-1] = to[0];
    to[n] = to[n - 1];
  }
}

/* Twice the columns: pixel 2 i lies at cell i - 1/4, pixel 2 i + 1 at i + 1/4. From cell `cell`, n pixels. */
static void
twice (const float *cell, int n, float *to)
{
  for (int i = 0; 2 * i < n; i += VFI_LANES) {
    const Vec left = *(const Vec *) (cell + i - 1), middle = *(const Vec *) (cell + i), right = *(const Vec *) (cell + i + 1);
    const Vec even = vec_fma (vec_set (.75f), middle - left, left), odd = vec_fma (vec_set (.25f), right - middle, middle);
    const VecI iota = vec_iota (), low = (iota >> 1) + (iota & 1) * VFI_LANES;
    *(Vec *) (to + 2 * i) = __builtin_shuffle (even, odd, low);
    *(Vec *) (to + 2 * i + VFI_LANES) = __builtin_shuffle (even, odd, low + VFI_LANES / 2);
  }
}

/* Any other ratio: pixel x lies at cell ((x + 1/2) k - 1) / 2 of the grid, `first` the one at cell[0], w of them in a row. */
static void
any (const float *cell, int first, int w, int x0, int n, float k, float *to)
{
  for (int x = 0; x < n; x += VFI_LANES) {
    Vec v = ((VEC_TO_FLOAT (vec_iota () + (x0 + x)) + 0.5f) * k - 1) * 0.5f, a, b;
    VecI i;

    v = vec_min (vec_max (v, vec_set (0)), vec_set (w - 1));
    i = VEC_TO_INT (v);
    a = (Vec) vec_gather (cell - first, i, 4);
    b = (Vec) vec_gather (cell - first + 1, i, 4);
    *(Vec *) (to + x) = vec_fma (v - VEC_TO_FLOAT (i), b - a, a);
  }
}

/* The state for pixels x0 to x0 + n - 1 of row y, the last one repeated to the end of a pair of vectors: rows of channels, in `cells` itself
 * where pixels and cells are the same. */
static void
state_row (const VfiView *s, const Planes *p, int y, int x0, int n, float cells[5][CELLS], float pixels[5][PIXELS], const float *rows[5])
{
  const float at = ((y + 0.5f) * p->ky - 1) / 2;
  const int first = CLAMP ((int) floorf (((x0 + 0.5f) * p->kx - 1) / 2) - 1, 0, s->w - 1);
  const int last = CLAMP ((int) floorf (((x0 + n - 0.5f) * p->kx - 1) / 2) + 2, first, s->w - 1);

  load_cells (s, at, first, last - first + 1, cells);
  for (int c = 0; c < 5; c++) {
    float *row = p->kx == 2 ? cells[c] + FIRST + x0 - first : pixels[c];

    if (p->kx == 1)
      twice (cells[c] + FIRST + x0 / 2 - first, n, row);
    else if (p->kx != 2)
      any (cells[c] + FIRST, first, s->w, x0, n, p->kx, row);
    for (int x = n; x % (2 * VFI_LANES); x++)
      row[x] = row[n - 1];
    rows[c] = row;
  }
}

/* ---- pixels ------------------------------------------------------------------------------------- */

/* 1 / (1 + 2^-v), to about 2e-7. */
VFI_INLINE Vec
sigmoid2 (Vec v)
{
  const Vec magic = vec_set (12582912); /* 1.5 2^23: rounds to an integer */
  Vec p = vec_set (1.3333558e-3f), shifted, f;

  v = vec_min (vec_max (-v, vec_set (-120)), vec_set (120));
  shifted = v + magic;
  f = v - (shifted - magic);
  p = vec_fma (p, f, vec_set (9.6181291e-3f));
  p = vec_fma (p, f, vec_set (5.5504109e-2f));
  p = vec_fma (p, f, vec_set (2.4022651e-1f));
  p = vec_fma (p, f, vec_set (6.9314718e-1f));
  p = vec_fma (p, f, vec_set (1));
  return 1 / (1 + (Vec) ((VecI) p + ((VecI) shifted << 23)));
}

/* The low `bytes` bytes of the first n lanes. */
VFI_INLINE void
store_pixels (guint8 *to, VecI words, int n, const int bytes)
{
  n = MIN (n, VFI_LANES);
  if (bytes == 3)
    for (int i = 0; i < n; i++) {
      const guint32 word = words[i];
      memcpy (to + i * 3, &word, 3);
    }
  else
    vec_store_low (to, words, n, bytes);
}

/* Pixels x0 to x0 + n - 1 of row y; the state's channels begin at x0 and go on to the end of a pair of vectors. */
VFI_INLINE void
pixels (const Planes *p, const Moment *m, int y, int x0, int n, const float *const rows[5], const Kind k)
{
  const float gain[] = { -m->t * 2 * ONE_PIXEL / p->kx, -m->t * 2 * ONE_PIXEL / p->ky, m->u * 2 * ONE_PIXEL / p->kx,
                         m->u * 2 * ONE_PIXEL / p->ky };
  Place places[2][PIXELS / VFI_LANES];
  Vec weight[PIXELS / VFI_LANES];

  /* In two loops: what to load follows from a long chain of arithmetic. */
  for (int x = 0, i = 0; x < n || i % 2; x += VFI_LANES, i++) {
    const Vec at = VEC_TO_FLOAT (vec_iota () + (x0 + x)) * ONE_PIXEL, line = vec_set (y * (float) ONE_PIXEL);

    for (int f = 0; f < 2; f++)
      places[f][i] = place (vec_fma (vec_set (gain[2 * f]), *(const Vec *) (rows[2 * f] + x), at),
                            vec_fma (vec_set (gain[2 * f + 1]), *(const Vec *) (rows[2 * f + 1] + x), line), p->w, p->h, k);
    weight[i] = sigmoid2 (vec_fma (vec_set (1.44269504f), *(const Vec *) (rows[4] + x), vec_set (m->logit))) * UNIT (k);
  }
  for (int x = 0, i = 0; x < n; x += 2 * VFI_LANES, i += 2) {
    Weights w[2][2]; /* of a frame, of a vector */

    for (int f = 0; f < 2; f++)
      weigh (&places[f][i], k, w[f]);
    for (int q = 0; q < p->n; q++)
      for (int j = 0; j < 2 && x + j * VFI_LANES < n; j++) {
        guint8 *to = p->dst[q] + (gsize) y * p->stride[q] + (gsize) (x0 + x + j * VFI_LANES) * BYTES (k);
        VecI s[2][4], words = { 0 };

#pragma GCC unroll 1
        for (int f = 0; f < 2; f++)
          sample (p->source[f][q], p->source_stride[f][q], p->h, p->w, &places[f][i + j], &w[f][j], k, s[f]);
#pragma GCC unroll 4
        for (int c = 0; c < k.comps; c++) {
          const Vec low = vec_fma (VEC_TO_FLOAT (s[1][c]), vec_set (UNIT (k)), vec_set (HALF (k)));
          const Vec v = vec_fma (weight[i + j], VEC_TO_FLOAT (s[0][c] - s[1][c]), low);
          words |= VEC_TO_INT (vec_min (vec_max (v, vec_set (0)), vec_set ((1 << k.depth) - 1))) << (8 * c * k.sample_bytes + k.shift);
        }
        store_pixels (to, words, n - x - j * VFI_LANES, BYTES (k));
      }
  }
}

static void
row (const Planes *p, const Moment *m, int y)
{
  const VfiPlaneLayout *l = p->layout;
  const int taps = l->sub_x || l->sub_y ? 2 : 4;

  for (int x0 = 0; x0 < p->w; x0 += PIXELS) {
    float cells[5][CELLS], columns[5][PIXELS];
    const float *rows[5];
    const int n = MIN (PIXELS, p->w - x0);

    state_row (m->state, p, y, x0, n, cells, columns, rows);
#define CASE(TAPS, COMPS, BYTES, DEPTH, SHIFT)                                                                                             \
  if (taps == TAPS && l->comps == COMPS && l->depth == DEPTH && l->shift == SHIFT)                                                         \
  pixels (p, m, y, x0, n, rows, (Kind){ TAPS, COMPS, BYTES, DEPTH, SHIFT })
    CASE (4, 1, 1, 8, 0);
    CASE (2, 1, 1, 8, 0);
    CASE (4, 1, 2, 10, 0);
    CASE (2, 1, 2, 10, 0);
    CASE (4, 1, 2, 10, 6);
    CASE (2, 2, 1, 8, 0);
    CASE (2, 2, 2, 10, 6);
    CASE (4, 3, 1, 8, 0);
    CASE (4, 4, 1, 8, 0);
#undef CASE
  }
}

void
VFI_ISA_NAME (vfi_cpu_synthesize) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale,
                                   double t, const VfiView *state, const VfiFrame *dst)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const float sx = (float) vfi_scaled_size (info->width, flow_scale) / info->width;
  const float sy = (float) vfi_scaled_size (info->height, flow_scale) / info->height;
  const Moment m = { state, (float) t, (float) (1 - t), (float) log2 ((1 - t) / t) };
  Planes all[4];
  int n = 0;

  for (int i = 0; i < f->n_planes; i++) {
    const VfiPlaneLayout *l = &f->plane[i];
    Planes *p;

    if (i == 0 || memcmp (l, &f->plane[i - 1], sizeof *l)) {
      p = &all[n++];
      *p = (Planes){ .layout = l, .kx = sx * (1 << l->sub_x), .ky = sy * (1 << l->sub_y) };
      vfi_frame_info_plane_size (info, i, &p->w, &p->h);
    }
    p = &all[n - 1];
    p->source[0][p->n] = f0->data[i];
    p->source[1][p->n] = f1->data[i];
    p->dst[p->n] = dst->data[i];
    p->source_stride[0][p->n] = f0->stride[i];
    p->source_stride[1][p->n] = f1->stride[i];
    p->stride[p->n++] = dst->stride[i];
    /* Gathers have 32-bit offsets. */
    if ((gint64) MAX (f0->stride[i], f1->stride[i]) * p->h > G_MAXINT) {
      vfi_frame_synthesize (info, f0, f1, flow_scale, t, state, dst);
      return;
    }
  }
#pragma omp parallel
  for (const Planes *p = all; p < all + n; p++) {
#pragma omp for schedule(dynamic, 8) nowait
    for (int y = 0; y < p->h; y++)
      row (p, &m, y);
  }
}
