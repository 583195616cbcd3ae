/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiinterp: what comes out for what goes in. The frames' values tell which frames a new one was made of: with weights of zeros
 * it is a blend.
 */
#include <math.h>

#include "support.h"

#include <glib/gstdio.h>
#include <sys/resource.h>

#define CPU "backend=cpu precision=fp32 threads=1 "

/* Input, times in ms: "0:10" a frame of value 10 at 0 for one period; with "d" discontinuous, with "x" corrupted, with "?" without a
 * duration, with "n" without a time stamp; "gap50+50"; "eos"; "flush"; "segment100-200"; "size48"; "rate40"; "drain", a query. */
typedef struct
{
  const char *name, *properties;
  int in;
  const char *outcaps; /* NULL: any */
  const char *input, *output;
} Case;

static const Case cases[] = {
  { "rate/twice", "", 20, NULL, "0:10 50:20 100:40 eos", "0+25=10 25+25:15 50+25=20 75+25:30 100+25=40 125+25~40 eos" },
  { "rate/multiplier", "multiplier=5/2", 20, NULL, "0:10 50:20 100:30 eos",
    "0+20=10 20+20:14 40+20:18 60+20:22 80+20:26 100+20=30 120+20~30 140+10~30 eos" },
  { "rate/caps-up", "", 20, "video/x-raw,framerate=80/1", "0:10 50:30",
    "0+12.500000=10 12.500000+12.500000:15 25+12.500000:20 37.500000+12.500000:25 50+12.500000=30" },
  { "rate/caps-down", "", 20, "video/x-raw,framerate=10/1", "0:10 50:20 100:30 150:40 eos", "0+100=10 100+100=30 eos" },
  { "rate/caps-range", "", 20, "video/x-raw,framerate=[1/1,30/1]", "0:10 50:16", "0+33.333333=10 33.333333+33.333333:14" },
  { "rate/one-frame", "", 20, NULL, "0:10 eos", "0+25=10 25+25~10 eos" },
  { "rate/no-frame", "", 20, NULL, "eos", "eos" },
  { "rate/variable", "", 0, NULL, "0:10? 25:20? 100:50? eos",
    "0+16.666666=10 16.666666+16.666667:17 33.333333+16.666667:23 50+16.666666:30 66.666666+16.666667:37 83.333333+16.666667:43 "
    "100+16.666666=50 116.666666+16.666667~50 eos" },
  { "rate/no-stamps", "", 20, NULL, "0n:10 0n:20 eos", "0+25=10 25+25:15 50+25=20 75+25~20 eos" },
  { "rate/max-gap", "max-gap=1", 20, NULL, "0:10 150:20 eos", "0+25=10 25+25~10 gap50+100 150+25=20 175+25~20 eos" },
  { "rate/back-in-time", "", 20, NULL, "100:10 150:20 50:30 100:40",
    "100+25=10 125+25:15 150+25=20 175+25~20 50+25=30 75+25:35 100+25=40" },
  { "rate/corrupted-is-kept", "", 20, NULL, "0:10 50x:20 100:30", "0+25=10 25+25:15 50+25=20 75+25:25 100+25=30" },
  { "rate/scene-threshold", "scene-threshold=0", 20, NULL, "0:10 50:20", "0+25=10 25+25~20 50+25~20" },
  { "slowmo", "mode=slowmo", 20, NULL, "0:10 50:20 100:40 eos", "0+50=10 50+50:15 100+50=20 150+50:30 200+50=40 250+50~40 eos" },
  { "slowmo/three-halves", "mode=slowmo multiplier=3/2", 20, NULL, "0:10 50:40 100:70 eos",
    "0+50=10 50+50:30 100+50:50 150+50=70 200+25~70 eos" },
  { "slowmo/faster", "mode=slowmo multiplier=1/2", 20, NULL, "0:10 50:20 100:30 150:40 eos", "0+50=10 50+50=30 eos" },
  { "slowmo/variable", "mode=slowmo", 0, "video/x-raw,framerate=20/1", "0:10? 40:20? eos", "0+50=10 50+50:16 100+46.666666~20 eos" },
  { "slowmo/gap", "mode=slowmo max-gap=0", 20, NULL, "gap0+100 100:10", "gap0+200 200+50=10" },
  { "slowmo/segment", "mode=slowmo", 20, NULL, "segment100-200 100:10 150:20 eos",
    "segment100-300*1 100+50=10 150+50:15 200+50=20 250+50~20 eos" },
  { "repair", "mode=repair", 20, NULL, "0:10 50:20 100x:99 150:30 250:50 eos",
    "0+50=10 50+50=20 100+50:25 150+50=30 200+50:40 250+50=50 eos" },
  { "repair/keeps-times", "mode=repair", 20, NULL, "0:10 47:20 103:30 eos", "0+50=10 47+50=20 103+50=30 eos" },
  { "repair/gap-event", "mode=repair", 20, NULL, "0:10 gap50+50 100:20", "0+50=10 50+50:15 100+50=20" },
  { "repair/max-gap", "mode=repair max-gap=1", 20, NULL, "0:10 50x:99 100x:99 150:20 300:30",
    "0+50=10 50+50~10 100+50~10 150+50=20 gap200+100 300+50=30" },
  { "duplicates/keep", "", 20, "video/x-raw,framerate=20/1", "0:10 50:10 100:20", "0+50=10 50+50=10 100+50=20" },
  { "duplicates/replace", "duplicates=replace", 20, "video/x-raw,framerate=20/1", "0:10 50:10 100:20 150:20 eos",
    "0+50=10 50+50:15 100+50=20 150+50=20 eos" },
  { "duplicates/still", "duplicates=replace max-gap=1", 20, NULL, "0:10 50:10 100:10 150:10",
    "0+25=10 25+25~10 50+25=10 75+25~10 100+25=10" },
  { "duplicates/repair", "mode=repair duplicates=replace", 20, NULL, "0:10 50:10 100:10 150:40", "0+50=10 50+50:20 100+50:30 150+50=40" },
  { "lookahead/waits", "lookahead=1", 20, NULL, "0:10 50:20", "0+25=10" },
  { "lookahead/comes", "lookahead=1", 20, NULL, "0:10 50:20 100:40", "0+25=10 25+25:15 50+25=20" },
  { "lookahead/eos", "lookahead=1", 20, NULL, "0:10 50:20 100:40 eos", "0+25=10 25+25:15 50+25=20 75+25:30 100+25=40 125+25~40 eos" },
  { "lookahead/flush", "lookahead=1", 20, NULL, "0:10 50:20 flush 200:30 250:50 300:70",
    "0+25=10 flush segment0-?*1 200+25=30 225+25:40 250+25=50" },
  { "lookahead/size", "lookahead=1", 20, NULL, "0:10 50:20 size48 100:30 150:50 200:70",
    "0+25=10 25+25:15 50+25=20 75+25~20 caps48@40/1 100+25=30 125+25:40 150+25=50" },
  { "lookahead/gap-does-not-wait", "lookahead=1", 20, NULL, "0:10 50:20 gap100+100", "0+25=10 25+25:15 50+25=20" },
  { "lookahead/slowmo", "lookahead=1 mode=slowmo multiplier=3", 20, NULL, "0:10 50:40 100:70", "0+50=10 50+50:20 100+50:30 150+50=40" },
  { "lookahead/repair", "lookahead=1 mode=repair", 20, NULL, "0:10 50:20 100x:99 150:30 200:40",
    "0+50=10 50+50=20 100+50:25 150+50=30 200+50=40" },
  { "lookahead/duplicates", "lookahead=1 duplicates=replace", 20, "video/x-raw,framerate=20/1", "0:10 50:10 100:20 150:20 200:30 eos",
    "0+50=10 50+50:15 100+50=20 150+50:25 200+50=30 eos" },
  { "event/discont", "", 20, NULL, "0:10 50:20 100d:40 eos", "0+25=10 25+25:15 50+25=20 75+25:30! 100+25=40! 125+25~40 eos" },
  { "event/flush", "", 20, NULL, "0:10 50:20 flush 200:30 250:50",
    "0+25=10 25+25:15 50+25=20 flush segment0-?*1 200+25=30 225+25:40 250+25=50" },
  { "event/segment", "", 20, NULL, "0:10 50:20 segment500-? 500:30 550:50",
    "0+25=10 25+25:15 50+25=20 75+25~20 segment500-?*1 500+25=30 525+25:40 550+25=50" },
  { "event/same-segment", "", 20, NULL, "0:10 segment0-? 50:20", "0+25=10 segment0-?*1 25+25:15 50+25=20" },
  { "event/segment-stop", "", 20, NULL, "segment0-80 0:10 50:20 eos", "segment0-80*1 0+25=10 25+25:15 50+25=20 75+5~20 eos" },
  { "event/size", "", 20, NULL, "0:10 50:20 size48 100:30 150:50",
    "0+25=10 25+25:15 50+25=20 75+25~20 caps48@40/1 100+25=30 125+25:40 150+25=50" },
  { "event/rate", "", 20, NULL, "0:10 50:20 rate40 100:30 125:50",
    "0+25=10 25+25:15 50+25=20 75+25~20 caps32@80/1 100+12.500000=30 112.500000+12.500000:40 125+12.500000=50" },
  { "event/same-caps", "", 20, NULL, "0:10 size32 50:20", "0+25=10 25+25:15 50+25=20" },
  { "event/gap", "max-gap=1", 20, NULL, "gap0+50 50:10 gap100+50 150:30 gap200+500 900:40",
    "gap0+50 50+25=10 75+25:15 100+25:20 125+25:25 150+25=30 175+25~30 gap200+500 900+25=40" },
  { "event/gap-eos", "", 20, NULL, "0:10 gap50+50 eos", "0+25=10 25+25~10 gap50+50 eos" },
  { "query/drain", "", 20, NULL, "0:10 50:20 drain 100:30", "0+25=10 25+25:15 50+25=20 75+25~20 100+25=30" },
};

