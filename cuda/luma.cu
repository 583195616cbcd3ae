/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sums of luma over the cells of a grid (core/scene.h), for comparing frames that lie on the device: a block for each cell.
 */
#include "device.h"

#define THREADS 64

struct Cells
{
  const guint8 *data;
  int stride, step, wide, shift; /* bytes to the next row and pixel; two bytes to a sample, shifted left */
  int h, w, rows, columns;       /* of the frame, of the grid */
  int part[3], parts;            /* bytes from the pixel to the part's sample */
};

/* Into sums, which are 0 before. */
static __global__ void
sum (Cells k, guint64 *sums)
{
  const int i = blockIdx.y, j = blockIdx.x;
  const int y0 = i * k.h / k.rows, y1 = (i + 1) * k.h / k.rows, x0 = j * k.w / k.columns, x1 = (j + 1) * k.w / k.columns;
  const int width = x1 - x0, n = (y1 - y0) * width;
  guint64 mine[3] = { 0, 0, 0 };

  for (int p = threadIdx.x; p < n; p += THREADS) {
    const guint8 *at = k.data + (gsize) (y0 + p / width) * k.stride + (x0 + p % width) * k.step;

    for (int part = 0; part < k.parts; part++)
      mine[part] += k.wide ? *(const guint16 *) (at + k.part[part]) >> k.shift : at[k.part[part]];
  }
  for (int part = 0; part < k.parts; part++)
    if (mine[part] != 0)
      atomicAdd ((unsigned long long *) &sums[((gsize) i * k.columns + j) * k.parts + part], mine[part]);
}

void
vfi_cuda_luma_sums (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, int w, int h, guint64 *sums)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const VfiPlaneLayout *l = &f->plane[0];
  Cells k = { frame->data[0], frame->stride[0], l->comps * l->bytes, l->bytes == 2, l->shift, info->height, info->width, h, w };

  k.parts = f->rgb ? 3 : 1;
  for (int i = 0; i < k.parts; i++)
    k.part[i] = f->part[i].comp * l->bytes;
  vfi_cuda_note (cuda, cudaMemsetAsync (sums, 0, (gsize) w * h * k.parts * sizeof *sums, cuda->stream), "comparing frames");
  vfi_launch (cuda, dim3 (w, h), THREADS, 0, sum, k, sums);
}
