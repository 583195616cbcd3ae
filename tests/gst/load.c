/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is given up under load, in which order, and how it comes back.
 */
#include "load.h"

#define MS 1000000
#define PERIOD (40 * MS)

/* Letters for n frames that are `late` ms late: S, R and - for skipped. */
static char *
decide (VfiLoad *load, int late, int n)
{
  GString *s = g_string_new ("");
  while (n-- > 0)
    g_string_append_c (s, "SR-"[vfi_load_decide (load, late * (gint64) MS, PERIOD)]);
  return g_string_free (s, FALSE);
}

#define expect(load, late, n, text)                                                                                                        \
  do {                                                                                                                                     \
    g_autofree char *s_ = decide (load, late, n);                                                                                          \
    g_assert_cmpstr (s_, ==, text);                                                                                                        \
  } while (0)

static void
test_order (void)
{
  VfiLoad load;
  vfi_load_init (&load, 0);
  expect (&load, -5, 100, "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS");
  g_assert_cmpint (load.level, ==, VFI_LOAD_FULL);
  /* Late: cheaper at once, then, if that does not do, repeats, and nothing where it is hopeless. */
  expect (&load, 5, 1, "S");
  g_assert_cmpint (load.level, ==, VFI_LOAD_CHEAP);
  expect (&load, 5, 3, "SSS");
  expect (&load, 5, 3, "RRR");
  g_assert_cmpint (load.level, ==, VFI_LOAD_SPARE);
  expect (&load, 41, 2, "--");
  expect (&load, 40, 1, "R");
  /* In time: synthesis, still cheap. */
  expect (&load, 0, 1, "S");
  g_assert_cmpint (load.level, ==, VFI_LOAD_SPARE);
}

static void
test_cheap_may_do (void)
{
  VfiLoad load;
  vfi_load_init (&load, 0);
  /* Now and then late is no reason for repeats. */
  for (int i = 0; i < 10; i++) {
    expect (&load, 5, 3, "SSS");
    expect (&load, -5, 3, "SSS");
    g_assert_cmpint (load.level, ==, VFI_LOAD_CHEAP);
  }
}

/* Frames in time until the level goes up. */
static int
recovery (VfiLoad *load)
{
  int n = 0;
  VfiLoadLevel level = load->level;
  for (; load->level == level; n++)
    vfi_load_decide (load, -1, PERIOD);
  return n;
}

static void
test_recovery (void)
{
  VfiLoad load;
  vfi_load_init (&load, 0);
  g_free (decide (&load, 5, 10));
  int first = recovery (&load), second = recovery (&load);
  g_assert_cmpint (load.level, ==, VFI_LOAD_FULL);
  g_assert_cmpint (first, ==, second);
  /* Too early, so it takes twice as long next time; not for ever. */
  g_free (decide (&load, 5, 1));
  g_assert_cmpint (recovery (&load), ==, 2 * first);
  for (int i = 0; i < 20; i++) {
    g_free (decide (&load, 5, 1));
    recovery (&load);
  }
  g_free (decide (&load, 5, 1));
  g_assert_cmpint (recovery (&load), <, 10000);
}

static void
test_announced (void)
{
  VfiLoad load;
  guint changes = 0;
  vfi_load_init (&load, 20 * MS);
  /* A guess that is far off is corrected once something is known. */
  for (int i = 0; i < 100; i++)
    changes += vfi_load_measure (&load, 5 * MS);
  g_assert_cmpuint (changes, ==, 1);
  g_assert_cmpuint (load.announced, >=, 5 * MS);
  g_assert_cmpuint (load.announced, <=, 10 * MS);
  /* Some up and down changes nothing. */
  for (int i = 0; i < 1000; i++)
    g_assert_false (vfi_load_measure (&load, (3 + i % 5) * MS));
  /* More load does, a few times until it has settled. */
  for (int i = 0; i < 100; i++)
    changes += vfi_load_measure (&load, 30 * MS);
  g_assert_cmpuint (load.announced, >=, 29 * MS);
  g_assert_cmpuint (load.announced, <=, 60 * MS);
  g_assert_cmpuint (changes, <=, 8);
  /* Less does not before long. */
  changes = 0;
  for (int i = 0; i < 400; i++)
    changes += vfi_load_measure (&load, 5 * MS);
  g_assert_cmpuint (changes, ==, 1);
  g_assert_cmpuint (load.announced, <=, 10 * MS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/order", test_order);
  g_test_add_func ("/load/cheap-may-do", test_cheap_may_do);
  g_test_add_func ("/load/recovery", test_recovery);
  g_test_add_func ("/load/announced", test_announced);
  return g_test_run ();
}
