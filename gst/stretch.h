/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stretch: slow motion as the rest of a pipeline sees it. Downstream of it, time runs by[0] / by[1] times as long.
 *
 * Time stamps are stretched about the start of their segment, whose start stays; stop, base and stream time are stretched, so running
 * time and stream time come out exactly that much longer. What comes back from downstream is mapped the other way.
 */
#pragma once

#include <gst/gst.h>

/* The segment that follows downstream. */
void gst_vfi_stretch_segment (GstSegment *segment, const int by[2]);
/* Take the event and give the one to pass on. `segment` is the one upstream of here. */
GstEvent *gst_vfi_stretch_downstream (GstEvent *event, const GstSegment *segment, const int by[2]);
GstEvent *gst_vfi_stretch_upstream (GstEvent *event, const int by[2]);
/* Corrects an answer that came from upstream: duration, seekable range. */
void gst_vfi_stretch_answer (GstQuery *query, const int by[2]);
