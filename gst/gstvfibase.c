/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the elements share: see gstvfibase.h.
 */
#include "gstvfibase.h"

#include "allocation.h"
#include "timeline.h"

GST_DEBUG_CATEGORY (gst_vfi_debug);
#define GST_CAT_DEFAULT gst_vfi_debug

typedef struct
{
  /* Properties; changed and read elsewhere under the object lock. */
  char *model, *weights;
  int backend, precision; /* VfiBackendKind, VfiPrecision */
  guint threads;
  int cuda_device; /* -1: any */

  gboolean running;
  GstCaps *refused;                                 /* that set_caps has complained about; upstream may try again and again */
  char *used_backend, *used_model, *used_precision; /* what is in use; object lock */
  GstVideoInfo info, out_info;                      /* written by the streaming thread, info under the object lock */
  GstVfiAllocation allocation;
  /* given: what neighbours, the application or GStreamer gave before a start, by any thread; object lock. cuda: the context of all work on a GPU, NULL if
   * there is none; from start to stop only the streaming thread changes it, under the object lock, so what that thread enters it leaves. */
  GstVfiCuda given, cuda;
  GstVfiCudaStream stream; /* of cuda; NULL: there are none */
  gboolean has_cuda;       /* frames may lie in CUDA memory */
  gboolean on_device;      /* those of the current caps do */
} GstVfiBasePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstVfiBase, gst_vfi_base, GST_TYPE_BASE_TRANSFORM)
#define PRIV(base) ((GstVfiBasePrivate *) gst_vfi_base_get_instance_private (GST_VFI_BASE (base)))

GST_VFI_ENUM ("GstVfiBackend", backend_type, { VFI_BACKEND_AUTO, "CUDA where there is a device, else the CPU", "auto" },
              { VFI_BACKEND_CPU, "The CPU", "cpu" }, { VFI_BACKEND_CUDA, "An NVIDIA GPU", "cuda" })
GST_VFI_ENUM ("GstVfiPrecision", precision_type,
              { VFI_PRECISION_AUTO, "The fastest that costs no visible quality: bf16 or fp16 where it is native, else fp32", "auto" },
              { VFI_PRECISION_FP32, "32 bit", "fp32" }, { VFI_PRECISION_BF16, "16 bit, bfloat (CPUs with AVX512-BF16 or AMX)", "bf16" },
              { VFI_PRECISION_FP16, "16 bit, half (GPUs)", "fp16" })

/* All formats of libvfi, which has them under GStreamer's names. */
static GstCaps *
template_caps (void)
{
  GValue formats = G_VALUE_INIT;
  GstCaps *caps = gst_caps_new_simple ("video/x-raw", "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height", GST_TYPE_INT_RANGE, 1, G_MAXINT,
                                       "framerate", GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, NULL);
  g_value_init (&formats, GST_TYPE_LIST);
  for (int i = 0; i < VFI_N_FORMATS; i++) {
    GValue name = G_VALUE_INIT;
    g_value_init (&name, G_TYPE_STRING);
    g_value_set_static_string (&name, vfi_format_name (i));
    gst_value_list_append_and_take_value (&formats, &name);
  }
  gst_caps_set_value (caps, "format", &formats);
  g_value_unset (&formats);
  return caps;
}

/* ---- errors and log ----------------------------------------------------------------------------- */

