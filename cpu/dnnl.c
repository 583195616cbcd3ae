/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * oneDNN behind a few functions. What differs between its 2.x C API (Debian 12: 2.6) and 3.x is in the first part, written so
 * that the rest reads as 3.x.
 */
#include "dnnl.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>

#include "vfi.h"

/* ---- 2.x seen as 3.x: memory descriptors are pointers, a primitive descriptor is made in one call ---------------- */

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t Desc;
typedef const_dnnl_memory_desc_t ConstDesc;

static Desc
desc_new (const dnnl_dims_t dims, int n, dnnl_data_type_t type, dnnl_format_tag_t tag)
{
  Desc d = NULL;
  return dnnl_memory_desc_create_with_tag (&d, n, dims, type, tag) == dnnl_success ? d : NULL;
}

static void
desc_free (Desc d)
{
  dnnl_memory_desc_destroy (d);
}

static dnnl_status_t
append_eltwise (dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float alpha, float beta)
{
  return dnnl_post_ops_append_eltwise (ops, alg, alpha, beta);
}

static dnnl_status_t
conv_desc_new (dnnl_primitive_desc_t *pd, dnnl_engine_t engine, Desc src, Desc weights, Desc bias, Desc dst, const dnnl_dims_t stride,
               const dnnl_dims_t dilation, const dnnl_dims_t before, const dnnl_dims_t after, dnnl_primitive_attr_t attr)
{
  return dnnl_convolution_forward_primitive_desc_create (pd, engine, dnnl_forward_inference, dnnl_convolution_direct, src, weights, bias,
                                                         dst, stride, dilation, before, after, attr);
}

#else

typedef dnnl_memory_desc_t *Desc;
typedef const dnnl_memory_desc_t *ConstDesc;

static Desc
desc_new (const dnnl_dims_t dims, int n, dnnl_data_type_t type, dnnl_format_tag_t tag)
{
  Desc d = g_new0 (dnnl_memory_desc_t, 1);
  if (dnnl_memory_desc_init_by_tag (d, n, dims, type, tag) == dnnl_success)
    return d;
  g_free (d);
  return NULL;
}

static void
desc_free (Desc d)
{
  g_free (d);
}

static dnnl_status_t
append_eltwise (dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float alpha, float beta)
{
  return dnnl_post_ops_append_eltwise (ops, 1, alg, alpha, beta);
}

static dnnl_status_t
conv_desc_new (dnnl_primitive_desc_t *pd, dnnl_engine_t engine, Desc src, Desc weights, Desc bias, Desc dst, const dnnl_dims_t stride,
               const dnnl_dims_t dilation, const dnnl_dims_t before, const dnnl_dims_t after, dnnl_primitive_attr_t attr)
{
  dnnl_convolution_desc_t cd;
  dnnl_status_t s = dnnl_dilated_convolution_forward_desc_init (&cd, dnnl_forward_inference, dnnl_convolution_direct, src, weights, bias,
                                                                dst, stride, dilation, before, after);
  return s == dnnl_success ? dnnl_primitive_desc_create (pd, &cd, attr, engine, NULL) : s;
}

#endif

/* ---- the rest is common ------------------------------------------------------------------------------------------ */

enum
{
  SRC,
  DST,
  RESIDUAL,
  WEIGHTS,
  BIAS,
  SCRATCH,
  N_MEM
};

struct _VfiDnnlConv
{
  dnnl_primitive_desc_t pd;
  dnnl_primitive_t primitive;
  dnnl_memory_t mem[N_MEM];
  gsize size[N_MEM];
  void *buffer[N_MEM]; /* owned: weights, bias */
  dnnl_exec_arg_t args[N_MEM];
  int n_args;
};

static dnnl_engine_t engine;
static dnnl_stream_t stream; /* CPU streams hold no state: one serves all threads */

