/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Masks to marks. Distances are exact (Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, 2012): squared, first along
 * columns, then along rows as the lower envelope of parabolas. They are worked out in the boxes only.
 *
 * Boxes are found on cells of 16 x 16 pixels: what lies nearer to each other than marks reach is one box; boxes that overlap become one.
 */
#include "mask.h"

#include <math.h>
#include <string.h>

#define CELL 16
#define BRINK 2 /* widths of the marks outside of what is filled in */
#define BAND 5

struct _VfiMarker
{
  guint8 *cell;  /* of each cell: 1 there are pixels to remove; 2 taken into a box */
  gint32 *stack; /* of cells */
  guint8 *bits;  /* of each pixel: to be removed */
  float *column; /* squared distance along the column */
  int *site;     /* lower envelope */
  float *from;   /* of each site */
  int *map;      /* frame's column to mask's */
  int cells_x, cells_y;
};

static gsize
layout (VfiMarker *m, guint8 *base, int w, int h)
{
  const int cx = (w + CELL - 1) / CELL, cy = (h + CELL - 1) / CELL, n = MAX (w, h) + 2;
  gsize at = sizeof *m;
#define PLACE(field, count)                                                                                                                \
  at = (at + 15) / 16 * 16;                                                                                                                \
  m->field = (void *) (base + at);                                                                                                         \
  at += (gsize) (count) * sizeof *m->field
  PLACE (cell, cx * cy);
  PLACE (stack, cx * cy);
  PLACE (bits, (gsize) w * h);
  PLACE (column, (gsize) w * h);
  PLACE (site, n);
  PLACE (from, n);
  PLACE (map, w);
#undef PLACE
  m->cells_x = cx;
  m->cells_y = cy;
  return at;
}

gsize
vfi_marker_bytes (int width, int height)
{
  VfiMarker m;
  return layout (&m, NULL, width, height);
}

VfiMarker *
vfi_marker_new (int width, int height)
{
  VfiMarker *m = g_try_malloc (vfi_marker_bytes (width, height));

  if (m)
    layout (m, (guint8 *) m, width, height);
  return m;
}

void
vfi_marker_free (VfiMarker *m)
{
  g_free (m);
}

gboolean
vfi_region_init (VfiRegion *r, int width, int height)
{
  *r = (VfiRegion){ .width = width, .height = height };
  r->mark = g_try_malloc0 ((gsize) width * height);
  return r->mark != NULL;
}

void
vfi_region_clear (VfiRegion *r)
{
  g_free (r->mark);
  *r = (VfiRegion){ 0 };
}

/* ---- the mask on the frame ---------------------------------------------------------------------- */

/* Fills bits and cell; FALSE if nothing is to be removed. */
static gboolean
lay (VfiMarker *m, const VfiRegion *r, const VfiMask *mask, gboolean invert)
{
  gboolean any = FALSE;

  memset (m->cell, 0, (gsize) m->cells_x * m->cells_y);
  for (int x = 0; x < r->width; x++)
    m->map[x] = (int) (((gint64) 2 * x + 1) * mask->width / (2 * r->width));
  for (int y = 0; y < r->height; y++) {
    const guint8 *src = mask->data + (gssize) (((gint64) 2 * y + 1) * mask->height / (2 * r->height)) * mask->stride;
    guint8 *bits = m->bits + (gsize) y * r->width, *cell = m->cell + (gsize) (y / CELL) * m->cells_x;

    if (mask->width == r->width)
      for (int x = 0; x < r->width; x++)
        bits[x] = (src[x] >= 128) != invert;
    else
      for (int x = 0; x < r->width; x++)
        bits[x] = (src[m->map[x]] >= 128) != invert;
    for (int c = 0; c < m->cells_x; c++)
      if (memchr (bits + c * CELL, 1, MIN (CELL, r->width - c * CELL)))
        any = cell[c] = 1;
  }
  return any;
}

/* ---- boxes -------------------------------------------------------------------------------------- */

static gboolean
overlap (const VfiBox *a, const VfiBox *b)
{
  return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

static gint64
size_of (const VfiBox *a)
{
  return (gint64) (a->x1 - a->x0) * (a->y1 - a->y0);
}

static VfiBox
both (const VfiBox *a, const VfiBox *b)
{
  return (VfiBox){ MIN (a->x0, b->x0), MIN (a->y0, b->y0), MAX (a->x1, b->x1), MAX (a->y1, b->y1), 0 };
}

/* Box j, the later one, becomes part of box i. */
static void
merge (VfiBox *box, int *n, int i, int j)
{
  box[i] = both (&box[i], &box[j]);
  box[j] = box[--*n];
}

int
vfi_boxes_merge (VfiBox *box, int n)
{
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++)
      if (overlap (&box[i], &box[j])) {
        merge (box, &n, i, j);
        i = -1;
        break;
      }
  return n;
}

