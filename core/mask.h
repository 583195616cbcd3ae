/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where a frame is to be filled in: a mask made into marks, and the boxes in which they lie.
 */
#pragma once

#include "vfi.h"

/* Marks of a pixel. From VFI_MARK_FILL on it is filled in; how much of the fill shows is vfi_mark_alpha. Below, it stays as it is. */
enum
{
  VFI_MARK_CLEAR = 0,
  VFI_MARK_BAND,  /* 2 to 5 pixels from what is filled in */
  VFI_MARK_BRINK, /* up to 2 pixels from it */
  VFI_MARK_FILL,
  VFI_MARK_HOLE = 255, /* inside of the grown mask */
};

static inline float
vfi_mark_alpha (guint8 mark)
{
  return mark < VFI_MARK_FILL ? 0 : (float) (mark - VFI_MARK_FILL + 1) / (VFI_MARK_HOLE - VFI_MARK_FILL + 1);
}

/* Pixels [x0, x1) x [y0, y1). Corners are even, so that they are corners of subsampled planes, but for the frame's right and bottom. */
typedef struct
{
  int x0, y0, x1, y1;
  gsize first; /* pixels of the boxes before */
} VfiBox;

/* Boxes that overlap become one, until none do; how many are left. Their `first` is 0. */
int vfi_boxes_merge (VfiBox *box, int n);

#define VFI_MAX_BOXES 32

typedef struct
{
  int width, height;
  guint8 *mark; /* width x height */
  int n_boxes;
  VfiBox box[VFI_MAX_BOXES]; /* disjoint; outside of them everything is VFI_MARK_CLEAR */
  gsize area;                /* pixels of all boxes */
  gsize hole;                /* pixels of VFI_MARK_HOLE */
} VfiRegion;

/* A region of a frame's size without marks. FALSE: no memory. */
gboolean vfi_region_init (VfiRegion *region, int width, int height);
void vfi_region_clear (VfiRegion *region);

/* Memory for the making of marks; any number of regions of the size it is for may share it. NULL: no memory. */
typedef struct _VfiMarker VfiMarker;
VfiMarker *vfi_marker_new (int width, int height);
void vfi_marker_free (VfiMarker *marker);
gsize vfi_marker_bytes (int width, int height);

/* Marks what a mask (NULL: nothing) covers: laid over the frame (nearest), inverted if asked, grown by `dilate` pixels (round), softened over
 * `feather` pixels. Allocates nothing. */
void vfi_region_set (VfiRegion *region, VfiMarker *marker, const VfiMask *mask, gboolean invert, int dilate, double feather);

/* The place of a pixel among all pixels of the boxes; -1: in none. */
static inline gssize
vfi_region_index (const VfiRegion *region, int x, int y)
{
  for (int i = 0; i < region->n_boxes; i++) {
    const VfiBox *b = &region->box[i];
    if (x >= b->x0 && x < b->x1 && y >= b->y0 && y < b->y1)
      return (gssize) (b->first + (gsize) (y - b->y0) * (b->x1 - b->x0) + (x - b->x0));
  }
  return -1;
}

/* The largest mark of the pixels that a position lies between. */
static inline guint8
vfi_region_covered (const VfiRegion *r, float x, float y)
{
  const int ix = (int) x, iy = (int) y, right = ix + 1 < r->width && x > ix, down = iy + 1 < r->height && y > iy;
  const guint8 *m = r->mark + (gsize) iy * r->width + ix;
  const guint8 a = MAX (m[0], m[right]), b = MAX (m[down * (gsize) r->width], m[down * (gsize) r->width + right]);
  return MAX (a, b);
}

/* Which pixels frames show, a bit each, in a ring of frames. */
typedef struct
{
  int width, height, n;
  gsize frame_bytes;
  guint8 *bits; /* frame number % n */
} VfiShown;

gsize vfi_shown_bytes (int width, int height);
gboolean vfi_shown_init (VfiShown *s, int width, int height, int n);
void vfi_shown_clear (VfiShown *s);
/* A frame shows what is at least 2 pixels from what is filled in. */
void vfi_shown_set (VfiShown *s, guint32 number, const VfiRegion *region);
/* But not what is in this box. */
void vfi_shown_hide (VfiShown *s, guint32 number, const VfiBox *box);

/* TRUE if a frame shows all pixels that a position lies between. */
static inline gboolean
vfi_shown_at (const VfiShown *s, guint32 number, float x, float y)
{
  const guint8 *bits = s->bits + (number % (guint32) s->n) * s->frame_bytes;
  const int x0 = (int) x, y0 = (int) y, x1 = x0 + 1 < s->width && x > x0, y1 = y0 + 1 < s->height && y > y0;
  const gsize a = (gsize) y0 * s->width + x0, b = a + (gsize) y1 * s->width;
#define BIT(i) (bits[(i) / 8] >> ((i) % 8) & 1)
  return BIT (a) && BIT (a + x1) && BIT (b) && BIT (b + x1);
#undef BIT
}
