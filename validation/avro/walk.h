/* walk.h -- one value of a schema in Avro's binary encoding, walked through once. Inside this room only.
 *
 * Trees are made in memory that is kept from message to message: an array of cells, and a list of
 * chunks for texts that are not in the message as they stand (bytes beyond ASCII, decimals).
 */
#ifndef SLU_AVRO_WALK_H
#define SLU_AVRO_WALK_H

#include "validation/avro/plan.h"
#include "validation/payload/shape.h"

struct slu_avro_chunk;

struct slu_avro_memory {
    struct slu_value *cells; /* owned */
    size_t n, cap;
    struct slu_avro_chunk *chunks; /* owned; the first is the largest */
    struct slu_shape shape;        /* the hunt for keys that are there twice */
};

/* False: no memory. Free with fini either way. */
bool slu_avro_memory_init(struct slu_avro_memory *memory);
void slu_avro_memory_fini(struct slu_avro_memory *memory);

/* `len` bytes that live until the next walk; NULL: no memory. */
char *slu_avro_memory_text(struct slu_avro_memory *memory, size_t len);

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
