/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which frames are shown when: short cases written out, and the rates that matter over ten minutes.
 */
#include "timeline.h"

#define SECOND 1000000000ull
#define MS 1000000ull

/* Frames are numbers from 1 on. */
static int released[100000];

static void
release (gpointer frame)
{
  released[GPOINTER_TO_INT (frame)]++;
}

static void
check_released (int n)
{
  for (int i = 1; i <= n; i++) {
    g_assert_cmpint (released[i], ==, 1);
    released[i] = 0;
  }
}

/* ---- short cases: input and output in words -------------------------------------------------------
 *
 * Input, times in ms: "0" a frame of one nominal period, "0+50" one of 50 ms, "0+?" of unknown duration, "0d" a duplicate, "0x" a damaged
 * one, "gap120" no frame up to 120, "end", "end100" with a stop time.
 * Output: "0+50:1" frame 1, "0+50:=1" frame 1 again, "0+50:1>2@.5" between frames 1 and 2, "!" after it where it repairs,
 * "0+50:-" a hole. "|" stands where the input so far has given all it can. Where what is around counts, "1>2@.5[-,3x2]" has nothing known before and frame 3 after
 * it, twice as far away. */
typedef struct
{
  const char *name;
  gboolean repair;
  int in, out, stretch; /* frames a second, 0: variable */
  guint max_gap;
  const char *input, *output;
  enum
  {
    LEFT_OUT,
    BEHIND, /* frames before are told */
    AROUND, /* and the one after is waited for */
  } neighbours;
} Case;

