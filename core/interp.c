/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The interpolation session: frames in, frames at any time between them out.
 *
 * A network is up to four plans (core/build.h: VfiModel) that run at different rates. What `frame` computes of a frame is kept in one of two
 * slots, so that in a stream each frame goes through it once; the slots swap roles from pair to pair. Nothing runs before a frame is
 * asked for: pairs that nobody wants a frame of (a cut, a lower output rate) cost nothing.
 *
 * Where motion may bend, what `pair` computes lies in slots as well: that of a pair in the slot with the number of its first frame's, so that what the pair before gave is still
 * there. With a frame that follows the pair the slots are three, in a ring: the next pair is worked out before it is asked for, and once as well.
 *
 * What a network keeps of a stream ("kept.NAME"), and what is known of its bars, outlasts pairs that nothing was asked of, cuts and changes of flow-scale, until vfi_interp_reset.
 *
 * A network that only makes the middle of a pair reaches other times by halving: the middle is a frame like any other, between which and one
 * of its neighbours there is a middle again. What was made so for a pair is kept in further slots.
 *
 * Plans and buffers belong to one padded size. A few sizes are kept, so that flow-scale may go back and forth under changing load.
 */
#include "interp.h"

#include <math.h>
#include <time.h>

#include "area.h"
#include "net.h"

#define MAX_NETS 3
#define STEPS 8 /* halving reaches multiples of 1 / STEPS */

struct _VfiInterp
{
  VfiBackend *backend;
  const VfiModel *model;
  VfiWeights *weights;
  VfiDType feature;
  char *reason, *unused; /* for info */

  VfiFrameInfo info;
  double flow_scale;
  VfiNet *net[MAX_NETS]; /* the one in use first, then by last use */

  gboolean have_pair, have_past, have_next;
  VfiFrame pair[VFI_NET_RING];       /* borrowed; the last one follows the pair, if have_next */
  VfiFrame past;                     /* that before, if it is known */
  float lasts[2];                    /* how long the pairs before and after last, in times of this one; 0: not known */
  int ring;                          /* how many slots frames that come in have: 3 once one has followed a pair */
  int first;                         /* slot of pair[0] */
  gboolean known[VFI_NET_SLOTS];     /* slot holds what `frame` computes of its frame */
  int made[VFI_NET_SLOTS];           /* slots 2 and up: at which multiple of 1 / STEPS the frame in it was made; 0: none */
  int pair_of[2];                    /* slots that `pair` has run for, or -1; where it can bend instead, */
  gboolean known_pair[VFI_NET_RING]; /* slot holds what `pair` computes of its pair */

  gboolean profiling;
  GArray *profile; /* of VfiProfile */
};

static const char *
dtype_name (VfiDType t)
{
  return t == VFI_BF16 ? "bf16" : t == VFI_F16 ? "fp16" : "fp32";
}

/* ---- the session -------------------------------------------------------------------------------- */

/* Forgets everything that was computed. */
static void
forget (VfiInterp *self)
{
  memset (self->known, 0, sizeof self->known);
  memset (self->made, 0, sizeof self->made);
  memset (self->known_pair, 0, sizeof self->known_pair);
  self->pair_of[0] = -1;
}

/* And the stream: what comes is another. */
static void
forget_stream (VfiInterp *self)
{
  forget (self);
  for (int i = 0; i < MAX_NETS && self->net[i]; i++) {
    self->net[i]->remembers = FALSE;
    self->net[i]->n_bars = 0;
  }
}

/* The slot after this one, of frames that came in. */
static int
next_slot (const VfiInterp *self, int slot)
{
  return (slot + 1) % self->ring;
}

/* That of the pair before. */
static int
last_slot (const VfiInterp *self)
{
  return (self->first + self->ring - 1) % self->ring;
}

/* The padded size, and the flow scale of the graphs: pictures keep their size, and the graphs know only 1, 1/2 and 1/4. */
static void
net_size (const VfiModel *model, const VfiFrameInfo *info, double flow_scale, int *h, int *w, double *graphs)
{
  *graphs = 1;
  if (model->picture.order == VFI_NATIVE) {
    vfi_frame_net_size (info, flow_scale, model->multiple, h, w);
    return;
  }
  while (model->any_scale && *graphs > flow_scale && *graphs > 0.25)
    *graphs /= 2;
  vfi_frame_net_size (info, 1, (int) (model->multiple / *graphs), h, w);
}

