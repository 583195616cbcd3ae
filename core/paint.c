/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Painting, plane by plane in the plane's own samples.
 *
 * A sample is taken once, from the frame that its reference names: Catmull-Rom's cubics in planes of full size, bilinear in subsampled ones, as
 * core/frame.h has it for new frames. In the band around the hole what is seen is known, and so is what its references give: the difference,
 * which exposure and white balance make, is carried into the hole by a membrane (as Poisson editing does: Perez et al., 2003). Where neighbours are
 * taken from different frames that do not agree, because the way there was wrong or because what they show has changed, the step between them is
 * taken out by another membrane, of gradients, which lets it fade on both sides. What has no reference is a membrane through what is around it.
 * What is made up because its source is doubted is a mean of both, by that doubt; and it goes on from what the frame before was filled with.
 */
#include "paint.h"

#include <math.h>

#include "sample.h"

#define ALIKE 0.08f  /* of the sample's range: what differs by more is not the same thing */
#define MOST 0.1f    /* the largest difference that is carried all over the hole, of the sample's range */
#define FADE 0.01f   /* weight of no change where steps are taken out: they fade within ten pixels */
#define STRANGE 0.1f /* weight of a larger one there: what the mask has left of an object is to leave no ghost */
#define HALF 0.2f    /* doubt at which what was seen counts half, beside what is made up because of that doubt */
#define STEADY 0.67f /* part of what was made up before, where it is made up anew: against flicker */
#define TEAR 1.0f    /* pixels by which the places that neighbours are taken from may be apart more than they themselves */

enum
{
  OUTSIDE, /* not looked at */
  KNOWN,
  EDGE,    /* known, and what its reference gives is known too */
  SAMPLED, /* filled with what was seen, */
  COPIED,  /* with what was made up before, */
  OPEN,    /* with nothing yet */
};

#define PIXEL (17 * sizeof (float) + 1) /* bytes of a pixel: value, change, rest and step of four components, known, state */

void
vfi_painter_clear (VfiPainter *p)
{
  vfi_membrane_clear (&p->membrane);
  g_free (p->value);
  *p = (VfiPainter){ 0 };
}

gboolean
vfi_painter_reserve (VfiPainter *p, const VfiRegion *region)
{
  gsize most = 0;
  float *memory;

  for (int i = 0; i < region->n_boxes; i++)
    most = MAX (most, (gsize) (region->box[i].x1 - region->box[i].x0) * (region->box[i].y1 - region->box[i].y0));
  if (p->size >= most)
    return TRUE;
  /* What there is stays where there is no more: frames that wait are painted with it. */
  if (!vfi_membrane_reserve (&p->membrane, most, 4) || !(memory = g_try_realloc_n (p->value, most, PIXEL)))
    return FALSE;
  p->value = memory;
  p->change = memory + 4 * most;
  p->rest = memory + 8 * most;
  p->step = memory + 12 * most;
  p->known = memory + 16 * most;
  p->state = (guint8 *) (memory + 17 * most);
  p->size = most;
  return TRUE;
}

gsize
vfi_painter_bytes (const VfiPainter *p)
{
  return p->membrane.size * sizeof (float) + p->size * PIXEL;
}

/* ---- one box of one plane ----------------------------------------------------------------------- */

