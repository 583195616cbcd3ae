/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tracing. Into the past, a pixel p of frame t lies at q = p + F(t -> t-1)(p) of the frame before. Where that frame shows q, the reference is
 * (t-1, q). Where q is hidden there too, the nearest pixel that has a reference hands it on, moved by what q is beside it. Into the future, positions are followed until a frame shows them.
 *
 * Pixels of the band around a hole are traced as if they were hidden, and are nobody's source: comparing what they refer to with what is seen there
 * tells how good the references of the hole beside them are (core/paint.c).
 */
#include "trace.h"

#include <math.h>
#include <string.h>

#include "field.h"

#define APART 9.0f       /* squared distance that the two flows may be apart, */
#define APART_PART 0.05f /* and this part of their squared lengths */
#define SHOWN 3.0f       /* pixels that they may be apart where the pixel is seen: else something passes there in front of it */
#define DOUBT 0.05f      /* doubt that counts as much as a way twice as long, */
#define STALE 0.033f     /* and from which on what was made up does not fit any more */
#define OUTSIDE 0.5f     /* how far outside of the frame a pixel may be, in pixels */

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
  if (!region->area) /* there may be no memory yet, and none is asked for */
    return;
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
  vfi_field_at (other, w, h, s.x, s.y, back);
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
    return (VfiRef){ x, y, 0, VFI_NO_SLOPE, t->number, VFI_REF_SEEN };
  ref = vfi_ref_real (t->past[i].kind) ? t->past[i] : t->chosen[i];
  if (ref.kind != VFI_REF_NONE && ((gint32) (ref.frame - oldest) < 0 || (gint32) (ref.frame - t->number) > 0))
    return (VfiRef){ x, y, ref.cost, VFI_NO_SLOPE, t->number, MIN (t->chosen[i].kind, VFI_REF_KEPT) };
  return ref;
}

/* Moves a pixel's reference to a place dx, dy beside the pixel. */
static VfiRef
extend (VfiRef ref, float dx, float dy, const VfiRegion *r)
{
  ref.x = CLAMP (ref.x + ref.slope[0] * dx + ref.slope[1] * dy, 0, r->width - 1);
  ref.y = CLAMP (ref.y + ref.slope[2] * dx + ref.slope[3] * dy, 0, r->height - 1);
  return ref;
}

/* What a reference of the frame before becomes by a step whose own slope is given. */
static void
compose (VfiRef *ref, const float step[4])
{
  const float s[4] = { ref->slope[0], ref->slope[1], ref->slope[2], ref->slope[3] };

  ref->slope[0] = s[0] * step[0] + s[1] * step[2];
  ref->slope[1] = s[0] * step[1] + s[1] * step[3];
  ref->slope[2] = s[2] * step[0] + s[3] * step[2];
  ref->slope[3] = s[2] * step[1] + s[3] * step[3];
}

/* Of the four pixels that a step leads between, the reference of the nearest that has one; what was seen before what was made up. A frame
 * is referred to only where it shows what it is referred to for: else references would creep into what never was seen, a fraction of a pixel
 * each frame. */
static VfiRef
hand_on (const VfiStep *s, const VfiTrace *before, const VfiRegion *r, const VfiShown *shown, guint32 oldest)
{
  const int ix = (int) s->x, iy = (int) s->y;
  const float wx = s->x - ix, wy = s->y - iy;
  const float weight[4] = { (1 - wx) * (1 - wy), wx * (1 - wy), (1 - wx) * wy, wx * wy };
  VfiRef ref[4];
  gboolean tried[4];

  for (int k = 0; k < 4; k++) {
    tried[k] = !(weight[k] > 0);
    if (!tried[k]) {
      ref[k] = reference_of (before, r, ix + (k & 1), iy + (k >> 1), oldest);
      tried[k] = ref[k].kind == VFI_REF_NONE || (ref[k].kind != VFI_REF_SEEN && weight[k] < 0.25f);
    }
  }
  for (;;) {
    VfiRef result;
    int best = -1;

    for (int k = 0; k < 4; k++)
      if (!tried[k] && (best < 0 || vfi_ref_real (ref[k].kind) > vfi_ref_real (ref[best].kind) ||
                        (vfi_ref_real (ref[k].kind) == vfi_ref_real (ref[best].kind) && weight[k] > weight[best])))
        best = k;
    if (best < 0)
      return (VfiRef){ 0 };
    tried[best] = TRUE;
    result = extend (ref[best], wx - (best & 1), wy - (best >> 1), r);
    if (result.kind == VFI_REF_SEEN && !vfi_shown_at (shown, result.frame, result.x, result.y))
      continue;
    result.cost += s->apart;
    return result;
  }
}