static void
push_segment (Run *r, double rate, GstClockTime start, GstClockTime stop)
{
  GstSegment s;
  gst_segment_init (&s, GST_FORMAT_TIME);
  s.rate = rate;
  s.start = s.time = start;
  s.stop = stop;
  g_assert_true (gst_harness_push_event (r->h, gst_event_new_segment (&s)));
}

static void
test_case (gconstpointer data)
{
  const Case *k = data;
  g_autofree char *element = g_strdup_printf ("vfiinterp " CPU "%s", k->properties);
  g_autoptr (Run) r = run_new (element, "GRAY8", 32, k->in, 1, k->outcaps);
  g_auto (GStrv) words = g_strsplit (k->input, " ", -1);
  guint64 frames = 0;
  for (char **w = words; *w; w++) {
    const char *p = *w;
    while (g_ascii_isalpha (*p))
      p++;
    char *end;
    guint64 x = g_ascii_strtoull (p, &end, 10) * MS, y = 0;
    if (*end == '+' || (*end == '-' && end[1] != '?'))
      y = g_ascii_strtoull (end + 1, NULL, 10) * MS;
    if (g_str_equal (*w, "eos"))
      g_assert_true (gst_harness_push_event (r->h, gst_event_new_eos ()));
    else if (g_str_equal (*w, "drain")) {
      g_autoptr (GstQuery) q = gst_query_new_drain ();
      gst_pad_peer_query (r->h->srcpad, q);
    } else if (g_str_equal (*w, "flush")) {
      gst_harness_push_event (r->h, gst_event_new_flush_start ());
      gst_harness_push_event (r->h, gst_event_new_flush_stop (TRUE));
      push_segment (r, 1, 0, GST_CLOCK_TIME_NONE);
    } else if (g_str_has_prefix (*w, "gap"))
      g_assert_true (gst_harness_push_event (r->h, gst_event_new_gap (x, y)));
    else if (g_str_has_prefix (*w, "segment"))
      push_segment (r, 1, x, y ? y : GST_CLOCK_TIME_NONE);
    else if (g_str_has_prefix (*w, "size"))
      g_assert_true (run_caps (r, "GRAY8", x / MS, k->in, 1));
    else if (g_str_has_prefix (*w, "rate"))
      g_assert_true (run_caps (r, "GRAY8", 32, x / MS, 1));
    else {
      guint flags = 0;
      GstClockTime duration = GST_SECOND / (r->rate[0] ? r->rate[0] : 20);
      for (; *end && *end != ':'; end++) {
        flags |= *end == 'd' ? GST_BUFFER_FLAG_DISCONT : *end == 'x' ? GST_BUFFER_FLAG_CORRUPTED : 0;
        if (*end == 'n')
          x = GST_CLOCK_TIME_NONE;
      }
      if (g_str_has_suffix (end, "?"))
        duration = GST_CLOCK_TIME_NONE;
      g_assert_cmpint (run_push (r, atoi (end + 1), x, duration, flags), ==, GST_FLOW_OK);
      frames++;
    }
  }
  g_assert_cmpuint (run_stat (r, "in"), ==, frames);
  run_expect (r, k->output);
}

