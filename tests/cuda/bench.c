/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How fast a network runs from frames in CUDA memory to frames in CUDA memory (NV12), as in a pipeline from decoder to encoder, and from system
 * memory and back; and what the device can do:
 *
 *   cuda-bench MODEL WEIGHTS WIDTH HEIGHT [FRAMES [noise|FILE]]
 *
 * prints a JSON object. Frames are a smooth texture that moves, where searches soon have what they look for; or noise, a new one each, where they never have;
 * or the first ones of a file of raw NV12. It takes the driver and cuDNN only. ("vfi bench --backend cuda" measures the second in a session of its own.)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cuda/cuda.h"
#include "interp.h"
#include "model.h"
#include "weights.h"

VfiBackend *vfi_cuda_backend_new (int device, gpointer stream, GError **error);

#define N_FRAMES 4
#define WARM_UP 10

/* On the host, where b is NULL; g_free there. Without data if the file, `what`, is too short. */
static VfiFrame
frame_new (VfiBackend *b, int w, int h, int i, const char *what, GError **error)
{
  const int pitch = (w + 255) & ~255, rows = h + (h + 1) / 2;
  g_autoptr (GRand) rand = g_rand_new_with_seed (i);
  g_autofree guint8 *host = g_malloc ((gsize) pitch * rows);
  const gboolean noise = !strcmp (what, "noise");
  guint8 *p = b ? b->klass->alloc (b, (gsize) pitch * rows, error) : host;

  for (int y = 0; y < rows; y++)
    for (int x = 0; x < pitch; x++)
      host[(gsize) y * pitch + x] =
          noise ? (guint8) g_rand_int (rand) : (guint8) (128 + (y < h ? 90 : 20) * sin ((x + 5 * i) * 0.11) * cos ((y - 3 * i) * 0.07));
  if (!noise && strcmp (what, "texture")) {
    FILE *file = fopen (what, "rb");
    gboolean good = file && !fseek (file, (long) w * rows * (i % N_FRAMES), SEEK_SET);

    for (int y = 0; good && y < rows; y++)
      good = fread (host + (gsize) y * pitch, w, 1, file) == 1;
    if (file)
      fclose (file);
    if (!good) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG, "%s has no %d frames of %d x %d, NV12", what, N_FRAMES, w, h);
      return (VfiFrame){ .memory = VFI_MEMORY_HOST };
    }
  }
  if (b && p)
    b->klass->upload (b, p, host, (gsize) pitch * rows);
  if (!b)
    host = NULL;
  return (VfiFrame){ b ? VFI_MEMORY_CUDA : VFI_MEMORY_HOST, { p, p ? p + (gsize) pitch * h : NULL }, { pitch, pitch } };
}

/* Milliseconds per synthesized frame of n in a stream, each pair knowing the one before, each waited for, those in system memory while the next one is computed; negative with an error. */
static double
stream (VfiInterp *s, const VfiFrame f[N_FRAMES + 2], int n, GError **error)
{
  const gint64 start = g_get_monotonic_time ();
  const gboolean ahead = f->memory == VFI_MEMORY_HOST;

  for (int i = 0; i < n; i++) {
    VfiFrame dst = f[N_FRAMES + i % 2];

    if (!vfi_interp_set_pair (s, &f[i % N_FRAMES], &f[(i + 1) % N_FRAMES], error) ||
        !vfi_interp_set_neighbours (s, i ? &f[(i + N_FRAMES - 1) % N_FRAMES] : NULL, 1, NULL, 0, error) ||
        !vfi_interp_start (s, 0.5, &dst, error) || (i >= ahead && !vfi_interp_finish (s, error)))
      return -1;
  }
  return vfi_interp_finish (s, error) ? (g_get_monotonic_time () - start) * 1e-3 / n : -1;
}

/* The best of five. */
static double
best_stream (VfiInterp *s, const VfiFrame f[N_FRAMES + 2], int n, GError **error)
{
  double best = stream (s, f, WARM_UP, error) < 0 ? -1 : INFINITY;

  for (int i = 0; i < 5 && best >= 0; i++)
    best = MIN (best, stream (s, f, n, error));
  return best;
}

