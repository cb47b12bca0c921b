/* postgresql_text.h -- text that is a number, a boolean, a time or an id after all. Blanks (space, tab, CR,
 * LF) around it do not count.
 *
 * Threads: no state.
 */
#ifndef SLU_SINKS_POSTGRESQL_TEXT_H
#define SLU_SINKS_POSTGRESQL_TEXT_H

#include "base/slice.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

/* As `payload: number` reads it: one plus in front is allowed. `*number` is the JSON number inside. */
bool slu_pg_text_number(struct slu_slice text, struct slu_slice *number);

/* true false on off 1 0, any case. */
bool slu_pg_text_truth(struct slu_slice text, bool *truth);

/* RFC 3339, years 0001 to 9999, as µs since 1970; finer parts are rounded down. */
bool slu_pg_text_time(struct slu_slice text, int64_t *us);

/* 32 hexadecimal digits, with the four dashes or without. */
bool slu_pg_text_uuid(struct slu_slice text, struct slu_uuid *id);

/* a / b, rounded down; b > 0. */
static inline int64_t slu_pg_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

#endif
