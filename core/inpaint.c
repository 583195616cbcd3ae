/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inpainting session: flow-guided video inpainting (Xu, Li, Zhou, Loy: Deep Flow-Guided Video Inpainting, 2019) made for streams.
 *
 * For each frame that comes: marks (core/mask.c); flow from and to the frame before, of pictures in which what is to be removed is filled in, as
 * where the search for motion around the holes begins (core/motion.c); in them a network completes it (core/complete.c), and what went behind the
 * mask moves on (core/carry.c), with what is still seen of it (core/layers.c); what moves otherwise is no source (core/stray.c); references (core/trace.c) one step on. When a frame's turn has
 * come, its references are held to what is seen around the hole (core/drift.c) and made into pixels (core/paint.c) in the session's own copy, from
 * then on a source like any other; what no frame shows is made up first (core/fill.c).
 *
 * Memory is a ring of frames (history, the one at work, lookahead) and a shorter one of marks and references, for those that are not yet done and the
 * last that is. References take what the largest regions so far need.
 */
#include <string.h>
#include <unistd.h>

#include "drift.h"
#include "fill.h"
#include "interp.h"
#include "motion.h"
#include "paint.h"
#include "stray.h"

#define NETWORK_SCALE 0.25 /* of flow: where the search for motion begins; it ends in the frame's own pixels */
#define DEFAULT_HISTORY 32
#define DEFAULT_SCENE 0.72

/* A frame that is not yet done, or the last that was. */
typedef struct
{
  VfiRegion region;
  VfiTrace trace;
} Work;

/* Everything that depends on the frames' size and format. */
typedef struct
{
  int n_frames, n_works;
  gsize frame_bytes;
  guint8 *memory;  /* n_frames + 3 frames */
  VfiFrame *frame; /* n_frames: number % n_frames; what was pushed, and once it is done its fill */
  VfiShown shown;
  VfiFrame seen[2];      /* number % 2; what the flow network sees of a frame with holes */
  VfiFrame made;         /* what is made up, before it is painted */
  VfiPyramid pyramid[2]; /* of the frame before, and of this one; where regions are */
  VfiMarker *marker;
  Work *work;          /* number % n_works */
  float *there, *back; /* flow from the frame before to the last one, and back, */
  float *own;          /* the way back as the network has it, everywhere, */
  float *on[2];        /* and the same with what moves on behind masks; they themselves without lookahead, which takes the others */
  gsize bytes;
} Store;

struct _VfiInpaint
{
  VfiFrameInfo info;
  VfiInpaintOptions options;
  VfiFlow *flow;
  VfiFill *fill;         /* NULL: smooth */
  VfiComplete *complete; /* NULL: smooth */
  Store store;
  VfiPainter painter;
  VfiMotion motion;
  VfiCarry carry;
  int finest; /* level of the search for motion */
  VfiDrift drift;

  guint32 next, turn; /* numbers of the frame that is pushed next, and that is pulled next */
  guint32 start;      /* the first frame there is */
  guint32 flown;      /* the last frame that flow was worked out to */
  gboolean flushed;
  guint64 removed, past, future, spatial; /* for info */
};

/* ---- memory ------------------------------------------------------------------------------------- */

/* The planes of a frame one after the other, each at a multiple of 64 bytes, without padding of rows. */
static gsize
place_frame (const VfiFrameInfo *info, guint8 *memory, VfiFrame *frame)
{
  gsize at = 0;

  *frame = (VfiFrame){ .memory = VFI_MEMORY_HOST };
  for (int i = 0; i < vfi_format_desc (info->format)->n_planes; i++) {
    int w, h;
    vfi_frame_info_plane_size (info, i, &w, &h);
    frame->data[i] = memory ? memory + at : NULL;
    frame->stride[i] = (int) vfi_frame_info_row_bytes (info, i);
    at += ((gsize) frame->stride[i] * h + 63) / 64 * 64;
  }
  return at;
}

