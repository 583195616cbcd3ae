/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Between frames and the pictures in red, green and blue that published networks see and give: what frame.h defines, row by row, so that
 * backends on the host share the rows among threads.
 */
#include <math.h>

#include "frame.h"

#define BLOCK 256 /* pixels at a time, so that a row of any width needs little memory */

#define KR .2126f /* BT.709 */
#define KG .7152f
#define KB .0722f
#define CR 1.5748f
#define CB 1.8556f

typedef struct
{
  const VfiPlaneLayout *l;
  int w, h, stride, comp;
  guint8 *data;
} Part;

static Part
part_of (const VfiFrameInfo *info, const VfiFrame *frame, int plane, int comp)
{
  Part p = { .l = &vfi_format_desc (info->format)->plane[plane], .stride = frame->stride[plane], .comp = comp, .data = frame->data[plane] };

  vfi_frame_info_plane_size (info, plane, &p.w, &p.h);
  return p;
}

static inline float
get (const Part *p, int y, int x)
{
  const guint8 *row = p->data + (gsize) y * p->stride;
  gsize i = (gsize) x * p->l->comps + p->comp;

  return p->l->bytes == 1 ? row[i] : ((const guint16 *) row)[i] >> p->l->shift;
}

/* NaN becomes 0. */
static inline void
set (const Part *p, int y, int x, float v)
{
  guint8 *row = p->data + (gsize) y * p->stride;
  gsize i = (gsize) x * p->l->comps + p->comp;
  int n = (int) (fminf (fmaxf (v, 0), (1 << p->l->depth) - 1) + 0.5f);

  if (p->l->bytes == 1)
    row[i] = (guint8) n;
  else
    ((guint16 *) row)[i] = (guint16) (n << p->l->shift);
}

/* Where the frame begins in a padded picture. */
static int
origin (const VfiPicture *picture, int padded, int size)
{
  return picture->centred ? (padded - size) / 2 : 0;
}

/* ---- to a picture ------------------------------------------------------------------------------- */

/* A part's values at luma pixels x to x + n - 1 of row y, chroma bilinearly between its samples, times gain plus bias. */
static void
load (const Part *p, int y, int x, int n, float gain, float bias, float *to)
{
  float line[BLOCK + 2];
  int sx = p->l->sub_x, first = sx ? (x >> 1) - 1 : x, count = sx ? (n >> 1) + 2 : n;

  if (p->l->sub_y) {
    int i = y >> 1, j = CLAMP (i + (y & 1 ? 1 : -1), 0, p->h - 1);

    for (int k = 0; k < count; k++) {
      int at = CLAMP (first + k, 0, p->w - 1);

      line[k] = 0.75f * get (p, i, at) + 0.25f * get (p, j, at);
    }
  } else
    for (int k = 0; k < count; k++)
      line[k] = get (p, y, CLAMP (first + k, 0, p->w - 1));
  for (int k = 0; k < n; k++) {
    float v = !sx ? line[k] : 0.75f * line[k / 2 + 1] + 0.25f * line[k & 1 ? k / 2 + 2 : k / 2];

    to[k] = v * gain + bias;
  }
}

void
vfi_picture_pack_row (const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x, int row)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  int top = origin (picture, x->h, info->height), left = origin (picture, x->w, info->width), y = CLAMP (row - top, 0, info->height - 1);
  int red = picture->order == VFI_BGR ? 2 : 0;
  float *dst = (float *) x->data + (gsize) row * x->w * x->ld, *last;
  Part part[3];
  float gain[3], bias[3];

  if (picture->zeros && y != row - top) {
    for (int j = 0; j < x->w; j++)
      memset (dst + (gsize) j * x->ld, 0, 3 * sizeof *dst);
    return;
  }
  for (int i = 0; i < f->n_parts; i++) {
    part[i] = part_of (info, frame, f->part[i].plane, f->part[i].comp);
    vfi_format_scale (info, i, &gain[i], &bias[i]);
  }
  dst += (gsize) left * x->ld;
  last = dst + (gsize) (info->width - 1) * x->ld;
  for (int j = 0; j < info->width; j += BLOCK) {
    int n = MIN (BLOCK, info->width - j);
    float v[3][BLOCK];

    for (int i = 0; i < f->n_parts; i++)
      load (&part[i], y, j, n, gain[i], bias[i], v[i]);
    for (int k = 0; k < n; k++) {
      float *rgb = dst + (gsize) (j + k) * x->ld, r, g, b;

      if (f->rgb)
        r = v[0][k], g = v[1][k], b = v[2][k];
      else if (f->n_parts == 1)
        r = g = b = v[0][k];
      else {
        r = v[0][k] + CR * v[2][k];
        b = v[0][k] + CB * v[1][k];
        g = (v[0][k] - KR * r - KB * b) / KG;
      }
      rgb[red] = r;
      rgb[1] = g;
      rgb[2 - red] = b;
    }
  }
  for (int j = 0; j < left; j++)
    for (int c = 0; c < 3; c++)
      ((float *) x->data)[((gsize) row * x->w + j) * x->ld + c] = picture->zeros ? 0 : dst[c];
  for (int j = 1; j < x->w - left - info->width + 1; j++)
    for (int c = 0; c < 3; c++)
      last[(gsize) j * x->ld + c] = picture->zeros ? 0 : last[c];
}

