/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pixel formats, as one table, and what follows from it: names, planes, sizes, which sample is luma.
 */
#include "format.h"

#define MIN_SIZE 16
#define MAX_SIZE 16384

/* bytes depth shift sub_x sub_y, after the number of components */
#define U8 1, 8, 0, 0, 0
#define U8_2x1 1, 8, 0, 1, 0
#define U8_2x2 1, 8, 0, 1, 1
#define U10 2, 10, 0, 0, 0
#define U10_2x1 2, 10, 0, 1, 0
#define U10_2x2 2, 10, 0, 1, 1
#define P10 2, 10, 6, 0, 0
#define P10_2x2 2, 10, 6, 1, 1

/* name, rgb, planes, parts (luma cb cr, or r g b) as plane and component */
static const VfiFormatDesc formats[VFI_N_FORMATS] = {
  [VFI_FORMAT_I420] = { "I420", FALSE, 3, { { 1, U8 }, { 1, U8_2x2 }, { 1, U8_2x2 } }, 3, { { 0, 0 }, { 1, 0 }, { 2, 0 } } },
  [VFI_FORMAT_YV12] = { "YV12", FALSE, 3, { { 1, U8 }, { 1, U8_2x2 }, { 1, U8_2x2 } }, 3, { { 0, 0 }, { 2, 0 }, { 1, 0 } } },
  [VFI_FORMAT_NV12] = { "NV12", FALSE, 2, { { 1, U8 }, { 2, U8_2x2 } }, 3, { { 0, 0 }, { 1, 0 }, { 1, 1 } } },
  [VFI_FORMAT_Y42B] = { "Y42B", FALSE, 3, { { 1, U8 }, { 1, U8_2x1 }, { 1, U8_2x1 } }, 3, { { 0, 0 }, { 1, 0 }, { 2, 0 } } },
  [VFI_FORMAT_Y444] = { "Y444", FALSE, 3, { { 1, U8 }, { 1, U8 }, { 1, U8 } }, 3, { { 0, 0 }, { 1, 0 }, { 2, 0 } } },
  [VFI_FORMAT_I420_10LE] = { "I420_10LE", FALSE, 3, { { 1, U10 }, { 1, U10_2x2 }, { 1, U10_2x2 } }, 3, { { 0, 0 }, { 1, 0 }, { 2, 0 } } },
  [VFI_FORMAT_P010_10LE] = { "P010_10LE", FALSE, 2, { { 1, P10 }, { 2, P10_2x2 } }, 3, { { 0, 0 }, { 1, 0 }, { 1, 1 } } },
  [VFI_FORMAT_RGB] = { "RGB", TRUE, 1, { { 3, U8 } }, 3, { { 0, 0 }, { 0, 1 }, { 0, 2 } } },
  [VFI_FORMAT_BGR] = { "BGR", TRUE, 1, { { 3, U8 } }, 3, { { 0, 2 }, { 0, 1 }, { 0, 0 } } },
  [VFI_FORMAT_RGBA] = { "RGBA", TRUE, 1, { { 4, U8 } }, 3, { { 0, 0 }, { 0, 1 }, { 0, 2 } } },
  [VFI_FORMAT_BGRA] = { "BGRA", TRUE, 1, { { 4, U8 } }, 3, { { 0, 2 }, { 0, 1 }, { 0, 0 } } },
  [VFI_FORMAT_RGBX] = { "RGBx", TRUE, 1, { { 4, U8 } }, 3, { { 0, 0 }, { 0, 1 }, { 0, 2 } } },
  [VFI_FORMAT_BGRX] = { "BGRx", TRUE, 1, { { 4, U8 } }, 3, { { 0, 2 }, { 0, 1 }, { 0, 0 } } },
  [VFI_FORMAT_GRAY8] = { "GRAY8", FALSE, 1, { { 1, U8 } }, 1, { { 0, 0 } } },
  [VFI_FORMAT_I422_10LE] = { "I422_10LE", FALSE, 3, { { 1, U10 }, { 1, U10_2x1 }, { 1, U10_2x1 } }, 3, { { 0, 0 }, { 1, 0 }, { 2, 0 } } },
  [VFI_FORMAT_Y444_10LE] = { "Y444_10LE", FALSE, 3, { { 1, U10 }, { 1, U10 }, { 1, U10 } }, 3, { { 0, 0 }, { 1, 0 }, { 2, 0 } } },
  [VFI_FORMAT_A420] = { "A420", FALSE, 4, { { 1, U8 }, { 1, U8_2x2 }, { 1, U8_2x2 }, { 1, U8 } }, 3, { { 0, 0 }, { 1, 0 }, { 2, 0 } } },
  [VFI_FORMAT_A444_10LE] = { "A444_10LE",
                             FALSE,
                             4,
                             { { 1, U10 }, { 1, U10 }, { 1, U10 }, { 1, U10 } },
                             3,
                             { { 0, 0 }, { 1, 0 }, { 2, 0 } } },
};