static const Case cases[] = {
  /* Real frames leave at once; what lies between them when the next one comes. */
  { "rate/twice", FALSE, 20, 40, 1, 4, "0 50 100 end", "0+25:1|25+25:1>2@.5 50+25:2|75+25:2>3@.5 100+25:3|125+25:=3" },
  { "rate/same", FALSE, 20, 20, 1, 4, "0 50 end", "0+50:1|50+50:2|" },
  { "rate/half", FALSE, 20, 10, 1, 4, "0 50 100 150 200 end", "|0+100:1||100+100:3||200+50:5" },
  { "rate/no-duration", FALSE, 20, 40, 1, 4, "0+? 50+? end", "0+25:1|25+25:1>2@.5 50+25:2|75+25:=2" },
  { "rate/starts-late", FALSE, 20, 40, 1, 4, "1000 end", "1000+25:1|1025+25:=1" },
  { "rate/stop", FALSE, 20, 40, 1, 4, "0 50 end60", "0+25:1|25+25:1>2@.5 50+25:2|" },
  { "rate/stop-cuts", FALSE, 20, 40, 1, 4, "0 50 end80", "0+25:1|25+25:1>2@.5 50+25:2|75+5:=2" },
  /* A time stamp within a millisecond of its moment is taken as on it. */
  { "rate/rounded", FALSE, 20, 40, 1, 4, "0 51 99 end", "0+25:1|25+25:1>2@.49 50+25:2|75+25:2>3@.5 100+25:3|125+24:=3" },
  { "rate/off-grid", FALSE, 20, 40, 1, 4, "0 60 120 end",
    "0+25:1|25+25:1>2@.417 50+25:1>2@.833|75+25:2>3@.25 100+25:2>3@.667 125+25:3|150+20:=3" },
  /* Regular, but slowly off the grid: real frames stay real. */
  { "rate/drift", FALSE, 20, 40, 1, 4, "0 46 92 138", "0+25:1|25+25:1>2@.543 50+25:2|75+17:2>3@.63 92+25:3|117+25:3>4@.543 142+25:4" },
  { "rate/drift-late", FALSE, 20, 40, 1, 4, "0 54 108 162",
    "0+25:1|25+25:1>2@.463 50+25:2|75+33:2>3@.389 108+25:3|133+25:3>4@.463 158+25:4" },
  { "rate/lost-frame", FALSE, 20, 40, 1, 4, "0 100 end", "0+25:1|25+25:1>2@.25! 50+25:1>2@.5! 75+25:1>2@.75! 100+25:2|125+25:=2" },
  /* Too many are lost: the grid starts again. */
  { "rate/hole", FALSE, 20, 40, 1, 1, "0 160 end", "0+25:1|25+25:=1 50+110:- 160+25:2|185+25:=2" },
  { "rate/hole-restart", FALSE, 20, 40, 1, 1, "0 1010 end", "0+25:1|25+25:=1 50+960:- 1010+25:2|1035+25:=2" },
  { "rate/long-frame", FALSE, 20, 20, 1, 1, "0+170 170 end", "0+50:1|50+50:=1 100+50:=1 150+50:=1|200+20:=2" },
  { "rate/max-gap-0", FALSE, 20, 40, 1, 0, "0 50 150", "0+25:1|25+25:1>2@.5 50+25:2|75+25:=2 100+50:- 150+25:3" },
  { "rate/damaged-is-good", FALSE, 20, 40, 1, 4, "0 50x 100", "0+25:1|25+25:1>2@.5 50+25:2|75+25:2>3@.5 100+25:3" },
  { "rate/gap-fits", FALSE, 20, 40, 1, 4, "0 gap100 100", "0+25:1||25+25:1>2@.25! 50+25:1>2@.5! 75+25:1>2@.75! 100+25:2" },
  { "rate/gap-too-long", FALSE, 20, 40, 1, 1, "0 gap300 300", "0+25:1|25+25:=1 50+250:-|300+25:2" },
  { "rate/gap-then-end", FALSE, 20, 40, 1, 4, "0 gap100 end", "0+25:1||25+25:=1 50+50:-" },
  /* Variable rate: moments do not move, frames lie between them. Unknown durations last until the next frame. */
  { "rate/variable", FALSE, 0, 50, 1, 9, "0+? 30+? 130+? end",
    "0+20:1|20+20:1>2@.667|40+20:2>3@.1! 60+20:2>3@.3! 80+20:2>3@.5! 100+20:2>3@.7! 120+20:2>3@.9!|140+20:=3 160+3.333333:=3" },
  { "rate/variable-still", FALSE, 0, 20, 1, 1, "0+? 200+? 225+?", "|0+50:1 50+50:=1 100+50:=1 150+50:=1|200+50:2" },
  /* Duplicates wait for what follows. */
  { "rate/duplicate", FALSE, 20, 20, 1, 4, "0 50d 100 end", "0+50:1||50+50:1>3@.5! 100+50:3|" },
  { "rate/duplicate-last", FALSE, 20, 20, 1, 4, "0 50d end", "0+50:1||50+50:2" },
  { "rate/twos", FALSE, 20, 40, 1, 4, "0 50d 100 150d 200 end",
    "0+25:1||25+25:1>3@.25! 50+25:1>3@.5! 75+25:1>3@.75! 100+25:3||125+25:3>5@.25! 150+25:3>5@.5! 175+25:3>5@.75! 200+25:5|225+25:=5" },
  { "rate/still", FALSE, 20, 20, 1, 2, "0 50d 100d 150d 200d 250 end", "0+50:1|||50+50:2 100+50:3 150+50:4||200+50:4>6@.5! 250+50:6|" },
  /* Slow motion: the same, stretched about the origin, which is 100 ms here. */
  { "slowmo/twice", FALSE, 20, 20, 2, 4, "100 150 end", "100+50:1|150+50:1>2@.5 200+50:2|250+50:=2" },
  { "slowmo/before-origin", FALSE, 20, 20, 2, 4, "50 100 end", "0+50:1|50+50:1>2@.5 100+50:2|150+50:=2" },
  { "slowmo/hole", FALSE, 20, 20, 2, 0, "100 200", "100+50:1|150+50:=1 200+100:- 300+50:2" },
  /* Repair: frames keep their times. */
  { "repair/nothing", TRUE, 20, 20, 1, 4, "0 53 98+? end", "0+50:1|53+50:2|98+?:3|" },
  { "repair/missing", TRUE, 20, 20, 1, 4, "0 151", "0+50:1|50.333333+50.333333:1>2@.333! 100.666666+50.333334:1>2@.667! 151+50:2" },
  { "repair/late-only", TRUE, 20, 20, 1, 4, "0 74", "0+50:1|74+50:2" },
  { "repair/damaged", TRUE, 20, 20, 1, 4, "0 52x 100", "0+50:1||52+50:1>3@.52! 100+50:3" },
  { "repair/damaged-and-missing", TRUE, 20, 20, 1, 4, "0 50x 150", "0+50:1||50+50:1>3@.333! 100+50:1>3@.667! 150+50:3" },
  { "repair/duplicate", TRUE, 20, 20, 1, 4, "0 50d 100", "0+50:1||50+50:1>3@.5! 100+50:3" },
  { "repair/too-many-damaged", TRUE, 20, 20, 1, 1, "0 50x 100x 150", "0+50:1||50+50:=1 100+50:=1|150+50:4" },
  { "repair/too-many-missing", TRUE, 20, 20, 1, 1, "0 150 200", "0+50:1|50+100:- 150+50:2|200+50:3" },
  { "repair/too-many-duplicates", TRUE, 20, 20, 1, 1, "0 50d 100d 150", "0+50:1||50+50:2 100+50:3|150+50:4" },
  { "repair/lost-in-still", TRUE, 20, 20, 1, 2, "0 50d 150d 200", "0+50:1||50+50:2 100+50:=2 150+50:3|200+50:4" },
  { "repair/damaged-at-start", TRUE, 20, 20, 1, 4, "0x 50x 100 200", "0+50:1|50+50:2|100+50:3|150+50:3>4@.5! 200+50:4" },
  { "repair/damaged-at-end", TRUE, 20, 20, 1, 4, "0 50x end", "0+50:1||50+50:=1" },
  { "repair/gap-fits", TRUE, 20, 20, 1, 4, "0 gap100 100", "0+50:1||50+50:1>2@.5! 100+50:2" },
  { "repair/gap-too-long", TRUE, 20, 20, 1, 1, "0 gap200 200", "0+50:1|50+150:-|200+50:2" },
  { "repair/variable", TRUE, 0, 0, 1, 9, "0 33x 66 200", "0+33.333333:1||33+33.333333:1>3@.5! 66+33.333333:3|200+33.333333:4" },
  /* Around a pair. */
  { "around/before", FALSE, 20, 40, 1, 4, "0 50 100 end", "0+25:1|25+25:1>2@.5[-,-] 50+25:2|75+25:2>3@.5[1x1,-] 100+25:3|125+25:=3",
    BEHIND },
  { "around/lookahead", FALSE, 20, 40, 1, 4, "0 50 100 150 end",
    "0+25:1||25+25:1>2@.5[-,3x1] 50+25:2|75+25:2>3@.5[1x1,4x1] 100+25:3|125+25:3>4@.5[2x1,-] 150+25:4 175+25:=4", AROUND },
  { "around/lost-frame", FALSE, 20, 20, 2, 4, "100 150 250 300 end",
    "100+50:1||150+50:1>2@.5[-,3x2] 200+50:2|250+50:2>3@.25![1x0.5,4x0.5] 300+50:2>3@.5![1x0.5,4x0.5] 350+50:2>3@.75![1x0.5,4x0.5] "
    "400+50:3|450+50:3>4@.5[2x2,-] 500+50:4 550+50:=4",
    AROUND },
  { "around/gap-does-not-wait", FALSE, 20, 40, 1, 4, "0 50 gap150 150", "0+25:1||25+25:1>2@.5[-,-] 50+25:2|", AROUND },
  { "around/hole", FALSE, 20, 40, 1, 1, "0 50 210 260 310",
    "0+25:1||25+25:1>2@.5[-,-] 50+25:2 75+25:=2 100+110:- 210+25:3||235+25:3>4@.5[-,5x1] 260+25:4", AROUND },
  { "around/still", FALSE, 20, 40, 1, 0, "0 50d 100 150",
    "0+25:1|25+25:=1 50+25:2|75+25:2>3@.5[-,-] 100+25:3|125+25:3>4@.5[2x1,-] 150+25:4", BEHIND },
  { "around/repair", TRUE, 20, 20, 1, 4, "0 50 100x 150 200", "0+50:1|50+50:2|||100+50:2>4@.5![1x0.5,5x0.5] 150+50:4 200+50:5", AROUND },
  { "around/repair-missing", TRUE, 20, 20, 1, 4, "0 50 150 200", "0+50:1|50+50:2||100+50:2>3@.5![1x0.5,4x0.5] 150+50:3 200+50:4", AROUND },
  { "around/repair-behind", TRUE, 20, 20, 1, 4, "0 50 150 200", "0+50:1|50+50:2|100+50:2>3@.5![1x0.5,-] 150+50:3|200+50:4", BEHIND },
  { "around/repair-at-end", TRUE, 20, 20, 1, 4, "0 50x 100 end", "0+50:1|||50+50:1>3@.5![-,-] 100+50:3", AROUND },
};

