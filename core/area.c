/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The area of a frame (frame.h), in plain C. A frame without bars is known by its first lines, so that this is fast enough for any backend on the host.
 */
#include "area.h"

#include "frame.h"

#define LUMA 4 /* channels */

/* Sample j of line i from one edge. */
static float
luma_at (const VfiView *x, int side, int i, int j)
{
  const gboolean rows = side == VFI_TOP || side == VFI_BOTTOM;
  const int line = side == VFI_TOP || side == VFI_LEFT ? i : (rows ? x->h : x->w) - 1 - i;

  return vfi_view_get (x, rows ? line : j / LUMA, rows ? j / LUMA : line, j % LUMA);
}

static int
bar_at (const VfiView *x, int side, int before)
{
  const gboolean rows = side == VFI_TOP || side == VFI_BOTTOM;
  const int lines = (int) (VFI_BAR_MOST * (rows ? x->h : x->w)), samples = LUMA * (rows ? x->w : x->h);
  const float level = luma_at (x, side, 0, 0);
  VfiBar bar = { 0 };

  if (!(level <= VFI_BAR_DARK))
    return 0;
  for (int i = 0; i < lines; i++) {
    int unlike = 0, bright = 0;

    for (int j = 0; j < samples; j++) {
      const float more = luma_at (x, side, i, j) - level;

      unlike += !(fabsf (more) <= VFI_BAR_ALIKE);
      bright += more > VFI_BAR_BRIGHT;
    }
    if (!vfi_bar_line (&bar, before, i, samples, unlike, bright))
      break;
  }
  return bar.bar;
}

/* Pixel (y, x) becomes what (from_y, from_x) is. */
static void
copy_pixel (const VfiView *v, int from_y, int from_x, int y, int x)
{
  const int size = vfi_dtype_size (v->dtype), run = v->cd == 1 ? v->c : 1;
  const gsize from = (gsize) (from_y * v->w + from_x) * v->ld, to = (gsize) (y * v->w + x) * v->ld;

  for (int c = 0; c < v->c; c += run)
    memcpy ((guint8 *) v->data + (to + (gsize) c * v->cd) * size, (guint8 *) v->data + (from + (gsize) c * v->cd) * size,
            (gsize) run * size);
}

void
vfi_frame_area (const VfiView *x, gboolean begins, const VfiView *bars, const VfiView *area)
{
  float *known = bars->data, *to = area->data;

  for (int i = 0; i < VFI_SIDES; i++)
    known[VFI_BARS_FOUND + i] = (float) bar_at (x, i, vfi_bar_before (known, begins, i));
  vfi_bars_next (known, begins, x->h, x->w, to);
  const int top = (int) to[VFI_TOP], left = (int) to[VFI_LEFT], bottom = (int) to[VFI_BOTTOM], right = (int) to[VFI_RIGHT];

  if (top == 0 && left == 0 && bottom == x->h && right == x->w)
    return;
  for (int y = 0; y < x->h; y++)
    for (int j = 0; j < x->w; j++) {
      const int from_y = CLAMP (y, top, bottom - 1), from_x = CLAMP (j, left, right - 1);

      if (from_y != y || from_x != j)
        copy_pixel (x, from_y, from_x, y, j);
    }
}
