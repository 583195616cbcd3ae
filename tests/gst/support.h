/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Flat little frames through an element, and a log in words of what comes out of it.
 */
#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#define MS GST_MSECOND

typedef struct
{
  GstHarness *h;
  GString *log;
  GHashTable *memories; /* of the frames that went in, and their buffers */
  char *caps;           /* without frame rate */
  int rate[2];
  GstBus *bus;
} Run;

/* Instead of gst_init and g_test_init: loads the plugin that was built, too (VFI_PLUGIN; a sanitizer's could not be scanned). */
void run_init (int *argc, char ***argv);

/* An element by its launch line, fed with frames that are `size` pixels wide and high, and its bus. */
Run *run_new (const char *element, const char *format, int size, int num, int den, const char *outcaps);
void run_free (Run *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Run, run_free)

/* New caps: frame rate, size. */
gboolean run_caps (Run *r, const char *format, int size, int num, int den);
/* A frame of one value. Times in ns; flags of GstBuffer. */
GstBuffer *run_frame (Run *r, int value, GstClockTime pts, GstClockTime duration, guint flags);
GstFlowReturn run_push (Run *r, int value, GstClockTime pts, GstClockTime duration, guint flags);

/* What came out since the last call, in words with blanks between: "0+25=10" a buffer that went in itself, at 0 ms for 25 ms, of value 10;
 * "0+25~10" one that shares its memory; "0+25:10" another; "gap25+50", "eos", "segment0-100*1" (start, stop, rate), "caps16@50/1",
 * "flush", each as it passed. g_free. */
char *run_log (Run *r);
#define run_expect(r, text)                                                                                                                \
  do {                                                                                                                                     \
    g_autofree char *log_ = run_log (r);                                                                                                   \
    g_assert_cmpstr (log_, ==, text);                                                                                                      \
  } while (0)

/* The error on the bus, which must be of this domain and code and hold the text. */
void bus_expect_error (GstBus *bus, GQuark domain, int code, const char *text);
void run_expect_error (Run *r, GQuark domain, int code, const char *text);

/* A field of the element's stats. */
guint64 run_stat (Run *r, const char *name);

/* A pipeline by its launch line; plays it to its end, which must come without an error. */
GstElement *pipeline_parse (const char *line);
void pipeline_play (GstElement *pipeline);
