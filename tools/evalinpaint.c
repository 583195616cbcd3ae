/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vfi eval inpaint: holes in real frames, filled by us and by others, compared with what was there; and real objects, removed.
 */
#include <math.h>
#include <string.h>

#include <gst/gst.h>

#include "filler.h"
#include "hole.h"
#include "holeeval.h"
#include "sequence.h"
#include "tool.h"

#define SHEET_ROWS 4
#define SHEET_GAP 4
#define DIFFERENCE_GAIN 4

static const char *const all_kinds[] = { "stationary", "moving", "object", "random", NULL };

typedef struct
{
  int width, height, limit;
  ToolFillerOptions fill;
  GPtrArray *sequences; /* of ToolSequence */
  GPtrArray *fillers;   /* of ToolFiller */
  char *folder, *save;  /* of the page's pictures; of all frames. NULL: not wanted */
  VfiFlow *flow;        /* for scores */
  ToolHoleEval found;
  ToolProgress progress;
  guint steps, step;
} Eval;

/* What is worked on. */
typedef struct
{
  guint n;
  ToolPicture *const *truth; /* NULL where something is really removed */
  ToolPicture *const *input;
  guint8 **masks;
  const ToolBackFlow *flows; /* of the truth */
  ToolPicture *sheet;
} Take;

static void
free_pictures (ToolPicture **pictures, guint n)
{
  for (guint i = 0; i < n; i++)
    tool_picture_free (pictures[i]);
  g_free (pictures);
}

static ToolPicture **
new_pictures (int width, int height, guint n)
{
  ToolPicture **pictures = g_new (ToolPicture *, n);
  for (guint i = 0; i < n; i++)
    pictures[i] = tool_picture_new (width, height);
  return pictures;
}

static void
advance (Eval *e, const char *detail)
{
  tool_progress_update (&e->progress, (double) e->step++ / e->steps, detail);
}

/* ---- flow of what is there ---------------------------------------------------------------------- */

static void
free_flows (ToolBackFlow *flows, guint n)
{
  for (guint i = 0; flows && i < n; i++) {
    g_free (flows[i].flow);
    g_free (flows[i].valid);
  }
  g_free (flows);
}

/* From each of the frames to the one before; the first has none. */
static ToolBackFlow *
back_flows (Eval *e, ToolPicture *const *frames, guint n, GError **error)
{
  const gsize size = (gsize) e->width * (gsize) e->height;
  ToolBackFlow *flows = g_new0 (ToolBackFlow, n);
  g_autofree float *there = g_new (float, 2 * size), *sure = g_new (float, size);
  gboolean good = TRUE;
  if (e->flow)
    vfi_flow_reset (e->flow);
  for (guint i = 1; i < n && good; i++) {
    VfiFrameInfo info;
    VfiFrame before, frame;
    flows[i] = (ToolBackFlow){ g_new (float, 2 * size), g_malloc (size) };
    tool_picture_frame (frames[i - 1], &info, &before);
    tool_picture_frame (frames[i], &info, &frame);
    if (!e->flow) {
      const VfiOptions *o = &e->fill.session;
      e->flow = vfi_flow_new (&info, &(VfiOptions){ .backend = o->backend, .precision = o->precision, .threads = o->threads }, error);
    }
    good =
        e->flow && vfi_flow_run (e->flow, &before, &frame, &(VfiFlowField){ there, NULL }, &(VfiFlowField){ flows[i].flow, NULL }, error);
    if (good) {
      vfi_flow_check (e->width, e->height, flows[i].flow, there, sure);
      for (gsize k = 0; k < size; k++)
        flows[i].valid[k] = sure[k] > 0;
    }
  }
  if (good)
    return flows;
  free_flows (flows, n);
  return NULL;
}

/* ---- pictures to look at ------------------------------------------------------------------------ */

static guint
sheet_rows (guint n)
{
  return MIN (n, SHEET_ROWS);
}

/* Puts picture `column` of every row that is shown; pictures by frame number. */
static void
put_column (const Eval *e, const Take *take, guint column, ToolPicture *const *pictures)
{
  const guint rows = sheet_rows (take->n);
  for (guint r = 0; take->sheet && r < rows; r++)
    tool_picture_paste (take->sheet, pictures[(2 * r + 1) * take->n / (2 * rows)], (int) column * (e->width + SHEET_GAP),
                        (int) r * (e->height + SHEET_GAP));
}

