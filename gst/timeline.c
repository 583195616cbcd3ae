/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The timeline: see timeline.h.
 *
 * `in` holds the frames that moments may still need: first the anchor, the good frame whose surroundings are being worked on,
 * then what came after it. A frame becomes an anchor when it is to be shown as it is; what may be shown between it and
 * the anchor before it is its `span`. Duplicates and damaged frames are HELD until a good frame, or too many of them, decide.
 */
#include "timeline.h"

#define SECOND 1000000000ull
#define TOLERANCE 1000000ull /* see timeline.h */

typedef enum
{
  HELD,
  ANCHOR,
  LENT,     /* repair: its moment lies between the anchors around it */
  REPEATED, /* repair: its moment repeats the anchor before it */
} Role;

typedef enum
{
  OPEN,   /* nothing but what the frames' own durations cover */
  STILL,  /* both anchors look the same */
  BRIDGE, /* synthesis */
} Span;

typedef struct
{
  gpointer frame;
  guint64 pts, duration;
  VfiInputKind kind;
  Role role;
  Span span;
  gboolean repairs; /* the span bridges more than two successive frames */
} Input;

struct _VfiTimeline
{
  VfiTimelineConfig config;
  GDestroyNotify release;
  GArray *in;
  Input past; /* the anchor before the first of `in`; without a frame: there is none */
  gboolean ending;
  guint64 stop, gap_end;

  gboolean whole;            /* grid: an input period holds a whole number of moments */
  guint64 base, base_out, k; /* grid: times of moment 0, number of the next moment */
  gboolean begun;            /* repair: the first anchor was shown */
  guint64 last;              /* repair: time stamp of the input frame whose moment came last */
  guint64 j;                 /* repair: missing frames made since */
  guint64 shown;             /* where the last moment ended */
};

/* floor (x num / den) */
static guint64
scale (guint64 x, unsigned __int128 num, unsigned __int128 den)
{
  return x * num / den;
}

guint64
vfi_stretch (guint64 time, guint64 origin, int num, int den)
{
  if (time == VFI_NO_TIME)
    return time;
  if (time >= origin)
    return origin + scale (time - origin, num, den);
  return origin - MIN (origin, scale (origin - time, num, den));
}

static guint64
stretch (const VfiTimeline *tl, guint64 time)
{
  return vfi_stretch (time, tl->config.origin, tl->config.stretch_num, tl->config.stretch_den);
}

static void
release_input (VfiTimeline *tl, Input *x)
{
  if (x->frame)
    tl->release (x->frame);
}

static void
drop (VfiTimeline *tl, guint first, guint n)
{
  for (guint i = first; i < first + n; i++)
    release_input (tl, &g_array_index (tl->in, Input, i));
  g_array_remove_range (tl->in, first, n);
}

/* The next anchor, number i, becomes the first. */
static void
pass (VfiTimeline *tl, guint i)
{
  release_input (tl, &tl->past);
  tl->past = g_array_index (tl->in, Input, 0);
  g_array_index (tl->in, Input, 0).frame = NULL;
  drop (tl, 0, i);
}

VfiTimeline *
vfi_timeline_new (GDestroyNotify release)
{
  VfiTimeline *tl = g_new0 (VfiTimeline, 1);
  tl->release = release;
  tl->in = g_array_new (FALSE, FALSE, sizeof (Input));
  return tl;
}

void
vfi_timeline_free (VfiTimeline *tl)
{
  vfi_timeline_clear (tl);
  g_array_unref (tl->in);
  g_free (tl);
}

void
vfi_timeline_clear (VfiTimeline *tl)
{
  drop (tl, 0, tl->in->len);
  release_input (tl, &tl->past);
  tl->past.frame = NULL;
  tl->ending = tl->begun = FALSE;
  tl->gap_end = tl->j = tl->k = 0;
}

void
vfi_timeline_configure (VfiTimeline *tl, const VfiTimelineConfig *config)
{
  vfi_timeline_clear (tl);
  tl->config = *config;
  tl->whole = config->in_num && !config->repair &&
              (unsigned __int128) config->out_num * config->stretch_num * config->in_den %
                      ((unsigned __int128) config->out_den * config->stretch_den * config->in_num) ==
                  0;
}

static Input *
at (const VfiTimeline *tl, guint i)
{
  return &g_array_index (tl->in, Input, i);
}

/* The nominal period, as a fraction of a second. */
static int
rate_num (const VfiTimeline *tl)
{
  return tl->config.in_num ? tl->config.in_num : VFI_VARIABLE_RATE;
}

