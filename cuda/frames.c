/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames in system memory: each is copied to the device once, through page-locked memory, and found there by its planes' addresses when
 * it is asked for again. Frames that lie on the device already pass.
 */
#include "cuda.h"

#define N_KEPT 2  /* a pair */
#define N_BANDS 4 /* what the host copies of a frame while the one before is on its way */

/* A frame's bytes, rows padded alike, in page-locked memory and on the device. */
typedef struct
{
  VfiFrameInfo info;
  VfiFrame frame; /* in system memory, as it was given */
  gsize bytes;
  guint8 *pinned, *device;
  cudaEvent_t copied[N_BANDS]; /* the band is on the other side */
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
  for (int i = 0; i < N_BANDS; i++)
    if (c->copied[i])
      cudaEventDestroy (c->copied[i]);
  memset (c, 0, sizeof *c);
}

/* Makes room for a frame of this format. */
static gboolean
copy_reserve (Copy *c, const VfiFrameInfo *info, GError **error)
{
  const gsize bytes = bytes_of (info);

  if (bytes > c->bytes) {
    copy_clear (c);
    gboolean good = (c->pinned = vfi_cuda_alloc_host (bytes, error)) && (c->device = vfi_cuda_alloc (bytes, error));

    for (int i = 0; i < N_BANDS; i++)
      good = good &&
             vfi_cuda_ok (cudaEventCreateWithFlags (&c->copied[i], cudaEventDisableTiming), "no event for frames in system memory", error);
    if (!good) {
      copy_clear (c);
      return FALSE;
    }
    c->bytes = bytes;
  }
  c->info = *info;
  return TRUE;
}

/* A band: of each plane the rows y0 to y1 - 1. */
static void
band_rows (const VfiFrameInfo *info, int plane, int band, int *y0, int *y1)
{
  int w, h;

  vfi_frame_info_plane_size (info, plane, &w, &h);
  *y0 = band * h / N_BANDS;
  *y1 = (band + 1) * h / N_BANDS;
}

/* A band from one layout to another, on the host. */
static void
copy_rows (const VfiFrameInfo *info, int band, const VfiFrame *from, const VfiFrame *to)
{
  for (int i = 0; i < vfi_format_desc (info->format)->n_planes; i++) {
    const gsize row = vfi_frame_info_row_bytes (info, i);
    int y, end;

    for (band_rows (info, i, band, &y, &end); y < end; y++)
      memcpy (to->data[i] + (gsize) y * to->stride[i], from->data[i] + (gsize) y * from->stride[i], row);
  }
}

/* A band of a copy to the other side: enqueued. */
static gboolean
move_rows (VfiCuda *cuda, Copy *c, int band, gboolean up, GError **error)
{
  const VfiFrame host = layout (&c->info, c->pinned, VFI_MEMORY_HOST), device = layout (&c->info, c->device, VFI_MEMORY_CUDA);
  const char *what = up ? "uploading a frame" : "downloading a frame";

  for (int i = 0; i < vfi_format_desc (c->info.format)->n_planes; i++) {
    int y0, y1;
    gsize from, bytes;

    band_rows (&c->info, i, band, &y0, &y1);
    from = (gsize) y0 * host.stride[i];
    bytes = (gsize) (y1 - y0) * host.stride[i];
    if (bytes &&
        !vfi_cuda_ok (up ? cudaMemcpyAsync (device.data[i] + from, host.data[i] + from, bytes, cudaMemcpyHostToDevice, cuda->stream)
                         : cudaMemcpyAsync (host.data[i] + from, device.data[i] + from, bytes, cudaMemcpyDeviceToHost, cuda->stream),
                      what, error))
      return FALSE;
  }
  return vfi_cuda_ok (cudaEventRecord (c->copied[band], cuda->stream), what, error);
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

/* Band by band: while one is on its way, the next is copied to page-locked memory. */
static gboolean
upload (VfiCuda *cuda, Copy *c, const VfiFrameInfo *info, const VfiFrame *frame, GError **error)
{
  VfiFrame pinned;

  memset (&c->frame, 0, sizeof c->frame);
  if (!copy_reserve (c, info, error) || !vfi_cuda_ok (cudaEventSynchronize (c->copied[N_BANDS - 1]), "waiting for a frame's upload", error))
    return FALSE;
  pinned = layout (info, c->pinned, VFI_MEMORY_HOST);
  for (int i = 0; i < N_BANDS; i++) {
    copy_rows (info, i, frame, &pinned);
    if (!move_rows (cuda, c, i, TRUE, error))
      return FALSE;
  }
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
  GError *error = NULL;

  for (int i = 0; i < N_BANDS && cuda->frames->pending && !error; i++)
    if (!move_rows (cuda, &cuda->frames->made, i, FALSE, &error))
      vfi_cuda_fail (cuda, error);
}

void
vfi_cuda_frames_settle (VfiCuda *cuda)
{
  Copy *c = &cuda->frames->made;
  const VfiFrame pinned = layout (&c->info, c->pinned, VFI_MEMORY_HOST);

  for (int i = 0; i < N_BANDS && cuda->frames->pending && !cuda->failure; i++)
    if (vfi_cuda_note (cuda, cudaEventSynchronize (c->copied[i]), "the device failed"))
      copy_rows (&c->info, i, &pinned, &c->frame);
  cuda->frames->pending = FALSE;
}
