/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames for tests: padded rows, guarded on all sides (behind a plane, reading is caught, too), filled by formula.
 */
#pragma once

#include "frame.h"

/* Sanitizers slow tests down ten times, and look for what hardly hangs on values: the longest take fewer of their cases then, of all kinds. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* A frame in host memory of its own. Everything that is no pixel holds a sentinel. */
typedef struct
{
  VfiFrameInfo info;
  VfiFrame frame;
  int n_planes;
  VfiPlaneLayout layout[4];
  int w[4], h[4];
  guint8 *memory[4], *pages[4];
  gsize size[4], mapped[4];
} TestFrame;

/* Rows are `pad` bytes longer than their pixels (rounded up to the sample's size). Pixels are 0. */
TestFrame *test_frame_new (const VfiFrameInfo *info, int pad);
void test_frame_free (TestFrame *f);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestFrame, test_frame_free)

/* TRUE if no sentinel was written over. */
gboolean test_frame_intact (const TestFrame *f);

/* A sample as a number below 2^depth. */
int test_frame_get (const TestFrame *f, int plane, int y, int x, int comp);
void test_frame_set (TestFrame *f, int plane, int y, int x, int comp, int value);
int test_frame_max (const TestFrame *f, int plane); /* 2^depth - 1 */

/* A picture as a formula: the value, 0..1 of the whole depth, of a component at luma coordinates (edges at 0 and at width). */
typedef double (*TestPicture) (const TestFrame *f, int plane, int comp, double y, double x, gconstpointer data);
/* Each sample is the formula at its centre, rounded. */
void test_frame_fill (TestFrame *f, TestPicture picture, gconstpointer data);
/* Every sample random. */
void test_frame_random (TestFrame *f, const char *seed);

/* The largest difference between samples of two frames. `margin`: luma pixels at the border that are not looked at. */
int test_frame_worst (const TestFrame *a, const TestFrame *b, int margin);
/* That between their first components in a rectangle of the first plane. */
int test_frame_worst_in (const TestFrame *a, const TestFrame *b, int x, int y, int width, int height);

/* What networks see of a frame (core/frame.h: pack; F32, not planar), whose `bars` (top, left, bottom, right) are lines of so many samples of luma, two to a pixel of x, of about `dark`, and the rest a bright
 * pattern. Samples of bars differ by as much as `noise`. */
void test_boxed (const VfiView *x, const int bars[4], float dark, float noise);
