/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Load: see load.h.
 */
#include "load.h"

#define GRACE 4     /* late frames until cheaper synthesis is judged not to do */
#define PATIENCE 32 /* frames in time, at first */
#define PATIENCE_MAX 4096
#define SAMPLES_FALL 128
#define SAMPLES 8 /* frames until a measured time counts */
#define MS 1000000ull

void
vfi_load_init (VfiLoad *load, guint64 synthesis)
{
  *load = (VfiLoad){ .patience = PATIENCE, .announced = synthesis };
}

VfiLoadAction
vfi_load_decide (VfiLoad *load, gint64 late, guint64 period)
{
  if (late <= 0) {
    load->late = 0;
    if (load->level != VFI_LOAD_FULL && ++load->fine >= load->patience) {
      load->level--;
      load->fine = 0;
    }
    return VFI_LOAD_SYNTHESIZE;
  }
  load->fine = 0;
  if (load->level == VFI_LOAD_FULL) {
    load->level = VFI_LOAD_CHEAP;
    load->patience = MIN (load->patience * 2, PATIENCE_MAX);
  }
  if (load->level == VFI_LOAD_CHEAP && ++load->late > GRACE)
    load->level = VFI_LOAD_SPARE;
  if (load->level == VFI_LOAD_CHEAP)
    return VFI_LOAD_SYNTHESIZE;
  return (guint64) late > period ? VFI_LOAD_SKIP : VFI_LOAD_REPEAT;
}

gboolean
vfi_load_measure (VfiLoad *load, guint64 ns)
{
  load->synthesis = load->samples ? load->synthesis - load->synthesis / 8 + ns / 8 : ns;
  load->samples++;
  /* Too little at once, too much not before long: every change disturbs the pipeline. */
  const gboolean little = load->synthesis > load->announced, much = load->announced > 3 * load->synthesis + 2 * MS;
  if (load->samples < SAMPLES || !(little || much))
    return FALSE;
  if (much && load->samples < load->next_fall)
    return FALSE;
  load->announced = (load->synthesis * 3 / 2 + MS) / MS * MS;
  load->next_fall = load->samples + SAMPLES_FALL;
  return TRUE;
}
