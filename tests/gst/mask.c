/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Masks by themselves: who holds one.
 */
#include "../../gst/mask.h"

#define MASKS 40
#define TIMES 200000

static gpointer
hold (gpointer mask)
{
  for (int i = 0; i < TIMES; i++)
    gst_vfi_mask_unref (gst_vfi_mask_ref (mask));
  return NULL;
}

/* The streams of masks and of frames hold the same one. A count that loses one of two changes frees it too soon, which GLib complains of, or never. */
static void
test_threads (void)
{
  for (int n = 0; n < MASKS; n++) {
    g_autoptr (GstVfiMask) mask = gst_vfi_mask_new (16, 16);
    GThread *thread[2];
    for (int i = 0; i < 2; i++)
      thread[i] = g_thread_new ("hold", hold, mask);
    for (int i = 0; i < 2; i++)
      g_thread_join (thread[i]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mask/threads", test_threads);
  return g_test_run ();
}
