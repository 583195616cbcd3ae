/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What else is asked of a session's frames, wherever they lie: how alike two are, whether there is a cut between them, and their mixture. In
 * system memory it is worked out on the host, in device memory there: of a comparison only a few sums come to the host, and mixing is
 * synthesis without motion.
 */
#include "interp.h"
#include "scene.h"

static gboolean
compare (VfiInterp *interp, const VfiFrame *a, const VfiFrame *b, gboolean score, double *result, GError **error)
{
  const VfiFrameInfo *info = vfi_interp_frame_info (interp);
  VfiBackend *backend = vfi_interp_backend (interp);
  const VfiBackendClass *klass = backend->klass;
  guint64 *sums;
  gboolean good;
  int w, h;

  if (!vfi_interp_check_frame (interp, a, "the first frame", error) || !vfi_interp_check_frame (interp, b, "the second frame", error))
    return FALSE;
  if (a->memory == VFI_MEMORY_HOST && b->memory == VFI_MEMORY_HOST) {
    *result = (score ? vfi_frame_scene_score : vfi_frame_difference) (info, a, b);
    return TRUE;
  }
  vfi_scene_grid (info, score, &w, &h);
  sums = g_new0 (guint64, 2 * VFI_SCENE_SUMS);
  klass->begin (backend);
  klass->luma_sums (backend, info, a, w, h, sums);
  klass->luma_sums (backend, info, b, w, h, sums + VFI_SCENE_SUMS);
  klass->end (backend);
  good = !klass->failed (backend, error);
  if (good)
    *result = (score ? vfi_scene_score : vfi_scene_difference) (info, sums, sums + VFI_SCENE_SUMS);
  g_free (sums);
  return good;
}

gboolean
vfi_interp_difference (VfiInterp *interp, const VfiFrame *a, const VfiFrame *b, double *difference, GError **error)
{
  return compare (interp, a, b, FALSE, difference, error);
}

gboolean
vfi_interp_scene_score (VfiInterp *interp, const VfiFrame *a, const VfiFrame *b, double *score, GError **error)
{
  return compare (interp, a, b, TRUE, score, error);
}

gboolean
vfi_interp_blend (VfiInterp *interp, const VfiFrame *a, const VfiFrame *b, double t, VfiFrame *dst, GError **error)
{
  const VfiFrameInfo *info = vfi_interp_frame_info (interp);
  VfiBackend *backend = vfi_interp_backend (interp);
  const VfiBackendClass *klass = backend->klass;
  const float still[5] = { 0 };
  VfiSynthesis motion = { .state = { .dtype = VFI_F32, .h = 1, .w = 1, .c = 5, .ld = 1, .cd = 1 }, .taps = 4 };
  gboolean good;

  if (!vfi_interp_check_frame (interp, a, "the first frame", error) || !vfi_interp_check_frame (interp, b, "the second frame", error) ||
      !vfi_interp_check_frame (interp, dst, "the destination", error))
    return FALSE;
  if (a->memory == VFI_MEMORY_HOST && b->memory == VFI_MEMORY_HOST && dst->memory == VFI_MEMORY_HOST) {
    vfi_frame_blend (info, a, b, t, dst);
    return TRUE;
  }
  if (!(motion.state.data = klass->alloc (backend, sizeof still, error)))
    return FALSE;
  klass->upload (backend, motion.state.data, still, sizeof still);
  klass->begin (backend);
  klass->synthesize (backend, info, a, b, 1, t, &motion, dst);
  klass->end (backend);
  good = !klass->failed (backend, error);
  klass->dealloc (backend, motion.state.data);
  return good;
}