gboolean
gst_vfi_base_fail (GstVfiBase *base, GError *error)
{
  static const struct
  {
    GQuark (*domain) (void);
    int code;
  } map[] = {
    [VFI_ERROR_ARG] = { gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS },
    [VFI_ERROR_SHAPE] = { gst_library_error_quark, GST_LIBRARY_ERROR_FAILED },
    [VFI_ERROR_WEIGHTS] = { gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ },
    [VFI_ERROR_MEMORY] = { gst_resource_error_quark, GST_RESOURCE_ERROR_NO_SPACE_LEFT },
    [VFI_ERROR_BACKEND] = { gst_library_error_quark, GST_LIBRARY_ERROR_INIT },
    [VFI_ERROR_UNSUPPORTED] = { gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS },
  };
  if (error->domain == GST_RESOURCE_ERROR) { /* is of GStreamer already */
    gst_element_message_full (GST_ELEMENT (base), GST_MESSAGE_ERROR, error->domain, error->code, g_strdup (error->message), NULL, __FILE__,
                              G_STRFUNC, __LINE__);
    g_error_free (error);
    return FALSE;
  }
  int i = error->domain == VFI_ERROR && (guint) error->code < G_N_ELEMENTS (map) ? error->code : VFI_ERROR_SHAPE;
  gst_element_message_full (GST_ELEMENT (base), GST_MESSAGE_ERROR, map[i].domain (), map[i].code, g_strdup (error->message), NULL, __FILE__,
                            G_STRFUNC, __LINE__);
  g_error_free (error);
  return FALSE;
}

void
gst_vfi_base_shrank (GstVfiBase *base, double flow_scale, GError **error)
{
  GST_ELEMENT_WARNING (base, RESOURCE, NO_SPACE_LEFT, ("Motion is worked out at flow-scale %g: %s.", flow_scale, (*error)->message),
                       (NULL));
  g_clear_error (error);
}

void
gst_vfi_base_announce (GstVfiBase *base, const VfiInterpInfo *info)
{
  GstVfiBasePrivate *p = PRIV (base);
  const gboolean reason = info->backend_reason && *info->backend_reason;
  GST_INFO_OBJECT (base, "%s on %s in %s with %d threads, %" G_GSIZE_FORMAT " MB%s%s", info->model, info->backend, info->precision,
                   info->threads, info->bytes >> 20, reason ? "; not on CUDA: " : "", reason ? info->backend_reason : "");
  GST_OBJECT_LOCK (base);
  g_free (p->used_backend);
  g_free (p->used_model);
  g_free (p->used_precision);
  p->used_backend = g_strdup (info->backend);
  p->used_model = g_strdup (info->model);
  p->used_precision = g_strdup (info->precision);
  GST_OBJECT_UNLOCK (base);
}

/* ---- properties --------------------------------------------------------------------------------- */

static void
gst_vfi_base_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GST_OBJECT_LOCK (object);
  const gboolean may = !(spec->flags & GST_PARAM_MUTABLE_READY) || !PRIV (object)->running;
  if (may)
    gst_vfi_field_set (object, value, spec);
  GST_OBJECT_UNLOCK (object);
  if (!may)
    g_warning ("%s: property \"%s\" can change only in the states NULL and READY", GST_OBJECT_NAME (object), spec->name);
}

static GstStructure *
stats (GstVfiBase *base)
{
  GstVfiBasePrivate *p = PRIV (base);
  GstStructure *s = gst_structure_new ("stats", "backend", G_TYPE_STRING, p->used_backend, "model", G_TYPE_STRING, p->used_model,
                                       "precision", G_TYPE_STRING, p->used_precision, NULL);
  if (GST_VFI_BASE_GET_CLASS (base)->stats)
    GST_VFI_BASE_GET_CLASS (base)->stats (base, s);
  return s;
}

static void
gst_vfi_base_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GST_OBJECT_LOCK (object);
  if (G_IS_PARAM_SPEC_BOXED (spec))
    g_value_take_boxed (value, stats (GST_VFI_BASE (object)));
  else
    gst_vfi_field_get (object, value, spec);
  GST_OBJECT_UNLOCK (object);
}

void
gst_vfi_base_install (GObjectClass *klass, const GstVfiField *fields, guint n)
{
  klass->set_property = gst_vfi_base_set_property;
  klass->get_property = gst_vfi_base_get_property;
  gst_vfi_field_install (klass, fields, n);
}

