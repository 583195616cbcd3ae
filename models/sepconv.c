/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SepConv and its revision: no motion, but for every pixel of the new frame two kernels of 51 x 51, each a column times a row, that the
 * two pictures are filtered with.
 *
 * S. Niklaus et al., "Video Frame Interpolation via Adaptive Separable Convolution", ICCV 2017; sniklaus/sepconv-slomo.
 * S. Niklaus et al., "Revisiting Adaptive Convolutions for Video Frame Interpolation", WACV 2021; sniklaus/revisiting-sepconv.
 *
 * Details that bite:
 * - Pictures are blue first, in [0, 1]. Only the middle is known; other times are reached by halving.
 * - sepconv enlarges with align_corners = True, sepconv-plus without. Skips are added. Its kernels are not normalised: brightness is learnt.
 * - The published file has the names of an older program, module* where today's says net*; they are asked for as they are.
 * - sepconv-plus takes off the mean of both pictures and divides by their deviation, for the network only; filters a plane of ones too, and
 *   divides by the result where it is not next to nothing. Its activations stand before the convolutions, with one slope for all channels.
 * - Padding is by nearest pixels, right and bottom: sepconv to a multiple of 128, as its program's "improved" way. sepconv-plus to even
 *   sizes, which the statistics include; its decoder cuts off what it makes too large of halved odd sizes.
 * - Results are clamped and cut off to bytes, not rounded (but for sepconv-plus's figures, which are of rounded ones).
 */
#include "build.h"

#define TAPS 51

static const int channels[] = { 32, 64, 128, 256, 512 };

static VfiTensor *
conv (VfiGraph *g, const char *name, VfiTensor *x, int c)
{
  return vfi_conv2d (g, name, x, c, 3, .padding = 1);
}

static void
frame (VfiGraph *g, const VfiModel *model, int h, int w)
{
  VfiTensor *x = vfi_input (g, "picture", VFI_F32, h, w, 3);

  vfi_output (g, "bgr", x);
  if (model->config)
    vfi_output (g, "moments", vfi_moments (g, x));
}

/* ---- sepconv ------------------------------------------------------------------------------------ */

static VfiTensor *
relu (VfiGraph *g, const char *name, VfiTensor *x, int c)
{
  return vfi_conv2d (g, name, x, c, 3, .padding = 1, .act = VFI_RELU);
}

static VfiTensor *
basic (VfiGraph *g, const char *name, VfiTensor *x, int c, int last)
{
  vfi_push (g, "%s", name);
  x = relu (g, "4", relu (g, "2", relu (g, "0", x, c), c), last);
  vfi_pop (g);
  return x;
}

static void
at (VfiGraph *g, const VfiModel *model, int h, int w)
{
  VfiTensor *picture[2], *skip[5], *x, *made[2];

  for (int i = 0; i < 2; i++)
    picture[i] = vfi_input (g, vfi_numbered ("%d.bgr", i), VFI_F32, h, w, 3);
  x = vfi_concat (g, picture[0], picture[1]);
  for (int l = 0; l < 5; l++) {
    skip[l] = basic (g, vfi_numbered ("moduleConv%d", l + 1), x, channels[l], channels[l]);
    x = vfi_downsample (g, skip[l], 2, NULL);
  }
  for (int l = 4; l >= 1; l--) {
    x = basic (g, vfi_numbered ("moduleDeconv%d", l + 1), x, channels[l], channels[l]);
    vfi_push (g, "moduleUpsample%d", l + 1);
    x = vfi_mix (g, relu (g, "1", vfi_resize_corners (g, x), channels[l]), skip[l]);
    vfi_pop (g);
  }
  for (int i = 0; i < 2; i++) {
    const char *const names[][2] = { { "moduleVertical1.7", "moduleHorizontal1.7" }, { "moduleVertical2.7", "moduleHorizontal2.7" } };
    VfiTensor *v = basic (g, vfi_numbered ("moduleVertical%d", i + 1), x, 64, TAPS),
              *u = basic (g, vfi_numbered ("moduleHorizontal%d", i + 1), x, 64, TAPS);

    made[i] = vfi_sepconv (g, picture[i], v, u, TAPS, .vertical = names[i][0], .horizontal = names[i][1], .corners = TRUE);
  }
  vfi_output (g, "result", vfi_mix (g, made[0], made[1]));
}

/* ---- sepconv-plus ------------------------------------------------------------------------------- */

/* The last layers work on 3 x 64 channels at the picture's size: of so many pixels at once, by parts of the height, so that they take 0.8 GB at
 * most. A row of the result sees AROUND rows of what comes in, those of the kernel and one for each of two convolutions and an enlargement. */
typedef struct
{
  int pixels;
} Plus;

static const Plus plus = { 1 << 20 };

#define AROUND ((TAPS / 2 + 3 + 1) / 2 * 2)

/* Layers from `first` on: convolution, slope, convolution. */
static VfiTensor *
twice (VfiGraph *g, int first, VfiTensor *x, int c, int stride)
{
  g_autofree char *name = g_strdup_printf ("%d", first), *slope = g_strdup_printf ("%d.weight", first + 1);

  x = vfi_conv2d (g, name, x, c, 3, .stride = stride, .padding = 1, .act = VFI_PRELU, .slopes = slope, .one_slope = TRUE);
  return conv (g, vfi_numbered ("%d", first + 2), x, c);
}

/* Rows of the result, from the last features of the decoder. */
static VfiTensor *
rows_plus (VfiGraph *g, VfiTensor *features, VfiTensor *const picture[2], int first, int rows)
{
  const int top = MAX (0, first - AROUND), all = MIN (vfi_height (picture[0]), first + rows + AROUND) - top;
  VfiTensor *x = vfi_resize (g, vfi_rows (g, features, top / 2, all / 2), .scale = 2), *made[2];

  for (int i = 0; i < 2; i++) {
    const char *const names[][2] = { { "netVerone.netMain", "netHorone.netMain" }, { "netVertwo.netMain", "netHortwo.netMain" } };
    g_autofree char *vertical = g_strconcat (names[i][0], ".3", NULL), *horizontal = g_strconcat (names[i][1], ".3", NULL);
    VfiTensor *f[2];

    for (int j = 0; j < 2; j++) {
      vfi_push (g, "%s", names[i][j]);
      f[j] = vfi_conv2d (g, "1", x, channels[1], 3, .padding = 1, .act = VFI_PRELU, .slopes = "2.weight", .one_slope = TRUE);
      vfi_pop (g);
    }
    made[i] =
        vfi_sepconv (g, vfi_rows (g, picture[i], top, all), f[0], f[1], TAPS, .vertical = vertical, .horizontal = horizontal, .sum = TRUE);
  }
  return vfi_divide (g, vfi_rows (g, vfi_mix (g, made[0], made[1]), first - top, rows));
}

static void
at_plus (VfiGraph *g, const VfiModel *model, int h, int w)
{
  VfiTensor *m0 = vfi_input (g, "0.moments", VFI_F32, 1, 1, 2), *m1 = vfi_input (g, "1.moments", VFI_F32, 1, 1, 2);
  const Plus *k = model->config;
  VfiTensor *picture[2], *in[2], *level[5], *x;
  int n, done = 0;

  for (int i = 0; i < 2; i++) {
    picture[i] = vfi_input (g, vfi_numbered ("%d.bgr", i), VFI_F32, h, w, 3);
    x = vfi_scale (g, vfi_normalize (g, picture[i], m0, m1, TRUE), NULL, VFI_FEATURE);
    in[i] = conv (g, "netInput", x, channels[0] / 2);
  }
  level[0] = vfi_concat (g, in[0], in[1]);
  for (int l = 1; l < 5; l++) {
    vfi_push (g, "netEncode.0.netVer.%d.netMain", l);
    level[l] = twice (g, 1, vfi_prelu (g, "0", level[l - 1]), channels[l], 2);
    vfi_pop (g);
  }
  for (int l = 4; l >= 1; l--) {
    vfi_push (g, "netDecode.0.netHor.%d.netMain", 4 - l);
    level[l] = vfi_mix (g, twice (g, 1, vfi_prelu (g, "0", level[l]), channels[l], 1), level[l]);
    vfi_pop (g);
  }
  for (int l = 3; l >= 1; l--) {
    vfi_push (g, "netDecode.0.netVer.%d.netMain", 4 - l);
    x = twice (g, 2, vfi_resize (g, vfi_prelu (g, "0", level[l + 1]), .scale = 2), channels[l], 1);
    level[l] = vfi_mix (g, level[l], vfi_crop (g, x, vfi_height (level[l]), vfi_width (level[l])));
    vfi_pop (g);
  }
  n = 1 + (gint64) h * w / k->pixels;
  g_autofree VfiTensor **part = g_new (VfiTensor *, n);
  for (int i = 0; i < n; i++) {
    const int end = (i + 1) * (gint64) (h / 2) / n * 2;

    part[i] = rows_plus (g, level[1], picture, done, end - done);
    done = end;
  }
  vfi_output (g, "result", n == 1 ? part[0] : vfi_stack (g, part, n));
}

const VfiModel vfi_model_sepconv = {
  .name = "sepconv",
  .task = "interpolation",
  .summary = "SepConv",
  .paper = "S. Niklaus et al., Video Frame Interpolation via Adaptive Separable Convolution, ICCV 2017",
  .source = "sniklaus/sepconv-slomo, academic use only",
  .picture = { VFI_BGR, .truncates = TRUE },
  .multiple = 128,
  .frame = frame,
  .at = at,
};
const VfiModel vfi_model_sepconv_plus = {
  .name = "sepconv-plus",
  .task = "interpolation",
  .summary = "SepConv++, its revision",
  .paper = "S. Niklaus et al., Revisiting Adaptive Convolutions for Video Frame Interpolation, WACV 2021",
  .source = "sniklaus/revisiting-sepconv, Adobe Research: non-commercial",
  .picture = { VFI_BGR, .truncates = TRUE },
  .multiple = 2,
  .config = &plus,
  .frame = frame,
  .at = at_plus,
};
