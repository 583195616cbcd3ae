/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * synthesize of core/frame.h, a piece of a row at a time: the state's rows are blended and brought to the plane's columns, then places are
 * looked for, and then PLACES pixels are sampled at once (sample.h). From the state on, even and odd pixels lie in vectors of their own, as two columns
 * of a plane have one cell and halves of 32-bit words are 16-bit ones in order. Planes of one shape share all but the samples.
 */
#include <math.h>

#include "area.h"
#include "isa.h"
#include "sample.h"

#define BAND 16
#define PIXELS 256
#define GROUPS (PIXELS / PLACES)         /* of pixels that are sampled at once */
#define CELLS (PIXELS + 2 * PLACES + 32) /* of the state's grid that a piece needs, with room for whole groups and on either side */
#define FIRST 16                         /* where the first of them stands in a row */

/* Planes of one shape. */
typedef struct
{
  const VfiPlaneLayout *layout;
  int n, w, h; /* of the part that holds the picture, as all that follows; but */
  int left, top, full_w, full_h;
  int first[2], last[2]; /* its cells of the state's grid: row, column */
  float kx, ky;          /* samples of the scaled picture per pixel */
  float gain[8],
      bias[5]; /* the state times gain, plus bias: ONE_PIXEL parts of a pixel to add to a place in x and y for both frames; an exponent of 2;
                             2^-15; ONE_PIXEL parts of a pixel from one frame to the other */
  float t;
  const guint8 *source[2][4];
  int source_stride[2][4];
  guint8 *dst[4];
  int stride[4];
} Planes;

/* A channel of the state at a group's even and odd pixels. */
typedef Vec Columns[2];

/* ---- the state, in columns of the plane --------------------------------------------------------- */

/* Lower neighbour of a clamped coordinate and the weight of the upper one: both in first..last. */
static int
tap (float v, int first, int last, int *upper, float *f)
{
  int i;

  v = fminf (fmaxf (v, first), last);
  i = (int) v;
  *upper = MIN (i + 1, last);
  *f = v - i;
  return i;
}

/* Cells first to first + n - 1 of n_channels of the state, the first of them `from`, at row coordinate y, to cells[k][FIRST + i]; repeated by one before and a group behind
 * them. */
VFI_INLINE void
load_cells (const VfiView *state, const Planes *p, float y, int first, int n, const int from, const int n_channels, float cells[6][CELLS])
{
  const VfiView s = *state; /* a copy: for all that the compiler knows, what is written might be the view */
  float f;
  int upper, lower = tap (y, p->first[0], p->last[0], &upper, &f);

  for (int k = 0; k < n_channels; k++) {
    const int c = from + k, kind = c < 8 ? c : 5 + (c - 5) % 3;
    const Vec gain_a = vec_set ((1 - f) * p->gain[kind]), gain_b = vec_set (f * p->gain[kind]),
              bias = vec_set (kind < 5 ? p->bias[kind] : 0);
    const float *next = (const float *) s.data + ((gsize) (upper + 1) * s.w + first) * s.ld + (gsize) c * s.cd;
    float *to = cells[k] + FIRST;
    int x = 0;

    for (int i = 0; i < n * s.ld; i += 16)
      __builtin_prefetch (next + i, 0, 2);

#define CELLS_AT_X(lanes)                                                                                                                  \
  *(Vec *) (to + x) = vec_fma (gain_b, vec_load_pixels (&s, upper, first + x, c, lanes),                                                   \
                               vec_fma (gain_a, vec_load_pixels (&s, lower, first + x, c, lanes), bias))
    for (; x + VFI_LANES <= n; x += VFI_LANES)
      CELLS_AT_X (VFI_LANES);
    if (x < n)
      CELLS_AT_X (n - x);
#undef CELLS_AT_X
    to[-1] = to[0];
    for (x = 0; x < PLACES; x += VFI_LANES)
      *(Vec *) (to + n + x) = vec_set (to[n - 1]);
  }
}