static int
rate_den (const VfiTimeline *tl)
{
  return tl->config.in_num ? tl->config.in_den : 1;
}

static guint64
period (const VfiTimeline *tl)
{
  return scale (SECOND, rate_den (tl), rate_num (tl));
}

/* How many frames are missing between two that lie d apart: round (d / period) - 1. */
static guint64
missing (const VfiTimeline *tl, guint64 d)
{
  guint64 n = scale (d, 2 * (unsigned __int128) rate_num (tl), rate_den (tl) * (unsigned __int128) SECOND);
  return n < 3 ? 0 : (n + 1) / 2 - 1;
}

static gboolean
fits (const VfiTimeline *tl, guint64 d)
{
  return missing (tl, d) <= tl->config.max_gap;
}

static guint64
end_of (const VfiTimeline *tl, const Input *x)
{
  return x->pts + (x->duration == VFI_NO_TIME ? period (tl) : x->duration);
}

/* Index of the newest anchor. */
static guint
newest_anchor (const VfiTimeline *tl)
{
  guint i = tl->in->len - 1;
  while (at (tl, i)->role != ANCHOR)
    i--;
  return i;
}

/* Decides the held frames: lent to a bridge, or shown for what they are. */
static void
settle (VfiTimeline *tl, gboolean bridged)
{
  guint anchor = newest_anchor (tl);
  for (guint i = anchor + 1; i < tl->in->len; i++) {
    Input *x = at (tl, i);
    if (bridged)
      x->role = LENT;
    else if (x->kind == VFI_INPUT_DAMAGED)
      x->role = REPEATED;
    else {
      x->role = ANCHOR;
      x->span = fits (tl, x->pts - at (tl, anchor)->pts) ? STILL : OPEN;
      anchor = i;
    }
  }
}

static void
start_grid (VfiTimeline *tl, guint64 pts)
{
  tl->base = pts;
  tl->base_out = stretch (tl, pts);
  tl->k = 0;
}

void
vfi_timeline_push (VfiTimeline *tl, gpointer frame, guint64 pts, guint64 duration, VfiInputKind kind)
{
  if (kind == VFI_INPUT_DAMAGED && !tl->config.repair)
    kind = VFI_INPUT_GOOD;
  Input x = { .frame = frame, .pts = pts, .duration = duration ? duration : VFI_NO_TIME, .kind = kind, .role = ANCHOR, .span = OPEN };
  tl->gap_end = 0;
  if (tl->in->len == 0) {
    g_array_append_val (tl->in, x);
    start_grid (tl, pts);
    return;
  }

  Input *a = at (tl, newest_anchor (tl));
  guint held = tl->in->len - 1 - newest_anchor (tl);
  gboolean fit = missing (tl, pts - a->pts) + (kind != VFI_INPUT_GOOD) <= tl->config.max_gap;
  if (a->kind == VFI_INPUT_DAMAGED) {
    /* Nothing good to start from: shown as it came. */
  } else if (kind == VFI_INPUT_GOOD) {
    settle (tl, fit);
    a = at (tl, newest_anchor (tl));
    if (fits (tl, pts - a->pts))
      x.span = BRIDGE;
    x.repairs = x.span == BRIDGE && ((fit && held > 0) || missing (tl, pts - a->pts) > 0);
    if (!tl->config.repair && fit)
      drop (tl, tl->in->len - held, held);
  } else
    x.role = HELD;
  g_array_append_val (tl->in, x);
  if (x.role == HELD && !fit)
    settle (tl, FALSE);
}

void
vfi_timeline_gap (VfiTimeline *tl, guint64 end)
{
  if (tl->in->len == 0)
    return;
  tl->gap_end = MAX (tl->gap_end, end);
  guint64 pts = at (tl, newest_anchor (tl))->pts;
  if (end > pts && missing (tl, end - pts) > tl->config.max_gap)
    vfi_timeline_end (tl, VFI_NO_TIME);
}

void
vfi_timeline_end (VfiTimeline *tl, guint64 stop)
{
  if (tl->in->len == 0)
    return;
  settle (tl, FALSE);
  tl->ending = TRUE;
  tl->stop = stop;
}

gpointer
vfi_timeline_reference (const VfiTimeline *tl)
{
  if (tl->in->len == 0)
    return NULL;
  const Input *a = at (tl, newest_anchor (tl));
  return a->kind == VFI_INPUT_DAMAGED ? NULL : a->frame;
}

guint64
vfi_timeline_newest (const VfiTimeline *tl)
{
  return tl->in->len ? at (tl, tl->in->len - 1)->pts : VFI_NO_TIME;
}

