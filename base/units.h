/* units.h -- durations `[0-9]+(ms|s|m|h|d)` and sizes `[0-9]+(B|KiB|MiB|GiB)` as people write
 * them. */
#ifndef SLU_BASE_UNITS_H
#define SLU_BASE_UNITS_H

#include "base/slice.h"

#include <stdint.h>

/* Each returns 0, or -1 when the text is not of the form or beyond int64_t. */
int slu_units_duration_ns(struct slu_slice text, int64_t *ns);
int slu_units_size_bytes(struct slu_slice text, int64_t *bytes);

#endif