/* A cell for two pixels: pixel 2 i lies at cell i - 1/4, pixel 2 i + 1 at i + 1/4. */
VFI_INLINE void
half_a_cell (const float *cell, Columns to)
{
  const Vec most = *(const Vec *) cell * .75f;

  to[0] = vec_fma (vec_set (.25f), *(const Vec *) (cell - 1), most);
  to[1] = vec_fma (vec_set (.25f), *(const Vec *) (cell + 1), most);
}

VFI_INLINE void
one_cell (const float *cell, Columns to)
{
  const Vec left = *(const Vec *) cell, right = *(const Vec *) (cell + VFI_LANES);

  to[0] = __builtin_shuffle (left, right, vec_iota () * 2);
  to[1] = __builtin_shuffle (left, right, vec_iota () * 2 + 1);
}

/* Where a group's even and odd pixels lie on the grid at any other ratio below two: pixel x at cell ((x + 1/2) k - 1) / 2, and none beyond `last`. */
typedef struct
{
  int base;     /* the first cell that the group sees, of at most as many as it has pixels, */
  VecI i[2];    /* and how many cells after it each pixel's lower one is */
  Vec f[2];     /* weight of the upper one */
  gboolean few; /* no more cells than a vector has */
} Under;

VFI_INLINE Under
cells_under (const Planes *p, int x0, int last)
{
  const float least = p->first[1], most = p->last[1];
  Under u = { .few = p->kx <= 0.75f };

  for (int odd = 0; odd < 2; odd++) {
    const VecI x = vec_mini (vec_iota () * 2 + (x0 + odd), (VecI){ 0 } + last);
    const Vec v = vec_min (vec_max (((VEC_TO_FLOAT (x) + 0.5f) * p->kx - 1) * 0.5f, vec_set (least)), vec_set (most));
    const VecI i = VEC_TO_INT (v);

    if (!odd)
      u.base = i[0];
    u.i[odd] = i - u.base;
    u.f[odd] = v - VEC_TO_FLOAT (i);
  }
  return u;
}

VFI_INLINE void
any_ratio (const float *cell, const Under *u, Columns to)
{
  const Vec left = vec_load (cell, VFI_F32, 0, VFI_LANES), right = vec_load (cell, VFI_F32, VFI_LANES, VFI_LANES);
  const Vec next_left = vec_load (cell, VFI_F32, 1, VFI_LANES), next_right = vec_load (cell, VFI_F32, 1 + VFI_LANES, VFI_LANES);

  for (int odd = 0; odd < 2; odd++) {
    const Vec a = u->few ? __builtin_shuffle (left, u->i[odd]) : __builtin_shuffle (left, right, u->i[odd]);
    const Vec b = u->few ? __builtin_shuffle (next_left, u->i[odd]) : __builtin_shuffle (next_left, next_right, u->i[odd]);

    to[odd] = vec_fma (u->f[odd], b - a, a);
  }
}

/* Whether any of these weights of a further opinion is one. */
VFI_INLINE gboolean
weighs (const Columns c)
{
  return vec_any_negative ((c[0] >= 0.5f) | (c[1] >= 0.5f));
}

/* Channels from to from + n_channels - 1 of the state, six at most, for pixels x0 to x0 + n - 1 of row y, and, to the end of a group, whatever there is. */
VFI_INLINE void
channels_row (const VfiView *s, const Planes *p, int y, int x0, int n, const int from, const int n_channels,
              Columns columns[VFI_MAX_STATE][GROUPS])
{
  const float at = ((y + 0.5f) * p->ky - 1) / 2;
  const int first = CLAMP ((int) floorf (((x0 + 0.5f) * p->kx - 1) / 2) - 1, p->first[1], p->last[1]);
  const int last = CLAMP ((int) floorf (((x0 + n - 0.5f) * p->kx - 1) / 2) + 2, first, p->last[1]);
  float cells[6][CELLS] __attribute__ ((aligned (64)));

  load_cells (s, p, at, first, last - first + 1, from, n_channels, cells);
  for (int i = 0; i * PLACES < n; i++) {
    const int x = x0 + i * PLACES;
    Under u;

    if (p->kx != 1 && p->kx != 2)
      u = cells_under (p, x, x0 + n - 1);
    for (int k = 0; k < n_channels; k++) {
      const float *cell = cells[k] + FIRST - first;

      if (p->kx == 1)
        half_a_cell (cell + x / 2, columns[from + k][i]);
      else if (p->kx == 2)
        one_cell (cell + x, columns[from + k][i]);
      else
        any_ratio (cell + u.base, &u, columns[from + k][i]);
    }
  }
}