/* Puts the network for a size in front, making it if need be; the least recently used one goes when there are too many. */
static gboolean
use_net (VfiInterp *self, const VfiFrameInfo *info, double flow_scale, GError **error)
{
  int h, w, i;
  double graphs;
  VfiNet *net;

  net_size (self->model, info, flow_scale, &h, &w, &graphs);
  for (i = 0; i < MAX_NETS && self->net[i]; i++)
    if (self->net[i]->h == h && self->net[i]->w == w && self->net[i]->flow_scale == graphs)
      break;
  if (i < MAX_NETS && self->net[i]) {
    net = self->net[i];
  } else {
    GError *e = NULL;

    net = vfi_net_new (self->backend, self->model, self->weights, self->feature, h, w, graphs, self->ring, &e);
    if (!net && self->net[1] && g_error_matches (e, VFI_ERROR, VFI_ERROR_MEMORY)) { /* those that are not in use go first */
      g_clear_error (&e);
      for (i = 1; i < MAX_NETS; i++)
        g_clear_pointer (&self->net[i], vfi_net_free);
      i = 1;
      net = vfi_net_new (self->backend, self->model, self->weights, self->feature, h, w, graphs, self->ring, &e);
    }
    if (!net) {
      g_propagate_error (error, e);
      g_prefix_error (error, "%s for frames of %d x %d: ", self->model->name, info->width, info->height);
      return FALSE;
    }
    if (self->profiling)
      vfi_net_set_profile (net, self->profile);
    if (i == MAX_NETS)
      vfi_net_free (self->net[--i]);
  }
  memmove (&self->net[1], &self->net[0], i * sizeof self->net[0]);
  self->net[0] = net;
  forget (self);
  return TRUE;
}

static gboolean
flow_scale_check (double *flow_scale, GError **error)
{
  if (*flow_scale == 0)
    *flow_scale = 1;
  if (*flow_scale >= 0.25 && *flow_scale <= 1)
    return TRUE;
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "flow-scale %g is not between 0.25 and 1", *flow_scale);
  return FALSE;
}

VfiInterp *
vfi_interp_new_on (VfiBackend *backend, const VfiModel *model, VfiWeights *weights, VfiDType feature, const VfiFrameInfo *info,
                   double flow_scale, GError **error)
{
  VfiGraph *graphs[VFI_MAX_GRAPHS + 1];
  g_auto (GStrv) unused = NULL;
  VfiInterp *self;

  if (!flow_scale_check (&flow_scale, error) || !vfi_frame_info_check (info, error))
    return NULL;

  if (model->picture.order && !backend->klass->pack_picture) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s does not run on %s: use the CPU backend", model->name, backend->description);
    return NULL;
  }

  self = g_new0 (VfiInterp, 1);
  self->backend = vfi_backend_ref (backend);
  self->model = model;
  self->weights = weights ? vfi_weights_ref (weights) : NULL;
  self->feature = feature;
  self->info = *info;
  self->flow_scale = flow_scale;
  self->ring = 2;
  self->profile = g_array_new (FALSE, TRUE, sizeof (VfiProfile));

  vfi_model_graphs (model, feature, model->multiple, model->multiple, 1, graphs);
  if (vfi_graphs_check (graphs, weights, &unused, error) && use_net (self, info, flow_scale, error)) {
    self->unused = unused ? g_strjoinv (", ", unused) : g_strdup ("");
    self->reason = g_strdup ("");
  } else {
    g_clear_pointer (&self, vfi_interp_free);
  }
  vfi_graphs_free (graphs);
  return self;
}

void
vfi_interp_free (VfiInterp *self)
{
  if (!self)
    return;
  for (int i = 0; i < MAX_NETS; i++)
    vfi_net_free (self->net[i]);
  g_array_unref (self->profile);
  g_free (self->reason);
  g_free (self->unused);
  g_clear_pointer (&self->weights, vfi_weights_unref);
  vfi_backend_unref (self->backend);
  g_free (self);
}

