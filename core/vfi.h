/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libvfi: frames that the camera did not deliver.
 *
 * The one public header: frames, options, models, and a session for each task. A session belongs to
 * one frame format and size; it is used by one thread at a time. Nothing here prints, exits or aborts;
 * functions that can fail take a GError ** last and leave the session usable.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VFI_API __attribute__ ((visibility ("default")))

/* ---- errors ------------------------------------------------------------------------------------- */

#define VFI_ERROR (vfi_error_quark ())

typedef enum
{
  VFI_ERROR_ARG,         /* an argument is out of its range, or a name is unknown */
  VFI_ERROR_SHAPE,       /* layers do not fit each other */
  VFI_ERROR_WEIGHTS,     /* the weights file is missing, damaged, or of another network */
  VFI_ERROR_MEMORY,      /* not enough host or device memory; the session stays usable */
  VFI_ERROR_BACKEND,     /* the backend is not there, or failed */
  VFI_ERROR_UNSUPPORTED, /* valid, but not supported by this build, backend or model */
} VfiError;

VFI_API GQuark vfi_error_quark (void);

/* ---- frames ------------------------------------------------------------------------------------- */

typedef enum
{
  VFI_FORMAT_I420,
  VFI_FORMAT_YV12,
  VFI_FORMAT_NV12,
  VFI_FORMAT_Y42B,
  VFI_FORMAT_Y444,
  VFI_FORMAT_I420_10LE,
  VFI_FORMAT_P010_10LE,
  VFI_FORMAT_RGB,
  VFI_FORMAT_BGR,
  VFI_FORMAT_RGBA,
  VFI_FORMAT_BGRA,
  VFI_FORMAT_RGBX,
  VFI_FORMAT_BGRX,
  VFI_FORMAT_GRAY8,
  VFI_FORMAT_I422_10LE,
  VFI_FORMAT_Y444_10LE,
  VFI_FORMAT_A420,
  VFI_FORMAT_A444_10LE,
} VfiFormat;
#define VFI_N_FORMATS (VFI_FORMAT_A444_10LE + 1)

typedef enum
{
  VFI_RANGE_LIMITED, /* 8 bit: luma 16..235, chroma 16..240; RGB formats are always full */
  VFI_RANGE_FULL,
} VfiRange;

/* What all frames of a session share. Interpolation happens in the frame's own samples, so the matrix
 * (BT.601, 709, 2020) does not enter; the range only scales what the network sees. */
typedef struct
{
  VfiFormat format;
  int width, height; /* luma samples, at least 16 x 16 */
  VfiRange range;
} VfiFrameInfo;

typedef enum
{
  VFI_MEMORY_HOST,
  VFI_MEMORY_CUDA,
} VfiMemory;

/* One picture: plane pointers and byte strides in the order of the format's GStreamer namesake (for
 * YV12: Y, V, U). Borrowed by every call that takes one. */
typedef struct
{
  VfiMemory memory; /* VFI_MEMORY_CUDA: pointers of the device, of the session's context */
  guint8 *data[4];
  int stride[4];
} VfiFrame;

/* How a plane of a format is laid out. Samples of `comps` components lie interleaved, each `bytes` wide
 * and shifted left by `shift` (P010: 6); the plane has ceil (width >> sub_x) x ceil (height >> sub_y) pixels. */
typedef struct
{
  int comps, bytes, depth, shift;
  int sub_x, sub_y;
} VfiPlaneLayout;

VFI_API const char *vfi_format_name (VfiFormat format);                     /* GStreamer's name: "I420" */
VFI_API int vfi_format_from_name (const char *name);                        /* -1 if it is none of ours */
VFI_API int vfi_format_planes (VfiFormat format, VfiPlaneLayout layout[4]); /* number of planes */
/* Pixels of one plane; plane < vfi_format_planes. */
VFI_API void vfi_frame_info_plane_size (const VfiFrameInfo *info, int plane, int *width, int *height);

/* Of frames in system memory; VfiInterp compares those that lie elsewhere.
 * Mean absolute difference of luma, 0 (equal) to 1, over a grid of at most 64 x 64 block means: near 0 for a duplicate. Repeats that went
 * through an encoder stay below 0.001 (x264 at crf 23: all of them do, and 5 % of new frames, of scenes that hardly move). */