/* ---- what a line cannot say ----------------------------------------------------------------------- */

static GstBuffer *
noise (Run *r, guint32 seed, GstClockTime pts)
{
  GstBuffer *b = run_frame (r, 0, pts, 50 * MS, 0);
  GstMapInfo map;
  GRand *rand = g_rand_new_with_seed (seed);
  gst_buffer_map (b, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = g_rand_int (rand);
  gst_buffer_unmap (b, &map);
  g_rand_free (rand);
  return b;
}

/* Pushes two different scenes, four moments each. Returns how far the new frames are from a (-1), the middle (0) or b (1), in letters. */
static char *
scenes (const char *properties, guint64 *synthesized)
{
  g_autofree char *element = g_strdup_printf ("vfiinterp multiplier=4 " CPU "%s", properties);
  g_autoptr (Run) r = run_new (element, "GRAY8", 128, 20, 1, NULL);
  GString *s = g_string_new ("");
  GstBuffer *b, *first = noise (r, 1, 0), *second = noise (r, 2, 50 * MS);
  GstMapInfo x, y, z;
  g_assert_cmpint (gst_harness_push (r->h, gst_buffer_ref (first)), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_harness_push (r->h, gst_buffer_ref (second)), ==, GST_FLOW_OK);
  gst_buffer_map (first, &x, GST_MAP_READ);
  gst_buffer_map (second, &z, GST_MAP_READ);
  while ((b = gst_harness_try_pull (r->h))) {
    gst_buffer_map (b, &y, GST_MAP_READ);
    g_string_append (s, memcmp (x.data, y.data, x.size) == 0 ? "a" : memcmp (z.data, y.data, x.size) == 0 ? "b" : "-");
    gst_buffer_unmap (b, &y);
    gst_buffer_unref (b);
  }
  gst_buffer_unmap (first, &x);
  gst_buffer_unmap (second, &z);
  gst_buffer_unref (first);
  gst_buffer_unref (second);
  *synthesized = run_stat (r, "synthesized");
  g_assert_cmpuint (run_stat (r, "repeated"), ==, 3 - *synthesized);
  return g_string_free (s, FALSE);
}

/* A texture that is `to` pixels away. */
static GstBuffer *
moved (Run *r, double to, GstClockTime pts)
{
  GstBuffer *b = run_frame (r, 0, pts, 50 * MS, 0);
  GstMapInfo map;
  gst_buffer_map (b, &map, GST_MAP_WRITE);
  for (int i = 0; i < 128 * 128; i++) {
    const double x = i % 128 - to, y = i / 128;
    map.data[i] = (guint8) (128 + 50 * sin (x * 0.25 + y * 0.11) + 40 * sin (y * 0.21 - x * 0.13) + 30 * sin (x * 0.06) * cos (y * 0.07));
  }
  gst_buffer_unmap (b, &map);
  return b;
}

/* The mean error of the frames in the middle of three pairs of a texture that gathers speed, after noise if there is a cut. */
static void
gathers_speed (const char *properties, gboolean cut, double error[3])
{
  g_autofree char *element = g_strdup_printf ("vfiinterp " CPU "%s", properties);
  g_autoptr (Run) r = run_new (element, "GRAY8", 128, 20, 1, NULL);
  for (int i = 0; i < 4; i++)
    g_assert_cmpint (gst_harness_push (r->h, i || !cut ? moved (r, i * i, i * 50 * MS) : noise (r, 1, 0)), ==, GST_FLOW_OK);
  gst_harness_push_event (r->h, gst_event_new_eos ());
  for (int i = 0; i < 6; i++) {
    g_autoptr (GstBuffer) got = gst_harness_pull (r->h), want = moved (r, i / 2. * (i / 2.), 0);
    GstMapInfo x, y;
    double sum = 0;
    gst_buffer_map (got, &x, GST_MAP_READ);
    gst_buffer_map (want, &y, GST_MAP_READ);
    for (int p = 0; p < 128 * 128; p++)
      if (p % 128 >= 16 && p % 128 < 112)
        sum += abs (x.data[p] - y.data[p]) / (96. * 128);
    gst_buffer_unmap (got, &x);
    gst_buffer_unmap (want, &y);
    if (i % 2)
      error[i / 2] = sum;
  }
}

/* The second pair knows the first one, and with lookahead each knows the next; but nothing is known across a cut. */
static void
test_trajectory (void)
{
  double straight[3], bent[3], ahead[3], cut[3];
  gathers_speed ("trajectory=linear", FALSE, straight);
  gathers_speed ("", FALSE, bent);
  gathers_speed ("lookahead=1", FALSE, ahead);
  gathers_speed ("lookahead=1", TRUE, cut);
  for (int i = 0; i < 3; i++)
    g_test_message ("%.3f, bent %.3f, with lookahead %.3f, behind a cut %.3f", straight[i], bent[i], ahead[i], cut[i]);
  g_assert_cmpfloat (bent[0], ==, straight[0]);
  g_assert_cmpfloat (bent[1], <, 0.6 * straight[1]);
  g_assert_cmpfloat (bent[2], <, 0.6 * straight[2]);
  g_assert_cmpfloat (ahead[0], <, 0.6 * straight[0]);
  g_assert_cmpfloat (ahead[1], <, bent[1]);
  g_assert_cmpfloat (ahead[2], ==, bent[2]); /* the last pair */
  g_assert_cmpfloat (cut[1], !=, ahead[1]);
  g_assert_cmpfloat (cut[1], <, 0.6 * straight[1]); /* by the next one */
  gathers_speed ("", TRUE, cut);
  g_assert_cmpfloat (cut[1], ==, straight[1]);
  g_assert_cmpfloat (cut[2], ==, bent[2]);
  gathers_speed ("lookahead=1 trajectory=linear", FALSE, ahead);
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat (ahead[i], ==, straight[i]);
}

static void
test_scene (void)
{
  guint64 synthesized;
  g_autofree char *repeat = scenes ("", &synthesized);
  g_assert_cmpstr (repeat, ==, "aabbb");
  g_assert_cmpuint (synthesized, ==, 0);
  g_autofree char *blend = scenes ("scene-mode=blend", &synthesized);
  g_assert_cmpstr (blend, ==, "a---b");
  g_assert_cmpuint (synthesized, ==, 0);
  g_autofree char *off = scenes ("scene-threshold=1", &synthesized);
  g_assert_cmpstr (off, ==, "a---b");
  g_assert_cmpuint (synthesized, ==, 3);
}

static void
test_seek (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp mode=slowmo multiplier=5/2 " CPU, "GRAY8", 32, 20, 1, NULL);
  double rate;
  GstFormat format;
  GstSeekFlags flags;
  GstSeekType start_type, stop_type;
  gint64 start, stop;
  GstEvent *sent = gst_event_new_seek (1.5, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET, 1000 * MS,
                                       GST_SEEK_TYPE_END, -500 * (gint64) MS);
  guint32 seqnum = gst_event_get_seqnum (sent);
  while (gst_harness_upstream_events_in_queue (r->h))
    gst_event_unref (gst_harness_pull_upstream_event (r->h));
  g_assert_true (gst_harness_push_upstream_event (r->h, sent));
  GstEvent *e = gst_harness_pull_upstream_event (r->h);
  gst_event_parse_seek (e, &rate, &format, &flags, &start_type, &start, &stop_type, &stop);
  g_assert_cmpfloat (rate, ==, 1.5);
  g_assert_cmpint (flags, ==, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE);
  g_assert_cmpint (start_type, ==, GST_SEEK_TYPE_SET);
  g_assert_cmpint (start, ==, 400 * MS);
  g_assert_cmpint (stop_type, ==, GST_SEEK_TYPE_END);
  g_assert_cmpint (stop, ==, -200 * (gint64) MS);
  g_assert_cmpuint (gst_event_get_seqnum (e), ==, seqnum);
  gst_event_unref (e);

  /* What upstream does then: a new segment, here from 400 to 600 ms at rate 1.5 with a base of 100 ms. */
  run_push (r, 10, 0, 50 * MS, 0);
  g_free (run_log (r));
  gst_harness_push_event (r->h, gst_event_new_flush_start ());
  gst_harness_push_event (r->h, gst_event_new_flush_stop (TRUE));
  GstSegment s;
  gst_segment_init (&s, GST_FORMAT_TIME);
  s.rate = 1.5;
  s.start = s.time = s.position = 400 * MS;
  s.stop = 600 * MS;
  s.base = 100 * MS;
  gst_harness_push_event (r->h, gst_event_new_segment (&s));
  run_push (r, 20, 400 * MS, 50 * MS, 0);
  run_push (r, 40, 450 * MS, 50 * MS, 0);
  run_expect (r, "flush segment400-900*1.5 400+50=20 450+50:28 500+50:36");
  GstEvent *segment = gst_pad_get_sticky_event (r->h->sinkpad, GST_EVENT_SEGMENT, 0);
  const GstSegment *out;
  gst_event_parse_segment (segment, &out);
  /* Running and stream time are five halves of what they would be. */
  g_assert_cmpuint (gst_segment_to_stream_time (out, GST_FORMAT_TIME, 450 * MS), ==, 1050 * MS);
  g_assert_cmpuint (gst_segment_to_running_time (out, GST_FORMAT_TIME, 450 * MS), ==, 250 * MS + 50 * MS * 2 / 3);
  gst_event_unref (segment);

  gint64 position;
  g_assert_true (gst_pad_peer_query_position (r->h->sinkpad, GST_FORMAT_TIME, &position));
  g_assert_cmpint (position, ==, 1150 * MS); /* the end of what came out */
}

static GstPadProbeReturn
answer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *q = GST_PAD_PROBE_INFO_QUERY (info);
  if (GST_QUERY_TYPE (q) == GST_QUERY_DURATION)
    gst_query_set_duration (q, GST_FORMAT_TIME, 1001 * MS);
  else if (GST_QUERY_TYPE (q) == GST_QUERY_SEEKING)
    gst_query_set_seeking (q, GST_FORMAT_TIME, TRUE, 0, 1001 * MS);
  else
    return GST_PAD_PROBE_OK;
  return GST_PAD_PROBE_HANDLED;
}

