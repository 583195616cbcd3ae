/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of the vfi program share: a folder, the program run in it, files made for it and what is in those that it makes. VFI_PROGRAM is the
 * program's path. What fails ends the test.
 */
#pragma once

#include <gst/gst.h>

/* Everything is written below it. */
extern char *folder;

/* Makes the folder, with in.mp4 (20 frames), text.mp4 (which is none) and an empty folder `empty` in it. */
void program_begin (int *argc, char ***argv);
/* Runs the tests, and removes the folder. */
int program_end (void);

/* The path of a file in it. */
char *file (const char *name);

typedef struct
{
  int status;
  char *out, *err;
} Run;

void run_clear (Run *r);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

/* Runs vfi in `folder` with words separated by single spaces. */
Run vfi (const char *format, ...) G_GNUC_PRINTF (1, 2);
void assert_contains (const char *text, const char *part);
/* All of a file of text. */
char *read_text (const char *name);

typedef struct
{
  int frames, audio_streams, width, height;
  const char *format;           /* static */
  gboolean turned;              /* it says that its frames are to be turned before they are seen */
  double last_frame, audio_end; /* seconds */
} Content;

/* What is in a file, by decoding it. */
Content look (const char *name);
/* A pipeline as gst-launch-1.0 takes it, to its end. */
void play_line (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* 10 frames a second, 96x64; with sound of the same length. */
void make_clip (const char *name, int frames, const char *filter);

/* A picture of waves that stands still, five times, with a mask in the corner; `under` is painted over the middle, where the stationary hole is. */
void make_sequence (const char *name, gboolean masks, int under);
/* Masks of what make_sequence paints over: boxes/frames; and one of nothing. */
void make_boxes (void);
