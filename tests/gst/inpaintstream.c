/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiinpaint: which mask is for which frame, who waits for whom, and what leaves when; live, and in pipelines with threads of their own.
 */
#include <gst/app/gstappsink.h>

#include "inpaint.h"

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
  { "pad-gap-frames", "",
    "m0+50w> v0>0* gap50+500> m50+50w> m100+50w> m150+50w> m200+50w> m250+50w> m300+50w> m350+50w> m400+50w> m450+50w> m500+50w> m550+50b> "
    "v550>550=" },
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

/* When latency is asked for while no frame has got its mask yet. */
typedef enum
{
  BEFORE_PAD, /* the pad was requested only after that */
  NEVER,      /* sinks ask only when they have got a frame, and the first one waits */
  MEANWHILE,  /* while the frame waits, after latency has changed */
} Asked;

static void
test_late_mask_first_frame (gconstpointer data)
{
  const Asked asked = GPOINTER_TO_INT (data);
  const int due = asked == MEANWHILE ? 145 : 135; /* the frame's time, 20 or 10 ms, half a period */
  g_autoptr (Run) r = run_new (INPAINT, "GRAY8", 32, 20, 1, NULL);
  g_autoptr (GstQuery) q = gst_query_new_latency ();
  Streams s = { .r = r };
  gst_harness_use_testclock (r->h);
  gst_harness_set_upstream_latency (r->h, 10 * MS);
  if (asked == BEFORE_PAD)
    g_assert_true (gst_pad_peer_query (r->h->sinkpad, q));
  GstHarness *masks = mask_harness (r->h->element, "video/x-raw,format=GRAY8,width=20,height=12,framerate=20/1");
  s.buffer = run_frame (r, 100, 100 * MS, PERIOD, 0);
  s.waiting = g_thread_new ("frame", push_waiting, &s);
  g_assert_false (has_gone (&s, 50));
  if (asked == MEANWHILE) {
    gst_harness_set_upstream_latency (r->h, 20 * MS);
    g_assert_true (gst_pad_peer_query (r->h->sinkpad, q));
  }
  gst_harness_set_time (r->h, (due - 1) * MS);
  g_assert_false (has_gone (&s, 50));
  gst_harness_set_time (r->h, due * MS);
  const gboolean gone = has_gone (&s, 10000);
  if (!gone)
    gst_harness_push_event (masks, gst_event_new_eos ());
  g_thread_join (s.waiting);
  g_assert_true (gone);
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

/* Frames that left without a mask. */
static guint64
unmasked (GstElement *pipeline)
{
  g_autoptr (GstElement) vfi = gst_bin_get_by_name (GST_BIN (pipeline), "vfi");
  g_autoptr (GstStructure) stats = NULL; /* read once: frames run meanwhile */
  guint64 out, masked;
  g_object_get (vfi, "stats", &stats, NULL);
  g_assert_true (gst_structure_get (stats, "out", G_TYPE_UINT64, &out, "masked", G_TYPE_UINT64, &masked, NULL));
  g_assert_cmpuint (masked, <=, out);
  return out - masked;
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
    g_autoptr (GstElement) pipeline = pipeline_parse (line);
    for (int k = 0; k < 2; k++) {
      g_test_message ("%s", streams[i].masks);
      pipeline_play (pipeline);
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
    g_autoptr (GstElement) pipeline =
        pipeline_parse (VIDEO VFI "appsrc name=masks format=time caps=video/x-raw,format=GRAY8,width=8,height=8,"
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
  g_autoptr (GstElement) pipeline =
      pipeline_parse ("videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=48,framerate=100/1 ! " VFI);
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
  g_autoptr (GstElement) pipeline = pipeline_parse (
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
    const guint64 before = unmasked (pipeline);
    GstSample *sample;
    int n = 0;
    for (; (sample = gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 30 * GST_SECOND)); n++)
      gst_sample_unref (sample);
    g_assert_cmpint (n, >=, 10);
    g_assert_cmpint (n, <=, 11);
    g_assert_true (gst_app_sink_is_eos (GST_APP_SINK (sink)));
    /* Each frame found its mask. */
    g_assert_cmpuint (unmasked (pipeline), ==, before);
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
  g_test_add_func ("/inpaint/latency", test_latency);
  g_test_add_func ("/inpaint/latency/messages", test_latency_messages);
  g_test_add_func ("/inpaint/late-mask", test_late_mask);
  g_test_add_data_func ("/inpaint/late-mask-first-frame/asked-before-pad", GINT_TO_POINTER (BEFORE_PAD), test_late_mask_first_frame);
  g_test_add_data_func ("/inpaint/late-mask-first-frame/never-asked", GINT_TO_POINTER (NEVER), test_late_mask_first_frame);
  g_test_add_data_func ("/inpaint/late-mask-first-frame/asked-meanwhile", GINT_TO_POINTER (MEANWHILE), test_late_mask_first_frame);
  g_test_add_func ("/inpaint/streams", test_streams);
  g_test_add_data_func ("/inpaint/shutdown/paused", GINT_TO_POINTER (GST_STATE_PAUSED), test_shutdown);
  g_test_add_data_func ("/inpaint/shutdown/playing", GINT_TO_POINTER (GST_STATE_PLAYING), test_shutdown);
  g_test_add_func ("/inpaint/request-in-playing", test_request_in_playing);
  g_test_add_func ("/inpaint/seek", test_seek);
  return g_test_run ();
}