VFI_API double vfi_frame_difference (const VfiFrameInfo *info, const VfiFrame *a, const VfiFrame *b);
/* 0 (same scene) to 1 (cut). Robust to pans, zooms and fades: see core/scene.c. Take what exceeds 0.72 for a cut: of 6,000 cuts between
 * unlike clips 99.97 % do, of 19,584 pairs inside 220 clips without cuts 0.06 %, all in three clips of violent motion. */
VFI_API double vfi_frame_scene_score (const VfiFrameInfo *info, const VfiFrame *a, const VfiFrame *b);
/* TRUE if every sample of the pictures (not the padding) is the same. */
VFI_API gboolean vfi_frame_equal (const VfiFrameInfo *info, const VfiFrame *a, const VfiFrame *b);
/* dst = (1 - t) a + t b, rounded. Host memory. */
VFI_API void vfi_frame_blend (const VfiFrameInfo *info, const VfiFrame *a, const VfiFrame *b, double t, VfiFrame *dst);

/* ---- models ------------------------------------------------------------------------------------- */

typedef struct
{
  const char *name;    /* "vfi-nano" */
  const char *task;    /* "interpolation" */
  const char *summary; /* one line */
  const char *paper;   /* authors, title, year; or "this project" */
  gboolean any_t;      /* FALSE: only t = 1/2 natively */
  double gflop_per_mp; /* convolutions, per megapixel of frame (of a hole's surroundings), for one new frame and one t in a stream */
  double parameters;   /* number of weights */
  const char *source;  /* whose checkpoint tools/convert.py makes its weights from, and their licence; NULL: they come with this project */
  char *weights;       /* path of the shipped or installed weights, NULL if there are none; owned by the list */
  double gflop; /* convolutions of a frame of 1920 x 1080 with the padding that the network wants; of a hole, whatever the frame's size */
} VfiModelInfo;

/* All models this build knows, in order of preference. The array ends with a NULL name; free with vfi_model_list_free. */
VFI_API VfiModelInfo *vfi_model_list (void);
VFI_API void vfi_model_list_free (VfiModelInfo *list);
/* The weights that a model asks for, sorted by name, a line for each: NAME SIZE SIZE ... VFI_ERROR_ARG if there is no such model; g_free. */
VFI_API char *vfi_model_weight_names (const char *model, GError **error);

/* ---- options ------------------------------------------------------------------------------------ */

typedef enum
{
  VFI_BACKEND_AUTO, /* CUDA where there is a device and the module, else the CPU */
  VFI_BACKEND_CPU,
  VFI_BACKEND_CUDA,
  VFI_BACKEND_REFERENCE, /* plain C, slow: for tests */
} VfiBackendKind;

typedef enum
{
  VFI_PRECISION_AUTO, /* the fastest that costs no visible quality: bf16 where the CPU multiplies it natively, fp16 on CUDA */
  VFI_PRECISION_FP32,
  VFI_PRECISION_BF16,
  VFI_PRECISION_FP16,
} VfiPrecision;

/* 0 / NULL is the default of every field. */
typedef struct
{
  const char *model;   /* "auto" or a name of vfi_model_list */
  const char *weights; /* safetensors file; default: the model's own */
  VfiBackendKind backend;
  VfiPrecision precision;
  int threads; /* CPU; default: as many as the process may use */
  int cuda_device;
  gpointer
      cuda_stream; /* a CUstream of the current context: all work is enqueued there, behind what is; default: the session has one of its own */
  double flow_scale; /* 0.25 to 1, default 1: the size at which motion is worked out */
} VfiOptions;

/* TRUE if all is installed that sessions on a CUDA device take (-1: on any), as far as can be said without a context, which takes memory; else an error
 * that says what is missing. */
VFI_API gboolean vfi_cuda_found (int device, GError **error);
/* TRUE if sessions with these options would be CUDA's; else an error that says what is missing (backend: not the CPU's). */
VFI_API gboolean vfi_cuda_available (const VfiOptions *options, GError **error);
/* Bytes of device memory, those not in use and all, of the current context's device. FALSE: not known. */
VFI_API gboolean vfi_cuda_memory (gsize *unused, gsize *total);