/* How steps differ from pixel to pixel, as far as neighbours have one. */
static void
slope_of (const VfiTrace *t, const VfiRegion *r, const VfiBox *b, gsize i, int x, int y, float slope[4])
{
  const int w = b->x1 - b->x0;
  const guint8 *mark = r->mark + (gsize) y * r->width + x;

  for (int axis = 0; axis < 2; axis++) {
    const gssize step = axis ? w : 1, mstep = axis ? r->width : 1;
    const gboolean low = axis ? y > b->y0 : x > b->x0, high = axis ? y + 1 < b->y1 : x + 1 < b->x1;
    const VfiStep *a = low && mark[-mstep] && t->back[i - step].apart >= 0 ? &t->back[i - step] : &t->back[i];
    const VfiStep *c = high && mark[mstep] && t->back[i + step].apart >= 0 ? &t->back[i + step] : &t->back[i];
    const float n = (float) ((a != &t->back[i]) + (c != &t->back[i]));

    slope[axis] = n > 0 ? (c->x - a->x) / n : axis == 0;
    slope[2 + axis] = n > 0 ? (c->y - a->y) / n : axis == 1;
  }
}

void
vfi_trace_past (VfiTrace *t, const VfiRegion *region, const VfiTrace *before, const VfiRegion *region_before, const VfiShown *shown,
                guint32 oldest)
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
          t->past[i] = hand_on (s, before, region_before, shown, oldest);
        else if (s->apart < SHOWN && vfi_shown_at (shown, before->number, s->x, s->y))
          t->past[i] = (VfiRef){ s->x, s->y, s->apart, VFI_NO_SLOPE, before->number, VFI_REF_SEEN };
        if (t->past[i].kind != VFI_REF_NONE) {
          float slope[4];
          slope_of (t, region, b, i, x, y, slope);
          compose (&t->past[i], slope);
        }
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
        vfi_field_at (there, w, h, ref->x, ref->y, flow);
        s = step (ref->x, ref->y, flow, back, w, h);
        *ref = (VfiRef){ s.x, s.y, s.apart < 0 ? -1 : ref->cost + s.apart, VFI_NO_SLOPE, number, VFI_REF_NONE };
        if (s.apart >= 0 && vfi_region_covered (region_there, s.x, s.y) <= VFI_MARK_BAND) {
          ref->kind = s.apart < SHOWN ? VFI_REF_SEEN : VFI_REF_NONE;
          ref->cost = s.apart < SHOWN ? ref->cost : -1;
        }
      }
  }
}

/* ---- choice ------------------------------------------------------------------------------------- */

/* What speaks against a reference: time, flows that did not agree on the way, that it does not go on with what is seen around the hole. */
static float
distrust (const VfiRef *ref, guint32 number)
{
  return abs ((gint32) (ref->frame - number)) * (1 + ref->cost) * (1 + ref->doubt / DOUBT);
}

/* What the band gives is compared with what is seen there, be it right or wrong. */
static gboolean
good (const VfiRef *ref, gboolean hole)
{
  return hole ? vfi_ref_trusted (ref) : vfi_ref_real (ref->kind);
}

void
vfi_trace_choose (VfiTrace *t, const VfiRegion *region)
{
  for (int k = 0; k < region->n_boxes; k++) {
    const VfiBox *b = &region->box[k];
    gsize i = b->first;
    for (int y = b->y0; y < b->y1; y++)
      for (int x = b->x0; x < b->x1; x++, i++) {
        const guint8 mark = region->mark[(gsize) y * region->width + x];
        const gboolean hole = mark >= VFI_MARK_FILL;
        const VfiRef *past = &t->past[i], *ahead = &t->ahead[i];
        VfiRef *chosen = &t->chosen[i];
        if (!mark)
          continue;
        *chosen = good (ahead, hole) && (!good (past, hole) || distrust (ahead, t->number) < distrust (past, t->number)) ? *ahead : *past;
        if (hole && chosen->doubt > (chosen->kind == VFI_REF_MADE ? STALE : VFI_WRONG))
          chosen->kind = VFI_REF_NONE;
      }
  }
}