static void
append_neighbour (GString *s, gpointer frame, double lasts)
{
  if (frame)
    g_string_append_printf (s, "%dx%g", GPOINTER_TO_INT (frame), lasts);
  else
    g_string_append_c (s, '-');
}

static void
append_ms (GString *s, guint64 ns)
{
  if (ns % MS)
    g_string_append_printf (s, "%d.%06d", (int) (ns / MS), (int) (ns % MS));
  else
    g_string_append_printf (s, "%d", (int) (ns / MS));
}

static void
append_moments (GString *s, VfiTimeline *tl, gboolean around)
{
  VfiMoment m;
  const char *space = "";
  while (vfi_timeline_pull (tl, &m)) {
    g_string_append (s, space);
    space = " ";
    append_ms (s, m.pts);
    g_string_append_c (s, '+');
    if (m.duration == VFI_NO_TIME)
      g_string_append_c (s, '?');
    else
      append_ms (s, m.duration);
    if (m.kind == VFI_MOMENT_HOLE)
      g_string_append (s, ":-");
    else if (m.kind == VFI_MOMENT_BETWEEN) {
      char t[16];
      g_ascii_formatd (t, sizeof t, "%.3f", m.t);
      while (g_str_has_suffix (t, "0") && t[2] != '0')
        t[strlen (t) - 1] = 0;
      g_string_append_printf (s, ":%d>%d@%s%s", GPOINTER_TO_INT (m.a), GPOINTER_TO_INT (m.b), t + 1, m.repairs ? "!" : "");
      if (around) {
        g_string_append_c (s, '[');
        append_neighbour (s, m.before, m.before_lasts);
        g_string_append_c (s, ',');
        append_neighbour (s, m.after, m.after_lasts);
        g_string_append_c (s, ']');
      }
    } else
      g_string_append_printf (s, ":%s%d", m.kind == VFI_MOMENT_REPEAT ? "=" : "", GPOINTER_TO_INT (m.a));
  }
}