/* All of them; no further opinion where it weighs nothing. */
static void
state_row (const VfiView *s, const Planes *p, int y, int x0, int n, Columns columns[VFI_MAX_STATE][GROUPS])
{
  channels_row (s, p, y, x0, n, 0, 6, columns);
  for (int c = 5; c < s->c; c += 3) {
    if (c > 5)
      channels_row (s, p, y, x0, n, c, 1, columns);
    for (int i = 0; i * PLACES < n; i++)
      if (weighs (columns[c][i])) {
        channels_row (s, p, y, x0, n, c + 1, 2, columns);
        break;
      }
  }
}

/* Where pixels go that do not move straight, in x and y: as parts of a pixel, ONE_PIXEL each. A group has few cells of that grid under it. */
VFI_INLINE void
bend_row (const VfiView *bend, const Planes *p, int y, int x0, int n, Columns columns[2][GROUPS])
{
  const VfiView s = *bend;
  const float step = p->kx / (2 * VFI_BEND_GRID), start = 0.5f * step - 0.5f;
  float f;
  int upper, lower = tap ((y + 0.5f) * p->ky / (2 * VFI_BEND_GRID) - 0.5f, 0, s.h - 1, &upper, &f);
  const int first = MAX ((int) floorf (x0 * step + start), 0), last = MIN ((int) floorf ((x0 + n - 1) * step + start) + 1, s.w - 1);
  float cells[2][PIXELS / VFI_BEND_GRID + 4 + VFI_LANES];

  for (int c = 0; c < 2; c++) {
    const float *above = (const float *) s.data + (gsize) lower * s.w * s.ld + c * s.cd,
                *below = (const float *) s.data + (gsize) upper * s.w * s.ld + c * s.cd;
    int i = 0;

    for (; first + i <= last; i++)
      cells[c][i] = p->gain[6 + c] * ((1 - f) * above[(gsize) (first + i) * s.ld] + f * below[(gsize) (first + i) * s.ld]);
    for (int k = i; k < i + VFI_LANES; k++)
      cells[c][k] = cells[c][i - 1];
  }
  for (int i = 0; i * PLACES < n; i++) {
    const int base = CLAMP ((int) floorf ((x0 + i * PLACES) * step + start), first, last) - first; /* the first cell that this group sees */

    for (int odd = 0; odd < 2; odd++) {
      const Vec x = VEC_TO_FLOAT (vec_iota () * 2 + (x0 + i * PLACES + odd));
      const Vec v = vec_max (vec_fma (x, vec_set (step), vec_set (start)) - (float) (first + base), vec_set (0));
      const VecI at = VEC_TO_INT (v);

      for (int c = 0; c < 2; c++) {
        const Vec under = vec_load (cells[c], VFI_F32, base, VFI_LANES);
        const Vec a = (Vec) __builtin_shuffle (under, at), b = (Vec) __builtin_shuffle (under, at + 1);

        columns[c][i][odd] = vec_fma (v - VEC_TO_FLOAT (at), b - a, a);
      }
    }
  }
}

/* ---- pixels ------------------------------------------------------------------------------------- */

/* one / (1 + 2^v), to about 1e-4 of it. */
VFI_INLINE Vec
sigmoid2 (Vec v, float one)
{
  const Vec magic = vec_set (12582912); /* 1.5 2^23: rounds to an integer */
  Vec p = vec_set (5.5008780e-2f), shifted, f;

  v = vec_min (vec_max (v, vec_set (-120)), vec_set (120));
  shifted = v + magic;
  f = v - (shifted - magic);
  p = vec_fma (p, f, vec_set (2.4221083e-1f));
  p = vec_fma (p, f, vec_set (6.9328293e-1f));
  p = vec_fma (p, f, vec_set (1));
  p = 1 + (Vec) ((VecI) p + ((VecI) shifted << 23));
#ifdef __AVX512F__
  return one * (Vec) _mm512_rcp14_ps ((__m512) p); /* a division takes as long as the rest of it */
#else
  return one / p;
#endif
}