static void
test_duration (gconstpointer data)
{
  const gboolean slow = g_str_equal (data, "slowmo");
  g_autofree char *element = g_strdup_printf ("vfiinterp multiplier=3/2 mode=%s " CPU, (const char *) data);
  g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
  const gint64 wanted = slow ? 1501500000 : 1001000000;
  gint64 duration, start, end;
  gst_pad_add_probe (r->h->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM | GST_PAD_PROBE_TYPE_PUSH, answer, NULL, NULL);
  g_assert_true (gst_pad_peer_query_duration (r->h->sinkpad, GST_FORMAT_TIME, &duration));
  g_assert_cmpint (duration, ==, wanted);
  g_autoptr (GstQuery) q = gst_query_new_seeking (GST_FORMAT_TIME);
  g_assert_true (gst_pad_peer_query (r->h->sinkpad, q));
  gst_query_parse_seeking (q, NULL, NULL, &start, &end);
  g_assert_cmpint (start, ==, 0);
  g_assert_cmpint (end, ==, wanted);
}

static void
test_backwards (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp mode=slowmo " CPU, "GRAY8", 32, 20, 1, NULL);
  push_segment (r, -1, 0, 200 * MS);
  run_push (r, 10, 150 * MS, 50 * MS, GST_BUFFER_FLAG_DISCONT);
  run_push (r, 20, 100 * MS, 50 * MS, 0);
  gst_harness_push_event (r->h, gst_event_new_eos ());
  run_expect (r, "segment0-400*-1 300+100=10! 200+100=20 eos");
}

