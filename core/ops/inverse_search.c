/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * inverse_search: looks anew for the flow of patches, and takes it where it explains the picture better (Kroeger, Timofte, Dai, Van Gool: Fast
 * Optical Flow using Dense Inverse Search, 2016; propagation, smoothing and the choice for each pixel differ). It reaches as far as a patch is wide, and holds
 * where a step of lucas_kanade is lost; what is thinner than a patch stays as it was.
 *
 * Frames count in 256ths of brightness, and repeat beyond their borders. Patches of 8 x 8 pixels lie 4 apart, the first 4 above and left of the picture. Of a patch
 * a, g = central differences of the first frame, e (u) = the second frame at p + u, bilinear, - the first; the patch's mean is taken from each.
 *
 *   search     u = mean flow of the 2 x 2 pixels in the middle; 5 times u -= (sum g g' + RIDGE I)^-1 sum g e (u);
 *              kept if the mean of e^2 is less by more than MARGIN than before, and u at most 8 away
 *   again      the same from the best of that and the right, lower, left, upper neighbours' (each in turn: better by MARGIN)
 *   smooth     4 times u = (k u + LOOSE mean (k u) / mean (k)) / (k + LOOSE), means over 3 x 3 patches, border replicated; k = 1 / (1 + mean e^2)
 *   choose     a pixel's flow is the mean of its four patches', weighted by k; but the one it had, if |e| of that, mean over 5 x 5 pixels, border
 *              replicated, is below KEPT times what it is for the new one
 *
 * Of pictures that are warped already the flow was zero, and what is chosen is added to v0 and v1; |e| must then be less by LEAST besides: on smooth
 * shades nothing says where they went, and what a patch finds there is noise.
 *
 * A comparison of nearly equal numbers may end either way, and what it chooses differs: results are continuous but for that.
 */
#include "op.h"
#include "search.h"
#include "vfi.h"

static int
clamp_to (int i, int n)
{
  return CLAMP (i, 0, n - 1);
}

/* Mean of what a flow misses around a pixel. */
static float
misses (const VfiSearchFrames *f, const VfiView *flow, int y, int x)
{
  float sum = 0;

  for (int i = -2; i <= 2; i++)
    for (int k = -2; k <= 2; k++) {
      const int py = clamp_to (y + i, f->h), px = clamp_to (x + k, f->w);
      sum += vfi_search_miss (f, py, px, vfi_view_get (flow, py, px, 0), vfi_view_get (flow, py, px, 1));
    }
  return sum / 25;
}

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const gboolean warped = ((const VfiInverseSearchParams *) node->params)->warped;
  const int h = dst->h, w = dst->w, pitch = w + 2 * VFI_SEARCH_PAD, rows = vfi_search_patches (h, VFI_SEARCH_CELL),
            columns = vfi_search_columns (w);
  const gsize origin = (gsize) VFI_SEARCH_PAD * pitch + VFI_SEARCH_PAD, cells = (gsize) rows * columns;
  float *a = vfi_search_grey (&src[0], pitch), *b = vfi_search_grey (&src[1], pitch);
  float *field = g_new (float, 2 * (gsize) h * w);
  VfiSearchFound *found[2] = { g_new (VfiSearchFound, cells), g_new (VfiSearchFound, cells) };
  const VfiView *state = &src[2], new = { .data = field, .dtype = VFI_F32, .h = h, .w = w, .c = 2, .ld = 2, .cd = 1 };
  const float least = warped ? VFI_SEARCH_LEAST : 0;
  const float zero = 0, *before = warped ? &zero : (const float *) state->data + 2 * state->cd;
  const VfiView was = {
    .data = (gpointer) before, .dtype = VFI_F32, .h = h, .w = w, .c = 2, .ld = warped ? 0 : state->ld, .cd = warped ? 0 : state->cd
  };
  const VfiSearchFrames f = { a + origin, b + origin, h, w, pitch, VFI_SEARCH_CELL };
  VfiSearchPatch p;

  for (int i = 0; i < rows; i++)
    for (int k = 0; k < columns; k++) {
      const float u = vfi_search_first (before, was.ld, h, w, VFI_SEARCH_CELL * i, VFI_SEARCH_CELL * k);
      const float v = vfi_search_first (before + was.cd, was.ld, h, w, VFI_SEARCH_CELL * i, VFI_SEARCH_CELL * k);

      vfi_search_patch (&f, i, k, &p);
      found[0][i * columns + k] = vfi_search_steps (&f, &p, (VfiSearchFound){ u, v, 0 }, VFI_SEARCH_STEPS);
    }
  for (int i = 0; i < rows; i++)
    for (int k = 0; k < columns; k++)
      found[1][i * columns + k] = vfi_search_again (&f, found[0], i, k, &p);
  for (int n = 0; n < VFI_SEARCH_ROUNDS; n++)
    for (int i = 0; i < rows; i++)
      for (int k = 0; k < columns; k++)
        found[n & 1][i * columns + k] = vfi_search_smooth (found[!(n & 1)], rows, columns, i, k);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      const VfiSearchFound u = vfi_search_cell (found[1], columns, y / VFI_SEARCH_CELL, x / VFI_SEARCH_CELL);
      field[2 * ((gsize) y * w + x)] = u.u;
      field[2 * ((gsize) y * w + x) + 1] = u.v;
    }
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      const VfiView *flow = misses (&f, &was, y, x) < VFI_SEARCH_KEPT * misses (&f, &new, y, x) + least ? &was : &new;

      for (int c = 0; c < 5; c++) {
        const float v = vfi_view_get (state, y, x, c);
        vfi_view_set (dst, y, x, c,
                      warped && c < 4 ? v + vfi_view_get (flow, y, x, c % 2)
                      : c / 2 == 1    ? vfi_view_get (flow, y, x, c % 2)
                                      : v);
      }
    }
  g_free (found[0]);
  g_free (found[1]);
  g_free (field);
  g_free (a);
  g_free (b);
}