gboolean
vfi_interp_set_info (VfiInterp *self, const VfiFrameInfo *info, GError **error)
{
  if (info->format == self->info.format && info->width == self->info.width && info->height == self->info.height &&
      info->range == self->info.range)
    return TRUE;
  if (!vfi_frame_info_check (info, error) || !use_net (self, info, self->flow_scale, error))
    return FALSE;
  if (info->width != self->info.width || info->height != self->info.height)
    for (int i = 1; i < MAX_NETS; i++)
      g_clear_pointer (&self->net[i], vfi_net_free);
  self->info = *info;
  vfi_interp_reset (self);
  return TRUE;
}

gboolean
vfi_interp_set_flow_scale (VfiInterp *self, double flow_scale, GError **error)
{
  if (!flow_scale_check (&flow_scale, error))
    return FALSE;
  if (flow_scale == self->flow_scale)
    return TRUE;
  if (!use_net (self, &self->info, flow_scale, error))
    return FALSE;
  self->flow_scale = flow_scale;
  return TRUE;
}

gboolean
vfi_interp_check_frame (VfiInterp *self, const VfiFrame *frame, const char *name, GError **error)
{
  if (frame->memory != VFI_MEMORY_HOST && frame->memory != self->backend->klass->memory) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s lies in CUDA memory, which the %s backend cannot use", name,
                 self->backend->klass->name);
    return FALSE;
  }
  return vfi_frame_check (&self->info, frame, name, error);
}

static gboolean
same_data (const VfiInterp *self, const VfiFrame *a, const VfiFrame *b)
{
  int n = vfi_format_desc (self->info.format)->n_planes;
  for (int i = 0; i < n; i++)
    if (a->data[i] != b->data[i] || a->stride[i] != b->stride[i])
      return FALSE;
  return TRUE;
}

gboolean
vfi_interp_set_pair (VfiInterp *self, const VfiFrame *a, const VfiFrame *b, GError **error)
{
  if (!vfi_interp_check_frame (self, a, "the first frame", error) || !vfi_interp_check_frame (self, b, "the second frame", error))
    return FALSE;
  const gboolean follows = self->have_pair && same_data (self, a, &self->pair[1]);
  const gboolean expected = follows && self->have_next && same_data (self, b, &self->pair[2]);
  self->have_past = follows;
  if (follows) {
    self->past = self->pair[0];
    self->first = next_slot (self, self->first);
  } else
    forget (self);
  if (!expected)
    self->known[next_slot (self, self->first)] = self->known_pair[self->first] = FALSE;
  if (self->ring == VFI_NET_RING) /* where the next frame and its pair will be */
    self->known[(self->first + 2) % VFI_NET_RING] = self->known_pair[next_slot (self, self->first)] = FALSE;
  memset (self->made, 0, sizeof self->made);
  self->pair_of[0] = -1;
  self->pair[0] = *a;
  self->pair[1] = *b;
  self->have_pair = TRUE;
  self->have_next = FALSE;
  self->lasts[0] = self->lasts[1] = 0;
  return TRUE;
}

/* Room for a frame that follows. */
static gboolean
use_ring (VfiInterp *self, GError **error)
{
  if (self->ring == VFI_NET_RING)
    return TRUE;
  for (int i = 1; i < MAX_NETS; i++) /* made anew if they are wanted */
    g_clear_pointer (&self->net[i], vfi_net_free);
  if (!vfi_net_add_ring (self->net[0], VFI_NET_RING, error))
    return FALSE;
  self->ring = VFI_NET_RING;
  forget (self);
  return TRUE;
}

static gboolean
check_pair (const VfiInterp *self, GError **error)
{
  if (self->have_pair)
    return TRUE;
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "no pair of frames was given");
  return FALSE;
}

static gboolean
lasts_check (const VfiFrame *frame, double lasts, const char *name, GError **error)
{
  if (!frame || (lasts > 0 && isfinite (lasts)))
    return TRUE;
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s lasts %g times as long as the pair", name, lasts);
  return FALSE;
}

gboolean
vfi_interp_set_neighbours (VfiInterp *self, const VfiFrame *before, double before_lasts, const VfiFrame *after, double after_lasts,
                           GError **error)
{
  if (!check_pair (self, error) || !lasts_check (before, before_lasts, "the pair before", error) ||
      !lasts_check (after, after_lasts, "the pair after", error) ||
      (before && !vfi_interp_check_frame (self, before, "the frame before", error)) ||
      (after && !vfi_interp_check_frame (self, after, "the frame after", error)))
    return FALSE;
  if (!self->net[0]->bend)
    return TRUE;
  if (after && !use_ring (self, error))
    return FALSE;
  self->lasts[0] = before ? (float) before_lasts : 0;
  self->lasts[1] = after ? (float) after_lasts : 0;
  self->have_next = after != NULL;
  if (before && !(self->have_past && same_data (self, before, &self->past)))
    self->known_pair[last_slot (self)] = FALSE;
  if (before)
    self->past = *before;
  if (after)
    self->pair[2] = *after;
  return TRUE;
}

