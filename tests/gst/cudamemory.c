/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The elements with frames in CUDA memory: what is negotiated, whose context and pools are used, that real frames are not touched, and that
 * made ones are those of the plain backend. Built twice: on the fake driver and the shim (tests/cuda), where what fails can be said beforehand, and
 * for a device.
 */
#include "cudaframes.h"
#if GST_CHECK_VERSION(1, 24, 0)
#include <gst/cuda/gstcudastream.h>
#endif

#include "../../gst/gstvfiflowmeta.h"

/* ---- negotiation -------------------------------------------------------------------------------- */

static gboolean
first_is_cuda (GstHarness *h)
{
  g_autoptr (GstCaps) caps = gst_pad_peer_query_caps (h->srcpad, NULL);

  g_assert_false (gst_caps_is_empty (caps));
  return gst_caps_features_contains (gst_caps_get_features (caps, 0), "memory:CUDAMemory");
}

static gboolean
takes (GstHarness *h, const char *format, gboolean cuda)
{
  g_autoptr (GstCaps) caps = gst_pad_peer_query_caps (h->srcpad, NULL), one = caps_of (format, cuda, 25);

  return gst_caps_can_intersect (caps, one);
}

static void
negotiation (void)
{
  static const struct
  {
    const char *launch;
    gboolean first;
  } cases[] = { { INTERP, TRUE },
                { INTERP "backend=cuda", TRUE },
                { INTERP "backend=cpu", FALSE },
                { "vfiflow backend=cpu", FALSE },
                { "vfiflow output=color", FALSE },
                { "vfiflow", TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstBus *bus;
    GstHarness *h = harness (cases[i].launch, context, &bus);

    g_test_message ("%s", cases[i].launch);
    for (int stopped = 0; stopped < 2; stopped++) {
      g_assert_cmpint (first_is_cuda (h), ==, cases[i].first);
      g_assert_cmpint (takes (h, "NV12", TRUE), ==, cases[i].first);
      g_assert_cmpint (takes (h, "I422_10LE", TRUE), ==, cases[i].first);
      g_assert_false (takes (h, "GRAY8", TRUE)); /* GStreamer's allocator has none */
      g_assert_false (takes (h, "A420", TRUE));
      g_assert_true (takes (h, "GRAY8", FALSE));
      gst_element_set_state (h->element, GST_STATE_READY);
    }
    finish (h, bus);
  }
}

/* Downstream that takes both gets frames in CUDA memory if upstream has them. */
static void
first_choice (void)
{
  for (int cuda = 0; cuda < 2; cuda++) {
    GstBus *bus;
    GstHarness *h = harness (INTERP, context, &bus);
    g_autoptr (GstCaps) caps = NULL;

    gst_harness_set_sink_caps_str (h, "video/x-raw(ANY)");
    gst_harness_set_src_caps (h, caps_of ("NV12", cuda, 25));
    no_error (bus);
    caps = gst_pad_get_current_caps (h->sinkpad);
    g_assert_cmpint (gst_caps_features_contains (gst_caps_get_features (caps, 0), "memory:CUDAMemory"), ==, cuda);
    finish (h, bus);
  }
}

/* ---- context and pools -------------------------------------------------------------------------- */

static GstCudaContext *
answered (GstPad *pad)
{
  GstQuery *query = gst_query_new_context (GST_CUDA_CONTEXT_TYPE);
  GstContext *shared = NULL;
  GstCudaContext *c = NULL;

  if (gst_pad_peer_query (pad, query)) {
    gst_query_parse_context (query, &shared);
    gst_structure_get (gst_context_get_structure (shared), GST_CUDA_CONTEXT_TYPE, GST_TYPE_CUDA_CONTEXT, &c, NULL);
  }
  gst_query_unref (query);
  return c;
}

/* The context that was given is the one that neighbours get; where none was given, one is asked for, made and told of. */
static void
contexts (void)
{
  for (int given = 0; given < 2; given++) {
    GstBus *bus;
    GstHarness *h = harness (INTERP, given ? context : NULL, &bus);
    GstCudaContext *up, *down;
    gboolean asked = FALSE, told = FALSE;
    GstMessage *m;

    up = answered (h->srcpad);
    down = answered (h->sinkpad);
    g_assert_true (GST_IS_CUDA_CONTEXT (up) && up == down);
    g_assert_cmpint (up == context, ==, given);
    while ((m = gst_bus_pop (bus))) {
      const char *type;

      asked |= GST_MESSAGE_TYPE (m) == GST_MESSAGE_NEED_CONTEXT && gst_message_parse_context_type (m, &type) &&
               strcmp (type, GST_CUDA_CONTEXT_TYPE) == 0;
      told |= GST_MESSAGE_TYPE (m) == GST_MESSAGE_HAVE_CONTEXT;
      gst_message_unref (m);
    }
    g_assert_cmpint (asked && told, ==, !given);
    gst_object_unref (up);
    gst_object_unref (down);
    finish (h, bus);
  }
}

/* The application gives a context when it is asked for one. */
static GstBusSyncReply
give_context (GstBus *bus, GstMessage *m, gpointer data)
{
  const char *type;

  if (GST_MESSAGE_TYPE (m) == GST_MESSAGE_NEED_CONTEXT && gst_message_parse_context_type (m, &type) &&
      strcmp (type, GST_CUDA_CONTEXT_TYPE) == 0) {
    GstContext *shared = gst_context_new_cuda_context (context);

    gst_element_set_context (GST_ELEMENT (GST_MESSAGE_SRC (m)), shared);
    gst_context_unref (shared);
  }
  return GST_BUS_PASS;
}

static void
context_when_asked (void)
{
  GError *error = NULL;
  g_autofree char *line = g_strdup_printf (INTERP "weights=%s", weights);
  GstElement *e = gst_object_ref_sink (gst_parse_launch (line, &error));
  GstBus *bus = gst_bus_new ();
  GstHarness *h;
  GstCudaContext *c;

  g_assert_no_error (error);
  gst_bus_set_sync_handler (bus, give_context, NULL, NULL);
  gst_element_set_bus (e, bus);
  h = gst_harness_new_with_element (e, "sink", "src");
  gst_object_unref (e);
  c = answered (h->srcpad);
  g_assert_true (c == context);
  gst_object_unref (c);
  finish (h, bus);
}

/* A context that comes while the element runs, from whatever thread, changes nothing: here in the midst of its work, between frames of old caps and new. */
static GstPadProbeReturn
give_now (GstPad *pad, GstPadProbeInfo *info, gpointer element)
{
  GstContext *shared = gst_context_new_cuda_context (context);

  gst_element_set_context (element, shared);
  gst_context_unref (shared);
  return GST_PAD_PROBE_OK;
}

static void
late_context (void)
{
  static const char *const launch[] = { INTERP "backend=cpu", INTERP "backend=cuda" };

  for (guint k = 0; k < G_N_ELEMENTS (launch); k++) {
    GstBus *bus;
    GstHarness *h = harness (launch[k], NULL, &bus);
    GstPad *pad = gst_element_get_static_pad (h->element, "src");
    GstCudaContext *before = answered (h->srcpad), *after;

    gst_harness_set_src_caps (h, caps_of ("NV12", FALSE, 25));
    for (int i = 0; i < 2; i++)
      g_assert_cmpint (gst_harness_push (h, frame_in (NULL, "NV12", i, 0)), ==, GST_FLOW_OK);
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, give_now, h->element, NULL);
    gst_harness_set_src_caps (h, caps_of ("I420", FALSE, 25));
    for (int i = 2; i < 4; i++)
      g_assert_cmpint (gst_harness_push (h, frame_in (NULL, "I420", i, 0)), ==, GST_FLOW_OK);
    gst_harness_push_event (h, gst_event_new_eos ());
    no_error (bus);
    after = answered (h->srcpad);
    g_assert_true (after == before && (before != NULL) == (k == 1));
    g_clear_pointer (&before, gst_object_unref);
    g_clear_pointer (&after, gst_object_unref);
    gst_object_unref (pad);
    finish (h, bus);
  }
}