void
gst_vfi_base_options (GstVfiBase *base, VfiOptions *options)
{
  GstVfiBasePrivate *p = PRIV (base);
  GST_OBJECT_LOCK (base);
  *options = (VfiOptions){ .model = g_strdup (p->model),
                           .weights = g_strdup (p->weights),
                           .backend = p->backend,
                           .precision = p->precision,
                           .threads = p->threads,
                           .cuda_device = MAX (p->cuda_device, 0),
                           .cuda_stream = gst_vfi_cuda_stream_handle (p->stream) };
  GST_OBJECT_UNLOCK (base);
}

void
gst_vfi_options_clear (VfiOptions *options)
{
  g_free ((char *) options->model);
  g_free ((char *) options->weights);
}

/* ---- CUDA --------------------------------------------------------------------------------------- */

void
gst_vfi_base_enter (GstVfiBase *base)
{
  gst_vfi_cuda_push (PRIV (base)->cuda);
}

void
gst_vfi_base_leave (GstVfiBase *base)
{
  gst_vfi_cuda_pop (PRIV (base)->cuda);
}

gboolean
gst_vfi_base_on_gpu (GstVfiBase *base)
{
  return PRIV (base)->has_cuda;
}

gboolean
gst_vfi_base_carries (GstVfiBase *base)
{
  return PRIV (base)->has_cuda && !PRIV (base)->on_device && !PRIV (base)->allocation.limited;
}

gboolean
gst_vfi_base_ordered (GstVfiBase *base, GstBuffer *buffer)
{
  return gst_vfi_cuda_ordered (buffer, PRIV (base)->stream);
}

/* The element works in this context (takes the reference) from now on. */
static void
go_to (GstVfiBase *base, GstVfiCuda cuda)
{
  GstVfiBasePrivate *p = PRIV (base);
  GstVfiCudaStream stream = cuda ? gst_vfi_cuda_stream_new (cuda) : NULL;

  GST_OBJECT_LOCK (base);
  GstVfiCuda before = p->cuda;
  GstVfiCudaStream stream_before = p->stream;
  p->cuda = cuda;
  p->stream = stream;
  GST_OBJECT_UNLOCK (base);
  gst_vfi_cuda_stream_close (&stream_before);
  gst_vfi_cuda_close (&before);
}

/* A context, if work may be done on a GPU; and whether frames may lie there, which takes all that CUDA's backend needs. Without that, none is made:
 * contexts take memory, and elements keep those that they were given. */
static void
open_cuda (GstVfiBase *base)
{
  GstVfiBasePrivate *p = PRIV (base);
  g_autoptr (GError) error = NULL;
  VfiOptions options;

  gst_vfi_base_options (base, &options);
  p->has_cuda = FALSE;
  /* What is found comes by set_context, into this very place. */
  if (options.backend != VFI_BACKEND_CPU && vfi_cuda_found (p->cuda_device, &error) &&
      gst_vfi_cuda_open (GST_ELEMENT (base), p->cuda_device, &p->given)) {
    GST_OBJECT_LOCK (base);
    GstVfiCuda cuda = gst_vfi_cuda_ref (p->given);
    GST_OBJECT_UNLOCK (base);
    go_to (base, cuda);
    gst_vfi_base_enter (base);
    p->has_cuda = vfi_cuda_available (&options, &error);
    gst_vfi_base_leave (base);
  }
  if (error)
    GST_INFO_OBJECT (base, "frames stay in system memory: %s", error->message);
  gst_vfi_options_clear (&options);
}

static void
close_cuda (GstVfiBase *base)
{
  GstVfiBasePrivate *p = PRIV (base);

  GST_OBJECT_LOCK (base);
  GstVfiCuda given = g_steal_pointer (&p->given);
  GST_OBJECT_UNLOCK (base);
  gst_vfi_cuda_close (&given);
  go_to (base, NULL);
}

static gboolean
set_info (GstVfiBase *base, const GstVideoInfo *in, const GstVideoInfo *out)
{
  gst_vfi_base_enter (base);
  const gboolean ok = GST_VFI_BASE_GET_CLASS (base)->set_info (base, in, out);
  gst_vfi_base_leave (base);
  return ok;
}

