/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The network sees the field brought to one size, in the units that core/build.h tells of, so that one plan serves for all; what it adds is brought
 * back, and added in the hole only.
 */
#include "complete.h"

#include <math.h>

#include "field.h"

#define SIZE VFI_COMPLETE_SIZE
#define FLOOR 0.5f /* pixels */

VfiComplete *
vfi_complete_new (VfiNetwork *network, GError **error)
{
  VfiComplete *c = g_new0 (VfiComplete, 1);

  c->network = network;
  c->in = g_try_new (float, SIZE *SIZE * 3);
  c->out = g_try_new (float, SIZE *SIZE * 2);
  if (c->in && c->out)
    return c;
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for what %s sees", vfi_network_name (network));
  vfi_complete_free (c);
  return NULL;
}

void
vfi_complete_free (VfiComplete *c)
{
  if (!c)
    return;
  vfi_network_free (c->network);
  g_free (c->in);
  g_free (c->out);
  g_free (c);
}

gsize
vfi_complete_bytes (const VfiComplete *c)
{
  return vfi_network_bytes (c->network) + SIZE * SIZE * 5 * sizeof (float);
}

/* Where the middle of pixel i of `to` pixels lies among `from` of them. */
static float
place (int i, int to, int from)
{
  return CLAMP ((i + 0.5f) * from / to - 0.5f, 0, from - 1);
}

/* The field less its mean over what is known, divided by how far it is from that; FALSE if nothing is known, or all. */
static gboolean
normalise (float *in, float mean[2], float *unit)
{
  double sum[2] = { 0 }, square = 0;
  int known = 0;

  for (int i = 0; i < SIZE * SIZE; i++)
    if (in[3 * i + 2] == 0) {
      sum[0] += in[3 * i];
      sum[1] += in[3 * i + 1];
      known++;
    }
  if (!known || known == SIZE * SIZE)
    return FALSE;
  for (int k = 0; k < 2; k++)
    mean[k] = (float) (sum[k] / known);
  for (int i = 0; i < SIZE * SIZE; i++) {
    for (int k = 0; k < 2; k++)
      in[3 * i + k] -= mean[k];
    if (in[3 * i + 2] == 0)
      square += (double) in[3 * i] * in[3 * i] + (double) in[3 * i + 1] * in[3 * i + 1];
  }
  *unit = (float) sqrt (square / known) + FLOOR;
  for (int i = 0; i < SIZE * SIZE; i++)
    for (int k = 0; k < 2; k++)
      in[3 * i + k] /= *unit;
  return TRUE;
}

gboolean
vfi_complete_run (VfiComplete *c, float *field, const float *weight, int w, int h, GError **error)
{
  float mean[2], unit;

  for (int y = 0; y < SIZE; y++)
    for (int x = 0; x < SIZE; x++) {
      const float u = place (x, SIZE, w), v = place (y, SIZE, h);
      float *in = c->in + 3 * (y * SIZE + x);

      vfi_field_at (field, w, h, u, v, in);
      in[2] = weight[(int) (v + 0.5f) * w + (int) (u + 0.5f)] > 0 ? 0 : 1;
    }
  if (!normalise (c->in, mean, &unit))
    return TRUE;
  if (!vfi_network_run (c->network, c->in, c->out, error))
    return FALSE;
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      float add[2], *out = field + 2 * ((gsize) y * w + x);

      if (weight[(gsize) y * w + x] > 0)
        continue;
      vfi_field_at (c->out, SIZE, SIZE, place (x, w, SIZE), place (y, h, SIZE), add);
      for (int k = 0; k < 2; k++)
        out[k] += add[k] * unit;
    }
  return TRUE;
}
