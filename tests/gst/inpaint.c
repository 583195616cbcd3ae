/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiinpaint: which mask is for which frame, who waits for whom, what leaves when, and that nothing else of a frame changes. With weights of zeros
 * its networks see no motion and make up grey: what they are worth is tested elsewhere.
 */
#include "support.h"

#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#ifdef HAVE_ANALYTICS
#include <gst/analytics/analytics.h>
#endif
#include <vfi.h>

#define INPAINT "vfiinpaint name=vfi backend=cpu precision=fp32 threads=1 history=4 "
#define PERIOD (50 * MS)

/* ---- which frame leaves when, with which mask --------------------------------------------------- */

/* Input, times in ms at 20 frames a second: "v0" a frame, with "d" discontinuous; "w0" one that has to wait for its mask, until a word that ends in
 * "!"; "gap50+50", "eos", "flush", "segment100", "back200" (a segment that is played backwards from there), "size48", "rate10", "drain". Masks: "m0+50w"
 * white, "m0+50b" black, "m0w" without duration; "mgap50+50", "meos", "mflush", "msegment100"; "mstop" the pad goes, "munlink" its peer.
 * Output: behind each word the frames that left for it: their time, "=" if it is the very buffer that came in, "*" if something was removed. */
typedef struct
{
  const char *name, *properties, *log;
} Case;

static const Case cases[] = {
  /* Without masks, and with one that does not change. */
  { "nothing", "", "v0>0= v50>50= eos>" },
  { "nothing-inverted", "invert=true", "v0>0= v50>50=" },
  { "nothing-lookahead", "lookahead=2", "v0> v50> v100>0= v150>50= eos>100=,150=" },
  { "rects", "mask-rects=2,2,9,9", "v0>0* v50>50* eos>" },
  { "rects-none", "mask-rects=\"\"", "v0>0= v50>50= eos>" },
  { "rects-outside", "mask-rects=64,0,9,9;-20,3,10,10", "v0>0= v50>50= eos>" },
  { "rects-all", "mask-rects=-5,-5,99,99", "v0>0* v50>50*" },
  { "rects-all-inverted", "mask-rects=-5,-5,99,99 invert=true", "v0>0= v50>50=" },
  { "lookahead", "mask-rects=2,2,9,9 lookahead=2", "v0> v50> v100>0* v150>50* eos>100*,150*" },
  { "one-frame", "mask-rects=2,2,9,9 lookahead=2", "v0> eos>0*" },
  { "no-frame", "mask-rects=2,2,9,9 lookahead=2", "eos>" },
  { "discont", "mask-rects=2,2,9,9 lookahead=2", "v0> v50> v100d>0* v150>50* eos>100*,150*" },
  { "missing", "mask-rects=2,2,9,9 lookahead=2", "v0> v50> v200>0* eos>50*,200*" },
  { "far", "mask-rects=2,2,9,9 lookahead=2", "v0> v50> v1500>0*,50* v1550> eos>1500*,1550*" },
  { "back-in-time", "mask-rects=2,2,9,9 lookahead=2", "v100> v150> v50>100*,150* v100> eos>50*,100*" },
  { "gap", "mask-rects=2,2,9,9 lookahead=1", "v0> v50>0* gap100+50>50* v150> v200>150*" },
  { "flush", "mask-rects=2,2,9,9 lookahead=1", "v0> v50>0* flush> v100> v150>100* eos>150*" },
  { "segment", "mask-rects=2,2,9,9 lookahead=1", "v0> v50>0* segment100>50* v100> v150>100*" },
  { "backwards", "mask-rects=2,2,9,9 lookahead=1", "back200> v150> v100>150* v50>100* v0>50* eos>0*" },
  { "size", "mask-rects=2,2,9,9 lookahead=1", "v0> v50>0* size48>50* v100> v150>100*" },
  { "rate", "mask-rects=2,2,9,9 lookahead=1", "v0> v50>0* rate10> v100>50* v200>100*" },
  { "drain", "mask-rects=2,2,9,9 lookahead=1", "v0> v50>0* drain>50* v100>" },

  /* A stream of masks. */
  { "pad", "", "m0+50w> v0>0* m50+50b> v50>50= m100+50w> v100>100*" },
  { "pad-explicit", "mask-source=pad mask-rects=2,2,9,9", "m0+50b> v0>0=" },
  { "pad-first", "mask-rects=2,2,9,9", "m0+50b> v0>0=" },
  { "pad-not-asked", "mask-source=rects mask-rects=2,2,9,9",
    "v500>500* m0+50b> m50+50b> m100+50b> m150+50b> m200+50b> m250+50b> m300+50b> m350+50b> m400+50b> m450+50b> m500+50b> v550>550*" },
  { "pad-inverted", "invert=true", "m0+50w> v0>0= m50+50b> v50>50*" },
  { "pad-half-rate", "", "m0+100w> v0>0* v50>50* m100+100b> v100>100= v150>150=" },
  { "pad-double-rate", "", "m0+25w> m25+25b> m50+25b> m75+25w> m100+25w> v0>0* v50>50= v100>100*" },
  { "pad-later-than-frames", "", "m0+50w> v0>0* m52+50b> v50>50* v100>100=" },
  { "pad-starts-late", "", "m120+50w> v0>0= v50>50= v100>100= v150>150*" },
  { "pad-ends-early", "", "m0+50w> meos> v0>0* v50>50* v100>100*" },
  { "pad-one-mask", "", "m0w> v0>0* w50> meos!>50* v100>100*" },
  { "pad-no-mask", "", "w0> meos!>0= v50>50=" },
  { "pad-gap", "", "m0+50w> v0>0* mgap50+100> v50>50* v100>100* w150> m150+50b!>150=" },
  { "pad-gap-first", "", "mgap0+100> v0>0= v50>50= m100+50w> v100>100*" },
  { "pad-hole", "", "m0+50w> v0>0* w50> m200+50b!>50* v100>100* v150>150* v200>200=" },
  { "pad-shorter-than-said", "", "m0+500w> m50+50b> v0>0* v50>50=" },
  { "pad-no-durations", "", "m0w> m40b> v0>0* w50> m100w!>50= v100>100*" },
  { "pad-rounded", "", "m0+51b> m51+50w> v0>0= v50>50*" }, /* a container that counts in milliseconds */
  { "pad-waits", "", "w0> m0+50w!>0* w50> m50+50b!>50=" },
  { "pad-waits-lookahead", "lookahead=1", "w0> m0+50w!> w50> m50+50b!>0* eos>50=" },
  { "pad-goes", "", "m0+50w> v0>0* w50> mstop!>50* v100>100=" },
  { "pad-unlinked", "", "m0+50w> v0>0* w50> munlink!>50*" },
  { "pad-flush", "", "m0+50w> v0>0* w50> flush!> v0>0* w50> m50+50b!>50=" },
  { "pad-mask-flush", "", "m0+50w> v0>0* m50+50w> mflush> w50> m50+50b!>50=" },
  { "pad-masks-before-frames", "", "m0+50b> m50+50b> m100+50w> v100>100* meos> v150>150*" },
  { "pad-masks-back", "", "m100+50w> m0+50b> v0>0= w50> m50+50w!>50*" },
  { "pad-segment", "", "msegment100> m100+50w> m150+50b> v0>0* v50>50=" }, /* running time starts there, too */
  { "pad-outside-segment", "", "msegment100> m0+50w> m100+50b> v0>0=" },
  { "pad-eos-frames", "",
    "m0+50w> v0>0* eos> m50+50w> m100+50w> m150+50w> m200+50w> m250+50w> m300+50w> m350+50w> m400+50w> m450+50w> m500+50w>" },
};