static gboolean
open_engine (void)
{
  static gsize once;
  if (g_once_init_enter (&once)) {
    gboolean ok = dnnl_engine_create (&engine, dnnl_cpu, 0) == dnnl_success &&
                  dnnl_stream_create (&stream, engine, dnnl_stream_default_flags) == dnnl_success;
    g_once_init_leave (&once, ok ? 1 : 2);
  }
  return once == 1;
}

static dnnl_data_type_t
data_type (VfiDType t)
{
  return t == VFI_F32 ? dnnl_f32 : t == VFI_BF16 ? dnnl_bf16 : dnnl_f16;
}

static int
out_size (int size, int padding, const VfiDnnlConvDesc *d)
{
  return (size + padding - d->dilation * (d->kernel - 1) - 1) / d->stride + 1;
}

/* Bias is added by the convolution itself; then the residual, then the activation. */
static dnnl_status_t
make_attr (dnnl_primitive_attr_t *attr, const VfiDnnlConvDesc *d, Desc residual)
{
  dnnl_post_ops_t ops = NULL;
  dnnl_status_t s = dnnl_primitive_attr_create (attr);

  if (s == dnnl_success)
    s = dnnl_primitive_attr_set_scratchpad_mode (*attr, dnnl_scratchpad_mode_user);
  if (s == dnnl_success)
    s = dnnl_post_ops_create (&ops);
  if (s == dnnl_success && d->residual)
    s = dnnl_post_ops_append_binary (ops, dnnl_binary_add, residual);
  if (s == dnnl_success && d->act != VFI_LINEAR) {
    static const struct
    {
      dnnl_alg_kind_t alg;
      float alpha, beta;
    } of[] = {
      [VFI_RELU] = { dnnl_eltwise_relu }, [VFI_LEAKY_RELU] = { dnnl_eltwise_relu }, [VFI_SIGMOID] = { dnnl_eltwise_logistic },
      [VFI_TANH] = { dnnl_eltwise_tanh }, [VFI_ELU] = { dnnl_eltwise_elu, 1 },      [VFI_HARDTANH] = { dnnl_eltwise_clip, -1, 1 },
    };
    s = append_eltwise (ops, of[d->act].alg, d->act == VFI_LEAKY_RELU ? d->slope : of[d->act].alpha, of[d->act].beta);
  }
  if (s == dnnl_success)
    s = dnnl_primitive_attr_set_post_ops (*attr, ops);
  dnnl_post_ops_destroy (ops);
  return s;
}

/* Memory `i` as the primitive wants it; with a buffer of ours where `own`. */
static dnnl_status_t
add_memory (VfiDnnlConv *c, int i, dnnl_query_t query, int arg, gboolean own)
{
  ConstDesc md = dnnl_primitive_desc_query_md (c->pd, query, 0);
  dnnl_status_t s;

  c->size[i] = dnnl_memory_desc_get_size (md);
  if (own && c->size[i]) {
    c->buffer[i] = aligned_alloc (64, (c->size[i] + 63) & ~(gsize) 63);
    if (!c->buffer[i])
      return dnnl_out_of_memory;
  }
  s = dnnl_memory_create (&c->mem[i], md, engine, c->buffer[i]);
  if (s == dnnl_success)
    c->args[c->n_args++] = (dnnl_exec_arg_t){ arg, c->mem[i] };
  return s;
}

/* weights (in layout `from`) into the layout that the primitive chose. */
static dnnl_status_t
pack_weights (VfiDnnlConv *c, Desc from, const float *weights)
{
  dnnl_primitive_desc_t pd = NULL;
  dnnl_primitive_t reorder = NULL;
  dnnl_memory_t src = NULL;
  dnnl_status_t s = dnnl_memory_create (&src, from, engine, (void *) weights);

  if (s == dnnl_success)
    s = dnnl_reorder_primitive_desc_create (&pd, from, engine, dnnl_primitive_desc_query_md (c->pd, dnnl_query_weights_md, 0), engine,
                                            NULL);
  if (s == dnnl_success)
    s = dnnl_primitive_create (&reorder, pd);
  if (s == dnnl_success) {
    dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, src }, { DNNL_ARG_TO, c->mem[WEIGHTS] } };
    s = dnnl_primitive_execute (reorder, stream, 2, args);
  }
  if (reorder)
    dnnl_primitive_destroy (reorder);
  if (pd)
    dnnl_primitive_desc_destroy (pd);
  if (src)
    dnnl_memory_destroy (src);
  return s;
}