/* One more box; where there are too many, the two that waste least become one. */
static void
add (VfiRegion *r, VfiBox box)
{
  if (r->n_boxes == VFI_MAX_BOXES) {
    gint64 least = G_MAXINT64;
    int a = 0, b = 1;
    for (int i = 0; i < r->n_boxes; i++)
      for (int j = i + 1; j < r->n_boxes; j++) {
        const VfiBox u = both (&r->box[i], &r->box[j]);
        const gint64 waste = size_of (&u) - size_of (&r->box[i]) - size_of (&r->box[j]);
        if (waste < least) {
          least = waste;
          a = i;
          b = j;
        }
      }
    merge (r->box, &r->n_boxes, a, b);
  }
  r->box[r->n_boxes++] = box;
}

/* Takes the cells that can be reached from one by steps of at most `reach` cells. */
static VfiBox
component (VfiMarker *m, int cell, int reach)
{
  VfiBox b = { G_MAXINT, G_MAXINT, 0, 0, 0 };
  int n = 0;

  m->stack[n++] = cell;
  m->cell[cell] = 2;
  while (n) {
    const int i = m->stack[--n], x = i % m->cells_x, y = i / m->cells_x;
    b.x0 = MIN (b.x0, x);
    b.y0 = MIN (b.y0, y);
    b.x1 = MAX (b.x1, x + 1);
    b.y1 = MAX (b.y1, y + 1);
    for (int v = MAX (y - reach, 0); v <= MIN (y + reach, m->cells_y - 1); v++)
      for (int u = MAX (x - reach, 0); u <= MIN (x + reach, m->cells_x - 1); u++)
        if (m->cell[v * m->cells_x + u] == 1) {
          m->cell[v * m->cells_x + u] = 2;
          m->stack[n++] = v * m->cells_x + u;
        }
  }
  return b;
}

static void
find_boxes (VfiMarker *m, VfiRegion *r, int reach)
{
  const int steps = 1 + (2 * reach + CELL - 1) / CELL;

  for (int i = 0; i < m->cells_x * m->cells_y; i++)
    if (m->cell[i] == 1) {
      VfiBox b = component (m, i, steps), tight = { G_MAXINT, G_MAXINT, 0, 0, 0 };

      for (int y = b.y0 * CELL; y < MIN (b.y1 * CELL, r->height); y++)
        for (int x = b.x0 * CELL; x < MIN (b.x1 * CELL, r->width); x++)
          if (m->bits[(gsize) y * r->width + x]) {
            tight.x0 = MIN (tight.x0, x);
            tight.x1 = MAX (tight.x1, x + 1);
            tight.y0 = MIN (tight.y0, y);
            tight.y1 = MAX (tight.y1, y + 1);
          }
      tight.x0 = MAX (tight.x0 - reach, 0) & ~1;
      tight.y0 = MAX (tight.y0 - reach, 0) & ~1;
      tight.x1 = MIN ((tight.x1 + reach + 1) & ~1, r->width);
      tight.y1 = MIN ((tight.y1 + reach + 1) & ~1, r->height);
      add (r, tight);
    }
  r->n_boxes = vfi_boxes_merge (r->box, r->n_boxes);
  for (int i = 0; i < r->n_boxes; i++) {
    r->box[i].first = r->area;
    r->area += (gsize) size_of (&r->box[i]);
  }
}

/* ---- distances ---------------------------------------------------------------------------------- */

/* Squared distance to the nearest pixel to be removed in the same column, in a box; `far` where there is none within that. */
static void
columns (VfiMarker *m, const VfiRegion *r, const VfiBox *b, float far)
{
  for (int x = b->x0; x < b->x1; x++) {
    float d = far;
    for (int y = b->y0; y < b->y1; y++) {
      const gsize i = (gsize) y * r->width + x;
      d = m->bits[i] ? 0 : MIN (d + 1, far);
      m->column[i] = d;
    }
    d = far;
    for (int y = b->y1 - 1; y >= b->y0; y--) {
      const gsize i = (gsize) y * r->width + x;
      d = MIN (m->column[i], d + 1);
      m->column[i] = d * d;
    }
  }
}

