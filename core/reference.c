/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plain backend: every operator through its own C reference. It is the oracle of the others, and the shortest example of one, but that some
 * references allocate while they run, which kernels of other backends may not.
 */
#include <stdlib.h>

#include "backend.h"

typedef struct
{
  float *weights[VFI_MAX_WEIGHTS];
} State;

static gpointer
prepare (VfiBackend *b, const VfiNode *node, const VfiView *src, const float *const *weights, const VfiView *dst, GError **error)
{
  State *state = g_new0 (State, 1);

  for (int i = 0; i < VFI_MAX_WEIGHTS; i++)
    state->weights[i] = g_memdup2 (weights[i], node->folded[i] * sizeof (float));
  return state;
}

static void
run (VfiBackend *b, const VfiNode *node, gpointer state, const VfiView *src, const VfiView *dst)
{
  node->op->reference (node, src, (const float *const *) ((State *) state)->weights, dst);
}

static void
release (gpointer p)
{
  State *state = p;

  for (int i = 0; i < VFI_MAX_WEIGHTS; i++)
    g_free (state->weights[i]);
  g_free (state);
}

#define KERNEL(o)                                                                                                                          \
  &(const VfiKernel)                                                                                                                       \
  {                                                                                                                                        \
    &vfi_op_##o, NULL, prepare, run, release                                                                                               \
  }

const VfiKernel *const vfi_reference_kernels[] = {
  KERNEL (conv2d),
  KERNEL (warp),
  KERNEL (correlation),
  KERNEL (shear),
  KERNEL (resize),
  KERNEL (pixel_shuffle),
  KERNEL (scale),
  KERNEL (mean_pool),
  KERNEL (inverse_search),
  KERNEL (dense_search),
  KERNEL (weigh),
  KERNEL (still),
  KERNEL (lucas_kanade),
  KERNEL (interleave),
  KERNEL (downsample),
  KERNEL (fill),
  KERNEL (mix),
  KERNEL (blend),
  KERNEL (moments),
  KERNEL (normalize),
  KERNEL (exposure),
  KERNEL (expose),
  KERNEL (curve),
  KERNEL (overlay),
  KERNEL (affine),
  KERNEL (warp_zeros),
  KERNEL (max_pool),
  KERNEL (crop),
  KERNEL (resample),
  KERNEL (prelu),
  KERNEL (resize_corners),
  KERNEL (sepconv),
  KERNEL (divide),
  KERNEL (gate),
  KERNEL (bridge),
  KERNEL (weighted_median),
  KERNEL (evidence),
  KERNEL (opinions),
  KERNEL (within),
  KERNEL (contextual_attention),
  NULL,
};

static void
backend_free (VfiBackend *b)
{
  g_free (b->description);
  g_free (b);
}

static gboolean
supports_precision (VfiBackend *b, VfiDType feature)
{
  return TRUE;
}

static VfiDType
best_precision (VfiBackend *b)
{
  return VFI_F32;
}

static void *
alloc (VfiBackend *b, gsize bytes, GError **error)
{
  void *p = bytes < G_MAXSSIZE ? aligned_alloc (64, (bytes + 63) / 64 * 64) : NULL;

  if (!p)
    g_set_error (error, VFI_ERROR, VFI_ERROR_MEMORY, "cannot allocate %" G_GSIZE_FORMAT " bytes", bytes);
  return p;
}

static void
dealloc (VfiBackend *b, void *p)
{
  free (p);
}

static void
copy (VfiBackend *b, void *dst, const void *src, gsize bytes)
{
  memcpy (dst, src, bytes);
}

static void
nothing (VfiBackend *b)
{
}

static void
pack (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, double flow_scale, const VfiView *x)
{
  vfi_frame_pack (info, frame, flow_scale, x);
}

static void
area (VfiBackend *b, const VfiView *x, gboolean begins, const VfiView *bars, const VfiView *area)
{
  vfi_frame_area (x, begins, bars, area);
}

static void
synthesize (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale, double t,
            const VfiSynthesis *motion, const VfiFrame *dst)
{
  vfi_frame_synthesize (info, f0, f1, flow_scale, t, motion, dst);
}

static void
pack_picture (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *frame, const VfiPicture *picture, const VfiView *x)
{
  vfi_picture_pack (info, frame, picture, x);
}

static void
unpack_picture (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double t, const VfiPicture *picture,
                const VfiView *x, const VfiFrame *dst)
{
  vfi_picture_unpack (info, f0, f1, t, picture, x, dst);
}

static const VfiBackendClass klass = {
  .name = "reference",
  .memory = VFI_MEMORY_HOST,
  .kernels = vfi_reference_kernels,
  .free = backend_free,
  .supports_precision = supports_precision,
  .best_precision = best_precision,
  .alloc = alloc,
  .dealloc = dealloc,
  .upload = copy,
  .download = copy,
  .begin = nothing,
  .end = nothing,
  .pack = pack,
  .area = area,
  .synthesize = synthesize,
  .pack_picture = pack_picture,
  .unpack_picture = unpack_picture,
};

VfiBackend *
vfi_reference_backend_new (void)
{
  VfiBackend *b = g_new0 (VfiBackend, 1);

  b->klass = &klass;
  b->refs = 1;
  b->description = g_strdup ("reference (plain C)");
  b->threads = 1;
  return b;
}
