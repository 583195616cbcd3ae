/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The graphs that convolutions become, as cuDNN would read them.
 */
#include "../ops/harness.h"
#include "fake_cudnn.h"

VfiBackend *vfi_cuda_backend_new (int device, gpointer stream, GError **error);

/* conv, then what is done with its sum; of tensors with memory: name, type, n x c x h x w / strides of c, h and w. */
static const struct
{
  const char *op; /* of op_cases */
  VfiDType feature;
  gboolean no_fusion, no_mixed;
  const char *graph;
} table[] = {
  { "conv2d/3x3", VFI_F16, FALSE, FALSE,
    "conv stride 1 padding 1 dilation 1 x f16 1x16x8x12/1,192,16 w f16 16x16x3x3/1,48,16; "
    "add b f32 1x16x1x1/1,16,16; "
    "relu y f16 1x16x8x12/1,192,16" },
  { "conv2d/3x3", VFI_F32, FALSE, FALSE,
    "conv stride 1 padding 1 dilation 1 x f32 1x16x8x12/1,192,16 w f32 16x16x3x3/1,48,16; "
    "add b f32 1x16x1x1/1,16,16; "
    "relu y f32 1x16x8x12/1,192,16" },
  { "conv2d/3x3", VFI_F16, TRUE, FALSE,
    "conv stride 1 padding 1 dilation 1 x f16 1x16x8x12/1,192,16 w f16 16x16x3x3/1,48,16 y f32 1x16x8x12/1,192,16" },
  { "conv2d/3x3", VFI_F16, TRUE, TRUE,
    "conv stride 1 padding 1 dilation 1 x f16 1x16x8x12/1,192,16 w f16 16x16x3x3/1,48,16 y f16 1x16x8x12/1,192,16" },
  { "conv2d/1x1-f32", VFI_F16, FALSE, FALSE,
    "conv stride 1 padding 0 dilation 1 x f16 1x32x6x5/1,160,32 w f16 52x32x1x1/1,32,32; "
    "add b f32 1x52x1x1/1,52,52 y f32 1x52x6x5/1,260,52" },
  { "conv2d/stride-2", VFI_F16, FALSE, FALSE,
    "conv stride 2 padding 1 dilation 1 x f16 1x8x10x14/1,112,8 w f16 24x8x3x3/1,24,8; "
    "add b f32 1x24x1x1/1,24,24; "
    "relu 0.1 y f16 1x24x5x7/1,168,24" },
  { "conv2d/dilation-3-stride-2", VFI_F32, FALSE, FALSE,
    "conv stride 2 padding 3 dilation 3 x f32 1x4x11x12/1,48,4 w f32 5x4x3x3/1,12,4; "
    "add b f32 1x5x1x1/1,5,5 y f32 1x5x6x6/1,30,5" },
  { "conv2d/residual", VFI_F16, FALSE, FALSE,
    "conv stride 1 padding 1 dilation 1 x f16 1x32x7x6/1,192,32 w f16 28x32x3x3/1,96,32; "
    "add b f32 1x28x1x1/1,28,28; "
    "add b f16 1x28x7x6/1,168,28; "
    "relu 0.1 y f16 1x28x7x6/1,168,28" },
  { "conv2d/no-bias", VFI_F16, FALSE, FALSE,
    "conv stride 1 padding 1 dilation 1 x f16 1x8x5x5/1,40,8 w f16 8x8x3x3/1,24,8 y f16 1x8x5x5/1,40,8" },
  { "conv2d/sigmoid", VFI_F16, FALSE, FALSE,
    "conv stride 1 padding 1 dilation 1 x f16 1x8x5x6/1,48,8 w f16 3x8x3x3/1,24,8; "
    "add b f32 1x3x1x1/1,3,3; "
    "sigmoid y f16 1x3x5x6/1,18,3" },
  { "conv2d/after", VFI_F16, FALSE, FALSE,
    "conv stride 2 padding 0 dilation 1 and 1 after x f16 1x16x8x14/1,224,16 w f16 32x16x3x3/1,48,16; "
    "add b f32 1x32x1x1/1,32,32; "
    "elu y f16 1x32x4x7/1,224,32" },
  { "conv2d/hardtanh", VFI_F32, FALSE, FALSE,
    "conv stride 1 padding 1 dilation 1 x f32 1x16x7x10/1,160,16 w f32 3x16x3x3/1,48,16 y f32 1x3x7x10/1,30,3" },
  { "conv2d/tanh", VFI_F16, FALSE, FALSE,
    "conv stride 1 padding 0 dilation 1 x f16 1x8x5x6/1,48,8 w f16 3x8x1x1/1,8,8; "
    "add b f32 1x3x1x1/1,3,3; "
    "tanh y f32 1x3x5x6/1,18,3" },
};

static void
check (gconstpointer data)
{
  const int i = GPOINTER_TO_INT (data);
  const OpCase *op = op_cases;
  GError *error = NULL;
  VfiBackend *b = vfi_cuda_backend_new (0, NULL, &error);

  g_assert_no_error (error);
  while (op->name && strcmp (op->name, table[i].op))
    op++;
  fake_cudnn.no_fusion = table[i].no_fusion;
  fake_cudnn.no_mixed = table[i].no_mixed;
  fake_cudnn.graphs = g_string_new (NULL);
  op_case_check (op, b, table[i].feature, 1e-2);
  /* Dense and strided alike. */
  g_strdelimit (fake_cudnn.graphs->str, "\n", 0);
  g_assert_cmpstr (fake_cudnn.graphs->str, ==, table[i].graph);
  g_string_free (fake_cudnn.graphs, TRUE);
  fake_cudnn.graphs = NULL;
  vfi_backend_unref (b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("VFI_MMA", "0", TRUE); /* all of them are cuDNN's */
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *name = g_strdup_printf ("/cuda/graph/%u/%s", i, table[i].op);

    g_test_add_data_func (name, GINT_TO_POINTER (i), check);
  }
  return g_test_run ();
}