static void
store_clear (Store *s)
{
  for (int i = 0; s->work && i < s->n_works; i++) {
    vfi_region_clear (&s->work[i].region);
    vfi_trace_clear (&s->work[i].trace);
  }
  for (int i = 0; i < 2; i++)
    vfi_pyramid_clear (&s->pyramid[i]);
  vfi_shown_clear (&s->shown);
  vfi_marker_free (s->marker);
  g_free (s->work);
  g_free (s->frame);
  g_free (s->memory);
  for (int i = 0; i < 2; i++)
    if (s->on[i] != (i ? s->back : s->there))
      g_free (s->on[i]);
  g_free (s->there);
  g_free (s->back);
  g_free (s->own);
  *s = (Store){ 0 };
}

static gboolean
store_init (Store *s, const VfiFrameInfo *info, const VfiInpaintOptions *o, GError **error)
{
  const gsize pixels = (gsize) info->width * info->height;
  const gsize machine = (gsize) sysconf (_SC_PHYS_PAGES) * (gsize) sysconf (_SC_PAGESIZE);
  VfiFrame layout;
  gboolean enough;

  *s = (Store){ .n_frames = o->history + 1 + o->lookahead, .n_works = o->lookahead + 2 };
  s->frame_bytes = place_frame (info, NULL, &layout);
  s->bytes = (s->n_frames + 3) * s->frame_bytes + s->n_frames * vfi_shown_bytes (info->width, info->height) + s->n_works * pixels +
             vfi_marker_bytes (info->width, info->height) + (o->lookahead ? 10 : 6) * pixels * sizeof (float) +
             2 * vfi_pyramid_bytes (info->width, info->height);
  enough = s->bytes <= machine;
  if (enough) {
    s->memory = g_try_malloc ((s->n_frames + 3) * s->frame_bytes);
    s->frame = g_try_new (VfiFrame, s->n_frames);
    s->work = g_try_new0 (Work, s->n_works);
    s->there = g_try_new (float, 2 * pixels);
    s->back = g_try_new (float, 2 * pixels);
    s->own = g_try_new (float, 2 * pixels);
    s->on[0] = o->lookahead ? g_try_new (float, 2 * pixels) : s->there;
    s->on[1] = o->lookahead ? g_try_new (float, 2 * pixels) : s->back;
    s->marker = vfi_marker_new (info->width, info->height);
    enough = s->memory && s->marker && s->frame && s->work && s->there && s->back && s->own && s->on[0] && s->on[1] &&
             vfi_shown_init (&s->shown, info->width, info->height, s->n_frames);
  }
  for (int i = 0; enough && i < 2; i++)
    enough = vfi_pyramid_init (&s->pyramid[i], info->width, info->height);
  for (int i = 0; enough && i < s->n_works; i++)
    enough = vfi_region_init (&s->work[i].region, info->width, info->height);
  if (!enough) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY,
                 "a history of %d frames and a lookahead of %d of %d x %d need %" G_GSIZE_FORMAT " MiB, this machine has %" G_GSIZE_FORMAT
                 " MiB: make them shorter, or the frames smaller",
                 o->history, o->lookahead, info->width, info->height, s->bytes >> 20, machine >> 20);
    store_clear (s);
    return FALSE;
  }
  for (int i = 0; i < s->n_frames; i++)
    place_frame (info, s->memory + i * s->frame_bytes, &s->frame[i]);
  for (int i = 0; i < 2; i++)
    place_frame (info, s->memory + (s->n_frames + i) * s->frame_bytes, &s->seen[i]);
  place_frame (info, s->memory + (s->n_frames + 2) * s->frame_bytes, &s->made);
  return TRUE;
}

/* The number under which references are to what is being made up: of no frame that there is. */
static guint32
made_number (const VfiInpaint *self)
{
  return self->turn + G_MAXINT32;
}

