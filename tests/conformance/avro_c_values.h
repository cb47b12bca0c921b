/* avro_c_values.h -- what Avro C makes of a message that Sluice has accepted, beside Sluice's tree.
 *
 *   body ─┬─ slu_avro_read() ──▶ value tree ─┐
 *         └─ avro_value_read() ─▶ its value ─┴─▶ the same? type by type, by what the schema means
 *
 * Avro C must read the body, to its end, and each value must be the same: numbers, floats to the bit, texts
 * and bytes to the byte, symbols, keys and items in their order. Where Sluice shows what a logical type
 * means, that is made of Avro C's bytes here, by other means than Sluice's.
 *
 * Only for what Sluice has accepted: Avro C crashes on other bytes, or takes gigabytes for them. Where it is
 * known not to follow the specification, that one thing is excused, by name, and counted.
 *
 * Threads: one; Avro C keeps its last error for all of them.
 */
#ifndef SLU_CONFORMANCE_AVRO_C_VALUES_H
#define SLU_CONFORMANCE_AVRO_C_VALUES_H

#include "base/slice.h"
#include "validation/payload/value.h"

#include <stdbool.h>
#include <stddef.h>

enum avro_c_excuse {
    AVRO_C_VALUE_OF_NO_BYTES,
    AVRO_C_KEY_WITH_ZERO,
    AVRO_C_EXCUSES,
};

/* What it does, and why. */
extern const char *const avro_c_excuses[AVRO_C_EXCUSES];

struct avro_c_schema;

/* What came of a schema or a body. */
struct avro_c_answer {
    bool excused[AVRO_C_EXCUSES];
    char where[256]; /* JSON Pointer of the value that differs */
    char text[512];  /* how */
};

/* A schema that Sluice compiled. NULL: Avro C does not take it, see answer->text. */
struct avro_c_schema *avro_c_open(struct slu_slice text, struct avro_c_answer *answer);
void avro_c_close(struct avro_c_schema *schema);

/* What it means, to make up bodies by. */
struct meaning;
const struct meaning *avro_c_meaning(const struct avro_c_schema *schema);

/* False: it differs. True with `excused`: it would, but for that. */
bool avro_c_agrees(struct avro_c_schema *schema, struct slu_slice body,
                   const struct slu_value *root, struct avro_c_answer *answer);

#endif