static void
test_case (gconstpointer data)
{
  const Case *k = data;
  g_autoptr (VfiTimeline) tl = vfi_timeline_new (release);
  vfi_timeline_configure (
      tl, &(VfiTimelineConfig){ k->repair, k->in, 1, k->out, 1, k->stretch, 1, 100 * MS, k->max_gap, k->neighbours == AROUND });

  g_autoptr (GString) out = g_string_new ("");
  g_auto (GStrv) words = g_strsplit (k->input, " ", -1);
  int n = 0;
  for (int i = 0; words[i]; i++) {
    char *end;
    if (g_str_has_prefix (words[i], "end"))
      vfi_timeline_end (tl, words[i][3] ? g_ascii_strtoull (words[i] + 3, NULL, 10) * MS : VFI_NO_TIME);
    else if (g_str_has_prefix (words[i], "gap"))
      vfi_timeline_gap (tl, g_ascii_strtoull (words[i] + 3, NULL, 10) * MS);
    else {
      guint64 pts = g_ascii_strtoull (words[i], &end, 10) * MS, duration = SECOND / (k->in ? k->in : VFI_VARIABLE_RATE);
      if (*end == '+' && end[1] == '?')
        duration = VFI_NO_TIME;
      else if (*end == '+')
        duration = g_ascii_strtoull (end + 1, &end, 10) * MS;
      vfi_timeline_push (tl, GINT_TO_POINTER (++n), pts, duration,
                         *end == 'd' ? VFI_INPUT_DUPLICATE : (*end == 'x' ? VFI_INPUT_DAMAGED : VFI_INPUT_GOOD));
    }
    if (i)
      g_string_append (out, "|");
    append_moments (out, tl, k->neighbours);
    if (g_str_has_prefix (words[i], "end"))
      g_assert_true (vfi_timeline_newest (tl) == VFI_NO_TIME);
  }
  g_assert_cmpstr (out->str, ==, k->output);
  vfi_timeline_clear (tl);
  check_released (n);
}

/* ---- ten minutes ---------------------------------------------------------------------------------- */

typedef struct
{
  int in_num, in_den, out_num, out_den, stretch;
  int every; /* as many moments after each other hold one that is real; 0: no such rule */
} Rate;

