/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames in system memory: each is copied to the device once, through page-locked memory, and found there by its planes' addresses when
 * it is asked for again. Frames that lie on the device already pass.
 *
 * Both ways have a stream of their own, so that a frame comes and another goes while one is computed. What goes wrong without them is tested
 * (tests/cuda/session.c), so each wait is here once:
 *
 *   computing waits for the upload of what it reads          upload waits, on the device, until what it writes over has been read
 *   download waits for what computes its frame               the host waits for a download before it reads, or lets it be written over
 *   the host waits for an upload before it fills that page-locked memory again
 */
#include "cuda.h"

#define N_KEPT 3  /* a pair, and the frame that comes while it is in use */
#define N_MADE 2  /* a frame that is computed, and the one before, which is on its way back */
#define N_BANDS 4 /* what the host copies of a frame while the one before is on its way */

/* A frame's bytes, rows padded alike, in page-locked memory and on the device. */
typedef struct
{
  VfiFrameInfo info;
  VfiFrame frame; /* in system memory, as it was given */
  gsize bytes;
  guint8 *pinned, *device;
  cudaEvent_t copied[N_BANDS]; /* the band is on the other side */
  cudaEvent_t read;            /* kept: nothing that was enqueued reads it any more */
  gboolean reading;            /* kept: work that was enqueued since may read it */
  guint64 used;
} Copy;

/* The work between begin and leave or end, and the copy of the frame in system memory that it makes. */
typedef struct
{
  Copy made;
  gboolean makes;       /* it makes one */
  cudaEvent_t computed; /* all of it is done, but for the way back */
} Flight;

struct _VfiCudaFrames
{
  cudaStream_t up, down;
  Copy kept[N_KEPT];
  Flight flight[N_MADE];
  int first, n;   /* flights under way; the next one is (first + n) % N_MADE */
  gboolean spare; /* there is memory for all of this; else for a pair and one that is made, one after the other */
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
  if (c->read)
    cudaEventDestroy (c->read);
  memset (c, 0, sizeof *c);
}