const VfiFrameInfo *
vfi_interp_frame_info (const VfiInterp *self)
{
  return &self->info;
}

double
vfi_interp_flow_scale (const VfiInterp *self)
{
  return self->flow_scale;
}

VfiBackend *
vfi_interp_backend (const VfiInterp *self)
{
  return self->backend;
}

GArray *
vfi_interp_profile (const VfiInterp *self)
{
  return self->profiling ? self->profile : NULL;
}

/* ---- running ------------------------------------------------------------------------------------ */

static double
seconds (void)
{
  struct timespec ts;
  clock_gettime (CLOCK_MONOTONIC, &ts);
  return ts.tv_sec + 1e-9 * ts.tv_nsec;
}

/* For the profile: waits for what was enqueued before, and tells the time. */
static double
settle (VfiInterp *self)
{
  if (!self->profiling)
    return 0;
  self->backend->klass->end (self->backend);
  self->backend->klass->begin (self->backend);
  return seconds ();
}

static double
frame_bytes (const VfiFrameInfo *info)
{
  double sum = 0;
  for (int i = 0; i < vfi_format_desc (info->format)->n_planes; i++) {
    int w, h;
    vfi_frame_info_plane_size (info, i, &w, &h);
    sum += (double) h * vfi_frame_info_row_bytes (info, i);
  }
  return sum;
}

/* Makes `frame` ready for the frame in a slot: one that came in, or (NULL) one that was made. */
static void
learn_frame (VfiInterp *self, int slot, const VfiFrame *frame)
{
  VfiNet *net = self->net[0];
  const VfiBackendClass *klass = self->backend->klass;
  const VfiPicture *picture = &self->model->picture;
  VfiView x = vfi_net_view (net, picture->order ? "picture" : "x", 0);

  if (frame) {
    double start = settle (self);

    if (picture->order)
      klass->pack_picture (self->backend, &self->info, frame, picture, &x);
    else
      klass->pack (self->backend, &self->info, frame, self->flow_scale, &x);
    if (self->model->taps) {
      const VfiView bars = vfi_net_view (net, "bars", 0), area = vfi_net_view (net, "area", slot);

      klass->area (self->backend, &x, net->n_bars == 0, &bars, &area);
      net->n_bars = MIN (net->n_bars + 1, VFI_BAR_FRAMES + 1);
    }
    if (self->profiling)
      vfi_profile_add (self->profile, "pack", settle (self) - start, 0, frame_bytes (&self->info) + vfi_view_bytes (&x));
    vfi_net_bind (net, net->frame, (int[]){ slot, slot }, 0);
  } else {
    for (int i = 0; i < vfi_plan_n_io (net->frame); i++) {
      gboolean output;
      const char *name = vfi_plan_io_name (net->frame, i, &output);
      vfi_plan_bind (net->frame, i, vfi_net_view (net, output ? name : "result", slot).data);
    }
  }
  self->known[slot] = TRUE;
  self->pair_of[0] = -1;
}

/* Plans that are to run one after the other. */
typedef struct
{
  VfiPlan *plans[VFI_MAX_GRAPHS];
  int n;
} Queue;

static void
queue_run (Queue *q)
{
  if (q->n)
    vfi_plans_run (q->plans, q->n);
  q->n = 0;
}

/* Room for a plan, which is bound after that: it can be in the queue once. */
static void
queue_add (Queue *q, VfiPlan *plan)
{
  for (int i = 0; i < q->n; i++)
    if (q->plans[i] == plan) {
      queue_run (q);
      break;
    }
  q->plans[q->n++] = plan;
}

/* The frame that came in, in a slot; NULL: it was made. */
static const VfiFrame *
came_in (const VfiInterp *self, int slot)
{
  return slot < self->ring ? &self->pair[(slot - self->first + self->ring) % self->ring] : NULL;
}