static const Rate rates[] = {
  { 24000, 1001, 60000, 1001, 1, 5 },
  { 24, 1, 60, 1, 1, 5 },
  { 25, 1, 50, 1, 1, 2 },
  { 30, 1, 60, 1, 1, 2 },
  { 50, 1, 30, 1, 1, 3 },
  { 24, 1, 25, 1, 1, 25 },
  { 30000, 1001, 60, 1, 1, 0 },
  { 60, 1, 60000, 1001, 1, 0 },
  { 30000, 1001, 24000, 1001, 1, 4 },
  { 25, 1, 25, 1, 1, 1 },
  { 24000, 1001, 24000, 1001, 4, 4 },
  { 120, 1, 30, 1, 8, 2 },
  { 60000, 1001, 120000, 1001, 3, 6 },
};

/* Frame i of an input of the rate, its stamp as a container that counts in `unit` ns has it. */
static guint64
stamp (const Rate *r, guint64 i, guint64 unit)
{
  guint64 ns = (unsigned __int128) i * SECOND * r->in_den / r->in_num;
  return (ns + unit / 2) / unit * unit;
}

static void
test_rate (const Rate *r, guint64 unit)
{
  const guint64 n = 600ull * r->in_num / r->in_den, end = stamp (r, n, unit);
  g_autoptr (VfiTimeline) tl = vfi_timeline_new (release);
  vfi_timeline_configure (tl, &(VfiTimelineConfig){ FALSE, r->in_num, r->in_den, r->out_num, r->out_den, r->stretch, 1, 0, .max_gap = 4 });
  guint64 k = 0, at = 0, last_real = 0, real = 0;
  int since = 0;
  for (guint64 i = 0; i <= n; i++) {
    if (i < n)
      vfi_timeline_push (tl, GINT_TO_POINTER (i + 1), stamp (r, i, unit), stamp (r, i + 1, unit) - stamp (r, i, unit), VFI_INPUT_GOOD);
    else
      vfi_timeline_end (tl, VFI_NO_TIME);
    VfiMoment m;
    while (vfi_timeline_pull (tl, &m)) {
      /* Exactly on the grid, without a break. */
      g_assert_cmpuint (m.pts, ==, (unsigned __int128) k++ * SECOND * r->out_den / r->out_num);
      g_assert_cmpuint (m.pts, ==, at);
      at = m.pts + m.duration;
      /* At the right place of the input. */
      guint64 a = GPOINTER_TO_SIZE (m.a) - 1, b = GPOINTER_TO_SIZE (m.b) - 1;
      double time = stamp (r, a, unit), tolerance = 1;
      if (m.kind == VFI_MOMENT_BETWEEN) {
        g_assert_cmpuint (b, ==, a + 1);
        g_assert_true (m.t > 0 && m.t < 1 && !m.repairs);
        time += m.t * (double) (stamp (r, b, unit) - stamp (r, a, unit));
        tolerance += (double) (stamp (r, b, unit) - stamp (r, a, unit)) / 131072;
      } else if (m.kind == VFI_MOMENT_REAL)
        tolerance += unit == 1 && r->every ? 0 : MS;
      else {
        g_assert_cmpint (m.kind, ==, VFI_MOMENT_REPEAT);
        g_assert_cmpuint (a, ==, n - 1);
        continue;
      }
      g_assert_cmpfloat_with_epsilon (time, (double) m.pts / r->stretch, tolerance);
      if (m.kind == VFI_MOMENT_REAL) {
        g_assert_true (real == 0 || a > last_real);
        last_real = a;
        real++;
      }
      since = m.kind == VFI_MOMENT_REAL ? 0 : since + 1;
      g_assert_true (r->every == 0 || since < r->every);
    }
  }
  g_assert_cmpuint (at, ==, end * r->stretch);
  if (r->every)
    g_assert_cmpuint (real, ==, (k + r->every - 1) / r->every);
  else
    g_assert_cmpuint (real, >, 0);
  check_released (n);
}

static void
test_exact (gconstpointer data)
{
  test_rate (data, 1);
}

static void
test_milliseconds (gconstpointer data)
{
  test_rate (data, MS);
}

static void
test_90khz (gconstpointer data)
{
  test_rate (data, 11111);
}

