/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pack of core/frame.h. Each part (luma, chroma, or r g b) is brought to rows of floats, area means of the frame's samples, a piece
 * of a row at a time; what those rows hold is then interleaved into the network's input.
 */
#include "isa.h"

#define COLUMNS 1024 /* samples of a plane that a piece covers, at most */
#define BLOCKS 128   /* 2x2 blocks of a piece, at most */

/* One part of a frame, in samples of its plane. */
typedef struct
{
  const guint8 *data;
  int stride, w, h;
  int step, bytes, shift; /* from sample to sample, in samples */
  double ky, kx;          /* samples per sample of the scaled picture */
  float gain, bias;
} Part;

typedef struct
{
  gboolean rgb;
  int n_parts, sw, sh;
  Part part[3];
} Packer;

VFI_INLINE void
add_samples (const guint8 *data, int n, const int step, const int bytes, int shift, float weight, const float *onto, float bias, float *to)
{
  for (int i = 0; i < n; i++) {
    const int sample = bytes == 1 ? data[i * step] : ((const guint16 *) data)[i * step] >> shift;
    to[i] = (onto ? onto[i] : bias) + weight * sample;
  }
}

/* to[i]: weight times sample x + i of row y, onto what is there, or onto `bias` if `first`. */
static void
add_row (const Part *p, int y, int x, int n, float weight, gboolean first, float bias, float *to)
{
  const guint8 *data = p->data + (gsize) y * p->stride + (gsize) x * p->step * p->bytes;

#define ADD(STEP, BYTES, SHIFT)                                                                                                            \
  if (first)                                                                                                                               \
    add_samples (data, n, STEP, BYTES, SHIFT, weight, NULL, bias, to);                                                                     \
  else                                                                                                                                     \
    add_samples (data, n, STEP, BYTES, SHIFT, weight, to, 0, to);                                                                          \
  break
  switch (p->bytes * 8 + p->step) {
    case 9:
      ADD (1, 1, 0);
    case 10:
      ADD (2, 1, 0);
    case 11:
      ADD (3, 1, 0);
    case 12:
      ADD (4, 1, 0);
    case 17:
      ADD (1, 2, p->shift);
    default:
      ADD (p->step, p->bytes, p->shift);
  }
#undef ADD
}

/* Columns of the plane that results x to x + n - 1 cover, `size` samples of the scaled picture each. */
static int
columns (const Part *p, int x, int n, int size, int *first)
{
  const int end = (int) ((x + n) * size * p->kx + 0.999999);

  *first = (int) (x * size * p->kx);
  return MIN (end, p->w) - *first;
}

/* Results x to x + n - 1 of row y: means over size x size samples of the scaled picture, times gain, plus bias. */
static void
means (const Part *p, int y, int x, int n, int size, float *to)
{
  const double y0 = y * size * p->ky, y1 = (y + 1) * size * p->ky, k = size * p->kx;
  float sums[COLUMNS + 8], area = 0;
  int first, m = columns (p, x, n, size, &first);

  if (k == 1 && y1 - y0 == 1) { /* of one sample each */
    add_row (p, y0, x, n, p->gain, TRUE, p->bias, to);
    return;
  }
  for (int i = (int) y0; i < y1 && i < p->h; i++) {
    const float weight = MIN (i + 1, y1) - MAX (i, y0);
    add_row (p, i, first, m, weight, i == (int) y0, 0, sums);
    area += weight;
  }
  if (k == 1)
    for (int i = 0; i < n; i++)
      to[i] = sums[i] * (p->gain / area) + p->bias;
  else if (k == 2) {
    sums[m] = sums[m - 1]; /* where the plane's width is odd */
    for (int i = 0; i < n; i++)
      to[i] = (sums[2 * i] + sums[2 * i + 1]) * (p->gain / (2 * area)) + p->bias;
  } else
    for (int i = 0; i < n; i++) {
      const double x0 = (x + i) * k, x1 = (x + i + 1) * k;
      float sum = 0, width = 0;

      for (int j = (int) x0; j < x1 && j < p->w; j++) {
        const float weight = MIN (j + 1, x1) - MAX (j, x0);
        sum += weight * sums[j - first];
        width += weight;
      }
      to[i] = sum * (p->gain / (area * width)) + p->bias;
    }
}

/* Luma x to x + n - 1 of row y of the scaled picture. */
static void
luma (const Packer *k, int y, int x, int n, float *to)
{
  float rgb[3][2 * BLOCKS];

  if (!k->rgb) {
    means (&k->part[0], y, x, n, 1, to);
    return;
  }
  for (int i = 0; i < 3; i++)
    means (&k->part[i], y, x, n, 1, rgb[i]);
  for (int i = 0; i < n; i++)
    to[i] = .2126f * rgb[0][i] + .7152f * rgb[1][i] + .0722f * rgb[2][i];
}

/* Chroma x to x + n - 1 of row y of the grid. */
static void
chroma (const Packer *k, int y, int x, int n, float *cb, float *cr)
{
  float rgb[3][BLOCKS];

  if (k->rgb) {
    for (int i = 0; i < 3; i++)
      means (&k->part[i], y, x, n, 2, rgb[i]);
    for (int i = 0; i < n; i++) {
      const float luma = .2126f * rgb[0][i] + .7152f * rgb[1][i] + .0722f * rgb[2][i];
      cb[i] = (rgb[2][i] - luma) * (1 / 1.8556f);
      cr[i] = (rgb[0][i] - luma) * (1 / 1.5748f);
    }
  } else if (k->n_parts == 3) {
    means (&k->part[1], y, x, n, 2, cb);
    means (&k->part[2], y, x, n, 2, cr);
  } else {
    memset (cb, 0, sizeof (float) * n);
    memset (cr, 0, sizeof (float) * n);
  }
}