/* Whether a frame that came in now is seen to have other bars than the one before. Of frames on a device the host knows only when those that a stream began with are known. */
static gboolean
bars_came_or_went (VfiInterp *self, const int slot[2])
{
  VfiNet *net = self->net[0];
  const VfiView area = vfi_net_view (net, "area", slot[0]);

  if (self->backend->klass->memory != VFI_MEMORY_HOST)
    return net->n_bars == VFI_BAR_FRAMES;
  return memcmp (area.data, vfi_net_view (net, "area", slot[1]).data, vfi_view_bytes (&area)) != 0;
}

/* What `pair` computes of the frames in two slots. */
static void
learn_pair (VfiInterp *self, Queue *q, const int slot[2])
{
  VfiNet *net = self->net[0];

  for (int i = 0; i < 2; i++)
    if (!self->known[slot[i]]) {
      queue_add (q, net->frame);
      learn_frame (self, slot[i], came_in (self, slot[i]));
      if (i && self->model->taps && slot[0] != last_slot (self) && bars_came_or_went (self, slot)) { /* both as the later one is */
        queue_add (q, net->frame);
        learn_frame (self, slot[0], came_in (self, slot[0]));
      }
    }
  const gboolean known = net->bend ? self->known_pair[slot[0]]
                                   : (self->pair_of[0] == slot[0] && self->pair_of[1] == slot[1]) ||
                                         (net->mirrored && self->pair_of[0] == slot[1] && self->pair_of[1] == slot[0]);
  if (net->pair && !known) {
    const float follows = net->remembers;
    void *to = vfi_net_view (net, "follows", 0).data;

    queue_add (q, net->pair);
    if (to)
      self->backend->klass->upload (self->backend, to, &follows, sizeof follows);
    vfi_net_bind (net, net->pair, slot, 0);
    net->remembers = TRUE;
  }
  memcpy (self->pair_of, slot, sizeof self->pair_of);
  if (net->bend)
    self->known_pair[slot[0]] = TRUE;
}

/* What `pair` computes of the frame before and the first one, for which there is no slot that stays. */
static void
learn_past (VfiInterp *self, Queue *q)
{
  const int slot = last_slot (self);

  queue_add (q, self->net[0]->frame);
  learn_frame (self, slot, &self->past);
  learn_pair (self, q, (int[]){ slot, self->first });
  self->known[slot] = FALSE;
  if (self->ring < VFI_NET_RING) /* most of what the pair computes has one slot, which this took */
    self->known_pair[self->first] = FALSE;
}

static gboolean
bends (const VfiInterp *self)
{
  return self->net[0]->bend && (self->lasts[0] > 0 || self->lasts[1] > 0);
}

/* The network's answer for the frames in two slots at time t; a result goes to slot `result`. */
static void
run_pair (VfiInterp *self, const int slot[2], double t, int result)
{
  VfiNet *net = self->net[0];
  const float time = (float) t;
  void *at = vfi_net_view (net, "t", 0).data;
  Queue q = { .n = 0 };

  if (at)
    self->backend->klass->upload (self->backend, at, &time, sizeof time);
  if (bends (self)) {
    self->backend->klass->upload (self->backend, vfi_net_view (net, "lasts", 0).data, self->lasts, sizeof self->lasts);
    if (self->lasts[0] > 0 && !self->known_pair[last_slot (self)])
      learn_past (self, &q);
  }
  learn_pair (self, &q, slot);
  if (self->lasts[1] > 0)
    learn_pair (self, &q, (int[]){ slot[1], next_slot (self, slot[1]) });
  queue_add (&q, net->at);
  vfi_net_bind (net, net->at, slot, result);
  if (bends (self)) {
    queue_add (&q, net->bend);
    vfi_net_bind (net, net->bend, slot, 0);
  }
  queue_run (&q);
}

/* Where the work of a call failed, nothing that was worked out is known. */
static gboolean
succeeded (VfiInterp *self, GError **error)
{
  const VfiBackendClass *klass = self->backend->klass;

  if (!klass->failed || !klass->failed (self->backend, error))
    return TRUE;
  forget_stream (self);
  return FALSE;
}

/* Waits for the work of a call. */
static gboolean
finish (VfiInterp *self, GError **error)
{
  self->backend->klass->end (self->backend);
  return succeeded (self, error);
}