/* The first n pixels of a group from their components. */
VFI_INLINE void
store_pixels (guint8 *to, const VecS comps[4], int n, const Kind k)
{
  guint8 group[4 * PLACES], *at = n < PLACES || BYTES (k) == 3 ? group : to;

  if (BYTES (k) == 1) {
    typedef guint8 Bytes __attribute__ ((vector_size (PLACES)));
    const Bytes bytes = __builtin_convertvector(comps[0], Bytes);

    memcpy (at, &bytes, sizeof bytes);
  } else if (BYTES (k) == 2) {
    VecS words = comps[0];

    if (k.comps == 2)
      words |= comps[1] << 8;
    memcpy (at, &words, sizeof words);
  } else {
    VecI halves[2] = { (VecI) comps[0], (VecI) comps[1] };

    if (k.sample_bytes == 1) {
      halves[0] = (VecI) (comps[0] | comps[1] << 8);
      halves[1] = (VecI) (comps[2] | comps[3] << 8);
    }
    const VecI even = (VecI) lower_halves (halves), odd = (VecI) upper_halves (halves);
    const VecI iota = vec_iota (), order = (iota >> 1) + (iota & 1) * VFI_LANES;
    const VecI words[2] = { __builtin_shuffle (even, odd, order), __builtin_shuffle (even, odd, order + VFI_LANES / 2) };

    memcpy (at, words, sizeof words);
  }
  if (BYTES (k) == 3)
    for (int i = 0; i < MIN (n, PLACES); i++)
      memcpy (to + 3 * i, at + 4 * i, 3);
  else if (n < PLACES)
    memcpy (to, at, n * BYTES (k));
}

VFI_INLINE VecS
shorts_of (const Columns c)
{
  const VecI words[2] = { vec_round (c[0]), vec_round (c[1]) };

  return lower_halves (words);
}

/* Of a weight of the first frame, 2^-15, what counts: less where its places are outside of it, and more where the second one's are. */
VFI_INLINE VecS
of_first (const Columns m, const Place at[2])
{
  Columns n;

  if (at[0].reach == NEAR && at[1].reach == NEAR)
    return shorts_of (m);
  for (int odd = 0; odd < 2; odd++) {
    const Vec one = vec_set (1), m0 = m[odd] * (at[0].reach == NEAR ? one : at[0].inside[odd]);
    const Vec m1 = (32767 - m[odd]) * (at[1].reach == NEAR ? one : at[1].inside[odd]);

    n[odd] = 32767 * m0 / (m0 + m1);
  }
  return shorts_of (n);
}

/* How far a pixel's places in both frames bend, whose velocity times `still` is in parts of VFI_BEND_STILL. */
VFI_INLINE Vec
moves (Vec x, Vec y, const float still[2])
{
  x *= still[0];
  y *= still[1];
  return vec_min (vec_max (vec_max (x, -x), vec_max (y, -y)), vec_set (1));
}

