/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfiinterp in live pipelines: latency, and what happens when synthesis does not keep up. The clock is the harness's.
 */
#include "support.h"

#define CPU "backend=cpu precision=fp32 threads=1 "
#define PERIOD (50 * MS)

static GstPadProbeReturn
not_live (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  if (GST_QUERY_TYPE (GST_PAD_PROBE_INFO_QUERY (info)) != GST_QUERY_LATENCY)
    return GST_PAD_PROBE_OK;
  gst_query_set_latency (GST_PAD_PROBE_INFO_QUERY (info), FALSE, 0, GST_CLOCK_TIME_NONE);
  return GST_PAD_PROBE_HANDLED;
}

static void
query_latency (Run *r, gboolean *live, GstClockTime *min, GstClockTime *max)
{
  g_autoptr (GstQuery) q = gst_query_new_latency ();
  g_assert_true (gst_pad_peer_query (r->h->sinkpad, q));
  gst_query_parse_latency (q, live, min, max);
}

static int
messages (Run *r, GstMessageType type)
{
  GstMessage *m;
  int n = 0;
  while ((m = gst_bus_pop_filtered (r->bus, type))) {
    gst_message_unref (m);
    n++;
  }
  return n;
}

/* Latency is so many input periods plus the time that one synthesis takes, at first half a period. */
static void
test_latency (gconstpointer data)
{
  static const struct
  {
    const char *properties;
    int periods;
  } cases[] = { { "", 1 },
                { "mode=repair", 5 },
                { "mode=repair max-gap=2", 3 },
                { "duplicates=replace max-gap=1", 2 },
                { "lookahead=1", 2 },
                { "mode=repair lookahead=1", 6 } };
  const guint i = GPOINTER_TO_UINT (data);
  g_autofree char *element = g_strdup_printf ("vfiinterp " CPU "%s", cases[i].properties);
  g_autoptr (Run) r = run_new (element, "GRAY8", 32, 20, 1, NULL);
  gboolean live;
  GstClockTime min, max;
  gst_harness_set_upstream_latency (r->h, 30 * MS);
  query_latency (r, &live, &min, &max);
  g_assert_true (live);
  g_assert_cmpuint (min, ==, 30 * MS + cases[i].periods * PERIOD + PERIOD / 2);
  g_assert_cmpint (messages (r, GST_MESSAGE_LATENCY), ==, 1); /* with the caps */

  /* Once it is measured that synthesis takes less (or here, with a sanitizer, more), the new latency is announced. */
  for (int k = 0; k < 40; k++) /* every other one is missing */
    run_push (r, 10 + k, 2 * k * PERIOD, PERIOD, 0);
  const guint64 mean = run_stat (r, "mean-time");
  g_assert_cmpuint (run_stat (r, "synthesized"), >, 20);
  const int announced = messages (r, GST_MESSAGE_LATENCY);
  query_latency (r, &live, &min, &max);
  const GstClockTime synthesis = min - 30 * MS - cases[i].periods * PERIOD;
  g_test_message ("synthesis takes %.3f ms, announced %.3f ms", mean / 1e6, synthesis / 1e6);
  if (mean < PERIOD / 2 / 4)
    g_assert_cmpint (announced, >=, 1);
  g_assert_cmpint (announced, <=, 10);
  g_assert_cmpuint (synthesis, >=, mean / 8); /* load.c holds it closer, with times that nobody disturbs */
}

static void
test_not_live (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp " CPU, "GRAY8", 32, 20, 1, NULL);
  gboolean live;
  GstClockTime min, max;
  gst_pad_add_probe (r->h->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM | GST_PAD_PROBE_TYPE_PUSH, not_live, NULL, NULL);
  query_latency (r, &live, &min, &max);
  g_assert_false (live);
  g_assert_cmpuint (min, ==, 0);
  g_assert_false (GST_CLOCK_TIME_IS_VALID (max));
}

static int
upstream_qos (Run *r)
{
  int n = 0;
  while (gst_harness_upstream_events_in_queue (r->h)) {
    GstEvent *e = gst_harness_pull_upstream_event (r->h);
    n += GST_EVENT_TYPE (e) == GST_EVENT_QOS;
    gst_event_unref (e);
  }
  return n;
}

/* As many frames, each after a report of downstream that the one before came this much too late. */
static void
push_late (Run *r, int *k, int n, GstClockTimeDiff late)
{
  for (; n > 0; n--, ++*k) {
    gst_harness_push_upstream_event (r->h, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2, late, (*k - 1) * PERIOD));
    g_assert_cmpint (run_push (r, 10 + *k, *k * PERIOD, PERIOD, 0), ==, GST_FLOW_OK);
  }
}

