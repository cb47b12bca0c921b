/* digits.h -- decimals between their two shapes: two's complement bytes, big endian, and digits.
 * Inside this room only. At most SLU_AVRO_MAX_PRECISION digits: the work is quadratic. */
#ifndef SLU_AVRO_DIGITS_H
#define SLU_AVRO_DIGITS_H

#include "validation/avro/plan.h"
#include "validation/payload/decimal.h"

/* Digits, a sign, a point, zeros in front of it or an exponent. */
#define SLU_AVRO_DIGITS_TEXT (SLU_AVRO_MAX_PRECISION + 64)

/* The JSON number of `bytes` × 10^-scale. Returns its length; 0: more digits than the precision. */
size_t slu_avro_digits_text(struct slu_slice bytes, unsigned precision, unsigned scale,
                            char out[SLU_AVRO_DIGITS_TEXT]);

/* Bytes of the largest number of SLU_AVRO_MAX_PRECISION digits. */
#define SLU_AVRO_DIGITS_BYTES 420

/* The fewest bytes of `number` × 10^scale, big endian. Returns how many; 0: it has digits beyond the scale,
 * or more than the precision. */
size_t slu_avro_digits_bytes(const struct slu_decimal *number, unsigned precision, unsigned scale,
                             uint8_t out[SLU_AVRO_DIGITS_BYTES]);

#endif
