/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stretch: slow motion as the rest of a pipeline sees it. Downstream of it, time runs num / den times as long.
 *
 * Time stamps are stretched about the start of their segment, whose start stays; stop, base and stream time are stretched, so running
 * time and stream time come out exactly num / den times as long. What comes back from downstream is mapped the other way.
 */
#pragma once

#include <gst/gst.h>

/* The segment that follows downstream. */
void gst_vfi_stretch_segment (GstSegment *segment, int num, int den);
/* Take the event and give the one to pass on. `segment` is the one upstream of here. */
GstEvent *gst_vfi_stretch_downstream (GstEvent *event, const GstSegment *segment, int num, int den);
GstEvent *gst_vfi_stretch_upstream (GstEvent *event, int num, int den);
/* Corrects an answer that came from upstream: duration, seekable range. */
void gst_vfi_stretch_answer (GstQuery *query, int num, int den);