static const VfiFrame *
frame_of (gpointer data, guint32 number)
{
  const VfiInpaint *self = data;
  return number == made_number (self) ? &self->store.made : &self->store.frame[number % self->store.n_frames];
}

static const VfiRegion *
region_of (gpointer data, guint32 number)
{
  const VfiInpaint *self = data;
  return (gint32) (number - self->turn) >= 0 ? &self->store.work[number % self->store.n_works].region : NULL;
}

static Work *
work_of (VfiInpaint *self, guint32 number)
{
  return &self->store.work[number % self->store.n_works];
}

/* ---- options ------------------------------------------------------------------------------------ */

static gboolean
options_check (const VfiInpaintOptions *o, GError **error)
{
  if (o->history >= 0 && o->history <= 256 && o->lookahead >= 0 && o->lookahead <= 64 && o->dilate >= 0 && o->dilate <= 128 &&
      o->feather >= 0 && o->feather <= 64 && o->scene_threshold >= 0 && o->scene_threshold <= 1)
    return TRUE;
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG,
               "history must be 1 to 256, lookahead 0 to 64, dilate 0 to 128, feather 0 to 64, scene-threshold 0 to 1");
  return FALSE;
}

#define SMOOTH "smooth" /* the name of no network */

/* A network that makes up what no frame shows; none if that is asked for, or none was asked for by name and none is there. */
static gboolean
fill_init (VfiInpaint *self, const VfiOptions *options, GError **error)
{
  const gboolean automatic = (!options->model || strcmp (options->model, "auto") == 0) && !(options->weights && *options->weights);
  VfiNetwork *network;

  if (g_strcmp0 (options->model, SMOOTH) == 0 || (automatic && !vfi_network_exists ("inpainting")))
    return TRUE;
  network = vfi_network_new ("inpainting", options, vfi_flow_backend (self->flow), VFI_FILL_SIZE, VFI_FILL_SIZE, error);
  return network && (self->fill = vfi_fill_new (network, error));
}

/* A network that completes the flow in holes, if one is there. */
static gboolean
complete_init (VfiInpaint *self, const VfiOptions *options, GError **error)
{
  VfiNetwork *network;

  if (!vfi_network_exists ("completion"))
    return TRUE;
  network = vfi_network_new ("completion", options, vfi_flow_backend (self->flow), VFI_COMPLETE_SIZE, VFI_COMPLETE_SIZE, error);
  return network && (self->complete = vfi_complete_new (network, error));
}

VfiInpaint *
vfi_inpaint_new (const VfiFrameInfo *info, const VfiOptions *options, const VfiInpaintOptions *inpaint, GError **error)
{
  static const VfiOptions none = { 0 };
  static const VfiInpaintOptions defaults = { 0 };
  VfiOptions flow = options ? *options : none;
  VfiInpaint *self;

  if (!inpaint)
    inpaint = &defaults;
  if (!vfi_frame_info_check (info, error) || !options_check (inpaint, error))
    return NULL;
  self = g_new0 (VfiInpaint, 1);
  self->info = *info;
  self->options = *inpaint;
  if (!self->options.history)
    self->options.history = DEFAULT_HISTORY;
  flow.model = flow.weights = NULL; /* those are of the other network */
  self->finest = flow.flow_scale == 0 || flow.flow_scale > 0.5 ? 0 : flow.flow_scale > 0.25 ? 1 : 2;
  if (flow.flow_scale == 0 || (flow.flow_scale >= NETWORK_SCALE && flow.flow_scale <= 1)) /* else the flow session says what is wrong */
    flow.flow_scale = NETWORK_SCALE;
  if (store_init (&self->store, info, &self->options, error) && (self->flow = vfi_flow_new (info, &flow, error)) &&
      complete_init (self, &flow, error) && fill_init (self, options ? options : &none, error))
    return self;
  vfi_inpaint_free (self);
  return NULL;
}

