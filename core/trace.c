/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tracing. Into the past, a pixel p of frame t lies at q = p + F(t -> t-1)(p) of the frame before. Where that frame shows q, the reference is
 * (t-1, q). Where q is hidden there too, its four neighbours have references of their own: those to the same frame as the
 * nearest's are interpolated as offsets from their pixels. Into the future, positions are followed until a frame shows them.
 *
 * Pixels of the band around a hole are traced as if they were hidden, and are nobody's source: comparing what they refer to with what is seen there
 * tells how good the references of the hole beside them are (core/paint.c).
 */
#include "trace.h"

#include <math.h>
#include <string.h>

#define APART 9.0f        /* squared distance that the two flows may be apart, */
#define APART_PART 0.05f  /* and this part of their squared lengths */
#define SHOWN 3.0f        /* pixels that they may be apart where the pixel is seen: else something passes there in front of it */
#define OUTSIDE 0.5f      /* how far outside of the frame a pixel may be, in pixels */
#define SAME_SURFACE 1.5f /* offsets that differ more belong to different things */

void
vfi_trace_clear (VfiTrace *t)
{
  g_free (t->back);
  g_free (t->past);
  g_free (t->ahead);
  g_free (t->chosen);
  *t = (VfiTrace){ 0 };
}

gboolean
vfi_trace_reserve (VfiTrace *t, gsize pixels)
{
  if (t->size >= pixels)
    return TRUE;
  vfi_trace_clear (t);
  t->back = g_try_new (VfiStep, pixels);
  t->past = g_try_new (VfiRef, pixels);
  t->ahead = g_try_new (VfiRef, pixels);
  t->chosen = g_try_new (VfiRef, pixels);
  if (!t->back || !t->past || !t->ahead || !t->chosen) {
    vfi_trace_clear (t);
    return FALSE;
  }
  t->size = pixels;
  return TRUE;
}

void
vfi_trace_begin (VfiTrace *t, const VfiRegion *region, guint32 number)
{
  t->number = t->reach = number;
  t->linked = FALSE;
  memset (t->past, 0, region->area * sizeof *t->past);
  memset (t->chosen, 0, region->area * sizeof *t->chosen);
  for (int k = 0; k < region->n_boxes; k++) {
    const VfiBox *b = &region->box[k];
    gsize i = b->first;
    for (int y = b->y0; y < b->y1; y++)
      for (int x = b->x0; x < b->x1; x++, i++)
        t->ahead[i] = (VfiRef){ .x = x, .y = y, .frame = number };
  }
}

/* ---- steps -------------------------------------------------------------------------------------- */

/* A field of a frame's size at a position inside of it. */
static inline void
sample (const float *field, int w, int h, float x, float y, float out[2])
{
  const int ix = (int) x, iy = (int) y;
  const float wx = x - ix, wy = y - iy;
  const float *top = field + 2 * ((gsize) iy * w + ix), *bottom = iy + 1 < h ? top + 2 * (gsize) w : top;
  const int right = ix + 1 < w ? 2 : 0;

  for (int c = 0; c < 2; c++)
    out[c] = (1 - wy) * (top[c] + wx * (top[right + c] - top[c])) + wy * (bottom[c] + wx * (bottom[right + c] - bottom[c]));
}

/* From a position along a flow, and back along the other one. */
static inline VfiStep
step (float x, float y, const float flow[2], const float *other, int w, int h)
{
  VfiStep s = { x + flow[0], y + flow[1], -1 };
  float back[2], dx, dy, d;

  if (!(s.x >= -OUTSIDE && s.x <= w - 1 + OUTSIDE && s.y >= -OUTSIDE && s.y <= h - 1 + OUTSIDE))
    return s;
  s.x = CLAMP (s.x, 0, w - 1);
  s.y = CLAMP (s.y, 0, h - 1);
  sample (other, w, h, s.x, s.y, back);
  dx = flow[0] + back[0];
  dy = flow[1] + back[1];
  d = dx * dx + dy * dy;
  if (d < APART + APART_PART * (flow[0] * flow[0] + flow[1] * flow[1] + back[0] * back[0] + back[1] * back[1]))
    s.apart = sqrtf (d);
  return s;
}

void
vfi_trace_link (VfiTrace *t, const VfiRegion *region, const float *back, const float *there)
{
  for (int k = 0; k < region->n_boxes; k++) {
    const VfiBox *b = &region->box[k];
    gsize i = b->first;
    for (int y = b->y0; y < b->y1; y++)
      for (int x = b->x0; x < b->x1; x++, i++) {
        const gsize p = (gsize) y * region->width + x;
        if (region->mark[p])
          t->back[i] = step (x, y, back + 2 * p, there, region->width, region->height);
      }
  }
  t->linked = TRUE;
}

/* ---- past --------------------------------------------------------------------------------------- */

/* What a pixel of a frame's region refers to, for those that come after it. Of what came to be seen later, or too long ago, the frame itself has a
 * copy. */
static inline VfiRef
reference_of (const VfiTrace *t, const VfiRegion *r, int x, int y, guint32 oldest)
{
  const gssize i = vfi_region_index (r, x, y);
  VfiRef ref;

  if (i < 0 || r->mark[(gsize) y * r->width + x] == VFI_MARK_CLEAR)
    return (VfiRef){ x, y, 0, t->number, VFI_REF_SEEN };
  ref = t->past[i].kind == VFI_REF_SEEN ? t->past[i] : t->chosen[i];
  if (ref.kind == VFI_REF_NONE || (gint32) (ref.frame - oldest) < 0 || (gint32) (ref.frame - t->number) > 0)
    return (VfiRef){ x, y, ref.cost, t->number, ref.kind };
  return ref;
}

