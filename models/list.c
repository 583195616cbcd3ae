/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The networks of this build, in order of preference.
 */
#include "build.h"

#define MODELS(X)                                                                                                                          \
  X (nano)                                                                                                                                 \
  X (base)                                                                                                                                 \
  X (flow_nano)                                                                                                                            \
  X (flow_base)                                                                                                                            \
  X (fill_nano)                                                                                                                            \
  X (complete_nano)                                                                                                                        \
  X (rife_4_25) X (rife_4_6) X (ifrnet_s) X (ifrnet) X (ifrnet_l) X (superslomo) X (superslomo_uvi) X (dvf) X (sepconv) X (sepconv_plus)

#define DECLARE(m) extern const VfiModel vfi_model_##m;
#define ITEM(m) &vfi_model_##m,

MODELS (DECLARE)
const VfiModel *const vfi_models[] = { MODELS (ITEM) NULL };
