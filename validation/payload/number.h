/* number.h -- a 64-bit integer or a double as JSON text, on the stack. Inside this room only. */
#ifndef SLU_VALIDATION_PAYLOAD_NUMBER_H
#define SLU_VALIDATION_PAYLOAD_NUMBER_H

#include "validation/payload/value.h"

#include <stdbool.h>

/* The shortest text that reads back as `value` (SLU_VALUE_NUMBER), in `scratch`. */
struct slu_slice slu_number_text(const struct slu_value *value, char scratch[32]);

/* Has every number in this JSON text at most 15 digits, and none an exponent below zero? (Strings are
 * not told apart from numbers: they may make the answer false, never true.) A double holds so many
 * digits, so then a number whose nearest double is an integer below 2^53 is that integer. */
bool slu_number_all_short(struct slu_slice json);

#endif