/* ---- interpolation ------------------------------------------------------------------------------ */

typedef struct _VfiInterp VfiInterp;

/* Loads, checks and plans everything, so that what can fail fails here. On CUDA the session belongs to the context that is current, and pushes it
 * around every call; where none is, to the primary one of options->cuda_device. */
VFI_API VfiInterp *vfi_interp_new (const VfiFrameInfo *info, const VfiOptions *options, GError **error);
VFI_API void vfi_interp_free (VfiInterp *interp);

/* Changes frame size or format, keeping weights, and forgets the pair; a no-op if nothing changes. On failure the old one stays. */
VFI_API gboolean vfi_interp_set_info (VfiInterp *interp, const VfiFrameInfo *info, GError **error);
/* Changes flow-scale from the next vfi_interp_at on (cheaper synthesis under load). The first change to a value plans anew; going back and
 * forth between up to three costs nothing. */
VFI_API gboolean vfi_interp_set_flow_scale (VfiInterp *interp, double flow_scale, GError **error);

/* Takes two successive frames and returns at once: work begins with the first vfi_interp_at. They stay borrowed until the next set_pair or
 * vfi_interp_reset; a call whose `a` has the same data pointers as the `b` before reuses what was computed for it, so the pixels must
 * not have changed. Pairs are taken to be of one stream, of which this project's networks remember what lies over the picture and stays (captions), across cuts and pairs that are
 * left out: what is made of a pair may depend on those before. vfi_interp_reset, and vfi_interp_set_info with a change, begin another stream. */
VFI_API gboolean vfi_interp_set_pair (VfiInterp *interp, const VfiFrame *a, const VfiFrame *b, GError **error);
/* For motion that does not go straight, of the pair that vfi_interp_set_pair has just taken: the frame before it and the one after, and how long they are away from it, in times of the pair's own; NULL:
 * it is not known, or no part of the motion (a cut lies between). They stay borrowed like the pair. What was computed for the pair before is used again where it was given right before this one, with `before` as its first frame; what
 * is computed for the pair after is, where that is given next. The first `after` takes memory. Without this call, and with models that make pictures, motion is straight. VFI_ERROR_ARG; VFI_ERROR_MEMORY. */
VFI_API gboolean vfi_interp_set_neighbours (VfiInterp *interp, const VfiFrame *before, double before_lasts, const VfiFrame *after,
                                            double after_lasts, GError **error);
/* Writes the frame at time t, 0 < t < 1, between a and b into dst, which is neither of them. May be called for any number of t. */
VFI_API gboolean vfi_interp_at (VfiInterp *interp, double t, VfiFrame *dst, GError **error);
/* vfi_interp_at in two parts: on CUDA, where frames are in system memory, they then go to the device and back while others are computed. start
 * returns at once there, and when all is done elsewhere; after as many calls of finish as of start all that was started is done (and of an error of finish, nobody knows which frame it was).
 * Until then dst stays borrowed, and so do frames of the pair that lie in CUDA memory. More than two gain nothing. A start
 * that fails leaves nothing to finish; vfi_interp_reset waits for what was started. */
VFI_API gboolean vfi_interp_start (VfiInterp *interp, double t, VfiFrame *dst, GError **error);
VFI_API gboolean vfi_interp_finish (VfiInterp *interp, GError **error);
/* Forgets the pair, everything derived from it and the stream (flush, discontinuity). */
VFI_API void vfi_interp_reset (VfiInterp *interp);

/* vfi_frame_difference, _scene_score and _blend of frames of this session that may lie in its device's memory; 0 < t < 1. The pair is not touched. */
VFI_API gboolean vfi_interp_difference (VfiInterp *interp, const VfiFrame *a, const VfiFrame *b, double *difference, GError **error);
VFI_API gboolean vfi_interp_scene_score (VfiInterp *interp, const VfiFrame *a, const VfiFrame *b, double *score, GError **error);
VFI_API gboolean vfi_interp_blend (VfiInterp *interp, const VfiFrame *a, const VfiFrame *b, double t, VfiFrame *dst, GError **error);

