/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operator evidence, in two passes over rows: what the pictures differ by along the motion, a vector a run of their pixels; then means of that.
 */
#include "evidence.h"
#include "area.h"
#include "isa.h"
#include "rows.h"
#include "smooth.h"

#define WINDOW VFI_EVIDENCE_WINDOW
#define SIDE (2 * WINDOW + 1)
#define BLOCK 8
#define LINES 3 /* of a thread: sums down columns, and parts of the window */

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  return rows_new (1, dst->h, dst->w, LINES, b->threads);
}

/* ln of positive numbers that are not denormal: the exponent, and atanh's series of what is left, 1 / sqrt 2 <= m < sqrt 2. */
VFI_INLINE Vec
vec_log (Vec v)
{
  const VecI bits = (VecI) v - 0x3f3504f3, exponent = bits >> 23;
  const Vec m = (Vec) ((VecI) v - (exponent << 23)), r = (m - 1) / (m + 1), q = r * r;
  Vec p = vec_set (1 / 9.f);

  p = vec_fma (p, q, vec_set (1 / 7.f));
  p = vec_fma (p, q, vec_set (1 / 5.f));
  p = vec_fma (p, q, vec_set (1 / 3.f));
  return vec_fma (VEC_TO_FLOAT (exponent), vec_set (0.69314718f), 2 * vec_fma (p * q, r, r));
}

/* A run, for the threads. */
typedef struct
{
  const Rows *s;
  Plane y0, y1;
  float t;
  const VfiView *motion, *dst;
} Run;

static void
look_row (gpointer data, int y, int thread)
{
  const Run *r = data;
  const Rows *s = r->s;
  const VfiView motion = *r->motion;
  const int second = motion.c == 2 ? 0 : 2;
  const Vec back = vec_set (-2 * r->t), on = vec_set (2 * (1 - r->t)), down = vec_set (2 * y);
  float *row = rows_at (s, 0, y);

  for (int x = 0; x < s->w; x += VFI_LANES) {
    const int n = MIN (s->w - x, VFI_LANES);
    const Vec at = VEC_TO_FLOAT (2 * (vec_iota () + x));
    Vec v[4], e;

    for (int c = 0; c < 4; c++)
      v[c] = (c < 2 ? back : on) * vec_load_pixels (&motion, y, x, c < 2 ? c : second + c - 2, n);
    e = plane_sample (&r->y0, at + v[0], down + v[1]) - plane_sample (&r->y1, at + v[2], down + v[3]);
    *(Vec *) (row + x) = vec_abs (e) * plane_inside (&r->y0, at + v[0], down + v[1]) * plane_inside (&r->y1, at + v[2], down + v[3]);
  }
  repeat_border (row, s->w, WINDOW);
}

/* Rows of a block: sums down the columns of the first, and of the next ones by what comes and goes; so whatever thread it is. */
static void
fit_block (gpointer data, int block, int thread)
{
  G_STATIC_ASSERT (SIDE == 8 + 2 + 1);
  const Run *r = data;
  const Rows *s = r->s;
  const VfiView dst = *r->dst;
  const int first = block * BLOCK;
  float *sum = rows_line (s, thread, 0), *two = sum + s->pitch, *four = two + s->pitch;

  for (int y = first; y < MIN (first + BLOCK, s->h); y++) {
    const float *come = rows_at (s, 0, y + WINDOW), *gone = rows_at (s, 0, y - WINDOW - 1);

    for (int x = -ROWS_PAD / 2; x < s->w + WINDOW; x += VFI_LANES)
      if (y == first) {
        Vec v = vec_set (0);

        for (int i = y - WINDOW; i <= y + WINDOW; i++)
          v += *(const Vec *) (rows_at (s, 0, i) + x);
        *(Vec *) (sum + x) = v;
      } else {
        *(Vec *) (sum + x) += *(const Vec *) (come + x) - *(const Vec *) (gone + x);
      }
    for (int x = -WINDOW; x < s->w + WINDOW; x += VFI_LANES)
      *(Vec *) (two + x) = *(const Vec *) (sum + x) + *(const Vec *) (sum + x + 1);
    for (int x = -WINDOW; x < s->w + WINDOW; x += VFI_LANES)
      *(Vec *) (four + x) = *(const Vec *) (two + x) + *(const Vec *) (two + x + 2);
    for (int x = 0; x < s->w; x += VFI_LANES) {
      const Vec eight = *(const Vec *) (four + x - WINDOW) + *(const Vec *) (four + x - WINDOW + 4);
      const Vec all = eight + (*(const Vec *) (two + x - WINDOW + 8) + *(const Vec *) (sum + x + WINDOW));

      /* what comes and goes may leave less than nothing */
      vec_store_pixels (&dst, y, x, 0, MIN (s->w - x, VFI_LANES),
                        -VFI_EVIDENCE_STEEP *
                            vec_log (vec_fma (vec_max (all, vec_set (0)), vec_set (1.f / (SIDE * SIDE)), vec_set (VFI_EVIDENCE_DARK))));
    }
  }
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer kernel_state, const VfiView *src, const VfiView *dst)
{
  const float *part = vfi_part (node->n_src > 4 ? src[4].data : NULL);
  Run r = { kernel_state, plane_of_part (&src[0], part), plane_of_part (&src[1], part), *(const float *) src[2].data, &src[3], dst };

  vfi_cpu_each (b, dst->h, 8, look_row, &r);
  vfi_cpu_each (b, (dst->h + BLOCK - 1) / BLOCK, 1, fit_block, &r);
}

const VfiKernel VFI_ISA_NAME (vfi_cpu_evidence) = { &vfi_op_evidence, NULL, prepare, run, g_free, rows_workspace, rows_bind };