static void
no_such_device (void)
{
  GstBus *bus;
  GstHarness *h = harness (INTERP "cuda-device-id=63", NULL, &bus);

  g_assert_false (takes (h, "NV12", TRUE));
  g_assert_true (takes (h, "NV12", FALSE));
  finish (h, bus);
}

static void
pools (void)
{
  static const char *const formats[] = { "NV12", "P010_10LE", "I420", "RGBA" };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstBus *bus;
    GstHarness *h = playing (INTERP, formats[i], TRUE, &bus);
    g_autoptr (GstCaps) caps = caps_of (formats[i], TRUE, 25);
    GstQuery *query = gst_query_new_allocation (caps, TRUE);
    g_autoptr (GstBufferPool) pool = NULL;
    GstBuffer *b;
    guint size, min;

    g_assert_true (gst_pad_peer_query (h->srcpad, query));
    g_assert_cmpint (gst_query_get_n_allocation_pools (query), ==, 1);
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, NULL);
    g_assert_true (GST_IS_CUDA_BUFFER_POOL (pool));
    g_assert_cmpint (min, >, 2);
    g_assert_true (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
    g_assert_true (gst_buffer_pool_set_active (pool, TRUE));
    g_assert_cmpint (gst_buffer_pool_acquire_buffer (pool, &b, NULL), ==, GST_FLOW_OK);
    g_assert_true (on_device (b, context));
    g_assert_cmpint (gst_buffer_get_size (b), ==, size);
    gst_buffer_unref (b);
    gst_buffer_pool_set_active (pool, FALSE);
    gst_query_unref (query);
    finish (h, bus);
  }
}