typedef struct
{
  Run *r;
  GstHarness *masks; /* NULL: no pad */
  GHashTable *sent;  /* memories to buffers */
  GThread *waiting;
  GstBuffer *buffer;
  int started, finished; /* atomic */
} Streams;

/* A mask of another size than the frame. */
static GstBuffer *
mask_buffer (int value, GstClockTime pts, GstClockTime duration)
{
  GstBuffer *b = gst_buffer_new_allocate (NULL, 20 * 12, NULL);
  gst_buffer_memset (b, 0, value, -1);
  GST_BUFFER_PTS (b) = pts;
  GST_BUFFER_DURATION (b) = duration;
  return b;
}

static GstHarness *
mask_harness (GstElement *element, const char *caps)
{
  GstHarness *h = gst_harness_new_with_element (element, "mask", NULL);
  gst_harness_set_src_caps_str (h, caps);
  return h;
}

static void
append_left (Streams *s, GString *log)
{
  GstBuffer *b;
  for (gboolean more = FALSE; (b = gst_harness_try_pull (s->r->h)); more = TRUE) {
    const gpointer from = g_hash_table_lookup (s->sent, gst_buffer_peek_memory (b, 0));
    g_string_append_printf (log, "%s%d%s", more ? "," : "", (int) (GST_BUFFER_PTS (b) / MS), from == b ? "=" : from ? "~" : "*");
    gst_buffer_unref (b);
  }
}

static gpointer
push_waiting (gpointer data)
{
  Streams *s = data;
  g_atomic_int_set (&s->started, TRUE);
  gst_harness_push (s->r->h, s->buffer);
  g_atomic_int_set (&s->finished, TRUE);
  return NULL;
}

/* Whether the frame that waits has gone on, after at most this long. */
static gboolean
has_gone (Streams *s, int ms)
{
  while (!g_atomic_int_get (&s->started))
    g_usleep (1000);
  for (int i = 0; i < ms && !g_atomic_int_get (&s->finished); i++)
    g_usleep (1000);
  return g_atomic_int_get (&s->finished);
}

static void
frame_word (Streams *s, const char *word)
{
  char *end;
  const GstClockTime x = g_ascii_strtoull (word + 1, &end, 10) * MS;
  GstBuffer *b = run_frame (s->r, 100, x, PERIOD, *end == 'd' ? GST_BUFFER_FLAG_DISCONT : 0);
  g_hash_table_insert (s->sent, gst_memory_ref (gst_buffer_peek_memory (b, 0)), b);
  if (word[0] == 'v') {
    g_assert_cmpint (gst_harness_push (s->r->h, b), ==, GST_FLOW_OK);
    return;
  }
  s->buffer = b;
  g_atomic_int_set (&s->started, FALSE);
  g_atomic_int_set (&s->finished, FALSE);
  s->waiting = g_thread_new ("frame", push_waiting, s);
}

static void
push_segment (GstHarness *h, double rate, GstClockTime start, GstClockTime stop)
{
  GstSegment s;
  gst_segment_init (&s, GST_FORMAT_TIME);
  s.rate = rate;
  s.start = s.time = start;
  s.stop = stop;
  gst_harness_push_event (h, gst_event_new_segment (&s));
}

static void
push_flush (GstHarness *h)
{
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  push_segment (h, 1, 0, GST_CLOCK_TIME_NONE);
}

static void
mask_word (Streams *s, const char *word)
{
  const char *number = word + strcspn (word, "0123456789");
  char *end;
  const GstClockTime x = g_ascii_strtoull (number, &end, 10) * MS;
  const GstClockTime duration = *end == '+' ? g_ascii_strtoull (end + 1, &end, 10) * MS : GST_CLOCK_TIME_NONE;
  if (g_str_has_prefix (word, "mgap"))
    gst_harness_push_event (s->masks, gst_event_new_gap (x, duration));
  else if (g_str_has_prefix (word, "meos"))
    gst_harness_push_event (s->masks, gst_event_new_eos ());
  else if (g_str_has_prefix (word, "mflush"))
    push_flush (s->masks);
  else if (g_str_has_prefix (word, "msegment"))
    push_segment (s->masks, 1, x, GST_CLOCK_TIME_NONE);
  else if (g_str_has_prefix (word, "munlink")) {
    g_autoptr (GstPad) pad = gst_pad_get_peer (s->masks->srcpad);
    gst_pad_unlink (s->masks->srcpad, pad);
  } else if (g_str_has_prefix (word, "mstop")) {
    g_autoptr (GstPad) pad = gst_pad_get_peer (s->masks->srcpad);
    gst_element_release_request_pad (s->r->h->element, pad);
  } else
    g_assert_cmpint (gst_harness_push (s->masks, mask_buffer (*end == 'w' ? 255 : 0, x, duration)), ==, GST_FLOW_OK);
}

static void
word_in (Streams *s, const char *word)
{
  const char *number = word + strcspn (word, "0123456789");
  char *end;
  const GstClockTime x = g_ascii_strtoull (number, &end, 10) * MS;
  Run *r = s->r;
  if (word[0] == 'm')
    mask_word (s, word);
  else if (word[0] == 'v' || word[0] == 'w')
    frame_word (s, word);
  else if (g_str_has_prefix (word, "eos"))
    gst_harness_push_event (r->h, gst_event_new_eos ());
  else if (g_str_has_prefix (word, "drain")) {
    g_autoptr (GstQuery) q = gst_query_new_drain ();
    gst_pad_peer_query (r->h->srcpad, q);
  } else if (g_str_has_prefix (word, "flush"))
    push_flush (r->h);
  else if (g_str_has_prefix (word, "segment"))
    push_segment (r->h, 1, x, GST_CLOCK_TIME_NONE);
  else if (g_str_has_prefix (word, "back"))
    push_segment (r->h, -1, 0, x);
  else if (g_str_has_prefix (word, "gap"))
    gst_harness_push_event (r->h, gst_event_new_gap (x, g_ascii_strtoull (end + 1, NULL, 10) * MS));
  else if (g_str_has_prefix (word, "size"))
    g_assert_true (run_caps (r, "GRAY8", x / MS, 20, 1));
  else if (g_str_has_prefix (word, "rate"))
    g_assert_true (run_caps (r, "GRAY8", 32, x / MS, 1));
  else
    g_assert_not_reached ();
}