GstFlowReturn
gst_vfi_base_adopt (GstVfiBase *base, GstBuffer *buffer)
{
  GstVfiBasePrivate *p = PRIV (base);
  GstVfiCuda other = p->on_device ? gst_vfi_cuda_of (buffer) : NULL;

  if (!other || !gst_vfi_cuda_differs (other, p->cuda))
    return GST_FLOW_OK;
  GST_INFO_OBJECT (base, "the frames are of another context: going there");
  GST_VFI_BASE_GET_CLASS (base)->close (base);
  go_to (base, gst_vfi_cuda_ref (other));
  gst_base_transform_reconfigure_src (GST_BASE_TRANSFORM (base));
  if (!set_info (base, &p->info, &p->out_info))
    return GST_FLOW_ERROR;
  if (gst_base_transform_reconfigure (GST_BASE_TRANSFORM (base)))
    return GST_FLOW_OK;
  return GST_PAD_IS_FLUSHING (GST_BASE_TRANSFORM_SRC_PAD (base)) ? GST_FLOW_FLUSHING : GST_FLOW_ERROR;
}

gboolean
gst_vfi_base_map (GstVfiBase *base, GstVideoFrame *map, GstBuffer *buffer, int flags, VfiFrame *frame)
{
  const GstVfiBasePrivate *p = PRIV (base);

  if (!(p->on_device ? gst_vfi_cuda_map (map, &p->info, buffer, flags, p->stream) : gst_video_frame_map (map, &p->info, buffer, flags)))
    return FALSE;
  *frame = (VfiFrame){ .memory = p->on_device ? VFI_MEMORY_CUDA : VFI_MEMORY_HOST };
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (map); i++) {
    frame->data[i] = GST_VIDEO_FRAME_PLANE_DATA (map, i);
    frame->stride[i] = GST_VIDEO_FRAME_PLANE_STRIDE (map, i);
  }
  return TRUE;
}

GstCaps *
gst_vfi_base_strip (GstVfiBase *base, GstCaps *caps, GstCaps *filter)
{
  GstVfiBaseClass *klass = GST_VFI_BASE_GET_CLASS (base);
  GstVfiBasePrivate *p = PRIV (base);

  GST_OBJECT_LOCK (base);
  const gboolean may = klass->on_device && (p->running ? p->has_cuda : p->backend != VFI_BACKEND_CPU);
  GST_OBJECT_UNLOCK (base);
  if (!may || !klass->on_device (base))
    caps = gst_vfi_cuda_caps_remove (caps);
  if (filter) {
    g_autoptr (GstCaps) all = caps;
    caps = gst_caps_intersect_full (filter, all, GST_CAPS_INTERSECT_FIRST);
  }
  return caps;
}

static GstCaps *
gst_vfi_base_transform_caps (GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  return gst_vfi_base_strip (GST_VFI_BASE (trans), gst_caps_ref (caps), filter);
}

static void
gst_vfi_base_set_context (GstElement *element, GstContext *context)
{
  GstVfiBasePrivate *p = PRIV (element);
  GST_OBJECT_LOCK (element);
  if (!p->running)
    gst_vfi_cuda_set_context (element, context, p->cuda_device, &p->given);
  GST_OBJECT_UNLOCK (element);
  GST_ELEMENT_CLASS (gst_vfi_base_parent_class)->set_context (element, context);
}

static gboolean
gst_vfi_base_query (GstBaseTransform *trans, GstPadDirection direction, GstQuery *query)
{
  GstVfiBasePrivate *p = PRIV (trans);
  GST_OBJECT_LOCK (trans);
  GstVfiCuda cuda = gst_vfi_cuda_ref (p->running ? p->cuda : p->given);
  GST_OBJECT_UNLOCK (trans);
  const gboolean answered = gst_vfi_cuda_query (GST_ELEMENT (trans), query, cuda);
  gst_vfi_cuda_close (&cuda);
  return answered || GST_BASE_TRANSFORM_CLASS (gst_vfi_base_parent_class)->query (trans, direction, query);
}

/* ---- caps and buffers --------------------------------------------------------------------------- */

