/* arena.c -- see arena.h for the contract.
 *
 *   chunks ──► │ next │ used │ size │ pad │ handed out … │ free … │
 *                 │
 *                 └──► the chunk before it, full
 *
 * Small things come from the newest chunk. What is larger than a chunk gets one of its own, hung in
 * behind the newest, so that the newest's free end is not lost. Chunks come zeroed from calloc().
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ALIGNMENT         16u
#define FIRST_CHUNK_BYTES 4096u
#define MAX_CHUNK_BYTES   (256u << 10)

struct slu_arena_chunk {
    struct slu_arena_chunk *next;
    unsigned char *data; /* first aligned byte behind this header */
    size_t used, size;   /* bytes of `data` */
};

void slu_arena_init(struct slu_arena *arena, size_t max_bytes)
{
    *arena = (struct slu_arena){.max = max_bytes, .chunk = FIRST_CHUNK_BYTES};
}

void slu_arena_fini(struct slu_arena *arena)
{
    struct slu_arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct slu_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    slu_arena_init(arena, arena->max);
}

static struct slu_arena_chunk *chunk_new(size_t size)
{
    size_t bytes = 0;
    if (__builtin_add_overflow(size, sizeof(struct slu_arena_chunk) + ALIGNMENT, &bytes))
        return NULL;
    struct slu_arena_chunk *chunk = calloc(1, bytes);
    if (chunk == NULL)
        return NULL;

    const uintptr_t behind = (uintptr_t)(chunk + 1);
    chunk->data = (unsigned char *)(chunk + 1) + (ALIGNMENT - behind % ALIGNMENT) % ALIGNMENT;
    chunk->size = size;
    return chunk;
}

/* A chunk with at least `bytes` free, in its place in the list. */
static struct slu_arena_chunk *chunk_add(struct slu_arena *arena, size_t bytes)
{
    const bool own = bytes > arena->chunk / 4 && arena->chunks != NULL;
    struct slu_arena_chunk *chunk = chunk_new(own || bytes > arena->chunk ? bytes : arena->chunk);
    if (chunk == NULL)
        return NULL;
    if (arena->chunk < MAX_CHUNK_BYTES)
        arena->chunk *= 2;

    if (own) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
        return chunk;
    }
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *slu_arena_alloc(struct slu_arena *arena, size_t bytes)
{
    /* Nothing at all still gets an address of its own. */
    if (bytes == 0)
        bytes = 1;
    if (bytes > SIZE_MAX - ALIGNMENT)
        return NULL;
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (bytes > arena->max - arena->used)
        return NULL;

    struct slu_arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || bytes > chunk->size - chunk->used)
        chunk = chunk_add(arena, bytes);
    if (chunk == NULL)
        return NULL;

    void *memory = chunk->data + chunk->used;
    chunk->used += bytes;
    arena->used += bytes;
    return memory;
}

void *slu_arena_array(struct slu_arena *arena, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return slu_arena_alloc(arena, bytes);
}

char *slu_arena_copy(struct slu_arena *arena, struct slu_slice text)
{
    if (text.len == SIZE_MAX)
        return NULL;
    char *copy = slu_arena_alloc(arena, text.len + 1);
    if (copy != NULL && text.len > 0)
        memcpy(copy, text.data, text.len);
    return copy;
}

char *slu_arena_printf(struct slu_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;

    char *text = slu_arena_alloc(arena, (size_t)len + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    const int written = vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return written == len ? text : NULL;
}
