/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each step of a trace is a little off, and the errors add up. But pixels of the band around a hole are traced just as those in it are, and of
 * them it is known what they must give. Lucas-Kanade steps on the differences, pooled around the nodes of a coarse grid and taken from
 * their mean there, so that exposure does not count, tell how far the references are off; a membrane carries that into the hole, in
 * which nodes count by how well their pixels' texture fixes them. References are corrected for good: those that are derived from them
 * in the frames to come begin without the error, so it does not add up.
 *
 * What is left of the differences, but for light, is how much a reference is to be doubted. It is measured against the contrast of what is seen there:
 * in a busy picture something made up would be farther off, and a shadow that moves with what was taken out makes less of a difference.
 */
#include "drift.h"

#include "field.h"
#include "sample.h"

#define CELL 4
#define REACH 6 /* of a node, pixels each way */
#define ROUNDS 3
#define NOISE 4.f     /* squared difference that counts as none, of 8 bits */
#define STAY 0.02f    /* weight of not moving */
#define OTHER 48.f    /* difference from which on it is something else, of 8 bits, */
#define UNLIKE 24.f   /* and from which on what was made up is: there may be nothing like it */
#define LIGHT 12.f    /* difference that may be one of light, of 8 bits */
#define FLAT 400.f    /* variance that there is at least, of 8 bits */
#define FARTHEST 1.5f /* pixels a round may move anything */

typedef struct
{
  float n, r, rr, gx, gy, xx, xy, yy, xr, yr;
  float all, sum, off; /* with what is something else: pixels, their differences, and the squares of these */
} Node;

static gsize
nodes_of (const VfiBox *b)
{
  return (gsize) ((b->x1 - b->x0) / CELL + 1) * ((b->y1 - b->y0) / CELL + 1);
}

void
vfi_drift_clear (VfiDrift *d)
{
  vfi_membrane_clear (&d->membrane);
  g_free (d->memory);
  *d = (VfiDrift){ 0 };
}

gboolean
vfi_drift_reserve (VfiDrift *d, const VfiRegion *region)
{
  gsize most = 0;
  void *memory;

  for (int i = 0; i < region->n_boxes; i++)
    most = MAX (most, nodes_of (&region->box[i]));
  if (d->size >= most)
    return TRUE;
  if (!vfi_membrane_reserve (&d->membrane, most, 2) || !(memory = g_try_realloc_n (d->memory, most, sizeof (Node) + 3 * sizeof (float))))
    return FALSE;
  d->memory = memory;
  d->size = most;
  return TRUE;
}

gsize
vfi_drift_bytes (const VfiDrift *d)
{
  return d->size * (sizeof (Node) + 3 * sizeof (float)) + d->membrane.size * sizeof (float);
}

typedef struct
{
  const VfiFrameInfo *info;
  const VfiRegion *region;
  VfiRef *refs;
  const VfiSources *sources;
  VfiPlane plane;
  int comp;
  float scale; /* of samples, to 8 bits */
} Job;

/* The slope of what is seen at a pixel; FALSE where that is not known. */
static gboolean
slope (const Job *j, int x, int y, float *gx, float *gy)
{
  const VfiRegion *r = j->region;
  const guint8 *mark = r->mark + (gsize) y * r->width + x;

  if (x == 0 || y == 0 || x == r->width - 1 || y == r->height - 1 || mark[1] >= VFI_MARK_FILL || mark[-1] >= VFI_MARK_FILL ||
      mark[r->width] >= VFI_MARK_FILL || mark[-r->width] >= VFI_MARK_FILL)
    return FALSE;
  *gx = (vfi_plane_get (&j->plane, y, x + 1, j->comp) - vfi_plane_get (&j->plane, y, x - 1, j->comp)) * j->scale / 2;
  *gy = (vfi_plane_get (&j->plane, y + 1, x, j->comp) - vfi_plane_get (&j->plane, y - 1, x, j->comp)) * j->scale / 2;
  return TRUE;
}

