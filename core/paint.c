/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Painting, plane by plane in the plane's own samples.
 *
 * A sample is taken once, from the frame that its reference names: Catmull-Rom's cubics in planes of full size, bilinear in subsampled ones, as
 * core/frame.h has it for new frames. In the band around the hole what is seen is known, and so is what its references give: the difference,
 * which exposure and white balance make, is carried into the hole by a membrane (as Poisson editing does: Perez et al., 2003). What has no
 * reference is a membrane through what is around it.
 */
#include "paint.h"

#include <math.h>
#include <string.h>

#define MOST 0.1f /* the largest difference that is carried into the hole, of the sample's range */

enum
{
  OUTSIDE, /* not looked at */
  KNOWN,
  EDGE, /* known, and what its reference gives is known too */
  SAMPLED,
  OPEN,
};

void
vfi_painter_clear (VfiPainter *p)
{
  vfi_membrane_clear (&p->membrane);
  g_free (p->value);
  g_free (p->change);
  g_free (p->known);
  g_free (p->state);
  *p = (VfiPainter){ 0 };
}

gboolean
vfi_painter_reserve (VfiPainter *p, const VfiRegion *region)
{
  gsize most = 0;

  for (int i = 0; i < region->n_boxes; i++)
    most = MAX (most, (gsize) (region->box[i].x1 - region->box[i].x0) * (region->box[i].y1 - region->box[i].y0));
  if (p->size >= most)
    return TRUE;
  if (!vfi_membrane_reserve (&p->membrane, most, 4))
    return FALSE;
  g_free (p->value);
  g_free (p->change);
  g_free (p->known);
  g_free (p->state);
  p->value = g_try_new (float, 4 * most);
  p->change = g_try_new (float, 4 * most);
  p->known = g_try_new (float, most);
  p->state = g_try_new (guint8, most);
  p->size = p->value && p->change && p->known && p->state ? most : 0;
  return p->size == most;
}

gsize
vfi_painter_bytes (const VfiPainter *p)
{
  return p->membrane.size * sizeof (float) + p->size * (9 * sizeof (float) + 1);
}

/* ---- samples ------------------------------------------------------------------------------------ */

typedef struct
{
  const VfiPlaneLayout *l;
  int w, h, stride;
  guint8 *data;
} Plane;

static Plane
plane_of (const VfiFrameInfo *info, const VfiFrame *frame, int i)
{
  Plane p = { .l = &vfi_format_desc (info->format)->plane[i], .stride = frame->stride[i], .data = frame->data[i] };
  vfi_frame_info_plane_size (info, i, &p.w, &p.h);
  return p;
}

static inline int
get (const Plane *p, int y, int x, int c)
{
  const guint8 *row = p->data + (gsize) y * p->stride;
  const int i = x * p->l->comps + c;
  return p->l->bytes == 1 ? row[i] : ((const guint16 *) row)[i] >> p->l->shift;
}

static inline void
set (const Plane *p, int y, int x, int c, float v)
{
  guint8 *row = p->data + (gsize) y * p->stride;
  const int i = x * p->l->comps + c;
  const int n = (int) floorf (fminf (fmaxf (v, 0), (1 << p->l->depth) - 1) + 0.5f);
  if (p->l->bytes == 1)
    row[i] = (guint8) n;
  else
    ((guint16 *) row)[i] = (guint16) (n << p->l->shift);
}

/* Weights of the samples i - 1 to i + 2. */
static inline void
cubic (float f, float w[4])
{
  w[0] = ((-0.5f * f + 1) * f - 0.5f) * f;
  w[1] = (1.5f * f - 2.5f) * f * f + 1;
  w[2] = ((-1.5f * f + 2) * f + 0.5f) * f;
  w[3] = (0.5f * f - 0.5f) * f * f;
}