/* Nothing that was started stays under way. */
static void
drop_started (VfiInterp *self)
{
  if (!self->backend->klass->leave)
    return;
  self->backend->klass->begin (self->backend);
  finish (self, NULL);
}

void
vfi_interp_reset (VfiInterp *self)
{
  drop_started (self);
  self->have_pair = FALSE;
  forget_stream (self);
}

/* Halves until the multiple of 1 / STEPS nearest to t is made; returns its slot. */
static int
halve (VfiInterp *self, double t)
{
  int want = CLAMP ((int) (t * STEPS + 0.5), 1, STEPS - 1), low = 0, high = STEPS;
  int slot[2] = { self->first, next_slot (self, self->first) };

  for (;;) {
    int middle = (low + high) / 2, s = 0;

    for (int i = 2; i < VFI_NET_SLOTS; i++)
      if (self->made[i] == middle)
        s = i;
    for (int i = 2; i < VFI_NET_SLOTS && !s; i++)
      if (!self->made[i])
        s = i;
    for (int i = 2; i < VFI_NET_SLOTS && !s; i++)
      if (i != slot[0] && i != slot[1])
        s = i;
    if (self->made[s] != middle) {
      run_pair (self, slot, 0.5, s);
      self->made[s] = middle;
      self->known[s] = FALSE;
    }
    if (middle == want)
      return s;
    slot[want > middle ? 0 : 1] = s;
    *(want > middle ? &low : &high) = middle;
  }
}

gboolean
vfi_interp_motion (VfiInterp *self, double t, gboolean swapped, VfiView *state, GError **error)
{
  if (!check_pair (self, error))
    return FALSE;
  self->backend->klass->begin (self->backend);
  run_pair (self, swapped ? (int[]){ next_slot (self, self->first), self->first } : (int[]){ self->first, next_slot (self, self->first) },
            t, 0);
  *state = vfi_net_view (self->net[0], "state", 0);
  return finish (self, error);
}

/* The work of a frame, from klass->begin on. */
static gboolean
make (VfiInterp *self, double t, const VfiFrame *dst, GError **error)
{
  const VfiBackendClass *klass = self->backend->klass;
  const VfiPicture *picture = &self->model->picture;
  VfiSynthesis motion = { .taps = self->model->taps };
  VfiView *const made = &motion.state;
  double start;
  int slot = 0;

  if (!check_pair (self, error))
    return FALSE;
  if (!(t > 0 && t < 1)) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "t = %g is not between 0 and 1", t);
    return FALSE;
  }
  if (!vfi_interp_check_frame (self, dst, "the destination", error))
    return FALSE;
  if (dst->data[0] == self->pair[0].data[0] || dst->data[0] == self->pair[1].data[0] ||
      (self->have_next && dst->data[0] == self->pair[2].data[0])) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "the destination is one of the frames it is made from");
    return FALSE;
  }

  klass->begin (self->backend);
  if (self->model->any_t)
    run_pair (self, (int[]){ self->first, next_slot (self, self->first) }, t, 0);
  else
    slot = halve (self, t);
  *made = vfi_net_view (self->net[0], picture->order ? "result" : "state", slot);
  if (bends (self))
    motion.bend = vfi_net_view (self->net[0], "bend", 0);
  for (int i = 0, s = self->first; i < 2 && self->model->taps; i++, s = next_slot (self, s))
    motion.area[i] = vfi_net_view (self->net[0], "area", s);
  start = settle (self);
  if (picture->order)
    klass->unpack_picture (self->backend, &self->info, &self->pair[0], &self->pair[1], t, picture, made, dst);
  else
    klass->synthesize (self->backend, &self->info, &self->pair[0], &self->pair[1], self->flow_scale, t, &motion, dst);
  if (self->profiling)
    vfi_profile_add (self->profile, "synthesize", settle (self) - start, 0, 3 * frame_bytes (&self->info) + vfi_view_bytes (made));
  return TRUE;
}

gboolean
vfi_interp_at (VfiInterp *self, double t, VfiFrame *dst, GError **error)
{
  return make (self, t, dst, error) && finish (self, error);
}

