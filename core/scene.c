/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Is the second frame the same picture, the same scene, or another one? Both answers come from small luma pictures of block means, so that
 * noise and compression do not count and a 720p pair costs a fraction of a millisecond.
 *
 * The scene score asks how well each frame's blocks can be found in the other: for each 8x8 block of a picture of 48x48, the least sum
 * of absolute differences within an eighth of the picture each way, after taking off both blocks' means (so that fades and flashes do not
 * count), held against the deviation of the blocks from their means. Panned, zoomed and moving things are found again (near 0);
 * across a cut, what is found is hardly better than nothing (near 1). Both directions are summed: what comes into view is missed in
 * one only. Brightness counts a little where blocks do not change it alike: of two wide skies all blocks are found, but not as bright.
 */
#include "scene.h"

#include <math.h>

#include "format.h"

#define CELLS 64 /* of the difference, each way */
#define GRID 48  /* of the scene score, each way */
#define BLOCK 8
#define REACH 6           /* how far a block is looked for, each way */
#define UNEVEN 0.1        /* weight of changes of brightness that blocks do not share */
#define NOISE (1.f / 219) /* added to the deviations, so that what is flat but for noise counts as found */

/* The sums of scene.h, on the host. */
static void
luma_sums (const VfiFrameInfo *info, const VfiFrame *frame, int w, int h, guint64 *sums)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const VfiPlaneLayout *l = &f->plane[0];
  int row = info->width * l->comps, parts = f->rgb ? 3 : 1;
  g_autofree guint32 *sum = g_new (guint32, row);

  for (int i = 0; i < h; i++) {
    int y0 = i * info->height / h, y1 = (i + 1) * info->height / h;

    memset (sum, 0, row * sizeof *sum);
    for (int y = y0; y < y1; y++) {
      const guint8 *p = frame->data[0] + (gsize) y * frame->stride[0];
      if (l->bytes == 1)
        for (int x = 0; x < row; x++)
          sum[x] += p[x];
      else
        for (int x = 0; x < row; x++)
          sum[x] += ((const guint16 *) p)[x] >> l->shift;
    }
    for (int j = 0; j < w; j++) {
      int x0 = j * info->width / w, x1 = (j + 1) * info->width / w;

      for (int part = 0; part < parts; part++) {
        guint64 total = 0;
        for (int x = x0; x < x1; x++)
          total += sum[x * l->comps + f->part[part].comp];
        *sums++ = total;
      }
    }
  }
}

/* Means of luma over the cells of a w x h grid, in [0,1] by the frame's range. */
static void
luma_means (const VfiFrameInfo *info, const guint64 *sums, int w, int h, float *out)
{
  static const float bt709[] = { .2126f, .7152f, .0722f };
  const gboolean rgb = vfi_format_desc (info->format)->rgb;
  float gain, bias;

  vfi_format_scale (info, 0, &gain, &bias);
  for (int i = 0; i < h; i++)
    for (int j = 0; j < w; j++) {
      int y0 = i * info->height / h, y1 = (i + 1) * info->height / h, x0 = j * info->width / w, x1 = (j + 1) * info->width / w;
      double luma = 0;

      for (int part = 0; part < (rgb ? 3 : 1); part++)
        luma += *sums++ * (rgb ? (double) bt709[part] : 1.);
      out[i * w + j] = (float) (luma / ((double) (x1 - x0) * (y1 - y0)) * gain + bias);
    }
}

void
vfi_scene_grid (const VfiFrameInfo *info, gboolean score, int *w, int *h)
{
  *w = score ? MIN (GRID, info->width) / BLOCK * BLOCK : MIN (info->width, CELLS);
  *h = score ? MIN (GRID, info->height) / BLOCK * BLOCK : MIN (info->height, CELLS);
}

double
vfi_scene_difference (const VfiFrameInfo *info, const guint64 *a, const guint64 *b)
{
  int w, h;
  g_autofree float *p = NULL, *q = NULL;
  double sum = 0;

  vfi_scene_grid (info, FALSE, &w, &h);
  p = g_new (float, w *h);
  q = g_new (float, w *h);
  luma_means (info, a, w, h, p);
  luma_means (info, b, w, h, q);
  for (int i = 0; i < w * h; i++)
    sum += fabsf (p[i] - q[i]);
  return MIN (sum / (w * h), 1);
}