/* Pools the band's differences in the nodes. */
static int
pool (const Job *j, const VfiBox *b, Node *node, int w, int h)
{
  int found = 0;
  gsize i = b->first;

  memset (node, 0, (gsize) w * h * sizeof *node);
  for (int y = b->y0; y < b->y1; y++)
    for (int x = b->x0; x < b->x1; x++, i++) {
      const guint8 mark = j->region->mark[(gsize) y * j->region->width + x];
      const VfiRef *ref = &j->refs[i];
      const VfiFrame *frame;
      VfiPlane source;
      gboolean other;
      float gx, gy, r;

      if (mark == VFI_MARK_CLEAR || mark >= VFI_MARK_FILL || ref->kind == VFI_REF_NONE || !slope (j, x, y, &gx, &gy) ||
          !(frame = j->sources->frame (j->sources->data, ref->frame)))
        continue;
      source = vfi_plane_of (j->info, frame, 0);
      vfi_plane_sample (&source, ref->y, ref->x, j->comp, j->comp, &r);
      r = (r - vfi_plane_get (&j->plane, y, x, j->comp)) * j->scale;
      r = CLAMP (r, -OTHER, OTHER);
      other = fabsf (r) >= (vfi_ref_real (ref->kind) ? OTHER : UNLIKE);
      found += !other;
      for (int v = MAX ((y - b->y0 - REACH) / CELL, 0); v <= MIN ((y - b->y0 + REACH) / CELL, h - 1); v++)
        for (int u = MAX ((x - b->x0 - REACH) / CELL, 0); u <= MIN ((x - b->x0 + REACH) / CELL, w - 1); u++) {
          Node *n = &node[v * w + u];
          n->all++;
          n->sum += r;
          n->off += r * r;
          if (other)
            continue;
          n->n++;
          n->r += r;
          n->rr += r * r;
          n->gx += gx;
          n->gy += gy;
          n->xx += gx * gx;
          n->xy += gx * gy;
          n->yy += gy * gy;
          n->xr += gx * r;
          n->yr += gy * r;
        }
    }
  return found;
}

/* Where a node wants to go, and how much that counts. */
static void
solve (const Node *n, float move[2], float *weight)
{
  move[0] = move[1] = 0;
  *weight = STAY;
  if (n->n >= 12) {
    const float rr = MAX (n->rr - n->r * n->r / n->n, 0), xx = n->xx - n->gx * n->gx / n->n, xy = n->xy - n->gx * n->gy / n->n,
                yy = n->yy - n->gy * n->gy / n->n, xr = n->xr - n->gx * n->r / n->n, yr = n->yr - n->gy * n->r / n->n;
    const float ax = xx + n->n, ay = yy + n->n, det = ax * ay - xy * xy;
    const float least = MAX (xx + yy - sqrtf ((xx - yy) * (xx - yy) + 4 * xy * xy), 0) / 2 / n->n;

    move[0] = CLAMP (-(ay * xr - xy * yr) / det, -FARTHEST, FARTHEST);
    move[1] = CLAMP (-(ax * yr - xy * xr) / det, -FARTHEST, FARTHEST);
    *weight += least / (NOISE + rr / n->n);
  }
}

static void
move_refs (const Job *j, const VfiBox *b, const float *move, int w, int h)
{
  gsize i = b->first;

  for (int y = b->y0; y < b->y1; y++) {
    const float v = CLAMP ((y - b->y0 + 0.5f) / CELL - 0.5f, 0, h - 1);

    for (int x = b->x0; x < b->x1; x++, i++) {
      const float u = CLAMP ((x - b->x0 + 0.5f) / CELL - 0.5f, 0, w - 1);
      VfiRef *ref = &j->refs[i];
      const VfiRegion *open;
      float d[2];

      if (ref->kind == VFI_REF_NONE)
        continue;
      vfi_field_at (move, w, h, u, v, d);
      d[0] = CLAMP (ref->x + d[0], 0, j->region->width - 1);
      d[1] = CLAMP (ref->y + d[1], 0, j->region->height - 1);
      if ((open = j->sources->region (j->sources->data, ref->frame)) && vfi_region_covered (open, d[0], d[1]) >= VFI_MARK_BRINK)
        continue;
      ref->x = d[0];
      ref->y = d[1];
    }
  }
}