static void
test_case (gconstpointer data)
{
  const Case *k = data;
  g_autofree char *element = g_strdup_printf (INPAINT "%s", k->properties);
  g_autoptr (Run) r = run_new (element, NULL, 0, 0, 0, NULL);
  g_autoptr (GHashTable) sent = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) gst_memory_unref, NULL);
  g_autoptr (GString) log = g_string_new ("");
  g_auto (GStrv) words = g_strsplit (k->log, " ", -1);
  Streams s = { .r = r, .sent = sent };
  if (g_str_has_prefix (k->name, "pad"))
    s.masks = mask_harness (r->h->element, "video/x-raw,format=GRAY8,width=20,height=12,framerate=0/1");
  g_assert_true (run_caps (r, "GRAY8", 32, 20, 1));
  push_segment (r->h, 1, 0, GST_CLOCK_TIME_NONE);
  for (char **w = words; *w; w++) {
    *strchr (*w, '>') = 0;
    const gboolean goes_on = g_str_has_suffix (*w, "!");
    word_in (&s, *w);
    if (s.waiting) {
      if (has_gone (&s, goes_on ? 10000 : 20) != goes_on)
        g_test_message ("at %s", *w);
      g_assert_true (g_atomic_int_get (&s.finished) == goes_on);
      if (goes_on)
        g_thread_join (g_steal_pointer (&s.waiting));
    }
    g_string_append_printf (log, "%s%s>", log->len ? " " : "", *w);
    append_left (&s, log);
  }
  g_assert_cmpstr (log->str, ==, k->log);
  g_assert_cmpuint (run_stat (r, "in"), >=, run_stat (r, "out"));
  if (s.masks)
    gst_harness_teardown (s.masks);
}

/* ---- one thing at a time ------------------------------------------------------------------------ */

/* Pushes a frame; whether something was removed from it. */
static gboolean
is_masked (Run *r, GstBuffer *b)
{
  const GstMemory *memory = gst_buffer_peek_memory (b, 0);
  g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
  g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
  g_assert_nonnull (out);
  return gst_buffer_peek_memory (out, 0) != memory;
}

static gboolean
frame_is_masked (Run *r, int ms)
{
  return is_masked (r, run_frame (r, 100, ms * MS, PERIOD, 0));
}

/* In READY malformed rectangles are an error when it starts; in PLAYING they are refused, and the old ones stay. */
static void
test_rects (void)
{
  static const char *const bad[] = { "10,10,50",         "10,10,50,",       "10,10,0,5", "10,10,5,-5",        "a,b,c,d",
                                     "1,2,3,4;;5,6,7,8", "1,2,3,4 5,6,7,8", "1.5,2,3,4", "99999999999,0,1,1", ";" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GstElement) e = gst_object_ref_sink (gst_element_factory_make ("vfiinpaint", NULL));
    g_autoptr (GstBus) bus = gst_bus_new ();
    gst_element_set_bus (e, bus);
    g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*mask-rects: * is no rectangle*");
    g_object_set (e, "mask-rects", bad[i], NULL);
    g_test_assert_expected_messages ();
    g_assert_cmpint (gst_element_set_state (e, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
    g_autoptr (GstMessage) m = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    g_autoptr (GError) error = NULL;
    g_assert_nonnull (m);
    gst_message_parse_error (m, &error, NULL);
    g_assert_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
    g_assert_nonnull (strstr (error->message, "mask-rects=\"16,16,120,48;600,330,32,24\"")); /* an example */
    gst_element_set_state (e, GST_STATE_NULL);
    gst_element_set_bus (e, NULL);
  }
  g_autoptr (Run) r = run_new (INPAINT, "GRAY8", 32, 20, 1, NULL);
  g_assert_false (frame_is_masked (r, 0));
  g_object_set (r->h->element, "mask-rects", " 1, 2 ,3 , 4 ; 5,6,7,8; ", NULL);
  g_assert_true (frame_is_masked (r, 50));
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*\"1,2,3\" at character 1*");
  g_object_set (r->h->element, "mask-rects", "1,2,3", NULL);
  g_test_assert_expected_messages ();
  g_assert_true (frame_is_masked (r, 100));
  g_object_set (r->h->element, "mask-rects", "", NULL);
  g_assert_false (frame_is_masked (r, 150));
}

