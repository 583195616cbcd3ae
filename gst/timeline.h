/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The timeline: which frames are shown when. Pure C over times and opaque frames, so that all of it is tested without a pipeline.
 *
 * Input frames are pushed with their time stamps, moments of the output are pulled. There are two kinds of output:
 *
 * - a grid: moments lie exactly one output period apart, from the first frame on. Moment k is base + floor (k period), worked out
 *   from k each time, so nothing drifts. Its place in the input is the same number divided by `stretch`: 1 converts the frame
 *   rate, more is slow motion. An input frame within 1 ms of a moment (or a quarter of the spacing, if less) is shown as it is, so
 *   time stamps rounded to milliseconds do no harm; other moments lie between two frames. Where an input period holds a whole
 *   number of moments, as in 30 to 60, every frame belongs on one: it is shown as it is within a quarter of the spacing, and if
 *   frames come regularly but off the grid (a camera's clock that drifts), the grid starts again at the frame.
 * - repair: every input frame keeps its own moment; damaged and duplicate frames, and the ones missing where time stamps are
 *   more than one and a half periods apart, lie between their good neighbours.
 *
 * With `lookahead`, what lies between two frames waits for one more, if that does not take longer than an announced gap: motion goes on smoothly through both.
 *
 * At most `max_gap` missing, damaged or duplicate frames in a row are bridged. Beyond that a damaged frame becomes a repeat of the
 * last good one, a duplicate is shown as it is, and where frames are missing nothing is shown: a hole, after which the grid
 * starts again at the next frame.
 *
 * Times are nanoseconds; VFI_NO_TIME is unknown.
 */
#pragma once

#include <glib.h>

#define VFI_NO_TIME G_MAXUINT64
#define VFI_VARIABLE_RATE 30 /* frames a second that count as nominal where the input rate is 0/1 */

typedef struct
{
  gboolean repair;              /* else a grid */
  int in_num, in_den;           /* nominal frame rate of the input; in_num 0: variable */
  int out_num, out_den;         /* frame rate of the grid, above 0 */
  int stretch_num, stretch_den; /* of the grid, above 0 */
  guint64 origin;               /* the time that stretching leaves where it is */
  guint max_gap;
  guint lookahead; /* frames after b that what lies between a and b waits for: 0 or 1 */
} VfiTimelineConfig;

typedef enum
{
  VFI_INPUT_GOOD,
  VFI_INPUT_DUPLICATE, /* of vfi_timeline_reference */
  VFI_INPUT_DAMAGED,   /* taken as good by a grid */
} VfiInputKind;

typedef enum
{
  VFI_MOMENT_REAL,    /* a as it is: the first moment that shows it */
  VFI_MOMENT_REPEAT,  /* a again */
  VFI_MOMENT_BETWEEN, /* the frame at t between a and b */
  VFI_MOMENT_HOLE,    /* nothing to show */
} VfiMomentKind;

typedef struct
{
  VfiMomentKind kind;
  guint64 pts, duration; /* duration: VFI_NO_TIME only for a frame that came without one, in repair */
  gpointer a, b;         /* frames; valid until the timeline is next called */
  double t;              /* 0 < t < 1, a multiple of 1/65536 so that the middle is 1/2 whatever the rounding of the time stamps */
  gboolean repairs;      /* BETWEEN: stands where frames were missing, damaged or duplicate */
  /* BETWEEN: the good frames before a and after b, as frames, and how far from them, in times of what lies between a and b. NULL: there is none, or a bridge does not lead there, or it is not waited for. */
  gpointer before, after;
  double before_lasts, after_lasts;
} VfiMoment;

typedef struct _VfiTimeline VfiTimeline;

/* `release` is called once for every frame that was pushed. */
VfiTimeline *vfi_timeline_new (GDestroyNotify release);
void vfi_timeline_free (VfiTimeline *tl);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VfiTimeline, vfi_timeline_free)

/* Sets how moments are made, and clears. Before anything is pushed. */
void vfi_timeline_configure (VfiTimeline *tl, const VfiTimelineConfig *config);
/* Forgets all frames and the grid. */
void vfi_timeline_clear (VfiTimeline *tl);

/* Takes the next frame; pts must lie after the last one's: vfi_timeline_end and a full pull come first where it does not. */
void vfi_timeline_push (VfiTimeline *tl, gpointer frame, guint64 pts, guint64 duration, VfiInputKind kind);
/* No frame will come up to `end`. */
void vfi_timeline_gap (VfiTimeline *tl, guint64 end);
/* No frame will come at all: pull gives the rest, up to the last frame's end or `stop` (may be VFI_NO_TIME), then the timeline is clear. */
void vfi_timeline_end (VfiTimeline *tl, guint64 stop);

/* The next moment, in order; FALSE if it takes more input. */
gboolean vfi_timeline_pull (VfiTimeline *tl, VfiMoment *m);

/* The frame that duplicates are duplicates of, NULL if there is none. Borrowed until the timeline is next called. */
gpointer vfi_timeline_reference (const VfiTimeline *tl);
/* Time stamp of the newest frame, VFI_NO_TIME if clear; the time at which the next one is due. */
guint64 vfi_timeline_newest (const VfiTimeline *tl);
guint64 vfi_timeline_due (const VfiTimeline *tl);

/* origin + (time - origin) num / den, rounded down, not below 0. VFI_NO_TIME stays. */
guint64 vfi_stretch (guint64 time, guint64 origin, int num, int den);
