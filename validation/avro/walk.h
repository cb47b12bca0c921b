/* walk.h -- one value of a schema in Avro's binary encoding, walked through once. Inside this room only.
 */
#ifndef SLU_AVRO_WALK_H
#define SLU_AVRO_WALK_H

#include "validation/avro/memory.h"
#include "validation/avro/plan.h"

/* One step on the way to a value: a member's name or an item's place. */
struct slu_avro_step {
    struct slu_slice name; /* data NULL: an item */
    uint64_t item;
};

struct slu_avro_fault {
    enum slu_payload_fault fault;
    size_t at; /* byte offset in the body */
    const char *text;
    struct slu_avro_step steps[SLU_PAYLOAD_MAX_DEPTH + 2]; /* innermost first */
    size_t n_steps;
};

/* The root of the tree; NULL and `fault`: the body is no value of the schema. Both borrow from all three. */
const struct slu_value *slu_avro_walk(struct slu_avro_memory *memory,
                                      const struct slu_avro_schema *schema, struct slu_slice body,
                                      struct slu_avro_fault *fault);

#endif