const GstVideoInfo *
gst_vfi_base_info (GstVfiBase *base)
{
  return &PRIV (base)->info;
}

GstClockTime
gst_vfi_period (const GstVideoInfo *info)
{
  const int n = GST_VIDEO_INFO_FPS_N (info), d = GST_VIDEO_INFO_FPS_D (info);
  return n > 0 ? gst_util_uint64_scale_int (GST_SECOND, d, n) : GST_SECOND / VFI_VARIABLE_RATE;
}

GstClockTime
gst_vfi_base_period (GstVfiBase *base)
{
  GST_OBJECT_LOCK (base);
  const GstClockTime period = gst_vfi_period (&PRIV (base)->info);
  GST_OBJECT_UNLOCK (base);
  return period;
}

VfiFrameInfo
gst_vfi_frame_info (const GstVideoInfo *info)
{
  return (VfiFrameInfo){ .format = vfi_format_from_name (GST_VIDEO_INFO_NAME (info)),
                         .width = GST_VIDEO_INFO_WIDTH (info),
                         .height = GST_VIDEO_INFO_HEIGHT (info),
                         .range =
                             GST_VIDEO_INFO_COLORIMETRY (info).range == GST_VIDEO_COLOR_RANGE_0_255 ? VFI_RANGE_FULL : VFI_RANGE_LIMITED };
}

static gboolean
configure (GstVfiBase *base, GstCaps *incaps, GstCaps *outcaps)
{
  GstVideoInfo in, out;
  if (!gst_video_info_from_caps (&in, incaps) || !gst_video_info_from_caps (&out, outcaps))
    return FALSE;
  if (GST_VIDEO_INFO_IS_INTERLACED (&in)) {
    GST_ELEMENT_ERROR (base, STREAM, FORMAT,
                       ("This video is interlaced. Put the element deinterlace in front: ... ! deinterlace ! %s ! ...",
                        GST_OBJECT_NAME (gst_element_get_factory (GST_ELEMENT (base)))),
                       (NULL));
    return FALSE;
  }
  if (!set_info (base, &in, &out)) /* lets frames leave that are of the old caps */
    return FALSE;
  PRIV (base)->on_device = gst_vfi_cuda_caps_has (incaps);
  GST_OBJECT_LOCK (base);
  PRIV (base)->info = in;
  GST_OBJECT_UNLOCK (base);
  PRIV (base)->out_info = out;
  return TRUE;
}

static gboolean
gst_vfi_base_set_caps (GstBaseTransform *trans, GstCaps *incaps, GstCaps *outcaps)
{
  GstVfiBasePrivate *p = PRIV (trans);
  if (p->refused && gst_caps_is_equal (p->refused, incaps))
    return FALSE;
  const gboolean ok = configure (GST_VFI_BASE (trans), incaps, outcaps);
  gst_caps_replace (&p->refused, ok ? NULL : incaps);
  return ok;
}

static gboolean
gst_vfi_base_get_unit_size (GstBaseTransform *trans, GstCaps *caps, gsize *size)
{
  GstVideoInfo info;
  if (!gst_video_info_from_caps (&info, caps))
    return FALSE;
  *size = GST_VIDEO_INFO_SIZE (&info);
  return TRUE;
}

/* The element's error where a frame finds no room. */
static void
no_memory (GstVfiBase *base)
{
  GstVfiBasePrivate *p = PRIV (base);
  const gsize size = GST_VIDEO_INFO_SIZE (&p->info);
  gsize unused, total;

  gst_vfi_base_enter (base);
  const gboolean known = p->on_device && vfi_cuda_memory (&unused, &total);
  gst_vfi_base_leave (base);
  if (known)
    GST_ELEMENT_ERROR (base, RESOURCE, NO_SPACE_LEFT,
                       ("There is no CUDA memory for a frame of %" G_GSIZE_FORMAT " bytes: %" G_GSIZE_FORMAT
                        " of the device's %" G_GSIZE_FORMAT " are free.",
                        size, unused, total),
                       (NULL));
  else
    GST_ELEMENT_ERROR (base, RESOURCE, NO_SPACE_LEFT, ("There is no memory for a frame of %" G_GSIZE_FORMAT " bytes.", size), (NULL));
}