guint64
vfi_timeline_due (const VfiTimeline *tl)
{
  return tl->in->len ? end_of (tl, at (tl, tl->in->len - 1)) : VFI_NO_TIME;
}

/* Index of the anchor after the first, 0 if that is not decided. */
static guint
right_anchor (const VfiTimeline *tl)
{
  for (guint i = 1; i < tl->in->len && at (tl, i)->role != HELD; i++)
    if (at (tl, i)->role == ANCHOR)
      return i;
  return 0;
}

/* Nothing is shown from the last moment's end up to `to`; FALSE if that is no time at all. */
static gboolean
hole (VfiTimeline *tl, VfiMoment *m, guint64 to)
{
  if (to <= tl->shown)
    return FALSE;
  *m = (VfiMoment){ .kind = VFI_MOMENT_HOLE, .pts = tl->shown, .duration = to - tl->shown };
  tl->shown = to;
  return TRUE;
}

/* The frame after an anchor is to be waited for. */
static gboolean
waits (const VfiTimeline *tl, guint right)
{
  return tl->config.lookahead && !tl->ending && right + 1 == tl->in->len && tl->gap_end <= at (tl, right)->pts;
}

/* At `time` between the first anchor and another one. */
static void
between (const VfiTimeline *tl, VfiMoment *m, guint right, guint64 time)
{
  const Input *l = at (tl, 0), *r = at (tl, right), *next = right + 1 < tl->in->len ? at (tl, right + 1) : NULL;
  double t = (double) (time - l->pts) / (double) (r->pts - l->pts);
  m->kind = VFI_MOMENT_BETWEEN;
  m->b = r->frame;
  m->t = CLAMP ((int) (t * 65536 + 0.5), 1, 65535) / 65536.0;
  if (tl->past.frame && l->span == BRIDGE) {
    m->before = tl->past.frame;
    m->before_lasts = (double) (l->pts - tl->past.pts) / (double) (r->pts - l->pts);
  }
  if (tl->config.lookahead && next && next->role == ANCHOR && next->span == BRIDGE) {
    m->after = next->frame;
    m->after_lasts = (double) (next->pts - r->pts) / (double) (r->pts - l->pts);
  }
}

/* The last moment is out: clears, after a hole where a gap was announced. */
static gboolean
finish (VfiTimeline *tl, VfiMoment *m)
{
  guint64 gap_end = tl->gap_end;
  vfi_timeline_clear (tl);
  return gap_end && hole (tl, m, stretch (tl, gap_end));
}

static guint64
grid_in (const VfiTimeline *tl, guint64 k)
{
  const VfiTimelineConfig *c = &tl->config;
  return tl->base + scale (k, (unsigned __int128) SECOND * c->out_den * c->stretch_den, (unsigned __int128) c->out_num * c->stretch_num);
}

static guint64
grid_out (const VfiTimeline *tl, guint64 k)
{
  return tl->base_out + scale (k, (unsigned __int128) SECOND * tl->config.out_den, tl->config.out_num);
}

/* Frames come regularly, but r does not lie on a moment of a grid where every frame should. */
static gboolean
off_grid (const VfiTimeline *tl, const Input *l, const Input *r, guint64 spacing)
{
  gint64 d = r->pts - l->pts, p = period (tl), ahead = r->pts - grid_in (tl, tl->k);
  if (!tl->whole || r->span != BRIDGE || ABS (d - (gint64) (missing (tl, d) + 1) * p) > p / 8)
    return FALSE;
  guint64 k = tl->k + MAX (ahead + (gint64) spacing / 2, 0) / spacing;
  return ABS ((gint64) (r->pts - grid_in (tl, k))) > (gint64) spacing / 4;
}

