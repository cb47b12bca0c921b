/* json.h -- JSON text to cells, through yyjson. Inside this room only.
 *
 * The text itself is never written to; strings of the tree lie in the memory given. What comes out is
 * well-formed JSON, not yet checked for depth and duplicate keys (shape.h).
 */
#ifndef SLU_VALIDATION_PAYLOAD_JSON_H
#define SLU_VALIDATION_PAYLOAD_JSON_H

#include "base/slice.h"
#include "validation/payload/payload.h"

#include <stdbool.h>
#include <stddef.h>

/* Where trees are made: one block, kept from text to text. Zero it to begin with. */
struct slu_json_memory {
    char *data; /* owned */
    size_t size;
    size_t fits; /* texts of up to so many bytes */
};

/* Memory for every text of up to `bytes` bytes, now. False: there is none. */
bool slu_json_memory_reserve(struct slu_json_memory *memory, size_t bytes);
void slu_json_memory_fini(struct slu_json_memory *memory);

/* How numbers come out. */
enum slu_json_numbers {
    SLU_JSON_VALUES, /* 64-bit integers and doubles; what fits neither as text */
    SLU_JSON_TEXTS,  /* all as text (SLU_VALUE_BIG); the tree is the same cell for cell */
};

struct slu_json_fault {
    enum slu_payload_fault fault;
    size_t at;
    const char *text;
};

/* The root of the tree, which lives until `memory` is used again; or NULL and `fault` filled in.
 * Allocates only when the text is longer than all before. */
const struct slu_value *slu_json_read(struct slu_json_memory *memory, struct slu_slice text,
                                      enum slu_json_numbers numbers, struct slu_json_fault *fault);

#endif