/* Downstream wants another rate in mid-stream: nothing is lost. */
static void
test_renegotiation (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp " CPU, "GRAY8", 32, 20, 1, "video/x-raw,framerate=40/1");
  run_push (r, 10, 0, 50 * MS, 0);
  run_push (r, 20, 50 * MS, 50 * MS, 0);
  gst_harness_set_sink_caps_str (r->h, "video/x-raw,framerate=20/1");
  run_push (r, 30, 100 * MS, 50 * MS, 0);
  run_push (r, 40, 150 * MS, 50 * MS, 0);
  run_expect (r, "0+25=10 25+25:15 50+25=20 75+25~20 caps32@20/1 100+50=30 150+50=40");
}

static void
test_restart (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp " CPU, "GRAY8", 32, 20, 1, NULL);
  run_push (r, 10, 0, 50 * MS, 0);
  run_push (r, 20, 50 * MS, 50 * MS, 0);
  g_free (run_log (r));
  g_assert_cmpuint (run_stat (r, "synthesized"), ==, 1);
  for (int i = 0; i < 3; i++) {
    g_assert_cmpint (gst_element_set_state (r->h->element, GST_STATE_READY), ==, GST_STATE_CHANGE_SUCCESS);
    g_object_set (r->h->element, "multiplier", 3 + i, 1, NULL);
    g_assert_cmpint (gst_element_set_state (r->h->element, GST_STATE_PLAYING), ==, GST_STATE_CHANGE_SUCCESS);
    g_assert_cmpuint (run_stat (r, "in"), ==, 0);
    gst_harness_push_event (r->h, gst_event_new_stream_start ("again"));
    g_assert_true (run_caps (r, "GRAY8", 32, 20, 1));
    push_segment (r, 1, 0, GST_CLOCK_TIME_NONE);
    g_free (run_log (r));
    run_push (r, 100, 100 * MS, 50 * MS, 0);
    run_push (r, 160, 150 * MS, 50 * MS, 0);
    run_expect (r, i == 0   ? "100+16.666666=100 116.666666+16.666667:120 133.333333+16.666667:140 150+16.666666=160"
                   : i == 1 ? "100+12.500000=100 112.500000+12.500000:115 125+12.500000:130 137.500000+12.500000:145 150+12.500000=160"
                            : "100+10=100 110+10:112 120+10:124 130+10:136 140+10:148 150+10=160");
    g_assert_cmpuint (run_stat (r, "synthesized"), ==, 2 + i);
  }
}

static void
test_shared_input (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp mode=slowmo " CPU, "GRAY8", 32, 20, 1, NULL);
  GstBuffer *b = run_frame (r, 10, 100 * MS, 50 * MS, 0);
  g_hash_table_insert (r->memories, gst_memory_ref (gst_buffer_peek_memory (b, 0)), b);
  gst_harness_push (r->h, gst_buffer_ref (b));
  run_expect (r, "200+50~10");
  /* Somebody else's buffer keeps its time. */
  g_assert_cmpuint (GST_BUFFER_PTS (b), ==, 100 * MS);
  gst_buffer_unref (b);
}

