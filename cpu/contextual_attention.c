/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * contextual_attention: two products of matrices, of what is round each place with itself, and of weights with the pixels round each place. The right factor
 * of either is never whole: COLUMNS of it at a time are gathered from the picture and stay in a thread's cache while all rows meet them.
 */
#include "contextual_attention.h"

#include "cpu.h"
#include "simd.h"

#define ROWS 4
#define VECTORS 3
#define COLUMNS (VECTORS * VFI_LANES)

typedef struct
{
  int h, w, n, pitch, c; /* places, and floats from one row of weights to the next */
  int threads;
  int *next[2];                /* of each place the one before and after in its column; in the state's own memory */
  float *round, *s, *f, *made; /* n x 9 c: what is round each place; n x pitch: likeness, twice; n x 16 c: pixels to lay round each place */
  float *length, *open;        /* n, pitch */
  float *panel;                /* of each thread, COLUMNS times the larger of n and 9 c */
} State;

static gsize
panel_size (const State *s)
{
  return (gsize) COLUMNS * MAX (s->n, 9 * s->c);
}

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  const int h = dst->h / 2, w = dst->w / 2, n = h * w;
  State *s = g_malloc (sizeof *s + 2 * n * sizeof (int));

  *s = (State){ h, w, n, (n + VFI_LANES - 1) / VFI_LANES * VFI_LANES, dst->c, b->threads };
  s->next[0] = (int *) (s + 1);
  s->next[1] = s->next[0] + n;
  for (int i = 0; i < n; i++) {
    s->next[0][i] = vfi_attention_next (i, -1, h, w, 1);
    s->next[1][i] = vfi_attention_next (i, 1, h, w, 1);
  }
  return s;
}

static gsize
workspace (gpointer state)
{
  const State *s = state;
  const gsize n = s->n;

  return (25 * n * s->c + 2 * n * s->pitch + n + s->pitch + s->threads * panel_size (s)) * sizeof (float);
}

static void
bind (gpointer state, void *place)
{
  State *s = state;
  const gsize n = s->n;

  s->round = place;
  s->s = s->round + 9 * n * s->c;
  s->f = s->s + n * s->pitch;
  s->made = s->f + n * s->pitch;
  s->length = s->made + 16 * n * s->c;
  s->open = s->length + n;
  s->panel = s->open + s->pitch;
}

typedef struct
{
  const State *s;
  const VfiView *src, *dst;
} Run;

VFI_INLINE float
pixel (const VfiView *v, int y, int x, int c)
{
  return y < 0 || y >= v->h || x < 0 || x >= v->w ? 0 : vfi_view_get (v, y, x, c);
}

/* ---- likeness ----------------------------------------------------------------------------------- */

static void
look_round (gpointer data, int i, int thread)
{
  const Run *r = data;
  const State *s = r->s;
  const VfiView *mask = &r->src[1];
  const int y = i / s->w, x = i % s->w, step = mask->h / s->h;
  float *to = s->round + (gsize) i * 9 * s->c;
  double sum = 0;
  gboolean open = TRUE;

  for (int k = 0; k < 9; k++) {
    const int v = y + k / 3 - 1, u = x + k % 3 - 1;

    for (int c = 0; c < s->c; c++) {
      const float p = pixel (r->src, 2 * v, 2 * u, c);
      sum += p * p;
      *to++ = p;
    }
    open = open && pixel (mask, v * step, u * step, 0) == 0;
  }
  s->length[i] = fmaxf ((float) sqrt (sum), VFI_ATTENTION_LEAST);
  s->open[i] = open ? 1 : 0;
}

/* n rows of k numbers, `pitch` apart, times the panel, k rows of COLUMNS; of the result that many columns. */
static void
multiply (const float *a, int pitch, int n, int k, const float *panel, float *to, int ld, int columns)
{
  for (int i = 0; i < n; i += ROWS) {
    const float *row[ROWS];
    Vec sum[ROWS][VECTORS];

    for (int r = 0; r < ROWS; r++) {
      row[r] = a + (gsize) MIN (i + r, n - 1) * pitch;
      for (int v = 0; v < VECTORS; v++)
        sum[r][v] = vec_set (0);
    }
    for (int m = 0; m < k; m++)
      for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++)
          sum[r][v] = vec_fma (vec_set (row[r][m]), *(const Vec *) (panel + (gsize) m * COLUMNS + v * VFI_LANES), sum[r][v]);
    for (int r = 0; r < MIN (ROWS, n - i); r++)
      memcpy (to + (gsize) (i + r) * ld, sum[r], columns * sizeof (float));
  }
}

/* COLUMNS places that all are held against. */
static void
compare (gpointer data, int block, int thread)
{
  const State *s = ((const Run *) data)->s;
  const int first = block * COLUMNS, columns = MIN (COLUMNS, s->n - first), k = 9 * s->c;
  float *panel = s->panel + thread * panel_size (s);

  if (columns < COLUMNS)
    memset (panel, 0, panel_size (s) * sizeof *panel);
  for (int j = 0; j < columns; j++) {
    const float *from = s->round + (gsize) (first + j) * k, length = s->length[first + j];
    for (int m = 0; m < k; m++)
      panel[(gsize) m * COLUMNS + j] = from[m] / length;
  }
  multiply (s->round, k, s->n, k, panel, s->s + first, s->pitch, columns);
}

