/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clip.h"

#include <math.h>

#define TILE 256 /* the texture repeats */
#define SPEED_X 3
#define SPEED_Y 1

/* Smooth enough to move, rough enough to be seen moving. */
static void
make_texture (guint16 tile[TILE][TILE])
{
  for (int y = 0; y < TILE; y++)
    for (int x = 0; x < TILE; x++) {
      double a = 2 * G_PI * x / TILE, b = 2 * G_PI * y / TILE;
      double v = sin (3 * a + 5 * b) + sin (11 * a - 7 * b) + sin (17 * a + 2 * sin (6 * b)) + sin (23 * b + 2 * sin (9 * a));
      tile[y][x] = (guint16) lrint ((v + 4) / 8 * 65535);
    }
}

ToolClip *
tool_clip_new (const VfiFrameInfo *info, int n, GError **error)
{
  VfiPlaneLayout layout[4];
  int planes = vfi_format_planes (info->format, layout);
  gsize frame_bytes = 0;
  for (int p = 0; p < planes; p++) {
    int w, h;
    vfi_frame_info_plane_size (info, p, &w, &h);
    frame_bytes += (gsize) w * (gsize) h * (gsize) (layout[p].comps * layout[p].bytes);
  }
  guint8 *data = g_try_malloc_n ((gsize) n, frame_bytes);
  if (!data) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "no memory for %d frames of %dx%d", n, info->width, info->height);
    return NULL;
  }
  ToolClip *clip = g_new (ToolClip, 1);
  *clip = (ToolClip){ *info, n, frame_bytes, data };

  guint16 (*tile)[TILE] = g_malloc (sizeof (guint16[TILE][TILE]));
  make_texture (tile);
  for (int i = 0; i < n; i++)
    for (int p = 0; p < planes; p++) {
      const VfiPlaneLayout *l = &layout[p];
      int w, h;
      vfi_frame_info_plane_size (info, p, &w, &h);
      for (int y = 0; y < h; y++)
        for (int x = 0; x < w * l->comps; x++) {
          int tx = ((x / l->comps) << l->sub_x) - i * SPEED_X, ty = (y << l->sub_y) - i * SPEED_Y;
          guint v = tile[(guint) ty % TILE][(guint) (tx + 37 * (x % l->comps)) % TILE] >> (16 - l->depth) << l->shift;
          *data++ = (guint8) v;
          if (l->bytes == 2)
            *data++ = (guint8) (v >> 8);
        }
    }
  g_free (tile);
  return clip;
}

void
tool_clip_free (ToolClip *clip)
{
  if (clip)
    g_free (clip->data);
  g_free (clip);
}

void
tool_clip_frame (const ToolClip *clip, int i, VfiFrame *frame)
{
  VfiPlaneLayout layout[4];
  int planes = vfi_format_planes (clip->info.format, layout);
  guint8 *data = clip->data + (gsize) i * clip->frame_bytes;
  *frame = (VfiFrame){ .memory = VFI_MEMORY_HOST };
  for (int p = 0; p < planes; p++) {
    int w, h;
    vfi_frame_info_plane_size (&clip->info, p, &w, &h);
    frame->data[p] = data;
    frame->stride[p] = w * layout[p].comps * layout[p].bytes;
    data += (gsize) frame->stride[p] * (gsize) h;
  }
}
