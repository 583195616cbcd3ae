/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The network sees a part of the frame: what is to be made up and at least as much around it, brought to one size, so that one plan serves
 * for all, with its hole filled smoothly (core/membrane.c). What it adds to that is brought back, added to the frame's own smooth fill, and
 * painted like any other source: matched at its border (core/paint.c), and referred to by the frames to come.
 */
#include "fill.h"

#include <math.h>

#include "frame.h"

#define SIZE VFI_FILL_SIZE
#define DEEP 8   /* pixels around one that are open too: what is thinner, the smooth fill serves as well, and for less */
#define LEAST 40 /* of such pixels */

VfiFill *
vfi_fill_new (VfiNetwork *network, GError **error)
{
  VfiFill *f = g_new0 (VfiFill, 1);

  f->network = network;
  f->in = g_try_new (float, SIZE *SIZE * 4);
  f->out = g_try_new (float, SIZE *SIZE * 3);
  f->weight = g_try_new (float, SIZE *SIZE);
  if (f->in && f->out && f->weight && vfi_membrane_reserve (&f->membrane, SIZE * SIZE, 3))
    return f;
  g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for what %s sees", vfi_network_name (network));
  vfi_fill_free (f);
  return NULL;
}

void
vfi_fill_free (VfiFill *f)
{
  if (!f)
    return;
  vfi_network_free (f->network);
  g_free (f->in);
  g_free (f->out);
  g_free (f->weight);
  vfi_membrane_clear (&f->membrane);
  g_free (f->crop);
  g_free (f);
}

gsize
vfi_fill_bytes (const VfiFill *f)
{
  return vfi_network_bytes (f->network) + (SIZE * SIZE * 8 + f->crop_size + f->membrane.size) * sizeof (float);
}

/* ---- what is open ------------------------------------------------------------------------------- */

static gboolean
is_open (const VfiRegion *r, const VfiTrace *t, const VfiBox *b, int x, int y)
{
  return x >= b->x0 && x < b->x1 && y >= b->y0 && y < b->y1 && r->mark[(gsize) y * r->width + x] >= VFI_MARK_FILL &&
         t->chosen[b->first + (gsize) (y - b->y0) * (b->x1 - b->x0) + (x - b->x0)].kind == VFI_REF_NONE;
}

/* What is open of a box; FALSE if that is slivers only. */
static gboolean
extent (const VfiRegion *r, const VfiTrace *t, const VfiBox *b, VfiBox *open)
{
  int deep = 0;

  *open = (VfiBox){ G_MAXINT, G_MAXINT, 0, 0, 0 };
  for (int y = b->y0; y < b->y1; y++)
    for (int x = b->x0; x < b->x1; x++)
      if (is_open (r, t, b, x, y)) {
        open->x0 = MIN (open->x0, x);
        open->x1 = MAX (open->x1, x + 1);
        open->y0 = MIN (open->y0, y);
        open->y1 = MAX (open->y1, y + 1);
        deep += is_open (r, t, b, x - DEEP, y) && is_open (r, t, b, x + DEEP, y) && is_open (r, t, b, x, y - DEEP) &&
                is_open (r, t, b, x, y + DEEP);
      }
  return deep >= LEAST;
}

gboolean
vfi_fill_wanted (const VfiRegion *region, const VfiTrace *trace)
{
  VfiBox open;

  for (int k = 0; k < region->n_boxes; k++)
    if (extent (region, trace, &region->box[k], &open))
      return TRUE;
  return FALSE;
}

/* ---- the part that the network sees ------------------------------------------------------------- */

static void
around (int from, int to, int size, int least, int *start, int *end)
{
  const int length = MIN (MAX (2 * (to - from), least), size);

  *start = CLAMP ((from + to - length) / 2, 0, size - length) & ~1;
  *end = MIN (*start + length + 1, size);
  if (*end < size)
    *end &= ~1;
}

/* A part of a frame, as a frame. */
static VfiFrame
part_of (const VfiFrameInfo *info, const VfiFrame *frame, const VfiBox *b)
{
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  VfiFrame part = *frame;

  for (int i = 0; i < f->n_planes; i++) {
    const VfiPlaneLayout *l = &f->plane[i];
    part.data[i] += (gsize) (b->y0 >> l->sub_y) * frame->stride[i] + (gsize) (b->x0 >> l->sub_x) * l->comps * l->bytes;
  }
  return part;
}

/* The part brought to the network's size: means over what is known of each pixel's area; a pixel with anything open is open. */
static void
shrink (VfiFill *f, const VfiRegion *r, const VfiTrace *t, const VfiBox *box, const VfiBox *part)
{
  const int w = part->x1 - part->x0, h = part->y1 - part->y0;

  for (int y = 0; y < SIZE; y++) {
    const int y0 = y * h / SIZE, y1 = MAX ((y + 1) * h / SIZE, y0 + 1);
    for (int x = 0; x < SIZE; x++) {
      const int x0 = x * w / SIZE, x1 = MAX ((x + 1) * w / SIZE, x0 + 1);
      float *out = f->in + ((gsize) y * SIZE + x) * 4;
      gboolean open = FALSE;

      for (int c = 0; c < 4; c++)
        out[c] = 0;
      for (int v = y0; v < y1 && !open; v++)
        for (int u = x0; u < x1 && !open; u++) {
          const float *src = f->crop + ((gsize) v * w + u) * 3;
          open = is_open (r, t, box, part->x0 + u, part->y0 + v);
          for (int c = 0; c < 3; c++)
            out[c] += CLAMP (src[c], 0, 1) / ((x1 - x0) * (y1 - y0));
        }
      for (int c = 0; c < 3 && open; c++)
        out[c] = 0;
      out[3] = open ? 1 : 0;
    }
  }
}

