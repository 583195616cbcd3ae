/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The graphs of convolutions before the real cuDNN, where it is installed: for a device that is described instead of present, it checks every
 * descriptor and finds engines. (Engines that it compiles need the driver for that: without one, fused graphs are accepted and then have
 * no engine.)
 */
#include "../../cuda/cudnn_conv.h"
#include "vfi.h"

/* What cuDNN knows of an H200. */
static const char device[] =
    "{\"cudnnVersion\":90800,\"schemaVersion\":1,\"deviceName\":\"NVIDIA H200\",\"deviceVer\":900,\"driverVer\":13000,\"cudaDeviceId\":0,"
    "\"pciDeviceId\":0,\"isTccDriver\":0,\"supportCoopLaunch\":1,\"multiProcessorCount\":132,\"warpSize\":32,"
    "\"maxGridSize\":[2147483647,65535,65535],\"maxBlockSize\":[1024,1024,64],\"maxThreadsPerBlock\":1024,\"maxThreadsPerSM\":2048,"
    "\"maxCtasPerSM\":32,\"regsPerBlock\":65536,\"maxRegistersPerSM\":65536,\"maxSharedMemoryPerBlock\":49152,"
    "\"maxSharedMemoryPerBlockOptin\":232448,\"reservedSharedMemoryPerBlock\":1024,\"totalGlobalMem\":150000000000,"
    "\"l2CacheSize\":62914560,\"smClockRateKHz\":1980000,\"memClockRateKHz\":3201000}";

#define CONV(H, W, C, K, KERNEL, STRIDE)                                                                                                   \
  .h = H, .w = W, .c = C, .k = K, .kernel = KERNEL, .stride = STRIDE, .padding = KERNEL / 2, .dilation = 1, .src = VFI_F16, .dst = VFI_F16
#define FUSED .bias = TRUE, .act = VFI_LEAKY_RELU, .slope = 0.1f

static const struct
{
  const char *name;
  VfiCudnnConvDesc desc;
  gboolean compiled; /* its engines are */
} table[] = {
  { "3x3", { CONV (270, 480, 72, 72, 3, 1) } },
  { "1x1", { CONV (270, 480, 120, 72, 1, 1) } },
  { "stride-2", { CONV (540, 960, 8, 32, 3, 2) } },
  { "odd-channels", { CONV (270, 480, 72, 20, 1, 1) } },
  { "fused", { CONV (270, 480, 72, 72, 3, 1), FUSED }, TRUE },
  { "fused-residual", { CONV (270, 480, 72, 72, 3, 1), FUSED, .residual = TRUE }, TRUE },
  { "fused-prelu", { CONV (136, 240, 96, 96, 3, 1), .bias = TRUE, .residual = TRUE, .act = VFI_PRELU }, TRUE },
  { "after", { CONV (128, 128, 64, 64, 3, 2), .after = 1 } },
  { "fused-elu", { CONV (64, 64, 128, 128, 3, 1), .bias = TRUE, .act = VFI_ELU }, TRUE },
  { "fused-sigmoid", { CONV (136, 240, 96, 8, 3, 1), .bias = TRUE, .act = VFI_SIGMOID }, TRUE },
};

static VfiCudnn *cudnn;

static void
check (gconstpointer data)
{
  const int i = GPOINTER_TO_INT (data);
  GError *error = NULL;
  VfiCudnnConv *conv = vfi_cudnn_conv_new (cudnn, &table[i].desc, &error);

  if (conv) {
    g_autofree char *engine = vfi_cudnn_conv_engine (conv);

    g_test_message ("%s", engine);
    vfi_cudnn_conv_free (conv);
    return;
  }
  g_test_message ("%s", error->message);
  g_assert_true (table[i].compiled);
  g_assert_nonnull (strstr (error->message, "CUDNN_STATUS_NOT_SUPPORTED"));
  g_error_free (error);
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  if (!(cudnn = vfi_cudnn_new (NULL, device, &error))) {
    g_print ("1..0 # SKIP %s\n", error->message);
    return 0;
  }
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *name = g_strdup_printf ("/cuda/cudnn/%s", table[i].name);

    g_test_add_data_func (name, GINT_TO_POINTER (i), check);
  }
  result = g_test_run ();
  vfi_cudnn_free (cudnn);
  return result;
}