/* ---- frames ------------------------------------------------------------------------------------- */

/* Real frames leave as they came: the very buffer, its memory read by nobody but the device. */
static void
untouched (void)
{
  GstBus *bus;
  GstHarness *h = playing (INTERP "multiplier=1/1", "NV12", TRUE, &bus);

  for (int i = 0; i < 4; i++) {
    GstBuffer *in = frame_in (context, "NV12", i, 0), *out;
    GstMemory *memory = gst_buffer_peek_memory (in, 0);
#ifdef SHIM
    const int launches = shim.launches, copies = shim.copies;
#endif

    g_assert_cmpint (gst_harness_push (h, in), ==, GST_FLOW_OK);
    out = gst_harness_pull (h);
    g_assert_true (out == in && gst_buffer_peek_memory (out, 0) == memory);
#ifdef SHIM
    g_assert_cmpint (shim.launches, ==, launches);
    g_assert_cmpint (shim.copies, ==, copies);
#endif
    g_autoptr (GstBuffer) same = frame_in (NULL, "NV12", i, 0);
    g_assert_cmpint (worst ("NV12", out, same), ==, 0);
    gst_buffer_unref (out);
  }
  no_error (bus);
  finish (h, bus);
}

/* What is made between them lies in CUDA memory of the application's context, and is what the plain backend makes. */
static void
made (gconstpointer data)
{
  const char *format = data;

  for (int cuda = 0; cuda < 2; cuda++) {
    GstBus *bus;
    GstHarness *h = playing (INTERP "backend=cuda multiplier=3/1", format, cuda, &bus);

    for (int i = 0; i < 4; i++) {
      g_assert_cmpint (gst_harness_push (h, frame_in (cuda ? context : NULL, format, i, 0)), ==, GST_FLOW_OK);
      no_error (bus);
    }
    gst_harness_push_event (h, gst_event_new_eos ());
    for (int i = 0; i < 10; i++) {
      g_autoptr (GstBuffer) out = gst_harness_pull (h), want = NULL;

      g_assert_cmpint (on_device (out, context), ==, cuda);
      if (i % 3) {
        want = wanted (format, i / 3, i % 3 / 3.);
        g_assert_cmpint (worst (format, out, want), <=, 1);
        g_autoptr (GstBuffer) before = frame_in (NULL, format, i / 3, 0);
        g_assert_cmpint (worst (format, out, before), >, 20); /* that says something */
      } else {
        want = frame_in (NULL, format, i / 3, 0);
        g_assert_cmpint (worst (format, out, want), ==, 0);
      }
    }
    finish (h, bus);
  }
}

/* Of a stream that begins anew with frame 20. */
static void
expect_next (GstHarness *h, int i)
{
  g_autoptr (GstBuffer) out = gst_harness_pull (h),
                        want = i % 2 ? wanted_at ("NV12", i / 2, 0.5, 1, i / 2 / 20 * 20) : frame_in (NULL, "NV12", i / 2, 0);

  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, i * 20 * MS);
  g_assert_true (i % 2 == 0 || gst_buffer_is_writable (out));
  g_assert_cmpint (worst ("NV12", out, want), <=, i % 2);
}