/* A picture file of 16 x 16 pixels, the upper half `on` and the lower `off`; FALSE (and skipped) where GStreamer cannot make it. */
static gboolean
write_picture (const char *path, const char *encoder, const char *format, const guint8 *on, const guint8 *off)
{
  const int step = g_str_equal (format, "GRAY8") ? 1 : g_str_equal (format, "RGB") ? 3 : 4;
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (encoder);
  if (!factory) {
    g_autofree char *text = g_strdup_printf ("there is no element %s", encoder);
    g_test_skip (text);
    return FALSE;
  }
  g_autofree char *line = g_strdup_printf (
      "appsrc name=src format=time caps=video/x-raw,format=%s,width=16,height=16,framerate=1/1 ! %s ! filesink location=%s", format,
      encoder, path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL), src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstBuffer *b = gst_buffer_new_allocate (NULL, 256 * step, NULL);
  for (int i = 0; i < 256; i++)
    gst_buffer_fill (b, i * step, i < 128 ? on : off, step);
  GST_BUFFER_PTS (b) = 0;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_app_src_push_buffer (GST_APP_SRC (src), b);
  gst_app_src_end_of_stream (GST_APP_SRC (src));
  g_autoptr (GstMessage) m = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_true (m && GST_MESSAGE_TYPE (m) == GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return TRUE;
}

/* A picture of any kind and size, bright where something goes, or opaque where it has transparent parts. */
static void
test_location (void)
{
  static const struct
  {
    const char *encoder, *format;
    guint8 on[4], off[4];
    gboolean removes;
  } pictures[] = {
    { "pnmenc", "GRAY8", { 255 }, { 0 }, TRUE },
    { "pnmenc", "GRAY8", { 100 }, { 0 }, FALSE },
    { "jpegenc", "GRAY8", { 255 }, { 0 }, TRUE },
    { "pngenc", "GRAY8", { 128 }, { 0 }, TRUE },
    { "pngenc", "GRAY8", { 127 }, { 0 }, FALSE },
    { "pngenc", "RGB", { 128, 128, 128 }, { 0 }, TRUE },
    { "pngenc", "RGB", { 127, 127, 127 }, { 0 }, FALSE },
    { "pngenc", "RGB", { 0, 0, 255 }, { 0 }, FALSE }, /* blue is dark */
    { "pngenc", "RGBA", { 0, 0, 0, 255 }, { 0, 0, 0, 0 }, TRUE },
    { "pngenc", "RGBA", { 0, 0, 0, 255 }, { 0, 0, 0, 255 }, FALSE },
    { "pngenc", "RGBA", { 255, 255, 255, 255 }, { 0, 0, 0, 255 }, TRUE },
    { "pngenc", "RGBA", { 255, 255, 255, 0 }, { 255, 255, 255, 0 }, FALSE },
  };
  g_autofree char *dir = g_dir_make_tmp ("vfiinpaint-XXXXXX", NULL), *path = g_build_filename (dir, "a mask", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++) {
    g_autofree char *quoted = g_strdup_printf ("\"%s\"", path), *element = g_strdup_printf (INPAINT "dilate=0 mask-location=%s", quoted);
    if (!write_picture (quoted, pictures[i].encoder, pictures[i].format, pictures[i].on, pictures[i].off))
      continue;
    g_test_message ("%s of %s, %d", pictures[i].encoder, pictures[i].format, pictures[i].on[0]);
    g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
    g_assert_true (frame_is_masked (r, 0) == pictures[i].removes);
    g_assert_true (frame_is_masked (r, 50) == pictures[i].removes);
    g_assert_cmpuint (run_stat (r, "removed"), ==, pictures[i].removes ? 2 * 32 * 16 : 0); /* it lies over the whole frame */
    g_unlink (path);
  }
  g_rmdir (dir);
}

/* Starting fails, with an error. */
static void
expect_no_start (const char *properties, GQuark domain, int code, const char *text)
{
  g_autofree char *line = g_strdup_printf (INPAINT "%s", properties);
  g_autoptr (GstElement) e = gst_object_ref_sink (gst_parse_launch (line, NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  gst_element_set_bus (e, bus);
  g_assert_cmpint (gst_element_set_state (e, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  g_autoptr (GstMessage) m = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_assert_nonnull (m);
  gst_message_parse_error (m, &error, NULL);
  g_test_message ("%s", error->message);
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, text));
  gst_element_set_state (e, GST_STATE_NULL);
  gst_element_set_bus (e, NULL);
}

static void
test_errors (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vfiinpaint-XXXXXX", NULL), *path = g_build_filename (dir, "mask.png", NULL),
                  *location = g_strdup_printf ("mask-location=%s", path);
  expect_no_start (location, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, path); /* not there */
  g_assert_true (g_file_set_contents (path, "This is no picture, but a text.\n", -1, NULL));
  expect_no_start (location, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, "It must be a picture");
  g_assert_true (g_file_set_contents (path, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0", 18, NULL)); /* the beginning of one */
  expect_no_start (location, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, path);
  g_unlink (path);
  g_rmdir (dir);
  expect_no_start ("mask-source=location", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "mask-location=FILE");
#ifndef HAVE_ANALYTICS
  expect_no_start ("mask-source=analytics", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "mask-source=roi");
#endif
  {
    g_autoptr (Run) r = run_new (INPAINT "mask-source=alpha", "I420", 32, 20, 1, NULL);
    run_expect_error (r, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "video/x-raw,format=RGBA");
    g_assert_cmpint (run_push (r, 1, 0, PERIOD, 0), ==, GST_FLOW_NOT_NEGOTIATED);
  }
  {
    g_autoptr (Run) r = run_new (INPAINT "mask-source=alpha", "RGBx", 32, 20, 1, NULL);
    run_expect_error (r, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "this video is RGBx");
  }
  {
    g_autoptr (Run) r = run_new (INPAINT "mask-source=pad", "I420", 32, 20, 1, NULL);
    run_expect_error (r, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "v.mask");
  }
  {
    g_autoptr (Run) r = run_new (INPAINT, NULL, 0, 0, 0, NULL);
    g_autoptr (GstCaps) caps =
        gst_caps_from_string ("video/x-raw,format=I420,width=32,height=32,framerate=20/1,interlace-mode=interleaved");
    gst_harness_push_event (r->h, gst_event_new_caps (caps));
    run_expect_error (r, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "deinterlace ! vfiinpaint");
  }
  {
    g_autoptr (Run) r = run_new (INPAINT "history=256 lookahead=64", "RGBA", 16384, 20, 1, NULL);
    run_expect_error (r, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "MiB: make them shorter");
  }
  static const char *const grey[] = { "video/x-raw,format=I420,width=20,height=12,framerate=20/1", "image/png" };
  for (guint i = 0; i < G_N_ELEMENTS (grey); i++) {
    g_autoptr (Run) r = run_new (INPAINT, "GRAY8", 32, 20, 1, NULL);
    g_autoptr (GstPad) mask = gst_element_request_pad_simple (r->h->element, "mask");
    g_autoptr (GstCaps) caps = gst_caps_from_string (grey[i]);
    gst_pad_send_event (mask, gst_event_new_stream_start ("masks"));
    gst_pad_send_event (mask, gst_event_new_caps (caps));
    run_expect_error (r, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "videoconvert ! video/x-raw,format=GRAY8");
    gst_element_release_request_pad (r->h->element, mask);
  }
}

/* One pad, under its name; its caps. */
static void
test_pad (void)
{
  g_autoptr (Run) r = run_new (INPAINT, "GRAY8", 32, 20, 1, NULL);
  g_autoptr (GstPad) mask = gst_element_request_pad_simple (r->h->element, "mask");
  g_autoptr (GstCaps) caps = gst_pad_query_caps (mask, NULL);
  g_assert_cmpstr (GST_PAD_NAME (mask), ==, "mask");
  g_assert_cmpstr (gst_structure_get_string (gst_caps_get_structure (caps, 0), "format"), ==, "GRAY8");
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*has its mask pad already*");
  g_assert_null (gst_element_request_pad (r->h->element, GST_PAD_PAD_TEMPLATE (mask), NULL, NULL));
  g_test_assert_expected_messages ();
  gst_element_release_request_pad (r->h->element, mask);
  gst_object_unref (mask);
  mask = gst_element_request_pad_simple (r->h->element, "mask");
  g_assert_nonnull (mask);
  gst_element_release_request_pad (r->h->element, mask);
}

/* Detected regions, all or those of a type. */
static void
test_roi (void)
{
  static const struct
  {
    const char *properties, *types[2];
    gboolean removes;
  } cases_[] = {
    { "", { NULL }, FALSE },
    { "invert=true", { NULL }, FALSE },
    { "", { "face" }, TRUE },
    { "mask-source=roi mask-rects=1,1,4,4", { NULL }, FALSE },
    { "mask-source=roi roi-type=plate", { "face" }, FALSE },
    { "mask-source=roi roi-type=plate", { "face", "plate" }, TRUE },
    { "mask-source=rects", { "face" }, FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases_); i++) {
    g_autofree char *element = g_strdup_printf (INPAINT "%s", cases_[i].properties);
    g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
    GstBuffer *b = run_frame (r, 100, 0, PERIOD, 0);
    for (int k = 0; k < 2 && cases_[i].types[k]; k++)
      gst_buffer_add_video_region_of_interest_meta (b, cases_[i].types[k], 4 * k, 4, 8, 8);
    g_test_message ("%s", element);
    g_assert_true (is_masked (r, b) == cases_[i].removes);
    g_assert_false (frame_is_masked (r, 50)); /* they are of one frame */
  }
}

#ifdef HAVE_ANALYTICS
/* Detected objects as GStreamer has them from 1.24 on; only if asked for. */
static void
test_analytics (void)
{
  static const struct
  {
    const char *properties, *types[2];
    gboolean removes;
  } cases_[] = {
    { "", { "face" }, FALSE },
    { "mask-source=analytics", { NULL }, FALSE },
    { "mask-source=analytics", { "face" }, TRUE },
    { "mask-source=analytics roi-type=plate", { "face" }, FALSE },
    { "mask-source=analytics roi-type=plate", { "face", "plate" }, TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases_); i++) {
    g_autofree char *element = g_strdup_printf (INPAINT "dilate=0 %s", cases_[i].properties);
    g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
    GstBuffer *b = run_frame (r, 100, 0, PERIOD, 0);
    GstAnalyticsRelationMeta *meta = gst_buffer_add_analytics_relation_meta (b);
    for (int k = 0; k < 2 && cases_[i].types[k]; k++) {
      GstAnalyticsODMtd object;
      g_assert_true (
          gst_analytics_relation_meta_add_od_mtd (meta, g_quark_from_string (cases_[i].types[k]), 3 + k, 5, 6, 7, 0.9f, &object));
    }
    g_test_message ("%s", element);
    g_assert_true (is_masked (r, b) == cases_[i].removes);
    g_assert_cmpuint (run_stat (r, "removed"), ==, cases_[i].removes ? 6 * 7 : 0);
    g_assert_false (frame_is_masked (r, 50));
  }
}
#endif

/* ---- pixels, and what else belongs to a frame --------------------------------------------------- */

/* Noise, another one for each frame. */
static GstBuffer *
noise (const GstVideoInfo *info, guint32 seed, GstClockTime pts)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  GstBuffer *b = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  GstVideoFrame f;
  GstMapInfo map;
  gst_buffer_map (b, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = g_rand_int_range (rand, 0, 256);
  gst_buffer_unmap (b, &map);
  /* 10 bits are not 16. */
  g_assert_true (gst_video_frame_map (&f, info, b, GST_MAP_READWRITE));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&f) && GST_VIDEO_FRAME_COMP_DEPTH (&f, c) > 8; c++) {
    guint16 *plane = GST_VIDEO_FRAME_PLANE_DATA (&f, GST_VIDEO_FRAME_COMP_PLANE (&f, c));
    const int n = GST_VIDEO_FRAME_COMP_STRIDE (&f, c) / 2 * GST_VIDEO_FRAME_COMP_HEIGHT (&f, c);
    for (int i = 0; i < n; i++)
      plane[i] &= GST_VIDEO_FORMAT_INFO_SHIFT (f.info.finfo, c) ? 0xffc0 : 0x3ff;
  }
  gst_video_frame_unmap (&f);
  GST_BUFFER_PTS (b) = pts;
  GST_BUFFER_DURATION (b) = PERIOD;
  return b;
}

/* Number of bytes that differ where they must not: in planes' pixels that lie wholly outside of the square. */
static int
differ_outside (const GstVideoInfo *info, GstBuffer *a, GstBuffer *b, int left, int top, int right, int bottom, int *inside)
{
  GstVideoFrame fa, fb;
  int n = 0;
  *inside = 0;
  g_assert_true (gst_video_frame_map (&fa, info, a, GST_MAP_READ) && gst_video_frame_map (&fb, info, b, GST_MAP_READ));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&fa); c++) {
    const int sub_x = GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, c), sub_y = GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, c);
    const int step = GST_VIDEO_FRAME_COMP_PSTRIDE (&fa, c), bytes = GST_VIDEO_FRAME_COMP_DEPTH (&fa, c) > 8 ? 2 : 1;
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&fa, c); y++)
      for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&fa, c); x++) {
        const gboolean in = ((x + 1) << sub_x) > left && (x << sub_x) < right && ((y + 1) << sub_y) > top && (y << sub_y) < bottom;
        const int offset = y * GST_VIDEO_FRAME_COMP_STRIDE (&fa, c) + x * step;
        const int d = memcmp ((guint8 *) GST_VIDEO_FRAME_COMP_DATA (&fa, c) + offset,
                              (guint8 *) GST_VIDEO_FRAME_COMP_DATA (&fb, c) + offset, bytes) != 0;
        *(in ? inside : &n) += d;
      }
  }
  gst_video_frame_unmap (&fa);
  gst_video_frame_unmap (&fb);
  return n;
}

