/* memory.h -- what value trees are made in, kept from message to message: an array of cells, and a list of
 * chunks for texts that are not in the message as they stand (bytes beyond ASCII, decimals). Inside this
 * room only.
 */
#ifndef SLU_AVRO_MEMORY_H
#define SLU_AVRO_MEMORY_H

#include "validation/payload/shape.h"
#include "validation/payload/value.h"

/* Cells that there are before any was asked for. */
#define SLU_AVRO_READY_CELLS 256

struct slu_avro_chunk;

struct slu_avro_memory {
    struct slu_value *cells; /* owned */
    size_t cap;
    struct slu_avro_chunk *chunks; /* owned; the first is the largest */
    struct slu_shape shape;        /* the hunt for keys that are there twice */
};

/* False: no memory. Free with fini either way. */
bool slu_avro_memory_init(struct slu_avro_memory *memory);
void slu_avro_memory_fini(struct slu_avro_memory *memory);

/* `len` bytes that live until the next reset; NULL: no memory. */
char *slu_avro_memory_text(struct slu_avro_memory *memory, size_t len);

/* All texts are gone; the last and largest chunk stays. */
void slu_avro_memory_reset(struct slu_avro_memory *memory);

/* Twice as many cells, which may lie elsewhere then. False: no memory, and all is as before. */
bool slu_avro_memory_grow(struct slu_avro_memory *memory);

#endif