typedef struct
{
  VfiPainter *p;
  const VfiFrameInfo *info;
  const VfiRegion *region;
  const VfiTrace *trace;
  const VfiSources *sources;
  int i; /* plane */
  VfiPlane plane;
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

/* What a reference, or several for one sample, say together. */
typedef struct
{
  float dx, dy, cost;
  const VfiRef *first;
  int n;
} Mean;

static void
add_ref (Mean *m, const VfiRef *ref, int u, int v)
{
  if (ref->kind == VFI_REF_NONE || (m->first && (ref->frame != m->first->frame || ref->kind != m->first->kind)))
    return;
  if (!m->first)
    m->first = ref;
  m->dx += ref->x - u;
  m->dy += ref->y - v;
  m->cost += ref->cost;
  m->n++;
}

/* Samples what the mean refers to, for the sample at (y, x); FALSE if that is nothing. */
static gboolean
follow (const Job *j, const Mean *m, int y, int x, float *out)
{
  const VfiFrame *frame = m->n ? j->sources->frame (j->sources->data, m->first->frame) : NULL;
  VfiPlane source;

  if (!frame)
    return FALSE;
  source = vfi_plane_of (j->info, frame, j->i);
  vfi_plane_sample (&source, y + m->dy / (m->n << source.l->sub_y), x + m->dx / (m->n << source.l->sub_x), 0, source.l->comps - 1, out);
  return TRUE;
}

/* How much a source counts: near ones more, and those that were reached over flows that agree. */
static float
worth (const Job *j, const Mean *m)
{
  return 1 / ((abs ((gint32) (m->first->frame - j->trace->number)) + 1) * (1 + m->cost / m->n));
}

/* How much of the other source, which was seen, is mixed in, given what the two say. */
static float
share (const Job *j, const Mean *chosen, const Mean *other, const float *first, const float *second)
{
  const float alike = ALIKE * (1 << j->plane.l->depth);
  float apart = 0;

  if (!vfi_ref_real (chosen->first->kind))
    return 1 / (1 + other->first->doubt * other->first->doubt / (HALF * HALF));
  for (int c = 0; c < j->plane.l->comps; c++)
    apart = fmaxf (apart, fabsf (first[c] - second[c]));
  return worth (j, other) / (worth (j, chosen) + worth (j, other)) * expf (-apart * apart / (alike * alike));
}

/* The place in the frame before of a pixel that is made up anew and had been filled in there too. */
static gboolean
filled_before (const VfiTrace *t, gsize i, VfiRef *place)
{
  const VfiRef *ref = &t->chosen[i], *past = &t->past[i];

  if (ref->kind != VFI_REF_MADE || (gint32) (ref->frame - t->number) < 0 || past->kind == VFI_REF_NONE ||
      (past->kind == VFI_REF_SEEN && past->frame == t->number - 1))
    return FALSE;
  *place = (VfiRef){ t->back[i].x, t->back[i].y, 0, VFI_NO_SLOPE, t->number - 1, VFI_REF_MADE };
  return TRUE;
}

static void
mix (float *value, const float *with, float share, int comps)
{
  for (int c = 0; c < comps; c++)
    value[c] += share * (with[c] - value[c]);
}

/* What the references of the pixels that the sample at (ry, rx) covers give for the one at (y, x). What was seen both before and after is the
 * mean of both where they look alike: errors of the two are hardly the same. What is made up anew is mixed with what was seen but is not trusted, and
 * with what the frame before was filled with. */
static VfiRefKind
take (const Job *j, const VfiBox *b, int ry, int rx, int y, int x, float *out)
{
  const int sx = j->plane.l->sub_x, sy = j->plane.l->sub_y;
  Mean chosen = { 0 }, other = { 0 }, before = { 0 };
  VfiRef place;
  float second[4];

  for (int v = ry << sy; v < MIN ((ry + 1) << sy, j->region->height); v++)
    for (int u = rx << sx; u < MIN ((rx + 1) << sx, j->region->width); u++) {
      const gsize i = b->first + (gsize) (v - b->y0) * (b->x1 - b->x0) + (u - b->x0);
      const VfiRef *ref = &j->trace->chosen[i], *past = &j->trace->past[i], *ahead = &j->trace->ahead[i];

      add_ref (&chosen, ref, u, v);
      if (!chosen.n || vfi_ref_real (ref->kind) != vfi_ref_real (chosen.first->kind))
        continue;
      if (vfi_ref_trusted (past) && vfi_ref_trusted (ahead))
        add_ref (&other, ref->frame == past->frame ? ahead : past, u, v);
      else if (ref->kind == VFI_REF_MADE && (vfi_ref_real (past->kind) || vfi_ref_real (ahead->kind)))
        add_ref (&other, !vfi_ref_real (past->kind) || (vfi_ref_real (ahead->kind) && ahead->doubt < past->doubt) ? ahead : past, u, v);
      if (filled_before (j->trace, i, &place))
        add_ref (&before, &place, u, v);
    }
  if (!follow (j, &chosen, y, x, out))
    return VFI_REF_NONE;
  if (other.n && follow (j, &other, y, x, second))
    mix (out, second, share (j, &chosen, &other, out, second), j->plane.l->comps);
  if (before.n && follow (j, &before, y, x, second))
    mix (out, second, STEADY, j->plane.l->comps);
  return chosen.first->kind;
}

/* Sorts the box's samples, and takes what can be taken. */
static void
gather (const Job *j, const VfiBox *b, gboolean has[OPEN + 1])
{
  VfiPainter *p = j->p;
  const int comps = j->plane.l->comps;

  for (int y = 0; y < j->h; y++)
    for (int x = 0; x < j->w; x++) {
      const gsize i = (gsize) y * j->w + x;
      const guint8 mark = mark_at (j, j->y0 + y, j->x0 + x);
      float *v = p->value + i * comps;

      if (mark < VFI_MARK_FILL) {
        const int py = j->y0 + y, px = j->x0 + x;
        float taken[4];
        const gboolean edge = mark != VFI_MARK_CLEAR && j->trace && take (j, b, py, px, py, px, taken) != VFI_REF_NONE;

        p->state[i] = edge ? EDGE : KNOWN;
        for (int c = 0; c < comps; c++) {
          v[c] = (float) vfi_plane_get (&j->plane, j->y0 + y, j->x0 + x, c);
          p->change[i * comps + c] = edge ? v[c] - taken[c] : 0;
        }
      } else {
        const int py = j->y0 + y, px = j->x0 + x;
        const VfiRefKind kind = j->trace ? take (j, b, py, px, py, px, v) : VFI_REF_NONE;

        memset (p->change + i * comps, 0, comps * sizeof *p->change);
        p->state[i] = vfi_ref_real (kind) ? SAMPLED : kind == VFI_REF_MADE ? COPIED : OPEN;
        has[p->state[i]] = TRUE;
      }
    }
}

/* TRUE if what one reference is to goes on where the other one is to, which is that of the pixel dx, dy beside it. */
static gboolean
goes_on (const VfiRef *a, const VfiRef *b, int dx, int dy)
{
  if (a->kind == VFI_REF_NONE || b->kind == VFI_REF_NONE)
    return a->kind == b->kind;
  return vfi_ref_real (a->kind) == vfi_ref_real (b->kind) && a->frame == b->frame &&
         fabsf (b->x - a->x - dx) + fabsf (b->y - a->y - dy) < TEAR * (dx + dy);
}

/* The same of all that two samples are made of, as far as their first pixels tell. */
static gboolean
alike (const Job *j, const VfiBox *b, int y, int x, int down, int right)
{
  const int sx = j->plane.l->sub_x, sy = j->plane.l->sub_y, dx = right << sx, dy = down << sy;
  const gsize i = b->first + (gsize) ((y << sy) - b->y0) * (b->x1 - b->x0) + ((x << sx) - b->x0), n = i + (gsize) dy * (b->x1 - b->x0) + dx;
  const VfiTrace *t = j->trace;

  return goes_on (&t->chosen[i], &t->chosen[n], dx, dy) && goes_on (&t->past[i], &t->past[n], dx, dy) &&
         goes_on (&t->ahead[i], &t->ahead[n], dx, dy);
}

/* Where neighbours of the states `from` to `to` are taken from different places, finds the step that this makes between them: the mean, over both, of
 * what they would be if taken from the one place and from the other. */
static void
seams (const Job *j, const VfiBox *b, guint8 from, guint8 to)
{
  VfiPainter *p = j->p;
  const int comps = j->plane.l->comps;

  memset (p->step, 0, (gsize) j->w * j->h * comps * sizeof *p->step);
  for (int y = 0; y < j->h; y++)
    for (int x = 0; x < j->w; x++)
      for (int down = 0; down < 2; down++) {
        const int right = 1 - down, ay = j->y0 + y, ax = j->x0 + x, by = ay + down, bx = ax + right;
        const gsize i = (gsize) y * j->w + x, n = i + (gsize) down * j->w + right;
        float there[4], here[4];

        if (y + down >= j->h || x + right >= j->w || MIN (p->state[i], p->state[n]) < from || MAX (p->state[i], p->state[n]) > to ||
            alike (j, b, ay, ax, down, right))
          continue;
        take (j, b, ay, ax, by, bx, there);
        take (j, b, by, bx, ay, ax, here);
        for (int c = 0; c < comps; c++) { /* change is what makes of what was taken what is seen */
          const gsize ic = i * comps + c, nc = n * comps + c;
          const float step = (p->value[ic] - p->change[ic] - here[c] + there[c] - p->value[nc] + p->change[nc]) / 2;
          p->step[nc] += step;
          p->step[ic] -= step;
        }
      }
}

/* Carries the difference at the edge into what was sampled: as far as it is small enough for one of light, all over the hole; what is left at the edge, and
 * the steps at seams, which show that a source is not quite what is there, so far that nothing of it is to be seen. */
static void
match (const Job *j, const VfiBox *b)
{
  VfiPainter *p = j->p;
  const int comps = j->plane.l->comps, n = j->w * j->h;
  const float most = MOST * (1 << j->plane.l->depth);

  seams (j, b, EDGE, SAMPLED);
  memcpy (p->rest, p->change, (gsize) n * comps * sizeof *p->rest);
  for (int i = 0; i < n; i++) {
    p->known[i] = p->state[i] == EDGE ? 1 : 0;
    for (int c = 0; c < comps && p->known[i] > 0; c++)
      if (fabsf (p->change[i * comps + c]) > most)
        p->known[i] = 0;
  }
  vfi_membrane_solve_roughly (&p->membrane, p->change, p->known, j->w, j->h, comps);
  for (int i = 0; i < n; i++) {
    p->known[i] = p->state[i] == EDGE ? (p->known[i] > 0 ? 1 : STRANGE) : p->state[i] == SAMPLED ? FADE : 0;
    for (int c = 0; c < comps && p->state[i] == EDGE; c++)
      p->rest[i * comps + c] -= p->change[i * comps + c];
  }
  vfi_membrane_solve_steps (&p->membrane, p->rest, p->known, p->step, j->w, j->h, comps);
  for (int i = 0; i < n; i++)
    if (p->state[i] == SAMPLED)
      for (int c = 0; c < comps; c++)
        p->value[i * comps + c] += p->change[i * comps + c] + p->rest[i * comps + c];
}

/* What was made up is to fit what has come to lie around it: at its border, the difference to what it would go on with there is
 * carried into it. Of a smooth fill that makes a new one; nothing changes where nothing has. Of what was made up in different frames each lacks a
 * difference of its own, and what is made up anew none: the steps where they meet are taken out. If all got what one of them lacks, so would the frames
 * to come, which go on from this one, once more each. */
static void
fit (const Job *j, const VfiBox *b)
{
  static const int step[4][2] = { { 0, 1 }, { 0, -1 }, { 1, 0 }, { -1, 0 } };
  VfiPainter *p = j->p;
  const int comps = j->plane.l->comps, n = j->w * j->h;

  memset (p->change, 0, (gsize) n * comps * sizeof *p->change);
  seams (j, b, COPIED, COPIED);
  for (int y = 0; y < j->h; y++)
    for (int x = 0; x < j->w; x++) {
      const gsize i = (gsize) y * j->w + x;
      float *change = p->change + i * comps;

      p->known[i] = 0;
      if (p->state[i] > SAMPLED)
        continue;
      for (int k = 0; k < 4; k++) {
        const int v = y + step[k][0], u = x + step[k][1];
        float on[4];

        if (v < 0 || u < 0 || v >= j->h || u >= j->w || p->state[(gsize) v * j->w + u] != COPIED ||
            take (j, b, j->y0 + v, j->x0 + u, j->y0 + y, j->x0 + x, on) == VFI_REF_NONE)
          continue;
        for (int c = 0; c < comps; c++)
          change[c] = (change[c] * p->known[i] + p->value[i * comps + c] - on[c]) / (p->known[i] + 1);
        p->known[i]++;
      }
    }
  for (int i = 0; i < n; i++)
    p->known[i] = p->known[i] > 0 ? VFI_MEMBRANE_FIXED : 0;
  vfi_membrane_solve_steps (&p->membrane, p->change, p->known, p->step, j->w, j->h, comps);
  for (int i = 0; i < n; i++)
    if (p->state[i] == COPIED)
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
  gboolean part[4] = { FALSE }, has[OPEN + 1] = { FALSE };
  VfiPlane out = { 0 };

  for (int i = 0; i < f->n_parts; i++)
    if (f->part[i].plane == j->i)
      part[f->part[i].comp] = TRUE;
  j->x0 = b->x0 >> l->sub_x;
  j->y0 = b->y0 >> l->sub_y;
  j->w = MIN ((b->x1 + (1 << l->sub_x) - 1) >> l->sub_x, j->plane.w) - j->x0;
  j->h = MIN ((b->y1 + (1 << l->sub_y) - 1) >> l->sub_y, j->plane.h) - j->y0;
  if (shown)
    out = vfi_plane_of (j->info, shown, j->i);
  gather (j, b, has);
  if (has[SAMPLED])
    match (j, b);
  if (has[COPIED])
    fit (j, b);
  if (has[OPEN])
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
        vfi_plane_set (&j->plane, j->y0 + y, j->x0 + x, c, v[c]);
        if (shown) { /* what was rounded is blended, so that it blends alike when it comes back */
          const int own = vfi_plane_get (&out, j->y0 + y, j->x0 + x, c), fill = vfi_plane_get (&j->plane, j->y0 + y, j->x0 + x, c);
          vfi_plane_set (&out, j->y0 + y, j->x0 + x, c, own + alpha * (fill - own));
        }
      }
    }
}

void
vfi_paint (VfiPainter *p, const VfiFrameInfo *info, const VfiRegion *region, const VfiTrace *trace, const VfiSources *sources,
           const VfiFrame *frame, const VfiFrame *shown)
{
  Job j = { .p = p, .info = info, .region = region, .trace = trace, .sources = sources };

  for (j.i = 0; j.i < vfi_format_desc (info->format)->n_planes; j.i++) {
    j.plane = vfi_plane_of (info, frame, j.i);
    for (int k = 0; k < region->n_boxes; k++)
      paint_box (&j, &region->box[k], shown);
  }
}