/* The last column: how far pictures are from the truth; nothing where there is none. */
static void
put_difference (const Eval *e, const Take *take, guint column, ToolPicture *const *pictures)
{
  ToolPicture **d = new_pictures (e->width, e->height, take->n);
  for (guint i = 0; i < take->n; i++)
    for (gsize k = 0; k < 3 * (gsize) e->width * (gsize) e->height; k++)
      d[i]->data[k] = (guint8) MIN (255, DIFFERENCE_GAIN * ABS (take->truth[i]->data[k] - pictures[i]->data[k]));
  put_column (e, take, column, d);
  free_pictures (d, take->n);
}

/* Frames with their masks in red. */
static void
put_marked (const Eval *e, const Take *take, guint column)
{
  ToolPicture **marked = new_pictures (e->width, e->height, take->n);
  for (guint i = 0; i < take->n; i++)
    for (gsize k = 0; k < (gsize) e->width * (gsize) e->height; k++)
      for (int c = 0; c < 3; c++) {
        const guint8 v = take->input[i]->data[3 * k + c];
        marked[i]->data[3 * k + c] = take->masks[i][k] ? (guint8) ((v + (c == 0 ? 255 : 0)) / 2) : v;
      }
  put_column (e, take, column, marked);
  free_pictures (marked, take->n);
}

static gboolean
save_frames (const Eval *e, const char *kind, const char *sequence, const char *word, guint n, ToolPicture *const *made, GError **error)
{
  g_autofree char *dir = g_build_filename (e->save, kind, sequence, word, NULL);
  gboolean good = tool_folder_make (dir, error);
  for (guint i = 0; i < n && good; i++) {
    g_autofree char *path = g_strdup_printf ("%s/%05u.png", dir, i);
    good = tool_picture_write_png (made[i], path, error);
  }
  return good;
}

/* ---- one sequence with one kind of holes -------------------------------------------------------- */

static ToolHoleScore
measure (const Take *take, ToolPicture *const *made, const ToolBackFlow *flows)
{
  ToolHoleMeter meter = { 0 };
  for (guint i = 0; i < take->n; i++) {
    if (take->truth)
      tool_hole_meter_add (&meter, take->truth[i], made[i], take->masks[i]);
    if (i == 0)
      continue;
    tool_hole_meter_add_warp (&meter, made[i - 1], made[i], take->masks[i - 1], take->masks[i], &flows[i]);
    if (!take->truth)
      tool_hole_meter_add_change (&meter, made[i - 1], made[i], take->masks[i - 1], take->masks[i]);
  }
  return tool_hole_meter_read (&meter);
}

static gboolean
evaluate_fillers (Eval *e, guint kind, guint sequence, Take *take, GError **error)
{
  const char *kind_name = e->found.kinds->pdata[kind], *name = e->found.sequences->pdata[sequence];
  const guint first = take->truth ? 2 : 1;
  ToolPicture **made = new_pictures (e->width, e->height, take->n);
  gboolean good = TRUE;
  for (guint m = 0; m < e->fillers->len && good; m++) {
    ToolFiller *f = e->fillers->pdata[m];
    g_autofree char *detail = g_strdup_printf ("%s, %s, %s", kind_name, name, tool_filler_word (f));
    double seconds = 0;
    advance (e, detail);
    good = tool_filler_run (f, take->n, take->input, take->masks, made, &seconds, error);
    ToolBackFlow *own = good && !take->truth ? back_flows (e, made, take->n, error) : NULL;
    good = good && (take->truth || own);
    if (!good)
      break;
    ToolHoleScore *score = tool_hole_eval_at (&e->found, kind, sequence, m);
    *score = measure (take, made, take->truth ? take->flows : own);
    score->ms = seconds * 1e3 / take->n;
    free_flows (own, take->n);
    put_column (e, take, first + m, made);
    if (m == 0 && take->truth)
      put_difference (e, take, first + e->fillers->len, made);
    good = !e->save || save_frames (e, kind_name, name, tool_filler_word (f), take->n, made, error);
  }
  if (good && take->truth) { /* what the truth itself would score: how far its flow can be trusted */
    const ToolHoleScore s = measure (take, take->truth, take->flows);
    *tool_hole_eval_at (&e->found, kind, sequence, e->fillers->len) =
        (ToolHoleScore){ NAN, NAN, NAN, NAN, s.ewarp, s.ewarp_hole, NAN, NAN, NAN };
  }
  free_pictures (made, take->n);
  return good;
}

