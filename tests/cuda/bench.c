/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How fast a network runs from frames in CUDA memory to frames in CUDA memory (NV12), as in a pipeline from decoder to encoder:
 *
 *   cuda-bench MODEL WEIGHTS WIDTH HEIGHT [FRAMES]
 *
 * prints a JSON object. ("vfi bench --backend cuda" measures the same from system memory and back.)
 */
#include <math.h>
#include <stdlib.h>

#include "../../cuda/cuda.h"
#include "interp.h"
#include "model.h"
#include "weights.h"

VfiBackend *vfi_cuda_backend_new (int device, GError **error);

#define N_FRAMES 4
#define WARM_UP 10

static VfiFrame
frame_new (VfiBackend *b, int w, int h, int i, GError **error)
{
  const int pitch = (w + 255) & ~255, rows = h + (h + 1) / 2;
  g_autofree guint8 *host = g_malloc ((gsize) pitch * rows);
  guint8 *p = b->klass->alloc (b, (gsize) pitch * rows, error);

  for (int y = 0; y < rows; y++)
    for (int x = 0; x < pitch; x++)
      host[(gsize) y * pitch + x] = (guint8) (128 + (y < h ? 90 : 20) * sin ((x + 5 * i) * 0.11) * cos ((y - 3 * i) * 0.07));
  if (p)
    b->klass->upload (b, p, host, (gsize) pitch * rows);
  return (VfiFrame){ VFI_MEMORY_CUDA, { p, p ? p + (gsize) pitch * h : NULL }, { pitch, pitch } };
}

/* Milliseconds per synthesized frame of n in a stream, each waited for; negative with an error. */
static double
stream (VfiInterp *s, const VfiFrame f[N_FRAMES + 1], int n, GError **error)
{
  const gint64 start = g_get_monotonic_time ();
  VfiFrame dst = f[N_FRAMES];

  for (int i = 0; i < n; i++)
    if (!vfi_interp_set_pair (s, &f[i % N_FRAMES], &f[(i + 1) % N_FRAMES], error) || !vfi_interp_at (s, 0.5, &dst, error))
      return -1;
  return (g_get_monotonic_time () - start) * 1e-3 / n;
}

static gboolean
bench (const char *model, const char *file, int w, int h, int n, GError **error)
{
  const VfiFrameInfo info = { VFI_FORMAT_NV12, w, h, VFI_RANGE_LIMITED };
  const VfiModel *m = vfi_model_find (model, error);
  g_autoptr (VfiWeights) weights = m ? vfi_weights_open (file, error) : NULL;
  g_autoptr (VfiBackend) b = weights ? vfi_cuda_backend_new (0, error) : NULL;
  gsize before = 0, after = 0, total = 0;
  VfiProfile lines[64];
  VfiFrame f[N_FRAMES + 1];
  double create, ms, best = INFINITY;
  gint64 start;
  VfiInterp *s;
  int n_lines;

  if (!b)
    return FALSE;
  for (int i = 0; i <= N_FRAMES; i++) {
    f[i] = frame_new (b, w, h, i, error);
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
  if (stream (s, f, WARM_UP, error) < 0)
    return FALSE;
  for (int i = 0; i < 5; i++) {
    if ((ms = stream (s, f, n, error)) < 0)
      return FALSE;
    best = MIN (best, ms);
  }
  b->klass->begin (b);
  cudaMemGetInfo (&after, &total);
  b->klass->end (b);
  vfi_interp_set_profile (s, TRUE);
  if (stream (s, f, 10, error) < 0)
    return FALSE;
  n_lines = vfi_interp_get_profile (s, lines, G_N_ELEMENTS (lines));
  g_print ("{ \"model\": \"%s\", \"backend\": \"%s\", \"precision\": \"fp16\", \"format\": \"NV12\", \"memory\": \"CUDA\",\n"
           "  \"width\": %d, \"height\": %d, \"create_ms\": %.0f, \"frame_ms\": %.4f, \"device_mb\": %.1f,\n  \"stages\": [",
           model, b->description, w, h, create, best, (before - after) * 1e-6);
  for (int i = 0; i < MIN (n_lines, (int) G_N_ELEMENTS (lines)); i++)
    g_print ("%s\n    { \"name\": \"%s\", \"ms_per_frame\": %.4f, \"gflop_per_frame\": %.3f, \"mbytes_per_frame\": %.2f }", i ? "," : "",
             lines[i].name, lines[i].seconds * 1e3 / 10, lines[i].flop * 1e-9 / 10, lines[i].bytes * 1e-6 / 10);
  g_print (" ] }\n");
  vfi_interp_free (s);
  for (int i = 0; i <= N_FRAMES; i++)
    b->klass->dealloc (b, f[i].data[0]);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc < 5) {
    g_printerr ("usage: cuda-bench MODEL WEIGHTS WIDTH HEIGHT [FRAMES]\n");
    return 2;
  }
  if (bench (argv[1], argv[2], atoi (argv[3]), atoi (argv[4]), argc > 5 ? atoi (argv[5]) : 100, &error))
    return 0;
  g_printerr ("cuda-bench: %s\n", error->message);
  return 1;
}
