/* memory.c -- see memory.h.
 *
 *   chunks ──► │ next │ used │ size │ handed out … │ free … │      twice as large as the one before it
 *                 └──► the chunk before it, full
 */
#include "validation/avro/memory.h"

#include <stdlib.h>

#define CHUNK_BYTES 4096

struct slu_avro_chunk {
    struct slu_avro_chunk *next;
    size_t used, size;
    char bytes[];
};

bool slu_avro_memory_init(struct slu_avro_memory *memory)
{
    *memory = (struct slu_avro_memory){.cap = SLU_AVRO_READY_CELLS};
    memory->cells = malloc(SLU_AVRO_READY_CELLS * sizeof(*memory->cells));
    return slu_shape_init(&memory->shape) && memory->cells != NULL &&
           slu_avro_memory_text(memory, 1) != NULL;
}

void slu_avro_memory_fini(struct slu_avro_memory *memory)
{
    while (memory->chunks != NULL) {
        struct slu_avro_chunk *chunk = memory->chunks;
        memory->chunks = chunk->next;
        free(chunk);
    }
    free(memory->cells);
    slu_shape_fini(&memory->shape);
}

char *slu_avro_memory_text(struct slu_avro_memory *memory, size_t len)
{
    struct slu_avro_chunk *chunk = memory->chunks;

    if (chunk == NULL || chunk->size - chunk->used < len) {
        size_t size = chunk == NULL ? CHUNK_BYTES : 2 * chunk->size;
        if (size < len)
            size = len;
        chunk = malloc(sizeof(*chunk) + size);
        if (chunk == NULL)
            return NULL;
        *chunk = (struct slu_avro_chunk){.next = memory->chunks, .size = size};
        memory->chunks = chunk;
    }
    char *text = chunk->bytes + chunk->used;
    chunk->used += len;
    return text;
}

void slu_avro_memory_reset(struct slu_avro_memory *memory)
{
    struct slu_avro_chunk *kept = memory->chunks;

    while (kept->next != NULL) {
        struct slu_avro_chunk *chunk = kept->next;
        kept->next = chunk->next;
        free(chunk);
    }
    kept->used = 0;
}

bool slu_avro_memory_grow(struct slu_avro_memory *memory)
{
    struct slu_value *grown = realloc(memory->cells, 2 * memory->cap * sizeof(*grown));

    if (grown == NULL)
        return false;
    memory->cells = grown;
    memory->cap *= 2;
    return true;
}