/* Runs all methods, and writes the sheet. */
static gboolean
evaluate_take (Eval *e, guint kind, guint sequence, Take *take, GError **error)
{
  const guint columns = e->fillers->len + (take->truth ? 3 : 1), rows = sheet_rows (take->n);
  if (e->folder) {
    take->sheet = tool_picture_new ((int) columns * (e->width + SHEET_GAP) - SHEET_GAP, (int) rows * (e->height + SHEET_GAP) - SHEET_GAP);
    memset (take->sheet->data, 0x20, 3 * (gsize) take->sheet->width * (gsize) take->sheet->height);
    if (take->truth) {
      put_column (e, take, 0, take->input);
      put_column (e, take, 1, take->truth);
    } else {
      put_marked (e, take, 0);
    }
  }
  gboolean good = evaluate_fillers (e, kind, sequence, take, error);
  if (good && take->sheet) {
    char *name = g_strdup_printf ("%s-%s.png", (char *) e->found.kinds->pdata[kind], (char *) e->found.sequences->pdata[sequence]);
    g_autofree char *path = g_build_filename (e->folder, name, NULL);
    e->found.sheets->pdata[kind * e->found.sequences->len + sequence] = name;
    good = tool_picture_write_png (take->sheet, path, error);
  }
  g_clear_pointer (&take->sheet, tool_picture_free);
  return good;
}

/* NULL: there are no objects to lay over it. */
static ToolHole *
make_hole (Eval *e, const char *kind, guint sequence, GError **error)
{
  ToolSequence *s = e->sequences->pdata[sequence];
  if (strcmp (kind, "random") == 0)
    return tool_hole_new_strokes (e->width, e->height, s->name);
  if (strcmp (kind, "object") != 0)
    return tool_hole_new_rectangle (e->width, e->height, strcmp (kind, "moving") == 0);
  for (guint k = 1; k <= e->sequences->len; k++) { /* the next, round the list; at last its own */
    ToolSequence *other = e->sequences->pdata[(sequence + k) % e->sequences->len];
    if (!tool_sequence_read_masks (other, e->width, e->height, error))
      return NULL;
    if (other->masks->len)
      return tool_hole_new_masks (e->width, e->height, (guint8 *const *) other->masks->pdata, (int) other->masks->len);
  }
  return NULL;
}

/* Holes with known truth: what was there is painted over, in a colour that is seen at once where it leaks. */
static gboolean
evaluate_hole (Eval *e, guint kind, guint sequence, const ToolHole *hole, const ToolBackFlow *flows, GError **error)
{
  static const guint8 gone[] = { 255, 0, 255 };
  const ToolSequence *s = e->sequences->pdata[sequence];
  const guint n = s->frames->len;
  const gsize size = (gsize) e->width * (gsize) e->height;
  g_autofree guint8 *memory = g_malloc (n * size);
  g_autofree guint8 **masks = g_new (guint8 *, n);
  ToolPicture **input = new_pictures (e->width, e->height, n);
  for (guint i = 0; i < n; i++) {
    masks[i] = memory + i * size;
    tool_hole_draw (hole, (int) i, masks[i]);
    memcpy (input[i]->data, ((ToolPicture *) s->frames->pdata[i])->data, 3 * size);
    for (gsize k = 0; k < size; k++)
      if (masks[i][k])
        memcpy (input[i]->data + 3 * k, gone, 3);
  }
  Take take = { n, (ToolPicture *const *) s->frames->pdata, input, masks, flows };
  const gboolean good = evaluate_take (e, kind, sequence, &take, error);
  free_pictures (input, n);
  return good;
}

static gboolean
evaluate_sequence (Eval *e, guint sequence, GError **error)
{
  ToolSequence *s = e->sequences->pdata[sequence];
  advance (e, s->name);
  if (!tool_sequence_read_frames (s, e->width, e->height, e->limit, error))
    return FALSE;
  ToolPicture *const *frames = (ToolPicture *const *) s->frames->pdata;
  gboolean good = TRUE;

  if (e->found.removed) {
    if (!tool_sequence_read_masks (s, e->width, e->height, error))
      return FALSE;
    const guint n = MIN (s->frames->len, s->masks->len);
    if (n == 0)
      tool_error ("warning: %s: has no masks: left out", s->name);
    Take take = { n, NULL, frames, (guint8 **) s->masks->pdata };
    good = n == 0 || evaluate_take (e, 0, sequence, &take, error);
  } else {
    ToolBackFlow *flows = back_flows (e, frames, s->frames->len, error);
    good = flows != NULL;
    for (guint k = 0; k < e->found.kinds->len && good; k++) {
      ToolHole *hole = make_hole (e, e->found.kinds->pdata[k], sequence, error);
      good = hole ? evaluate_hole (e, k, sequence, hole, flows, error) : !(error && *error);
      if (!hole && good)
        tool_error ("warning: %s: there are no object masks to lay over it: left out", s->name);
      tool_hole_free (hole);
    }
    free_flows (flows, s->frames->len);
  }
  tool_sequence_forget_frames (s);
  return good;
}