/* Outside of the grown and feathered mask every format comes out as it went in, byte for byte. */
static void
test_format (gconstpointer data)
{
  static const int sizes[][2] = { { 48, 40 }, { 37, 41 } };
  const int format = GPOINTER_TO_INT (data);
  for (guint k = 0; k < G_N_ELEMENTS (sizes); k++) {
    g_autofree char *text =
        g_strdup_printf ("video/x-raw,format=%s,width=%d,height=%d,framerate=20/1", vfi_format_name (format), sizes[k][0], sizes[k][1]);
    g_autoptr (Run) r = run_new (INPAINT "mask-rects=14,12,8,8 dilate=2 feather=3", NULL, 0, 0, 0, NULL);
    g_autoptr (GstCaps) caps = gst_caps_from_string (text);
    GstVideoInfo info;
    g_assert_true (gst_video_info_from_caps (&info, caps));
    gst_harness_set_src_caps (r->h, g_steal_pointer (&caps));
    for (int i = 0; i < 3; i++) {
      g_autoptr (GstBuffer) in = noise (&info, i, i * PERIOD), copy = gst_buffer_copy_deep (in);
      int inside;
      g_assert_cmpint (gst_harness_push (r->h, gst_buffer_ref (in)), ==, GST_FLOW_OK);
      g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
      g_assert_cmpint (differ_outside (&info, out, copy, 14 - 5, 12 - 5, 22 + 5, 20 + 5, &inside), ==, 0);
      g_assert_cmpint (differ_outside (&info, in, copy, 0, 0, 0, 0, &inside), ==, 0); /* what came in is not written to */
    }
    g_assert_cmpuint (run_stat (r, "masked"), ==, 3);
  }
}

enum
{
  SIZE = 64,
  OBJECT = 12, /* wide and high */
  AT = 20,
};

/* Something bright before a flat ground, and the mask of it: by rectangle, region or stream, the last at half the size. */
static void
test_removal (gconstpointer how)
{
  g_autofree char *element = g_strdup_printf (INPAINT "dilate=2 %s", (const char *) how);
  g_autoptr (Run) r = run_new (element, "GRAY8", SIZE, 20, 1, NULL);
  GstHarness *masks = g_str_equal (how, "mask-source=auto")
                          ? mask_harness (r->h->element, "video/x-raw,format=GRAY8,width=32,height=32,framerate=20/1")
                          : NULL;
  GstMapInfo map;
  for (int i = 0; i < 3; i++) {
    GstBuffer *b = run_frame (r, 100, i * PERIOD, PERIOD, 0), *m = gst_buffer_new_allocate (NULL, SIZE * SIZE / 4, NULL);
    gst_buffer_memset (m, 0, 0, -1);
    for (int y = AT; y < AT + OBJECT; y++) {
      gst_buffer_memset (b, y * SIZE + AT + 2 * i, 230, OBJECT); /* it moves */
      gst_buffer_memset (m, y / 2 * (SIZE / 2) + AT / 2 + i, 255, OBJECT / 2);
    }
    gst_buffer_add_video_region_of_interest_meta (b, "thing", AT + 2 * i, AT, OBJECT, OBJECT);
    GST_BUFFER_PTS (m) = i * PERIOD;
    if (masks)
      gst_harness_push (masks, m);
    else
      gst_buffer_unref (m);
    g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
    g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
    gst_buffer_map (out, &map, GST_MAP_READ);
    for (int k = 0; k < SIZE * SIZE; k++)
      g_assert_cmpint (ABS (map.data[k] - 100), <=, 1);
    gst_buffer_unmap (out, &map);
  }
  const guint64 removed = run_stat (r, "removed");
  if (!g_str_has_prefix (how, "mask-rects")) /* round corners, perhaps */
    g_assert_cmpuint (removed, <=, 3 * (OBJECT + 4) * (OBJECT + 4));
  g_assert_cmpuint (removed, >=, 3 * OBJECT * OBJECT);
  g_assert_cmpuint (run_stat (r, "past") + run_stat (r, "future") + run_stat (r, "spatial"), ==, removed);
  if (masks)
    gst_harness_teardown (masks);
}