static void
sample (const Plane *p, float y, float x, float *out)
{
  const gboolean full = !p->l->sub_x && !p->l->sub_y;
  float wx[4], wy[4];
  int ix, iy;

  x = fminf (fmaxf (x, 0), p->w - 1);
  y = fminf (fmaxf (y, 0), p->h - 1);
  ix = (int) x;
  iy = (int) y;
  if (full) {
    cubic (x - ix, wx);
    cubic (y - iy, wy);
  } else {
    memcpy (wx, (float[]){ 0, 1 - (x - ix), x - ix, 0 }, sizeof wx);
    memcpy (wy, (float[]){ 0, 1 - (y - iy), y - iy, 0 }, sizeof wy);
  }
  for (int c = 0; c < p->l->comps; c++)
    out[c] = 0;
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++)
      if (wx[j] * wy[i] != 0)
        for (int c = 0; c < p->l->comps; c++)
          out[c] += wx[j] * wy[i] * get (p, CLAMP (iy + i - 1, 0, p->h - 1), CLAMP (ix + j - 1, 0, p->w - 1), c);
}

/* ---- one box of one plane ----------------------------------------------------------------------- */

typedef struct
{
  VfiPainter *p;
  const VfiFrameInfo *info;
  const VfiRegion *region;
  const VfiTrace *trace;
  VfiFrameOf frame_of;
  gpointer data;
  int i; /* plane */
  Plane plane;
  int x0, y0, w, h; /* the box, in the plane's samples */
} Job;

/* The mark of a sample: the largest of the pixels that it covers. */
static guint8
mark_at (const Job *j, int y, int x)
{
  const VfiRegion *r = j->region;
  const int sx = j->plane.l->sub_x, sy = j->plane.l->sub_y;
  guint8 m = 0;

  for (int v = y << sy; v < MIN ((y + 1) << sy, r->height); v++)
    for (int u = x << sx; u < MIN ((x + 1) << sx, r->width); u++)
      m = MAX (m, r->mark[(gsize) v * r->width + u]);
  return m;
}

/* What the references of the pixels that a sample covers give; FALSE if they have none. */
static gboolean
take (const Job *j, const VfiBox *b, int y, int x, float *out)
{
  const int sx = j->plane.l->sub_x, sy = j->plane.l->sub_y;
  const VfiRef *first = NULL;
  const VfiFrame *frame;
  float dx = 0, dy = 0;
  int n = 0;
  Plane source;

  for (int v = y << sy; v < MIN ((y + 1) << sy, j->region->height); v++)
    for (int u = x << sx; u < MIN ((x + 1) << sx, j->region->width); u++) {
      const VfiRef *ref = &j->trace->chosen[b->first + (gsize) (v - b->y0) * (b->x1 - b->x0) + (u - b->x0)];
      if (ref->kind == VFI_REF_NONE || (first && ref->frame != first->frame))
        continue;
      if (!first)
        first = ref;
      dx += ref->x - u;
      dy += ref->y - v;
      n++;
    }
  if (!first || !(frame = j->frame_of (j->data, first->frame)))
    return FALSE;
  source = plane_of (j->info, frame, j->i);
  sample (&source, y + dy / (n << sy), x + dx / (n << sx), out);
  return TRUE;
}

/* Sorts the box's samples, and takes what can be taken. */
static int
gather (const Job *j, const VfiBox *b)
{
  VfiPainter *p = j->p;
  const int comps = j->plane.l->comps;
  int open = 0;

  for (int y = 0; y < j->h; y++)
    for (int x = 0; x < j->w; x++) {
      const gsize i = (gsize) y * j->w + x;
      const guint8 mark = mark_at (j, j->y0 + y, j->x0 + x);
      float *v = p->value + i * comps;

      if (mark < VFI_MARK_FILL) {
        float taken[4];
        const gboolean edge = mark != VFI_MARK_CLEAR && j->trace && take (j, b, j->y0 + y, j->x0 + x, taken);

        p->state[i] = edge ? EDGE : KNOWN;
        for (int c = 0; c < comps; c++) {
          v[c] = (float) get (&j->plane, j->y0 + y, j->x0 + x, c);
          p->change[i * comps + c] = edge ? v[c] - taken[c] : 0;
        }
      } else {
        p->state[i] = j->trace && take (j, b, j->y0 + y, j->x0 + x, v) ? SAMPLED : OPEN;
        open += p->state[i] == OPEN;
      }
    }
  return open;
}

