/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Allocation: see allocation.h.
 */
#include "allocation.h"

gboolean
gst_vfi_allocation_decide (GstVfiAllocation *a, GstQuery *query, GstVfiCuda cuda, GstVfiCudaStream stream)
{
  g_autoptr (GstBufferPool) pool = NULL;
  GstCaps *caps;
  GstVideoInfo info;
  guint size, min = 0, max = 0;

  gst_query_parse_allocation (query, &caps, NULL);
  if (!caps || !gst_video_info_from_caps (&info, caps))
    return FALSE;
  a->any_strides = gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  if (gst_query_get_n_allocation_pools (query) == 0)
    gst_query_add_allocation_pool (query, NULL, GST_VIDEO_INFO_SIZE (&info), 0, 0);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  a->keeps = min;
  a->limited = max > 0;

  if (gst_vfi_cuda_caps_has (caps)) {
    a->any_strides = TRUE;
    size = GST_VIDEO_INFO_SIZE (&info);
    g_clear_object (&pool);
    pool = gst_vfi_cuda_pool (cuda, stream, caps, min, 0, &size);
    gst_query_set_nth_allocation_pool (query, 0, pool, size, min, 0);
    return pool != NULL;
  }
  if (!pool)
    pool = gst_video_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  if (a->any_strides)
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_set_config (pool, config); /* the parent class copes with a pool that will not have this */
  gst_query_set_nth_allocation_pool (query, 0, pool, size, min, max);
  return TRUE;
}

gboolean
gst_vfi_allocation_propose (const GstVfiAllocation *a, GstQuery *query, GstVfiCuda cuda, GstVfiCudaStream stream, guint held)
{
  g_autoptr (GstBufferPool) pool = NULL;
  GstCaps *caps;
  GstVideoInfo info;
  guint size;

  gst_query_parse_allocation (query, &caps, NULL);
  if (!caps || !gst_video_info_from_caps (&info, caps))
    return FALSE;
  size = GST_VIDEO_INFO_SIZE (&info);
  const guint min = held + a->keeps + 1;
  const gboolean on_device = gst_vfi_cuda_caps_has (caps);
  if (on_device && !(pool = gst_vfi_cuda_pool (cuda, stream, caps, min, 0, &size)))
    return FALSE;
  gst_query_add_allocation_pool (query, pool, size, min, 0);
  if (a->any_strides || on_device)
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}
