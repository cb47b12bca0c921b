/* limits.h -- value limits: is each named number of a payload within its bounds?
 *
 *   at load, once:   rows ──slu_limits_compile──▶ struct slu_limits        immutable
 *   per message:     payload ──slu_limits_judge──▶ holds, or violations     allocates nothing
 *
 * Numbers are compared by value without loss: integers beyond 2^53, decimals by their digits. Codes:
 * limits.min, limits.max, limits.exclusive_min, limits.exclusive_max, limits.required, limits.type.
 *
 * Threads: compiled limits never change; any thread may judge with them.
 */
#ifndef SLU_VALIDATION_LIMITS_H
#define SLU_VALIDATION_LIMITS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct slu_payload;
struct slu_verdict;

/* One row of a policy's "limits". Bounds are JSON number texts; an empty one is no bound. */
struct slu_limit {
    struct slu_slice field; /* JSON Pointer; "" for a scalar payload */
    struct slu_slice min, max;
    struct slu_slice exclusive_min, exclusive_max;
    bool required; /* a payload without this field is a violation */
};

struct slu_limits;

/* Compile rows; lives in `arena`, copies what it keeps. Errors: a pointer that is none, a bound that
 * is no number or longer than 4096 bytes, bounds that no number satisfies (min above max);
 * `*bad_row` (may be NULL) says which row. */
const struct slu_limits *slu_limits_compile(const struct slu_limit *rows, size_t n_rows,
                                            struct slu_arena *arena, size_t *bad_row,
                                            struct slu_err *err);

/* True when every row holds. Otherwise, when `verdict` is not NULL, adds one violation for each broken
 * bound, missing field and field that is no number. */
bool slu_limits_judge(const struct slu_limits *limits, const struct slu_payload *payload,
                      struct slu_verdict *verdict);

#endif