static gboolean
bench (const char *model, const char *file, int w, int h, int n, const char *what, GError **error)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, w, h, VFI_RANGE_LIMITED };
  const VfiModel *m = vfi_model_find (model, error);
  g_autoptr (VfiWeights) weights = m ? vfi_weights_open (file, error) : NULL;
  g_autoptr (VfiBackend) b = weights ? vfi_cuda_backend_new (0, NULL, error) : NULL;
  gsize before = 0, after = 0, total = 0;
  VfiProfile lines[64];
  VfiFrame f[N_FRAMES + 2], on_host[N_FRAMES + 2];
  double create, ms, host_ms, conv_flops, copy_bytes;
  int runtime = 0;
  gint64 start;
  VfiInterp *s;
  int n_lines;

  if (!b)
    return FALSE;
  for (int i = 0; i < N_FRAMES + 2; i++) {
    f[i] = frame_new (b, w, h, i, what, error);
    on_host[i] = frame_new (NULL, w, h, i, what, error);
    if (!f[i].data[0])
      return FALSE;
  }
  b->klass->begin (b);
  cudaMemGetInfo (&before, &total);
  b->klass->end (b);
  start = g_get_monotonic_time ();
  if (!(s = vfi_interp_new_on (b, m, weights, VFI_F16, &info, 1, error)))
    return FALSE;
  create = (g_get_monotonic_time () - start) * 1e-3;
  if ((ms = best_stream (s, f, n, error)) < 0)
    return FALSE;
  b->klass->begin (b);
  cudaMemGetInfo (&after, &total);
  b->klass->end (b);
  if ((host_ms = best_stream (s, on_host, n, error)) < 0 || !b->klass->rates (b, VFI_F16, 0.5, &conv_flops, &copy_bytes, error))
    return FALSE;
  cudaRuntimeGetVersion (&runtime);
  vfi_interp_reset (s);
  vfi_interp_set_profile (s, TRUE);
  if (stream (s, f, 10, error) < 0)
    return FALSE;
  n_lines = vfi_interp_get_profile (s, lines, G_N_ELEMENTS (lines));
  g_print (
      "{ \"model\": \"%s\", \"backend\": \"%s\", \"precision\": \"fp16\", \"format\": \"NV12\", \"memory\": \"CUDA\", \"frames\": \"%s\",\n"
      "  \"width\": %d, \"height\": %d, \"create_ms\": %.0f, \"frame_ms\": %.4f, \"host_ms\": %.4f, \"device_mb\": %.1f,\n"
      "  \"machine_conv_gflops\": %.1f, \"machine_copy_gbytes\": %.2f, \"cuda\": \"%d.%d\",\n  \"stages\": [",
      model, b->description, what, w, h, create, ms, host_ms, (before - after) * 1e-6, conv_flops * 1e-9, copy_bytes * 1e-9, runtime / 1000,
      runtime / 10 % 100);
  for (int i = 0; i < MIN (n_lines, (int) G_N_ELEMENTS (lines)); i++)
    g_print ("%s\n    { \"name\": \"%s\", \"ms_per_frame\": %.4f, \"gflop_per_frame\": %.3f, \"mbytes_per_frame\": %.2f }", i ? "," : "",
             lines[i].name, lines[i].seconds * 1e3 / 10, lines[i].flop * 1e-9 / 10, lines[i].bytes * 1e-6 / 10);
  g_print (" ] }\n");
  vfi_interp_free (s);
  for (int i = 0; i < N_FRAMES + 2; i++) {
    b->klass->dealloc (b, f[i].data[0]);
    g_free (on_host[i].data[0]);
  }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc < 5) {
    g_printerr ("usage: cuda-bench MODEL WEIGHTS WIDTH HEIGHT [FRAMES [noise|FILE]]\n");
    return 2;
  }
  if (bench (argv[1], argv[2], atoi (argv[3]), atoi (argv[4]), argc > 5 ? atoi (argv[5]) : 100, argc > 6 ? argv[6] : "texture", &error))
    return 0;
  g_printerr ("cuda-bench: %s\n", error->message);
  return 1;
}