/* What is open filled smoothly: the network improves on that. FALSE: nothing is known. */
static gboolean
smooth (VfiFill *f)
{
  float *rgb = f->out; /* which is to be written anyway */
  int known = 0;

  for (int i = 0; i < SIZE * SIZE; i++) {
    f->weight[i] = f->in[4 * i + 3] > 0 ? 0 : VFI_MEMBRANE_FIXED;
    known += f->weight[i] > 0;
    memcpy (rgb + 3 * i, f->in + 4 * i, 3 * sizeof *rgb);
  }
  vfi_membrane_solve (&f->membrane, rgb, f->weight, SIZE, SIZE, 3);
  for (int i = 0; i < SIZE * SIZE; i++)
    memcpy (f->in + 4 * i, rgb + 3 * i, 3 * sizeof *rgb);
  return known > 0;
}

/* What the network adds to the smooth fill, brought back to the part's size and added to the smooth fill there, which is the better one. */
static void
enlarge (VfiFill *f, int w, int h)
{
  for (int i = 0; i < SIZE * SIZE; i++)
    for (int c = 0; c < 3; c++)
      f->out[3 * i + c] -= f->in[4 * i + c];
  for (int y = 0; y < h; y++) {
    const float v = CLAMP ((y + 0.5f) * SIZE / h - 0.5f, 0, SIZE - 1);
    const int y0 = (int) v, y1 = MIN (y0 + 1, SIZE - 1);
    for (int x = 0; x < w; x++) {
      const float u = CLAMP ((x + 0.5f) * SIZE / w - 0.5f, 0, SIZE - 1);
      const int x0 = (int) u, x1 = MIN (x0 + 1, SIZE - 1);
      for (int c = 0; c < 3; c++) {
        const float a = f->out[(y0 * SIZE + x0) * 3 + c], b = f->out[(y0 * SIZE + x1) * 3 + c];
        const float d = f->out[(y1 * SIZE + x0) * 3 + c], e = f->out[(y1 * SIZE + x1) * 3 + c];
        const float top = a + (u - x0) * (b - a), bottom = d + (u - x0) * (e - d);
        float *p = &f->crop[((gsize) y * w + x) * 3 + c];
        *p = CLAMP (*p + top + (v - y0) * (bottom - top), 0, 1);
      }
    }
  }
}

gboolean
vfi_fill_run (VfiFill *f, const VfiFrameInfo *info, const VfiRegion *region, VfiTrace *trace, const VfiFrame *frame, const VfiFrame *made,
              guint32 number, GError **error)
{
  for (int k = 0; k < region->n_boxes; k++) {
    const VfiBox *b = &region->box[k];
    VfiBox open, part = { 0 };
    VfiFrameInfo info_part = *info;
    VfiFrame src, dst;
    gsize size;

    if (!extent (region, trace, b, &open))
      continue;
    /* as wide as high, where the frame is large enough */
    around (open.x0, open.x1, info->width, MAX (2 * (open.y1 - open.y0), SIZE), &part.x0, &part.x1);
    around (open.y0, open.y1, info->height, MAX (2 * (open.x1 - open.x0), SIZE), &part.y0, &part.y1);
    info_part.width = part.x1 - part.x0;
    info_part.height = part.y1 - part.y0;
    size = (gsize) info_part.width * info_part.height * 3;
    if (f->crop_size < size) {
      g_free (f->crop);
      f->crop = g_try_new (float, size);
      f->crop_size = f->crop ? size : 0;
      if (!f->crop) {
        g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for what %s sees", vfi_network_name (f->network));
        return FALSE;
      }
    }
    src = part_of (info, frame, &part);
    dst = part_of (info, made, &part);
    vfi_picture_pack (&info_part, &src, vfi_network_picture (f->network),
                      &(VfiView){ f->crop, VFI_F32, info_part.height, info_part.width, 3, 3, 1 });
    shrink (f, region, trace, b, &part);
    if (!smooth (f))
      continue;
    if (!vfi_network_run (f->network, f->in, f->out, error))
      return FALSE;
    enlarge (f, info_part.width, info_part.height);
    vfi_picture_unpack (&info_part, &src, &src, 0.5, vfi_network_picture (f->network),
                        &(VfiView){ f->crop, VFI_F32, info_part.height, info_part.width, 3, 3, 1 }, &dst);
    for (int y = open.y0; y < open.y1; y++)
      for (int x = open.x0; x < open.x1; x++)
        if (is_open (region, trace, b, x, y))
          trace->chosen[b->first + (gsize) (y - b->y0) * (b->x1 - b->x0) + (x - b->x0)] =
              (VfiRef){ x, y, 0, VFI_NO_SLOPE, number, VFI_REF_MADE };
  }
  return TRUE;
}
