/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plain C versions of what frame.h defines, and the simple things one does with two frames. Written to be read: the backends'
 * fast versions are tested against these.
 */
#include "frame.h"

#include "area.h"
#include "sample.h"

/* Mean of component c over the part of [y0, y1) x [x0, x1) that lies inside the plane. */
static double
area_mean (const VfiPlane *p, int c, double y0, double y1, double x0, double x1)
{
  double sum = 0, area = 0;
  for (int y = (int) y0; y < y1 && y < p->h; y++)
    for (int x = (int) x0; x < x1 && x < p->w; x++) {
      double a = (MIN (y + 1, y1) - MAX (y, y0)) * (MIN (x + 1, x1) - MAX (x, x0));
      sum += a * vfi_plane_get (p, y, x, c);
      area += a;
    }
  return sum / area;
}

/* ---- pack --------------------------------------------------------------------------------------- */

typedef struct
{
  const VfiFormatDesc *f;
  VfiPlane plane[3]; /* of each part */
  float gain[3], bias[3];
  double sy, sx; /* luma samples per sample of the scaled picture */
} Packer;

/* A part's value over the rectangle of `size` samples of the scaled picture from (y, x). */
static double
part_value (const Packer *k, int part, int y, int x, int size)
{
  const VfiPlane *p = &k->plane[part];
  double ky = k->sy / (1 << p->l->sub_y), kx = k->sx / (1 << p->l->sub_x);
  return area_mean (p, k->f->part[part].comp, y * ky, (y + size) * ky, x * kx, (x + size) * kx) * k->gain[part] + k->bias[part];
}

static void
yuv_value (const Packer *k, int y, int x, int size, double yuv[3])
{
  for (int i = 0; i < 3; i++)
    yuv[i] = i < k->f->n_parts ? part_value (k, i, y, x, size) : 0;
  if (k->f->rgb) {
    double r = yuv[0], g = yuv[1], b = yuv[2];
    yuv[0] = .2126 * r + .7152 * g + .0722 * b;
    yuv[1] = (b - yuv[0]) / 1.8556;
    yuv[2] = (r - yuv[0]) / 1.5748;
  }
}

void
vfi_frame_pack (const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  int sw = vfi_scaled_size (info->width, flow_scale), sh = vfi_scaled_size (info->height, flow_scale);
  Packer k = { .f = f, .sy = (double) info->height / sh, .sx = (double) info->width / sw };

  for (int i = 0; i < f->n_parts; i++) {
    k.plane[i] = vfi_plane_of (info, frame, f->part[i].plane);
    vfi_format_scale (info, i, &k.gain[i], &k.bias[i]);
  }
  for (int i = 0; i < x->h; i++)
    for (int j = 0; j < x->w; j++) {
      double yuv[3];
      for (int q = 0; q < 4; q++) {
        yuv_value (&k, MIN (2 * i + q / 2, sh - 1), MIN (2 * j + q % 2, sw - 1), 1, yuv);
        vfi_view_set (x, i, j, q, (float) yuv[0]);
      }
      yuv_value (&k, 2 * MIN (i, (sh + 1) / 2 - 1), 2 * MIN (j, (sw + 1) / 2 - 1), 2, yuv);
      for (int q = 1; q < 3; q++)
        vfi_view_set (x, i, j, 3 + q, CLAMP ((float) yuv[q], -VFI_CHROMA_LIMIT, VFI_CHROMA_LIMIT));
    }
}

/* ---- synthesize --------------------------------------------------------------------------------- */

/* Where to read for a bilinear sample at coordinate v of 0..n-1, clamped (NaN too): i, i1 and the weight of i1. */
typedef struct
{
  int i, i1, n;
  float f;
} Tap;

/* Of first..last instead. */
static inline Tap
tap_between (float v, int first, int last)
{
  Tap a;
  v = fminf (fmaxf (v, first), last);
  a.i = (int) v;
  a.i1 = MIN (a.i + 1, last);
  a.f = v - a.i;
  a.n = last + 1;
  return a;
}

static inline Tap
tap (float v, int n)
{
  return tap_between (v, 0, n - 1);
}

static inline float
lerp (float a, float b, float f)
{
  return a + f * (b - a);
}