static void
test_metas (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp multiplier=3 " CPU, "GRAY8", 32, 20, 1, NULL);
  static const guint8 caption[] = { 1, 2, 3 };
  for (int i = 0; i < 2; i++) {
    GstBuffer *b = run_frame (r, 10, i * 50 * MS, 50 * MS, i ? 0 : GST_BUFFER_FLAG_DISCONT);
    gst_buffer_add_video_caption_meta (b, GST_VIDEO_CAPTION_TYPE_CEA708_RAW, caption, sizeof caption);
    gst_buffer_add_video_region_of_interest_meta (b, "face", 1, 2, 3, 4);
    gst_harness_push (r->h, b);
  }
  gst_harness_push_event (r->h, gst_event_new_eos ());
  for (guint i = 0; i < 6; i++) {
    GstBuffer *b = gst_harness_try_pull (r->h);
    g_assert_nonnull (b);
    g_assert_true (!!gst_buffer_get_video_caption_meta (b) == (i % 3 == 0));
    g_assert_cmpuint (gst_buffer_get_n_meta (b, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==, 1);
    g_assert_cmpuint (GST_BUFFER_OFFSET (b), ==, i);
    g_assert_cmpuint (GST_BUFFER_OFFSET_END (b), ==, i + 1);
    g_assert_true (GST_BUFFER_IS_DISCONT (b) == (i == 0));
    gst_buffer_unref (b);
  }
}

/* Any strides: pictures with padding come out right, and what upstream may use is what downstream can take. */
static void
test_strides (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp " CPU, "I420", 50, 20, 1, NULL);
  for (int i = 0; i < 2; i++) {
    GstVideoFrame f;
    GstVideoInfo info;
    gsize offset[4] = { 100, 100 + 64 * 60, 100 + 64 * 60 + 40 * 30 };
    int stride[4] = { 64, 40, 40 };
    GstBuffer *b = gst_buffer_new_allocate (NULL, offset[2] + 40 * 30, NULL);
    gst_buffer_memset (b, 0, 200, -1);
    GST_BUFFER_PTS (b) = i * 50 * MS;
    gst_buffer_add_video_meta_full (b, 0, GST_VIDEO_FORMAT_I420, 50, 50, 3, offset, stride);
    gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 50, 50);
    g_assert_true (gst_video_frame_map (&f, &info, b, GST_MAP_WRITE));
    for (int p = 0; p < 3; p++)
      for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&f, p); y++)
        memset ((char *) GST_VIDEO_FRAME_PLANE_DATA (&f, p) + y * stride[p], 20 + 10 * p + 4 * i, GST_VIDEO_FRAME_COMP_WIDTH (&f, p));
    gst_video_frame_unmap (&f);
    g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
  }
  for (int i = 0; i < 3; i++) {
    GstVideoFrame f;
    GstVideoInfo info;
    GstBuffer *b = gst_harness_try_pull (r->h);
    gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 50, 50);
    g_assert_true (gst_video_frame_map (&f, &info, b, GST_MAP_READ));
    for (int p = 0; p < 3; p++)
      for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&f, p); y++)
        for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&f, p); x++)
          g_assert_cmpint (((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&f, p))[y * GST_VIDEO_FRAME_PLANE_STRIDE (&f, p) + x], ==,
                           20 + 10 * p + 2 * i);
    gst_video_frame_unmap (&f);
    gst_buffer_unref (b);
  }
}

static void
test_allocation (gconstpointer data)
{
  const gboolean metas = GPOINTER_TO_INT (data);
  g_autoptr (Run) r = run_new ("vfiinterp mode=repair max-gap=2 " CPU, NULL, 0, 0, 0, NULL);
  if (metas)
    gst_harness_add_propose_allocation_meta (r->h, GST_VIDEO_META_API_TYPE, NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("video/x-raw,format=I420,width=64,height=48,framerate=25/1");
  gst_harness_push_event (r->h, gst_event_new_caps (caps));
  g_autoptr (GstQuery) q = gst_query_new_allocation (caps, TRUE);
  guint size, min, max;
  g_assert_true (gst_pad_peer_query (r->h->srcpad, q));
  g_assert_true (gst_query_find_allocation_meta (q, GST_VIDEO_META_API_TYPE, NULL) == metas);
  g_assert_cmpuint (gst_query_get_n_allocation_pools (q), ==, 1);
  gst_query_parse_nth_allocation_pool (q, 0, NULL, &size, &min, &max);
  g_assert_cmpuint (size, ==, 64 * 48 * 3 / 2);
  g_assert_cmpuint (min, >=, 3 + 3);
  g_assert_cmpuint (max, ==, 0);
}

/* A pool of upstream's as small as was asked for is enough: nothing waits for a buffer for ever. */
static void
test_small_pool (gconstpointer data)
{
  g_autoptr (Run) r = run_new (data, "GRAY8", 32, 20, 1, NULL);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (r->h->srcpad);
  g_autoptr (GstQuery) q = gst_query_new_allocation (caps, TRUE);
  guint size, min;
  g_assert_true (gst_pad_peer_query (r->h->srcpad, q));
  gst_query_parse_nth_allocation_pool (q, 0, NULL, &size, &min, NULL);
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, min);
  gst_buffer_pool_set_config (pool, config);
  gst_buffer_pool_set_active (pool, TRUE);
  GstBufferPoolAcquireParams params = { .flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };
  for (guint i = 0; i < 40; i++) {
    GstBuffer *b;
    g_assert_cmpint (gst_buffer_pool_acquire_buffer (pool, &b, &params), ==, GST_FLOW_OK);
    /* Now and then the same again. */
    gst_buffer_memset (b, 0, i % 7 ? i * 5 : 3, -1);
    GST_BUFFER_PTS (b) = i * 50 * MS;
    GST_BUFFER_DURATION (b) = 50 * MS;
    g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
    g_free (run_log (r));
  }
  gst_harness_push_event (r->h, gst_event_new_flush_start ());
  gst_harness_push_event (r->h, gst_event_new_flush_stop (TRUE));
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

static void
keep_message (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  g_free (*(char **) data);
  *(char **) data = g_strdup (message);
}

/* What gst-launch-1.0 is told that is out of range is warned of (by newer GLibs as critical), and the default stays. */
static void
test_out_of_range (void)
{
  static const char *const wrong[] = { "multiplier=0", "multiplier=-2",       "multiplier=1000",
                                       "max-gap=5000", "scene-threshold=1.5", "flow-scale=0.1" };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_auto (GStrv) words = g_strsplit (wrong[i], "=", 2);
    g_autofree char *launch = g_strconcat ("vfiinterp ", wrong[i], NULL), *warning = g_strconcat ("*out of range*", words[0], "*", NULL);
    g_autofree char *said = NULL;
    const GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
    const guint handler = g_log_set_handler ("GLib-GObject", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL, keep_message, &said);
    g_autoptr (GstElement) e = gst_object_ref_sink (gst_parse_launch (launch, NULL));
    g_log_remove_handler ("GLib-GObject", handler);
    g_log_set_always_fatal (fatal);
    g_assert_true (said && g_pattern_match_simple (warning, said));
    GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (e), words[0]);
    g_auto (GValue) value = G_VALUE_INIT;
    g_value_init (&value, spec->value_type);
    g_object_get_property (G_OBJECT (e), words[0], &value);
    g_assert_true (g_param_value_defaults (spec, &value));
  }
}

