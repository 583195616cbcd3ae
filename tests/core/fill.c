/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What no frame shows, made up by a network: which pixels become what it paints, in the order of channels that it wants, at sizes smaller and larger than it sees.
 */
#include "fill.h"
#include "mask.h"

#define LEFT 30 /* the hole */
#define TOP 20
#define SIDE 24

/* Whatever it sees becomes this colour; what is known keeps its own, as far as the session is concerned. */
static void
paint (VfiGraph *g, const VfiModel *model, int h, int w)
{
  static const float colour[] = { 1, 0.25f, 0 };

  vfi_output (g, "result", vfi_affine (g, vfi_slice (g, vfi_input (g, "picture", VFI_F32, h, w, 4), 0, 3), 0, colour, VFI_F32));
}

static const VfiModel red_first = { .name = "paint", .task = "inpainting", .multiple = 2, .picture = { VFI_RGB }, .frame = paint },
                      blue_first = { .name = "paint", .task = "inpainting", .multiple = 2, .picture = { VFI_BGR }, .frame = paint };

static gboolean
in_hole (int x, int y)
{
  return x >= LEFT && x < LEFT + SIDE && y >= TOP && y < TOP + SIDE;
}

static void
painted (const VfiModel *model, int w, int h)
{
  const VfiFrameInfo info = { VFI_FORMAT_RGB, w, h, VFI_RANGE_FULL };
  const guint8 want[] = { model->picture.order == VFI_RGB ? 255 : 0, 64, model->picture.order == VFI_RGB ? 0 : 255 },
               other[] = { 90, 120, 30 };
  g_autofree guint8 *before = g_malloc (w * h * 3), *after = g_malloc (w * h * 3);
  const VfiFrame frame = { .data = { before }, .stride = { w * 3 } }, made = { .data = { after }, .stride = { w * 3 } };
  VfiBackend *backend = vfi_reference_backend_new ();
  GError *error = NULL;
  VfiFill *fill = vfi_fill_new (vfi_network_new_on (backend, model, NULL, VFI_F32, VFI_FILL_SIZE, VFI_FILL_SIZE, &error), &error);
  VfiRegion region;
  VfiTrace trace = { 0 };

  g_assert_no_error (error);
  for (int i = 0; i < w * h * 3; i++)
    before[i] = after[i] = other[i % 3];
  g_assert_true (vfi_region_init (&region, w, h));
  region.n_boxes = 1;
  region.box[0] = (VfiBox){ LEFT - 4, TOP - 4, MIN (LEFT + SIDE + 4, w), MIN (TOP + SIDE + 4, h), 0 };
  region.area = (gsize) (region.box[0].x1 - region.box[0].x0) * (region.box[0].y1 - region.box[0].y0);
  g_assert_true (vfi_trace_reserve (&trace, region.area));
  g_assert_false (vfi_fill_wanted (&region, &trace));
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      region.mark[y * w + x] = in_hole (x, y) ? VFI_MARK_HOLE : VFI_MARK_CLEAR;
  vfi_trace_begin (&trace, &region, 7);
  for (gsize i = 0; i < region.area; i++)
    trace.chosen[i].kind = VFI_REF_NONE;

  g_assert_true (vfi_fill_wanted (&region, &trace));
  g_assert_true (vfi_fill_run (fill, &info, &region, &trace, &frame, &made, 7, &error));
  g_assert_no_error (error);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      const gssize i = vfi_region_index (&region, x, y);

      if (in_hole (x, y)) {
        for (int c = 0; c < 3; c++)
          g_assert_cmpint (ABS (after[(y * w + x) * 3 + c] - want[c]), <=, 1);
        g_assert_cmpint (trace.chosen[i].kind, ==, VFI_REF_MADE);
        g_assert_cmpint (trace.chosen[i].frame, ==, 7);
        g_assert_cmpfloat (trace.chosen[i].x, ==, x);
      } else if (i >= 0) {
        g_assert_cmpint (trace.chosen[i].kind, ==, VFI_REF_NONE);
      }
    }
  vfi_trace_clear (&trace);
  vfi_region_clear (&region);
  vfi_fill_free (fill);
  vfi_backend_unref (backend);
}

static void
order (void)
{
  painted (&red_first, 96, 80);
  painted (&blue_first, 96, 80);
}

static void
sizes (void)
{
  painted (&blue_first, 57, 45); /* smaller than what the network sees, both odd; */
  painted (&red_first, 640, 360);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fill/order", order);
  g_test_add_func ("/fill/sizes", sizes);
  return g_test_run ();
}
