/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Opens a file that may be anything and reads all there is in it; FALSE if it is refused, which must come with an error. */
gboolean fuzz_weights (const guint8 *data, gsize size);