static VfiRef
hand_on (const VfiStep *s, const VfiTrace *before, const VfiRegion *r, guint32 oldest)
{
  const int ix = (int) s->x, iy = (int) s->y;
  const float wx = s->x - ix, wy = s->y - iy;
  const float weight[4] = { (1 - wx) * (1 - wy), wx * (1 - wy), (1 - wx) * wy, wx * wy };
  VfiRef ref[4], result = { 0 };
  float sum = 0, dx = 0, dy = 0, cost = 0;
  int best = -1;

  for (int k = 0; k < 4; k++) {
    ref[k].kind = VFI_REF_NONE;
    if (weight[k] > 0)
      ref[k] = reference_of (before, r, ix + (k & 1), iy + (k >> 1), oldest);
    if (ref[k].kind != VFI_REF_NONE &&
        (best < 0 || ref[k].kind > ref[best].kind || (ref[k].kind == ref[best].kind && weight[k] > weight[best])))
      best = k;
  }
  if (best < 0)
    return result;
  for (int k = 0; k < 4; k++) {
    const float ox = ref[k].x - (ix + (k & 1)), oy = ref[k].y - (iy + (k >> 1));
    if (ref[k].kind != ref[best].kind || ref[k].frame != ref[best].frame || fabsf (ox - ref[best].x + ix + (best & 1)) > SAME_SURFACE ||
        fabsf (oy - ref[best].y + iy + (best >> 1)) > SAME_SURFACE)
      continue;
    sum += weight[k];
    dx += weight[k] * ox;
    dy += weight[k] * oy;
    cost += weight[k] * ref[k].cost;
  }
  result = ref[best];
  result.x = CLAMP (s->x + dx / sum, 0, r->width - 1);
  result.y = CLAMP (s->y + dy / sum, 0, r->height - 1);
  result.cost = s->apart + cost / sum;
  return result;
}

void
vfi_trace_past (VfiTrace *t, const VfiRegion *region, const VfiTrace *before, const VfiRegion *region_before, guint32 oldest)
{
  if (!t->linked)
    return;
  for (int k = 0; k < region->n_boxes; k++) {
    const VfiBox *b = &region->box[k];
    gsize i = b->first;
    for (int y = b->y0; y < b->y1; y++)
      for (int x = b->x0; x < b->x1; x++, i++) {
        const VfiStep *s = &t->back[i];
        if (!region->mark[(gsize) y * region->width + x] || s->apart < 0)
          continue;
        if (vfi_region_covered (region_before, s->x, s->y) != VFI_MARK_CLEAR)
          t->past[i] = hand_on (s, before, region_before, oldest);
        else if (s->apart < SHOWN)
          t->past[i] = (VfiRef){ s->x, s->y, s->apart, before->number, VFI_REF_SEEN };
      }
  }
}

/* ---- future ------------------------------------------------------------------------------------- */

void
vfi_trace_ahead (VfiTrace *t, const VfiRegion *region, guint32 number, const VfiRegion *region_there, const float *there, const float *back)
{
  const int w = region->width, h = region->height;

  if (t->reach != number - 1)
    return;
  t->reach = number;
  for (int k = 0; k < region->n_boxes; k++) {
    const VfiBox *b = &region->box[k];
    gsize i = b->first;
    for (int y = b->y0; y < b->y1; y++)
      for (int x = b->x0; x < b->x1; x++, i++) {
        VfiRef *ref = &t->ahead[i];
        VfiStep s;
        float flow[2];

        if (!region->mark[(gsize) y * w + x] || ref->kind != VFI_REF_NONE || ref->cost < 0)
          continue;
        sample (there, w, h, ref->x, ref->y, flow);
        s = step (ref->x, ref->y, flow, back, w, h);
        *ref = (VfiRef){ s.x, s.y, s.apart < 0 ? -1 : ref->cost + s.apart, number, VFI_REF_NONE };
        if (s.apart >= 0 && vfi_region_covered (region_there, s.x, s.y) <= VFI_MARK_BAND) {
          ref->kind = s.apart < SHOWN ? VFI_REF_SEEN : VFI_REF_NONE;
          ref->cost = s.apart < SHOWN ? ref->cost : -1;
        }
      }
  }
}

/* ---- choice ------------------------------------------------------------------------------------- */

void
vfi_trace_choose (VfiTrace *t, const VfiRegion *region)
{
  for (int k = 0; k < region->n_boxes; k++) {
    const VfiBox *b = &region->box[k];
    gsize i = b->first;
    for (int y = b->y0; y < b->y1; y++)
      for (int x = b->x0; x < b->x1; x++, i++) {
        const VfiRef *past = &t->past[i], *ahead = &t->ahead[i];
        if (!region->mark[(gsize) y * region->width + x])
          continue;
        if (ahead->kind > past->kind ||
            (ahead->kind == past->kind && abs ((gint32) (ahead->frame - t->number)) < abs ((gint32) (past->frame - t->number))))
          t->chosen[i] = *ahead;
        else
          t->chosen[i] = *past;
      }
  }
}