static guint8
mark_of (float squared, int dilate, double feather)
{
  const double d = sqrt (squared) - dilate;
  double outside;

  if (d <= 0)
    return VFI_MARK_HOLE;
  outside = d - feather;
  if (feather > 0 && outside < 1) {
    const double alpha = 1 - d / (feather + 1);
    return (guint8) CLAMP (VFI_MARK_FILL - 1 + alpha * (VFI_MARK_HOLE - VFI_MARK_FILL + 1) + 0.5, VFI_MARK_FILL, VFI_MARK_HOLE - 1);
  }
  return outside <= BRINK ? VFI_MARK_BRINK : outside <= BAND ? VFI_MARK_BAND : VFI_MARK_CLEAR;
}

/* One row of a box: the lower envelope of the parabolas that stand on the columns. */
static void
row (VfiMarker *m, VfiRegion *r, const VfiBox *b, int y, int dilate, double feather, float far)
{
  const float *g = m->column + (gsize) y * r->width;
  guint8 *mark = r->mark + (gsize) y * r->width;
  int n = 0, k = 0;

  for (int x = b->x0; x < b->x1; x++) {
    float at = -1e9f;
    if (g[x] >= far * far)
      continue;
    while (n) {
      const int p = m->site[n - 1];
      at = (g[x] - g[p] + (float) x * x - (float) p * p) / (2 * (x - p));
      if (at > m->from[n - 1])
        break;
      n--;
      at = -1e9f;
    }
    m->site[n] = x;
    m->from[n++] = at;
  }
  for (int x = b->x0; x < b->x1; x++) {
    if (!n) {
      mark[x] = VFI_MARK_CLEAR;
      continue;
    }
    while (k + 1 < n && m->from[k + 1] <= x)
      k++;
    mark[x] = mark_of (g[m->site[k]] + (float) (x - m->site[k]) * (x - m->site[k]), dilate, feather);
    r->hole += mark[x] == VFI_MARK_HOLE;
  }
}

void
vfi_region_set (VfiRegion *r, VfiMarker *m, const VfiMask *mask, gboolean invert, int dilate, double feather)
{
  const int reach = (int) ceil (dilate + feather) + BAND + 1;
  const float far = (float) reach + 1;

  for (int i = 0; i < r->n_boxes; i++)
    for (int y = r->box[i].y0; y < r->box[i].y1; y++)
      memset (r->mark + (gsize) y * r->width + r->box[i].x0, VFI_MARK_CLEAR, r->box[i].x1 - r->box[i].x0);
  r->n_boxes = 0;
  r->area = r->hole = 0;
  if (!mask || !lay (m, r, mask, invert))
    return;
  find_boxes (m, r, reach);
  for (int i = 0; i < r->n_boxes; i++) {
    columns (m, r, &r->box[i], far);
    for (int y = r->box[i].y0; y < r->box[i].y1; y++)
      row (m, r, &r->box[i], y, dilate, feather, far);
  }
}

/* ---- what frames show --------------------------------------------------------------------------- */

gsize
vfi_shown_bytes (int width, int height)
{
  return ((gsize) width * height + 7) / 8;
}

gboolean
vfi_shown_init (VfiShown *s, int width, int height, int n)
{
  *s = (VfiShown){ width, height, n, vfi_shown_bytes (width, height), NULL };
  s->bits = g_try_malloc (n * s->frame_bytes);
  return s->bits != NULL;
}

void
vfi_shown_clear (VfiShown *s)
{
  g_free (s->bits);
  *s = (VfiShown){ 0 };
}

void
vfi_shown_hide (VfiShown *s, guint32 number, const VfiBox *box)
{
  guint8 *bits = s->bits + (number % (guint32) s->n) * s->frame_bytes;

  for (int y = box->y0; y < box->y1; y++)
    for (int x = box->x0; x < box->x1; x++) {
      const gsize i = (gsize) y * s->width + x;
      bits[i / 8] &= (guint8) ~(1 << i % 8);
    }
}

void
vfi_shown_set (VfiShown *s, guint32 number, const VfiRegion *r)
{
  guint8 *bits = s->bits + (number % (guint32) s->n) * s->frame_bytes;

  memset (bits, 0xff, s->frame_bytes);
  for (int k = 0; k < r->n_boxes; k++)
    for (int y = r->box[k].y0; y < r->box[k].y1; y++)
      for (int x = r->box[k].x0; x < r->box[k].x1; x++) {
        const gsize i = (gsize) y * r->width + x;
        if (r->mark[i] > VFI_MARK_BAND)
          bits[i / 8] &= (guint8) ~(1 << i % 8);
      }
}
