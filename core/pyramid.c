/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pyramids of means over 2 x 2 pixels. A pixel of a coarse level is known where all that it is the mean of are.
 */
#include "pyramid.h"

#include <string.h>

#include "format.h"

#define PAD VFI_PYRAMID_PAD
#define LEAST 16 /* pixels of the coarsest level, each way */

static gsize
level_floats (int w, int h)
{
  return (gsize) (w + 2 * PAD) * (h + 2 * PAD);
}

static gsize
pyramid_layout (VfiPyramid *p, int w, int h)
{
  gsize at = 0;

  for (p->n = 0; p->n < VFI_PYRAMID_LEVELS && (p->n == 0 || MIN (w, h) >= LEAST); p->n++) {
    VfiPyramidLevel *l = &p->level[p->n];
    const gsize first = (gsize) PAD * (w + 2 * PAD) + PAD;
    *l = (VfiPyramidLevel){ w, h, NULL, NULL };
    if (p->memory) {
      l->luma = p->memory + at + first;
      l->known = p->memory + at + level_floats (w, h) + first;
    }
    at += 2 * level_floats (w, h);
    w = (w + 1) / 2;
    h = (h + 1) / 2;
  }
  return at;
}

gsize
vfi_pyramid_bytes (int width, int height)
{
  VfiPyramid p = { 0 };
  return pyramid_layout (&p, width, height) * sizeof (float);
}

gboolean
vfi_pyramid_init (VfiPyramid *p, int width, int height)
{
  const gsize bytes = vfi_pyramid_bytes (width, height);

  *p = (VfiPyramid){ 0 };
  if (!(p->memory = g_try_malloc0 (bytes)))
    return FALSE;
  pyramid_layout (p, width, height);
  return TRUE;
}

void
vfi_pyramid_clear (VfiPyramid *p)
{
  g_free (p->memory);
  *p = (VfiPyramid){ 0 };
}

/* The border repeats the nearest pixel, and is not known (as memory begins). */
static void
pad (const VfiPyramidLevel *l)
{
  const int stride = vfi_pyramid_stride (l);

  for (int y = 0; y < l->h; y++) {
    float *row = l->luma + (gsize) y * stride;
    for (int x = 1; x <= PAD; x++) {
      row[-x] = row[0];
      row[l->w - 1 + x] = row[l->w - 1];
    }
  }
  for (int y = 1; y <= PAD; y++) {
    memcpy (l->luma - PAD - (gssize) y * stride, l->luma - PAD, stride * sizeof (float));
    memcpy (l->luma - PAD + (gssize) (l->h - 1 + y) * stride, l->luma - PAD + (gssize) (l->h - 1) * stride, stride * sizeof (float));
  }
}

void
vfi_pyramid_set (VfiPyramid *p, const VfiFrameInfo *info, const VfiFrame *frame, const VfiRegion *region)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const VfiPlaneLayout *l = &f->plane[0];
  const int part = f->rgb ? f->part[1].comp : 0, stride = vfi_pyramid_stride (&p->level[0]);

  for (int y = 0; y < info->height; y++) {
    const guint8 *src = frame->data[0] + (gsize) y * frame->stride[0], *mark = region->mark + (gsize) y * region->width;
    float *luma = p->level[0].luma + (gsize) y * stride, *known = p->level[0].known + (gsize) y * stride;

    if (l->bytes == 1)
      for (int x = 0; x < info->width; x++)
        luma[x] = src[x * l->comps + part];
    else
      for (int x = 0; x < info->width; x++)
        luma[x] = (float) (((const guint16 *) src)[x * l->comps + part] >> l->shift) / (1 << (l->depth - 8));
    for (int x = 0; x < info->width; x++)
      known[x] = mark[x] < VFI_MARK_FILL;
  }
  pad (&p->level[0]);
  for (int i = 1; i < p->n; i++) {
    const VfiPyramidLevel *fine = &p->level[i - 1], *coarse = &p->level[i];
    const int fs = vfi_pyramid_stride (fine), cs = vfi_pyramid_stride (coarse);

    for (int y = 0; y < coarse->h; y++) {
      const float *top = fine->luma + (gsize) 2 * y * fs, *bottom = top + fs;
      const float *kt = fine->known + (gsize) 2 * y * fs, *kb = 2 * y + 1 < fine->h ? kt + fs : kt;
      float *luma = coarse->luma + (gsize) y * cs, *known = coarse->known + (gsize) y * cs;

      for (int x = 0; x < coarse->w; x++) {
        const int u = 2 * x, v = u + 1 < fine->w ? u + 1 : u;
        luma[x] = (top[u] + top[u + 1] + bottom[u] + bottom[u + 1]) / 4;
        known[x] = kt[u] * kt[v] * kb[u] * kb[v];
      }
    }
    pad (coarse);
  }
}