static void
test_ready_only (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp " CPU, "GRAY8", 32, 20, 1, NULL);
  int num, den;
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*multiplier*NULL and READY*");
  g_object_set (r->h->element, "multiplier", 5, 1, NULL);
  g_test_assert_expected_messages ();
  GValue value = G_VALUE_INIT;
  g_value_init (&value, GST_TYPE_FRACTION);
  g_object_get_property (G_OBJECT (r->h->element), "multiplier", &value);
  num = gst_value_get_fraction_numerator (&value);
  den = gst_value_get_fraction_denominator (&value);
  g_assert_true (num == 2 && den == 1);
  /* These may change at any time. */
  run_push (r, 10, 0, 50 * MS, 0);
  g_object_set (r->h->element, "flow-scale", 0.25, "scene-threshold", 1.0, NULL);
  run_push (r, 20, 50 * MS, 50 * MS, 0);
  g_object_set (r->h->element, "flow-scale", 1.0, NULL);
  run_push (r, 40, 100 * MS, 50 * MS, 0);
  run_expect (r, "0+25=10 25+25:15 50+25=20 75+25:30 100+25=40");
}

static void
test_flushing_downstream (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp " CPU, "GRAY8", 32, 20, 1, NULL);
  run_push (r, 10, 0, 50 * MS, 0);
  gst_pad_set_active (r->h->sinkpad, FALSE);
  g_assert_cmpint (run_push (r, 20, 50 * MS, 50 * MS, 0), ==, GST_FLOW_FLUSHING);
  /* Nor does what is pending break anything. */
  g_assert_cmpint (run_push (r, 30, 100 * MS, 50 * MS, 0), ==, GST_FLOW_FLUSHING);
  gst_harness_push_event (r->h, gst_event_new_eos ());
  run_expect (r, "0+25=10");
}

static void
count_one (int *n)
{
  ++*n;
}

static void
test_stats (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp mode=repair " CPU, "GRAY8", 32, 20, 1, NULL);
  for (int i = 0; i < 10; i++)
    if (i != 3)
      run_push (r, i, i * 50 * MS, 50 * MS, i == 6 ? GST_BUFFER_FLAG_CORRUPTED : 0);
  g_autoptr (GstStructure) s = NULL;
  g_object_get (r->h->element, "stats", &s, NULL);
  g_assert_cmpstr (gst_structure_get_string (s, "model"), ==, "vfi-nano");
  g_assert_true (g_str_has_prefix (gst_structure_get_string (s, "backend"), "cpu"));
  g_assert_cmpstr (gst_structure_get_string (s, "precision"), ==, "fp32");
  g_assert_cmpuint (run_stat (r, "in"), ==, 9);
  g_assert_cmpuint (run_stat (r, "out"), ==, 10);
  g_assert_cmpuint (run_stat (r, "synthesized"), ==, 2);
  g_assert_cmpuint (run_stat (r, "repaired"), ==, 2);
  g_assert_cmpuint (run_stat (r, "repeated"), ==, 0);
  g_assert_cmpuint (run_stat (r, "skipped"), ==, 0);
  g_assert_cmpuint (run_stat (r, "last-time"), >, 0);
  g_assert_cmpuint (run_stat (r, "mean-time"), >, 0);
  int notified = 0;
  g_signal_connect_swapped (r->h->element, "notify::stats", G_CALLBACK (count_one), &notified);
  gst_harness_push_event (r->h, gst_event_new_eos ());
  g_assert_cmpint (notified, ==, 1);
}

/* ---- errors ---------------------------------------------------------------------------------------- */

typedef struct
{
  const char *name, *properties, *caps; /* caps NULL: a good one */
  GQuark (*domain) (void);
  int code;
  const char *text;
} Wrong;

#define GOOD "video/x-raw,format=I420,width=64,height=48,framerate=25/1"

static const Wrong wrongs[] = {
  { "unknown-model", "model=rife", NULL, gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS, "vfi-nano" },
  { "missing-weights", "weights=/nowhere.safetensors", NULL, gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ,
    "/nowhere.safetensors" },
  { "damaged-weights", "weights=DAMAGED", NULL, gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ, "damaged" },
  { "no-weights", "model=rife-4.6", NULL, gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ, "rife-4.6" },
  { "interlaced", "", GOOD ",interlace-mode=interleaved", gst_stream_error_quark, GST_STREAM_ERROR_FORMAT, "deinterlace" },
  { "mixed", "", GOOD ",interlace-mode=mixed", gst_stream_error_quark, GST_STREAM_ERROR_FORMAT, "deinterlace" },
  { "tiny", "", "video/x-raw,format=I420,width=8,height=8,framerate=25/1", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS, "16" },
  { "precision", "backend=cpu precision=fp16", NULL, gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS, "fp16" },
};