void
vfi_inpaint_free (VfiInpaint *self)
{
  if (!self)
    return;
  store_clear (&self->store);
  vfi_painter_clear (&self->painter);
  vfi_motion_clear (&self->motion);
  vfi_carry_clear (&self->carry);
  vfi_drift_clear (&self->drift);
  vfi_fill_free (self->fill);
  vfi_complete_free (self->complete);
  vfi_flow_free (self->flow);
  g_free (self);
}

gboolean
vfi_inpaint_set_info (VfiInpaint *self, const VfiFrameInfo *info, GError **error)
{
  Store store;

  if (info->format == self->info.format && info->width == self->info.width && info->height == self->info.height &&
      info->range == self->info.range)
    return TRUE;
  if (!vfi_frame_info_check (info, error) || !store_init (&store, info, &self->options, error))
    return FALSE;
  if (!vfi_flow_set_info (self->flow, info, error)) {
    store_clear (&store);
    return FALSE;
  }
  store_clear (&self->store);
  self->store = store;
  self->info = *info;
  vfi_inpaint_reset (self);
  return TRUE;
}

gboolean
vfi_inpaint_set_options (VfiInpaint *self, const VfiInpaintOptions *options, GError **error)
{
  if (!options_check (options, error))
    return FALSE;
  self->options.dilate = options->dilate;
  self->options.feather = options->feather;
  self->options.invert = options->invert;
  self->options.scene_threshold = options->scene_threshold;
  return TRUE;
}

void
vfi_inpaint_reset (VfiInpaint *self)
{
  self->next = self->turn = self->start = 0;
  self->flushed = FALSE;
  vfi_flow_reset (self->flow);
  vfi_carry_reset (&self->carry);
}

void
vfi_inpaint_flush (VfiInpaint *self)
{
  self->flushed = TRUE;
}

/* ---- flow --------------------------------------------------------------------------------------- */

static gboolean
no_memory (GError **error)
{
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for what the mask covers");
  return FALSE;
}

static gboolean
reserve (VfiInpaint *self, const Work *w, GError **error)
{
  return (vfi_motion_reserve (&self->motion, self->info.width, self->info.height) &&
          vfi_carry_reserve (&self->carry, self->info.width, self->info.height) && vfi_painter_reserve (&self->painter, &w->region) &&
          vfi_drift_reserve (&self->drift, &w->region)) ||
         no_memory (error);
}

/* What the flow network sees of a frame. */
static const VfiFrame *
seen_of (VfiInpaint *self, guint32 number)
{
  return work_of (self, number)->region.n_boxes ? &self->store.seen[number & 1] : frame_of (self, number);
}

/* Works out the flow between a frame and the one before, and takes references one step on. */
static gboolean
link_frames (VfiInpaint *self, guint32 number, GError **error)
{
  Work *w = work_of (self, number), *before = work_of (self, number - 1);
  const VfiFrame *a = seen_of (self, number - 1), *b = seen_of (self, number);
  const gsize most = (gsize) self->info.width * self->info.height * 3 / 4; /* of too little, nobody can tell */
  const gsize field = (gsize) self->info.width * self->info.height * 2 * sizeof (float);
  const double threshold = self->options.scene_threshold > 0 ? self->options.scene_threshold : DEFAULT_SCENE;

  if (threshold < 1 && MAX (w->region.area, before->region.area) <= most && vfi_frame_scene_score (&self->info, a, b) >= threshold) {
    self->start = number;
    return TRUE;
  }
  if (self->flown != number - 1) {
    vfi_flow_reset (self->flow);
    vfi_carry_reset (&self->carry);
  }
  if (!vfi_flow_run (self->flow, a, b, &(VfiFlowField){ self->store.there, NULL }, &(VfiFlowField){ self->store.back, NULL }, error))
    return FALSE;
  self->flown = number;
  vfi_pyramid_set (&self->store.pyramid[0], &self->info, frame_of (self, number - 1), &before->region);
  vfi_pyramid_set (&self->store.pyramid[1], &self->info, frame_of (self, number), &w->region);
  memcpy (self->store.own, self->store.back, field);
  for (int i = 0; i < 2 && self->options.lookahead; i++)
    memcpy (self->store.on[i], i ? self->store.back : self->store.there, field);
  if (!vfi_motion_refine (&self->motion, &self->store.pyramid[0], &before->region, &self->store.pyramid[1], &w->region, self->finest,
                          self->complete, self->store.there, self->store.back, &self->carry, self->store.on, error))
    return FALSE;
  vfi_stray_hide (&self->store.pyramid[0], &before->region, &self->store.pyramid[1], &w->region, self->store.own, self->store.back,
                  &self->store.shown, number);
  vfi_trace_link (&w->trace, &w->region, self->store.on[1], self->store.on[0]);
  for (guint32 i = self->turn; i != number; i++)
    vfi_trace_ahead (&work_of (self, i)->trace, &work_of (self, i)->region, number, &w->region, self->store.there, self->store.back);
  return TRUE;
}