gboolean
vfi_interp_start (VfiInterp *self, double t, VfiFrame *dst, GError **error)
{
  const VfiBackendClass *klass = self->backend->klass;

  if (!make (self, t, dst, error))
    return FALSE;
  (klass->leave ? klass->leave : klass->end) (self->backend);
  if (succeeded (self, error))
    return TRUE;
  drop_started (self);
  return FALSE;
}

gboolean
vfi_interp_finish (VfiInterp *self, GError **error)
{
  if (self->backend->klass->settle)
    self->backend->klass->settle (self->backend);
  return succeeded (self, error);
}

/* ---- what it is and does ------------------------------------------------------------------------ */

void
vfi_interp_get_info (const VfiInterp *self, VfiInterpInfo *out)
{
  *out = (VfiInterpInfo){ .model = self->model->name,
                          .backend = self->backend->description,
                          .precision = dtype_name (self->feature),
                          .backend_reason = self->reason,
                          .unused_weights = self->unused,
                          .threads = self->backend->threads };
  for (int i = 0; i < MAX_NETS && self->net[i]; i++)
    out->bytes += self->net[i]->bytes;
}

void
vfi_interp_set_profile (VfiInterp *self, gboolean enable)
{
  self->profiling = enable;
  if (enable)
    g_array_set_size (self->profile, 0);
  for (int i = 0; i < MAX_NETS && self->net[i]; i++)
    vfi_net_set_profile (self->net[i], enable ? self->profile : NULL);
}

int
vfi_interp_get_profile (const VfiInterp *self, VfiProfile *out, int n)
{
  for (int i = 0; i < n && i < (int) self->profile->len; i++)
    out[i] = g_array_index (self->profile, VfiProfile, i);
  return (int) self->profile->len;
}

/* ---- options ------------------------------------------------------------------------------------ */

gboolean
vfi_precision_choose (VfiPrecision precision, VfiBackend *backend, VfiDType *feature, GError **error)
{
  static const VfiDType dtypes[] = { [VFI_PRECISION_FP32] = VFI_F32, [VFI_PRECISION_BF16] = VFI_BF16, [VFI_PRECISION_FP16] = VFI_F16 };

  if (precision == VFI_PRECISION_AUTO) {
    *feature = backend->klass->best_precision (backend);
    return TRUE;
  }
  if (precision < 0 || precision > VFI_PRECISION_FP16) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "there is no precision %d", precision);
    return FALSE;
  }
  *feature = dtypes[precision];
  if (!backend->klass->supports_precision (backend, *feature)) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s does not compute in %s: use auto or fp32", backend->description,
                 dtype_name (*feature));
    return FALSE;
  }
  return TRUE;
}

VfiInterp *
vfi_interp_new (const VfiFrameInfo *info, const VfiOptions *options, GError **error)
{
  return vfi_interp_new_for ("interpolation", info, options, error);
}

VfiInterp *
vfi_interp_new_for (const char *task, const VfiFrameInfo *info, const VfiOptions *options, GError **error)
{
  static const VfiOptions defaults = { 0 };
  const VfiOptions *o = options ? options : &defaults;
  g_autofree char *reason = NULL;
  g_autoptr (VfiBackend) backend = vfi_backend_open (o, &reason, error);
  g_autoptr (VfiWeights) weights = NULL;
  const VfiModel *model;
  VfiDType feature;
  VfiInterp *self;

  if (!backend || !vfi_precision_choose (o->precision, backend, &feature, error) ||
      !vfi_model_choose (task, o, backend, &model, &weights, error))
    return NULL;
  self = vfi_interp_new_on (backend, model, weights, feature, info, o->flow_scale, error);
  if (self && reason) {
    g_free (self->reason);
    self->reason = g_steal_pointer (&reason);
  }
  return self;
}

gboolean
vfi_machine_rates (const VfiOptions *options, double seconds, double *conv_flops, double *copy_bytes, GError **error)
{
  static const VfiOptions defaults = { 0 };
  const VfiOptions *o = options ? options : &defaults;
  g_autofree char *reason = NULL;
  g_autoptr (VfiBackend) backend = vfi_backend_open (o, &reason, error);
  VfiDType feature;

  if (!backend || !vfi_precision_choose (o->precision, backend, &feature, error))
    return FALSE;
  if (!backend->klass->rates) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s has no rates to measure", backend->description);
    return FALSE;
  }
  return backend->klass->rates (backend, feature, seconds, conv_flops, copy_bytes, error);
}