/* Frames in system memory: what is made is on its way back while the next is begun, so it leaves then, and what is behind it; at the end, and where none
 * follows; but in live pipelines at once. */
static void
overlapped (gconstpointer data)
{
  const gboolean live = GPOINTER_TO_INT (data);
  GstBus *bus;
  GstHarness *h = playing (INTERP "backend=cuda", "NV12", FALSE, &bus);
  GstEvent *e;

  gst_harness_set_live (h, live);
  gst_harness_query_latency (h);
  for (int i = 0; i < 3; i++)
    g_assert_cmpint (gst_harness_push (h, frame_in (NULL, "NV12", i, 0)), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_harness_buffers_in_queue (h), ==, live ? 5 : 3);

  /* A hole behind it: its event does not overtake, and all that was is ready when there is nothing to begin any more. */
  for (int i = 0; i < 3; i++) {
    GstBuffer *b = frame_in (NULL, "NV12", 20 + i, 0);

    GST_BUFFER_FLAG_SET (b, i ? 0 : GST_BUFFER_FLAG_DISCONT);
    g_assert_cmpint (gst_harness_push (h, b), ==, GST_FLOW_OK);
  }
  for (int i = 0; i < 5; i++)
    expect_next (h, i);
  gst_buffer_unref (gst_harness_pull (h)); /* the last one, up to its end */
  while ((e = gst_harness_try_pull_event (h)) && GST_EVENT_TYPE (e) != GST_EVENT_GAP)
    gst_event_unref (e);
  g_assert_nonnull (e);
  gst_event_unref (e);
  for (int i = 40; i < 43; i++)
    expect_next (h, i);
  g_assert_cmpint (gst_harness_buffers_in_queue (h), ==, live ? 2 : 0);

  /* A flush: what was late never comes. */
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  while (gst_harness_buffers_in_queue (h))
    gst_buffer_unref (gst_harness_pull (h));
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (int i = 0; i < 2; i++)
    g_assert_cmpint (gst_harness_push (h, frame_in (NULL, "NV12", i, 0)), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_harness_buffers_in_queue (h), ==, live ? 3 : 1);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (int i = 0; i < 3; i++)
    expect_next (h, i);
  no_error (bus);
  finish (h, bus);
}

/* Downstream has one buffer only. */
static GstPadProbeReturn
offer_pool (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  GstVideoInfo video;
  GstBufferPool *pool;
  GstCaps *caps;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_parse_allocation (query, &caps, NULL);
  g_assert_true (gst_video_info_from_caps (&video, caps));
  pool = gst_video_buffer_pool_new ();
  gst_query_add_allocation_pool (query, pool, GST_VIDEO_INFO_SIZE (&video), 1, 1);
  gst_object_unref (pool);
  return GST_PAD_PROBE_HANDLED;
}

/* None is held back then: the next one would never come. */
static void
one_buffer (void)
{
  GstBus *bus;
  GstHarness *h = harness (INTERP "backend=cuda", context, &bus);
  GstPad *pad = gst_element_get_static_pad (h->element, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, offer_pool, NULL, NULL);
  gst_object_unref (pad);
  gst_harness_set_src_caps (h, caps_of ("NV12", FALSE, 25));
  for (int i = 0; i < 4; i++) {
    g_assert_cmpint (gst_harness_push (h, frame_in (NULL, "NV12", i, 0)), ==, GST_FLOW_OK);
    for (int k = i ? 2 * i - 1 : 0; k <= 2 * i; k++)
      expect_next (h, k);
  }
  no_error (bus);
  finish (h, bus);
}

