/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cuDNN's graph API by a machine that reads the descriptors and does what they say, slowly: what cuda/ builds is tested by what it means.
 * Takes the place of cuda/load.c.
 */
#pragma once

#include <glib.h>

typedef struct
{
  gboolean present;   /* FALSE: the library is not there */
  gboolean no_fusion; /* graphs of more than a convolution have no engine */
  gboolean no_mixed;  /* nor has a convolution whose result is of another type than its source */
  int engines;        /* that work: they are in places 2 and up of the heuristics' list */
  int numbers;        /* what is added to a place to get the engine's number */
  int descriptors;    /* alive */
  int packs;          /* made so far */
  int compiled;       /* plans made so far */
  GString *graphs;    /* what was planned, a line each; NULL: not kept */
} FakeCudnn;

extern FakeCudnn fake_cudnn;
