/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The flow session: the interpolation session with a network that sees the pair from its first frame, and fields of the frame's
 * own size instead of a new frame.
 *
 * The state's grid is that of the scaled picture (core/frame.h). Its flow is interpolated at the centres of the frame's pixels and scaled to
 * them. This runs on the host, as whoever asks for a field wants it there.
 */
#include <math.h>
#include <string.h>

#include "field.h"
#include "interp.h"
#include "plan.h"

struct _VfiFlow
{
  VfiInterp *interp;
  float *state; /* copy on the host of the last one, if it is not there itself */
  gsize state_size;
};

VfiFlow *
vfi_flow_new (const VfiFrameInfo *info, const VfiOptions *options, GError **error)
{
  VfiInterp *interp = vfi_interp_new_for ("flow", info, options, error);
  VfiFlow *self;

  if (!interp)
    return NULL;
  self = g_new0 (VfiFlow, 1);
  self->interp = interp;
  return self;
}

void
vfi_flow_free (VfiFlow *self)
{
  if (!self)
    return;
  vfi_interp_free (self->interp);
  g_free (self->state);
  g_free (self);
}

gboolean
vfi_flow_set_info (VfiFlow *self, const VfiFrameInfo *info, GError **error)
{
  return vfi_interp_set_info (self->interp, info, error);
}

gboolean
vfi_flow_set_flow_scale (VfiFlow *self, double flow_scale, GError **error)
{
  return vfi_interp_set_flow_scale (self->interp, flow_scale, error);
}

void
vfi_flow_get_info (const VfiFlow *self, VfiInterpInfo *out)
{
  vfi_interp_get_info (self->interp, out);
}

void
vfi_flow_set_profile (VfiFlow *self, gboolean enable)
{
  vfi_interp_set_profile (self->interp, enable);
}

int
vfi_flow_get_profile (const VfiFlow *self, VfiProfile *out, int n)
{
  return vfi_interp_get_profile (self->interp, out, n);
}

void
vfi_flow_reset (VfiFlow *self)
{
  vfi_interp_reset (self->interp);
}

VfiBackend *
vfi_flow_backend (const VfiFlow *self)
{
  return vfi_interp_backend (self->interp);
}

/* ---- fields ------------------------------------------------------------------------------------- */

/* Where n pixels lie on a grid of `grid` samples, of which `scaled` are for them: the lower neighbour and the weight of the upper one. */
static void
places (int n, int scaled, int grid, int *lower, float *weight)
{
  for (int i = 0; i < n; i++) {
    float v = (float) ((i + 0.5) * scaled / n - 0.5);

    v = fminf (fmaxf (v, 0), grid - 1);
    lower[i] = MIN ((int) v, MAX (grid - 2, 0));
    weight[i] = v - lower[i];
  }
}

/* To 1e-6, and in a form that a compiler makes vectors of: expf takes longer than all else that a field takes. */
static void
sigmoid (float *v, int n)
{
  const float most = 120, magic = 12582912; /* 1.5 2^23: rounds to an integer */

  for (int i = 0; i < n; i++) {
    float x = v[i] * -1.44269504f, shifted, f, p = 1.3333558e-3f;
    gint32 bits, limit;

    memcpy (&bits, &x, sizeof bits);
    memcpy (&limit, &most, sizeof limit);
    bits = (bits & G_MININT32) | MIN (bits & G_MAXINT32, limit); /* the order of magnitudes is that of their bits, NaN the largest */
    memcpy (&x, &bits, sizeof x);
    shifted = x + magic;
    f = x - (shifted - magic);
    p = p * f + 9.6181291e-3f;
    p = p * f + 5.5504109e-2f;
    p = p * f + 2.4022651e-1f;
    p = p * f + 6.9314718e-1f;
    p = p * f + 1;
    memcpy (&bits, &shifted, sizeof bits);
    bits = (gint32) ((guint32) bits << 23) + 0x3f800000;
    memcpy (&x, &bits, sizeof x);
    v[i] = 1 / (1 + p * x);
  }
}

/* One row of a channel, interpolated between rows of the grid: *gain. Without `lower` the row is `top` as it is. */
static void
enlarge (const float *top, const float *bottom, float wy, const int *lower, const float *weight, int n, int last, float gain, float *row,
         float *dst, int step)
{
  if (!lower) {
    for (int x = 0; x < n; x++)
      dst[x * step] = top[x];
    return;
  }
  for (int j = 0; j <= last; j++)
    row[j] = gain * (top[j] + wy * (bottom[j] - top[j]));
  row[last + 1] = row[last];
  for (int x = 0; x < n; x++)
    dst[x * step] = row[lower[x]] + weight[x] * (row[lower[x] + 1] - row[lower[x]]);
}