static void
test_wrong (gconstpointer data)
{
  const Wrong *k = data;
  g_autofree char *dir = g_dir_make_tmp ("vfi-XXXXXX", NULL), *damaged = g_build_filename (dir, "damaged", NULL);
  g_auto (GStrv) parts = g_strsplit (k->properties, "DAMAGED", -1);
  g_autofree char *properties = g_strjoinv (damaged, parts);
  g_autofree char *element = g_strdup_printf ("vfiinterp %s", properties);
  g_assert_true (g_file_set_contents (damaged, "\x08\0\0\0\0\0\0\0{\"a\":1}", 15, NULL));

  g_autoptr (Run) r = run_new (element, NULL, 0, 0, 0, NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (k->caps ? k->caps : GOOD), good = gst_caps_from_string (GOOD);
  gst_harness_push_event (r->h, gst_event_new_caps (caps));
  push_segment (r, 1, 0, GST_CLOCK_TIME_NONE);
  run_expect_error (r, k->domain (), k->code, k->text);
  g_assert_cmpint (gst_harness_push (r->h, gst_buffer_new_allocate (NULL, 64 * 48 * 3 / 2, NULL)), ==, GST_FLOW_NOT_NEGOTIATED);
  g_assert_null (gst_bus_pop_filtered (r->bus, GST_MESSAGE_ERROR)); /* said once, however often it is tried */
  g_unlink (damaged);
  g_rmdir (dir);

  /* It can be put right. */
  gst_element_set_state (r->h->element, GST_STATE_READY);
  g_object_set (r->h->element, "model", "auto", "weights", NULL, "precision", 0, NULL);
  gst_element_set_state (r->h->element, GST_STATE_PLAYING);
  gst_harness_push_event (r->h, gst_event_new_stream_start ("again"));
  g_assert_true (gst_harness_push_event (r->h, gst_event_new_caps (good)));
}

/* Frames that are too large for the memory there is: an error that says how much it takes, and the process lives on. */
static void
test_memory (void)
{
#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the sanitizer's own memory is beyond any limit");
#else
  if (g_test_subprocess ()) {
    g_autoptr (Run) r = run_new ("vfiinterp " CPU, NULL, 0, 0, 0, NULL);
    g_autoptr (GstCaps) large = gst_caps_from_string ("video/x-raw,format=I420,width=8192,height=8192,framerate=25/1");
    g_autoptr (GstCaps) small = gst_caps_from_string (GOOD);
    const struct rlimit limit = { 800 << 20, 800 << 20 };
    g_assert_true (gst_harness_push_event (r->h, gst_event_new_caps (small)));
    g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
    gst_harness_push_event (r->h, gst_event_new_caps (large));
    run_expect_error (r, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "bytes");
    gst_element_set_state (r->h->element, GST_STATE_READY);
    gst_element_set_state (r->h->element, GST_STATE_PLAYING);
    gst_harness_push_event (r->h, gst_event_new_stream_start ("again"));
    g_assert_true (gst_harness_push_event (r->h, gst_event_new_caps (small)));
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
#endif
}

static void
test_bytes_segment (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp " CPU, "GRAY8", 32, 20, 1, NULL);
  GstSegment s;
  gst_segment_init (&s, GST_FORMAT_BYTES);
  gst_harness_push_event (r->h, gst_event_new_segment (&s));
  run_expect_error (r, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "bytes");
}

static void
test_short_buffer (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp " CPU, "GRAY8", 32, 20, 1, NULL);
  g_assert_cmpint (gst_harness_push (r->h, gst_buffer_new_allocate (NULL, 100, NULL)), ==, GST_FLOW_ERROR);
  run_expect_error (r, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "caps");
}

int
main (int argc, char **argv)
{
  run_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/vfiinterp/", cases[i].name, NULL);
    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func ("/vfiinterp/scene", test_scene);
  g_test_add_func ("/vfiinterp/trajectory", test_trajectory);
  g_test_add_func ("/vfiinterp/seek", test_seek);
  g_test_add_data_func ("/vfiinterp/duration/rate", "rate", test_duration);
  g_test_add_data_func ("/vfiinterp/duration/slowmo", "slowmo", test_duration);
  g_test_add_func ("/vfiinterp/backwards", test_backwards);
  g_test_add_func ("/vfiinterp/renegotiation", test_renegotiation);
  g_test_add_func ("/vfiinterp/restart", test_restart);
  g_test_add_func ("/vfiinterp/shared-input", test_shared_input);
  g_test_add_func ("/vfiinterp/metas", test_metas);
  g_test_add_func ("/vfiinterp/strides", test_strides);
  g_test_add_data_func ("/vfiinterp/allocation/plain", GINT_TO_POINTER (FALSE), test_allocation);
  g_test_add_data_func ("/vfiinterp/allocation/video-meta", GINT_TO_POINTER (TRUE), test_allocation);
  g_test_add_data_func ("/vfiinterp/small-pool/rate", "vfiinterp " CPU, test_small_pool);
  g_test_add_data_func ("/vfiinterp/small-pool/duplicates", "vfiinterp duplicates=replace " CPU, test_small_pool);
  g_test_add_data_func ("/vfiinterp/small-pool/lookahead", "vfiinterp lookahead=1 " CPU, test_small_pool);
  g_test_add_func ("/vfiinterp/out-of-range", test_out_of_range);
  g_test_add_func ("/vfiinterp/ready-only", test_ready_only);
  g_test_add_func ("/vfiinterp/flushing-downstream", test_flushing_downstream);
  g_test_add_func ("/vfiinterp/stats", test_stats);
  for (guint i = 0; i < G_N_ELEMENTS (wrongs); i++) {
    g_autofree char *path = g_strconcat ("/vfiinterp/error/", wrongs[i].name, NULL);
    g_test_add_data_func (path, &wrongs[i], test_wrong);
  }
  g_test_add_func ("/vfiinterp/error/memory", test_memory);
  g_test_add_func ("/vfiinterp/error/bytes-segment", test_bytes_segment);
  g_test_add_func ("/vfiinterp/error/short-buffer", test_short_buffer);
  return g_test_run ();
}