static dnnl_status_t
conv_init (VfiDnnlConv *c, const VfiDnnlConvDesc *d, const float *weights, const float *bias)
{
  const int above = d->band ? 0 : d->padding, oh = out_size (d->h, 2 * above + d->after, d),
            ow = out_size (d->w, 2 * d->padding + d->after, d);
  const dnnl_dims_t src_dims = { 1, d->ic, d->h, d->w }, dst_dims = { 1, d->oc, oh, ow }, bias_dims = { d->oc };
  const dnnl_dims_t weight_dims = { d->oc, d->ic, d->kernel, d->kernel };
  const dnnl_dims_t stride = { d->stride, d->stride }, dilation = { d->dilation - 1, d->dilation - 1 };
  const dnnl_dims_t before = { above, d->padding }, after = { above + d->after, d->padding + d->after };
  const dnnl_format_tag_t tag = d->blocked ? dnnl_aBcd8b : dnnl_nhwc;
  Desc src = desc_new (src_dims, 4, data_type (d->src), tag), dst = desc_new (dst_dims, 4, data_type (d->dst), tag);
  Desc packed = desc_new (weight_dims, 4, data_type (d->src), dnnl_format_tag_any), file = desc_new (weight_dims, 4, dnnl_f32, dnnl_oihw);
  Desc b = bias ? desc_new (bias_dims, 1, dnnl_f32, dnnl_x) : NULL;
  Desc residual = d->residual ? desc_new (dst_dims, 4, data_type (d->dst), dnnl_nhwc) : NULL;
  dnnl_primitive_attr_t attr = NULL;
  dnnl_status_t s = dnnl_invalid_arguments;

  if (src && dst && packed && file && (b || !bias) && (residual || !d->residual))
    s = make_attr (&attr, d, residual);
  if (s == dnnl_success)
    s = conv_desc_new (&c->pd, engine, src, packed, b, dst, stride, dilation, before, after, attr);
  if (s == dnnl_success)
    s = dnnl_primitive_create (&c->primitive, c->pd);
  if (s == dnnl_success)
    s = add_memory (c, SRC, dnnl_query_src_md, DNNL_ARG_SRC, FALSE);
  if (s == dnnl_success)
    s = add_memory (c, DST, dnnl_query_dst_md, DNNL_ARG_DST, FALSE);
  if (s == dnnl_success && d->residual) {
    s = dnnl_memory_create (&c->mem[RESIDUAL], residual, engine, NULL);
    c->args[c->n_args++] = (dnnl_exec_arg_t){ DNNL_ARG_ATTR_MULTIPLE_POST_OP (0) | DNNL_ARG_SRC_1, c->mem[RESIDUAL] };
  }
  if (s == dnnl_success)
    s = add_memory (c, WEIGHTS, dnnl_query_weights_md, DNNL_ARG_WEIGHTS, TRUE);
  if (s == dnnl_success)
    s = add_memory (c, SCRATCH, dnnl_query_scratchpad_md, DNNL_ARG_SCRATCHPAD, FALSE);
  if (s == dnnl_success)
    s = pack_weights (c, file, weights);
  if (s == dnnl_success && bias) {
    const float *from = bias;
    c->buffer[BIAS] = g_memdup2 (from, sizeof (float) * d->oc);
    s = dnnl_memory_create (&c->mem[BIAS], b, engine, c->buffer[BIAS]);
    c->args[c->n_args++] = (dnnl_exec_arg_t){ DNNL_ARG_BIAS, c->mem[BIAS] };
  }

  if (attr)
    dnnl_primitive_attr_destroy (attr);
  for (gsize i = 0; i < 6; i++) {
    Desc all[] = { src, dst, packed, file, b, residual };
    if (all[i])
      desc_free (all[i]);
  }
  return s;
}