/* ---- frames in ---------------------------------------------------------------------------------- */

static void
copy_frame (const VfiFrameInfo *info, const VfiFrame *src, const VfiFrame *dst)
{
  for (int i = 0; i < vfi_format_desc (info->format)->n_planes; i++) {
    const gsize row = vfi_frame_info_row_bytes (info, i);
    int w, h;
    vfi_frame_info_plane_size (info, i, &w, &h);
    for (int y = 0; y < h; y++)
      memcpy (dst->data[i] + (gsize) y * dst->stride[i], src->data[i] + (gsize) y * src->stride[i], row);
  }
}

static gboolean
mask_check (const VfiMask *mask, GError **error)
{
  if (!mask || (mask->data && mask->width > 0 && mask->height > 0 && mask->stride >= mask->width))
    return TRUE;
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "the mask has no data, no size, or a stride that is less than its width");
  return FALSE;
}

gboolean
vfi_inpaint_push (VfiInpaint *self, const VfiFrame *frame, const VfiMask *mask, GError **error)
{
  const guint32 number = self->next;
  Work *w = work_of (self, number);

  if (!vfi_frame_check (&self->info, frame, "frame", error) || !mask_check (mask, error))
    return FALSE;
  if (frame->memory != VFI_MEMORY_HOST) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "inpainting takes frames in host memory");
    return FALSE;
  }
  if (number - self->turn > (guint32) self->options.lookahead) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%u frames are waiting: pull before pushing more", number - self->turn);
    return FALSE;
  }
  vfi_region_set (&w->region, self->store.marker, mask, self->options.invert, self->options.dilate, self->options.feather);
  if (!reserve (self, w, error) || (!vfi_trace_reserve (&w->trace, w->region.area) && !no_memory (error)))
    return FALSE;
  vfi_trace_begin (&w->trace, &w->region, number);
  vfi_shown_set (&self->store.shown, number, &w->region);
  copy_frame (&self->info, frame, frame_of (self, number));
  if (w->region.n_boxes) {
    copy_frame (&self->info, frame, &self->store.seen[number & 1]);
    vfi_paint (&self->painter, &self->info, &w->region, NULL, NULL, &self->store.seen[number & 1], NULL);
  }
  if (number != self->start && (w->region.n_boxes || (number != self->turn && work_of (self, number - 1)->region.n_boxes)) &&
      !link_frames (self, number, error))
    return FALSE;
  self->next++;
  self->flushed = FALSE;
  return TRUE;
}

/* ---- frames out --------------------------------------------------------------------------------- */

