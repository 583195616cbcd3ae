/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of vfiinpaint share. With weights of zeros its networks see no motion and make up grey: what they are worth is tested elsewhere.
 */
#pragma once

#include "support.h"

#define INPAINT "vfiinpaint name=vfi backend=cpu precision=fp32 threads=1 history=4 "
#define PERIOD (50 * MS)

/* What feeds the mask pad. */
static inline GstHarness *
mask_harness (GstElement *element, const char *caps)
{
  GstHarness *h = gst_harness_new_with_element (element, "mask", NULL);
  gst_harness_set_src_caps_str (h, caps);
  return h;
}

/* Pushes a frame; whether something was removed from it. */
static inline gboolean
is_masked (Run *r, GstBuffer *b)
{
  const GstMemory *memory = gst_buffer_peek_memory (b, 0);
  g_assert_cmpint (gst_harness_push (r->h, b), ==, GST_FLOW_OK);
  g_autoptr (GstBuffer) out = gst_harness_try_pull (r->h);
  g_assert_nonnull (out);
  return gst_buffer_peek_memory (out, 0) != memory;
}

static inline gboolean
frame_is_masked (Run *r, int ms)
{
  return is_masked (r, run_frame (r, 100, ms * MS, PERIOD, 0));
}