/* ---- from a picture ----------------------------------------------------------------------------- */

/* floor (v levels + VFI_ALMOST) / levels. Where floats have no fractions, adding rounds: what is half less to the whole number below. */
static inline float
cut_off (float v, float levels)
{
  const float whole = 0x1.8p23f;

  return (v * levels - (0.5f - VFI_ALMOST) + whole - whole) / levels;
}

/* Luma, cb and cr; or red, green and blue; of n pixels, to row `row` of each. They are cut off to that many levels, if there are any. */
static void
values (const VfiFormatDesc *f, const float *p, int ld, int red, float levels, int n, float v[3][2][BLOCK], int row)
{
  float *restrict v0 = v[0][row], *restrict v1 = v[1][row], *restrict v2 = v[2][row];

  for (int i = 0; i < n; i++, p += ld)
    v0[i] = p[red], v1[i] = p[1], v2[i] = p[2 - red];
  for (int i = 0; levels && i < n; i++)
    v0[i] = cut_off (v0[i], levels), v1[i] = cut_off (v1[i], levels), v2[i] = cut_off (v2[i], levels);
  for (int i = 0; !f->rgb && i < n; i++) {
    const float r = v0[i], b = v2[i], y = KR * r + KG * v1[i] + KB * b;

    v0[i] = y;
    v1[i] = (b - y) / CB;
    v2[i] = (r - y) / CR;
  }
}

/* The samples of a part that cover n pixels of `rows` rows from (y, x) on; y and x are even. */
static void
store (const Part *p, float gain, float bias, const float v[2][BLOCK], int rows, int n, int y, int x)
{
  const int sx = p->l->sub_x, sy = p->l->sub_y;

  for (int i = 0; i < rows; i += 1 << sy)
    for (int j = 0; j < n; j += 1 << sx) {
      float sum = 0;
      int count = 0;

      for (int k = i; k < MIN (i + (1 << sy), rows); k++)
        for (int l = j; l < MIN (j + (1 << sx), n); l++, count++)
          sum += v[k][l];
      set (p, (y + i) >> sy, (x + j) >> sx, (sum / count - bias) / gain);
    }
}

/* Samples that are no part of the picture: alpha, and what is left of x. */
static void
blend_others (const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, float t, const VfiFrame *dst, int y)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);

  for (int plane = 0; plane < f->n_planes; plane++)
    for (int c = 0; c < f->plane[plane].comps; c++)
      if (!vfi_format_is_part (f, plane, c)) {
        const Part a = part_of (info, f0, plane, c), b = part_of (info, f1, plane, c), d = part_of (info, dst, plane, c);

        for (int x = 0; x < d.w; x++)
          set (&d, y, x, get (&a, y, x) + t * (get (&b, y, x) - get (&a, y, x)));
      }
}

void
vfi_picture_unpack_rows (const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double t, const VfiPicture *picture,
                         const VfiView *x, const VfiFrame *dst, int i)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  int red = picture->order == VFI_BGR ? 2 : 0, y0 = 2 * i, rows = MIN (2, info->height - y0);
  float levels = picture->truncates ? (1 << f->plane[0].depth) - 1 : 0, gain[3], bias[3];
  const float *from = (const float *) x->data; /* the frame's first pixel of the first row */
  Part part[3];

  from += ((gsize) (origin (picture, x->h, info->height) + y0) * x->w + origin (picture, x->w, info->width)) * x->ld;
  for (int k = 0; k < f->n_parts; k++) {
    part[k] = part_of (info, dst, f->part[k].plane, f->part[k].comp);
    vfi_format_scale (info, k, &gain[k], &bias[k]);
  }
  for (int px = 0; px < info->width; px += BLOCK) {
    const int n = MIN (BLOCK, info->width - px);
    float v[3][2][BLOCK];

    for (int k = 0; k < rows; k++)
      values (f, from + ((gsize) k * x->w + px) * x->ld, x->ld, red, levels, n, v, k);
    for (int k = 0; k < f->n_parts; k++)
      store (&part[k], gain[k], bias[k], v[k], rows, n, y0, px);
  }
  for (int y = y0; y < y0 + rows; y++)
    blend_others (info, f0, f1, (float) t, dst, y);
}

void
vfi_picture_pack (const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x)
{
  for (int row = 0; row < x->h; row++)
    vfi_picture_pack_row (info, frame, picture, x, row);
}

void
vfi_picture_unpack (const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double t, const VfiPicture *picture, const VfiView *x,
                    const VfiFrame *dst)
{
  for (int i = 0; i < (info->height + 1) / 2; i++)
    vfi_picture_unpack_rows (info, f0, f1, t, picture, x, dst, i);
}
