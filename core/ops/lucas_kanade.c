/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lucas_kanade: one step of registration in closed form (Lucas and Kanade, 1981), symmetric, seen from time t.
 *
 *   w0 = y0 (p - t v0),  w1 = y1 (p + (1 - t) v1)                     bilinear, clamped to the border
 *   g  = central differences of (w0 + w1) / 2, border replicated;  e = w1 - w0, times how much both places are inside (vfi_inside): what one picture does not show holds
 *   nothing back
 *   (sum g g' + m I) d = - sum g e,   m = VFI_LK_FLOOR + VFI_LK_RIDGE trace (sum g g'),   |d| <= VFI_LK_LIMIT per component
 *   dst = (mean (v0 + d), mean (v1 + d), logit[, d])                   over 3x3 pixels, border replicated
 *
 * The sums are means over a 3x3 box applied twice, 0 outside the picture each time. Where texture is there and brightness is
 * constant d is precise to a small part of a pixel; flat areas give 0. Neighbours' errors differ where their motion does not: hence the mean.
 */
#include "lucas_kanade.h"
#include "area.h"
#include "bilinear.h"
#include "op.h"
#include "sample.h"
#include "vfi.h"

static float
velocity (const VfiView *src, gboolean state, int y, int x, int c)
{
  return state ? vfi_view_get (&src[3], y, x, c) : 0;
}

/* Both frames at pixel (y, x), clamped, as time t sees them; and how much they are inside. */
static void
warped (const VfiView *src, gboolean state, const float part[4], float t, int y, int x, float w[2], float *in)
{
  y = CLAMP (y, 0, src[0].h - 1);
  x = CLAMP (x, 0, src[0].w - 1);
  *in = 1;
  for (int i = 0; i < 2; i++) {
    const float gain = i ? 1 - t : -t;
    const float py = y + gain * velocity (src, state, y, x, 2 * i + 1), px = x + gain * velocity (src, state, y, x, 2 * i);

    w[i] = vfi_view_bilinear (&src[i], 0, py, px);
    *in *= vfi_inside_part (py, px, part, src[i].h, src[i].w);
  }
}

/* Weight of the pixel s away from i on an axis of n pixels in two boxes of three, 0 outside. */
static int
window (int i, int s, int n)
{
  int count = 0;

  for (int j = -1; j <= 1; j++)
    count += i + j >= 0 && i + j < n && ABS (s - j) <= 1 && i + s >= 0 && i + s < n;
  return count;
}

/* The motion that is left at pixel (y, x). */
static void
solve (const VfiView *src, gboolean state, const float part[4], float t, int y, int x, float d[2])
{
  const int h = src[0].h, w = src[0].w;
  float a = 0, b = 0, c = 0, p = 0, q = 0, m, det;

  for (int i = -2; i <= 2; i++)
    for (int j = -2; j <= 2; j++) {
      float weight = window (y, i, h) * window (x, j, w) / 81.f;
      float here[2], left[2], right[2], up[2], down[2], gx, gy, e, in, other;

      if (weight == 0)
        continue;
      warped (src, state, part, t, y + i, x + j, here, &in);
      warped (src, state, part, t, y + i, x + j - 1, left, &other);
      warped (src, state, part, t, y + i, x + j + 1, right, &other);
      warped (src, state, part, t, y + i - 1, x + j, up, &other);
      warped (src, state, part, t, y + i + 1, x + j, down, &other);
      gx = (right[0] + right[1] - left[0] - left[1]) / 4;
      gy = (down[0] + down[1] - up[0] - up[1]) / 4;
      e = in * (here[1] - here[0]);
      a += weight * gx * gx;
      b += weight * gx * gy;
      c += weight * gy * gy;
      p += weight * gx * e;
      q += weight * gy * e;
    }
  m = VFI_LK_RIDGE * (a + c) + VFI_LK_FLOOR;
  a += m;
  c += m;
  det = a * c - b * b;
  d[0] = CLAMP ((b * q - c * p) / det, -VFI_LK_LIMIT, VFI_LK_LIMIT);
  d[1] = CLAMP ((b * p - a * q) / det, -VFI_LK_LIMIT, VFI_LK_LIMIT);
}

