/* postgresql_numeric.h -- decimal text to PostgreSQL's binary numeric, every digit kept; and to 64-bit
 * integers, exactly or rounded down.
 *
 * A number is JSON text (RFC 8259 §6), which the caller knows it is. Nothing passes through a double.
 *
 * Threads: no state.
 */
#ifndef SLU_SINKS_POSTGRESQL_NUMERIC_H
#define SLU_SINKS_POSTGRESQL_NUMERIC_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Is it a JSON number? */
bool slu_pg_is_number(struct slu_slice text);

/* Append the number as numeric_recv() reads it (without a length word):
 *
 *   i16 ndigits · i16 weight · u16 sign · u16 dscale · i16 digit…     base 10,000, big endian
 *
 * Decimals that were written stay (20.50 keeps its zero). False when it is beyond what numeric holds
 * (131,072 digits before the point, 16,383 behind it) or when `out` failed. */
bool slu_pg_numeric_add(struct slu_buf *out, struct slu_slice number);

/* Would slu_pg_numeric_add() take it? jsonb keeps its numbers as numeric too. */
bool slu_pg_numeric_holds(struct slu_slice number);

enum slu_pg_special { SLU_PG_NAN, SLU_PG_INFINITY, SLU_PG_MINUS_INFINITY };

bool slu_pg_numeric_add_special(struct slu_buf *out, enum slu_pg_special special);

/* number × 10^shift, rounded down to an integer. `*exact`: nothing was cut off. False when the result
 * does not fit 64 bits. `shift` is small. */
bool slu_pg_number_floor(struct slu_slice number, int shift, int64_t *result, bool *exact);

#endif