/* At a place that is brought into cells first (y, x) to last of the grid. */
static void
state_at (const VfiView *state, const int first[2], const int last[2], float y, float x, float *s)
{
  Tap ty = tap_between (y, first[0], last[0]), tx = tap_between (x, first[1], last[1]);
  for (int c = 0; c < state->c; c++)
    s[c] = lerp (lerp (vfi_view_get (state, ty.i, tx.i, c), vfi_view_get (state, ty.i, tx.i1, c), tx.f),
                 lerp (vfi_view_get (state, ty.i1, tx.i, c), vfi_view_get (state, ty.i1, tx.i1, c), tx.f), ty.f);
}

static float
sample (const VfiPlane *p, Tap ty, Tap tx, int c, int taps)
{
  if (!p->l->sub_x && !p->l->sub_y) {
    void (*const weigh) (float f, float *w) = taps == 6 ? vfi_sharp : vfi_cubic;
    const int before = taps / 2 - 1;
    float wx[6], wy[6], sum = 0;

    weigh (tx.f, wx);
    weigh (ty.f, wy);
    for (int i = 0; i < taps; i++) {
      float row = 0;

      for (int j = 0; j < taps; j++)
        row += wx[j] * vfi_plane_get (p, CLAMP (ty.i + i - before, 0, ty.n - 1), CLAMP (tx.i + j - before, 0, tx.n - 1), c);
      sum += wy[i] * row;
    }
    return sum;
  }
  return lerp (lerp (vfi_plane_get (p, ty.i, tx.i, c), vfi_plane_get (p, ty.i, tx.i1, c), tx.f),
               lerp (vfi_plane_get (p, ty.i1, tx.i, c), vfi_plane_get (p, ty.i1, tx.i1, c), tx.f), ty.f);
}

/* The rectangle of a plane from pixel (y, x) on. */
static VfiPlane
part_of (VfiPlane p, int y, int x, int h, int w)
{
  p.data += (gsize) y * p.stride + (gsize) x * p.l->comps * p.l->bytes;
  p.h = h;
  p.w = w;
  return p;
}