/* Three values of channel c in a line are summed, those at its ends twice: n pixels from (y, x) on, down or to the right, times gain. */
static void
sum_line (const VfiView *dst, int y, int x, gboolean down, int n, int c, float gain)
{
  float before = vfi_view_get (dst, y, x, c), here = before;

  for (int i = 0; i < n; i++, y += down, x += !down) {
    float after = i + 1 < n ? vfi_view_get (dst, y + down, x + !down, c) : here;

    vfi_view_set (dst, y, x, c, (before + here + after) * gain);
    before = here;
    here = after;
  }
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  gboolean state = ((const VfiLucasKanadeParams *) node->params)->state;
  const float *part = vfi_part (node->n_src > 3 + state ? src[3 + state].data : NULL);
  float t = vfi_view_get (&src[2], 0, 0, 0);

  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      float d[2];

      solve (src, state, part, t, y, x, d);
      for (int k = 0; k < 4; k++)
        vfi_view_set (dst, y, x, k, velocity (src, state, y, x, k) + d[k % 2]);
      vfi_view_set (dst, y, x, 4, velocity (src, state, y, x, 4));
      for (int k = 5; k < dst->c; k++)
        vfi_view_set (dst, y, x, k, d[k - 5]);
    }
  for (int k = 0; k < 4; k++) {
    for (int y = 0; y < dst->h; y++)
      sum_line (dst, y, 0, FALSE, dst->w, k, 1);
    for (int x = 0; x < dst->w; x++)
      sum_line (dst, 0, x, TRUE, dst->h, k, 1 / 9.f);
  }
}

/* The mean sees one row on, the window two, a difference one. */
static int
reach (const VfiNode *node, int i)
{
  return i == 3 && ((const VfiLucasKanadeParams *) node->params)->state ? 1 + 2 + 1 : VFI_ALL_ROWS;
}

const VfiOp vfi_op_lucas_kanade = { "lucas_kanade", .planar = 1 << 3, .reference = reference, .reach = reach };

VfiTensor *
vfi_lucas_kanade (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *time, VfiTensor *state, VfiTensor *within, gboolean step)
{
  VfiLucasKanadeParams p = { state != NULL, step };
  VfiTensor *src[5] = { y0, y1, time }, *y;
  int n = 3;

  if (state)
    src[n++] = state;
  if (within)
    src[n++] = within;

  if (!vfi_graph_ready (g, "lucas_kanade", src, n))
    return vfi_graph_dummy (g);
  if (y0->c != 1 || y1->c != 1 || y1->h != y0->h || y1->w != y0->w || y0->dtype != VFI_F32 || y1->dtype != VFI_F32)
    return vfi_graph_fail (g, "lucas_kanade", VFI_ERROR_SHAPE, "the pictures are %d x %d x %d and %d x %d x %d, not equal, 1 channel, fp32",
                           y0->h, y0->w, y0->c, y1->h, y1->w, y1->c);
  if (time->dtype != VFI_F32 || time->h != 1 || time->w != 1 || time->c != 1)
    return vfi_graph_fail (g, "lucas_kanade", VFI_ERROR_SHAPE, "the time is not 1 x 1 x 1, fp32");
  if (state && (state->dtype != VFI_F32 || state->h != y0->h || state->w != y0->w || state->c != 5))
    return vfi_graph_fail (g, "lucas_kanade", VFI_ERROR_SHAPE, "the state is %d x %d x %d, not %d x %d x 5, fp32", state->h, state->w,
                           state->c, y0->h, y0->w);
  if (within && !vfi_tensor_is_within (within))
    return vfi_graph_fail (g, "lucas_kanade", VFI_ERROR_SHAPE, "what is within is not 1 x 1 x 4, fp32");
  y = vfi_node_result (g,
                       vfi_graph_add (g, &vfi_op_lucas_kanade, "lucas_kanade", &p, sizeof p, src, n, VFI_F32, y0->h, y0->w, step ? 7 : 5));
  y->planar = TRUE;
  return y;
}
