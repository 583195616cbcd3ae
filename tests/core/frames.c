/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frames.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../generate.h"

#define SENTINEL 0xa5
#define GUARD 64

/* Memory that ends where no more may be read: `size` bytes, the last of them the last of a page. */
static guint8 *
fenced_new (gsize size, guint8 **pages, gsize *mapped)
{
  const gsize page = (gsize) sysconf (_SC_PAGESIZE), whole = (size + page - 1) / page * page;

  *mapped = whole + page;
  *pages = mmap (NULL, *mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  g_assert_true (*pages != MAP_FAILED);
  g_assert_cmpint (mprotect (*pages + whole, page, PROT_NONE), ==, 0);
  return *pages + whole - size;
}

TestFrame *
test_frame_new (const VfiFrameInfo *info, int pad)
{
  TestFrame *f = g_new0 (TestFrame, 1);

  f->info = *info;
  f->n_planes = vfi_format_planes (info->format, f->layout);
  for (int i = 0; i < f->n_planes; i++) {
    const VfiPlaneLayout *l = &f->layout[i];
    vfi_frame_info_plane_size (info, i, &f->w[i], &f->h[i]);
    f->frame.stride[i] = (f->w[i] * l->comps * l->bytes + pad + l->bytes - 1) / l->bytes * l->bytes;
    f->size[i] = GUARD + (gsize) f->h[i] * f->frame.stride[i];
    f->memory[i] = fenced_new (f->size[i], &f->pages[i], &f->mapped[i]);
    memset (f->memory[i], SENTINEL, f->size[i]);
    f->frame.data[i] = f->memory[i] + GUARD;
    for (int y = 0; y < f->h[i]; y++)
      memset (f->frame.data[i] + (gsize) y * f->frame.stride[i], 0, (gsize) f->w[i] * l->comps * l->bytes);
  }
  return f;
}

void
test_frame_free (TestFrame *f)
{
  for (int i = 0; f && i < f->n_planes; i++)
    munmap (f->pages[i], f->mapped[i]);
  g_free (f);
}

gboolean
test_frame_intact (const TestFrame *f)
{
  for (int i = 0; i < f->n_planes; i++) {
    gsize row = (gsize) f->w[i] * f->layout[i].comps * f->layout[i].bytes;
    for (gsize at = 0; at < f->size[i]; at++) {
      gssize pixel = (gssize) at - GUARD;
      gboolean inside = pixel >= 0 && (gsize) pixel % f->frame.stride[i] < row;
      if (!inside && f->memory[i][at] != SENTINEL)
        return FALSE;
    }
  }
  return TRUE;
}

int
test_frame_get (const TestFrame *f, int plane, int y, int x, int comp)
{
  const VfiPlaneLayout *l = &f->layout[plane];
  const guint8 *p = f->frame.data[plane] + (gsize) y * f->frame.stride[plane] + (gsize) (x * l->comps + comp) * l->bytes;
  return l->bytes == 1 ? *p : (p[0] | p[1] << 8) >> l->shift;
}

void
test_frame_set (TestFrame *f, int plane, int y, int x, int comp, int value)
{
  const VfiPlaneLayout *l = &f->layout[plane];
  guint8 *p = f->frame.data[plane] + (gsize) y * f->frame.stride[plane] + (gsize) (x * l->comps + comp) * l->bytes;
  p[0] = (guint8) (value << l->shift);
  if (l->bytes == 2)
    p[1] = (guint8) (value << l->shift >> 8);
}

int
test_frame_max (const TestFrame *f, int plane)
{
  return (1 << f->layout[plane].depth) - 1;
}

#define EACH_SAMPLE(f, i, y, x, c)                                                                                                         \
  for (int i = 0; i < (f)->n_planes; i++)                                                                                                  \
    for (int y = 0; y < (f)->h[i]; y++)                                                                                                    \
      for (int x = 0; x < (f)->w[i]; x++)                                                                                                  \
        for (int c = 0; c < (f)->layout[i].comps; c++)

void
test_frame_fill (TestFrame *f, TestPicture picture, gconstpointer data)
{
  EACH_SAMPLE (f, i, y, x, c)
  {
    double v = picture (f, i, c, (y + 0.5) * (1 << f->layout[i].sub_y), (x + 0.5) * (1 << f->layout[i].sub_x), data);
    test_frame_set (f, i, y, x, c, (int) floor (CLAMP (v, 0, 1) * test_frame_max (f, i) + 0.5));
  }
}

void
test_frame_random (TestFrame *f, const char *seed)
{
  guint64 s = test_seed (seed), k = 0;

  EACH_SAMPLE (f, i, y, x, c)
  test_frame_set (f, i, y, x, c, (int) ((test_uniform (s, k++) + 1) / 2 * (test_frame_max (f, i) + 1)));
}

int
test_frame_worst (const TestFrame *a, const TestFrame *b, int margin)
{
  int worst = 0;

  EACH_SAMPLE (a, i, y, x, c)
  {
    int my = margin >> a->layout[i].sub_y, mx = margin >> a->layout[i].sub_x;
    if (y >= my && y < a->h[i] - my && x >= mx && x < a->w[i] - mx)
      worst = MAX (worst, abs (test_frame_get (a, i, y, x, c) - test_frame_get (b, i, y, x, c)));
  }
  return worst;
}

int
test_frame_worst_in (const TestFrame *a, const TestFrame *b, int x, int y, int width, int height)
{
  int worst = 0;

  for (int i = y; i < y + height; i++)
    for (int j = x; j < x + width; j++)
      worst = MAX (worst, ABS (test_frame_get (a, 0, i, j, 0) - test_frame_get (b, 0, i, j, 0)));
  return worst;
}

void
test_boxed (const VfiView *x, const int bars[4], float dark, float noise)
{
  const guint64 seed = test_seed ("boxed");

  for (int i = 0; i < x->h; i++)
    for (int j = 0; j < x->w; j++)
      for (int c = 0; c < x->c; c++) {
        const int row = 2 * i + c / 2, column = 2 * j + c % 2;
        const float u = (float) test_uniform (seed, (guint64) (i * x->w + j) * x->c + c);
        const gboolean bar = row < bars[0] || column < bars[1] || row >= 2 * x->h - bars[2] || column >= 2 * x->w - bars[3];

        vfi_view_set (x, i, j, c, c >= 4 ? 0.05f * u : bar ? dark + 0.5f * noise * u : 0.5f + 0.3f * u);
      }
}
