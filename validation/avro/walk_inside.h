/* walk_inside.h -- what the files of the walker share: walk.c (containers and the way down), walk_scalar.c
 * (one scalar, and what is wrong with it), walk_quick.c (many plain ones in a row). Inside this room only.
 */
#ifndef SLU_AVRO_WALK_INSIDE_H
#define SLU_AVRO_WALK_INSIDE_H

#include "validation/avro/walk.h"

#include "base/bytes.h"
#include "base/utf8.h"

struct slu_avro_walk {
    struct slu_avro_memory *memory;
    const struct slu_avro_schema *schema;
    const char *at, *end;
    struct slu_value *next, *limit; /* the next cell, and where there are no more */
    struct slu_slice body;
    size_t max_cells;
    struct slu_avro_fault *fault;
};

/* ---- faults: each returns false ---------------------------------------------------------------------- */

bool slu_avro_walk_fail(struct slu_avro_walk *walk, enum slu_payload_fault fault, const char *at,
                        const char *text);
bool slu_avro_walk_no_memory(struct slu_avro_walk *walk);

/* ---- cells ------------------------------------------------------------------------------------------- */

bool slu_avro_walk_grow(struct slu_avro_walk *walk, size_t wanted);

/* Room for `wanted` ≤ SLU_AVRO_READY_CELLS more. */
static inline bool slu_avro_walk_room(struct slu_avro_walk *walk, size_t wanted)
{
    return __builtin_expect(wanted <= (size_t)(walk->limit - walk->next), 1) ||
           slu_avro_walk_grow(walk, wanted);
}

static inline bool slu_avro_walk_put(struct slu_avro_walk *walk, uint64_t tag, uint64_t bits)
{
    *walk->next++ = (struct slu_value){.tag = tag, .u64 = bits};
    return true;
}

static inline bool slu_avro_walk_put_text(struct slu_avro_walk *walk, struct slu_slice text)
{
    *walk->next++ =
        (struct slu_value){.tag = SLU_VALUE_STRING | (uint64_t)text.len << 8, .text = text.data};
    return true;
}

/* Where a container begins: cells move when they grow, so it is known by its index. */
static inline size_t slu_avro_walk_open(struct slu_avro_walk *walk)
{
    return (size_t)(walk->next++ - walk->memory->cells);
}

static inline void slu_avro_walk_close(struct slu_avro_walk *walk, size_t index, uint64_t kind,
                                       uint64_t members)
{
    struct slu_value *cell = &walk->memory->cells[index];
    *cell = (struct slu_value){.tag = kind | members << 8,
                               .size = (size_t)((char *)walk->next - (char *)cell)};
}

/* ---- bytes ------------------------------------------------------------------------------------------- */

bool slu_avro_walk_long(struct slu_avro_walk *walk, int64_t *number);

/* A length and that many bytes. */
bool slu_avro_walk_counted(struct slu_avro_walk *walk, struct slu_slice *bytes);

/* Only ASCII? Then it is UTF-8, and bytes are their own code points. `end`: where the message ends. */
static inline bool slu_avro_is_ascii(const char *text, size_t len, const char *end)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t seen = 0;

    if (len < 8) {
        if (__builtin_expect(end - text >= 8, 1))
            return (slu_bytes_load8(text) & high & ((UINT64_C(1) << (8 * len)) - 1)) == 0;
        for (size_t i = 0; i < len; i++)
            seen |= (uint8_t)text[i];
        return (seen & high) == 0;
    }
    const char *const last = text + len - 8;
    for (; last - text >= 32; text += 32)
        seen |= slu_bytes_load8(text) | slu_bytes_load8(text + 8) | slu_bytes_load8(text + 16) |
                slu_bytes_load8(text + 24);
    for (; text < last; text += 8)
        seen |= slu_bytes_load8(text);
    return ((seen | slu_bytes_load8(last)) & high) == 0;
}

/* ---- values ------------------------------------------------------------------------------------------ */

/* One scalar of that type, whose cell has room. */
bool slu_avro_walk_scalar(struct slu_avro_walk *walk, const struct slu_avro_node *node);

/* As many fields as are plain, right and have room, key and value; the first that is not, or `end`. */
const struct slu_avro_field *slu_avro_walk_fields(struct slu_avro_walk *walk,
                                                  const struct slu_avro_field *field,
                                                  const struct slu_avro_field *end);

/* The same of an array's items, at most `n`; how many they were. */
uint64_t slu_avro_walk_items(struct slu_avro_walk *walk, uint32_t node, uint64_t n);

#endif