void
vfi_frame_synthesize (const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
                      const VfiSynthesis *motion, const VfiFrame *dst)
{
  const VfiView *state = &motion->state, *bend = motion->bend.data ? &motion->bend : NULL;
  const float *of[2] = { motion->area[0].data, motion->area[1].data };
  const int taps = motion->taps;
  int cell[VFI_SIDES] = { 0, 0, state->h, state->w }; /* that hold the picture */
  int n = vfi_format_desc (info->format)->n_planes;
  const float scale_x = (float) vfi_scaled_size (info->width, flow_scale) / info->width;
  const float scale_y = (float) vfi_scaled_size (info->height, flow_scale) / info->height;
  float u = (float) (1 - t), logit_t = (float) log ((1 - t) / t);

  for (int i = 0; i < VFI_SIDES && of[0] && of[1]; i++)
    cell[i] = (int) vfi_area_side (of[0][i], of[1][i], i);

  for (int i = 0; i < n; i++) {
    VfiPlane p0 = vfi_plane_of (info, f0, i), p1 = vfi_plane_of (info, f1, i), d = vfi_plane_of (info, dst, i);
    float ky = scale_y * (1 << d.l->sub_y), kx = scale_x * (1 << d.l->sub_x); /* samples of the scaled picture per pixel of the plane */
    const int top = vfi_area_line (cell[VFI_TOP], ky, d.h), bottom = vfi_area_line (cell[VFI_BOTTOM], ky, d.h);
    const int left = vfi_area_line (cell[VFI_LEFT], kx, d.w), right = vfi_area_line (cell[VFI_RIGHT], kx, d.w);

    for (int y = 0; y < d.h; y++)
      for (int x = 0; x < d.w; x++)
        for (int c = 0; c < d.l->comps && (y < top || y >= bottom || x < left || x >= right); c++)
          vfi_plane_set (&d, y, x, c, vfi_plane_get (t < 0.5 ? &p0 : &p1, y, x, c));
    p0 = part_of (p0, top, left, bottom - top, right - left);
    p1 = part_of (p1, top, left, bottom - top, right - left);
    d = part_of (d, top, left, bottom - top, right - left);
    const float edge = VFI_EDGE (d.l->sub_x || d.l->sub_y ? 2 : taps);

    for (int y = 0; y < d.h; y++)
      for (int x = 0; x < d.w; x++) {
        const float sy = ((y + top + 0.5f) * ky - 1) / 2, sx = ((x + left + 0.5f) * kx - 1) / 2;
        float s[VFI_MAX_STATE], to[2] = { 0, 0 }, m;

        state_at (state, cell, (int[]){ cell[VFI_BOTTOM] - 1, cell[VFI_RIGHT] - 1 }, sy, sx, s);
        if (bend)
          state_at (bend, (int[]){ 0, 0 }, (int[]){ bend->h - 1, bend->w - 1 }, (sy + 0.5f) / VFI_BEND_GRID - 0.5f,
                    (sx + 0.5f) / VFI_BEND_GRID - 0.5f, to);
        m = 1 / (1 + expf (-(s[4] + logit_t)));
        for (int c = 0; c < d.l->comps; c++) {
          float v = 0, first = 0;

          for (int k = 0; k == 0 || 3 * k + 5 <= state->c; k++) {
            const float *v0 = k ? s + 3 * k + 3 : s, *v1 = k ? v0 : s + 2;
            const float moves = fmaxf (fabsf (u * v1[0] + (float) t * v0[0]), fabsf (u * v1[1] + (float) t * v0[1]));
            const float bx = to[0] * fminf (moves / VFI_BEND_STILL, 1), by = to[1] * fminf (moves / VFI_BEND_STILL, 1);
            const float x0 = x + (bx - (float) t * v0[0]) * 2 / kx, y0 = y + (by - (float) t * v0[1]) * 2 / ky;
            const float x1 = x + (bx + u * v1[0]) * 2 / kx, y1 = y + (by + u * v1[1]) * 2 / ky;
            const float m0 = m * vfi_inside_edge (y0, x0, d.h, d.w, edge);
            const float m1 = (1 - m) * vfi_inside_edge (y1, x1, d.h, d.w, edge);
            const float along = lerp (sample (&p1, tap (y1, d.h), tap (x1, d.w), c, taps),
                                      sample (&p0, tap (y0, d.h), tap (x0, d.w), c, taps), m0 / (m0 + m1));

            if (k == 0)
              v = first = along;
            else
              v += fminf (fmaxf (s[3 * k + 2], 0), 1) * (along - first); /* 0 of NaN */
          }
          vfi_plane_set (&d, y, x, c, v);
        }
      }
  }
}

/* ---- two frames --------------------------------------------------------------------------------- */

gboolean
vfi_frame_equal (const VfiFrameInfo *info, const VfiFrame *a, const VfiFrame *b)
{
  int n = vfi_format_desc (info->format)->n_planes;

  for (int i = 0; i < n; i++) {
    VfiPlane p = vfi_plane_of (info, a, i), q = vfi_plane_of (info, b, i);
    gsize row = vfi_frame_info_row_bytes (info, i);
    for (int y = 0; y < p.h; y++)
      if (memcmp (p.data + (gsize) y * p.stride, q.data + (gsize) y * q.stride, row) != 0)
        return FALSE;
  }
  return TRUE;
}

void
vfi_frame_blend (const VfiFrameInfo *info, const VfiFrame *a, const VfiFrame *b, double t, VfiFrame *dst)
{
  int n = vfi_format_desc (info->format)->n_planes;
  float f = (float) t;

  for (int i = 0; i < n; i++) {
    VfiPlane p = vfi_plane_of (info, a, i), q = vfi_plane_of (info, b, i), d = vfi_plane_of (info, dst, i);
    int row = d.w * d.l->comps;
    for (int y = 0; y < d.h; y++) {
      const guint8 *s0 = p.data + (gsize) y * p.stride, *s1 = q.data + (gsize) y * q.stride;
      guint8 *o = d.data + (gsize) y * d.stride;
      if (d.l->bytes == 1)
        for (int x = 0; x < row; x++)
          o[x] = (guint8) (lerp (s0[x], s1[x], f) + 0.5f);
      else
        for (int x = 0; x < row; x++) {
          int v0 = ((const guint16 *) s0)[x] >> d.l->shift, v1 = ((const guint16 *) s1)[x] >> d.l->shift;
          ((guint16 *) o)[x] = (guint16) ((int) (lerp (v0, v1, f) + 0.5f) << d.l->shift);
        }
    }
  }
}