/* Carries the difference at the edge into what was sampled. */
static void
match (const Job *j)
{
  VfiPainter *p = j->p;
  const int comps = j->plane.l->comps, n = j->w * j->h;
  const float most = MOST * (1 << j->plane.l->depth);

  for (int i = 0; i < n; i++) {
    p->known[i] = p->state[i] == EDGE ? 1 : 0;
    for (int c = 0; c < comps && p->known[i] > 0; c++)
      if (fabsf (p->change[i * comps + c]) > most)
        p->known[i] = 0;
  }
  vfi_membrane_solve (&p->membrane, p->change, p->known, j->w, j->h, comps);
  for (int i = 0; i < n; i++)
    if (p->state[i] == SAMPLED)
      for (int c = 0; c < comps; c++)
        p->value[i * comps + c] += p->change[i * comps + c];
}

/* A membrane through everything else where there is nothing; grey if there is nothing at all. */
static void
make_up (const Job *j)
{
  VfiPainter *p = j->p;
  const int comps = j->plane.l->comps, n = j->w * j->h;
  gboolean any = FALSE;

  for (int i = 0; i < n; i++) {
    p->known[i] = p->state[i] == OPEN ? 0 : VFI_MEMBRANE_FIXED;
    any |= p->state[i] != OPEN;
  }
  if (any)
    vfi_membrane_solve (&p->membrane, p->value, p->known, j->w, j->h, comps);
  else
    for (int i = 0; i < n * comps; i++)
      p->value[i] = (float) (1 << (j->plane.l->depth - 1));
}

static void
paint_box (Job *j, const VfiBox *b, const VfiFrame *shown)
{
  const VfiFormatDesc *f = vfi_format_desc (j->info->format);
  const VfiPlaneLayout *l = j->plane.l;
  const int comps = l->comps;
  gboolean part[4] = { FALSE };
  Plane out = { 0 };

  for (int i = 0; i < f->n_parts; i++)
    if (f->part[i].plane == j->i)
      part[f->part[i].comp] = TRUE;
  j->x0 = b->x0 >> l->sub_x;
  j->y0 = b->y0 >> l->sub_y;
  j->w = MIN ((b->x1 + (1 << l->sub_x) - 1) >> l->sub_x, j->plane.w) - j->x0;
  j->h = MIN ((b->y1 + (1 << l->sub_y) - 1) >> l->sub_y, j->plane.h) - j->y0;
  if (shown)
    out = plane_of (j->info, shown, j->i);
  if (gather (j, b) < j->w * j->h && j->trace)
    match (j);
  make_up (j);
  for (int y = 0; y < j->h; y++)
    for (int x = 0; x < j->w; x++) {
      const gsize i = (gsize) y * j->w + x;
      const float *v = j->p->value + i * comps;
      float alpha;

      if (j->p->state[i] < SAMPLED)
        continue;
      alpha = vfi_mark_alpha (mark_at (j, j->y0 + y, j->x0 + x));
      for (int c = 0; c < comps; c++) {
        if (!part[c])
          continue;
        set (&j->plane, j->y0 + y, j->x0 + x, c, v[c]);
        if (shown) { /* what was rounded is blended, so that it blends alike when it comes back */
          const int own = get (&out, j->y0 + y, j->x0 + x, c), fill = get (&j->plane, j->y0 + y, j->x0 + x, c);
          set (&out, j->y0 + y, j->x0 + x, c, own + alpha * (fill - own));
        }
      }
    }
}

void
vfi_paint (VfiPainter *p, const VfiFrameInfo *info, const VfiRegion *region, const VfiTrace *trace, VfiFrameOf frame_of, gpointer data,
           const VfiFrame *frame, const VfiFrame *shown)
{
  Job j = { .p = p, .info = info, .region = region, .trace = trace, .frame_of = frame_of, .data = data };

  for (j.i = 0; j.i < vfi_format_desc (info->format)->n_planes; j.i++) {
    j.plane = plane_of (info, frame, j.i);
    for (int k = 0; k < region->n_boxes; k++)
      paint_box (&j, &region->box[k], shown);
  }
}
