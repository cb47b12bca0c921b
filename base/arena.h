/* arena.h -- many small things, one free. For what lives as long as its owner (a compiled snapshot,
 * a configuration tree). Aligned to 16 bytes. */
#ifndef SLU_BASE_ARENA_H
#define SLU_BASE_ARENA_H

#include "base/slice.h"

#include <stddef.h>

struct slu_arena_chunk;

struct slu_arena {
    struct slu_arena_chunk *chunks;
    size_t used;  /* bytes handed out */
    size_t max;   /* ceiling for `used` */
    size_t chunk; /* size of the next chunk, bytes */
};

void slu_arena_init(struct slu_arena *arena, size_t max_bytes);
void slu_arena_fini(struct slu_arena *arena);

/* Zeroed memory, or NULL (no memory, or beyond the ceiling). Lives until fini. */
void *slu_arena_alloc(struct slu_arena *arena, size_t bytes);

/* Zeroed array; NULL also when count × size overflows. */
void *slu_arena_array(struct slu_arena *arena, size_t count, size_t size);

/* A terminated copy. */
char *slu_arena_copy(struct slu_arena *arena, struct slu_slice text);
char *slu_arena_printf(struct slu_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