/* What is transparent is filled, and opaque when it leaves; what is half transparent elsewhere stays so. */
static void
test_alpha (gconstpointer format)
{
  g_autoptr (Run) r = run_new (INPAINT "mask-source=alpha dilate=0 feather=0", format, 32, 20, 1, NULL);
  GstBuffer *b = run_frame (r, 200, 0, PERIOD, 0);
  GstMapInfo map;
  g_assert_false (is_masked (r, b)); /* 200 is not transparent */
  for (int invert = 0; invert < 2; invert++) {
    g_object_set (r->h->element, "invert", invert, NULL);
    b = run_frame (r, 200, (1 + invert) * PERIOD, PERIOD, 0);
    for (int y = 8; y < 16; y++)
      for (int x = 8; x < 16; x++)
        gst_buffer_memset (b, 4 * (y * 32 + x), 0, 4), gst_buffer_memset (b, 4 * (y * 32 + x) + 3, x < 12 ? 0 : 127, 1);
    g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
    g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
    g_assert_cmpuint (run_stat (r, "masked"), ==, 1 + invert);
    gst_buffer_map (out, &map, GST_MAP_READ);
    for (int y = 0; y < 32; y++)
      for (int x = 0; x < 32; x++) {
        const gboolean hole = x >= 8 && x < 16 && y >= 8 && y < 16;
        g_assert_cmpint (map.data[4 * (y * 32 + x) + 3], ==, hole != invert ? 255 : invert ? (x < 12 ? 0 : 127) : 200);
        if (!invert)
          g_assert_cmpint (map.data[4 * (y * 32 + x)], ==, 200);
      }
    gst_buffer_unmap (out, &map);
  }
}

/* Times, flags and metas of a frame from which something is removed are those that came. */
static void
test_kept (void)
{
  const guint flags = GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC | GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_CORRUPTED;
  static const guint8 caption[] = { 0x14, 0x20 };
  g_autoptr (Run) r = run_new (INPAINT "mask-rects=4,4,9,9", "GRAY8", 32, 20, 1, NULL);
  GstBuffer *b = run_frame (r, 100, 50 * MS, 33 * MS, flags);
  GST_BUFFER_DTS (b) = 20 * MS;
  GST_BUFFER_OFFSET (b) = 7;
  GST_BUFFER_OFFSET_END (b) = 8;
  gst_buffer_add_video_caption_meta (b, GST_VIDEO_CAPTION_TYPE_CEA608_RAW, caption, sizeof caption);
  gst_buffer_add_video_region_of_interest_meta (b, "face", 1, 2, 3, 4);
  g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
  g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
  g_assert_cmpuint (run_stat (r, "masked"), ==, 1);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, 50 * MS);
  g_assert_cmpuint (GST_BUFFER_DTS (out), ==, 20 * MS);
  g_assert_cmpuint (GST_BUFFER_DURATION (out), ==, 33 * MS);
  g_assert_cmpuint (GST_BUFFER_OFFSET (out), ==, 7);
  g_assert_cmpuint (GST_BUFFER_OFFSET_END (out), ==, 8);
  g_assert_cmpuint (GST_BUFFER_FLAGS (out) & flags, ==, flags);
  const GstVideoRegionOfInterestMeta *roi =
      (GstVideoRegionOfInterestMeta *) gst_buffer_get_meta (out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
  g_assert_true (roi && roi->x == 1 && roi->y == 2 && roi->w == 3 && roi->h == 4);
  g_assert_nonnull (gst_buffer_get_video_caption_meta (out));
}

static void
test_stats (void)
{
  g_autoptr (Run) r = run_new (INPAINT "lookahead=1", "GRAY8", 32, 20, 1, NULL);
  for (int i = 0; i < 4; i++) {
    g_object_set (r->h->element, "mask-rects", i % 2 ? "2,2,4,4" : "", NULL);
    run_push (r, 1, i * PERIOD, PERIOD, 0);
  }
  g_assert_cmpuint (run_stat (r, "in"), ==, 4);
  g_assert_cmpuint (run_stat (r, "out"), ==, 3);
  g_assert_cmpuint (run_stat (r, "masked"), ==, 1);
  gst_harness_push_event (r->h, gst_event_new_eos ());
  g_assert_cmpuint (run_stat (r, "out"), ==, 4);
  g_assert_cmpuint (run_stat (r, "masked"), ==, 2);
  g_assert_cmpuint (run_stat (r, "past") + run_stat (r, "future") + run_stat (r, "spatial"), ==, run_stat (r, "removed"));
}

/* Options that change while frames come hold from the next frame on. */
static void
test_options (void)
{
  g_autoptr (Run) r = run_new (INPAINT "mask-rects=10,10,8,8 dilate=0 lookahead=1", "GRAY8", 32, 20, 1, NULL);
  run_push (r, 100, 0, PERIOD, 0);
  g_object_set (r->h->element, "dilate", 2, NULL);
  run_push (r, 100, PERIOD, PERIOD, 0);
  g_assert_cmpuint (run_stat (r, "removed"), ==, 8 * 8); /* of the first, which came before */
  g_object_set (r->h->element, "dilate", 0, "invert", TRUE, NULL);
  run_push (r, 100, 2 * PERIOD, PERIOD, 0);
  const guint64 second = run_stat (r, "removed") - 8 * 8;
  g_assert_cmpuint (second, >, 8 * 8 + 4 * 2 * 8 - 1); /* a frame of two pixels, but for the corners */
  g_assert_cmpuint (second, <=, 12 * 12);
  gst_harness_push_event (r->h, gst_event_new_eos ());
  g_assert_cmpuint (run_stat (r, "removed"), ==, 8 * 8 + second + 32 * 32 - 8 * 8);
}

/* ---- live --------------------------------------------------------------------------------------- */

/* Without a mask pad there is what frames come with, and the time of the work (a guess at first: half a period); look-ahead adds its frames. With
 * the pad, the later of the two streams counts, and half a period for masks that are late. */