/* What a session really uses. Strings live as long as the session. */
typedef struct
{
  const char *model, *backend, *precision; /* "vfi-nano", "cpu (oneDNN 2.6.3)", "bf16" */
  const char *backend_reason;              /* why AUTO did not choose CUDA; "" if it did or was not asked */
  int threads;
  const char *unused_weights; /* names in the weights file that the model does not ask for, ", " between; "" if none */
  gsize bytes;                /* held for tensors and weights */
} VfiInterpInfo;
VFI_API void vfi_interp_get_info (const VfiInterp *interp, VfiInterpInfo *out);

/* One line of a profile: a kind of work, summed over what ran since profiling was enabled. */
typedef struct
{
  char name[32]; /* "pack", "conv2d", "warp", "synthesize" ... */
  int calls;
  double seconds;
  double flop;  /* 2 x multiply-accumulates; 0 where arithmetic is not the point */
  double bytes; /* read and written, each once */
} VfiProfile;
/* Enables (and clears) profiling; a few microseconds per node. */
VFI_API void vfi_interp_set_profile (VfiInterp *interp, gboolean enable);
/* Writes at most n lines, returns how many there are. */
VFI_API int vfi_interp_get_profile (const VfiInterp *interp, VfiProfile *out, int n);

/* The machine's own rates, measured now in about `seconds`: the floor that speed is held against.
 * conv_flops: best rate over 3x3 convolutions of the given precision, FLOP/s; copy_bytes: bytes read plus written per second. */
VFI_API gboolean vfi_machine_rates (const VfiOptions *options, double seconds, double *conv_flops, double *copy_bytes, GError **error);

/* ---- optical flow ------------------------------------------------------------------------------- */

typedef struct _VfiFlow VfiFlow;

/* What is seen at pixel (x, y) of the frame that it starts from, seen at (x + u, y + v) of the other one. Caller's memory, on the host,
 * one row of `width` of the frame after the other. */
typedef struct
{
  float *flow;       /* u, v, u, v ...: 2 floats a pixel */
  float *confidence; /* 1 float a pixel, 0 to 1: that it is seen in the other frame at all; NULL: not wanted */
} VfiFlowField;

/* As the functions of VfiInterp; options->flow_scale is the size at which motion is worked out. */
VFI_API VfiFlow *vfi_flow_new (const VfiFrameInfo *info, const VfiOptions *options, GError **error);
VFI_API void vfi_flow_free (VfiFlow *flow);
VFI_API gboolean vfi_flow_set_info (VfiFlow *flow, const VfiFrameInfo *info, GError **error);
VFI_API gboolean vfi_flow_set_flow_scale (VfiFlow *flow, double flow_scale, GError **error);
VFI_API void vfi_flow_get_info (const VfiFlow *flow, VfiInterpInfo *out);
/* "field": from the network's grid to the frame's pixels. */
VFI_API void vfi_flow_set_profile (VfiFlow *flow, gboolean enable);
VFI_API int vfi_flow_get_profile (const VfiFlow *flow, VfiProfile *out, int n);

/* Flow from a to b, and from b to a; either may be NULL. In a stream each frame is looked at once: a call whose `a` has the same data pointers
 * as the `b` before reuses what was computed for it, so `b` must stay as it is until the next call or vfi_flow_reset. */
VFI_API gboolean vfi_flow_run (VfiFlow *flow, const VfiFrame *a, const VfiFrame *b, const VfiFlowField *forward,
                               const VfiFlowField *backward, GError **error);
VFI_API void vfi_flow_reset (VfiFlow *flow);

/* Where the way there and the way back (flows of width x height, from a and from b) do not lead to the same place, confidence (of
 * the first) is 0; where they do, up to 1. This takes the place of what the network thinks. */
VFI_API void vfi_flow_check (int width, int height, const float *flow, const float *back, float *confidence);

/* The colour of a flow, given as a part of the largest one, on Middlebury's wheel: the hue is its direction (right is red, down yellow, left
 * blue-green, up violet), the saturation its length; longer ones than the largest are darker. */
