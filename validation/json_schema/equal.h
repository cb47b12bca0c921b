/* equal.h -- are two values equal, as JSON Schema means it (2020-12 core §4.2.2)? Numbers by their
 * exact value (1 equals 1.0), objects whatever the order of their members, strings code point by
 * code point without normalisation.
 *
 * A value of the payload may be compared with another one, or with one of a schema's document: then
 * `to_raw` is the way from that one's cells to those with its digits (program.h), else 0.
 */
#ifndef SLU_JSON_SCHEMA_EQUAL_H
#define SLU_JSON_SCHEMA_EQUAL_H

#include "base/bytes.h"
#include "validation/json_schema/run.h"

bool slu_value_equal(struct slu_run *run, const struct slu_value *value,
                     const struct slu_value *other, ptrdiff_t to_raw);

/* Equal values have equal hashes. `*work` grows by the units that it cost. */
uint64_t slu_value_hash(const struct slu_value *value, size_t *work);

static inline bool slu_value_same_string(const struct slu_value *a, const struct slu_value *b)
{
    return ((a->tag ^ b->tag) & ~(uint64_t)0x18) == 0 &&
           slu_bytes_equal(a->text, b->text, slu_value_len(a));
}

#endif