static gboolean
pull_grid (VfiTimeline *tl, VfiMoment *m)
{
  guint64 spacing = grid_in (tl, 1) - tl->base, sliver = MIN (TOLERANCE, spacing / 4), tolerance = tl->whole ? spacing / 4 : sliver;
  for (;;) {
    const Input *l = at (tl, 0), *newest = at (tl, tl->in->len - 1);
    guint right = right_anchor (tl);
    const Input *r = right ? at (tl, right) : NULL;
    guint64 time = grid_in (tl, tl->k), next = grid_in (tl, tl->k + 1);
    gboolean real = time <= l->pts + tolerance, restart = FALSE;

    /* Moments around l begin before `limit`. One that reaches `last` is the last before a hole, a new start of the grid or the end;
     * it lasts until `cut`, so that total duration is kept to the nanosecond. */
    guint64 limit = VFI_NO_TIME, last = VFI_NO_TIME, cut = VFI_NO_TIME, end = end_of (tl, newest);
    if (tl->ending) {
      if (tl->stop > newest->pts + tolerance)
        end = MIN (end, tl->stop);
      cut = end;
      limit = last = end - sliver;
    }
    if (r && off_grid (tl, l, r, spacing)) {
      limit = last = r->pts - spacing / 2;
      cut = r->pts;
      restart = TRUE;
    } else if (r) {
      gboolean lasts = r->span != OPEN || (l->duration == VFI_NO_TIME && !tl->config.in_num);
      guint64 stays = lasts ? r->pts : end_of (tl, l), first = time + sliver < stays ? next : time;
      limit = r->pts - tolerance;
      if (stays + period (tl) / 2 < r->pts && first + tolerance < r->pts) { /* there is a hole, with a moment in it */
        limit = last = stays - sliver;
        cut = stays;
        restart = TRUE;
      }
    }

    if (!real && limit == VFI_NO_TIME)
      return FALSE;
    if (!real && time >= limit) {
      if (!r)
        return finish (tl, m);
      gboolean holed = restart && cut < r->pts && hole (tl, m, stretch (tl, r->pts));
      if (restart)
        start_grid (tl, r->pts);
      pass (tl, right);
      if (holed)
        return TRUE;
      continue;
    }
    /* One that ends neither with the newest frame nor well before waits for what comes: it may be the last. */
    if (next < last && !tl->ending && next + sliver > end && next != end)
      return FALSE;

    const gboolean bridged = !real && r && r->span == BRIDGE;
    if (bridged && waits (tl, right))
      return FALSE;
    *m = (VfiMoment){ .kind = real ? VFI_MOMENT_REAL : VFI_MOMENT_REPEAT, .pts = grid_out (tl, tl->k), .a = l->frame };
    tl->shown = next >= last ? stretch (tl, cut) : grid_out (tl, tl->k + 1);
    m->duration = tl->shown - m->pts;
    if (bridged) {
      between (tl, m, right, time);
      m->repairs = r->repairs;
    }
    tl->k++;
    return TRUE;
  }
}

static gboolean
pull_repair (VfiTimeline *tl, VfiMoment *m)
{
  const Input *l = at (tl, 0);
  *m = (VfiMoment){ .kind = VFI_MOMENT_REAL, .a = l->frame };
  if (!tl->begun) {
    tl->begun = TRUE;
    tl->last = m->pts = l->pts;
    m->duration = l->duration;
    tl->shown = end_of (tl, l);
    return TRUE;
  }
  if (tl->in->len == 1)
    return tl->ending ? finish (tl, m) : FALSE;
  const Input *x = at (tl, 1);
  if (x->role == HELD)
    return FALSE;

  guint64 n = tl->config.in_num ? missing (tl, x->pts - tl->last) : 0;
  guint right = right_anchor (tl);
  if (tl->j < n) {
    Span span = x->role == ANCHOR ? x->span : x->role == LENT ? BRIDGE : OPEN;
    if (span == OPEN) {
      tl->j = n;
      if (hole (tl, m, x->pts))
        return TRUE;
    } else if (span == BRIDGE && waits (tl, right)) {
      return FALSE;
    } else {
      m->kind = VFI_MOMENT_REPEAT;
      m->pts = tl->last + scale (x->pts - tl->last, ++tl->j, n + 1);
      tl->shown = tl->last + scale (x->pts - tl->last, tl->j + 1, n + 1);
      m->duration = tl->shown - m->pts;
      if (span == BRIDGE) {
        between (tl, m, right, m->pts);
        m->repairs = TRUE;
      }
      return TRUE;
    }
  }

  if (x->role == LENT && waits (tl, right))
    return FALSE;
  tl->last = m->pts = x->pts;
  tl->shown = end_of (tl, x);
  tl->j = 0;
  m->duration = x->duration;
  if (x->role == ANCHOR) {
    m->a = x->frame;
    pass (tl, 1);
    return TRUE;
  }
  m->kind = VFI_MOMENT_REPEAT;
  if (x->role == LENT) {
    between (tl, m, right, x->pts);
    m->repairs = TRUE;
  }
  drop (tl, 1, 1);
  return TRUE;
}

gboolean
vfi_timeline_pull (VfiTimeline *tl, VfiMoment *m)
{
  if (tl->in->len == 0)
    return FALSE;
  return tl->config.repair ? pull_repair (tl, m) : pull_grid (tl, m);
}
