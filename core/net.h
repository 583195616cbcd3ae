/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An interpolation network for frames of one padded size: its plans, and the tensors that pass between them. What is computed of a frame, or of a pair of
 * frames, is kept in slots; the session (interp.c) says which, and when a plan runs.
 */
#pragma once

#include "model.h"
#include "plan.h"

#define VFI_NET_SLOTS 5 /* the two frames, and three made between them by halving: enough to make one more between any two */
#define VFI_NET_RING 3  /* slots of frames that came in: the pair's, and the next one's */

typedef struct
{
  VfiBackend *backend;               /* the session's */
  int h, w, n_slots;                 /* of frames */
  double flow_scale;                 /* of the graphs: 1 but for networks that see pictures */
  VfiPlan *frame, *pair, *at, *bend; /* pair and bend may be NULL */
  gboolean mirrored;                 /* pair gives nothing but what belongs to one frame or the other: it serves both ways round */
  gboolean remembers;                /* what `pair` keeps is of the session's stream; */
  int n_bars;                        /* and what "bars" says is of so many frames of it, up to one more than count */
  GArray *buffers;                   /* net.c */
  gsize bytes;
} VfiNet;

/* With slots for a ring of 2 or VFI_NET_RING frames. Takes no references: backend and weights must live longer. */
VfiNet *vfi_net_new (VfiBackend *backend, const VfiModel *model, VfiWeights *weights, VfiDType feature, int h, int w, double flow_scale,
                     int ring, GError **error);
void vfi_net_free (VfiNet *net);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VfiNet, vfi_net_free)

/* Slots for a ring of frames: of what they are, and of what their pairs are. Of pairs only what others ask for, while no frame follows. A failure leaves those that there were. */
gboolean vfi_net_add_ring (VfiNet *net, int ring, GError **error);
/* Binds everything the plan reads and writes, with the slots of frame 0 and 1 (of the former there is the pair in), and of the result. */
void vfi_net_bind (VfiNet *net, VfiPlan *plan, const int slot[2], int result);
/* A tensor by its name ("area": a frame's, and "bars": what is known of them (core/frame.h), of networks that frames are synthesized by), in a slot; without data if there is none of that name. */
VfiView vfi_net_view (VfiNet *net, const char *name, int slot);
/* As vfi_plan_set_profile, of each plan. */
void vfi_net_set_profile (VfiNet *net, GArray *lines);