VfiDnnlConv *
vfi_dnnl_conv_new (const VfiDnnlConvDesc *d, const float *weights, const float *bias, GError **error)
{
  VfiDnnlConv *c;
  dnnl_status_t s;

  if (!open_engine ()) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND, "%s has no CPU engine", vfi_dnnl_version ());
    return NULL;
  }
  c = g_new0 (VfiDnnlConv, 1);
  s = conv_init (c, d, weights, bias);
  if (s == dnnl_success)
    return c;
  vfi_dnnl_conv_free (c);
  g_set_error (error, VFI_ERROR, s == dnnl_out_of_memory ? VFI_ERROR_MEMORY : VFI_ERROR_UNSUPPORTED,
               "%s: no convolution %dx%d, %d to %d channels, stride %d, on %dx%d (status %d)", vfi_dnnl_version (), d->kernel, d->kernel,
               d->ic, d->oc, d->stride, d->w, d->h, (int) s);
  return NULL;
}

void
vfi_dnnl_conv_free (VfiDnnlConv *c)
{
  if (!c)
    return;
  for (int i = 0; i < N_MEM; i++)
    if (c->mem[i])
      dnnl_memory_destroy (c->mem[i]);
  if (c->primitive)
    dnnl_primitive_destroy (c->primitive);
  if (c->pd)
    dnnl_primitive_desc_destroy (c->pd);
  free (c->buffer[WEIGHTS]);
  g_free (c->buffer[BIAS]);
  g_free (c);
}

void
vfi_dnnl_conv_run (VfiDnnlConv *c, const void *src, const void *residual, void *dst, void *scratch)
{
  dnnl_memory_set_data_handle (c->mem[SRC], (void *) src);
  dnnl_memory_set_data_handle (c->mem[DST], dst);
  if (c->mem[RESIDUAL])
    dnnl_memory_set_data_handle (c->mem[RESIDUAL], (void *) residual);
  if (c->size[SCRATCH])
    dnnl_memory_set_data_handle (c->mem[SCRATCH], scratch);
  dnnl_primitive_execute (c->primitive, stream, c->n_args, c->args);
}

gsize
vfi_dnnl_conv_scratch (const VfiDnnlConv *c)
{
  return c->size[SCRATCH];
}

/* By the name of the implementation that a usual convolution gets: "jit:avx2", "brgconv:avx512_core_bf16". */
/* Whether the name of the implementation that it chooses for a 3x3 convolution in this precision has that in it. */
static gboolean
chooses (VfiDType type, const char *part)
{
  const VfiDnnlConvDesc desc = {
    .h = 16, .w = 16, .ic = 64, .oc = 64, .kernel = 3, .stride = 1, .padding = 1, .dilation = 1, .src = type, .dst = type
  };
  g_autofree float *weights = g_new0 (float, 64 * 64 * 9);
  VfiDnnlConv *c = vfi_dnnl_conv_new (&desc, weights, NULL, NULL);
  const char *name = "";
  gboolean has;

  if (c)
    dnnl_primitive_desc_query (c->pd, dnnl_query_impl_info_str, 0, (void *) &name);
  has = strstr (name, part) != NULL;
  vfi_dnnl_conv_free (c);
  return has;
}

gboolean
vfi_dnnl_likes_blocks (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    g_once_init_leave (&once, chooses (VFI_F32, "jit:avx2") ? 1 : 2);
  return once == 1;
}

gboolean
vfi_dnnl_has_tiles (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    g_once_init_leave (&once, chooses (VFI_BF16, "amx") ? 1 : 2);
  return once == 1;
}

const char *
vfi_dnnl_version (void)
{
  static char *name;
  static gsize once;
  if (g_once_init_enter (&once)) {
    const dnnl_version_t *v = dnnl_version ();
    name = g_strdup_printf ("oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    g_once_init_leave (&once, 1);
  }
  return name;
}
