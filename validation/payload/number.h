/* number.h -- a 64-bit integer or a double as JSON text, on the stack. Inside this room only. */
#ifndef SLU_VALIDATION_PAYLOAD_NUMBER_H
#define SLU_VALIDATION_PAYLOAD_NUMBER_H

#include "validation/payload/value.h"

/* The shortest text that reads back as `value` (SLU_VALUE_NUMBER), in `scratch`. */
struct slu_slice slu_number_text(const struct slu_value *value, char scratch[32]);

#endif