/* The variance of what is seen in the band. */
static float
contrast (const Job *j, const VfiBox *b)
{
  double n = 0, sum = 0, squares = 0;

  for (int y = b->y0; y < b->y1; y++)
    for (int x = b->x0; x < b->x1; x++) {
      const guint8 mark = j->region->mark[(gsize) y * j->region->width + x];
      double v;

      if (mark == VFI_MARK_CLEAR || mark >= VFI_MARK_FILL)
        continue;
      v = vfi_plane_get (&j->plane, y, x, j->comp) * j->scale;
      n++;
      sum += v;
      squares += v * v;
    }
  return n > 0 ? (float) MAX (squares / n - sum / n * (sum / n), FLAT) : FLAT;
}

/* What is left of the differences around a node, squared, when one of light is taken out. */
static float
rest (const Node *n)
{
  const float mean = n->sum / n->all, light = CLAMP (mean, -LIGHT, LIGHT);

  return n->off / n->all - light * (2 * mean - light);
}

/* Carries what is left of the differences, measured against `whole`, into the hole. `doubt` and `weight` are memory for it. */
static void
doubt_refs (const Job *j, VfiMembrane *membrane, const VfiBox *b, float whole, const Node *node, float *doubt, float *weight, int w, int h)
{
  gsize i = b->first;

  for (int k = 0; k < w * h; k++) {
    doubt[2 * k] = node[k].all > 0 ? rest (&node[k]) / whole : 0;
    doubt[2 * k + 1] = 0;
    weight[k] = node[k].all;
  }
  vfi_membrane_solve (membrane, doubt, weight, w, h, 2);
  for (int y = b->y0; y < b->y1; y++) {
    const float v = CLAMP ((y - b->y0 + 0.5f) / CELL - 0.5f, 0, h - 1);

    for (int x = b->x0; x < b->x1; x++, i++) {
      const float u = CLAMP ((x - b->x0 + 0.5f) / CELL - 0.5f, 0, w - 1);
      float d[2];

      vfi_field_at (doubt, w, h, u, v, d);
      j->refs[i].doubt = MAX (d[0], 0);
    }
  }
}

void
vfi_drift_correct (VfiDrift *d, const VfiFrameInfo *info, const VfiRegion *region, VfiTrace *trace, const VfiSources *sources,
                   const VfiFrame *frame)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  Job j = { .info = info, .region = region, .sources = sources };
  Node *node = d->memory;
  float *move = (float *) (node + d->size), *weight = move + 2 * d->size;
  /* NULL: there are none. */
  VfiRef *const refs[] = { trace->linked ? trace->past : NULL, trace->reach != trace->number ? trace->ahead : NULL };

  j.plane = vfi_plane_of (info, frame, 0);
  j.comp = f->rgb ? f->part[1].comp : 0;
  j.scale = 1.f / (1 << (j.plane.l->depth - 8));
  for (int k = 0; k < region->n_boxes; k++) {
    const VfiBox *b = &region->box[k];
    const int w = (b->x1 - b->x0) / CELL + 1, h = (b->y1 - b->y0) / CELL + 1;
    const float whole = contrast (&j, b);

    for (int way = 0; way < 2; way++) {
      if (!(j.refs = refs[way]))
        continue;
      for (int round = 0; round < ROUNDS && pool (&j, b, node, w, h); round++) {
        for (int i = 0; i < w * h; i++)
          solve (&node[i], move + 2 * i, weight + i);
        vfi_membrane_solve (&d->membrane, move, weight, w, h, 2);
        move_refs (&j, b, move, w, h);
      }
      doubt_refs (&j, &d->membrane, b, whole, node, move, weight, w, h);
    }
  }
}