/* Pixels x0 to x0 + n - 1 of row y. bend: in x and y, or NULL. */
VFI_INLINE void
pixels (const Planes *p, int y, int x0, int n, int channels, const Columns columns[VFI_MAX_STATE][GROUPS], const Columns (*bend)[GROUPS],
        const Kind k)
{
  const float still[2] = { 1 / (p->gain[6] * VFI_BEND_STILL), 1 / (p->gain[7] * VFI_BEND_STILL) };
  const int middle = 1 << (k.depth - 1 + RESULT_BITS (k)), half = 1 << (RESULT_BITS (k) - 1);
  /* Of each group: by each opinion that counts there, where in both frames, and what the first frame weighs there, and each opinion but the first, 2^-15. */
  Place places[VFI_MAX_OPINIONS][GROUPS][2];
  VecS weight[VFI_MAX_OPINIONS][GROUPS] __attribute__ ((aligned (64))), opinion[VFI_MAX_OPINIONS][GROUPS] __attribute__ ((aligned (64)));
  int opinions[GROUPS];

  /* In two loops: what to load follows from a long chain of arithmetic. */
  for (int i = 0; i * PLACES < n; i++) {
    Columns m, part, go[2][2]; /* where to in each frame, x and y */

    for (int odd = 0; odd < 2; odd++) {
      const Vec v0x = columns[0][i][odd], v0y = columns[1][i][odd], v1x = columns[2][i][odd], v1y = columns[3][i][odd];
      Vec bx = vec_set (0), by = bx;

      if (bend) {
        const Vec much = moves (v1x - v0x, v1y - v0y, still);

        bx = much * bend[0][i][odd];
        by = much * bend[1][i][odd];
      }
      go[0][0][odd] = v0x + bx;
      go[0][1][odd] = v0y + by;
      go[1][0][odd] = v1x + bx;
      go[1][1][odd] = v1y + by;
    }
    for (int f = 0; f < 2; f++)
      place (&places[0][i][f], go[f][0], go[f][1], x0 + i * PLACES, y, p->w, p->h, k);
    for (int odd = 0; odd < 2; odd++)
      m[odd] = sigmoid2 (columns[4][i][odd], 32767);
    weight[0][i] = of_first (m, places[0][i]);
    opinions[i] = 1;
    for (int c = 5; c < channels; c += 3) {
      const int j = opinions[i];
      if (!weighs (columns[c][i]))
        continue;
      for (int odd = 0; odd < 2; odd++)
        part[odd] = vec_min (vec_max (columns[c][i][odd], vec_set (0)), vec_set (32767));
      opinion[j][i] = shorts_of (part);
      for (int odd = 0; odd < 2; odd++) {
        const Vec ux = columns[c + 1][i][odd], uy = columns[c + 2][i][odd];
        Vec bx = vec_set (0), by = bx;

        if (bend) {
          const Vec much = moves (ux, uy, still);

          bx = much * bend[0][i][odd];
          by = much * bend[1][i][odd];
        }
        go[0][0][odd] = vec_fma (ux, vec_set (-p->t), bx);
        go[0][1][odd] = vec_fma (uy, vec_set (-p->t), by);
        go[1][0][odd] = vec_fma (ux, vec_set (1 - p->t), bx);
        go[1][1][odd] = vec_fma (uy, vec_set (1 - p->t), by);
      }
      for (int f = 0; f < 2; f++)
        place (&places[j][i][f], go[f][0], go[f][1], x0 + i * PLACES, y, p->w, p->h, k);
      weight[j][i] = of_first (m, places[j][i]);
      opinions[i]++;
    }
  }
  for (int i = 0; i * PLACES < n; i++) {
    Weights w[VFI_MAX_OPINIONS][2];

    for (int j = 0; j < 2 * opinions[i]; j++)
      weigh (&places[j / 2][i][j % 2], k, &w[j / 2][j % 2]);
    for (int q = 0; q < p->n; q++) {
      VecS s[2][4], comps[4] = { 0 }, first[4] = { 0 };

      for (int j = 0; j < opinions[i]; j++) {
#pragma GCC unroll 1
        for (int f = 0; f < 2; f++)
          sample (p->source[f][q], p->source_stride[f][q], p->h, p->w, &places[j][i][f], &w[j][f], k, s[f]);
#pragma GCC unroll 4
        for (int c = 0; c < k.comps; c++) {
          const VecS v = s[1][c] + multiply (s[0][c] - s[1][c], weight[j][i]);

          if (j == 0)
            comps[c] = first[c] = v;
          else
            comps[c] += multiply (v - first[c], opinion[j][i]);
        }
      }
#pragma GCC unroll 4
      for (int c = 0; c < k.comps; c++) {
        const VecS v = (comps[c] + shorts_set (middle + half)) >> RESULT_BITS (k);

        comps[c] = shorts_min (shorts_max (v, shorts_set (0)), shorts_set ((1 << k.depth) - 1)) << k.shift;
      }
      store_pixels (p->dst[q] + (gsize) y * p->stride[q] + (gsize) (x0 + i * PLACES) * BYTES (k), comps, n - i * PLACES, k);
    }
  }
}

