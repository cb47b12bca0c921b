/* decimal.h -- numbers compared by value, without loss: integers beyond 2^53, decimals, 1e400.
 *
 * A decimal is ±digits × 10^exponent with the digits of its JSON text. Comparing looks at the
 * leading digits only, so it costs what the shorter text is long, whatever the exponents say.
 */
#ifndef SLU_VALIDATION_PAYLOAD_DECIMAL_H
#define SLU_VALIDATION_PAYLOAD_DECIMAL_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slu_decimal {
    const char *digits; /* borrowed JSON number text, from its first significant digit on; may hold
                            one '.', which is skipped; ends at n_text bytes */
    size_t n_text;      /* bytes of `digits` to look at, up to the last significant digit */
    size_t n_digits; /* significant digits, no leading or trailing zeros; 0: the number is zero */
    int64_t exponent; /* the value is 0.d1d2d3… × 10^exponent; exponents beyond ±2^60 are clamped */
    bool negative;
    size_t n_read; /* bytes of the whole text, zeros and exponent included: what reading it cost */
};

/* From a JSON number's text (RFC 8259 §6; the caller knows it is one). */
struct slu_decimal slu_decimal_of(struct slu_slice json_number);

/* <0, 0, >0. Zero equals minus zero. */
int slu_decimal_compare(const struct slu_decimal *a, const struct slu_decimal *b);

bool slu_decimal_is_integer(const struct slu_decimal *a);

/* Is `a` an integer multiple of `step` (not zero; a step of zero answers 0)? Exact for any digits and
 * exponents, and never materialises zeros that an exponent stands for. `*work` is set to the digit
 * steps done (nine digits of `a` against nine of `step` are one) and the answer is -1 once they
 * exceed `max_work`, or when a division is needed by a step of more than SLU_DECIMAL_MAX_STEP digits;
 * else 0 or 1. Allocates nothing. */
#define SLU_DECIMAL_MAX_STEP 4608

int slu_decimal_is_multiple(const struct slu_decimal *a, const struct slu_decimal *step,
                            uint64_t max_work, uint64_t *work);

#endif