static gboolean
event_new (cudaEvent_t *event, GError **error)
{
  return vfi_cuda_ok (cudaEventCreateWithFlags (event, cudaEventDisableTiming), "no event for frames in system memory", error);
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
      good = good && event_new (&c->copied[i], error);
    if (!good || !event_new (&c->read, error)) {
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
move_rows (cudaStream_t stream, Copy *c, int band, gboolean up, GError **error)
{
  const VfiFrame host = layout (&c->info, c->pinned, VFI_MEMORY_HOST), device = layout (&c->info, c->device, VFI_MEMORY_CUDA);
  const char *what = up ? "uploading a frame" : "downloading a frame";

  for (int i = 0; i < vfi_format_desc (c->info.format)->n_planes; i++) {
    int y0, y1;
    gsize from, bytes;

    band_rows (&c->info, i, band, &y0, &y1);
    from = (gsize) y0 * host.stride[i];
    bytes = (gsize) (y1 - y0) * host.stride[i];
    if (bytes && !vfi_cuda_ok (up ? cudaMemcpyAsync (device.data[i] + from, host.data[i] + from, bytes, cudaMemcpyHostToDevice, stream)
                                  : cudaMemcpyAsync (host.data[i] + from, device.data[i] + from, bytes, cudaMemcpyDeviceToHost, stream),
                               what, error))
      return FALSE;
  }
  return vfi_cuda_ok (cudaEventRecord (c->copied[band], stream), what, error);
}

VfiCudaFrames *
vfi_cuda_frames_new (GError **error)
{
  VfiCudaFrames *frames = g_new0 (VfiCudaFrames, 1);
  gboolean good = vfi_cuda_ok (cudaStreamCreateWithFlags (&frames->up, cudaStreamNonBlocking), "no stream for uploads", error) &&
                  vfi_cuda_ok (cudaStreamCreateWithFlags (&frames->down, cudaStreamNonBlocking), "no stream for downloads", error);

  for (int i = 0; i < N_MADE; i++)
    good = good && event_new (&frames->flight[i].computed, error);
  frames->spare = TRUE;
  if (good)
    return frames;
  vfi_cuda_frames_free (frames);
  return NULL;
}

void
vfi_cuda_frames_free (VfiCudaFrames *frames)
{
  for (int i = 0; i < N_KEPT; i++)
    copy_clear (&frames->kept[i]);
  for (int i = 0; i < N_MADE; i++) {
    copy_clear (&frames->flight[i].made);
    if (frames->flight[i].computed)
      cudaEventDestroy (frames->flight[i].computed);
  }
  if (frames->up)
    cudaStreamDestroy (frames->up);
  if (frames->down)
    cudaStreamDestroy (frames->down);
  g_free (frames);
}

/* ---- to the device ------------------------------------------------------------------------------ */

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

/* The copy that was asked for longest ago. */
static Copy *
oldest (VfiCudaFrames *frames)
{
  Copy *c = &frames->kept[0];

  for (int i = 1; i < (frames->spare ? N_KEPT : N_KEPT - 1); i++)
    if (frames->kept[i].used < c->used)
      c = &frames->kept[i];
  return c;
}

/* A copy for a new frame; where memory is short, one of fewer. */
static Copy *
reserve_kept (VfiCuda *cuda, const VfiFrameInfo *info, GError **error)
{
  Copy *c = oldest (cuda->frames);
  GError *e = NULL;

  if (copy_reserve (c, info, &e))
    return c;
  if (g_error_matches (e, VFI_ERROR, VFI_ERROR_MEMORY) && vfi_cuda_frames_shrink (cuda)) {
    c = oldest (cuda->frames);
    g_clear_error (&e);
    if (copy_reserve (c, info, &e))
      return c;
  }
  g_propagate_error (error, e);
  return NULL;
}

/* Band by band: while one is on its way, the next is copied to page-locked memory. */
static gboolean
upload (VfiCuda *cuda, Copy *c, const VfiFrameInfo *info, const VfiFrame *frame, GError **error)
{
  const char *what = "waiting for a frame's upload";
  VfiFrame pinned;

  memset (&c->frame, 0, sizeof c->frame);
  if (!vfi_cuda_ok (cudaEventSynchronize (c->copied[N_BANDS - 1]), what, error) ||
      !vfi_cuda_ok (cudaStreamWaitEvent (cuda->frames->up, c->read, 0), what, error))
    return FALSE;
  pinned = layout (info, c->pinned, VFI_MEMORY_HOST);
  for (int i = 0; i < N_BANDS; i++) {
    copy_rows (info, i, frame, &pinned);
    if (!move_rows (cuda->frames->up, c, i, TRUE, error))
      return FALSE;
  }
  c->frame = *frame;
  return vfi_cuda_ok (cudaStreamWaitEvent (cuda->stream, c->copied[N_BANDS - 1], 0), what, error);
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
  fresh |= !c;
  if ((!c && !(c = reserve_kept (cuda, info, &error))) || (fresh && !upload (cuda, c, info, frame, &error))) {
    vfi_cuda_fail (cuda, error);
    return FALSE;
  }
  c->reading = TRUE;
  c->used = ++frames->uses;
  *on_device = layout (info, c->device, VFI_MEMORY_CUDA);
  return TRUE;
}

void
vfi_cuda_frames_taken (VfiCuda *cuda)
{
  for (int i = 0; i < N_KEPT; i++) {
    Copy *c = &cuda->frames->kept[i];

    if (c->reading)
      vfi_cuda_note (cuda, cudaEventRecord (c->read, cuda->stream), "reading a frame");
    c->reading = FALSE;
  }
}

/* ---- and back ----------------------------------------------------------------------------------- */

static Flight *
next_flight (VfiCudaFrames *frames)
{
  return &frames->flight[(frames->first + frames->n) % N_MADE];
}

/* Lets the oldest go where all are under way. It is waited for only if the host has to. */
static void
make_room (VfiCuda *cuda)
{
  VfiCudaFrames *frames = cuda->frames;

  if (frames->n < N_MADE)
    return;
  if (frames->flight[frames->first].makes)
    vfi_cuda_frames_settle (cuda);
  else {
    frames->first = (frames->first + 1) % N_MADE;
    frames->n--;
  }
}

gboolean
vfi_cuda_frames_give (VfiCuda *cuda, const VfiFrameInfo *info, const VfiFrame *frame, VfiFrame *on_device)
{
  VfiCudaFrames *frames = cuda->frames;
  GError *error = NULL;
  Flight *f;

  *on_device = *frame;
  if (frame->memory == VFI_MEMORY_CUDA)
    return TRUE;
  if (frames->spare) {
    make_room (cuda);
    f = next_flight (frames);
    if (!copy_reserve (&f->made, info, &error) && g_error_matches (error, VFI_ERROR, VFI_ERROR_MEMORY)) {
      g_clear_error (&error);
      vfi_cuda_frames_shrink (cuda);
    }
  }
  if (!frames->spare) { /* one after the other, through one copy */
    vfi_cuda_frames_settle_all (cuda);
    f = next_flight (frames);
    copy_reserve (&f->made, info, &error);
  }
  if (error) {
    vfi_cuda_fail (cuda, error);
    return FALSE;
  }
  f->made.frame = *frame;
  f->makes = TRUE;
  *on_device = layout (info, f->made.device, VFI_MEMORY_CUDA);
  return TRUE;
}

void
vfi_cuda_frames_send (VfiCuda *cuda)
{
  VfiCudaFrames *frames = cuda->frames;
  GError *error = NULL;
  Flight *f;

  make_room (cuda);
  f = next_flight (frames);
  vfi_cuda_note (cuda, cudaEventRecord (f->computed, cuda->stream), "the device failed");
  if (f->makes && !cuda->failure)
    vfi_cuda_note (cuda, cudaStreamWaitEvent (frames->down, f->computed, 0), "downloading a frame");
  for (int i = 0; i < N_BANDS && f->makes && !cuda->failure; i++)
    if (!move_rows (frames->down, &f->made, i, FALSE, &error))
      vfi_cuda_fail (cuda, error);
  if (!cuda->failure) {
    frames->n++;
    return;
  }
  f->makes = FALSE;
  cudaStreamSynchronize (frames->down);
  cudaStreamSynchronize (cuda->stream);
}

void
vfi_cuda_frames_settle (VfiCuda *cuda)
{
  VfiCudaFrames *frames = cuda->frames;
  Flight *f = &frames->flight[frames->first];
  const char *what = "the device failed";

  if (frames->n == 0)
    return;
  frames->first = --frames->n ? (frames->first + 1) % N_MADE : 0; /* one at a time needs one copy */
  if (f->makes) {
    const VfiFrame pinned = layout (&f->made.info, f->made.pinned, VFI_MEMORY_HOST);

    for (int i = 0; i < N_BANDS; i++)
      if (vfi_cuda_note (cuda, cudaEventSynchronize (f->made.copied[i]), what))
        copy_rows (&f->made.info, i, &pinned, &f->made.frame);
  } else
    vfi_cuda_note (cuda, cudaEventSynchronize (f->computed), what);
  f->makes = FALSE;
}

void
vfi_cuda_frames_settle_all (VfiCuda *cuda)
{
  while (cuda->frames->n)
    vfi_cuda_frames_settle (cuda);
}

gboolean
vfi_cuda_frames_shrink (VfiCuda *cuda)
{
  VfiCudaFrames *frames = cuda->frames;
  Copy *last = &frames->kept[N_KEPT - 1], *c = oldest (frames), swap = *c;

  if (!frames->spare)
    return FALSE;
  vfi_cuda_frames_settle_all (cuda);
  for (int i = 1; i < N_MADE; i++)
    copy_clear (&frames->flight[i].made);
  *c = *last;
  *last = swap;
  copy_clear (last);
  frames->spare = FALSE;
  return TRUE;
}