typedef void (*Pixels) (const Planes *p, int y, int x0, int n, int channels, const Columns columns[VFI_MAX_STATE][GROUPS],
                        const Columns (*bend)[GROUPS]);

/* A function for each kind of planes: compilers take far longer for one that has them all. */
#define KINDS(KIND)                                                                                                                        \
  KIND (2, 1, 1, 8, 0)                                                                                                                     \
  KIND (4, 1, 1, 8, 0)                                                                                                                     \
  KIND (6, 1, 1, 8, 0)                                                                                                                     \
  KIND (2, 1, 2, 10, 0)                                                                                                                    \
  KIND (4, 1, 2, 10, 0)                                                                                                                    \
  KIND (6, 1, 2, 10, 0)                                                                                                                    \
  KIND (4, 1, 2, 10, 6)                                                                                                                    \
  KIND (6, 1, 2, 10, 6)                                                                                                                    \
  KIND (2, 2, 1, 8, 0)                                                                                                                     \
  KIND (2, 2, 2, 10, 6)                                                                                                                    \
  KIND (4, 3, 1, 8, 0)                                                                                                                     \
  KIND (6, 3, 1, 8, 0)                                                                                                                     \
  KIND (4, 4, 1, 8, 0)                                                                                                                     \
  KIND (6, 4, 1, 8, 0)
#define NAME(...) NAME_ (__VA_ARGS__)
#define NAME_(TAPS, COMPS, BYTES, DEPTH, SHIFT) pixels_##TAPS##_##COMPS##_##BYTES##_##DEPTH##_##SHIFT
#define FUNCTION(...)                                                                                                                      \
  static __attribute__ ((noinline)) void NAME (__VA_ARGS__) (const Planes *p, int y, int x0, int n, int channels,                          \
                                                             const Columns columns[VFI_MAX_STATE][GROUPS], const Columns (*bend)[GROUPS])  \
  {                                                                                                                                        \
    pixels (p, y, x0, n, channels, columns, bend, (Kind){ __VA_ARGS__ });                                                                  \
  }
KINDS (FUNCTION)

static const struct
{
  Kind kind;
  Pixels pixels;
} kinds[] = {
#define ROW(...) { { __VA_ARGS__ }, NAME (__VA_ARGS__) },
  KINDS (ROW)
};

/* Pixels x0 to x0 + n - 1 of row y of the picture. */
static void
piece (const Planes *p, const VfiView *state, const VfiView *bend, int full_taps, int y, int x0, int n)
{
  const VfiPlaneLayout *l = p->layout;
  const int taps = l->sub_x || l->sub_y ? 2 : full_taps;
  Columns columns[VFI_MAX_STATE][GROUPS] __attribute__ ((aligned (64))), there[2][GROUPS] __attribute__ ((aligned (64)));

  state_row (state, p, y + p->top, x0 + p->left, n, columns);
  if (bend)
    bend_row (bend, p, y + p->top, x0 + p->left, n, there);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    const Kind *k = &kinds[i].kind;

    if (taps == k->taps && l->comps == k->comps && l->depth == k->depth && l->shift == k->shift)
      kinds[i].pixels (p, y, x0, n, state->c, columns, bend ? there : NULL);
  }
}

/* What is to be done, for the threads. */
typedef struct
{
  const VfiView *state, *bend;
  const Planes *planes;
  int n, bands, taps;
} Job;

/* A band of all planes, as they have the same part of the state; and in these piece below piece, so that what they have in common is near. */
static void
band (gpointer data, int i, int thread)
{
  const Job *j = data;

  for (const Planes *p = j->planes; p < j->planes + j->n; p++)
    for (int x = 0; x < p->w; x += PIXELS)
      for (int y = p->h * i / j->bands; y < p->h * (i + 1) / j->bands; y++)
        piece (p, j->state, j->bend, j->taps, y, x, MIN (PIXELS, p->w - x));
}