static void
test_qos (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp " CPU, "GRAY8", 32, 20, 1, NULL);
  int k = 0;
  run_push (r, 10 + k++, 0, PERIOD, 0);
  upstream_qos (r);
  messages (r, GST_MESSAGE_ANY);
  /* In time, then late: synthesis gets cheaper first. */
  push_late (r, &k, 4, 0);
  g_assert_cmpint (messages (r, GST_MESSAGE_QOS), ==, 0);
  push_late (r, &k, 4, 20 * MS);
  g_assert_cmpuint (run_stat (r, "synthesized"), ==, 8);
  g_assert_cmpint (messages (r, GST_MESSAGE_QOS), ==, 1);
  g_assert_cmpint (upstream_qos (r), ==, 0);
  g_free (run_log (r));
  /* Then repeats; real frames stay. */
  push_late (r, &k, 1, 20 * MS);
  run_expect (r, "425+25~19 450+25~19");
  g_assert_cmpuint (run_stat (r, "synthesized"), ==, 8);
  g_assert_cmpuint (run_stat (r, "repeated"), ==, 1);
  /* Then nothing in their place; upstream hears of it. */
  push_late (r, &k, 3, 60 * MS);
  run_expect (r, "500+25=20 550+25=21 600+25=22");
  g_assert_cmpuint (run_stat (r, "skipped"), ==, 3);
  g_assert_cmpuint (run_stat (r, "out"), ==, 9 + 8 + 4 + 1);
  g_assert_cmpint (upstream_qos (r), >, 0);
  /* What a message says. */
  g_autoptr (GstMessage) m = NULL;
  GstMessage *next;
  while ((next = gst_bus_pop_filtered (r->bus, GST_MESSAGE_QOS))) {
    g_clear_pointer (&m, gst_message_unref);
    m = next;
  }
  guint64 running, stream, pts, duration, processed, dropped;
  gint64 jitter;
  double proportion;
  int quality;
  GstFormat format;
  gst_message_parse_qos (m, NULL, &running, &stream, &pts, &duration);
  gst_message_parse_qos_values (m, &jitter, &proportion, &quality);
  gst_message_parse_qos_stats (m, &format, &processed, &dropped);
  g_assert_cmpuint (pts, ==, 575 * MS);
  g_assert_true (running == pts && stream == pts);
  g_assert_cmpuint (duration, ==, 25 * MS);
  g_assert_cmpint (jitter, ==, 550 * MS + 2 * 60 * MS - 575 * MS);
  g_assert_cmpfloat (proportion, ==, 2);
  g_assert_cmpint (format, ==, GST_FORMAT_BUFFERS);
  g_assert_cmpuint (dropped, ==, 2);
  /* In time again: synthesis comes back. */
  push_late (r, &k, 1, 0);
  run_expect (r, "625+25:23 650+25=23");
}

static void
test_qos_off (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp qos-mode=off " CPU, "GRAY8", 32, 20, 1, NULL);
  int k = 0;
  run_push (r, 10 + k++, 0, PERIOD, 0);
  upstream_qos (r);
  push_late (r, &k, 20, 1000 * MS);
  g_assert_cmpuint (run_stat (r, "synthesized"), ==, 20);
  g_assert_cmpint (messages (r, GST_MESSAGE_QOS), ==, 0);
  g_assert_cmpint (upstream_qos (r), ==, 20);
}

/* A live pipeline whose sink reports nothing: the clock tells. */
static void
test_clock (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp " CPU, "GRAY8", 32, 20, 1, NULL);
  gboolean live;
  GstClockTime min, max;
  gst_harness_use_testclock (r->h);
  query_latency (r, &live, &min, &max);
  gst_harness_push_upstream_event (r->h, gst_event_new_latency (min));
  g_assert_true (gst_harness_set_time (r->h, 0));
  int k = 0;
  for (; k < 10; k++) {
    gst_harness_set_time (r->h, k * PERIOD);
    run_push (r, 10 + k, k * PERIOD, PERIOD, 0);
  }
  g_assert_cmpuint (run_stat (r, "synthesized"), ==, 9);
  g_assert_cmpint (messages (r, GST_MESSAGE_QOS), ==, 0);
  /* Everything is late by more than the latency that was promised. */
  for (; k < 20; k++) {
    gst_harness_set_time (r->h, k * PERIOD + min);
    run_push (r, 10 + k, k * PERIOD, PERIOD, 0);
  }
  g_assert_cmpuint (run_stat (r, "synthesized"), ==, 9 + 4);
  g_assert_cmpuint (run_stat (r, "repeated"), ==, 6);
  g_assert_cmpuint (run_stat (r, "out"), ==, 20 + 19);
  g_assert_cmpint (messages (r, GST_MESSAGE_QOS), ==, 7);
}

/* Slow motion: what downstream reports is about its own, longer time. */
static void
test_qos_slowmo (void)
{
  g_autoptr (Run) r = run_new ("vfiinterp mode=slowmo multiplier=4 qos-mode=off " CPU, "GRAY8", 32, 20, 1, NULL);
  GstClockTimeDiff diff;
  GstClockTime time;
  double proportion;
  upstream_qos (r);
  gst_harness_push_upstream_event (r->h, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 1.5, 40 * MS, 400 * MS));
  GstEvent *e = gst_harness_pull_upstream_event (r->h);
  gst_event_parse_qos (e, NULL, &proportion, &diff, &time);
  g_assert_cmpfloat (proportion, ==, 1.5);
  g_assert_cmpint (diff, ==, 10 * MS);
  g_assert_cmpuint (time, ==, 100 * MS);
  gst_event_unref (e);
}

int
main (int argc, char **argv)
{
  run_init (&argc, &argv);
  g_test_add_data_func ("/vfiinterp/latency/rate", GUINT_TO_POINTER (0), test_latency);
  g_test_add_data_func ("/vfiinterp/latency/repair", GUINT_TO_POINTER (1), test_latency);
  g_test_add_data_func ("/vfiinterp/latency/repair-max-gap", GUINT_TO_POINTER (2), test_latency);
  g_test_add_data_func ("/vfiinterp/latency/duplicates", GUINT_TO_POINTER (3), test_latency);
  g_test_add_data_func ("/vfiinterp/latency/lookahead", GUINT_TO_POINTER (4), test_latency);
  g_test_add_data_func ("/vfiinterp/latency/repair-lookahead", GUINT_TO_POINTER (5), test_latency);
  g_test_add_func ("/vfiinterp/latency/not-live", test_not_live);
  g_test_add_func ("/vfiinterp/qos/auto", test_qos);
  g_test_add_func ("/vfiinterp/qos/off", test_qos_off);
  g_test_add_func ("/vfiinterp/qos/clock", test_clock);
  g_test_add_func ("/vfiinterp/qos/slowmo", test_qos_slowmo);
  return g_test_run ();
}