static double
compare (const VfiFrameInfo *info, const VfiFrame *a, const VfiFrame *b, gboolean score)
{
  guint64 *sums = g_new (guint64, 2 * VFI_SCENE_SUMS);
  double d;
  int w, h;

  vfi_scene_grid (info, score, &w, &h);
  luma_sums (info, a, w, h, sums);
  luma_sums (info, b, w, h, sums + VFI_SCENE_SUMS);
  d = (score ? vfi_scene_score : vfi_scene_difference) (info, sums, sums + VFI_SCENE_SUMS);
  g_free (sums);
  return d;
}

double
vfi_frame_difference (const VfiFrameInfo *info, const VfiFrame *a, const VfiFrame *b)
{
  return compare (info, a, b, FALSE);
}

double
vfi_frame_scene_score (const VfiFrameInfo *info, const VfiFrame *a, const VfiFrame *b)
{
  return compare (info, a, b, TRUE);
}

/* ---- scene score -------------------------------------------------------------------------------- */

/* A small picture, and of the block that begins at each pixel the mean and the mean absolute deviation from it. */
typedef struct
{
  int w, h;
  float luma[GRID * GRID], mean[GRID * GRID], deviation[GRID * GRID];
} Small;

/* Sum of |p - q - shift| over a block, in lanes that compilers turn into one vector. */
static inline float
block_difference (const float *p, const float *q, int w, float shift)
{
  float lane[BLOCK] = { 0 }, sum = 0;

  for (int i = 0; i < BLOCK; i++)
    for (int j = 0; j < BLOCK; j++)
      lane[j] += fabsf (p[i * w + j] - q[i * w + j] - shift);
  for (int j = 0; j < BLOCK; j++)
    sum += lane[j];
  return sum;
}

static Small *
small_new (const VfiFrameInfo *info, const guint64 *sums)
{
  static const float zero[GRID * BLOCK];
  Small *s = g_new (Small, 1);

  vfi_scene_grid (info, TRUE, &s->w, &s->h);
  luma_means (info, sums, s->w, s->h, s->luma);
  for (int y = 0; y + BLOCK <= s->h; y++)
    for (int x = 0; x + BLOCK <= s->w; x++) {
      const float *p = &s->luma[y * s->w + x];
      float sum = 0;
      for (int i = 0; i < BLOCK; i++)
        for (int j = 0; j < BLOCK; j++)
          sum += p[i * s->w + j];
      s->mean[y * s->w + x] = sum / (BLOCK * BLOCK);
      s->deviation[y * s->w + x] = block_difference (p, zero, s->w, sum / (BLOCK * BLOCK));
    }
  return s;
}

/* Adds up what is left of a's blocks after the best that b has is taken off, and what there was before. */
static void
search (const Small *a, const Small *b, double *left, double *there)
{
  float change[GRID / BLOCK * (GRID / BLOCK)]; /* of the mean, from each block to the one found */
  double sum = 0;
  int n = 0;

  for (int y = 0; y + BLOCK <= a->h; y += BLOCK)
    for (int x = 0; x + BLOCK <= a->w; x += BLOCK) {
      int here = y * a->w + x, found = here;
      float best = G_MAXFLOAT;

      for (int v = MAX (y - REACH, 0); v <= MIN (y + REACH, a->h - BLOCK); v++)
        for (int u = MAX (x - REACH, 0); u <= MIN (x + REACH, a->w - BLOCK); u++) {
          int at = v * a->w + u;
          float d = block_difference (&a->luma[here], &b->luma[at], a->w, a->mean[here] - b->mean[at]);
          if (d < best) {
            best = d;
            found = at;
          }
        }
      *left += best;
      *there += MAX (a->deviation[here], b->deviation[found]) + NOISE * BLOCK * BLOCK;
      sum += change[n++] = b->mean[found] - a->mean[here];
    }
  for (int i = 0; i < n; i++)
    *left += UNEVEN * BLOCK * BLOCK * fabs (change[i] - sum / n);
}

double
vfi_scene_score (const VfiFrameInfo *info, const guint64 *a, const guint64 *b)
{
  g_autofree Small *p = small_new (info, a), *q = small_new (info, b);
  double left = 0, there = 0;

  search (p, q, &left, &there);
  search (q, p, &left, &there);
  return MIN (left / there, 1);
}