static void
test_latency (void)
{
  static const struct
  {
    const char *properties;
    int masks, latency; /* ms; masks: -1 no pad */
  } cases_[] = {
    { "", -1, 10 + 25 },      { "lookahead=3", -1, 10 + 150 + 25 },     { "mask-rects=1,1,4,4", -1, 10 + 25 }, { "", 5, 10 + 25 + 25 },
    { "", 40, 40 + 25 + 25 }, { "lookahead=2", 40, 40 + 25 + 100 + 25 }
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases_); i++) {
    g_autofree char *element = g_strdup_printf (INPAINT "%s", cases_[i].properties);
    g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
    g_autoptr (GstQuery) q = gst_query_new_latency ();
    GstHarness *masks = NULL;
    GstClockTime min, max;
    gboolean live;
    gst_harness_set_upstream_latency (r->h, 10 * MS);
    if (cases_[i].masks >= 0) {
      masks = mask_harness (r->h->element, "video/x-raw,format=GRAY8,width=20,height=12,framerate=0/1");
      gst_harness_set_upstream_latency (masks, cases_[i].masks * MS);
    }
    g_assert_true (gst_pad_peer_query (r->h->sinkpad, q));
    gst_query_parse_latency (q, &live, &min, &max);
    g_assert_true (live);
    g_assert_cmpuint (min, ==, cases_[i].latency * MS);
    if (masks)
      gst_harness_teardown (masks);
  }
}

/* A live frame waits for its mask no longer than the latency says; then the last mask holds on. */
static void
test_late_mask (void)
{
  g_autoptr (Run) r = run_new (INPAINT, "GRAY8", 32, 20, 1, NULL);
  GstHarness *masks = mask_harness (r->h->element, "video/x-raw,format=GRAY8,width=20,height=12,framerate=20/1");
  g_autoptr (GstQuery) q = gst_query_new_latency ();
  Streams s = { .r = r };
  gst_harness_use_testclock (r->h);
  gst_harness_set_upstream_latency (r->h, 10 * MS);
  gst_harness_set_upstream_latency (masks, 20 * MS);
  g_assert_true (gst_pad_peer_query (r->h->sinkpad, q));
  gst_harness_push (masks, mask_buffer (255, 0, PERIOD));
  gst_harness_set_time (r->h, 10 * MS);
  g_assert_true (frame_is_masked (r, 0));

  s.buffer = run_frame (r, 100, 100 * MS, PERIOD, 0);
  gst_harness_set_time (r->h, 144 * MS);
  s.waiting = g_thread_new ("frame", push_waiting, &s);
  g_assert_false (has_gone (&s, 50));
  gst_harness_set_time (r->h, 145 * MS); /* the frame's time, 20 ms, half a period */
  g_assert_true (has_gone (&s, 10000));
  g_thread_join (s.waiting);
  g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
  g_assert_nonnull (out);
  g_assert_cmpuint (run_stat (r, "masked"), ==, 2);
  gst_harness_teardown (masks);
}

/* The same where the pad was requested only after latency was last asked for. */
static void
test_late_mask_new_pad (void)
{
  g_autoptr (Run) r = run_new (INPAINT, "GRAY8", 32, 20, 1, NULL);
  g_autoptr (GstQuery) q = gst_query_new_latency ();
  Streams s = { .r = r };
  gst_harness_use_testclock (r->h);
  gst_harness_set_upstream_latency (r->h, 10 * MS);
  g_assert_true (gst_pad_peer_query (r->h->sinkpad, q));
  GstHarness *masks = mask_harness (r->h->element, "video/x-raw,format=GRAY8,width=20,height=12,framerate=20/1");
  s.buffer = run_frame (r, 100, 100 * MS, PERIOD, 0);
  gst_harness_set_time (r->h, 134 * MS);
  s.waiting = g_thread_new ("frame", push_waiting, &s);
  g_assert_false (has_gone (&s, 50));
  gst_harness_set_time (r->h, 135 * MS);
  g_assert_true (has_gone (&s, 10000));
  g_thread_join (s.waiting);
  g_assert_cmpuint (run_stat (r, "out"), ==, 1);
  gst_harness_teardown (masks);
}

/* A live stream of frames alone, and the mask pad comes and goes: each time there is a new latency. */
static void
test_latency_messages (void)
{
  g_autoptr (Run) r = run_new (INPAINT, "GRAY8", 32, 20, 1, NULL);
  GstMessage *m;
  int n = 0;
  while ((m = gst_bus_pop_filtered (r->bus, GST_MESSAGE_LATENCY)))
    gst_message_unref (m);
  g_autoptr (GstPad) mask = gst_element_request_pad_simple (r->h->element, "mask");
  for (n = 0; (m = gst_bus_pop_filtered (r->bus, GST_MESSAGE_LATENCY)); n++)
    gst_message_unref (m);
  g_assert_cmpint (n, ==, 1);
  gst_element_release_request_pad (r->h->element, mask);
  for (n = 0; (m = gst_bus_pop_filtered (r->bus, GST_MESSAGE_LATENCY)); n++)
    gst_message_unref (m);
  g_assert_cmpint (n, ==, 1);
}

/* ---- pipelines ---------------------------------------------------------------------------------- */

static GstElement *
parse (const char *line)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  return pipeline;
}