static gboolean
give (VfiFlow *self, gboolean swapped, const VfiFlowField *field, GError **error)
{
  const VfiFrameInfo *info = vfi_interp_frame_info (self->interp);
  const double scale = vfi_interp_flow_scale (self->interp);
  const int sw = vfi_scaled_size (info->width, scale), sh = vfi_scaled_size (info->height, scale);
  const gboolean same = sw == info->width && sh == info->height;
  VfiBackend *backend = vfi_interp_backend (self->interp);
  const gboolean host = backend->klass->memory == VFI_MEMORY_HOST;
  const float *data;
  VfiView state;
  gsize plane, bytes;
  int *lower;
  float *weight, *row;
  gboolean enough;
  GArray *profile = vfi_interp_profile (self->interp);
  gint64 start;

  if (!vfi_interp_motion (self->interp, 0, swapped, &state, error))
    return FALSE;
  start = g_get_monotonic_time ();
  plane = (gsize) state.h * state.w; /* the state is planar */
  bytes = 5 * plane * sizeof (float);
  if (!host && self->state_size != bytes) {
    g_free (self->state);
    self->state = g_try_malloc (bytes);
    self->state_size = self->state ? bytes : 0;
  }
  lower = g_try_new (int, info->width + info->height);
  weight = g_try_new (float, info->width + info->height);
  row = g_try_new (float, state.w + 1);
  enough = (host || self->state) && lower && weight && row;
  if (enough) {
    data = host ? state.data : self->state;
    if (!host)
      backend->klass->download (backend, self->state, state.data, bytes);
    places (info->width, sw, state.w, lower, weight);
    places (info->height, sh, state.h, lower + info->width, weight + info->width);
    for (int y = 0; y < info->height; y++) {
      const int top = same ? y : lower[info->width + y], bottom = MIN (top + 1, state.h - 1);
      const float wy = weight[info->width + y];
      float *uv = field->flow + (gsize) y * info->width * 2;

      for (int c = 0; c < 2; c++) {
        const float *v1 = data + (2 + c) * plane;

        enlarge (v1 + (gsize) top * state.w, v1 + (gsize) bottom * state.w, wy, same ? NULL : lower, weight, info->width, state.w - 1,
                 (float) (c ? (double) info->height / sh : (double) info->width / sw), row, uv + c, 2);
      }
      if (field->confidence) {
        const float *logit = data + 4 * plane;
        float *sure = field->confidence + (gsize) y * info->width;

        enlarge (logit + (gsize) top * state.w, logit + (gsize) bottom * state.w, wy, same ? NULL : lower, weight, info->width, state.w - 1,
                 1, row, sure, 1);
        sigmoid (sure, info->width);
      }
    }
  } else {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for flow of %d x %d", info->width, info->height);
  }
  if (profile)
    vfi_profile_add (profile, "field", (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC, 0,
                     (double) bytes + (field->confidence ? 3 : 2) * sizeof (float) * (double) info->width * info->height);
  g_free (row);
  g_free (weight);
  g_free (lower);
  return enough;
}

gboolean
vfi_flow_run (VfiFlow *self, const VfiFrame *a, const VfiFrame *b, const VfiFlowField *forward, const VfiFlowField *backward,
              GError **error)
{
  return vfi_interp_set_pair (self->interp, a, b, error) && (!forward || give (self, FALSE, forward, error)) &&
         (!backward || give (self, TRUE, backward, error));
}

/* ---- there and back ----------------------------------------------------------------------------- */

/* How far the two ways may be apart: half a pixel, and more where they are long. */
#define NEAR 0.5f
#define PART 0.01f

void
vfi_flow_check (int width, int height, const float *flow, const float *back, float *confidence)
{
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      const float *f = flow + 2 * ((gsize) y * width + x);
      const float px = x + f[0], py = y + f[1];
      float sure = 0;

      if (px >= 0 && px <= width - 1 && py >= 0 && py <= height - 1) {
        float b[2], apart = 0, length = 0;

        vfi_field_at (back, width, height, px, py, b);
        for (int c = 0; c < 2; c++) {
          apart += (f[c] + b[c]) * (f[c] + b[c]);
          length += f[c] * f[c] + b[c] * b[c];
        }
        sure = fmaxf (0, 1 - apart / (NEAR + PART * length));
      }
      confidence[(gsize) y * width + x] = sure;
    }
}

/* ---- colour ------------------------------------------------------------------------------------- */

/* Middlebury's wheel (Baker et al., A Database and Evaluation Methodology for Optical Flow, 2007): from each corner colour to the next in so many steps; `from` is a bit mask of r, g, b. */
static const struct
{
  int steps;
  guint8 from, to;
} arcs[] = { { 15, 4, 6 }, { 6, 6, 2 }, { 4, 2, 3 }, { 11, 3, 1 }, { 13, 1, 5 }, { 6, 5, 4 } };
#define STEPS 55

/* Component c (0 red) at position k of the wheel, 0 to 1. */
static float
wheel (int k, int c)
{
  const int bit = 4 >> c;
  k %= STEPS;
  for (guint i = 0; i < G_N_ELEMENTS (arcs); i++) {
    if (k < arcs[i].steps) {
      const float t = floorf (255.f * k / arcs[i].steps) / 255;
      const gboolean a = (arcs[i].from & bit) != 0, b = (arcs[i].to & bit) != 0;
      return a == b ? a : b ? t : 1 - t;
    }
    k -= arcs[i].steps;
  }
  return 0;
}

void
vfi_flow_colour (float u, float v, guint8 rgb[3])
{
  const float length = sqrtf (u * u + v * v), place = (atan2f (-v, -u) / (float) G_PI + 1) / 2 * (STEPS - 1);
  const int k = (int) place;
  const float f = place - k;
  for (int c = 0; c < 3; c++) {
    float colour = (1 - f) * wheel (k, c) + f * wheel (k + 1, c);
    colour = length <= 1 ? 1 - length * (1 - colour) : colour * 0.75f;
    rgb[c] = (guint8) (255 * colour);
  }
}