const VfiOp vfi_op_inverse_search = { "inverse_search", .planar = 1 << 2, .reference = reference };

VfiTensor *
vfi_inverse_search_ (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *state, const VfiInverseSearch *o)
{
  VfiTensor *src[] = { y0, y1, state }, *y;
  VfiInverseSearchParams p = { o->warped };

  if (!vfi_graph_ready (g, "inverse_search", src, 3))
    return vfi_graph_dummy (g);
  if (y0->c != 1 || y1->c != 1 || y1->h != y0->h || y1->w != y0->w || y0->dtype != VFI_F32 || y1->dtype != VFI_F32)
    return vfi_graph_fail (g, "inverse_search", VFI_ERROR_SHAPE,
                           "the pictures are %d x %d x %d and %d x %d x %d, not equal, 1 channel, fp32", y0->h, y0->w, y0->c, y1->h, y1->w,
                           y1->c);
  if (y0->h % VFI_SEARCH_CELL || y0->w % VFI_SEARCH_CELL)
    return vfi_graph_fail (g, "inverse_search", VFI_ERROR_SHAPE, "the pictures are %d x %d, not multiples of %d", y0->h, y0->w,
                           VFI_SEARCH_CELL);
  if (state->dtype != VFI_F32 || state->h != y0->h || state->w != y0->w || state->c != 5)
    return vfi_graph_fail (g, "inverse_search", VFI_ERROR_SHAPE, "the state is %d x %d x %d, not %d x %d x 5, fp32", state->h, state->w,
                           state->c, y0->h, y0->w);
  y = vfi_node_result (g, vfi_graph_add (g, &vfi_op_inverse_search, "inverse_search", &p, sizeof p, src, 3, VFI_F32, y0->h, y0->w, 5));
  y->planar = TRUE;
  return y;
}