/* A cut is seen in frames that the host has not got, and blended there; a repeat is seen, too. */
static void
compared (void)
{
  GstBus *bus;
  GstHarness *h = playing (INTERP "scene-mode=blend duplicates=replace", "NV12", TRUE, &bus);

  for (int i = 0; i < 5; i++) {
    GstBuffer *b = frame_in (context, "NV12", MIN (i, 1), i > 0);

    GST_BUFFER_PTS (b) = i * 40 * MS;
    g_assert_cmpint (gst_harness_push (h, b), ==, GST_FLOW_OK);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  no_error (bus);
  for (int i = 0; i < 2; i++) {
    g_autoptr (GstBuffer) out = gst_harness_pull (h), want = i ? wanted_at ("NV12", 0, 0.5, 0, 0) : frame_in (NULL, "NV12", 0, 0);

    g_assert_true (on_device (out, context));
    g_assert_cmpint (worst ("NV12", out, want), <=, i);
  }
  GstStructure *stats;
  guint64 repeated, synthesized;
  g_object_get (h->element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "repeated", &repeated);
  gst_structure_get_uint64 (stats, "synthesized", &synthesized);
  g_assert_cmpuint (synthesized, ==, 0); /* between a cut and frames that do not move there is nothing to make */
  g_assert_cmpuint (repeated, >=, 1);
  gst_structure_free (stats);
  finish (h, bus);
}

/* Frames of another context than the element's: it goes there. */
static void
another_context (void)
{
  GstBus *bus;
  GstHarness *h = playing (INTERP "backend=cuda", "NV12", TRUE, &bus);
  GstCudaContext *other = gst_cuda_context_new (0);

  for (int i = 0; i < 6; i++) {
    g_assert_cmpint (gst_harness_push (h, frame_in (i < 3 ? context : other, "NV12", i, 0)), ==, GST_FLOW_OK);
    no_error (bus);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  for (int i = 0; i < 11; i++) {
    g_autoptr (GstBuffer) out = gst_harness_pull (h), want = NULL;

    g_assert_true (on_device (out, GST_BUFFER_PTS (out) < 120 * MS ? context : other));
    if (i % 2 == 0 || i == 5) /* nothing goes across: what was before is drained, and its last frame repeated */
      continue;
    want = wanted_at ("NV12", i / 2, 0.5, 1, i / 2 / 3 * 3);
    g_assert_cmpint (worst ("NV12", out, want), <=, 1);
  }
  finish (h, bus);
  gst_object_unref (other);
}

/* Flow of frames in CUDA memory is that of the same ones in system memory. */
static void
flow (void)
{
  GstBus *bus[2];
  GstHarness *h[2];
  g_autofree char *own = g_steal_pointer (&weights);

  weights = g_strdup_printf ("%s/vfi-flow-nano.safetensors", g_getenv ("VFI_SHIPPED_WEIGHTS"));
  for (int cuda = 0; cuda < 2; cuda++) {
    h[cuda] = playing ("vfiflow backend=cuda model=vfi-flow-nano precision=fp32", "NV12", cuda, &bus[cuda]);
    for (int i = 0; i < 3; i++)
      g_assert_cmpint (gst_harness_push (h[cuda], frame_in (cuda ? context : NULL, "NV12", i, 0)), ==, GST_FLOW_OK);
    no_error (bus[cuda]);
  }
  for (int i = 0; i < 2; i++) {
    g_autoptr (GstBuffer) a = gst_harness_pull (h[0]), b = gst_harness_pull (h[1]);
    const GstVfiFlowMeta *f = gst_buffer_get_vfi_flow_meta (a), *g = gst_buffer_get_vfi_flow_meta (b);
    double sum = 0;

    g_assert_true (on_device (b, context) && !on_device (a, context));
    g_assert_true (f && g && f->forward && g->forward);
    for (int k = 0; k < wide * high * 2; k++) {
      g_assert_cmpfloat (f->forward[k], ==, g->forward[k]);
      sum += k % 2 ? 0 : f->forward[k];
    }
    g_assert_cmpfloat (sum / (wide * high), >, 1); /* two pixels to the right */
  }
  for (int cuda = 0; cuda < 2; cuda++)
    finish (h[cuda], bus[cuda]);
  g_free (weights);
  weights = g_steal_pointer (&own);
}

#if GST_CHECK_VERSION(1, 24, 0)
/* ---- streams ------------------------------------------------------------------------------------ */

/* The pool that an element tells upstream of. */
static GstBufferPool *
proposed (GstHarness *h)
{
  g_autoptr (GstCaps) caps = caps_of ("NV12", TRUE, 25);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool;

  g_assert_true (gst_pad_peer_query (h->srcpad, query));
  gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
  gst_query_unref (query);
  g_assert_true (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

/* Frames of the element's pool, which belong to its stream: what is made of them does, too, is marked for others to wait for, and the host has waited
 * for nothing. Frames that belong to none: it has. */
static void
ordered (gconstpointer data)
{
  const gboolean own = GPOINTER_TO_INT (data);
  GstBus *bus;
  GstHarness *h = playing (INTERP "backend=cuda scene-threshold=1", "NV12", TRUE, &bus);
  g_autoptr (GstCaps) caps = caps_of ("NV12", TRUE, 25);
  g_autoptr (GstBufferPool) pool = proposed (h);
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  for (int i = 0; i < 8; i++) {
    GstBuffer *in = frame_in (own ? NULL : context, "NV12", i, 0);
    int waits = 0;

    if (own) {
      GstBuffer *there;
      GstMapInfo map;

      g_assert_cmpint (gst_buffer_pool_acquire_buffer (pool, &there, NULL), ==, GST_FLOW_OK);
      fill (there, &info, i, 0);
      g_assert_true (gst_buffer_map (there, &map, GST_MAP_READ | GST_MAP_CUDA)); /* enqueues the way to the device */
      gst_buffer_unmap (there, &map);
      GST_BUFFER_PTS (there) = GST_BUFFER_PTS (in);
      GST_BUFFER_DURATION (there) = GST_BUFFER_DURATION (in);
      gst_buffer_unref (in);
      in = there;
    }
#ifdef SHIM
    waits = shim.waits;
#endif
    g_assert_cmpint (gst_harness_push (h, in), ==, GST_FLOW_OK);
#ifdef SHIM
    waits = shim.waits - waits;
    g_assert_true (i == 0 || (waits == 0) == own);
#endif
    no_error (bus);
    for (int k = i ? 2 * i - 1 : 0; k <= 2 * i; k++) {
      g_autoptr (GstBuffer) out = gst_harness_pull (h), want = k % 2 ? wanted ("NV12", k / 2, 0.5) : frame_in (NULL, "NV12", k / 2, 0);
      GstMemory *memory = gst_buffer_peek_memory (out, 0);

      g_assert_true (on_device (out, context));
      if (k % 2) {
        g_assert_nonnull (gst_cuda_memory_get_stream (GST_CUDA_MEMORY_CAST (memory)));
        g_assert_true (GST_MEMORY_FLAG_IS_SET (memory, GST_CUDA_MEMORY_TRANSFER_NEED_SYNC));
      }
      g_assert_cmpint (worst ("NV12", out, want), <=, k % 2);
    }
  }
  gst_buffer_pool_set_active (pool, FALSE);
  finish (h, bus);
}
#endif

#ifdef SHIM
/* ---- what fails --------------------------------------------------------------------------------- */

/* Without a device there is nothing of CUDA in the caps, and the CPU works. */
static void
no_device (void)
{
  GstBus *bus;
  GstHarness *h;
  GstStructure *stats;

  shim.devices = 0;
  h = harness (INTERP, NULL, &bus);
  gst_harness_set_src_caps (h, caps_of ("NV12", FALSE, 25));
  g_assert_false (takes (h, "NV12", TRUE));
  for (int i = 0; i < 2; i++)
    g_assert_cmpint (gst_harness_push (h, frame_in (NULL, "NV12", i, 0)), ==, GST_FLOW_OK);
  no_error (bus);
  g_object_get (h->element, "stats", &stats, NULL);
  g_assert_true (g_str_has_prefix (gst_structure_get_string (stats, "backend"), "cpu"));
  gst_structure_free (stats);
  finish (h, bus);
  shim.devices = 1;
}

/* A device that is too old: no context is made for nothing, and the CPU works. */
static void
old_device (void)
{
  const int contexts = shim.contexts;
  GstBus *bus;
  GstHarness *h;

  shim.major = 6;
  shim.minor = 1;
  h = harness (INTERP, NULL, &bus);
  g_assert_cmpint (shim.contexts, ==, contexts);
  g_assert_false (takes (h, "NV12", TRUE));
  gst_harness_set_src_caps (h, caps_of ("NV12", FALSE, 25));
  for (int i = 0; i < 2; i++)
    g_assert_cmpint (gst_harness_push (h, frame_in (NULL, "NV12", i, 0)), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_harness_buffers_in_queue (h), ==, 3);
  no_error (bus);
  finish (h, bus);
  shim.major = 9;
  shim.minor = 0;
}

/* Pushes up to n frames; the first result that is not OK. */
static GstFlowReturn
push_frames (GstHarness *h, GstBuffer **frames, int n)
{
  GstFlowReturn ret = GST_FLOW_OK;

  for (int i = 0; i < n; i++)
    if (ret == GST_FLOW_OK)
      ret = gst_harness_push (h, frames[i]);
    else
      gst_buffer_unref (frames[i]);
  return ret;
}

static void
make_frames (GstBuffer **frames, int n)
{
  for (int i = 0; i < n; i++)
    frames[i] = frame_in (context, "NV12", i, 0);
}

/* Whichever allocation is the first that fails: an error that says how much there is, and all that was allocated is given back. */
static void
no_memory (void)
{
  GstFlowReturn ret = GST_FLOW_ERROR;
  int failed = 0;

  for (int k = 2; ret != GST_FLOW_OK; k = k < 6 ? k + 1 : 2 * k) {
    GstBuffer *frames[4];
    GstBus *bus;
    GstHarness *h;

    make_frames (frames, 4);
    h = harness (INTERP "backend=cuda multiplier=3/1", context, &bus);
    shim.fail_allocation = k;
    gst_harness_set_src_caps (h, caps_of ("NV12", TRUE, 25));
    ret = push_frames (h, frames, 4);
    if (ret != GST_FLOW_OK) {
      bus_expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "are free");
      gst_harness_push_event (h, gst_event_new_eos ());
      failed++;
    }
    shim.fail_allocation = 0;
    finish (h, bus);
    g_assert_cmpuint (shim.allocated, ==, 0);
  }
  g_assert_cmpint (failed, >, 3);
}

/* It runs out between two frames of a pair, and not even the smallest session is left: what is still to be shown of the pair is not asked of none. */
static void
no_memory_left (void)
{
  GstBus *bus;
  GstHarness *h = playing (INTERP "backend=cuda multiplier=3/1", "NV12", FALSE, &bus);

  for (int i = 0; i < 2; i++)
    g_assert_cmpint (gst_harness_push (h, frame_in (NULL, "NV12", i, 0)), ==, GST_FLOW_OK);
  no_error (bus);
  g_object_set (h->element, "flow-scale", 0.5, NULL); /* takes another session */
  shim.fail_allocation = 1;
  g_assert_cmpint (gst_harness_push (h, frame_in (NULL, "NV12", 2, 0)), ==, GST_FLOW_ERROR);
  bus_expect_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "are free");
  gst_harness_push_event (h, gst_event_new_eos ());
  no_error (bus); /* no second one */
  shim.fail_allocation = 0;
  finish (h, bus);
  g_assert_cmpuint (shim.allocated, ==, 0);
}

/* With less and less memory there comes a point where a session does not fit but one for half the size does: a warning, and frames as at that
 * flow scale, or flow. Before it, there is no room for frames. */
static void
little_memory (gconstpointer data)
{
  const gboolean is_flow = GPOINTER_TO_INT (data);
  const char *launch = is_flow ? "vfiflow backend=cuda model=vfi-flow-nano precision=fp32" : INTERP "backend=cuda";
  const gsize all = shim.memory;
  g_autofree char *own = weights;
  gsize most = 0;
  gboolean warned = FALSE;

  weights = g_strdup_printf ("%s/vfi-%snano.safetensors", g_getenv ("VFI_SHIPPED_WEIGHTS"), is_flow ? "flow-" : "");
  wide = 448; /* what is saved is more than the frames take */
  for (int part = 20; !warned; part--) {
    g_autoptr (GstMessage) warning = NULL, error = NULL;
    GstBuffer *frames[2];
    GstFlowReturn ret;
    GstBus *bus;
    GstHarness *h;

    g_assert_cmpint (part, >, 8);
    make_frames (frames, 2);
    if (most)
      shim.memory = most / 20 * part;
    h = playing (launch, "NV12", TRUE, &bus);
    ret = push_frames (h, frames, 2);
    most = MAX (most, shim.allocated);
    warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    error = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    warned = warning && !error;
    g_assert_cmpint (ret == GST_FLOW_OK, ==, error == NULL);
    if (!error) {
      g_autoptr (GstBuffer) first = gst_harness_pull (h);

      if (is_flow)
        g_assert_nonnull (gst_buffer_get_vfi_flow_meta (first)->forward);
      else {
        g_autoptr (GstBuffer) out = gst_harness_pull (h), want = wanted_at ("NV12", 0, 0.5, warned ? 0.5 : 1, 0);
        g_assert_cmpint (worst ("NV12", out, want), <=, 1);
      }
    }
    shim.memory = all;
    finish (h, bus);
  }
  wide = 96;
  g_free (weights);
  weights = g_steal_pointer (&own);
}

/* The stream ends with an error, wherever the device is lost; nothing else does. */
static void
lost_device (void)
{
  GstFlowReturn ret = GST_FLOW_ERROR;
  int lost = 0;

  for (int k = 2; ret != GST_FLOW_OK; k = 3 * k + 1) {
    GstBus *bus;
    GstHarness *h = playing (INTERP "backend=cuda", "NV12", TRUE, &bus);
    GstBuffer *frames[6];

    make_frames (frames, 6);
    shim.fail_launch = k;
    ret = push_frames (h, frames, 6);
    if (ret != GST_FLOW_OK) {
      g_assert_cmpint (ret, ==, GST_FLOW_ERROR);
      bus_expect_error (bus, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, "unknown error");
      lost++;
    }
    shim.fail_launch = 0;
    finish (h, bus);
  }
  g_assert_cmpint (lost, >, 3);
}
#endif

/* ------------------------------------------------------------------------------------------------- */

int
main (int argc, char **argv)
{
  static const char *const formats[] = { "NV12", "P010_10LE", "I420", "RGBA" };
  int result;

  run_init (&argc, &argv);
  weights = g_strdup_printf ("%s/vfi-nano.safetensors", g_getenv ("VFI_SHIPPED_WEIGHTS"));
  if (!gst_cuda_load_library () || !(context = gst_cuda_context_new (0))) {
    g_print ("1..0 # SKIP there is no CUDA device\n");
    return 0;
  }
  gst_cuda_memory_init_once ();
  g_test_add_func ("/cuda-memory/negotiation", negotiation);
  g_test_add_func ("/cuda-memory/first-choice", first_choice);
  g_test_add_func ("/cuda-memory/contexts", contexts);
  g_test_add_func ("/cuda-memory/context-when-asked", context_when_asked);
  g_test_add_func ("/cuda-memory/late-context", late_context);
  g_test_add_func ("/cuda-memory/no-such-device", no_such_device);
  g_test_add_func ("/cuda-memory/pools", pools);
  g_test_add_func ("/cuda-memory/untouched", untouched);
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *name = g_strdup_printf ("/cuda-memory/made/%s", formats[i]);

    g_test_add_data_func (name, formats[i], made);
  }
  g_test_add_data_func ("/cuda-memory/overlapped", GINT_TO_POINTER (FALSE), overlapped);
  g_test_add_data_func ("/cuda-memory/live", GINT_TO_POINTER (TRUE), overlapped);
#if GST_CHECK_VERSION(1, 24, 0)
  g_test_add_data_func ("/cuda-memory/ordered", GINT_TO_POINTER (TRUE), ordered);
  g_test_add_data_func ("/cuda-memory/not-ordered", GINT_TO_POINTER (FALSE), ordered);
#endif
  g_test_add_func ("/cuda-memory/one-buffer", one_buffer);
  g_test_add_func ("/cuda-memory/compared", compared);
  g_test_add_func ("/cuda-memory/another-context", another_context);
  g_test_add_func ("/cuda-memory/flow", flow);
#ifdef SHIM
  g_test_add_func ("/cuda-memory/no-device", no_device);
  g_test_add_func ("/cuda-memory/old-device", old_device);
  g_test_add_func ("/cuda-memory/no-memory", no_memory);
  g_test_add_func ("/cuda-memory/no-memory-left", no_memory_left);
  g_test_add_data_func ("/cuda-memory/little-memory", GINT_TO_POINTER (FALSE), little_memory);
  g_test_add_data_func ("/cuda-memory/little-memory-for-flow", GINT_TO_POINTER (TRUE), little_memory);
  g_test_add_func ("/cuda-memory/lost-device", lost_device);
#endif
  result = g_test_run ();
  gst_object_unref (context);
#ifdef SHIM
  g_assert_cmpuint (shim.allocated, ==, 0);
  g_assert_cmpint (shim.contexts, ==, 0);
#endif
  g_free (weights);
  return result;
}