VFI_API void vfi_flow_colour (float u, float v, guint8 rgb[3]);

/* ---- inpainting --------------------------------------------------------------------------------- */

typedef struct _VfiInpaint VfiInpaint;

/* What is to be removed: one byte a pixel, 255 remove, 0 keep; from 128 on counts as remove. It is laid over the whole frame, whatever its
 * size is. Borrowed by the call that takes it. */
typedef struct
{
  int width, height;
  const guint8 *data;
  int stride;
} VfiMask;

/* 0 is the default of every field. */
typedef struct
{
  int history;            /* frames that are remembered, 1 to 256, default 32; the session's memory depends on it and on lookahead */
  int lookahead;          /* frames that are waited for, 0 to 64 */
  int dilate;             /* pixels by which the mask grows, 0 to 128 */
  double feather;         /* width in pixels of the soft edge outside of the grown mask, 0 to 64 */
  gboolean invert;        /* what is white is kept */
  double scene_threshold; /* vfi_frame_scene_score from which on all is forgotten, default 0.72; 1: never */
} VfiInpaintOptions;

/* The network for what no frame shows is options->model ("smooth": none, it is filled in smoothly). Flow is worked out by the first flow network
 * that has weights, refined in the frame's own pixels, or coarser ones where options->flow_scale is 0.5 or less, and carried through the holes by the
 * first network for that which has weights, else smoothly. VFI_ERROR_MEMORY if the history does not fit into this machine's memory. */
VFI_API VfiInpaint *vfi_inpaint_new (const VfiFrameInfo *info, const VfiOptions *options, const VfiInpaintOptions *inpaint, GError **error);
VFI_API void vfi_inpaint_free (VfiInpaint *inpaint);

/* Changes frame size or format, and forgets what was pushed; a no-op if nothing changes. On failure the old one stays. */
VFI_API gboolean vfi_inpaint_set_info (VfiInpaint *inpaint, const VfiFrameInfo *info, GError **error);
/* Changes the options that may change while frames come: dilate, feather, invert, scene_threshold; from the next frame on. */
VFI_API gboolean vfi_inpaint_set_options (VfiInpaint *inpaint, const VfiInpaintOptions *options, GError **error);

typedef enum
{
  VFI_INPAINT_FAILED, /* error is set */
  VFI_INPAINT_MORE,   /* push a frame first, or flush */
  VFI_INPAINT_DONE,   /* a frame was written */
} VfiInpaintStatus;

/* Takes the next frame; a copy is made. NULL: nothing is to be removed from it. At most `lookahead` frames may be waiting to be pulled before. */
VFI_API gboolean vfi_inpaint_push (VfiInpaint *inpaint, const VfiFrame *frame, const VfiMask *mask, GError **error);
/* Writes the oldest frame that was pushed and not yet pulled, all of it; outside of the grown and feathered mask it is byte for byte what was pushed.
 * dst may be NULL: the frame is not wanted (the caller has it, if nothing is to be removed from it). */
VFI_API VfiInpaintStatus vfi_inpaint_pull (VfiInpaint *inpaint, VfiFrame *dst, GError **error);
/* No more frames follow for now (end of stream, gap): all that were pushed can be pulled. The next push goes on from them. */
VFI_API void vfi_inpaint_flush (VfiInpaint *inpaint);
/* Forgets everything (seek, discontinuity). */
VFI_API void vfi_inpaint_reset (VfiInpaint *inpaint);

/* What a session uses, and where the pixels of the last frame that was pulled came from. */
typedef struct
{
  VfiInterpInfo flow;            /* the flow network's session */
  const char *model;             /* for what no frame shows */
  gsize bytes;                   /* everything */
  guint64 removed;               /* pixels inside of the grown mask */
  guint64 past, future, spatial; /* of these: seen in an earlier frame, in a later one, made up (now, or earlier) */
} VfiInpaintInfo;
VFI_API void vfi_inpaint_get_info (const VfiInpaint *inpaint, VfiInpaintInfo *out);

VFI_API const char *vfi_version (void);

G_END_DECLS