static guint64
stat_of (GstElement *pipeline, const char *name)
{
  g_autoptr (GstElement) vfi = gst_bin_get_by_name (GST_BIN (pipeline), "vfi");
  g_autoptr (GstStructure) stats = NULL;
  guint64 value;
  g_object_get (vfi, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

static void
play (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) m = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (m);
  if (GST_MESSAGE_TYPE (m) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;
    gst_message_parse_error (m, &error, NULL);
    g_assert_no_error (error);
  }
}

#define VIDEO "videotestsrc num-buffers=40 pattern=black ! video/x-raw,format=I420,width=64,height=48,framerate=20/1 ! "
#define VFI INPAINT "! fakesink "

/* Two streams with threads of their own, to their end; up and down through the states. */
static void
test_streams (void)
{
  static const struct
  {
    const char *masks;
    int masked;
  } streams[] = {
    { "videotestsrc num-buffers=40 pattern=white ! video/x-raw,format=GRAY8,width=30,height=20,framerate=20/1 ! vfi.mask", 40 },
    { "videotestsrc num-buffers=40 pattern=black ! video/x-raw,format=GRAY8,width=30,height=20,framerate=20/1 ! vfi.mask", 0 },
    { "videotestsrc num-buffers=20 pattern=white ! video/x-raw,width=64,height=48,framerate=10/1 ! videoconvert ! vfi.mask", 40 },
    { "videotestsrc num-buffers=160 pattern=white ! video/x-raw,format=GRAY8,width=30,height=20,framerate=40/1 ! vfi.mask", 40 },
    { "videotestsrc num-buffers=1 pattern=white ! video/x-raw,format=GRAY8,width=30,height=20 ! vfi.mask", 40 },
    { "videotestsrc num-buffers=20 timestamp-offset=1000000000 pattern=white ! video/x-raw,format=GRAY8,framerate=20/1 ! vfi.mask", 20 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    g_autofree char *line = g_strdup_printf (VIDEO VFI "%s", streams[i].masks);
    g_autoptr (GstElement) pipeline = parse (line);
    for (int k = 0; k < 2; k++) {
      g_test_message ("%s", streams[i].masks);
      play (pipeline);
      g_assert_cmpuint (stat_of (pipeline, "in"), ==, 40);
      g_assert_cmpuint (stat_of (pipeline, "out"), ==, 40);
      g_assert_cmpuint (stat_of (pipeline, "masked"), ==, streams[i].masked);
      gst_element_set_state (pipeline, k ? GST_STATE_NULL : GST_STATE_READY);
    }
  }
}

/* A frame waits for masks that never come: the pipeline ends all the same, at once. */
static void
test_shutdown (gconstpointer state)
{
  for (int i = 0; i < 5; i++) {
    g_autoptr (GstElement) pipeline = parse (VIDEO VFI "appsrc name=masks format=time caps=video/x-raw,format=GRAY8,width=8,height=8,"
                                                       "framerate=20/1 ! vfi.mask");
    gst_element_set_state (pipeline, GPOINTER_TO_INT (state));
    g_usleep (i * 5000);
    const gint64 start = g_get_monotonic_time ();
    gst_element_set_state (pipeline, GST_STATE_NULL);
    g_assert_cmpint (g_get_monotonic_time () - start, <, 5 * G_USEC_PER_SEC);
    gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  }
}

static GstPadProbeReturn
count_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  g_atomic_int_inc ((int *) n);
  return GST_PAD_PROBE_OK;
}

static void
wait_for (const int *n, int most)
{
  const int goal = g_atomic_int_get (n) + most;
  for (int i = 0; i < 10000 && g_atomic_int_get (n) < goal; i++)
    g_usleep (1000);
  g_assert_cmpint (g_atomic_int_get (n), >=, goal);
}

/* The pad is requested and released while frames run. */
static void
test_request_in_playing (void)
{
  g_autoptr (GstElement) pipeline = parse ("videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=48,framerate=100/1 ! " VFI);
  g_autoptr (GstElement) vfi = gst_bin_get_by_name (GST_BIN (pipeline), "vfi");
  g_autoptr (GstPad) src = gst_element_get_static_pad (vfi, "src");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  int n = 0;
  gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER, count_buffer, &n, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_for (&n, 5);
  g_assert_cmpuint (stat_of (pipeline, "masked"), ==, 0);
  for (int i = 0; i < 3; i++) {
    GstElement *masks = gst_parse_bin_from_description (
        "videotestsrc is-live=true pattern=white ! video/x-raw,format=GRAY8,width=64,height=48,framerate=50/1", TRUE, NULL);
    gst_bin_add (GST_BIN (pipeline), masks);
    g_autoptr (GstPad) from = gst_element_get_static_pad (masks, "src"), to = gst_element_request_pad_simple (vfi, "mask");
    g_assert_cmpint (gst_pad_link (from, to), ==, GST_PAD_LINK_OK);
    gst_element_sync_state_with_parent (masks);
    const guint64 before = stat_of (pipeline, "masked");
    wait_for (&n, 10);
    for (int k = 0; k < 10000 && stat_of (pipeline, "masked") < before + 5; k++)
      g_usleep (1000);
    g_assert_cmpuint (stat_of (pipeline, "masked"), >=, before + 5);
    if (i == 1) { /* the stream of masks stops first, or the pad goes first */
      gst_element_set_state (masks, GST_STATE_NULL);
      gst_pad_unlink (from, to);
    }
    gst_element_release_request_pad (vfi, to);
    gst_element_set_state (masks, GST_STATE_NULL);
    gst_bin_remove (GST_BIN (pipeline), masks);
    wait_for (&n, 2);
    const guint64 after = stat_of (pipeline, "masked");
    wait_for (&n, 5);
    g_assert_cmpuint (stat_of (pipeline, "masked"), ==, after);
  }
  g_autoptr (GstMessage) m = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_null (m);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* A flushing seek reaches the masks, too, and frames played backwards find theirs. */
static void
test_seek (void)
{
  g_autoptr (GstElement) pipeline = parse (
      "videotestsrc ! video/x-raw,format=I420,width=64,height=48,framerate=20/1 ! " INPAINT "! appsink name=sink sync=false max-buffers=2 "
      "videotestsrc pattern=white ! video/x-raw,format=GRAY8,width=8,height=8,framerate=20/1 ! vfi.mask");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  g_assert_cmpint (gst_element_get_state (pipeline, NULL, NULL, 30 * GST_SECOND), ==, GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (int i = 0; i < 6; i++) {
    const gint64 start = (5 - i) * 400 * MS, stop = start + 500 * MS;
    g_assert_true (gst_element_seek (pipeline, i == 3 ? -1.0 : 1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
                                     GST_SEEK_TYPE_SET, start, GST_SEEK_TYPE_SET, stop));
    const guint64 before = stat_of (pipeline, "out") - stat_of (pipeline, "masked");
    GstSample *sample;
    int n = 0;
    for (; (sample = gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 30 * GST_SECOND)); n++)
      gst_sample_unref (sample);
    g_assert_cmpint (n, >=, 10);
    g_assert_cmpint (n, <=, 11);
    g_assert_true (gst_app_sink_is_eos (GST_APP_SINK (sink)));
    /* Each frame found its mask. */
    g_assert_cmpuint (stat_of (pipeline, "out") - stat_of (pipeline, "masked"), ==, before);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  run_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *name = g_strconcat ("/inpaint/", cases[i].name, NULL);
    g_test_add_data_func (name, &cases[i], test_case);
  }
  g_test_add_func ("/inpaint/rectangles", test_rects);
  g_test_add_func ("/inpaint/location", test_location);
  g_test_add_func ("/inpaint/errors", test_errors);
  g_test_add_func ("/inpaint/one-pad", test_pad);
  g_test_add_func ("/inpaint/roi", test_roi);
#ifdef HAVE_ANALYTICS
  g_test_add_func ("/inpaint/analytics", test_analytics);
#endif
  for (int i = 0; i < VFI_N_FORMATS; i++) {
    g_autofree char *name = g_strconcat ("/inpaint/format/", vfi_format_name (i), NULL);
    g_test_add_data_func (name, GINT_TO_POINTER (i), test_format);
  }
  g_test_add_data_func ("/inpaint/removal/rects", "mask-rects=20,20,16,12", test_removal);
  g_test_add_data_func ("/inpaint/removal/roi", "mask-source=roi roi-type=thing", test_removal);
  g_test_add_data_func ("/inpaint/removal/pad", "mask-source=auto", test_removal);
  g_test_add_data_func ("/inpaint/alpha/RGBA", "RGBA", test_alpha);
  g_test_add_data_func ("/inpaint/alpha/BGRA", "BGRA", test_alpha);
  g_test_add_func ("/inpaint/kept", test_kept);
  g_test_add_func ("/inpaint/stats", test_stats);
  g_test_add_func ("/inpaint/options", test_options);
  g_test_add_func ("/inpaint/latency", test_latency);
  g_test_add_func ("/inpaint/latency/messages", test_latency_messages);
  g_test_add_func ("/inpaint/late-mask", test_late_mask);
  g_test_add_func ("/inpaint/late-mask-new-pad", test_late_mask_new_pad);
  g_test_add_func ("/inpaint/streams", test_streams);
  g_test_add_data_func ("/inpaint/shutdown/paused", GINT_TO_POINTER (GST_STATE_PAUSED), test_shutdown);
  g_test_add_data_func ("/inpaint/shutdown/playing", GINT_TO_POINTER (GST_STATE_PLAYING), test_shutdown);
  g_test_add_func ("/inpaint/request-in-playing", test_request_in_playing);
  g_test_add_func ("/inpaint/seek", test_seek);
  return g_test_run ();
}