const VfiFormatDesc *
vfi_format_desc (VfiFormat format)
{
  return (guint) format < VFI_N_FORMATS ? &formats[format] : NULL;
}

const char *
vfi_format_name (VfiFormat format)
{
  const VfiFormatDesc *f = vfi_format_desc (format);
  return f ? f->name : "unknown";
}

int
vfi_format_from_name (const char *name)
{
  for (int i = 0; i < VFI_N_FORMATS; i++)
    if (g_strcmp0 (name, formats[i].name) == 0)
      return i;
  return -1;
}

int
vfi_format_planes (VfiFormat format, VfiPlaneLayout layout[4])
{
  const VfiFormatDesc *f = vfi_format_desc (format);
  if (!f)
    return 0;
  memcpy (layout, f->plane, sizeof f->plane);
  return f->n_planes;
}

void
vfi_frame_info_plane_size (const VfiFrameInfo *info, int plane, int *width, int *height)
{
  const VfiPlaneLayout *l = &formats[info->format].plane[plane];
  *width = (info->width + (1 << l->sub_x) - 1) >> l->sub_x;
  *height = (info->height + (1 << l->sub_y) - 1) >> l->sub_y;
}

gsize
vfi_frame_info_row_bytes (const VfiFrameInfo *info, int plane)
{
  const VfiPlaneLayout *l = &formats[info->format].plane[plane];
  int w, h;
  vfi_frame_info_plane_size (info, plane, &w, &h);
  return (gsize) w * l->comps * l->bytes;
}

gboolean
vfi_frame_info_check (const VfiFrameInfo *info, GError **error)
{
  if (!vfi_format_desc (info->format)) {
    g_autoptr (GString) all = g_string_new (NULL);
    for (int i = 0; i < VFI_N_FORMATS; i++)
      g_string_append_printf (all, "%s%s", i ? ", " : "", formats[i].name);
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "pixel format %d is none of ours: convert to one of %s", info->format, all->str);
    return FALSE;
  }
  if (info->range != VFI_RANGE_LIMITED && info->range != VFI_RANGE_FULL) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "range %d is neither limited nor full", info->range);
    return FALSE;
  }
  if (MIN (info->width, info->height) < MIN_SIZE || MAX (info->width, info->height) > MAX_SIZE) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "a frame of %d x %d is not supported: scale it to between %d and %d pixels each way",
                 info->width, info->height, MIN_SIZE, MAX_SIZE);
    return FALSE;
  }
  return TRUE;
}

gboolean
vfi_frame_check (const VfiFrameInfo *info, const VfiFrame *frame, const char *name, GError **error)
{
  const VfiFormatDesc *f = &formats[info->format];

  for (int i = 0; i < f->n_planes; i++) {
    gsize row = vfi_frame_info_row_bytes (info, i);
    if (!frame->data[i]) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: plane %d has no data", name, i);
      return FALSE;
    }
    if (frame->stride[i] < 0 || (gsize) frame->stride[i] < row) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG,
                   "%s: plane %d has a stride of %d bytes, but a row of %d pixels of %s takes %" G_GSIZE_FORMAT, name, i, frame->stride[i],
                   info->width, f->name, row);
      return FALSE;
    }
    if (((gsize) frame->data[i] | (gsize) frame->stride[i]) % f->plane[i].bytes != 0) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s: plane %d of %s needs data and stride at a multiple of %d bytes", name, i, f->name,
                   f->plane[i].bytes);
      return FALSE;
    }
  }
  return TRUE;
}

void
vfi_frame_net_size (const VfiFrameInfo *info, double flow_scale, int multiple, int *h, int *w)
{
  *h = (vfi_scaled_size (info->height, flow_scale) + multiple - 1) / multiple * multiple;
  *w = (vfi_scaled_size (info->width, flow_scale) + multiple - 1) / multiple * multiple;
}

void
vfi_format_scale (const VfiFrameInfo *info, int part, float *gain, float *bias)
{
  const VfiFormatDesc *f = &formats[info->format];
  int depth = f->plane[f->part[part].plane].depth;
  gboolean full = f->rgb || info->range == VFI_RANGE_FULL;
  gboolean chroma = !f->rgb && part > 0;
  double span = full ? (1 << depth) - 1 : (chroma ? 224 : 219) << (depth - 8);
  double zero = chroma ? 1 << (depth - 1) : full ? 0 : 16 << (depth - 8);

  *gain = (float) (1 / span);
  *bias = (float) (-zero / span);
}