static gboolean
gst_vfi_base_decide_allocation (GstBaseTransform *trans, GstQuery *query)
{
  GstVfiBasePrivate *p = PRIV (trans);
  if (gst_vfi_allocation_decide (&p->allocation, query, p->cuda, p->stream))
    return GST_BASE_TRANSFORM_CLASS (gst_vfi_base_parent_class)->decide_allocation (trans, query);
  no_memory (GST_VFI_BASE (trans));
  return FALSE;
}

static gboolean
gst_vfi_base_propose_allocation (GstBaseTransform *trans, GstQuery *decided, GstQuery *query)
{
  GstVfiBasePrivate *p = PRIV (trans);
  return GST_BASE_TRANSFORM_CLASS (gst_vfi_base_parent_class)->propose_allocation (trans, decided, query) &&
         gst_vfi_allocation_propose (&p->allocation, query, p->cuda, p->stream,
                                     GST_VFI_BASE_GET_CLASS (trans)->held (GST_VFI_BASE (trans)));
}

gboolean
gst_vfi_meta_is_single (const GstMetaInfo *info)
{
  return info->api == GST_VIDEO_CAPTION_META_API_TYPE || info->api == GST_VIDEO_TIME_CODE_META_API_TYPE ||
         info->api == GST_REFERENCE_TIMESTAMP_META_API_TYPE || info->api == GST_VIDEO_SEI_USER_DATA_UNREGISTERED_META_API_TYPE;
}

static gboolean
gst_vfi_base_transform_meta (GstBaseTransform *trans, GstBuffer *out, GstMeta *meta, GstBuffer *in)
{
  /* The size does not change, so whatever describes the picture stays true. */
  return !gst_vfi_meta_is_single (meta->info);
}

GstFlowReturn
gst_vfi_base_synthesize (GstVfiBase *base, GstBuffer *like, GstBuffer **buffer)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (base);
  GstBaseTransformClass *klass = GST_BASE_TRANSFORM_GET_CLASS (base);
  GstFlowReturn ret = klass->prepare_output_buffer (trans, like, buffer);
  if (ret == GST_FLOW_FLUSHING)
    return ret;
  if (ret != GST_FLOW_OK) {
    no_memory (base);
    return ret;
  }
  GST_BUFFER_FLAG_UNSET (*buffer, GST_VFI_FLAGS_SINGLE | GST_BUFFER_FLAG_CORRUPTED);
  ret = klass->transform (trans, like, *buffer);
  if (ret != GST_FLOW_OK)
    gst_clear_buffer (buffer);
  return ret;
}

GstFlowReturn
gst_vfi_base_push_all (GstVfiBase *base)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (base);
  GstBuffer *buffer = NULL;
  GstFlowReturn ret;
  do
    ret = GST_BASE_TRANSFORM_GET_CLASS (trans)->generate_output (trans, &buffer);
  while (ret == GST_FLOW_OK && buffer && (ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (trans), buffer)) == GST_FLOW_OK);
  return ret;
}

/* ---- object ------------------------------------------------------------------------------------- */

static void
set_running (GstVfiBase *base, gboolean running)
{
  GST_OBJECT_LOCK (base);
  PRIV (base)->running = running;
  GST_OBJECT_UNLOCK (base);
}

static gboolean
gst_vfi_base_start (GstBaseTransform *trans)
{
  open_cuda (GST_VFI_BASE (trans));
  set_running (GST_VFI_BASE (trans), TRUE);
  if (!PRIV (trans)->has_cuda)
    close_cuda (GST_VFI_BASE (trans));
  return TRUE;
}

static gboolean
gst_vfi_base_stop (GstBaseTransform *trans)
{
  set_running (GST_VFI_BASE (trans), FALSE);
  gst_caps_replace (&PRIV (trans)->refused, NULL);
  close_cuda (GST_VFI_BASE (trans));
  return TRUE;
}