/* ---- the command -------------------------------------------------------------------------------- */

/* Words of a list with commas, each one of `allowed`. */
static gboolean
choose_words (const char *option, const char *text, const char *const *allowed, GPtrArray *words, GError **error)
{
  g_auto (GStrv) given = text ? g_strsplit (text, ",", -1) : g_strdupv ((char **) allowed);
  for (char **w = given; *w; w++) {
    if (!g_strv_contains (allowed, *w)) {
      g_autofree char *all = g_strjoinv (", ", (char **) allowed);
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "--%s: '%s' is none of %s", option, *w, all);
      return FALSE;
    }
    g_ptr_array_add (words, g_strdup (*w));
  }
  return TRUE;
}

static gboolean
run (Eval *e, const char *csv, const char *html, GError **error)
{
  ToolHoleEval *f = &e->found;
  const guint cells = f->kinds->len * e->sequences->len;
  for (guint i = 0; i < e->sequences->len; i++)
    g_ptr_array_add (f->sequences, g_strdup (((ToolSequence *) e->sequences->pdata[i])->name));
  for (guint i = 0; i < e->fillers->len; i++)
    g_ptr_array_add (f->labels, g_strdup (tool_filler_label (e->fillers->pdata[i])));
  if (!f->removed) {
    g_ptr_array_add (f->words, g_strdup ("truth"));
    g_ptr_array_add (f->labels, g_strdup ("the truth"));
  }
  g_ptr_array_set_size (f->sheets, (int) cells);
  f->scores = g_new (ToolHoleScore, cells * f->labels->len);
  for (guint i = 0; i < cells * f->labels->len; i++)
    f->scores[i] = (ToolHoleScore){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };

  gboolean good = TRUE;
  e->steps = e->sequences->len * (1 + f->kinds->len * e->fillers->len);
  tool_progress_start (&e->progress);
  for (guint i = 0; i < e->sequences->len && good; i++)
    good = evaluate_sequence (e, i, error);
  tool_progress_end (&e->progress);
  if (!good)
    return FALSE;

  g_autofree char *details = NULL;
  for (guint i = 0; i < e->fillers->len && !details; i++)
    details = tool_filler_details (e->fillers->pdata[i]);
  f->title = g_strdup_printf ("%s%s%u sequence%s of %dx%d; PSNR and SSIM of RGB, Ewarp times 100", details ? details : "",
                              details ? "; " : "", e->sequences->len, e->sequences->len == 1 ? "" : "s", e->width, e->height);
  tool_hole_report_text (f);
  if (csv && !tool_hole_report_csv (f, csv, error))
    return FALSE;
  if (!html)
    return TRUE;
  g_autofree char *folder = g_path_get_basename (e->folder);
  g_autoptr (GString) columns = g_string_new (f->removed ? "frame with the mask in red" : "frame with hole, the truth");
  for (guint i = 0; i < e->fillers->len; i++)
    g_string_append_printf (columns, ", %s", tool_filler_label (e->fillers->pdata[i]));
  if (!f->removed)
    g_string_append_printf (columns, ", %d times the difference of %s from the truth", DIFFERENCE_GAIN,
                            tool_filler_label (e->fillers->pdata[0]));
  return tool_hole_report_page (f, html, folder, columns->str, error);
}

static void
eval_clear (Eval *e)
{
  g_clear_pointer (&e->sequences, g_ptr_array_unref);
  g_clear_pointer (&e->fillers, g_ptr_array_unref);
  g_free (e->folder);
  if (e->flow)
    vfi_flow_free (e->flow);
  g_free (e->found.title);
  g_free (e->found.scores);
  g_ptr_array_unref (e->found.kinds);
  g_ptr_array_unref (e->found.sequences);
  g_ptr_array_unref (e->found.words);
  g_ptr_array_unref (e->found.labels);
  g_ptr_array_unref (e->found.sheets);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Eval, eval_clear)

