/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inside of the builder: nodes in the order they were described, and tensors that may lie inside other tensors.
 */
#pragma once

#include "build.h"

typedef struct _VfiOp VfiOp;
typedef struct _VfiNode VfiNode;

#define VFI_MAX_SRC 7
#define VFI_MAX_WEIGHTS 7 /* a convolution with bias or norm, gain and slopes */

struct _VfiTensor
{
  VfiGraph *graph;
  VfiDType dtype; /* never VFI_FEATURE: resolved when it is made */
  int h, w, c;
  char *io_name;     /* of an input, or NULL */
  VfiNode *producer; /* NULL for inputs and concats */
  gboolean planar;   /* channels lie apart: the states of coarse-to-fine estimates, each channel a thing of its own */
  /* Storage: a slice or a concatenated tensor lies in another one, as wide, `offset` channels and `row` rows in. */
  VfiTensor *parent;
  int offset, row;
  gboolean dense_used; /* somebody needs it with ld == c: it cannot be moved into a concat any more */
};

typedef struct
{
  char *name; /* full dotted path */
  int rank;
  int shape[4];
} VfiWeightSpec;

struct _VfiNode
{
  const VfiOp *op;
  char *path; /* for messages and profiles: "dec1.conv0" */
  gpointer params;
  VfiTensor *src[VFI_MAX_SRC];
  int n_src;
  VfiWeightSpec weights[VFI_MAX_WEIGHTS]; /* as they lie in the file */
  int n_weights;
  gsize folded[VFI_MAX_WEIGHTS]; /* how many numbers kernels get for each of theirs, after op->fold; 0: none */
  VfiTensor *dst;
};

struct _VfiGraph
{
  VfiDType feature;   /* what VFI_FEATURE means here */
  double flow_scale;  /* vfi_flow_scale */
  GPtrArray *nodes;   /* of VfiNode, in order */
  GPtrArray *tensors; /* of VfiTensor: owns */
  GPtrArray *inputs;  /* of VfiTensor */
  GPtrArray *outputs; /* of VfiTensor */
  GPtrArray *output_names;
  GPtrArray *path; /* of char: the pushed prefixes */
  GError *error;   /* the first */
};

VfiGraph *vfi_graph_new (VfiDType feature);
void vfi_graph_free (VfiGraph *g);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VfiGraph, vfi_graph_free)

/* The tensor that owns the storage of x, and how many channels into it x starts. */
VfiTensor *vfi_tensor_root (VfiTensor *x, int *offset);
/* How many elements into the root's storage x starts, its view's cd (distance of channels) given. */
gsize vfi_tensor_start (const VfiTensor *x, int cd);

/* For ops. TRUE if the graph has no error yet and all sources are usable; else a builder returns vfi_graph_dummy (). */
/* Whether it is F32, 1 x 1 x 4. */
static inline gboolean
vfi_tensor_is_within (const VfiTensor *x)
{
  return x->dtype == VFI_F32 && x->h == 1 && x->w == 1 && x->c == 4;
}

gboolean vfi_graph_ready (VfiGraph *g, const char *name, VfiTensor *const *src, int n_src);
/* A valid handle (1 x 1 x 1) for what comes after an error. */
VfiTensor *vfi_graph_dummy (VfiGraph *g);
/* Keeps the first error, prefixed with the path of the layer; returns a dummy. */
VfiTensor *vfi_graph_fail (VfiGraph *g, const char *name, int code, const char *format, ...) G_GNUC_PRINTF (4, 5);
/* Records a node and its result; `params` (params_size bytes) is copied. Where op->dense, strided sources are copied first.
 * NULL, with the graph's error set, if the result has no usable shape. */
VfiNode *vfi_graph_add (VfiGraph *g, const VfiOp *op, const char *name, gconstpointer params, gsize params_size, VfiTensor **src, int n_src,
                        VfiDType dtype, int h, int w, int c);
/* What a builder returns of it: node->dst, a dummy for NULL. */
VfiTensor *vfi_node_result (VfiGraph *g, VfiNode *node);
/* Declares weight `suffix` of the node ("weight": path.weight); or, by its own name, one that lies beside it. */
void vfi_node_weight (VfiNode *node, const char *suffix, int rank, const int *shape);
void vfi_node_weight_beside (VfiGraph *g, VfiNode *node, const char *name, int rank, const int *shape);
/* Turns weights as in the file (g_malloc, in the order they were declared) into those that kernels get, in place. */
void vfi_node_fold (const VfiNode *node, float **weights);
