/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rectangles: see rects.h.
 */
#include "rects.h"

#include <string.h>

#include "vfi.h"

#define MOST (1 << 24) /* of any number: sums of two stay far below an int's end */

/* One number and what follows it. */
static gboolean
number (const char **p, int *value)
{
  char *end;
  const gint64 n = g_ascii_strtoll (*p, &end, 10);
  if (end == *p || n < -MOST || n > MOST)
    return FALSE;
  *value = (int) n;
  for (*p = end; g_ascii_isspace (**p); ++*p)
    ;
  return TRUE;
}

static gboolean
rect (const char **p, VfiRect *r)
{
  int *const field[] = { &r->x, &r->y, &r->width, &r->height };
  for (guint i = 0; i < G_N_ELEMENTS (field); i++)
    if ((i > 0 && *(*p)++ != ',') || !number (p, field[i]))
      return FALSE;
  return r->width > 0 && r->height > 0;
}

GArray *
vfi_rects_parse (const char *text, GError **error)
{
  GArray *rects = g_array_new (FALSE, FALSE, sizeof (VfiRect));
  for (const char *p = text ? text : ""; *p;) {
    VfiRect r;
    if (g_ascii_isspace (*p)) {
      p++;
      continue;
    }
    const char *start = p;
    if (!rect (&p, &r) || (*p && *p != ';')) {
      g_set_error (error, VFI_ERROR, VFI_ERROR_ARG,
                   "mask-rects: \"%s\" at character %d is no rectangle. Write x,y,width,height in pixels, with a semicolon between "
                   "rectangles: mask-rects=\"16,16,120,48;600,330,32,24\"",
                   text, (int) (start - text) + 1);
      g_array_unref (rects);
      return NULL;
    }
    g_array_append_val (rects, r);
    p += *p == ';';
  }
  return rects;
}

gboolean
vfi_rects_equal (const GArray *a, const GArray *b)
{
  return a->len == b->len && (a->len == 0 || memcmp (a->data, b->data, a->len * sizeof (VfiRect)) == 0);
}