/* ---- anything --------------------------------------------------------------------------------------
 *
 * Whatever comes: moments are in order, without overlap in a grid that never restarts, each frame is real at most once and in order (a
 * repair shows every good one), and each is released once. */
static void
test_anything (void)
{
  const int rounds = g_test_slow () ? 20000 : 2000;
  for (int round = 0; round < rounds; round++) {
    VfiTimelineConfig c = { .repair = g_test_rand_bit (),
                            .in_num = g_test_rand_int_range (0, 60),
                            .in_den = 1,
                            .out_num = g_test_rand_int_range (1, 120),
                            .out_den = g_test_rand_int_range (1, 3),
                            .stretch_num = g_test_rand_int_range (1, 5),
                            .stretch_den = g_test_rand_int_range (1, 3),
                            .origin = SECOND,
                            .max_gap = g_test_rand_int_range (0, 5) };
    if (c.repair)
      c.stretch_num = c.stretch_den = 1;
    g_autoptr (VfiTimeline) tl = vfi_timeline_new (release);
    vfi_timeline_configure (tl, &c);
    const int n = 40;
    guint64 pts = g_test_rand_int_range (1000, 3000) * MS, p = SECOND / (c.in_num ? c.in_num : 30), last = 0;
    int good = 0, shown = 0, last_real = 0;
    gboolean started = FALSE;
    for (int i = 1; i <= n; i++) {
      VfiInputKind kind = vfi_timeline_reference (tl) ? g_test_rand_int_range (0, 5) - 2 : 0;
      kind = (int) kind < 0 ? VFI_INPUT_GOOD : kind;
      if (i == n)
        vfi_timeline_end (tl, g_test_rand_bit () ? pts : VFI_NO_TIME);
      else {
        vfi_timeline_push (tl, GINT_TO_POINTER (i), pts, g_test_rand_bit () ? p : VFI_NO_TIME, kind);
        good += kind == VFI_INPUT_GOOD;
        pts += p * (g_test_rand_int_range (0, 8) ? 1 : g_test_rand_int_range (1, 8)) + g_test_rand_int_range (1, p / 4);
        if (g_test_rand_int_range (0, 20) == 0)
          vfi_timeline_gap (tl, pts);
      }
      VfiMoment m;
      while (vfi_timeline_pull (tl, &m)) {
        if (!(!started || m.pts > last) || !m.duration)
          g_print ("# repair %d in %d out %d/%d str %d/%d gap %d: i %d kind %d last %lu pts %lu dur %lu newest %lu\n", c.repair, c.in_num,
                   c.out_num, c.out_den, c.stretch_num, c.stretch_den, c.max_gap, i, m.kind, last, m.pts, m.duration, pts);
        g_assert_true (!started || m.pts > last);
        g_assert_true (m.duration > 0);
        last = m.pts;
        started = TRUE;
        if (m.kind == VFI_MOMENT_HOLE)
          continue;
        int a = GPOINTER_TO_INT (m.a), b = GPOINTER_TO_INT (m.b);
        g_assert_true (a >= 1 && a <= i && released[a] == 0);
        if (m.kind == VFI_MOMENT_REAL) {
          g_assert_cmpint (a, >, last_real);
          last_real = a;
          shown++;
        } else if (m.kind == VFI_MOMENT_BETWEEN)
          g_assert_true (b > a && b <= i && released[b] == 0 && m.t > 0 && m.t < 1);
      }
    }
    if (c.repair)
      g_assert_cmpint (shown, >=, good);
    check_released (n - 1);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/timeline/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], test_case);
  }
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    const Rate *r = &rates[i];
    g_autofree char *name = g_strdup_printf ("%d-%d-to-%d-%d-stretch-%d", r->in_num, r->in_den, r->out_num, r->out_den, r->stretch);
    g_autofree char *exact = g_strconcat ("/timeline/ten-minutes/exact/", name, NULL);
    g_autofree char *ms = g_strconcat ("/timeline/ten-minutes/milliseconds/", name, NULL);
    g_autofree char *rtp = g_strconcat ("/timeline/ten-minutes/90khz/", name, NULL);
    g_test_add_data_func (exact, r, test_exact);
    g_test_add_data_func (ms, r, test_milliseconds);
    g_test_add_data_func (rtp, r, test_90khz);
  }
  g_test_add_func ("/timeline/anything", test_anything);
  return g_test_run ();
}