static void
count (VfiInpaint *self, const Work *w)
{
  self->removed = w->region.hole;
  self->past = self->future = self->spatial = 0;
  for (int k = 0; k < w->region.n_boxes; k++) {
    const VfiBox *b = &w->region.box[k];
    gsize i = b->first;
    for (int y = b->y0; y < b->y1; y++)
      for (int x = b->x0; x < b->x1; x++, i++) {
        VfiRef *ref = &w->trace.chosen[i];
        const guint8 mark = w->region.mark[(gsize) y * w->region.width + x];
        if (mark == VFI_MARK_HOLE) {
          if (!vfi_ref_real (ref->kind))
            self->spatial++;
          else if ((gint32) (ref->frame - w->trace.number) > 0)
            self->future++;
          else
            self->past++;
        }
        if (mark != VFI_MARK_CLEAR &&
            (ref->kind == VFI_REF_NONE || ref->frame == made_number (self))) /* from now on this frame shows what was made up in it */
          *ref = (VfiRef){ x, y, 0, VFI_NO_SLOPE, w->trace.number, VFI_REF_MADE };
      }
  }
}

static gboolean
finish_frame (VfiInpaint *self, guint32 number, VfiFrame *dst, GError **error)
{
  const VfiSources sources = { self, frame_of, region_of };
  Work *w = work_of (self, number);

  if (!w->region.n_boxes)
    return TRUE;
  if (w->trace.linked) {
    const guint32 oldest = number - (guint32) self->options.history;
    Work *before = work_of (self, number - 1);
    vfi_trace_past (&w->trace, &w->region, &before->trace, &before->region, &self->store.shown, oldest);
  }
  vfi_drift_correct (&self->drift, &self->info, &w->region, &w->trace, &sources, frame_of (self, number));
  vfi_trace_choose (&w->trace, &w->region);
  if (self->fill && vfi_fill_wanted (&w->region, &w->trace)) {
    vfi_paint (&self->painter, &self->info, &w->region, &w->trace, &sources, frame_of (self, number), NULL);
    if (!vfi_fill_run (self->fill, &self->info, &w->region, &w->trace, frame_of (self, number), &self->store.made, made_number (self),
                       error))
      return FALSE;
  }
  vfi_paint (&self->painter, &self->info, &w->region, &w->trace, &sources, frame_of (self, number), dst);
  return TRUE;
}

VfiInpaintStatus
vfi_inpaint_pull (VfiInpaint *self, VfiFrame *dst, GError **error)
{
  const guint32 number = self->turn;
  Work *w = work_of (self, number);

  if (dst && !vfi_frame_check (&self->info, dst, "dst", error))
    return VFI_INPAINT_FAILED;
  if (self->next - number <= (self->flushed ? 0u : (guint32) self->options.lookahead))
    return VFI_INPAINT_MORE;
  if (dst)
    copy_frame (&self->info, frame_of (self, number), dst);
  if (!finish_frame (self, number, dst, error))
    return VFI_INPAINT_FAILED;
  count (self, w);
  self->turn++;
  return VFI_INPAINT_DONE;
}

/* ---- what it does ------------------------------------------------------------------------------- */

void
vfi_inpaint_get_info (const VfiInpaint *self, VfiInpaintInfo *out)
{
  *out = (VfiInpaintInfo){ .model = self->fill ? vfi_network_name (self->fill->network) : SMOOTH,
                           .removed = self->removed,
                           .past = self->past,
                           .future = self->future,
                           .spatial = self->spatial };
  vfi_flow_get_info (self->flow, &out->flow);
  out->bytes = out->flow.bytes + self->store.bytes + vfi_painter_bytes (&self->painter) + vfi_motion_bytes (&self->motion) +
               vfi_carry_bytes (&self->carry) + vfi_drift_bytes (&self->drift) + (self->fill ? vfi_fill_bytes (self->fill) : 0) +
               (self->complete ? vfi_complete_bytes (self->complete) : 0);
  for (int i = 0; i < self->store.n_works; i++)
    out->bytes += self->store.work[i].trace.size * (sizeof (VfiStep) + 3 * sizeof (VfiRef));
}