/* ---- weights ------------------------------------------------------------------------------------ */

static void
along_rows (gpointer data, int i, int thread)
{
  const State *s = ((const Run *) data)->s;
  const float *here = s->s + (gsize) i * s->pitch, *before = here - s->pitch, *after = here + s->pitch;
  float *to = s->f + (gsize) i * s->pitch;

  for (int j = 0; j < s->n; j++)
    to[j] = (i > 0 && j > 0 ? before[j - 1] : 0) + here[j] + (i + 1 < s->n && j + 1 < s->n ? after[j + 1] : 0);
}

/* And along columns, and what that weighs, to where likeness was. */
static void
weigh (gpointer data, int i, int thread)
{
  const State *s = ((const Run *) data)->s;
  const float *f = s->f + (gsize) i * s->pitch;
  float *to = s->s + (gsize) i * s->pitch, most = 0, all = 0;
  Vec sum = vec_set (0);

  memcpy (to, f, s->n * sizeof *to);
  for (int d = 0; d < 2; d++)
    if (s->next[d][i] >= 0) {
      const float *row = s->f + (gsize) s->next[d][i] * s->pitch;
      for (int j = 0; j < s->n; j++)
        if (s->next[d][j] >= 0)
          to[j] += row[s->next[d][j]];
    }
  for (int j = 0; j < s->n; j++) {
    to[j] = s->open[j] > 0 ? VFI_ATTENTION_SCALE * to[j] : 0;
    most = j ? fmaxf (most, to[j]) : to[j];
  }
  for (int j = s->n; j < s->pitch; j++)
    to[j] = -INFINITY;
  for (int j = 0; j < s->pitch; j += VFI_LANES) {
    Vec *v = (Vec *) (to + j);
    const Vec e = vec_exp (vec_max (*v - most, vec_set (-87))); /* of which e^-87 is as good as nothing */
    sum += j + VFI_LANES <= s->n ? e : vec_set (0);
    *v = e;
  }
  for (int k = 0; k < VFI_LANES; k++)
    all += sum[k];
  for (int j = s->n / VFI_LANES * VFI_LANES; j < s->n; j++)
    all += to[j];
  for (int j = 0; j < s->n; j++)
    to[j] *= s->open[j] / all;
}

/* ---- the picture -------------------------------------------------------------------------------- */

/* COLUMNS of the 16 c numbers that are round each place. */
static void
gather (gpointer data, int block, int thread)
{
  const Run *r = data;
  const State *s = r->s;
  const int first = block * COLUMNS, columns = MIN (COLUMNS, 16 * s->c - first);
  float *panel = s->panel + thread * panel_size (s);

  if (columns < COLUMNS)
    memset (panel, 0, panel_size (s) * sizeof *panel);
  for (int j = 0; j < s->n; j++)
    for (int k = 0; k < columns; k++) {
      const int at = (first + k) / s->c;
      panel[(gsize) j * COLUMNS + k] = pixel (r->src, 2 * (j / s->w) + at / 4 - 1, 2 * (j % s->w) + at % 4 - 1, (first + k) % s->c);
    }
  multiply (s->s, s->pitch, s->n, s->n, panel, s->made + first, 16 * s->c, columns);
}

static void
lay (gpointer data, int y, int thread)
{
  const Run *r = data;
  const State *s = r->s;

  for (int x = 0; x < r->dst->w; x++) {
    const float *from[4];
    int n = 0;

    for (int k = 0; k < 4; k++) {
      const int iy = (y + 1) / 2 - k / 2, ix = (x + 1) / 2 - k % 2;
      if (iy >= 0 && iy < s->h && ix >= 0 && ix < s->w)
        from[n++] = s->made + ((gsize) (iy * s->w + ix) * 16 + (y - 2 * iy + 1) * 4 + x - 2 * ix + 1) * s->c;
    }
    for (int c = 0; c < s->c; c++) {
      float sum = 0;
      for (int k = 0; k < n; k++)
        sum += from[k][c];
      vfi_view_set (r->dst, y, x, c, sum / 4);
    }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  State *s = state;
  Run r = { s, src, dst };

  vfi_cpu_each (b, s->n, 16, look_round, &r);
  vfi_cpu_each (b, (s->n + COLUMNS - 1) / COLUMNS, 1, compare, &r);
  vfi_cpu_each (b, s->n, 16, along_rows, &r);
  vfi_cpu_each (b, s->n, 16, weigh, &r);
  vfi_cpu_each (b, (16 * s->c + COLUMNS - 1) / COLUMNS, 1, gather, &r);
  vfi_cpu_each (b, dst->h, 4, lay, &r);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_contextual_attention) = {
  &vfi_op_contextual_attention, NULL, prepare, run, g_free, workspace, bind,
};