/* Rows of pairs (luma above, luma below, chroma), n blocks, to x, from pixel `pixel` on. */
VFI_INLINE void
interleave (const float *const rows[3], int n, const VfiView *x, gsize pixel, const VfiDType type)
{
  guint16 half[3][2 * BLOCKS];

  if (type == VFI_F32) {
    typedef double Pairs __attribute__ ((vector_size (32), aligned (4), may_alias));
    typedef gint64 Order __attribute__ ((vector_size (32)));
    float *to = (float *) x->data + pixel * x->ld;
    const gsize ld = x->ld;
    int j = 0;

    for (; j + 4 <= n && ld == 6; j += 4, to += 24) {
      const Pairs a = *(const Pairs *) (rows[0] + 2 * j), b = *(const Pairs *) (rows[1] + 2 * j), c = *(const Pairs *) (rows[2] + 2 * j);
      const Pairs ab = __builtin_shuffle (a, b, (Order){ 0, 4, 2, 6 }), bc = __builtin_shuffle (b, c, (Order){ 1, 5, 3, 7 });
      const Pairs ca = __builtin_shuffle (c, a, (Order){ 0, 5, 2, 7 });

      *(Pairs *) to = __builtin_shuffle (ab, ca, (Order){ 0, 1, 4, 5 });
      *(Pairs *) (to + 8) = __builtin_shuffle (bc, ab, (Order){ 0, 1, 6, 7 });
      *(Pairs *) (to + 16) = __builtin_shuffle (ca, bc, (Order){ 2, 3, 6, 7 });
    }
    for (; j < n; j++, to += ld)
      for (int i = 0; i < 3; i++)
        memcpy (to + 2 * i, rows[i] + 2 * j, 2 * sizeof (float));
    return;
  }
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 2 * n; j += VFI_LANES)
      vec_store (half[i], VFI_BF16, j, VFI_LANES, vec_load (rows[i], VFI_F32, j, VFI_LANES));
  for (int j = 0; j < n; j++)
    for (int i = 0; i < 3; i++)
      memcpy ((guint16 *) x->data + (pixel + j) * x->ld + 2 * i, half[i] + 2 * j, 2 * sizeof (guint16));
}

/* Repeats the last of n values up to `size`. */
static void
extend (float *v, int n, int size)
{
  for (int i = n; i < size; i++)
    v[i] = v[n - 1];
}

/* Blocks j0 to j0 + n - 1 of row i. Those right of the picture repeat its last column, whichever piece they are in. */
static void
piece (const Packer *k, int i, int j0, int n, const VfiView *x)
{
  float y0[2 * BLOCKS], y1[2 * BLOCKS], cb[BLOCKS], cr[BLOCKS], c[2 * BLOCKS];
  const float *const rows[] = { y0, y1, c };
  const int lx = MIN (2 * j0, k->sw - 1), ln = CLAMP (k->sw - 2 * j0, 1, 2 * n);
  const int cx = MIN (j0, (k->sw + 1) / 2 - 1), cn = CLAMP ((k->sw + 1) / 2 - j0, 1, n);

  luma (k, MIN (2 * i, k->sh - 1), lx, ln, y0);
  luma (k, MIN (2 * i + 1, k->sh - 1), lx, ln, y1);
  chroma (k, MIN (i, (k->sh + 1) / 2 - 1), cx, cn, cb, cr);
  extend (y0, ln, 2 * n);
  extend (y1, ln, 2 * n);
  extend (cb, cn, n);
  extend (cr, cn, n);
  for (int j = 0; j < n; j++) {
    c[2 * j] = CLAMP (cb[j], -VFI_CHROMA_LIMIT, VFI_CHROMA_LIMIT);
    c[2 * j + 1] = CLAMP (cr[j], -VFI_CHROMA_LIMIT, VFI_CHROMA_LIMIT);
  }
  if (x->dtype == VFI_F32)
    interleave (rows, n, x, (gsize) i * x->w + j0, VFI_F32);
  else
    interleave (rows, n, x, (gsize) i * x->w + j0, VFI_BF16);
}

/* What is to be done, for the threads: `blocks` at a time. */
typedef struct
{
  const Packer *k;
  const VfiView *x;
  int blocks;
} Job;

static void
row (gpointer data, int y, int thread)
{
  const Job *j = data;

  for (int x = 0; x < j->x->w; x += j->blocks)
    piece (j->k, y, x, MIN (j->blocks, j->x->w - x), j->x);
}

void
VFI_ISA_NAME (vfi_cpu_pack) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  Packer k = { .rgb = f->rgb, .n_parts = f->n_parts };
  int blocks = BLOCKS;

  k.sw = vfi_scaled_size (info->width, flow_scale);
  k.sh = vfi_scaled_size (info->height, flow_scale);
  for (int i = 0; i < f->n_parts; i++) {
    const int plane = f->part[i].plane;
    const VfiPlaneLayout *l = &f->plane[plane];
    Part *p = &k.part[i];

    p->stride = frame->stride[plane];
    p->data = frame->data[plane] + f->part[i].comp * l->bytes;
    p->step = l->comps;
    p->bytes = l->bytes;
    p->shift = l->shift;
    p->ky = (double) info->height / k.sh / (1 << l->sub_y);
    p->kx = (double) info->width / k.sw / (1 << l->sub_x);
    vfi_frame_info_plane_size (info, plane, &p->w, &p->h);
    vfi_format_scale (info, i, &p->gain, &p->bias);
    blocks = MIN (blocks, (int) ((COLUMNS - 2) / (2 * p->kx)));
  }
  vfi_cpu_each (b, x->h, 4, row, &(Job){ &k, x, blocks });
}