int
tool_eval_inpaint (int argc, char **argv)
{
  g_autofree char *csv = NULL, *html = NULL, *save = NULL, *size = NULL, *kinds = NULL, *methods = NULL;
  g_auto (ToolSession) session = { 0 };
  g_auto (Eval) e = { .fill.inpaint.lookahead = 10 };
  ToolHoleEval *f = &e.found;
  VfiInpaintOptions *inpaint = &e.fill.inpaint;
  for (int i = 0; i < 5; i++)
    *((GPtrArray **[]){ &f->kinds, &f->sequences, &f->words, &f->labels, &f->sheets })[i] = g_ptr_array_new_with_free_func (g_free);
  const GOptionEntry entries[] = {
    { "kinds", 0, 0, G_OPTION_ARG_STRING, &kinds, "holes, with commas: stationary,moving,object,random (default: all)", "LIST" },
    { "object", 0, 0, G_OPTION_ARG_NONE, &f->removed, "really remove the objects of NAME/masks: no truth, but steadiness", NULL },
    { "methods", 0, 0, G_OPTION_ARG_STRING, &methods, "ours,causal,last and, from OpenCV, telea,ns (default: all there are)", "LIST" },
    { "size", 0, 0, G_OPTION_ARG_STRING, &size, "all is scaled to this (default: 432x240)", "WxH" },
    { "frames", 0, 0, G_OPTION_ARG_INT, &e.limit, "of each sequence at most", "N" },
    { "history", 0, 0, G_OPTION_ARG_INT, &inpaint->history, "frames that are remembered (default: 32)", "N" },
    { "lookahead", 0, 0, G_OPTION_ARG_INT, &inpaint->lookahead, "frames that 'ours' waits for (default: 10)", "N" },
    { "dilate", 0, 0, G_OPTION_ARG_INT, &inpaint->dilate, "pixels by which ours grow the mask (default: 0)", "N" },
    { "feather", 0, 0, G_OPTION_ARG_DOUBLE, &inpaint->feather, "soft edge of ours, in pixels (default: 0)", "X" },
    { "csv", 0, 0, G_OPTION_ARG_FILENAME, &csv, "write the figures of each kind, sequence and method", "FILE" },
    { "html", 0, 0, G_OPTION_ARG_FILENAME, &html, "write a page of contact sheets, which go into a folder beside it", "FILE" },
    { "save", 0, 0, G_OPTION_ARG_FILENAME, &save, "write all frames: FOLDER/KIND/NAME/METHOD/00000.png", "FOLDER" },
    { NULL },
  };
  if (!tool_parse (
          "DIR",
          "Scores inpainting. DIR holds, at any depth, folders NAME/frames with pictures and NAME/masks beside them. Holes:\n"
          "  stationary  a rectangle of a quarter of each side, in the middle\n"
          "  moving      the same on a fixed path\n"
          "  object      the masks of the next sequence of the list\n"
          "  random      strokes that drift\n"
          "What is in them is painted over first. PSNR and SSIM (of RGB) are means over frames, then over sequences; equal pictures "
          "count as 100 dB.\n"
          "Ewarp, times 100: how much a frame differs from the one before it, warped along the flow of the true frames (with "
          "--object: of what was\n"
          "made). Flicker, for a camera that stands still: how much filled pixels change from frame to frame, divided by how much "
          "those around do.",
          entries, &session, gst_init_get_option_group (), &argc, &argv))
    return TOOL_USAGE;
  if (argc != 2)
    return tool_usage ("wanted: one folder, got %d", argc - 1);
  if (!tool_parse_size (size ? size : "432x240", &e.width, &e.height))
    return tool_usage ("--size: '%s' is not a size such as 432x240", size);
  if (e.limit < 0)
    return tool_usage ("--frames: at least one");
  if (f->removed && kinds)
    return tool_usage ("--kinds are holes with truth, --object has none: choose one");

  g_autoptr (GError) error = NULL;
  if (!tool_session_options (&session, &e.fill.session, &error) ||
      !(f->removed ? (g_ptr_array_add (f->kinds, g_strdup ("removed")), TRUE)
                   : choose_words ("kinds", kinds, all_kinds, f->kinds, &error)) ||
      !choose_words ("methods", methods, tool_filler_words (), f->words, &error))
    return tool_usage ("%s", error->message);
  e.save = save;
  e.fillers = g_ptr_array_new_with_free_func ((GDestroyNotify) tool_filler_free);
  for (guint i = 0; i < f->words->len && !error; i++) {
    ToolFiller *filler = tool_filler_new (f->words->pdata[i], &e.fill, &error);
    if (filler)
      g_ptr_array_add (e.fillers, filler);
  }
  if (!error && (e.sequences = tool_sequences_find (argv[1], &error)) && (!html || (e.folder = tool_page_folder (html, &error))))
    run (&e, csv, html, &error);
  if (error)
    tool_error ("%s", error->message);
  return error ? TOOL_FAILED : TOOL_OK;
}
