/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * dense_search: the flow from one picture to another, looked for with patches from a coarser flow, or from nothing (Kroeger, Timofte, Dai, Van Gool: Fast Optical
 * Flow using Dense Inverse Search, 2016: one scale of it. There neighbours hand on what they found one after the other; here all at once, and from afar.)
 *
 * Patches, e and a step are those of inverse_search. A patch is content, and looks no further, if the mean of e^2 is below ENOUGH. Of h x w pixels, any size, with
 * a flow of h / 2 x w / 2 before, or none:
 *
 *   search     u = 2 times the mean of the coarser flow's 2 x 2 pixels in the middle, or 0; `first` times u -= (sum g g' + RIDGE I)^-1 sum g e (u);
 *              kept if the mean of e^2 is less by more than MARGIN than before, and u at most 8 away
 *   hand on    `rounds` times: for d = `far`, far / 2 ... 1 the best of what this patch has and those d patches to the right, below, left, above have (each in
 *              turn: better by MARGIN; not those that lie within APART of its own: steps find them), of all patches at once; then `steps` from there
 *   spread     a pixel's flow is the mean of its four patches', weighted by 1 / max (1, |e| of that pixel, without the patch's mean)
 *
 * Half: of every second row of patches only; and the flow of every second pixel in both directions, times `half`.
 *
 * A comparison of nearly equal numbers may end either way, and what it chooses differs: results are continuous but for that.
 */
#include "op.h"
#include "search.h"
#include "vfi.h"

static void
reference (const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst)
{
  const VfiDenseSearchParams *o = node->params;
  const int h = src->h, w = src->w, pitch = w + 2 * VFI_SEARCH_PAD, down = o->step * VFI_SEARCH_CELL;
  const int rows = vfi_search_patches (h, down), columns = vfi_search_columns (w);
  const gsize origin = (gsize) VFI_SEARCH_PAD * pitch + VFI_SEARCH_PAD, cells = (gsize) rows * columns;
  float *a = vfi_search_grey (&src[0], pitch), *b = vfi_search_grey (&src[1], pitch);
  VfiSearchFound *found = g_new (VfiSearchFound, cells), *next = g_new (VfiSearchFound, cells);
  const VfiView *coarse = o->coarse ? &src[2] : NULL;
  const VfiSearchFrames f = { a + origin, b + origin, h, w, pitch, down };
  VfiSearchPatch p;

  for (int i = 0; i < rows; i++)
    for (int k = 0; k < columns; k++) {
      VfiSearchFound start = { 0, 0, 0 };

      if (coarse) {
        start.u = 2 * vfi_search_first (coarse->data, coarse->ld, coarse->h, coarse->w, down / 2 * i, 2 * k);
        start.v = 2 * vfi_search_first ((const float *) coarse->data + coarse->cd, coarse->ld, coarse->h, coarse->w, down / 2 * i, 2 * k);
      }
      vfi_search_patch (&f, i, k, &p);
      start = vfi_search_steps (&f, &p, start, 0);
      found[i * columns + k] = start.square < VFI_SEARCH_ENOUGH ? start : vfi_search_steps (&f, &p, start, o->first);
    }
  for (int round = 0; round < o->rounds; round++)
    for (int d = o->far; d; d /= 2) {
      VfiSearchFound *swap = found;

      for (int i = 0; i < rows; i++)
        for (int k = 0; k < columns; k++) {
          next[i * columns + k] = found[i * columns + k];
          if (found[i * columns + k].square < VFI_SEARCH_ENOUGH)
            continue;
          vfi_search_look (&f, i, k, &p);
          next[i * columns + k] = vfi_search_handed (&f, found, i, k, d, VFI_SEARCH_APART, &p);
          if (d == 1 && next[i * columns + k].square >= VFI_SEARCH_ENOUGH) {
            vfi_search_slope (&f, &p);
            next[i * columns + k] = vfi_search_steps (&f, &p, next[i * columns + k], o->steps);
          }
        }
      found = next;
      next = swap;
    }
  for (int y = 0; y < dst->h; y++)
    for (int x = 0; x < dst->w; x++) {
      const VfiSearchFound u = vfi_search_pixel (&f, found, y * o->step, x * o->step);

      vfi_view_set (dst, y, x, 0, o->gain * u.u);
      vfi_view_set (dst, y, x, 1, o->gain * u.v);
    }
  g_free (found);
  g_free (next);
  g_free (a);
  g_free (b);
}

const VfiOp vfi_op_dense_search = { "dense_search", .planar = 1 << 2, .reference = reference };

VfiTensor *
vfi_dense_search_ (VfiGraph *g, VfiTensor *y0, VfiTensor *y1, VfiTensor *coarse, const VfiDenseSearch *o)
{
  VfiDenseSearchParams p = { .coarse = coarse != NULL,
                             .first = o->first,
                             .far = o->far,
                             .rounds = o->rounds,
                             .steps = o->steps,
                             .step = o->half ? 2 : 1,
                             .gain = o->half ? o->half : 1 };
  VfiTensor *src[] = { y0, y1, coarse }, *y;
  const int n = coarse ? 3 : 2;

  if (!vfi_graph_ready (g, "dense_search", src, n))
    return vfi_graph_dummy (g);
  if (y0->c != 1 || y1->c != 1 || y1->h != y0->h || y1->w != y0->w || y0->dtype != VFI_F32 || y1->dtype != VFI_F32)
    return vfi_graph_fail (g, "dense_search", VFI_ERROR_SHAPE, "the pictures are %d x %d x %d and %d x %d x %d, not equal, 1 channel, fp32",
                           y0->h, y0->w, y0->c, y1->h, y1->w, y1->c);
  if (coarse && (coarse->dtype != VFI_F32 || 2 * coarse->h != y0->h || 2 * coarse->w != y0->w || coarse->c != 2))
    return vfi_graph_fail (g, "dense_search", VFI_ERROR_SHAPE, "the coarser flow is %d x %d x %d, not half of %d x %d x 2, fp32", coarse->h,
                           coarse->w, coarse->c, y0->h, y0->w);
  if (o->half && (y0->h % 2 || y0->w % 2))
    return vfi_graph_fail (g, "dense_search", VFI_ERROR_SHAPE, "half of %d x %d: must be even", y0->h, y0->w);
  if (o->first < 0 || o->far < 1 || o->rounds < 0 || o->steps < 0)
    return vfi_graph_fail (g, "dense_search", VFI_ERROR_ARG,
                           "%d first steps, %d patches away, %d rounds, %d steps: must be 0, 1, 0, 0 or more", o->first, o->far, o->rounds,
                           o->steps);
  y = vfi_node_result (
      g, vfi_graph_add (g, &vfi_op_dense_search, "dense_search", &p, sizeof p, src, n, VFI_F32, y0->h / p.step, y0->w / p.step, 2));
  y->planar = p.step == 1; /* what is half as fine is not looked for any further: both are wanted at once */
  return y;
}