/* What is not the picture, of plane i of a frame. */
static void
copy_bars (const Planes *p, const VfiFrame *from, const VfiFrame *to, int i)
{
  const gsize pixel = (gsize) p->layout->comps * p->layout->bytes, left = p->left * pixel, right = (p->left + p->w) * pixel;
  const gsize all = p->full_w * pixel;

  if (p->w == p->full_w && p->h == p->full_h)
    return;
  for (int y = 0; y < p->full_h; y++) {
    const guint8 *a = from->data[i] + (gsize) y * from->stride[i];
    guint8 *b = to->data[i] + (gsize) y * to->stride[i];

    if (y < p->top || y >= p->top + p->h) {
      memcpy (b, a, all);
    } else {
      memcpy (b, a, left);
      memcpy (b + right, a + right, all - right);
    }
  }
}

void
VFI_ISA_NAME (vfi_cpu_synthesize) (VfiBackend *b, const VfiFrameInfo *info, const VfiFrame *f0, const VfiFrame *f1, double flow_scale,
                                   double t, const VfiSynthesis *motion, const VfiFrame *dst)
{
  const VfiView *state = &motion->state, *bend = motion->bend.data ? &motion->bend : NULL;
  const float *of[2] = { motion->area[0].data, motion->area[1].data };
  int cell[VFI_SIDES] = { 0, 0, state->h, state->w };
  const VfiFormatDesc *f = vfi_format_desc (info->format);
  const float sx = (float) vfi_scaled_size (info->width, flow_scale) / info->width;
  const float sy = (float) vfi_scaled_size (info->height, flow_scale) / info->height;
  const float u = (float) (1 - t);
  const int bands = (info->height + BAND - 1) / BAND;
  Planes all[4];
  int n = 0;

  for (int i = 0; i < VFI_SIDES && of[0] && of[1]; i++)
    cell[i] = (int) vfi_area_side (of[0][i], of[1][i], i);
  for (int i = 0; i < f->n_planes; i++) {
    const VfiPlaneLayout *l = &f->plane[i];
    Planes *p;

    if (i == 0 || memcmp (l, &f->plane[i - 1], sizeof *l)) {
      p = &all[n++];
      *p = (Planes){ .layout = l,
                     .kx = sx * (1 << l->sub_x),
                     .ky = sy * (1 << l->sub_y),
                     .first = { cell[VFI_TOP], cell[VFI_LEFT] },
                     .last = { cell[VFI_BOTTOM] - 1, cell[VFI_RIGHT] - 1 } };
      vfi_frame_info_plane_size (info, i, &p->full_w, &p->full_h);
      p->top = vfi_area_line (cell[VFI_TOP], p->ky, p->full_h);
      p->left = vfi_area_line (cell[VFI_LEFT], p->kx, p->full_w);
      p->h = vfi_area_line (cell[VFI_BOTTOM], p->ky, p->full_h) - p->top;
      p->w = vfi_area_line (cell[VFI_RIGHT], p->kx, p->full_w) - p->left;
      for (int c = 0; c < 8; c++)
        p->gain[c] = (c < 2 ? -(float) t : c < 4 ? u : 1) * 2 * ONE_PIXEL / (c % 2 ? p->ky : p->kx);
      p->gain[4] = -1.44269504f;
      p->bias[4] = (float) log2 (t / (1 - t));
      p->gain[5] = 32767;
      p->t = (float) t;
    }
    p = &all[n - 1];
    const gsize pixel = (gsize) l->comps * l->bytes;
    p->source[0][p->n] = f0->data[i] + (gsize) p->top * f0->stride[i] + p->left * pixel;
    p->source[1][p->n] = f1->data[i] + (gsize) p->top * f1->stride[i] + p->left * pixel;
    p->dst[p->n] = dst->data[i] + (gsize) p->top * dst->stride[i] + p->left * pixel;
    copy_bars (p, t < 0.5 ? f0 : f1, dst, i);
    p->source_stride[0][p->n] = f0->stride[i];
    p->source_stride[1][p->n] = f1->stride[i];
    p->stride[p->n++] = dst->stride[i];
    /* Gathers have 32-bit offsets. */
    if ((gint64) MAX (f0->stride[i], f1->stride[i]) * p->h > G_MAXINT) {
      vfi_frame_synthesize (info, f0, f1, flow_scale, t, motion, dst);
      return;
    }
  }
  vfi_cpu_each (b, bands, 1, band, &(Job){ state, bend, all, n, bands, motion->taps });
}
