/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames in system memory: each is copied to the device once, through page-locked memory, and found there by its planes' addresses when
 * it is asked for again. Frames that lie on the device already pass.
 */
#include "cuda.h"

#define N_KEPT 2 /* a pair */

/* A frame's bytes, rows padded alike, in page-locked memory and on the device. */
typedef struct
{
  VfiFrameInfo info;
  VfiFrame frame; /* in system memory, as it was given */
  gsize bytes;
  guint8 *pinned, *device;
  cudaEvent_t copied; /* pinned may be written again */
  guint64 used;
} Copy;

struct _VfiCudaFrames
{
  Copy kept[N_KEPT], made;
  gboolean pending; /* made is on its way back */
  guint64 uses;
};

static gsize
row_pitch (const VfiFrameInfo *info, int plane)
{
  return (vfi_frame_info_row_bytes (info, plane) + 255) & ~(gsize) 255;
}

/* Plane i of a copy of this format that begins at `base`; returns where the next one begins. */
static guint8 *
plane_at (const VfiFrameInfo *info, int i, guint8 *base, VfiFrame *frame)
{
  int w, h;

  vfi_frame_info_plane_size (info, i, &w, &h);
  frame->data[i] = base;
  frame->stride[i] = (int) row_pitch (info, i);
  return base + (gsize) h * frame->stride[i];
}

static VfiFrame
layout (const VfiFrameInfo *info, guint8 *base, VfiMemory memory)
{
  VfiFrame f = { .memory = memory };

  for (int i = 0; i < vfi_format_desc (info->format)->n_planes; i++)
    base = plane_at (info, i, base, &f);
  return f;
}

static gsize
bytes_of (const VfiFrameInfo *info)
{
  guint8 *base = NULL;
  VfiFrame f;

  for (int i = 0; i < vfi_format_desc (info->format)->n_planes; i++)
    base = plane_at (info, i, base, &f);
  return (gsize) base;
}

static void
copy_clear (Copy *c)
{
  cudaFreeHost (c->pinned);
  cudaFree (c->device);
  if (c->copied)
    cudaEventDestroy (c->copied);
  memset (c, 0, sizeof *c);
}

/* Makes room for a frame of this format. */
static gboolean
copy_reserve (Copy *c, const VfiFrameInfo *info, GError **error)
{
  const gsize bytes = bytes_of (info);

  if (bytes > c->bytes) {
    copy_clear (c);
    if (!(c->pinned = vfi_cuda_alloc_host (bytes, error)) || !(c->device = vfi_cuda_alloc (bytes, error)) ||
        !vfi_cuda_ok (cudaEventCreateWithFlags (&c->copied, cudaEventDisableTiming), "no event for frames in system memory", error)) {
      copy_clear (c);
      return FALSE;
    }
    c->bytes = bytes;
  }
  c->info = *info;
  return TRUE;
}

/* Rows of all planes from one layout to another, on the host. */
static void
copy_rows (const VfiFrameInfo *info, const VfiFrame *from, const VfiFrame *to)
{
  for (int i = 0; i < vfi_format_desc (info->format)->n_planes; i++) {
    const gsize row = vfi_frame_info_row_bytes (info, i);
    int w, h;

    vfi_frame_info_plane_size (info, i, &w, &h);
    for (int y = 0; y < h; y++)
      memcpy (to->data[i] + (gsize) y * to->stride[i], from->data[i] + (gsize) y * from->stride[i], row);
  }
}

VfiCudaFrames *
vfi_cuda_frames_new (void)
{
  return g_new0 (VfiCudaFrames, 1);
}

void
vfi_cuda_frames_free (VfiCudaFrames *frames)
{
  for (int i = 0; i < N_KEPT; i++)
    copy_clear (&frames->kept[i]);
  copy_clear (&frames->made);
  g_free (frames);
}

static gboolean
is_copy_of (const Copy *c, const VfiFrameInfo *info, const VfiFrame *frame)
{
  if (!c->bytes || c->info.format != info->format || c->info.width != info->width || c->info.height != info->height)
    return FALSE;
  for (int i = 0; i < vfi_format_desc (info->format)->n_planes; i++)
    if (c->frame.data[i] != frame->data[i] || c->frame.stride[i] != frame->stride[i])
      return FALSE;
  return TRUE;
}

static gboolean
upload (VfiCuda *cuda, Copy *c, const VfiFrameInfo *info, const VfiFrame *frame, GError **error)
{
  VfiFrame pinned;

  memset (&c->frame, 0, sizeof c->frame);
  if (!copy_reserve (c, info, error) || !vfi_cuda_ok (cudaEventSynchronize (c->copied), "waiting for a frame's upload", error))
    return FALSE;
  pinned = layout (info, c->pinned, VFI_MEMORY_HOST);
  copy_rows (info, frame, &pinned);
  if (!vfi_cuda_ok (cudaMemcpyAsync (c->device, c->pinned, bytes_of (info), cudaMemcpyHostToDevice, cuda->stream), "uploading a frame",
                    error) ||
      !vfi_cuda_ok (cudaEventRecord (c->copied, cuda->stream), "uploading a frame", error))
    return FALSE;
  c->frame = *frame;
  return TRUE;
}

gboolean
vfi_cuda_frames_take (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, gboolean fresh, VfiFrame *on_device)
{
  VfiCudaFrames *frames = cuda->frames;
  Copy *c = NULL;
  GError *error = NULL;

  *on_device = *frame;
  if (frame->memory == VFI_MEMORY_CUDA)
    return TRUE;
  for (int i = 0; i < N_KEPT && !c; i++)
    if (is_copy_of (&frames->kept[i], info, frame))
      c = &frames->kept[i];
  if (!c || fresh) {
    for (int i = 0; i < N_KEPT && !c; i++)
      if (i + 1 == N_KEPT || frames->kept[i].used <= frames->kept[i + 1].used)
        c = &frames->kept[i];
    if (!upload (cuda, c, info, frame, &error)) {
      vfi_cuda_fail (cuda, error);
      return FALSE;
    }
  }
  c->used = ++frames->uses;
  *on_device = layout (info, c->device, VFI_MEMORY_CUDA);
  return TRUE;
}

gboolean
vfi_cuda_frames_give (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, VfiFrame *on_device)
{
  Copy *c = &cuda->frames->made;
  GError *error = NULL;

  *on_device = *frame;
  if (frame->memory == VFI_MEMORY_CUDA)
    return TRUE;
  if (!copy_reserve (c, info, &error)) {
    vfi_cuda_fail (cuda, error);
    return FALSE;
  }
  c->frame = *frame;
  *on_device = layout (info, c->device, VFI_MEMORY_CUDA);
  cuda->frames->pending = TRUE;
  return TRUE;
}

void
vfi_cuda_frames_fetch (VfiCuda *cuda)
{
  Copy *c = &cuda->frames->made;

  if (cuda->frames->pending)
    vfi_cuda_note (cuda, cudaMemcpyAsync (c->pinned, c->device, bytes_of (&c->info), cudaMemcpyDeviceToHost, cuda->stream),
                   "downloading a frame");
}

void
vfi_cuda_frames_settle (VfiCuda *cuda)
{
  Copy *c = &cuda->frames->made;

  if (cuda->frames->pending && !cuda->failure) {
    const VfiFrame pinned = layout (&c->info, c->pinned, VFI_MEMORY_HOST);

    copy_rows (&c->info, &pinned, &c->frame);
  }
  cuda->frames->pending = FALSE;
}
