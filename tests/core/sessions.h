/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Interpolation sessions for tests: vfi-nano with weights made from their names, on backends that are watched, and made to fail, through a changed
 * copy of their table. What cannot say an error asserts that there is none.
 */
#pragma once

#include "frames.h"
#include "interp.h"
#include "model.h"

#define KIND(data) ((VfiBackendKind) GPOINTER_TO_INT (data))

/* 64 x 48, I420 */
extern const VfiFrameInfo small;

/* What the backend that was opened last was asked for: allocations, those that live, frames packed. */
extern struct Watched
{
  int allocs, live, packs;
  int fail_at; /* the allocation (from 1) that fails; 0: none */
} watched;

VfiBackend *watched_backend (VfiBackendKind kind);

/* Weights from names for a model; its own file, NULL if there is none, if `shipped`. */
VfiWeights *weights_new (const VfiModel *m, gboolean shipped);

/* On a backend, NULL with an error if that fails; on a watched one of its own. */
VfiInterp *session_on (VfiBackend *b, const VfiFrameInfo *info, double flow_scale, GError **error);
VfiInterp *session_new (VfiBackendKind kind, const VfiFrameInfo *info, double flow_scale);

/* A moving, textured picture, data: GINT_TO_POINTER (which frame). Every third one has stripes, by which each pixel changes before it could be taken for one that lies over
 * the picture. */
double waves (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data);
TestFrame *picture (const VfiFrameInfo *info, int i);

void set_pair (VfiInterp *s, const TestFrame *a, const TestFrame *b);
TestFrame *at (VfiInterp *s, const VfiFrameInfo *info, double t);
/* What a session that knows nothing else makes of a pair. */
TestFrame *fresh (VfiBackendKind kind, const TestFrame *a, const TestFrame *b, double flow_scale, double t);
/* Frees `want`. */
void assert_same (const TestFrame *got, TestFrame *want);

/* Adds /interp/reference/NAME and /interp/cpu/NAME, run with the backend's KIND. */
void test_on_both (const char *name, GTestDataFunc run);