static void
gst_vfi_base_finalize (GObject *object)
{
  GstVfiBasePrivate *p = PRIV (object);
  close_cuda (GST_VFI_BASE (object));
  g_free (p->model);
  g_free (p->weights);
  g_free (p->used_backend);
  g_free (p->used_model);
  g_free (p->used_precision);
  G_OBJECT_CLASS (gst_vfi_base_parent_class)->finalize (object);
}

static void
gst_vfi_base_init (GstVfiBase *base)
{
  gst_base_transform_set_prefer_passthrough (GST_BASE_TRANSFORM (base), FALSE);
  gst_vfi_field_init (G_OBJECT (base));
}

static void
add_templates (GstElementClass *klass, GstCaps *caps)
{
  gst_element_class_add_pad_template (klass, gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template (klass, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
}

void
gst_vfi_base_class_set_on_device (GstVfiBaseClass *klass, gboolean (*on_device) (GstVfiBase *base), void (*close) (GstVfiBase *base))
{
  g_autoptr (GstCaps) caps = gst_vfi_cuda_caps_add (template_caps ());

  klass->on_device = on_device;
  klass->close = close;
  add_templates (GST_ELEMENT_CLASS (klass), caps);
}

static void
gst_vfi_base_class_init (GstVfiBaseClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | GST_PARAM_MUTABLE_READY | G_PARAM_STATIC_STRINGS;

  GST_DEBUG_CATEGORY_INIT (gst_vfi_debug, "vfi", 0, "what all vfi elements share");
  object_class->finalize = gst_vfi_base_finalize;

#define FIELD(name) GstVfiBase_private_offset + (gssize) offsetof (GstVfiBasePrivate, name)
  const GstVfiField fields[] = {
    { FIELD (backend), g_param_spec_enum ("backend", "Backend", "What computes", backend_type (), VFI_BACKEND_AUTO, flags) },
    { FIELD (cuda_device), g_param_spec_int ("cuda-device-id", "CUDA device",
                                             "Number of the GPU; -1: the one that the pipeline uses, else the first", -1, 63, -1, flags) },
    { FIELD (model),
      g_param_spec_string ("model", "Model",
                           "Name of the network (\"vfi models\" lists them), or auto; of vfiinpaint, that of what no frame shows, "
                           "or smooth: none",
                           "auto", flags) },
    { FIELD (weights), g_param_spec_string ("weights", "Weights",
                                            "The network's weights, a safetensors file; unset: those that come with it", NULL, flags) },
    { FIELD (precision),
      g_param_spec_enum ("precision", "Precision", "Number format of feature maps", precision_type (), VFI_PRECISION_AUTO, flags) },
    { FIELD (threads),
      g_param_spec_uint ("threads", "Threads", "Threads on the CPU; 0: as many as the process may use", 0, 1024, 0, flags) },
    { 0, g_param_spec_boxed ("stats", "Statistics", "What was done so far, and with what", GST_TYPE_STRUCTURE,
                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS) },
  };
  gst_vfi_base_install (object_class, fields, G_N_ELEMENTS (fields));

  g_autoptr (GstCaps) caps = template_caps ();
  add_templates (element_class, caps);

  element_class->set_context = gst_vfi_base_set_context;
  trans_class->start = gst_vfi_base_start;
  trans_class->stop = gst_vfi_base_stop;
  trans_class->set_caps = gst_vfi_base_set_caps;
  trans_class->get_unit_size = gst_vfi_base_get_unit_size;
  trans_class->decide_allocation = gst_vfi_base_decide_allocation;
  trans_class->propose_allocation = gst_vfi_base_propose_allocation;
  trans_class->transform_caps = gst_vfi_base_transform_caps;
  trans_class->query = gst_vfi_base_query;
  trans_class->transform_meta = gst_vfi_base_transform_meta;
  gst_type_mark_as_plugin_api (GST_TYPE_VFI_BASE, 0);
}
